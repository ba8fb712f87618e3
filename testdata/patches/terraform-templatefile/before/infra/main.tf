module "worker" {
  source = "./modules/worker"
  table  = aws_dynamodb_table.orders.arn
}

resource "aws_dynamodb_table" "orders" {
  name = "orders"
}
