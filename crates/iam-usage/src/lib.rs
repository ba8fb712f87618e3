//! CloudTrail bytes in, what each role did out: principals, actions, resources, and what could not be told.
//!
//! This crate reads streams it is handed. It opens no file and walks no folder, knows no policy language, decides no
//! need and talks to no service; where a log lies and what is made of the result is for others.

mod calls;
mod coverage;
mod event;
mod feed;
mod fold;
mod identity;
mod json;
mod names;
mod outcome;
mod plan;
mod read;
mod records;
mod resource;
mod seen;
mod source;
mod tally;
mod template;
#[cfg(test)]
mod tests;

pub use coverage::visibility;
pub use names::{FileKind, kind_of_path};
pub use read::{Options, Progress, read};
pub use source::LogSource;
