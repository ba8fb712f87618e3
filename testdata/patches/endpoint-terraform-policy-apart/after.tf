resource "aws_vpc_endpoint" "buckets" {
  vpc_id       = "vpc-1"
  service_name = "com.amazonaws.eu-west-1.s3"
}

resource "aws_vpc_endpoint_policy" "buckets" {
  vpc_endpoint_id = aws_vpc_endpoint.buckets.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ours"
        Effect    = "Allow"
        Principal = "*" # whoever has a reason
        Action    = ["s3:GetObject", "s3:PutObject"]
        Resource  = "arn:aws:s3:::data/*"
        Condition = {
          ArnNotLike = {
            "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/*"
          }
        }
      },
      {
        Sid    = "ours2"
        Effect = "Allow"
        Principal = {
          AWS = "*"
        }
        Action   = ["s3:GetObject"]
        Resource = "arn:aws:s3:::data/in/*"
        Condition = {
          ArnEquals = {
            "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/reader"
          }
        }
      }
    ]
  })
}
