//! A policy: read, printed and read again it is the same, and it is decided whatever it says.

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_evaluate::{Context, Policies};
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, PrintStyle, parse, print};
use iam_model::text::{SourceName, SourceText};

use super::decision;

/// The law.
pub fn check(text: &str) {
    let (document, diagnostics) = read(text);
    for diagnostic in &diagnostics {
        assert!(!diagnostic.message.is_empty() && diagnostic.place.position.is_some_and(|at| at.line > 0));
    }
    // What was not understood was also said.
    assert!(is_whole(&document) || !diagnostics.is_empty(), "something is unknown, and nobody was told");
    round_trip(&document);
    if text.len() < 4_096 {
        decided(&document);
        inclusion(&document);
    }
}

fn read(text: &str) -> (PolicyDocument, Vec<iam_model::diagnostic::Diagnostic>) {
    parse(&SourceText { name: SourceName::new("policy"), text: text.into() })
}

fn is_whole(document: &PolicyDocument) -> bool {
    document.unknown.is_empty() && document.statements.iter().all(|s| s.unknown.is_empty())
}

fn round_trip(document: &PolicyDocument) {
    for style in [PrintStyle::Compact, PrintStyle::Pretty] {
        let printed = print(document, style);
        let (again, _) = read(&printed);
        assert_eq!(again.statements.len(), document.statements.len(), "{printed}");
        assert_eq!(print(&again, style), printed, "printed twice, it is not the same");
        if is_whole(document) {
            assert!(document.same_text(&again), "read again, it says something else: {printed}");
        }
    }
}

fn decided(document: &PolicyDocument) {
    let other = PolicyDocument::default();
    let all = vec![document];
    for resource in ["*", "arn:aws:s3:::b/k"] {
        for action in ["s3:GetObject", "kms:Decrypt"] {
            let mut context = Context::complete();
            context.set(ConditionKey::new("aws:username"), vec!["b".into()]);
            context.set(ConditionKey::new("aws:TagKeys"), vec!["a".into(), "b".into()]);
            let Some(request) = decision::request(action, resource, context) else { continue };
            for policies in [
                Policies { identity: all.clone(), ..Policies::default() },
                Policies { resource: Some(document), identity: vec![&other], ..Policies::default() },
                Policies { identity: all.clone(), boundary: all.clone(), session: all.clone(), ..Policies::default() },
                Policies {
                    identity: all.clone(),
                    resource: Some(document),
                    scps: vec![all.clone(), all.clone()],
                    rcps: vec![all.clone()],
                    vpc_endpoint: all.clone(),
                    ..Policies::default()
                },
            ] {
                decision::check_growing_knowledge(&request, &policies);
            }
        }
    }
}

fn inclusion(document: &PolicyDocument) {
    let set = PermissionSet::of_document(document);
    let limits = Limits { steps: 300, states: 300, ..Limits::default() };
    let inside = set.included_in(&set, limits);
    assert!(!matches!(inside, Inclusion::Excluded(_)), "a set is outside itself: {inside:?}");
    let inside = set.included_in(&PermissionSet::everything(), limits);
    assert!(!matches!(inside, Inclusion::Excluded(_)), "a set is outside everything: {inside:?}");
}
