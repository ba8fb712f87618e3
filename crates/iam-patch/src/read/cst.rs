//! YAML with `yaml-edit`: for what the reader in `yaml` declines, and as second parser where `saphyr-parser` does.
//!
//! `yaml-edit` is read only: its own editing is not used, so nothing it prints ever reaches a file.

use iam_model::text::Span;
use yaml_edit::{Mapping, Sequence, YamlFile, YamlNode};

use super::ReadError;
use super::yaml::DEPTH;
use crate::tree::{Entry, Kind, Node, Quote};

/// Reads the one document of a YAML text.
pub(crate) fn read(text: &str) -> Result<Node, ReadError> {
    let parsed = YamlFile::parse(text);
    if let Some(error) = parsed.positioned_errors().first() {
        let offset = usize::try_from(error.range.start).unwrap_or_default();
        return Err(ReadError { message: error.message.clone(), offset });
    }
    let file = parsed.tree();
    let mut documents = file.documents();
    let fail = |message: &str| Err(ReadError { message: message.into(), offset: 0 });
    let Some(document) = documents.next() else { return fail("the file holds no document") };
    if documents.next().is_some() {
        return fail("the file holds more than one document");
    }
    let Some(root) = document.as_mapping() else { return fail("the document is not a mapping") };
    Reader { text }.node(&YamlNode::Mapping(root), 0)
}

struct Reader<'t> {
    text: &'t str,
}

/// What stands between two values: the dash of a list item and whether an anchor was set.
#[derive(Default)]
struct Gap {
    dash: Option<usize>,
    anchored: bool,
}

impl Reader<'_> {
    fn node(&self, node: &YamlNode, depth: usize) -> Result<Node, ReadError> {
        let span = self.trimmed(node);
        if depth > DEPTH {
            return Err(ReadError { message: "values are nested too deep".into(), offset: span.start });
        }
        let (tag, kind) = match node {
            YamlNode::Scalar(scalar) => (None, self.scalar(&scalar.as_string(), span)),
            YamlNode::Mapping(mapping) => (None, self.mapping(mapping, depth)?),
            YamlNode::Sequence(sequence) => (None, self.sequence(sequence, depth)?),
            YamlNode::Alias(_) => (None, Kind::Alias),
            YamlNode::TaggedNode(tagged) => {
                let kind = if let Some(mapping) = tagged.as_mapping() {
                    self.mapping(&mapping, depth)?
                } else if let Some(sequence) = tagged.as_sequence() {
                    self.sequence(&sequence, depth)?
                } else if let Some(scalar) = tagged.value() {
                    let inner = self.trimmed(&YamlNode::Scalar(scalar.clone()));
                    self.scalar(&scalar.as_string(), inner)
                } else {
                    Kind::Null
                };
                (tagged.tag(), kind)
            }
        };
        let end = match &kind {
            Kind::Seq { items, flow: false, .. } => items.last().map(|n| n.span.end),
            Kind::Map { entries, flow: false } => entries.last().map(|e| e.value.span.end.max(e.key.span.end)),
            _ => None,
        };
        let span = Span::new(span.start, end.unwrap_or(span.end).max(span.start));
        Ok(Node { span, tag, anchored: false, kind })
    }

    fn scalar(&self, text: &str, span: Span) -> Kind {
        let quote = match span.slice(self.text).chars().next() {
            None => return Kind::Null,
            Some('"') => Quote::Double,
            Some('\'') => Quote::Single,
            Some('|' | '>') => Quote::Block,
            Some(_) => Quote::Plain,
        };
        if quote == Quote::Plain && matches!(text, "" | "~" | "null") {
            return Kind::Null;
        }
        Kind::Scalar { text: text.to_owned(), quote }
    }

    fn mapping(&self, mapping: &Mapping, depth: usize) -> Result<Kind, ReadError> {
        let mut entries = Vec::new();
        for entry in mapping.entries() {
            let Some(key) = entry.key_node() else { continue };
            let key = self.node(&key, depth + 1)?;
            let value = match entry.value_node() {
                Some(value) => {
                    let mut value = self.node(&value, depth + 1)?;
                    if value.span.is_empty() {
                        value.span = Span::new(key.span.end, key.span.end);
                    }
                    value.anchored = self.gap(key.span.end, value.span.start).anchored;
                    value
                }
                None => {
                    Node { span: Span::new(key.span.end, key.span.end), tag: None, anchored: false, kind: Kind::Null }
                }
            };
            entries.push(Entry { key, value });
        }
        Ok(Kind::Map { entries, flow: mapping.is_flow_style() })
    }

    fn sequence(&self, sequence: &Sequence, depth: usize) -> Result<Kind, ReadError> {
        let flow = sequence.is_flow_style();
        let (mut items, mut dashes) = (Vec::new(), Vec::new());
        let mut after = usize::try_from(sequence.byte_range().start).unwrap_or_default();
        for value in sequence.values() {
            let mut item = self.node(&value, depth + 1)?;
            let gap = self.gap(after, item.span.start);
            item.anchored = gap.anchored;
            if !flow {
                let missing = || ReadError { message: "a list item has no dash".into(), offset: item.span.start };
                dashes.push(gap.dash.ok_or_else(missing)?);
            }
            after = item.span.end.max(after);
            items.push(item);
        }
        Ok(Kind::Seq { items, dashes, flow })
    }

    /// The node's range without the white space after it.
    fn trimmed(&self, node: &YamlNode) -> Span {
        let range = node.byte_range();
        let start = usize::try_from(range.start).unwrap_or_default();
        let end = usize::try_from(range.end).unwrap_or_default();
        let text = Span::new(start, end).slice(self.text);
        Span::new(start, start + text.trim_end().len())
    }

    fn gap(&self, start: usize, end: usize) -> Gap {
        let mut gap = Gap::default();
        let mut comment = false;
        let mut before = ' ';
        for (at, c) in Span::new(start, end).slice(self.text).char_indices() {
            match c {
                '\n' => comment = false,
                _ if comment => {}
                '#' if before.is_whitespace() => comment = true,
                '-' if gap.dash.is_none() => gap.dash = Some(start + at),
                '&' if before.is_whitespace() || before == '-' => gap.anchored = true,
                _ => {}
            }
            before = c;
        }
        gap
    }
}
