//! One statement: edited where it stands, or written anew.

use iam_model::policy::{ActionElement, Effect, PrincipalElement, PrincipalPattern, ResourceElement, Statement};

use super::{Author, list};
use crate::compare::SourceStatement;
use crate::op::{New, Op};
use crate::refusal::Refusal;
use crate::tree::{Node, Path};

/// The operations that turn `old` into `new` at its place.
pub(super) fn edit(
    author: &mut Author<'_>,
    source: &SourceStatement<'_>,
    old: &Statement,
    new: &Statement,
) -> Result<Vec<Op>, Refusal> {
    if !same_shape(source, old, new) {
        let with = whole(author, new);
        return Ok(vec![Op::Replace { at: source.place.clone(), with, whole_line: false }]);
    }
    let mut ops = Vec::new();
    let (node, place) = (source.node, &source.place);
    ops.extend(sid(source, old, new));
    ops.extend(effect(source, old, new));
    ops.extend(principals(author, source, old, new));
    let names = |action: &ActionElement| action.patterns().iter().map(|p| p.value.as_str().to_owned()).collect();
    if let Some((index, value)) = node.find("Action").or_else(|| node.find("NotAction")) {
        let (old, new): (Vec<String>, Vec<String>) = (names(&old.action), names(&new.action));
        ops.extend(list::edit(author, value, &place.child(index), &old, &new, list::Element::Action)?);
    }
    let names = |resource: &ResourceElement| resource.patterns().iter().map(|p| p.value.as_str().to_owned()).collect();
    if let Some((index, value)) = node.find("Resource").or_else(|| node.find("NotResource")) {
        let (old, new): (Vec<String>, Vec<String>) = (names(&old.resource), names(&new.resource));
        ops.extend(list::edit(author, value, &place.child(index), &old, &new, list::Element::Resource)?);
    }
    ops.extend(condition(author, source, old, new));
    Ok(ops)
}

/// Whether the statement keeps its keys: which of `Action`/`NotAction` and so on it uses.
fn same_shape(source: &SourceStatement<'_>, old: &Statement, new: &Statement) -> bool {
    let negated = |s: &Statement| {
        (
            matches!(s.action, ActionElement::NotAction(_)),
            matches!(s.resource, ResourceElement::NotResource(_)),
            matches!(s.resource, ResourceElement::Absent),
            principal(s).map(|(key, _)| key),
        )
    };
    let written = principal(new).is_none_or(|(key, _)| source.node.find(key).is_some());
    negated(old) == negated(new) && written && new.effect != Effect::Unknown && source.node.find("Effect").is_some()
}

fn effect(source: &SourceStatement<'_>, old: &Statement, new: &Statement) -> Option<Op> {
    let (index, _) = source.node.find("Effect").filter(|_| old.effect != new.effect)?;
    let word = if new.effect == Effect::Deny { "Deny" } else { "Allow" };
    Some(Op::Replace { at: source.place.child(index), with: New::text(word), whole_line: false })
}

/// The principals that come and go, where each stands; all of them anew where that cannot be told.
fn principals(author: &mut Author<'_>, source: &SourceStatement<'_>, old: &Statement, new: &Statement) -> Vec<Op> {
    let (Some((_, before)), Some((key, after))) = (kinds(old), kinds(new)) else { return Vec::new() };
    let Some((index, node)) = source.node.find(key).filter(|_| before != after) else { return Vec::new() };
    let at = source.place.child(index);
    if let Some(ops) = principals_in_place(author, node, &at, &before, &after) {
        return ops;
    }
    let with = principal(new).map(|(_, with)| with);
    with.map(|with| Op::Replace { at, with, whole_line: false }).into_iter().collect()
}

fn principals_in_place(
    author: &mut Author<'_>,
    node: &Node,
    at: &Path,
    before: &[(String, Vec<String>)],
    after: &[(String, Vec<String>)],
) -> Option<Vec<Op>> {
    // A key that nobody wrote belongs to a block of Terraform.
    let written = |e: &crate::tree::Entry| !e.key.span.is_empty();
    if !node.is_map() || node.tag.is_some() || !node.entries().iter().all(written) {
        return None;
    }
    let known = |kind: &String| before.iter().any(|(other, _)| other == kind);
    if after.is_empty() || !after.iter().all(|(kind, _)| known(kind)) || node.entries().len() != before.len() {
        return None;
    }
    let mut ops = Vec::new();
    for (kind, old) in before {
        let (index, value) = node.find(kind)?;
        let place = at.child(index);
        match after.iter().find(|(other, _)| other == kind) {
            Some((_, new)) => ops.extend(list::edit(author, value, &place, old, new, list::Element::Principal).ok()?),
            None => ops.push(Op::Remove { at: place }),
        }
    }
    Some(ops)
}

fn sid(source: &SourceStatement<'_>, old: &Statement, new: &Statement) -> Option<Op> {
    let text = new.sid.as_ref().filter(|_| old.sid != new.sid)?;
    let with = New::text(text.clone());
    if let Some((index, _)) = source.node.find("Sid") {
        return Some(Op::Replace { at: source.place.child(index), with, whole_line: false });
    }
    let (index, _) = source.node.find("Effect")?;
    Some(Op::InsertEntry { after: source.place.child(index), key: "Sid".into(), with })
}

fn condition(author: &mut Author<'_>, source: &SourceStatement<'_>, old: &Statement, new: &Statement) -> Option<Op> {
    let texts = |s: &Statement| {
        let line = |c: &iam_model::condition::Condition| {
            let values: Vec<String> = c.values.iter().map(|v| v.value.clone()).collect();
            (c.operator.to_string(), c.key.as_str().to_ascii_lowercase(), values)
        };
        let mut lines: Vec<_> = s.conditions.iter().map(line).collect();
        lines.sort();
        lines
    };
    if texts(old) == texts(new) {
        return None;
    }
    let found = source.node.find("Condition").map(|(index, _)| source.place.child(index));
    match (found, conditions(author, new)) {
        (Some(at), Some(with)) => Some(Op::Replace { at, with, whole_line: false }),
        (Some(at), None) => Some(Op::Remove { at }),
        (None, Some(with)) => {
            let last = source.node.entries().len().checked_sub(1)?;
            Some(Op::InsertEntry { after: source.place.child(last), key: "Condition".into(), with })
        }
        (None, None) => None,
    }
}

/// A list of statements.
pub(super) fn list(author: &mut Author<'_>, statements: &[Statement]) -> New {
    New::Seq(statements.iter().map(|statement| whole(author, statement)).collect())
}

/// A statement written anew.
pub(super) fn whole(author: &mut Author<'_>, statement: &Statement) -> New {
    let mut entries: Vec<(String, New)> = Vec::new();
    if let Some(sid) = &statement.sid {
        entries.push(("Sid".into(), New::text(sid.clone())));
    }
    let effect = if statement.effect == Effect::Deny { "Deny" } else { "Allow" };
    entries.push(("Effect".into(), New::text(effect)));
    if let Some((key, value)) = principal(statement) {
        entries.push((key.into(), value));
    }
    let key = if matches!(statement.action, ActionElement::NotAction(_)) { "NotAction" } else { "Action" };
    let actions = statement.action.patterns().iter().map(|p| New::text(p.value.as_str()));
    entries.push((key.into(), New::Seq(actions.collect())));
    let key = if matches!(statement.resource, ResourceElement::NotResource(_)) { "NotResource" } else { "Resource" };
    let resources: Vec<New> = statement.resource.patterns().iter().map(|p| author.resource(p.value.as_str())).collect();
    if !matches!(statement.resource, ResourceElement::Absent) {
        entries.push((key.into(), one_or_many(resources)));
    }
    if let Some(conditions) = conditions(author, statement) {
        entries.push(("Condition".into(), conditions));
    }
    New::Map(entries)
}

fn one_or_many(mut items: Vec<New>) -> New {
    match (items.pop(), items.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            items.extend(last);
            New::Seq(items)
        }
    }
}

fn conditions(author: &mut Author<'_>, statement: &Statement) -> Option<New> {
    let mut operators: Vec<(String, Vec<(String, New)>)> = Vec::new();
    for condition in &statement.conditions {
        let values = condition.values.iter().map(|v| author.resource(&v.value)).collect();
        let entry = (condition.key.as_str().to_owned(), one_or_many(values));
        let operator = condition.operator.to_string();
        match operators.iter_mut().find(|(name, _)| *name == operator) {
            Some((_, keys)) => keys.push(entry),
            None => operators.push((operator, vec![entry])),
        }
    }
    let operators: Vec<(String, New)> = operators.into_iter().map(|(name, keys)| (name, New::Map(keys))).collect();
    (!operators.is_empty()).then_some(New::Map(operators))
}

fn principal(statement: &Statement) -> Option<(&'static str, New)> {
    let (key, kinds) = kinds(statement)?;
    let texts = |values: Vec<String>| one_or_many(values.into_iter().map(New::text).collect());
    Some((key, New::Map(kinds.into_iter().map(|(kind, values)| (kind, texts(values))).collect())))
}

/// The principals of each kind, such as `Service`.
type Kinds = Vec<(String, Vec<String>)>;

/// Whether the statement names who may or who may not, and whom.
fn kinds(statement: &Statement) -> Option<(&'static str, Kinds)> {
    let (key, patterns) = match statement.principal.as_ref()? {
        PrincipalElement::Principal(patterns) => ("Principal", patterns),
        PrincipalElement::NotPrincipal(patterns) => ("NotPrincipal", patterns),
    };
    let mut kinds = Kinds::new();
    for pattern in patterns {
        let (kind, text) = match &pattern.value {
            PrincipalPattern::Everyone => ("AWS", "*"),
            PrincipalPattern::Aws(text) => ("AWS", text.as_str()),
            PrincipalPattern::Service(text) => ("Service", text.as_str()),
            PrincipalPattern::Federated(text) => ("Federated", text.as_str()),
            PrincipalPattern::CanonicalUser(text) => ("CanonicalUser", text.as_str()),
            PrincipalPattern::Unknown { kind, value } => (kind.as_str(), value.as_str()),
        };
        match kinds.iter_mut().find(|(name, _)| name == kind) {
            Some((_, values)) => values.push(text.to_owned()),
            None => kinds.push((kind.to_owned(), vec![text.to_owned()])),
        }
    }
    Some((key, kinds))
}

/// A source value as one to write again in another place; a short form around a list or a mapping in its long form.
pub(super) fn copied(node: &Node) -> Option<New> {
    if let Some(text) = node.raw_text() {
        return Some(match &node.tag {
            Some(tag) => New::Tagged(tag.clone(), text.to_owned()),
            None => New::text(text),
        });
    }
    let Some(tag) = &node.tag else { return copied_below(node) };
    let name = tag.strip_prefix('!').filter(|name| !name.is_empty() && !name.starts_with('!'))?;
    let key = if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") };
    Some(New::Map(vec![(key, copied_below(node)?)]))
}

fn copied_below(node: &Node) -> Option<New> {
    if node.is_map() {
        let entry = |e: &crate::tree::Entry| Some((e.name().to_owned(), copied(&e.value)?));
        return node.entries().iter().map(entry).collect::<Option<Vec<_>>>().map(New::Map);
    }
    node.items().iter().map(copied).collect::<Option<Vec<_>>>().map(New::Seq)
}
