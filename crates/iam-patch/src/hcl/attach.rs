//! Whole policies that come and go: an attached managed policy gives way to an inline one, a policy is removed.
//!
//! Such a change takes a block away, puts one in its place, or adds one behind; `work` guards the result.

use iam_model::policy::Statement;

use super::compose::{Composer, free_label};
use super::evaluate::known;
use super::find::{self, Found};
use super::mention::{mentions, refers_to};
use super::parse::EXPRESSION;
use super::policies::{self, Writing};
use super::project::{At, Terraform};
use crate::op::{New, Op};
use crate::plan::{self, Author};
use crate::refusal::{Refusal, RefusalCode};
use crate::site::Form;
use crate::tree::{Node, Path};

/// An edit of a whole block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BlockEdit {
    /// Another block in its place.
    Replace(At, String),
    /// No block any more.
    Remove(At),
    /// A further block after it.
    After(At, String),
}

impl BlockEdit {
    pub(super) const fn at(&self) -> At {
        match self {
            Self::Replace(at, _) | Self::Remove(at) | Self::After(at, _) => *at,
        }
    }
}

/// Edits inside of blocks, and of whole blocks.
#[derive(Debug, Default)]
pub(super) struct Edits {
    pub(super) ops: Vec<(At, Op)>,
    pub(super) blocks: Vec<BlockEdit>,
}

fn refused<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(RefusalCode::Unsupported, message).hint("make the change by hand; it is printed in the report"))
}

/// What attaches: the type, the attribute that says to whom, the type of an inline policy there.
const INLINE: &[(&str, &str, &str)] = &[
    ("aws_iam_role_policy_attachment", "role", "aws_iam_role_policy"),
    ("aws_iam_user_policy_attachment", "user", "aws_iam_user_policy"),
    ("aws_iam_group_policy_attachment", "group", "aws_iam_group_policy"),
];

/// A managed policy that is attached gives way to an inline policy with these statements.
pub(super) fn inline(
    author: &mut Author<'_>,
    terraform: &Terraform,
    found: &Found,
    statements: &[Statement],
) -> Result<Edits, Refusal> {
    let site = &found.site;
    let (Some(block), Some(body)) = (terraform.block(site.owner), terraform.body(site.owner)) else {
        return refused("the block cannot be read");
    };
    if let Some(how) = policies::multiplied(body) {
        return Err(Refusal::new(
            RefusalCode::Conditional,
            format!("one block with `{how}` attaches several policies"),
        ));
    }
    let module = terraform.module_of(site.owner);
    let document = plan::document(author, statements);
    if let Some((_, whom, of)) = INLINE.iter().find(|(of, ..)| *of == block.of()) {
        let Some(target) = body.get(whom) else { return refused("the block does not say to whom it attaches") };
        let label = free_label(terraform, module, of, block.name());
        let ops = named_again(terraform, site.owner, Some(&format!("{of}.{label}")), &[])?;
        let target = target.span.slice(terraform.files.get(site.owner.file).map_or("", |f| f.text.as_str()));
        let text = policy(terraform, site.owner, (of, &label), (whom, target), &document);
        return Ok(Edits { ops, blocks: vec![BlockEdit::Replace(site.owner, text)] });
    }
    if !block.is("resource", "aws_iam_role") {
        return refused(format!("`{}` attaches to several at once", block.of()));
    }
    let role = format!("{}.id", policies::address(block));
    let policy_name = body.at(&site.place).map(|node| author.language.value(node)).and_then(|value| known(&value));
    let last = policy_name.as_deref().and_then(|arn| arn.rsplit('/').next()).unwrap_or("policy").to_owned();
    let wanted = format!("{}_{}", block.name(), snake(&last));
    if body.get("inline_policy").is_some() {
        return Ok(beside_inline(author, terraform, found, &wanted, &document));
    }
    let label = free_label(terraform, module, "aws_iam_role_policy", &wanted);
    let text = policy(terraform, site.owner, ("aws_iam_role_policy", &label), ("role", &role), &document);
    Ok(Edits { ops: vec![(site.owner, detached(body, found))], blocks: vec![BlockEdit::After(site.owner, text)] })
}

/// A role with `inline_policy` blocks allows no inline policies beside them: the item of its list names a new managed
/// policy instead.
fn beside_inline(author: &mut Author<'_>, terraform: &Terraform, found: &Found, wanted: &str, document: &New) -> Edits {
    let site = &found.site;
    let label = free_label(terraform, terraform.module_of(site.owner), "aws_iam_policy", wanted);
    author.reviews.push(format!(
        "`{}` has `inline_policy` blocks, so the statements become a managed policy, `aws_iam_policy.{label}`",
        find::named(terraform, site.owner)
    ));
    let composer = Composer::beside(terraform, site.owner);
    let groups = [vec![("name", composer.quoted(&label))], vec![("policy", composer.document(document))]];
    let text = composer.resource("aws_iam_policy", &label, &groups);
    let with = New::Tagged(EXPRESSION.into(), format!("aws_iam_policy.{label}.arn"));
    Edits {
        ops: vec![(site.owner, Op::Replace { at: site.place.clone(), with, whole_line: false })],
        blocks: vec![BlockEdit::After(site.owner, text)],
    }
}

/// The item of `managed_policy_arns` goes. An absent list would leave the policy attached, an empty one detaches it.
fn detached(body: &Node, found: &Found) -> Op {
    let place = &found.site.place;
    let list = place.parent().filter(|list| body.at(list).is_some_and(|node| node.items().len() == 1));
    match list {
        Some(at) => Op::Replace { at, with: New::Seq(Vec::new()), whole_line: false },
        None => Op::Remove { at: place.clone() },
    }
}

fn policy(
    terraform: &Terraform,
    at: At,
    (of, label): (&str, &str),
    (whom, target): (&str, &str),
    document: &New,
) -> String {
    let composer = Composer::beside(terraform, at);
    let head = vec![("name", composer.quoted(label)), (whom, target.to_owned())];
    composer.resource(of, label, &[head, vec![("policy", composer.document(document))]])
}

/// `AmazonS3FullAccess` as a label: `amazon_s3_full_access`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut lower = false;
    for c in name.chars() {
        if c.is_uppercase() && lower {
            out.push('_');
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        out.extend(c.to_lowercase());
    }
    out
}

/// What others say about a block that goes: `depends_on` names the new block, or nothing. Anything else cannot follow.
fn named_again(terraform: &Terraform, at: At, new: Option<&str>, going: &[At]) -> Result<Vec<(At, Op)>, Refusal> {
    let Some(block) = terraform.block(at) else { return Ok(Vec::new()) };
    let address = policies::address(block);
    let mut ops = Vec::new();
    for (other, found) in terraform.blocks(terraform.module_of(at)) {
        let text = terraform.files.get(other.file).map_or("", |file| file.text.as_str());
        let passed = other == at || going.contains(&other) || !mentions(found.span.slice(text), &address);
        let Some(body) = terraform.body(other).filter(|_| !passed) else { continue };
        let spoken = || refused(format!("`{}` speaks of `{address}`", find::named(terraform, other)));
        let Some((index, list)) = body.find("depends_on").filter(|(_, list)| list.is_seq()) else { return spoken() };
        let elsewhere = body.entries().iter().any(|e| e.name() != "depends_on" && refers_to(&e.value, &address));
        let named = |item: &Node| item.raw_text() == Some(address.as_str());
        let Some(item) = list.items().iter().position(named).filter(|_| !elsewhere) else { return spoken() };
        let place = Path::default().child(index);
        ops.push((
            other,
            match new {
                Some(new) => {
                    let with = New::Tagged(EXPRESSION.into(), new.to_owned());
                    Op::Replace { at: place.child(item), with, whole_line: false }
                }
                None if list.items().len() == 1 => Op::Remove { at: place },
                None => Op::Remove { at: place.child(item) },
            },
        ));
    }
    Ok(ops)
}

/// Takes a block away, and what attaches it where it is a managed policy.
pub(super) fn gone(terraform: &Terraform, at: At) -> Result<Edits, Refusal> {
    let Some(block) = terraform.block(at) else { return refused("the block cannot be read") };
    let reference = policies::address(block);
    let attaches = |other: At| {
        let attachment = terraform.block(other).is_some_and(|b| INLINE.iter().any(|(of, ..)| *of == b.of()));
        let arn = terraform.body(other).and_then(|body| body.get("policy_arn"));
        attachment && arn.is_some_and(|node| refers_to(node, &reference))
    };
    let mut going: Vec<At> =
        policies::carriers(terraform, terraform.module_of(at)).into_iter().filter(|a| attaches(*a)).collect();
    going.push(at);
    let mut edits = Edits::default();
    for block in &going {
        edits.ops.extend(named_again(terraform, *block, None, &going)?);
        edits.blocks.push(BlockEdit::Remove(*block));
    }
    Ok(edits)
}

/// A whole policy goes.
pub(super) fn remove(terraform: &Terraform, found: &Found) -> Result<Edits, Refusal> {
    let site = &found.site;
    let (Some(block), Some(body)) = (terraform.block(site.owner), terraform.body(site.owner)) else {
        return refused("the block cannot be read");
    };
    if let Some(how) = policies::multiplied(body) {
        return Err(Refusal::new(
            RefusalCode::Conditional,
            format!("one block with `{how}` stands for several policies"),
        ));
    }
    match (site.form, site.writing) {
        (Form::ManagedItem, Writing::Attached) if block.is("resource", "aws_iam_role") => {
            Ok(Edits { ops: vec![(site.owner, detached(body, found))], blocks: Vec::new() })
        }
        (Form::ManagedItem, Writing::Attached) if INLINE.iter().any(|(of, ..)| *of == block.of()) => {
            gone(terraform, site.owner)
        }
        (Form::PolicyResource | Form::ResourcePolicy, _) if block.of().ends_with("_policy") => {
            gone(terraform, site.owner)
        }
        (Form::Inline, _) if find::is_made(terraform, site) => {
            Err(Refusal::new(RefusalCode::Conditional, "a `dynamic` block makes the policy, and may make others")
                .hint("take it out of what the block is made for"))
        }
        (Form::Inline, _) => {
            let several = body.entries().iter().filter(|entry| entry.name() == "inline_policy").count() > 1;
            let at = site.named_at.clone();
            // Without any block the role's inline policies would be left alone; an empty one removes them.
            let empty = || Op::Replace { at: at.clone(), with: New::Map(Vec::new()), whole_line: false };
            let op = if several { Op::Remove { at: at.clone() } } else { empty() };
            Ok(Edits { ops: vec![(site.owner, op)], blocks: Vec::new() })
        }
        _ => refused("this policy cannot be removed without touching other parts"),
    }
}
