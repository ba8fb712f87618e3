//! How a file is written: indentation, dashes, quotes, line breaks; what most of the file does.

use std::collections::BTreeMap;

use crate::read::Syntax;
use crate::template::Template;
use crate::tree::{Kind, Node, Quote};

/// The habits of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) eol: &'static str,
    /// Columns from a key to the keys below it.
    pub(crate) step: usize,
    /// Columns from a key to the dashes of the list below it.
    pub(crate) dash: usize,
    /// Quotes around actions.
    pub(crate) quote: Quote,
    /// Quotes around the policy version, which must never be read as a date.
    pub(crate) version: Quote,
    /// Quotes around the text of `!Sub`.
    pub(crate) sub: Quote,
    pub(crate) syntax: Syntax,
    /// Whether JSON is indented with tabs.
    pub(crate) tabs: bool,
    /// Whether functions of a template in JSON stand on one line.
    pub(crate) short_calls: bool,
}

impl Style {
    /// Looks at a whole file.
    pub(crate) fn of(template: &Template) -> Self {
        let mut counts = Counts::default();
        counts.walk(&template.root, template);
        let quote = most(&counts.quotes).unwrap_or(0);
        let version = most(&counts.versions).filter(|q| *q != 0).unwrap_or(1);
        let sub = most(&counts.subs).unwrap_or(2);
        let eol = if template.text.contains("\r\n") { "\r\n" } else { "\n" };
        Self {
            eol,
            step: most(&counts.steps).unwrap_or(2),
            dash: most(&counts.dashes).unwrap_or(2),
            quote: quote_of(quote),
            version: quote_of(version),
            sub: quote_of(sub),
            syntax: template.syntax,
            tabs: template.syntax == Syntax::Json && template.text.contains("\n\t"),
            short_calls: counts.calls.0 > counts.calls.1,
        }
    }
}

#[derive(Default)]
struct Counts {
    steps: BTreeMap<usize, usize>,
    dashes: BTreeMap<usize, usize>,
    quotes: BTreeMap<usize, usize>,
    versions: BTreeMap<usize, usize>,
    subs: BTreeMap<usize, usize>,
    /// Functions on one line, and on several.
    calls: (usize, usize),
}

impl Counts {
    fn walk(&mut self, node: &Node, template: &Template) {
        if node.tag.as_deref() == Some("!Sub") && !node.is_seq() {
            self.count_quote(node, |counts| &mut counts.subs);
        }
        for entry in node.entries() {
            let column = |offset: usize| column(&template.text, offset);
            let key = column(entry.key.span.start);
            let below = match &entry.value.kind {
                Kind::Map { entries, flow: false } => entries.first().map(|e| (false, e.key.span.start)),
                Kind::Seq { dashes, flow: false, .. } => dashes.first().map(|at| (true, *at)),
                Kind::Map { entries, flow: true } if template.syntax == Syntax::Json => {
                    entries.first().map(|e| (false, e.key.span.start))
                }
                _ => None,
            };
            if let Some((list, at)) = below
                && line(&template.text, at) != line(&template.text, entry.key.span.start)
            {
                let counts = if list { &mut self.dashes } else { &mut self.steps };
                let weight = usize::from(matches!(entry.name(), "Statement" | "Policies" | "Action")) * 3 + 1;
                *counts.entry(column(at).saturating_sub(key)).or_default() += weight;
            }
            if matches!(entry.name(), "Action" | "NotAction") {
                self.count_quote(&entry.value, |counts| &mut counts.quotes);
                entry.value.items().iter().for_each(|item| self.count_quote(item, |counts| &mut counts.quotes));
            }
            if entry.name() == "Version" {
                self.count_quote(&entry.value, |counts| &mut counts.versions);
            }
            if template.syntax == Syntax::Json && crate::intrinsic::call(&entry.value).is_some() {
                let one_line = !entry.value.span.slice(&template.text).contains('\n');
                let count = if one_line { &mut self.calls.0 } else { &mut self.calls.1 };
                *count += 1;
            }
            self.walk(&entry.value, template);
        }
        node.items().iter().for_each(|item| self.walk(item, template));
    }

    fn count_quote(&mut self, node: &Node, which: impl Fn(&mut Self) -> &mut BTreeMap<usize, usize>) {
        let number = match node.quote() {
            // A lone `*` has to be quoted and says nothing about habits.
            Some(_) if node.raw_text().is_some_and(|text| text.starts_with('*')) => return,
            Some(Quote::Plain) => 0,
            Some(Quote::Single) => 1,
            Some(Quote::Double) => 2,
            _ => return,
        };
        *which(self).entry(number).or_default() += 1;
    }
}

fn quote_of(number: usize) -> Quote {
    match number {
        0 => Quote::Plain,
        1 => Quote::Single,
        _ => Quote::Double,
    }
}

/// The most frequent value, the smaller one where two are as frequent.
fn most(counts: &BTreeMap<usize, usize>) -> Option<usize> {
    let best = counts.values().copied().max()?;
    counts.iter().find(|(_, count)| **count == best).map(|(value, _)| *value)
}

fn column(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.chars().rev().take_while(|c| *c != '\n').count()
}

fn line(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or_default().rfind('\n').map_or(0, |at| at + 1)
}
