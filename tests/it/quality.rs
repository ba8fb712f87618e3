//! How good proposals are, on logs whose truth is known: learn on the first two thirds, replay the last.
//!
//! Used by the tests here and by the example `synthesis_quality`, which prints the table of `docs/quality.md`.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::glob::{Glob, Reading};
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet, Possibility};
use iam_evaluate::{Context, Evaluator, Principal, Request};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::policy::{PolicyDocument, PolicyVersion, Statement, compact_len};
use iam_model::snapshot::{
    Account, Identity, InlinePolicy, Resource, ResourceKind, Role, RoleLife, Snapshot, SnapshotIndex,
};
use iam_model::usage::{AccountCoverage, Coverage, LastAccessed, Observation, UsageLog};
use iam_synthesize::{Evidence, RoleProposal, Rules, synthesize};

/// What a role needs in truth.
pub(crate) struct Truth {
    pub(crate) role: Arn,
    /// The function that runs with it, and its region.
    pub(crate) function: String,
    pub(crate) region: String,
    /// Permissions, each an action and a resource pattern.
    pub(crate) need: Vec<(String, String)>,
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    pub(crate) roles: usize,
    pub(crate) refused: usize,
    pub(crate) trained: u64,
    pub(crate) trained_allowed: u64,
    pub(crate) denied_only: u64,
    pub(crate) denied_only_allowed: u64,
    pub(crate) held_out: u64,
    pub(crate) held_out_allowed: u64,
    /// What a reader of minds would allow: later calls of which the role used the same true permission before, and the
    /// roles with no other call. No tool that reads these logs alone can do better.
    pub(crate) foreseeable: u64,
    pub(crate) roles_foreseeable: usize,
    pub(crate) roles_replayed: usize,
    pub(crate) roles_without_denial: usize,
    pub(crate) grants: u64,
    pub(crate) grants_in_truth: u64,
    pub(crate) over_quota: usize,
    pub(crate) characters: usize,
    /// What was denied, and what was granted beyond the truth, with their counts.
    pub(crate) denials: BTreeMap<String, u64>,
    pub(crate) excess: BTreeMap<String, u64>,
}

/// Characters of the inline policies of one role.
const INLINE_QUOTA: usize = 10_240;

/// Roles that may do everything, and a function for each.
pub(crate) fn snapshot(truths: &[Truth]) -> Snapshot {
    let everything = || {
        PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()])])
    };
    let mut snapshot = Snapshot::default();
    for truth in truths {
        let id = truth.role.account().unwrap();
        let account = snapshot
            .accounts
            .entry(id.clone())
            .or_insert_with(|| Account { trails: Some(everything_logged()), ..Account::default() });
        let arn = format!("arn:aws:lambda:{}:{id}:function:{}", truth.region, truth.function);
        account.resources.push(Resource {
            kind: ResourceKind::parse("lambda.function"),
            arn: arn.parse().unwrap(),
            role: Some(truth.role.clone()),
            api: iam_model::json::Value::Object(vec![(
                "FunctionName".into(),
                iam_model::json::Value::text(&truth.function),
            )]),
        });
        account.roles.push(Role {
            identity: Identity {
                arn: truth.role.clone(),
                name: truth.role.name().to_owned(),
                unique_id: None,
                inline_policies: vec![InlinePolicy { name: "everything".into(), document: everything() }],
                attached_policies: Vec::new(),
                boundary: None,
                tags: BTreeMap::new(),
            },
            trust: PolicyDocument::new(Vec::new()),
            instance_profiles: Vec::new(),
            max_session_seconds: None,
            life: RoleLife::default(),
        });
    }
    snapshot
}

fn everything_logged() -> AccountCoverage {
    let types =
        ["AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SNS::Topic"];
    AccountCoverage {
        management_read: true,
        management_write: true,
        data_types: types.iter().map(|&text| text.into()).collect(),
        ..AccountCoverage::default()
    }
}

/// Proposals of every role, as `paring tighten` makes them.
pub(crate) fn propose(snapshot: &Snapshot, usage: &UsageLog, catalog: &Catalog) -> Vec<RoleProposal> {
    let trails = snapshot.accounts.iter().map(|(id, a)| (id.clone(), a.trails.clone().unwrap()));
    let coverage = Coverage::of(trails.collect(), usage);
    let last_accessed = LastAccessed::default();
    let known = iam_usage::Evidence { usage, coverage: &coverage, last_accessed: &last_accessed, catalog, min_days: 0 };
    let visibility = |role: &Arn, action: &Action| known.visibility(role, action);
    let every_use = |role: &Arn, action: &Action, on: &ResourcePattern| known.every_use(role, action, on);
    let evidence = Evidence {
        usage,
        coverage: &coverage,
        catalog,
        visibility: &visibility,
        every_use: &every_use,
        has_own_record: &|_| false,
    };
    let (index, _) = SnapshotIndex::new(snapshot);
    let roles: Vec<&Role> = index.roles().collect();
    synthesize(&roles, &index, &evidence, &Rules { min_days: 30, ..Rules::default() })
}

/// The accounts with the proposals in place; a refused role keeps what it has.
pub(crate) fn applied(snapshot: &Snapshot, proposals: &[RoleProposal]) -> Snapshot {
    let by_role: BTreeMap<&Arn, &RoleProposal> = proposals.iter().map(|p| (&p.role, p)).collect();
    let mut after = snapshot.clone();
    for role in after.accounts.values_mut().flat_map(|account| &mut account.roles) {
        let proposal = by_role[&role.identity.arn];
        if proposal.changes.is_empty() {
            continue;
        }
        let documents = proposal.changes.iter().filter_map(|change| change.after.clone());
        let named = documents.enumerate().map(|(n, document)| InlinePolicy { name: format!("p{n}"), document });
        role.identity.inline_policies = named.collect();
    }
    after
}

/// Judges proposals made from `train` by what came later, and by the truth.
pub(crate) fn judge(truths: &[Truth], proposals: &[RoleProposal], train: &UsageLog, later: &UsageLog) -> Scores {
    let before = snapshot(truths);
    let after = applied(&before, proposals);
    let (index, _) = SnapshotIndex::new(&after);
    let evaluator = Evaluator::new(&index);
    let mut scores = Scores { roles: truths.len(), ..Scores::default() };
    for truth in truths {
        let proposal = proposals.iter().find(|p| p.role == truth.role).unwrap();
        if proposal.changes.is_empty() {
            scores.refused += 1;
            continue;
        }
        let documents: Vec<PolicyDocument> = proposal.changes.iter().filter_map(|c| c.after.clone()).collect();
        let role = Judged { role: &truth.role, set: PermissionSet::of_documents(&documents), evaluator: &evaluator };
        let seen = observations(train, &truth.role);
        role.training(seen, &mut scores);
        role.later(truth, seen, observations(later, &truth.role), &mut scores);
        size(&documents, &mut scores);
        excess(truth, &documents, &mut scores);
    }
    scores
}

fn observations<'u>(usage: &'u UsageLog, role: &Arn) -> &'u [Observation] {
    usage.principals.get(role).map(|usage| usage.observations.as_slice()).unwrap_or_default()
}

struct Judged<'a> {
    role: &'a Arn,
    set: PermissionSet,
    evaluator: &'a Evaluator<'a>,
}

impl Judged<'_> {
    fn training(&self, seen: &[Observation], scores: &mut Scores) {
        let allowed: BTreeSet<(&Action, &ResourcePattern)> = seen
            .iter()
            .filter(|o| o.count > 0)
            .flat_map(|o| o.resources.iter().map(move |resource| (&o.action, resource)))
            .collect();
        for observation in seen {
            if observation.count > 0 {
                scores.trained += observation.count;
                scores.trained_allowed += if self.allows(observation) { observation.count } else { 0 };
                continue;
            }
            let asked = observation.resources.iter().map(|resource| (&observation.action, resource));
            if observation.resource_known && asked.clone().all(|pair| !allowed.contains(&pair)) {
                scores.denied_only += 1;
                if self.allows(observation) {
                    scores.denied_only_allowed += 1;
                    *scores
                        .excess
                        .entry(format!("denied before: {} {}", observation.action, observation.resources[0]))
                        .or_default() += 1;
                }
            }
        }
    }

    fn later(&self, truth: &Truth, seen: &[Observation], later: &[Observation], scores: &mut Scores) {
        let shown = shown(truth, seen);
        let (mut calls, mut denied, mut unforeseen) = (0, 0, 0);
        for observation in later.iter().filter(|o| o.count > 0) {
            calls += observation.count;
            let asked = |resource: &ResourcePattern| shown.allows(&observation.action, resource) == Possibility::Yes;
            let foreseen = seen.iter().any(|o| same_call(o, observation)) || observation.resources.iter().all(asked);
            unforeseen += if foreseen { 0 } else { observation.count };
            if !self.allows(observation) {
                denied += observation.count;
                let why = if foreseen { "" } else { " (unforeseeable)" };
                *scores.denials.entry(format!("{}{why}", observation.action)).or_default() += observation.count;
            }
        }
        scores.held_out += calls;
        scores.held_out_allowed += calls - denied;
        scores.foreseeable += calls - unforeseen;
        scores.roles_replayed += usize::from(calls > 0);
        scores.roles_without_denial += usize::from(calls > 0 && denied == 0);
        scores.roles_foreseeable += usize::from(calls > 0 && unforeseen == 0);
    }

    /// Whether a call is allowed, on every resource it named.
    fn allows(&self, observation: &Observation) -> bool {
        observation.resources.iter().all(|resource| self.allows_on(observation, resource))
    }

    fn allows_on(&self, observation: &Observation, resource: &ResourcePattern) -> bool {
        let pattern = resource.as_str().contains(['*', '?']) && !resource.is_everything();
        if pattern || !observation.resource_known {
            // A folder of names: each of them.
            let asked = Statement::allow(vec![ActionPattern::from(&observation.action)], vec![resource.clone()]);
            let asked = PermissionSet::of_document(&PolicyDocument::new(vec![asked]));
            return matches!(asked.included_in(&self.set, Limits::default()), Inclusion::Included(_));
        }
        let mut context = Context::open();
        for (key, values) in &observation.context {
            context.set(key.clone(), values.clone());
        }
        let request = Request {
            principal: Principal::parse(self.role.as_str()).unwrap(),
            action: observation.action.clone(),
            resource: resource.as_str().parse().unwrap(),
            resource_account: None,
            context,
        };
        // A role is assumed where its own trust policy agrees too; the roles of these worlds are not in the snapshot.
        if observation.action.as_str() == "sts:AssumeRole" {
            return self.set.allows(&observation.action, resource) == Possibility::Yes;
        }
        self.evaluator.decide(self.role, &request).outcome.is_allow()
    }
}

fn same_call(a: &Observation, b: &Observation) -> bool {
    a.count > 0 && a.action == b.action && a.resources == b.resources
}

/// The true permissions of which some call was seen.
fn shown(truth: &Truth, seen: &[Observation]) -> PermissionSet {
    let used = |(action, on): &&(String, String)| {
        let pattern = Glob::parse(on, Reading::resource(PolicyVersion::V2012));
        seen.iter()
            .filter(|o| o.count > 0 && o.action.as_str() == action)
            .any(|o| o.resources.iter().any(|resource| resource.as_str() == on || pattern.matches(resource.as_str())))
    };
    let shown = truth.need.iter().filter(used);
    let statements = shown.map(|(a, r)| Statement::allow(vec![ActionPattern::new(a)], vec![ResourcePattern::new(r)]));
    PermissionSet::of_document(&PolicyDocument::new(statements.collect()))
}

fn size(documents: &[PolicyDocument], scores: &mut Scores) {
    let characters: usize = documents.iter().map(compact_len).sum();
    scores.characters += characters;
    scores.over_quota += usize::from(characters > INLINE_QUOTA);
}

/// Grants, action by action and pattern by pattern, and those inside what the role needs in truth.
fn excess(truth: &Truth, documents: &[PolicyDocument], scores: &mut Scores) {
    let mut needed: Vec<Statement> = truth
        .need
        .iter()
        .map(|(action, on)| Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::new(on)]))
        .collect();
    needed.push(own_log(truth));
    let needed = PermissionSet::of_document(&PolicyDocument::new(needed));
    for statement in documents.iter().flat_map(|document| &document.statements) {
        for action in statement.action.patterns() {
            for resource in statement.resource.patterns() {
                scores.grants += 1;
                let inside = (action.value.as_str().parse())
                    .is_ok_and(|action: Action| needed.allows(&action, &resource.value) == Possibility::Yes);
                if inside {
                    scores.grants_in_truth += 1;
                } else {
                    let on = shape(&resource.value);
                    *scores.excess.entry(format!("{} on {on}", action.value.as_str())).or_default() += 1;
                }
            }
        }
    }
}

/// What Lambda itself does for every function, and no world's truth says: it writes the function's log.
fn own_log(truth: &Truth) -> Statement {
    let account = truth.role.account().unwrap();
    let group = format!("arn:aws:logs:{}:{account}:log-group:/aws/lambda/{}", truth.region, truth.function);
    let actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];
    Statement::allow(
        actions.iter().map(|action| ActionPattern::new(action)).collect(),
        vec![ResourcePattern::new(&group), ResourcePattern::new(&format!("{group}:*"))],
    )
}

/// A resource without what tells it from others of its kind.
fn shape(resource: &ResourcePattern) -> String {
    let parts: Vec<&str> = resource.as_str().splitn(6, ':').collect();
    let (service, name) = (parts.get(2).unwrap_or(&"*"), parts.get(5).copied().unwrap_or_default());
    let kind = name.split(['/', ':']).next().filter(|kind| *kind != name).unwrap_or_default();
    let end = if name.ends_with('*') { "*" } else { "" };
    format!("{service}:{kind}…{end}")
}

/// A share in percent.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 }
}
