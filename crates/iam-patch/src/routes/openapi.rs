//! Routes of an interface that is defined by OpenAPI with API Gateway's extensions.
//!
//! Follows the API Gateway topic "OpenAPI extensions for API Gateway" and OpenAPI's own "Security Requirement Object": of
//! several requirements one is enough, and of the schemes of one all are asked for.

use iam_model::route::Authorization;

use super::{Given, KEY, POLICY, Reader, Routes, WrittenRoute, by_type};
use crate::intrinsic;
use crate::tree::Node;

const METHODS: &[&str] =
    &["get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"];

/// A definition, and what stands around it.
pub(super) struct Definition<'d, 't> {
    pub(super) interface: String,
    pub(super) body: &'t Node,
    /// What is asked for where the definition says nothing.
    pub(super) by_default: Authorization,
    pub(super) narrowed_by: Vec<String>,
    /// What an authorizer is that the definition itself does not describe.
    pub(super) named: &'d dyn Fn(&str) -> Authorization,
}

impl<'t> Definition<'_, 't> {
    /// Adds its routes that call functions.
    pub(super) fn routes(&self, reader: &Reader<'_, 't>, routes: &mut Routes<'t>) {
        let Some(paths) = self.body.get("paths") else { return };
        if let Some(what) = self.included(paths) {
            routes.not_checked.push(format!("{}: {what}", self.interface));
        }
        for path in paths.entries() {
            for method in path.value.entries() {
                let name = method.name().to_ascii_lowercase();
                if !METHODS.contains(&name.as_str()) {
                    continue;
                }
                let Some(integration) = method.value.get("x-amazon-apigateway-integration") else { continue };
                let functions = integration.get("uri").map(|address| reader.functions(address)).unwrap_or_default();
                if functions.is_empty() {
                    continue; // Another service, or an answer of the interface's own.
                }
                let (authorization, key) = self.asked(reader, &method.value);
                let mut narrowed_by = self.narrowed_by.clone();
                narrowed_by.extend(key.then(|| KEY.to_owned()));
                if self.body.get("x-amazon-apigateway-policy").is_some() {
                    narrowed_by.push(POLICY.to_owned());
                }
                let verb = if name.starts_with("x-") { "ANY".to_owned() } else { name.to_ascii_uppercase() };
                routes.found.push(WrittenRoute {
                    interface: self.interface.clone(),
                    call: format!("{verb} {}", path.name()),
                    authorization,
                    narrowed_by,
                    functions,
                    node: &method.value,
                });
            }
        }
    }

    /// What stands in other files.
    fn included(&self, paths: &Node) -> Option<&'static str> {
        let transform = |node: &Node| node.get("Fn::Transform").is_some() || intrinsic::is_transform(node);
        let any = transform(self.body) || transform(paths) || paths.entries().iter().any(|path| transform(&path.value));
        any.then_some("a part of its definition stands in another file")
    }

    /// What a method asks for, and whether an API key is among it.
    fn asked(&self, reader: &Reader<'_, 't>, method: &'t Node) -> (Authorization, bool) {
        if let Given::Text(word) = reader.text(method.get("x-amazon-apigateway-auth").and_then(|auth| auth.get("type")))
        {
            return (by_type(&word), false);
        }
        let Some(security) =
            method.get("security").filter(|security| !security.is_seq() || !security.items().is_empty())
        else {
            let for_all = self.body.get("security").is_some() && method.get("security").is_none();
            let ignored = "`security` at the top of a definition may be ignored; it belongs to each method";
            let open = for_all && self.by_default == Authorization::Nothing;
            return (if open { Authorization::Unknown(ignored.into()) } else { self.by_default.clone() }, false);
        };
        if !security.is_seq() || intrinsic::call(security).is_some() {
            return (Authorization::Unknown("the definition leaves its `security` open".into()), false);
        }
        let (mut asked, mut key) = (None, false);
        for requirement in security.items() {
            let mut strongest = Authorization::Nothing;
            for scheme in requirement.entries() {
                match self.scheme(reader, scheme.name()) {
                    Some(Authorization::Nothing) => {}
                    Some(known) => strongest = known,
                    None => key = true,
                }
            }
            // The easiest of several is what a stranger takes.
            asked = match (asked, strongest) {
                (_, Authorization::Nothing) => Some(Authorization::Nothing),
                (None, first) => Some(first),
                (known, _) => known,
            };
        }
        let nothing = || if key { self.by_default.clone() } else { Authorization::Nothing };
        match asked.unwrap_or(Authorization::Nothing) {
            Authorization::Nothing => (nothing(), key),
            known => (known, key),
        }
    }

    /// What a security scheme asks for; nothing for an API key.
    fn scheme(&self, reader: &Reader<'_, 't>, name: &str) -> Option<Authorization> {
        let second = self.body.get("securityDefinitions");
        let third = self.body.get("components").and_then(|components| components.get("securitySchemes"));
        let Some(scheme) = [second, third].into_iter().flatten().find_map(|schemes| schemes.get(name)) else {
            return if name == "api_key" { None } else { Some((self.named)(name)) };
        };
        let authorizer = scheme.get("x-amazon-apigateway-authorizer");
        let of = |node: Option<&Node>, key: &str| reader.text(node.and_then(|node| node.get(key)));
        let words = [of(authorizer, "type"), of(Some(scheme), "x-amazon-apigateway-authtype")];
        if let Some(word) = words.iter().find_map(|word| if let Given::Text(word) = word { Some(word) } else { None }) {
            return Some(match by_type(word) {
                Authorization::Unknown(_) => Authorization::Lambda,
                known => known,
            });
        }
        match (authorizer, of(Some(scheme), "type")) {
            (None, Given::Text(kind)) if kind == "apiKey" => None,
            (None, _) => {
                Some(Authorization::Unknown(format!("`{name}` names no authorizer, so nothing may ask for it")))
            }
            (Some(_), _) => {
                Some(Authorization::Unknown(format!("of which kind `{name}` is, the template leaves open")))
            }
        }
    }
}
