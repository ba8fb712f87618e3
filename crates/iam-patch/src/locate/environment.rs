//! What templates tell the functions of a role by environment variables, as far as it is known what they say once deployed.
//!
//! A reference to a resource becomes its ARN, where the account has one resource that it can be; other values are resolved
//! as policies are. What is not known is left out.

use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::change::Attachment;
use iam_model::snapshot::EnvironmentVariable;

use super::owner::{self, Owner};
use crate::kinds;
use crate::reference::Referrer;
use crate::resolve::Resolver;
use crate::stack::{Deployed, whole_reference};
use crate::template::{Dialect, Resource, Template};
use crate::tree::Node;

/// Reads the variables of one role after the other.
pub(crate) struct Environments<'t> {
    templates: &'t [Template],
    deployed: &'t Deployed,
    /// What the accounts hold.
    arns: Vec<&'t Arn>,
    /// What a logical id of a template in a stack turned out to be.
    told: BTreeMap<(usize, Option<String>, String), Option<String>>,
}

impl<'t> Environments<'t> {
    pub(crate) const fn new(templates: &'t [Template], deployed: &'t Deployed, arns: Vec<&'t Arn>) -> Self {
        Self { templates, deployed, arns, told: BTreeMap::new() }
    }

    /// The variables of the functions, by name, that run as a role.
    pub(crate) fn of_role(&mut self, role: &Arn, functions: &[&str]) -> Vec<EnvironmentVariable> {
        let mut owners =
            owner::owners(self.templates, self.deployed, &Attachment::identity(role.clone(), String::new()));
        owners.retain(|owner| !owner.template.is_generated());
        // Two texts for one role: which of them was deployed is not known.
        let [owner] = owners.as_slice() else { return Vec::new() };
        let mut found = Vec::new();
        for function in running(owner) {
            let Some(name) = deployed_name(owner, &function, functions) else { continue };
            for (variable, value) in variables(owner.template, &function) {
                let value = self.value(owner, value);
                let (function, variable) = (name.to_owned(), variable.to_owned());
                found.extend(value.map(|value| EnvironmentVariable { function, name: variable, value }));
            }
        }
        found
    }

    fn value(&mut self, owner: &Owner<'_>, node: &Node) -> Option<String> {
        let known = || Resolver::with_defaults(owner.template, &owner.stack).known(node);
        let Some(id) = whole_reference(node) else { return known() };
        let key = (owner.index, owner.stack.name.clone(), id);
        if let Some(told) = self.told.get(&key) {
            return told.clone().or_else(known);
        }
        let told = self.arn(owner, &key.2);
        self.told.insert(key, told.clone());
        told.or_else(known)
    }

    /// The one resource of the account that a logical id stands for.
    fn arn(&self, owner: &Owner<'_>, id: &str) -> Option<String> {
        let resource = owner.template.resource(id)?;
        let service = kinds::rule(resource.kind)?.service;
        let referrer = Referrer::new(owner.template, &owner.stack, self.deployed);
        let in_account = |arn: &&&Arn| arn.service() == service;
        let mut found = self.arns.iter().filter(in_account).filter(|arn| referrer.named(arn.as_str()) == Some(id));
        let first = found.next()?;
        found.all(|other| other == first).then(|| first.to_string())
    }
}

/// The functions of the template that run as a role.
pub(super) fn running<'t>(owner: &Owner<'t>) -> Vec<Resource<'t>> {
    if owner.resource.is_function() {
        return vec![owner.resource.clone()];
    }
    let role = owner.resource.id;
    let runs = |function: &Resource<'_>| owner.template.roles_of(function).iter().any(|id| id == role);
    owner.template.resources().filter(|resource| resource.is_function() && runs(resource)).collect()
}

/// The name of a function as it is deployed, among those that run as the role.
fn deployed_name<'f>(owner: &Owner<'_>, function: &Resource<'_>, functions: &[&'f str]) -> Option<&'f str> {
    let named = function.property("FunctionName").or_else(|| function.property("name"));
    let named = named.and_then(|node| Resolver::with_defaults(owner.template, &owner.stack).known(node));
    let physical = owner.stack.physical.get(function.id).cloned();
    let is_it = |name: &&&str| physical.as_deref() == Some(**name) || named.as_deref() == Some(**name);
    match (functions.iter().find(is_it), functions) {
        (Some(name), _) => Some(name),
        (None, [only]) if owner.resource.id == function.id => Some(only),
        _ => None,
    }
}

/// The variables as the template has them, those for all functions last.
fn variables<'t>(template: &'t Template, function: &Resource<'t>) -> Vec<(&'t str, &'t Node)> {
    let (own, global) = if template.dialect == Dialect::Serverless {
        (function.property("environment"), template.section("provider", "environment"))
    } else {
        let all = template.section("Globals", "Function").filter(|_| function.kind == "AWS::Serverless::Function");
        let of = |node: &'t Node| node.get("Environment")?.get("Variables");
        (function.properties.and_then(of), all.and_then(of))
    };
    let mut found: Vec<(&str, &Node)> = Vec::new();
    for entry in [own, global].into_iter().flatten().flat_map(Node::entries) {
        if !found.iter().any(|(name, _)| *name == entry.name()) {
            found.push((entry.name(), &entry.value));
        }
    }
    found
}
