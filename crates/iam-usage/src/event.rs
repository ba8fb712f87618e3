//! One CloudTrail record: the members we need, as they stand in the text.
//!
//! Follows the CloudTrail User Guide topic "CloudTrail record contents". Nothing is judged here.

use std::borrow::Cow;

use iam_model::time::Timestamp;

use crate::json::{Raw, Stop, member, space};

macro_rules! fields {
    ($($name:ident => $key:literal,)*) => {
        /// The members of a record that are read; all are optional, since old and partial records lack some.
        #[derive(Debug, Clone, Copy, Default)]
        pub(crate) struct Event<'a> {
            $(pub(crate) $name: Option<Raw<'a>>,)*
        }

        impl<'a> Event<'a> {
            fn set(&mut self, key: &[u8], value: Raw<'a>) {
                match key {
                    $($key => self.$name = Some(value),)*
                    _ => {}
                }
            }
        }
    };
}

fields! {
    event_id => b"eventID",
    event_name => b"eventName",
    event_source => b"eventSource",
    event_time => b"eventTime",
    event_type => b"eventType",
    error_code => b"errorCode",
    error_message => b"errorMessage",
    read_only => b"readOnly",
    recipient => b"recipientAccountId",
    region => b"awsRegion",
    request => b"requestParameters",
    resources => b"resources",
    user_agent => b"userAgent",
    user_identity => b"userIdentity",
    vpc_endpoint => b"vpcEndpointId",
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
    RECORD_KEYS.iter().any(|known| known.as_bytes() == key)
}

impl<'a> Event<'a> {
    /// Reads the record whose brace stands at `at`; gives the offset after it.
    pub(crate) fn scan(bytes: &'a [u8], at: usize) -> Result<(Self, usize), Stop> {
        let mut event = Self::default();
        let mut at = space(bytes, at + 1);
        if bytes.get(at).ok_or(Stop::More)? == &b'}' {
            return Ok((event, at + 1));
        }
        loop {
            let found = member(bytes, at)?;
            event.set(found.key, found.value);
            at = space(bytes, found.end);
            match bytes.get(at).ok_or(Stop::More)? {
                b',' => at = space(bytes, at + 1),
                b'}' => return Ok((event, at + 1)),
                _ => return Err(Stop::Bad(at)),
            }
        }
    }

    /// When it happened; fractions of a second and numbers, which some exports write, are understood.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        let text = self.event_time?.scalar()?;
        let whole = match text.split_once('.') {
            Some((whole, fraction)) if fraction.ends_with('Z') => Cow::Owned(format!("{whole}Z")),
            _ => text,
        };
        Timestamp::parse(&whole).or_else(|| Timestamp::parse(&format!("{}Z", whole.strip_suffix("+00:00")?)))
    }

    /// A string member, if it is one.
    pub(crate) fn text(field: Option<Raw<'a>>) -> Option<Cow<'a, str>> {
        field?.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_to_its_closing_brace() {
        let text = br#"{"eventName": "PutItem", "responseElements": {"eventName": "no"}, "eventTime": "2026-11-20T08:15:30Z"} ,"#;
        let (event, end) = Event::scan(text, 0).unwrap();
        assert_eq!(Event::text(event.event_name).unwrap(), "PutItem");
        assert_eq!(event.time().unwrap().to_string(), "2026-11-20T08:15:30Z");
        assert_eq!(&text[end..], b" ,");
        assert_eq!(Event::scan(&text[..40], 0).unwrap_err(), Stop::More);
        assert!(matches!(Event::scan(b"{\"a\" 1}", 0), Err(Stop::Bad(_))));
    }

    #[test]
    fn times_of_exports_are_understood() {
        for (text, expected) in [
            ("\"2026-11-20T08:15:30.123Z\"", Some("2026-11-20T08:15:30Z")),
            ("\"2026-11-20T08:15:30+00:00\"", Some("2026-11-20T08:15:30Z")),
            ("\"yesterday\"", None),
        ] {
            let event = Event { event_time: Some(Raw(text.as_bytes())), ..Event::default() };
            assert_eq!(event.time().map(|t| t.to_string()).as_deref(), expected, "{text}");
        }
    }
}
