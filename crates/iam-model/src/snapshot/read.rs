//! Reading `paring-snapshot/1`.
//!
//! One bad role, policy or resource is a diagnostic with its place, and the rest is read. What could grant or deny and
//! cannot be read stays as an unknown policy. Opens no file, and does not look policies up by ARN: that is the index.

mod analyzer;
mod identities;
mod organization;
mod resources;

use super::{Account, SCHEMA, Snapshot};
use crate::arn::AccountId;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::json::{self, Arena, JsonError, Limits, Node, NodeKind};
use crate::reading::{Reader, shown};
use crate::text::SourceText;

/// Why a snapshot cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The text is not JSON.
    #[error("{place}: not JSON: {error}")]
    NotJson {
        /// Where reading stopped.
        place: Place,
        /// Why.
        error: JsonError,
    },
    /// JSON, but not an object with a `schema`.
    #[error("{place}: not a snapshot: {found}")]
    NotASnapshot {
        /// The whole source.
        place: Place,
        /// What stands there instead.
        found: &'static str,
        /// Whether it looks like what `aws iam get-account-authorization-details` prints.
        authorization_details: bool,
    },
    /// A schema this version does not read.
    #[error("{place}: this is `{found}`; this version reads `{SCHEMA}`")]
    UnknownSchema {
        /// Where the schema stands.
        place: Place,
        /// The schema found.
        found: String,
    },
    /// `accounts` is missing or not an object.
    #[error("{place}: `accounts` is {found}; an object of accounts by id is expected")]
    NoAccounts {
        /// Where it stands, or the whole source.
        place: Place,
        /// What stands there instead.
        found: &'static str,
    },
}

impl SnapshotError {
    /// The file, and the place in it.
    #[must_use]
    pub const fn place(&self) -> &Place {
        match self {
            Self::NotJson { place, .. }
            | Self::NotASnapshot { place, .. }
            | Self::UnknownSchema { place, .. }
            | Self::NoAccounts { place, .. } => place,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotJson { error, .. } => Some(error.kind.hint().map_or_else(
                || "give a snapshot as `paring collect` writes it, or a folder of AWS CLI output".to_owned(),
                Into::into,
            )),
            Self::NotASnapshot { authorization_details: true, .. } => Some(
                "this looks like what `aws iam get-account-authorization-details` prints: save it as \
                 `account-authorization-details.json` in a folder of its own and give the folder"
                    .into(),
            ),
            Self::NotASnapshot { .. } => Some(format!("a snapshot is an object with `\"schema\": \"{SCHEMA}\"`")),
            Self::UnknownSchema { found, .. } if found.starts_with("paring-snapshot/") => {
                Some("collect the snapshot again with this version, or use the version that wrote it".into())
            }
            Self::UnknownSchema { .. } => Some("give the snapshot that `paring collect` wrote".into()),
            Self::NoAccounts { .. } => Some("the file may have been cut or edited; collect it again".into()),
        }
    }
}

/// Reads a snapshot.
///
/// The diagnostics say what was left out or is unknown, each with its place. Policies keep their spans into the
/// source, which the snapshot holds.
///
/// # Errors
/// Where the text is not JSON, or not of a known schema.
///
/// ```
/// use iam_model::snapshot;
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"schema": "paring-snapshot/1", "accounts": {"111122223333": {"authorization_details":
///     {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}}}}"#;
/// let source = SourceText { name: SourceName::new("snapshot.json"), text: text.into() };
/// let (snapshot, diagnostics) = snapshot::read(source).unwrap();
/// assert_eq!(snapshot.accounts.len(), 1);
/// assert!(diagnostics.is_empty());
///
/// let source = SourceText { name: SourceName::new("next.json"), text: r#"{"schema": "paring-snapshot/2"}"#.into() };
/// let error = snapshot::read(source).unwrap_err();
/// assert_eq!(error.to_string(), "next.json:1:12: this is `paring-snapshot/2`; this version reads `paring-snapshot/1`");
/// ```
pub fn read(source: SourceText) -> Result<(Snapshot, Vec<Diagnostic>), SnapshotError> {
    let (mut snapshot, diagnostics) = read_borrowed(&source)?;
    snapshot.source = Some(source);
    Ok((snapshot, diagnostics))
}

fn read_borrowed(source: &SourceText) -> Result<(Snapshot, Vec<Diagnostic>), SnapshotError> {
    let arena = Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE).map_err(|error| SnapshotError::NotJson {
        place: Place::at(source.name.clone(), &source.text, error.offset),
        error,
    })?;
    let place = |node: &Node<'_>| Place::at(source.name.clone(), &source.text, node.span.start);
    check_schema(&root, source)?;
    let accounts = match root.get("accounts") {
        Some(node) if matches!(node.kind, NodeKind::Object(_)) => node,
        Some(node) => return Err(SnapshotError::NoAccounts { place: place(node), found: node.describe() }),
        None => return Err(SnapshotError::NoAccounts { place: place(&root), found: "missing" }),
    };
    let mut reader = Reader::new(source, Code::SnapshotIncomplete);
    reader.note_unknown_keys(&root, &["schema", "accounts", "organization"], "the snapshot");
    let mut snapshot = Snapshot::default();
    for member in accounts.members() {
        match member.key.parse::<AccountId>() {
            Ok(id) => {
                let account = account(&mut reader, &member.value, &id);
                snapshot.accounts.insert(id, account);
            }
            Err(error) => reader.error(member.key_span, "accounts", format!("{error}; the account is left out")),
        }
    }
    if let Some(node) = root.get("organization") {
        snapshot.organization = organization::read(&mut reader, node);
    }
    Ok((snapshot, reader.finish()))
}

fn check_schema(root: &Node<'_>, source: &SourceText) -> Result<(), SnapshotError> {
    let not_a_snapshot = |found| SnapshotError::NotASnapshot {
        place: Place::whole(source.name.clone()),
        found,
        authorization_details: root.get("RoleDetailList").is_some() || root.get("UserDetailList").is_some(),
    };
    if !matches!(root.kind, NodeKind::Object(_)) {
        return Err(not_a_snapshot(root.describe()));
    }
    let Some(schema) = root.get("schema") else {
        return Err(not_a_snapshot("an object without `schema`"));
    };
    match schema.as_str() {
        Some(SCHEMA) => Ok(()),
        Some(found) => Err(SnapshotError::UnknownSchema {
            place: Place::at(source.name.clone(), &source.text, schema.span.start),
            found: shown(found),
        }),
        None => Err(not_a_snapshot("its `schema` is no string")),
    }
}

const ACCOUNT_KEYS: &[&str] = &[
    "authorization_details",
    "resources",
    "resource_policies",
    "resource_tags",
    "trails",
    "iam_extra",
    "access_analyzer",
    "not_read",
];

fn account(reader: &mut Reader<'_>, node: &Node<'_>, id: &AccountId) -> Account {
    let within = format!("account {id}");
    let mut account = Account::default();
    if !matches!(node.kind, NodeKind::Object(_)) {
        reader.error(node.span, &within, format!("an account is an object, not {}", node.describe()));
        return account;
    }
    reader.note_unknown_keys(node, ACCOUNT_KEYS, &within);
    match node.get("authorization_details") {
        Some(details) => identities::read(reader, details, &mut account, id),
        None => reader.warn_hint(
            Code::SnapshotIncomplete,
            node.span,
            &within,
            "no `authorization_details`: users, groups, roles and policies are not known".into(),
            "add what `aws iam get-account-authorization-details` prints",
        ),
    }
    resources::read(reader, node, &mut account, id);
    account.access_analyzer = analyzer::read(reader, node, &within);
    account
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
