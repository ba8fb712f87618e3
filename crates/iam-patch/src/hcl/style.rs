//! How a block's policies are written: keys, separators, commas, lists, alignment; what most of the block does.

use std::collections::BTreeMap;

use iam_model::text::Span;

use crate::tree::{Entry, Kind, Node, Quote};

/// The habits of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) eol: &'static str,
    /// One level of indentation.
    pub(super) step: String,
    pub(super) quoted_keys: bool,
    /// What stands between key and value in objects, such as ` = ` or `: `.
    pub(super) separator: String,
    /// Whether entries of objects end in commas.
    pub(super) commas: bool,
    /// Whether lists of several texts stand on one line.
    pub(super) inline: bool,
    /// Whether the last item of a list on several lines has a comma.
    pub(super) trailing: bool,
    /// Whether the `=` of neighbouring lines stand below each other.
    pub(super) aligned: bool,
}

impl Default for Style {
    fn default() -> Self {
        Counts::default().style("\n")
    }
}

#[derive(Default)]
struct Counts {
    steps: BTreeMap<String, usize>,
    separators: BTreeMap<String, usize>,
    quoted: [usize; 2],
    commas: [usize; 2],
    inline: [usize; 2],
    trailing: [usize; 2],
    aligned: [usize; 2],
}

impl Style {
    /// Looks at a block's body, or at the part of it that holds the policy.
    pub(super) fn of(text: &str, root: &Node) -> Self {
        let mut counts = Counts::default();
        counts.walk(text, root);
        counts.style(Self::eol_of(text))
    }

    /// The line break a text uses.
    pub(super) fn eol_of(text: &str) -> &'static str {
        if text.contains("\r\n") { "\r\n" } else { "\n" }
    }
}

impl Counts {
    fn style(&self, eol: &'static str) -> Style {
        let most = |counts: &BTreeMap<String, usize>, otherwise: &str| {
            let best = counts.values().copied().max();
            let found = counts.iter().find(|(_, count)| Some(**count) == best);
            found.map_or_else(|| otherwise.to_owned(), |(text, _)| text.clone())
        };
        let yes = |counts: [usize; 2], otherwise: bool| match counts {
            [no, yes] if no == yes => otherwise,
            [no, yes] => yes > no,
        };
        Style {
            eol,
            step: most(&self.steps, "  "),
            quoted_keys: yes(self.quoted, false),
            separator: most(&self.separators, " = "),
            commas: yes(self.commas, false),
            inline: yes(self.inline, false),
            trailing: yes(self.trailing, false),
            aligned: yes(self.aligned, true),
        }
    }
}

impl Counts {
    fn walk(&mut self, text: &str, node: &Node) {
        if node.tag.as_deref() == Some(super::parse::HEREDOC) {
            return;
        }
        match &node.kind {
            Kind::Map { entries, flow } => {
                for entry in entries {
                    self.entry(text, node, entry, *flow);
                }
                for pair in entries.windows(2) {
                    if let [first, second] = pair {
                        self.pair(text, first, second);
                    }
                }
            }
            Kind::Seq { items, flow: true, .. } => self.list(text, node, items),
            _ => {}
        }
        node.entries().iter().for_each(|entry| self.walk(text, &entry.value));
        node.items().iter().for_each(|item| self.walk(text, item));
    }

    fn entry(&mut self, text: &str, node: &Node, entry: &Entry, flow: bool) {
        let own = indentation(text, entry.key.span.start);
        let outer = indentation(text, node.span.start);
        if let Some(step) =
            own.strip_prefix(outer).filter(|step| !step.is_empty() && starts_line(text, entry.key.span.start))
        {
            *self.steps.entry(step.to_owned()).or_default() += 1;
        }
        if !flow {
            return;
        }
        let between = Span::new(entry.key.span.end, entry.value.span.start).slice(text);
        let shape = if between.contains('=') { " = " } else { between };
        *self.separators.entry(shape.to_owned()).or_default() += 1;
        count(&mut self.quoted, entry.key.quote() == Some(Quote::Double));
        count(&mut self.commas, comma_after(text, entry.value.span.end).is_some());
    }

    /// Two neighbouring entries tell about alignment where their keys differ in length.
    fn pair(&mut self, text: &str, first: &Entry, second: &Entry) {
        let one_line =
            |entry: &Entry| !Span::new(entry.key.span.start, entry.value.span.end).slice(text).contains('\n');
        let neighbours = Span::new(first.value.span.end, second.key.span.start).slice(text).matches('\n').count() == 1;
        if !neighbours || !one_line(first) || !one_line(second) || first.key.span.len() == second.key.span.len() {
            return;
        }
        let column = |entry: &Entry| {
            let key = Span::new(entry.key.span.end, entry.value.span.start).slice(text);
            key.find('=').map(|at| entry.key.span.len() + at)
        };
        if let (Some(first), Some(second)) = (column(first), column(second)) {
            count(&mut self.aligned, first == second);
        }
    }

    fn list(&mut self, text: &str, node: &Node, items: &[Node]) {
        let several = items.len() > 1 && items.iter().all(|item| item.raw_text().is_some());
        let lines = node.span.slice(text).contains('\n');
        if several {
            count(&mut self.inline, !lines);
        }
        if let Some(last) = items.last().filter(|_| lines) {
            count(&mut self.trailing, comma_after(text, last.span.end).is_some());
        }
    }
}

fn count(counts: &mut [usize; 2], yes: bool) {
    let [no, sure] = counts;
    *(if yes { sure } else { no }) += 1;
}

/// The offset after the comma that follows, blanks left out.
pub(super) fn comma_after(text: &str, offset: usize) -> Option<usize> {
    let rest = text.get(offset..)?;
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    rest.get(blanks..)?.starts_with(',').then_some(offset + blanks + 1)
}

/// The offset where the line of `offset` starts.
pub(super) fn line_start(text: &str, offset: usize) -> usize {
    let start = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8().min(offset) } else { start }
}

/// The offset of the line's end, its line break left out.
pub(super) fn line_end(text: &str, offset: usize) -> usize {
    let line = text.get(offset..).unwrap_or_default().split('\n').next().unwrap_or_default();
    offset + line.strip_suffix('\r').unwrap_or(line).len()
}

/// The blanks at the start of the line of `offset`.
pub(super) fn indentation(text: &str, offset: usize) -> &str {
    let start = line_start(text, offset);
    let line = text.get(start..offset).unwrap_or_default();
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    line.get(..blanks).unwrap_or_default()
}

/// Whether nothing but blanks stands before `offset` on its line.
pub(super) fn starts_line(text: &str, offset: usize) -> bool {
    indentation(text, offset).len() == offset - line_start(text, offset)
}
