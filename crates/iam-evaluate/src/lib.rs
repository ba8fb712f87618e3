//! May a principal do an action on a resource, and why; and is one set of permissions inside another.
//!
//! Follows the IAM User Guide topic "Policy evaluation logic": every kind of policy, same account and across accounts,
//! with the services that have rules of their own. Answers are three-valued: what is not known is
//! [`Outcome::Unknown`], with the keys that would decide it, never a guess. Where AWS's text is silent, and what was
//! chosen there, stands in `docs/semantics.md`.
//!
//! Knows nothing about usage, graphs, source files, or how a proposal is made; it asks no clock and opens no file.

mod truth;

mod value;

mod wildcard;

mod principal;

mod context;

mod request;

mod template;

mod arn_pattern;

mod decision;

mod comparison;

mod naming;

mod statement;

mod layers;

mod policies;

mod evaluator;

pub mod case;

pub mod guardrail;

pub mod budget;

pub mod glob;

pub mod permission_set;

pub mod effective;

pub use context::{Context, KeyState};
pub use decision::{Decision, Layer, LayerOutcome, Layers, Outcome, Rule, StatementRef, Unknowns};
pub use evaluator::{ChangeError, Evaluator, PolicyPlace};
pub use policies::{CompiledPolicies, Policies, evaluate};
pub use principal::{IdentityProvider, Principal, PrincipalError, ServiceName};
pub use request::{Request, ResourceName};
