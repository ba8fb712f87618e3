//! Any pattern against any name: `Action` and `Resource`, with variables.
#![no_main]

use iam_evaluate::{Context, Policies, Principal, Request, evaluate};
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, Statement};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (action, resource, name, value) = input;
    let statement = Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::new(resource)]);
    let policy = PolicyDocument::new(vec![statement]);
    let mut context = Context::complete();
    context.set(ConditionKey::new("aws:username"), vec![value.into()]);
    let (Ok(principal), Ok(action), Ok(resource)) = (
        Principal::parse("arn:aws:iam::111122223333:role/R"),
        "s3:GetObject".parse(),
        format!("arn:aws:s3:::{name}").parse(),
    ) else {
        return;
    };
    let request = Request { principal, action, resource, resource_account: None, context };
    let _ = evaluate(&request, &Policies { identity: vec![&policy], ..Policies::default() });
});
