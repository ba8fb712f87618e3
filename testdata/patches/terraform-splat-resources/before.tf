resource "aws_s3_bucket" "b" {
  for_each = toset(["files"])
  bucket   = each.key
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = [for b in aws_s3_bucket.b : "${b.arn}/*"] }, {
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    }] })
}
