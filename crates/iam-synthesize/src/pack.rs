//! Fitting policies into AWS's quotas where nothing may move: statements get their old resources back, the cheapest first.
//!
//! Never wider than what was granted. Which words those are is for narrowing; moving statements into new documents is
//! next door.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use iam_model::policy::{PolicyDocument, compact_len};

/// Policies that share one quota.
pub(crate) struct Room {
    /// The most characters of all of them.
    pub(crate) most: usize,
    /// The policies, by index.
    pub(crate) members: Vec<usize>,
}

/// Statements of policies that can be made to fit: AWS's quotas leave room for fewer than two hundred.
const MOST_STATEMENTS: usize = 1_000;

/// Statements that keep their old resources, by policy.
type Coarse = BTreeMap<usize, BTreeSet<usize>>;

impl Room {
    /// Which statements must keep their old resources for the policies to fit; nothing where even that is too much.
    ///
    /// `statements` counts those of a policy that may be written. Those come first that do not stand on every resource, then those that save the most.
    pub(crate) fn fit(
        &self,
        statements: &dyn Fn(usize) -> usize,
        write: &dyn Fn(usize, &BTreeSet<usize>) -> PolicyDocument,
        is_wide: &dyn Fn(usize, usize) -> bool,
    ) -> Option<Coarse> {
        let none = BTreeSet::new();
        let size = |at: usize, coarse: &BTreeSet<usize>| compact_len(&write(at, coarse));
        let mut sizes: BTreeMap<usize, usize> = self.members.iter().map(|at| (*at, size(*at, &none))).collect();
        let mut coarse = Coarse::new();
        if sizes.values().sum::<usize>() <= self.most {
            return Some(coarse);
        }
        // What is that long is over every quota already; to write it anew for each statement is not worth the wait.
        if self.members.iter().map(|at| statements(*at)).sum::<usize>() > MOST_STATEMENTS {
            return None;
        }
        let mut choices = Vec::new();
        for at in self.members.iter().copied() {
            let before = sizes.get(&at).copied().unwrap_or_default();
            for statement in 0..statements(at) {
                let saved = before.saturating_sub(size(at, &BTreeSet::from([statement])));
                if saved > 0 {
                    choices.push((is_wide(at, statement), Reverse(saved), at, statement));
                }
            }
        }
        choices.sort();
        for (.., at, statement) in choices {
            let of_policy = coarse.entry(at).or_default();
            of_policy.insert(statement);
            sizes.insert(at, size(at, of_policy));
            if sizes.values().sum::<usize>() <= self.most {
                return Some(coarse);
            }
        }
        None
    }
}
