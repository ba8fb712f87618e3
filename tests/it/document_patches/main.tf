provider "aws" {
  region = "eu-west-1"
}

locals {
  sharers = ["arn:aws:iam::111122223333:role/ops"]
}

resource "aws_s3_bucket" "images" {
  bucket = "images"
}

resource "aws_s3_bucket_policy" "images" {
  bucket = aws_s3_bucket.images.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "share" # those who look after it
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"] }
      Action    = ["s3:GetBucketLocation", "s3:GetBucketTagging"]
      Resource  = aws_s3_bucket.images.arn
    }]
  })
}

resource "aws_sqs_queue" "jobs" {
  name = "jobs"
}

resource "aws_sqs_queue_policy" "jobs" {
  queue_url = aws_sqs_queue.jobs.id
  policy    = data.aws_iam_policy_document.jobs.json
}

data "aws_iam_policy_document" "jobs" {
  statement {
    sid       = "share"
    actions   = ["sqs:SetQueueAttributes", "sqs:PurgeQueue"]
    resources = [aws_sqs_queue.jobs.arn]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"]
    }
  }
}

resource "aws_sns_topic" "news" {
  name = "news"
}

resource "aws_sns_topic_policy" "news" {
  arn = aws_sns_topic.news.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "share"
        Effect = "Allow"
        Principal = {
          AWS = [
            "arn:aws:iam::111122223333:role/ops", # on call
            "arn:aws:iam::111122223333:role/old"
          ]
        }
        Action   = ["sns:GetTopicAttributes", "sns:DeleteTopic"]
        Resource = aws_sns_topic.news.arn
      }
    ]
  })
}

resource "aws_kms_key" "data" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "owner"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::111122223333:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "share"
        Effect    = "Allow"
        Principal = { AWS = ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"] }
        Action    = ["kms:Decrypt", "kms:Encrypt"]
        Resource  = "*"
      }
    ]
  })
}

resource "aws_secretsmanager_secret" "db" {
  name = "db"
}

resource "aws_secretsmanager_secret_policy" "db" {
  secret_arn = aws_secretsmanager_secret.db.arn
  policy     = <<EOF
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "share",
      "Effect": "Allow",
      "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"]},
      "Action": ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
      "Resource": "*"
    }
  ]
}
EOF
}

resource "aws_iam_role" "target" {
  name = "target"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "share"
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"] }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_vpc_endpoint" "tables" {
  vpc_id       = "vpc-1"
  service_name = "com.amazonaws.eu-west-1.dynamodb" # a gateway
}
