resource "aws_iam_policy" "edge" {
  name = "edge"
  path = "/limits/"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "most" # what edge functions may ever have
      Effect   = "Allow"
      Action   = ["s3:*", "sqs:*"]
      Resource = "*"
    }]
  })
}
