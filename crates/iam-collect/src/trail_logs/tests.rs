//! Buckets and histories of a stand-in.

use std::sync::{Condvar, Mutex};

use super::*;
use crate::stub::serve;

fn folders(names: &[&str]) -> String {
    names.iter().map(|name| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>")).collect()
}

fn objects(keys: &[(&str, usize)]) -> String {
    keys.iter().map(|(key, size)| format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>")).collect()
}

fn listing(inner: &str) -> (u16, String) {
    (200, format!("<ListBucketResult>{inner}</ListBucketResult>"))
}

const REGION: &str = "p/AWSLogs/111122223333/CloudTrail/us-east-1";

/// A trail's bucket with three days on two sides of a month's end, and a digest.
fn bucket(request: &str, _: usize) -> (u16, String) {
    let folder = |path: &str| format!("prefix={}", path.replace('/', "%2F"));
    let ends =
        |path: &str| request.contains(&format!("{}&", folder(path))) || request.contains(&format!("{} ", folder(path)));
    let day = |month: &str, day: &str| format!("{REGION}/2026/{month}/{day}/");
    match request {
        r if r.contains("x-id=GetObject") => (200, "{}".into()),
        r if !r.contains("delimiter") && ends("p/") => {
            let first = format!(
                "{}<NextContinuationToken>t</NextContinuationToken>",
                objects(&[(&format!("{}a.json.gz", day("10", "31")), 2)])
            );
            if r.contains("continuation-token") { listing(&objects(&[("p/b.json", 2)])) } else { listing(&first) }
        }
        _ if ends("p/") => listing(&folders(&["p/AWSLogs/"])),
        _ if ends("p/AWSLogs/") => listing(&folders(&["p/AWSLogs/111122223333/"])),
        _ if ends("p/AWSLogs/111122223333/") => {
            listing(&folders(&["p/AWSLogs/111122223333/CloudTrail/", "p/AWSLogs/111122223333/CloudTrail-Digest/"]))
        }
        _ if ends("p/AWSLogs/111122223333/CloudTrail/") => listing(&folders(&[&format!("{REGION}/")])),
        _ if ends(&format!("{REGION}/")) => {
            listing(&folders(&[&format!("{REGION}/2025/"), &format!("{REGION}/2026/")]))
        }
        _ if ends(&format!("{REGION}/2026/")) => listing(&folders(&[
            &format!("{REGION}/2026/09/"),
            &format!("{REGION}/2026/10/"),
            &format!("{REGION}/2026/11/"),
        ])),
        _ if ends(&format!("{REGION}/2026/10/")) => listing(&folders(&[&day("10", "30"), &day("10", "31")])),
        _ if ends(&format!("{REGION}/2026/11/")) => {
            listing(&folders(&[&day("11", "01"), &day("11", "02"), &day("11", "03")]))
        }
        _ if ends(&day("10", "31")) => listing(&objects(&[(&format!("{}a.json.gz", day("10", "31")), 2)])),
        _ if ends(&day("11", "01")) => listing(&objects(&[(&format!("{}b.json.gz", day("11", "01")), 2)])),
        _ if ends(&day("11", "02")) => listing(&objects(&[(&format!("{}c.json.gz", day("11", "02")), 2)])),
        other => (404, format!("nobody lists {other}")),
    }
}

fn days(first: (i64, i64, i64), last: (i64, i64, i64)) -> Days {
    let day = |(y, m, d)| iam_model::time::days_from_civil(y, m, d);
    Days { first: day(first), last: day(last) }
}

fn names(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(|object| object.key.rsplit('/').next().unwrap()).collect()
}

#[test]
fn only_folders_of_the_days_wanted_are_listed_and_the_day_after() {
    let stub = serve(bucket);
    let open = Bucket::with(&stub.config(), "logs").unwrap();
    let found = open.logs("p/", days((2026, 10, 31), (2026, 11, 1))).unwrap();
    assert_eq!(names(&found), ["a.json.gz", "b.json.gz", "c.json.gz"]);
    let asked = stub.asked().join("\n");
    for unwanted in ["2025%2F", "2026%2F09%2F", "10%2F30", "11%2F03", "Digest"] {
        assert!(!asked.contains(unwanted), "{unwanted} was listed: {asked}");
    }
    assert_eq!(open.read(&found[0]).unwrap(), b"{}");
}

#[test]
fn without_days_all_pages_of_one_listing_are_taken() {
    let stub = serve(bucket);
    let found = Bucket::with(&stub.config(), "logs").unwrap().logs("p/", Days::default()).unwrap();
    assert_eq!(names(&found), ["a.json.gz", "b.json"]);
    assert_eq!(stub.asked().len(), 2);
}

#[test]
fn a_listing_that_fails_is_no_listing() {
    let stub = serve(|_, _| (403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>".into()));
    let error = Bucket::with(&stub.config(), "logs").unwrap().logs("p/", Days::default()).unwrap_err();
    assert_eq!(error.to_string(), "`s3:ListObjectsV2` failed: AccessDenied: no");
}

#[test]
fn an_object_that_changed_its_size_is_refused() {
    let open = Bucket::with(&serve(bucket).config(), "logs").unwrap();
    let error = open.read(&Object { key: "a".into(), size: 3 }).unwrap_err();
    assert!(error.to_string().contains("3 bytes were listed and 2 read"), "{error}");
}

#[test]
fn large_objects_come_by_parts_in_order_though_the_first_comes_last() {
    let size = PART * 2 + 10;
    let answered = Arc::new((Mutex::new(0), Condvar::new()));
    let stub = serve(move |request, _| {
        let range = request.split("range: bytes=").nth(1).unwrap();
        let (from, to): (u64, u64) =
            range.trim().split_once('-').map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap())).unwrap();
        let (count, changed) = &*answered;
        let mut count = count.lock().unwrap();
        if from == 0 {
            while *count < 2 {
                count = changed.wait(count).unwrap();
            }
        }
        *count += 1;
        changed.notify_all();
        let letter = ["a", "b", "c"][usize::try_from(from / PART).unwrap()];
        (206, letter.repeat(usize::try_from(to - from + 1).unwrap()))
    });
    let read = Bucket::with(&stub.config(), "logs").unwrap().read(&Object { key: "a".into(), size }).unwrap();
    let part = usize::try_from(PART).unwrap();
    assert_eq!((read.len(), &read[2 * part..]), (2 * part + 10, "cccccccccc".as_bytes()));
    assert!(read[..part].iter().all(|byte| *byte == b'a') && read[part..2 * part].iter().all(|byte| *byte == b'b'));
    assert_eq!(stub.asked().len(), 3);
}

#[test]
fn parts_that_do_not_make_the_whole_are_refused() {
    let stub = serve(|_, _| (206, "x".repeat(usize::try_from(PART).unwrap())));
    let size = PART * 2 + 10;
    let error = Bucket::with(&stub.config(), "logs").unwrap().read(&Object { key: "a".into(), size }).unwrap_err();
    assert!(error.to_string().contains(&format!("{size} bytes were listed and {} read", PART * 3)), "{error}");
}

#[test]
fn a_history_comes_whole_and_each_event_once() {
    let event = |id: &str| {
        format!(r#"{{"EventId": "{id}", "CloudTrailEvent": "{{\"eventID\":\"{id}\",\"eventName\":\"ListKeys\"}}"}}"#)
    };
    let stub = serve(move |request, _| {
        let body = if request.contains("NextToken") {
            format!(r#"{{"Events": [{}, {}]}}"#, event("1"), event("2"))
        } else {
            format!(r#"{{"Events": [{}], "NextToken": "n"}}"#, event("1"))
        };
        (200, body)
    });
    let log = block_on(history_with(&stub.config(), Some("eu-west-1"), 0, 86_400)).unwrap().unwrap();
    let text = String::from_utf8(log).unwrap();
    assert!(text.starts_with(r#"{"Records":["#), "{text}");
    assert_eq!((text.matches("eventID").count(), text.matches(r#""eventID":"1""#).count()), (2, 1));
    assert!(stub.asked()[0].contains(r#""StartTime":0"#), "{}", stub.asked()[0]);
}

#[test]
fn places_of_buckets_are_read() {
    assert_eq!(location("s3://b/p/q"), Some(("b", "p/q")));
    assert_eq!(location("s3://b"), Some(("b", "")));
    assert_eq!(location("s3:///p"), None);
    assert_eq!(location("logs/"), None);
}
