//! Counterexamples in names that AWS publishes: the same refutation, shown by a request a reader knows.
//!
//! Decides nothing: a request is put in the place of another only where both ways of evaluation confirm it as well.

use iam_evaluate::budget::{Budget, QUESTION};
use iam_evaluate::glob::{Glob, Reading};
use iam_evaluate::permission_set::{PermissionSet, Possibility, Witness};
use iam_model::action::Action;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::{ActionFacts, Catalog, ResourceType};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, ResourceElement, Statement};

use crate::confirm;
use crate::outcome::Counterexample;

/// Services whose actions most readers know; the others follow in the order of the catalogue.
const WELL_KNOWN: [&str; 8] = ["s3", "iam", "dynamodb", "lambda", "ec2", "sqs", "kms", "sts"];
/// Requests that are tried before the one at hand stays.
const MOST_TRIES: usize = 600;
/// Patterns that all tries together are held against; of large policies fewer requests are tried.
const MOST_PATTERNS: usize = 3_000_000;

/// A request that shows the same as `found` with an action AWS publishes and, if there is one, a resource of the form
/// it publishes for that action; `found` itself where no such request is confirmed.
pub(crate) fn request(
    found: &Counterexample,
    before: &[PolicyDocument],
    after: &[PolicyDocument],
    catalog: &Catalog,
) -> Counterexample {
    let sets = (PermissionSet::of_documents(before), PermissionSet::of_documents(after));
    let patterns: usize = before.iter().chain(after).flat_map(|d| &d.statements).map(weight).sum();
    let most = MOST_TRIES.min(MOST_PATTERNS / (patterns + 1)).max(8);
    let mut tries = 0;
    let mut shows = |action: &Action, resource: &ResourcePattern| {
        tries += 1;
        let request = Counterexample { action: action.clone(), resource: resource.clone(), ..found.clone() };
        let witness = as_witness(&request);
        let confirmed = tries <= most
            && sets.1.allows_request(&witness) == Possibility::Yes
            && sets.0.allows_request(&witness) == Possibility::No
            && confirm::allowed_only_after(before, after, &witness);
        confirmed.then_some(request)
    };
    let written = written_resources(after);
    let known = known_actions(&found.action, after, catalog);
    for facts in known.iter().take(MOST_TRIES) {
        let action = facts.action();
        if let Some(request) = resources(facts, &written, found).iter().find_map(|one| shows(&action, one)) {
            return request;
        }
    }
    // With another action or none, the resource at hand.
    let own = known.iter().take(MOST_TRIES / 4).find_map(|facts| shows(&facts.action(), &found.resource));
    own.unwrap_or_else(|| found.clone())
}

/// How many patterns a request is held against by a statement.
fn weight(statement: &Statement) -> usize {
    let values: usize = statement.conditions.iter().map(|c| c.values.len()).sum();
    4 + statement.action.patterns().len() + statement.resource.patterns().len() + values
}

/// The action at hand where AWS publishes it; else the published ones some allow names, well-known services first.
fn known_actions<'c>(found: &Action, after: &[PolicyDocument], catalog: &'c Catalog) -> Vec<ActionFacts<'c>> {
    if let Some(facts) = catalog.action(found) {
        return vec![facts];
    }
    let allows = after.iter().flat_map(|d| &d.statements).filter(|s| s.effect == Effect::Allow);
    let allowed: Vec<(bool, Vec<Glob>)> = allows
        .map(|statement| {
            let globs = statement.action.patterns().iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION));
            (matches!(statement.action, ActionElement::Action(_)), globs.collect())
        })
        .collect();
    let budget = Budget::new(QUESTION / 4);
    let named = |facts: &ActionFacts<'_>| {
        let action = facts.action();
        let matches = |glob: &Glob| glob.matches_within(action.as_str(), &budget) == Some(true);
        allowed.iter().any(|(listed, globs)| budget.spend(globs.len()) && *listed == globs.iter().any(matches))
    };
    let first = WELL_KNOWN.iter().flat_map(|service| catalog.service_actions(service));
    let rest = catalog.actions().filter(|facts| !WELL_KNOWN.contains(&facts.service()));
    first.chain(rest).filter(named).take(MOST_TRIES).collect()
}

/// The resource patterns of the allows that hold no variable, and are not the bare `*`.
fn written_resources(after: &[PolicyDocument]) -> Vec<String> {
    let allows = after.iter().flat_map(|d| &d.statements).filter(|s| s.effect == Effect::Allow);
    let listed = allows.filter(|statement| matches!(statement.resource, ResourceElement::Resource(_)));
    let patterns = listed.flat_map(|statement| statement.resource.patterns()).map(|p| p.value.as_str());
    patterns.filter(|text| *text != "*" && !text.contains("${")).take(20).map(exact).collect()
}

/// Resources of the forms AWS publishes for an action: the one at hand, those the policies write, and an invented one.
fn resources(facts: &ActionFacts<'_>, written: &[String], found: &Counterexample) -> Vec<ResourcePattern> {
    let types: Vec<_> = facts.resource_types().collect();
    let mut forms: Vec<_> = types.iter().flat_map(ResourceType::arn_patterns).collect();
    // The plainest form first: a bucket's object before one behind an access point.
    forms.sort_by_key(|form| form.as_str().len());
    if forms.is_empty() {
        return vec![ResourcePattern::everything()];
    }
    let own = [found.resource.as_str().to_owned()];
    let fits = |text: &&String| forms.iter().any(|form| form.matches(text));
    let invented = forms.iter().map(|form| filled(form.as_str()));
    let all = own.iter().chain(written).filter(fits).cloned().chain(invented);
    all.map(|text| ResourcePattern::new(&text)).collect()
}

/// A form of ARNs with something usual for each of its variables.
fn filled(form: &str) -> String {
    let mut pieces = form.split("${");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, tail) = piece.split_once('}').unwrap_or((piece, ""));
        out.push_str(match name {
            "Partition" => "aws",
            "Region" => "us-east-1",
            "Account" => "111122223333",
            _ => "example",
        });
        out.push_str(tail);
    }
    out
}

/// One of the texts a pattern stands for.
fn exact(pattern: &str) -> String {
    let usual = ["arn", "aws", "s3", "us-east-1", "111122223333"];
    let mut parts: Vec<String> = pattern.splitn(6, ':').map(str::to_owned).collect();
    for (part, usual) in parts.iter_mut().zip(usual) {
        if part == "*" {
            usual.clone_into(part);
        }
    }
    parts.join(":").replace('*', "example").replace('?', "x")
}

/// A request as evaluation takes it.
pub(crate) fn as_witness(request: &Counterexample) -> Witness {
    Witness {
        principal: request.principal.clone(),
        action: request.action.clone(),
        resource: request.resource.clone(),
        context: request.context.clone(),
    }
}
