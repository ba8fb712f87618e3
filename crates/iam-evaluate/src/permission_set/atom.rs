//! One condition of a statement, compiled: what it says of an absent key, of one value, and of a set of values.
//!
//! An operator or value that is not understood stays as [`Test::Unknown`]: nothing is concluded from it but that it
//! equals itself. Follows the IAM User Guide topics "IAM JSON policy elements: Condition operators" and "Set operators
//! for multivalued context keys".

use iam_model::condition::{Comparison, Condition, ConditionKey, Operator, SetQualifier};
use iam_model::policy::PolicyVersion;
use iam_model::variable;

use super::values::{self, Address, Block, Point, Relation};
use crate::budget::Budget;
use crate::glob::{Case, Glob, Reading, Variable, Wildcards};

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Atom {
    /// The key.
    pub(crate) key: ConditionKey,
    /// What it says where the key is absent; nothing where AWS's text is silent.
    pub(crate) absent: Option<bool>,
    /// How many of the values must pass the test.
    pub(crate) span: Span,
    /// What is asked of one value.
    pub(crate) test: Test,
    /// Whether a value passes by failing the test.
    pub(crate) negated: bool,
}

/// How many of a key's values must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// No set operator: the key has one value.
    Single,
    /// `ForAllValues`
    All,
    /// `ForAnyValue`
    Any,
}

/// What is asked of one value. Lists are alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    /// Always this, as `Null` does.
    Constant(bool),
    /// Matches one of the patterns.
    Text(Box<[Glob]>),
    /// Stands in the relation to one of the numbers.
    Number(Relation, Box<[Point]>),
    /// Stands in the relation to one of the points in time.
    Moment(Relation, Box<[Point]>),
    /// Lies in one of the blocks.
    Address(Box<[Block]>),
    /// Not understood: the operator and values as written.
    Unknown(Box<str>),
}

impl Atom {
    /// Compiles a condition of a document of this version.
    pub(crate) fn compile(condition: &Condition, version: PolicyVersion) -> Self {
        let key = condition.key.clone();
        let Operator::Known { set, comparison, if_exists } = &condition.operator else {
            return Self { key, absent: None, span: Span::Single, test: unknown(condition), negated: false };
        };
        if *comparison == Comparison::Null {
            return Self::null(key, condition);
        }
        let (test, negated) = test(condition, *comparison, version == PolicyVersion::V2012);
        let (span, absent) = match set {
            None => (Span::Single, Some(*if_exists || negated)),
            Some(SetQualifier::ForAllValues) => (Span::All, Some(true)),
            Some(SetQualifier::ForAnyValue) => (Span::Any, (!if_exists).then_some(false)),
        };
        Self { key, absent, span, test, negated }
    }

    fn null(key: ConditionKey, condition: &Condition) -> Self {
        let says = |word: &str| condition.values.iter().any(|v| v.value.eq_ignore_ascii_case(word));
        let (absent, present) = (says("true"), says("false"));
        if condition.values.iter().all(|v| is_boolean(&v.value)) {
            Self { key, absent: Some(absent), span: Span::Single, test: Test::Constant(present), negated: false }
        } else {
            Self { key, absent: None, span: Span::Single, test: unknown(condition), negated: false }
        }
    }

    /// A condition made by the search: the key has exactly this value.
    pub(crate) fn equals(key: ConditionKey, value: &str) -> Self {
        let reading = Reading { case: Case::Sensitive, wildcards: Wildcards::Literal, variables: false };
        let test = Test::Text([Glob::parse(value, reading)].into());
        Self { key, absent: Some(false), span: Span::Single, test, negated: false }
    }

    /// A condition made by the search: the key is absent.
    pub(crate) const fn is_absent(key: ConditionKey) -> Self {
        Self { key, absent: Some(true), span: Span::Single, test: Test::Constant(false), negated: false }
    }

    /// Whether the condition holds for these values of its key (none: absent); nothing where that is unknown.
    pub(crate) fn holds<'v>(
        &self,
        values: &[String],
        variable: &dyn Fn(&Variable) -> Option<&'v str>,
        budget: &Budget,
    ) -> Option<bool> {
        if values.is_empty() {
            return self.absent;
        }
        let mut verdicts =
            values.iter().map(|v| self.test.passes(v, variable, budget).map(|passes| passes != self.negated));
        match self.span {
            Span::Single if values.len() > 1 => match self.test {
                Test::Constant(value) => Some(value),
                _ => None,
            },
            Span::Single => verdicts.next().flatten(),
            Span::All => verdicts.try_fold(true, |all, v| Some(all && v?)),
            Span::Any => verdicts.try_fold(false, |any, v| Some(any || v?)),
        }
    }

    /// The condition with its variables replaced by values.
    pub(crate) fn bind<'v>(&self, variable: &dyn Fn(&Variable) -> Option<&'v str>) -> Self {
        let test = match &self.test {
            Test::Text(globs) => Test::Text(globs.iter().filter_map(|g| g.bind(variable)).collect()),
            other => other.clone(),
        };
        Self { test, ..self.clone() }
    }
}

impl Test {
    /// Whether one value passes.
    pub(crate) fn passes<'v>(
        &self,
        value: &str,
        variable: &dyn Fn(&Variable) -> Option<&'v str>,
        budget: &Budget,
    ) -> Option<bool> {
        if !budget.spend(self.weight()) {
            return None;
        }
        match self {
            Self::Constant(passes) => Some(*passes),
            Self::Text(globs) => {
                globs.iter().try_fold(false, |any, g| Some(any || g.matches_with(value, variable, budget)?))
            }
            Self::Number(relation, written) => {
                let point = values::number(value)?;
                Some(written.iter().any(|w| relation.holds(point, *w)))
            }
            Self::Moment(relation, written) => {
                let point = values::moment(value)?;
                Some(written.iter().any(|w| relation.holds(point, *w)))
            }
            Self::Address(blocks) => {
                let address = Address::parse(value)?;
                Some(blocks.iter().any(|b| b.holds(address)))
            }
            Self::Unknown(_) => None,
        }
    }

    /// How many values it is written with, at least one: what it costs to ask it, or to compare it with another.
    pub(crate) fn weight(&self) -> usize {
        1 + match self {
            Self::Constant(_) | Self::Unknown(_) => 0,
            Self::Text(globs) => globs.len(),
            Self::Number(_, points) | Self::Moment(_, points) => points.len(),
            Self::Address(blocks) => blocks.len(),
        }
    }
}

fn unknown(condition: &Condition) -> Test {
    let mut values: Vec<&str> = condition.values.iter().map(|v| v.value.as_str()).collect();
    values.sort_unstable();
    Test::Unknown(format!("{} {values:?}", condition.operator).into())
}

/// The test of a comparison, and whether a value passes by failing it.
fn test(condition: &Condition, comparison: Comparison, variables: bool) -> (Test, bool) {
    use Comparison as C;
    let text = |case, wildcards| text_test(condition, Reading { case, wildcards, variables });
    let number = |relation| read(condition, values::number).map(|v| Test::Number(relation, v));
    let moment = |relation| read(condition, values::moment).map(|v| Test::Moment(relation, v));
    let test = match comparison {
        C::StringEquals | C::StringNotEquals => text(Case::Sensitive, Wildcards::Literal),
        C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => text(Case::Ignored, Wildcards::Literal),
        C::StringLike | C::StringNotLike => text(Case::Sensitive, Wildcards::Anywhere),
        C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => text(Case::Sensitive, Wildcards::BySegment),
        C::Bool if condition.values.iter().all(|v| is_boolean(&v.value)) => {
            text_test(condition, Reading { case: Case::Ignored, wildcards: Wildcards::Literal, variables: false })
        }
        // Bytes have several spellings; nothing is concluded from them.
        C::Bool | C::BinaryEquals => None,
        C::NumericEquals | C::NumericNotEquals => number(Relation::Equal),
        C::NumericLessThan => number(Relation::Less),
        C::NumericLessThanEquals => number(Relation::LessOrEqual),
        C::NumericGreaterThan => number(Relation::Greater),
        C::NumericGreaterThanEquals => number(Relation::GreaterOrEqual),
        C::DateEquals | C::DateNotEquals => moment(Relation::Equal),
        C::DateLessThan => moment(Relation::Less),
        C::DateLessThanEquals => moment(Relation::LessOrEqual),
        C::DateGreaterThan => moment(Relation::Greater),
        C::DateGreaterThanEquals => moment(Relation::GreaterOrEqual),
        C::IpAddress | C::NotIpAddress => read(condition, Block::parse).map(Test::Address),
        C::Null => None,
    };
    (test.unwrap_or_else(|| unknown(condition)), comparison.is_negated())
}

fn read<T>(condition: &Condition, parse: impl Fn(&str) -> Option<T>) -> Option<Box<[T]>> {
    condition.values.iter().map(|v| parse(&v.value)).collect()
}

const fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// Whether a pattern has fewer than six segments and no `*` at its end to stand for the others: AWS's text does not say
/// what it matches. Nor does it where the star follows a variable, or a `?` that may stand for the whole of `*`.
pub(crate) fn is_short(text: &str) -> bool {
    let unclear = || !text.ends_with('*') || text.contains("${") || text.chars().all(|c| c == '*' || c == '?');
    let only_stars = !text.is_empty() && text.chars().all(|c| c == '*');
    !only_stars && variable::segments(text).count() < 6 && unclear()
}

/// The patterns of a text condition; nothing where one is not understood.
///
/// A variable compared without regard to case is no rigid symbol, and some ARN patterns have no documented
/// meaning.
fn text_test(condition: &Condition, reading: Reading) -> Option<Test> {
    let globs: Vec<Glob> = condition.values.iter().map(|v| Glob::parse(&v.value, reading)).collect();
    let doubtful = |glob: &Glob, text: &str| match (reading.case, reading.wildcards) {
        (Case::Ignored, _) => glob.has_variable() || !text.is_ascii(),
        (_, Wildcards::BySegment) => is_short(text),
        _ => false,
    };
    let strange = |text: &str| reading.variables && !variable::are_well_formed(text);
    let any_doubt = globs.iter().zip(&condition.values).any(|(g, v)| strange(&v.value) || doubtful(g, &v.value));
    (!any_doubt).then(|| Test::Text(globs.into()))
}
