//! What statements of DynamoDB's PartiQL do, and to which table or index, each by itself.
//!
//! Reads as much of a statement as stands before its conditions. What it cannot read for certain it does not tell.

use std::collections::BTreeSet;

use crate::json::Raw;
use crate::plan::{Pair, STATEMENTS};
use crate::resource::{Resources, named_resources};
use crate::template::{Call, Path, escape};

/// A piece of a statement.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A word, as it stands.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text, a number, anything else.
    Other(char),
}

/// Words of a statement that are looked at before its table must be named.
const MOST_TOKENS: usize = 4096;

fn tokens(statement: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = statement.chars().peekable();
    while let Some(c) = rest.next() {
        if out.len() >= MOST_TOKENS {
            return Vec::new();
        }
        match c {
            c if c.is_whitespace() => {}
            '"' | '\'' => {
                let mut text = String::new();
                let mut closed = false;
                while let Some(inner) = rest.next() {
                    if inner != c {
                        text.push(inner);
                    } else if rest.next_if_eq(&c).is_some() {
                        text.push(c);
                    } else {
                        closed = true;
                        break;
                    }
                }
                out.push(if c == '"' && closed { Token::Name(text) } else { Token::Other(c) });
            }
            c if is_part_of_word(c) => {
                let mut word = String::from(c);
                while let Some(next) = rest.next_if(|next| is_part_of_word(*next)) {
                    word.push(next);
                }
                out.push(Token::Word(word));
            }
            c => out.push(Token::Other(c)),
        }
    }
    out
}

fn is_part_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn is_word(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Token::Word(text)) if text.eq_ignore_ascii_case(word))
}

/// What a statement does: `SELECT`, `INSERT`, `UPDATE` or `DELETE`. A check that something exists reads.
pub(crate) fn verb(statement: &str) -> Option<&'static str> {
    verb_of(&tokens(statement))
}

fn verb_of(tokens: &[Token]) -> Option<&'static str> {
    let first = match tokens {
        [exists, Token::Other('('), first, ..] if is_word(Some(exists), "EXISTS") => Some(first),
        [first, ..] => Some(first),
        [] => None,
    };
    ["SELECT", "INSERT", "UPDATE", "DELETE"].into_iter().find(|verb| is_word(first, verb))
}

/// The table that a statement is about, and the index; nothing where that is not certain.
fn target(tokens: &[Token], verb: &str) -> Option<(String, Option<String>)> {
    let before = match verb {
        "UPDATE" => "UPDATE",
        "INSERT" => "INTO",
        _ => "FROM",
    };
    let mut places = tokens.iter().enumerate().filter(|(_, token)| is_word(Some(token), before));
    let (at, _) = places.next()?;
    // A second one belongs to a statement within, or to a column named so.
    if before == "FROM" && places.next().is_some() {
        return None;
    }
    match tokens.get(at + 1..)? {
        [Token::Name(table), Token::Other('.'), Token::Name(index) | Token::Word(index), ..] => {
            Some((table.clone(), Some(index.clone())))
        }
        [Token::Name(table), ..] => Some((table.clone(), None)),
        // A dot may be part of a table's name.
        [Token::Word(_), Token::Other('.'), ..] => None,
        [Token::Word(table), ..] => Some((table.clone(), None)),
        _ => None,
    }
}

/// The statements of a request.
pub(crate) fn statements(request: Raw<'_>) -> Vec<String> {
    STATEMENTS.iter().flat_map(|path| Path::compile(path).values(request)).map(|text| text.into_owned()).collect()
}

/// What an action that stands for a verb was checked on: the tables and indexes of its statements. Where one cannot be read,
/// all tables that the event names and their indexes.
pub(crate) fn resources(verb: &str, pair: &Pair<'_>, call: &Call<'_>, named: Option<Raw<'_>>) -> Resources {
    let tables = named_resources(pair, named);
    let read = read(verb, pair, call, &tables).filter(|found| !found.is_empty());
    let arns = read.unwrap_or_else(|| {
        let indexes =
            |table: &String| (pair.has_indexes && !table.contains("/index/")).then(|| format!("{table}/index/*"));
        tables.iter().filter_map(indexes).chain(tables.iter().cloned()).collect()
    });
    if arns.is_empty() { Resources::star(false) } else { Resources { arns: arns.into_iter().collect(), known: true } }
}

fn read(verb: &str, pair: &Pair<'_>, call: &Call<'_>, tables: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    for statement in statements(call.request) {
        let tokens = tokens(&statement);
        let own = verb_of(&tokens)?;
        let (table, index) = target(&tokens, own)?;
        if own != verb {
            continue;
        }
        let table = arn_of(&table, call, tables)?;
        match index {
            Some(index) if pair.has_indexes => out.insert(format!("{table}/index/{}", escape(&index))),
            Some(_) => return None,
            None => out.insert(table),
        };
    }
    Some(out)
}

/// The ARN of a table that a statement names: one of the event's own, else of the caller's.
fn arn_of(table: &str, call: &Call<'_>, tables: &BTreeSet<String>) -> Option<String> {
    if table.starts_with("arn:") {
        return table.contains(":table/").then(|| escape(table));
    }
    let tail = format!(":table/{}", escape(table));
    let listed = || tables.iter().find(|arn| arn.ends_with(&tail)).cloned();
    let own = || format!("arn:{}:dynamodb:{}:{}{tail}", call.partition, call.region, call.account);
    Some(listed().unwrap_or_else(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_up_to_their_table() {
        for (text, expected) in [
            ("SELECT * FROM \"Music\".\"ByYear\" WHERE a = 'x'", Some(("SELECT", "Music", Some("ByYear")))),
            ("select a, b from T where c = ?", Some(("SELECT", "T", None))),
            ("INSERT INTO \"T.x\" VALUE {'a': 'from'}", Some(("INSERT", "T.x", None))),
            ("update T set a = 1", Some(("UPDATE", "T", None))),
            ("DELETE FROM \"T\" WHERE a = 'b'", Some(("DELETE", "T", None))),
            ("EXISTS(SELECT * FROM \"T\" WHERE a = 'b')", Some(("SELECT", "T", None))),
            ("SELECT \"from\" FROM \"say \"\"hi\"\"\"", Some(("SELECT", "say \"hi\"", None))),
            ("SELECT * FROM \"arn:aws:dynamodb:r:1:table/T\"", Some(("SELECT", "arn:aws:dynamodb:r:1:table/T", None))),
            ("SELECT * FROM T.x", None),
            ("SELECT * FROM (SELECT * FROM T)", None),
            ("SELECT * FROM \"T", None),
            ("MERGE INTO T", None),
            ("", None),
        ] {
            let tokens = tokens(text);
            let found = verb_of(&tokens).and_then(|verb| Some((verb, target(&tokens, verb)?)));
            let expected = expected.map(|(verb, table, index): (_, &str, Option<&str>)| {
                (verb, (table.to_owned(), index.map(str::to_owned)))
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
