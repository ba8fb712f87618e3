//! `--redact`: stand-ins for what tells whose account it is, in all that a run prints, whatever the format.
//!
//! Account ids, names of principals, sessions and resources, addresses, mail addresses, access keys and unique ids. The same
//! thing has the same stand-in throughout a run, and ARNs stay ARNs. Works on the finished text, so that no report can
//! forget it; names are known from ARNs in the text and from the snapshot.

mod scan;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use iam_model::snapshot::Snapshot;

use crate::error::CliError;

static ON: AtomicBool = AtomicBool::new(false);
/// What the snapshots of the run named, in the order read.
static NAMES: Mutex<Vec<(Kind, String)>> = Mutex::new(Vec::new());

/// Switches redaction on, before anything is read.
pub(crate) fn switch_on() {
    ON.store(true, Ordering::Relaxed);
}

pub(crate) fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Files are for use, and a stand-in in one would be wrong: with `--redact` none is written.
pub(crate) fn allow_files() -> Result<(), CliError> {
    if !is_on() {
        return Ok(());
    }
    Err(CliError::user("`--redact` is for what is printed; no file is written with it")
        .hint("leave out --redact, or --out, --write and the like"))
}

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Role,
    User,
    Group,
    Session,
    Other,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
            Self::Group => "group",
            Self::Session => "session",
            Self::Other => "name",
        }
    }

    const fn slot(self) -> usize {
        match self {
            Self::Role => 0,
            Self::User => 1,
            Self::Group => 2,
            Self::Session => 3,
            Self::Other => 4,
        }
    }
}

/// Takes the names of a snapshot, so that they are known where they stand without an ARN.
pub(crate) fn learn(snapshot: &Snapshot) {
    if !is_on() {
        return;
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    for account in snapshot.accounts.values() {
        let mut add = |kind: Kind, name: &str| names.push((kind, name.to_owned()));
        account.roles.iter().filter(|role| !role.is_owned_by_aws()).for_each(|r| add(Kind::Role, &r.identity.name));
        account.users.iter().for_each(|user| add(Kind::User, &user.identity.name));
        account.groups.iter().for_each(|group| add(Kind::Group, &group.identity.name));
        account.resources.iter().for_each(|resource| add(Kind::Other, resource.arn.name()));
    }
}

/// Stand-ins given so far.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    names: BTreeMap<String, (String, bool)>,
    counts: [usize; 5],
    accounts: BTreeMap<String, String>,
    addresses: BTreeMap<String, String>,
    mails: BTreeMap<String, String>,
    ids: BTreeMap<String, String>,
}

impl Redactor {
    /// One that knows what the snapshots of the run named.
    pub(crate) fn new() -> Self {
        let mut redactor = Self::default();
        let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, name) in names.iter() {
            redactor.name(*kind, name, true);
        }
        redactor
    }

    /// The stand-in of a name. Those that are `known` are replaced wherever they stand, others in ARNs alone.
    fn name(&mut self, kind: Kind, name: &str, known: bool) -> String {
        let count = &mut self.counts;
        let entry = self.names.entry(name.to_owned()).or_insert_with(|| {
            let number = count.get_mut(kind.slot()).map_or(0, |count| {
                *count += 1;
                *count
            });
            (format!("{}-{number}", kind.word()), known)
        });
        entry.1 |= known;
        entry.0.clone()
    }

    /// The stand-in of a name that is known everywhere.
    fn known(&self, name: &str) -> Option<&str> {
        self.names.get(name).filter(|(_, known)| *known).map(|(token, _)| token.as_str())
    }

    fn account(&mut self, digits: &str) -> String {
        let next = self.accounts.len() + 1;
        self.accounts.entry(digits.to_owned()).or_insert_with(|| format!("{next:012}")).clone()
    }

    fn address(&mut self, address: &str) -> String {
        let next = self.addresses.len();
        // Addresses that are kept for documentation, as long as there are some.
        let stand_in = || match next {
            0..=253 => format!("192.0.2.{}", next + 1),
            254..=507 => format!("198.51.100.{}", next - 253),
            _ => format!("address-{next}"),
        };
        self.addresses.entry(address.to_owned()).or_insert_with(stand_in).clone()
    }

    fn mail(&mut self, mail: &str) -> String {
        let next = self.mails.len() + 1;
        self.mails.entry(mail.to_owned()).or_insert_with(|| format!("person-{next}@example.com")).clone()
    }

    fn id(&mut self, id: &str) -> String {
        let next = self.ids.len() + 1;
        self.ids.entry(id.to_owned()).or_insert_with(|| format!("id-{next}")).clone()
    }
}

#[cfg(test)]
mod tests;
