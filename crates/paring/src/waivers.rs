//! `waivers.toml`: accepted objections, each with an owner, a ticket, a reason and an end.
//!
//! Reads and places them; what a waiver does is for the rules.

use std::path::Path;

use iam_model::diagnostic::Place;
use iam_model::text::SourceText;
use iam_model::time::Timestamp;
use iam_verify::guardrails::{RuleId, Waiver};
use serde::Deserialize;
use toml::Spanned;

use crate::error::CliError;
use crate::input;

const VERSION: u32 = 1;
/// Read from the working folder where nothing else is named.
const DEFAULT_NAME: &str = "waivers.toml";
const HINT: &str = "docs/guardrails.md shows a waiver";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    waiver: Vec<Spanned<Entry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    object: String,
    owner: String,
    ticket: String,
    reason: String,
    expires: Spanned<toml::Value>,
}

/// The waivers in `path`, else in `waivers.toml` of the working folder, else none.
pub(crate) fn load(path: Option<&Path>) -> Result<Vec<Waiver>, CliError> {
    let path = match path {
        Some(path) => path,
        None if Path::new(DEFAULT_NAME).is_file() => Path::new(DEFAULT_NAME),
        None => return Ok(Vec::new()),
    };
    parse(&input::read_text(path)?).map_err(|message| CliError::user(message).hint(HINT))
}

fn parse(source: &SourceText) -> Result<Vec<Waiver>, String> {
    let at = |offset: usize| Place::at(source.name.clone(), &source.text, offset);
    let file: File = toml::from_str(&source.text).map_err(|error| {
        let place = error.span().map_or_else(|| Place::whole(source.name.clone()), |span| at(span.start));
        format!("{place}: {}", error.message().lines().next().unwrap_or_default())
    })?;
    if file.version != VERSION {
        return Err(format!(
            "{}: version {} is not known; this paring reads version {VERSION}",
            source.name, file.version
        ));
    }
    let waiver = |entry: Spanned<Entry>| {
        let place = at(entry.span().start);
        let entry = entry.into_inner();
        for (key, text) in [("owner", &entry.owner), ("ticket", &entry.ticket), ("reason", &entry.reason)] {
            if text.trim().is_empty() {
                return Err(format!("{place}: the waiver of `{}` has an empty `{key}`", entry.rule));
            }
        }
        let ends = at(entry.expires.span().start);
        let expires = moment(entry.expires.get_ref())
            .ok_or_else(|| format!("{ends}: `expires` is a day such as 2026-12-31, or a time in UTC"))?;
        Ok(Waiver {
            rule: RuleId::new(&entry.rule),
            object: entry.object,
            owner: entry.owner,
            ticket: entry.ticket,
            reason: entry.reason,
            expires,
            place,
        })
    };
    file.waiver.into_iter().map(waiver).collect()
}

fn moment(value: &toml::Value) -> Option<Timestamp> {
    let text = match value {
        toml::Value::Datetime(datetime) => datetime.to_string(),
        toml::Value::String(text) => text.clone(),
        _ => return None,
    };
    Timestamp::parse(&text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")))
}

#[cfg(test)]
mod tests {
    use iam_model::text::SourceName;

    use super::*;

    const GOOD: &str = "version = 1\n[[waiver]]\nrule = \"one-role-one-function\"\nobject = \"arn:aws:iam::*:role/old-*\"\n\
        owner = \"platform\"\nticket = \"OPS-1\"\nreason = \"split in June\"\nexpires = 2026-12-31\n";

    fn read(text: &str) -> Result<Vec<Waiver>, String> {
        parse(&SourceText { name: SourceName::new("waivers.toml"), text: text.to_owned() })
    }

    #[test]
    fn waivers_are_read_with_their_place() {
        let waivers = read(GOOD).unwrap();
        assert_eq!(waivers[0].expires, Timestamp::parse("2026-12-31T00:00:00Z").unwrap());
        assert_eq!(waivers[0].place.to_string(), "waivers.toml:2:1");
        assert_eq!(read(&GOOD.replace("2026-12-31", "\"2026-12-31\"")).unwrap()[0].expires, waivers[0].expires);
    }

    #[test]
    fn mistakes_are_placed() {
        for (from, to, expected) in [
            ("version = 1", "version = 7", "version 7 is not known"),
            ("owner", "ower", "waivers.toml:5:1: unknown field `ower`"),
            ("\"platform\"", "\" \"", "has an empty `owner`"),
            ("expires = 2026-12-31\n", "", "missing field `expires`"),
            ("2026-12-31", "\"soon\"", "waivers.toml:8:11: `expires` is a day"),
            ("[[waiver]]", "[[waiver]", "waivers.toml:2:"),
        ] {
            let message = read(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(message.contains(expected), "{to}: {message}");
        }
    }
}
