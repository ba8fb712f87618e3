//! Records like one that was counted before, told by comparing bytes and counted without being read.

use std::borrow::Cow;

use super::{Parts, Records, Where, bytes_of, call_flags, is_copy, observe_varying, told};
use crate::event::Event;
use crate::fold::More;
use crate::hash::{hash, hash_parts, mix};
use crate::json::Raw;
use crate::layout::{self, Filled};
use crate::learn::{Learned, caller_of, telling};
use crate::needed::Needed;
use crate::seen::Copies;
use crate::shapes::{Told, came_before};
use iam_model::time::Timestamp;
use iam_model::usage::SkipReason;

/// Layouts kept at once: so many of calls that share a slot.
const SLOTS: usize = 1 << 9;
const WAYS: usize = 8;

/// Bytes of the texts that layouts are made of.
const MOST_TEXT: usize = 2 << 20;

/// Bits of [`Known::once`].
const ONCE_BITS: usize = 1 << 17;

/// Bytes of a record that is worth learning.
const LONGEST_RECORD: usize = 8 << 10;

/// Layouts by caller and call.
pub(super) struct Known {
    slots: Vec<Slot>,
    texts: layout::Parts,
    /// Bits that remember what came once: a layout is learned from the second record on that is not recognised.
    once: Vec<u64>,
    filled: Filled,
}

struct Slot {
    key: u64,
    like: Option<Box<Like>>,
}

/// What is known of records of one layout.
struct Like {
    learned: Learned,
    shape: u32,
    place: u32,
    denied: bool,
    /// Whether their resources differ.
    varies: bool,
    /// What stands for who called what and where, for the endpoint, and for all they tell if that is always the same.
    call: u64,
    endpoint: u64,
    told: u64,
}

impl Default for Known {
    fn default() -> Self {
        let slots = std::iter::repeat_with(|| Slot { key: 0, like: None }).take(SLOTS * WAYS).collect();
        Self { slots, texts: layout::Parts::default(), once: vec![0; ONCE_BITS / 64], filled: Filled::default() }
    }
}

impl Known {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.like = None);
        self.texts.clear();
        self.once.fill(0);
    }

    /// What is known of the record whose caller ends at `at`, and the offset after it.
    #[inline]
    fn find(&mut self, key: u64, bytes: &[u8], at: usize) -> Option<(&Like, &Filled, usize)> {
        let Self { slots, texts, filled, .. } = self;
        let first = first_way(key);
        let ways = slots.get_mut(first..first + WAYS)?;
        let (mut way, mut end) = (0, None);
        for (number, slot) in ways.iter().enumerate() {
            if let Some(like) = slot.like.as_ref().filter(|_| slot.key == key) {
                end = like.learned.layout.fit(texts, bytes, at, filled);
                way = number;
            }
            if end.is_some() {
                break;
            }
        }
        let end = end?;
        // What is used stays in front.
        if let Some(before) = way.checked_sub(1) {
            ways.swap(before, way);
            way = before;
        }
        Some((ways.get(way)?.like.as_ref()?, filled, end))
    }

    fn insert(&mut self, key: u64, like: Like) {
        let first = first_way(key);
        let Some(ways) = self.slots.get_mut(first..first + WAYS) else { return };
        ways.rotate_right(1);
        if let Some(slot) = ways.first_mut() {
            *slot = Slot { key, like: Some(Box::new(like)) };
        }
    }
}

fn first_way(key: u64) -> usize {
    usize::try_from(key >> 20).unwrap_or_default() % SLOTS * WAYS
}

/// What tells the slot of a call.
#[inline]
fn slot_key(caller: u32, bytes: &[u8], at: usize) -> Option<u64> {
    Some(hash(u64::from(caller), telling(bytes, at)?))
}

impl Records<'_> {
    /// Counts the record that starts here, if it is like one before; the offset after it. Without one, nothing was done.
    pub(crate) fn count_known(&mut self, bytes: &[u8], copies: &mut Copies<'_>) -> Option<usize> {
        let (recalled, at) = self.memory.recall(bytes, caller_of(bytes)?)?;
        if recalled.ticket.round != self.round {
            return None;
        }
        let key = slot_key(recalled.ticket.number, bytes, at)?;
        let Self { known, shapes, names, callers, places, tally, options, .. } = self;
        let (like, filled, end) = known.find(key, bytes, at)?;
        let time = Timestamp::parse(like.learned.time(bytes, filled)?)?;
        if !options.is_within(time) {
            return None;
        }
        let shape = shapes.table.get_mut(like.shape)?;
        let place = places.get_mut(like.place)?;
        let (id, quoted) = like.learned.id(bytes, filled)?;
        let [resources, request] = like.learned.told(bytes, filled)?;
        if like.varies {
            let meaning = names.get(shape.name)?.meaning.as_ref()?;
            let caller = callers.get(shape.caller)?.caller.as_ref().ok()?;
            let arn = |hole: &usize| std::str::from_utf8(bytes.get(filled.hole(*hole))?).ok().map(Cow::Borrowed);
            let arns: Vec<Cow<'_, str>> = like.learned.arns.iter().map(arn).collect::<Option<_>>()?;
            let Where { region, account, .. } = place;
            let (resources, request) = (resources.map(Raw), request.map(Raw));
            let told = Told { caller, region, account, arns: &arns, resources, request };
            shape.place(&meaning.resolved, &meaning.needed, &told);
        }
        let told = if like.learned.holes_within {
            let [resources, request] = [resources, request].map(Option::unwrap_or_default);
            mix(like.call, hash(hash(like.endpoint, resources), request))
        } else {
            like.told
        };
        tally.records += 1;
        if is_copy(told, quoted, time, copies) {
            tally.skip(SkipReason::Duplicate);
            return Some(end);
        }
        place.saw(time);
        if like.varies {
            let one = More::Call { denied: like.denied, time, id };
            observe_varying(tally, callers.get(shape.caller)?.caller.as_ref().ok()?, shape, &one);
        } else {
            shape.stat.again(like.denied, time, id);
        }
        Some(end)
    }

    /// Learns what a record is like that was counted with this shape; `varies`: others may name other resources.
    pub(super) fn learn(&mut self, event: &Event<'_>, parts: Parts, shape: u32, varies: bool) {
        let Parts { place, denied, .. } = parts;
        let is_placed = self.places.get(place).is_some_and(|place| !place.account.is_empty());
        if event.whole.len() > LONGEST_RECORD || !is_placed {
            return;
        }
        // Errors make layouts of their own, most of them rare.
        let error = hash(u64::from(shape), bytes_of(event.error_code));
        if !came_before(&mut self.known.once, error) {
            return;
        }
        if self.known.texts.size() > MOST_TEXT {
            self.known.clear();
        }
        let Some(meaning) = self.names.get(parts.name).and_then(|name| name.meaning.as_ref()) else { return };
        let needed: Option<&Needed> = if varies { meaning.beside.as_ref() } else { Some(&meaning.needed) };
        let learned = needed.and_then(|needed| Learned::of(event, needed, varies, &mut self.known.texts));
        let Some((learned, at)) = learned else { return };
        let Some(key) = slot_key(parts.caller, event.whole, at) else { return };
        let call = self.call_hash(parts, call_flags(event, parts));
        let [endpoint, resources, request] = told(event);
        let told = mix(call, hash_parts(&[endpoint, resources, request]));
        let endpoint = hash_parts(&[endpoint]);
        self.known.insert(key, Like { learned, shape, place, denied, varies, call, endpoint, told });
    }
}
