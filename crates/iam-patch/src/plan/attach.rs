//! Managed policies that do not exist yet: each a resource of its own beside the role, in the role's list of managed
//! policies.
//!
//! The list names the policy, not the policy the role: so CloudFormation makes the policy before it cuts the role's others.

use iam_model::change::Change;
use iam_model::policy::{PolicyDocument, PolicyVersion, PrintStyle, print};

use super::{Author, CloudFormation, Plan, document, statement};
use crate::compare;
use crate::intrinsic;
use crate::locate::NewPolicyHome;
use crate::op::{New, Op};
use crate::reference::Referrer;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Resolver;
use crate::template::{Dialect, Resource, Template};
use crate::tree::{Node, Path};

/// Plans the new policies of one role: all of them, so that they come into one list.
pub(crate) fn plan_new_policies(
    home: &NewPolicyHome<'_>,
    referrer: &Referrer<'_>,
    changes: &[&Change],
) -> Result<Plan, Refusal> {
    let (template, resource) = (home.owner, &home.resource);
    let language = CloudFormation {
        template,
        resolver: Resolver::open(template, &home.stack),
        referrer,
        carrier: crate::depends::carrier(resource),
    };
    let mut author = Author { language: &language, reviews: Vec::new() };
    let here = |refusal: Refusal| refusal.at(crate::locate::place(template, resource.node.span));
    let after = beside(template, resource).ok_or_else(|| {
        here(
            Refusal::new(RefusalCode::Unsupported, "the file has no `Resources` to write a policy beside")
                .hint("write the new policy by hand, as it is printed, or keep all in place with --quota in-place"),
        )
    })?;
    let (mut ops, mut names) = (Vec::new(), Vec::new());
    let held = held(template, resource);
    for change in changes {
        let (Some(name), Some(policy)) = (&change.attachment.policy_name, &change.after) else { continue };
        same_meaning(policy).map_err(here)?;
        // Written by an earlier run.
        if held.iter().any(|node| compare::explains_document(&language, node, policy)) {
            continue;
        }
        let role = change.attachment.principal_arn.as_ref().map_or("", |arn| arn.name());
        let name = name.rsplit('/').next().unwrap_or(name);
        let suffix = name.strip_prefix(role).filter(|rest| !rest.is_empty()).unwrap_or(name);
        let id = free_id(resource.id, suffix, &|id| template.declares(id));
        let named = resource.property("RoleName").is_some() && template.dialect == Dialect::CloudFormation;
        let with = managed_policy(&mut author, resource, named.then_some(name), policy);
        ops.push(Op::InsertEntry { after: after.clone(), key: id.clone(), with });
        author
            .reviews
            .push(format!("`{id}` is a new managed policy: it takes what does not fit into the role's others"));
        names.push(referrer.reference_to(&id));
    }
    if ops.is_empty() {
        return Ok(Plan::default());
    }
    // The list may end where the policies are written: what belongs to the role comes first there.
    let mut all = listed(resource, names).map_err(here)?;
    all.extend(ops);
    Ok(Plan { ops: all, reviews: author.reviews })
}

/// A managed policy of its own, in the path of the role that it is for.
pub(super) fn managed_policy(
    author: &mut Author<'_>,
    role: &Resource<'_>,
    name: Option<&str>,
    policy: &PolicyDocument,
) -> New {
    let mut properties: Vec<(String, New)> = Vec::new();
    properties.extend(name.map(|name| ("ManagedPolicyName".into(), New::text(name))));
    let path = role.property("Path").and_then(statement::copied);
    properties.extend(path.map(|path| ("Path".into(), path)));
    properties.push(("PolicyDocument".into(), document(author, &policy.statements)));
    New::Map(vec![("Type".into(), New::text("AWS::IAM::ManagedPolicy")), ("Properties".into(), New::Map(properties))])
}

/// The documents of the template's own managed policies that the role has.
fn held<'t>(template: &'t Template, resource: &Resource<'t>) -> Vec<&'t Node> {
    let keys = ["ManagedPolicyArns", "Policies", "managedPolicies", "iamManagedPolicies"];
    let named = keys.iter().filter_map(|key| resource.property(key)).flat_map(intrinsic::references);
    let policies = named.filter_map(|id| template.resource(&id)).filter(|r| r.kind == "AWS::IAM::ManagedPolicy");
    policies.filter_map(|policy| policy.property("PolicyDocument")).collect()
}

/// New documents are written in the version of 2012, where `${…}` is a variable; one of 2008 means it as text.
pub(crate) fn same_meaning(policy: &PolicyDocument) -> Result<(), Refusal> {
    let speaks = print(policy, PrintStyle::Compact).contains("${");
    if policy.effective_version() == PolicyVersion::V2012 || !speaks {
        return Ok(());
    }
    let message = "the statements are of the version of 2008, in which `${…}` is text";
    Err(Refusal::new(RefusalCode::Unsupported, message).hint("write the new policy by hand, as it is printed"))
}

/// The list of managed policies with more of them.
fn listed(resource: &Resource<'_>, names: Vec<New>) -> Result<Vec<Op>, Refusal> {
    let keys: &[&str] = match resource.kind {
        "AWS::IAM::Role" => &["ManagedPolicyArns"],
        _ if resource.has_policy_list() => &["Policies"],
        _ => &["managedPolicies", "iamManagedPolicies"],
    };
    let found = keys.iter().find_map(|key| resource.property_at(key));
    let Some((list, place)) = found else {
        let (key, beside) = match keys {
            [key] => (
                *key,
                resource
                    .properties
                    .and_then(|p| p.entries().len().checked_sub(1))
                    .map(|last| resource.place.child(last)),
            ),
            _ => framework_key(resource)
                .ok_or_else(|| unsupported("the framework's plugin gives a function's role no managed policies"))?,
        };
        let after = beside.ok_or_else(|| unsupported("the role has no property to write beside"))?;
        return Ok(vec![Op::InsertEntry { after, key: key.to_owned(), with: New::Seq(names) }]);
    };
    if !list.is_seq() || list.tag.is_some() || intrinsic::call(list).is_some() {
        let message = "the role's managed policies are no list that is written out";
        return Err(Refusal::new(RefusalCode::Conditional, message).hint("write the list out, then run again"));
    }
    let Some(last) = list.items().len().checked_sub(1) else {
        return Ok(vec![Op::Replace { at: place, with: New::Seq(names), whole_line: false }]);
    };
    Ok(names.into_iter().map(|with| Op::InsertItem { after: place.child(last), with }).collect())
}

/// The key that the framework's own role has for managed policies, and the entry that stands before it.
fn framework_key(resource: &Resource<'_>) -> Option<(&'static str, Option<Path>)> {
    let of = |statements: &str, key: &'static str| Some((key, Some(resource.property_at(statements)?.1)));
    if resource.kind.ends_with("::FunctionRole") {
        return None;
    }
    of("statements", "managedPolicies").or_else(|| of("iamRoleStatements", "iamManagedPolicies"))
}

fn unsupported(message: &str) -> Refusal {
    Refusal::new(RefusalCode::Unsupported, message)
        .hint("write the new policy by hand, as it is printed, or keep all in place with --quota in-place")
}

/// The entry of a resource to write another beside: its own, or the last one where the framework makes it.
pub(super) fn beside(template: &Template, resource: &Resource<'_>) -> Option<Path> {
    if !resource.is_framework_role() {
        return resource.properties.and(resource.place.parent());
    }
    let last = template.resources().filter(|r| r.kind.starts_with("AWS::")).last()?;
    last.properties.map_or(Some(last.place.clone()), |_| last.place.parent())
}

/// A logical id that is free: `ReportRoleExtra1`, or the next one like it.
pub(super) fn free_id(of: &str, suffix: &str, is_taken: &dyn Fn(&str) -> bool) -> String {
    let words = suffix.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let camel: String = words
        .map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            format!("{}{rest}", first.to_ascii_uppercase())
        })
        .collect();
    let head: String = of.chars().filter(char::is_ascii_alphanumeric).collect();
    let base = format!("{head}{camel}");
    let numbered = (2..).map(|n: usize| format!("{base}N{n}"));
    std::iter::once(base.clone()).chain(numbered).find(|id| !is_taken(id)).unwrap_or_default()
}
