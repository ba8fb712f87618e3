//! Guardrails by themselves: does a control policy, or the policy of an endpoint, stop a request, and by which statements.
//!
//! Says nothing about whether the request is allowed in the end: guardrails grant nothing. Follows the Organizations User
//! Guide topics "SCP evaluation" and "RCP evaluation".

mod case;
mod organization;

use std::sync::Arc;

use iam_model::policy::{Effect, PolicyDocument};

use crate::decision::{Layer, LayerOutcome, StatementRef, Unknowns};
use crate::layers::{SaidAlone, limit_alone};
use crate::principal::Principal;
use crate::request::Request;
use crate::statement::CompiledPolicy;

pub use case::{Attached, GuardrailCase};
pub use organization::{Organization, OrganizationError};

/// The kinds of guardrails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardrailKind {
    /// A service control policy: binds the callers of the accounts below it.
    ServiceControl,
    /// A resource control policy: binds all callers of the resources below it.
    ResourceControl,
    /// The policy of a VPC endpoint: binds what passes through it.
    VpcEndpoint,
}

impl GuardrailKind {
    /// Reads the word that cases and options use.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "scp" => Some(Self::ServiceControl),
            "rcp" => Some(Self::ResourceControl),
            "vpce" | "endpoint" => Some(Self::VpcEndpoint),
            _ => None,
        }
    }

    const fn layer(self) -> Layer {
        match self {
            Self::ServiceControl => Layer::ServiceControl,
            Self::ResourceControl => Layer::ResourceControl,
            Self::VpcEndpoint => Layer::VpcEndpoint,
        }
    }
}

/// What takes a request out of the reach of guardrails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The caller is in the organisation's management account, which service control policies do not bind.
    pub caller_in_management_account: bool,
    /// The resource is in the management account, which resource control policies do not reach.
    pub resource_in_management_account: bool,
    /// The caller is a service-linked role, which control policies do not bind.
    pub service_linked_role: bool,
}

/// Why no guardrail of a kind binds a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exemption {
    /// The caller is in the management account.
    ManagementAccount,
    /// The resource is in the management account.
    ResourceOfManagementAccount,
    /// The caller is a service-linked role.
    ServiceLinkedRole,
    /// The caller belongs to no account: a service, or nobody.
    NoAccount,
    /// Nothing of the kind stands above the account, or it does not reach the service or the action.
    NotReached,
}

impl Exemption {
    /// The exemption in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManagementAccount => "the caller is in the management account",
            Self::ResourceOfManagementAccount => "the resource is in the management account",
            Self::ServiceLinkedRole => "the caller is a service-linked role",
            Self::NoAccount => "the caller belongs to no account",
            Self::NotReached => "no guardrail of this kind reaches the request",
        }
    }
}

/// What guardrails of one kind say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Allow, a deny of either kind, unknown; or that nothing binds the request.
    pub outcome: LayerOutcome,
    /// Why nothing binds it.
    pub exempt: Option<Exemption>,
    /// The statements that deny or allow, or on which it depends.
    pub because: Vec<StatementRef>,
    /// The first level, from the root, that denies or does not allow.
    pub level: Option<usize>,
    /// What would have to be known.
    pub unknowns: Unknowns,
}

impl Ruling {
    fn exempt(why: Exemption) -> Self {
        Self {
            outcome: LayerOutcome::NotApplicable,
            exempt: Some(why),
            because: Vec::new(),
            level: None,
            unknowns: Unknowns::default(),
        }
    }

    /// The word of reports: `denied`, `allowed` or `unknown`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self.outcome {
            LayerOutcome::ExplicitDeny | LayerOutcome::ImplicitDeny => "denied",
            LayerOutcome::Allow | LayerOutcome::NotApplicable => "allowed",
            LayerOutcome::Unknown => "unknown",
        }
    }
}

/// Guardrails of one kind above an account, read once for deciding many requests.
#[derive(Debug, Clone)]
pub struct Guardrail {
    kind: GuardrailKind,
    levels: Vec<Vec<Arc<CompiledPolicy>>>,
    /// A policy of AWS's that allows everything stands on every level.
    allowed: bool,
}

impl Guardrail {
    /// One policy where it is attached. A control policy that allows nothing itself stands beside the one of AWS's that allows
    /// everything; one that allows something stands in its place.
    ///
    /// ```
    /// use iam_evaluate::guardrail::{Guardrail, GuardrailKind, Standing};
    /// use iam_evaluate::{Context, Principal, Request};
    /// use iam_model::policy::parse;
    /// use iam_model::text::{SourceName, SourceText};
    /// let text = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}]}"#;
    /// let (policy, _) = parse(&SourceText { name: SourceName::new("scp.json"), text: text.into() });
    /// let guardrail = Guardrail::new(GuardrailKind::ServiceControl, &policy);
    /// let request = |action: &str| Request {
    ///     principal: Principal::parse("arn:aws:iam::111122223333:role/R").unwrap(),
    ///     action: action.parse().unwrap(),
    ///     resource: "arn:aws:s3:::logs/1".parse().unwrap(),
    ///     resource_account: None,
    ///     context: Context::complete(),
    /// };
    /// assert_eq!(guardrail.decide(&request("s3:DeleteObject"), Standing::default()).as_str(), "denied");
    /// assert_eq!(guardrail.decide(&request("s3:GetObject"), Standing::default()).as_str(), "allowed");
    /// ```
    #[must_use]
    pub fn new(kind: GuardrailKind, policy: &PolicyDocument) -> Self {
        let allows = policy.statements.iter().any(|statement| statement.effect == Effect::Allow);
        let allowed = kind == GuardrailKind::ResourceControl || (kind == GuardrailKind::ServiceControl && !allows);
        Self { kind, levels: vec![vec![Arc::new(CompiledPolicy::new(policy))]], allowed }
    }

    /// The policies of every level, root first.
    const fn of_levels(kind: GuardrailKind, levels: Vec<Vec<Arc<CompiledPolicy>>>) -> Self {
        Self { kind, levels, allowed: matches!(kind, GuardrailKind::ResourceControl) }
    }

    /// What the guardrail says to a request.
    #[must_use]
    pub fn decide(&self, request: &Request, standing: Standing) -> Ruling {
        if let Some(why) = self.exemption(request, standing) {
            return Ruling::exempt(why);
        }
        let SaidAlone { outcome, because, level, unknowns } =
            limit_alone(request, self.kind.layer(), &self.levels, self.allowed, &[]);
        let exempt = (outcome == LayerOutcome::NotApplicable).then_some(Exemption::NotReached);
        Ruling { outcome, exempt, because, level, unknowns }
    }

    fn exemption(&self, request: &Request, standing: Standing) -> Option<Exemption> {
        let controls = self.kind != GuardrailKind::VpcEndpoint;
        let service_linked = standing.service_linked_role || is_service_linked(&request.principal);
        let by_caller = self.kind == GuardrailKind::ServiceControl;
        if controls && service_linked {
            Some(Exemption::ServiceLinkedRole)
        } else if by_caller && request.principal.account_digits().is_empty() {
            Some(Exemption::NoAccount)
        } else if by_caller && standing.caller_in_management_account {
            Some(Exemption::ManagementAccount)
        } else if self.kind == GuardrailKind::ResourceControl && standing.resource_in_management_account {
            Some(Exemption::ResourceOfManagementAccount)
        } else {
            None
        }
    }
}

/// Whether a caller is a service-linked role, told by its path (IAM User Guide, "Service-linked roles").
fn is_service_linked(principal: &Principal) -> bool {
    match principal {
        Principal::RoleSession { role, .. } => role.resource().starts_with("role/aws-service-role/"),
        _ => false,
    }
}
