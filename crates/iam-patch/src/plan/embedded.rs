//! A policy document written as a text: JSON inside a scalar, edited where its words stand.
//!
//! The text is read as a document of its own, with offsets back into the file; only what changes in it is replaced, in
//! the escapes of the scalar around it. References inside `Sub` are `${…}`.

use iam_model::diagnostic::Place;
use iam_model::text::Span;

use super::Language;
use crate::op::{self, New, Op};
use crate::read::{self, Opinion, Syntax};
use crate::reference::Written;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Resolve, Value};
use crate::site::TextSite;
use crate::template::Template;
use crate::tree::Node;
use crate::write::{self, Splice, Style};

/// A document in a scalar.
pub(super) struct Embedded {
    template: Template,
    /// The document as written, its texts not marked as `Sub`.
    written: Node,
    /// Whether `Sub` fills the text.
    sub: bool,
    one_line: bool,
}

impl Embedded {
    /// Reads the JSON of a scalar; nothing where it is none.
    pub(super) fn read(outer: &Template, site: &TextSite<'_>) -> Option<Self> {
        let (text, root) = (site.node.raw_text()?, site.read()?);
        let written = read::read(text, Syntax::Json).ok()?;
        let template = Template::new(outer.name.clone(), text.to_owned(), Syntax::Json, root);
        Some(Self { template, written, sub: site.sub, one_line: !text.trim_end().contains('\n') })
    }

    /// The document.
    pub(super) const fn document(&self) -> &Node {
        &self.template.root
    }

    /// The text with operations done on the document, and the splices of the text that do them.
    pub(super) fn edited(&self, ops: &[Op]) -> Result<(String, Vec<Splice>), Refusal> {
        let ops: Vec<Op> = ops.iter().map(|op| with_texts(op.clone(), self.sub)).collect();
        let style = Style::of(&self.template);
        let mut splices = write::lower(&self.template, &style, &ops)?;
        if self.one_line {
            splices.iter_mut().for_each(|splice| splice.text = joined(&splice.text));
        }
        let text = write::spliced(&self.template.text, &splices);
        let failed = |message: &str| Err(Refusal::new(RefusalCode::GuardFailed, message));
        let Ok(read) = read::read(&text, Syntax::Json) else { return failed("the edited document would not parse") };
        let intended = op::apply(&self.written, &ops);
        if !read.says(&intended) || read::second(&text, Syntax::Json, &intended) != Opinion::Same {
            return failed("the edited document would not say what was intended");
        }
        Ok((text, splices))
    }
}

/// The language of a document in a text: values are those of the language around it, references become text.
pub(super) struct InText<'t> {
    pub(super) around: &'t dyn Language,
    pub(super) sub: bool,
    /// Where the scalar stands.
    pub(super) span: Span,
}

impl Resolve for InText<'_> {
    fn value(&self, node: &Node) -> Value {
        self.around.value(node)
    }

    fn may_be_lists(&self) -> bool {
        self.around.may_be_lists()
    }
}

impl Language for InText<'_> {
    fn write(&self, concrete: &str) -> Written {
        if !self.sub {
            return Written { value: New::text(concrete), review: None };
        }
        let written = self.around.write(concrete);
        let value = match &written.value {
            New::Text(text) => New::Text(text.replace("${", "${!")),
            reference => New::Text(reference_text(reference).unwrap_or_else(|| concrete.replace("${", "${!"))),
        };
        Written { value, review: written.review }
    }

    fn after_drift(&self) -> &'static str {
        self.around.after_drift()
    }

    fn place(&self, _: Span) -> Place {
        self.around.place(self.span)
    }

    fn pattern(&self, node: &Node) -> Option<super::Pattern> {
        self.around.pattern(node)
    }

    fn of_pattern(&self, _: &super::Pattern, text: String) -> New {
        New::Text(text)
    }

    fn escaped(&self, text: &str) -> String {
        self.around.escaped(text)
    }
}

/// A reference as `Sub` writes it inside a text.
fn reference_text(value: &New) -> Option<String> {
    let (name, argument) = match value {
        New::Tagged(tag, text) => (tag.trim_start_matches('!'), text.clone()),
        New::Map(entries) => {
            let [(key, value)] = entries.as_slice() else { return None };
            let argument = match value {
                New::Text(text) => text.clone(),
                New::Seq(items) => {
                    let text = |item: &New| if let New::Text(text) = item { Some(text.clone()) } else { None };
                    items.iter().map(text).collect::<Option<Vec<_>>>()?.join(".")
                }
                _ => return None,
            };
            (key.trim_start_matches("Fn::"), argument)
        }
        _ => return None,
    };
    match name {
        "Sub" => Some(argument),
        "Ref" | "GetAtt" => Some(format!("${{{argument}}}")),
        _ => None,
    }
}

/// An operation whose values are texts alone.
fn with_texts(op: Op, sub: bool) -> Op {
    fn texts(value: New, sub: bool) -> New {
        match value {
            New::Tagged(_, text) if sub => New::Text(text),
            New::Seq(items) => New::Seq(items.into_iter().map(|item| texts(item, sub)).collect()),
            New::Map(entries) => New::Map(entries.into_iter().map(|(k, v)| (k, texts(v, sub))).collect()),
            other => other,
        }
    }
    match op {
        Op::Replace { at, with, whole_line } => Op::Replace { at, with: texts(with, sub), whole_line },
        Op::InsertItem { after, with } => Op::InsertItem { after, with: texts(with, sub) },
        Op::InsertEntry { after, key, with } => Op::InsertEntry { after, key, with: texts(with, sub) },
        other => other,
    }
}

/// A text laid out over lines, on one line as the rest of its document.
fn joined(text: &str) -> String {
    let mut out = String::new();
    for line in text.split('\n') {
        let line = line.trim();
        let tight = out.is_empty() || out.ends_with(['[', '{']) || line.starts_with([']', '}']);
        if !tight {
            out.push(' ');
        }
        out.push_str(line);
    }
    if text.starts_with(", ") || text.starts_with(",\n") || text.starts_with(",\r") {
        out
    } else {
        text_ends(text, out)
    }
}

/// Blanks at the ends of a splice belong to the splice.
fn text_ends(text: &str, joined: String) -> String {
    if text.contains('\n') { joined } else { text.to_owned() }
}
