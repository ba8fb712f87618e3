//! Names that do not tell the ARN that AWS checked: a guess that is taken for an observation cuts the grant in use.

use super::{check, event, one};

#[test]
fn an_identity_is_made_at_its_path() {
    let path = r#"{"roleName": "x", "path": "/team/"}"#;
    one("iam", "CreateRole", path, &["iam:CreateRole on arn:aws:iam::111122223333:role/team/x"]);
    let root = r#"{"userName": "u", "path": "/"}"#;
    one("iam", "CreateUser", root, &["iam:CreateUser on arn:aws:iam::111122223333:user/u"]);
}

#[test]
fn a_scope_is_written_small_in_arns() {
    let acl = |scope: &str| format!(r#"{{"name": "n", "id": "i", "scope": "{scope}"}}"#);
    one("wafv2", "GetWebACL", &acl("REGIONAL"), &["wafv2:GetWebACL on arn:aws:wafv2:R:A:regional/webacl/n/i"]);
    one("wafv2", "GetWebACL", &acl("CLOUDFRONT"), &["wafv2:GetWebACL on arn:aws:wafv2:R:A:global/webacl/n/i"]);
}

#[test]
fn an_organisations_resources_belong_to_its_management_account() {
    one(
        "organizations",
        "DescribeOrganizationalUnit",
        r#"{"organizationalUnitId": "ou-abcd-12345678"}"#,
        &["organizations:DescribeOrganizationalUnit on arn:aws:organizations::*:ou/o-*/ou-abcd-12345678"],
    );
    one(
        "organizations",
        "DescribeAccount",
        r#"{"accountId": "444455556666"}"#,
        &["organizations:DescribeAccount on arn:aws:organizations::*:account/o-*/444455556666"],
    );
}

#[test]
fn another_accounts_registry_and_queue_are_its_own() {
    one(
        "ecr",
        "BatchGetImage",
        r#"{"registryId": "444455556666", "repositoryName": "r"}"#,
        &["ecr:BatchGetImage on arn:aws:ecr:eu-west-1:444455556666:repository/r"],
    );
    one(
        "sqs",
        "GetQueueUrl",
        r#"{"queueName": "q", "queueOwnerAWSAccountId": "444455556666"}"#,
        &["sqs:GetQueueUrl on arn:aws:sqs:eu-west-1:444455556666:q"],
    );
}

#[test]
fn a_parameters_version_is_no_part_of_its_arn() {
    for name in ["/a/b:3", "/a/b:live", "a/b", "arn:aws:ssm:eu-west-1:111122223333:parameter/a/b:3"] {
        let request = format!(r#"{{"name": "{name}"}}"#);
        one("ssm", "GetParameter", &request, &["ssm:GetParameter on arn:aws:ssm:R:A:parameter/a/b"]);
    }
}

#[test]
fn a_secrets_name_may_end_like_the_characters_aws_adds() {
    let request = r#"{"secretId": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod-db-master"}"#;
    let arn = "arn:aws:secretsmanager:R:A:secret:prod-db-master";
    one(
        "secretsmanager",
        "GetSecretValue",
        request,
        &[&format!("secretsmanager:GetSecretValue on {arn} {arn}-??????")],
    );
}

#[test]
fn a_role_that_is_passed_by_its_name_alone_is_not_told() {
    let request =
        r#"{"family": "f", "taskRoleArn": "task", "executionRoleArn": "arn:aws:iam::111122223333:role/exec"}"#;
    let rows = super::rows(&super::log(&[event("ecs", "RegisterTaskDefinition", request, "")]));
    assert!(rows.iter().any(|row| row.starts_with("iam:PassRole on ?*")), "{rows:?}");
}

#[test]
fn an_alias_is_what_an_invocation_is_checked_on() {
    let asked = |more: &str| format!(r#"{{"functionName": "f"{more}}}"#);
    one("lambda", "Invoke", &asked(""), &["lambda:InvokeFunction on arn:aws:lambda:R:A:function:f"]);
    let live = r#", "qualifier": "live""#;
    one("lambda", "Invoke", &asked(live), &["lambda:InvokeFunction on arn:aws:lambda:R:A:function:f:live"]);
    // The record's own resources leave the alias out.
    let function = r#""resources": [{"type": "AWS::Lambda::Function", "ARN": "arn:aws:lambda:eu-west-1:111122223333:function:f"}]"#;
    let records = [event("lambda", "Invoke", &asked(live), function), event("lambda", "Invoke", &asked(""), function)];
    check(
        &records,
        &[
            "lambda:InvokeFunction on arn:aws:lambda:R:A:function:f",
            "lambda:InvokeFunction on arn:aws:lambda:R:A:function:f:live",
        ],
    );
}

#[test]
fn an_object_behind_an_access_point_is_asked_for_twice() {
    let resources = r#""resources": [{"ARN": "arn:aws:s3:::b/k/l"}, {"ARN": "arn:aws:s3:::b"},
        {"ARN": "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap"}]"#;
    let request = r#"{"bucketName": "ap", "key": "k/l"}"#;
    check(
        &[event("s3", "GetObject", request, resources)],
        &["s3:GetObject on arn:aws:s3:::b/k/l arn:aws:s3:R:A:accesspoint/ap/object/k/l"],
    );
}

#[test]
fn events_without_a_bus_go_to_the_default_one() {
    let request = r#"{"entries": [{"eventBusName": "b", "source": "s"}, {"source": "s"}]}"#;
    one(
        "events",
        "PutEvents",
        request,
        &["events:PutEvents on arn:aws:events:R:A:event-bus/b arn:aws:events:R:A:event-bus/default"],
    );
}

#[test]
fn a_name_does_not_stand_for_an_id() {
    one(
        "servicediscovery",
        "DiscoverInstances",
        r#"{"namespaceName": "n", "serviceName": "s"}"#,
        &[
            "servicediscovery:DiscoverInstances on arn:aws:servicediscovery:R:A:namespace/* arn:aws:servicediscovery:R:A:service/*",
        ],
    );
}

#[test]
fn a_version_that_is_copied_needs_the_versions_action() {
    let copy = |version: &str| {
        let request = format!(r#"{{"bucketName": "to", "key": "k", "x-amz-copy-source": "/from/k{version}"}}"#);
        let log = super::log(&[event("s3", "CopyObject", &request, "")]);
        super::rows(&log).into_iter().find(|row| row.contains("s3:::from")).unwrap()
    };
    assert_eq!(copy(""), "s3:GetObject on arn:aws:s3:::from/k");
    assert_eq!(copy("?versionId=7"), "s3:GetObjectVersion on arn:aws:s3:::from/k");
}
