//! Reports as the AWS CLI prints them, and what is wrong with others.

use super::*;
use iam_model::text::SourceName;

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/worker";

fn read(name: &str, text: &str) -> Result<(Arn, RoleReport), ReportError> {
    let source = SourceText { name: SourceName::new(name), text: text.into() };
    last_accessed(&source, &[ROLE.parse().unwrap(), "arn:aws:iam::111122223333:role/other".parse().unwrap()])
}

fn report(services: &str, more: &str) -> String {
    format!(
        r#"{{"JobStatus": "COMPLETED", "JobType": "ACTION_LEVEL", "JobCompletionDate": "2026-11-20T08:15:30.123000+00:00",
        "ServicesLastAccessed": [{services}], "IsTruncated": false{more}}}"#
    )
}

/// `expected`: a part of what is said.
fn check(name: &str, text: &str, expected: &str) {
    let error = read(name, text).unwrap_err();
    assert!(error.message.contains(expected), "{text}: {}", error.message);
    assert!(error.place.to_string().contains(name));
}

#[test]
fn a_report_that_was_cut_off_is_not_whole() {
    let text = report("", r#", "Arn": "arn:aws:iam::111122223333:role/other""#);
    assert!(!read("other.json", &text).unwrap().1.cut_off);
    let cut = text.replace("\"IsTruncated\": false", "\"IsTruncated\": true, \"Marker\": \"m\"");
    assert!(read("other.json", &cut).unwrap().1.cut_off);
}

#[test]
fn services_and_their_actions_are_read() {
    let text = report(
        &format!(
            r#"{{"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "LastAuthenticated": "2026-11-01T00:00:00+00:00",
               "LastAuthenticatedEntity": "{ROLE}", "TrackedActionsLastAccessed": [
                 {{"ActionName": "CreateBucket", "LastAccessedTime": "2026-11-01T00:00:00Z", "LastAccessedEntity": "{ROLE}"}},
                 {{"ActionName": "DeleteBucket"}}]}},
               {{"ServiceName": "AWS KMS", "ServiceNamespace": "KMS", "LastAuthenticated": null}}"#
        ),
        "",
    );
    let (role, report) = read("any.json", &text).unwrap();
    assert_eq!(role.as_str(), ROLE);
    let s3 = &report.services["s3"];
    assert_eq!(s3.made.to_string(), "2026-11-20T08:15:30Z");
    let actions: Vec<String> = s3
        .actions
        .iter()
        .map(|(action, last)| format!("{action} {}", last.map_or("-".into(), |last| last.to_string())))
        .collect();
    assert_eq!(actions, ["s3:CreateBucket 2026-11-01T00:00:00Z", "s3:DeleteBucket -"]);
    assert_eq!(report.services["kms"].last, None);
}

#[test]
fn a_report_without_a_use_is_told_by_its_name_or_a_member() {
    let unused = r#"{"ServiceNamespace": "sqs"}"#;
    assert_eq!(read("get-service-last-accessed-details/worker.json", &report(unused, "")).unwrap().0.as_str(), ROLE);
    let named = report(unused, &format!(r#", "Arn": "{ROLE}""#));
    assert_eq!(read("x.json", &named).unwrap().0.as_str(), ROLE);
    check("x.json", &report(unused, ""), "does not say which role");
}

#[test]
fn other_things_are_refused() {
    check("a.json", "{", "not JSON");
    check("a.json", "[]", "no `ServicesLastAccessed`");
    check("a.json", r#"{"JobStatus": "IN_PROGRESS", "ServicesLastAccessed": []}"#, "`IN_PROGRESS`");
    check("a.json", r#"{"JobStatus": "COMPLETED", "ServicesLastAccessed": []}"#, "when it was made");
    check("worker.json", &report(r#"{"ServiceNamespace": "s3", "LastAuthenticated": "yesterday"}"#, ""), "is no time");
    check("worker.json", &report(r#"{"ServiceName": "S3"}"#, ""), "without `ServiceNamespace`");
    let two = r#"{"ServiceNamespace": "s3", "LastAuthenticatedEntity": "arn:aws:iam::1:role/a"},
        {"ServiceNamespace": "kms", "LastAuthenticatedEntity": "arn:aws:iam::1:role/b"}"#;
    check("a.json", &report(two, ""), "several roles");
    let user = r#"{"ServiceNamespace": "s3", "LastAuthenticatedEntity": "arn:aws:iam::111122223333:user/a"}"#;
    check("a.json", &report(user, ""), "which is no role");
}

#[test]
fn hostile_nesting_is_refused() {
    check("a.json", &"[".repeat(100_000), "not JSON");
}

/// The law of the fuzz target, over its seeds cut off at every character and with each character doubled.
#[test]
fn damaged_reports_are_refused_or_keep_to_a_role_and_its_services() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/last_accessed");
    let mut read_whole = 0;
    for entry in std::fs::read_dir(seeds).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let parts = || text.char_indices().map(|(at, next)| (text.split_at(at), next));
        let cut = parts().map(|((head, _), _)| head.to_owned());
        let doubled = parts().map(|((head, tail), next)| format!("{head}{next}{tail}"));
        for damaged in cut.chain(doubled).chain([text.clone()]) {
            let Ok((role, report)) = read("report.json", &damaged) else { continue };
            read_whole += usize::from(damaged == text);
            assert!(role.service() == "iam" && role.resource().starts_with("role/"), "{damaged}");
            for (prefix, service) in &report.services {
                assert!(
                    service.actions.keys().all(|action| action.service().eq_ignore_ascii_case(prefix)),
                    "{damaged}"
                );
            }
        }
    }
    assert!(read_whole > 0, "no seed is a report");
}
