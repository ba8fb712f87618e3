//! Packing control policies: the statements of several policies of one target in as few documents as the quotas take.
//!
//! On one target statements add up, wherever they stand: what any denies is denied, and what any allows is allowed there. So
//! they may move, and lists of statements that differ in one list alone may become one. Every step is proved by asking
//! permission sets both ways, statement by statement; what is not decided is not done, and where that leaves the whole
//! undecided, nothing is given. Wildcards are never made shorter: what they match grows with AWS.

mod bins;
mod merge;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::condition::Operator;
use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PolicyVersion, PrintStyle, ResourceElement, Statement, print,
};
use iam_model::quota::QuotaProfile;

/// What is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlKind {
    /// Service control policies.
    Service,
    /// Resource control policies.
    Resource,
}

impl ControlKind {
    /// The most characters of one document, white space included.
    #[must_use]
    pub const fn most(self, quota: &QuotaProfile) -> usize {
        match self {
            Self::Service => quota.service_control,
            Self::Resource => quota.resource_control,
        }
    }

    /// The most documents of one target beside the one of AWS's that allows everything.
    #[must_use]
    pub const fn slots(self, quota: &QuotaProfile) -> usize {
        match self {
            Self::Service => quota.service_controls_of_target,
            Self::Resource => quota.resource_controls_of_target,
        }
    }
}

/// What may be done to the statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PackOptions {
    /// Statement ids go: they cost characters and decide nothing.
    pub drop_sids: bool,
}

/// The documents, and what they are made of.
#[derive(Debug, Clone)]
pub struct PackedControls {
    /// The documents, as they are to be saved: compact.
    pub documents: Vec<PackedControl>,
    /// No packing of these statements takes fewer documents.
    pub fewest: bool,
    /// Statements that another one covers, and which are gone.
    pub dropped: Vec<ControlOrigin>,
}

/// One document.
#[derive(Debug, Clone)]
pub struct PackedControl {
    /// The document.
    pub document: PolicyDocument,
    /// Its characters, as AWS counts them.
    pub characters: usize,
    /// For each statement, those it is made of.
    pub origins: Vec<Vec<ControlOrigin>>,
}

/// A statement of what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ControlOrigin {
    /// The index of its document.
    pub document: usize,
    /// Its index there.
    pub statement: usize,
}

/// Why documents cannot be packed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// A part of a policy that was not understood.
    #[error("a part of it is not understood: {what}")]
    NotUnderstood {
        /// The index of the document.
        document: usize,
        /// The part.
        what: String,
    },
    /// A statement that no document can hold and that cannot be cut.
    #[error("statement {} takes {characters} characters in a document, {most} is the most, and it cannot be cut", .at.statement)]
    TooLarge {
        /// The statement.
        at: ControlOrigin,
        /// What it takes, the document around it included.
        characters: usize,
        /// The quota.
        most: usize,
    },
    /// Whether the packed documents say the same could not be decided.
    #[error("whether statement {} says the same after packing could not be decided", .at.statement)]
    Undecided {
        /// The statement of what was given.
        at: ControlOrigin,
    },
}

/// A statement with what it is made of.
#[derive(Debug, Clone)]
struct Part {
    statement: Statement,
    version: Version,
    origins: Vec<ControlOrigin>,
}

/// Versions matter where a text could be a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    /// No text that a version reads otherwise.
    Either,
    Of(PolicyVersion),
}

/// Packs documents of one target.
///
/// # Errors
/// Where something is not understood, does not fit, or is not proved to say the same.
pub fn pack_controls(
    documents: &[&PolicyDocument],
    kind: ControlKind,
    quota: &QuotaProfile,
    options: PackOptions,
) -> Result<PackedControls, PackError> {
    let given = parts(documents)?;
    let (mut merged, dropped) = merge::merged(given.clone());
    if options.drop_sids {
        merged.iter_mut().for_each(|part| part.statement.sid = None);
    }
    let most = kind.most(quota);
    let whole = merged.len();
    let least = bins::least(&merged, most);
    let mut fitting = Vec::new();
    for part in merged {
        fitting.extend(fit(part, most)?);
    }
    // Cut in other places, statements may take fewer documents; never fewer than their characters do.
    let is_cut = fitting.len() > whole;
    let packed = bins::pack(fitting, most);
    let fewest = if is_cut { packed.bins.len() <= least } else { packed.fewest };
    prove(&given, &packed.bins, &dropped)?;
    let documents = packed.bins.into_iter().map(document).collect();
    let dropped = dropped.into_iter().map(|(gone, _)| gone).collect();
    Ok(PackedControls { documents, fewest, dropped })
}

fn parts(documents: &[&PolicyDocument]) -> Result<Vec<Part>, PackError> {
    let mut parts = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        if let Some(element) = document.unknown.first() {
            return Err(PackError::NotUnderstood { document: at, what: element.what.clone() });
        }
        for (index, statement) in document.statements.iter().enumerate() {
            if let Some(element) = statement.unknown.first() {
                return Err(PackError::NotUnderstood { document: at, what: element.what.clone() });
            }
            let mut operators = statement.conditions.iter().map(|condition| &condition.operator);
            if let Some(operator) = operators.find(|operator| matches!(operator, Operator::Unknown(_))) {
                return Err(PackError::NotUnderstood { document: at, what: format!("the operator `{operator}`") });
            }
            if statement.effect == Effect::Unknown {
                return Err(PackError::NotUnderstood {
                    document: at,
                    what: format!("the effect of statement {index}"),
                });
            }
            let version =
                if has_variable(statement) { Version::Of(document.effective_version()) } else { Version::Either };
            let origins = vec![ControlOrigin { document: at, statement: index }];
            parts.push(Part { statement: statement.clone(), version, origins });
        }
    }
    Ok(parts)
}

fn has_variable(statement: &Statement) -> bool {
    let resources = statement.resource.patterns().iter().map(|pattern| pattern.value.as_str());
    let values = statement.conditions.iter().flat_map(|c| &c.values).map(|value| value.value.as_str());
    resources.chain(values).any(|text| text.contains("${"))
}

/// The statement in parts that each fit into a document: a list that adds up may stand in two places.
fn fit(part: Part, most: usize) -> Result<Vec<Part>, PackError> {
    let alone = |statement: &Statement| characters(&PolicyDocument::new(vec![statement.clone()]));
    let takes = alone(&part.statement);
    if takes <= most {
        return Ok(vec![part]);
    }
    let Some((along, length)) = longest(&part.statement) else {
        let at = part.origins.first().copied().unwrap_or_default();
        return Err(PackError::TooLarge { at, characters: takes, most });
    };
    let (mut cut, mut from) = (Vec::new(), 0);
    while from < length {
        let mut to = from + 1;
        while to < length && alone(&some(&part.statement, along, from..=to)) <= most {
            to += 1;
        }
        let mut statement = some(&part.statement, along, from..=to - 1);
        // Of a statement that is cut, the first part keeps the id: AWS takes each once.
        if from > 0 {
            statement.sid = None;
        }
        cut.extend(fit(Part { statement, ..part.clone() }, most)?);
        from = to;
    }
    Ok(cut)
}

/// The list that a statement is cut along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Along {
    Resources,
    Actions,
}

/// The longest list of two or more that adds up; `Not…` does not: what one name leaves out, the others let through.
fn longest(statement: &Statement) -> Option<(Along, usize)> {
    let resources = match &statement.resource {
        ResourceElement::Resource(list) if list.len() > 1 => {
            Some((list.iter().map(|r| r.value.as_str().len()).sum::<usize>(), Along::Resources, list.len()))
        }
        _ => None,
    };
    let actions = match &statement.action {
        ActionElement::Action(list) if list.len() > 1 => {
            Some((list.iter().map(|a| a.value.as_str().len()).sum::<usize>(), Along::Actions, list.len()))
        }
        _ => None,
    };
    let (_, along, length) = resources.into_iter().chain(actions).max_by_key(|(size, ..)| *size)?;
    Some((along, length))
}

fn some(statement: &Statement, along: Along, range: RangeInclusive<usize>) -> Statement {
    fn chosen<T: Clone>(list: &[T], range: RangeInclusive<usize>) -> Vec<T> {
        list.get(range).unwrap_or_default().to_vec()
    }
    let mut part = statement.clone();
    match (along, &statement.resource, &statement.action) {
        (Along::Resources, ResourceElement::Resource(list), _) => {
            part.resource = ResourceElement::Resource(chosen(list, range));
        }
        (Along::Actions, _, ActionElement::Action(list)) => part.action = ActionElement::Action(chosen(list, range)),
        _ => {}
    }
    part
}

/// Characters as AWS counts those of a control policy: all of them.
fn characters(document: &PolicyDocument) -> usize {
    print(document, PrintStyle::Compact).chars().count()
}

fn document(parts: Vec<Part>) -> PackedControl {
    let old = parts.iter().any(|part| part.version == Version::Of(PolicyVersion::V2008));
    let mut document = PolicyDocument::new(Vec::new());
    if old {
        document.version = Some(PolicyVersion::V2008);
    }
    let mut origins = Vec::new();
    for part in parts {
        let mut statement = part.statement;
        let twice = |other: &Statement| other.sid.is_some() && other.sid == statement.sid;
        if document.statements.iter().any(twice) {
            statement.sid = None;
        }
        document.statements.push(statement);
        origins.push(part.origins);
    }
    PackedControl { characters: characters(&document), document, origins }
}

/// Proves that each given statement is covered by those made of it, and each made one by those it is made of.
fn prove(
    given: &[Part],
    packed: &[Vec<Part>],
    dropped: &[(ControlOrigin, Vec<ControlOrigin>)],
) -> Result<(), PackError> {
    let made: Vec<&Part> = packed.iter().flatten().collect();
    for part in given {
        let Some(at) = part.origins.first().copied() else { continue };
        let covers = dropped.iter().find(|(gone, _)| *gone == at).map(|(_, by)| by);
        let by = |other: &&&Part| match covers {
            Some(covers) => other.origins.iter().any(|origin| covers.contains(origin)),
            None => other.origins.contains(&at),
        };
        let those: Vec<&Part> = made.iter().filter(by).copied().collect();
        if !included(&[part], &those) {
            return Err(PackError::Undecided { at });
        }
    }
    for part in made {
        let from: Vec<&Part> =
            given.iter().filter(|old| old.origins.iter().any(|o| part.origins.contains(o))).collect();
        if !included(&[part], &from) {
            return Err(PackError::Undecided { at: part.origins.first().copied().unwrap_or_default() });
        }
    }
    Ok(())
}

/// Whether what the first statements match, the second ones match, in the same effect.
fn included(these: &[&Part], those: &[&Part]) -> bool {
    let same_effect = these.iter().chain(those).map(|part| part.statement.effect).collect::<BTreeSet<_>>().len() == 1;
    let set = |parts: &[&Part]| {
        let documents: Vec<PolicyDocument> = parts
            .iter()
            .map(|part| {
                let mut document =
                    PolicyDocument::new(vec![Statement { effect: Effect::Allow, ..part.statement.clone() }]);
                if let Version::Of(version) = part.version {
                    document.version = Some(version);
                }
                document
            })
            .collect();
        PermissionSet::of_documents(documents.iter())
    };
    same_effect
        && !those.is_empty()
        && matches!(set(these).included_in(&set(those), Limits::default()), Inclusion::Included(_))
}

#[cfg(test)]
mod tests;
