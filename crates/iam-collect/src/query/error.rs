//! Why there is no result, with what to do about it and what is billed all the same.

use std::time::Duration;

use crate::error::CollectError;

/// Letters of AWS's own words that are shown.
const SHOWN: usize = 1000;

/// Why a query gives no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No credentials, no region, no way there.
    #[error(transparent)]
    Unreachable(CollectError),
    /// It would scan more than it may.
    #[error("the query was not started: it would scan {bytes} bytes, and the budget is {budget}")]
    TooMuch {
        /// The estimate.
        bytes: u64,
        /// The budget.
        budget: u64,
    },
    /// There is a budget, and nothing to hold against it.
    #[error("the query was not started: there is a budget, and what it would scan is unknown: {why}")]
    Unestimated {
        /// Why it is unknown.
        why: String,
    },
    /// The user wants it to stop, before it started.
    #[error("interrupted: the query was not started")]
    Interrupted,
    /// AWS did not start it.
    #[error("{engine} did not start the query: {reason}")]
    NotStarted {
        /// The engine.
        engine: &'static str,
        /// What AWS, or the way there, says.
        reason: String,
        /// Whether it may run all the same.
        maybe: bool,
    },
    /// It ended without a result.
    #[error("the query {id} failed: {reason}")]
    Failed {
        /// The engine.
        engine: &'static str,
        /// The query's id.
        id: String,
        /// In AWS's words.
        reason: String,
        /// What to do about it.
        advice: Advice,
        /// Bytes scanned.
        scanned: Option<u64>,
    },
    /// Somebody else, or a limit of AWS's, cancelled it.
    #[error("the query {id} was cancelled, and not by this program: {reason}")]
    CancelledElsewhere {
        /// The engine.
        engine: &'static str,
        /// The query's id.
        id: String,
        /// In AWS's words.
        reason: String,
        /// What to do about it.
        advice: Advice,
        /// Bytes scanned.
        scanned: Option<u64>,
    },
    /// It could not go on, and was cancelled.
    #[error("{why}: the query {id} {}", cancelled(failed.as_deref()))]
    Cancelled {
        /// The engine.
        engine: &'static str,
        /// The query's id.
        id: String,
        /// Why it could not go on.
        why: Ended,
        /// Bytes scanned until then, which are billed.
        scanned: Option<u64>,
        /// Why it could not be cancelled.
        failed: Option<String>,
    },
    /// Its rows are not whole, or others than were asked for.
    #[error("the result of the query {id} cannot be used: page {page}: {reason}")]
    Result {
        /// The engine.
        engine: &'static str,
        /// The query's id.
        id: String,
        /// The page, from one.
        page: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a query may not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The user wants it to stop.
    #[error("interrupted")]
    Interrupted,
    /// It takes too long.
    #[error("the query did not end within {} minutes", .0.as_secs().div_ceil(60))]
    Late(Duration),
    /// It scanned more than it may.
    #[error("more was scanned than the budget of {0} bytes")]
    Budget(u64),
    /// Nothing is known of it any more.
    #[error("the query can no longer be watched: {0}")]
    Unwatched(String),
}

/// What to do where AWS ended a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Ask for less.
    FewerDays,
    /// Make the table.
    Table,
    /// Allow what is missing.
    Policy,
    /// Raise a limit.
    Limit,
    /// Give a place for results.
    Output,
    /// It may be otherwise next time.
    Again,
    /// Look at the query.
    Look,
}

fn cancelled(failed: Option<&str>) -> String {
    match failed {
        None => "was cancelled".to_owned(),
        Some(why) => format!("COULD NOT BE CANCELLED and may still run: {why}"),
    }
}

/// A text of AWS's, in one line and not longer than anyone reads.
pub(super) fn bounded(text: &str) -> String {
    let line: String = text.chars().take(SHOWN + 1).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() > SHOWN { line.chars().take(SHOWN).chain("…".chars()).collect() } else { line }
}

/// What AWS's words ask for.
pub(super) fn advice(reason: &str) -> Advice {
    const TOLD: [(&[&str], Advice); 6] = [
        (&["bytes scanned limit", "data usage control", "cutoff"], Advice::Limit),
        (&["output location", "outputlocation", "output bucket"], Advice::Output),
        (
            &["access denied", "accessdenied", "not authorized", "insufficient permissions", "permission"],
            Advice::Policy,
        ),
        (
            &["exhausted resources", "timeout", "timed out", "longer than aws allows", "too large", "slow down"],
            Advice::FewerDays,
        ),
        (
            &[
                "table_not_found",
                "does not exist",
                "not found",
                "column_not_found",
                "cannot be resolved",
                "type_mismatch",
            ],
            Advice::Table,
        ),
        (&["category system", "may succeed when run again", "internal"], Advice::Again),
    ];
    let reason = reason.to_ascii_lowercase();
    let found = TOLD.iter().find(|(words, _)| words.iter().any(|word| reason.contains(word)));
    found.map_or(Advice::Look, |(_, advice)| *advice)
}

impl QueryError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable(error) => return error.hint(),
            Self::Interrupted => return None,
            Self::TooMuch { .. } => {
                "ask for fewer days (--since, --until) and merge the parts, or raise --budget".into()
            }
            Self::Unestimated { .. } => {
                "leave --budget out, or give --unestimated: the query then starts, and is cancelled once AWS reports that \
                 more was scanned"
                    .into()
            }
            Self::NotStarted { engine, maybe: true, .. } => format!(
                "it may run all the same: `{}` lists what does",
                if *engine == "Athena" { "aws athena list-query-executions" } else { "aws cloudtrail list-queries" }
            ),
            Self::NotStarted { engine, reason, .. } => match advice(reason) {
                Advice::Look => "check the names, and that the credentials allow it: --print-policy prints what is needed".into(),
                other => other.words(engine),
            },
            Self::Failed { engine, advice, .. } | Self::CancelledElsewhere { engine, advice, .. } => advice.words(engine),
            Self::Cancelled { engine, id, failed: Some(_), .. } => format!(
                "cancel it: `{} {id}`",
                if *engine == "Athena" {
                    "aws athena stop-query-execution --query-execution-id"
                } else {
                    "aws cloudtrail cancel-query --query-id"
                }
            ),
            Self::Cancelled { why: Ended::Budget(_), .. } => {
                "ask for fewer days (--since, --until) and merge the parts, or raise --budget".into()
            }
            Self::Cancelled { why: Ended::Late(_), .. } => {
                "ask for fewer days (--since, --until) and merge the parts, or raise --timeout".into()
            }
            Self::Cancelled { .. } => "run it again".into(),
            Self::Result { engine, id, .. } if *engine == "Athena" => format!(
                "nothing of it was used; run it again, or fetch the result file that `aws athena get-query-execution \
                 --query-execution-id {id}` names, and read that"
            ),
            Self::Result { .. } => "nothing of it was used; run it again".into(),
        })
    }

    /// Bytes that are billed although there is no result.
    #[must_use]
    pub const fn billed(&self) -> Option<u64> {
        match self {
            Self::Cancelled { scanned, .. } | Self::CancelledElsewhere { scanned, .. } => *scanned,
            _ => None,
        }
    }
}

impl Advice {
    fn words(self, engine: &str) -> String {
        let lake = engine != "Athena";
        match self {
            Self::FewerDays => {
                "ask for fewer days (--since, --until), and put the parts together: `paring usage merge`".into()
            }
            Self::Table if lake => "check that --event-data-store names a store of this account and region".into(),
            Self::Table => {
                "the table must be as `paring usage sql --dialect athena --ddl` makes it; check --database and --table"
                    .into()
            }
            Self::Policy => "allow what `paring usage --engine … --print-policy` prints".into(),
            Self::Limit => "ask for fewer days, or have the workgroup's limit raised".into(),
            Self::Output => "give a place for the results: --output s3://BUCKET/PREFIX".into(),
            Self::Again => "this was AWS's doing: run it again".into(),
            Self::Look if lake => "`aws cloudtrail describe-query` tells more of it".into(),
            Self::Look => "`aws athena get-query-execution` tells more of it".into(),
        }
    }
}
