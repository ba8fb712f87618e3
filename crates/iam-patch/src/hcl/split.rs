//! A shared role taken apart: a role of its own for each function, written after the old one; the function names it.
//!
//! The old role stays; removing it is for a person.

use std::cell::Cell;

use iam_model::change::{AttachmentKind, NewPolicy, RolePart, RoleSplit};

use super::attach::{BlockEdit, Edits};
use super::compose::{Composer, free_label, says};
use super::evaluate::Account;
use super::find::{self, refers_to};
use super::owner::{account, by_arn};
use super::parse::EXPRESSION;
use super::policies;
use super::project::{At, Terraform};
use super::refer::{self, Dialect};
use crate::compare;
use crate::op::{New, Op};
use crate::plan::{self, Author};
use crate::refusal::{Refusal, RefusalCode};
use crate::tree::{Node, Path};

/// Plans the new roles, and the functions' way to them; what needs a look.
pub(super) fn plan(terraform: &Terraform, split: &RoleSplit) -> Result<(Edits, Vec<String>), Refusal> {
    let role = only(terraform, AttachmentKind::Identity, &split.role)?;
    let account = account(terraform, role, Some(&split.role));
    let address = find::named(terraform, role);
    let mut edits = Edits::default();
    let mut reviews = Vec::new();
    let mut count = 0;
    for part in &split.parts {
        let function = only(terraform, AttachmentKind::Resource, &part.function)?;
        let body = terraform.body(function);
        let named = body.and_then(|body| body.find("role"));
        let Some((index, _)) = named.filter(|(_, node)| refers_to(node, &address)) else { continue };
        let mut splitter = Splitter { terraform, role, account: &account, reviews: &mut reviews };
        let (label, blocks) = splitter.part(function, part)?;
        let with = New::Tagged(EXPRESSION.into(), format!("aws_iam_role.{label}.arn"));
        edits.ops.push((function, Op::Replace { at: Path::default().child(index), with, whole_line: false }));
        edits.blocks.extend(blocks);
        count += 1;
    }
    if count > 0 {
        reviews
            .push(format!("`{address}` is taken apart: {count} functions get a role of their own; the old role stays"));
    }
    Ok((edits, reviews))
}

/// The one block with an ARN.
fn only(terraform: &Terraform, kind: AttachmentKind, arn: &iam_model::arn::Arn) -> Result<At, Refusal> {
    let found = by_arn(terraform, kind, arn);
    let [at] = found.as_slice() else {
        let code = if found.is_empty() { RefusalCode::NotInSource } else { RefusalCode::Ambiguous };
        return Err(Refusal::new(code, format!("no one Terraform block was found for `{arn}`")));
    };
    match terraform.body(*at).and_then(policies::multiplied) {
        Some(how) => {
            let message = format!("`{}` has `{how}`: one block stands for several", find::named(terraform, *at));
            Err(Refusal::new(RefusalCode::Conditional, message))
        }
        None => Ok(*at),
    }
}

struct Splitter<'p, 'r> {
    terraform: &'p Terraform,
    role: At,
    account: &'p Account,
    reviews: &'r mut Vec<String>,
}

impl Splitter<'_, '_> {
    /// The blocks of one function's role; its label.
    fn part(&mut self, function: At, part: &RolePart) -> Result<(String, Vec<BlockEdit>), Refusal> {
        let (terraform, role) = (self.terraform, self.role);
        let unreadable = || Refusal::new(RefusalCode::NotInSource, "the role's block cannot be read");
        let body = terraform.body(role).ok_or_else(unreadable)?;
        let module = terraform.module_of(role);
        let wanted = terraform.block(function).map_or("", |block| block.name());
        let label = free_label(terraform, module, "aws_iam_role", wanted);
        let composer = Composer::beside(terraform, role);
        let fuel = Cell::new(0);
        let dialect = refer::dialect_at(terraform, role, self.account, &fuel);
        let mut head: Vec<(&str, String)> = Vec::new();
        if body.get("name").is_some() {
            head.push(("name", composer.quoted(part.role.name())));
        }
        if let Some(description) = &part.description {
            head.push(("description", composer.quoted(description)));
        }
        for key in ["path", "permissions_boundary", "tags"] {
            head.extend(self.copied(body, key).map(|text| (key, text)));
        }
        if part.boundary.is_some() && body.get("permissions_boundary").is_none() {
            return Err(Refusal::new(RefusalCode::Drift, "the role has a boundary that these files do not name"));
        }
        let trust = vec![("assume_role_policy", self.trust(&dialect, &composer, body, part)?)];
        let text = composer.resource("aws_iam_role", &label, &[head, trust]);
        let mut blocks = vec![BlockEdit::After(role, text)];
        for policy in &part.policies {
            blocks.push(self.policy(&dialect, &composer, &label, policy, part.policies.len() == 1)?);
        }
        for arn in &part.managed_policies {
            let own = if part.managed_policies.len() == 1 { label.clone() } else { format!("{label}_{}", arn.name()) };
            let own = free_label(terraform, module, "aws_iam_role_policy_attachment", &own);
            let lines =
                vec![("role", format!("aws_iam_role.{label}.name")), ("policy_arn", composer.quoted(arn.as_str()))];
            blocks.push(BlockEdit::After(role, composer.resource("aws_iam_role_policy_attachment", &own, &[lines])));
        }
        Ok((label, blocks))
    }

    /// An attribute's text as the old role has it.
    fn copied(&self, body: &Node, key: &str) -> Option<String> {
        let file = self.terraform.files.get(self.role.file)?;
        Some(body.get(key)?.span.slice(&file.text).to_owned())
    }

    /// The old role's trust policy by its own words, where it says what the new one should.
    fn trust(
        &mut self,
        dialect: &Dialect<'_>,
        composer: &Composer,
        body: &Node,
        part: &RolePart,
    ) -> Result<String, Refusal> {
        let sites = policies::sites_of(self.terraform, self.role);
        let site = sites.iter().find(|site| site.form == crate::site::Form::Trust);
        let node = site.and_then(|site| self.terraform.body(site.at)?.at(&site.place));
        let same = node.is_some_and(|node| compare::explains_document(dialect, node, &part.trust));
        if let Some(text) = self.copied(body, "assume_role_policy").filter(|_| same) {
            return Ok(text);
        }
        Ok(composer.document(&self.written(dialect, &part.trust.statements)))
    }

    fn written(&mut self, dialect: &Dialect<'_>, statements: &[iam_model::policy::Statement]) -> New {
        let mut author = Author { language: dialect, reviews: Vec::new() };
        let document = plan::document(&mut author, statements);
        self.reviews.extend(author.reviews);
        document
    }

    fn policy(
        &mut self,
        dialect: &Dialect<'_>,
        composer: &Composer,
        role: &str,
        policy: &NewPolicy,
        alone: bool,
    ) -> Result<BlockEdit, Refusal> {
        let module = self.terraform.module_of(self.role);
        let wanted = if alone { role.to_owned() } else { format!("{role}_{}", policy.name) };
        let label = free_label(self.terraform, module, "aws_iam_role_policy", &wanted);
        let document = self.written(dialect, &policy.document.statements);
        let head = vec![("name", composer.quoted(&policy.name)), ("role", format!("aws_iam_role.{role}.id"))];
        let text =
            composer.resource("aws_iam_role_policy", &label, &[head, vec![("policy", composer.document(&document))]]);
        let edit = BlockEdit::After(self.role, text);
        says(dialect, std::slice::from_ref(&edit), &policy.document)?;
        Ok(edit)
    }
}
