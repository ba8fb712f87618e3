//! Which resources a call was authorised on: what the event names, else what its parameters make, else `*`.
//!
//! Follows the Service Authorization Reference: only ARNs of the action's own resource types count, since an ARN of
//! another type in a policy grants nothing.

mod beside;

use std::borrow::Cow;
use std::collections::BTreeSet;

use iam_model::arn::AccountId;
use iam_model::catalog::{ArnPart, TemplateTarget};
use memchr::memmem;

use crate::certain::{PATH, QUALIFIER, may_name_another, names_another, secret};
use crate::complete;
use crate::functions::Function;
use crate::identified::{
    any_of_kind, any_of_pattern, at_source, by_id, by_name, by_type, closest, made, starts_elsewhere,
};
use crate::json::Raw;
use crate::plan::{Pair, Slot, When};
use crate::template::{Call, Text, escape};
use crate::together::Together;
use crate::unnamed::{Unnamed, is_on_more, names_nothing, needs_the_one};

/// Resources of one call that are told apart.
const MOST_RESOURCES: usize = 64;

/// What a call was authorised on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resources {
    /// Sorted, distinct; `*` alone where nothing can be told or the action takes no resource.
    pub(crate) arns: Vec<String>,
    /// Whether the event told.
    pub(crate) known: bool,
}

impl Resources {
    pub(crate) fn star(known: bool) -> Self {
        Self { arns: vec!["*".to_owned()], known }
    }
}

/// Tells the resources of one action of one call.
pub(crate) fn of_pair(pair: &Pair<'_>, call: &Call<'_>, named: Option<Raw<'_>>) -> Resources {
    if !pair.takes_resource {
        return Resources::star(true);
    }
    if is_on_more(pair.action.as_str(), call) {
        return Resources::star(false);
    }
    let each = matches!(pair.together, Together::Each(_));
    // A launch template names more than the request does.
    if each && pair.has_ids && starts_elsewhere(call) {
        return Resources::star(false);
    }
    let found = if pair.copies || matches!(pair.when, When::TemplateResolves) {
        Some(templates(pair, call)).filter(|found| !found.is_empty()).unwrap_or_else(|| named_resources(pair, named))
    } else {
        named_or_made(pair, call, named)
    };
    let found = if found.is_empty() { by_type(pair, call).into_iter().collect() } else { found };
    let found = if found.is_empty() { by_name(pair, call) } else { found };
    if found.is_empty() && pair.unnamed == Unnamed::Star && names_nothing(call) {
        return Resources::star(true);
    }
    let found = if found.is_empty() { unnamed(pair, call) } else { found };
    let mut found = found;
    let told = !found.is_empty() && complete::complete(pair, call, &mut found);
    if !told || found.len() > MOST_RESOURCES {
        return Resources::star(false);
    }
    Resources { arns: found.into_iter().collect(), known: true }
}

/// What a call that names nothing is checked on.
fn unnamed(pair: &Pair<'_>, call: &Call<'_>) -> BTreeSet<String> {
    if let [only] = pair.patterns.as_slice()
        && only.matcher.pattern().parts().all(|part| !is_own_variable(part))
        && needs_the_one(pair.action.as_str())
    {
        return any_of_pattern(only, call).into_iter().collect();
    }
    any_of_kind(pair, call)
}

fn is_own_variable(part: ArnPart<'_>) -> bool {
    matches!(part, ArnPart::Variable(name) if !["Partition", "Region", "Account"].contains(&name))
}

/// The event's own resources, and parts of them that only the parameters name; without any, what the parameters make.
fn named_or_made(pair: &Pair<'_>, call: &Call<'_>, named: Option<Raw<'_>>) -> BTreeSet<String> {
    let mut found = named_resources(pair, named);
    if !found.is_empty() && !pair.has_indexes {
        return found;
    }
    let made = templates(pair, call);
    if found.is_empty() {
        found = made;
    } else {
        let parts: Vec<String> = made.into_iter().filter(|arn| found.iter().any(|whole| extends(arn, whole))).collect();
        found.extend(parts);
    }
    if pair.has_indexes {
        let wholes: Vec<String> =
            found.iter().filter(|arn| found.iter().any(|other| extends(other, arn))).cloned().collect();
        wholes.iter().for_each(|arn| {
            found.remove(arn);
        });
    }
    found
}

/// Whether `arn` names a part of `whole`, as an index's ARN names a part of its table.
fn extends(arn: &str, whole: &str) -> bool {
    arn.strip_prefix(whole).is_some_and(|rest| rest.starts_with("/index/"))
}

/// The event's own `resources`, as far as they are of the action's types.
pub(crate) fn named_resources(pair: &Pair<'_>, named: Option<Raw<'_>>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut points = Vec::new();
    for item in named.into_iter().flat_map(Raw::items).take(MOST_RESOURCES + 1) {
        let Some(arn) = named_arn(item).and_then(Raw::text) else { continue };
        if fits(pair, &arn) {
            out.insert(escape(&arn));
        } else if arn.contains(ACCESS_POINT) {
            points.push(escape(&arn));
        }
    }
    // An object that is reached through an access point is asked for as the point's own too.
    let through = |point: &String| {
        let key = |object: &String| Some(format!("{point}/object/{}", object.split_once(":::")?.1.split_once('/')?.1));
        out.iter().filter_map(key).filter(|arn| fits(pair, arn)).collect::<Vec<String>>()
    };
    let objects: Vec<String> = points.iter().flat_map(through).collect();
    out.extend(objects);
    out
}

/// In the ARN of an access point to a bucket.
const ACCESS_POINT: &str = ":accesspoint/";

/// The ARN of one of the event's own resources.
pub(crate) fn named_arn(item: Raw<'_>) -> Option<Raw<'_>> {
    item.get("ARN").or_else(|| item.get("arn"))
}

/// Those of an event's own ARNs that are of the action's types; `false` where they do not tell.
pub(crate) fn of_arns(pair: &Pair<'_>, arns: &[Cow<'_, str>], into: &mut Resources) -> bool {
    if arns.iter().any(|arn| arn.contains(ACCESS_POINT)) {
        return false;
    }
    into.known = true;
    into.arns.clear();
    into.arns.extend(arns.iter().filter(|arn| fits(pair, arn)).map(|arn| escape(arn)));
    into.arns.sort();
    into.arns.dedup();
    (1..=MOST_RESOURCES).contains(&into.arns.len())
}

fn fits(pair: &Pair<'_>, arn: &str) -> bool {
    arn.starts_with("arn:") && pair.patterns.iter().any(|pattern| pattern.matcher.matches(arn))
}

/// ARNs made from request parameters.
fn templates(pair: &Pair<'_>, call: &Call<'_>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut values: Vec<Vec<String>> = Vec::with_capacity(pair.templates.len());
    let (mut starred, mut missing) = (false, false);
    let holds_arns = memmem::find(call.request.0, b"arn:").is_some();
    for (target, texts) in &pair.templates {
        if is_function(pair, *target) {
            out.extend(texts.iter().flat_map(|text| text.values(call)).flat_map(|name| functions(pair, &name, call)));
            values.push(Vec::new());
            continue;
        }
        if holds_arns {
            let named = texts.iter().flat_map(|text| text.arns(call));
            let named = named.map(|arn| without_place(&arn).to_owned());
            named.filter(|arn| fits(pair, arn)).for_each(|arn| secret(arn, &mut out));
        }
        let mut found = Vec::new();
        match target {
            TemplateTarget::AnyArn => out.extend(whole_arns(texts, call)),
            TemplateTarget::Arn(_) => out.extend(whole_arns(texts, call).filter(|arn| fits(pair, arn))),
            TemplateTarget::Variable(name) => {
                found = texts
                    .iter()
                    .map(|text| value_of(pair, name, text, call, text.values(call)))
                    .find(|found| !found.is_empty())
                    .unwrap_or_default();
                starred |= texts.iter().any(Text::is_star);
                missing |= found.is_empty();
            }
        }
        values.push(found);
    }
    let beside = if holds_arns && !out.is_empty() { beside::beside(pair, call, &out) } else { Some(BTreeSet::new()) };
    let Some(beside) = beside else { return BTreeSet::new() };
    // Of an action that is checked on several kinds at once, some may be named by ARN and others by name.
    let each = matches!(pair.together, Together::Each(_));
    if !out.is_empty() && !pair.has_ids && !each {
        out.extend(beside);
        return out;
    }
    let (own, call) = (call, &at_source(pair, call));
    let ids = by_id(pair, call);
    if (out.is_empty() || each) && !(starred && missing && ids.is_empty()) {
        let named = out.clone();
        let is_named = |kind: &str| named.iter().any(|arn| closest(pair, arn).is_some_and(|own| own.kind == kind));
        let open = pair.patterns.iter().filter(|pattern| !is_named(pattern.kind));
        for slots in open.filter_map(|pattern| pattern.slots.as_ref()) {
            out.extend(filled(slots, &values, call));
        }
    }
    out.extend(ids);
    out.extend(beside);
    out.extend(made(pair, own, &out));
    out
}

/// Whether a template's values are functions by name.
fn is_function(pair: &Pair<'_>, target: TemplateTarget<'_>) -> bool {
    target == TemplateTarget::Variable("FunctionName") && pair.action.service() == "lambda"
}

/// The ARNs of a function that a call names. With a version or alias it is asked for on that where it is invoked; of other
/// actions it is not known whether on that or on the function.
fn functions(pair: &Pair<'_>, name: &str, call: &Call<'_>) -> Vec<String> {
    let Some(function) = Function::parse(name) else { return Vec::new() };
    let arn = function.arn(call);
    let asked = call.request.get(QUALIFIER).and_then(Raw::text).filter(|_| pair.together != Together::Qualified);
    let asked = asked.as_deref().filter(|asked| !asked.is_empty()).map(escape);
    let qualified = function.qualifier.map(ToOwned::to_owned).or(asked).map(|qualifier| format!("{arn}:{qualifier}"));
    match qualified {
        Some(qualified) if pair.together == Together::Qualified => vec![qualified],
        Some(qualified) => vec![arn, qualified],
        None => vec![arn],
    }
}

/// A stream's ARN without the place in it that an iterator says behind: `…/stream/2026-11-20T08:15:30.123|1|AAAA`.
fn without_place(arn: &str) -> &str {
    if arn.contains(":dynamodb:") { arn.split('|').next().unwrap_or(arn) } else { arn }
}

/// The values of a variable, of those that a text `found`; any value, where the parameter holds something else than the
/// variable asks for, or only narrows what the call looks for.
pub(crate) fn value_of(
    pair: &Pair<'_>,
    variable: &str,
    text: &Text<'_>,
    call: &Call<'_>,
    found: Vec<String>,
) -> Vec<String> {
    let other = |parameter: &str| {
        names_another(variable, parameter) || may_name_another(pair.action.service(), variable, parameter)
    };
    match text.parameter() {
        _ if !found.is_empty() && text.is_filter() => vec!["*".to_owned()],
        Some(parameter) if !found.is_empty() && other(parameter) => vec!["*".to_owned()],
        Some(_) if variable.ends_with("NameWithPath") => found.into_iter().map(|name| with_path(&name, call)).collect(),
        _ => found,
    }
}

/// The name of a new identity, behind the path that it is made at.
fn with_path(name: &str, call: &Call<'_>) -> String {
    let path = call.request.get(PATH).and_then(Raw::text).unwrap_or_default();
    let path = path.trim_matches('/');
    if path.is_empty() { name.to_owned() } else { format!("{}/{name}", escape(path)) }
}

fn whole_arns<'t>(texts: &'t [Text<'_>], call: &'t Call<'_>) -> impl Iterator<Item = String> + 't {
    // A template that makes an ARN of a name makes none of an ARN.
    let one = |arn: &String| arn.starts_with("arn:") && arn.matches("arn:").count() == 1;
    texts.iter().flat_map(|text| text.values(call)).filter(one)
}

/// An ARN with every variable filled in, once for each value; nothing if one has no value.
fn filled(slots: &[Slot<'_>], values: &[Vec<String>], call: &Call<'_>) -> Vec<String> {
    let found = || {
        slots.iter().filter_map(|slot| match slot {
            Slot::Value(template) | Slot::Head(template, _) => {
                Some(values.get(*template).map_or(&[][..], Vec::as_slice))
            }
            _ => None,
        })
    };
    // Several values of several variables do not say which belong together.
    let many = found().filter(|values| values.len() > 1).count();
    let unfit = |values: &[String]| values.is_empty() || values.iter().any(|value| value.starts_with("arn:"));
    if many > 1 || found().any(unfit) {
        return Vec::new();
    }
    let rounds = found().map(<[String]>::len).max().unwrap_or_default();
    let arn = |round: usize| -> String {
        let mut out = String::with_capacity(96);
        let value = |template: usize| {
            let values = values.get(template).map_or(&[][..], Vec::as_slice);
            values.get(round).or_else(|| values.first()).map_or("", String::as_str)
        };
        let mut kind = "";
        for slot in slots {
            let before = std::mem::take(&mut kind);
            let text = match slot {
                Slot::Literal(text) => {
                    kind = text;
                    text
                }
                Slot::Partition => call.partition,
                Slot::Region => call.region,
                // An organisation's resources belong to its management account, whoever calls.
                Slot::Account if out.contains(":organizations:") => "*",
                Slot::Account => call.account,
                Slot::Value(template) => without_head(&out, without_kind(before, value(*template))),
                Slot::Head(template, between) => value(*template).split(between).next().unwrap_or_default(),
                Slot::Tail(template, between) => value(*template).split_once(between).map_or("*", |(_, tail)| tail),
            };
            out.push_str(text);
        }
        out
    };
    (0..rounds).map(arn).collect()
}

/// An id without the kind that Amazon Route 53 gives it with: `/hostedzone/Z1` after `:route53:::hostedzone/`.
fn without_kind<'v>(before: &str, value: &'v str) -> &'v str {
    let kind = before.rsplit(':').next().filter(|kind| kind.len() > 1 && kind.ends_with('/'));
    let id = kind.and_then(|kind| value.strip_prefix('/')?.strip_prefix(kind));
    id.filter(|id| !id.is_empty()).unwrap_or(value)
}

/// A name that a caller gave as the end of an ARN: `111122223333:function:f` after `…:function:`, `ou-a1` after `…/ou-`.
fn without_head<'v>(written: &str, value: &'v str) -> &'v str {
    let begun = written.rsplit([':', '/']).next().filter(|begun| !begun.is_empty());
    if let Some(rest) = begun.and_then(|begun| value.strip_prefix(begun)) {
        return rest;
    }
    let kind = written.strip_suffix(':').and_then(|head| head.rsplit(':').next()).filter(|kind| !kind.is_empty());
    let cut = || {
        let (head, name) = value.split_once(kind?)?;
        let account = head.strip_suffix(':').is_some_and(AccountId::is_number);
        (head.is_empty() || account).then_some(name)?.strip_prefix(':').filter(|name| !name.is_empty())
    };
    cut().unwrap_or(value)
}

/// Roles named in a request, for `iam:PassRole`: any depth, any service's spelling.
pub(crate) fn passed_roles(pair: &Pair<'_>, call: &Call<'_>) -> Resources {
    let (roles, by_name) = roles(pair, call);
    // A name alone does not tell the path that the role is at.
    if by_name || roles.is_empty() || roles.len() > MOST_RESOURCES {
        return Resources::star(false);
    }
    Resources { arns: roles.into_iter().collect(), known: true }
}

/// The ARNs of roles in a request, and whether it names a role without one.
fn roles(pair: &Pair<'_>, call: &Call<'_>) -> (BTreeSet<String>, bool) {
    // A template's star stands for a role that is not named.
    let named = |arn: &String| is_role(arn) && !arn.ends_with('*');
    let mut roles: BTreeSet<String> = templates(pair, call).into_iter().filter(named).collect();
    let mut by_name = false;
    let mut open = vec![(false, call.request)];
    let mut steps = 0;
    while let Some((named, value)) = open.pop() {
        steps += 1;
        if steps > 4096 || roles.len() > MOST_RESOURCES {
            break;
        }
        if let Some(text) = value.text().filter(|text| named && is_role(text)) {
            roles.insert(escape(&text));
        }
        by_name |=
            value.members().any(|(key, value)| holds_role(key) && value.text().is_some_and(|name| is_name(&name)));
        open.extend(value.items().map(|item| (named, item)));
        open.extend(value.members().map(|(key, member)| (named || names_role(key), member)));
    }
    (roles, by_name)
}

/// Whether the request names a role by its ARN or its name alone, or an instance profile, which holds one.
pub(crate) fn passes_role(pair: &Pair<'_>, call: &Call<'_>) -> bool {
    let (roles, by_name) = roles(pair, call);
    by_name
        || !roles.is_empty()
        || Text::compile("%many%${iamInstanceProfile.arn}|${iamInstanceProfile.name}")
            .iter()
            .any(|text| !text.values(call).is_empty())
}

fn is_role(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.nth(1) == Some("iam")
        && parts.nth(2).is_some_and(|rest| rest.starts_with("role/"))
}

/// `taskRoleArn`, `serviceRole`, `domainIAMRoleName`: a member that holds a role by its ARN or by its name alone.
fn holds_role(key: &[u8]) -> bool {
    let ends = |tail: &[u8]| key.len().checked_sub(tail.len()).and_then(|at| key.get(at..)) == Some(tail);
    key.eq_ignore_ascii_case(b"role") || [&b"Role"[..], b"RoleName", b"RoleArn", b"RoleARN"].into_iter().any(ends)
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@-_".contains(&b))
}

fn names_role(key: &[u8]) -> bool {
    key.windows(4).any(|window| window.eq_ignore_ascii_case(b"role"))
}
