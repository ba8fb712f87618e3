//! The claim over recorded and documented verdicts, and its rules for each kind of attachment.

use std::path::PathBuf;

use iam_model::json::{self, Limits as JsonLimits, Node};
use iam_model::policy::{from_json, parse};
use iam_model::text::{SourceName, SourceText};

use super::*;
use pairs::Generator;

#[path = "../../../iam-evaluate/benches/pairs/mod.rs"]
mod pairs;

/// The pairs of the benchmark: what the search proves the checker accepts, what it refutes evaluation confirms.
#[test]
fn versions_of_policies_are_all_decided() {
    let catalog = Catalog::embedded().unwrap();
    let mut generator = Generator::new(&catalog, 0x0123_4567_89ab_cdef);
    let document = |text: String| parse(&SourceText { name: SourceName::new("p.json"), text }).0;
    let mut outcomes = [0, 0];
    for _ in 0..400 {
        let (new, old) = generator.pair(6, 10, 6_144);
        let verdict = check_documents(&[document(old.clone())], &[document(new.clone())], Limits::default());
        match verdict.outcome {
            Outcome::Proved { .. } => outcomes[0] += 1,
            Outcome::Refuted { .. } => outcomes[1] += 1,
            Outcome::Undecided { why } => panic!("{why}\nnew {new}\nold {old}"),
        }
    }
    assert!(outcomes.iter().all(|count| *count > 100), "{outcomes:?}");
}

fn cases(file: &str) -> Option<String> {
    let root = std::env::var_os("PARING_CONFORMANCE").map_or_else(|| PathBuf::from("../../../shared"), PathBuf::from);
    let path = root.join("vectors/verification").join(file);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("SKIPPED: {} is not there; set PARING_CONFORMANCE", path.display());
    }
    text
}

fn policy(node: &Node<'_>) -> PolicyDocument {
    let source = SourceText { name: SourceName::new("case"), text: String::new() };
    from_json(node, &source, "").0
}

#[test]
fn verdicts_agree_with_those_aws_recorded_or_documented() {
    let Some(text) = cases("no_new_access.jsonl") else { return };
    let (mut right, mut undecided, mut wrong) = (0, Vec::new(), Vec::new());
    for line in text.lines() {
        let arena = json::Arena::new();
        let node = json::parse(&arena, line, JsonLimits::FILE).unwrap();
        let (new, old) = (policy(node.get("new_policy").unwrap()), policy(node.get("existing_policy").unwrap()));
        let id = node.get("id").unwrap().as_str().unwrap();
        let verdict = check(AttachmentKind::Identity, Some(&old), Some(&new), Limits::default());
        match (node.get("expected").unwrap().as_str().unwrap(), &verdict.outcome) {
            ("PASS", Outcome::Proved { .. }) | ("FAIL", Outcome::Refuted { .. }) => right += 1,
            (_, Outcome::Undecided { why }) => undecided.push(format!("{id}: {why}")),
            (expected, _) => wrong.push(format!("{id}: expected {expected}")),
        }
    }
    eprintln!("{right} right, {} undecided, {} wrong", undecided.len(), wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(undecided.len() * 100 <= right, "{undecided:#?}");
}

#[test]
fn access_that_is_listed_is_found_as_recorded() {
    let Some(text) = cases("access_not_granted.jsonl") else { return };
    for line in text.lines() {
        let arena = json::Arena::new();
        let node = json::parse(&arena, line, JsonLimits::FILE).unwrap();
        let policy = policy(node.get("new_policy").unwrap());
        let access = node.get("access").unwrap();
        let list = |key| access.get(key).map_or(&[][..], |n| n.items()).iter().filter_map(Node::as_str);
        let access = crate::not_granted::Access {
            actions: list("actions").map(ActionPattern::new).collect(),
            resources: list("resources").map(ResourcePattern::new).collect(),
        };
        let outcome = crate::not_granted::check(&policy, &access, Limits::default()).outcome;
        let expected = if node.get("expected").unwrap().as_str() == Some("PASS") { "proved" } else { "refuted" };
        assert_eq!(outcome.as_str(), expected, "{line}\n{outcome:?}");
    }
}

#[test]
fn public_policies_are_found_as_recorded() {
    let Some(text) = cases("no_public_access.jsonl") else { return };
    for line in text.lines() {
        let arena = json::Arena::new();
        let node = json::parse(&arena, line, JsonLimits::FILE).unwrap();
        let resource_type = node.get("resource_type").unwrap().as_str().unwrap().parse().unwrap();
        let outcome =
            crate::no_public::check(&policy(node.get("new_policy").unwrap()), Some(resource_type), Limits::default());
        assert_eq!(outcome.certificate.is_some(), outcome.outcome.is_proved());
        let outcome = outcome.outcome;
        let expected = if node.get("expected").unwrap().as_str() == Some("PASS") { "proved" } else { "refuted" };
        assert_eq!(outcome.as_str(), expected, "{line}\n{outcome:?}");
    }
}

fn one(effect: Effect, action: &str) -> PolicyDocument {
    let mut statement = Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::everything()]);
    statement.effect = effect;
    PolicyDocument::new(vec![statement])
}

#[test]
fn a_missing_policy_means_what_its_kind_makes_of_it() {
    use AttachmentKind as K;
    let (allow, deny) = (one(Effect::Allow, "s3:*"), one(Effect::Deny, "iam:*"));
    let cases = [
        (K::Identity, None, Some(&allow), "refuted"),
        (K::Identity, Some(&allow), None, "proved"),
        (K::Boundary, Some(&allow), None, "refuted"),
        (K::Boundary, None, Some(&allow), "proved"),
        (K::ServiceControl, None, Some(&deny), "proved"),
        (K::ServiceControl, Some(&deny), None, "refuted"),
        (K::ServiceControl, Some(&allow), None, "refuted"),
        (K::ResourceControl, Some(&deny), None, "refuted"),
        (K::ResourceControl, None, Some(&deny), "proved"),
    ];
    for (kind, before, after, expected) in cases {
        let verdict = check(kind, before, after, Limits::default());
        assert_eq!(verdict.outcome.as_str(), expected, "{kind:?} {before:?} {after:?}");
        assert_eq!(verdict.certificate.is_some(), expected == "proved");
    }
}
