//! What Terraform's AWS resource types look like from outside: ARN, name attribute, what `.id` gives.
//!
//! Data from the AWS provider's documentation ("Attribute Reference" of each resource) and the service authorization
//! reference. Types that are not listed are never turned into references.

/// What `.id` of a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    Name,
    Arn,
    Other,
}

/// One resource type.
#[derive(Debug)]
pub(super) struct TypeRule {
    pub(super) of: &'static str,
    pub(super) service: &'static str,
    /// The ARN's resource part, `{}` for the name.
    pub(super) resource: &'static str,
    /// The attribute that sets the name; without it the provider makes one.
    pub(super) name: &'static str,
    pub(super) id: Id,
    /// Whether the ARN ends in something nobody can know.
    pub(super) random: bool,
}

impl TypeRule {
    pub(super) fn regional(&self) -> bool {
        !matches!(self.service, "s3" | "iam" | "cloudfront" | "route53" | "organizations")
    }

    pub(super) fn has_account(&self) -> bool {
        !matches!(self.service, "s3")
    }
}

macro_rules! rules {
    ($($of:literal, $service:literal, $resource:literal, $name:literal, $id:ident $(, $random:ident)?;)*) => {
        /// Every type known here.
        pub(super) const RULES: &[TypeRule] = &[$(TypeRule {
            of: $of, service: $service, resource: $resource, name: $name, id: Id::$id,
            random: false $(|| stringify!($random).len() > 0)?,
        },)*];
    };
}

rules! {
    "aws_dynamodb_table", "dynamodb", "table/{}", "name", Name;
    "aws_s3_bucket", "s3", "{}", "bucket", Name;
    "aws_sqs_queue", "sqs", "{}", "name", Other;
    "aws_sns_topic", "sns", "{}", "name", Arn;
    "aws_lambda_function", "lambda", "function:{}", "function_name", Name;
    "aws_lambda_alias", "lambda", "function:{}", "name", Arn, random;
    "aws_cloudwatch_log_group", "logs", "log-group:{}", "name", Name;
    "aws_cloudwatch_event_bus", "events", "event-bus/{}", "name", Name;
    "aws_cloudwatch_event_rule", "events", "rule/{}", "name", Name;
    "aws_scheduler_schedule_group", "scheduler", "schedule-group/{}", "name", Name;
    "aws_sfn_state_machine", "states", "stateMachine:{}", "name", Arn;
    "aws_sfn_activity", "states", "activity:{}", "name", Arn;
    "aws_kinesis_stream", "kinesis", "stream/{}", "name", Arn;
    "aws_kinesis_firehose_delivery_stream", "firehose", "deliverystream/{}", "name", Arn;
    "aws_secretsmanager_secret", "secretsmanager", "secret:{}", "name", Arn, random;
    "aws_ssm_parameter", "ssm", "parameter/{}", "name", Name;
    "aws_iam_role", "iam", "role/{}", "name", Name;
    "aws_iam_policy", "iam", "policy/{}", "name", Arn;
    "aws_iam_user", "iam", "user/{}", "name", Name;
    "aws_iam_group", "iam", "group/{}", "name", Name;
    "aws_iam_instance_profile", "iam", "instance-profile/{}", "name", Name;
    "aws_kms_key", "kms", "key/{}", "key_id", Name, random;
    "aws_kms_alias", "kms", "{}", "name", Name;
    "aws_ecr_repository", "ecr", "repository/{}", "name", Name;
    "aws_ecs_cluster", "ecs", "cluster/{}", "name", Arn;
    "aws_codebuild_project", "codebuild", "project/{}", "name", Arn;
    "aws_glue_job", "glue", "job/{}", "name", Name;
    "aws_glue_catalog_database", "glue", "database/{}", "name", Other;
    "aws_opensearch_domain", "es", "domain/{}", "domain_name", Arn;
    "aws_elasticsearch_domain", "es", "domain/{}", "domain_name", Arn;
    "aws_athena_workgroup", "athena", "workgroup/{}", "name", Name;
    "aws_cognito_user_pool", "cognito-idp", "userpool/{}", "id", Other, random;
    "aws_appsync_graphql_api", "appsync", "apis/{}", "id", Other, random;
    "aws_ses_domain_identity", "ses", "identity/{}", "domain", Name;
    "aws_ses_email_identity", "ses", "identity/{}", "email", Name;
    "aws_vpc_endpoint", "ec2", "vpc-endpoint/{}", "id", Other, random;
    "aws_efs_file_system", "elasticfilesystem", "file-system/{}", "id", Other, random;
    "aws_batch_job_queue", "batch", "job-queue/{}", "name", Arn;
    "aws_mq_broker", "mq", "broker:{}", "broker_name", Other, random;
    "aws_s3_directory_bucket", "s3express", "bucket/{}", "bucket", Name;
    "aws_codecommit_repository", "codecommit", "{}", "repository_name", Other;
    "aws_timestreamwrite_database", "timestream", "database/{}", "database_name", Name;
}

/// The rule of a type.
pub(super) fn rule(of: &str) -> Option<&'static TypeRule> {
    RULES.iter().find(|rule| rule.of == of)
}
