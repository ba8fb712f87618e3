data "aws_region" "here" {}

resource "aws_vpc_endpoint" "buckets" {
  vpc_id       = "vpc-1"
  service_name = "com.amazonaws.eu-west-1.s3" # a gateway
}

resource "aws_vpc_endpoint" "queues" {
  vpc_id       = "vpc-1"
  service_name = "com.amazonaws.eu-west-1.sqs"
}
