//! Records that are alike: of the same caller, event name and place, with the same parameters as far as they matter.
//!
//! They are judged once and counted together. How a call is judged is told elsewhere.

use std::borrow::Cow;

use crate::calls::{Authorised, Varying, call_of};
use crate::fold::Stat;
use crate::hash::Table;
use crate::identity::Caller;
use crate::json::Raw;
use crate::needed::Needed;
use crate::plan::Resolved;

/// Shapes kept at once, and the bytes of their keys.
const MOST_SHAPES: usize = 8_000;
const MOST_KEY_BYTES: usize = 3 << 20;

/// Bytes a shape's key may have; a record with more is judged alone.
const LONGEST_KEY: usize = 4096;

/// Bits that remember which shapes came once. A shape is kept from its second time on.
const ONCE_BITS: usize = 1 << 18;

/// Records of one shape.
pub(crate) struct Shape {
    pub(crate) caller: u32,
    pub(crate) name: u32,
    pub(crate) verdict: Verdict,
    pub(crate) stat: Stat,
}

/// What became of the records of a shape.
pub(crate) enum Verdict {
    Free,
    Unresolved,
    Observed(Vec<Authorised>),
    /// Their resources differ, and each is counted for itself. How many there were, too.
    Varying(Vec<Varying>, u32),
}

/// The shapes kept.
pub(crate) struct Shapes {
    pub(crate) table: Table<Shape>,
    once: Vec<u64>,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { table: Table::default(), once: vec![0; ONCE_BITS / 64] }
    }
}

impl Shapes {
    /// Whether a shape is worth to be kept: it came before, as far as is remembered.
    pub(crate) fn is_usual(&mut self, hash: u64, key: &[u8]) -> bool {
        came_before(&mut self.once, hash) && key.len() <= LONGEST_KEY
    }

    pub(crate) fn is_full(&self) -> bool {
        self.table.len() >= MOST_SHAPES || self.table.key_bytes() >= MOST_KEY_BYTES
    }

    /// Takes all out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Shape> {
        self.once.fill(0);
        self.table.drain()
    }
}

/// What tells the resources of one call.
pub(crate) struct Told<'t> {
    pub(crate) caller: &'t Caller,
    pub(crate) region: &'t str,
    pub(crate) account: &'t str,
    /// ARNs among the event's own resources.
    pub(crate) arns: &'t [Cow<'t, str>],
    pub(crate) resources: Option<Raw<'t>>,
    pub(crate) request: Option<Raw<'t>>,
}

impl Shape {
    /// Tells the resources of a call, where they differ.
    pub(crate) fn place(&mut self, resolved: &Resolved<'_>, needed: &Needed, told: &Told<'_>) {
        let Verdict::Varying(calls, _) = &mut self.verdict else { return };
        let mut request = Vec::new();
        for call in calls {
            if !call.by_arns(resolved, told.arns) {
                if let Some(raw) = told.request.filter(|_| request.is_empty()) {
                    needed.project(raw, &mut request);
                }
                let request = told.request.map(|_| Raw(&request));
                let facts = call_of(request, told.caller, told.region, told.account);
                call.by_call(resolved, &facts, told.resources);
            }
        }
    }
}

/// Whether something of this hash came before, as far as is remembered; it is remembered from now on.
pub(crate) fn came_before(once: &mut [u64], hash: u64) -> bool {
    let words = once.len().max(1);
    let number = usize::try_from(hash >> 32).unwrap_or_default();
    let Some(word) = once.get_mut(number / 64 % words) else { return false };
    let before = *word >> (number % 64) & 1 == 1;
    *word |= 1 << (number % 64);
    before
}
