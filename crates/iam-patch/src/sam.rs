//! SAM's policy templates as the statements SAM makes of them.
//!
//! Data from the AWS SAM topic "Policy template list"; `data/README.md` says how it is made. Compares nothing.

use crate::read::{self, Syntax};
use crate::tree::{Entry, Kind, Node};

const TEMPLATES: &str = include_str!("../data/sam-templates.txt");

/// The list of statements that an item such as `DynamoDBCrudPolicy: {TableName: …}` stands for; nothing for a template
/// that is not known.
pub(crate) fn expanded(item: &Node) -> Option<Node> {
    let [entry] = item.entries() else { return None };
    let known = TEMPLATES.lines().filter_map(|line| line.split_once(' '));
    let (_, statements) = known.into_iter().find(|(name, _)| *name == entry.name())?;
    Some(filled(read::read(statements, Syntax::Json).ok()?, &entry.value))
}

/// The data with the item's parameters in it; other names, such as `AWS::Region`, are left to the template.
fn filled(mut node: Node, parameters: &Node) -> Node {
    match &mut node.kind {
        Kind::Scalar { text, .. } if text.contains("${") => {
            let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            if let Some(given) = whole.and_then(|name| parameters.get(name)) {
                return given.clone();
            }
            let items = vec![Node { tag: None, ..node.clone() }, parameters.clone()];
            node.tag = Some("!Sub".into());
            node.kind = Kind::Seq { items, dashes: Vec::new(), flow: true };
        }
        Kind::Seq { items, .. } => {
            *items = std::mem::take(items).into_iter().map(|item| filled(item, parameters)).collect();
        }
        Kind::Map { entries, .. } => {
            let entry = |entry: Entry| Entry { key: entry.key, value: filled(entry.value, parameters) };
            *entries = std::mem::take(entries).into_iter().map(entry).collect();
        }
        _ => {}
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_read() {
        for line in TEMPLATES.lines() {
            let (name, _) = line.split_once(' ').unwrap();
            let item = read::read(&format!("{name}: {{A: b}}"), Syntax::Yaml).unwrap();
            let statements = expanded(&item).unwrap_or_else(|| panic!("{name} is not read"));
            assert!(statements.items().iter().all(|s| s.get("Action").is_some()), "{name}");
        }
        assert_eq!(TEMPLATES.lines().count(), 81);
    }
}
