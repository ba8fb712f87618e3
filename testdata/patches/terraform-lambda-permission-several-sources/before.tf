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
}
resource "aws_lambda_permission" "buckets" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.arn
  principal     = "s3.amazonaws.com"

  depends_on = [aws_s3_bucket.files]
}

resource "aws_lambda_permission" "rules" {
  statement_id  = "From-${var.stage}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  principal     = "events.amazonaws.com"
}

output "name" {
  value = aws_lambda_function.worker.function_name
}
