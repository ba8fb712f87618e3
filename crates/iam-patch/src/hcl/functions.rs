//! Terraform's pure functions, as far as policies use them.
//!
//! Follows the "Functions" topics of the Terraform language. A function nobody knows, and one whose arguments are not
//! known well enough, gives an unknown value or a hole.

use super::evaluate::{hole, known, text};
use crate::resolve::{Text, Value};

/// Bytes of one text, and items of one list: hostile files double them over and over.
const BYTES: usize = 1 << 16;
const ITEMS: usize = 10_000;

/// A value inside of a text.
pub(super) fn as_text(value: &Value) -> Text {
    match value {
        Value::Text(text) if text.len() <= BYTES => text.clone(),
        _ => Text::hole(),
    }
}

/// Calls a function. `expanded` says that the last argument was followed by `...`.
pub(super) fn call(name: &str, arguments: &[Value], expanded: bool) -> Value {
    let spread: Vec<Value>;
    let arguments = match arguments {
        [head @ .., Value::List(tail)] if expanded => {
            spread = head.iter().chain(tail).cloned().collect();
            spread.as_slice()
        }
        _ if expanded => return Value::Unknown,
        other => other,
    };
    lists(name, arguments).or_else(|| texts(name, arguments)).unwrap_or(Value::Unknown)
}

fn lists(name: &str, arguments: &[Value]) -> Option<Value> {
    let lists = || arguments.iter().map(items).collect::<Option<Vec<_>>>();
    Some(match (name, arguments) {
        ("concat", _) => Value::List(joined(&lists()?)?),
        ("flatten", [list]) => Value::List(flat(items(list)?)?),
        ("tolist" | "toset" | "sort" | "reverse" | "tomap", [value]) => value.clone(),
        ("distinct", [list]) | ("setunion", [list]) => Value::List(distinct(items(list)?)),
        ("setunion", _) => Value::List(distinct(joined(&lists()?)?)),
        ("compact", [list]) => {
            let empty = |value: &Value| *value == Value::Absent || known(value).is_some_and(|t| t.is_empty());
            Value::List(items(list)?.into_iter().filter(|value| !empty(value)).collect())
        }
        ("element", [list, index]) => {
            let items = items(list)?;
            let index = known(index)?.parse::<usize>().ok()?;
            items.get(index.checked_rem(items.len())?)?.clone()
        }
        ("one", [list]) => match items(list)?.as_slice() {
            [only] => only.clone(),
            _ => return None,
        },
        ("slice", [list, from, to]) => {
            let number = |value: &Value| known(value)?.parse::<usize>().ok();
            Value::List(items(list)?.get(number(from)?..number(to)?)?.to_vec())
        }
        ("merge", _) => {
            let mut merged: Vec<(String, Value)> = Vec::new();
            for argument in arguments {
                let Value::Map(entries) = argument else { return None };
                for (key, value) in entries {
                    match merged.iter_mut().find(|(known, _)| known == key) {
                        Some((_, slot)) => *slot = value.clone(),
                        None => merged.push((key.clone(), value.clone())),
                    }
                }
            }
            Value::Map(merged)
        }
        ("lookup", [Value::Map(entries), key, rest @ ..]) => {
            let key = known(key)?;
            let found = entries.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone());
            found.or_else(|| rest.first().cloned())?
        }
        ("keys", [Value::Map(entries)]) => Value::List(entries.iter().map(|(key, _)| text(key)).collect()),
        ("values", [Value::Map(entries)]) => Value::List(entries.iter().map(|(_, value)| value.clone()).collect()),
        ("split", [separator, value]) => {
            let (separator, value) = (known(separator)?, known(value)?);
            Value::List(value.split(separator.as_str()).map(text).collect())
        }
        ("formatlist", [format, list]) => {
            let format = known(format)?;
            let one = |item: Value| formatted(&format, &[item]).map(Value::Text);
            Value::List(items(list)?.into_iter().map(one).collect::<Option<_>>()?)
        }
        ("coalesce" | "try", [first, ..]) if known(first).is_some_and(|t| !t.is_empty()) => first.clone(),
        _ => return None,
    })
}

fn texts(name: &str, arguments: &[Value]) -> Option<Value> {
    let mapped = |value: &Value, change: &dyn Fn(&str) -> String| Value::Text(as_text(value).map(change));
    let whole = |value: &Value, change: &dyn Fn(&str) -> String| known(value).map_or_else(hole, |t| text(change(&t)));
    Some(match (name, arguments) {
        ("format", [format, rest @ ..]) => {
            known(format).and_then(|f| formatted(&f, rest)).map_or_else(hole, Value::Text)
        }
        ("join", [separator, lists @ ..]) => Value::Text(join(&known(separator)?, lists)),
        ("lower", [value]) => mapped(value, &|t: &str| t.to_lowercase()),
        ("upper", [value]) => mapped(value, &|t: &str| t.to_uppercase()),
        ("tostring" | "nonsensitive" | "sensitive" | "tonumber" | "tobool", [value]) => value.clone(),
        ("trimspace", [value]) => whole(value, &|t: &str| t.trim().to_owned()),
        ("chomp", [value]) => whole(value, &|t: &str| t.trim_end_matches(['\r', '\n']).to_owned()),
        ("replace", [value, from, to]) => {
            let (from, to) = (known(from)?, known(to)?);
            if from.len() > 1 && from.starts_with('/') && from.ends_with('/') {
                return Some(hole());
            }
            if known(value).is_some_and(|t| t.len().saturating_mul(to.len()) > BYTES) {
                return Some(hole());
            }
            whole(value, &|t: &str| t.replace(from.as_str(), to.as_str()))
        }
        ("trimprefix", [value, cut]) => {
            let cut = known(cut)?;
            whole(value, &|t: &str| t.strip_prefix(cut.as_str()).unwrap_or(t).to_owned())
        }
        ("trimsuffix", [value, cut]) => {
            let cut = known(cut)?;
            whole(value, &|t: &str| t.strip_suffix(cut.as_str()).unwrap_or(t).to_owned())
        }
        ("trim", [value, cut]) => {
            let cut = known(cut)?;
            whole(value, &|t: &str| t.trim_matches(|c| cut.contains(c)).to_owned())
        }
        ("substr", [value, from, length]) => {
            let number = |value: &Value| known(value)?.parse::<usize>().ok();
            let (from, length) = (number(from)?, number(length)?);
            whole(value, &|t: &str| t.chars().skip(from).take(length).collect())
        }
        (
            "base64encode" | "sha1" | "sha256" | "md5" | "uuid" | "timestamp" | "file" | "templatefile" | "title"
            | "regex" | "abspath" | "basename" | "dirname" | "length" | "coalesce" | "try",
            _,
        ) => hole(),
        _ => return None,
    })
}

/// The items of lists with a separator between them; a hole where they are not known.
fn join(separator: &str, lists: &[Value]) -> Text {
    let all = lists.iter().map(items).collect::<Option<Vec<_>>>().and_then(|all| joined(&all));
    let mut out = Text::default();
    for (index, item) in all.iter().flatten().enumerate() {
        if index > 0 {
            out.push(Text::literal(separator));
        }
        out.push(as_text(item));
        if out.len() > BYTES {
            return Text::hole();
        }
    }
    if all.is_some() { out } else { Text::hole() }
}

/// The items of a list; nothing where it is not known which they are.
fn items(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(items) => Some(items.clone()).filter(|items| items.len() <= ITEMS),
        Value::Absent => Some(Vec::new()),
        _ => None,
    }
}

fn joined(lists: &[Vec<Value>]) -> Option<Vec<Value>> {
    (lists.iter().map(Vec::len).sum::<usize>() <= ITEMS).then(|| lists.concat())
}

fn flat(items: Vec<Value>) -> Option<Vec<Value>> {
    let mut out = Vec::new();
    for item in items {
        match item {
            Value::List(inner) => out.extend(flat(inner)?),
            Value::Unknown | Value::AnyOf(_) => return None,
            other => out.push(other),
        }
    }
    Some(out)
}

fn distinct(items: Vec<Value>) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

/// `format` with `%s`, `%v` and `%d`; anything finer is not known.
fn formatted(format: &str, arguments: &[Value]) -> Option<Text> {
    let mut out = Text::default();
    let mut rest = arguments.iter();
    let mut pieces = format.split('%');
    out.push(Text::literal(pieces.next()?));
    while let Some(piece) = pieces.next() {
        if piece.is_empty() {
            out.push(Text::literal(format!("%{}", pieces.next()?)));
            continue;
        }
        let verb = piece.chars().next().filter(|c| matches!(c, 's' | 'v' | 'd'))?;
        out.push(as_text(rest.next()?));
        out.push(Text::literal(piece.strip_prefix(verb)?));
    }
    Some(out)
}
