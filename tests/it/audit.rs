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
