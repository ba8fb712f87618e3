//! What an evaluation answers: the outcome, what each layer said, and the statements that made it.
//!
//! Holds results only. Statements are named by place; whoever holds the documents can quote them.

use std::fmt;

use iam_model::condition::ConditionKey;
use iam_model::policy::Effect;
use iam_model::text::Span;

/// The kinds of policies that take part in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Policies of the caller: inline, managed, through groups.
    Identity,
    /// The policy on the resource; a role's trust policy, a key's key policy.
    Resource,
    /// The caller's permissions boundary.
    Boundary,
    /// Policies given when the session was made.
    Session,
    /// Service control policies above the caller's account.
    ServiceControl,
    /// Resource control policies above the resource's account.
    ResourceControl,
    /// The policy of the VPC endpoint the request came through.
    VpcEndpoint,
}

impl Layer {
    /// Every layer, in the order decisions list them.
    pub const ALL: [Self; 7] = [
        Self::Identity,
        Self::Resource,
        Self::Boundary,
        Self::Session,
        Self::ServiceControl,
        Self::ResourceControl,
        Self::VpcEndpoint,
    ];

    /// The layer in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity policy",
            Self::Resource => "resource policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::VpcEndpoint => "VPC endpoint policy",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one layer said by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum LayerOutcome {
    /// There is no such policy, or it does not bind this caller.
    #[default]
    NotApplicable,
    /// A statement allows, none denies.
    Allow,
    /// A statement denies.
    ExplicitDeny,
    /// No statement allows.
    ImplicitDeny,
    /// It depends on something that is not known.
    Unknown,
}

impl LayerOutcome {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit_deny",
            Self::ImplicitDeny => "implicit_deny",
            Self::Unknown => "unknown",
        }
    }
}

/// What every layer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layers([LayerOutcome; 7]);

impl Layers {
    /// What a layer said.
    #[must_use]
    pub fn get(&self, layer: Layer) -> LayerOutcome {
        self.0.get(layer as usize).copied().unwrap_or_default()
    }

    pub(crate) fn set(&mut self, layer: Layer, outcome: LayerOutcome) {
        if let Some(slot) = self.0.get_mut(layer as usize) {
            *slot = outcome;
        }
    }

    /// Layers with what they said, leaving out those that do not apply.
    pub fn applicable(&self) -> impl Iterator<Item = (Layer, LayerOutcome)> {
        Layer::ALL.into_iter().map(|layer| (layer, self.get(layer))).filter(|(_, o)| *o != LayerOutcome::NotApplicable)
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The request is allowed.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// Nothing allows it, or a layer that must allow does not.
    ImplicitDeny,
    /// It depends on what is listed here.
    Unknown(Unknowns),
}

impl Outcome {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit_deny",
            Self::ImplicitDeny => "implicit_deny",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Whether the request is known to be allowed.
    #[must_use]
    pub const fn is_allow(&self) -> bool {
        matches!(self, Self::Allow)
    }

    /// Whether the request is known not to be allowed.
    #[must_use]
    pub const fn is_deny(&self) -> bool {
        matches!(self, Self::ExplicitDeny | Self::ImplicitDeny)
    }
}

/// What would have to be known for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unknowns {
    /// Context keys whose values are not known.
    pub keys: Vec<ConditionKey>,
    /// Parts of policies that are not understood, or on which AWS's documentation is silent.
    pub elements: Vec<String>,
}

impl Unknowns {
    pub(crate) fn key(&mut self, key: &ConditionKey) {
        if !self.keys.contains(key) {
            self.keys.push(key.clone());
        }
    }

    pub(crate) fn element(&mut self, element: String) {
        if !self.elements.contains(&element) {
            self.elements.push(element);
        }
    }
}

/// A statement that took part in a decision, by place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementRef {
    /// The layer.
    pub layer: Layer,
    /// The level of a control policy, root first; 0 for other layers.
    pub level: usize,
    /// The policy's index in its layer, or in its level.
    pub policy: usize,
    /// The statement's index in the policy.
    pub statement: usize,
    /// What it does.
    pub effect: Effect,
    /// Where it stands in the text its policy was read from.
    pub span: Span,
}

/// A rule of AWS that decided without a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// `sts:GetCallerIdentity` needs no permission and cannot be denied.
    CallerIdentity,
    /// The root user needs no identity policy in its own account.
    RootUser,
    /// A federated user without session policies has only what names the session itself.
    FederatedWithoutSessionPolicy,
    /// A federated user's session cannot call IAM or STS.
    FederatedCallsIamOrSts,
    /// The resource belongs to AWS and nobody can change it.
    OwnedByAws,
}

impl Rule {
    /// The rule in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallerIdentity => "sts:GetCallerIdentity needs no permission and cannot be denied",
            Self::RootUser => "the root user needs no identity policy in its own account",
            Self::FederatedWithoutSessionPolicy => {
                "a federated user without session policies has only what names the session itself"
            }
            Self::FederatedCallsIamOrSts => "a federated user's session cannot call IAM or STS",
            Self::OwnedByAws => "the resource belongs to AWS and cannot be changed",
        }
    }
}

/// The decision on one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub outcome: Outcome,
    /// What each layer said by itself.
    pub layers: Layers,
    /// The statements that made the answer: those that allow, those that deny, or those it depends on.
    pub because: Vec<StatementRef>,
    /// Rules that decided without a statement.
    pub rules: Vec<Rule>,
}
