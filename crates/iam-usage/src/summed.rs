//! Rows that a query engine counted: records that say the same, with how many there were and when.
//!
//! What the statements of `sql/` give, as CSV, as objects on lines or as Parquet. A row becomes the text of a record again, so that what
//! it means is told by the same pieces that read logs; how often it counts stands beside it.

use crate::json::{Raw, skip_value};

/// The column by which a row of counts is known: its first.
pub(crate) const MARK: &str = "paring_rows";

/// The version of the rows that is read.
const VERSION: &[u8] = b"1";

/// More records than any row can stand for.
const MOST: u64 = 1 << 42;

/// Records that say the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Summed {
    /// One of them, as JSON; its time is the first.
    pub(crate) record: Vec<u8>,
    /// The time of the last, as JSON.
    pub(crate) last: Vec<u8>,
    /// How many there are, each told once.
    pub(crate) calls: u64,
    /// How many more were copies of these.
    pub(crate) copies: u64,
    /// A few of their ids.
    pub(crate) ids: Vec<Vec<u8>>,
}

/// Columns that are members of a record, and the member's name.
const MEMBERS: &[(&str, &str)] = &[
    ("first_time", "eventTime"),
    ("event_type", "eventType"),
    ("event_source", "eventSource"),
    ("event_name", "eventName"),
    ("region", "awsRegion"),
    ("account", "recipientAccountId"),
    ("endpoint", "vpcEndpointId"),
];

impl Summed {
    /// Reads a row from its columns' names and texts; nothing where a part it needs is missing or is of another version.
    pub(crate) fn of(columns: &[(&str, &[u8])]) -> Option<Self> {
        let get = |name: &str| {
            let found = columns.iter().find(|(own, _)| *own == name).map(|(_, text)| *text);
            found.filter(|text| !text.is_empty())
        };
        let number = |name: &str| std::str::from_utf8(get(name)?).ok()?.parse().ok().filter(|count| *count < MOST);
        if get(MARK)? != VERSION {
            return None;
        }
        let mut record = Object::default();
        for (column, member) in MEMBERS {
            if let Some(text) = get(column) {
                record.text(member, text);
            }
        }
        match get("denied") {
            Some(b"1") => record.text("errorCode", b"AccessDenied"),
            // Allowed, and told that what was asked for is not there.
            Some(b"2") => record.text("errorCode", b"NoSuchKey"),
            _ => {}
        }
        if get("read_only") == Some(b"1") {
            record.raw("readOnly", b"true");
        }
        if let Some(resources) = get("resources") {
            record.raw("resources", &named_resources(resources));
        }
        if let Some(parameters) = get("parameters") {
            record.json("requestParameters", parameters);
        }
        record.raw("userIdentity", &identity(&get));
        let mut last = Vec::new();
        write_text(get("last_time").unwrap_or_default(), &mut last);
        let ids = ["id_1", "id_2", "id_3"].iter().filter_map(|name| get(name)).map(<[u8]>::to_vec).collect();
        Some(Self { record: record.close(), last, calls: number("calls")?, copies: number("copies")?, ids })
    }
}

/// The caller as a record has it.
fn identity<'t>(get: &impl Fn(&str) -> Option<&'t [u8]>) -> Vec<u8> {
    let mut identity = Object::default();
    for (column, member) in [("identity", "type"), ("session_arn", "arn"), ("invoked_by", "invokedBy")] {
        if let Some(text) = get(column) {
            identity.text(member, text);
        }
    }
    if let Some(role) = get("role_arn") {
        let (mut issuer, mut context) = (Object::default(), Object::default());
        issuer.text("type", b"Role");
        issuer.text("arn", role);
        context.raw("sessionIssuer", &issuer.close());
        identity.raw("sessionContext", &context.close());
    }
    if let Some(function) = get("issued_to") {
        let mut scope = Object::default();
        scope.text("issuerType", b"AWS::Lambda::Function");
        scope.text("credentialsIssuedTo", function);
        identity.raw("inScopeOf", &scope.close());
    }
    identity.close()
}

/// The resources a record names: as it names them, or their ARNs alone.
fn named_resources(text: &[u8]) -> Vec<u8> {
    if skip_value(text, 0) != Ok(text.len()) {
        return b"null".to_vec();
    }
    let mut out = vec![b'['];
    for item in Raw(text).items() {
        if out.len() > 1 {
            out.push(b',');
        }
        match item.text() {
            Some(arn) => {
                let mut resource = Object::default();
                resource.text("ARN", arn.as_bytes());
                out.extend(resource.close());
            }
            None => out.extend_from_slice(item.0),
        }
    }
    out.push(b']');
    out
}

/// JSON of an object, as it is written.
#[derive(Default)]
struct Object(Vec<u8>);

impl Object {
    fn raw(&mut self, name: &str, value: &[u8]) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        write_text(name.as_bytes(), &mut self.0);
        self.0.push(b':');
        self.0.extend_from_slice(value);
    }

    fn text(&mut self, name: &str, value: &[u8]) {
        let mut text = Vec::with_capacity(value.len() + 2);
        write_text(value, &mut text);
        self.raw(name, &text);
    }

    /// A value that is JSON, or a text.
    fn json(&mut self, name: &str, value: &[u8]) {
        if skip_value(value, 0) == Ok(value.len()) { self.raw(name, value) } else { self.text(name, value) }
    }

    fn close(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.push(b'}');
        self.0
    }
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let mut quoted = String::new();
    iam_model::json::write_string(&mut quoted, &String::from_utf8_lossy(text));
    out.extend_from_slice(quoted.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(columns: &[(&str, &str)], expected: Option<&str>) {
        let columns: Vec<(&str, &[u8])> = columns.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        let found = Summed::of(&columns).map(|row| String::from_utf8(row.record).unwrap());
        assert_eq!(found.as_deref(), expected, "{columns:?}");
    }

    #[test]
    fn a_row_becomes_a_record() {
        let row = [("paring_rows", "1"), ("calls", "3"), ("copies", "0")];
        check(&row, Some(r#"{"userIdentity":{}}"#));
        let more = [
            ("event_name", "Put\"Item"),
            ("denied", "1"),
            ("parameters", r#"{"tableName":"t"}"#),
            ("resources", r#"["arn:aws:s3:::b",null]"#),
            ("role_arn", "arn:aws:iam::1:role/r"),
        ];
        check(
            &[&row[..], &more].concat(),
            Some(
                r#"{"eventName":"Put\"Item","errorCode":"AccessDenied","resources":[{"ARN":"arn:aws:s3:::b"},null],"requestParameters":{"tableName":"t"},"userIdentity":{"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::1:role/r"}}}}"#,
            ),
        );
    }

    #[test]
    fn rows_of_other_versions_or_without_counts_are_none() {
        check(&[("paring_rows", "2"), ("calls", "3"), ("copies", "0")], None);
        check(&[("paring_rows", "1"), ("calls", "many"), ("copies", "0")], None);
        check(&[("paring_rows", "1"), ("calls", "99999999999999999999"), ("copies", "0")], None);
        check(&[("paring_rows", "1"), ("calls", "3")], None);
        check(&[("calls", "3"), ("copies", "0")], None);
    }
}
