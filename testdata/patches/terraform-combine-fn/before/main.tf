
resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode(jsondecode(file("p.json")))
}
