module "m" {
  source = "./m"
  policy = jsonencode({ Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = "arn:aws:s3:::files/*"
    }, {
      Effect   = "Allow"
      Action   = "sqs:SendMessage"
      Resource = "*"
    }] })
}
