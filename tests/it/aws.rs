//! Commands that ask AWS, against a stand-in on loopback: the second opinion, and a whole collection.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::moto_server::Moto;
use crate::run::{Folder, Output};

const SECRET: &str = "canary-secret-0123456789";

/// Answers by a function of the request's first line, target and body, and remembers what was asked.
pub(crate) struct Stub {
    pub(crate) url: String,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

pub(crate) fn serve(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(request) = read(&mut stream) else { continue };
            log.lock().unwrap().push(request.clone());
            let (status, body) = answer(&request);
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    Stub { url, asked }
}

fn read(stream: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |wanted: &str| {
                head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
                })
            };
            let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                let target = header("x-amz-target").unwrap_or_default();
                return Some(format!("{} {target} {body}", head.lines().next().unwrap_or_default()));
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// An environment that leads to `url` for the services of a variable.
pub(crate) fn environment<'u>(variable: &'u str, url: &'u str) -> [(&'u str, &'u str); 5] {
    [
        (variable, url),
        ("AWS_ACCESS_KEY_ID", "AKIACANARY"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
}

pub(crate) fn asking(folder: &Folder, variable: &str, url: &str, arguments: &[&str]) -> Output {
    let output = folder.paring_with(&environment(variable, url), arguments);
    assert!(!output.stdout.contains(SECRET) && !output.stderr.contains(SECRET), "a credential came out");
    output
}

fn opinion(request: &str) -> (u16, String) {
    match request {
        r if r.contains("/policy/validation") => (200, r#"{"findings": []}"#.into()),
        _ => (200, r#"{"result": "PASS", "message": "fine"}"#.into()),
    }
}

fn other_opinion(request: &str) -> (u16, String) {
    match request {
        r if r.contains("check-no-new-access") => {
            (200, r#"{"result": "FAIL", "message": "no", "reasons": [{"description": "New access in the statement with index: 0."}]}"#.into())
        }
        other => opinion(other),
    }
}

const ENDPOINT: &str = "AWS_ENDPOINT_URL_ACCESSANALYZER";

#[test]
fn a_second_opinion_that_agrees_changes_nothing() {
    let folder = Folder::new();
    let alone = folder.paring(&["tighten", "--example"]);
    let stub = serve(opinion);
    let asked = asking(&folder, ENDPOINT, &stub.url, &["tighten", "--example", "--second-opinion"]);
    assert_eq!((asked.code, &asked.stdout), (alone.code, &alone.stdout), "{}", asked.stderr);
    assert!(asked.stderr.contains("checks by IAM Access Analyzer at 0.002 USD each"), "{}", asked.stderr);
    assert!(asked.stderr.contains(" agree, 0 differ, 0 without an answer"), "{}", asked.stderr);
    let cost = asked.stderr.find("0.002 USD").unwrap();
    assert!(cost < asked.stderr.find("0 differ").unwrap(), "the cost comes first");
    assert!(stub.asked.lock().unwrap().iter().any(|request| request.contains("check-no-new-access")));
}

#[test]
fn an_opinion_that_differs_is_a_finding_that_shows_both() {
    let folder = Folder::new();
    let stub = serve(other_opinion);
    let output =
        asking(&folder, ENDPOINT, &stub.url, &["tighten", "--example", "--second-opinion", "--format", "json"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let findings: Vec<&serde_json::Value> =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "opinion-differs").collect();
    assert!(!findings.is_empty());
    let evidence = findings[0]["evidence"].to_string();
    for part in ["ours: proved", "Access Analyzer, CheckNoNewAccess: FAIL: New access in the statement with index: 0."]
    {
        assert!(evidence.contains(part), "no `{part}` in {evidence}");
    }
}

#[test]
fn a_live_account_becomes_a_snapshot_and_its_record_the_same() {
    let Some(mut moto) = Moto::start() else { return };
    moto.ask(r#"{"do": "seed"}"#);
    let folder = Folder::new();
    let live = asking(&folder, "AWS_ENDPOINT_URL", &moto.url, &["collect", "--record", "answers", "-o", "live.json"]);
    assert_eq!(live.code, 0, "{}", live.stderr);
    assert!(live.stderr.contains("123456789012 · "), "a line for the account: {}", live.stderr);
    assert!(live.stderr.contains("1 account · 130 roles"), "{}", live.stderr);
    let again = folder.paring(&["collect", "--bundle", "answers", "-o", "replayed.json"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(folder.read("live.json"), folder.read("replayed.json"));
    assert!(!folder.read("live.json").contains(SECRET));
    let audit = folder.paring(&["audit", "--snapshot", "live.json", "--exit-zero"]);
    assert!(audit.stderr.contains("only us-east-1 was asked"), "every later report says it: {}", audit.stderr);
}
