//! Who made a call: the role behind the session, and the function the session may belong to.
//!
//! Follows the CloudTrail User Guide topic "CloudTrail userIdentity element". Users, root, services and outsiders are
//! told apart only as far as needed to leave them out. The log of another account than the caller's may have the role's
//! id alone; such a role is written with its id for its name, until a snapshot tells whose id it is.

use std::borrow::Cow;

use iam_model::arn::AccountId;
use iam_model::placing::is_role_id;
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
    /// The id of a session of a role, and its account, each with where it ends.
    id: Option<(Raw<'a>, usize)>,
    account: Option<(Raw<'a>, usize)>,
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
            "principalId" start => self.keep_id(bytes, start);
            "arn" start => self.keep_head(bytes, start, |own| &mut own.arn);
            "accountId" start => self.keep_account(bytes, start);
            "accessKeyId" start => skip_value(bytes, start);
            "sessionContext" start => Session(&mut self.issuer).scan(bytes, start);
            "invokedBy" start => keep(bytes, start, &mut self.invoked_by);
        }
    }

    fn named(&mut self, key: &[u8], bytes: &'a [u8], at: usize) -> Result<usize, Stop> {
        match small(key, &mut [0; LONGEST_KEY]) {
            b"type" => self.keep_head(bytes, at, |own| &mut own.kind),
            b"arn" => self.keep_head(bytes, at, |own| &mut own.arn),
            b"principalid" => self.keep_id(bytes, at),
            b"accountid" => self.keep_account(bytes, at),
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
        // Without an ARN, the caller is told by them.
        if let (None, Some((_, id)), Some((_, account))) = (found.arn, found.id, found.account) {
            found.head_end = found.head_end.max(id).max(account);
        }
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

    #[inline(always)]
    fn keep_id(&mut self, bytes: &'a [u8], at: usize) -> Result<usize, Stop> {
        let end = skip_value(bytes, at)?;
        let raw = Raw(bytes.get(at..end).unwrap_or_default());
        self.id = raw.0.starts_with(b"\"AROA").then_some((raw, end));
        Ok(end)
    }

    #[inline(always)]
    fn keep_account(&mut self, bytes: &'a [u8], at: usize) -> Result<usize, Stop> {
        let end = skip_value(bytes, at)?;
        self.account = Some((Raw(bytes.get(at..end).unwrap_or_default()), end));
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
            Some("AWSAccount") if parts.arn.as_deref().is_some_and(is_session) => {}
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
            by_id: parts.by_id,
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
    /// Whether only a snapshot can tell which role it is: the record has its id, which tells no partition either.
    pub(crate) by_id: bool,
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
    /// Whether the ARN stands for an id.
    by_id: bool,
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
        let (kind, arn) = (text(identity.kind), text(identity.arn));
        let by_id = if arn.is_none() { session_by_id(identity) } else { None };
        Self {
            by_id: by_id.is_some() || kind.as_deref() == Some("AWSAccount"),
            kind,
            arn: arn.or(by_id),
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

/// The session of a role that is known by its id alone, with the id for its name. Of an account the id tells no partition.
fn session_by_id(identity: &Identity<'_>) -> Option<Cow<'static, str>> {
    let (id, account) = (identity.id?.0.text()?, identity.account?.0.text()?);
    let (id, session) = id.split_once(':')?;
    (is_role_id(id) && AccountId::is_number(&account))
        .then(|| Cow::Owned(format!("arn:aws:sts::{account}:assumed-role/{id}/{session}")))
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
    fn a_session_that_another_account_logged_is_told_by_the_role_s_id() {
        let role = "arn:aws:iam::111122223333:role/AROA0123456789ABCDEFG";
        let check = |kind: &str, id: &str, account: &str, expected| {
            check(&format!(r#"{{"type": "{kind}", "principalId": "{id}", "accountId": "{account}"}}"#), expected);
            check(&format!(r#"{{"AccountId": "{account}", "type": "{kind}", "PrincipalId": "{id}"}}"#), expected);
        };
        check("AWSAccount", "AROA0123456789ABCDEFG:orders", "111122223333", Ok((role, Some("orders"))));
        check("AWSAccount", "AROA0123456789ABCDEFG:me@example.com", "111122223333", Ok((role, None)));
        check("AssumedRole", "AROA0123456789ABCDEFG:orders", "111122223333", Ok((role, Some("orders"))));
        check("AWSAccount", "AIDA0123456789ABCDEFG", "111122223333", Err(SkipReason::NotARole));
        check("AWSAccount", "AROA0123456789ABCDEFG:orders", "ANONYMOUS_PRINCIPAL", Err(SkipReason::NotARole));
        check("AWSAccount", "AROA0/../x:orders", "111122223333", Err(SkipReason::NotARole));
        check("IAMUser", "AROA0123456789ABCDEFG:orders", "111122223333", Err(SkipReason::NotARole));
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
