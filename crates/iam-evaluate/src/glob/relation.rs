//! One pattern against a text, and one pattern against another.
//!
//! [`Glob::includes`] may answer "no" for a pattern that is included (never the other way round); the exact answer is
//! in [`super::language`].

use super::{Glob, Token, Variable};
use crate::budget::Budget;

impl Token {
    /// Whether this token, which is no `*`, matches the character.
    pub(crate) fn matches_char(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Fold(own) => *own == c.to_ascii_lowercase(),
            Self::One => true,
            Self::OneInSegment => c != ':',
            Self::Many | Self::ManyInSegment | Self::Variable { .. } => false,
        }
    }

    /// Whether this token, which is no `*`, matches all that `other` does.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Char(c)) => self.matches_char(*c),
            (Self::Fold(a), Self::Fold(b)) => a == b,
            (Self::One, Self::Fold(_) | Self::One | Self::OneInSegment)
            | (Self::OneInSegment, Self::Fold(_) | Self::OneInSegment) => true,
            (Self::Variable { variable: a, in_segment: mine }, Self::Variable { variable: b, in_segment: theirs }) => {
                a == b && (!mine || *theirs)
            }
            _ => false,
        }
    }

    /// Whether this `*` may swallow `other`.
    fn absorbs(&self, other: &Self) -> bool {
        match self {
            Self::Many => true,
            Self::ManyInSegment => match other {
                Self::Char(c) => *c != ':',
                Self::Fold(_) | Self::OneInSegment | Self::ManyInSegment => true,
                Self::Variable { in_segment, .. } => *in_segment,
                Self::One | Self::Many => false,
            },
            _ => false,
        }
    }

    /// Whether some character is matched by both; variables count as "any text".
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Char(c), _) => other.may_hold(*c),
            (_, Self::Char(c)) => self.may_hold(*c),
            (Self::Fold(a), Self::Fold(b)) => a == b,
            _ => true,
        }
    }

    fn may_hold(&self, c: char) -> bool {
        match self {
            Self::Many => true,
            Self::ManyInSegment => c != ':',
            Self::Variable { in_segment, .. } => !in_segment || c != ':',
            _ => self.matches_char(c),
        }
    }

    const fn is_long(&self) -> bool {
        self.is_many() || matches!(self, Self::Variable { .. })
    }
}

impl Glob {
    /// Whether the pattern matches the text. A pattern with an unbound variable matches no text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.matches_within(text, &Budget::unlimited()) == Some(true)
    }

    /// The same on a budget; nothing where that is used up.
    #[must_use]
    pub fn matches_within(&self, text: &str, budget: &Budget) -> Option<bool> {
        run(
            self.tokens(),
            text.chars(),
            |t, c| t.matches_char(*c),
            |t, c| matches!(t, Token::Many) || *c != ':',
            budget,
        )
    }

    /// Whether the pattern matches the text once its variables have their values; nothing where the budget is used up.
    pub(crate) fn matches_with<'v>(
        &self,
        text: &str,
        value: &dyn Fn(&Variable) -> Option<&'v str>,
        budget: &Budget,
    ) -> Option<bool> {
        if !self.has_variable {
            return self.matches_within(text, budget);
        }
        self.bind(value).map_or(Some(false), |bound| bound.matches_within(text, budget))
    }

    /// Whether every text `other` matches is surely matched by this pattern, whatever the variables' values.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.includes_within(other, &Budget::unlimited())
    }

    /// The same on a budget; no where that is used up.
    #[must_use]
    pub fn includes_within(&self, other: &Self, budget: &Budget) -> bool {
        if self.is_everything() {
            return true;
        }
        if self.head.parts_from(other.head) {
            return false;
        }
        if self.is_plain {
            return other.is_plain
                && self.tokens.len() == other.tokens.len()
                && budget.spend(self.tokens.len() / 8)
                && self.tokens.iter().zip(&other.tokens).all(|(a, b)| a.covers(b));
        }
        let agreed = self.prefix.min(other.prefix);
        if self.prefix > other.prefix && other.prefix == other.tokens.len() || !budget.spend(agreed / 4) {
            return false;
        }
        if self.tokens.iter().take(agreed).ne(other.tokens.iter().take(agreed)) {
            return false;
        }
        run(self.tokens(), other.tokens().iter(), |t, o| t.covers(o), |t, o| t.absorbs(o), budget) == Some(true)
    }

    /// Whether no text is matched by both, whatever the variables' values.
    #[must_use]
    pub fn disjoint(&self, other: &Self) -> bool {
        self.disjoint_within(other, &Budget::unlimited())
    }

    /// The same on a budget; no where that is used up.
    pub(crate) fn disjoint_within(&self, other: &Self, budget: &Budget) -> bool {
        if self.is_everything() || other.is_everything() {
            return false;
        }
        if self.head.parts_from(other.head) {
            return true;
        }
        if self.is_plain && other.is_plain {
            return self.tokens.len() != other.tokens.len()
                || budget.spend(self.tokens.len() / 8)
                    && self.tokens.iter().zip(&other.tokens).any(|(a, b)| !a.meets(b));
        }
        if clash(self.tokens.iter().zip(&other.tokens), budget)
            || clash(self.tokens.iter().rev().zip(other.tokens.iter().rev()), budget)
        {
            return true;
        }
        let surely_meet = self.is_open_between() && other.is_open_between();
        !surely_meet && !products_meet(self.tokens(), other.tokens(), budget)
    }
}

impl Glob {
    /// Whether the first and the last wildcard of unknown length stand for any text. Two such patterns whose ends do not
    /// clash meet: in the longer start, what stands between in the one, then in the other, and the longer end.
    fn is_open_between(&self) -> bool {
        let mut long = self.tokens.iter().filter(|t| t.is_long());
        let first = long.next();
        first == Some(&Token::Many) && long.next_back().is_none_or(|last| *last == Token::Many)
    }
}

/// Whether two letters that stand in the same place differ, up to the first wildcard.
fn clash<'t>(pairs: impl Iterator<Item = (&'t Token, &'t Token)>, budget: &Budget) -> bool {
    let mut walked = 0;
    let mut clashes = false;
    for (a, b) in pairs.take_while(|(a, b)| !a.is_long() && !b.is_long()) {
        walked += 1;
        if !a.meets(b) {
            clashes = true;
            break;
        }
    }
    budget.spend(walked / 2);
    clashes
}

/// Matches `pattern` against a sequence, going back to the last `*` only; nothing where the budget is used up.
///
/// Going back no further is right: between an earlier and a later `*` of an ARN's first five segments stands a colon
/// that neither can swallow, and everywhere else the last star can do all an earlier one could.
fn run<L, I: Iterator<Item = L> + Clone>(
    pattern: &[Token],
    text: I,
    one: impl Fn(&Token, &L) -> bool,
    absorbs: impl Fn(&Token, &L) -> bool,
    budget: &Budget,
) -> Option<bool> {
    let mut fuel = budget.left();
    let found = run_on(&mut fuel, pattern, text, one, absorbs);
    budget.set_left(fuel);
    found
}

fn run_on<L, I: Iterator<Item = L> + Clone>(
    fuel: &mut u64,
    pattern: &[Token],
    text: I,
    one: impl Fn(&Token, &L) -> bool,
    absorbs: impl Fn(&Token, &L) -> bool,
) -> Option<bool> {
    let mut pattern = pattern.iter();
    let mut text = text;
    let mut retry: Option<(&Token, std::slice::Iter<'_, Token>, I)> = None;
    loop {
        #[cfg(test)]
        crate::wildcard::tests::step();
        *fuel = fuel.checked_sub(1)?;
        let mut after = pattern.clone();
        let token = after.next();
        if let Some(star) = token.filter(|t| t.is_many()) {
            retry = Some((star, after.clone(), text.clone()));
            pattern = after;
            continue;
        }
        let mut further = text.clone();
        match (token, further.next()) {
            (None, None) => return Some(true),
            (Some(token), Some(letter)) if one(token, &letter) => {
                pattern = after;
                text = further;
                continue;
            }
            _ => {}
        }
        let Some((star, resume, at)) = &mut retry else { return Some(false) };
        match at.next() {
            Some(letter) if absorbs(star, &letter) => {
                pattern = resume.clone();
                text = at.clone();
            }
            _ => return Some(false),
        }
    }
}

/// Whether the product of the two patterns reaches its end: row by row over the positions of `a`. Yes where the budget is
/// used up.
fn products_meet(a: &[Token], b: &[Token], budget: &Budget) -> bool {
    let mut row = vec![false; b.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    for step in a.iter().map(Some).chain([None]) {
        if !budget.spend(2 * b.len() + 2) {
            return true;
        }
        // Within a row: pass a star of `b`, or let a star of `a` swallow a step of `b`.
        let mut carry = false;
        for (here, token) in row.iter_mut().zip(b.iter().map(Some).chain([None])) {
            *here |= carry;
            carry = *here && token.is_some_and(|t| t.is_long() || step.is_some_and(|s| s.is_long() && s.meets(t)));
        }
        let Some(step) = step else { break };
        let mut next = vec![false; b.len() + 1];
        let mut carry = false;
        for ((here, slot), token) in row.iter().zip(next.iter_mut()).zip(b.iter().map(Some).chain([None])) {
            let stays = *here && (step.is_long() || token.is_some_and(|t| t.is_long() && t.meets(step)));
            *slot = carry || stays;
            carry = *here && !step.is_long() && token.is_some_and(|t| !t.is_long() && t.meets(step));
        }
        if next.iter().all(|reached| !reached) {
            return false;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
