//! Which rules can have something to say on which question, by the action in their scope.
//!
//! Leaves out only rules whose scope names other actions: they would be silent, and cost time. Whether the rest of a
//! rule applies is for Cedar.

use std::collections::BTreeMap;

use cedar_policy::{ActionConstraint, EntityUid, Policy, PolicySet, PolicySetError, Schema};

use super::facts::QuestionKind;
use super::request::Vocabulary;

/// A rule set per question.
pub(super) fn by_question(
    policies: &PolicySet,
    schema: &Schema,
    vocabulary: &Vocabulary,
) -> Result<BTreeMap<QuestionKind, PolicySet>, Box<PolicySetError>> {
    let grouped = schema.action_groups().next().is_some();
    let mut sets = BTreeMap::new();
    for kind in QuestionKind::ALL {
        let action = vocabulary.action(*kind);
        let relevant = policies.policies().filter(|policy| grouped || may_apply(policy, &action));
        sets.insert(*kind, PolicySet::from_policies(relevant.cloned())?);
    }
    Ok(sets)
}

/// Whether a rule's scope admits an action, in a schema without groups of actions.
fn may_apply(policy: &Policy, action: &EntityUid) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named.contains(action),
    }
}
