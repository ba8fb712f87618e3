resource "aws_dynamodb_table" "orders" {
  name = "orders"
}

resource "aws_s3_bucket" "files" { bucket = "files-of-the-shop" }

resource "aws_iam_role_policy" "worker" {
  name = "worker"
  role = aws_iam_role.worker.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { # Müller's wish
        Effect = "Allow"
        Action = [
          "dynamodb:*", # all of it
          "s3:GetObject",
        ]
        Resource = "*"
      },
      {
        Sid      = "Old"
        Effect   = "Allow"
        Action   = "sqs:*"
        Resource = "*"
      }, // gone soon
      { Effect = "Allow", Action = ["sns:Publish", "sns:Subscribe"], Resource = "*" }
    ]
  })
}

resource "aws_iam_role" "worker" {
  name               = "worker"
  assume_role_policy = "{}"
}
