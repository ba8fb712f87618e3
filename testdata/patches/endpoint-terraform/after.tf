data "aws_region" "here" {}

resource "aws_vpc_endpoint" "buckets" {
  vpc_id       = "vpc-1"
  service_name = "com.amazonaws.eu-west-1.s3" # a gateway
}

resource "aws_vpc_endpoint_policy" "buckets" {
  vpc_endpoint_id = aws_vpc_endpoint.buckets.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          AWS = "*"
        }
        Action   = ["*"]
        Resource = "*"
        Condition = {
          ArnNotLike = {
            "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/*"
          }
        }
      },
      {
        Effect = "Allow"
        Principal = {
          AWS = "*"
        }
        Action   = ["s3:GetObject"]
        Resource = "arn:aws:s3:::data/*"
        Condition = {
          ArnEquals = {
            "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/reader"
          }
        }
      }
    ]
  })
}

resource "aws_vpc_endpoint" "queues" {
  vpc_id       = "vpc-1"
  service_name = "com.amazonaws.eu-west-1.sqs"
}
