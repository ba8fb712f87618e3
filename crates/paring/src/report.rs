//! What a run found, as one value that the renderers read: `paring-report/1`.
//!
//! Gathers and renders; decides nothing.

mod audit;
mod diff;
pub(crate) mod difference;
pub(crate) mod explain;
mod findings;
pub(crate) mod graph;
mod json;
pub(crate) mod objections;
pub(crate) mod paths;
pub(crate) mod policies;
pub(crate) mod sarif;
mod text;
pub(crate) mod usage;
pub(crate) mod verdict;

pub(crate) use audit::render as render_findings_text;
pub(crate) use findings::render_json as render_findings_json;
pub(crate) use json::render as render_json;
pub(crate) use text::counted;
pub(crate) use text::render as render_text;

use iam_model::condition::Condition;
use iam_model::finding::Finding;
use iam_model::json::Value;
use iam_model::policy::{PolicyDocument, Statement, document_value};
use iam_model::usage::{AccountDays, SkipReason};
use iam_synthesize::NeedRule;

/// The schema name of report.json.
pub(crate) const SCHEMA: &str = "paring-report/1";

/// Everything a run has to say.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) summary: Summary,
    pub(crate) evidence: EvidenceView,
    pub(crate) roles: Vec<RoleView>,
    /// Shared roles taken apart, where that was asked for.
    pub(crate) splits: Vec<SplitView>,
    /// Trust policies and functions' permissions, where that was asked for.
    pub(crate) documents: Vec<DocumentView>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) patches: Vec<PatchView>,
    pub(crate) not_checked: Vec<String>,
}

/// The first line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Summary {
    /// Roles with evidence, whose policies were judged.
    pub(crate) roles: usize,
    /// Roles that take the place of shared ones among them.
    pub(crate) new_roles: usize,
    /// Catalogue actions the judged roles may do now, each counted once.
    pub(crate) granted_actions: usize,
    /// Those they, or the roles in their place, may do after the changes.
    pub(crate) granted_actions_after: usize,
    /// Actions they need beside what Lambda itself needs, each counted once.
    pub(crate) needed_actions: usize,
    /// Authorised calls in the logs of the judged roles.
    pub(crate) observed_calls: u64,
    /// Of them, calls that the proposals are not proved to keep.
    pub(crate) denied_calls: u64,
    /// Of these, calls of which nobody knows.
    pub(crate) undecided_calls: u64,
    /// Observed calls that nothing in the snapshot allows, and that a replay therefore says nothing about.
    pub(crate) unexplained_calls: u64,
    /// Policies changed in source files.
    pub(crate) patches: usize,
}

/// What the judgement rests on.
#[derive(Debug, Clone)]
pub(crate) struct EvidenceView {
    pub(crate) files: u64,
    pub(crate) records: u64,
    pub(crate) skipped: Vec<(SkipReason, u64)>,
    pub(crate) unresolved: Vec<(String, u64)>,
    /// What could not be read, in words.
    pub(crate) unread: Option<String>,
    pub(crate) unread_files: u64,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    pub(crate) days: u64,
    /// What the logs of each account of a judged role span, the shortest first; nothing where none were read.
    pub(crate) accounts: Vec<(String, Option<AccountDays>)>,
    pub(crate) catalog_date: String,
    pub(crate) catalog_actions: usize,
}

/// One role.
#[derive(Debug, Clone)]
pub(crate) struct RoleView {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) functions: Vec<String>,
    pub(crate) judgement: JudgementView,
    pub(crate) granted: GrantedView,
    /// The same after the changes; nothing where there are none.
    pub(crate) after: Option<GrantedView>,
    pub(crate) needs: Vec<NeedView>,
    pub(crate) claims: Vec<ClaimView>,
    /// The proof of adds-nothing, printed.
    pub(crate) certificate: Option<String>,
    pub(crate) changes: Vec<ChangeView>,
    pub(crate) blind_spots: Vec<BlindSpotView>,
    /// Resources that the functions are configured with.
    pub(crate) configured: Vec<ConfiguredView>,
    /// Conditions that a person may add to the policies as proposed.
    pub(crate) suggestions: Vec<SuggestionView>,
    pub(crate) left_alone: Vec<String>,
    /// The role's own part of the patches, for people.
    pub(crate) diff: String,
    /// Changes that could not be written into the sources, and why.
    pub(crate) refused: Vec<RefusedView>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JudgementView {
    Narrowed,
    Unchanged,
    Refused(String),
}

impl JudgementView {
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Narrowed => "narrowed",
            Self::Unchanged => "unchanged",
            Self::Refused(_) => "refused",
        }
    }
}

/// What a role may do.
#[derive(Debug, Clone, Default)]
pub(crate) struct GrantedView {
    pub(crate) actions: usize,
    pub(crate) services: usize,
    /// How many of them on every resource.
    pub(crate) on_everything: usize,
    pub(crate) admin: bool,
    /// Escalation paths that start here.
    pub(crate) paths: usize,
}

/// A permission that stays.
#[derive(Debug, Clone)]
pub(crate) struct NeedView {
    pub(crate) action: String,
    pub(crate) resources: Vec<String>,
    pub(crate) grade: &'static str,
    pub(crate) rule: NeedRule,
    pub(crate) because: String,
    pub(crate) event_ids: Vec<String>,
    pub(crate) functions: Vec<String>,
}

/// A shared role taken apart.
#[derive(Debug, Clone)]
pub(crate) struct SplitView {
    pub(crate) role: String,
    pub(crate) name: String,
    /// Why it is not taken apart.
    pub(crate) refused: Option<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) parts: Vec<PartView>,
}

/// The new role of one function.
#[derive(Debug, Clone)]
pub(crate) struct PartView {
    pub(crate) function: String,
    pub(crate) role: String,
    pub(crate) needs: Vec<NeedView>,
    /// Actions that are cut and could not have been seen.
    pub(crate) blind_spots: Vec<BlindSpotView>,
    pub(crate) managed: Vec<String>,
    pub(crate) boundary: Option<String>,
    pub(crate) trust: PolicyDocument,
    pub(crate) policies: Vec<(String, PolicyDocument)>,
    /// Managed policies that would be made, for what does not fit into the role itself.
    pub(crate) new_managed: Vec<(String, PolicyDocument)>,
    pub(crate) claims: Vec<ClaimView>,
}

/// A trust policy or a function's permissions.
#[derive(Debug, Clone)]
pub(crate) struct DocumentView {
    /// The role or function.
    pub(crate) subject: String,
    pub(crate) name: String,
    /// The kind of attachment, as changes call it.
    pub(crate) kind: &'static str,
    /// The same, for people.
    pub(crate) what: &'static str,
    /// Nothing where the policy stays as it is.
    pub(crate) change: Option<ChangeView>,
    pub(crate) claims: Vec<ClaimView>,
    /// What stays wide, and why.
    pub(crate) left_alone: Vec<String>,
    /// Its own part of the patches, for people.
    pub(crate) diff: String,
}

/// A claim about a role's changes.
#[derive(Debug, Clone)]
pub(crate) struct ClaimView {
    pub(crate) claim: &'static str,
    pub(crate) outcome: OutcomeView,
    pub(crate) detail: String,
}

/// How a claim came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutcomeView {
    Proved,
    Refuted,
    Undecided,
}

impl OutcomeView {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Refuted => "refuted",
            Self::Undecided => "undecided",
        }
    }
}

/// One policy before and after.
#[derive(Debug, Clone)]
pub(crate) struct ChangeView {
    pub(crate) policy: String,
    pub(crate) before: Option<PolicyDocument>,
    pub(crate) after: Option<PolicyDocument>,
    pub(crate) reasons: Vec<(Option<usize>, String, Vec<String>)>,
}

/// What was cut although the logs could not have shown its use.
#[derive(Debug, Clone)]
pub(crate) struct BlindSpotView {
    pub(crate) service: String,
    pub(crate) why: String,
    pub(crate) actions: Vec<String>,
}

/// A resource that an environment variable of a function names.
#[derive(Debug, Clone)]
pub(crate) struct ConfiguredView {
    pub(crate) function: String,
    pub(crate) variable: String,
    pub(crate) resource: String,
    /// Authorised calls on it.
    pub(crate) calls: u64,
    /// What is known of its use, in words.
    pub(crate) says: String,
    /// Actions on it that go, and of which the logs could not have shown a call.
    pub(crate) hidden: Vec<String>,
}

/// A condition that could be added to a statement.
#[derive(Debug, Clone)]
pub(crate) struct SuggestionView {
    pub(crate) policy: String,
    /// The statement's place in the policy as proposed, from 0.
    pub(crate) statement: usize,
    pub(crate) condition: Value,
    pub(crate) because: String,
}

/// A changed file.
#[derive(Debug, Clone)]
pub(crate) struct PatchView {
    pub(crate) file: String,
    /// `safe` or `needs-review`.
    pub(crate) disposition: &'static str,
    pub(crate) reasons: Vec<String>,
    pub(crate) policies: usize,
    /// Shared roles that it takes apart.
    pub(crate) splits: usize,
    pub(crate) diff: String,
}

/// A change that could not be written into the sources.
#[derive(Debug, Clone)]
pub(crate) struct RefusedView {
    pub(crate) policy: String,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Where in the sources, as `file:line:column`.
    pub(crate) place: Option<String>,
    pub(crate) hint: Option<String>,
}

/// Conditions alone, as a statement has them.
pub(crate) fn conditions_value(conditions: &[Condition]) -> Value {
    let mut statement = Statement::allow(Vec::new(), Vec::new());
    statement.conditions = conditions.to_vec();
    let document = document_value(&PolicyDocument::new(vec![statement]));
    let statement = document.get("Statement").and_then(|all| all.items().first());
    statement.and_then(|statement| statement.get("Condition")).cloned().unwrap_or(Value::Null)
}
