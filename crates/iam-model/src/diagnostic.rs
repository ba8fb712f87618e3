//! What went wrong while reading, as values: a code, a place, a message and a hint.
//!
//! A diagnostic never stops a run; the caller decides. It holds no terminal markup.

use std::fmt;

use crate::text::{Position, SourceName};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing was lost.
    Note,
    /// Part of the input was not understood, and is treated as unknown or skipped by name.
    Warning,
    /// A whole input could not be used.
    Error,
}

impl Severity {
    /// The word shown to people and written to reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// The closed set of diagnostic codes. Each has a page in `docs/findings/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in alphabetical order of its name.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as written in reports: words in kebab case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// A file is not what it should be (not JSON, not a log, cut off, not UTF-8).
    FileUnreadable => "file-unreadable",
    /// A JSON text could not be read.
    JsonInvalid => "json-invalid",
    /// Something in a snapshot was left out, or a part of it is missing.
    SnapshotIncomplete => "snapshot-incomplete",
    /// A policy document, or a part of one, could not be read.
    PolicyInvalid => "policy-invalid",
    /// An element, operator, principal type or value that this version does not know.
    PolicyUnknownElement => "policy-unknown-element",
    /// A CloudTrail record could not be read.
    EventInvalid => "event-invalid",
    /// A log holds just the records that another held, and adds nothing.
    LogRepeated => "log-repeated",
    /// An API event that no catalogue entry explains.
    EventUnresolved => "event-unresolved",
    /// A template could not be read, so nothing in it is patched.
    TemplateUnreadable => "template-unreadable",
    /// A resource of a kind this version does not know.
    ResourceKindUnknown => "resource-kind-unknown",
    /// A keep rule of the settings that keeps nothing.
    KeepRuleUnmatched => "keep-rule-unmatched",
    /// A guardrail file does not parse, does not validate, or failed while it was evaluated.
    GuardrailInvalid => "guardrail-invalid",
    /// An action's service prefix that AWS does not publish.
    UnknownService => "unknown-service",
    /// An action that AWS does not publish.
    UnknownAction => "unknown-action",
    /// A text that is no action.
    InvalidAction => "invalid-action",
    /// An entry that a wider one beside it includes.
    RedundantEntry => "redundant-entry",
    /// A condition key that no service publishes.
    UnknownKey => "unknown-key",
    /// A condition key that none of the statement's actions carries.
    KeyNotSupported => "key-not-supported",
    /// A condition operator that does not fit the type of the key.
    OperatorTypeMismatch => "operator-type-mismatch",
    /// A wildcard under an operator that takes it literally.
    OperatorWildcardLiteral => "operator-wildcard-literal",
    /// A condition value of the wrong form.
    InvalidValue => "invalid-value",
    /// A key of several values under an operator for one.
    SetOperatorMissing => "set-operator-missing",
    /// A set operator is used on a key that has one value.
    SetOperatorUnfit => "set-operator-unfit",
    /// A resource that is no ARN.
    InvalidArn => "invalid-arn",
    /// A resource that can be none of the statement's actions'.
    DeadResource => "dead-resource",
    /// An action that none of the statement's resources can be for.
    DeadAction => "dead-action",
    /// A statement that matches nothing, or is denied whole.
    DeadStatement => "dead-statement",
    /// A statement that the others include.
    RedundantStatement => "redundant-statement",
    /// iam:PassRole for every service.
    MissingPassedToService => "missing-passed-to-service",
    /// A policy larger than AWS takes.
    QuotaExceeded => "quota-exceeded",
    /// A policy variable under an old version.
    VariableWithoutVersion => "variable-without-version",
    /// An element that this kind of policy does not take, or lacks.
    ElementMisplaced => "element-misplaced",
    /// A principal that can be nobody, or everybody.
    InvalidPrincipal => "invalid-principal",
    /// A statement id that AWS refuses.
    InvalidSid => "invalid-sid",
    /// Text that a template left to be filled in.
    UnresolvedPlaceholder => "unresolved-placeholder",
    /// One placeholder in statements that need different values.
    TemplateTrap => "template-trap",
    /// A Deny under ForAllValues, which one value more gets past.
    ForallvaluesEvasion => "forallvalues-evasion",
    /// A Deny under ForAllValues, which holds where the key is absent.
    ForallvaluesOverdeny => "forallvalues-overdeny",
    /// A Deny that a request without the key gets past.
    MissingKeyBypass => "missing-key-bypass",
    /// A Deny that also catches requests without the key.
    MissingKeyOverdeny => "missing-key-overdeny",
    /// A Deny that the ordinary calls of every workload meet.
    WorkloadLockout => "workload-lockout",
    /// A Deny of calls that many workloads or deployments make.
    WorkloadImpact => "workload-impact",
    /// A service control policy that exempts nobody.
    NoExemption => "no-exemption",
    /// Another way to what a guardrail denies.
    Gap => "gap",
    /// A name that does not cover what stands under a path.
    PathTrap => "path-trap",
    /// A list of allowed services that nobody keeps up.
    StaleNotaction => "stale-notaction",
    /// An action that is spelt with other capitals than AWS's.
    CaseSensitivity => "case-sensitivity",
    /// An operator that is spelt with other capitals than AWS's.
    OperatorCase => "operator-case",
    /// Statements that are not compared with one another, as that takes too many steps.
    NotCompared => "not-compared",
    /// A `Statement` that is one object.
    StatementNotArray => "statement-not-array",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a diagnostic points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file or stream.
    pub source: SourceName,
    /// Line and column, where known.
    pub position: Option<Position>,
    /// What part of it, in the words of the format (`role Orders, inline policy 0`), where that helps.
    pub within: Option<String>,
}

impl Place {
    /// A whole source.
    #[must_use]
    pub const fn whole(source: SourceName) -> Self {
        Self { source, position: None, within: None }
    }

    /// A byte offset in a source.
    #[must_use]
    pub fn at(source: SourceName, text: &str, offset: usize) -> Self {
        Self { source, position: Some(Position::of(text, offset)), within: None }
    }

    /// The same place, with the part named.
    #[must_use]
    pub fn within(mut self, part: impl Into<String>) -> Self {
        self.within = Some(part.into());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        if let Some(position) = self.position {
            write!(f, ":{position}")?;
        }
        if let Some(within) = &self.within {
            write!(f, " ({within})")?;
        }
        Ok(())
    }
}

/// One thing to tell the user about an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Which kind of trouble.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What happened: one line, lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A warning: part of the input is unknown or was passed over.
    #[must_use]
    pub fn warning(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Warning, place, message: message.into(), hint: None }
    }

    /// An error: this input cannot be used.
    #[must_use]
    pub fn error(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, place, message: message.into(), hint: None }
    }

    /// A note: nothing was lost.
    #[must_use]
    pub fn note(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Note, place, message: message.into(), hint: None }
    }

    /// The same diagnostic, with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}: {}", self.severity.as_str(), self.code, self.place, self.message)
    }
}
