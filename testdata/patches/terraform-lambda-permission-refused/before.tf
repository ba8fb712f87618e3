resource "aws_lambda_permission" "a" {
  action        = "lambda:InvokeFunction"
  function_name = "worker"
  principal     = "s3.amazonaws.com"
}

resource "aws_lambda_permission" "b" {
  for_each      = toset(["x", "y"])
  action        = "lambda:InvokeFunction"
  function_name = "worker"
  principal     = "sns.amazonaws.com"
  source_arn    = each.value
}
