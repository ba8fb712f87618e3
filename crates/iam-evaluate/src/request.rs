//! A request: who, does what, on what, under which facts.

use std::fmt;
use std::str::FromStr;

use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn, ArnError};

use crate::context::Context;
use crate::principal::Principal;

/// The resource of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceName {
    /// A resource by ARN.
    Arn(Arn),
    /// No resource: the action does not take one. Only `*` in a policy covers it.
    None,
}

impl ResourceName {
    /// The ARN, or `*`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Arn(arn) => arn.as_str(),
            Self::None => "*",
        }
    }
}

impl FromStr for ResourceName {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        if text == "*" { Ok(Self::None) } else { text.parse().map(Self::Arn) }
    }
}

impl From<Arn> for ResourceName {
    fn from(arn: Arn) -> Self {
        Self::Arn(arn)
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The caller.
    pub principal: Principal,
    /// The action.
    pub action: Action,
    /// The resource.
    pub resource: ResourceName,
    /// The account that owns the resource. Nothing: the ARN's, and where that names none (S3), the caller's own.
    pub resource_account: Option<AccountId>,
    /// The facts.
    pub context: Context,
}

impl Request {
    /// The account that owns the resource, as far as the request and the ARN tell; else the caller's own.
    #[must_use]
    pub fn owner(&self) -> Option<AccountId> {
        Parts::of(self, None).owner.parse().ok()
    }
}

/// A request taken apart once, so that many statements can be matched against it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'r> {
    pub(crate) service: &'r str,
    pub(crate) name: &'r str,
    /// The six segments of the ARN; nothing for no resource.
    pub(crate) resource: Option<[&'r str; 6]>,
    /// Digits of the account that owns the resource; empty where there is none.
    pub(crate) owner: &'r str,
}

impl<'r> Parts<'r> {
    pub(crate) fn of(request: &'r Request, owner: Option<&'r str>) -> Self {
        let action = request.action.as_str();
        let (service, name) = action.split_once(':').unwrap_or((action, ""));
        let resource = match &request.resource {
            ResourceName::Arn(arn) => Some(arn.segments()),
            ResourceName::None => None,
        };
        let named = resource.map_or("", |[_, _, _, _, account, _]| account);
        let is_account = AccountId::is_number(named);
        let owner = match (&request.resource_account, owner) {
            (Some(account), _) => account.as_str(),
            (None, _) if is_account => named,
            (None, Some(owner)) => owner,
            (None, None) => request.principal.account_digits(),
        };
        Self { service, name, resource, owner }
    }
}

/// The six segments of an ARN.
pub(crate) fn segments(arn: &str) -> Option<[&str; 6]> {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next();
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}
