//! What the shipped rules decide, and what becomes of sets that are broken.

mod broken;
mod questions;
mod waivers;

use std::sync::LazyLock;

use super::*;

fn source(name: &str, text: &str) -> SourceText {
    SourceText { name: SourceName::new(name), text: text.to_owned() }
}

/// The shipped rules, read once for all tests.
static RULES: LazyLock<Guardrails> = LazyLock::new(|| Guardrails::embedded().unwrap_or_else(|e| panic!("{e:#?}")));

/// The shipped rules and one more.
fn with_rule(text: &str) -> Result<Guardrails, GuardrailError> {
    let mut files = embedded_rules();
    files.push(source("mine.cedar", text));
    Guardrails::parse(&files, &embedded_schema())
}

const NOW: Timestamp = Timestamp::from_epoch_seconds(1_795_000_000);

#[test]
fn every_shipped_rule_is_decided_by_its_cases() {
    let rules = &RULES;
    assert_eq!(rules.rules().count(), 25, "25 rules and the baseline");
    let report = rules.run_cases(&embedded_cases()).unwrap();
    assert!(report.is_clean(), "{:#?}\n{:#?}", report.failures().collect::<Vec<_>>(), report.undecided);
}

#[test]
fn every_rule_stands_in_a_file_of_its_name_with_cases_of_its_name() {
    let rules = &RULES;
    let cases: Vec<_> = embedded_cases().iter().map(|file| file.name.as_str().to_owned()).collect();
    for rule in rules.rules() {
        assert_eq!(rule.place.source.as_str(), format!("policies/{}.cedar", rule.id));
        assert!(cases.contains(&format!("policies/cases/{}.json", rule.id)), "{}", rule.id);
    }
    assert_eq!(cases.len(), rules.rules().count(), "a file of cases belongs to no rule");
}

#[test]
fn a_file_of_cases_decides_its_own_rule_and_the_others_are_found_undecided() {
    let rules = &RULES;
    for file in embedded_cases() {
        let own = file.name.as_str().trim_start_matches("policies/cases/").trim_end_matches(".json").to_owned();
        let report = rules.run_cases(&[file]).unwrap();
        assert!(!report.is_clean());
        let undecided: Vec<_> = report.undecided.iter().map(|one| one.rule.as_str()).collect();
        assert!(!undecided.contains(&own.as_str()), "its own cases do not decide `{own}`");
        // A case of the wildcards is refused by two rules at once, and says so.
        assert!(undecided.len() >= 21, "{own}: {undecided:?}");
    }
}

#[test]
fn a_rule_that_always_objects_is_found() {
    let always = r#"@id("always") @title("t") @severity("error") @fix("h")
        forbid (principal, action == Paring::Action::"share", resource);"#;
    let rules = with_rule(always).unwrap();
    let mut cases = embedded_cases();
    cases.retain(|file| file.name.as_str().ends_with("/one-role-one-function.json"));
    for case in &mut cases {
        case.text = case.text.replace(r#"["one-role-one-function"]"#, r#"["one-role-one-function", "always"]"#);
    }
    let report = rules.run_cases(&cases).unwrap();
    let always = report.undecided.iter().find(|one| one.rule.as_str() == "always").unwrap();
    assert!(always.lacks_pass && !always.lacks_fail);
}

#[test]
fn a_case_with_another_outcome_fails_by_name_and_place() {
    let rules = &RULES;
    let cases = embedded_cases();
    let share = cases.iter().find(|file| file.name.as_str().ends_with("/one-role-one-function.json")).unwrap();
    for (from, to, expected) in [
        (
            r#""decision": "deny""#,
            r#""decision": "allow""#,
            "expected Allow, got Deny because of `one-role-one-function`",
        ),
        (r#"["one-role-one-function"]"#, r#"["no-passing-admin"]"#, "expected `no-passing-admin` among the reasons"),
        (r#""num_errors": 0"#, r#""num_errors": 1"#, "expected 1 failing rules, got 0"),
        (r#""functionCount": 2"#, r#""functionCount": "two""#, "functionCount"),
        (r#""action": "Paring::Action::\"share\"""#, r#""action": "share""#, "action `share`"),
        (r#""decision": "deny""#, r#""decision": "perhaps""#, "no `decision` of `allow` or `deny`"),
    ] {
        let changed = source("cases.json", &share.text.replace(from, to));
        let report = rules.run_cases(&[changed]).unwrap();
        let failure = report.failures().next().unwrap_or_else(|| panic!("`{to}` passed"));
        assert!(failure.failure.as_deref().unwrap().contains(expected), "{failure:?}");
        assert!(failure.place.position.is_some() && failure.place.source.as_str() == "cases.json");
    }
}

#[test]
fn a_file_that_is_no_array_of_cases_is_refused_at_its_place() {
    let rules = &RULES;
    for (text, place) in [("{}", "cases.json:1:1"), ("[1,]", "cases.json:1:"), ("", "cases.json:1:1")] {
        let error = rules.run_cases(&[source("cases.json", text)]).unwrap_err();
        assert!(error.to_string().contains(place), "{text}: {error}");
    }
}

#[test]
fn the_page_about_the_rules_lists_each_with_severity_and_waiver() {
    let page = include_str!("../../../../docs/guardrails.md");
    for rule in RULES.rules() {
        let head = format!("| `{}` | {} | ", rule.id, rule.severity);
        let row = page.lines().find(|line| line.starts_with(&head)).unwrap_or_else(|| panic!("no row `{head}…`"));
        assert!(row.ends_with(if rule.waivable { "| yes |" } else { "| no |" }), "{row}");
    }
}

#[test]
fn formatting_a_rule_keeps_its_comments_and_its_meaning() {
    for file in embedded_rules() {
        let formatted = SourceText { name: file.name.clone(), text: format_rules(&file).unwrap() };
        let comments = |text: &str| text.lines().filter(|line| line.starts_with("//")).count();
        assert_eq!(comments(&formatted.text), comments(&file.text), "{}", file.name);
        assert_eq!(format_rules(&formatted).unwrap(), formatted.text, "{} is formatted twice", file.name);
        assert_eq!(formatted.text, file.text, "{} is not formatted", file.name);
    }
}
