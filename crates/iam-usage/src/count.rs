//! Counts records, each in exactly one place: it gave observations, it was skipped with a reason, or nothing explains it.
//!
//! Most records are like one before: the same caller, event name, place and parameters that matter. Such records are
//! judged once and counted together; what they have in common is their *shape*. How a call is judged is told elsewhere.

use iam_model::catalog::Catalog;
use iam_model::time::Timestamp;
use iam_model::usage::SkipReason;

use crate::calls::{Authorised, Calls, of_event};
use crate::event::Event;
use crate::fold::Stat;
use crate::hash::{Table, hash, hash_parts, mix};
use crate::identity::{Caller, Identity};
use crate::json::Raw;
use crate::options::Options;
use crate::outcome::is_denied;
use crate::plan::{Needed, Resolved, resolve};
use crate::recall::Ticket;
use crate::seen::Copies;
use crate::tally::Tally;

/// Callers, event names and places told apart at once; hostile logs may make up more.
const MOST_PARTS: usize = 20_000;

/// Shapes kept at once, and the bytes of their keys.
const MOST_SHAPES: usize = 8_000;
const MOST_KEY_BYTES: usize = 3 << 20;

/// What records say, kept at once: no more than stays in a core's own cache.
const MOST_TOLD: usize = 2_000;
const MOST_TOLD_BYTES: usize = 640 << 10;

/// Bytes a shape's key may have; a record with more is judged alone.
const LONGEST_KEY: usize = 4096;

/// Bits that remember which shapes came once. A shape is kept from its second time on.
const ONCE_BITS: usize = 1 << 18;

/// Counts the records a thread reads.
pub(crate) struct Records<'s> {
    catalog: &'s Catalog,
    options: &'s Options,
    callers: Table<Who>,
    names: Table<Name<'s>>,
    places: Table<Where>,
    shapes: Table<Shape>,
    /// Shapes by all that their records say.
    told: Table<u32>,
    once: Vec<u64>,
    once_told: Vec<u64>,
    key: Vec<u8>,
    tally: Tally,
    /// How often numbers were given anew.
    round: u32,
    /// Whose the last record was, where that was known before.
    ticket: Option<Ticket>,
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
}

/// An account and region events came from, and when.
struct Where {
    hash: u64,
    account: Box<str>,
    region: Box<str>,
    seen: Option<(Timestamp, Timestamp)>,
}

/// Records of one shape.
struct Shape {
    caller: u32,
    name: u32,
    verdict: Verdict,
    stat: Stat,
}

/// What became of the records of a shape.
enum Verdict {
    Free,
    Unresolved,
    Observed(Vec<Authorised>),
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
            shapes: Table::default(),
            told: Table::default(),
            once: vec![0; ONCE_BITS / 64],
            once_told: vec![0; ONCE_BITS / 64],
            key: Vec::new(),
            tally: Tally::default(),
            round: 0,
            ticket: None,
        }
    }

    /// A number for the caller of the last record, where it was read and known before.
    pub(crate) const fn ticket(&mut self) -> Option<Ticket> {
        self.ticket.take()
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
        if self.callers.len().max(self.names.len()).max(self.places.len()) >= MOST_PARTS {
            self.flush();
            self.forget_parts();
        }
        let place = self.place(event);
        match self.parts(event, time, place) {
            Err(reason) => {
                let place_hash = self.places.get(place).map_or(0, |place| place.hash);
                let what = hash(place_hash, reason.as_str().as_bytes());
                if self.is_copy(what, event, time, copies) {
                    self.tally.skip(SkipReason::Duplicate);
                } else {
                    self.tally.skip(reason);
                    if reason != SkipReason::FilteredOut {
                        self.saw(place, time);
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

    /// Who called what, or why the record does not count.
    fn parts(&mut self, event: &Event<'_>, time: Timestamp, place: u32) -> Result<Parts, SkipReason> {
        let Options { since, until, .. } = self.options;
        if since.is_some_and(|since| time < since) || until.is_some_and(|until| time > until) {
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
        let head = head(event, parts);
        let told = [&head[..], bytes_of(event.vpc_endpoint), bytes_of(event.resources), bytes_of(event.request)];
        // The numbers in the head are this thread's own; what stands for them is the same in every run.
        let [_, rest @ ..] = told;
        let told_hash = mix(self.call_hash(parts, flags(&head)), hash_parts(&rest));
        if self.is_copy(told_hash, event, time, copies) {
            return self.tally.skip(SkipReason::Duplicate);
        }
        self.saw(parts.place, time);
        let id = bytes_of(event.event_id).strip_prefix(b"\"").and_then(|id| id.strip_suffix(b"\"")).unwrap_or_default();
        let known = self.told.find_parts(told_hash, &told).and_then(|at| self.told.get(at));
        if let Some(shape) = known.and_then(|shape| self.shapes.get_mut(*shape)) {
            return shape.stat.again(parts.denied, time, id);
        }
        let request = self.shape_key(event, parts, &told);
        let shape_hash = hash(0, &self.key);
        if let Some(number) = self.shapes.find(shape_hash, &self.key) {
            self.remember_told(told_hash, &told, number);
            if let Some(shape) = self.shapes.get_mut(number) {
                shape.stat.again(parts.denied, time, id);
            }
            return;
        }
        let stat = Stat::one(parts.denied, time, id);
        let request = event.request.map(|_| Raw(self.key.get(request..).unwrap_or_default()));
        let verdict = self.judge(&Event { request, ..*event }, parts);
        let shape = Shape { caller: parts.caller, name: parts.name, verdict, stat };
        if came_before(&mut self.once, shape_hash) && self.key.len() <= LONGEST_KEY {
            if self.shapes.len() >= MOST_SHAPES || self.shapes.key_bytes() >= MOST_KEY_BYTES {
                self.flush();
            }
            self.shapes.insert(shape_hash, &self.key, shape);
        } else {
            take_in(&mut self.tally, &self.callers, &self.names, shape);
        }
    }

    /// Remembers the shape of records that say just this, from the second such record on.
    fn remember_told<const N: usize>(&mut self, hash: u64, told: &[&[u8]; N], shape: u32) {
        let length: usize = told.iter().map(|part| part.len()).sum();
        if length > LONGEST_KEY || !came_before(&mut self.once_told, hash) {
            return;
        }
        if self.told.len() >= MOST_TOLD || self.told.key_bytes() >= MOST_TOLD_BYTES {
            self.told.drain().for_each(drop);
        }
        self.told.insert_parts(hash, told, shape);
    }

    /// A number for who called what and where, and whether in vain; the same in every run.
    fn call_hash(&self, parts: Parts, flags: u8) -> u64 {
        let who = self.callers.get(parts.caller).map_or(0, |who| who.hash);
        let what = self.names.get(parts.name).map_or(0, |name| name.hash);
        let place = self.places.get(parts.place).map_or(0, |place| place.hash);
        mix(mix(who, what), place ^ u64::from(flags))
    }

    /// Writes the key of a record's shape, the parameters that matter last; where they start.
    fn shape_key(&mut self, event: &Event<'_>, parts: Parts, told: &[&[u8]; 4]) -> usize {
        let Self { key, names, .. } = self;
        key.clear();
        let [head, endpoint, resources, _] = told;
        for part in [head, endpoint, resources] {
            key.extend_from_slice(part);
            key.push(0);
        }
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

    /// Whether a record with the same id and the same to say was counted.
    fn is_copy(&self, what: u64, event: &Event<'_>, time: Timestamp, copies: &mut Copies<'_>) -> bool {
        let id = bytes_of(event.event_id);
        copies.note(id, time.epoch_seconds(), time.day());
        if id.len() <= 2 {
            return false;
        }
        let fingerprint = mix(hash(what, id), time.epoch_seconds().cast_unsigned());
        !copies.is_new(fingerprint, time.day())
    }

    /// Notes when an event came from a place.
    fn saw(&mut self, place: u32, time: Timestamp) {
        if let Some(place) = self.places.get_mut(place) {
            let (first, last) = place.seen.unwrap_or((time, time));
            place.seen = Some((first.min(time), last.max(time)));
        }
    }

    /// Counts the shapes kept, and forgets them.
    fn flush(&mut self) {
        self.once.fill(0);
        self.told.drain().for_each(drop);
        for shape in self.shapes.drain() {
            take_in(&mut self.tally, &self.callers, &self.names, shape);
        }
    }

    /// Forgets callers, names and places; there must be no shapes.
    fn forget_parts(&mut self) {
        self.round += 1;
        self.ticket = None;
        self.callers.drain().for_each(drop);
        self.names.drain().for_each(drop);
        for place in self.places.drain() {
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
            self.ticket = Some(Ticket { round: self.round, number: known });
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
            Meaning { needed: Needed::of(&resolved), resolved, source: source.into(), name: name.into() }
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
        places.insert_parts(hash, &parts, Where { hash, account, region, seen: None })
    }
}

/// Bytes of [`head`]; the last holds whether the call was denied and only read.
const HEAD: usize = 13;

/// What tells a record's shape beside its texts.
fn head(event: &Event<'_>, parts: Parts) -> [u8; HEAD] {
    let read_only = event.read_only.is_some_and(Raw::is_true);
    let numbers = u128::from(parts.caller) | u128::from(parts.name) << 32 | u128::from(parts.place) << 64;
    let flags = u8::from(parts.denied) | u8::from(read_only) << 1;
    let all = (numbers | u128::from(flags) << 96).to_le_bytes();
    all.first_chunk().copied().unwrap_or_default()
}

const fn flags(head: &[u8; HEAD]) -> u8 {
    let [.., flags] = *head;
    flags
}

/// Whether something of this hash came before, as far as is remembered; it is remembered from now on.
fn came_before(once: &mut [u64], hash: u64) -> bool {
    let bit = usize::try_from(hash >> 32).unwrap_or_default() % ONCE_BITS;
    let Some(word) = once.get_mut(bit / 64) else { return false };
    let before = *word >> (bit % 64) & 1 == 1;
    *word |= 1 << (bit % 64);
    before
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
        Verdict::Observed(calls) => tally.observe(&caller.role, caller.function.as_deref(), &calls, &stat),
    }
}

fn wanted(options: &Options, caller: &Caller) -> bool {
    let name = caller.role.rsplit('/').next().unwrap_or_default();
    (options.roles.is_empty() || options.roles.iter().any(|role| **role == *caller.role || role == name))
        && (options.accounts.is_empty() || options.accounts.iter().any(|account| account.as_str() == caller.account()))
}
