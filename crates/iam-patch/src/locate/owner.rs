//! Which resource of which template carries the policy.

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind};

use crate::intrinsic;
use crate::kinds;
use crate::permission;
use crate::reference::secret_suffix;
use crate::resolve::{Resolver, Value};
use crate::site::ENDPOINT;
use crate::stack::{Deployed, Stack};
use crate::template::{Resource, Template};

/// A resource that may carry the policy, with the stack it is deployed in.
pub(super) struct Owner<'t> {
    pub(super) index: usize,
    pub(super) template: &'t Template,
    pub(super) stack: Stack,
    pub(super) resource: Resource<'t>,
}

/// Every candidate, the strongest evidence first; weaker evidence is used only where there is no stronger.
pub(super) fn owners<'t>(templates: &'t [Template], deployed: &Deployed, attachment: &Attachment) -> Vec<Owner<'t>> {
    let mut found = candidates(templates, deployed, attachment);
    let arn = attachment.principal_arn.as_ref().or(attachment.resource_arn.as_ref());
    for owner in &mut found {
        given_by_parent(templates, deployed, owner.template, &mut owner.stack, arn);
    }
    found
}

/// How many nested stacks a template is given for.
pub(super) fn times_nested(templates: &[Template], child: &Template) -> usize {
    templates.iter().flat_map(Template::nested).filter(|(name, _)| name == child.name.as_str()).count()
}

/// Adds the parameters that a parent's template gives to a nested stack, as far as they are known.
fn given_by_parent(
    templates: &[Template],
    deployed: &Deployed,
    child: &Template,
    stack: &mut Stack,
    arn: Option<&Arn>,
) {
    if times_nested(templates, child) != 1 {
        return;
    }
    for parent in templates {
        for (_, parameters) in parent.nested().filter(|(name, _)| name == child.name.as_str()) {
            let above = stack_for(parent, deployed, arn);
            let resolver = Resolver::open(parent, &above);
            for entry in parameters.entries() {
                let Some(value) = resolver.known(&entry.value) else { continue };
                stack.parameters.entry(entry.name().to_owned()).or_insert(value);
            }
        }
    }
}

fn candidates<'t>(templates: &'t [Template], deployed: &Deployed, attachment: &Attachment) -> Vec<Owner<'t>> {
    let by_id: Vec<Owner<'t>> = attachment
        .logical_id
        .as_deref()
        .map(|id| by_logical_id(templates, deployed, attachment, id))
        .unwrap_or_default();
    if attachment.logical_id.is_some() {
        return by_id;
    }
    if let (AttachmentKind::Resource | AttachmentKind::VpcEndpoint, Some(arn)) =
        (attachment.kind, &attachment.resource_arn)
    {
        let found = by_resource(templates, deployed, arn);
        return if found.is_empty() { by_service(templates, deployed, arn) } else { found };
    }
    if let (AttachmentKind::ServiceControl | AttachmentKind::ResourceControl, Some(name)) =
        (attachment.kind, &attachment.policy_name)
    {
        return by_policy_name(templates, deployed, name);
    }
    // A boundary is a policy of its own, wherever the roles stand that name it.
    if let Some(policy) = boundary_of(attachment) {
        let found = by_policy(templates, deployed, &policy);
        if !found.is_empty() {
            return found;
        }
    }
    let Some(arn) = &attachment.principal_arn else { return Vec::new() };
    let strong = by_stack(templates, deployed, arn);
    if strong.is_empty() { by_name(templates, deployed, arn) } else { strong }
}

/// The ARN of the boundary that an attachment is about, where it says it.
pub(crate) fn boundary_of(attachment: &Attachment) -> Option<Arn> {
    let policy: Arn = attachment.policy_name.as_ref()?.parse().ok()?;
    (attachment.kind == AttachmentKind::Boundary && !policy.is_owned_by_aws()).then_some(policy)
}

/// The managed policies with that ARN: by the stack, by name, or by the name that CloudFormation makes.
fn by_policy<'t>(templates: &'t [Template], deployed: &Deployed, policy: &Arn) -> Vec<Owner<'t>> {
    let mut found = Vec::new();
    for (index, template) in templates.iter().enumerate() {
        let stack = stack_for(template, deployed, Some(policy));
        let resolver = Resolver::with_defaults(template, &stack);
        let is_it = |resource: &Resource<'_>| {
            stack.logical_of(policy.as_str()) == Some(resource.id)
                || match resource.property("ManagedPolicyName") {
                    Some(name) => resolver.known(name).as_deref() == Some(policy.name()),
                    None => generated(resource.id, policy.name()).is_some(),
                }
        };
        let policies = template.resources().filter(|resource| resource.kind == "AWS::IAM::ManagedPolicy");
        let owner = |resource| Owner { index, template, stack: stack.clone(), resource };
        found.extend(policies.filter(is_it).map(owner));
    }
    found
}

/// The Organizations policies of that name.
fn by_policy_name<'t>(templates: &'t [Template], deployed: &Deployed, name: &str) -> Vec<Owner<'t>> {
    let mut found = Vec::new();
    for (index, template) in templates.iter().enumerate() {
        let stack = stack_for(template, deployed, None);
        let resolver = Resolver::with_defaults(template, &stack);
        let named =
            |r: &Resource<'_>| r.property("Name").and_then(|node| resolver.known(node)).as_deref() == Some(name);
        let policies = template.resources().filter(|r| r.kind == "AWS::Organizations::Policy" && named(r));
        found.extend(policies.map(|resource| Owner { index, template, stack: stack.clone(), resource }));
    }
    found
}

/// The stack a template is deployed as: the one whose resources fit best.
pub(super) fn stack_for(template: &Template, deployed: &Deployed, arn: Option<&Arn>) -> Stack {
    let account = arn.and_then(Arn::account);
    let in_account = |stack: &&Stack| account.as_ref().is_none_or(|a| stack.account.as_deref() == Some(a.as_str()));
    let best = deployed.stacks().filter(in_account).max_by_key(|stack| stack.fit(template));
    match best {
        Some(stack) if stack.fit(template) > 0 => learned(stack, template),
        _ => arn.map(Stack::of_arn).unwrap_or_default(),
    }
}

fn learned(stack: &Stack, template: &Template) -> Stack {
    let mut stack = stack.clone();
    stack.learn(template);
    stack
}

fn by_logical_id<'t>(
    templates: &'t [Template],
    deployed: &Deployed,
    attachment: &Attachment,
    id: &str,
) -> Vec<Owner<'t>> {
    let mut found = Vec::new();
    for (index, template) in templates.iter().enumerate() {
        let resource = template.resource(id).or_else(|| template.owner_of_role(id));
        if let Some(resource) = resource.or_else(|| template.function_named(id)) {
            let arn = attachment.principal_arn.as_ref().or(attachment.resource_arn.as_ref());
            let stack = stack_for(template, deployed, arn);
            let of_role = !matches!(attachment.kind, AttachmentKind::Resource | AttachmentKind::VpcEndpoint);
            let resource = if of_role { carrier(template, resource) } else { resource };
            found.push(Owner { index, template, stack, resource });
        }
    }
    found
}

/// The resource whose policies a function runs with: itself where SAM makes the role, else the role it names. A
/// function with a `Policies` list of its own stays, so that a dead list is reported as one.
fn carrier<'t>(template: &'t Template, resource: Resource<'t>) -> Resource<'t> {
    if resource.has_implicit_role() || (resource.has_policy_list() && resource.property("Policies").is_some()) {
        return resource;
    }
    role_of(template, &resource).unwrap_or(resource)
}

pub(super) fn role_of<'t>(template: &'t Template, function: &Resource<'t>) -> Option<Resource<'t>> {
    let named = template.roles_of(function);
    named.iter().find_map(|id| template.resource(id).filter(|r| r.kind == "AWS::IAM::Role" || r.is_framework_role()))
}

fn by_stack<'t>(templates: &'t [Template], deployed: &Deployed, role: &Arn) -> Vec<Owner<'t>> {
    let mut found: Vec<Owner<'t>> = Vec::new();
    for stack in deployed.stacks() {
        for (index, template) in templates.iter().enumerate() {
            let of_functions = stack.functions_of(role).filter_map(|id| {
                let function = template.resource(id)?;
                if function.has_implicit_role() { Some(function) } else { role_of(template, &function) }
            });
            let of_resources = stack
                .logical_of(role.name())
                .and_then(|id| template.resource(id).or_else(|| template.owner_of_role(id)))
                .filter(|_| stack.fit(template) > 0);
            for resource in of_functions.chain(of_resources) {
                let known = found.iter().any(|o| o.index == index && o.resource.id == resource.id);
                if !known {
                    found.push(Owner { index, template, stack: learned(stack, template), resource });
                }
            }
        }
    }
    let best = found.iter().map(|o| o.stack.fit(o.template)).max().unwrap_or_default();
    found.retain(|o| o.stack.fit(o.template) == best);
    found
}

fn by_name<'t>(templates: &'t [Template], deployed: &Deployed, principal: &Arn) -> Vec<Owner<'t>> {
    let (mut found, mut possible) = (Vec::new(), Vec::new());
    for (index, template) in templates.iter().enumerate() {
        let mut stack = stack_for(template, deployed, Some(principal));
        given_by_parent(templates, deployed, template, &mut stack, Some(principal));
        for resource in template.resources() {
            if let Some(stack) = stack_by_name(template, &stack, &resource, deployed, principal) {
                found.push(Owner { index, template, stack, resource });
            } else if may_be_named(template, &stack, &resource, principal) {
                possible.push(Owner { index, template, stack: stack.clone(), resource });
            }
        }
    }
    if found.is_empty() { possible } else { found }
}

/// Whether the name that the template gives, with parts that are not known, can be the principal's.
fn may_be_named(template: &Template, stack: &Stack, resource: &Resource<'_>, principal: &Arn) -> bool {
    let property = match resource.kind {
        "AWS::IAM::Role" => "RoleName",
        "AWS::IAM::User" => "UserName",
        "AWS::IAM::Group" => "GroupName",
        _ => return false,
    };
    let value = resource.property(property).map(|node| Resolver::open(template, stack).value(node));
    matches!(value, Some(Value::Text(text)) if text.len() > 0 && text.explains(principal.name()))
}

/// The stack, where the principal's name is the resource's: given in the template, or made by CloudFormation.
fn stack_by_name(
    template: &Template,
    stack: &Stack,
    resource: &Resource<'_>,
    deployed: &Deployed,
    principal: &Arn,
) -> Option<Stack> {
    let property = match resource.kind {
        "AWS::IAM::Role" => "RoleName",
        "AWS::IAM::User" => "UserName",
        "AWS::IAM::Group" => "GroupName",
        _ if resource.has_implicit_role() => "",
        _ if resource.is_framework_role() => "name",
        _ => return None,
    };
    // Beside the older keys, `name` is that of the cloud provider or of the function.
    let older = ["iamRoleStatements", "iamManagedPolicies"].iter().any(|key| resource.property(key).is_some());
    let property = if resource.is_framework_role() && older { "iamRoleStatementsName" } else { property };
    if let Some(node) = resource.property(property) {
        let known = |resolver: Resolver<'_>| resolver.known(node);
        let name = known(Resolver::open(template, stack)).or_else(|| known(Resolver::with_defaults(template, stack)));
        return (name.as_deref() == Some(principal.name())).then(|| stack.clone());
    }
    if resource.is_framework_role() {
        return framework_stack(template, resource, deployed, principal);
    }
    let implicit = resource.has_implicit_role();
    if resource.is_multiplied() {
        return None;
    }
    let id = if implicit { format!("{}Role", resource.id) } else { resource.id.to_owned() };
    let name = generated(&id, principal.name())?;
    match stack.name.as_deref() {
        Some(known) => (known == name).then(|| stack.clone()),
        None => {
            let mut stack = deployed.inferred(name, principal, implicit.then_some(resource.id));
            stack.learn(template);
            Some(stack)
        }
    }
}

/// The stack, where the role's name is `<service>-<stage>[-<function>]-<region>-lambdaRole` as the framework makes it.
fn framework_stack(
    template: &Template,
    resource: &Resource<'_>,
    deployed: &Deployed,
    principal: &Arn,
) -> Option<Stack> {
    let node = template.root.get("service")?;
    let open = Stack::of_arn(principal);
    let resolver = Resolver::with_defaults(template, &open);
    let service = resolver.known(node).or_else(|| resolver.known(node.get("name")?))?;
    let middle = principal.name().strip_prefix(&service)?.strip_prefix('-')?.strip_suffix("-lambdaRole")?;
    let (head, region) = before_region(middle)?;
    let own = template.function_of_role(resource.id);
    let stage = match own {
        Some(function) => head.strip_suffix(function)?.strip_suffix('-')?,
        None => head,
    };
    let known = || resolver.known(template.root.get("provider")?.get("stage")?);
    if stage.is_empty() || (stage.contains('-') && known().as_deref() != Some(stage)) {
        return None;
    }
    let mut stack = deployed.inferred(&format!("{service}-{stage}"), principal, None);
    stack.region.get_or_insert(region.to_owned());
    Some(stack)
}

/// What stands before a region at the end of a name, and the region: `eu-west-1`, `us-gov-west-1`.
fn before_region(text: &str) -> Option<(&str, &str)> {
    let dashes: Vec<usize> = text.rmatch_indices('-').map(|(at, _)| at).collect();
    let long = |from: usize| {
        let middle = text.get(from + 1..).and_then(|rest| rest.split('-').next()).unwrap_or_default();
        middle == "gov" || middle.starts_with("iso")
    };
    let at = match dashes.get(2..)? {
        [first, second, ..] if long(*first) => *second,
        [first, ..] => *first,
        [] => return None,
    };
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The stack's name in `<stack>-<logical id>-<random>`.
pub(super) fn generated<'n>(id: &str, name: &'n str) -> Option<&'n str> {
    let (head, random) = name.rsplit_once('-')?;
    let random = (8..=14).contains(&random.len()) && random.bytes().all(|b| b.is_ascii_alphanumeric());
    let stack = head.strip_suffix(id)?.strip_suffix('-')?;
    (random && !stack.is_empty()).then_some(stack)
}

/// The resource with this ARN, and the policy resources that speak of it.
fn by_resource<'t>(templates: &'t [Template], deployed: &Deployed, arn: &Arn) -> Vec<Owner<'t>> {
    let mut found = Vec::new();
    let function = permission::unqualified(arn);
    for (index, template) in templates.iter().enumerate() {
        let stack = stack_for(template, deployed, Some(arn));
        let resolver = Resolver::with_defaults(template, &stack);
        let is_it = |r: &Resource<'_>| match resolver.arn_of(r) {
            Some(own) => own == function.as_str(),
            None => is_secret(&resolver, r, arn) || is_the_only(r, templates, deployed, arn),
        };
        let ids: Vec<&str> = template.resources().filter(is_it).map(|r| r.id).collect();
        let permission = permission::for_arn(template, &resolver, &ids, arn);
        found.extend(permission.map(|resource| Owner { index, template, stack: stack.clone(), resource }));
        for resource in template.resources() {
            let target = ["Bucket", "Queues", "Topics", "SecretId", "PolicyDocument"].iter().find_map(|p| {
                let node = resource.property(p).filter(|_| resource.kind.ends_with("Policy"))?;
                let named = intrinsic::references(node);
                named.iter().any(|id| ids.contains(&id.as_str())).then_some(())
            });
            if target.is_some() || ids.contains(&resource.id) {
                found.push(Owner { index, template, stack: stack.clone(), resource });
            }
        }
    }
    let permissions = found.iter().any(|owner| permission::is_permission(&owner.resource));
    found.retain(|owner| {
        let target = !permissions && permission::is_target(&owner.resource);
        target || owner.resource.kind == ENDPOINT || !crate::site::sites_of(&owner.resource).is_empty()
    });
    found
}

/// Whether a secret of a template has this ARN, which ends in six characters that AWS puts behind its name.
fn is_secret(resolver: &Resolver<'_>, resource: &Resource<'_>, arn: &Arn) -> bool {
    let rule =
        kinds::rule(resource.kind).filter(|rule| rule.service == "secretsmanager" && arn.service() == rule.service);
    let name = || resolver.known(resource.property(rule?.name?)?);
    let rest = arn.resource().strip_prefix("secret:").unwrap_or_default();
    name().is_some_and(|name| secret_suffix(rest, &name).is_some())
}

/// Whether a resource whose ARN no template gives, such as a key's, is the only one of its kind there and in the account.
/// An endpoint is told by its service instead.
fn is_the_only(resource: &Resource<'_>, templates: &[Template], deployed: &Deployed, arn: &Arn) -> bool {
    let nameless = |rule: &&kinds::TypeRule| rule.name.is_none() && rule.service == arn.service();
    let rule = kinds::rule(resource.kind).filter(nameless).filter(|_| resource.kind != ENDPOINT);
    let Some(rule) = rule else { return false };
    let alike = templates.iter().flat_map(Template::resources).filter(|other| other.kind == resource.kind).count();
    let deployed = rule.snapshot.as_ref().is_some_and(|kind| deployed.is_only(kind, arn.account_text(), arn));
    alike == 1 && deployed
}

/// The one VPC endpoint of the templates that leads where the deployed one leads, which has to be the only one there.
fn by_service<'t>(templates: &'t [Template], deployed: &Deployed, arn: &Arn) -> Vec<Owner<'t>> {
    let Some(service) = deployed.endpoint_service(arn) else { return Vec::new() };
    let mut found = Vec::new();
    for (index, template) in templates.iter().enumerate() {
        let stack = stack_for(template, deployed, Some(arn));
        let resolver = Resolver::with_defaults(template, &stack);
        let leads = |r: &Resource<'_>| {
            r.kind == ENDPOINT
                && r.property("ServiceName").and_then(|node| resolver.known(node)).as_deref() == Some(service)
        };
        let here = template.resources().filter(leads);
        found.extend(here.map(|resource| Owner { index, template, stack: stack.clone(), resource }));
    }
    if found.len() > 1 { Vec::new() } else { found }
}

/// The functions that run as the role, by what the template or the account knows more of.
pub(super) fn users(owner: &Owner<'_>, attachment: &Attachment) -> Vec<String> {
    if owner.resource.has_implicit_role()
        || matches!(attachment.kind, AttachmentKind::Resource | AttachmentKind::VpcEndpoint)
    {
        return Vec::new();
    }
    let template = owner.template;
    let role = attached_role(owner);
    let in_template =
        template.resources().filter(|r| r.is_function() && template.roles_of(r).iter().any(|id| role.contains(id)));
    let in_template: Vec<String> = in_template.map(|r| r.id.to_owned()).collect();
    let deployed: Vec<String> = attachment
        .principal_arn
        .as_ref()
        .map(|arn| owner.stack.functions_of(arn).map(str::to_owned).collect())
        .unwrap_or_default();
    if deployed.len() > in_template.len() { deployed } else { in_template }
}

/// The role itself, or the roles a policy resource is attached to.
fn attached_role(owner: &Owner<'_>) -> Vec<String> {
    let named = ["Roles", "RoleName"].iter().filter_map(|p| owner.resource.property(p));
    let named = named.flat_map(intrinsic::references);
    std::iter::once(owner.resource.id.to_owned()).chain(named).collect()
}
