//! The claim "obeys-guardrails": the organisation's rules do not object to what a change grants.
//!
//! Asks about every action entry on every resource entry of every allow statement after the change. An objection that
//! stood before the change, in the same or a wider form, is not the change's doing: it is handed on, and refutes
//! nothing.

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Catalog;
use iam_model::change::Change;
use iam_model::policy::{ActionElement, Effect, PolicyDocument, ResourceElement, Statement};
use iam_model::time::Timestamp;

use crate::guardrails::{
    Escalation, Grant, GuardrailError, Guardrails, PermissionFacts, PermissionGroups, Question, RoleFacts, Target,
    Usage, Violation, Waiver,
};
use crate::outcome::Outcome;

/// The rules, and what they need to know besides the change.
pub struct Rulebook<'a> {
    /// The rules.
    pub guardrails: &'a Guardrails,
    /// Groups of permissions.
    pub groups: &'a PermissionGroups,
    /// What AWS publishes about its actions.
    pub catalog: &'a Catalog,
    /// Accepted objections.
    pub waivers: &'a [Waiver],
    /// The moment waivers are held against; the end of the evidence, so that a run can be repeated.
    pub now: Timestamp,
}

/// How the claim came out for one role, and every objection there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The outcome.
    pub outcome: Outcome,
    /// Objections after the change, those that stood before included; ordered.
    pub violations: Vec<Violation>,
}

/// Judges the changes of one role.
#[must_use]
pub fn check(role: &RoleFacts, changes: &[&Change], rulebook: &Rulebook<'_>) -> Judged {
    match violations(role, changes, rulebook) {
        Ok((after, before)) => judged(after, &before, rulebook),
        Err(error) => Judged { outcome: Outcome::Undecided { why: error.to_string() }, violations: Vec::new() },
    }
}

fn judged(after: Vec<Violation>, before: &[Violation], rulebook: &Rulebook<'_>) -> Judged {
    let new: Vec<&Violation> = after.iter().filter(|v| v.refutes() && !v.stood_before(before)).collect();
    let outcome = match new.first() {
        Some(worst) => Outcome::Refuted {
            because: format!("{} objects to {}: {}; {}", worst.rule, worst.object, worst.title, worst.hint),
            counterexample: None,
        },
        None => {
            let stood = after.iter().filter(|v| v.refutes()).count();
            let old = if stood > 0 { format!("; {stood} objections stood before the change") } else { String::new() };
            Outcome::Proved {
                because: format!("{} rules asked, none objects{old}", rulebook.guardrails.rules().count()),
            }
        }
    };
    Judged { outcome, violations: after }
}

/// Objections after and before the changes; what stood before is asked only where something is objected to after.
fn violations(
    role: &RoleFacts,
    changes: &[&Change],
    rulebook: &Rulebook<'_>,
) -> Result<(Vec<Violation>, Vec<Violation>), GuardrailError> {
    let after = objections(role, changes.iter().filter_map(|c| c.after.as_ref()), rulebook)?;
    let before = if after.is_empty() {
        Vec::new()
    } else {
        objections(role, changes.iter().filter_map(|c| c.before.as_ref()), rulebook)?
    };
    Ok((after, before))
}

fn objections<'d>(
    role: &RoleFacts,
    documents: impl Iterator<Item = &'d PolicyDocument>,
    rulebook: &Rulebook<'_>,
) -> Result<Vec<Violation>, GuardrailError> {
    let mut found = Vec::new();
    for statement in documents.flat_map(|d| &d.statements).filter(|s| s.effect != Effect::Deny) {
        let resources = resources(statement);
        for action in actions(statement) {
            let permission = PermissionFacts::of(action, rulebook.catalog, rulebook.groups);
            for resource in &resources {
                let question = Question::Grant(Grant {
                    role,
                    permission: &permission,
                    target: Target { external: is_external(resource, role), pattern: resource.clone() },
                    condition_keys: statement.conditions.iter().map(|c| c.key.clone()).collect(),
                    usage: Usage::default(),
                    escalation: Escalation::default(),
                });
                found.extend(rulebook.guardrails.ask(&question, rulebook.now, rulebook.waivers)?);
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The action entries; `NotAction` grants nearly everything, and is asked about as everything.
fn actions(statement: &Statement) -> Vec<ActionPattern> {
    match &statement.action {
        ActionElement::Action(patterns) => patterns.iter().map(|p| p.value.clone()).collect(),
        ActionElement::NotAction(_) => vec![ActionPattern::new("*")],
    }
}

fn resources(statement: &Statement) -> Vec<ResourcePattern> {
    match &statement.resource {
        ResourceElement::Resource(patterns) => patterns.iter().map(|p| p.value.clone()).collect(),
        ResourceElement::NotResource(_) | ResourceElement::Absent => vec![ResourcePattern::everything()],
    }
}

/// Whether a pattern names another account than the role's.
fn is_external(resource: &ResourcePattern, role: &RoleFacts) -> bool {
    let account = resource.as_str().split(':').nth(4).unwrap_or_default();
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    digits && account != role.account.id.as_str()
}
