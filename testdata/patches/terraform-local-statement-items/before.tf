locals {
  s3  = {
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::files/*"
    }
  sqs = {
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    }
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.s3, local.sqs] })
}
