//! Small accounts, and who can become whom in them.

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::finding::{FindingCode, Subject};
use iam_model::json::{Limits, parse as parse_json};
use iam_model::policy::{PolicyDocument, parse};
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

use crate::{AccessGraph, Opened, build, opened};

pub(crate) const ADMIN: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;

/// A snapshot of one account: users, roles, and what else.
pub(crate) fn account(users: &[String], roles: &[String], more: &str) -> String {
    format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{"111122223333": {{"authorization_details": {{
            "UserDetailList": [{}], "GroupDetailList": [], "RoleDetailList": [{}], "Policies": []}}{more}}}}}}}"#,
        users.join(","),
        roles.join(",")
    )
}

pub(crate) fn user(name: &str, statements: &str) -> String {
    format!(
        r#"{{"UserName": "{name}", "Arn": "arn:aws:iam::111122223333:user/{name}", "GroupList": [],
            "AttachedManagedPolicies": [], "UserPolicyList": [{{"PolicyName": "p", "PolicyDocument":
            {{"Version": "2012-10-17", "Statement": [{statements}]}}}}]}}"#
    )
}

pub(crate) fn role(name: &str, trusts: &str, statements: &str) -> String {
    format!(
        r#"{{"RoleName": "{name}", "Arn": "arn:aws:iam::111122223333:role/{name}", "AttachedManagedPolicies": [],
            "InstanceProfileList": [], "RolePolicyList": [{{"PolicyName": "p", "PolicyDocument":
            {{"Version": "2012-10-17", "Statement": [{statements}]}}}}], "AssumeRolePolicyDocument":
            {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {trusts}}}]}}}}"#
    )
}

pub(crate) fn lambda_role(name: &str, statements: &str) -> String {
    role(name, r#"{"Service": "lambda.amazonaws.com"}"#, statements)
}

pub(crate) fn function(name: &str, role: &str) -> String {
    format!(
        r#"{{"kind": "lambda.function", "arn": "arn:aws:lambda:us-east-1:111122223333:function:{name}",
            "role_arn": "arn:aws:iam::111122223333:role/{role}", "api": {{}}}}"#
    )
}

pub(crate) fn with_graph<T>(text: &str, changes: &[Change], ask: impl FnOnce(&AccessGraph) -> T) -> T {
    assert!(parse_json(&iam_model::json::Arena::new(), text, Limits::FILE).is_ok(), "{text}");
    let source = SourceText { name: SourceName::new("snapshot.json"), text: text.into() };
    let (snapshot, _) = snapshot::read(source).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    ask(&build(&index, changes))
}

/// What is found, one short line per edge.
fn edges(text: &str) -> Vec<String> {
    let short = |subject: &Subject| subject.name().to_owned();
    with_graph(text, &[], |graph| {
        let line = |edge: &crate::Edge| {
            let keys: String = edge.conditional_on.iter().map(|key| format!(" if {key}")).collect();
            let admin = if graph.leads_to_admin(edge) { "!" } else { "" };
            format!("{} {} {}{admin}{keys}", short(&edge.from), edge.technique, short(&edge.to))
        };
        graph.edges().map(line).collect()
    })
}

fn check(users: &[String], roles: &[String], more: &str, expected: &[&str]) {
    assert_eq!(edges(&account(users, roles, more)), expected);
}

pub(crate) fn arn(text: &str) -> Arn {
    format!("arn:aws:iam::111122223333:{text}").parse().unwrap()
}

fn document(statements: &str) -> PolicyDocument {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    parse(&SourceText { name: SourceName::new("policy.json"), text }).0
}

pub(crate) const PASS: &str = r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
    {"Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "*"}"#;

#[test]
fn an_empty_account_has_nobody() {
    check(&[], &[], "", &[]);
}

#[test]
fn who_may_write_its_own_policies_is_an_administrator_in_waiting() {
    let put = |extra: &str| {
        user("dev", &format!(r#"{{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}}{extra}"#))
    };
    check(&[put("")], &[], "", &["dev iam-007 dev!"]);
    let deny = r#",{"Effect": "Deny", "Action": "iam:Put*", "Resource": "arn:aws:iam::*:user/dev"}"#;
    check(&[put(deny)], &[], "", &[]);
}

#[test]
fn a_new_function_runs_as_a_role_that_trusts_lambda() {
    let roles = [
        lambda_role("boss", ADMIN),
        lambda_role("clerk", ""),
        role("other", r#"{"Service": "ec2.amazonaws.com"}"#, ADMIN),
    ];
    check(&[user("dev", PASS)], &roles, "", &["dev lambda-001 boss!", "dev lambda-001 clerk"]);
}

#[test]
fn the_function_that_is_made_is_the_function_that_is_invoked() {
    let apart = r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
        {"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "arn:aws:lambda:*:*:function:new-*"},
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:*:*:function:old-*"}"#;
    check(&[user("dev", apart)], &[lambda_role("boss", ADMIN)], "", &[]);
    let together = apart.replace("old-", "new-a");
    check(&[user("dev", &together)], &[lambda_role("boss", ADMIN)], "", &["dev lambda-001 boss!"]);
}

#[test]
fn passing_on_to_another_service_only_opens_nothing() {
    let elsewhere = PASS.replacen(
        r#""Resource": "*""#,
        r#""Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}"#,
        1,
    );
    check(&[user("dev", &elsewhere)], &[lambda_role("boss", ADMIN)], "", &[]);
}

#[test]
fn code_of_a_running_function_is_its_roles_permissions() {
    let code = r#"{"Effect": "Allow", "Action": "lambda:UpdateFunctionCode",
        "Resource": "arn:aws:lambda:*:*:function:a"}"#;
    let more = format!(r#", "resources": [{}, {}]"#, function("a", "boss"), function("b", "clerk"));
    let roles = [lambda_role("boss", ADMIN), lambda_role("clerk", "")];
    check(&[user("dev", code)], &roles, &more, &["dev lambda-003 boss!"]);
}

#[test]
fn a_chain_leads_to_the_administrator_at_its_end() {
    let assume = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}"#;
    let named = |who: &str| format!(r#"{{"AWS": "arn:aws:iam::111122223333:{who}"}}"#);
    let roles = [role("one", &named("user/dev"), assume), role("two", &named("role/one"), ADMIN)];
    check(&[user("dev", assume)], &roles, "", &["one sts-001 two!", "dev sts-001 one!"]);
    with_graph(&account(&[user("dev", assume)], &roles, ""), &[], |graph| {
        assert!(graph.reaches_admin(&arn("user/dev")) && !graph.is_admin(&arn("user/dev")));
        let paths = graph.paths_from(&arn("user/dev"));
        assert_eq!((paths.len(), paths[0].hops.len(), paths[0].reaches_admin), (1, 2, true));
        let direct = graph.path_between(&arn("user/dev"), &Subject::Arn(arn("role/two"))).unwrap();
        assert_eq!(direct.hops, paths[0].hops);
        assert_eq!(graph.reachable_from(&arn("user/dev")).len(), 2);
    });
}

#[test]
fn a_ring_of_roles_that_trust_each_other_ends() {
    let assume = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}"#;
    let root = r#"{"AWS": "arn:aws:iam::111122223333:root"}"#;
    let roles = [role("one", root, assume), role("two", root, assume)];
    check(&[], &roles, "", &["one sts-001 two", "two sts-001 one"]);
}

#[test]
fn everyone_includes_strangers_unless_a_secret_is_asked_for() {
    let open = role("open", r#""*""#, "");
    check(&[], std::slice::from_ref(&open), "", &["* sts-003 open"]);
    let secret = open.replace(
        r#""Principal": "*""#,
        r#""Principal": "*", "Condition": {"StringEquals": {"sts:ExternalId": "s3cret"}}"#,
    );
    check(&[], &[secret], "", &[]);
    let outside = role("outside", r#"{"AWS": "999988887777"}"#, ADMIN);
    check(&[], &[outside], "", &["root sts-002 outside!"]);
}

#[test]
fn an_open_condition_is_named_and_a_closed_window_is_none() {
    let put = |condition: &str| {
        let allow = format!(
            r#"{{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*", "Condition": {condition}}}"#
        );
        user("dev", &allow)
    };
    let ip = r#"{"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}"#;
    check(&[put(ip)], &[], "", &["dev iam-007 dev! if aws:SourceIp"]);
    check(&[put(r#"{"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}"#)], &[], "", &[]);
    let window = r#"{"DateGreaterThan": {"aws:CurrentTime": "2031-05-01T00:00:00Z"},
        "DateLessThan": {"aws:CurrentTime": "2031-06-01T00:00:00Z"}}"#;
    check(&[put(window)], &[], "", &["dev iam-007 dev! if aws:CurrentTime"]);
}

#[test]
fn a_deleted_principal_in_a_trust_policy_is_nobody() {
    check(&[user("dev", "")], &[role("left", r#"{"AWS": "AROAEXAMPLEEXAMPLE"}"#, ADMIN)], "", &[]);
}

#[test]
fn what_is_not_understood_is_listed() {
    let odd = r#"{"Effect": "Permit", "Action": "iam:PutUserPolicy", "Resource": "*"}"#;
    let more = r#", "resources": [{"kind": "quantum.box", "arn": "arn:aws:quantum:us-east-1:111122223333:box/1"}]"#;
    with_graph(&account(&[user("dev", odd)], &[], more), &[], |graph| {
        let listed = graph.not_checked().join("\n");
        assert!(listed.contains("quantum.box") && listed.contains("user/dev: policy `p`"), "{listed}");
    });
}

#[test]
fn shared_roles_and_administrators_among_functions_are_found() {
    let more =
        format!(r#", "resources": [{}, {}, {}]"#, function("a", "boss"), function("b", "boss"), function("c", "clerk"));
    let text = account(&[], &[lambda_role("boss", ADMIN), lambda_role("clerk", "")], &more);
    let found = with_graph(&text, &[], AccessGraph::findings);
    let of = |code| found.iter().filter(|f| f.code == code).map(|f| f.functions.len()).collect::<Vec<_>>();
    assert_eq!(of(FindingCode::SharedRole), [2]);
    assert_eq!(of(FindingCode::AdminFunction), [2]);
    assert_eq!(found, with_graph(&text, &[], AccessGraph::findings));
}

#[test]
fn a_change_opens_what_was_closed() {
    let text = account(&[user("dev", "")], &[lambda_role("boss", ADMIN)], "");
    let change = |after: &str| Change {
        attachment: Attachment::identity(arn("user/dev"), "p".into()),
        before: None,
        after: Some(document(after)),
        reasons: Vec::new(),
    };
    let opens = |after: &str| {
        with_graph(&text, &[], |before| with_graph(&text, &[change(after)], |after| opened(before, after)))
    };
    assert_eq!(opens(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#), []);
    assert!(matches!(&opens(PASS)[..], [Opened::Path(path)] if path.hops[0].technique == "lambda-001"));
    assert!(matches!(&opens(ADMIN)[..], [Opened::Administrator(subject)] if subject.name() == "dev"));
}

#[test]
fn code_of_another_account_that_lets_us_change_it_is_a_way() {
    let allow = |principal: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {principal},
            "Action": "lambda:UpdateFunctionCode", "Resource": "*"}}]}}"#
        )
    };
    let text = |principal: &str| {
        let update = r#"{"Effect": "Allow", "Action": "lambda:UpdateFunctionCode", "Resource": "*"}"#;
        let ours = account(&[user("dev", update)], &[], "");
        let arn = "arn:aws:lambda:us-east-1:222233334444:function:f";
        let more =
            format!(r#", {}, "resource_policies": {{"{arn}": {}}}"#, r#""resources": [FUNCTION]"#, allow(principal));
        let theirs = account(&[], &[lambda_role("boss", ADMIN)], &more.replace("FUNCTION", &function("f", "boss")));
        let theirs = theirs.replace("111122223333", "222233334444").replace("OURS", "111122223333");
        let inner = theirs.split_once(r#""accounts": {"#).unwrap().1.strip_suffix("}}").unwrap().to_owned();
        format!("{},{inner}}}}}", ours.strip_suffix("}}").unwrap())
    };
    assert_eq!(edges(&text(r#"{"AWS": "arn:aws:iam::OURS:root"}"#)), ["dev lambda-003 boss!"]);
    assert_eq!(edges(&text(r#"{"AWS": "arn:aws:iam::333344445555:root"}"#)), Vec::<String>::new());
    assert_eq!(edges(&text(r#"{"Service": "sns.amazonaws.com"}"#)), Vec::<String>::new());
}

#[test]
fn a_changed_control_policy_takes_part_in_the_graph() {
    let all = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    let put = r#"{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}"#;
    let organization = format!(
        r#", "organization": {{"id": "o-1", "management_account_id": "999999999999", "accounts":
        {{"111122223333": {{"scps": [[{all}]], "rcps": []}}}}}}}}"#
    );
    let text = format!("{}{organization}", account(&[user("dev", put)], &[], "").strip_suffix('}').unwrap());
    let mut change = Change {
        attachment: Attachment::identity(arn("user/nobody"), String::new()),
        before: None,
        after: Some(document(r#"{"Effect": "Deny", "Action": "iam:Put*", "Resource": "*"}"#)),
        reasons: Vec::new(),
    };
    change.attachment.kind = AttachmentKind::ServiceControl;
    change.attachment.principal_arn = None;
    let count = |graph: &AccessGraph| (graph.edges().count(), graph.not_checked().len());
    assert_eq!(with_graph(&text, &[], count), (1, 0));
    assert_eq!(with_graph(&text, &[change.clone()], count), (0, 0));
    change.before = Some(document(PASS));
    assert_eq!(with_graph(&text, &[change], count), (1, 1), "a change that fits nowhere is told");
}

#[test]
fn roles_that_trust_themselves_or_each_other_or_nobody_there_are_no_trouble() {
    let assume = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}"#;
    let named = |who: &str| format!(r#"{{"AWS": "arn:aws:iam::111122223333:role/{who}"}}"#);
    check(&[], &[role("alone", &named("alone"), assume)], "", &[]);
    let roles = [role("a", &named("b"), assume), role("b", &named("a"), assume)];
    check(&[], &roles, "", &["a sts-001 b", "b sts-001 a"]);
    check(&[], &[role("left", &named("gone"), assume)], &format!(r#", "resources": [{}]"#, function("f", "gone")), &[]);
}

mod own_limits;
