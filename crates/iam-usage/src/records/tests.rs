//! Forms of logs, and what is no log.

use super::*;
use crate::feed::Room;

#[derive(Default)]
struct Names(Vec<String>, Memory);

impl Take for Names {
    fn known(&mut self, _: &[u8]) -> Option<usize> {
        None
    }

    fn memory(&self) -> &Memory {
        &self.1
    }

    fn found(&mut self, found: Found<'_, '_>) {
        self.0.push(match found {
            Found::Record(event) => Event::text(event.event_name).unwrap_or_default().into_owned(),
            Found::Summed(row) => format!("{}x", row.calls),
            Found::NoRecord(_) => "!".into(),
        });
    }
}

/// Event names found, `!` for something else in a record's place, then what was wrong.
fn check(text: &[u8], expected: &str) {
    let mut names = Names::default();
    let mut feed = Feed::new(Box::new(text), Room::default());
    let (shape, broken) = each(&mut feed, &mut names);
    let found = format!("{} {shape:?} {broken:?}", names.0.join(","));
    let form = found.replace("Shape { holds_records: ", "").replace(" is_digest: ", "").replace(" }", "");
    assert_eq!(form, expected, "{}", String::from_utf8_lossy(text));
}

#[test]
fn every_form_gives_its_records() {
    check(br#"{"Records": [{"eventName": "A"}, {"eventName": "B"}]}"#, "A,B true,false None");
    check(b"{\"eventName\": \"A\"}\n{\"awsRegion\": \"x\", \"eventName\": \"B\"}\n", "A,B true,false None");
    check(br#" [{"eventName": "A"}]"#, "A true,false None");
    check(
        br#"{"Events": [{"EventId": "1", "CloudTrailEvent": "{\"eventName\": \"A\"}"}], "NextToken": "x"}"#,
        "A true,false None",
    );
    check(b"{\"Records\": []}\n{\"Records\": [{\"eventName\": \"A\"}]}", "A true,false None");
    check(b"\xef\xbb\xbf{\"Records\": [{\"eventName\": \"A\"}]}", "A true,false None");
}

#[test]
fn a_looked_up_record_is_unwrapped_whatever_the_wrapper_names() {
    // All that `aws cloudtrail lookup-events` prints: its names are a record's own, but for their case.
    let head = br#"{"EventId": "1", "EventName": "Outer", "ReadOnly": "false", "AccessKeyId": "ASIAX", "EventTime": "2026-09-30T12:00:00+00:00",
        "EventSource": "dynamodb.amazonaws.com", "Username": "app", "Resources": [], "#;
    let within = br#""CloudTrailEvent": "{\"eventName\": \"A\", \"eventTime\": \"2026-09-30T12:00:00Z\"}""#;
    let item = [&head[..], within, b"}"].concat();
    let turned = [&b"{"[..], within, b", ", &head[1..head.len() - 2], b"}"].concat();
    for item in [&item, &turned] {
        check(&[&b"{\"Events\": ["[..], item, b"]}"].concat(), "A true,false None");
        check(item, "A true,false None");
        check(&[&b"["[..], item, b"]"].concat(), "A true,false None");
    }
    let broken = [&head[..], br#""CloudTrailEvent": "no record"}"#].concat();
    check(&broken, "! true,false None");
}

#[test]
fn rows_of_exports_are_records() {
    let csv = "eventversion,useridentity,eventtime,eventsource,eventname\n1.08,{type=Root},2026-11-20T08:15:30Z,s3.amazonaws.com,A\n\n\"1.08\",\"{\"\"type\"\": \"\"Root\"\"}\",x,s3.amazonaws.com,B";
    check(csv.as_bytes(), "A,B true,false None");
    check(b"eventName,eventSource\n\"A", " true,false Some(CutOff)");
    check(b"name,size\nA,B\n", " false,false Some(NotJson)");
    check(b"eventjson\n\"{\"\"eventName\"\": \"\"A\"\"}\"\n", "A true,false None");
    check(
        br#"{"QueryStatus": "FINISHED", "QueryResultRows": [[{"eventName": "A"}, {"eventTime": "x"}], []]}"#,
        "A,! true,false None",
    );
    check(b"{\"eventname\": \"A\", \"useridentity\": {}}\n{\"eventname\": \"B\"}", "A,B true,false None");
}

#[test]
fn rows_of_counts_are_found() {
    check(
        b"\"paring_rows\",\"calls\",\"copies\"\n\"1\",\"3\",\"0\"\n\"2\",\"4\",\"0\"\n\"1\",\"5\",\"\"\n",
        "3x,!,! true,false None",
    );
    check(b"{\"paring_rows\":1,\"calls\":3,\"copies\":0}\n{\"paring_rows\":1}", "3x,! true,false None");
    check(b"{\"paring_rows\":1,\"calls\"", " true,false Some(CutOff)");
}

#[test]
fn what_is_no_log_is_told() {
    check(br#"{"awsAccountId": "1", "digestStartTime": "x", "logFiles": [{"s3Bucket": "b"}]}"#, " false,true None");
    check(br#"{"hello": {"Records": 3}}"#, " false,false None");
    check(b"", " false,false None");
    check(b"<html>", " false,false Some(NotJson)");
    check(b"\xff\xfe{\0", " false,false Some(NotJson)");
}

#[test]
fn what_can_be_read_before_the_break_is() {
    check(br#"{"Records": [{"eventName": "A"}, {"eventNa"#, "A true,false Some(CutOff)");
    check(br#"{"Records": [{"eventName": "A"} {"eventName" "B"}]}"#, "A true,false Some(NotJson)");
    check(br#"{"Records": [7, {"eventName": "A"}, null, {"x": 1}]}"#, "!,A,!,! true,false None");
}

#[test]
fn a_record_that_is_too_large_is_refused_and_the_next_one_read() {
    let large = "x".repeat(RECORD_LIMIT + 10);
    let text =
        format!(r#"{{"Records": [{{"eventName": "A", "requestParameters": "{large}"}}, {{"eventName": "B"}}]}}"#);
    check(text.as_bytes(), "!,B true,false None");
}

#[test]
fn nesting_has_no_floor_to_fall_through() {
    let deep = "[".repeat(200_000);
    check(format!(r#"{{"Records": [{{"eventName": "A", "x": {deep}"#).as_bytes(), " true,false Some(CutOff)");
}
