//! Many resources in little room: when a group of resources has too many members, their names are cut to a prefix.
//!
//! The result depends on the set of resources alone, not on their order nor on how they were split among threads: the
//! number of distinct names cut at some depth only grows, so the depth a group ends at is the deepest at which all its
//! names fit, whoever was seen first.

use std::borrow::Cow;
use std::collections::BTreeMap;

use iam_model::time::Timestamp;
use iam_model::usage::{Folded, Observation};

use crate::bag::Bag;
use crate::hash::hash;
use crate::sample::Sample;
use crate::sorted::Sorted;

/// Distinct resources a group may hold before its names are cut.
pub(crate) const MOST_RESOURCES: usize = 128;

/// Groups of one action before all are folded to their service.
pub(crate) const MOST_GROUPS: usize = 256;

/// Depth at which names are whole.
const WHOLE: u8 = 12;

/// Event ids kept.
const SAMPLES: usize = 3;

/// Counts of one observation; adding is commutative and associative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) count: u64,
    pub(crate) denied: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) samples: Vec<Sample>,
}

impl Stat {
    /// One call.
    pub(crate) fn one(denied: bool, time: Timestamp, event_id: &[u8]) -> Self {
        let (count, denied) = (u64::from(!denied), u64::from(denied));
        let mut stat = Self { count, denied, first: time, last: time, samples: Vec::new() };
        stat.sample(event_id);
        stat
    }

    /// Adds a call like the others.
    #[inline]
    pub(crate) fn again(&mut self, denied: bool, time: Timestamp, event_id: &[u8]) {
        self.count += u64::from(!denied);
        self.denied += u64::from(denied);
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.sample(event_id);
    }

    /// Calls that were counted before, between these times.
    pub(crate) fn many(count: u64, denied: bool, times: (Timestamp, Timestamp), ids: &[Vec<u8>]) -> Self {
        let (count, denied) = if denied { (0, count) } else { (count, 0) };
        let mut stat = Self { count, denied, first: times.0, last: times.1, samples: Vec::new() };
        ids.iter().for_each(|id| stat.sample(id));
        stat
    }

    /// The counts of an observation.
    pub(crate) fn of(seen: &Observation) -> Self {
        let mut samples: Vec<Sample> =
            seen.sample_event_ids.iter().filter_map(|id| Sample::of(id.as_bytes())).take(SAMPLES).collect();
        samples.shrink_to_fit();
        Self { count: seen.count, denied: seen.denied, first: seen.first, last: seen.last, samples }
    }

    /// Counts what is more of the same.
    fn more(&mut self, more: &More<'_>) {
        match *more {
            More::Stat(stat) => self.add(stat),
            More::Call { denied, time, id } => self.again(denied, time, id),
        }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.denied += other.denied;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        for sample in &other.samples {
            let full = self.samples.len() >= SAMPLES;
            if full && self.samples.last().is_some_and(|last| last <= sample) {
                break;
            }
            if let Err(at) = self.samples.binary_search(sample) {
                self.keep_at(at, sample.clone());
            }
        }
    }

    /// Keeps an event id if it is among the smallest.
    #[inline]
    fn sample(&mut self, event_id: &[u8]) {
        let full = self.samples.len() >= SAMPLES;
        if event_id.is_empty() || full && self.samples.last().is_some_and(|last| last.compare(event_id).is_le()) {
            return;
        }
        self.keep_sample(event_id);
    }

    #[inline(never)]
    fn keep_sample(&mut self, event_id: &[u8]) {
        let Err(at) = self.samples.binary_search_by(|own| own.compare(event_id)) else { return };
        if let Some(sample) = Sample::of(event_id) {
            self.keep_at(at, sample);
        }
    }

    fn keep_at(&mut self, at: usize, sample: Sample) {
        self.samples.truncate(SAMPLES - 1);
        self.samples.reserve_exact(1);
        self.samples.insert(at, sample);
    }
}

/// What is counted: calls that were counted before, or one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum More<'m> {
    Stat(&'m Stat),
    Call { denied: bool, time: Timestamp, id: &'m [u8] },
}

impl More<'_> {
    /// How many calls were allowed or denied.
    pub(crate) const fn records(&self) -> u64 {
        match self {
            Self::Stat(stat) => stat.count + stat.denied,
            Self::Call { .. } => 1,
        }
    }

    fn stat(&self) -> Stat {
        match *self {
            Self::Stat(stat) => stat.clone(),
            Self::Call { denied, time, id } => Stat::one(denied, time, id),
        }
    }
}

/// Resources of one call: sorted, distinct.
pub(crate) type Names = Vec<String>;

/// Counts by resources.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    /// By what the names of their resources start with.
    groups: Sorted<Box<str>, Group>,
    /// Set once there were too many groups.
    to_services: bool,
}

/// Resources that share what stands before the first separator of their names.
#[derive(Debug, Clone)]
struct Group {
    depth: u8,
    stats: Bag<Names, Stat>,
}

impl Default for Group {
    fn default() -> Self {
        Self { depth: WHOLE, stats: Bag::default() }
    }
}

impl Folder {
    /// Counts calls of these resources.
    pub(crate) fn add(&mut self, names: &[String], more: &More<'_>) {
        let Some(group) = group_for(&mut self.groups, names, self.to_services) else { return };
        group.add(names, more, self.to_services);
        if group.stats.len() > MOST_RESOURCES {
            group.fold();
        }
        self.fold_groups();
    }

    /// Counts what another folder counted.
    pub(crate) fn merge(&mut self, other: Self) {
        if other.to_services && !self.to_services {
            self.fold_to_services();
        }
        for (_, group) in other.groups {
            for (names, stat) in group.stats.iter() {
                let Some(own) = group_for(&mut self.groups, names, self.to_services) else { continue };
                if group.depth < own.depth {
                    own.cut_to(group.depth);
                }
                own.add(names, &More::Stat(stat), self.to_services);
                if own.stats.len() > MOST_RESOURCES {
                    own.fold();
                }
            }
        }
        self.fold_groups();
    }

    /// Takes back a row that another folder gave.
    pub(crate) fn restore(&mut self, names: &[String], stat: &Stat, folded: Folded) {
        let mut other = Self { groups: Sorted::default(), to_services: folded.services };
        if let Some(group) = group_for(&mut other.groups, names, folded.services) {
            group.depth = folded.depth.unwrap_or(WHOLE).min(WHOLE);
            group.add(names, &More::Stat(stat), folded.services);
        }
        self.merge(other);
    }

    /// Resources, counts and how far they were folded, in order.
    pub(crate) fn into_rows(self) -> Vec<(Names, Stat, Folded)> {
        let mut rows: BTreeMap<Names, (Stat, Folded)> = BTreeMap::new();
        let services = self.to_services;
        for (_, Group { depth, stats }) in self.groups {
            let depth = (depth < WHOLE && !services).then_some(depth);
            for (names, stat) in stats {
                match rows.get_mut(&names) {
                    Some((own, _)) => own.add(&stat),
                    None => drop(rows.insert(names, (stat, Folded { depth, services, contexts: false }))),
                }
            }
        }
        rows.into_iter().map(|(names, (stat, folded))| (names, stat, folded)).collect()
    }

    fn fold_groups(&mut self) {
        if !self.to_services && self.groups.len() > MOST_GROUPS {
            self.fold_to_services();
        }
    }

    fn fold_to_services(&mut self) {
        self.to_services = true;
        let groups = std::mem::take(&mut self.groups);
        for (names, stat) in groups.into_iter().flat_map(|(_, group)| group.stats) {
            if let Some(group) = group_for(&mut self.groups, &names, true) {
                group.add(&names, &More::Stat(&stat), true);
            }
        }
    }
}

/// The group of these resources; there always is one.
fn group_for<'g>(
    groups: &'g mut Sorted<Box<str>, Group>,
    names: &[String],
    to_services: bool,
) -> Option<&'g mut Group> {
    let key = group_key(names, to_services);
    groups.get_or(&*key, || ((*key).into(), Group::default()))
}

fn group_key(names: &[String], to_services: bool) -> Cow<'_, str> {
    match names {
        [name] if !to_services => Cow::Borrowed(group_of(name)),
        names => {
            let part = |name: &String| if to_services { service_of(name) } else { group_of(name).to_owned() };
            let mut parts: Vec<String> = names.iter().map(part).collect();
            // In order, so that names that are cut stay in the group they were in whole.
            parts.sort();
            parts.dedup();
            Cow::Owned(parts.join(" "))
        }
    }
}

impl Group {
    fn add(&mut self, names: &[String], more: &More<'_>, to_services: bool) {
        if self.depth >= WHOLE && !to_services {
            return add_to(&mut self.stats, names, more);
        }
        let cut = if to_services { services(names) } else { cut_all(names, self.depth) };
        add_to(&mut self.stats, &cut, more);
    }

    /// Cuts deeper until the names fit. At depth 0 one name is left for each group.
    fn fold(&mut self) {
        // Cutting behind the last separator of all changes nothing.
        let separators =
            |name: &String| name.get(group_of(name).len()..).map_or(0, |tail| tail.matches(['/', ':']).count());
        let deepest = self.stats.iter().flat_map(|(names, _)| names).map(separators).max().unwrap_or_default();
        self.depth = self.depth.min(u8::try_from(deepest + 1).unwrap_or(WHOLE));
        while self.stats.len() > MOST_RESOURCES && self.depth > 0 {
            self.cut_to(self.depth - 1);
        }
    }

    fn cut_to(&mut self, depth: u8) {
        self.depth = self.depth.min(depth);
        for (names, stat) in std::mem::take(&mut self.stats) {
            add_to(&mut self.stats, &cut_all(&names, self.depth), &More::Stat(&stat));
        }
    }
}

fn add_to(stats: &mut Bag<Names, Stat>, names: &[String], more: &More<'_>) {
    let number = names.iter().fold(0, |state, name| hash(state, name.as_bytes()));
    let number = (number >> 32) as u32;
    match stats.get_mut(number, |own| own == names) {
        Some(own) => own.more(more),
        None => stats.insert(number, names.to_vec(), more.stat()),
    }
}

fn cut_all(names: &[String], depth: u8) -> Names {
    let mut out: Names = names.iter().map(|name| cut(name, depth)).collect();
    out.sort();
    out.dedup();
    out
}

fn services(names: &[String]) -> Names {
    let mut out: Names = names.iter().map(|name| service_of(name)).collect();
    out.sort();
    out.dedup();
    out
}

/// The part of an ARN before its resource's own name: through the first separator after the account.
fn group_of(arn: &str) -> &str {
    let head = head_length(arn);
    let tail = arn.as_bytes().get(head..).unwrap_or_default();
    let end = memchr::memchr2(b'/', b':', tail).map_or(head, |at| head + at + 1);
    arn.get(..end).unwrap_or(arn)
}

fn head_length(arn: &str) -> usize {
    memchr::memchr_iter(b':', arn.as_bytes()).nth(4).map_or(0, |at| at + 1)
}

/// Any resource of the service, in the form of an ARN.
fn service_of(arn: &str) -> String {
    let mut parts = arn.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("arn"), Some(partition), Some(service), Some(_)) => format!("arn:{partition}:{service}:*:*:*"),
        _ => arn.to_owned(),
    }
}

/// Keeps the first `depth` separators of the name behind the group; a name with fewer stays whole.
fn cut(arn: &str, depth: u8) -> String {
    if depth >= WHOLE || arn == "*" {
        return arn.to_owned();
    }
    let group = group_of(arn).len();
    let name = arn.as_bytes().get(group..).unwrap_or_default();
    let kept = match usize::from(depth).checked_sub(1) {
        None => Some(0),
        Some(nth) => memchr::memchr2_iter(b'/', b':', name).nth(nth).map(|at| at + 1),
    };
    match kept.and_then(|kept| arn.get(..group + kept)) {
        Some(prefix) => {
            let mut out = String::with_capacity(prefix.len() + 1);
            out.push_str(prefix);
            out.push('*');
            out
        }
        None => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests;
