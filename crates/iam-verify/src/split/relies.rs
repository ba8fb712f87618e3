//! What a function has by policies that name the shared role, or may name it, and its new role would not have.
//!
//! Asks of each call that was seen whether it would still be allowed, and of each policy that tells the two roles apart
//! whether a use of what it lets the shared role do could have gone unseen.

use iam_evaluate::{Context, Decision, Layer, Principal, Request};
use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::policy::{Effect, PolicyDocument, PrincipalPattern, PrintStyle, Statement, print};
use iam_model::snapshot::PolicyOrigin;
use iam_model::text::grouped;
use iam_model::usage::{Observation, Visibility};

use super::Asked;
use super::named::{self, Actions, Of, Place};
use crate::outcome::{Counterexample, Outcome};

impl Asked<'_, '_> {
    /// What policies let the shared role do by its name, and that may have been done without a trace: of a function that
    /// was never seen nobody knows anything.
    pub(super) fn named_elsewhere(&self, observations: &[Observation]) -> Option<Outcome> {
        let name = self.part.function.name();
        if !observations.iter().any(|observation| observation.count > 0) {
            let place = self.first_told_apart(|difference| difference.takes)?;
            let why = format!(
                "no call of {name} was seen, and {place} names the shared role; it must name the new role first"
            );
            return Some(Outcome::Undecided { why });
        }
        let names = named::Names::new(self.role, &self.part.role, name);
        let places: Vec<Place<'_>> = self.places().collect();
        let granted =
            Actions::allowed_by(
                self.index.identity_policies(&self.split.role).into_iter().map(|held| held.document).chain(
                    places.iter().filter(|place| matches!(place.of, Of::Resource(_))).map(|place| place.document),
                ),
            );
        places.iter().find_map(|place| {
            let words = &place.words;
            if !place.document.unknown.is_empty() && names.told_apart(place.document).takes {
                let why = format!("{words} names the shared role, and holds what is not understood");
                return Some(Outcome::Undecided { why });
            }
            let taken = place.document.statements.iter().filter(|statement| names.takes(statement));
            let (action, why) = taken.into_iter().find_map(|statement| self.unseen(place, statement, &granted))?;
            let why = format!(
                "{words} names the shared role, and {name} may have used {action} by it unseen: {why}; it must name the \
                 new role first"
            );
            Some(Outcome::Undecided { why })
        })
    }

    /// The first action that a statement lets the shared role do, and whose use could have gone unseen, and why.
    fn unseen(&self, place: &Place<'_>, statement: &Statement, granted: &Actions) -> Option<(Action, String)> {
        // What a limit or a deny lets through must be granted, too.
        let limits = statement.effect == Effect::Deny || matches!(place.of, Of::Limit);
        let on = place.resources(statement);
        let hidden = |action: &Action| {
            on.iter().find_map(|on| match (self.evidence.visibility)(&self.split.role, action, on) {
                Visibility::Visible => None,
                Visibility::Invisible(why) => Some(why),
            })
        };
        place
            .actions(statement, self.catalog)
            .filter(|action| !limits || granted.holds(action))
            .find_map(|action| hidden(&action).map(|why| (action, why)))
    }

    /// What a policy denies the shared role by its name, or allows the new one, the split would add.
    pub(super) fn told_apart(&self) -> Option<Outcome> {
        let place = self.first_told_apart(|difference| difference.gives)?;
        Some(Outcome::Undecided { why: format!("{place} lets the new role do what it does not let the shared one do") })
    }

    fn first_told_apart(&self, which: impl Fn(named::Difference) -> bool) -> Option<String> {
        let names = named::Names::new(self.role, &self.part.role, self.part.function.name());
        self.places().find(|place| which(names.told_apart(place.document))).map(|place| place.words)
    }

    /// Every policy that may tell the two roles apart.
    pub(super) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        named::places(&self.split.role, self.index).into_iter().chain(self.own_policies())
    }

    /// The policies of the new role, those that stay attached included.
    fn own_policies(&self) -> Vec<Place<'_>> {
        let held = self.index.identity_policies(&self.split.role);
        let stays = |origin| matches!(origin, PolicyOrigin::Managed(arn) if self.part.managed_policies.contains(arn));
        let held = held.into_iter().filter(|held| stays(held.origin)).map(|held| (held.name, held.document));
        let written = self.part.policies.iter().chain(&self.part.new_managed_policies);
        let all = held.chain(written.map(|policy| (policy.name.as_str(), &policy.document)));
        all.map(|(name, document)| Place { words: format!("its policy `{name}`"), document, of: Of::Limit }).collect()
    }

    /// Calls that some other policy allows the shared role by its name, and so would not allow the new one.
    pub(super) fn named(&self, observations: &[Observation]) -> Option<Outcome> {
        let caller = Principal::parse(self.part.role.as_str()).ok()?;
        let shared = Principal::parse(self.split.role.as_str()).ok()?;
        let (mut calls, mut first, mut open) = (0, None, None);
        for observation in observations.iter().filter(|o| o.count > 0) {
            for resource in &observation.resources {
                let is_name = !resource.as_str().contains(['*', '?']) || resource.is_everything();
                if !is_name || !observation.resource_known {
                    open = open.or_else(|| self.may_be_named(observation, resource));
                    continue;
                }
                let Some(request) = request(&caller, observation, resource) else { continue };
                let before = Request { principal: shared.clone(), ..request.clone() };
                let before = self.original.decide(&self.split.role, &before);
                let after = self.copied.decide(&self.part.role, &request);
                if before.outcome.is_deny() {
                    continue;
                }
                if before.outcome.is_allow() && after.outcome.is_deny() {
                    calls += observation.count;
                    first.get_or_insert_with(|| Counterexample {
                        principal: Some(PrincipalPattern::Aws(self.part.role.to_string())),
                        action: observation.action.clone(),
                        resource: resource.clone(),
                        context: observation.context.clone(),
                    });
                } else if open.is_none() {
                    open = self.unknown_policy(&observation.action, resource);
                    open = open.or_else(|| hangs(observation, &before, &after));
                }
            }
        }
        if first.is_none() {
            return open.map(|why| Outcome::Undecided { why });
        }
        let because = format!(
            "{} observed calls are allowed by a policy that names the shared role; it must name the new role first",
            grouped(calls)
        );
        Some(Outcome::Refuted { because, counterexample: first })
    }

    /// Why a call of which no single resource is known may be allowed by a policy that names the shared role.
    fn may_be_named(&self, observation: &Observation, resource: &ResourcePattern) -> Option<String> {
        let action = &observation.action;
        if let Some(policy) = self.names_shared_role(action.service()) {
            return Some(format!(
                "the policy of {policy} names the shared role, and the logs do not tell on which resource {action} was called"
            ));
        }
        self.unknown_policy(action, resource)
    }

    /// A resource of a service whose policy says the shared role's name.
    fn names_shared_role(&self, service: &str) -> Option<&Arn> {
        let mut policies = self.index.snapshot().accounts.values().flat_map(|account| &account.resource_policies);
        let names = |document: &PolicyDocument| {
            let text = print(document, PrintStyle::Compact);
            !document.unknown.is_empty() || text.contains(self.split.role.as_str())
        };
        policies.find(|(arn, document)| arn.service() == service && names(document)).map(|(arn, _)| arn)
    }

    /// Why a call may be let through by a policy that nobody was shown: of another account, of a bucket that the snapshot
    /// does not hold, or of a role that it does not hold. Such a policy mostly names who is let in.
    fn unknown_policy(&self, action: &Action, resource: &ResourcePattern) -> Option<String> {
        let mut segments = resource.as_str().splitn(6, ':').skip(2);
        let (service, account) = (segments.next()?, segments.nth(1)?);
        let name = segments.next()?;
        let snapshot = self.index.snapshot();
        let whose = if AccountId::is_number(account) && !snapshot.accounts.keys().any(|id| id.as_str() == account) {
            format!("of account {account}")
        } else if service == "s3" && account.is_empty() {
            let bucket = name.split('/').next().filter(|bucket| !bucket.is_empty() && !bucket.contains(['*', '?']))?;
            let held = self.buckets.get_or_init(|| named::buckets(snapshot));
            (!held.contains(bucket)).then(|| "of a bucket that it does not hold".to_owned())?
        } else if action.service() == "sts" && service == "iam" {
            let is_it = |arn: &Arn| arn.account_text() == account && name.ends_with(&format!("/{}", arn.name()));
            let held = self.index.roles().any(|role| is_it(&role.identity.arn));
            (!held).then(|| "of a role that it does not hold".to_owned())?
        } else {
            return None;
        };
        let function = self.part.function.name();
        Some(format!(
            "{function} was seen to call {action} on {resource}, the snapshot does not hold that policy ({whose}), and it may \
             name the shared role; it must let the new role in first"
        ))
    }
}

/// Why a call that is not surely allowed or denied tells the two roles apart.
fn hangs(observation: &Observation, before: &Decision, after: &Decision) -> Option<String> {
    if after.outcome.is_allow() {
        return None;
    }
    let alike = Layer::ALL.into_iter().all(|layer| before.layers.get(layer) == after.layers.get(layer));
    (before.outcome.is_allow() || !alike).then(|| {
        format!(
            "a policy tells the shared role and the new one apart by their names, and whether that keeps {} hangs on context \
             that is not known",
            observation.action
        )
    })
}

fn request(principal: &Principal, observation: &Observation, resource: &ResourcePattern) -> Option<Request> {
    let mut context = Context::open();
    for (key, values) in &observation.context {
        context.set(key.clone(), values.clone());
    }
    Some(Request {
        principal: principal.clone(),
        action: observation.action.clone(),
        resource: resource.as_str().parse().ok()?,
        resource_account: None,
        context,
    })
}
