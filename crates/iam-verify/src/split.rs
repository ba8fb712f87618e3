//! A shared role taken apart: is each part safe for the function that gets it?
//!
//! Judged by the four claims, in the accounts as they would be if each function had an exact copy of the shared role: the
//! copy gives it what it has now, so whatever a part gives less or otherwise is the split's doing. What other policies
//! allow the shared role by its name is lost even to a copy, and is asked apart.

mod named;
mod passed;
mod relies;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::permission_set::Limits;
use iam_evaluate::{Context, Evaluator, Principal, Request};
use iam_graph::AccessGraph;
use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::change::{Attachment, AttachmentKind, Change, NewPolicy, RolePart, RoleSplit};
use iam_model::finding::Subject;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{PolicyOrigin, Role, Snapshot, SnapshotIndex};
use iam_model::usage::{Observation, PrincipalUsage, UnresolvedEvent, UsageLog};

use crate::adds_nothing;
use crate::obeys_guardrails::{Evidence, Rulebook, Settings, State};
use crate::outcome::{Claim, Outcome};
use crate::verify::{Grounds, Verdict, verify};

/// The judgement on one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartVerdict {
    /// The function.
    pub function: Arn,
    /// The role it would get.
    pub role: Arn,
    /// The four claims about it.
    pub verdict: Verdict,
}

/// What splits are judged on.
pub struct SplitGrounds<'a> {
    /// The accounts as they are.
    pub index: &'a SnapshotIndex<'a>,
    /// The rules.
    pub rulebook: &'a Rulebook<'a>,
    /// What was seen, and could have been.
    pub evidence: Evidence<'a>,
    /// What the organisation states.
    pub settings: &'a Settings,
}

/// Judges splits together; a verdict for each part, in their order.
#[must_use]
pub fn verify_splits(splits: &[RoleSplit], grounds: &SplitGrounds<'_>) -> Vec<PartVerdict> {
    verify_splits_by(splits, grounds, &|count, judge| (0..count).filter_map(judge).collect())
}

/// How so many parts are judged: each by its number, and all in their order.
pub type Run<'r> = &'r dyn Fn(usize, &(dyn Fn(usize) -> Option<PartVerdict> + Sync)) -> Vec<PartVerdict>;

/// The same, with `run` asking for the verdicts, on as many threads as it likes.
#[must_use]
pub fn verify_splits_by(splits: &[RoleSplit], grounds: &SplitGrounds<'_>, run: Run<'_>) -> Vec<PartVerdict> {
    let parts: Vec<(&RoleSplit, &RolePart)> = splits.iter().flat_map(|s| s.parts.iter().map(move |p| (s, p))).collect();
    let copied = copies(&parts, grounds.index);
    let (index, _) = SnapshotIndex::new(&copied);
    let changes: Vec<Vec<Change>> = parts.iter().map(|(split, part)| changes(split, part, grounds.index)).collect();
    let trusts = parts.iter().filter_map(|(split, part)| trust_change(split, part, grounds.index));
    let all: Vec<Change> = changes.iter().flatten().cloned().chain(trusts).collect();
    let (before, after) = (iam_graph::build(&index, &[]), iam_graph::build(&index, &all));
    let usage = grounds.evidence.usage.map(|usage| by_part(&parts, usage));
    let seen = Evidence { usage: usage.as_ref(), ..grounds.evidence };
    let now = iam_graph::build(grounds.index, &[]);
    let (original, evaluator) = (Evaluator::new(grounds.index), Evaluator::new(&index));
    let passers: BTreeMap<&Arn, Vec<&Arn>> =
        splits.iter().map(|s| (&s.role, passed::passers(&s.role, grounds.index, &original))).collect();
    let judge = |((split, part), changes): (&(&RoleSplit, &RolePart), &Vec<Change>)| -> PartVerdict {
        let own = usage.as_ref().map(|usage| only(&part.role, usage));
        let state = |graph| State::new(grounds.rulebook, &index, graph, seen, grounds.settings);
        let of_part =
            Grounds { before: state(&before), after: state(&after), evaluator: &evaluator, usage: own.as_ref() };
        let verdict = match grounds.index.role(&split.role) {
            Some(role) => {
                let mut verdict = verify(&changes.iter().collect::<Vec<_>>(), &of_part);
                let twins = parts.iter().filter(|(_, other)| is_one_name(&other.role, &part.role)).count() > 1;
                let asked = Asked {
                    split,
                    part,
                    role,
                    twins,
                    index: grounds.index,
                    original: &original,
                    copied: &evaluator,
                    graphs: (&now, &after),
                    parts: &parts,
                    usage: grounds.evidence.usage,
                    evidence: grounds.evidence,
                    catalog: grounds.rulebook.catalog,
                    passers: passers.get(&split.role).map(Vec::as_slice).unwrap_or_default(),
                    buckets: OnceCell::new(),
                };
                asked.correct(&mut verdict, own.as_ref());
                verdict
            }
            None => Verdict::undecided(&format!("the snapshot holds no role {}", split.role)),
        };
        PartVerdict { function: part.function.clone(), role: part.role.clone(), verdict }
    };
    run(parts.len(), &|at| Some(judge((parts.get(at)?, changes.get(at)?))))
}

/// The accounts with an exact copy of the shared role for each function, and the functions running with the copies.
fn copies(parts: &[(&RoleSplit, &RolePart)], index: &SnapshotIndex<'_>) -> Snapshot {
    let mut copied = index.snapshot().clone();
    for (split, part) in parts {
        let Some(role) = index.role(&split.role) else { continue };
        let mut own: Role = role.clone();
        own.identity.arn = part.role.clone();
        own.identity.name = part.role.name().to_owned();
        own.identity.unique_id = None;
        own.instance_profiles = Vec::new();
        let accounts = copied.accounts.iter_mut();
        for (_, account) in accounts.filter(|(id, _)| split.role.account().as_ref() == Some(*id)) {
            account.roles.push(own.clone());
            for function in account.resources.iter_mut().filter(|resource| resource.arn == part.function) {
                function.role = Some(part.role.clone());
            }
        }
    }
    copied
}

/// What turns a copy into the part.
fn changes(split: &RoleSplit, part: &RolePart, index: &SnapshotIndex<'_>) -> Vec<Change> {
    let change = |name: String, before: Option<&PolicyDocument>, after: Option<&NewPolicy>| Change {
        attachment: Attachment::identity(part.role.clone(), name),
        before: before.cloned(),
        after: after.map(|policy| policy.document.clone()),
        reasons: after.map(|policy| policy.reasons.clone()).unwrap_or_default(),
    };
    let mut changes = Vec::new();
    let mut written: Vec<&NewPolicy> = part.policies.iter().collect();
    for held in index.identity_policies(&split.role) {
        match held.origin {
            PolicyOrigin::Managed(arn) if part.managed_policies.contains(arn) => {}
            PolicyOrigin::Managed(arn) => changes.push(change(arn.to_string(), Some(held.document), None)),
            PolicyOrigin::Inline(_) | PolicyOrigin::Group(_) => {
                let at = written.iter().position(|policy| policy.name == held.name);
                let after = at.map(|at| written.remove(at));
                changes.push(change(held.name.to_owned(), Some(held.document), after));
            }
        }
    }
    changes.extend(written.into_iter().map(|policy| change(policy.name.clone(), None, Some(policy))));
    let arn = |policy: &NewPolicy| part.managed_arn(&policy.name).map_or_else(String::new, |arn| arn.to_string());
    changes.extend(part.new_managed_policies.iter().map(|policy| change(arn(policy), None, Some(policy))));
    changes
}

fn trust_change(split: &RoleSplit, part: &RolePart, index: &SnapshotIndex<'_>) -> Option<Change> {
    let role = index.role(&split.role)?;
    let mut attachment = Attachment::identity(part.role.clone(), String::new());
    (attachment.kind, attachment.policy_name) = (AttachmentKind::Trust, None);
    Some(Change { attachment, before: Some(role.trust.clone()), after: Some(part.trust.clone()), reasons: Vec::new() })
}

/// What the logs are, without what anyone did.
fn without_calls(usage: &UsageLog) -> UsageLog {
    UsageLog {
        window: usage.window,
        seen_in: usage.seen_in.clone(),
        skipped: usage.skipped.clone(),
        unread_files: usage.unread_files,
        records: usage.records,
        ..UsageLog::default()
    }
}

/// What each function did with the shared role, as if its new role had done it.
fn by_part(parts: &[(&RoleSplit, &RolePart)], usage: &UsageLog) -> UsageLog {
    let mut own = without_calls(usage);
    for (split, part) in parts {
        let Some(seen) = usage.principals.get(&split.role) else { continue };
        let mine = |o: &&Observation| o.function.as_deref() == Some(part.function.name());
        let observations: Vec<_> = seen.observations.iter().filter(mine).cloned().collect();
        own.principals.insert(part.role.clone(), PrincipalUsage { observations });
        let unknown = usage.unresolved.iter().filter(|event| event.may_be_of(&split.role));
        own.unresolved.extend(unknown.map(|event| {
            let principals = [part.role.clone()].into();
            UnresolvedEvent { principals, ..event.clone() }
        }));
    }
    own
}

fn only(role: &Arn, usage: &UsageLog) -> UsageLog {
    let mut own = without_calls(usage);
    own.principals.extend(usage.principals.get(role).map(|seen| (role.clone(), seen.clone())));
    own
}

/// Whether two roles of one account have one name: paths do not tell them apart, nor does case.
fn is_one_name(one: &Arn, other: &Arn) -> bool {
    one.account() == other.account() && one.name().eq_ignore_ascii_case(other.name())
}

fn refuted(because: String) -> Outcome {
    Outcome::Refuted { because, counterexample: None }
}

/// What the four claims do not ask.
struct Asked<'s, 'a> {
    split: &'s RoleSplit,
    part: &'s RolePart,
    role: &'s Role,
    /// Whether another part makes a role of the same name.
    twins: bool,
    index: &'s SnapshotIndex<'a>,
    original: &'s Evaluator<'a>,
    copied: &'s Evaluator<'s>,
    /// Who can become whom as things are, and after the split.
    graphs: (&'s AccessGraph, &'s AccessGraph),
    parts: &'s [(&'s RoleSplit, &'s RolePart)],
    /// What everybody was seen to do, if anything was read.
    usage: Option<&'s UsageLog>,
    evidence: Evidence<'s>,
    catalog: &'s Catalog,
    /// Who may pass the shared role, and perhaps not the new one.
    passers: &'s [&'a Arn],
    /// Names of the buckets of the snapshot, once asked for.
    buckets: OnceCell<BTreeSet<&'a str>>,
}

impl Asked<'_, '_> {
    /// Puts a worse outcome in the place of a better one.
    fn correct(&self, verdict: &mut Verdict, usage: Option<&UsageLog>) {
        let seen = usage.and_then(|usage| usage.principals.get(&self.part.role));
        let observations = seen.map(|seen| seen.observations.as_slice()).unwrap_or_default();
        let used = [
            self.runs(),
            self.lambda_may_assume(),
            self.named(observations),
            self.named_elsewhere(observations),
            self.tags(),
            self.passed(),
        ];
        let added = [self.runs(), self.structure(), self.trust(), self.told_apart(), self.tags()];
        let opened = [self.opens()];
        for (claim, outcome) in &mut verdict.claims {
            let asked: &[Option<Outcome>] = match claim {
                Claim::KeepsUsed => &used,
                Claim::AddsNothing => &added,
                Claim::OpensNoPath => &opened,
                Claim::ObeysGuardrails => &[],
            };
            let asked = || asked.iter().flatten();
            let refuted = asked().find(|outcome| matches!(outcome, Outcome::Refuted { .. }));
            if let (Some(worse), false) =
                (refuted.or_else(|| asked().next()), matches!(outcome, Outcome::Refuted { .. }))
            {
                *outcome = worse.clone();
            }
        }
    }

    /// The function must run with the shared role now: another one would get permissions of somebody else's.
    fn runs(&self) -> Option<Outcome> {
        let functions = self.index.functions_of(&self.split.role);
        let runs = functions.iter().any(|function| function.arn == self.part.function);
        (!runs).then(|| {
            refuted(format!(
                "{} does not run with the shared role {} in the snapshot",
                self.part.function, self.split.role
            ))
        })
    }

    /// Tags that differ from the shared role's must be asked for by no policy.
    fn tags(&self) -> Option<Outcome> {
        let (new, shared) = (&self.part.tags, &self.role.identity.tags);
        let keys: Vec<&str> = new
            .keys()
            .chain(shared.keys())
            .filter(|key| new.get(*key) != shared.get(*key))
            .map(String::as_str)
            .collect();
        if keys.is_empty() {
            return None;
        }
        let (place, key) = named::asks_for_tag(&keys, self.places())?;
        let says =
            |tags: &BTreeMap<String, String>| tags.get(&key).map_or("none".to_owned(), |value| format!("`{value}`"));
        Some(Outcome::Undecided {
            why: format!(
                "{place} asks for the caller's tag `{key}`: the shared role has {}, the new one {}",
                says(shared),
                says(new)
            ),
        })
    }

    /// Whoever can become the new role must have been able to become the shared one.
    fn opens(&self) -> Option<Outcome> {
        let (now, after) = self.graphs;
        let new = Subject::Arn(self.part.role.clone());
        let shared = Subject::Arn(self.split.role.clone());
        let origin = |from: &Subject| {
            let part = self.parts.iter().find(|(_, part)| Some(&part.role) == from.arn());
            part.map_or_else(|| from.clone(), |(split, _)| Subject::Arn(split.role.clone()))
        };
        let could = |from: &Subject| {
            let from = origin(from);
            from == shared || now.edges().any(|edge| edge.to == shared && edge.from == from)
        };
        let opened = after.edges().find(|edge| edge.to == new && edge.from != new && !could(&edge.from))?;
        let (from, technique) = (opened.from.as_str(), opened.technique);
        Some(refuted(format!("{from} becomes {} by {technique}, and cannot become the shared role", self.part.role)))
    }

    /// The trust policy must let nobody in whom the shared role's did not.
    fn trust(&self) -> Option<Outcome> {
        let (before, after) = (Some(&self.role.trust), Some(&self.part.trust));
        let outcome = adds_nothing::check(AttachmentKind::Trust, before, after, Limits::default()).outcome;
        let of = |text: String| format!("trust policy: {text}");
        match outcome {
            Outcome::Proved { .. } => None,
            Outcome::Refuted { because, counterexample } => {
                Some(Outcome::Refuted { because: of(because), counterexample })
            }
            Outcome::Undecided { why } => Some(Outcome::Undecided { why: of(why) }),
        }
    }

    /// Whatever is not said by policies: the name is free, the boundary and the attachments are the shared role's.
    fn structure(&self) -> Option<Outcome> {
        let (part, identity) = (self.part, &self.role.identity);
        let foreign = part.managed_policies.iter().find(|arn| !identity.attached_policies.contains(arn));
        let exists = self.index.roles().find(|role| is_one_name(&role.identity.arn, &part.role));
        let because = if let Some(held) = exists {
            format!("{} exists already", held.identity.arn)
        } else if let Some(because) = self.policy_name() {
            because
        } else if self.twins {
            format!("another part makes {} too", part.role)
        } else if part.role.account() != self.split.role.account() {
            format!("{} is of another account than the shared role", part.role)
        } else if part.boundary != identity.boundary {
            "the permissions boundary is not the shared role's".to_owned()
        } else {
            format!("{} is attached, and the shared role does not have it", foreign?)
        };
        Some(refuted(because))
    }

    /// What is wrong with the name of a new managed policy. An account tells names apart neither by path nor by case.
    fn policy_name(&self) -> Option<String> {
        let account = self.part.role.account();
        let all = self.index.snapshot().accounts.values().flat_map(|account| account.managed_policies.keys());
        let held: Vec<&str> = all.filter(|arn| arn.account() == account).map(Arn::name).collect();
        let parts = self.parts.iter().filter(|(_, part)| part.role.account() == account);
        let made: Vec<&NewPolicy> = parts.flat_map(|(_, part)| &part.new_managed_policies).collect();
        let wrong = |policy: &NewPolicy| {
            let name = policy.name.as_str();
            let same = |other: &str| other.eq_ignore_ascii_case(name);
            if self.part.managed_arn(name).is_none_or(|arn| arn.name() != name) {
                Some(format!("`{name}` is no name of a managed policy"))
            } else if held.iter().any(|other| same(other)) {
                Some(format!("a managed policy `{name}` exists already"))
            } else if made.iter().filter(|other| same(&other.name)).count() > 1 {
                Some(format!("another part makes the managed policy `{name}` too"))
            } else {
                None
            }
        };
        self.part.new_managed_policies.iter().find_map(wrong)
    }

    fn lambda_may_assume(&self) -> Option<Outcome> {
        let mut attachment = Attachment::identity(self.part.role.clone(), String::new());
        attachment.kind = AttachmentKind::Trust;
        let after = Some(self.part.trust.clone());
        let change = Change { attachment, before: Some(self.role.trust.clone()), after, reasons: Vec::new() };
        let request = Request {
            principal: Principal::parse("lambda.amazonaws.com").ok()?,
            action: "sts:AssumeRole".parse::<Action>().ok()?,
            resource: self.part.role.clone().into(),
            resource_account: None,
            context: Context::open(),
        };
        let may = |evaluator: &Evaluator<'_>| !evaluator.decide_request(&request).outcome.is_deny();
        let after = self.copied.with_change(&change).ok();
        (!after.is_some_and(|after| may(&after))).then(|| Outcome::Refuted {
            because: format!("Lambda could not run {} with it", self.part.function.name()),
            counterexample: None,
        })
    }
}
