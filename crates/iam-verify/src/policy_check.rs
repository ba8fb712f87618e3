//! Validation of one policy: what AWS would refuse, what does nothing, and what does something else than it says.
//!
//! Follows the IAM Access Analyzer topic "Policy validation", and goes by the embedded catalogue where AWS goes by its
//! services. Says nothing about whether the policy ought to grant what it grants; reading errors are the reader's.

mod actions;
mod guardrail;
mod keys;
mod principals;
mod refused;
mod report;
mod resources;
mod shape;
mod similar;
mod statements;

use std::sync::OnceLock;

use iam_evaluate::budget::Budget;
use iam_model::catalog::Catalog;
use iam_model::change::AttachmentKind;
use iam_model::diagnostic::Diagnostic;
use iam_model::policy::{Effect, PolicyDocument, ResourceElement, Statement};
use iam_model::text::SourceText;

pub use keys::KeyTypes;
pub use refused::{refused, refused_change};
use report::Report;
pub use similar::nearest;

/// Where a policy will be attached, as far as validation makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// To a user, group or role.
    Identity,
    /// To a resource.
    Resource,
    /// A role's trust policy.
    Trust,
    /// A permissions boundary.
    Boundary,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// A VPC endpoint's policy.
    VpcEndpoint,
}

impl PolicyKind {
    /// The kind a document looks like: control policies look like others, and are never guessed.
    #[must_use]
    pub fn guess(document: &PolicyDocument) -> Self {
        let principals = document.statements.iter().any(|s| s.principal.is_some());
        // Only a trust policy goes without resources.
        let on_nothing = document.statements.iter().all(|s| s.resource == ResourceElement::Absent);
        match (principals, on_nothing) {
            (true, true) => Self::Trust,
            (true, false) => Self::Resource,
            (false, _) => Self::Identity,
        }
    }

    /// The kind of guardrail that a document looks like.
    #[must_use]
    pub fn guess_guardrail(document: &PolicyDocument) -> Self {
        let principals = document.statements.iter().any(|s| s.principal.is_some());
        let allows = document.statements.iter().any(|s| s.effect == Effect::Allow);
        match (principals, allows) {
            (false, _) => Self::ServiceControl,
            (true, false) => Self::ResourceControl,
            (true, true) => Self::VpcEndpoint,
        }
    }

    /// The kind of an attachment.
    #[must_use]
    pub const fn of(attachment: AttachmentKind) -> Self {
        match attachment {
            AttachmentKind::Identity => Self::Identity,
            AttachmentKind::Resource => Self::Resource,
            AttachmentKind::Trust => Self::Trust,
            AttachmentKind::Boundary => Self::Boundary,
            AttachmentKind::ServiceControl => Self::ServiceControl,
            AttachmentKind::ResourceControl => Self::ResourceControl,
            AttachmentKind::VpcEndpoint => Self::VpcEndpoint,
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity policy",
            Self::Resource => "resource policy",
            Self::Trust => "trust policy",
            Self::Boundary => "permissions boundary",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::VpcEndpoint => "VPC endpoint policy",
        }
    }
}

/// What AWS would refuse a document for by its size, in words with the figures.
#[must_use]
pub fn over_quota(document: &PolicyDocument, kind: PolicyKind) -> Option<String> {
    shape::over(document, kind).filter(|(_, refused)| *refused).map(|(message, _)| message)
}

/// What validation goes by: the catalogue, and the types of condition keys.
#[derive(Debug)]
pub struct Validator<'c> {
    catalog: &'c Catalog,
    /// Made where a condition is looked at: there are thousands.
    keys: OnceLock<KeyTypes>,
}

impl<'c> Validator<'c> {
    /// Prepares validation by a catalogue.
    ///
    /// ```
    /// use iam_model::catalog::Catalog;
    /// use iam_model::policy::parse;
    /// use iam_model::text::{SourceName, SourceText};
    /// use iam_verify::policy_check::{PolicyKind, Validator};
    /// let text = r#"{"Version": "2012-10-17", "Statement":
    ///     {"Effect": "Allow", "Action": "s3:GetObjects", "Resource": "*"}}"#;
    /// let source = SourceText { name: SourceName::new("p.json"), text: text.to_owned() };
    /// let catalog = Catalog::embedded().unwrap();
    /// let found = Validator::new(&catalog).check(&parse(&source).0, PolicyKind::Identity, &source);
    /// assert!(found[0].hint.as_deref().unwrap().contains("`s3:GetObject`"));
    /// ```
    #[must_use]
    pub fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, keys: OnceLock::new() }
    }

    /// Everything that is wrong with a document that was read from `source`, in the order of the text.
    #[must_use]
    pub fn check(&self, document: &PolicyDocument, kind: PolicyKind, source: &SourceText) -> Vec<Diagnostic> {
        let mut report = Report::new(source);
        shape::check(document, kind, &mut report);
        let keys = self.keys.get_or_init(|| KeyTypes::new(self.catalog));
        for statement in &document.statements {
            actions::check(statement, kind, self.catalog, &mut report);
            resources::check(statement, kind, self.catalog, &mut report);
            principals::check(statement, kind, &mut report);
            keys::check(statement, document.effective_version(), keys, self.catalog, &mut report);
        }
        statements::check(document, &mut report);
        guardrail::check(document, kind, self.catalog, source, &mut report);
        report.finish()
    }

    /// How many statements of a document can never match a request.
    #[must_use]
    pub fn dead_statements(&self, document: &PolicyDocument) -> usize {
        let budget = Budget::new(statements::WORK);
        let dead = |statement: &&Statement| {
            actions::matches_nothing(statement, self.catalog)
                || resources::matches_nothing(statement, self.catalog)
                || statements::is_empty(statement, &budget)
        };
        document.statements.iter().filter(dead).count()
    }
}

#[cfg(test)]
mod tests;
