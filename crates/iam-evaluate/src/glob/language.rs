//! Is there a text in all of these patterns and in none of those? Exact, with a short such text.
//!
//! First each pattern is compared with the others one by one ([`reduce`]); what that leaves open is decided by walking
//! the product of all automata, subset by subset. Steps and states are capped, and a reached cap is an answer of its own.
//!
//! Variables are rigid symbols here: an answer "empty" holds for every value they may have. That is sound while a
//! symbol is required by one union only; with several, variables are widened to `*` and patterns with variables are
//! no longer excluded.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Glob, Token, Variable};

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
    /// The cap was reached.
    Capped,
}

/// How much work one answer may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// States of one product automaton.
    pub states: usize,
    /// Combinations of required patterns walked.
    pub combinations: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { states: 20_000, combinations: 4_096 }
    }
}

/// Decides a problem.
///
/// ```
/// use iam_evaluate::glob::language::{Answer, Caps, Problem, decide};
/// use iam_evaluate::glob::{Glob, Reading};
/// let [all, empty, long] = ["b/*", "b/", "b/??*"].map(|t| Glob::parse(t, Reading::ACTION));
/// let excluded = [empty, long];
/// let problem = Problem { required: vec![std::slice::from_ref(&all)], excluded: excluded.iter().collect(), domain: &[] };
/// assert_eq!(decide(&problem, Caps::default()), Answer::Inhabited(Some("b/a".into())));
/// ```
#[must_use]
pub fn decide(problem: &Problem<'_>, caps: Caps) -> Answer {
    let mut unions = reduce(&problem.required, &problem.excluded);
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
    if let Some(word) = guess(&unions, &excluded, problem.domain) {
        return Answer::Inhabited(Some(word));
    }
    let is_outside = |word: &String| !problem.domain.is_empty() && !problem.domain.iter().any(|d| d.matches(word));
    match walk_all(&unions, &excluded, caps) {
        // Beside a variable the walk does not look at the domain.
        Answer::Inhabited(Some(word)) if is_outside(&word) => Answer::Inhabited(None),
        answer => answer,
    }
}

/// A text of a required pattern that happens to do; most questions end here.
fn guess(unions: &[Vec<&Glob>], excluded: &[&Glob], domain: &[Glob]) -> Option<String> {
    const MOST: usize = 6;
    let fits = |text: &String| {
        unions.iter().all(|u| u.iter().any(|p| p.matches(text)))
            && !excluded.iter().any(|n| n.matches(text))
            && (domain.is_empty() || domain.iter().any(|d| d.matches(text)))
    };
    let patterns = unions.iter().flat_map(|u| u.iter().copied().take(MOST)).chain(domain);
    ["", "a"].iter().find_map(|fill| patterns.clone().filter_map(|p| p.filled(fill)).find(fits))
}

/// Drops from each union the patterns that an excluded pattern includes, and those that meet nothing of another
/// union, until nothing more can be dropped.
fn reduce<'g>(required: &[&'g [Glob]], excluded: &[&Glob]) -> Vec<Vec<&'g Glob>> {
    let mut unions: Vec<Vec<&Glob>> =
        required.iter().map(|u| u.iter().filter(|p| !excluded.iter().any(|n| n.includes(p))).collect()).collect();
    loop {
        let mut dropped = false;
        for index in 0..unions.len() {
            let Some(own) = unions.get(index) else { continue };
            let meets_all = |p: &&Glob| {
                unions.iter().enumerate().all(|(other, union)| other == index || union.iter().any(|q| !p.disjoint(q)))
            };
            let kept: Vec<&Glob> = own.iter().copied().filter(meets_all).collect();
            dropped |= kept.len() < own.len();
            if let Some(slot) = unions.get_mut(index) {
                *slot = kept;
            }
        }
        if !dropped || unions.iter().any(Vec::is_empty) {
            return unions;
        }
    }
}

/// Walks every combination of one pattern from each union.
fn walk_all(unions: &[Vec<&Glob>], excluded: &[&Glob], caps: Caps) -> Answer {
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
        let others = excluded.iter().copied().filter(|n| combination.iter().all(|p| !p.disjoint(n)));
        match Automaton::new(combination.clone(), others.collect()).walk(caps.states) {
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
        let named = |c: char| {
            patterns.iter().any(|g| {
                g.tokens().iter().any(|t| match t {
                    Token::Char(own) | Token::Fold(own) => own.eq_ignore_ascii_case(&c),
                    _ => false,
                })
            })
        };
        ('a'..='z').chain('0'..='9').chain('A'..='Z').chain('\u{c0}'..='\u{4fff}').find(|c| !named(*c)).unwrap_or('~')
    }

    fn walk(&self, cap: usize) -> Answer {
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
        let mut order: Vec<(Vec<u32>, usize, Option<Letter>)> = vec![(start.clone(), 0, None)];
        let mut known: BTreeSet<Vec<u32>> = BTreeSet::from([start]);
        let mut next = 0;
        while let Some((state, _, _)) = order.get(next) {
            let state = state.clone();
            if self.accepts(&state) {
                return Answer::Inhabited(self.word(&order, next));
            }
            for letter in self.letters(&state) {
                let target = self.step(&state, &letter);
                if !self.alive(&target) || known.contains(&target) {
                    continue;
                }
                if known.len() >= cap {
                    return Answer::Capped;
                }
                known.insert(target.clone());
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
    fn word(&self, order: &[(Vec<u32>, usize, Option<Letter>)], state: usize) -> Option<String> {
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
