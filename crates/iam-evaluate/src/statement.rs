//! One statement and one policy, compiled, and whether a statement applies to a request.
//!
//! Follows the IAM User Guide topics "IAM JSON policy elements: Action", "… NotAction", "… Resource" and
//! "… NotResource". A statement with a part that was not understood may apply to anything.

use iam_model::policy::{ActionElement, Effect, PolicyDocument, PolicyVersion, ResourceElement, Statement};
use iam_model::text::Span;

use crate::arn_pattern::{ArnPattern, Position};
use crate::comparison::CompiledCondition;
use crate::context::Facts;
use crate::decision::Unknowns;
use crate::naming::CompiledPrincipals;
use crate::request::Parts;
use crate::truth::Truth;
use crate::wildcard::{Case, matches, pieces};

/// A policy document ready to be matched.
#[derive(Debug, Clone)]
pub(crate) struct CompiledPolicy {
    pub(crate) statements: Vec<CompiledStatement>,
    /// What was not understood outside any statement. Not empty: the policy may hold more than we know.
    pub(crate) unknown: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct CompiledStatement {
    /// Its index in the document.
    pub(crate) index: usize,
    pub(crate) effect: Effect,
    pub(crate) span: Span,
    pub(crate) principals: Option<CompiledPrincipals>,
    /// The service whose actions alone it speaks of; nothing where it speaks of several, or may.
    service: Option<Box<str>>,
    not_action: bool,
    actions: Vec<ActionTest>,
    resource: ResourceTest,
    conditions: Vec<CompiledCondition>,
    unknown: Vec<String>,
}

/// An action pattern, and where its colon stands.
#[derive(Debug, Clone)]
struct ActionTest {
    text: Box<str>,
    colon: usize,
    form: ActionForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ActionForm {
    /// `*`
    Everything,
    /// A service, and a name without wildcards.
    Exact,
    /// A service, and a name that starts so and then goes on in any way.
    Prefix,
    /// A service, and a name with wildcards.
    Pattern,
    /// `*:…`: a name in any service. AWS refuses most of these; where one stands, the widest reading is the safe one.
    AnyService,
    /// No action looks like this; AWS refuses it: no colon, or a wildcard in part of the service.
    Nothing,
}

#[derive(Debug, Clone)]
enum ResourceTest {
    In(Vec<ArnPattern>),
    NotIn(Vec<ArnPattern>),
    Absent,
}

impl CompiledPolicy {
    pub(crate) fn new(document: &PolicyDocument) -> Self {
        let version = document.effective_version();
        let compile = |(index, statement): (usize, &Statement)| {
            let actions = statement.action.patterns().iter().map(|p| ActionTest::new(p.value.as_str())).collect();
            CompiledStatement::new(index, statement, version, is_not_action(statement), actions)
        };
        let statements = document.statements.iter().enumerate().map(compile).collect();
        Self { statements, unknown: unknown_parts(document) }
    }

    /// A document for one request: statements about other actions are left out before they cost anything.
    pub(crate) fn for_request(document: &PolicyDocument, parts: &Parts<'_>) -> Self {
        let version = document.effective_version();
        let wanted = |statement: &Statement| {
            let covers = |pattern: &str| {
                may_cover(pattern, parts.service) && {
                    let (colon, form) = ActionForm::of(pattern);
                    form.matches(pattern, colon, parts)
                }
            };
            let listed = statement.action.patterns().iter().any(|p| covers(p.value.as_str()));
            listed != is_not_action(statement) || !statement.unknown.is_empty()
        };
        let statements = document.statements.iter().enumerate().filter(|(_, statement)| wanted(statement));
        // The action has been asked: all but none is all.
        let compile = |(index, statement)| CompiledStatement::new(index, statement, version, true, Vec::new());
        Self { statements: statements.map(compile).collect(), unknown: unknown_parts(document) }
    }

    /// A policy of which nothing is known but what it is.
    pub(crate) fn unknown(what: String) -> Self {
        Self { statements: Vec::new(), unknown: vec![what] }
    }

    /// Whether some statement may allow an action, on whatever resource and under whatever condition.
    pub(crate) fn may_allow(&self, service: &str, name: &str) -> bool {
        let parts = Parts { service, name, resource: None, owner: "" };
        let may = |statement: &CompiledStatement| {
            let listed = statement.actions.iter().any(|test| test.matches(&parts)) != statement.not_action;
            statement.effect != Effect::Deny && (listed || !statement.unknown.is_empty())
        };
        !self.unknown.is_empty() || self.statements.iter().any(may)
    }
}

/// The one service that all these patterns name.
fn only_service(actions: &[ActionTest]) -> Option<Box<str>> {
    let first = actions.first()?.service()?;
    let is_first = |test: &ActionTest| test.service().is_some_and(|other| other.eq_ignore_ascii_case(first));
    actions.iter().all(is_first).then(|| first.into())
}

/// Whether an action pattern speaks of a service, or of several: most are told apart by this alone.
fn may_cover(pattern: &str, service: &str) -> bool {
    pattern.starts_with('*') || (pattern.as_bytes().get(service.len()) == Some(&b':') && starts_with(pattern, service))
}

fn is_not_action(statement: &Statement) -> bool {
    matches!(statement.action, ActionElement::NotAction(_))
}

fn unknown_parts(document: &PolicyDocument) -> Vec<String> {
    document.unknown.iter().map(|element| element.what.clone()).collect()
}

impl CompiledStatement {
    fn new(
        index: usize,
        statement: &Statement,
        version: PolicyVersion,
        not_action: bool,
        actions: Vec<ActionTest>,
    ) -> Self {
        let arns = |patterns: &[iam_model::text::Spanned<iam_model::arn::ResourcePattern>]| {
            patterns.iter().map(|p| ArnPattern::new(p.value.as_str(), version, Position::Resource)).collect()
        };
        Self {
            index,
            effect: statement.effect,
            span: statement.span,
            principals: statement.principal.as_ref().map(CompiledPrincipals::new),
            service: if not_action || !statement.unknown.is_empty() { None } else { only_service(&actions) },
            not_action,
            actions,
            resource: match &statement.resource {
                ResourceElement::Resource(patterns) => ResourceTest::In(arns(patterns)),
                ResourceElement::NotResource(patterns) => ResourceTest::NotIn(arns(patterns)),
                ResourceElement::Absent => ResourceTest::Absent,
            },
            conditions: statement.conditions.iter().map(|c| CompiledCondition::new(c, version)).collect(),
            unknown: statement.unknown.iter().map(|element| element.what.clone()).collect(),
        }
    }

    /// Whether the statement may speak of an action of this service: most statements are told apart by this alone.
    #[inline]
    pub(crate) fn may_speak_of(&self, service: &str) -> bool {
        self.service.as_ref().is_none_or(|only| only.eq_ignore_ascii_case(service))
    }

    /// Whether action, resource and conditions fit the request; whom the statement names is asked elsewhere.
    ///
    /// `without_resource` is what a statement without `Resource` means in its layer.
    pub(crate) fn fits(&self, parts: &Parts<'_>, facts: &Facts<'_>, without_resource: Truth) -> Truth {
        if !self.unknown.is_empty() {
            return Truth::Maybe;
        }
        let action = self.actions.iter().any(|test| test.matches(parts)) != self.not_action;
        if !action {
            return Truth::No;
        }
        let resource = self.resource_fits(parts, facts, without_resource);
        if resource == Truth::No {
            return Truth::No;
        }
        resource.and(Truth::all(self.conditions.iter().map(|condition| condition.holds(facts))))
    }

    fn resource_fits(&self, parts: &Parts<'_>, facts: &Facts<'_>, without: Truth) -> Truth {
        let any = |patterns: &[ArnPattern]| {
            Truth::any(patterns.iter().map(|pattern| resource_matches(pattern, parts, facts)))
        };
        match &self.resource {
            ResourceTest::In(patterns) => any(patterns),
            ResourceTest::NotIn(patterns) => !any(patterns),
            ResourceTest::Absent => without,
        }
    }

    /// Names what would have to be known for [`fits`](Self::fits) to be decided.
    pub(crate) fn explain(&self, parts: &Parts<'_>, facts: &Facts<'_>, unknowns: &mut Unknowns) {
        for what in &self.unknown {
            unknowns.element(what.clone());
        }
        if let ResourceTest::In(patterns) | ResourceTest::NotIn(patterns) = &self.resource {
            for pattern in patterns {
                if resource_matches(pattern, parts, facts) == Truth::Maybe {
                    pattern.unknown_keys(facts).into_iter().for_each(|key| unknowns.key(key));
                    if pattern.is_short() {
                        unknowns.element("a resource of fewer than six segments".into());
                    }
                }
            }
        }
        for condition in &self.conditions {
            if condition.holds(facts) == Truth::Maybe {
                condition.explain(facts, unknowns);
            }
        }
        if self.effect == Effect::Unknown {
            unknowns.element("the effect of a statement".into());
        }
    }

    /// Whether the statement lacks the element that names resources.
    pub(crate) const fn lacks_resource(&self) -> bool {
        matches!(self.resource, ResourceTest::Absent)
    }
}

/// What a resource of fewer than six segments covers AWS's text does not say.
fn resource_matches(pattern: &ArnPattern, parts: &Parts<'_>, facts: &Facts<'_>) -> Truth {
    if pattern.is_short() && parts.resource.is_some() {
        return Truth::Maybe;
    }
    pattern.matches(parts.resource.as_ref(), facts)
}

impl ActionTest {
    fn new(pattern: &str) -> Self {
        let (colon, form) = ActionForm::of(pattern);
        Self { text: pattern.into(), colon, form }
    }

    /// The one service it names.
    fn service(&self) -> Option<&str> {
        match self.form {
            ActionForm::Exact | ActionForm::Prefix | ActionForm::Pattern => self.text.get(..self.colon),
            ActionForm::Everything | ActionForm::AnyService | ActionForm::Nothing => None,
        }
    }

    fn matches(&self, parts: &Parts<'_>) -> bool {
        self.form.matches(&self.text, self.colon, parts)
    }
}

impl ActionForm {
    /// The form of a pattern, and where its colon stands.
    fn of(pattern: &str) -> (usize, Self) {
        let bytes = pattern.as_bytes();
        let colon = bytes.iter().position(|byte| *byte == b':');
        let wildcard = bytes.iter().position(|byte| matches!(byte, b'*' | b'?'));
        let form = match (colon, wildcard) {
            _ if pattern == "*" => Self::Everything,
            (None, _) => Self::Nothing,
            (Some(_), None) => Self::Exact,
            (Some(colon), Some(at)) if at < colon => {
                if pattern.starts_with("*:") {
                    Self::AnyService
                } else {
                    Self::Nothing
                }
            }
            (Some(_), Some(at)) if at + 1 == bytes.len() && pattern.ends_with('*') => Self::Prefix,
            (Some(_), Some(_)) => Self::Pattern,
        };
        (colon.unwrap_or_default(), form)
    }

    #[inline]
    fn matches(self, pattern: &str, colon: usize, parts: &Parts<'_>) -> bool {
        match self {
            Self::Everything => return true,
            Self::Nothing => return false,
            // Most patterns are told apart by the length of their service alone.
            Self::Exact | Self::Prefix | Self::Pattern if colon != parts.service.len() => return false,
            Self::Exact | Self::Prefix | Self::Pattern | Self::AnyService => {}
        }
        let Some((service, name)) = pattern.split_at_checked(colon) else { return false };
        let name = name.strip_prefix(':').unwrap_or_default();
        let is_service = || service.eq_ignore_ascii_case(parts.service);
        match self {
            Self::Exact => name.eq_ignore_ascii_case(parts.name) && is_service(),
            Self::Prefix => is_service() && starts_with(parts.name, name.strip_suffix('*').unwrap_or(name)),
            Self::Pattern => is_service() && matches(pieces(name), parts.name, Case::Folds),
            Self::AnyService => matches(pieces(name), parts.name, Case::Folds),
            Self::Everything | Self::Nothing => false,
        }
    }
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.split_at_checked(prefix.len()).is_some_and(|(head, _)| head.eq_ignore_ascii_case(prefix))
}
