//! What accounts look like: `paring-snapshot/1`, read into typed values, and an index over them.
//!
//! The reader takes the text of one snapshot; opening files and assembling bundles is collecting. Parts that cannot
//! be read become diagnostics and, where they could grant or deny, unknown policies.

pub mod analyzer;
mod endpoint;
mod environment;
mod index;
mod read;
mod tags;
pub mod trails;

pub use endpoint::VpcEndpoint;
pub use environment::{EnvironmentVariable, environment};
pub use index::{AttachedPolicy, PolicyOrigin, SnapshotIndex};
pub use read::{SnapshotError, read};
pub use tags::tags;

use std::collections::BTreeMap;

use crate::arn::{AccountId, Arn};
use crate::json::Value;
use crate::policy::PolicyDocument;
use crate::text::SourceText;
use crate::time::Timestamp;
use crate::usage::AccountCoverage;

/// The schema name of the snapshot file.
pub const SCHEMA: &str = "paring-snapshot/1";

/// Accounts, and the organisation around them.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The accounts, by id.
    pub accounts: BTreeMap<AccountId, Account>,
    /// The organisation, if there is one.
    pub organization: Option<Organization>,
    /// The text it was read from, so that a policy's span can be shown; absent for snapshots made in memory.
    pub source: Option<SourceText>,
}

/// One account.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// IAM users.
    pub users: Vec<User>,
    /// IAM groups.
    pub groups: Vec<Group>,
    /// IAM roles.
    pub roles: Vec<Role>,
    /// Managed policies, AWS's and the customer's, by ARN.
    pub managed_policies: BTreeMap<Arn, ManagedPolicy>,
    /// Compute and data, of known and unknown kinds.
    pub resources: Vec<Resource>,
    /// Resource policies by the resource's ARN.
    pub resource_policies: BTreeMap<Arn, PolicyDocument>,
    /// Tags by the ARN of what carries them, whether or not it stands among the resources; what is missing here may carry
    /// some all the same.
    pub tags: BTreeMap<Arn, BTreeMap<String, String>>,
    /// What the VPC endpoints among the resources let through, by ARN.
    pub vpc_endpoints: BTreeMap<Arn, VpcEndpoint>,
    /// What the account's trails record; absent where the snapshot does not say.
    pub trails: Option<AccountCoverage>,
    /// Number of access keys per user.
    pub access_keys: BTreeMap<String, u64>,
    /// Users with a console password.
    pub login_profiles: Vec<String>,
    /// What IAM Access Analyzer found; absent where nobody asked.
    pub access_analyzer: Option<analyzer::AccessAnalyzer>,
}

/// A policy that is written into a principal.
#[derive(Debug, Clone)]
pub struct InlinePolicy {
    /// Its name.
    pub name: String,
    /// Its document.
    pub document: PolicyDocument,
}

/// What users, groups and roles have in common.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The ARN, with its path.
    pub arn: Arn,
    /// The name.
    pub name: String,
    /// The unique id (`AROA…`, `AIDA…`), where known.
    pub unique_id: Option<String>,
    /// Inline policies, in the order given.
    pub inline_policies: Vec<InlinePolicy>,
    /// ARNs of attached managed policies, in the order given.
    pub attached_policies: Vec<Arn>,
    /// The permissions boundary's ARN.
    pub boundary: Option<Arn>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An IAM user.
#[derive(Debug, Clone)]
pub struct User {
    /// Name, policies, boundary, tags.
    pub identity: Identity,
    /// Names of the groups the user is in.
    pub groups: Vec<String>,
}

/// An IAM group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Name and policies.
    pub identity: Identity,
}

/// An IAM role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Name, policies, boundary, tags.
    pub identity: Identity,
    /// Who may assume it.
    pub trust: PolicyDocument,
    /// ARNs of instance profiles that hold it.
    pub instance_profiles: Vec<String>,
    /// Seconds a session may last, where given.
    pub max_session_seconds: Option<u64>,
    /// When it was made, and last used.
    pub life: RoleLife,
}

/// When a role was made and last used, by AWS's own record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleLife {
    /// When it was made, where given.
    pub created: Option<Timestamp>,
    /// Its last use of any kind, where given, and the region; empty where that is not said.
    pub last_used: Option<(Timestamp, String)>,
}

impl Role {
    /// Whether AWS owns the role: its policies can be changed by nobody.
    #[must_use]
    pub fn is_service_linked(&self) -> bool {
        self.identity.arn.resource().starts_with("role/aws-service-role/")
    }

    /// Whether AWS owns the role, for one of its services or for those who sign in through IAM Identity Center.
    #[must_use]
    pub fn is_owned_by_aws(&self) -> bool {
        self.is_service_linked() || self.identity.arn.resource().starts_with("role/aws-reserved/")
    }
}

/// A managed policy, in its default version.
#[derive(Debug, Clone)]
pub struct ManagedPolicy {
    /// Its name.
    pub name: String,
    /// The default version's document.
    pub document: PolicyDocument,
    /// The other versions' documents: whoever may set the default version chooses among them.
    pub other_versions: Vec<PolicyDocument>,
    /// How many principals it is attached to or bounds, by AWS's own count; absent where the snapshot does not say.
    pub holders: Option<u64>,
}

/// A resource of an account.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The kind, such as `lambda.function`; kinds nobody knows are kept and reported.
    pub kind: ResourceKind,
    /// Its ARN.
    pub arn: Arn,
    /// The role it runs as.
    pub role: Option<Arn>,
    /// The service's own description of it.
    pub api: Value,
}

impl Resource {
    /// The ARN, without version or alias, of the function that this sets something of; nothing for all other resources.
    fn set_function(&self) -> Option<String> {
        let sets = matches!(self.kind, ResourceKind::LambdaEventInvokeConfig | ResourceKind::LambdaEventSourceMapping);
        let named = || self.api.get("FunctionArn").and_then(Value::as_str).unwrap_or(self.arn.as_str());
        sets.then(|| named().splitn(8, ':').take(7).collect::<Vec<_>>().join(":"))
    }
}

macro_rules! resource_kinds {
    ($($name:ident => $text:literal,)*) => {
        /// Kinds of resources a snapshot may hold.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is the kind of the same name in the snapshot format")]
        pub enum ResourceKind {
            $($name,)*
            /// Any other word: kept, and reported.
            Unknown(String),
        }

        impl ResourceKind {
            /// The word as written in snapshots.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self { $(Self::$name => $text,)* Self::Unknown(text) => text }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(text: &str) -> Self {
                match text { $($text => Self::$name,)* _ => Self::Unknown(text.into()) }
            }
        }
    };
}

resource_kinds! {
    LambdaFunction => "lambda.function",
    LambdaEventInvokeConfig => "lambda.event_invoke_config",
    LambdaEventSourceMapping => "lambda.event_source_mapping",
    S3Bucket => "s3.bucket",
    DynamodbTable => "dynamodb.table",
    CognitoUserPool => "cognito.user_pool",
    SqsQueue => "sqs.queue",
    SnsTopic => "sns.topic",
    EventsRule => "events.rule",
    Apigatewayv2Api => "apigatewayv2.api",
    KmsKey => "kms.key",
    SecretsmanagerSecret => "secretsmanager.secret",
    Ec2Instance => "ec2.instance",
    Ec2LaunchTemplate => "ec2.launch_template",
    Ec2VpcEndpoint => "ec2.vpc_endpoint",
    CloudformationStack => "cloudformation.stack",
    CloudformationStackset => "cloudformation.stackset",
    GlueJob => "glue.job",
    GlueDevEndpoint => "glue.dev_endpoint",
    CodebuildProject => "codebuild.project",
    EcsCluster => "ecs.cluster",
    EcsTaskDefinition => "ecs.task_definition",
    EcsService => "ecs.service",
    BedrockAgentRuntime => "bedrock.agent_runtime",
    BedrockBrowser => "bedrock.browser",
    BedrockCodeInterpreter => "bedrock.code_interpreter",
    StepfunctionsStateMachine => "stepfunctions.state_machine",
    ApprunnerService => "apprunner.service",
    SagemakerNotebookInstance => "sagemaker.notebook_instance",
    EcrRepository => "ecr.repository",
    EventsEventBus => "events.event_bus",
    ApigatewayRestApi => "apigateway.rest_api",
}

/// The organisation the accounts belong to.
#[derive(Debug, Clone)]
pub struct Organization {
    /// `o-…`
    pub id: String,
    /// The management account, which service control policies do not bind.
    pub management_account: Option<AccountId>,
    /// Guardrails per account.
    pub accounts: BTreeMap<AccountId, AccountGuardrails>,
}

/// Guardrails above one account: one list per level, root first, the account itself last.
#[derive(Debug, Clone, Default)]
pub struct AccountGuardrails {
    /// Service control policies.
    pub scps: Vec<Vec<PolicyDocument>>,
    /// Resource control policies.
    pub rcps: Vec<Vec<PolicyDocument>>,
}
