//! From a snapshot to its access graph.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::change::Change;
use iam_model::finding::Subject;
use iam_model::json::Value;
use iam_model::policy::{ActionElement, Effect, Statement};
use iam_model::snapshot::{ResourceKind, SnapshotIndex};

use crate::exposure::{Exposure, exposure};
use crate::facts::{Facts, Wildcard};
use crate::graph::{AccessGraph, Edge};
use crate::judge::Judge;
use crate::search::{Found, Search};
use crate::survey::Survey;
use crate::tags;
use crate::technique::catalogue;

/// Builds the graph of an account as it is, or as it would be after some changes.
///
/// ```
/// use iam_model::snapshot::{self, SnapshotIndex};
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"schema": "paring-snapshot/1", "accounts": {"111122223333": {"authorization_details": {
///     "UserDetailList": [{"UserName": "dev", "Arn": "arn:aws:iam::111122223333:user/dev", "GroupList": [],
///         "AttachedManagedPolicies": [], "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {
///             "Version": "2012-10-17",
///             "Statement": [{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}]}}]}]}}}}"#;
/// let source = SourceText { name: SourceName::new("snapshot.json"), text: text.into() };
/// let (snapshot, _) = snapshot::read(source).unwrap();
/// let (index, _) = SnapshotIndex::new(&snapshot);
/// let graph = iam_graph::build(&index, &[]);
/// let dev = "arn:aws:iam::111122223333:user/dev".parse().unwrap();
/// assert!(!graph.is_admin(&dev));
/// assert!(graph.reaches_admin(&dev));
/// assert_eq!(graph.paths_from(&dev)[0].hops[0].technique, "iam-007");
/// ```
#[must_use]
pub fn build<'a>(index: &'a SnapshotIndex<'a>, changes: &'a [Change]) -> AccessGraph {
    let survey = Survey::new(index, changes);
    let judge = Judge::new(&survey);
    let Found { edges, admins, not_checked } = Search::new(&survey, &judge).run();
    let functions = functions(&survey);
    let wildcards = wildcards(&survey, &functions);
    let Exposure { findings: exposed, not_checked: unsure } = exposure(&survey, &judge);
    let not_checked = &(&(&not_checked | &not_judged(&survey)) | &unsure) | &tags::as_keys(&survey, &judge, &admins);
    let (places, stacks) = (places(&survey, &edges), stacks(&survey, &functions));
    let not_applied = survey.not_applied.clone();
    AccessGraph::new(edges, admins, Facts { not_checked, not_applied, functions, wildcards, stacks, exposed, places })
}

/// Where the first permission of each technique that works for someone is granted.
fn places(survey: &Survey<'_>, edges: &[Edge]) -> BTreeMap<(Subject, &'static str), String> {
    let mut places = BTreeMap::new();
    for edge in edges {
        let key = (edge.from.clone(), edge.technique);
        if places.contains_key(&key) {
            continue;
        }
        let start = edge.from.arn().and_then(|arn| survey.place(arn)).and_then(|place| survey.person(place));
        let first = edge.technique().and_then(|technique| technique.requires.first());
        if let (Some(person), Some(first)) = (start, first)
            && let Some((policy, statement)) = person.grant(first.action.as_str())
        {
            places.insert(key, format!("policy `{policy}` of {}, statement {statement}", person.arn));
        }
    }
    places
}

/// What the snapshot holds that this room cannot judge.
fn not_judged(survey: &Survey<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for home in &survey.homes {
        for (kind, resources) in &home.resources {
            let searched =
                catalogue().techniques().iter().any(|t| t.resource.as_ref().is_some_and(|r| r.kind == **kind));
            if let (ResourceKind::Unknown(kind), false) = (kind, searched) {
                found.insert(format!(
                    "account {}: {} of the unknown kind `{kind}`",
                    home.id,
                    iam_model::text::counted(resources.len() as u64, "resource")
                ));
            }
        }
    }
    for person in &survey.people {
        for held in &person.policies {
            let statements = held.document.statements.iter().flat_map(|s| &s.unknown);
            for unknown in held.document.unknown.iter().chain(statements) {
                found.insert(format!("{}: policy `{}`: {}", person.arn, held.name, unknown.what));
            }
        }
    }
    found
}

fn functions(survey: &Survey<'_>) -> BTreeMap<Arn, BTreeSet<Arn>> {
    let mut functions: BTreeMap<Arn, BTreeSet<Arn>> = BTreeMap::new();
    for resource in survey.homes.iter().filter_map(|home| home.resources.get(&ResourceKind::LambdaFunction)).flatten() {
        if let Some(role) = &resource.role {
            functions.entry(role.clone()).or_default().insert(resource.arn.clone());
        }
    }
    functions
}

/// The stack each function that shares its role belongs to.
fn stacks(survey: &Survey<'_>, functions: &BTreeMap<Arn, BTreeSet<Arn>>) -> BTreeMap<Arn, String> {
    let shares = |role: &Arn| functions.get(role).is_some_and(|functions| functions.len() > 1);
    let all = survey.homes.iter().filter_map(|home| home.resources.get(&ResourceKind::LambdaFunction)).flatten();
    let sharing = all.filter(|resource| resource.role.as_ref().is_some_and(shares));
    let stack = |api: &Value| Some(api.get("Tags")?.get("aws:cloudformation:stack-name")?.as_str()?.to_owned());
    sharing.filter_map(|resource| Some((resource.arn.clone(), stack(&resource.api)?))).collect()
}

/// Statements of the functions' roles that allow every action of a service, or writing to every resource.
fn wildcards(survey: &Survey<'_>, functions: &BTreeMap<Arn, BTreeSet<Arn>>) -> Vec<Wildcard> {
    let people = functions.keys().filter_map(|arn| survey.person(survey.place(arn)?));
    let mut found = Vec::new();
    for person in people {
        for held in &person.policies {
            let allows = |s: &&Statement| s.effect == Effect::Allow;
            for (at, statement) in held.document.statements.iter().enumerate().filter(|(_, s)| allows(s)) {
                found.extend(wildcard(statement).map(|what| Wildcard {
                    principal: person.arn.clone(),
                    policy: held.name.to_owned(),
                    statement: at,
                    what,
                }));
            }
        }
    }
    found
}

fn wildcard(statement: &Statement) -> Option<String> {
    let everywhere = statement.resource.patterns().iter().any(|pattern| pattern.value.is_everything());
    match &statement.action {
        ActionElement::NotAction(_) => Some("allows every action but those it lists".into()),
        ActionElement::Action(patterns) => {
            let whole = |text: &str| text == "*" || text.ends_with(":*");
            let pattern = patterns.iter().find(|pattern| whole(pattern.value.as_str()))?;
            let on = if everywhere { " on every resource" } else { "" };
            Some(format!("allows `{}`{on}", pattern.value))
        }
    }
}
