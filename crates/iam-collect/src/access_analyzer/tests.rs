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
