//! The workshop of the shared examples: a real template by someone else, AdministratorAccess cut to one action.

#![cfg(test)]

use std::path::PathBuf;

use iam_model::action::ActionPattern;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::change::{Attachment, Change};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_patch::{Disposition, Project, patch};

fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("PARING_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let found = root.join("examples/workshop/snapshot.json").exists();
    if !found {
        eprintln!("SKIPPED: no conformance data at {}", root.display());
    }
    found.then_some(root)
}

fn source(path: PathBuf, name: &str) -> SourceText {
    SourceText { name: SourceName::new(name), text: std::fs::read_to_string(path).unwrap() }
}

fn allow(action: &str, resource: &str) -> PolicyDocument {
    PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::new(resource)])])
}

const CHANGED_LINES: &[&str] = &[
    "-                - \"cognito-idp:*\"",
    "-              Resource: \"*\"",
    "+                - \"cognito-idp:CreateUserPoolClient\"",
    "+              Resource: !GetAtt CognitoUserPool.Arn",
    "-                - \"dynamodb:*\"",
    "-              Resource: \"*\"",
    "+                - \"dynamodb:PutItem\"",
    "+              Resource: !GetAtt PartnerDDBTable.Arn",
    "-        - AdministratorAccess # broad permission. Module9A shows scoped down permission",
    "+        - Version: '2012-10-17'",
    "+          Statement:",
    "+            - Effect: Allow",
    "+              Action:",
    "+                - \"dynamodb:PutItem\"",
    "+              Resource: !GetAtt DemandForecastDDBTable.Arn",
];

#[test]
fn the_workshop_is_patched_as_a_person_would() {
    let Some(root) = shared() else { return };
    let (snapshot, _) = snapshot::read(source(root.join("examples/workshop/snapshot.json"), "snapshot.json")).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let template = root.join("corpora/iac/aws-samples+aws-serverless-security-workshop/src/template.yaml");
    let (project, diagnostics) = Project::read(vec![source(template, "src/template.yaml")]);
    assert!(diagnostics.is_empty());

    let role = |function: &str| -> Arn {
        let prefix = format!("Secure-Serverless-App-{function}Role-");
        index.roles().map(|r| r.identity.arn.clone()).find(|arn| arn.name().starts_with(&prefix)).unwrap()
    };
    let table = "arn:aws:dynamodb:us-east-1:111122223333:table/Secure-Serverless-App";
    let pool = "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_Ab12Cd34E";
    let change = |function: &str, policy: &str, before, after| Change {
        attachment: Attachment::identity(role(function), policy.into()),
        before: Some(before),
        after: Some(after),
        reasons: Vec::new(),
    };
    let changes = [
        change(
            "CustomUnicornAnalyticsFunction",
            "arn:aws:iam::aws:policy/AdministratorAccess",
            allow("*", "*"),
            allow("dynamodb:PutItem", &format!("{table}-CustomizationDemandAnalytics")),
        ),
        change(
            "ManagePartnerFunction",
            "ManagePartnerFunctionRolePolicy1",
            allow("cognito-idp:*", "*"),
            allow("cognito-idp:CreateUserPoolClient", pool),
        ),
        change(
            "ManagePartnerFunction",
            "ManagePartnerFunctionRolePolicy2",
            allow("dynamodb:*", "*"),
            allow("dynamodb:PutItem", &format!("{table}-WildRydePartners")),
        ),
    ];
    let set = patch(&project, &index, &changes);
    assert_eq!(set.refused, []);
    let [file] = set.patches.as_slice() else { panic!("one file") };
    assert_eq!(file.disposition, Disposition::Safe);
    let changed: Vec<&str> = file.diff.lines().skip(2).filter(|line| line.starts_with(['+', '-'])).collect();
    assert_eq!(changed, CHANGED_LINES);
}
