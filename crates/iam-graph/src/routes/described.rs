//! Routes of deployed interfaces, as AWS describes them: `GetResources` with its methods, `GetRoutes` and `GetIntegrations`.
//!
//! Function URLs are not among them: whether one lets strangers in is decided by the function's policy.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::json::Value;
use iam_model::route::{Authorization, Route};
use iam_model::snapshot::{Resource, ResourceKind, SnapshotIndex};

/// The routes of a snapshot's interfaces that call functions, and what of them is not known.
#[must_use]
pub fn routes_of(index: &SnapshotIndex<'_>) -> (Vec<Route>, BTreeSet<String>) {
    let (mut routes, mut not_checked) = (Vec::new(), BTreeSet::new());
    for account in index.snapshot().accounts.values() {
        for resource in &account.resources {
            match resource.kind {
                ResourceKind::ApigatewayRestApi => rest(resource, &mut routes, &mut not_checked),
                ResourceKind::Apigatewayv2Api => http(resource, &mut routes, &mut not_checked),
                _ => {}
            }
        }
    }
    (routes, not_checked)
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

fn members(value: Option<&Value>) -> &[(String, Value)] {
    if let Some(Value::Object(members)) = value { members } else { &[] }
}

/// The name of an interface: its own, else its id.
fn named(words: &str, resource: &Resource, key: &str) -> String {
    let own = text(&resource.api, key).filter(|name| !name.is_empty());
    format!("{words} {}", own.unwrap_or_else(|| resource.arn.name()))
}

/// The function that an address of an integration names, without version or alias; nothing for another address.
fn function(address: &str) -> Option<Arn> {
    let start = address.rfind("arn:").filter(|_| address.contains(":function:"))?;
    let arn = address.get(start..)?.split("/invocations").next()?;
    let name = arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":");
    if name.contains("${") { None } else { name.parse().ok() }
}

fn by_word(word: Option<&str>) -> Authorization {
    match word {
        Some("NONE") => Authorization::Nothing,
        Some("AWS_IAM") => Authorization::Iam,
        Some("COGNITO_USER_POOLS") => Authorization::Cognito,
        Some("CUSTOM") => Authorization::Lambda,
        Some("JWT") => Authorization::Jwt,
        Some(other) => Authorization::Unknown(format!("it asks for `{other}`, which is not known here")),
        None => Authorization::Unknown("its description does not say".into()),
    }
}

fn rest(resource: &Resource, routes: &mut Vec<Route>, not_checked: &mut BTreeSet<String>) {
    let interface = named("REST API", resource, "name");
    let Some(resources) = resource.api.get("Resources") else {
        not_checked.insert(format!("{interface}: its routes are not in the snapshot"));
        return;
    };
    let private = resource.api.get("endpointConfiguration").and_then(|endpoint| endpoint.get("types"));
    let private = private.map(Value::items).unwrap_or_default().iter().any(|kind| kind.as_str() == Some("PRIVATE"));
    let policy = text(&resource.api, "policy").is_some_and(|policy| !policy.is_empty());
    for path in resources.items() {
        for (verb, method) in members(path.get("resourceMethods")) {
            let integration = method.get("methodIntegration");
            let Some(address) = integration.and_then(|integration| text(integration, "uri")) else { continue };
            if !address.contains(":function:") {
                continue;
            }
            let mut narrowed_by = Vec::new();
            narrowed_by.extend(policy.then(|| "the interface's resource policy, which is not judged here".to_owned()));
            narrowed_by.extend(private.then(|| "a private network: only VPC endpoints lead to it".to_owned()));
            let key = method.get("apiKeyRequired") == Some(&Value::Bool(true));
            narrowed_by.extend(key.then(|| "an API key, which does not tell who calls".to_owned()));
            routes.push(Route {
                interface: interface.clone(),
                call: format!("{verb} {}", text(path, "path").unwrap_or("?")),
                authorization: by_word(text(method, "authorizationType")),
                narrowed_by,
                function: function(address),
                place: None,
            });
        }
    }
}

fn http(resource: &Resource, routes: &mut Vec<Route>, not_checked: &mut BTreeSet<String>) {
    let socket = text(&resource.api, "ProtocolType") == Some("WEBSOCKET");
    let interface = named(if socket { "WebSocket API" } else { "HTTP API" }, resource, "Name");
    let (Some(found), Some(integrations)) = (resource.api.get("Routes"), resource.api.get("Integrations")) else {
        not_checked.insert(format!("{interface}: its routes are not in the snapshot"));
        return;
    };
    for route in found.items() {
        let target = text(route, "Target").and_then(|target| target.strip_prefix("integrations/"));
        let is_it = |one: &&Value| target.is_some() && text(one, "IntegrationId") == target;
        let address = integrations.items().iter().find(is_it).and_then(|one| text(one, "IntegrationUri"));
        let Some(address) = address.filter(|address| address.contains(":function:")) else { continue };
        let call = text(route, "RouteKey").unwrap_or("?");
        // A socket's messages come from whoever its first call let in.
        if socket && call != "$connect" {
            continue;
        }
        routes.push(Route {
            interface: interface.clone(),
            call: if call == "$default" { "every other call".to_owned() } else { call.to_owned() },
            authorization: by_word(text(route, "AuthorizationType")),
            narrowed_by: Vec::new(),
            function: function(address),
            place: None,
        });
    }
}
