//! The calls a collection makes: one row each, with the action it needs and the file its answer is kept in.
//!
//! The one source of what is asked, of the policy that allows it and of the word for what was refused. Makes no call
//! and is part of every build.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::json::Value;

/// A call, by name. Where two services have one of the same name, the service is part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    ListRegions,
    GetAccountAuthorizationDetails,
    ListAccessKeys,
    GetLoginProfile,
    LastAccessed,
    ListFunctions,
    GetFunctionPolicy,
    GetFunctionUrlConfig,
    ListFunctionTags,
    ListEventSourceMappings,
    ListEventInvokeConfigs,
    ListAliases,
    GetAliasPolicy,
    GetAliasUrlConfig,
    ListBuckets,
    GetBucketPolicy,
    GetPublicAccessBlock,
    GetBucketNotification,
    ListQueues,
    GetQueueAttributes,
    ListTopics,
    GetTopicAttributes,
    ListSubscriptions,
    ListKeys,
    GetKeyPolicy,
    ListGrants,
    ListTables,
    DescribeTable,
    GetTablePolicy,
    ListSecrets,
    GetSecretPolicy,
    DescribeRepositories,
    GetRepositoryPolicy,
    ListEventBuses,
    ListRules,
    ListTargets,
    GetRestApis,
    GetApiResources,
    DescribeTrails,
    GetEventSelectors,
    GetTrailStatus,
    DescribeStacks,
    ListStackResources,
    ListAnalyzers,
    ListFindings,
    GetFinding,
    GetFindingRecommendation,
    ListPolicyGenerations,
    GetGeneratedPolicy,
}

/// Calls that are made only where asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Which regions the account has switched on.
    Regions,
    /// AWS's record of last uses.
    LastAccessed,
    /// What Access Analyzer found, recommends and generated.
    AccessAnalyzer,
}

/// How often a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Once for an account.
    Account,
    /// Once for each region.
    Region,
}

/// What the file of an answer about one thing is named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// What is asked about.
    Whole,
    /// What stands behind the last of these.
    Behind(char),
    /// Another member of the thing's description.
    By(&'static str),
    /// What stands behind this mark in that member of the description.
    After(&'static str, &'static str),
    /// The name in a secret's ARN; the word before it keeps it apart from tables.
    Secret,
}

/// Where a thing is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// Where it was listed.
    Same,
    /// In the region of its ARN.
    OfArn,
    /// In the region that this member of its description names; its file stands outside the regions' folders.
    By(&'static str),
}

/// The things that a call asks about, one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About {
    /// Whose answers name them.
    pub(crate) of: Operation,
    /// Where they stand in such an answer.
    pub(crate) list: &'static str,
    /// What each is called by, one member or two; empty where the entry is the name.
    pub(crate) id: &'static str,
    pub(crate) named: Named,
    pub(crate) home: Home,
    /// Only things of which this member says this.
    pub(crate) only: Option<(&'static str, &'static str)>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "aws"),
    expect(dead_code, reason = "without clients nothing is called, but its needs are told")
)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// Service and operation, such as `lambda:ListFunctions`.
    pub(crate) api: &'static str,
    /// The actions that allow it.
    pub(crate) actions: &'static [&'static str],
    /// On what.
    pub(crate) resource: &'static str,
    /// The command of the AWS CLI that prints such an answer.
    pub(crate) file: &'static str,
    pub(crate) scope: Scope,
    pub(crate) about: Option<About>,
    /// Made only where this was asked for.
    pub(crate) part: Option<Part>,
}

impl Call {
    const fn new(
        operation: Operation,
        api: &'static str,
        actions: &'static [&'static str],
        file: &'static str,
    ) -> Self {
        Self { operation, api, actions, resource: "*", file, scope: Scope::Region, about: None, part: None }
    }

    const fn once(self) -> Self {
        Self { scope: Scope::Account, ..self }
    }

    const fn on(self, resource: &'static str) -> Self {
        Self { resource, ..self }
    }

    const fn part(self, part: Part) -> Self {
        Self { part: Some(part), ..self }
    }

    const fn only(self, member: &'static str, says: &'static str) -> Self {
        match self.about {
            Some(about) => Self { about: Some(About { only: Some((member, says)), ..about }), ..self },
            None => self,
        }
    }

    const fn about(self, of: Operation, list: &'static str, id: &'static str, named: Named) -> Self {
        Self { about: Some(About { of, list, id, named, home: Home::Same, only: None }), ..self }
    }

    const fn at(self, home: Home) -> Self {
        match self.about {
            Some(about) => Self { about: Some(About { home, ..about }), ..self },
            None => self,
        }
    }

    #[cfg(feature = "aws")]
    /// The operation's name, such as `ListFunctions`.
    pub(crate) fn name(&self) -> &'static str {
        self.api.split_once(':').map_or(self.api, |(_, name)| name)
    }
}

macro_rules! call {
    ($operation:ident, $api:literal, $file:literal) => {
        Call::new(Operation::$operation, $api, &[$api], $file)
    };
    ($operation:ident, $api:literal, $file:literal, needs $($action:literal),+) => {
        Call::new(Operation::$operation, $api, &[$($action),+], $file)
    };
}

/// Every call about an account, in the order of the documentation.
pub(crate) const CALLS: &[Call] = &[
    call!(ListRegions, "account:ListRegions", "list-regions").once().part(Part::Regions),
    call!(GetAccountAuthorizationDetails, "iam:GetAccountAuthorizationDetails", "account-authorization-details").once(),
    call!(ListAccessKeys, "iam:ListAccessKeys", "list-access-keys").once().about(
        Operation::GetAccountAuthorizationDetails,
        "UserDetailList",
        "UserName",
        Named::Whole,
    ),
    call!(GetLoginProfile, "iam:GetLoginProfile", "get-login-profile").once().about(
        Operation::GetAccountAuthorizationDetails,
        "UserDetailList",
        "UserName",
        Named::Whole,
    ),
    call!(LastAccessed, "iam:GetServiceLastAccessedDetails", "get-service-last-accessed-details",
        needs "iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails")
    .once()
    .part(Part::LastAccessed)
    .about(Operation::GetAccountAuthorizationDetails, "RoleDetailList", "Arn", Named::By("RoleName")),
    call!(ListFunctions, "lambda:ListFunctions", "list-functions"),
    call!(GetFunctionPolicy, "lambda:GetPolicy", "get-policy").about(
        Operation::ListFunctions,
        "Functions",
        "FunctionArn",
        Named::By("FunctionName"),
    ),
    call!(GetFunctionUrlConfig, "lambda:GetFunctionUrlConfig", "get-function-url-config").about(
        Operation::ListFunctions,
        "Functions",
        "FunctionArn",
        Named::By("FunctionName"),
    ),
    call!(ListFunctionTags, "lambda:ListTags", "list-tags").about(
        Operation::ListFunctions,
        "Functions",
        "FunctionArn",
        Named::By("FunctionName"),
    ),
    call!(ListEventSourceMappings, "lambda:ListEventSourceMappings", "list-event-source-mappings"),
    call!(
        ListEventInvokeConfigs,
        "lambda:ListFunctionEventInvokeConfigs",
        "list-function-event-invoke-configs"
    )
    .about(Operation::ListFunctions, "Functions", "FunctionName", Named::By("FunctionName")),
    call!(ListAliases, "lambda:ListAliases", "list-aliases").about(
        Operation::ListFunctions,
        "Functions",
        "FunctionName",
        Named::By("FunctionName"),
    ),
    call!(GetAliasPolicy, "lambda:GetPolicy", "get-policy").about(
        Operation::ListAliases,
        "Aliases",
        "AliasArn",
        Named::After("AliasArn", ":function:"),
    ),
    call!(GetAliasUrlConfig, "lambda:GetFunctionUrlConfig", "get-function-url-config").about(
        Operation::ListAliases,
        "Aliases",
        "AliasArn",
        Named::After("AliasArn", ":function:"),
    ),
    call!(DescribeTrails, "cloudtrail:DescribeTrails", "describe-trails"),
    call!(GetEventSelectors, "cloudtrail:GetEventSelectors", "get-event-selectors")
        .about(Operation::DescribeTrails, "trailList", "TrailARN", Named::By("Name"))
        .at(Home::OfArn),
    call!(GetTrailStatus, "cloudtrail:GetTrailStatus", "get-trail-status")
        .about(Operation::DescribeTrails, "trailList", "TrailARN", Named::By("Name"))
        .at(Home::OfArn),
    call!(DescribeStacks, "cloudformation:DescribeStacks", "describe-stacks"),
    call!(ListStackResources, "cloudformation:ListStackResources", "describe-stack-resources").about(
        Operation::DescribeStacks,
        "Stacks",
        "StackId",
        Named::By("StackName"),
    ),
    call!(ListBuckets, "s3:ListBuckets", "list-buckets", needs "s3:ListAllMyBuckets").once(),
    call!(GetBucketPolicy, "s3:GetBucketPolicy", "get-bucket-policy")
        .once()
        .about(Operation::ListBuckets, "Buckets", "Name", Named::Whole)
        .at(Home::By("BucketRegion")),
    call!(GetPublicAccessBlock, "s3:GetPublicAccessBlock", "get-public-access-block", needs "s3:GetBucketPublicAccessBlock")
        .once()
        .about(Operation::ListBuckets, "Buckets", "Name", Named::Whole)
        .at(Home::By("BucketRegion")),
    call!(GetBucketNotification, "s3:GetBucketNotificationConfiguration", "get-bucket-notification-configuration",
        needs "s3:GetBucketNotification")
    .once()
    .about(Operation::ListBuckets, "Buckets", "Name", Named::Whole)
    .at(Home::By("BucketRegion")),
    call!(ListTables, "dynamodb:ListTables", "list-tables"),
    call!(DescribeTable, "dynamodb:DescribeTable", "describe-table").about(
        Operation::ListTables,
        "TableNames",
        "",
        Named::Whole,
    ),
    call!(GetTablePolicy, "dynamodb:GetResourcePolicy", "get-resource-policy").about(
        Operation::DescribeTable,
        "Table",
        "TableArn",
        Named::By("TableName"),
    ),
    call!(ListQueues, "sqs:ListQueues", "list-queues"),
    call!(GetQueueAttributes, "sqs:GetQueueAttributes", "get-queue-attributes").about(
        Operation::ListQueues,
        "QueueUrls",
        "",
        Named::Behind('/'),
    ),
    call!(ListTopics, "sns:ListTopics", "list-topics"),
    call!(GetTopicAttributes, "sns:GetTopicAttributes", "get-topic-attributes").about(
        Operation::ListTopics,
        "Topics",
        "TopicArn",
        Named::Behind(':'),
    ),
    call!(ListSubscriptions, "sns:ListSubscriptions", "list-subscriptions"),
    call!(ListKeys, "kms:ListKeys", "list-keys"),
    call!(GetKeyPolicy, "kms:GetKeyPolicy", "get-key-policy").about(
        Operation::ListKeys,
        "Keys",
        "KeyId",
        Named::Whole,
    ),
    call!(ListGrants, "kms:ListGrants", "list-grants").about(Operation::ListKeys, "Keys", "KeyId", Named::Whole),
    call!(ListSecrets, "secretsmanager:ListSecrets", "list-secrets"),
    call!(GetSecretPolicy, "secretsmanager:GetResourcePolicy", "get-resource-policy").about(
        Operation::ListSecrets,
        "SecretList",
        "ARN",
        Named::Secret,
    ),
    call!(DescribeRepositories, "ecr:DescribeRepositories", "describe-repositories"),
    call!(GetRepositoryPolicy, "ecr:GetRepositoryPolicy", "get-repository-policy").about(
        Operation::DescribeRepositories,
        "repositories",
        "repositoryName",
        Named::Whole,
    ),
    call!(ListEventBuses, "events:ListEventBuses", "list-event-buses"),
    call!(ListRules, "events:ListRules", "list-rules").about(
        Operation::ListEventBuses,
        "EventBuses",
        "Name",
        Named::Whole,
    ),
    call!(ListTargets, "events:ListTargetsByRule", "list-targets-by-rule").about(
        Operation::ListRules,
        "Rules",
        "EventBusName Name",
        Named::After("Arn", ":rule/"),
    ),
    call!(GetRestApis, "apigateway:GetRestApis", "get-rest-apis", needs "apigateway:GET")
        .on("arn:*:apigateway:*::/restapis"),
    call!(GetApiResources, "apigateway:GetResources", "get-resources", needs "apigateway:GET")
        .on("arn:*:apigateway:*::/restapis/*/resources")
        .about(Operation::GetRestApis, "items", "id", Named::Whole),
    call!(ListAnalyzers, "access-analyzer:ListAnalyzers", "list-analyzers").part(Part::AccessAnalyzer),
    call!(ListFindings, "access-analyzer:ListFindingsV2", "list-findings-v2", needs "access-analyzer:ListFindings")
        .part(Part::AccessAnalyzer)
        .about(Operation::ListAnalyzers, "analyzers", "arn", Named::By("name")),
    call!(GetFinding, "access-analyzer:GetFindingV2", "get-finding-v2", needs "access-analyzer:GetFinding")
        .part(Part::AccessAnalyzer)
        .about(Operation::ListFindings, "findings", "analyzerArn id", Named::By("id"))
        .only("status", "ACTIVE"),
    call!(GetFindingRecommendation, "access-analyzer:GetFindingRecommendation", "get-finding-recommendation",
        needs "access-analyzer:GenerateFindingRecommendation", "access-analyzer:GetFindingRecommendation")
    .part(Part::AccessAnalyzer)
    .about(Operation::ListFindings, "findings", "analyzerArn id", Named::By("id"))
    .only("findingType", "UnusedPermission"),
    call!(ListPolicyGenerations, "access-analyzer:ListPolicyGenerations", "list-policy-generations")
        .part(Part::AccessAnalyzer),
    call!(GetGeneratedPolicy, "access-analyzer:GetGeneratedPolicy", "get-generated-policy")
        .part(Part::AccessAnalyzer)
        .about(Operation::ListPolicyGenerations, "policyGenerations", "jobId", Named::Whole)
        .only("status", "SUCCEEDED"),
];

/// Answers that are kept in a bundle for other readers than that of the snapshot.
pub(crate) const BESIDE: [&str; 4] =
    ["list-regions", "list-policy-generations", "get-generated-policy", "get-recommended-policy-v2"];

/// What the tree of an organisation is read with, from its management account or a delegated one.
pub(crate) const ORGANIZATION: [&str; 7] = [
    "organizations:DescribeOrganization",
    "organizations:DescribePolicy",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListPolicies",
    "organizations:ListRoots",
    "organizations:ListTargetsForPolicy",
];

/// The actions that allow the call of this answer, for whoever was refused it.
pub(crate) fn actions_of(file: &str, why: &str) -> Vec<&'static str> {
    let of_file = || CALLS.iter().filter(|call| call.file == file);
    // Two services have a call of one name; AWS's message mostly names the action.
    let named: Vec<&Call> = of_file().filter(|call| call.actions.iter().any(|action| why.contains(action))).collect();
    let calls = if named.is_empty() { of_file().collect() } else { named };
    let mut actions: Vec<&str> = calls.into_iter().flat_map(|call| call.actions.iter().copied()).collect();
    actions.dedup();
    actions
}

/// What a collection will do, as far as its permissions depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every region that an account has switched on is asked.
    pub all_regions: bool,
    /// AWS's record of last uses is fetched.
    pub last_accessed: bool,
    /// What Access Analyzer found, recommends and generated is fetched.
    pub access_analyzer: bool,
    /// Policies are generated for roles by Access Analyzer; with the role that it reads the logs with.
    pub generate_with: Option<String>,
    /// The name of the role assumed in other accounts, where others are collected.
    pub role_name: Option<String>,
    /// Buckets and prefixes whose logs are read, as `bucket/prefix`.
    pub logs: Vec<String>,
    /// Events are looked up in the last days' history.
    pub lookup: bool,
}

/// The policy that allows exactly the calls of a collection, as JSON.
#[must_use]
pub fn needed_policy(plan: &Plan) -> String {
    let mut by_resource: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut add = |resource: String, actions: &[&'static str]| by_resource.entry(resource).or_default().extend(actions);
    let planned = |call: &&Call| match call.part {
        None => true,
        Some(Part::Regions) => plan.all_regions,
        Some(Part::LastAccessed) => plan.last_accessed,
        Some(Part::AccessAnalyzer) => plan.access_analyzer,
    };
    for call in CALLS.iter().filter(planned) {
        add(call.resource.to_owned(), call.actions);
    }
    if let Some(role) = &plan.generate_with {
        const GENERATE: [&str; 3] = [
            "access-analyzer:GetGeneratedPolicy",
            "access-analyzer:ListPolicyGenerations",
            "access-analyzer:StartPolicyGeneration",
        ];
        add("*".into(), &GENERATE);
        add(role.clone(), &["iam:PassRole"]);
    }
    add("*".into(), &ORGANIZATION);
    if plan.lookup {
        add("*".into(), &["cloudtrail:LookupEvents"]);
    }
    if let Some(name) = &plan.role_name {
        add(format!("arn:*:iam::*:role/{name}"), &["sts:AssumeRole"]);
    }
    for logs in &plan.logs {
        let (bucket, prefix) = logs.split_once('/').unwrap_or((logs, ""));
        add(format!("arn:*:s3:::{bucket}"), &["s3:ListBucket"]);
        add(format!("arn:*:s3:::{bucket}/{prefix}*"), &["s3:GetObject"]);
    }
    policy_of(by_resource)
}

/// A policy that allows these actions on these resources, as JSON.
pub(crate) fn policy_of(by_resource: BTreeMap<String, BTreeSet<&str>>) -> String {
    let text = |text: &str| Value::text(text);
    let statements = by_resource.into_iter().map(|(resource, actions)| {
        Value::Object(vec![
            ("Effect".into(), text("Allow")),
            ("Action".into(), Value::Array(actions.into_iter().map(text).collect())),
            ("Resource".into(), text(&resource)),
        ])
    });
    let policy = Value::Object(vec![
        ("Version".into(), text("2012-10-17")),
        ("Statement".into(), Value::Array(statements.collect())),
    ]);
    policy.to_pretty()
}

#[cfg(test)]
mod tests;
