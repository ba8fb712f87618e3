//! A shared role and its functions: where each of them stands.

use iam_model::arn::Arn;
use iam_model::change::{Attachment, RoleSplit};

use super::owner::{self, Owner};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Resolver;
use crate::stack::{Deployed, Stack};
use crate::template::{Resource, Template};

/// A role to take apart, found.
pub(crate) struct FoundSplit<'t> {
    pub(crate) template: usize,
    pub(crate) stack: Stack,
    pub(crate) role: Resource<'t>,
    /// The functions, in the order of the split's parts.
    pub(crate) functions: Vec<Resource<'t>>,
}

/// Finds the role and every function of a split in one template.
pub(crate) fn find_split<'t>(
    templates: &'t [Template],
    deployed: &'t Deployed,
    split: &RoleSplit,
) -> Result<FoundSplit<'t>, Refusal> {
    let attachment = Attachment::identity(split.role.clone(), String::new());
    let owners = owner::owners(templates, deployed, &attachment);
    let Some(owner) = owners.into_iter().next() else {
        let message = format!("no source file was found for `{}`", split.role);
        return Err(Refusal::new(RefusalCode::NotInSource, message).hint("give the folder that holds its template"));
    };
    if owner.resource.has_implicit_role() {
        let message = format!("`{}` has a role that SAM makes for it alone", owner.resource.id);
        return Err(Refusal::new(RefusalCode::Unsupported, message));
    }
    let mut functions = Vec::new();
    for part in &split.parts {
        functions.push(function(&owner, &part.function).ok_or_else(|| {
            let message = format!("`{}` does not hold the function `{}`", owner.template.name, part.function.name());
            Refusal::new(RefusalCode::NotInSource, message)
                .hint("a role and the functions it is split for have to stand in one template")
                .at(super::place(owner.template, owner.resource.node.span))
        })?);
    }
    let sharing = |function: &&Resource<'_>| owner.template.roles_of(function).iter().any(|id| id == owner.resource.id);
    // Functions that name a role each have been split before: what was found is the role of the first of them.
    let split_before = functions.iter().filter(sharing).count() <= 1 && !is_named(&owner, &split.role);
    if split_before {
        functions.clear();
    }
    Ok(FoundSplit { template: owner.index, stack: owner.stack, role: owner.resource, functions })
}

/// Whether a role's own name says that it is this resource.
fn is_named(owner: &Owner<'_>, role: &Arn) -> bool {
    let (id, name) = (owner.resource.id, role.name());
    let explicit =
        owner.resource.property("RoleName").map(|node| Resolver::open(owner.template, &owner.stack).value(node));
    let by_property = matches!(explicit, Some(crate::resolve::Value::Text(text)) if text.explains(name));
    by_property
        || owner.resource.is_framework_role()
        || owner::generated(id, name).is_some()
        || owner.stack.logical_of(name) == Some(id)
}

/// The function of an ARN: by the stack, by its name, or by the name CloudFormation or the framework gives it.
fn function<'t>(owner: &Owner<'t>, arn: &Arn) -> Option<Resource<'t>> {
    let template = owner.template;
    let name = arn.name();
    if let Some(resource) = owner.stack.logical_of(name).and_then(|id| template.resource(id)) {
        return Some(resource);
    }
    let resolver = Resolver::with_defaults(template, &owner.stack);
    let mut named = template.resources().filter(|r| {
        let explicit =
            r.property("FunctionName").or_else(|| r.property("name").filter(|_| !r.kind.starts_with("AWS::")));
        r.is_function()
            && match explicit {
                Some(node) => resolver.known(node).as_deref() == Some(name),
                None => owner::generated(r.id, name).is_some() || by_framework(template, r, name),
            }
    });
    let first = named.next()?;
    named.next().is_none().then_some(first)
}

/// `<service>-<stage>-<function>`.
fn by_framework(template: &Template, function: &Resource<'_>, name: &str) -> bool {
    let Some(own) = template.function_name(function) else { return false };
    let service = template.root.get("service").and_then(|s| s.text().or_else(|| s.get("name")?.text()));
    let stage =
        service.and_then(|service| name.strip_prefix(service)?.strip_prefix('-')?.strip_suffix(own)?.strip_suffix('-'));
    stage.is_some_and(|stage| !stage.is_empty() && !stage.contains('-'))
}
