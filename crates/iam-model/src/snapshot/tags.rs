//! Tags of resources, in every form in which AWS's answers have them.
//!
//! Reads them and nothing more: what a tag is good for is for others to say.

use std::collections::BTreeMap;

use crate::json::Value;

/// The members of a description that hold tags.
const MEMBERS: [&str; 4] = ["Tags", "tags", "TagSet", "TagList"];
/// What a tag's key and value are called in a list of tags.
const ROWS: [(&str, &str); 3] = [("Key", "Value"), ("key", "value"), ("TagKey", "TagValue")];

/// Tags, as they stand in a service's own description of a resource or beside it; none where that does not say.
///
/// ```
/// use iam_model::json::{Arena, Limits, parse};
/// use iam_model::snapshot::tags;
/// let read = |text: &str| tags(&parse(&Arena::new(), text, Limits::FILE).unwrap().to_value());
/// assert_eq!(read(r#"{"Tags": {"app": "orders"}}"#)["app"], "orders");
/// assert_eq!(read(r#"{"Tags": [{"TagKey": "app", "TagValue": "orders"}]}"#)["app"], "orders");
/// assert!(read(r#"{"Tags": null}"#).is_empty());
/// ```
#[must_use]
pub fn tags(api: &Value) -> BTreeMap<String, String> {
    MEMBERS.iter().filter_map(|member| api.get(member)).map(listed).find(|tags| !tags.is_empty()).unwrap_or_default()
}

/// Tags as an object, or as a list of keys and values.
pub(super) fn listed(value: &Value) -> BTreeMap<String, String> {
    if let Value::Object(members) = value {
        return members.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    }
    let pair = |row: &Value| {
        ROWS.iter()
            .find_map(|(key, value)| Some((row.get(key)?.as_str()?.to_owned(), row.get(value)?.as_str()?.to_owned())))
    };
    value.items().iter().filter_map(pair).collect()
}
