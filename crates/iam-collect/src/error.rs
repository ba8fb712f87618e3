//! Why nothing could be collected, with what to do about it.

use iam_model::snapshot::SnapshotError;

/// Why a source gives no snapshot at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollectError {
    /// Nothing is there.
    #[error("`{name}` does not exist")]
    Missing {
        /// What was asked for.
        name: String,
    },
    /// It is there and cannot be read.
    #[error("`{name}` cannot be read: {reason}")]
    Unreadable {
        /// What was asked for.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// A gzip file.
    #[error("`{name}` is compressed")]
    Compressed {
        /// What was asked for.
        name: String,
    },
    /// Not UTF-8.
    #[error("`{name}` is not UTF-8 text, from its byte {offset} on")]
    NotUtf8 {
        /// What was asked for.
        name: String,
        /// Where it stops being text.
        offset: usize,
    },
    /// A folder without any file of a bundle.
    #[error("the folder `{name}` holds no AWS CLI output of a known name")]
    NotABundle {
        /// The folder.
        name: String,
        /// Whether a file in it looks like a snapshot.
        snapshot: Option<String>,
    },
    /// A bundle that never says which account it is of.
    #[error("the folder `{name}` does not say which account it is of")]
    NoAccount {
        /// The folder.
        name: String,
    },
    /// A call to AWS without which nothing can be said.
    #[error("`{call}` failed: {reason}")]
    Aws {
        /// The call.
        call: String,
        /// What AWS, or the way there, says.
        reason: String,
    },
    /// The credentials were good for a while, and are no longer.
    #[error("the credentials are no longer good: `{call}` failed: {reason}")]
    CredentialsEnded {
        /// The call.
        call: String,
        /// What AWS says.
        reason: String,
        /// The folder that keeps what was answered until then.
        record: Option<String>,
    },
    /// A file of the record cannot be written.
    #[error("`{name}` cannot be written: {reason}")]
    Unwritable {
        /// The file.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// All accounts are wanted of an organisation that there is not, or that may not be read.
    #[error("the accounts of the organisation are not known")]
    NoOrganization,
    /// Other accounts are wanted without a role to assume there.
    #[error("other accounts need a role to assume")]
    NoRoleName,
    /// No region was given, and the configuration names none.
    #[error("no region is known")]
    NoRegion,
    /// Text, and not a snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl CollectError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some(
                "give a snapshot file, or a folder of AWS CLI output; `docs/collect.md` says how to make one".into(),
            ),
            Self::Unreadable { .. } => Some("check that it is a file you may read".into()),
            Self::Compressed { .. } => Some("decompress it first: `gzip -d`".into()),
            Self::NotUtf8 { .. } => Some("save it as UTF-8 text; it may also be another kind of file".into()),
            Self::NotABundle { snapshot: Some(file), .. } => Some(format!("did you mean the file `{file}` in it?")),
            Self::NotABundle { .. } => Some(
                "a bundle holds at least `account-authorization-details.json`; `docs/collect.md` has all commands"
                    .into(),
            ),
            Self::NoAccount { .. } => Some("name the folder by the account's twelve digits".into()),
            Self::Aws { call, .. } => {
                Some(format!("check the credentials (`aws sts get-caller-identity`), and that they allow `{call}`"))
            }
            Self::CredentialsEnded { record: Some(record), .. } => Some(format!(
                "log in again and run the same command: what was answered is kept in `{record}` and not asked again"
            )),
            Self::CredentialsEnded { .. } => {
                Some("log in again; with `--record DIR` a collection goes on where it stopped".into())
            }
            Self::Unwritable { .. } => Some("check that the folder is there and may be written".into()),
            Self::NoOrganization => Some(
                "collect from its management account or a delegated one, or name the accounts: `--accounts 111122223333 …`"
                    .into(),
            ),
            Self::NoRoleName => Some("name it: `--role-name NAME`, a role of that name in each account".into()),
            Self::NoRegion => Some("give one with `--region`, or set it in the profile".into()),
            Self::Snapshot(error) => error.hint(),
        }
    }
}
