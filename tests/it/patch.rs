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
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(
        output.stderr.contains("shared by 2 functions") && output.stderr.contains("--all writes it"),
        "{}",
        output.stderr
    );
    assert_eq!(folder.read("iac/template.yaml"), shared);
    folder.paring(&[PATCH, &["--write", "--all"]].concat());
    assert!(folder.read("iac/template.yaml").contains("[s3:GetObject]"));
}

/// Work in the file that git does not see, or cannot be asked about, and what is said then.
#[test]
fn work_that_git_does_not_tell_of_is_not_written_over() {
    let folder = folder();
    with_git(&folder);
    let mine = format!("{TEMPLATE}# mine\n");
    folder.write("iac/template.yaml", &mine);
    let check = |environment: &[(&str, &str)], said: &str| {
        let output = folder.paring_with(environment, &[PATCH, &["--write", "-q"]].concat());
        assert_eq!(output.code, 1, "{environment:?}: {}", output.stderr);
        assert!(output.stderr.contains(said), "{said}: {}", output.stderr);
        assert_eq!(folder.read("iac/template.yaml"), mine, "{environment:?}");
    };
    check(&[], "it has changes that are not committed (--force writes it)");
    check(&[("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")], "detected dubious ownership in repository at");
    check(&[("GIT_DIR", "/nonexistent")], "not a git repository: '/nonexistent'");
    check(&[("PATH", "/nonexistent")], "git is not installed here");
    for flag in ["assume-unchanged", "skip-worktree"] {
        assert!(folder.git(&["update-index", &format!("--{flag}"), "iac/template.yaml"]));
        check(&[], "it has changes that are not committed");
        assert!(folder.git(&["update-index", &format!("--no-{flag}"), "iac/template.yaml"]));
    }
    assert!(folder.git(&["add", "."]));
    check(&[], "it has changes that are not committed");
    assert!(folder.git(&["rm", "-q", "--cached", "iac/template.yaml"]));
    check(&[], "it was never committed");
    let forced = [PATCH, &["--write", "--force"]].concat();
    let output = folder.paring_with(&[("GIT_DIR", "/nonexistent")], &forced);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(folder.read("iac/template.yaml"), format!("{}# mine\n", patched()));
}

#[test]
fn a_file_in_no_repository_is_written_and_that_nothing_keeps_it_is_said() {
    let folder = folder();
    let output = folder.paring(&[PATCH, &["--write"]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("it is in no git repository"), "{}", output.stderr);
    assert_eq!(folder.read("iac/template.yaml"), patched());
}

/// Asking `git status` ran the clean filters that a repository configures.
#[test]
fn no_program_that_the_repository_names_is_run() {
    let folder = folder();
    with_git(&folder);
    let evil = format!("touch '{}'; cat", folder.path().join("ran").display());
    for key in ["filter.x.clean", "filter.x.process", "core.fsmonitor"] {
        assert!(folder.git(&["config", key, &evil]));
    }
    folder.write(".git/info/attributes", "*.yaml filter=x\n");
    let mine = format!("{TEMPLATE}# mine\n");
    folder.write("iac/template.yaml", &mine);
    let output = folder.paring(&[PATCH, &["--write"]].concat());
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("through the filter `x`, which is not run"), "{}", output.stderr);
    assert_eq!(folder.read("iac/template.yaml"), mine);
    // What the last commit holds to the byte needs no filter.
    folder.write("iac/template.yaml", TEMPLATE);
    let output = folder.paring(&[PATCH, &["--write"]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(folder.read("iac/template.yaml"), patched());
    assert!(!folder.path().join("ran").exists(), "a program of the repository was run");
}

#[test]
fn line_ends_that_git_converts_are_no_change() {
    let folder = folder();
    folder.write(".gitattributes", "*.yaml text eol=crlf\n");
    with_git(&folder);
    let crlf = TEMPLATE.replace('\n', "\r\n");
    folder.write("iac/template.yaml", &crlf);
    let output = folder.paring(&[PATCH, &["--write"]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(folder.read("iac/template.yaml"), patched().replace('\n', "\r\n"));
}

/// Of two files the first stayed written, and nobody was told.
#[test]
fn of_several_files_none_is_written_where_one_cannot_be() {
    let folder = folder();
    let second = TEMPLATE.replace("  R:", "  S:").replace("RoleName: orders", "RoleName: refunds");
    folder.write("iac/z/template.yaml", &second);
    let (r, s) = (changes("R"), changes("S"));
    let one = s.split_once('[').unwrap().1.rsplit_once(']').unwrap().0;
    let both = r.rsplit_once("]}").map(|(head, _)| format!("{head},{one}]}}")).unwrap();
    folder.write("changes.json", both);
    folder.write("iac/z/template.yaml.paring-new", "somebody's");
    let output = folder.paring(&[PATCH, &["--write"]].concat());
    assert_eq!(output.code, 2, "{}", output.stderr);
    for said in ["`iac/z/template.yaml.paring-new` is in the way", "no file was written"] {
        assert!(output.stderr.contains(said), "{said}: {}", output.stderr);
    }
    assert_eq!(folder.read("iac/template.yaml"), TEMPLATE);
    assert_eq!(folder.read("iac/z/template.yaml"), second);
    assert_eq!(folder.read("iac/z/template.yaml.paring-new"), "somebody's");
    assert!(!folder.path().join("iac/template.yaml.paring-new").exists(), "a leftover of its own");
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

#[test]
fn what_an_include_makes_is_said_to_be_made_by_it() {
    let folder = Folder::new();
    let role = |policies: &str| {
        format!(
            "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: orders\n      Policies:\n        - PolicyName: own\n          PolicyDocument:\n{policies}"
        )
    };
    let include = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/p.yaml}}";
    let statement = format!("            Version: '2012-10-17'\n            Statement:\n              - {include}\n");
    folder.write(
        "c.json",
        r#"{"schema": "paring-changes/1", "changes": [{"attachment": {"kind": "identity", "logical_id": "R", "policy_name": "own"},
            "before": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
            "after": {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}}]}"#,
    );
    for (policies, patched, located) in [
        (
            format!("            {include}\n"),
            "an include or a macro makes the policy document",
            "refused[conditional-source]",
        ),
        (statement, "a statement is made by a condition or a macro", "an include or a macro makes a statement"),
    ] {
        folder.write("iac/template.yaml", role(&policies));
        let output = folder.paring(&["patch", "--changes", "c.json", "--iac", "iac"]);
        assert!(
            output.code == 1 && output.stderr.contains("refused[conditional-source]: change 0: template.yaml:"),
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains(patched), "{}", output.stderr);
        let output = folder.paring(&["locate", "R", "--iac", "iac"]);
        assert!(output.stdout.contains(located), "{}{}", output.stdout, output.stderr);
    }
}
