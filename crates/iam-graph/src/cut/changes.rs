//! What is taken away, as changes of policies: an action leaves the list that names it; where a wildcard grants it, or a
//! policy that is not the principal's alone, a deny says so.
//!
//! Changes one document per policy, however much of it goes. That the changes do what they should is for whoever asked.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::change::{Attachment, AttachmentKind, Change, Reason};
use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PrincipalElement, PrincipalPattern, ResourceElement, Statement,
};
use iam_model::text::Spanned;

use super::Use;
use super::lever::{Removal, Trusted};
use crate::survey::{Held, Person, Survey};

/// The inline policy that holds denies where no policy of the principal's own can.
const NEW_POLICY: &str = "paring-cut";

/// Changes that take all of it away.
pub(super) fn of(survey: &Survey<'_>, chosen: &BTreeSet<Removal>, known: &BTreeMap<Removal, Use>) -> Vec<Change> {
    let mut places: BTreeMap<&Arn, Vec<&Removal>> = BTreeMap::new();
    for removal in chosen {
        places.entry(removal.place()).or_default().push(removal);
    }
    let holders = holders(survey);
    let mut changes = Vec::new();
    for (arn, removals) in places {
        let Some(person) = survey.place(arn).and_then(|place| survey.person(place)) else { continue };
        let services: Vec<&Trusted> = removals.iter().filter_map(|removal| trusted(removal)).collect();
        changes.extend(trust(person, &services));
        let permissions: Vec<&Removal> =
            removals.into_iter().filter(|removal| matches!(removal, Removal::Permission { .. })).collect();
        if !permissions.is_empty() {
            changes.extend(identity(&holders, person, &permissions, known));
        }
    }
    changes
}

/// How many have each managed policy, groups and whom it bounds too.
fn holders<'a>(survey: &Survey<'a>) -> BTreeMap<&'a Arn, usize> {
    let mut holders = BTreeMap::new();
    let attached = survey.people.iter().flat_map(|person| &person.policies).filter_map(|held| held.managed);
    let bounding = survey.people.iter().filter_map(|person| person.identity.boundary.as_ref());
    for arn in attached.chain(bounding) {
        *holders.entry(arn).or_default() += 1;
    }
    holders
}

const fn trusted(removal: &Removal) -> Option<&Trusted> {
    if let Removal::Trust { whom, .. } = removal { Some(whom) } else { None }
}

/// One policy of a principal while it is changed.
struct Draft<'p, 'a> {
    held: &'p Held<'a>,
    /// Whether a change of it concerns nobody else.
    own: bool,
    after: PolicyDocument,
    reasons: Vec<String>,
}

fn identity(
    holders: &BTreeMap<&Arn, usize>,
    person: &Person<'_>,
    removals: &[&Removal],
    known: &BTreeMap<Removal, Use>,
) -> Vec<Change> {
    let own = |held: &Held<'_>| {
        held.group.is_none() && held.managed.is_none_or(|arn| !arn.is_owned_by_aws() && holders.get(arn) == Some(&1))
    };
    let mut drafts: Vec<Draft<'_, '_>> = person
        .policies
        .iter()
        .map(|held| Draft { held, own: own(held), after: held.document.clone(), reasons: Vec::new() })
        .collect();
    let mut denies: BTreeMap<Option<usize>, Vec<Statement>> = BTreeMap::new();
    for removal in removals {
        let Removal::Permission { action, on, .. } = removal else { continue };
        let spared = if let Some(Use::On(resources)) = known.get(removal) { resources.as_slice() } else { &[] };
        if on.is_none() && spared.is_empty() && drop_by_name(&mut drafts, action) {
            continue;
        }
        let place = drafts.iter().position(|draft| draft.own && grants(&draft.after, action));
        if let Some(draft) = place.and_then(|place| drafts.get_mut(place)) {
            draft.reasons.push(format!("{removal} is denied"));
        }
        add_deny(denies.entry(place).or_default(), deny(action, on.as_ref(), spared));
    }
    let new = denies.remove(&None);
    for (place, statements) in denies {
        if let Some(draft) = place.and_then(|place| drafts.get_mut(place)) {
            draft.after.statements.extend(statements);
        }
    }
    let mut changes: Vec<Change> = drafts.into_iter().filter_map(|draft| draft.change(person)).collect();
    changes.extend(new.map(|statements| added(person, statements)));
    changes
}

/// Takes an action out of every list that names it. Says whether nothing grants it any more.
fn drop_by_name(drafts: &mut [Draft<'_, '_>], action: &Action) -> bool {
    for draft in drafts.iter_mut().filter(|draft| draft.own) {
        let is_it = |pattern: &Spanned<ActionPattern>| pattern.value.as_str().eq_ignore_ascii_case(action.as_str());
        let mut dropped = false;
        for statement in draft.after.statements.iter_mut().filter(|s| s.effect == Effect::Allow) {
            if let ActionElement::Action(patterns) = &mut statement.action {
                let before = patterns.len();
                patterns.retain(|pattern| !is_it(pattern));
                dropped |= patterns.len() < before;
            }
        }
        if dropped {
            let empty = |s: &Statement| matches!(&s.action, ActionElement::Action(patterns) if patterns.is_empty());
            draft.after.statements.retain(|statement| !empty(statement));
            draft.reasons.push(format!("{action} is no longer allowed"));
        }
    }
    !drafts.iter().any(|draft| grants(&draft.after, action))
}

/// Whether a statement of the document could allow the action.
fn grants(document: &PolicyDocument, action: &Action) -> bool {
    let names = |statement: &Statement| {
        let listed = statement
            .action
            .patterns()
            .iter()
            .any(|p| Glob::parse(p.value.as_str(), Reading::ACTION).matches(action.as_str()));
        match statement.action {
            ActionElement::Action(_) => listed,
            ActionElement::NotAction(_) => !listed,
        }
    };
    !document.unknown.is_empty() || document.statements.iter().any(|s| s.effect != Effect::Deny && names(s))
}

fn deny(action: &Action, on: Option<&Arn>, spared: &[ResourcePattern]) -> Statement {
    let resources: Vec<ResourcePattern> = match on {
        Some(arn) if spared.is_empty() => vec![ResourcePattern::from(arn)],
        _ => vec![ResourcePattern::everything()],
    };
    let mut statement = Statement::allow(vec![ActionPattern::from(action)], resources);
    statement.effect = Effect::Deny;
    if !spared.is_empty() {
        statement.resource = ResourceElement::NotResource(spared.iter().cloned().map(Spanned::synthetic).collect());
    }
    statement
}

/// Denies of the same resources share a statement, and those of one action theirs.
fn add_deny(statements: &mut Vec<Statement>, deny: Statement) {
    if let Some(same) = statements.iter_mut().find(|s| s.resource == deny.resource)
        && let (ActionElement::Action(known), ActionElement::Action(more)) = (&mut same.action, &deny.action)
    {
        known.extend(more.iter().cloned());
        return;
    }
    if let Some(same) = statements.iter_mut().find(|s| s.action == deny.action)
        && let (ResourceElement::Resource(known), ResourceElement::Resource(more)) =
            (&mut same.resource, &deny.resource)
    {
        known.extend(more.iter().cloned());
        return;
    }
    statements.push(deny);
}

impl Draft<'_, '_> {
    fn change(self, person: &Person<'_>) -> Option<Change> {
        if self.after == *self.held.document {
            return None;
        }
        let name = self.held.managed.map_or_else(|| self.held.name.to_owned(), ToString::to_string);
        Some(Change {
            attachment: Attachment::identity(person.arn.clone(), name),
            before: Some(self.held.document.clone()),
            after: (!self.after.statements.is_empty()).then_some(self.after),
            reasons: self.reasons.into_iter().map(reason).collect(),
        })
    }
}

fn reason(because: String) -> Reason {
    Reason { statement: None, because, evidence: Vec::new() }
}

fn added(person: &Person<'_>, statements: Vec<Statement>) -> Change {
    let taken = |name: &str| person.policies.iter().any(|held| held.managed.is_none() && held.name == name);
    let mut name = NEW_POLICY.to_owned();
    let mut number = 2;
    while taken(&name) {
        name = format!("{NEW_POLICY}-{number}");
        number += 1;
    }
    Change {
        attachment: Attachment::identity(person.arn.clone(), name),
        before: None,
        after: Some(PolicyDocument::new(statements)),
        reasons: vec![reason("denies what a policy grants that is not this principal's alone".into())],
    }
}

/// The trust policy without some of those it lets in.
fn trust(person: &Person<'_>, whom: &[&Trusted]) -> Option<Change> {
    let before = person.trust.filter(|_| !whom.is_empty())?;
    let mut after = before.clone();
    let goes = |pattern: &PrincipalPattern| {
        whom.iter().any(|trusted| match (trusted, pattern) {
            (Trusted::Service(name), PrincipalPattern::Service(service)) => name == service,
            (Trusted::Callers, PrincipalPattern::Aws(_) | PrincipalPattern::Everyone) => true,
            _ => false,
        })
    };
    let callers = whom.iter().any(|trusted| matches!(trusted, Trusted::Callers));
    after.statements.retain_mut(|statement| match (&mut statement.principal, statement.effect) {
        (_, Effect::Deny) => true,
        (Some(PrincipalElement::Principal(patterns)), _) => {
            patterns.retain(|pattern| !goes(&pattern.value));
            !patterns.is_empty()
        }
        (Some(PrincipalElement::NotPrincipal(_)), _) => !callers,
        (None, _) => true,
    });
    if !after.statements.iter().any(|statement| statement.effect != Effect::Deny) {
        // AWS takes no trust policy without a statement: one that lets nobody in.
        after.statements = vec![nobody()];
    }
    let mut attachment = Attachment::identity(person.arn.clone(), String::new());
    (attachment.kind, attachment.policy_name) = (AttachmentKind::Trust, None);
    let because = whom.iter().map(|whom| match whom {
        Trusted::Service(name) => reason(format!("{name} is no longer let in")),
        Trusted::Callers => reason("users, roles and accounts are no longer let in".into()),
    });
    Some(Change { attachment, before: Some(before.clone()), after: Some(after), reasons: because.collect() })
}

fn nobody() -> Statement {
    let mut statement = Statement::allow(vec![ActionPattern::new("sts:AssumeRole")], Vec::new());
    statement.effect = Effect::Deny;
    statement.principal = Some(PrincipalElement::Principal(vec![Spanned::synthetic(PrincipalPattern::Everyone)]));
    statement.resource = ResourceElement::Absent;
    statement
}
