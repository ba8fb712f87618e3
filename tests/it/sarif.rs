//! Findings for code hosts, and findings that are known already.

use serde_json::Value;

use crate::run::{Folder, copy, example};

/// Every result has a place, a rule of its own name with a page, and a level of SARIF's.
fn results(text: &str) -> Vec<Value> {
    let told: Value = serde_json::from_str(text).unwrap();
    assert_eq!(told["version"], "2.1.0");
    let run = &told["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap().clone();
    for result in &results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["text"].as_str().unwrap().contains("## What to do"), "{rule}");
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()), "{result}");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(region["startLine"].as_u64().unwrap() >= 1 && region["startColumn"].as_u64().unwrap() >= 1, "{result}");
    }
    results
}

fn place(result: &Value) -> (String, u64) {
    let place = &result["locations"][0]["physicalLocation"];
    let file = place["artifactLocation"]["uri"].as_str().unwrap().to_owned();
    (file, place["region"]["startLine"].as_u64().unwrap())
}

#[test]
fn findings_about_a_role_stand_where_the_role_is_written() {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("my app"));
    let inputs = ["--snapshot", "my app/snapshot.json", "--iac", "my app", "--format", "sarif"];
    let tightened = folder.paring(&[&["tighten", "--trail", "my app/trail"], &inputs[..]].concat());
    let audited = folder.paring(&[&["audit"], &inputs[..]].concat());
    assert_eq!((tightened.code, audited.code), (0, 1), "{}{}", tightened.stderr, audited.stderr);
    for output in [tightened, audited] {
        let all = results(&output.stdout);
        let admin = all.iter().find(|one| one["ruleId"] == "admin-function").unwrap();
        let template = folder.read("my app/template.yaml");
        let written = template.lines().position(|line| line.contains("- AdministratorAccess")).unwrap() as u64 + 1;
        let (file, line) = place(admin);
        assert_eq!((file.as_str(), admin["level"].as_str()), ("my%20app/template.yaml", Some("error")));
        assert!(line.abs_diff(written) <= 2, "{line} {written}");
        assert!(admin["partialFingerprints"]["paring/v1"].is_string());
    }
}

#[test]
fn what_is_wrong_with_a_policy_stands_at_its_line() {
    let folder = Folder::new();
    folder.write("p.json", "{\"Version\": \"2012-10-17\",\n \"Statement\": [{\"Effect\": \"Allow\",\n  \"Action\": \"s3:GetObjekt\", \"Resource\": \"*\"}]}");
    for command in [&["check", "policy"], &["guard", "lint"]] {
        let output = folder.paring(&[&command[..], &["p.json", "--format", "sarif"]].concat());
        let all = results(&output.stdout);
        let unknown = all.iter().find(|one| one["message"]["text"].as_str().unwrap().contains("GetObjekt")).unwrap();
        assert_eq!((output.code, place(unknown)), (1, ("p.json".into(), 3)));
    }
}

#[test]
fn what_is_known_already_is_left_out_and_counted() {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("e"));
    let audit = |more: &[&str]| folder.paring(&[&["audit", "--snapshot", "e/snapshot.json"], more].concat());
    folder.write("known.json", audit(&["--format", "json"]).stdout);
    let again = audit(&["--baseline", "known.json"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
    assert!(again.stderr.contains("4 known findings left out"), "{}", again.stderr);
    let one = folder.read("known.json").lines().filter(|line| !line.contains("admin-function")).collect::<String>();
    folder.write("one.json", one);
    let new = audit(&["--baseline", "one.json"]);
    assert!(
        new.code == 1 && new.stdout.contains("admin-function") && !new.stdout.contains("shared-role"),
        "{}",
        new.stdout
    );
    assert_eq!(audit(&["--baseline", "e/template.yaml"]).code, 2);
    assert_eq!(audit(&["--baseline", "e/snapshot.json"]).code, 2);
}
