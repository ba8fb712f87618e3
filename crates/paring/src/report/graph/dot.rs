//! The graph in the DOT language, for Graphviz.
//!
//! Follows the grammar of "The DOT Language". Nodes go by number; names stand in quoted strings, where a backslash and a quote
//! would otherwise speak to the reader.

use std::fmt::Write as _;

use super::{EdgeView, GraphView};

/// Renders the graph.
pub(crate) fn render(view: &GraphView<'_>) -> String {
    let mut out = String::from("digraph paring {\n  rankdir=LR;\n  node [shape=box];\n");
    for (number, node) in view.nodes.iter().enumerate() {
        let label = match node.account() {
            Some(account) => format!("{}\n{} of {account}", node.label(), node.kind()),
            None => node.label().to_owned(),
        };
        let style = if node.administrator {
            ", penwidth=3, color=\"#a3180f\""
        } else if node.reaches_admin {
            ", color=\"#a3180f\""
        } else {
            ""
        };
        let (label, tooltip) = (quoted(&label), quoted(node.subject.as_str()));
        let _ = writeln!(out, "  n{number} [label={label}, tooltip={tooltip}{style}];");
    }
    for edge in &view.edges {
        let style = if edge.edge.conditional_on.is_empty() { "" } else { ", style=dashed" };
        let color = if edge.leads_to_admin { ", color=\"#a3180f\"" } else { "" };
        let (label, tooltip) = (quoted(&label(edge)), quoted(&behind(view, edge)));
        let _ = writeln!(out, "  n{} -> n{} [label={label}, tooltip={tooltip}{style}{color}];", edge.from, edge.to);
    }
    out.push_str("}\n");
    out
}

fn label(edge: &EdgeView<'_>) -> String {
    let keys: String = edge.edge.conditional_on.iter().map(|key| format!("\nif {key}")).collect();
    format!("{}{keys}", edge.edge.technique)
}

/// What the edge rests on, a permission or a statement a line.
pub(crate) fn behind(view: &GraphView<'_>, edge: &EdgeView<'_>) -> String {
    let mut lines = Vec::new();
    for ground in edge.grounds.iter().filter_map(|&at| view.grounds.get(at)) {
        let keys: Vec<&str> = ground.conditional_on.iter().map(|key| key.as_str()).collect();
        let open = if keys.is_empty() { String::new() } else { format!(", if {} allows", keys.join(", ")) };
        lines.push(format!("{}{open}", super::json::permission(ground, edge.edge)));
        let statements = ground.statements.iter().filter_map(|&at| view.statements.get(at));
        lines.extend(statements.map(|statement| format!("  {}", statement.reference(&view.source))));
    }
    lines.join("\n")
}

/// A quoted string whose text is shown as it is: the escapes of Graphviz's labels are taken away.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
