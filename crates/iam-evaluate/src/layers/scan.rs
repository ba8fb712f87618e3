//! Going through the statements of each layer, remembering those that apply or may apply.

use std::sync::Arc;

use iam_model::policy::Effect;

use crate::context::Facts;
use crate::decision::{Layer, Outcome, StatementRef, Unknowns};
use crate::naming::Named;
use crate::request::{Parts, Request};
use crate::statement::{CompiledPolicy, CompiledStatement};
use crate::truth::Truth;

use super::special;

/// What a layer's statements come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    /// Whether the layer has a policy and binds the caller.
    pub(super) asked: bool,
    pub(super) allow: Truth,
    pub(super) deny: Truth,
}

impl Sum {
    pub(super) const NOT_ASKED: Self = Self { asked: false, allow: Truth::No, deny: Truth::No };
    const SILENT: Self = Self { asked: true, ..Self::NOT_ASKED };

    /// Whether a limiting layer lets the request pass.
    pub(super) const fn allows_or_absent(self) -> Truth {
        if self.asked { self.allow } else { Truth::Yes }
    }
}

/// A statement that applies or may apply, or a document that may hold one.
struct Seen<'c> {
    place: StatementRef,
    truth: Truth,
    /// Nothing for what is not known of a whole document.
    statement: Option<&'c CompiledStatement>,
    policy: &'c CompiledPolicy,
}

/// Where a policy stands.
#[derive(Clone, Copy)]
struct Place {
    layer: Layer,
    level: usize,
    policy: usize,
}

/// One walk over all statements of one decision.
pub(super) struct Scan<'c> {
    request: &'c Request,
    parts: &'c Parts<'c>,
    facts: &'c Facts<'c>,
    has_boundary: bool,
    /// Whether the layer that is being asked reaches the request at all.
    reach: Truth,
    seen: Vec<Seen<'c>>,
}

impl<'c> Scan<'c> {
    pub(super) const fn new(
        request: &'c Request,
        parts: &'c Parts<'c>,
        facts: &'c Facts<'c>,
        has_boundary: bool,
    ) -> Self {
        Self { request, parts, facts, has_boundary, reach: Truth::Yes, seen: Vec::new() }
    }

    /// Policies that add up: any allows, any denies.
    pub(super) fn union(&mut self, layer: Layer, policies: &'c [Arc<CompiledPolicy>]) -> Sum {
        self.level(layer, 0, policies)
    }

    /// The same, for a layer that is absent where it has no policies.
    pub(super) fn limit(&mut self, layer: Layer, policies: &'c [Arc<CompiledPolicy>]) -> Sum {
        if policies.is_empty() { Sum::NOT_ASKED } else { self.level(layer, 0, policies) }
    }

    /// Resource control policies. `RCPFullAWSAccess` is always attached, so they only deny.
    pub(super) fn resource_control(&mut self, levels: &'c [Vec<Arc<CompiledPolicy>>], reach: Truth) -> Sum {
        if reach == Truth::No {
            return Sum::NOT_ASKED;
        }
        self.reaching(reach);
        let sum = self.levels(Layer::ResourceControl, levels);
        self.reaching(Truth::Yes);
        Sum { allow: Truth::Yes, ..sum }
    }

    /// Says whether the layer that is asked next reaches the request at all.
    pub(super) const fn reaching(&mut self, reach: Truth) {
        self.reach = reach;
    }

    /// Levels that must each allow.
    pub(super) fn levels(&mut self, layer: Layer, levels: &'c [Vec<Arc<CompiledPolicy>>]) -> Sum {
        let mut sum = Sum { asked: !levels.is_empty(), allow: Truth::Yes, deny: Truth::No };
        for (index, policies) in levels.iter().enumerate() {
            let level = self.level(layer, index, policies);
            sum.deny = sum.deny.or(level.deny);
            sum.allow = sum.allow.and(level.allow);
        }
        sum
    }

    /// The policies of one level, which add up.
    pub(super) fn level(&mut self, layer: Layer, level: usize, policies: &'c [Arc<CompiledPolicy>]) -> Sum {
        let mut sum = Sum::SILENT;
        for (index, policy) in policies.iter().enumerate() {
            self.policy(Place { layer, level, policy: index }, policy, &mut sum);
        }
        sum
    }

    fn policy(&mut self, place: Place, policy: &'c CompiledPolicy, sum: &mut Sum) {
        for statement in policy.statements.iter().filter(|statement| statement.may_speak_of(self.parts.service)) {
            let fits = self.fits(place.layer, statement);
            if fits == Truth::No {
                continue;
            }
            let truth = fits.and(self.names(place.layer, statement)).and(self.reach);
            self.note(place, statement, policy, truth);
            sum.add(statement.effect, truth);
        }
        self.unknown_document(place, policy, sum);
    }

    /// The resource policy: besides the sum, how its allowing statements name the caller.
    pub(super) fn resource(&mut self, policy: &'c CompiledPolicy) -> (Sum, Named) {
        let place = Place { layer: Layer::Resource, level: 0, policy: 0 };
        let (mut sum, mut named) = (Sum::SILENT, Named::nobody());
        for statement in &policy.statements {
            let fits = self.fits(Layer::Resource, statement);
            if fits == Truth::No {
                continue;
            }
            let names = self.named(statement).and(fits);
            let truth = if statement.effect == Effect::Deny {
                fits.and(self.names(Layer::Resource, statement))
            } else {
                names.at_all()
            };
            self.note(place, statement, policy, truth);
            sum.add(statement.effect, truth);
            match statement.effect {
                Effect::Allow => named = named.or(names),
                Effect::Deny => {}
                Effect::Unknown => named = named.or(names.and(Truth::Maybe)),
            }
        }
        if self.unknown_document(place, policy, &mut sum) {
            named.fully = named.fully.or(Truth::Maybe);
        }
        (sum, named)
    }

    fn fits(&self, layer: Layer, statement: &CompiledStatement) -> Truth {
        // Trust policies and some resource policies mean the resource they stand on; elsewhere the element is required.
        let without_resource = if layer == Layer::Resource { Truth::Yes } else { Truth::Maybe };
        statement.fits(self.parts, self.facts, without_resource)
    }

    /// How an allowing statement of a resource policy names the caller.
    fn named(&self, statement: &CompiledStatement) -> Named {
        let maybe = Named::nobody().or(Named { fully: Truth::Maybe, ..Named::nobody() });
        match &statement.principals {
            Some(principals) if !principals.is_not() => principals.named(&self.request.principal),
            // An Allow for all but some is not supported by AWS; what it does is not documented.
            Some(principals) => maybe.and(!principals.named(&self.request.principal).at_all()),
            None => maybe,
        }
    }

    /// Whether the statement speaks of the caller.
    fn names(&self, layer: Layer, statement: &CompiledStatement) -> Truth {
        let names_callers = matches!(layer, Layer::Resource | Layer::ResourceControl | Layer::VpcEndpoint);
        match &statement.principals {
            None if names_callers => Truth::Maybe,
            None => Truth::Yes,
            Some(_) if !names_callers => Truth::Maybe,
            Some(principals) if principals.is_not() => match statement.effect {
                Effect::Deny => principals.denies(&self.request.principal, self.has_boundary),
                _ => Truth::Maybe.and(!principals.named(&self.request.principal).at_all()),
            },
            Some(principals) => principals.named(&self.request.principal).at_all(),
        }
    }

    fn note(&mut self, place: Place, statement: &'c CompiledStatement, policy: &'c CompiledPolicy, truth: Truth) {
        if truth != Truth::No {
            let place = place.statement(statement.index, statement.effect, statement.span);
            self.seen.push(Seen { place, truth, statement: Some(statement), policy });
        }
    }

    /// A document with parts that were not understood may allow or deny anything.
    fn unknown_document(&mut self, place: Place, policy: &'c CompiledPolicy, sum: &mut Sum) -> bool {
        if policy.unknown.is_empty() {
            return false;
        }
        sum.add(Effect::Unknown, Truth::Maybe);
        let place = place.statement(policy.statements.len(), Effect::Unknown, Default::default());
        self.seen.push(Seen { place, truth: Truth::Maybe, statement: None, policy });
        true
    }

    /// The statements behind an outcome, and for an unknown one, what would decide it.
    pub(super) fn reasons(&self, outcome: &Outcome) -> (Vec<StatementRef>, Unknowns) {
        let mut unknowns = Unknowns::default();
        let wanted = |seen: &&Seen<'_>| match outcome {
            Outcome::Allow => seen.truth == Truth::Yes && seen.place.effect == Effect::Allow,
            Outcome::ExplicitDeny => seen.truth == Truth::Yes && seen.place.effect == Effect::Deny,
            Outcome::ImplicitDeny => false,
            Outcome::Unknown(_) => seen.truth == Truth::Maybe || seen.place.effect == Effect::Unknown,
        };
        let mut because = Vec::with_capacity(self.seen.len());
        for seen in self.seen.iter().filter(wanted) {
            if matches!(outcome, Outcome::Unknown(_)) {
                self.explain(seen, &mut unknowns);
            }
            because.extend(seen.statement.is_some().then_some(seen.place));
        }
        (because, unknowns)
    }

    fn explain(&self, seen: &Seen<'_>, unknowns: &mut Unknowns) {
        let Some(statement) = seen.statement else {
            seen.policy.unknown.iter().for_each(|what| unknowns.element(what.clone()));
            return;
        };
        statement.explain(self.parts, self.facts, unknowns);
        let layer = seen.place.layer;
        if layer == Layer::ResourceControl && special::reached_by_resource_control(self.parts) == Truth::Maybe {
            unknowns.element(format!("whether resource control policies reach `{}`", self.parts.service));
        }
        if self.names(layer, statement) == Truth::Maybe {
            unknowns.element(format!("whom a statement of a {layer} names"));
        }
        if statement.lacks_resource() && layer != Layer::Resource {
            unknowns.element(format!("a statement without `Resource` in a {layer}"));
        }
    }
}

impl Sum {
    fn add(&mut self, effect: Effect, truth: Truth) {
        match effect {
            Effect::Allow => self.allow = self.allow.or(truth),
            Effect::Deny => self.deny = self.deny.or(truth),
            Effect::Unknown => {
                self.allow = self.allow.or(truth.and(Truth::Maybe));
                self.deny = self.deny.or(truth.and(Truth::Maybe));
            }
        }
    }
}

impl Place {
    const fn statement(self, statement: usize, effect: Effect, span: iam_model::text::Span) -> StatementRef {
        StatementRef { layer: self.layer, level: self.level, policy: self.policy, statement, effect, span }
    }
}
