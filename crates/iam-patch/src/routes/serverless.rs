//! The Serverless Framework: the events `http` and `httpApi` of functions, and `url`.

use iam_model::route::Authorization;

use super::{Given, KEY, POLICY, PRIVATE, Reader, Routes, WrittenRoute, by_type};
use crate::template::{Dialect, Resource};
use crate::tree::Node;

/// The routes of one function.
pub(super) fn events<'t>(reader: &Reader<'_, 't>, function: &Resource<'t>, routes: &mut Routes<'t>) {
    if reader.template.dialect != Dialect::Serverless || !function.is_function() || function.kind.starts_with("AWS::") {
        return;
    }
    if let Some(url) = function.property("url").filter(|url| reader.on(Some(url))) {
        let authorization = match (url.is_map(), reader.text(Some(url))) {
            (false, Given::Text(_)) => Authorization::Nothing,
            (true, _) => match reader.text(url.get("authorizer")) {
                Given::Absent => Authorization::Nothing,
                Given::Text(word) => by_type(&word),
                Given::Open => open(),
            },
            (false, _) => open(),
        };
        routes.found.push(route("the function's URL", String::new(), authorization, function, url));
    }
    let Some(events) = function.property("events") else { return };
    if !events.is_seq() {
        routes.not_checked.push(format!("`{}`: its events stand in another file", function.id));
    }
    for event in events.items().iter().flat_map(Node::entries) {
        let settings = &event.value;
        match event.name() {
            "http" => routes.found.push(rest(reader, function, settings)),
            "httpApi" => routes.found.push(http(reader, function, settings)),
            "websocket" | "alb" => {
                routes.not_checked.push(format!("`{}`: what its event `{}` asks for", function.id, event.name()));
            }
            _ => {}
        }
    }
}

fn open() -> Authorization {
    Authorization::Unknown("the file leaves its authorizer open".into())
}

fn route<'t>(
    interface: &str,
    call: String,
    authorization: Authorization,
    function: &Resource<'t>,
    node: &'t Node,
) -> WrittenRoute<'t> {
    let functions = vec![function.id.to_owned()];
    WrittenRoute { interface: interface.to_owned(), call, authorization, narrowed_by: Vec::new(), functions, node }
}

/// Method and path: written as one text, or each by its key.
fn call(reader: &Reader<'_, '_>, settings: &Node) -> String {
    let part = |key: &str, missing: &str| match reader.text(settings.get(key)) {
        Given::Text(text) => text,
        Given::Absent => missing.to_owned(),
        Given::Open => "?".to_owned(),
    };
    if settings.is_map() {
        let path = part("path", "/");
        return format!("{} /{}", part("method", "any").to_ascii_uppercase(), path.trim_start_matches('/'));
    }
    match reader.text(Some(settings)) {
        Given::Text(text) => match text.split_once(' ') {
            Some((method, path)) => {
                format!("{} /{}", method.to_ascii_uppercase(), path.trim().trim_start_matches('/'))
            }
            None => "every call".to_owned(),
        },
        Given::Absent | Given::Open => "?".to_owned(),
    }
}

fn rest<'t>(reader: &Reader<'_, 't>, function: &Resource<'t>, settings: &'t Node) -> WrittenRoute<'t> {
    let authorization = match settings.get("authorizer") {
        None if settings.is_map() || matches!(reader.text(Some(settings)), Given::Text(_)) => Authorization::Nothing,
        None => open(),
        Some(authorizer) => rest_authorizer(reader, authorizer),
    };
    let mut found = route("the REST API", call(reader, settings), authorization, function, settings);
    let provider = |key: &str| reader.template.section("provider", key);
    let of_gateway = provider("apiGateway").is_some_and(|gateway| gateway.get("resourcePolicy").is_some());
    found.narrowed_by.extend((of_gateway || provider("resourcePolicy").is_some()).then(|| POLICY.to_owned()));
    let private = |text: Given| matches!(text, Given::Text(text) if text.eq_ignore_ascii_case("private"));
    found.narrowed_by.extend(private(reader.text(provider("endpointType"))).then(|| PRIVATE.to_owned()));
    found.narrowed_by.extend(reader.on(settings.get("private")).then(|| KEY.to_owned()));
    found
}

fn rest_authorizer(reader: &Reader<'_, '_>, authorizer: &Node) -> Authorization {
    let pool = |node: &Node| {
        let made = reader.referred(Some(node)).is_some_and(|resource| resource.kind == "AWS::Cognito::UserPool");
        made || matches!(reader.text(Some(node)), Given::Text(text) if text.contains(":cognito-idp:"))
    };
    if !authorizer.is_map() {
        return match reader.text(Some(authorizer)) {
            Given::Text(word) if word.eq_ignore_ascii_case("aws_iam") => Authorization::Iam,
            Given::Text(_) if pool(authorizer) => Authorization::Cognito,
            Given::Text(word) if !word.is_empty() => Authorization::Lambda,
            _ => open(),
        };
    }
    match reader.text(authorizer.get("type")) {
        Given::Text(word) => by_type(&word),
        Given::Open => open(),
        Given::Absent => match (authorizer.get("arn"), authorizer.get("name")) {
            (Some(arn), _) if pool(arn) => Authorization::Cognito,
            (Some(arn), _) if matches!(reader.text(Some(arn)), Given::Text(_)) => Authorization::Lambda,
            (Some(_), _) => Authorization::Unknown("of which kind its authorizer is, the file leaves open".into()),
            (None, Some(_)) => Authorization::Lambda,
            (None, None) => open(),
        },
    }
}

fn http<'t>(reader: &Reader<'_, 't>, function: &Resource<'t>, settings: &'t Node) -> WrittenRoute<'t> {
    let authorization = match settings.get("authorizer") {
        None if settings.is_map() || matches!(reader.text(Some(settings)), Given::Text(_)) => Authorization::Nothing,
        None => open(),
        Some(authorizer) => http_authorizer(reader, authorizer),
    };
    route("the HTTP API", call(reader, settings), authorization, function, settings)
}

fn http_authorizer(reader: &Reader<'_, '_>, authorizer: &Node) -> Authorization {
    let named = |node: Option<&Node>| match reader.text(node) {
        Given::Text(name) if name.eq_ignore_ascii_case("aws_iam") => Authorization::Iam,
        Given::Text(name) => {
            let all = reader.template.section("provider", "httpApi").and_then(|api| api.get("authorizers"));
            match all.and_then(|all| all.get(&name)) {
                None => Authorization::Unknown(format!("the authorizer `{name}` is not in `provider.httpApi`")),
                // Without a word for it, it checks tokens.
                Some(known) => match reader.text(known.get("type")) {
                    Given::Absent => Authorization::Jwt,
                    Given::Text(word) => by_type(&word),
                    Given::Open => open(),
                },
            }
        }
        Given::Absent | Given::Open => open(),
    };
    if !authorizer.is_map() {
        return named(Some(authorizer));
    }
    match reader.text(authorizer.get("type")) {
        Given::Text(word) => by_type(&word),
        Given::Open => open(),
        Given::Absent => named(authorizer.get("name")),
    }
}
