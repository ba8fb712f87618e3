//! Access Analyzer's generator, run for roles of a collected account; each answer is kept beside the others.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use iam_collect::access_analyzer::Options;
pub(super) use iam_collect::access_analyzer::generation::Logs;
use iam_collect::access_analyzer::generation::{Generated, generate};
use iam_model::arn::Arn;
use iam_model::snapshot::Snapshot;

use crate::error::CliError;
use crate::write;

/// As far back as AWS reads.
pub(super) const DAYS: u32 = 90;

/// The roles of these names or ARNs; one that is not there is a mistake.
pub(super) fn roles(snapshot: &Snapshot, names: &[String]) -> Result<Vec<Arn>, CliError> {
    let all = || snapshot.accounts.values().flat_map(|account| &account.roles);
    let find = |name: &String| {
        let found = all().find(|role| role.identity.name == *name || role.identity.arn.as_str() == name);
        found.map(|role| role.identity.arn.clone()).ok_or_else(|| {
            CliError::user(format!("the account holds no role `{name}`"))
                .hint("give a name or ARN as the account has it")
        })
    };
    names.iter().map(find).collect()
}

/// Generates, and keeps each answer as soon as it is there.
pub(super) fn run(
    options: &Options,
    roles: &[Arn],
    logs: &Logs,
    record: &Path,
    note: &mut dyn FnMut(&str),
) -> Result<(), CliError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let mut unwritten = None;
    let done = generate(options, roles, logs, now, &mut |role, generated| match generated {
        Generated::Answer(answer) => {
            let account = role.account().map(|account| account.to_string()).unwrap_or_default();
            let folder = record.join(account).join("get-generated-policy");
            let name = format!("{}.json", write::file_name(role.name()));
            match write::results(&folder, &[(name, answer.to_pretty())]) {
                Ok(()) => note(&format!("{} · generated", role.name())),
                Err(error) => unwritten = Some(error),
            }
        }
        Generated::Failed(why) => note(&format!("{} · not generated: {why}", role.name())),
        Generated::Another => {
            note(&format!("{} · not generated: the day's quota is used up; run again tomorrow", role.name()));
        }
    });
    done.map_err(|error| CliError::collect(&error))?;
    unwritten.map_or(Ok(()), Err)
}
