resource "aws_iam_role" "report" {
  name               = "report"
  path               = "/svc/"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

resource "aws_iam_policy" "report_extra_1" {
  name = "${aws_iam_role.report.name}-extra-1"
  path = "/svc/"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "all"
        Effect = "Allow"
        Action = ["dynamodb:GetItem"]
        Resource = [
          aws_dynamodb_table.orders.arn,
          "arn:aws:dynamodb:eu-west-1:111122223333:table/B"
        ]
      }
    ]
  })
}

resource "aws_iam_policy" "report_extra_2" {
  name = "${aws_iam_role.report.name}-extra-2"
  path = "/svc/"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "all"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem"]
        Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/C"
      }
    ]
  })
}

resource "aws_iam_role_policy_attachment" "report_extra_1" {
  role       = aws_iam_role.report.name
  policy_arn = aws_iam_policy.report_extra_1.arn
}

resource "aws_iam_role_policy_attachment" "report_extra_2" {
  role       = aws_iam_role.report.name
  policy_arn = aws_iam_policy.report_extra_2.arn
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
        Action   = "dynamodb:GetItem"
        Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/A"
      }
    ]
  })
}
