//! Roles that the Serverless Framework makes: its own statements left out, managed policies turned into statements.
//!
//! The framework joins the file's statements with its own (logs, pollers, network interfaces) in one policy. Those have
//! no text of their own, so they are neither compared nor touched.

use iam_model::policy::{Effect, PolicyDocument, Statement};

use super::Author;
use crate::compare;
use crate::op::{New, Op};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Resolve;
use crate::site::Site;
use crate::tree::{Node, Path};

/// Actions the framework grants by itself, for what functions are given besides code.
const OWN: &[&str] = &[
    "logs:createlogstream",
    "logs:createloggroup",
    "logs:tagresource",
    "logs:putlogevents",
    "xray:puttracesegments",
    "xray:puttelemetryrecords",
    "sqs:receivemessage",
    "sqs:deletemessage",
    "sqs:getqueueattributes",
    "sqs:sendmessage",
    "sns:publish",
    "dynamodb:getrecords",
    "dynamodb:getsharditerator",
    "dynamodb:describestream",
    "dynamodb:liststreams",
    "kinesis:getrecords",
    "kinesis:getsharditerator",
    "kinesis:describestream",
    "kinesis:describestreamsummary",
    "kinesis:listshards",
    "kinesis:liststreams",
    "kinesis:subscribetoshard",
    "lambda:invokefunction",
    "events:putevents",
    "ec2:createnetworkinterface",
    "ec2:describenetworkinterfaces",
    "ec2:detachnetworkinterface",
    "ec2:deletenetworkinterface",
    "kafka:describecluster",
    "kafka:describeclusterv2",
    "kafka:getbootstrapbrokers",
    "elasticfilesystem:clientmount",
    "elasticfilesystem:clientwrite",
];

/// Both documents without the framework's own statements, where the source does not explain them.
pub(super) fn left_out(
    resolver: &dyn Resolve,
    list: &Node,
    place: &Path,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<(Option<PolicyDocument>, PolicyDocument), Refusal> {
    let source = compare::statements(list, place);
    let Some(before) = before else { return Ok((None, after.clone())) };
    if compare::pair(resolver, &source, &before.statements).is_some() {
        return Ok((Some(before.clone()), after.clone()));
    }
    let (mut old, mut new) = (before.clone(), after.clone());
    for statement in before.statements.iter().filter(|s| is_own(s)) {
        let explained = source
            .iter()
            .any(|s| compare::pair(resolver, std::slice::from_ref(s), std::slice::from_ref(statement)).is_some());
        if explained {
            continue;
        }
        let same = |other: &Statement| {
            PolicyDocument::new(vec![statement.clone()]).same_text(&PolicyDocument::new(vec![other.clone()]))
        };
        let Some(kept) = new.statements.iter().position(same) else {
            let message = "the Serverless Framework writes one of the statements itself, and the change would cut it";
            return Err(Refusal::new(RefusalCode::WrittenBySam, message)
                .hint("keep it, or change what the framework makes it from: logs, events or the VPC of a function"));
        };
        new.statements.remove(kept);
        if let Some(at) = old.statements.iter().position(same) {
            old.statements.remove(at);
        }
    }
    Ok((Some(old), new))
}

fn is_own(statement: &Statement) -> bool {
    let own = |action: &str| OWN.contains(&action.to_ascii_lowercase().as_str());
    statement.effect == Effect::Allow && statement.action.patterns().iter().all(|p| own(p.value.as_str()))
}

/// A managed policy gives way to statements of the role.
pub(super) fn managed_to_statements(author: &Author<'_>, site: &Site<'_>, list: New) -> Result<Vec<Op>, Refusal> {
    let remove = Op::Remove { at: site.place.clone() };
    let New::Seq(statements) = &list else { return Ok(vec![remove]) };
    let key = if site.resource.property("iamManagedPolicies").is_some() { "iamRoleStatements" } else { "statements" };
    let Some((node, place)) = site.resource.property_at(key) else {
        let Some(beside) = site.list.clone() else { return Ok(vec![remove]) };
        return Ok(vec![remove, Op::InsertEntry { after: beside, key: key.into(), with: list }]);
    };
    let Some(last) = node.items().len().checked_sub(1) else {
        return Err(Refusal::new(RefusalCode::Unsupported, "the list of statements is not written out")
            .at(author.language.place(node.span)));
    };
    let insert = |with: &New| Op::InsertItem { after: place.child(last), with: with.clone() };
    Ok(std::iter::once(remove).chain(statements.iter().map(insert)).collect())
}
