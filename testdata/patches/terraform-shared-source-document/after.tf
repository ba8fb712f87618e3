data "aws_iam_policy_document" "base" {
  # for everyone
  statement {
    actions   = ["logs:PutLogEvents"]
    resources = ["*"]
  }

  statement {
    actions   = ["ssm:GetParameter"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "a" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]

  statement {
    actions   = ["s3:*"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "a" {
  role   = "a"
  policy = data.aws_iam_policy_document.a.json
}

data "aws_iam_policy_document" "b" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]

  statement {
    actions   = ["s3:*"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "b" {
  role   = "b"
  policy = data.aws_iam_policy_document.b.json
}
