//! `paring usage --engine`: the arguments and the policy in every build; the run itself against stand-ins on loopback, where
//! the clients are built in. The logs and rows are those of `testdata/query`.

use crate::run::Folder;

const ATHENA: [&str; 7] = ["usage", "--engine", "athena", "--database", "audit", "--workgroup", "paring"];
const STORE: &str = "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/EXAMPLE-f852-4e8f-8bd1-bcf6cEXAMPLE";

#[test]
fn what_is_missing_or_does_not_go_together_is_said() {
    let folder = Folder::new();
    let check = |arguments: &[&str], expected: &str| {
        let output = folder.paring(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(output.stderr.contains(expected), "{arguments:?}: {}", output.stderr);
    };
    let with = |more: &[&'static str]| [&ATHENA[..], more].concat();
    check(&["usage"], "<LOGS>...");
    check(&["usage", "--engine", "athena"], "--database");
    check(&["usage", "--engine", "cloudtrail-lake"], "--event-data-store");
    check(&["usage", "--workgroup", "w"], "--engine");
    for alone in [["--workgroup", "w"], ["--budget", "5GB"], ["--timeout", "5"]] {
        check(&[&["usage", "logs"][..], &alone].concat(), "cannot be used with");
    }
    check(&with(&["logs"]), "cannot be used with");
    check(&with(&["--table", "a;b"]), "a name of letters");
    check(&with(&["--budget", "50"]), "such as 50GB");
    check(&with(&["--unestimated"]), "--budget");
    check(&with(&["--output", "results"]), "s3://BUCKET/PREFIX");
    check(&with(&["--since", "2026-11-01T08:00:00Z"]), "reads whole days, and 2026-11-01T08:00:00Z is within one");
    check(&with(&["--since", "2026-11-03", "--until", "2026-11-01"]), "--since is after --until");
    check(&with(&["--print-policy"]), "--location s3://BUCKET/PREFIX");
}

#[test]
fn the_policy_is_printed_in_every_build() {
    let folder = Folder::new();
    let policy = |arguments: &[&str]| {
        let output = folder.paring(arguments);
        assert_eq!(output.code, 0, "{}", output.stderr);
        serde_json::from_str::<serde_json::Value>(&output.stdout).unwrap().to_string()
    };
    let places = ["--location", "s3://trail/AWSLogs/", "--output", "s3://results/paring/", "--print-policy"];
    let athena = policy(&[&ATHENA[..], &places].concat());
    for part in ["workgroup/paring", "table/audit/cloudtrail", "s3:::trail/AWSLogs/*", "s3:::results/paring/*"] {
        assert!(athena.contains(part), "no {part} in {athena}");
    }
    let lake = policy(&["usage", "--engine", "cloudtrail-lake", "--event-data-store", STORE, "--print-policy"]);
    assert!(lake.contains("cloudtrail:CancelQuery") && lake.contains(STORE), "{lake}");
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_clients_says_what_to_do_instead() {
    let folder = Folder::new();
    for more in [&[][..], &["--dry-run"]] {
        let output = folder.paring(&[&ATHENA[..], more].concat());
        assert_eq!((output.code, output.stdout.as_str()), (2, ""));
        for part in ["cannot reach Athena", "--features aws", "usage sql --dialect athena --table cloudtrail"] {
            assert!(output.stderr.contains(part), "{}", output.stderr);
        }
    }
}

#[cfg(feature = "aws")]
mod live {
    use std::process::{Command, Stdio};
    use std::sync::mpsc::channel;

    use serde_json::{Value, json};

    use super::{ATHENA, STORE};
    use crate::aws::{Stub, asking, environment, serve};
    use crate::moto_server::Moto;
    use crate::run::{Folder, Output, testdata};

    const ENDPOINT: &str = "AWS_ENDPOINT_URL";
    const LAKE: [&str; 5] = ["usage", "--engine", "cloudtrail-lake", "--event-data-store", STORE];
    /// Rows of a page of the stand-in.
    const PAGE: usize = 25;

    /// What an engine answers to the statement over the logs of `testdata/query`.
    fn table() -> (Vec<String>, Vec<Vec<Option<String>>>) {
        let text = std::fs::read_to_string(testdata("query/rows.json")).unwrap();
        let root: Value = serde_json::from_str(&text).unwrap();
        (
            serde_json::from_value(root["columns"].clone()).unwrap(),
            serde_json::from_value(root["rows"].clone()).unwrap(),
        )
    }

    fn page(athena: bool, at: usize) -> Value {
        let (columns, rows) = table();
        let next = ((at + 1) * PAGE < rows.len()).then(|| format!("p{}", at + 1));
        let here: Vec<&Vec<Option<String>>> = rows.iter().skip(at * PAGE).take(PAGE).collect();
        if athena {
            let cell = |text: &Option<String>| text.as_ref().map_or(json!({}), |text| json!({"VarCharValue": text}));
            let head: Vec<Option<String>> = columns.iter().cloned().map(Some).collect();
            let all = (at == 0).then_some(&head).into_iter().chain(here);
            let data: Vec<Value> = all.map(|row| json!({"Data": row.iter().map(cell).collect::<Vec<_>>()})).collect();
            let names: Vec<Value> = columns.iter().map(|name| json!({"Name": name, "Type": "varchar"})).collect();
            return json!({"NextToken": next, "ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": names}}});
        }
        let cell = |(name, text): (&String, &Option<String>)| {
            text.as_ref().map_or(json!({}), |text| json!({ name.as_str(): text }))
        };
        let data: Vec<Vec<Value>> = here.iter().map(|row| columns.iter().zip(*row).map(cell).collect()).collect();
        json!({"QueryStatus": "FINISHED", "QueryStatistics": {"TotalResultsCount": rows.len()}, "NextToken": next, "QueryResultRows": data})
    }

    /// An engine that takes the statement and answers it; `lost` is a page that never comes, `state` what looks see.
    fn engine(state: &'static str, lost: Option<usize>) -> Stub {
        serve(move |request| {
            let is = |name: &str| request.contains(&format!(".{name} "));
            let athena = request.contains("AmazonAthena.");
            let reason = "Query exhausted resources at this scale factor";
            let answer = match () {
                () if is("StartQueryExecution") => json!({"QueryExecutionId": "q-1"}),
                () if is("StartQuery") => json!({"QueryId": "q-1"}),
                () if is("GetQueryExecution") => {
                    json!({"QueryExecution": {"Statistics": {"DataScannedInBytes": 93_000_000_000_u64},
                    "Status": {"State": state, "StateChangeReason": reason}}})
                }
                () if is("DescribeQuery") => {
                    json!({"QueryStatistics": {"BytesScanned": 93_000_000_000_u64}, "ErrorMessage": reason,
                    "QueryStatus": if state == "SUCCEEDED" { "FINISHED" } else { state }})
                }
                () if is("GetQueryResults") => {
                    let at = (1..99).find(|at| request.contains(&format!("\"p{at}\""))).unwrap_or(0);
                    if lost == Some(at) {
                        return (400, r#"{"__type": "InvalidRequestException", "message": "it is gone"}"#.into());
                    }
                    page(athena, at)
                }
                () if is("StopQueryExecution") => json!({}),
                () if is("CancelQuery") => json!({"QueryId": "q-1", "QueryStatus": "CANCELLED"}),
                () if is("GetTableMetadata") => {
                    json!({"TableMetadata": {"Name": "cloudtrail", "Parameters": {"location": "s3://trail/logs/"}}})
                }
                () if is("GetWorkGroup") => {
                    json!({"WorkGroup": {"Name": "paring", "State": "ENABLED", "Configuration": {
                    "BytesScannedCutoffPerQuery": 100_000_000_000_u64, "EnforceWorkGroupConfiguration": true,
                    "ResultConfiguration": {"OutputLocation": "s3://own/"}}}})
                }
                () if request.contains("prefix=logs%2F2026%2F11%2F02%2F") => {
                    return (200, "<ListBucketResult><Contents><Key>logs/2026/11/02/a.json.gz</Key><Size>90000000000</Size></Contents></ListBucketResult>".into());
                }
                () if request.contains("prefix=logs%2F") => {
                    let below = ["logs/2026/11/", "logs/2026/", "logs/"]
                        .into_iter()
                        .find(|folder| request.contains(&folder.replace('/', "%2F")));
                    let next = match below {
                        Some("logs/2026/11/") => "logs/2026/11/02/",
                        Some("logs/2026/") => "logs/2026/11/",
                        _ => "logs/2026/",
                    };
                    return (
                        200,
                        format!(
                            "<ListBucketResult><CommonPrefixes><Prefix>{next}</Prefix></CommonPrefixes></ListBucketResult>"
                        ),
                    );
                }
                () => return (404, format!("nobody expects {request}")),
            };
            (200, answer.to_string())
        })
    }

    fn started(stub: &Stub) -> bool {
        stub.asked.lock().unwrap().iter().any(|request| request.contains(".StartQuery"))
    }

    /// What reading the rows as a file gives, and the logs themselves, without what says what was read.
    fn expected(folder: &Folder) -> (String, Value) {
        let (columns, rows) = table();
        let mut text = columns.join(",") + "\n";
        for row in &rows {
            let cell = |cell: &Option<String>| {
                cell.as_ref().map_or(String::new(), |cell| format!("\"{}\"", cell.replace('"', "\"\"")))
            };
            text += &(row.iter().map(cell).collect::<Vec<_>>().join(",") + "\n");
        }
        folder.write("result.csv", text);
        let logs = testdata("query/logs");
        let read = |path: &str| folder.paring(&["usage", path, "--format", "json"]).stdout;
        (read("result.csv"), without_files(&read(logs.to_str().unwrap())))
    }

    fn without_files(text: &str) -> Value {
        let mut log: Value = serde_json::from_str(text).unwrap();
        let members = log.as_object_mut().unwrap();
        members.remove("files");
        members.remove("sources");
        log
    }

    fn is_expected(folder: &Folder, output: &Output) {
        assert_eq!(output.code, 0, "{}", output.stderr);
        let (rows, logs) = expected(folder);
        assert!(output.stdout == rows, "not what the rows give as a file");
        assert!(without_files(&output.stdout) == logs, "not what the logs give");
    }

    #[test]
    fn an_engine_gives_the_usage_log_that_the_logs_give() {
        let folder = Folder::new();
        for arguments in [&ATHENA[..], &LAKE] {
            let stub = engine("SUCCEEDED", None);
            let output = asking(&folder, ENDPOINT, &stub.url, &[arguments, &["--format", "json"]].concat());
            is_expected(&folder, &output);
            assert!(
                output.stderr.contains("93.0 GB (93,000,000,000 bytes) scanned · $0.47 at $5.00 per TB"),
                "{}",
                output.stderr
            );
            let pages = stub.asked.lock().unwrap().iter().filter(|request| request.contains("GetQueryResults")).count();
            assert_eq!(pages, table().1.len().div_ceil(PAGE));
        }
    }

    #[test]
    fn motos_queued_results_are_read_like_logs() {
        let Some(mut moto) = Moto::start() else { return };
        let (columns, rows) = table();
        moto.ask(&json!({"do": "results", "columns": columns, "rows": rows}).to_string());
        let folder = Folder::new();
        let arguments = [
            "usage",
            "--engine",
            "athena",
            "--database",
            "audit",
            "--workgroup",
            "primary",
            "--output",
            "s3://results/",
            "--format",
            "json",
        ];
        is_expected(&folder, &asking(&folder, ENDPOINT, &moto.url, &arguments));
    }

    #[test]
    fn without_all_rows_there_is_no_usage_log() {
        let folder = Folder::new();
        let check = |stub: &Stub, arguments: &[&str], expected: &[&str]| {
            let output = asking(&folder, ENDPOINT, &stub.url, arguments);
            assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{}", output.stderr);
            for part in expected {
                assert!(output.stderr.contains(part), "no `{part}` in {}", output.stderr);
            }
        };
        for arguments in [&ATHENA[..], &LAKE] {
            let lost =
                ["the query q-1 cannot be used: page 2: InvalidRequestException: it is gone", "nothing of it was used"];
            check(&engine("SUCCEEDED", Some(1)), arguments, &lost);
            let failed = ["the query q-1 failed: Query exhausted resources at this scale factor", "ask for fewer days"];
            check(&engine("FAILED", None), arguments, &failed);
            let over = [arguments, &["--budget", "91GB", "--unestimated"]].concat();
            let stub = engine("RUNNING", None);
            let expected = [
                "more was scanned than the budget of 91000000000 bytes: the query q-1 was cancelled",
                "is billed: 93.0 GB",
            ];
            check(&stub, &over, &expected);
            assert!(
                stub.asked
                    .lock()
                    .unwrap()
                    .iter()
                    .any(|r| r.contains(".StopQueryExecution ") || r.contains(".CancelQuery "))
            );
        }
    }

    #[test]
    fn a_dry_run_says_the_scan_the_cost_and_the_limit_and_runs_nothing() {
        let folder = Folder::new();
        let days = ["--since", "2026-11-02", "--until", "2026-11-02", "--dry-run"];
        let stub = engine("SUCCEEDED", None);
        let output = asking(&folder, ENDPOINT, &stub.url, &[&ATHENA[..], &days].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        for part in [
            "days 2026-11-02 to 2026-11-02",
            "90.0 GB (90,000,000,000 bytes): 1 objects below s3://trail/logs/",
            "$0.45 at $5.00 per TB (list price of US East, November 2026)",
            "`paring`: AWS cancels a query that scans more than 100.0 GB (100,000,000,000 bytes); results go to s3://own/",
            "nothing was run",
        ] {
            assert!(output.stdout.contains(part), "no `{part}` in {}", output.stdout);
        }
        let lake = asking(&folder, ENDPOINT, &stub.url, &[&LAKE[..], &days].concat());
        assert!(lake.stdout.contains("unknown: CloudTrail Lake does not tell"), "{}", lake.stdout);
        let over = asking(
            &folder,
            ENDPOINT,
            &stub.url,
            &[&ATHENA[..], &days, &["--budget", "89GB", "--price-per-tb", "10"]].concat(),
        );
        assert_eq!(over.code, 2);
        assert!(over.stdout.contains("$0.90 at $10.00 per TB (your price)"), "{}", over.stdout);
        assert!(
            over.stderr.contains("it would scan 90000000000 bytes, and the budget is 89000000000"),
            "{}",
            over.stderr
        );
        assert!(!started(&stub));
    }

    #[test]
    fn over_the_budget_nothing_is_started() {
        let folder = Folder::new();
        let check = |arguments: &[&str], expected: &str| {
            let stub = engine("SUCCEEDED", None);
            let output = asking(&folder, ENDPOINT, &stub.url, arguments);
            assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{}", output.stderr);
            assert!(output.stderr.contains(expected) && output.stderr.contains("hint"), "{}", output.stderr);
            assert!(!started(&stub));
        };
        let days = ["--since", "2026-11-02", "--until", "2026-11-02", "--budget"];
        check(&[&ATHENA[..], &days, &["89GB"]].concat(), "it would scan 90000000000 bytes");
        check(
            &[&ATHENA[..], &days, &["1TB", "--location", "s3://trail/other/none/"]].concat(),
            "what it would scan is unknown",
        );
        check(&[&LAKE[..], &days, &["1TB"]].concat(), "what it would scan is unknown: CloudTrail Lake does not tell");
    }

    #[cfg(unix)]
    #[test]
    fn an_interrupt_cancels_the_query() {
        let folder = Folder::new();
        let (sender, looked) = channel();
        let answers = engine_of_one_state();
        let stub = serve(move |request| {
            if request.contains(".GetQueryExecution ") {
                let _ = sender.send(());
            }
            answers(request)
        });
        let mut child = Command::new(env!("CARGO_BIN_EXE_paring"))
            .args(ATHENA)
            .current_dir(folder.path())
            .env_clear()
            .envs(environment(ENDPOINT, &stub.url))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        looked.recv().unwrap();
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let code = child.wait().unwrap().code();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((code, output.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains("interrupted: the query q-1 was cancelled"), "{said}");
        assert!(said.contains("what was scanned until then is billed: 7 bytes"), "{said}");
        assert!(stub.asked.lock().unwrap().iter().any(|request| request.contains(".StopQueryExecution ")));
    }

    /// A query that never ends.
    fn engine_of_one_state() -> impl Fn(&str) -> (u16, String) + Send + 'static {
        |request| match () {
            () if request.contains(".StartQueryExecution ") => (200, r#"{"QueryExecutionId": "q-1"}"#.into()),
            () if request.contains(".GetQueryExecution ") => (
                200,
                r#"{"QueryExecution": {"Status": {"State": "RUNNING"}, "Statistics": {"DataScannedInBytes": 7}}}"#
                    .into(),
            ),
            () => (200, "{}".into()),
        }
    }
}
