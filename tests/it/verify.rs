//! `paring verify`: four claims about changes written by hand, of every kind of policy.

use crate::accounts::{OWN, change, write};
use crate::run::{Folder, Output};

const ROLE: &str =
    r#"{"kind": "identity", "principal_arn": "arn:aws:iam::111122223333:role/orders", "policy_name": "own"}"#;

fn verify(changes: &str, more: &[&str]) -> Output {
    let folder = Folder::new();
    write(&folder);
    folder.write("c.json", changes);
    let mut arguments = vec!["verify", "--changes", "c.json", "--snapshot", "s.json", "--usage", "usage.json"];
    arguments.extend(more);
    folder.paring(&arguments)
}

/// The outcomes of the four claims, in their order.
fn outcomes(output: &Output) -> Vec<&str> {
    output
        .stdout
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect()
}

fn policy(statements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

const NARROW: &str = r#"{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"},
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}"#;

#[test]
fn a_good_narrowing_is_proved_on_all_claims() {
    let output = verify(&change(ROLE, OWN, &policy(NARROW)), &[]);
    assert_eq!((output.code, outcomes(&output)), (0, vec!["proved"; 4]), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("1,230 observed calls replayed"), "{}", output.stdout);
    assert!(output.stdout.contains("Certificate of adds-nothing: arn:aws:iam::111122223333:role/orders"));
    let json = verify(&change(ROLE, OWN, &policy(NARROW)), &["--format", "json"]);
    assert!(json.stdout.starts_with("{\n  \"schema\": \"paring-verdict/1\""), "{}", json.stdout);
}

#[test]
fn a_cut_of_what_is_used_is_refuted_with_the_call() {
    let after = policy(r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/2026/*"}"#);
    let output = verify(&change(ROLE, OWN, &after), &[]);
    assert_eq!((output.code, outcomes(&output)[0]), (1, "refuted"));
    assert!(
        output.stdout.contains("dynamodb:PutItem on arn:aws:dynamodb:eu-west-1:111122223333:table/Orders  1,200 calls"),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("s3:GetObject on arn:aws:s3:::reports/"),
        "a folder of names is narrowed: {}",
        output.stdout
    );
}

#[test]
fn a_widening_adds_opens_and_breaks_rules() {
    let after = policy(&format!(r#"{NARROW}, {{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}"#));
    let output = verify(&change(ROLE, OWN, &after), &[]);
    assert_eq!(
        (output.code, outcomes(&output)),
        (1, vec!["proved", "refuted", "refuted", "refuted"]),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("such as iam:"), "{}", output.stdout);
    assert!(output.stdout.contains("no-path-to-admin"), "{}", output.stdout);
}

#[test]
fn what_an_scp_breaks_is_said_account_by_account() {
    let scp = r#"{"kind": "service_control", "policy_name": "deny-regions"}"#;
    let after = policy(
        r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}"#,
    );
    let output = verify(&change(scp, "null", &after), &[]);
    assert_eq!((output.code, outcomes(&output)[0]), (1, "refuted"), "{}", output.stdout);
    assert!(output.stdout.contains("account 444455556666: 70 of 70 calls"), "{}", output.stdout);
    assert!(!output.stdout.contains("account 111122223333: 1"), "{}", output.stdout);
    assert!(output.stdout.contains("guardrail-replay-clean"), "{}", output.stdout);
    assert!(output.stdout.contains("no role is named (`break_glass` in the settings)"), "{}", output.stdout);
}

#[test]
fn context_that_the_logs_do_not_hold_is_undecided_and_named() {
    let scp = r#"{"kind": "service_control", "policy_name": "perimeter"}"#;
    let after = policy(
        r#"{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}"#,
    );
    let output = verify(&change(scp, "null", &after), &[]);
    assert_eq!((output.code, outcomes(&output)[0]), (1, "undecided"), "{}", output.stdout);
    assert!(output.stdout.contains("hangs on aws:SourceVpc"), "{}", output.stdout);
    let elsewhere = after.replace("dynamodb:*", "sqs:*");
    let output = verify(&change(scp, "null", &elsewhere), &[]);
    assert_eq!(outcomes(&output)[0], "proved", "what the policy does not speak of stays as it was: {}", output.stdout);
}

#[test]
fn boundaries_and_resource_control_policies_are_replayed_too() {
    let boundary = r#"{"kind": "boundary", "principal_arn": "arn:aws:iam::111122223333:role/orders"}"#;
    let after = policy(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#);
    let output = verify(&change(boundary, "null", &after), &[]);
    assert_eq!(outcomes(&output)[0], "refuted", "{}", output.stdout);
    assert!(output.stdout.contains("1,200 of 1,230 observed calls"), "{}", output.stdout);
    let rcp = r#"{"kind": "resource_control", "policy_name": "tables"}"#;
    let after = policy(
        r#"{"Effect": "Deny", "Principal": "*", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:us-east-1:*:*"}"#,
    );
    let output = verify(&change(rcp, "null", &after), &[]);
    assert!(
        output.stdout.contains("the change of resource control policy `tables`")
            || output.stdout.contains("account 444455556666"),
        "{}",
        output.stdout
    );
}

#[test]
fn several_files_are_judged_each_as_if_it_were_the_only_one() {
    let folder = Folder::new();
    write(&folder);
    folder.write("good.json", change(ROLE, OWN, &policy(NARROW)));
    folder.write("wide.json", change(ROLE, OWN, &policy(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#)));
    let base = ["verify", "--snapshot", "s.json", "--usage", "usage.json", "--changes", "good.json"];
    let alone = folder.paring(&base);
    let several = folder.paring(&[&base[..], &["wide.json", "good.json"]].concat());
    assert_eq!((alone.code, several.code), (0, 1), "{}", several.stderr);
    assert!(several.stdout.starts_with(&format!("good.json\n{}", alone.stdout)), "{}", several.stdout);
    assert!(several.stdout.ends_with(&format!("good.json\n{}\n3 files of changes: 2 proved, 1 not\n", alone.stdout)));
    let json = folder.paring(&[&base[..], &["wide.json", "--format", "json"]].concat());
    assert!(json.stdout.starts_with("{\n  \"schema\": \"paring-verdicts/1\""), "{}", json.stdout);
    folder.write("broken.json", "{");
    let broken = folder.paring(&[&base[..], &["broken.json"]].concat());
    assert_eq!(broken.code, 2, "a file that is not read is not proved by the others");
    assert!(broken.stdout.starts_with("good.json\n") && broken.stderr.contains("1 of 2 files"), "{}", broken.stderr);
}

#[test]
fn what_is_only_advice_is_told_apart_from_what_is_broken() {
    let good = verify(&change(ROLE, OWN, &policy(NARROW)), &[]);
    assert!(!good.stdout.contains("Rules broken by the change"), "{}", good.stdout);
    assert!(good.stdout.contains("Advice on merging, which refutes no claim"), "{}", good.stdout);
    let wide = verify(&change(ROLE, OWN, &policy(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#)), &[]);
    let (_, broken) = wide.stdout.split_once("Rules broken by the change\n").unwrap();
    assert!(broken.contains("is granted every action on every resource"), "{}", wide.stdout);
}

#[test]
fn changes_that_cannot_be_applied_or_read_prove_nothing() {
    let nobody = ROLE.replace("role/orders", "role/nobody");
    let output = verify(&change(&nobody, OWN, &policy(NARROW)), &[]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("cannot be applied"), "{}", output.stdout);
    assert_eq!(verify(r#"{"schema": "paring-changes/1", "changes": []}"#, &[]).code, 2);
    let broken = change(r#"{"kind": "magic"}"#, OWN, "null");
    assert_eq!(verify(&broken, &[]).code, 2, "a change that is left out is not proved by the others");
}

/// The logs hold no calls of services: that none of the calls they hold is denied once passed for proof that nothing breaks.
#[test]
fn taking_something_from_callers_that_no_log_shows_is_undecided() {
    let trust = r#"{"kind": "trust", "principal_arn": "arn:aws:iam::111122223333:role/orders"}"#;
    let allow = |principal: &str, action: &str| {
        format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "{action}"}}"#)
    };
    let lambda = policy(&allow(r#"{"Service": "lambda.amazonaws.com"}"#, "sts:AssumeRole"));
    let check = |attachment: &str, before: &str, after: &str, expected: &str, said: &str| {
        let output = verify(&change(attachment, before, after), &[]);
        assert_eq!(outcomes(&output)[0], expected, "{after}: {}", output.stdout);
        assert!(output.stdout.contains(said), "{after}: {}", output.stdout);
    };
    let edge = policy(&allow(r#"{"Service": "edgelambda.amazonaws.com"}"#, "sts:AssumeRole"));
    // That functions run with the role needs no log.
    check(trust, &lambda, &edge, "refuted", "Lambda could not run orders and 1 more with orders any more");
    let both = policy(&allow(r#"{"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}"#, "sts:AssumeRole"));
    check(trust, &lambda, &both, "proved", "observed calls replayed");

    let function = "arn:aws:lambda:eu-west-1:111122223333:function:orders";
    let attachment = format!(r#"{{"kind": "resource", "resource_arn": "{function}"}}"#);
    let permission = |condition: &str| {
        policy(&format!(
            r#"{{"Effect": "Allow", "Principal": {{"Service": "s3.amazonaws.com"}}, "Action": "lambda:InvokeFunction", "Resource": "{function}"{condition}}}"#
        ))
    };
    let narrowed = permission(r#", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}"#);
    check(&attachment, &permission(""), &narrowed, "undecided", "takes something from s3.amazonaws.com");
    let user = r#"{"kind": "identity", "principal_arn": "arn:aws:iam::111122223333:user/ann", "policy_name": "own"}"#;
    check(user, OWN, &policy(NARROW), "undecided", "");
}
