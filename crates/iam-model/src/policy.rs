//! Policy documents: typed, spanned and in the order they were written.
//!
//! Follows the IAM User Guide topics "Grammar of the IAM JSON policy language" and "IAM JSON policy elements
//! reference". One type serves every kind of policy (identity, resource, trust, boundary, session, service control,
//! resource control, VPC endpoint). It says what was written, never what that means.

mod print;
mod read;

pub use print::{PrintStyle, compact_len, document_value, print};
pub use read::{from_json, parse};

use std::borrow::Cow;

use crate::action::ActionPattern;
use crate::arn::{Arn, ResourcePattern};
use crate::condition::Condition;
use crate::text::{Span, Spanned};

/// The language version, which decides whether `${…}` is a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PolicyVersion {
    /// `2008-10-17`, and documents without a `Version`.
    #[default]
    V2008,
    /// `2012-10-17`.
    V2012,
}

impl PolicyVersion {
    /// The date AWS uses as the version's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyDocument {
    /// The version as written; absent means 2008-10-17.
    pub version: Option<PolicyVersion>,
    /// The optional `Id`.
    pub id: Option<String>,
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// What could not be understood outside any statement. Not empty: the document may hold more than we know.
    pub unknown: Vec<UnknownElement>,
}

impl PolicyDocument {
    /// The document as it stands on a resource: API Gateway reads `execute-api:/…` in an API's policy as that API's own paths.
    ///
    /// Follows the API Gateway Developer Guide topic "Access policy language overview for API Gateway".
    #[must_use]
    pub fn for_resource(&self, on: &Arn) -> Cow<'_, Self> {
        const SHORT: &str = "execute-api:/";
        let is_short = |pattern: &Spanned<ResourcePattern>| pattern.value.as_str().starts_with(SHORT);
        if on.service() != "execute-api" || !self.statements.iter().any(|s| s.resource.patterns().iter().any(is_short))
        {
            return Cow::Borrowed(self);
        }
        let mut document = self.clone();
        for statement in &mut document.statements {
            let (ResourceElement::Resource(patterns) | ResourceElement::NotResource(patterns)) =
                &mut statement.resource
            else {
                continue;
            };
            for pattern in patterns {
                if let Some(path) = pattern.value.as_str().strip_prefix(SHORT) {
                    pattern.value = ResourcePattern::new(&format!("{on}/{path}"));
                }
            }
        }
        Cow::Owned(document)
    }

    /// The version in force.
    #[must_use]
    pub fn effective_version(&self) -> PolicyVersion {
        self.version.unwrap_or_default()
    }

    /// A document of the current version with these statements.
    #[must_use]
    pub const fn new(statements: Vec<Statement>) -> Self {
        Self { version: Some(PolicyVersion::V2012), id: None, statements, unknown: Vec::new() }
    }

    /// Whether the two documents hold the same statements in the same order, wherever they were read from.
    ///
    /// Documents with parts that were not understood are never the same: what those parts say is not known.
    #[must_use]
    pub fn same_text(&self, other: &Self) -> bool {
        let whole = |document: &Self| {
            document.unknown.is_empty() && document.statements.iter().all(|statement| statement.unknown.is_empty())
        };
        whole(self) && whole(other) && print(self, PrintStyle::Compact) == print(other, PrintStyle::Compact)
    }
}

/// What a statement does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
    /// Missing or unreadable: the statement may do either.
    Unknown,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where the statement stands in its source; empty for one the program made.
    pub span: Span,
    /// The statement id.
    pub sid: Option<String>,
    /// Allow or deny.
    pub effect: Effect,
    /// Whom a resource, trust or resource control policy speaks of; absent in identity policies.
    pub principal: Option<PrincipalElement>,
    /// Which actions.
    pub action: ActionElement,
    /// On which resources.
    pub resource: ResourceElement,
    /// Under which conditions; all must hold.
    pub conditions: Vec<Condition>,
    /// What could not be understood. Not empty: whether the statement matches is unknown.
    pub unknown: Vec<UnknownElement>,
}

impl Statement {
    /// An allow statement for identity policies, made by the program.
    #[must_use]
    pub fn allow(actions: Vec<ActionPattern>, resources: Vec<ResourcePattern>) -> Self {
        Self {
            span: Span::default(),
            sid: None,
            effect: Effect::Allow,
            principal: None,
            action: ActionElement::Action(actions.into_iter().map(Spanned::synthetic).collect()),
            resource: ResourceElement::Resource(resources.into_iter().map(Spanned::synthetic).collect()),
            conditions: Vec::new(),
            unknown: Vec::new(),
        }
    }
}

/// `Action` or `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionElement {
    /// Any of these.
    Action(Vec<Spanned<ActionPattern>>),
    /// None of these.
    NotAction(Vec<Spanned<ActionPattern>>),
}

impl ActionElement {
    /// The patterns, whichever element holds them.
    #[must_use]
    pub fn patterns(&self) -> &[Spanned<ActionPattern>] {
        match self {
            Self::Action(patterns) | Self::NotAction(patterns) => patterns,
        }
    }
}

/// `Resource`, `NotResource`, or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceElement {
    /// Any of these.
    Resource(Vec<Spanned<ResourcePattern>>),
    /// None of these.
    NotResource(Vec<Spanned<ResourcePattern>>),
    /// No element: right for trust policies, where the role itself is meant.
    Absent,
}

impl ResourceElement {
    /// The patterns, whichever element holds them.
    #[must_use]
    pub fn patterns(&self) -> &[Spanned<ResourcePattern>] {
        match self {
            Self::Resource(patterns) | Self::NotResource(patterns) => patterns,
            Self::Absent => &[],
        }
    }
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalElement {
    /// Any of these.
    Principal(Vec<Spanned<PrincipalPattern>>),
    /// None of these.
    NotPrincipal(Vec<Spanned<PrincipalPattern>>),
}

impl PrincipalElement {
    /// The patterns, whichever element holds them.
    #[must_use]
    pub fn patterns(&self) -> &[Spanned<PrincipalPattern>] {
        match self {
            Self::Principal(patterns) | Self::NotPrincipal(patterns) => patterns,
        }
    }
}

/// One entry of a principal element, as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalPattern {
    /// `"*"`, or `{"AWS": "*"}`: everyone, anonymous callers too.
    Everyone,
    /// An entry under `AWS`: an ARN, an account id, or a unique id such as `AROA…`.
    Aws(String),
    /// An entry under `Service`.
    Service(String),
    /// An entry under `Federated`.
    Federated(String),
    /// An entry under `CanonicalUser`.
    CanonicalUser(String),
    /// An entry under a type nobody knows.
    Unknown {
        /// The type.
        kind: String,
        /// The value.
        value: String,
    },
}

impl PrincipalPattern {
    /// The name, ARN or id.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Everyone => "*",
            Self::Aws(text) | Self::Service(text) | Self::Federated(text) | Self::CanonicalUser(text) => text,
            Self::Unknown { value, .. } => value,
        }
    }
}

/// A part of a policy that could not be understood, kept so that evaluation can say so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownElement {
    /// Where it stands.
    pub span: Span,
    /// What it is: "element `Foo`", "operator `StringMatches`", "effect `Permit`".
    pub what: String,
}
