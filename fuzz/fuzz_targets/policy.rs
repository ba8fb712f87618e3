//! Any text as a policy: read, printed, read again, and evaluated.
#![no_main]

use iam_evaluate::{Context, Policies, Principal, Request, evaluate};
use iam_model::policy::{PrintStyle, parse, print};
use iam_model::text::{SourceName, SourceText};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = SourceText { name: SourceName::new("fuzz"), text: text.into() };
    let (document, _) = parse(&source);
    let printed = SourceText { name: SourceName::new("again"), text: print(&document, PrintStyle::Compact) };
    let again = parse(&printed).0;
    assert!(document.statements.len() == again.statements.len());
    let (Ok(principal), Ok(action), Ok(resource)) =
        (Principal::parse("arn:aws:iam::111122223333:role/R"), "s3:GetObject".parse(), "arn:aws:s3:::b/k".parse())
    else {
        return;
    };
    let request = Request { principal, action, resource, resource_account: None, context: Context::open() };
    let policies = Policies { identity: vec![&document], resource: Some(&again), ..Policies::default() };
    let _ = evaluate(&request, &policies);
});
