//! Roles that the Serverless Framework makes: its own statements left out, managed policies turned into statements.
//!
//! The framework joins the file's statements with its own (logs, pollers, network interfaces) in one policy. Those have
//! no text of their own, so they are neither compared nor touched.

use iam_model::change::{Change, Reason};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, ResourceElement, Statement};

use super::{Author, matching};
use crate::compare::{self, same};
use crate::locate::Found;
use crate::op::{New, Op};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Resolve, Resolver};
use crate::site::{Form, Site};
use crate::template::Template;
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

/// For each statement of a found policy, the deployed one it stands for; nothing where the text does not say what is
/// deployed.
pub(crate) fn aligned(template: &Template, found: &Found<'_>, before: &PolicyDocument) -> Option<Vec<Option<usize>>> {
    let resolver = Resolver::open(template, &found.stack);
    let (document, place) = found.site.document.as_ref()?;
    match found.site.form {
        Form::ServerlessStatements => aligned_with_own(&resolver, document, place, before),
        _ => compare::pair(&resolver, &compare::statements(document, place), &before.statements),
    }
}

/// A change that keeps what a framework writes into the policy by itself; nothing where it does so already.
pub(crate) fn with_generated(template: &Template, found: &Found<'_>, change: &Change) -> Option<Change> {
    let (document, place) = found.site.document.as_ref().filter(|_| found.site.form == Form::ServerlessStatements)?;
    kept(&Resolver::open(template, &found.stack), document, place, change)
}

/// The deployed statements that the framework writes itself: those it may, where the source does not explain them.
fn own(resolver: &dyn Resolve, list: &Node, place: &Path, before: &PolicyDocument) -> Vec<usize> {
    let source = compare::statements(list, place);
    if compare::pair(resolver, &source, &before.statements).is_some() {
        return Vec::new();
    }
    let explained = |statement: &Statement| {
        let one = std::slice::from_ref(statement);
        source.iter().any(|s| compare::pair(resolver, std::slice::from_ref(s), one).is_some())
    };
    let statements = before.statements.iter().enumerate();
    statements.filter(|(_, statement)| is_own(statement) && !explained(statement)).map(|(at, _)| at).collect()
}

/// Both documents without the framework's own statements, where the source does not explain them.
pub(super) fn left_out(
    resolver: &dyn Resolve,
    list: &Node,
    place: &Path,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<(Option<PolicyDocument>, PolicyDocument), Refusal> {
    let Some(before) = before else { return Ok((None, after.clone())) };
    let (mut old, mut new) = (before.clone(), after.clone());
    for statement in own(resolver, list, place, before).into_iter().filter_map(|at| before.statements.get(at)) {
        let Some(kept) = new.statements.iter().position(|other| same(statement, other)) else {
            let message = "the Serverless Framework writes one of the statements itself, and the change would cut it";
            return Err(Refusal::new(RefusalCode::WrittenBySam, message)
                .hint("keep it, or change what the framework makes it from: logs, events or the VPC of a function"));
        };
        new.statements.remove(kept);
        if let Some(at) = old.statements.iter().position(|other| same(statement, other)) {
            old.statements.remove(at);
        }
    }
    Ok((Some(old), new))
}

/// For each statement of the source, the deployed one it stands for; the framework's own belong to none.
fn aligned_with_own(
    resolver: &dyn Resolve,
    list: &Node,
    place: &Path,
    before: &PolicyDocument,
) -> Option<Vec<Option<usize>>> {
    let own = own(resolver, list, place, before);
    let (numbers, rest): (Vec<usize>, Vec<Statement>) =
        before.statements.iter().cloned().enumerate().filter(|(at, _)| !own.contains(at)).unzip();
    let pairs = compare::pair(resolver, &compare::statements(list, place), &rest)?;
    Some(pairs.into_iter().map(|pair| pair.and_then(|at| numbers.get(at).copied())).collect())
}

/// A change that keeps the framework's own statements as they are; nothing where it does so already.
fn kept(resolver: &dyn Resolve, list: &Node, place: &Path, change: &Change) -> Option<Change> {
    let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
    let cut = |statement: &&Statement| !after.statements.iter().any(|other| same(statement, other));
    let own: Vec<&Statement> =
        own(resolver, list, place, before).into_iter().filter_map(|at| before.statements.get(at)).filter(cut).collect();
    if own.is_empty() {
        return None;
    }
    let (mut statements, mut reasons) = (Vec::new(), Vec::new());
    let about = |number: usize| change.reasons.iter().filter(move |reason| reason.statement == Some(number));
    reasons.extend(change.reasons.iter().filter(|reason| reason.statement.is_none()).cloned());
    for (number, statement) in after.statements.iter().enumerate() {
        let mut rest = statement.clone();
        own.iter().for_each(|own| without(&mut rest, own));
        if !rest.action.patterns().is_empty() {
            let at = Some(statements.len());
            reasons.extend(about(number).map(|reason| Reason { statement: at, ..reason.clone() }));
            statements.push(rest);
        }
    }
    for statement in own {
        let because = "it stays: the Serverless Framework writes it itself".to_owned();
        reasons.push(Reason { statement: Some(statements.len()), because, evidence: Vec::new() });
        statements.push(statement.clone());
    }
    let after = Some(PolicyDocument { statements, ..after.clone() });
    Some(Change { after, reasons, ..change.clone() })
}

/// Takes away the actions that another statement grants on all the same resources.
fn without(statement: &mut Statement, other: &Statement) {
    let resources: Vec<&str> = other.resource.patterns().iter().map(|pattern| pattern.value.as_str()).collect();
    let covers = |text: &str| resources.iter().any(|outer| matching::includes(outer, text));
    let (ResourceElement::Resource(own), ResourceElement::Resource(_)) = (&statement.resource, &other.resource) else {
        return;
    };
    let inside = own.iter().all(|pattern| covers(pattern.value.as_str())) && other.conditions.is_empty();
    if let (ActionElement::Action(actions), Effect::Allow, true) = (&mut statement.action, statement.effect, inside) {
        let granted = |action: &str| {
            let action = action.to_ascii_lowercase();
            let mut patterns = other.action.patterns().iter();
            patterns.any(|outer| matching::includes(&outer.value.as_str().to_ascii_lowercase(), &action))
        };
        actions.retain(|action| !granted(action.value.as_str()));
    }
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
