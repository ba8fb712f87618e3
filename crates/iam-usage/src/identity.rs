//! Who made a call: the role behind the session, and the function the session may belong to.
//!
//! Follows the CloudTrail User Guide topic "CloudTrail userIdentity element". Users, root, services and outsiders are
//! told apart only as far as needed to leave them out.

use std::borrow::Cow;

use iam_model::usage::SkipReason;

use crate::event::Event;
use crate::json::Raw;

/// The role a call was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller<'a> {
    /// The role's ARN, with its path where the record has it.
    pub(crate) role: Cow<'a, str>,
    account: Digits,
    /// The name of the session, where it may be a Lambda function's.
    pub(crate) function: Option<Cow<'a, str>>,
    /// The service that made the call on the role's behalf.
    pub(crate) invoked_by: Option<Cow<'a, str>>,
}

impl Caller<'_> {
    /// The role's account.
    pub(crate) fn account(&self) -> &str {
        std::str::from_utf8(&self.account).unwrap_or_default()
    }
}

/// Tells the role, or why there is none.
pub(crate) fn caller<'a>(event: &Event<'a>) -> Result<Caller<'a>, SkipReason> {
    let identity = event.user_identity.filter(|raw| raw.is_object()).ok_or(SkipReason::Incomplete)?;
    let parts = Parts::of(identity);
    match parts.kind.as_deref() {
        Some("AWSService") => return Err(SkipReason::ServiceEvent),
        Some("AssumedRole" | "Role") => {}
        Some(_) => return Err(SkipReason::NotARole),
        None if parts.issuer_arn.is_some() || parts.arn.as_deref().is_some_and(is_session) => {}
        None if parts.invoked_by.is_some() => return Err(SkipReason::ServiceEvent),
        None => return Err(SkipReason::Incomplete),
    }
    let role = parts.role().ok_or(SkipReason::Incomplete)?;
    let account = account_of(&role).ok_or(SkipReason::Incomplete)?;
    if role.contains(":role/aws-service-role/") {
        return Err(SkipReason::ServiceEvent);
    }
    Ok(Caller { function: parts.function(), role, account, invoked_by: parts.invoked_by })
}

/// The twelve digits of a role's ARN.
fn account_of(role: &str) -> Option<Digits> {
    let mut parts = role.splitn(6, ':');
    let iam = parts.next() == Some("arn") && parts.nth(1) == Some("iam");
    let account = parts.nth(1).filter(|_| iam)?;
    let digits: Digits = account.as_bytes().try_into().ok()?;
    digits.iter().all(u8::is_ascii_digit).then_some(digits)
}

/// An account's id as it stands in ARNs.
type Digits = [u8; 12];

/// The members of `userIdentity` we need.
#[derive(Default)]
struct Parts<'a> {
    kind: Option<Cow<'a, str>>,
    arn: Option<Cow<'a, str>>,
    invoked_by: Option<Cow<'a, str>>,
    issuer_arn: Option<Cow<'a, str>>,
    issued_to: Option<Cow<'a, str>>,
}

impl<'a> Parts<'a> {
    fn of(identity: Raw<'a>) -> Self {
        let mut parts = Self::default();
        for (key, value) in identity.members() {
            match key {
                b"type" => parts.kind = value.text(),
                b"arn" => parts.arn = value.text(),
                b"invokedBy" => parts.invoked_by = value.text(),
                b"sessionContext" => {
                    let issuer = value
                        .get("sessionIssuer")
                        .filter(|issuer| issuer.get("type").and_then(Raw::text).is_none_or(|kind| kind == "Role"));
                    parts.issuer_arn = issuer.and_then(|issuer| issuer.get("arn")).and_then(Raw::text);
                }
                b"inScopeOf" => {
                    let lambda =
                        value.get("issuerType").and_then(Raw::text).as_deref() == Some("AWS::Lambda::Function");
                    parts.issued_to = value.get("credentialsIssuedTo").filter(|_| lambda).and_then(Raw::text);
                }
                _ => {}
            }
        }
        parts
    }

    /// The issuer's ARN; without it, the role's name from the session's ARN, which does not tell the path.
    fn role(&self) -> Option<Cow<'a, str>> {
        if let Some(arn) = self.issuer_arn.as_ref().filter(|arn| arn.contains(":role/")) {
            return Some(arn.clone());
        }
        let arn = self.arn.as_deref()?;
        if arn.contains(":role/") {
            return self.arn.clone();
        }
        let (head, tail) = arn.split_once(":assumed-role/")?;
        let name = tail.split('/').next().filter(|name| !name.is_empty())?;
        let (partition, account) = (head.split(':').nth(1)?, head.rsplit(':').next()?);
        Some(Cow::Owned(format!("arn:{partition}:iam::{account}:role/{name}")))
    }

    /// The function's name: from `inScopeOf`, else the session's name where a function could be called that.
    fn function(&self) -> Option<Cow<'a, str>> {
        if let Some(arn) = &self.issued_to {
            return arn.split(':').nth(6).map(|name| Cow::Owned(name.to_owned()));
        }
        let (_, tail) = self.arn.as_deref()?.split_once(":assumed-role/")?;
        let (_, session) = tail.split_once('/')?;
        may_be_function(session).then(|| Cow::Owned(session.to_owned()))
    }
}

fn is_session(arn: &str) -> bool {
    arn.contains(":assumed-role/")
}

/// Whether a Lambda function could have this name, and no tool is known to make such session names.
fn may_be_function(session: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let tools =
        ["botocore-session-", "aws-go-sdk-", "aws-sdk-js-", "aws-sdk-java-", "AWSCLI-Session", "AssumeRoleSession"];
    let instance =
        session.strip_prefix("i-").is_some_and(|id| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    let digits = session.bytes().all(|byte| byte.is_ascii_digit());
    (1..=64).contains(&session.len())
        && session.bytes().all(allowed)
        && !instance
        && !digits
        && !tools.iter().any(|tool| session.starts_with(tool))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(identity: &str, expected: Result<(&str, Option<&str>), SkipReason>) {
        let event = Event { user_identity: Some(Raw(identity.as_bytes())), ..Event::default() };
        let found = caller(&event);
        let found = found.as_ref().map(|c| (&*c.role, c.function.as_deref())).map_err(|reason| *reason);
        assert_eq!(found, expected, "{identity}");
    }

    #[test]
    fn the_role_comes_from_the_session_issuer_with_its_path() {
        check(
            r#"{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/orders-role/orders",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/service-role/orders-role"}}}"#,
            Ok(("arn:aws:iam::111122223333:role/service-role/orders-role", Some("orders"))),
        );
        check(
            r#"{"type": "AssumedRole", "arn": "arn:aws-cn:sts::111122223333:assumed-role/orders-role/me@example.com"}"#,
            Ok(("arn:aws-cn:iam::111122223333:role/orders-role", None)),
        );
        check(
            r#"{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/r/i-0123456789abcdef0",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/r"}}}"#,
            Ok(("arn:aws:iam::111122223333:role/r", None)),
        );
    }

    #[test]
    fn a_scope_says_which_function_it_was() {
        check(
            r#"{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/r/some@thing",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/r"}},
                "inScopeOf": {"issuerType": "AWS::Lambda::Function",
                    "credentialsIssuedTo": "arn:aws:lambda:us-east-1:111122223333:function:orders"}}"#,
            Ok(("arn:aws:iam::111122223333:role/r", Some("orders"))),
        );
    }

    #[test]
    fn others_than_roles_are_left_out_with_their_reason() {
        check(r#"{"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ops"}"#, Err(SkipReason::NotARole));
        check(r#"{"type": "Root"}"#, Err(SkipReason::NotARole));
        check(r#"{"type": "WebIdentityUser"}"#, Err(SkipReason::NotARole));
        check(r#"{"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}"#, Err(SkipReason::ServiceEvent));
        check(r#"{"accountId": "1", "invokedBy": "kms.amazonaws.com"}"#, Err(SkipReason::ServiceEvent));
        check(
            r#"{"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role",
                "arn": "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"}}}"#,
            Err(SkipReason::ServiceEvent),
        );
        check(r#"{"type": "AssumedRole"}"#, Err(SkipReason::Incomplete));
        check("null", Err(SkipReason::Incomplete));
        check("{}", Err(SkipReason::Incomplete));
    }
}
