//! CloudTrail bytes in, what each role did out: principals, actions, resources, and what could not be told.
//!
//! This crate reads streams it is handed. It opens no file and walks no folder, knows no policy language, decides no
//! need and talks to no service; where a log lies and what is made of the result is for others.

mod actors;
mod bag;
mod believed;
mod calls;
mod certain;
mod columns;
mod complete;
mod contexts;
mod count;
mod coverage;
mod event;
mod evidence;
mod feed;
mod fold;
mod functions;
mod hash;
mod identified;
mod identity;
mod ids;
mod inflate;
mod json;
mod last_accessed;
mod layout;
mod learn;
mod merge;
mod names;
mod needed;
mod options;
mod outcome;
mod partiql;
mod plan;
mod read;
mod recall;
mod records;
mod resource;
mod resume;
mod sample;
mod seen;
mod shapes;
mod sorted;
mod source;
mod statement;
mod summed;
mod tagged;
mod tags;
mod tally;
mod template;
#[cfg(test)]
mod tests;
mod together;
mod unnamed;
mod worker;

pub use believed::note_unread;
pub use columns::{COLUMNS, is_row};
pub use coverage::visibility;
pub use evidence::{Evidence, Unshown};
pub use last_accessed::{ReportError, last_accessed};
pub use merge::{MergeError, Merged, merge};
pub use names::{FileKind, kind_of_path};
pub use options::{Options, Progress};
pub use read::read;
pub use resume::{Batch, Ongoing, Remembered};
pub use source::{LogSource, Seekable};
pub use statement::{Dialect, Period, ddl, job, statement};
