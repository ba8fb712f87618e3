//! What validation finds, and what it leaves in peace: each case one policy and the codes expected of it.

use super::*;
use iam_model::diagnostic::{Code, Severity};
use iam_model::policy::parse;
use iam_model::text::SourceName;
use std::sync::LazyLock;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());

fn found(text: &str, kind: Option<PolicyKind>) -> Vec<Diagnostic> {
    let source = SourceText { name: SourceName::new("p.json"), text: text.to_owned() };
    let (document, diagnostics) = parse(&source);
    assert_eq!(diagnostics, [], "{text}");
    Validator::new(&CATALOG).check(&document, kind.unwrap_or_else(|| PolicyKind::guess(&document)), &source)
}

/// The statements' bodies, and `code: part of message or hint` for each finding, in order.
#[track_caller]
fn check_as(kind: Option<PolicyKind>, statements: &str, expected: &[(&str, &str)]) {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    check_text(kind, &text, expected);
}

#[track_caller]
fn check_text(kind: Option<PolicyKind>, text: &str, expected: &[(&str, &str)]) {
    let all = found(text, kind);
    let codes: Vec<&str> = all.iter().map(|one| one.code.as_str()).collect();
    let wanted: Vec<&str> = expected.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, wanted, "{text}\n{all:#?}");
    for (one, (_, part)) in all.iter().zip(expected) {
        let said = format!("{} | {}", one.message, one.hint.as_deref().unwrap_or_default());
        assert!(said.contains(part), "no `{part}` in: {said}");
        assert!(one.place.position.is_some());
    }
}

#[track_caller]
fn check(statements: &str, expected: &[(&str, &str)]) {
    check_as(None, statements, expected);
}

#[test]
fn good_policies_are_left_in_peace() {
    for good in [
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
        r#"{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}"#,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}/*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}"#,
        r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/app", "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}"#,
        r#"{"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}"#,
        r#"{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}"#,
        r#"{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:o/r:*"}}}"#,
        r#"{"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}, "DateLessThan": {"aws:CurrentTime": "2026-12-31T00:00:00Z"}}}"#,
        r#"{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "arn:aws:s3:::*"}"#,
        r#"{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": {"StringEquals": {"secretsmanager:ResourceTag/App": "a", "ec2:SourceInstanceArn": "${aws:PrincipalTag/i}"}}}"#,
        r#"{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "x", "kms:ViaService": "s3.eu-west-1.amazonaws.com"}}}"#,
    ] {
        check(good, &[]);
    }
}

#[test]
fn actions_that_are_none_are_named_with_what_was_meant() {
    let one = |action: &str| format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#);
    check(&one("s3:GetObjects"), &[("unknown-action", "did you mean `s3:GetObject`?")]);
    check(&one("macie:DisableMacie"), &[("unknown-service", "did you mean `macie2:DisableMacie`?")]);
    check(&one("lamda:InvokeFunction"), &[("unknown-service", "did you mean `lambda:InvokeFunction`?")]);
    check(&one("s3:PutItem"), &[("unknown-action", "did you mean")]);
    check(&one("s3:Frobnicate*"), &[("unknown-action", "matches no action")]);
    check(&one("*:Get*"), &[("invalid-action", "holds a wildcard")]);
    check(&one("GetObject"), &[("invalid-action", "is not an action")]);
}

#[test]
fn keys_and_operators() {
    let one = |action: &str, condition: &str| {
        format!(r#"{{"Effect": "Deny", "Action": "{action}", "Resource": "*", "Condition": {{{condition}}}}}"#)
    };
    let s3 = |condition: &str| one("s3:PutObject", condition);
    check(&s3(r#""StringEquals": {"aws:SourceVpcee": "v"}"#), &[("unknown-key", "`aws:SourceVpce`")]);
    check(&s3(r#""StringEquals": {"s3:prefixx": "v"}"#), &[("unknown-key", "`s3:prefix`")]);
    check(&s3(r#""StringEquals": {"s3:prefix": "v"}"#), &[("key-not-supported", "`s3:prefix`")]);
    check(&s3(r#""Bool": {"s3:x-amz-server-side-encryption": "true"}"#), &[("operator-type-mismatch", "StringEquals")]);
    check(&s3(r#""StringEquals": {"aws:SourceIp": "192.0.2.1"}"#), &[("operator-type-mismatch", "IpAddress")]);
    check(
        &s3(r#""StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}"#),
        &[("operator-wildcard-literal", "StringNotLike")],
    );
    check(&s3(r#""IpAddress": {"aws:SourceIp": "10.0.0.0/33"}"#), &[("invalid-value", "`10.0.0.0/33`")]);
    check(&s3(r#""Bool": {"aws:SecureTransport": "no"}"#), &[("invalid-value", "true")]);
    check(&s3(r#""NumericLessThan": {"s3:TlsVersion": "one"}"#), &[("invalid-value", "a number")]);
    check(&s3(r#""DateLessThan": {"aws:CurrentTime": "soon"}"#), &[("invalid-value", "a date")]);
    check(
        &s3(r#""StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}"#),
        &[("set-operator-missing", "ForAnyValue")],
    );
}

#[test]
fn resources_that_match_nothing() {
    let one =
        |action: &str, resource: &str| format!(r#"{{"Effect": "Deny", "Action": {action}, "Resource": {resource}}}"#);
    check(
        &one(r#""lambda:CreateFunctionUrlConfig""#, r#""arn:aws:lambda:*:*:function/*""#),
        &[("dead-action", "is not denied"), ("dead-resource", "function:")],
    );
    check(&one(r#"["s3:ListBucket", "s3:GetObject"]"#, r#""arn:aws:s3:::b/*""#), &[("dead-action", "${BucketName}")]);
    check(
        &one(r#"["s3:ListAllMyBuckets", "s3:GetObject"]"#, r#""arn:aws:s3:::b/*""#),
        &[("dead-action", "takes no resource")],
    );
    check(
        &one(r#""sqs:SendMessage""#, r#"["arn:aws:sqs:*:*:q", "arn:aws:sns:*:*:t"]"#),
        &[("dead-resource", "arn:aws:sns")],
    );
    check(
        &one(r#""s3:GetObject""#, r#""my-bucket/*""#),
        &[("dead-action", ""), ("invalid-arn", "is not an ARN"), ("dead-resource", "")],
    );
}

#[test]
fn statements_against_one_another() {
    let wide = r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}"#;
    let narrow = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}"#;
    let deny = r#"{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}"#;
    check(&format!("{wide}, {narrow}"), &[("redundant-statement", "others")]);
    check(&format!("{narrow}, {narrow}"), &[("redundant-statement", "others")]);
    check(&format!("{wide}, {deny}"), &[("dead-statement", "denied in the same policy")]);
    let empty = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}, "StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}}"#;
    check(empty, &[("dead-statement", "contradict")]);
    check(
        r#"{"Effect": "Allow", "Action": ["s3:Get*", "s3:GetObject"], "Resource": "*"}"#,
        &[("redundant-entry", "`s3:Get*`")],
    );
}

#[test]
fn passing_roles_principals_and_versions() {
    let pass = r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}"#;
    check(pass, &[("missing-passed-to-service", "every service")]);
    let trust =
        |principal: &str| format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"}}"#);
    check(&trust(r#"{"AWS": "arn:aws:iam::111122223333:role/*"}"#), &[("invalid-principal", "wildcard")]);
    check(&trust(r#"{"AWS": "1111"}"#), &[("invalid-principal", "no principal")]);
    check(&trust(r#"{"Service": "lambda"}"#), &[("invalid-principal", "no service")]);
    check_text(
        None,
        r#"{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::h/${aws:username}"}]}"#,
        &[("variable-without-version", "2012-10-17")],
    );
    let twice = r#"{"Sid": "A", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}, {"Sid": "A", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}"#;
    check(twice, &[("invalid-sid", "twice")]);
}

#[test]
fn kinds_take_different_elements_and_sizes() {
    let scp = Some(PolicyKind::ServiceControl);
    check_as(
        scp,
        r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketLogging", "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/r"}}}"#,
        &[("element-misplaced", "no principal")],
    );
    let rcp = Some(PolicyKind::ResourceControl);
    check_as(rcp, r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketLogging", "Resource": "*"}"#, &[]);
    check_as(
        rcp,
        r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#,
        &[("element-misplaced", "bare action"), ("workload-lockout", "no workload can use")],
    );
    check_as(
        rcp,
        r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#,
        &[("element-misplaced", "only denies")],
    );
    let many: Vec<String> = (0..200).map(|n| format!(r#""arn:aws:s3:::bucket-number-{n:04}/*""#)).collect();
    let large = format!(
        r#"{{"Effect": "Deny", "Action": "s3:PutObjectAcl", "Resource": [{}], "Condition": {{"ArnNotLike": {{"aws:PrincipalArn": "arn:aws:iam::*:role/r"}}}}}}"#,
        many.join(",")
    );
    check_as(scp, &large, &[]);
    check(&large, &[("quota-exceeded", "6144")]);
    check_as(rcp, &large.replace("\"Action\"", "\"Principal\": \"*\", \"Action\""), &[("quota-exceeded", "5120")]);
}

#[test]
fn severities_say_what_aws_does() {
    let all = found(
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "s3:GetObject", "s3"], "Resource": "*"}]}"#,
        None,
    );
    let severities: Vec<Severity> = all.iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::Note, Severity::Error]);
}

#[test]
fn dead_statements_of_a_guardrail_are_counted() {
    let text = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "macie:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "lambda:CreateFunctionUrlConfig", "Resource": "arn:aws:lambda:*:*:function/*"},
        {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}]}"#;
    let source = SourceText { name: SourceName::new("scp.json"), text: text.to_owned() };
    let dead = Validator::new(&CATALOG).dead_statements(&parse(&source).0);
    assert_eq!(dead, 2);
}

#[test]
fn hostile_policies_end() {
    let actions: Vec<String> = (0..5000).map(|n| format!("\"s3:{}{n}\"", "a?*".repeat(20))).collect();
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": [{}], "Resource": "*"}}]}}"#,
        actions[..300].join(",")
    );
    assert!(!found(&text, None).is_empty());
}

/// What AWS's own validation says too, each once: empty lists, wildcards where none may stand, sets on single values.
#[test]
fn what_access_analyzer_documents_is_found() {
    let on =
        |action: &str, resource: &str| format!(r#"{{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}"#);
    let s3 = r#""s3:GetObject""#;
    check(&on("[]", r#""arn:aws:s3:::b/*""#), &[("dead-statement", "`Action` is an empty list")]);
    check(&on(s3, "[]"), &[("dead-statement", "`Resource` is an empty list")]);
    check("", &[("dead-statement", "no statement")]);
    check(&on(s3, r#""arn:aws:*:::b/*""#), &[("invalid-arn", "service by a wildcard")]);
    check(&on(s3, r#""arn:aws:s3:b/*""#), &[("invalid-arn", "no Region")]);
    check(
        &on(s3, r#"["arn:aws:s3:::b/*", "arn:aws:s3:::b/x"]"#),
        &[("redundant-entry", "`arn:aws:s3:::b/x` is part of")],
    );
    check(&on(r#""iam:*""#, r#""*""#), &[("missing-passed-to-service", "`iam:*`")]);
    check(&on(s3, r#""arn:aws:s3:::b/${aws:usrname}""#), &[("unknown-key", "`${aws:username}`")]);
    check(&on(s3, r#""arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}""#), &[]);
    let when = |condition: &str| {
        format!(r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {{{condition}}}}}"#)
    };
    check(&when(r#""ForAllValues:StringEquals": {"aws:SourceVpc": "vpc-1"}"#), &[("set-operator-unfit", "absent")]);
    check(&when(r#""IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}"#), &[("invalid-value", "private")]);
    check(&when(r#""IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]}"#), &[]);
    check(&when(r#""IpAddress": {"aws:VpcSourceIp": ["10.0.0.0/8"]}"#), &[]);
    let trust = |principal: &str, action: &str| {
        format!(r#"{{"Effect": "Allow", "Principal": {{{principal}}}, "Action": "sts:{action}"}}"#)
    };
    let oidc = r#""Federated": "arn:aws:iam::111122223333:oidc-provider/example.com""#;
    check(&trust(oidc, "AssumeRole"), &[("invalid-principal", "sts:AssumeRoleWithWebIdentity")]);
    check(&trust(oidc, "TagSession"), &[]);
    check(
        &trust(r#""Service": "lambda.amazonaws.com""#, "AssumeRoleWithSAML"),
        &[("invalid-principal", "`sts:AssumeRole`")],
    );
}

/// Thousands of statements are not compared pair by pair, and that is said.
#[test]
fn what_is_not_compared_is_said() {
    let statement =
        |n: usize| format!(r#"{{"Effect": "Allow", "NotAction": "s3:*{n}*a", "NotResource": "arn:aws:s3:::*{n}*x*"}}"#);
    let many: Vec<String> = (0..201).map(statement).collect();
    let said = |found: &[Diagnostic]| found.iter().any(|d| d.code == Code::NotCompared);
    let text = |list: &[String]| format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, list.join(", "));
    assert!(said(&found(&text(&many), None)));
    assert!(!said(&found(&text(&many[..2]), None)));
    for (most, one) in
        [(1_000, r#""Action": [LIST], "Resource": "*""#), (200, r#""Action": "s3:*", "Resource": [LIST]"#)]
    {
        let listed = |count: usize| {
            let entries: Vec<String> = (0..count).map(|n| format!(r#""arn:aws:s3:::bucket{n}/*""#)).collect();
            text(&[format!(r#"{{"Effect": "Allow", {}}}"#, one.replace("LIST", &entries.join(", ")))])
        };
        assert!(said(&found(&listed(most + 1), None)), "{one}");
        assert!(!said(&found(&listed(most), None)), "{one}");
    }
    let hostile = |n: usize| format!(r#""*{}{n}""#, "a*b".repeat(2_000));
    let listed: Vec<String> = (0..150).map(hostile).collect();
    let one = format!(r#"{{"Effect": "Allow", "Action": [{}], "Resource": "*"}}"#, listed.join(", "));
    assert!(said(&found(&text(&[one]), None)));
}
