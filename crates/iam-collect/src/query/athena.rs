//! Athena's calls: start under one token, look, page, stop.

use aws_config::SdkConfig;
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, ResultSet, Row,
};

use super::client::{Look, PAGE, Page, State, count};
use crate::connect::chance;
use crate::live::answer::Failure;

/// A client for one query.
#[derive(Clone)]
pub(super) struct Athena {
    client: aws_sdk_athena::Client,
    database: String,
    workgroup: String,
    output: Option<String>,
    statement: String,
    /// Under one token AWS starts one query, however often it is asked to. Another run has another: the answer to an
    /// older one would tell of older logs.
    token: String,
}

impl Athena {
    pub(super) fn new(
        config: &SdkConfig,
        database: String,
        workgroup: String,
        output: Option<String>,
        statement: String,
    ) -> Self {
        let token = format!("paring-{:016x}-{:016x}", chance(), chance());
        let client = aws_sdk_athena::Client::new(config);
        Self { client, database, workgroup, output, statement, token }
    }

    pub(super) async fn start(&self) -> Result<String, Failure> {
        let mut request = self
            .client
            .start_query_execution()
            .query_string(&self.statement)
            .client_request_token(&self.token)
            .query_execution_context(QueryExecutionContext::builder().database(&self.database).build())
            .work_group(&self.workgroup);
        if let Some(output) = &self.output {
            request = request.result_configuration(ResultConfiguration::builder().output_location(output).build());
        }
        let started = request.send().await.map_err(|error| Failure::of(&error))?;
        started.query_execution_id.ok_or_else(|| Failure::unusable("it names no query"))
    }

    pub(super) async fn look(&self, id: &str) -> Result<Look, Failure> {
        let request = self.client.get_query_execution().query_execution_id(id);
        let answer = request.send().await.map_err(|error| Failure::of(&error))?;
        let execution = answer.query_execution.ok_or_else(|| Failure::unusable("it tells of no query"))?;
        let scanned = execution.statistics().and_then(|statistics| count(statistics.data_scanned_in_bytes()));
        Ok(Look { state: state(&execution)?, scanned })
    }

    pub(super) async fn page(&self, id: &str, mark: Option<String>, columns: &[&'static str]) -> Result<Page, Failure> {
        let first = mark.is_none();
        let request = self.client.get_query_results().query_execution_id(id).max_results(PAGE).set_next_token(mark);
        let answer = request.send().await.map_err(|error| Failure::of(&error))?;
        let mark = answer.next_token.filter(|mark| !mark.is_empty());
        let set = answer.result_set.ok_or_else(|| Failure::unusable("it holds no result"))?;
        Ok(Page { rows: rows(set, first, columns)?, mark, total: None })
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<(), Failure> {
        let request = self.client.stop_query_execution().query_execution_id(id);
        request.send().await.map(|_| ()).map_err(|error| Failure::of(&error))
    }
}

fn state(execution: &QueryExecution) -> Result<State, Failure> {
    let status = execution.status().ok_or_else(|| Failure::unusable("it tells no state"))?;
    Ok(match status.state() {
        Some(QueryExecutionState::Queued) => State::Queued,
        Some(QueryExecutionState::Running) => State::Running,
        Some(QueryExecutionState::Succeeded) => State::Done,
        Some(QueryExecutionState::Failed) => State::Failed(reason(execution)),
        Some(QueryExecutionState::Cancelled) => State::Cancelled(reason(execution)),
        other => return Err(Failure::unusable(format!("its state is {other:?}"))),
    })
}

/// Why it ended, as AWS states it: the reason, and of the error what the reason does not say already.
fn reason(execution: &QueryExecution) -> String {
    let status = execution.status();
    let mut words: Vec<String> = Vec::new();
    words.extend(status.and_then(|status| status.state_change_reason()).map(ToOwned::to_owned));
    if let Some(error) = status.and_then(|status| status.athena_error()) {
        let text = error.error_message().unwrap_or_default();
        if !text.is_empty() && !words.iter().any(|word| word.contains(text)) {
            words.push(text.to_owned());
        }
        let category = match error.error_category() {
            Some(1) => "system",
            Some(2) => "user",
            Some(3) => "other",
            _ => "unknown",
        };
        let kind = error.error_type().map_or_else(|| "unknown".to_owned(), |kind| kind.to_string());
        let again = if error.retryable() { ", may succeed when run again" } else { "" };
        words.push(format!("(Athena error of category {category}, type {kind}{again})"));
    }
    if words.is_empty() { "AWS gives no reason".to_owned() } else { words.join(" ") }
}

/// The rows of a page. The first row of the first page repeats the columns' names.
fn rows(set: ResultSet, first: bool, columns: &[&'static str]) -> Result<Vec<Vec<Option<String>>>, Failure> {
    match set.result_set_metadata() {
        Some(metadata) => same(metadata.column_info().iter().map(|column| column.name()), columns)?,
        None if first => return Err(Failure::unusable("it does not name its columns")),
        None => {}
    }
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    for (at, row) in set.rows.unwrap_or_default().into_iter().enumerate() {
        let cells = cells(row);
        let names = || cells.iter().map(Option::as_deref).eq(columns.iter().map(|column| Some(*column)));
        if first && at == 0 && names() {
            continue;
        }
        if cells.len() != columns.len() {
            let what = format!("a row has {} cells, and there are {} columns", cells.len(), columns.len());
            return Err(Failure::unusable(what));
        }
        rows.push(cells);
    }
    Ok(rows)
}

fn cells(row: Row) -> Vec<Option<String>> {
    row.data.unwrap_or_default().into_iter().map(|cell| cell.var_char_value).collect()
}

fn same<'n>(names: impl Iterator<Item = &'n str>, columns: &[&'static str]) -> Result<(), Failure> {
    let names: Vec<&str> = names.collect();
    if names == columns {
        return Ok(());
    }
    let differs = names.iter().zip(columns).find(|(name, column)| name != column);
    Err(Failure::unusable(match differs {
        Some((name, column)) => format!("it has a column `{name}` in the place of `{column}`"),
        None => format!("it has {} columns and not {}", names.len(), columns.len()),
    }))
}
