//! Statements in pieces: what may stand in different documents and still grants the same.
//!
//! An allow on two resources is an allow on each of them. Pieces are cut where the names branch, so that a new name
//! grows one piece and leaves the borders of the others where they were. Where the pieces go is for packing.

use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PolicyVersion, ResourceElement, Statement, compact_len,
};
use iam_model::text::Spanned;

/// Where a statement stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// Index of its policy.
    pub(crate) policy: usize,
    /// Index in the policy.
    pub(crate) statement: usize,
}

/// A statement, or some of its resources or actions.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) origin: Origin,
    pub(crate) version: Option<PolicyVersion>,
    /// Which of the list that was cut, by index; nothing where the statement is whole.
    part: Option<Vec<usize>>,
    /// Characters of the piece alone.
    pub(crate) size: usize,
}

/// The list that a statement is cut along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Along {
    Resources,
    Actions,
}

/// A statement in pieces of at most `most` characters, as far as its lists can be cut.
pub(crate) fn cut(origin: Origin, statement: &Statement, version: Option<PolicyVersion>, most: usize) -> Vec<Piece> {
    let whole = Piece { origin, version, part: None, size: size(statement) };
    let Some(along) = along(statement).filter(|_| whole.size > most) else { return vec![whole] };
    let texts = texts(statement, along);
    let listed: usize = texts.iter().map(|text| cost(text)).sum();
    let room = most.saturating_sub(whole.size.saturating_sub(listed));
    let all: Vec<(usize, &str)> = texts.iter().copied().enumerate().collect();
    let mut groups = Vec::new();
    branch(all, room, 0, &mut groups);
    let piece =
        |part: Vec<usize>| Piece { size: size(&some(statement, along, &part)), part: Some(part), ..whole.clone() };
    groups.into_iter().map(piece).collect()
}

/// The pieces of one statement together again: what stands of it in one document.
pub(crate) fn joined(statement: &Statement, pieces: &[&Piece]) -> Statement {
    let parts: Option<Vec<&Vec<usize>>> = pieces.iter().map(|piece| piece.part.as_ref()).collect();
    let (Some(parts), Some(along)) = (parts, along(statement)) else { return statement.clone() };
    let mut indices: Vec<usize> = parts.into_iter().flatten().copied().collect();
    indices.sort_unstable();
    some(statement, along, &indices)
}

/// Where a statement can be cut: a list of two or more that adds up.
///
/// `NotAction` and `NotResource` do not: what one name leaves out, the others let through. A deny is cut no finer than it
/// is written: in one place it is read, in two it is overlooked.
fn along(statement: &Statement) -> Option<Along> {
    match (&statement.effect, &statement.resource, &statement.action) {
        (Effect::Allow, ResourceElement::Resource(list), _) if list.len() > 1 => Some(Along::Resources),
        (Effect::Allow, _, ActionElement::Action(list)) if list.len() > 1 => Some(Along::Actions),
        _ => None,
    }
}

fn texts(statement: &Statement, along: Along) -> Vec<&str> {
    match (along, &statement.resource, &statement.action) {
        (Along::Resources, ResourceElement::Resource(list), _) => list.iter().map(|r| r.value.as_str()).collect(),
        (Along::Actions, _, ActionElement::Action(list)) => list.iter().map(|a| a.value.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn some(statement: &Statement, along: Along, indices: &[usize]) -> Statement {
    fn chosen<T: Clone>(list: &[Spanned<T>], indices: &[usize]) -> Vec<Spanned<T>> {
        indices.iter().filter_map(|at| list.get(*at)).cloned().collect()
    }
    let mut part = statement.clone();
    match (along, &statement.resource, &statement.action) {
        (Along::Resources, ResourceElement::Resource(list), _) => {
            part.resource = ResourceElement::Resource(chosen(list, indices));
        }
        (Along::Actions, _, ActionElement::Action(list)) => part.action = ActionElement::Action(chosen(list, indices)),
        _ => {}
    }
    part
}

/// Characters that a name adds to a list: itself, its quotes and a comma.
fn cost(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count() + 3
}

fn size(statement: &Statement) -> usize {
    compact_len(&PolicyDocument { statements: vec![statement.clone()], ..PolicyDocument::new(Vec::new()) })
}

/// Groups of names that fit the room, cut where the names branch after `shared` bytes they have in common.
fn branch(texts: Vec<(usize, &str)>, room: usize, shared: usize, groups: &mut Vec<Vec<usize>>) {
    let together: usize = texts.iter().map(|(_, text)| cost(text)).sum();
    if together <= room || texts.len() < 2 {
        groups.push(texts.into_iter().map(|(at, _)| at).collect());
        return;
    }
    let mut by_next: std::collections::BTreeMap<Option<u8>, Vec<(usize, &str)>> = std::collections::BTreeMap::new();
    let common = shared + common(&texts, shared);
    for (at, text) in texts {
        by_next.entry(text.as_bytes().get(common).copied()).or_default().push((at, text));
    }
    for (next, texts) in by_next {
        match next {
            // Equal names: nothing tells them apart.
            None => groups.extend(texts.into_iter().map(|(at, _)| vec![at])),
            Some(_) => branch(texts, room, common + 1, groups),
        }
    }
}

/// How many bytes after `shared` all texts have in common.
fn common(texts: &[(usize, &str)], shared: usize) -> usize {
    let Some(((_, first), others)) = texts.split_first() else { return 0 };
    let same =
        |text: &str| first.bytes().skip(shared).zip(text.bytes().skip(shared)).take_while(|(a, b)| a == b).count();
    others.iter().map(|(_, text)| same(text)).min().unwrap_or_default()
}
