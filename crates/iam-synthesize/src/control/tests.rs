//! Packed control policies: as few as can be, within the quotas, and saying the same.

use iam_model::policy::{PolicyDocument, PrintStyle, parse, print};
use iam_model::quota::QuotaProfile;
use iam_model::text::{SourceName, SourceText};
use proptest::prelude::*;

use super::{ControlKind, PackError, PackOptions, PackedControls, pack_controls};

fn policy(statements: &[String]) -> PolicyDocument {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "));
    let (document, diagnostics) = parse(&SourceText { name: SourceName::new("p.json"), text });
    assert_eq!(diagnostics, []);
    document
}

fn deny(actions: &str, resources: &str, more: &str) -> String {
    format!(r#"{{"Effect": "Deny", "Action": [{actions}], "Resource": [{resources}]{more}}}"#)
}

fn packed_as(documents: &[PolicyDocument], quota: &QuotaProfile) -> Result<PackedControls, PackError> {
    let documents: Vec<&PolicyDocument> = documents.iter().collect();
    pack_controls(&documents, ControlKind::Service, quota, PackOptions::default())
}

fn texts(packed: &PackedControls) -> Vec<String> {
    packed.documents.iter().map(|packed| print(&packed.document, PrintStyle::Compact)).collect()
}

const OFFICE: &str = r#", "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}"#;

#[test]
fn statements_that_differ_in_one_list_become_one() {
    let documents = [
        policy(&[deny(r#""s3:DeleteBucket""#, r#""*""#, ""), deny(r#""ec2:DeleteVpc""#, r#""*""#, OFFICE)]),
        policy(&[deny(r#""s3:DeleteObject""#, r#""*""#, ""), deny(r#""S3:DeleteBucket""#, r#""*""#, "")]),
        policy(&[deny(r#""s3:DeleteObject""#, r#""arn:aws:s3:::a/*""#, "")]),
    ];
    let packed = packed_as(&documents, &QuotaProfile::AWS).unwrap();
    let expected = concat!(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["s3:DeleteBucket","s3:DeleteObject"],"Resource":"*"},"#,
        r#"{"Effect":"Deny","Action":"ec2:DeleteVpc","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}]}"#
    );
    assert_eq!(texts(&packed), [expected]);
    assert_eq!((packed.documents[0].characters, packed.fewest), (expected.len(), true));
}

#[test]
fn what_must_not_be_put_together_stays_apart() {
    let statements = [
        deny(r#""s3:DeleteBucket""#, r#""arn:aws:s3:::a""#, ""),
        deny(r#""s3:DeleteObject""#, r#""arn:aws:s3:::b/*""#, ""),
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#.to_owned(),
        r#"{"Effect": "Deny", "NotAction": "iam:*", "Resource": "arn:aws:s3:::c"}"#.to_owned(),
        r#"{"Effect": "Deny", "NotAction": "sts:*", "Resource": "arn:aws:s3:::c"}"#.to_owned(),
    ];
    let packed = packed_as(&[policy(&statements)], &QuotaProfile::AWS).unwrap();
    assert_eq!(packed.documents[0].document.statements.len(), 5, "{:?}", texts(&packed));
}

#[test]
fn a_statement_that_no_document_holds_is_cut_along_its_lists() {
    let names: Vec<String> = (0..600).map(|n| format!(r#""arn:aws:s3:::bucket-number-{n:04}""#)).collect();
    let packed =
        packed_as(&[policy(&[deny(r#""s3:DeleteBucket""#, &names.join(", "), OFFICE)])], &QuotaProfile::AWS).unwrap();
    assert!(packed.documents.iter().all(|document| document.characters <= 10_240));
    assert_eq!((packed.documents.len(), packed.fewest), (3, true));
    let one = format!(
        r#"{{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {{"StringEquals": {{"aws:SourceVpc": [{}]}}}}}}"#,
        names.join(", ")
    );
    assert!(matches!(packed_as(&[policy(&[one])], &QuotaProfile::AWS), Err(PackError::TooLarge { .. })));
}

#[test]
fn what_is_not_understood_is_not_packed() {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringAlike": {"aws:SourceVpc": "a"}}}}"#;
    let (document, _) = parse(&SourceText { name: SourceName::new("p.json"), text: text.into() });
    assert!(matches!(packed_as(&[document], &QuotaProfile::AWS), Err(PackError::NotUnderstood { .. })));
}

#[test]
fn versions_that_read_texts_differently_stay_apart() {
    let old = |value: &str| {
        let text =
            format!(r#"{{"Statement": [{{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::{value}"}}]}}"#);
        parse(&SourceText { name: SourceName::new("p.json"), text }).0
    };
    let new = policy(&[deny(r#""s3:*""#, r#""arn:aws:s3:::b-${aws:PrincipalAccount}""#, "")]);
    let variable = packed_as(&[old("a-${aws:PrincipalAccount}"), new.clone()], &QuotaProfile::AWS).unwrap();
    assert_eq!(variable.documents.len(), 2);
    assert_eq!(packed_as(&[old("a"), new], &QuotaProfile::AWS).unwrap().documents.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is packed fits, is not more than before, and denies what was denied: by statements whose union is compared.
    #[test]
    fn random_denies_say_the_same(chosen in proptest::collection::vec((0_usize..6, 0_usize..6, 0_usize..3, 0_usize..4), 1..24)) {
        let actions = [r#""s3:DeleteBucket""#, r#""s3:Delete*""#, r#""ec2:DeleteVpc""#, r#""kms:Disable*", "kms:DisableKey""#, r#""sqs:*""#, r#""iam:DeleteRole""#];
        let resources = [r#""*""#, r#""arn:aws:s3:::a*""#, r#""arn:aws:s3:::ab""#, r#""arn:aws:kms:*:*:key/*""#, r#""arn:aws:iam::*:role/x", "arn:aws:iam::*:role/y""#, r#""arn:aws:sqs:*:*:q""#];
        let conditions = ["", OFFICE, r#", "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}"#];
        let mut documents: Vec<Vec<String>> = vec![Vec::new(); 4];
        for (action, resource, condition, document) in &chosen {
            documents[*document].push(deny(actions[*action], resources[*resource], conditions[*condition]));
        }
        let documents: Vec<PolicyDocument> = documents.iter().filter(|d| !d.is_empty()).map(|d| policy(d)).collect();
        let small = QuotaProfile { service_control: 400, ..QuotaProfile::AWS };
        let packed = packed_as(&documents, &small).unwrap();
        prop_assert!(packed.documents.iter().all(|document| document.characters <= 400));
        let before: Vec<String> = documents.iter().flat_map(|d| &d.statements).map(allowing).collect();
        let after: Vec<String> = packed.documents.iter().flat_map(|d| &d.document.statements).map(allowing).collect();
        let set = |statements: &[String]| iam_evaluate::permission_set::PermissionSet::of_document(&policy(statements));
        let inside = |a: &[String], b: &[String]| matches!(
            set(a).included_in(&set(b), iam_evaluate::permission_set::Limits::default()),
            iam_evaluate::permission_set::Inclusion::Included(_)
        );
        prop_assert!(inside(&before, &after) && inside(&after, &before), "{before:?}\n{after:?}");
    }
}

fn allowing(statement: &iam_model::policy::Statement) -> String {
    let allowing = iam_model::policy::Statement { effect: iam_model::policy::Effect::Allow, ..statement.clone() };
    let text = print(&PolicyDocument::new(vec![allowing]), PrintStyle::Compact);
    let statements = text.split_once("[").map_or("", |(_, rest)| rest);
    statements.strip_suffix("]}").unwrap_or(statements).to_owned()
}
