//! What CloudFormation resource types look like from outside: name property, ARN, what `!Ref` gives.
//!
//! Data from the "Return values" sections of the AWS CloudFormation template reference. Types that are not listed are
//! never turned into references.

use iam_model::snapshot::ResourceKind;

/// How a template refers to a resource's ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArnForm {
    /// `!GetAtt X.Arn`, or another attribute.
    Attribute(&'static str),
    /// `!Ref X` is the ARN.
    Ref,
    /// Only by writing the ARN around `${X}`.
    Name,
}

/// One resource type.
#[derive(Debug)]
pub(crate) struct TypeRule {
    pub(crate) kind: &'static str,
    pub(crate) service: &'static str,
    /// The ARN's resource part, `{}` for the name.
    pub(crate) resource: &'static str,
    /// The property that sets the name; without it CloudFormation makes one.
    pub(crate) name: Option<&'static str>,
    pub(crate) arn: ArnForm,
    /// Whether ARNs of this type carry region and account.
    pub(crate) regional: bool,
    pub(crate) snapshot: Option<ResourceKind>,
}

const ARN: ArnForm = ArnForm::Attribute("Arn");

macro_rules! rules {
    ($($kind:literal, $service:literal, $resource:literal, $name:expr, $arn:expr, $snapshot:expr;)*) => {
        /// Every type known here.
        pub(crate) const RULES: &[TypeRule] = &[$(TypeRule {
            kind: $kind, service: $service, resource: $resource, name: $name, arn: $arn,
            regional: !matches!($service.as_bytes(), b"s3" | b"iam"), snapshot: $snapshot,
        },)*];
    };
}

rules! {
    "AWS::DynamoDB::Table", "dynamodb", "table/{}", Some("TableName"), ARN, Some(ResourceKind::DynamodbTable);
    "AWS::DynamoDB::GlobalTable", "dynamodb", "table/{}", Some("TableName"), ARN, Some(ResourceKind::DynamodbTable);
    "AWS::Serverless::SimpleTable", "dynamodb", "table/{}", Some("TableName"), ARN, Some(ResourceKind::DynamodbTable);
    "AWS::S3::Bucket", "s3", "{}", Some("BucketName"), ARN, Some(ResourceKind::S3Bucket);
    "AWS::SQS::Queue", "sqs", "{}", Some("QueueName"), ARN, Some(ResourceKind::SqsQueue);
    "AWS::SNS::Topic", "sns", "{}", Some("TopicName"), ArnForm::Ref, Some(ResourceKind::SnsTopic);
    "AWS::Lambda::Function", "lambda", "function:{}", Some("FunctionName"), ARN, Some(ResourceKind::LambdaFunction);
    "AWS::Serverless::Function", "lambda", "function:{}", Some("FunctionName"), ARN, Some(ResourceKind::LambdaFunction);
    "AWS::Cognito::UserPool", "cognito-idp", "userpool/{}", None, ARN, Some(ResourceKind::CognitoUserPool);
    "AWS::SecretsManager::Secret", "secretsmanager", "secret:{}", Some("Name"), ArnForm::Ref, Some(ResourceKind::SecretsmanagerSecret);
    "AWS::KMS::Key", "kms", "key/{}", None, ARN, Some(ResourceKind::KmsKey);
    "AWS::StepFunctions::StateMachine", "states", "stateMachine:{}", Some("StateMachineName"), ArnForm::Ref, Some(ResourceKind::StepfunctionsStateMachine);
    "AWS::Serverless::StateMachine", "states", "stateMachine:{}", Some("Name"), ArnForm::Ref, Some(ResourceKind::StepfunctionsStateMachine);
    "AWS::StepFunctions::Activity", "states", "activity:{}", Some("Name"), ArnForm::Ref, None;
    "AWS::Kinesis::Stream", "kinesis", "stream/{}", Some("Name"), ARN, None;
    "AWS::KinesisFirehose::DeliveryStream", "firehose", "deliverystream/{}", Some("DeliveryStreamName"), ARN, None;
    "AWS::Events::Rule", "events", "rule/{}", Some("Name"), ARN, None;
    "AWS::ApiGateway::RestApi", "execute-api", "{}", None, ArnForm::Name, None;
    "AWS::ApiGatewayV2::Api", "execute-api", "{}", None, ArnForm::Name, None;
    "AWS::Serverless::Api", "execute-api", "{}", None, ArnForm::Name, None;
    "AWS::Serverless::HttpApi", "execute-api", "{}", None, ArnForm::Name, None;
    "AWS::Events::EventBus", "events", "event-bus/{}", Some("Name"), ARN, None;
    "AWS::Logs::LogGroup", "logs", "log-group:{}:*", Some("LogGroupName"), ARN, None;
    "AWS::SSM::Parameter", "ssm", "parameter/{}", Some("Name"), ArnForm::Name, None;
    "AWS::IAM::Role", "iam", "role/{}", Some("RoleName"), ARN, None;
    "AWS::IAM::ManagedPolicy", "iam", "policy/{}", Some("ManagedPolicyName"), ArnForm::Ref, None;
    "AWS::EC2::VPCEndpoint", "ec2", "vpc-endpoint/{}", None, ArnForm::Name, Some(ResourceKind::Ec2VpcEndpoint);
    "AWS::CodeBuild::Project", "codebuild", "project/{}", Some("Name"), ARN, Some(ResourceKind::CodebuildProject);
    "AWS::ECS::Cluster", "ecs", "cluster/{}", Some("ClusterName"), ARN, Some(ResourceKind::EcsCluster);
    "AWS::AppSync::GraphQLApi", "appsync", "apis/{}", None, ARN, None;
    "AWS::Glue::Job", "glue", "job/{}", Some("Name"), ArnForm::Name, Some(ResourceKind::GlueJob);
    "AWS::OpenSearchService::Domain", "es", "domain/{}", Some("DomainName"), ARN, None;
}

/// The rule of a type.
pub(crate) fn rule(kind: &str) -> Option<&'static TypeRule> {
    RULES.iter().find(|rule| rule.kind == kind)
}

impl TypeRule {
    /// The ARN's resource part up to the name, and after it.
    pub(crate) fn around_name(&self) -> (&'static str, &'static str) {
        self.resource.split_once("{}").unwrap_or((self.resource, ""))
    }
}
