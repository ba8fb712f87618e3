//! What people put secrets into is left out before anything is kept: no permission depends on it.
//!
//! Names of environment variables stay, since they tell that there is something to leave out; values go. Of a value
//! that begins like a well-known kind of credential, that beginning stays. Knows no service.

use iam_model::json::{Node, NodeKind, Value};

/// What stands where a value stood.
pub(crate) const LEFT_OUT: &str = "(left out)";

/// Parts that are left out whole.
const WHOLE: [&str; 9] = [
    "UserData",
    "Parameters",
    "Input",
    "InputTransformer",
    "HttpParameters",
    "RequestParameters",
    "RequestTemplates",
    "ResponseParameters",
    "ResponseTemplates",
];
/// Addresses, which stay where they name something of AWS: others may hold a token, or be a person's.
const ADDRESSES: [&str; 3] = ["Endpoint", "Uri", "IntegrationUri"];
/// Parts whose values are left out.
const VALUES: [&str; 2] = ["Environment", "EnvironmentVariables"];
/// In lists of variables, the members that are no value.
const NAMES: [&str; 2] = ["name", "type"];
/// How credentials begin that anyone may recognise.
const BEGINNINGS: [&str; 12] =
    ["AKIA", "ASIA", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "sk_live_", "npm_", "sk-proj-"];

fn is_any(names: &[&str], key: &str) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(key))
}

/// The value of a member, without secrets.
pub(crate) fn member(key: &str, node: &Node<'_>) -> Value {
    if is_any(&WHOLE, key) {
        return Value::text(LEFT_OUT);
    }
    if is_any(&ADDRESSES, key) && node.as_str().is_some_and(|text| !text.contains("arn:")) {
        return Value::text(LEFT_OUT);
    }
    if is_any(&VALUES, key) {
        return without_values(node);
    }
    match &node.kind {
        NodeKind::Object(members) => {
            Value::Object(members.iter().map(|m| (m.key.to_string(), member(m.key, &m.value))).collect())
        }
        NodeKind::Array(items) => Value::Array(items.iter().map(|item| member("", item)).collect()),
        _ => node.to_value(),
    }
}

/// Names and no values.
fn without_values(node: &Node<'_>) -> Value {
    match &node.kind {
        NodeKind::Object(members) => Value::Object(
            members
                .iter()
                .map(|m| {
                    let named = is_any(&NAMES, m.key) && m.value.as_str().is_some();
                    (m.key.to_string(), if named { m.value.to_value() } else { without_values(&m.value) })
                })
                .collect(),
        ),
        NodeKind::Array(items) => Value::Array(items.iter().map(without_values).collect()),
        NodeKind::Null => Value::Null,
        _ => {
            let text = node.as_str().unwrap_or_default();
            match BEGINNINGS.iter().find(|beginning| text.starts_with(**beginning)) {
                Some(beginning) => Value::String(format!("{beginning}(the rest of the value is left out)")),
                None => Value::text(LEFT_OUT),
            }
        }
    }
}
