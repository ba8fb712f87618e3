//! A shared role taken apart: a role of its own for each function, beside the old one, in the file's own style.
//!
//! A SAM function gets a `Policies` list where the file's functions have such lists; else a new role is written after
//! the old one and the function's `Role` names it. The old role stays; removing it is for a person.

use iam_model::change::RolePart;
use iam_model::policy::PolicyDocument;

use super::attach::beside;
use super::{Author, CloudFormation, Plan, document, statement};
use crate::op::{New, Op};
use crate::reference::Referrer;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Resolver;
use crate::stack::Stack;
use crate::template::{Dialect, Resource, Template};
use crate::tree::Path;

/// A role to take apart, where it stands.
pub(crate) struct SplitSite<'t> {
    pub(crate) template: &'t Template,
    pub(crate) stack: &'t Stack,
    pub(crate) role: Resource<'t>,
    /// The functions, each with the role it gets.
    pub(crate) parts: Vec<(Resource<'t>, &'t RolePart)>,
}

/// Plans the new roles, and the functions' way to them.
pub(crate) fn plan_split(site: &SplitSite<'_>, referrer: &Referrer<'_>) -> Result<Plan, Refusal> {
    let mut plan = Plan::default();
    let lists = site
        .template
        .resources()
        .any(|r| r.kind == "AWS::Serverless::Function" && r.role.is_none() && r.property("Policies").is_some());
    // A function that already names another role has been split before.
    let shared = |function: &Resource<'_>| site.template.roles_of(function).iter().any(|id| id == site.role.id);
    let parts: Vec<_> = site.parts.iter().filter(|(function, _)| shared(function)).collect();
    if parts.is_empty() {
        return Ok(plan);
    }
    for (function, part) in &parts {
        let language = CloudFormation {
            template: site.template,
            resolver: Resolver::open(site.template, site.stack),
            referrer,
            carrier: function.id.to_owned(),
        };
        let mut author = Author { language: &language, reviews: Vec::new() };
        let own_role = function.property_at("Role").filter(|_| function.property("Policies").is_none());
        let ops = match own_role {
            Some((_, role)) if lists && has_neighbour(function) => {
                policy_list(&mut author, site, function, part, &role)
            }
            _ => new_role(&mut author, site, function, part)?,
        };
        plan.ops.extend(ops);
        for review in author.reviews {
            if !plan.reviews.contains(&review) {
                plan.reviews.push(review);
            }
        }
    }
    let count = parts.len();
    plan.reviews.push(format!(
        "`{}` is taken apart: {count} functions get a role of their own; the old role stays",
        site.role.id
    ));
    Ok(plan)
}

/// A SAM function with another property to write beside.
fn has_neighbour(function: &Resource<'_>) -> bool {
    function.kind == "AWS::Serverless::Function" && function.properties.is_some_and(|p| p.entries().len() > 1)
}

/// `Role` gives way to a `Policies` list, from which SAM makes the role.
fn policy_list(
    author: &mut Author<'_>,
    site: &SplitSite<'_>,
    function: &Resource<'_>,
    part: &RolePart,
    role: &Path,
) -> Vec<Op> {
    let mut items: Vec<New> = part.managed_policies.iter().map(|arn| managed(author, site, arn.as_str())).collect();
    items.extend(part.policies.iter().map(|policy| document(author, &policy.document.statements)));
    // The line of `Role` itself goes, so what comes is written after the entry beside it.
    let (above, at) = (role.parent().unwrap_or_default(), role.last().unwrap_or_default());
    let beside = above.child(at.checked_sub(1).unwrap_or(1));
    let mut ops = vec![Op::InsertEntry { after: beside.clone(), key: "Policies".into(), with: New::Seq(items) }];
    if let Some(boundary) = &part.boundary
        && function.property("PermissionsBoundary").is_none()
    {
        let with = kept(site, "PermissionsBoundary").unwrap_or_else(|| author.resource(boundary.as_str()));
        ops.push(Op::InsertEntry { after: beside, key: "PermissionsBoundary".into(), with });
    }
    ops.push(Op::Remove { at: role.clone() });
    ops
}

/// A role of its own, and the function's way to it.
fn new_role(
    author: &mut Author<'_>,
    site: &SplitSite<'_>,
    function: &Resource<'_>,
    part: &RolePart,
) -> Result<Vec<Op>, Refusal> {
    let id = free_id(site.template, function.id);
    let resource = New::Map(vec![
        ("Type".into(), New::text("AWS::IAM::Role")),
        ("Properties".into(), New::Map(properties(author, site, part))),
    ]);
    let after = beside(site.template, &site.role).ok_or_else(|| {
        Refusal::new(RefusalCode::Unsupported, "the file has no `Resources` to write a role beside")
            .hint("add a resource, or the plugin `serverless-iam-roles-per-function`, then run again")
            .at(author.language.place(site.role.node.span))
    })?;
    let insert = Op::InsertEntry { after, key: id.clone(), with: resource };
    Ok(vec![insert, pointed(author, site.template, function, &id)?])
}

/// The function's `Role` as a reference to the new one.
fn pointed(author: &Author<'_>, template: &Template, function: &Resource<'_>, id: &str) -> Result<Op, Refusal> {
    let serverless = template.dialect == Dialect::Serverless && function.kind != "AWS::Lambda::Function";
    let key = if serverless { "role" } else { "Role" };
    let with = if serverless { New::text(id) } else { author.language.attribute(id, "Arn") };
    if let Some((_, at)) = function.property_at(key) {
        return Ok(Op::Replace { at, with, whole_line: false });
    }
    let first = function.properties.is_some_and(|p| !p.entries().is_empty()).then(|| function.place.child(0));
    let after = first.ok_or_else(|| {
        Refusal::new(RefusalCode::Unsupported, "the function has no property to write beside")
            .at(author.language.place(function.node.span))
    })?;
    Ok(Op::InsertEntry { after, key: key.into(), with })
}

fn properties(author: &mut Author<'_>, site: &SplitSite<'_>, part: &RolePart) -> Vec<(String, New)> {
    let mut out: Vec<(String, New)> = Vec::new();
    if site.role.property("RoleName").is_some() {
        out.push(("RoleName".into(), New::text(part.role.name())));
    }
    out.extend(kept(site, "Path").map(|path| ("Path".into(), path)));
    if let Some(description) = &part.description {
        out.push(("Description".into(), New::text(description.clone())));
    }
    let trust = document_of(author, &part.trust);
    out.push(("AssumeRolePolicyDocument".into(), trust));
    if let Some(boundary) = &part.boundary {
        let with = kept(site, "PermissionsBoundary").unwrap_or_else(|| author.resource(boundary.as_str()));
        out.push(("PermissionsBoundary".into(), with));
    }
    if !part.managed_policies.is_empty() {
        let arns = part.managed_policies.iter().map(|arn| managed(author, site, arn.as_str())).collect();
        out.push(("ManagedPolicyArns".into(), New::Seq(arns)));
    }
    if !part.policies.is_empty() {
        let mut inline = Vec::new();
        for policy in &part.policies {
            let document = document_of(author, &policy.document);
            inline.push(New::Map(vec![
                ("PolicyName".into(), New::text(policy.name.clone())),
                ("PolicyDocument".into(), document),
            ]));
        }
        out.push(("Policies".into(), New::Seq(inline)));
    }
    out.extend(kept(site, "Tags").map(|tags| ("Tags".into(), tags)));
    out
}

fn document_of(author: &mut Author<'_>, policy: &PolicyDocument) -> New {
    document(author, &policy.statements)
}

/// A property of the old role, to write again.
fn kept(site: &SplitSite<'_>, property: &str) -> Option<New> {
    statement::copied(site.role.property(property)?)
}

/// A managed policy as the old role or another resource of the file names it, else its ARN.
fn managed(author: &mut Author<'_>, site: &SplitSite<'_>, arn: &str) -> New {
    let known = |node: &crate::tree::Node| match author.language.value(node) {
        crate::resolve::Value::Text(text) => text.explains(arn),
        _ => false,
    };
    let listed = site.role.property("ManagedPolicyArns").map(crate::tree::Node::items).unwrap_or_default();
    let same = listed.iter().find(|item| known(item)).and_then(statement::copied);
    same.unwrap_or_else(|| author.resource(arn))
}

/// A logical id that is free: `<Function>Role`, or the next one like it.
fn free_id(template: &Template, function: &str) -> String {
    let base = format!("{}Role", function.strip_suffix("LambdaFunction").filter(|f| !f.is_empty()).unwrap_or(function));
    let mut id = base.clone();
    let mut number = 2;
    while template.declares(&id) {
        id = format!("{base}{number}");
        number += 1;
    }
    id
}
