//! `paring guard`: requests against guardrails, on files of its own and on the conformance folder.

use std::path::Path;

use crate::run::{Folder, Output, conformance};

const DENY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Delete", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*",
         "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass"}}},
        {"Sid": "Regions", "Effect": "Deny", "NotAction": ["iam:*", "s3:*"], "Resource": "*",
         "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}
    ]
}"#;
const ALLOW: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;

/// A case; `more` is put into it.
fn case(id: &str, principal: &str, action: &str, more: &str) -> String {
    let resource = if action.starts_with("s3:") { "arn:aws:s3:::b/k" } else { "*" };
    format!(
        "{{\"id\": \"{id}\", \"principal\": \"arn:aws:iam::{principal}\", \"action\": \"{action}\", \"resource\": \"{resource}\", \
         \"resource_account\": \"111122223333\"{more}}}\n"
    )
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("scps/deny.json", DENY);
    folder.write("scps/org/allow.json", ALLOW);
    folder
}

fn replay(folder: &Folder, policy: &str, cases: &str, more: &[&str]) -> Output {
    folder.write("cases.jsonl", cases);
    folder.paring(&[&["guard", "replay", "--policy", policy, "--cases", "cases.jsonl"], more].concat())
}

#[test]
fn a_guardrail_names_the_statements_that_deny_and_binds_no_exempt_caller() {
    let role = "111122223333:role/R";
    let cases = [
        case("denied", role, "s3:DeleteObject", r#", "expect": "denied", "statements": [0]"#),
        case(
            "exempt role",
            "111122223333:role/BreakGlass",
            "s3:DeleteObject",
            r#", "expect": "allowed", "statements": []"#,
        ),
        case(
            "another statement",
            role,
            "sqs:SendMessage",
            r#", "context": {"aws:RequestedRegion": "us-east-1"}, "statements": [1]"#,
        ),
        case("no expectation", role, "s3:GetObject", ""),
        case(
            "linked",
            "111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
            "s3:DeleteObject",
            r#", "expect": "allowed""#,
        ),
        case("managing", "999988887777:role/R", "s3:DeleteObject", r#", "expect": "allowed""#),
        case("root user", "111122223333:root", "s3:DeleteObject", r#", "expect": "denied""#),
    ];
    let output = replay(
        &folder(),
        "scps/deny.json",
        &cases.concat(),
        &["--kind", "scp", "--management-account", "999988887777"],
    );
    assert_eq!(output.code, 0, "{}", output.stderr);
    insta::assert_snapshot!(format!("{}! {}", output.stdout, output.stderr));
}

#[test]
fn cases_of_a_folder_name_their_policy() {
    let role = "111122223333:role/R";
    let cases = [
        case("a", role, "s3:DeleteObject", r#", "policy": "deny", "expect": "denied""#),
        case("b", role, "s3:DeleteObject", r#", "policy": "org/allow", "expect": "allowed", "statements": [0]"#),
        // One that allows stands in the place of the policy that allows everything.
        case("c", role, "sqs:SendMessage", r#", "policy": "org/allow", "expect": "denied", "statements": []"#),
        // Of a resource control policy only the services that they reach are asked.
        case("d", role, "lambda:InvokeFunction", r#", "policy": "deny", "kind": "rcp", "expect": "allowed""#),
        case("e", role, "s3:DeleteObject", r#", "policy": "deny", "expect": "allowed""#),
    ];
    let output = replay(&folder(), "scps", &cases.concat(), &["--kind", "scp"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    for part in ["5 cases, 4 agree, 1 disagree", "cases.jsonl:5: e: allowed was expected, denied found"] {
        assert!(output.stderr.contains(part), "no `{part}` in {}", output.stderr);
    }
    assert_eq!(output.stdout.lines().count(), 5);
}

#[test]
fn what_cannot_be_decided_is_named_and_nothing_is_skipped() {
    let folder = folder();
    let role = "111122223333:role/R";
    folder.write("scps/comment.json", "{\n  \"Statement\": [] // mine\n}");
    folder.write("outside.json", DENY);
    for (name, line, part) in [
        ("comment", case("x", role, "s3:GetObject", r#", "policy": "comment""#), "comment.json:2:19"),
        ("outside", case("x", role, "s3:GetObject", r#", "policy": "../outside""#), "outside of the folder"),
        ("missing", case("x", role, "s3:GetObject", r#", "policy": "none""#), "no policy `none`"),
        ("nameless", case("x", role, "s3:GetObject", ""), "names no `policy`"),
        ("no json", "{\"id\":\n".to_owned(), "cases.jsonl:1"),
        ("no principal", "{\"id\": \"x\", \"action\": \"s3:GetObject\"}\n".to_owned(), "no `principal`"),
        ("kind", case("x", role, "s3:GetObject", r#", "policy": "deny", "kind": "tag""#), "`tag` is no kind"),
        ("expect", case("x", role, "s3:GetObject", r#", "policy": "deny", "expect": "yes""#), "`yes` is none of"),
    ] {
        let output = replay(&folder, "scps", &line, &["--kind", "scp"]);
        assert_eq!(output.code, 2, "{name}: {}", output.stderr);
        assert!(output.stderr.contains(part), "{name}: no `{part}` in {}", output.stderr);
        assert!(output.stderr.contains("1 of 1 cases could not be decided"), "{name}: {}", output.stderr);
    }
    let output = replay(&folder, "scps/comment.json", &case("x", role, "s3:GetObject", ""), &["--kind", "scp"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("scps/comment.json:2:19"), "{}", output.stderr);
    let unkind = replay(&folder, "scps/deny.json", &case("x", role, "s3:GetObject", ""), &[]);
    assert!(unkind.code == 2 && unkind.stderr.contains("neither the case nor --kind"), "{}", unkind.stderr);
}

#[test]
fn a_policy_with_a_part_nobody_knows_decides_nothing_by_it() {
    let folder = folder();
    folder.write("scps/odd.json", DENY.replace("ArnNotLike", "ArnAlmostLike"));
    let output =
        replay(&folder, "scps/odd.json", &case("x", "111122223333:role/R", "s3:DeleteObject", ""), &["--kind", "scp"]);
    assert!(output.stdout.contains(r#""decision":"unknown","statements":[0],"unknown":["#), "{}", output.stdout);
    assert!(output.stderr.contains("ArnAlmostLike"), "{}", output.stderr);
}

const ORGANIZATION: &str = r#"{"organization": {"root": "r-1", "management_account": "999988887777",
    "ous": {"ou-1": {"parent": "r-1"}},
    "accounts": {"111122223333": {"parent": "ou-1"}, "222233334444": {"parent": "r-1"}, "999988887777": {"parent": "r-1"}}},
  "policies": {"NoDelete": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}]}},
  "scp": {"r-1": ["FullAWSAccess"], "ou-1": ["FullAWSAccess", "NoDelete"], "111122223333": ["FullAWSAccess"], "222233334444": []}}"#;

#[test]
fn an_organisation_decides_level_by_level_and_says_where() {
    let folder = folder();
    folder.write("org.json", ORGANIZATION);
    let cases = [
        case("in the unit", "111122223333:role/R", "s3:DeleteObject", r#", "expect": "denied", "decided_by": "ou-1""#),
        case(
            "no allow",
            "222233334444:role/R",
            "s3:GetObject",
            r#", "expect": "denied", "decided_by": "222233334444""#,
        ),
        case("managing", "999988887777:role/R", "s3:DeleteObject", r#", "expect": "allowed", "decided_by": null"#),
        case("a stranger", "555566667777:role/R", "s3:DeleteObject", r#", "expect": "allowed""#),
        case(
            "the resource's side",
            "555566667777:role/R",
            "s3:DeleteObject",
            r#", "rcp": {"r-1": ["RCPFullAWSAccess", "NoDelete"]}, "expect": "unknown""#,
        ),
    ];
    folder.write("cases.jsonl", cases.concat());
    let output = folder.paring(&["guard", "replay", "--organization", "org.json", "--cases", "cases.jsonl"]);
    insta::assert_snapshot!(format!("{}! {}= {}", output.stdout, output.stderr, output.code));
    folder.write(
        "cases.jsonl",
        case("x", "111122223333:role/R", "s3:GetObject", r#", "scp": {"r-1": ["FullAWSAccess"]}"#),
    );
    let output = folder.paring(&["guard", "replay", "--organization", "org.json", "--cases", "cases.jsonl"]);
    assert!(output.code == 2 && output.stderr.contains("service control policies `ou-1` has"), "{}", output.stderr);
}

#[test]
fn the_vectors_come_out_as_expected() {
    let Some(root) = conformance() else { return };
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (vectors, corpus) = (root.join("vectors/guardrails"), root.join("corpora/guardrails"));
    let folder = Folder::new();
    let (requests, tree) = (text(&vectors.join("requests.jsonl")), text(&vectors.join("hierarchy.jsonl")));
    for (name, arguments) in [
        ("requests", vec!["--policy", corpus.to_str().unwrap(), "--kind", "scp", "--cases", &requests]),
        ("hierarchy", vec!["--organization", vectors.join("org.json").to_str().unwrap(), "--cases", &tree]),
    ] {
        let output = folder.paring(&[vec!["guard", "replay"], arguments].concat());
        assert!(output.code == 0 && output.stderr.contains(" 0 disagree"), "{name}: {}", output.stderr);
    }
}

#[test]
fn lint_says_what_a_guardrail_leaves_open_and_check_policy_says_the_same() {
    let folder = Folder::new();
    let text = DENY.replace("arn:aws:iam::*:role/BreakGlass", "arn:aws:iam::${Account}:role/[PRIVILEGED_ROLE]");
    folder.write("scp.json", &text);
    let output = folder.paring(&["guard", "lint", "scp.json"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    let found = "error[unresolved-placeholder]: scp.json:5:59: `[PRIVILEGED_ROLE]` was left to be filled in";
    assert!(output.stdout.contains(found), "{}", output.stdout);
    assert_eq!(output.stdout, folder.paring(&["check", "policy", "--kind", "scp", "scp.json"]).stdout);
    folder.write("comment.json", "{\n  // mine\n}");
    let output = folder.paring(&["guard", "lint", "comment.json", "--format", "json"]);
    assert!(output.code == 1 && output.stdout.contains("json-invalid"), "{}", output.stdout);
    assert!(output.stdout.contains("\"line\": 2"), "{}", output.stdout);
}

fn scp(statements: &str) -> String {
    format!("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {statements}\n  ]\n}}\n")
}

#[test]
fn pack_writes_the_fewest_documents_and_says_what_they_are_made_of() {
    let folder = Folder::new();
    folder.write("a.json", scp(r#"{"Sid": "A", "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}"#));
    folder.write("b.json", scp(r#"{"Sid": "B", "Effect": "Deny", "Action": ["s3:DeleteObject"], "Resource": "*"}"#));
    folder.write(
        "c.json",
        scp(r#"{"Sid": "C", "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::a/*"}"#),
    );
    let files = ["a.json", "b.json", "c.json"];
    let printed = folder.paring(&[&["guard", "pack", "--kind", "scp"][..], &files].concat());
    let written = folder.paring(&[&["guard", "pack", "--kind", "scp", "--out", "packed"][..], &files].concat());
    assert_eq!((printed.code, written.code), (0, 0), "{}{}", printed.stderr, written.stderr);
    assert_eq!(folder.read("packed/scp-1.json") + "\n", printed.stdout);
    insta::assert_snapshot!(format!("{}{}! {}", printed.stdout, written.stdout, written.stderr));
}

#[test]
fn what_fits_no_quota_is_refused_with_the_figures() {
    let folder = Folder::new();
    let buckets = |from: usize| {
        let names: Vec<String> = (from..from + 180).map(|n| format!(r#""arn:aws:s3:::bucket-number-{n}""#)).collect();
        scp(&format!(r#"{{"Effect": "Deny", "Action": "s3:Delete{from}", "Resource": [{}]}}"#, names.join(", ")))
    };
    let names: Vec<String> = (0..6).map(|n| format!("p{n}.json")).collect();
    names.iter().enumerate().for_each(|(n, name)| drop(folder.write(name, buckets(1000 * (n + 1)))));
    let files: Vec<&str> = names.iter().map(String::as_str).collect();
    let now = folder.paring(&[&["guard", "pack", "--kind", "scp", "--out", "now"][..], &files].concat());
    assert!(now.code == 0 && now.stderr.contains("6 of the 9 that a target may have"), "{}", now.stderr);
    let before = folder
        .paring(&[&["guard", "pack", "--kind", "scp", "--quota", "aws-2025", "--out", "then"][..], &files].concat());
    assert_eq!((before.code, before.stdout.as_str()), (1, ""), "{}", before.stderr);
    assert!(before.stderr.contains("a target may have 4 of at most 5,120 characters"), "{}", before.stderr);
    assert!(!folder.path().join("then").exists());
    // A document of a former run beside the new ones would be attached with them.
    let fewer = folder.paring(&["guard", "pack", "--kind", "scp", "--out", "now", "p0.json"]);
    assert_eq!(fewer.code, 0, "{}", fewer.stderr);
    assert!(folder.path().join("now/scp-1.json").exists() && !folder.path().join("now/scp-2.json").exists());
    folder.write(
        "odd.json",
        scp(r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringAlike": {"a:b": "c"}}}"#),
    );
    let odd = folder.paring(&["guard", "pack", "--kind", "scp", "odd.json"]);
    assert!(odd.code != 0 && odd.stdout.is_empty() && odd.stderr.contains("StringAlike"), "{}", odd.stderr);
}

#[test]
fn impact_asks_verify_about_the_change_that_attaching_is() {
    let folder = Folder::new();
    crate::accounts::write(&folder);
    folder.write("regions.json", scp(
        r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}"#,
    ));
    let impact = |policy: &str, more: &[&str]| {
        let given =
            ["guard", "impact", "--policy", policy, "--kind", "scp", "--snapshot", "s.json", "--usage", "usage.json"];
        folder.paring(&[&given[..], more].concat())
    };
    let everywhere = impact("regions.json", &[]);
    assert_eq!(everywhere.code, 1, "{}{}", everywhere.stdout, everywhere.stderr);
    assert!(everywhere.stdout.contains("account 444455556666: 70 of 70 calls"), "{}", everywhere.stdout);
    let one = impact("regions.json", &["--target", "444455556666"]);
    assert!(one.stdout.contains("account 444455556666: 70 of 70 calls"), "{}{}", one.stdout, one.stderr);
    // The record of the other account's call does not say its Region.
    assert!(everywhere.stdout.contains("111122223333 role/orders  s3:GetObject: hangs"), "{}", everywhere.stdout);
    assert!(!one.stdout.contains("111122223333 role/orders"), "{}", one.stdout);
    let nowhere = impact("regions.json", &["--target", "999999999999"]);
    assert!(nowhere.code == 2 && nowhere.stderr.contains("no account of the organisation"), "{}", nowhere.stderr);
    let names: Vec<String> = (0..400).map(|n| format!(r#""arn:aws:s3:::bucket-number-{n}""#)).collect();
    folder.write(
        "long.json",
        scp(&format!(r#"{{"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": [{}]}}"#, names.join(", "))),
    );
    let long = impact("long.json", &[]);
    assert!(long.code == 1 && long.stdout.contains("guardrail-fits-quota"), "{}", long.stdout);
    assert!(long.stderr.contains("characters are more than the 10240 for a service control policy"), "{}", long.stderr);
}

/// A policy of Control Tower's: one statement in its table, one of a newer control, one of nobody.
const OF_CONTROL_TOWER: &str = r#"{"Version": "2012-10-17", "Statement": [
 {"Sid": "GRIAMROLEPOLICY", "Effect": "Deny", "Action": "iam:DeleteRole", "Resource": "arn:aws:iam::*:role/aws-controltower-*"},
 {"Sid": "CTLAMBDAPV1", "Effect": "Deny", "Action": "lambda:CreateFunctionUrlConfig", "Resource": "*"},
 {"Sid": "Other", "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}]}"#;

#[test]
fn controls_of_control_tower_are_named() {
    let folder = Folder::new();
    folder.write("scps/aws-guardrails-abc.json", OF_CONTROL_TOWER);
    folder.write("scps/own.json", OWN);
    let told = folder.paring(&["guard", "controls", "scps"]);
    insta::assert_snapshot!(format!("{}{}= {}\n", told.stdout, told.stderr, told.code));
    let json = folder.paring(&["guard", "controls", "scps", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["found"][0]["controls"][0], "AWS-GR_IAM_ROLE_CHANGE_PROHIBITED");
    assert_eq!(json["found"][0]["places"][0]["statement"], 0);
}

#[test]
fn a_replay_names_the_control_that_decides() {
    let folder = Folder::new();
    folder.write("p.json", OF_CONTROL_TOWER);
    let case = |id: &str, action: &str, resource: &str| {
        format!(
            r#"{{"id": "{id}", "principal": "arn:aws:iam::111122223333:role/dev", "action": "{action}", "resource": "{resource}", "context": {{}}}}"#
        )
    };
    let cases = [
        case("theirs", "iam:DeleteRole", "arn:aws:iam::111122223333:role/aws-controltower-x"),
        case("other", "s3:DeleteBucket", "arn:aws:s3:::b"),
    ];
    folder.write("cases.jsonl", cases.join("\n"));
    let told = folder.paring(&["guard", "replay", "--policy", "p.json", "--kind", "scp", "--cases", "cases.jsonl"]);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"id":"theirs","decision":"denied","statements":[0],"controls":["AWS-GR_IAM_ROLE_CHANGE_PROHIBITED"]}"#,
            r#"{"id":"other","decision":"denied","statements":[2]}"#
        ]
    );
}

#[test]
fn packing_leaves_control_towers_policies_as_they_are() {
    let folder = Folder::new();
    folder.write("scps/aws-guardrails-abc.json", OF_CONTROL_TOWER);
    folder.write("scps/own.json", OWN);
    let told = folder.paring(&["guard", "pack", "scps", "--kind", "scp"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stdout.contains("ec2:RunInstances") && !told.stdout.contains("GRIAMROLEPOLICY"), "{}", told.stdout);
    assert!(told.stderr.contains("aws-guardrails-abc.json: AWS Control Tower's own"), "{}", told.stderr);
    assert!(told.stderr.contains("1 of the 8 that a target may have"), "{}", told.stderr);
    std::fs::remove_file(folder.path().join("scps/own.json")).unwrap();
    let alone = folder.paring(&["guard", "pack", "scps", "--kind", "scp"]);
    assert_eq!((alone.code, alone.stdout.as_str()), (0, ""), "{}", alone.stderr);
}

#[test]
fn a_change_of_control_towers_policy_is_objected_to() {
    let folder = Folder::new();
    let snapshot = format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{"111122223333": {{"authorization_details": {{"UserDetailList": [], "GroupDetailList": [],
        "RoleDetailList": [], "Policies": []}}}}}}, "organization": {{"id": "o-1", "management_account_id": "999988887777",
        "accounts": {{"111122223333": {{"scps": [[{OF_CONTROL_TOWER}]], "rcps": []}}}}}}}}"#
    );
    folder.write("s.json", snapshot);
    let change = |before: &str, after: &str| {
        format!(
            r#"{{"schema": "paring-changes/1", "changes": [{{"attachment": {{"kind": "service_control"}}, "before": {before}, "after": {after}, "reasons": []}}]}}"#
        )
    };
    for (before, after, objects) in
        [(OF_CONTROL_TOWER, OWN, true), (OF_CONTROL_TOWER, "null", true), (OWN, OF_CONTROL_TOWER, false)]
    {
        folder.write("c.json", change(before, after));
        let told = folder.paring(&["rules", "check", "--snapshot", "s.json", "--changes", "c.json"]);
        let found = told.stdout.contains("control-tower-keeps-its-controls");
        assert_eq!(found, objects, "{before} to {after}: {}{}", told.stdout, told.stderr);
    }
}

const OWN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Mine", "Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}]}"#;
