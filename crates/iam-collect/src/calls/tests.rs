//! The table is whole, and the policy follows from it.

use super::*;

#[test]
fn every_question_about_things_follows_from_one_that_lists_them() {
    for call in CALLS {
        let Some(about) = call.about else { continue };
        let source = CALLS.iter().find(|other| other.operation == about.of);
        assert!(
            source.is_some_and(|source| source.part.is_none() || source.part == call.part),
            "{} follows from nothing",
            call.api
        );
    }
}

#[test]
fn every_answer_is_one_that_bundles_are_read_for() {
    for call in CALLS {
        assert!(crate::bundle::is_known(call.file), "`{}` of {} is not read", call.file, call.api);
    }
}

/// The actions of a policy, with their resource.
fn pairs(policy: &str) -> Vec<(String, String)> {
    let source =
        iam_model::text::SourceText { name: iam_model::text::SourceName::new("policy.json"), text: policy.to_owned() };
    let (document, diagnostics) = iam_model::policy::parse(&source);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(document.statements.len(), policy.matches("\"Effect\"").count());
    let arena = iam_model::json::Arena::new();
    let root = iam_model::json::parse(&arena, policy, iam_model::json::Limits::POLICY).unwrap();
    let mut pairs = Vec::new();
    for statement in root.get("Statement").unwrap().items() {
        let resource = statement.get("Resource").unwrap().as_str().unwrap();
        for action in statement.get("Action").unwrap().items() {
            pairs.push((action.as_str().unwrap().to_owned(), resource.to_owned()));
        }
    }
    pairs
}

#[test]
fn the_policy_names_each_action_of_the_calls_and_no_other() {
    let found = pairs(&needed_policy(&Plan::default()));
    let mut expected: Vec<&str> =
        CALLS.iter().filter(|call| call.part.is_none()).flat_map(|call| call.actions).copied().collect();
    expected.extend(ORGANIZATION);
    expected.sort_unstable();
    expected.dedup();
    let mut actions: Vec<&str> = found.iter().map(|(action, _)| action.as_str()).collect();
    actions.sort_unstable();
    // Of API Gateway one action reads everything, each part by its own ARN.
    actions.dedup();
    assert_eq!(actions, expected);
    assert!(actions.iter().all(|action| !action.contains('*')));
    let writing = ["Create", "Put", "Delete", "Update", "Attach", "Set", "Send", "Invoke"];
    assert!(
        actions.iter().all(|action| writing.iter().all(|word| !action.split(':').nth(1).unwrap().starts_with(word)))
    );
}

#[test]
fn what_is_not_asked_for_is_not_allowed() {
    let plan = Plan {
        all_regions: true,
        last_accessed: true,
        role_name: Some("auditor".into()),
        logs: vec!["trail-bucket/AWSLogs/111122223333/".into()],
        lookup: true,
        access_analyzer: true,
        generate_with: Some("arn:aws:iam::111122223333:role/analyzer".into()),
    };
    let (least, most) = (pairs(&needed_policy(&Plan::default())), pairs(&needed_policy(&plan)));
    let more: Vec<String> = most
        .iter()
        .filter(|pair| !least.contains(pair))
        .map(|(action, resource)| format!("{action} {resource}"))
        .collect();
    assert_eq!(
        more,
        [
            "access-analyzer:GenerateFindingRecommendation *",
            "access-analyzer:GetFinding *",
            "access-analyzer:GetFindingRecommendation *",
            "access-analyzer:GetGeneratedPolicy *",
            "access-analyzer:ListAnalyzers *",
            "access-analyzer:ListFindings *",
            "access-analyzer:ListPolicyGenerations *",
            "access-analyzer:StartPolicyGeneration *",
            "account:ListRegions *",
            "cloudtrail:LookupEvents *",
            "iam:GenerateServiceLastAccessedDetails *",
            "iam:GetServiceLastAccessedDetails *",
            "sts:AssumeRole arn:*:iam::*:role/auditor",
            "s3:ListBucket arn:*:s3:::trail-bucket",
            "s3:GetObject arn:*:s3:::trail-bucket/AWSLogs/111122223333/*",
            "iam:PassRole arn:aws:iam::111122223333:role/analyzer",
        ]
    );
}

#[test]
fn whoever_is_refused_is_told_the_action() {
    assert_eq!(actions_of("list-buckets", "AccessDenied"), ["s3:ListAllMyBuckets"]);
    let both = "not authorized to perform: dynamodb:GetResourcePolicy on resource";
    assert_eq!(actions_of("get-resource-policy", both), ["dynamodb:GetResourcePolicy"]);
    assert_eq!(actions_of("describe-clusters", "AccessDenied"), [""; 0]);
}
