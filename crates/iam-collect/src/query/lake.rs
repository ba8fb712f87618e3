//! CloudTrail Lake's calls: start at most once, look, page, cancel.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_cloudtrail::types::QueryStatus;

use super::client::{Look, PAGE, Page, State, count};
use crate::live::answer::Failure;

/// A client for one query.
#[derive(Clone)]
pub(super) struct Lake {
    client: aws_sdk_cloudtrail::Client,
    statement: String,
}

impl Lake {
    pub(super) fn new(config: &SdkConfig, statement: String) -> Self {
        Self { client: aws_sdk_cloudtrail::Client::new(config), statement }
    }

    /// Lake takes no token, and each start is a query of its own: only what was refused outright is asked again.
    pub(super) async fn start(&self) -> Result<String, Failure> {
        let once = aws_sdk_cloudtrail::config::Config::builder().retry_config(RetryConfig::disabled());
        let request = self.client.start_query().query_statement(&self.statement).customize().config_override(once);
        let started = request.send().await.map_err(|error| {
            let failure = Failure::of(&error);
            let refused = failure.code == "ThrottlingException" || failure.code == "MaxConcurrentQueriesException";
            Failure { passing: refused, ..failure }
        })?;
        started.query_id.ok_or_else(|| Failure::unusable("it names no query"))
    }

    pub(super) async fn look(&self, id: &str) -> Result<Look, Failure> {
        let request = self.client.describe_query().query_id(id);
        let answer = request.send().await.map_err(|error| Failure::of(&error))?;
        let reason = || answer.error_message().unwrap_or("AWS gives no reason").to_owned();
        let scanned = answer.query_statistics().and_then(|statistics| count(statistics.bytes_scanned()));
        Ok(Look { state: state(answer.query_status(), reason)?, scanned })
    }

    pub(super) async fn page(&self, id: &str, mark: Option<String>, columns: &[&'static str]) -> Result<Page, Failure> {
        let request = self.client.get_query_results().query_id(id).max_query_results(PAGE).set_next_token(mark);
        let answer = request.send().await.map_err(|error| Failure::of(&error))?;
        if answer.query_status() != Some(&QueryStatus::Finished) {
            return Err(Failure::unusable(format!("the query is {:?}, not finished", answer.query_status())));
        }
        let total = answer.query_statistics().and_then(|statistics| count(statistics.total_results_count()));
        let rows = answer.query_result_rows.unwrap_or_default();
        let rows = rows.into_iter().map(|row| cells(row, columns)).collect::<Result<_, _>>()?;
        Ok(Page { rows, mark: answer.next_token.filter(|mark| !mark.is_empty()), total })
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<(), Failure> {
        let request = self.client.cancel_query().query_id(id);
        request.send().await.map(|_| ()).map_err(|error| Failure::of(&error))
    }
}

fn state(status: Option<&QueryStatus>, reason: impl Fn() -> String) -> Result<State, Failure> {
    Ok(match status {
        Some(QueryStatus::Queued) => State::Queued,
        Some(QueryStatus::Running) => State::Running,
        Some(QueryStatus::Finished) => State::Done,
        Some(QueryStatus::Failed) => State::Failed(reason()),
        Some(QueryStatus::TimedOut) => State::Failed(format!("it took longer than AWS allows: {}", reason())),
        Some(QueryStatus::Cancelled) => State::Cancelled(reason()),
        other => return Err(Failure::unusable(format!("its state is {other:?}"))),
    })
}

/// A row's cells in the order of the columns. Lake names the column of each cell, and leaves out NULL or writes `null`.
fn cells(
    row: Vec<impl IntoIterator<Item = (String, String)>>,
    columns: &[&'static str],
) -> Result<Vec<Option<String>>, Failure> {
    let mut cells: Vec<Option<String>> = vec![None; columns.len()];
    let mut filled = vec![false; columns.len()];
    for (name, value) in row.into_iter().flatten() {
        let at = columns.iter().position(|column| *column == name);
        let place = at.and_then(|at| Some((cells.get_mut(at)?, filled.get_mut(at)?)));
        let Some((cell, filled)) = place else {
            return Err(Failure::unusable(format!("a row has a column `{name}` that was not asked for")));
        };
        if std::mem::replace(filled, true) {
            return Err(Failure::unusable(format!("a row has the column `{name}` twice")));
        }
        *cell = Some(value).filter(|value| value != "null");
    }
    Ok(cells)
}
