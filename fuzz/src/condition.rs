//! Conditions: how the operators, their prefixes and suffixes stand to one another, whatever the values.
//!
//! The input is three lines: the listed values and the request's, separated by `|`, and the user name that variables
//! read. A third of the operators is asked, by the length of the input.

use iam_evaluate::permission_set::{PermissionSet, Possibility, Witness};
use iam_evaluate::{Context, Policies, evaluate};
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator, SetQualifier};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::text::{Span, Spanned};

use super::decision;

const KEY: &str = "test:Key";

struct Input<'t> {
    listed: Vec<&'t str>,
    values: Vec<&'t str>,
    user: &'t str,
}

/// What the request carries under the key.
#[derive(Clone, Copy)]
enum Carries<'t> {
    Nothing,
    Unknown,
    Values(&'t [&'t str]),
}

/// The law.
pub fn check(text: &str) {
    if text.len() > 1_024 {
        return;
    }
    let mut lines = text.splitn(3, '\n');
    let listed: Vec<&str> = lines.next().unwrap_or_default().split('|').take(4).collect();
    let values: Vec<&str> = lines.next().unwrap_or_default().split('|').take(4).collect();
    let input = Input { listed, values, user: lines.next().unwrap_or_default() };
    for comparison in Comparison::ALL.iter().skip(text.len() % 3).step_by(3) {
        if *comparison == Comparison::Null {
            null(&input);
        } else {
            one_value(*comparison, &input);
            sets(*comparison, &input);
        }
    }
    opposites(&input);
}

/// A single value: `IfExists` changes nothing where the key is there, and set operators ask about a list of one.
fn one_value(comparison: Comparison, input: &Input<'_>) {
    let plain = Operator::Known { set: None, comparison, if_exists: false };
    let lenient = Operator::Known { set: None, comparison, if_exists: true };
    let of = |set| Operator::Known { set: Some(set), comparison, if_exists: false };
    for value in &input.values {
        let carries = Carries::Values(std::slice::from_ref(value));
        let said = holds(&plain, input, carries);
        assert!(said.is_some(), "{comparison:?} is open on one value");
        assert_eq!(said, holds(&lenient, input, carries), "{comparison:?}IfExists and the key is there");
        for set in [SetQualifier::ForAllValues, SetQualifier::ForAnyValue] {
            assert_eq!(said, holds(&of(set), input, carries), "{set:?}:{comparison:?} on a list of one");
        }
    }
    assert_eq!(holds(&lenient, input, Carries::Nothing), Some(true), "{comparison:?}IfExists without the key");
    assert_eq!(holds(&plain, input, Carries::Unknown), None, "{comparison:?} on a key that is not known");
}

/// Set operators: all, any, and what each says of a key that is missing.
fn sets(comparison: Comparison, input: &Input<'_>) {
    let of = |set| Operator::Known { set: Some(set), comparison, if_exists: false };
    let plain = Operator::Known { set: None, comparison, if_exists: false };
    let each: Vec<Option<bool>> =
        input.values.iter().map(|value| holds(&plain, input, Carries::Values(std::slice::from_ref(value)))).collect();
    let (all, any) = (of(SetQualifier::ForAllValues), of(SetQualifier::ForAnyValue));
    let values = Carries::Values(&input.values);
    assert_eq!(holds(&all, input, values), Some(each.iter().all(|one| *one == Some(true))), "ForAllValues");
    assert_eq!(holds(&any, input, values), Some(each.contains(&Some(true))), "ForAnyValue");
    assert_eq!(holds(&all, input, Carries::Nothing), Some(true), "ForAllValues without the key");
    assert_eq!(holds(&any, input, Carries::Nothing), Some(false), "ForAnyValue without the key");
    assert_eq!(holds(&all, input, Carries::Values(&[])), Some(true), "ForAllValues of nothing");
    assert_eq!(holds(&any, input, Carries::Values(&[])), Some(false), "ForAnyValue of nothing");
}

/// A negated operator is the opposite of the plain one, the key there or not.
fn opposites(input: &Input<'_>) {
    use Comparison as C;
    for (plain, negated) in [
        (C::StringEquals, C::StringNotEquals),
        (C::StringEqualsIgnoreCase, C::StringNotEqualsIgnoreCase),
        (C::StringLike, C::StringNotLike),
        (C::NumericEquals, C::NumericNotEquals),
        (C::DateEquals, C::DateNotEquals),
        (C::IpAddress, C::NotIpAddress),
        (C::ArnEquals, C::ArnNotEquals),
        (C::ArnLike, C::ArnNotLike),
    ] {
        let [plain, negated] =
            [plain, negated].map(|comparison| Operator::Known { set: None, comparison, if_exists: false });
        for value in &input.values {
            let carries = Carries::Values(std::slice::from_ref(value));
            assert_eq!(holds(&plain, input, carries), holds(&negated, input, carries).map(|holds| !holds), "{negated}");
        }
        assert_eq!(holds(&plain, input, Carries::Nothing), Some(false), "{plain} without the key");
        assert_eq!(holds(&negated, input, Carries::Nothing), Some(true), "{negated} without the key");
    }
    for same in [(C::ArnEquals, C::ArnLike), (C::ArnNotEquals, C::ArnNotLike)] {
        let [one, other] =
            [same.0, same.1].map(|comparison| Operator::Known { set: None, comparison, if_exists: false });
        let carries = Carries::Values(input.values.get(..1).unwrap_or_default());
        assert_eq!(holds(&one, input, carries), holds(&other, input, carries), "{one} and {other}");
    }
}

fn null(input: &Input<'_>) {
    let operator = Operator::Known { set: None, comparison: Comparison::Null, if_exists: false };
    let says = |word: &str| input.listed.iter().any(|listed| listed.eq_ignore_ascii_case(word));
    assert_eq!(holds(&operator, input, Carries::Nothing), Some(says("true")), "Null without the key");
    let present = holds(&operator, input, Carries::Values(&input.values));
    assert_eq!(present, Some(says("false")), "Null with the key");
}

/// Whether a condition holds; nothing where that is unknown. A permission set must not say otherwise.
fn holds(operator: &Operator, input: &Input<'_>, carries: Carries<'_>) -> Option<bool> {
    let key = ConditionKey::new(KEY);
    let mut statement = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
    statement.conditions.push(Condition {
        operator: operator.clone(),
        key: key.clone(),
        values: input.listed.iter().map(|text| Spanned::synthetic((*text).to_owned())).collect(),
        span: Span::default(),
    });
    let policy = PolicyDocument::new(vec![statement]);
    let mut context = Context::complete();
    let user = ConditionKey::new("aws:username");
    context.set(user.clone(), vec![input.user.into()]);
    match carries {
        Carries::Nothing => context.set_absent(key.clone()),
        Carries::Unknown => context.set_unknown(key.clone()),
        Carries::Values(values) => context.set(key.clone(), values.iter().map(|v| (*v).to_owned()).collect()),
    }
    let request = decision::request("s3:GetObject", "arn:aws:s3:::b/k", context)?;
    let decision = evaluate(&request, &Policies { identity: vec![&policy], ..Policies::default() });
    decision::check(&decision);
    let said = decision::said(&decision);
    let values: Vec<String> = match carries {
        Carries::Unknown | Carries::Values([]) => return said,
        Carries::Nothing => Vec::new(),
        Carries::Values(values) => values.iter().map(|v| (*v).to_owned()).collect(),
    };
    let mut carried = std::collections::BTreeMap::from([(user, vec![input.user.to_owned()])]);
    if !values.is_empty() {
        carried.insert(key, values);
    }
    let witness = Witness {
        action: request.action,
        resource: ResourcePattern::new("arn:aws:s3:::b/k"),
        principal: None,
        context: carried,
    };
    match (PermissionSet::of_document(&policy).allows_request(&witness), said) {
        (Possibility::Yes, Some(false)) | (Possibility::No, Some(true)) => {
            panic!("the set and the evaluation differ on {operator} {:?}: {said:?} for {witness}", input.listed)
        }
        _ => {}
    }
    said
}
