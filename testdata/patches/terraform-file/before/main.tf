resource "aws_iam_role" "r" {
  name               = "worker"
  assume_role_policy = file("${path.module}/policies/trust.json")
}

resource "aws_iam_role_policy" "p" {
  name   = "p"
  role   = aws_iam_role.r.id
  policy = file("${path.module}/policies/worker.json")
}
