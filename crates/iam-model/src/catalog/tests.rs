//! What users of the embedded catalogue rely on, and what damaged bytes do.

use super::*;

fn catalog() -> Catalog {
    Catalog::embedded().unwrap()
}

fn facts<'a>(catalog: &'a Catalog, action: &str) -> ActionFacts<'a> {
    catalog.action(&action.parse().unwrap()).unwrap_or_else(|| panic!("{action} is unknown"))
}

#[test]
fn it_knows_where_and_when_it_comes_from() {
    let catalog = catalog();
    assert_eq!(catalog.date().len(), 10, "{}", catalog.date());
    assert!(catalog.provenance().any(|line| line.contains("Service Reference")));
    assert!(catalog.action_count() > 20_000);
    assert_eq!(catalog.actions().count(), catalog.action_count());
}

#[test]
fn actions_are_found_whatever_their_case_and_printed_as_aws_spells_them() {
    let catalog = catalog();
    for action in catalog.actions().step_by(7) {
        let shouted: Action = action.action().as_str().to_ascii_uppercase().parse().unwrap();
        let found = catalog.action(&shouted).unwrap();
        assert_eq!(found.action().as_str(), action.action().as_str());
    }
    assert!(catalog.action(&"dynamodb:DropTable".parse().unwrap()).is_none());
    assert!(catalog.action(&"nosuchservice:Get".parse().unwrap()).is_none());
}

#[test]
fn levels_are_aws_s() {
    let catalog = catalog();
    for (action, level) in [
        ("s3:ListBucket", AccessLevel::List),
        ("s3:GetObject", AccessLevel::Read),
        ("dynamodb:PutItem", AccessLevel::Write),
        ("lambda:TagResource", AccessLevel::Tagging),
        ("iam:PutRolePolicy", AccessLevel::PermissionsManagement),
    ] {
        assert_eq!(facts(&catalog, action).level(), level, "{action}");
    }
}

#[test]
fn resource_types_carry_their_arn_patterns() {
    let catalog = catalog();
    let put = facts(&catalog, "dynamodb:PutItem");
    let patterns: Vec<&str> = put.resource_types().flat_map(|r| r.arn_patterns()).map(|p| p.as_str()).collect();
    assert_eq!(patterns, ["arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}"]);
    assert!(put.condition_keys().any(|key| key == "dynamodb:LeadingKeys"));
    assert!(!facts(&catalog, "s3:ListAllMyBuckets").takes_resource());
}

#[test]
fn arn_patterns_match_arns_of_their_type_only() {
    let catalog = catalog();
    let check = |action: &str, arn: &str, expected: &[&str]| {
        let facts = facts(&catalog, action);
        let found: Vec<&str> =
            facts.resource_types().filter(|r| r.arn_patterns().any(|p| p.matches(arn))).map(|r| r.name()).collect();
        assert_eq!(found, expected, "{action} {arn}");
    };
    check("s3:GetObject", "arn:aws:s3:::bucket/a/b", &["object"]);
    check("s3:ListBucket", "arn:aws:s3:::bucket", &["bucket"]);
    check("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/T/index/I", &["index", "table"]);
    check("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/T", &["table"]);
    check("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/", &[]);
    check("dynamodb:Query", "arn:aws:sqs:eu-west-1:111122223333:table/T", &[]);
    check("dynamodb:Query", "not an arn", &[]);
}

#[test]
fn patterns_are_taken_apart() {
    let catalog = catalog();
    let pattern = facts(&catalog, "sqs:SendMessage").resource_types().next().unwrap().arn_patterns().next().unwrap();
    let text = |part: ArnPart<'_>| match part {
        ArnPart::Literal(text) => text.to_owned(),
        ArnPart::Variable(name) => format!("<{name}>"),
    };
    let parts: Vec<String> = pattern.parts().map(text).collect();
    assert_eq!(parts.concat(), "arn:<Partition>:sqs:<Region>:<Account>:<QueueName>");
}

#[test]
fn logging_tells_data_events_and_silence_from_management_events() {
    let catalog = catalog();
    let check = |action: &str, expected: &str| {
        let found = match facts(&catalog, action).logging() {
            Logging::Management { write, event_source } => {
                format!("{event_source} {}", if write { "write" } else { "read" })
            }
            Logging::Data(types) => types.join(" "),
            Logging::Never => "never".to_owned(),
        };
        assert_eq!(found, expected, "{action}");
    };
    check("dynamodb:PutItem", "AWS::DynamoDB::Table");
    check("dynamodb:GetRecords", "AWS::DynamoDB::Stream");
    check("dynamodb:CreateTable", "dynamodb.amazonaws.com write");
    check("lambda:InvokeFunction", "AWS::Lambda::Function");
    check("lambda:GetFunction", "lambda.amazonaws.com read");
    check("sqs:SendMessage", "AWS::SQS::Queue");
    check("sns:Publish", "AWS::SNS::PlatformEndpoint AWS::SNS::Topic");
    check("kinesis:PutRecord", "AWS::Kinesis::Stream");
    check("xray:PutTraceSegments", "never");
    check("cloudwatch:PutMetricData", "AWS::CloudWatch::Metric");
    check("cloudwatch:PutMetricAlarm", "monitoring.amazonaws.com write");
    check("iam:PassRole", "iam.amazonaws.com write");
    check("secretsmanager:GetSecretValue", "secretsmanager.amazonaws.com read");
    check("cognito-idp:CreateUserPoolClient", "cognito-idp.amazonaws.com write");
    check("ec2messages:GetMessages", "never");
}

#[test]
fn events_find_their_operation() {
    let catalog = catalog();
    let check = |source: &str, event: &str, expected: &str| {
        let found: Vec<String> = catalog
            .operations(source, event)
            .iter()
            .filter_map(|op| op.authorized().next())
            .map(|a| a.action().as_str().to_owned())
            .collect();
        assert_eq!(found.join(" "), expected, "{source} {event}");
    };
    check("lambda.amazonaws.com", "Invoke", "lambda:InvokeFunction");
    check("lambda.amazonaws.com", "UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode");
    check("cloudfront.amazonaws.com", "CreateDistribution2020_05_31", "cloudfront:CreateDistribution");
    check("kafka.amazonaws.com", "CreateClusterV2", "kafka:CreateClusterV2");
    check("rds.amazonaws.com", "RestoreDBInstanceFromS3", "rds:RestoreDBInstanceFromS3");
    check("s3.amazonaws.com", "ListObjects", "s3:ListBucket");
    check("s3.amazonaws.com", "GetBucketPublicAccessBlock", "s3:GetBucketPublicAccessBlock");
    check("s3.amazonaws.com", "GetAccountPublicAccessBlock", "s3:GetAccountPublicAccessBlock");
    check("monitoring.amazonaws.com", "PutMetricAlarm", "cloudwatch:PutMetricAlarm");
    check("nosuch.amazonaws.com", "Get", "");
    check("dynamodb.amazonaws.com", "NoSuchCall", "");
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    assert_eq!(Catalog::from_bytes(b"").unwrap_err(), CatalogError::NotACatalog);
    assert_eq!(Catalog::from_bytes(b"{}").unwrap_err(), CatalogError::NotACatalog);
    let newer = Catalog::from_bytes(b"paring-catalog/3\nxyz").unwrap_err();
    assert_eq!(newer, CatalogError::Version { found: "3".into() });
    let step = EMBEDDED.len() / 41;
    for end in (MAGIC.len()..EMBEDDED.len()).step_by(step) {
        let cut = &EMBEDDED[..end];
        assert!(matches!(Catalog::from_bytes(cut), Err(CatalogError::Damaged { .. })), "cut at {end}");
    }
    for at in (MAGIC.len()..EMBEDDED.len()).step_by(step / 2) {
        let mut bytes = EMBEDDED.to_vec();
        bytes[at] ^= 0xff;
        if let Ok(catalog) = Catalog::from_bytes(&bytes) {
            let sum: usize = catalog.actions().map(|a| a.resource_types().count() + a.name().len()).sum();
            assert!(sum > 0, "changed at {at}");
        }
    }
}

/// The file the program carries stays small; issue sizes are a promise to people who download it.
#[test]
fn the_embedded_file_is_small() {
    assert!(EMBEDDED.len() <= 1_500_000, "{} bytes", EMBEDDED.len());
}

#[test]
fn it_knows_what_is_checked_together_and_which_roles_are_passed_unnamed() {
    let catalog = catalog();
    let groups = facts(&catalog, "ssm:sendcommand").checked_together();
    assert_eq!(groups, [vec!["document"], vec!["instance", "managed-instance"]]);
    assert!(facts(&catalog, "kms:Decrypt").checked_together().is_empty());
    let pass = "iam:PassRole".parse().unwrap();
    let authorisers = catalog.operations_authorised_by(&pass);
    let unnamed = |operation: &str| {
        let found = authorisers.iter().find(|(own, _)| format!("{}:{}", own.service(), own.name()) == operation);
        found.map(|(_, pair)| pair.trigger() == Trigger::PassesRole { unnamed: true })
    };
    assert_eq!(unnamed("ecs:RunTask"), Some(true));
    assert_eq!(unnamed("ec2:RunInstances"), Some(true));
    assert_eq!(unnamed("lambda:CreateFunction"), Some(false));
}
