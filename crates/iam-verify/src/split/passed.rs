//! Who passes the shared role to its functions by its name: such a one must be let pass the new role, too.
//!
//! A stack is deployed by somebody. Whose policies name the shared role alone cannot give a function its new role, and the
//! split would fail when it is deployed.

use iam_evaluate::glob::{Glob, Reading};
use iam_evaluate::{Context, Evaluator, Principal, Request};
use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, PolicyVersion, ResourceElement, Statement};
use iam_model::snapshot::SnapshotIndex;
use iam_model::usage::{UsageLog, Visibility};

use super::Asked;
use crate::outcome::Outcome;

const PASS_ROLE: &str = "iam:PassRole";

/// Users and roles that may pass a role to functions, and have a policy that tells it from others by its name.
pub(super) fn passers<'a>(shared: &Arn, index: &SnapshotIndex<'a>, evaluator: &Evaluator<'a>) -> Vec<&'a Arn> {
    let users = index.users().map(|user| &user.identity.arn);
    let all = users.chain(index.roles().map(|role| &role.identity.arn));
    let names = |arn: &&Arn| index.identity_policies(arn).iter().any(|held| tells_apart(held.document, shared));
    all.filter(names).filter(|arn| may_pass(evaluator, arn, shared) == Some(true)).collect()
}

/// Whether some statement is about this role and not about every resource.
fn tells_apart(document: &PolicyDocument, shared: &Arn) -> bool {
    let reading = Reading::resource(PolicyVersion::V2012);
    let is_it = |pattern: &ResourcePattern| Glob::parse(pattern.as_str(), reading).widened().matches(shared.as_str());
    let tells = |statement: &Statement| match &statement.resource {
        ResourceElement::Resource(all) => all.iter().any(|p| !p.value.is_everything() && is_it(&p.value)),
        ResourceElement::NotResource(all) => !all.is_empty(),
        ResourceElement::Absent => false,
    };
    document.statements.iter().any(tells)
}

/// Whether somebody may give a function a role; nothing where it hangs on what is not known.
fn may_pass(evaluator: &Evaluator<'_>, who: &Arn, role: &Arn) -> Option<bool> {
    let mut context = Context::open();
    context.set(ConditionKey::new("iam:PassedToService"), vec!["lambda.amazonaws.com".to_owned()]);
    let request = Request {
        principal: Principal::parse(who.as_str()).ok()?,
        action: PASS_ROLE.parse().ok()?,
        resource: role.clone().into(),
        resource_account: None,
        context,
    };
    let outcome = evaluator.decide(who, &request).outcome;
    if outcome.is_allow() { Some(true) } else { outcome.is_deny().then_some(false) }
}

impl Asked<'_, '_> {
    /// Somebody who passes the shared role, or may have, and could not pass the new one.
    pub(super) fn passed(&self) -> Option<Outcome> {
        let mut lost = self.passers.iter().filter(|who| may_pass(self.original, who, &self.part.role) == Some(false));
        let (who, how) = lost.find_map(|who| Some((who, self.passes(who)?)))?;
        let why =
            format!("{who} {how}, and may not pass the new role; let it do so first, or whoever deploys by it fails");
        Some(Outcome::Undecided { why })
    }

    /// How somebody passes the shared role, in words; nothing where it would have been seen and was not.
    fn passes(&self, who: &Arn) -> Option<&'static str> {
        let action: Action = PASS_ROLE.parse().ok()?;
        let used = self.usage.and_then(|usage: &UsageLog| usage.principals.get(who));
        let shared = self.split.role.as_str();
        let is_it = |on: &ResourcePattern| on.as_str() == shared || on.as_str().contains(['*', '?']);
        let seen = used.into_iter().flat_map(|used| &used.observations).filter(|o| o.count > 0 && o.action == action);
        if seen.into_iter().any(|seen| seen.resources.iter().any(is_it)) {
            return Some("was seen to pass the shared role");
        }
        let on = ResourcePattern::new(shared);
        let hidden = matches!((self.evidence.visibility)(who, &action, &on), Visibility::Invisible(_));
        (hidden || self.index.role(who).is_none()).then_some("may pass the shared role, which the logs need not show")
    }
}
