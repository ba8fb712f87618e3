//! The checker's own patterns, and whether any text is in some of them and in none of others.

use std::collections::BTreeSet;

/// One step of a pattern; a `bounded` step stands in the first five segments of an ARN and holds no colon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Char(char),
    Fold(char),
    One { bounded: bool },
    Many { bounded: bool },
    Variable { name: Box<str>, bounded: bool },
}

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Token>);

/// How a text is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    pub(super) fold: bool,
    pub(super) wild: bool,
    pub(super) segments: bool,
    pub(super) variables: bool,
}

impl Pattern {
    pub(super) fn read(text: &str, reading: Reading) -> Self {
        let plain = tokens(text, reading, false);
        let whole = plain.iter().filter(|t| **t == Token::Char(':')).count() >= 5;
        match text.strip_suffix('*') {
            _ if !reading.segments => Self(plain),
            // Of a short text the last star stands for the segments that follow.
            Some(start) if !whole => {
                let last = Token::Many { bounded: false };
                Self(tokens(start, reading, true).into_iter().chain([last]).collect())
            }
            _ => Self(if whole { tokens(text, reading, true) } else { plain }),
        }
    }

    pub(super) fn has_variable(&self) -> bool {
        self.0.iter().any(|t| matches!(t, Token::Variable { .. }))
    }

    fn widened(&self) -> Self {
        let widen = |t: &Token| match t {
            Token::Variable { bounded, .. } => Token::Many { bounded: *bounded },
            other => other.clone(),
        };
        Self(self.0.iter().map(widen).collect())
    }

    /// Whether every text of `other`, whatever the variables' values, is one of this pattern: `other` is read as a
    /// text whose wildcards and variables are letters of their own. May say no where the answer is yes.
    fn includes(&self, other: &Self) -> bool {
        let walk = Walk { patterns: vec![self], unions: vec![0], required: 1, other: '\0' };
        let end = other.0.iter().fold(walk.start(), |state, letter| walk.step(&state, letter));
        walk.accepts(&end)
    }
}

/// The tokens of a text; `bounded` where it is an ARN of six segments.
fn tokens(text: &str, reading: Reading, bounded: bool) -> Vec<Token> {
    let letter = |c: char| {
        if reading.fold && c.is_ascii_alphabetic() { Token::Fold(c.to_ascii_lowercase()) } else { Token::Char(c) }
    };
    let (mut tokens, mut colons, mut rest) = (Vec::new(), 0, text);
    while let Some(c) = rest.chars().next() {
        let bounded = bounded && colons < 5;
        let body = rest.strip_prefix("${").filter(|_| reading.variables).and_then(|r| r.split_once('}'));
        rest = body.map_or_else(|| rest.get(c.len_utf8()..).unwrap_or_default(), |(_, after)| after);
        match body {
            Some((escape @ ("*" | "?" | "$"), _)) => tokens.extend(escape.chars().map(letter)),
            Some((body, _)) => {
                let (key, default) = body.split_once(',').unwrap_or((body, ""));
                let name = format!("{},{}", key.trim().to_ascii_lowercase(), default.trim()).into();
                tokens.push(Token::Variable { name, bounded });
            }
            None => {
                colons += usize::from(c == ':');
                tokens.push(match c {
                    '*' if reading.wild => Token::Many { bounded },
                    '?' if reading.wild => Token::One { bounded },
                    _ => letter(c),
                });
            }
        }
    }
    tokens
}

impl Token {
    const fn is_many(&self) -> bool {
        matches!(self, Self::Many { .. })
    }

    /// Whether this step can take all that the other one stands for.
    fn takes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Char(own), Self::Char(c)) => own == c,
            (Self::Fold(own), Self::Char(c) | Self::Fold(c)) => *own == c.to_ascii_lowercase(),
            (Self::One { bounded } | Self::Many { bounded }, Self::Char(c)) => !bounded || *c != ':',
            (Self::One { .. } | Self::Many { .. }, Self::Fold(_)) => true,
            (Self::One { bounded: mine } | Self::Many { bounded: mine }, Self::One { bounded })
            | (Self::Many { bounded: mine }, Self::Many { bounded } | Self::Variable { bounded, .. }) => {
                !mine || *bounded
            }
            (Self::Variable { name: a, bounded: mine }, Self::Variable { name: b, bounded }) => {
                a == b && (!mine || *bounded)
            }
            _ => false,
        }
    }
}

/// Texts in some pattern of each required union and in no excluded pattern, among those of the domain.
pub(super) struct Problem<'a> {
    pub(super) required: Vec<Vec<&'a Pattern>>,
    pub(super) excluded: Vec<&'a Pattern>,
    pub(super) domain: &'a [Pattern],
}

/// States of one automaton; a proof about more is refused.
const STATES: usize = 200_000;

impl Problem<'_> {
    /// Whether there is no such text, whatever the variables' values.
    pub(super) fn is_empty(&self) -> bool {
        let open = |p: &&&Pattern| !self.excluded.iter().any(|n| n.includes(p));
        let unions: Vec<Vec<&Pattern>> =
            self.required.iter().map(|u| u.iter().filter(open).copied().collect()).collect();
        if unions.iter().any(Vec::is_empty) {
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
            required.push(if self.domain.is_empty() { vec![everything] } else { self.domain.to_vec() });
        }
        let excluded = self.excluded.iter().filter(|n| !several || !n.has_variable());
        let (mut patterns, mut unions) = (Vec::new(), Vec::new());
        for (number, union) in required.iter().enumerate() {
            patterns.extend(union);
            unions.resize(patterns.len(), number);
        }
        patterns.extend(excluded);
        unions.resize(patterns.len(), required.len());
        Walk { other: unused(&patterns), patterns, unions, required: required.len() }.never_accepts()
    }
}

/// A character none of the patterns names, which stands for all such.
fn unused(patterns: &[&Pattern]) -> char {
    let letters = patterns.iter().flat_map(|p| &p.0).filter_map(|t| match t {
        Token::Char(c) | Token::Fold(c) => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    let named: BTreeSet<char> = letters.collect();
    ('a'..='z').chain('\u{c0}'..).find(|c| !named.contains(c)).unwrap_or('~')
}

/// The product of patterns: one of each required union must match, and none of the union after those.
struct Walk<'a> {
    patterns: Vec<&'a Pattern>,
    unions: Vec<usize>,
    required: usize,
    other: char,
}

/// Positions by pattern.
type State = BTreeSet<(usize, usize)>;

impl Walk<'_> {
    fn start(&self) -> State {
        let mut state = State::new();
        (0..self.patterns.len()).for_each(|pattern| self.enter(&mut state, pattern, 0));
        state
    }

    fn enter(&self, state: &mut State, pattern: usize, position: usize) {
        state.insert((pattern, position));
        if self.token(pattern, position).is_some_and(Token::is_many) {
            self.enter(state, pattern, position + 1);
        }
    }

    fn token(&self, pattern: usize, position: usize) -> Option<&Token> {
        self.patterns.get(pattern)?.0.get(position)
    }

    fn step(&self, state: &State, letter: &Token) -> State {
        let mut target = State::new();
        for (pattern, position) in state {
            if let Some(token) = self.token(*pattern, *position).filter(|t| t.takes(letter)) {
                self.enter(&mut target, *pattern, position + usize::from(!token.is_many()));
            }
        }
        target
    }

    /// The unions of which some pattern is at a position that passes.
    fn unions_where(&self, state: &State, passes: impl Fn(usize, usize) -> bool) -> BTreeSet<usize> {
        let passing = state.iter().filter(|(pattern, position)| passes(*pattern, *position));
        passing.filter_map(|(pattern, _)| self.unions.get(*pattern).copied()).collect()
    }

    fn accepts(&self, state: &State) -> bool {
        self.unions_where(state, |pattern, at| self.token(pattern, at).is_none()).into_iter().eq(0..self.required)
    }

    /// Whether nothing accepted can follow: a required union is lost, or an excluded pattern matches whatever comes.
    fn is_dead(&self, state: &State) -> bool {
        let rest = |pattern: usize, at: usize| self.patterns.get(pattern).and_then(|p| p.0.get(at..));
        let ends = |pattern, at| rest(pattern, at) == Some(&[Token::Many { bounded: false }]);
        !self.unions_where(state, |_, _| true).into_iter().filter(|u| *u < self.required).eq(0..self.required)
            || self.unions_where(state, ends).contains(&self.required)
    }

    /// Whether no reachable state accepts: every state and every letter, one after the other.
    fn never_accepts(&self) -> bool {
        let (mut known, mut open) = (BTreeSet::from([self.start()]), vec![self.start()]);
        while let Some(state) = open.pop() {
            if self.is_dead(&state) {
                continue;
            }
            if self.accepts(&state) || known.len() > STATES {
                return false;
            }
            let mut letters = BTreeSet::from([Token::Char(self.other), Token::Char(':')]);
            for token in state.iter().filter_map(|(pattern, position)| self.token(*pattern, *position)) {
                match token {
                    Token::Fold(c) => letters.extend([Token::Char(*c), Token::Char(c.to_ascii_uppercase())]),
                    Token::Char(_) | Token::Variable { .. } => drop(letters.insert(token.clone())),
                    _ => {}
                }
            }
            for target in letters.iter().map(|letter| self.step(&state, letter)) {
                if known.insert(target.clone()) {
                    open.push(target);
                }
            }
        }
        true
    }
}
