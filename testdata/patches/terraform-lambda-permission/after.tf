data "aws_caller_identity" "current" {}

resource "aws_lambda_function" "worker" {
  function_name = "worker"
  role          = "r"
}

resource "aws_s3_bucket" "files" {
  bucket = "files"
}

resource "aws_lambda_permission" "bucket" {
  statement_id  = "AllowBucket"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  principal     = "s3.amazonaws.com" # notifications
  source_arn    = aws_s3_bucket.files.arn

  source_account = data.aws_caller_identity.current.account_id
}

resource "aws_lambda_permission" "rule" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.arn
  principal     = "events.amazonaws.com"
  source_arn    = "arn:aws:events:eu-west-1:${data.aws_caller_identity.current.account_id}:rule/tick"
}

resource "aws_lambda_permission" "other" {
  action        = "lambda:InvokeFunction"
  function_name = "another"
  principal     = "sns.amazonaws.com"
}

# not used any more
