//! What a run found, turned into what a report says: words and counts, no judgement.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::effective::Granted;
use iam_graph::AccessGraph;
use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn};
use iam_model::change::{Change, RolePart};
use iam_model::finding::{Finding, FindingCode, FindingSeverity, Subject};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::PolicyOrigin;
use iam_model::text::grouped;
use iam_model::time::Timestamp;
use iam_model::usage::AccountDays;
use iam_patch::{Disposition, FilePatch, PatchSet};
use iam_synthesize::{BlindSpot, Judgement, Need, NeedRule, RoleProposal, SplitProposal, Suggestion};
use iam_verify::before_after::documents;
use iam_verify::guardrails::{RuleId, RuleSeverity, Violation, WaiverProblem, WaiverUse, review_waivers};
use iam_verify::outcome::{Claim, Outcome};
use iam_verify::split::PartVerdict;
use iam_verify::verify::Verdict;

use super::{Stage, hints};
use crate::report::{
    BlindSpotView, ChangeView, ClaimView, EvidenceView, GrantedView, JudgementView, NeedView, OutcomeView, PatchView,
    RefusedView, Report, RoleView, SuggestionView, Summary, conditions_value, counted,
};

/// The whole report.
pub(super) fn report(
    stage: &Stage<'_>,
    (proposals, verdicts): (&[RoleProposal], &[Option<Verdict>]),
    (splits, parts): (&[SplitProposal], &[PartVerdict]),
    patches: &PatchSet,
) -> Report {
    let mut totals = Totals::new(stage);
    let mut roles = Vec::new();
    let mut first = 0;
    for (proposal, verdict) in proposals.iter().zip(verdicts) {
        let own: Vec<usize> = (first..first + proposal.changes.len()).collect();
        first += own.len();
        let refused = matches!(proposal.judgement, Judgement::Refused(_));
        let (before, after) = documents(&proposal.role, &proposal.changes.iter().collect::<Vec<_>>(), stage.index);
        // Of a role nothing is said about, nothing is counted: accounts have thousands of them.
        let counted = if refused { &[] } else { before.as_slice() };
        let actions = stage.published.granted(stage.index, &proposal.role, counted);
        let changed = !proposal.changes.is_empty();
        let left = changed.then(|| stage.published.granted(stage.index, &proposal.role, &after));
        let held = ((&actions, before.as_slice()), left.as_ref().map(|left| (left, after.as_slice())));
        roles.push(role(stage, proposal, verdict.as_ref(), held, (patches, &own)));
        if refused {
            continue;
        }
        totals.roles += 1;
        totals.left.join(left.as_ref().unwrap_or(&actions));
        totals.granted.join(&actions);
        totals.count(proposal, verdict.as_ref());
    }
    totals.count_splits(stage, splits, parts);
    let owners: Vec<Owner<'_>> =
        proposals.iter().zip(verdicts).flat_map(|(p, v)| p.changes.iter().map(move |_| (p, v.as_ref()))).collect();
    Report {
        summary: totals.summary(patches),
        evidence: evidence(stage),
        findings: findings(stage, proposals, verdicts, &roles),
        roles,
        splits: Vec::new(),
        documents: Vec::new(),
        patches: patches.patches.iter().map(|patch| file(stage, patch, &owners)).collect(),
        not_checked: not_checked(stage),
    }
}

/// What the first line counts.
struct Totals<'s> {
    roles: usize,
    new_roles: usize,
    granted: Granted<'s>,
    left: Granted<'s>,
    needed: BTreeSet<Action>,
    observed_calls: u64,
    denied_calls: u64,
    undecided_calls: u64,
    unexplained_calls: u64,
}

impl<'s> Totals<'s> {
    fn new(stage: &'s Stage<'_>) -> Self {
        Self {
            roles: 0,
            new_roles: 0,
            granted: stage.published.none(),
            left: stage.published.none(),
            needed: BTreeSet::new(),
            observed_calls: 0,
            denied_calls: 0,
            undecided_calls: 0,
            unexplained_calls: 0,
        }
    }

    fn count(&mut self, proposal: &RoleProposal, verdict: Option<&Verdict>) {
        let needs = proposal.needs.iter();
        self.needed.extend(needs.clone().filter(|n| n.rule != NeedRule::RunsFunction).map(|n| n.action.clone()));
        self.observed_calls += needs.filter_map(|need| need.seen.as_ref()).map(|seen| seen.count).sum::<u64>();
        self.denied_calls += verdict.map_or(0, |v| v.replay().denied + v.replay().undecided);
        self.undecided_calls += verdict.map_or(0, |v| v.replay().undecided);
        self.unexplained_calls += verdict.map_or(0, |v| v.replay().unexplained);
    }

    /// A role that is taken apart counts as one. What a function without evidence keeps is all needed, for all we know.
    fn count_splits(&mut self, stage: &Stage<'_>, splits: &[SplitProposal], parts: &[PartVerdict]) {
        let mut verdicts = parts.iter();
        for (split, done) in splits.iter().filter_map(|split| Some((split, split.split.as_ref().ok()?))) {
            let held: Vec<_> = stage.index.identity_policies(&split.role).iter().map(|p| p.document).collect();
            let granted = stage.published.granted(stage.index, &split.role, &held);
            self.roles += 1;
            self.new_roles += done.parts.len();
            for (part, decided) in done.parts.iter().zip(&split.parts) {
                self.count(decided, verdicts.next().map(|part| &part.verdict));
                let held = of_part(stage, &split.role, part);
                self.left.join(&stage.published.granted(stage.index, &split.role, &held));
                if decided.needs.is_empty() {
                    self.needed.extend(granted.actions().cloned());
                }
            }
            self.granted.join(&granted);
        }
    }

    fn summary(self, patches: &PatchSet) -> Summary {
        Summary {
            roles: self.roles,
            new_roles: self.new_roles,
            granted_actions: self.granted.count(),
            granted_actions_after: self.left.count(),
            needed_actions: self.needed.len(),
            observed_calls: self.observed_calls,
            denied_calls: self.denied_calls,
            undecided_calls: self.undecided_calls,
            unexplained_calls: self.unexplained_calls,
            patches: patches.patches.iter().map(|patch| patch.changes.len() + patch.splits.len()).sum(),
        }
    }
}

/// The policies of a new role: its own, and the managed ones that it has of the shared role.
fn of_part<'a>(stage: &'a Stage<'_>, shared: &Arn, part: &'a RolePart) -> Vec<&'a PolicyDocument> {
    let old = stage.index.identity_policies(shared).into_iter();
    let stays =
        old.filter(|held| matches!(held.origin, PolicyOrigin::Managed(arn) if part.managed_policies.contains(arn)));
    stays.map(|held| held.document).chain(part.policies.iter().map(|policy| &policy.document)).collect()
}

/// Actions, and the policies that grant them.
type Held<'h> = (&'h Granted<'h>, &'h [&'h PolicyDocument]);

fn role(
    stage: &Stage<'_>,
    proposal: &RoleProposal,
    verdict: Option<&Verdict>,
    ((actions, before), after): (Held<'_>, Option<Held<'_>>),
    (patches, own): (&PatchSet, &[usize]),
) -> RoleView {
    let refused = if stage.inputs.sources.is_some() { refusals(patches, own, &proposal.changes) } else { Vec::new() };
    let functions = stage.index.functions_of(&proposal.role);
    RoleView {
        arn: proposal.role.to_string(),
        name: proposal.role.name().to_owned(),
        functions: functions.iter().map(|function| function.arn.name().to_owned()).collect(),
        judgement: match &proposal.judgement {
            Judgement::Narrowed => JudgementView::Narrowed,
            Judgement::Tight => JudgementView::Unchanged,
            Judgement::Refused(why) => JudgementView::Refused(why.clone()),
        },
        granted: granted(actions, before, stage.before, &proposal.role),
        after: after.map(|(actions, documents)| granted(actions, documents, stage.after, &proposal.role)),
        needs: proposal.needs.iter().map(need).collect(),
        claims: verdict.map(|v| v.claims.iter().map(|(c, o)| claim(*c, o)).collect()).unwrap_or_default(),
        certificate: verdict.and_then(|v| v.certificates.first()).map(|(_, certificate)| certificate.to_string()),
        changes: proposal.changes.iter().map(change).collect(),
        blind_spots: blind_spots(stage, proposal),
        configured: proposal.configured.iter().map(hints::view).collect(),
        suggestions: suggestions(stage, proposal),
        left_alone: proposal.left_alone.clone(),
        diff: patches.diff_of(own),
        refused,
    }
}

fn granted(actions: &Granted<'_>, documents: &[&PolicyDocument], graph: &AccessGraph, role: &Arn) -> GrantedView {
    let mut services: Vec<&str> = actions.actions().map(Action::service).collect();
    services.dedup();
    GrantedView {
        actions: actions.count(),
        services: services.len(),
        on_everything: actions.on_every_resource(documents),
        admin: graph.is_admin(role),
        paths: graph.paths_from(role).len(),
    }
}

/// Services of which the account has resources first: there a person knows what to look for.
pub(super) fn blind_spots(stage: &Stage<'_>, proposal: &RoleProposal) -> Vec<BlindSpotView> {
    let account = proposal.role.account().and_then(|id| stage.inputs.snapshot.accounts.get(&id));
    let present: BTreeSet<&str> =
        account.into_iter().flat_map(|account| &account.resources).map(|resource| resource.arn.service()).collect();
    let mut spots: Vec<_> = proposal.blind_spots.iter().collect();
    spots.sort_by_key(|spot| !present.contains(spot.service.as_str()));
    let view = |spot: &BlindSpot| BlindSpotView {
        service: spot.service.clone(),
        why: spot.why.clone(),
        actions: spot.actions.iter().map(ToString::to_string).collect(),
    };
    spots.into_iter().map(view).collect()
}

/// Conditions that a person may add, by the policy they are about.
fn suggestions(stage: &Stage<'_>, proposal: &RoleProposal) -> Vec<SuggestionView> {
    let policies = stage.index.identity_policies(&proposal.role);
    let view = |suggestion: &Suggestion| SuggestionView {
        policy: policies.get(suggestion.policy).map(|policy| policy.name.to_owned()).unwrap_or_default(),
        statement: suggestion.statement,
        condition: conditions_value(std::slice::from_ref(&suggestion.condition)),
        because: suggestion.because.clone(),
    };
    proposal.suggestions.iter().map(view).collect()
}

pub(super) fn need(need: &Need) -> NeedView {
    NeedView {
        action: need.action.to_string(),
        resources: need.resources.iter().flatten().map(ToString::to_string).collect(),
        grade: need.grade().as_str(),
        rule: need.rule,
        because: need.because.clone(),
        event_ids: need.seen.as_ref().map(|seen| seen.event_ids.clone()).unwrap_or_default(),
        functions: need.functions.clone(),
    }
}

pub(super) fn claim(claim: Claim, outcome: &Outcome) -> ClaimView {
    let (view, detail) = match outcome {
        Outcome::Proved { because } => (OutcomeView::Proved, because.clone()),
        Outcome::Refuted { because, counterexample } => {
            let example = counterexample.as_ref().map(|c| format!("; for example {c}")).unwrap_or_default();
            (OutcomeView::Refuted, format!("{because}{example}"))
        }
        Outcome::Undecided { why } => (OutcomeView::Undecided, why.clone()),
    };
    ClaimView { claim: claim.as_str(), outcome: view, detail }
}

/// What was said about the claims of one role.
pub(super) fn claim_views(report: &Report, role: &Arn) -> Vec<ClaimView> {
    let own = report.roles.iter().filter(|view| view.arn == role.as_str());
    own.flat_map(|view| view.claims.iter().cloned()).collect()
}

pub(super) fn change(change: &Change) -> ChangeView {
    ChangeView {
        policy: policy_name(change),
        before: change.before.clone(),
        after: change.after.clone(),
        reasons: change.reasons.iter().map(|r| (r.statement, r.because.clone(), r.evidence.clone())).collect(),
    }
}

fn policy_name(change: &Change) -> String {
    change.attachment.policy_name.clone().unwrap_or_else(|| change.attachment.kind.as_str().to_owned())
}

/// The refusals among a role's own changes, whose numbers in the whole are `own`.
fn refusals(patches: &PatchSet, own: &[usize], changes: &[Change]) -> Vec<RefusedView> {
    let change = |refused: &iam_patch::Refused| own.iter().zip(changes).find(|(n, _)| **n == refused.change);
    let view = |refused: &iam_patch::Refused| RefusedView {
        policy: change(refused).map(|(_, change)| policy_name(change)).unwrap_or_default(),
        code: refused.refusal.code.to_string(),
        message: refused.refusal.message.clone(),
        place: refused.refusal.place.as_ref().map(ToString::to_string),
        hint: refused.refusal.hint.clone(),
    };
    patches.refused.iter().filter(|refused| change(refused).is_some()).map(view).collect()
}

/// Whose a change is, and what was said about it.
type Owner<'r> = (&'r RoleProposal, Option<&'r Verdict>);

fn file(stage: &Stage<'_>, patch: &FilePatch, owners: &[Owner<'_>]) -> PatchView {
    let mut reasons = match &patch.disposition {
        Disposition::Safe => Vec::new(),
        Disposition::NeedsReview(reasons) => reasons.clone(),
    };
    reasons.extend(unseen(patch, owners));
    reasons.extend(unproved(patch, owners));
    // What could not be read may show the use of what is cut.
    reasons.extend(stage.inputs.usage.unread().map(|unread| format!("the logs are incomplete: {unread}")));
    PatchView {
        file: patch.file.to_string(),
        disposition: if reasons.is_empty() { "safe" } else { "needs-review" },
        reasons,
        policies: patch.changes.len(),
        splits: patch.splits.len(),
        diff: patch.diff.clone(),
    }
}

/// What a person has to answer before a cut is safe: permissions whose use could not have been seen.
fn unseen(patch: &FilePatch, owners: &[Owner<'_>]) -> Vec<String> {
    roles_of(patch, owners, |(proposal, _)| !proposal.blind_spots.is_empty())
        .into_iter()
        .map(|role| format!("{role}: the logs could not have shown all that is cut, see `unseen`"))
        .collect()
}

/// Roles of which it is not proved that they keep what they used.
fn unproved(patch: &FilePatch, owners: &[Owner<'_>]) -> Vec<String> {
    let is_open =
        |(claim, outcome): &(Claim, Outcome)| *claim == Claim::KeepsUsed && !matches!(outcome, Outcome::Proved { .. });
    roles_of(patch, owners, |(_, verdict)| verdict.is_some_and(|verdict| verdict.claims.iter().any(is_open)))
        .into_iter()
        .map(|role| format!("{role}: that it keeps all it used is not proved, see `keeps-used`"))
        .collect()
}

/// The names of those whose changes are in a patch.
fn roles_of<'r>(patch: &FilePatch, owners: &[Owner<'r>], which: impl Fn(&Owner<'r>) -> bool) -> BTreeSet<&'r str> {
    let owners = patch.changes.iter().filter_map(|change| owners.get(*change));
    owners.filter(|owner| which(owner)).map(|(proposal, _)| proposal.role.name()).collect()
}

/// Findings of the graph about the judged roles, and what the run itself found out about them.
fn findings(
    stage: &Stage<'_>,
    proposals: &[RoleProposal],
    verdicts: &[Option<Verdict>],
    roles: &[RoleView],
) -> Vec<Finding> {
    let judged: BTreeSet<Subject> = proposals.iter().map(|p| Subject::from(p.role.clone())).collect();
    let concerned = |finding: &Finding| finding.principal.as_ref().is_none_or(|p| judged.contains(p));
    let mut findings: Vec<Finding> = stage.before.findings().into_iter().filter(concerned).collect();
    for ((proposal, verdict), view) in proposals.iter().zip(verdicts).zip(roles) {
        findings.extend(own_findings(proposal, verdict.as_ref(), view));
    }
    findings.extend(stale_waivers(stage, verdicts));
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    findings
}

fn own_findings(proposal: &RoleProposal, verdict: Option<&Verdict>, view: &RoleView) -> Vec<Finding> {
    let finding = |code, severity, evidence: String| {
        let mut finding = Finding::about(code, severity, proposal.role.clone());
        finding.evidence.push(evidence);
        finding
    };
    let mut findings = Vec::new();
    if let Judgement::Refused(why) = &proposal.judgement {
        findings.push(finding(FindingCode::NoEvidence, FindingSeverity::Info, why.clone()));
    }
    if let Some(after) = &view.after {
        let (now, then) = (grouped(view.granted.actions as u64), grouped(after.actions as u64));
        let evidence = format!("{now} actions granted, {then} after the proposal");
        findings.push(finding(FindingCode::UnusedPermission, FindingSeverity::Medium, evidence));
    }
    let unseen: usize = proposal.blind_spots.iter().map(|spot| spot.actions.len()).sum();
    if unseen > 0 {
        let cut = counted(unseen, "action is", "actions are");
        let evidence = format!("{cut} cut whose use the logs could not have shown");
        findings.push(finding(FindingCode::BlindSpot, FindingSeverity::Low, evidence));
    }
    for refused in view.refused.iter().filter(|refused| refused.code == FindingCode::Drift.as_str()) {
        findings.push(finding(FindingCode::Drift, FindingSeverity::Medium, refused.message.clone()));
    }
    let violations = || verdict.iter().flat_map(|verdict| &verdict.violations);
    for violation in violations().filter(|violation| violation.refutes()) {
        let evidence = format!("{}: {} ({})", violation.rule, violation.title, violation.object.in_words());
        findings.push(finding(FindingCode::GuardrailViolated, FindingSeverity::High, evidence));
    }
    // Advice is said once per rule, however much it is about.
    let waived = |violation: &Violation| matches!(violation.waiver, WaiverUse::Waived { .. });
    let mut advice: BTreeMap<&RuleId, Vec<&Violation>> = BTreeMap::new();
    for violation in violations().filter(|violation| !violation.severity.refutes() && !waived(violation)) {
        advice.entry(&violation.rule).or_default().push(violation);
    }
    for (rule, objections) in advice {
        let Some(first) = objections.first() else { continue };
        let more = if objections.len() > 1 { format!(" and {} more", objections.len() - 1) } else { String::new() };
        let evidence = format!("{rule}: {} ({}{more})", first.title, first.object.in_words());
        let severity =
            if first.severity == RuleSeverity::Warning { FindingSeverity::Low } else { FindingSeverity::Info };
        findings.push(finding(FindingCode::GuardrailViolated, severity, evidence));
    }
    findings
}

/// Waivers whose time is over or that can accept nothing. Whether one is used shows only where every role is judged.
fn stale_waivers(stage: &Stage<'_>, verdicts: &[Option<Verdict>]) -> Vec<Finding> {
    let inputs = stage.inputs;
    let violations: Vec<Violation> = verdicts.iter().flatten().flat_map(|v| v.violations.iter().cloned()).collect();
    let now = inputs.usage.window.map_or(Timestamp::from_epoch_seconds(0), |(_, last)| last);
    let stale = review_waivers(&inputs.guardrails, &inputs.waivers, &violations, now);
    let certain = stale.into_iter().filter(|finding| finding.problem != WaiverProblem::Unused);
    let told = certain.filter_map(|finding| {
        let waiver = inputs.waivers.get(finding.waiver)?;
        let mut told = Finding::new(FindingCode::StaleWaiver, FindingSeverity::Medium);
        let (place, what) = (&waiver.place, finding.problem.as_str());
        told.evidence.push(format!("{place}: {what}: `{}` for {}", waiver.rule, waiver.object));
        Some(told)
    });
    told.collect()
}

fn evidence(stage: &Stage<'_>) -> EvidenceView {
    let usage = &stage.inputs.usage;
    EvidenceView {
        files: usage.files,
        records: usage.records,
        skipped: usage.skipped.iter().filter(|(_, n)| **n > 0).map(|(reason, n)| (*reason, *n)).collect(),
        unresolved: (usage.unresolved.iter())
            .map(|event| (format!("{} {}", event.event_source, event.event_name), event.count))
            .collect(),
        unread: usage.unread(),
        unread_files: usage.unread_files,
        first: usage.window.map(|(first, _)| first.to_string()),
        last: usage.window.map(|(_, last)| last.to_string()),
        days: stage.coverage.days,
        accounts: account_days(stage),
        catalog_date: stage.inputs.catalog.date().to_owned(),
        catalog_actions: stage.inputs.catalog.action_count(),
    }
}

/// What the logs span of each account that has a role, the fewest days first.
fn account_days(stage: &Stage<'_>) -> Vec<(String, Option<AccountDays>)> {
    let with_roles = stage.inputs.snapshot.accounts.iter().filter(|(_, account)| !account.roles.is_empty());
    let mut all: Vec<(String, Option<AccountDays>)> =
        with_roles.map(|(id, _)| (id.to_string(), stage.coverage.by_account.get(id).copied())).collect();
    all.sort_by_key(|(id, days)| (days.map(AccountDays::shown), id.clone()));
    all
}

fn not_checked(stage: &Stage<'_>) -> Vec<String> {
    let mut notes = stage.before.not_checked();
    let silent = stage.inputs.snapshot.accounts.iter().filter(|(_, account)| account.trails.is_none());
    notes.extend(silent.map(|(id, _)| {
        format!(
            "what the trails of account {id} record: the snapshot does not say, so data events count as not recorded"
        )
    }));
    notes.extend(stage.inputs.snapshot.accounts.keys().flat_map(|id| short_regions(stage, id)));
    notes.extend(stage.inputs.snapshot.accounts.keys().filter_map(|id| unknown_callers(stage, id)));
    notes
}

/// Roles of an account that made calls and that the snapshot does not hold.
fn unknown_callers(stage: &Stage<'_>, account: &AccountId) -> Option<String> {
    const MOST: usize = 3;
    let callers = stage.inputs.usage.principals.keys().filter(|role| role.account().as_ref() == Some(account));
    let unknown: Vec<&str> = callers.filter(|role| stage.index.role(role).is_none()).map(Arn::name).collect();
    let more = unknown.len().saturating_sub(MOST);
    let names = unknown.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!unknown.is_empty())
        .then(|| format!("calls of roles that the snapshot of account {account} does not hold: {names}{more}"))
}

/// Regions in which an account has resources, and of which too little was read.
fn short_regions(stage: &Stage<'_>, account: &AccountId) -> Vec<String> {
    let Some(regions) = stage.coverage.regions.get(account) else { return Vec::new() };
    let asked = stage.inputs.rules.min_days;
    let held: BTreeSet<&String> = regions.holds.values().flatten().collect();
    let (unread, short): (Vec<&String>, Vec<&String>) = held
        .into_iter()
        .filter(|region| regions.short(region, asked).is_some())
        .partition(|region| !regions.days.contains_key(*region));
    let mut notes: Vec<String> = short
        .into_iter()
        .filter_map(|region| {
            Some(format!("account {account} has resources in {region}: {}", regions.short(region, asked)?))
        })
        .collect();
    if !unread.is_empty() {
        let names: Vec<&str> = unread.into_iter().map(String::as_str).collect();
        notes.push(format!("account {account} has resources in {}, of which no record was read", names.join(", ")));
    }
    notes
}
