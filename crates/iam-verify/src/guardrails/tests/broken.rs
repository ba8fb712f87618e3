//! Rule sets with something wrong in them: what is said, and where.

use super::*;

/// A broken rule beside all the good ones: the first thing said about it must point into it.
fn check(text: &str, position: &str, message: &str, hint: &str) {
    let error = with_rule(text).expect_err(text);
    let all = error.diagnostics();
    let first = all.iter().find(|one| one.place.source.as_str() == "mine.cedar").unwrap_or_else(|| panic!("{all:#?}"));
    let found = first.place.position.map(|at| at.to_string()).unwrap_or_default();
    assert!(found.starts_with(position) && found.is_empty() == position.is_empty(), "{first:#?}");
    assert!(first.message.contains(message), "{first:#?}");
    assert!(first.hint.as_deref().unwrap_or_default().contains(hint), "{first:#?}");
}

const HEAD: &str = r#"@id("mine") @title("t") @severity("error") @fix("h") "#;

#[test]
fn a_text_that_does_not_parse() {
    check("forbid (principal, action, resource)\nwhen { 1 + };", "2:12", "unexpected token", "");
    check("permitt (principal, action, resource);", "1:1", "", "");
    check("@id(\"a\") @id(\"b\") forbid (principal, action, resource);", "1:10", "duplicate annotation", "");
    check("", "", "the file holds no rule", "write one");
    check("forbid (principal == ?principal, action, resource);", "", "slot", "template");
}

#[test]
fn annotations_are_demanded() {
    let rule = |annotations: &str| format!("\n{annotations} forbid (principal, action, resource);");
    check(&rule(""), "2:2", "no `@id`", "kebab case");
    check(&rule(r#"@id("")"#), "2:1", "no `@id`", "kebab case");
    check(&rule(r#"@id("mine") @title("t") @severity("error")"#), "2:1", "`mine` has no `@fix`", "what to do");
    check(&rule(r#"@id("mine") @title("t") @fix("h")"#), "2:1", "`mine` has no `@severity`", "critical");
    check(&rule(r#"@id("mine") @severity("error") @fix("h")"#), "2:1", "`mine` has no `@title`", "one line");
    check(&rule(r#"@id("mine") @title("t") @severity("bad") @fix("h")"#), "2:1", "unknown severity `bad`", "warning");
    check(
        &rule(r#"@id("no-passing-admin") @title("t") @severity("error") @fix("h")"#),
        "2:1",
        "the id `no-passing-admin` is taken by policies/no-passing-admin.cedar:2:1",
        "of its own",
    );
}

#[test]
fn hint_is_taken_for_fix_and_fix_wins() {
    let fix = |annotations: &str| {
        let text = format!(
            r#"@id("mine") @title("t") @severity("error") {annotations} forbid (principal, action, resource);"#
        );
        let guardrails = with_rule(&text).unwrap();
        guardrails.rule(&RuleId::new("mine")).unwrap().fix.clone()
    };
    assert_eq!(fix(r#"@hint("h")"#), "h");
    assert_eq!(fix(r#"@hint("h") @fix("f")"#), "f");
}

#[test]
fn a_rule_waived_under_another_name_is_refused() {
    let text = format!(r#"{HEAD}forbid (principal, action, resource) unless {{ context.waived.contains("other") }};"#);
    check(&text, "1:1", "`mine` is waived under the name `other`", "context.waived.contains(\"mine\")");
}

#[test]
fn a_permit_decides_nothing_and_is_refused() {
    let text = format!(r#"{HEAD}permit (principal is Paring::Bot, action, resource);"#);
    check(&text, "1:1", "decides nothing", "forbid");
}

#[test]
fn what_does_not_validate_is_refused_at_its_place() {
    let rule = |condition: &str| {
        format!(
            "{HEAD}\nforbid (principal is Paring::Role, action == Paring::Action::\"share\", resource)\nwhen {{ {condition} }};"
        )
    };
    check(&rule("principal.nonsense == 1"), "3:8", "attribute `nonsense`", "");
    check(&rule("principal.functionCount == \"two\""), "3:8", "types", "");
    check(&rule("principal in Paring::Environment::\"prod\""), "3:", "", "");
    check(&rule("context.now < 5"), "3:", "", "");
    // Never true: a rule somebody relies on in vain.
    check(&rule("false"), "1:1", "evaluates to false", "can never object");
}

#[test]
fn the_natural_unsafe_rule_is_refused_with_a_hint() {
    let rule = |condition: &str| {
        format!(
            "{HEAD}\nforbid (principal is Paring::Role, action == Paring::Action::\"share\", resource)\nwhen {{ {condition} }};"
        )
    };
    let natural = "!(principal has boundary) || !(principal.boundary like \"arn:*\")";
    check(&rule(natural), "3:", "boundary", "test for it first");
    with_rule(&rule("!(principal has boundary && principal.boundary like \"arn:*\")")).unwrap();
    check(&rule("principal.getTag(\"team\") == \"a\""), "3:", "tag", "hasTag");
}

#[test]
fn everything_wrong_is_said_at_once_and_nothing_is_judged() {
    let files = [source("a.cedar", "forbid"), source("b.cedar", "@id(\"b\") forbid (principal, action, resource);")];
    let GuardrailError::Rules(all) = Guardrails::parse(&files, &embedded_schema()).unwrap_err() else { panic!() };
    let places: Vec<_> = all.iter().map(|one| one.place.source.as_str()).collect();
    assert!(places.contains(&"a.cedar") && places.iter().filter(|name| **name == "b.cedar").count() == 3, "{all:#?}");
}

#[test]
fn a_set_without_the_baseline_or_without_a_schema_is_refused() {
    let files = [source("a.cedar", &format!("{HEAD}forbid (principal, action, resource);"))];
    let error = Guardrails::parse(&files, &embedded_schema()).unwrap_err();
    assert!(error.diagnostics()[0].hint.as_deref().unwrap().contains("baseline.cedar"), "{error}");
    let error = Guardrails::parse(&embedded_rules(), &source("mine.cedarschema", "entity ;")).unwrap_err();
    assert!(error.to_string().contains("mine.cedarschema:1:8"), "{error}");
    assert!(Guardrails::parse(&[], &embedded_schema()).is_err());
}

#[test]
fn hostile_texts_cost_little_and_never_the_stack() {
    let rule = |condition: &str| format!("{HEAD}forbid (principal, action, resource) when {{ {condition} }};");
    let deep =
        |open: &str, close: &str, times: usize| rule(&format!("{}true{}", open.repeat(times), close.repeat(times)));
    // The longest that is read, and far more.
    let chains = [
        "!",
        "true || ",
        "true && ",
        "-",
        "1 + ",
        "context.",
        "1 < ",
        "if true then true else ",
        "if(true)then true else ",
    ];
    let mut texts: Vec<String> =
        chains.iter().flat_map(|open| [26, 124, 9_000].map(|times| deep(open, "", times))).collect();
    texts.extend(
        [("(", ")"), ("[", "]"), ("(true || ", ")")].iter().flat_map(|(o, c)| [28, 9_000].map(|n| deep(o, c, n))),
    );
    texts.extend([
        format!("{HEAD}forbid (principal, action, resource) {};", "when { true } ".repeat(120)),
        format!("{HEAD}forbid (principal, action, resource) {};", "when{true}".repeat(6_000)),
        "@id(\"".repeat(10_000),
        "\"".to_owned(),
        "\u{0}".to_owned(),
        "é".repeat(100),
        " ".repeat(100_000),
    ]);
    for text in texts {
        // Whatever is said, it is said: a result, not an abort.
        let _ = Guardrails::parse(&[source("mine.cedar", &text)], &embedded_schema());
        let _ = format_rules(&source("mine.cedar", &text));
    }
    let schema = |sets: usize| {
        let text = format!("type Deep = {}String{};", "Set<".repeat(sets), ">".repeat(sets));
        Guardrails::parse(&[], &source("mine.cedarschema", &text))
    };
    assert!([30, 120, 9_000].into_iter().all(|sets| schema(sets).is_err()));
}
