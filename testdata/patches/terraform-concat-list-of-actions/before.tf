locals {
  shared = ["s3:GetObject"]
}

resource "aws_iam_role_policy" "p" {
  role = "r"
  policy = jsonencode({
    Statement = [
      {
        Effect   = "Allow"
        Action   = concat(local.shared, ["s3:PutObject", "s3:DeleteObject"])
        Resource = "*"
      },
      {
        Effect   = "Allow"
        Action   = concat(local.shared, ["sqs:*"])
        Resource = "*"
      },
    ]
  })
}
