//! Any operator with any values against any value of the request.
#![no_main]

use iam_evaluate::{Context, Policies, Principal, Request, evaluate};
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator, SetQualifier};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::text::{Span, Spanned};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, u8, bool, Vec<&str>, Vec<&str>)| {
    let (which, set, if_exists, listed, values) = input;
    let Some(&comparison) = Comparison::ALL.get(usize::from(which) % Comparison::ALL.len()) else { return };
    let set = match set % 3 {
        0 => None,
        1 => Some(SetQualifier::ForAllValues),
        _ => Some(SetQualifier::ForAnyValue),
    };
    let key = ConditionKey::new("aws:username");
    let mut statement = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
    statement.conditions.push(Condition {
        operator: Operator::Known { set, comparison, if_exists },
        key: key.clone(),
        values: listed.into_iter().map(|text| Spanned::synthetic(text.to_owned())).collect(),
        span: Span::default(),
    });
    let policy = PolicyDocument::new(vec![statement]);
    let mut context = Context::complete();
    context.set(key, values.into_iter().map(str::to_owned).collect());
    let (Ok(principal), Ok(action), Ok(resource)) =
        (Principal::parse("arn:aws:iam::111122223333:role/R"), "s3:GetObject".parse(), "arn:aws:s3:::b/k".parse())
    else {
        return;
    };
    let request = Request { principal, action, resource, resource_account: None, context };
    let _ = evaluate(&request, &Policies { identity: vec![&policy], ..Policies::default() });
});
