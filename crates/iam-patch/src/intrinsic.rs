//! The syntax of CloudFormation's intrinsic functions, in short (`!Sub`) and long (`Fn::Sub`) form.
//!
//! Follows the AWS CloudFormation topic "Intrinsic function reference". Resolves nothing.

use crate::refusal::{Refusal, RefusalCode};
use crate::tree::Node;

/// The tag of a list that is made of the lists in it, as Terraform's `concat` does.
pub(crate) const CONCAT: &str = "concat";

/// A function call: its name in the long form, and the node that holds the argument.
pub(crate) struct Call<'t> {
    pub(crate) name: &'t str,
    pub(crate) argument: &'t Node,
}

/// Reads a node as a function call, in short or long form.
pub(crate) fn call(node: &Node) -> Option<Call<'_>> {
    if let Some(tag) = node.tag.as_deref() {
        let name = tag.strip_prefix('!')?;
        return (!name.starts_with('!')).then_some(Call { name, argument: node });
    }
    let [entry] = node.entries() else { return None };
    let name = match entry.name() {
        "Ref" => "Ref",
        "Condition" => return None,
        key => key.strip_prefix("Fn::")?,
    };
    Some(Call { name, argument: &entry.value })
}

/// Why a policy's document is not in the file: an include or another macro makes it.
pub(crate) fn made_document(policy: &Node) -> Option<Refusal> {
    let made = is_transform(policy) || policy.get("PolicyDocument").is_some_and(is_transform);
    made.then(|| {
        Refusal::new(RefusalCode::Conditional, "an include or a macro makes the policy document")
            .hint("change what it includes, or write the document out")
    })
}

/// Whether an include or another macro stands in a node's place.
pub(crate) fn is_transform(node: &Node) -> bool {
    call(node).is_some_and(|call| call.name == "Transform")
}

/// The logical id and attribute of a `GetAtt` argument.
pub(crate) fn get_att(argument: &Node) -> Option<(String, String)> {
    if let Some(text) = argument.raw_text() {
        return text.split_once('.').map(|(id, attribute)| (id.to_owned(), attribute.to_owned()));
    }
    match argument.items() {
        [id, attribute] => Some((id.text()?.to_owned(), attribute.text()?.to_owned())),
        _ => None,
    }
}

/// The pieces of a `Sub` text: literal pieces and `${…}` names.
pub(crate) fn sub_pieces(text: &str) -> Vec<Result<&str, &str>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("${") {
        pieces.push(Ok(before));
        let Some((name, after)) = tail.split_once('}') else {
            pieces.push(Ok(tail));
            return pieces;
        };
        pieces.push(Err(name.trim()));
        rest = after;
    }
    pieces.push(Ok(rest));
    pieces
}

/// Logical ids that a value refers to by `Ref`, `GetAtt` or `Sub`, directly or below it.
pub(crate) fn references(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    node.walk(&mut |node| {
        let Some(call) = call(node) else { return };
        match call.name {
            "Ref" => found.extend(call.argument.raw_text().map(str::to_owned)),
            "GetAtt" => found.extend(get_att(call.argument).map(|(id, _)| id)),
            "Sub" => {
                let text = call.argument.raw_text().or_else(|| call.argument.items().first()?.raw_text());
                let names = sub_pieces(text.unwrap_or_default()).into_iter().filter_map(Result::err);
                found.extend(names.map(|name| name.split('.').next().unwrap_or(name).to_owned()));
            }
            _ => {}
        }
    });
    found
}

/// A function as the text that `Sub` would fill in the same way; nothing where it is none.
pub(crate) fn as_sub(node: &Node) -> Option<String> {
    let Some(call) = call(node) else { return node.raw_text().map(|text| text.replace("${", "${!")) };
    match (call.name, call.argument.items()) {
        ("Sub", []) => call.argument.raw_text().map(str::to_owned),
        ("Ref", []) => {
            call.argument.raw_text().filter(|name| *name != "AWS::NoValue").map(|name| format!("${{{name}}}"))
        }
        ("GetAtt", _) => get_att(call.argument).map(|(id, attribute)| format!("${{{id}.{attribute}}}")),
        ("Join", [separator, list]) if list.is_seq() && self::call(list).is_none() => {
            let items = list.items().iter().map(as_sub).collect::<Option<Vec<_>>>()?;
            Some(items.join(separator.text()?))
        }
        _ => None,
    }
}
