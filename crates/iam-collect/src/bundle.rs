//! A bundle: a folder of what the AWS CLI printed, as a snapshot.
//!
//! One account per folder, or one sub-folder per account id. The files are put together into the text of a snapshot and
//! that is read, so a bundle and a snapshot file mean the same by construction. What is missing or broken is named in
//! the snapshot (`not_read`), with the command that gets it.

mod account;
mod analyzer;
mod folder;
mod functions;
mod policies;
mod shapes;
mod sources;
mod tags;
mod trails;

use std::collections::BTreeMap;
use std::path::Path;

use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::json::Value;
use iam_model::snapshot::{self, SCHEMA, Snapshot};
use iam_model::text::{SourceName, SourceText};

use crate::assemble::{Piece, assemble};
use crate::error::CollectError;
use folder::Answer;

/// Whether files of this name are used.
pub(crate) use account::is_known;
#[cfg(feature = "aws")]
pub(crate) use account::says_none;
#[cfg(feature = "aws")]
pub(crate) use folder::file_name;
pub(crate) use folder::{File, Folder, Key};

/// The name of the file that holds the organisation, in the form the snapshot has it.
const ORGANIZATION: &str = "organization";

/// What a collector wrote about its own work: which regions it asked.
pub(crate) const COLLECTION: &str = "collection";
/// The version of that file.
pub(crate) const COLLECTION_SCHEMA: &str = "paring-collection/1";

/// Reads a bundle.
pub(crate) fn read(path: &Path) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    let name = path.display().to_string();
    snapshot_of(&name, folders(path, &name)?)
}

/// Reads the folders of accounts, by id, and the organisation in the form the snapshot has it.
#[cfg(feature = "aws")]
pub(crate) fn from_folders(
    name: &str,
    mut folders: Vec<(String, Folder)>,
    organization: Option<String>,
) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    if let (Some(text), Some((_, first))) = (organization, folders.first_mut()) {
        let source = SourceText { name: SourceName::new("organization.json"), text };
        first.files.insert(Key::of(ORGANIZATION), File::Text(source));
    }
    snapshot_of(name, folders)
}

fn snapshot_of(name: &str, folders: Vec<(String, Folder)>) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    let whole = SourceName::new(name);
    let mut diagnostics = Vec::new();
    let parsed: Vec<(&str, Parsed<'_>)> =
        folders.iter().map(|(name, folder)| (name.as_str(), folder.parse())).collect();
    let mut accounts = BTreeMap::new();
    let mut organization = None;
    for (name, (answers, failures)) in &parsed {
        organization = organization.or_else(|| answers.iter().find(|answer| answer.key.call == ORGANIZATION));
        if !holds_account(answers.iter().map(|a| a.key).chain(failures.iter().map(|f| f.0))) {
            continue;
        }
        let notes = folders.iter().find(|(of, _)| of == name).map(|(_, folder)| folder.notes.as_slice());
        let (id, account) = account::build(name, answers, failures, notes.unwrap_or_default())?;
        if accounts.insert(id.clone(), account).is_some() {
            let message = format!("two folders are of the account {id}; the last one, `{name}`, counts");
            diagnostics.push(Diagnostic::error(Code::SnapshotIncomplete, Place::whole(whole.clone()), message));
        }
    }
    for (_, folder) in &folders {
        diagnostics.extend(unused(folder, &whole));
    }
    let root = Piece::Object(vec![
        ("schema".into(), Piece::Made(Value::text(SCHEMA))),
        ("organization".into(), organization.map_or(Piece::Made(Value::Null), |a| Piece::Copy(a.source, a.root.span))),
        ("accounts".into(), Piece::Object(accounts.into_iter().map(|(id, piece)| (id.to_string(), piece)).collect())),
    ]);
    let assembled = assemble(&root);
    // The files are in the assembled text now, and the same again as values would be a third time.
    drop(root);
    drop(parsed);
    drop(folders);
    let (text, origins) = assembled.into_parts();
    let (snapshot, read) = snapshot::read(SourceText { name: whole.clone(), text })?;
    diagnostics.extend(read.into_iter().map(|diagnostic| origins.at_origin(diagnostic, &whole)));
    Ok((snapshot, diagnostics))
}

type Parsed<'b> = (Vec<Answer<'b>>, Vec<(&'b Key, String)>);

/// The folder itself where it holds files, and its sub-folders named by account id.
fn folders(path: &Path, name: &str) -> Result<Vec<(String, Folder)>, CollectError> {
    let root = Folder::open(path);
    let inner = root.accounts.iter().map(|(id, path)| (id.clone(), Folder::open(path)));
    let mut folders: Vec<(String, Folder)> = inner.collect();
    let of_account = holds_account(root.files.keys());
    if folders.is_empty() && !of_account {
        let snapshot = root.files.iter().find_map(|(key, file)| match file {
            File::Text(source) if key.item.is_none() && source.text.contains(SCHEMA) => {
                Some(source.name.as_str().to_owned())
            }
            _ => None,
        });
        return Err(CollectError::NotABundle { name: name.into(), snapshot });
    }
    let own_name = path.file_name().and_then(|name| name.to_str()).unwrap_or(name);
    folders.insert(0, (own_name.into(), root));
    Ok(folders)
}

fn holds_account<'k>(mut keys: impl Iterator<Item = &'k Key>) -> bool {
    keys.any(|key| key.call != ORGANIZATION && is_known(&key.call))
}

/// Files of names nobody knows, and links: said once per folder, so that a slip of the pen shows.
fn unused(folder: &Folder, whole: &SourceName) -> Vec<Diagnostic> {
    let calls = folder.files.keys().map(|key| key.call.as_str());
    let mut unknown: Vec<&str> = calls.filter(|call| *call != ORGANIZATION && !is_known(call)).collect();
    unknown.dedup();
    let mut said = Vec::new();
    let place = || Place::whole(whole.clone());
    if !unknown.is_empty() {
        let message = format!("not known, and not used: {}", named(&unknown));
        said.push(Diagnostic::note(Code::SnapshotIncomplete, place(), message));
    }
    if !folder.links.is_empty() {
        let links: Vec<&str> = folder.links.iter().map(String::as_str).collect();
        let message = format!("links are not followed: {}", named(&links));
        said.push(
            Diagnostic::warning(Code::SnapshotIncomplete, place(), message).hint("copy the files into the folder"),
        );
    }
    said
}

/// The first few names, and how many more.
fn named<S: AsRef<str>>(names: &[S]) -> String {
    const FEW: usize = 5;
    let first: Vec<String> = names.iter().take(FEW).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().checked_sub(FEW) {
        None | Some(0) => first.join(", "),
        Some(more) => format!("{} and {more} more", first.join(", ")),
    }
}
