variable "queue" {
  default = true
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::files/*"
    }, var.queue ? {
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    } : null] })
}
