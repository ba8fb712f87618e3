//! Who makes a request: the kinds of callers AWS tells apart.
//!
//! Follows the IAM User Guide topics "AWS JSON policy elements: Principal" and "IAM identifiers". Which policies name a
//! caller is decided elsewhere.

use std::fmt;

use iam_model::arn::{AccountId, Arn};

/// The name of an AWS service that calls for itself, such as `lambda.amazonaws.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(Box<str>);

impl ServiceName {
    /// Names a service.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An identity provider: a SAML or OIDC provider's ARN, or a name such as `accounts.google.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityProvider(Box<str>);

impl IdentityProvider {
    /// Names a provider.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The name or ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// An IAM user.
    User(Arn),
    /// The root user of an account.
    Root(AccountId),
    /// A session of a role. Without a session ARN: some session of it, which one is not known.
    RoleSession {
        /// The role; without its path where only the session's ARN was known.
        role: Arn,
        /// `arn:aws:sts::111122223333:assumed-role/Name/session`.
        session: Option<Arn>,
    },
    /// A session made by `sts:GetFederationToken`.
    FederatedUser(Arn),
    /// Someone an identity provider vouches for, before a role is assumed.
    Federated(IdentityProvider),
    /// An AWS service acting for itself.
    Service(ServiceName),
    /// Nobody: an unsigned request.
    Anonymous,
}

/// Providers that are named without an ARN in trust policies.
const PROVIDERS: &[&str] =
    &["accounts.google.com", "www.amazon.com", "graph.facebook.com", "cognito-identity.amazonaws.com"];

/// Ends of the names of services; `.amazon.com` is that of a few, such as `alexa-appkit.amazon.com`.
const SERVICES: &[&str] = &[".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".amazon.com", ".aws.internal"];

impl Principal {
    /// Reads a caller: an ARN (user, root, role, role session, federated user, identity provider), a service name, an
    /// account id (its root user), or `anonymous`.
    ///
    /// # Errors
    /// Where the text is none of these.
    ///
    /// ```
    /// use iam_evaluate::Principal;
    /// let session = Principal::parse("arn:aws:sts::111122223333:assumed-role/Orders/i-1").unwrap();
    /// assert_eq!(session.arn().unwrap().as_str(), "arn:aws:iam::111122223333:role/Orders");
    /// assert!(Principal::parse("arn:aws:iam::111122223333:group/Admins").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        let error = || PrincipalError { text: text.into() };
        if text.eq_ignore_ascii_case("anonymous") || text == "*" {
            return Ok(Self::Anonymous);
        }
        if text.len() == 12
            && let Ok(account) = text.parse()
        {
            return Ok(Self::Root(account));
        }
        if PROVIDERS.contains(&text) {
            return Ok(Self::Federated(IdentityProvider::new(text)));
        }
        let Ok(arn) = text.parse::<Arn>() else {
            let named = SERVICES.iter().any(|domain| text.len() > domain.len() && text.ends_with(domain));
            return if named { Ok(Self::Service(ServiceName::new(text))) } else { Err(error()) };
        };
        let (kind, name) = arn.resource().split_once('/').unwrap_or((arn.resource(), ""));
        match (arn.service(), kind) {
            ("iam", "root") => arn.account().map(Self::Root).ok_or_else(error),
            ("iam", "user") if !name.is_empty() => Ok(Self::User(arn)),
            ("iam", "role") if !name.is_empty() => Ok(Self::RoleSession { role: arn, session: None }),
            ("iam", "saml-provider" | "oidc-provider") => Ok(Self::Federated(IdentityProvider::new(text))),
            ("sts", "federated-user") => Ok(Self::FederatedUser(arn)),
            ("sts", "assumed-role") => {
                let role = name.split_once('/').map_or(name, |(role, _)| role);
                let account = arn.account().ok_or_else(error)?;
                let role = format!("arn:{}:iam::{account}:role/{role}", arn.partition());
                Ok(Self::RoleSession { role: role.parse().map_err(|_| error())?, session: Some(arn) })
            }
            _ => Err(error()),
        }
    }

    /// The user, role or federated user's ARN, where it has one: for a session, the role's.
    #[must_use]
    pub const fn arn(&self) -> Option<&Arn> {
        match self {
            Self::User(arn) | Self::RoleSession { role: arn, .. } | Self::FederatedUser(arn) => Some(arn),
            Self::Root(_) | Self::Federated(_) | Self::Service(_) | Self::Anonymous => None,
        }
    }

    /// The account the caller belongs to.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Root(account) => Some(account.clone()),
            _ => self.arn().and_then(Arn::account),
        }
    }

    /// The account's digits, without a copy; empty for callers of no account.
    pub(crate) fn account_digits(&self) -> &str {
        match self {
            Self::Root(account) => account.as_str(),
            Self::User(arn) | Self::RoleSession { role: arn, .. } | Self::FederatedUser(arn) => arn.account_text(),
            Self::Federated(_) | Self::Service(_) | Self::Anonymous => "",
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(account) => write!(f, "the root user of {account}"),
            Self::RoleSession { role, session } => write!(f, "{}", session.as_ref().unwrap_or(role)),
            Self::User(arn) | Self::FederatedUser(arn) => write!(f, "{arn}"),
            Self::Federated(provider) => f.write_str(provider.as_str()),
            Self::Service(name) => f.write_str(name.as_str()),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// A text that names no caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no caller (the ARN of a user, role or session, a service name, an account id, or `anonymous`)")]
pub struct PrincipalError {
    text: String,
}
