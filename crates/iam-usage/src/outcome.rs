//! Whether a call was authorised. A call that failed for any other reason was authorised all the same.
//!
//! Follows the IAM User Guide topic "Troubleshoot access denied error messages" and the services' common errors.

use crate::event::Event;

/// Error codes, by the word they hold, with which the caller was turned away.
const DENIALS: &[&str] = &["AccessDenied", "Unauthorized", "AuthorizationError", "NotAuthorizedForSource", "Forbidden"];

/// Error codes of callers who were never recognised: no evidence of need either.
const UNRECOGNISED: &[&str] = &[
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// The codes, for a test that compares them with those of the statements.
#[cfg(test)]
pub(crate) const fn codes() -> (&'static [&'static str], &'static [&'static str]) {
    (DENIALS, UNRECOGNISED)
}

/// Whether the caller was turned away.
pub(crate) fn is_denied(event: &Event<'_>) -> bool {
    let Some(code) = Event::text(event.error_code) else { return false };
    if code.is_empty() {
        return false;
    }
    let word = code.rsplit('.').next().unwrap_or(&code);
    DENIALS.iter().any(|denial| code.contains(denial))
        || UNRECOGNISED.contains(&word)
        || Event::text(event.error_message).is_some_and(|message| message.contains("not authorized to perform"))
}

/// Calls of S3 that say of a key that is not there only to those who may list its bucket; others are turned away.
const SAYING: [&str; 2] = ["GetObject", "HeadObject"];

/// Whether a call asked for a key that is not there and was told so, which takes `s3:ListBucket` too.
///
/// Follows the S3 API reference, "GetObject" and "HeadObject".
#[inline]
pub(crate) fn is_absent(event: &Event<'_>) -> bool {
    event.error_code.is_some() && tells_absence(event)
}

fn tells_absence(event: &Event<'_>) -> bool {
    let is = |field, wanted: &[&str]| Event::text(field).is_some_and(|text| wanted.contains(&&*text));
    is(event.error_code, &["NoSuchKey"])
        && is(event.event_source, &["s3.amazonaws.com"])
        && is(event.event_name, &SAYING)
        && !is_denied(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Raw;

    #[test]
    fn denials_are_told_from_other_errors() {
        let check = |code: &str, message: &str, expected: bool| {
            let (code, message) = (format!("\"{code}\""), format!("\"{message}\""));
            let event = Event {
                error_code: Some(Raw(code.as_bytes())),
                error_message: Some(Raw(message.as_bytes())),
                ..Event::default()
            };
            assert_eq!(is_denied(&event), expected, "{code} {message}");
        };
        for code in [
            "AccessDenied",
            "AccessDeniedException",
            "Client.UnauthorizedOperation",
            "UnauthorizedAccess",
            "AuthorizationErrorException",
            "KMS.KMSAccessDeniedException",
            "ExpiredToken",
            "Client.AuthFailure",
        ] {
            check(code, "", true);
        }
        for code in [
            "ThrottlingException",
            "NoSuchBucketPolicy",
            "ConditionalCheckFailedException",
            "",
            "Client.InvalidParameterValue",
            "ResourceNotFoundException",
            "NotAuthorizedException",
        ] {
            check(code, "", false);
        }
        check("ClientException", "User: x is not authorized to perform: ecs:RunTask", true);
        assert!(!is_denied(&Event::default()));
    }
}
