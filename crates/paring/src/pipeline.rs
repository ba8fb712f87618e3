//! The main job, stop by stop: each is one call into a room, and none reaches back.
//!
//! Holds the order and nothing else; what is read is read before, what is shown is shown after.

pub(crate) mod document;
mod documents_view;
pub(crate) mod explain;
pub(crate) mod facts;
mod hints;
mod joining;
pub(crate) mod policies;
mod splits_view;
mod view;
mod withheld;

use std::collections::BTreeSet;

use iam_evaluate::Evaluator;
use iam_evaluate::effective::Published;
use iam_graph::AccessGraph;
use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::change::{Change, ChangeSet, RoleSplit};
use iam_model::diagnostic::Diagnostic;
use iam_model::policy::PolicyDocument;
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{Resource, Role, Snapshot, SnapshotIndex};
use iam_model::text::SourceText;
use iam_model::time::Timestamp;
use iam_model::usage::{Coverage, LastAccessed, UsageLog};
use iam_patch::{PatchSet, Project};
use iam_synthesize::{DocumentProposal, Evidence, Proposer, RoleProposal, Rules, SplitProposal, Splitter};
use iam_verify::guardrails::{Guardrails, PermissionGroups, Waiver};
use iam_verify::obeys_guardrails::{Evidence as Seen, Rulebook, Settings, State};
use iam_verify::policy_check::nearest;
use iam_verify::reach::everywhere;
use iam_verify::split::{PartVerdict, SplitGrounds, verify_splits_by};
use iam_verify::verify::{Grounds, Verdict, verify};
use rayon::prelude::*;

use crate::error::CliError;
use crate::report::Report;

/// What a run works on; everything is read already.
pub(crate) struct Inputs {
    pub(crate) snapshot: Snapshot,
    pub(crate) usage: UsageLog,
    /// AWS's own record of last uses.
    pub(crate) last_accessed: LastAccessed,
    pub(crate) catalog: Catalog,
    pub(crate) guardrails: Guardrails,
    pub(crate) groups: PermissionGroups,
    pub(crate) waivers: Vec<Waiver>,
    /// What is stated about accounts and roles.
    pub(crate) settings: Settings,
    /// The source files; nothing where no folder was named.
    pub(crate) sources: Option<Vec<SourceText>>,
    pub(crate) rules: Rules,
    pub(crate) quotas: QuotaProfile,
    /// Whether roles that several functions share are taken apart.
    pub(crate) split: bool,
    /// Whether trust policies and functions' permissions are narrowed too.
    pub(crate) documents: bool,
    /// Names or ARNs of the roles to judge; empty for every role.
    pub(crate) roles: Vec<String>,
}

/// What a run made.
pub(crate) struct Tightened {
    pub(crate) report: Report,
    /// What is proposed for each judged role that is not taken apart.
    pub(crate) proposals: Vec<RoleProposal>,
    /// What became of each shared role that was to be taken apart.
    pub(crate) splits: Vec<SplitProposal>,
    pub(crate) patches: PatchSet,
    /// For each judged role of which no claim is refuted, what it is left with beside the AWS-managed policies that stay:
    /// under its ARN, or under `ROLE#POLICY` what cannot stand in one document.
    pub(crate) policies: Vec<(Arn, PolicyDocument)>,
    /// Everything that is proposed.
    pub(crate) asked: ChangeSet,
    /// Whether every claim about every change is proved.
    pub(crate) proved: bool,
    /// Whether the safe patches may be written: all is proved but what waits for review anyway.
    pub(crate) writable: bool,
    /// Whether AWS's checker, where it was asked, answers otherwise.
    pub(crate) disputed: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Whether everything is proved, and whether the patches may be written by themselves.
fn standing(of_roles: &[Option<Verdict>], parts: &[PartVerdict], of_documents: &[Option<Verdict>]) -> (bool, bool) {
    let judged = of_roles.iter().flatten().chain(parts.iter().map(|part| &part.verdict));
    let (of_roles_proved, mut of_documents) = (judged.clone().all(Verdict::is_proved), of_documents.iter().flatten());
    let proved = of_roles_proved && of_documents.clone().all(Verdict::is_proved);
    (proved, of_roles_proved && !of_documents.any(Verdict::is_refuted))
}

/// Stops 4 to 11: from what was read to what is said.
pub(crate) fn run(inputs: &Inputs) -> Result<Tightened, CliError> {
    let (index, mut diagnostics) = SnapshotIndex::new(&inputs.snapshot);
    let roles = chosen(&index, &inputs.roles)?;
    let logs = (&inputs.usage, inputs.rules.min_days);
    let coverage = facts::coverage(&inputs.snapshot, logs, &inputs.catalog);
    let known = facts::evidence(logs, &coverage, &inputs.last_accessed, &inputs.catalog);
    let visibility = |role: &Arn, action: &Action| known.visibility(role, action);
    let evidence = Evidence {
        usage: &inputs.usage,
        coverage: &coverage,
        catalog: &inputs.catalog,
        visibility: &visibility,
        every_use: &|role, action, on| known.every_use(role, action, on),
        has_own_record: &|role| known.has_own_record(role),
    };
    let (project, unread) = Project::read(inputs.sources.clone().unwrap_or_default());
    diagnostics.extend(unread);
    let rules = facts::with_written(facts::with_unshown(&inputs.rules, &roles, &known), &project, &index, &roles);

    let before = iam_graph::build(&index, &[]);
    let splits = apart(inputs, &roles, (&index, &evidence, &rules));
    let taken_apart = |role: &Role| splits.iter().any(|s| s.split.is_ok() && s.role == role.identity.arn);
    // A shared role that is taken apart stays as it is: nobody needs to edit what is about to be left.
    let whole: Vec<&Role> = roles.iter().copied().filter(|role| !taken_apart(role)).collect();
    let proposer = Proposer::new(&whole, &index, &evidence, &rules).with_quotas(inputs.quotas);
    let mut proposals: Vec<RoleProposal> =
        whole.par_iter().map(|role| facts::its_own(proposer.propose(role), &known)).collect();
    joining::join(&project, &index, &mut proposals);
    let mut changes: Vec<Change> = proposals.iter().flat_map(|p| p.changes.iter().cloned()).collect();
    let of_roles = changes.len();
    let named = named(inputs, &whole, &proposals, (&index, &evidence, &rules));
    changes.extend(named.iter().flat_map(|document| document.changes.iter().cloned()));
    let reached = everywhere(&changes.iter().collect::<Vec<_>>(), &index);
    let after = iam_graph::build(&index, &reached);

    hints::add(&project, &index, &mut proposals, (&evidence, &rules));
    let rulebook = rulebook(inputs);
    let published = Published::of(&inputs.catalog);
    let (index, before, after) = (&index, &before, &after);
    let stage = Stage { inputs, index, published: &published, before, after, coverage: &coverage };
    let (recorded, needed) = (facts::recorded(known), facts::needed(&proposals, &splits));
    let needed = |role: &Arn, action: &Action| needed.contains(&(role, action));
    let seen = Seen { usage: Some(&inputs.usage), days: coverage.days, visibility: &recorded, needed: &needed };
    let verdicts = stage.verify(proposals.iter().map(|proposal| proposal.changes.as_slice()), &rulebook, seen);
    let of_documents = stage.verify(named.iter().map(|document| document.changes.as_slice()), &rulebook, seen);
    let done: Vec<RoleSplit> = splits.iter().filter_map(|split| split.split.clone().ok()).collect();
    let grounds = SplitGrounds { index, rulebook: &rulebook, evidence: seen, settings: &inputs.settings };
    let parts = if done.is_empty() { Vec::new() } else { verify_splits_by(&done, &grounds, &on_all_cores) };
    let withheld = withheld::Withheld::of(&done, &parts);
    let patches = iam_patch::patch_all(&project, index, &changes, &withheld.written(&done));
    let patches = withheld.among_all(patches);
    let mut report = view::report(&stage, (&proposals, &verdicts), (&splits, &parts), &patches);
    report.splits = splits_view::views(&stage, &splits, &parts);
    report.documents =
        documents_view::views(&named, &of_documents, inputs.sources.as_ref().map(|_| (&patches, of_roles)));
    if inputs.sources.is_some() {
        splits_view::note_refused(&mut report.splits, &patches);
    }
    documents_view::note_reviews(&mut report.patches, &patches, (&named, &of_documents), of_roles);
    let (proved, writable) = standing(&verdicts, &parts, &of_documents);
    let policies = stage.policies(&proposals, &verdicts);
    let asked = ChangeSet { changes, splits: done };
    // Nobody was asked yet.
    let disputed = false;
    Ok(Tightened { report, proposals, splits, patches, policies, asked, proved, writable, disputed, diagnostics })
}

/// What becomes of each role that functions share, where these are to be taken apart.
fn apart(
    inputs: &Inputs,
    roles: &[&Role],
    (index, evidence, rules): (&SnapshotIndex<'_>, &Evidence<'_>, &Rules),
) -> Vec<SplitProposal> {
    if !inputs.split {
        return Vec::new();
    }
    let splitter = Splitter::new(roles, index, evidence, (rules, &inputs.quotas));
    splitter.shared().par_iter().map(|shared| splitter.split(shared)).collect()
}

/// Judges parts side by side; their order stays.
pub(crate) fn on_all_cores(count: usize, judge: &(dyn Fn(usize) -> Option<PartVerdict> + Sync)) -> Vec<PartVerdict> {
    let verdicts: Vec<Option<PartVerdict>> = (0..count).into_par_iter().map(judge).collect();
    verdicts.into_iter().flatten().collect()
}

/// The organisation's rules, as of the end of the logs.
fn rulebook(inputs: &Inputs) -> Rulebook<'_> {
    Rulebook {
        guardrails: &inputs.guardrails,
        groups: &inputs.groups,
        catalog: &inputs.catalog,
        waivers: &inputs.waivers,
        now: inputs.usage.window.map_or(Timestamp::from_epoch_seconds(0), |(_, last)| last),
    }
}

/// What is proposed for policies that name principals, and for boundaries, where that is asked for.
fn named(
    inputs: &Inputs,
    roles: &[&Role],
    proposals: &[RoleProposal],
    (index, evidence, rules): (&SnapshotIndex<'_>, &Evidence<'_>, &Rules),
) -> Vec<DocumentProposal> {
    if !inputs.documents {
        return Vec::new();
    }
    let mut named = iam_synthesize::documents(roles, index, evidence, (rules, &inputs.quotas));
    named.extend(iam_synthesize::boundaries(proposals, index, &inputs.catalog, &inputs.quotas));
    named
}

/// What the later stops share.
struct Stage<'a> {
    inputs: &'a Inputs,
    index: &'a SnapshotIndex<'a>,
    published: &'a Published,
    before: &'a AccessGraph,
    after: &'a AccessGraph,
    coverage: &'a Coverage,
}

impl Stage<'_> {
    /// The verdict on each list of changes that holds any.
    fn verify<'c>(
        &self,
        proposals: impl Iterator<Item = &'c [Change]>,
        rulebook: &Rulebook<'_>,
        seen: Seen<'_>,
    ) -> Vec<Option<Verdict>> {
        let settings = &self.inputs.settings;
        let evaluator = Evaluator::new(self.index);
        let grounds = Grounds {
            before: State::new(rulebook, self.index, self.before, seen, settings),
            after: State::new(rulebook, self.index, self.after, seen, settings),
            evaluator: &evaluator,
            usage: Some(&self.inputs.usage),
        };
        let one = |changes: &&[Change]| {
            let changes: Vec<&Change> = changes.iter().collect();
            (!changes.is_empty()).then(|| verify(&changes, &grounds))
        };
        proposals.collect::<Vec<_>>().par_iter().map(one).collect()
    }
}

/// Which role may be meant by a name that none has: one whose name is near, or holds it, or that a function runs with.
fn meant(index: &SnapshotIndex<'_>, name: &str) -> String {
    const MOST: usize = 3;
    if let Some(near) = nearest(name, index.roles().flat_map(|r| [r.identity.name.as_str(), r.identity.arn.as_str()])) {
        return format!("did you mean `{near}`?");
    }
    let functions = index.snapshot().accounts.values().flat_map(|account| &account.resources);
    let runs = |resource: &&Resource| {
        resource.role.is_some() && (resource.arn.name() == name || resource.arn.as_str() == name)
    };
    if let Some(role) = functions.filter(runs).find_map(|function| function.role.as_ref()) {
        return format!("`{name}` runs with the role `{}`", role.name());
    }
    let part = name.to_ascii_lowercase();
    let holds = |role: &&Role| !part.is_empty() && role.identity.name.to_ascii_lowercase().contains(&part);
    let named: BTreeSet<String> = index.roles().filter(holds).map(|role| format!("`{}`", role.identity.name)).collect();
    if named.is_empty() {
        return "give a role's name or ARN as the account has it".into();
    }
    let more = named.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("roles whose names have it: {}{more}", named.into_iter().take(MOST).collect::<Vec<_>>().join(", "))
}

/// The roles to judge; a name that no role has is a mistake, not an empty answer.
fn chosen<'a>(index: &SnapshotIndex<'a>, names: &[String]) -> Result<Vec<&'a Role>, CliError> {
    let named = |role: &Role, name: &str| role.identity.arn.as_str() == name || role.identity.name == name;
    for name in names {
        if !index.roles().any(|role| named(role, name)) {
            return Err(CliError::user(format!("the snapshot holds no role `{name}`")).hint(meant(index, name)));
        }
    }
    Ok(index.roles().filter(|role| names.is_empty() || names.iter().any(|name| named(role, name))).collect())
}
