//! What was counted so far: per role, function, action, context and resources; adding is commutative and associative,
//! so that threads may count apart and put their counts together in any order.

mod saved;

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::condition::ConditionKey;
use iam_model::time::Timestamp;
use iam_model::usage::{
    Folded, Merging, Observation, PrincipalUsage, SkipReason, SourceDigest, UnresolvedEvent, UsageLog,
};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::calls::Authorised;
use crate::contexts::{Contexts, Fact};
use crate::fold::{More, Stat};
use crate::hash::{Table, hash};
use crate::plan::unresolved_kind;

/// Functions of one role told apart; a role with more sessions than that is no function's.
const MOST_FUNCTIONS: usize = 64;

/// Distinct unresolved events told apart; hostile logs may make up more.
const MOST_UNRESOLVED: usize = 10_000;

/// Principals named for an unresolved event.
const MOST_PRINCIPALS: usize = UnresolvedEvent::MOST_PRINCIPALS;

/// Records of one name that nothing explains, and who made them.
type Unexplained = (u64, BTreeSet<Box<str>>);

/// Counts of some part of the logs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    principals: BTreeMap<Box<str>, Principal>,
    /// What observations are told apart by, beside their resources.
    kinds: Table<RowKey>,
    key: Vec<u8>,
    window: Option<(Timestamp, Timestamp)>,
    /// Days with any record, by account.
    days: BTreeMap<Box<str>, BTreeSet<i64>>,
    /// The same by account and region.
    region_days: BTreeMap<(Box<str>, Box<str>), BTreeSet<i64>>,
    seen_in: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// Count and principals by event source and name.
    unresolved: BTreeMap<(Box<str>, Box<str>), Unexplained>,
    /// Set once there were too many unresolved names to tell apart.
    unresolved_folded: bool,
    skipped: BTreeMap<SkipReason, u64>,
    pub(crate) records: u64,
    observed: u64,
    pub(crate) files: u64,
    pub(crate) unread_files: u64,
    pub(crate) sources: Vec<SourceDigest>,
}

/// Counts of one role.
#[derive(Debug, Default)]
struct Principal {
    /// By the function's name; the empty one stands for none.
    functions: BTreeMap<Box<str>, Rows>,
    /// Set once there were too many sessions to be functions.
    nameless: bool,
}

/// Counts by the number of their kind.
type Rows = BTreeMap<u32, Contexts>;

/// What tells observations apart beside their resources and what differs from call to call.
#[derive(Debug, Clone)]
struct RowKey {
    action: Action,
    known: bool,
    context: Vec<Fact>,
}

impl Tally {
    /// Counts records that gave the same observations.
    pub(crate) fn observe<'c>(
        &mut self,
        role: &str,
        function: Option<&str>,
        calls: impl IntoIterator<Item = &'c Authorised>,
        more: &More<'_>,
    ) {
        self.observed += more.records();
        let Self { principals, kinds, key, .. } = self;
        let principal = match principals.get_mut(role) {
            Some(principal) => principal,
            None => principals.entry(role.into()).or_default(),
        };
        let Some(rows) = principal.rows(function) else { return };
        for call in calls {
            let kind = kind(kinds, key, &call.action, call.resources.known, &call.context);
            rows.entry(kind).or_default().add(&call.varying, &call.resources.arns, more);
        }
    }

    /// Counts one record that gave none.
    pub(crate) fn skip(&mut self, reason: SkipReason) {
        self.skip_many(reason, 1);
    }

    /// Counts records that gave none.
    pub(crate) fn skip_many(&mut self, reason: SkipReason, count: u64) {
        *self.skipped.entry(reason).or_default() += count;
    }

    /// Counts records of one name that nothing explains.
    pub(crate) fn unresolved(&mut self, source: &str, name: &str, role: &str, count: u64) {
        let key = if self.unresolved_folded { (Box::default(), Box::default()) } else { (source.into(), name.into()) };
        let slot = self.unresolved.entry(key).or_default();
        slot.0 += count;
        slot.1.insert(role.into());
        bound_principals(&mut slot.1);
        self.bound_unresolved();
    }

    fn bound_unresolved(&mut self) {
        if !self.unresolved_folded && self.unresolved.len() <= MOST_UNRESOLVED {
            return;
        }
        self.unresolved_folded = true;
        if self.unresolved.len() > 1 {
            let mut all = (0, BTreeSet::new());
            for (count, principals) in std::mem::take(&mut self.unresolved).into_values() {
                all.0 += count;
                all.1.extend(principals);
                bound_principals(&mut all.1);
            }
            self.unresolved.insert((Box::default(), Box::default()), all);
        }
    }

    /// Notes on which days there were records of an account in a region.
    pub(crate) fn had_records(&mut self, account: &str, region: &str, days: BTreeSet<i64>) {
        if account.len() == 12 && !days.is_empty() {
            self.days.entry(account.into()).or_default().extend(&days);
            if is_plausible(region) {
                self.region_days.entry((account.into(), region.into())).or_default().extend(days);
            }
        }
    }

    /// Widens the window, and notes where an event came from.
    pub(crate) fn seen(&mut self, time: Timestamp, account: &str, region: &str) {
        let (first, last) = self.window.unwrap_or((time, time));
        self.window = Some((first.min(time), last.max(time)));
        let known = self.seen_in.get(account).is_some_and(|regions| regions.contains(region));
        let plausible = account.len() == 12 && is_plausible(region);
        if !known && plausible {
            self.seen_in.entry(account.into()).or_default().insert(region.into());
        }
    }

    /// Puts two counts together.
    pub(crate) fn merge(mut self, mut other: Self) -> Self {
        let Self { kinds, key, .. } = &mut self;
        let own: Vec<u32> =
            other.kinds.drain().map(|row| kind(kinds, key, &row.action, row.known, &row.context)).collect();
        let principals = &mut self.principals;
        let both = other.principals.into_iter().map(|(role, theirs)| {
            let ours = principals.remove(&role).unwrap_or_default();
            (role, ours, theirs)
        });
        let merged = on_all_threads(both.collect(), |(role, mut ours, theirs)| {
            ours.merge(theirs.with_kinds(&own));
            (role, ours)
        });
        self.principals.extend(merged);
        if let Some((first, last)) = other.window {
            let (own_first, own_last) = self.window.unwrap_or((first, last));
            self.window = Some((own_first.min(first), own_last.max(last)));
        }
        for (account, days) in other.days {
            self.days.entry(account).or_default().extend(days);
        }
        for (place, days) in other.region_days {
            self.region_days.entry(place).or_default().extend(days);
        }
        for (account, regions) in other.seen_in {
            self.seen_in.entry(account).or_default().extend(regions);
        }
        for (key, (count, principals)) in other.unresolved {
            let slot = self.unresolved.entry(key).or_default();
            slot.0 += count;
            slot.1.extend(principals);
            bound_principals(&mut slot.1);
        }
        self.unresolved_folded |= other.unresolved_folded;
        self.bound_unresolved();
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.records += other.records;
        self.observed += other.observed;
        self.files += other.files;
        self.unread_files += other.unread_files;
        self.sources.append(&mut other.sources);
        self
    }

    /// The result, in its fixed order.
    pub(crate) fn into_log(mut self) -> UsageLog {
        self.sources.sort();
        let mut log = UsageLog {
            window: self.window,
            skipped: self.skipped,
            records: self.records,
            observed: self.observed,
            files: self.files,
            unread_files: self.unread_files,
            merging: Merging { sources: self.sources, unresolved_folded: self.unresolved_folded, ..Merging::default() },
            ..UsageLog::default()
        };
        let kinds = &self.kinds;
        let made = on_all_threads(self.principals.into_iter().collect(), |(role, principal): (Box<str>, Principal)| {
            let arn = role.parse::<Arn>().ok()?;
            Some((arn, principal.nameless, principal.into_usage(kinds)))
        });
        for (arn, nameless, (usage, folded)) in made.into_iter().flatten() {
            if nameless {
                log.merging.functions_folded.insert(arn.clone());
            }
            if !folded.is_empty() {
                log.merging.folded.insert(arn.clone(), folded);
            }
            log.principals.insert(arn, usage);
        }
        let days = self.days.into_iter().filter_map(|(account, days)| Some((account.parse().ok()?, days)));
        log.days = days.collect();
        let days = self.region_days.into_iter();
        let days = days.filter_map(|((account, region), days)| Some(((account.parse().ok()?, region.into()), days)));
        log.region_days = days.collect();
        for (account, regions) in self.seen_in {
            let Ok(account) = account.parse::<AccountId>() else { continue };
            log.seen_in.extend(regions.into_iter().map(|region| (account.clone(), region.into())));
        }
        for ((source, name), (count, principals)) in self.unresolved {
            let principals = principals.iter().filter_map(|role| role.parse().ok()).collect();
            let kind = unresolved_kind(&source, &name);
            log.unresolved.push(UnresolvedEvent {
                event_source: source.into(),
                event_name: name.into(),
                count,
                principals,
                kind,
            });
        }
        log
    }
}

/// Does the same with each of the items, on all threads where there are several; what it gives is in the items' order.
fn on_all_threads<T: Send, R: Send>(items: Vec<T>, each: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    if rayon::current_thread_index().is_some() {
        items.into_par_iter().map(each).collect()
    } else {
        items.into_iter().map(each).collect()
    }
}

/// Whether a text may be a region's name.
fn is_plausible(region: &str) -> bool {
    (1..=32).contains(&region.len())
}

fn bound_principals(principals: &mut BTreeSet<Box<str>>) {
    while principals.len() > MOST_PRINCIPALS {
        principals.pop_last();
    }
}

impl Principal {
    /// The rows of a function; there always are some.
    fn rows(&mut self, function: Option<&str>) -> Option<&mut Rows> {
        let mut key = if self.nameless { "" } else { function.unwrap_or_default() };
        if !self.functions.contains_key(key) {
            self.functions.insert(key.into(), Rows::new());
            self.bound();
            key = if self.nameless { "" } else { key };
        }
        self.functions.get_mut(key)
    }

    /// Too many sessions: none of them is a function's.
    fn bound(&mut self) {
        let named = self.functions.keys().filter(|name| !name.is_empty()).count();
        self.nameless |= named > MOST_FUNCTIONS;
        if self.nameless && named > 0 {
            let functions = std::mem::take(&mut self.functions);
            let all = self.functions.entry(Box::default()).or_default();
            functions.into_values().for_each(|rows| merge_rows(all, rows));
        }
    }

    fn merge(&mut self, other: Self) {
        self.nameless |= other.nameless;
        for (function, rows) in other.functions {
            merge_rows(self.functions.entry(function).or_default(), rows);
        }
        self.bound();
    }

    /// The same with other numbers for the kinds: `numbers` holds the new one of each.
    fn with_kinds(mut self, numbers: &[u32]) -> Self {
        for rows in self.functions.values_mut() {
            let own = std::mem::take(rows).into_iter();
            *rows = own.filter_map(|(kind, contexts)| Some((*numbers.get(kind as usize)?, contexts))).collect();
        }
        self
    }

    /// Observations, and of those that were folded how far, by place.
    fn into_usage(self, kinds: &Table<RowKey>) -> (PrincipalUsage, BTreeMap<usize, Folded>) {
        let mut observations = Vec::new();
        for (function, rows) in self.functions {
            for (kind, contexts) in rows {
                let Some(key) = kinds.get(kind) else { continue };
                observations.extend(contexts.into_rows().map(|(varying, names, stat, folded)| {
                    let function = (!function.is_empty()).then(|| function.to_string());
                    (observation(key, &varying, &names, function, &stat), folded)
                }));
            }
        }
        observations.sort_by(|(a, _), (b, _)| {
            let told = a.action.cmp(&b.action).then_with(|| a.resources.cmp(&b.resources));
            let told = told.then_with(|| a.context.cmp(&b.context)).then_with(|| a.function.cmp(&b.function));
            told.then(a.resource_known.cmp(&b.resource_known))
        });
        let folded = observations.iter().enumerate().filter(|(_, (_, folded))| folded.is_any());
        let folded = folded.map(|(at, (_, folded))| (at, *folded)).collect();
        let observations = observations.into_iter().map(|(seen, _)| seen).collect();
        (PrincipalUsage { observations }, folded)
    }
}

fn observation(key: &RowKey, varying: &[Fact], names: &[String], function: Option<String>, stat: &Stat) -> Observation {
    Observation {
        action: key.action.clone(),
        resources: names.iter().map(|name| ResourcePattern::new(name)).collect(),
        resource_known: key.known,
        context: context_of(key.context.iter().chain(varying)),
        function,
        count: stat.count,
        denied: stat.denied,
        first: stat.first,
        last: stat.last,
        sample_event_ids: stat.samples.iter().map(ToString::to_string).collect(),
    }
}

/// Values by key.
fn context_of<'f>(facts: impl Iterator<Item = &'f Fact>) -> BTreeMap<ConditionKey, Vec<String>> {
    let mut context: BTreeMap<ConditionKey, Vec<String>> = BTreeMap::new();
    for (name, value) in facts {
        context.entry(name.clone()).or_default().push(value.clone());
    }
    context
}

/// The number of a kind of observation.
fn kind(kinds: &mut Table<RowKey>, key: &mut Vec<u8>, action: &Action, known: bool, context: &[Fact]) -> u32 {
    key.clear();
    key.extend_from_slice(action.as_str().as_bytes());
    key.push(u8::from(known));
    for (name, value) in context {
        for part in [name.as_str(), value] {
            key.push(0);
            key.extend_from_slice(part.as_bytes());
        }
    }
    let number = hash(0, key);
    kinds.find(number, key).unwrap_or_else(|| {
        kinds.insert(number, key, RowKey { action: action.clone(), known, context: context.to_vec() })
    })
}

fn merge_rows(own: &mut Rows, other: Rows) {
    for (key, contexts) in other {
        own.entry(key).or_default().merge(contexts);
    }
}
