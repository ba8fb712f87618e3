//! A function, what it reaches, and who reaches it.

use iam_model::arn::Arn;
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

use super::{Reach, Reacher, reach};
use crate::tests::{PASS, account, function, lambda_role, user};

fn of(text: &str, name: &str) -> Option<Reach> {
    let source = SourceText { name: SourceName::new("snapshot.json"), text: text.into() };
    let (snapshot, _) = snapshot::read(source).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let graph = crate::build(&index, &[]);
    let arn: Arn = format!("arn:aws:lambda:us-east-1:111122223333:function:{name}").parse().unwrap();
    reach(&index, &graph, &arn)
}

fn text() -> String {
    let data = |name: &str| {
        format!(
            r#"{{"kind": "dynamodb.table", "arn": "arn:aws:dynamodb:us-east-1:111122223333:table/{name}", "api": {{}}}}"#
        )
    };
    let odd = r#"{"kind": "quantum.box", "arn": "arn:aws:quantum:us-east-1:111122223333:box/1"}"#;
    let secret = r#"{"kind": "secretsmanager.secret", "arn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:s", "api": {}}"#;
    let reads = r#"{"Effect": "Allow", "Action": "dynamodb:Get*", "Resource": "*"}"#;
    let secrets = r#"{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}"#;
    let calls = r#"{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}"#;
    let more = format!(
        r#", "resources": [{}, {}, {}, {secret}, {odd}], "resource_policies":
        {{"arn:aws:lambda:us-east-1:111122223333:function:f": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
        "Principal": {{"Service": "sns.amazonaws.com"}}, "Action": "lambda:InvokeFunction", "Resource": "*"}}]}}}}"#,
        function("f", "worker"),
        function("g", "keeper"),
        data("Orders")
    );
    let worker = lambda_role("worker", &format!("{reads}, {PASS}"));
    account(&[user("caller", calls), user("nobody", "")], &[worker, lambda_role("keeper", secrets)], &more)
}

#[test]
fn a_function_reaches_by_its_role_and_by_those_it_becomes() {
    let reach = of(&text(), "f").unwrap();
    let line = |r: &super::Reached| {
        let may: Vec<&str> = r.may.iter().map(|action| action.name()).collect();
        let by = r.by.as_ref().map(|path| format!(" by {}", path.hops[0].technique)).unwrap_or_default();
        let keys: String = r.conditional_on.iter().map(|key| format!(" if {key}")).collect();
        format!("{} {} {}{by}{keys}", r.sensitivity.as_str(), r.resource.name(), may.join("+"))
    };
    let lines: Vec<String> = reach.reaches.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "data Orders GetItem",
            "compute g InvokeFunction",
            "secret s GetSecretValue+PutSecretValue by lambda-001 if aws:SourceIp",
        ]
    );
    assert!(!reach.is_admin && !reach.becomes_admin);
    assert!(reach.not_checked.iter().any(|line| line.contains("quantum.box")));
}

#[test]
fn those_who_call_it_and_those_who_become_its_role_reach_a_function() {
    let who = |name: &str| -> Vec<String> {
        let line = |reacher: &Reacher| match reacher {
            Reacher::Principal(arn, may) => format!("{} may {}", arn.name(), may.len()),
            Reacher::Service(name) => name.clone(),
            Reacher::Role(subject, hops) => format!("{} becomes {hops}", subject.name()),
        };
        of(&text(), name).unwrap().reached_by.iter().map(line).collect()
    };
    assert_eq!(who("f"), ["caller may 1", "sns.amazonaws.com"]);
    assert_eq!(who("g"), ["worker may 1", "caller may 1", "worker becomes 1"]);
    assert!(of(&text(), "none").is_none());
}
