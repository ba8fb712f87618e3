variable "boundary" {}

resource "aws_iam_role" "a" {
  name                 = "a"
  permissions_boundary = var.boundary
  assume_role_policy   = jsonencode({ Statement = [] })
}
