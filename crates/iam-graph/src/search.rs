//! Finding the edges: each principal against each technique within its reach.
//!
//! Knows how requirements, prerequisites and targets fit together; what is allowed it asks of [`crate::judge`], what the
//! techniques are it reads from the catalogue.

mod bindings;
mod gains;
mod holds;
mod outsiders;
mod reasons;

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::finding::Subject;
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern};
use iam_model::snapshot::ResourceKind;

use crate::graph::Edge;
use crate::judge::{Answer, Judge, Powers};
use crate::plan::{Actions, Plan, Sieve, Step};
use crate::survey::{Being, Person, Survey};
use crate::technique::{Gain, Place, Prerequisite, TargetKind, catalogue};
use crate::trust::Trusts;

/// What the search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) edges: Vec<Edge>,
    pub(crate) admins: BTreeSet<Subject>,
    pub(crate) not_checked: BTreeSet<String>,
}

/// The search, and what it remembers.
pub(crate) struct Search<'s, 'a> {
    survey: &'s Survey<'a>,
    judge: &'s Judge<'a>,
    plan: Plan,
    trusts: Trusts<'a>,
    /// Roles of compute whose own policy lets in someone of another account, by kind.
    open: BTreeMap<&'a ResourceKind, Vec<usize>>,
    /// What each principal could do, as far as the sieve can tell.
    actions: Vec<Actions>,
    powers: Vec<Powers<'a>>,
    admins: Vec<bool>,
    /// Which services a role lets in, once asked.
    lets_in: BTreeMap<(usize, &'static str), Answer>,
    /// What gains give, once asked: by whose, what, and which of its policies go.
    gained: BTreeMap<(usize, Gain, Vec<usize>), bool>,
    not_checked: BTreeSet<String>,
}

/// Who tries what on whom.
#[derive(Clone, Copy)]
struct Attempt<'p, 'a> {
    start: usize,
    target: usize,
    step: &'p Step,
    from: &'p Person<'a>,
    to: &'p Person<'a>,
}

impl<'a> Attempt<'_, 'a> {
    /// Whose policies are rewritten: the start's own, or the target's.
    fn gainer(&self) -> usize {
        if self.step.technique.target == TargetKind::Role || self.step.technique.target == TargetKind::User {
            self.target
        } else {
            self.start
        }
    }
}

/// Why and through what an attempt works.
#[derive(Debug, Clone, Default)]
struct Works<'a> {
    keys: BTreeSet<ConditionKey>,
    through: Option<&'a Arn>,
    /// Policies that speak for whoever gains, and that the start may rewrite.
    rewritten: Vec<&'a Arn>,
}

/// Answers already given for one start: by action, thing and context.
type Memory<'a> = BTreeMap<(usize, Thing<'a>, usize), Answer>;

/// What an action is done on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing<'a> {
    Any,
    None,
    Named(&'a Arn),
}

impl<'s, 'a> Search<'s, 'a> {
    pub(crate) fn new(survey: &'s Survey<'a>, judge: &'s Judge<'a>) -> Self {
        let plan = Plan::new(catalogue());
        let mut sieve = Sieve::default();
        let reach = |person: &Person<'a>| {
            let documents = person.policies.iter().map(|held| held.document);
            documents.fold(Actions::default(), |found, d| found.union(sieve.document(&plan, d)))
        };
        let actions: Vec<Actions> = survey.people.iter().map(reach).collect();
        let powers: Vec<Powers<'a>> = survey.people.iter().map(|person| judge.powers(person)).collect();
        // Without a word about identities nobody is an administrator: most need not be asked.
        let probes: Vec<usize> = judge.admin_probes().filter_map(|action| plan.action(action)).collect();
        let could = |actions: &Actions| probes.is_empty() || probes.iter().any(|&probe| actions.holds(probe));
        let admins = powers.iter().zip(&actions).map(|(powers, a)| could(a) && judge.is_admin(powers)).collect();
        let not_checked = plan.not_understood.iter().chain(&survey.not_applied).cloned().collect();
        Self {
            survey,
            judge,
            trusts: Trusts::new(survey),
            open: open_compute(survey),
            plan,
            actions,
            powers,
            admins,
            lets_in: BTreeMap::new(),
            gained: BTreeMap::new(),
            not_checked,
        }
    }

    /// Tries everyone.
    pub(crate) fn run(mut self) -> Found {
        let mut edges = Vec::new();
        for (start, person) in self.survey.people.iter().enumerate() {
            let idle = matches!(person.being, Being::Group) || person.is_service_linked() || self.is_admin(start);
            if !idle {
                self.from(start, person, &mut edges);
            }
        }
        self.outsiders(&mut edges);
        // A group is nobody: whoever joins it brings limits of its own, which its edge has weighed.
        let admins = self.survey.people.iter().zip(&self.admins).filter(|(_, admin)| **admin);
        let admins = admins.filter(|(person, _)| !matches!(person.being, Being::Group));
        let admins = admins.map(|(person, _)| Subject::Arn(person.arn.clone())).collect();
        Found { edges, admins, not_checked: self.not_checked }
    }

    fn is_admin(&self, place: usize) -> bool {
        self.admins.get(place).copied().unwrap_or_default()
    }

    fn from(&mut self, start: usize, from: &Person<'a>, edges: &mut Vec<Edge>) {
        let actions = self.actions.get(start).copied().unwrap_or_default();
        let mut memory = Memory::new();
        let steps = std::mem::take(&mut self.plan.steps);
        for step in steps.iter().filter(|step| actions.holds_all(step.sieve)) {
            for target in self.targets(start, from, step, actions) {
                let Some(to) = self.survey.person(target) else { continue };
                let attempt = Attempt { start, target, step, from, to };
                if let Some(works) = self.works(&attempt, &mut memory) {
                    edges.push(self.edge(&attempt, works));
                }
            }
        }
        self.plan.steps = steps;
    }

    /// Whom a technique could aim at, from here.
    fn targets(&self, start: usize, from: &Person<'a>, step: &Step, actions: Actions) -> Vec<usize> {
        let technique = step.technique;
        let Some(home) = self.survey.home(from) else { return Vec::new() };
        let of_kind = |wanted: fn(&Being<'_>) -> bool| -> Vec<usize> {
            let is = |&place: &usize| self.survey.person(place).is_some_and(|person| wanted(&person.being));
            home.people.iter().copied().filter(|&place| place != start).filter(is).collect()
        };
        let mut found = match technique.target {
            TargetKind::Start => vec![start],
            TargetKind::User => of_kind(|being| matches!(being, Being::User(_))),
            TargetKind::Group => of_kind(|being| matches!(being, Being::Group)),
            TargetKind::Role if step.has(&Prerequisite::TrustsEveryone) => Vec::new(),
            TargetKind::Role if step.has(&Prerequisite::TrustsOutsideAccount) => Vec::new(),
            TargetKind::Role if step.has(&Prerequisite::TargetTrustsStart) => self.trusting(start, from, step, actions),
            TargetKind::Role if !technique.trusts.is_empty() => {
                let by_service = technique.trusts.iter().flat_map(|s| self.trusts.of_service(from.home, s));
                by_service.copied().filter(|&place| place != start).collect::<BTreeSet<_>>().into_iter().collect()
            }
            TargetKind::Role => of_kind(|being| matches!(being, Being::Role(_))),
        };
        found.extend(self.beyond(from, step));
        found
    }

    /// Roles of other accounts whose compute lets someone from outside its account in by its own policy: a technique
    /// that asks for nothing but that compute may work across accounts.
    fn beyond(&self, from: &Person<'a>, step: &Step) -> Vec<usize> {
        let Some(wanted) = step.technique.resource.as_ref().filter(|wanted| wanted.runs_as_target) else {
            return Vec::new();
        };
        if !step.needs.iter().all(|need| need.requirement.on == Place::Resource) {
            return Vec::new();
        }
        let open = self.open.get(&wanted.kind).into_iter().flatten().copied();
        open.filter(|&place| self.survey.person(place).is_some_and(|role| role.home != from.home)).collect()
    }

    /// Roles whose trust policy could let this principal in.
    fn trusting(&self, start: usize, from: &Person<'a>, step: &Step, actions: Actions) -> Vec<usize> {
        let mut found: BTreeSet<usize> = self.trusts.naming(from.arn).iter().copied().collect();
        let assumes = step.needs.iter().filter(|need| need.requirement.action.service() == "sts");
        if assumes.clone().all(|need| actions.holds(need.action)) {
            let account = self.survey.home(from).map(|home| home.id);
            found.extend(account.map(|id| self.trusts.of_account(id)).unwrap_or_default());
            found.extend(self.trusts.everyone());
        }
        // Writing to a role works within an account only.
        let beyond = step.needs.len() > 1;
        let near = |place: &usize| !beyond || self.survey.person(*place).is_some_and(|role| role.home == from.home);
        found.into_iter().filter(|&place| place != start).filter(near).collect()
    }

    fn edge(&mut self, attempt: &Attempt<'_, 'a>, works: Works<'a>) -> Edge {
        let technique = attempt.step.technique;
        let to = match technique.gains {
            Gain::CreateAdminRole => Subject::NewRole,
            _ => Subject::Arn(attempt.to.arn.clone()),
        };
        Edge {
            from: Subject::Arn(attempt.from.arn.clone()),
            to,
            technique: &technique.id,
            gains_admin: self.gains_admin(attempt, &works.rewritten),
            conditional_on: works.keys.into_iter().collect(),
            through: works.through.cloned(),
        }
    }
}

fn open_compute<'a>(survey: &Survey<'a>) -> BTreeMap<&'a ResourceKind, Vec<usize>> {
    let mut open: BTreeMap<&ResourceKind, Vec<usize>> = BTreeMap::new();
    for home in &survey.homes {
        for ((kind, role), resources) in &home.running {
            let policies = resources.iter().filter_map(|resource| survey.resource_policy(&resource.arn));
            if let Some(place) = survey.place(role).filter(|_| policies.into_iter().any(names_users)) {
                open.entry(kind).or_default().push(place);
            }
        }
    }
    open
}

/// Whether a policy lets in users, roles or accounts, or everyone.
fn names_users(policy: &PolicyDocument) -> bool {
    let allows = policy.statements.iter().filter(|statement| statement.effect != Effect::Deny);
    allows.filter_map(|statement| statement.principal.as_ref()).any(|element| match element {
        PrincipalElement::Principal(patterns) => {
            patterns.iter().any(|p| matches!(p.value, PrincipalPattern::Aws(_) | PrincipalPattern::Everyone))
        }
        PrincipalElement::NotPrincipal(_) => true,
    })
}
