//! A shared role taken apart: a role of its own for each function, written after the old one; the function names it.
//!
//! The function waits for the new role's policies: else it would run for a moment with a role that grants nothing. The old
//! role stays; removing it is for a person.

mod runs;

use std::cell::Cell;
use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::change::{AttachmentKind, NewPolicy, RolePart, RoleSplit};

use super::attach::{BlockEdit, Edits};
use super::compose::{self, Composer, free_label, repeats, says};
use super::evaluate::{Account, Evaluator};
use super::find;
use super::outside::Reading;
use super::owner::{account, by_arn};
use super::parse::{EXPRESSION, HEREDOC, HEREDOC_TEXT};
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
    let address = find::named(terraform, role);
    let account = account(terraform, role, Some(&split.role));
    let (reviews, taken) = (Vec::new(), BTreeSet::new());
    let mut splitter = Splitter { terraform, role, shared: &split.role, account: &account, reviews, taken };
    let mut edits = Edits::default();
    let mut count = 0;
    for part in &split.parts {
        let function = only(terraform, AttachmentKind::Resource, &part.function)?;
        let site = runs::Site { terraform, role, address: &address, arn: &split.role, account: &account };
        let Some(at) = site.of_shared(function)? else { continue };
        let (label, waits) = splitter.part(function, part, &mut edits.blocks)?;
        let with = New::Tagged(EXPRESSION.into(), format!("aws_iam_role.{label}.arn"));
        edits.ops.push((function, Op::Replace { at, with, whole_line: false }));
        edits.ops.extend(wait(terraform, function, waits)?.into_iter().map(|op| (function, op)));
        count += 1;
    }
    let mut reviews = splitter.reviews;
    if count > 0 {
        reviews
            .push(format!("`{address}` is taken apart: {count} functions get a role of their own; the old role stays"));
    }
    Ok((edits, reviews))
}

/// The one block with an ARN.
fn only(terraform: &Terraform, kind: AttachmentKind, arn: &Arn) -> Result<At, Refusal> {
    let found = by_arn(terraform, kind, arn);
    let [at] = found.as_slice() else {
        let code = if found.is_empty() { RefusalCode::NotInSource } else { RefusalCode::Ambiguous };
        return Err(Refusal::new(code, format!("no one Terraform block was found for `{arn}`")));
    };
    if terraform.files.get(at.file).is_some_and(|file| file.reading == Reading::TerraformJson) {
        return Err(Refusal::new(RefusalCode::Unsupported, "Terraform in JSON is not edited")
            .hint("write the new roles by hand, or in the program that writes the file"));
    }
    match terraform.body(*at).and_then(policies::multiplied) {
        Some(how) => {
            let message = format!("`{}` has `{how}`: one block stands for several", find::named(terraform, *at));
            Err(Refusal::new(RefusalCode::Conditional, message))
        }
        None => Ok(*at),
    }
}

/// The function's `depends_on` with all that its new role must hold first.
fn wait(terraform: &Terraform, function: At, addresses: Vec<String>) -> Result<Vec<Op>, Refusal> {
    let Some(body) = terraform.body(function).filter(|_| !addresses.is_empty()) else { return Ok(Vec::new()) };
    let news: Vec<New> = addresses.into_iter().map(|address| New::Tagged(EXPRESSION.into(), address)).collect();
    let Some((index, list)) = body.find("depends_on") else {
        // After the last attribute: blocks below it stay where they are.
        let attribute = |entry: &crate::tree::Entry| !entry.value.is_map() && !entry.value.is_seq();
        let last = body.entries().iter().rposition(attribute);
        let after = Path::default().child(last.unwrap_or_default());
        return Ok(vec![Op::InsertEntry { after, key: "depends_on".into(), with: New::Seq(news) }]);
    };
    let at = Path::default().child(index);
    match list.items().len().checked_sub(1) {
        Some(last) if list.is_seq() && list.tag.is_none() => {
            Ok(news.into_iter().map(|with| Op::InsertItem { after: at.child(last), with }).collect())
        }
        _ if list.is_seq() && list.tag.is_none() => {
            Ok(vec![Op::Replace { at, with: New::Seq(news), whole_line: false }])
        }
        _ => Err(Refusal::new(RefusalCode::Unsupported, "the function's `depends_on` is no list that is written out")
            .at(find::place(terraform, function, list))),
    }
}

struct Splitter<'p> {
    terraform: &'p Terraform,
    role: At,
    shared: &'p Arn,
    account: &'p Account,
    reviews: Vec<String>,
    /// Addresses that this patch makes.
    taken: BTreeSet<String>,
}

const TRUST: &str = "assume_role_policy";

/// What is copied from the old role's block, in this order.
const COPIED: &[&str] = &[
    "path",
    "permissions_boundary",
    "max_session_duration",
    "force_detach_policies",
    "tags",
    "provider",
    "depends_on",
];

impl Splitter<'_> {
    /// The blocks of one function's role; its label, and the addresses of what it must hold before the function runs.
    fn part(
        &mut self,
        function: At,
        part: &RolePart,
        blocks: &mut Vec<BlockEdit>,
    ) -> Result<(String, Vec<String>), Refusal> {
        let (terraform, role) = (self.terraform, self.role);
        let unreadable = || Refusal::new(RefusalCode::NotInSource, "the role's block cannot be read");
        let body = terraform.body(role).ok_or_else(unreadable)?;
        let wanted = terraform.block(function).map_or("", |block| block.name());
        let label = self.free("aws_iam_role", wanted);
        let composer = Composer::beside(terraform, role);
        let fuel = Cell::new(0);
        let dialect = refer::dialect_at(terraform, role, self.account, &fuel);
        let mut head: Vec<(&str, String)> = self.name(&dialect, &composer, function, part).into_iter().collect();
        if let Some(description) = &part.description {
            head.push(("description", composer.quoted(&self.described(function, part, description))));
        }
        let mut same: Vec<&str> = COPIED.iter().copied().filter(|key| body.get(key).is_some()).collect();
        for key in &same {
            head.extend(self.copied(body, key).map(|text| (*key, text)));
        }
        if part.boundary.is_some() && body.get("permissions_boundary").is_none() {
            return Err(Refusal::new(RefusalCode::Drift, "the role has a boundary that these files do not name"));
        }
        let (trust, is_copy) = self.trust(&dialect, &composer, body, part);
        same.extend(is_copy.then_some(TRUST));
        let text = composer.resource("aws_iam_role", &label, &[head, vec![(TRUST, trust)]]);
        repeats(&text, body, &same)?;
        blocks.push(BlockEdit::After(role, text));
        let mut waits = Vec::new();
        for policy in &part.policies {
            let alone = part.policies.len() == 1;
            blocks.push(self.policy(&dialect, &composer, &label, (policy, alone), &mut waits)?);
        }
        for arn in &part.managed_policies {
            let only = part.managed_policies.len() + part.new_managed_policies.len() == 1;
            let own = if only { label.clone() } else { format!("{label}_{}", arn.name()) };
            let named = Author { language: &dialect, reviews: Vec::new() }.resource(arn.as_str());
            blocks.push(self.attached(&composer, &label, (&own, composer.value(&named)), &mut waits));
        }
        for policy in &part.new_managed_policies {
            let own = self.managed(&dialect, &composer, body, (&label, part), policy, blocks)?;
            let arn = format!("aws_iam_policy.{own}.arn");
            blocks.push(self.attached(&composer, &label, (&own, arn), &mut waits));
        }
        Ok((label, waits))
    }

    /// A label that neither the module nor this patch has.
    fn free(&mut self, of: &str, wanted: &str) -> String {
        let module = self.terraform.module_of(self.role);
        let mut names = std::iter::once(wanted.to_owned()).chain((2..).map(|n: usize| format!("{wanted}_{n}")));
        let label = names.find_map(|name| {
            let label = free_label(self.terraform, module, of, &name);
            self.taken.insert(format!("{of}.{label}")).then_some(label)
        });
        label.unwrap_or_default()
    }

    /// The new role's name. Where the old one's is put together, the function's own says how; a text would be taken where
    /// the files are used twice.
    fn name(
        &mut self,
        dialect: &Dialect<'_>,
        composer: &Composer,
        function: At,
        part: &RolePart,
    ) -> Option<(&'static str, String)> {
        let (terraform, new) = (self.terraform, part.role.name());
        let body = terraform.body(self.role)?;
        if body.get("name_prefix").is_some() {
            let prefix: String = new.chars().take(37).collect();
            return Some(("name_prefix", composer.quoted(&format!("{prefix}-"))));
        }
        if body.get("name")?.text().is_some() {
            return Some(("name", composer.quoted(new)));
        }
        let own = terraform.body(function).and_then(|body| body.get("function_name"));
        let name = own.and_then(|node| {
            let suffix = new.strip_prefix(part.function.name()).filter(|suffix| !suffix.is_empty())?;
            let text = node.span.slice(&terraform.files.get(function.file)?.text);
            let evaluator: &Evaluator<'_> = &dialect.open;
            let known = matches!(crate::resolve::Resolve::value(evaluator, node), crate::resolve::Value::Text(text) if text.explains(part.function.name()));
            let quoted = text.strip_suffix('"').filter(|text| text.starts_with('"'));
            known.then(|| match quoted {
                Some(start) => format!("{start}{suffix}\""),
                None => format!("\"${{{text}}}{suffix}\""),
            })
        });
        if name.is_none() {
            let old = find::named(terraform, self.role);
            self.reviews
                .push(format!("the name of `{old}` is put together; the new roles get names of Terraform's making"));
        }
        Some(("name", name?))
    }

    /// A description without names that are put together: the same files may be applied again under others.
    fn described(&self, function: At, part: &RolePart, description: &str) -> String {
        let literal = |at: At, key: &str| self.terraform.body(at)?.get(key)?.text().map(str::to_owned);
        let or_label = |name: Option<String>, at: At| {
            name.or_else(|| self.terraform.block(at).map(|block| block.name().to_owned())).unwrap_or_default()
        };
        let role = or_label(literal(self.role, "name"), self.role);
        let own = or_label(literal(function, "function_name"), function);
        description.replace(self.shared.name(), &role).replace(part.function.name(), &own)
    }

    /// An attribute's text as the old role has it.
    fn copied(&self, body: &Node, key: &str) -> Option<String> {
        let file = self.terraform.files.get(self.role.file)?;
        Some(compose::copied(&file.text, body.get(key)?))
    }

    /// The old role's trust policy by its own words, where it says what the new one should; whether these are.
    fn trust(&mut self, dialect: &Dialect<'_>, composer: &Composer, body: &Node, part: &RolePart) -> (String, bool) {
        let sites = policies::sites_of(self.terraform, self.role);
        let site = sites.iter().find(|site| site.form == crate::site::Form::Trust);
        let node = site.and_then(|site| self.terraform.body(site.at)?.at(&site.place));
        let same = node.is_some_and(|node| compare::explains_document(dialect, node, &part.trust));
        // A heredoc's text stands for its lines alone.
        let heredoc = body.get(TRUST).is_some_and(|node| matches!(node.tag.as_deref(), Some(HEREDOC | HEREDOC_TEXT)));
        match self.copied(body, TRUST).filter(|_| same && !heredoc) {
            Some(text) => (text, true),
            None => (composer.document(&self.written(dialect, &part.trust.statements)), false),
        }
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
        (policy, alone): (&NewPolicy, bool),
        waits: &mut Vec<String>,
    ) -> Result<BlockEdit, Refusal> {
        plan::same_meaning(&policy.document)?;
        let wanted = if alone { role.to_owned() } else { format!("{role}_{}", policy.name) };
        let label = self.free("aws_iam_role_policy", &wanted);
        let document = self.written(dialect, &policy.document.statements);
        let head = vec![("name", composer.quoted(&policy.name)), ("role", format!("aws_iam_role.{role}.id"))];
        let text =
            composer.resource("aws_iam_role_policy", &label, &[head, vec![("policy", composer.document(&document))]]);
        let edit = BlockEdit::After(self.role, text);
        says(dialect, std::slice::from_ref(&edit), &policy.document)?;
        waits.push(format!("aws_iam_role_policy.{label}"));
        Ok(edit)
    }

    /// A managed policy for what does not fit into the role itself; its label.
    fn managed(
        &mut self,
        dialect: &Dialect<'_>,
        composer: &Composer,
        body: &Node,
        (role, part): (&str, &RolePart),
        policy: &NewPolicy,
        blocks: &mut Vec<BlockEdit>,
    ) -> Result<String, Refusal> {
        plan::same_meaning(&policy.document)?;
        let suffix = policy.name.strip_prefix(part.role.name()).filter(|rest| !rest.is_empty());
        let wanted = format!("{role}{}", suffix.unwrap_or(&policy.name)).replace('-', "_");
        let label = self.free("aws_iam_policy", &wanted);
        let document = self.written(dialect, &policy.document.statements);
        let name = match suffix {
            Some(suffix) => format!("\"${{aws_iam_role.{role}.name}}{suffix}\""),
            None => composer.quoted(&policy.name),
        };
        let mut head = vec![("name", name)];
        head.extend(["path", "provider"].into_iter().filter_map(|key| Some((key, self.copied(body, key)?))));
        let text = composer.resource("aws_iam_policy", &label, &[head, vec![("policy", composer.document(&document))]]);
        let edit = BlockEdit::After(self.role, text);
        says(dialect, std::slice::from_ref(&edit), &policy.document)?;
        blocks.push(edit);
        self.reviews.push(format!(
            "`aws_iam_policy.{label}` is a new managed policy: it takes what does not fit into the new role"
        ));
        Ok(label)
    }

    /// What attaches a managed policy to a new role.
    fn attached(
        &mut self,
        composer: &Composer,
        role: &str,
        (wanted, arn): (&str, String),
        waits: &mut Vec<String>,
    ) -> BlockEdit {
        let label = self.free("aws_iam_role_policy_attachment", wanted);
        let lines = vec![("role", format!("aws_iam_role.{role}.name")), ("policy_arn", arn)];
        waits.push(format!("aws_iam_role_policy_attachment.{label}"));
        BlockEdit::After(self.role, composer.resource("aws_iam_role_policy_attachment", &label, &[lines]))
    }
}
