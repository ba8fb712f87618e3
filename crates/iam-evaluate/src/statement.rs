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
use crate::wildcard::{Case, Piece, matches, pieces};

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
    not_action: bool,
    actions: Vec<ActionTest>,
    resource: ResourceTest,
    conditions: Vec<CompiledCondition>,
    unknown: Vec<String>,
}

#[derive(Debug, Clone)]
enum ActionTest {
    Everything,
    /// A service, and a name without wildcards.
    Exact {
        service: Box<str>,
        name: Box<str>,
    },
    /// A service, and a name that starts so and then goes on in any way.
    Prefix {
        service: Box<str>,
        prefix: Box<str>,
    },
    Pattern {
        service: Box<str>,
        pieces: Vec<Piece<'static>>,
    },
    /// `*:…`: a name in any service. AWS refuses most of these; where one stands, the widest reading is the safe one.
    AnyService(Vec<Piece<'static>>),
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
        Self::of_statements(document, |_| true)
    }

    /// A document for one request: statements about other actions are left out before they cost anything.
    pub(crate) fn for_request(document: &PolicyDocument, parts: &Parts<'_>) -> Self {
        Self::of_statements(document, |statement| {
            let listed = statement.action.patterns().iter().any(|p| action_matches(p.value.as_str(), parts));
            let not = matches!(statement.action, ActionElement::NotAction(_));
            listed != not || !statement.unknown.is_empty()
        })
    }

    fn of_statements(document: &PolicyDocument, wanted: impl Fn(&Statement) -> bool) -> Self {
        let version = document.effective_version();
        let statements = document.statements.iter().enumerate().filter(|(_, statement)| wanted(statement));
        Self {
            statements: statements.map(|(index, s)| CompiledStatement::new(index, s, version)).collect(),
            unknown: document.unknown.iter().map(|element| element.what.clone()).collect(),
        }
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

impl CompiledStatement {
    fn new(index: usize, statement: &Statement, version: PolicyVersion) -> Self {
        let arns = |patterns: &[iam_model::text::Spanned<iam_model::arn::ResourcePattern>]| {
            patterns.iter().map(|p| ArnPattern::new(p.value.as_str(), version, Position::Resource)).collect()
        };
        Self {
            index,
            effect: statement.effect,
            span: statement.span,
            principals: statement.principal.as_ref().map(CompiledPrincipals::new),
            not_action: matches!(statement.action, ActionElement::NotAction(_)),
            actions: statement.action.patterns().iter().map(|p| ActionTest::new(p.value.as_str())).collect(),
            resource: match &statement.resource {
                ResourceElement::Resource(patterns) => ResourceTest::In(arns(patterns)),
                ResourceElement::NotResource(patterns) => ResourceTest::NotIn(arns(patterns)),
                ResourceElement::Absent => ResourceTest::Absent,
            },
            conditions: statement.conditions.iter().map(|c| CompiledCondition::new(c, version)).collect(),
            unknown: statement.unknown.iter().map(|element| element.what.clone()).collect(),
        }
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

/// Whether a pattern covers the request's action, without compiling what has no wildcard.
fn action_matches(pattern: &str, parts: &Parts<'_>) -> bool {
    match pattern.split_once(':') {
        Some((service, name)) if !pattern.contains(['*', '?']) => {
            name.eq_ignore_ascii_case(parts.name) && service.eq_ignore_ascii_case(parts.service)
        }
        _ => ActionTest::new(pattern).matches(parts),
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
        if pattern == "*" {
            return Self::Everything;
        }
        let Some((service, name)) = pattern.split_once(':') else { return Self::Nothing };
        if service == "*" {
            return Self::AnyService(pieces(name));
        }
        if service.contains(['*', '?']) {
            return Self::Nothing;
        }
        let service: Box<str> = service.into();
        let prefix = name.strip_suffix('*');
        match prefix {
            _ if !name.contains(['*', '?']) => Self::Exact { service, name: name.into() },
            Some(prefix) if !prefix.contains(['*', '?']) => Self::Prefix { service, prefix: prefix.into() },
            _ => Self::Pattern { service, pieces: pieces(name) },
        }
    }

    fn matches(&self, parts: &Parts<'_>) -> bool {
        let is = |service: &str| service.eq_ignore_ascii_case(parts.service);
        match self {
            Self::Everything => true,
            Self::Exact { service, name } => name.eq_ignore_ascii_case(parts.name) && is(service),
            Self::Prefix { service, prefix } => {
                is(service)
                    && parts
                        .name
                        .split_at_checked(prefix.len())
                        .is_some_and(|(head, _)| head.eq_ignore_ascii_case(prefix))
            }
            Self::Pattern { service, pieces } => is(service) && matches(pieces, parts.name, Case::Folds),
            Self::AnyService(pieces) => matches(pieces, parts.name, Case::Folds),
            Self::Nothing => false,
        }
    }
}
