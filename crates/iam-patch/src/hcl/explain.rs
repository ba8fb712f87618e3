//! What is said of a document that is not edited: where its statements come from, which key stands twice.

use super::find;
use super::policies::{Site, Writing};
use super::project::Terraform;
use crate::plan;
use crate::refusal::Refusal;
use crate::tree::{Entry, Node};

/// Where statements come from a variable of a module, the calls that give it are named.
pub(super) fn given(terraform: &Terraform, site: &Site, node: &Node, refusal: Refusal) -> Refusal {
    let statements = node.get("Statement").and_then(Node::raw_text);
    let Some(variable) = statements.and_then(|text| text.strip_prefix("var.")) else { return refusal };
    let calls = terraform.calls_of(terraform.module_of(site.at));
    let calls: Vec<String> = calls.iter().map(|call| format!("`{}`", find::named(terraform, *call))).collect();
    match calls.is_empty() {
        true => refusal,
        false => refusal.hint(format!("change `{variable}` where the module is called: {}", calls.join(", "))),
    }
}

/// A key that stands twice in a document of JSON, or one like it.
pub(super) fn repeated(writing: Writing, node: &Node) -> Option<&Entry> {
    if writing == Writing::DataDocument { None } else { plan::repeated_below(node) }
}
