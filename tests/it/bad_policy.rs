//! Policies that are malformed, hostile or strange: told with line, column and a hint; what could be read still counts, and
//! what could not is never taken for nothing.

use crate::run::{Folder, Output};

const ALLOW: &str = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#;

/// A policy as a file, judged by `paring check`.
fn check(policy: &str) -> Output {
    let folder = Folder::new();
    folder.write("p.json", policy);
    folder.write("access.json", r#"{"actions": ["iam:PassRole"], "resources": ["*"]}"#);
    folder.paring(&["check", "not-granted", "--policy", "p.json", "--access", "access.json"])
}

/// The same policy as the text of a role's inline policy, asked by `paring can`.
fn can(policy: &str, action: &str) -> Output {
    let folder = Folder::new();
    folder.write("s.json", snapshot(policy));
    folder.paring(&["can", "r", action, "arn:aws:s3:::b/k", "--snapshot", "s.json"])
}

/// And as a case of `paring simulate`.
fn simulate(policy: &str) -> Output {
    let folder = Folder::new();
    let text = format!(
        r#"{{"id": "a", "request": {{"principal": "arn:aws:iam::111122223333:role/r", "action": "s3:GetObject", "resource": {{"arn": "arn:aws:s3:::b/k"}}, "context": {{}}}}, "identity_policies": [{}]}}"#,
        quoted(policy)
    );
    folder.write("c.jsonl", text);
    folder.paring(&["simulate", "--cases", "c.jsonl"])
}

fn snapshot(policy: &str) -> String {
    format!(
        r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details": {{
  "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [
    {{"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r", "Path": "/", "RoleId": "AROAR",
      "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}},
      "RolePolicyList": [{{"PolicyName": "p", "PolicyDocument": {}}}]}}]}}}}}}}}"#,
        quoted(policy)
    )
}

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out + "\""
}

#[track_caller]
fn told(output: &Output, parts: &[&str]) {
    for part in parts {
        assert!(output.stderr.contains(part), "no `{part}` in:\n{}", output.stderr);
    }
}

/// What is no JSON is refused whole, at its place; nothing is concluded from it, neither for nor against.
#[test]
fn what_is_no_json_is_refused_at_its_place_and_decides_nothing() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!(r#"{{"Version": "2012-10-17", "Id": "{}", "Statement": [{ALLOW}]}}"#, "x".repeat(10 << 20));
    for (policy, place, message, hint) in [
        ("", ":1:1", "the text is empty", ""),
        ("{", ":1:2", "ends before", "cut off"),
        ("\u{feff}{}", ":1:1", "byte order mark", "UTF-8 without"),
        ("{\n  \"Statement\": [],\n}", ":3:1", "comma", "take the last comma out"),
        ("{\n  // all of it\n  \"Statement\": []\n}", ":2:3", "comments", "take the comment out"),
        ("{\"Statement\": [] # none\n}", ":1:18", "comments", "take the comment out"),
        ("{\"Version\": \"2012-10-17\",\n \"Version\": \"2008-10-17\"}", ":2:2", "`Version` stands twice", "keep one"),
        ("{'Statement': []}", ":1:2", "double quotes", ""),
        ("{\"Statement\": [1 2]}", ":1:18", "expected", ""),
        ("{} {}", ":1:4", "something follows", ""),
        (deep.as_str(), ":1:33", "nested deeper than 32 levels", ""),
        (large.as_str(), ":1:1", "larger than 1048576 bytes", ""),
    ] {
        let output = check(policy);
        told(&output, &["json-invalid", &format!("p.json{place}"), message, hint]);
        assert_eq!(output.code, 2, "{place} {message}");
        told(&output, &["error: `p.json` is no policy"]);
        assert!(output.stdout.contains("undecided"), "{message}: {}", output.stdout);
        if policy.len() < 1_000 && !policy.is_empty() {
            let output = simulate(policy);
            assert!(output.stdout.contains(r#""decision":"unknown""#), "{message}: {}", output.stdout);
            let output = can(policy, "s3:GetObject");
            assert!(output.code == 1 && output.stdout.starts_with("not known"), "{message}: {}", output.stdout);
            told(&output, &["json-invalid", "s.json:5:", "role r, inline policy p", message, hint]);
        }
    }
}

/// A part of the wrong form leaves the other statements as they are, and its own statement open.
#[test]
fn what_could_be_read_decides_and_what_could_not_stays_open() {
    for (part, message, hint) in [
        (r#""Effect": "allow""#, "the effect `allow`", "case-sensitive"),
        (r#""Effect": true"#, "an `Effect` that is a boolean", "write \"Allow\""),
        (r#""Effect": "Allow", "Limit": 3"#, "the element `Limit`", "the elements known here"),
        (r#""Effect": "Allow", "action": "s3:*""#, "the element `action`", "write `Action`"),
        (r#""Effect": "Allow", "Condition": []"#, "a `Condition` that is a list", "an object of operators"),
        (r#""Effect": "Allow", "Condition": {"StringIs": {"a": "b"}}"#, "`StringIs`", "cannot be decided"),
        (r#""Effect": "Allow", "Condition": {"StringEquals": {"aws:username": {}}}"#, "a condition value", "a string"),
        (r#""Effect": "Allow", "NotResource": "*""#, "both `Resource` and `NotResource`", "keep one"),
        (r#""Effect": "Allow", "Sid": 7"#, "a `Sid` that is a number", "write a string"),
    ] {
        let strange = format!(r#"{{"Action": "s3:PutObject", "Resource": "*", {part}}}"#);
        let policy = format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{ALLOW},\n  {strange}]}}");
        let output = can(&policy, "s3:PutObject");
        told(&output, &["policy-", message, hint, "at 2:"]);
        assert!(output.stdout.starts_with("not known"), "{part}: {}", output.stdout);
        assert!(output.stdout.contains("statement 2 of 2"), "{part}: {}", output.stdout);
        // `check` says the same, with the place in the file itself.
        told(&check(&policy), &["p.json:2:", message, hint]);
        // What the first statement says of another action no stranger takes back, where it may not deny everything.
        let output = can(&policy, "sqs:SendMessage");
        assert!(!output.stdout.starts_with("yes"), "{part}: {}", output.stdout);
    }
    // A condition nobody knows decides only where its action is asked about.
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{ALLOW}, {{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*", "Condition": {{"StringIs": {{"a": "b"}}}}}}]}}"#
    );
    assert!(can(&policy, "s3:GetObject").stdout.starts_with("yes"));
}

#[test]
fn an_element_outside_of_statements_leaves_everything_open() {
    let policy = format!(r#"{{"Version": "2012-10-17", "Statements": [{ALLOW}], "Statement": [{ALLOW}]}}"#);
    let output = can(&policy, "s3:GetObject");
    assert!(output.stdout.starts_with("not known") && output.stdout.contains("`Statements`"), "{}", output.stdout);
    let policy = format!(r#"{{"Version": "2012-10-18", "Statement": [{ALLOW}]}}"#);
    let output = can(&policy, "s3:GetObject");
    told(&output, &["`Version`", "write \"2012-10-17\""]);
    assert!(output.stdout.starts_with("not known"), "{}", output.stdout);
}

/// A thousand mistakes are told in part and counted, and still none is forgotten.
#[test]
fn many_mistakes_are_counted() {
    let statements = vec![r#"{"Effect": "Perhaps", "Action": "*", "Resource": "*"}"#; 1_000].join(",\n");
    let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let output = check(&policy);
    told(&output, &["980 more parts of the policy could not be read"]);
    assert!(output.stderr.lines().count() < 60, "{}", output.stderr);
    assert!(can(&policy, "s3:GetObject").stdout.starts_with("not known"));
}

/// A policy as large as AWS takes, of nothing but wildcards, is decided at once.
#[test]
fn a_policy_of_wildcards_is_decided() {
    let pattern = "*?".repeat(1_000);
    let statements: Vec<String> = (0..100)
        .map(|n| format!(r#"{{"Effect": "Deny", "Action": "s3:{pattern}", "Resource": "arn:aws:s3:::{pattern}{n}"}}"#))
        .collect();
    let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{ALLOW}, {}]}}"#, statements.join(","));
    let output = can(&policy, "s3:GetObject");
    assert!(output.stdout.starts_with("yes"), "{}{}", output.stdout, output.stderr);
}

#[test]
fn a_snapshot_with_a_byte_order_mark_or_a_depth_bomb_is_refused() {
    let folder = Folder::new();
    folder.write("bom.json", format!("\u{feff}{}", snapshot("{}")));
    folder.write("deep.json", format!(r#"{{"schema": "paring-snapshot/1", "accounts": {}"#, "[".repeat(100_000)));
    for (file, message) in [("bom.json", "byte order mark"), ("deep.json", "nested deeper than 64 levels")] {
        let output = folder.paring(&["can", "r", "s3:GetObject", "--snapshot", file]);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{}", output.stderr);
        told(&output, &[file, message]);
    }
}
