//! What can be taken away so that an edge is gone: a permission of whoever starts, or the trust of whoever is gained.

use std::fmt;

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::policy::{Effect, PrincipalElement, PrincipalPattern};

use super::Use;
use crate::graph::Edge;
use crate::survey::{Person, Survey};
use crate::technique::{Place, TrustAsked};

/// Something that can be taken away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removal {
    /// A principal may no longer do an action.
    Permission {
        /// The user or role.
        principal: Arn,
        /// The action.
        action: Action,
        /// The role it is about, for assuming roles; else every resource.
        on: Option<Arn>,
    },
    /// A role no longer lets someone in.
    Trust {
        /// The role.
        role: Arn,
        /// Who.
        whom: Trusted,
    },
}

/// Whom a role lets in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trusted {
    /// A service.
    Service(String),
    /// Users, roles and accounts: all it names.
    Callers,
}

impl Removal {
    /// The principal whose policy is changed.
    #[must_use]
    pub const fn place(&self) -> &Arn {
        match self {
            Self::Permission { principal, .. } => principal,
            Self::Trust { role, .. } => role,
        }
    }

    /// How much worse it is than taking away one permission of one principal: trust concerns everyone who is trusted.
    pub(super) const fn weight(&self) -> u64 {
        match self {
            Self::Permission { .. } => 1,
            Self::Trust { .. } => 3,
        }
    }

    /// What is known about its use: from the account, where something runs as the role, else from the evidence.
    pub(super) fn in_use(&self, survey: &Survey<'_>, used: &dyn Fn(&Self) -> Use) -> Use {
        if let Self::Trust { role, whom: Trusted::Service(_) } = self {
            let home = survey.place(role).and_then(|place| survey.person(place)).and_then(|person| survey.home(person));
            if home.is_some_and(|home| home.running.keys().any(|(_, runs_as)| *runs_as == role)) {
                return Use::Needed;
            }
        }
        match (self, used(self)) {
            // Whom a role trusts cannot be narrowed to what it was used for.
            (Self::Trust { .. }, Use::On(_)) => Use::Needed,
            (_, used) => used,
        }
    }
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission { action, on: None, .. } => write!(f, "{action}"),
            Self::Permission { action, on: Some(on), .. } => write!(f, "{action} on {on}"),
            Self::Trust { whom: Trusted::Service(service), .. } => write!(f, "trust in {service}"),
            Self::Trust { whom: Trusted::Callers, .. } => f.write_str("trust in users, roles and accounts"),
        }
    }
}

/// Everything of which any one breaks the edge.
pub(super) fn levers(survey: &Survey<'_>, edge: &Edge) -> Vec<Removal> {
    let Some(technique) = edge.technique() else { return Vec::new() };
    let person = |arn: Option<&Arn>| arn.and_then(|arn| survey.place(arn)).and_then(|place| survey.person(place));
    let (from, to) = (person(edge.from.arn()), person(edge.to.arn()));
    let mut levers = Vec::new();
    for requirement in &technique.requires {
        let assumes = requirement.action.service() == "sts" && requirement.on == Place::Target;
        if let Some(from) = from {
            levers.push(Removal::Permission {
                principal: from.arn.clone(),
                action: requirement.action.clone(),
                on: to.filter(|_| assumes).map(|to| to.arn.clone()),
            });
        }
        if let Some(to) = to.filter(|_| assumes && requirement.trust == TrustAsked::AsItIs) {
            levers.push(Removal::Trust { role: to.arn.clone(), whom: Trusted::Callers });
        }
    }
    levers.extend(to.and_then(|to| service_trust(to, &technique.trusts)));
    levers.sort();
    levers.dedup();
    levers
}

/// The one service of these that the role lets in; where it lets in several, taking away one breaks nothing.
fn service_trust(role: &Person<'_>, services: &[String]) -> Option<Removal> {
    let mut found: Vec<&String> = services.iter().filter(|service| trusts(role, service)).collect();
    found.dedup();
    let [only] = found.as_slice() else { return None };
    Some(Removal::Trust { role: role.arn.clone(), whom: Trusted::Service((*only).clone()) })
}

fn trusts(role: &Person<'_>, service: &str) -> bool {
    let statements = role.trust.iter().flat_map(|trust| &trust.statements).filter(|s| s.effect != Effect::Deny);
    statements.filter_map(|s| s.principal.as_ref()).any(|element| match element {
        PrincipalElement::Principal(patterns) => {
            patterns.iter().any(|p| matches!(&p.value, PrincipalPattern::Service(name) if name == service))
        }
        PrincipalElement::NotPrincipal(_) => false,
    })
}
