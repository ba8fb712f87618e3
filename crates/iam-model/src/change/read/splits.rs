//! Reading the `splits` of a changes file.
//!
//! A split is read whole or not at all: half of it would leave a function without its role.

use super::{reason, understood};
use crate::arn::Arn;
use crate::change::{NewPolicy, RolePart, RoleSplit};
use crate::json::{Node, NodeKind};
use crate::policy::PolicyDocument;
use crate::reading::{Reader, present};

const PART_KEYS: &[&str] = &["function", "role", "trust", "policies", "managed_policies", "boundary", "description"];

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
            Some(read) => splits.push(read),
            None => reader.error(node.span, &within, "the split is left out: not all of it can be read".into()),
        }
    }
    splits
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
    let nodes = reader.list(node, "policies", within)?;
    let mut policies = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        policies.push(policy(reader, node, &format!("{within}, policy {index}"))?);
    }
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
    let description = reader.optional_text(node, "description", within);
    Some(RolePart { function, role, trust, policies, managed_policies, boundary, description })
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
