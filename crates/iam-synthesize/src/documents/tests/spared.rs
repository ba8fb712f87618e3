//! Whom nothing is taken from, though no log shows a use: what AWS owns, what it made for itself, what is yet to come.

use super::*;

pub(super) const LINKED: &str =
    "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";

/// A world whose role `old` is the one that AWS owns.
fn with_linked(world: World) -> Vec<DocumentProposal> {
    let text =
        |text: &'static str| -> &'static str { text.replace("arn:aws:iam::111122223333:role/old", LINKED).leak() };
    let world = World { trust: text(world.trust), permissions: text(world.permissions), linked: true, ..world };
    world.propose()
}

#[track_caller]
fn stays(proposals: &[DocumentProposal], says: &str) {
    assert!(proposals.iter().all(|p| p.changes.is_empty()), "{proposals:#?}");
    assert!(proposals.iter().flat_map(|p| &p.left_alone).any(|line| line.contains(says)), "{proposals:#?}");
}

#[test]
fn a_role_that_aws_owns_stays_where_it_is_named() {
    stays(&with_linked(World { trust: BOTH, ..World::default() }), "AWSServiceRoleForAutoScaling stays: AWS owns it");
    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k1";
    const USE: &str = r#"{"Effect": "Allow", "Action": ["kms:CreateGrant", "kms:Decrypt"], "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:role/old"}}"#;
    let grant = &[("old", "kms:CreateGrant", KEY)];
    stays(&with_linked(World { on: KEY, permissions: USE, called: grant, ..World::default() }), "AWS owns this role");
}

#[test]
fn of_a_whole_account_only_roles_that_may_assume_it_are_named() {
    const BOUND: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x1"},"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/ops"}}}]}"#;
    let may = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
    check(World { trust: ROOT, may, idle: true, ..World::default() }, Some(BOUND), "");
    let may = r#"{"Effect": "Allow", "Action": "sts:*", "Resource": "arn:aws:iam::111122223333:role/other-*"}"#;
    check(World { trust: ROOT, may, idle: true, ..World::default() }, Some(BOUND), "");
    // Which roles AWS lets its own service assume, and when, AWS knows.
    let proposals = with_linked(World { trust: ROOT, ..World::default() });
    let after = proposals.iter().find_map(|p| p.changes.first()?.after.as_ref()).unwrap();
    assert!(print(after, PrintStyle::Compact).contains(LINKED), "{proposals:#?}");
}

#[test]
fn the_ways_in_that_aws_made_for_itself_stay() {
    for (name, says) in [
        ("OrganizationAccountAccessRole", "for an emergency"),
        ("AWSControlTowerExecution", "Control Tower"),
        ("stacksets-exec-0a1b2c", "stack sets"),
    ] {
        stays(&World { trust: BOTH, name, ..World::default() }.propose(), says);
    }
}
