variable "policy" {}

resource "aws_iam_role_policy" "p" {
  role   = "s"
  policy = var.policy
}
