//! The graph for programs: `paring-graph/1`, as `docs/graph.md` describes it.

use iam_graph::{Asker, Edge, GroundPlace};
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::json::Value;

use super::{EdgeView, GraphView, GroundView, NodeView, StatementView};

/// The schema name of the graph.
const SCHEMA: &str = "paring-graph/1";

/// Renders the graph: one node, edge, ground or statement a line.
pub(crate) fn render(view: &GraphView<'_>) -> String {
    let mut out = format!("{{\"schema\": \"{SCHEMA}\"");
    section(&mut out, "nodes", view.nodes.iter().map(node));
    section(&mut out, "edges", view.edges.iter().map(edge));
    section(&mut out, "grounds", view.grounds.iter().map(ground));
    section(&mut out, "statements", view.statements.iter().map(|statement| statement_value(statement, &view.source)));
    section(&mut out, "not_checked", view.not_checked.iter().map(Value::text));
    out.push_str("}\n");
    out
}

fn section(out: &mut String, name: &str, items: impl Iterator<Item = Value>) {
    out.push_str(&format!(",\n \"{name}\": ["));
    let mut separator = "\n  ";
    for item in items {
        out.push_str(separator);
        out.push_str(&item.to_compact());
        separator = ",\n  ";
    }
    out.push(']');
}

fn object(members: Vec<(&str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A list of numbers.
pub(super) fn numbers(numbers: &[usize]) -> Value {
    Value::Array(numbers.iter().map(|&n| number(n)).collect())
}

/// A number.
pub(super) fn number(number: usize) -> Value {
    Value::Number(number.to_string())
}

fn keys(keys: &[ConditionKey]) -> Value {
    Value::Array(keys.iter().map(|key| Value::text(key.as_str())).collect())
}

fn node(node: &NodeView<'_>) -> Value {
    let mut members = vec![("id", Value::text(node.subject.as_str())), ("kind", Value::text(node.kind()))];
    members.extend(node.account().map(|account| ("account", Value::text(account))));
    members.push(("administrator", Value::Bool(node.administrator)));
    members.push(("reaches_admin", Value::Bool(node.reaches_admin)));
    object(members)
}

fn edge(view: &EdgeView<'_>) -> Value {
    let edge = view.edge;
    let mut members = vec![
        ("from", Value::text(edge.from.as_str())),
        ("to", Value::text(edge.to.as_str())),
        ("technique", Value::text(edge.technique)),
    ];
    members.extend(edge.through.as_ref().map(|arn| ("through", Value::text(arn.as_str()))));
    members.push(("conditional_on", keys(&edge.conditional_on)));
    members.push(("gains_admin", Value::Bool(edge.gains_admin)));
    members.push(("leads_to_admin", Value::Bool(view.leads_to_admin)));
    members.push(("grounds", numbers(&view.grounds)));
    object(members)
}

fn ground(ground: &GroundView) -> Value {
    let (word, arn) = place(&ground.on);
    let mut members = vec![("action", Value::text(ground.action.as_str()))];
    if let Asker::Service(service) = ground.asker {
        members.push(("asker", Value::text(service)));
    }
    members.push(("on", Value::text(word)));
    members.extend(arn.map(|arn| ("resource", Value::text(arn.as_str()))));
    members.push(("conditional_on", keys(&ground.conditional_on)));
    members.push(("statements", numbers(&ground.statements)));
    object(members)
}

/// The word for a place, and the ARN where the edge does not tell it.
pub(super) const fn place(on: &GroundPlace) -> (&'static str, Option<&Arn>) {
    match on {
        GroundPlace::Start => ("start", None),
        GroundPlace::Target => ("target", None),
        GroundPlace::Through => ("through", None),
        GroundPlace::Named(arn) => ("named", Some(arn)),
        GroundPlace::Chosen(arn) => ("chosen", Some(arn)),
        GroundPlace::Nothing => ("nothing", None),
    }
}

fn statement_value(view: &StatementView<'_>, source: &str) -> Value {
    let cited = &view.cited;
    let mut members =
        vec![("layer", Value::text(cited.layer.as_str())), ("policy", Value::text(cited.policy.as_ref()))];
    members.extend(cited.holder.map(|arn| ("holder", Value::text(arn.as_str()))));
    members.extend(cited.managed.map(|arn| ("managed", Value::text(arn.as_str()))));
    members.push(("index", number(cited.statement)));
    if let Some(place) = view.place {
        members.push(("source", Value::text(source)));
        members.push(("line", number(place.line)));
        members.push(("column", number(place.column)));
    }
    members.push(("statement", view.value()));
    object(members)
}

/// A permission in words.
pub(super) fn permission(ground: &GroundView, edge: &Edge) -> String {
    let asker = match ground.asker {
        Asker::Start => String::new(),
        Asker::Service(service) => format!("{service}: "),
    };
    let on = match &ground.on {
        GroundPlace::Start => format!(" on {}", edge.from),
        GroundPlace::Target => format!(" on {}", edge.to),
        GroundPlace::Through => edge.through.as_ref().map(|arn| format!(" on {arn}")).unwrap_or_default(),
        GroundPlace::Named(arn) => format!(" on {arn}"),
        GroundPlace::Chosen(arn) => format!(" on a name of its choice, such as {arn}"),
        GroundPlace::Nothing => String::new(),
    };
    format!("{asker}{}{on}", ground.action)
}
