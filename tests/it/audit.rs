//! `paring audit` with logs: what each function of a shared role did.

use crate::run::Folder;

#[test]
fn of_a_shared_role_the_logs_say_what_each_function_did() {
    let role = r#"{"RoleName": "Api", "Arn": "arn:aws:iam::111122223333:role/Api", "AttachedManagedPolicies": [],
        "InstanceProfileList": [], "RolePolicyList": [], "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}"#;
    let function = |name: &str| {
        format!(
            r#"{{"kind": "lambda.function", "arn": "arn:aws:lambda:us-east-1:111122223333:function:{name}",
            "role_arn": "arn:aws:iam::111122223333:role/Api", "api": {{"Tags": {{"aws:cloudformation:stack-name": "of-{name}"}}}}}}"#
        )
    };
    let snapshot = format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{"111122223333": {{"authorization_details": {{"UserDetailList": [],
        "GroupDetailList": [], "Policies": [], "RoleDetailList": [{role}]}}, "resources": [{}, {}]}}}}}}"#,
        function("Writer"),
        function("Reader")
    );
    let event = r#"{"Records": [{"eventVersion": "1.08", "userIdentity": {"type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/Api/Writer", "accountId": "111122223333", "sessionContext":
        {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/Api", "userName": "Api"}}},
        "eventTime": "2026-10-01T10:00:00Z", "eventSource": "dynamodb.amazonaws.com", "eventName": "DescribeTable",
        "awsRegion": "us-east-1", "requestParameters": {"tableName": "Orders"}, "eventID": "e-1",
        "eventType": "AwsApiCall", "recipientAccountId": "111122223333"}]}"#;
    let folder = Folder::new();
    folder.write("snapshot.json", snapshot);
    folder.write("logs/one.json", event);
    let told = folder.paring(&["audit", "--snapshot", "snapshot.json", "--trail", "logs"]);
    for line in [
        "Writer was seen to do dynamodb:DescribeTable",
        "Reader was seen to do nothing",
        "2 stacks: of-Reader, of-Writer",
    ] {
        assert!(told.stdout.contains(line), "{line}: {}{}", told.stdout, told.stderr);
    }
    assert_eq!(told.code, 1);
}

/// A bundle with a queue that everyone may use, one that is shut, a role, and what Access Analyzer says of them.
fn analyzed() -> Folder {
    let folder = Folder::new();
    let bundle = |name: &str, text: &str| folder.write(&format!("bundle/{name}"), text);
    let role = r#"{"RoleName": "Old", "Arn": "arn:aws:iam::111122223333:role/Old", "AttachedManagedPolicies": [], "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": ["dynamodb:DescribeTable", "kms:Decrypt"], "Resource": "*"}]}}],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}"#;
    bundle(
        "account-authorization-details.json",
        &format!(r#"{{"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{role}]}}"#),
    );
    for (name, who) in [("open", "*"), ("shut", "111122223333")] {
        let arn = format!("arn:aws:sqs:us-east-1:111122223333:{name}");
        let policy = format!(
            r#"{{\"Version\": \"2012-10-17\", \"Statement\": [{{\"Effect\": \"Allow\", \"Principal\": {{\"AWS\": \"{who}\"}}, \"Action\": \"sqs:SendMessage\", \"Resource\": \"{arn}\"}}]}}"#
        );
        bundle(
            &format!("us-east-1/get-queue-attributes/{name}.json"),
            &format!(r#"{{"Attributes": {{"QueueArn": "{arn}", "Policy": "{policy}"}}}}"#),
        );
    }
    answers_of_analyzers(&folder);
    folder.write("logs/one.json", month_of_calls());
    folder
}

/// Two analyzers, three findings with their details, a recommendation.
fn answers_of_analyzers(folder: &Folder) {
    let bundle = |name: &str, text: &str| folder.write(&format!("bundle/{name}"), text);
    let analyzer = "arn:aws:access-analyzer:us-east-1:111122223333:analyzer";
    bundle(
        "us-east-1/list-analyzers.json",
        &format!(
            r#"{{"analyzers": [{{"arn": "{analyzer}/outside", "name": "outside", "type": "ACCOUNT", "status": "ACTIVE"}},
            {{"arn": "{analyzer}/unused", "name": "unused", "type": "ACCOUNT_UNUSED_ACCESS", "status": "ACTIVE"}}]}}"#
        ),
    );
    let finding = |id: &str, kind: &str, resource: &str| {
        format!(
            r#"{{"id": "{id}", "findingType": "{kind}", "status": "ACTIVE", "resource": "{resource}", "analyzedAt": "2026-11-01T00:00:00+00:00"}}"#
        )
    };
    let queue = "arn:aws:sqs:us-east-1:111122223333:";
    bundle(
        "us-east-1/list-findings-v2/outside.json",
        &format!(
            r#"{{"findings": [{}, {}]}}"#,
            finding("f-1", "ExternalAccess", &format!("{queue}open")),
            finding("f-2", "ExternalAccess", &format!("{queue}shut"))
        ),
    );
    let who = |who: &str| {
        format!(
            r#"{{"findingDetails": [{{"externalAccessDetails": {{"principal": {{"AWS": "{who}"}}, "isPublic": {}, "action": ["sqs:SendMessage"]}}}}]}}"#,
            who == "*"
        )
    };
    bundle("us-east-1/get-finding-v2/f-1.json", &who("*"));
    bundle("us-east-1/get-finding-v2/f-2.json", &who("444455556666"));
    bundle(
        "us-east-1/list-findings-v2/unused.json",
        &format!(r#"{{"findings": [{}]}}"#, finding("f-3", "UnusedPermission", "arn:aws:iam::111122223333:role/Old")),
    );
    bundle(
        "us-east-1/get-finding-v2/f-3.json",
        r#"{"findingDetails": [{"unusedPermissionDetails": {"serviceNamespace": "dynamodb", "actions": [{"action": "DescribeTable"}]}},
            {"unusedPermissionDetails": {"serviceNamespace": "kms", "lastAccessed": "2026-10-05T00:00:00+00:00", "actions": [{"action": "Decrypt", "lastAccessed": "2026-10-05T00:00:00+00:00"}]}}]}"#,
    );
    bundle(
        "us-east-1/get-finding-recommendation/f-3.json",
        r#"{"resourceArn": "arn:aws:iam::111122223333:role/Old", "status": "SUCCEEDED", "recommendedSteps":
            [{"unusedPermissionsRecommendedStep": {"recommendedAction": "DETACH_POLICY", "existingPolicyId": "p"}}]}"#,
    );
}

/// A call a day of one that AWS says is not used.
fn month_of_calls() -> String {
    let event = |day: u32| {
        format!(
            r#"{{"eventVersion": "1.08", "userIdentity": {{"type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/Old/x", "accountId": "111122223333", "sessionContext":
            {{"sessionIssuer": {{"type": "Role", "arn": "arn:aws:iam::111122223333:role/Old", "userName": "Old"}}}}}},
            "eventTime": "2026-10-{day:02}T10:00:00Z", "eventSource": "dynamodb.amazonaws.com", "eventName": "DescribeTable",
            "awsRegion": "us-east-1", "requestParameters": {{"tableName": "Orders"}}, "eventID": "e-{day}",
            "eventType": "AwsApiCall", "recipientAccountId": "111122223333"}}"#
        )
    };
    let events: Vec<String> = (1..=31).map(event).collect();
    format!(r#"{{"Records": [{}]}}"#, events.join(","))
}

const BOTH: [&str; 3] = [
    "everyone is allowed sqs:SendMessage; Access Analyzer says so too (finding f-1)",
    "ours: its policy, as collected, lets in nobody from outside who brings nothing of ours; Access Analyzer: 444455556666 can use sqs:SendMessage",
    "Access Analyzer: not used: the actions dynamodb:DescribeTable, kms:Decrypt; Access Analyzer recommends to detach p",
];

#[test]
fn what_access_analyzer_found_stands_beside_our_own_findings() {
    let folder = analyzed();
    let of = |snapshot: &str| folder.paring(&["audit", "--snapshot", snapshot, "--exit-zero"]);
    let told = of("bundle");
    for line in BOTH {
        assert!(told.stdout.contains(line), "no `{line}` in {}", told.stdout);
    }
    assert_eq!(told.stdout.matches("f-1").count(), 1, "said once: {}", told.stdout);
    let made = folder.paring(&["collect", "--bundle", "bundle", "-o", "s.json"]);
    assert_eq!((made.code, of("s.json").stdout), (0, told.stdout), "{}", made.stderr);
    let json = folder.paring(&["audit", "--snapshot", "bundle", "--exit-zero", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let codes: Vec<&str> = json["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    for code in ["aws-unused-access", "opinion-differs", "public-resource"] {
        assert!(codes.contains(&code), "no {code} in {codes:?}");
    }
}

#[test]
fn what_aws_calls_unused_and_the_logs_show_is_a_difference() {
    let folder = analyzed();
    let told = folder.paring(&["audit", "--snapshot", "bundle", "--trail", "logs", "--exit-zero"]);
    let both = "ours: the logs show dynamodb:DescribeTable at 2026-10-31T10:00:00Z; Access Analyzer, which looked at 2026-11-01T00:00:00Z: these actions are not used";
    assert!(told.stdout.contains(both), "{}", told.stdout);
}

#[test]
fn a_last_use_that_a_finding_tells_of_keeps_the_permission() {
    let folder = analyzed();
    let explained = folder.paring(&["explain", "Old", "--snapshot", "bundle", "--trail", "logs", "--min-days", "1"]);
    assert!(explained.stdout.contains("Access Analyzer: not used"), "{}{}", explained.stdout, explained.stderr);
    let policy = |folder: &Folder| {
        let role = ["--role", "Old", "--snapshot", "bundle", "--trail", "logs", "--min-days", "1"];
        let output = folder.paring(&[&["tighten", "--out", "out"], role.as_slice()].concat());
        assert!(output.code < 2, "{}", output.stderr);
        folder.read("out/policies/Old.json")
    };
    assert!(policy(&folder).contains("kms:Decrypt"), "AWS saw it used, though the logs do not show it");
    std::fs::remove_dir_all(folder.path().join("bundle/us-east-1/get-finding-v2")).unwrap();
    assert!(!policy(&folder).contains("kms:Decrypt"), "without that word nothing speaks for it");
}
