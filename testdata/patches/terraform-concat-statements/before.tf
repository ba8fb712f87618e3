locals {
  base = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::files/*"
    }]
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.base, [{
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    }]) })
}
