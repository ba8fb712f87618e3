//! Which resources a tagging action is checked on that goes with another call, by the kind that [`crate::tagged`] tells.
//!
//! A name is filled in only where the request has it for the kind's own variable; anything stands for the rest. Where the
//! kind is not known nothing is told, and the old grant stays.

use std::collections::BTreeSet;

use iam_model::catalog::{ArnPart, TemplateTarget};

use crate::complete::complete;
use crate::identified::starts_elsewhere;
use crate::ids::plain;
use crate::json::Raw;
use crate::plan::{Pair, Pattern};
use crate::resource::{Resources, value_of};
use crate::tagged::Tagged;
use crate::template::{Call, Text};
use crate::together::Together;

/// The resources that tags of a call are for.
pub(crate) fn resources(pair: &Pair<'_>, call: &Call<'_>) -> Resources {
    let found = match &pair.tagged {
        Tagged::No => None,
        Tagged::BySpecification => specified(call).and_then(|kinds| {
            let any = |kind: &String| of_kinds(pair, call, |own| plain(own) == *kind, false);
            kinds.iter().map(any).collect::<Option<Vec<_>>>().map(|found| found.into_iter().flatten().collect())
        }),
        Tagged::Made { kinds, named } => of_kinds(pair, call, |own| kinds.contains(&own), *named),
    };
    let Some(mut found) = found.filter(|found: &BTreeSet<String>| !found.is_empty()) else {
        return Resources::star(false);
    };
    if pair.together == Together::Scope {
        complete(pair, call, &mut found);
    }
    Resources { arns: found.into_iter().collect(), known: true }
}

/// An ARN of each form of these kinds; nothing where the action is not checked on any.
fn of_kinds(pair: &Pair<'_>, call: &Call<'_>, wanted: impl Fn(&str) -> bool, named: bool) -> Option<BTreeSet<String>> {
    let patterns = pair.patterns.iter().filter(|pattern| wanted(pattern.kind));
    let found: BTreeSet<String> = patterns.map(|pattern| arn(pair, pattern, call, named)).collect();
    (!found.is_empty()).then_some(found)
}

/// An ARN of a form, with what the request names filled in, and anything for the rest.
fn arn(pair: &Pair<'_>, pattern: &Pattern<'_>, call: &Call<'_>, named: bool) -> String {
    let mut out = String::new();
    for part in pattern.matcher.pattern().parts() {
        match part {
            ArnPart::Literal(text) => out.push_str(text),
            ArnPart::Variable("Partition") => out.push_str(call.partition),
            ArnPart::Variable("Region") => out.push_str(call.region),
            ArnPart::Variable("Account") if out.contains(":organizations:") => out.push('*'),
            ArnPart::Variable("Account") => out.push_str(call.account),
            ArnPart::Variable(name) => {
                let value = if named { value(pair, name, call) } else { None };
                out.push_str(value.as_deref().unwrap_or("*"));
            }
        }
    }
    out
}

/// The one value of a variable, where the request has it as a name.
fn value(pair: &Pair<'_>, variable: &str, call: &Call<'_>) -> Option<String> {
    let of_variable =
        |(target, _): &&(TemplateTarget<'_>, Vec<Text<'_>>)| *target == TemplateTarget::Variable(variable);
    let texts = pair.templates.iter().filter(of_variable).flat_map(|(_, texts)| texts);
    let found =
        texts.map(|text| value_of(pair, variable, text, call, text.values(call))).find(|found| !found.is_empty())?;
    match found.as_slice() {
        [value] if !value.contains(':') => Some(value.clone()),
        _ => None,
    }
}

/// Members that say which tags are for which kind.
const SPECIFICATIONS: &[&str] = &["tagSpecificationSet", "tagSpecifications", "tagSpecification"];

/// Values of a request that are looked at.
const MOST_STEPS: usize = 4096;

/// The kinds that a request has tags for; nothing where it does not say, or where a launch template may have more.
fn specified(call: &Call<'_>) -> Option<BTreeSet<String>> {
    if starts_elsewhere(call) {
        return None;
    }
    // Some calls' parameters are wrapped: `{"CreateThingRequest": {"TagSpecification": {…}}}`.
    let wrapped = call.request.members().filter(|(name, _)| name.ends_with(b"Request")).map(|(_, inner)| inner);
    let places = std::iter::once(call.request).chain(wrapped);
    let is_one = |name: &[u8]| SPECIFICATIONS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    let members = places.flat_map(Raw::members).filter(|(name, _)| is_one(name));
    let mut open: Vec<Raw<'_>> = members.map(|(_, value)| value).collect();
    let mut kinds = BTreeSet::new();
    let mut steps = 0;
    while let Some(value) = open.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            return None;
        }
        for (name, member) in value.members() {
            match member.text() {
                Some(kind) if name.eq_ignore_ascii_case(b"resourceType") => {
                    kinds.insert(plain(&kind));
                }
                _ => open.push(member),
            }
        }
        open.extend(value.items());
    }
    (!kinds.is_empty()).then_some(kinds)
}
