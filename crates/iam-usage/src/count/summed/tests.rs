//! Rows of counts: they give what their records give.

use iam_model::usage::{Merging, UsageLog};

use crate::tests::catalog;
use crate::{LogSource, Options, read};

fn usage(text: &str, options: &Options) -> UsageLog {
    let (log, _) = read([LogSource::from_bytes("x", text.as_bytes().to_vec())], catalog(), options, &|_| {});
    UsageLog { merging: Merging::default(), ..log }
}

fn record(id: &str, time: &str, error: &str) -> String {
    format!(
        r#"{{"eventID": "{id}", "eventTime": "2026-11-20T{time}Z", "eventSource": "dynamodb.amazonaws.com", "eventName": "GetItem",
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", {error} "requestParameters": {{"tableName": "T"}},
        "userIdentity": {{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/r/fn", "sessionContext":
        {{"sessionIssuer": {{"type": "Role", "arn": "arn:aws:iam::111122223333:role/r"}}}}}}}}"#
    )
}

const ROWS: &str = "paring_rows,event_day,account,region,event_type,identity,event_source,event_name,role_arn,session_arn,invoked_by,\
    issued_to,denied,read_only,endpoint,resources,parameters,calls,copies,first_time,last_time,id_1,id_2,id_3\n\
    1,2026-11-20,111122223333,eu-west-1,,AssumedRole,dynamodb.amazonaws.com,GetItem,arn:aws:iam::111122223333:role/r,\
    arn:aws:sts::111122223333:assumed-role/r/fn,,,0,0,,,\"{\"\"tableName\"\":\"\"T\"\"}\",3,1,2026-11-20T01:00:00Z,2026-11-20T03:00:00Z,a,b,c\n\
    1,2026-11-20,111122223333,eu-west-1,,AssumedRole,dynamodb.amazonaws.com,GetItem,arn:aws:iam::111122223333:role/r,\
    arn:aws:sts::111122223333:assumed-role/r/fn,,,1,0,,,\"{\"\"tableName\"\":\"\"T\"\"}\",1,0,2026-11-20T04:00:00Z,2026-11-20T04:00:00Z,d,,\n\
    1,2026-11-20,111122223333,eu-west-1,,IAMUser,,,,,,,0,0,,,,2,0,2026-11-20T05:00:00Z,2026-11-20T06:00:00Z,e,f,\n";

#[test]
fn rows_give_what_their_records_give() {
    let user = |id: &str, time: &str| {
        record(id, time, "")
            .replace("AssumedRole", "IAMUser")
            .replace("arn:aws:sts::111122223333:assumed-role/r/fn", "x")
    };
    let records = [
        record("c", "03:00:00", ""),
        record("a", "01:00:00", ""),
        record("a", "01:00:00", ""),
        record("b", "02:00:00", ""),
        record("d", "04:00:00", r#""errorCode": "AccessDenied","#),
        user("e", "05:00:00"),
        user("f", "06:00:00"),
    ];
    let log = format!(r#"{{"Records": [{}]}}"#, records.join(","));
    for until in [None, Some("2026-11-20T03:30:00Z"), Some("2026-11-19T00:00:00Z")] {
        let until = until.and_then(iam_model::time::Timestamp::parse);
        let options = Options { until, threads: 1, ..Options::default() };
        assert_eq!(usage(ROWS, &options), usage(&log, &options), "{until:?}");
    }
}

#[test]
fn of_a_row_that_is_partly_within_the_time_asked_for_all_counts() {
    let since = iam_model::time::Timestamp::parse("2026-11-20T02:30:00Z");
    let log = usage(ROWS, &Options { since, threads: 1, ..Options::default() });
    let [seen] = log.principals.values().next().unwrap().observations.as_slice() else { panic!("{log:?}") };
    assert_eq!((seen.count, seen.denied), (3, 1));
}
