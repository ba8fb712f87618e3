//! Finding the logs the user names, and reading them with a progress bar where someone watches.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Mutex;

use iam_model::catalog::Catalog;
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::text::SourceName;
use iam_model::usage::{SkipReason, UnresolvedEvent, UnresolvedKind, UsageLog};
use iam_usage::{FileKind, LogSource, Options, Progress, kind_of_path};
use indicatif::{ProgressBar, ProgressStyle};

use crate::error::CliError;
use crate::input::FoundFile;
use crate::terminal::Terminal;
use crate::{example, input, remote_logs, report};

/// Reads the logs below `paths`. Files that cannot be read become diagnostics; if none can, that is an error.
pub(crate) fn read(
    paths: &[PathBuf],
    catalog: &Catalog,
    options: &Options,
    terminal: &mut Terminal,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<UsageLog, CliError> {
    let (piped, named): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| input::is_standard_input(path));
    let (remote, local): (Vec<PathBuf>, Vec<PathBuf>) =
        named.into_iter().partition(|path| remote_logs::is_remote(path));
    let mut sources = remote_logs::sources(&remote, options)?;
    sources.extend(piped.iter().map(|_| standard_input()).collect::<Result<Vec<_>, _>>()?);
    let local = find(&local, diagnostics)?;
    sources.extend(local.files.into_iter().map(source));
    let found = sources.len();
    let mut usage = read_sources(sources, catalog, options, terminal, diagnostics);
    usage.unread_files += local.unread.len() as u64;
    if usage.window.is_some() {
        return Ok(usage);
    }
    terminal.diagnostics(diagnostics);
    if usage.skipped.contains_key(&SkipReason::FilteredOut) {
        let message =
            format!("none of the {} records read is of the roles, accounts and time asked for", usage.records);
        return Err(CliError::user(message)
            .hint("`paring usage LOGS` without filters lists the roles that were seen, and the window"));
    }
    let names: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    let found = report::counted(found, "file", "files");
    Err(CliError::user(format!("no CloudTrail event was read from {} ({found} found)", names.join(", ")))
        .hint("give files or folders of CloudTrail logs: .json or .json.gz, as the trail's bucket holds them"))
}

/// Reads all of the files, which may hold nothing.
pub(crate) fn read_whole(
    files: Vec<FoundFile>,
    catalog: &Catalog,
    options: &Options,
    terminal: &Terminal,
    diagnostics: &mut Vec<Diagnostic>,
) -> UsageLog {
    read_sources(files.into_iter().map(source).collect(), catalog, options, terminal, diagnostics)
}

/// Reads one log of unknown size, of which whoever hands it tells how far it is.
#[cfg(feature = "aws")]
pub(crate) fn read_stream(
    source: LogSource,
    catalog: &Catalog,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> UsageLog {
    let (usage, unread) = iam_usage::read([source], catalog, options, &|_| {});
    diagnostics.extend(told_together(unread));
    note_unresolved(&usage, diagnostics);
    usage
}

fn read_sources(
    sources: Vec<LogSource>,
    catalog: &Catalog,
    options: &Options,
    terminal: &Terminal,
    diagnostics: &mut Vec<Diagnostic>,
) -> UsageLog {
    let bar = bar(terminal, sources.iter().filter_map(LogSource::size).sum());
    let (usage, unread) = iam_usage::read(sources, catalog, options, &|progress: Progress| {
        bar.set_position(progress.bytes);
        let rate = progress.records as f64 / bar.elapsed().as_secs_f64().max(0.001);
        bar.set_message(format!("{} records, {rate:.0}/s", progress.records));
    });
    bar.finish_and_clear();
    diagnostics.extend(told_together(unread));
    note_unresolved(&usage, diagnostics);
    usage
}

/// Tells of events the catalogue does not explain.
pub(crate) fn note_unresolved(usage: &UsageLog, diagnostics: &mut Vec<Diagnostic>) {
    let unknown = usage.unresolved.iter().filter(|event| event.kind == UnresolvedKind::Unknown);
    diagnostics.extend(unknown.map(unresolved));
}

/// Logs that were found.
pub(crate) struct Found {
    /// Those that can be read.
    pub(crate) files: Vec<FoundFile>,
    /// Links, folders and files that may hold more, and are not read.
    pub(crate) unread: Vec<String>,
}

/// The logs below `paths`, each once.
pub(crate) fn find(paths: &[PathBuf], diagnostics: &mut Vec<Diagnostic>) -> Result<Found, CliError> {
    let mut found = Vec::new();
    let mut left = Vec::new();
    let before = diagnostics.len();
    for path in &named(paths)? {
        let (files, unread) = input::walk(path, &|name| name == ".git")?;
        diagnostics.extend(unread);
        // A file named outright is meant; in a folder, what lies beside the logs is not.
        let walked = path.is_dir();
        let (logs, others): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|f| !walked || kind_of_path(&f.relative) != FileKind::Other);
        found.extend(logs);
        left.extend(others.into_iter().filter(looks_like_a_log));
    }
    // A glob may name a folder and the files in it.
    let mut seen = BTreeSet::new();
    found.retain(|file: &FoundFile| seen.insert(file.path.clone()));
    let mut unread: Vec<String> = left.iter().map(|file| file.relative.clone()).collect();
    unread.extend(diagnostics.iter().skip(before).map(|diagnostic| diagnostic.place.source.to_string()));
    diagnostics.extend(ignored(&left));
    Ok(Found { files: found, unread })
}

/// Endings of files that hold others in a form that is not read.
const PACKED: &[&str] =
    &[".zst", ".bz2", ".xz", ".lz4", ".lzma", ".snappy", ".br", ".zip", ".tar", ".tgz", ".7z", ".gz"];

/// Whether a file of another name may hold logs: it is packed in a way that is not read, or begins as JSON does.
fn looks_like_a_log(file: &FoundFile) -> bool {
    let name = file.relative.to_ascii_lowercase();
    if PACKED.iter().any(|ending| name.ends_with(ending)) {
        return true;
    }
    let mut start = [0_u8; 64];
    let read = File::open(&file.path).and_then(|mut file| file.read(&mut start)).unwrap_or_default();
    let start = start.get(..read).unwrap_or_default().trim_ascii_start();
    let hidden = name.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    !hidden && start.first().is_some_and(|first| matches!(first, b'{' | b'['))
}

/// Names files that may be logs and are not read.
fn ignored(files: &[FoundFile]) -> Option<Diagnostic> {
    let first = files.first()?;
    let names: Vec<&str> = files.iter().take(NAMED_FILES).map(|file| file.relative.as_str()).collect();
    let more = files.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!("not read, though it may be a log, as its name does not say so: {}{more}", names.join(", "));
    let place = Place::whole(SourceName::new(&first.path.to_string_lossy()));
    let hint = "unpack them to .json or .json.gz, name them outright, or keep them elsewhere";
    Some(Diagnostic::warning(Code::FileUnreadable, place, message).hint(hint))
}

/// What is piped in, as it comes: logs can be larger than memory.
fn standard_input() -> Result<LogSource, CliError> {
    let piped = Mutex::new(Some(input::standard_input()?));
    let open = move || match piped.lock().ok().and_then(|mut piped| piped.take()) {
        Some(piped) => Ok(Box::new(piped) as Box<dyn Read + Send>),
        None => Err(std::io::Error::other("standard input was read already")),
    };
    Ok(LogSource::new(input::STANDARD_INPUT, None, open))
}

/// A file as the reader takes it.
pub(crate) fn source(file: FoundFile) -> LogSource {
    let name = file.path.to_string_lossy().into_owned();
    LogSource::of_parts(&name, Some(file.bytes), move || Ok(Box::new(File::open(&file.path)?)))
}

/// The paths, with globs replaced by what they match: a shell does so where they are not quoted, others never do.
fn named(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut out = Vec::new();
    for path in paths {
        let text = path.to_string_lossy();
        if path.exists() || !text.contains(['*', '?', '[']) {
            out.push(path.clone());
            continue;
        }
        let wrong = |what: String| {
            CliError::user(format!("`{text}`: {what}"))
                .hint("`*` matches within a name, `**` whole folders, `?` one character")
        };
        let found = glob::glob(&text).map_err(|error| wrong(format!("not a glob: {}", error.msg)))?;
        let before = out.len();
        for entry in found {
            out.push(entry.map_err(|error| CliError::io("read", error.path(), error.error()))?);
        }
        if out.len() == before {
            return Err(wrong("no file matches".into()));
        }
    }
    // What a glob and a folder both name is read once.
    out.sort();
    out.dedup();
    Ok(out)
}

/// Files named where many have the same wrong with them.
const NAMED_FILES: usize = 3;

/// What a message says of records, and its hint.
type What = (String, Option<String>);

/// What is wrong with records of many files, told once: how many records, and the first files.
fn told_together(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut alike: BTreeMap<What, Vec<(u64, Diagnostic)>> = BTreeMap::new();
    let mut out = Vec::new();
    for diagnostic in diagnostics {
        let counted = if diagnostic.code == Code::EventInvalid { counted(&diagnostic.message) } else { None };
        match counted {
            Some((count, what)) => {
                let key = (what.to_owned(), diagnostic.hint.clone());
                alike.entry(key).or_default().push((count, diagnostic));
            }
            None => out.push(diagnostic),
        }
    }
    for ((what, _), found) in alike {
        if found.len() <= NAMED_FILES {
            out.extend(found.into_iter().map(|(_, diagnostic)| diagnostic));
            continue;
        }
        let records: u64 = found.iter().map(|(count, _)| count).sum();
        let files = found.len();
        let others = found.iter().skip(1).take(NAMED_FILES - 1);
        let others: Vec<String> = others.map(|(_, diagnostic)| diagnostic.place.source.to_string()).collect();
        let more = files - 1 - others.len();
        out.extend(found.into_iter().take(1).map(|(_, mut first)| {
            first.message = format!(
                "{records} records of {files} files are {what} (here, in {} and {more} more)",
                others.join(", in ")
            );
            first
        }));
    }
    out
}

/// How many records a message is about, and what it says of them.
fn counted(message: &str) -> Option<(u64, &str)> {
    match message.split_once(" records are ") {
        Some((count, what)) => Some((count.parse().ok()?, what)),
        None => message.strip_prefix("1 record is ").map(|what| (1, what)),
    }
}

/// An event the catalogue does not explain: told, because what it stands for is not among the needs.
fn unresolved(event: &UnresolvedEvent) -> Diagnostic {
    let UnresolvedEvent { event_source, event_name, count, .. } = event;
    let calls = if *count == 1 { "call" } else { "calls" };
    let message =
        format!("{count} {calls} of `{event_name}` at `{event_source}`: no entry of the action catalogue explains it");
    Diagnostic::warning(Code::EventUnresolved, Place::whole(SourceName::new("logs")), message)
        .hint("name the permission behind it in a keep rule, if a role needs it")
}

/// Reads the logs of the built-in example.
pub(crate) fn embedded(catalog: &Catalog) -> (UsageLog, Vec<Diagnostic>) {
    let sources = example::logs().into_iter().map(|(name, bytes)| LogSource::from_bytes(&name, bytes.to_vec()));
    iam_usage::read(sources, catalog, &Options::default(), &|_| {})
}

/// A bar over so many bytes, where someone watches.
pub(crate) fn bar(terminal: &Terminal, bytes: u64) -> ProgressBar {
    if !terminal.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = "reading logs {bar:30} {bytes}/{total_bytes}, {msg}, {eta} left";
    let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(messages: &[&str]) -> Vec<String> {
        let diagnostic = |(at, message): (usize, &&str)| {
            let place = Place::whole(SourceName::new(&format!("{at}.json")));
            Diagnostic::warning(Code::EventInvalid, place, (*message).to_owned()).hint("look")
        };
        let all = told_together(messages.iter().enumerate().map(diagnostic).collect());
        all.iter().map(|told| format!("{}: {}", told.place, told.message)).collect()
    }

    #[test]
    fn what_many_files_have_in_common_is_told_once() {
        let few = ["3 records are odd", "1 record is odd", "2 records are odd"];
        assert_eq!(said(&few), ["0.json: 3 records are odd", "1.json: 1 record is odd", "2.json: 2 records are odd"]);
        let many = ["3 records are odd", "1 record is odd", "other", "2 records are odd", "4 records are odd"];
        let told = "0.json: 10 records of 4 files are odd (here, in 1.json, in 3.json and 1 more)";
        assert_eq!(said(&many), ["2.json: other", told]);
    }
}
