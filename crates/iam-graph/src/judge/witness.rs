//! Names for things that do not exist yet: where a caller chooses the name, which names are worth trying.
//!
//! Reads the patterns of every layer that grants or limits, fills their wildcards, and offers one name no pattern
//! singles out. Whether a name is allowed is for evaluation; a name too many costs time, nothing else.

use std::collections::BTreeSet;

use iam_evaluate::glob::{Glob, Reading};
use iam_model::arn::Arn;
use iam_model::policy::{Effect, PolicyDocument, ResourceElement, Statement};

use super::{Judge, Powers, Question};

/// More names than this are not tried for one requirement.
const MOST: usize = 64;

impl Judge<'_> {
    /// Names to try, the plainest first.
    pub(super) fn witnesses(&self, powers: &Powers<'_>, asked: &[Question<'_>]) -> Vec<Arn> {
        let Some(account) = &powers.account else { return Vec::new() };
        let service = asked.first().map(|question| question.action.service()).unwrap_or_default();
        let region = if service == "iam" { "" } else { "us-east-1" };
        let plain = format!("arn:{}:{service}:{region}:{account}:{}", powers.partition, plain_name(asked));
        let mut names: Vec<Arn> = plain.parse().into_iter().collect();
        let mut seen: BTreeSet<Arn> = names.iter().cloned().collect();
        let above = self.guards.get(account).into_iter().flat_map(|guards| guards.scps.iter().flatten().copied());
        let documents = powers.held.iter().map(|held| held.document).chain(powers.boundary).chain(above);
        for pattern in documents.flat_map(|document| patterns(document, asked)) {
            if names.len() >= MOST {
                break;
            }
            let filled = fill(pattern, account.as_str());
            if let Some(arn) = filled.and_then(|text| text.parse::<Arn>().ok())
                && arn.service().eq_ignore_ascii_case(service)
                && seen.insert(arn.clone())
            {
                names.push(arn);
            }
        }
        names
    }
}

/// A name of the kind an action makes.
fn plain_name(asked: &[Question<'_>]) -> &'static str {
    match asked.first().map(|question| question.action.service()) {
        Some("iam") => "role/new-role",
        Some("lambda") => "function:new-function",
        _ => "new/new",
    }
}

/// Resource patterns of statements that could allow any of what is asked.
fn patterns<'d>(document: &'d PolicyDocument, asked: &[Question<'_>]) -> Vec<&'d str> {
    let allows = |statement: &&Statement| {
        statement.effect != Effect::Deny
            && statement.action.patterns().iter().any(|pattern| {
                let glob = Glob::parse(pattern.value.as_str(), Reading::ACTION);
                asked.iter().any(|question| glob.matches(question.action.as_str()))
            })
    };
    let named = |statement: &'d Statement| match &statement.resource {
        ResourceElement::Resource(patterns) => patterns.as_slice(),
        ResourceElement::NotResource(_) | ResourceElement::Absent => &[],
    };
    let statements = document.statements.iter().filter(allows);
    statements.flat_map(named).map(|pattern| pattern.value.as_str()).filter(|pattern| *pattern != "*").collect()
}

/// A concrete name the pattern matches.
pub(crate) fn fill(pattern: &str, account: &str) -> Option<String> {
    let mut parts: Vec<String> = pattern.splitn(6, ':').map(Into::into).collect();
    let wild = |part: &str| part.contains(['*', '?']);
    for (at, value) in [(1, "aws"), (3, "us-east-1"), (4, account)] {
        if let Some(part) = parts.get_mut(at).filter(|part| wild(part)) {
            *part = if *part == "*" { value.to_owned() } else { filled(part, "") };
        }
    }
    let last = parts.get_mut(5)?;
    *last = filled(last, "new");
    Some(parts.join(":"))
}

fn filled(part: &str, star: &str) -> String {
    part.replace('*', star).replace('?', "0")
}
