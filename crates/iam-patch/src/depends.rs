//! What depends on what in a template, so that a new reference never closes a circle.
//!
//! Follows the CloudFormation topic "Circular dependencies": `Ref`, `GetAtt`, `Sub` and `DependsOn` make edges, a SAM
//! function depends on its implicit role, and an event source that SAM completes depends on the function.

use std::collections::{BTreeMap, BTreeSet};

use crate::intrinsic;
use crate::template::{Resource, Template};
use crate::tree::Node;

/// Dependencies between logical ids.
#[derive(Debug, Default)]
pub(crate) struct Dependencies(BTreeMap<String, BTreeSet<String>>);

/// The logical id of the resource that carries a resource's policies: SAM's implicit role, or the resource itself.
pub(crate) fn carrier(resource: &Resource<'_>) -> String {
    if resource.has_policy_list() { format!("{}Role", resource.id) } else { resource.id.to_owned() }
}

/// Events for which SAM writes into what they name: a bucket's notifications, a pool's triggers, an API's definition.
/// For the others it makes a resource of its own (a mapping, a rule, a subscription), on which nothing depends. A kind that
/// is not known may do either.
fn is_completed(event: &Node) -> bool {
    const APART: &[&str] = &[
        "AlexaSkill",
        "CloudWatchEvent",
        "CloudWatchLogs",
        "DocumentDB",
        "DynamoDB",
        "EventBridgeRule",
        "IoTRule",
        "Kinesis",
        "MQ",
        "MSK",
        "SNS",
        "SQS",
        "Schedule",
        "ScheduleV2",
        "SelfManagedKafka",
    ];
    !event.get("Type").and_then(Node::text).is_some_and(|kind| APART.contains(&kind))
}

impl Dependencies {
    /// Walks a template.
    pub(crate) fn of(template: &Template) -> Self {
        let mut graph = Self::default();
        for resource in template.resources() {
            graph.add(&resource);
        }
        graph
    }

    fn add(&mut self, resource: &Resource<'_>) {
        let id = resource.id.to_owned();
        let depends_on = resource.node.get("DependsOn");
        for name in depends_on.into_iter().flat_map(|node| std::iter::once(node).chain(node.items())) {
            if let Some(name) = name.text() {
                self.edge(&id, name);
            }
        }
        let role = resource.has_implicit_role().then(|| carrier(resource));
        if let Some(role) = &role {
            self.edge(&id, role);
        }
        let Some(properties) = resource.properties else { return };
        for entry in properties.entries() {
            let from = match &role {
                Some(role) if entry.name() == "Policies" => role,
                _ => &id,
            };
            for target in intrinsic::references(&entry.value) {
                self.edge(from, &target);
            }
            if entry.name() == "Events" {
                let completed = entry.value.entries().iter().filter(|event| is_completed(&event.value));
                for target in completed.flat_map(|event| intrinsic::references(&event.value)) {
                    self.edge(&target, &id);
                }
            }
        }
    }

    fn edge(&mut self, from: &str, to: &str) {
        self.0.entry(from.to_owned()).or_default().insert(to.to_owned());
    }

    /// Whether a reference from one resource to another would close a circle.
    pub(crate) fn closes(&self, from: &str, to: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![to];
        while let Some(next) = open.pop() {
            if next == from {
                return true;
            }
            if seen.insert(next) {
                open.extend(self.0.get(next).into_iter().flatten().map(String::as_str));
            }
        }
        false
    }
}
