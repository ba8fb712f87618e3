//! The graph as GraphML, for graph editors and libraries.
//!
//! Follows the GraphML primer and XML 1.0; characters that XML cannot hold are replaced.

use std::fmt::Write as _;

use super::{GraphView, behind};

/// Keys of data: id, what it is on, its name, its type.
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("arn", "node", "arn", "string"),
    ("label", "node", "label", "string"),
    ("kind", "node", "kind", "string"),
    ("account", "node", "account", "string"),
    ("administrator", "node", "administrator", "boolean"),
    ("reaches_admin", "node", "reaches_admin", "boolean"),
    ("technique", "edge", "technique", "string"),
    ("conditional_on", "edge", "conditional_on", "string"),
    ("through", "edge", "through", "string"),
    ("leads_to_admin", "edge", "leads_to_admin", "boolean"),
    ("because", "edge", "because", "string"),
];

/// Renders the graph.
pub(crate) fn render(view: &GraphView<'_>) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str("<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n");
    for (id, on, name, kind) in KEYS {
        let _ = writeln!(out, "  <key id=\"{id}\" for=\"{on}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>");
    }
    out.push_str("  <graph id=\"paring\" edgedefault=\"directed\">\n");
    for (number, node) in view.nodes.iter().enumerate() {
        let _ = writeln!(out, "    <node id=\"n{number}\">");
        data(&mut out, "arn", node.subject.as_str());
        data(&mut out, "label", node.label());
        data(&mut out, "kind", node.kind());
        data(&mut out, "account", node.account().as_deref().unwrap_or_default());
        data(&mut out, "administrator", if node.administrator { "true" } else { "false" });
        data(&mut out, "reaches_admin", if node.reaches_admin { "true" } else { "false" });
        out.push_str("    </node>\n");
    }
    for (number, edge) in view.edges.iter().enumerate() {
        let _ = writeln!(out, "    <edge id=\"e{number}\" source=\"n{}\" target=\"n{}\">", edge.from, edge.to);
        let keys: Vec<&str> = edge.edge.conditional_on.iter().map(|key| key.as_str()).collect();
        data(&mut out, "technique", edge.edge.technique);
        data(&mut out, "conditional_on", &keys.join(" "));
        data(&mut out, "through", edge.edge.through.as_ref().map(|arn| arn.as_str()).unwrap_or_default());
        data(&mut out, "leads_to_admin", if edge.leads_to_admin { "true" } else { "false" });
        data(&mut out, "because", &behind(view, edge));
        out.push_str("    </edge>\n");
    }
    out.push_str("  </graph>\n</graphml>\n");
    out
}

/// One datum; nothing where it is empty.
fn data(out: &mut String, key: &str, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(out, "      <data key=\"{key}\">{}</data>", escaped(text));
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            // A reader would make a line feed of it.
            '\r' => out.push_str("&#13;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c < ' ' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
