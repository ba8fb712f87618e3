//! Findings: coded facts about an account, with severity, place and a docs page.
//!
//! Holds the words and the shape; rooms make findings, the command line shows them.

use std::fmt;

use crate::arn::Arn;
use crate::condition::ConditionKey;

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
    /// Access Analyzer found someone from outside, and our own findings do not.
    AwsExternalAccess => "aws-external-access", "Access Analyzer: someone from outside is let in";
    /// Access Analyzer found who within can use a resource.
    AwsInternalAccess => "aws-internal-access", "Access Analyzer: who within can use it";
    /// Access Analyzer found something that nobody uses.
    AwsUnusedAccess => "aws-unused-access", "Access Analyzer: granted and not used";
    /// Someone outside the organisation is let in, or a service that may act for anyone.
    CrossAccount => "cross-account", "someone outside the organisation is let in";
    /// A credential lies in plain text.
    CredentialExposure => "credential-exposure", "a credential lies in plain text";
    /// A grant that a boundary or service control policy takes away whole.
    DeadPermission => "dead-permission", "a grant that a limit takes away whole";
    /// A source does not explain the policy that is deployed.
    Drift => "drift", "the source does not explain the deployed policy";
    /// A principal can gain another's permissions.
    EscalationPath => "escalation-path", "a principal can gain another's permissions";
    /// A statement of an organisation's rules is broken.
    GuardrailViolated => "guardrail-violated", "a rule of the organisation forbids this";
    /// The logs hold nothing about a role, so nothing is said about it.
    NoEvidence => "no-evidence", "no evidence, so nothing is proposed";
    /// A VPC endpoint lets everything through.
    OpenEndpoint => "open-endpoint", "a VPC endpoint lets everything through";
    /// A route calls a function and asks nobody who calls.
    OpenRoute => "open-route", "a route lets everyone call a function";
    /// Access Analyzer answers otherwise than we do.
    OpinionDiffers => "opinion-differs", "Access Analyzer answers otherwise than we do";
    /// Everyone may call a function.
    PublicFunction => "public-function", "everyone may call a function";
    /// Everyone may use a resource.
    PublicResource => "public-resource", "everyone may use a resource";
    /// One role is the execution role of several functions.
    SharedRole => "shared-role", "several functions share one role";
    /// A policy names a principal that is gone.
    StaleTrust => "stale-trust", "a policy names a principal that is gone";
    /// An accepted objection that has expired, or that accepts nothing.
    StaleWaiver => "stale-waiver", "a waiver has expired or accepts nothing";
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

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Confidence {
    /// It hangs on something a snapshot cannot know.
    Low,
    /// It takes something as given that a snapshot does not show.
    Medium,
    /// It follows from the snapshot.
    #[default]
    High,
}

impl Confidence {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Whom a finding is about: mostly a principal by its ARN.
///
/// ```
/// use iam_model::finding::Subject;
/// assert_eq!(Subject::Anyone.as_str(), "*");
/// let role: iam_model::arn::Arn = "arn:aws:iam::111122223333:role/app/Orders".parse().unwrap();
/// assert_eq!(Subject::from(role).name(), "Orders");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A user, group, role or an account's root.
    Arn(Arn),
    /// Everyone, callers without credentials of this organisation too.
    Anyone,
    /// A role that does not exist yet and that somebody may create.
    NewRole,
}

impl Subject {
    /// The ARN, `*`, or `new-role`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Arn(arn) => arn.as_str(),
            Self::Anyone => "*",
            Self::NewRole => "new-role",
        }
    }

    /// The last segment of the ARN, or the same word.
    #[must_use]
    pub fn name(&self) -> &str {
        if let Self::Arn(arn) = self { arn.name() } else { self.as_str() }
    }

    /// The ARN, where it is one.
    #[must_use]
    pub const fn arn(&self) -> Option<&Arn> {
        if let Self::Arn(arn) = self { Some(arn) } else { None }
    }
}

impl From<Arn> for Subject {
    fn from(arn: Arn) -> Self {
        Self::Arn(arn)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
    pub principal: Option<Subject>,
    /// An escalation technique's public id, such as `iam-001`.
    pub technique: Option<String>,
    /// Whose permissions are gained.
    pub target: Option<Subject>,
    /// Whether the path ends at an administrator.
    pub reaches_admin: Option<bool>,
    /// The hops of a path, first to last.
    pub path: Vec<String>,
    /// The resource it is about.
    pub resource: Option<Arn>,
    /// The functions concerned.
    pub functions: Vec<Arn>,
    /// The route it is about, in words, such as `GET /orders of REST API Orders`.
    pub route: Option<String>,
    /// Context keys the fact hangs on and that the snapshot cannot know; empty where it holds whatever they are.
    pub conditional_on: Vec<ConditionKey>,
    /// What it rests on, for people.
    pub evidence: Vec<String>,
    /// Where it stands: a policy and its statement, or a part of a resource's description.
    pub place: Option<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

impl Finding {
    /// A finding about a principal.
    #[must_use]
    pub fn about(code: FindingCode, severity: FindingSeverity, principal: impl Into<Subject>) -> Self {
        Self { principal: Some(principal.into()), ..Self::new(code, severity) }
    }

    /// A finding about nobody in particular.
    #[must_use]
    pub const fn new(code: FindingCode, severity: FindingSeverity) -> Self {
        Self {
            code,
            severity,
            principal: None,
            technique: None,
            target: None,
            reaches_admin: None,
            path: Vec::new(),
            resource: None,
            functions: Vec::new(),
            route: None,
            conditional_on: Vec::new(),
            evidence: Vec::new(),
            place: None,
            confidence: Confidence::High,
        }
    }

    /// A name that stays the same while the fact does: for comparing runs, and for suppressions.
    ///
    /// Made of what the finding is about, not of its severity, path or evidence.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let about = [
            Some(self.code.as_str()),
            self.principal.as_ref().map(Subject::as_str),
            self.technique.as_deref(),
            self.target.as_ref().map(Subject::as_str),
            self.resource.as_ref().map(Arn::as_str),
        ];
        // FNV-1a, 64 bits: stable across versions and machines, which the standard hasher does not promise.
        let about = about.into_iter().map(Option::unwrap_or_default).chain(self.route.as_deref());
        let bytes = about.flat_map(|part| part.bytes().chain([0]));
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        format!("{hash:016x}")
    }
}
