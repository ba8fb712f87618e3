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
    serve_counting(move |request, _| answer(request))
}

/// As [`serve`], by how often the same was asked before, too.
fn serve_counting(answer: impl Fn(&str, usize) -> (u16, String) + Send + 'static) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::<String>::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(request) = read(&mut stream) else { continue };
            let before = log.lock().unwrap().iter().filter(|earlier| tokenless(earlier) == tokenless(&request)).count();
            log.lock().unwrap().push(request.clone());
            let (status, body) = answer(&request, before);
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

/// A request without the token that each attempt makes anew.
fn tokenless(request: &str) -> String {
    match request.split_once("\"clientToken\":\"") {
        Some((before, after)) => format!("{before}{}", after.split_once('"').map_or("", |(_, rest)| rest)),
        None => request.to_owned(),
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
    asking_with(folder, &environment(variable, url), arguments)
}

fn asking_with(folder: &Folder, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let output = folder.paring_with(environment, arguments);
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
    assert!(live.stderr.contains("1 account · 131 roles"), "{}", live.stderr);
    let again = folder.paring(&["collect", "--bundle", "answers", "-o", "replayed.json"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(folder.read("live.json"), folder.read("replayed.json"));
    assert!(!folder.read("live.json").contains(SECRET));
    let audit = folder.paring(&["audit", "--snapshot", "live.json", "--exit-zero"]);
    assert!(audit.stderr.contains("only us-east-1 was asked"), "every later report says it: {}", audit.stderr);
}

#[test]
fn an_opinion_that_differs_keeps_everything_from_being_written() {
    let folder = crate::write::folder();
    let before = folder.read("e/template.yaml");
    let role = crate::write::archive_role(&folder);
    let write = ["--role", &role, "--write", "--second-opinion"];
    let arguments = [crate::write::ARGUMENTS, write.as_slice()].concat();
    let refused = asking(&folder, ENDPOINT, &serve(other_opinion).url, &arguments);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("nothing was written: the second opinion differs"), "{}", refused.stderr);
    assert_eq!(folder.read("e/template.yaml"), before);
    let written = asking(&folder, ENDPOINT, &serve(opinion).url, &arguments);
    assert!(written.stderr.contains("wrote `e/template.yaml`"), "{}", written.stderr);
    assert_ne!(folder.read("e/template.yaml"), before);
}

#[test]
fn roles_taken_apart_are_asked_about_beside_the_shared_one() {
    let (folder, _) = crate::split::run(&serde_json::json!({}), &[]);
    let stub = serve(opinion);
    let arguments =
        ["tighten", "--split", "--snapshot", "snapshot.json", "--trail", "trail", "--second-opinion", "--exit-zero"];
    let output = asking(&folder, ENDPOINT, &stub.url, &arguments);
    let asked = stub.asked.lock().unwrap();
    let new_access: Vec<&String> = asked.iter().filter(|request| request.contains("check-no-new-access")).collect();
    // Each of the three new roles has a policy and a trust.
    assert_eq!(new_access.len(), 6, "{}{new_access:#?}", output.stderr);
    let old = r#"\"dynamodb:*\""#;
    let beside =
        new_access.iter().filter(|request| request.contains("existingPolicyDocument") && request.contains(old));
    assert_eq!(beside.count(), 3, "{new_access:#?}");
    let cost = output.stderr.find("checks by IAM Access Analyzer at 0.002 USD each").unwrap();
    assert!(cost < output.stderr.find("0 differ").unwrap(), "the cost comes first: {}", output.stderr);
}

/// An environment that leads to moto, and for Access Analyzer to a stand-in.
fn endpoints<'u>(moto: &'u str, analyzer: &'u str) -> Vec<(&'u str, &'u str)> {
    let mut all = environment("AWS_ENDPOINT_URL", moto).to_vec();
    all.push((ENDPOINT, analyzer));
    all
}

/// Generations of four roles: `gen-1` takes a while, at `gen-2` another one still runs, at `gen-3` the day's quota is used up.
fn generator(request: &str, before: usize) -> (u16, String) {
    let refused = |code: &str, why: &str| (402, format!(r#"{{"__type": "{code}", "message": "{why}"}}"#));
    let role = |request: &str| {
        let number = request.split("gen-").nth(1).and_then(|rest| rest.chars().next()).unwrap_or('0');
        format!("gen-{number}")
    };
    let result = |job: &str, status: &str| {
        let arn = format!("arn:aws:iam::123456789012:role/{job}");
        let policy = r#"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetBucketLocation\",\"Resource\":\"arn:aws:s3:::${BucketName}\"}]}"#;
        let body = format!(
            r#"{{"jobDetails": {{"jobId": "{job}", "status": "{status}", "startedOn": "2026-11-01T00:00:00Z"}}, "generatedPolicyResult":
                {{"properties": {{"isComplete": true, "principalArn": "{arn}", "cloudTrailProperties": {{"trailProperties": [],
                "startTime": "2026-08-01T00:00:00Z", "endTime": "2026-10-30T00:00:00Z"}}}}, "generatedPolicies": [{{"policy": "{policy}"}}]}}}}"#
        );
        (200, body)
    };
    match request {
        r if r.starts_with("GET /policy/generation?") => (200, r#"{"policyGenerations": []}"#.into()),
        r if r.starts_with("PUT /policy/generation ") && r.contains("gen-2") && before == 0 => {
            refused("ServiceQuotaExceededException", "concurrent policy generations exceeded")
        }
        r if r.starts_with("PUT /policy/generation ") && r.contains("gen-3") => {
            refused("ServiceQuotaExceededException", "policy generations per day exceeded")
        }
        r if r.starts_with("PUT /policy/generation ") => (200, format!(r#"{{"jobId": "{}"}}"#, role(r))),
        r if r.starts_with("GET /policy/generation/gen-1") && before == 0 => result("gen-1", "IN_PROGRESS"),
        r if r.starts_with("GET /policy/generation/") => result(&role(r), "SUCCEEDED"),
        other => (500, format!("nobody expects {other}")),
    }
}

/// The next day: AWS still knows what was generated.
fn next_day(request: &str, before: usize) -> (u16, String) {
    match request {
        r if r.starts_with("GET /policy/generation?") && (r.contains("gen-1") || r.contains("gen-2")) => {
            let job = if r.contains("gen-1") { "gen-1" } else { "gen-2" };
            let arn = format!("arn:aws:iam::123456789012:role/{job}");
            let body = format!(
                r#"{{"policyGenerations": [{{"jobId": "{job}", "principalArn": "{arn}", "status": "SUCCEEDED", "startedOn": "2026-11-01T00:00:00Z"}}]}}"#
            );
            (200, body)
        }
        r if r.starts_with("PUT /policy/generation ") => {
            let job = if r.contains("gen-3") { "gen-3" } else { "gen-4" };
            (200, format!(r#"{{"jobId": "{job}"}}"#))
        }
        r => generator(r, before),
    }
}

#[test]
fn policies_are_generated_one_at_a_time_and_the_rest_another_day() {
    let Some(mut moto) = Moto::start() else { return };
    moto.ask(r#"{"do": "several"}"#);
    let folder = Folder::new();
    let (trail, access) =
        ("arn:aws:cloudtrail:us-east-1:123456789012:trail/t", "arn:aws:iam::123456789012:role/analyzer");
    let mut arguments = vec!["collect", "--record", "answers", "-o", "s.json", "--trail-arn", trail];
    arguments.extend(["--access-role", access]);
    for role in ["gen-1", "gen-2", "gen-3", "gen-4"] {
        arguments.extend(["--generate", role]);
    }
    let stub = serve_counting(generator);
    let of = |stub: &Stub| asking_with(&folder, &endpoints(&moto.url, &stub.url), &arguments);
    let first = of(&stub);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let another = "not generated: the day's quota is used up; run again tomorrow";
    for line in ["gen-1 · generated", "gen-2 · generated", &format!("gen-3 · {another}"), &format!("gen-4 · {another}")]
    {
        assert!(first.stderr.contains(line), "no `{line}` in {}", first.stderr);
    }
    let asked = stub.asked.lock().unwrap().clone();
    let starts: Vec<usize> = (0..asked.len()).filter(|place| asked[*place].starts_with("PUT ")).collect();
    let look = |job: &str| asked.iter().rposition(|r| r.starts_with(&format!("GET /policy/generation/{job}"))).unwrap();
    assert!(starts[0] < look("gen-1") && look("gen-1") < starts[1], "one at a time: {asked:#?}");
    assert!(asked[starts[0]].contains(trail) && asked[starts[0]].contains(access));
    assert!(asked.iter().all(|request| !(request.starts_with("PUT ") && request.contains("gen-4"))), "{asked:#?}");

    let stub = serve_counting(next_day);
    let second = of(&stub);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(second.stderr.matches("· generated").count(), 4, "{}", second.stderr);
    let asked = stub.asked.lock().unwrap().clone();
    let starts: Vec<&String> = asked.iter().filter(|request| request.starts_with("PUT ")).collect();
    assert!(starts.len() == 2 && starts[0].contains("gen-3") && starts[1].contains("gen-4"), "{starts:#?}");

    let arguments =
        ["tighten", "--engine", "access-analyzer", "--snapshot", "answers", "--role", "gen-1", "--out", "out"];
    let tight = folder.paring(&arguments);
    assert!(tight.code < 2, "{}", tight.stderr);
    assert!(tight.stderr.contains("`arn:aws:s3:::${BucketName}` may be arn:aws:s3:::orders"), "{}", tight.stderr);
    let report = folder.read("out/report.json");
    // moto's roles were made today: what was generated about the months before says nothing of them.
    assert!(report.contains("the role was made on") && report.contains("0 days before the logs end"), "{report}");
}

#[test]
fn a_generation_that_cannot_start_says_why_and_an_unknown_role_is_a_mistake() {
    let Some(mut moto) = Moto::start() else { return };
    moto.ask(r#"{"do": "several"}"#);
    let folder = Folder::new();
    let of = |role: &str, answer: fn(&str, usize) -> (u16, String)| {
        let stub = serve_counting(answer);
        let arguments = [
            "collect",
            "--record",
            "answers",
            "-o",
            "s.json",
            "--generate",
            role,
            "--trail-arn",
            "t",
            "--access-role",
            "a",
        ];
        asking_with(&folder, &endpoints(&moto.url, &stub.url), &arguments)
    };
    let refused = |request: &str, before: usize| match request {
        r if r.starts_with("PUT ") => {
            (400, r#"{"__type": "ValidationException", "message": "no such trail"}"#.to_owned())
        }
        r => generator(r, before),
    };
    let said = of("gen-1", refused);
    assert!(said.stderr.contains("gen-1 · not generated: ValidationException: no such trail"), "{}", said.stderr);
    let unknown = of("gen-9", generator);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("the account holds no role `gen-9`"), "{}", unknown.stderr);
}

/// A bucket of logs of three days.
fn log_bucket(request: &str) -> (u16, String) {
    let day = |day: u32| format!("p/AWSLogs/123456789012/CloudTrail/us-east-1/2026/10/{day:02}/");
    let list = |inner: String| (200, format!("<ListBucketResult>{inner}</ListBucketResult>"));
    let folders = |names: &[String]| {
        list(names.iter().map(|name| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>")).collect())
    };
    let listed = |prefix: &str| request.contains(&format!("prefix={}", prefix.replace('/', "%2F")));
    let record = |day: u32| {
        format!(
            r#"{{"Records": [{{"eventVersion": "1.08", "userIdentity": {{"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/r/x",
            "accountId": "123456789012", "sessionContext": {{"sessionIssuer": {{"type": "Role", "arn": "arn:aws:iam::123456789012:role/r"}}}}}},
            "eventTime": "2026-10-{day:02}T10:00:00Z", "eventSource": "dynamodb.amazonaws.com", "eventName": "DescribeTable",
            "awsRegion": "us-east-1", "requestParameters": {{"tableName": "t"}}, "eventID": "e-{day:02}",
            "eventType": "AwsApiCall", "recipientAccountId": "123456789012"}}]}}"#
        )
    };
    match request {
        r if r.contains("x-id=GetObject") => {
            (200, record((1..=31).find(|n| r.contains(&format!("/{n:02}/log.json"))).unwrap_or(1)))
        }
        _ if listed(&day(1)) || listed(&day(2)) || listed(&day(3)) => {
            let of = (1..=3).find(|n| listed(&day(*n))).unwrap_or(1);
            list(format!("<Contents><Key>{}log.json</Key><Size>{}</Size></Contents>", day(of), record(of).len()))
        }
        _ if listed("p/AWSLogs/123456789012/CloudTrail/us-east-1/2026/10/") => folders(&[day(1), day(2), day(3)]),
        _ if listed("p/AWSLogs/123456789012/CloudTrail/us-east-1/2026/") => {
            folders(&["p/AWSLogs/123456789012/CloudTrail/us-east-1/2026/10/".into()])
        }
        _ => folders(&["p/AWSLogs/123456789012/CloudTrail/us-east-1/2026/".into()]),
    }
}

#[test]
fn tighten_lists_only_the_days_of_a_bucket_that_it_is_asked_for() {
    let folder = Folder::new();
    let role = r#"{"RoleName": "r", "Arn": "arn:aws:iam::123456789012:role/r", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}}]}"#;
    folder.write(
        "s.json",
        format!(
            r#"{{"schema": "paring-snapshot/1", "accounts": {{"123456789012": {{"authorization_details": {{"RoleDetailList": [{role}]}}}}}}}}"#
        ),
    );
    let of = |window: &[&str]| {
        let stub = serve(log_bucket);
        let arguments =
            ["tighten", "--snapshot", "s.json", "--trail", "s3://logs/p/", "--min-days", "0", "--exit-zero"];
        let output = asking(&folder, "AWS_ENDPOINT_URL", &stub.url, &[arguments.as_slice(), window].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        let asked = stub.asked.lock().unwrap().join("\n");
        (output.stdout, asked)
    };
    let (report, asked) = of(&["--until", "2026-10-01"]);
    assert!(asked.contains("10%2F02%2F") && !asked.contains("10%2F03%2F"), "{asked}");
    assert!(report.contains("2026-10-01") && !report.contains("2026-10-02"), "{report}");
    let (_, asked) = of(&["--since", "2026-10-03"]);
    assert!(!asked.contains("10%2F01%2F") && asked.contains("10%2F03%2F"), "{asked}");
}
