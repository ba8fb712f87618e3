//! What makes services call functions, queues and topics, functions' aliases and keys' grants: joined to the resource's own
//! description.
//!
//! `tighten --documents` binds a policy to such sources. What is missing is named, never taken for none.

use std::collections::BTreeMap;

use iam_model::json::{Node, Value};

use super::account::{Answers, Found};
use super::named;
use super::shapes::Resource;
use crate::redact;

/// Answers about one resource each, and the part of its description they become.
struct About {
    kind: &'static str,
    call: &'static str,
    /// What stands in the answer; empty for all of it.
    list: &'static str,
    /// The member of the description.
    part: &'static str,
    /// What the answer's file is named by.
    name: fn(&Resource) -> String,
    command: &'static str,
}

const ABOUT: &[About] = &[
    About {
        kind: "s3.bucket",
        call: NOTIFICATIONS,
        list: "",
        part: "NotificationConfiguration",
        name: |bucket| bucket.arn.name().to_owned(),
        command: "aws s3api get-bucket-notification-configuration --bucket NAME",
    },
    About {
        kind: RULE,
        call: "list-targets-by-rule",
        list: "Targets",
        part: "Targets",
        name: |rule| rule.arn.resource().trim_start_matches("rule/").to_owned(),
        command: "aws events list-targets-by-rule --rule NAME",
    },
    About {
        kind: "apigateway.rest_api",
        call: "get-resources",
        list: "items",
        part: "Resources",
        name: |api| api.arn.resource().to_owned(),
        command: "aws apigateway get-resources --embed methods --rest-api-id NAME",
    },
    About {
        kind: "apigatewayv2.api",
        call: "get-integrations",
        list: "Items",
        part: "Integrations",
        name: |api| api.arn.resource().to_owned(),
        command: "aws apigatewayv2 get-integrations --api-id NAME",
    },
    About {
        kind: "apigatewayv2.api",
        call: ROUTES,
        list: "Items",
        part: "Routes",
        name: |api| api.arn.resource().to_owned(),
        command: "aws apigatewayv2 get-routes --api-id NAME",
    },
    About {
        kind: "lambda.function",
        call: ALIASES,
        list: "Aliases",
        part: "Aliases",
        name: |function| function.api_text("FunctionName").unwrap_or_else(|| function.arn.name()).to_owned(),
        command: "aws lambda list-aliases --function-name NAME",
    },
    About {
        kind: "kms.key",
        call: "list-grants",
        list: "Grants",
        part: "Grants",
        name: |key| key.api_text("KeyId").unwrap_or_else(|| key.arn.name()).to_owned(),
        command: "aws kms list-grants --key-id NAME",
    },
];

/// A bucket without any prints nothing: the file is empty and is an answer.
pub(super) const NOTIFICATIONS: &str = "get-bucket-notification-configuration";
/// They say nothing about sources: whoever asks what an interface asks for tells that they are missing.
const ROUTES: &str = "get-routes";
const ALIASES: &str = "list-aliases";
const RULE: &str = "events.rule";
const RULES: &str = "list-rules";
const SUBSCRIPTIONS: &str = "list-subscriptions";
const URL: &str = "get-function-url-config";

pub(super) fn is_known(call: &str) -> bool {
    call == SUBSCRIPTIONS || ABOUT.iter().any(|about| about.call == call)
}

/// Joins them. Whoever saved none of a kind is told once which kinds.
pub(super) fn extend(answers: &mut Answers<'_>, resources: &mut [Resource]) {
    let mut unasked = Vec::new();
    for about in ABOUT {
        if resources.iter().any(|resource| resource.kind == about.kind) {
            if answers.asked(about.call) {
                join(answers, about, resources);
            } else if about.call != ROUTES {
                unasked.push(about.call);
            }
        }
    }
    let holds = |kind: &str| resources.iter().any(|resource| resource.kind == kind);
    if holds("events.event_bus") && !answers.asked(RULES) {
        unasked.push(RULES);
    }
    if holds("sns.topic") {
        if answers.asked(SUBSCRIPTIONS) { subscriptions(answers, resources) } else { unasked.push(SUBSCRIPTIONS) }
    }
    if !unasked.is_empty() {
        let what = format!("nothing of {}", named(&unasked));
        let lost = "what makes services call functions, queues and topics, aliases and grants are not known whole";
        answers.not_read(format!("{what}: {lost}"), Some("`docs/collect.md` has the commands".into()));
    }
    urls_of_aliases(answers, resources);
}

fn join(answers: &mut Answers<'_>, about: &About, resources: &mut [Resource]) {
    let (mut missing, mut count) = (Vec::new(), 0);
    for resource in resources.iter_mut().filter(|resource| resource.kind == about.kind) {
        count += 1;
        let name = (about.name)(resource);
        let region = resource.arn.region().to_owned();
        match answers.about(about.call, &name, &region) {
            Found::Answer(answer) => {
                let found = if about.list.is_empty() { Some(&answer.root) } else { answer.root.get(about.list) };
                match found {
                    Some(found) => resource.api.push((about.part.into(), redact::member(about.part, found))),
                    None => missing.push(name),
                }
                if !about.list.is_empty() {
                    answers.list(answer, about.list);
                }
            }
            Found::None => {}
            Found::Missing if about.call == NOTIFICATIONS && answers.is_empty_answer(about.call, &name, &region) => {}
            Found::Missing => missing.push(name),
        }
    }
    if !missing.is_empty() {
        let (call, kind) = (about.call, about.kind);
        let what =
            format!("no usable `{call}/NAME.json` of {} of {count} {kind}s ({})", missing.len(), named(&missing));
        let command = format!("`{} > {call}/NAME.json 2> {call}/NAME.err`", about.command);
        answers.not_read(format!("{what}: their `{}` are not known", about.part), Some(command));
    }
}

/// Who gets what topics publish, by topic. Addresses of people and of servers stay out.
fn subscriptions(answers: &mut Answers<'_>, resources: &mut [Resource]) {
    let mut of_topic: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let found: Vec<_> = answers.of(SUBSCRIPTIONS).collect();
    let readable = !found.is_empty();
    for answer in found {
        for one in answers.list(answer, "Subscriptions") {
            let topic = one.get("TopicArn").and_then(Node::as_str).unwrap_or_default();
            of_topic.entry(topic.to_owned()).or_default().push(redact::member("", one));
        }
    }
    for topic in resources.iter_mut().filter(|resource| resource.kind == "sns.topic" && readable) {
        let own = of_topic.remove(topic.arn.as_str()).unwrap_or_default();
        topic.api.push(("Subscriptions".into(), Value::Array(own)));
    }
}

/// The names of the aliases of a function, as `function:alias`.
pub(super) fn aliases(function: &Resource) -> Vec<String> {
    let name = function.api_text("FunctionName").unwrap_or_else(|| function.arn.name());
    let listed = function.api.iter().find(|(key, _)| key == "Aliases").map(|(_, value)| value.items());
    let names = listed.unwrap_or_default().iter().filter_map(|alias| alias.get("Name")?.as_str());
    names.map(|alias| format!("{name}:{alias}")).collect()
}

/// URLs that lead to an alias stand in the alias's own description.
fn urls_of_aliases(answers: &mut Answers<'_>, resources: &mut [Resource]) {
    let mut missing = Vec::new();
    for function in resources.iter_mut().filter(|resource| resource.kind == "lambda.function") {
        let region = function.arn.region().to_owned();
        for name in aliases(function) {
            let url = match answers.about(URL, &name, &region) {
                Found::Answer(answer) => answer.root.to_value(),
                Found::None => continue,
                Found::Missing => {
                    missing.push(name);
                    continue;
                }
            };
            let alias = name.rsplit(':').next().unwrap_or_default();
            for (_, listed) in function.api.iter_mut().filter(|(key, _)| key == "Aliases") {
                let Value::Array(items) = listed else { continue };
                for item in items.iter_mut().filter(|item| item.get("Name").and_then(Value::as_str) == Some(alias)) {
                    if let Value::Object(members) = item {
                        members.push(("FunctionUrlConfig".into(), url.clone()));
                    }
                }
            }
        }
    }
    if !missing.is_empty() {
        let what = format!("no `{URL}/NAME%3AALIAS.json` of {} aliases ({})", missing.len(), named(&missing));
        let command = format!(
            "`aws lambda {URL} --function-name NAME --qualifier ALIAS > {URL}/NAME%3AALIAS.json 2> {URL}/NAME%3AALIAS.err`"
        );
        answers.not_read(format!("{what}: their URLs are not known"), Some(command));
    }
}
