data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

data "aws_iam_policy_document" "worker" {
  # what the worker may do
  statement {
    actions   = ["s3:*"]
    resources = ["arn:aws:s3:::home/&{aws:username}/*"]
  }

  statement {
    sid    = "Tables"
    effect = "Allow"
    actions = [
      "dynamodb:GetItem",
      "dynamodb:DeleteTable", # never
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    actions   = ["sqs:*"]
    resources = ["*"]
  }
}

resource "aws_iam_user_policy" "worker" {
  user   = "worker"
  policy = data.aws_iam_policy_document.worker.json
}
