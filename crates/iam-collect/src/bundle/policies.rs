//! Policies on resources: which call tells the policy of which kind, matched to the resource by name or ARN.
//!
//! A policy is copied as it stands; reading it is for the snapshot's reader.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::json::{Node, NodeKind, Value};

use super::account::{Answers, Found};
use super::folder::Answer;
use super::named;
use super::shapes::Resource;
use crate::assemble::Piece;

struct Call {
    call: &'static str,
    kind: &'static str,
    /// Where the policy stands in the answer.
    policy: &'static str,
    /// What the answer's file is named by.
    name: &'static str,
    command: &'static str,
}

const CALLS: &[Call] = &[
    Call {
        call: "get-policy",
        kind: "lambda.function",
        policy: "Policy",
        name: "FunctionName",
        command: "aws lambda get-policy --function-name NAME",
    },
    Call {
        call: "get-bucket-policy",
        kind: "s3.bucket",
        policy: "Policy",
        name: "Name",
        command: "aws s3api get-bucket-policy --bucket NAME",
    },
    Call {
        call: "get-key-policy",
        kind: "kms.key",
        policy: "Policy",
        name: "KeyId",
        command: "aws kms get-key-policy --policy-name default --key-id NAME",
    },
    Call {
        call: "get-repository-policy",
        kind: "ecr.repository",
        policy: "policyText",
        name: "repositoryName",
        command: "aws ecr get-repository-policy --repository-name NAME",
    },
    Call {
        call: RESOURCE_POLICY,
        kind: "secretsmanager.secret",
        policy: "ResourcePolicy",
        name: "Name",
        command: "aws secretsmanager get-resource-policy --secret-id NAME",
    },
    Call {
        call: RESOURCE_POLICY,
        kind: "dynamodb.table",
        policy: "Policy",
        name: "TableName",
        command: "aws dynamodb get-resource-policy --resource-arn ARN",
    },
];

/// Two services have a call of this name; Secrets Manager's answers name the ARN.
const RESOURCE_POLICY: &str = "get-resource-policy";

pub(super) fn is_known(call: &str) -> bool {
    CALLS.iter().any(|known| known.call == call)
}

/// `resource_policies`: an object of policies by ARN.
pub(super) fn policies<'b>(answers: &mut Answers<'b>, resources: &[Resource]) -> Piece<'b> {
    let mut policies = BTreeMap::new();
    let mut used = BTreeSet::new();
    for call in CALLS {
        of_call(answers, call, resources, &mut policies, &mut used);
    }
    of_aliases(answers, resources, &mut policies, &mut used);
    for call in CALLS {
        for answer in answers.of(call.call) {
            if used.insert(answer.key) {
                let what = format!("{}: no resource of that name is known; the policy is left out", answer.source.name);
                answers.not_read(what, None);
            }
        }
    }
    in_attributes(answers, &mut policies);
    in_lists(answers, resources, &mut policies);
    Piece::Object(policies.into_iter().collect())
}

type Policies<'b> = BTreeMap<String, Piece<'b>>;

fn of_call<'b>(
    answers: &mut Answers<'b>,
    call: &'static Call,
    resources: &[Resource],
    policies: &mut Policies<'b>,
    used: &mut BTreeSet<&'b super::folder::Key>,
) {
    let by_arn: BTreeMap<&str, &Answer<'_>> =
        answers.of(call.call).filter_map(|a| Some((a.root.get("ARN").and_then(Node::as_str)?, a))).collect();
    let mut missing = Vec::new();
    let of_kind: Vec<&Resource> = resources.iter().filter(|resource| resource.kind == call.kind).collect();
    for resource in &of_kind {
        let name = resource.api_text(call.name).unwrap_or_else(|| resource.arn.name());
        let found = match by_arn.get(resource.arn.as_str()) {
            Some(answer) => Found::Answer(answer),
            None => answers.about(call.call, name, resource.arn.region()),
        };
        match found {
            Found::Answer(answer) => {
                used.insert(answer.key);
                match answer.root.get(call.policy) {
                    Some(policy) if policy.kind != NodeKind::Null => {
                        policies.insert(resource.arn.to_string(), Piece::Copy(answer.source, policy.span));
                    }
                    _ if call.kind == "secretsmanager.secret" => {}
                    _ => answers.not_read(format!("{} holds no `{}`", answer.source.name, call.policy), None),
                }
            }
            Found::None => {}
            Found::Missing => missing.push(name),
        }
    }
    if !missing.is_empty() {
        let (some, all) = (missing.len(), of_kind.len());
        let what =
            format!("no usable `{}/NAME.json` of {some} of {all} {}s ({})", call.call, call.kind, named(&missing));
        answers.not_read(format!("{what}: the policies on them are not known"), Some(command(call)));
    }
}

/// An alias of a function has a policy of its own, which speaks for it alone.
fn of_aliases<'b>(
    answers: &mut Answers<'b>,
    resources: &[Resource],
    policies: &mut Policies<'b>,
    used: &mut BTreeSet<&'b super::folder::Key>,
) {
    const CALL: &str = "get-policy";
    let mut missing = Vec::new();
    for function in resources.iter().filter(|resource| resource.kind == "lambda.function") {
        for name in super::sources::aliases(function) {
            match answers.about(CALL, &name, function.arn.region()) {
                Found::Answer(answer) => {
                    used.insert(answer.key);
                    let alias = name.rsplit(':').next().unwrap_or_default();
                    let policy = answer.root.get("Policy").filter(|policy| policy.kind != NodeKind::Null);
                    policies.extend(
                        policy.map(|policy| {
                            (format!("{}:{alias}", function.arn), Piece::Copy(answer.source, policy.span))
                        }),
                    );
                }
                Found::None => {}
                Found::Missing => missing.push(name),
            }
        }
    }
    if !missing.is_empty() {
        let what = format!("no usable `{CALL}/NAME%3AALIAS.json` of {} aliases ({})", missing.len(), named(&missing));
        let command = format!(
            "`aws lambda {CALL} --function-name NAME --qualifier ALIAS > {CALL}/NAME%3AALIAS.json 2> {CALL}/NAME%3AALIAS.err`"
        );
        answers.not_read(format!("{what}: the policies on them are not known"), Some(command));
    }
}

fn command(call: &Call) -> String {
    format!("`{} > {}/NAME.json 2> {}/NAME.err`", call.command, call.call, call.call)
}

/// Queues and topics carry their policy among their attributes.
fn in_attributes<'b>(answers: &Answers<'b>, policies: &mut Policies<'b>) {
    for (call, arn) in [("get-queue-attributes", "QueueArn"), ("get-topic-attributes", "TopicArn")] {
        for answer in answers.of(call) {
            let Some(attributes) = answer.root.get("Attributes") else { continue };
            if let (Some(arn), Some(policy)) = (attributes.get(arn).and_then(Node::as_str), attributes.get("Policy")) {
                policies.insert(arn.into(), Piece::Copy(answer.source, policy.span));
            }
        }
    }
}

/// Event buses and REST APIs carry their policy in the list that names them.
fn in_lists<'b>(answers: &Answers<'b>, resources: &[Resource], policies: &mut Policies<'b>) {
    for (call, list, kind, id, policy) in [
        ("list-event-buses", "EventBuses", "events.event_bus", "Arn", "Policy"),
        ("get-rest-apis", "items", "apigateway.rest_api", "id", "policy"),
    ] {
        let by_id: BTreeMap<&str, &Resource> =
            resources.iter().filter(|r| r.kind == kind).filter_map(|r| Some((r.api_text(id)?, r))).collect();
        for answer in answers.of(call) {
            for item in answer.root.get(list).map(Node::items).unwrap_or_default() {
                let resource = item.get(id).and_then(Node::as_str).and_then(|id| by_id.get(id));
                let found = item.get(policy).filter(|policy| policy.as_str().is_some_and(|text| !text.is_empty()));
                let (Some(resource), Some(found)) = (resource, found) else { continue };
                // API Gateway escapes the quotes of a policy that is a string already.
                let text = found.as_str().unwrap_or_default();
                let piece = if text.trim_start().starts_with("{\\\"") {
                    Piece::Made(Value::String(text.replace("\\\"", "\"").replace("\\/", "/")))
                } else {
                    Piece::Copy(answer.source, found.span)
                };
                policies.insert(resource.arn.to_string(), piece);
            }
        }
    }
}
