//! `paring check`: one policy or many, offline.

use std::fmt::Write as _;

use crate::run::{Folder, workspace};

const BUCKET: &str = r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}"#;

#[test]
fn a_policy_is_public_for_the_types_it_governs_and_other_types_are_refused() {
    let folder = Folder::new();
    folder.write("p.json", BUCKET);
    let check = |kind: &str| folder.paring(&["check", "no-public", "--policy", "p.json", "--resource-type", kind]);
    let public = check("AWS::S3::Bucket");
    assert_eq!(public.code, 1);
    assert!(public.stdout.contains("counterexample: "), "{}", public.stdout);
    assert_eq!(check("AWS::SQS::Queue").code, 0, "a queue's policy decides nothing about objects");
    let refused = check("AWS::EC2::Instance");
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("AWS::EC2::Instance") && refused.stderr.contains("AWS::S3::Bucket"));
}

/// Running as root reads every folder, so it is the depth and links that stop the walk here.
#[test]
fn a_folder_that_cannot_be_read_whole_is_an_error_and_no_silent_skip() {
    let folder = Folder::new();
    folder.write("deep/p.json", FLAWED);
    let check = || folder.paring(&["check", "policy", "deep"]);
    assert_eq!(check().code, 1);
    std::os::unix::fs::symlink("p.json", folder.path().join("deep/text")).unwrap();
    assert_eq!(check().code, 1, "a link that leads to no policy hides none");
    folder.write(&format!("deep/{}q.json", "d/".repeat(70)), BUCKET);
    let output = check();
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{}", output.stderr);
    assert!(output.stderr.contains("nested too deeply"), "{}", output.stderr);
}

#[test]
fn a_case_of_an_unknown_type_is_an_error_and_the_others_are_answered_in_order() {
    let folder = Folder::new();
    let mut cases = String::new();
    for n in 0..3000 {
        let kind = if n == 1500 { "AWS::EC2::Instance" } else { "AWS::S3::Bucket" };
        let policy = BUCKET.replace('\n', " ");
        let _ = writeln!(
            cases,
            r#"{{"id": "{n}", "check": "no_public_access", "resource_type": "{kind}", "new_policy": {policy}, "expected": "FAIL"}}"#
        );
    }
    folder.write("cases.jsonl", cases);
    let output = folder.paring(&["check", "--cases", "cases.jsonl"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("cases.jsonl:1501: the resource type `AWS::EC2::Instance`"), "{}", output.stderr);
    assert!(output.stderr.contains("3000 cases, 2999 agree, 0 disagree"), "{}", output.stderr);
    let ids: Vec<&str> = output.stdout.lines().filter_map(|line| line.split('"').nth(3)).collect();
    let expected: Vec<String> = (0..3000).filter(|n| *n != 1500).map(|n| n.to_string()).collect();
    assert_eq!(ids, expected);
    assert_eq!(output.stdout, folder.paring(&["check", "--cases", "cases.jsonl"]).stdout, "equal input, equal bytes");
}

/// Cases of `testdata/checks`, each with a note that says which sentence of AWS's documentation it is about.
#[test]
fn cases_written_by_hand_come_out_as_documented() {
    let folder = Folder::new();
    for (file, count) in [("no-new-access.jsonl", 270), ("no-public.jsonl", 672), ("not-granted.jsonl", 28)] {
        let path = workspace().join("testdata/checks").join(file);
        let output = folder.paring(&["check", "--cases", path.to_str().unwrap()]);
        let said = format!("{count} cases, {count} agree, 0 disagree");
        assert!(output.code == 0 && output.stderr.contains(&said), "{file}: {}", output.stderr);
    }
}

const FLAWED: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Read",
      "Effect": "Allow",
      "Action": ["s3:GetObjects", "s3:ListBucket", "s3:GetObject"],
      "Resource": "arn:aws:s3:::reports/*",
      "Condition": {"StringEquals": {"aws:SourceVpcee": "vpce-1"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}
    },
    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/app"}
  ]
}
"#;

#[test]
fn what_is_wrong_with_a_policy_is_said_with_place_and_hint() {
    let folder = Folder::new();
    folder.write("flawed.json", FLAWED);
    let output = folder.paring(&["check", "policy", "flawed.json"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!("check_policy_text", output.stdout);
    let json = folder.paring(&["check", "policy", "flawed.json", "--format", "json"]);
    insta::assert_snapshot!("check_policy_json", json.stdout);
    assert_eq!(folder.paring(&["check", "policy", "flawed.json", "--exit-zero"]).code, 0);
}

#[test]
fn policies_are_found_in_folders_and_inside_what_the_aws_cli_prints() {
    let folder = Folder::new();
    let version = format!(r#"{{"PolicyVersion": {{"VersionId": "v1", "Document": {FLAWED}}}}}"#);
    folder.write("all/version.json", version);
    folder.write("all/good.json", r#"{"Version": "2012-10-17", "Statement": []}"#);
    folder.write("all/readme.md", "no policy");
    let output = folder.paring(&["check", "policy", "all"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("version.json:7:18"), "{}", output.stdout);
    assert!(output.stdout.contains("2 policies: "), "{}", output.stdout);
    let kind = folder.paring(&["check", "policy", "--kind", "rcp", "all/version.json"]);
    assert!(kind.stdout.contains("error[element-misplaced]"), "{}", kind.stdout);
}

#[test]
fn a_file_that_is_no_policy_is_an_error_at_its_place() {
    let folder = Folder::new();
    folder.write("p.json", "{\"Statement\": [,]}");
    let output = folder.paring(&["check", "policy", "p.json"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("error[json-invalid]: p.json:1:16"), "{}", output.stdout);
    assert_eq!(folder.paring(&["check", "policy", "nowhere.json"]).code, 2);
}

#[test]
fn folders_of_policies_are_compared_file_by_file() {
    let folder = Folder::new();
    let policy = |action: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}]}}"#
        )
    };
    for (file, action) in [("old/a.json", "s3:*"), ("old/b.json", "s3:Get*"), ("old/gone.json", "*")] {
        folder.write(file, policy(action));
    }
    for (file, action) in [("new/a.json", "s3:GetObject"), ("new/b.json", "s3:*"), ("new/c.json", "sqs:*")] {
        folder.write(file, policy(action));
    }
    let output = folder.paring(&["check", "no-new-access", "--old", "old", "--new", "new"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    let lines: Vec<&str> = output.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    let starts = [
        "new/a.json: proved",
        "new/b.json: refuted",
        "new/c.json: refuted",
        "3 policies: 1 proved, 2 refuted, 0 undecided",
    ];
    assert!(lines.len() == 4 && lines.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{lines:#?}");
    assert!(
        output.stderr.contains("1 policies are only in the new folder, 1 only in the old one"),
        "{}",
        output.stderr
    );
    assert_eq!(folder.paring(&["check", "no-new-access", "--old", "old", "--new", "new/a.json"]).code, 2);

    folder.write("access.json", r#"{"actions": "sqs:SendMessage"}"#);
    let granted = folder.paring(&["check", "not-granted", "--access", "access.json", "--policy", "new", "old/b.json"]);
    assert!(granted.stdout.ends_with("4 policies: 3 proved, 1 refuted, 0 undecided\n"), "{}", granted.stdout);
    for wrong in [r#"{"action": ["sqs:*"]}"#, r#"{"actions": [1]}"#, "{}"] {
        folder.write("access.json", wrong);
        let refused = folder.paring(&["check", "not-granted", "--access", "access.json", "--policy", "new"]);
        assert!(refused.code == 2 && refused.stderr.contains("hint: write"), "{wrong}: {}", refused.stderr);
    }
}

#[test]
fn a_policy_that_is_not_public_comes_with_a_certificate() {
    let folder = Folder::new();
    folder.write("p.json", BUCKET.replace(r#""Principal": "*""#, r#""Principal": {"AWS": "111122223333"}"#));
    let output = folder.paring(&["check", "no-public", "--policy", "p.json", "--resource-type", "AWS::S3::Bucket"]);
    assert!(output.code == 0 && output.stdout.contains("paring-proof/2"), "{}", output.stdout);
}

/// Beside nothing but its own denies a guardrail would allow nothing, and taking a deny away would look safe.
#[test]
fn policies_that_only_deny_are_compared_as_guardrails() {
    let folder = Folder::new();
    for (who, name) in [("", "scp"), (r#""Principal": "*", "#, "rcp")] {
        let deny = |actions: &str| {
            format!(
                r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", {who}"Action": {actions}, "Resource": "*"}}]}}"#
            )
        };
        folder.write("wide.json", deny(r#"["s3:*", "sqs:*"]"#));
        folder.write("narrow.json", deny(r#""s3:*""#));
        let check = |old: &str, new: &str| folder.paring(&["check", "no-new-access", "--old", old, "--new", new]);
        let looser = check("wide.json", "narrow.json");
        assert!(looser.code == 1 && looser.stdout.starts_with("refuted"), "{name}: {}", looser.stdout);
        assert!(looser.stdout.contains("sqs:"), "{name}: {}", looser.stdout);
        assert!(looser.stderr.contains("compared as guardrails"), "{name}: {}", looser.stderr);
        assert_eq!(check("narrow.json", "wide.json").code, 0, "{name}");
        let difference = folder.paring(&["diff", "wide.json", "narrow.json"]);
        assert!(difference.code == 1 && difference.stdout.contains("sqs Write"), "{name}: {}", difference.stdout);
    }
}

/// A program reads the outcome, what shows it, and the version of the form.
#[test]
fn checks_answer_in_json_too() {
    let folder = Folder::new();
    folder.write(
        "old.json",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#,
    );
    folder.write(
        "new.json",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#,
    );
    let check = |old: &str, new: &str| {
        let output = folder.paring(&["check", "no-new-access", "--old", old, "--new", new, "--format", "json"]);
        (output.code, serde_json::from_str::<serde_json::Value>(&output.stdout).unwrap())
    };
    let (code, said) = check("new.json", "old.json");
    assert_eq!(
        (code, &said["schema"], &said["checks"][0]["outcome"]),
        (0, &"paring-checks/1".into(), &"proved".into())
    );
    assert!(said["checks"][0]["certificate"].as_str().unwrap().contains("paring-proof"), "{said}");
    let (code, said) = check("old.json", "new.json");
    let one = &said["checks"][0];
    assert_eq!(
        (code, &one["outcome"], &one["policy"], &one["old"]),
        (1, &"refuted".into(), &"new.json".into(), &"old.json".into())
    );
    assert!(one["counterexample"]["action"].as_str().unwrap().starts_with("s3:"), "{said}");
}

#[test]
fn the_paths_of_an_api_are_read_where_its_policy_names_them_for_short() {
    let folder = Folder::new();
    let policy = |resource: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "{resource}"}}]}}"#
        )
    };
    for resource in ["execute-api:/stage/GET/pets", "execute-api:/*", "arn:aws:execute-api:us-east-1:111122223333:a1/*"]
    {
        folder.write("p.json", policy(resource));
        let output = folder.paring(&["check", "no-public", "--policy", "p.json"]);
        assert!(output.stdout.starts_with("refuted: a stranger is allowed a request"), "{resource}: {}", output.stdout);
        assert_eq!(output.code, 1);
    }
}
