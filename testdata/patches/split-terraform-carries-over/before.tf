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
  name                 = "${var.stage}-shared"
  path                 = "/app/"
  max_session_duration = 7200
  permissions_boundary = "arn:aws:iam::111122223333:policy/limits"
  assume_role_policy   = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
  tags = {
    team = "shop" # ours
  }
}

resource "aws_lambda_function" "orders" {
  function_name = "${var.stage}-orders"
  role          = aws_iam_role.shared.arn
  handler       = "a.b"
  depends_on    = [aws_iam_role_policy.tables]
}

resource "aws_lambda_function" "reports" {
  function_name = "${var.stage}-reports"
  role          = aws_iam_role.shared.arn
  handler       = "a.c"

  environment {
    variables = { A = "b" }
  }
}

resource "aws_iam_role_policy" "tables" {
  role   = aws_iam_role.shared.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "dynamodb:*", Resource = "*" }] })
}
