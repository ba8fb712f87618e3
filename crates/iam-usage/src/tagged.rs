//! What kind of resource a tagging action is checked on that goes with another call: the kind that the call makes.
//!
//! What a request names beside it (a network, a source, a parent) has the right parameters and is the wrong resource. Where
//! nobody knows what a call makes, no kind is told. Which resources of the kind is told by [`crate::tags`].

use iam_model::catalog::{AccessLevel, ActionFacts, AuthorizedAction, Operation};

use crate::ids::plain;

/// How a tagging action that goes with another call is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tagged<'c> {
    /// It is none, or it is told as other actions are.
    No,
    /// The request says of each set of tags what kind of resource it is for.
    BySpecification,
    /// One of these kinds; of a copy the request names the source too, so that only the kind counts.
    Made { kinds: Vec<&'c str>, named: bool },
}

/// Services whose tagging actions are checked on what the call itself is checked on.
const SAME_AS_CALL: &[&str] = &["s3", "s3express", "s3-object-lambda", "s3-outposts", "sts"];

/// Verbs of calls that make nothing, or nothing of the kind they name: a volume's last backup.
const NOT_MAKING: &[&str] = &["Cancel", "Delete", "Deregister", "Disable", "Remove", "Stop", "Terminate"];

/// Verbs of calls that name a source of the kind that they make.
const COPYING: &[&str] = &["Copy", "Restore"];

/// Words after which an operation's name says what something is made from or for.
const LINKS: &[&str] = &["By", "For", "From", "In", "To", "Using", "With"];

/// What operations make, where the kind is not named like it: service, what the operation is named after, kinds.
const NAMED_OTHERWISE: &[(&str, &str, &[&str])] = &[
    ("cloudwatch", "compositealarm", &["alarm"]),
    ("cloudwatch", "metricalarm", &["alarm"]),
    ("elasticache", "cachecluster", &["cluster"]),
    ("elasticache", "cacheparametergroup", &["parametergroup"]),
    ("elasticache", "cachesubnetgroup", &["subnetgroup"]),
    ("elasticloadbalancing", "rule", &["listener-rule/app", "listener-rule/net"]),
    ("iot", "topicrule", &["rule"]),
    ("kinesis", "streamconsumer", &["consumer"]),
    ("rds", "dbcluster", &["cluster"]),
    ("rds", "dbclusterparametergroup", &["cluster-pg"]),
    ("rds", "dbclustersnapshot", &["cluster-snapshot"]),
    ("rds", "dbinstance", &["db"]),
    ("rds", "dbinstancereadreplica", &["db"]),
    ("rds", "dbparametergroup", &["pg"]),
    ("rds", "dbproxy", &["proxy"]),
    ("rds", "dbsnapshot", &["snapshot"]),
    ("rds", "dbsubnetgroup", &["subgrp"]),
    ("rds", "optiongroup", &["og"]),
    ("redshift", "clusterparametergroup", &["parametergroup"]),
    ("redshift", "clustersnapshot", &["snapshot"]),
    ("redshift", "clustersubnetgroup", &["subnetgroup"]),
    ("ses", "emailidentity", &["identity"]),
];

impl<'c> Tagged<'c> {
    /// How an action of an operation is told.
    pub(crate) fn of(
        operation: &Operation<'c>,
        authorized: &AuthorizedAction<'c>,
        facts: Option<ActionFacts<'c>>,
    ) -> Self {
        let tagging = |facts: &ActionFacts<'_>| facts.level() == AccessLevel::Tagging && facts.takes_resource();
        let Some(facts) = facts.filter(tagging) else { return Self::No };
        if authorized.is_primary() || SAME_AS_CALL.contains(&facts.service()) {
            return Self::No;
        }
        if facts.service() == "ec2" {
            return Self::BySpecification;
        }
        let (verb, noun) = taken_apart(operation.name());
        let kinds = facts.resource_types().map(|kind| kind.name());
        let kinds = if NOT_MAKING.contains(&verb) { Vec::new() } else { made(facts.service(), noun, kinds.collect()) };
        Self::Made { kinds, named: !COPYING.contains(&verb) }
    }
}

/// An operation's verb, and what it is named after: `RestoreTableFromBackup` is `Restore` and `Table`.
fn taken_apart(name: &str) -> (&str, &str) {
    let begins = |text: &str, at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_uppercase);
    let end = (1..name.len()).find(|at| begins(name, *at)).unwrap_or(name.len());
    let (verb, noun) = name.split_at_checked(end).unwrap_or((name, ""));
    let links = |word: &&str| {
        let word = *word;
        let ends = |at: &usize| *at > 0 && !begins(noun, at - 1) && begins(noun, at + word.len());
        noun.match_indices(word).map(|(at, _)| at).find(ends)
    };
    let cut = LINKS.iter().filter_map(links).min();
    (verb, cut.and_then(|at| noun.get(..at)).unwrap_or(noun))
}

/// The kinds that are named like what an operation makes; nothing where none is.
fn made<'c>(service: &str, noun: &str, mut kinds: Vec<&'c str>) -> Vec<&'c str> {
    let noun = plain(noun);
    let otherwise = NAMED_OTHERWISE.iter().find(|(of, name, _)| *of == service && *name == noun);
    kinds.retain(|kind| match otherwise {
        Some((.., named)) => named.contains(kind),
        // `loadbalancer/app/` is a load balancer of one sort.
        None => plain(kind) == noun || kind.split('/').next().is_some_and(|sort| plain(sort) == noun),
    });
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_named_after_what_it_makes() {
        for (name, verb, noun) in [
            ("CreateDBSnapshot", "Create", "DBSnapshot"),
            ("RestoreDBInstanceFromDBSnapshot", "Restore", "DBInstance"),
            ("RestoreDBClusterToPointInTime", "Restore", "DBCluster"),
            ("CreateDistributionWithTags", "Create", "Distribution"),
            ("CreateInstanceProfile", "Create", "InstanceProfile"),
            ("RunTask", "Run", "Task"),
            ("Invoke", "Invoke", ""),
        ] {
            assert_eq!(taken_apart(name), (verb, noun), "{name}");
        }
    }

    #[test]
    fn a_kind_that_is_only_named_alike_is_not_made() {
        assert_eq!(made("quicksight", "Space", vec!["namespace"]), Vec::<&str>::new());
        assert_eq!(made("sagemaker", "InferenceExperiment", vec!["experiment"]), Vec::<&str>::new());
        assert_eq!(
            made("rds", "DBClusterSnapshot", vec!["cluster", "snapshot", "cluster-snapshot"]),
            ["cluster-snapshot"]
        );
        assert_eq!(
            made("elasticloadbalancing", "Listener", vec!["listener/app", "listener-rule/app"]),
            ["listener/app"]
        );
    }
}
