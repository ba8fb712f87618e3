//! Reading what the user names: files, folders and standard input, bounded, and never outside the folders named.
//!
//! Hands bytes and texts to the rooms; what they mean is not decided here.

use std::fs;
use std::io::{Read, Stdin};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use iam_model::diagnostic::{Code, Diagnostic, Place, Severity};
use iam_model::snapshot::Snapshot;
use iam_model::text::{SourceName, SourceText};

use crate::error::CliError;
use crate::redact;

/// The largest single text file that is read whole.
const MAX_TEXT_BYTES: u64 = 4 << 30;
/// The largest template or source file; larger ones are no templates.
const MAX_SOURCE_BYTES: u64 = 8 << 20;
/// Folders deeper than this are not walked.
const MAX_DEPTH: usize = 64;

/// The name that standard input has in messages.
pub(crate) const STANDARD_INPUT: &str = "<standard input>";

/// Whether a path means standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Standard input, for whoever asks first: it can be read once, and a second reader would find it empty.
pub(crate) fn standard_input() -> Result<Stdin, CliError> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(CliError::user("two inputs are `-`, and standard input can be read once")
            .hint("give all but one of them as files"));
    }
    Ok(std::io::stdin())
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read_text(path: &Path) -> Result<SourceText, CliError> {
    if is_standard_input(path) {
        let mut text = String::new();
        standard_input()?
            .take(MAX_TEXT_BYTES)
            .read_to_string(&mut text)
            .map_err(|e| CliError::io("read", Path::new("standard input"), &e))?;
        return Ok(SourceText { name: SourceName::new(STANDARD_INPUT), text });
    }
    let length = fs::metadata(path).map_err(|e| CliError::io("read", path, &e))?.len();
    if length > MAX_TEXT_BYTES {
        return Err(CliError::user(format!("`{}` is larger than {MAX_TEXT_BYTES} bytes", path.display())));
    }
    let text = fs::read_to_string(path).map_err(|e| CliError::io("read", path, &e))?;
    Ok(SourceText { name: source_name(path), text })
}

/// A snapshot: a file, a folder of AWS CLI output, or standard input for `-`.
pub(crate) fn read_snapshot(path: &Path) -> Result<(Snapshot, Vec<Diagnostic>), CliError> {
    let read = if is_standard_input(path) {
        iam_collect::from_reader(STANDARD_INPUT, standard_input()?)
    } else {
        iam_collect::from_path(path)
    };
    let (snapshot, diagnostics) = read.map_err(|e| CliError::collect(&e))?;
    // Nothing can be found in nothing, and "no findings" would say otherwise.
    if snapshot.accounts.is_empty() {
        return Err(CliError::user(format!("`{}` holds no account", path.display())));
    }
    redact::learn(&snapshot);
    Ok((snapshot, diagnostics))
}

/// A file found below a folder or named by the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FoundFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its path below the folder, with `/`; its own name where the file itself was named.
    pub(crate) relative: String,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

/// Every regular file below `root`, or `root` itself, in the order of their names.
///
/// Links are not followed below the folder named, so that a repository cannot point outside itself; folders that
/// cannot be read become diagnostics.
pub(crate) fn walk(root: &Path, skip: &dyn Fn(&str) -> bool) -> Result<(Vec<FoundFile>, Vec<Diagnostic>), CliError> {
    let metadata = fs::metadata(root).map_err(|e| CliError::io("read", root, &e))?;
    if metadata.is_file() {
        let relative = root.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok((vec![FoundFile { path: root.into(), relative, bytes: metadata.len() }], Vec::new()));
    }
    fs::read_dir(root).map_err(|e| CliError::io("read", root, &e))?;
    let mut walker = Walker { files: Vec::new(), diagnostics: Vec::new(), skip };
    walker.folder(root, "", 0);
    walker.files.sort();
    Ok((walker.files, walker.diagnostics))
}

struct Walker<'a> {
    files: Vec<FoundFile>,
    diagnostics: Vec<Diagnostic>,
    skip: &'a dyn Fn(&str) -> bool,
}

impl Walker<'_> {
    fn folder(&mut self, folder: &Path, relative: &str, depth: usize) {
        if depth > MAX_DEPTH {
            self.warn(folder, "folders are nested too deeply; what lies below was not read");
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.warn(folder, &format!("this folder was not read: {}", error.kind())),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.warn(folder, &format!("an entry of this folder was not read: {}", error.kind()));
                    continue;
                }
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            if (self.skip)(&name) {
                continue;
            }
            let below = if relative.is_empty() { name } else { format!("{relative}/{name}") };
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => self.folder(&entry.path(), &below, depth + 1),
                Ok(metadata) if metadata.is_file() => {
                    self.files.push(FoundFile { path: entry.path(), relative: below, bytes: metadata.len() });
                }
                Ok(metadata) if metadata.is_symlink() => self.note(&entry.path(), "a link, and links are not followed"),
                Ok(_) => {}
                Err(error) => self.warn(&entry.path(), &format!("not read: {}", error.kind())),
            }
        }
    }

    fn warn(&mut self, path: &Path, message: &str) {
        let place = Place::whole(source_name(path));
        self.diagnostics.push(Diagnostic::warning(Code::FileUnreadable, place, message));
    }

    fn note(&mut self, path: &Path, message: &str) {
        let place = Place::whole(source_name(path));
        self.diagnostics.push(Diagnostic::note(Code::FileUnreadable, place, message));
    }
}

/// The texts of source files below `root` whose names may be templates, relative to it.
pub(crate) fn read_sources(root: &Path) -> Result<(Vec<SourceText>, Vec<Diagnostic>), CliError> {
    const NOT_SOURCES: &[&str] = &[".git", ".aws-sam", ".terraform", ".serverless", "node_modules", "target"];
    const EXTENSIONS: &[&str] =
        &["yaml", "yml", "json", "template", "cfn", "tf", "tofu", "tfvars", "tfstate", "tftpl", "tpl", "tmpl"];
    const PROGRAMS: &[&str] = &["ts", "js", "cjs", "mjs", "py", "go", "cs", "java"];
    // Of a CDK assembly only the templates and what says where they come from, not the code it packs.
    let is_asset = |name: &str| name.strip_prefix("asset.").is_some_and(|hash| hash.len() == 64);
    let wanted = |file: &FoundFile| {
        let assembly = file.relative.split('/').any(|part| part == "cdk.out");
        !assembly || file.relative.ends_with(".template.json") || file.relative.ends_with("/manifest.json")
    };
    if !fs::metadata(root).map_err(|e| CliError::io("read", root, &e))?.is_dir() {
        return Err(CliError::user(format!("`{}` is not a folder", root.display()))
            .hint("--iac takes the folder the templates are in, so that patches apply there"));
    }
    let (files, mut diagnostics) = walk(root, &|name| NOT_SOURCES.contains(&name) || is_asset(name))?;
    let folder = |name: &str| name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let pulumi = files.iter().filter(|file| file.path.file_name().is_some_and(|name| name == "Pulumi.yaml"));
    let pulumi: Vec<String> = pulumi.map(|file| folder(&file.relative)).collect();
    // Of programs only those that tell where something is made: Pulumi's, and what stands for `serverless.yml`.
    let program = |file: &FoundFile| {
        let below = |of: &String| of.is_empty() || file.relative.starts_with(&format!("{of}/"));
        let serverless = file.path.file_stem().is_some_and(|stem| stem == "serverless");
        PROGRAMS.iter().any(|e| has_extension(&file.path, e)) && (serverless || pulumi.iter().any(below))
    };
    let mut sources = Vec::new();
    let source = |file: &FoundFile| EXTENSIONS.iter().any(|e| has_extension(&file.path, e)) || program(file);
    for file in files.iter().filter(|file| wanted(file) && source(file)) {
        let place = Place::whole(SourceName::new(&file.relative));
        if file.bytes > MAX_SOURCE_BYTES {
            let message = format!("larger than {MAX_SOURCE_BYTES} bytes, so it was not read");
            diagnostics.push(Diagnostic::warning(Code::TemplateUnreadable, place, message));
            continue;
        }
        match fs::read_to_string(&file.path) {
            Ok(text) => sources.push(SourceText { name: SourceName::new(&file.relative), text }),
            Err(error) => {
                let message = format!("not read: {}", error.kind());
                diagnostics.push(Diagnostic::warning(Code::TemplateUnreadable, place, message));
            }
        }
    }
    if sources.is_empty() {
        let message = "holds no template: nothing can be patched";
        diagnostics.push(Diagnostic::warning(
            Code::TemplateUnreadable,
            Place::whole(SourceName::new(&root.display().to_string())),
            message,
        ));
    }
    Ok((sources, diagnostics))
}

/// The texts of the files of one kind below a folder, in the order of their names.
pub(crate) fn read_with_extension(folder: &Path, extension: &str) -> Result<Vec<SourceText>, CliError> {
    files_with_extension(folder, extension)?.iter().map(|path| read_text(path)).collect()
}

/// The files of one kind below a folder, in the order of their names.
///
/// All of them or none: what is judged is the folder, so a part of it that cannot be read is an error. A link counts
/// as such a part where it may lead to files of the kind.
pub(crate) fn files_with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, CliError> {
    let (files, diagnostics) = walk(folder, &|name| name == ".git")?;
    let may_matter = |link: &Path| link.is_dir() || has_extension(link, extension);
    let unread = diagnostics.iter().find(|diagnostic| {
        diagnostic.severity > Severity::Note || may_matter(Path::new(diagnostic.place.source.as_str()))
    });
    if let Some(part) = unread {
        return Err(CliError::user(format!("`{}`: {}", part.place.source, part.message))
            .hint("all of a folder is read, or none of it; make this readable, move it away, or name files"));
    }
    Ok(files.into_iter().map(|file| file.path).filter(|path| has_extension(path, extension)).collect())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// The name a path is shown under.
pub(crate) fn source_name(path: &Path) -> SourceName {
    SourceName::new(&path.to_string_lossy())
}
