//! All four claims about the changes of one role, in one place.
//!
//! Asks each claim's own module and gathers the answers; decides nothing itself.

use iam_evaluate::permission_set::Limits;
use iam_graph::AccessGraph;
use iam_model::certificate::Certificate;
use iam_model::change::Change;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::SnapshotIndex;
use iam_model::usage::UsageLog;

use crate::before_after::documents;
use crate::guardrails::{RoleFacts, Violation};
use crate::keeps_used::{self, Replay};
use crate::obeys_guardrails::{self, Rulebook};
use crate::outcome::{Claim, Outcome};
use crate::{adds_nothing, opens_no_path};

/// What the claims are judged on.
pub struct Grounds<'a> {
    /// The accounts before the changes.
    pub index: &'a SnapshotIndex<'a>,
    /// What was seen.
    pub usage: &'a UsageLog,
    /// Who can become whom before the changes.
    pub graph_before: &'a AccessGraph,
    /// And after all of them.
    pub graph_after: &'a AccessGraph,
    /// The organisation's rules.
    pub rulebook: &'a Rulebook<'a>,
}

/// The judgement on the changes of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Each claim with its outcome, in the order of [`Claim::ALL`].
    pub claims: Vec<(Claim, Outcome)>,
    /// What the replay counted.
    pub replay: Replay,
    /// Why nothing is added, where that is proved: checked without a search by [`crate::certificate::check`].
    pub certificate: Option<Certificate>,
    /// What the organisation's rules object to, before or after.
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// Whether every claim is proved.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.claims.iter().all(|(_, outcome)| outcome.is_proved())
    }
}

/// Judges the changes of one role.
#[must_use]
pub fn verify(role: &RoleFacts, changes: &[&Change], grounds: &Grounds<'_>) -> Verdict {
    let (kept, replay) = keeps_used::check(&role.arn, changes, grounds.index, grounds.usage);
    let (before, after) = documents(&role.arn, changes, grounds.index);
    let own = |documents: Vec<&PolicyDocument>| documents.into_iter().cloned().collect::<Vec<_>>();
    let adds = adds_nothing::check_documents(&own(before), &own(after), Limits::default());
    let opens = opens_no_path::check(grounds.graph_before, grounds.graph_after);
    let obeys = obeys_guardrails::check(role, changes, grounds.rulebook);
    Verdict {
        claims: vec![
            (Claim::KeepsUsed, kept),
            (Claim::AddsNothing, adds.outcome),
            (Claim::OpensNoPath, opens),
            (Claim::ObeysGuardrails, obeys.outcome),
        ],
        replay,
        certificate: adds.certificate,
        violations: obeys.violations,
    }
}
