//! What templates and snapshots say that functions are configured with, laid beside what their roles were seen to do.
//!
//! Hints and no evidence: nothing is kept or cut for them.

use iam_model::arn::Arn;
use iam_model::change::Change;
use iam_model::snapshot::{EnvironmentVariable, SnapshotIndex, environment};
use iam_patch::{Project, environments};
use iam_synthesize::{Configured, Evidence, Known, Need, RoleProposal, Rules, Use, configured};
use iam_verify::before_after::documents;

use crate::report::ConfiguredView;
use crate::report::explain::NamedView;

/// Adds to each proposal what the role's functions are configured with, where anything tells.
pub(super) fn add(
    project: &Project,
    index: &SnapshotIndex<'_>,
    proposals: &mut [RoleProposal],
    (evidence, rules): (&Evidence<'_>, &Rules),
) {
    let roles: Vec<&Arn> = proposals.iter().map(|proposal| &proposal.role).collect();
    let mut of_templates = environments(project, index, &roles);
    for proposal in proposals {
        let role = &proposal.role;
        let variables = joined(role, of_templates.remove(role).unwrap_or_default(), index);
        if variables.is_empty() {
            continue;
        }
        let (before, after) = documents(role, &proposal.changes.iter().collect::<Vec<&Change>>(), index);
        let known = Known { role, evidence, rules };
        proposal.configured = configured(known, &variables, index, (&before, &after));
    }
}

/// The deployed values go before what templates say.
fn joined(role: &Arn, of_templates: Vec<EnvironmentVariable>, index: &SnapshotIndex<'_>) -> Vec<EnvironmentVariable> {
    let mut variables: Vec<EnvironmentVariable> = index.functions_of(role).into_iter().flat_map(environment).collect();
    for variable in of_templates {
        let is_it = |known: &EnvironmentVariable| known.function == variable.function && known.name == variable.name;
        // A collected snapshot holds the names, and `(left out)` for each value.
        variables.retain(|known| !is_it(known) || !known.value.starts_with('('));
        if !variables.iter().any(is_it) {
            variables.push(variable);
        }
    }
    variables
}

/// Which variables name the resources of each need.
pub(super) fn named(needs: &[Need], all: &[Configured]) -> Vec<NamedView> {
    let of = |need: &Need| {
        let names = |one: &&Configured| need.resources.iter().flatten().any(|resource| one.names(resource));
        let mut by: Vec<String> = all.iter().filter(names).map(|one| one.variable.clone()).collect();
        by.dedup();
        let told = need.seen.is_some() && need.resources.is_some();
        let alike = all.iter().any(|one| one.resource.service() == need.action.service());
        NamedView { by_none: by.is_empty() && told && alike, by }
    };
    needs.iter().map(of).collect()
}

/// What one is, in words.
pub(super) fn view(one: &Configured) -> ConfiguredView {
    const NAMED: usize = 3;
    let (calls, actions, why) = match &one.use_of {
        Use::Seen(calls) => (*calls, Vec::new(), None),
        Use::Hidden { actions, why } => (0, actions.iter().map(ToString::to_string).collect(), Some(why.clone())),
        Use::Unseen | Use::NotGranted => (0, Vec::new(), None),
    };
    let says = match &one.use_of {
        Use::Seen(1) => "1 call on it was seen".to_owned(),
        Use::Seen(calls) => format!("{} calls on it were seen", iam_model::text::grouped(*calls)),
        Use::NotGranted => "no call on it was seen, and the role may do nothing there".to_owned(),
        Use::Unseen => "no call on it was seen; of what goes, the logs would have shown one".to_owned(),
        Use::Hidden { .. } => {
            let named = actions.iter().take(NAMED).cloned().collect::<Vec<String>>().join(", ");
            let more = actions.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let why = why.as_deref().unwrap_or_default();
            format!("no call on it was seen, and the logs could not have shown {named}{more}, which go ({why})")
        }
    };
    ConfiguredView {
        function: one.function.clone(),
        variable: one.variable.clone(),
        resource: one.resource.to_string(),
        calls,
        says,
        hidden: actions,
    }
}
