//! `paring patch` and `paring locate` on a small project: written where asked, never over work that could be lost.

use crate::run::Folder;

const TEMPLATE: &str = "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: orders\n      Policies:\n        - PolicyName: data # the table\n          PolicyDocument:\n            Statement:\n              - Effect: Allow\n                Action: [s3:GetObject, s3:PutObject]\n                Resource: '*'\n";

fn document(actions: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#)
}

fn changes(logical_id: &str) -> String {
    let (before, after) = (document("\"s3:GetObject\",\"s3:PutObject\""), document("\"s3:GetObject\""));
    format!(
        r#"{{"schema":"paring-changes/1","changes":[{{"attachment":{{"kind":"identity","logical_id":"{logical_id}","policy_name":"data"}},"before":{before},"after":{after},"reasons":[]}}]}}"#
    )
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("iac/template.yaml", TEMPLATE);
    folder.write("changes.json", changes("R"));
    folder
}

const PATCH: &[&str] = &["patch", "--changes", "changes.json", "--iac", "iac"];

fn patched() -> String {
    TEMPLATE.replace("[s3:GetObject, s3:PutObject]", "[s3:GetObject]")
}

fn with_git(folder: &Folder) {
    assert!(folder.git(&["init", "-q"]));
    assert!(folder.git(&["add", "."]));
    let user = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    assert!(folder.git(&[&user[..], &["commit", "-q", "-m", "one"]].concat()));
}

#[test]
fn the_diff_is_printed_and_nothing_written() {
    let folder = folder();
    let output = folder.paring(PATCH);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("+                Action: [s3:GetObject]\n"), "{}", output.stdout);
    assert_eq!(folder.read("iac/template.yaml"), TEMPLATE);
}

#[test]
fn a_committed_file_is_written_and_one_with_work_in_it_is_not() {
    let folder = folder();
    with_git(&folder);
    let write = [PATCH, &["--write"]].concat();
    folder.write("iac/template.yaml", format!("{TEMPLATE}# mine\n"));
    let output = folder.paring(&write);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("not committed (--force writes it)"), "{}", output.stderr);
    assert_eq!(folder.read("iac/template.yaml"), format!("{TEMPLATE}# mine\n"));

    folder.write("iac/template.yaml", TEMPLATE);
    let output = folder.paring(&write);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{}", output.stderr);
    assert_eq!(folder.read("iac/template.yaml"), patched());
    // It is dirty now; once committed there is nothing left to do.
    let again = folder.paring(&write);
    assert!(again.stderr.contains("already says so"), "{}", again.stderr);

    folder.write("iac/template.yaml", format!("{TEMPLATE}# mine\n"));
    let output = folder.paring(&[&write[..], &["--force"]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(folder.read("iac/template.yaml"), format!("{}# mine\n", patched()));
}

#[test]
fn what_needs_review_is_written_only_with_all() {
    let folder = folder();
    let shared = format!(
        "{TEMPLATE}  A: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt R.Arn}}}}\n  B: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt R.Arn}}}}\n"
    );
    folder.write("iac/template.yaml", &shared);
    let output = folder.paring(&[PATCH, &["--write"]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stderr.contains("shared by 2 functions") && output.stderr.contains("--all writes it"),
        "{}",
        output.stderr
    );
    assert_eq!(folder.read("iac/template.yaml"), shared);
    folder.paring(&[PATCH, &["--write", "--all"]].concat());
    assert!(folder.read("iac/template.yaml").contains("[s3:GetObject]"));
}

#[test]
#[cfg(unix)]
fn nothing_is_read_or_written_through_a_link() {
    let folder = Folder::new();
    folder.write("outside/template.yaml", TEMPLATE);
    folder.write("changes.json", changes("R"));
    folder.write("iac/readme.txt", "");
    std::os::unix::fs::symlink(folder.path().join("outside"), folder.path().join("iac/link")).unwrap();
    let output = folder.paring(&[PATCH, &["--write", "--force"]].concat());
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("refused[not-in-source]"), "{}", output.stderr);
    assert_eq!(folder.read("outside/template.yaml"), TEMPLATE);
}

#[test]
fn a_refused_change_is_printed_for_a_person() {
    let folder = folder();
    folder.write("changes.json", changes("Other"));
    let output = folder.paring(PATCH);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    assert!(output.stderr.contains("the policy `data` of `Other` should say:\n    {"), "{}", output.stderr);
    let json = folder.paring(&[PATCH, &["--format", "json"]].concat());
    assert_eq!(json.code, 1);
    assert!(
        json.stdout.contains("\"code\": \"not-in-source\"") && json.stdout.contains("\"s3:GetObject\""),
        "{}",
        json.stdout
    );
}

#[test]
fn a_role_is_located_by_name_and_by_logical_id() {
    let folder = folder();
    for name in ["orders", "R", "arn:aws:iam::111122223333:role/orders"] {
        let output = folder.paring(&["locate", name, "--iac", "iac"]);
        assert_eq!(output.code, 0, "{name}: {}", output.stderr);
        assert!(
            output.stdout.contains("template.yaml:7:11") && output.stdout.contains("inline-policy  safe"),
            "{}",
            output.stdout
        );
    }
    let output = folder.paring(&["locate", "nobody", "--iac", "iac"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("nothing was found for `nobody`"), "{}", output.stderr);
    let json = folder.paring(&["locate", "R", "--iac", "iac", "--format", "json"]);
    assert!(
        json.stdout.contains("\"schema\": \"paring-places/1\"") && json.stdout.contains("\"line\": 7"),
        "{}",
        json.stdout
    );
}

/// A template of a CDK assembly, with what the manifest beside it says about where its role comes from.
fn assembly(folder: &Folder) {
    let template = r#"{"Resources":{"FnRole1A2B":{"Type":"AWS::IAM::Role","Properties":{"RoleName":"fn","Policies":[{"PolicyName":"data","PolicyDocument":{"Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}}]},"Metadata":{"aws:cdk:path":"Shop/Fn/ServiceRole/Resource"}}}}"#;
    folder.write("iac/cdk.out/Shop.template.json", template);
    let manifest = r#"{"artifacts":{"Shop":{"metadata":{"/Shop/Fn/ServiceRole/Resource":[{"type":"aws:cdk:logicalId","data":"FnRole1A2B","trace":["new Role (/app/node_modules/aws-cdk-lib/x.js:1:1)","new ShopStack (/app/lib/shop-stack.ts:64:18)"]}]}}}}"#;
    folder.write("iac/cdk.out/manifest.json", manifest);
    folder.write("iac/cdk.json", "{}");
}

#[test]
fn a_role_of_the_cdk_is_not_edited_but_its_construct_is_named() {
    let folder = Folder::new();
    assembly(&folder);
    folder.write("changes.json", changes("FnRole1A2B"));
    let output = folder.paring(PATCH);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    for said in [
        "refused[generated-source]",
        "the construct `Shop/Fn/ServiceRole/Resource`, made at /app/lib/shop-stack.ts:64:18",
        "iam.PolicyStatement.fromJson({\"Effect\":\"Allow\",\"Action\":",
    ] {
        assert!(output.stderr.contains(said), "{said}: {}", output.stderr);
    }
    let located = folder.paring(&["locate", "fn", "--iac", "iac"]);
    assert_eq!(located.code, 1, "{}", located.stderr);
    assert!(located.stdout.contains("Shop/Fn/ServiceRole/Resource"), "{}", located.stdout);
}
