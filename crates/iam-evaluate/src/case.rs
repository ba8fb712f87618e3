//! A request saved with its policies, so that a decision replays anywhere: one JSON object a line.
//!
//! Reads the cases of `paring simulate --cases`. Their context is complete: a key that is not listed is absent.

use iam_model::condition::ConditionKey;
use iam_model::diagnostic::Diagnostic;
use iam_model::json::{Arena, Limits, Node, NodeKind, parse};
use iam_model::policy::{PolicyDocument, from_json};
use iam_model::text::SourceText;

use crate::context::Context;
use crate::decision::{Decision, LayerOutcome};
use crate::policies::{Policies, evaluate};
use crate::principal::Principal;
use crate::request::Request;

/// A request, the policies around it, and what is expected of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The case's name.
    pub id: String,
    /// The request.
    pub request: Request,
    /// What is expected, where the case says so.
    pub expected: Option<LayerOutcome>,
    policies: OwnedPolicies,
}

#[derive(Debug, Clone, Default)]
struct OwnedPolicies {
    identity: Vec<PolicyDocument>,
    resource: Option<PolicyDocument>,
    boundary: Vec<PolicyDocument>,
    session: Vec<PolicyDocument>,
    scps: Vec<Vec<PolicyDocument>>,
    rcps: Vec<Vec<PolicyDocument>>,
    vpc_endpoint: Vec<PolicyDocument>,
    management_account: bool,
    service_linked_role: bool,
}

/// Why a line is no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CaseError {
    reason: String,
    /// Byte offset into the line.
    pub offset: usize,
}

/// Bytes and depth of one case.
pub(crate) const LIMITS: Limits = Limits { bytes: 16 << 20, depth: 40 };

impl CaseError {
    /// What is wrong with the value that starts at a byte of the line.
    pub(crate) const fn new(offset: usize, reason: String) -> Self {
        Self { reason, offset }
    }
}

impl Case {
    /// Reads one line. Policies that cannot be read become diagnostics and unknown parts.
    ///
    /// # Errors
    /// Where the line is not JSON or holds no request.
    pub fn read(line: &SourceText) -> Result<(Self, Vec<Diagnostic>), CaseError> {
        Self::read_in(&mut Arena::new(), line)
    }

    /// [`read`](Self::read), for many lines after another: the arena's memory is used again.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_in(arena: &mut Arena, line: &SourceText) -> Result<(Self, Vec<Diagnostic>), CaseError> {
        arena.clear();
        let node = parse(arena, &line.text, LIMITS)
            .map_err(|error| CaseError { reason: error.to_string(), offset: error.offset })?;
        let mut reader = Reader { line, diagnostics: Vec::new() };
        let request = request(&node)?;
        let flag = |key: &str| node.get("request").and_then(|r| r.get(key)).and_then(Node::as_bool).unwrap_or(false);
        let policies = OwnedPolicies {
            identity: reader.list(&node, "identity_policies"),
            resource: node
                .get("resource_policy")
                .filter(|n| n.kind != NodeKind::Null)
                .map(|n| reader.document(n, "resource_policy")),
            boundary: reader.list(&node, "boundary_policies"),
            session: reader.list(&node, "session_policies"),
            scps: reader.levels(&node, "scps"),
            rcps: reader.levels(&node, "rcps"),
            vpc_endpoint: reader.list(&node, "vpc_endpoint_policies"),
            management_account: flag("principal_is_management_account"),
            service_linked_role: flag("principal_is_service_linked_role"),
        };
        let id = node.get("id").and_then(Node::as_str).unwrap_or_default().into();
        Ok((Self { id, request, expected: expected(&node), policies }, reader.diagnostics))
    }

    /// Decides the case.
    #[must_use]
    pub fn evaluate(&self) -> Decision {
        evaluate(&self.request, &self.policies())
    }

    /// The policies of the case.
    #[must_use]
    pub fn policies(&self) -> Policies<'_> {
        let p = &self.policies;
        Policies {
            identity: p.identity.iter().collect(),
            resource: p.resource.as_ref(),
            boundary: p.boundary.iter().collect(),
            session: p.session.iter().collect(),
            scps: p.scps.iter().map(|level| level.iter().collect()).collect(),
            rcps: p.rcps.iter().map(|level| level.iter().collect()).collect(),
            vpc_endpoint: p.vpc_endpoint.iter().collect(),
            principal_is_management_account: p.management_account,
            principal_is_service_linked_role: p.service_linked_role,
        }
    }
}

struct Reader<'s> {
    line: &'s SourceText,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn document(&mut self, node: &Node<'_>, within: &str) -> PolicyDocument {
        let (document, diagnostics) = from_json(node, self.line, within);
        self.diagnostics.extend(diagnostics);
        document
    }

    fn list(&mut self, node: &Node<'_>, key: &str) -> Vec<PolicyDocument> {
        let items = node.get(key).map_or(&[][..], Node::items);
        items.iter().map(|item| self.document(item, key)).collect()
    }

    fn levels(&mut self, node: &Node<'_>, key: &str) -> Vec<Vec<PolicyDocument>> {
        let levels = node.get(key).map_or(&[][..], Node::items);
        levels.iter().map(|level| level.items().iter().map(|item| self.document(item, key)).collect()).collect()
    }
}

fn request(node: &Node<'_>) -> Result<Request, CaseError> {
    let error = |node: &Node<'_>, reason: String| CaseError { reason, offset: node.span.start };
    let request = node.get("request").ok_or_else(|| error(node, "the case has no `request`".into()))?;
    let text = |node: &Node<'_>, key: &str| -> Result<String, CaseError> {
        let found = node.get(key).and_then(Node::as_str);
        found.map(Into::into).ok_or_else(|| error(node, format!("`{key}` is missing or is no string")))
    };
    let resource = request.get("resource").ok_or_else(|| error(request, "`resource` is missing".into()))?;
    let account = resource.get("account").and_then(Node::as_str);
    let unreadable = |reason: String| error(request, reason);
    Ok(Request {
        principal: Principal::parse(&text(request, "principal")?).map_err(|e| unreadable(e.to_string()))?,
        action: text(request, "action")?
            .parse()
            .map_err(|e: iam_model::action::ActionError| unreadable(e.to_string()))?,
        resource: text(resource, "arn")?.parse().map_err(|e: iam_model::arn::ArnError| unreadable(e.to_string()))?,
        resource_account: account
            .map(str::parse)
            .transpose()
            .map_err(|e: iam_model::arn::ArnError| unreadable(e.to_string()))?,
        context: context(request.get("context")),
    })
}

/// The facts that a case lists; every other key is absent.
pub(crate) fn context(node: Option<&Node<'_>>) -> Context {
    let mut context = Context::complete();
    context.reserve(node.map_or(0, |node| node.members().len()));
    for member in node.map_or(&[][..], Node::members) {
        let key = ConditionKey::new(member.key);
        match (member.value.kind, scalar(&member.value)) {
            (NodeKind::Null, _) => context.set_absent(key),
            (_, Some(value)) => context.set_one(key, value),
            (_, None) => context.set(key, member.value.items().iter().filter_map(scalar).collect()),
        }
    }
    context
}

fn scalar(node: &Node<'_>) -> Option<String> {
    match &node.kind {
        NodeKind::String(text) => Some(text.to_string()),
        NodeKind::Number(digits) => Some((*digits).into()),
        NodeKind::Bool(value) => Some(value.to_string()),
        NodeKind::Null | NodeKind::Array(_) | NodeKind::Object(_) => None,
    }
}

fn expected(node: &Node<'_>) -> Option<LayerOutcome> {
    match node.get("expected")?.get("decision")?.as_str()? {
        "allow" => Some(LayerOutcome::Allow),
        "explicit_deny" => Some(LayerOutcome::ExplicitDeny),
        "implicit_deny" => Some(LayerOutcome::ImplicitDeny),
        "unknown" => Some(LayerOutcome::Unknown),
        _ => None,
    }
}
