//! Every policy of a role as the source alone has it: by logical id, by function, or by the role's name.

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind};

use super::{Location, location, owner, pick};
use crate::intrinsic;
use crate::refusal::{Refusal, RefusalCode};
use crate::stack::Deployed;
use crate::template::Template;

/// The policies of whatever a name or an ARN stands for, in the order of the files; a list without effect as a refusal.
pub(crate) fn of_role(templates: &[Template], deployed: &Deployed, name: &str) -> (Vec<Location>, Vec<Refusal>) {
    let by_id = Attachment {
        kind: AttachmentKind::Identity,
        principal_arn: None,
        resource_arn: None,
        logical_id: Some(name.to_owned()),
        address: None,
        policy_name: None,
        index: None,
    };
    let mut owners = owner::owners(templates, deployed, &by_id);
    if owners.is_empty() {
        let arn =
            if name.starts_with("arn:") { name.to_owned() } else { format!("arn:aws:iam::000000000000:role/{name}") };
        if let Ok(arn) = arn.parse::<Arn>() {
            owners = owner::owners(templates, deployed, &Attachment::identity(arn, String::new()));
        }
    }
    let (mut found, mut dead) = (Vec::new(), Vec::new());
    for owner in &mut owners {
        if owner.resource.has_policy_list() && owner.resource.role.is_some() {
            if owner.resource.property("Policies").is_some() {
                dead.push(pick::dead_list(owner));
            }
            let Some(role) = owner::role_of(owner.template, &owner.resource) else { continue };
            owner.resource = role;
        }
        let owner = &*owner;
        let users = owner::users(owner, &by_id);
        for kind in [AttachmentKind::Trust, AttachmentKind::Identity, AttachmentKind::Resource] {
            for site in pick::of_kind(owner, kind) {
                let mut reviews = Vec::new();
                if users.len() > 1 {
                    reviews.push(format!("the role is shared by {} functions: {}", users.len(), users.join(", ")));
                }
                if site.conditional {
                    reviews.push("the policy stands in a branch of `Fn::If`".to_owned());
                }
                if owner.template.is_generated() {
                    dead.push(super::generated(owner.template, &site, None));
                    continue;
                }
                if let Some(refusal) = intrinsic::made_document(site.node) {
                    dead.push(refusal.at(super::place(owner.template, site.node.span)));
                    continue;
                }
                let statements = site.document.as_ref().and_then(|(document, _)| document.get("Statement"));
                if statements.is_some_and(|list| list.items().iter().any(intrinsic::is_transform)) {
                    reviews.push("an include or a macro makes a statement, which cannot be edited".into());
                }
                found.push(Location { shared_by: users.clone(), reviews, ..location(owner.template, &site) });
            }
        }
    }
    if let (true, true, Some(owner)) = (found.is_empty(), dead.is_empty(), owners.first()) {
        let message = format!("`{}` has no policies of its own in `{}`", owner.resource.id, owner.template.name);
        let place = super::place(owner.template, owner.resource.node.span);
        dead.push(pick::hidden(owner).unwrap_or_else(|| Refusal::new(RefusalCode::NotInSource, message).at(place)));
    }
    (found, dead)
}
