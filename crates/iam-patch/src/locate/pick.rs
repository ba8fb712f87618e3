//! Which of a resource's policies is meant: by name, by index, or by what it says.

use iam_model::change::{Attachment, AttachmentKind, Change};

use super::owner::Owner;
use crate::compare;
use crate::intrinsic;
use crate::permission;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Resolver, Value};
use crate::sam;
use crate::site::{self, Form, Site};

/// The policy, and whether its text explains what is deployed.
pub(super) struct Picked<'t> {
    pub(super) site: Site<'t>,
    pub(super) explained: bool,
    pub(super) reviews: Vec<String>,
}

/// Managed policies that SAM attaches to implicit roles by itself.
const SAM_MANAGED: &[&str] = &[
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaMSKExecutionRole",
    "AWSXrayWriteOnlyAccess",
    "AWSXRayDaemonWriteAccess",
    "CloudWatchLogsFullAccess",
];

/// Chooses one policy of a resource.
pub(super) fn pick<'t>(
    owner: &Owner<'t>,
    attachment: &Attachment,
    change: Option<&Change>,
) -> Result<Picked<'t>, Refusal> {
    if attachment.kind == AttachmentKind::Resource
        && let Some(picked) = permissions(owner)?
    {
        return Ok(picked);
    }
    if attachment.kind == AttachmentKind::VpcEndpoint
        && let Some(site) = site::of_endpoint_without(&owner.resource)
    {
        return Ok(Picked { site, explained: false, reviews: Vec::new() });
    }
    if owner.resource.has_policy_list() && owner.resource.role.is_some() {
        return Err(if owner.resource.property("Policies").is_some() { dead_list(owner) } else { foreign_role(owner) });
    }
    let mut sites = of_kind(owner, attachment.kind);
    if change.is_none_or(|change| change.after.is_some()) {
        sites = sites.into_iter().map(|site| managed_in_template(owner, site)).collect();
    }
    let mut eliminated = false;
    let mut named = Vec::new();
    if let Some(name) = attachment.policy_name.as_deref() {
        (named, eliminated) = by_name(owner, &sites, name);
        if named.is_empty() && attachment.index.is_none() {
            return Err(unnamed(owner, &sites, name));
        }
    }
    if named.is_empty() {
        eliminated = false;
    } else {
        sites = named;
    }
    if let Some(index) = attachment.index
        && (sites.len() > 1 || attachment.policy_name.is_none())
    {
        sites.retain(|site| site.index.is_none_or(|own| own == index));
    }
    let mut picked = choose(owner, sites, change, attachment.kind == AttachmentKind::Trust)?;
    if eliminated {
        picked.reviews.push("the template does not say which policy the item is; it is the only one it can be".into());
    }
    Ok(picked)
}

/// The first of the resources that make up a function's or a bus's policy together; planning looks at them all.
fn permissions<'t>(owner: &Owner<'t>) -> Result<Option<Picked<'t>>, Refusal> {
    let resource = &owner.resource;
    let first = permission::of(owner.template, &owner.stack, resource).into_iter().next();
    let first = if permission::is_permission(resource) { Some(resource.clone()) } else { first };
    let site = first.and_then(|first| site::sites_of(&first).into_iter().next());
    if site.is_none() && permission::is_target(resource) {
        let message =
            format!("no `{}` in `{}` is for `{}`", permission::kind_for(resource), owner.template.name, resource.id);
        let sam = resource.property("Events").is_some();
        let hint = match sam {
            true => "SAM writes the permissions of `Events` itself; change the event",
            false => {
                "somebody added it outside the template; take it off in the account, or bring the template up to date"
            }
        };
        let code = if sam { RefusalCode::WrittenBySam } else { RefusalCode::NotInSource };
        return Err(Refusal::new(code, message).hint(hint).at(super::place(owner.template, resource.node.span)));
    }
    Ok(site.map(|site| Picked { site, explained: false, reviews: Vec::new() }))
}

/// A managed policy that the template itself holds is edited where its document stands.
fn managed_in_template<'t>(owner: &Owner<'t>, site: Site<'t>) -> Site<'t> {
    let target = (site.form == Form::ManagedItem).then(|| intrinsic::call(site.node)).flatten();
    let target = target.filter(|call| call.name == "Ref").and_then(|call| call.argument.raw_text());
    let resource = target.and_then(|id| owner.template.resource(id)).filter(|r| r.kind == "AWS::IAM::ManagedPolicy");
    match resource.and_then(|resource| site::sites_of(&resource).into_iter().next()) {
        Some(document) => Site { name: Some(site.node), index: site.index, ..document },
        None => site,
    }
}

/// How many other resources use a managed policy of the template.
pub(super) fn other_users(owner: &Owner<'_>, site: &Site<'_>) -> usize {
    let names = |r: &crate::template::Resource<'_>| {
        let lists = ["ManagedPolicyArns", "Policies", "PermissionsBoundary"].into_iter().filter_map(|p| r.property(p));
        lists.flat_map(intrinsic::references).any(|id| id == site.resource.id)
    };
    owner.template.resources().filter(|r| r.id != owner.resource.id && names(r)).count()
}

fn choose<'t>(
    owner: &Owner<'t>,
    sites: Vec<Site<'t>>,
    change: Option<&Change>,
    trust: bool,
) -> Result<Picked<'t>, Refusal> {
    let explained: Vec<bool> = sites.iter().map(|site| explains(owner, site, change)).collect();
    let count = explained.iter().filter(|e| **e).count();
    let mut chosen = sites.into_iter().zip(explained).filter(|(_, explained)| *explained || count == 0);
    let (first, second) = (chosen.next(), chosen.next());
    match (first, second) {
        (Some((site, explained)), None) => {
            let mut reviews = Vec::new();
            if site.conditional {
                reviews.push("the policy stands in a branch of `Fn::If`".to_owned());
            }
            let others = other_users(owner, &site);
            if site.resource.kind == "AWS::IAM::ManagedPolicy" && others > 0 {
                reviews.push(format!("managed policy `{}` is attached to {others} other resources", site.resource.id));
            }
            Ok(Picked { site, explained, reviews })
        }
        (None, _) if trust && owner.resource.has_implicit_role() => {
            let message = format!("SAM writes the trust policy of `{}`'s role itself", owner.resource.id);
            Err(Refusal::new(RefusalCode::WrittenBySam, message)
                .hint("give the function a `Role` of its own in the template, with the trust policy that is wanted")
                .at(super::place(owner.template, owner.resource.node.span)))
        }
        (None, _) => Err(hidden(owner).unwrap_or_else(|| {
            let message = format!("`{}` in `{}` has no such policy", owner.resource.id, owner.template.name);
            Refusal::new(RefusalCode::NotInSource, message)
        })),
        (Some((site, _)), Some(_)) => Err(Refusal::new(
            if site.conditional { RefusalCode::Conditional } else { RefusalCode::Ambiguous },
            format!("several policies of `{}` could be meant", owner.resource.id),
        )
        .hint("name the policy or its index in the change")
        .at(super::place(owner.template, site.node.span))),
    }
}

fn explains(owner: &Owner<'_>, site: &Site<'_>, change: Option<&Change>) -> bool {
    let Some(before) = change.and_then(|change| change.before.as_ref()) else { return false };
    let resolver = Resolver::open(owner.template, &owner.stack);
    if let Some(document) = site.text.as_ref().and_then(site::TextSite::read) {
        return compare::explains_document(&resolver, &document, before);
    }
    if let Some(document) = (site.form == Form::SamTemplate).then(|| sam::expanded(site.node)).flatten() {
        return compare::explains_document(&resolver, &document, before);
    }
    let Some((document, _)) = &site.document else { return false };
    compare::explains_document(&resolver, document, before)
}

/// The policies of the resource, and those of other resources that are attached to it.
pub(super) fn of_kind<'t>(owner: &Owner<'t>, kind: AttachmentKind) -> Vec<Site<'t>> {
    if kind == AttachmentKind::Boundary && owner.resource.kind != "AWS::IAM::ManagedPolicy" {
        return boundary(owner);
    }
    let mut sites = site::sites_of(&owner.resource);
    if owner.resource.kind.starts_with("AWS::IAM::") {
        for other in owner.template.resources().filter(|r| r.id != owner.resource.id) {
            let attached = ["Roles", "RoleName", "Users", "UserName", "Groups", "GroupName"]
                .iter()
                .filter(|_| other.kind.starts_with("AWS::IAM::") && other.kind.ends_with("Policy"))
                .filter_map(|p| other.property(p))
                .any(|node| intrinsic::references(node).iter().any(|id| id == owner.resource.id));
            if attached {
                sites.extend(site::sites_of(&other));
            }
        }
    }
    sites.retain(|site| match kind {
        AttachmentKind::Trust => site.form == Form::Trust,
        AttachmentKind::Resource => matches!(site.form, Form::ResourcePolicy | Form::Permission),
        AttachmentKind::VpcEndpoint => site.form == Form::ResourcePolicy,
        AttachmentKind::ServiceControl | AttachmentKind::ResourceControl => site.form == Form::Organization,
        AttachmentKind::Identity | AttachmentKind::Boundary => {
            !matches!(site.form, Form::Trust | Form::ResourcePolicy | Form::Permission | Form::Organization)
        }
    });
    sites
}

/// The managed policy of the template that is the resource's boundary.
fn boundary<'t>(owner: &Owner<'t>) -> Vec<Site<'t>> {
    let named = owner.resource.property("PermissionsBoundary").map(intrinsic::references).unwrap_or_default();
    let policies = named.iter().filter_map(|id| owner.template.resource(id));
    policies.filter(|r| r.kind == "AWS::IAM::ManagedPolicy").flat_map(|r| site::sites_of(&r)).collect()
}

/// The policies of that name; where the source names none so, those whose name it leaves open.
fn by_name<'t>(owner: &Owner<'t>, sites: &[Site<'t>], name: &str) -> (Vec<Site<'t>>, bool) {
    let last = name.rsplit('/').next().unwrap_or(name);
    let implicit = owner.resource.has_implicit_role();
    let index = name.strip_prefix(&format!("{}RolePolicy", owner.resource.id)).and_then(|i| i.parse().ok());
    if let Some(index) = index.filter(|_| implicit) {
        let item = |site: &&Site<'_>| site.index == Some(index) && site.form != Form::ManagedItem;
        return (sites.iter().filter(item).cloned().collect(), false);
    }
    if owner.resource.is_framework_role() && !name.starts_with("arn:") {
        // The framework writes all statements into one policy, `<service>-<stage>-lambda`.
        return (sites.iter().filter(|site| site.form == Form::ServerlessStatements).cloned().collect(), false);
    }
    let resolver = Resolver::open(owner.template, &owner.stack);
    let defaults = Resolver::with_defaults(owner.template, &owner.stack);
    let exact = |site: &&Site<'_>| {
        let text = site.name.and_then(|node| resolver.known(node).or_else(|| defaults.known(node)));
        text.is_some_and(|text| text == name || text.rsplit('/').next() == Some(last))
    };
    let found: Vec<Site<'t>> = sites.iter().filter(exact).cloned().collect();
    if !found.is_empty() || (implicit && SAM_MANAGED.contains(&last)) {
        return (found, false);
    }
    let possible = |site: &&Site<'_>| {
        site.name.is_some_and(|node| matches!(resolver.value(node), Value::Text(text) if text.explains(name)))
    };
    let found: Vec<Site<'t>> = sites.iter().filter(possible).cloned().collect();
    let open = found.iter().any(|site| site.form == Form::ManagedItem);
    (found, open)
}

fn unnamed(owner: &Owner<'_>, sites: &[Site<'_>], name: &str) -> Refusal {
    let last = name.rsplit('/').next().unwrap_or(name);
    let inline = !name.starts_with("arn:") && !name.contains("RolePolicy");
    let sam = owner.resource.has_implicit_role() && (SAM_MANAGED.contains(&last) || (inline && !sites.is_empty()));
    let place = super::place(owner.template, owner.resource.node.span);
    if sam {
        return Refusal::new(
            RefusalCode::WrittenBySam,
            format!("SAM writes `{last}` for `{}` itself", owner.resource.id),
        )
        .hint("change the property SAM makes it from: the event source, the VPC, tracing or the destination")
        .at(place);
    }
    if let Some(connector) = connector(owner, last) {
        let message = format!("SAM writes `{last}` for the connector `{connector}`");
        return Refusal::new(RefusalCode::WrittenBySam, message)
            .hint("narrow the connector's `Permissions`, or what it connects")
            .at(place);
    }
    if let Some(refusal) = hidden(owner) {
        return refusal;
    }
    let message = format!("`{}` has no policy `{name}` in `{}`", owner.resource.id, owner.template.name);
    Refusal::new(RefusalCode::NotInSource, message)
        .hint("somebody attached it outside the template; take it off in the account, or bring the template up to date")
        .at(place)
}

/// What may hold a policy that is not written where it belongs: a merge key, an alias, an include.
pub(super) fn hidden(owner: &Owner<'_>) -> Option<Refusal> {
    let resource = &owner.resource;
    let nodes = [Some(resource.node), resource.properties].into_iter().flatten();
    let lists = ["Policies", "ManagedPolicyArns"].into_iter().filter_map(|name| resource.property(name));
    let mut shared = lists.clone().any(|list| matches!(list.kind, crate::tree::Kind::Alias));
    let mut made = lists.clone().any(|list| intrinsic::call(list).is_some());
    let chosen = lists.clone().any(|list| intrinsic::call(list).is_some_and(|call| call.name == "If"));
    for entry in nodes.flat_map(crate::tree::Node::entries) {
        shared |= entry.name() == "<<" || matches!(entry.value.kind, crate::tree::Kind::Alias);
        made |= entry.name() == "Fn::Transform";
    }
    let id = resource.id;
    let refusal = match (shared, made) {
        (true, _) => Refusal::new(RefusalCode::Shared, format!("`{id}` takes over a part through a YAML anchor"))
            .hint("write the policies out where the resource stands, then run again"),
        (_, true) if chosen => {
            Refusal::new(RefusalCode::Conditional, format!("`Fn::If` chooses the policies of `{id}`"))
                .hint("put the condition on the items of the list, or edit by hand")
        }
        (_, true) => Refusal::new(RefusalCode::Conditional, format!("an include or a macro adds to `{id}`"))
            .hint("change what it includes"),
        _ => return None,
    };
    Some(refusal.at(super::place(owner.template, resource.node.span)))
}

/// The connector that SAM makes a managed policy of this name for.
fn connector(owner: &Owner<'_>, name: &str) -> Option<String> {
    owner.template.resources().find_map(|resource| {
        let own = (resource.kind == "AWS::Serverless::Connector").then(|| resource.id.to_owned());
        let inside = resource.node.get("Connectors").map(crate::tree::Node::entries).unwrap_or_default();
        let ids = own.into_iter().chain(inside.iter().map(|entry| format!("{}{}", resource.id, entry.name())));
        ids.into_iter().find(|id| super::owner::generated(&format!("{id}Policy"), name).is_some())
    })
}

fn foreign_role(owner: &Owner<'_>) -> Refusal {
    let message = format!("`{}` names a role that is not in `{}`", owner.resource.id, owner.template.name);
    Refusal::new(RefusalCode::NotInSource, message)
        .hint("give the folder that holds the role's template")
        .at(super::place(owner.template, owner.resource.node.span))
}

pub(super) fn dead_list(owner: &Owner<'_>) -> Refusal {
    Refusal::new(
        RefusalCode::DeadList,
        format!("`{}` has a `Role`, so its `Policies` list has no effect", owner.resource.id),
    )
    .hint(match super::owner::role_of(owner.template, &owner.resource) {
        Some(role) => format!("change `{}`, the role the function names, and remove the list", role.id),
        None => "change the role the function names, and remove the list".to_owned(),
    })
    .at(super::place(owner.template, owner.resource.property("Policies").unwrap_or(owner.resource.node).span))
}
