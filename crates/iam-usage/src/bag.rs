//! A map of few entries in the order they came, found by a short number of their key: for keys that take long to compare.

/// Entries, and the number of each.
#[derive(Debug, Clone)]
pub(crate) struct Bag<K, V> {
    numbers: Vec<u32>,
    entries: Vec<(K, V)>,
}

impl<K, V> Default for Bag<K, V> {
    fn default() -> Self {
        Self { numbers: Vec::new(), entries: Vec::new() }
    }
}

impl<K, V> Bag<K, V> {
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.entries.iter()
    }

    /// The value of the key that has this number and that `is` recognises.
    pub(crate) fn get_mut(&mut self, number: u32, is: impl Fn(&K) -> bool) -> Option<&mut V> {
        let mut from = 0;
        loop {
            let at = from + self.numbers.get(from..)?.iter().position(|own| *own == number)?;
            if self.entries.get(at).is_some_and(|(key, _)| is(key)) {
                return self.entries.get_mut(at).map(|(_, value)| value);
            }
            from = at + 1;
        }
    }

    /// Adds an entry whose key is not there yet.
    pub(crate) fn insert(&mut self, number: u32, key: K, value: V) {
        // A first entry is mostly the only one.
        if self.entries.is_empty() {
            self.numbers.reserve_exact(1);
            self.entries.reserve_exact(1);
        }
        self.numbers.push(number);
        self.entries.push((key, value));
    }
}

impl<K, V> IntoIterator for Bag<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_not_equal_keys() {
        let mut bag: Bag<&str, u32> = Bag::default();
        for (number, key, value) in [(7, "a", 1), (7, "b", 2), (8, "c", 3)] {
            assert_eq!(bag.get_mut(number, |own| *own == key), None);
            bag.insert(number, key, value);
        }
        assert_eq!(bag.get_mut(7, |own| *own == "b"), Some(&mut 2));
        assert_eq!(bag.get_mut(8, |own| *own == "b"), None);
        assert_eq!(bag.len(), 3);
        assert_eq!(bag.into_iter().map(|(key, _)| key).collect::<String>(), "abc");
    }
}
