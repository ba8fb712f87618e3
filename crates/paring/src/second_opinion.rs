//! IAM Access Analyzer's answers beside our proofs: the same questions, the cost said first, each difference a finding.
//!
//! Our own answer is worked out here for exactly the question that is asked, so that like is compared with like.

#[cfg(not(feature = "aws"))]
use iam_model::{change::ChangeSet, finding::Finding, snapshot::Snapshot};

use crate::cli::SecondOpinion;
use crate::error::CliError;
use crate::terminal::Terminal;

/// Asks about every change; the findings are where the answers differ.
#[cfg(not(feature = "aws"))]
pub(crate) fn ask(_: &SecondOpinion, _: &ChangeSet, _: &Snapshot, _: &mut Terminal) -> Result<Vec<Finding>, CliError> {
    Err(CliError::user("this build cannot ask for a second opinion: it holds no AWS clients")
        .hint("take a released binary, or build with `cargo build --release --features aws`"))
}

#[cfg(feature = "aws")]
pub(crate) use live::ask;

#[cfg(feature = "aws")]
mod live {
    use std::collections::BTreeSet;

    use iam_collect::access_analyzer::checks::{self, MOST_ACTIONS, Opinion, PRICE, Question};
    use iam_collect::access_analyzer::{FindingKind, Options, validate};
    use iam_evaluate::permission_set::Limits;
    use iam_model::action::ActionPattern;
    use iam_model::arn::Arn;
    use iam_model::change::{Attachment, AttachmentKind, Change, ChangeSet, RolePart, RoleSplit};
    use iam_model::finding::{Finding, FindingCode, FindingSeverity};
    use iam_model::policy::{ActionElement, Effect, PolicyDocument, Statement};
    use iam_model::snapshot::{Snapshot, SnapshotIndex};
    use iam_verify::not_granted::{self, Access};
    use iam_verify::outcome::Outcome;
    use iam_verify::{adds_nothing, no_public};

    use super::{CliError, SecondOpinion, Terminal};

    /// Asks about every change, and about the roles that a shared one is taken apart into; the findings are where the
    /// answers differ.
    pub(crate) fn ask(
        arguments: &SecondOpinion,
        set: &ChangeSet,
        snapshot: &Snapshot,
        terminal: &mut Terminal,
    ) -> Result<Vec<Finding>, CliError> {
        let options =
            Options { profile: arguments.profile.clone(), regions: arguments.region.iter().cloned().collect() };
        let (index, _) = SnapshotIndex::new(snapshot);
        let changed = set.changes.iter().map(|change| beside_the_old(change, &index));
        let changes: Vec<Change> = changed.chain(set.splits.iter().flat_map(|split| of_parts(split, &index))).collect();
        let asked: Vec<(&Change, Question)> = changes
            .iter()
            .flat_map(|change| questions(change).into_iter().map(move |question| (change, question)))
            .collect();
        terminal.note(&cost(asked.len()));
        let questions: Vec<Question> = asked.iter().map(|(_, question)| question.clone()).collect();
        let opinions = checks::opinions(&options, &questions).map_err(|error| CliError::collect(&error))?;
        let (mut findings, mut silent) = (Vec::new(), Vec::new());
        for ((change, question), opinion) in asked.iter().zip(&opinions) {
            match opinion {
                Opinion::None(why) => silent.push(format!("{}: {why}", question.operation())),
                _ => findings.extend(difference(change, question, opinion)),
            }
        }
        let (all, differ, unasked) = (opinions.len(), findings.len(), silent.len());
        let agree = all - differ - unasked;
        terminal.note(&format!(
            "second opinion: {all} questions: {agree} agree, {differ} differ, {unasked} without an answer"
        ));
        if let Some(first) = silent.first() {
            terminal.note(&format!("  without an answer: {first}"));
        }
        for change in &changes {
            findings.extend(invalid(&options, change)?);
        }
        Ok(findings)
    }

    /// A policy that is new is asked about beside all that its role has now.
    fn beside_the_old(change: &Change, index: &SnapshotIndex<'_>) -> Change {
        let mut change = change.clone();
        if let (None, AttachmentKind::Identity, Some(role)) =
            (&change.before, change.attachment.kind, &change.attachment.principal_arn)
        {
            change.before = together(role, index);
        }
        change
    }

    /// The policies and the trust of new roles, each beside those of the shared role.
    fn of_parts(split: &RoleSplit, index: &SnapshotIndex<'_>) -> Vec<Change> {
        let before = together(&split.role, index);
        let trust = index.role(&split.role).map(|role| role.trust.clone());
        let of_part = |part: &RolePart| {
            let change = |kind, before: &Option<PolicyDocument>, after: &PolicyDocument, name: Option<&str>| Change {
                attachment: Attachment {
                    kind,
                    policy_name: name.map(ToOwned::to_owned),
                    ..Attachment::identity(part.role.clone(), String::new())
                },
                before: before.clone(),
                after: Some(after.clone()),
                reasons: Vec::new(),
            };
            let policies = part
                .policies
                .iter()
                .chain(&part.new_managed_policies)
                .map(|policy| change(AttachmentKind::Identity, &before, &policy.document, Some(&policy.name)));
            policies.chain([change(AttachmentKind::Trust, &trust, &part.trust, None)]).collect::<Vec<_>>()
        };
        split.parts.iter().flat_map(of_part).collect()
    }

    /// All that a role holds as one document; nothing where its policies are of two versions, which read variables otherwise.
    fn together(role: &Arn, index: &SnapshotIndex<'_>) -> Option<PolicyDocument> {
        let held: Vec<&PolicyDocument> = index.identity_policies(role).iter().map(|policy| policy.document).collect();
        let version = held.first()?.version;
        if held.iter().any(|document| document.version != version || !document.unknown.is_empty()) {
            return None;
        }
        let statements = held.iter().flat_map(|document| &document.statements);
        let statements = statements.map(|statement| Statement { sid: None, ..statement.clone() }).collect();
        Some(PolicyDocument { version, ..PolicyDocument::new(statements) })
    }

    /// What the questions cost, before they are asked.
    fn cost(questions: usize) -> String {
        // Thousandths of a cent; shown in tenths of a cent.
        let price = PRICE.saturating_mul(u64::try_from(questions).unwrap_or(u64::MAX)) / 100;
        format!(
            "second opinion: {questions} checks by IAM Access Analyzer at 0.002 USD each: {}.{:03} USD; validation is free",
            price / 1000,
            price % 1000
        )
    }

    fn questions(change: &Change) -> Vec<Question> {
        let kind = change.attachment.kind;
        let mut questions = Vec::new();
        if matches!(kind, AttachmentKind::ServiceControl | AttachmentKind::ResourceControl) {
            return questions;
        }
        let Some(after) = &change.after else { return questions };
        if let Some(before) = &change.before {
            questions.push(Question::NoNewAccess { old: before.clone(), new: after.clone(), kind });
            let cut = cut(before, after);
            for some in cut.chunks(MOST_ACTIONS) {
                questions.push(Question::NotGranted { policy: after.clone(), actions: some.to_vec(), kind });
            }
        }
        questions.extend(
            checks::resource_type(&change.attachment)
                .map(|name| Question::NoPublic { policy: after.clone(), resource_type: name.to_owned() }),
        );
        questions
    }

    /// Actions that were named before and are not after.
    fn cut(before: &PolicyDocument, after: &PolicyDocument) -> Vec<ActionPattern> {
        let named = |policy: &PolicyDocument| {
            let allowing = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
            let patterns = allowing.flat_map(|statement| match &statement.action {
                ActionElement::Action(patterns) => {
                    patterns.iter().map(|p| p.value.as_str().to_ascii_lowercase()).collect()
                }
                ActionElement::NotAction(_) => Vec::new(),
            });
            patterns.collect::<BTreeSet<String>>()
        };
        let left = named(after);
        let single = |action: &&String| !action.contains(['*', '?']) && !left.contains(*action);
        named(before).iter().filter(single).map(|action| ActionPattern::new(action)).collect()
    }

    /// Our own answer to the same question.
    fn own(question: &Question) -> Outcome {
        match question {
            Question::NoNewAccess { old, new, .. } => {
                let ((old, new), _) = adds_nothing::compared_alone(old, new);
                adds_nothing::check_documents(&old, &new, Limits::default()).outcome
            }
            Question::NotGranted { policy, actions, .. } => {
                let access = Access { actions: actions.clone(), resources: Vec::new() };
                not_granted::check(policy, &access, Limits::default()).outcome
            }
            Question::NoPublic { policy, resource_type } => {
                no_public::check(policy, resource_type.parse().ok(), Limits::default()).outcome
            }
        }
    }

    fn difference(change: &Change, question: &Question, opinion: &Opinion) -> Option<Finding> {
        let own = own(question);
        let (theirs, severity) = match (&own, opinion) {
            (Outcome::Proved { .. }, Opinion::Fail(why)) => (format!("FAIL: {}", why.join(" ")), FindingSeverity::High),
            (Outcome::Refuted { .. }, Opinion::Pass) => ("PASS".to_owned(), FindingSeverity::Medium),
            _ => return None,
        };
        let ours = match &own {
            Outcome::Proved { because } => format!("proved: {because}"),
            Outcome::Refuted { because, counterexample } => {
                let shown = counterexample.as_ref().map(|request| format!("; counterexample: {request}"));
                format!("refuted: {because}{}", shown.unwrap_or_default())
            }
            Outcome::Undecided { why } => format!("undecided: {why}"),
        };
        let evidence = vec![format!("ours: {ours}"), format!("Access Analyzer, {}: {theirs}", question.operation())];
        Some(Finding { evidence, ..finding(change, severity) })
    }

    fn finding(change: &Change, severity: FindingSeverity) -> Finding {
        let attachment = &change.attachment;
        let mut finding = match &attachment.principal_arn {
            Some(principal) => Finding::about(FindingCode::OpinionDiffers, severity, principal.clone()),
            None => Finding::new(FindingCode::OpinionDiffers, severity),
        };
        finding.resource.clone_from(&attachment.resource_arn);
        finding.place = attachment.policy_name.as_ref().map(|name| format!("policy {name}"));
        finding
    }

    /// What AWS's validation says that a policy cannot do; what it only advises is not asked here.
    fn invalid(options: &Options, change: &Change) -> Result<Vec<Finding>, CliError> {
        let Some(after) = &change.after else { return Ok(Vec::new()) };
        let said = validate(options, after, change.attachment.kind).map_err(|error| CliError::collect(&error))?;
        let errors = said.into_iter().filter(|said| said.kind == FindingKind::Error);
        Ok(errors
            .map(|said| {
                let evidence = vec![format!("Access Analyzer, ValidatePolicy: {}: {}", said.issue, said.details)];
                Finding { evidence, ..finding(change, FindingSeverity::High) }
            })
            .collect())
    }
}
