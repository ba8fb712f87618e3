//! ARN patterns with variables, `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`, matched and filled.
//!
//! These are the reference's patterns, not the wildcards of policies; matching a policy's `Resource` lives with evaluation.

/// The form of a resource type's ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArnPattern<'a>(&'a str);

/// A piece of a pattern.
enum Piece<'a> {
    Literal(&'a str),
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

    /// The variables, in order, without `${` and `}`.
    pub fn variables(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        pieces(self.0).filter_map(|piece| match piece {
            Piece::Variable(name) => Some(name),
            Piece::Literal(_) => None,
        })
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
        let (pattern_head, pattern_tail) = split_arn(self.0);
        let (head, tail) = split_arn(text);
        head.iter().zip(&pattern_head).all(|(part, pattern)| part_matches(part, pattern))
            && tail_matches(pattern_tail, tail)
    }

    /// The ARN with every variable replaced by what `value` gives for it; nothing where it gives nothing for one.
    pub fn fill(&self, mut value: impl FnMut(&str) -> Option<String>) -> Option<String> {
        let mut out = String::with_capacity(self.0.len() + 32);
        for piece in pieces(self.0) {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Variable(name) => out.push_str(&value(name)?),
            }
        }
        Some(out)
    }
}

/// The five parts before the resource, and the resource. Colons inside `${…}` do not occur in the reference.
fn split_arn(arn: &str) -> ([&str; 5], &str) {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    ([next(), next(), next(), next(), next()], next())
}

fn part_matches(part: &str, pattern: &str) -> bool {
    if pattern.starts_with("${") { true } else { part == pattern || pattern == "*" }
}

fn tail_matches(pattern: &str, text: &str) -> bool {
    let pieces: Vec<Piece<'_>> = pieces(pattern).collect();
    tail_pieces(&pieces, text, &mut 4096)
}

/// Matches greedily from the left with a bounded number of retries; the reference's patterns have a few pieces.
fn tail_pieces(pieces: &[Piece<'_>], text: &str, budget: &mut u32) -> bool {
    let Some(left) = budget.checked_sub(1) else { return false };
    *budget = left;
    match pieces {
        [] => text.is_empty(),
        [Piece::Literal(literal), rest @ ..] => {
            text.strip_prefix(literal).is_some_and(|text| tail_pieces(rest, text, budget))
        }
        [Piece::Variable(_)] => !text.is_empty(),
        [Piece::Variable(_), Piece::Literal(literal), rest @ ..] => text
            .match_indices(literal)
            .filter(|(at, _)| *at > 0)
            .any(|(at, _)| text.get(at + literal.len()..).is_some_and(|text| tail_pieces(rest, text, budget))),
        [Piece::Variable(_), rest @ ..] => text
            .char_indices()
            .skip(1)
            .any(|(at, _)| text.get(at..).is_some_and(|text| tail_pieces(rest, text, budget))),
    }
}

fn pieces(pattern: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
            rest = after;
            return Some(Piece::Variable(name));
        }
        let end = rest.get(1..).and_then(|tail| tail.find("${")).map_or(rest.len(), |at| at + 1);
        let (literal, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = after;
        Some(Piece::Literal(literal))
    })
}
