//! AWS's own opinion of a policy: IAM Access Analyzer's `ValidatePolicy`, free of charge; its checks, for a price; and the
//! queue of roles it generates policies for.
//!
//! A second opinion, never the proof: it checks one document at a time and knows nothing of what was used.

pub mod checks;
pub mod generation;

use aws_config::SdkConfig;
use aws_sdk_accessanalyzer::types::{
    PolicyType, ValidatePolicyFinding, ValidatePolicyFindingType, ValidatePolicyResourceType,
};
use iam_model::change::AttachmentKind;
use iam_model::policy::{PolicyDocument, PrintStyle, print};
use iam_model::text::Position;

pub use crate::connect::Options;
use crate::connect::{block_on, load, reason};
use crate::error::CollectError;

/// How Access Analyzer classes a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// The policy does not work.
    Error,
    /// It allows more than is safe.
    SecurityWarning,
    /// It may not do what was meant.
    Warning,
    /// It could be written better.
    Suggestion,
    /// A class this version does not know.
    Unknown,
}

/// One thing Access Analyzer says about a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnalyzerFinding {
    /// Its class.
    pub kind: FindingKind,
    /// AWS's code, such as `PASS_ROLE_WITH_STAR_IN_RESOURCE`.
    pub issue: String,
    /// What is wrong, in AWS's words.
    pub details: String,
    /// AWS's page about it.
    pub learn_more: String,
    /// Where it starts in the document as it was sent: printed compactly, so always on line 1.
    pub position: Option<Position>,
}

/// Asks Access Analyzer about a document, attached as `kind` says.
///
/// # Errors
/// Without credentials or a region, and where the call fails after all retries.
pub fn validate(
    options: &Options,
    document: &PolicyDocument,
    kind: AttachmentKind,
) -> Result<Vec<AnalyzerFinding>, CollectError> {
    block_on(async { validate_with(&load(options).await?, document, kind).await })?
}

async fn validate_with(
    config: &SdkConfig,
    document: &PolicyDocument,
    kind: AttachmentKind,
) -> Result<Vec<AnalyzerFinding>, CollectError> {
    let policy_type = match kind {
        AttachmentKind::Identity | AttachmentKind::Boundary => PolicyType::IdentityPolicy,
        AttachmentKind::Resource | AttachmentKind::Trust | AttachmentKind::VpcEndpoint => PolicyType::ResourcePolicy,
        AttachmentKind::ServiceControl => PolicyType::ServiceControlPolicy,
        AttachmentKind::ResourceControl => PolicyType::ResourceControlPolicy,
    };
    let trust = (kind == AttachmentKind::Trust).then_some(ValidatePolicyResourceType::RoleTrust);
    let mut pages = aws_sdk_accessanalyzer::Client::new(config)
        .validate_policy()
        .policy_document(print(document, PrintStyle::Compact))
        .policy_type(policy_type)
        .set_validate_policy_resource_type(trust)
        .into_paginator()
        .send();
    let mut findings = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CollectError::Aws {
            call: "access-analyzer:ValidatePolicy".into(),
            reason: reason(&error),
        })?;
        findings.extend(page.findings.iter().map(finding));
    }
    findings.sort();
    Ok(findings)
}

fn finding(finding: &ValidatePolicyFinding) -> AnalyzerFinding {
    let start = finding.locations().first().and_then(|location| location.span()?.start());
    let number = |number: i32| usize::try_from(number).unwrap_or_default();
    AnalyzerFinding {
        kind: match finding.finding_type() {
            ValidatePolicyFindingType::Error => FindingKind::Error,
            ValidatePolicyFindingType::SecurityWarning => FindingKind::SecurityWarning,
            ValidatePolicyFindingType::Warning => FindingKind::Warning,
            ValidatePolicyFindingType::Suggestion => FindingKind::Suggestion,
            _ => FindingKind::Unknown,
        },
        issue: finding.issue_code().into(),
        details: finding.finding_details().into(),
        learn_more: finding.learn_more_link().into(),
        // AWS counts lines from one and columns from zero.
        position: start.map(|start| Position { line: number(start.line()), column: number(start.column()) + 1 }),
    }
}

#[cfg(test)]
mod tests;
