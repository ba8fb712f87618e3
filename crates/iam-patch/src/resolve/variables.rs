//! Variables of the Serverless Framework: `${self:custom.table}`, `${opt:stage, 'dev'}`, `${aws:region}`.
//!
//! Follows the framework's guide, "Variables". What the file and the stack say is resolved; what comes from the command
//! line, the environment, other files or AWS stays a hole. `${AWS::Region}` and policy variables are none of them.

use super::{Resolver, Text, Value, as_text, literal_or_dynamic};
use crate::tree::Node;

/// How variables begin. `aws:` alone would also be a policy variable.
const SOURCES: &[&str] = &[
    "self:",
    "self.",
    "opt:",
    "env:",
    "sls:",
    "ssm:",
    "s3:",
    "cf:",
    "cf.",
    "cf(",
    "ssm(",
    "s3(",
    "file(",
    "param:",
    "git:",
    "strToBool(",
    "aws:accountId",
    "aws:region",
    "output:",
    "terraform:",
    "vault:",
];

impl Resolver<'_> {
    /// A text with its variables resolved; a text that is one variable may be a list or a mapping.
    pub(super) fn variables(&self, text: &str, depth: usize) -> Value {
        if !text.contains("${") {
            return Value::Text(literal_or_dynamic(text));
        }
        if self.spent(depth) {
            return Value::Unknown;
        }
        let mut out = Text::default();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("${") {
            let end = matching_brace(tail);
            let (Some(inside), after) = (tail.get(..end), tail.get(end + 1..).unwrap_or_default()) else { break };
            out.push(literal_or_dynamic(before));
            if !SOURCES.iter().any(|source| inside.trim_start().starts_with(source)) {
                out.push(Text::literal(format!("${{{inside}}}")));
            } else {
                let value = self.variable(inside, depth + 1);
                if before.is_empty() && after.is_empty() && rest.len() == text.len() {
                    return value;
                }
                out.push(as_text(value));
            }
            rest = after;
        }
        out.push(literal_or_dynamic(rest));
        Value::Text(out)
    }

    /// The first alternative that is known.
    fn variable(&self, inside: &str, depth: usize) -> Value {
        for alternative in alternatives(inside) {
            let alternative = alternative.trim();
            if let Some(quoted) = unquoted(alternative) {
                return self.variables(quoted, depth + 1);
            }
            if let Some(text) = self.of_stack(alternative) {
                return Value::Text(Text::literal(text));
            }
            if let Some(path) = alternative.strip_prefix("self:").or_else(|| alternative.strip_prefix("self.")) {
                match self.at_path(path) {
                    Some(node) => return self.node(node, depth + 1),
                    None => continue,
                }
            }
            let literal = !alternative.contains([':', '(', '.']) || alternative.parse::<f64>().is_ok();
            if literal {
                return Value::Text(Text::literal(alternative));
            }
            if alternative.starts_with("file(") {
                return Value::Unknown;
            }
            if !self.defaults {
                break;
            }
        }
        Value::Text(Text::hole())
    }

    /// What the deployed stack says: its stage, region and account.
    fn of_stack(&self, name: &str) -> Option<String> {
        match name {
            "opt:stage" | "sls:stage" | "self:provider.stage" => {
                let service = self.template.root.get("service")?;
                let service = service.text().or_else(|| service.get("name")?.text())?;
                Some(self.stack.name.as_deref()?.strip_prefix(service)?.strip_prefix('-')?.to_owned())
            }
            "opt:region" | "aws:region" | "self:provider.region" => self.stack.region.clone(),
            "aws:accountId" => self.stack.account.clone(),
            _ => None,
        }
    }

    fn at_path(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(&self.template.root, |node, step| match step.parse::<usize>() {
            Ok(index) if node.is_seq() => node.items().get(index),
            _ => node.get(step),
        })
    }
}

/// The offset of the brace that closes a variable.
fn matching_brace(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return at,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The alternatives between commas, those in quotes, braces and brackets left whole.
fn alternatives(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{' | b'(') => depth += 1,
            (None, b'}' | b')') => depth -= 1,
            (None, b',') if depth == 0 => {
                found.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(text.get(start..).unwrap_or_default());
    found
}

fn unquoted(text: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}
