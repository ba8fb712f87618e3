//! What the evidence could not have shown, by service and reason.
//!
//! What follows from it for one role is decided where proposals are made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn};
use iam_model::snapshot::Role;
use iam_model::usage::Visibility;

use crate::needs::{Evidence, Known, Rules};

/// Actions a wildcard granted whose use the logs could not have shown: cut, and asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindSpot {
    /// The service prefix.
    pub service: String,
    /// Why the logs could not have shown them.
    pub why: String,
    /// The actions, in the catalogue's order.
    pub actions: Arc<[Action]>,
}

/// What an account's trails could not have shown of anybody.
pub(crate) struct Unseen {
    pub(crate) spots: Vec<BlindSpot>,
    pub(crate) actions: BTreeSet<Action>,
}

/// For each account, the actions that its trails could not have shown of a role that did nothing: what one did can only
/// hide more.
pub(crate) fn unseen(roles: &[&Role], evidence: &Evidence<'_>, rules: &Rules) -> BTreeMap<AccountId, Unseen> {
    let accounts: BTreeSet<AccountId> = roles.iter().filter_map(|role| role.identity.arn.account()).collect();
    let of = |account: AccountId| {
        let nobody: Arn = format!("arn:aws:iam::{account}:role/").parse().ok()?;
        let spots = unseen_by(Known { role: &nobody, evidence, rules }, &|_| true);
        let actions = spots.iter().flat_map(|spot| spot.actions.iter().cloned()).collect();
        Some((account, Unseen { spots, actions }))
    };
    accounts.into_iter().filter_map(of).collect()
}

/// The actions whose use by a role the evidence could not have shown, by service and reason.
pub(crate) fn unseen_by(known: Known<'_>, asked: &dyn Fn(&Action) -> bool) -> Vec<BlindSpot> {
    let mut spots: BTreeMap<(String, String), Vec<Action>> = BTreeMap::new();
    for action in known.evidence.catalog.actions().map(|facts| facts.action()).filter(|action| asked(action)) {
        if let Visibility::Invisible(why) = known.visibility(&action) {
            spots.entry((action.service().to_owned(), why)).or_default().push(action);
        }
    }
    let spot = |((service, why), actions): ((String, String), Vec<Action>)| BlindSpot {
        service,
        why,
        actions: actions.into(),
    };
    spots.into_iter().map(spot).collect()
}
