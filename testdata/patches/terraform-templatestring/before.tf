variable "t" {}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = templatestring(var.t, { a = "b" })
}
