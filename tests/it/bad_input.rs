//! Bad input: the error names the file, the place in it and what to do; one bad file among many is told and passed over.

use crate::run::{Folder, Output, copy, example};

fn folder() -> Folder {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("e"));
    folder
}

fn tighten(folder: &Folder, snapshot: &str, trail: &str, iac: &str) -> Output {
    folder.paring(&["tighten", "--snapshot", snapshot, "--trail", trail, "--iac", iac])
}

/// The run ends with exit code 2, prints no data, and its message holds every one of `parts`.
fn check_refused(output: &Output, parts: &[&str]) {
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{}", output.stderr);
    for part in parts {
        assert!(output.stderr.contains(part), "no `{part}` in:\n{}", output.stderr);
    }
}

#[test]
fn a_missing_file_is_named() {
    let folder = folder();
    check_refused(&tighten(&folder, "nowhere.json", "e/trail", "e"), &["`nowhere.json`", "does not exist", "hint:"]);
    check_refused(&tighten(&folder, "e/snapshot.json", "nowhere", "e"), &["`nowhere`", "no such file or folder"]);
    check_refused(&tighten(&folder, "e/snapshot.json", "e/trail", "nowhere"), &["`nowhere`", "no such file or folder"]);
}

#[test]
fn a_snapshot_of_another_version_is_refused() {
    let folder = folder();
    folder.write("s.json", r#"{"schema": "paring-snapshot/9", "accounts": {}}"#);
    check_refused(
        &tighten(&folder, "s.json", "e/trail", "e"),
        &["s.json", "paring-snapshot/9", "paring-snapshot/1", "hint:"],
    );
}

#[test]
fn a_snapshot_that_is_not_json_is_placed() {
    let folder = folder();
    folder.write("s.json", "{\"schema\": \"paring-snapshot/1\",\n \"accounts\": {,}}");
    check_refused(&tighten(&folder, "s.json", "e/trail", "e"), &["s.json:2:15"]);
}

#[test]
fn one_broken_log_among_many_is_told_and_passed_over() {
    let folder = folder();
    let whole = tighten(&folder, "e/snapshot.json", "e/trail", "e");
    let some = walk(&folder, "e/trail").into_iter().find(|p| p.ends_with(".json.gz") && !p.contains("Digest")).unwrap();
    let bytes = std::fs::read(folder.path().join(&some)).unwrap();
    folder.write("e/trail/half_CloudTrail_x.json.gz", &bytes[..bytes.len() / 2]);
    folder.write("e/trail/notes.json", "{\"hello\": \"this is no log\"}");
    folder.write("e/trail/latin1.json", b"{\"Records\": [{\"eventName\": \"\xe9\"}]}");
    let output = tighten(&folder, "e/snapshot.json", "e/trail", "e");
    // What was not read may have shown use: nothing is proved by what was.
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stdout.contains("undecided keeps-used"), "{}", output.stdout);
    for name in ["half_CloudTrail_x.json.gz", "notes.json", "latin1.json"] {
        assert!(output.stderr.contains(name), "no `{name}` in:\n{}", output.stderr);
    }
    let counted = |output: &Output| output.stdout.split(" · ").take(2).collect::<Vec<_>>().join(" · ");
    assert_eq!(counted(&output), counted(&whole), "the proposal stands on the other files");
}

#[test]
fn logs_that_are_no_logs_at_all_are_refused() {
    let folder = folder();
    folder.write("logs/notes.json", "[1, 2, 3]");
    check_refused(&tighten(&folder, "e/snapshot.json", "logs", "e"), &["notes.json", "logs", "hint:"]);
}

#[test]
fn a_template_that_does_not_parse_is_told_and_the_rest_is_patched() {
    let folder = folder();
    folder.write("e/broken.yaml", "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A: [\n  B: }\n");
    let output = tighten(&folder, "e/snapshot.json", "e/trail", "e");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("broken.yaml:"), "{}", output.stderr);
    assert!(output.stdout.contains("+++ b/template.yaml"));
}

#[test]
fn a_policy_that_is_not_json_is_told_and_never_taken_for_empty() {
    let folder = folder();
    let snapshot = folder.read("e/snapshot.json");
    let at = snapshot.find("\"PolicyName\": \"ArchiveRidesFunctionRolePolicy0\"").unwrap();
    let document = at + snapshot[at..].find("\"PolicyDocument\": ").unwrap() + "\"PolicyDocument\": ".len();
    let mut depth = 0;
    let end = document
        + snapshot[document..]
            .find(|c| {
                depth += match c {
                    '{' => 1,
                    '}' => -1,
                    _ => 0,
                };
                c == '}' && depth == 0
            })
            .unwrap();
    let broken = format!("{}\"{{ not json\"{}", &snapshot[..document], &snapshot[end + 1..]);
    folder.write("e/snapshot.json", broken);
    let output = tighten(&folder, "e/snapshot.json", "e/trail", "e");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("json-invalid") && output.stderr.contains("snapshot.json:"), "{}", output.stderr);
    assert!(!output.stdout.contains("-                - dynamodb:*"), "an unread policy is not narrowed");
}

#[test]
fn settings_with_mistakes_are_refused() {
    let folder = folder();
    folder.write("paring.toml", "version = 1\nmin_day = 3\n");
    check_refused(&folder.paring(&["tighten", "--example"]), &["paring.toml", "line 2, column 1", "min_day"]);
}

#[test]
fn wrong_usage_is_explained() {
    let folder = Folder::new();
    check_refused(&folder.paring(&["tighten"]), &["--snapshot"]);
    check_refused(&folder.paring(&["frobnicate"]), &["frobnicate"]);
}

fn walk(folder: &Folder, below: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder.path().join(below)).unwrap().map(|e| e.unwrap()).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{below}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(folder, &name));
        } else {
            found.push(name);
        }
    }
    found
}

/// "Clean" is said of something; where there is nothing to judge, the run ends as one that was used wrongly.
#[test]
fn nothing_to_judge_is_not_a_clean_result() {
    let folder = Folder::new();
    folder.write("none.json", r#"{"schema": "paring-snapshot/1", "organization": null, "accounts": {}}"#);
    folder.write("none.jsonl", "\n");
    let output = folder.paring(&["audit", "--snapshot", "none.json"]);
    assert_eq!((output.code, output.stderr.contains("`none.json` holds no account")), (2, true), "{}", output.stderr);
    for command in ["simulate", "check"] {
        let output = folder.paring(&[command, "--cases", "none.jsonl"]);
        assert_eq!((output.code, output.stderr.contains("`none.jsonl` holds no case")), (2, true), "{}", output.stderr);
    }
    let output = folder.paring(&["check", "no-new-access", "--old", "-", "--new", "-"]);
    assert_eq!(
        (output.code, output.stderr.contains("standard input can be read once")),
        (2, true),
        "{}",
        output.stderr
    );
}

/// A queue's name is chosen by whoever makes it, and what a terminal would obey must not reach one.
#[test]
fn names_in_logs_cannot_drive_the_terminal() {
    let folder = Folder::new();
    let queue = "q\\u001b[2J\\u001b]0;x\\u0007\\u202e";
    let record = format!(
        r#"{{"Records": [{{"eventVersion": "1.09", "eventTime": "2026-09-01T00:00:00Z", "eventSource": "sqs.amazonaws.com",
        "eventName": "DeleteQueue", "awsRegion": "eu-west-1", "eventID": "00000000-0000-4000-8000-000000000001", "recipientAccountId": "111122223333",
        "userIdentity": {{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/r/s", "accountId": "111122223333",
        "sessionContext": {{"sessionIssuer": {{"type": "Role", "arn": "arn:aws:iam::111122223333:role/r", "userName": "r", "accountId": "111122223333"}}}}}},
        "requestParameters": {{"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/{queue}"}}}}]}}"#
    );
    folder.write("log.json", record);
    for colour in ["always", "never"] {
        let output = folder.paring(&["usage", "log.json", "--format", "text", "--color", colour]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(output.stdout.contains("sqs:DeleteQueue"), "{}", output.stdout);
        for hostile in ["\u{1b}[2J", "\u{1b}]", "\u{7}", "\u{202e}"] {
            assert!(!output.stdout.contains(hostile), "{colour}: {:?}", output.stdout);
        }
    }
}

#[test]
fn what_is_not_a_folder_of_templates_is_told() {
    let folder = folder();
    folder.write("none/notes.txt", "no template");
    let output = tighten(&folder, "e/snapshot.json", "e/trail", "none");
    assert!(output.stderr.contains("none: holds no template"), "{}", output.stderr);
    folder.write("result", "mine");
    let arguments = ["tighten", "--snapshot", "e/snapshot.json", "--trail", "e/trail", "--out", "result"];
    let output = folder.paring(&arguments);
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("`result` is a file") && output.stderr.contains("hint: --out takes a folder"));
    assert_eq!(folder.read("result"), "mine");
}

#[test]
fn a_file_in_the_wrong_place_is_told_what_belongs_there() {
    let folder = folder();
    let template = tighten(&folder, "e/template.yaml", "e/trail", "e");
    check_refused(&template, &["e/template.yaml:", "not JSON", "hint: give a snapshot"]);
    folder.write("logs/notes.json", r#"{"hello": 1}"#);
    let logs = tighten(&folder, "e/snapshot.json", "logs", "e");
    check_refused(&logs, &["logs/notes.json", "`logs` (1 file found)", "hint:"]);
    folder.write("p.json", r#"{"Version": "2012-10-17", "Statement": []}"#);
    let access = folder.paring(&["check", "not-granted", "--policy", "p.json", "--access", "s3:GetObject"]);
    check_refused(&access, &["`s3:GetObject` is an action", r#"{"actions": ["s3:GetObject"]"#]);
    let baseline = folder.paring(&["audit", "--snapshot", "e/snapshot.json", "--baseline", "e/template.yaml"]);
    check_refused(&baseline, &["e/template.yaml", "hint: give what `paring audit`"]);
}

#[test]
fn a_name_that_nobody_has_gets_the_nearest() {
    let folder = folder();
    let near = "did you mean `tuktuk-dispatch-AssignDriverFunction";
    let asked = |arguments: &[&str]| folder.paring(&[arguments, &["--snapshot", "e/snapshot.json"]].concat());
    check_refused(&asked(&["paths", "tuktuk-dispatch-AssignDriverFunctionRole-693B169A42B"]), &[near]);
    check_refused(&asked(&["reach", "tuktuk-dispatch-AssignDriverFunction-2A3F7CFF40F"]), &[near]);
    check_refused(&asked(&["paths", "somebody"]), &["`somebody`", "hint: give the name or ARN"]);
}

#[test]
fn logs_that_show_no_call_leave_nothing_to_cut() {
    let folder = folder();
    let other = folder.read("e/snapshot.json").replace("111122223333", "999988887777");
    folder.write("s.json", other);
    let output = tighten(&folder, "s.json", "e/trail", "e");
    assert!(output.stdout.starts_with("nothing to cut · 3 roles left as they are\n"), "{}", output.stdout);
    assert!(output.stdout.contains("of account 999988887777: no log was read"), "{}", output.stdout);
}
