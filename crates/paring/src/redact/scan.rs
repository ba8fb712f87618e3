//! Finding what is to be replaced in a text: ARNs first, then words.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Kind, Redactor};

/// Parts of ARNs that name nothing of the user's.
const PLAIN: &[&str] = &[
    "root",
    "index",
    "stream",
    "log-stream",
    "aws",
    "lambda",
    "live",
    "prod",
    "dev",
    "GET",
    "PUT",
    "POST",
    "DELETE",
    "PATCH",
    "HEAD",
    "OPTIONS",
    "ANY",
    "$LATEST",
    "$default",
    "service-role",
    "aws-service-role",
    "aws-reserved",
    "sso.amazonaws.com",
];
/// Most pieces of one word that are looked up together.
const PIECES: usize = 12;

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '=' | '@')
}

/// Characters that an ARN may have; a comma or a point at its end is the sentence's.
const fn is_of_arn(c: char) -> bool {
    is_word(c) || matches!(c, ':' | '/' | '*' | '?' | '$' | '{' | '}' | ',' | '%' | '!' | '~' | '#')
}

/// The ARN at the beginning of a text.
fn arn(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !is_of_arn(c)).unwrap_or(text.len());
    let mut found = text.get(..end)?;
    // A list, or the end of a sentence. A closing brace that was not opened belongs to what stands around.
    if let Some((before, _)) = found.split_once(',').filter(|_| found.contains(",arn:")) {
        found = before;
    }
    while let Some(rest) = found.strip_suffix([',', '.', ':', '!', '#']) {
        found = rest;
    }
    while found.matches('}').count() > found.matches('{').count() {
        found = found.strip_suffix('}')?;
    }
    (found.starts_with("arn:") && found.splitn(6, ':').count() == 6).then_some(found)
}

/// A principal without the rest of its ARN: `role/app/Orders`.
fn principal(text: &str) -> Option<&str> {
    let kind = ["role/", "user/", "group/"].into_iter().find(|kind| text.starts_with(kind))?;
    let end = text.find(|c: char| !is_word(c) && c != '/').unwrap_or(text.len());
    text.get(..end).filter(|found| found.len() > kind.len())
}

impl Redactor {
    /// Learns the names in a text, so that they are known before it and in others.
    pub(crate) fn read(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find("arn:") {
            rest = rest.get(at..).unwrap_or_default();
            let length = arn(rest).map_or(4, |found| {
                self.arn(found);
                found.len()
            });
            rest = rest.get(length..).unwrap_or_default();
        }
        for (word, kind) in [("role/", Kind::Role), ("user/", Kind::User), ("group/", Kind::Group)] {
            for (_, after) in text.match_indices(word).filter_map(|(at, word)| text.split_at_checked(at + word.len())) {
                let end = after.find(|c: char| !is_word(c) && c != '/').unwrap_or(after.len());
                let path = after.get(..end).unwrap_or_default();
                let owned = path.starts_with("aws-service-role/") || path.starts_with("aws-reserved/");
                if let Some(name) =
                    path.rsplit('/').next().map(|name| name.trim_end_matches('.')).filter(|n| !owned && n.len() > 2)
                {
                    self.name(kind, name, true);
                }
            }
        }
    }

    /// The text with stand-ins. In JSON, HTML and the like, words of the format itself stay.
    pub(crate) fn redacted(&mut self, text: &str) -> String {
        let structured = text.trim_start().starts_with(['{', '[', '<']) || text.trim_start().starts_with("digraph");
        let mut out = String::with_capacity(text.len());
        let (mut rest, mut before) = (text, ' ');
        while let Some(first) = rest.chars().next() {
            let taken = if first == '\u{1b}' {
                let end = rest.find('m').map_or(1, |at| at + 1);
                out.push_str(rest.get(..end).unwrap_or_default());
                before = ' ';
                end
            } else if let Some(found) = arn(rest).filter(|_| !before.is_ascii_alphanumeric()) {
                out.push_str(&self.arn(found));
                before = 'a';
                found.len()
            } else if let Some(found) = principal(rest).filter(|_| !before.is_ascii_alphanumeric()) {
                // The short form of an ARN.
                let end = found.trim_end_matches(['.', '/', '-', '=', '+']);
                out.push_str(&self.resource("iam", end));
                out.push_str(found.get(end.len()..).unwrap_or_default());
                before = 'a';
                found.len()
            } else if let Some(found) = ipv6(rest, before) {
                out.push_str(&self.address(found));
                before = '0';
                found.len()
            } else if is_word(first) {
                let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                out.push_str(&self.word(word, before, after, structured));
                before = 'a';
                end
            } else {
                out.push(first);
                before = first;
                first.len_utf8()
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        out
    }

    /// An ARN with its account and its names replaced; AWS's own stay.
    fn arn(&mut self, text: &str) -> String {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [_, _, service, _, account, resource] = parts.as_slice() else { return text.to_owned() };
        if *account == "aws" {
            return text.to_owned();
        }
        let head: Vec<String> = parts.iter().take(5).map(|part| self.digits(part)).collect();
        format!("{}:{}", head.join(":"), self.resource(service, resource))
    }

    fn resource(&mut self, service: &str, resource: &str) -> String {
        let mut out = String::new();
        let mut inside = false;
        let separates = |c: char| {
            inside = (inside || c == '{') && c != '}';
            !inside && matches!(c, ':' | '/')
        };
        let kinds: Vec<&str> = resource.split(separates).collect();
        let typed = *service != *"s3" && kinds.len() > 1;
        let owned = resource.contains("aws-service-role/") || resource.contains("aws-reserved/");
        let last = kinds.len() - 1;
        let of = match kinds.first().copied().filter(|_| matches!(service, "iam" | "sts")) {
            Some("role") => Kind::Role,
            Some("user" | "federated-user") => Kind::User,
            Some("group") => Kind::Group,
            Some("assumed-role") => Kind::Session,
            _ => Kind::Other,
        };
        let mut rest = resource;
        for (at, piece) in kinds.iter().enumerate() {
            let kind = match (of, at) {
                (Kind::Session, 1) => Kind::Role,
                (kind, at) if at == last => kind,
                _ => Kind::Other,
            };
            out.push_str(&if owned || (at == 0 && typed) { (*piece).to_owned() } else { self.piece(kind, piece) });
            rest = rest.get(piece.len()..).unwrap_or_default();
            if let Some(separator) = rest.chars().next() {
                out.push(separator);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        out
    }

    /// One piece of an ARN: what is written out has a stand-in, wildcards and variables stay.
    fn piece(&mut self, kind: Kind, piece: &str) -> String {
        let mut out = String::new();
        let mut rest = piece;
        while !rest.is_empty() {
            let written = rest.find(['*', '?', '$', '{', '}', '<', '>']).unwrap_or(rest.len());
            let (literal, after) = rest.split_at(written);
            let short = literal.len() < 3 || literal.bytes().all(|b| b.is_ascii_digit() && literal.len() < 8);
            if PLAIN.contains(&literal) || short {
                out.push_str(literal);
            } else if literal.len() == 12 && literal.bytes().all(|b| b.is_ascii_digit()) {
                out.push_str(&self.account(literal));
            } else {
                // A word that is a plain word stands in sentences too, and is left there unless it is somebody's name.
                let plain = literal.bytes().all(|b| b.is_ascii_lowercase());
                out.push_str(&self.name(kind, literal, kind != Kind::Other || !plain));
            }
            let stays = match after.strip_prefix("${").and_then(|name| name.find('}')) {
                Some(end) => end + 3,
                None => after.chars().next().map_or(0, char::len_utf8),
            };
            out.push_str(after.get(..stays).unwrap_or_default());
            rest = after.get(stays..).unwrap_or_default();
        }
        out
    }

    fn word(&mut self, word: &str, before: char, after: &str, structured: bool) -> String {
        let bare = word.trim_end_matches(['.', '-', '=', '+']);
        let end = word.get(bare.len()..).unwrap_or_default();
        if is_mail(bare) {
            return format!("{}{end}", self.mail(bare));
        }
        if let Ok(address) = bare.parse::<Ipv4Addr>() {
            let everyone = address.is_unspecified() || address.is_loopback();
            return if everyone { word.to_owned() } else { format!("{}{end}", self.address(bare)) };
        }
        if is_unique_id(bare) {
            return format!("{}{end}", self.id(bare));
        }
        // Words of the format: a plain word counts as a name only where it is the whole of a text.
        let quoted = matches!(before, '"' | '`' | '\'' | '>' | '/' | ':')
            && (end.is_empty() && after.starts_with(['"', '`', '\'', '<', ':', '/']) && !after.starts_with("\":"));
        let may = |name: &str| !structured || quoted || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if let Some(token) = self.known(bare).filter(|_| may(bare)) {
            return format!("{token}{end}");
        }
        let replaced = self.pieces(bare, &may);
        format!("{}{end}", self.digits(&replaced))
    }

    /// A word in which names stand between hyphens, points and the like.
    fn pieces(&self, word: &str, may: &dyn Fn(&str) -> bool) -> String {
        let mut starts = vec![0];
        starts.extend(word.match_indices(['-', '_', '.', '=', '@', '+']).map(|(at, _)| at + 1));
        if starts.len() == 1 || starts.len() > PIECES {
            return word.to_owned();
        }
        let ends: Vec<usize> = starts.iter().skip(1).map(|start| start - 1).chain([word.len()]).collect();
        for (first, start) in starts.iter().enumerate() {
            for last in (first..ends.len()).rev() {
                let Some(part) = ends.get(last).and_then(|end| word.get(*start..*end)) else { continue };
                let whole = first == 0 && last + 1 == ends.len();
                let plain = part.bytes().all(|b| b.is_ascii_lowercase());
                if whole || plain || part.len() < 4 || !may(part) {
                    continue;
                }
                if let Some(token) = self.known(part) {
                    let (before, after) = (word.get(..*start).unwrap_or_default(), word.get(start + part.len()..));
                    return format!("{before}{token}{}", self.pieces(after.unwrap_or_default(), may));
                }
            }
        }
        word.to_owned()
    }

    /// Account ids in a text: twelve digits that no other digit stands beside.
    fn digits(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(at);
            let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (run, after) = from.split_at(end);
            out.push_str(before);
            out.push_str(&if run.len() == 12 { self.account(run) } else { run.to_owned() });
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

fn is_mail(word: &str) -> bool {
    word.split_once('@').is_some_and(|(who, host)| {
        let ending = host.rsplit_once('.').map(|(_, ending)| ending);
        !who.is_empty() && ending.is_some_and(|end| end.len() > 1 && end.bytes().all(|b| b.is_ascii_alphabetic()))
    })
}

/// An access key or a unique id of IAM: `AKIA`, `ASIA`, `AROA`, `AIDA`… and at least twelve more.
fn is_unique_id(word: &str) -> bool {
    const KINDS: &[&str] =
        &["AKIA", "ASIA", "AROA", "AIDA", "AGPA", "AIPA", "ANPA", "ANVA", "APKA", "ASCA", "ABIA", "ACCA"];
    word.len() >= 16
        && KINDS.iter().any(|kind| word.starts_with(kind))
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// An address of the sixth version at the beginning of a text.
fn ipv6(text: &str, before: char) -> Option<&str> {
    if before.is_ascii_alphanumeric() || matches!(before, ':' | '.' | '-' | '_') {
        return None;
    }
    let end = text.find(|c: char| !c.is_ascii_hexdigit() && !matches!(c, ':' | '.')).unwrap_or(text.len());
    let found = text.get(..end)?.trim_end_matches('.');
    let next = text.get(found.len()..).and_then(|rest| rest.chars().next());
    let whole = !next.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let long = found.len() > 5 && found.matches(':').count() > 1;
    (long && whole && found.parse::<Ipv6Addr>().is_ok()).then_some(found)
}
