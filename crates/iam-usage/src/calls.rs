//! What one API event says was authorised: actions, resources, condition keys.
//!
//! The primary action always; a further one only when the request shows that it was checked. Whether the call was
//! denied, and whose it was, is told elsewhere.

use std::borrow::Cow;
use std::collections::BTreeSet;

use iam_model::action::Action;
use iam_model::arn::AccountId;
use iam_model::condition::ConditionKey;

use crate::certain::{OWNERS, on_copied};
use crate::contexts::Fact;
use crate::event::Event;
use crate::identity::Caller;
use crate::json::Raw;
use crate::outcome::is_absent;
use crate::partiql::{self, statements};
use crate::plan::{ENCRYPTION_CONTEXT, HOST, Pair, Plan, QUEUE_URL, Resolved, When, pick};
use crate::resource::{Resources, of_arns, of_pair, passed_roles, passes_role};
use crate::tagged::Tagged;
use crate::tags;
use crate::template::Call;
use crate::together::Together;

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
    let region = Event::text(event.region).unwrap_or_default();
    let account = Event::text(event.recipient).unwrap_or_else(|| caller.account().into());
    let call = call_of(event.request, caller, &region, &account);
    let Some(plan) = pick(found, call.request) else { return Calls::Unknown };
    let read_only = event.read_only.is_some_and(Raw::is_true);
    let proved = Proved::of(event, caller, plan, &call);
    let mut shown: Vec<&Pair<'_>> = plan.pairs.iter().filter(|pair| is_shown(pair, &call)).collect();
    if shown.is_empty() {
        shown = undecided(&plan.pairs, read_only);
    }
    let mut out: Vec<Authorised> = shown.into_iter().map(|pair| authorised(pair, &call, event, &proved)).collect();
    if is_absent(event) {
        out.extend(listed(&out));
    }
    if out.is_empty() { Calls::Unknown } else { Calls::Authorised(out) }
}

/// What S3 checks of a caller who asks for a key that is not there: whether the bucket may be listed.
fn listed(calls: &[Authorised]) -> Option<Authorised> {
    let asked = calls.iter().find(|call| call.action.as_str().starts_with("s3:GetObject"))?;
    let of_object = |arn: &String| {
        let (head, object) = arn.split_once(":::")?;
        let (bucket, _) = object.split_once('/')?;
        asked.resources.known.then(|| format!("{head}:::{bucket}"))
    };
    let buckets: Option<BTreeSet<String>> = asked.resources.arns.iter().map(of_object).collect();
    let resources = match buckets.filter(|buckets| !buckets.is_empty()) {
        Some(buckets) => Resources { arns: buckets.into_iter().collect(), known: true },
        None => Resources::star(false),
    };
    Some(Authorised { action: "s3:ListBucket".parse().ok()?, resources, ..asked.clone() })
}

/// The facts of a call; `account` is the one it was delivered to.
pub(crate) fn call_of<'e>(request: Option<Raw<'e>>, caller: &'e Caller, region: &'e str, account: &'e str) -> Call<'e> {
    let request = request.unwrap_or(Raw(b"null"));
    let told = if caller.by_id { partition_of(region) } else { None };
    let partition = told.or_else(|| caller.role.split(':').nth(1)).unwrap_or("aws");
    Call { request, partition, region, account: owner(request).unwrap_or(account) }
}

/// The partition of a region that is not of the usual one.
fn partition_of(region: &str) -> Option<&'static str> {
    const PARTITIONS: [(&str, &str); 4] =
        [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso-", "aws-iso"), ("us-isob-", "aws-iso-b")];
    PARTITIONS.iter().find(|(start, _)| region.starts_with(start)).map(|(_, partition)| *partition)
}

/// One action of calls that differ in their resources, and in nothing else that matters.
pub(crate) struct Varying {
    plan: usize,
    pair: usize,
    pub(crate) call: Authorised,
}

impl Varying {
    /// Tells the resources by the event's own ARNs, if some are of the action's types and that is all it takes.
    pub(crate) fn by_arns(&mut self, resolved: &Resolved<'_>, arns: &[Cow<'_, str>]) -> bool {
        let Some(pair) = self.pair(resolved) else { return false };
        // It is the star it was made with.
        if !pair.takes_resource {
            return true;
        }
        let by_more = pair.has_indexes
            || pair.copies
            || pair.together != Together::No
            || pair.tagged != Tagged::No
            || matches!(pair.when, When::TemplateResolves | When::SqlVerb(_));
        !by_more && of_arns(pair, arns, &mut self.call.resources)
    }

    /// Tells the resources as [`of_event`] does.
    pub(crate) fn by_call(&mut self, resolved: &Resolved<'_>, call: &Call<'_>, resources: Option<Raw<'_>>) {
        if let Some(pair) = self.pair(resolved) {
            self.call.resources = told(pair, call, resources);
            if let Some(action) = on_copied(pair, call) {
                self.call.action = action;
            }
        }
    }

    fn pair<'r, 'c>(&self, resolved: &'r Resolved<'c>) -> Option<&'r Pair<'c>> {
        let Resolved::Operations(plans) = resolved else { return None };
        plans.get(self.plan)?.pairs.get(self.pair)
    }
}

/// What calls were authorised against that differ in their resources alone: as [`of_event`] tells it, the resources still
/// to be told. Nothing where it does not.
pub(crate) fn varying(resolved: &Resolved<'_>, event: &Event<'_>, caller: &Caller) -> Option<Vec<Varying>> {
    let Resolved::Operations(found) = resolved else { return None };
    let region = Event::text(event.region).unwrap_or_default();
    let call = call_of(event.request, caller, &region, caller.account());
    let picked = pick(found, call.request)?;
    let plan = found.iter().position(|plan| std::ptr::eq(plan, picked))?;
    let proved = Proved::of(event, caller, picked, &call);
    let shown = picked.pairs.iter().enumerate().filter(|(_, pair)| is_shown(pair, &call));
    let one = |(at, pair): (usize, &Pair<'_>)| {
        let by_rule = matches!(pair.when, When::PassesRole);
        (!by_rule).then(|| Varying { plan, pair: at, call: proved.with(pair, Resources::star(true)) })
    };
    shown.map(one).collect::<Option<Vec<Varying>>>().filter(|calls| !calls.is_empty())
}

fn authorised(pair: &Pair<'_>, call: &Call<'_>, event: &Event<'_>, proved: &Proved) -> Authorised {
    let mut authorised = proved.with(pair, told(pair, call, event.resources));
    if let Some(action) = on_copied(pair, call) {
        authorised.action = action;
    }
    authorised
}

/// The resources that a call was authorised on with one action.
fn told(pair: &Pair<'_>, call: &Call<'_>, named: Option<Raw<'_>>) -> Resources {
    match pair.when {
        When::PassesRole => passed_roles(pair, call),
        When::SqlVerb(verb) => partiql::resources(verb, pair, call, named),
        _ if pair.tagged != Tagged::No => tags::resources(pair, call),
        _ => of_pair(pair, call, named),
    }
}

fn is_shown(pair: &Pair<'_>, call: &Call<'_>) -> bool {
    match &pair.when {
        When::Always => true,
        When::HasAny(paths) => paths.iter().any(|path| path.exists(call.request)),
        When::TemplateResolves => {
            pair.templates.iter().any(|(_, texts)| texts.iter().any(|text| !text.values(call).is_empty()))
        }
        When::PassesRole => passes_role(pair, call),
        // What cannot be read may do anything.
        When::SqlVerb(verb) => {
            statements(call.request).iter().any(|text| partiql::verb(text).is_none_or(|found| found == *verb))
        }
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

/// The account that the request names, in a queue's URL, or in the endpoint of an account's own settings, which need not be the caller's.
fn owner<'a>(request: Raw<'a>) -> Option<&'a str> {
    let (mut queue, mut host, mut named) = (None, None, None);
    for (name, value) in request.members() {
        match name {
            _ if name == QUEUE_URL.as_bytes() => queue = queue.or(Some(value)),
            _ if name == HOST.as_bytes() => host = host.or(Some(value)),
            _ if OWNERS.iter().any(|owner| owner.as_bytes() == name) => named = named.or(Some(value)),
            _ => {}
        }
    }
    let text = |value: Option<Raw<'a>>| Some(std::str::from_utf8(value?.0).ok()?.trim_matches('"'));
    let is_account = |part: &&str| AccountId::is_number(part);
    let of_queue = text(queue).and_then(|url| url.rsplit('/').nth(1)).filter(is_account);
    of_queue
        .or_else(|| text(named).filter(is_account))
        .or_else(|| text(host)?.split_once(".s3-control").map(|(account, _)| account).filter(is_account))
}

/// Condition keys a call proves, whichever of its actions they are checked with.
struct Proved {
    via: Option<Fact>,
    varying: Vec<Fact>,
}

impl Proved {
    fn of(event: &Event<'_>, caller: &Caller, plan: &Plan<'_>, call: &Call<'_>) -> Self {
        let via = via_service(caller, plan.service, call.region);
        Self { via, varying: differing(event, plan.service, call.request) }
    }

    fn with(&self, pair: &Pair<'_>, resources: Resources) -> Authorised {
        let mut context: Vec<Fact> = self.via.iter().chain(&pair.context).cloned().collect();
        context.sort();
        context.dedup();
        Authorised { action: pair.action.clone(), resources, context, varying: self.varying.clone() }
    }
}

/// Through which service a key was used.
fn via_service(caller: &Caller, service: &str, region: &str) -> Option<Fact> {
    let label = caller.invoked_by.as_deref()?.strip_suffix(".amazonaws.com")?;
    let told = service == "kms" && !label.contains('.') && !region.is_empty();
    told.then(|| (ConditionKey::new("kms:ViaService"), format!("{label}.{region}.amazonaws.com")))
}

/// Condition keys the event proves, of those whose values differ from call to call; sorted.
fn differing(event: &Event<'_>, service: &str, request: Raw<'_>) -> Vec<Fact> {
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
