//! A map of few entries, in order, in one piece of memory: most maps of counts hold one entry or two, for which a tree's
//! node would be ten times too large.

use std::borrow::Borrow;
use std::cmp::Ordering;

/// Entries in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sorted<K, V>(Vec<(K, V)>);

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Sorted<K, V> {
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The entry's value; where there is none, `make` gives the entry.
    pub(crate) fn get_or<Q: Ord + ?Sized>(&mut self, key: &Q, make: impl FnOnce() -> (K, V)) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let order = |(own, _): &(K, V)| -> Ordering { own.borrow().cmp(key) };
        let at = match self.0.binary_search_by(order) {
            Ok(at) => at,
            Err(at) => {
                // A first entry is mostly the only one.
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                self.0.insert(at, make());
                at
            }
        };
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// The first entry, taken out.
    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }
}

impl<K, V> IntoIterator for Sorted<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_order_and_found_again() {
        let mut map: Sorted<String, u32> = Sorted::default();
        for (number, key) in ["m", "a", "z", "a", "b"].iter().enumerate() {
            let value = map.get_or(*key, || ((*key).to_owned(), 0)).unwrap();
            *value = *value * 10 + u32::try_from(number).unwrap();
        }
        assert_eq!(map.0.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "b", "m", "z"]);
        assert_eq!(map.pop_first(), Some(("a".to_owned(), 13)));
        assert_eq!(map.len(), 3);
    }
}
