data "aws_iam_policy_document" "worker" {
  statement {
    actions   = ["s3:*"]
    resources = ["*"]
  }

  statement {
    actions   = ["sqs:*"]
    resources = ["*"]
  }
  statement {
    actions   = ["dynamodb:*"]
    resources = ["*"]
  }

  statement {
    actions   = ["sns:*"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "worker" {
  role   = "worker"
  policy = data.aws_iam_policy_document.worker.json
}
