//! The one door to evaluation: may this principal do this, as far as a snapshot can tell.
//!
//! Puts together the policies and the facts of a request, and turns a decision into an [`Answer`]. Decides no request
//! itself: that is [`iam_evaluate`]. Knows no techniques.

mod admin;
mod clock;
mod facts;
mod notes;
mod witness;

pub(crate) use admin::allows_more;
pub(crate) use facts::{set, set_owner};
pub(crate) use notes::{Noted, Notes};
pub(crate) use witness::fill;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use iam_evaluate::{CompiledPolicies, Context, Outcome, Policies, Principal, Request, ResourceName, evaluate};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::snapshot::{Organization, SnapshotIndex};
use iam_model::text::Spanned;

use crate::survey::{Being, Guards, Held, Person, Survey};

/// Whether something is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Whatever the open facts are.
    Yes,
    /// It hangs on these context keys, which a snapshot cannot know; mostly the caller chooses them.
    If(BTreeSet<ConditionKey>),
    /// Whatever the open facts are.
    No,
    /// A policy holds something that is not understood.
    Unknown(String),
}

impl Answer {
    /// The answer where both must hold.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
            (Self::Yes, other) => other,
            (this, Self::Yes) => this,
            (Self::If(mut keys), Self::If(more)) => {
                keys.extend(more);
                Self::If(keys)
            }
        }
    }

    /// The better of two ways to the same end.
    pub(crate) fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Yes, _) | (_, Self::No) => self,
            (_, Self::Yes) | (Self::No, _) => other,
            (Self::If(few), Self::If(more)) if more.len() < few.len() => other,
            (Self::If(_), _) => self,
            (_, Self::If(_)) => other,
            (Self::Unknown(_), Self::Unknown(_)) => self,
        }
    }
}

/// A policy that allows everything.
pub(crate) static EVERYTHING: LazyLock<PolicyDocument> = LazyLock::new(|| {
    PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()])])
});

/// A resource's policy that lets in one user or session, or leaves it to an account who is let in.
fn letting_in(principal: String) -> PolicyDocument {
    let mut statement = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
    let principal = PrincipalPattern::Aws(principal);
    statement.principal = Some(PrincipalElement::Principal(vec![Spanned::synthetic(principal)]));
    PolicyDocument::new(vec![statement])
}

/// What a principal brings to every request: policies, limits and facts about itself.
#[derive(Debug, Clone)]
pub(crate) struct Powers<'a> {
    principal: Principal,
    account: Option<AccountId>,
    partition: String,
    held: Vec<Held<'a>>,
    boundary: Option<&'a PolicyDocument>,
    is_service_linked: bool,
    context: Context,
    /// All of it made ready for the account's own resources, once asked for.
    ready: OnceCell<CompiledPolicies>,
}

impl<'a> Powers<'a> {
    /// The same principal, allowed everything its limits leave.
    pub(crate) fn with_everything(&self) -> Self {
        self.with([Held { name: "everything", managed: None, group: None, document: &EVERYTHING }])
    }

    /// The same principal with more policies.
    pub(crate) fn with(&self, more: impl IntoIterator<Item = Held<'a>>) -> Self {
        let mut powers = Self { ready: OnceCell::new(), ..self.clone() };
        powers.held.extend(more);
        powers
    }

    /// The same principal without some of its policies.
    pub(crate) fn without(&self, taken: impl Fn(&Held<'a>) -> bool) -> Self {
        let mut powers = Self { ready: OnceCell::new(), ..self.clone() };
        powers.held.retain(|held| !taken(held));
        powers
    }

    /// The same principal without its boundary.
    pub(crate) fn unbounded(&self) -> Self {
        Self { boundary: None, ready: OnceCell::new(), ..self.clone() }
    }

    pub(crate) const fn has_boundary(&self) -> bool {
        self.boundary.is_some()
    }

    pub(crate) fn partition(&self) -> &str {
        &self.partition
    }
}

/// What is asked: an action on a resource, with what the request carries.
#[derive(Debug, Clone)]
pub(crate) struct Question<'q> {
    pub(crate) action: &'q Action,
    pub(crate) resource: ResourceName,
    pub(crate) policy: Option<&'q PolicyDocument>,
    /// Who owns the resource, where that is not the principal's own account.
    pub(crate) owner: Option<&'q AccountId>,
    /// Context keys the request carries, or is known not to carry.
    pub(crate) carries: Vec<(ConditionKey, Option<String>)>,
    /// The resource's tags, where the snapshot knows them.
    pub(crate) tags: Option<&'q BTreeMap<String, String>>,
}

impl<'q> Question<'q> {
    pub(crate) const fn new(action: &'q Action, resource: ResourceName) -> Self {
        Self { action, resource, policy: None, owner: None, carries: Vec::new(), tags: None }
    }
}

/// Answers questions about one snapshot.
pub(crate) struct Judge<'a> {
    organization: Option<&'a Organization>,
    /// Every tag key any condition asks for, so that what a principal does not carry is known to be absent.
    tag_keys: facts::TagKeys,
    /// Times worth trying where a decision hangs on the time.
    instants: Vec<String>,
    index: &'a SnapshotIndex<'a>,
    guards: BTreeMap<&'a AccountId, Guards<'a>>,
    /// Decisions, while somebody asks why.
    pub(crate) notes: Notes,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(survey: &Survey<'a>) -> Self {
        let organization = survey.index.snapshot().organization.as_ref();
        let conditions = facts::conditions(survey);
        Self {
            organization,
            tag_keys: facts::TagKeys::of(&conditions),
            instants: clock::instants(&conditions),
            index: survey.index,
            guards: survey.all_guards().clone(),
            notes: Notes::default(),
        }
    }

    /// Everything a principal brings.
    pub(crate) fn powers(&self, person: &Person<'a>) -> Powers<'a> {
        let principal = match person.being {
            Being::User(_) | Being::Group => Principal::User(person.arn.clone()),
            Being::Role(_) => Principal::RoleSession { role: person.arn.clone(), session: None },
        };
        Powers {
            context: self.facts_about(person),
            principal,
            account: person.arn.account(),
            partition: person.arn.partition().to_owned(),
            held: person.policies.clone(),
            boundary: person.boundary,
            is_service_linked: person.is_service_linked(),
            ready: OnceCell::new(),
        }
    }

    /// A role made by nobody yet, in an account: allowed everything its account's limits leave.
    pub(crate) fn new_role(&self, account: &AccountId, partition: &str) -> Option<Powers<'a>> {
        let arn: Arn = format!("arn:{partition}:iam::{account}:role/new-role").parse().ok()?;
        Some(Powers {
            context: self.facts_about_name(&arn, None, &BTreeMap::new()),
            principal: Principal::RoleSession { role: arn, session: None },
            account: Some(account.clone()),
            partition: partition.to_owned(),
            held: vec![Held { name: "everything", managed: None, group: None, document: &EVERYTHING }],
            boundary: None,
            is_service_linked: false,
            ready: OnceCell::new(),
        })
    }

    /// Someone outside every account of the snapshot, and everything it likes to allow itself.
    pub(crate) fn stranger(&self, principal: Principal, account: AccountId) -> Powers<'a> {
        let mut context = Context::open();
        set(&mut context, "aws:PrincipalAccount", account.as_str());
        if let Some(arn) =
            format!("arn:aws:iam::{account}:root").parse::<Arn>().ok().filter(|_| principal.account().is_some())
        {
            set(&mut context, "aws:PrincipalArn", arn.as_str());
        }
        for key in ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalServiceName", "aws:username"] {
            context.set_absent(ConditionKey::new(key));
        }
        set(&mut context, "aws:PrincipalIsAWSService", "false");
        Powers {
            principal,
            account: Some(account),
            partition: "aws".into(),
            held: vec![Held { name: "everything", managed: None, group: None, document: &EVERYTHING }],
            boundary: None,
            is_service_linked: false,
            ready: OnceCell::new(),
            context,
        }
    }

    /// Whether the principal may do it.
    pub(crate) fn may(&self, powers: &Powers<'_>, question: &Question<'_>) -> Answer {
        let mut context = Context::open();
        for (key, value) in &question.carries {
            match value {
                Some(value) => context.set(key.clone(), vec![value.clone()]),
                None => context.set_absent(key.clone()),
            }
        }
        self.tag_keys.set_resource_tags(&mut context, question.tags);
        let owner = question.owner.or(powers.account.as_ref());
        set_owner(&mut context, owner, self.organization);
        let mut request = Request {
            principal: powers.principal.clone(),
            action: question.action.clone(),
            resource: question.resource.clone(),
            resource_account: owner.cloned(),
            context,
        };
        let answer = self.decide(powers, question, owner, &request);
        let Answer::If(keys) = &answer else { return answer };
        // A window that has closed opens for nobody: of all times from now on, one must do.
        let clocks = clock::among(keys);
        let opens = |instant: &String| {
            for key in &clocks {
                request.context.set((*key).clone(), vec![instant.clone()]);
            }
            self.decide(powers, question, owner, &request) != Answer::No
        };
        let open = clocks.is_empty() || self.instants.is_empty() || self.instants.iter().any(opens);
        if open { answer } else { Answer::No }
    }

    fn decide(
        &self,
        powers: &Powers<'_>,
        question: &Question<'_>,
        owner: Option<&AccountId>,
        request: &Request,
    ) -> Answer {
        let known = [&powers.context];
        let decision = if owner == powers.account.as_ref() {
            let ready = powers.ready.get_or_init(|| CompiledPolicies::new(&self.policies(powers, owner)));
            ready.decide(request, question.policy, &known)
        } else {
            CompiledPolicies::new(&self.policies(powers, owner)).decide(request, question.policy, &known)
        };
        self.note(powers, request, &decision);
        answer(decision.outcome)
    }

    /// Everything that speaks for or limits a principal, on resources of an account.
    fn policies<'p>(&self, powers: &Powers<'p>, owner: Option<&AccountId>) -> Policies<'p>
    where
        'a: 'p,
    {
        let account = powers.account.as_ref();
        let above = account.and_then(|account| self.guards.get(account));
        Policies {
            identity: powers.held.iter().map(|held| held.document).collect(),
            resource: None,
            boundary: powers.boundary.into_iter().collect(),
            session: Vec::new(),
            scps: above.map(|guards| guards.scps.clone()).unwrap_or_default(),
            rcps: owner.map(|owner| self.resource_controls(owner)).unwrap_or_default(),
            vpc_endpoint: Vec::new(),
            principal_is_management_account: account.is_some_and(|id| self.index.is_management_account(id)),
            principal_is_service_linked_role: powers.is_service_linked,
        }
    }

    /// Resource control policies above an account.
    pub(crate) fn resource_controls(&self, owner: &AccountId) -> Vec<Vec<&'a PolicyDocument>> {
        self.guards.get(owner).map(|guards| guards.rcps.clone()).unwrap_or_default()
    }

    pub(crate) const fn organization(&self) -> Option<&'a Organization> {
        self.organization
    }

    /// The same, where the resource's policy leaves it to the principal's account.
    pub(crate) fn may_where_account_is_trusted(&self, powers: &Powers<'_>, question: Question<'_>) -> Answer {
        let Some(account) = &powers.account else { return Answer::No };
        let policy = letting_in(account.to_string());
        self.may(powers, &Question { policy: Some(&policy), ..question })
    }

    /// The same, where the resource's policy names the principal; of a role, a session of it, which no boundary limits.
    pub(crate) fn may_where_named(&self, powers: &Powers<'_>, question: Question<'_>) -> Answer {
        let mut powers = powers.clone();
        if let (Principal::RoleSession { role, session }, Some(account)) = (&mut powers.principal, &powers.account) {
            let name = format!("arn:{}:sts::{account}:assumed-role/{}/new", powers.partition, role.name());
            *session = name.parse().ok();
        }
        let name = match &powers.principal {
            Principal::User(arn) | Principal::RoleSession { session: Some(arn), .. } => arn.to_string(),
            _ => return Answer::No,
        };
        let policy = letting_in(name);
        self.may(&powers, &Question { policy: Some(&policy), ..question })
    }

    /// Whether the principal may do all of these on one thing it names itself.
    pub(crate) fn may_on_any(&self, powers: &Powers<'_>, asked: &[Question<'_>]) -> Answer {
        let mut best = Answer::No;
        for witness in self.witnesses(powers, asked) {
            let mut answer = Answer::Yes;
            for question in asked {
                let question = Question { resource: ResourceName::Arn(witness.clone()), ..question.clone() };
                answer = answer.and(self.may(powers, &question));
                if answer == Answer::No {
                    break;
                }
            }
            best = best.or(answer);
            if best == Answer::Yes {
                break;
            }
        }
        best
    }

    /// Whether a role's trust policy lets a service in.
    pub(crate) fn lets_service_in(&self, role: &Person<'a>, service: &str) -> Answer {
        let mut context = Context::open();
        set(&mut context, "aws:PrincipalServiceName", service);
        set(&mut context, "aws:PrincipalIsAWSService", "true");
        let account = role.arn.account();
        set_owner(&mut context, account.as_ref(), self.organization);
        if let Some(account) = &account {
            set(&mut context, "aws:SourceAccount", account.as_str());
        }
        let mut best = Answer::No;
        for name in ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"] {
            let (Ok(action), Ok(principal)) = (name.parse(), Principal::parse(service)) else { continue };
            let request = Request {
                principal,
                action,
                resource: ResourceName::Arn(role.arn.clone()),
                resource_account: account.clone(),
                context: context.clone(),
            };
            let decision = evaluate(&request, &Policies { resource: role.trust, ..Policies::default() });
            self.notes.take(&request, &decision);
            best = best.or(answer(decision.outcome));
        }
        best
    }
}

/// A decision's outcome, as an answer.
pub(crate) fn answer(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Allow => Answer::Yes,
        Outcome::ExplicitDeny | Outcome::ImplicitDeny => Answer::No,
        Outcome::Unknown(unknowns) => match unknowns.elements.first() {
            Some(element) => Answer::Unknown(element.clone()),
            None => Answer::If(unknowns.keys.into_iter().collect()),
        },
    }
}
