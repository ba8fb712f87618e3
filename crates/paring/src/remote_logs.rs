//! Logs that are named by where AWS keeps them: `s3://bucket/prefix`, and `lookup-events` for the history of the last days.
//!
//! Turns names into sources; reading them is for the room of usage.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use iam_model::snapshot::Snapshot;
use iam_usage::{LogSource, Options};

use crate::error::CliError;

/// What the history is called among the logs.
const HISTORY: &str = "lookup-events";

/// Whether a name leads to AWS and not to a file.
pub(crate) fn is_remote(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.starts_with("s3://") || (text.split(':').next() == Some(HISTORY) && !path.exists())
}

/// The region whose history a name means.
fn history_of(path: &Path) -> Option<String> {
    let text = path.to_string_lossy();
    let region = text.strip_prefix(HISTORY)?.strip_prefix(':')?;
    (!region.is_empty()).then(|| region.to_owned())
}

/// Takes from what the trails record what the named logs do not hold: a history has no data events, and one region.
pub(crate) fn limit_coverage(paths: &[PathBuf], snapshot: &mut Snapshot) {
    let regions: BTreeSet<String> = paths.iter().filter_map(|path| history_of(path)).collect();
    if regions.is_empty() {
        return;
    }
    let alone = paths.iter().all(|path| history_of(path).is_some());
    for coverage in snapshot.accounts.values_mut().filter_map(|account| account.trails.as_mut()) {
        coverage.data_types.clear();
        coverage.partial_data_types.clear();
        coverage.recorded_parts.clear();
        if alone {
            coverage.regions = Some(regions.clone());
        }
    }
}

/// The sources behind the names.
#[cfg(not(feature = "aws"))]
pub(crate) fn sources(paths: &[PathBuf], _: &Options) -> Result<Vec<LogSource>, CliError> {
    match paths.first() {
        None => Ok(Vec::new()),
        Some(path) => {
            Err(CliError::user(format!("this build cannot read `{}`: it holds no AWS clients", path.display()))
                .hint("take a released binary, or build with `cargo build --release --features aws`")
                .hint("or copy the logs: `aws s3 sync s3://BUCKET/PREFIX logs`, then `--trail logs`"))
        }
    }
}

#[cfg(feature = "aws")]
pub(crate) use live::sources;

#[cfg(feature = "aws")]
mod live {
    use std::io::Cursor;
    use std::time::{SystemTime, UNIX_EPOCH};

    use iam_collect::access_analyzer::Options as Aws;
    use iam_collect::trail_logs::{Bucket, Days, history, location};
    use iam_usage::{FileKind, kind_of_path};

    use super::{CliError, LogSource, Options, Path, PathBuf, history_of};

    /// How far back the history goes where no time is asked for, in seconds.
    const WEEK: i64 = 7 * 86_400;

    /// The sources behind the names.
    pub(crate) fn sources(paths: &[PathBuf], options: &Options) -> Result<Vec<LogSource>, CliError> {
        let mut sources = Vec::new();
        for path in paths {
            let name = path.to_string_lossy();
            match location(&name) {
                Some((bucket, prefix)) => sources.extend(of_bucket(bucket, prefix, options)?),
                None if name.starts_with("s3://") => {
                    return Err(CliError::user(format!("`{name}` names no bucket")).hint("write `s3://BUCKET/PREFIX`"));
                }
                None => sources.push(of_history(&name, options)?),
            }
        }
        Ok(sources)
    }

    fn of_bucket(bucket: &str, prefix: &str, options: &Options) -> Result<Vec<LogSource>, CliError> {
        let days = Days { first: options.since.map(|time| time.day()), last: options.until.map(|time| time.day()) };
        let open = Bucket::open(&Aws::default(), bucket).map_err(|error| CliError::collect(&error))?;
        let objects = open.logs(prefix, days).map_err(|error| CliError::collect(&error))?;
        let logs = objects.into_iter().filter(|object| kind_of_path(&object.key) == FileKind::Log);
        Ok(logs
            .map(|object| {
                let (open, name) = (open.clone(), format!("s3://{bucket}/{}", object.key));
                LogSource::of_parts(&name, Some(object.size), move || Ok(Box::new(Cursor::new(open.read(&object)?))))
            })
            .collect())
    }

    fn of_history(name: &str, options: &Options) -> Result<LogSource, CliError> {
        let region = history_of(Path::new(name)).ok_or_else(|| {
            CliError::user("`lookup-events` names no region")
                .hint("write `lookup-events:us-east-1`: each region has its own")
        })?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let to = options.until.map_or_else(|| i64::try_from(now).unwrap_or(i64::MAX), |time| time.epoch_seconds());
        let from = options.since.map_or(to - WEEK, |time| time.epoch_seconds());
        let log = history(&Aws::default(), Some(&region), from, to).map_err(|error| CliError::collect(&error))?;
        Ok(LogSource::from_bytes(&format!("{name}.json"), log))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_says_nothing_of_data_events_and_other_regions() {
        let text = r#"{"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {"authorization_details": {},
            "trails": [{"TrailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/t", "IsMultiRegionTrail": true, "event_selectors":
            {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources":
            [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]}}]}}}"#;
        let source =
            || iam_model::text::SourceText { name: iam_model::text::SourceName::new("s.json"), text: text.into() };
        let after = |paths: &[&str]| {
            let (mut snapshot, _) = iam_model::snapshot::read(source()).unwrap();
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            limit_coverage(&paths, &mut snapshot);
            let coverage = snapshot.accounts.into_values().next().unwrap().trails.unwrap();
            (coverage.data_types.len(), coverage.regions.map(|regions| regions.len()))
        };
        assert_eq!(after(&["logs", "s3://b/p"]), (1, None));
        assert_eq!(after(&["lookup-events:eu-west-1"]), (0, Some(1)));
        assert_eq!(after(&["lookup-events:eu-west-1", "logs"]), (0, None));
    }

    #[test]
    fn files_are_not_taken_for_places_of_aws() {
        let remote = |path: &str| is_remote(Path::new(path));
        assert!(remote("s3://bucket/prefix") && remote("lookup-events:us-east-1") && remote("lookup-events"));
        assert!(!remote("logs") && !remote("./s3") && !remote("lookup"));
    }
}
