//! The names that the principals of some sources can have: most of an account's are of other sources, which need no look.

use std::collections::BTreeSet;

use iam_model::arn::Arn;

use super::reach::Sources;
use crate::hcl;
use crate::locate;
use crate::resolve::{Resolver, Text, Value};
use crate::stack::Stack;
use crate::template::{Resource, Template};

/// One way in which names are made.
enum Name {
    Text(Text),
    /// By CloudFormation from a logical id.
    Generated(String),
    /// By the Serverless Framework.
    Framework,
    Any,
}

/// The names that principals of some sources can have.
pub(super) struct Names {
    exact: BTreeSet<String>,
    made: Vec<Name>,
}

impl Names {
    /// Of these templates, and of all Terraform where that is asked for.
    pub(super) fn of(sources: &Sources<'_>, templates: &BTreeSet<usize>, terraform: bool) -> Self {
        let mut names = Self { exact: BTreeSet::new(), made: Vec::new() };
        for template in templates.iter().filter_map(|at| sources.templates.get(*at)) {
            template.resources().for_each(|resource| names.add(template, &resource));
            for stack in sources.deployed.stacks().filter(|stack| stack.fit(template) > 0) {
                names.exact.extend(stack.role_names(template));
            }
        }
        if terraform {
            hcl::principal_names(sources.terraform).into_iter().for_each(|text| names.push(text));
        }
        names
    }

    fn push(&mut self, text: Text) {
        match text.known() {
            Some(name) => drop(self.exact.insert(name)),
            None => self.made.push(Name::Text(text)),
        }
    }

    fn add(&mut self, template: &Template, resource: &Resource<'_>) {
        let property = match resource.kind {
            "AWS::IAM::Role" => "RoleName",
            "AWS::IAM::User" => "UserName",
            "AWS::IAM::Group" => "GroupName",
            _ if resource.is_framework_role() => return self.add_framework(resource),
            _ if resource.has_implicit_role() => {
                return self.made.push(Name::Generated(format!("{}Role", resource.id)));
            }
            _ => return,
        };
        let stack = Stack::default();
        match resource.property(property).map(|node| Resolver::open(template, &stack).value(node)) {
            Some(Value::Text(text)) => self.push(text),
            Some(_) => self.made.push(Name::Any),
            None if resource.is_multiplied() => self.made.push(Name::Any),
            None => self.made.push(Name::Generated(resource.id.to_owned())),
        }
    }

    fn add_framework(&mut self, role: &Resource<'_>) {
        let named = ["name", "iamRoleStatementsName"].iter().any(|key| role.property(key).is_some());
        self.made.push(if named { Name::Any } else { Name::Framework });
    }

    /// Whether one of the sources may make the principal.
    pub(super) fn may_be(&self, principal: &Arn) -> bool {
        let name = principal.name();
        self.exact.contains(name)
            || self.made.iter().any(|made| match made {
                Name::Text(text) => text.explains(name),
                Name::Generated(id) => locate::is_generated(id, name),
                Name::Framework => name.ends_with("-lambdaRole"),
                Name::Any => true,
            })
    }
}
