//! Context keys that follow from a snapshot.
//!
//! Follows the IAM User Guide topic "AWS global condition context keys". Only what cannot be otherwise is derived: a role
//! whose sessions may carry tags of their own has no known tags.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use iam_model::arn::{AccountId, Arn};
use iam_model::condition::ConditionKey;
use iam_model::snapshot::{Identity, Organization};

use crate::context::Context;
use crate::request::ResourceName;

const TAG: &str = "aws:PrincipalTag/";

/// Regions in which a resource's ARN tells `aws:RequestedRegion`.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

static OF_REGION: LazyLock<BTreeMap<&'static str, Context>> = LazyLock::new(|| {
    REGIONS.iter().map(|region| (*region, with([("aws:RequestedRegion", (*region).to_owned())]))).collect()
});

fn with<const N: usize>(facts: [(&str, String); N]) -> Context {
    let mut context = Context::open();
    for (key, value) in facts {
        context.set(ConditionKey::new(key), vec![value]);
    }
    context
}

/// What a resource's region tells.
pub(super) fn of_region(resource: &ResourceName) -> Option<&'static Context> {
    let ResourceName::Arn(arn) = resource else { return None };
    OF_REGION.get(arn.region())
}

/// What a resource's account tells.
pub(super) fn of_account(account: &AccountId, organization: Option<&Organization>) -> Context {
    let id = account.to_string();
    let mut context = with([("aws:ResourceAccount", id.clone()), ("s3:ResourceAccount", id)]);
    organization_id(&mut context, "aws:ResourceOrgID", account, organization);
    context
}

/// What a caller's being this user or role tells. `own_tags`: no session brings tags of its own.
pub(super) fn of_caller(
    identity: &Identity,
    is_user: bool,
    own_tags: bool,
    organization: Option<&Organization>,
) -> Context {
    let mut context = with([
        ("aws:PrincipalArn", identity.arn.to_string()),
        ("aws:PrincipalType", if is_user { "User" } else { "AssumedRole" }.into()),
        ("aws:PrincipalIsAWSService", "false".into()),
    ]);
    if let Some(account) = identity.arn.account() {
        context.set(ConditionKey::new("aws:PrincipalAccount"), vec![account.to_string()]);
        context.set(ConditionKey::new("kms:CallerAccount"), vec![account.to_string()]);
        organization_id(&mut context, "aws:PrincipalOrgID", &account, organization);
    }
    context.set_absent(ConditionKey::new("aws:PrincipalServiceName"));
    context.set_absent(ConditionKey::new("aws:PrincipalServiceNamesList"));
    if is_user {
        context.set(ConditionKey::new("aws:username"), vec![identity.name.clone()]);
        if let Some(id) = &identity.unique_id {
            context.set(ConditionKey::new("aws:userid"), vec![id.clone()]);
        }
    } else {
        context.set_absent(ConditionKey::new("aws:username"));
    }
    if own_tags {
        for (key, value) in &identity.tags {
            context.set(ConditionKey::new(&format!("{TAG}{key}")), vec![value.clone()]);
        }
        context.close(TAG);
    }
    context
}

fn organization_id(context: &mut Context, key: &str, account: &AccountId, organization: Option<&Organization>) {
    let Some(organization) = organization else { return };
    let member =
        organization.accounts.contains_key(account) || organization.management_account.as_ref() == Some(account);
    if member {
        context.set(ConditionKey::new(key), vec![organization.id.clone()]);
    }
}

/// The account digits of a caller that is only known by ARN.
pub(super) fn account_of(arn: &Arn) -> &str {
    arn.account_text()
}
