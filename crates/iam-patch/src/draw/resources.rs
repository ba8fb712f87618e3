//! Functions, data and the policies on them, as a template would make them.

use iam_model::json::Value as Json;
use iam_model::policy::document_value;

use super::{Drawing, Sheet, WORD, object, secret};
use crate::intrinsic::references;
use crate::kinds;
use crate::permission;
use crate::resolve::Resolver;
use crate::site::{Form, Site, sites_of};
use crate::stack::Stack;
use crate::template::Resource;
use crate::tree::Node;
use crate::written::{self, Body};

/// Which property of a policy names what it is on; nothing where it is on itself.
const TARGETS: &[(&str, Option<&str>)] = &[
    ("AWS::S3::BucketPolicy", Some("Bucket")),
    ("AWS::SQS::QueuePolicy", Some("Queues")),
    ("AWS::SQS::QueueInlinePolicy", Some("Queue")),
    ("AWS::SNS::TopicPolicy", Some("Topics")),
    ("AWS::SNS::TopicInlinePolicy", Some("TopicArn")),
    ("AWS::SecretsManager::ResourcePolicy", Some("SecretId")),
    ("AWS::KMS::Key", None),
];

impl Drawing<'_> {
    /// The ARN of a resource in the drawing.
    pub(super) fn arn(&self, resource: &Resource<'_>) -> Option<String> {
        if resource.is_function() {
            return self.function_arn(resource);
        }
        if resource.kind == "AWS::SecretsManager::Secret" {
            let name = resource.property("Name").and_then(|node| self.resolver.known(node));
            return name.map(|name| secret(&name)).or_else(|| self.stack.physical.get(resource.id).cloned());
        }
        self.resolver.arn_of(resource)
    }

    /// Draws a function, or another resource of a kind that snapshots hold.
    pub(super) fn resource(&self, resource: &Resource<'_>, sheet: &mut Sheet) {
        let function = resource.is_function();
        let kind = kinds::rule(resource.kind).and_then(|rule| rule.snapshot.as_ref()).map(|kind| kind.as_str());
        let Some(kind) = kind.or(function.then_some("lambda.function")) else { return };
        let Some(arn) = self.arn(resource) else {
            sheet.not_checked.push(format!("{}: its name is not known", self.words(resource.id)));
            return;
        };
        let mut members = vec![("kind".to_owned(), Json::text(kind)), ("arn".to_owned(), Json::text(&arn))];
        if function {
            match self.role_of(resource) {
                Some(role) => members.push(("role_arn".to_owned(), Json::text(role))),
                None => {
                    let what = self.words(resource.id);
                    sheet.not_checked.push(format!("{what}: the role it runs as stands in no template"));
                }
            }
            let variables = object([("Variables", Json::Object(self.variables(resource)))]);
            members.push(("api".to_owned(), object([("Environment", variables)])));
            sheet.places.insert(arn, self.place(resource.node));
        }
        sheet.resources.push(Json::Object(members));
    }

    /// The environment variables whose values stand in the template itself.
    fn variables(&self, function: &Resource<'_>) -> Vec<(String, Json)> {
        let nothing = Stack::default();
        let open = Resolver::open(self.template, &nothing);
        let own = function.property("Environment").and_then(|node| node.get("Variables"));
        let own = own.or_else(|| function.property("environment"));
        let literal = |entry: &crate::tree::Entry| {
            open.known(&entry.value).map(|value| (entry.name().to_owned(), Json::text(value)))
        };
        own.map(Node::entries).unwrap_or_default().iter().filter_map(literal).collect()
    }

    /// Draws the policies on resources, permissions of functions among them.
    pub(super) fn resource_policies(&self, sheet: &mut Sheet) {
        for resource in self.template.resources() {
            if let Some((_, property)) = TARGETS.iter().find(|(kind, _)| *kind == resource.kind) {
                for site in sites_of(&resource).iter().filter(|site| site.form == Form::ResourcePolicy) {
                    self.resource_policy(&resource, *property, site, sheet);
                }
            }
            if resource.is_function() {
                self.permissions(&resource, sheet);
            }
        }
    }

    fn resource_policy(&self, resource: &Resource<'_>, on: Option<&str>, site: &Site<'_>, sheet: &mut Sheet) {
        let targets: Vec<String> = match on {
            None => self.arn(resource).into_iter().collect(),
            Some(property) => {
                let ids = resource.property(property).map(references).unwrap_or_default();
                ids.iter().filter_map(|id| self.arn(&self.template.resource(id)?)).collect()
            }
        };
        if targets.is_empty() {
            sheet.not_checked.push(format!("{}: what its policy is on stands elsewhere", self.words(resource.id)));
            return;
        }
        match written::resolved(site, &self.resolver, Some(WORD)) {
            (Body::Document(document), filled) => {
                if filled {
                    sheet.not_checked.push(format!("{}: a part of its policy is not known", self.words(resource.id)));
                }
                let statements = document_value(&document).get("Statement").map(|list| list.items().to_vec());
                for target in targets {
                    sheet.resource_policies.entry(target).or_default().extend(statements.clone().unwrap_or_default());
                }
            }
            (Body::Named(_), _) => {
                sheet.not_checked.push(format!("{}: its policy is no document", self.words(resource.id)));
            }
            (Body::Unknown(why), _) => {
                sheet.not_checked.push(format!("{}: its policy is not judged: {why}", self.words(resource.id)));
            }
        }
    }

    /// What the template's permissions let others do to a function.
    fn permissions(&self, function: &Resource<'_>, sheet: &mut Sheet) {
        let Some(arn) = self.arn(function) else { return };
        for one in permission::of(self.template, self.stack, function) {
            let statement = permission::statement(&self.resolver, &one)
                .and_then(|statement| written::statement(&statement, WORD, &arn));
            match statement {
                Some(statement) => sheet.resource_policies.entry(arn.clone()).or_default().push(statement),
                None => sheet.not_checked.push(format!("{}: the permission is not judged", self.words(one.id))),
            }
        }
    }
}
