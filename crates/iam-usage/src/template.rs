//! Finds values in request parameters by the catalogue's templates.
//!
//! Parameters are spelt as CloudTrail spells them: the SDK's names with a small first letter, mostly; a name that is not
//! there is tried with its first letter the other way. Which ARN the values make is for [`crate::resource`].

use std::borrow::Cow;

use crate::json::Raw;

/// Values one text may give; a request that names more is not told apart.
const MOST_VALUES: usize = 64;

/// Bytes a value may have to be part of an ARN.
const LONGEST_VALUE: usize = 2048;

/// What CloudTrail writes in place of secrets.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// A text of the catalogue, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Text<'c> {
    parts: Vec<Part<'c>>,
}

#[derive(Debug, Clone)]
enum Part<'c> {
    Literal(&'c str),
    Call(CallPart),
    Parameter(Path<'c>, Filter),
}

#[derive(Debug, Clone, Copy)]
enum CallPart {
    Partition,
    Region,
    Account,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    None,
    /// Only an ARN.
    Arn,
    /// The last segment of an ARN or URL.
    Last,
    /// Without a leading slash.
    NoSlash,
    /// Only a key's id, not its alias.
    NoAlias,
    /// Without `alias/`.
    StripAlias,
    /// Bucket and key of a copy source.
    CopySource,
}

/// Facts of the call that templates may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'e> {
    pub(crate) request: Raw<'e>,
    pub(crate) partition: &'e str,
    pub(crate) region: &'e str,
    pub(crate) account: &'e str,
}

impl<'c> Text<'c> {
    /// Takes a text apart; `%many%a|b` gives several. A text this version does not understand gives none.
    pub(crate) fn compile(text: &'c str) -> Vec<Self> {
        let (whole, text) = text.strip_prefix('=').map_or((false, text), |rest| (true, rest));
        // The one computed value that occurs is a star.
        let text = if text == "%%regex%%/.*/g%%" { "*" } else { text };
        if text.contains("%%") || text == "*" && whole {
            return Vec::new();
        }
        let texts = text.strip_prefix("%many%").map_or_else(|| vec![text], |rest| rest.split('|').collect());
        texts.into_iter().filter_map(|text| parts(text).map(|parts| Self { parts })).collect()
    }

    /// Whether it gives the same for every call.
    pub(crate) fn is_star(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Literal("*")])
    }

    /// Whether it reads what a copy is made from.
    pub(crate) fn is_copy_source(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Parameter(_, Filter::CopySource)))
    }

    /// The name of the one parameter that it is.
    pub(crate) fn parameter(&self) -> Option<&'c str> {
        match self.parts.as_slice() {
            [Part::Parameter(path, _)] => path.0.last().map(|step| step.name),
            _ => None,
        }
    }

    /// Whether a parameter that it reads only narrows what a call looks for: the start of names, a filter.
    pub(crate) fn is_filter(&self) -> bool {
        let narrows = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.ends_with("prefix") || name.trim_end_matches('s').ends_with("filter")
        };
        self.paths().any(|path| path.0.iter().any(|step| narrows(step.name)))
    }

    /// Whether it reads a parameter that is named after a role.
    pub(crate) fn names_role(&self) -> bool {
        self.paths().any(|path| path.0.iter().any(|step| step.name.to_ascii_lowercase().contains("role")))
    }

    /// The ways its parameters take through the request.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path<'c>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Parameter(path, _) => Some(path),
            Part::Literal(_) | Part::Call(_) => None,
        })
    }

    /// What it gives for a call; nothing where a parameter is missing. Wildcards in values are escaped, as policies
    /// escape them; wildcards of the text itself stay.
    pub(crate) fn values(&self, call: &Call<'_>) -> Vec<String> {
        if let [Part::Parameter(path, filter)] = self.parts.as_slice() {
            let values = path.values(call.request);
            return values.iter().filter_map(|value| filter.apply(value)).map(|value| escape(&value)).collect();
        }
        let mut out = vec![String::new()];
        for part in &self.parts {
            let found: Vec<Cow<'_, str>> = match part {
                Part::Literal(text) => vec![Cow::Borrowed(*text)],
                Part::Call(CallPart::Partition) => vec![Cow::Borrowed(call.partition)],
                Part::Call(CallPart::Region) => vec![Cow::Borrowed(call.region)],
                Part::Call(CallPart::Account) => vec![Cow::Borrowed(call.account)],
                Part::Parameter(path, filter) => {
                    let values = path.values(call.request);
                    values.iter().filter_map(|value| filter.apply(value)).map(|v| Cow::Owned(escape(&v))).collect()
                }
            };
            out = product(&out, &found);
        }
        out
    }

    /// The same, of parameters that hold no ARN: names, which the call's own account and region make ARNs of.
    pub(crate) fn names(&self, call: &Call<'_>) -> Vec<String> {
        let [Part::Parameter(path, filter)] = self.parts.as_slice() else {
            return if self.arns(call).is_empty() { self.values(call) } else { Vec::new() };
        };
        let values = path.values(call.request);
        let names = values.iter().filter(|value| !value.starts_with("arn:"));
        names.filter_map(|value| filter.apply(value)).map(|value| escape(&value)).collect()
    }

    /// Values of its parameters as they stand in the request, ARNs only.
    pub(crate) fn arns(&self, call: &Call<'_>) -> Vec<String> {
        let mut out = Vec::new();
        for part in &self.parts {
            let Part::Parameter(path, filter) = part else { continue };
            if matches!(filter, Filter::CopySource) {
                continue;
            }
            out.extend(
                path.values(call.request).into_iter().filter(|value| value.starts_with("arn:")).map(|v| escape(&v)),
            );
        }
        out
    }
}

fn product(left: &[String], right: &[Cow<'_, str>]) -> Vec<String> {
    if left.len() * right.len() > MOST_VALUES {
        return Vec::new();
    }
    left.iter().flat_map(|head| right.iter().map(move |tail| format!("{head}{tail}"))).collect()
}

/// Writes the wildcards of a concrete value as policies write them.
pub(crate) fn escape(value: &str) -> String {
    if memchr::memchr3(b'*', b'?', b'$', value.as_bytes()).is_none() {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len() + 8);
    for c in value.chars() {
        match c {
            '*' => out.push_str("${*}"),
            '?' => out.push_str("${?}"),
            '$' => out.push_str("${$}"),
            c => out.push(c),
        }
    }
    out
}

fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut filter = Filter::None;
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("${") {
            let (name, after) =
                inner.split_once('}').filter(|(name, _)| !name.ends_with('{')).or_else(|| keys_path(inner))?;
            parts.push(match name {
                "partition" => Part::Call(CallPart::Partition),
                "region" => Part::Call(CallPart::Region),
                "account" => Part::Call(CallPart::Account),
                path => Part::Parameter(Path::compile(path), filter),
            });
            filter = Filter::None;
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('%') {
            let (name, after) = inner.split_once('%')?;
            filter = Filter::parse(name)?;
            rest = after;
        } else {
            let end = rest.find(['$', '%']).filter(|at| *at > 0).unwrap_or(rest.len());
            let (literal, after) = rest.split_at_checked(end)?;
            parts.push(Part::Literal(literal));
            rest = after;
        }
    }
    Some(parts)
}

/// `requestItems{}}…`: the path that stands for the keys of an object holds a brace of its own.
fn keys_path(inner: &str) -> Option<(&str, &str)> {
    let at = inner.find("{}}")?;
    let (name, rest) = inner.split_at_checked(at + 2)?;
    Some((name, rest.strip_prefix('}')?))
}

impl Filter {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "arn" => Self::Arn,
            "last" => Self::Last,
            "strip/" => Self::NoSlash,
            "noalias" => Self::NoAlias,
            "stripalias" => Self::StripAlias,
            "copysource" => Self::CopySource,
            _ => return None,
        })
    }

    fn apply(self, value: &str) -> Option<Cow<'_, str>> {
        let is_arn = value.starts_with("arn:");
        match self {
            Self::Arn => is_arn.then_some(Cow::Borrowed(value)),
            Self::CopySource => copy_source(value).map(Cow::Owned),
            Self::Last => {
                let last = value.trim_end_matches('/').rsplit('/').next()?;
                let last = if is_arn { last.rsplit(':').next()? } else { last };
                Some(Cow::Borrowed(last))
            }
            Self::NoSlash => Some(Cow::Borrowed(value.strip_prefix('/').unwrap_or(value))),
            Self::NoAlias => {
                (!value.starts_with("alias/") && !value.contains(":alias/")).then_some(Cow::Borrowed(value))
            }
            Self::StripAlias => Some(Cow::Borrowed(value.strip_prefix("alias/").unwrap_or(value))),
            Self::None => Some(Cow::Borrowed(value)),
        }
    }
}

/// `/bucket/some%20key?versionId=x` -> `bucket/some key`.
fn copy_source(value: &str) -> Option<String> {
    let value = value.split("?versionId=").next()?.trim_start_matches('/');
    let (bucket, key) = value.split_once('/')?;
    Some(format!("{bucket}/{}", percent_decoded(key)))
}

fn percent_decoded(text: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let rest = bytes.clone();
        let mut digits = rest.take(2).filter_map(|b| char::from(b).to_digit(16));
        match (byte, digits.next(), digits.next()) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                bytes.nth(1);
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// A way through request parameters.
#[derive(Debug, Clone)]
pub(crate) struct Path<'c>(Vec<Step<'c>>);

#[derive(Debug, Clone)]
struct Step<'c> {
    name: &'c str,
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Value,
    Items,
    Keys,
}

impl<'c> Path<'c> {
    /// Takes `a.b[].c` or `a{}` apart.
    pub(crate) fn compile(path: &'c str) -> Self {
        let step = |part: &'c str| match (part.strip_suffix("[]"), part.strip_suffix("{}")) {
            (Some(name), _) => Step { name, then: Then::Items },
            (_, Some(name)) => Step { name, then: Then::Keys },
            _ => Step { name: part, then: Then::Value },
        };
        Self(path.split('.').map(step).collect())
    }

    /// Whether it leads to one value at the top.
    #[cfg(test)]
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.0.as_slice(), [Step { then: Then::Value, .. }])
    }

    /// The member of the request it starts from.
    pub(crate) fn root(&self) -> &'c str {
        self.0.first().map_or("", |step| step.name)
    }

    /// Whether it leads to the names of the members of a parameter, whatever their values.
    pub(crate) fn ends_in_keys(&self) -> bool {
        matches!(self.0.as_slice(), [Step { then: Then::Keys, .. }])
    }

    /// The texts it leads to.
    pub(crate) fn values<'e>(&self, request: Raw<'e>) -> Vec<Cow<'e, str>> {
        if let [Step { name, then: Then::Value }] = self.0.as_slice() {
            let found = get(request, name).or_else(|| wrapped(request, name));
            return found.and_then(Raw::scalar).filter(|text| is_usable(text)).map(decoded).into_iter().collect();
        }
        let mut at = vec![request];
        let mut texts = Vec::new();
        for (index, step) in self.0.iter().enumerate() {
            let mut next = Vec::new();
            for value in at {
                let found = get(value, step.name).or_else(|| if index == 0 { wrapped(value, step.name) } else { None });
                let Some(found) = found else { continue };
                match step.then {
                    Then::Value => next.push(found),
                    Then::Items => next.extend(found.items().take(MOST_VALUES + 1)),
                    Then::Keys => {
                        let keys = found.members().take(MOST_VALUES + 1);
                        texts.extend(keys.filter_map(|(key, _)| std::str::from_utf8(key).ok().map(Cow::Borrowed)));
                    }
                }
            }
            at = next;
        }
        texts.extend(at.into_iter().filter_map(Raw::scalar));
        texts.retain(|text| is_usable(text));
        texts.into_iter().map(decoded).collect()
    }

    /// Whether it leads to anything that is not empty.
    pub(crate) fn exists(&self, request: Raw<'_>) -> bool {
        if let [Step { name, then: Then::Value | Then::Keys }] = self.0.as_slice() {
            let found = get(request, name).or_else(|| wrapped(request, name));
            return found.is_some_and(|value| !value.is_empty());
        }
        let mut at = vec![request];
        for (index, step) in self.0.iter().enumerate() {
            let mut next = Vec::new();
            for value in at {
                let found = get(value, step.name).or_else(|| if index == 0 { wrapped(value, step.name) } else { None });
                match (found, step.then) {
                    (Some(found), Then::Items) => next.extend(found.items().take(MOST_VALUES)),
                    (Some(found), _) => next.push(found),
                    (None, _) => {}
                }
            }
            at = next;
        }
        at.iter().any(|value| !value.is_empty())
    }
}

/// Whether a value can be part of an ARN at all.
pub(crate) fn is_usable(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_VALUE && text != HIDDEN
}

/// An ARN as it is; some services' records hold it as it stands in a URL.
pub(crate) fn decoded(text: Cow<'_, str>) -> Cow<'_, str> {
    let in_url = text.starts_with("arn%3A") || text.starts_with("arn%3a");
    if in_url { Cow::Owned(percent_decoded(&text)) } else { text }
}

/// A member by name, or by the name with its first letter the other way.
fn get<'e>(value: Raw<'e>, name: &str) -> Option<Raw<'e>> {
    let (first, rest) = name.as_bytes().split_first()?;
    let mut other_case = None;
    for (key, member) in value.members() {
        if key == name.as_bytes() {
            return Some(member);
        }
        if key.split_first().is_some_and(|(head, tail)| head.eq_ignore_ascii_case(first) && tail == rest) {
            other_case = Some(member);
        }
    }
    other_case
}

/// EC2 wraps the parameters of some calls: `{"DescribeThingsRequest": {…}}`.
fn wrapped<'e>(request: Raw<'e>, name: &str) -> Option<Raw<'e>> {
    let mut members = request.members();
    let (key, inner) = members.next()?;
    let only = key.ends_with(b"Request") && members.next().is_none();
    if only { get(inner, name) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, request: &str, expected: &[&str]) {
        let call =
            Call { request: Raw(request.as_bytes()), partition: "aws", region: "eu-west-1", account: "111122223333" };
        let found: Vec<String> = Text::compile(text).iter().flat_map(|text| text.values(&call)).collect();
        assert_eq!(found, expected, "{text} on {request}");
    }

    #[test]
    fn parameters_are_found_by_path() {
        check("${tableName}", r#"{"tableName": "T"}"#, &["T"]);
        check("${a.b[].c}", r#"{"a": {"b": [{"c": "x"}, {"d": 1}, {"c": 2}]}}"#, &["x", "2"]);
        check("${requestItems{}}", r#"{"requestItems": {"T": [], "U": {}}}"#, &["T", "U"]);
        check("${resourceId}", r#"{"ResourceId": "x"}"#, &["x"]);
        check("${vpcId}", r#"{"DescribeVpcsRequest": {"VpcId": "v"}}"#, &["v"]);
        check("${name}", r#"{"name": "HIDDEN_DUE_TO_SECURITY_REASONS"}"#, &[]);
        check("${name}", "null", &[]);
    }

    #[test]
    fn markers_shape_values() {
        check(
            "%last%${queueUrl}",
            r#"{"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/jobs"}"#,
            &["jobs"],
        );
        check("%arn%${t}", r#"{"t": "T"}"#, &[]);
        check("%strip/%${names[]}", r#"{"names": ["/a/b", "c"]}"#, &["a/b", "c"]);
        check("%noalias%${keyId}", r#"{"keyId": "alias/x"}"#, &[]);
        check(
            "=arn:aws:s3:::%copysource%${x-amz-copy-source}",
            r#"{"x-amz-copy-source": "/b/k%20l?versionId=3"}"#,
            &["arn:aws:s3:::b/k l"],
        );
        check("%many%${a}|${b}", r#"{"a": "1", "b": "2"}"#, &["1", "2"]);
        check("%%regex%${a}%%", r#"{"a": "1"}"#, &[]);
        check(
            "=arn:${partition}:x:${region}:${account}:y/${id}",
            r#"{"id": "7"}"#,
            &["arn:aws:x:eu-west-1:111122223333:y/7"],
        );
    }

    #[test]
    fn wildcards_in_values_are_no_wildcards() {
        check("${secretId}-??????", r#"{"secretId": "a*b?c$d"}"#, &["a${*}b${?}c${$}d-??????"]);
    }
}
