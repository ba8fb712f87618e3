//! `paring cut`: from a way to administrator to the line that goes from a template.

use crate::run::Folder;

const TEMPLATE: &str = "\
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      RoleName: Deployer
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: ec2.amazonaws.com}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: deploy
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action:
                  - lambda:CreateFunction
                  - lambda:InvokeFunction
                  - iam:PassRole
                Resource: '*'
";

fn snapshot() -> String {
    let role = |name: &str, service: &str, policy: &str, statement: &str| {
        format!(
            r#"{{"RoleName": "{name}", "Arn": "arn:aws:iam::111122223333:role/{name}", "AttachedManagedPolicies": [],
            "InstanceProfileList": [], "RolePolicyList": [{{"PolicyName": "{policy}", "PolicyDocument":
            {{"Version": "2012-10-17", "Statement": [{statement}]}}}}], "AssumeRolePolicyDocument": {{"Version": "2012-10-17",
            "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"Service": "{service}.amazonaws.com"}}}}]}}}}"#
        )
    };
    let deploy = r#"{"Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:InvokeFunction", "iam:PassRole"],
        "Resource": "*"}"#;
    let admin = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
    format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{"111122223333": {{"authorization_details": {{
            "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{}, {}]}}}}}}}}"#,
        role("Deployer", "ec2", "deploy", deploy),
        role("Boss", "lambda", "all", admin)
    )
}

#[test]
fn a_cut_is_printed_for_people_and_goes_into_the_template() {
    let folder = Folder::new();
    folder.write("snapshot.json", snapshot());
    folder.write("iac/template.yaml", TEMPLATE);
    let told = folder.paring(&["cut", "--snapshot", "snapshot.json"]);
    insta::assert_snapshot!(told.stdout, @r"
1 removal to cut off 1 principal (no cheaper cut exists; the graph was built again with the changes, and no way is left)

arn:aws:iam::111122223333:role/Deployer  policy `deploy`
  - iam:PassRole  not known whether it is used: give --trail
");
    assert_eq!(told.code, 0);
    let changes = folder.paring(&[
        "cut",
        "--snapshot",
        "snapshot.json",
        "--to",
        "Boss",
        "--from",
        "Deployer",
        "--format",
        "json",
    ]);
    folder.write("changes.json", &changes.stdout);
    let patched = folder.paring(&["patch", "--changes", "changes.json", "--iac", "iac", "--snapshot", "snapshot.json"]);
    assert!(patched.stdout.contains("\n-                  - iam:PassRole\n"), "{}{}", patched.stdout, patched.stderr);
    assert_eq!(patched.stdout.matches("\n-").count(), 1, "{}", patched.stdout);
}

#[test]
fn where_a_way_must_stay_the_exit_code_and_the_text_say_so() {
    let folder = Folder::new();
    folder.write("snapshot.json", snapshot());
    let keep = "version = 1\n[[keep]]\nrole = \"Deployer\"\nactions = [\"*:*\"]\nreason = \"deploys\"\n";
    folder.write("paring.toml", keep);
    let told = folder.paring(&["cut", "--snapshot", "snapshot.json", "--to", "Boss"]);
    // The role that trusts the service is the other place to cut: nothing runs as it.
    assert_eq!(told.code, 0, "{}", told.stdout);
    assert!(told.stdout.contains("trust in lambda.amazonaws.com"), "{}", told.stdout);
}
