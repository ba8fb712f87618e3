resource "aws_iam_role" "self" {
  name               = "self"
  assume_role_policy = "{}"
  inline_policy {
    name   = "invoke"
    policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "lambda:InvokeFunction", Resource = "arn:aws:lambda:eu-west-1:111122223333:function:self" }] })
  }
}

resource "aws_lambda_function" "self" {
  function_name = "self"
  role          = aws_iam_role.self.arn
}
