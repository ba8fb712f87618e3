//! Findings: coded facts about an account, with severity, place and a docs page.
//!
//! Holds the words and the shape; rooms make findings, the command line shows them.

use std::fmt;

use crate::arn::Arn;

macro_rules! finding_codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal, $title:literal;)*) => {
        /// The closed set of finding codes. Each has a page in `docs/findings/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingCode { $($(#[$doc])* $name,)* }

        impl FindingCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as written in reports: words in kebab case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// One line for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

finding_codes! {
    /// A Lambda function runs as an administrator.
    AdminFunction => "admin-function", "a function runs as an administrator";
    /// A source does not explain the policy that is deployed.
    Drift => "drift", "the source does not explain the deployed policy";
    /// A principal can gain another's permissions.
    EscalationPath => "escalation-path", "a principal can gain another's permissions";
    /// A statement of an organisation's rules is broken.
    GuardrailViolated => "guardrail-violated", "a rule of the organisation forbids this";
    /// The logs hold nothing about a role, so nothing is said about it.
    NoEvidence => "no-evidence", "no evidence, so nothing is proposed";
    /// One role is the execution role of several functions.
    SharedRole => "shared-role", "several functions share one role";
    /// A permission that the evidence would have shown was not used.
    UnusedPermission => "unused-permission", "permissions granted and not used";
    /// A grant whose use the logs could not have shown.
    BlindSpot => "blind-spot", "the logs could not have shown whether this is used";
    /// A statement allows more than single actions on single resources.
    WildcardGrant => "wildcard-grant", "a statement grants by wildcard";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingSeverity {
    /// For the record.
    Info,
    /// Untidy.
    Low,
    /// Wants a ticket.
    Medium,
    /// Wants a change soon.
    High,
    /// Wants a change now.
    Critical,
}

impl FindingSeverity {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One coded fact about an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Which kind of fact.
    pub code: FindingCode,
    /// How bad.
    pub severity: FindingSeverity,
    /// The principal it is about, or an escalation starts from.
    pub principal: Option<Arn>,
    /// An escalation technique's public id, such as `iam-001`.
    pub technique: Option<String>,
    /// Whose permissions are gained.
    pub target: Option<Arn>,
    /// Whether the path ends at an administrator.
    pub reaches_admin: Option<bool>,
    /// The hops of a path, first to last.
    pub path: Vec<String>,
    /// The resource it is about.
    pub resource: Option<Arn>,
    /// The functions concerned.
    pub functions: Vec<Arn>,
    /// What it rests on, for people.
    pub evidence: Vec<String>,
}

impl Finding {
    /// A finding about a principal.
    #[must_use]
    pub const fn about(code: FindingCode, severity: FindingSeverity, principal: Arn) -> Self {
        Self {
            code,
            severity,
            principal: Some(principal),
            technique: None,
            target: None,
            reaches_admin: None,
            path: Vec::new(),
            resource: None,
            functions: Vec::new(),
            evidence: Vec::new(),
        }
    }
}
