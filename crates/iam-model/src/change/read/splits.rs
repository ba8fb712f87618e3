//! Reading the `splits` of a changes file.
//!
//! A split is read whole or not at all: half of it would leave a function without its role.

use std::collections::{BTreeMap, BTreeSet};

use super::{reason, understood};
use crate::arn::Arn;
use crate::change::{NewPolicy, RolePart, RoleSplit};
use crate::json::{Node, NodeKind};
use crate::policy::PolicyDocument;
use crate::reading::{Reader, present, shown};

const PART_KEYS: &[&str] = &[
    "function",
    "role",
    "trust",
    "policies",
    "managed_policies",
    "new_managed_policies",
    "boundary",
    "tags",
    "description",
];

/// Every split that can be read; the others are named and left out.
pub(super) fn splits(reader: &mut Reader<'_>, root: &Node<'_>) -> Vec<RoleSplit> {
    let Some(list) = present(root, "splits") else { return Vec::new() };
    if !matches!(list.kind, NodeKind::Array(_)) {
        reader.error(list.span, "the changes file", "its `splits` are no list".into());
        return Vec::new();
    }
    let mut splits = Vec::new();
    for (index, node) in list.items().iter().enumerate() {
        let within = format!("split {index}");
        match split(reader, node, &within) {
            Some(read) => splits.push((node, within, read)),
            None => reader.error(node.span, &within, "the split is left out: not all of it can be read".into()),
        }
    }
    let shared = shared(&splits);
    for (node, within, _) in splits.iter().filter(|(.., split)| split.parts.iter().any(|p| is_shared(p, &shared))) {
        let message = "the split is left out: another part makes the same role, or moves the same function; a role of its own \
                       for each function is what a split is for";
        reader.error(node.span, within, message.into());
    }
    let alone = splits.into_iter().map(|(.., split)| split);
    alone.filter(|split| !split.parts.iter().any(|part| is_shared(part, &shared))).collect()
}

/// What a role is called within its account: names are told apart without their paths, and whatever the case.
fn called(role: &Arn) -> String {
    format!("{}:role/{}", role.account().map(|id| id.to_string()).unwrap_or_default(), role.name().to_ascii_lowercase())
}

/// Functions and names of roles that more than one part speaks of.
fn shared(splits: &[(&Node<'_>, String, RoleSplit)]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let parts = splits.iter().flat_map(|(.., split)| &split.parts);
    let named = parts.flat_map(|part| [called(&part.role), part.function.to_string()]);
    named.filter(|name| !seen.insert(name.clone())).collect()
}

fn is_shared(part: &RolePart, shared: &BTreeSet<String>) -> bool {
    shared.contains(&called(&part.role)) || shared.contains(part.function.as_str())
}

fn split(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<RoleSplit> {
    reader.note_unknown_keys(node, &["role", "parts"], within);
    let role = reader.arn(node, "role", within)?;
    let nodes = reader.list(node, "parts", within)?;
    let mut parts = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        parts.push(part(reader, node, &format!("{within}, part {index}"))?);
    }
    parts.sort_by(|a, b| a.function.cmp(&b.function));
    if let Some(pair) = parts.windows(2).find(|pair| twice(pair)) {
        let function = pair.first().map_or("", |part| part.function.as_str());
        reader.error(node.span, within, format!("`{function}` has two parts"));
        return None;
    }
    (!parts.is_empty()).then_some(RoleSplit { role, parts })
}

fn twice(pair: &[RolePart]) -> bool {
    matches!(pair, [a, b] if a.function == b.function)
}

fn part(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<RolePart> {
    reader.note_unknown_keys(node, PART_KEYS, within);
    let function = reader.arn(node, "function", within)?;
    let role = reader.arn(node, "role", within)?;
    let trust = document(reader, node, "trust", within)?;
    let policies = policies(reader, node, "policies", within)?;
    let new_managed_policies = match present(node, "new_managed_policies") {
        Some(_) => self::policies(reader, node, "new_managed_policies", within)?,
        None => Vec::new(),
    };
    let mut managed_policies = Vec::new();
    if present(node, "managed_policies").is_some() {
        for item in reader.list(node, "managed_policies", within)? {
            managed_policies.push(arn(reader, item, within)?);
        }
    }
    let boundary = reader.optional_arn(node, "boundary", within);
    // A boundary that cannot be read must not become none: a role without its boundary may do more.
    if boundary.is_none() && present(node, "boundary").is_some() {
        return None;
    }
    let tags = tags(reader, node, within)?;
    let description = reader.optional_text(node, "description", within);
    Some(RolePart {
        function,
        role,
        trust,
        policies,
        managed_policies,
        new_managed_policies,
        boundary,
        tags,
        description,
    })
}

/// The new policies under a key, each with a name of its own.
fn policies(reader: &mut Reader<'_>, node: &Node<'_>, key: &str, within: &str) -> Option<Vec<NewPolicy>> {
    let nodes = reader.list(node, key, within)?;
    let inline = key == "policies";
    let what = if inline { "policy" } else { "new managed policy" };
    let mut policies = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        policies.push(policy(reader, node, &format!("{within}, {what} {index}"))?);
    }
    // Names in an account are one whatever their case.
    let called = |policy: &NewPolicy| if inline { policy.name.clone() } else { policy.name.to_ascii_lowercase() };
    let mut names: Vec<String> = policies.iter().map(called).collect();
    names.sort_unstable();
    if let Some([name, _]) = names.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
        let whose = if inline { "one role" } else { "one account" };
        let message = format!("two of its `{key}` are called `{}`; {whose} holds one", shown(name));
        reader.error(node.span, within, message);
        return None;
    }
    Some(policies)
}

/// Tags by key; nothing where one is no text, as policies may ask for it.
fn tags(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    let Some(found) = present(node, "tags") else { return Some(tags) };
    let NodeKind::Object(members) = &found.kind else {
        reader.error(found.span, within, format!("its `tags` are {}, not an object of texts", found.describe()));
        return None;
    };
    for member in members.iter() {
        let Some(value) = member.value.as_str() else {
            reader.error(member.value.span, within, "a tag has no text for a value".into());
            return None;
        };
        tags.insert(member.key.to_string(), value.to_owned());
    }
    Some(tags)
}

fn arn(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<Arn> {
    let Some(text) = node.as_str() else {
        reader.error(node.span, within, format!("an ARN is expected, not {}", node.describe()));
        return None;
    };
    reader.parse_arn(text, node.span, within)
}

fn policy(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<NewPolicy> {
    reader.note_unknown_keys(node, &["name", "document", "reasons"], within);
    let name = reader.text(node, "name", within)?;
    let document = document(reader, node, "document", within)?;
    let reasons = match present(node, "reasons") {
        Some(_) => reader.list(node, "reasons", within).unwrap_or_default(),
        None => &[],
    };
    let reasons = reasons.iter().filter_map(|item| reason(reader, item, within)).collect();
    Some(NewPolicy { name, document, reasons })
}

/// A policy that was understood whole: nobody may write what nobody can print.
fn document(reader: &mut Reader<'_>, node: &Node<'_>, key: &str, within: &str) -> Option<PolicyDocument> {
    let Some(found) = present(node, key) else {
        reader.error(node.span, within, format!("it has no `{key}`"));
        return None;
    };
    let document = reader.policy(found, &format!("{within}, {key}"));
    if !understood(&document) {
        reader.error(found.span, within, format!("its `{key}` is not understood whole, so it could not be written"));
        return None;
    }
    Some(document)
}
