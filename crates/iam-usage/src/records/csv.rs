//! Records in rows, as Athena and CloudTrail Lake export the results of queries.
//!
//! Follows the Athena User Guide topic "Working with query results" and the CloudTrail User Guide topic "View CloudTrail
//! Lake query results". A row becomes the text of a record; what that means is for others. Structures come as JSON or in
//! the engine's own notation, `{type=AssumedRole, sessioncontext={…}}`, which quotes nothing: a value that looks like a
//! further member is taken for one.

use super::{Found, NoRecord, Take, take_summed};
use crate::event::Event;
use crate::feed::{Feed, RECORD_LIMIT};
use crate::json::{Stop, skip_value};
use crate::summed::{MARK, Summed};

/// Columns that hold a whole record as JSON.
const WHOLE: &[&str] = &["cloudtrailevent", "eventjson"];

/// Structures within structures; CloudTrail's own have four.
const DEEPEST: usize = 32;

/// The cells of a row, unquoted.
type Row = Vec<Vec<u8>>;

/// Whether the line that comes next names the columns of records.
pub(super) fn starts_table(feed: &mut Feed<'_>) -> bool {
    let line = feed.parse(|bytes| {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(Stop::More)?;
        Ok((bytes.get(..end).unwrap_or_default().to_ascii_lowercase(), 0))
    });
    let line = line.unwrap_or_else(|_| feed.bytes().to_ascii_lowercase());
    let has = |name: &str| memchr::memmem::find(&line, name.as_bytes()).is_some();
    (has("eventname") && has("eventsource")) || has(MARK) || WHOLE.iter().any(|name| has(name))
}

/// Whether columns of these names, in small letters, are those of records.
pub(super) fn names_records(names: &[String]) -> bool {
    let has = |name: &str| names.iter().any(|own| own == name);
    (has("eventname") && has("eventsource")) || has(MARK) || WHOLE.iter().any(|name| has(name))
}

/// Hands every row's record to `take`; the column names come next.
pub(super) fn each_row(feed: &mut Feed<'_>, sink: &mut dyn Take) -> Result<(), Stop> {
    let Some(header) = next_row(feed, sink)? else { return Ok(()) };
    let names: Vec<String> =
        header.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_ascii_lowercase()).collect();
    while let Some(row) = next_row(feed, sink)? {
        if row.iter().all(Vec::is_empty) {
            continue;
        }
        if names.first().is_some_and(|name| name == MARK) {
            let columns: Vec<(&str, &[u8])> =
                names.iter().map(String::as_str).zip(row.iter().map(Vec::as_slice)).collect();
            take_summed(Summed::of(&columns).as_ref(), sink);
        } else {
            take_record(&record(&names, &row), sink);
        }
    }
    Ok(())
}

/// Hands the text of one record to `take`.
pub(super) fn take_record(record: &[u8], sink: &mut dyn Take) {
    match Event::scan(record, 0, sink.memory()) {
        Ok((event, _)) if event.is_record() => sink.found(Found::Record(&event)),
        _ => sink.found(Found::NoRecord(NoRecord::NotAnObject)),
    }
}

/// The next row, if there is one. A row larger than a record may be is said and left out.
fn next_row(feed: &mut Feed<'_>, sink: &mut dyn Take) -> Result<Option<Row>, Stop> {
    loop {
        if feed.peek().is_none() {
            return Ok(None);
        }
        match feed.parse(|bytes| row(bytes).ok_or(Stop::More)) {
            Ok(row) => return Ok(Some(row)),
            Err(_) if feed.is_full() && feed.bytes().len() >= RECORD_LIMIT => {
                sink.found(Found::NoRecord(NoRecord::TooLarge));
                skip_line(feed);
            }
            // The last row may lack its line break.
            Err(_) => {
                let rest = [feed.bytes(), b"\n"].concat();
                feed.take(rest.len());
                return row(&rest).map(|(row, _)| Some(row)).ok_or(Stop::More);
            }
        }
    }
}

fn skip_line(feed: &mut Feed<'_>) {
    loop {
        match memchr::memchr(b'\n', feed.bytes()) {
            Some(end) => return feed.take(end + 1),
            None => feed.take(feed.bytes().len()),
        }
        if !feed.more() {
            return;
        }
    }
}

/// The cells of the first row of `bytes` and its length, if it ends there.
fn row(bytes: &[u8]) -> Option<(Row, usize)> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), Vec::new(), false);
    let mut at = 0;
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        match byte {
            b'"' if quoted && bytes.get(at)? == &b'"' => {
                cell.push(b'"');
                at += 1;
            }
            b'"' => quoted = !quoted,
            b',' if !quoted => cells.push(std::mem::take(&mut cell)),
            b'\r' if !quoted && bytes.get(at) == Some(&b'\n') => {}
            b'\n' if !quoted => {
                cells.push(cell);
                return Some((cells, at));
            }
            _ => cell.push(byte),
        }
    }
}

/// A row as the JSON of a record; the names of the columns in small letters.
pub(super) fn record(names: &[String], row: &[Vec<u8>]) -> Vec<u8> {
    let whole = names.iter().zip(row).find(|(name, cell)| WHOLE.contains(&name.as_str()) && cell.starts_with(b"{"));
    if let Some((_, cell)) = whole {
        return cell.clone();
    }
    let mut out = vec![b'{'];
    for (name, cell) in names.iter().zip(row).filter(|(_, cell)| !cell.is_empty() && *cell != b"null") {
        if out.len() > 1 {
            out.push(b',');
        }
        write_text(name, &mut out);
        out.push(b':');
        write_cell(cell, &mut out);
    }
    out.push(b'}');
    out
}

fn write_cell(cell: &[u8], out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(cell);
    let text = text.trim();
    let is_json = text.starts_with("{\"") || text.starts_with("[{\"") || text == "{}" || text == "[]";
    if is_json && skip_value(text.as_bytes(), 0) == Ok(text.len()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_notation(text, out, 0);
    }
}

/// Writes a value in the query engine's own notation as JSON.
fn write_notation(text: &str, out: &mut Vec<u8>, depth: usize) {
    let inner = |open: char, close: char| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if let Some(members) = inner('{', '}').filter(|_| depth < DEEPEST) {
        out.push(b'{');
        for (index, member) in split(members, true).into_iter().enumerate() {
            let (key, value) = member.split_once('=').unwrap_or((member, ""));
            out.extend_from_slice(if index == 0 { b"" } else { b"," });
            write_text(key.trim(), out);
            out.push(b':');
            write_notation(value.trim(), out, depth + 1);
        }
        out.push(b'}');
    } else if let Some(items) = inner('[', ']').filter(|_| depth < DEEPEST) {
        out.push(b'[');
        for (index, item) in split(items, false).into_iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"" } else { b"," });
            write_notation(item.trim(), out, depth + 1);
        }
        out.push(b']');
    } else if text == "null" {
        out.extend_from_slice(b"null");
    } else {
        write_text(text, out);
    }
}

/// Splits at the commas that are in no deeper structure; members only where another member's key follows.
fn split(text: &str, members: bool) -> Vec<&str> {
    let (mut out, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                let rest = text.get(at + 1..).unwrap_or_default();
                if !members || starts_member(rest.trim_start()) {
                    out.push(text.get(start..at).unwrap_or_default());
                    start = at + 1;
                }
            }
            _ => {}
        }
    }
    let last = text.get(start..).unwrap_or_default();
    if !last.trim().is_empty() {
        out.push(last);
    }
    out
}

fn starts_member(text: &str) -> bool {
    let name = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(byte)).count();
    name > 0 && text.as_bytes().get(name) == Some(&b'=')
}

/// Writes a text as a JSON string.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte if byte < 0x20 => out.push(b' '),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        write_cell(text.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn structures_are_read_in_either_notation() {
        check("PutItem", r#""PutItem""#);
        check(r#"{"a": 1}"#, r#"{"a": 1}"#);
        check(
            "{type=AssumedRole, arn=a:b, sessioncontext={sessionissuer={type=Role}}, invokedby=null}",
            r#"{"type":"AssumedRole","arn":"a:b","sessioncontext":{"sessionissuer":{"type":"Role"}},"invokedby":null}"#,
        );
        check("[{arn=x, accountid=1}, {arn=y}]", r#"[{"arn":"x","accountid":"1"},{"arn":"y"}]"#);
        check("{sql=select a, b from c, id=7}", r#"{"sql":"select a, b from c","id":"7"}"#);
        check("say \"hi\"", r#""say \"hi\"""#);
    }

    #[test]
    fn rows_end_where_no_quote_is_open() {
        let cells = |text: &str| {
            row(text.as_bytes()).map(|(row, end)| {
                (row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect::<Vec<_>>().join("|"), end)
            })
        };
        assert_eq!(cells("a,\"b,\"\"c\n\"\r\nnext"), Some(("a|b,\"c\n".to_owned(), 12)));
        assert_eq!(cells("\"a\n"), None);
        assert_eq!(cells(",\n"), Some(("|".to_owned(), 2)));
    }
}
