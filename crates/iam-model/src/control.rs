//! AWS Control Tower's preventive controls, told by the ids of the statements that Control Tower writes.
//!
//! From the AWS Control Tower Controls Reference Guide ("Mandatory controls", "Strongly recommended controls", "Elective
//! controls") as of 2025. Control Tower packs the controls of a unit into policies called `aws-guardrails-…` and owns them: a text
//! that somebody changed is drift. Evaluation knows nothing of this; a control denies what its statements deny.

use std::fmt;

use crate::policy::PolicyDocument;

/// How strongly AWS asks for a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guidance {
    /// Always on.
    Mandatory,
    /// AWS recommends it.
    StronglyRecommended,
    /// For those who want it.
    Elective,
}

impl Guidance {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mandatory => "mandatory",
            Self::StronglyRecommended => "strongly recommended",
            Self::Elective => "elective",
        }
    }
}

/// The id of a control, such as `AWS-GR_IAM_ROLE_CHANGE_PROHIBITED` or `CT.LAMBDA.PV.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControlId(Box<str>);

impl ControlId {
    /// An id as AWS writes it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as AWS writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ControlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A statement that Control Tower wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ControlStatement {
    /// Its index in the policy.
    pub statement: usize,
    /// Its id in the policy (`Sid`).
    pub sid: String,
    /// The controls it carries out; several share one text.
    pub ids: Vec<ControlId>,
    /// How strongly AWS asks for them, where that is known here.
    pub guidance: Option<Guidance>,
    /// What they do, where that is known here.
    pub title: Option<&'static str>,
}

use Guidance::{Elective, Mandatory, StronglyRecommended};

/// Statement id, controls, guidance, title.
const KNOWN: &[(&str, &[&str], Guidance, &str)] = &[
    (
        "GRAUDITBUCKETDELETIONPROHIBITED",
        &["AUDIT_BUCKET_DELETION_PROHIBITED"],
        Mandatory,
        "Disallow deletion of log archive",
    ),
    (
        "GRCLOUDTRAILENABLED",
        &[
            "CLOUDTRAIL_CHANGE_PROHIBITED",
            "CLOUDTRAIL_CLOUDWATCH_LOGS_ENABLED",
            "CLOUDTRAIL_ENABLED",
            "CLOUDTRAIL_VALIDATION_ENABLED",
        ],
        Mandatory,
        "Disallow configuration changes to CloudTrail",
    ),
    (
        "GRCLOUDWATCHEVENTPOLICY",
        &["CLOUDWATCH_EVENTS_CHANGE_PROHIBITED"],
        Mandatory,
        "Disallow changes to Amazon CloudWatch set up by AWS Control Tower",
    ),
    (
        "GRCONFIGAGGREGATIONAUTHORIZATIONPOLICY",
        &["CONFIG_AGGREGATION_AUTHORIZATION_POLICY"],
        Mandatory,
        "Disallow deletion of AWS Config aggregation authorizations created by AWS Control Tower",
    ),
    (
        "GRCONFIGENABLED",
        &["CONFIG_CHANGE_PROHIBITED", "CONFIG_ENABLED"],
        Mandatory,
        "Disallow configuration changes to AWS Config",
    ),
    (
        "GRCONFIGRULEPOLICY",
        &["CONFIG_RULE_CHANGE_PROHIBITED"],
        Mandatory,
        "Disallow changes to AWS Config rules set up by AWS Control Tower",
    ),
    (
        "GRCONFIGRULETAGSPOLICY",
        &["CONFIG_AGGREGATION_CHANGE_PROHIBITED"],
        Mandatory,
        "Disallow changes to tags created by AWS Control Tower for AWS Config resources",
    ),
    (
        "GRCTAUDITBUCKETENCRYPTIONCHANGESPROHIBITED",
        &["CT_AUDIT_BUCKET_ENCRYPTION_CHANGES_PROHIBITED"],
        Mandatory,
        "Disallow changes to encryption configuration for AWS Control Tower created S3 buckets in log archive",
    ),
    (
        "GRCTAUDITBUCKETLIFECYCLECONFIGURATIONCHANGESPROHIBITED",
        &["CT_AUDIT_BUCKET_LIFECYCLE_CONFIGURATION_CHANGES_PROHIBITED"],
        Mandatory,
        "Disallow changes to lifecycle configuration for AWS Control Tower created S3 buckets in log archive",
    ),
    (
        "GRCTAUDITBUCKETLOGGINGCONFIGURATIONCHANGESPROHIBITED",
        &["CT_AUDIT_BUCKET_LOGGING_CONFIGURATION_CHANGES_PROHIBITED"],
        Mandatory,
        "Disallow changes to logging configuration for AWS Control Tower created S3 buckets in log archive",
    ),
    (
        "GRCTAUDITBUCKETPOLICYCHANGESPROHIBITED",
        &["CT_AUDIT_BUCKET_POLICY_CHANGES_PROHIBITED"],
        Mandatory,
        "Disallow changes to bucket policy for AWS Control Tower created S3 buckets in log archive",
    ),
    (
        "GRIAMROLEPOLICY",
        &["IAM_ROLE_CHANGE_PROHIBITED"],
        Mandatory,
        "Disallow changes to AWS IAM roles set up by AWS Control Tower and AWS CloudFormation",
    ),
    (
        "GRLAMBDAFUNCTIONPOLICY",
        &["LAMBDA_CHANGE_PROHIBITED"],
        Mandatory,
        "Disallow changes to AWS Lambda functions set up by AWS Control Tower",
    ),
    (
        "GRLOGGROUPPOLICY",
        &["LOG_GROUP_POLICY"],
        Mandatory,
        "Disallow changes to Amazon CloudWatch Logs log groups set up by AWS Control Tower",
    ),
    (
        "GRSNSSUBSCRIPTIONPOLICY",
        &["SNS_SUBSCRIPTION_CHANGE_PROHIBITED"],
        Mandatory,
        "Disallow changes to Amazon SNS subscriptions set up by AWS Control Tower",
    ),
    (
        "GRSNSTOPICPOLICY",
        &["SNS_CHANGE_PROHIBITED"],
        Mandatory,
        "Disallow changes to Amazon SNS set up by AWS Control Tower",
    ),
    ("GRRESTRICTROOTUSER", &["RESTRICT_ROOT_USER"], StronglyRecommended, "Disallow actions as a root user"),
    (
        "GRRESTRICTROOTUSERACCESSKEYS",
        &["RESTRICT_ROOT_USER_ACCESS_KEYS"],
        StronglyRecommended,
        "Disallow creation of access keys for the root user",
    ),
    (
        "GRAUDITBUCKETENCRYPTIONENABLED",
        &["AUDIT_BUCKET_ENCRYPTION_ENABLED"],
        Elective,
        "Disallow changes to encryption configuration for Amazon S3 buckets",
    ),
    (
        "GRAUDITBUCKETLOGGINGENABLED",
        &["AUDIT_BUCKET_LOGGING_ENABLED"],
        Elective,
        "Disallow changes to logging configuration for Amazon S3 buckets",
    ),
    (
        "GRAUDITBUCKETPOLICYCHANGESPROHIBITED",
        &["AUDIT_BUCKET_POLICY_CHANGES_PROHIBITED"],
        Elective,
        "Disallow changes to bucket policy for Amazon S3 buckets",
    ),
    (
        "GRAUDITBUCKETRETENTIONPOLICY",
        &["AUDIT_BUCKET_RETENTION_POLICY"],
        Elective,
        "Disallow changes to lifecycle configuration for Amazon S3 buckets",
    ),
    (
        "GRDISALLOWCROSSREGIONNETWORKING",
        &["DISALLOW_CROSS_REGION_NETWORKING"],
        Elective,
        "Disallow cross-region networking for Amazon EC2, Amazon CloudFront, and AWS Global Accelerator",
    ),
    (
        "GRDISALLOWMODIFICATIONCFNREGISTRY",
        &["CT.CLOUDFORMATION.PR.1"],
        Elective,
        "Disallow management of resource types, modules, and hooks within the AWS CloudFormation registry",
    ),
    (
        "GRDISALLOWVPCINTERNETACCESS",
        &["DISALLOW_VPC_INTERNET_ACCESS"],
        Elective,
        "Disallow internet access for an Amazon VPC instance managed by a customer",
    ),
    (
        "GRDISALLOWVPNCONNECTIONS",
        &["DISALLOW_VPN_CONNECTIONS"],
        Elective,
        "Disallow Amazon Virtual Private Network (VPN) connections",
    ),
    (
        "GRREGIONDENY",
        &["REGION_DENY"],
        Elective,
        "Deny access to AWS based on the requested AWS Region for the landing zone",
    ),
    (
        "GRRESTRICTS3CROSSREGIONREPLICATION",
        &["RESTRICT_S3_CROSS_REGION_REPLICATION"],
        Elective,
        "Disallow changes to replication configuration for Amazon S3 buckets",
    ),
    (
        "GRRESTRICTS3DELETEWITHOUTMFA",
        &["RESTRICT_S3_DELETE_WITHOUT_MFA"],
        Elective,
        "Disallow delete actions on Amazon S3 buckets without MFA",
    ),
];

/// The statements of a policy that Control Tower wrote, by their ids.
///
/// ```
/// use iam_model::control::controls;
/// use iam_model::policy::parse;
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "GRIAMROLEPOLICY", "Effect": "Deny", "Action": "iam:*", "Resource": "*"}]}"#;
/// let (policy, _) = parse(&SourceText { name: SourceName::new("scp.json"), text: text.into() });
/// assert_eq!(controls(&policy)[0].ids[0].as_str(), "AWS-GR_IAM_ROLE_CHANGE_PROHIBITED");
/// ```
#[must_use]
pub fn controls(policy: &PolicyDocument) -> Vec<ControlStatement> {
    let told = policy.statements.iter().enumerate();
    told.filter_map(|(at, statement)| Some((at, statement.sid.as_deref()?)))
        .filter_map(|(at, sid)| control(at, sid))
        .collect()
}

/// Whether a policy has a name that Control Tower gives its own.
///
/// ```
/// assert!(iam_model::control::is_policy_of_control_tower("aws-guardrails-NllhqI"));
/// assert!(!iam_model::control::is_policy_of_control_tower("deny-regions"));
/// ```
#[must_use]
pub fn is_policy_of_control_tower(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|name| name.starts_with("aws-guardrails-"))
}

fn control(statement: usize, sid: &str) -> Option<ControlStatement> {
    let base = sid.trim_end_matches(|c: char| c.is_ascii_digit());
    let known = KNOWN.iter().find(|(name, ..)| *name == sid || *name == base);
    if let Some((_, ids, guidance, title)) = known {
        let id = |id: &&str| if id.contains('.') { (*id).into() } else { format!("AWS-GR_{id}").into() };
        let ids = ids.iter().map(|one| ControlId(id(one))).collect();
        return Some(ControlStatement {
            statement,
            sid: sid.to_owned(),
            ids,
            guidance: Some(*guidance),
            title: Some(title),
        });
    }
    let id = newer(sid)?;
    Some(ControlStatement {
        statement,
        sid: sid.to_owned(),
        ids: vec![ControlId(id.into())],
        guidance: None,
        title: None,
    })
}

/// A newer control's statements have its id without the points: `CTLAMBDAPV1`. Where one control has several statements, more
/// letters or digits may follow, which are not read.
fn newer(sid: &str) -> Option<String> {
    let (service, number) = sid.strip_prefix("CT")?.rsplit_once("PV")?;
    let is_word = !service.is_empty() && service.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let is_number = !number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
    (is_word && is_number).then(|| format!("CT.{service}.PV.{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse;
    use crate::text::{SourceName, SourceText};

    fn ids(sid: &str) -> Vec<String> {
        let text = format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*"}}, {{"Sid": "{sid}", "Effect": "Deny", "Action": "a:b", "Resource": "*"}}]}}"#
        );
        let (policy, _) = parse(&SourceText { name: SourceName::new("p.json"), text });
        let found = controls(&policy);
        assert!(found.iter().all(|one| one.statement == 1 && one.sid == sid), "{found:?}");
        found.iter().flat_map(|one| &one.ids).map(ToString::to_string).collect()
    }

    #[test]
    fn a_statement_is_told_by_its_id_alone() {
        for (sid, expected) in [
            ("GRIAMROLEPOLICY", &["AWS-GR_IAM_ROLE_CHANGE_PROHIBITED"][..]),
            ("GRCONFIGENABLED", &["AWS-GR_CONFIG_CHANGE_PROHIBITED", "AWS-GR_CONFIG_ENABLED"]),
            ("GRRESTRICTROOTUSER", &["AWS-GR_RESTRICT_ROOT_USER"]),
            ("GRRESTRICTROOTUSERACCESSKEYS", &["AWS-GR_RESTRICT_ROOT_USER_ACCESS_KEYS"]),
            ("GRREGIONDENY2", &["AWS-GR_REGION_DENY"]),
            ("GRDISALLOWMODIFICATIONCFNREGISTRY", &["CT.CLOUDFORMATION.PR.1"]),
            ("CTLAMBDAPV1", &["CT.LAMBDA.PV.1"]),
            ("CTMULTISERVICEPV12", &["CT.MULTISERVICE.PV.12"]),
            ("GRANTREADING", &[]),
            ("griamrolepolicy", &[]),
            ("CTPV1", &[]),
            ("CTxPV1", &[]),
            ("DenyRegions", &[]),
        ] {
            assert_eq!(ids(sid), expected, "{sid}");
        }
        assert!(KNOWN.windows(2).all(|pair| pair[0].0 != pair[1].0));
    }
}
