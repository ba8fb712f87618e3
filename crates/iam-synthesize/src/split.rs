//! Taking a shared role apart: for each function that runs with it, a role that holds what that function needs.
//!
//! Only calls whose session carries a function's name count as that function's. A function that no call shows keeps
//! everything the shared role grants: nothing is cut without evidence. The shared role itself stays in place, as
//! sessions of others may use it.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::change::{NewPolicy, RolePart, RoleSplit};
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{PolicyOrigin, Resource, Role, SnapshotIndex};
use iam_model::text::grouped;
use iam_model::usage::{Observation, PrincipalUsage, UsageLog};

use crate::fold::Fold;
use crate::needs::{Evidence, Rules};
use crate::plumbing::function_name;
use crate::propose::{Proposer, RoleProposal, Subject};
use crate::suggest::Suggestion;
use crate::write::grants_something;

/// What became of one shared role.
#[derive(Debug, Clone)]
pub struct SplitProposal {
    /// The shared role.
    pub role: Arn,
    /// The split, or why there is none.
    pub split: Result<RoleSplit, String>,
    /// For each part, in order: what was decided about the function, as if it had the role alone.
    pub parts: Vec<RoleProposal>,
    /// What a person should know: functions without evidence, calls of others.
    pub notes: Vec<String>,
}

/// Characters AWS allows in a role's name.
const LONGEST_NAME: usize = 64;

/// Takes apart one shared role at a time. What all of them share is made once; threads may share the whole.
pub struct Splitter<'p, 'a> {
    proposer: Proposer<'p, 'a>,
    shared: Vec<Shared<'a>>,
}

/// A role that several functions run with.
pub struct Shared<'a> {
    role: &'a Role,
    functions: Vec<&'a Resource>,
    /// The trust policy and the names of the new roles, or why there are none.
    new: Result<(PolicyDocument, Vec<Arn>), String>,
}

impl<'p, 'a> Splitter<'p, 'a> {
    /// Prepares to take apart those of `roles` that several functions run with, and names the new roles.
    #[must_use]
    pub fn new(
        roles: &[&'a Role],
        index: &'p SnapshotIndex<'a>,
        evidence: &'p Evidence<'p>,
        (rules, quotas): (&'p Rules, &QuotaProfile),
    ) -> Self {
        let several = |role: &&'a Role| index.functions_of(&role.identity.arn).len() > 1;
        let roles: Vec<&'a Role> = roles.iter().copied().filter(several).collect();
        let mut taken: BTreeSet<Arn> = index.roles().map(|role| role.identity.arn.clone()).collect();
        let proposer = Proposer::new(&roles, index, evidence, rules).with_quotas(*quotas);
        let shared = |role: &&'a Role| {
            let mut functions = index.functions_of(&role.identity.arn);
            functions.sort_by(|a, b| a.arn.cmp(&b.arn));
            let new = why_not(role, &proposer).map_or_else(|| new_roles(role, &functions, &mut taken), Err);
            Shared { role, functions, new }
        };
        let shared = roles.iter().map(shared).collect();
        Self { proposer, shared }
    }

    /// The roles to take apart, in order.
    #[must_use]
    pub fn shared(&self) -> &[Shared<'a>] {
        &self.shared
    }

    /// Takes a role apart.
    #[must_use]
    pub fn split(&self, shared: &Shared<'_>) -> SplitProposal {
        let Shared { role, functions, new } = shared;
        let arn = &role.identity.arn;
        let mut proposal =
            SplitProposal { role: arn.clone(), split: Err(String::new()), parts: Vec::new(), notes: Vec::new() };
        proposal.split = new.clone().map(|(trust, names)| {
            let usage = self.proposer.evidence.usage;
            let all = usage.principals.get(arn).map(|u| u.observations.as_slice()).unwrap_or_default();
            proposal.notes.extend(others(functions, all));
            let mut parts = Vec::new();
            for (function, name) in functions.iter().zip(names) {
                let (part, decided, note) = part(role, function, (name, trust.clone()), &self.proposer);
                proposal.notes.extend(note);
                proposal.parts.push(decided);
                parts.push(part);
            }
            RoleSplit { role: arn.clone(), parts }
        });
        proposal
    }
}

/// Why a role may not be taken apart at all.
fn why_not(role: &Role, proposer: &Proposer<'_, '_>) -> Option<String> {
    let refused = proposer.refuse(role);
    let unread = || {
        let policies = proposer.index.identity_policies(&role.identity.arn);
        let mut documents = policies.iter().map(|policy| (policy.name, policy.document));
        documents
            .find(|(_, document)| !understood(document))
            .map(|(name, _)| format!("its policy `{name}` is not understood whole, so it could not be written again"))
    };
    refused.or_else(unread)
}

fn understood(document: &PolicyDocument) -> bool {
    document.unknown.is_empty() && document.statements.iter().all(|statement| statement.unknown.is_empty())
}

/// Calls of sessions that carry the name of none of the functions: they stay with the shared role.
fn others(functions: &[&Resource], observations: &[Observation]) -> Option<String> {
    let is_function = |o: &&Observation| functions.iter().any(|f| o.function.as_deref() == Some(function_name(f)));
    let calls: u64 = observations.iter().filter(|o| !is_function(o)).map(|o| o.count).sum();
    (calls > 0).then(|| {
        let (calls, were, they) = match calls {
            1 => ("1 call".to_owned(), "was", "it stays"),
            many => (format!("{} calls", grouped(many)), "were", "they stay"),
        };
        format!("{calls} {were} made by sessions that carry none of the functions' names; {they} with the shared role, which stays in place")
    })
}

/// The trust policy of the new roles, and their names.
fn new_roles(
    role: &Role,
    functions: &[&Resource],
    taken: &mut BTreeSet<Arn>,
) -> Result<(PolicyDocument, Vec<Arn>), String> {
    let trust = trust_of_lambda(&role.trust)
        .ok_or_else(|| "no statement of its trust policy lets Lambda alone assume it".to_owned())?;
    let name = |function: &&Resource| {
        let name = function_name(function);
        new_arn(&role.identity.arn, name, taken).ok_or_else(|| format!("no name is left for a role of `{name}`"))
    };
    Ok((trust, functions.iter().map(name).collect::<Result<_, _>>()?))
}

/// The part of one function, what was decided about it, and what a person should know.
fn part(
    role: &Role,
    function: &Resource,
    (new, trust): (Arn, PolicyDocument),
    proposer: &Proposer<'_, '_>,
) -> (RolePart, RoleProposal, Option<String>) {
    let (arn, name, evidence) = (&role.identity.arn, function_name(function), proposer.evidence);
    let mut part = RolePart {
        function: function.arn.clone(),
        role: new,
        trust,
        policies: Vec::new(),
        managed_policies: Vec::new(),
        new_managed_policies: Vec::new(),
        boundary: role.identity.boundary.clone(),
        tags: role.identity.tags.iter().filter(|(key, _)| !key.starts_with("aws:")).map(owned).collect(),
        description: Some(format!("Of {name} alone; before, it ran with the shared role {}", role.identity.name)),
    };
    let own = of_function(arn, name, evidence.usage);
    let mut decided = RoleProposal::tight(arn);
    if own.principals.is_empty() {
        copy(role, proposer.index, &mut part);
        let why = if evidence.usage.merging.functions_folded.contains(arn) {
            "the shared role has more sessions than the logs tell apart, so its calls are not told from others'"
        } else {
            "no call of it was seen"
        };
        let note = format!("{name}: {why}, so its role keeps everything that the shared role grants");
        return (part, decided, Some(note));
    }
    let evidence = Evidence { usage: &own, ..*evidence };
    narrowed(&proposer.with_evidence(&evidence), function, &mut part, &mut decided);
    (part, decided, None)
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// What one function was seen to do with a role.
fn of_function(role: &Arn, name: &str, usage: &UsageLog) -> UsageLog {
    let all = usage.principals.get(role).map(|usage| usage.observations.as_slice()).unwrap_or_default();
    let mine = all.iter().enumerate().filter(|(_, o)| o.function.as_deref() == Some(name));
    let (places, observations): (Vec<usize>, Vec<_>) = mine.map(|(at, o)| (at, o.clone())).unzip();
    let mut own = UsageLog { window: usage.window, ..UsageLog::default() };
    // Which function made a call that nobody knows is not told.
    own.unresolved.extend(usage.unresolved.iter().filter(|event| event.may_be_of(role)).cloned());
    if let Some(folded) = usage.merging.folded.get(role) {
        let here = places.iter().enumerate().filter_map(|(new, old)| Some((new, *folded.get(old)?)));
        own.merging.folded.insert(role.clone(), here.collect());
    }
    if observations.iter().any(|o| o.count > 0) {
        own.principals.insert(role.clone(), PrincipalUsage { observations });
    }
    own
}

fn narrowed(proposer: &Proposer<'_, '_>, function: &Resource, part: &mut RolePart, decided: &mut RoleProposal) {
    let role = decided.role.clone();
    let subject = Subject { role: &role, functions: &[function], alone: true };
    let (mut folds, mut suggestions) = (Vec::new(), Vec::new());
    let written = proposer.rewrite(&subject, decided);
    for (place, rewritten) in written.policies.into_iter().enumerate() {
        match rewritten.attached.origin {
            PolicyOrigin::Managed(arn) if rewritten.stays_managed(subject.alone) => {
                part.managed_policies.push(arn.clone());
            }
            PolicyOrigin::Managed(_) | PolicyOrigin::Inline(_) | PolicyOrigin::Group(_) => {
                if grants_something(&rewritten.after) {
                    let policy = part.policies.len();
                    folds.extend(rewritten.folds.into_iter().map(|fold| Fold { policy, ..fold }));
                    let own = decided.suggestions.iter().filter(|suggestion| suggestion.policy == place);
                    suggestions.extend(own.cloned().map(|suggestion| Suggestion { policy, ..suggestion }));
                    let name = free_name(rewritten.attached.name, &part.policies);
                    part.policies.push(NewPolicy { name, document: rewritten.after, reasons: rewritten.reasons });
                }
            }
        }
    }
    // Suggestions are made for the policies that there were.
    let names = proposer.free_policies(&part.role);
    for (n, (arn, new)) in names.zip(written.new).enumerate() {
        let policy = part.policies.len() + n;
        folds.extend(new.folds.into_iter().map(|fold| Fold { policy, ..fold }));
        let name = arn.name().to_owned();
        part.new_managed_policies.push(NewPolicy { name, document: new.document, reasons: new.reasons });
    }
    (decided.folds, decided.suggestions) = (folds, suggestions);
}

/// Everything the shared role has, as it has it.
fn copy(role: &Role, index: &SnapshotIndex<'_>, part: &mut RolePart) {
    for policy in index.identity_policies(&role.identity.arn) {
        match policy.origin {
            PolicyOrigin::Managed(arn) => part.managed_policies.push(arn.clone()),
            PolicyOrigin::Inline(_) | PolicyOrigin::Group(_) => {
                let name = free_name(policy.name, &part.policies);
                let document = policy.document.clone();
                part.policies.push(NewPolicy { name, document, reasons: Vec::new() });
            }
        }
    }
}

fn free_name(wanted: &str, taken: &[NewPolicy]) -> String {
    let is_taken = |name: &str| taken.iter().any(|policy| policy.name == name);
    let numbered = (2..).map(|n: usize| format!("{wanted}-{n}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

/// The statements of a trust policy that concern Lambda, with no other principal in them.
fn trust_of_lambda(trust: &PolicyDocument) -> Option<PolicyDocument> {
    let is_lambda = |p: &PrincipalPattern| matches!(p, PrincipalPattern::Service(name) if matches!(name.as_str(), "lambda.amazonaws.com" | "edgelambda.amazonaws.com"));
    let narrowed = |statement: &Statement| -> Option<Statement> {
        if statement.effect != Effect::Allow {
            return Some(statement.clone());
        }
        let Some(PrincipalElement::Principal(patterns)) = &statement.principal else { return None };
        let own: Vec<_> = patterns.iter().filter(|pattern| is_lambda(&pattern.value)).cloned().collect();
        (!own.is_empty()).then(|| Statement { principal: Some(PrincipalElement::Principal(own)), ..statement.clone() })
    };
    let statements: Vec<Statement> = trust.statements.iter().filter_map(narrowed).collect();
    let allows = understood(trust) && statements.iter().any(|statement| statement.effect == Effect::Allow);
    allows.then(|| PolicyDocument { statements, ..trust.clone() })
}

/// The ARN of a role that does not exist yet, in the shared role's account and path, named after a function.
fn new_arn(shared: &Arn, function: &str, taken: &mut BTreeSet<Arn>) -> Option<Arn> {
    let head = shared.as_str().strip_suffix(shared.name())?;
    let numbered = (1..1000).map(|n: usize| if n == 1 { "-role".to_owned() } else { format!("-role-{n}") });
    for end in numbered {
        let room = LONGEST_NAME.saturating_sub(end.len());
        let start: String = function.chars().take(room).collect();
        let arn: Arn = format!("{head}{start}{end}").parse().ok()?;
        if taken.insert(arn.clone()) {
            return Some(arn);
        }
    }
    None
}

#[cfg(test)]
mod tests;
