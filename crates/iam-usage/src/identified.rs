//! Resources told by more general means than the catalogue's templates: by the form of an id (`subnet-0a1b…`), by the
//! type a request names beside an id, and, where a request names nothing, by what AWS then checks: any of the kind.
//!
//! The last gives patterns (`arn:aws:ec2:eu-west-1:111122223333:vpc/*`), which hold whatever was checked.

use std::collections::BTreeSet;

use iam_model::catalog::{AccessLevel, ActionFacts, ArnPart};

use crate::json::Raw;
use crate::plan::{Pair, Pattern};
use crate::template::{Call, decoded, escape, is_usable};

/// Values of a request that are looked at.
const MOST_STEPS: usize = 4096;

/// What the ids of EC2 and its neighbours start with, and the resource type they are of.
const ID_KINDS: &[(&str, &str)] = &[
    ("acl", "network-acl"),
    ("aki", "image"),
    ("ami", "image"),
    ("ari", "image"),
    ("cagw", "carrier-gateway"),
    ("cgw", "customer-gateway"),
    ("cr", "capacity-reservation"),
    ("cvpn-endpoint", "client-vpn-endpoint"),
    ("dopt", "dhcp-options"),
    ("eice", "instance-connect-endpoint"),
    ("eigw", "egress-only-internet-gateway"),
    ("eipalloc", "elastic-ip"),
    ("eni", "network-interface"),
    ("fl", "vpc-flow-log"),
    ("fleet", "fleet"),
    ("fs", "file-system"),
    ("fsap", "access-point"),
    ("h", "dedicated-host"),
    ("i", "instance"),
    ("igw", "internet-gateway"),
    ("ipam", "ipam"),
    ("ipam-pool", "ipam-pool"),
    ("key", "key-pair"),
    ("lgw", "local-gateway"),
    ("lgw-rtb", "local-gateway-route-table"),
    ("lt", "launch-template"),
    ("mi", "managed-instance"),
    ("nat", "natgateway"),
    ("pcx", "vpc-peering-connection"),
    ("pg", "placement-group"),
    ("pl", "prefix-list"),
    ("rtb", "route-table"),
    ("sfr", "spot-fleet-request"),
    ("sg", "security-group"),
    ("sgr", "security-group-rule"),
    ("sir", "spot-instances-request"),
    ("snap", "snapshot"),
    ("subnet", "subnet"),
    ("tgw", "transit-gateway"),
    ("tgw-attach", "transit-gateway-attachment"),
    ("tgw-rtb", "transit-gateway-route-table"),
    ("vgw", "vpn-gateway"),
    ("vol", "volume"),
    ("vpc", "vpc"),
    ("vpce", "vpc-endpoint"),
    ("vpce-svc", "vpc-endpoint-service"),
    ("vpn", "vpn-connection"),
];

/// Members that stand for parameters kept elsewhere: what they name is not in the request.
const ELSEWHERE: &[&str] = &["launchTemplate", "launchTemplateConfigs", "launchTemplateSpecification"];

/// Resources whose ids the request holds, anywhere; only of the action's own types.
pub(crate) fn by_id(pair: &Pair<'_>, call: &Call<'_>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    if !pair.has_ids || ELSEWHERE.iter().any(|name| call.request.get(name).is_some_and(|value| !value.is_empty())) {
        return out;
    }
    let mut open = vec![call.request];
    let mut steps = 0;
    while let Some(value) = open.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            return BTreeSet::new();
        }
        if let Some(text) = value.text() {
            let of_kind = |kind: &'static str| pair.patterns.iter().filter(move |pattern| pattern.kind == kind);
            let patterns = kind_of_id(&text).into_iter().flat_map(of_kind);
            out.extend(patterns.filter_map(|pattern| one_of(pattern, call, &text)));
        }
        open.extend(value.items());
        open.extend(value.members().map(|(_, member)| member));
    }
    out
}

/// Whether any resource type of an action has such ids.
pub(crate) fn has_ids(patterns: &[Pattern<'_>]) -> bool {
    patterns.iter().any(|pattern| ID_KINDS.iter().any(|(_, kind)| *kind == pattern.kind))
}

/// The resource type an id is of: letters, a dash, 8 or 17 hexadecimal digits.
fn kind_of_id(text: &str) -> Option<&'static str> {
    let (prefix, digits) = text.rsplit_once('-')?;
    let is_id = matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let at = ID_KINDS.binary_search_by(|(known, _)| (*known).cmp(prefix)).ok().filter(|_| is_id)?;
    ID_KINDS.get(at).map(|(_, kind)| *kind)
}

/// The resource that `resourceType` and `resourceId` name together.
pub(crate) fn by_type(pair: &Pair<'_>, call: &Call<'_>) -> Option<String> {
    let text = |name: &str| call.request.get(name).and_then(Raw::text);
    let (kind, id) = (plain(&text("resourceType")?), text("resourceId")?);
    let fits = |pattern: &&Pattern<'_>| plain(pattern.kind) == kind;
    let starts = |pattern: &&Pattern<'_>| !kind.is_empty() && plain(pattern.kind).starts_with(&kind);
    let pattern = pair.patterns.iter().find(fits).or_else(|| pair.patterns.iter().find(starts))?;
    one_of(pattern, call, id.strip_prefix('/').unwrap_or(&id))
}

/// Resources of a call the catalogue has no templates for: ARNs of the action's types anywhere in the request, else forms
/// whose variables are parameters of the same name.
pub(crate) fn by_name(pair: &Pair<'_>, call: &Call<'_>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    if !pair.templates.is_empty() {
        return out;
    }
    let mut open = vec![call.request];
    let mut steps = 0;
    while let Some(value) = open.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            return BTreeSet::new();
        }
        let arn = value.text().map(decoded).filter(|text| text.starts_with("arn:"));
        out.extend(arn.filter(|arn| pair.patterns.iter().any(|p| p.matcher.matches(arn))).map(|arn| escape(&arn)));
        open.extend(value.items());
        open.extend(value.members().map(|(_, member)| member));
    }
    if out.is_empty() {
        out.extend(pair.patterns.iter().filter_map(|pattern| of_parameters(pattern, call)));
    }
    out
}

/// An ARN whose variables are all parameters of the same name.
fn of_parameters(pattern: &Pattern<'_>, call: &Call<'_>) -> Option<String> {
    let parameter = |name: &str| {
        let mut members = call.request.members();
        let (_, value) = members.find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
        value.scalar().filter(|text| is_usable(text) && !text.starts_with("arn:")).map(|text| escape(&text))
    };
    let mut own = 0;
    let mut out = String::new();
    for part in pattern.matcher.pattern().parts() {
        match part {
            ArnPart::Literal(text) => out.push_str(text),
            ArnPart::Variable("Partition") => out.push_str(call.partition),
            ArnPart::Variable("Region") => out.push_str(call.region),
            ArnPart::Variable("Account") => out.push_str(call.account),
            ArnPart::Variable(name) => {
                own += 1;
                out.push_str(&parameter(name)?);
            }
        }
    }
    (own > 0).then_some(out)
}

/// A name without regard to case and punctuation.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// How a call that names no resource is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// On any of the kind: it lists or describes.
    Any,
    /// On the kind it makes, whose name does not exist yet.
    Made,
    /// Nobody knows.
    Unknown,
}

/// Verbs of calls that make something.
const MAKING: &[&str] = &["Create", "Allocate", "Copy", "Import", "Purchase", "Register", "Request", "Run"];

/// Verbs of calls that only look.
const LOOKING: &[&str] = &["BatchGet", "Describe", "Get", "List", "Lookup", "Search"];

/// Tells how calls of an action are checked that name no resource.
pub(crate) fn unnamed(facts: ActionFacts<'_>) -> Unnamed {
    let starts = |verbs: &[&str]| verbs.iter().any(|verb| facts.name().starts_with(verb));
    match facts.level() {
        AccessLevel::List => Unnamed::Any,
        AccessLevel::Read if starts(LOOKING) => Unnamed::Any,
        AccessLevel::Write | AccessLevel::Tagging | AccessLevel::PermissionsManagement if starts(MAKING) => {
            Unnamed::Made
        }
        _ => Unnamed::Unknown,
    }
}

/// What a call that names no resource is checked on; nothing where that is not known.
pub(crate) fn any_of_kind(pair: &Pair<'_>, call: &Call<'_>) -> BTreeSet<String> {
    if pair.unnamed != Unnamed::Any || !names_nothing(call) {
        return BTreeSet::new();
    }
    pair.patterns.iter().filter_map(|pattern| one_of(pattern, call, "*")).collect()
}

/// The one ARN of a pattern without variables of its own.
pub(crate) fn any_of_pattern(pattern: &Pattern<'_>, call: &Call<'_>) -> Option<String> {
    one_of(pattern, call, "*")
}

/// The kind of thing a call makes, as a pattern, unless `found` has it; nothing where the call makes nothing of a kind of
/// its own.
pub(crate) fn made(pair: &Pair<'_>, call: &Call<'_>, found: &BTreeSet<String>) -> Option<String> {
    if pair.unnamed != Unnamed::Made {
        return None;
    }
    let name = pair.action.name();
    let noun = MAKING.iter().find_map(|verb| name.strip_prefix(verb))?;
    let noun = if noun == "Address" { "elasticip".to_owned() } else { plain(noun) };
    let pattern = pair.patterns.iter().find(|pattern| plain(pattern.kind) == noun)?;
    // The caller may have named it.
    let is_named = found.iter().any(|arn| pattern.matcher.matches(arn));
    if is_named { None } else { one_of(pattern, call, "*") }
}

/// The member that says what else a request may name, for requests of which the needed members alone are kept.
const NAMED: &str = "~named";

/// Writes [`NAMED`] of a request, unless it is empty: accounts that stand in it, and a mark for ARNs and for what was left
/// out of the record.
pub(crate) fn write_named(request: Raw<'_>, key: &mut Vec<u8>) {
    let accounts = named(request);
    if accounts.is_empty() {
        return;
    }
    key.extend_from_slice(b"\"~named\":[");
    for account in accounts {
        key.push(b'"');
        key.extend_from_slice(account);
        key.extend_from_slice(b"\",");
    }
    key.extend_from_slice(b"\"\"],");
}

/// What a request may name elsewhere: accounts, ARNs, what was left out. An endpoint's host names nothing.
fn named(request: Raw<'_>) -> BTreeSet<&[u8]> {
    let mut found = BTreeSet::new();
    for (name, value) in request.members().filter(|(name, _)| *name != b"Host") {
        let holds = |what: &[u8]| memchr::memmem::find(value.0, what).is_some();
        let digits = value.0.split(|byte| !byte.is_ascii_digit()).filter(|digits| digits.len() == 12);
        found.extend(digits.take(MOST_STEPS));
        if name == b"omitted" || holds(b"arn:") || holds(b"arn%3") {
            found.insert(&b"more"[..]);
        }
    }
    found
}

/// Whether a request names nothing elsewhere: nothing but the caller's own account.
fn names_nothing(call: &Call<'_>) -> bool {
    match call.request.get(NAMED) {
        Some(named) => named.items().filter_map(Raw::text).all(|text| text.is_empty() || text == call.account),
        None => named(call.request).iter().all(|found| *found == call.account.as_bytes()),
    }
}

/// An ARN of a pattern: the call's own partition, region and account, and `value` for its variable. With several
/// variables only a star can stand for all of them.
fn one_of(pattern: &Pattern<'_>, call: &Call<'_>, value: &str) -> Option<String> {
    let value = if value == "*" { value.to_owned() } else { escape(value) };
    let mut own = 0;
    let mut out = String::new();
    for part in pattern.matcher.pattern().parts() {
        out.push_str(match part {
            ArnPart::Literal(text) => text,
            ArnPart::Variable("Partition") => call.partition,
            ArnPart::Variable("Region") => call.region,
            ArnPart::Variable("Account") => call.account,
            ArnPart::Variable(_) => {
                own += 1;
                &value
            }
        });
    }
    (own == 1 || value == "*").then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_by_their_form() {
        assert!(ID_KINDS.is_sorted_by_key(|(prefix, _)| *prefix));
        for (text, expected) in [
            ("i-0123456789abcdef0", Some("instance")),
            ("subnet-12345678", Some("subnet")),
            ("tgw-attach-0123456789abcdef0", Some("transit-gateway-attachment")),
            ("sg-default", None),
            ("subnet-123456789", None),
            ("my-app-deadbeef", None),
            ("", None),
        ] {
            assert_eq!(kind_of_id(text), expected, "{text}");
        }
    }
}
