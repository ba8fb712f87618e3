//! The claim "obeys-guardrails": the organisation's rules do not object to what a change grants, keeps, removes, or lets
//! others do.
//!
//! Computes the facts and asks. An objection that stood before the change, in the same or a wider form, is not the
//! change's doing: it is handed on, and refutes nothing.

mod changeset;
mod grants;
mod relations;
mod state;

use iam_model::arn::Arn;
use iam_model::change::Change;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::PolicyOrigin;
use iam_model::time::Timestamp;

use crate::guardrails::{GuardrailError, Guardrails, PermissionGroups, Question, Violation, Waiver};
use crate::keeps_used::Replayed;
use crate::outcome::Outcome;
pub use state::{Evidence, Settings, State};

/// The rules, and what they need to know besides the change.
pub struct Rulebook<'a> {
    /// The rules.
    pub guardrails: &'a Guardrails,
    /// Groups of permissions.
    pub groups: &'a PermissionGroups,
    /// What AWS publishes about its actions.
    pub catalog: &'a iam_model::catalog::Catalog,
    /// Accepted objections.
    pub waivers: &'a [Waiver],
    /// The moment waivers are held against; the end of the evidence, so that a run can be repeated.
    pub now: Timestamp,
}

impl Rulebook<'_> {
    fn ask(&self, question: &Question<'_>, found: &mut Vec<Violation>) -> Result<(), GuardrailError> {
        found.extend(self.guardrails.ask(question, self.now, self.waivers)?);
        Ok(())
    }
}

/// How the claim came out for some changes, and every objection there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The outcome.
    pub outcome: Outcome,
    /// Objections after the change, those that stood before included; ordered.
    pub violations: Vec<Violation>,
    /// Those of them that stood before the changes.
    pub stood: Vec<Violation>,
    /// Facts that nobody gave, so that a rule could not use them.
    pub not_asked: Vec<String>,
}

/// Judges some changes, by the state before and the state after them.
#[must_use]
pub fn check(changes: &[&Change], before: &State<'_>, after: &State<'_>, replayed: &Replayed) -> Judged {
    let asked = after_changes(changes, after, before, replayed).and_then(|after_violations| {
        // What stood before is asked only where something is objected to after.
        let earlier = if after_violations.is_empty() { Vec::new() } else { before_changes(changes, before)? };
        Ok((after_violations, earlier))
    });
    let not_asked = changeset::not_asked(changes, after, replayed);
    let mut open = changeset::unknown(changes, after, replayed);
    open.extend(after.graph.not_applied().iter().cloned());
    match asked {
        Ok((violations, earlier)) => {
            let stood = violations.iter().filter(|v| v.stood_before(&earlier)).cloned().collect();
            Judged { outcome: outcome(&violations, &earlier, after, &open), violations, stood, not_asked }
        }
        Err(error) => {
            let outcome = Outcome::Undecided { why: error.to_string() };
            Judged { outcome, violations: Vec::new(), stood: Vec::new(), not_asked }
        }
    }
}

/// `open` is what a rule asks and nobody could find out.
fn outcome(violations: &[Violation], earlier: &[Violation], state: &State<'_>, open: &[String]) -> Outcome {
    let new: Vec<&Violation> = violations.iter().filter(|v| v.refutes() && !v.stood_before(earlier)).collect();
    match new.first() {
        Some(worst) => {
            let more = match new.len() - 1 {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            Outcome::Refuted {
                because: format!("{}: {}: {}; {}{more}", worst.rule, worst.object.in_words(), worst.title, worst.fix),
                counterexample: None,
            }
        }
        None if !open.is_empty() => Outcome::Undecided { why: format!("not asked: {}", open.join("; ")) },
        None => {
            let stood = violations.iter().filter(|v| v.refutes()).count();
            let old = match stood {
                0 => String::new(),
                1 => "; 1 objection stood before the change".into(),
                _ => format!("; {stood} objections stood before the change"),
            };
            let rules = state.rulebook.guardrails.rules().filter(|rule| rule.severity.refutes()).count();
            Outcome::Proved {
                because: format!("rules of severity error or critical: {rules} asked, none newly broken{old}"),
            }
        }
    }
}

fn after_changes(
    changes: &[&Change],
    state: &State<'_>,
    earlier: &State<'_>,
    replayed: &Replayed,
) -> Result<Vec<Violation>, GuardrailError> {
    let mut found = Vec::new();
    let documents = |change: &&Change| change.after.clone();
    standing(changes, documents, state, &mut found)?;
    grants::kept_and_removed(changes, earlier, &mut found)?;
    changeset::merge(changes, earlier, state, replayed, &mut found)?;
    changeset::attach(changes, state, replayed, &mut found)?;
    Ok(sorted(found))
}

fn before_changes(changes: &[&Change], state: &State<'_>) -> Result<Vec<Violation>, GuardrailError> {
    let mut found = Vec::new();
    standing(changes, |change| change.before.clone(), state, &mut found)?;
    grants::kept_all(changes, state, &mut found)?;
    Ok(sorted(found))
}

/// What the changed policies grant and let others do, on one side of the changes.
fn standing(
    changes: &[&Change],
    document: impl Fn(&&Change) -> Option<PolicyDocument>,
    state: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    for change in changes {
        let Some(document) = document(change) else { continue };
        for role in state.holders(change) {
            grants::granted(&role, &document, state, found)?;
            relations::passed(&role, &document, state, found)?;
            relations::shared(&role, state, found)?;
        }
        relations::of_others(change, &document, state, found)?;
    }
    Ok(())
}

/// Everything the rules say about one role as it stands: what it is granted and keeps, shares, passes, and whom it trusts.
///
/// # Errors
///
/// [`GuardrailError`] where a rule fails.
pub fn judge_role(role: &Arn, state: &State<'_>) -> Result<Vec<Violation>, GuardrailError> {
    let mut found = Vec::new();
    let is_theirs = |held: &iam_model::snapshot::Role| held.is_owned_by_aws();
    let Some(facts) = state.role(role).filter(|_| !state.index.role(role).is_some_and(is_theirs)) else {
        return Ok(found);
    };
    for policy in state.index.identity_policies(role) {
        let owned = match policy.origin {
            // Nobody can edit them, and a smaller copy would fall behind what running a function needs.
            PolicyOrigin::Managed(arn) if arn.is_runtime_policy() => continue,
            PolicyOrigin::Managed(arn) => arn.is_owned_by_aws(),
            PolicyOrigin::Inline(_) | PolicyOrigin::Group(_) => false,
        };
        let before = found.len();
        grants::granted(&facts, policy.document, state, &mut found)?;
        grants::kept(&facts, policy.document, state, &mut found)?;
        if owned {
            let name = policy.name;
            let fix = format!(
                "`{name}` is AWS's own policy and cannot be edited: give the role one of its own in its place, as `paring tighten` proposes"
            );
            found.iter_mut().skip(before).for_each(|violation| violation.fix.clone_from(&fix));
        }
        relations::passed(&facts, policy.document, state, &mut found)?;
    }
    relations::shared(&facts, state, &mut found)?;
    if let Some(held) = state.index.role(role) {
        relations::assumed(&facts, &held.trust, state, &mut found)?;
    }
    Ok(sorted(found))
}

/// Everything the rules say about who may invoke the functions of the accounts.
///
/// # Errors
///
/// [`GuardrailError`] where a rule fails.
pub fn judge_functions(state: &State<'_>) -> Result<Vec<Violation>, GuardrailError> {
    let mut found = Vec::new();
    for function in state.functions() {
        if let Some(policy) = state.index.resource_policy(&function.arn) {
            relations::invoked(&function, policy, state, &mut found)?;
        }
    }
    Ok(sorted(found))
}

fn sorted(mut found: Vec<Violation>) -> Vec<Violation> {
    found.sort();
    found.dedup();
    found
}
