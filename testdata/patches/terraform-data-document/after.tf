data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

data "aws_iam_policy_document" "worker" {
  # what the worker may do
  statement {
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["arn:aws:s3:::home/&{aws:username}/*"]

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["true"]
    }
  }

  statement {
    sid    = "Tables"
    effect = "Allow"
    actions = [
      "dynamodb:GetItem",
    ]
    resources = ["arn:aws:dynamodb:eu-west-1:${data.aws_caller_identity.current.account_id}:table/x"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "eu-west-1",
        "eu-north-1",
      ]
    }
  }

  statement {
    sid       = "New"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:aws:ssm:eu-west-1:${data.aws_caller_identity.current.account_id}:parameter/x"]
  }
}

resource "aws_iam_user_policy" "worker" {
  user   = "worker"
  policy = data.aws_iam_policy_document.worker.json
}
