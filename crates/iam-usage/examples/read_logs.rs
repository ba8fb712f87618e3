//! Reads logs and prints how much was read: `read_logs THREADS FOLDER`. For measuring the reader alone.

#![expect(clippy::print_stdout, reason = "a program to be measured says what it did")]

use std::path::{Path, PathBuf};

use iam_model::catalog::Catalog;
use iam_usage::{FileKind, LogSource, Options, kind_of_path, read};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, into);
        } else if kind_of_path(&path.to_string_lossy()) == FileKind::Log {
            into.push(path);
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut paths = Vec::new();
    arguments.for_each(|folder| files(Path::new(&folder), &mut paths));
    let Ok(catalog) = Catalog::embedded() else { return };
    let source = |path: PathBuf| {
        let size = std::fs::metadata(&path).ok().map(|found| found.len());
        LogSource::new(&path.to_string_lossy(), size, {
            let path = path.clone();
            move || Ok(Box::new(std::fs::File::open(&path)?))
        })
    };
    let options = Options { threads, ..Options::default() };
    let (log, diagnostics) = read(paths.into_iter().map(source), &catalog, &options, &|_| {});
    let rows: usize = log.principals.values().map(|used| used.observations.len()).sum();
    println!("{} records, {} roles, {rows} rows, {} diagnostics", log.records, log.principals.len(), diagnostics.len());
}
