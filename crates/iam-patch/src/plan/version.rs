//! The `Version` of a policy document: whether `${…}` in it is a variable.
//!
//! A document without one is of 2008-10-17. Many sources leave it out where nothing depends on it, so a version that is
//! not written counts as drift only where texts have variables.

use iam_model::policy::{PolicyDocument, PolicyVersion, PrintStyle, print};

use super::Author;
use crate::op::{New, Op};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Value;
use crate::tree::{Node, Path};

/// The operations that make the document's version the one that is wanted.
///
/// `implied` is the version of a form whose documents get one without naming it.
pub(crate) fn version(
    author: &mut Author<'_>,
    document: &Node,
    place: &Path,
    (before, after): (Option<&PolicyDocument>, &PolicyDocument),
    implied: Option<PolicyVersion>,
) -> Result<Vec<Op>, Refusal> {
    let found = document.find("Version").or_else(|| document.find("version"));
    let written = match found.map(|(_, node)| author.language.value(node)) {
        None => implied,
        Some(Value::Text(text)) => match text.known().map(|text| known(&text)) {
            Some(version) => version,
            None => return Ok(Vec::new()),
        },
        Some(_) => return Ok(Vec::new()),
    };
    let variables = |document: &PolicyDocument| print(document, PrintStyle::Compact).contains("${");
    let speaks = variables(after) || before.is_some_and(variables);
    let here = written.unwrap_or_default();
    if let Some(before) = before {
        let explicit = before.version.is_some() && (written.is_some() || implied.is_some());
        if before.effective_version() != here && (explicit || speaks) {
            let message = format!(
                "the source does not explain the deployed policy: its `Version` is {} here, {} deployed",
                here.as_str(),
                before.effective_version().as_str()
            );
            return Err(Refusal::new(RefusalCode::Drift, message)
                .hint("deploy the template, or bring it up to date with the account, and collect again")
                .at(author.language.place(document.span)));
        }
    }
    let Some(wanted) = after.version.filter(|wanted| *wanted != here) else { return Ok(Vec::new()) };
    if before.is_none_or(|before| before.effective_version() == wanted) && !(before.is_none() && speaks) {
        return Ok(Vec::new());
    }
    if speaks {
        let message = format!("`Version` becomes {}: `${{…}}` in the policy means something else", wanted.as_str());
        author.reviews.push(message);
    }
    let with = New::text(wanted.as_str());
    let statement = document.find("Statement").map(|(index, _)| place.child(index));
    match (found, statement) {
        (Some((index, _)), _) => Ok(vec![Op::Replace { at: place.child(index), with, whole_line: false }]),
        (None, Some(after)) if implied.is_none() => Ok(vec![Op::InsertEntry { after, key: "Version".into(), with }]),
        _ => Err(Refusal::new(RefusalCode::Unsupported, "the `Version` of this form cannot be written")
            .hint("write the version by hand; the change is printed with this refusal")
            .at(author.language.place(document.span))),
    }
}

fn known(text: &str) -> Option<PolicyVersion> {
    [PolicyVersion::V2008, PolicyVersion::V2012].into_iter().find(|version| version.as_str() == text)
}
