//! What is asked, and how answers are read.

use super::*;
use crate::stub::serve;

fn document() -> PolicyDocument {
    let source = iam_model::text::SourceText {
        name: iam_model::text::SourceName::new("p.json"),
        text: r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}]}"#.into(),
    };
    iam_model::policy::parse(&source).0
}

#[test]
fn findings_of_all_pages_come_in_order_with_their_place() {
    let stub = serve(|request, _| {
        let (kind, next) =
            if request.contains("nextToken") { ("NEW_KIND", "") } else { ("SECURITY_WARNING", r#","nextToken":"2""#) };
        let body = format!(
            r#"{{"findings": [{{"findingDetails": "d", "findingType": "{kind}", "issueCode": "PASS_ROLE_WITH_STAR_IN_RESOURCE",
                "learnMoreLink": "https://docs.aws.amazon.com/x", "locations": [{{"path": [{{"value": "Statement"}}],
                "span": {{"start": {{"line": 1, "column": 40, "offset": 40}}, "end": {{"line": 1, "column": 54, "offset": 54}}}}}}]}}]{next}}}"#
        );
        (200, body)
    });
    let findings = block_on(validate_with(&stub.config(), &document(), AttachmentKind::Trust)).unwrap().unwrap();
    let kinds: Vec<FindingKind> = findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::SecurityWarning, FindingKind::Unknown]);
    assert_eq!(findings[0].issue, "PASS_ROLE_WITH_STAR_IN_RESOURCE");
    assert_eq!(findings[0].position, Some(Position { line: 1, column: 41 }));
    let asked = stub.asked();
    assert_eq!(asked.len(), 2);
    for part in ["RESOURCE_POLICY", "AWS::IAM::AssumeRolePolicyDocument", r#"\"iam:PassRole\""#] {
        assert!(asked[0].contains(part), "no {part} in {}", asked[0]);
    }
}

#[test]
fn a_refusal_names_the_call() {
    let stub = serve(|_, _| (403, r#"{"__type": "AccessDeniedException", "message": "not you"}"#.into()));
    let error = block_on(validate_with(&stub.config(), &document(), AttachmentKind::Identity)).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "`access-analyzer:ValidatePolicy` failed: AccessDeniedException: not you");
    assert!(error.hint().unwrap().contains("access-analyzer:ValidatePolicy"));
}

mod flow {
    //! The queue of generations and the custom checks, against a stand-in that speaks Access Analyzer's shapes.

    use std::sync::atomic::{AtomicUsize, Ordering};

    use iam_model::action::ActionPattern;
    use iam_model::arn::Arn;

    use super::super::checks::{Opinion, Question, opinions_with};
    use super::super::generation::{Generated, Logs, generate_with};
    use super::*;

    fn role(name: &str) -> Arn {
        format!("arn:aws:iam::111122223333:role/{name}").parse().unwrap()
    }

    fn logs() -> Logs {
        Logs {
            trail: "arn:aws:cloudtrail:us-east-1:111122223333:trail/t".into(),
            access_role: "arn:aws:iam::111122223333:role/service-role/analyzer".into(),
            days: 90,
        }
    }

    fn refused(code: &str, message: &str) -> (u16, String) {
        (402, format!(r#"{{"__type": "{code}", "message": "{message}"}}"#))
    }

    fn result(job: &str, status: &str, more: &str) -> (u16, String) {
        let body = format!(
            r#"{{"jobDetails": {{"jobId": "{job}", "status": "{status}", "startedOn": "2026-11-01T00:00:00Z"{more}}},
                "generatedPolicyResult": {{"properties": {{"isComplete": true, "principalArn": "arn:aws:iam::111122223333:role/{job}"}},
                "generatedPolicies": [{{"policy": "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":\"s3:GetBucketLocation\",\"Resource\":\"arn:aws:s3:::${{BucketName}}\"}}]}}"}}]}}}}"#
        );
        (200, body)
    }

    /// `first` was generated before; `second` waits for another job, then runs a while; `third` fails; at `fourth` the
    /// day's quota is used up.
    fn analyzer(request: &str, before: usize, starts: &AtomicUsize) -> (u16, String) {
        match request {
            r if r.starts_with("GET /policy/generation?") && r.contains("first") => (
                200,
                r#"{"policyGenerations": [{"jobId": "first", "principalArn": "arn:aws:iam::111122223333:role/first",
                    "status": "SUCCEEDED", "startedOn": "2026-11-01T00:00:00Z"}]}"#
                    .into(),
            ),
            r if r.starts_with("GET /policy/generation?") => (200, r#"{"policyGenerations": []}"#.into()),
            r if r.starts_with("PUT /policy/generation ") && r.contains("role/second") => {
                match starts.fetch_add(1, Ordering::Relaxed) {
                    0 => refused("ConflictException", "a generation is running"),
                    1 => refused("ServiceQuotaExceededException", "concurrent generations exceeded"),
                    _ => (200, r#"{"jobId": "second"}"#.into()),
                }
            }
            r if r.starts_with("PUT /policy/generation ") && r.contains("role/third") => {
                (200, r#"{"jobId": "third"}"#.into())
            }
            r if r.starts_with("PUT /policy/generation ") => {
                refused("ServiceQuotaExceededException", "generations per day exceeded")
            }
            r if r.starts_with("GET /policy/generation/second") && before < 2 => result("second", "IN_PROGRESS", ""),
            r if r.starts_with("GET /policy/generation/third") => {
                let error =
                    r#", "jobError": {"code": "SERVICE_QUOTA_EXCEEDED_ERROR", "message": "too many log files"}"#;
                result("third", "FAILED", error)
            }
            r if r.starts_with("GET /policy/generation/first") => result("first", "SUCCEEDED", ""),
            r if r.starts_with("GET /policy/generation/second") => result("second", "SUCCEEDED", ""),
            other => (500, format!("nobody expects {other}")),
        }
    }

    #[test]
    fn roles_are_generated_one_at_a_time_until_the_days_quota_is_used_up() {
        let starts = AtomicUsize::new(0);
        let stub = serve(move |request, before| analyzer(request, before, &starts));
        let roles = ["first", "second", "third", "fourth", "fifth"].map(role);
        let mut told = Vec::new();
        block_on(generate_with(
            &stub.config(),
            &roles,
            &logs(),
            (1_800_000_000, std::time::Duration::from_millis(1)),
            &mut |role, generated| {
                let word = match generated {
                    Generated::Answer(answer) => {
                        assert!(answer.to_compact().contains("${BucketName}"));
                        "answer".to_owned()
                    }
                    Generated::Failed(why) => why,
                    Generated::Another => "another day".to_owned(),
                };
                told.push(format!("{}: {word}", role.name()));
            },
        ))
        .unwrap()
        .unwrap();
        assert_eq!(
            told,
            [
                "first: answer",
                "second: answer",
                "third: the job is FAILED: SERVICE_QUOTA_EXCEEDED_ERROR: too many log files",
                "fourth: another day",
                "fifth: another day"
            ]
        );
        let asked = stub.asked();
        let starts: Vec<&String> = asked.iter().filter(|r| r.starts_with("PUT ")).collect();
        assert!(starts.iter().all(|r| !r.contains("role/first") && !r.contains("role/fifth")), "{starts:#?}");
        assert!(
            starts[0].contains("\"allRegions\":true") && starts[0].contains("service-role/analyzer"),
            "{}",
            starts[0]
        );
        let look = asked.iter().find(|r| r.starts_with("GET /policy/generation/second")).unwrap();
        assert!(look.contains("includeResourcePlaceholders=true") && look.contains("includeServiceLevelTemplate=true"));
    }

    #[test]
    fn the_three_checks_pass_fail_and_stay_open() {
        let stub = serve(|request, _| {
            match request {
            r if r.contains("/policy/check-no-new-access") => (
                200,
                r#"{"result": "FAIL", "message": "new access", "reasons": [{"description": "New access in the statement with index: 0.", "statementIndex": 0}]}"#.into(),
            ),
            r if r.contains("/policy/check-access-not-granted") => (200, r#"{"result": "PASS", "message": "none"}"#.into()),
            _ => refused("UnprocessableEntityException", "not this one"),
        }
        });
        let questions = [
            Question::NoNewAccess { old: document(), new: document(), kind: AttachmentKind::Trust },
            Question::NotGranted {
                policy: document(),
                actions: vec![ActionPattern::new("iam:CreateUser")],
                kind: AttachmentKind::Identity,
            },
            Question::NoPublic { policy: document(), resource_type: "AWS::S3::Bucket".into() },
        ];
        let opinions = block_on(opinions_with(&stub.config(), &questions)).unwrap();
        assert_eq!(opinions[0], Opinion::Fail(vec!["New access in the statement with index: 0.".into()]));
        assert_eq!(opinions[1], Opinion::Pass);
        assert!(matches!(&opinions[2], Opinion::None(why) if why.contains("not this one")), "{opinions:?}");
        let asked = stub.asked().join("\n");
        for part in ["RESOURCE_POLICY", r#""actions":["iam:CreateUser"]"#, "AWS::S3::Bucket"] {
            assert!(asked.contains(part), "no {part} in {asked}");
        }
    }
}
