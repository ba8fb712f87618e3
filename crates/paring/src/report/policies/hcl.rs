//! Policies as Terraform's `aws_iam_policy_document` data blocks.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::json::Value;
use iam_model::policy::{PolicyDocument, document_value};

/// A data block for each policy, named after its role.
pub(super) fn render(policies: &[(Arn, PolicyDocument)]) -> String {
    let mut names = BTreeSet::new();
    let mut out = String::new();
    for (role, document) in policies {
        let name = unique(&identifier(role.name()), &mut names);
        let separator = if out.is_empty() { "" } else { "\n" };
        out.push_str(&format!("{separator}# {role}\ndata \"aws_iam_policy_document\" \"{name}\" {{\n"));
        let value = document_value(document);
        for (key, attribute) in [("Version", "version"), ("Id", "policy_id")] {
            if let Some(text) = value.get(key).and_then(Value::as_str) {
                out.push_str(&format!("  {attribute} = {}\n", quoted(text)));
            }
        }
        for statement in value.get("Statement").map(Value::items).unwrap_or_default() {
            push_statement(&mut out, statement);
        }
        out.push_str("}\n");
    }
    out
}

fn push_statement(out: &mut String, statement: &Value) {
    out.push_str("\n  statement {\n");
    for (key, attribute) in [("Sid", "sid"), ("Effect", "effect")] {
        if let Some(text) = statement.get(key).and_then(Value::as_str) {
            out.push_str(&format!("    {attribute:<9} = {}\n", quoted(text)));
        }
    }
    let lists = [
        ("Action", "actions"),
        ("NotAction", "not_actions"),
        ("Resource", "resources"),
        ("NotResource", "not_resources"),
    ];
    for (key, attribute) in lists {
        if let Some(value) = statement.get(key) {
            out.push_str(&format!("    {attribute:<9} = {}\n", list(value, 4)));
        }
    }
    if let Some(Value::Object(operators)) = statement.get("Condition") {
        for (operator, keys) in operators {
            let Value::Object(keys) = keys else { continue };
            for (key, values) in keys {
                out.push_str(&format!(
                    "\n    condition {{\n      test     = {}\n      variable = {}\n      values   = {}\n    }}\n",
                    quoted(operator),
                    quoted(key),
                    list(values, 6),
                ));
            }
        }
    }
    out.push_str("  }\n");
}

/// One text or several; more than one a line each.
fn list(value: &Value, indent: usize) -> String {
    let texts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        one => vec![scalar(one)],
    };
    if texts.len() == 1 {
        return format!("[{}]", texts.concat());
    }
    let inner = " ".repeat(indent + 2);
    let lines: String = texts.iter().map(|text| format!("{inner}{text},\n")).collect();
    format!("[\n{lines}{}]", " ".repeat(indent))
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| quoted(&value.to_compact()), quoted)
}

/// In double quotes; `${` and `%{` are doubled, so that Terraform leaves policy variables alone.
fn quoted(text: &str) -> String {
    Value::text(text).to_compact().replace("${", "$${").replace("%{", "%%{")
}

/// A name that Terraform takes: letters, digits, `-` and `_`, no digit first.
fn identifier(name: &str) -> String {
    let kept: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect();
    if kept.starts_with(|c: char| c.is_ascii_alphabetic()) { kept } else { format!("role_{kept}") }
}

fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}
