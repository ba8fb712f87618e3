//! The aggregation as SQL, for engines that sit where the logs are: the files of `sql/`, with the table, the days and two
//! lists put in.
//!
//! The text after the first part is the same for every engine, and nothing is translated from one to another: that loses
//! records in silence. Runs nothing.

use iam_model::time::Timestamp;

/// An engine's way of writing SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Athena, and Trino over the same table.
    Athena,
    /// Spark SQL, 3.4 or later.
    Spark,
    /// CloudTrail Lake.
    CloudTrailLake,
    /// DuckDB, with the macro of [`ddl`]: what the statement means, tried on one machine.
    DuckDb,
}

/// The days a statement reads, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// The first.
    pub since: Timestamp,
    /// The last.
    pub until: Timestamp,
}

/// What is the same for every engine.
const AGGREGATE: &str = include_str!("../sql/aggregate.sql");

/// Calls that come in great numbers and say more than what they were authorised on: of their parameters those of
/// [`COMMON`] and [`PARAMETERS`] are kept. Of all others, all.
const FEW: &[(&str, &[&str])] = &[
    (
        "s3.amazonaws.com",
        &[
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CreateMultipartUpload",
            "DeleteObject",
            "GetObject",
            "GetObjectAcl",
            "GetObjectAttributes",
            "GetObjectTagging",
            "HeadBucket",
            "HeadObject",
            "ListObjects",
            "ListParts",
            "PutObject",
            "UploadPart",
        ],
    ),
    ("dynamodb.amazonaws.com", &["DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"]),
    (
        "sqs.amazonaws.com",
        &[
            "ChangeMessageVisibility",
            "DeleteMessage",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ReceiveMessage",
            "SendMessage",
        ],
    ),
    ("sns.amazonaws.com", &["Publish"]),
    ("sts.amazonaws.com", &["AssumeRole"]),
    ("lambda.amazonaws.com", &["Invoke"]),
    ("kinesis.amazonaws.com", &["GetRecords", "GetShardIterator", "PutRecord"]),
    ("secretsmanager.amazonaws.com", &["DescribeSecret", "GetSecretValue"]),
    ("ssm.amazonaws.com", &["GetParameter", "GetParametersByPath"]),
    ("states.amazonaws.com", &["StartExecution"]),
    ("logs.amazonaws.com", &["CreateLogStream"]),
];

/// Parameters that the catalogue's templates may need of any call, in small letters.
const COMMON: &[&str] = &["host", "queueownerawsaccountid", "queueurl", "registryid", "resourceid", "resourcetype"];

/// Parameters that they need beside these of the calls of [`FEW`], by source, in small letters; a test compares them.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("dynamodb.amazonaws.com", &["indexname", "tablename"]),
    ("kinesis.amazonaws.com", &["streamarn", "streamname"]),
    ("lambda.amazonaws.com", &["functionname", "qualifier"]),
    ("logs.amazonaws.com", &["loggroupname", "logstreamname"]),
    (
        "s3.amazonaws.com",
        &[
            "bucketname",
            "key",
            "versionid",
            "x-amz-acl",
            "x-amz-bypass-governance-retention",
            "x-amz-grant-full-control",
            "x-amz-grant-read",
            "x-amz-grant-read-acp",
            "x-amz-grant-write",
            "x-amz-grant-write-acp",
            "x-amz-object-lock-legal-hold",
            "x-amz-object-lock-legal-hold-status",
            "x-amz-object-lock-mode",
            "x-amz-object-lock-retain-until-date",
            "x-amz-tagging",
        ],
    ),
    ("secretsmanager.amazonaws.com", &["secretid"]),
    ("sns.amazonaws.com", &["targetarn", "topicarn"]),
    ("sqs.amazonaws.com", &["queuename"]),
    ("ssm.amazonaws.com", &["name", "path"]),
    ("states.amazonaws.com", &["statemachinearn"]),
    ("sts.amazonaws.com", &["providedcontexts", "rolearn", "sourceidentity", "tags", "transitivetagkeys"]),
];

impl Dialect {
    /// The name of an event with its source, as the engine's table has them.
    const fn event(self) -> &'static str {
        match self {
            Self::Athena => "eventsource || ' ' || eventname",
            Self::Spark | Self::CloudTrailLake => "eventSource || ' ' || eventName",
            Self::DuckDb => "(record->>'$.eventSource') || ' ' || (record->>'$.eventName')",
        }
    }

    const fn records(self) -> &'static str {
        match self {
            Self::Athena => include_str!("../sql/athena.sql"),
            Self::Spark => include_str!("../sql/spark.sql"),
            Self::CloudTrailLake => include_str!("../sql/cloudtrail-lake.sql"),
            Self::DuckDb => include_str!("../sql/duckdb.sql"),
        }
    }
}

/// The statement over a table and days. The rows it gives are what `paring usage` reads, as CSV, JSON lines or Parquet.
///
/// The table is put in as it is: whoever calls makes sure that it is a name.
///
/// ```
/// use iam_model::time::Timestamp;
/// use iam_usage::{Dialect, Period, statement};
/// let day = Timestamp::parse("2026-11-01T00:00:00Z").unwrap();
/// let text = statement(Dialect::Athena, "cloudtrail", Period { since: day, until: day });
/// assert!(text.contains("FROM cloudtrail\n"));
/// ```
#[must_use]
pub fn statement(dialect: Dialect, table: &str, period: Period) -> String {
    let text = with_lists(dialect);
    let text =
        text.replace("{table}", table).replace("{since}", &date(period.since)).replace("{until}", &date(period.until));
    // The limit of CloudTrail Lake leaves no room for what is said to people.
    if dialect == Dialect::CloudTrailLake { without_comments(&text) } else { text }
}

fn with_lists(dialect: Dialect) -> String {
    let few = format!("({}) IN ({})", dialect.event(), pairs(FEW));
    let common: Vec<String> = COMMON.iter().map(|name| format!("'{name}'")).collect();
    let records = dialect.records().replace("{few}", &few).replace("{common}", &common.join(", "));
    format!("{}{AGGREGATE}", records.replace("{parameters}", &pairs(PARAMETERS)))
}

/// Sources with a name of theirs each, as texts of SQL.
fn pairs(lists: &[(&str, &[&str])]) -> String {
    let one =
        |(source, names): &(&str, &[&str])| names.iter().map(|name| format!("'{source} {name}'")).collect::<Vec<_>>();
    lists.iter().flat_map(one).collect::<Vec<_>>().join(", ")
}

/// A job for `spark-submit`, complete in itself.
#[must_use]
pub fn job() -> String {
    let statement = with_lists(Dialect::Spark).replace("{table}", "cloudtrail");
    include_str!("../sql/spark-job.py").replace("{statement}", &statement)
}

/// What makes the table that a statement reads, where there is one to make.
#[must_use]
pub fn ddl(dialect: Dialect, table: &str) -> Option<String> {
    match dialect {
        Dialect::Athena => Some(include_str!("../sql/athena-ddl.sql").replace("{table}", table)),
        Dialect::DuckDb => Some(include_str!("../sql/duckdb-ddl.sql").replace("{table}", table)),
        Dialect::Spark | Dialect::CloudTrailLake => None,
    }
}

fn date(time: Timestamp) -> String {
    time.date()
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("--") && !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests;
