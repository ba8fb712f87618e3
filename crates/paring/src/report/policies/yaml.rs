//! A JSON value as YAML in block style: what a template's `PolicyDocument` takes.

use iam_model::json::Value;

/// Words that YAML reads as something else than text.
const RESERVED: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// The value, a line for each member or item, with a last newline.
pub(super) fn render(value: &Value) -> String {
    let mut out = String::new();
    block(&mut out, value, 0);
    out
}

fn block(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                out.push_str(&"  ".repeat(depth));
                member(out, key, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => items.iter().for_each(|one| item(out, one, depth)),
        scalar => {
            out.push_str(&"  ".repeat(depth));
            out.push_str(&text(scalar));
            out.push('\n');
        }
    }
}

/// A key and its value, where the line has its indent already.
fn member(out: &mut String, key: &str, value: &Value, depth: usize) {
    out.push_str(&quoted(key));
    out.push(':');
    if nested(value) {
        out.push('\n');
        block(out, value, depth + 1);
    } else {
        out.push_str(&format!(" {}\n", text(value)));
    }
}

fn item(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (at, (key, value)) in members.iter().enumerate() {
                out.push_str(&indent);
                out.push_str(if at == 0 { "- " } else { "  " });
                member(out, key, value, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            out.push_str(&format!("{indent}-\n"));
            block(out, value, depth + 1);
        }
        scalar => out.push_str(&format!("{indent}- {}\n", text(scalar))),
    }
}

fn nested(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        // JSON's other scalars, and empty lists and objects, are YAML as they are.
        other => other.to_compact(),
    }
}

/// Plain where YAML surely reads it as this text; else in double quotes, with JSON's escapes, which YAML shares.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/_.-".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !text.ends_with(':')
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { Value::text(text).to_compact() }
}
