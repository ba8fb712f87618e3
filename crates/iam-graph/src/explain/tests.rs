//! Accounts, and the statements named behind their edges.

use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

use crate::{Asker, Ground, GroundPlace, build, explain};

const DENY_NOTHING: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

fn statements(list: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{list}]}}"#)
}

/// A snapshot with a user `dev`, in the group `team`, and a role `boss` that functions may run as.
fn account(inline: &str, of_group: &str, boss: &str, trust: &str, more: &str) -> String {
    format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{"111122223333": {{"authorization_details": {{
        "UserDetailList": [{{"UserName": "dev", "Arn": "arn:aws:iam::111122223333:user/dev", "GroupList": ["team"],
            "AttachedManagedPolicies": [{{"PolicyName": "own", "PolicyArn": "arn:aws:iam::111122223333:policy/own"}}],
            "UserPolicyList": [{{"PolicyName": "inline", "PolicyDocument": {}}}]}}],
        "GroupDetailList": [{{"GroupName": "team", "Arn": "arn:aws:iam::111122223333:group/team",
            "AttachedManagedPolicies": [], "GroupPolicyList": [{{"PolicyName": "shared", "PolicyDocument": {}}}]}}],
        "RoleDetailList": [{{"RoleName": "boss", "Arn": "arn:aws:iam::111122223333:role/boss",
            "AttachedManagedPolicies": [], "InstanceProfileList": [],
            "RolePolicyList": [{{"PolicyName": "r", "PolicyDocument": {}}}], "AssumeRolePolicyDocument": {}}}],
        "Policies": [{{"PolicyName": "own", "Arn": "arn:aws:iam::111122223333:policy/own", "DefaultVersionId": "v1",
            "PolicyVersionList": [{{"VersionId": "v1", "IsDefaultVersion": true, "Document": {}}}]}}]}}}}}}{more}}}"#,
        statements(inline),
        statements(of_group),
        statements(boss),
        statements(trust),
        statements(r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#),
    )
}

fn ground(ground: &Ground<'_>) -> String {
    let asker = if let Asker::Service(name) = ground.asker { format!("{name}: ") } else { String::new() };
    let on = match &ground.on {
        GroundPlace::Start => "start".to_owned(),
        GroundPlace::Target => "target".to_owned(),
        GroundPlace::Through => "through".to_owned(),
        GroundPlace::Named(arn) => arn.resource().to_owned(),
        GroundPlace::Chosen(arn) => format!("chosen {}", arn.resource()),
        GroundPlace::Nothing => "nothing".to_owned(),
    };
    let keys: String = ground.conditional_on.iter().map(|key| format!(" if {key}")).collect();
    let cited = ground.statements.iter().map(|cited| {
        let holder = cited.holder.map(|arn| arn.resource()).unwrap_or_default();
        format!("{holder}#{}[{}]", cited.policy, cited.statement)
    });
    format!("{asker}{} on {on}{keys}: {}", ground.action, cited.collect::<Vec<_>>().join(" "))
}

/// What the edges by one technique rest on.
fn check(text: &str, technique: &str, expected: &[&str]) {
    let source = SourceText { name: SourceName::new("snapshot.json"), text: text.into() };
    let (snapshot, _) = snapshot::read(source).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let graph = build(&index, &[]);
    let mut found = Vec::new();
    let edges = graph.edges().filter(|edge| edge.technique == technique);
    explain(&index, &[], edges, |_, grounds| found.extend(grounds.iter().map(ground)));
    assert_eq!(found, expected, "{:?}", graph.edges().collect::<Vec<_>>());
}

fn lambda(service: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"Service": "{service}"}}}}"#)
}

const ADMIN: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
const CREATE: &str = r#"{"Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "arn:aws:lambda:*:*:function:dev-*"}"#;
const PASS: &str = r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/b*"}"#;

#[test]
fn each_permission_names_its_statement_and_whose_policy_it_is_in() {
    let two = format!(r#"{{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}, {PASS}"#);
    let text = account(CREATE, &two, ADMIN, &lambda("lambda.amazonaws.com"), "");
    check(
        &text,
        "lambda-001",
        &[
            "iam:PassRole on target: group/team#shared[1]",
            "lambda:CreateFunction on chosen function:dev-new: user/dev#inline[0]",
            "lambda:InvokeFunction on chosen function:dev-new: user/dev#inline[0]",
            "lambda.amazonaws.com: sts:AssumeRole on target: role/boss#trust policy[0]",
        ],
    );
}

#[test]
fn a_condition_is_named_with_the_statement_that_has_it() {
    let ip = PASS.replace('}', r#", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}"#);
    let text = account(&format!("{CREATE}, {ip}"), "", ADMIN, &lambda("lambda.amazonaws.com"), "");
    check(
        &text,
        "lambda-001",
        &[
            "iam:PassRole on target if aws:SourceIp: user/dev#inline[1]",
            "lambda:CreateFunction on chosen function:dev-new: user/dev#inline[0]",
            "lambda:InvokeFunction on chosen function:dev-new: user/dev#inline[0]",
            "lambda.amazonaws.com: sts:AssumeRole on target: role/boss#trust policy[0]",
        ],
    );
}

#[test]
fn what_limits_an_open_grant_stands_beside_the_grant() {
    let guard = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}]}"#;
    let more = format!(
        r#", "organization": {{"id": "o-a1b2c3d4e5", "management_account_id": "999900001111", "accounts":
        {{"111122223333": {{"scps": [[{DENY_NOTHING}], [{DENY_NOTHING}, {guard}]], "rcps": []}}}}}}"#
    );
    let put = r#"{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}"#;
    let text = account(put, "", "", &lambda("lambda.amazonaws.com"), &more);
    check(
        &text,
        "iam-007",
        &["iam:PutUserPolicy on start if aws:RequestedRegion: user/dev#inline[0] #policy 1 of level 1[0]"],
    );
}

#[test]
fn a_policy_that_is_rewritten_is_what_the_way_goes_through() {
    let write = r#"{"Effect": "Allow", "Action": "iam:CreatePolicyVersion", "Resource": "*"}"#;
    let text = account("", write, "", &lambda("ec2.amazonaws.com"), "");
    check(&text, "iam-001", &["iam:CreatePolicyVersion on through: group/team#shared[0]"]);
}

#[test]
fn whom_a_trust_policy_names_needs_no_policy_of_its_own() {
    let named = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::111122223333:user/dev"}}"#;
    check(&account("", "", ADMIN, named, ""), "sts-001", &["sts:AssumeRole on target: role/boss#trust policy[0]"]);
}

#[test]
fn a_stranger_rests_on_the_trust_policy_alone() {
    let everyone = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}"#;
    check(&account("", "", ADMIN, everyone, ""), "sts-003", &["sts:AssumeRole on target: role/boss#trust policy[0]"]);
}

/// Every edge of the conformance cases has a ground for each thing its technique requires, and statements behind them:
/// only where the start writes a trust policy itself is there none to name.
#[test]
fn no_edge_of_the_conformance_cases_is_left_unexplained() {
    let folder =
        std::env::var_os("PARING_CONFORMANCE").map_or_else(|| "../../../shared".into(), std::path::PathBuf::from);
    let Ok(cases) = std::fs::read_dir(folder.join("vectors/escalation/cases")) else {
        eprintln!("SKIPPED: no escalation cases in {} (set PARING_CONFORMANCE)", folder.display());
        return;
    };
    let mut problems = Vec::new();
    let mut edges = 0;
    for case in cases {
        let path = case.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let (snapshot, _) = snapshot::read(SourceText { name: SourceName::new("case.json"), text }).unwrap();
        let (index, _) = SnapshotIndex::new(&snapshot);
        let graph = build(&index, &[]);
        explain(&index, &[], graph.edges(), |edge, grounds| {
            edges += 1;
            let technique = edge.technique().unwrap();
            let writes = technique.requires.iter().any(|r| r.trust != crate::technique::TrustAsked::AsItIs);
            let bare = grounds.iter().filter(|g| g.statements.is_empty()).count();
            let trusted = usize::from(!technique.trusts.is_empty());
            let enough = grounds.len() >= technique.requires.len() + trusted;
            if !enough || (bare > 0 && !writes) {
                let shown: Vec<String> = grounds.iter().map(ground).collect();
                problems.push(format!("{}: {} {shown:?}", path.display(), edge.technique));
            }
        });
    }
    assert!(edges > 0 && problems.is_empty(), "{edges} edges, {} problems\n{}", problems.len(), problems.join("\n"));
}
