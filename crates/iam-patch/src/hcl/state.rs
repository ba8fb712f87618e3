//! What Terraform knows it made: a state of version 4, or what `terraform show -json` prints.
//!
//! Only addresses and a few attributes are kept; everything else of a state may be secret and is dropped at once.

use std::collections::BTreeMap;

use iam_model::json::{self, Arena, Limits, Node, NodeKind};

/// Attributes that tell resources apart. Nothing else is kept.
const KEPT: &[&str] =
    &["arn", "name", "id", "bucket", "function_name", "role", "policy_arn", "url", "key_id", "unique_id", "table_name"];

/// One instance of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    /// The module's path: `module.a.module.b`, empty for the root; indices left out.
    pub(super) module: String,
    pub(super) of: String,
    pub(super) name: String,
    /// Whether it is one of several made by `count` or `for_each`.
    pub(super) indexed: bool,
    pub(super) attributes: BTreeMap<String, String>,
}

/// The instances of one root module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    /// The folder the state stands in.
    pub(super) folder: String,
    pub(super) instances: Vec<Instance>,
}

impl State {
    /// Reads either format; nothing where it is neither.
    pub(super) fn read(text: &str, folder: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let arena = Arena::for_text(text.len());
        let root = json::parse(&arena, text, Limits { bytes: 64 << 20, depth: 96 }).ok()?;
        let mut state = Self { folder: folder.to_owned(), instances: Vec::new() };
        if let Some(values) = root.get("values").or_else(|| root.get("planned_values")) {
            root.get("format_version")?;
            state.shown(values.get("root_module")?);
            return Some(state);
        }
        (root.get("version")?.as_u64()? == 4).then_some(())?;
        for resource in root.get("resources").map(Node::items).unwrap_or_default() {
            state.resource(resource);
        }
        Some(state)
    }

    fn resource(&mut self, resource: &Node<'_>) -> Option<()> {
        let text = |key: &str| resource.get(key).and_then(Node::as_str);
        (text("mode") == Some("managed")).then_some(())?;
        let (of, name) = (text("type")?.to_owned(), text("name")?.to_owned());
        let module = without_indices(text("module").unwrap_or_default());
        for instance in resource.get("instances").map(Node::items).unwrap_or_default() {
            let indexed = instance.get("index_key").is_some_and(|key| key.kind != NodeKind::Null);
            let attributes = instance.get("attributes").map(kept).unwrap_or_default();
            let (of, name, module) = (of.clone(), name.clone(), module.clone());
            self.instances.push(Instance { module, of, name, indexed, attributes });
        }
        Some(())
    }

    fn shown(&mut self, module: &Node<'_>) {
        let mut open = vec![*module];
        while let Some(module) = open.pop() {
            let path = without_indices(module.get("address").and_then(Node::as_str).unwrap_or_default());
            for resource in module.get("resources").map(Node::items).unwrap_or_default() {
                let text = |key: &str| resource.get(key).and_then(Node::as_str);
                if let (Some("managed"), Some(of), Some(name)) = (text("mode"), text("type"), text("name")) {
                    let indexed = resource.get("index").is_some_and(|key| key.kind != NodeKind::Null);
                    let attributes = resource.get("values").map(kept).unwrap_or_default();
                    let (module, of, name) = (path.clone(), of.to_owned(), name.to_owned());
                    self.instances.push(Instance { module, of, name, indexed, attributes });
                }
            }
            open.extend(module.get("child_modules").map(Node::items).unwrap_or_default());
        }
    }
}

fn kept(attributes: &Node<'_>) -> BTreeMap<String, String> {
    let kept = |key: &str| Some((key.to_owned(), attributes.get(key)?.as_str()?.to_owned()));
    KEPT.iter().filter_map(|key| kept(key)).collect()
}

/// A module's address without `[…]`.
pub(super) fn without_indices(address: &str) -> String {
    let (mut out, mut inside) = (String::new(), false);
    for c in address.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}
