//! The files of a bundle, by the call that printed them.
//!
//! `list-functions.json` is what `aws lambda list-functions` printed; `get-policy/orders.json` what `get-policy` printed
//! for `orders`, and `get-policy/orders.err` why it printed nothing. Folders named like a region hold that region's.
//! Only names found in the folder are opened: no name inside a file, and no link, leads anywhere else.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use iam_model::arn::AccountId;
use iam_model::json::{self, Arena, Limits, Node};
use iam_model::text::{Position, SourceText};

use crate::file;

/// Files of the bundle are parts of a text that may nest as deep as a snapshot does.
const LIMITS: Limits = Limits { bytes: Limits::FILE.bytes, depth: Limits::FILE.depth - 8 };

/// Why an empty file is no answer.
pub(super) const EMPTY: &str = "the file is empty, as after a call that failed";

/// Folders below the account's own: a region, and a call.
const DEEPEST: usize = 2;

/// One call's answer for one thing in one region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The command, such as `get-policy`.
    pub(crate) call: String,
    /// The thing asked about, for calls that ask about one.
    pub(crate) item: Option<String>,
    /// The region's folder, where there is one.
    pub(crate) region: Option<String>,
}

#[cfg(feature = "aws")]
impl Key {
    /// The answer to a call about a whole account.
    pub(crate) fn of(call: &str) -> Self {
        Self { call: call.into(), item: None, region: None }
    }
}

/// The name of the file about a thing: nothing in it leads out of its folder, and [`thing`] reads it back.
#[cfg(feature = "aws")]
pub(crate) fn file_name(thing: &str) -> String {
    const LONGEST: usize = 180;
    let mut name = String::new();
    for (place, byte) in thing.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"-_+=,@".contains(&byte) || (byte == b'.' && place > 0);
        if plain {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    if name.len() > LONGEST {
        // Whoever looks for such a thing finds it by the ARN in the answer.
        let sum = thing
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        name = name.chars().take(LONGEST).chain(format!("~{sum:016x}").chars()).collect();
    }
    name
}

/// The thing that a file is about, by its name.
fn thing(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let coded = match (first, after) {
            (b'%', [high, low, ..]) => {
                std::str::from_utf8(&[*high, *low]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(coded.unwrap_or(first));
        rest = if coded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

/// What is on disk.
pub(crate) enum File {
    /// The answer's text.
    Text(SourceText),
    /// The call failed with this message, or the file cannot be read.
    Failed { file: String, why: String },
}

/// The files of one account.
#[derive(Default)]
pub(crate) struct Folder {
    /// By call, thing and region.
    pub(crate) files: BTreeMap<Key, File>,
    /// What else is not known, with what to do about it.
    pub(crate) notes: Vec<(String, Option<String>)>,
    /// Sub-folders named like an account.
    pub(crate) accounts: BTreeMap<String, PathBuf>,
    /// Links, which are not followed.
    pub(crate) links: Vec<String>,
    /// Where the values of the answers stand.
    arena: Arena,
}

/// An answer that was read.
pub(super) struct Answer<'b> {
    pub(super) key: &'b Key,
    pub(super) source: &'b SourceText,
    pub(super) root: Node<'b>,
}

impl Folder {
    /// Lists and reads a folder.
    pub(crate) fn open(path: &Path) -> Self {
        let mut folder = Self::default();
        folder.list(path, None, None, 0);
        folder
    }

    fn list(&mut self, path: &Path, region: Option<&str>, call: Option<&str>, depth: usize) {
        let Ok(entries) = fs::read_dir(path) else {
            let file = path.display().to_string();
            let key = Key { call: file.clone(), item: None, region: None };
            self.files.insert(key, File::Failed { file, why: "the folder cannot be read".into() });
            return;
        };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name());
            let (Ok(kind), Some(name)) = (entry.file_type(), name.to_str()) else { continue };
            if kind.is_symlink() {
                self.links.push(path.display().to_string());
            } else if kind.is_file() {
                self.file(&path, name, region, call);
            } else if kind.is_dir() && depth < DEEPEST && call.is_none() {
                if AccountId::is_number(name) {
                    self.accounts.insert(name.into(), path);
                } else if is_region(name) && region.is_none() {
                    self.list(&path, Some(name), None, depth + 1);
                } else {
                    self.list(&path, region, Some(name), depth + 1);
                }
            }
        }
    }

    fn file(&mut self, path: &Path, name: &str, region: Option<&str>, call: Option<&str>) {
        let Some((stem, extension)) = name.rsplit_once('.') else { return };
        let failed = match extension {
            "json" => false,
            "err" => true,
            _ => return,
        };
        let (call, item) = call.map_or((stem, None), |call| (call, Some(stem)));
        let key = Key { call: call.into(), item: item.map(thing), region: region.map(Into::into) };
        let read = match file::open(path) {
            Ok(source) if source.text.trim().is_empty() => {
                if !failed {
                    let failed = File::Failed { file: path.display().to_string(), why: EMPTY.into() };
                    self.files.entry(key).or_insert(failed);
                }
                return;
            }
            Ok(source) if failed => {
                let why = source.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
                File::Failed { file: path.display().to_string(), why: why.into() }
            }
            Ok(source) => File::Text(source),
            Err(error) => File::Failed { file: path.display().to_string(), why: error.to_string() },
        };
        // An answer counts for more than a message beside it: retries leave both.
        match self.files.get(&key) {
            Some(File::Text(_)) if failed => {}
            _ => {
                self.files.insert(key, read);
            }
        }
    }

    /// The answers that are JSON, in a fixed order; for the others, why not.
    pub(super) fn parse(&self) -> (Vec<Answer<'_>>, Vec<(&Key, String)>) {
        let (mut answers, mut failures) = (Vec::new(), Vec::new());
        for (key, file) in &self.files {
            match file {
                File::Failed { file, why } => failures.push((key, format!("{file}: {why}"))),
                File::Text(source) => match json::parse(&self.arena, &source.text, LIMITS) {
                    Ok(root) => answers.push(Answer { key, source, root }),
                    Err(error) => {
                        let position = Position::of(&source.text, error.offset);
                        failures.push((key, format!("{}:{position}: not JSON: {error}", source.name)));
                    }
                },
            }
        }
        (answers, failures)
    }
}

/// `us-east-1`, `ap-southeast-4`, `us-gov-west-1`.
pub(super) fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let letters = |part: &str| part.len() > 1 && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [area, middle @ .., number] => {
            area.len() == 2
                && letters(area)
                && !middle.is_empty()
                && middle.iter().all(|part| letters(part))
                && number.bytes().all(|b| b.is_ascii_digit())
                && !number.is_empty()
        }
        _ => false,
    }
}
