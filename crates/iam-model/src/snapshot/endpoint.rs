//! VPC endpoints: which services they lead to, and the policy that every call through one has to pass.
//!
//! Follows the VPC topics "AWS services that integrate with AWS PrivateLink" and "Control access to VPC endpoints using
//! endpoint policies". Holds what the snapshot says; who calls through one is for the logs.

use crate::arn::Arn;
use crate::json::Value;
use crate::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern};
use crate::snapshot::{Resource, ResourceKind};

/// A VPC endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcEndpoint {
    /// Its id, `vpce-…`, as `aws:SourceVpce` has it.
    pub id: String,
    /// The service it leads to, such as `com.amazonaws.eu-west-1.s3`; empty where the snapshot does not say.
    pub service: String,
    /// The VPC it stands in.
    pub vpc: Option<String>,
    /// What it lets through; nothing where the snapshot does not say, as with endpoints of services that take no policy.
    pub policy: Option<PolicyDocument>,
}

/// Last parts of service names, and the prefixes of the actions that such an endpoint carries where they are others.
const LABELS: &[(&str, &[&str])] = &[
    ("aps-workspaces", &["aps"]),
    ("ecr.api", &["ecr"]),
    ("ecr.dkr", &["ecr"]),
    ("email-smtp", &["ses"]),
    ("git-codecommit", &["codecommit"]),
    ("kinesis-firehose", &["firehose"]),
    ("kinesis-streams", &["kinesis"]),
    ("monitoring", &["cloudwatch"]),
    ("s3", &["s3", "s3-object-lambda"]),
    ("s3-global.accesspoint", &["s3"]),
    ("sagemaker.api", &["sagemaker"]),
    ("sagemaker.runtime", &["sagemaker"]),
    ("sync-states", &["states"]),
];

/// Last parts of service names that are the prefix of the actions.
const SAME: &[&str] = &[
    "access-analyzer",
    "acm-pca",
    "airflow",
    "appconfig",
    "appconfigdata",
    "application-autoscaling",
    "appsync",
    "athena",
    "autoscaling",
    "backup",
    "batch",
    "bedrock",
    "cloudformation",
    "cloudtrail",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codedeploy",
    "codepipeline",
    "comprehend",
    "config",
    "databrew",
    "datasync",
    "dms",
    "dynamodb",
    "ebs",
    "ec2",
    "ec2messages",
    "ecr",
    "ecs",
    "eks",
    "elasticache",
    "elasticbeanstalk",
    "elasticfilesystem",
    "elasticloadbalancing",
    "elasticmapreduce",
    "events",
    "execute-api",
    "fsx",
    "glue",
    "guardduty",
    "imagebuilder",
    "inspector2",
    "iot",
    "kafka",
    "kms",
    "lambda",
    "logs",
    "macie2",
    "organizations",
    "pipes",
    "polly",
    "rds",
    "rds-data",
    "redshift",
    "redshift-data",
    "rekognition",
    "rolesanywhere",
    "rum",
    "s3express",
    "s3tables",
    "scheduler",
    "secretsmanager",
    "securityhub",
    "servicecatalog",
    "servicediscovery",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "states",
    "storagegateway",
    "sts",
    "synthetics",
    "textract",
    "transcribe",
    "transfer",
    "translate",
    "verifiedpermissions",
    "workspaces",
    "xray",
];

impl VpcEndpoint {
    /// Whether a policy is what AWS gives an endpoint that is made without one: everything, to everyone.
    #[must_use]
    pub fn is_default(policy: &PolicyDocument) -> bool {
        let [only] = policy.statements.as_slice() else { return false };
        let everyone = |principal: &PrincipalPattern| match principal {
            PrincipalPattern::Everyone => true,
            PrincipalPattern::Aws(text) => text == "*",
            _ => false,
        };
        let to_everyone = match &only.principal {
            Some(PrincipalElement::Principal(all)) => all.iter().all(|principal| everyone(&principal.value)),
            _ => false,
        };
        let any_action = only.action.patterns().iter().any(|pattern| pattern.value.as_str() == "*");
        let anywhere = only.resource.patterns().iter().any(|pattern| pattern.value.is_everything());
        let plain = only.conditions.is_empty() && only.unknown.is_empty() && policy.unknown.is_empty();
        only.effect == Effect::Allow && to_everyone && any_action && anywhere && plain
    }

    /// The prefixes of the actions that can be called through it; nothing where that is not known.
    ///
    /// ```
    /// use iam_model::snapshot::VpcEndpoint;
    /// let to = |service: &str| {
    ///     VpcEndpoint { id: "vpce-1".into(), service: service.into(), vpc: None, policy: None }.services()
    /// };
    /// assert_eq!(to("com.amazonaws.eu-west-1.dynamodb"), Some(vec!["dynamodb"]));
    /// assert_eq!(to("com.amazonaws.eu-west-1.ecr.dkr"), Some(vec!["ecr"]));
    /// assert_eq!(to("com.amazonaws.vpce.eu-west-1.vpce-svc-0123"), None);
    /// ```
    #[must_use]
    pub fn services(&self) -> Option<Vec<&'static str>> {
        let own = self.service.strip_prefix("cn.").unwrap_or(&self.service).strip_prefix("com.amazonaws.")?;
        // Behind `s3-global` stands no region.
        let label = if own.starts_with("s3-global.") { own } else { own.split_once('.')?.1 };
        let label = label.strip_suffix("-fips").unwrap_or(label);
        let same = || SAME.iter().find(|known| **known == label).map(|known| vec![*known]);
        let other = LABELS.iter().find(|(known, _)| *known == label).map(|(_, services)| services.to_vec());
        other.or_else(same)
    }
}

impl Resource {
    /// Whether a function surely runs outside of every VPC, so that none of its calls comes through an endpoint.
    #[must_use]
    pub fn is_outside_vpcs(&self) -> bool {
        // A description that says nothing else says nothing of this either.
        let described = member(&self.api, "FunctionName").is_some();
        let config = member(&self.api, "VpcConfig").unwrap_or(&Value::Null);
        let is_empty = |key: &str| match member(config, key) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(_) => false,
        };
        let outside = matches!(config, Value::Null | Value::Object(_)) && is_empty("VpcId") && is_empty("SubnetIds");
        self.kind == ResourceKind::LambdaFunction && described && outside
    }
}

fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    let Value::Object(members) = value else { return None };
    members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// The id of an endpoint, from its ARN.
pub(super) fn id_of(arn: &Arn) -> &str {
    arn.resource().strip_prefix("vpc-endpoint/").unwrap_or_default()
}
