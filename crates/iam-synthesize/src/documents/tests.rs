//! Trust policies and functions' permissions of small accounts: what is narrowed, what stays and why.

mod endpoints;
mod on_behalf;
mod spared;

use std::collections::BTreeMap;

use iam_model::action::Action;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Catalog;
use iam_model::policy::{PrintStyle, print};
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{Snapshot, SnapshotIndex, read};
use iam_model::text::{SourceName, SourceText};
use iam_model::time::Timestamp;
use iam_model::usage::{AccountCoverage, AccountDays, Coverage, Observation, UsageLog, Visibility};

use super::{AttachmentKind, DocumentProposal, documents};
use crate::{Evidence, KeepRule, Rules};

const TARGET: &str = "arn:aws:iam::111122223333:role/target";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:resize";

/// A world of one account: roles `target`, `ops` and `old`, perhaps a user, one bucket, one function.
struct World {
    trust: &'static str,
    permissions: &'static str,
    /// The resource that they stand on.
    on: &'static str,
    /// Resources beside the bucket.
    resources: &'static str,
    /// Who called what on what.
    called: &'static [(&'static str, &'static str, &'static str)],
    users: &'static str,
    /// Who assumed what.
    assumed: &'static [(&'static str, &'static str)],
    days: u64,
    keep: Vec<KeepRule>,
    visible: bool,
    read: bool,
    /// Whether roles call nothing beside.
    idle: bool,
    /// What the roles' own policies allow.
    may: &'static str,
    /// Whether AWS owns the role `old`.
    linked: bool,
    /// What the role `target` is called.
    name: &'static str,
}

impl Default for World {
    fn default() -> Self {
        Self {
            trust: r#"{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}"#,
            permissions: "",
            on: FUNCTION,
            resources: "",
            called: &[],
            users: "",
            assumed: &[("ops", TARGET)],
            days: 90,
            keep: Vec::new(),
            visible: true,
            read: true,
            idle: false,
            may: r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
            linked: false,
            name: "target",
        }
    }
}

impl World {
    fn arn(&self, role: &str) -> String {
        match role {
            "old" if self.linked => spared::LINKED.to_owned(),
            _ => format!("arn:aws:iam::111122223333:role/{role}"),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let role = |name: &str, trust: &str| {
            format!(
                r#"{{"Path": "/", "RoleName": "{name}", "RoleId": "AROA{name}", "Arn": "{}",
                "InstanceProfileList": [], "AttachedManagedPolicies": [],
                "RolePolicyList": [{{"PolicyName": "own", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [{}]}}}}],
                "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": [{trust}]}}}}"#,
                self.arn(name),
                self.may
            )
        };
        let plain = Self::default().trust;
        let text = format!(
            r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{
            "authorization_details": {{"UserDetailList": [{}], "GroupDetailList": [], "Policies": [],
              "RoleDetailList": [{}, {}, {}]}},
            "resources": [{{"kind": "s3.bucket", "arn": "arn:aws:s3:::images", "api": {{}}}}{}],
            "resource_policies": {{"{}": {{"Version": "2012-10-17", "Statement": [{}]}}}}}}}}}}"#,
            self.users,
            role(self.name, self.trust),
            role("ops", plain),
            role("old", plain),
            self.resources,
            self.on,
            self.permissions
        );
        read(SourceText { name: SourceName::new("test"), text }).unwrap().0
    }

    fn usage(&self) -> UsageLog {
        let mut usage = UsageLog::default();
        if self.read {
            usage.seen_in.insert(("111122223333".parse().unwrap(), "eu-west-1".into()));
        }
        let assumed = self.assumed.iter().map(|(who, resource)| (*who, "sts:AssumeRole", *resource));
        let others = if self.idle { [].as_slice() } else { &["old", "ops", "target"] };
        let others = others.iter().map(|who| (*who, "ec2:DescribeRegions", "*"));
        for (who, action, resource) in assumed.chain(self.called.iter().copied()).chain(others) {
            let caller = self.arn(who).parse().unwrap();
            let observation = Observation {
                action: action.parse().unwrap(),
                resources: vec![ResourcePattern::new(resource)],
                resource_known: resource != "*",
                context: BTreeMap::new(),
                function: None,
                count: 2,
                denied: 0,
                first: Timestamp::from_epoch_seconds(0),
                last: Timestamp::from_epoch_seconds(9),
                sample_event_ids: Vec::new(),
            };
            usage.principals.entry(caller).or_default().observations.push(observation);
        }
        usage
    }

    fn propose(self) -> Vec<DocumentProposal> {
        let snapshot = self.snapshot();
        let (index, _) = SnapshotIndex::new(&snapshot);
        let usage = self.usage();
        let trail = AccountCoverage { management_read: true, management_write: true, ..AccountCoverage::default() };
        let accounts = [("111122223333".parse().unwrap(), trail)].into();
        let days = AccountDays::plain(self.days);
        let by_account = [("111122223333".parse().unwrap(), days)].into();
        let coverage = Coverage { accounts, days: self.days, by_account, ..Coverage::default() };
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
            every_use: &|_, _, _| Visibility::Visible,
            has_own_record: &|_| false,
        };
        let target = index.role(&self.arn(self.name).parse().unwrap()).unwrap();
        let rules = Rules { min_days: 30, keep: self.keep, ..Rules::default() };
        documents(&[target], &index, &evidence, (&rules, &QuotaProfile::AWS))
    }
}

/// The statements after the change, and a word of what is left alone.
#[track_caller]
fn check(world: World, after: Option<&str>, says: &str) {
    let proposals = world.propose();
    let text = |p: &DocumentProposal| {
        let document = p.changes.first().and_then(|c| c.after.as_ref())?;
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
    let service =
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "firehose.amazonaws.com"}}"#;
    check(World { trust: service, ..World::default() }, None, "firehose.amazonaws.com stays");
}

#[test]
fn a_role_without_any_call_stays_trusted_and_named() {
    let no_call = "the logs hold no authorised call of this role";
    check(World { trust: BOTH, idle: true, ..World::default() }, None, no_call);
    let bound = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x1"},"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/old","arn:aws:iam::111122223333:role/ops","arn:aws:iam::111122223333:role/target"]}}}]}"#;
    check(World { trust: ROOT, idle: true, ..World::default() }, Some(bound), "");
    const NAMED: &str = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::images/*",
      "Principal": {"AWS": "arn:aws:iam::111122223333:role/old"}}"#;
    check(World { on: BUCKET, permissions: NAMED, idle: true, ..World::default() }, None, no_call);
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

#[test]
fn a_service_through_which_nothing_runs_is_no_longer_trusted() {
    const BOTH: &str = r#"{"Effect": "Allow", "Action": "sts:AssumeRole",
      "Principal": {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}}"#;
    let lambda = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let runs = r#", {"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
      "role_arn": "arn:aws:iam::111122223333:role/target", "api": {}}"#;
    // Nothing is known to run as the role, and nobody assumes it; but it was used.
    let not_whole = "ec2.amazonaws.com stays: calls of the role were seen";
    check(World { trust: BOTH, assumed: &[], ..World::default() }, None, not_whole);
    // The role has no instance profile. A function runs as it, or none was collected that could.
    check(World { trust: BOTH, resources: runs, ..World::default() }, Some(lambda), "");
    check(World { trust: BOTH, ..World::default() }, Some(lambda), "");
    // What runs as a role in ways that no snapshot shows, stays.
    for (service, kind, arn) in [
        ("glue.amazonaws.com", "glue.job", "arn:aws:glue:eu-west-1:111122223333:job/j"),
        ("ecs-tasks.amazonaws.com", "ecs.task_definition", "arn:aws:ecs:eu-west-1:111122223333:task-definition/t:1"),
        (
            "sagemaker.amazonaws.com",
            "sagemaker.notebook_instance",
            "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/n",
        ),
    ] {
        let other = format!(
            r#"{runs}, {{"kind": "{kind}", "arn": "{arn}", "role_arn": "arn:aws:iam::111122223333:role/old", "api": {{}}}}"#
        );
        let trust = format!(
            r#"{{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"Service": ["{service}", "lambda.amazonaws.com"]}}}}"#
        );
        check(
            World { trust: trust.leak(), resources: other.leak(), ..World::default() },
            None,
            &format!("{service} stays"),
        );
    }
}

const BUCKET: &str = "arn:aws:s3:::images";
const SHARE: &str = r#"{"Sid": "share", "Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::images", "arn:aws:s3:::images/*"],
  "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"]}}"#;

#[test]
fn roles_named_by_a_resource_keep_what_they_were_seen_to_do() {
    let world = || World { on: BUCKET, permissions: SHARE, ..World::default() };
    let get =
        &[("ops", "s3:GetObject", "arn:aws:s3:::images/a.png"), ("old", "s3:GetObject", "arn:aws:s3:::other/a.png")];
    let after = r#"{"Statement":[{"Sid":"share","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ops"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::images/a.png"}]}"#;
    check(World { called: get, ..world() }, Some(after), "");
    // Each role by itself; what several keep alike is written once.
    let two = &[("ops", "s3:GetObject", "arn:aws:s3:::images/a.png"), ("old", "s3:ListBucket", "arn:aws:s3:::images")];
    let after = r#"{"Statement":[{"Sid":"share","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ops"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::images/a.png"},{"Sid":"shareOld","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/old"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::images"}]}"#;
    check(World { called: two, ..world() }, Some(after), "");
    let alike =
        &[("ops", "s3:GetObject", "arn:aws:s3:::images/a.png"), ("old", "s3:GetObject", "arn:aws:s3:::images/a.png")];
    let after = r#"{"Statement":[{"Sid":"share","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/ops","arn:aws:iam::111122223333:role/old"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::images/a.png"}]}"#;
    check(World { called: alike, ..world() }, Some(after), "");
}

#[test]
fn a_resource_keeps_whom_the_logs_could_not_have_shown() {
    let world = || World { on: BUCKET, permissions: SHARE, ..World::default() };
    check(World { visible: false, ..world() }, None, "could not have been seen");
    check(World { days: 3, ..world() }, None, "3 days, and 30 are asked for");
    check(World { read: false, ..world() }, None, "no log of account 111122223333 was read");
    const NAMED: &str = r#"{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::images/*",
      "Principal": {"AWS": "arn:aws:iam::111122223333:role/ops"}}"#;
    check(World { permissions: NAMED, visible: false, ..world() }, None, "");
    let keep = |action: &str| KeepRule {
        role: Some("ops".into()),
        actions: vec![iam_model::action::ActionPattern::new(action)],
        reason: "yearly".into(),
    };
    let after = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ops"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::images/*"}]}"#;
    check(World { permissions: NAMED, keep: vec![keep("s3:Put*")], ..world() }, Some(after), "");
}

#[test]
fn others_than_roles_of_the_snapshot_stay_in_a_resources_policy() {
    const MIXED: &str = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::images/*", "Principal": {"AWS": [
      "arn:aws:iam::111122223333:user/ada", "arn:aws:iam::111122223333:role/old", "arn:aws:iam::999988887777:root"]}}"#;
    let after = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/ada","arn:aws:iam::999988887777:root"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::images/*"}]}"#;
    check(
        World { on: BUCKET, permissions: MIXED, ..World::default() },
        Some(after),
        "the whole account 999988887777 stays",
    );
    const OPEN: &str =
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::images/*", "Principal": "*"}"#;
    check(World { on: BUCKET, permissions: OPEN, ..World::default() }, None, "everyone stays");
}

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k1";

#[test]
fn a_key_keeps_who_manages_it_and_its_account() {
    const ROOT: &str = r#"{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}"#;
    const ADMIN: &str = r#"{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:role/old"}}"#;
    const USE: &str = r#"{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:role/ops"}}"#;
    check(World { on: KEY, permissions: ROOT, ..World::default() }, None, "");
    check(World { on: KEY, permissions: ADMIN, ..World::default() }, None, "who may change a key's policy stays");
    check(World { on: KEY, permissions: USE, ..World::default() }, None, "a key cannot be without a policy");
    let decrypt = &[("ops", "kms:Decrypt", KEY)];
    let after = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ops"},"Action":"kms:Decrypt","Resource":"*"}]}"#;
    check(World { on: KEY, permissions: USE, called: decrypt, ..World::default() }, Some(after), "");
    let alias = &[("ops", "kms:Encrypt", "arn:aws:kms:eu-west-1:111122223333:alias/orders")];
    let after = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ops"},"Action":"kms:Encrypt","Resource":"*"}]}"#;
    check(World { on: KEY, permissions: USE, called: alias, ..World::default() }, Some(after), "");
}

#[test]
fn a_service_is_bound_to_the_sources_that_the_snapshot_shows() {
    const OPEN: &str = r#"{"Sid": "s", "Effect": "Allow", "Principal": {"Service": "SERVICE"}, "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:resize"}"#;
    let cases = [
        (
            "sns.amazonaws.com",
            r#", {"kind": "sns.topic", "arn": "arn:aws:sns:eu-west-1:111122223333:uploads", "api": {"Subscriptions": [{"Protocol": "lambda",
              "Endpoint": "arn:aws:lambda:eu-west-1:111122223333:function:resize"}]}}"#,
            r#""ArnLike":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:uploads"}"#,
        ),
        (
            "events.amazonaws.com",
            r#", {"kind": "events.rule", "arn": "arn:aws:events:eu-west-1:111122223333:rule/nightly", "api": {"Targets": [{"Id": "1",
              "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:resize"}]}}"#,
            r#""ArnLike":{"aws:SourceArn":"arn:aws:events:eu-west-1:111122223333:rule/nightly"}"#,
        ),
        (
            "s3.amazonaws.com",
            r#", {"kind": "s3.bucket", "arn": "arn:aws:s3:::uploads", "api": {"NotificationConfiguration": {"LambdaFunctionConfigurations": [
              {"LambdaFunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:resize", "Events": ["s3:ObjectCreated:*"]}]}}}"#,
            r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::uploads"},"StringEquals":{"aws:SourceAccount":"111122223333"}"#,
        ),
        (
            "apigateway.amazonaws.com",
            r#", {"kind": "apigateway.rest_api", "arn": "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3", "api": {"Resources": [{"path": "/", "resourceMethods":
              {"GET": {"methodIntegration": {"uri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:resize/invocations"}}}}]}}"#,
            r#""ArnLike":{"aws:SourceArn":"arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/*"}"#,
        ),
    ];
    for (service, resources, condition) in cases {
        let permissions = &*OPEN.replace("SERVICE", service).leak();
        let after = format!(
            r#"{{"Statement":[{{"Sid":"s","Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"lambda:InvokeFunction","Resource":"{FUNCTION}","Condition":{{{condition}}}}}]}}"#
        );
        check(World { permissions, resources, ..World::default() }, Some(&after), "");
        // A version, or another function whose name starts alike, is another target.
        for other in ["function:resize:live", "function:resize-2"] {
            let resources = &*resources.replace("function:resize", other).leak();
            check(World { permissions, resources, ..World::default() }, None, "may invoke it for any account");
        }
    }
}

#[test]
fn what_running_a_function_asks_for_stays_though_no_call_shows_it() {
    const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:failed";
    const SEND: &str = r#"{"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:PurgeQueue"], "Resource": "arn:aws:sqs:eu-west-1:111122223333:failed",
      "Principal": {"AWS": "arn:aws:iam::111122223333:role/ops"}}"#;
    let function = r#", {"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:f", "role_arn": "arn:aws:iam::111122223333:role/ops",
      "api": {"FunctionName": "f", "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-west-1:111122223333:failed"}}}"#;
    let after = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ops"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:eu-west-1:111122223333:failed"}]}"#;
    check(
        World { on: QUEUE, permissions: SEND, resources: function, ..World::default() },
        Some(after),
        "better deleted, by hand",
    );
}
