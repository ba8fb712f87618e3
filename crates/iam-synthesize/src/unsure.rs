//! Uses that may have gone unseen of an action that the logs would show as a rule: trails record some buckets, some regions,
//! and of some regions nothing was read.
//!
//! That a call was seen shows that it was made, and nothing of the calls that nobody recorded. What of it stays is decided
//! where proposals are made.

use iam_model::action::Action;
use iam_model::arn::ResourcePattern;
use iam_model::policy::{ResourceElement, Statement};
use iam_model::usage::Visibility;

use crate::needs::Known;

/// What of a statement's resources an action may have been used on without a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsure {
    /// The patterns of the statement; nothing for all it grants.
    pub(crate) patterns: Option<Vec<ResourcePattern>>,
    /// Why.
    pub(crate) why: String,
}

impl Known<'_> {
    /// On what of a statement's resources uses of an action may have gone unseen, whether or not others were seen; nothing
    /// where all of them would have been.
    pub(crate) fn unsure(&self, action: &Action, statement: &Statement) -> Option<Unsure> {
        let ask = |on: &ResourcePattern| match (self.evidence.every_use)(self.role, action, on) {
            Visibility::Visible => None,
            Visibility::Invisible(why) => Some(why),
        };
        let ResourceElement::Resource(patterns) = &statement.resource else {
            return ask(&ResourcePattern::everything()).map(|why| Unsure { patterns: None, why });
        };
        let told: Vec<(ResourcePattern, String)> =
            patterns.iter().filter_map(|pattern| Some((pattern.value.clone(), ask(&pattern.value)?))).collect();
        let (_, why) = told.first()?;
        let why = why.clone();
        let some = told.len() < patterns.len();
        Some(Unsure { patterns: some.then(|| told.into_iter().map(|(pattern, _)| pattern).collect()), why })
    }

    /// Whether calls of an action were let through.
    pub(crate) fn was_seen(&self, action: &Action) -> bool {
        let used = self.evidence.usage.principals.get(self.role);
        used.into_iter().flat_map(|used| &used.observations).any(|call| call.count > 0 && call.action == *action)
    }
}
