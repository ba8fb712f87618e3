//! Splices in flow YAML and JSON: values, and items with their commas.

use iam_model::text::Span;

use super::render::Flow;
use super::{Splice, Spot, Writer};
use crate::op::{New, Op};
use crate::read::Syntax;
use crate::refusal::Refusal;
use crate::tree::{Kind, Node, Quote};

impl Writer<'_> {
    pub(super) fn flow_replace(&self, spot: &Spot<'_>, with: &New) -> Result<Splice, Refusal> {
        let node = self.node(spot)?;
        if node.span.is_empty() {
            return Err(self.layout(node.span, "there is no value to replace"));
        }
        let text = self.style.inline(with, node.quote(), self.flow_for(spot.parent, node), true);
        Ok(Splice { span: node.span, text })
    }

    pub(super) fn flow_remove(&self, spot: &Spot<'_>) -> Result<Splice, Refusal> {
        let (own, next, previous) =
            (self.extent(spot, spot.index), self.extent(spot, spot.index + 1), self.before(spot));
        let Some(own) = own else { return Err(self.layout(spot.parent.span, "the place is not in the file")) };
        let later_kept = (spot.index + 1..self.count(spot)).any(|index| !self.is_removed(spot, index));
        let span = match (next, previous) {
            (Some(next), _) if later_kept => Span::new(own.start, next.start),
            (_, Some(previous)) => Span::new(previous.end, own.end),
            _ => own,
        };
        let lost = Span::new(own.end, span.end).slice(self.text());
        if lost.contains('#') || Span::new(span.start, own.start).slice(self.text()).contains('#') {
            return Err(self.layout(own, "a comment stands between the list items"));
        }
        Ok(Splice { span, text: String::new() })
    }

    pub(super) fn flow_insert(&self, spot: &Spot<'_>, key: Option<&str>, with: &New) -> Result<Splice, Refusal> {
        let Some(own) = self.extent(spot, spot.index) else {
            return Err(self.layout(spot.parent.span, "the place is not in the file"));
        };
        let flow = self.flow(spot.parent, own.start);
        let text = match key {
            Some(key) => self.style.flow_entry(key, with, flow),
            None => self.style.inline(with, None, flow, true),
        };
        let open = Span::new(spot.parent.span.start, self.extent(spot, 0).unwrap_or(own).start).slice(self.text());
        let separator = match open.rfind('\n').and_then(|at| open.get(at + 1..)) {
            Some(indent) if indent.trim().is_empty() => format!(",{}{indent}", self.style.eol),
            _ if flow == (Flow::Line { tight: true }) => ",".to_owned(),
            _ => ", ".to_owned(),
        };
        Ok(Splice { span: Span::new(own.end, own.end), text: format!("{separator}{text}") })
    }

    /// How a value is written that takes the place of another: on one line where that was on one.
    fn flow_for(&self, parent: &Node, old: &Node) -> Flow {
        let flow = self.flow(parent, old.span.start);
        let one_line = (old.is_map() || old.is_seq()) && !old.span.slice(self.text()).contains('\n');
        match flow {
            Flow::Json { .. } if one_line => Flow::Line { tight: self.is_tight(old) },
            flow => flow,
        }
    }

    /// Whether no blank follows the first colon or comma.
    fn is_tight(&self, node: &Node) -> bool {
        let text = node.span.slice(self.text());
        let mut rest = text.split_inclusive([':', ',']).skip(1).peekable();
        rest.peek().is_some() && !rest.any(|part| part.starts_with(' '))
    }

    /// How values beside the ones at hand are written.
    fn flow(&self, parent: &Node, offset: usize) -> Flow {
        if self.style.syntax == Syntax::Json && !parent.span.slice(self.text()).contains('\n') {
            return Flow::Line { tight: self.is_tight(parent) };
        }
        if self.style.syntax == Syntax::Json {
            let line = Span::new(self.line_start(offset), offset).slice(self.text());
            return Flow::Json { indent: line.len() - line.trim_start().len() };
        }
        let quoted = parent.entries().first().is_some_and(|e| e.key.quote() == Some(Quote::Double));
        if quoted { Flow::Quoted } else { Flow::Yaml }
    }

    fn extent(&self, spot: &Spot<'_>, index: usize) -> Option<Span> {
        match &spot.parent.kind {
            Kind::Seq { items, .. } => items.get(index).map(|item| item.span),
            Kind::Map { entries, .. } => {
                entries.get(index).map(|e| Span::new(e.key.span.start, e.value.span.end.max(e.key.span.end)))
            }
            _ => None,
        }
    }

    fn before(&self, spot: &Spot<'_>) -> Option<Span> {
        self.extent(spot, spot.index.checked_sub(1)?)
    }

    fn count(&self, spot: &Spot<'_>) -> usize {
        spot.parent.items().len().max(spot.parent.entries().len())
    }

    fn is_removed(&self, spot: &Spot<'_>, index: usize) -> bool {
        let Some(place) = spot.path.parent().map(|above| above.child(index)) else { return false };
        self.ops.iter().any(|op| matches!(op, Op::Remove { at } if *at == place))
    }
}
