//! Actions that only a service uses, with a role that it assumes itself: of a role that trusts none of these services, no
//! use can have gone unseen.
//!
//! They stand for no call of an API, so that whoever holds a role's credentials cannot use them. Follows the topics of the
//! services: "Replicating objects within and across Regions" (S3), "Multi-Region keys" (KMS), "AWS FIS actions",
//! "API destinations" (EventBridge), "Private image replication" (ECR).

use std::collections::BTreeSet;

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::policy::{PolicyDocument, PrincipalElement, PrincipalPattern};
use iam_model::snapshot::Snapshot;

/// The services, without the end of their names that partitions differ in, and what they use.
const ACTORS: &[(&[&str], &[&str])] = &[
    (
        &["s3", "batchoperations.s3"],
        &["s3:InitiateReplication", "s3:ObjectOwnerOverrideToBucketOwner", "s3:ReplicateObjectAnnotation"],
    ),
    (&["fis"], &["s3:PauseReplication", "kinesis:InjectApiError", "ec2:InjectApiError", "dynamodb:InjectError"]),
    (&["mrk.kms"], &["kms:SynchronizeMultiRegionKey"]),
    (
        &["events", "pipes", "scheduler", "states"],
        &["events:InvokeApiDestination", "events:RetrieveConnectionCredentials"],
    ),
    (&["replication.ecr"], &["ecr:ReplicateImage"]),
];

/// The services that use an action, where none but services can.
fn services_of(action: &Action) -> Option<&'static [&'static str]> {
    let is_it = |name: &&str| name.eq_ignore_ascii_case(action.as_str());
    ACTORS.iter().find(|(_, actions)| actions.iter().any(is_it)).map(|(services, _)| *services)
}

/// Whether only services use an action, and a role of the snapshot is assumed by none of them.
pub(crate) fn is_of_others(acted: Option<&BTreeSet<(Arn, String)>>, role: &Arn, action: &Action) -> bool {
    let (Some(acted), Some(services)) = (acted, services_of(action)) else { return false };
    // Of a role that the snapshot does not hold nobody knows whom it trusts.
    acted.contains(&(role.clone(), String::new()))
        && !services.iter().any(|service| acted.contains(&(role.clone(), (*service).to_owned())))
}

/// Every role of the snapshot, under an empty name, and with the services among the actors that it trusts.
pub(crate) fn acted(snapshot: &Snapshot) -> BTreeSet<(Arn, String)> {
    let mut found = BTreeSet::new();
    for role in snapshot.accounts.values().flat_map(|account| &account.roles) {
        let arn = &role.identity.arn;
        found.insert((arn.clone(), String::new()));
        let services = ACTORS.iter().flat_map(|(services, _)| *services);
        let trusted = services.filter(|service| trusts(&role.trust, service));
        found.extend(trusted.map(|service| (arn.clone(), (*service).to_owned())));
    }
    found
}

/// Whether a service may assume a role; yes, where that is not understood.
fn trusts(trust: &PolicyDocument, service: &str) -> bool {
    let by_name = |name: &str| name.strip_prefix(service).is_some_and(|rest| rest.starts_with(".amazonaws.com"));
    let by = |pattern: &PrincipalPattern| match pattern {
        PrincipalPattern::Service(name) => by_name(name) || name.contains(['*', '$']),
        PrincipalPattern::Everyone | PrincipalPattern::Unknown { .. } => true,
        PrincipalPattern::Aws(_) | PrincipalPattern::Federated(_) | PrincipalPattern::CanonicalUser(_) => false,
    };
    !trust.unknown.is_empty()
        || trust.statements.iter().any(|statement| match &statement.principal {
            Some(PrincipalElement::Principal(patterns)) => patterns.iter().any(|pattern| by(&pattern.value)),
            Some(PrincipalElement::NotPrincipal(_)) | None => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use iam_model::text::{SourceName, SourceText};

    #[test]
    fn a_role_that_a_function_runs_with_replicates_nothing() {
        let trust = |principal: &str| {
            let text = format!(
                r#"{{"Statement": [{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"}}]}}"#
            );
            iam_model::policy::parse(&SourceText { name: SourceName::new("t"), text }).0
        };
        for (principal, service, expected) in [
            (r#"{"Service": "lambda.amazonaws.com"}"#, "s3", false),
            (r#"{"Service": ["lambda.amazonaws.com", "s3.amazonaws.com"]}"#, "s3", true),
            (r#"{"Service": "batchoperations.s3.amazonaws.com"}"#, "s3", false),
            (r#"{"Service": "batchoperations.s3.amazonaws.com.cn"}"#, "batchoperations.s3", true),
            (r#"{"AWS": "arn:aws:iam::111122223333:root"}"#, "s3", false),
            (r#""*""#, "s3", true),
        ] {
            assert_eq!(trusts(&trust(principal), service), expected, "{principal}");
        }
        let role: Arn = "arn:aws:iam::111122223333:role/r".parse().unwrap();
        let none = BTreeSet::from([(role.clone(), String::new())]);
        let some = BTreeSet::from([(role.clone(), String::new()), (role.clone(), "s3".to_owned())]);
        let of =
            |acted: Option<&BTreeSet<(Arn, String)>>, name: &str| is_of_others(acted, &role, &name.parse().unwrap());
        assert!(of(Some(&none), "s3:InitiateReplication") && !of(Some(&some), "s3:InitiateReplication"));
        assert!(!of(None, "s3:InitiateReplication") && !of(Some(&BTreeSet::new()), "s3:InitiateReplication"));
        assert!(!of(Some(&none), "s3:ReplicateObject"), "which trails record");
    }
}
