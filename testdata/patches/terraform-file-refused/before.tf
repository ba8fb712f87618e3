resource "aws_iam_role_policy" "p" {
  name   = "p"
  role   = "r"
  policy = templatefile("${path.module}/policy.tftpl", { bucket = "b" })
}
