//! Policies as they are held: by a principal, on a resource, above an account.

use std::sync::Arc;

use iam_model::arn::Arn;
use iam_model::policy::PolicyDocument;

use crate::context::Context;
use crate::statement::CompiledPolicy;

/// A document of the snapshot, or one a change brought.
#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    Snapshot(&'a PolicyDocument),
    Changed(Arc<PolicyDocument>),
}

/// A policy where it is attached.
#[derive(Debug, Clone)]
pub(super) struct Held<'a> {
    pub(super) name: Box<str>,
    /// The managed policy's ARN.
    pub(super) managed: Option<&'a Arn>,
    /// The group it comes through.
    pub(super) group: Option<&'a Arn>,
    pub(super) text: Text<'a>,
    pub(super) compiled: Arc<CompiledPolicy>,
}

impl<'a> Held<'a> {
    pub(super) fn new(name: &str, document: &'a PolicyDocument, compiled: Arc<CompiledPolicy>) -> Self {
        Self { name: name.into(), managed: None, group: None, text: Text::Snapshot(document), compiled }
    }

    /// A policy a change brings.
    pub(super) fn changed(name: &str, document: &PolicyDocument) -> Self {
        let compiled = Arc::new(CompiledPolicy::new(document));
        Self {
            name: name.into(),
            managed: None,
            group: None,
            text: Text::Changed(Arc::new(document.clone())),
            compiled,
        }
    }

    /// The same attachment with another document.
    pub(super) fn with(&self, document: &PolicyDocument) -> Self {
        Self { managed: self.managed, group: self.group, ..Self::changed(&self.name, document) }
    }

    pub(super) fn document(&self) -> &PolicyDocument {
        match &self.text {
            Text::Snapshot(document) => document,
            Text::Changed(document) => document,
        }
    }
}

/// A role or user with its policies.
#[derive(Debug, Clone, Default)]
pub(super) struct Holder<'a> {
    pub(super) held: Vec<Held<'a>>,
    /// The documents of `held`, in the same order.
    pub(super) compiled: Vec<Arc<CompiledPolicy>>,
    pub(super) boundary_held: Option<Arc<Held<'a>>>,
    /// The boundary's document, as the list that evaluation takes.
    pub(super) boundary: Vec<Arc<CompiledPolicy>>,
    pub(super) service_linked: bool,
    pub(super) derived: Context,
}

impl<'a> Holder<'a> {
    pub(super) fn set_policies(&mut self, held: Vec<Held<'a>>) {
        self.compiled = held.iter().map(|held| Arc::clone(&held.compiled)).collect();
        self.held = held;
    }

    pub(super) fn set_boundary(&mut self, boundary: Option<Held<'a>>) {
        self.boundary = boundary.iter().map(|held| Arc::clone(&held.compiled)).collect();
        self.boundary_held = boundary.map(Arc::new);
    }
}

/// A VPC endpoint's policy; nothing where a change put back the one that lets everything through.
#[derive(Debug, Clone, Default)]
pub(super) struct Endpoint<'a> {
    pub(super) held: Option<Arc<Held<'a>>>,
    /// Its document, as the list that evaluation takes.
    pub(super) compiled: Vec<Arc<CompiledPolicy>>,
}

impl<'a> Endpoint<'a> {
    pub(super) fn new(held: Option<Held<'a>>) -> Self {
        let compiled = held.iter().map(|held| Arc::clone(&held.compiled)).collect();
        Self { held: held.map(Arc::new), compiled }
    }
}

/// Control policies of one kind, a list per level.
#[derive(Debug, Clone, Default)]
pub(super) struct Levels<'a> {
    pub(super) held: Vec<Vec<Held<'a>>>,
    pub(super) compiled: Vec<Vec<Arc<CompiledPolicy>>>,
}

impl<'a> Levels<'a> {
    pub(super) fn new(held: Vec<Vec<Held<'a>>>) -> Self {
        let compiled = held.iter().map(|level| level.iter().map(|held| Arc::clone(&held.compiled)).collect()).collect();
        Self { held, compiled }
    }
}

/// The control policies above an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Guards<'a> {
    pub(super) scps: Levels<'a>,
    pub(super) rcps: Levels<'a>,
}
