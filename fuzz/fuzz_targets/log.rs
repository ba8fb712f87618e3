//! Any bytes as a log: records in any form, CSV, gzip. Nothing panics, and every record is counted once.
#![no_main]

use iam_model::catalog::Catalog;
use iam_usage::{LogSource, Options, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static CATALOG: std::sync::OnceLock<Catalog> = std::sync::OnceLock::new();
    let catalog = CATALOG.get_or_init(|| Catalog::embedded().expect("the built-in catalogue is tested"));
    let options = Options { threads: 1, ..Options::default() };
    let (log, _) = read([LogSource::from_bytes("log", bytes.to_vec())], catalog, &options, &|_| {});
    let skipped: u64 =
        log.skipped.iter().filter(|(reason, _)| !reason.counts_files()).map(|(_, count)| count).sum();
    let unresolved: u64 = log.unresolved.iter().map(|event| event.count).sum();
    assert_eq!(log.records, log.observed + skipped + unresolved);
});
