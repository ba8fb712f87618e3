variable "policy" {}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = var.policy
}
