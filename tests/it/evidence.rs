//! How much the logs must show before anything is cut: days by account, days without records, and keep rules that keep
//! nothing.

use serde_json::{Value, json};

use crate::run::{Folder, Output};

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];

fn role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/app/orders")
}

fn snapshot() -> String {
    let statement = |action: &str, rest: &Value| {
        let mut statement = json!({"Effect": "Allow", "Action": action});
        statement.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    let trust = statement("sts:AssumeRole", &json!({"Principal": {"Service": "lambda.amazonaws.com"}}));
    let policy = statement("sqs:*", &json!({"Resource": "*"}));
    let account = |id: &str| {
        json!({"authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{
            "Path": "/app/", "RoleName": "orders", "RoleId": "AROAEXAMPLE", "Arn": role(id), "InstanceProfileList": [],
            "AssumeRolePolicyDocument": trust, "RolePolicyList": [{"PolicyName": "queues", "PolicyDocument": policy}],
            "AttachedManagedPolicies": []}]}, "resources": [], "resource_policies": {}})
    };
    let accounts: Value =
        ACCOUNTS.iter().map(|id| ((*id).to_owned(), account(id))).collect::<serde_json::Map<_, _>>().into();
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": accounts}).to_string()
}

/// One call of the account's role on that day, counted from the first of January.
fn record(account: &str, day: i64) -> Value {
    let time = iam_model::time::Timestamp::from_epoch_seconds((20_454 + day) * 86_400 + 30_000);
    json!({"eventVersion": "1.11", "eventID": format!("{account}-{day}"), "eventSource": "sqs.amazonaws.com",
        "eventName": "CreateQueue", "eventTime": time.to_string(), "awsRegion": "eu-west-1",
        "recipientAccountId": account, "eventType": "AwsApiCall", "requestParameters": {"queueName": "jobs"},
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{account}:assumed-role/orders/orders"),
        "accountId": account, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role(account)}}}})
}

/// Logs of the first account on these days, and of the second on the others.
fn folder(first: &[i64], second: &[i64]) -> Folder {
    let folder = Folder::new();
    folder.write("snapshot.json", snapshot());
    let of = |account: usize, days: &[i64]| days.iter().map(|day| record(ACCOUNTS[account], *day)).collect::<Vec<_>>();
    let records = [of(0, first), of(1, second)].concat();
    folder.write("trail/one.json", json!({"Records": records}).to_string());
    folder
}

fn paring(folder: &Folder, command: &[&str], more: &[&str]) -> Output {
    folder.paring(&[command, &["--snapshot", "snapshot.json", "--trail", "trail"], more].concat())
}

fn days(all: impl IntoIterator<Item = i64>) -> Vec<i64> {
    all.into_iter().collect()
}

#[test]
fn days_count_by_account_and_only_with_records() {
    // The second account's logs are short, and together they span ninety days.
    let folder = folder(&days(0..=90), &days(80..=90));
    let output = paring(&folder, &["tighten"], &[]);
    assert!(
        output.stdout.contains("the logs of account 444455556666 span 10 days, and 30 are asked for"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("of account 444455556666: 10 days\n"), "{}", output.stdout);
    let report: Value = serde_json::from_str(&paring(&folder, &["tighten"], &["--format", "json"]).stdout).unwrap();
    let judged: Vec<_> = report["roles"].as_array().unwrap().iter().map(|role| &role["judgement"]).collect();
    assert_eq!(judged, ["narrowed", "refused"]);
    assert_eq!(report["evidence"]["accounts"][0]["days"], 10);
}

#[test]
fn days_that_are_missing_show_nothing() {
    // Ninety days, of which the files of sixty-two were left out.
    let some = days((0..=14).chain(77..=90));
    let folder = folder(&some, &days(0..=90));
    let arguments = [role(ACCOUNTS[0])];
    let text = paring(&folder, &["explain", &arguments[0]], &[]).stdout;
    let missing = "90 days, 62 of them missing";
    assert!(text.contains(&format!("nothing is proposed: the logs of account 111122223333 span {missing}")), "{text}");
    assert!(text.contains(&format!("logs of {missing}, ")), "{text}");
    assert!(paring(&folder, &["explain", &arguments[0]], &["--min-days", "28"]).stdout.contains("narrowed to"));
    let output = paring(&folder, &["tighten"], &[]);
    assert!(output.stdout.contains(&format!("of account 111122223333: {missing}\n")), "{}", output.stdout);
    // A saved usage log says the same, and so do two that were merged.
    folder.write(
        "a/a.json",
        json!({"Records": some.iter().map(|d| record(ACCOUNTS[0], *d)).collect::<Vec<_>>()}).to_string(),
    );
    folder.write(
        "b/b.json",
        json!({"Records": (0..=90).map(|d| record(ACCOUNTS[1], d)).collect::<Vec<_>>()}).to_string(),
    );
    let usage = |path: &str| folder.paring(&["usage", path, "--format", "json"]).stdout;
    folder.write("a.json", usage("a"));
    folder.write("b.json", usage("b"));
    let merged: Value = serde_json::from_str(&folder.paring(&["usage", "merge", "a.json", "b.json"]).stdout).unwrap();
    let once: Value = serde_json::from_str(&usage("trail")).unwrap();
    assert_eq!(merged["coverage"], once["coverage"]);
    assert_eq!(
        once["coverage"]["days"],
        json!({"111122223333": ["2026-01-01/2026-01-15", "2026-03-19/2026-04-01"], "444455556666": ["2026-01-01/2026-04-01"]})
    );
    // The trail was on, whichever role is asked about.
    let filtered: Value =
        serde_json::from_str(&folder.paring(&["usage", "trail", "--account", ACCOUNTS[1], "--format", "json"]).stdout)
            .unwrap();
    assert_eq!(filtered["coverage"]["days"], once["coverage"]["days"]);
}

#[test]
fn a_keep_rule_that_keeps_nothing_is_told_with_its_place() {
    let second = role(ACCOUNTS[1]);
    let rules: [(&str, &str, &[&str]); 10] = [
        ("orders", r#""sqs:DeleteQueue""#, &[]),
        ("*", r#""sqs:*""#, &[]),
        (&second, r#""sqs:Delete*""#, &[]),
        (
            "ordres",
            r#""sqs:DeleteQueue""#,
            &["17:8: this keep rule keeps nothing: the snapshot holds no role `ordres`", "did you mean `orders`?"],
        ),
        (
            "orders",
            r#""sqs:DeleteQueue", "sqs:DeleteQeue""#,
            &["22:31: `sqs:DeleteQeue` is no action that AWS publishes", "did you mean `sqs:DeleteQueue`?"],
        ),
        ("orders", r#""sqs:Erase*""#, &["26:12: `sqs:Erase*` matches no action that AWS publishes", "or remove it"]),
        ("orders", r#""lamda:*""#, &["30:12: `lamda:*` matches no action", "did you mean `lambda:*`?"]),
        (
            "orders",
            r#""s3:GetObject""#,
            &[
                "34:12: this keep rule keeps nothing of `s3:GetObject`: no policy of `orders` grants it",
                "never adds a permission",
            ],
        ),
        (
            "*",
            r#""s3:GetObject""#,
            &["38:12: this keep rule keeps nothing of `s3:GetObject`: no role of the snapshot grants it", "never adds"],
        ),
        ("orders", "", &["41:8: this keep rule keeps nothing: it names no action", "name actions"]),
    ];
    let folder = folder(&days(0..=60), &days(0..=60));
    let rule = |(role, actions, _): &(&str, &str, &[&str])| {
        format!("[[keep]]\nrole = \"{role}\"\nactions = [{actions}]\nreason = \"yearly\"\n")
    };
    let text = format!("version = 1\n\n\n{}", rules.iter().map(rule).collect::<String>());
    folder.write("paring.toml", text);
    let output = paring(&folder, &["tighten"], &[]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let told: Vec<&str> = output.stderr.split("warning[keep-rule-unmatched]: paring.toml:").skip(1).collect();
    let expected: Vec<&[&str]> = rules.iter().map(|(.., says)| *says).filter(|says| !says.is_empty()).collect();
    assert_eq!(told.len(), expected.len(), "{}", output.stderr);
    for (told, says) in told.iter().zip(expected) {
        assert!(told.starts_with(says[0]) && told.contains(says[1]), "{says:?}: {told}");
    }
}

#[test]
fn a_misspelt_role_is_answered_with_the_nearest() {
    let folder = folder(&days(0..=60), &[]);
    let output = paring(&folder, &["explain", "ordrs"], &[]);
    assert_eq!(output.code, 2);
    let hint = |name: &str| paring(&folder, &["explain", name], &[]).stderr;
    assert!(hint("rder").contains("roles whose names have it: `orders`\n"), "{}", hint("rder"));
    assert!(hint("worker").contains("give a role's name or ARN"), "{}", hint("worker"));
    let unknown = paring(&folder, &["explain", &role(ACCOUNTS[0]), "sqs:CreateQeue"], &[]).stdout;
    assert!(unknown.contains("that this catalogue knows: did you mean `sqs:CreateQueue`?"), "{unknown}");
    assert!(
        output.stderr.contains("no role `ordrs`") && output.stderr.contains("did you mean `orders`?"),
        "{}",
        output.stderr
    );
}
