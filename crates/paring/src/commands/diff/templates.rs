//! The policies of two versions of a template, side by side: those of one role together, every other one alone.
//!
//! Pairs; what differs is found where permissions are compared.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::change::AttachmentKind;
use iam_model::policy::{Effect, PolicyDocument, Statement};
use iam_patch::{Body, Form, Written};
use iam_verify::adds_nothing::compared;

use super::Pair;

type Groups<'w> = BTreeMap<(&'w str, AttachmentKind), Vec<&'w Written>>;

/// Pairs what is for the same logical id, and says what cannot be compared.
pub(super) fn pairs(old: &[Written], new: &[Written], not_compared: &mut Vec<String>) -> Vec<Pair> {
    let (before, after) = (groups(old), groups(new));
    let names: BTreeSet<&(&str, AttachmentKind)> = before.keys().chain(after.keys()).collect();
    let mut pairs = Vec::new();
    for name in names {
        let (old, new) = (of(&before, name), of(&after, name));
        if unknown(name.0, &old, &new, not_compared) {
            continue;
        }
        let (old, new) = (documents(&old), documents(&new));
        let (old, new) = match name.1 {
            AttachmentKind::Identity => (old, new),
            kind => compared(kind, old.first(), new.first()),
        };
        let same = old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| old.same_text(new));
        if !same {
            pairs.push(Pair { name: format!("{}{}", name.0, word(name.1)), old, new });
        }
    }
    pairs
}

/// Notes identities of which a policy denies less than before: what it denied may be allowed by a policy that does not change,
/// and that is not among what is compared.
pub(super) fn lifted_denies(old: &[Written], new: &[Written], not_compared: &mut Vec<String>) {
    let (before, after) = (groups(old), groups(new));
    for ((owner, kind), policies) in &before {
        let denies = |policies: &[&Written]| -> Vec<Statement> {
            let statements = documents(policies).into_iter().flat_map(|document| document.statements);
            statements.filter(|statement| statement.effect != Effect::Allow).collect()
        };
        let kept = after.get(&(*owner, *kind)).map(|policies| denies(policies)).unwrap_or_default();
        let same = |one: &Statement, other: &Statement| {
            let alone = |statement: &Statement| PolicyDocument::new(vec![statement.clone()]);
            alone(one).same_text(&alone(other))
        };
        let lifted = denies(policies).iter().any(|deny| !kept.iter().any(|other| same(deny, other)));
        if lifted && *kind == AttachmentKind::Identity {
            not_compared.push(format!(
                "{owner}: a Deny changes or goes, and what it denied may be allowed by a policy that stays as it is"
            ));
        }
    }
}

fn groups(written: &[Written]) -> Groups<'_> {
    let mut groups = Groups::new();
    for one in written {
        groups.entry((one.owner.as_str(), kind(one.form))).or_default().push(one);
    }
    groups
}

fn of<'w>(groups: &Groups<'w>, name: &(&str, AttachmentKind)) -> Vec<&'w Written> {
    groups.get(name).cloned().unwrap_or_default()
}

const fn kind(form: Form) -> AttachmentKind {
    match form {
        Form::Trust => AttachmentKind::Trust,
        Form::ResourcePolicy | Form::Permission => AttachmentKind::Resource,
        Form::Organization => AttachmentKind::ServiceControl,
        Form::SamDocument
        | Form::SamTemplate
        | Form::ManagedItem
        | Form::Inline
        | Form::ServerlessStatements
        | Form::PolicyResource => AttachmentKind::Identity,
    }
}

const fn word(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::Trust => ", trust",
        AttachmentKind::Resource => ", resource policy",
        AttachmentKind::ServiceControl => ", organization policy",
        _ => "",
    }
}

fn documents(written: &[&Written]) -> Vec<PolicyDocument> {
    let document =
        |one: &&Written| if let Body::Document(document) = &one.body { Some(document.clone()) } else { None };
    written.iter().filter_map(document).collect()
}

/// Notes what has no text to compare; whether that leaves nothing to be said about the rest.
///
/// A policy by name that both versions attach is the same in both. One that only one of them attaches grants what its
/// text says, which is not in the template.
fn unknown(owner: &str, old: &[&Written], new: &[&Written], not_compared: &mut Vec<String>) -> bool {
    let mut open = false;
    for one in old.iter().chain(new) {
        if let Body::Unknown(why) = &one.body {
            not_compared.push(format!("{owner}, {}: {why}", one.place));
            open = true;
        }
    }
    let names = |side: &[&Written]| -> BTreeMap<String, String> {
        let named = |one: &&Written| if let Body::Named(name) = &one.body { Some(name.clone()) } else { None };
        side.iter().filter_map(|one| Some((named(one)?, one.place.to_string()))).collect()
    };
    let (before, after) = (names(old), names(new));
    for (here, there, which) in [(&before, &after, "old"), (&after, &before, "new")] {
        for (name, place) in here.iter().filter(|(name, _)| !there.contains_key(*name)) {
            not_compared.push(format!(
                "{owner}, {place}: only the {which} template attaches `{name}`, whose text is not in the template"
            ));
        }
    }
    open
}
