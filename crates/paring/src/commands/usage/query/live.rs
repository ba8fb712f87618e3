//! The run itself: what is said before, on the way and after, and when the rows count.

use std::fmt::Write as _;
use std::time::Duration;

use iam_collect::query::{self, Answer, Engine, Order, Preview, QueryError, Scan, Seen, WorkGroup};
use iam_collect::{access_analyzer, trail_logs};
use iam_model::catalog::Catalog;
use iam_model::diagnostic::Diagnostic;
use iam_model::usage::UsageLog;
use iam_usage::{COLUMNS, Dialect, LogSource, Options, Period, is_row, statement};
use indicatif::ProgressBar;

use super::money::{Cost, grouped, size};
use super::{days, of, table};
use crate::cli::{QueryEngine, Usage};
use crate::commands::Outcome;
use crate::digest::sha256;
use crate::error::CliError;
use crate::logs;
use crate::terminal::Terminal;

/// A statement and the days that it reads.
struct Asked {
    text: String,
    period: Period,
    of: String,
}

/// What an engine is asked, from the arguments.
fn asked(engine: QueryEngine, arguments: &Usage) -> Result<Asked, CliError> {
    let (period, of) = (days(arguments)?, of(engine, &arguments.query));
    let text = match engine {
        // A name with a `-` is none in SQL, unless it is quoted.
        QueryEngine::Athena if of.contains('-') => statement(Dialect::Athena, &format!("\"{of}\""), period),
        QueryEngine::Athena => statement(Dialect::Athena, &of, period),
        QueryEngine::CloudtrailLake => statement(Dialect::CloudTrailLake, &of, period),
    };
    Ok(Asked { text, period, of })
}

fn order(engine: QueryEngine, arguments: &Usage, asked: &Asked) -> Order {
    let query = &arguments.query;
    let named = |name: &Option<String>| name.clone().unwrap_or_default();
    let engine = match (engine, &query.event_data_store) {
        (QueryEngine::CloudtrailLake, Some(store)) => Engine::Lake { store: store.clone() },
        _ => Engine::Athena {
            database: named(&query.database),
            table: table(query),
            workgroup: named(&query.workgroup),
            output: query.output.clone(),
            logs: query.location.clone(),
        },
    };
    Order {
        options: access_analyzer::Options {
            profile: query.profile.clone(),
            regions: query.region.iter().cloned().collect(),
        },
        engine,
        statement: asked.text.clone(),
        columns: &COLUMNS,
        accepts: |row| is_row(row),
        days: trail_logs::Days {
            first: arguments.window.since.map(|time| time.day()),
            last: arguments.window.until.map(|time| time.day()),
        },
        budget: query.budget,
        unestimated: query.unestimated,
        timeout: Duration::from_secs(query.timeout.saturating_mul(60)),
    }
}

/// Prints what the query would scan and cost, and runs nothing. A budget that would stop it is an error here, too.
pub(in super::super) fn dry_run(
    engine: QueryEngine,
    arguments: &Usage,
    terminal: &mut Terminal,
) -> Result<Outcome, CliError> {
    let asked = asked(engine, arguments)?;
    let order = order(engine, arguments, &asked);
    let cost = Cost::new(engine, &arguments.query);
    let preview = query::preview(&order).map_err(|error| refused(&error, &cost))?;
    terminal.data(&told_before(&order, &asked, &preview, &cost))?;
    if let Some(budget) = order.budget {
        preview.within(budget, order.unestimated).map_err(|error| refused(&error, &cost))?;
    }
    Ok(Outcome::Clean)
}

fn told_before(order: &Order, asked: &Asked, preview: &Preview, cost: &Cost) -> String {
    let hash = sha256(asked.text.as_bytes(), 8);
    let mut out = String::new();
    let mut line = |head: &str, text: String| {
        let _ = writeln!(out, "{head:<12}{text}");
    };
    let (since, until) = (asked.period.since.date(), asked.period.until.date());
    let bytes = grouped(u64::try_from(asked.text.len()).unwrap_or(u64::MAX));
    line("engine", format!("{}, `{}`, days {since} to {until}", order.engine.name(), asked.of));
    line("statement", format!("{bytes} bytes, sha256 {hash}…"));
    match &preview.scan {
        Scan::Known { bytes, objects, below } => {
            let objects = grouped(*objects);
            line("would scan", format!("{}: {objects} objects below {below}", size(*bytes)));
            line("would cost", cost.of(*bytes));
        }
        Scan::Unknown { why } => {
            line("would scan", format!("unknown: {why}"));
            line("would cost", format!("unknown: {} of what is scanned ({})", cost.price, cost.whose));
        }
    }
    match (&preview.workgroup, &order.engine) {
        (Some(Ok(group)), Engine::Athena { workgroup, output, .. }) => {
            line("workgroup", format!("`{workgroup}`: {}", limits(group, output.is_some())));
        }
        (Some(Err(why)), _) => line("workgroup", format!("its limits are unknown: {why}")),
        _ => line("limit", "CloudTrail Lake has none for a query".into()),
    }
    if let Some(budget) = order.budget {
        line("budget", size(budget));
    }
    line("", "nothing was run".into());
    out
}

fn limits(group: &WorkGroup, output: bool) -> String {
    let mut parts = Vec::new();
    if !group.enabled {
        parts.push("it is DISABLED and takes no query".to_owned());
    }
    parts.push(match group.cutoff {
        Some(bytes) => format!("AWS cancels a query that scans more than {}", size(bytes)),
        None => "no limit of bytes for a query".to_owned(),
    });
    parts.push(match (&group.output, group.managed) {
        (_, true) => "AWS keeps the results".to_owned(),
        (Some(place), _) => format!("results go to {place}"),
        (None, _) if output => "it names no place for results".to_owned(),
        (None, _) => "it names no place for results: give --output".to_owned(),
    });
    parts.push(match (group.enforced, output) {
        (true, true) if group.output.is_some() || group.managed => "its settings hold: --output is ignored".to_owned(),
        (true, _) => "its settings hold".to_owned(),
        (false, _) => "a query's own settings hold against it".to_owned(),
    });
    parts.join("; ")
}

/// Runs the query and reads its rows. Without all of them there is no usage log.
pub(in super::super) fn read(
    engine: QueryEngine,
    arguments: &Usage,
    (catalog, options): (&Catalog, &Options),
    terminal: &mut Terminal,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<UsageLog, CliError> {
    let asked = asked(engine, arguments)?;
    let order = order(engine, arguments, &asked);
    let cost = Cost::new(engine, &arguments.query);
    let spinner = if terminal.shows_progress() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let answer = query::run(&order, &mut |seen| told(seen, &order, &cost, (&spinner, &mut *terminal)));
    spinner.finish_and_clear();
    let answer = answer.map_err(|error| refused(&error, &cost))?;
    let usage = read_rows(&answer, (catalog, options), diagnostics);
    let rows = answer.outcome().map_err(|error| refused(&error, &cost))?;
    let scanned = match answer.scanned() {
        Some(bytes) => format!("{} scanned · {}", size(bytes), cost.of(bytes)),
        None => "AWS does not say what was scanned".to_owned(),
    };
    terminal.note(&format!("query {} · {} rows · {scanned}", answer.id(), grouped(rows)));
    if usage.window.is_none() {
        terminal.diagnostics(diagnostics);
        return Err(none(&order, &asked, rows, usage.records));
    }
    Ok(usage)
}

fn read_rows(answer: &Answer, (catalog, options): (&Catalog, &Options), diagnostics: &mut Vec<Diagnostic>) -> UsageLog {
    let rows = answer.clone();
    let name = format!("query-{}.csv", answer.id());
    let source = LogSource::new(&name, None, move || Ok(Box::new(rows.rows()?)));
    // The statement chose the days; rows of a day stand for records of its folders, wherever within it they lie.
    let options = Options { since: None, until: None, ..options.clone() };
    logs::read_stream(source, catalog, &options, diagnostics)
}

fn none(order: &Order, asked: &Asked, rows: u64, records: u64) -> CliError {
    if records > 0 {
        return CliError::user(format!("none of the {records} records counted is of the roles and accounts asked for"))
            .hint("without --role and --account, the roles that were seen are listed");
    }
    let message = format!("no record of these days is in `{}` ({} rows, {})", asked.of, rows, order.engine.name());
    CliError::user(message)
        .hint("check --since and --until, and the accounts, Regions and first day that the table names")
}

/// Says how the run goes, where someone watches.
fn told(seen: &Seen<'_>, order: &Order, cost: &Cost, (spinner, terminal): (&ProgressBar, &mut Terminal)) {
    match seen {
        Seen::Estimated(Scan::Known { bytes, objects, .. }) => {
            let (objects, cost) = (grouped(*objects), cost.of(*bytes));
            terminal.note(&format!("would scan {}: {objects} objects · {cost}", size(*bytes)));
        }
        Seen::Estimated(Scan::Unknown { why }) => {
            terminal.note(&format!("would scan an unknown number of bytes: {why}"));
        }
        Seen::Started(id) => terminal.note(&format!("query {id} is started by {}", order.engine.name())),
        Seen::Queued => spinner.set_message("the query waits for its turn"),
        Seen::Running(None) => spinner.set_message("the query runs"),
        Seen::Running(Some(bytes)) => spinner.set_message(format!("the query runs, {} scanned", size(*bytes))),
    }
    spinner.tick();
}

/// Why there is no result, and what is billed all the same.
fn refused(error: &QueryError, cost: &Cost) -> CliError {
    let mut result = CliError::user(error.to_string());
    if let QueryError::Cancelled { scanned: None, .. } | QueryError::CancelledElsewhere { scanned: None, .. } = error {
        result = result.hint("what was scanned until then is billed; AWS did not say how much");
    }
    if let Some(bytes) = error.billed() {
        result = result.hint(format!("what was scanned until then is billed: {}, {}", size(bytes), cost.of(bytes)));
    }
    if let QueryError::Failed { engine: "Athena", .. } = error {
        result = result.hint("AWS does not bill queries that failed");
    }
    match error.hint() {
        Some(hint) => result.hint(hint),
        None => result,
    }
}
