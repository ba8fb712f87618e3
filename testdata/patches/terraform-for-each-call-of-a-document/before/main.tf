module "m" {
  source = "./m"
  policy = data.aws_iam_policy_document.d.json
}

module "n" {
  source = "./n"
  policy = data.aws_iam_policy_document.d.json
}

data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["s3:*"]
    resources = ["*"]
  }
}
