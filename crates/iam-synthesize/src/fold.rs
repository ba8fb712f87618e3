//! Folding: names that were seen, written as the pattern a person would write for them.
//!
//! Only what is data is folded, never configuration: objects of a bucket, streams of a log group, indexes of a table,
//! suffixes of a secret, revisions, things made for one use, and names that hold a day, a UUID, a tenant or another part
//! that is data. Every fold has a rule
//! that says why. Bounded by the old grant, by what the
//! role was denied and by the account's own resources where the result is used.

mod generated;
mod names;
mod objects;
mod passing;

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::ResourcePattern;

/// Why a pattern stands for more than the names that were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FoldRule {
    /// Objects of a bucket that share a folder.
    SharedFolder,
    /// Few objects, with generated names: the folder at the top is what was chosen by a person.
    GeneratedObjects,
    /// Objects all over a bucket.
    WholeBucket,
    /// Streams of a log group.
    LogStreams,
    /// Names that differ in generated parts alone: days, UUIDs, long numbers.
    GeneratedNames,
    /// Several indexes of one table.
    TableIndexes,
    /// A secret that was made anew under its name, so that its suffix differs.
    SecretSuffix,
    /// Revisions of one name: task and job definitions, versions of a function or a layer.
    Revisions,
    /// Things that are made for one use and never named again: executions, tasks, snapshots.
    MadeForOneUse,
    /// Many names that differ in one part alone: tenants, customers.
    ManyNames,
    /// The old statement's own pattern: what was seen is not surely inside it, or folds to more than it.
    GrantedPattern,
    /// More names than the logs are kept apart for, so that a part of them stands for all.
    TooManyNames,
    /// The old statement's resources: the narrower words do not fit the quota.
    Quota,
}

impl FoldRule {
    /// The rule's name, as reports have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SharedFolder => "shared-folder",
            Self::GeneratedObjects => "generated-objects",
            Self::WholeBucket => "whole-bucket",
            Self::LogStreams => "log-streams",
            Self::GeneratedNames => "generated-names",
            Self::TableIndexes => "table-indexes",
            Self::SecretSuffix => "secret-suffix",
            Self::Revisions => "revisions",
            Self::MadeForOneUse => "made-for-one-use",
            Self::ManyNames => "many-names",
            Self::GrantedPattern => "granted-pattern",
            Self::TooManyNames => "too-many-names",
            Self::Quota => "quota",
        }
    }

    /// The rule in words, for the reason of a statement.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::SharedFolder => "objects of one folder",
            Self::GeneratedObjects => "objects with generated names, in one folder of the bucket",
            Self::WholeBucket => "objects all over the bucket",
            Self::LogStreams => "streams of one log group",
            Self::GeneratedNames => "names that differ in generated parts alone",
            Self::TableIndexes => "several indexes of one table",
            Self::SecretSuffix => "one secret, made anew under its name",
            Self::Revisions => "revisions of one name, of which each change makes another",
            Self::MadeForOneUse => "things that are made for one use, so that the next has another name",
            Self::ManyNames => "many names that differ in one part alone",
            Self::GrantedPattern => "the old statement's own pattern",
            Self::TooManyNames => "more names than are told apart in the logs, so that none of them is left out",
            Self::Quota => "the old resources, as those that were seen do not fit the quota",
        }
    }
}

/// A pattern of a proposal that stands for more than was seen, and the rule that says why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fold {
    /// The policy's place among the role's identity policies; of a new role, among its own.
    pub policy: usize,
    /// The statement's place in the policy as proposed.
    pub statement: usize,
    /// The pattern; nothing for all resources of the statement.
    pub pattern: Option<ResourcePattern>,
    /// Why.
    pub rule: FoldRule,
}

impl Fold {
    /// One line, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.pattern {
            Some(pattern) => format!("`{pattern}` stands for what was seen: {}", self.rule.describe()),
            None => format!("keeps {}", self.rule.describe()),
        }
    }
}

/// A pattern, and why it is wider than what was seen; nothing where it is what was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Folded {
    pub(crate) pattern: ResourcePattern,
    pub(crate) rule: Option<FoldRule>,
}

impl Folded {
    pub(crate) fn seen(pattern: &ResourcePattern) -> Self {
        Self { pattern: pattern.clone(), rule: None }
    }

    fn by(rule: FoldRule, pattern: &str) -> Self {
        Self { pattern: ResourcePattern::new(pattern), rule: Some(rule) }
    }
}

/// The patterns that stand for the resources seen, sorted; `forbidden` says which must not be written.
///
/// A forbidden fold falls back to the names that were seen.
pub(crate) fn fold(resources: &[ResourcePattern], forbidden: &dyn Fn(&ResourcePattern) -> bool) -> Vec<Folded> {
    let mut folded: BTreeSet<Folded> = BTreeSet::new();
    let mut buckets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for resource in resources {
        let text = resource.as_str();
        if let Some((bucket, key)) = objects::bucket_and_key(text) {
            buckets.entry(bucket).or_default().push(key);
        } else if let Some(group) = log_group_of_stream(text) {
            let all = Folded::by(FoldRule::LogStreams, &format!("{group}:*"));
            folded.insert(if forbidden(&all.pattern) { Folded::seen(resource) } else { all });
        } else {
            others.insert(text);
        }
    }
    for (bucket, keys) in buckets {
        for object in objects::fold(bucket, &keys) {
            if object.rule.is_some() && forbidden(&object.pattern) {
                let within = |key: &&&str| objects::covers(&object, bucket, key);
                let seen = keys.iter().filter(within).map(|key| ResourcePattern::new(&format!("{bucket}/{key}")));
                folded.extend(seen.map(|pattern| Folded { pattern, rule: None }));
            } else {
                folded.insert(object);
            }
        }
    }
    for (pattern, members) in names::fold(&mut others) {
        if forbidden(&pattern.pattern) {
            others.extend(members);
        } else {
            folded.insert(pattern);
        }
    }
    let mut masked: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in others {
        masked.entry(generated::masked(name)).or_default().push(name);
    }
    for (masked, members) in masked {
        let pattern = Folded::by(FoldRule::GeneratedNames, &masked);
        if members.len() > 1 && !forbidden(&pattern.pattern) {
            folded.insert(pattern);
        } else {
            folded.extend(members.into_iter().map(|name| Folded::seen(&ResourcePattern::new(name))));
        }
    }
    folded.into_iter().collect()
}

fn log_group_of_stream(arn: &str) -> Option<&str> {
    let (group, _) = arn.split_once(":log-stream:")?;
    group.contains(":logs:").then_some(group)
}

#[cfg(test)]
mod tests;
