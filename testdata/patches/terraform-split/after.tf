data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

# one role for everybody
resource "aws_iam_role" "shared" {
  name               = "shared"
  path               = "/app/"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role" "read" {
  name = "read"
  path = "/app/"

  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy" "read" {
  name = "read"
  role = aws_iam_role.read.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem"]
        Resource = aws_dynamodb_table.orders.arn
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.read.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role" "write" {
  name        = "write"
  description = "Writes orders"
  path        = "/app/"

  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy" "write" {
  name = "write"
  role = aws_iam_role.write.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:PutItem"]
        Resource = aws_dynamodb_table.orders.arn
      },
    ]
  })
}

resource "aws_iam_role_policy" "shared" {
  name = "shared"
  role = aws_iam_role.shared.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
        Resource = aws_dynamodb_table.orders.arn
      },
    ]
  })
}

resource "aws_dynamodb_table" "orders" {
  name = "orders"
}

resource "aws_lambda_function" "read" {
  function_name = "read"
  role          = aws_iam_role.read.arn # shared with write
  depends_on = [
    aws_iam_role_policy.read,
    aws_iam_role_policy_attachment.read
  ]
}

resource "aws_lambda_function" "write" {
  function_name = "write"
  role          = aws_iam_role.write.arn
  depends_on    = [aws_iam_role_policy.write]
}
