//! Logs made to hurt: nothing panics, nothing is lost in silence, and one bad log never spoils the others.

use std::io::{Cursor, Read, Write};

use iam_model::diagnostic::Diagnostic;
use iam_model::usage::UsageLog;
use proptest::prelude::*;

use crate::feed::RECORD_LIMIT;
use crate::{LogSource, Options, read};

const RECORD: &str = r#"{"eventTime": "2026-11-20T08:15:30Z", "eventSource": "dynamodb.amazonaws.com", "eventName": "PutItem",
    "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "requestParameters": {"tableName": "T"},
    "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role",
    "arn": "arn:aws:iam::111122223333:role/r"}}}}"#;

fn run(logs: Vec<Vec<u8>>) -> (UsageLog, Vec<Diagnostic>) {
    let sources = logs.into_iter().enumerate().map(|(n, bytes)| LogSource::from_bytes(&format!("{n}.json"), bytes));
    let (log, diagnostics) = read(sources, super::catalog(), &Options { threads: 1, ..Options::default() }, &|_| {});
    super::check_sum(&log);
    (log, diagnostics)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn whole(records: &[&str]) -> String {
    format!(r#"{{"Records": [{}]}}"#, records.join(","))
}

/// Reads a good log after the bad one: how many calls were observed, and what was said.
fn check(bad: Vec<u8>, observed: u64, said: &[&str]) {
    let (log, diagnostics) = run(vec![bad, whole(&[RECORD]).into_bytes()]);
    let messages: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(log.observed, observed + 1, "{messages:?}");
    assert_eq!(messages.len(), said.len(), "{messages:?}");
    for (message, part) in messages.iter().zip(said) {
        assert!(message.contains("0.json") && message.contains(part), "{message} should say {part}");
    }
}

#[test]
fn half_a_gzip() {
    let filler: String = (0..40_000).map(|n| format!(" {}", n * 7919 % 10_007)).collect();
    let text = format!(r#"{{"x": "{filler}", "Records": [{RECORD}, {RECORD}], "y": "{filler}"}}"#);
    let bytes = gzip(&text);
    check(bytes[..bytes.len() * 3 / 4].to_vec(), 2, &["damaged or cut off"]);
    check(bytes[..9].to_vec(), 0, &["damaged or cut off"]);
    let mut trailed = bytes;
    trailed.extend(b"trailing rubbish");
    check(trailed, 2, &["damaged or cut off"]);
}

#[test]
fn text_that_is_cut_off_or_no_json() {
    let text = whole(&[RECORD, RECORD]);
    check(text.as_bytes()[..text.len() - 40].to_vec(), 1, &["ends within a value"]);
    check(format!("{RECORD}\n{RECORD}\nnot json\n").into_bytes(), 2, &["not JSON"]);
    check(b"<html><body>403</body></html>".to_vec(), 0, &["not JSON"]);
    check(b"{\"Version\": \"2012-10-17\", \"Statement\": []}".to_vec(), 0, &["not a CloudTrail log"]);
    check(Vec::new(), 0, &["not a CloudTrail log"]);
}

#[test]
fn exports_of_queries_say_the_same_as_logs() {
    let rows = |text: &str| {
        let (log, diagnostics) = run(vec![text.as_bytes().to_vec()]);
        assert_eq!(diagnostics, []);
        let seen = log.principals.values().flat_map(|used| &used.observations);
        seen.map(|o| format!("{} {} {}", o.action, o.resources[0].as_str(), o.count)).collect::<Vec<_>>()
    };
    let expected = rows(RECORD);
    assert_eq!(expected, ["dynamodb:PutItem arn:aws:dynamodb:eu-west-1:111122223333:table/T 1"]);
    let identity = "{type=AssumedRole, sessioncontext={attributes=null, sessionissuer={type=Role, arn=arn:aws:iam::111122223333:role/r}}}";
    let columns =
        "useridentity,eventtime,eventsource,eventname,awsregion,recipientaccountid,requestparameters,resources";
    let athena = format!(
        "{columns}\n\"{identity}\",2026-11-20T08:15:30Z,dynamodb.amazonaws.com,PutItem,eu-west-1,111122223333,\"{{\"\"tableName\"\":\"\"T\"\"}}\",\n"
    );
    assert_eq!(rows(&athena), expected);
    let lake = athena
        .replace("\"{\"\"tableName\"\":\"\"T\"\"}\"", "{tableName=T}")
        .replace("2026-11-20T08:15:30Z", "2026-11-20 08:15:30.000");
    assert_eq!(rows(&lake), expected);
    let unloaded = RECORD.replace("{\"tableName\": \"T\"}", r#""{\"tableName\":\"T\"}""#);
    assert_eq!(rows(&unloaded), expected);
    let small = [
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "recipientAccountId",
        "requestParameters",
        "userIdentity",
        "sessionContext",
        "sessionIssuer",
    ];
    assert_eq!(rows(&small.iter().fold(unloaded, |text, name| text.replace(name, &name.to_lowercase()))), expected);
}

#[test]
fn other_encodings_are_named() {
    let wide: Vec<u8> = whole(&[RECORD]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    check([&[0xff, 0xfe][..], &wide].concat(), 0, &["UTF-16"]);
    check(b"\xe4\xf6\xfc plain latin".to_vec(), 0, &["not UTF-8"]);
    check(b"PK\x03\x04rest".to_vec(), 0, &["zip archive"]);
    let broken = RECORD.replace("PutItem", "Put\u{1}").into_bytes();
    let broken: Vec<u8> = broken.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    check(broken, 0, &["without a readable time, event, or caller"]);
}

#[test]
fn records_that_are_too_large_or_nested_too_deep() {
    let large = RECORD.replace("\"T\"", &format!("\"{}\"", "x".repeat(RECORD_LIMIT)));
    check(whole(&[&large, RECORD]).into_bytes(), 1, &["larger than 4 MiB"]);
    let deep = RECORD.replace("\"T\"", &format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)));
    check(whole(&[&deep]).into_bytes(), 1, &[]);
    let open = RECORD.replace("\"T\"", &"{\"a\":".repeat(100_000));
    check(whole(&[&open]).into_bytes(), 0, &["ends within a value"]);
}

/// A log with one record of 100 MB before an ordinary one, made as it is read.
fn huge() -> Box<dyn Read + Send> {
    let (before, after) = RECORD.split_once("\"T\"").unwrap();
    let head = format!("{{\"Records\": [{before}\"");
    let tail = format!("\"{after},{RECORD}]}}");
    Box::new(Cursor::new(head).chain(std::io::repeat(b'x').take(100 << 20)).chain(Cursor::new(tail)))
}

#[test]
fn a_record_of_100_megabytes_is_left_out_and_the_next_one_read() {
    let sources = [LogSource::new("huge.json", None, || Ok(huge()))];
    let (log, diagnostics) = read(sources, super::catalog(), &Options { threads: 1, ..Options::default() }, &|_| {});
    super::check_sum(&log);
    assert_eq!((log.records, log.observed, diagnostics.len()), (2, 1, 1));
    assert!(diagnostics[0].to_string().contains("1 record is larger than 4 MiB"), "{}", diagnostics[0]);
}

#[test]
fn a_log_that_cannot_be_opened() {
    let sources = [
        LogSource::new("gone.json", None, || Err(std::io::Error::from(std::io::ErrorKind::NotFound))),
        LogSource::from_bytes("good.json", whole(&[RECORD]).into_bytes()),
    ];
    let (log, diagnostics) = read(sources, super::catalog(), &Options::default(), &|_| {});
    assert_eq!((log.observed, log.files, diagnostics.len()), (1, 1, 1));
    assert!(diagnostics[0].to_string().contains("gone.json: the log cannot be opened"), "{}", diagnostics[0]);
}

#[test]
fn filters_leave_out_and_say_so() {
    let filtered = |options: Options| {
        let log = LogSource::from_bytes("a.json", whole(&[RECORD]).into_bytes());
        let (log, _) = read([log], super::catalog(), &options, &|_| {});
        super::check_sum(&log);
        log.observed
    };
    let at = iam_model::time::Timestamp::parse;
    assert_eq!(filtered(Options { since: at("2026-11-20T08:15:30Z"), ..Options::default() }), 1);
    assert_eq!(filtered(Options { since: at("2026-11-20T08:15:31Z"), ..Options::default() }), 0);
    assert_eq!(filtered(Options { until: at("2026-11-20T08:15:29Z"), ..Options::default() }), 0);
    let accounts = |id: &str| [id.parse().unwrap()].into();
    assert_eq!(filtered(Options { accounts: accounts("111122223333"), ..Options::default() }), 1);
    assert_eq!(filtered(Options { accounts: accounts("444455556666"), ..Options::default() }), 0);
    let names = |name: &str| [name.to_owned()].into();
    assert_eq!(filtered(Options { roles: names("arn:aws:iam::111122223333:role/r"), ..Options::default() }), 1);
    assert_eq!(filtered(Options { roles: names("r"), ..Options::default() }), 1);
    assert_eq!(filtered(Options { roles: names("s"), ..Options::default() }), 0);
}

#[test]
fn a_million_keys_cost_a_few_rows() {
    let record = |n: usize| {
        RECORD
            .replace("dynamodb.", "s3.")
            .replace("PutItem", "GetObject")
            .replace(r#""tableName": "T""#, &format!(r#""bucketName": "b", "key": "in/{}/{n}.csv""#, n % 5))
    };
    let text: String = (0..20_000).map(|n| record(n) + "\n").collect();
    let (log, _) = run(vec![text.into_bytes()]);
    let rows: Vec<String> = log
        .principals
        .values()
        .flat_map(|u| &u.observations)
        .map(|o| format!("{} {}", o.resources[0], o.count))
        .collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0], "arn:aws:s3:::b/in/0/* 4000");
}

/// Text that looks like a log here and there.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "null",
        "1",
        " ",
        "\n",
        "\"Records\"",
        "\"Events\"",
        "\"CloudTrailEvent\"",
        "\"eventName\"",
        "\"PutItem\"",
        "\"eventTime\"",
        "\"2026-11-20T08:15:30Z\"",
        "\"userIdentity\"",
        "\"requestParameters\"",
        "\"resources\"",
        "\"eventSource\"",
        "\"s3.amazonaws.com\"",
        "\"ARN\"",
        "{\"Records\": [",
        "\\ud800",
        "é",
    ]);
    proptest::collection::vec(scrap, 0..60).prop_map(|scraps| scraps.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in scraps(), packed in any::<bool>()) {
        let text = if packed { gzip(&text) } else { text.into_bytes() };
        run(vec![bytes, text]);
    }

    #[test]
    fn a_record_changed_anywhere_never_panics(at in 0_usize..500, byte in any::<u8>(), cut in 0_usize..800) {
        let mut bytes = whole(&[RECORD, RECORD]).into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
        run(vec![bytes]);
    }

    #[test]
    fn neither_threads_nor_order_matter(picks in proptest::collection::vec((0_u32..6, 0_u32..4, 0_u32..3), 1..60)) {
        let logs: Vec<String> = picks.chunks(7).map(|chunk| {
            let records: Vec<String> = chunk.iter().map(|(id, table, role)| RECORD
                .replacen('{', &format!("{{\"eventID\": \"{id}\", "), 1)
                .replace("\"T\"", &format!("\"T{table}\""))
                .replace("role/r", &format!("role/r{role}"))).collect();
            whole(&records.iter().map(String::as_str).collect::<Vec<_>>())
        }).collect();
        let run = |order: Vec<&String>, threads: usize| {
            let sources = order.into_iter().map(|text| LogSource::from_bytes("x.json", text.clone().into_bytes()));
            read(sources, super::catalog(), &Options { threads, ..Options::default() }, &|_| {})
        };
        let straight = run(logs.iter().collect(), 1);
        super::check_sum(&straight.0);
        prop_assert_eq!(&straight, &run(logs.iter().rev().collect(), 2));
    }
}
