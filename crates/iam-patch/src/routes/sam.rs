//! SAM: the events `Api` and `HttpApi` of functions, with the `Auth` of the event, the interface and `Globals`, and function
//! URLs.

use iam_model::route::Authorization;

use super::{Given, KEY, POLICY, PRIVATE, Reader, Routes, WrittenRoute, by_type, openapi};
use crate::intrinsic;
use crate::template::Resource;
use crate::tree::Node;

/// The kinds of interfaces that SAM makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rest,
    Http,
}

impl Kind {
    const fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Rest => ("AWS::Serverless::Api", "Api", "RestApiId", "REST API"),
            Self::Http => ("AWS::Serverless::HttpApi", "HttpApi", "ApiId", "HTTP API"),
        }
    }
}

/// The routes of a SAM function, or of an interface that is written out.
pub(super) fn events<'t>(reader: &Reader<'_, 't>, resource: &Resource<'t>, routes: &mut Routes<'t>) {
    match resource.kind {
        "AWS::Serverless::Function" => {
            url(reader, resource, routes);
            for entry in resource.property("Events").map(Node::entries).unwrap_or_default() {
                match entry.value.get("Type").and_then(Node::text) {
                    Some("Api") => event(reader, resource, &entry.value, Kind::Rest, routes),
                    Some("HttpApi") => event(reader, resource, &entry.value, Kind::Http, routes),
                    _ => {}
                }
            }
        }
        "AWS::Serverless::Api" => written_out(reader, resource, Kind::Rest, routes),
        "AWS::Serverless::HttpApi" => written_out(reader, resource, Kind::Http, routes),
        _ => {}
    }
}

fn url<'t>(reader: &Reader<'_, 't>, function: &Resource<'t>, routes: &mut Routes<'t>) {
    let global = reader.template.section("Globals", "Function").and_then(|all| all.get("FunctionUrlConfig"));
    let Some(config) = function.property("FunctionUrlConfig").or(global) else { return };
    let asked = config.get("AuthType").or_else(|| global.and_then(|all| all.get("AuthType")));
    let authorization = match reader.text(asked) {
        Given::Text(word) => by_type(&word),
        Given::Absent | Given::Open => Authorization::Unknown("the template leaves its `AuthType` open".into()),
    };
    routes.found.push(WrittenRoute {
        interface: "the function's URL".into(),
        call: String::new(),
        authorization,
        narrowed_by: Vec::new(),
        functions: vec![function.id.to_owned()],
        node: config,
    });
}

/// The interface's settings: its own, and those for all.
struct Interface<'t> {
    name: String,
    resource: Option<Resource<'t>>,
    global: Option<&'t Node>,
}

impl<'t> Interface<'t> {
    fn new(reader: &Reader<'_, 't>, resource: Option<Resource<'t>>, kind: Kind) -> Self {
        let (_, section, _, words) = kind.words();
        let name = resource.as_ref().map_or_else(|| format!("the {words}"), |api| format!("{words} {}", api.id));
        Self { name, resource, global: reader.template.section("Globals", section) }
    }

    /// A property, the interface's own before that for all.
    fn properties(&self, name: &str) -> impl Iterator<Item = &'t Node> {
        let own = self.resource.as_ref().and_then(|resource| resource.property(name));
        own.into_iter().chain(self.global.and_then(|all| all.get(name)))
    }

    fn auth(&self, name: &str) -> Option<&'t Node> {
        self.properties("Auth").find_map(|auth| auth.get(name))
    }

    /// Whether a function of the template language makes the whole of its `Auth`.
    fn is_open(&self) -> bool {
        self.properties("Auth").any(|auth| intrinsic::call(auth).is_some())
    }

    fn narrowed_by(&self, reader: &Reader<'_, 't>) -> Vec<String> {
        let private = |node: &Node| {
            let kind = node.get("Type").or_else(|| node.get("Types").and_then(|types| types.items().first()));
            reader.text(Some(kind.unwrap_or(node))) == Given::Text("PRIVATE".into())
        };
        let policy = self.auth("ResourcePolicy").or_else(|| self.properties("Policy").next());
        let mut found: Vec<String> = policy.map(|_| POLICY.to_owned()).into_iter().collect();
        found.extend(self.properties("EndpointConfiguration").any(private).then(|| PRIVATE.to_owned()));
        found
    }

    /// What an authorizer by this name is.
    fn named(&self, name: &str) -> Authorization {
        if matches!(name, "NONE" | "AWS_IAM") {
            return by_type(name);
        }
        let all = self.properties("Auth").filter_map(|auth| auth.get("Authorizers"));
        let Some(authorizer) = all.filter_map(|all| all.get(name)).next() else {
            return Authorization::Unknown(format!("the authorizer `{name}` is not in the template"));
        };
        let has = |key: &str| authorizer.get(key).is_some();
        if has("UserPoolArn") {
            Authorization::Cognito
        } else if has("FunctionArn") {
            Authorization::Lambda
        } else if has("JwtConfiguration") || has("OpenIdConnectUrl") {
            Authorization::Jwt
        } else {
            Authorization::Unknown(format!("of which kind the authorizer `{name}` is, is not known"))
        }
    }

    /// What routes ask for that say nothing themselves.
    fn by_default(&self, reader: &Reader<'_, 't>) -> Authorization {
        if self.is_open() {
            return Authorization::Unknown("a function of the template decides its `Auth`".into());
        }
        match reader.text(self.auth("DefaultAuthorizer")) {
            Given::Absent => Authorization::Nothing,
            Given::Text(name) => self.named(&name),
            Given::Open => Authorization::Unknown("the template leaves its default authorizer open".into()),
        }
    }
}

fn event<'t>(reader: &Reader<'_, 't>, function: &Resource<'t>, event: &'t Node, kind: Kind, routes: &mut Routes<'t>) {
    let (made_by_sam, _, id, words) = kind.words();
    let properties = event.get("Properties");
    let named = properties.and_then(|properties| properties.get(id));
    let resource = reader.referred(named);
    let foreign = named.is_some() && resource.as_ref().is_none_or(|resource| resource.kind != made_by_sam);
    let interface = Interface::new(reader, resource, kind);
    let defined = interface.properties("DefinitionBody").next();
    if defined.is_some_and(|body| intrinsic::call(body).is_none()) {
        return; // Its definition says what the routes ask for, and is read where the interface is.
    }
    let text = |key: &str| reader.text(properties.and_then(|properties| properties.get(key)));
    let part = |key: &str, missing: &str| match text(key) {
        Given::Text(text) => text,
        Given::Absent => missing.to_owned(),
        Given::Open => "?".to_owned(),
    };
    let auth = properties.and_then(|properties| properties.get("Auth"));
    let authorization = if defined.is_some() || interface.properties("DefinitionUri").next().is_some() {
        Authorization::Unknown("the interface's definition stands in another file".into())
    } else if foreign {
        Authorization::Unknown(format!("the {words} it belongs to is not made by SAM in this template"))
    } else if auth.is_some_and(|auth| intrinsic::call(auth).is_some()) {
        Authorization::Unknown("a function of the template decides its `Auth`".into())
    } else {
        match reader.text(auth.and_then(|auth| auth.get("Authorizer"))) {
            Given::Absent => interface.by_default(reader),
            Given::Text(name) => interface.named(&name),
            Given::Open => Authorization::Unknown("the template leaves its authorizer open".into()),
        }
    };
    let mut narrowed_by = interface.narrowed_by(reader);
    let key = auth.and_then(|auth| auth.get("ApiKeyRequired")).or_else(|| interface.auth("ApiKeyRequired"));
    narrowed_by.extend(reader.on(key).then(|| KEY.to_owned()));
    if auth.is_some_and(|auth| auth.get("ResourcePolicy").is_some()) {
        narrowed_by.push(POLICY.to_owned());
    }
    let call = match kind {
        Kind::Http if text("Path") == Given::Absent => "every call".to_owned(),
        _ => format!("{} {}", part("Method", "any").to_ascii_uppercase(), part("Path", "/")),
    };
    routes.found.push(WrittenRoute {
        interface: interface.name,
        call,
        authorization,
        narrowed_by,
        functions: vec![function.id.to_owned()],
        node: event,
    });
}

/// The routes of an interface whose definition stands in the template.
fn written_out<'t>(reader: &Reader<'_, 't>, resource: &Resource<'t>, kind: Kind, routes: &mut Routes<'t>) {
    let interface = Interface::new(reader, Some(resource.clone()), kind);
    let Some(body) = resource.property("DefinitionBody").filter(|body| intrinsic::call(body).is_none()) else { return };
    let definition = openapi::Definition {
        interface: interface.name.clone(),
        body,
        by_default: interface.by_default(reader),
        narrowed_by: interface.narrowed_by(reader),
        named: &|name| interface.named(name),
    };
    definition.routes(reader, routes);
}
