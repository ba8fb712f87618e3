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
    more["resources"] =
        json!([function("orders", "shared"), function("quiet", "shared"), function("foreign", "other")]);
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
        &json!({"resources": [function("orders", "shared")]}),
    );
    let mut part = part("orders", "orders-role");
    check_part(&snapshot, &part, &[(Claim::OpensNoPath, "proved")]);
    part["trust"] = doc(&root);
    check_part(&snapshot, &part, &[(Claim::OpensNoPath, "user/u becomes")]);
}
