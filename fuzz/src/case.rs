//! A saved case: decided alike every time, with reasons that fit, and knowing more changes no answer. The same line is read
//! as a case for guardrails and as an organisation.

use iam_evaluate::case::Case;
use iam_evaluate::guardrail::{Guardrail, GuardrailCase, GuardrailKind, Organization, Standing};
use iam_model::json::Arena;
use iam_model::policy::parse;
use iam_model::text::{SourceName, SourceText};

use super::decision;

/// The law.
pub fn check(line: &str) {
    let source = SourceText { name: SourceName::new("case"), text: line.into() };
    match Case::read(&source) {
        Ok((case, _)) => {
            let decision = case.evaluate();
            decision::check(&decision);
            assert!(case.evaluate() == decision, "decided twice, differently");
            decision::check_growing_knowledge(&case.request, &case.policies());
        }
        Err(error) => assert!(!error.to_string().is_empty() && error.offset <= line.len()),
    }
    guardrails(line, &source);
}

/// What binds nobody has no statements behind it, and a Deny has some.
fn guardrails(line: &str, source: &SourceText) {
    const DENY: &str = r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
    let organization = Organization::read(source);
    if let Err(error) = &organization {
        assert!(!error.to_string().is_empty() && error.offset <= line.len());
    }
    let case = match GuardrailCase::read_in(&mut Arena::new(), line) {
        Ok(case) => case,
        Err(error) => return assert!(!error.to_string().is_empty() && error.offset <= line.len()),
    };
    let (policy, _) = parse(&SourceText { name: SourceName::new("deny"), text: DENY.into() });
    for kind in [GuardrailKind::ServiceControl, GuardrailKind::ResourceControl, GuardrailKind::VpcEndpoint] {
        let ruling = Guardrail::new(kind, &policy).decide(&case.request, Standing::default());
        assert!(ruling.exempt.is_none() || ruling.because.is_empty());
        assert!(ruling.exempt.is_some() == (ruling.outcome == iam_evaluate::LayerOutcome::NotApplicable));
    }
    if let Ok((organization, _)) = organization {
        let judged = organization.decide(&case);
        assert!(
            judged.as_ref().is_ok_and(|j| j.decided_by.is_none() || j.ruling().as_str() == "denied") || judged.is_err()
        );
    }
}
