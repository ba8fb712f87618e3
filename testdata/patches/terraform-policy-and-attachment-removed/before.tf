resource "aws_iam_policy" "p" {
  name   = "p"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}

resource "aws_iam_role_policy_attachment" "p" {
  role       = "r"
  policy_arn = aws_iam_policy.p.arn
}

resource "aws_iam_role" "other" {
  name = "other"
}
