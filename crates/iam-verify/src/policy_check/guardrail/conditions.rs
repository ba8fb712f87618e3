//! Conditions of a Deny that hold or fail where nobody thought of it: sets with one value more, and keys that are absent.
//!
//! Follows the IAM User Guide topics "Set operators for multivalued context keys" and "IAM JSON policy elements: Condition
//! operators" (…IfExists, Null).

use iam_model::condition::{Comparison, Condition, Operator, SetQualifier};
use iam_model::diagnostic::Code;
use iam_model::policy::{ActionElement, PolicyDocument, Statement};

use super::super::report::Report;
use super::{denies, is_key};

pub(super) fn check(statement: &Statement, document: &PolicyDocument, report: &mut Report<'_>) {
    for condition in &statement.conditions {
        let Operator::Known { set, comparison, if_exists } = condition.operator else { continue };
        match set {
            Some(SetQualifier::ForAllValues) if !comparison.is_negated() => {
                all_of_several(statement, condition, report);
            }
            None if !if_exists => absent(statement, condition, comparison, document, report),
            _ => {}
        }
    }
}

/// `ForAllValues` under a Deny: one value more gets past it, and no value at all is caught by it.
fn all_of_several(statement: &Statement, condition: &Condition, report: &mut Report<'_>) {
    let key = &condition.key;
    let message = format!("one value of `{key}` more than those listed gets past this Deny");
    let hint = "write `ForAnyValue:`, so that one listed value is enough to deny";
    report.error(Code::ForallvaluesEvasion, condition.span, message, hint);
    if !null_check(statement, condition, "false") {
        let message = format!("a request without `{key}` is denied too: ForAllValues holds where the key is absent");
        let hint = format!("write `ForAnyValue:`, or add `\"Null\": {{\"{key}\": \"false\"}}`");
        report.warning(Code::ForallvaluesOverdeny, condition.span, message, hint);
    }
}

/// Keys that a request may go without.
fn absent(
    statement: &Statement,
    condition: &Condition,
    comparison: Comparison,
    document: &PolicyDocument,
    report: &mut Report<'_>,
) {
    let key = &condition.key;
    let of_mfa = is_key(condition, "aws:MultiFactorAuthPresent");
    let is_limit = matches!(
        comparison,
        Comparison::NumericLessThan
            | Comparison::NumericLessThanEquals
            | Comparison::NumericGreaterThan
            | Comparison::NumericGreaterThanEquals
    );
    let wants_false = condition.values.iter().all(|value| value.value.eq_ignore_ascii_case("false"));
    if (is_limit || of_mfa && comparison == Comparison::Bool && wants_false)
        && !denied_without(document, statement, condition)
    {
        let message = format!("a request without `{key}` is not denied");
        let hint =
            "where absence should be denied too, write the operator with `IfExists`, or add a statement with `Null`";
        return match of_mfa {
            true => report.warning(Code::MissingKeyBypass, condition.span, message, hint),
            false => report.note(Code::MissingKeyBypass, condition.span, message, hint),
        };
    }
    let of_request = !key.as_str().get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    let is_tag = key.as_str().contains('/');
    if comparison.is_negated() && of_request && !is_tag && !null_check(statement, condition, "false") {
        let message =
            format!("a request without `{key}` is denied too: {} holds where the key is absent", condition.operator);
        let hint = "where absence is harmless, write the operator with `IfExists` or add `Null` with `false`";
        report.warning(Code::MissingKeyOverdeny, condition.span, message, hint);
    }
}

/// Whether the statement says of the key that it must be absent (`true`) or present (`false`).
fn null_check(statement: &Statement, condition: &Condition, expected: &str) -> bool {
    statement.conditions.iter().any(|other| {
        matches!(other.operator, Operator::Known { comparison: Comparison::Null, .. })
            && other.key == condition.key
            && other.values.iter().any(|value| value.value.eq_ignore_ascii_case(expected))
    })
}

/// Whether another Deny catches requests without the key, for the same actions.
fn denied_without(document: &PolicyDocument, statement: &Statement, condition: &Condition) -> bool {
    let same = |other: &Statement| match (&statement.action, &other.action) {
        (ActionElement::Action(these), ActionElement::Action(those)) => {
            these.iter().all(|this| those.iter().any(|that| this.value == that.value))
        }
        (ActionElement::NotAction(_), ActionElement::NotAction(_)) => true,
        _ => false,
    };
    denies(document).any(|other| null_check(other, condition, "true") && same(other))
        || null_check(statement, condition, "false")
}
