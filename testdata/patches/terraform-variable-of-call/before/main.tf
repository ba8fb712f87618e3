module "m" {
  source = "./m"
  policy = jsonencode({ Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::files/*"
    }, {
      Effect   = "Allow"
      Action   = "sqs:*"
      Resource = "*"
    }] })
}
