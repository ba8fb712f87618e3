//! Counts records, each in exactly one place: it gave observations, it was skipped with a reason, or nothing explains it.
//!
//! Most records are like one before: the same caller, event name, place and parameters that matter. Such records are
//! judged once and counted together; what they have in common is their *shape*. How a call is judged is told elsewhere.

mod quick;
mod summed;

use std::borrow::Cow;
use std::collections::BTreeSet;

use iam_model::catalog::Catalog;
use iam_model::time::Timestamp;
use iam_model::usage::SkipReason;

use crate::calls::{Calls, of_event, varying};
use crate::event::Event;
use crate::fold::{More, Stat};
use crate::hash::{Table, hash, hash_parts, mix};
use crate::identity::{Caller, Identity};
use crate::json::Raw;
use crate::needed::Needed;
use crate::options::Options;
use crate::outcome::{is_absent, is_denied};
use crate::plan::{Resolved, resolve};
use crate::recall::{Memory, Ticket};
use crate::resource::named_arn;
use crate::seen::Copies;
use crate::shapes::{Shape, Shapes, Told, Verdict};
use crate::tally::Tally;

use quick::Known;

/// Callers, event names and places told apart at once; hostile logs may make up more.
const MOST_PARTS: usize = 20_000;

/// Resources of an event that are looked at.
const MOST_ARNS: usize = 65;

/// Calls alike but for their resources before those resources are taken to be ever others.
const FEW_RESOURCES: u32 = 16;

/// Counts the records a thread reads.
pub(crate) struct Records<'s> {
    catalog: &'s Catalog,
    options: &'s Options,
    callers: Table<Who>,
    names: Table<Name<'s>>,
    places: Table<Where>,
    shapes: Shapes,
    /// Callers that are recognised.
    memory: Memory,
    /// Records that are recognised.
    known: Known,
    key: Vec<u8>,
    varying_key: Vec<u8>,
    tally: Tally,
    /// How often numbers were given anew.
    round: u32,
}

/// A caller, or why there is none that counts; and a number that stands for it in every run.
struct Who {
    hash: u64,
    caller: Result<Caller, SkipReason>,
}

/// What an event type, source and name stand for.
struct Name<'c> {
    hash: u64,
    is_call: bool,
    /// Source, name and their meaning; nothing where the record lacks one.
    meaning: Option<Meaning<'c>>,
}

struct Meaning<'c> {
    source: Box<str>,
    name: Box<str>,
    resolved: Resolved<'c>,
    needed: Needed,
    /// What is needed beside what tells the resources.
    beside: Option<Needed>,
}

/// An account and region events came from, and when.
struct Where {
    hash: u64,
    account: Box<str>,
    region: Box<str>,
    seen: Option<(Timestamp, Timestamp)>,
    /// The day that was noted last.
    day: i64,
    /// Days with any record.
    days: BTreeSet<i64>,
}

impl Where {
    /// Notes when an event came from there.
    fn saw(&mut self, time: Timestamp) {
        let (first, last) = self.seen.unwrap_or((time, time));
        self.seen = Some((first.min(time), last.max(time)));
        self.had_record(time);
    }

    /// Notes that there was a record on that day, whether it counts or not.
    fn had_record(&mut self, time: Timestamp) {
        if self.day != time.day() {
            self.day = time.day();
            self.days.insert(self.day);
        }
    }
}

/// The parts of a record that tell its shape apart.
#[derive(Clone, Copy)]
struct Parts {
    caller: u32,
    name: u32,
    place: u32,
    denied: bool,
}

impl<'s> Records<'s> {
    pub(crate) fn new(catalog: &'s Catalog, options: &'s Options) -> Self {
        Self {
            catalog,
            options,
            callers: Table::default(),
            names: Table::default(),
            places: Table::default(),
            shapes: Shapes::default(),
            memory: Memory::default(),
            known: Known::default(),
            key: Vec::new(),
            varying_key: Vec::new(),
            tally: Tally::default(),
            round: 0,
        }
    }

    /// Callers that were recognised.
    pub(crate) const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What was counted apart from shapes; [`Records::finish`] has it all.
    pub(crate) const fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// All that was counted.
    pub(crate) fn finish(mut self) -> Tally {
        self.flush();
        self.forget_parts();
        self.tally
    }

    /// Counts a record; `false` where it lacks what is needed to place it.
    pub(crate) fn count(&mut self, event: &Event<'_>, copies: &mut Copies<'_>) -> bool {
        let Some(time) = event.time() else {
            self.tally.skip(SkipReason::Incomplete);
            return false;
        };
        self.make_room();
        let place = self.place(event);
        match self.parts(event, time, place) {
            Err(reason) => {
                let place_hash = self.places.get(place).map_or(0, |place| place.hash);
                let what = hash(place_hash, reason.as_str().as_bytes());
                if is_copy(what, bytes_of(event.event_id), time, copies) {
                    self.tally.skip(SkipReason::Duplicate);
                } else {
                    self.tally.skip(reason);
                    if let Some(place) = self.places.get_mut(place) {
                        match reason {
                            // The trail was on, whoever is asked about.
                            SkipReason::FilteredOut if self.options.is_within(time) => place.had_record(time),
                            SkipReason::FilteredOut => {}
                            _ => place.saw(time),
                        }
                    }
                }
                reason != SkipReason::Incomplete
            }
            Ok(parts) => {
                self.count_shape(event, time, parts, copies);
                true
            }
        }
    }

    /// Forgets what was told apart, where that was too much.
    fn make_room(&mut self) {
        if self.callers.len().max(self.names.len()).max(self.places.len()) >= MOST_PARTS {
            self.flush();
            self.forget_parts();
        }
    }

    /// Who called what, or why the record does not count.
    fn parts(&mut self, event: &Event<'_>, time: Timestamp, place: u32) -> Result<Parts, SkipReason> {
        if !self.options.is_within(time) {
            return Err(SkipReason::FilteredOut);
        }
        let name = self.name(event);
        if !self.names.get(name).is_some_and(|name| name.is_call) {
            return Err(SkipReason::NotAnApiCall);
        }
        let caller = self.caller(event)?;
        if let Some(Who { caller: Err(reason), .. }) = self.callers.get(caller) {
            return Err(*reason);
        }
        if self.names.get(name).is_none_or(|name| name.meaning.is_none()) {
            return Err(SkipReason::Incomplete);
        }
        Ok(Parts { caller, name, place, denied: is_denied(event) })
    }

    /// Counts a call with the others of its shape.
    fn count_shape(&mut self, event: &Event<'_>, time: Timestamp, parts: Parts, copies: &mut Copies<'_>) {
        // The numbers of the parts are this thread's own; what stands for them is the same in every run.
        let told = mix(self.call_hash(parts, call_flags(event, parts)), hash_parts(&told(event)));
        if is_copy(told, bytes_of(event.event_id), time, copies) {
            return self.tally.skip(SkipReason::Duplicate);
        }
        self.places.get_mut(parts.place).into_iter().for_each(|place| place.saw(time));
        if self.shapes.is_full() {
            self.flush();
        }
        let id = id_of(event);
        let request = self.shape_key(event, parts);
        let shape_hash = hash(0, &self.key);
        if let Some(number) = self.shapes.table.find(shape_hash, &self.key) {
            if let Some(shape) = self.shapes.table.get_mut(number) {
                shape.stat.again(parts.denied, time, id);
            }
            return self.learn(event, parts, number, false);
        }
        let is_usual = self.shapes.is_usual(shape_hash, &self.key);
        if !is_usual && self.count_varying(event, time, parts) {
            return;
        }
        let stat = Stat::one(parts.denied, time, id);
        let request = event.request.map(|_| Raw(self.key.get(request..).unwrap_or_default()));
        let verdict = self.judge(&Event { request, ..*event }, parts);
        let shape = Shape { caller: parts.caller, name: parts.name, verdict, stat };
        if is_usual {
            self.shapes.table.insert(shape_hash, &self.key, shape);
        } else {
            take_in(&mut self.tally, &self.callers, &self.names, shape);
        }
    }

    /// Counts a call as one of those that differ in their resources alone, if there are more; whether there are.
    fn count_varying(&mut self, event: &Event<'_>, time: Timestamp, parts: Parts) -> bool {
        // What such a call asks for beside what others of its name ask for is told by its own shape.
        if is_absent(event) {
            return false;
        }
        let Self { varying_key: key, shapes, names, callers, places, tally, .. } = self;
        let Some(meaning) = names.get(parts.name).and_then(|name| name.meaning.as_ref()) else { return false };
        let Some(Ok(caller)) = callers.get(parts.caller).map(|who| &who.caller) else { return false };
        let (Some(needed), Some(place)) = (&meaning.beside, places.get(parts.place)) else { return false };
        key.clear();
        write_head(key, event, parts, VARYING);
        event.request.into_iter().for_each(|request| needed.project(request, key));
        let key_hash = hash(0, key);
        let number = shapes.table.find(key_hash, key).or_else(|| {
            let calls = varying(&meaning.resolved, event, caller)?;
            let stat = Stat::one(parts.denied, time, id_of(event));
            let shape = Shape { caller: parts.caller, name: parts.name, verdict: Verdict::Varying(calls, 0), stat };
            shapes.is_usual(key_hash, key).then(|| shapes.table.insert(key_hash, key, shape))
        });
        let Some(shape) = number.and_then(|number| shapes.table.get_mut(number)) else { return false };
        let items = event.resources.into_iter().flat_map(Raw::items).take(MOST_ARNS);
        let arns: Vec<Cow<'_, str>> = items.filter_map(named_arn).filter_map(Raw::text).collect();
        let account = Event::text(event.recipient).unwrap_or_else(|| caller.account().into());
        let (resources, request) = (event.resources, event.request);
        let told = Told { caller, region: &place.region, account: &account, arns: &arns, resources, request };
        shape.place(&meaning.resolved, &meaning.needed, &told);
        let one = More::Call { denied: parts.denied, time, id: id_of(event) };
        observe_varying(tally, caller, shape, &one);
        let many = match &mut shape.verdict {
            Verdict::Varying(_, seen) => {
                *seen = seen.saturating_add(1);
                *seen > FEW_RESOURCES
            }
            _ => false,
        };
        if let Some(number) = number.filter(|_| many) {
            self.learn(event, parts, number, true);
        }
        true
    }

    /// A number for who called what and where, and whether in vain; the same in every run.
    fn call_hash(&self, parts: Parts, flags: u8) -> u64 {
        let who = self.callers.get(parts.caller).map_or(0, |who| who.hash);
        let what = self.names.get(parts.name).map_or(0, |name| name.hash);
        let place = self.places.get(parts.place).map_or(0, |place| place.hash);
        mix(mix(who, what), place ^ u64::from(flags))
    }

    /// Writes the key of a record's shape, the parameters that matter last; where they start.
    fn shape_key(&mut self, event: &Event<'_>, parts: Parts) -> usize {
        let Self { key, names, .. } = self;
        key.clear();
        write_head(key, event, parts, 0);
        key.extend_from_slice(bytes_of(event.resources));
        key.push(0);
        let request = key.len();
        let meaning = names.get(parts.name).and_then(|name| name.meaning.as_ref());
        if let (Some(raw), Some(meaning)) = (event.request, meaning) {
            meaning.needed.project(raw, key);
        }
        request
    }

    fn judge(&self, event: &Event<'_>, parts: Parts) -> Verdict {
        let caller = self.callers.get(parts.caller).map(|who| &who.caller);
        let meaning = self.names.get(parts.name).and_then(|name| name.meaning.as_ref());
        let (Some(Ok(caller)), Some(meaning)) = (caller, meaning) else { return Verdict::Unresolved };
        match of_event(&meaning.resolved, event, caller) {
            Calls::Authorised(calls) => Verdict::Observed(calls),
            Calls::Free => Verdict::Free,
            Calls::Unknown => Verdict::Unresolved,
        }
    }

    /// Counts the shapes kept, and forgets them.
    fn flush(&mut self) {
        self.known.clear();
        for shape in self.shapes.drain() {
            take_in(&mut self.tally, &self.callers, &self.names, shape);
        }
    }

    /// Forgets callers, names and places; there must be no shapes.
    fn forget_parts(&mut self) {
        self.round += 1;
        self.callers.drain().for_each(drop);
        self.names.drain().for_each(drop);
        for place in self.places.drain() {
            self.tally.had_records(&place.account, &place.region, place.days);
            if let Some((first, last)) = place.seen {
                self.tally.seen(first, &place.account, &place.region);
                self.tally.seen(last, &place.account, &place.region);
            }
        }
    }

    /// The number of a record's caller.
    #[inline]
    fn caller(&mut self, event: &Event<'_>) -> Result<u32, SkipReason> {
        match (&event.recalled, &event.identity) {
            (Some(recalled), _) if recalled.ticket.round == self.round => Ok(recalled.ticket.number),
            // Numbers were given anew since.
            (Some(recalled), None) => {
                let mut identity = None;
                let read = Identity::keep(recalled.bytes, 0, &mut identity);
                let identity = identity.filter(|_| read.is_ok()).ok_or(SkipReason::Incomplete)?;
                Ok(self.read_caller(&identity))
            }
            (_, Some(identity)) => Ok(self.read_caller(identity)),
            (None, None) => Err(SkipReason::Incomplete),
        }
    }

    fn read_caller(&mut self, identity: &Identity<'_>) -> u32 {
        let Self { callers, options, .. } = self;
        let parts = identity.raw_parts();
        let hash = hash_parts(&parts);
        if let Some(known) = callers.find_parts(hash, &parts) {
            self.memory.remember(identity, Ticket { round: self.round, number: known });
            return known;
        }
        let caller = identity
            .caller()
            .and_then(|caller| if wanted(options, &caller) { Ok(caller) } else { Err(SkipReason::FilteredOut) });
        callers.insert_parts(hash, &parts, Who { hash, caller })
    }

    fn name(&mut self, event: &Event<'_>) -> u32 {
        let Self { names, catalog, .. } = self;
        let fields = [event.event_type, event.event_source, event.event_name];
        let parts = fields.map(bytes_of);
        let hash = hash_parts(&parts);
        if let Some(known) = names.find_parts(hash, &parts) {
            return known;
        }
        let [kind, source, name] = fields.map(Event::text);
        let meaning = source.zip(name).map(|(source, name)| {
            let resolved = resolve(catalog, &source, &name);
            let (needed, beside) = (Needed::of(&resolved), Needed::beside_resources(&resolved));
            Meaning { needed, beside, resolved, source: source.into(), name: name.into() }
        });
        let is_call = !kind.is_some_and(|kind| catalog.is_no_api_call(&kind));
        names.insert_parts(hash, &parts, Name { hash, is_call, meaning })
    }

    fn place(&mut self, event: &Event<'_>) -> u32 {
        let Self { places, .. } = self;
        let fields = [event.recipient, event.region];
        let parts = fields.map(bytes_of);
        let hash = hash_parts(&parts);
        if let Some(known) = places.find_parts(hash, &parts) {
            return known;
        }
        let [account, region] = fields.map(|field| Event::text(field).unwrap_or_default().into());
        places.insert_parts(
            hash,
            &parts,
            Where { hash, account, region, seen: None, day: i64::MIN, days: BTreeSet::new() },
        )
    }
}

/// A flag beside those of [`call_flags`]: the key of a shape whose resources differ.
const VARYING: u8 = 1 << 2;

/// Whether the call was denied, whether it only read, and whether it asked for what is not there.
fn call_flags(event: &Event<'_>, parts: Parts) -> u8 {
    u8::from(parts.denied) | u8::from(event.read_only.is_some_and(Raw::is_true)) << 1 | u8::from(is_absent(event)) << 3
}

/// Writes what tells a record's shape beside its resources and parameters.
fn write_head(key: &mut Vec<u8>, event: &Event<'_>, parts: Parts, flag: u8) {
    for number in [parts.caller, parts.name, parts.place] {
        key.extend_from_slice(&number.to_le_bytes());
    }
    key.push(call_flags(event, parts) | flag);
    key.extend_from_slice(bytes_of(event.vpc_endpoint));
    key.push(0);
}

/// What calls of one kind tell: the endpoint, resources and parameters.
fn told<'a>(event: &Event<'a>) -> [&'a [u8]; 3] {
    [event.vpc_endpoint, event.resources, event.request].map(bytes_of)
}

/// Whether a record with the same id and the same to say was counted.
#[inline]
fn is_copy(what: u64, id: &[u8], time: Timestamp, copies: &mut Copies<'_>) -> bool {
    copies.note(id, time.epoch_seconds(), time.day());
    if id.len() <= 2 {
        return false;
    }
    let fingerprint = mix(hash(what, id), time.epoch_seconds().cast_unsigned());
    !copies.is_new(fingerprint, time.day())
}

fn id_of<'a>(event: &Event<'a>) -> &'a [u8] {
    bytes_of(event.event_id).strip_prefix(b"\"").and_then(|id| id.strip_suffix(b"\"")).unwrap_or_default()
}

/// Counts a call whose resources were named.
fn observe_varying(tally: &mut Tally, caller: &Caller, shape: &Shape, one: &More<'_>) {
    if let Verdict::Varying(calls, _) = &shape.verdict {
        let calls = calls.iter().map(|named| &named.call);
        tally.observe(&caller.role, caller.function.as_deref(), calls, one);
    }
}

fn bytes_of(raw: Option<Raw<'_>>) -> &[u8] {
    raw.map_or(&[], |raw| raw.0)
}

/// Puts the records of a shape where they belong.
fn take_in(tally: &mut Tally, callers: &Table<Who>, names: &Table<Name<'_>>, shape: Shape) {
    let Shape { caller, name, verdict, stat } = shape;
    let caller = callers.get(caller).and_then(|who| who.caller.as_ref().ok());
    let meaning = names.get(name).and_then(|name| name.meaning.as_ref());
    let (Some(caller), Some(meaning)) = (caller, meaning) else { return };
    match verdict {
        Verdict::Free => tally.skip_many(SkipReason::NoPermissionNeeded, stat.count + stat.denied),
        Verdict::Unresolved => {
            tally.unresolved(&meaning.source, &meaning.name, &caller.role, stat.count + stat.denied);
        }
        Verdict::Observed(calls) => {
            tally.observe(&caller.role, caller.function.as_deref(), &calls, &More::Stat(&stat));
        }
        // Counted one by one.
        Verdict::Varying(..) => {}
    }
}

fn wanted(options: &Options, caller: &Caller) -> bool {
    let name = caller.role.rsplit('/').next().unwrap_or_default();
    // Whose an id is, the logs do not tell.
    let is_asked = |role: &String| **role == *caller.role || role == name;
    (options.roles.is_empty() || caller.by_id || options.roles.iter().any(is_asked))
        && (options.accounts.is_empty() || options.accounts.iter().any(|account| account.as_str() == caller.account()))
}
