module "m" {
  source = "./m"
}

resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = module.m.json
}
