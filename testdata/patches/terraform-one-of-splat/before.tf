data "aws_iam_policy_document" "d" {
  count = 1
  statement {
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["arn:aws:s3:::files/*"]
  }
  statement {
    actions   = ["sqs:*"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = one(data.aws_iam_policy_document.d[*].json)
}
