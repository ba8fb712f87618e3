//! What one API event says was authorised: actions, resources, condition keys.
//!
//! The primary action always; a further one only when the request shows that it was checked. Whether the call was
//! denied, and whose it was, is told elsewhere.

use iam_model::action::Action;
use iam_model::condition::ConditionKey;

use crate::contexts::Fact;
use crate::event::Event;
use crate::identity::Caller;
use crate::json::Raw;
use crate::plan::{ENCRYPTION_CONTEXT, HOST, Pair, QUEUE_URL, Resolved, STATEMENTS, When, pick};
use crate::resource::{Resources, of_pair, passed_roles, passes_role};
use crate::template::{Call, Path};

/// One action of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorised {
    pub(crate) action: Action,
    pub(crate) resources: Resources,
    /// Condition keys the call proves, sorted: those with few values.
    pub(crate) context: Vec<Fact>,
    /// The same, of keys whose values may differ from call to call.
    pub(crate) varying: Vec<Fact>,
}

/// What became of an event's name.
pub(crate) enum Calls {
    /// The call was authorised against these.
    Authorised(Vec<Authorised>),
    /// The call needs no permission.
    Free,
    /// The catalogue does not explain the event.
    Unknown,
}

/// Tells what a call was authorised against.
pub(crate) fn of_event(resolved: &Resolved<'_>, event: &Event<'_>, caller: &Caller) -> Calls {
    let found = match resolved {
        Resolved::Operations(found) => found,
        Resolved::Free => return Calls::Free,
        Resolved::Unknown => return Calls::Unknown,
    };
    let request = event.request.unwrap_or(Raw(b"null"));
    let region = Event::text(event.region).unwrap_or_default();
    let account = Event::text(event.recipient).unwrap_or_else(|| caller.account().into());
    let call = Call {
        request,
        partition: caller.role.split(':').nth(1).unwrap_or("aws"),
        region: &region,
        account: owner(request).unwrap_or(&account),
    };
    let Some(plan) = pick(found, request) else { return Calls::Unknown };
    let read_only = event.read_only.is_some_and(Raw::is_true);
    let proved =
        Proved { via: via_service(caller, plan.service, &region), varying: varying(event, plan.service, request) };
    let mut shown: Vec<&Pair<'_>> = plan.pairs.iter().filter(|pair| is_shown(pair, &call)).collect();
    if shown.is_empty() {
        shown = undecided(&plan.pairs, read_only);
    }
    let out: Vec<Authorised> = shown.into_iter().map(|pair| authorised(pair, &call, event, &proved)).collect();
    if out.is_empty() { Calls::Unknown } else { Calls::Authorised(out) }
}

fn authorised(pair: &Pair<'_>, call: &Call<'_>, event: &Event<'_>, proved: &Proved) -> Authorised {
    let resources = match pair.when {
        When::PassesRole => passed_roles(pair, call),
        _ => of_pair(pair, call, event.resources),
    };
    let mut context: Vec<Fact> = proved.via.iter().chain(&pair.context).cloned().collect();
    context.sort();
    context.dedup();
    Authorised { action: pair.action.clone(), resources, context, varying: proved.varying.clone() }
}

fn is_shown(pair: &Pair<'_>, call: &Call<'_>) -> bool {
    match &pair.when {
        When::Always => true,
        When::HasAny(paths) => paths.iter().any(|path| path.exists(call.request)),
        When::TemplateResolves => {
            pair.templates.iter().any(|(_, texts)| texts.iter().any(|text| !text.values(call).is_empty()))
        }
        When::PassesRole => passes_role(pair, call),
        When::SqlVerb(verb) => statements(call.request).iter().any(|text| starts_with_verb(text, verb)),
    }
}

/// The request does not show which of its actions were checked (hidden or cut parameters): all that could have been.
fn undecided<'p, 'c>(pairs: &'p [Pair<'c>], read_only: bool) -> Vec<&'p Pair<'c>> {
    let possible = |pair: &&Pair<'_>| match &pair.when {
        When::TemplateResolves => true,
        When::SqlVerb(verb) => (*verb == "SELECT") == read_only,
        _ => false,
    };
    pairs.iter().filter(possible).collect()
}

fn statements(request: Raw<'_>) -> Vec<String> {
    STATEMENTS.iter().flat_map(|path| Path::compile(path).values(request)).map(|text| text.into_owned()).collect()
}

fn starts_with_verb(statement: &str, verb: &str) -> bool {
    statement.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(verb))
}

/// The account in a queue's URL, or in the endpoint of an account's own settings, which need not be the caller's.
fn owner<'a>(request: Raw<'a>) -> Option<&'a str> {
    let (mut queue, mut host) = (None, None);
    for (name, value) in request.members() {
        match name {
            _ if name == QUEUE_URL.as_bytes() => queue = queue.or(Some(value)),
            _ if name == HOST.as_bytes() => host = host.or(Some(value)),
            _ => {}
        }
    }
    let text = |value: Option<Raw<'a>>| Some(std::str::from_utf8(value?.0).ok()?.trim_matches('"'));
    let is_account = |part: &&str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
    let of_queue = text(queue).and_then(|url| url.rsplit('/').nth(1)).filter(is_account);
    of_queue.or_else(|| text(host)?.split_once(".s3-control").map(|(account, _)| account).filter(is_account))
}

/// Condition keys a call proves, whichever of its actions they are checked with.
struct Proved {
    via: Option<Fact>,
    varying: Vec<Fact>,
}

/// Through which service a key was used.
fn via_service(caller: &Caller, service: &str, region: &str) -> Option<Fact> {
    let label = caller.invoked_by.as_deref()?.strip_suffix(".amazonaws.com")?;
    let told = service == "kms" && !label.contains('.') && !region.is_empty();
    told.then(|| (ConditionKey::new("kms:ViaService"), format!("{label}.{region}.amazonaws.com")))
}

/// Condition keys the event proves, of those whose values differ from call to call; sorted.
fn varying(event: &Event<'_>, service: &str, request: Raw<'_>) -> Vec<Fact> {
    let mut out = Vec::new();
    if let Some(endpoint) = Event::text(event.vpc_endpoint).filter(|id| id.starts_with("vpce-")) {
        out.push((ConditionKey::new(SOURCE_VPCE), endpoint.into_owned()));
    }
    if let Some(context) = request.get(ENCRYPTION_CONTEXT).filter(|_| service == "kms") {
        out.extend(encryption_context(context).unwrap_or_default());
    }
    out.sort();
    out.dedup();
    out
}

/// The key of the endpoint a call came through.
const SOURCE_VPCE: &str = "aws:SourceVpce";

/// Whether values of this key may differ from call to call, so that facts of it are among the varying ones.
pub(crate) fn is_varying(key: &ConditionKey) -> bool {
    let name = key.as_str();
    let starts = |head: &str| name.get(..head.len()).is_some_and(|own| own.eq_ignore_ascii_case(head));
    name.eq_ignore_ascii_case(SOURCE_VPCE) || starts("kms:EncryptionContext")
}

/// Members an encryption context may have to be kept, and bytes of each.
const MOST_MEMBERS: usize = 16;
const LONGEST_FACT: usize = 1024;

/// Each member of an encryption context, and the names of all; nothing where any of it is not plain text, or
/// stands there twice.
fn encryption_context(context: Raw<'_>) -> Option<Vec<Fact>> {
    let mut out = Vec::new();
    for (count, (name, value)) in context.members().enumerate() {
        let name = Raw(&[b"\"", name, b"\""].concat()).text()?.into_owned();
        let value = value.text()?.into_owned();
        if count >= MOST_MEMBERS || name.len() + value.len() > LONGEST_FACT {
            return None;
        }
        let key = ConditionKey::new(&format!("kms:EncryptionContext:{name}"));
        if out.iter().any(|(known, _)| *known == key) {
            return None;
        }
        out.push((key, value));
        out.push((ConditionKey::new("kms:EncryptionContextKeys"), name));
    }
    Some(out)
}
