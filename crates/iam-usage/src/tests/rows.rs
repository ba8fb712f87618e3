//! Rows of query engines, in every form they come in: the same usage log from each, and nothing lost in silence.
//!
//! `testdata/rows` holds one table in all forms, written by Spark, DuckDB and Arrow.

use std::path::{Path, PathBuf};

use iam_model::diagnostic::Diagnostic;
use iam_model::usage::UsageLog;
use proptest::prelude::*;

use crate::{LogSource, Options, read};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/rows")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

/// Files of the folder that begin so and end so.
fn files(start: &str, end: &str) -> Vec<String> {
    let names = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(start) && name.ends_with(end)).collect();
    names.sort();
    names
}

fn run(bytes: Vec<u8>) -> (UsageLog, Vec<Diagnostic>) {
    let source = LogSource::from_bytes("rows", bytes);
    let (log, diagnostics) = read([source], super::catalog(), &Options { threads: 1, ..Options::default() }, &|_| {});
    super::check_sum(&log);
    (log, diagnostics)
}

/// Reads rows that cannot all be read: what is said of them.
fn said(bytes: Vec<u8>) -> String {
    let (_, diagnostics) = run(bytes);
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_form_and_encoding_gives_the_same_usage_log() {
    let (expected, diagnostics) = run(bytes("rows.jsonl"));
    assert!(diagnostics.is_empty() && expected.observed > 30 && expected.principals.len() > 4, "{diagnostics:?}");
    let forms = [files("good-", ".parquet"), files("rows.", ".csv")].concat();
    assert!(forms.len() > 15, "{forms:?}");
    for form in forms {
        let (log, diagnostics) = run(bytes(&form));
        assert!(diagnostics.is_empty(), "{form}: {diagnostics:?}");
        assert_eq!(log, expected, "{form}");
    }
}

#[test]
fn records_in_parquet_are_read_as_in_csv() {
    let (log, diagnostics) = run(bytes("records.parquet"));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let seen = &log.principals.values().next().unwrap().observations[0];
    assert_eq!(seen.action.as_str(), "dynamodb:PutItem");
    assert_eq!(seen.first.to_string(), "2026-11-01T08:00:00Z");
}

#[test]
fn parquet_of_other_kinds_is_refused_with_the_reason() {
    let reasons = [
        ("refused-brotli.parquet", "compressed with Brotli"),
        ("refused-decimal.parquet", "column `calls` is of a type that is not read"),
        ("refused-nested.parquet", "column `useridentity` holds structures or lists"),
        ("refused-other-columns.parquet", "`eventname` or `paring_rows` is missing"),
    ];
    assert_eq!(files("refused-", ".parquet").len(), reasons.len());
    for (name, reason) in reasons {
        let said = said(bytes(name));
        assert!(said.contains(reason), "{name}: {said}");
    }
}

#[test]
fn parquet_that_is_cut_off_or_has_more_behind_it_is_said() {
    for name in files("good-duckdb-", ".parquet") {
        let whole = bytes(&name);
        for end in (4..whole.len()).step_by(97) {
            assert!(said(whole[..end].to_vec()).contains("its end is missing"), "{name} cut at {end}");
        }
        assert!(said([&whole[..], b"\n"].concat()).contains("its end is missing"), "{name}");
    }
    assert!(said(b"PAR1".to_vec()).contains("its end is missing"));
    assert!(said(b"PAR1\0\0\0\0PARE".to_vec()).contains("encrypted"));
    assert!(said(b"PAR1\xff\xff\xff\x7fPAR1".to_vec()).contains("its end is missing"));
}

#[test]
fn a_byte_that_changed_under_a_checksum_is_said() {
    let mut whole = bytes("good-pages.parquet");
    let at = whole.windows(4).position(|bytes| bytes == b"2026").unwrap();
    whole[at + 3] = b'7';
    assert!(said(whole).contains("not what its checksum says"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// A page's sizes, counts and offsets are lies as often as they are not: nothing panics, and every row is counted once
    /// or said.
    #[test]
    fn bytes_that_changed_break_nothing(
        file in 0_usize..64,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let names = files("", ".parquet");
        let mut whole = bytes(&names[file % names.len()]);
        for (at, byte) in changes {
            let at = at.index(whole.len());
            whole[at] = byte;
        }
        run(whole);
    }
}
