//! The questions about who acts as whom: shared and passed roles, trust, and the callers of functions.
//!
//! Goes by what the policies say, entry by entry; whether a request would pass in the end is not asked here.

use iam_evaluate::glob::{Glob, Reading};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::change::{AttachmentKind, Change};
use iam_model::condition::{Comparison, Condition, Operator};
use iam_model::policy::{Effect, PolicyDocument, PolicyVersion, PrincipalElement, PrincipalPattern, Statement};

use super::grants::{actions, resources};
use super::state::State;
use crate::guardrails::{
    AccountFacts, Assume, Caller, FunctionFacts, GuardrailError, Invoke, Pass, ProviderName, Question, RoleFacts,
    ServicePrincipal, Share, Violation,
};

/// Does a function of its own run as the role?
pub(super) fn shared(role: &RoleFacts, state: &State<'_>, found: &mut Vec<Violation>) -> Result<(), GuardrailError> {
    state
        .index
        .functions_of(&role.arn)
        .into_iter()
        .filter_map(|f| state.function(f))
        .try_for_each(|function| state.rulebook.ask(&Question::Share(Share { role, function: &function }), found))
}

/// May the role pass the roles that the document lets it pass?
pub(super) fn passed(
    role: &RoleFacts,
    document: &PolicyDocument,
    state: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    for statement in document.statements.iter().filter(|s| s.effect != Effect::Deny) {
        if !actions(statement).iter().any(|a| Glob::parse(a.as_str(), Reading::ACTION).matches("iam:PassRole")) {
            continue;
        }
        let service = values(statement, "iam:passedtoservice").first().map(|name| ServicePrincipal::new(name));
        for pattern in resources(statement) {
            for passed in meant(&pattern, role, state) {
                let pass = Pass { role, passed: &passed, pattern: pattern.clone(), passed_to_service: service.clone() };
                state.rulebook.ask(&Question::Pass(pass), found)?;
            }
        }
    }
    Ok(())
}

/// The roles of the snapshot that a pattern matches; where none does, the pattern as the name of one.
fn meant(pattern: &ResourcePattern, role: &RoleFacts, state: &State<'_>) -> Vec<RoleFacts> {
    let glob = Glob::parse(pattern.as_str(), Reading::resource(PolicyVersion::V2012)).widened();
    let arns = state.index.roles().map(|role| &role.identity.arn).filter(|arn| glob.matches(arn.as_str()));
    // A role passes roles of its own account only.
    let own = arns.filter(|arn| arn.account().as_ref() == Some(&role.account.id));
    let matched: Vec<RoleFacts> = own.filter_map(|arn| state.role(arn)).collect();
    if !matched.is_empty() {
        return matched;
    }
    let named: Option<Arn> = pattern.as_str().parse().ok();
    named.map(|arn| RoleFacts::new(arn, role.account.clone())).into_iter().collect()
}

/// What a changed trust policy or policy of a function lets others do.
pub(super) fn of_others(
    change: &Change,
    document: &PolicyDocument,
    state: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    let attachment = &change.attachment;
    match attachment.kind {
        AttachmentKind::Trust => {
            let role = attachment.principal_arn.as_ref().or(attachment.resource_arn.as_ref());
            let Some(role) = role.and_then(|arn| state.role_or_name(arn)) else { return Ok(()) };
            assumed(&role, document, state, found)
        }
        AttachmentKind::Resource => {
            let of_function = |arn: &&Arn| arn.service() == "lambda" && arn.resource().starts_with("function:");
            let Some(arn) = attachment.resource_arn.as_ref().filter(of_function) else { return Ok(()) };
            let Some(account) = arn.account() else { return Ok(()) };
            let function =
                FunctionFacts { arn: arn.clone(), account: state.account(account), tags: Default::default() };
            invoked(&function, document, state, found)
        }
        _ => Ok(()),
    }
}

/// May those whom a trust policy names assume the role?
pub(super) fn assumed(
    role: &RoleFacts,
    trust: &PolicyDocument,
    state: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    for statement in trust.statements.iter().filter(|s| s.effect != Effect::Deny) {
        let external_id = demands(statement, &["sts:externalid"]);
        let organization_bound = demands(statement, &["aws:principalorgid", "aws:principalorgpaths"]);
        for pattern in principals(statement) {
            let named = Named::of(&pattern, state);
            let Some(caller) = named.caller() else { continue };
            let third_party = named.is_third_party(role, state);
            let assume = Assume { caller, role, third_party, external_id, organization_bound };
            state.rulebook.ask(&Question::Assume(assume), found)?;
        }
    }
    Ok(())
}

/// May those whom a function's policy names invoke it?
pub(super) fn invoked(
    function: &FunctionFacts,
    policy: &PolicyDocument,
    state: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    const SOURCES: &[&str] = &[
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "lambda:eventsourcetoken",
    ];
    for statement in policy.statements.iter().filter(|s| s.effect != Effect::Deny) {
        let source_bound = demands(statement, SOURCES);
        let invokes =
            |name: &str| actions(statement).iter().any(|a| Glob::parse(a.as_str(), Reading::ACTION).matches(name));
        let url = invokes("lambda:InvokeFunctionUrl") || demands(statement, &["lambda:functionurlauthtype"]);
        if !url && !invokes("lambda:InvokeFunction") {
            continue;
        }
        let auth = values(statement, "lambda:functionurlauthtype");
        let open = auth.is_empty() || auth.iter().any(|auth| auth.eq_ignore_ascii_case("NONE"));
        for pattern in principals(statement) {
            let named = Named::of(&pattern, state);
            // Users of a provider call as roles: no policy of a function names them.
            let Some(caller) = named.caller().filter(|caller| !matches!(caller, Caller::Provider(_))) else { continue };
            let anonymous_url = url && open && pattern == PrincipalPattern::Everyone && !source_bound;
            state.rulebook.ask(&Question::Invoke(Invoke { caller, function, anonymous_url, source_bound }), found)?;
        }
    }
    Ok(())
}

/// Those for whom a statement is; `NotPrincipal` is for nearly everyone.
fn principals(statement: &Statement) -> Vec<PrincipalPattern> {
    match &statement.principal {
        Some(PrincipalElement::Principal(entries)) => entries.iter().map(|entry| entry.value.clone()).collect(),
        Some(PrincipalElement::NotPrincipal(_)) => vec![PrincipalPattern::Everyone],
        None => Vec::new(),
    }
}

/// A principal with the facts about it, so that a caller can point at them.
enum Named {
    Role(Box<RoleFacts>),
    Account(Box<AccountFacts>),
    Service(ServicePrincipal),
    Provider(ProviderName),
    Anyone,
}

impl Named {
    fn of(pattern: &PrincipalPattern, state: &State<'_>) -> Self {
        match pattern {
            PrincipalPattern::Service(name) => Self::Service(ServicePrincipal::new(name)),
            PrincipalPattern::Federated(name) => Self::Provider(ProviderName::new(name)),
            // What nobody understands could be anyone.
            PrincipalPattern::Everyone | PrincipalPattern::CanonicalUser(_) | PrincipalPattern::Unknown { .. } => {
                Self::Anyone
            }
            PrincipalPattern::Aws(text) => {
                let arn: Option<Arn> = text.parse().ok();
                let is_role = |arn: &Arn| arn.service() == "iam" && arn.resource().starts_with("role/");
                if let Some(role) = arn.as_ref().filter(|arn| is_role(arn)).and_then(|arn| state.role_or_name(arn)) {
                    return Self::Role(Box::new(role));
                }
                let account = text.parse().ok().or_else(|| arn.and_then(|arn| arn.account()));
                account.map_or(Self::Anyone, |id| Self::Account(Box::new(state.account(id))))
            }
        }
    }

    fn caller(&self) -> Option<Caller<'_>> {
        Some(match self {
            Self::Role(role) => Caller::Role(role),
            Self::Account(account) => Caller::Account(account),
            Self::Service(name) => Caller::Service(name.clone()),
            Self::Provider(name) => Caller::Provider(name.clone()),
            Self::Anyone => Caller::Anyone,
        })
    }

    fn is_third_party(&self, role: &RoleFacts, state: &State<'_>) -> bool {
        let stranger = |account: &AccountFacts| account.id != role.account.id && state.is_third_party(&account.id);
        match self {
            Self::Role(caller) => stranger(&caller.account),
            Self::Account(account) => stranger(account),
            Self::Service(_) | Self::Provider(_) => false,
            Self::Anyone => true,
        }
    }
}

/// Whether a condition demands one of these keys to be present with a value.
fn demands(statement: &Statement, keys: &[&str]) -> bool {
    let holds = |condition: &Condition| {
        let named = keys.contains(&condition.key.as_str().to_ascii_lowercase().as_str());
        let positive = match &condition.operator {
            Operator::Known { comparison, if_exists, .. } => !if_exists && demands_a_value(*comparison),
            Operator::Unknown(_) => false,
        };
        let narrow = condition.values.iter().all(|value| value.value != "*");
        named && positive && narrow
    };
    statement.conditions.iter().any(holds)
}

/// Whether an operator holds only where the key is there with a listed value.
const fn demands_a_value(comparison: Comparison) -> bool {
    !comparison.is_negated() && !matches!(comparison, Comparison::Null)
}

/// The values that a condition demands of a key.
fn values(statement: &Statement, key: &str) -> Vec<String> {
    let about = statement.conditions.iter().filter(|c| c.key.as_str().eq_ignore_ascii_case(key));
    let positive = about.filter(
        |c| matches!(c.operator, Operator::Known { comparison, if_exists: false, .. } if demands_a_value(comparison)),
    );
    positive.flat_map(|c| &c.values).map(|value| value.value.clone()).collect()
}
