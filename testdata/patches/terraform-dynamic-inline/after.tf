resource "aws_iam_role" "r" {
  name = "r"
  dynamic "inline_policy" {
    for_each = [1]
    content {
      name   = "p"
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
  }
}
