//! Selectors in, coverage out: one case per kind of selector AWS documents.

use super::*;
use crate::json::{Limits, parse};

/// Coverage in one line: management sides, excluded sources, whole types, types in part, regions.
fn shown(trails: &str) -> String {
    let arena = crate::json::Arena::new();
    let node = parse(&arena, trails, Limits::FILE).unwrap();
    let coverage = read(node.items());
    let side = |on: bool, letter: &str| if on { letter.to_owned() } else { "-".to_owned() };
    let list = |set: &BTreeSet<String>| set.iter().map(|t| t.trim_start_matches("AWS::")).collect::<Vec<_>>().join(",");
    format!(
        "{}{} not[{}] all[{}] some[{}] in[{}]",
        side(coverage.management_read, "r"),
        side(coverage.management_write, "w"),
        list(&coverage.excluded_sources),
        list(&coverage.data_types),
        list(&coverage.partial_data_types),
        coverage.regions.map_or_else(|| "*".to_owned(), |regions| list(&regions)),
    )
}

fn wide(selectors: &str) -> String {
    format!(r#"{{"IsMultiRegionTrail": true, "event_selectors": {selectors}}}"#)
}

fn check(trails: &[String], expected: &str) {
    assert_eq!(shown(&format!("[{}]", trails.join(","))), expected, "{trails:?}");
}

#[test]
fn basic_selectors() {
    let basic = |inner: &str| wide(&format!(r#"{{"EventSelectors": [{inner}]}}"#));
    check(&[basic(r#"{"ReadWriteType": "All", "IncludeManagementEvents": true}"#)], "rw not[] all[] some[] in[*]");
    check(&[basic(r#"{"ReadWriteType": "WriteOnly"}"#)], "-w not[] all[] some[] in[*]");
    check(&[basic(r#"{"ReadWriteType": "Sometimes"}"#)], "-- not[] all[] some[] in[*]");
    check(
        &[basic(r#"{"IncludeManagementEvents": true, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}"#)],
        "rw not[kms.amazonaws.com] all[] some[] in[*]",
    );
    check(
        &[basic(
            r#"{"IncludeManagementEvents": false, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::"]},
                {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda:us-east-1:111122223333:function:f"]}]}"#,
        )],
        "-- not[] all[S3::Object] some[Lambda::Function] in[*]",
    );
    check(
        &[basic(
            r#"{"ReadWriteType": "ReadOnly", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}"#,
        )],
        "r- not[] all[] some[S3::Object] in[*]",
    );
}

#[test]
fn advanced_selectors() {
    let advanced = |fields: &str| wide(&format!(r#"{{"AdvancedEventSelectors": [{{"FieldSelectors": [{fields}]}}]}}"#));
    let management = r#"{"Field": "eventCategory", "Equals": ["Management"]}"#;
    let data =
        r#"{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::SQS::Queue"]}"#;
    check(&[advanced(management)], "rw not[] all[] some[] in[*]");
    check(
        &[advanced(&format!(r#"{management}, {{"Field": "readOnly", "Equals": ["false"]}}"#))],
        "-w not[] all[] some[] in[*]",
    );
    check(
        &[advanced(&format!(r#"{management}, {{"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}}"#))],
        "rw not[kms.amazonaws.com] all[] some[] in[*]",
    );
    check(
        &[advanced(&format!(r#"{management}, {{"Field": "eventSource", "Equals": ["kms.amazonaws.com"]}}"#))],
        "-- not[] all[] some[] in[*]",
    );
    check(&[advanced(data)], "-- not[] all[SQS::Queue] some[] in[*]");
    check(
        &[advanced(&format!(r#"{data}, {{"Field": "resources.ARN", "StartsWith": ["arn:aws:sqs:us-east-1:1"]}}"#))],
        "-- not[] all[] some[SQS::Queue] in[*]",
    );
    check(
        &[advanced(&format!(r#"{data}, {{"Field": "eventName", "Equals": ["SendMessage"]}}"#))],
        "-- not[] all[] some[SQS::Queue] in[*]",
    );
}

#[test]
fn trails_are_taken_together() {
    let reads = wide(r#"{"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}"#);
    let writes = wide(r#"{"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}"#);
    check(&[reads.clone(), writes], "rw not[] all[] some[] in[*]");
    let stopped = reads.replacen('{', r#"{"IsLogging": false, "#, 1);
    check(&[stopped], "-- not[] all[] some[] in[]");
}

#[test]
fn trails_of_single_regions_count_where_they_are() {
    let narrow = |region: &str, types: &str| {
        format!(
            r#"{{"IsMultiRegionTrail": false, "HomeRegion": "{region}", "event_selectors": {{"EventSelectors": [
               {{"ReadWriteType": "All", "DataResources": [{types}]}}]}}}}"#
        )
    };
    let lambda = r#"{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}"#;
    check(&[narrow("us-east-1", lambda)], "rw not[] all[Lambda::Function] some[] in[us-east-1]");
    check(
        &[narrow("us-east-1", lambda), narrow("eu-west-1", "")],
        "rw not[] all[] some[Lambda::Function] in[eu-west-1,us-east-1]",
    );
    let wide = wide(r#"{"EventSelectors": [{"ReadWriteType": "All"}]}"#);
    check(&[narrow("us-east-1", lambda), wide], "rw not[] all[] some[Lambda::Function] in[*]");
}

#[test]
fn nothing_given_is_nothing_recorded() {
    check(&[], "-- not[] all[] some[] in[]");
    check(&["{}".into(), "null".into(), "3".into()], "-- not[] all[] some[] in[]");
    check(&[r#"{"IsMultiRegionTrail": true, "HasCustomEventSelectors": false}"#.into()], "rw not[] all[] some[] in[*]");
}
