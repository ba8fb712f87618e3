//! The file of `paring usage --state`: what was read and what it said, so that the next run reads only what is new.
//!
//! A line of JSON says which files were read and which records are remembered; the usage log follows. It is replaced as a
//! whole after each batch of files, so a run that is killed at any point leaves the state of the batch before, and the
//! next run does just what that run would have done.

use std::collections::BTreeMap;
use std::path::Path;

use iam_model::catalog::Catalog;
use iam_model::diagnostic::Diagnostic;
use iam_model::json::{self, Arena, Limits, Node, Value};
use iam_model::text::SourceText;
use iam_model::usage::{self, UsageLog};
use iam_usage::{LogSource, Ongoing, Options, Remembered};

use crate::digest::{WHOLE, sha256};
use crate::error::CliError;
use crate::input::FoundFile;
use crate::terminal::Terminal;
use crate::{input, logs, report, write};

/// The schema name of the state.
const SCHEMA: &str = "paring-usage-state/1";

/// Characters of a remembered record.
const DIGITS: usize = 16;

/// What a run over new files needs beside them.
pub(crate) struct Job<'j> {
    pub(crate) catalog: &'j Catalog,
    pub(crate) options: &'j Options,
    /// Bytes of files after which the state is written.
    pub(crate) checkpoint: u64,
}

/// What a state holds.
#[derive(Default)]
struct State {
    /// Sizes of the files read, in bytes, by a digest of their paths.
    files: BTreeMap<String, u64>,
    ongoing: Ongoing,
}

/// Reads the files that the state does not name yet, and writes the state after each batch; what was seen in all.
pub(crate) fn read_new(
    path: &Path,
    files: Vec<FoundFile>,
    job: &Job<'_>,
    terminal: &Terminal,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<UsageLog, CliError> {
    let mut state = if path.exists() { parse(&input::read_text(path)?)? } else { State::default() };
    if !state.files.is_empty() && state.ongoing.log.merging.filter != job.options.filter() {
        let words = |filter: Option<String>| filter.unwrap_or_else(|| "everything".into());
        let (own, asked) = (words(state.ongoing.log.merging.filter), words(job.options.filter()));
        return Err(CliError::user(format!("`{}` holds {own}, and {asked} is asked for", path.display()))
            .hint("use the --role, --account, --since and --until it was begun with, or another state file"));
    }
    let mut new = Vec::new();
    for file in files {
        let name = file.path.to_string_lossy().into_owned();
        match state.files.get(&digest(&name)) {
            None => new.push(file),
            Some(bytes) if *bytes == file.bytes => {}
            Some(bytes) => {
                let message = format!(
                    "`{name}` was read into `{}` with {bytes} bytes, and has {} now",
                    path.display(),
                    file.bytes
                );
                return Err(CliError::user(message).hint(
                    "a log does not change once it is delivered; begin a new state file, so that nothing counts twice",
                ));
            }
        }
    }
    new.sort_by(|a, b| a.path.cmp(&b.path));
    let bar = logs::bar(terminal, new.iter().map(|file| file.bytes).sum());
    let sizes: BTreeMap<String, u64> =
        new.iter().map(|file| (file.path.to_string_lossy().into_owned(), file.bytes)).collect();
    let mut left = 0;
    for batch in batches(new, job.checkpoint) {
        let bytes: u64 = batch.iter().map(|file| file.bytes).sum();
        let sources: Vec<LogSource> = batch.into_iter().map(logs::source).collect();
        let read = state.ongoing.read(sources, job.catalog, job.options, &|_| {});
        let sized = read.read.iter().filter_map(|name| Some((digest(name), *sizes.get(name)?)));
        state.files.extend(sized);
        write::own_state(path, &print(&state))?;
        diagnostics.extend(read.diagnostics);
        left += read.left.len() as u64;
        bar.inc(bytes);
    }
    bar.finish_and_clear();
    // What was left is not in the state, and asked for again by the next run.
    let mut log = state.ongoing.log;
    log.unread_files += left;
    Ok(log)
}

/// Files in the order they are read in, cut where so many bytes are reached: the same cuts whichever batch a run begins
/// with.
fn batches(files: Vec<FoundFile>, checkpoint: u64) -> Vec<Vec<FoundFile>> {
    let mut batches = vec![Vec::new()];
    let mut bytes = 0;
    for file in files {
        if bytes > 0 && bytes >= checkpoint {
            batches.push(Vec::new());
            bytes = 0;
        }
        bytes += file.bytes.max(1);
        batches.last_mut().into_iter().for_each(|batch: &mut Vec<FoundFile>| batch.push(file.clone()));
    }
    batches.retain(|batch| !batch.is_empty());
    batches
}

/// Half of the SHA-256 of a path, in hexadecimal digits.
fn digest(name: &str) -> String {
    sha256(name.as_bytes(), WHOLE / 2)
}

fn print(state: &State) -> String {
    let files = state.files.iter().map(|(digest, bytes)| Value::String(format!("{digest}/{bytes}")));
    let day = |(day, records): (&i64, &Vec<u64>)| {
        let digits: String = records.iter().map(|record| format!("{record:016x}")).collect();
        (day.to_string(), Value::String(digits))
    };
    let head = Value::Object(vec![
        ("schema".to_owned(), Value::text(SCHEMA)),
        ("files".to_owned(), Value::Array(files.collect())),
        ("remembered".to_owned(), Value::Object(state.ongoing.remembered.iter().map(day).collect())),
    ]);
    let mut text = head.to_compact();
    text.push('\n');
    text.extend(report::usage::json(&state.ongoing.log, &[]));
    text
}

fn parse(source: &SourceText) -> Result<State, CliError> {
    let refuse = |what: &str| {
        CliError::user(format!("`{}`: {what}", source.name))
            .hint("give a file that `paring usage --state` wrote, or a name that does not exist yet")
    };
    let (head, usage) = source.text.split_once('\n').ok_or_else(|| refuse("this is not a state of usage"))?;
    let arena = Arena::for_text(head.len());
    let root = json::parse(&arena, head, Limits::FILE).map_err(|_| refuse("this is not a state of usage"))?;
    match root.get("schema").and_then(Node::as_str) {
        Some(SCHEMA) => {}
        Some(other) => {
            let other: String = other.chars().take(80).collect();
            return Err(refuse(&format!("this is `{other}`; this version reads `{SCHEMA}`")));
        }
        None => return Err(refuse("this is not a state of usage")),
    }
    let text = SourceText { name: source.name.clone(), text: usage.to_owned() };
    let log = usage::read(&text).map_err(|error| CliError::user(error.to_string()).hint(error.hint))?;
    let files = root.get("files").map(Node::items).unwrap_or_default().iter().map(|item| {
        let (digest, bytes) = item.as_str()?.split_once('/')?;
        Some((digest.to_owned(), bytes.parse().ok()?))
    });
    let files: Option<BTreeMap<String, u64>> = files.collect();
    let files = files.ok_or_else(|| refuse("a file that was read has no digest or size"))?;
    let remembered = remembered(&root).ok_or_else(|| refuse("a remembered record cannot be read"))?;
    Ok(State { files, ongoing: Ongoing { log, remembered } })
}

fn remembered(root: &Node<'_>) -> Option<Remembered> {
    let mut days = Remembered::new();
    for member in root.get("remembered").map(Node::members).unwrap_or_default() {
        let digits = member.value.as_str()?.as_bytes();
        let (records, rest) = digits.as_chunks::<DIGITS>();
        let number = |record: &[u8; DIGITS]| u64::from_str_radix(std::str::from_utf8(record).ok()?, 16).ok();
        let records: Option<Vec<u64>> = records.iter().map(number).collect();
        let day: i64 = member.key.parse().ok()?;
        days.insert(day, records.filter(|_| rest.is_empty())?);
    }
    Some(days)
}
