//! Laws that hold for every text: no panic, equal results for equal input, and nothing that vanishes without a word.

use proptest::prelude::*;

use super::read;
use crate::json::{Limits, Value, parse};
use crate::snapshot::{Snapshot, SnapshotIndex};
use crate::text::{SourceName, SourceText};

const GOOD: &str = include_str!("../../../../../testdata/accounts/one-account.json");

fn source(text: String) -> SourceText {
    SourceText { name: SourceName::new("s.json"), text }
}

/// Reads, indexes and looks everything up: how many things are in it, and how many diagnostics there were.
fn use_all(text: &str) -> Option<(usize, usize)> {
    let (snapshot, diagnostics) = read(source(text.to_owned())).ok()?;
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    for role in index.roles() {
        let arn = &role.identity.arn;
        let _ = (index.identity_policies(arn), index.boundary(arn), index.functions_of(arn));
    }
    for user in index.users() {
        let _ = index.identity_policies(&user.identity.arn);
    }
    Some((things(&snapshot), diagnostics.len() + dangling.len()))
}

fn things(snapshot: &Snapshot) -> usize {
    let accounts = snapshot.accounts.values().map(|account| {
        let identities =
            account.users.iter().map(|user| &user.identity).chain(account.roles.iter().map(|r| &r.identity));
        let policies: usize = identities.map(|i| i.inline_policies.len() + i.attached_policies.len()).sum();
        policies
            + account.users.len()
            + account.groups.len()
            + account.roles.len()
            + account.managed_policies.len()
            + account.resources.len()
            + account.resource_policies.len()
            + account.access_keys.len()
            + account.login_profiles.len()
    });
    snapshot.accounts.len() + accounts.sum::<usize>()
}

/// The values of a tree, counted as they stand, with the one at `place` replaced.
fn replaced(value: &Value, place: usize, by: &Value, at: &mut usize) -> Value {
    let here = *at;
    *at += 1;
    if here == place {
        return by.clone();
    }
    match value {
        Value::Array(items) => Value::Array(items.iter().map(|item| replaced(item, place, by, at)).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, item)| (key.clone(), replaced(item, place, by, at))).collect())
        }
        other => other.clone(),
    }
}

fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Bool(true)),
        Just(Value::number(7)),
        Just(Value::text("x")),
        Just(Value::text("arn:aws:iam::1:role/é")),
        Just(Value::Array(vec![Value::Null, Value::text("%zz")])),
        Just(Value::Object(vec![("Arn".into(), Value::number(1)), ("schema".into(), Value::Null)])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bytes_changed_anywhere_never_panic(edits in prop::collection::vec((0..GOOD.len(), any::<u8>(), 0_usize..4), 1..6)) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (place, byte, cut) in edits {
            let from = place.min(bytes.len());
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, [byte]);
        }
        let text = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(use_all(&text), use_all(&text));
    }

    #[test]
    fn a_value_of_the_wrong_kind_never_makes_a_part_vanish_unsaid(place in 0_usize..120, by in strange()) {
        let arena = crate::json::Arena::new();
        let good = parse(&arena, GOOD, Limits::FILE).unwrap().to_value();
        let text = replaced(&good, place, &by, &mut 0).to_compact();
        let (before, _) = use_all(GOOD).unwrap();
        if let Some((after, diagnostics)) = use_all(&text) {
            prop_assert!(after >= before || diagnostics > 0, "{before} things, then {after}: {text}");
        }
    }
}
