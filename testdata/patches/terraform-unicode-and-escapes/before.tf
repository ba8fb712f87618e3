
resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({
    Statement = [
      {
        Sid      = "Füße\u00e9"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "arn:aws:s3:::files/*"
      },
      { Effect = "Allow", Action = "sqs:*", Resource = "*" },
    ]
  })
}
