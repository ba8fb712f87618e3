//! `access_analyzer`: analyzers, findings and recommendations, in the words of AWS's own answers.
//!
//! Entries that cannot be read are counted and named once. Judges nothing.

use crate::action::{Action, ActionPattern};
use crate::arn::{AccountId, Arn};
use crate::condition::ConditionKey;
use crate::diagnostic::Code;
use crate::json::Node;
use crate::reading::{Reader, present};
use crate::snapshot::analyzer::{
    Access, AccessAnalyzer, Analyzer, AnalyzerFinding, AnalyzerStatus, AnalyzerWord, LooksFor, Named, RecommendedStep,
    UnusedService,
};
use crate::time::Timestamp;

/// Reads what an account has of it; nothing where nobody asked.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<AccessAnalyzer> {
    let found = reader.object(node, "access_analyzer", within)?;
    let within = format!("{within}, access_analyzer");
    reader.note_unknown_keys(found, &["analyzers", "findings"], &within);
    let mut read = AccessAnalyzer::default();
    let mut unread = 0;
    for item in reader.list(found, "analyzers", &within).unwrap_or_default() {
        match analyzer(item) {
            Some(analyzer) => read.analyzers.push(analyzer),
            None => unread += 1,
        }
    }
    for item in reader.list(found, "findings", &within).unwrap_or_default() {
        match finding(item) {
            Some(finding) => read.findings.push(finding),
            None => unread += 1,
        }
    }
    if unread > 0 {
        let message = format!("{unread} entries have no readable ARN or id and are left out");
        reader.warn(Code::SnapshotIncomplete, found.span, &within, message);
    }
    Some(read)
}

fn text<'n>(node: &Node<'n>, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::as_str)
}

fn texts<'n>(node: &Node<'n>, key: &str) -> impl Iterator<Item = &'n str> {
    node.get(key).map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str)
}

fn time(node: &Node<'_>, key: &str) -> Option<Timestamp> {
    text(node, key).and_then(Timestamp::parse_printed)
}

fn analyzer(node: &Node<'_>) -> Option<Analyzer> {
    let arn: Arn = text(node, "arn")?.parse().ok()?;
    let kind = text(node, "type").unwrap_or_default();
    let looks_for = match kind {
        "ACCOUNT" | "ORGANIZATION" => LooksFor::External,
        "ACCOUNT_UNUSED_ACCESS" | "ORGANIZATION_UNUSED_ACCESS" => LooksFor::Unused,
        "ACCOUNT_INTERNAL_ACCESS" | "ORGANIZATION_INTERNAL_ACCESS" => LooksFor::Internal,
        _ => LooksFor::Unknown,
    };
    let active = text(node, "status") == Some("ACTIVE");
    let findings_read = node.get("findings_read").and_then(Node::as_bool).unwrap_or(false);
    Some(Analyzer { arn, looks_for, organization: kind.starts_with("ORGANIZATION"), active, findings_read })
}

fn finding(node: &Node<'_>) -> Option<AnalyzerFinding> {
    let status = match text(node, "status") {
        Some("ACTIVE") => AnalyzerStatus::Active,
        Some("ARCHIVED") => AnalyzerStatus::Archived,
        Some("RESOLVED") => AnalyzerStatus::Resolved,
        _ => AnalyzerStatus::Unknown,
    };
    Some(AnalyzerFinding {
        id: text(node, "id")?.to_owned(),
        analyzer: text(node, "analyzerArn").and_then(|arn| arn.parse().ok()),
        status,
        resource: text(node, "resource").and_then(|arn| arn.parse().ok()),
        owner: text(node, "resourceOwnerAccount").and_then(|id| id.parse::<AccountId>().ok()),
        analyzed: time(node, "analyzedAt"),
        error: present(node, "error").and_then(Node::as_str).filter(|error| !error.is_empty()).map(ToOwned::to_owned),
        about: word(node),
        steps: steps(node),
    })
}

/// The details under one name: of AWS's second form, a list of them; of the first, the finding itself.
fn details<'n>(node: &Node<'n>, name: &str) -> Vec<&'n Node<'n>> {
    node.get("findingDetails").map(Node::items).unwrap_or_default().iter().filter_map(|one| one.get(name)).collect()
}

fn word(node: &Node<'_>) -> AnalyzerWord {
    let last = |name: &str| details(node, name).iter().filter_map(|one| time(one, "lastAccessed")).max();
    match text(node, "findingType") {
        Some("ExternalAccess") => AnalyzerWord::External(access(&details(node, "externalAccessDetails"))),
        Some("InternalAccess") => AnalyzerWord::Internal(access(&details(node, "internalAccessDetails"))),
        // What `list-findings` prints, before there were other kinds.
        None if node.get("isPublic").is_some() || node.get("principal").is_some() => {
            AnalyzerWord::External(access(&[node]))
        }
        Some("UnusedIAMRole") => AnalyzerWord::UnusedRole(last("unusedIamRoleDetails")),
        Some("UnusedIAMUserAccessKey") => AnalyzerWord::UnusedAccessKey(last("unusedIamUserAccessKeyDetails")),
        Some("UnusedIAMUserPassword") => AnalyzerWord::UnusedPassword(last("unusedIamUserPasswordDetails")),
        Some("UnusedPermission") => AnalyzerWord::UnusedPermissions(
            details(node, "unusedPermissionDetails").into_iter().filter_map(unused).collect(),
        ),
        other => AnalyzerWord::Unknown(other.unwrap_or("without a type").to_owned()),
    }
}

fn access(details: &[&Node<'_>]) -> Access {
    let mut access = Access { detailed: !details.is_empty(), ..Access::default() };
    for one in details {
        access.public |= one.get("isPublic").and_then(Node::as_bool).unwrap_or(false);
        let who = one.get("principal").map(Node::members).unwrap_or_default().iter();
        access.who.extend(
            who.filter_map(|member| {
                Some(Named { kind: member.key.to_owned(), text: member.value.as_str()?.to_owned() })
            }),
        );
        access.actions.extend(texts(one, "action").map(ActionPattern::new));
        let keys = one.get("condition").map(Node::members).unwrap_or_default();
        access.conditions.extend(keys.iter().map(|member| ConditionKey::new(member.key)));
        let sources = one.get("sources").map(Node::items).unwrap_or_default();
        access.through.extend(sources.iter().filter_map(|source| text(source, "type")).map(ToOwned::to_owned));
    }
    access.who.sort();
    access.who.dedup();
    access.through.sort();
    access.through.dedup();
    access
}

fn unused(node: &Node<'_>) -> Option<UnusedService> {
    let service = text(node, "serviceNamespace")?.to_ascii_lowercase();
    let action = |one: &Node<'_>| {
        let name = text(one, "action")?;
        let name = if name.contains(':') { name.to_owned() } else { format!("{service}:{name}") };
        Some((name.parse::<Action>().ok()?, time(one, "lastAccessed")))
    };
    let unused = node.get("actions").map(Node::items).unwrap_or_default().iter().filter_map(action).collect();
    Some(UnusedService { unused, last: time(node, "lastAccessed"), service })
}

/// What `get-finding-recommendation` says, kept with the finding.
fn steps(node: &Node<'_>) -> Vec<RecommendedStep> {
    let recommendation = node.get("recommendation");
    let steps = recommendation.and_then(|found| found.get("recommendedSteps")).map(Node::items).unwrap_or_default();
    let step = |step: &Node<'_>| {
        let inner = step.get("unusedPermissionsRecommendedStep")?;
        Some(RecommendedStep {
            policy: text(inner, "existingPolicyId").unwrap_or("a policy without a name").to_owned(),
            replace: text(inner, "recommendedAction") != Some("DETACH_POLICY"),
        })
    };
    steps.iter().filter_map(step).collect()
}
