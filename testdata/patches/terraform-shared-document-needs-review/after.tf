data "aws_iam_policy_document" "shared" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "a" {
  role   = "a"
  policy = data.aws_iam_policy_document.shared.json
}

resource "aws_iam_role_policy" "b" {
  role   = "b"
  policy = data.aws_iam_policy_document.shared.json
}
