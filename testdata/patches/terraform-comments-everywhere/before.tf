
resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({ // doc
    Version = "2012-10-17" /* v */
    Statement = [ # list
      { # first
        Effect = "Allow" # e
        Action = [ # a
          "s3:GetObject", # get
          "s3:PutObject"  # put
        ] # end a
        Resource = "arn:aws:s3:::files/*" // r
      }, # between
      /* second */ { Effect = "Allow", Action = "sqs:*", Resource = "*" } # last
    ] # end
  })
}
