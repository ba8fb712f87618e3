//! Rows of a query engine: a Parquet file as it is, or cells that are written as CSV and as JSON lines, which must be read
//! alike. Nothing panics, and every record is counted once.
#![no_main]

use iam_model::catalog::Catalog;
use iam_model::json::write_string;
use iam_model::usage::{SkipReason, UsageLog};
use iam_usage::{LogSource, Options, read};

/// Columns that the cells are of; the first is the mark.
const COLUMNS: [&str; 12] = [
    "paring_rows", "calls", "copies", "first_time", "last_time", "event_source", "event_name", "role_arn", "account",
    "parameters", "resources", "denied",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"PAR1") {
        usage(bytes.to_vec());
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let rows: Vec<Vec<&str>> = text.split('\u{1}').map(|row| row.split('\u{2}').collect()).collect();
    let (mut csv, mut lines) = (COLUMNS.join(","), String::new());
    csv.push('\n');
    for row in rows {
        let cells = std::iter::once("1").chain(row.into_iter().chain(std::iter::repeat("")));
        for (place, (column, cell)) in COLUMNS.iter().zip(cells).enumerate() {
            csv.push_str(if place == 0 { "" } else { "," });
            csv.push_str(&format!("\"{}\"", cell.replace('"', "\"\"")));
            lines.push(if place == 0 { '{' } else { ',' });
            lines.push_str(&format!("\"{column}\":"));
            write_string(&mut lines, cell);
        }
        csv.push('\n');
        lines.push_str("}\n");
    }
    let (csv, lines) = (usage(csv.into_bytes()), usage(lines.into_bytes()));
    assert_eq!(csv, lines, "both hold the same rows");
});

fn usage(bytes: Vec<u8>) -> UsageLog {
    static CATALOG: std::sync::OnceLock<Catalog> = std::sync::OnceLock::new();
    let catalog = CATALOG.get_or_init(|| Catalog::embedded().expect("the built-in catalogue is tested"));
    let options = Options { threads: 1, ..Options::default() };
    let (log, _) = read([LogSource::from_bytes("rows", bytes)], catalog, &options, &|_| {});
    let skipped: u64 =
        log.skipped.iter().filter(|(reason, _)| **reason != SkipReason::NotALog).map(|(_, count)| count).sum();
    let unresolved: u64 = log.unresolved.iter().map(|event| event.count).sum();
    assert_eq!(log.records, log.observed + skipped + unresolved);
    log
}
