data "template_file" "policy" {
  template = file("policy.json.tpl")

  vars = {
    queue = "arn:aws:sqs:eu-west-1:111122223333:jobs"
    stage = "live"
  }
}

resource "aws_iam_role_policy" "p" {
  name   = "p"
  role   = "r"
  policy = data.template_file.policy.rendered
}
