//! Why each permission of a role stays or goes: for people, and as `paring-explanation/1`.
//!
//! Renders; decides nothing.

pub(crate) mod document;
mod json;
mod text;

pub(crate) use json::render as render_json;
pub(crate) use text::render as render_text;

use iam_model::policy::PolicyDocument;
use iam_model::usage::AccountDays;
use iam_synthesize::{Fold, Need, Suggestion};

use super::{ClaimView, ConfiguredView, conditions_value};

/// What there is to say about a role that was asked for.
pub(crate) enum Explained {
    Whole(Box<Explanation>),
    Split(SplitExplanation),
}

/// A shared role taken apart.
pub(crate) struct SplitExplanation {
    pub(crate) role: String,
    pub(crate) notes: Vec<String>,
    /// One for each new role.
    pub(crate) parts: Vec<Explanation>,
}

/// Everything there is to say about one role.
pub(crate) struct Explanation {
    pub(crate) role: String,
    /// The shared role that a new role stands in for.
    pub(crate) instead_of: Option<String>,
    /// What else a person should know.
    pub(crate) note: Option<String>,
    pub(crate) functions: Vec<String>,
    /// Why nothing is proposed, where nothing may be.
    pub(crate) refused: Option<String>,
    /// What the logs of the role's account span; nothing where none were read.
    pub(crate) days: Option<AccountDays>,
    pub(crate) window: Option<(String, String)>,
    /// What must stay; the other parts point here.
    pub(crate) needs: Vec<Need>,
    /// Resources that the functions are configured with.
    pub(crate) configured: Vec<ConfiguredView>,
    /// What names the resources of each need.
    pub(crate) named: Vec<NamedView>,
    pub(crate) policies: Vec<PolicyView>,
    pub(crate) dropped: Vec<DroppedView>,
    pub(crate) claims: Vec<ClaimView>,
    /// What is said about the one action that was asked for.
    pub(crate) action: Option<ActionView>,
}

/// Which environment variables name the resources of a need.
#[derive(Debug, Clone, Default)]
pub(crate) struct NamedView {
    pub(crate) by: Vec<String>,
    /// Whether none does, though other resources of the service are named.
    pub(crate) by_none: bool,
}

/// What becomes of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyState {
    Narrowed,
    Unchanged,
    Removed,
    /// A new role's own.
    New,
    /// The shared role's, which a new role does not have.
    Left,
}

impl PolicyState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Narrowed => "narrowed",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
            Self::New => "new",
            Self::Left => "left",
        }
    }
}

/// One policy as it would be.
pub(crate) struct PolicyView {
    pub(crate) name: String,
    pub(crate) state: PolicyState,
    /// Why it may not be changed.
    pub(crate) note: Option<String>,
    pub(crate) statements: Vec<StatementView>,
}

/// One statement as it would be.
pub(crate) struct StatementView {
    /// From 1, as people count.
    pub(crate) number: usize,
    /// The statement alone, as a document.
    pub(crate) document: PolicyDocument,
    pub(crate) denies: bool,
    pub(crate) understood: bool,
    /// Places in the list of needs.
    pub(crate) needs: Vec<usize>,
    /// What stands for more than was seen, and why.
    pub(crate) folds: Vec<Fold>,
    /// Conditions that could be added.
    pub(crate) suggestions: Vec<Suggestion>,
}

/// Actions that go, with the one reason for all of them.
pub(crate) struct DroppedView {
    /// Whether the logs would have shown a call.
    pub(crate) could_be_seen: bool,
    pub(crate) service: String,
    pub(crate) why: String,
    pub(crate) actions: Vec<String>,
}

/// What becomes of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    /// Kept by fewer statements or on fewer resources.
    Narrowed,
    Dropped,
    NotGranted,
    /// Granted, and denied by the role's own policies.
    Denied,
}

impl Fate {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Narrowed => "narrowed",
            Self::Dropped => "dropped",
            Self::NotGranted => "not-granted",
            Self::Denied => "denied",
        }
    }
}

/// A statement that grants an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GrantView {
    pub(crate) policy: String,
    pub(crate) statement: usize,
    pub(crate) resources: Vec<String>,
    pub(crate) conditional: bool,
}

/// What a layer above the role says of an action.
pub(crate) struct LimitView {
    pub(crate) name: String,
    pub(crate) says: &'static str,
}

/// One action of the role.
pub(crate) struct ActionView {
    pub(crate) action: String,
    /// Whether AWS publishes an action of this name.
    pub(crate) in_catalog: bool,
    /// One whose name is near, where it does not.
    pub(crate) near: Option<String>,
    pub(crate) fate: Fate,
    pub(crate) why: String,
    pub(crate) now: Vec<GrantView>,
    pub(crate) after: Vec<GrantView>,
    pub(crate) needs: Vec<usize>,
    pub(crate) denied_calls: u64,
    /// Why the logs could not have shown it.
    pub(crate) unseen: Option<String>,
    pub(crate) limits: Vec<LimitView>,
}
