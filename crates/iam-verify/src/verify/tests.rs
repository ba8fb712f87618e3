//! Whom changes reach, what is not explained, and parts of shared roles: each once a wrong proof.

use std::collections::BTreeMap;

use iam_model::catalog::Catalog;
use iam_model::change::{self, ChangeSet};
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_model::time::Timestamp;
use iam_model::usage::{Observation, PrincipalUsage, SkipReason, Visibility};
use serde_json::{Value, json};

use super::*;
use crate::guardrails::{Guardrails, PermissionGroups};
use crate::obeys_guardrails::{Evidence, Rulebook, Settings};
use crate::split::{SplitGrounds, verify_splits};

fn arn(rest: &str) -> String {
    format!("arn:aws:iam::111122223333:{rest}")
}

fn doc(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(actions: &Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
}

fn role(name: &str, inline: &Value, managed: &[&str], boundary: Option<&str>) -> Value {
    let trust =
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let boundary = boundary.map(
        |name| json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn(&format!("policy/{name}"))}),
    );
    json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": arn(&format!("role/{name}")), "AssumeRolePolicyDocument": doc(&trust),
        "RolePolicyList": if inline.is_null() { json!([]) } else { json!([{"PolicyName": "own", "PolicyDocument": doc(inline)}]) },
        "AttachedManagedPolicies": managed.iter().map(|name| json!({"PolicyName": name, "PolicyArn": arn(&format!("policy/{name}"))})).collect::<Vec<_>>(),
        "PermissionsBoundary": boundary, "Tags": []})
}

fn managed(name: &str, statements: &Value) -> Value {
    json!({"PolicyName": name, "Arn": arn(&format!("policy/{name}")), "DefaultVersionId": "v1",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": doc(statements)}]})
}

/// One account, its parts as given and no others.
fn account(details: &Value, more: &Value) -> String {
    let mut account = json!({"authorization_details": {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}});
    let put = |into: &mut Value, from: &Value| {
        for (key, value) in from.as_object().into_iter().flatten() {
            into[key] = value.clone();
        }
    };
    put(&mut account["authorization_details"], details);
    put(&mut account, more);
    let organization = more.get("organization").cloned().unwrap_or_default();
    json!({"schema": "paring-snapshot/1", "organization": organization, "accounts": {"111122223333": account}})
        .to_string()
}

fn changes(list: &Value, splits: &Value) -> (ChangeSet, usize) {
    let text = json!({"schema": "paring-changes/1", "changes": list, "splits": splits}).to_string();
    let (read, said) = change::read(&SourceText { name: SourceName::new("c.json"), text }).unwrap();
    (read, said.len())
}

/// A call of a role, by the session of a function.
fn call(role: &str, action: &str, resource: &str) -> (Arn, Observation) {
    let at = Timestamp::from_epoch_seconds(1_790_000_000);
    let observation = Observation {
        action: action.parse().unwrap(),
        resources: vec![iam_model::arn::ResourcePattern::new(resource)],
        resource_known: true,
        context: BTreeMap::new(),
        function: Some("orders".into()),
        count: 2,
        denied: 0,
        first: at,
        last: at,
        sample_event_ids: Vec::new(),
    };
    (arn(&format!("role/{role}")).parse().unwrap(), observation)
}

fn log(calls: &[(Arn, Observation)]) -> UsageLog {
    let mut log = UsageLog::default();
    log.seen_in.insert(("111122223333".parse().unwrap(), "eu-west-1".into()));
    for (arn, observation) in calls {
        let own = log.principals.entry(arn.clone()).or_insert_with(PrincipalUsage::default);
        own.observations.push(observation.clone());
    }
    log
}

/// The outcomes of the four claims, or of each part's four.
fn judge(snapshot: &str, file: &ChangeSet, calls: &[(Arn, Observation)]) -> Vec<Vec<(Claim, Outcome)>> {
    judge_log(snapshot, file, &log(calls))
}

fn judge_log(snapshot: &str, file: &ChangeSet, usage: &UsageLog) -> Vec<Vec<(Claim, Outcome)>> {
    judge_hiding(&[], snapshot, file, usage)
}

/// The same, where the logs could not have shown some actions.
fn judge_hiding(hidden: &[&str], snapshot: &str, file: &ChangeSet, usage: &UsageLog) -> Vec<Vec<(Claim, Outcome)>> {
    let source = SourceText { name: SourceName::new("s.json"), text: snapshot.to_owned() };
    let (snapshot, _) = snapshot::read(source).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let (guardrails, groups, catalog) =
        (Guardrails::embedded().unwrap(), PermissionGroups::embedded().unwrap(), Catalog::embedded().unwrap());
    let now = Timestamp::from_epoch_seconds(1_795_000_000);
    let rulebook = Rulebook { guardrails: &guardrails, groups: &groups, catalog: &catalog, waivers: &[], now };
    let settings = Settings::default();
    let visibility = |_: &Arn, action: &iam_model::action::Action, _: &iam_model::arn::ResourcePattern| {
        let is_hidden = hidden.contains(&action.as_str());
        if is_hidden { Visibility::Invisible("no data events".into()) } else { Visibility::Visible }
    };
    let evidence = Evidence { usage: Some(usage), days: 100, visibility: &visibility, needed: &|_, _| false };
    if !file.splits.is_empty() {
        let grounds = SplitGrounds { index: &index, rulebook: &rulebook, evidence, settings: &settings };
        return verify_splits(&file.splits, &grounds).into_iter().map(|part| part.verdict.claims).collect();
    }
    let all: Vec<&Change> = file.changes.iter().collect();
    let reached = everywhere(&all, &index);
    let (before, after) = (iam_graph::build(&index, &[]), iam_graph::build(&index, &reached));
    let evaluator = Evaluator::new(&index);
    let state = |graph| State::new(&rulebook, &index, graph, evidence, &settings);
    let grounds = Grounds { before: state(&before), after: state(&after), evaluator: &evaluator, usage: Some(usage) };
    vec![verify(&all, &grounds).claims]
}

/// The word and the line of one claim.
fn said(claims: &[(Claim, Outcome)], claim: Claim) -> String {
    let (_, outcome) = claims.iter().find(|(one, _)| *one == claim).unwrap();
    match outcome {
        Outcome::Proved { because } | Outcome::Refuted { because, .. } | Outcome::Undecided { why: because } => {
            format!("{}: {because}", outcome.as_str())
        }
    }
}

#[track_caller]
fn check(snapshot: &str, list: &Value, calls: &[(Arn, Observation)], expected: &[(Claim, &str)]) {
    let claims = judge(snapshot, &changes(list, &Value::Null).0, calls);
    for (claim, text) in expected {
        let said = said(&claims[0], *claim);
        assert!(said.contains(text), "{claim}: expected `{text}`, found `{said}`");
    }
}

fn edit(kind: &str, of: Option<&str>, name: Option<&str>, before: &Value, after: &Value) -> Value {
    let principal = of.map(arn);
    json!({"attachment": {"kind": kind, "principal_arn": principal, "policy_name": name}, "reasons": [],
        "before": if before.is_null() { Value::Null } else { doc(before) },
        "after": if after.is_null() { Value::Null } else { doc(after) }})
}

const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/T";

/// `Shared` was narrowed to what `a` used, and `b`, which it bounds, lost everything: all four claims were proved.
#[test]
fn an_edited_policy_reaches_whom_it_bounds_and_whoever_else_has_it() {
    let wide = allow(&json!(["s3:GetObject", "dynamodb:*"]));
    let narrow = allow(&json!("s3:GetObject"));
    let policies = json!([managed("Shared", &wide)]);
    let own = allow(&json!("dynamodb:GetItem"));
    let calls = [call("a", "s3:GetObject", "arn:aws:s3:::bk/x"), call("b", "dynamodb:GetItem", TABLE)];
    let shared = arn("policy/Shared");
    let name = || Some(shared.as_str());
    let bounded = account(
        &json!({"RoleDetailList": [role("a", &Value::Null, &["Shared"], None), role("b", &own, &[], Some("Shared"))], "Policies": policies}),
        &json!({}),
    );
    let attached = account(
        &json!({"RoleDetailList": [role("a", &Value::Null, &["Shared"], None), role("b", &Value::Null, &["Shared"], None)], "Policies": policies}),
        &json!({}),
    );
    let refuted = [(Claim::KeepsUsed, "refuted: 2 of 4 observed calls")];
    for snapshot in [&bounded, &attached] {
        for of in [Some("role/a"), None] {
            check(snapshot, &json!([edit("identity", of, name(), &wide, &narrow)]), &calls, &refuted);
        }
        // By its name alone, too.
        check(snapshot, &json!([edit("identity", Some("role/a"), Some("Shared"), &wide, &narrow)]), &calls, &refuted);
    }
    // Said as a boundary of `b` alone, it is cut for `a`, too.
    let only_dynamodb = allow(&json!("dynamodb:*"));
    check(&bounded, &json!([edit("boundary", Some("role/b"), name(), &wide, &only_dynamodb)]), &calls, &refuted);
    // Taken off `a`, it stays the boundary of `b`.
    let off = edit("identity", Some("role/a"), name(), &wide, &Value::Null);
    check(&bounded, &json!([off]), &calls[1..], &[(Claim::KeepsUsed, "proved")]);
    // Two changes that say different things of one policy are no change at all.
    let both = json!([
        edit("identity", Some("role/a"), name(), &wide, &narrow),
        edit("boundary", Some("role/b"), name(), &wide, &wide)
    ]);
    check(&bounded, &both, &calls, &[(Claim::KeepsUsed, "undecided"), (Claim::AddsNothing, "leave different texts")]);
}

/// AWS counts three holders of `Shared` and two that it bounds; the file holds one: nobody knows what the others do.
#[test]
fn an_edit_of_a_policy_that_more_principals_hold_than_the_snapshot_shows_is_undecided() {
    let (wide, narrow) = (allow(&json!(["s3:GetObject", "dynamodb:*"])), allow(&json!("s3:GetObject")));
    let shared = arn("policy/Shared");
    let counted = |attached: Option<u64>, bounded: Option<u64>| {
        let mut policy = managed("Shared", &wide);
        policy["AttachmentCount"] = json!(attached);
        policy["PermissionsBoundaryUsageCount"] = json!(bounded);
        let roles = json!([role("a", &Value::Null, &["Shared"], None)]);
        account(&json!({"RoleDetailList": roles, "Policies": [policy]}), &json!({}))
    };
    let calls = [call("a", "s3:GetObject", "arn:aws:s3:::bk/x")];
    let cut = json!([edit("identity", Some("role/a"), Some(&shared), &wide, &narrow)]);
    let why = "5 principals hold it, and the snapshot shows 1";
    check(&counted(Some(3), Some(2)), &cut, &calls, &[(Claim::KeepsUsed, "undecided"), (Claim::KeepsUsed, why)]);
    check(&counted(None, Some(2)), &cut, &calls, &[(Claim::KeepsUsed, "undecided")]);
    check(&counted(Some(1), Some(0)), &cut, &calls, &[(Claim::KeepsUsed, "proved")]);
    check(&counted(None, None), &cut, &calls, &[(Claim::KeepsUsed, "proved")]);
    // Taken off one principal, it stays with the others; and what takes nothing breaks nobody.
    let off = json!([edit("identity", Some("role/a"), Some(&shared), &wide, &Value::Null)]);
    check(&counted(Some(3), None), &off, &[], &[(Claim::KeepsUsed, "proved")]);
    let same = json!([edit("identity", Some("role/a"), Some(&shared), &wide, &wide)]);
    check(&counted(Some(3), None), &same, &calls, &[(Claim::KeepsUsed, "proved")]);
}

/// A condition that did not change hangs on what no record tells, and the change took nothing from behind it.
#[test]
fn a_condition_that_stays_as_it_is_leaves_no_call_undecided() {
    let under = |key: &str| {
        let mut statement = allow(&json!(["s3:GetObject", "s3:PutObject"]));
        statement["Condition"] = json!({"StringEquals": {key: "x"}});
        statement
    };
    for key in ["aws:SourceVpc", "s3:ExistingObjectTag/stage"] {
        let own = json!([under(key), allow(&json!("dynamodb:*"))]);
        let snapshot = account(&json!({"RoleDetailList": [role("a", &own, &[], None)]}), &json!({}));
        let calls = [call("a", "s3:GetObject", "arn:aws:s3:::bk/x"), call("a", "dynamodb:GetItem", TABLE)];
        let narrowed = |of_s3: Value, on: &str| {
            let mut kept = under(key);
            kept["Action"] = of_s3;
            kept["Resource"] = json!(on);
            json!([edit(
                "identity",
                Some("role/a"),
                Some("own"),
                &own,
                &json!([kept, allow(&json!("dynamodb:GetItem"))])
            )])
        };
        let proved = "proved: 4 observed calls replayed, all still allowed";
        check(&snapshot, &narrowed(json!("s3:GetObject"), "arn:aws:s3:::bk/*"), &calls, &[(Claim::KeepsUsed, proved)]);
        let elsewhere = narrowed(json!("s3:GetObject"), "arn:aws:s3:::other/*");
        check(&snapshot, &elsewhere, &calls, &[(Claim::KeepsUsed, "refuted")]);
        // Under a condition of its own, what was granted is no longer granted whatever the call was.
        let mut other = under("aws:SourceVpce");
        other["Action"] = json!("s3:GetObject");
        let other = json!([edit(
            "identity",
            Some("role/a"),
            Some("own"),
            &own,
            &json!([other, allow(&json!("dynamodb:GetItem"))])
        )]);
        check(&snapshot, &other, &calls, &[(Claim::KeepsUsed, "undecided")]);
    }
}

#[test]
fn an_edited_policy_reaches_users_through_their_groups() {
    let wide = allow(&json!(["s3:GetObject", "dynamodb:*"]));
    let group = json!({"GroupName": "g", "Arn": arn("group/g"), "GroupPolicyList": [],
        "AttachedManagedPolicies": [{"PolicyName": "Shared", "PolicyArn": arn("policy/Shared")}]});
    let user = json!({"UserName": "u", "Arn": arn("user/u"), "GroupList": ["g"], "AttachedManagedPolicies": [], "UserPolicyList": []});
    let snapshot = account(
        &json!({"RoleDetailList": [role("a", &Value::Null, &["Shared"], None)], "GroupDetailList": [group], "UserDetailList": [user],
            "Policies": [managed("Shared", &wide)]}),
        &json!({}),
    );
    let calls = [call("a", "s3:GetObject", "arn:aws:s3:::bk/x")];
    let shared = arn("policy/Shared");
    let name = || Some(shared.as_str());
    let narrow = edit("identity", Some("role/a"), name(), &wide, &allow(&json!("s3:GetObject")));
    check(
        &snapshot,
        &json!([narrow]),
        &calls,
        &[(Claim::KeepsUsed, "undecided: "), (Claim::KeepsUsed, "takes something from users")],
    );
    let admin = edit("identity", None, name(), &wide, &allow(&json!("*")));
    let expected = [(Claim::AddsNothing, "refuted"), (Claim::OpensNoPath, "refuted: 2 new")];
    check(&snapshot, &json!([admin]), &calls, &expected);
    let of_group = edit("identity", Some("group/g"), name(), &wide, &allow(&json!("*")));
    check(&snapshot, &json!([of_group]), &calls, &expected);
}

/// Compared alone, a policy of denies allows nothing before and after: that they go passed for adding nothing.
#[test]
fn a_deny_that_goes_adds_what_other_policies_allow() {
    let deny = json!({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"});
    let other = json!({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"});
    let details = json!({"RoleDetailList": [role("a", &allow(&json!("s3:*")), &["Guard"], None)], "Policies": [managed("Guard", &deny)]});
    let mut bucket = deny.clone();
    bucket["Principal"] = json!("*");
    let snapshot = account(&details, &json!({"resource_policies": {"arn:aws:s3:::bk": doc(&bucket)}}));
    let refuted = [(Claim::AddsNothing, "refuted")];
    let named = arn("policy/Guard");
    let guard = || Some(named.as_str());
    check(&snapshot, &json!([edit("identity", None, guard(), &deny, &other)]), &[], &refuted);
    let mut gone = json!([{"attachment": {"kind": "resource", "resource_arn": "arn:aws:s3:::bk"}, "before": doc(&bucket), "after": null, "reasons": []}]);
    check(&snapshot, &gone, &[], &refuted);
    gone[0]["after"] =
        doc(&json!([bucket.clone(), {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]));
    check(&snapshot, &gone, &[], &[(Claim::AddsNothing, "proved")]);
    // What the change says it replaces is not what stands there.
    gone[0]["before"] = doc(&json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}));
    gone[0]["after"] = gone[0]["before"].clone();
    check(
        &snapshot,
        &gone,
        &[],
        &[
            (Claim::AddsNothing, "undecided: the snapshot holds another text"),
            (Claim::KeepsUsed, "undecided: the snapshot holds"),
        ],
    );
    let missed = edit("identity", Some("role/a"), Some("typo"), &other, &allow(&json!("*")));
    check(&snapshot, &json!([missed]), &[], &[(Claim::AddsNothing, "undecided: the snapshot does not hold")]);
}

/// The role called what nothing in the snapshot allows it: the change took the action away, and nothing would be denied.
#[test]
fn a_call_that_nothing_explains_is_undecided_where_its_action_loses_something() {
    let own = allow(&json!(["logs:FilterLogEvents", "s3:*"]));
    let mut own = json!([own]);
    own[0]["Resource"] = json!(["arn:aws:logs:*:*:log-group:/x:*", "arn:aws:s3:::bk/*"]);
    let snapshot = account(&json!({"RoleDetailList": [role("a", &own, &[], None)]}), &json!({}));
    let calls = [
        call("a", "logs:FilterLogEvents", "arn:aws:logs:us-east-1:111122223333:log-group:/x"),
        call("a", "s3:GetObject", "arn:aws:s3:::bk/x"),
        call("a", "sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q"),
    ];
    let narrowed = |actions: Value| {
        let mut after = own.clone();
        after[0]["Action"] = actions;
        json!([edit("identity", Some("role/a"), Some("own"), &own, &after)])
    };
    let why = "undecided: 2 observed calls: logs:FilterLogEvents: it was allowed when it was made";
    check(&snapshot, &narrowed(json!("s3:GetObject")), &calls, &[(Claim::KeepsUsed, why)]);
    // What the change says it replaces is not what is there: the change took nothing, to hear it.
    let narrow = |mut statements: Value| {
        statements[0]["Action"] = json!("s3:GetObject");
        statements
    };
    let lie = edit("identity", Some("role/a"), Some("own"), &narrow(own.clone()), &narrow(own.clone()));
    check(&snapshot, &json!([lie]), &calls, &[(Claim::KeepsUsed, why)]);
    let kept = narrowed(json!(["s3:GetObject", "logs:FilterLogEvents"]));
    check(
        &snapshot,
        &kept,
        &calls,
        &[(Claim::KeepsUsed, "proved: 2 observed calls replayed, all still allowed; 4 more were not allowed")],
    );
}

#[test]
fn a_trust_policy_named_as_a_resource_is_looked_at_and_what_is_not_applied_is_undecided() {
    let snapshot = account(
        &json!({"RoleDetailList": [role("a", &allow(&json!("*")), &[], None)],
        "UserDetailList": [{"UserName": "u", "Arn": arn("user/u"), "GroupList": [], "AttachedManagedPolicies": [],
            "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": doc(&allow(&json!("sts:AssumeRole")))}]}]}),
        &json!({}),
    );
    let lambda =
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let user = json!({"Effect": "Allow", "Principal": {"AWS": arn("user/u")}, "Action": "sts:AssumeRole"});
    let change = |place: &str| json!([{"attachment": {"kind": "trust", place: arn("role/a")}, "before": doc(&lambda), "after": doc(&json!([lambda, user])), "reasons": []}]);
    for place in ["principal_arn", "resource_arn"] {
        check(&snapshot, &change(place), &[], &[(Claim::AddsNothing, "refuted"), (Claim::OpensNoPath, "refuted")]);
    }
    let nowhere = json!([{"attachment": {"kind": "trust", "logical_id": "Role"}, "before": null, "after": doc(&user), "reasons": []}]);
    check(&snapshot, &nowhere, &[], &[(Claim::OpensNoPath, "undecided: what it would open was not looked at")]);
}

mod endpoints;
mod refused;

#[test]
fn logs_that_were_not_read_whole_or_hold_nothing_prove_no_use_kept() {
    let snapshot = account(&json!({"RoleDetailList": [role("a", &allow(&json!("sqs:*")), &[], None)]}), &json!({}));
    let cut = json!([{"attachment": {"kind": "identity", "principal_arn": arn("role/a"), "policy_name": "own"},
        "before": doc(&allow(&json!("sqs:*"))), "after": doc(&allow(&json!("sqs:ListQueues"))), "reasons": []}]);
    let said =
        |usage: &UsageLog| said(&judge_log(&snapshot, &changes(&cut, &Value::Null).0, usage)[0], Claim::KeepsUsed);
    let whole = log(&[call("a", "sqs:ListQueues", "*")]);
    assert!(said(&whole).starts_with("proved"), "{}", said(&whole));
    let skipped = BTreeMap::from([(SkipReason::Incomplete, 1)]);
    for unread in [UsageLog { skipped, ..whole.clone() }, UsageLog { unread_files: 1, ..whole }] {
        assert!(
            said(&unread).starts_with("undecided: 1 ") && said(&unread).contains("could not be read"),
            "{}",
            said(&unread)
        );
    }
    let others = log(&[call("b", "sqs:ListQueues", "*")]);
    assert!(said(&others).starts_with("proved: the logs hold no call that the change is about"), "{}", said(&others));
    let account = "444455556666".parse().unwrap();
    let elsewhere = UsageLog { seen_in: [(account, "us-east-1".into())].into(), ..others };
    let no_record = "undecided: the logs hold no record of account 111122223333";
    assert!(said(&elsewhere).starts_with(no_record), "{}", said(&elsewhere));
    let unexplained = log(&[call("a", "s3:GetObject", "arn:aws:s3:::bk/x")]);
    assert!(said(&unexplained).starts_with("undecided: nothing could be replayed"), "{}", said(&unexplained));
    let said = said(&UsageLog::default());
    assert!(said.starts_with("undecided: the evidence holds no calls to replay"), "{said}");
}

#[test]
fn what_is_compared_without_the_account_says_so() {
    let snapshot = account(&json!({"RoleDetailList": [role("a", &allow(&json!("sqs:*")), &[], None)]}), &json!({}));
    let cut = |kind: &str, key: &str, arn: String| {
        let mut change = json!({"before": doc(&allow(&json!("sqs:*"))), "after": doc(&allow(&json!("sqs:ListQueues"))), "reasons": []});
        change["attachment"] = json!({"kind": kind, key: arn});
        json!([change])
    };
    let alone = "proved: every request allowed after was allowed before; documents sha256:";
    for change in [
        cut("identity", "principal_arn", arn("role/gone")),
        cut("resource", "resource_arn", "arn:aws:sqs:us-east-1:111122223333:q".into()),
        cut("boundary", "principal_arn", arn("role/a")),
    ] {
        let (read, _) = changes(&change, &Value::Null);
        let told = said(&judge_log(&snapshot, &read, &UsageLog::default())[0], Claim::AddsNothing);
        assert!(told.starts_with(alone) && told.contains("documents alone are compared, as"), "{told}");
    }
}

/// An organization's two accounts, ours and one more, with full access at each level.
fn organization() -> Value {
    let levels = json!([[doc(&allow(&json!("*")))], [doc(&allow(&json!("*")))]]);
    let above = json!({"scps": levels, "rcps": []});
    json!({"organization": {"id": "o-abc1234567", "management_account_id": "999988887777",
        "accounts": {"111122223333": above, "222233334444": above}}})
}

#[test]
fn a_control_policy_for_others_hides_nothing_and_one_for_nobody_knows_whom_decides_nothing() {
    let own = allow(&json!("sqs:ListQueues"));
    let snapshot = account(&json!({"RoleDetailList": [role("a", &own, &[], None)]}), &organization());
    let deny = doc(&json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
    let more = json!({"attachment": {"kind": "identity", "principal_arn": arn("role/a"), "policy_name": "own"},
        "before": doc(&own), "after": doc(&allow(&json!("iam:*"))), "reasons": []});
    let file = |place: &str, target: &str| {
        let target = format!("arn:aws:organizations::999988887777:{target}");
        json!([more, {"attachment": {"kind": "service_control", place: target, "policy_name": "d"}, "before": null, "after": deny, "reasons": []}])
    };
    for place in ["resource_arn", "principal_arn"] {
        let other = file(place, "account/o-abc1234567/222233334444");
        check(&snapshot, &other, &[], &[(Claim::OpensNoPath, "refuted"), (Claim::AddsNothing, "refuted")]);
        let own = file(place, "account/o-abc1234567/111122223333");
        check(&snapshot, &own, &[], &[(Claim::OpensNoPath, "proved")]);
        for unknown in ["ou/o-abc1234567/ou-ab12-sbx00001", "unit/o-abc1234567/111122223333"] {
            let why = "undecided: the change of service control policy `d`";
            let all: Vec<(Claim, &str)> = Claim::ALL.iter().map(|claim| (*claim, why)).collect();
            check(&snapshot, &file(place, unknown), &[], &all);
        }
    }
}

#[test]
fn a_control_policy_for_another_account_denies_no_call_of_this_one() {
    let snapshot = account(&json!({"RoleDetailList": [role("a", &allow(&json!("*")), &[], None)]}), &organization());
    let file = |account: &str| {
        let target = format!("arn:aws:organizations::999988887777:account/o-abc1234567/{account}");
        let deny = doc(&json!({"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}));
        json!([{"attachment": {"kind": "service_control", "principal_arn": target, "policy_name": "d"}, "before": null, "after": deny, "reasons": []}])
    };
    for resource in ["*", "arn:aws:sqs:eu-west-1:111122223333:q"] {
        let calls = [call("a", "sqs:SendMessage", resource)];
        check(
            &snapshot,
            &file("111122223333"),
            &calls,
            &[(Claim::KeepsUsed, "refuted"), (Claim::ObeysGuardrails, "refuted")],
        );
        // No call is replayed, so that nothing is known of live calls.
        let asked = "undecided: not asked: whether the guardrail would have denied live calls";
        check(&snapshot, &file("222233334444"), &calls, &[(Claim::ObeysGuardrails, asked)]);
    }
}

#[test]
fn a_first_resource_control_policy_that_has_no_place_decides_nothing() {
    let snapshot = account(&json!({"RoleDetailList": [role("a", &allow(&json!("*")), &[], None)]}), &organization());
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"});
    let file = json!([{"attachment": {"kind": "resource_control", "policy_name": "d"}, "before": null, "after": doc(&deny), "reasons": []}]);
    let all: Vec<(Claim, &str)> = Claim::ALL.iter().map(|claim| (*claim, "undecided: the change of")).collect();
    check(&snapshot, &file, &[], &all);
}

mod splits;

/// Logs write `a$b` as `a${$}b`, as policies of 2012 have to; older ones take that for the characters themselves.
#[test]
fn names_with_a_dollar_or_a_wildcard_are_replayed_as_they_are() {
    let wide = allow(&json!("s3:GetObject"));
    let snapshot = account(&json!({"RoleDetailList": [role("a", &wide, &[], None)]}), &json!({}));
    let replayed = |seen: &str, version: Option<&str>, key: &str| {
        let statement =
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::bk/{key}")});
        let mut change = edit("identity", Some("role/a"), Some("own"), &wide, &statement);
        change["after"] = json!({"Statement": [statement]});
        if let Some(version) = version {
            change["after"]["Version"] = json!(version);
        }
        let calls = [call("a", "s3:GetObject", &format!("arn:aws:s3:::bk/{seen}"))];
        said(&judge(&snapshot, &changes(&json!([change]), &Value::Null).0, &calls)[0], Claim::KeepsUsed)
    };
    for (seen, plain) in [("a${$}{x}", "a${x}"), ("a${$}b", "a$b"), ("a${*}b", "a*b"), ("a${?}b", "a?b")] {
        for version in [None, Some("2008-10-17")] {
            assert!(replayed(seen, version, seen).starts_with("refuted: 2 of 2 observed"), "{seen} {version:?}");
            assert!(replayed(seen, version, plain).starts_with("proved: 2 observed"), "{seen} {version:?}");
        }
        let version = Some("2012-10-17");
        assert!(replayed(seen, version, seen).starts_with("proved: 2 observed"), "{seen}");
    }
    assert!(!replayed("a${$}{aws:username}", Some("2012-10-17"), "a${aws:username}").starts_with("proved"));
}
