data "aws_iam_policy_document" "made" {
  dynamic "statement" {
    for_each = var.tables
    content {
      actions   = ["dynamodb:*"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "made" {
  role   = "made"
  policy = data.aws_iam_policy_document.made.json
}
