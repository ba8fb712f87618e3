//! Nothing can be taken from a proposal: every action and resource lets something through that was seen, or a rule says
//! why it is there. And it is the narrowest of the old statements that speaks of it.

use iam_model::condition::ConditionKey;
use iam_model::policy::{ActionElement, PolicyDocument, ResourceElement, Statement};

use super::*;

const ACTIONS: &[&str] = &[
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "s3:GetObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "iam:GetRole",
    "dynamodb:Query",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "iam:PassRole",
    "logs:StartQuery",
    "secretsmanager:GetSecretValue",
    "logs:CreateLogStream",
];

fn resource_of(action: &str, n: usize) -> String {
    match action.split(':').next().unwrap() {
        "dynamodb" if action.ends_with("Query") => {
            format!("arn:aws:dynamodb:us-east-1:111122223333:table/T{}/index/i{n}", n % 2)
        }
        "dynamodb" => format!("arn:aws:dynamodb:us-east-1:111122223333:table/T{n}"),
        "s3" => ["bucket/a/1", "bucket/a/2", "bucket/a/3", "bucket/b/1", "other/2026-05-01/x", "other/2026-05-02/x"]
            .get(n)
            .map(|key| format!("arn:aws:s3:::{key}"))
            .unwrap(),
        "sqs" => format!("arn:aws:sqs:us-east-1:111122223333:q{}", n % 2),
        "logs" if action.ends_with("Stream") => {
            format!("arn:aws:logs:us-east-1:111122223333:log-group:/app/{}:log-stream:s{n}", n % 2)
        }
        "logs" => format!("arn:aws:logs:us-east-1:111122223333:log-group:/app/{n}:*"),
        "secretsmanager" => format!("arn:aws:secretsmanager:us-east-1:111122223333:secret:s{}-AbCdE{n}", n % 3),
        _ => format!("arn:aws:iam::111122223333:role/r{n}"),
    }
}

const GRANTED_ACTIONS: &[&str] = &[
    r#""Action": "*""#,
    r#""NotAction": "iam:*""#,
    r#""Action": ["dynamodb:*", "s3:*"]"#,
    r#""Action": ["dynamodb:GetItem", "s3:Get*", "sqs:SendMessage"]"#,
    r#""Action": ["iam:Get*", "s3:GetObject", "s3:PutObject"]"#,
    r#""Action": ["iam:PassRole", "sqs:*", "logs:*", "secretsmanager:Get*", "dynamodb:Query"]"#,
];
const GRANTED_RESOURCES: &[&str] = &[
    r#""Resource": "*""#,
    r#""Resource": ["arn:aws:s3:::bucket/*", "arn:aws:dynamodb:*:*:table/*"]"#,
    r#""Resource": ["arn:aws:s3:::bucket/a/*", "arn:aws:s3:::bucket/a/1", "arn:aws:sqs:*", "arn:aws:iam::*:role/r1"]"#,
    r#""Resource": ["arn:aws:s3:::bucket/${aws:PrincipalTag/team}/*", "arn:aws:dynamodb:us-east-1:111122223333:table/T1"]"#,
    r#""NotResource": "arn:aws:s3:::bucket/b/*""#,
    r#""Resource": ["arn:aws:s3:::bucket/a/1", "arn:aws:dynamodb:us-east-1:111122223333:table/T0", "arn:aws:sqs:us-east-1:111122223333:q0"]"#,
    r#""Resource": ["arn:aws:s3:::bucket/a/2", "arn:aws:s3:::other/2026-05-01/*", "arn:aws:dynamodb:*:*:table/T1/index/i1", "arn:aws:logs:*:*:log-group:/app/1:*"]"#,
];
const CONDITIONS: &[&str] = &["", r#", "Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}}"#];

/// What the logs may say that a resource is tagged with.
const TEAMS: &[Option<&str>] = &[None, None, None, Some("orders"), Some("other")];

/// By logs that show every call.
fn propose_by_all(snapshot: &Snapshot, observations: Vec<Observation>) -> RoleProposal {
    let mut usage = UsageLog::default();
    usage.principals.insert(ROLE.parse().unwrap(), PrincipalUsage { observations });
    propose_seeing(snapshot, &usage, &Rules { min_days: 30, ..Rules::default() }, 90, &|_| Visibility::Visible)
}

type Grant = (usize, usize, usize);
/// An action, what it was called on, whether the log says so, and the team that it says the resource is of.
type Call = (usize, usize, bool, Option<&'static str>);

/// Each with a name, by which what becomes of it is known again.
fn statements(policy: usize, grants: &[Grant]) -> String {
    let one = |(at, (action, resource, condition)): (usize, &Grant)| {
        let (action, resource) = (GRANTED_ACTIONS[*action], GRANTED_RESOURCES[*resource]);
        let condition = CONDITIONS[*condition];
        format!(r#"{{"Sid": "p{policy}s{at}x", "Effect": "Allow", {action}, {resource}{condition}}}"#)
    };
    format!("[{}]", grants.iter().enumerate().map(one).collect::<Vec<_>>().join(", "))
}

/// How surely the documents let a call through: surely, or by so many patterns perhaps.
fn answer(documents: &[PolicyDocument], action: &Action, resource: &ResourcePattern) -> usize {
    let mut perhaps = 0;
    for statement in documents.iter().flat_map(|document| &document.statements) {
        let alone = |resource: ResourceElement| {
            let one = Statement { resource, ..statement.clone() };
            PolicyDocument { statements: vec![one], ..documents[0].clone() }
        };
        let parts = match &statement.resource {
            ResourceElement::Resource(all) => {
                all.iter().map(|one| alone(ResourceElement::Resource(vec![one.clone()]))).collect()
            }
            all @ (ResourceElement::NotResource(_) | ResourceElement::Absent) => vec![alone(all.clone())],
        };
        for part in parts {
            match PermissionSet::of_document(&part).allows(action, resource) {
                Possibility::Yes => return usize::MAX,
                Possibility::No => {}
                Possibility::Conditional | Possibility::Unknown => perhaps += 1,
            }
        }
    }
    perhaps
}

/// A proposal's documents, what was seen of what was granted, and what a rule allows to stay.
struct Case {
    documents: Vec<PolicyDocument>,
    /// Of them, those that may be changed; the others come after.
    own: usize,
    /// The old statements, in order.
    old: Vec<Statement>,
    calls: Vec<(Action, ResourcePattern, usize)>,
    proposal: RoleProposal,
}

impl Case {
    fn new(policies: &[Vec<Grant>], calls: &[Call]) -> Option<Self> {
        let texts: Vec<String> = policies.iter().enumerate().map(|(at, grants)| statements(at, grants)).collect();
        let snapshot = snapshot(&texts.iter().map(String::as_str).collect::<Vec<_>>(), BASIC, FUNCTION);
        let (index, _) = SnapshotIndex::new(&snapshot);
        let role: Arn = ROLE.parse().unwrap();
        let policies = |own: bool| -> Vec<PolicyDocument> {
            let all = index.identity_policies(&role).into_iter();
            all.filter(|p| p.name.starts_with('p') == own).map(|p| p.document.clone()).collect()
        };
        let (old, fixed) = (policies(true), policies(false));
        let all = [old.clone(), fixed.clone()].concat();
        let mut observations = Vec::new();
        for (action, n, known, team) in calls {
            let mut one = seen(ACTIONS[*action], &resource_of(ACTIONS[*action], *n));
            one.resource_known = *known;
            let tag = |team: &&str| (ConditionKey::new("aws:ResourceTag/team"), vec![(*team).to_owned()]);
            one.context.extend(team.as_ref().map(tag));
            observations.push(one);
        }
        observations.retain(|o| answer(&all, &o.action, &o.resources[0]) > 0);
        let proposal = propose_by_all(&snapshot, observations.clone());
        let statements = old.iter().flat_map(|document| document.statements.clone()).collect();
        let mut documents = old;
        for change in proposal.changes.iter().rev() {
            let at = documents.iter().position(|document| Some(document) == change.before.as_ref())?;
            match change.after.clone() {
                Some(after) => documents[at] = after,
                None => drop(documents.remove(at)),
            }
        }
        let own = documents.len();
        documents.extend(fixed);
        let known = |o: &&Observation| o.resource_known;
        let mut calls = Vec::new();
        for call in observations.iter().filter(known) {
            calls.push((call.action.clone(), call.resources[0].clone()));
        }
        let with_answer = |(action, resource): (Action, ResourcePattern)| {
            let answer = answer(&documents, &action, &resource);
            (action, resource, answer)
        };
        let calls = calls.into_iter().map(with_answer).collect();
        Some(Self { documents, own, old: statements, calls, proposal })
    }

    /// Whether each call is let through as surely as before.
    fn keeps(&self, documents: &[PolicyDocument]) -> bool {
        self.calls.iter().all(|(action, resource, before)| answer(documents, action, resource) >= *before)
    }

    /// Whether a rule says why an action stands on a resource that no call of it named; on any, where none is asked.
    fn has_rule(&self, action: &str, on: Option<&ResourcePattern>) -> bool {
        let of = |need: &&crate::Need| need.action.as_str().eq_ignore_ascii_case(action);
        self.proposal.needs.iter().filter(of).any(|need| match (&need.resources, on) {
            (None, _) => true,
            (Some(_), None) => need.seen.is_none(),
            (Some(resources), Some(on)) => need.seen.is_none() && resources.contains(on),
        })
    }

    fn is_named(&self, pattern: &ResourcePattern) -> bool {
        self.proposal.folds.iter().any(|fold| fold.pattern.as_ref() == Some(pattern))
    }

    /// An action that could be taken off one resource of its statement, and stay on the others.
    fn needless_pair(&self, at: usize, index: usize, statement: &Statement) -> Option<String> {
        let (ActionElement::Action(actions), ResourceElement::Resource(resources)) =
            (&statement.action, &statement.resource)
        else {
            return None;
        };
        for action in actions {
            for resource in resources {
                if self.has_rule(action.value.as_str(), Some(&resource.value)) {
                    continue;
                }
                let others = resources.iter().filter(|r| r.value != resource.value).cloned().collect();
                let mut elsewhere = statement.clone();
                elsewhere.action = ActionElement::Action(vec![action.clone()]);
                elsewhere.resource = ResourceElement::Resource(others);
                let mut documents = self.documents.clone();
                let rest = actions.iter().filter(|a| a.value != action.value).cloned().collect();
                documents[at].statements[index].action = ActionElement::Action(rest);
                documents[at].statements.push(elsewhere);
                if self.keeps(&documents) {
                    return Some(format!(
                        "{} on {} of statement {index} in {at}",
                        action.value.as_str(),
                        resource.value
                    ));
                }
            }
        }
        None
    }

    /// A call that a statement names, though a narrower one of the old statements surely let it through.
    fn not_the_narrowest(&self) -> Option<String> {
        let rank = |at: usize, old: &Statement, action: &Action| {
            let named = old.action.patterns().iter().any(|p| p.value.as_str() == action.as_str());
            let everything = old.resource.patterns().iter().any(|p| p.value.is_everything());
            let wide = everything || matches!(old.resource, ResourceElement::NotResource(_));
            (!old.conditions.is_empty(), !named, wide, old.action.patterns().len(), at)
        };
        let document = |old: &Statement| PolicyDocument { statements: vec![old.clone()], ..self.documents[0].clone() };
        for statement in self.documents.iter().take(self.own).flat_map(|document| &document.statements) {
            let is_origin = |(_, old): &(usize, &Statement)| {
                old.sid.as_deref().is_some_and(|sid| statement.sid.as_deref().unwrap().starts_with(sid))
            };
            let (at, origin) = self.old.iter().enumerate().find(is_origin).unwrap();
            let says = |action: &Action, resource: &ResourcePattern| {
                statement.action.patterns().iter().any(|p| p.value.as_str() == action.as_str())
                    && statement.resource.patterns().iter().any(|p| p.value == *resource)
            };
            for (action, resource, _) in self.calls.iter().filter(|(action, resource, _)| says(action, resource)) {
                if self.has_rule(action.as_str(), Some(resource)) || self.is_named(resource) {
                    continue;
                }
                let better = self.old.iter().enumerate().find(|(other, old)| {
                    let sure = || PermissionSet::of_document(&document(old)).allows(action, resource);
                    rank(*other, old, action) < rank(at, origin, action) && sure() == Possibility::Yes
                });
                if let Some((_, better)) = better {
                    return Some(format!("{action} on {resource} in {:?}: {:?} is narrower", origin.sid, better.sid));
                }
            }
        }
        None
    }

    /// The first thing that could be taken away.
    fn too_much(&self) -> Option<String> {
        for (at, document) in self.documents.iter().take(self.own).enumerate() {
            for (index, statement) in document.statements.iter().enumerate() {
                let ActionElement::Action(actions) = &statement.action else {
                    return Some(format!("{statement:?} has no list of actions"));
                };
                let without = |change: &dyn Fn(&mut Statement)| {
                    let mut documents = self.documents.clone();
                    change(&mut documents[at].statements[index]);
                    documents
                };
                let rules = |on: Option<&ResourcePattern>| actions.iter().any(|a| self.has_rule(a.value.as_str(), on));
                for action in actions {
                    let text = action.value.as_str();
                    if action.value.has_wildcard() {
                        return Some(format!("{text} is a wildcard"));
                    }
                    let less = without(&|s| {
                        let left = actions.iter().filter(|a| a.value != action.value).cloned().collect();
                        s.action = ActionElement::Action(left);
                    });
                    if !self.has_rule(text, None) && self.keeps(&less) {
                        return Some(format!("the action {text} of statement {index} in {at}"));
                    }
                }
                if let Some(needless) = self.needless_pair(at, index, statement) {
                    return Some(needless);
                }
                let ResourceElement::Resource(resources) = &statement.resource else {
                    if rules(None) {
                        continue;
                    }
                    return Some(format!("{statement:?} has no list of resources"));
                };
                for resource in resources.iter().filter(|resource| !rules(Some(&resource.value))) {
                    let less = without(&|s| {
                        let left = resources.iter().filter(|r| r.value != resource.value).cloned().collect();
                        s.resource = ResourceElement::Resource(left);
                    });
                    if self.keeps(&less) {
                        return Some(format!("the resource {} of statement {index} in {at}", resource.value));
                    }
                    let was_seen = self.calls.iter().any(|(_, seen, _)| *seen == resource.value);
                    if !was_seen && !self.is_named(&resource.value) {
                        return Some(format!("{} was not seen, and no rule says why it stands there", resource.value));
                    }
                }
            }
        }
        None
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// No action can be taken out and no resource made narrower without denying a call or breaking a named rule.
    #[test]
    fn nothing_can_be_taken_from_a_proposal(
        policies in proptest::collection::vec(
            proptest::collection::vec((0..GRANTED_ACTIONS.len(), 0..GRANTED_RESOURCES.len(), 0..CONDITIONS.len()), 1..4),
            1..4,
        ),
        calls in proptest::collection::vec(
            (0..ACTIONS.len(), 0..6_usize, proptest::bool::weighted(0.9), prop::sample::select(TEAMS)),
            1..20,
        ),
    ) {
        let Some(case) = Case::new(&policies, &calls) else { return Ok(()) };
        if !matches!(case.proposal.judgement, Judgement::Refused(_)) {
            let seen: Vec<String> = case.calls.iter().map(|(a, r, sure)| format!("{a} {r} {sure}")).collect();
            prop_assert_eq!(case.too_much(), None, "{:#?}\n{:#?}", after(&case.proposal), seen);
            prop_assert_eq!(case.not_the_narrowest(), None, "{:#?}\n{:#?}", after(&case.proposal), seen);
        }
    }
}

/// What a statement names, and the folder that another one is given reaches over, stood in both.
#[test]
fn a_name_inside_the_folder_that_another_statement_is_given_goes() {
    let grants = r#"[{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/a/1"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]"#;
    let key = |n| seen("s3:GetObject", &format!("arn:aws:s3:::bucket/a/{n}"));
    let folder = r#"{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/a/*"}]}"#;
    let proposal = propose_by_all(&snapshot(&[grants], BASIC, FUNCTION), (1..=12).map(key).collect());
    assert_eq!(after(&proposal), [folder]);
}
