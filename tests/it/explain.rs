//! `paring explain`: every statement with its evidence, every dropped permission with its reason.

use serde_json::Value;

use crate::run::{Folder, Output, example};

const ROLE: &str = "tuktuk-dispatch-AssignDriverFunctionRole-693B169A42BB";

fn explain(arguments: &[&str]) -> Output {
    let example = example();
    let (snapshot, trail) = (example.join("snapshot.json"), example.join("trail"));
    let files = ["--snapshot", snapshot.to_str().unwrap(), "--trail", trail.to_str().unwrap()];
    Folder::new().paring(&[&["explain"], arguments, &files].concat())
}

#[test]
fn every_statement_has_its_calls_and_every_cut_its_reason() {
    let output = explain(&[ROLE]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    insta::assert_snapshot!("explain", output.stdout);
}

#[test]
fn one_action_is_followed_from_grant_to_fate() {
    let told: Vec<String> = ["dynamodb:UpdateItem", "s3:DeleteObject", "sqs:SendMessage", "logs:PutLogEvents"]
        .map(|action| explain(&[ROLE, action]).stdout)
        .into();
    insta::assert_snapshot!("explain_action", told.join("\n"));
}

#[test]
fn programs_get_every_call_and_every_dropped_action() {
    let role = format!("arn:aws:iam::111122223333:role/{ROLE}");
    let told = |arguments: &[&str]| -> Value {
        let output = explain(&[&[role.as_str()], arguments, &["--format", "json"]].concat());
        serde_json::from_str(&output.stdout).unwrap()
    };
    let (whole, told) = (told(&[]), told(&["s3:PutObject"]));
    assert_eq!((&whole["schema"], &told["schema"]), (&"paring-explanation/1".into(), &"paring-explanation/1".into()));
    assert!(told.get("policies").is_none() && told.get("dropped").is_none(), "one action was asked for: {told}");
    assert!(whole["action"].is_null());
    assert_eq!(told["action"]["fate"], "narrowed");
    assert_eq!(told["action"]["grounds"][0]["calls"], 190);
    assert_eq!(told["action"]["grounds"][0]["event_ids"].as_array().unwrap().len(), 3);
    let dropped = |action: &str| {
        let groups = whole["dropped"].as_array().unwrap();
        let found = groups.iter().find(|group| group["actions"].as_array().unwrap().iter().any(|one| one == action));
        found.map(|group| group["could_be_seen"].as_bool().unwrap())
    };
    assert_eq!(dropped("s3:DeleteBucket"), Some(true));
    assert_eq!(dropped("sqs:SendMessage"), Some(false), "the trail records no data events of queues");
    assert_eq!(dropped("s3:PutObject"), None, "what stays is not dropped");
}

#[test]
fn a_role_the_logs_say_nothing_of_keeps_everything_and_says_so() {
    let output = explain(&[ROLE, "--min-days", "4000"]);
    assert!(output.stdout.contains("nothing is proposed: the logs of account 111122223333 span 94 days, and 4000"));
    assert!(!output.stdout.contains("Dropped") && !output.stdout.contains("unneeded"), "{}", output.stdout);
    assert_eq!(explain(&["nobody"]).code, 2);
}

/// A shared role, as `tests/it/split.rs` has it.
#[test]
fn a_shared_role_is_explained_function_by_function() {
    let (folder, _) = crate::split::run(&serde_json::json!({}), &[]);
    let explain = |arguments: &[&str]| {
        let files = ["--snapshot", "snapshot.json", "--trail", "trail"];
        folder.paring(&[&["explain", "shared"], arguments, &files].concat())
    };
    let whole = explain(&["dynamodb:PutItem"]);
    assert!(whole.stdout.starts_with("arn:aws:iam::111122223333:role/app/shared\n  runs"), "{}", whole.stdout);
    let parts = explain(&["--split", "dynamodb:PutItem"]);
    insta::assert_snapshot!("explain_split_action", parts.stdout);
    let told: Value = serde_json::from_str(&explain(&["--split", "--format", "json"]).stdout).unwrap();
    assert_eq!(told["role"], "arn:aws:iam::111122223333:role/app/shared");
    let part = |function: &str| {
        let parts = told["parts"].as_array().unwrap();
        parts.iter().find(|part| part["functions"][0] == function).unwrap().clone()
    };
    let (orders, quiet) = (part("orders"), part("quiet"));
    assert_eq!(orders["instead_of"], told["role"]);
    let own = orders["policies"].as_array().unwrap().iter().find(|policy| policy["state"] == "new").unwrap();
    assert_eq!(own["statements"][0]["grounds"][0]["action"], "dynamodb:PutItem");
    assert_eq!(own["statements"][0]["grounds"][0]["rule"], "called");
    let dropped = orders["dropped"].to_string();
    assert!(dropped.contains("codebuild:StartBuild") && dropped.contains("dynamodb:DeleteItem"), "{dropped}");
    assert_eq!(quiet["dropped"], serde_json::json!([]), "of a function that no call shows nothing is dropped");
    assert_eq!(orders["claims"].as_array().unwrap().len(), 4);
}

/// The variables of the example's template, whose values only the template tells.
#[test]
fn environment_variables_of_the_template_name_what_was_used_and_what_was_not() {
    let iac = example();
    let output = explain(&[ROLE, "--iac", iac.to_str().unwrap()]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let named = |action: &str, variable: &str| {
        let after = output.stdout.split_once(&format!("observed  {action} ")).unwrap().1;
        let lines: Vec<&str> = after.lines().take(3).collect();
        assert!(lines.iter().any(|line| line.trim() == format!("named by {variable}")), "{action}: {lines:#?}");
    };
    named("dynamodb:UpdateItem", "RIDES_TABLE");
    named("s3:PutObject", "RECEIPTS_BUCKET");
    named("secretsmanager:GetSecretValue", "MAPS_API_KEY");
    assert!(!output.stdout.contains("not seen in use"), "{}", output.stdout);
    assert!(!explain(&[ROLE]).stdout.contains("named by"), "without the template nobody knows");
}

/// `tighten` counted as unseen what only services use, with roles of their own; `explain` did not.
#[test]
fn tighten_and_explain_call_the_same_actions_unseen() {
    let example = example();
    let (snapshot, trail) = (example.join("snapshot.json"), example.join("trail"));
    let files = ["--snapshot", snapshot.to_str().unwrap(), "--trail", trail.to_str().unwrap(), "--out", "out"];
    let folder = Folder::new();
    folder.paring(&[&["tighten", "--role", ROLE], files.as_slice()].concat());
    let report: Value = serde_json::from_str(&folder.read("out/report.json")).unwrap();
    let explained: Value = serde_json::from_str(&explain(&[ROLE, "--format", "json"]).stdout).unwrap();
    let actions = |groups: &Value| -> Vec<String> {
        let groups = groups.as_array().unwrap().iter().filter(|group| group["could_be_seen"] != true);
        let mut names: Vec<String> =
            groups.flat_map(|group| group["actions"].as_array().unwrap()).map(|name| name.to_string()).collect();
        names.sort();
        names
    };
    let unseen = actions(&report["roles"][0]["blind_spots"]);
    assert!(unseen.len() > 1_000);
    assert_eq!(unseen, actions(&explained["dropped"]));
}
