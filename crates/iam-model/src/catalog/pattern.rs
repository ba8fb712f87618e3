//! ARN patterns with variables, `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`, matched and filled.
//!
//! These are the reference's patterns, not the wildcards of policies; matching a policy's `Resource` lives with evaluation.

/// The form of a resource type's ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArnPattern<'a>(&'a str);

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArnPart<'a> {
    /// Stands for itself.
    Literal(&'a str),
    /// The name of what stands there, without `${` and `}`.
    Variable(&'a str),
}

impl<'a> ArnPattern<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The pattern as the reference writes it.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// The parts, in order.
    pub fn parts(&self) -> impl Iterator<Item = ArnPart<'a>> + use<'a> {
        pieces(self.0)
    }

    /// Whether `text` is one of these ARNs. A variable stands for one character or more; the partition, region and account
    /// hold no colon, and are of the usual form only where the pattern has a variable there.
    ///
    /// ```
    /// use iam_model::catalog::Catalog;
    /// let catalog = Catalog::embedded().unwrap();
    /// let get = catalog.action(&"s3:GetObject".parse().unwrap()).unwrap();
    /// let object = get.resource_types().find(|r| r.name() == "object").unwrap().arn_patterns().next().unwrap();
    /// assert!(object.matches("arn:aws:s3:::reports/2026/11.csv"));
    /// assert!(!object.matches("arn:aws:s3:::reports"));
    /// ```
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.matcher().matches(text)
    }

    /// The pattern taken apart, to be matched often.
    #[must_use]
    pub fn matcher(&self) -> ArnMatcher<'a> {
        let (head, tail) = split_arn(self.0);
        ArnMatcher { pattern: *self, head, tail: pieces(tail).collect() }
    }
}

/// A pattern taken apart.
#[derive(Debug, Clone)]
pub struct ArnMatcher<'a> {
    pattern: ArnPattern<'a>,
    head: [&'a str; 5],
    tail: Vec<ArnPart<'a>>,
}

impl<'a> ArnMatcher<'a> {
    /// The pattern.
    #[must_use]
    pub const fn pattern(&self) -> ArnPattern<'a> {
        self.pattern
    }

    /// Whether `text` is one of these ARNs, as [`ArnPattern::matches`] has it.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (head, tail) = split_arn(text);
        head.iter().zip(&self.head).all(|(part, pattern)| part_matches(part, pattern))
            && tail_pieces(&self.tail, tail, &mut 4096)
    }
}

/// The five parts before the resource, and the resource. Colons inside `${…}` do not occur in the reference.
fn split_arn(arn: &str) -> ([&str; 5], &str) {
    let mut parts = [""; 5];
    let mut rest = arn;
    for part in &mut parts {
        let end = rest.bytes().position(|byte| byte == b':').unwrap_or(rest.len());
        *part = rest.get(..end).unwrap_or_default();
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    (parts, rest)
}

fn part_matches(part: &str, pattern: &str) -> bool {
    if pattern.starts_with("${") { true } else { part == pattern || pattern == "*" }
}

/// Matches greedily from the left with a bounded number of retries; the reference's patterns have a few pieces.
fn tail_pieces(pieces: &[ArnPart<'_>], text: &str, budget: &mut u32) -> bool {
    let Some(left) = budget.checked_sub(1) else { return false };
    *budget = left;
    match pieces {
        [] => text.is_empty(),
        [ArnPart::Literal(literal), rest @ ..] => {
            text.strip_prefix(literal).is_some_and(|text| tail_pieces(rest, text, budget))
        }
        [ArnPart::Variable(_)] => !text.is_empty(),
        [ArnPart::Variable(_), ArnPart::Literal(literal), rest @ ..] => text
            .match_indices(literal)
            .filter(|(at, _)| *at > 0)
            .any(|(at, _)| text.get(at + literal.len()..).is_some_and(|text| tail_pieces(rest, text, budget))),
        [ArnPart::Variable(_), rest @ ..] => text
            .char_indices()
            .skip(1)
            .any(|(at, _)| text.get(at..).is_some_and(|text| tail_pieces(rest, text, budget))),
    }
}

fn pieces(pattern: &str) -> impl Iterator<Item = ArnPart<'_>> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
            rest = after;
            return Some(ArnPart::Variable(name));
        }
        let end = rest.get(1..).and_then(|tail| tail.find("${")).map_or(rest.len(), |at| at + 1);
        let (literal, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = after;
        Some(ArnPart::Literal(literal))
    })
}
