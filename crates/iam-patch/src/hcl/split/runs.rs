//! Whether a function's block says the role that is taken apart, and where.
//!
//! What cannot be told is refused: a function passed over would go on sharing the role, and nobody would hear of it.

use std::cell::Cell;

use iam_model::arn::Arn;

use super::super::evaluate::{Account, Evaluator};
use super::super::find;
use super::super::mention::refers_to;
use super::super::policies;
use super::super::project::{At, Terraform};
use crate::refusal::{Refusal, RefusalCode};
use crate::tree::{Node, Path};

/// The role, and where it stands.
pub(super) struct Site<'s> {
    pub(super) terraform: &'s Terraform,
    pub(super) role: At,
    /// `aws_iam_role.shared`.
    pub(super) address: &'s str,
    pub(super) arn: &'s Arn,
    pub(super) account: &'s Account,
}

impl Site<'_> {
    /// Where a function names the shared role; nothing where it names another one of its module.
    pub(super) fn of_shared(&self, function: At) -> Result<Option<Path>, Refusal> {
        let terraform = self.terraform;
        let body = terraform.body(function);
        let Some((index, node)) = body.and_then(|body| body.find("role")) else {
            let message = format!("`{}` says no role", find::named(terraform, function));
            return Err(Refusal::new(RefusalCode::Conditional, message));
        };
        let refused = |what: &str| {
            let message = format!("`{}` says its role by {what}", find::named(terraform, function));
            Refusal::new(RefusalCode::Conditional, message)
                .hint("give the function a role of its own by hand; the new roles are printed with this refusal")
                .at(find::place(terraform, function, node))
        };
        if terraform.module_of(function) != terraform.module_of(self.role) {
            return Err(refused("another module, which the role has to be handed to"));
        }
        let module = terraform.module_of(function);
        let (mut named, mut text) = (node, self.text(function, node));
        // A local value that stands for the role.
        for _ in 0..8 {
            let Some((at, _, next)) = policies::walked(terraform, module, text) else { break };
            (named, text) = (next, self.text(at, next));
        }
        let of = |address: &str| [".arn", ".id"].iter().any(|end| text.strip_suffix(end) == Some(address));
        if of(self.address) {
            return Ok(Some(Path::default().child(index)));
        }
        if refers_to(named, self.address) {
            return Err(refused("a condition or a function"));
        }
        let mut others = terraform.blocks(module).filter(|(_, block)| block.is("resource", "aws_iam_role"));
        if others.any(|(_, block)| of(&policies::address(block))) {
            return Ok(None);
        }
        let fuel = Cell::new(0);
        let evaluator = Evaluator::new(terraform, module, self.account, false, &fuel).fresh();
        match evaluator.known(node) {
            Some(known) if known == self.arn.as_str() => Ok(Some(Path::default().child(index))),
            Some(_) => Ok(None),
            None => Err(refused("something that cannot be told from these files")),
        }
    }

    /// An expression as it is written, without the quotes of `"${…}"`.
    fn text<'t>(&'t self, at: At, node: &Node) -> &'t str {
        let file = self.terraform.files.get(at.file).map_or("", |file| file.text.as_str());
        let text = node.span.slice(file).trim();
        text.strip_prefix("\"${").and_then(|text| text.strip_suffix("}\"")).map_or(text, str::trim)
    }
}
