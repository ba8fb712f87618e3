//! Calls whose resources were told wrong once: a needed call would have been denied, and the proof would have held.

use super::pitfalls::{check, event as call, log, one, rows, told};

/// A call of EC2 with tags for these kinds.
fn tagged(parameters: &str, kinds: &[&str]) -> String {
    let items: Vec<String> = kinds.iter().map(|kind| format!(r#"{{"resourceType": "{kind}", "tags": []}}"#)).collect();
    format!(r#"{{{parameters}, "tagSpecificationSet": {{"items": [{}]}}}}"#, items.join(", "))
}

#[test]
fn tags_of_ec2_are_for_what_the_request_says_and_not_for_what_it_names() {
    let check = |name: &str, parameters: &str, kinds: &[&str], primary: &str, tags: &str| {
        let (primary, tags) = (format!("ec2:{name} on {primary}"), format!("ec2:CreateTags on {tags}"));
        let mut expected = [tags.as_str(), primary.as_str()];
        expected.sort();
        one("ec2", name, &tagged(parameters, kinds), &expected);
    };
    check(
        "CreateSecurityGroup",
        r#""groupName": "x", "vpcId": "vpc-0123456789abcdef0""#,
        &["security-group"],
        "arn:aws:ec2:R:A:security-group/* arn:aws:ec2:R:A:vpc/vpc-0123456789abcdef0",
        "arn:aws:ec2:R:A:security-group/*",
    );
    check(
        "CreateSnapshot",
        r#""volumeId": "vol-0123456789abcdef0""#,
        &["snapshot"],
        "arn:aws:ec2:R:A:volume/vol-0123456789abcdef0 arn:aws:ec2:eu-west-1::snapshot/*",
        "arn:aws:ec2:eu-west-1::snapshot/*",
    );
    // A kind that the reference does not have.
    check(
        "CreateSnapshot",
        r#""volumeId": "vol-0123456789abcdef0""#,
        &["moon"],
        "arn:aws:ec2:R:A:volume/vol-0123456789abcdef0 arn:aws:ec2:eu-west-1::snapshot/*",
        "?*",
    );
    one(
        "ec2",
        "CreateVpcEndpoint",
        r#"{"CreateVpcEndpointRequest": {"VpcId": "vpc-0123456789abcdef0", "TagSpecification": {"ResourceType": "vpc-endpoint", "Tag": {"Key": "a"}}}}"#,
        &[
            "ec2:CreateTags on arn:aws:ec2:R:A:vpc-endpoint/*",
            "ec2:CreateVpcEndpoint on arn:aws:ec2:R:A:vpc-endpoint/* arn:aws:ec2:R:A:vpc/vpc-0123456789abcdef0",
        ],
    );
}

#[test]
fn an_instance_is_run_in_the_groups_that_are_named_and_tagged_by_kind() {
    let run = |more: &str| {
        tagged(
            &format!(
                r#""instancesSet": {{"items": [{{"imageId": "ami-0123456789abcdef0"}}]}}, "subnetId": "subnet-0123456789abcdef0",
                "groupSet": {{"items": [{{"groupId": "sg-0123456789abcdef0"}}]}}{more}"#
            ),
            &["instance", "volume"],
        )
    };
    one(
        "ec2",
        "RunInstances",
        &run(""),
        &[
            "ec2:CreateTags on arn:aws:ec2:R:A:instance/* arn:aws:ec2:R:A:volume/*",
            "ec2:RunInstances on arn:aws:ec2:R:A:instance/* arn:aws:ec2:R:A:network-interface/* \
         arn:aws:ec2:R:A:security-group/sg-0123456789abcdef0 arn:aws:ec2:R:A:subnet/subnet-0123456789abcdef0 \
         arn:aws:ec2:R:A:volume/* arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef0",
        ],
    );
    // What the template names is not in the request.
    let launched = run(r#", "launchTemplate": {"launchTemplateId": "lt-0123456789abcdef0"}"#);
    one("ec2", "RunInstances", &launched, &["ec2:CreateTags on ?*", "ec2:RunInstances on ?*"]);
}

#[test]
fn tags_that_go_with_a_call_are_for_what_it_makes() {
    let check = |source: &str, name: &str, parameters: &str, tags: &str| {
        let parameters = format!(r#"{{{parameters}, "tags": [{{"key": "a", "value": "b"}}]}}"#);
        let found = told(source, name, &parameters);
        assert!(found.iter().any(|row| row == tags), "{source} {name}: no `{tags}` in {found:#?}");
    };
    for (source, name, parameters, tags) in [
        (
            "ecs",
            "RunTask",
            r#""cluster": "c1", "taskDefinition": "td:3""#,
            "ecs:TagResource on arn:aws:ecs:R:A:task/c1/*",
        ),
        (
            "ecs",
            "CreateService",
            r#""cluster": "c1", "serviceName": "s1", "taskDefinition": "td:3""#,
            "ecs:TagResource on arn:aws:ecs:R:A:service/c1/s1",
        ),
        (
            "rds",
            "CreateDBSnapshot",
            r#""dBInstanceIdentifier": "db1", "dBSnapshotIdentifier": "s1""#,
            "rds:AddTagsToResource on arn:aws:rds:R:A:snapshot:s1",
        ),
        (
            "rds",
            "RestoreDBInstanceFromDBSnapshot",
            r#""dBInstanceIdentifier": "new", "dBSnapshotIdentifier": "s1""#,
            "rds:AddTagsToResource on arn:aws:rds:R:A:db:*",
        ),
        // It keeps backups with the tags, which are no volume.
        ("fsx", "DeleteVolume", r#""volumeId": "fsvol-1""#, "fsx:TagResource on ?*"),
        ("glue", "CreateJob", r#""name": "j""#, "glue:TagResource on arn:aws:glue:R:A:job/j"),
        ("ssm", "PutParameter", r#""name": "/p""#, "ssm:AddTagsToResource on arn:aws:ssm:R:A:parameter/p"),
        ("dynamodb", "CreateTable", r#""tableName": "t""#, "dynamodb:TagResource on arn:aws:dynamodb:R:A:table/t"),
        ("quicksight", "CreateSpace", r#""name": "s""#, "quicksight:TagResource on ?*"),
        (
            "elasticloadbalancing",
            "CreateTargetGroup",
            r#""name": "tg", "protocol": "HTTP""#,
            "elasticloadbalancing:AddTags on arn:aws:elasticloadbalancing:R:A:targetgroup/tg/*",
        ),
        (
            "elasticloadbalancing",
            "CreateRule",
            r#""listenerArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/lb/1/2""#,
            "elasticloadbalancing:AddTags on arn:aws:elasticloadbalancing:R:A:listener-rule/app/*/*/*/* \
             arn:aws:elasticloadbalancing:R:A:listener-rule/net/*/*/*/*",
        ),
    ] {
        check(source, name, parameters, tags);
    }
}

#[test]
fn a_call_that_names_nothing_is_checked_on_any_of_the_kind_only_where_that_is_known() {
    for (source, name, parameters, expected) in [
        ("rds", "DescribeDBInstances", "{}", "rds:DescribeDBInstances on arn:aws:rds:R:A:db:*"),
        ("ecs", "ListTasks", r#"{"cluster": "c1", "serviceName": "s1"}"#, "ecs:ListTasks on *"),
        ("monitoring", "GetMetricData", r#"{"startTime": "x"}"#, "cloudwatch:GetMetricData on *"),
        ("monitoring", "ListMetrics", "{}", "cloudwatch:ListMetrics on *"),
        ("ce", "GetCostAndUsage", r#"{"Granularity": "MONTHLY"}"#, "ce:GetCostAndUsage on *"),
        ("securityhub", "GetFindings", "{}", "securityhub:GetFindings on ?*"),
        ("account", "ListRegions", "{}", "account:ListRegions on ?*"),
        ("bedrock", "ListGuardrails", r#"{"maxResults": 10}"#, "bedrock:ListGuardrails on ?*"),
    ] {
        one(source, name, parameters, &[expected]);
    }
}

#[test]
fn an_email_is_sent_with_a_configuration_set_too() {
    let on = |resources: &str| format!("ses:SendEmail on {resources}").replace("SES", "arn:aws:ses:R:A");
    let check = |parameters: &str, resources: &str| one("ses", "SendEmail", parameters, &[&on(resources)]);
    check(
        r#"{"fromEmailAddress": "a@example.org", "configurationSetName": "cs", "content": {"template": {"templateName": "t"}}}"#,
        "SES:configuration-set/cs SES:identity/* SES:template/t",
    );
    // The identity may have a set of its own.
    check(r#"{"fromEmailAddress": "a@example.org"}"#, "SES:configuration-set/* SES:identity/*");
}

#[test]
fn a_backup_is_no_table() {
    one(
        "dynamodb",
        "RestoreTableFromBackup",
        r#"{"targetTableName": "rt", "backupArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/t1/backup/0148"}"#,
        &["dynamodb:RestoreTableFromBackup on arn:aws:dynamodb:R:A:table/rt arn:aws:dynamodb:R:A:table/t1/backup/0148"],
    );
}

#[test]
fn a_function_of_another_account_may_be_named_in_part() {
    for (name, parameters, expected) in [
        (
            "Invoke",
            r#"{"functionName": "444455556666:function:remote"}"#,
            "lambda:InvokeFunction on arn:aws:lambda:eu-west-1:444455556666:function:remote",
        ),
        (
            "Invoke",
            r#"{"functionName": "444455556666:f5"}"#,
            "lambda:InvokeFunction on arn:aws:lambda:eu-west-1:444455556666:function:f5",
        ),
        ("Invoke", r#"{"functionName": "f7:live"}"#, "lambda:InvokeFunction on arn:aws:lambda:R:A:function:f7:live"),
        (
            "UpdateFunctionCode20150331v2",
            r#"{"functionName": "f7:3"}"#,
            "lambda:UpdateFunctionCode on arn:aws:lambda:R:A:function:f7 arn:aws:lambda:R:A:function:f7:3",
        ),
        (
            "GetFunction20150331v2",
            r#"{"functionName": "arn:aws:lambda:us-east-1:444455556666:function:g"}"#,
            "lambda:GetFunction on arn:aws:lambda:us-east-1:444455556666:function:g",
        ),
        ("Invoke", r#"{"functionName": "a:b:c:d:e"}"#, "lambda:InvokeFunction on ?*"),
    ] {
        one("lambda", name, parameters, &[expected]);
    }
}

#[test]
fn an_iterator_is_read_up_to_its_stream() {
    one(
        "dynamodb",
        "GetRecords",
        r#"{"shardIterator": "arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/2026-11-20T08:15:30.123|1|AAA/BBB=="}"#,
        &["dynamodb:GetRecords on arn:aws:dynamodb:R:A:table/t/stream/2026-11-20T08:15:30.123"],
    );
}

#[test]
fn an_identifier_that_may_be_a_name_is_no_id() {
    one(
        "appconfig",
        "StartConfigurationSession",
        r#"{"applicationIdentifier": "shop", "environmentIdentifier": "prod", "configurationProfileIdentifier": "flags"}"#,
        &["appconfig:StartConfigurationSession on arn:aws:appconfig:R:A:application/*/environment/*/configuration/*"],
    );
}

#[test]
fn each_statement_of_partiql_is_about_its_own_table() {
    let check = |name: &str, parameters: &str, expected: &[&str]| {
        let expected: Vec<String> =
            expected.iter().map(|row| row.replace("T:", "arn:aws:dynamodb:R:A:table/")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        one("dynamodb", name, parameters, &expected);
    };
    check(
        "BatchExecuteStatement",
        r#"{"statements": [{"statement": "INSERT INTO \"log\" VALUE {'a': 1}"}, {"statement": "SELECT * FROM orders WHERE a = 1"}]}"#,
        &["dynamodb:PartiQLInsert on T:log", "dynamodb:PartiQLSelect on T:orders"],
    );
    check(
        "ExecuteStatement",
        r#"{"statement": "SELECT * FROM \"orders\".\"by-day\" WHERE a = 1"}"#,
        &["dynamodb:PartiQLSelect on T:orders/index/by-day"],
    );
    check(
        "ExecuteTransaction",
        r#"{"transactStatements": [{"statement": "EXISTS(SELECT * FROM \"orders\" WHERE a = 1)"}, {"statement": "UPDATE stock SET n = 1"}]}"#,
        &["dynamodb:PartiQLSelect on T:orders", "dynamodb:PartiQLUpdate on T:stock"],
    );
    check("ExecuteStatement", r#"{"statement": "SELECT * FROM a.b"}"#, &["dynamodb:PartiQLSelect on ?*"]);
}

#[test]
fn what_a_request_names_is_no_pattern() {
    one(
        "iam",
        "CreateServiceLinkedRole",
        r#"{"aWSServiceName": "ecs.amazonaws.com"}"#,
        &["iam:CreateServiceLinkedRole on arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/*"],
    );
    one(
        "ecs",
        "RegisterTaskDefinition",
        r#"{"family": "td"}"#,
        &["ecs:RegisterTaskDefinition on arn:aws:ecs:R:A:task-definition/td:*"],
    );
}

#[test]
fn a_key_that_is_not_there_is_only_said_to_who_may_list_its_bucket() {
    let event = |name: &str, key: &str, error: &str| {
        let parameters = format!(r#"{{"bucketName": "b", "key": "{key}"}}"#);
        let arns = format!(r#""resources": [{{"ARN": "arn:aws:s3:::b/{key}"}}, {{"ARN": "arn:aws:s3:::b"}}]"#);
        call("s3", name, &parameters, &format!(r#"{arns}, "errorCode": "{error}""#))
    };
    let (get, list) = ("s3:GetObject on arn:aws:s3:::b/k", "s3:ListBucket on arn:aws:s3:::b");
    check(&[event("GetObject", "k", "NoSuchKey")], &[get, list]);
    check(&[event("HeadObject", "k", "NoSuchKey")], &[get, list]);
    check(&[event("GetObject", "k", "InvalidRange")], &[get]);
    check(&[event("PutObject", "k", "NoSuchKey")], &["s3:PutObject on arn:aws:s3:::b/k"]);
    check(&[event("GetObject", "k", "AccessDenied")], &["s3:GetObject on arn:aws:s3:::b/k denied"]);
    // Among many that differ in their key alone, and are counted by what they have in common.
    let many: Vec<String> =
        (0..40).map(|n| event("GetObject", "k", if n % 4 == 3 { "NoSuchKey" } else { "" })).collect();
    let many: Vec<String> = many
        .iter()
        .enumerate()
        .map(|(n, one)| one.replace(r#""eventID": ""#, &format!(r#""eventID": "{n}-"#)))
        .collect();
    let found = rows(&log(&many));
    assert_eq!(found, ["s3:GetObject on arn:aws:s3:::b/k x40", "s3:ListBucket on arn:aws:s3:::b x10"]);
    let keys: Vec<String> =
        (0..400).map(|n| event("GetObject", &format!("k{n}"), if n % 4 == 3 { "NoSuchKey" } else { "" })).collect();
    let found = rows(&log(&keys));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.contains(&"s3:ListBucket on arn:aws:s3:::b x100".to_owned()), "{found:#?}");
}
