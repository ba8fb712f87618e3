//! Where else a policy's text goes: to other resources, through local values, documents, module inputs and outputs.
//!
//! Follows names as texts, so that what cannot be evaluated is found too. Edits nothing.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::document;
use super::evaluate::{Account, Evaluator};
use super::mention::{mentions, refers_to};
use super::policies::{self, Site};
use super::project::{At, Terraform};
use crate::resolve::{Resolve, Value};
use crate::tree::{Node, Path};

/// Steps that one text is followed: more than any project has.
const STEPS: usize = 256;

/// Arguments that decide about a block and carry no text into it.
const META: &[&str] = &["count", "depends_on", "lifecycle"];

/// Blocks that use no values.
const SILENT: &[&str] = &["variable", "moved", "removed", "import", "terraform"];

/// Whom a text is for beside the one of a change, as the files name it.
pub(crate) enum Holder {
    /// A principal that no block of these files makes.
    Principal {
        /// The start of its ARN's resource: `role/`.
        kind: &'static str,
        name: String,
    },
    /// Whoever holds the managed policy of this name.
    Policy(String),
}

/// A name by which a module speaks of a text: `data.aws_iam_policy_document.d`, or `module.m` with the member `output`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    module: usize,
    head: String,
    member: Option<String>,
}

impl Name {
    const fn new(module: usize, head: String) -> Self {
        Self { module, head, member: None }
    }

    /// Whether a text speaks of it; of a whole whose member it is, or of a member that is not written out, too.
    fn is_in(&self, text: &str) -> bool {
        let Some(member) = &self.member else { return mentions(text, &self.head) };
        let ends = text.match_indices(&self.head).map(|(at, head)| (at, at + head.len()));
        ends.filter(|(at, end)| is_whole(text, *at, *end)).any(|(_, end)| {
            let rest = text.get(end..).unwrap_or_default();
            let quoted = rest.strip_prefix("[\"").and_then(|rest| rest.split_once('"')).map(|(key, _)| key);
            match (rest.strip_prefix('.'), quoted) {
                (Some(rest), _) => rest.split(|c| !is_word(c)).next() == Some(member),
                // The instance of a module, and not its output.
                (None, Some(_)) if self.head.starts_with("module.") => true,
                (None, Some(key)) => key == member,
                (None, None) => true,
            }
        })
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// Whether what stands from one offset to another is a whole word, and no member of something else.
fn is_whole(text: &str, at: usize, end: usize) -> bool {
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    let after = text.get(end..).and_then(|t| t.chars().next());
    !before.is_some_and(|c| is_word(c) || c == '.') && !after.is_some_and(is_word)
}

/// The blocks to which a policy's text goes, its own carrier left out: resources, outputs of the root, modules from
/// elsewhere.
pub(super) fn beyond(terraform: &Terraform, site: &Site) -> Vec<At> {
    let mut walk = Walk { terraform, open: Vec::new(), seen: BTreeSet::new(), users: BTreeSet::new() };
    walk.start(site);
    let mut steps = 0;
    while let Some(name) = walk.open.pop() {
        steps += 1;
        if steps > STEPS {
            break;
        }
        walk.follow(&name);
    }
    walk.users.remove(&site.owner);
    walk.users.remove(&site.at);
    walk.users.into_iter().collect()
}

struct Walk<'t> {
    terraform: &'t Terraform,
    open: Vec<Name>,
    seen: BTreeSet<Name>,
    users: BTreeSet<At>,
}

impl Walk<'_> {
    fn push(&mut self, name: Name) {
        if self.seen.insert(name.clone()) {
            self.open.push(name);
        }
    }

    /// The names of the place where the text stands.
    fn start(&mut self, site: &Site) {
        let Some(block) = self.terraform.block(site.at) else { return };
        let entry = entry_of(self.terraform, site.at, &site.place).unwrap_or_default();
        if block.kind() == "resource" {
            let module = self.terraform.module_of(site.at);
            return self.push(Name::new(module, format!("{}.{entry}", policies::address(block))));
        }
        if let ("locals", Some(member)) = (block.kind(), member_of(self.terraform, site.at, &site.place)) {
            let (module, head) = (self.terraform.module_of(site.at), format!("local.{entry}"));
            return self.push(Name { module, head, member: Some(member) });
        }
        self.pass(site.at, &entry);
    }

    /// Goes on with the names that a block gives to what stands in one of its entries.
    fn pass(&mut self, at: At, entry: &str) {
        let Some(block) = self.terraform.block(at) else { return };
        let module = self.terraform.module_of(at);
        match block.kind() {
            "locals" => self.push(Name::new(module, format!("local.{entry}"))),
            "data" if block.is("data", document::TYPE) => self.push(Name::new(module, policies::address(block))),
            "module" => match self.terraform.called(at) {
                Some(called) => self.push(Name::new(called, format!("var.{entry}"))),
                None => drop(self.users.insert(at)),
            },
            "output" => {
                let calls = self.terraform.calls_of(module);
                if calls.is_empty() {
                    self.users.insert(at);
                }
                let output = block.head.get(1).cloned().unwrap_or_default();
                for call in calls.iter().copied() {
                    let Some(head) = self.terraform.block(call).map(policies::address) else { continue };
                    let module = self.terraform.module_of(call);
                    self.push(Name { module, head, member: Some(output.clone()) });
                }
            }
            kind if SILENT.contains(&kind) || block.attribute => {}
            _ => drop(self.users.insert(at)),
        }
    }

    fn follow(&mut self, name: &Name) {
        let terraform = self.terraform;
        for (at, block) in terraform.blocks(name.module) {
            let text = terraform.files.get(at.file).map_or("", |file| file.text.as_str());
            if !name.is_in(block.span.slice(text)) {
                continue;
            }
            for entry in terraform.body(at).map(Node::entries).unwrap_or_default() {
                let own = block.is("data", document::TYPE) && policies::address(block) == name.head;
                if !own && !META.contains(&entry.name()) && name.is_in(entry.value.span.slice(text)) {
                    self.pass(at, entry.name());
                }
            }
        }
    }
}

/// The argument of a block in which a place stands.
fn entry_of(terraform: &Terraform, at: At, place: &Path) -> Option<String> {
    let step = place.steps().first()?;
    Some(terraform.body(at)?.entries().get(*step)?.name().to_owned())
}

/// The member of an argument in which a place stands, where the argument has members.
fn member_of(terraform: &Terraform, at: At, place: &Path) -> Option<String> {
    let [first, second, ..] = place.steps() else { return None };
    let argument = &terraform.body(at)?.entries().get(*first)?.value;
    Some(argument.entries().get(*second).filter(|_| argument.tag.is_none())?.name().to_owned())
}

/// Whom a policy's text is for beside its own holder, where the files name it and make it not.
pub(super) fn holders(terraform: &Terraform, site: &Site) -> Vec<Holder> {
    beyond(terraform, site).into_iter().filter_map(|at| holder(terraform, at)).collect()
}

fn holder(terraform: &Terraform, at: At) -> Option<Holder> {
    let (block, body) = (terraform.block(at).filter(|block| block.kind() == "resource")?, terraform.body(at)?);
    let (account, fuel) = (Account::default(), Cell::new(0));
    let evaluator = Evaluator::new(terraform, terraform.module_of(at), &account, true, &fuel);
    let known = |key: &str| match evaluator.fresh().value(body.get(key)?) {
        Value::Text(text) => text.known(),
        _ => None,
    };
    let (key, kind) = match block.of() {
        "aws_iam_role_policy" => ("role", "role/"),
        "aws_iam_user_policy" => ("user", "user/"),
        "aws_iam_group_policy" => ("group", "group/"),
        "aws_iam_policy" => return known("name").map(Holder::Policy),
        _ => return None,
    };
    let made = body.get(key).is_some_and(|node| refers_to(node, &format!("aws_iam_{key}")));
    if made { None } else { known(key).map(|name| Holder::Principal { kind, name }) }
}
