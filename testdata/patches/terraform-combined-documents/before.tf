data "aws_iam_policy_document" "a" {
  statement {
    actions   = ["sqs:*"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "b" {
  statement {
    sid       = "Files"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["arn:aws:s3:::files/*"]
  }
}

data "aws_iam_policy_document" "d" {
  source_policy_documents = [
    data.aws_iam_policy_document.a.json,
    data.aws_iam_policy_document.b.json,
  ]
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = data.aws_iam_policy_document.d.json
}
