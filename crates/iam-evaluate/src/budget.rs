//! Work that may still be done: a count that every comparison of patterns draws on, so that hostile policies end in
//! "undecided" after the same steps on every machine.
//!
//! Counts work, never time. It is not shared between threads: which thread was first must decide nothing.

use std::cell::Cell;

/// How much work is left, in units of about one compared letter.
///
/// ```
/// use iam_evaluate::budget::Budget;
/// let budget = Budget::new(10);
/// assert!(budget.spend(4));
/// assert_eq!(budget.part(100, |part| part.spend(5)), true);
/// assert_eq!(budget.left(), 1);
/// assert!(!budget.spend(2));
/// assert!(budget.is_spent());
/// ```
#[derive(Debug)]
pub struct Budget {
    left: Cell<u64>,
}

/// What one question may cost: some tenths of a second. Policies within AWS's quotas that people write take a thousandth.
pub const QUESTION: u64 = 150_000_000;
/// What the questions of one command, or about one role, may cost together: some seconds.
pub const ALL: u64 = 10 * QUESTION;

impl Budget {
    /// A budget of so many units.
    #[must_use]
    pub const fn new(units: u64) -> Self {
        Self { left: Cell::new(units) }
    }

    /// A budget that no input uses up, for what is bounded otherwise.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// Takes units; false, and nothing left, where there are fewer.
    pub fn spend(&self, units: usize) -> bool {
        let rest = u64::try_from(units).ok().and_then(|units| self.left.get().checked_sub(units));
        self.left.set(rest.unwrap_or_default());
        rest.is_some()
    }

    /// Units left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left.get()
    }

    /// Sets what is left, after work that counted by itself.
    pub(crate) fn set_left(&self, units: u64) {
        self.left.set(units);
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.left() == 0
    }

    /// Does something on a part of what is left, at most `most` units.
    pub fn part<T>(&self, most: u64, work: impl FnOnce(&Self) -> T) -> T {
        let part = Self::new(self.left().min(most));
        let granted = part.left();
        let done = work(&part);
        self.left.set(self.left() - (granted - part.left()));
        done
    }
}
