//! The account that templates would make: a snapshot drawn from what is written, without any deployment.
//!
//! What only a deployment knows has a stand-in: one account, one Region, parameters' defaults, names made of logical ids.
//! Where a policy hangs on more than that, it is told as not checked. Judges nothing.

mod resources;
mod roles;

use std::collections::BTreeMap;

use iam_model::diagnostic::Place;
use iam_model::json::Value as Json;
use iam_model::route::Route;
use iam_model::snapshot::{self, Snapshot};
use iam_model::text::{SourceName, SourceText};

use crate::kinds;
use crate::locate;
use crate::patch::Project;
use crate::resolve::Resolver;
use crate::routes;
use crate::stack::Stack;
use crate::template::{Dialect, Resource, Template};
use crate::tree::Node;

/// The account that stands for whichever the templates are deployed to.
const ACCOUNT: &str = "123456789012";
/// The Region that stands for whichever they are deployed to.
const REGION: &str = "us-east-1";
/// The word for a part of a policy that nobody knows: it names nothing.
const WORD: &str = "<unknown>";

/// What templates would make.
#[derive(Debug, Default)]
pub struct Drawn {
    /// The account, with its roles, functions and the resources the templates name.
    pub snapshot: Snapshot,
    /// The routes that call functions.
    pub routes: Vec<Route>,
    /// Where each role and function is written, by its ARN in the snapshot.
    pub places: BTreeMap<String, Place>,
    /// What of the templates is not judged, in words.
    pub not_checked: Vec<String>,
}

impl Project {
    /// Draws the account that the templates would make. Terraform is not drawn, and said not to be.
    ///
    /// ```
    /// use iam_model::text::{SourceName, SourceText};
    /// let text = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {FunctionUrlConfig: {AuthType: NONE}}\n";
    /// let files = vec![SourceText { name: SourceName::new("template.yaml"), text: text.to_owned() }];
    /// let drawn = iam_patch::Project::read(files).0.drawn();
    /// assert_eq!(drawn.routes[0].name(), "the function's URL");
    /// assert_eq!(drawn.snapshot.accounts.values().next().unwrap().roles.len(), 1);
    /// ```
    #[must_use]
    pub fn drawn(&self) -> Drawn {
        let mut sheet = Sheet::default();
        let several = self.templates().iter().filter(|template| template.resources().next().is_some()).count() > 1;
        for template in self.templates() {
            let stack = stood_in(template, several);
            Drawing { template, stack: &stack, resolver: Resolver::open(template, &stack) }.draw(&mut sheet);
        }
        let mut drawn = sheet.finish();
        let left_out = self.terraform_files().map(|file| format!("{file}: Terraform is not drawn from its files"));
        drawn.not_checked.extend(left_out);
        drawn.not_checked.sort();
        drawn.not_checked.dedup();
        drawn
    }
}

/// What is drawn so far, as the members of the snapshot.
#[derive(Debug, Default)]
struct Sheet {
    roles: Vec<Json>,
    policies: BTreeMap<String, Json>,
    resources: Vec<Json>,
    resource_policies: BTreeMap<String, Vec<Json>>,
    routes: Vec<Route>,
    places: BTreeMap<String, Place>,
    not_checked: Vec<String>,
}

impl Sheet {
    fn finish(self) -> Drawn {
        let documents = self.resource_policies.into_iter().map(|(arn, statements)| (arn, document(statements)));
        let details = object([
            ("UserDetailList", Json::Array(Vec::new())),
            ("GroupDetailList", Json::Array(Vec::new())),
            ("RoleDetailList", Json::Array(self.roles)),
            ("Policies", Json::Array(self.policies.into_values().collect())),
        ]);
        let account = object([
            ("authorization_details", details),
            ("resources", Json::Array(self.resources)),
            ("resource_policies", Json::Object(documents.collect())),
        ]);
        let accounts = Json::Object(vec![(ACCOUNT.to_owned(), account)]);
        let root = object([("schema", Json::text(snapshot::SCHEMA)), ("accounts", accounts)]);
        let source = SourceText { name: SourceName::new("the templates"), text: root.to_compact() };
        let mut not_checked = self.not_checked;
        let snapshot = match snapshot::read(source) {
            Ok((snapshot, diagnostics)) => {
                not_checked.extend(diagnostics.into_iter().map(|diagnostic| diagnostic.message));
                snapshot
            }
            Err(error) => {
                not_checked.push(format!("the templates as a whole: {error}"));
                Snapshot::default()
            }
        };
        Drawn { snapshot, routes: self.routes, places: self.places, not_checked }
    }
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn document(statements: Vec<Json>) -> Json {
    object([("Version", Json::text("2012-10-17")), ("Statement", Json::Array(statements))])
}

/// One template, and the stack that stands for its deployment.
struct Drawing<'t> {
    template: &'t Template,
    stack: &'t Stack,
    resolver: Resolver<'t>,
}

impl Drawing<'_> {
    fn draw(&self, sheet: &mut Sheet) {
        self.roles(sheet);
        for resource in self.template.resources() {
            self.resource(&resource, sheet);
        }
        self.resource_policies(sheet);
        self.routes(sheet);
    }

    fn place(&self, node: &Node) -> Place {
        locate::place(self.template, node.span)
    }

    /// A thing of the template in words, with its file.
    fn words(&self, what: &str) -> String {
        format!("{}: `{what}`", self.template.name)
    }

    fn routes(&self, sheet: &mut Sheet) {
        // Parameters stay open: what a route asks for is said only where the template says it.
        let nothing = Stack::default();
        let found = routes::of(self.template, &Resolver::open(self.template, &nothing));
        sheet.not_checked.extend(found.not_checked.iter().map(|what| format!("{}: {what}", self.template.name)));
        for route in found.found {
            let mut made = Route {
                interface: route.interface,
                call: route.call,
                authorization: route.authorization,
                narrowed_by: route.narrowed_by,
                function: None,
                place: Some(self.place(route.node)),
            };
            if route.functions.is_empty() {
                sheet.routes.push(made);
                continue;
            }
            for id in &route.functions {
                let function = self.template.resource(id).and_then(|function| self.function_arn(&function));
                made.function = function.and_then(|arn| arn.parse().ok());
                sheet.routes.push(made.clone());
            }
        }
    }

    /// The ARN that a function has in the drawing.
    fn function_arn(&self, function: &Resource<'_>) -> Option<String> {
        let name = match self.template.dialect {
            Dialect::CloudFormation => return self.resolver.arn_of(function),
            Dialect::Serverless if function.kind.starts_with("AWS::") => return self.resolver.arn_of(function),
            Dialect::Serverless => function.property("name").and_then(|node| self.resolver.known(node)),
        };
        let name = name.or_else(|| self.stack.physical.get(function.id).cloned())?;
        Some(format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"))
    }
}

/// A stack with a stand-in for all that only a deployment knows; names of several templates are kept apart.
fn stood_in(template: &Template, several: bool) -> Stack {
    let file = template.name.as_str();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let slug: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut stack = Stack::default();
    stack.name = Some(slug.clone());
    stack.account = Some(ACCOUNT.into());
    stack.region = Some(REGION.into());
    stack.partition = Some("aws".into());
    for entry in template.root.get("Parameters").map(Node::entries).unwrap_or_default() {
        let given = entry.value.get("Default").and_then(Node::text).map(str::to_owned);
        stack.parameters.insert(entry.name().to_owned(), given.unwrap_or_else(|| format!("<{}>", entry.name())));
    }
    let bare = stack.clone();
    let resolver = Resolver::open(template, &bare);
    for resource in template.resources() {
        let named = kinds::rule(resource.kind).and_then(|rule| rule.name).and_then(|name| resource.property(name));
        if named.and_then(|node| resolver.known(node)).is_some() {
            continue;
        }
        let name = if several { format!("{slug}-{}", resource.id) } else { resource.id.to_owned() };
        let physical = match resource.kind {
            // Its name has six characters more, which AWS chooses.
            "AWS::SecretsManager::Secret" => secret(&name),
            _ => name,
        };
        stack.physical.insert(resource.id.to_owned(), physical);
    }
    stack
}

fn secret(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf")
}

#[cfg(test)]
mod tests;
