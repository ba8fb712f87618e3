//! One CloudTrail record: the members we need, as they stand in the text.
//!
//! Follows the CloudTrail User Guide topic "CloudTrail record contents". Nothing is judged here.

use std::borrow::Cow;

use iam_model::time::Timestamp;

use crate::identity::Identity;
use crate::json::{After, LONGEST_KEY, Object, Raw, Stop, in_order, keep, skip_value, small};
use crate::recall::{Memory, Recalled};

/// The members of a record that are read; all are optional, since old and partial records lack some.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Event<'a> {
    /// All of it.
    pub(crate) whole: &'a [u8],
    pub(crate) event_id: Option<Raw<'a>>,
    pub(crate) event_name: Option<Raw<'a>>,
    pub(crate) event_source: Option<Raw<'a>>,
    pub(crate) event_time: Option<Raw<'a>>,
    pub(crate) event_type: Option<Raw<'a>>,
    pub(crate) error_code: Option<Raw<'a>>,
    pub(crate) error_message: Option<Raw<'a>>,
    pub(crate) read_only: Option<Raw<'a>>,
    pub(crate) recipient: Option<Raw<'a>>,
    pub(crate) region: Option<Raw<'a>>,
    pub(crate) request: Option<Raw<'a>>,
    pub(crate) resources: Option<Raw<'a>>,
    pub(crate) identity: Option<Identity<'a>>,
    /// The identity, where it was recognised and not read.
    pub(crate) recalled: Option<Recalled<'a>>,
    pub(crate) vpc_endpoint: Option<Raw<'a>>,
    /// The record within, where this is what `lookup-events` prints around one. Its other members are named like a
    /// record's own.
    pub(crate) wrapped: Option<Raw<'a>>,
}

/// A record as it is read, with the callers that may be recognised.
struct Scan<'m, 'a> {
    event: Event<'a>,
    memory: &'m Memory,
}

impl<'a> Scan<'_, 'a> {
    #[inline]
    fn identity(&mut self, bytes: &'a [u8], at: usize) -> Result<usize, Stop> {
        if let Some((recalled, end)) = self.memory.recall(bytes, at) {
            self.event.recalled = Some(recalled);
            return Ok(end);
        }
        Identity::keep(bytes, at, &mut self.event.identity)
    }
}

impl<'a> Object<'a> for Scan<'_, 'a> {
    fn in_order(&mut self, bytes: &'a [u8], at: usize) -> Result<After, Stop> {
        in_order! { bytes, at;
            "eventVersion" start => skip_value(bytes, start);
            "userIdentity" start => self.identity(bytes, start);
            "eventTime" start => keep(bytes, start, &mut self.event.event_time);
            "eventSource" start => keep(bytes, start, &mut self.event.event_source);
            "eventName" start => keep(bytes, start, &mut self.event.event_name);
            "awsRegion" start => keep(bytes, start, &mut self.event.region);
            "sourceIPAddress" start => skip_value(bytes, start);
            "userAgent" start => skip_value(bytes, start);
            "errorCode" start => keep(bytes, start, &mut self.event.error_code);
            "errorMessage" start => keep(bytes, start, &mut self.event.error_message);
            "requestParameters" start => keep(bytes, start, &mut self.event.request);
            "responseElements" start => skip_value(bytes, start);
            "additionalEventData" start => skip_value(bytes, start);
            "requestID" start => skip_value(bytes, start);
            "eventID" start => keep(bytes, start, &mut self.event.event_id);
            "readOnly" start => keep(bytes, start, &mut self.event.read_only);
            "resources" start => keep(bytes, start, &mut self.event.resources);
            "eventType" start => keep(bytes, start, &mut self.event.event_type);
            "apiVersion" start => skip_value(bytes, start);
            "managementEvent" start => skip_value(bytes, start);
            "recipientAccountId" start => keep(bytes, start, &mut self.event.recipient);
            "sharedEventID" start => skip_value(bytes, start);
            "vpcEndpointId" start => keep(bytes, start, &mut self.event.vpc_endpoint);
            "vpcEndpointAccountId" start => skip_value(bytes, start);
            "eventCategory" start => skip_value(bytes, start);
            "tlsDetails" start => skip_value(bytes, start);
            "sessionCredentialFromConsole" start => skip_value(bytes, start);
        }
    }

    fn named(&mut self, key: &[u8], bytes: &'a [u8], at: usize) -> Result<usize, Stop> {
        // Exports of queries write names in small letters.
        let field = match small(key, &mut [0; LONGEST_KEY]) {
            b"eventid" => &mut self.event.event_id,
            b"eventname" => &mut self.event.event_name,
            b"eventsource" => &mut self.event.event_source,
            b"eventtime" => &mut self.event.event_time,
            b"eventtype" => &mut self.event.event_type,
            b"errorcode" => &mut self.event.error_code,
            b"errormessage" => &mut self.event.error_message,
            b"readonly" => &mut self.event.read_only,
            b"recipientaccountid" => &mut self.event.recipient,
            b"awsregion" => &mut self.event.region,
            b"requestparameters" => &mut self.event.request,
            b"resources" => &mut self.event.resources,
            b"vpcendpointid" => &mut self.event.vpc_endpoint,
            b"cloudtrailevent" => &mut self.event.wrapped,
            b"useridentity" => return Identity::keep(bytes, at, &mut self.event.identity),
            _ => return skip_value(bytes, at),
        };
        keep(bytes, at, field)
    }
}

/// Keys by which an object is known to be a record when it stands alone.
const RECORD_KEYS: &[&str] = &[
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "eventType",
    "apiVersion",
    "managementEvent",
    "readOnly",
    "resources",
    "recipientAccountId",
    "serviceEventDetails",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "eventCategory",
    "addendum",
    "sessionCredentialFromConsole",
    "eventContext",
    "edgeDeviceDetails",
    "tlsDetails",
    "insightDetails",
];

/// Whether a key is one of a record's own.
pub(crate) fn is_record_key(key: &[u8]) -> bool {
    RECORD_KEYS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(key))
}

impl<'a> Event<'a> {
    /// Reads the record whose brace stands at `at`; gives the offset after it.
    pub(crate) fn scan(bytes: &'a [u8], at: usize, memory: &Memory) -> Result<(Self, usize), Stop> {
        let mut scan = Scan { event: Self::default(), memory };
        let end = scan.scan(bytes, at)?;
        scan.event.whole = bytes.get(at..end).unwrap_or_default();
        Ok((scan.event, end))
    }

    /// The text of its caller.
    pub(crate) fn caller_bytes(&self) -> Option<&'a [u8]> {
        let read = self.identity.map(|identity| identity.bytes());
        self.recalled.map(|recalled| recalled.bytes).or(read)
    }

    /// Whether it holds anything a record is known by.
    pub(crate) const fn is_record(&self) -> bool {
        self.event_name.is_some()
            || self.event_source.is_some()
            || self.event_time.is_some()
            || self.identity.is_some()
            || self.recalled.is_some()
    }

    /// When it happened; fractions of a second and numbers, which some exports write, are understood.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        let raw = self.event_time?;
        // The quotes are no part of a time, and a time holds no escapes.
        let inner = raw.0.get(1..raw.0.len().saturating_sub(1)).and_then(|inner| std::str::from_utf8(inner).ok());
        let quick = inner.filter(|_| raw.0.starts_with(b"\"")).and_then(Timestamp::parse);
        quick.or_else(|| moment(&raw.scalar()?))
    }

    /// A string member, if it is one.
    pub(crate) fn text(field: Option<Raw<'a>>) -> Option<Cow<'a, str>> {
        field?.text()
    }
}

/// A time as AWS, its command line and its query engines write it: with fractions of a second, another offset's form, or
/// a space in place of the `T`.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    match text.split_once(' ') {
        None => Timestamp::parse_printed(text),
        // Engines leave the offset out, which is none.
        Some((day, time)) => {
            let zone = if time.contains(['Z', '+', '-']) { "" } else { "Z" };
            Timestamp::parse_printed(&format!("{day}T{time}{zone}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_to_its_closing_brace() {
        let text = br#"{"eventName": "PutItem", "responseElements": {"eventName": "no"}, "eventTime": "2026-11-20T08:15:30Z"} ,"#;
        let (event, end) = Event::scan(text, 0, &Memory::default()).unwrap();
        assert_eq!(Event::text(event.event_name).unwrap(), "PutItem");
        assert_eq!(event.time().unwrap().to_string(), "2026-11-20T08:15:30Z");
        assert_eq!(&text[end..], b" ,");
        assert_eq!(Event::scan(&text[..40], 0, &Memory::default()).unwrap_err(), Stop::More);
        assert!(matches!(Event::scan(b"{\"a\" 1}", 0, &Memory::default()), Err(Stop::Bad(_))));
    }

    #[test]
    fn times_of_exports_are_understood() {
        for (text, expected) in [
            ("\"2026-11-20T08:15:30.123Z\"", Some("2026-11-20T08:15:30Z")),
            ("\"2026-11-20T08:15:30+00:00\"", Some("2026-11-20T08:15:30Z")),
            ("\"2026-11-20 08:15:30.000\"", Some("2026-11-20T08:15:30Z")),
            ("\"yesterday\"", None),
        ] {
            let event = Event { event_time: Some(Raw(text.as_bytes())), ..Event::default() };
            assert_eq!(event.time().map(|t| t.to_string()).as_deref(), expected, "{text}");
        }
    }
}
