//! What an edge rests on: the attempt is made again, and of all that was decided on the way the part is kept that the
//! technique needs.
//!
//! Asks nothing of its own; see [`crate::judge`] for the notes.

use std::borrow::Cow;

use iam_evaluate::{Layer, Principal, ResourceName, StatementRef};
use iam_model::arn::{AccountId, Arn};
use iam_model::policy::{PolicyDocument, Statement};

use super::outsiders::NOBODYS;
use super::{Attempt, Memory, Search};
use crate::graph::Edge;
use crate::grounds::{Asker, Cited, Ground, GroundPlace};
use crate::judge::Noted;
use crate::plan::Step;
use crate::survey::Person;
use crate::technique::{Place, Prerequisite, Requirement, Technique, TrustAsked};

/// An edge with what was decided on its way.
struct Redone<'e> {
    edge: &'e Edge,
    technique: &'static Technique,
    noted: Vec<Noted>,
}

impl<'a> Search<'_, 'a> {
    /// What the edge rests on; nothing where this snapshot holds no such edge.
    pub(crate) fn grounds(&mut self, edge: &Edge) -> Vec<Ground<'a>> {
        let steps = std::mem::take(&mut self.plan.steps);
        let mut grounds = Vec::new();
        if let Some(step) = steps.iter().find(|step| step.technique.id == edge.technique) {
            // What is remembered is not asked again, and so would not be noted.
            self.lets_in.clear();
            self.judge.notes.open();
            let works = self.again(edge, step);
            let redone = Redone { edge, technique: step.technique, noted: self.judge.notes.close() };
            if works.is_some() {
                grounds = self.read(&redone);
            }
        }
        self.plan.steps = steps;
        grounds
    }

    fn again(&mut self, edge: &Edge, step: &Step) -> Option<()> {
        let start = edge.from.arn().and_then(|arn| self.survey.place(arn));
        let target = edge.to.arn().and_then(|arn| self.survey.place(arn));
        let Some(start) = start else {
            let account = edge.from.arn().and_then(Arn::account).or_else(|| NOBODYS.parse::<AccountId>().ok())?;
            self.try_outsider(step, &edge.from, &account, target?, &mut Vec::new());
            return Some(());
        };
        // A role that does not exist yet is made by the start for itself.
        let target = target.unwrap_or(start);
        let (from, to) = (self.survey.person(start)?, self.survey.person(target)?);
        self.works(&Attempt { start, target, step, from, to }, &mut Memory::new()).map(|_| ())
    }

    fn read(&self, redone: &Redone<'_>) -> Vec<Ground<'a>> {
        let mut grounds = Vec::new();
        for requirement in &redone.technique.requires {
            grounds.extend(redone.choose(requirement).map(|noted| self.ground(redone, requirement, noted)));
        }
        if redone.technique.when.contains(&Prerequisite::VersionSlot) {
            let deletes = |n: &&Noted| n.action.as_str().eq_ignore_ascii_case("iam:DeletePolicyVersion");
            let on_it = |n: &&Noted| redone.is_through(&n.on);
            let needed = redone.noted.iter().filter(deletes).find(on_it);
            grounds.extend(needed.map(|noted| self.ground_on(redone, noted, Asker::Start, false)));
        }
        grounds.extend(self.service_let_in(redone));
        grounds
    }

    fn ground(&self, redone: &Redone<'_>, requirement: &Requirement, noted: &Noted) -> Ground<'a> {
        let written = requirement.trust != TrustAsked::AsItIs;
        let mut ground = self.ground_on(redone, noted, Asker::Start, written);
        if let (Place::Any | Place::New, ResourceName::Arn(arn)) = (requirement.on, &noted.on) {
            ground.on = GroundPlace::Chosen(arn.clone());
        }
        ground
    }

    /// The statement of the target's trust policy that lets a service in.
    fn service_let_in(&self, redone: &Redone<'_>) -> Option<Ground<'a>> {
        let services = redone.technique.trusts.iter().filter_map(|service| {
            let asks = |n: &&Noted| matches!(&n.asker, Principal::Service(name) if name.as_str() == service);
            redone.noted.iter().filter(asks).min_by_key(|n| n.keys.len()).map(|noted| (service, noted))
        });
        let (service, noted) = services.min_by_key(|(_, noted)| noted.keys.len())?;
        Some(self.ground_on(redone, noted, Asker::Service(service), false))
    }

    fn ground_on(&self, redone: &Redone<'_>, noted: &Noted, asker: Asker, policy_written: bool) -> Ground<'a> {
        let edge = redone.edge;
        let start = edge.from.arn().and_then(|arn| self.survey.place(arn)).and_then(|place| self.survey.person(place));
        let mut statements = Vec::new();
        for at in &noted.because {
            // The policy of the resource may be one the start writes first: nothing of it is in the snapshot.
            let cited = match at.layer {
                Layer::Resource if policy_written => None,
                Layer::Resource => self.of_resource(&noted.on, at),
                Layer::Identity | Layer::Boundary => start.and_then(|person| of_principal(person, at)),
                Layer::ServiceControl => self.of_account(edge.from.arn().and_then(Arn::account), at),
                Layer::ResourceControl => self.of_account(self.owner(redone, noted), at),
                Layer::Session | Layer::VpcEndpoint => None,
            };
            statements.extend(cited.filter(|cited| !statements.contains(cited)));
        }
        let on = GroundPlace::of(&noted.on, edge.from.arn(), edge.to.arn(), edge.through.as_ref());
        Ground { asker, action: noted.action.clone(), on, conditional_on: noted.keys.clone(), statements }
    }

    /// Whose control policies guard what was asked for.
    fn owner(&self, redone: &Redone<'_>, noted: &Noted) -> Option<AccountId> {
        let named = if let ResourceName::Arn(arn) = &noted.on { arn.account() } else { None };
        named.or_else(|| redone.edge.from.arn().and_then(Arn::account))
    }

    /// A statement of a resource's policy; a role's is its trust policy.
    fn of_resource(&self, on: &ResourceName, at: &StatementRef) -> Option<Cited<'a>> {
        let ResourceName::Arn(arn) = on else { return None };
        let person = self.survey.place(arn).and_then(|place| self.survey.person(place));
        let (document, holder, name) = match person {
            Some(role) => (role.trust?, Some(role.arn), "trust policy"),
            None => (self.survey.resource_policy(arn)?, self.holder(arn), "resource policy"),
        };
        cite(document, at, Cow::Borrowed(name), holder, None)
    }

    /// The same ARN, as the snapshot holds it.
    fn holder(&self, arn: &Arn) -> Option<&'a Arn> {
        let accounts = self.survey.homes.iter().map(|home| home.account);
        accounts.into_iter().find_map(|account| account.resource_policies.get_key_value(arn)).map(|(arn, _)| arn)
    }

    /// A statement of a control policy above an account. Snapshots hold these without names.
    fn of_account(&self, account: Option<AccountId>, at: &StatementRef) -> Option<Cited<'a>> {
        let guardrails = self.survey.guards(&account?)?;
        let levels = if at.layer == Layer::ServiceControl { &guardrails.scps } else { &guardrails.rcps };
        let document = levels.get(at.level)?.get(at.policy)?;
        let name = format!("policy {} of level {}", at.policy, at.level);
        cite(document, at, Cow::Owned(name), None, None)
    }
}

impl Redone<'_> {
    fn is_through(&self, on: &ResourceName) -> bool {
        matches!(on, ResourceName::Arn(arn) if Some(arn) == self.edge.through.as_ref())
    }

    /// The decision a requirement rests on: about the right thing, and of several the one that hangs on least.
    fn choose(&self, requirement: &Requirement) -> Option<&Noted> {
        let fits = |noted: &&Noted| {
            let is = |arn: Option<&Arn>| matches!(&noted.on, ResourceName::Arn(on) if Some(on) == arn);
            noted.action == requirement.action
                && !matches!(noted.asker, Principal::Service(_))
                && match requirement.on {
                    Place::Start => is(self.edge.from.arn()),
                    Place::Policy | Place::Boundary | Place::Resource => self.is_through(&noted.on),
                    Place::Star => noted.on == ResourceName::None,
                    Place::New => self.all_on(&noted.on),
                    // The target may be a group the start is in, or a role nobody has made yet.
                    Place::Target | Place::Any => noted.on != ResourceName::None,
                }
        };
        let weight = |noted: &&Noted| {
            let others = self.noted.iter().filter(|n| requirement.on == Place::New && n.on == noted.on);
            let exact = self.edge.to.arn().is_some_and(|to| matches!(&noted.on, ResourceName::Arn(on) if on == to));
            (!(exact || requirement.on != Place::Target), noted.keys.len(), others.map(|n| n.keys.len()).sum::<usize>())
        };
        self.noted.iter().filter(fits).min_by_key(weight)
    }

    /// Whether everything that must be allowed on one new thing is allowed on this one.
    fn all_on(&self, on: &ResourceName) -> bool {
        let new = self.technique.requires.iter().filter(|requirement| requirement.on == Place::New);
        let allowed = |r: &Requirement| self.noted.iter().any(|noted| noted.action == r.action && noted.on == *on);
        new.into_iter().all(allowed)
    }
}

/// A statement of one of a principal's own policies, or of its boundary.
fn of_principal<'a>(person: &Person<'a>, at: &StatementRef) -> Option<Cited<'a>> {
    if at.layer == Layer::Boundary {
        let managed = person.identity.boundary.as_ref();
        let name = managed.map_or("permissions boundary", Arn::name);
        return cite(person.boundary?, at, Cow::Borrowed(name), Some(person.arn), managed);
    }
    let held = person.policies.get(at.policy)?;
    let holder = held.group.unwrap_or(person.arn);
    cite(held.document, at, Cow::Borrowed(held.name), Some(holder), held.managed)
}

fn cite<'a>(
    document: &'a PolicyDocument,
    at: &StatementRef,
    policy: Cow<'a, str>,
    holder: Option<&'a Arn>,
    managed: Option<&'a Arn>,
) -> Option<Cited<'a>> {
    let text: &'a Statement = document.statements.get(at.statement)?;
    Some(Cited { layer: at.layer, policy, holder, managed, statement: at.statement, text })
}
