//! Calls that came, or may have come, through a VPC endpoint whose policy changes.
//!
//! A log names the endpoint of a call, or says nothing: then the call may have come through any that leads to its
//! service, but for a function that runs outside of every VPC. Where a call names its endpoint and one resource,
//! evaluation decides; here the rest is asked of the policies as sets.

use iam_evaluate::permission_set::PermissionSet;
use iam_evaluate::{Decision, Layer, LayerOutcome};
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{AttachmentKind, Change};
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::policy::{PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::snapshot::SnapshotIndex;
use iam_model::text::{Span, Spanned};
use iam_model::usage::Observation;

use super::{Caller, is_included};
use crate::adds_nothing::compared;

/// An endpoint whose policy changes.
pub(super) struct Endpoint<'c> {
    id: &'c str,
    /// The services behind it; nothing where that is not known.
    services: Option<Vec<&'static str>>,
    before: PermissionSet,
    after: PermissionSet,
}

/// How a call may have come.
enum Way {
    /// By this endpoint, as the log says.
    Here,
    /// The log does not say.
    Unknown,
    /// Some other way.
    Elsewhere,
}

impl<'c> Endpoint<'c> {
    /// The endpoints of the snapshot that changes are about.
    pub(super) fn changed(changes: &[&Change], index: &SnapshotIndex<'c>) -> Vec<Self> {
        let of = |change: &&Change| {
            let arn = change.attachment.resource_arn.as_ref()?;
            let held = index.vpc_endpoint(arn)?;
            let kind = AttachmentKind::VpcEndpoint;
            let (before, after) = compared(kind, change.before.as_ref(), change.after.as_ref());
            let (before, after) = (PermissionSet::of_documents(&before), PermissionSet::of_documents(&after));
            Some(Self { id: &held.id, services: held.services(), before, after })
        };
        changes.iter().filter(|change| change.attachment.kind == AttachmentKind::VpcEndpoint).filter_map(of).collect()
    }

    /// Whether a log names this endpoint as the one that a call came through.
    pub(super) fn carried(&self, observation: &Observation) -> bool {
        named(observation) == Some(self.id)
    }

    fn way(&self, caller: &Caller<'_, '_, '_>, observation: &Observation) -> Way {
        match named(observation) {
            Some(id) if id == self.id => Way::Here,
            Some(_) => Way::Elsewhere,
            None => {
                let service = observation.action.service();
                let leads =
                    self.services.as_ref().is_none_or(|all| all.iter().any(|s| s.eq_ignore_ascii_case(service)));
                let functions = caller.shared.index.functions_of(caller.arn);
                let mut made = functions.iter().filter(|f| observation.function.as_deref() == Some(f.arn.name()));
                let is_outside = made.next().is_some_and(|function| function.is_outside_vpcs());
                if leads && !is_outside { Way::Unknown } else { Way::Elsewhere }
            }
        }
    }

    /// Why the changed policy may shut out a call that came this way, or may have; nothing where it surely does not, or
    /// evaluation decides.
    pub(super) fn shuts_out(
        &self,
        caller: &Caller<'_, '_, '_>,
        observation: &Observation,
        resource: &ResourcePattern,
    ) -> Option<String> {
        let is_pattern =
            resource.as_str().contains(['*', '?']) && !(resource.is_everything() && observation.resource_known);
        let id = self.id;
        let why = match self.way(caller, observation) {
            Way::Here if is_pattern => format!("{id} would no longer let all of `{resource}` through"),
            Way::Unknown => {
                format!("the logs do not say through which endpoint it came, and {id} would no longer let it through")
            }
            Way::Here | Way::Elsewhere => return None,
        };
        let mut asked = Statement::allow(vec![ActionPattern::from(&observation.action)], vec![resource.clone()]);
        asked.principal = Some(PrincipalElement::Principal(vec![Spanned::synthetic(PrincipalPattern::Everyone)]));
        asked.conditions.push(Condition {
            operator: Operator::Known { set: None, comparison: Comparison::ArnEquals, if_exists: false },
            key: ConditionKey::new("aws:PrincipalArn"),
            values: vec![Spanned::synthetic(caller.arn.to_string())],
            span: Span::default(),
        });
        let asked = PermissionSet::of_document(&PolicyDocument::new(vec![asked]));
        let budget = &caller.shared.budget;
        (!is_included(&self.before.intersection(&asked), &self.after, budget)).then_some(why)
    }
}

/// The endpoint that a log names for a call.
fn named(observation: &Observation) -> Option<&str> {
    match observation.context.get(&ConditionKey::new("aws:SourceVpce")).map(Vec::as_slice) {
        Some([id]) => Some(id),
        _ => None,
    }
}

/// Whether an endpoint's policy let a call pass, or may have, and surely does no longer.
pub(super) fn closes(before: &Decision, after: &Decision) -> bool {
    let shut = |decision: &Decision| {
        matches!(decision.layers.get(Layer::VpcEndpoint), LayerOutcome::ImplicitDeny | LayerOutcome::ExplicitDeny)
    };
    !shut(before) && (shut(after) || before.layers.get(Layer::VpcEndpoint) != after.layers.get(Layer::VpcEndpoint))
}
