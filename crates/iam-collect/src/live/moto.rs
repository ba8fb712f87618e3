//! An account of moto, collected through the real clients: the snapshot equals what was made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use iam_model::json::{Arena, Limits, Node, Value, parse};
use iam_model::policy::{PolicyDocument, PrintStyle, print};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

use super::moto_server::Moto;
use super::{Order, collect_with};
use crate::stub::{CANARY, QUICK, config};
use crate::{connect::block_on, file_form};

/// A policy in one way of writing it.
fn printed(node: &Node<'_>) -> String {
    let text = node.to_value().to_compact();
    let (document, said) = iam_model::policy::parse(&SourceText { name: SourceName::new("seed"), text });
    assert!(said.is_empty(), "{said:?}");
    compact(&document)
}

fn compact(document: &PolicyDocument) -> String {
    print(document, PrintStyle::Compact)
}

fn text<'n>(node: &'n Node<'_>, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::as_str)
}

#[test]
fn the_snapshot_of_a_seeded_account_equals_the_seed() {
    let Some(mut moto) = Moto::start() else { return };
    let answer = moto.ask(r#"{"do": "seed"}"#);
    let arena = Arena::new();
    let seed = parse(&arena, &answer, Limits::FILE).unwrap();
    let told = Mutex::new(Vec::new());
    let (snapshot, diagnostics) = block_on(collect_with(&config(&moto.url), &Order::default(), QUICK, &|progress| {
        told.lock().unwrap().push(progress.clone());
    }))
    .unwrap()
    .unwrap();
    let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("only us-east-1 was asked"), "{said:?}");
    let told = told.into_inner().unwrap();
    assert_eq!((told.len(), told[0].failed, told[0].kept), (1, 0, 0), "{told:?}");
    same_roles(&snapshot, &seed);
    same_functions(&snapshot, &seed);
    same_policies(&snapshot, &seed);
    same_guardrails(&snapshot, &seed);
    same_sources(&snapshot, &seed);
    same_stacks(&snapshot, &seed);
    let account = snapshot.accounts.values().next().unwrap();
    assert_eq!(
        (account.access_keys.get("ada"), account.login_profiles.as_slice()),
        (Some(&1), &["ada".to_owned()][..])
    );
    assert!(account.trails.is_some());
    assert!(!file_form(&snapshot).unwrap().contains(CANARY), "secrets stay where they are");
}

fn same_roles(snapshot: &Snapshot, seed: &Node<'_>) {
    let (index, _) = SnapshotIndex::new(snapshot);
    let mut found = BTreeMap::new();
    for role in index.roles() {
        let identity = &role.identity;
        let inline: BTreeMap<&str, String> =
            identity.inline_policies.iter().map(|policy| (policy.name.as_str(), compact(&policy.document))).collect();
        let attached: BTreeSet<String> = identity.attached_policies.iter().map(ToString::to_string).collect();
        let boundary = identity.boundary.as_ref().map(ToString::to_string);
        found.insert(
            identity.name.clone(),
            format!("{} {inline:?} {attached:?} {boundary:?} {}", compact(&role.trust), identity.tags["team"]),
        );
    }
    let mut made = BTreeMap::new();
    for member in seed.get("roles").unwrap().members() {
        let role = &member.value;
        let inline: BTreeMap<&str, String> =
            role.get("inline").unwrap().members().iter().map(|policy| (policy.key, printed(&policy.value))).collect();
        let attached: BTreeSet<String> =
            role.get("attached").unwrap().items().iter().map(|arn| arn.as_str().unwrap().to_owned()).collect();
        let boundary = text(role, "boundary").map(ToOwned::to_owned);
        let trust = printed(role.get("trust").unwrap());
        made.insert(
            member.key.to_owned(),
            format!("{trust} {inline:?} {attached:?} {boundary:?} {}", text(role, "team").unwrap()),
        );
    }
    // Beside those made by name there is that of the stack.
    found.remove("stacked");
    assert_eq!(found.len(), 130);
    assert_eq!(found, made);
}

fn same_functions(snapshot: &Snapshot, seed: &Node<'_>) {
    let (index, _) = SnapshotIndex::new(snapshot);
    let account = snapshot.accounts.values().next().unwrap();
    let functions = account.resources.iter().filter(|r| r.kind.as_str() == "lambda.function");
    let found: BTreeMap<String, String> = functions
        .map(|function| {
            let role = function.role.as_ref().map(ToString::to_string);
            let (url, source) = (function.api.get("FunctionUrlConfig"), function.api.get("EventSourceMappings"));
            assert_eq!(function.api.get("Tags").and_then(|tags| tags.get("stage")?.as_str()), Some("prod"));
            let policy = index.resource_policy(&function.arn).is_some();
            (function.arn.to_string(), format!("{role:?} {policy} {} {}", url.is_some(), source.is_some()))
        })
        .collect();
    let made: BTreeMap<String, String> = seed
        .get("functions")
        .unwrap()
        .members()
        .iter()
        .map(|member| {
            let flag = |key: &str| member.value.get(key).and_then(Node::as_bool).unwrap();
            let role = text(&member.value, "role");
            (member.key.to_owned(), format!("{role:?} {} {} {}", flag("policy"), flag("url"), flag("source")))
        })
        .collect();
    assert_eq!(found.len(), 12);
    assert_eq!(found, made);
}

/// Policies on resources other than functions; topics and keys that moto makes have one of their own.
fn same_policies(snapshot: &Snapshot, seed: &Node<'_>) {
    let account = snapshot.accounts.values().next().unwrap();
    let found: BTreeMap<String, String> = account
        .resource_policies
        .iter()
        .filter(|(arn, _)| arn.service() != "lambda")
        .map(|(arn, document)| (arn.to_string(), compact(document)))
        .collect();
    let made: BTreeMap<String, String> = seed
        .get("policies")
        .unwrap()
        .members()
        .iter()
        .map(|member| (member.key.to_owned(), printed(&member.value)))
        .collect();
    assert_eq!(found, made);
    let kinds: BTreeSet<&str> = account.resources.iter().map(|resource| resource.kind.as_str()).collect();
    for kind in [
        "s3.bucket",
        "dynamodb.table",
        "sqs.queue",
        "sns.topic",
        "kms.key",
        "secretsmanager.secret",
        "ecr.repository",
        "events.event_bus",
    ] {
        assert!(kinds.contains(kind), "no {kind} among {kinds:?}");
    }
    let secrets = account.resources.iter().filter(|r| r.kind.as_str() == "secretsmanager.secret").count();
    assert_eq!(secrets, 2, "names that differ in a slash alone are two");
}

/// What makes services call a function, aliases and grants.
fn same_sources(snapshot: &Snapshot, seed: &Node<'_>) {
    let account = snapshot.accounts.values().next().unwrap();
    for member in seed.get("sources").unwrap().members() {
        let found = account.resources.iter().find(|resource| resource.arn.as_str() == member.key);
        let (part, holds) = (text(&member.value, "part").unwrap(), text(&member.value, "holds").unwrap());
        let described = found.and_then(|resource| resource.api.get(part)).map(|part| part.to_compact());
        assert!(described.as_ref().is_some_and(|part| part.contains(holds)), "{}, {part}: {described:?}", member.key);
    }
    let rules = account.resources.iter().filter(|resource| resource.kind.as_str() == "events.rule");
    assert_eq!(rules.count(), 2, "of both buses");
}

fn same_stacks(snapshot: &Snapshot, seed: &Node<'_>) {
    let account = snapshot.accounts.values().next().unwrap();
    let stacks = account.resources.iter().filter(|resource| resource.kind.as_str() == "cloudformation.stack");
    let found: BTreeMap<String, BTreeSet<String>> = stacks
        .map(|stack| {
            let listed = stack.api.get("StackResources").unwrap().items().iter();
            let word = |resource: &Value, key: &str| resource.get(key).unwrap().as_str().unwrap().to_owned();
            let line = |resource: &Value| {
                ["LogicalResourceId", "ResourceType", "PhysicalResourceId"].map(|key| word(resource, key)).join(" ")
            };
            (stack.arn.to_string(), listed.map(line).collect())
        })
        .collect();
    let made: BTreeMap<String, BTreeSet<String>> = seed
        .get("stacks")
        .unwrap()
        .members()
        .iter()
        .map(|stack| {
            let line = |resource: &iam_model::json::Member<'_>| {
                let parts: Vec<&str> = resource.value.items().iter().filter_map(Node::as_str).collect();
                format!("{} {}", resource.key, parts.join(" "))
            };
            (stack.key.to_owned(), stack.value.members().iter().map(line).collect())
        })
        .collect();
    assert_eq!(found.values().map(BTreeSet::len).collect::<Vec<_>>(), [2]);
    assert_eq!(found, made);
}

fn same_guardrails(snapshot: &Snapshot, seed: &Node<'_>) {
    let organization = snapshot.organization.as_ref().unwrap();
    for kind in ["scps", "rcps"] {
        for member in seed.get(kind).unwrap().members() {
            let account = &organization.accounts[&member.key.parse().unwrap()];
            let levels = if kind == "scps" { &account.scps } else { &account.rcps };
            // AWS's own policy that allows everything hangs on each level, beside what was made.
            let found: Vec<BTreeSet<String>> =
                levels.iter().map(|level| level.iter().map(compact).filter(|p| p.contains("Deny")).collect()).collect();
            let made: Vec<BTreeSet<String>> =
                member.value.items().iter().map(|level| level.items().iter().map(printed).collect()).collect();
            assert_eq!(found, made, "{kind} of {}", member.key);
            let allowing = levels.iter().flatten().filter(|policy| !compact(policy).contains("Deny")).count();
            assert_eq!(allowing, levels.len(), "{kind} of {}", member.key);
        }
    }
}
