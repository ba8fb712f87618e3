//! What the fates of all calls come to. Replays nothing.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::change::{AttachmentKind, Change};
use iam_model::text::{counted, grouped};

use super::{PrincipalReplay, Replay};
use crate::outcome::Outcome;

/// The outcome, before what no log could show is looked at.
pub(super) fn outcome(total: &Replay, principals: &BTreeMap<Arn, PrincipalReplay>, changes: &[&Change]) -> Outcome {
    if total.denied > 0 {
        let who = principals.values().filter(|one| one.replay.denied > 0).count();
        let of = if principals.len() > 1 {
            format!(" of {who} {}", if who == 1 { "principal" } else { "principals" })
        } else {
            String::new()
        };
        let because =
            format!("{} of {}{of} would be denied", grouped(total.denied), counted(total.calls, "observed call"));
        let first = principals.values().flat_map(|one| &one.denied).next();
        return Outcome::Refuted { because, counterexample: first.map(|denied| denied.request.clone()) };
    }
    let undecided: BTreeSet<&String> = principals.values().flat_map(|one| &one.undecided).collect();
    if let Some(first) = undecided.first() {
        let more = undecided.len() - 1;
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        return Outcome::Undecided { why: format!("{}: {first}{more}", counted(total.undecided, "observed call")) };
    }
    let own = |change: &&Change| matches!(change.attachment.kind, AttachmentKind::Identity | AttachmentKind::Boundary);
    if total.kept == 0 && total.unexplained > 0 && changes.iter().all(own) {
        let why = format!(
            "nothing could be replayed: this snapshot allows none of {} before the change either; \
             take a snapshot of the time of the logs, with the policies of the resources",
            counted(total.unexplained, "observed call")
        );
        return Outcome::Undecided { why };
    }
    if total.calls == 0 {
        let because = "the logs hold no call that the change is about, so there was none to replay and none is denied";
        return Outcome::Proved { because: because.into() };
    }
    let unexplained = match total.unexplained {
        0 => String::new(),
        1 => "; 1 more was not allowed by this snapshot before the change either".to_owned(),
        some => format!("; {} more were not allowed by this snapshot before the change either", grouped(some)),
    };
    Outcome::Proved {
        because: format!(
            "{} replayed, {}still allowed{unexplained}",
            counted(total.kept, "observed call"),
            if total.kept == 1 { "" } else { "all " }
        ),
    }
}
