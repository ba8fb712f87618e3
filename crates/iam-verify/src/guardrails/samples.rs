//! One question of each kind, once with everything that may be absent and once without: asked when rules are read, so
//! that a schema which the facts do not fit is found before anything is judged.
//!
//! The values mean nothing; only their shape counts.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Schema;
use iam_model::action::ActionPattern;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::catalog::AccessLevel;
use iam_model::condition::ConditionKey;
use iam_model::control::ControlId;
use iam_model::time::Timestamp;

use super::facts::{
    AccountFacts, Assume, Attach, Author, Caller, Environment, Escalation, FunctionFacts, Grant, GuardrailKind, Invoke,
    Merge, Pass, PermissionFacts, Question, RoleFacts, Share, Target, Usage,
};
use super::name::{
    BotName, GroupName, GuardrailName, PersonName, ProviderName, PullRequestName, ServicePrincipal, UnitName,
};
use super::request::Vocabulary;

/// Asks every kind of question against a schema; the error is the first thing that does not fit.
pub(super) fn check(vocabulary: &Vocabulary, schema: &Schema) -> Result<(), String> {
    for samples in [true, false].into_iter().filter_map(Samples::new) {
        for question in samples.questions() {
            let now = Timestamp::from_epoch_seconds(0);
            vocabulary
                .ask(&question, now, &BTreeSet::new(), Some(schema))
                .map_err(|message| format!("the question `{}`: {message}", question.kind().as_str()))?;
        }
    }
    Ok(())
}

/// The things that questions are about.
struct Samples {
    role: RoleFacts,
    function: FunctionFacts,
    permission: PermissionFacts,
    full: bool,
}

impl Samples {
    /// Makes them, with or without everything that may be absent.
    fn new(full: bool) -> Option<Self> {
        let id: AccountId = "111122223333".parse().ok()?;
        let account = AccountFacts {
            environment: full.then_some(Environment::Production),
            units: if full { vec![UnitName::new("unit")] } else { Vec::new() },
            ..AccountFacts::new(id)
        };
        let arn: Arn = "arn:aws:iam::111122223333:role/sample".parse().ok()?;
        let tags: BTreeMap<_, _> = full.then(|| ("tag".to_owned(), "value".to_owned())).into_iter().collect();
        let role = RoleFacts {
            boundary: full.then(|| arn.clone()),
            managed_by_code: full.then_some(true),
            tags: tags.clone(),
            ..RoleFacts::new(arn, account.clone())
        };
        let arn = "arn:aws:lambda:eu-west-1:111122223333:function:sample".parse().ok()?;
        let permission = PermissionFacts {
            action: ActionPattern::new("s3:*"),
            levels: if full { BTreeSet::from([AccessLevel::List, AccessLevel::Write]) } else { BTreeSet::new() },
            groups: full.then(|| GroupName::new("group")).into_iter().collect(),
            supports_resource_level: full.then_some(true),
        };
        Some(Self { role, function: FunctionFacts { arn, account, tags }, permission, full })
    }

    /// One question of each kind, and one for each kind of caller and author.
    fn questions(&self) -> Vec<Question<'_>> {
        let (role, function) = (&self.role, &self.function);
        let mut questions = vec![
            Question::Grant(self.grant()),
            Question::Keep(self.grant()),
            Question::Remove(self.grant()),
            Question::Share(Share { role, function }),
            Question::Pass(Pass {
                role,
                passed: role,
                pattern: ResourcePattern::everything(),
                passed_to_service: self.full.then(|| ServicePrincipal::new("service")),
            }),
        ];
        let callers = [
            Caller::Role(role),
            Caller::Account(&role.account),
            Caller::Service(ServicePrincipal::new("service")),
            Caller::Anyone,
        ];
        for caller in callers.iter().cloned().chain([Caller::Provider(ProviderName::new("provider"))]) {
            let (third_party, external_id, organization_bound) = (true, true, true);
            questions.push(Question::Assume(Assume { caller, role, third_party, external_id, organization_bound }));
        }
        for caller in callers {
            questions.push(Question::Invoke(Invoke { caller, function, anonymous_url: true, source_bound: true }));
        }
        for by in [Author::Bot(BotName::new("bot")), Author::Person(PersonName::new("person"))] {
            questions.push(Question::Merge(self.merge(by.clone())));
            questions.push(Question::Attach(attach(by, self.full)));
        }
        questions
    }

    fn grant(&self) -> Grant<'_> {
        Grant {
            role: &self.role,
            permission: &self.permission,
            target: Target { pattern: ResourcePattern::everything(), external: false },
            condition_keys: BTreeSet::from([ConditionKey::new("aws:SourceArn")]),
            usage: self.usage(),
            escalation: Escalation { shortest_hops: self.full.then_some(1), ..Escalation::default() },
        }
    }

    fn usage(&self) -> Usage {
        Usage { last_used_days_ago: self.full.then_some(1), ..Usage::default() }
    }

    fn merge(&self, by: Author) -> Merge {
        Merge {
            by,
            name: PullRequestName::new("sample"),
            accounts: vec![self.role.account.clone()],
            touches_trust: false,
            adds: 0,
            removes: 0,
            widens: 0,
            new_escalation_paths: 0,
            usage: self.usage(),
            replayed_calls: 0,
            replay_denied: 0,
            checks_green: true,
            approvals: BTreeSet::from([PersonName::new("person")]),
        }
    }
}

fn attach(by: Author, full: bool) -> Attach {
    Attach {
        by,
        name: GuardrailName::new("sample"),
        kind: GuardrailKind::ServiceControl,
        characters: 0,
        controls: if full { vec![ControlId::new("sample")] } else { Vec::new() },
        accounts_affected: 0,
        replayed_calls: 0,
        replay_denied: full.then_some(0),
        slots_free: full.then_some(1),
        dead_statements: 0,
        test_vectors: full.then_some(3),
        break_glass: full.then_some(true),
    }
}
