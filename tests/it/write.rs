//! `--write`: only safe patches, only where every claim is proved, and never more than was asked for.

use crate::run::{Folder, copy, example};

const ARGUMENTS: &[&str] = &["tighten", "--snapshot", "e/snapshot.json", "--trail", "e/trail", "--iac", "e"];

/// The example, where one role names two actions that the logs would have shown, and uses one of them.
fn folder() -> Folder {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("e"));
    let snapshot = folder.read("e/snapshot.json").replace("\"dynamodb:*\"", "\"dynamodb:Scan\", \"dynamodb:Query\"");
    let list = "- dynamodb:Scan\n                - dynamodb:Query # for later";
    let template = folder.read("e/template.yaml").replace("- dynamodb:*", list);
    folder.write("e/snapshot.json", snapshot);
    folder.write("e/template.yaml", template);
    folder
}

fn archive_role(folder: &Folder) -> String {
    let snapshot = folder.read("e/snapshot.json");
    let at = snapshot.find("tuktuk-dispatch-ArchiveRidesFunctionRole-").unwrap();
    snapshot[at..].split('"').next().unwrap().to_owned()
}

#[test]
fn a_safe_patch_is_written_where_asked() {
    let folder = folder();
    let role = archive_role(&folder);
    let before = folder.read("e/template.yaml");
    let output = folder.paring(&[ARGUMENTS, &["--role", &role, "--write"]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("wrote `e/template.yaml`; it is in no git repository"), "{}", output.stderr);
    let expected = before
        .replace("                - dynamodb:Query # for later\n", "")
        .replace("Resource: '*' # all tables, for now", "Resource: !GetAtt RidesTable.Arn # all tables, for now");
    assert_eq!(folder.read("e/template.yaml"), expected);
    assert!(!folder.path().join("e/template.yaml.paring-new").exists());
}

#[test]
fn a_patch_that_needs_review_is_not_written() {
    let folder = folder();
    let before = folder.read("e/template.yaml");
    let output = folder.paring(&[ARGUMENTS, &["--write", "-q"]].concat());
    assert_eq!(output.code, 1, "a quiet run that wrote nothing exited 0: {}", output.stderr);
    assert!(output.stderr.contains("`e/template.yaml` was not written: it needs review"), "{}", output.stderr);
    assert_eq!(folder.read("e/template.yaml"), before);
}

#[test]
fn a_folder_of_rules_replaces_the_built_in_ones() {
    let folder = folder();
    folder.write("paring.toml", "version = 1\nguardrails = \"rules\"\n");
    folder.write(
        "rules/all.cedar",
        "@id(\"baseline\") @title(\"b\") @severity(\"note\") @fix(\"h\")\npermit (principal, action, resource);\n\
         @id(\"no-scans\") @title(\"Nobody scans\") @severity(\"error\") @fix(\"query instead\")\n\
         forbid (principal is Paring::Role, action == Paring::Action::\"grant\", resource is Paring::Permission)\n\
         when { resource.name == \"Scan\" };\n",
    );
    let output = folder.paring(ARGUMENTS);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let line = output.stdout.lines().find(|line| line.contains("obeys-guardrails")).unwrap();
    assert!(
        line.contains("1 asked, none newly broken") && line.contains("1 objection stood before the change"),
        "{line}"
    );
    folder.write("rules/broken.cedar", "forbid (principal\n");
    let output = folder.paring(ARGUMENTS);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    assert!(output.stderr.contains("broken.cedar:"), "{}", output.stderr);
}
