//! Facts as a Cedar request: values in, values out, never source text made of strings.
//!
//! Each request carries only the entities it needs: the role, its account, the permission and its parents.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, Request, RestrictedExpression, Schema,
};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::control::ControlId;
use iam_model::time::Timestamp;

use super::facts::{
    AccountFacts, Assume, Attach, Author, Caller, FunctionFacts, Grant, GuardrailKind, Invoke, Merge, Pass,
    PermissionFacts, Question, QuestionKind, RoleFacts, Target, Usage,
};
use super::name::RuleId;

/// A question as Cedar takes it.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) entities: Entities,
}

/// The names of the schema, parsed once.
#[derive(Debug)]
pub(super) struct Vocabulary {
    action: EntityTypeName,
    unit: EntityTypeName,
    environment: EntityTypeName,
    account: EntityTypeName,
    role: EntityTypeName,
    function: EntityTypeName,
    service: EntityTypeName,
    access_level: EntityTypeName,
    permission_group: EntityTypeName,
    permission: EntityTypeName,
    service_principal: EntityTypeName,
    identity_provider: EntityTypeName,
    anyone: EntityTypeName,
    person: EntityTypeName,
    bot: EntityTypeName,
    pull_request: EntityTypeName,
    guardrail_kind: EntityTypeName,
    guardrail: EntityTypeName,
    /// The actions and their groups, where the schema groups any; empty otherwise, as an action is always in itself.
    grouped_actions: Vec<Entity>,
}

/// Attribute or context values by name.
type Values = Vec<(String, RestrictedExpression)>;

impl Vocabulary {
    pub(super) fn new(schema: &Schema) -> Result<Self, String> {
        let grouped = schema.action_groups().next().is_some();
        let actions = if grouped { schema.action_entities().map_err(describe)? } else { Entities::empty() };
        Self::named(actions.iter().cloned().collect()).map_err(|error| describe(*error))
    }

    fn named(grouped_actions: Vec<Entity>) -> Result<Self, Box<ParseErrors>> {
        Ok(Self {
            grouped_actions,
            action: "Paring::Action".parse()?,
            unit: "Paring::Unit".parse()?,
            environment: "Paring::Environment".parse()?,
            account: "Paring::Account".parse()?,
            role: "Paring::Role".parse()?,
            function: "Paring::Function".parse()?,
            service: "Paring::Service".parse()?,
            access_level: "Paring::AccessLevel".parse()?,
            permission_group: "Paring::PermissionGroup".parse()?,
            permission: "Paring::Permission".parse()?,
            service_principal: "Paring::ServicePrincipal".parse()?,
            identity_provider: "Paring::IdentityProvider".parse()?,
            anyone: "Paring::Anyone".parse()?,
            person: "Paring::Person".parse()?,
            bot: "Paring::Bot".parse()?,
            pull_request: "Paring::PullRequest".parse()?,
            guardrail_kind: "Paring::GuardrailKind".parse()?,
            guardrail: "Paring::Guardrail".parse()?,
        })
    }

    /// The name of a question's action.
    pub(super) fn action(&self, kind: QuestionKind) -> EntityUid {
        uid(&self.action, kind.as_str())
    }

    /// Makes the request of a question; with a schema, checks that it fits, and says what does not.
    ///
    /// The shape of the facts never changes, so it is checked once when the rules are read, and not at every question.
    pub(super) fn ask(
        &self,
        question: &Question<'_>,
        now: Timestamp,
        waived: &BTreeSet<RuleId>,
        schema: Option<&Schema>,
    ) -> Result<Asked, String> {
        let mut slice = Slice { vocabulary: self, entities: BTreeMap::new() };
        let (principal, resource, mut context) = match question {
            Question::Grant(grant) | Question::Keep(grant) | Question::Remove(grant) => slice.grant(grant)?,
            Question::Share(share) => (slice.role(share.role)?, slice.function(share.function)?, Values::new()),
            Question::Pass(pass) => slice.pass(pass)?,
            Question::Assume(assume) => slice.assume(assume)?,
            Question::Invoke(invoke) => slice.invoke(invoke)?,
            Question::Merge(merge) => slice.merge(merge)?,
            Question::Attach(attach) => slice.attach(attach)?,
        };
        context.push(("now".to_owned(), RestrictedExpression::new_datetime(now.to_string())));
        context.push(("waived".to_owned(), texts(waived.iter().map(RuleId::as_str))));
        let context = Context::from_pairs(context).map_err(describe)?;
        let action = self.action(question.kind());
        let request = Request::new(principal, action, resource, context, schema).map_err(describe)?;
        let entities = slice.entities.into_values().chain(self.grouped_actions.iter().cloned());
        // With a schema, Cedar adds the actions itself.
        let entities = match schema {
            Some(_) => {
                Entities::from_entities(entities.take_while(|one| *one.uid().type_name() != self.action), schema)
            }
            None => Entities::from_entities(entities, None),
        };
        Ok(Asked { request, entities: entities.map_err(describe)? })
    }
}

/// The entities of one request, by name, so that a role that is both sides of a question is added once.
struct Slice<'v> {
    vocabulary: &'v Vocabulary,
    entities: BTreeMap<EntityUid, Entity>,
}

impl Slice<'_> {
    fn grant(&mut self, grant: &Grant<'_>) -> Result<(EntityUid, EntityUid, Values), String> {
        let escalation = &grant.escalation;
        let mut opened = vec![
            ("newPaths".to_owned(), count(escalation.new_paths)),
            ("reachesAdmin".to_owned(), truth(escalation.reaches_admin)),
        ];
        opened.extend(escalation.shortest_hops.map(|hops| ("shortestHops".to_owned(), count(hops))));
        let keys: Vec<_> = grant.condition_keys.iter().map(|key| key.as_str().to_ascii_lowercase()).collect();
        let context = vec![
            ("target".to_owned(), record(target(&grant.target, grant.permission))?),
            ("actionWildcards".to_owned(), count(wildcards(grant.permission.action.as_str()))),
            ("conditionKeys".to_owned(), texts(keys.iter().map(String::as_str))),
            ("usage".to_owned(), usage(&grant.usage)?),
            ("escalation".to_owned(), record(opened)?),
        ];
        Ok((self.role(grant.role)?, self.permission(grant.permission)?, context))
    }

    fn pass(&mut self, pass: &Pass<'_>) -> Result<(EntityUid, EntityUid, Values), String> {
        let mut context = vec![("wildcards".to_owned(), count(wildcards(pass.pattern.as_str())))];
        context.extend(pass.passed_to_service.iter().map(|name| ("passedToService".to_owned(), text(name.as_str()))));
        Ok((self.role(pass.role)?, self.role(pass.passed)?, context))
    }

    fn assume(&mut self, assume: &Assume<'_>) -> Result<(EntityUid, EntityUid, Values), String> {
        let context = vec![
            ("thirdParty".to_owned(), truth(assume.third_party)),
            ("externalId".to_owned(), truth(assume.external_id)),
            ("organizationBound".to_owned(), truth(assume.organization_bound)),
        ];
        Ok((self.caller(&assume.caller)?, self.role(assume.role)?, context))
    }

    fn invoke(&mut self, invoke: &Invoke<'_>) -> Result<(EntityUid, EntityUid, Values), String> {
        let context = vec![
            ("anonymousUrl".to_owned(), truth(invoke.anonymous_url)),
            ("sourceBound".to_owned(), truth(invoke.source_bound)),
        ];
        Ok((self.caller(&invoke.caller)?, self.function(invoke.function)?, context))
    }

    fn merge(&mut self, merge: &Merge) -> Result<(EntityUid, EntityUid, Values), String> {
        let vocabulary = self.vocabulary;
        let mut parents = Vec::new();
        for account in &merge.accounts {
            parents.push(self.account(account)?);
        }
        let request = uid(&vocabulary.pull_request, merge.name.as_str());
        let attributes = vec![("touchesTrust".to_owned(), truth(merge.touches_trust))];
        self.add(&request, attributes, parents, [])?;
        let approvals = merge.approvals.iter().map(|name| uid(&vocabulary.person, name.as_str()));
        let context = vec![
            ("adds".to_owned(), count(merge.adds)),
            ("removes".to_owned(), count(merge.removes)),
            ("widens".to_owned(), count(merge.widens)),
            ("newEscalationPaths".to_owned(), count(merge.new_escalation_paths)),
            ("usage".to_owned(), usage(&merge.usage)?),
            ("replayedCalls".to_owned(), count(merge.replayed_calls)),
            ("replayDenied".to_owned(), count(merge.replay_denied)),
            ("checksGreen".to_owned(), truth(merge.checks_green)),
            (
                "approvals".to_owned(),
                RestrictedExpression::new_set(approvals.map(RestrictedExpression::new_entity_uid)),
            ),
        ];
        Ok((self.author(&merge.by), request, context))
    }

    fn attach(&mut self, attach: &Attach) -> Result<(EntityUid, EntityUid, Values), String> {
        let kind = match attach.kind {
            GuardrailKind::ServiceControl => "scp",
            GuardrailKind::ResourceControl => "rcp",
        };
        let kind = uid(&self.vocabulary.guardrail_kind, kind);
        let guardrail = uid(&self.vocabulary.guardrail, attach.name.as_str());
        let mut attributes = vec![
            ("kind".to_owned(), RestrictedExpression::new_entity_uid(kind)),
            ("characters".to_owned(), count(attach.characters)),
        ];
        if !attach.controls.is_empty() {
            attributes.push(("controls".to_owned(), texts(attach.controls.iter().map(ControlId::as_str))));
        }
        self.add(&guardrail, attributes, Vec::new(), [])?;
        let mut context = vec![
            ("accountsAffected".to_owned(), count(attach.accounts_affected)),
            ("replayedCalls".to_owned(), count(attach.replayed_calls)),
            ("deadStatements".to_owned(), count(attach.dead_statements)),
        ];
        context.extend(attach.replay_denied.map(|denied| ("replayDenied".to_owned(), count(denied))));
        context.extend(attach.slots_free.map(|free| ("slotsFree".to_owned(), count(free))));
        context.extend(attach.test_vectors.map(|tests| ("testVectors".to_owned(), count(tests))));
        context.extend(attach.break_glass.map(|survives| ("breakGlass".to_owned(), truth(survives))));
        Ok((self.author(&attach.by), guardrail, context))
    }

    fn author(&self, author: &Author) -> EntityUid {
        match author {
            Author::Bot(name) => uid(&self.vocabulary.bot, name.as_str()),
            Author::Person(name) => uid(&self.vocabulary.person, name.as_str()),
        }
    }

    fn caller(&mut self, caller: &Caller<'_>) -> Result<EntityUid, String> {
        let vocabulary = self.vocabulary;
        Ok(match caller {
            Caller::Role(role) => self.role(role)?,
            Caller::Account(account) => self.account(account)?,
            Caller::Service(name) => uid(&vocabulary.service_principal, name.as_str()),
            Caller::Provider(name) => uid(&vocabulary.identity_provider, name.as_str()),
            Caller::Anyone => uid(&vocabulary.anyone, "anyone"),
        })
    }

    fn account(&mut self, account: &AccountFacts) -> Result<EntityUid, String> {
        let id = uid(&self.vocabulary.account, account.id.as_str());
        let mut parents: Vec<_> = account.units.iter().map(|unit| uid(&self.vocabulary.unit, unit.as_str())).collect();
        parents.extend(account.environment.map(|stated| uid(&self.vocabulary.environment, stated.as_str())));
        let attributes =
            vec![("id".to_owned(), text(account.id.as_str())), ("management".to_owned(), truth(account.management))];
        self.add(&id, attributes, parents, [])?;
        Ok(id)
    }

    fn role(&mut self, role: &RoleFacts) -> Result<EntityUid, String> {
        let id = uid(&self.vocabulary.role, role.arn.as_str());
        let parent = self.account(&role.account)?;
        let mut attributes = vec![
            ("arn".to_owned(), text(role.arn.as_str())),
            ("name".to_owned(), text(role.arn.name())),
            ("path".to_owned(), text(role.path())),
            ("serviceLinked".to_owned(), truth(role.service_linked)),
            ("functionCount".to_owned(), count(role.function_count)),
            ("admin".to_owned(), truth(role.admin)),
        ];
        attributes.extend(role.boundary.as_ref().map(|arn: &Arn| ("boundary".to_owned(), text(arn.as_str()))));
        attributes.extend(role.managed_by_code.map(|managed| ("managedByCode".to_owned(), truth(managed))));
        self.add(&id, attributes, vec![parent], tags(&role.tags))?;
        Ok(id)
    }

    fn function(&mut self, function: &FunctionFacts) -> Result<EntityUid, String> {
        let id = uid(&self.vocabulary.function, function.arn.as_str());
        let parent = self.account(&function.account)?;
        let attributes =
            vec![("arn".to_owned(), text(function.arn.as_str())), ("name".to_owned(), text(function.arn.name()))];
        self.add(&id, attributes, vec![parent], tags(&function.tags))?;
        Ok(id)
    }

    fn permission(&mut self, permission: &PermissionFacts) -> Result<EntityUid, String> {
        let vocabulary = self.vocabulary;
        // AWS compares actions without regard to case; the service is written in lower case throughout the rules.
        let written = permission.action.as_str();
        let (service, name) = written.split_once(':').unwrap_or((written, written));
        let service = service.to_ascii_lowercase();
        let id = uid(&vocabulary.permission, written);
        let mut parents = vec![uid(&vocabulary.service, &service)];
        if permission.levels.is_empty() {
            parents.push(uid(&vocabulary.access_level, "Unknown"));
        }
        parents.extend(permission.levels.iter().map(|known| uid(&vocabulary.access_level, known.as_str())));
        parents.extend(permission.groups.iter().map(|group| uid(&vocabulary.permission_group, group.as_str())));
        let attributes = vec![("service".to_owned(), text(&service)), ("name".to_owned(), text(name))];
        self.add(&id, attributes, parents, [])?;
        Ok(id)
    }

    fn add(
        &mut self,
        id: &EntityUid,
        attributes: Values,
        parents: Vec<EntityUid>,
        tags: impl IntoIterator<Item = (String, RestrictedExpression)>,
    ) -> Result<(), String> {
        let entity = Entity::new_with_tags(id.clone(), attributes, parents, tags).map_err(describe)?;
        self.entities.insert(id.clone(), entity);
        Ok(())
    }
}

fn target(target: &Target, permission: &PermissionFacts) -> Values {
    let mut values = vec![
        ("pattern".to_owned(), text(target.pattern.as_str())),
        ("everything".to_owned(), truth(target.pattern.is_everything())),
        ("wildcards".to_owned(), count(target_wildcards(&target.pattern))),
        ("external".to_owned(), truth(target.external)),
    ];
    values.extend(permission.supports_resource_level.map(|known| ("supportsResourceLevel".to_owned(), truth(known))));
    values
}

/// Wildcards of a resource, but for the six question marks by which AWS's documentation names one secret whose random
/// suffix is not known yet.
fn target_wildcards(pattern: &ResourcePattern) -> u64 {
    let written = pattern.as_str();
    let one_secret = written.starts_with("arn:") && written.contains(":secretsmanager:");
    let named = if one_secret { written.strip_suffix("-??????").unwrap_or(written) } else { written };
    wildcards(named)
}

fn wildcards(pattern: &str) -> u64 {
    pattern.bytes().filter(|byte| matches!(byte, b'*' | b'?')).map(|_| 1).sum()
}

fn usage(usage: &Usage) -> Result<RestrictedExpression, String> {
    let mut values = vec![
        ("windowDays".to_owned(), count(usage.window_days)),
        ("calls".to_owned(), count(usage.calls)),
        ("observable".to_owned(), truth(usage.observable)),
    ];
    values.extend(usage.last_used_days_ago.map(|days| ("lastUsedDaysAgo".to_owned(), count(days))));
    record(values)
}

fn tags(tags: &BTreeMap<String, String>) -> Values {
    tags.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(values.map(text))
}

fn truth(value: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(value)
}

/// A count as Cedar's 64-bit number; more than it can hold is the most it can hold.
fn count(value: u64) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::try_from(value).unwrap_or(i64::MAX))
}

fn record(values: Values) -> Result<RestrictedExpression, String> {
    RestrictedExpression::new_record(values).map_err(describe)
}

/// An error with its causes, in one line.
pub(super) fn describe(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
