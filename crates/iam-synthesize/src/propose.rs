//! Proposals: for one role, which statement serves which need, and the changes that leave only those.
//!
//! Each need is served once, by the narrowest statement that surely lets it through; what serves nothing goes, if the
//! evidence would have shown its use. Deny statements, statements that were not understood, and policies that others
//! share are left as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use iam_evaluate::Evaluator;
use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::change::Change;
use iam_model::policy::{ActionElement, PolicyDocument, Statement};
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{AttachedPolicy, PolicyOrigin, Resource, Role, SnapshotIndex};
use iam_model::usage::{UsageLog, Visibility};

use crate::assign::{Calls, granted};
use crate::bounds::Bounds;
use crate::configured::Configured;
use crate::fold::Fold;
use crate::infer::{infer, was_seen};
use crate::life;
use crate::narrow::{Candidate, Served, Slot};
use crate::needs::{Evidence, KeepRule, Known, Need, NeedRule, Rules};
use crate::plumbing::{self, Runs};
use crate::prune::prune;
use crate::suggest::{Grounds, Suggestion};
use crate::unresolved;
use crate::unseen::{BlindSpot, Cuts, Unseen, partly_unseen, unseen, unseen_by, unseen_elsewhere};
use crate::write::{Written, attach, change, write};

/// What was decided about a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// There are changes.
    Narrowed,
    /// Everything granted is needed, or cannot be changed here.
    Tight,
    /// Nothing is proposed, and why.
    Refused(String),
}

/// What is proposed for one role.
#[derive(Debug, Clone)]
pub struct RoleProposal {
    /// The role.
    pub role: Arn,
    /// What was decided.
    pub judgement: Judgement,
    /// What the role must keep.
    pub needs: Vec<Need>,
    /// The changes; empty unless narrowed.
    pub changes: Vec<Change>,
    /// What in the policies as proposed stands for more than was seen.
    pub folds: Vec<Fold>,
    /// Conditions that a person may add to the policies as proposed.
    pub suggestions: Vec<Suggestion>,
    /// What the functions are configured with; for the caller to fill in, as what it rests on is read elsewhere.
    pub configured: Vec<Configured>,
    /// What could not be seen and is no longer granted.
    pub blind_spots: Vec<BlindSpot>,
    /// Policies that were left as they are, and why.
    pub left_alone: Vec<String>,
}

impl RoleProposal {
    /// Nothing to change, so far.
    pub(crate) fn tight(role: &Arn) -> Self {
        Self {
            role: role.clone(),
            judgement: Judgement::Tight,
            needs: Vec::new(),
            changes: Vec::new(),
            folds: Vec::new(),
            suggestions: Vec::new(),
            configured: Vec::new(),
            blind_spots: Vec::new(),
            left_alone: Vec::new(),
        }
    }
}

const PASS_ROLE: &str = "iam:PassRole";

/// Proposes, for every role in `roles`, the smallest policies inside the old ones that keep what it needs.
#[must_use]
pub fn synthesize(
    roles: &[&Role],
    index: &SnapshotIndex<'_>,
    evidence: &Evidence<'_>,
    rules: &Rules,
) -> Vec<RoleProposal> {
    let proposer = Proposer::new(roles, index, evidence, rules);
    roles.iter().map(|role| proposer.propose(role)).collect()
}

/// How many users, groups and roles each managed policy is attached to, or bounds: an edit reaches them all.
fn attachments<'a>(index: &SnapshotIndex<'a>) -> BTreeMap<&'a Arn, usize> {
    let mut counts = BTreeMap::new();
    for account in index.snapshot().accounts.values() {
        let identities = (account.users.iter().map(|u| &u.identity))
            .chain(account.groups.iter().map(|g| &g.identity))
            .chain(account.roles.iter().map(|r| &r.identity));
        for policy in identities.flat_map(|identity| identity.attached_policies.iter().chain(&identity.boundary)) {
            *counts.entry(policy).or_default() += 1;
        }
    }
    counts
}

/// Every resource the accounts are known to have.
pub(crate) fn existing<'a>(index: &SnapshotIndex<'a>) -> BTreeSet<&'a Arn> {
    let accounts = index.snapshot().accounts.values();
    accounts.flat_map(|a| a.resources.iter().map(|r| &r.arn).chain(a.resource_policies.keys())).collect()
}

/// What holds for every role of a snapshot.
struct Common<'a> {
    shared: BTreeMap<&'a Arn, usize>,
    existing: BTreeSet<&'a Arn>,
    unseen: BTreeMap<AccountId, Unseen>,
    /// Made where a call has to be explained by more than the role's own policies.
    evaluator: OnceLock<Evaluator<'a>>,
}

/// Proposes for one role at a time. What all roles share is made once; threads may share the whole.
pub struct Proposer<'p, 'a> {
    pub(crate) index: &'p SnapshotIndex<'a>,
    pub(crate) evidence: &'p Evidence<'p>,
    /// What was seen of all that run with a role; of that, the evidence may be one function's.
    everybody: &'p UsageLog,
    rules: &'p Rules,
    quotas: QuotaProfile,
    common: Arc<Common<'a>>,
}

/// What is proposed, and where: a role, or one function's part of it.
pub(crate) struct Subject<'s> {
    pub(crate) role: &'s Arn,
    /// The functions whose running must go on.
    pub(crate) functions: &'s [&'s Resource],
    /// Whether the policies are written anew, for this subject alone: then what others share can be narrowed too.
    pub(crate) alone: bool,
}

impl<'p, 'a> Proposer<'p, 'a> {
    /// Prepares to propose for some of `roles`.
    #[must_use]
    pub fn new(roles: &[&Role], index: &'p SnapshotIndex<'a>, evidence: &'p Evidence<'p>, rules: &'p Rules) -> Self {
        let (shared, existing, unseen) = (attachments(index), existing(index), unseen(roles, evidence, rules));
        let common = Common { shared, existing, unseen, evaluator: OnceLock::new() };
        let (everybody, quotas) = (evidence.usage, QuotaProfile::AWS);
        Self { index, evidence, everybody, rules, quotas, common: Arc::new(common) }
    }

    /// The same on a part of what was seen.
    pub(crate) fn with_evidence<'q>(&'q self, evidence: &'q Evidence<'q>) -> Proposer<'q, 'a> {
        let common = Arc::clone(&self.common);
        let Self { index, everybody, rules, quotas, .. } = *self;
        Proposer { index, evidence, everybody, rules, quotas, common }
    }

    /// The same within other quotas than [`QuotaProfile::AWS`].
    #[must_use]
    pub const fn with_quotas(mut self, quotas: QuotaProfile) -> Self {
        self.quotas = quotas;
        self
    }
}

impl<'a> Proposer<'_, 'a> {
    /// The smallest policies inside the old ones that keep what a role needs.
    #[must_use]
    pub fn propose(&self, role: &Role) -> RoleProposal {
        let arn = &role.identity.arn;
        let functions = self.index.functions_of(arn);
        let mut proposal = RoleProposal::tight(arn);
        if let Some(why) = self.refuse(role) {
            let bounds = Bounds::new(arn, self.evidence.usage, &self.common.existing);
            proposal.needs = infer(&functions, &self.runs(arn), self.known(arn), &bounds);
            proposal.judgement = Judgement::Refused(why);
            return proposal;
        }
        let subject = Subject { role: arn, functions: &functions, alone: false };
        let written = self.rewrite(&subject, &mut proposal);
        proposal.changes = written.policies.into_iter().filter_map(|rewritten| change(arn, rewritten)).collect();
        let new = self.free_policies(arn).zip(written.new);
        proposal.changes.extend(new.map(|(policy, new)| attach(arn, &policy, new)));
        if !proposal.changes.is_empty() {
            proposal.judgement = Judgement::Narrowed;
        }
        proposal
    }

    /// ARNs of managed policies that do not exist yet, in the role's account and path, named after the role.
    ///
    /// An account tells their names apart neither by path nor by case.
    pub(crate) fn free_policies(&self, role: &Arn) -> impl Iterator<Item = Arn> {
        let all = self.index.snapshot().accounts.values().flat_map(|account| account.managed_policies.keys());
        let own = all.filter(|arn| arn.account() == role.account());
        let taken: BTreeSet<String> = own.map(|arn| arn.name().to_ascii_lowercase()).collect();
        let exists = move |arn: &Arn| taken.contains(&arn.name().to_ascii_lowercase());
        let head = role.as_str().replacen(":role/", ":policy/", 1);
        (1..1000_usize).filter_map(move |n| format!("{head}-extra-{n}").parse().ok()).filter(move |arn| !exists(arn))
    }

    /// Every policy of a subject, narrowed to what it needs; needs, blind spots and notes go into the proposal.
    pub(crate) fn rewrite(&self, subject: &Subject<'_>, proposal: &mut RoleProposal) -> Written<'a> {
        let arn = subject.role;
        let bounds = Bounds::new(arn, self.evidence.usage, &self.common.existing);
        proposal.needs = infer(subject.functions, &self.runs(arn), self.known(arn), &bounds);
        let policies = self.index.identity_policies(arn);
        let mut slots = self.slots(&policies, subject, proposal);
        // What could be used and the role does not have is not missing: it is another way to run.
        proposal.needs.retain(|need| need.seen.is_some() || granted(&slots, need));
        let calls = Calls::new(arn, self.evidence.usage, self.index, &self.common.evaluator);
        calls.assign(&mut slots, &mut proposal.needs, &bounds);
        self.retain(subject, &mut slots, &mut proposal.needs);
        self.keep_by_rule(arn, &mut slots, &mut proposal.needs);
        unresolved::keep(arn, self.evidence, &mut slots, &mut proposal.needs);
        prune(&mut slots, &proposal.needs);
        let how = (subject.alone, &self.quotas);
        let written = write(&policies, how, &slots, &proposal.needs, &mut proposal.left_alone);
        let calls =
            self.evidence.usage.principals.get(arn).map(|used| used.observations.as_slice()).unwrap_or_default();
        let (index, catalog) = (self.index, self.evidence.catalog);
        let grounds =
            Grounds { role: arn, index, catalog, functions: subject.functions, needs: &proposal.needs, calls };
        proposal.suggestions = grounds.suggest(&written.policies);
        let folds = written.policies.iter().map(|policy| &policy.folds).chain(written.new.iter().map(|new| &new.folds));
        proposal.folds = folds.flatten().cloned().collect();
        // What does not fit stays as it was, and cuts nothing.
        for slot in &mut slots {
            slot.editable = written.policies.get(slot.policy).is_some_and(|policy| !policy.fixed);
        }
        proposal.blind_spots = self.blind_spots(arn, &slots);
        written
    }

    /// What is known of a role.
    const fn known<'r>(&'r self, role: &'r Arn) -> Known<'r> {
        Known { role, evidence: self.evidence, rules: self.rules }
    }

    /// How the functions of a role run.
    fn runs(&self, role: &Arn) -> Runs<'_> {
        Runs::of(role, self.index, self.rules)
    }

    /// Why nothing may be said about a role.
    pub(crate) fn refuse(&self, role: &Role) -> Option<String> {
        let usage = self.evidence.usage;
        if role.is_owned_by_aws() {
            return Some("AWS owns this role; its policies cannot be changed".into());
        }
        let told_whole = self.rules.told_whole.contains(&role.identity.arn);
        if !was_seen(&role.identity.arn, usage) && !told_whole {
            return Some("the logs hold no authorised call of this role".into());
        }
        if let Some(why) = unresolved::why_not(&role.identity.arn, usage) {
            return Some(why);
        }
        // Logs of other accounts show nothing of this one.
        let (coverage, account) = (self.evidence.coverage, role.identity.arn.account()?);
        let asked = self.rules.min_days;
        if coverage.days_of(&account) < asked {
            return Some(format!("{}, and {asked} are asked for", coverage.describe_days_of(&account)));
        }
        life::why_not(role, self.index, self.evidence, self.rules)
    }

    /// Every allow statement that was understood; policies that must stay are noted.
    fn slots<'s>(
        &self,
        policies: &[AttachedPolicy<'s>],
        subject: &Subject<'_>,
        proposal: &mut RoleProposal,
    ) -> Vec<Slot<'s>> {
        let mut slots = Vec::new();
        for (policy, attached) in policies.iter().enumerate() {
            let fixed = self.why_fixed(attached, subject.alone);
            if let Some(why) = &fixed {
                proposal.left_alone.push(format!("{}: {why}", attached.name));
            }
            for (statement, written) in attached.document.statements.iter().enumerate() {
                if let Some(candidate) = Candidate::new(attached.document, written) {
                    let (served, kept) = (Vec::new(), Vec::new());
                    slots.push(Slot { policy, statement, editable: fixed.is_none(), candidate, served, kept });
                }
            }
        }
        slots
    }

    fn why_fixed(&self, attached: &AttachedPolicy<'_>, alone: bool) -> Option<String> {
        if !attached.document.unknown.is_empty() {
            return Some("its document could not be read".into());
        }
        match attached.origin {
            PolicyOrigin::Inline(_) => None,
            PolicyOrigin::Group(group) => Some(format!("it comes from the group {}", group.name())),
            PolicyOrigin::Managed(arn) if arn.is_runtime_policy() => {
                Some("AWS's own policy for running functions".into())
            }
            PolicyOrigin::Managed(arn) if alone || arn.is_owned_by_aws() => None,
            PolicyOrigin::Managed(arn) => match self.common.shared.get(arn).copied().unwrap_or_default() {
                shown @ (0 | 1) => self.index.held_elsewhere(arn, shown),
                many => Some(format!("{many} principals hold it; a cut for one of them would reach all")),
            },
        }
    }

    /// Keeps what is granted by name, and either Lambda itself needs or the logs could not have shown.
    fn retain(&self, subject: &Subject<'_>, slots: &mut [Slot<'_>], needs: &mut Vec<Need>) {
        for slot in slots.iter_mut().filter(|slot| slot.editable) {
            let mut named: Vec<Action> = slot.candidate.named().filter_map(|p| p.as_str().parse().ok()).collect();
            named.extend(self.too_early(subject.role, &slot.candidate));
            for action in named {
                if slot.served.iter().any(|s| s.action == action && s.resources.is_none() && s.bound.is_none()) {
                    continue;
                }
                let runs = needs.iter().position(|n| n.rule == NeedRule::RunsFunction && n.action == action);
                let need = match (runs, self.why_retained(subject, &action)) {
                    (Some(runs), _) => runs,
                    (None, None) => {
                        self.retain_unsure(subject, slot, &action, needs);
                        continue;
                    }
                    (None, Some((rule, because))) => {
                        needs.push(Need::unseen(action.clone(), None, rule, because));
                        needs.len() - 1
                    }
                };
                slot.served.retain(|served| served.action != action || served.bound.is_none());
                slot.served.push(Served::as_granted(action, need));
            }
        }
    }

    /// Keeps what names an action, as far as uses of it could have gone unseen on what the statement speaks of.
    fn retain_unsure(&self, subject: &Subject<'_>, slot: &mut Slot<'_>, action: &Action, needs: &mut Vec<Need>) {
        let known = self.known(subject.role);
        let Some(unsure) = known.unsure(action, slot.candidate.statement) else { return };
        // Of a role that functions share, others may have made the calls that were seen.
        let was_seen = subject.alone || known.was_seen(action);
        let told = if was_seen { "not every use of it could" } else { "its use could not" };
        let because = format!("granted by name, and {told} have been seen: {}", unsure.why);
        let is_told = |need: &Need| need.rule == NeedRule::NotShown && need.action == *action;
        let need = needs.iter().position(is_told).unwrap_or_else(|| {
            needs.push(Need::unseen(action.clone(), None, NeedRule::NotShown, because));
            needs.len() - 1
        });
        slot.served.push(Served { resources: unsure.patterns, ..Served::as_granted(action.clone(), need) });
    }

    /// What wildcards of single services grant and the logs are too short to call unused, where a level asks for more days.
    ///
    /// A wildcard over every service is not spelt out: what it grants is listed as unseen.
    fn too_early(&self, role: &Arn, candidate: &Candidate<'_>) -> Vec<Action> {
        if self.rules.min_days_of.is_empty() {
            return Vec::new();
        }
        let catalog = self.evidence.catalog;
        let of_services = candidate.wild_services().flat_map(|service| catalog.service_actions(service));
        let actions = of_services.map(|facts| facts.action()).filter(|action| candidate.allows_action(action));
        actions.filter(|action| self.rules.too_early(role, action, self.evidence).is_some()).collect()
    }

    /// Why an action that no call showed stays where a statement names it.
    fn why_retained(&self, subject: &Subject<'_>, action: &Action) -> Option<(NeedRule, String)> {
        if let Some(because) = plumbing::by_name(subject.functions, action) {
            return Some((NeedRule::RunsFunction, because));
        }
        if let Some(why) = self.rules.too_early(subject.role, action, self.evidence) {
            return Some((NeedRule::TooEarly, why));
        }
        let Visibility::Invisible(why) = self.known(subject.role).visibility(action) else { return None };
        let calls = self.evidence.usage.principals.get(subject.role).into_iter().flat_map(|used| &used.observations);
        let was_seen = calls.filter(|call| call.count > 0).any(|call| call.action == *action);
        let told = if was_seen { "not every use of it could" } else { "its use could not" };
        Some((NeedRule::NotShown, format!("granted by name, and {told} have been seen: {why}")))
    }

    /// Keeps what a rule names, as far as it is granted now.
    fn keep_by_rule(&self, role: &Arn, slots: &mut [Slot<'_>], needs: &mut Vec<Need>) {
        for (rule, by) in self.rules.kept(role) {
            let document =
                PolicyDocument::new(vec![Statement::allow(rule.actions.clone(), vec![ResourcePattern::everything()])]);
            let Some(kept) = document.statements.first().and_then(|s| Candidate::new(&document, s)) else { continue };
            let catalog = self.evidence.catalog;
            let mut actions: Vec<Action> =
                catalog.actions().map(|facts| facts.action()).filter(|a| kept.allows_action(a)).collect();
            // What the catalogue does not know may be newer than it.
            let named = rule.actions.iter().filter_map(|pattern| pattern.as_str().parse().ok());
            actions.extend(named.filter(|action| catalog.action(action).is_none()));
            self.keep_patterns((rule, by), slots);
            for action in actions {
                let mut granted = false;
                for slot in slots.iter_mut().filter(|slot| slot.candidate.allows_action(&action)) {
                    slot.served.push(Served::as_granted(action.clone(), needs.len()));
                    granted = true;
                }
                if granted {
                    needs.push(Need::unseen(action, None, by, by.because(&rule.reason)));
                }
            }
        }
    }

    /// Keeps the wildcards of a rule as they are written, where a statement grants all that they stand for, and those of a
    /// statement where the rule keeps all that these do: both speak of actions that the catalogue does not know.
    fn keep_patterns(&self, (rule, by): (&KeepRule, NeedRule), slots: &mut [Slot<'_>]) {
        let glob = |pattern: &ActionPattern| Glob::parse(pattern.as_str(), Reading::ACTION);
        for slot in slots {
            let ActionElement::Action(own) = &slot.candidate.statement.action else { continue };
            let mut words = BTreeSet::new();
            for (asked, granted) in rule.actions.iter().flat_map(|a| own.iter().map(move |own| (a, &own.value))) {
                if asked.has_wildcard() && glob(granted).includes(&glob(asked)) {
                    words.insert(asked.clone());
                } else if granted.has_wildcard() && glob(asked).includes(&glob(granted)) {
                    words.insert(granted.clone());
                }
            }
            let because = format!("{}: {}", by.grade().as_str(), by.because(&rule.reason));
            slot.kept.extend(words.into_iter().map(|pattern| (pattern, because.clone())));
        }
    }

    /// What wildcards granted, the logs could not have shown, and nothing keeps.
    fn blind_spots(&self, role: &Arn, slots: &[Slot<'_>]) -> Vec<BlindSpot> {
        let own;
        let (nobody, no_spots) = (BTreeSet::new(), Vec::new());
        let shared = if (self.evidence.has_own_record)(role) {
            own = unseen_by(self.known(role), self.evidence.catalog.actions(), &nobody);
            &no_spots
        } else {
            let account = role.account().and_then(|account| self.common.unseen.get(&account));
            // What a call hides is of the call's own service, and one function's calls hide what another may have done.
            let calls = self.everybody.principals.get(role).into_iter().flat_map(|used| &used.observations);
            let called: BTreeSet<&str> = calls.map(|call| call.action.service()).collect();
            let of_iam = called.contains("iam");
            let of_called = called.into_iter().flat_map(|service| self.evidence.catalog.service_actions(service));
            // Roles are passed by calls of any service.
            let passing = PASS_ROLE.parse().ok().and_then(|action| self.evidence.catalog.action(&action));
            let of_called = of_called.chain(passing.filter(|_| !of_iam));
            own = account.map(|unseen| unseen_by(self.known(role), of_called, &unseen.actions)).unwrap_or_default();
            account.map_or(&no_spots, |unseen| &unseen.spots)
        };
        let known = self.known(role);
        let partly = partly_unseen(known, self.everybody, slots);
        let elsewhere = unseen_elsewhere(known, slots);
        let cuts = Cuts::new(slots, &|action| known.is_invisible(action));
        let mut spots: Vec<BlindSpot> =
            shared.iter().chain(&own).chain(&elsewhere).filter_map(|spot| cuts.of(spot)).chain(partly).collect();
        spots.sort_by(|a, b| (&a.service, &a.why).cmp(&(&b.service, &b.why)));
        spots
    }
}
