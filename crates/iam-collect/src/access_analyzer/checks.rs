//! Access Analyzer's custom policy checks: the same questions that the prover answers, asked of AWS, for a price.
//!
//! Asks and reports; what a difference to our own answer means is said elsewhere.

use aws_config::SdkConfig;
use aws_sdk_accessanalyzer::Client;
use aws_sdk_accessanalyzer::types::{
    Access, AccessCheckPolicyType, AccessCheckResourceType, CheckAccessNotGrantedResult, CheckNoNewAccessResult,
    CheckNoPublicAccessResult, ReasonSummary,
};
use iam_model::action::ActionPattern;
use iam_model::change::{Attachment, AttachmentKind};
use iam_model::policy::{PolicyDocument, PrintStyle, print};

use super::Options;
use crate::connect::{block_on, load, reason};
use crate::error::CollectError;

/// What AWS charges for a check, in thousandths of a cent of a US dollar (0.002 dollars).
pub const PRICE: u64 = 200;
/// The most actions AWS takes in one question.
pub const MOST_ACTIONS: usize = 100;

/// A question about policies.
#[derive(Debug, Clone)]
pub enum Question {
    /// Does the new policy allow what the old one did not?
    NoNewAccess {
        /// Before.
        old: PolicyDocument,
        /// After.
        new: PolicyDocument,
        /// What kind of policy.
        kind: AttachmentKind,
    },
    /// Does the policy grant one of these?
    NotGranted {
        /// The policy.
        policy: PolicyDocument,
        /// What it must not grant; at most [`MOST_ACTIONS`].
        actions: Vec<ActionPattern>,
        /// What kind of policy.
        kind: AttachmentKind,
    },
    /// Does the policy let everyone in?
    NoPublic {
        /// The policy.
        policy: PolicyDocument,
        /// CloudFormation's name of the resource's type.
        resource_type: String,
    },
}

impl Question {
    /// The operation that answers it.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::NoNewAccess { .. } => "CheckNoNewAccess",
            Self::NotGranted { .. } => "CheckAccessNotGranted",
            Self::NoPublic { .. } => "CheckNoPublicAccess",
        }
    }
}

/// What AWS answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opinion {
    /// No.
    Pass,
    /// Yes, and why.
    Fail(Vec<String>),
    /// It could not be asked, or the answer is not one we know.
    None(String),
}

/// Asks Access Analyzer each question; an answer for each, in order.
///
/// # Errors
/// Without credentials or a region. A question that fails has [`Opinion::None`], so that the others are not lost.
pub fn opinions(options: &Options, questions: &[Question]) -> Result<Vec<Opinion>, CollectError> {
    block_on(async { Ok(opinions_with(&load(options).await?, questions).await) })?
}

pub(super) async fn opinions_with(config: &SdkConfig, questions: &[Question]) -> Vec<Opinion> {
    let client = Client::new(config);
    let mut opinions = Vec::with_capacity(questions.len());
    for question in questions {
        opinions.push(ask(&client, question).await.unwrap_or_else(Opinion::None));
    }
    opinions
}

/// CloudFormation's name of what a policy is attached to, where Access Analyzer knows whether such a policy is public.
#[must_use]
pub fn resource_type(attachment: &Attachment) -> Option<&'static str> {
    if attachment.kind == AttachmentKind::Trust {
        return Some("AWS::IAM::AssumeRolePolicyDocument");
    }
    if attachment.kind != AttachmentKind::Resource {
        return None;
    }
    let arn = attachment.resource_arn.as_ref()?;
    match (arn.service(), arn.resource()) {
        ("s3", _) => Some("AWS::S3::Bucket"),
        ("sqs", _) => Some("AWS::SQS::Queue"),
        ("sns", _) => Some("AWS::SNS::Topic"),
        ("lambda", _) => Some("AWS::Lambda::Function"),
        ("secretsmanager", _) => Some("AWS::SecretsManager::Secret"),
        ("kms", key) if key.starts_with("key/") => Some("AWS::KMS::Key"),
        ("dynamodb", table) if table.starts_with("table/") => Some("AWS::DynamoDB::Table"),
        _ => None,
    }
}

fn document(policy: &PolicyDocument) -> String {
    print(policy, PrintStyle::Compact)
}

/// Trust policies are policies on a resource, the role.
const fn policy_type(kind: AttachmentKind) -> AccessCheckPolicyType {
    match kind {
        AttachmentKind::Resource | AttachmentKind::Trust | AttachmentKind::VpcEndpoint => {
            AccessCheckPolicyType::ResourcePolicy
        }
        _ => AccessCheckPolicyType::IdentityPolicy,
    }
}

async fn ask(client: &Client, question: &Question) -> Result<Opinion, String> {
    match question {
        Question::NoNewAccess { old, new, kind } => {
            let request = client
                .check_no_new_access()
                .existing_policy_document(document(old))
                .new_policy_document(document(new))
                .policy_type(policy_type(*kind));
            let answer = request.send().await.map_err(|error| reason(&error))?;
            let passed = match answer.result() {
                Some(CheckNoNewAccessResult::Pass) => Some(true),
                Some(CheckNoNewAccessResult::Fail) => Some(false),
                _ => None,
            };
            Ok(opinion(passed, answer.message(), answer.reasons()))
        }
        Question::NotGranted { policy, actions, kind } => {
            let access = Access::builder().set_actions(Some(actions.iter().map(|a| a.as_str().to_owned()).collect()));
            let request = client
                .check_access_not_granted()
                .policy_document(document(policy))
                .access(access.build())
                .policy_type(policy_type(*kind));
            let answer = request.send().await.map_err(|error| reason(&error))?;
            let passed = match answer.result() {
                Some(CheckAccessNotGrantedResult::Pass) => Some(true),
                Some(CheckAccessNotGrantedResult::Fail) => Some(false),
                _ => None,
            };
            Ok(opinion(passed, answer.message(), answer.reasons()))
        }
        Question::NoPublic { policy, resource_type } => {
            let request = client
                .check_no_public_access()
                .policy_document(document(policy))
                .resource_type(AccessCheckResourceType::from(resource_type.as_str()));
            let answer = request.send().await.map_err(|error| reason(&error))?;
            let passed = match answer.result() {
                Some(CheckNoPublicAccessResult::Pass) => Some(true),
                Some(CheckNoPublicAccessResult::Fail) => Some(false),
                _ => None,
            };
            Ok(opinion(passed, answer.message(), answer.reasons()))
        }
    }
}

fn opinion(passed: Option<bool>, message: Option<&str>, reasons: &[ReasonSummary]) -> Opinion {
    match passed {
        Some(true) => Opinion::Pass,
        Some(false) => {
            let said = reasons.iter().filter_map(|reason| reason.description().map(ToOwned::to_owned));
            let mut said: Vec<String> = said.collect();
            if said.is_empty() {
                said.extend(message.map(ToOwned::to_owned));
            }
            Opinion::Fail(said)
        }
        None => Opinion::None(message.unwrap_or("an answer that is neither pass nor fail").to_owned()),
    }
}
