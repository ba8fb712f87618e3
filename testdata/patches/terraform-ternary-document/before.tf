variable "all" {
  default = false
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = var.all ? jsonencode({ Statement = [{
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    }] }) : jsonencode({ Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::files/*"
    }, {
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    }] })
}
