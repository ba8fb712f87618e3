//! A stand-in for AWS on loopback, for tests: answers by a function from the request, and remembers what was asked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_iam::config::Credentials;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::connect::Pace;

/// Secrets that must never come out anywhere.
pub(crate) const CANARY: &str = "canary-secret-0123456789";

/// Hardly any waiting.
pub(crate) const QUICK: Pace = Pace { wait: Duration::from_millis(1), pause: Duration::from_millis(1) };

/// The status of an answer that never comes.
pub(crate) const SILENCE: u16 = 0;

pub(crate) struct Stub {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Serves until the test ends. A request is its first line, its target, its body, and its range where it asks for one.
pub(crate) fn serve(answer: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
    let counts = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, log, answer) = (stream.unwrap(), Arc::clone(&log), Arc::clone(&answer));
            let counts = Arc::clone(&counts);
            std::thread::spawn(move || {
                let Some(request) = read(&mut stream) else { return };
                log.lock().unwrap().push(request.clone());
                let before = {
                    let mut counts = counts.lock().unwrap();
                    let count = counts.entry(request.clone()).or_default();
                    *count += 1;
                    *count - 1
                };
                let (status, body) = answer(&request, before);
                if status == SILENCE {
                    // Until the client gives up and closes.
                    let _ = stream.read(&mut [0]);
                    return;
                }
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes());
            });
        }
    });
    Stub { url, asked }
}

fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
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
                let range = header("range").map(|range| format!(" range: {range}")).unwrap_or_default();
                return Some(format!("{} {target} {body}{range}", head.lines().next().unwrap_or_default()));
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// A configuration that leads to `url`, with quick retries.
pub(crate) fn config(url: &str) -> SdkConfig {
    let client = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1));
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .retry_config(retries)
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(1500)).build())
        .credentials_provider(Credentials::new("AKIACANARY", CANARY, None, None, "test"));
    crate::connect::block_on(loader.load()).unwrap()
}

impl Stub {
    /// A configuration that leads here.
    pub(crate) fn config(&self) -> SdkConfig {
        config(&self.url)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// What an account says that holds nothing and is in no organisation.
pub(crate) fn nothing(request: &str) -> (u16, String) {
    let xml = |name: &str, inner: &str| {
        (200, format!("<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>"))
    };
    let json = |body: &str| (200, body.to_owned());
    match request {
        r if r.contains("Action=GetCallerIdentity") => xml(
            "GetCallerIdentity",
            "<Arn>arn:aws:iam::111122223333:user/u</Arn><Account>111122223333</Account><UserId>U</UserId>",
        ),
        r if r.contains(".DescribeOrganization ") => {
            (400, r#"{"__type": "AWSOrganizationsNotInUseException", "Message": "none"}"#.into())
        }
        r if r.contains("Action=GetAccountAuthorizationDetails") => {
            xml("GetAccountAuthorizationDetails", "<IsTruncated>false</IsTruncated>")
        }
        r if r.contains("/event-invoke-config/list") => json(r#"{"FunctionEventInvokeConfigs": []}"#),
        r if r.contains("/event-source-mappings") => json(r#"{"EventSourceMappings": []}"#),
        r if r.contains("/aliases") => json(r#"{"Aliases": []}"#),
        r if r.contains("/resources?") => json(r#"{"item": []}"#),
        r if r.contains("/functions") => json(r#"{"Functions": []}"#),
        r if r.contains(".DescribeTrails ") => json(r#"{"trailList": []}"#),
        r if r.contains("Action=DescribeStacks") => xml("DescribeStacks", "<Stacks/>"),
        r if r.contains("max-buckets") => (200, "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>".into()),
        r if r.contains("Action=ListSubscriptions") => xml("ListSubscriptions", "<Subscriptions/>"),
        r if r.contains(".ListTables ") => json(r#"{"TableNames": []}"#),
        r if r.contains(".ListQueues ") => json("{}"),
        r if r.contains("Action=ListTopics") => xml("ListTopics", "<Topics/>"),
        r if r.contains(".ListKeys ") => json(r#"{"Keys": []}"#),
        r if r.contains(".ListSecrets ") => json(r#"{"SecretList": []}"#),
        r if r.contains(".DescribeRepositories ") => json(r#"{"repositories": []}"#),
        r if r.contains(".ListEventBuses ") => json(r#"{"EventBuses": []}"#),
        r if r.contains("/restapis") => json(r#"{"item": []}"#),
        other => (400, format!(r#"{{"__type": "NobodyExpects", "message": "{}"}}"#, other.replace('"', "'"))),
    }
}
