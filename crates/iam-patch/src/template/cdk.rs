//! What the CDK says about the templates it makes: the construct behind a resource, and the line that made it.
//!
//! From the template's `aws:cdk:path` metadata and the assembly's `manifest.json`. Stack traces are there only where the
//! app was synthesised with them.

use std::collections::BTreeMap;

use super::Resource;
use crate::tree::Node;

/// Whether a file lies in a CDK assembly.
pub(super) fn is_assembly(name: &str) -> bool {
    name.split('/').any(|part| part == "cdk.out")
}

/// The path of the construct that a resource was made for.
pub(super) fn construct<'t>(resource: &Resource<'t>) -> Option<&'t str> {
    resource.node.get("Metadata")?.get("aws:cdk:path")?.text()
}

/// The line of the app that made each logical id, from a manifest.
pub(super) fn traces(manifest: &Node) -> BTreeMap<String, String> {
    let artifacts = manifest.get("artifacts").map(Node::entries).unwrap_or_default();
    let metadata = artifacts.iter().filter_map(|artifact| artifact.value.get("metadata"));
    let rows = metadata.flat_map(Node::entries).flat_map(|entry| entry.value.items());
    let line = |row: &Node| {
        let id = row.get("data").filter(|_| row.get("type").and_then(Node::text) == Some("aws:cdk:logicalId"))?;
        let own = |line: &&str| !line.contains("node_modules") && !line.contains("node:internal");
        let line = row.get("trace")?.items().iter().filter_map(Node::text).find(own)?;
        let place = line.rsplit_once('(').map_or(line, |(_, place)| place.trim_end_matches(')'));
        Some((id.text()?.to_owned(), place.trim().to_owned()))
    };
    rows.filter_map(line).collect()
}
