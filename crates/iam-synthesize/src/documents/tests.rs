//! Trust policies and functions' permissions of small accounts: what is narrowed, what stays and why.

use std::collections::BTreeMap;

use iam_model::action::Action;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Catalog;
use iam_model::policy::{PrintStyle, print};
use iam_model::snapshot::{Snapshot, SnapshotIndex, read};
use iam_model::text::{SourceName, SourceText};
use iam_model::time::Timestamp;
use iam_model::usage::{AccountCoverage, Coverage, Observation, PrincipalUsage, UsageLog, Visibility};

use super::{DocumentProposal, documents};
use crate::{Evidence, KeepRule, Rules};

const TARGET: &str = "arn:aws:iam::111122223333:role/target";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:resize";

/// A world of one account: roles `target`, `ops` and `old`, perhaps a user, one bucket, one function.
struct World {
    trust: &'static str,
    permissions: &'static str,
    users: &'static str,
    /// Who assumed what.
    assumed: &'static [(&'static str, &'static str)],
    days: u64,
    keep: Vec<KeepRule>,
    visible: bool,
    read: bool,
}

impl Default for World {
    fn default() -> Self {
        Self {
            trust: r#"{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}"#,
            permissions: "",
            users: "",
            assumed: &[("ops", TARGET)],
            days: 90,
            keep: Vec::new(),
            visible: true,
            read: true,
        }
    }
}

impl World {
    fn snapshot(&self) -> Snapshot {
        let role = |name: &str, trust: &str| {
            format!(
                r#"{{"Path": "/", "RoleName": "{name}", "RoleId": "AROA{name}", "Arn": "arn:aws:iam::111122223333:role/{name}",
                "InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": [],
                "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": [{trust}]}}}}"#
            )
        };
        let plain = Self::default().trust;
        let text = format!(
            r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{
            "authorization_details": {{"UserDetailList": [{}], "GroupDetailList": [], "Policies": [],
              "RoleDetailList": [{}, {}, {}]}},
            "resources": [{{"kind": "s3.bucket", "arn": "arn:aws:s3:::images", "api": {{}}}}],
            "resource_policies": {{"{FUNCTION}": {{"Version": "2012-10-17", "Statement": [{}]}}}}}}}}}}"#,
            self.users,
            role("target", self.trust),
            role("ops", plain),
            role("old", plain),
            self.permissions
        );
        read(SourceText { name: SourceName::new("test"), text }).unwrap().0
    }

    fn usage(&self) -> UsageLog {
        let mut usage = UsageLog::default();
        if self.read {
            usage.seen_in.insert(("111122223333".parse().unwrap(), "eu-west-1".into()));
        }
        for (who, resource) in self.assumed {
            let caller = format!("arn:aws:iam::111122223333:role/{who}").parse().unwrap();
            let observation = Observation {
                action: "sts:AssumeRole".parse().unwrap(),
                resources: vec![ResourcePattern::new(resource)],
                resource_known: *resource != "*",
                context: BTreeMap::new(),
                function: None,
                count: 2,
                denied: 0,
                first: Timestamp::from_epoch_seconds(0),
                last: Timestamp::from_epoch_seconds(9),
                sample_event_ids: Vec::new(),
            };
            usage.principals.insert(caller, PrincipalUsage { observations: vec![observation] });
        }
        usage
    }

    fn propose(self) -> Vec<DocumentProposal> {
        let snapshot = self.snapshot();
        let (index, _) = SnapshotIndex::new(&snapshot);
        let usage = self.usage();
        let trail = AccountCoverage { management_read: true, management_write: true, ..AccountCoverage::default() };
        let accounts = [("111122223333".parse().unwrap(), trail)].into();
        let coverage = Coverage { accounts, days: self.days };
        let visible = self.visible;
        let visibility = |_: &iam_model::arn::Arn, _: &Action| {
            if visible { Visibility::Visible } else { Visibility::Invisible("not recorded".into()) }
        };
        let catalog = Catalog::embedded().unwrap();
        let evidence = Evidence {
            usage: &usage,
            coverage: &coverage,
            catalog: &catalog,
            visibility: &visibility,
            has_own_record: &|_| false,
        };
        let target = index.role(&TARGET.parse().unwrap()).unwrap();
        documents(&[target], &index, &evidence, &Rules { min_days: 30, keep: self.keep, ..Rules::default() })
    }
}

/// The statements after the change, and a word of what is left alone.
#[track_caller]
fn check(world: World, after: Option<&str>, says: &str) {
    let proposals = world.propose();
    let text = |p: &DocumentProposal| {
        let document = p.change.as_ref().and_then(|c| c.after.as_ref())?;
        Some(print(document, PrintStyle::Compact).replace(r#""Version":"2012-10-17","#, ""))
    };
    let found = proposals.iter().find_map(text);
    assert_eq!(found.as_deref(), after, "{proposals:#?}");
    let left: Vec<&String> = proposals.iter().flat_map(|p| &p.left_alone).collect();
    if says.is_empty() {
        assert!(left.is_empty(), "{left:#?}");
    } else {
        assert!(left.iter().any(|line| line.contains(says)), "{left:#?}");
    }
}

const BOTH: &str = r#"{"Effect": "Allow", "Action": "sts:AssumeRole",
  "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"]}}"#;
const ROOT: &str = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
  "Condition": {"StringEquals": {"sts:ExternalId": "x1"}}}"#;

#[test]
fn a_role_that_was_not_seen_to_assume_is_no_longer_trusted() {
    let ops = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ops"},"Action":"sts:AssumeRole"}]}"#;
    check(World { trust: BOTH, ..World::default() }, Some(ops), "");
    check(World { trust: BOTH, assumed: &[("ops", TARGET), ("old", TARGET)], ..World::default() }, None, "");
    // An event that does not tell which role it was about may have been about this one.
    check(World { trust: BOTH, assumed: &[("ops", TARGET), ("old", "*")], ..World::default() }, None, "");
    const OTHER: &str = "arn:aws:iam::111122223333:role/other";
    check(World { trust: BOTH, assumed: &[("ops", TARGET), ("old", OTHER)], ..World::default() }, Some(ops), "");
}

#[test]
fn nothing_is_cut_that_the_logs_could_not_have_shown() {
    check(World { trust: BOTH, days: 20, ..World::default() }, None, "20 days, and 30 are asked for");
    check(World { trust: BOTH, visible: false, ..World::default() }, None, "role/old stays");
    check(World { trust: BOTH, read: false, ..World::default() }, None, "no log of account 111122223333 was read");
    let keep = KeepRule {
        role: Some("old".into()),
        actions: vec![iam_model::action::ActionPattern::new("sts:AssumeRole")],
        reason: "quarterly".into(),
    };
    check(World { trust: BOTH, keep: vec![keep], ..World::default() }, None, "");
    let outside =
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::999988887777:role/ci"}}"#;
    check(World { trust: outside, ..World::default() }, None, "no role of the snapshot");
    let service = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}"#;
    check(World { trust: service, ..World::default() }, None, "ec2.amazonaws.com stays");
}

#[test]
fn a_role_is_never_left_without_anyone_who_may_assume_it() {
    check(World { trust: BOTH, assumed: &[], ..World::default() }, None, "better deleted, by hand");
}

#[test]
fn a_whole_account_is_bound_to_the_roles_seen_and_conditions_stay() {
    let bound = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x1"},"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/ops"}}}]}"#;
    check(World { trust: ROOT, ..World::default() }, Some(bound), "");
    let user = r#"{"UserName": "ada", "UserId": "AIDAADA", "Arn": "arn:aws:iam::111122223333:user/ada", "Path": "/",
        "GroupList": [], "AttachedManagedPolicies": [], "UserPolicyList": []}"#;
    check(World { trust: ROOT, users: user, ..World::default() }, None, "it has users");
    check(World { trust: ROOT, visible: false, ..World::default() }, None, "not recorded");
}

#[test]
fn a_bucket_that_may_invoke_is_bound_to_the_account_that_has_it() {
    let of = |bucket: &str| -> &'static str {
        format!(r#"{{"Sid": "s", "Effect": "Allow", "Principal": {{"Service": "s3.amazonaws.com"}}, "Action": "lambda:InvokeFunction",
            "Resource": "{FUNCTION}", "Condition": {{"ArnLike": {{"AWS:SourceArn": "{bucket}"}}}}}}"#).leak()
    };
    let bound = r#"{"Statement":[{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:resize","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::images"},"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}"#;
    check(World { permissions: of("arn:aws:s3:::images"), ..World::default() }, Some(bound), "");
    // A bucket nobody knows, and a pattern that other accounts' buckets match.
    check(World { permissions: of("arn:aws:s3:::theirs"), ..World::default() }, None, "");
    check(World { permissions: of("arn:aws:s3:::image*"), ..World::default() }, None, "");
}

#[test]
fn a_service_that_invokes_for_anyone_is_shown_and_not_guessed_at() {
    let open = r#"{"Sid": "s", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:resize"}"#;
    check(
        World { permissions: open, ..World::default() },
        None,
        r#"statement `s`: sns.amazonaws.com may invoke it for any account"#,
    );
    let bound = r#"{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "lambda:InvokeFunction",
        "Resource": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}"#;
    check(World { permissions: bound, ..World::default() }, None, "");
}
