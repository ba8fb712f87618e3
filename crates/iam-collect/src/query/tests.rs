//! Queries of a stand-in for AWS, in both engines: pages, failures, throttling, cancelling, budgets.

use std::io::Read as _;
use std::sync::Mutex;

use super::error::Advice;
use super::*;
use crate::stub::{CANARY, QUICK, SILENCE, Stub, serve};

const COLUMNS: [&str; 3] = ["mark", "name", "count"];

/// A query's answers, in the order they are asked for.
#[derive(Clone, Default)]
struct Script {
    /// Starts that are turned away before one is taken.
    refused_starts: usize,
    /// What each look sees; the last one for ever.
    looks: Vec<&'static str>,
    /// The page under each mark (`p0`, `p1`, …), whether it is turned away once before.
    pages: Vec<(bool, Reply)>,
    /// Whether cancelling is refused.
    stays: bool,
}

#[derive(Clone)]
enum Reply {
    /// Rows, and the mark of the next page.
    Rows(Vec<&'static str>, &'static str),
    /// A status and a body, as they are.
    Raw(u16, &'static str),
}

use Reply::{Raw, Rows};

fn athena() -> Engine {
    Engine::Athena {
        database: "audit".into(),
        table: "cloudtrail".into(),
        workgroup: "paring".into(),
        output: Some("s3://results/paring/".into()),
        logs: None,
    }
}

fn lake() -> Engine {
    Engine::Lake { store: "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/abc".parse().unwrap() }
}

fn order(engine: Engine) -> Order {
    Order {
        options: Options::default(),
        engine,
        statement: "SELECT 1".into(),
        columns: &COLUMNS,
        accepts: |row| row.first().is_some_and(|(_, cell)| *cell == Some("1")),
        days: Days {
            first: iam_model::time::days_from_civil(2026, 11, 1),
            last: iam_model::time::days_from_civil(2026, 11, 2),
        },
        budget: None,
        unestimated: false,
        timeout: Duration::from_secs(60),
    }
}

fn throttled() -> (u16, String) {
    (400, r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#.into())
}

fn quoted(text: &str) -> String {
    iam_model::json::Value::text(text).to_compact()
}

/// What a look sees: `STATE`, `STATE bytes` or `STATE bytes reason`.
fn look(athena: bool, seen: &str) -> (u16, String) {
    let mut words = seen.splitn(3, ' ');
    let (state, bytes, reason) = (words.next().unwrap(), words.next().unwrap_or("0"), words.next().unwrap_or_default());
    match (state, athena) {
        ("THROTTLED", _) => throttled(),
        ("REFUSED", _) => (400, r#"{"__type": "AccessDeniedException", "message": "not yours"}"#.into()),
        (_, true) => {
            let error = if reason.is_empty() {
                String::new()
            } else {
                format!(
                    r#", "StateChangeReason": {0}, "AthenaError": {{"ErrorCategory": 2, "ErrorType": 1001, "Retryable": false, "ErrorMessage": {0}}}"#,
                    quoted(reason)
                )
            };
            let status = format!(r#"{{"State": "{state}"{error}}}"#);
            (
                200,
                format!(
                    r#"{{"QueryExecution": {{"Status": {status}, "Statistics": {{"DataScannedInBytes": {bytes}}}}}}}"#
                ),
            )
        }
        (_, false) => {
            let state = if state == "SUCCEEDED" { "FINISHED" } else { state };
            (
                200,
                format!(
                    r#"{{"QueryStatus": "{state}", "ErrorMessage": {}, "QueryStatistics": {{"BytesScanned": {bytes}}}}}"#,
                    quoted(reason)
                ),
            )
        }
    }
}

/// A row of the script, `a|b|c`, where `-` is NULL.
fn row(athena: bool, text: &str) -> String {
    let cells = text.split('|').map(|cell| (cell != "-").then(|| quoted(cell)));
    if athena {
        let cells = cells.map(|cell| cell.map_or("{}".to_owned(), |cell| format!(r#"{{"VarCharValue": {cell}}}"#)));
        return format!(r#"{{"Data": [{}]}}"#, cells.collect::<Vec<_>>().join(", "));
    }
    let cells =
        cells.zip(COLUMNS).map(|(cell, name)| cell.map_or("{}".to_owned(), |cell| format!(r#"{{"{name}": {cell}}}"#)));
    format!("[{}]", cells.collect::<Vec<_>>().join(", "))
}

fn page(athena: bool, script: &Script, at: usize) -> (u16, String) {
    let (rows, next) = match &script.pages[at].1 {
        Raw(status, body) => return (*status, (*body).to_owned()),
        Rows(rows, next) => (rows, next),
    };
    let token = if next.is_empty() { String::new() } else { format!(r#", "NextToken": "{next}""#) };
    let mut texts: Vec<String> = rows.iter().map(|text| row(athena, text)).collect();
    if athena {
        if at == 0 {
            texts.insert(0, row(true, &COLUMNS.join("|")));
        }
        let columns: Vec<String> =
            COLUMNS.iter().map(|name| format!(r#"{{"Name": "{name}", "Type": "varchar"}}"#)).collect();
        let metadata = format!(r#"{{"ColumnInfo": [{}]}}"#, columns.join(", "));
        let set = format!(r#"{{"Rows": [{}], "ResultSetMetadata": {metadata}}}"#, texts.join(", "));
        return (200, format!(r#"{{"ResultSet": {set}{token}}}"#));
    }
    let total: usize = script.pages.iter().map(|(_, page)| if let Rows(rows, _) = page { rows.len() } else { 0 }).sum();
    (
        200,
        format!(
            r#"{{"QueryStatus": "FINISHED", "QueryStatistics": {{"TotalResultsCount": {total}}}, "QueryResultRows": [{}]{token}}}"#,
            texts.join(", ")
        ),
    )
}

fn service(script: Script) -> Stub {
    serve(move |request, before| {
        let athena = request.contains("AmazonAthena.");
        let is = |name: &str| request.contains(&format!(".{name} "));
        match () {
            () if is("StartQueryExecution") || is("StartQuery") => match before {
                before if before < script.refused_starts => throttled(),
                _ if athena => (200, r#"{"QueryExecutionId": "q-1"}"#.into()),
                _ => (200, r#"{"QueryId": "q-1"}"#.into()),
            },
            () if is("GetQueryExecution") || is("DescribeQuery") => {
                look(athena, script.looks.get(before).or(script.looks.last()).copied().unwrap_or("SUCCEEDED"))
            }
            () if is("GetQueryResults") => {
                let at = (0..script.pages.len())
                    .find(|at| request.contains(&format!(r#""NextToken":"p{at}""#)))
                    .unwrap_or(0);
                if script.pages[at].0 && before == 0 { throttled() } else { page(athena, &script, at) }
            }
            () if is("StopQueryExecution") || is("CancelQuery") => {
                if script.stays {
                    return (400, r#"{"__type": "AccessDeniedException", "message": "no"}"#.into());
                }
                (200, r#"{"QueryId": "q-1", "QueryStatus": "CANCELLED"}"#.into())
            }
            () => (404, format!("nobody expects {request}")),
        }
    })
}

/// The operations that were asked for, each once, in order.
fn operations(stub: &Stub) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for request in stub.asked() {
        let target = request.split(' ').nth(3).unwrap_or_default();
        let name = if target.is_empty() { "ListBucket" } else { target.rsplit('.').next().unwrap() };
        if names.last().is_none_or(|last| last != name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Runs the order and reads its rows.
fn result(stub: &Stub, order: &Order, told: &mut dyn FnMut(&Seen)) -> Result<String, QueryError> {
    let connection = Connection::open("test").unwrap();
    let (_, stop) = Stop::new();
    let answer = run_with(&connection, &stub.config(), order, QUICK, stop, told)?;
    let mut text = String::new();
    let read = answer.rows().unwrap().read_to_string(&mut text);
    let rows = answer.outcome()?;
    assert!(read.is_ok());
    assert_eq!(u64::try_from(text.lines().filter(|line| line.starts_with('"')).count()).unwrap(), rows, "{text}");
    assert!(answer.rows().is_err(), "rows are read once");
    Ok(text)
}

fn both(script: &Script, check: impl Fn(&Stub, Result<String, QueryError>)) {
    for engine in [athena(), lake()] {
        let stub = service(script.clone());
        let found = result(&stub, &order(engine), &mut |_| {});
        check(&stub, found);
    }
}

#[test]
fn rows_of_all_pages_come_in_order_as_csv() {
    let pages = vec![
        (false, Rows(vec!["1|a|3", "1|-|4"], "p1")),
        (false, Rows(vec![], "p2")),
        (false, Rows(vec!["1|say \"hi\", b\nc|5"], "p3")),
        (false, Rows(vec!["1||6"], "")),
    ];
    let script = Script { looks: vec!["QUEUED", "RUNNING 5", "SUCCEEDED 7"], pages, ..Script::default() };
    both(&script, |_, found| {
        let expected = "mark,name,count\n\"1\",\"a\",\"3\"\n\"1\",,\"4\"\n\"1\",\"say \"\"hi\"\", b\nc\",\"5\"\n\"1\",\"\",\"6\"\n";
        assert_eq!(found.as_deref().map_err(ToString::to_string), Ok(expected));
    });
}

#[test]
fn what_is_throttled_is_asked_again_and_one_query_is_started() {
    let pages = vec![(true, Rows(vec!["1|a|3"], "p1")), (true, Rows(vec!["1|b|4"], ""))];
    let looks = vec!["THROTTLED", "THROTTLED", "THROTTLED", "THROTTLED", "RUNNING", "THROTTLED", "SUCCEEDED"];
    let script = Script { refused_starts: 5, looks, pages, ..Script::default() };
    both(&script, |stub, found| {
        assert_eq!(found.as_deref().map(|text| text.lines().count()).map_err(ToString::to_string), Ok(3));
        let asked = stub.asked();
        let starts: Vec<&String> = asked.iter().filter(|request| request.contains(".StartQuery")).collect();
        assert_eq!(starts.len(), 6);
        // Athena knows them for one by their token.
        assert!(starts.iter().all(|start| *start == starts[0]), "{starts:?}");
        assert!(!starts[0].contains("AmazonAthena") || starts[0].contains("\"ClientRequestToken\":\"paring-"));
    });
}

#[test]
fn two_runs_are_two_queries() {
    let script = Script { looks: vec!["SUCCEEDED"], pages: vec![(false, Rows(vec![], ""))], ..Script::default() };
    let stub = service(script);
    for _ in 0..2 {
        result(&stub, &order(athena()), &mut |_| {}).unwrap();
    }
    let asked = stub.asked();
    let starts: Vec<&String> = asked.iter().filter(|request| request.contains(".StartQuery")).collect();
    assert!(starts.len() == 2 && starts[0] != starts[1], "an answer to an older question would tell of older logs");
}

#[test]
fn a_query_that_fails_gives_the_reason_and_what_to_do() {
    let check = |seen: &'static str, reason: &str, expected: Advice| {
        both(&Script { looks: vec!["RUNNING 5", seen], ..Script::default() }, |stub, found| {
            let error = found.unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            let advised = match &error {
                QueryError::Failed { advice, .. } | QueryError::CancelledElsewhere { advice, .. } => *advice,
                other => panic!("{other:?}"),
            };
            assert_eq!(advised, expected, "{error}");
            assert!(error.hint().is_some());
            let asked = operations(stub);
            assert!(!asked.iter().any(|name| name == "GetQueryResults" || name.starts_with("Stop")), "{asked:?}");
        });
    };
    check("FAILED 5 Query exhausted resources at this scale factor", "exhausted resources", Advice::FewerDays);
    check("FAILED 0 TABLE_NOT_FOUND: line 1:1: Table 'a.b' does not exist", "TABLE_NOT_FOUND", Advice::Table);
    check("FAILED 0 Access Denied (Service: Amazon S3; Status Code: 403)", "Status Code: 403", Advice::Policy);
    check("FAILED 0 something nobody knows", "something nobody knows", Advice::Look);
    check("CANCELLED 9 Query cancelled! : Bytes scanned limit was exceeded", "limit was exceeded", Advice::Limit);
}

#[test]
fn hostile_words_are_cut_and_hold_no_controls() {
    let long: &'static str = Box::leak(format!("FAILED 0 {}\u{1b}[31m", "x\u{7}y".repeat(5000)).into_boxed_str());
    both(&Script { looks: vec![long], ..Script::default() }, |_, found| {
        let text = found.unwrap_err().to_string();
        assert!(text.chars().count() < 1200 && !text.chars().any(char::is_control), "{}", text.len());
    });
}

/// The error of a query that had to be cancelled, with what was asked.
fn cancelled(script: &Script, change: impl Fn(&mut Order), expected: &str, scanned: Option<u64>) {
    for engine in [athena(), lake()] {
        let stub = service(script.clone());
        let mut order = order(engine);
        order.unestimated = true;
        change(&mut order);
        let error = result(&stub, &order, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.billed(), scanned, "{error:?}");
        let asked = operations(&stub);
        let stopped = asked.iter().position(|name| name == "StopQueryExecution" || name == "CancelQuery");
        assert!(stopped.is_some(), "{asked:?}");
        assert!(!asked.iter().any(|name| name == "GetQueryResults"), "{asked:?}");
    }
}

#[test]
fn a_query_that_may_not_go_on_is_cancelled() {
    let running = Script { looks: vec!["RUNNING 5", "RUNNING 70", "RUNNING 80"], ..Script::default() };
    let endless = Script { looks: vec!["RUNNING 80"], ..Script::default() };
    cancelled(
        &running,
        |order| order.budget = Some(69),
        "more was scanned than the budget of 69 bytes: the query q-1 was cancelled",
        Some(80),
    );
    cancelled(&endless, |order| order.timeout = Duration::from_millis(40), "the query did not end within", Some(80));
    let unseen = Script { looks: vec!["RUNNING 5", "REFUSED"], ..Script::default() };
    cancelled(&unseen, |_| {}, "can no longer be watched: AccessDeniedException: not yours", Some(5));
    let stays = Script { stays: true, ..running };
    cancelled(
        &stays,
        |order| order.budget = Some(1),
        "COULD NOT BE CANCELLED and may still run: AccessDeniedException: no",
        Some(70),
    );
}

#[test]
fn the_wish_to_stop_cancels_the_query() {
    for engine in [athena(), lake()] {
        let stub = service(Script { looks: vec!["RUNNING 5"], ..Script::default() });
        let (sender, stop) = Stop::new();
        let connection = Connection::open("test").unwrap();
        let mut told = |seen: &Seen| {
            if matches!(seen, Seen::Running(_)) {
                sender.send(true).unwrap();
            }
        };
        let found = run_with(&connection, &stub.config(), &order(engine), QUICK, stop, &mut told);
        let error = found.err().unwrap();
        assert!(error.to_string().starts_with("interrupted: the query q-1 was cancelled"), "{error}");
        let asked = operations(&stub);
        assert!(asked.iter().any(|name| name == "StopQueryExecution" || name == "CancelQuery"), "{asked:?}");
    }
}

#[test]
fn the_wish_to_stop_before_the_start_starts_nothing() {
    let stub = service(Script { refused_starts: usize::MAX, ..Script::default() });
    let connection = Connection::open("test").unwrap();
    for (engine, budget) in [(athena(), None), (lake(), None), (athena(), Some(1))] {
        let (sender, stop) = Stop::new();
        sender.send(true).unwrap();
        let order = Order { budget, ..order(engine) };
        let error = run_with(&connection, &stub.config(), &order, QUICK, stop, &mut |_| {}).err().unwrap();
        assert!(error.to_string().contains("interrupted"), "{error}");
    }
    assert!(!stub.asked().iter().any(|request| request.contains("QueryResults")));
}

#[test]
fn the_wish_to_stop_ends_the_reading_of_pages() {
    let pages = vec![(false, Rows(vec!["1|a|3"], "p1")), (false, Rows(vec!["1|b|4"], ""))];
    let stub = service(Script { looks: vec!["SUCCEEDED"], pages, ..Script::default() });
    let (sender, stop) = Stop::new();
    let connection = Connection::open("test").unwrap();
    let answer = run_with(&connection, &stub.config(), &order(athena()), QUICK, stop, &mut |_| {}).unwrap();
    let mut rows = answer.rows().unwrap();
    rows.read_exact(&mut vec![0; "mark,name,count\n\"1\",\"a\",\"3\"\n".len()]).unwrap();
    sender.send(true).unwrap();
    assert!(rows.read_to_end(&mut Vec::new()).is_err());
    assert!(answer.outcome().unwrap_err().to_string().contains("it was interrupted"));
}

#[test]
fn a_page_is_asked_for_when_the_one_before_is_read() {
    let pages = vec![(false, Rows(vec!["1|a|3"], "p1")), (false, Rows(vec!["1|b|4"], "p2")), (false, Rows(vec![], ""))];
    for engine in [athena(), lake()] {
        let stub = service(Script { looks: vec!["SUCCEEDED"], pages: pages.clone(), ..Script::default() });
        let (_, stop) = Stop::new();
        let connection = Connection::open("test").unwrap();
        let answer = run_with(&connection, &stub.config(), &order(engine), QUICK, stop, &mut |_| {}).unwrap();
        let mut rows = answer.rows().unwrap();
        let asked = || stub.asked().iter().filter(|request| request.contains("GetQueryResults")).count();
        let mut text = vec![0; "mark,name,count\n".len()];
        rows.read_exact(&mut text).unwrap();
        assert_eq!(asked(), 0);
        let mut text = vec![0; "\"1\",\"a\",\"3\"\n".len()];
        rows.read_exact(&mut text).unwrap();
        assert_eq!(asked(), 1);
        assert!(answer.outcome().unwrap_err().to_string().contains("were not read to their end"));
    }
}

#[test]
fn a_result_that_is_not_whole_is_none() {
    let first = || (false, Rows(vec!["1|a|3"], "p1"));
    let check = |engines: &[Engine], pages: Vec<(bool, Reply)>, expected: &str| {
        for engine in engines {
            let stub = service(Script { looks: vec!["SUCCEEDED 7"], pages: pages.clone(), ..Script::default() });
            let error = result(&stub, &order(engine.clone()), &mut |_| {}).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(matches!(&error, QueryError::Result { .. }), "{error:?}");
            assert!(error.hint().unwrap().contains("nothing of it was used"));
        }
    };
    let all = [athena(), lake()];
    let gone = Raw(400, r#"{"__type": "InvalidRequestException", "message": "the result is gone"}"#);
    check(&all, vec![first(), (false, gone)], "page 2: InvalidRequestException: the result is gone");
    check(&all, vec![first(), (false, Raw(500, "oops"))], "page 2: ");
    check(&all, vec![first(), (false, Raw(200, "{\"cut"))], "page 2: ");
    check(&all, vec![first(), (false, Rows(vec!["1|b|4"], "p1"))], "the pages go round");
    check(&all, vec![first(), (false, Rows(vec!["2|b|4"], ""))], "page 2: a row is none that the statement asks for");
    let large: &'static str = Box::leak(format!("1|{}|3", "x".repeat(rows::ROW_LIMIT)).into_boxed_str());
    check(&all, vec![(false, Rows(vec![large], ""))], "page 1: a row is larger than 2 MiB");

    let own = [athena()];
    check(&own, vec![first(), (false, Rows(vec!["1|b"], ""))], "a row has 2 cells, and there are 3 columns");
    check(&own, vec![(false, Raw(200, "{}"))], "it holds no result");
    check(&own, vec![(false, Raw(200, r#"{"ResultSet": {"Rows": []}}"#))], "it does not name its columns");
    let other = r#"{"ResultSet": {"Rows": [], "ResultSetMetadata": {"ColumnInfo": [{"Name": "mark", "Type": "x"}, {"Name": "title", "Type": "x"}, {"Name": "count", "Type": "x"}]}}}"#;
    check(&own, vec![(false, Raw(200, other))], "a column `title` in the place of `name`");
    check(&own, vec![first(), (false, Raw(200, other))], "page 2: UnusableAnswer: it has a column `title`");

    let own = [lake()];
    let running = r#"{"QueryStatus": "RUNNING", "QueryResultRows": []}"#;
    check(&own, vec![(false, Raw(200, running))], "not finished");
    let row = |columns: &str| -> &'static str {
        Box::leak(format!(r#"{{"QueryStatus": "FINISHED", "QueryResultRows": [[{columns}]]}}"#).into_boxed_str())
    };
    check(
        &own,
        vec![(false, Raw(200, row(r#"{"mark": "1"}, {"title": "x"}"#)))],
        "a column `title` that was not asked for",
    );
    check(&own, vec![(false, Raw(200, row(r#"{"mark": "1"}, {"mark": "2"}"#)))], "the column `mark` twice");
    let fewer = r#"{"QueryStatus": "FINISHED", "QueryStatistics": {"TotalResultsCount": 3}, "QueryResultRows": []}"#;
    check(&own, vec![(false, Raw(200, fewer))], "0 rows came, and there are 3");
}

#[test]
fn lake_writes_null_as_it_likes() {
    let rows = r#"{"QueryStatus": "FINISHED", "QueryResultRows": [[{"mark": "1"}, {"name": "null"}, {"count": "3"}], [{"count": "4"}, {"mark": "1"}]]}"#;
    let stub = service(Script { pages: vec![(false, Raw(200, rows))], ..Script::default() });
    let found = result(&stub, &order(lake()), &mut |_| {}).unwrap();
    assert_eq!(found, "mark,name,count\n\"1\",,\"3\"\n\"1\",,\"4\"\n");
}

#[test]
fn of_a_start_that_nobody_answered_no_second_one_is_made_in_lake() {
    let stub = serve(
        |request, _| if request.contains(".StartQuery") { (SILENCE, String::new()) } else { (404, String::new()) },
    );
    let error = result(&stub, &order(lake()), &mut |_| {}).unwrap_err();
    assert_eq!(stub.asked().len(), 1, "each start is a query that is billed");
    assert!(error.hint().unwrap().contains("it may run all the same"), "{error:?}");
}

#[test]
fn a_start_that_is_refused_says_what_to_do() {
    let check = |engine: Engine, body: &'static str, said: &str, hint: &str| {
        let stub = serve(move |_, _| (400, body.to_owned()));
        let error = result(&stub, &order(engine), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
    };
    let output = r#"{"__type": "InvalidRequestException", "Message": "No output location provided."}"#;
    check(athena(), output, "Athena did not start the query: InvalidRequestException: No output", "--output s3://");
    let denied = r#"{"__type": "AccessDeniedException", "Message": "User: x is not authorized to perform: y"}"#;
    check(athena(), denied, "not authorized to perform", "--print-policy");
    check(lake(), denied, "CloudTrail Lake did not start", "--print-policy");
}

/// A table's parameters, as Athena tells them, or the refusal to.
fn table(parameters: Option<&'static str>) -> Stub {
    serve(move |request, _| {
        let listing = |inner: &str| (200, format!("<ListBucketResult>{inner}</ListBucketResult>"));
        let folders = |names: &[&str]| {
            let all: Vec<String> =
                names.iter().map(|name| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>")).collect();
            listing(&all.join(""))
        };
        let day = |day: &str| format!("{TRAIL}2026/11/{day}/");
        let object = |key: &str, size: u64| format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>");
        let below = |path: &str| {
            request.contains(&format!("prefix={}&", path.replace('/', "%2F")))
                || request.contains(&format!("prefix={} ", path.replace('/', "%2F")))
        };
        match () {
            () if request.contains(".GetTableMetadata ") => match parameters {
                Some(parameters) => (200, format!(r#"{{"TableMetadata": {{"Name": "cloudtrail", "Parameters": {parameters}}}}}"#)),
                None => (400, r#"{"__type": "MetadataException", "Message": "no such table"}"#.into()),
            },
            () if request.contains(".GetWorkGroup ") => {
                (200, r#"{"WorkGroup": {"Name": "paring", "State": "ENABLED", "Configuration": {"BytesScannedCutoffPerQuery": 100000000,
                    "EnforceWorkGroupConfiguration": true, "ResultConfiguration": {"OutputLocation": "s3://own/"}}}}"#.into())
            }
            () if below("logs/") => folders(&["logs/1/"]),
            () if below("logs/1/") => folders(&["logs/1/CloudTrail/", "logs/1/CloudTrail-Digest/", "logs/1/Config/"]),
            () if below("logs/1/Config/") => listing(&object("logs/1/Config/a.json.gz", 1000)),
            () if below(TRAIL) => folders(&[&format!("{TRAIL}2026/")]),
            () if below(&format!("{TRAIL}2026/")) => folders(&[&format!("{TRAIL}2026/10/"), &format!("{TRAIL}2026/11/")]),
            () if below(&format!("{TRAIL}2026/11/")) => {
                folders(&[&day("01"), &day("02"), &day("03")])
            }
            () if below(&day("01")) => listing(&object(&format!("{}a.json.gz", day("01")), 70)),
            () if below(&day("02")) && !request.contains("continuation-token") => listing(&format!(
                "{}<NextContinuationToken>t</NextContinuationToken>",
                object(&format!("{}a.json.gz", day("02")), 20)
            )),
            () if below(&day("02")) => listing(&object(&format!("{}b.json.gz", day("02")), 10)),
            () if request.contains(".StartQueryExecution ") => (200, r#"{"QueryExecutionId": "q-1"}"#.into()),
            () if request.contains(".GetQueryExecution ") => look(true, "SUCCEEDED 100"),
            () if request.contains(".GetQueryResults ") => {
                let script = Script { pages: vec![(false, Rows(vec!["1|a|3"], ""))], ..Script::default() };
                page(true, &script, 0)
            }
            () => (404, "nothing there".into()),
        }
    })
}

const TRAIL: &str = "logs/1/CloudTrail/";

const PROJECTED: &str = r#"{"location": "s3://other/", "projection.enabled": "true", "storage.location.template": "s3://trail/logs/${account}/CloudTrail/${timestamp}"}"#;

#[test]
fn what_would_be_scanned_is_listed_or_unknown() {
    let check = |parameters: Option<&'static str>, expected: Result<(u64, u64), &str>| {
        let stub = table(parameters);
        let connection = Connection::open("test").unwrap();
        let preview = preview_with(&connection, &stub.config(), &order(athena())).unwrap();
        match (&preview.scan, expected) {
            (Scan::Known { bytes, objects, .. }, Ok(expected)) => assert_eq!((*bytes, *objects), expected),
            (Scan::Unknown { why }, Err(expected)) => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
        let group = preview.workgroup.unwrap().unwrap();
        assert_eq!((group.cutoff, group.enforced, group.enabled), (Some(100_000_000), true, true));
        let asked = operations(&stub);
        assert!(!asked.iter().any(|name| name.starts_with("Start")), "nothing runs: {asked:?}");
        assert!(!stub.asked().iter().any(|request| request.contains("2026%2F10%2F") || request.contains("11%2F03")));
    };
    check(Some(PROJECTED), Ok((100, 3)));
    // Nothing says that what lies beside the logs is none: it is counted.
    check(Some(r#"{"location": "s3://trail/logs/"}"#), Ok((1100, 4)));
    check(Some("{}"), Err("does not say where its logs lie"));
    check(Some(r#"{"location": "hdfs://x"}"#), Err("no place of S3"));
    check(Some(r#"{"location": "s3://trail/forbidden/"}"#), Err("`s3:ListBucket` failed"));
    check(None, Err("`athena:GetTableMetadata` failed: MetadataException: no such table"));
}

#[test]
fn what_lake_would_scan_nobody_knows() {
    let stub = service(Script::default());
    let preview = preview_with(&Connection::open("test").unwrap(), &stub.config(), &order(lake())).unwrap();
    assert!(matches!(&preview.scan, Scan::Unknown { why } if why.contains("does not tell")), "{preview:?}");
    assert_eq!((preview.workgroup, stub.asked().len()), (None, 0));
}

#[test]
fn over_the_budget_or_without_an_estimate_nothing_is_started() {
    let check = |stub: &Stub, engine: Engine, budget: u64, unestimated: bool, expected: Result<(), &str>| {
        let order = Order { budget: Some(budget), unestimated, ..order(engine) };
        let estimates = Mutex::new(0);
        let found = result(stub, &order, &mut |seen| {
            if matches!(seen, Seen::Estimated(_)) {
                *estimates.lock().unwrap() += 1;
            }
        });
        assert_eq!(*estimates.lock().unwrap(), 1, "what is known is told first");
        let started = operations(stub).iter().any(|name| name.starts_with("StartQuery"));
        match expected {
            Ok(()) => assert!(found.is_ok() && started, "{found:?}"),
            Err(said) => {
                let error = found.unwrap_err();
                assert!(error.to_string().contains(said) && error.hint().is_some(), "{error}");
                assert!(!started);
                assert_eq!(error.billed(), None);
            }
        }
    };
    let over = "was not started: it would scan 100 bytes, and the budget is 99";
    check(&table(Some(PROJECTED)), athena(), 99, false, Err(over));
    check(&table(Some(PROJECTED)), athena(), 99, true, Err(over));
    check(&table(Some(PROJECTED)), athena(), 100, false, Ok(()));
    check(&table(None), athena(), 1 << 40, false, Err("what it would scan is unknown"));
    check(&table(None), athena(), 1 << 40, true, Ok(()));
    let script =
        Script { looks: vec!["SUCCEEDED 7"], pages: vec![(false, Rows(vec!["1|a|3"], ""))], ..Script::default() };
    check(&service(script.clone()), lake(), 1 << 40, false, Err("CloudTrail Lake does not tell"));
    check(&service(script), lake(), 1 << 40, true, Ok(()));
}

#[test]
fn the_policy_allows_each_call_that_is_made() {
    let pages = vec![(false, Rows(vec!["1|a|3"], ""))];
    let stubs = [
        service(Script { looks: vec!["SUCCEEDED"], pages: pages.clone(), ..Script::default() }),
        service(Script { looks: vec!["RUNNING 9"], pages, ..Script::default() }),
        table(Some(PROJECTED)),
    ];
    for engine in [athena(), lake()] {
        let plan = match &engine {
            Engine::Lake { store } => crate::QueryPlan::Lake { store: store.clone() },
            Engine::Athena { .. } => crate::QueryPlan::Athena {
                database: "audit".into(),
                table: "cloudtrail".into(),
                workgroup: "paring".into(),
                logs: "trail/logs/".into(),
                results: None,
            },
        };
        let policy = crate::query_policy(&plan);
        let service = if matches!(engine, Engine::Lake { .. }) { "cloudtrail" } else { "athena" };
        for stub in &stubs {
            let before = stub.asked().len();
            let connection = Connection::open("test").unwrap();
            let _ = preview_with(&connection, &stub.config(), &order(engine.clone()));
            let order = Order { budget: Some(1), unestimated: true, ..order(engine.clone()) };
            let _ = result(stub, &order, &mut |_| {});
            let _ = result(stub, &Order { budget: None, timeout: Duration::from_millis(50), ..order }, &mut |_| {});
            for request in stub.asked().split_off(before) {
                let target = request.split(' ').nth(3).unwrap_or_default();
                let action = match target.rsplit('.').next().unwrap_or_default() {
                    "" => "\"s3:ListBucket\"".to_owned(),
                    name => format!("\"{service}:{name}\""),
                };
                assert!(policy.contains(&action), "{action} is not in {policy}");
                assert!(!request.contains(CANARY));
            }
        }
    }
}
