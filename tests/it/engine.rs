//! `tighten --engine`: what AWS generated or recommends, as evidence beside the logs or without them.

use serde_json::{Value, json};

use crate::run::{Folder, example};

const ROLE: &str = "tuktuk-dispatch-AssignDriverFunctionRole-693B169A42BB";

/// What Access Analyzer would print for the role: one action, one service without its actions.
fn generated(complete: bool) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "arn:aws:kms:${Region}:${Account}:key/${KeyId}"},
        {"Effect": "Allow", "Action": ["sns:*"], "Resource": "*"}]});
    json!({"jobDetails": {"jobId": "j", "status": "SUCCEEDED", "startedOn": "2026-11-01T00:00:00Z"},
        "generatedPolicyResult": {"properties": {"isComplete": complete,
            "principalArn": format!("arn:aws:iam::111122223333:role/{ROLE}"),
            "cloudTrailProperties": {"trailProperties": [], "startTime": "2026-08-01T00:00:00Z", "endTime": "2026-10-30T00:00:00Z"}},
        "generatedPolicies": [{"policy": policy.to_string()}]}})
    .to_string()
}

/// The policy the role is left with, and what was said.
fn tighten(folder: &Folder, engine: &str, logs: bool) -> (String, String) {
    let example = example();
    let (snapshot, trail) = (example.join("snapshot.json"), example.join("trail"));
    let mut arguments = vec!["tighten", "--role", ROLE, "--snapshot", snapshot.to_str().unwrap(), "--engine", engine];
    arguments.extend(["--generated", "generated.json", "--format", "json", "--out", "out"]);
    if logs {
        arguments.extend(["--trail", trail.to_str().unwrap()]);
    }
    let output = folder.paring(&arguments);
    assert!(output.code < 2, "{}", output.stderr);
    (folder.read(&format!("out/policies/{ROLE}.json")), output.stderr)
}

#[test]
fn what_access_analyzer_names_is_kept_beside_what_the_logs_show() {
    let folder = Folder::new();
    folder.write("generated.json", generated(true));
    let (policy, said) = tighten(&folder, "both", true);
    for kept in ["kms:Decrypt", "\"sns:", "dynamodb:UpdateItem"] {
        assert!(policy.contains(kept), "no {kept} in {policy}");
    }
    for gap in ["`iam:PassRole` is never among the actions", "of sns it tells the use and not the actions"] {
        assert!(said.contains(gap), "no `{gap}` in {said}");
    }
}

#[test]
fn without_logs_what_it_does_not_tell_stays_and_no_call_is_made_up() {
    let folder = Folder::new();
    folder.write("generated.json", generated(true));
    let (policy, _) = tighten(&folder, "access-analyzer", false);
    // It does not tell data events, nor every action of a service: what it names stays whole, and so does the rest.
    for kept in ["kms:*", "sns:*", "ec2:*", "dynamodb:*"] {
        assert!(policy.contains(&format!("\"{kept}\"")), "no {kept} in {policy}");
    }
    let text = folder.read("out/report.json");
    for invented in ["1 call,", "1 calls", "3 observed", "a keep rule"] {
        assert!(!text.contains(invented), "`{invented}` in {text}");
    }
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["evidence"]["records"], 0);
    let claims = report["roles"][0]["claims"].to_string();
    assert!(claims.contains("the evidence holds no calls to replay"), "{claims}");
}

#[test]
fn a_generation_that_did_not_read_everything_is_no_evidence() {
    let folder = Folder::new();
    folder.write("generated.json", generated(false));
    let example = example();
    let snapshot = example.join("snapshot.json");
    let output = folder.paring(&[
        "tighten",
        "--role",
        ROLE,
        "--snapshot",
        snapshot.to_str().unwrap(),
        "--engine",
        "access-analyzer",
        "--generated",
        "generated.json",
        "--format",
        "json",
        "--exit-zero",
    ]);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(report["findings"].to_string().contains("no-evidence"), "{}", output.stdout);
}

#[test]
fn an_engine_without_its_answers_says_how_to_get_them() {
    let folder = Folder::new();
    let example = example();
    let snapshot = example.join("snapshot.json");
    let of = |arguments: &[&str]| {
        let output = folder.paring(&[&["tighten", "--snapshot", snapshot.to_str().unwrap()], arguments].concat());
        assert_eq!(output.code, 2, "{}", output.stderr);
        output.stderr
    };
    assert!(of(&["--engine", "access-analyzer"]).contains("paring collect --access-analyzer --record DIR"));
    assert!(of(&["--engine", "local"]).contains("no logs are named"));
    folder.write("generated.json", generated(true));
    assert!(of(&["--engine", "local", "--generated", "generated.json"]).contains("counts only with another engine"));
}
