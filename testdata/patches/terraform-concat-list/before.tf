variable "more" {
  default = ["s3:PutObject"]
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = concat(["s3:GetObject"], var.more), Resource = "arn:aws:s3:::files/*" }, {
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    }] })
}
