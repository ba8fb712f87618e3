resource "aws_iam_role_policy" "p" {
  name   = "p"
  role   = "r"
  policy = file("policy.json")
}
