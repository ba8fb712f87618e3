//! The new role as a resource: what is proved of it, and beside that whatever the old role says.
//!
//! What the old role says and cannot be written again is refused, not left out.

use super::super::{Author, document, statement};
use super::{SplitSite, Writing};
use crate::op::New;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Value;
use crate::template::Dialect;
use crate::tree::Node;

/// What a resource says beside its properties, and its successor says too.
const AROUND: &[&str] = &["DependsOn", "DeletionPolicy", "UpdateReplacePolicy"];

/// The resource of the new role.
pub(super) fn resource(author: &mut Author<'_>, writing: &Writing<'_, '_>, new: Vec<New>) -> Result<New, Refusal> {
    let site = writing.site;
    let mut entries = vec![("Type".to_owned(), New::text("AWS::IAM::Role"))];
    if !site.role.is_framework_role() {
        for key in AROUND.iter().filter(|key| site.role.node.get(key).is_some()) {
            let with = site.role.node.get(key).and_then(statement::copied);
            entries.push(((*key).to_owned(), with.ok_or_else(|| unreadable(author, site, key))?));
        }
    }
    entries.push(("Properties".into(), New::Map(properties(author, writing, new)?)));
    Ok(conditional(writing, New::Map(entries)))
}

/// A resource that is made where its function is, or else where the old role was.
pub(super) fn conditional(writing: &Writing<'_, '_>, resource: New) -> New {
    let of = |node: &Node| node.get("Condition").and_then(Node::text).map(str::to_owned);
    let role = &writing.site.role;
    let own = of(writing.function.node).or_else(|| of(role.node).filter(|_| !role.is_framework_role()));
    match (resource, own) {
        (New::Map(mut entries), Some(condition)) => {
            entries.insert(1.min(entries.len()), ("Condition".into(), New::Text(condition)));
            New::Map(entries)
        }
        (resource, _) => resource,
    }
}

fn properties(
    author: &mut Author<'_>,
    writing: &Writing<'_, '_>,
    new: Vec<New>,
) -> Result<Vec<(String, New)>, Refusal> {
    let Writing { site, part, .. } = writing;
    let mut out: Vec<(String, New)> = Vec::new();
    out.extend(name(author, writing).map(|name| ("RoleName".into(), name)));
    out.extend(carried(author, site, "Path")?);
    if let Some(description) = &part.description {
        out.push(("Description".into(), New::text(described(writing, description))));
    }
    out.extend(carried(author, site, "MaxSessionDuration")?);
    out.push(("AssumeRolePolicyDocument".into(), document(author, &part.trust.statements)));
    if let Some(boundary) = &part.boundary {
        out.push(match carried(author, site, "PermissionsBoundary")? {
            Some(with) => with,
            None => ("PermissionsBoundary".into(), author.resource(boundary.as_str())),
        });
    }
    let mut arns: Vec<New> = part.managed_policies.iter().map(|arn| managed(author, site, arn.as_str())).collect();
    arns.extend(new);
    if !arns.is_empty() {
        out.push(("ManagedPolicyArns".into(), New::Seq(arns)));
    }
    if !part.policies.is_empty() {
        let mut inline = Vec::new();
        for policy in &part.policies {
            inline.push(New::Map(vec![
                ("PolicyName".into(), New::text(policy.name.clone())),
                ("PolicyDocument".into(), document(author, &policy.document.statements)),
            ]));
        }
        out.push(("Policies".into(), New::Seq(inline)));
    }
    out.extend(carried(author, site, "Tags")?);
    Ok(out)
}

/// The new role's name, where the old one has one. Where that is put together, the function's own says how.
fn name(author: &mut Author<'_>, writing: &Writing<'_, '_>) -> Option<New> {
    let Writing { site, function, part, .. } = writing;
    site.role.property("RoleName")?;
    if literal_name(site).is_some() {
        return Some(New::text(part.role.name()));
    }
    let own = function.property("FunctionName").or_else(|| function.property("name"));
    let suffix = part.role.name().strip_prefix(part.function.name()).filter(|suffix| !suffix.is_empty());
    let made = own.zip(suffix).and_then(|(node, suffix)| {
        let Value::Text(text) = author.language.value(node) else { return None };
        let pattern = author.language.pattern(node).filter(|_| text.explains(part.function.name()))?;
        let whole = format!("{}{}", pattern.text, author.language.escaped(suffix));
        Some(author.language.of_pattern(&pattern, whole))
    });
    if made.is_none() {
        let review = "the name of `{}` is put together; the new roles get names of CloudFormation's making";
        author.reviews.push(review.replace("{}", site.role.id));
    }
    made
}

/// A description without names that a deployment makes: the same file may be deployed again under others.
fn described(writing: &Writing<'_, '_>, description: &str) -> String {
    let Writing { site, function, part, .. } = writing;
    let own = function.property("FunctionName").or_else(|| function.property("name"));
    let is_literal = own.and_then(Node::text) == Some(part.function.name());
    let function = if is_literal { part.function.name() } else { function.id };
    let role = literal_name(site).unwrap_or(site.role.id);
    description.replace(site.arn.name(), role).replace(part.function.name(), function)
}

/// The old role's name, where it is a text that stands for itself. Another one could be taken where the template is used twice.
pub(super) fn literal_name<'t>(site: &SplitSite<'t>) -> Option<&'t str> {
    let variable = |name: &&str| site.template.dialect == Dialect::Serverless && name.contains("${");
    site.role.property("RoleName")?.text().filter(|name| !variable(name))
}

/// A property of the old role, to write again.
pub(super) fn kept(site: &SplitSite<'_>, property: &str) -> Option<New> {
    statement::copied(site.role.property(property)?)
}

/// The same, refused where the old role has it and it cannot be written again.
fn carried(author: &Author<'_>, site: &SplitSite<'_>, property: &str) -> Result<Option<(String, New)>, Refusal> {
    if site.role.is_framework_role() || site.role.property(property).is_none() {
        return Ok(kept(site, property).map(|with| (property.to_owned(), with)));
    }
    let with = kept(site, property).ok_or_else(|| unreadable(author, site, property))?;
    Ok(Some((property.to_owned(), with)))
}

fn unreadable(author: &Author<'_>, site: &SplitSite<'_>, what: &str) -> Refusal {
    let message = format!("the `{what}` of `{}` cannot be written again for the new roles", site.role.id);
    Refusal::new(RefusalCode::Unsupported, message)
        .hint("write the new roles by hand; they are printed with this refusal")
        .at(author.language.place(site.role.node.span))
}

/// A managed policy as the old role or another resource of the file names it, else its ARN.
pub(super) fn managed(author: &mut Author<'_>, site: &SplitSite<'_>, arn: &str) -> New {
    let known = |node: &Node| match author.language.value(node) {
        Value::Text(text) => text.explains(arn),
        _ => false,
    };
    let listed = site.role.property("ManagedPolicyArns").map(Node::items).unwrap_or_default();
    let same = listed.iter().find(|item| known(item)).and_then(statement::copied);
    same.unwrap_or_else(|| author.resource(arn))
}
