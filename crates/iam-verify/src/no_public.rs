//! The check that a resource policy is not public: no stranger is allowed anything.
//!
//! A stranger is a user of an account the policy does not mention, calling from an address, network, organisation and
//! source the policy does not mention either. Follows the topics "The meaning of public" (Amazon S3 User Guide) and
//! "Custom policy checks" (IAM Access Analyzer). Asks about the actions that policies on the type of resource govern, and
//! about every action where no type is given.

mod resource_type;

use core::net::IpAddr;

use iam_evaluate::permission_set::Limits;
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator, SetQualifier};
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern, PrintStyle, Statement, print};
use iam_model::text::{Span, Spanned};

use crate::adds_nothing::{Verdict, check_documents};
use crate::outcome::Outcome;

pub use resource_type::{ResourceType, ResourceTypeError};

/// Accounts to choose the stranger's from.
const ACCOUNTS: [&str; 4] = ["444455556666", "777788889999", "555566667777", "888899990000"];

/// Private address ranges: nobody outside has these.
const PRIVATE: [&str; 6] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7"];

/// Whether the policy lets no stranger in: it is inside "everything but what a stranger asks".
///
/// ```
/// use iam_evaluate::permission_set::Limits;
/// use iam_model::policy::PolicyDocument;
/// use iam_verify::no_public::{ResourceType, check};
/// let nothing = PolicyDocument::new(vec![]);
/// assert!(check(&nothing, Some(ResourceType::S3Bucket), Limits::default()).outcome.is_proved());
/// assert!("AWS::EC2::Instance".parse::<ResourceType>().is_err());
/// ```
#[must_use]
pub fn check(policy: &PolicyDocument, resource_type: Option<ResourceType>, limits: Limits) -> Verdict {
    let mut stranger = stranger(policy, resource_type);
    stranger.effect = Effect::Deny;
    let mut everyone = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
    everyone.principal = Some(PrincipalElement::Principal(vec![Spanned::synthetic(PrincipalPattern::Everyone)]));
    let allowed = PolicyDocument { version: None, ..PolicyDocument::new(vec![everyone, stranger]) };
    let mut verdict = check_documents(&[allowed], std::slice::from_ref(policy), limits);
    match &mut verdict.outcome {
        Outcome::Proved { because } => *because = "no stranger is allowed anything".into(),
        Outcome::Refuted { because, .. } => *because = "a stranger is allowed a request".into(),
        Outcome::Undecided { .. } => {}
    }
    verdict
}

/// Everything a stranger could ask for.
fn stranger(policy: &PolicyDocument, resource_type: Option<ResourceType>) -> Statement {
    let text = print(policy, PrintStyle::Compact);
    let account = ACCOUNTS.into_iter().find(|a| !text.contains(a)).unwrap_or("444455556666");
    let user = format!("arn:aws:iam::{account}:user/stranger");
    let actions = resource_type.map_or_else(|| vec![ActionPattern::new("*")], ResourceType::actions);
    let mut statement = Statement::allow(actions, vec![ResourcePattern::everything()]);
    let principal = PrincipalPattern::Aws(user.clone());
    statement.principal = Some(PrincipalElement::Principal(vec![Spanned::synthetic(principal)]));
    statement.conditions = facts(account, &user, policy);
    statement
}

/// What is true of the stranger wherever the policy asks.
fn facts(account: &str, user: &str, policy: &PolicyDocument) -> Vec<Condition> {
    let own = format!("arn:aws:*:*:{account}:*");
    let equals = [
        ("aws:PrincipalArn", user),
        ("aws:PrincipalAccount", account),
        ("aws:SourceAccount", account),
        ("aws:SourceOwner", account),
        ("kms:CallerAccount", account),
        ("s3:DataAccessPointAccount", account),
        ("aws:PrincipalOrgID", "o-stranger000"),
        ("aws:SourceOrgID", "o-stranger000"),
        ("aws:SourceVpc", "vpc-0stranger"),
        ("aws:SourceVpce", "vpce-0stranger"),
        ("aws:userid", "AIDASTRANGER0000000"),
        ("aws:PrincipalType", "User"),
        ("aws:PrincipalIsAWSService", "false"),
        ("aws:ViaAWSService", "false"),
    ];
    let sources = vec![own.clone(), "arn:aws:s3:::stranger-*".into()];
    let paths = || vec!["o-stranger000/*".to_owned()];
    let all = Some(SetQualifier::ForAllValues);
    equals
        .into_iter()
        .map(|(key, value)| condition(Comparison::StringEquals, None, key, vec![value.into()]))
        .chain([
            condition(Comparison::StringLike, None, "aws:SourceArn", sources),
            condition(Comparison::StringLike, None, "s3:DataAccessPointArn", vec![own]),
            condition(Comparison::StringLike, all, "aws:PrincipalOrgPaths", paths()),
            condition(Comparison::StringLike, all, "aws:SourceOrgPaths", paths()),
            condition(Comparison::NotIpAddress, None, "aws:SourceIp", trusted_addresses(policy)),
        ])
        .collect()
}

fn condition(comparison: Comparison, set: Option<SetQualifier>, key: &str, values: Vec<String>) -> Condition {
    Condition {
        operator: Operator::Known { set, comparison, if_exists: true },
        key: ConditionKey::new(key),
        values: values.into_iter().map(Spanned::synthetic).collect(),
        span: Span::default(),
    }
}

/// Private ranges, and the blocks the policy names that are narrow enough to be somebody's own.
fn trusted_addresses(policy: &PolicyDocument) -> Vec<String> {
    let conditions = policy.statements.iter().flat_map(|s| &s.conditions);
    let named = conditions.filter(|c| c.key == ConditionKey::new("aws:SourceIp")).flat_map(|c| &c.values);
    let narrow = named.map(|v| v.value.clone()).filter(|v| is_narrow(v));
    PRIVATE.iter().map(|block| (*block).to_owned()).chain(narrow).collect()
}

fn is_narrow(block: &str) -> bool {
    let (address, length) = block.split_once('/').unwrap_or((block, "128"));
    match (address.parse::<IpAddr>(), length.parse::<u32>()) {
        (Ok(IpAddr::V4(_)), Ok(length)) => length >= 8,
        (Ok(IpAddr::V6(_)), Ok(length)) => length >= 32,
        _ => false,
    }
}
