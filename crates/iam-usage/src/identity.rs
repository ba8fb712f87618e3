//! Who made a call: the role behind the session, and the function the session may belong to.
//!
//! Follows the CloudTrail User Guide topic "CloudTrail userIdentity element". Users, root, services and outsiders are
//! told apart only as far as needed to leave them out.

use std::borrow::Cow;

use iam_model::usage::SkipReason;

use crate::json::{After, LONGEST_KEY, Object, Raw, Stop, in_order, keep, skip_value, small};

/// The members of `userIdentity` that are read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Identity<'a> {
    /// All of it.
    bytes: &'a [u8],
    /// All up to the end of the type and the ARN, which are within it.
    head: &'a [u8],
    head_end: usize,
    kind: Option<Raw<'a>>,
    arn: Option<Raw<'a>>,
    invoked_by: Option<Raw<'a>>,
    issuer: Option<Raw<'a>>,
    scope: Option<Raw<'a>>,
}

/// `sessionContext`, of which only the issuer is read.
struct Session<'i, 'a>(&'i mut Option<Raw<'a>>);

impl<'a> Object<'a> for Identity<'a> {
    fn in_order(&mut self, bytes: &'a [u8], at: usize) -> Result<After, Stop> {
        in_order! { bytes, at;
            "type" start => self.keep_head(bytes, start, |own| &mut own.kind);
            "principalId" start => skip_value(bytes, start);
            "arn" start => self.keep_head(bytes, start, |own| &mut own.arn);
            "accountId" start => skip_value(bytes, start);
            "accessKeyId" start => skip_value(bytes, start);
            "sessionContext" start => Session(&mut self.issuer).scan(bytes, start);
            "invokedBy" start => keep(bytes, start, &mut self.invoked_by);
        }
    }

    fn named(&mut self, key: &[u8], bytes: &'a [u8], at: usize) -> Result<usize, Stop> {
        match small(key, &mut [0; LONGEST_KEY]) {
            b"type" => self.keep_head(bytes, at, |own| &mut own.kind),
            b"arn" => self.keep_head(bytes, at, |own| &mut own.arn),
            b"invokedby" => keep(bytes, at, &mut self.invoked_by),
            b"inscopeof" => keep(bytes, at, &mut self.scope),
            b"sessioncontext" => Session(&mut self.issuer).scan(bytes, at),
            _ => skip_value(bytes, at),
        }
    }
}

impl<'a> Object<'a> for Session<'_, 'a> {
    fn in_order(&mut self, bytes: &'a [u8], at: usize) -> Result<After, Stop> {
        in_order! { bytes, at;
            "sessionIssuer" start => keep(bytes, start, self.0);
            "webIdFederationData" start => skip_value(bytes, start);
            "attributes" start => skip_value(bytes, start);
        }
    }

    fn named(&mut self, key: &[u8], bytes: &'a [u8], at: usize) -> Result<usize, Stop> {
        if key.eq_ignore_ascii_case(b"sessionIssuer") { keep(bytes, at, self.0) } else { skip_value(bytes, at) }
    }
}

impl<'a> Identity<'a> {
    /// Reads the value at `at` and keeps it if it is an object; the offset after it.
    #[inline]
    pub(crate) fn keep(bytes: &'a [u8], at: usize, into: &mut Option<Self>) -> Result<usize, Stop> {
        let mut found = Self::default();
        let end = found.scan(bytes, at)?;
        found.head = bytes.get(at..found.head_end).unwrap_or_default();
        found.bytes = bytes.get(at..end).unwrap_or_default();
        if bytes.get(at) == Some(&b'{') {
            *into = Some(found);
        }
        Ok(end)
    }

    #[inline(always)]
    fn keep_head(
        &mut self,
        bytes: &'a [u8],
        at: usize,
        field: impl FnOnce(&mut Self) -> &mut Option<Raw<'a>>,
    ) -> Result<usize, Stop> {
        let end = keep(bytes, at, field(self))?;
        self.head_end = self.head_end.max(end);
        Ok(end)
    }

    /// The texts that tell the caller, as they stand in the record.
    #[inline]
    pub(crate) fn raw_parts(&self) -> [&'a [u8]; 4] {
        let text = |part: Option<Raw<'a>>| part.map_or(&[][..], |raw| raw.0);
        [self.head, text(self.issuer), text(self.invoked_by), text(self.scope)]
    }

    /// The whole text.
    pub(crate) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether the byte at this offset of the text is within what tells the caller.
    pub(crate) fn tells(&self, offset: usize) -> bool {
        let start = self.bytes.as_ptr().addr();
        self.raw_parts().iter().any(|part| {
            let from = part.as_ptr().addr().wrapping_sub(start);
            (from..from.saturating_add(part.len())).contains(&offset)
        })
    }

    /// Tells the role, or why there is none.
    pub(crate) fn caller(&self) -> Result<Caller, SkipReason> {
        let parts = Parts::of(self);
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
        Ok(Caller {
            function: parts.function().map(Into::into),
            role: role.into(),
            account,
            invoked_by: parts.invoked_by.map(Into::into),
        })
    }
}

/// The role a call was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The role's ARN, with its path where the record has it.
    pub(crate) role: Box<str>,
    account: Digits,
    /// The name of the session, where it may be a Lambda function's.
    pub(crate) function: Option<Box<str>>,
    /// The service that made the call on the role's behalf.
    pub(crate) invoked_by: Option<Box<str>>,
}

impl Caller {
    /// The role's account.
    pub(crate) fn account(&self) -> &str {
        std::str::from_utf8(&self.account).unwrap_or_default()
    }
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

/// The texts of a `userIdentity`.
struct Parts<'a> {
    kind: Option<Cow<'a, str>>,
    arn: Option<Cow<'a, str>>,
    invoked_by: Option<Cow<'a, str>>,
    issuer_arn: Option<Cow<'a, str>>,
    issued_to: Option<Cow<'a, str>>,
}

impl<'a> Parts<'a> {
    fn of(identity: &Identity<'a>) -> Self {
        let text = |raw: Option<Raw<'a>>| raw.and_then(Raw::text);
        let issuer = |key: &str| text(identity.issuer.and_then(|issuer| issuer.get(key)));
        let by_role = issuer("type").is_none_or(|kind| kind == "Role");
        let issued_to = identity.scope.and_then(|scope| {
            let lambda = scope.get("issuerType").and_then(Raw::text).as_deref() == Some("AWS::Lambda::Function");
            scope.get("credentialsIssuedTo").filter(|_| lambda).and_then(Raw::text)
        });
        Self {
            kind: text(identity.kind),
            arn: text(identity.arn),
            invoked_by: text(identity.invoked_by),
            issuer_arn: issuer("arn").filter(|_| by_role),
            issued_to,
        }
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

/// What session names start with that tools make.
pub(crate) const TOOLS: &[&str] =
    &["botocore-session-", "aws-go-sdk-", "aws-sdk-js-", "aws-sdk-java-", "AWSCLI-Session", "AssumeRoleSession"];

/// Whether a Lambda function could have this name, and no tool is known to make such session names.
fn may_be_function(session: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let instance =
        session.strip_prefix("i-").is_some_and(|id| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    let digits = session.bytes().all(|byte| byte.is_ascii_digit());
    (1..=64).contains(&session.len())
        && session.bytes().all(allowed)
        && !instance
        && !digits
        && !TOOLS.iter().any(|tool| session.starts_with(tool))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(identity: &str, expected: Result<(&str, Option<&str>), SkipReason>) {
        let mut kept = None;
        let text = format!("{identity} ");
        Identity::keep(text.as_bytes(), 0, &mut kept).unwrap();
        let found = kept.map_or(Err(SkipReason::Incomplete), |identity| identity.caller());
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
