//! The catalogue is whole, and an entry in unknown words is put aside by name.

use std::collections::BTreeSet;

use super::read::read;
use super::{Gain, Place, TargetKind, catalogue};

#[test]
fn every_entry_is_understood() {
    assert_eq!(catalogue().not_understood(), &[] as &[String]);
    assert!(catalogue().techniques().len() >= 117);
}

#[test]
fn ids_are_unique_and_variants_exist() {
    let techniques = catalogue().techniques();
    let ids: BTreeSet<&str> = techniques.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(ids.len(), techniques.len());
    for technique in techniques {
        let parent = technique.variant_of.as_deref();
        assert!(parent.is_none_or(|parent| ids.contains(parent)), "{}: {parent:?}", technique.id);
    }
}

#[test]
fn entries_hold_together() {
    for technique in catalogue().techniques() {
        let id = &technique.id;
        let places: BTreeSet<Place> = technique.requires.iter().map(|r| r.on).collect();
        assert!(!places.contains(&Place::Resource) || technique.resource.is_some(), "{id}: which resource?");
        let passes = technique.requires.iter().any(|r| r.action.as_str() == "iam:PassRole");
        assert!(!passes || technique.target == TargetKind::Role, "{id}: a role is passed");
        assert!(!passes || !technique.trusts.is_empty(), "{id}: passed to which service?");
        assert!(technique.gains != Gain::JoinGroup || technique.target == TargetKind::Group, "{id}: which group?");
    }
}

#[test]
fn an_unknown_word_puts_the_entry_aside() {
    let entry = |when: &str| {
        format!(
            r#"{{"schema": "paring-techniques/1", "techniques": [{{"id": "t-1", "category": "self-escalation",
            "target": "self", "requires": [{{"action": "iam:PutUserPolicy", "on": "self"}}], "when": ["{when}"],
            "gains": "rewrite-own-policy"}}]}}"#
        )
    };
    assert_eq!(read(&entry("start-is-user")).techniques().len(), 1);
    let catalogue = read(&entry("moon-is-full"));
    assert!(catalogue.techniques().is_empty());
    assert!(catalogue.not_understood()[0].contains("t-1: unknown prerequisite `moon-is-full`"));
    assert!(!read(r#"{"schema": "paring-techniques/9"}"#).not_understood().is_empty());
}
