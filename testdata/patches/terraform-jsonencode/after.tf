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
          "dynamodb:PutItem", # all of it
          "s3:GetObject",
        ]
        Resource = [
          aws_dynamodb_table.orders.arn,
          "${aws_s3_bucket.files.arn}/in/*"
        ]
      },
      {
        Sid      = "Old"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = "arn:aws:sqs:eu-west-1:111122223333:jobs"
      }, // gone soon
      { Effect = "Allow", Action = ["sns:Publish"], Resource = "*" }
    ]
  })
}

resource "aws_iam_role" "worker" {
  name               = "worker"
  assume_role_policy = "{}"
}
