//! Parts of shared roles that were proved and should not have been.

use super::*;

const FUNCTIONS: &str = "arn:aws:lambda:us-east-1:111122223333:function:";

fn function(name: &str, role: &str) -> Value {
    let arn_of = format!("{FUNCTIONS}{name}");
    json!({"kind": "lambda.function", "arn": arn_of, "role_arn": arn(&format!("role/{role}")), "api": {"FunctionName": name}})
}

fn statements() -> Value {
    allow(&json!(["s3:GetObject", "dynamodb:*"]))
}

/// A part that keeps everything.
fn part(function: &str, role: &str) -> Value {
    let trust =
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    json!({"function": format!("{FUNCTIONS}{function}"), "role": arn(&format!("role/{role}")), "trust": doc(&trust),
        "policies": [{"name": "own", "document": doc(&statements()), "reasons": []}]})
}

fn world(shared: &Value, more: &Value) -> String {
    let mut more = more.clone();
    let bucket = json!({"kind": "s3.bucket", "arn": "arn:aws:s3:::bk", "api": {"Name": "bk"}});
    more["resources"] =
        json!([function("orders", "shared"), function("quiet", "shared"), function("foreign", "other"), bucket]);
    account(&json!({"RoleDetailList": [shared, role("other", &statements(), &[], None)]}), &more)
}

fn shared() -> Value {
    role("shared", &statements(), &[], None)
}

fn seen() -> Vec<(Arn, Observation)> {
    vec![call("shared", "s3:GetObject", "arn:aws:s3:::bk/x")]
}

#[track_caller]
fn check_part(snapshot: &str, part: &Value, expected: &[(Claim, &str)]) {
    let (file, _) = changes(&json!([]), &json!([{"role": arn("role/shared"), "parts": [part]}]));
    let parts = judge(snapshot, &file, &seen());
    for (claim, text) in expected {
        let said = said(&parts[0], *claim);
        assert!(said.contains(text), "{claim}: expected `{text}`, found `{said}`");
    }
}

#[test]
fn a_part_of_a_function_that_does_not_run_with_the_shared_role_is_refuted() {
    let snapshot = world(&shared(), &json!({}));
    check_part(&snapshot, &part("orders", "orders-role"), &Claim::ALL.map(|claim| (claim, "proved")));
    check_part(&snapshot, &part("quiet", "quiet-role"), &Claim::ALL.map(|claim| (claim, "proved")));
    for name in ["foreign", "nope"] {
        let expected = [Claim::KeepsUsed, Claim::AddsNothing].map(|claim| (claim, "does not run with the shared role"));
        check_part(&snapshot, &part(name, "new-role"), &expected);
    }
}

#[test]
fn a_role_of_that_name_is_refused_whatever_its_path_and_case() {
    let snapshot = world(&shared(), &json!({}));
    for name in ["other", "path/Other", "shared"] {
        check_part(&snapshot, &part("orders", name), &[(Claim::AddsNothing, "exists already")]);
    }
    let two =
        |one: Value, other: Value| changes(&json!([]), &json!([{"role": arn("role/shared"), "parts": [one, other]}]));
    let (good, said) = two(part("orders", "a"), part("quiet", "b"));
    assert_eq!((good.splits.len(), said), (1, 0));
    let (same, said) = two(part("orders", "a"), part("quiet", "x/A"));
    assert_eq!((same.splits.len(), said), (0, 1), "two parts of one name hid what the first one lost");
    let apart = |one: Value, other: Value| {
        let split = |part: Value| json!({"role": arn("role/shared"), "parts": [part]});
        changes(&json!([]), &json!([split(one), split(other)]))
    };
    assert_eq!(apart(part("orders", "a"), part("quiet", "b")).0.splits.len(), 2);
    assert_eq!(apart(part("orders", "a"), part("quiet", "a")).0.splits.len(), 0);
    assert_eq!(apart(part("orders", "a"), part("orders", "b")).0.splits.len(), 0, "a function has one role");
    let mut twice = part("orders", "a");
    twice["policies"] = json!([twice["policies"][0], twice["policies"][0]]);
    assert_eq!(changes(&json!([]), &json!([{"role": arn("role/shared"), "parts": [twice]}])).0.splits.len(), 0);
}

/// Nothing was seen of `quiet`, so nothing was replayed, and its access by policies naming the shared role was lost.
#[test]
fn policies_that_name_the_shared_role_leave_a_part_without_evidence_undecided() {
    let name = arn("role/shared");
    let bucket = json!({"Effect": "Allow", "Principal": {"AWS": name}, "Action": "s3:PutObject", "Resource": "*"});
    let mut deny = bucket.clone();
    deny["Effect"] = json!("Deny");
    let exempt = json!({"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": arn("role/sha*")}}});
    let organization = |statement: &Value| {
        let full = doc(&allow(&json!("*")));
        json!({"organization": {"id": "o-1", "management_account_id": "999999999999",
            "accounts": {"111122223333": {"scps": [[full, doc(statement)]], "rcps": []}}}})
    };
    let on_bucket = |statement: &Value| json!({"resource_policies": {"arn:aws:s3:::bk": doc(statement)}});
    let quiet = part("quiet", "quiet-role");
    let keeps = Claim::KeepsUsed;
    let named = "undecided: no call of quiet was seen, and the policy of arn:aws:s3:::bk names the shared role";
    check_part(&world(&shared(), &on_bucket(&bucket)), &quiet, &[(keeps, named), (Claim::AddsNothing, "proved")]);
    check_part(&world(&shared(), &organization(&exempt)), &quiet, &[(keeps, "a service control policy above account")]);
    // What is denied the shared role by its name is not denied the new one.
    let added = [(Claim::AddsNothing, "undecided: the policy of arn:aws:s3:::bk"), (keeps, "proved")];
    check_part(&world(&shared(), &on_bucket(&deny)), &quiet, &added);
    let mut new = bucket;
    new["Principal"] = json!({"AWS": arn("role/quiet-role")});
    check_part(&world(&shared(), &on_bucket(&new)), &quiet, &added);
    // A pattern that is both tells nobody apart.
    let mut both = deny.clone();
    both["Principal"] = json!("*");
    both["Condition"] = json!({"ArnLike": {"aws:PrincipalArn": arn("role/*")}});
    both["Action"] = json!("sqs:*");
    check_part(&world(&shared(), &on_bucket(&both)), &quiet, &[(keeps, "proved"), (Claim::AddsNothing, "proved")]);
}

#[test]
fn a_tag_that_policies_ask_for_must_be_the_shared_roles() {
    let mut asks = statements();
    asks["Resource"] = json!("arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}-*");
    let mut tagged = role("shared", &asks, &[], None);
    tagged["Tags"] = json!([{"Key": "team", "Value": "red"}, {"Key": "note", "Value": "x"}]);
    let snapshot = world(&tagged, &json!({}));
    let with = |tags: Value| {
        let mut part = part("quiet", "quiet-role");
        part["policies"][0]["document"] = doc(&asks);
        part["tags"] = tags;
        part
    };
    let undecided = "asks for the caller's tag `team`: the shared role has `red`, the new one none";
    check_part(&snapshot, &with(Value::Null), &[(Claim::KeepsUsed, undecided), (Claim::AddsNothing, undecided)]);
    check_part(&snapshot, &with(json!({"team": "blue"})), &[(Claim::AddsNothing, "the new one `blue`")]);
    check_part(
        &snapshot,
        &with(json!({"team": "red"})),
        &[(Claim::KeepsUsed, "proved"), (Claim::AddsNothing, "proved")],
    );
}

#[test]
fn nobody_becomes_the_new_role_who_could_not_become_the_shared_one() {
    let user = json!({"UserName": "u", "Arn": arn("user/u"), "GroupList": [], "AttachedManagedPolicies": [],
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": doc(&json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn("role/orders-*")}))}]});
    let mut shared = shared();
    let root = json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": arn("root")}, "Action": "sts:AssumeRole"}]);
    shared["AssumeRolePolicyDocument"] = doc(&root);
    let snapshot = account(
        &json!({"RoleDetailList": [shared], "UserDetailList": [user]}),
        &json!({"resources": [function("orders", "shared")], "resource_policies": {"arn:aws:s3:::bk": doc(&json!([]))}}),
    );
    let mut part = part("orders", "orders-role");
    check_part(&snapshot, &part, &[(Claim::OpensNoPath, "proved")]);
    part["trust"] = doc(&root);
    check_part(&snapshot, &part, &[(Claim::OpensNoPath, "user/u becomes")]);
}

/// What the part of `orders`, which keeps everything, is said to keep.
fn keeps(snapshot: &str, calls: &[(Arn, Observation)], hidden: &[&str]) -> String {
    let split = json!([{"role": arn("role/shared"), "parts": [part("orders", "orders-role")]}]);
    let (file, _) = changes(&json!([]), &split);
    said(&judge_hiding(hidden, snapshot, &file, &log(calls))[0], Claim::KeepsUsed)
}

/// One observed call was enough for the rest of what policies let the shared role do by its name to pass for unused.
#[test]
fn what_a_policy_lets_the_shared_role_do_by_its_name_and_no_log_shows_leaves_a_seen_part_undecided() {
    let place = "the policy of arn:aws:s3:::bk names the shared role";
    let by_name = json!({"AWS": arn("role/shared")});
    let on_bucket =
        |statement: &Value| world(&shared(), &json!({"resource_policies": {"arn:aws:s3:::bk": doc(statement)}}));
    let allow = |action: &str| json!({"Effect": "Allow", "Principal": by_name, "Action": action, "Resource": "arn:aws:s3:::bk/*"});
    let put = &["s3:PutObject"][..];
    for (statement, hidden, expected) in [
        (allow("s3:PutObject"), put, Some("s3:PutObject")),
        (allow("s3:*"), put, Some("s3:PutObject")),
        (allow("s3:Put*"), put, Some("s3:PutObject")),
        // A name that the catalogue does not know.
        (allow("s3:PutObjectOfTomorrow"), &["s3:PutObjectOfTomorrow"], Some("s3:PutObjectOfTomorrow")),
        // It would have been seen, and was not: the function does not do it.
        (allow("s3:PutObject"), &[], None),
        (allow("s3:GetObjectTagging"), put, None),
    ] {
        let said = keeps(&on_bucket(&statement), &seen(), hidden);
        match expected {
            Some(action) => {
                let why = format!("undecided: {place}, and orders may have used {action} by it unseen: no data events");
                assert!(said.starts_with(&why), "{statement}: {said}");
            }
            None => assert!(said.starts_with("proved"), "{statement}: {said}"),
        }
    }
    // A deny that spares the shared role alone takes what the role is granted elsewhere, and nothing else.
    let mut spares = allow("s3:*");
    spares["Effect"] = json!("Deny");
    spares["NotPrincipal"] = spares["Principal"].take();
    spares.as_object_mut().unwrap().remove("Principal");
    let get = keeps(&on_bucket(&spares), &[call("shared", "dynamodb:GetItem", TABLE)], &["s3:GetObject"]);
    assert!(get.starts_with("undecided") && get.contains("s3:GetObject"), "{get}");
    let other = keeps(&on_bucket(&spares), &[call("shared", "dynamodb:GetItem", TABLE)], &["s3:PutObject"]);
    assert!(other.starts_with("proved"), "{other}");
    // So does a service control policy.
    let above = json!({"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": arn("role/shared")}}});
    let full = doc(&super::allow(&json!("*")));
    let organization = json!({"organization": {"id": "o-1", "management_account_id": "999999999999",
        "accounts": {"111122223333": {"scps": [[full, doc(&above)]], "rcps": []}}}});
    let snapshot = world(&shared(), &organization);
    let table = keeps(&snapshot, &seen(), &["dynamodb:PutItem"]);
    assert!(table.starts_with("undecided: a service control policy above account 111122223333 names"), "{table}");
    assert!(keeps(&snapshot, &seen(), put).starts_with("proved"));
}

/// A policy of another account nearly always names whom it lets in; nobody was shown it, and the call was said to be kept.
#[test]
fn a_call_that_a_policy_nobody_was_shown_let_through_leaves_a_part_undecided() {
    let mut wide = statements();
    wide["Action"] = json!("*");
    let snapshot = world(&role("shared", &wide, &[], None), &json!({}));
    for (action, resource, expected) in [
        ("sts:AssumeRole", "arn:aws:iam::444455556666:role/part", Some("of account 444455556666")),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/gone", Some("of a role that it does not hold")),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:444455556666:q", Some("of account 444455556666")),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:444455556666:*", Some("of account 444455556666")),
        ("s3:GetObject", "arn:aws:s3:::theirs/x", Some("of a bucket that it does not hold")),
        ("s3:GetObject", "arn:aws:s3:::theirs/*", Some("of a bucket that it does not hold")),
        ("s3:GetObject", "arn:aws:s3:::bk/x", None),
        ("s3:GetObject", "arn:aws:s3:::bk/*", None),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q", None),
        ("s3:ListAllMyBuckets", "*", None),
    ] {
        let mut all = part("orders", "orders-role");
        all["policies"][0]["document"] = doc(&wide);
        let (file, _) = changes(&json!([]), &json!([{"role": arn("role/shared"), "parts": [all]}]));
        let said = said(&judge(&snapshot, &file, &[call("shared", action, resource)])[0], Claim::KeepsUsed);
        match expected {
            Some(whose) => {
                assert!(
                    said.starts_with("undecided: orders was seen to call") && said.contains(whose),
                    "{resource}: {said}"
                );
            }
            None => assert!(said.starts_with("proved"), "{action} on {resource}: {said}"),
        }
    }
}

/// The role that deploys the stack could pass the shared role alone, and the split said nothing of it.
#[test]
fn who_passes_the_shared_role_by_its_name_must_be_let_pass_the_new_one() {
    let pass = |on: &str| json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": on});
    let deployer = |on: &str| {
        let mut more = json!({});
        more["resources"] =
            json!([function("orders", "shared"), {"kind": "s3.bucket", "arn": "arn:aws:s3:::bk", "api": {}}]);
        account(&json!({"RoleDetailList": [shared(), role("deployer", &pass(on), &[], None)]}), &more)
    };
    let passing = call("deployer", "iam:PassRole", &arn("role/shared"));
    let (with, without) = ([seen(), vec![passing]].concat(), seen());
    let lost = "undecided: arn:aws:iam::111122223333:role/deployer was seen to pass the shared role, and may not pass";
    let by_name = deployer(&arn("role/shared"));
    assert!(keeps(&by_name, &with, &[]).starts_with(lost), "{}", keeps(&by_name, &with, &[]));
    assert!(keeps(&by_name, &without, &[]).starts_with("proved"), "it would have been seen");
    let hidden = keeps(&by_name, &without, &["iam:PassRole"]);
    assert!(hidden.contains("may pass the shared role, which the logs need not show"), "{hidden}");
    for on in ["*", &arn("role/*")] {
        assert!(keeps(&deployer(on), &with, &[]).starts_with("proved"), "{on}");
    }
}
