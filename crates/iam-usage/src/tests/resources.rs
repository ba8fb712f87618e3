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

#[test]
fn a_list_may_name_some_of_its_resources_by_arn_and_others_by_name() {
    const OTHER: &str = "arn:aws:dynamodb:us-east-1:444455556666:table/t7";
    for (source, name, parameters, expected) in [
        (
            "ssm",
            "GetParameters",
            r#"{"names": ["/x", "/y:prod", "arn:aws:ssm:us-east-1:444455556666:parameter/shared/z"]}"#.to_owned(),
            "ssm:GetParameters on arn:aws:ssm:R:A:parameter/x arn:aws:ssm:R:A:parameter/y \
             arn:aws:ssm:us-east-1:444455556666:parameter/shared/z"
                .to_owned(),
        ),
        (
            "events",
            "PutEvents",
            r#"{"entries": [{"source": "a"}, {"eventBusName": "bus2"}, {"eventBusName": "arn:aws:events:us-east-1:111122223333:event-bus/b3"}]}"#.to_owned(),
            "events:PutEvents on arn:aws:events:R:A:event-bus/bus2 arn:aws:events:R:A:event-bus/default \
             arn:aws:events:us-east-1:111122223333:event-bus/b3"
                .to_owned(),
        ),
        (
            "dynamodb",
            "BatchGetItem",
            format!(r#"{{"requestItems": {{"t6": {{}}, "{OTHER}": {{}}}}}}"#),
            format!("dynamodb:BatchGetItem on arn:aws:dynamodb:R:A:table/t6 {OTHER}"),
        ),
        (
            "dynamodb",
            "BatchGetItem",
            format!(r#"{{"requestItems": {{"{OTHER}": {{}}}}}}"#),
            format!("dynamodb:BatchGetItem on {OTHER}"),
        ),
        // The index of a table that is named by its ARN.
        (
            "dynamodb",
            "Query",
            format!(r#"{{"tableName": "{OTHER}", "indexName": "by-day"}}"#),
            format!("dynamodb:Query on {OTHER}/index/by-day"),
        ),
        // The end of an ARN is no name of its own.
        (
            "kinesis",
            "PutRecord",
            r#"{"streamARN": "arn:aws:kinesis:us-east-1:444455556666:stream/s2", "partitionKey": "k"}"#.to_owned(),
            "kinesis:PutRecord on arn:aws:kinesis:us-east-1:444455556666:stream/s2".to_owned(),
        ),
        (
            "ecs",
            "DescribeTasks",
            r#"{"cluster": "c1", "tasks": ["arn:aws:ecs:eu-west-1:111122223333:task/c1/0123456789abcdef0123456789abcdef"]}"#.to_owned(),
            "ecs:DescribeTasks on arn:aws:ecs:R:A:task/c1/0123456789abcdef0123456789abcdef".to_owned(),
        ),
    ] {
        one(source, name, &parameters, &[&expected]);
    }
}

#[test]
fn what_a_role_is_passed_to_is_no_role() {
    one(
        "scheduler",
        "CreateSchedule",
        r#"{"name": "s1", "groupName": "g", "target": {"roleArn": "arn:aws:iam::111122223333:role/tgt", "arn": "x"}}"#,
        &[
            "iam:PassRole on arn:aws:iam::111122223333:role/tgt when iam:PassedToService=scheduler.amazonaws.com",
            "scheduler:CreateSchedule on arn:aws:scheduler:R:A:schedule/*/*",
        ],
    );
}

#[test]
fn an_id_that_begins_with_its_kind_has_it_once() {
    for (name, parameters, expected) in [
        (
            "ListResourceRecordSets",
            r#"{"hostedZoneId": "/hostedzone/Z9"}"#,
            "route53:ListResourceRecordSets on arn:aws:route53:::hostedzone/Z9",
        ),
        (
            "ListResourceRecordSets",
            r#"{"hostedZoneId": "Z9"}"#,
            "route53:ListResourceRecordSets on arn:aws:route53:::hostedzone/Z9",
        ),
        ("GetChange", r#"{"id": "/change/C1"}"#, "route53:GetChange on arn:aws:route53:::change/C1"),
    ] {
        one("route53", name, parameters, &[expected]);
    }
    one("s3", "GetObject", r#"{"bucketName": "b", "key": "/b/k"}"#, &["s3:GetObject on arn:aws:s3:::b//b/k"]);
}

#[test]
fn the_start_of_names_and_filters_narrow_no_arn() {
    for (source, name, parameters, expected) in [
        (
            "monitoring",
            "DescribeAlarms",
            r#"{"alarmNamePrefix": "app-"}"#,
            "cloudwatch:DescribeAlarms on arn:aws:cloudwatch:R:A:alarm:*",
        ),
        ("monitoring", "DescribeAlarms", "{}", "cloudwatch:DescribeAlarms on arn:aws:cloudwatch:R:A:alarm:*"),
        // Composite alarms are checked on `*`, and of names it is not told.
        (
            "monitoring",
            "DescribeAlarms",
            r#"{"alarmNames": ["comp"], "alarmTypes": ["CompositeAlarm"]}"#,
            "cloudwatch:DescribeAlarms on ?*",
        ),
        ("monitoring", "DescribeAlarms", r#"{"alarmTypes": ["CompositeAlarm"]}"#, "cloudwatch:DescribeAlarms on ?*"),
        (
            "monitoring",
            "PutCompositeAlarm",
            r#"{"alarmName": "ca", "alarmRule": "ALARM(a)"}"#,
            "cloudwatch:PutCompositeAlarm on ?*",
        ),
        ("logs", "DescribeLogGroups", r#"{"logGroupNamePrefix": "/app/"}"#, "logs:DescribeLogGroups on *"),
    ] {
        one(source, name, parameters, &[expected]);
    }
}

#[test]
fn a_copy_is_checked_on_the_new_one_and_what_is_copied_is_where_it_is() {
    one(
        "ec2",
        "CopySnapshot",
        r#"{"sourceRegion": "us-west-2", "sourceSnapshotId": "snap-0123456789abcdef0", "encrypted": true}"#,
        &[
            "ec2:CopySnapshot on arn:aws:ec2:eu-west-1::snapshot/* arn:aws:ec2:us-west-2::snapshot/snap-0123456789abcdef0",
        ],
    );
    one(
        "ec2",
        "CreateImage",
        r#"{"instanceId": "i-0123456789abcdef0", "name": "x"}"#,
        &[
            "ec2:CreateImage on arn:aws:ec2:R:A:instance/i-0123456789abcdef0 arn:aws:ec2:eu-west-1::image/* arn:aws:ec2:eu-west-1::snapshot/*",
        ],
    );
}

#[test]
fn a_function_may_be_asked_about_with_a_version_beside_its_name() {
    let both = "lambda:GetFunction on arn:aws:lambda:R:A:function:fz arn:aws:lambda:R:A:function:fz:live";
    one("lambda", "GetFunction20150331v2", r#"{"functionName": "fz", "qualifier": "live"}"#, &[both]);
    one("lambda", "GetFunction20150331v2", r#"{"functionName": "fz:live"}"#, &[both]);
    one(
        "lambda",
        "Invoke",
        r#"{"functionName": "fz", "qualifier": "live"}"#,
        &["lambda:InvokeFunction on arn:aws:lambda:R:A:function:fz:live"],
    );
}
