//! New blocks: an inline policy, a role; written in the style of the module's other blocks.
//!
//! Decides nothing about what they say.

use iam_model::policy::PolicyDocument;

use super::attach::BlockEdit;
use super::outside::Reading;
use super::parse::{self, HEREDOC, JSONENCODE};
use super::project::{At, Terraform};
use super::render::Render;
use super::style::Style;
use crate::compare;
use crate::op::New;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Resolve;
use crate::tree::Node;

/// Writes blocks for one module.
pub(super) struct Composer {
    render: Render,
}

impl Composer {
    /// Looks at the blocks around a place: the nearest document that is written out shows how documents are written.
    pub(super) fn beside(terraform: &Terraform, at: At) -> Self {
        let module = terraform.module_of(at);
        let text = terraform.files.get(at.file).map_or("", |file| file.text.as_str());
        let mut style = terraform.body(at).map(|body| Style::of(text, body)).unwrap_or_default();
        let bodies = super::policies::carriers(terraform, module);
        let example = bodies.into_iter().find_map(|at| {
            let body = terraform.body(at)?;
            let text = terraform.files.get(at.file)?.text.as_str();
            written_out(body).map(|document| Style::of(text, document))
        });
        if let Some(example) = example {
            style = Style { eol: style.eol, ..example };
        }
        Self { render: Render { style, document: false } }
    }

    /// A resource block of attributes, already written, grouped by blank lines.
    pub(super) fn resource(&self, of: &str, label: &str, groups: &[Vec<(&str, String)>]) -> String {
        let (eol, step) = (self.render.style.eol, &self.render.style.step);
        let mut body = String::new();
        for group in groups.iter().filter(|group| !group.is_empty()) {
            if !body.is_empty() {
                body.push_str(eol);
            }
            let single = group.iter().filter(|(_, value)| !value.contains('\n'));
            let width = single.map(|(key, _)| key.len()).max().unwrap_or_default();
            for (key, value) in group {
                let width = if value.contains('\n') { 0 } else { width };
                body.push_str(&format!("{step}{key:width$} = {value}{eol}"));
            }
        }
        format!("resource \"{of}\" \"{label}\" {{{eol}{body}}}")
    }

    /// A value of an attribute.
    pub(super) fn value(&self, value: &New) -> String {
        self.render.value(value, &self.render.style.step, None)
    }

    /// `jsonencode(…)` of a document.
    pub(super) fn document(&self, document: &New) -> String {
        format!("jsonencode({})", self.value(document))
    }

    pub(super) fn quoted(&self, text: &str) -> String {
        self.render.quoted(text)
    }
}

/// The first document of a block that is written as an object.
fn written_out(body: &Node) -> Option<&Node> {
    let mut found = None;
    body.walk(&mut |node| {
        let document = node.is_map() && node.tag.as_deref().is_some_and(|tag| tag != HEREDOC);
        if document && found.is_none() {
            found = Some(node);
        }
    });
    found
}

/// A label that no block of this type has in the module.
pub(super) fn free_label(terraform: &Terraform, module: usize, of: &str, wanted: &str) -> String {
    let mut label: String =
        wanted.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if !label.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        label.insert(0, '_');
    }
    let mut free = label.clone();
    let mut number = 2;
    while terraform.resource(module, of, &free).is_some() {
        free = format!("{label}_{number}");
        number += 1;
    }
    free
}

/// An attribute's text as a file has it, for another block: with the call around it that its node stands inside of.
pub(super) fn copied(file: &str, node: &Node) -> String {
    let text = node.span.slice(file);
    if node.tag.as_deref() == Some(JSONENCODE) { format!("jsonencode({text})") } else { text.to_owned() }
}

/// A new block must say of each key what the one says that it is copied from.
pub(super) fn repeats(text: &str, of: &Node, keys: &[&str]) -> Result<(), Refusal> {
    let body = read_back(text);
    let said = |key: &str| body.as_ref().and_then(|body| body.get(key)).map(Node::plain);
    match keys.iter().find(|key| said(key) != of.get(key).map(Node::plain)) {
        None => Ok(()),
        Some(key) => {
            let message = format!("the old block's `{key}` cannot be written again in the new one");
            Err(Refusal::new(RefusalCode::GuardFailed, message))
        }
    }
}

/// A new block as it is read.
pub(super) fn read_back(text: &str) -> Option<Node> {
    let blocks = parse::split(text).unwrap_or_default();
    blocks.first().and_then(|block| Reading::Blocks.first(text, block))
}

/// New blocks must say what was meant: they are read back and compared with the policy.
pub(super) fn says(resolver: &dyn Resolve, blocks: &[BlockEdit], after: &PolicyDocument) -> Result<(), Refusal> {
    let text = blocks.iter().find_map(|edit| match edit {
        BlockEdit::Replace(_, text) | BlockEdit::After(_, text) => Some(text),
        BlockEdit::Remove(_) => None,
    });
    let said = text.is_some_and(|text| {
        let policy =
            |body: &Node| body.get("policy").is_some_and(|node| compare::explains_document(resolver, node, after));
        read_back(text).as_ref().is_some_and(policy)
    });
    if said { Ok(()) } else { Err(says_otherwise()) }
}

/// A new block would not say what was meant.
pub(super) fn says_otherwise() -> Refusal {
    Refusal::new(RefusalCode::GuardFailed, "the new block would not say what was intended")
}
