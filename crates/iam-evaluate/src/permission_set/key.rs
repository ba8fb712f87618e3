//! Can one context key satisfy these conditions and fail those? Exact for every number of values.
//!
//! A key is absent, or has a set of values. Conditions over all values bound each value; each condition over some
//! value asks for one witness of its own; a condition without set operator asks for a single value, and nothing is
//! concluded from it about several.

use super::atom::{Atom, Span, Test};
use super::values::{self, Address, Point};
use crate::glob::language::{Answer, Caps, Problem, decide};

/// A condition, and whether it must hold or fail.
pub(crate) type Literal<'a> = (&'a Atom, bool);

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyAnswer {
    /// No value satisfies all.
    Empty,
    /// These values do (none: the key is absent); nothing where they could not be written down.
    Inhabited(Option<Vec<String>>),
}

/// Decides a key. "Inhabited" without values may be wrong; "empty" never is.
pub(crate) fn solve(literals: &[Literal<'_>], caps: Caps<'_>) -> KeyAnswer {
    let weight: usize = literals.iter().map(|(atom, _)| atom.test.weight()).sum();
    if !caps.budget.spend(weight * literals.len()) {
        return KeyAnswer::Inhabited(None);
    }
    let contradicts = |(index, (atom, wanted)): (usize, &Literal<'_>)| {
        literals.iter().skip(index + 1).any(|(other, also)| wanted != also && atom == other)
    };
    if literals.iter().enumerate().any(contradicts) {
        return KeyAnswer::Empty;
    }
    if literals.iter().all(|(atom, wanted)| atom.absent.is_none_or(|holds| holds == *wanted)) {
        let sure = literals.iter().all(|(atom, _)| atom.absent.is_some());
        return KeyAnswer::Inhabited(sure.then(Vec::new));
    }
    present(literals, caps)
}

/// What is asked of one value: pass the test, or fail it.
type Demand<'a> = (&'a Test, bool);

fn present(literals: &[Literal<'_>], caps: Caps<'_>) -> KeyAnswer {
    let (mut single, mut every, mut some) = (Vec::new(), Vec::new(), Vec::new());
    for (atom, wanted) in literals {
        let demand = (&atom.test, *wanted != atom.negated);
        match (atom.span, &atom.test, wanted) {
            (_, Test::Constant(value), _) if *value == demand.1 => {}
            (_, Test::Constant(_), _) => return KeyAnswer::Empty,
            (Span::Single, _, _) => single.push(demand),
            (Span::All, _, true) | (Span::Any, _, false) => every.push(demand),
            (Span::All, _, false) | (Span::Any, _, true) => some.push(demand),
        }
    }
    if single.is_empty() {
        return several_values(&every, some, caps);
    }
    // With several values AWS's text is silent on a condition without set operator: where others ask about a set, only
    // what also they make impossible is empty.
    let beside =
        if every.is_empty() && some.is_empty() { KeyAnswer::Empty } else { several_values(&every, some.clone(), caps) };
    single.append(&mut every);
    single.append(&mut some);
    match (one_value(&single, caps), beside) {
        (KeyAnswer::Empty, KeyAnswer::Inhabited(_)) => KeyAnswer::Inhabited(None),
        (answer, _) => answer,
    }
}

/// Values of which each meets `every`, and some one meets each of `some`.
fn several_values(every: &[Demand<'_>], some: Vec<Demand<'_>>, caps: Caps<'_>) -> KeyAnswer {
    if some.is_empty() {
        return one_value(every, caps);
    }
    let mut found = Some(Vec::new());
    for demand in some {
        let mut demands = every.to_vec();
        demands.push(demand);
        match one_value(&demands, caps) {
            KeyAnswer::Inhabited(Some(value)) => {
                if let Some(found) = &mut found {
                    found.extend(value);
                }
            }
            KeyAnswer::Inhabited(None) => found = None,
            KeyAnswer::Empty => return KeyAnswer::Empty,
        }
    }
    if let Some(values) = &mut found {
        values.sort_unstable();
        values.dedup();
    }
    KeyAnswer::Inhabited(found)
}

/// One value that meets all demands, by kind of test; values of two kinds at once are tried, not reasoned about.
fn one_value(demands: &[Demand<'_>], caps: Caps<'_>) -> KeyAnswer {
    let mut sure = !demands.iter().any(|(test, _)| matches!(test, Test::Unknown(_)));
    let mut offers: Vec<String> = Vec::new();
    for kind in [text, ordered, address] {
        match kind(demands, caps) {
            Kind::None => {}
            Kind::Empty => return KeyAnswer::Empty,
            Kind::Values(values) => offers.extend(values),
            Kind::Open => sure = false,
        }
    }
    if demands.iter().all(|(test, _)| matches!(test, Test::Unknown(_))) {
        return KeyAnswer::Inhabited(sure.then(|| vec!["a".into()]));
    }
    let meets =
        |value: &&String| demands.iter().all(|(test, pass)| test.passes(value, &|_| None, caps.budget) == Some(*pass));
    KeyAnswer::Inhabited(offers.iter().find(meets).map(|value| vec![value.clone()]))
}

/// What the tests of one kind leave.
enum Kind {
    /// No such tests.
    None,
    /// No value.
    Empty,
    /// Values that pass.
    Values(Vec<String>),
    /// Not known.
    Open,
}

fn text(demands: &[Demand<'_>], caps: Caps<'_>) -> Kind {
    let mut problem = Problem::default();
    for (test, pass) in demands {
        if let Test::Text(globs) = test {
            if *pass {
                problem.required.push(globs);
            } else {
                problem.excluded.extend(globs);
            }
        }
    }
    if problem.required.is_empty() && problem.excluded.is_empty() {
        return Kind::None;
    }
    match decide(&problem, caps) {
        Answer::Empty => Kind::Empty,
        Answer::Inhabited(Some(word)) => Kind::Values(vec![word]),
        Answer::Inhabited(None) | Answer::Capped => Kind::Open,
    }
}

/// Numbers and points in time; a key compared as both is left open.
fn ordered(demands: &[Demand<'_>], caps: Caps<'_>) -> Kind {
    let written = |test: &Test| match test {
        Test::Number(_, points) | Test::Moment(_, points) => points.to_vec(),
        _ => Vec::new(),
    };
    let has = |moment: bool| {
        demands.iter().any(|(t, _)| match t {
            Test::Number(..) => !moment,
            Test::Moment(..) => moment,
            _ => false,
        })
    };
    let show: fn(Point) -> String = match (has(false), has(true)) {
        (false, false) => return Kind::None,
        (true, true) => return Kind::Open,
        (true, false) => values::show_number,
        (false, true) => values::show_moment,
    };
    let mut points = values::candidates(demands.iter().flat_map(|(test, _)| written(test)));
    points.push(0);
    if !caps.budget.spend(points.len() * demands.iter().map(|(test, _)| test.weight()).sum::<usize>()) {
        return Kind::Open;
    }
    points.retain(|point| {
        demands.iter().all(|(test, pass)| match test {
            Test::Number(relation, bounds) | Test::Moment(relation, bounds) => {
                bounds.iter().any(|b| relation.holds(*point, *b)) == *pass
            }
            _ => true,
        })
    });
    if points.is_empty() { Kind::Empty } else { Kind::Values(points.into_iter().map(show).collect()) }
}

fn address(demands: &[Demand<'_>], caps: Caps<'_>) -> Kind {
    let mut candidates = Vec::new();
    for (test, _) in demands {
        if let Test::Address(blocks) = test {
            candidates.extend(Address::EXTREMES);
            candidates.extend(blocks.iter().flat_map(|b| b.candidates()));
        }
    }
    if candidates.is_empty() {
        return Kind::None;
    }
    candidates.sort_unstable();
    candidates.dedup();
    if !caps.budget.spend(candidates.len() * demands.iter().map(|(test, _)| test.weight()).sum::<usize>()) {
        return Kind::Open;
    }
    candidates.retain(|address| {
        demands.iter().all(|(test, pass)| match test {
            Test::Address(blocks) => blocks.iter().any(|b| b.holds(*address)) == *pass,
            _ => true,
        })
    });
    if candidates.is_empty() {
        return Kind::Empty;
    }
    Kind::Values(candidates.into_iter().map(Address::show).collect())
}
