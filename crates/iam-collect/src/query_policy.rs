//! The policy that a query needs, and no more.
//!
//! The one list of what running a statement calls. Makes no call and is part of every build.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;

use crate::calls::policy_of;

/// Where the statement is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryPlan {
    /// In Athena.
    Athena {
        /// The database.
        database: String,
        /// The table.
        table: String,
        /// The workgroup.
        workgroup: String,
        /// Where the logs lie, as `bucket/prefix`.
        logs: String,
        /// Where the results go, as `bucket/prefix`; AWS keeps them where that is not said.
        results: Option<String>,
    },
    /// In CloudTrail Lake.
    Lake {
        /// The event data store.
        store: Arn,
    },
}

/// What watching a query calls, on its workgroup. The last one only tells of the workgroup's limits.
pub(crate) const ATHENA: [&str; 5] = [
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
    "athena:GetWorkGroup",
];
/// What Athena asks of the data catalogue in the caller's name, on the table.
const GLUE: [&str; 4] = ["glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable"];
/// What Lake calls, on the store.
pub(crate) const LAKE: [&str; 4] =
    ["cloudtrail:CancelQuery", "cloudtrail:DescribeQuery", "cloudtrail:GetQueryResults", "cloudtrail:StartQuery"];

/// The policy that allows exactly what running, watching and estimating a query takes, as JSON.
#[must_use]
pub fn query_policy(plan: &QueryPlan) -> String {
    let mut by_resource: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut add = |resource: String, actions: &[&'static str]| by_resource.entry(resource).or_default().extend(actions);
    match plan {
        QueryPlan::Lake { store } => add(store.as_str().to_owned(), &LAKE),
        QueryPlan::Athena { database, table, workgroup, logs, results } => {
            add(format!("arn:*:athena:*:*:workgroup/{workgroup}"), &ATHENA);
            add("arn:*:athena:*:*:datacatalog/AwsDataCatalog".into(), &["athena:GetTableMetadata"]);
            for resource in ["catalog".to_owned(), format!("database/{database}"), format!("table/{database}/{table}")]
            {
                add(format!("arn:*:glue:*:*:{resource}"), &GLUE);
            }
            let (bucket, prefix) = logs.split_once('/').unwrap_or((logs, ""));
            add(format!("arn:*:s3:::{bucket}"), &["s3:ListBucket", "s3:GetBucketLocation"]);
            add(format!("arn:*:s3:::{bucket}/{prefix}*"), &["s3:GetObject"]);
            if let Some(results) = results {
                let (bucket, prefix) = results.split_once('/').unwrap_or((results, ""));
                let writing =
                    ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"];
                add(format!("arn:*:s3:::{bucket}"), &["s3:GetBucketLocation", "s3:ListBucket"]);
                add(format!("arn:*:s3:::{bucket}/{prefix}*"), &writing);
            }
        }
    }
    policy_of(by_resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_workgroup_the_table_the_logs_and_the_results() {
        let plan = QueryPlan::Athena {
            database: "audit".into(),
            table: "cloudtrail".into(),
            workgroup: "paring".into(),
            logs: "logs/AWSLogs/o-1/".into(),
            results: Some("results/paring/".into()),
        };
        let policy = query_policy(&plan);
        for part in [
            "\"arn:*:athena:*:*:workgroup/paring\"",
            "\"arn:*:glue:*:*:table/audit/cloudtrail\"",
            "\"arn:*:s3:::logs/AWSLogs/o-1/*\"",
            "\"arn:*:s3:::results/paring/*\"",
            "\"athena:StopQueryExecution\"",
            "\"s3:PutObject\"",
        ] {
            assert!(policy.contains(part), "no {part} in {policy}");
        }
        assert!(!policy.contains("\"Resource\": \"*\""), "{policy}");
        let kept = QueryPlan::Athena {
            database: "audit".into(),
            table: "cloudtrail".into(),
            workgroup: "paring".into(),
            logs: "logs".into(),
            results: None,
        };
        assert!(!query_policy(&kept).contains("s3:PutObject"));
    }

    #[test]
    fn lake_needs_its_store_alone() {
        let store: Arn = "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/abc".parse().unwrap();
        let policy = query_policy(&QueryPlan::Lake { store });
        assert_eq!(policy.matches("cloudtrail:").count(), 5, "{policy}");
        assert!(!policy.contains('*'), "{policy}");
    }
}
