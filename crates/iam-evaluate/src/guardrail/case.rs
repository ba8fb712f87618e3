//! A request saved with the guardrail it is meant for and what is expected of it: one JSON object a line.
//!
//! Reads the cases of `paring guard replay`. Their context is complete: a key that is not listed is absent, but for the two
//! that every signed request of an account's principal carries, `aws:PrincipalArn` and `aws:PrincipalAccount`.

use std::collections::BTreeMap;

use iam_model::condition::ConditionKey;
use iam_model::json::{Arena, Node, NodeKind, parse};

use super::{GuardrailKind, Standing};
use crate::case::{CaseError, LIMITS, context};
use crate::context::Context;
use crate::principal::Principal;
use crate::request::Request;

/// Names of policies by what they are attached to: the root, a unit, or an account.
pub type Attached = BTreeMap<String, Vec<String>>;

/// A request, where its guardrails are to be found, and what is expected.
#[derive(Debug, Clone)]
pub struct GuardrailCase {
    /// The case's name.
    pub id: String,
    /// The guardrail's name, where the case says.
    pub policy: Option<String>,
    /// Its kind, where the case says.
    pub kind: Option<GuardrailKind>,
    /// The request.
    pub request: Request,
    /// What takes it out of reach, as far as the case says.
    pub standing: Standing,
    /// Service control policies of the whole tree.
    pub scps: Option<Attached>,
    /// Resource control policies of the whole tree.
    pub rcps: Option<Attached>,
    /// What is expected: `denied`, `allowed` or `unknown`.
    pub expect: Option<String>,
    /// The statements that should decide, by index.
    pub statements: Option<Vec<usize>>,
    /// What should decide: the name of a target, `rcp:` before it for resource control policies; or nothing.
    pub decided_by: Option<Option<String>>,
}

impl GuardrailCase {
    /// Reads one line; the arena's memory is used again.
    ///
    /// # Errors
    /// Where the line is not JSON or holds no request.
    pub fn read_in(arena: &mut Arena, line: &str) -> Result<Self, CaseError> {
        arena.clear();
        let node = parse(arena, line, LIMITS).map_err(|error| CaseError::new(error.offset, error.to_string()))?;
        let kind = text(&node, "kind")?.map(|word| {
            GuardrailKind::parse(word).ok_or_else(|| at(&node, "kind", format!("`{word}` is no kind of guardrail")))
        });
        let flag = |key: &str| node.get(key).and_then(Node::as_bool).unwrap_or(false);
        Ok(Self {
            id: text(&node, "id")?.unwrap_or_default().into(),
            policy: text(&node, "policy")?.map(Into::into),
            kind: kind.transpose()?,
            request: request(&node)?,
            standing: Standing {
                caller_in_management_account: flag("principal_is_management_account"),
                resource_in_management_account: flag("resource_is_management_account"),
                service_linked_role: flag("principal_is_service_linked_role"),
            },
            scps: attached(&node, "scp")?,
            rcps: attached(&node, "rcp")?,
            expect: expect(&node)?,
            statements: statements(&node)?,
            decided_by: node.get("decided_by").map(|by| by.as_str().map(Into::into)),
        })
    }
}

/// An error at a member of the case, or at the case where it has none.
fn at(node: &Node<'_>, key: &str, reason: String) -> CaseError {
    CaseError::new(node.get(key).map_or(node.span.start, |member| member.span.start), reason)
}

fn text<'a>(node: &Node<'a>, key: &str) -> Result<Option<&'a str>, CaseError> {
    let Some(member) = node.get(key).filter(|member| member.kind != NodeKind::Null) else { return Ok(None) };
    let wrong = || at(node, key, format!("`{key}` is {}, not a string", member.describe()));
    member.as_str().map(Some).ok_or_else(wrong)
}

fn request(node: &Node<'_>) -> Result<Request, CaseError> {
    let required = |key: &str| text(node, key)?.ok_or_else(|| at(node, key, format!("the case has no `{key}`")));
    let (principal, action, resource) = (required("principal")?, required("action")?, required("resource")?);
    let principal = Principal::parse(principal).map_err(|error| at(node, "principal", error.to_string()))?;
    // What AWS owns, such as its managed policies, has `aws` where others have an account.
    let account = text(node, "resource_account")?.filter(|account| *account != "aws").map(str::parse).transpose();
    let listed = node.get("context");
    if let Some(listed) = listed.filter(|listed| !matches!(listed.kind, NodeKind::Object(_) | NodeKind::Null)) {
        return Err(at(node, "context", format!("`context` is {}, not an object", listed.describe())));
    }
    let mut context = context(listed);
    let has =
        |key: &str| listed.map_or(&[][..], Node::members).iter().any(|member| member.key.eq_ignore_ascii_case(key));
    derive(&mut context, &principal, &has);
    Ok(Request {
        action: action.parse().map_err(|e: iam_model::action::ActionError| at(node, "action", e.to_string()))?,
        resource: resource.parse().map_err(|e: iam_model::arn::ArnError| at(node, "resource", e.to_string()))?,
        resource_account: account.map_err(|e: iam_model::arn::ArnError| at(node, "resource_account", e.to_string()))?,
        principal,
        context,
    })
}

/// What AWS puts into the context of every signed request (IAM User Guide, "AWS global condition context keys").
fn derive(context: &mut Context, principal: &Principal, has: &dyn Fn(&str) -> bool) {
    let Some(account) = principal.account() else { return };
    let arn = match principal {
        Principal::Root(account) => format!("arn:aws:iam::{account}:root"),
        _ => principal.arn().map(ToString::to_string).unwrap_or_default(),
    };
    for (key, value) in [("aws:PrincipalArn", arn), ("aws:PrincipalAccount", account.to_string())] {
        if !has(key) {
            context.set_one(ConditionKey::new(key), value);
        }
    }
}

/// Policies by what they are attached to, as a case or an organisation lists them.
pub(super) fn attached(node: &Node<'_>, key: &str) -> Result<Option<Attached>, CaseError> {
    let Some(member) = node.get(key).filter(|member| member.kind != NodeKind::Null) else { return Ok(None) };
    let wrong = |what: &Node<'_>| CaseError::new(what.span.start, format!("`{key}` maps targets to lists of names"));
    if !matches!(member.kind, NodeKind::Object(_)) {
        return Err(wrong(member));
    }
    let mut attached = Attached::new();
    for target in member.members() {
        let NodeKind::Array(names) = target.value.kind else { return Err(wrong(&target.value)) };
        let names = names.iter().map(|name| name.as_str().map(Into::into).ok_or_else(|| wrong(name)));
        attached.insert(target.key.into(), names.collect::<Result<_, _>>()?);
    }
    Ok(Some(attached))
}

fn expect(node: &Node<'_>) -> Result<Option<String>, CaseError> {
    match text(node, "expect")? {
        None => Ok(None),
        Some(word @ ("denied" | "allowed" | "unknown")) => Ok(Some(word.into())),
        Some(other) => Err(at(node, "expect", format!("`{other}` is none of `denied`, `allowed` and `unknown`"))),
    }
}

fn statements(node: &Node<'_>) -> Result<Option<Vec<usize>>, CaseError> {
    let Some(member) = node.get("statements").filter(|member| member.kind != NodeKind::Null) else { return Ok(None) };
    let wrong = || at(node, "statements", "`statements` is a list of indexes".into());
    let NodeKind::Array(items) = member.kind else { return Err(wrong()) };
    let index = |item: &Node<'_>| item.as_u64().and_then(|index| usize::try_from(index).ok()).ok_or_else(wrong);
    items.iter().map(index).collect::<Result<_, _>>().map(Some)
}
