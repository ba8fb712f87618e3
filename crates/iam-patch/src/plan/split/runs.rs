//! Whether a function runs with the role that is taken apart, as its source says it.
//!
//! What cannot be told is refused: a function passed over would go on sharing the role, and nobody would hear of it.

use super::SplitSite;
use crate::intrinsic;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Resolver, Value};
use crate::template::Resource;
use crate::tree::Node;

/// Whether a function runs with the shared role; not, where the source gives it another one.
pub(super) fn with_shared(site: &SplitSite<'_>, function: &Resource<'_>) -> Result<bool, Refusal> {
    let roles = site.template.roles_of(function);
    let Some(node) = function.role else {
        // The framework's own role, or one that SAM makes for it alone.
        return Ok(roles.iter().any(|id| id == site.role.id));
    };
    let refused = |what: &str| {
        let message = format!("`{}` says its role by {what}", function.id);
        Refusal::new(RefusalCode::Conditional, message)
            .hint("give the function a role of its own by hand; the new roles are printed with this refusal")
            .at(crate::locate::place(site.template, node.span))
    };
    if roles.iter().any(|id| id == site.role.id) {
        return if chooses(node) { Err(refused("a condition")) } else { Ok(true) };
    }
    let own =
        |id: &String| site.template.resource(id).is_some_and(|r| r.kind == "AWS::IAM::Role" || r.has_implicit_role());
    if roles.iter().any(own) && !chooses(node) {
        return Ok(false);
    }
    match Resolver::open(site.template, site.stack).value(node) {
        Value::Text(text) if text.known().is_none() && !is_fixed(node) => {
            Err(refused("a parameter or an import, so that which role it is cannot be told"))
        }
        Value::Text(text) => Ok(text.explains(site.arn.as_str())),
        _ => Err(refused("something that cannot be resolved here")),
    }
}

/// Whether a value is one of several.
fn chooses(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |node| {
        let of_one = |name: &str| matches!(name, "Ref" | "GetAtt" | "Sub" | "Join");
        found |= intrinsic::call(node).is_some_and(|call| !of_one(call.name));
    });
    found
}

/// Whether nothing but the account, the Region and the partition is left open.
fn is_fixed(node: &Node) -> bool {
    let mut names = intrinsic::references(node).into_iter();
    !chooses(node) && names.all(|name| matches!(name.as_str(), "AWS::AccountId" | "AWS::Partition" | "AWS::Region"))
}
