//! Roles and what they hold, as a template would make them: written out, or made by SAM and the Serverless Framework.

use iam_model::arn::Arn;
use iam_model::json::Value as Json;
use iam_model::policy::document_value;

use super::{ACCOUNT, Drawing, Sheet, WORD, document, object};
use crate::intrinsic::references;
use crate::site::{Form, Site, sites_of};
use crate::template::{Dialect, Resource};
use crate::tree::Node;
use crate::written::{self, Body};

/// The name and the path that AWS gives a policy of its own.
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// A role to be drawn.
struct Sketch {
    arn: String,
    trust: Json,
    inline: Vec<Json>,
    attached: Vec<Json>,
    boundary: Option<String>,
}

impl Drawing<'_> {
    /// Draws every role of the template.
    pub(super) fn roles(&self, sheet: &mut Sheet) {
        self.draw_bare_role(sheet);
        for resource in self.template.resources() {
            let made =
                resource.kind == "AWS::IAM::Role" || resource.has_implicit_role() || resource.is_framework_role();
            if made {
                self.role(&resource, sheet);
            }
            if matches!(resource.kind, "AWS::IAM::User" | "AWS::IAM::Group") {
                sheet.not_checked.push(format!("{}: users and groups of templates", self.words(resource.id)));
            }
        }
    }

    /// The ARN of the role that a resource makes: of itself, or of a function without a role of its own.
    fn made_role(&self, resource: &Resource<'_>) -> Option<String> {
        if resource.has_implicit_role() {
            let name = self.stack.physical.get(resource.id).cloned();
            let given = ["FunctionName", "Name"].iter().find_map(|name| resource.property(name));
            let name = name.or_else(|| given.and_then(|node| self.resolver.known(node)))?;
            return Some(format!("arn:aws:iam::{ACCOUNT}:role/{name}Role"));
        }
        if resource.is_framework_role() {
            let name = self.stack.physical.get(resource.id)?;
            return Some(format!("arn:aws:iam::{ACCOUNT}:role/{name}"));
        }
        let arn = self.resolver.arn_of(resource)?;
        let path = resource.property("Path").and_then(|node| self.resolver.known(node));
        let path = path.filter(|path| path.starts_with('/') && path.ends_with('/')).unwrap_or_else(|| "/".into());
        Some(arn.replacen(":role/", &format!(":role{path}"), 1))
    }

    /// The ARN of the role a function runs as.
    pub(super) fn role_of(&self, function: &Resource<'_>) -> Option<String> {
        if function.has_implicit_role() {
            return self.made_role(function);
        }
        let named = self.template.roles_of(function);
        let made = named.iter().find_map(|id| self.made_role(&self.template.resource(id)?));
        if made.is_none() && self.is_bare(function) {
            return Some(self.bare_role());
        }
        // An ARN that is written out is of a role elsewhere.
        made.or_else(|| self.resolver.known(function.role?).filter(|arn| arn.parse::<Arn>().is_ok()))
    }

    /// A function of the Serverless Framework for which nothing says what it may: the framework makes a role for its logs.
    fn is_bare(&self, function: &Resource<'_>) -> bool {
        let framework = self.template.dialect == Dialect::Serverless && !function.kind.starts_with("AWS::");
        framework && function.role.is_none() && self.template.roles_of(function).is_empty()
    }

    fn bare_role(&self) -> String {
        let stack = self.stack.name.as_deref().unwrap_or_default();
        format!("arn:aws:iam::{ACCOUNT}:role/{stack}-IamRoleLambdaExecution")
    }

    fn draw_bare_role(&self, sheet: &mut Sheet) {
        if let Some(function) =
            self.template.resources().find(|function| function.is_function() && self.is_bare(function))
        {
            let sketch = Sketch::new(self.bare_role(), "lambda");
            sheet.places.insert(sketch.arn.clone(), self.place(function.node));
            sheet.roles.push(sketch.value());
        }
    }

    fn role(&self, resource: &Resource<'_>, sheet: &mut Sheet) {
        let Some(arn) = self.made_role(resource) else {
            sheet.not_checked.push(format!("{}: the name of the role is not known", self.words(resource.id)));
            return;
        };
        let service = if resource.kind.ends_with("StateMachine") { "states" } else { "lambda" };
        let mut sketch = Sketch::new(arn, service);
        for site in self.sites(resource) {
            self.policy(&site, &mut sketch, sheet);
        }
        if let Some(node) = resource.property("PermissionsBoundary") {
            let made = references(node).iter().find_map(|id| self.template.resource(id));
            match made.and_then(|policy| self.managed(&policy, sheet)) {
                Some(boundary) => sketch.boundary = Some(boundary),
                None => sheet.not_checked.push(format!(
                    "{}: its boundary is not in the template, and is taken to allow everything",
                    self.words(resource.id)
                )),
            }
        }
        sheet.places.insert(sketch.arn.clone(), self.place(resource.node));
        sheet.roles.push(sketch.value());
    }

    /// The policies of a role: its own, and those of policy resources that name it.
    fn sites(&self, role: &Resource<'_>) -> Vec<Site<'_>> {
        let mut found = Vec::new();
        for resource in self.template.resources() {
            if resource.id == role.id {
                found.extend(sites_of(&resource));
                continue;
            }
            let names = ["Roles", "RoleName"].iter().filter_map(|name| resource.property(name));
            let mut nodes =
                names.flat_map(|node| if node.is_seq() { node.items().iter().collect() } else { vec![node] });
            let own_name = role.property("RoleName").and_then(|node| self.resolver.known(node));
            let names_it = |node: &Node| {
                let id = references(node).iter().any(|id| id == role.id || id.strip_suffix("Role") == Some(role.id));
                id || (own_name.is_some() && self.resolver.known(node) == own_name)
            };
            if resource.kind.starts_with("AWS::IAM::") && nodes.any(names_it) {
                found.extend(sites_of(&resource));
            }
        }
        found
    }

    fn policy(&self, site: &Site<'_>, sketch: &mut Sketch, sheet: &mut Sheet) {
        let what = format!("{}: {}", self.place(site.node), site.form.as_str());
        let (body, filled) = written::resolved(site, &self.resolver, Some(WORD));
        if filled && site.form != Form::ManagedItem {
            sheet.not_checked.push(format!("{what}: what it says of things that only a deployment knows"));
        }
        match (body, site.form) {
            (Body::Document(found), Form::Trust) => sketch.trust = document_value(&found),
            (Body::Document(found), _) => sketch.inline.push(object([
                ("PolicyName", Json::text(format!("policy-{}", sketch.inline.len() + 1))),
                ("PolicyDocument", document_value(&found)),
            ])),
            (Body::Named(name), Form::ManagedItem) => self.attach(site, &name, sketch, sheet),
            (Body::Named(name), _) => sheet.not_checked.push(format!("{what} `{name}`: it is not known here")),
            (Body::Unknown(why), _) => sheet.not_checked.push(format!("{what}: {why}")),
        }
    }

    /// Attaches a managed policy whose text is known: one of the template, or AWS's own for administrators.
    fn attach(&self, site: &Site<'_>, name: &str, sketch: &mut Sketch, sheet: &mut Sheet) {
        let own = references(site.node).iter().find_map(|id| self.template.resource(id));
        let arn = match own.and_then(|policy| self.managed(&policy, sheet)) {
            Some(arn) => arn,
            None if name.rsplit('/').next() == Some("AdministratorAccess") => {
                let everything = ["Effect", "Action", "Resource"].into_iter().zip(["Allow", "*", "*"]);
                let everything = everything.map(|(key, value)| (key.to_owned(), Json::text(value))).collect();
                let text = document(vec![Json::Object(everything)]);
                sheet.policies.insert(ADMINISTRATOR.to_owned(), managed(ADMINISTRATOR, text));
                ADMINISTRATOR.to_owned()
            }
            None if is_for_running(name) => return,
            None => {
                let policy = name.rsplit('/').next().unwrap_or(name);
                sheet
                    .not_checked
                    .push(format!("`{policy}`, whose text is in no template: what it grants {}", sketch.name()));
                return;
            }
        };
        let name = arn.rsplit('/').next().unwrap_or_default();
        sketch.attached.push(object([("PolicyName", Json::text(name)), ("PolicyArn", Json::text(&arn))]));
    }

    /// Draws a managed policy of the template, and gives its ARN.
    fn managed(&self, policy: &Resource<'_>, sheet: &mut Sheet) -> Option<String> {
        let site = sites_of(policy).into_iter().find(|_| policy.kind == "AWS::IAM::ManagedPolicy")?;
        let arn = self.resolver.arn_of(policy)?;
        let (Body::Document(found), _) = written::resolved(&site, &self.resolver, Some(WORD)) else { return None };
        sheet.policies.insert(arn.clone(), managed(&arn, document_value(&found)));
        Some(arn)
    }
}

/// Whether a name is of AWS's policies for running functions, which reach nothing of the account's.
fn is_for_running(name: &str) -> bool {
    let path = if name.starts_with("AWSLambda") { "service-role/" } else { "" };
    let arn = if name.starts_with("arn:") { name.to_owned() } else { format!("arn:aws:iam::aws:policy/{path}{name}") };
    arn.parse::<Arn>().is_ok_and(|arn| arn.is_runtime_policy())
}

fn trusting(service: &str) -> Json {
    document(vec![object([
        ("Effect", Json::text("Allow")),
        ("Principal", object([("Service", Json::text(format!("{service}.amazonaws.com")))])),
        ("Action", Json::text("sts:AssumeRole")),
    ])])
}

fn managed(arn: &str, text: Json) -> Json {
    let version = object([("Document", text), ("VersionId", Json::text("v1")), ("IsDefaultVersion", Json::Bool(true))]);
    object([
        ("PolicyName", Json::text(arn.rsplit('/').next().unwrap_or_default())),
        ("Arn", Json::text(arn)),
        ("DefaultVersionId", Json::text("v1")),
        ("PolicyVersionList", Json::Array(vec![version])),
    ])
}

impl Sketch {
    fn new(arn: String, service: &str) -> Self {
        Self { arn, trust: trusting(service), inline: Vec::new(), attached: Vec::new(), boundary: None }
    }

    fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    fn value(self) -> Json {
        let name = Json::text(self.name());
        let mut members = vec![
            ("RoleName".to_owned(), name),
            ("Arn".to_owned(), Json::text(&self.arn)),
            ("AssumeRolePolicyDocument".to_owned(), self.trust),
            ("InstanceProfileList".to_owned(), Json::Array(Vec::new())),
            ("RolePolicyList".to_owned(), Json::Array(self.inline)),
            ("AttachedManagedPolicies".to_owned(), Json::Array(self.attached)),
        ];
        let boundary = self.boundary.map(|arn| object([("PermissionsBoundaryArn", Json::text(arn))]));
        members.extend(boundary.map(|boundary| ("PermissionsBoundary".to_owned(), boundary)));
        Json::Object(members)
    }
}
