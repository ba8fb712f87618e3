//! Globs: the patterns policies use for actions, resources, principals and condition values, as token strings.
//!
//! Reads `*`, `?`, policy variables and the escapes `${*}`, `${?}`, `${$}`; matches in linear time and compares one
//! pattern with another. Exact questions about several patterns at once live in [`language`]. Knows nothing about
//! statements or requests. Follows the IAM User Guide topics "IAM JSON policy elements: Resource" and "Variables and
//! tags".

pub mod language;
mod relation;

use std::fmt;
use std::sync::Arc;

use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyVersion;

/// A policy variable: the context key it stands for, and the text to use where the key is absent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable {
    /// The context key.
    pub key: ConditionKey,
    /// The default after the comma, where one is written.
    pub default: Option<Box<str>>,
}

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Token {
    /// Exactly this character.
    Char(char),
    /// This letter in either case; stored in lower case.
    Fold(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `?` within one of the first five segments of an ARN, where it is no colon.
    OneInSegment,
    /// `*` within one of the first five segments of an ARN.
    ManyInSegment,
    /// Whatever the variable's value is. In a bounded segment a value with a colon matches nothing.
    Variable {
        /// Which variable.
        variable: Arc<Variable>,
        /// Whether it stands in one of the first five segments of an ARN.
        in_segment: bool,
    },
}

impl Token {
    const fn is_many(&self) -> bool {
        matches!(self, Self::Many | Self::ManyInSegment)
    }

    const fn is_wild(&self) -> bool {
        matches!(self, Self::Many | Self::ManyInSegment | Self::One | Self::OneInSegment)
    }
}

/// Whether letters compare with regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// As written.
    Sensitive,
    /// Both cases are the same.
    Ignored,
}

/// What `*` and `?` in a text mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wildcards {
    /// Themselves.
    Literal,
    /// Any text, any character.
    Anywhere,
    /// The same, but in the first five colon-separated segments not beyond a colon. Where a text of fewer segments
    /// ends in `*`, that one also stands for the segments that follow; else it is read as [`Wildcards::Anywhere`].
    BySegment,
}

/// How to read a text as a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Case.
    pub case: Case,
    /// Wildcards.
    pub wildcards: Wildcards,
    /// Whether `${…}` is a variable or an escape: only in version 2012-10-17, and only where AWS allows it.
    pub variables: bool,
}

impl Reading {
    /// Action patterns: no case, wildcards anywhere, no variables.
    pub const ACTION: Self = Self { case: Case::Ignored, wildcards: Wildcards::Anywhere, variables: false };

    /// Resource patterns of a document of this version.
    #[must_use]
    pub fn resource(version: PolicyVersion) -> Self {
        Self { case: Case::Sensitive, wildcards: Wildcards::BySegment, variables: version == PolicyVersion::V2012 }
    }
}

/// A compiled pattern.
///
/// Runs of wildcards are kept in one order (`?` before `*`, stars merged), so that equal patterns are mostly equal
/// token strings and matching stays linear for patterns of nothing but wildcards.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob {
    tokens: Box<[Token]>,
    /// How many leading tokens are plain characters.
    prefix: usize,
    head: Head,
    /// Whether there is no wildcard and no variable.
    is_plain: bool,
    has_variable: bool,
}

/// The first letters of a pattern without regard to case, at most eight, up to the first wildcard: two patterns whose
/// heads part match nothing in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Head {
    letters: u64,
    mask: u64,
}

impl Head {
    fn of(tokens: &[Token]) -> Self {
        let mut head = Self { letters: 0, mask: 0 };
        for (at, token) in tokens.iter().take(8).enumerate() {
            let (Token::Char(c) | Token::Fold(c)) = token else { break };
            if !c.is_ascii() {
                break;
            }
            head.letters |= u64::from(c.to_ascii_lowercase()) << (8 * at);
            head.mask |= 0xff << (8 * at);
        }
        head
    }

    /// Whether some letter that both have differs.
    pub(crate) const fn parts_from(self, other: Self) -> bool {
        (self.letters ^ other.letters) & self.mask & other.mask != 0
    }

    /// A bit for the first three letters, where there are as many.
    pub(crate) fn start(self) -> Option<u64> {
        let letters = self.letters & 0xff_ffff;
        (self.mask & 0xff_ffff == 0xff_ffff).then(|| 1 << (letters.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58))
    }
}

impl Glob {
    /// Reads a pattern.
    ///
    /// ```
    /// use iam_evaluate::glob::{Glob, Reading};
    /// use iam_model::policy::PolicyVersion;
    /// let get = Glob::parse("s3:Get*", Reading::ACTION);
    /// assert!(get.matches("S3:getobject"));
    /// let table = Glob::parse("arn:aws:dynamodb:*:111122223333:table/*", Reading::resource(PolicyVersion::V2012));
    /// assert!(table.matches("arn:aws:dynamodb:us-east-1:111122223333:table/Orders"));
    /// assert!(!table.matches("arn:aws:dynamodb:us-east-1:x:111122223333:table/Orders"));
    /// ```
    #[must_use]
    pub fn parse(text: &str, reading: Reading) -> Self {
        let by_segment = reading.wildcards == Wildcards::BySegment;
        let whole = by_segment && colons(text, reading.variables) >= 5;
        let bounded = by_segment && (whole || text.ends_with('*'));
        if bounded && text.bytes().all(|byte| byte == b'*') {
            return Self::everything();
        }
        let mut tokens = Vec::with_capacity(text.len() + 2 * usize::from(bounded && !whole) * 5);
        let mut segment = 0;
        let mut rest = text;
        if !(reading.variables && text.contains("${")) {
            rest = "";
            for c in text.chars() {
                tokens.push(plain_token(c, bounded && segment < 5, reading));
                segment += usize::from(c == ':');
            }
        }
        while let Some(c) = rest.chars().next() {
            let in_segment = bounded && segment < 5;
            if reading.variables
                && let Some((body, after)) = variable_body(rest)
            {
                tokens.extend(variable_token(body, in_segment, reading.case));
                rest = after;
                continue;
            }
            segment += usize::from(c == ':');
            tokens.push(plain_token(c, in_segment, reading));
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        // The last star of a short text also stands for the segments that follow.
        while bounded && segment < 5 {
            segment += 1;
            tokens.extend([Token::Char(':'), if segment < 5 { Token::ManyInSegment } else { Token::Many }]);
        }
        Self::from_tokens(tokens)
    }

    /// The pattern that matches everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::from_tokens(vec![Token::Many])
    }

    pub(crate) fn from_tokens(mut tokens: Vec<Token>) -> Self {
        order_runs(&mut tokens);
        let prefix = tokens.iter().take_while(|t| matches!(t, Token::Char(_))).count();
        let has_variable = tokens.iter().any(|t| matches!(t, Token::Variable { .. }));
        let is_plain = prefix == tokens.len() || tokens.iter().all(|t| matches!(t, Token::Char(_) | Token::Fold(_)));
        Self { head: Head::of(&tokens), tokens: tokens.into(), prefix, is_plain, has_variable }
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether the pattern holds a policy variable.
    #[must_use]
    pub const fn has_variable(&self) -> bool {
        self.has_variable
    }

    /// The variables of the pattern.
    pub fn variables(&self) -> impl Iterator<Item = &Arc<Variable>> {
        self.tokens.iter().filter_map(|t| match t {
            Token::Variable { variable, .. } => Some(variable),
            _ => None,
        })
    }

    pub(crate) const fn head(&self) -> Head {
        self.head
    }

    /// A text the pattern matches, with `fill` for each `*`; nothing where a variable is part of it.
    pub(crate) fn filled(&self, fill: &str) -> Option<String> {
        let mut text = String::with_capacity(self.tokens.len());
        for token in &self.tokens {
            match token {
                Token::Char(c) | Token::Fold(c) => text.push(*c),
                Token::One | Token::OneInSegment => text.push('a'),
                Token::Many | Token::ManyInSegment => text.push_str(fill),
                Token::Variable { .. } => return None,
            }
        }
        Some(text)
    }

    /// Whether the pattern is the bare `*`.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(&*self.tokens, [Token::Many])
    }

    /// The text, where the pattern matches exactly one.
    #[must_use]
    pub fn as_literal(&self) -> Option<String> {
        (self.prefix == self.tokens.len())
            .then(|| self.tokens.iter().filter_map(|t| if let Token::Char(c) = t { Some(*c) } else { None }).collect())
    }

    /// The pattern with every variable replaced by its value, or nothing where one has none: then it matches nothing.
    #[must_use]
    pub fn bind<'v>(&self, value: &dyn Fn(&Variable) -> Option<&'v str>) -> Option<Self> {
        if !self.has_variable {
            return Some(self.clone());
        }
        let mut tokens = Vec::with_capacity(self.tokens.len());
        for token in &self.tokens {
            match token {
                Token::Variable { variable, in_segment } => {
                    let text = value(variable).or(variable.default.as_deref())?;
                    if *in_segment && text.contains(':') {
                        return None;
                    }
                    tokens.extend(text.chars().map(Token::Char));
                }
                other => tokens.push(other.clone()),
            }
        }
        Some(Self::from_tokens(tokens))
    }

    /// The pattern with every variable widened to "any text".
    #[must_use]
    pub fn widened(&self) -> Self {
        let widen = |t: &Token| match t {
            Token::Variable { in_segment: true, .. } => Token::ManyInSegment,
            Token::Variable { in_segment: false, .. } => Token::Many,
            other => other.clone(),
        };
        Self::from_tokens(self.tokens.iter().map(widen).collect())
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            match token {
                Token::Char(c) | Token::Fold(c) => write!(f, "{c}")?,
                Token::One | Token::OneInSegment => f.write_str("?")?,
                Token::Many | Token::ManyInSegment => f.write_str("*")?,
                Token::Variable { variable, .. } => write!(f, "${{{}}}", variable.key)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({self})")
    }
}

fn plain_token(c: char, in_segment: bool, reading: Reading) -> Token {
    match c {
        '*' | '?' if reading.wildcards == Wildcards::Literal => Token::Char(c),
        '*' if in_segment => Token::ManyInSegment,
        '?' if in_segment => Token::OneInSegment,
        '*' => Token::Many,
        '?' => Token::One,
        _ => letter(c, reading.case),
    }
}

const fn letter(c: char, case: Case) -> Token {
    match case {
        Case::Ignored if c.is_ascii_alphabetic() => Token::Fold(c.to_ascii_lowercase()),
        _ => Token::Char(c),
    }
}

/// The inside of a leading `${…}`, and what follows it.
fn variable_body(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("${")?.split_once('}')
}

fn variable_token(body: &str, in_segment: bool, case: Case) -> Option<Token> {
    if let "*" | "?" | "$" = body {
        return body.chars().next().map(|c| letter(c, case));
    }
    let (key, default) = body.split_once(',').map_or((body, None), |(key, rest)| (key, Some(rest.trim())));
    let default = default.map(|d| d.strip_prefix('\'').and_then(|d| d.strip_suffix('\'')).unwrap_or(d).into());
    let variable = Arc::new(Variable { key: ConditionKey::new(key.trim()), default });
    Some(Token::Variable { variable, in_segment })
}

/// Colons outside variables: these separate the segments of an ARN.
fn colons(text: &str, variables: bool) -> usize {
    if !(variables && text.contains("${")) {
        return text.bytes().filter(|byte| *byte == b':').count();
    }
    let mut count = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if variables && let Some((_, after)) = variable_body(rest) {
            rest = after;
            continue;
        }
        count += usize::from(c == ':');
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    count
}

/// Puts each run of wildcards of one kind into the order `??…*`.
fn order_runs(tokens: &mut Vec<Token>) {
    if tokens.windows(2).all(|two| !matches!(two, [a, b] if a.is_many() && b.is_wild())) {
        return;
    }
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens.drain(..) {
        match (&token, out.last()) {
            (Token::Many, Some(Token::Many)) | (Token::ManyInSegment, Some(Token::ManyInSegment)) => {}
            (Token::One, Some(Token::Many)) | (Token::OneInSegment, Some(Token::ManyInSegment)) => {
                let many = out.pop();
                out.push(token);
                out.extend(many);
            }
            _ => out.push(token),
        }
    }
    *tokens = out;
}

#[cfg(test)]
mod tests;
