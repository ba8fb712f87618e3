//! Why a Parquet file was not read to its end.

use std::fmt;
use std::io;

/// Why, without the place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Reading failed.
    Failed(String),
    /// The file contradicts itself or the format.
    Damaged(&'static str),
    /// The file is larger, somewhere, than is read.
    TooLarge(&'static str),
    /// The file is of a kind that is not read, in words.
    NotRead(String),
}

impl From<io::Error> for Why {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(what) => write!(f, "reading failed: {what}"),
            Self::Damaged(what) => write!(f, "the Parquet file is damaged: {what}"),
            Self::TooLarge(what) => f.write_str(what),
            Self::NotRead(what) => f.write_str(what),
        }
    }
}

/// Why and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) why: Why,
    /// The place within the file, in words; nothing where it is the whole.
    pub(crate) place: Option<String>,
}

impl From<Why> for Fault {
    fn from(why: Why) -> Self {
        Self { why, place: None }
    }
}

impl Fault {
    /// What a person can do about it.
    pub(crate) const fn hint(&self) -> &'static str {
        match self.why {
            Why::Failed(_) | Why::Damaged(_) => "it may have been cut off while it was copied; fetch it again",
            Why::TooLarge(_) => {
                "have it written with smaller pages and row groups (DuckDB: `ROW_GROUP_SIZE 20000`), or as JSON lines"
            }
            Why::NotRead(_) => {
                "write the rows of `paring usage sql` with Snappy, Zstandard, gzip or no compression, or as JSON lines (Spark: `--format json`)"
            }
        }
    }
}
