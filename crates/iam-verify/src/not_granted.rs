//! The check that a policy does not grant what is listed: it is inside "everything but that".
//!
//! Follows the IAM Access Analyzer topic "Custom policy checks" (CheckAccessNotGranted). Decides nothing itself; the
//! proof and its certificate are those of [`adds_nothing`](crate::adds_nothing).

use iam_evaluate::permission_set::Limits;
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Catalog;
use iam_model::policy::{Effect, PolicyDocument, Statement};

use crate::adds_nothing::{Verdict, check_documents};
use crate::outcome::Outcome;

/// Access that must not be granted: any of the actions on any of the resources. An empty list means all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// Actions, with wildcards where wanted.
    pub actions: Vec<ActionPattern>,
    /// Resources, with wildcards where wanted.
    pub resources: Vec<ResourcePattern>,
}

/// Whether the policy grants nothing of the access.
///
/// ```
/// use iam_evaluate::permission_set::Limits;
/// use iam_model::action::ActionPattern;
/// use iam_model::arn::ResourcePattern;
/// use iam_model::policy::{PolicyDocument, Statement};
/// use iam_verify::not_granted::{Access, check};
/// let gets = Statement::allow(vec![ActionPattern::new("s3:Get*")], vec![ResourcePattern::new("*")]);
/// let policy = PolicyDocument::new(vec![gets]);
/// let access = |action: &str| Access { actions: vec![ActionPattern::new(action)], resources: vec![] };
/// assert!(check(&policy, &access("s3:PutObject"), Limits::default()).outcome.is_proved());
/// assert!(!check(&policy, &access("s3:GetObject"), Limits::default()).outcome.is_proved());
/// ```
#[must_use]
pub fn check(policy: &PolicyDocument, access: &Access, limits: Limits<'_>) -> Verdict {
    in_words(check_documents(&[all_but(access)], std::slice::from_ref(policy), limits))
}

/// The same; a counterexample stands in names that the catalogue knows.
#[must_use]
pub fn check_in_known_names(
    policy: &PolicyDocument,
    access: &Access,
    limits: Limits<'_>,
    catalog: &Catalog,
) -> Verdict {
    check(policy, access, limits).in_known_names(&[all_but(access)], std::slice::from_ref(policy), catalog)
}

fn in_words(mut verdict: Verdict) -> Verdict {
    match &mut verdict.outcome {
        Outcome::Proved { because } => *because = "nothing of the listed access is granted".into(),
        Outcome::Refuted { because, .. } => *because = "some of the listed access is granted".into(),
        Outcome::Undecided { .. } => {}
    }
    verdict
}

fn all_but(access: &Access) -> PolicyDocument {
    let everything = || Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
    let mut deny = everything();
    if !access.actions.is_empty() {
        deny.action = Statement::allow(access.actions.clone(), Vec::new()).action;
    }
    if !access.resources.is_empty() {
        deny.resource = Statement::allow(Vec::new(), access.resources.clone()).resource;
    }
    deny.effect = Effect::Deny;
    PolicyDocument { version: None, ..PolicyDocument::new(vec![everything(), deny]) }
}
