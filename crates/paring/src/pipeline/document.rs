//! Why each statement of a resource's policy, or of a VPC endpoint's, stays, gets narrower or goes.
//!
//! Carries over what was decided; decides nothing.

use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::snapshot::SnapshotIndex;
use iam_patch::Project;
use iam_synthesize::{Evidence, document_of};
use iam_verify::policy_check::nearest;

use super::documents_view::what;
use super::{Inputs, facts};
use crate::error::CliError;
use crate::report::explain::document::{DocumentExplanation, Explained};

/// The explanation of one policy.
pub(crate) fn explain(inputs: &Inputs, resource: &Arn) -> Result<DocumentExplanation, CliError> {
    let (index, _) = SnapshotIndex::new(&inputs.snapshot);
    let logs = (&inputs.usage, inputs.rules.min_days);
    let coverage = facts::coverage(&inputs.snapshot, logs, &inputs.catalog);
    let known = facts::evidence(logs, &coverage, &inputs.last_accessed, &inputs.catalog);
    let visibility = |role: &Arn, action: &Action| known.visibility(role, action);
    let evidence = Evidence {
        usage: &inputs.usage,
        coverage: &coverage,
        catalog: &inputs.catalog,
        visibility: &visibility,
        every_use: &|role: &Arn, action: &Action, on: &ResourcePattern| known.every_use(role, action, on),
        has_own_record: &|role| known.has_own_record(role),
    };
    let roles: Vec<_> = index.roles().collect();
    let (project, _) = Project::read(inputs.sources.clone().unwrap_or_default());
    let rules = facts::with_written(facts::with_unshown(&inputs.rules, &roles, &known), &project, &index, &roles);
    let proposal = document_of(resource, &index, &evidence, (&rules, &inputs.quotas));
    let policy = index.resource_policy(resource).or_else(|| index.vpc_endpoint(resource)?.policy.as_ref());
    let (Some(proposal), Some(policy)) = (proposal, policy) else {
        return Err(
            CliError::user(format!("the snapshot holds no policy of `{resource}`")).hint(meant(&index, resource))
        );
    };
    let after = proposal.changes.first().map(|change| change.after.clone().unwrap_or_default());
    let statements = policy.statements.iter().cloned().zip(proposal.statements.iter().cloned());
    Ok(DocumentExplanation {
        subject: resource.to_string(),
        what: what(&proposal),
        window: inputs.usage.window.map(|(first, last)| (first.to_string(), last.to_string())),
        days: coverage.days,
        statements: statements.map(|(statement, fate)| Explained { statement, fate }).collect(),
        left_alone: proposal.left_alone,
        after,
    })
}

/// Which resource with a policy may be meant.
fn meant(index: &SnapshotIndex<'_>, resource: &Arn) -> String {
    let accounts = index.snapshot().accounts.values();
    let known = accounts.flat_map(|account| account.resource_policies.keys().chain(account.vpc_endpoints.keys()));
    match nearest(resource.as_str(), known.map(Arn::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "without a policy of its own, only identities' policies say who may use it".into(),
    }
}
