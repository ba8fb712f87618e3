//! VPC endpoints with the policy that AWS gives them: whoever is in the VPC takes data out to any account by them.
//!
//! Says nothing about who is in the VPC.

use iam_model::finding::{Finding, FindingCode, FindingSeverity};
use iam_model::snapshot::{Account, VpcEndpoint};

/// A finding for each endpoint whose policy limits nothing.
pub(super) fn open(account: &Account) -> impl Iterator<Item = Finding> {
    let is_open = |endpoint: &VpcEndpoint| endpoint.policy.as_ref().is_some_and(VpcEndpoint::is_default);
    account.vpc_endpoints.iter().filter(move |(_, endpoint)| is_open(endpoint)).map(|(arn, endpoint)| {
        let vpc = endpoint.vpc.as_deref().map(|vpc| format!(" of {vpc}")).unwrap_or_default();
        let to = &endpoint.service;
        Finding {
            resource: Some(arn.clone()),
            evidence: vec![format!("{}{vpc} leads to {to}: everyone, with everything, to any account", endpoint.id)],
            place: Some(format!("endpoint policy of {arn}")),
            ..Finding::new(FindingCode::OpenEndpoint, FindingSeverity::Low)
        }
    })
}
