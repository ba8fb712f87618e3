//! Names in a request that also holds ARNs: a list may name some of its resources by ARN and others by name, and one
//! parameter may hold an ARN where another holds a name. What each names is asked for.

use std::collections::BTreeSet;

use iam_model::catalog::TemplateTarget;

use super::{filled, fits, is_function, value_of};
use crate::identified::closest;
use crate::plan::{Pair, Pattern, Slot};
use crate::template::{Call, Text};

/// What a template finds in a request beside ARNs.
struct Names {
    values: Vec<String>,
    /// Whether it finds ARNs of the action's own types too.
    mixed: bool,
}

/// ARNs of what a request names without one, of which `named` are the ARNs it holds. Nothing where what stands beside
/// ARNs in one list cannot be told.
pub(super) fn beside(pair: &Pair<'_>, call: &Call<'_>, named: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let all: Vec<Names> = pair.templates.iter().map(|template| names(pair, call, template)).collect();
    let values: Vec<Vec<String>> = all.iter().map(|names| names.values.clone()).collect();
    let mut open: BTreeSet<usize> = (0..all.len()).filter(|at| all.get(*at).is_some_and(Names::is_open)).collect();
    let is_named = |kind: &str| named.iter().any(|arn| closest(pair, arn).is_some_and(|own| own.kind == kind));
    let mut out = BTreeSet::new();
    for (pattern, slots) in pair.patterns.iter().filter_map(|pattern| Some((pattern, pattern.slots.as_ref()?))) {
        let used = templates_of(slots);
        let mixed = used.iter().any(|at| all.get(*at).is_some_and(|names| names.mixed));
        let is_plain = |at: &usize| values.get(*at).is_some_and(|values| values.iter().all(|value| value != "*"));
        if mixed || !is_named(pattern.kind) && used.iter().all(is_plain) {
            let found = filled(slots, &values, call);
            if !found.is_empty() {
                open.retain(|at| !used.contains(at));
            }
            out.extend(found);
        }
    }
    out.extend(indexes(pair, named, &values));
    open.is_empty().then_some(out)
}

impl Names {
    /// Whether it finds names that have to be told.
    fn is_open(&self) -> bool {
        self.mixed && !self.values.is_empty()
    }
}

fn names<'c>(pair: &Pair<'c>, call: &Call<'_>, (target, texts): &(TemplateTarget<'c>, Vec<Text<'c>>)) -> Names {
    let TemplateTarget::Variable(variable) = target else { return Names { values: Vec::new(), mixed: false } };
    if is_function(pair, *target) {
        return Names { values: Vec::new(), mixed: false };
    }
    // A star stands for what is not named at all.
    let texts = || texts.iter().filter(|text| !text.is_star());
    let of = |text: &Text<'_>| value_of(pair, variable, text, call, text.names(call));
    let values = texts().map(of).find(|values| !values.is_empty()).unwrap_or_default();
    let mixed = texts().flat_map(|text| text.arns(call)).any(|arn| fits(pair, &arn));
    Names { values, mixed }
}

/// The templates whose values a form needs.
fn templates_of(slots: &[Slot<'_>]) -> BTreeSet<usize> {
    let template = |slot: &Slot<'_>| match slot {
        Slot::Value(at) | Slot::Head(at, _) | Slot::Tail(at, _) => Some(*at),
        _ => None,
    };
    slots.iter().filter_map(template).collect()
}

/// The index that a request names of a table that it names by ARN.
fn indexes(pair: &Pair<'_>, named: &BTreeSet<String>, values: &[Vec<String>]) -> Vec<String> {
    let variable = |target: &TemplateTarget<'_>| *target == TemplateTarget::Variable("IndexName");
    let at = pair.templates.iter().position(|(target, _)| variable(target)).filter(|_| pair.has_indexes);
    let index = at.and_then(|at| values.get(at)).map(Vec::as_slice).unwrap_or_default();
    let is_table = |arn: &&String| closest(pair, arn).is_some_and(|pattern: &Pattern<'_>| pattern.kind == "table");
    let tables = named.iter().filter(is_table);
    tables.flat_map(|table| index.iter().map(move |index| format!("{table}/index/{index}"))).collect()
}
