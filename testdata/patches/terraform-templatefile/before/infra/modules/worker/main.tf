variable "table" {
  type = string
}

resource "aws_iam_policy" "p" {
  name = "worker"
  policy = templatefile("${path.module}/policy.json.tftpl", {
    table_arn = var.table
    bucket    = "files"
  })
}
