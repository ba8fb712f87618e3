//! VPC endpoints: what the roles of the logs were seen to call through one, and for everybody else what it lets through now.
//!
//! Follows the VPC topic "Control access to VPC endpoints using endpoint policies". An endpoint carries the calls of whoever
//! can reach it: users, other accounts, AWS itself with addresses that it signed. Logs hold roles, so only these are cut,
//! told apart by `aws:PrincipalArn`. A call whose log names no endpoint counts as if it had come through this one, but for
//! functions outside of every VPC.

mod callers;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{AccountId, Arn};
use iam_model::change::AttachmentKind;
use iam_model::condition::{Comparison, ConditionKey};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, Statement, compact_len};
use iam_model::quota::ResourceQuota;
use iam_model::snapshot::VpcEndpoint;
use iam_model::text::{Spanned, grouped};
use iam_model::usage::{Observation, UnresolvedKind, Visibility};

use self::callers::Callers;
use super::draft::lead;
use super::roles::lines;
use super::{DocumentProposal, Draft, Ground, attachment, condition, understood};
use crate::bounds::Bounds;
use crate::infer::infer;
use crate::naming::magnitude;
use crate::narrow::{Candidate, Served, narrow};
use crate::needs::Known;
use crate::plumbing::Runs;

const PRINCIPAL_ARN: &str = "aws:PrincipalArn";

pub(super) fn propose(arn: &Arn, held: &VpcEndpoint, ground: &Ground<'_, '_>) -> Option<DocumentProposal> {
    let policy = held.policy.as_ref()?;
    let most = ResourceQuota::of(ground.quotas.vpc_endpoint);
    let place = attachment(AttachmentKind::VpcEndpoint, None, Some(arn));
    let mut draft = Draft::new();
    let endpoint = match Endpoint::new(held, policy, ground) {
        Ok(endpoint) => endpoint,
        Err(why) => {
            draft.left_alone.push(why);
            return Some(draft.finish(place, policy, most));
        }
    };
    let drafted = |apart: bool| {
        let mut draft = Draft::new();
        for statement in &policy.statements {
            draft.judge(&endpoint.seen(statement), |draft| endpoint.statement(statement, apart, draft));
        }
        draft
    };
    draft = drafted(true);
    if !draft.statements.iter().any(|statement| statement.effect == Effect::Allow) {
        // Without a policy, an endpoint lets everything through.
        draft = Draft::new();
        draft.left_alone.push(
            "nothing it lets through is known to be used, so it stays: without a policy it lets through all".into(),
        );
        return Some(draft.finish(place, policy, most));
    }
    if compact_len(&PolicyDocument { statements: draft.statements.clone(), ..policy.clone() }) > most.characters {
        draft = drafted(false);
    }
    if !draft.reasons.is_empty() && endpoint.unnamed > 0 {
        let (calls, they) = if endpoint.unnamed == 1 { ("call does", "it") } else { ("calls do", "they") };
        draft.left_alone.push(format!(
            "{} {calls} not say by which way {they} came; {they} may go on coming through it",
            grouped(endpoint.unnamed)
        ));
    }
    Some(draft.finish(place, policy, most))
}

/// An endpoint, and who was seen to come through it.
struct Endpoint<'e, 'g, 'a> {
    policy: &'e PolicyDocument,
    ground: &'e Ground<'g, 'a>,
    services: Vec<&'static str>,
    /// Patterns of all roles of the accounts whose logs were read.
    roles: Vec<String>,
    accounts: BTreeSet<AccountId>,
    /// Roles that keep all of it, as the logs do not know enough of them, and why.
    kept: BTreeMap<&'e Arn, String>,
    /// What came through it, or may have, by role.
    calls: BTreeMap<&'e Arn, Vec<&'e Observation>>,
    /// Calls that name no endpoint.
    unnamed: u64,
}

impl<'e, 'g, 'a> Endpoint<'e, 'g, 'a> {
    fn new(held: &'e VpcEndpoint, policy: &'e PolicyDocument, ground: &'e Ground<'g, 'a>) -> Result<Self, String> {
        if !understood(policy) {
            return Err("its policy is not understood whole, so it stays as it is".into());
        }
        let services = held
            .services()
            .ok_or_else(|| format!("which actions `{}` takes is not known here, so its policy stays", held.service))?;
        let (days, asked) = (ground.evidence.coverage.days, ground.rules.min_days);
        if days == 0 || days < asked {
            return Err(format!("the logs span {days} days, and {asked} are asked for before anything is shut out"));
        }
        let snapshot = ground.index.snapshot();
        let accounts: BTreeSet<AccountId> =
            snapshot.accounts.keys().filter(|id| ground.is_logged(id).is_ok()).cloned().collect();
        let Some(partition) = snapshot
            .accounts
            .iter()
            .filter(|(id, _)| accounts.contains(id))
            .find_map(|(_, account)| Some(account.roles.first()?.identity.arn.partition()))
        else {
            return Err("no logs were read that hold all calls of an account, so its policy stays".into());
        };
        let roles = accounts.iter().map(|id| format!("arn:{partition}:iam::{id}:role/*")).collect();
        let (kept, calls) = (BTreeMap::new(), BTreeMap::new());
        let mut endpoint = Self { policy, ground, services, roles, accounts, kept, calls, unnamed: 0 };
        endpoint.is_resolved()?;
        endpoint.kept = endpoint.unknown();
        endpoint.gather(&held.id);
        if endpoint.calls.is_empty() {
            return Err(format!(
                "no role was seen to call {} through it in {days} days; one that nobody uses is better deleted, by hand",
                endpoint.services.join(", ")
            ));
        }
        Ok(endpoint)
    }

    fn is_of_service(&self, action: &Action) -> bool {
        self.services.iter().any(|service| service.eq_ignore_ascii_case(action.service()))
    }

    /// Whether every call of the services is one whose action is known.
    fn is_resolved(&self) -> Result<(), String> {
        let unknown =
            self.ground.evidence.usage.unresolved.iter().filter(|event| event.kind == UnresolvedKind::Unknown);
        let mut of_service = unknown.filter(|event| {
            let services = event.services(self.ground.evidence.catalog);
            services.is_none_or(|called| {
                called.iter().any(|service| self.services.iter().any(|own| own.eq_ignore_ascii_case(service)))
            })
        });
        let by_roles = of_service
            .find(|event| event.principals.is_empty() || event.principals.iter().any(|arn| self.is_logged(arn)));
        match by_roles {
            Some(event) => Err(format!(
                "calls of `{}` were seen, and no action is known for them, so its policy stays",
                event.event_name
            )),
            None => Ok(()),
        }
    }

    fn is_logged(&self, role: &Arn) -> bool {
        role.account().is_some_and(|account| self.accounts.contains(&account))
    }

    /// Every call that came through it, or may have.
    fn gather(&mut self, id: &str) {
        let key = ConditionKey::new("aws:SourceVpce");
        let ground = self.ground;
        let (mut all, mut unnamed) = (BTreeMap::new(), 0);
        for (role, used) in ground.evidence.usage.principals.iter().filter(|(role, _)| self.is_logged(role)) {
            let functions = ground.index.functions_of(role);
            let mut calls = Vec::new();
            for call in used.observations.iter().filter(|call| call.count > 0 && self.is_of_service(&call.action)) {
                match call.context.get(&key).map(Vec::as_slice) {
                    Some([named]) if named == id => calls.push(call),
                    Some([_]) => {}
                    _ => {
                        let mut by = functions.iter().filter(|f| call.function.as_deref() == Some(f.arn.name()));
                        if !by.next().is_some_and(|function| function.is_outside_vpcs()) {
                            unnamed += call.count;
                            calls.push(call);
                        }
                    }
                }
            }
            if !calls.is_empty() {
                all.insert(role, calls);
            }
        }
        (self.calls, self.unnamed) = (all, unnamed);
    }

    /// What roles were seen to do through it by a statement, a line each.
    fn seen(&self, statement: &Statement) -> Vec<String> {
        let Some(candidate) = Candidate::new(self.policy, statement) else { return Vec::new() };
        let callers = self.callers(statement);
        let roles = self.let_in(&callers).filter_map(|role| self.calls.get_key_value(role));
        let calls = roles.flat_map(|(role, calls)| calls.iter().map(move |call| (*role, *call)));
        lines(calls.filter(|(_, call)| candidate.allows_action(&call.action)))
    }

    /// A statement as it would be; each role in statements of its own where `apart`.
    fn statement(&self, statement: &Statement, apart: bool, draft: &mut Draft) {
        if statement.effect != Effect::Allow {
            draft.statements.push(statement.clone());
            return;
        }
        let callers = self.callers(statement);
        if let Callers::Others | Callers::NotJudged(_) = callers {
            if let Callers::NotJudged(why) = callers {
                draft.left_alone.push(format!("{}{why}", said(statement)));
            }
            draft.statements.push(statement.clone());
            return;
        }
        let mut bare = Statement { principal: None, ..statement.clone() };
        if !matches!(callers, Callers::Everyone) {
            bare.conditions.retain(|condition| condition.key != ConditionKey::new(PRINCIPAL_ARN));
        }
        let Some(candidate) = Candidate::new(self.policy, &bare) else {
            draft.statements.push(statement.clone());
            return;
        };
        let kept: BTreeSet<Arn> = self.let_in(&callers).filter(|role| self.kept.contains_key(role)).cloned().collect();
        if self.let_in(&callers).all(|role| kept.contains(role)) && !kept.is_empty() {
            draft.left_alone.extend(self.why_kept(statement, &kept));
            draft.statements.push(statement.clone());
            return;
        }
        let (unseen, why) = self.unseen(&candidate, &callers);
        let parts = self.parts(&candidate, &bare, &callers, &unseen, apart);
        let all: Vec<Served> = parts
            .iter()
            .flat_map(|part| part.served.iter().cloned())
            .chain(unseen.iter().map(|action| Served::as_granted(action.clone(), 0)))
            .collect();
        let together = narrow(&bare, &all, &[], (false, &|_| 0));
        let same = match (&callers, parts.as_slice()) {
            // Each of those it names must need all of it.
            (Callers::Roles(named), [only]) => {
                only.roles == *named
                    && kept.is_empty()
                    && unseen.is_empty()
                    && Statement { sid: bare.sid.clone(), ..only.statement.clone() } == bare
            }
            (Callers::Roles(_), _) => false,
            _ => matches!(together.as_slice(), [only] if only.statement == bare),
        };
        if same {
            draft.statements.push(statement.clone());
            return;
        }
        self.write(statement, &bare, (&callers, &kept, &unseen, why), parts, draft);
    }

    /// What a statement allows of the endpoint's services, and some role may use without a record; and why, for one.
    fn unseen(&self, candidate: &Candidate<'_>, callers: &Callers) -> (BTreeSet<Action>, Option<String>) {
        let catalog = self.ground.evidence.catalog;
        let known =
            self.services.iter().flat_map(|service| catalog.service_actions(service)).map(|facts| facts.action());
        let named = candidate
            .named()
            .filter_map(|pattern| pattern.as_str().parse().ok())
            .filter(|action| self.is_of_service(action));
        let asked: BTreeSet<Action> = known.filter(|action| candidate.allows_action(action)).chain(named).collect();
        let (mut unseen, mut first) = (BTreeSet::new(), None);
        let roles: Vec<&Arn> = self.judged(callers).collect();
        for action in asked {
            let why = roles.iter().find_map(|role| {
                let known = Known { role, evidence: self.ground.evidence, rules: self.ground.rules };
                match known.visibility(&action) {
                    // Trails may have recorded a part, and of some regions nothing may have been read.
                    Visibility::Visible => known.unsure(&action, candidate.statement).map(|unsure| unsure.why),
                    Visibility::Invisible(why) => Some(why),
                }
            });
            if let Some(why) = why {
                first.get_or_insert_with(|| format!("{action}: {why}"));
                unseen.insert(action);
            }
        }
        (unseen, first)
    }

    /// What each role keeps of a statement, but for what stays for all of them.
    fn parts(
        &self,
        candidate: &Candidate<'_>,
        bare: &Statement,
        callers: &Callers,
        unseen: &BTreeSet<Action>,
        apart: bool,
    ) -> Vec<Part> {
        let mut all: Vec<(Arn, Vec<Served>)> = Vec::new();
        for role in self.judged(callers) {
            let served: Vec<Served> =
                self.served(role, candidate).into_iter().filter(|served| !unseen.contains(&served.action)).collect();
            if !served.is_empty() {
                all.push((role.clone(), served));
            }
        }
        if !apart {
            let roles = all.iter().map(|(role, _)| role.clone()).collect();
            let served: Vec<Served> = all.into_iter().flat_map(|(_, served)| served).collect();
            return narrow(bare, &served, &[], (false, &|_| 0))
                .into_iter()
                .map(|part| Part { statement: part.statement, roles: BTreeSet::clone(&roles), served: served.clone() })
                .collect();
        }
        let mut parts: Vec<Part> = Vec::new();
        for (role, served) in all {
            for narrowed in narrow(bare, &served, &[], (false, &|_| 0)) {
                let statement = Statement { sid: None, ..narrowed.statement };
                match parts.iter_mut().find(|part| part.statement == statement) {
                    Some(part) => {
                        part.roles.insert(role.clone());
                        part.served.extend(served.iter().cloned());
                    }
                    None => {
                        let roles = BTreeSet::from([role.clone()]);
                        parts.push(Part { statement, roles, served: served.clone() });
                    }
                }
            }
        }
        parts
    }

    /// What one role was seen to use through it, or must stay able to.
    fn served(&self, role: &Arn, candidate: &Candidate<'_>) -> Vec<Served> {
        let ground = self.ground;
        let bounds = Bounds::new(role, ground.evidence.usage, ground.existing);
        let mut served = Vec::new();
        if let Some(calls) = self.calls.get(role) {
            let actions: BTreeSet<&Action> =
                calls.iter().map(|call| &call.action).filter(|action| candidate.allows_action(action)).collect();
            for action in &actions {
                let own: Vec<&&Observation> = calls.iter().filter(|call| call.action == **action).collect();
                if own.iter().any(|call| !call.resource_known) {
                    served.push(Served::as_granted((*action).clone(), 0));
                    continue;
                }
                let mut seen: Vec<_> = own.iter().flat_map(|call| call.resources.iter().cloned()).collect();
                seen.sort();
                seen.dedup();
                if let Some((resources, folds)) = candidate.resources_for(action, &seen, &bounds) {
                    served.push(Served { action: (*action).clone(), resources, folds, bound: None, need: 0 });
                }
            }
            let known = Known { role, evidence: ground.evidence, rules: ground.rules };
            let needs =
                infer(&ground.index.functions_of(role), &Runs::of(role, ground.index, ground.rules), known, &bounds);
            for need in needs.into_iter().filter(|need| need.seen.is_none() && self.is_of_service(&need.action)) {
                if actions.contains(&need.action) || !candidate.allows_action(&need.action) {
                    continue;
                }
                let part =
                    need.resources.as_ref().and_then(|seen| candidate.resources_for(&need.action, seen, &bounds));
                let (resources, folds) = part.unwrap_or_default();
                served.push(Served { action: need.action, resources, folds, bound: None, need: 0 });
            }
        }
        if ground.rules.kept(role).next().is_some() {
            let known = self
                .services
                .iter()
                .flat_map(|service| ground.evidence.catalog.service_actions(service))
                .map(|facts| facts.action());
            let kept = known.filter(|action| candidate.allows_action(action) && ground.is_kept(role, action));
            served.extend(kept.map(|action| Served::as_granted(action, 0)));
        }
        served
    }

    /// The part of which one action was called most.
    fn most_called(&self, parts: &[Part]) -> Option<usize> {
        let most = |part: &Part| {
            let actions = part.statement.action.patterns().iter();
            let pairs = part.roles.iter().flat_map(|role| actions.clone().map(move |action| (role, &action.value)));
            let count = |(role, action): (&Arn, &ActionPattern)| {
                let all = self.calls.get(role).into_iter().flatten();
                let own = all.filter(|call| call.action.as_str().eq_ignore_ascii_case(action.as_str()));
                (magnitude(own.map(|call| call.count).sum()), Reverse((role.clone(), action.clone())))
            };
            pairs.map(count).max()
        };
        parts.iter().enumerate().max_by_key(|(at, part)| (most(part), Reverse(*at))).map(|(at, _)| at)
    }

    /// The statements that take the place of one.
    fn write(
        &self,
        old: &Statement,
        bare: &Statement,
        (callers, kept, unseen, why): (&Callers, &BTreeSet<Arn>, &BTreeSet<Action>, Option<String>),
        parts: Vec<Part>,
        draft: &mut Draft,
    ) {
        let (days, first) = (self.ground.evidence.coverage.days, draft.statements.len());
        let accounts = self.accounts.iter().map(AccountId::as_str).collect::<Vec<_>>().join(", ");
        // The first that is written has the name, but for the roles' own parts: of these, what is called most.
        let name = |draft: &Draft, statement: Statement, more: &[&str]| match draft.statements.len() == first {
            true => Statement { sid: old.sid.clone(), ..statement },
            false => draft.named(statement, more, (old, self.policy)),
        };
        if matches!(callers, Callers::Everyone) {
            let others = for_roles(old, old.clone(), Comparison::ArnNotLike, self.roles.clone());
            draft.narrowed(
                others,
                format!("no longer for the roles of account {accounts}: what they use stands for itself"),
                Vec::new(),
            );
            draft.left_alone.push(format!(
                "{}callers that are no roles of account {accounts} keep all of it: these logs do not hold their calls; take the \
                 statement out by hand if none of them should come through",
                said(old)
            ));
        }
        if !kept.is_empty() {
            let roles = kept.iter().map(ToString::to_string).collect();
            let whole = for_roles(old, name(draft, bare.clone(), &["Kept"]), Comparison::ArnEquals, roles);
            let names: Vec<&str> = kept.iter().map(Arn::name).collect();
            draft.narrowed(whole, format!("kept whole for {}", names.join(", ")), Vec::new());
            draft.left_alone.extend(self.why_kept(old, kept));
        }
        if !unseen.is_empty() {
            let action = ActionElement::Action(
                unseen.iter().map(|action| Spanned::synthetic(ActionPattern::from(action))).collect(),
            );
            let roles = match callers {
                Callers::Roles(_) => self.judged(callers).map(ToString::to_string).collect(),
                _ => self.roles.clone(),
            };
            let comparison =
                if matches!(callers, Callers::Roles(_)) { Comparison::ArnEquals } else { Comparison::ArnLike };
            let invisible = Statement { action, ..bare.clone() };
            let kept = for_roles(old, name(draft, invisible, &["Unseen"]), comparison, roles);
            draft.narrowed(kept, "kept for every role: the logs could not have shown these".into(), Vec::new());
            draft.left_alone.extend(why.map(|why| {
                format!(
                    "{}{} for every role: the logs could not have shown them; the first is {why}",
                    said(old),
                    if unseen.len() == 1 { "1 action stays".into() } else { format!("{} actions stay", unseen.len()) }
                )
            }));
        }
        self.write_parts(old, parts, draft.statements.len() == first, draft);
        if draft.statements.len() == first {
            draft.dropped(format!("none of the roles it lets through was seen to use it in {days} days"));
        }
    }

    /// A statement for each part; the first of all that are written has the name of the old one, or what is called most.
    fn write_parts(&self, old: &Statement, parts: Vec<Part>, is_first: bool, draft: &mut Draft) {
        let days = self.ground.evidence.coverage.days;
        let named = if is_first { self.most_called(&parts) } else { None };
        for (at, Part { statement, roles, .. }) in parts.into_iter().enumerate() {
            let names: Vec<&str> = roles.iter().map(Arn::name).collect();
            let because = format!("only what was seen in {days} days of {}", names.join(", "));
            let arns = roles.iter().map(ToString::to_string).collect();
            let part = if named == Some(at) {
                Statement { sid: old.sid.clone(), ..statement }
            } else {
                let more = [names.first().copied().unwrap_or_default(), lead(&statement)];
                draft.named(statement.clone(), &more, (old, self.policy))
            };
            let part = for_roles(old, part, Comparison::ArnEquals, arns);
            draft.narrowed(part, because, Vec::new());
        }
    }
}

/// A statement for some roles, with the principals of the old one.
fn for_roles(old: &Statement, mut statement: Statement, comparison: Comparison, roles: Vec<String>) -> Statement {
    statement.conditions.push(condition(comparison, PRINCIPAL_ARN, roles));
    Statement { principal: old.principal.clone(), ..statement }
}

/// What stays of a statement for some roles.
struct Part {
    statement: Statement,
    roles: BTreeSet<Arn>,
    served: Vec<Served>,
}

fn said(statement: &Statement) -> String {
    statement.sid.as_ref().map(|sid| format!("statement `{sid}`: ")).unwrap_or_default()
}
