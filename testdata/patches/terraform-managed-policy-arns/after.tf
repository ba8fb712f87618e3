resource "aws_iam_role" "api" {
  name                = "api"
  assume_role_policy  = "{}"
  managed_policy_arns = []
}

resource "aws_iam_role_policy" "api_amazon_s3_full_access" {
  name = "api_amazon_s3_full_access"
  role = aws_iam_role.api.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = "arn:aws:s3:::b/*"
      }
    ]
  })
}
