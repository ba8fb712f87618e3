//! Reading source files into trees: one reader per syntax, and for each a second, independent one for the guard.
//!
//! Knows nothing about templates.

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

/// Reads a text with another parser; nothing where that one does not accept it.
pub(crate) fn second(text: &str, syntax: Syntax) -> Option<Plain> {
    match syntax {
        Syntax::Yaml => yaml::second(text),
        Syntax::Json => json::second(text),
    }
}
