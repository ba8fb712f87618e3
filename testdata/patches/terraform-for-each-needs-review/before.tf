resource "aws_iam_role_policy" "each" {
  for_each = toset(["a", "b"])
  name     = each.key
  role     = "worker-${each.key}"
  policy   = jsonencode({
    "Version" : "2012-10-17",
    "Statement" : [
      {
        "Effect" : "Allow",
        "Action" : ["s3:GetObject", "s3:PutObject"],
        "Resource" : "arn:aws:s3:::${each.key}/*"
      }
    ]
  })
}
