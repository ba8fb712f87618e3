locals {
  s3 = ["s3:GetObject", "s3:PutObject"]
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = local.s3, Resource = "arn:aws:s3:::files/*" }, {
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    }] })
}
