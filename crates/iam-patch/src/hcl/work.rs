//! Changes to edits of Terraform files: find, plan, write, guard, one change at a time.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change, RoleSplit};
use iam_model::diagnostic::Place;
use iam_model::policy::{PolicyDocument, PolicyVersion};
use iam_model::text::{SourceName, Span};

use super::attach::{self, Edits};
use super::compose::{Composer, says};
use super::effect;
use super::explain::{given, repeated};
use super::file::FileWork;
use super::find::{self, Found};
use super::gather::{self, Gathered};
use super::inputs;
use super::outside::{InFile, Reading};
use super::permission;
use super::policies::{self, Site, Writing};
use super::project::{At, Terraform};
use super::refer::{self, Dialect};
use super::{new_policy, owner, split, write};
use crate::compare;
use crate::locate::Location;
use crate::op::{Op, Splice};
use crate::plan::{self, Author, Language};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Value;
use crate::site::Form;
use crate::tree::{self, Node, Path};

/// Where the policy of an attachment stands.
///
/// # Errors
/// Where it stands nowhere, in several places, or the source does not explain what `change` says is deployed.
pub(crate) fn locate(
    terraform: &Terraform,
    attachment: &Attachment,
    change: Option<&Change>,
) -> Result<Location, Refusal> {
    let found = find::find(terraform, attachment, change)?;
    if let Some(change) = change {
        Work::new(terraform).plan_found(&found, change)?;
    }
    let (shared_by, reviews) = (found.shared_by, found.reviews);
    let location = location(terraform, &found.site);
    let location = location.map(|location| Location { shared_by, reviews, ..location });
    location.ok_or_else(|| Refusal::new(RefusalCode::NotInSource, "no file"))
}

/// Every policy of whatever an address, a name or an ARN stands for.
pub(crate) fn of_role(terraform: &Terraform, name: &str) -> (Vec<Location>, Vec<Refusal>) {
    let text =
        if name.starts_with("arn:") { name.to_owned() } else { format!("arn:aws:iam::000000000000:role/{name}") };
    let mut attachment = match text.parse::<Arn>() {
        Ok(arn) => Attachment::identity(arn, String::new()),
        Err(_) => return (Vec::new(), Vec::new()),
    };
    attachment.policy_name = None;
    if name.contains('.') && !name.starts_with("arn:") {
        attachment.address = Some(name.to_owned());
    }
    let owners = match (&attachment.address, &attachment.principal_arn) {
        (Some(address), _) => owner::by_address(terraform, address),
        (None, Some(arn)) if name.starts_with("arn:") => owner::by_arn(terraform, AttachmentKind::Identity, arn),
        (None, Some(_)) => owner::by_role_name(terraform, name),
        (None, None) => Vec::new(),
    };
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for kind in [AttachmentKind::Trust, AttachmentKind::Identity, AttachmentKind::Resource] {
        attachment.kind = kind;
        for at in &owners {
            for (site, shared_by, reviews) in find::of_owner(terraform, &attachment, *at) {
                let refusal = match site.writing {
                    Writing::File => Some(in_a_file()),
                    Writing::Other => Some(made()),
                    _ => None,
                };
                if let Some(refusal) = refusal {
                    let node = terraform.body(site.at).and_then(|body| body.at(&site.place));
                    let place = node.map(|node| find::place(terraform, site.at, node));
                    refused.push(place.map_or_else(|| refusal.clone(), |place| refusal.clone().at(place)));
                    continue;
                }
                let location = location(terraform, &site);
                found.extend(location.map(|location| Location { shared_by, reviews, ..location }));
            }
        }
    }
    let none = (found.is_empty() && refused.is_empty()).then(|| owners.first()).flatten();
    let none = none.map(|at| {
        let message = format!("`{}` has no policies in these files", find::named(terraform, *at));
        let refusal = Refusal::new(RefusalCode::NotInSource, message);
        match terraform.body(*at) {
            Some(body) => refusal.at(find::place(terraform, *at, body)),
            None => refusal,
        }
    });
    refused.extend(none);
    (found, refused)
}

/// Every policy, in the order of files and lines.
pub(crate) fn locations(terraform: &Terraform) -> Vec<Location> {
    all_sites(terraform).iter().filter_map(|site| location(terraform, site)).collect()
}

/// Every policy of every module.
pub(super) fn all_sites(terraform: &Terraform) -> Vec<Site> {
    let blocks = terraform
        .files
        .iter()
        .enumerate()
        .flat_map(|(file, found)| (0..found.blocks.len()).map(move |block| At { file, block }));
    blocks.flat_map(|at| policies::sites_of(terraform, at)).collect()
}

fn location(terraform: &Terraform, site: &Site) -> Option<Location> {
    let file = terraform.files.get(site.at.file)?;
    let node = terraform.body(site.at)?.at(&site.place)?;
    let owner = find::named(terraform, site.owner);
    Some(Location {
        file: file.name.clone(),
        span: node.span,
        place: find::place(terraform, site.at, node).within(format!("resource {owner}")),
        form: site.form,
        logical_id: owner,
        index: site.index,
        shared_by: Vec::new(),
        reviews: Vec::new(),
    })
}

/// A file with its edits done.
pub(crate) struct Edited {
    pub(crate) file: SourceName,
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) diff: String,
    pub(crate) reviews: Vec<String>,
    pub(crate) changes: Vec<usize>,
    pub(crate) splits: Vec<usize>,
    pub(crate) parts: Vec<(usize, Vec<Splice>)>,
    pub(crate) edits: Vec<Span>,
}

/// What an edit is for, by its number in the run.
#[derive(Debug, Clone, Copy)]
enum Number {
    Change(usize),
    Split(usize),
}

/// The work of one run on all files.
#[derive(Clone)]
pub(crate) struct Work<'p> {
    terraform: &'p Terraform,
    files: BTreeMap<usize, FileWork>,
}

impl<'p> Work<'p> {
    pub(crate) const fn new(terraform: &'p Terraform) -> Self {
        Self { terraform, files: BTreeMap::new() }
    }

    /// Adds a change; whether there was anything to write.
    pub(crate) fn add(&mut self, number: usize, change: &Change, known: &[String]) -> Result<bool, Refusal> {
        if let Some(planned) = new_policy::of_endpoint(self.terraform, change) {
            let (edits, reviews) = planned?;
            return self.edit(&[Number::Change(number)], edits, &reviews);
        }
        let found = find::find(self.terraform, &change.attachment, Some(change))?;
        let (edits, mut reviews, place) = self.plan_found(&found, change)?;
        reviews.extend_from_slice(known);
        self.edit(&[Number::Change(number)], edits, &reviews).map_err(|refusal| refusal.at(place))
    }

    /// The policy as a change wants it, in Terraform's words; nothing where no block has it.
    pub(crate) fn snippet(&self, change: &Change) -> Option<String> {
        let after = change.after.as_ref().filter(|after| !after.statements.is_empty())?;
        let found = find::find(self.terraform, &change.attachment, Some(change)).ok()?;
        let fuel = Cell::new(0);
        let dialect = refer::dialect(self.terraform, &found, &fuel);
        let mut author = Author { language: &dialect, reviews: Vec::new() };
        let document = plan::document(&mut author, &after.statements);
        let text = Composer::beside(self.terraform, found.site.owner).document(&document);
        Some(format!("policy = {text}\n"))
    }

    /// Adds a role that is taken apart; whether there was anything to write.
    pub(crate) fn add_split(&mut self, number: usize, split: &RoleSplit) -> Result<bool, Refusal> {
        let (edits, reviews) = split::plan(self.terraform, split)?;
        self.edit(&[Number::Split(number)], edits, &reviews)
    }

    /// Adds the new managed policies of one role; whether there was anything to write.
    pub(crate) fn add_new(&mut self, numbers: &[usize], changes: &[&Change]) -> Result<bool, Refusal> {
        let (edits, reviews) = new_policy::plan_all(self.terraform, changes)?;
        let numbers: Vec<Number> = numbers.iter().copied().map(Number::Change).collect();
        self.edit(&numbers, edits, &reviews)
    }

    /// The edits of a found change, what needs a look, and where that is.
    pub(super) fn plan_found(&self, found: &Found, change: &Change) -> Result<(Edits, Vec<String>, Place), Refusal> {
        let body = self.terraform.body(found.site.at);
        let node = policies::read(self.terraform, &found.site);
        let node = if found.site.writing == Writing::Permission { body.map(Cow::Borrowed) } else { node };
        let (Some(body), Some(node)) = (body, node.as_deref()) else {
            return Err(Refusal::new(RefusalCode::NotInSource, "the block cannot be read"));
        };
        let place = find::place(self.terraform, found.site.at, node);
        if self.terraform.files.get(found.site.at.file).is_some_and(|file| file.reading == Reading::TerraformJson) {
            return Err(Refusal::new(RefusalCode::Unsupported, "Terraform in JSON is not edited")
                .hint("make the change by hand, or in the program that writes the file")
                .at(place));
        }
        effect::said_once(self.terraform, &found.site).map_err(|refusal| refusal.at(place.clone()))?;
        let (mut edits, reviews) = self.plan(found, node, change).map_err(|refusal| refusal.at(place.clone()))?;
        let alone = gather::gathered(self.terraform, &found.site).is_none();
        if found.site.writing == Writing::DataDocument && alone {
            let fitted = |(block, op)| (block, if block == found.site.at { write::fitted(body, &op) } else { op });
            edits.ops = edits.ops.into_iter().map(fitted).collect();
        }
        Ok((edits, reviews, place))
    }

    /// The edits of one change, and what needs a look.
    fn plan(&self, found: &Found, node: &Node, change: &Change) -> Result<(Edits, Vec<String>), Refusal> {
        let fuel = Cell::new(0);
        let dialect = refer::dialect(self.terraform, found, &fuel);
        let site = &found.site;
        let in_file = InFile::of(&dialect, site);
        let language: &dyn Language = match &in_file {
            Some(in_file) => in_file,
            None => &dialect,
        };
        let mut author = Author { language, reviews: found.reviews.clone() };
        if site.writing == Writing::Permission {
            let edits = permission::plan(self.terraform, found, &dialect, &mut author, change)?;
            return Ok((edits, author.reviews));
        }
        let after = change.after.as_ref().filter(|after| !after.statements.is_empty());
        let Some(after) = after else {
            return Ok((self.gone(found, &dialect, node, change)?, author.reviews));
        };
        let gathered = change.before.as_ref().and_then(|_| gather::gathered(self.terraform, site));
        let edits = match site.writing {
            Writing::Jsonencode | Writing::DataDocument if gathered.is_some() => {
                let all = gathered.as_ref().map(|all| self.spread(&mut author, node, all, change, after));
                all.unwrap_or_else(|| Ok(Edits::default()))?
            }
            Writing::Jsonencode | Writing::Heredoc | Writing::DataDocument | Writing::Document => {
                self.written(&mut author, node, site, (change.before.as_ref(), after))?
            }
            Writing::Inputs => {
                let own = if site.form == Form::Trust {
                    inputs::without_own_trust(change.before.as_ref(), after)
                } else {
                    (change.before.clone(), after.clone())
                };
                let ops = document(&mut author, node, site, own.0.as_ref(), &own.1)?;
                let input = self.terraform.body(site.at).and_then(|body| body.at(&site.place));
                let ops = inputs::back(input.unwrap_or(node), &site.place, ops)?;
                Edits { ops: ops.into_iter().map(|op| (site.at, op)).collect(), blocks: Vec::new() }
            }
            Writing::Attached if inputs::is_call(self.terraform, site.owner) => {
                return Err(inputs::attached(self.terraform, site));
            }
            Writing::Attached => {
                let edits = attach::inline(&mut author, self.terraform, found, &after.statements)?;
                says(&dialect, &edits.blocks, after)?;
                edits
            }
            Writing::File => return Err(in_a_file()),
            Writing::Other | Writing::Permission => return Err(made()),
        };
        Ok((edits, author.reviews))
    }

    /// The edits of a document that is written out.
    fn written(
        &self,
        author: &mut Author<'_>,
        node: &Node,
        site: &Site,
        (before, after): (Option<&PolicyDocument>, &PolicyDocument),
    ) -> Result<Edits, Refusal> {
        if let Some(entry) = repeated(site.writing, node) {
            return Err(plan::twice_refused(entry));
        }
        let ops = document(author, node, site, before, after);
        let mut ops = ops.map_err(|refusal| given(self.terraform, site, node, refusal))?;
        let implied = (site.writing == Writing::DataDocument).then_some(PolicyVersion::V2012);
        ops.extend(plan::version(author, node, &site.place, (before, after), implied)?);
        Ok(Edits { ops: ops.into_iter().map(|op| (site.at, op)).collect(), blocks: Vec::new() })
    }

    /// The edits of a document whose statements stand in several places.
    fn spread(
        &self,
        author: &mut Author<'_>,
        node: &Node,
        all: &Gathered,
        change: &Change,
        after: &PolicyDocument,
    ) -> Result<Edits, Refusal> {
        let source = all.statements();
        let ops = plan::edit_statements(author, node, &Path::default(), &source, change.before.as_ref(), after)?;
        let elsewhere = || Refusal::new(RefusalCode::Layout, "the place is not in the file");
        let mut ops = all.back(ops).ok_or_else(elsewhere)?;
        for (at, op) in &mut ops {
            let body = self.terraform.body(*at);
            let removes_argument = body
                .zip(op.place().parent())
                .is_some_and(|(body, above)| body.at(&above).is_some_and(|list| !list.is_seq() || list.tag.is_some()));
            // A statement that is no item of a list, but a value of its own, has a name that others use.
            if matches!(op, Op::Remove { .. } | Op::InsertItem { .. })
                && removes_argument
                && !is_document(self.terraform, *at)
            {
                let message = "a statement that goes, or the one to write beside, is a local value of its own";
                return Err(Refusal::new(RefusalCode::Conditional, message)
                    .hint("change the local value and the list that names it by hand; the change is printed with this refusal"));
            }
            if let (Some(body), true) = (body, is_document(self.terraform, *at)) {
                *op = write::fitted(body, op);
            }
        }
        Ok(Edits { ops, blocks: Vec::new() })
    }

    /// The edits that take a whole policy away.
    fn gone(&self, found: &Found, dialect: &Dialect<'_>, node: &Node, change: &Change) -> Result<Edits, Refusal> {
        let site = &found.site;
        if let (true, Some(before)) = (site.writing.is_document(), &change.before) {
            let all = gather::gathered(self.terraform, site);
            let explained =
                all.is_some_and(|all| compare::pair(dialect, &all.statements(), &before.statements).is_some());
            if !explained {
                unexplained(dialect, node, before)?;
            }
        }
        if inputs::is_call(self.terraform, site.owner) {
            let ops = inputs::remove(self.terraform, site)?;
            return Ok(Edits { ops, blocks: Vec::new() });
        }
        attach::remove(self.terraform, found)
    }

    /// Adds edits of several blocks, all or none; whether there was anything to write.
    fn edit(&mut self, numbers: &[Number], edits: Edits, reviews: &[String]) -> Result<bool, Refusal> {
        let mut touched: BTreeMap<usize, FileWork> = BTreeMap::new();
        let mut ops: BTreeMap<At, Vec<Op>> = BTreeMap::new();
        for (at, op) in edits.ops {
            ops.entry(at).or_default().push(op);
        }
        let mut alone: BTreeMap<usize, FileWork> = BTreeMap::new();
        for (at, ops) in &ops {
            self.copy(&mut touched, at.file).add_ops(at.block, ops)?;
            alone.entry(at.file).or_default().add_ops(at.block, ops)?;
        }
        for edit in edits.blocks {
            alone.entry(edit.at().file).or_default().add_block(edit.clone())?;
            self.copy(&mut touched, edit.at().file).add_block(edit)?;
        }
        for (file, work) in &mut touched {
            let size = self.files.get(file).map_or(0, FileWork::size);
            work.pass(self.terraform, *file, work.size() > size)?;
            for (at, number) in numbers.iter().enumerate() {
                match number {
                    Number::Change(number) => {
                        let part = alone.get(file).filter(|_| at == 0);
                        let part = part.and_then(|alone| alone.splices(self.terraform, *file).ok());
                        work.parts.push((*number, part.unwrap_or_default()));
                        work.changes.push(*number);
                    }
                    Number::Split(number) => work.splits.push(*number),
                }
            }
            for review in reviews {
                if !work.reviews.contains(review) {
                    work.reviews.push(review.clone());
                }
            }
        }
        let any = !touched.is_empty();
        self.files.extend(touched);
        Ok(any)
    }

    fn copy<'c>(&self, touched: &'c mut BTreeMap<usize, FileWork>, file: usize) -> &'c mut FileWork {
        touched.entry(file).or_insert_with(|| self.files.get(&file).cloned().unwrap_or_default())
    }

    /// The files that change, in the order of their names.
    pub(crate) fn finish(self) -> Vec<Edited> {
        let terraform = self.terraform;
        let edited = self.files.into_iter().filter_map(|(file, work)| {
            let file = terraform.files.get(file)?;
            let (splices, after, diff) = work.passed?;
            Some(Edited {
                file: file.name.clone(),
                before: file.text.clone(),
                after,
                diff,
                reviews: work.reviews,
                changes: work.changes,
                splits: work.splits,
                parts: work.parts,
                edits: splices.iter().map(|splice| splice.span).collect(),
            })
        });
        let mut edited: Vec<Edited> = edited.collect();
        edited.sort_by(|a, b| a.file.cmp(&b.file));
        edited
    }
}

fn is_document(terraform: &Terraform, at: At) -> bool {
    terraform.block(at).is_some_and(|block| block.is("data", super::document::TYPE))
}

fn in_a_file() -> Refusal {
    Refusal::new(RefusalCode::DocumentIsText, "the policy stands in a file of its own")
        .hint("edit the file that the expression names; a new reference there needs a new template variable")
}

fn made() -> Refusal {
    Refusal::new(RefusalCode::DocumentIsText, "the policy is made by an expression, or is a text")
        .hint("write the document with `jsonencode` or a policy document, then run again")
}

/// Plans the edit of a document; says better than "drift" why statements are not explained, where that is known.
fn document(
    author: &mut Author<'_>,
    node: &Node,
    site: &Site,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    let statements = node.get("Statement");
    if statements.is_some_and(|s| !s.is_seq() && !s.is_map()) {
        return Err(Refusal::new(RefusalCode::Conditional, "the statements are made by an expression"));
    }
    let made =
        node.entries().iter().map(tree::Entry::name).find(|name| {
            name.starts_with("dynamic ") || name.ends_with("_policy_documents") || name.ends_with("_json")
        });
    let result = plan::edit_document(author, node, &site.place, before, after);
    match (result, made) {
        (Err(refusal), None)
            if refusal.code == RefusalCode::Drift && statements.is_some_and(|s| undecided(author, s)) =>
        {
            Err(Refusal::new(
                RefusalCode::Conditional,
                "a statement is made by an expression that cannot be resolved here",
            )
            .hint("edit the expression by hand, or give the variables their values in `terraform.tfvars`"))
        }
        (Err(refusal), Some(made)) if refusal.code == RefusalCode::Drift => {
            let message = format!("`{made}` makes statements too, and what they are cannot be told");
            Err(Refusal::new(RefusalCode::Conditional, message).hint("edit the document by hand"))
        }
        (Ok(ops), Some(made)) if before.is_none() && !ops.is_empty() => {
            let message = format!("`{made}` makes statements too; the change does not say what is deployed");
            Err(Refusal::new(RefusalCode::Conditional, message))
        }
        (result, _) => result,
    }
}

/// Whether something in the statements cannot be told: an unknown function, either side of a conditional.
fn undecided(author: &Author<'_>, statements: &Node) -> bool {
    let mut open = vec![author.language.value(statements)];
    while let Some(value) = open.pop() {
        match value {
            Value::Unknown | Value::AnyOf(_) => return true,
            Value::List(items) => open.extend(items),
            Value::Map(entries) => open.extend(entries.into_iter().map(|(_, value)| value)),
            Value::Text(_) | Value::Absent => {}
        }
    }
    false
}

/// A policy that goes must be the one that is deployed.
fn unexplained(dialect: &Dialect<'_>, node: &Node, before: &PolicyDocument) -> Result<(), Refusal> {
    if compare::explains_document(dialect, node, before) {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::Drift, "the source does not explain the deployed policy, so it is not removed")
        .hint("apply the configuration, or bring it up to date with the account, and collect again")
        .at(dialect.place(node.span)))
}
