//! Names for the statements that one statement becomes: from what they say, never from where they stand, so that one call
//! more renames nothing else.
//!
//! A user's own name stays on one of them; the others have it with what they are for behind it. Where there was no name,
//! none is given.

use iam_model::action::Action;
use iam_model::policy::{ActionElement, PolicyDocument, Statement};

use crate::needs::Bound;

/// The most characters of a name that is made: the id of a function's permission takes no more.
const MOST: usize = 100;

/// How often something was called, roughly: a call more or less must not change who has the name.
pub(crate) fn magnitude(calls: u64) -> u32 {
    calls.checked_ilog10().map_or(0, |digits| digits + 1)
}

/// A further name made of a statement's own: `Tables` becomes `TablesGetItem`, or `TablesDynamodbGetItem` where the
/// statement spoke of several services.
pub(crate) fn further(old: &Statement, lead: Option<&Action>, bound: Option<&Bound>) -> Option<String> {
    let mut more = Vec::new();
    if let Some(action) = lead {
        let (service, called) = action.as_str().split_once(':').unwrap_or(("", action.as_str()));
        if !speaks_of_one_service(&old.action) {
            more.push(service);
        }
        more.push(called);
    }
    more.extend(bound.map(|bound| bound.key.as_str().rsplit(':').next().unwrap_or_default()));
    with(old, &more)
}

/// A statement's own name with words behind it.
pub(crate) fn with(old: &Statement, more: &[&str]) -> Option<String> {
    let own = old.sid.as_ref()?;
    let more: String = more.iter().map(|more| words(more)).collect();
    if own.len() + more.len() <= MOST {
        return Some(format!("{own}{more}"));
    }
    // Of a long name what tells it apart stays whole.
    let more: String = more.chars().take(MOST / 2).collect();
    Some(own.chars().take(MOST - more.len()).collect::<String>() + &more)
}

/// Gives a statement a name that neither another of the old document has nor one that is written already: AWS takes each
/// once.
pub(crate) fn distinct(statement: &mut Statement, old: &Statement, before: &PolicyDocument, after: &[Statement]) {
    let Some(wanted) = statement.sid.clone().filter(|sid| old.sid.as_ref() != Some(sid)) else { return };
    let is_taken = |name: &str| before.statements.iter().chain(after).any(|other| other.sid.as_deref() == Some(name));
    let short: String = wanted.chars().take(MOST - "N999".len()).collect();
    let numbered = (2..1000_usize).map(|n| format!("{short}N{n}"));
    let mut names = std::iter::once(wanted).chain(numbered);
    statement.sid = names.find(|name| !is_taken(name));
}

fn speaks_of_one_service(actions: &ActionElement) -> bool {
    let ActionElement::Action(patterns) = actions else { return false };
    let mut services = patterns.iter().map(|pattern| pattern.value.as_str().split(':').next().unwrap_or_default());
    let first = services.next().unwrap_or_default();
    !first.is_empty() && !first.contains(['*', '?']) && services.all(|service| service.eq_ignore_ascii_case(first))
}

/// Letters and digits alone, each word with a capital: AWS takes nothing else in a name.
fn words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    words.map(capital).collect()
}
