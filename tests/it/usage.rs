//! `paring usage`: logs by file, folder and glob, filters, and AWS's own record of last uses beside the logs.

use crate::run::Folder;

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/worker";

/// A record of the role.
fn record(id: u32, source: &str, name: &str, parameters: &str, day: &str) -> String {
    format!(
        r#"{{"eventID": "{id}", "eventTime": "{day}T08:15:30Z", "eventSource": "{source}.amazonaws.com", "eventName": "{name}",
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "requestParameters": {parameters}, "userIdentity":
        {{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/worker/orders", "sessionContext":
        {{"sessionIssuer": {{"type": "Role", "arn": "{ROLE}"}}}}}}}}"#
    )
}

/// A folder of logs of November.
fn logs() -> Folder {
    let folder = Folder::new();
    let file = |records: &[String]| format!(r#"{{"Records": [{}]}}"#, records.join(","));
    let queue = r#"{"queueName": "jobs"}"#;
    let day = |day: &str| format!("logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/{day}/events.json");
    folder.write(&day("01"), file(&[record(1, "sqs", "CreateQueue", queue, "2026-11-01")]));
    folder.write(
        &day("20"),
        file(&[record(2, "sqs", "CreateQueue", queue, "2026-11-20"), record(3, "sqs", "NewThing", "{}", "2026-11-20")]),
    );
    folder
}

#[test]
fn a_glob_a_folder_and_files_give_the_same() {
    let folder = logs();
    let of_folder = folder.paring(&["usage", "logs"]);
    assert_eq!(of_folder.code, 0, "{}", of_folder.stderr);
    assert!(of_folder.stdout.contains("sqs:CreateQueue          2"), "{}", of_folder.stdout);
    for arguments in [vec!["usage", "logs/**/*.json"], vec!["usage", "logs/*/111122223333/CloudTrail/*", "logs"]] {
        let output = folder.paring(&arguments);
        assert_eq!((output.code, &output.stdout), (0, &of_folder.stdout), "{arguments:?} {}", output.stderr);
    }
    let none = folder.paring(&["usage", "logs/**/*.parquet"]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("`logs/**/*.parquet`: no file matches"), "{}", none.stderr);
}

#[test]
fn logs_that_are_piped_in_are_read_as_files_are() {
    let folder = logs();
    let file = "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/events.json";
    let named = folder.paring(&["usage", file]);
    let piped = folder.paring_piped(file, &["usage", "-"]);
    assert_eq!((piped.code, &piped.stdout), (0, &named.stdout), "{}", piped.stderr);
    folder.write("s.json", std::fs::read(crate::run::example().join("snapshot.json")).unwrap());
    let twice = folder.paring_piped("s.json", &["usage", "-", "--snapshot", "-"]);
    assert_eq!(twice.code, 2);
    assert!(twice.stderr.contains("standard input can be read once"), "{}", twice.stderr);
    let kept = folder.paring_piped(file, &["usage", "-", "--state", "state"]);
    assert_eq!(kept.code, 2);
    assert!(kept.stderr.contains("`-` has no name"), "{}", kept.stderr);
}

#[test]
fn filters_choose_and_a_name_nobody_has_is_a_mistake() {
    let folder = logs();
    let output = folder.paring(&["usage", "logs", "--role", "worker", "--since", "2026-11-02", "--by", "service"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("\n  sqs          1  2026-11-20"), "{}", output.stdout);
    let output = folder.paring(&["usage", "logs", "--role", "wroker"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("none of the 3 records read is of the roles"), "{}", output.stderr);
}

#[test]
fn events_that_nothing_explains_are_listed_with_their_count() {
    let output = logs().paring(&["usage", "logs"]);
    assert!(output.stdout.contains("not resolved: sqs.amazonaws.com NewThing (1)"), "{}", output.stdout);
}

#[test]
fn a_role_is_shown_with_what_it_was_not_seen_to_do() {
    let folder = logs();
    let text = folder.paring(&["usage", "logs", "--role", ROLE]).stdout;
    assert!(text.contains("not seen, and would have been"), "{text}");
    assert!(text.contains("the trails record no data events of AWS::SQS::Queue"), "{text}");
    // AWS recorded a use the logs do not show, and none of what they could not have shown.
    let report = format!(
        r#"{{"JobStatus": "COMPLETED", "JobCompletionDate": "2026-11-21T00:00:00Z", "ServicesLastAccessed": [
        {{"ServiceNamespace": "sqs", "LastAuthenticated": "2026-11-20T08:00:00Z", "LastAuthenticatedEntity": "{ROLE}",
          "TrackedActionsLastAccessed": [{{"ActionName": "DeleteQueue", "LastAccessedTime": "2026-11-10T00:00:00Z"}}]}},
        {{"ServiceNamespace": "swf"}}]}}"#
    );
    folder.write("reports/worker.json", report);
    folder.write("reports/other.json", r#"{"JobStatus": "IN_PROGRESS", "ServicesLastAccessed": []}"#);
    let output = folder.paring(&["usage", "logs", "--role", "worker", "--last-accessed", "reports"]);
    assert!(
        output.stdout.contains("only by AWS's own record: sqs:DeleteQueue, last used on 2026-11-10"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("and 35 more: by AWS's own record"), "{}", output.stdout);
    assert!(output.stderr.contains("its job is `IN_PROGRESS`"), "{}", output.stderr);
}

/// The JSON is written role by role, so that a large account is never held as text: the pieces are one well-formed text.
#[test]
fn the_json_of_many_roles_is_one_text_that_can_be_read_again() {
    let folder = logs();
    let other = record(4, "sqs", "CreateQueue", r#"{"queueName": "mail"}"#, "2026-11-03").replace("worker", "mailer");
    folder.write("logs/more.json", format!(r#"{{"Records": [{other}]}}"#));
    let output = folder.paring(&["usage", "logs", "--format", "json"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let read: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(read["schema"], "paring-usage/1");
    let roles: Vec<&String> = read["principals"].as_object().unwrap().keys().collect();
    assert_eq!(roles, ["arn:aws:iam::111122223333:role/service-role/mailer", ROLE]);
    assert_eq!(read["principals"][ROLE]["observations"][0]["count"], 2);
    assert_eq!(read["unresolved"][0]["event_name"], "NewThing");
    assert!(output.stdout.ends_with("}\n") && output.stdout.contains("\n  \"principals\": {\n    \"arn:"));
}
