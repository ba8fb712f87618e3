//! Good and bad snapshots; the laws (never a panic, always a result); the conformance cases.

use super::*;
use crate::arn::Arn;
use crate::diagnostic::Severity;
use crate::policy::PolicyDocument;
use crate::snapshot::{ResourceKind, SnapshotIndex};
use crate::text::SourceName;

fn source(text: &str) -> SourceText {
    SourceText { name: SourceName::new("s.json"), text: text.into() }
}

fn arn(text: &str) -> Arn {
    text.parse().unwrap()
}

/// A snapshot of one account with these parts.
fn account(parts: &str) -> String {
    format!(r#"{{"schema": "paring-snapshot/1", "accounts": {{"111122223333": {{{parts}}}}}}}"#)
}

/// The one account of a snapshot, and each diagnostic as a user sees it.
fn check(parts: &str) -> (Account, Vec<String>) {
    let (mut snapshot, diagnostics) = read(source(&account(parts))).unwrap();
    let account = snapshot.accounts.pop_first().unwrap().1;
    (account, diagnostics.iter().map(ToString::to_string).collect())
}

fn is_unknown(document: &PolicyDocument) -> bool {
    document.statements.is_empty() && !document.unknown.is_empty()
}

#[test]
fn what_is_no_snapshot_is_refused_with_place_and_hint() {
    let check = |text: &str, message: &str, hint: &str| {
        let error = read(source(text)).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{text}: {:?}", error.hint());
    };
    check("", "s.json:1:1: not JSON: the text is empty", "");
    check("{\n \"schema\": ", "s.json:2:12: not JSON: the text ends before the value does", "cut off");
    check("{\"a\": 1,\n \"a\": 2}", "s.json:2:2: not JSON: the key `a` stands twice in one object", "keep one");
    check("[]", "s.json: not a snapshot: a list", "paring-snapshot/1");
    check("{}", "s.json: not a snapshot: an object without `schema`", "paring-snapshot/1");
    check("{\"schema\": 1}", "s.json: not a snapshot: its `schema` is no string", "paring-snapshot/1");
    let details = "{\"UserDetailList\": [], \"RoleDetailList\": []}";
    check(details, "s.json: not a snapshot: an object without `schema`", "account-authorization-details.json");
    let other = "{\"schema\": \"paring-snapshot/2\"}";
    check(other, "s.json:1:12: this is `paring-snapshot/2`; this version reads `paring-snapshot/1`", "collect");
    let changes = "{\"schema\": \"paring-changes/1\"}";
    check(changes, "s.json:1:12: this is `paring-changes/1`; this version reads `paring-snapshot/1`", "paring collect");
    let accounts = "{\"schema\": \"paring-snapshot/1\", \"accounts\": []}";
    check(accounts, "s.json:1:45: `accounts` is a list; an object of accounts by id is expected", "again");
    let none = "{\"schema\": \"paring-snapshot/1\"}";
    check(none, "s.json:1:1: `accounts` is missing; an object of accounts by id is expected", "again");
}

#[test]
fn everything_of_an_account_is_read() {
    let text = include_str!("../../../../../testdata/accounts/one-account.json");
    let (mut snapshot, diagnostics) = read(source(text)).unwrap();
    let account = snapshot.accounts.pop_first().unwrap().1;
    assert_eq!(diagnostics, []);
    let user = &account.users[0];
    assert_eq!((user.identity.name.as_str(), user.groups.as_slice()), ("ada", ["dev".to_owned()].as_slice()));
    assert_eq!(user.identity.tags.get("team").map(String::as_str), Some("rides"));
    assert_eq!(user.identity.boundary, Some(arn("arn:aws:iam::111122223333:policy/limit")));
    let role = &account.roles[0];
    assert_eq!(role.identity.unique_id.as_deref(), Some("AROAEXAMPLE"));
    assert_eq!(role.identity.inline_policies[0].name, "write");
    assert_eq!(role.identity.attached_policies, [arn("arn:aws:iam::111122223333:policy/limit")]);
    assert_eq!(role.instance_profiles, ["arn:aws:iam::111122223333:instance-profile/p"]);
    assert_eq!(role.max_session_seconds, Some(3600));
    assert_eq!(account.managed_policies.len(), 1);
    let function = &account.resources[0];
    assert_eq!(function.role, Some(role.identity.arn.clone()), "the role comes from the service's own description");
    assert_eq!(function.api.get("Runtime").and_then(Value::as_str), Some("python3.13"));
    assert_eq!(account.resource_policies.len(), 1);
    assert_eq!(account.access_keys.get("ada"), Some(&2));
    assert_eq!(account.login_profiles, ["ada"]);
    let trails = account.trails.unwrap();
    assert!(trails.management_write && trails.data_types.contains("AWS::DynamoDB::Table"));
}

use crate::json::Value;

const NOBODY: &str = r#"{"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}"#;

const ROLE: &str =
    r#""RoleName": "R", "Arn": "arn:aws:iam::111122223333:role/R", "AssumeRolePolicyDocument": {"Statement": []}"#;

#[test]
fn a_bad_part_is_named_and_the_rest_is_read() {
    let with_role = |extra: &str| {
        format!(
            r#""authorization_details": {{"RoleDetailList": [{{{ROLE}{extra}}}, {{{}}}]}}"#,
            ROLE.replace("R\"", "Q\"")
        )
    };
    let check = |extra: &str, expected: &[&str]| {
        let (account, diagnostics) = check(&with_role(extra));
        assert_eq!(account.roles.len(), 2, "{extra}");
        let all = diagnostics.join("\n");
        for part in expected {
            assert!(all.contains(part), "{extra}: no `{part}` in:\n{all}");
        }
        assert!(!diagnostics.is_empty(), "{extra}: nothing was said");
        account.roles[0].identity.clone()
    };
    let identity =
        check(r#", "RolePolicyList": [{"PolicyName": "p"}]"#, &["role R, inline policy p", "no `PolicyDocument`"]);
    assert!(is_unknown(&identity.inline_policies[0].document));
    let identity =
        check(r#", "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": "%zz"}]"#, &["role R, inline policy p"]);
    assert!(is_unknown(&identity.inline_policies[0].document));
    let identity = check(r#", "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": "{\"a\""}]"#, &["is not JSON"]);
    assert!(is_unknown(&identity.inline_policies[0].document));
    let identity = check(r#", "RolePolicyList": {}"#, &["`RolePolicyList` is an object; a list is expected"]);
    assert!(is_unknown(&identity.inline_policies[0].document), "a list that is no list may hold any policy");
    let identity =
        check(r#", "AttachedManagedPolicies": [{"PolicyName": "m", "PolicyArn": "m"}]"#, &["`m` is not an ARN"]);
    assert!(is_unknown(&identity.inline_policies[0].document), "an attached policy we cannot name grants something");
    let identity = check(r#", "PermissionsBoundary": {"PermissionsBoundaryArn": 7}"#, &["boundary counts as unknown"]);
    assert!(identity.boundary.is_some(), "a limit that cannot be read is still a limit");
    check(r#", "Tags": [{"Value": "v"}]"#, &["no `Key`"]);
    check(r#", "AssumeRolePolicyDocument_": 1, "InstanceProfileList": "x""#, &["`InstanceProfileList` is a string"]);
}

#[test]
fn what_has_no_name_to_keep_it_under_is_left_out_aloud() {
    let check = |parts: &str, expected: &str| {
        let (_, diagnostics) = check(parts);
        assert!(diagnostics.iter().any(|d| d.contains(expected)), "{parts}: {diagnostics:#?}");
    };
    check("", "no `authorization_details`");
    check(r#""authorization_details": []"#, "`authorization_details` is a list");
    let details = |inner: &str| format!(r#""authorization_details": {{{inner}}}"#);
    check(&details(r#""RoleDetailList": 3"#), "`RoleDetailList` is a number; a list is expected");
    check(&details(r#""RoleDetailList": [3]"#), "a role without a readable `Arn` is left out");
    check(&details(r#""UserDetailList": [{"UserName": "u"}]"#), "user u): a user without a readable `Arn` is left out");
    check(
        &details(r#""Policies": [{"PolicyName": "p", "Arn": "x"}]"#),
        "a policy without a readable `Arn` is left out",
    );
    check(&details(r#""IsTruncated": true"#), "is cut off");
    check(&details(r#""RoleDetailList": []"#), "no `UserDetailList`: users are not known");
    check(
        r#""resources": [{"kind": "lambda.function"}]"#,
        "a resource without a readable `kind` and `arn` is left out",
    );
    check(r#""resource_policies": {"b": {}}"#, "`b` is not an ARN");
    check(r#""iam_extra": {"access_keys": {"u": "2"}}"#, "the number of access keys of `u` is no number");
    check(r#""trails": {}"#, "`trails` is an object; a list is expected");
    check(r#""surprise": 1"#, "the key `surprise` is not known and not used");
    check(r#""not_read": [{"what": "lambda:GetPolicy on f was denied"}]"#, "lambda:GetPolicy on f was denied");
}

#[test]
fn unknown_kinds_are_kept_and_said_once() {
    let resource =
        |kind: &str, n: u32| format!(r#"{{"kind": "{kind}", "arn": "arn:aws:x:us-east-1:111122223333:y/{n}"}}"#);
    let list = [resource("new.thing", 1), resource("s3.bucket", 2), resource("new.thing", 3)].join(",");
    let (account, diagnostics) = check(&format!(r#""authorization_details": {NOBODY}, "resources": [{list}]"#));
    assert_eq!(account.resources.len(), 3);
    assert_eq!(account.resources[0].kind, ResourceKind::Unknown("new.thing".into()));
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics[0].contains("2 resources of the unknown kind `new.thing`"), "{diagnostics:?}");
}

#[test]
fn vpc_endpoints_are_read_as_describe_vpc_endpoints_prints_them() {
    let endpoint = |api: &str| {
        format!(
            r#"{{"kind": "ec2.vpc_endpoint", "arn": "arn:aws:ec2:eu-west-1:111122223333:vpc-endpoint/vpce-1", "api": {api}}}"#
        )
    };
    let read = |api: &str| {
        let (account, diagnostics) =
            check(&format!(r#""authorization_details": {{}}, "resources": [{}]"#, endpoint(api)));
        assert_eq!((account.resources.len(), account.vpc_endpoints.len()), (1, 1), "{api}");
        (account.vpc_endpoints.into_values().next().unwrap(), diagnostics)
    };
    let text = r#"{"VpcEndpointId": "vpce-1", "VpcId": "vpc-7", "ServiceName": "com.amazonaws.eu-west-1.s3",
        "PolicyDocument": "{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"*\", \"Resource\": \"*\"}]}"}"#;
    let (found, diagnostics) = read(text);
    assert_eq!((found.id.as_str(), found.vpc.as_deref()), ("vpce-1", Some("vpc-7")));
    assert!(found.services().unwrap().contains(&"s3"));
    assert_eq!(found.policy.unwrap().statements.len(), 1, "{diagnostics:?}");
    // What limits is never taken for absent.
    let (found, diagnostics) = read(r#"{"ServiceName": "com.amazonaws.eu-west-1.sqs", "PolicyDocument": "{"}"#);
    assert!(is_unknown(&found.policy.unwrap()) && !diagnostics.is_empty());
    assert_eq!(found.id, "vpce-1", "the ARN names it too");
    let (found, diagnostics) = read("null");
    assert!(found.policy.is_none() && found.services().is_none(), "{diagnostics:?}");
}

#[test]
fn a_function_is_outside_of_vpcs_only_where_its_description_says_so() {
    let outside = |api: &str| {
        let function = format!(
            r#"{{"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:f", "api": {api}}}"#
        );
        check(&format!(r#""authorization_details": {{}}, "resources": [{function}]"#)).0.resources[0].is_outside_vpcs()
    };
    assert!(outside(r#"{"FunctionName": "f"}"#));
    assert!(outside(r#"{"FunctionName": "f", "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}}"#));
    assert!(!outside(r#"{"FunctionName": "f", "VpcConfig": {"SubnetIds": ["subnet-1"], "VpcId": "vpc-1"}}"#));
    assert!(!outside(r#"{"FunctionName": "f", "VpcConfig": 7}"#));
    assert!(!outside("{}") && !outside("null"), "nothing is said");
}

#[test]
fn places_are_those_of_the_file() {
    let text = "{\"schema\": \"paring-snapshot/1\",\n \"x\": 1,\n \"accounts\": {\n  \"1\": {}}, \"y\": 2}";
    let (_, diagnostics) = read(source(text)).unwrap();
    let places: Vec<String> = diagnostics.iter().map(|d| d.place.to_string()).collect();
    assert_eq!(places, ["s.json:2:2 (the snapshot)", "s.json:4:13 (the snapshot)", "s.json:4:3 (accounts)"]);
}

#[test]
fn the_organisation_is_read_level_by_level() {
    let text = r#"{"schema": "paring-snapshot/1", "accounts": {}, "organization": {"id": "o-1",
        "management_account_id": "999988887777", "accounts": {"111122223333": {"scps": [[{}, {}], 7, [{}]], "rcps": {}}}}}"#;
    let (snapshot, diagnostics) = read(source(text)).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    assert!(index.is_management_account(&"999988887777".parse().unwrap()));
    let guardrails = index.guardrails(&"111122223333".parse().unwrap()).unwrap();
    assert_eq!(guardrails.scps.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1]);
    assert!(is_unknown(&guardrails.scps[1][0]) && is_unknown(&guardrails.rcps[0][0]), "what limits is never dropped");
    let all: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(all.iter().any(|d| d.contains("organization, account 111122223333, scps level 1")), "{all:#?}");
}

fn conformance(part: &str) -> Option<std::path::PathBuf> {
    let root = std::env::var_os("PARING_CONFORMANCE")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").into(), std::path::PathBuf::from);
    let folder = root.join(part);
    if !folder.exists() {
        eprintln!("SKIPPED: no conformance data at {} (set PARING_CONFORMANCE)", folder.display());
        return None;
    }
    Some(folder)
}

fn read_file(path: &std::path::Path) -> (Snapshot, Vec<Diagnostic>) {
    let text = std::fs::read_to_string(path).unwrap();
    read(SourceText { name: SourceName::new(&path.display().to_string()), text }).unwrap()
}

#[test]
fn the_escalation_cases_are_read_whole_and_their_shared_roles_found() {
    let Some(folder) = conformance("vectors/escalation") else { return };
    let expected = std::fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    let mut cases = 0;
    for line in expected.lines() {
        let arena = Arena::new();
        let label = json::parse(&arena, line, Limits::FILE).unwrap();
        let id = label.get("case_id").and_then(Node::as_str).unwrap();
        let (snapshot, diagnostics) = read_file(&folder.join(format!("cases/{id}.json")));
        let (index, dangling) = SnapshotIndex::new(&snapshot);
        let wrong: Vec<_> = diagnostics.iter().chain(&dangling).filter(|d| d.severity == Severity::Error).collect();
        assert!(wrong.is_empty(), "{id}: {wrong:#?}");
        let mut shared = Vec::new();
        for role in index.roles() {
            let functions = index.functions_of(&role.identity.arn);
            if functions.len() > 1 {
                let names = functions.iter().map(|f| f.arn.to_string()).collect::<Vec<_>>();
                shared.push((role.identity.arn.to_string(), names));
            }
        }
        let wanted = label.get("shared_roles").map(Node::members).unwrap_or_default().iter();
        let mut wanted: Vec<(String, Vec<String>)> = wanted
            .map(|m| (m.key.to_string(), m.value.items().iter().filter_map(|n| n.as_str().map(Into::into)).collect()))
            .collect();
        wanted.sort();
        assert_eq!(shared, wanted, "{id}");
        cases += 1;
    }
    assert!(cases > 700, "{cases} cases");
}

#[test]
fn the_workshop_snapshot_is_read_without_a_word() {
    let Some(folder) = conformance("examples/workshop") else { return };
    let (snapshot, diagnostics) = read_file(&folder.join("snapshot.json"));
    assert_eq!(diagnostics, []);
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    assert_eq!(dangling, []);
    assert_eq!(index.roles().count(), 5);
}
