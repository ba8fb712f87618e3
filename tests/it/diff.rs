//! `paring diff`: what two policies or two snapshots allow differently.

use crate::accounts::{OWN, write};
use crate::run::Folder;

const DENYING: &str = r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "sqs:*"], "Resource": "*"},
  {"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}]}"#;

#[test]
fn two_policies_differ_by_service_and_access_level() {
    let folder = Folder::new();
    folder.write("old.json", OWN);
    folder.write("new.json", DENYING);
    let output = folder.paring(&["diff", "old.json", "new.json"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!("diff_policies", output.stdout);
    let json = folder.paring(&["diff", "old.json", "new.json", "--format", "json"]);
    assert!(json.stdout.starts_with("{\n  \"schema\": \"paring-difference/1\""), "{}", json.stdout);
    assert_eq!(json.stdout, folder.paring(&["diff", "old.json", "new.json", "--format", "json"]).stdout);
}

#[test]
fn equal_and_narrowed_policies_are_clean() {
    let folder = Folder::new();
    folder.write("old.json", OWN);
    folder.write("same.json", OWN.replace("\"dynamodb:*\"", "[\"dynamodb:*\", \"dynamodb:GetItem\"]"));
    let same = folder.paring(&["diff", "old.json", "same.json"]);
    assert_eq!((same.code, same.stdout.as_str()), (0, "both allow the same requests\n"));
    folder.write("less.json", OWN.replace("dynamodb:*", "dynamodb:PutItem"));
    let less = folder.paring(&["diff", "old.json", "less.json"]);
    assert!(less.code == 0 && less.stdout.contains("lost") && !less.stdout.contains("gained\n"), "{}", less.stdout);
    assert_eq!(folder.paring(&["diff", "--fail-on-lost", "old.json", "less.json"]).code, 1);
}

#[test]
fn two_snapshots_differ_principal_by_principal() {
    let folder = Folder::new();
    write(&folder);
    let changed = folder.read("s.json").replace("\"iam:PassRole\"", "[\"iam:PassRole\", \"iam:CreateUser\"]");
    folder.write("t.json", changed.replace("ec2.amazonaws.com", "ecs-tasks.amazonaws.com"));
    let output = folder.paring(&["diff", "s.json", "t.json"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!("diff_snapshots", output.stdout);
    assert_eq!(folder.paring(&["diff", "s.json", "s.json"]).code, 0);
}

const TEMPLATE: &str = "Parameters:
  Stage: {Type: String}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - AWSLambdaBasicExecutionRole
        - Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Action: ['dynamodb:GetItem', 'dynamodb:PutItem']
              Resource: !GetAtt Table.Arn
            - Effect: Allow
              Action: 's3:GetObject'
              Resource: !Sub 'arn:aws:s3:::files-${Stage}/*'
";

#[test]
fn two_templates_differ_role_by_role() {
    let folder = Folder::new();
    folder.write("old.yaml", TEMPLATE);
    let wider = TEMPLATE.replace("!GetAtt Table.Arn", "'*'").replace(", 'dynamodb:PutItem'", "");
    folder.write("new.yaml", wider);
    let output = folder.paring(&["diff", "old.yaml", "new.yaml"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!("diff_templates", output.stdout);
    // The same references say the same, however they are written.
    folder.write("same.yaml", TEMPLATE.replace("!GetAtt Table.Arn", "!Sub '${Table.Arn}'"));
    let same = folder.paring(&["diff", "old.yaml", "same.yaml"]);
    assert_eq!((same.code, same.stdout.as_str()), (0, "both allow the same requests\n"), "{}", same.stderr);
}

#[test]
fn what_a_template_leaves_open_is_told_and_never_passes() {
    let folder = Folder::new();
    folder.write("old.yaml", TEMPLATE);
    for (changed, said) in [
        (TEMPLATE.replace("!GetAtt Table.Arn", "!ImportValue table"), "only the deployment knows"),
        (TEMPLATE.replace("!GetAtt Table.Arn", "!If [IsProd, '*', !GetAtt Table.Arn]"), "`Fn::If` chooses"),
        (TEMPLATE.replace("BasicExecutionRole", "VPCAccessExecutionRole"), "whose text is not in the template"),
    ] {
        folder.write("new.yaml", &changed);
        let output = folder.paring(&["diff", "old.yaml", "new.yaml"]);
        assert!(output.code == 1 && output.stdout.contains(said), "{said}: {} {}", output.stdout, output.stderr);
        assert!(output.stdout.contains("not compared"), "{}", output.stdout);
        assert!(!output.stdout.contains("both allow the same"), "{}", output.stdout);
    }
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = Folder::new();
    write(&folder);
    folder.write("p.json", OWN);
    folder.write("t.yaml", "Resources: {}\n");
    folder.write("broken.yaml", "Resources:\n  R: {Type: AWS::IAM::Role\n");
    folder.write("f.yaml", TEMPLATE);
    for (old, new, said) in [
        ("p.json", "s.json", "a policy and a snapshot cannot be compared"),
        ("f.yaml", "p.json", "a template and a policy cannot be compared"),
        ("t.yaml", "t.yaml", "no policy, no snapshot and no template"),
        ("f.yaml", "broken.yaml", "a template of `broken.yaml` cannot be read"),
    ] {
        let output = folder.paring(&["diff", old, new]);
        assert!(output.code == 2 && output.stderr.contains(said), "{}", output.stderr);
    }
}

/// Two Terraform folders once counted as two projects without policies, and so as the same.
#[test]
fn terraform_is_not_compared_and_never_passes() {
    let folder = Folder::new();
    let document = |action: &str| {
        format!(
            "data \"aws_iam_policy_document\" \"d\" {{\n  statement {{\n    actions = [\"{action}\"]\n    resources = [\"*\"]\n  }}\n}}\n"
        )
    };
    folder.write("old/main.tf", document("s3:GetObject"));
    folder.write("new/main.tf", document("s3:*"));
    for (old, new) in [("old", "new"), ("old/main.tf", "new/main.tf")] {
        let output = folder.paring(&["diff", old, new]);
        assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
        assert!(output.stdout.contains("Terraform is not compared"), "{}", output.stdout);
        assert!(!output.stdout.contains("both allow the same"), "{}", output.stdout);
    }
}

/// A change set with one role that changes, as `describe-change-set --include-property-values` prints it.
fn change_set(before: &str, after: &str) -> String {
    let context = |statements: &str| {
        let properties = format!(
            r#"{{"Properties": {{"AssumeRolePolicyDocument": {{"Statement": []}}, "Policies": [{{"PolicyName": "p", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [{statements}]}}}}]}}}}"#
        );
        serde_json::to_string(&properties).unwrap()
    };
    format!(
        r#"{{"ChangeSetName": "release", "StackName": "shop", "Status": "CREATE_COMPLETE", "Changes": [
        {{"Type": "Resource", "ResourceChange": {{"Action": "Modify", "LogicalResourceId": "Alarm", "ResourceType": "AWS::CloudWatch::Alarm", "Replacement": "False"}}}},
        {{"Type": "Resource", "ResourceChange": {{"Action": "Modify", "LogicalResourceId": "OrdersRole", "PhysicalResourceId": "shop-OrdersRole-1", "ResourceType": "AWS::IAM::Role",
          "BeforeContext": {}, "AfterContext": {}}}}}]}}"#,
        context(before),
        context(after)
    )
}

#[test]
fn of_a_change_set_what_its_roles_gain_is_told_before_it_runs() {
    let folder = Folder::new();
    let get = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}"#;
    let all = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
    let deny = r#"{"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}"#;
    let open = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{{changeSet:KNOWN_AFTER_APPLY}}/*"}"#;
    for (before, after, code, said) in [
        (get.to_owned(), all.to_owned(), 1, "OrdersRole"),
        (all.to_owned(), get.to_owned(), 0, "OrdersRole"),
        (get.to_owned(), get.to_owned(), 0, "both allow the same requests"),
        (format!("{get}, {deny}"), get.to_owned(), 1, "a Deny changes or goes"),
        (get.to_owned(), open.to_owned(), 1, "only the deployment knows"),
    ] {
        folder.write("changes.json", change_set(&before, &after));
        let told = folder.paring(&["diff", "changes.json"]);
        assert_eq!(told.code, code, "{before} to {after}: {}{}", told.stdout, told.stderr);
        assert!(told.stdout.contains(said), "{said}: {}", told.stdout);
    }
    folder.write("changes.json", change_set(get, all).replace("AfterContext", "Unknown"));
    let blind = folder.paring(&["diff", "changes.json"]);
    assert!(blind.code == 1 && blind.stdout.contains("--include-property-values"), "{}", blind.stdout);
    folder.write("p.json", OWN);
    let alone = folder.paring(&["diff", "p.json"]);
    assert!(alone.code == 2 && alone.stderr.contains("is no change set"), "{}", alone.stderr);
}

/// `sam build` leaves a template in `.aws-sam/build`: read where it is named, and passed over inside a project.
#[test]
fn what_sam_built_is_read_where_it_is_named() {
    let folder = Folder::new();
    folder.write("template.yaml", TEMPLATE);
    folder.write(".aws-sam/build/template.yaml", TEMPLATE.replace("!GetAtt Table.Arn", "'*'"));
    folder.write("src/template.yaml", TEMPLATE);
    let built = folder.paring(&["diff", "template.yaml", ".aws-sam/build/template.yaml"]);
    assert_eq!(built.code, 1, "{}{}", built.stdout, built.stderr);
    assert_eq!(folder.paring(&["diff", "src", ".aws-sam/build"]).code, 1);
    let audited = folder.paring(&["audit", "--iac", ".aws-sam/build", "--exit-zero"]);
    assert_eq!(audited.code, 0, "{}", audited.stderr);
}

/// A boundary that went was passed over: the role's policies are the same, and what they allow is not.
#[test]
fn a_boundary_that_changes_never_passes() {
    let folder = Folder::new();
    let role = |boundary: &str| {
        format!(
            "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {{Statement: []}}\n{boundary}"
        )
    };
    folder.write("old.yaml", role("      PermissionsBoundary: !Sub 'arn:aws:iam::${AWS::AccountId}:policy/limit'\n"));
    for (new, code) in [
        (role(""), 1),
        (role("      PermissionsBoundary: arn:aws:iam::aws:policy/AdministratorAccess\n"), 1),
        (role("      PermissionsBoundary: !Join ['', ['arn:aws:iam::', !Ref AWS::AccountId, ':policy/limit']]\n"), 0),
    ] {
        folder.write("new.yaml", &new);
        let told = folder.paring(&["diff", "old.yaml", "new.yaml"]);
        assert_eq!(told.code, code, "{new}: {}{}", told.stdout, told.stderr);
        assert_eq!(told.stdout.contains("permissions boundary is not the same"), code == 1, "{}", told.stdout);
    }
}
