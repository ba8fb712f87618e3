//! Functions that could not run any more: their role is no longer Lambda's to assume.
//!
//! That a function of the snapshot runs with a role is use that no log has to show.

use iam_evaluate::{Context, Evaluator, Principal, Request};
use iam_model::action::Action;
use iam_model::change::{AttachmentKind, Change};
use iam_model::snapshot::SnapshotIndex;

use crate::outcome::{Counterexample, Outcome};

/// The first function that runs with a role whose changed trust policy no longer lets Lambda in.
#[must_use]
pub fn stopped(changes: &[&Change], index: &SnapshotIndex<'_>, before: &Evaluator<'_>) -> Option<Outcome> {
    changes.iter().filter(|change| change.attachment.kind == AttachmentKind::Trust).find_map(|change| {
        let role = change.attachment.principal_arn.as_ref().or(change.attachment.resource_arn.as_ref())?;
        let functions = index.functions_of(role);
        let function = functions.first()?;
        let after = before.with_change(change).ok()?;
        let request = Request {
            principal: Principal::parse("lambda.amazonaws.com").ok()?,
            action: "sts:AssumeRole".parse::<Action>().ok()?,
            resource: role.clone().into(),
            resource_account: None,
            context: Context::open(),
        };
        let shut = |evaluator: &Evaluator<'_>| evaluator.decide_request(&request).outcome.is_deny();
        let more = match functions.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!shut(before) && shut(&after)).then(|| Outcome::Refuted {
            because: format!("Lambda could not run {}{more} with {} any more", function.arn.name(), role.name()),
            counterexample: Some(Counterexample {
                principal: Some(iam_model::policy::PrincipalPattern::Service("lambda.amazonaws.com".into())),
                action: request.action.clone(),
                resource: iam_model::arn::ResourcePattern::new(role.as_str()),
                context: std::collections::BTreeMap::new(),
            }),
        })
    })
}
