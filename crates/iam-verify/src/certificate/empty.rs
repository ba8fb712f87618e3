//! Is there a text in some patterns and in none of others? Decided by walking all states, one after the other.
//!
//! Answers "empty" only where that holds whatever the values of variables are.

use std::collections::BTreeSet;

use iam_evaluate::budget::Budget;

use crate::reading::pattern::{Pattern, Token};

/// Texts in some pattern of each required union and in no excluded pattern, among those of the domain.
pub(super) struct Problem<'a> {
    pub(super) required: Vec<Vec<&'a Pattern>>,
    pub(super) excluded: Vec<&'a Pattern>,
    pub(super) domain: &'a dyn Fn() -> Vec<Pattern>,
    /// Where it is used up, nothing is empty.
    pub(super) budget: &'a Budget,
}

/// Units for a place of a state that is walked, and of one that is kept.
const WALKED: usize = 16;
const KEPT: usize = 100;

impl Problem<'_> {
    /// Whether there is no such text, whatever the variables' values.
    pub(super) fn is_empty(&self) -> bool {
        let included = |p: &Pattern| self.excluded.iter().any(|n| includes(n, p, self.budget));
        let open = |p: &&&Pattern| !(self.budget.spend(self.excluded.len() + 1) && included(p));
        let unions: Vec<Vec<&Pattern>> =
            self.required.iter().map(|u| u.iter().filter(open).copied().collect()).collect();
        let starts: Vec<BTreeSet<[char; 3]>> = unions.iter().filter_map(|union| starts(union)).collect();
        let apart = |(n, one): (usize, &BTreeSet<_>)| starts.iter().skip(n + 1).any(|other| one.is_disjoint(other));
        if unions.iter().any(Vec::is_empty) || starts.iter().enumerate().any(apart) {
            return true;
        }
        // A variable is a letter of its own while one union only asks for it. With several its value may be what
        // another one asks for: it is any text then, and what is excluded by variables is not relied upon.
        let everything = Pattern(vec![Token::Many { bounded: false }]);
        let several = unions.iter().filter(|u| !u.contains(&&everything)).count() > 1;
        let symbolic = unions.iter().flatten().any(|p| p.has_variable());
        let own = |p: &&Pattern| if several { p.widened() } else { (*p).clone() };
        let mut required: Vec<Vec<Pattern>> = unions.iter().map(|u| u.iter().map(own).collect()).collect();
        if several || !symbolic {
            required.push((self.domain)());
        }
        let excluded = self.excluded.iter().filter(|n| !several || !n.has_variable()).map(|n| (*n, required.len()));
        let numbered = required.iter().enumerate().flat_map(|(number, union)| union.iter().map(move |p| (p, number)));
        Walk { patterns: numbered.chain(excluded).collect(), required: required.len() }.never_accepts(self.budget)
    }
}

/// Whether every text of `other`, whatever the variables' values, is one of this pattern: `other` is read as a
/// text whose wildcards and variables are letters of their own. May say no where the answer is yes.
fn includes(one: &Pattern, other: &Pattern, budget: &Budget) -> bool {
    let (mut at, mut seen, mut star) = (0, 0, None);
    while budget.spend(1) {
        match (one.0.get(at), other.0.get(seen)) {
            (None, None) => return true,
            (Some(own), _) if own.is_many() => {
                star = Some((at, own, seen));
                at += 1;
            }
            (Some(own), Some(letter)) if own.takes(letter) => (at, seen) = (at + 1, seen + 1),
            // The last star takes one more.
            _ => match star {
                Some((back, own, from)) if other.0.get(from).is_some_and(|letter| own.takes(letter)) => {
                    star = Some((back, own, from + 1));
                    (at, seen) = (back + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
    false
}

/// The first three letters of each pattern without regard to case; nothing where one begins with fewer.
fn starts(union: &[&Pattern]) -> Option<BTreeSet<[char; 3]>> {
    let letters = |[a, b, c]: &[Token; 3]| Some([a.letter()?, b.letter()?, c.letter()?]);
    union.iter().map(|pattern| pattern.0.first_chunk().and_then(letters)).collect()
}

/// The product of patterns, each with the number of its union: one of each required union must match, and none of
/// the union after those.
struct Walk<'a> {
    patterns: Vec<(&'a Pattern, usize)>,
    required: usize,
}

/// Positions by pattern.
type State = BTreeSet<(usize, usize)>;

impl Walk<'_> {
    /// What of a pattern follows a position.
    fn rest(&self, (pattern, at): (usize, usize)) -> &[Token] {
        self.patterns.get(pattern).and_then(|(pattern, _)| pattern.0.get(at..)).unwrap_or_default()
    }

    fn enter(&self, state: &mut State, (pattern, at): (usize, usize)) {
        state.insert((pattern, at));
        if self.rest((pattern, at)).first().is_some_and(Token::is_many) {
            self.enter(state, (pattern, at + 1));
        }
    }

    fn step(&self, state: &State, letter: &Token) -> State {
        let mut target = State::new();
        for (pattern, at) in state {
            if let Some(token) = self.rest((*pattern, *at)).first().filter(|token| token.takes(letter)) {
                self.enter(&mut target, (*pattern, at + usize::from(!token.is_many())));
            }
        }
        target
    }

    /// The unions of which some pattern is at a position from where the rest is such.
    fn unions(&self, state: &State, is_such: impl Fn(&[Token]) -> bool) -> BTreeSet<usize> {
        let such = state.iter().filter(|place| is_such(self.rest(**place)));
        such.filter_map(|(pattern, _)| self.patterns.get(*pattern)).map(|(_, union)| *union).collect()
    }

    /// Whether no reachable state accepts: every state and every letter, one after the other.
    fn never_accepts(&self, budget: &Budget) -> bool {
        let mut start = State::new();
        (0..self.patterns.len()).for_each(|pattern| self.enter(&mut start, (pattern, 0)));
        let tokens = self.patterns.iter().flat_map(|(pattern, _)| &pattern.0);
        let named: BTreeSet<char> = tokens.filter_map(Token::letter).collect();
        // This letter stands for all that no pattern names.
        let Some(other) = ('a'..='z').chain('\u{c0}'..).find(|c| !named.contains(c)) else { return false };
        let (mut known, mut open) = (BTreeSet::from([start.clone()]), vec![start]);
        while let Some(state) = open.pop() {
            let (all, excluded) = (0..self.required, &self.required);
            // Nothing accepted can follow where a union is lost, or an excluded pattern matches whatever comes.
            let alive = self.unions(&state, |_| true);
            let ends = self.unions(&state, |rest| rest == [Token::Many { bounded: false }]);
            if !all.clone().all(|union| alive.contains(&union)) || ends.contains(excluded) {
                continue;
            }
            if self.unions(&state, <[Token]>::is_empty).into_iter().eq(all) {
                return false;
            }
            let mut letters = BTreeSet::from([Token::Char(other), Token::Char(':')]);
            for token in state.iter().filter_map(|place| self.rest(*place).first()) {
                match token {
                    Token::Fold(c) => letters.extend([Token::Char(*c), Token::Char(c.to_ascii_uppercase())]),
                    Token::Char(_) | Token::Variable { .. } => drop(letters.insert(token.clone())),
                    _ => {}
                }
            }
            for target in letters.iter().map(|letter| self.step(&state, letter)) {
                if !budget.spend(WALKED * (state.len() + target.len() + 1)) {
                    return false;
                }
                if known.insert(target.clone()) {
                    budget.spend(KEPT * target.len());
                    open.push(target);
                }
            }
        }
        true
    }
}
