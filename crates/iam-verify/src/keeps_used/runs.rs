//! What is known of use beside the calls' names: the context that a record holds, and that a function runs with a role.
//!
//! That a function of the snapshot runs with a role is use that no log has to show.

use iam_evaluate::{Context, Evaluator, Principal, Request};
use iam_model::action::Action;
use iam_model::arn::ResourcePattern;
use iam_model::change::{AttachmentKind, Change};
use iam_model::condition::{Comparison, Condition, Operator};
use iam_model::snapshot::SnapshotIndex;
use iam_model::text::{Span, Spanned};
use iam_model::usage::Observation;

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
                resource: ResourcePattern::new(role.as_str()),
                context: std::collections::BTreeMap::new(),
            }),
        })
    })
}

/// The context that a record holds, as conditions.
pub(super) fn conditions(observation: &Observation) -> Vec<Condition> {
    let single = observation.context.iter().filter(|(_, values)| values.len() == 1);
    let equals = single.map(|(key, values)| Condition {
        operator: Operator::Known { set: None, comparison: Comparison::StringEquals, if_exists: false },
        key: key.clone(),
        values: values.iter().cloned().map(Spanned::synthetic).collect(),
        span: Span::default(),
    });
    equals.collect()
}

/// Why a call of a pattern is undecided.
pub(super) fn part_of(resource: &ResourcePattern) -> String {
    format!("the logs name no single resource, only `{resource}`, and the change takes a part of what was granted")
}
