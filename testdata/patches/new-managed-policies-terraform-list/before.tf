resource "aws_iam_role" "report" {
  name               = "report"
  path               = "/svc/"
  managed_policy_arns = ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"]
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

resource "aws_dynamodb_table" "orders" {
  name = "Orders"
}

resource "aws_iam_role_policy" "work" {
  name = "work"
  role = aws_iam_role.report.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "all" # for now
        Effect   = "Allow"
        Action   = "dynamodb:*"
        Resource = "*"
      }
    ]
  })
}
