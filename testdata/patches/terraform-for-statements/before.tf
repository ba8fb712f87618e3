
resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ Statement = [for b in ["files"] : { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "arn:aws:s3:::${b}/*" }] })
}
