//! Texts that a template left to be filled in.
//!
//! AWS takes them as they stand, so that a guardrail exempts nobody, or matches nothing.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::diagnostic::Code;
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::text::Span;

use super::super::report::Report;
use super::{is_key, texts};

/// Words that nobody puts into a name in capitals but to say that another belongs there.
const TELLING: &[&str] =
    &["YOUR", "MY", "REPLACE", "CHANGE", "CHANGEME", "INSERT", "PLACEHOLDER", "EXAMPLE", "TODO", "FIXME", "XXX"];
/// Names in capitals that stand for an id of the user's own.
const IDS: &[&str] =
    &["ACCOUNT_ID", "ORG_ID", "ORGANIZATION_ID", "VPC_ID", "VPCE_ID", "OU_ID", "KEY_ID", "ROLE_NAME", "BUCKET_NAME"];

pub(super) fn check(document: &PolicyDocument, report: &mut Report<'_>) {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for statement in &document.statements {
        for (text, span) in texts(statement) {
            for found in placeholders(text) {
                first.entry(found).or_insert(span);
            }
        }
    }
    for (found, span) in first {
        let message = format!("`{found}` was left to be filled in; AWS takes it as it stands");
        let hint = "put your own value there: as it is, the statement exempts nobody or matches nothing";
        report.error(Code::UnresolvedPlaceholder, span, message, hint);
    }
    one_for_several(document, report);
}

/// One placeholder in statements that are for different Regions: filled in once, it is wrong in all but one.
fn one_for_several(document: &PolicyDocument, report: &mut Report<'_>) {
    let mut seen: BTreeMap<&str, BTreeSet<Vec<&str>>> = BTreeMap::new();
    for statement in &document.statements {
        let regions = regions(statement);
        if regions.is_empty() {
            continue;
        }
        let within: BTreeSet<&str> = texts(statement).flat_map(|(text, _)| placeholders(text)).collect();
        for found in within.into_iter().filter(|found| !regions.iter().any(|region| region.contains(found))) {
            let told = seen.entry(found).or_default();
            let before = told.len();
            if told.insert(regions.clone()) && before == 1 {
                let message = format!("`{found}` stands in statements for different Regions");
                let hint = "give each Region a placeholder of its own: one value cannot be right in both";
                report.error(Code::TemplateTrap, statement.span, message, hint);
            }
        }
    }
}

fn regions(statement: &Statement) -> Vec<&str> {
    let about = statement.conditions.iter().filter(|condition| is_key(condition, "aws:RequestedRegion"));
    let mut regions: Vec<&str> = about.flat_map(|c| &c.values).map(|value| value.value.as_str()).collect();
    regions.sort_unstable();
    regions
}

/// The placeholders of a text: `[NAME]`, `<name>`, `{name}`, `{{name}}`, `${name}` that is no variable, and capitals such as
/// `MY_ORG_ID`.
pub(super) fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', '<', '{']) {
        let dollar = at.checked_sub(1).filter(|before| rest.as_bytes().get(*before) == Some(&b'$'));
        let from = dollar.unwrap_or(at);
        let (open, close) = match rest.as_bytes().get(at) {
            Some(b'[') => ('[', "]"),
            Some(b'<') => ('<', ">"),
            _ if rest.get(at..).is_some_and(|inner| inner.starts_with("{{")) => ('{', "}}"),
            _ => ('{', "}"),
        };
        let length = rest.get(at + 1..).and_then(|inner| inner.find(close)).map(|end| 1 + end + close.len());
        let Some(whole) = length.and_then(|length| rest.get(from..at + length)) else { break };
        let inner = whole.trim_start_matches('$').trim_matches(['[', ']', '<', '>', '{', '}']);
        let variable = open == '{' && dollar.is_some() && is_variable(inner);
        if !variable && !inner.trim().is_empty() {
            found.push(whole);
        }
        rest = rest.get(from + whole.len()..).unwrap_or_default();
    }
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    found.extend(
        words
            .filter(|word| is_capitals(word))
            .filter(|word| !found.iter().any(|other| other.contains(word)))
            .collect::<Vec<_>>(),
    );
    found
}

/// Whether what stands in `${…}` is a policy variable.
fn is_variable(inner: &str) -> bool {
    matches!(inner, "*" | "?" | "$") || (inner.contains(':') && !inner.contains("::"))
}

fn is_capitals(word: &str) -> bool {
    let shaped = word.contains('_') && !word.bytes().any(|b| b.is_ascii_lowercase());
    shaped && (word.split('_').any(|part| TELLING.contains(&part)) || IDS.iter().any(|id| word.ends_with(id)))
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn what_is_left_to_fill_in_is_told_from_variables() {
        for (text, expected) in [
            ("arn:aws:iam::${Account}:role/[ROLE]", vec!["${Account}", "[ROLE]"]),
            ("<my-vpc>", vec!["<my-vpc>"]),
            ("{example-region-1}", vec!["{example-region-1}"]),
            ("{{org}}/x", vec!["{{org}}"]),
            ("${ACCEL_LOOKUP::ORG_ID}", vec!["${ACCEL_LOOKUP::ORG_ID}"]),
            ("role/NAME_OF_YOUR_ROLE", vec!["NAME_OF_YOUR_ROLE"]),
            ("MY_ORG_ID", vec!["MY_ORG_ID"]),
            ("${aws:PrincipalTag/team, 'none'}${*}", vec![]),
            ("AWSSSO_DO_NOT_DELETE", vec![]),
            ("RSA_2048", vec![]),
            ("o-abc/r-1/*", vec![]),
            ("[", vec![]),
            ("a{", vec![]),
            ("é[ü]<", vec!["[ü]"]),
        ] {
            assert_eq!(placeholders(text), expected, "{text}");
        }
    }
}
