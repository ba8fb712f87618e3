//! Resources told by more general means than the catalogue's templates: by the form of an id (`subnet-0a1b…`), by the
//! type a request names beside an id, and, where a request names nothing, by what AWS then checks: any of the kind.
//!
//! The last gives patterns (`arn:aws:ec2:eu-west-1:111122223333:vpc/*`), which hold whatever was checked.

use std::borrow::Cow;
use std::collections::BTreeSet;

use iam_model::catalog::ArnPart;

use crate::ids::{kind_of_id, plain};
use crate::json::Raw;
use crate::plan::{Pair, Pattern};
use crate::template::{Call, decoded, escape, is_usable};
use crate::unnamed::{MAKING, Unnamed, names_nothing};

/// Values of a request that are looked at.
const MOST_STEPS: usize = 4096;

/// Members that stand for parameters kept elsewhere: what they name is not in the request.
const ELSEWHERE: &[&str] = &["launchTemplate", "launchTemplateConfigs", "launchTemplateSpecification"];

/// The call as if it was made in the Region that it copies from: what its ids name is there.
pub(crate) fn at_source<'e>(pair: &Pair<'_>, call: &Call<'e>) -> Call<'e> {
    let named = if pair.has_ids { call.request.get("sourceRegion").and_then(Raw::text) } else { None };
    match named {
        Some(Cow::Borrowed(region)) if is_usable(region) => Call { region, ..*call },
        _ => *call,
    }
}

/// Whether a request stands for parameters that are kept elsewhere.
pub(crate) fn starts_elsewhere(call: &Call<'_>) -> bool {
    ELSEWHERE.iter().any(|name| call.request.get(name).is_some_and(|value| !value.is_empty()))
}

/// The form of an action's resource types that says most of an ARN: a backup's ARN fits a table's form too, and is none.
pub(crate) fn closest<'p, 'c>(pair: &'p Pair<'c>, arn: &str) -> Option<&'p Pattern<'c>> {
    let literal = |pattern: &&Pattern<'_>| -> usize {
        let parts = pattern.matcher.pattern().parts();
        parts.map(|part| if let ArnPart::Literal(text) = part { text.len() } else { 0 }).sum()
    };
    pair.patterns.iter().filter(|pattern| pattern.matcher.matches(arn)).max_by_key(literal)
}

/// Resources whose ids the request holds, anywhere; only of the action's own types.
pub(crate) fn by_id(pair: &Pair<'_>, call: &Call<'_>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    if !pair.has_ids || starts_elsewhere(call) {
        return out;
    }
    let mut open = vec![call.request];
    let mut steps = 0;
    while let Some(value) = open.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            return BTreeSet::new();
        }
        if let Some(text) = value.text() {
            let of_kind = |kind: &'static str| pair.patterns.iter().filter(move |pattern| pattern.kind == kind);
            let patterns = kind_of_id(&text).into_iter().flat_map(of_kind);
            out.extend(patterns.filter_map(|pattern| one_of(pattern, call, &text)));
        }
        open.extend(value.items());
        open.extend(value.members().map(|(_, member)| member));
    }
    out
}

/// The resource that `resourceType` and `resourceId` name together.
pub(crate) fn by_type(pair: &Pair<'_>, call: &Call<'_>) -> Option<String> {
    let text = |name: &str| call.request.get(name).and_then(Raw::text);
    let (kind, id) = (plain(&text("resourceType")?), text("resourceId")?);
    let fits = |pattern: &&Pattern<'_>| plain(pattern.kind) == kind;
    let starts = |pattern: &&Pattern<'_>| !kind.is_empty() && plain(pattern.kind).starts_with(&kind);
    let pattern = pair.patterns.iter().find(fits).or_else(|| pair.patterns.iter().find(starts))?;
    one_of(pattern, call, id.strip_prefix('/').unwrap_or(&id))
}

/// Resources of a call the catalogue has no templates for: ARNs of the action's types anywhere in the request, else forms
/// whose variables are parameters of the same name.
pub(crate) fn by_name(pair: &Pair<'_>, call: &Call<'_>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    if !pair.templates.is_empty() {
        return out;
    }
    let mut open = vec![call.request];
    let mut steps = 0;
    while let Some(value) = open.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            return BTreeSet::new();
        }
        let arn = value.text().map(decoded).filter(|text| text.starts_with("arn:"));
        out.extend(arn.filter(|arn| pair.patterns.iter().any(|p| p.matcher.matches(arn))).map(|arn| escape(&arn)));
        open.extend(value.items());
        open.extend(value.members().map(|(_, member)| member));
    }
    if out.is_empty() {
        out.extend(pair.patterns.iter().filter_map(|pattern| of_parameters(pattern, call)));
    }
    out
}

/// An ARN whose variables are all parameters of the same name.
fn of_parameters(pattern: &Pattern<'_>, call: &Call<'_>) -> Option<String> {
    let parameter = |name: &str| {
        let mut members = call.request.members();
        let (_, value) = members.find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
        value.scalar().filter(|text| is_usable(text) && !text.starts_with("arn:")).map(|text| escape(&text))
    };
    let mut own = 0;
    let mut out = String::new();
    for part in pattern.matcher.pattern().parts() {
        match part {
            ArnPart::Literal(text) => out.push_str(text),
            ArnPart::Variable("Partition") => out.push_str(call.partition),
            ArnPart::Variable("Region") => out.push_str(call.region),
            ArnPart::Variable("Account") => out.push_str(call.account),
            ArnPart::Variable(name) => {
                own += 1;
                out.push_str(&parameter(name)?);
            }
        }
    }
    (own > 0).then_some(out)
}

/// What a call that names no resource is checked on; nothing where that is not known.
pub(crate) fn any_of_kind(pair: &Pair<'_>, call: &Call<'_>) -> BTreeSet<String> {
    if pair.unnamed != Unnamed::Any || !names_nothing(call) {
        return BTreeSet::new();
    }
    pair.patterns.iter().filter_map(|pattern| one_of(pattern, call, "*")).collect()
}

/// The one ARN of a pattern without variables of its own.
pub(crate) fn any_of_pattern(pattern: &Pattern<'_>, call: &Call<'_>) -> Option<String> {
    one_of(pattern, call, "*")
}

/// What a call makes beside what its name says.
const MADE_TOO: &[(&str, &str)] = &[("ec2:CreateImage", "snapshot")];

/// The kinds of things a call makes, as patterns, but for those that `found` has; nothing where the call makes nothing of a
/// kind of its own. Of a copy `found` has what is copied, which the new one is not.
///
/// Follows the Service Authorization Reference: Amazon EC2 checks copies of snapshots on the new one.
pub(crate) fn made(pair: &Pair<'_>, call: &Call<'_>, found: &BTreeSet<String>) -> Vec<String> {
    let name = pair.action.name();
    let noun = MAKING.iter().find_map(|verb| name.strip_prefix(verb)).filter(|_| pair.unnamed == Unnamed::Made);
    let Some(noun) = noun else { return Vec::new() };
    let noun = if noun == "Address" { "elasticip".to_owned() } else { plain(noun) };
    let is_made = |pattern: &&Pattern<'_>| {
        plain(pattern.kind) == noun || MADE_TOO.contains(&(pair.action.as_str(), pattern.kind))
    };
    // The caller may have named it.
    let is_named = |kind: &str| found.iter().any(|arn| closest(pair, arn).is_some_and(|own| own.kind == kind));
    let is_copy = name.starts_with("Copy");
    let patterns = pair.patterns.iter().filter(is_made).filter(|pattern| is_copy || !is_named(pattern.kind));
    patterns.filter_map(|pattern| one_of(pattern, call, "*")).collect()
}

/// An ARN of a pattern: the call's own partition, region and account, and `value` for its variable. With several
/// variables only a star can stand for all of them.
fn one_of(pattern: &Pattern<'_>, call: &Call<'_>, value: &str) -> Option<String> {
    let value = if value == "*" { value.to_owned() } else { escape(value) };
    let mut own = 0;
    let mut out = String::new();
    for part in pattern.matcher.pattern().parts() {
        out.push_str(match part {
            ArnPart::Literal(text) => text,
            ArnPart::Variable("Partition") => call.partition,
            ArnPart::Variable("Region") => call.region,
            ArnPart::Variable("Account") => call.account,
            ArnPart::Variable(_) => {
                own += 1;
                &value
            }
        });
    }
    (own == 1 || value == "*").then_some(out)
}
