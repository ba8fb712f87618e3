resource "aws_iam_policy" "old" {
  name   = "old"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}

resource "aws_iam_role_policy_attachment" "old" {
  role       = "worker"
  policy_arn = aws_iam_policy.old.arn
}

resource "aws_s3_bucket" "kept" {
  bucket     = "kept"
  depends_on = [aws_iam_role_policy_attachment.old]
}
