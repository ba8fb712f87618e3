//! The facts of a request that conditions and variables read: known, known to be absent, or not known.
//!
//! Holds facts only; it derives none. Follows the IAM User Guide topic "AWS global condition context keys".

use iam_model::condition::ConditionKey;

/// What is known about one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState<'c> {
    /// The key has these values; an empty list is a key without a value.
    Present(&'c [String]),
    /// The request does not carry the key.
    Absent,
    /// Nobody knows.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fact {
    /// Most keys have one value.
    Value(String),
    Values(Vec<String>),
    Absent,
    Unknown,
}

/// The context of a request: keys compare without regard to case.
///
/// ```
/// use iam_evaluate::{Context, KeyState};
/// use iam_model::condition::ConditionKey;
/// let mut context = Context::open();
/// context.set(ConditionKey::new("aws:SourceIp"), vec!["192.0.2.1".into()]);
/// assert!(matches!(context.state(&ConditionKey::new("AWS:sourceip")), KeyState::Present([_])));
/// assert_eq!(context.state(&ConditionKey::new("aws:username")), KeyState::Unknown);
/// assert_eq!(Context::complete().state(&ConditionKey::new("aws:username")), KeyState::Absent);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    facts: Vec<(ConditionKey, Fact)>,
    /// A bit for each key, so that most keys that are not listed are seen not to be without comparing them.
    bits: u64,
    complete: bool,
    /// Keys that start so and are not listed are absent.
    closed: Option<&'static str>,
}

impl Context {
    /// A context in which every key that is not set is absent.
    #[must_use]
    pub const fn complete() -> Self {
        Self { facts: Vec::new(), bits: 0, complete: true, closed: None }
    }

    /// A context in which every key that is not set is unknown.
    #[must_use]
    pub const fn open() -> Self {
        Self { facts: Vec::new(), bits: 0, complete: false, closed: None }
    }

    /// Makes room for so many more keys.
    pub(crate) fn reserve(&mut self, keys: usize) {
        self.facts.reserve(keys);
    }

    /// Gives a key its values, replacing what was known.
    pub fn set(&mut self, key: ConditionKey, mut values: Vec<String>) {
        let one = if values.len() == 1 { values.pop() } else { None };
        self.put(key, one.map_or(Fact::Values(values), Fact::Value));
    }

    /// Gives a key one value, replacing what was known.
    pub fn set_one(&mut self, key: ConditionKey, value: impl Into<String>) {
        self.put(key, Fact::Value(value.into()));
    }

    /// Marks a key as absent from the request.
    pub fn set_absent(&mut self, key: ConditionKey) {
        self.put(key, Fact::Absent);
    }

    /// Marks a key as not known.
    pub fn set_unknown(&mut self, key: ConditionKey) {
        self.put(key, Fact::Unknown);
    }

    fn put(&mut self, key: ConditionKey, fact: Fact) {
        let bit = bit_of(&key);
        let listed = if self.bits & bit == 0 { None } else { self.facts.iter_mut().find(|(known, _)| *known == key) };
        match listed {
            Some((_, old)) => *old = fact,
            None => self.facts.push((key, fact)),
        }
        self.bits |= bit;
    }

    /// What is known about a key.
    #[must_use]
    pub fn state(&self, key: &ConditionKey) -> KeyState<'_> {
        self.listed(key).unwrap_or(if self.complete { KeyState::Absent } else { KeyState::Unknown })
    }

    /// Whether every key that is not listed is absent.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// The keys with values, in the order they were first set.
    pub fn values(&self) -> impl Iterator<Item = (&ConditionKey, &[String])> {
        self.facts.iter().filter_map(|(key, fact)| match fact {
            Fact::Value(value) => Some((key, std::slice::from_ref(value))),
            Fact::Values(values) => Some((key, values.as_slice())),
            Fact::Absent | Fact::Unknown => None,
        })
    }

    /// Every key that starts so and is not listed is absent.
    pub(crate) const fn close(&mut self, prefix: &'static str) {
        self.closed = Some(prefix);
    }

    pub(crate) fn listed(&self, key: &ConditionKey) -> Option<KeyState<'_>> {
        let listed = self.listed_fact(key);
        let starts = |prefix: &str| {
            key.as_str().split_at_checked(prefix.len()).is_some_and(|(head, _)| head.eq_ignore_ascii_case(prefix))
        };
        listed.or_else(|| self.closed.filter(|prefix| starts(prefix)).map(|_| KeyState::Absent))
    }

    fn listed_fact(&self, key: &ConditionKey) -> Option<KeyState<'_>> {
        if self.bits & bit_of(key) == 0 {
            return None;
        }
        self.facts.iter().find(|(known, _)| known == key).map(|(_, fact)| match fact {
            Fact::Value(value) => KeyState::Present(std::slice::from_ref(value)),
            Fact::Values(values) => KeyState::Present(values),
            Fact::Absent => KeyState::Absent,
            Fact::Unknown => KeyState::Unknown,
        })
    }
}

/// One bit of 64, the same for keys that differ only in letter case.
fn bit_of(key: &ConditionKey) -> u64 {
    let bytes = key.as_str().as_bytes();
    let at = |index: usize| bytes.get(index).map_or(0, |byte| usize::from(byte.to_ascii_lowercase()));
    let length = bytes.len();
    1 << ((length + 7 * at(length / 2) + 31 * at(length.saturating_sub(1)) + 3 * at(4)) % 64)
}

/// What one decision knows: the request's own context, then what was derived from a snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'c> {
    pub(crate) request: &'c Context,
    pub(crate) derived: &'c [&'c Context],
}

impl<'c> Facts<'c> {
    pub(crate) fn state(&self, key: &ConditionKey) -> KeyState<'c> {
        if let Some(state) = self.request.listed(key) {
            return state;
        }
        if self.request.complete {
            return KeyState::Absent;
        }
        self.derived.iter().find_map(|context| context.listed(key)).unwrap_or(KeyState::Unknown)
    }
}
