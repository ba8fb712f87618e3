variable "stage" {
  default = "prod"
}

variable "role_arn" {
  type = string
}

locals {
  role_arn = aws_iam_role.shared.arn
}

resource "aws_iam_role" "shared" {
  name                 = "shared"
  path                 = "/app/"
  max_session_duration = 7200
  permissions_boundary = "arn:aws:iam::111122223333:policy/limits"
  assume_role_policy   = <<EOF
{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
  ]
}
EOF
  tags = {
    team = "shop" # ours
  }
}

resource "aws_iam_role" "orders" {
  name                 = "prod-orders-role"
  description          = "Of orders alone; before, it ran with the shared role shared"
  path                 = "/app/"
  permissions_boundary = "arn:aws:iam::111122223333:policy/limits"
  max_session_duration = 7200
  tags = {
    team = "shop" # ours
  }

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          Service = "lambda.amazonaws.com"
        }
        Action = ["sts:AssumeRole"]
      }
    ]
  })
}

resource "aws_iam_role_policy" "orders" {
  name = "all"
  role = aws_iam_role.orders.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:PutItem"]
        Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/prod-orders"
      }
    ]
  })
}

resource "aws_iam_role_policy_attachment" "orders" {
  role       = aws_iam_role.orders.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role" "reports" {
  name                 = "prod-reports-role"
  description          = "Of reports alone; before, it ran with the shared role shared"
  path                 = "/app/"
  permissions_boundary = "arn:aws:iam::111122223333:policy/limits"
  max_session_duration = 7200
  tags = {
    team = "shop" # ours
  }

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          Service = "lambda.amazonaws.com"
        }
        Action = ["sts:AssumeRole"]
      }
    ]
  })
}

resource "aws_iam_role_policy" "reports" {
  name = "all"
  role = aws_iam_role.reports.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:PutItem"]
        Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/prod-reports"
      }
    ]
  })
}

resource "aws_iam_role_policy_attachment" "reports" {
  role       = aws_iam_role.reports.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_function" "orders" {
  function_name = "${var.stage}-orders"
  role          = aws_iam_role.orders.arn
  handler       = "a.b"
  depends_on = [
    aws_iam_role_policy.orders,
    aws_iam_role_policy_attachment.orders
  ]
}

resource "aws_lambda_function" "reports" {
  function_name = "${var.stage}-reports"
  role          = aws_iam_role.reports.arn
  handler       = "a.c"
  depends_on = [
    aws_iam_role_policy.reports,
    aws_iam_role_policy_attachment.reports
  ]

  environment {
    variables = { A = "b" }
  }
}
