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
  function_name = aws_lambda_function.worker.arn
  principal     = "s3.amazonaws.com"
  source_arn    = aws_s3_bucket.files.arn # its notifications

  source_account = "111122223333"

  lifecycle {
    create_before_destroy = true
  }
}
