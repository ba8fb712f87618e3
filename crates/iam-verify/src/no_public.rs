//! The check that a resource policy is not public: no stranger is allowed anything.
//!
//! A stranger is a user of an account the policy does not mention, of whom no fixed value that the policy compares an
//! identity, address, network, organisation or source with is true. Follows the topics "The meaning of public" (Amazon S3 User Guide) and
//! "Custom policy checks" (IAM Access Analyzer). Asks about the actions that policies on the type of resource govern, and
//! about every action where no type is given.

mod resource_type;

use core::net::IpAddr;
use std::collections::BTreeSet;

use iam_evaluate::permission_set::Limits;
use iam_model::action::ActionPattern;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator, SetQualifier};
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern, PrintStyle, Statement, print};
use iam_model::text::{Span, Spanned};

use crate::adds_nothing::{Verdict, check_documents};
use crate::outcome::Outcome;

pub use resource_type::{ResourceType, ResourceTypeError};

/// Accounts to choose the stranger's from.
const ACCOUNTS: [&str; 4] = ["444455556666", "777788889999", "555566667777", "888899990000"];

/// The API that stands for the one a policy is on, whose own paths `execute-api:/…` means.
const API: &str = "arn:aws:execute-api:us-east-1:111122223333:this-api";

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
pub fn check(policy: &PolicyDocument, resource_type: Option<ResourceType>, limits: Limits<'_>) -> Verdict {
    judge(policy, resource_type, limits, None)
}

/// The same; a counterexample stands in names that the catalogue knows.
#[must_use]
pub fn check_in_known_names(
    policy: &PolicyDocument,
    resource_type: Option<ResourceType>,
    limits: Limits<'_>,
    catalog: &Catalog,
) -> Verdict {
    judge(policy, resource_type, limits, Some(catalog))
}

fn judge(
    policy: &PolicyDocument,
    resource_type: Option<ResourceType>,
    limits: Limits<'_>,
    catalog: Option<&Catalog>,
) -> Verdict {
    let api = API.parse::<Arn>().ok();
    let on_api = api.as_ref().map(|api| policy.for_resource(api));
    let policy = std::slice::from_ref(on_api.as_deref().unwrap_or(policy));
    let allowed = [all_but_a_stranger(policy, resource_type)];
    let verdict = check_documents(&allowed, policy, limits);
    let mut verdict = match catalog {
        Some(catalog) => verdict.in_known_names(&allowed, policy, catalog),
        None => verdict,
    };
    match &mut verdict.outcome {
        Outcome::Proved { because } => *because = "no stranger is allowed anything".into(),
        Outcome::Refuted { because, .. } => *because = "a stranger is allowed a request".into(),
        Outcome::Undecided { .. } => {}
    }
    verdict
}

fn all_but_a_stranger(policy: &[PolicyDocument], resource_type: Option<ResourceType>) -> PolicyDocument {
    let mut everyone = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
    everyone.principal = Some(PrincipalElement::Principal(vec![Spanned::synthetic(PrincipalPattern::Everyone)]));
    let strangers = policy.iter().map(|policy| Statement { effect: Effect::Deny, ..stranger(policy, resource_type) });
    let statements = std::iter::once(everyone).chain(strangers).collect();
    PolicyDocument { version: None, ..PolicyDocument::new(statements) }
}

/// Everything a stranger could ask for.
fn stranger(policy: &PolicyDocument, resource_type: Option<ResourceType>) -> Statement {
    let text = print(policy, PrintStyle::Compact);
    let account = ACCOUNTS.into_iter().find(|a| !text.contains(a)).unwrap_or("444455556666");
    let user = format!("arn:aws:iam::{account}:user/stranger");
    let actions = resource_type.map_or_else(|| vec![ActionPattern::new("*")], ResourceType::actions);
    let mut statement = Statement::allow(actions, vec![ResourcePattern::everything()]);
    let principal = PrincipalPattern::Aws(user);
    statement.principal = Some(PrincipalElement::Principal(vec![Spanned::synthetic(principal)]));
    statement.conditions = facts(policy);
    statement
}

/// Keys whose fixed values are somebody's own: whoever is not named by one has another.
const OWN: [&str; 14] = [
    "aws:PrincipalAccount",
    "aws:SourceAccount",
    "aws:SourceOwner",
    "aws:VpceAccount",
    "kms:CallerAccount",
    "s3:DataAccessPointAccount",
    "aws:PrincipalOrgID",
    "aws:SourceOrgID",
    "aws:VpceOrgID",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:userid",
    "aws:SourceIdentity",
    "aws:PrincipalServiceName",
];

/// Keys whose values are ARNs: an account in one is somebody's own.
const ARNS: [&str; 4] = ["aws:PrincipalArn", "aws:SourceArn", "aws:SourceVpcArn", "s3:DataAccessPointArn"];

/// Keys whose values are paths of an organisation.
const PATHS: [&str; 3] = ["aws:PrincipalOrgPaths", "aws:SourceOrgPaths", "aws:VpceOrgPaths"];

/// What is true of the stranger wherever the policy asks: no fixed value is the stranger's, any other may be. A value
/// with a wildcard is fixed only as far as it names an account, an organisation or a role's unique id.
fn facts(policy: &PolicyDocument) -> Vec<Condition> {
    use Comparison as C;
    let accounts: Vec<String> = accounts(policy).into_iter().map(|id| format!("arn:*:*:*:{id}:*")).collect();
    let mut facts = vec![
        condition(C::Bool, None, "aws:PrincipalIsAWSService", vec!["false".into()]),
        condition(C::NotIpAddress, None, "aws:SourceIp", trusted_addresses(policy)),
    ];
    for key in OWN {
        facts.push(condition(C::StringNotEqualsIgnoreCase, None, key, fixed(policy, key)));
    }
    let sessions =
        values(policy, "aws:userid").filter(|v| v.strip_suffix(":*").is_some_and(|id| !id.is_empty() && is_fixed(id)));
    facts.push(condition(C::StringNotLike, None, "aws:userid", sessions.map(str::to_owned).collect()));
    for key in ARNS {
        facts.push(condition(C::ArnNotLike, None, key, accounts.clone()));
        facts.push(condition(C::StringNotEquals, None, key, fixed(policy, key)));
    }
    for key in PATHS {
        let own = values(policy, key).filter_map(|path| path.split_once('/')).filter(|(id, _)| is_fixed(id));
        let own = own.map(|(id, _)| format!("{id}/*")).collect();
        facts.push(condition(C::StringNotLike, Some(SetQualifier::ForAllValues), key, own));
    }
    facts.retain(|fact| !fact.values.is_empty());
    facts
}

/// The values the policy compares a key with.
fn values<'p>(policy: &'p PolicyDocument, key: &str) -> impl Iterator<Item = &'p str> {
    let key = ConditionKey::new(key);
    let conditions = policy.statements.iter().flat_map(|s| &s.conditions);
    conditions.filter(move |c| c.key == key).flat_map(|c| &c.values).map(|v| v.value.as_str())
}

fn fixed(policy: &PolicyDocument, key: &str) -> Vec<String> {
    values(policy, key).filter(|value| is_fixed(value)).map(str::to_owned).collect()
}

fn is_fixed(value: &str) -> bool {
    !value.contains(['*', '?']) && !value.contains("${")
}

/// Account ids that stand in the fifth segment of an ARN the policy compares a key with.
fn accounts(policy: &PolicyDocument) -> BTreeSet<&str> {
    let of = |value: &'_ str| -> Option<usize> { value.match_indices(':').nth(3).map(|(at, _)| at + 1) };
    let arns = ARNS.into_iter().flat_map(|key| values(policy, key));
    arns.filter_map(|value| value.get(of(value)?..)?.split(':').next()).filter(|id| AccountId::is_number(id)).collect()
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
    let narrow = values(policy, "aws:SourceIp").filter(|block| is_narrow(block)).map(str::to_owned);
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
