//! Functions as the sources describe them, for every role that functions run with.

use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::policy::PrincipalPattern;
use iam_model::snapshot::{Resource, SnapshotIndex};

use super::Project;
use crate::hcl;
use crate::locate::TemplateSettings;
use crate::stack::Deployed;

/// What the sources say of the functions that run with each role, as AWS describes functions: where they pass on what
/// failed, what they read and mount. A Region `*` where it is not known which of the deployed functions it is.
#[must_use]
pub fn settings_of_functions(
    project: &Project,
    index: &SnapshotIndex<'_>,
    roles: &[&Arn],
) -> BTreeMap<Arn, Vec<Resource>> {
    let deployed = Deployed::read(index);
    let in_templates = TemplateSettings::read(&project.templates, &deployed);
    let in_terraform = hcl::TerraformSettings::read(&project.terraform);
    let mut found = BTreeMap::new();
    for role in roles.iter().filter(|role| runs_functions(index, role)) {
        let functions = index.functions_of(role);
        let names: Vec<&str> = functions.iter().map(|function| function.arn.name()).collect();
        let mut settings = in_terraform.of_role(role, &names);
        settings.extend(in_templates.of_role(role, &names));
        let described: Vec<Resource> = settings.into_iter().map(|one| one.described(role, &functions)).collect();
        if !described.is_empty() {
            found.insert((*role).clone(), described);
        }
    }
    found
}

/// Whether functions run with a role, or may.
fn runs_functions(index: &SnapshotIndex<'_>, role: &Arn) -> bool {
    let trusted = |role: &iam_model::snapshot::Role| {
        let mut principals = role.trust.statements.iter().filter_map(|statement| statement.principal.as_ref());
        principals.any(|principal| {
            let is_it = |name: &str| name.starts_with("lambda.amazonaws.");
            principal.patterns().iter().any(|one| matches!(&one.value, PrincipalPattern::Service(name) if is_it(name)))
        })
    };
    !index.functions_of(role).is_empty() || index.role(role).is_some_and(trusted)
}

#[cfg(test)]
mod tests;
