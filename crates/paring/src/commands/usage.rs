//! `paring usage`: what each role did, from logs alone; of a role asked for by name, also what it was not seen to do.

mod merge;
mod query;
mod sql;

use std::collections::BTreeSet;

use iam_evaluate::effective::Published;
use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::diagnostic::Diagnostic;
use iam_model::placing::place_identities;
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::usage::UsageLog;
use iam_usage::{Evidence, Options};

use super::Outcome;
use crate::cli::{Format, Usage, UsageOther};
use crate::error::CliError;
use crate::pipeline::facts;
use crate::report::usage::Stands;
use crate::terminal::Terminal;
use crate::usage_state::{self, Job};
use crate::{input, last_accessed, logs, report};

/// Reads the logs and prints what was seen.
pub(crate) fn run(arguments: &Usage, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    match &arguments.other {
        Some(UsageOther::Merge(arguments)) => merge::run(arguments, terminal),
        Some(UsageOther::Sql(arguments)) => sql::run(arguments, terminal),
        None => of_logs(arguments, terminal),
    }
}

fn of_logs(arguments: &Usage, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    match arguments.query.engine {
        Some(engine) if arguments.query.print_policy => return query::print_policy(engine, arguments, terminal),
        Some(engine) if arguments.query.dry_run => return query::dry_run(engine, arguments, terminal),
        _ => {}
    }
    let catalog = crate::catalog::load(&arguments.catalog)?;
    let options = Options {
        since: arguments.window.since,
        until: arguments.window.until,
        roles: arguments.roles.iter().cloned().collect(),
        accounts: arguments.accounts.iter().cloned().collect(),
        threads: arguments.threads,
    };
    let mut diagnostics = Vec::new();
    let snapshot = arguments.snapshot.as_deref().map(input::read_snapshot).transpose()?;
    let snapshot = snapshot.map(|(snapshot, unread)| {
        diagnostics.extend(unread);
        snapshot
    });
    let usage = read_some(arguments, &catalog, &options, terminal, &mut diagnostics)?;
    let known = last_accessed::roles(snapshot.as_ref(), &usage);
    let bundle = arguments.snapshot.as_deref();
    let last_accessed = last_accessed::read(&arguments.last_accessed.files, bundle, &known, &mut diagnostics)?;
    terminal.diagnostics(&diagnostics);
    let coverage = match &snapshot {
        Some(snapshot) => facts::coverage(snapshot, (&usage, 0), &catalog),
        None => facts::plain_coverage(&usage, &catalog),
    };
    let asked = asked(&arguments.roles, &known)?;
    // What is printed stays as it was read; who made the calls is for the snapshot to say.
    let placed = snapshot.as_ref().map(|snapshot| {
        let mut placed = usage.clone();
        place_identities(&mut placed, snapshot);
        placed
    });
    let known = placed.as_ref().unwrap_or(&usage);
    let stands = stands(&asked, snapshot.as_ref(), &facts::evidence((known, 0), &coverage, &last_accessed, &catalog));
    match arguments.format {
        Format::Json => report::usage::json(&usage, &stands).try_for_each(|piece| terminal.data(&piece))?,
        Format::Text => terminal.data(&report::usage::table(&usage, &stands, arguments.by, terminal.paint()))?,
    }
    Ok(Outcome::Clean)
}

/// Reads what `paring usage` was asked for: what an engine counts, all of the logs, a share of them, or those that are new.
/// A share may hold nothing, and nothing may be new.
fn read_some(
    arguments: &Usage,
    catalog: &Catalog,
    options: &Options,
    terminal: &mut Terminal,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<UsageLog, CliError> {
    if let Some(engine) = arguments.query.engine {
        return query::read(engine, arguments, (catalog, options), terminal, diagnostics);
    }
    if arguments.shard.is_none() && arguments.state.is_none() {
        return logs::read(&arguments.logs, catalog, options, terminal, diagnostics);
    }
    if arguments.logs.iter().any(|path| input::is_standard_input(path)) {
        return Err(CliError::user("`-` has no name, by which --shard and --state tell files")
            .hint("read standard input without them, or give files"));
    }
    let logs::Found { mut files, mut unread } = logs::find(&arguments.logs, diagnostics)?;
    if let Some(shard) = arguments.shard {
        files.retain(|file| shard.holds(&file.relative));
        unread.retain(|name| shard.holds(name));
    }
    let mut usage = match &arguments.state {
        Some(path) => {
            let job = Job { catalog, options, checkpoint: arguments.checkpoint.saturating_mul(1 << 20) };
            let usage = usage_state::read_new(path, files, &job, terminal, diagnostics)?;
            logs::note_unresolved(&usage, diagnostics);
            usage
        }
        None => logs::read_whole(files, catalog, options, terminal, diagnostics),
    };
    usage.unread_files += unread.len() as u64;
    Ok(usage)
}

/// The roles asked for; a name nobody has is a mistake, not an empty answer.
fn asked(names: &[String], known: &[Arn]) -> Result<Vec<Arn>, CliError> {
    let mut roles = BTreeSet::new();
    for name in names {
        let before = roles.len();
        roles.extend(known.iter().filter(|role| role.as_str() == name || role.name() == name).cloned());
        if roles.len() == before && !roles.iter().any(|role| role.as_str() == name || role.name() == name) {
            return Err(CliError::user(format!("no record is of a role `{name}`"))
                .hint("give --role a role's name or ARN as `paring usage` prints it without --role"));
        }
    }
    Ok(roles.into_iter().collect())
}

/// How the actions of the roles stand: those granted, where the snapshot says, else those of the services used.
fn stands(roles: &[Arn], snapshot: Option<&Snapshot>, evidence: &Evidence<'_>) -> Vec<Stands> {
    let index = snapshot.map(|snapshot| SnapshotIndex::new(snapshot).0);
    let published = Published::of(evidence.catalog);
    let one = |role: &Arn| {
        let granted = index.as_ref().filter(|index| index.role(role).is_some()).map(|index| {
            let documents: Vec<_> = index.identity_policies(role).iter().map(|policy| policy.document).collect();
            published.granted(index, role, &documents).actions().cloned().collect()
        });
        let scope = if granted.is_some() {
            "the actions granted"
        } else {
            "the actions of the services it used (--snapshot tells what is granted, and what the trails record)"
        };
        let actions = granted.unwrap_or_else(|| of_used_services(role, evidence));
        Stands {
            role: role.clone(),
            has_records: evidence.has_records(role),
            actions: actions.into_iter().map(|action| (action.clone(), evidence.standing(role, &action))).collect(),
            scope,
        }
    };
    roles.iter().map(one).collect()
}

fn of_used_services(role: &Arn, evidence: &Evidence<'_>) -> Vec<Action> {
    let seen = evidence.usage.principals.get(role).into_iter().flat_map(|used| &used.observations);
    let mut services: BTreeSet<String> = seen.map(|seen| seen.action.service().to_ascii_lowercase()).collect();
    services
        .extend(evidence.last_accessed.roles.get(role).into_iter().flat_map(|report| report.services.keys().cloned()));
    let actions =
        |service: &String| evidence.catalog.service_actions(service).map(|facts| facts.action()).collect::<Vec<_>>();
    services.iter().flat_map(actions).collect()
}
