//! Policies that no block stands for yet: managed policies beside a role, and the policy of a VPC endpoint that has none.
//!
//! Each is written as blocks after the one it belongs to; nothing else in the files changes but a role's own list.

use std::cell::Cell;

use iam_model::arn::Arn;
use iam_model::change::{AttachmentKind, Change};

use super::attach::{BlockEdit, Edits};
use super::compose::{Composer, free_label, says};
use super::find;
use super::mention::refers_to;
use super::owner::{account, by_address, by_arn, by_state};
use super::parse::EXPRESSION;
use super::policies;
use super::project::{At, Terraform};
use super::refer;
use crate::compare;
use crate::op::{New, Op};
use crate::plan::{self, Author, must_be_default};
use crate::refusal::{Refusal, RefusalCode};
use crate::tree::{Node, Path};

/// Plans the new managed policies of one role, with what attaches them; what needs a look.
pub(super) fn plan_all(terraform: &Terraform, changes: &[&Change]) -> Result<(Edits, Vec<String>), Refusal> {
    let arn = changes.iter().find_map(|change| change.attachment.principal_arn.as_ref());
    let arn = arn.ok_or_else(|| Refusal::new(RefusalCode::NotInSource, "the change names no role"))?;
    let (role, body) = home(terraform, arn)?;
    let address = find::named(terraform, role);
    let (module, account, fuel) = (terraform.module_of(role), account(terraform, role, Some(arn)), Cell::new(0));
    let dialect = refer::dialect_at(terraform, role, &account, &fuel);
    let composer = Composer::beside(terraform, role);
    let own = terraform.block(role).map_or("role", |block| block.name());
    let file = terraform.files.get(role.file).map_or("", |file| file.text.as_str());
    let held = held(terraform, role, &address);
    let (mut edits, mut reviews, mut arns) = (Edits::default(), Vec::new(), Vec::new());
    for change in changes {
        let (Some(name), Some(policy)) = (&change.attachment.policy_name, &change.after) else { continue };
        plan::same_meaning(policy)?;
        // Written by an earlier run.
        if held.iter().any(|node| compare::explains_document(&dialect, node, policy)) {
            continue;
        }
        let name = name.rsplit('/').next().unwrap_or(name);
        let suffix = name.strip_prefix(arn.name()).filter(|rest| !rest.is_empty());
        let label = free_label(
            terraform,
            module,
            "aws_iam_policy",
            &format!("{own}{}", suffix.unwrap_or(name)).replace('-', "_"),
        );
        let mut author = Author { language: &dialect, reviews: Vec::new() };
        let document = plan::document(&mut author, &policy.statements);
        // A role that lists the policy cannot also give it its name.
        let suffix = suffix.filter(|_| body.get("managed_policy_arns").is_none());
        let written = suffix.map_or_else(|| composer.quoted(name), |suffix| format!("\"${{{address}.name}}{suffix}\""));
        let mut head = vec![("name", written)];
        head.extend(body.get("path").map(|path| ("path", path.span.slice(file).to_owned())));
        let text = composer.resource("aws_iam_policy", &label, &[head, vec![("policy", composer.document(&document))]]);
        let block = BlockEdit::After(role, text);
        says(&dialect, std::slice::from_ref(&block), policy)?;
        edits.blocks.push(block);
        reviews.extend(author.reviews);
        reviews.push(format!(
            "`aws_iam_policy.{label}` is new: it takes what does not fit into the role's other policies"
        ));
        arns.push((label.clone(), format!("aws_iam_policy.{label}.arn")));
    }
    if !arns.is_empty() {
        attach(terraform, role, arns, &mut edits)?;
    }
    Ok((edits, reviews))
}

/// The one block that makes a role, whose other policies are its own to say.
fn home<'t>(terraform: &'t Terraform, arn: &Arn) -> Result<(At, &'t Node), Refusal> {
    let found = by_arn(terraform, AttachmentKind::Identity, arn);
    let [role] = found.as_slice() else {
        let code = if found.is_empty() { RefusalCode::NotInSource } else { RefusalCode::Ambiguous };
        return Err(Refusal::new(code, format!("no one Terraform block was found for `{arn}`")));
    };
    let (role, address) = (*role, find::named(terraform, *role));
    let is_role = terraform.block(role).is_some_and(|block| block.is("resource", "aws_iam_role"));
    let Some(body) = terraform.body(role).filter(|_| is_role) else {
        return Err(Refusal::new(RefusalCode::Unsupported, format!("`{address}` is no role that is written out"))
            .hint("write the new policy by hand, as it is printed, or keep all in place with --quota in-place"));
    };
    if let Some(how) = policies::multiplied(body) {
        let message = format!("`{address}` has `{how}`: one block stands for several");
        return Err(Refusal::new(RefusalCode::Conditional, message));
    }
    let exclusive = policies::carriers(terraform, terraform.module_of(role)).into_iter().find(|at| {
        let named = terraform.body(*at).and_then(|body| body.get("role_name"));
        named.is_some_and(|node| refers_to(node, &address))
            && terraform.block(*at).is_some_and(|b| b.of().ends_with("_exclusive"))
    });
    if let Some(exclusive) = exclusive {
        let message = format!("`{}` says which policies alone the role has", find::named(terraform, exclusive));
        return Err(
            Refusal::new(RefusalCode::Unsupported, message).hint("add the new policy there by hand, as it is printed")
        );
    }
    Ok((role, body))
}

/// The documents of the module's own managed policies that the role has.
fn held<'t>(terraform: &'t Terraform, role: At, address: &str) -> Vec<&'t Node> {
    let all = policies::carriers(terraform, terraform.module_of(role));
    let body = |at: At| terraform.body(at);
    let attached = |at: At| {
        let to = body(at)?.get("role")?;
        body(at)?.get("policy_arn").filter(|_| refers_to(to, address))
    };
    let own = body(role).and_then(|body| body.get("managed_policy_arns"));
    let lists: Vec<&Node> = own.into_iter().chain(all.iter().filter_map(|at| attached(*at))).collect();
    let has = |at: &At| {
        let policy = terraform.block(*at).filter(|block| block.is("resource", "aws_iam_policy"));
        policy.is_some_and(|block| lists.iter().any(|list| refers_to(list, &policies::address(block))))
    };
    let documents = all.iter().filter(|at| has(at)).flat_map(|at| policies::sites_of(terraform, *at));
    documents.filter_map(|site| body(site.at)?.at(&site.place)).collect()
}

/// The role's own list of managed policies with more of them, or a block for each that attaches it.
fn attach(terraform: &Terraform, role: At, arns: Vec<(String, String)>, edits: &mut Edits) -> Result<(), Refusal> {
    let listed = terraform.body(role).and_then(|body| body.find("managed_policy_arns"));
    let Some((index, list)) = listed else {
        let (module, address) = (terraform.module_of(role), find::named(terraform, role));
        let composer = Composer::beside(terraform, role);
        for (label, arn) in arns {
            let own = free_label(terraform, module, "aws_iam_role_policy_attachment", &label);
            let lines = vec![("role", format!("{address}.name")), ("policy_arn", arn)];
            edits
                .blocks
                .push(BlockEdit::After(role, composer.resource("aws_iam_role_policy_attachment", &own, &[lines])));
        }
        return Ok(());
    };
    if !list.is_seq() || list.tag.is_some() {
        let message = "the role's managed policies are no list that is written out";
        return Err(Refusal::new(RefusalCode::Conditional, message).hint("write the list out, then run again"));
    }
    let place = Path::default().child(index);
    let new = |arn: String| New::Tagged(EXPRESSION.into(), arn);
    match list.items().len().checked_sub(1) {
        Some(last) => {
            let items = arns.into_iter().map(|(_, arn)| Op::InsertItem { after: place.child(last), with: new(arn) });
            edits.ops.extend(items.map(|op| (role, op)));
        }
        None => {
            let with = New::Seq(arns.into_iter().map(|(_, arn)| new(arn)).collect());
            edits.ops.push((role, Op::Replace { at: place, with, whole_line: false }));
        }
    }
    Ok(())
}

/// The policy that an endpoint without one gets; nothing where the files give it one, or do not hold it.
pub(super) fn of_endpoint(terraform: &Terraform, change: &Change) -> Option<Result<(Edits, Vec<String>), Refusal>> {
    let attachment = &change.attachment;
    let (arn, after) = (attachment.resource_arn.as_ref(), change.after.as_ref()?);
    if attachment.kind != AttachmentKind::VpcEndpoint {
        return None;
    }
    let found = match (&attachment.address, arn) {
        (Some(address), _) => by_address(terraform, address),
        // Without a state, nothing but its service tells an endpoint.
        (None, arn) => by_state(terraform, arn?),
    };
    let [at] = found.as_slice() else { return None };
    let (at, address) = (*at, find::named(terraform, *at));
    let (block, body) = (terraform.block(at)?, terraform.body(at)?);
    let own = body.get("policy").is_some() || !block.is("resource", "aws_vpc_endpoint");
    let apart = policies::carriers(terraform, terraform.module_of(at)).into_iter().any(|other| {
        let named = terraform.body(other).and_then(|body| body.get("vpc_endpoint_id"));
        named.is_some_and(|node| refers_to(node, &address))
    });
    if own || apart {
        return None;
    }
    if let Some(how) = policies::multiplied(body) {
        return Some(Err(Refusal::new(
            RefusalCode::Conditional,
            format!("`{address}` has `{how}`: one block stands for several"),
        )));
    }
    if let Err(refusal) = must_be_default(change.before.as_ref()) {
        return Some(Err(refusal.at(find::place(terraform, at, body))));
    }
    let (account, fuel) = (account(terraform, at, arn), Cell::new(0));
    let dialect = refer::dialect_at(terraform, at, &account, &fuel);
    let mut author = Author { language: &dialect, reviews: Vec::new() };
    let document = plan::document(&mut author, &after.statements);
    let composer = Composer::beside(terraform, at);
    let label = free_label(terraform, terraform.module_of(at), "aws_vpc_endpoint_policy", block.name());
    let head = vec![("vpc_endpoint_id", format!("{address}.id"))];
    let text =
        composer.resource("aws_vpc_endpoint_policy", &label, &[head, vec![("policy", composer.document(&document))]]);
    let edit = BlockEdit::After(at, text);
    if let Err(refusal) = says(&dialect, std::slice::from_ref(&edit), after) {
        return Some(Err(refusal));
    }
    let mut reviews = author.reviews;
    reviews.push(format!("`{address}` had no policy of its own, and gets one"));
    Some(Ok((Edits { ops: Vec::new(), blocks: vec![edit] }, reviews)))
}

/// The address of the one endpoint to a service that these files make.
pub(crate) fn endpoint_to(terraform: &Terraform, arn: &Arn, service: &str) -> Option<String> {
    let mut found = Vec::new();
    for at in endpoints(terraform) {
        let Some(body) = terraform.body(at) else { continue };
        let (account, fuel) = (account(terraform, at, Some(arn)), Cell::new(0));
        let evaluator = super::evaluate::Evaluator::new(terraform, terraform.module_of(at), &account, true, &fuel);
        let named = body.get("service_name").and_then(|node| evaluator.known(node));
        if named.as_deref() == Some(service) {
            found.push(at);
        }
    }
    let [at] = found.as_slice() else { return None };
    let module = super::owner::module_path(terraform, terraform.module_of(*at))?;
    let address = find::named(terraform, *at);
    Some(if module.is_empty() { address } else { format!("{module}.{address}") })
}

fn endpoints(terraform: &Terraform) -> impl Iterator<Item = At> {
    let all = (0..terraform.modules.len()).flat_map(|module| policies::carriers(terraform, module));
    all.filter(|at| terraform.block(*at).is_some_and(|block| block.is("resource", "aws_vpc_endpoint")))
}
