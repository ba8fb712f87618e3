//! Reading source files into trees: one reader per syntax, and for each a second, independent one for the guard.
//!
//! Knows nothing about templates.

pub(crate) mod cst;
pub(crate) mod json;
pub(crate) mod yaml;

use crate::tree::{Node, Plain};

/// The syntax of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Yaml,
    Json,
}

/// Why a text could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadError {
    pub(crate) message: String,
    pub(crate) offset: usize,
}

/// Reads a text into a tree whose spans are byte offsets into it.
pub(crate) fn read(text: &str, syntax: Syntax) -> Result<Node, ReadError> {
    match syntax {
        Syntax::Yaml => yaml::read(text),
        Syntax::Json => json::read(text),
    }
}

/// What a second parser says to a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// It reads the same.
    Same,
    /// It reads something else.
    Differs,
    /// No second parser accepts the text.
    None,
}

/// Asks another parser than the one that read a text.
pub(crate) fn second(text: &str, syntax: Syntax, first: &Plain) -> Opinion {
    let second = match syntax {
        Syntax::Yaml => yaml::second(text),
        Syntax::Json => json::second(text),
    };
    match second {
        Some(second) if second == *first => Opinion::Same,
        Some(_) => Opinion::Differs,
        None => Opinion::None,
    }
}
