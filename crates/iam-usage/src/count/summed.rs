//! Counts rows that a query engine counted before: each stands for many records that say the same.

use iam_model::time::Timestamp;
use iam_model::usage::SkipReason;

use super::{Records, take_in};
use crate::event::Event;
use crate::fold::Stat;
use crate::json::Raw;
use crate::recall::Memory;
use crate::seen::Copies;
use crate::shapes::Shape;
use crate::summed::Summed;

impl Records<'_> {
    /// Counts a row; `false` where it lacks what is needed to place it.
    pub(crate) fn count_summed(&mut self, row: &Summed, copies: &mut Copies<'_>) -> bool {
        let all = row.calls + row.copies;
        self.tally().records += all;
        let memory = Memory::default();
        let scanned = Event::scan(&row.record, 0, &memory).ok().map(|(event, _)| event);
        let times = scanned.as_ref().and_then(|event| Some((event, event.time()?, last_of(row)?)));
        let Some((event, first, last)) = times else {
            self.skip_some(SkipReason::Incomplete, all);
            return false;
        };
        copies.note(&row.record, first.epoch_seconds() ^ last.epoch_seconds().rotate_left(32), first.day());
        self.skip_some(SkipReason::Duplicate, row.copies);
        self.make_room();
        let place = self.place(event);
        match self.parts(event, self.within(first, last), place) {
            Err(reason) => {
                self.skip_some(reason, row.calls);
                if reason != SkipReason::FilteredOut {
                    self.saw(place, (first, last));
                } else if let Some(place) = self.places.get_mut(place) {
                    [first, last]
                        .into_iter()
                        .filter(|time| self.options.is_within(*time))
                        .for_each(|time| place.had_record(time));
                }
                reason != SkipReason::Incomplete
            }
            Ok(parts) => {
                self.saw(place, (first, last));
                let request = self.shape_key(event, parts);
                let request = event.request.map(|_| Raw(self.key.get(request..).unwrap_or_default()));
                let verdict = self.judge(&Event { request, ..*event }, parts);
                let stat = Stat::many(row.calls, parts.denied, (first, last), &row.ids);
                let shape = Shape { caller: parts.caller, name: parts.name, verdict, stat };
                take_in(&mut self.tally, &self.callers, &self.names, shape);
                true
            }
        }
    }

    fn saw(&mut self, place: u32, times: (Timestamp, Timestamp)) {
        if let Some(place) = self.places.get_mut(place) {
            place.saw(times.0);
            place.saw(times.1);
        }
    }

    fn skip_some(&mut self, reason: SkipReason, count: u64) {
        if count > 0 {
            self.tally().skip_many(reason, count);
        }
    }

    /// A time of the row's that is within what was asked for, if there is one: of a row that is only partly within, all
    /// counts, since it cannot be taken apart and more evidence cuts less.
    fn within(&self, first: Timestamp, last: Timestamp) -> Timestamp {
        self.options.since.map_or(first, |since| first.max(since.min(last)))
    }
}

fn last_of(row: &Summed) -> Option<Timestamp> {
    Event { event_time: Some(Raw(&row.last)), ..Event::default() }.time()
}

#[cfg(test)]
mod tests;
