//! Changes to patches: find, plan, write, guard, one file at a time.

mod described;
mod together;
mod work;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change, RoleSplit};
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{EnvironmentVariable, SnapshotIndex};
use iam_model::text::{SourceName, SourceText, Span};

pub use self::described::settings_of_functions;
use self::work::FileWork;
use crate::deployments::{self, Deployments, Sources};
use crate::diff;
use crate::hcl::{self, Terraform};
use crate::locate::{self, Location};
use crate::plan;
use crate::pulumi::{self, Pulumi};
use crate::reference::Referrer;
use crate::refusal::{Refusal, RefusalCode};
use crate::site;
use crate::stack::Deployed;
use crate::template::{self, Found, Template};
use crate::write::{self, Splice};

/// The parsed source files of a project.
#[derive(Debug, Default)]
pub struct Project {
    templates: Vec<Template>,
    terraform: Terraform,
    pulumi: Pulumi,
}

/// Whether a patch may be applied without a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing speaks against it.
    Safe,
    /// A person should look first, for these reasons.
    NeedsReview(Vec<String>),
}

impl Disposition {
    fn of(reviews: Vec<String>) -> Self {
        if reviews.is_empty() { Self::Safe } else { Self::NeedsReview(reviews) }
    }
}

/// What becomes of one source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// The file.
    pub file: SourceName,
    /// Its text now.
    pub before: String,
    /// Its text after the patch.
    pub after: String,
    /// The unified diff, which `git apply` takes in the project's folder.
    pub diff: String,
    /// Whether it may be applied without a look.
    pub disposition: Disposition,
    /// The changes it carries out, as indices into the list given to [`patch`].
    pub changes: Vec<usize>,
    /// The splits it carries out, as indices into the list of splits.
    pub splits: Vec<usize>,
    /// The spans of `before` that it replaces.
    pub edits: Vec<Span>,
    /// What each change alone replaces.
    parts: Vec<(usize, Vec<Splice>)>,
}

/// A change that is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which one, as an index into the list given to [`patch`].
    pub change: usize,
    /// Why.
    pub refusal: Refusal,
    /// The policy as it should be, in the words of the source, to be pasted; where there is such a text.
    pub snippet: Option<String>,
}

/// The outcome of patching: files to change, and changes that no file takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatchSet {
    /// One patch per changed file, in the order of the files.
    pub patches: Vec<FilePatch>,
    /// Changes whose source already says what it should: nothing to write.
    pub unchanged: Vec<usize>,
    /// Changes that were refused, in order.
    pub refused: Vec<Refused>,
    /// Splits whose functions have roles of their own already.
    pub unchanged_splits: Vec<usize>,
    /// Splits that were refused, in order; their numbers are indices into the list of splits.
    pub refused_splits: Vec<Refused>,
}

impl PatchSet {
    /// The diff of some of the changes alone, by their indices; for showing, as only the whole has passed the guard.
    #[must_use]
    pub fn diff_of(&self, changes: &[usize]) -> String {
        let one = |patch: &FilePatch| {
            let own = patch.parts.iter().filter(|(change, _)| changes.contains(change));
            let mut splices: Vec<Splice> = own.flat_map(|(_, splices)| splices.iter().cloned()).collect();
            splices.sort_by_key(|splice| (splice.span.start, splice.span.end));
            splices.dedup();
            let apart = splices.iter().zip(splices.iter().skip(1)).all(|(a, b)| a.span.end <= b.span.start);
            match (splices.is_empty(), apart) {
                (true, _) => String::new(),
                (_, true) => diff::unified(&patch.file, &patch.before, &write::spliced(&patch.before, &splices)),
                (_, false) => patch.diff.clone(),
            }
        };
        self.patches.iter().map(one).collect()
    }
}

impl FilePatch {
    fn of_terraform(edited: hcl::Edited) -> Self {
        Self {
            file: edited.file,
            before: edited.before,
            after: edited.after,
            diff: edited.diff,
            disposition: Disposition::of(edited.reviews),
            changes: edited.changes,
            splits: edited.splits,
            edits: edited.edits,
            parts: edited.parts,
        }
    }
}

impl Project {
    /// Recognises and parses source files; names are paths relative to the project's folder.
    ///
    /// Files that are no templates are passed over. A template that does not parse, and a file of a kind that is not
    /// edited yet, become diagnostics.
    ///
    /// ```
    /// use iam_model::text::{SourceName, SourceText};
    /// let text = "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n".to_owned();
    /// let files = vec![SourceText { name: SourceName::new("template.yaml"), text }];
    /// let (project, diagnostics) = iam_patch::Project::read(files);
    /// assert_eq!(project.files().count(), 1);
    /// assert!(diagnostics.is_empty());
    /// ```
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the project takes over the texts it is made of")]
    pub fn read(files: Vec<SourceText>) -> (Self, Vec<Diagnostic>) {
        let mut project = Self::default();
        let mut diagnostics = Vec::new();
        for file in &files {
            if pulumi::is_export(file) {
                continue;
            }
            if hcl::is_terraform(file) {
                if let Err(error) = project.terraform.add(file) {
                    diagnostics.push(unreadable(file, error.offset, &error.message));
                }
                continue;
            }
            match template::recognise(file) {
                Found::Template(template) => project.templates.push(*template),
                Found::Broken(error) => diagnostics.push(unreadable(file, error.offset, &error.message)),
                Found::Unsupported(kind) => {
                    let message = match kind {
                        "CDK" => {
                            "a CDK app is not patched; after `cdk synth` the construct to change is named".to_owned()
                        }
                        "Pulumi" => {
                            "a Pulumi program is not patched; the place of a resource in it is named".to_owned()
                        }
                        kind => format!("{kind} files are not patched"),
                    };
                    let place = Place::whole(file.name.clone());
                    diagnostics.push(Diagnostic::warning(Code::TemplateUnreadable, place, message));
                }
                Found::Other => {}
            }
        }
        project.terraform.attach(&files);
        project.pulumi = Pulumi::read(&files);
        for manifest in files.iter().filter(|file| file.name.as_str().ends_with("cdk.out/manifest.json")) {
            project.templates.iter_mut().filter(|t| t.is_generated()).for_each(|template| template.traced(manifest));
        }
        let included: BTreeSet<String> = project.templates.iter().flat_map(Template::includes).collect();
        let known = |name: &SourceName| project.templates.iter().any(|template| template.name == *name);
        let fragments = files.iter().filter(|file| included.contains(file.name.as_str()) && !known(&file.name));
        let fragments: Vec<Template> = fragments.filter_map(template::fragment).collect();
        project.templates.extend(fragments);
        let named: BTreeSet<String> = project.templates.iter().flat_map(Template::statement_files).collect();
        let known = |name: &SourceName| project.templates.iter().any(|template| template.name == *name);
        let lists = files.iter().filter(|file| named.contains(file.name.as_str()) && !known(&file.name));
        let lists: Vec<Template> = lists.filter_map(template::statements_file).collect();
        project.templates.extend(lists);
        project.templates.sort_by(|a, b| a.name.cmp(&b.name));
        (project, diagnostics)
    }

    /// Every policy in the templates, in the order of the files.
    pub fn policies(&self) -> impl Iterator<Item = Location> {
        let templates = self.templates.iter().flat_map(|template| {
            let sites = template.resources().flat_map(|resource| site::sites_of(&resource)).collect::<Vec<_>>();
            sites.into_iter().map(|site| locate::location(template, &site))
        });
        templates.chain(hcl::locations(&self.terraform))
    }

    pub(crate) fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// The Terraform files: patched, but not among what [`Project::written`] lists.
    pub fn terraform_files(&self) -> impl Iterator<Item = &SourceName> {
        self.terraform.names()
    }

    /// The templates that can be patched.
    pub fn files(&self) -> impl Iterator<Item = &SourceName> {
        self.templates.iter().map(|template| &template.name).chain(self.terraform.names())
    }
}

fn unreadable(file: &SourceText, offset: usize, message: &str) -> Diagnostic {
    let place = Place::at(file.name.clone(), &file.text, offset);
    Diagnostic::error(Code::TemplateUnreadable, place, format!("the template does not parse: {message}"))
        .hint("nothing in this file is patched until it parses")
}

fn sources<'p>(project: &'p Project, deployed: &'p Deployed) -> Sources<'p> {
    Sources { templates: &project.templates, terraform: &project.terraform, deployed }
}

/// What has to be said of changes before they are proved, so that their texts can say it: for each change, another in its
/// place where there is one.
///
/// Where one text is deployed several times and all its deployments are changed, each gets what any of them needs, inside
/// what it has. What the Serverless Framework writes into a policy by itself stays.
#[must_use]
pub fn joined(project: &Project, index: &SnapshotIndex<'_>, changes: &[Change]) -> Vec<Option<Change>> {
    deployments::joined(&sources(project, &Deployed::read(index)), index, changes)
}

/// Says better why a policy stands in no source, where a program makes it.
fn by_program(project: &Project, attachment: &Attachment, change: Option<&Change>, refusal: Refusal) -> Refusal {
    let nowhere = refusal.code == RefusalCode::NotInSource && refusal.place.is_none();
    let made = if nowhere { project.pulumi.refusal(attachment, change) } else { None };
    made.unwrap_or(refusal)
}

/// Finds where a policy stands in the source, and whether the source explains what is deployed, where that is given.
///
/// # Errors
/// Where no source, several sources, or a source that cannot be edited stands for it, or it has drifted.
pub fn locate(
    project: &Project,
    index: &SnapshotIndex<'_>,
    attachment: &Attachment,
    deployed_document: Option<&PolicyDocument>,
) -> Result<Location, Refusal> {
    let deployed = Deployed::read(index);
    let change = deployed_document.map(|document| Change {
        attachment: attachment.clone(),
        before: Some(document.clone()),
        after: Some(document.clone()),
        reasons: Vec::new(),
    });
    let found = locate::find(&project.templates, &deployed, attachment, change.as_ref());
    let by_program = |refusal| by_program(project, attachment, change.as_ref(), refusal);
    if sources(project, &deployed).is_for_terraform(attachment, found.as_ref().err()) {
        return hcl::locate(&project.terraform, attachment, change.as_ref()).map_err(by_program);
    }
    let found = found.map_err(by_program)?;
    let template =
        project.templates.get(found.template).ok_or_else(|| Refusal::new(RefusalCode::NotInSource, "no file"))?;
    if let Some(change) = change.filter(|_| found.site.is_compared()) {
        let referrer = Referrer::new(template, &found.stack, &deployed);
        plan::plan(template, &found, &referrer, &change)
            .map_err(|refusal| refusal.at(locate::place(template, found.site.node.span)))?;
    }
    let location = locate::location(template, &found.site);
    Ok(Location { shared_by: found.shared_by, reviews: found.reviews, ..location })
}

/// Where roles are written, by the names or ARNs they go by: the first of the policies that the source has of each.
#[must_use]
pub fn places_of_roles(
    project: &Project,
    index: &SnapshotIndex<'_>,
    roles: &BTreeSet<&str>,
) -> BTreeMap<String, Place> {
    let deployed = Deployed::read(index);
    let first = |role: &str| {
        let in_templates = locate::of_role(&project.templates, &deployed, role).0.into_iter().next();
        let found = in_templates.or_else(|| hcl::of_role(&project.terraform, role).0.into_iter().next())?;
        Some((role.to_owned(), found.place))
    };
    roles.iter().filter_map(|role| first(role)).collect()
}

/// Every policy of a role as the source alone has it, by logical id, function, name or ARN; and lists without effect.
#[must_use]
pub fn locate_in_source(project: &Project, index: &SnapshotIndex<'_>, name: &str) -> (Vec<Location>, Vec<Refusal>) {
    let (mut found, mut refused) = locate::of_role(&project.templates, &Deployed::read(index), name);
    let (more, also) = hcl::of_role(&project.terraform, name);
    found.extend(more);
    refused.extend(also);
    (found, refused)
}

/// What the templates tell functions by environment variables, by the role that they run as. Terraform is not read for it.
#[must_use]
pub fn environments(
    project: &Project,
    index: &SnapshotIndex<'_>,
    roles: &[&Arn],
) -> BTreeMap<Arn, Vec<EnvironmentVariable>> {
    if project.templates.is_empty() {
        return BTreeMap::new();
    }
    let deployed = Deployed::read(index);
    let arns = index.snapshot().accounts.values().flat_map(|account| &account.resources).map(|r| &r.arn).collect();
    let mut environments = locate::Environments::new(&project.templates, &deployed, arns);
    let mut found = BTreeMap::new();
    for role in roles {
        let functions: Vec<&str> = index.functions_of(role).iter().map(|function| function.arn.name()).collect();
        if !functions.is_empty() {
            found.insert((*role).clone(), environments.of_role(role, &functions));
        }
    }
    found
}

/// Writes changes as patches of the source files.
///
/// Every patch has passed the guard: read back by two parsers it says what was intended, and no byte outside the
/// edited spans moved. What cannot be written so is refused with a code.
#[must_use]
pub fn patch(project: &Project, index: &SnapshotIndex<'_>, changes: &[Change]) -> PatchSet {
    patch_all(project, index, changes, &[])
}

/// The work of one run: what was edited so far.
struct Run<'p> {
    project: &'p Project,
    deployed: &'p Deployed,
    deployments: &'p Deployments,
    files: BTreeMap<usize, FileWork<'p>>,
    terraform: hcl::Work<'p>,
}

impl<'p> Run<'p> {
    /// Writes one change, and notes what became of it.
    fn note(&mut self, number: usize, change: &Change, set: &mut PatchSet) {
        match self.change(number, change) {
            Ok(true) => {}
            Ok(false) => set.unchanged.push(number),
            Err(why) => set.refused.push(Refused { change: number, refusal: why.0, snippet: why.1 }),
        }
    }

    /// Writes one change; whether there was anything to write. Else why not, and the policy to paste.
    fn change(&mut self, number: usize, change: &Change) -> Result<bool, Box<(Refusal, Option<String>)>> {
        let (project, deployed) = (self.project, self.deployed);
        if let Some(refusal) = says_nothing(change) {
            return Err(Box::new((refusal, None)));
        }
        if let Some(refusal) = self.deployments.refusal(number) {
            return Err(Box::new((refusal.clone(), self.terraform.snippet(change))));
        }
        let known = self.deployments.reviews(number).to_vec();
        let found = locate::find(&project.templates, deployed, &change.attachment, Some(change));
        let outcome = found.and_then(|mut found| {
            found.reviews.extend(known.iter().cloned());
            self.work(found.template)?.add(number, change, &found, deployed)
        });
        let in_terraform = sources(project, deployed).is_for_terraform(&change.attachment, outcome.as_ref().err());
        let change = &self.addressed(change, in_terraform);
        let outcome = if in_terraform { self.terraform.add(number, change, &known) } else { outcome };
        outcome.map_err(|refusal| {
            let snippet = if in_terraform { self.terraform.snippet(change) } else { None };
            Box::new((by_program(project, &change.attachment, Some(change), refusal), snippet))
        })
    }

    /// A change of an endpoint's policy with the address of the endpoint, which has no name to be found by.
    fn addressed<'c>(&self, change: &'c Change, in_terraform: bool) -> Cow<'c, Change> {
        let attachment = &change.attachment;
        let arn = attachment.resource_arn.as_ref().filter(|_| in_terraform && attachment.address.is_none());
        let address = arn
            .filter(|_| attachment.kind == AttachmentKind::VpcEndpoint)
            .and_then(|arn| hcl::endpoint_to(&self.project.terraform, arn, self.deployed.endpoint_service(arn)?));
        if address.is_none() {
            return Cow::Borrowed(change);
        }
        Cow::Owned(Change { attachment: Attachment { address, ..attachment.clone() }, ..change.clone() })
    }

    fn work(&mut self, template: usize) -> Result<&mut FileWork<'p>, Refusal> {
        let found = self.project.templates.get(template);
        let found = found.ok_or_else(|| Refusal::new(RefusalCode::NotInSource, "no file"))?;
        Ok(self.files.entry(template).or_insert_with(|| FileWork::new(found)))
    }
}

/// Writes changes, and new roles for shared ones that are taken apart, as patches of the source files.
///
/// A split leaves nothing half done: all its functions get their role, or it is refused.
#[must_use]
pub fn patch_all(project: &Project, index: &SnapshotIndex<'_>, changes: &[Change], splits: &[RoleSplit]) -> PatchSet {
    let deployed = Deployed::read(index);
    let sources = sources(project, &deployed);
    let mut deployments = Deployments::read(&sources, index, changes, splits);
    loop {
        let set = patched(project, &deployed, index, (changes, splits), &deployments);
        let refused: Vec<(usize, &Refusal)> = set.refused.iter().map(|one| (one.change, &one.refusal)).collect();
        let written = set.patches.iter().flat_map(|patch| patch.changes.iter().copied()).collect();
        if !deployments.withdrawn(&sources, changes, &refused, &written) {
            return set;
        }
    }
}

/// One round: everything that nothing speaks against.
fn patched(
    project: &Project,
    deployed: &Deployed,
    index: &SnapshotIndex<'_>,
    (changes, splits): (&[Change], &[RoleSplit]),
    deployments: &Deployments,
) -> PatchSet {
    let (files, terraform) = (BTreeMap::new(), hcl::Work::new(&project.terraform));
    let mut run = Run { project, deployed, deployments, files, terraform };
    let mut set = PatchSet::default();
    let together = together::groups(changes, index);
    for (number, change) in changes.iter().enumerate() {
        match together.iter().find(|group| group.contains(&number)) {
            Some(group) if group.first() == Some(&number) => together::add(&mut run, group, changes, index, &mut set),
            Some(_) => {}
            None => run.note(number, change, &mut set),
        }
    }
    let Run { mut files, mut terraform, .. } = run;
    for (number, split) in splits.iter().enumerate() {
        let found = match deployments.split_refusal(number) {
            Some(refusal) => Err(refusal.clone()),
            None => locate::find_split(&project.templates, deployed, split),
        };
        let outcome = found.and_then(|found| {
            let Some(template) = project.templates.get(found.template) else {
                return Err(Refusal::new(RefusalCode::NotInSource, "no file"));
            };
            let work = files.entry(found.template).or_insert_with(|| FileWork::new(template));
            work.add_split(number, split, &found, deployed)
        });
        let elsewhere = outcome.as_ref().is_err_and(|refusal| refusal.code == RefusalCode::NotInSource);
        let outcome = match elsewhere && !project.terraform.is_empty() {
            true => terraform.add_split(number, split),
            false => outcome,
        };
        match outcome {
            Ok(true) => {}
            Ok(false) => set.unchanged_splits.push(number),
            Err(refusal) => set.refused_splits.push(Refused { change: number, refusal, snippet: None }),
        }
    }
    set.patches = files.into_values().filter_map(FileWork::finish).collect();
    set.patches.extend(terraform.finish().into_iter().map(FilePatch::of_terraform));
    set.patches.sort_by(|a, b| a.file.cmp(&b.file));
    set
}

/// Why a change that gives no document to compare or to write is not written.
fn says_nothing(change: &Change) -> Option<Refusal> {
    let nothing = change.after.as_ref().is_none_or(|after| after.statements.is_empty());
    (change.before.is_none() && nothing).then(|| {
        Refusal::new(RefusalCode::Empty, "the change says neither what stands there nor what should")
            .hint("say in `before` what is deployed; a policy is not removed uncompared")
    })
}
