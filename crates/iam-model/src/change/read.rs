//! Reading `paring-changes/1`.
//!
//! A change that cannot be read is named and left out; the others are read. A change whose new policy is not
//! understood whole is left out too: nobody may write what nobody can print.

mod splits;

use super::{Attachment, AttachmentKind, Change, ChangeSet, Reason, SCHEMA};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::json::{self, Arena, JsonError, Limits, Node, NodeKind};
use crate::policy::PolicyDocument;
use crate::reading::{Reader, present, shown};
use crate::text::SourceText;

/// Why a changes file cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangesError {
    /// The text is not JSON.
    #[error("{place}: not JSON: {error}")]
    NotJson {
        /// Where reading stopped.
        place: Place,
        /// Why.
        error: JsonError,
    },
    /// JSON, but not an object with a `schema` and a list of `changes`.
    #[error("{place}: not a changes file: {found}")]
    NotChanges {
        /// Where.
        place: Place,
        /// What stands there instead.
        found: &'static str,
    },
    /// A schema this version does not read.
    #[error("{place}: this is `{found}`; this version reads `{SCHEMA}`")]
    UnknownSchema {
        /// Where the schema stands.
        place: Place,
        /// The schema found.
        found: String,
    },
}

impl ChangesError {
    /// The file, and the place in it.
    #[must_use]
    pub const fn place(&self) -> &Place {
        match self {
            Self::NotJson { place, .. } | Self::NotChanges { place, .. } | Self::UnknownSchema { place, .. } => place,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotJson { error, .. } => error.kind.hint().map(Into::into),
            Self::NotChanges { .. } => {
                Some(format!("a changes file is an object with `\"schema\": \"{SCHEMA}\"` and a list of `changes`"))
            }
            Self::UnknownSchema { found, .. } if found.starts_with("paring-changes/") => {
                Some("make the changes again with this version, or use the version that wrote them".into())
            }
            Self::UnknownSchema { .. } => Some("give the changes file that `paring tighten --out` wrote".into()),
        }
    }
}

/// Reads a changes file.
///
/// # Errors
/// Where the text is not JSON, or not of a known schema.
///
/// ```
/// use iam_model::change;
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"schema": "paring-changes/1", "changes": [{
///     "attachment": {"kind": "identity", "logical_id": "OrdersFunction", "index": 0},
///     "before": {"Version": "2012-10-17", "Statement": []}, "after": null,
///     "reasons": [{"statement": null, "because": "not used for 90 days", "evidence": []}]}]}"#;
/// let source = SourceText { name: SourceName::new("changes.json"), text: text.into() };
/// let (changes, diagnostics) = change::read(&source).unwrap();
/// assert_eq!(changes.changes[0].attachment.logical_id.as_deref(), Some("OrdersFunction"));
/// assert!(diagnostics.is_empty());
/// ```
pub fn read(source: &SourceText) -> Result<(ChangeSet, Vec<Diagnostic>), ChangesError> {
    let arena = Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE).map_err(|error| ChangesError::NotJson {
        place: Place::at(source.name.clone(), &source.text, error.offset),
        error,
    })?;
    let list = checked(&root, source)?;
    let mut reader = Reader::new(source, Code::FileUnreadable);
    reader.note_unknown_keys(&root, &["schema", "changes", "splits"], "the changes file");
    let mut changes = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        changes.extend(change(&mut reader, item, &format!("change {index}")));
    }
    let splits = splits::splits(&mut reader, &root);
    Ok((ChangeSet { changes, splits }, reader.finish()))
}

fn checked<'n, 'a>(root: &'n Node<'a>, source: &SourceText) -> Result<&'n [Node<'a>], ChangesError> {
    let at = |node: &Node<'_>| Place::at(source.name.clone(), &source.text, node.span.start);
    let wrong = |node: &Node<'_>, found| Err(ChangesError::NotChanges { place: at(node), found });
    if !matches!(root.kind, NodeKind::Object(_)) {
        return wrong(root, root.describe());
    }
    match root.get("schema").map(|schema| (schema, schema.as_str())) {
        Some((_, Some(SCHEMA))) => {}
        Some((schema, Some(found))) => {
            return Err(ChangesError::UnknownSchema { place: at(schema), found: shown(found) });
        }
        Some((schema, None)) => return wrong(schema, "its `schema` is no string"),
        None => return wrong(root, "an object without `schema`"),
    }
    match root.get("changes") {
        Some(list) if matches!(list.kind, NodeKind::Array(_)) => Ok(list.items()),
        Some(other) => wrong(other, "its `changes` are no list"),
        None => wrong(root, "an object without `changes`"),
    }
}

fn change(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<Change> {
    reader.note_unknown_keys(node, &["attachment", "before", "after", "reasons"], within);
    let Some(attachment) = attachment(reader, node, within) else {
        reader.error(node.span, within, "the change is left out: its `attachment` cannot be read".into());
        return None;
    };
    let before = present(node, "before").map(|found| reader.policy(found, &format!("{within}, before")));
    let after = present(node, "after").map(|found| reader.policy(found, &format!("{within}, after")));
    if before.is_none() && after.is_none() {
        reader.error(node.span, within, "the change is left out: it has neither `before` nor `after`".into());
        return None;
    }
    if after.as_ref().is_some_and(|document| !understood(document)) {
        let message = "the change is left out: its `after` is not understood whole, so it could not be written";
        reader.error(node.span, within, message.into());
        return None;
    }
    let reasons = reader.list(node, "reasons", within).unwrap_or_default();
    let reasons = reasons.iter().filter_map(|item| reason(reader, item, within)).collect();
    Some(Change { attachment, before, after, reasons })
}

fn understood(document: &PolicyDocument) -> bool {
    document.unknown.is_empty() && document.statements.iter().all(|statement| statement.unknown.is_empty())
}

const ATTACHMENT_KEYS: &[&str] =
    &["kind", "principal_arn", "resource_arn", "logical_id", "address", "policy_name", "index"];

/// The attachment; nothing where any part of it is wrong, as the change could then hit another policy.
fn attachment(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<Attachment> {
    let found = reader.object(node, "attachment", within)?;
    reader.note_unknown_keys(found, ATTACHMENT_KEYS, within);
    let kind = reader.text(found, "kind", within)?;
    let Some(&kind) = AttachmentKind::ALL.iter().find(|known| known.as_str() == kind) else {
        let known: Vec<&str> = AttachmentKind::ALL.iter().map(|known| known.as_str()).collect();
        let message = format!("`{}` is no kind of attachment (there are {})", shown(&kind), known.join(", "));
        reader.error(found.span, within, message);
        return None;
    };
    let attachment = Attachment {
        kind,
        principal_arn: reader.optional_arn(found, "principal_arn", within),
        resource_arn: reader.optional_arn(found, "resource_arn", within),
        logical_id: reader.optional_text(found, "logical_id", within),
        address: reader.optional_text(found, "address", within),
        policy_name: reader.optional_text(found, "policy_name", within),
        index: present(found, "index").and_then(Node::as_u64).and_then(|index| usize::try_from(index).ok()),
    };
    let read = [
        ("principal_arn", attachment.principal_arn.is_some()),
        ("resource_arn", attachment.resource_arn.is_some()),
        ("logical_id", attachment.logical_id.is_some()),
        ("address", attachment.address.is_some()),
        ("policy_name", attachment.policy_name.is_some()),
        ("index", attachment.index.is_some()),
    ];
    if let Some((key, _)) = read.iter().find(|(key, read)| present(found, key).is_some() && !read) {
        reader.error(found.span, within, format!("`{key}` of the attachment cannot be read"));
        return None;
    }
    Some(attachment)
}

fn reason(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Option<Reason> {
    let because = reader.text(node, "because", within)?;
    let statement = present(node, "statement").and_then(Node::as_u64).and_then(|at| usize::try_from(at).ok());
    let evidence = match present(node, "evidence") {
        Some(one) if one.as_str().is_some() => one.as_str().map(Into::into).into_iter().collect(),
        _ => {
            let items = reader.list(node, "evidence", within).unwrap_or_default();
            items.iter().map(|item| item.as_str().map_or_else(|| item.to_value().to_compact(), Into::into)).collect()
        }
    };
    Some(Reason { statement, because, evidence })
}

#[cfg(test)]
mod tests;
