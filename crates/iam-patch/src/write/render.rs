//! Values as text: block YAML, flow YAML and JSON. Never a text that a parser could read as another value.

use iam_model::json::write_string;

use super::style::Style;
use crate::op::New;
use crate::read::Syntax;
use crate::tree::Quote;

/// How flow values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// YAML, keys plain.
    Yaml,
    /// YAML in JSON's clothes: keys and texts in double quotes.
    Quoted,
    /// JSON, laid out from a column of indentation.
    Json { indent: usize },
    /// JSON on one line, with or without blanks after colons and commas.
    Line { tight: bool },
}

impl Style {
    /// A value in block style; `column` is where its first character stands.
    pub(super) fn block(&self, value: &New, column: usize) -> String {
        match value {
            New::Map(entries) if !entries.is_empty() => {
                let lines: Vec<String> =
                    entries.iter().map(|(key, value)| self.block_entry(key, value, column)).collect();
                lines.join(&self.line(column))
            }
            New::Seq(items) if !items.is_empty() => {
                let lines: Vec<String> = items.iter().map(|i| format!("- {}", self.block(i, column + 2))).collect();
                lines.join(&self.line(column))
            }
            other => self.inline(other, None, Flow::Yaml, false),
        }
    }

    /// `key: value` in block style; `column` is where the key stands.
    pub(super) fn block_entry(&self, key: &str, value: &New, column: usize) -> String {
        let key_text = plain_or_quoted(key, Quote::Plain, false);
        match value {
            New::Seq(items) if key.starts_with("Fn::") => {
                let item = |i: &New| self.inline(i, Some(Quote::Plain), Flow::Yaml, true);
                format!(
                    "{key_text}: {}",
                    self.wrapped(['[', ']'], &items.iter().map(item).collect::<Vec<_>>(), Flow::Yaml)
                )
            }
            New::Seq(items) if !items.is_empty() => {
                let below = column + self.dash;
                format!("{key_text}:{}{}", self.line(below), self.block(value, below))
            }
            New::Map(entries) if !entries.is_empty() => {
                let below = column + self.step;
                format!("{key_text}:{}{}", self.line(below), self.block(value, below))
            }
            scalar => {
                let hint = (key == "Version").then_some(self.version);
                // The habit of quoting is that of actions and resources; other words stay plain where they can.
                let quoted = matches!(key, "Action" | "NotAction" | "Resource" | "NotResource");
                let hint = hint.or_else(|| (!quoted).then_some(Quote::Plain));
                format!("{key_text}: {}", self.inline(scalar, hint, Flow::Yaml, false))
            }
        }
    }

    /// A line break and the indentation after it.
    pub(super) fn line(&self, column: usize) -> String {
        format!("{}{}", self.eol, if self.tabs { "\t" } else { " " }.repeat(column))
    }

    /// A value on one line, or in JSON's layout. `hint` is how the value it replaces was quoted.
    pub(super) fn inline(&self, value: &New, hint: Option<Quote>, flow: Flow, inside: bool) -> String {
        match value {
            New::Text(text) => self.text(text, hint, flow, inside),
            New::Tagged(tag, text) if tag == "!Sub" => {
                let hint = hint.filter(|q| *q != Quote::Plain).unwrap_or(self.sub);
                format!("{tag} {}", plain_or_quoted(text, hint, inside))
            }
            New::Tagged(tag, text) => format!("{tag} {}", plain_or_quoted(text, Quote::Plain, inside)),
            New::Seq(items) => {
                let item = |i: &New| self.inline(i, None, flow.deeper(self.step), true);
                self.wrapped(['[', ']'], &items.iter().map(item).collect::<Vec<_>>(), flow)
            }
            New::Map(entries) if self.is_short(entries, flow) => {
                self.inline(value, hint, Flow::Line { tight: false }, inside)
            }
            New::Map(entries) => {
                let entry = |(key, value): &(String, New)| self.flow_entry(key, value, flow.deeper(self.step));
                self.wrapped(['{', '}'], &entries.iter().map(entry).collect::<Vec<_>>(), flow)
            }
        }
    }

    /// Whether a mapping is a function that the file would write on one line.
    fn is_short(&self, entries: &[(String, New)], flow: Flow) -> bool {
        let is_call = |key: &str| key == "Ref" || key.starts_with("Fn::");
        self.short_calls && matches!(flow, Flow::Json { .. }) && matches!(entries, [(key, _)] if is_call(key))
    }

    /// `key: value` in flow style.
    pub(super) fn flow_entry(&self, key: &str, value: &New, flow: Flow) -> String {
        let key_text = match flow {
            Flow::Yaml => plain_or_quoted(key, Quote::Plain, true),
            Flow::Quoted | Flow::Json { .. } | Flow::Line { .. } => double(key),
        };
        let hint = (key == "Version" && flow == Flow::Yaml).then_some(self.version);
        let colon = if flow == (Flow::Line { tight: true }) { ":" } else { ": " };
        format!("{key_text}{colon}{}", self.inline(value, hint, flow, true))
    }

    fn wrapped(&self, [open, close]: [char; 2], parts: &[String], flow: Flow) -> String {
        match flow {
            Flow::Json { indent } if !parts.is_empty() => {
                let inner = self.line(indent + self.step);
                let parts = parts.join(&format!(",{inner}"));
                format!("{open}{inner}{parts}{}{close}", self.line(indent))
            }
            Flow::Line { tight: true } => format!("{open}{}{close}", parts.join(",")),
            _ => format!("{open}{}{close}", parts.join(", ")),
        }
    }

    fn text(&self, text: &str, hint: Option<Quote>, flow: Flow, inside: bool) -> String {
        if self.syntax == Syntax::Json || flow != Flow::Yaml {
            return double(text);
        }
        plain_or_quoted(text, hint.unwrap_or(self.quote), inside)
    }
}

impl Flow {
    const fn deeper(self, step: usize) -> Self {
        match self {
            Self::Json { indent } => Self::Json { indent: indent + step },
            other => other,
        }
    }
}

fn plain_or_quoted(text: &str, quote: Quote, inside: bool) -> String {
    let printable = text.chars().all(|c| !c.is_control() && c != '\u{feff}' && c != '\u{2028}' && c != '\u{2029}');
    match quote {
        Quote::Plain | Quote::Block if is_plain(text, inside) => text.to_owned(),
        Quote::Single if printable => format!("'{}'", text.replace('\'', "''")),
        _ => double(text),
    }
}

fn double(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out
}

/// Whether a text stays itself without quotes in every YAML version.
fn is_plain(text: &str, inside_flow: bool) -> bool {
    let lower = text.to_ascii_lowercase();
    let word = matches!(lower.as_str(), "" | "~" | "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n");
    let number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-'));
    let start = text.starts_with(|c: char| "-?:,[]{}#&*!|>'\"%@`=<".contains(c) || c.is_whitespace());
    let flow = text.contains(['[', ']', '{', '}', ',']);
    let inner = text.contains(": ") || text.contains(" #") || text.ends_with(':') || text.ends_with(' ');
    let odd = text.chars().any(|c| c.is_control() || c == '\u{feff}' || c == '\u{2028}' || c == '\u{2029}');
    !(word || number || start || inner || odd || (inside_flow && flow))
}
