//! `--write`: only safe patches, only where every claim is proved, and never more than was asked for.

use crate::run::{Folder, copy, example};

pub(crate) const ARGUMENTS: &[&str] = &["tighten", "--snapshot", "e/snapshot.json", "--trail", "e/trail", "--iac", "e"];

/// The example, where one role names two actions that the logs would have shown, and uses one of them.
pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("e"));
    let snapshot = folder.read("e/snapshot.json").replace("\"dynamodb:*\"", "\"dynamodb:Scan\", \"dynamodb:Query\"");
    let list = "- dynamodb:Scan\n                - dynamodb:Query # for later";
    let template = folder.read("e/template.yaml").replace("- dynamodb:*", list);
    folder.write("e/snapshot.json", snapshot);
    folder.write("e/template.yaml", template);
    folder
}

pub(crate) fn archive_role(folder: &Folder) -> String {
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

/// Patches that a former run made and this one did not would be applied with the new ones, unproved.
#[test]
fn a_second_run_takes_away_what_the_first_one_wrote() {
    let folder = folder();
    let role = archive_role(&folder);
    let out = [ARGUMENTS, &["--out", "out"]].concat();
    assert_eq!(folder.paring(&out).code, 0);
    let policies = |folder: &Folder| std::fs::read_dir(folder.path().join("out/policies")).unwrap().count();
    assert!(policies(&folder) > 1);
    let again = folder.paring(&[&out[..], &["--role", &role]].concat());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(
        again.stderr.contains("wrote report.json, changes.json, 1 policy and 1 patch below `out`"),
        "{}",
        again.stderr
    );
    assert_eq!(policies(&folder), 1);
}

#[test]
fn results_are_not_written_among_files_that_no_run_made() {
    let check = |file: &str, said: &str| {
        let folder = folder();
        let out = [ARGUMENTS, &["--out", "out"]].concat();
        assert_eq!(folder.paring(&out).code, 0);
        let report = folder.read("out/report.json");
        folder.write(file, "mine\n");
        let role = archive_role(&folder);
        let again = folder.paring(&[&out[..], &["--role", &role]].concat());
        assert_eq!(again.code, 2, "{}", again.stdout);
        assert!(again.stderr.contains(said), "{}", again.stderr);
        assert_eq!(folder.read(file), "mine\n");
        assert_eq!(folder.read("out/report.json"), report, "half of the results are new");
    };
    check("out/patches/old.diff", "`out` holds `patches/old.diff`, which this run did not make; nothing was written");
    check("out/.paring-written", "`out/.paring-written` is not a list of what paring wrote");
    let folder = folder();
    folder.write("secret", "mine\n");
    folder.write("out/.paring-written", "paring-written/1\n0  ../secret\n");
    let output = folder.paring(&[ARGUMENTS, &["--out", "out"]].concat());
    assert_eq!(output.code, 2, "a list that leaves the folder was followed: {}", output.stderr);
    assert_eq!(folder.read("secret"), "mine\n");
}

#[test]
fn a_result_that_was_edited_is_not_removed() {
    let folder = folder();
    let role = archive_role(&folder);
    let out = [ARGUMENTS, &["--out", "out"]].concat();
    assert_eq!(folder.paring(&out).code, 0);
    let other = std::fs::read_dir(folder.path().join("out/policies")).unwrap();
    let other = other.map(|e| e.unwrap().file_name().into_string().unwrap()).find(|n| !n.contains(&role)).unwrap();
    folder.write(&format!("out/policies/{other}"), "edited");
    let again = folder.paring(&[&out[..], &["--role", &role]].concat());
    assert_eq!(again.code, 2, "{}", again.stdout);
    assert!(
        again.stderr.contains("is from a former run and was edited since; nothing was written"),
        "{}",
        again.stderr
    );
    assert_eq!(folder.read(&format!("out/policies/{other}")), "edited");
}
