
resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ // doc
    Version = "2012-10-17" /* v */
    Statement = [ # list
      { # first
        Effect = "Allow" # e
        Action = [ # a
          "s3:GetObject", # get
        ] # end a
        Resource = "arn:aws:s3:::files/*" // r
      }, # between
      /* second */ { Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" } # last
    ] # end
  })
}
