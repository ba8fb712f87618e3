//! Paths: the steps of each, and below each step what it rests on; for people, and as `paring-paths/1`.
//!
//! Groups and renders; which paths there are was decided before.

use std::collections::BTreeMap;

use iam_graph::{AccessGraph, Edge, Path};
use iam_model::arn::Arn;
use iam_model::finding::Subject;
use iam_model::json::Value;
use iam_model::snapshot::SnapshotIndex;

use super::graph::{GraphView, behind};
use crate::terminal::{Paint, without_control};

/// The schema name of the paths.
const SCHEMA: &str = "paring-paths/1";

/// Every path for programs, the ways to an administrator first, then the shorter ones.
pub(crate) fn render_json(
    index: &SnapshotIndex<'_>,
    graph: &AccessGraph,
    (from, to): (&Arn, Option<&Subject>),
    paths: &[Path],
) -> String {
    let why = grounds(index, graph, paths.iter().flat_map(|path| &path.hops));
    let mut sorted: Vec<&Path> = paths.iter().collect();
    sorted.sort_by_key(|path| (!path.reaches_admin, path.hops.len()));
    let path = |path: &&Path| {
        let hops = path.hops.iter().map(|hop| hop_value(hop, why.get(hop).map(String::as_str).unwrap_or_default()));
        let target = path.target().map(Subject::as_str);
        object([
            ("target", target.map_or(Value::Null, Value::text)),
            ("reaches_admin", Value::Bool(path.reaches_admin)),
            ("hops", Value::Array(hops.collect())),
        ])
    };
    object([
        ("schema", Value::text(SCHEMA)),
        ("from", Value::text(from.as_str())),
        ("to", to.map_or(Value::Null, |to| Value::text(to.as_str()))),
        ("administrator", Value::Bool(graph.is_admin(from))),
        ("paths", Value::Array(sorted.iter().map(path).collect())),
        ("not_checked", Value::Array(graph.not_checked().iter().map(Value::text).collect())),
    ])
    .to_pretty()
}

fn hop_value(hop: &Edge, why: &str) -> Value {
    let assumes = hop.technique().map(|technique| technique.assumes.as_slice()).unwrap_or_default();
    object([
        ("from", Value::text(hop.from.as_str())),
        ("to", Value::text(hop.to.as_str())),
        ("technique", Value::text(hop.technique)),
        ("through", hop.through.as_ref().map_or(Value::Null, |arn| Value::text(arn.as_str()))),
        ("conditional_on", Value::Array(hop.conditional_on.iter().map(|key| Value::text(key.as_str())).collect())),
        ("assumes", Value::Array(assumes.iter().map(Value::text).collect())),
        ("because", Value::Array(why.lines().map(Value::text).collect())),
    ])
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// What each step rests on, in words, a permission a line.
fn grounds<'p>(
    index: &'p SnapshotIndex<'p>,
    graph: &'p AccessGraph,
    hops: impl Iterator<Item = &'p Edge>,
) -> BTreeMap<&'p Edge, String> {
    let mut hops: Vec<&Edge> = hops.collect();
    hops.sort_unstable();
    hops.dedup();
    let view = GraphView::new(index, graph, &hops);
    view.edges.iter().map(|edge| (edge.edge, behind(&view, edge))).collect()
}

/// Renders every path, step by step.
pub(crate) fn render(index: &SnapshotIndex<'_>, graph: &AccessGraph, paths: &[Path], paint: Paint) -> String {
    let shown: Vec<(&Path, usize)> = paths.iter().map(|path| (path, 0)).collect();
    render_counted(index, graph, &shown, paint)
}

/// Renders, of the paths that begin with one technique and end alike, the shortest, and how many there are.
pub(crate) fn render_grouped(index: &SnapshotIndex<'_>, graph: &AccessGraph, paths: &[Path], paint: Paint) -> String {
    let mut groups: BTreeMap<(bool, &str), Vec<&Path>> = BTreeMap::new();
    for path in paths {
        if let Some(first) = path.hops.first() {
            groups.entry((!path.reaches_admin, first.technique)).or_default().push(path);
        }
    }
    let mut shown: Vec<(&Path, usize)> = Vec::new();
    for group in groups.values() {
        // The first of the shortest.
        let shortest = group.iter().min_by_key(|path| path.hops.len());
        shown.extend(shortest.map(|path| (*path, group.len() - 1)));
    }
    shown.sort_by_key(|(path, _)| (!path.reaches_admin, path.hops.len()));
    render_counted(index, graph, &shown, paint)
}

fn render_counted(index: &SnapshotIndex<'_>, graph: &AccessGraph, paths: &[(&Path, usize)], paint: Paint) -> String {
    let why = grounds(index, graph, paths.iter().flat_map(|(path, _)| &path.hops));
    let mut out = String::new();
    for (path, others) in paths {
        let separator = if out.is_empty() { "" } else { "\n" };
        out.push_str(&format!("{separator}{}\n", headline(graph, path, *others, paint)));
        for (number, hop) in path.hops.iter().enumerate() {
            push_hop(&mut out, number + 1, hop, why.get(hop).map(String::as_str).unwrap_or_default(), paint);
        }
    }
    paint.clean(&out)
}

fn headline(graph: &AccessGraph, path: &Path, others: usize, paint: Paint) -> String {
    let steps = if path.hops.len() == 1 { "1 step".to_owned() } else { format!("{} steps", path.hops.len()) };
    let end = without_control(path.target().map(short).unwrap_or_default(), "");
    let is_admin = path.target().and_then(Subject::arn).is_some_and(|arn| graph.is_admin(arn));
    let head = match (path.reaches_admin, is_admin) {
        (true, true) => paint.red(&format!("reaches administrator {end} in {steps}")),
        (true, false) => paint.red(&format!("becomes as good as administrator in {steps}")),
        (false, _) => format!("reaches {end} in {steps}, no administrator"),
    };
    let more = match others {
        0 => String::new(),
        1 => " (and 1 other target by the same technique)".to_owned(),
        n => format!(" (and {n} other targets by the same technique)"),
    };
    format!("{head}{more}")
}

fn push_hop(out: &mut String, number: usize, hop: &Edge, why: &str, paint: Paint) {
    let to = if hop.to == hop.from { "itself, with more permissions" } else { short(&hop.to) };
    let step = without_control(&format!("{} -> {to}", short(&hop.from)), "");
    out.push_str(&format!("  {number}. {} by {}\n", paint.bold(&step), hop.technique));
    let mut notes = Vec::new();
    notes.extend(hop.through.as_ref().map(|arn| format!("through {arn}")));
    let keys: Vec<&str> = hop.conditional_on.iter().map(|key| key.as_str()).collect();
    notes.extend((!keys.is_empty()).then(|| format!("if {} allows", keys.join(", "))));
    let assumes = hop.technique().map(|technique| technique.assumes.join("; ")).filter(|text| !text.is_empty());
    notes.extend(assumes.map(|text| format!("taken as given: {text}")));
    for line in notes.iter().map(String::as_str).chain(why.lines()) {
        out.push_str(&format!("     {}\n", without_control(line, "")));
    }
}

fn short(subject: &Subject) -> &str {
    subject.arn().map_or(subject.as_str(), |arn| arn.resource())
}
