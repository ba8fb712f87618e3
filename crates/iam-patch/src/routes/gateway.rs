//! API Gateway's own resource types, and function URLs.

use iam_model::route::Authorization;

use super::{Given, KEY, POLICY, PRIVATE, Reader, Routes, WrittenRoute, by_type, openapi};
use crate::intrinsic;
use crate::template::Resource;
use crate::tree::Node;

/// Resources of a path that may stand below each other.
const DEPTH: usize = 32;

/// The routes that one resource stands for.
pub(super) fn resource<'t>(reader: &Reader<'_, 't>, resource: &Resource<'t>, routes: &mut Routes<'t>) {
    match resource.kind {
        "AWS::ApiGateway::Method" => method(reader, resource, routes),
        "AWS::ApiGatewayV2::Route" => route(reader, resource, routes),
        "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" => interface(reader, resource, routes),
        "AWS::Lambda::Url" => url(reader, resource, routes),
        "AWS::ElasticLoadBalancingV2::TargetGroup"
            if reader.text(resource.property("TargetType")) == Given::Text("lambda".into()) =>
        {
            routes
                .not_checked
                .push(format!("`{}`: what a load balancer asks for before it calls a function", resource.id));
        }
        "AWS::AppSync::DataSource" if reader.text(resource.property("Type")) == Given::Text("AWS_LAMBDA".into()) => {
            routes.not_checked.push(format!("`{}`: what AppSync asks for before it calls a function", resource.id));
        }
        _ => {}
    }
}

fn words(api: Option<&Resource<'_>>, words: &str) -> String {
    api.map_or_else(|| format!("the {words}"), |api| format!("{words} {}", api.id))
}

/// What of an interface's own properties stands before its calls.
fn narrowed_by(reader: &Reader<'_, '_>, api: Option<&Resource<'_>>) -> Vec<String> {
    let Some(api) = api else { return Vec::new() };
    let mut found: Vec<String> = api.property("Policy").map(|_| POLICY.to_owned()).into_iter().collect();
    let kinds = api.property("EndpointConfiguration").and_then(|endpoint| endpoint.get("Types"));
    let private = |kind: &Node| reader.text(Some(kind)) == Given::Text("PRIVATE".into());
    let any = kinds.map(Node::items).unwrap_or_default().iter().any(private);
    found.extend(any.then(|| PRIVATE.to_owned()));
    found
}

fn part(given: Given, missing: &str) -> String {
    match given {
        Given::Text(text) => text,
        Given::Absent => missing.to_owned(),
        Given::Open => "?".to_owned(),
    }
}

/// What is asked for by a word of the template.
fn asked(given: Given, missing: Authorization) -> Authorization {
    match given {
        Given::Text(word) => by_type(&word),
        Given::Absent => missing,
        Given::Open => Authorization::Unknown("the template leaves open what it asks for".into()),
    }
}

fn method<'t>(reader: &Reader<'_, 't>, method: &Resource<'t>, routes: &mut Routes<'t>) {
    let Some(address) = method.property("Integration").and_then(|integration| integration.get("Uri")) else { return };
    let functions = reader.functions(address);
    if functions.is_empty() {
        return;
    }
    let api = reader.referred(method.property("RestApiId"));
    let missing = Authorization::Unknown("the method has no `AuthorizationType`".into());
    let mut narrowed_by = narrowed_by(reader, api.as_ref());
    narrowed_by.extend(reader.on(method.property("ApiKeyRequired")).then(|| KEY.to_owned()));
    routes.found.push(WrittenRoute {
        interface: words(api.as_ref(), "REST API"),
        call: format!("{} {}", part(reader.text(method.property("HttpMethod")), "ANY"), path(reader, method)),
        authorization: asked(reader.text(method.property("AuthorizationType")), missing),
        narrowed_by,
        functions,
        node: method.node,
    });
}

/// The path of a method: the parts of the resources it stands under.
fn path(reader: &Reader<'_, '_>, method: &Resource<'_>) -> String {
    let mut parts = Vec::new();
    let mut at = method.property("ResourceId");
    for _ in 0..DEPTH {
        let Some(resource) = reader.referred(at).filter(|found| found.kind == "AWS::ApiGateway::Resource") else {
            break;
        };
        parts.push(part(reader.text(resource.property("PathPart")), "?"));
        at = resource.property("ParentId");
    }
    parts.reverse();
    format!("/{}", parts.join("/"))
}

fn is_socket(reader: &Reader<'_, '_>, api: Option<&Resource<'_>>) -> bool {
    api.is_some_and(|api| reader.text(api.property("ProtocolType")) == Given::Text("WEBSOCKET".into()))
}

fn route<'t>(reader: &Reader<'_, 't>, route: &Resource<'t>, routes: &mut Routes<'t>) {
    let integration = reader.referred(route.property("Target"));
    let functions = integration
        .filter(|found| found.kind == "AWS::ApiGatewayV2::Integration")
        .and_then(|integration| integration.property("IntegrationUri"))
        .map(|address| reader.functions(address))
        .unwrap_or_default();
    if functions.is_empty() {
        return;
    }
    let api = reader.referred(route.property("ApiId"));
    let call = part(reader.text(route.property("RouteKey")), "?");
    if is_socket(reader, api.as_ref()) && call != "$connect" {
        routes.not_checked.push(format!(
            "{call} of {}: a socket's messages are those of whoever its `$connect` let in",
            words(api.as_ref(), "WebSocket API")
        ));
        return;
    }
    routes.found.push(WrittenRoute {
        interface: words(api.as_ref(), if is_socket(reader, api.as_ref()) { "WebSocket API" } else { "HTTP API" }),
        call: if call == "$default" { "every other call".to_owned() } else { call },
        authorization: asked(reader.text(route.property("AuthorizationType")), Authorization::Nothing),
        narrowed_by: narrowed_by(reader, api.as_ref()),
        functions,
        node: route.node,
    });
}

/// An interface with a definition, or with one target for all calls.
fn interface<'t>(reader: &Reader<'_, 't>, api: &Resource<'t>, routes: &mut Routes<'t>) {
    let kind = if api.kind == "AWS::ApiGateway::RestApi" { "REST API" } else { "HTTP API" };
    if let Some(body) = api.property("Body") {
        if intrinsic::call(body).is_some() {
            routes.not_checked.push(format!("{kind} {}: its definition stands in another file", api.id));
            return;
        }
        let named = |name: &str| Authorization::Unknown(format!("`{name}` is not described by the definition"));
        let definition = openapi::Definition {
            interface: words(Some(api), kind),
            body,
            by_default: Authorization::Nothing,
            narrowed_by: narrowed_by(reader, Some(api)),
            named: &named,
        };
        definition.routes(reader, routes);
    } else if api.property("BodyS3Location").is_some() {
        routes.not_checked.push(format!("{kind} {}: its definition stands in another file", api.id));
    }
    let functions = api.property("Target").map(|address| reader.functions(address)).unwrap_or_default();
    if !functions.is_empty() {
        routes.found.push(WrittenRoute {
            interface: words(Some(api), kind),
            call: part(reader.text(api.property("RouteKey")), "every call"),
            authorization: Authorization::Nothing,
            narrowed_by: Vec::new(),
            functions,
            node: api.node,
        });
    }
}

fn url<'t>(reader: &Reader<'_, 't>, url: &Resource<'t>, routes: &mut Routes<'t>) {
    let functions = url.property("TargetFunctionArn").map(|node| reader.functions(node)).unwrap_or_default();
    let missing = Authorization::Unknown("the URL has no `AuthType`".into());
    routes.found.push(WrittenRoute {
        interface: "the function's URL".into(),
        call: String::new(),
        authorization: asked(reader.text(url.property("AuthType")), missing),
        narrowed_by: Vec::new(),
        functions,
        node: url.node,
    });
}
