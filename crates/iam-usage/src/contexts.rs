//! Facts that differ from call to call (an encryption context, an endpoint), in little room: few are kept apart, and of
//! many only what all calls share.
//!
//! The result depends on the set of contexts alone: their number only grows, and what is common to all is the same in
//! whatever order they come. Which facts an event proves is told elsewhere.

use iam_model::condition::ConditionKey;
use iam_model::usage::Folded;

use crate::fold::{Folder, More, Names, Stat};
use crate::sorted::Sorted;

/// Distinct contexts kept apart.
const MOST_CONTEXTS: usize = 16;

/// A condition key and one of its values.
pub(crate) type Fact = (ConditionKey, String);

/// Counts by context: sorted facts, a key with several values once for each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contexts {
    folders: Sorted<Vec<Fact>, Folder>,
    /// Set once there were too many: one is left, of what all share.
    shared: bool,
}

impl Contexts {
    /// Counts calls of these facts and resources.
    pub(crate) fn add(&mut self, facts: &[Fact], names: &[String], more: &More<'_>) {
        if let Some(folder) = self.folder(facts) {
            folder.add(names, more);
        }
        self.bound();
    }

    /// Counts what another counted.
    pub(crate) fn merge(&mut self, other: Self) {
        if other.shared {
            self.share();
        }
        for (facts, theirs) in other.folders {
            if let Some(folder) = self.folder(&facts) {
                folder.merge(theirs);
            }
            self.bound();
        }
    }

    /// Takes back a row that others gave.
    pub(crate) fn restore(&mut self, facts: &[Fact], names: &[String], stat: &Stat, folded: Folded) {
        let mut other = Self { folders: Sorted::default(), shared: false };
        if let Some(folder) = other.folder(facts) {
            folder.restore(names, stat, folded);
        }
        other.shared = folded.contexts;
        self.merge(other);
    }

    /// Facts, resources, counts and how far they were folded, in order.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = (Vec<Fact>, Names, Stat, Folded)> {
        let shared = self.shared;
        let rows = move |(facts, folder): (Vec<Fact>, Folder)| {
            let rows = folder.into_rows().into_iter();
            rows.map(move |(names, stat, folded)| (facts.clone(), names, stat, Folded { contexts: shared, ..folded }))
        };
        self.folders.into_iter().flat_map(rows)
    }

    /// The counts of these facts; there always are some.
    fn folder(&mut self, facts: &[Fact]) -> Option<&mut Folder> {
        if !self.shared {
            return self.folders.get_or(facts, || (facts.to_vec(), Folder::default()));
        }
        let (own, folder) = self.folders.pop_first().unwrap_or_else(|| (facts.to_vec(), Folder::default()));
        let common = common(own, facts);
        self.folders.get_or(common.as_slice(), || (common.clone(), folder))
    }

    fn bound(&mut self) {
        if self.folders.len() > MOST_CONTEXTS {
            self.share();
        }
    }

    fn share(&mut self) {
        self.shared = true;
        for (facts, theirs) in std::mem::take(&mut self.folders) {
            if let Some(folder) = self.folder(&facts) {
                folder.merge(theirs);
            }
        }
    }
}

/// The facts of keys that have just the same values in both.
fn common(mut own: Vec<Fact>, other: &[Fact]) -> Vec<Fact> {
    let values = |facts: &[Fact], key: &ConditionKey| -> Vec<String> {
        facts.iter().filter(|(name, _)| name == key).map(|(_, value)| value.clone()).collect()
    };
    if own != other {
        let whole = own.clone();
        own.retain(|(key, _)| values(&whole, key) == values(other, key));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use iam_model::time::Timestamp;
    use proptest::prelude::*;

    fn facts(pairs: &[(&str, &str)]) -> Vec<Fact> {
        pairs.iter().map(|(key, value)| (ConditionKey::new(key), (*value).to_owned())).collect()
    }

    fn call(second: usize) -> Stat {
        let time = Timestamp::from_epoch_seconds(i64::try_from(second).unwrap());
        Stat::one(false, time, format!("{second}").as_bytes())
    }

    fn check(contexts: impl Iterator<Item = Vec<Fact>>, expected: &[(Vec<Fact>, u64)]) {
        let mut all = Contexts::default();
        contexts.enumerate().for_each(|(second, facts)| all.add(&facts, &["*".to_owned()], &More::Stat(&call(second))));
        let found: Vec<(Vec<Fact>, u64)> = all.into_rows().map(|(facts, _, stat, _)| (facts, stat.count)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn few_contexts_are_kept_apart() {
        let [one, two] = [facts(&[("k", "1")]), facts(&[("k", "2")])];
        check([two.clone(), one.clone(), two.clone()].into_iter(), &[(one, 1), (two, 2)]);
    }

    #[test]
    fn of_many_contexts_what_all_share_is_kept() {
        let context = |n: usize| facts(&[("endpoint", "e"), ("object", &n.to_string())]);
        check((0..5000).map(context), &[(facts(&[("endpoint", "e")]), 5000)]);
        check((0..5000).map(context).chain([vec![]]), &[(vec![], 5001)]);
    }

    #[test]
    fn a_key_with_other_values_is_not_shared_in_part() {
        let context = |n: usize| facts(&[("keys", "always"), ("keys", &n.to_string())]);
        check((0..20).map(context), &[(vec![], 20)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn neither_order_nor_splitting_matter(
            seeds in proptest::collection::vec((0_u32..6, 0_u32..5, 0_u32..200), 1..300), split in 0_usize..300,
        ) {
            let rows: Vec<(Vec<Fact>, Vec<String>, Stat)> = seeds.iter().enumerate().map(|(at, (a, b, name))| {
                let facts = facts(&[("a", &a.to_string()), ("b", &b.to_string()), ("c", "same")]);
                (facts, vec![format!("arn:aws:s3:::b/{}/{name}", name % 3)], call(at))
            }).collect();
            let [mut straight, mut left, mut right] = [(); 3].map(|()| Contexts::default());
            rows.iter().for_each(|(facts, names, stat)| straight.add(facts, names, &More::Stat(stat)));
            for (at, (facts, names, stat)) in rows.iter().rev().enumerate() {
                if at < split { left.add(facts, names, &More::Stat(stat)) } else { right.add(facts, names, &More::Stat(stat)) }
            }
            left.merge(right);
            prop_assert!(straight.into_rows().eq(left.into_rows()));
        }
    }
}
