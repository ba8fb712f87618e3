//! `paring usage merge`: saved usage logs put together.

use std::path::{Path, PathBuf};

use iam_model::usage;
use iam_usage::MergeError;

use crate::cli::UsageMerge;
use crate::commands::Outcome;
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{input, report, write};

/// Puts the logs together and writes the whole.
pub(crate) fn run(arguments: &UsageMerge, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let read = |path: &PathBuf| {
        let text = input::read_text(path)?;
        usage::read(&text).map_err(|error| CliError::user(error.to_string()).hint(error.hint))
    };
    let logs = arguments.files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let merged = iam_usage::merge(logs).map_err(|error| refused(&error, &arguments.files))?;
    let absorbed: Vec<String> = merged.absorbed.iter().map(|place| name(&arguments.files, *place)).collect();
    if !absorbed.is_empty() {
        terminal.note(&format!("{} added nothing: others hold all that they were read from", absorbed.join(", ")));
    }
    let json = report::usage::json(&merged.log, &[]);
    match arguments.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => write::result(path, &json.collect::<String>())?,
        None => {
            for piece in json {
                terminal.data(&piece)?;
            }
        }
    }
    Ok(Outcome::Clean)
}

fn name(files: &[PathBuf], place: usize) -> String {
    files.get(place).map_or_else(String::new, |path| format!("`{}`", path.display()))
}

/// Why logs cannot be put together, in words.
fn refused(error: &MergeError, files: &[PathBuf]) -> CliError {
    let both = |(a, b): (usize, usize)| (name(files, a), name(files, b));
    match error {
        MergeError::Overlap { logs, shared, example } => {
            let (a, b) = both(*logs);
            CliError::user(format!(
                "{a} and {b} were both read from {shared} of the same sources (one is {example}), and neither holds all of the other's"
            ))
            .hint("a file that lies there twice, in another folder or form, is one source: leave the copy out, or read both in one run")
            .hint("logs that were read from separate files, and those that hold others whole, can be merged")
        }
        MergeError::Contradiction { logs } => {
            let (a, b) = both(*logs);
            CliError::user(format!("{a} and {b} say different things about the same sources"))
                .hint("they were made with other versions or catalogues; make both again with one")
        }
        MergeError::Filters { logs, filters: (one, other) } => {
            let (a, b) = both(*logs);
            let words = |filter: &Option<String>| filter.clone().unwrap_or_else(|| "everything".into());
            CliError::user(format!("{a} holds {}, {b} holds {}", words(one), words(other)))
                .hint("merge logs made with the same --role, --account, --since and --until")
        }
    }
}
