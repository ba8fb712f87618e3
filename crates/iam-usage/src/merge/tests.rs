//! Merging: what a user sees of parts put together, and the laws that let any partition do.

use std::collections::BTreeSet;

use iam_model::usage::UsageLog;
use proptest::prelude::*;

use super::{MergeError, merge};
use crate::tests::catalog;
use crate::{LogSource, Options, read};

/// A record of a role on a key of a bucket.
fn record(id: usize, role: usize, bucket: usize, key: &str, session: usize, day: usize) -> String {
    format!(
        r#"{{"eventID": "{id:08x}-0000-4000-8000-000000000000", "eventTime": "2026-11-{day:02}T08:15:30Z",
        "eventSource": "s3.amazonaws.com", "eventName": "{name}", "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333", "requestParameters": {{"bucketName": "bucket-{bucket}", "key": "{key}"}},
        "vpcEndpointId": "vpce-{endpoint}", {error} "userIdentity": {{"type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/r{role}/fn-{session}", "sessionContext": {{"sessionIssuer":
        {{"type": "Role", "arn": "arn:aws:iam::111122223333:role/r{role}"}}}}}}}}"#,
        name = if id.is_multiple_of(13) { format!("NewThing{}", id % 7) } else { "GetObject".to_owned() },
        endpoint = id % 20,
        error = if id.is_multiple_of(11) { r#""errorCode": "AccessDenied","# } else { "" },
    )
}

fn file(name: String, records: &[String]) -> (String, Vec<u8>) {
    (name, format!(r#"{{"Records": [{}]}}"#, records.join(",")).into_bytes())
}

fn usage<'f>(files: impl IntoIterator<Item = &'f (String, Vec<u8>)>) -> UsageLog {
    let sources = files.into_iter().map(|(name, bytes)| LogSource::from_bytes(name, bytes.clone()));
    let (log, diagnostics) = read(sources, catalog(), &Options { threads: 1, ..Options::default() }, &|_| {});
    assert_eq!(diagnostics, []);
    log
}

/// Files of thirty days: enough names, buckets, sessions and contexts to fold all that folds.
fn days(spread: usize, roles: usize) -> Vec<(String, Vec<u8>)> {
    let day = |day: usize| {
        let records: Vec<String> = (0..60)
            .map(|n| {
                let id = day * 1000 + n;
                let key = format!("in/{}/{}", id * 7 % spread, id);
                record(id, id % roles, id * 31 % spread % 600, &key, (id * 17 + day * 7) % spread % 90, day)
            })
            .collect();
        file(format!("AWSLogs/1_CloudTrail_eu-west-1_202611{day:02}T0815Z_x.json"), &records)
    };
    (1..=30).map(day).collect()
}

#[test]
fn thirty_days_in_any_order_give_what_one_run_gives() {
    for (spread, roles) in [(3, 5), (40, 3), (1000, 1), (7919, 1)] {
        let files = days(spread, roles);
        let whole = usage(&files);
        let parts: Vec<UsageLog> = files.iter().map(|file| usage([file])).collect();
        let backwards: Vec<UsageLog> = parts.iter().rev().cloned().collect();
        assert_eq!(merge(parts).unwrap().log, whole, "{spread}");
        assert_eq!(merge(backwards).unwrap().log, whole, "{spread} backwards");
    }
}

#[test]
fn everything_that_folds_is_folded_in_these_tests() {
    let of = |spread, roles| usage(&days(spread, roles)).merging;
    let folded: BTreeSet<(bool, bool, bool)> = [of(1000, 1), of(7919, 1), of(3, 1)]
        .iter()
        .flat_map(|merging| merging.folded.values().flat_map(|rows| rows.values()))
        .map(|folded| (folded.depth.is_some(), folded.services, folded.contexts))
        .collect();
    assert!(folded.iter().any(|(depth, ..)| *depth), "{folded:?}");
    assert!(folded.iter().any(|(_, services, _)| *services), "{folded:?}");
    assert!(folded.iter().any(|(.., contexts)| *contexts), "{folded:?}");
    assert!(!of(1000, 1).functions_folded.is_empty());
}

#[test]
fn what_others_hold_already_adds_nothing() {
    let files = days(40, 2);
    let (first, second, both) = (usage([&files[0]]), usage([&files[1]]), usage(&files[..2]));
    let merged = merge(vec![first.clone(), second, first.clone(), both.clone()]).unwrap();
    assert_eq!((&merged.log, merged.absorbed), (&both, vec![0, 1, 2]));
    // A copy by another name and in another form is the same source.
    let renamed = usage([&("elsewhere/copy.json".to_owned(), files[0].1.clone())]);
    assert_eq!(merge(vec![first.clone(), renamed]).unwrap().log, first);
    assert_eq!(merge(vec![UsageLog::default(), first.clone(), UsageLog::default()]).unwrap().log, first);
}

#[test]
fn an_overlap_that_cannot_be_taken_apart_is_refused() {
    let files = days(40, 2);
    let (left, right) = (usage(&files[..2]), usage(&files[1..3]));
    let error = merge(vec![left, right]).unwrap_err();
    let MergeError::Overlap { logs, shared, example } = error else { panic!("{error:?}") };
    assert_eq!((logs, shared, example.records), ((0, 1), 1, 60));
}

#[test]
fn logs_of_other_filters_or_other_words_on_the_same_sources_are_refused() {
    let files = days(40, 2);
    let whole = usage(&files[..1]);
    let mut other = whole.clone();
    other.merging.filter = Some("role r1".into());
    assert!(matches!(merge(vec![whole.clone(), other]), Err(MergeError::Filters { .. })));
    let mut other = whole.clone();
    other.observed += 1;
    assert_eq!(merge(vec![whole, other]), Err(MergeError::Contradiction { logs: (0, 1) }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn merging_is_associative_and_commutative_and_forgets_repeats(
        seeds in proptest::collection::vec((0_usize..4, 0_usize..400, 0_usize..5000, 0_usize..90, 1_usize..29), 3..400),
        cuts in (1_usize..100, 1_usize..100), spread in 1_usize..400,
    ) {
        let records: Vec<String> = seeds.iter().enumerate()
            .map(|(id, (role, bucket, key, session, day))| {
                let key = format!("a/{}/{}/{key}", key % 3, key % 50);
                record(id, role % 2, bucket % spread, &key, *session, *day)
            })
            .collect();
        let first = (cuts.0 % (records.len() - 2)) + 1;
        let second = first + 1 + cuts.1 % (records.len() - first - 1).max(1);
        let second = second.min(records.len() - 1);
        let parts = [&records[..first], &records[first..second], &records[second..]];
        let files: Vec<(String, Vec<u8>)> =
            parts.iter().enumerate().map(|(n, part)| file(format!("{n}.json"), part)).collect();
        let whole = usage(&files);
        let [a, b, c] = [0, 1, 2].map(|n| usage([&files[n]]));
        let two = |a: &UsageLog, b: &UsageLog| merge(vec![a.clone(), b.clone()]).unwrap().log;
        prop_assert_eq!(&two(&two(&a, &b), &c), &whole);
        prop_assert_eq!(&two(&a, &two(&c, &b)), &whole);
        prop_assert_eq!(&two(&whole, &b), &whole);
        prop_assert_eq!(&merge(vec![c, a.clone(), b, a]).unwrap().log, &whole);
    }
}
