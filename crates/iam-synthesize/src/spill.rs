//! Moving statements into new documents where the old ones do not fit: the fewest, and stable.
//!
//! First fit decreasing: each piece goes to its own place if there is room, else into the first new document with room.
//! The order is by size in steps and then by place, so that a statement that grows a little changes neither the order nor
//! where any other piece goes, as long as its document has room for the growth. The grant stays the same: statements of a
//! principal add up wherever they stand.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use iam_model::policy::{PolicyDocument, Statement, compact_len};

use crate::pieces::{Origin, Piece, cut, joined};

/// Sizes are told apart in these steps.
const STEP: usize = 512;
/// A document is filled with pieces of at most this share of it.
const PIECES: usize = 4;

/// Policies that share one quota.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The most characters of all of them together.
    pub(crate) most: usize,
    /// Characters of what shares the quota and does not move.
    pub(crate) fixed: usize,
    /// The policies, by index.
    pub(crate) policies: Vec<usize>,
}

/// What may be made anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewDocuments {
    /// How many.
    pub(crate) count: usize,
    /// The most characters of each.
    pub(crate) most: usize,
}

/// Where everything went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spilled {
    /// What stays of each policy, by index; one that is missing is emptied. With each statement, where it stood.
    pub(crate) kept: BTreeMap<usize, Moved>,
    /// The new documents.
    pub(crate) new: Vec<Moved>,
}

/// A document, and where each of its statements stood.
#[derive(Debug, Clone)]
pub(crate) struct Moved {
    pub(crate) document: PolicyDocument,
    pub(crate) origins: Vec<Origin>,
}

/// Packs `documents`, by index, into their places and as few new documents as that takes; nothing where they do not fit.
pub(crate) fn spill(
    documents: &BTreeMap<usize, &PolicyDocument>,
    places: &[Place],
    new: NewDocuments,
) -> Option<Spilled> {
    let mut bins: Vec<Bin<'_>> = places.iter().map(|place| Bin::at(place, documents)).collect();
    for piece in ordered(documents, places, new) {
        let fits = |bin: &Bin<'_>| bin.takes(&piece) && bin.size_with(Some(&piece)) <= bin.most;
        let at = match bins.iter().position(fits) {
            Some(at) => at,
            None if bins.len() - places.len() < new.count => {
                let bin = Bin::new(new.most, documents);
                (bin.size_with(Some(&piece)) <= bin.most).then(|| bins.push(bin))?;
                bins.len() - 1
            }
            None => return None,
        };
        bins.get_mut(at)?.pieces.push(piece);
    }
    let mut spilled = Spilled::default();
    for (at, bin) in bins.iter().enumerate() {
        for (policy, moved) in bin.documents(None) {
            match policy {
                Some(policy) => drop(spilled.kept.insert(policy, moved)),
                None if at >= places.len() => spilled.new.push(moved),
                None => {}
            }
        }
    }
    Some(spilled)
}

/// Every piece, the largest first.
fn ordered(documents: &BTreeMap<usize, &PolicyDocument>, places: &[Place], new: NewDocuments) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for place in places {
        let most = place.most.min(new.most) / PIECES;
        for (policy, document) in place.policies.iter().filter_map(|at| Some((*at, documents.get(at)?))) {
            for (statement, written) in document.statements.iter().enumerate() {
                let origin = Origin { policy, statement };
                pieces.extend(cut(origin, written, document.version, most));
            }
        }
    }
    // Stable: pieces of one statement keep their order.
    pieces.sort_by_key(|piece| (Reverse(piece.size.div_ceil(STEP)), piece.origin));
    pieces
}

/// A place with its policies, or a new document, being filled.
struct Bin<'d> {
    most: usize,
    fixed: usize,
    /// The policies of a place; nothing for a new document.
    policies: Option<Vec<usize>>,
    pieces: Vec<Piece>,
    documents: &'d BTreeMap<usize, &'d PolicyDocument>,
}

impl<'d> Bin<'d> {
    fn at(place: &Place, documents: &'d BTreeMap<usize, &'d PolicyDocument>) -> Self {
        let policies = Some(place.policies.clone());
        Self { most: place.most, fixed: place.fixed, policies, pieces: Vec::new(), documents }
    }

    const fn new(most: usize, documents: &'d BTreeMap<usize, &'d PolicyDocument>) -> Self {
        Self { most, fixed: 0, policies: None, pieces: Vec::new(), documents }
    }

    /// Whether a piece may stand here: in its own place, or in a new document of its version.
    fn takes(&self, piece: &Piece) -> bool {
        match &self.policies {
            Some(policies) => policies.contains(&piece.origin.policy),
            None => self.pieces.first().is_none_or(|first| first.version == piece.version),
        }
    }

    fn size_with(&self, piece: Option<&Piece>) -> usize {
        self.fixed + self.documents(piece).iter().map(|(_, moved)| compact_len(&moved.document)).sum::<usize>()
    }

    /// What stands here, with one piece more: each policy of a place, or the one new document.
    fn documents(&self, more: Option<&Piece>) -> Vec<(Option<usize>, Moved)> {
        let mut by_origin: BTreeMap<Origin, Vec<&Piece>> = BTreeMap::new();
        for piece in self.pieces.iter().chain(more) {
            by_origin.entry(piece.origin).or_default().push(piece);
        }
        let mut made: BTreeMap<Option<usize>, Moved> = BTreeMap::new();
        for (origin, pieces) in by_origin {
            let Some(old) = self.documents.get(&origin.policy) else { continue };
            let Some(statement) = old.statements.get(origin.statement) else { continue };
            let policy = self.policies.as_ref().map(|_| origin.policy);
            let empty = || PolicyDocument { statements: Vec::new(), id: None, ..(*old).clone() };
            let empty = || Moved {
                document: if policy.is_some() { PolicyDocument { id: old.id.clone(), ..empty() } } else { empty() },
                origins: Vec::new(),
            };
            let moved = made.entry(policy).or_insert_with(empty);
            moved.document.statements.push(named_apart(joined(statement, &pieces), &moved.document.statements));
            moved.origins.push(origin);
        }
        made.into_iter().collect()
    }
}

/// A statement without its `Sid`, where another has the same: AWS takes each once.
fn named_apart(mut statement: Statement, others: &[Statement]) -> Statement {
    if statement.sid.is_some() && others.iter().any(|other| other.sid == statement.sid) {
        statement.sid = None;
    }
    statement
}

#[cfg(test)]
mod tests;
