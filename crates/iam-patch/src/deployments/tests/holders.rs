//! A text that names other holders than those its source makes.

use super::*;

const QUEUES: &str = "AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Q1: {Type: AWS::SQS::Queue, Properties: {QueueName: q1}}
  Q2: {Type: AWS::SQS::Queue, Properties: {QueueName: q2}}
  T1: {Type: AWS::SNS::Topic, Properties: {TopicName: t1}}
  QP:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: LIST
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: '*', Action: ['sqs:SendMessage', 'sqs:ReceiveMessage'], Resource: '*'}]
  TP:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: LIST
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: '*', Action: ['sns:Publish', 'sns:Subscribe'], Resource: '*'}]
";

/// A template whose policy `p` is for role `app-R`, and for whom the lines say.
fn policy_for(lists: &str) -> String {
    let (head, list) = TEMPLATE.split_once("      Policies:").unwrap();
    let statements = list.split_once("            Version").unwrap().1;
    let statements = format!("            Version{statements}").replace("\n    ", "\n");
    format!(
        "{head}      RoleName: app-R\n  S:\n    Type: AWS::IAM::Role\n    Properties: {{RoleName: app-S}}\n  Pol:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: p\n{lists}      PolicyDocument:\n        {}",
        statements.trim_start()
    )
    .replace("Parameters:\n", "Parameters:\n  Other: {Type: String}\n  Also: {Type: String, Default: app-R2}\n")
}

fn snapshot_of(lists: &str, policies: &str) -> snapshot::Snapshot {
    let text = format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{"{A}": {{"authorization_details": {{{lists}}}, "resource_policies": {{{policies}}}, "resources": []}}}}}}"#
    );
    snapshot::read(SourceText { name: SourceName::new("snapshot.json"), text }).unwrap().0
}

/// Roles, and users `u` and groups `g`, each with the policy `p`.
fn principals(roles: &[&str]) -> snapshot::Snapshot {
    let document = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"], "Resource": "*"}]}"#;
    let role = |name: &&str| {
        format!(
            r#"{{"RoleName": "{name}", "Arn": "arn:aws:iam::{A}:role/{name}", "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}}, "RolePolicyList": [{{"PolicyName": "p", "PolicyDocument": {document}}}]}}"#
        )
    };
    let roles = roles.iter().map(role).collect::<Vec<_>>().join(", ");
    snapshot_of(
        &format!(
            r#""RoleDetailList": [{roles}],
            "UserDetailList": [{{"UserName": "u", "Arn": "arn:aws:iam::{A}:user/u", "UserPolicyList": [{{"PolicyName": "p", "PolicyDocument": {document}}}]}}],
            "GroupDetailList": [{{"GroupName": "g", "Arn": "arn:aws:iam::{A}:group/g", "GroupPolicyList": [{{"PolicyName": "p", "PolicyDocument": {document}}}]}}]"#
        ),
        "",
    )
}

/// What becomes of the cut of a role's policy, and why.
fn cut(files: &[(&str, &str)], snapshot: &snapshot::Snapshot, role: &str) -> String {
    let wanted = changes(&[(A, role, vec![(ALL, "*")])], &[(A, role, vec![("dynamodb:GetItem", "*")])]);
    told(files, snapshot, &wanted)
}

fn told(files: &[(&str, &str)], snapshot: &snapshot::Snapshot, wanted: &[Change]) -> String {
    let (index, _) = SnapshotIndex::new(snapshot);
    let set = patch(&project(files), &index, wanted);
    let refused = set.refused.iter().map(|one| format!("{}: {}", one.refusal.code, one.refusal.message));
    let written = set.patches.iter().map(|patch| match &patch.disposition {
        Disposition::Safe => "safe".to_owned(),
        Disposition::NeedsReview(why) => format!("review: {}", why.join("; ")),
    });
    refused.chain(written).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_policy_is_not_cut_for_a_role_that_it_names_beside_the_one_of_the_change() {
    let snapshot = principals(&["app-R", "app-R2", "app-S"]);
    let check = |lists: &str, expected: &str| {
        let told = cut(&[("t.yaml", &policy_for(lists))], &snapshot, "app-R");
        assert!(told.starts_with(expected), "{lists}{told}");
    };
    for safe in [
        "Roles: [!Ref R]",
        "Roles: [app-R, !Ref R]",
        "Roles: [!Ref R, !Ref AWS::NoValue]",
        "Roles: !If [C, [!Ref R], []]",
    ] {
        check(&format!("      {safe}\n"), "safe");
    }
    // Each of these is in the snapshot, with the same policy.
    for (other, named) in [
        ("Roles: [!Ref R, app-R2]", "app-R2"),
        ("Roles: [!Ref R, !Ref Also]", "app-R2"),
        ("Roles: [!Ref R, !If [C, app-R2, !Ref AWS::NoValue]]", "app-R2"),
        ("Roles: [!Ref R, !Ref S]", "app-S"),
        ("Users: [u]\n      Roles: [!Ref R]", "u"),
        ("Roles: [!Ref R]\n      Groups: [g]", "g"),
    ] {
        let told = cut(&[("t.yaml", &policy_for(&format!("      {other}\n")))], &snapshot, "app-R");
        assert!(told.starts_with("several-deployments") && told.contains(&format!("`{named}`")), "{other}: {told}");
    }
}

#[test]
fn a_policy_for_somebody_who_is_not_known_waits_for_a_look() {
    let snapshot = principals(&["app-R"]);
    for other in [
        "Roles: [!Ref R, !ImportValue x]",
        "Roles: [!Ref R, !Ref Other]",
        "Roles: [!Ref R, !If [C, !Ref Other, !Ref AWS::NoValue]]",
        "Roles: [!Ref R, gone-role]",
        "Roles: [!Ref R, !Ref S]",
        "Roles: [!Ref R]\n      Users: [gone]",
        "Roles: [!Ref R]\n      Groups: !Ref Other",
    ] {
        let told = cut(&[("t.yaml", &policy_for(&format!("      {other}\n")))], &snapshot, "app-R");
        assert!(told.starts_with("review") && told.contains("also names"), "{other}: {told}");
    }
}

#[test]
fn a_managed_policy_for_a_group_that_the_snapshot_lacks_waits_for_a_look() {
    let text = |groups: &str| {
        policy_for(&format!("      Roles: [!Ref R]\n{groups}"))
            .replace("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
            .replace("PolicyName: p", "ManagedPolicyName: own")
    };
    let policy = format!("arn:aws:iam::{A}:policy/own");
    let snapshot = snapshot_of(
        &format!(
            r#""RoleDetailList": [{{"RoleName": "app-R", "Arn": "arn:aws:iam::{A}:role/app-R", "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}},
              "RolePolicyList": [], "AttachedManagedPolicies": [{{"PolicyName": "own", "PolicyArn": "{policy}"}}]}}],
            "Policies": [{{"PolicyName": "own", "Arn": "{policy}", "DefaultVersionId": "v1", "PolicyVersionList": [{{"VersionId": "v1", "IsDefaultVersion": true,
              "Document": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"], "Resource": "*"}}]}}}}]}}]"#
        ),
        "",
    );
    let mut wanted = changes(&[(A, "app-R", vec![(ALL, "*")])], &[(A, "app-R", vec![("dynamodb:GetItem", "*")])]);
    wanted[0].attachment.policy_name = Some(policy);
    assert_eq!(told(&[("t.yaml", &text(""))], &snapshot, &wanted), "safe");
    let told = told(&[("t.yaml", &text("      Groups: [g]\n"))], &snapshot, &wanted);
    assert!(told.starts_with("review") && told.contains("`g`"), "{told}");
}

#[test]
fn a_policy_of_one_queue_is_not_cut_for_another_that_it_names() {
    let statement = |actions: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": "*", "Action": {actions}, "Resource": "*"}}]}}"#
        )
    };
    let check = |service: &str, own: &str, (before, after): (&str, &str), other: Option<&str>, list: &str| {
        let arn = |name: &str| format!("arn:aws:{service}:us-east-1:{A}:{name}");
        let held = std::iter::once(own).chain(other).map(|name| format!(r#""{}": {}"#, arn(name), statement(before)));
        let snapshot = snapshot_of("", &held.collect::<Vec<_>>().join(", "));
        let read =
            |text: &str| iam_model::policy::parse(&SourceText { name: SourceName::new("p"), text: statement(text) }).0;
        let change = Change {
            attachment: Attachment {
                kind: iam_model::change::AttachmentKind::Resource,
                principal_arn: None,
                resource_arn: Some(arn(own).parse().unwrap()),
                policy_name: None,
                logical_id: None,
                address: None,
                index: None,
            },
            before: Some(read(before)),
            after: Some(read(after)),
            reasons: Vec::new(),
        };
        told(&[("t.yaml", &QUEUES.replace("LIST", list))], &snapshot, &[change])
    };
    let queue = |other, list| {
        check("sqs", "q1", (r#"["sqs:SendMessage", "sqs:ReceiveMessage"]"#, r#"["sqs:SendMessage"]"#), other, list)
    };
    let topic =
        |other, list| check("sns", "t1", (r#"["sns:Publish", "sns:Subscribe"]"#, r#"["sns:Publish"]"#), other, list);
    let url = format!("https://sqs.us-east-1.amazonaws.com/{A}/q2");
    assert_eq!(queue(Some("q2"), "[!Ref Q1]"), "safe");
    let both = format!("[!Ref Q1, '{url}']");
    let told = queue(Some("q2"), &both);
    assert!(told.starts_with("several-deployments") && told.contains(&url), "{told}");
    for (other, list) in [(None, &*both), (None, "[!Ref Q1, !Ref Q2]"), (Some("q2"), "[!Ref Q1, !ImportValue x]")] {
        let told = queue(other, list);
        assert!(told.starts_with("review") && told.contains("also names"), "{list}: {told}");
    }
    assert_eq!(topic(Some("t2"), "[!Ref T1]"), "safe");
    let both = format!("[!Ref T1, 'arn:aws:sns:us-east-1:{A}:t2']");
    assert!(topic(Some("t2"), &both).starts_with("several-deployments"), "{both}");
    assert!(topic(None, &both).starts_with("review"), "{both}");
}

const DOCUMENT: &str = r#"resource "aws_iam_role" "r" { name = "app-R" }
resource "aws_iam_role_policy" "p" {
  name   = "p"
  role   = aws_iam_role.r.id
  policy = data.aws_iam_policy_document.d.json
}
data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"]
    resources = ["*"]
  }
}
"#;

const MODULE: &str = "module \"m\" {\n  source = \"./m\"\n  doc = data.aws_iam_policy_document.d.json\n}\n";

#[test]
fn a_document_that_goes_on_to_others_waits_for_a_look() {
    let snapshot = principals(&["app-R"]);
    let policy = "resource \"aws_iam_policy\" \"e\" {\n  name = \"e\"\n  policy = EXPR\n}\n";
    let check = |more: &str, inside: &str, named: &str| {
        let text = format!("{DOCUMENT}{more}");
        let files = [("main.tf", &*text), ("m/main.tf", inside)];
        let told = cut(&files, &snapshot, "app-R");
        if named.is_empty() {
            assert_eq!(told, "safe", "{more}");
        } else {
            assert!(told.starts_with("review") && told.contains(named), "{more}: {told}");
        }
    };
    let nothing = "variable \"doc\" {}\n";
    check("", nothing, "");
    check(MODULE, nothing, "");
    check(MODULE, &format!("{nothing}{}", policy.replace("EXPR", "var.doc")), "aws_iam_policy.e");
    let twice =
        format!("{MODULE}{}", MODULE.replace("\"m\"", "\"n\"").replace("data.aws_iam_policy_document.d.json", "null"));
    check(&twice, &format!("{nothing}{}", policy.replace("EXPR", "var.doc")), "aws_iam_policy.e");
    check(&MODULE.replace("./m", "acme/x/aws"), nothing, "module.m");
    let source = "data \"aws_iam_policy_document\" \"e\" {\n  source_policy_documents = [data.aws_iam_policy_document.d.json]\n}\n";
    check(
        &format!("{source}{}", policy.replace("EXPR", "data.aws_iam_policy_document.e.json")),
        nothing,
        "aws_iam_policy.e",
    );
    check(&source.replace("source_", "override_"), nothing, "");
    check("output \"doc\" { value = data.aws_iam_policy_document.d.json }\n", nothing, "output.doc");
    let local = format!(
        "locals {{ x = {{ a = data.aws_iam_policy_document.d.json }} }}\n{}",
        policy.replace("EXPR", "local.x[\"a\"]")
    );
    check(&local, nothing, "aws_iam_policy.e");
    let trigger = "resource \"null_resource\" \"n\" {\n  triggers = { doc = data.aws_iam_policy_document.d.json }\n}\n";
    check(trigger, nothing, "null_resource.n");
    check("resource \"null_resource\" \"n\" {\n  depends_on = [data.aws_iam_policy_document.d]\n}\n", nothing, "");
}

#[test]
fn a_document_is_not_cut_for_a_role_that_another_block_names() {
    let snapshot = principals(&["app-R", "app-R2"]);
    let other = "resource \"aws_iam_role_policy\" \"q\" {\n  name = \"p\"\n  role = \"app-R2\"\n  policy = EXPR\n}\n";
    let beside = format!("{DOCUMENT}{}", other.replace("EXPR", "data.aws_iam_policy_document.d.json"));
    let module = format!("variable \"doc\" {{}}\n{}", other.replace("EXPR", "var.doc"));
    let user = beside
        .replace("aws_iam_role_policy\" \"q", "aws_iam_user_policy\" \"q")
        .replace("role = \"app-R2\"", "user = \"u\"");
    let with_module = format!("{DOCUMENT}{MODULE}");
    for files in [
        vec![("main.tf", &*beside)],
        vec![("main.tf", &*user)],
        vec![("main.tf", &*with_module), ("m/main.tf", &*module)],
    ] {
        let told = cut(&files, &snapshot, "app-R");
        assert!(told.starts_with("several-deployments"), "{files:?}: {told}");
    }
}

#[test]
fn an_edit_that_terraform_ignores_waits_for_a_look() {
    let snapshot = principals(&["app-R"]);
    let check = |ignored: &str| {
        let lifecycle = format!("  lifecycle {{\n    ignore_changes = {ignored}\n  }}\n}}\ndata");
        cut(&[("main.tf", &DOCUMENT.replace("}\ndata", &lifecycle))], &snapshot, "app-R")
    };
    for ignored in ["[policy]", "all", "[name, policy]", "[\"policy\"]"] {
        let told = check(ignored);
        assert!(told.starts_with("review") && told.contains("ignore_changes"), "{ignored}: {told}");
    }
    assert_eq!(check("[name]"), "safe");
}

#[test]
fn a_block_that_an_override_file_says_again_is_not_edited() {
    let snapshot = principals(&["app-R"]);
    let again = "data \"aws_iam_policy_document\" \"d\" {\n  statement {\n    actions = [\"sqs:*\"]\n    resources = [\"*\"]\n  }\n}\n";
    let policy = "resource \"aws_iam_role_policy\" \"p\" {\n  policy = \"{}\"\n}\n";
    for (file, text) in [("override.tf", again), ("a_override.tf", again), ("z_override.tofu", policy)] {
        let told = cut(&[("main.tf", DOCUMENT), (file, text)], &snapshot, "app-R");
        assert!(told.starts_with("ambiguous-source") && told.contains(file), "{file}: {told}");
    }
    let other = again.replace("\"d\"", "\"x\"");
    assert_eq!(cut(&[("main.tf", DOCUMENT), ("override.tf", &other)], &snapshot, "app-R"), "safe");
    let elsewhere = cut(&[("main.tf", DOCUMENT), ("m/override.tf", again)], &snapshot, "app-R");
    assert_eq!(elsewhere, "safe");
}

#[test]
fn policies_beside_one_another_in_a_local_value_are_not_shared() {
    let snapshot = principals(&["app-R", "app-S"]);
    let statement = |actions: &str| {
        format!(
            "{{\n    Version = \"2012-10-17\"\n    Statement = [{{ Effect = \"Allow\", Action = [{actions}], Resource = \"*\" }}]\n  }}"
        )
    };
    let own = statement("\"dynamodb:GetItem\", \"dynamodb:PutItem\", \"dynamodb:Scan\"");
    let policy = |block: &str, role: &str, expression: &str| {
        format!(
            "resource \"aws_iam_role_policy\" \"{block}\" {{\n  name = \"p\"\n  role = {role}\n  policy = jsonencode({expression})\n}}\n"
        )
    };
    let text = |other: &str| {
        format!(
            "resource \"aws_iam_role\" \"r\" {{ name = \"app-R\" }}\nlocals {{\n  all = {{\n  a = {own}\n  b = {}\n  }}\n}}\n{}{}",
            statement("\"s3:*\""),
            policy("p", "aws_iam_role.r.id", "local.all.a"),
            policy("q", "\"elsewhere\"", other)
        )
    };
    assert_eq!(cut(&[("main.tf", &text("local.all.b"))], &snapshot, "app-R"), "safe");
    assert_eq!(cut(&[("main.tf", &text("local.all[\"b\"]"))], &snapshot, "app-R"), "safe");
    for other in ["local.all[\"a\"]", "local.all[var.which]", "merge(local.all, {})"] {
        let told = cut(&[("main.tf", &text(other))], &snapshot, "app-R");
        assert!(told.starts_with("review") && told.contains("aws_iam_role_policy.q"), "{other}: {told}");
    }
}
