//! Condition keys: whether they exist, whether the operator fits the key's type, and whether a value can ever match.
//!
//! Key types come from `data/condition-keys.txt`, names from the catalogue too. A key of an identity provider is any text.

use core::net::IpAddr;
use std::collections::BTreeMap;

use iam_model::catalog::Catalog;
use iam_model::condition::{Comparison, Condition, Operator, SetQualifier};
use iam_model::diagnostic::Code;
use iam_model::policy::{ActionElement, Effect, PolicyVersion, Statement};
use iam_model::text::Spanned;
use iam_model::time::Timestamp;

use super::actions::{matched, placeholder};
use super::report::Report;
use super::similar::nearest;

const TABLE: &str = include_str!("../../data/condition-keys.txt");

/// The type of a key's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyType {
    Text,
    Arn,
    Bool,
    Numeric,
    Date,
    Ip,
}

/// What is known about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeyFacts {
    kind: Option<KeyType>,
    /// Whether a request carries several values.
    many: bool,
    /// Whether requests for other services' actions carry it too.
    anywhere: bool,
}

/// Every key that is known, by its name in lower case; names that end in `/` or `:` stand for all that start so.
#[derive(Debug)]
pub struct KeyTypes {
    exact: BTreeMap<String, (KeyFacts, String)>,
    open: BTreeMap<String, KeyFacts>,
}

impl KeyTypes {
    /// The keys of the table and of a catalogue.
    pub(super) fn new(catalog: &Catalog) -> Self {
        let mut types = Self { exact: BTreeMap::new(), open: BTreeMap::new() };
        let untyped = KeyFacts { kind: None, many: false, anywhere: false };
        for facts in catalog.actions() {
            facts.condition_keys().for_each(|key| types.add(key, untyped));
            for resource in facts.resource_types() {
                resource.condition_keys().for_each(|key| types.add(key, untyped));
            }
        }
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let (Some(key), kind) = (words.next(), words.next()) else { continue };
            let kind = match kind {
                Some("bool") => KeyType::Bool,
                Some("numeric") => KeyType::Numeric,
                Some("date") => KeyType::Date,
                Some("ip") => KeyType::Ip,
                Some("arn") => KeyType::Arn,
                _ => KeyType::Text,
            };
            let (many, anywhere) = match words.next() {
                Some("many") => (true, false),
                Some("anywhere") => (false, true),
                _ => (false, false),
            };
            types.add(key, KeyFacts { kind: Some(kind), many, anywhere });
        }
        types
    }

    fn add(&mut self, key: &str, facts: KeyFacts) {
        let lower = key.to_ascii_lowercase();
        let fixed = fixed_part(&lower).map(str::to_owned);
        match fixed {
            Some(prefix) => drop(self.open.insert(prefix, facts)),
            None if lower.ends_with(['/', ':']) => drop(self.open.insert(lower, facts)),
            None => drop(self.exact.insert(lower, (facts, key.to_owned()))),
        }
    }

    fn find(&self, key: &str) -> Option<KeyFacts> {
        let lower = key.to_ascii_lowercase();
        if let Some((facts, _)) = self.exact.get(&lower) {
            return Some(*facts);
        }
        let ends = lower.match_indices(['/', ':']).map(|(at, _)| at + 1);
        ends.filter_map(|end| self.open.get(lower.get(..end)?)).next().copied()
    }

    /// Keys of the same prefix, as they are written.
    fn beside<'k>(&'k self, prefix: &'k str) -> impl Iterator<Item = &'k str> {
        self.exact
            .values()
            .map(|(_, key)| key.as_str())
            .filter(move |key| key.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(prefix)))
    }
}

/// What stands before the part of a key that the user chooses, such as a tag's name; nothing where there is none.
fn fixed_part(key: &str) -> Option<&str> {
    if let Some(at) = key.find(['$', '<']) {
        return key.get(..at);
    }
    let (head, tail) = key.rsplit_once('/')?;
    // The reference spells the placeholder in several ways.
    let chosen = ["tag-key", "tagkey", "key", "key-name", "tag_key"].contains(&tail.to_ascii_lowercase().as_str());
    chosen.then(|| key.get(..=head.len())).flatten()
}

pub(super) fn check(
    statement: &Statement,
    version: PolicyVersion,
    keys: &KeyTypes,
    catalog: &Catalog,
    report: &mut Report<'_>,
) {
    if version == PolicyVersion::V2012 {
        variables(statement, keys, report);
    }
    for condition in &statement.conditions {
        let Operator::Known { set, comparison, .. } = &condition.operator else { continue };
        let key = condition.key.as_str();
        let facts = if placeholder(key) { None } else { keys.find(key) };
        if facts.is_none() {
            unknown(condition, keys, catalog, report);
        }
        // A tag's value may be anything, an ARN too.
        if let Some(kind) = facts.and_then(|facts| facts.kind).filter(|_| !key.contains('/')) {
            operator(condition, *comparison, kind, report);
        }
        quantifier(statement, condition, *set, facts, report);
        private_addresses(condition, *comparison, report);
        for value in &condition.values {
            one_value(condition, *comparison, value, report);
        }
        if facts.is_some_and(|facts| !facts.anywhere) {
            supported(statement, condition, catalog, report);
        }
    }
}

fn unknown(condition: &Condition, keys: &KeyTypes, catalog: &Catalog, report: &mut Report<'_>) {
    let key = condition.key.as_str();
    let Some((prefix, _)) = key.split_once(':') else {
        if placeholder(key) {
            return;
        }
        let message = format!("`{key}` is no condition key");
        return report.error(
            Code::UnknownKey,
            condition.span,
            message,
            "keys are written `service:Name`, or `aws:Name`",
        );
    };
    // Keys of web identity and SAML providers are named by the provider.
    let provider = prefix.contains(['.', '/']) || prefix.eq_ignore_ascii_case("saml");
    if provider || placeholder(key) {
        return;
    }
    let known = prefix.eq_ignore_ascii_case("aws") || keys.beside(prefix).next().is_some();
    let is_service = catalog.service_actions(prefix).next().is_some();
    let hint = match nearest(key, keys.beside(prefix)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known || is_service => "a condition on a key that no request carries never holds, or always".into(),
        None => match nearest(prefix, catalog.services().chain(["aws"])) {
            Some(near) => format!("did you mean the prefix `{near}`?"),
            None => "correct it, or remove the condition".into(),
        },
    };
    let message = format!("no service of AWS publishes the condition key `{key}` (as of {})", catalog.date());
    report.warning(Code::UnknownKey, condition.span, message, hint);
}

fn operator(condition: &Condition, comparison: Comparison, kind: KeyType, report: &mut Report<'_>) {
    use Comparison as C;
    let (fits, wanted) = match comparison {
        C::Null | C::BinaryEquals => return,
        C::Bool => (kind == KeyType::Bool, "Bool"),
        C::NumericEquals
        | C::NumericNotEquals
        | C::NumericLessThan
        | C::NumericLessThanEquals
        | C::NumericGreaterThan
        | C::NumericGreaterThanEquals => (
            kind == KeyType::Numeric || condition.key.as_str().eq_ignore_ascii_case("aws:EpochTime"),
            "a Numeric operator",
        ),
        C::DateEquals
        | C::DateNotEquals
        | C::DateLessThan
        | C::DateLessThanEquals
        | C::DateGreaterThan
        | C::DateGreaterThanEquals => (kind == KeyType::Date, "a Date operator"),
        C::IpAddress | C::NotIpAddress => (kind == KeyType::Ip, "IpAddress"),
        C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => (kind == KeyType::Arn, "an Arn operator"),
        C::StringEquals
        | C::StringNotEquals
        | C::StringEqualsIgnoreCase
        | C::StringNotEqualsIgnoreCase
        | C::StringLike
        | C::StringNotLike => (matches!(kind, KeyType::Text | KeyType::Arn), "a String operator"),
    };
    if fits {
        return;
    }
    let right = match kind {
        KeyType::Text => "StringEquals or StringLike",
        KeyType::Arn => "ArnEquals or ArnLike",
        KeyType::Bool => "Bool",
        KeyType::Numeric => "NumericEquals and the like",
        KeyType::Date => "DateLessThan and the like",
        KeyType::Ip => "IpAddress or NotIpAddress",
    };
    let message = format!("{wanted} does not fit the type of `{}`", condition.key);
    report.warning(Code::OperatorTypeMismatch, condition.span, message, format!("use {right}"));
}

fn quantifier(
    statement: &Statement,
    condition: &Condition,
    set: Option<SetQualifier>,
    facts: Option<KeyFacts>,
    report: &mut Report<'_>,
) {
    // Of the global keys it is known which ones have several values.
    let global = condition.key.as_str().get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    let single = global && facts.is_some_and(|facts| facts.kind.is_some() && !facts.many);
    if single && set == Some(SetQualifier::ForAllValues) && statement.effect == Effect::Allow {
        let message = format!("`{}` has one value, and ForAllValues also holds where the key is absent", condition.key);
        report.warning(Code::SetOperatorUnfit, condition.span, message, "write the operator without `ForAllValues:`");
    }
    let many = facts.is_some_and(|facts| facts.many);
    let is_null = matches!(condition.operator, Operator::Known { comparison: Comparison::Null, .. });
    if many && set.is_none() && !is_null {
        let message = format!("`{}` has several values, and the operator compares with one", condition.key);
        let hint = "write `ForAnyValue:` or `ForAllValues:` before the operator";
        report.warning(Code::SetOperatorMissing, condition.span, message, hint);
    }
}

/// Values that no request can have.
fn one_value(condition: &Condition, comparison: Comparison, value: &Spanned<String>, report: &mut Report<'_>) {
    use Comparison as C;
    let text = value.value.as_str();
    if placeholder(text) {
        return;
    }
    let (valid, hint) = match comparison {
        C::Bool | C::Null => {
            (text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"), "write `true` or `false`")
        }
        C::NumericEquals
        | C::NumericNotEquals
        | C::NumericLessThan
        | C::NumericLessThanEquals
        | C::NumericGreaterThan
        | C::NumericGreaterThanEquals => (text.trim().parse::<f64>().is_ok(), "write a number"),
        C::DateEquals
        | C::DateNotEquals
        | C::DateLessThan
        | C::DateLessThanEquals
        | C::DateGreaterThan
        | C::DateGreaterThanEquals => (is_date(text), "write a date such as 2026-11-22T08:00:00Z"),
        C::IpAddress | C::NotIpAddress => (is_block(text), "write an address or a block such as 192.0.2.0/24"),
        C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => {
            (text == "*" || text.split(':').count() >= 6 || text.ends_with('*'), "write an ARN of six parts")
        }
        C::StringEquals | C::StringNotEquals | C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => {
            if text.contains('*') {
                let message = format!("`*` in `{text}` is taken literally by {}", condition.operator);
                let hint = "use StringLike or StringNotLike for a wildcard";
                report.warning(Code::OperatorWildcardLiteral, value.span, message, hint);
            }
            return;
        }
        C::StringLike | C::StringNotLike | C::BinaryEquals => return,
    };
    if !valid {
        let message = format!("no request matches `{text}` under {}", condition.operator);
        report.error(Code::InvalidValue, value.span, message, hint);
    }
}

/// `aws:SourceIp` is the public address of who asks: a private one is never seen.
fn private_addresses(condition: &Condition, comparison: Comparison, report: &mut Report<'_>) {
    let source = condition.key.as_str().eq_ignore_ascii_case("aws:SourceIp");
    let private = |text: &str| {
        let address = text.split('/').next().and_then(|address| address.parse::<IpAddr>().ok());
        matches!(address, Some(IpAddr::V4(address)) if address.is_private())
    };
    let all = condition.values.iter().all(|value| is_block(&value.value) && private(&value.value));
    if let (true, true, Comparison::IpAddress, Some(first)) = (source, all, comparison, condition.values.first()) {
        let message = format!("`{}` is private: `aws:SourceIp` is the public address of a caller", first.value);
        let hint = "for calls through a VPC endpoint, write a condition on `aws:VpcSourceIp`, `aws:SourceVpc` or `aws:SourceVpce`";
        report.warning(Code::InvalidValue, first.span, message, hint);
    }
}

/// Variables named by a global key that there is not: the text then matches nothing, or the default alone.
fn variables(statement: &Statement, keys: &KeyTypes, report: &mut Report<'_>) {
    let resources = statement.resource.patterns().iter().map(|p| (p.value.as_str(), p.span));
    let values = statement.conditions.iter().flat_map(|c| &c.values).map(|v| (v.value.as_str(), v.span));
    for (text, span) in resources.chain(values) {
        for name in text.split("${").skip(1).filter_map(|rest| rest.split(['}', ',']).next()) {
            if name.starts_with("aws:") && keys.find(name).is_none() {
                let message = format!("no service of AWS publishes the key of the variable `${{{name}}}`");
                let hint = match nearest(name, keys.beside("aws")) {
                    Some(near) => format!("did you mean `${{{near}}}`?"),
                    None => "correct it, or give a default: `${key, 'text'}`".into(),
                };
                report.warning(Code::UnknownKey, span, message, hint);
            }
        }
    }
}

fn is_date(text: &str) -> bool {
    let day = text.len() == 10 && Timestamp::parse(&format!("{text}T00:00:00Z")).is_some();
    let year = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    let short = text.len() == 7 && Timestamp::parse(&format!("{text}-01T00:00:00Z")).is_some();
    let epoch = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let zoned = text.len() > 19 && Timestamp::parse(&format!("{}Z", text.get(..19).unwrap_or_default())).is_some();
    day || year
        || short
        || epoch
        || zoned
        || Timestamp::parse(text).is_some()
        || Timestamp::parse(&format!("{text}Z")).is_some()
}

fn is_block(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    match (address.parse::<IpAddr>(), length.parse::<u8>()) {
        (Ok(IpAddr::V4(_)), Ok(length)) => length <= 32,
        (Ok(IpAddr::V6(_)), Ok(length)) => length <= 128,
        _ => false,
    }
}

/// A service's own key that none of the statement's actions carries: the condition decides nothing, or everything.
fn supported(statement: &Statement, condition: &Condition, catalog: &Catalog, report: &mut Report<'_>) {
    let key = condition.key.as_str().to_ascii_lowercase();
    let Operator::Known { comparison, if_exists, .. } = &condition.operator else { return };
    let (Some((prefix, _)), ActionElement::Action(patterns)) = (key.split_once(':'), &statement.action) else { return };
    let own_service = catalog.service_actions(prefix).next().is_some();
    if !own_service || *if_exists || *comparison == Comparison::Null {
        return;
    }
    let speaks =
        |pattern: &str| pattern.split_once(':').is_some_and(|(service, _)| service.eq_ignore_ascii_case(prefix));
    let mut any = false;
    for pattern in patterns {
        let text = pattern.value.as_str();
        if !speaks(text) {
            return;
        }
        for facts in matched(text, catalog) {
            any = true;
            let mut carried =
                facts.condition_keys().chain(facts.resource_types().flat_map(|r| r.condition_keys())).peekable();
            // Where the reference lists no key at all for an action, it says nothing.
            if carried.peek().is_none() || carried.any(|carried| is_key(carried, &key)) {
                return;
            }
        }
    }
    if any {
        let message = format!("no action of this statement carries the key `{}`", condition.key);
        let hint = "remove the condition, or the actions it was not written for";
        report.warning(Code::KeyNotSupported, condition.span, message, hint);
    }
}

/// Whether a key of the reference, with or without a part that the user chooses, is this one.
fn is_key(carried: &str, key: &str) -> bool {
    let lower = carried.to_ascii_lowercase();
    lower == key || fixed_part(&lower).is_some_and(|fixed| key.starts_with(fixed))
}
