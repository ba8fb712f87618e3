//! Small pieces of the AWS CLI's JSON. Pure; knows no service.

use aws_sdk_iam::primitives::{DateTime, DateTimeFormat};
use iam_model::json::Value;

/// An object with its keys in this order.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// An object of what is there: absent parts are left out, as the AWS CLI does.
pub(super) fn sparse<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    Value::Object(members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

/// A text.
pub(super) fn text(text: Option<&str>) -> Option<Value> {
    text.map(Value::text)
}

/// A time.
pub(super) fn time(time: Option<&DateTime>) -> Option<Value> {
    time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok()).map(Value::String)
}

/// A list.
pub(super) fn list<T>(items: &[T], item: impl Fn(&T) -> Value) -> Option<Value> {
    Some(Value::Array(items.iter().map(item).collect()))
}
