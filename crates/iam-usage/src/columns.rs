//! The columns of the rows that the statements give, for whoever fetches them from an engine one by one.
//!
//! What a row means is told elsewhere.

use crate::summed::Summed;

/// The columns of every statement, in order.
pub const COLUMNS: [&str; 24] = [
    "paring_rows",
    "event_day",
    "account",
    "region",
    "event_type",
    "identity",
    "event_source",
    "event_name",
    "role_arn",
    "session_arn",
    "invoked_by",
    "issued_to",
    "denied",
    "read_only",
    "endpoint",
    "resources",
    "parameters",
    "calls",
    "copies",
    "first_time",
    "last_time",
    "id_1",
    "id_2",
    "id_3",
];

/// Columns that the statements never leave without a value.
const ALWAYS: [&str; 5] = ["paring_rows", "denied", "read_only", "calls", "copies"];

/// Whether a row is one that is read: of the version that is known, with its counts. Nothing stands for NULL.
///
/// ```
/// let row = [("paring_rows", Some("1")), ("denied", Some("0")), ("read_only", Some("1")), ("calls", Some("3")), ("copies", Some("0"))];
/// assert!(iam_usage::is_row(&row));
/// assert!(!iam_usage::is_row(&row[..4]));
/// ```
#[must_use]
pub fn is_row(row: &[(&'static str, Option<&str>)]) -> bool {
    let there = |name: &&str| row.iter().any(|(own, cell)| own == name && cell.is_some_and(|cell| !cell.is_empty()));
    let texts: Vec<(&str, &[u8])> =
        row.iter().map(|(name, cell)| (*name, cell.unwrap_or_default().as_bytes())).collect();
    ALWAYS.iter().all(there) && Summed::of(&texts).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_those_of_the_statement() {
        let text = include_str!("../sql/aggregate.sql");
        let list = text.split("\nSELECT\n").nth(1).unwrap().split("\nFROM").next().unwrap();
        let names: Vec<&str> = list
            .split(',')
            .map(|column| column.split(" AS ").last().unwrap().trim())
            .filter(|name| !name.is_empty())
            .collect();
        assert_eq!(names, COLUMNS);
    }

    #[test]
    fn rows_of_other_versions_or_without_counts_are_none() {
        let check = |changed: (&str, Option<&str>), expected: bool| {
            let row: Vec<(&'static str, Option<&str>)> = COLUMNS
                .iter()
                .map(|name| {
                    let usual = match *name {
                        "paring_rows" | "calls" => Some("1"),
                        "denied" | "read_only" | "copies" => Some("0"),
                        _ => None,
                    };
                    (*name, if *name == changed.0 { changed.1 } else { usual })
                })
                .collect();
            assert_eq!(is_row(&row), expected, "{changed:?}");
        };
        check(("event_name", None), true);
        check(("parameters", Some("{\"a\": \"b\"")), true);
        check(("paring_rows", Some("2")), false);
        check(("paring_rows", None), false);
        check(("calls", Some("many")), false);
        check(("calls", Some("-1")), false);
        check(("copies", None), false);
        check(("denied", Some("")), false);
    }
}
