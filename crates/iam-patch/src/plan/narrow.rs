//! A value that takes the place of an expression keeps the parts of it that still hold.
//!
//! `!Sub 'arn:…:table/${Env}-*'`, deployed as `…:table/dev-*`, that becomes `…:table/dev-orders` is written
//! `…:table/${Env}-orders`: the file is deployed to other environments too. What cannot be kept needs a look.

use super::Author;
use crate::op::New;
use crate::resolve::{Text, Value};
use crate::tree::{Kind, Node};

/// Steps that fitting an expression to its deployed value may cost.
const STEPS: usize = 4_000;

/// A text of a language with `${…}` in it.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) tag: Option<String>,
    pub(crate) text: String,
}

/// A piece of an expression as written, and what it stood for.
struct Piece {
    written: String,
    variable: bool,
    value: Option<String>,
}

/// The text of `concrete` in the place of `node`, which stood for `old`.
pub(super) fn resource(author: &mut Author<'_>, node: &Node, old: Option<&str>, concrete: &str) -> New {
    let written = author.resource(concrete);
    if is_reference(&written) || is_plain(author, node) {
        return written;
    }
    let Some(pattern) = author.language.pattern(node) else {
        gives_way(author, &spoken(node));
        return written;
    };
    let pieces = pieces(&pattern.text);
    let variables: Vec<&String> = pieces.iter().filter(|piece| piece.variable).map(|piece| &piece.written).collect();
    let said = text_of(&written);
    if variables.iter().all(|variable| said.contains(variable.as_str())) {
        return written;
    }
    let kept = old.and_then(|old| solved(author, &pattern, old)).and_then(|pieces| fitted(author, &pieces, concrete));
    let (value, text) = match kept {
        Some(text) => (author.language.of_pattern(&pattern, text.clone()), text),
        None => (written, said),
    };
    for variable in variables {
        if !text.contains(variable.as_str()) {
            gives_way(author, variable);
        }
    }
    value
}

fn gives_way(author: &mut Author<'_>, variable: &str) {
    let review = format!("`{variable}` gives way to a literal");
    if !author.reviews.contains(&review) {
        author.reviews.push(review);
    }
}

/// Whether nothing but a literal stands there.
fn is_plain(author: &Author<'_>, node: &Node) -> bool {
    let known = matches!(author.language.value(node), Value::Text(text) if text.known().is_some());
    let literal = node.tag.is_none() && matches!(node.kind, Kind::Scalar { .. });
    literal && known && author.language.pattern(node).is_none()
}

/// Whether a value names a resource, and not just where the stack is.
fn is_reference(value: &New) -> bool {
    let names = |text: &str| {
        let of_stack = |name: &str| {
            let data = ["data.aws_caller_identity.", "data.aws_region.", "data.aws_partition."];
            name.starts_with("AWS::") || name.starts_with('!') || data.iter().any(|data| name.starts_with(data))
        };
        crate::intrinsic::sub_pieces(text).into_iter().filter_map(Result::err).any(|name| !of_stack(name))
    };
    match value {
        New::Text(_) => false,
        New::Tagged(tag, _) if matches!(tag.as_str(), "!GetAtt" | "!Ref" | "expression") => true,
        New::Tagged(_, text) => names(text),
        New::Map(entries) => match entries.as_slice() {
            [(key, New::Text(text))] if key == "Fn::Sub" => names(text),
            _ => true,
        },
        New::Seq(_) => false,
    }
}

fn text_of(value: &New) -> String {
    match value {
        New::Text(text) | New::Tagged(_, text) => text.clone(),
        New::Map(entries) => entries.iter().map(|(_, value)| text_of(value)).collect(),
        New::Seq(items) => items.iter().map(text_of).collect(),
    }
}

/// What an expression is called in a message.
fn spoken(node: &Node) -> String {
    if let Some(call) = crate::intrinsic::call(node) {
        let argument = call.argument.raw_text().map_or_else(String::new, |text| format!(" {text}"));
        return format!("!{}{argument}", call.name);
    }
    node.raw_text().unwrap_or("an expression").to_owned()
}

/// Literal pieces and `${…}`, as written.
fn pieces(text: &str) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let mut push = |written: &str, variable: bool| {
        if !written.is_empty() {
            found.push(Piece { written: written.to_owned(), variable, value: None });
        }
    };
    let (mut from, mut at) = (0, 0);
    while let Some(start) = text.get(at..).and_then(|rest| rest.find("${")).map(|found| at + found) {
        let escaped = text.get(..start).is_some_and(|before| before.ends_with('$'))
            || text.get(start + 2..).is_some_and(|rest| rest.starts_with('!'));
        let Some(length) = text.get(start..).and_then(closed) else { break };
        if !escaped {
            push(text.get(from..start).unwrap_or_default(), false);
            push(text.get(start..start + length).unwrap_or_default(), true);
            from = start + length;
        }
        at = start + length;
    }
    push(text.get(from..).unwrap_or_default(), false);
    found
}

/// The length of a `${…}` with all that it holds.
fn closed(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The pieces with what each stood for, where that is certain.
fn solved(author: &Author<'_>, pattern: &Pattern, old: &str) -> Option<Vec<Piece>> {
    let mut pieces = pieces(&pattern.text);
    let value = |piece: &Piece| {
        let kind = Kind::Scalar { text: piece.written.clone(), quote: crate::tree::Quote::Double };
        let node = Node { span: iam_model::text::Span::default(), tag: pattern.tag.clone(), anchored: false, kind };
        match author.language.value(&node) {
            Value::Text(text) => text,
            _ => Text::hole(),
        }
    };
    let texts: Vec<Text> = pieces.iter().map(value).collect();
    let mut first = vec![""; texts.len()];
    let mut last = vec![""; texts.len()];
    let mut steps = STEPS;
    if !fit(&texts, old, true, &mut first, &mut steps) || !fit(&texts, old, false, &mut last, &mut steps) {
        return None;
    }
    for ((piece, first), last) in pieces.iter_mut().zip(first).zip(last) {
        piece.value = (first == last && !(piece.variable && first.is_empty())).then(|| first.to_owned());
    }
    Some(pieces)
}

/// Divides a text among pieces: each the shortest, or the longest, that lets the rest fit.
fn fit<'o>(texts: &[Text], old: &'o str, shortest: bool, out: &mut [&'o str], steps: &mut usize) -> bool {
    let (Some((text, rest)), Some((slot, slots))) = (texts.split_first(), out.split_first_mut()) else {
        return old.is_empty();
    };
    let mut ends: Vec<usize> = match text.known() {
        Some(known) if old.starts_with(&known) => vec![known.len()],
        Some(_) => return false,
        None => (0..=old.len()).filter(|end| old.is_char_boundary(*end)).collect(),
    };
    if !shortest {
        ends.reverse();
    }
    for end in ends {
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
        let (head, tail) = old.split_at_checked(end).unwrap_or((old, ""));
        if text.explains(head) && fit(rest, tail, shortest, slots, steps) {
            *slot = head;
            return true;
        }
    }
    false
}

/// The new text with the pieces that begin and end it; nothing where no variable is among them.
fn fitted(author: &Author<'_>, pieces: &[Piece], concrete: &str) -> Option<String> {
    let escaped = |text: &str| author.language.escaped(text);
    let (mut head, mut rest, mut at, mut any) = (String::new(), concrete, 0, false);
    for (index, piece) in pieces.iter().enumerate() {
        let Some(after) = piece.value.as_deref().and_then(|value| rest.strip_prefix(value)) else { break };
        let next = pieces.get(index + 1).filter(|next| !next.variable).and_then(|next| next.value.as_deref());
        if piece.variable && !ends_well(after, next.and_then(|next| next.chars().next())) {
            break;
        }
        any |= piece.variable;
        head.push_str(&piece.written);
        (rest, at) = (after, index + 1);
    }
    let mut tail = String::new();
    let mut end = Vec::new();
    for piece in pieces.get(at..)?.iter().rev() {
        let before = piece.value.as_deref().and_then(|value| rest.strip_suffix(value));
        let Some(before) = before.filter(|before| !piece.variable || ends_well_before(before)) else { break };
        end.push(piece);
        rest = before;
        any |= piece.variable;
    }
    end.iter().rev().for_each(|piece| tail.push_str(&piece.written));
    any.then(|| format!("{head}{}{tail}", escaped(rest)))
}

/// Whether a variable's value ends where the text goes on: with what followed it, or at the end of a word.
fn ends_well(after: &str, next: Option<char>) -> bool {
    after.chars().next().is_none_or(|c| Some(c) == next || !c.is_alphanumeric())
}

fn ends_well_before(before: &str) -> bool {
    before.chars().next_back().is_none_or(|c| !c.is_alphanumeric())
}
