//! Records that are told by comparing bytes are counted as if they had been read.

use iam_model::usage::UsageLog;
use proptest::prelude::*;

use crate::{LogSource, Options, read};

/// Values that rules look into, and others.
const VALUES: &[&str] = &[
    r#""a""#,
    r#""b/c/d.json""#,
    r#""""#,
    r#""*?$""#,
    r#""a\"b""#,
    r#""subnet-12345678""#,
    r#""arn:aws:s3:::other/key""#,
    r#""arn:aws:iam::111122223333:role/passed""#,
    r#""HIDDEN_DUE_TO_SECURITY_REASONS""#,
    r#""x--x-s3""#,
    "null",
    "7",
    "true",
    "{}",
    r#"{"T":{"keys":[1]},"U":[]}"#,
    r#"[{"put":{"tableName":"T"}}]"#,
    "[]",
];

/// Sources, names, and parameters that matter for some of them.
const CALLS: &[(&str, &str, &[&str])] = &[
    ("s3", "GetObject", &["bucketName", "key", "Host"]),
    ("s3", "PutObject", &["bucketName", "key", "x-amz-acl", "x-amz-tagging"]),
    ("s3", "CopyObject", &["bucketName", "key", "x-amz-copy-source"]),
    ("dynamodb", "GetItem", &["tableName", "key", "indexName"]),
    ("dynamodb", "Query", &["tableName", "indexName", "limit"]),
    ("dynamodb", "BatchGetItem", &["requestItems", "returnConsumedCapacity"]),
    ("dynamodb", "TransactWriteItems", &["transactItems", "clientRequestToken"]),
    ("logs", "CreateLogStream", &["logGroupName", "logStreamName"]),
    ("kms", "Decrypt", &["keyId", "encryptionContext"]),
    ("lambda", "CreateFunction20150331", &["functionName", "role"]),
    ("ec2", "DescribeSubnets", &["subnetSet", "filterSet"]),
    ("ec2", "RunInstances", &["instancesSet", "subnetId", "tagSpecificationSet"]),
    ("monitoring", "DescribeAlarms", &["alarmNamePrefix", "maxRecords"]),
    ("sqs", "SendMessage", &["queueUrl", "messageBody"]),
    ("sts", "GetCallerIdentity", &["x"]),
    ("madeup", "DoThings", &["x"]),
];

/// What a record says, as numbers that pick from the lists.
type Picks = (usize, [usize; 4], usize, [usize; 3], u8, u8);

/// A record in the order CloudTrail writes them, with `gap` behind its brace.
fn record(gap: &str, id: usize, (call, values, name, what, flags, more): &Picks) -> String {
    let (source, event, parameters) = CALLS[call % CALLS.len()];
    let pick = |number: usize| VALUES[number % VALUES.len()];
    let parameters: Vec<String> = (parameters.iter().zip(values))
        .filter(|(_, value)| **value != 0)
        .map(|(name, value)| format!("{name:?}:{}", pick(*value)))
        .collect();
    let error = if flags & 1 == 1 { r#""errorCode":"AccessDenied","errorMessage":"no","# } else { "" };
    let arn = ["arn:aws:s3:::b/k1", "arn:aws:s3:::b/k2", "arn:aws:dynamodb:eu-west-1:111122223333:table/T", "no arn"]
        [name % 4];
    let resources = match more % 4 {
        0 => String::new(),
        1 => format!(r#""resources":[{{"type":"x","ARN":"{arn}"}}],"#),
        2 => {
            format!(r#""resources":[{{"ARN":"{arn}/{name}"}},{{"accountId":"111122223333","ARN":"arn:aws:s3:::b"}}],"#)
        }
        _ => r#""resources":[{"ARNPrefix":"arn:aws:s3:::b/"}],"#.to_owned(),
    };
    let endpoint = if flags & 2 == 2 { r#","vpcEndpointId":"vpce-0123456789abcdef0""# } else { "" };
    let agent = pick(what[0]);
    let invoked = if flags & 4 == 4 { r#","invokedBy":"s3.amazonaws.com""# } else { "" };
    format!(
        r#"{{{gap}"eventVersion":"1.1{id}","userIdentity":{{"type":"AssumedRole","principalId":"AROA0123456789ABCDEF:fn-{caller}","arn":"arn:aws:sts::111122223333:assumed-role/fn-{caller}-role/fn-{caller}","accountId":"111122223333","accessKeyId":"ASIA{id}","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/fn-{caller}-role"}},"attributes":{{"creationDate":"x{id}"}}}}{invoked}}},"eventTime":"2026-11-2{day}T08:15:3{day}Z","eventSource":"{source}.amazonaws.com","eventName":"{event}","awsRegion":"eu-west-1","sourceIPAddress":"10.0.0.{id}","userAgent":{agent},{error}"requestParameters":{{{parameters}}},"responseElements":{response},"requestID":"r{id}","eventID":"e{id}","readOnly":{read_only},{resources}"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333"{endpoint},"tlsDetails":{{"tlsVersion":"TLSv1.3"}}}}"#,
        caller = name % 2,
        day = what[1] % 10,
        parameters = parameters.join(","),
        response = pick(what[2]),
        read_only = flags & 8 == 8,
    )
}

fn log(gap: &str, picks: &[Picks]) -> UsageLog {
    let records: Vec<String> = picks.iter().enumerate().map(|(id, picks)| record(gap, id / 2, picks)).collect();
    // Room behind the last record: a block of bytes is compared at a time.
    let text = format!(r#"{{"Records":[{}],"more":"{}"}}"#, records.join(","), "x".repeat(64));
    let (log, diagnostics) =
        read([LogSource::from_bytes("trail.json", text.into_bytes())], super::catalog(), &Options::default(), &|_| {});
    assert_eq!(diagnostics, []);
    super::check_sum(&log);
    log
}

/// Few picks, so that many records are alike.
fn picks() -> impl Strategy<Value = Picks> {
    let value = prop_oneof![3 => Just(0_usize), 3 => Just(1), 3 => 0..VALUES.len()];
    let values = [value.clone(), value.clone(), value.clone(), value];
    (0..CALLS.len(), values, 0_usize..40, [0_usize..3, 0..3, 0..VALUES.len()], 0_u8..16, 0_u8..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn comparing_counts_as_reading_does(kinds in proptest::collection::vec(picks(), 1..8), order in proptest::collection::vec((0_usize..8, 0_usize..40, 0_usize..4), 20..200)) {
        // The same calls again and again, each with another name or value now and then.
        let picks: Vec<Picks> = order.iter().map(|(kind, name, value)| {
            let mut picks = kinds[kind % kinds.len()];
            if name % 2 == 0 { picks.2 = *name; }
            if name % 3 == 0 { picks.1[value % 4] += value; picks.3[0] = *value; }
            picks
        }).collect();
        let [quick, read] = ["", " "].map(|gap| super::lines(&log(gap, &picks)));
        prop_assert_eq!(super::differing(&quick, &read), None);
    }
}
