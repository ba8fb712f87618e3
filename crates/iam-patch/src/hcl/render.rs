//! New values as HCL text: quoting, objects, lists, aligned attributes.
//!
//! Decides nothing about where text goes.

use super::parse::{EXPRESSION, TEMPLATE};
use super::style::Style;
use crate::op::New;

/// Writes values in a style.
pub(super) struct Render {
    pub(super) style: Style,
    /// Whether policy variables are written `&{…}`, as in `data "aws_iam_policy_document"`.
    pub(super) document: bool,
}

impl Render {
    /// A value that starts on a line with this indentation. `lines` says whether the list it replaces had several.
    pub(super) fn value(&self, value: &New, indent: &str, lines: Option<bool>) -> String {
        match value {
            New::Text(text) => self.quoted(text),
            New::Tagged(tag, text) if tag == EXPRESSION => text.clone(),
            New::Tagged(tag, text) if tag == TEMPLATE => template(text),
            New::Tagged(_, text) => self.quoted(text),
            New::Seq(items) => self.list(items, indent, lines),
            New::Map(entries) => {
                let inner = format!("{indent}{}", self.style.step);
                let comma = if self.style.commas { "," } else { "" };
                let lines = self.aligned(entries, &inner);
                let body = lines.join(&format!("{comma}{}{inner}", self.style.eol));
                if lines.is_empty() {
                    return "{}".into();
                }
                format!("{{{eol}{inner}{body}{eol}{indent}}}", eol = self.style.eol)
            }
        }
    }

    fn list(&self, items: &[New], indent: &str, lines: Option<bool>) -> String {
        let scalars = items.iter().all(New::is_scalar);
        let inline = scalars && (items.len() < 2 && lines != Some(true) || lines == Some(false) || self.style.inline);
        if inline || items.is_empty() {
            let items: Vec<String> = items.iter().map(|item| self.value(item, indent, None)).collect();
            return format!("[{}]", items.join(", "));
        }
        let inner = format!("{indent}{}", self.style.step);
        let items: Vec<String> = items.iter().map(|item| self.value(item, &inner, None)).collect();
        let eol = self.style.eol;
        let last = if self.style.trailing { "," } else { "" };
        format!("[{eol}{inner}{}{last}{eol}{indent}]", items.join(&format!(",{eol}{inner}")))
    }

    /// `key = value`; where the neighbour's `=` stands at a column, this one stands there too if it fits. What takes several
    /// lines stands alone, as `terraform fmt` has it.
    pub(super) fn entry(&self, key: &str, value: &New, indent: &str, column: Option<usize>) -> String {
        let key = self.key(key);
        let value = self.value(value, indent, None);
        if !self.style.separator.contains('=') {
            return format!("{key}{}{value}", self.style.separator);
        }
        let width = column
            .filter(|_| self.style.aligned && !(value.starts_with(['{', '[']) && value.contains('\n')))
            .map_or(0, |column| column.saturating_sub(1));
        format!("{key:width$} = {value}")
    }

    /// Entries of an object, neighbouring single lines aligned where the style says so.
    fn aligned(&self, entries: &[(String, New)], indent: &str) -> Vec<String> {
        let single: Vec<bool> = entries.iter().map(|(_, v)| !self.value(v, indent, None).contains('\n')).collect();
        let keys: Vec<usize> = entries.iter().map(|(key, _)| self.key(key).chars().count()).collect();
        let mut out = Vec::new();
        for (at, (key, value)) in entries.iter().enumerate() {
            let alone = |at: &usize| single.get(*at).copied().unwrap_or(false);
            let run =
                |range: Vec<usize>| range.into_iter().take_while(alone).filter_map(|at| keys.get(at)).max().copied();
            let before = run((0..=at).rev().collect());
            let after = run((at..entries.len()).collect());
            let width = before.max(after).filter(|_| alone(&at));
            out.push(self.entry(key, value, indent, width.map(|width| width + 1)));
        }
        out
    }

    pub(super) fn key(&self, key: &str) -> String {
        let word = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if word && (!self.style.quoted_keys || self.document) { key.to_owned() } else { self.quoted(key) }
    }

    /// A text in quotes, nothing in it taken for an interpolation.
    pub(super) fn quoted(&self, text: &str) -> String {
        let text = if self.document { text.replace("${", "&{") } else { text.replace("${", "$${") };
        format!("\"{}\"", escaped(&text.replace("%{", "%%{")))
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// A template in quotes: literal parts escaped, interpolations as they are.
fn template(text: &str) -> String {
    let span = iam_model::text::Span::new(0, text.len());
    let Ok(pieces) = super::lex::Lexer::pieces(text, span, false) else { return format!("\"{text}\"") };
    let mut out = String::new();
    for piece in pieces {
        match piece {
            super::lex::Piece::Literal(span) => out.push_str(&escaped(span.slice(text))),
            super::lex::Piece::Hole { whole, .. } => out.push_str(whole.slice(text)),
        }
    }
    format!("\"{out}\"")
}
