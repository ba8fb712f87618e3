//! Do claims about one context key contradict one another? For every number of values it may have.
//!
//! Says yes only where that is so.

use iam_evaluate::budget::Budget;
use iam_model::condition::SetQualifier;

use super::empty::Problem;
use crate::reading::claim::{Claim, Kind, MOST, Point, Test};
use crate::reading::pattern::{Pattern, Reading};

/// Whether no state of the key (absent, or any set of values) makes each claim hold or fail as asked.
pub(super) fn impossible(claims: &[(&Claim, bool)], budget: &Budget) -> bool {
    if !budget.spend(4 * claims.len() * claims.len()) {
        return false;
    }
    if claims.iter().any(|(claim, holds)| claims.contains(&(claim, !holds))) {
        return true;
    }
    if claims.iter().all(|(claim, holds)| claim.absent.is_none_or(|absent| absent == *holds)) {
        return false;
    }
    let (mut single, mut every, mut some) = (Vec::new(), Vec::new(), Vec::new());
    for (claim, holds) in claims {
        let passes = *holds != claim.negated;
        match (&claim.test, claim.set) {
            (Test::Constant(present), _) if *present == passes => {}
            (Test::Constant(_), _) => return true,
            (test, None) => single.push((test, passes)),
            (test, Some(set)) if (set == SetQualifier::ForAllValues) == *holds => every.push((test, passes)),
            (test, Some(_)) => some.push((test, passes)),
        }
    }
    // Each claim about some value has a witness of its own.
    let fails = |witness: &(&Test, bool)| no_value(&[&*every, &[*witness]].concat(), budget);
    let of_a_set = || no_value(&every, budget) || some.iter().any(fails);
    // Of several values nothing is known by a claim without set operator.
    let asks_a_set = single.is_empty() || !(every.is_empty() && some.is_empty());
    (!asks_a_set || of_a_set()) && (single.is_empty() || no_value(&[&*single, &*every, &*some].concat(), budget))
}

/// Whether no one value passes and fails the tests as asked; shown by tests of one kind.
fn no_value(tests: &[(&Test, bool)], budget: &Budget) -> bool {
    let everything = || vec![Pattern::read("*", Reading { wild: true, ..Reading::default() })];
    let mut texts = Problem { required: Vec::new(), excluded: Vec::new(), domain: &everything, budget };
    for (test, passes) in tests {
        match test {
            Test::Text(patterns) if *passes => texts.required.push(patterns.iter().collect()),
            Test::Text(patterns) => texts.excluded.extend(patterns),
            _ => {}
        }
    }
    texts.is_empty()
        || [Kind::Number, Kind::Moment, Kind::Address].into_iter().any(|kind| no_point(tests, kind, budget))
}

/// Whether no point of a line lies within and without the intervals as asked: only their ends, the points beside
/// them and the ends of the line need to be tried.
fn no_point(tests: &[(&Test, bool)], kind: Kind, budget: &Budget) -> bool {
    let intervals = |test: &Test| match test {
        Test::Line(own, intervals) if *own == kind => Some(intervals.clone()),
        _ => None,
    };
    let asked: Vec<_> = tests.iter().filter_map(|(test, passes)| intervals(test).map(|i| (i, *passes))).collect();
    let line: &[[Point; 2]] = match kind {
        Kind::Address => &[[(0, 0), (0, u32::MAX as u128)], [(1, 0), (1, u128::MAX)]],
        _ => &[[(0, 0), (0, MOST)]],
    };
    let within = |intervals: &[[Point; 2]], point: Point| {
        budget.spend(intervals.len()) && intervals.iter().any(|[a, b]| *a <= point && point <= *b)
    };
    let ends = asked.iter().flat_map(|(i, _)| i).chain(line).flatten();
    let beside = |(family, at): &Point| [at.saturating_sub(1), *at, at.saturating_add(1)].map(|at| (*family, at));
    let mut points = ends.flat_map(beside).filter(|point| within(line, *point));
    !asked.is_empty()
        && points.all(|point| asked.iter().any(|(i, passes)| within(i, point) != *passes))
        && !budget.is_spent()
}
