//! Is there a text in all of these patterns and in none of those? Exact, with a short such text.
//!
//! First each pattern is compared with the others one by one ([`reduce`]); what that leaves open is decided by walking
//! the product of all automata, subset by subset. Steps and states are capped, and a reached cap is an answer of its own.
//!
//! Variables are rigid symbols here: an answer "empty" holds for every value they may have. That is sound while a
//! symbol is required by one union only; with several, variables are widened to `*` and patterns with variables are
//! no longer excluded.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::{Glob, Token, Variable};
use crate::budget::Budget;

/// A set of texts: required unions, and excluded patterns.
#[derive(Debug, Clone, Default)]
pub struct Problem<'g> {
    /// The text must match some pattern of each of these.
    pub required: Vec<&'g [Glob]>,
    /// The text must match none of these.
    pub excluded: Vec<&'g Glob>,
    /// What texts there are at all: some pattern of this union. Empty: every text.
    pub domain: &'g [Glob],
}

/// What is known about a [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// No text, whatever the variables' values.
    Empty,
    /// Some text, for some values of the variables; the text itself where no variable is part of it.
    Inhabited(Option<String>),
    /// A cap was reached, or the budget is used up.
    Capped,
}

/// How much work one answer may cost.
#[derive(Debug, Clone, Copy)]
pub struct Caps<'b> {
    /// States of one product automaton.
    pub states: usize,
    /// Combinations of required patterns walked.
    pub combinations: usize,
    /// What all of it may cost, with other answers.
    pub budget: &'b Budget,
}

impl<'b> Caps<'b> {
    /// The usual caps, on a budget.
    #[must_use]
    pub const fn on(budget: &'b Budget) -> Self {
        Self { states: 20_000, combinations: 4_096, budget }
    }
}

/// Decides a problem.
///
/// ```
/// use iam_evaluate::budget::Budget;
/// use iam_evaluate::glob::language::{Answer, Caps, Problem, decide};
/// use iam_evaluate::glob::{Glob, Reading};
/// let [all, empty, long] = ["b/*", "b/", "b/??*"].map(|t| Glob::parse(t, Reading::ACTION));
/// let excluded = [empty, long];
/// let problem = Problem { required: vec![std::slice::from_ref(&all)], excluded: excluded.iter().collect(), domain: &[] };
/// assert_eq!(decide(&problem, Caps::on(&Budget::new(10_000))), Answer::Inhabited(Some("b/a".into())));
/// ```
#[must_use]
pub fn decide(problem: &Problem<'_>, caps: Caps<'_>) -> Answer {
    let budget = caps.budget;
    let Some(mut unions) = reduce(&problem.required, &problem.excluded, budget) else { return Answer::Capped };
    if problem.excluded.iter().any(|n| n.is_everything()) || unions.iter().any(Vec::is_empty) {
        return Answer::Empty;
    }
    let several = unions.len() > 1;
    let symbolic = unions.iter().any(|u| u.iter().any(|p| p.has_variable()));
    let widened: Vec<Vec<Glob>> = if several && symbolic {
        unions.iter().map(|u| u.iter().map(|p| p.widened()).collect()).collect()
    } else {
        Vec::new()
    };
    if !widened.is_empty() {
        unions = widened.iter().map(|u| u.iter().collect()).collect();
    }
    let excluded: Vec<&Glob> = problem.excluded.iter().copied().filter(|g| !several || !g.has_variable()).collect();
    if (several || !symbolic) && !problem.domain.is_empty() {
        unions.push(problem.domain.iter().collect());
    }
    let everything = Glob::everything();
    if unions.is_empty() {
        unions.push(vec![&everything]);
    }
    if let Some(word) = guess(&unions, &excluded, problem.domain, budget) {
        return Answer::Inhabited(Some(word));
    }
    let is_outside = |word: &String| {
        !problem.domain.is_empty() && !problem.domain.iter().any(|d| d.matches_within(word, budget) == Some(true))
    };
    match walk_all(&unions, &excluded, caps) {
        // Beside a variable the walk does not look at the domain.
        Answer::Inhabited(Some(word)) if is_outside(&word) => Answer::Inhabited(None),
        answer => answer,
    }
}

/// A text of a required pattern that happens to do; most questions end here.
fn guess(unions: &[Vec<&Glob>], excluded: &[&Glob], domain: &[Glob], budget: &Budget) -> Option<String> {
    const MOST: usize = 6;
    let matches = |p: &Glob, text: &str| p.matches_within(text, budget) == Some(true);
    // An excluded pattern that was not compared may match.
    let misses = |p: &Glob, text: &str| p.matches_within(text, budget) == Some(false);
    let fits = |text: &String| {
        unions.iter().all(|u| u.iter().any(|p| matches(p, text)))
            && excluded.iter().all(|n| misses(n, text))
            && (domain.is_empty() || domain.iter().any(|d| matches(d, text)))
    };
    let patterns = unions.iter().flat_map(|u| u.iter().copied().take(MOST)).chain(domain);
    let filled = |p: &Glob, fill: &str| budget.spend(p.tokens().len() / 4).then(|| p.filled(fill)).flatten();
    ["", "a"].iter().find_map(|fill| patterns.clone().filter_map(|p| filled(p, fill)).find(fits))
}

/// Drops from each union the patterns that an excluded pattern includes, and those that meet nothing of another
/// union, until nothing more can be dropped. Nothing where the budget is used up.
fn reduce<'g>(required: &[&'g [Glob]], excluded: &[&Glob], budget: &Budget) -> Option<Vec<Vec<&'g Glob>>> {
    let among = |others: usize| budget.spend(others + 1);
    let stays = |p: &&Glob| among(excluded.len()) && !excluded.iter().any(|n| n.includes_within(p, budget));
    let mut unions: Vec<Vec<&Glob>> = required.iter().map(|u| u.iter().filter(stays).collect()).collect();
    loop {
        let mut dropped = false;
        for index in 0..unions.len() {
            let Some(own) = unions.get(index) else { continue };
            let meets_all = |p: &&Glob| {
                let meets =
                    |union: &Vec<&Glob>| among(union.len()) && union.iter().any(|q| !p.disjoint_within(q, budget));
                unions.iter().enumerate().all(|(other, union)| other == index || meets(union))
            };
            let kept: Vec<&Glob> = own.iter().copied().filter(meets_all).collect();
            dropped |= kept.len() < own.len();
            if let Some(slot) = unions.get_mut(index) {
                *slot = kept;
            }
        }
        if budget.is_spent() {
            return None;
        }
        if !dropped || unions.iter().any(Vec::is_empty) {
            return Some(unions);
        }
    }
}

/// Walks every combination of one pattern from each union.
fn walk_all(unions: &[Vec<&Glob>], excluded: &[&Glob], caps: Caps<'_>) -> Answer {
    let total = unions.iter().try_fold(1_usize, |n, u| n.checked_mul(u.len()));
    if total.is_none_or(|n| n > caps.combinations) {
        return Answer::Capped;
    }
    for number in 0..total.unwrap_or_default() {
        let mut rest = number;
        let mut combination = Vec::with_capacity(unions.len());
        for union in unions {
            combination.extend(union.get(rest % union.len()).copied());
            rest /= union.len();
        }
        if !caps.budget.spend(excluded.len()) {
            return Answer::Capped;
        }
        let meets_all = |n: &&Glob| combination.iter().all(|p| !p.disjoint_within(n, caps.budget));
        let others = excluded.iter().copied().filter(meets_all);
        let others: Vec<&Glob> = others.collect();
        let letters: usize = combination.iter().chain(&others).map(|g| g.tokens().len()).sum();
        if !caps.budget.spend(letters) {
            return Answer::Capped;
        }
        match Automaton::new(combination, others).walk(caps) {
            Answer::Empty => {}
            other => return other,
        }
    }
    Answer::Empty
}

/// One step of a text: a character, or the value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Letter {
    Char(char),
    Variable(Arc<Variable>, bool),
}

/// A state with the one before it, by number, and the letter between them.
type Reached = (Rc<[u32]>, usize, Option<Letter>);

/// Units for each place of a state and of the one that follows it; for the rest of a step; and for each place of a state
/// that is kept, so that states stay within some tens of megabytes.
const WALKED: usize = 3;
const STEPPED: usize = 20;
const KEPT: usize = 8;

/// The product of some patterns that must match and some that must not.
struct Automaton<'g> {
    patterns: Vec<&'g Glob>,
    required: usize,
    other: char,
}

impl<'g> Automaton<'g> {
    fn new(required: Vec<&'g Glob>, excluded: Vec<&'g Glob>) -> Self {
        let count = required.len();
        let mut patterns = required;
        patterns.extend(excluded);
        let other = Self::unused(&patterns);
        Self { patterns, required: count, other }
    }

    /// A character no pattern names: it stands for all such characters.
    fn unused(patterns: &[&Glob]) -> char {
        let (mut plain, mut others) = (0_u128, BTreeSet::new());
        for token in patterns.iter().flat_map(|g| g.tokens()) {
            if let Token::Char(c) | Token::Fold(c) = token {
                match u32::from(c.to_ascii_lowercase()) {
                    low @ 0..128 => plain |= 1 << low,
                    _ => drop(others.insert(*c)),
                }
            }
        }
        let named = |c: char| match u32::from(c.to_ascii_lowercase()) {
            low @ 0..128 => plain & (1 << low) != 0,
            _ => others.contains(&c),
        };
        ('a'..='z').chain('0'..='9').chain('\u{c0}'..='\u{4fff}').find(|c| !named(*c)).unwrap_or('~')
    }

    fn walk(&self, caps: Caps<'_>) -> Answer {
        let mut start: Vec<u32> = Vec::new();
        for (index, glob) in self.patterns.iter().enumerate() {
            if glob.tokens().len() >= 1 << 16 || index >= 1 << 16 {
                return Answer::Capped;
            }
            add(&mut start, index, 0, glob);
        }
        start.sort_unstable();
        start.dedup();
        if !self.alive(&start) {
            return Answer::Empty;
        }
        let start: Rc<[u32]> = start.into();
        let mut order: Vec<Reached> = vec![(Rc::clone(&start), 0, None)];
        let mut known: BTreeSet<Rc<[u32]>> = BTreeSet::from([start]);
        let mut next = 0;
        while let Some((state, _, _)) = order.get(next) {
            let state = Rc::clone(state);
            if self.accepts(&state) {
                return Answer::Inhabited(self.word(&order, next));
            }
            for letter in self.letters(&state) {
                let target = self.step(&state, &letter);
                // A step compares each place, and looks for the new state among those that are known.
                if !caps.budget.spend(WALKED * (state.len() + target.len()) + STEPPED) {
                    return Answer::Capped;
                }
                if !self.alive(&target) || known.contains(target.as_slice()) {
                    continue;
                }
                if known.len() >= caps.states || !caps.budget.spend(KEPT * target.len()) {
                    return Answer::Capped;
                }
                let target: Rc<[u32]> = target.into();
                known.insert(Rc::clone(&target));
                order.push((target, next, Some(letter)));
            }
            next += 1;
        }
        Answer::Empty
    }

    /// The letters that can matter in this state.
    fn letters(&self, state: &[u32]) -> Vec<Letter> {
        let mut letters = Vec::new();
        for token in state.iter().filter_map(|at| self.token(*at)) {
            match token {
                Token::Char(c) => letters.push(Letter::Char(*c)),
                Token::Fold(c) => {
                    letters.push(Letter::Char(c.to_ascii_uppercase()));
                    letters.push(Letter::Char(*c));
                }
                Token::Variable { variable, in_segment } => {
                    letters.push(Letter::Variable(Arc::clone(variable), *in_segment));
                }
                _ => {}
            }
        }
        letters.sort_unstable_by_key(|l| (matches!(l, Letter::Char(c) if c.is_ascii_uppercase()), l.clone()));
        letters.dedup();
        letters.retain(|l| *l != Letter::Char(':'));
        letters.insert(0, Letter::Char(self.other));
        letters.push(Letter::Char(':'));
        letters
    }

    fn token(&self, at: u32) -> Option<&Token> {
        let (pattern, position) = split(at);
        self.patterns.get(pattern)?.tokens().get(position)
    }

    fn step(&self, state: &[u32], letter: &Letter) -> Vec<u32> {
        let mut target = Vec::with_capacity(state.len());
        for at in state {
            let Some(token) = self.token(*at) else { continue };
            let (pattern, position) = split(*at);
            let Some(glob) = self.patterns.get(pattern) else { continue };
            let stays = match (token, letter) {
                (Token::Many, _) => true,
                (Token::ManyInSegment, Letter::Char(c)) => *c != ':',
                (Token::ManyInSegment, Letter::Variable(_, in_segment)) => *in_segment,
                _ => false,
            };
            let moves = match (token, letter) {
                (Token::Variable { variable, in_segment }, Letter::Variable(v, theirs)) => {
                    variable == v && (!in_segment || *theirs)
                }
                (_, Letter::Char(c)) => token.matches_char(*c),
                _ => false,
            };
            if stays {
                add(&mut target, pattern, position, glob);
            }
            if moves {
                add(&mut target, pattern, position + 1, glob);
            }
        }
        target.sort_unstable();
        target.dedup();
        target
    }

    /// Whether every required pattern can still match, and no excluded one matches whatever follows.
    fn alive(&self, state: &[u32]) -> bool {
        let mut seen = 0;
        for at in state {
            let (pattern, position) = split(*at);
            if pattern < self.required {
                if pattern == seen {
                    seen += 1;
                }
            } else if let Some(glob) = self.patterns.get(pattern)
                && position + 1 == glob.tokens().len()
                && matches!(glob.tokens().last(), Some(Token::Many))
            {
                return false;
            }
        }
        seen == self.required
    }

    fn accepts(&self, state: &[u32]) -> bool {
        let mut matched = 0;
        for at in state {
            let (pattern, position) = split(*at);
            let ends = self.patterns.get(pattern).is_some_and(|g| g.tokens().len() == position);
            match (ends, pattern < self.required) {
                (true, true) => matched += 1,
                (true, false) => return false,
                _ => {}
            }
        }
        matched == self.required
    }

    /// The text that leads to a state; nothing where a variable's value is part of it.
    fn word(&self, order: &[Reached], state: usize) -> Option<String> {
        let mut reversed = Vec::new();
        let mut at = state;
        while let Some((_, before, Some(letter))) = order.get(at) {
            match letter {
                Letter::Char(c) => reversed.push(*c),
                Letter::Variable(..) => return None,
            }
            at = *before;
        }
        Some(reversed.into_iter().rev().collect())
    }
}

const fn split(at: u32) -> (usize, usize) {
    ((at >> 16) as usize, (at & 0xffff) as usize)
}

/// Adds a position, and those behind the stars that follow it.
fn add(state: &mut Vec<u32>, pattern: usize, position: usize, glob: &Glob) {
    let mut position = position;
    loop {
        let (Ok(high), Ok(low)) = (u32::try_from(pattern), u32::try_from(position)) else { return };
        state.push(high << 16 | low);
        if !glob.tokens().get(position).is_some_and(Token::is_many) {
            return;
        }
        position += 1;
    }
}
