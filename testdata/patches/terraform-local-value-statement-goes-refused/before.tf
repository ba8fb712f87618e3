locals {
  s3 = {
    Effect   = "Allow"
    Action   = "s3:*"
    Resource = "*"
  }
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ Statement = [local.s3, { Effect = "Allow", Action = "sqs:*", Resource = "*" }] })
}
