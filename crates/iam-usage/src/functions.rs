//! Lambda functions as callers name them: by name, by the end of an ARN, by an ARN, each with or without a version or alias.
//!
//! Follows the Lambda API reference, "FunctionName".

use crate::template::Call;

/// A function as a call names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function<'v> {
    /// Where the name says so; else the caller's.
    region: Option<&'v str>,
    account: Option<&'v str>,
    name: &'v str,
    /// A version or an alias.
    pub(crate) qualifier: Option<&'v str>,
}

impl<'v> Function<'v> {
    /// Reads `[[arn:PARTITION:lambda:][REGION:][ACCOUNT:][function:]NAME[:QUALIFIER]`; nothing where it is none of these.
    pub(crate) fn parse(text: &'v str) -> Option<Self> {
        let mut parts = text.split(':').peekable();
        let is_account = |part: &&str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (region, account);
        if parts.next_if_eq(&"arn").is_some() {
            parts.next()?;
            parts.next_if_eq(&"lambda")?;
            (region, account) = (parts.next(), parts.next());
        } else {
            (region, account) = (parts.next_if(|part| is_region(part)), parts.next_if(is_account));
        }
        // A function may be named `function`.
        let mut name = parts.next()?;
        let mut qualifier = parts.next();
        if let ("function", Some(after)) = (name, qualifier) {
            (name, qualifier) = (after, parts.next());
        }
        let ends = parts.next().is_none() && !name.is_empty() && qualifier != Some("");
        ends.then_some(Self { region, account, name, qualifier })
    }

    /// Its ARN, without version or alias.
    pub(crate) fn arn(&self, call: &Call<'_>) -> String {
        let (region, account) = (self.region.unwrap_or(call.region), self.account.unwrap_or(call.account));
        format!("arn:{}:lambda:{region}:{account}:function:{}", call.partition, self.name)
    }
}

/// `eu-west-1`, `us-gov-west-1`.
fn is_region(part: &str) -> bool {
    let mut words = part.split('-');
    let letters = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let first = words.next().is_some_and(|word| word.len() == 2 && letters(word));
    let rest: Vec<&str> = words.collect();
    let Some((last, between)) = rest.split_last() else { return false };
    let number = last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_digit());
    first && number && (1..=2).contains(&between.len()) && between.iter().all(|word| letters(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Raw;

    #[test]
    fn a_function_is_read_in_every_form() {
        let call = Call { request: Raw(b"{}"), partition: "aws", region: "eu-west-1", account: "111122223333" };
        for (text, expected) in [
            ("f", Some(("eu-west-1:111122223333:function:f", None))),
            ("f:3", Some(("eu-west-1:111122223333:function:f", Some("3")))),
            ("function:f", Some(("eu-west-1:111122223333:function:f", None))),
            ("444455556666:f", Some(("eu-west-1:444455556666:function:f", None))),
            ("444455556666:function:f", Some(("eu-west-1:444455556666:function:f", None))),
            ("444455556666:function:f:live", Some(("eu-west-1:444455556666:function:f", Some("live")))),
            ("us-east-1:444455556666:function:f", Some(("us-east-1:444455556666:function:f", None))),
            ("arn:aws:lambda:us-east-1:444455556666:function:f", Some(("us-east-1:444455556666:function:f", None))),
            (
                "arn:aws:lambda:us-east-1:444455556666:function:f:7",
                Some(("us-east-1:444455556666:function:f", Some("7"))),
            ),
            ("function", Some(("eu-west-1:111122223333:function:function", None))),
            ("arn:aws:sqs:us-east-1:444455556666:function:f", None),
            ("a:b:c:d", None),
            ("f:", None),
            ("", None),
        ] {
            let found = Function::parse(text);
            let found = found.as_ref().map(|function| (function.arn(&call), function.qualifier));
            let expected = expected.map(|(tail, qualifier)| (format!("arn:aws:lambda:{tail}"), qualifier));
            assert_eq!(found, expected, "{text}");
        }
    }
}
