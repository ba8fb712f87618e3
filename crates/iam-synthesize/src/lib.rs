//! What a principal needs, and the smallest policies that grant it.
//!
//! Takes what is granted, what was seen and what could have been seen; gives [`RoleProposal`]s, each a list of
//! changes with a reason per statement. Does not judge its own work: it never proves, and does not know the prover,
//! the graph, the guardrails, or any file format. A role without evidence is refused, never emptied.

mod assign;

mod bounds;

mod configured;

mod control;

mod documents;

mod fold;

mod needs;

mod pack;

mod pieces;

mod spill;

mod plumbing;

mod infer;

mod life;

mod naming;

mod narrow;

mod propose;

mod prune;

mod split;

mod suggest;

mod unresolved;

mod unseen;

mod unsure;

mod write;

#[cfg(test)]
mod tests;

pub use configured::{Configured, Use, configured};
pub use control::{ControlKind, ControlOrigin, PackError, PackOptions, PackedControl, PackedControls, pack_controls};
pub use documents::{DocumentProposal, Fate, StatementFate, boundaries, document_of, documents};
pub use fold::{Fold, FoldRule};
pub use needs::{Bound, Evidence, Grade, KeepRule, Known, Need, NeedRule, Rules, Seen};
pub use propose::{Judgement, Proposer, RoleProposal, synthesize};
pub use split::{Shared, SplitProposal, Splitter};
pub use suggest::Suggestion;
pub use unseen::BlindSpot;
