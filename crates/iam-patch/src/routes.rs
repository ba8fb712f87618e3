//! Which routes of a template call which function, and what they ask for before they do.
//!
//! Follows the API Gateway topics "Control and manage access to REST APIs" and "Control and manage access to HTTP APIs",
//! the SAM properties `Auth` and `FunctionUrlConfig`, and the Serverless Framework's guides to its events. What a
//! template leaves open stays [`Authorization::Unknown`]; whether a route should be open is judged elsewhere.

mod gateway;
mod openapi;
mod sam;
mod serverless;

use iam_model::route::Authorization;

use crate::intrinsic::references;
use crate::resolve::{Resolver, Value};
use crate::template::{Resource, Template};
use crate::tree::Node;

/// A route as a template writes it.
#[derive(Debug, Clone)]
pub(crate) struct WrittenRoute<'t> {
    pub(crate) interface: String,
    pub(crate) call: String,
    pub(crate) authorization: Authorization,
    pub(crate) narrowed_by: Vec<String>,
    /// Logical ids of the functions that it may call.
    pub(crate) functions: Vec<String>,
    /// The node that stands for it.
    pub(crate) node: &'t Node,
}

/// What the routes of one template are, and what of them is not judged.
#[derive(Debug, Default)]
pub(crate) struct Routes<'t> {
    pub(crate) found: Vec<WrittenRoute<'t>>,
    pub(crate) not_checked: Vec<String>,
}

/// Reads the routes of a template, in the order written.
pub(crate) fn of<'t>(template: &'t Template, resolver: &Resolver<'t>) -> Routes<'t> {
    let reader = Reader { template, resolver };
    let mut routes = Routes::default();
    for resource in template.resources() {
        sam::events(&reader, &resource, &mut routes);
        gateway::resource(&reader, &resource, &mut routes);
        serverless::events(&reader, &resource, &mut routes);
    }
    routes
}

/// A template, and what its values are.
struct Reader<'r, 't> {
    template: &'t Template,
    resolver: &'r Resolver<'t>,
}

/// A value that may be missing, or not known.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Given {
    Absent,
    Text(String),
    Open,
}

impl<'t> Reader<'_, 't> {
    /// The text of a node.
    fn text(&self, node: Option<&Node>) -> Given {
        let Some(node) = node else { return Given::Absent };
        match self.resolver.value(node) {
            Value::Absent => Given::Absent,
            Value::Text(text) => text.known().map_or(Given::Open, Given::Text),
            _ => Given::Open,
        }
    }

    /// Whether a switch is on; one that is not known is.
    fn on(&self, node: Option<&Node>) -> bool {
        !matches!(self.text(node), Given::Absent) && self.text(node) != Given::Text("false".into())
    }

    /// Logical ids of the functions a value refers to, through aliases and versions too, or names.
    fn functions(&self, node: &Node) -> Vec<String> {
        let mut found: Vec<String> =
            references(node).iter().filter_map(|id| self.function(&self.template.resource(id)?, 0)).collect();
        if found.is_empty()
            && let Given::Text(text) = self.text(Some(node))
        {
            let text = text.split("/functions/").last().unwrap_or_default();
            let text = text.split("/invocations").next().unwrap_or_default();
            let name = text.split(":function:").last().unwrap_or_default().split(':').next().unwrap_or_default();
            let is_it = |resource: &Resource<'_>| {
                resource.is_function() && self.text(resource.property("FunctionName")) == Given::Text(name.into())
            };
            found.extend(self.template.resources().find(is_it).map(|resource| resource.id.to_owned()));
        }
        found.sort();
        found.dedup();
        found
    }

    fn function(&self, resource: &Resource<'t>, depth: usize) -> Option<String> {
        if resource.is_function() {
            return Some(resource.id.to_owned());
        }
        let behind = matches!(resource.kind, "AWS::Lambda::Alias" | "AWS::Lambda::Version") && depth < 2;
        let of = resource.property("FunctionName").filter(|_| behind)?;
        references(of).iter().find_map(|id| self.function(&self.template.resource(id)?, depth + 1))
    }

    /// The resource that a value is a reference to.
    fn referred(&self, node: Option<&Node>) -> Option<Resource<'t>> {
        references(node?).iter().find_map(|id| self.template.resource(id))
    }
}

/// Words of AWS for what a method asks for.
fn by_type(word: &str) -> Authorization {
    match word.to_ascii_uppercase().as_str() {
        "NONE" => Authorization::Nothing,
        "AWS_IAM" | "AWSSIGV4" => Authorization::Iam,
        "COGNITO_USER_POOLS" => Authorization::Cognito,
        "CUSTOM" | "TOKEN" | "REQUEST" => Authorization::Lambda,
        "JWT" => Authorization::Jwt,
        _ => Authorization::Unknown(format!("it asks for `{word}`, which is not known here")),
    }
}

/// What a policy, a private network and a key do to an interface's calls.
const POLICY: &str = "the interface's resource policy, which is not judged";
const PRIVATE: &str = "a private network: only VPC endpoints lead to it";
const KEY: &str = "an API key, which does not tell who calls";
