//! Putting parts into as few documents as possible: first fit decreasing, then a bounded search for fewer.
//!
//! Sizes add up: a document is what stands around its statements, the statements, and a comma between them.

use std::cmp::Reverse;

use iam_model::policy::{PolicyDocument, PolicyVersion};

use super::{Part, Version, characters};

/// Characters around the statements of a document.
pub(super) const AROUND: usize = r#"{"Version":"2012-10-17","Statement":[]}"#.len();
/// Steps of the search for fewer documents than the first packing took.
const STEPS: usize = 200_000;

/// Documents as lists of parts.
pub(super) struct Packed {
    pub(super) bins: Vec<Vec<Part>>,
    /// Whether fewer are known not to do.
    pub(super) fewest: bool,
}

/// Packs parts that each fit into a document alone.
pub(super) fn pack(parts: Vec<Part>, most: usize) -> Packed {
    let is_old = |part: &Part| part.version == Version::Of(PolicyVersion::V2008);
    let (old, new): (Vec<Part>, Vec<Part>) = parts.into_iter().partition(is_old);
    let mut packed = Packed { bins: Vec::new(), fewest: true };
    for parts in [new, old] {
        let sizes: Vec<usize> = parts.iter().map(size).collect();
        let (assigned, fewest) = assign(&sizes, most.saturating_sub(AROUND) + 1);
        packed.fewest &= fewest;
        let mut bins: Vec<Vec<(usize, Part)>> = Vec::new();
        for (at, (part, bin)) in parts.into_iter().zip(assigned).enumerate() {
            while bins.len() <= bin {
                bins.push(Vec::new());
            }
            if let Some(bin) = bins.get_mut(bin) {
                bin.push((at, part));
            }
        }
        // Documents in the order of their first statements, so that a change of one moves no other.
        bins.retain(|bin| !bin.is_empty());
        bins.sort_by_key(|bin| bin.first().map(|(at, _)| *at));
        packed.bins.extend(bins.into_iter().map(|bin| bin.into_iter().map(|(_, part)| part).collect()));
    }
    packed
}

/// As few documents as these parts take by their characters alone.
pub(super) fn least(parts: &[Part], most: usize) -> usize {
    let room = most.saturating_sub(AROUND) + 1;
    parts.iter().map(size).sum::<usize>().div_ceil(room.max(1))
}

/// Characters of a part with the comma after it.
fn size(part: &Part) -> usize {
    characters(&PolicyDocument::new(vec![part.statement.clone()])).saturating_sub(AROUND) + 1
}

/// A bin for each size, of bins that hold `room`; and whether no fewer bins do.
fn assign(sizes: &[usize], room: usize) -> (Vec<usize>, bool) {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    let size = |at: usize| sizes.get(at).copied().unwrap_or_default();
    order.sort_by_key(|at| (Reverse(size(*at)), *at));
    let mut best = vec![0; sizes.len()];
    let mut free: Vec<usize> = Vec::new();
    for at in &order {
        let found = free.iter().position(|left| *left >= size(*at));
        let bin = found.unwrap_or_else(|| {
            free.push(room);
            free.len() - 1
        });
        if let (Some(left), Some(slot)) = (free.get_mut(bin), best.get_mut(*at)) {
            *left = left.saturating_sub(size(*at));
            *slot = bin;
        }
    }
    let least = sizes.iter().sum::<usize>().div_ceil(room.max(1));
    if free.len() <= least {
        return (best, true);
    }
    let ordered: Vec<usize> = order.iter().map(|at| size(*at)).collect();
    let mut search = Search { sizes: &ordered, room, steps: STEPS, chosen: vec![0; ordered.len()] };
    for bins in least..free.len() {
        match search.fits_into(0, &mut vec![room; bins]) {
            Some(true) => {
                for (at, bin) in order.iter().zip(&search.chosen) {
                    if let Some(slot) = best.get_mut(*at) {
                        *slot = *bin;
                    }
                }
                return (best, true);
            }
            Some(false) => {}
            None => return (best, false),
        }
    }
    (best, true)
}

struct Search<'s> {
    sizes: &'s [usize],
    room: usize,
    steps: usize,
    chosen: Vec<usize>,
}

impl Search<'_> {
    /// Whether the sizes from `at` on fit; nothing where the steps ran out.
    fn fits_into(&mut self, at: usize, free: &mut Vec<usize>) -> Option<bool> {
        let Some(size) = self.sizes.get(at).copied() else { return Some(true) };
        let rest: usize = self.sizes.iter().skip(at).sum();
        if rest > free.iter().sum() {
            return Some(false);
        }
        let mut tried = Vec::new();
        for bin in 0..free.len() {
            let left = free.get(bin).copied().unwrap_or_default();
            // Bins with the same room are the same.
            if left < size || tried.contains(&left) {
                continue;
            }
            tried.push(left);
            self.steps = self.steps.checked_sub(1)?;
            if let Some(slot) = free.get_mut(bin) {
                *slot = left - size;
            }
            if let Some(slot) = self.chosen.get_mut(at) {
                *slot = bin;
            }
            if self.fits_into(at + 1, free)? {
                return Some(true);
            }
            if let Some(slot) = free.get_mut(bin) {
                *slot = left;
            }
            if left == self.room {
                break;
            }
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::assign;

    #[test]
    fn as_few_bins_as_there_can_be() {
        for (sizes, room, bins, fewest) in [
            (vec![], 10, 0, true),
            (vec![10, 10], 10, 2, true),
            (vec![5, 5, 5, 5], 10, 2, true),
            // First fit decreasing takes three.
            (vec![6, 5, 5, 4, 4, 3, 3], 15, 2, true),
            (vec![4, 4, 4, 6, 6, 6], 10, 3, true),
            (vec![6, 6, 6], 10, 3, true),
        ] {
            let (assigned, known) = assign(&sizes, room);
            let used = assigned.iter().max().map_or(0, |most| most + 1);
            assert_eq!((used, known), (bins, fewest), "{sizes:?}");
            for bin in 0..used {
                let held: usize = sizes.iter().zip(&assigned).filter(|(_, at)| **at == bin).map(|(size, _)| size).sum();
                assert!(held <= room, "{sizes:?}: {held}");
            }
        }
    }
}
