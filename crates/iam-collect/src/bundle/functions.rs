//! What more is known of Lambda functions: URLs, tags, event sources; joined to the function's own description.

use std::collections::BTreeMap;

use iam_model::json::{Node, Value};

use super::account::{Answers, Found};
use super::named;
use super::shapes::Resource;

const URL: &str = "get-function-url-config";
const TAGS: &str = "list-tags";
const SOURCES: &str = "list-event-source-mappings";
/// Where a function passes on what came of it, and where its versions and aliases do.
const INVOKED: &str = "list-function-event-invoke-configs";
/// The same of the function alone. Most have none, and then AWS says so.
const INVOKED_ONE: &str = "get-function-event-invoke-config";

pub(super) fn is_known(call: &str) -> bool {
    [URL, TAGS, SOURCES, INVOKED, INVOKED_ONE].contains(&call)
}

/// Joins what was asked about functions to their `api`.
pub(super) fn extend(answers: &mut Answers<'_>, resources: &mut [Resource]) {
    let sources = event_sources(answers);
    let (mut without_url, mut without_tags, mut without_destinations, mut count) =
        (Vec::new(), Vec::new(), Vec::new(), 0);
    for function in resources.iter_mut().filter(|resource| resource.kind == "lambda.function") {
        count += 1;
        let name = function.api_text("FunctionName").unwrap_or_else(|| function.arn.name()).to_owned();
        let region = function.arn.region().to_owned();
        match answers.about(URL, &name, &region) {
            Found::Answer(answer) => function.api.push(("FunctionUrlConfig".into(), answer.root.to_value())),
            Found::None => {}
            Found::Missing => without_url.push(name.clone()),
        }
        match answers.about(TAGS, &name, &region) {
            Found::Answer(answer) => {
                function.api.push(("Tags".into(), answer.root.get("Tags").map_or(Value::Null, Node::to_value)));
            }
            Found::None => {}
            Found::Missing => without_tags.push(name.clone()),
        }
        without_destinations.extend(destinations(answers, function, &name));
        if let Some(list) = sources.get(function.arn.as_str()) {
            function.api.push(("EventSourceMappings".into(), Value::Array(list.clone())));
        }
    }
    let option = |call: &str| match call {
        TAGS => "--resource ARN",
        _ => "--function-name NAME",
    };
    let missing = [
        (URL, without_url, "their URLs"),
        (TAGS, without_tags, "their tags"),
        (INVOKED, without_destinations, "their destinations"),
    ];
    for (call, names, lost) in missing {
        if !names.is_empty() {
            let what = format!("no `{call}/NAME.json` of {} of {count} functions ({})", names.len(), named(&names));
            let command = format!("`aws lambda {call} {} > {call}/NAME.json 2> {call}/NAME.err`", option(call));
            answers.not_read(format!("{what}: {lost} are not known"), Some(command));
        }
    }
    if count > 0 && !answers.asked(SOURCES) {
        let command = format!("aws lambda {SOURCES} > {SOURCES}.json");
        answers.missing(SOURCES, "which queues and streams call functions is not known", &command);
    }
}

/// Joins where a function passes on what came of it; its name where neither answer is there.
fn destinations(answers: &mut Answers<'_>, function: &mut Resource, name: &str) -> Option<String> {
    let region = function.arn.region().to_owned();
    match answers.about(INVOKED, name, &region) {
        Found::Answer(answer) => {
            let listed = answers.list(answer, "FunctionEventInvokeConfigs");
            let listed: Vec<Value> = listed.iter().map(Node::to_value).collect();
            if !listed.is_empty() {
                function.api.push(("EventInvokeConfigs".into(), Value::Array(listed)));
            }
            None
        }
        Found::None => None,
        Found::Missing => match answers.about(INVOKED_ONE, name, &region) {
            Found::Answer(answer) => {
                function.api.push(("EventInvokeConfig".into(), answer.root.to_value()));
                None
            }
            Found::None => None,
            Found::Missing => Some(name.to_owned()),
        },
    }
}

/// Event source mappings by the ARN of the function they call, without version or alias.
fn event_sources(answers: &mut Answers<'_>) -> BTreeMap<String, Vec<Value>> {
    let mut sources: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for answer in answers.of(SOURCES) {
        for mapping in answers.list(answer, "EventSourceMappings") {
            let arn = mapping.get("FunctionArn").and_then(Node::as_str).unwrap_or_default();
            let unqualified: Vec<&str> = arn.splitn(8, ':').take(7).collect();
            sources.entry(unqualified.join(":")).or_default().push(mapping.to_value());
        }
    }
    sources
}
