//! Names of principals that are gone: the unique id AWS leaves behind, and ARNs nobody of the account has.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::finding::{Finding, FindingCode, FindingSeverity};
use iam_model::policy::{PolicyDocument, PrincipalElement, PrincipalPattern};

use crate::survey::Survey;

/// One finding for a policy that names somebody who is gone.
pub(super) fn names(survey: &Survey<'_>, on: &Arn, document: &PolicyDocument, place: String) -> Option<Finding> {
    let elements = document.statements.iter().filter_map(|statement| statement.principal.as_ref());
    let patterns = elements.flat_map(|element| match element {
        PrincipalElement::Principal(patterns) | PrincipalElement::NotPrincipal(patterns) => patterns,
    });
    let gone: BTreeSet<String> = patterns
        .filter_map(|pattern| if let PrincipalPattern::Aws(text) = &pattern.value { gone(survey, text) } else { None })
        .collect();
    if gone.is_empty() {
        return None;
    }
    let is_role = on.service() == "iam";
    let mut finding = match is_role {
        true => Finding::about(FindingCode::StaleTrust, FindingSeverity::Low, on.clone()),
        false => Finding::new(FindingCode::StaleTrust, FindingSeverity::Low),
    };
    finding.resource = (!is_role).then(|| on.clone());
    finding.place = Some(place);
    finding.evidence = gone.into_iter().collect();
    Some(finding)
}

/// Why a name is nobody's; nothing where it may be somebody's.
fn gone(survey: &Survey<'_>, text: &str) -> Option<String> {
    let is_id =
        |prefix: &str| text.len() >= 16 && text.starts_with(prefix) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_id("AROA") || is_id("AIDA") {
        let id = text.split(':').next().unwrap_or(text);
        let lives = survey.people.iter().any(|person| person.identity.unique_id.as_deref() == Some(id));
        return (!lives).then(|| format!("`{text}` is the id of a principal that was deleted"));
    }
    let arn: Arn = text.parse().ok()?;
    let account = arn.account()?;
    if !survey.index.snapshot().accounts.contains_key(&account) || text.contains(['*', '?', '$']) {
        return None;
    }
    let (kind, rest) = arn.resource().split_once('/')?;
    let lives = match (arn.service(), kind) {
        ("iam", "user" | "role") => survey.place(&arn).is_some(),
        // A session names its role without the path.
        ("sts", "assumed-role") => {
            let role = rest.split('/').next().unwrap_or_default();
            survey.has_role(&account, role)
        }
        _ => return None,
    };
    (!lives).then(|| format!("`{text}` is nobody of the account"))
}
