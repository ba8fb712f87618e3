variable "stage" {
  default = "prod"
}

data "aws_caller_identity" "current" {}

resource "aws_lambda_function" "worker" {
  function_name = "worker"
  role          = "r"
}

resource "aws_sns_topic" "uploads" {
  name = "uploads"
}

resource "aws_s3_bucket" "files" {
  bucket = "files"
}

# the live one is let in by a block of its own
resource "aws_lambda_permission" "live" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  qualifier     = "live"
  principal     = "sns.amazonaws.com"
}

resource "aws_lambda_permission" "topics" {
  statement_id  = "AllowTopics"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  principal     = "sns.amazonaws.com" # both
  source_arn    = "arn:aws:sns:eu-west-1:${data.aws_caller_identity.current.account_id}:archive"
}

resource "aws_lambda_permission" "topics_2" {
  statement_id  = "AllowTopics2"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.uploads.arn
}
resource "aws_lambda_permission" "buckets" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.arn
  principal     = "s3.amazonaws.com"
  source_arn    = aws_s3_bucket.files.arn

  source_account = data.aws_caller_identity.current.account_id

  depends_on = [aws_s3_bucket.files]
}

resource "aws_lambda_permission" "buckets_2" {
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.worker.arn
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::scans"
  source_account = data.aws_caller_identity.current.account_id
  depends_on     = [aws_s3_bucket.files]
}

resource "aws_lambda_permission" "rules" {
  statement_id  = "From-${var.stage}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  principal     = "events.amazonaws.com"
  source_arn    = "arn:aws:events:eu-west-1:${data.aws_caller_identity.current.account_id}:rule/a"
}

resource "aws_lambda_permission" "rules_2" {
  statement_id  = "From-${var.stage}2"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  principal     = "events.amazonaws.com"
  source_arn    = "arn:aws:events:eu-west-1:${data.aws_caller_identity.current.account_id}:rule/b"
}

resource "aws_lambda_permission" "rules_3" {
  statement_id  = "From-${var.stage}3"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  principal     = "events.amazonaws.com"
  source_arn    = "arn:aws:events:eu-west-1:${data.aws_caller_identity.current.account_id}:rule/c"
}

output "name" {
  value = aws_lambda_function.worker.function_name
}
