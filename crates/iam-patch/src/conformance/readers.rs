//! Our reader of YAML against `yaml-edit`, on every file of the conformance data.

use iam_model::text::SourceText;

use super::{corpus, sources};
use crate::read;
use crate::tree::Node;

/// Every place, quote, tag and value as `yaml-edit` reads them.
#[test]
fn the_reader_agrees_with_yaml_edit_to_the_byte() {
    let Some(corpus) = corpus() else { return };
    let (mut read, mut declined, mut wrong) = (0, Vec::new(), Vec::new());
    for source in sources(&corpus) {
        if !source.name.as_str().ends_with("yaml") && !source.name.as_str().ends_with("yml") {
            continue;
        }
        let Some(own) = read::yaml::own(&source.text) else {
            declined.push(source.name.to_string());
            continue;
        };
        read += 1;
        let Ok(other) = read::cst::read(&source.text) else { continue };
        compare_nodes(&source, &own, &other, &mut wrong);
    }
    eprintln!("{read} read, declined: {declined:?}");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(declined.len() * 20 < read, "{declined:?}");
}

fn compare_nodes(source: &SourceText, own: &Node, other: &Node, wrong: &mut Vec<String>) {
    let head = |node: &Node| {
        let kind = match &node.kind {
            crate::tree::Kind::Scalar { text, quote } => format!("{quote:?} {text:?}"),
            crate::tree::Kind::Seq { items, dashes, flow } => format!("seq {} {dashes:?} {flow}", items.len()),
            crate::tree::Kind::Map { entries, flow } => format!("map {} {flow}", entries.len()),
            kind => format!("{kind:?}"),
        };
        format!("{:?} {:?} {} {kind}", node.span, node.tag, node.anchored)
    };
    let (a, b) = (head(own), head(other));
    if a != b {
        wrong.push(format!(
            "{} {:?}\n  own   {a}\n  other {b}",
            source.name,
            own.span.slice(&source.text).chars().take(60).collect::<String>()
        ));
        return;
    }
    for (x, y) in own.items().iter().zip(other.items()) {
        compare_nodes(source, x, y, wrong);
    }
    for (x, y) in own.entries().iter().zip(other.entries()) {
        compare_nodes(source, &x.key, &y.key, wrong);
        compare_nodes(source, &x.value, &y.value, wrong);
    }
}
