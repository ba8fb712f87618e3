//! From an attachment to its place in the source: which template, which resource, which list item.
//!
//! The way leads from the role to its functions' stack tags, to stack resources, to names; or straight from a logical
//! id. Edits nothing.

mod environment;
mod owner;
mod pick;
mod settings;
mod source;
mod split;

use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::diagnostic::Place;
use iam_model::json::Value;
use iam_model::policy::{PolicyDocument, Statement, document_value};
use iam_model::text::{SourceName, Span};

pub(crate) use self::environment::Environments;
pub(crate) use self::owner::boundary_of;
pub(crate) use self::settings::TemplateSettings;
pub(crate) use self::source::of_role;
pub(crate) use self::split::{FoundSplit, find_split};
use crate::refusal::{Refusal, RefusalCode};
use crate::site::{Form, Site};
use crate::stack::{Deployed, Stack};
use crate::template::{Resource, Template};
use crate::tree::Path;

/// Where a policy stands in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: SourceName,
    /// The bytes of the policy: the list item or the document.
    pub span: Span,
    /// Line and column of its first byte.
    pub place: Place,
    /// The form it is written in.
    pub form: Form,
    /// The logical id of the resource it belongs to.
    pub logical_id: String,
    /// Its place in the list it stands in.
    pub index: Option<usize>,
    /// The functions that use the role, where there are several.
    pub shared_by: Vec<String>,
    /// Why a person should look before this place is edited; empty where nothing speaks against it.
    pub reviews: Vec<String>,
}

/// A found policy with all that planning needs.
pub(crate) struct Found<'t> {
    pub(crate) template: usize,
    pub(crate) stack: Stack,
    pub(crate) site: Site<'t>,
    pub(crate) shared_by: Vec<String>,
    pub(crate) reviews: Vec<String>,
}

/// A role that gets managed policies which do not exist yet, found.
pub(crate) struct NewPolicyHome<'t> {
    pub(crate) template: usize,
    pub(crate) owner: &'t Template,
    pub(crate) stack: Stack,
    /// The role, or the function that SAM makes it for.
    pub(crate) resource: Resource<'t>,
}

/// Finds the one resource that makes a role.
pub(crate) fn home<'t>(
    templates: &'t [Template],
    deployed: &'t Deployed,
    attachment: &Attachment,
) -> Result<NewPolicyHome<'t>, Refusal> {
    let makes = |resource: &Resource<'_>| {
        resource.kind == "AWS::IAM::Role" || resource.has_implicit_role() || resource.is_framework_role()
    };
    let mut owners = owner::owners(templates, deployed, attachment);
    owners.retain(|owner| makes(&owner.resource));
    owners.sort_by_key(|owner| owner.template.is_generated());
    owners.dedup_by(|a, b| a.index == b.index && a.resource.id == b.resource.id);
    let mut owners = owners.into_iter();
    let Some(owner) = owners.next() else { return Err(not_in_source(attachment)) };
    let at = place(owner.template, owner.resource.node.span);
    if owner.template.is_generated() {
        let message = format!("the role is made by the CDK: {}", owner.template.made_from(&owner.resource));
        return Err(Refusal::new(RefusalCode::Generated, message).at(at));
    }
    let several = owner.resource.is_multiplied() || owner::times_nested(templates, owner.template) > 1;
    if several || owners.any(|other| !other.template.is_generated()) {
        let message = format!("`{}` may stand for several roles", owner.resource.id);
        return Err(Refusal::new(RefusalCode::Ambiguous, message).at(at));
    }
    Ok(NewPolicyHome { template: owner.index, owner: owner.template, stack: owner.stack, resource: owner.resource })
}

/// The resources that may carry the policies of an attachment: each template by its number, and a logical id.
pub(crate) fn owners_of(templates: &[Template], deployed: &Deployed, attachment: &Attachment) -> Vec<(usize, String)> {
    let owners = owner::owners(templates, deployed, attachment).into_iter();
    owners.filter(|owner| !owner.template.is_generated()).map(|o| (o.index, o.resource.id.to_owned())).collect()
}

/// Whether a physical name is the one CloudFormation makes for a logical id.
pub(crate) fn is_generated(id: &str, name: &str) -> bool {
    owner::generated(id, name).is_some()
}

/// Where a policy of a template stands.
pub(crate) fn location(template: &Template, site: &Site<'_>) -> Location {
    let span = site.node.span;
    Location {
        file: template.name.clone(),
        span,
        place: place(template, span).within(format!("resource {}", site.resource.id)),
        form: site.form,
        logical_id: site.resource.id.to_owned(),
        index: site.index,
        shared_by: Vec::new(),
        reviews: Vec::new(),
    }
}

pub(crate) fn place(template: &Template, span: Span) -> Place {
    Place::at(template.name.clone(), &template.text, span.start)
}

/// Finds the policy a change speaks of. `change` gives the documents to tell candidates apart, where there are any.
pub(crate) fn find<'t>(
    templates: &'t [Template],
    deployed: &'t Deployed,
    attachment: &Attachment,
    change: Option<&Change>,
) -> Result<Found<'t>, Refusal> {
    let mut owners = owner::owners(templates, deployed, attachment);
    // What a person wrote comes before what a program made of it.
    if owners.iter().any(|owner| !owner.template.is_generated()) {
        owners.retain(|owner| !owner.template.is_generated());
    }
    if owners.is_empty() {
        return Err(not_in_source(attachment));
    }
    let (mut found, mut first_refusal) = (Vec::new(), None);
    for owner in &owners {
        match pick::pick(owner, attachment, change) {
            Ok(picked) => found.push((owner, picked)),
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
    }
    let explaining = found.iter().any(|(_, picked)| picked.explained);
    found.retain(|(_, picked)| picked.explained || !explaining);
    let others: Vec<String> = found.iter().skip(1).map(|(o, _)| o.template.name.to_string()).collect();
    let Some((owner, picked)) = found.into_iter().next() else {
        return Err(first_refusal.unwrap_or_else(|| not_in_source(attachment)));
    };
    if owner.template.is_generated() {
        return Err(generated(owner.template, &picked.site, change));
    }
    let mut reviews = picked.reviews;
    if !others.is_empty() {
        reviews.push(format!("{} claims the same policy", others.join(", ")));
    }
    if picked.site.resource.is_multiplied() {
        reviews.push(format!("`Fn::ForEach` makes `{}`: one text stands for several", picked.site.resource.id));
    }
    if owner.stack.name.as_deref().is_some_and(|name| name.starts_with("StackSet-")) {
        reviews.push("a stack set deploys the text, perhaps to accounts that the snapshot does not hold".into());
    }
    let nested = owner::times_nested(templates, owner.template);
    if nested > 1 {
        reviews.push(format!("`{}` is nested {nested} times: one text stands for several stacks", owner.template.name));
    }
    let (index, site) = match elsewhere(templates, owner, &picked.site) {
        Some((index, site)) => {
            let name = templates.get(index).map(|template| template.name.to_string()).unwrap_or_default();
            let users = templates.iter().flat_map(Template::statement_files).filter(|file| *file == name).count();
            if users > 1 {
                reviews.push(format!("`{name}` is named in {users} places"));
            }
            (index, site)
        }
        None => (owner.index, picked.site),
    };
    let shared_by = owner::users(owner, attachment);
    if shared_by.len() > 1 {
        reviews.push(format!("the role is shared by {} functions: {}", shared_by.len(), shared_by.join(", ")));
    }
    Ok(Found { template: index, stack: owner.stack.clone(), site, shared_by, reviews })
}

/// Statements of the Serverless Framework that stand in a file of their own.
fn elsewhere<'t>(templates: &'t [Template], owner: &owner::Owner<'t>, site: &Site<'t>) -> Option<(usize, Site<'t>)> {
    if site.form != Form::ServerlessStatements || site.document.is_some() {
        return None;
    }
    let (file, keys) = owner.template.named_file(site.node)?;
    let index = templates.iter().position(|template| template.name.as_str() == file)?;
    let (mut node, mut place) = (&templates.get(index)?.root, Path::default());
    for key in keys {
        let (at, found) = node.find(key)?;
        (node, place) = (found, place.child(at));
    }
    let document = node.is_seq().then(|| (node, place.clone()))?;
    Some((index, Site { node, place, document: Some(document), ..site.clone() }))
}

/// A policy of a template that the CDK made: the construct, and statements to paste there.
pub(crate) fn generated(template: &Template, site: &Site<'_>, change: Option<&Change>) -> Refusal {
    let message = format!("the policy is made by the CDK: {}", template.made_from(&site.resource));
    let after = change.and_then(|change| change.after.as_ref());
    let statements = after.map(|after| {
        let one = |statement: &Statement| {
            let document = document_value(&PolicyDocument::new(vec![statement.clone()]));
            let only = document.get("Statement").and_then(|list| list.items().first()).map(Value::to_compact);
            format!("iam.PolicyStatement.fromJson({})", only.unwrap_or_default())
        };
        after.statements.iter().map(one).collect::<Vec<_>>().join(", ")
    });
    let hint = match statements.filter(|text| !text.is_empty()) {
        Some(text) => format!("in the construct: {text}"),
        None => "change the construct, and synthesise again".to_owned(),
    };
    Refusal::new(RefusalCode::Generated, message).hint(hint).at(place(template, site.node.span))
}

fn not_in_source(attachment: &Attachment) -> Refusal {
    let what = attachment
        .logical_id
        .clone()
        .or_else(|| attachment.principal_arn.as_ref().map(ToString::to_string))
        .or_else(|| attachment.resource_arn.as_ref().map(ToString::to_string))
        .or_else(|| attachment.address.clone())
        .unwrap_or_else(|| "the policy".into());
    let refusal = Refusal::new(RefusalCode::NotInSource, format!("no source file was found for `{what}`"));
    match attachment.kind {
        AttachmentKind::Identity | AttachmentKind::Trust => refusal.hint(
            "give the folder that holds its template; roles are found through their functions' stack tags, stack \
             resources, or an explicit RoleName",
        ),
        _ => refusal.hint("give the folder that holds its template"),
    }
}
