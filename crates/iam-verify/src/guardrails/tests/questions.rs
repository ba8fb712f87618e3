//! The typed questions: facts in, objections out. That each agrees with the schema is shown by asking it.

use std::collections::BTreeMap;

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Catalog;
use iam_model::control::ControlId;

use super::*;

pub(super) fn account(environment: Option<Environment>) -> AccountFacts {
    AccountFacts {
        environment,
        units: vec![UnitName::new("workloads")],
        ..AccountFacts::new("111122223333".parse().unwrap())
    }
}

pub(super) fn role(name: &str) -> RoleFacts {
    let arn = format!("arn:aws:iam::111122223333:role/{name}").parse().unwrap();
    RoleFacts {
        function_count: 1,
        managed_by_code: Some(true),
        ..RoleFacts::new(arn, account(Some(Environment::Production)))
    }
}

pub(super) fn function(name: &str) -> FunctionFacts {
    let arn = format!("arn:aws:lambda:eu-west-1:111122223333:function:{name}").parse().unwrap();
    FunctionFacts { arn, account: account(None), tags: BTreeMap::new() }
}

pub(super) fn permission(action: &str) -> PermissionFacts {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());
    static GROUPS: LazyLock<PermissionGroups> = LazyLock::new(|| PermissionGroups::embedded().unwrap());
    PermissionFacts::of(ActionPattern::new(action), &CATALOG, &GROUPS)
}

pub(super) fn grant<'a>(role: &'a RoleFacts, permission: &'a PermissionFacts, target: &str) -> Grant<'a> {
    Grant {
        role,
        permission,
        target: Target { pattern: ResourcePattern::new(target), external: false },
        condition_keys: BTreeSet::new(),
        usage: Usage { window_days: 90, calls: 12, last_used_days_ago: Some(1), observable: true },
        escalation: Escalation::default(),
    }
}

fn ids(question: &Question<'_>) -> Vec<String> {
    let rules = &RULES;
    let violations = rules.ask(question, NOW, &[]).unwrap_or_else(|error| panic!("{error}"));
    violations.into_iter().map(|violation| violation.rule.to_string()).collect()
}

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders";

#[test]
fn grants_are_judged_by_what_the_catalogue_says_of_the_action() {
    let role = role("orders");
    for (action, target, expected) in [
        ("dynamodb:PutItem", TABLE, vec![]),
        ("dynamodb:PutItem", "*", vec!["no-wildcard-resource"]),
        ("DynamoDB:putitem", "*", vec!["no-wildcard-resource"]),
        ("dynamodb:Create*", TABLE, vec!["no-wildcard-write-action"]),
        ("dynamodb:Get*", TABLE, vec![]),
        ("xray:PutTraceSegments", "*", vec![]),
        ("ec2:CreateNetworkInterface", "*", vec!["no-wildcard-resource"]),
        ("dynamodb:NoSuchAction", "*", vec!["no-wildcard-resource"]),
        (
            "*",
            "*",
            vec![
                "boundary-for-permissions-management",
                "no-escalation-for-workloads",
                "no-guardrail-tampering",
                "no-wildcard-resource",
                "no-wildcard-write-action",
                "production-secrets-one-by-one",
            ],
        ),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/*", vec!["no-escalation-for-workloads"]),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/exports", vec![]),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-??????", vec![]),
        (
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-*",
            vec!["production-secrets-one-by-one"],
        ),
    ] {
        let permission = permission(action);
        assert_eq!(ids(&Question::Grant(grant(&role, &permission, target))), expected, "{action} on {target}");
    }
}

#[test]
fn keeping_and_removing_are_judged_by_the_evidence() {
    let (orders, get) = (role("orders"), permission("dynamodb:GetItem"));
    let unused = Usage { window_days: 90, calls: 0, last_used_days_ago: None, observable: true };
    let with = |usage| Grant { usage, ..grant(&orders, &get, TABLE) };
    assert_eq!(ids(&Question::Keep(with(unused))), ["unused-not-kept"]);
    assert!(ids(&Question::Keep(with(Usage { observable: false, ..unused }))).is_empty());
    assert!(ids(&Question::Remove(with(unused))).is_empty());
    assert_eq!(ids(&Question::Remove(with(Usage { window_days: 7, ..unused }))), ["evidence-before-removal"]);
    let by_hand = RoleFacts { managed_by_code: Some(false), ..role("orders") };
    assert_eq!(ids(&Question::Keep(grant(&by_hand, &get, TABLE))), ["roles-live-in-code"]);
}

#[test]
fn roles_are_judged_by_who_shares_passes_and_assumes_them() {
    let (mut orders, exports, orders_function) = (role("orders"), role("exports"), function("orders"));
    assert!(ids(&Question::Share(Share { role: &orders, function: &orders_function })).is_empty());
    orders.function_count = 2;
    assert_eq!(ids(&Question::Share(Share { role: &orders, function: &orders_function })), ["one-role-one-function"]);

    let pass = Pass {
        role: &orders,
        passed: &exports,
        pattern: ResourcePattern::from(&exports.arn),
        passed_to_service: Some(ServicePrincipal::new("lambda.amazonaws.com")),
    };
    assert!(ids(&Question::Pass(pass.clone())).is_empty());
    let anywhere = Question::Pass(Pass { passed_to_service: None, ..pass.clone() });
    assert_eq!(ids(&anywhere), ["pass-role-names-role-and-service"]);
    let admin = RoleFacts { admin: true, ..role("ops") };
    assert_eq!(ids(&Question::Pass(Pass { passed: &admin, ..pass })), ["no-passing-admin"]);
    let myself =
        Pass { role: &orders, passed: &orders, pattern: ResourcePattern::from(&orders.arn), passed_to_service: None };
    assert_eq!(ids(&Question::Pass(myself)), ["pass-role-names-role-and-service"]);

    let partner = AccountFacts::new("555566667777".parse().unwrap());
    let assume = Assume {
        caller: Caller::Account(&partner),
        role: &exports,
        third_party: true,
        external_id: false,
        organization_bound: false,
    };
    assert_eq!(ids(&Question::Assume(assume.clone())), ["third-party-needs-external-id"]);
    assert!(ids(&Question::Assume(Assume { external_id: true, ..assume.clone() })).is_empty());
    assert_eq!(
        ids(&Question::Assume(Assume { caller: Caller::Anyone, ..assume.clone() })),
        ["third-party-needs-external-id"]
    );
    let provider = Caller::Provider(ProviderName::new("token.actions.githubusercontent.com"));
    assert!(ids(&Question::Assume(Assume { caller: provider, ..assume })).is_empty());
}

#[test]
fn functions_are_judged_by_who_invokes_them() {
    let orders = function("orders");
    let caller = Caller::Service(ServicePrincipal::new("apigateway.amazonaws.com"));
    let invoke = Invoke { caller, function: &orders, anonymous_url: false, source_bound: true };
    assert!(ids(&Question::Invoke(invoke.clone())).is_empty());
    assert_eq!(ids(&Question::Invoke(Invoke { source_bound: false, ..invoke.clone() })), ["invocations-are-bound"]);
    assert_eq!(ids(&Question::Invoke(Invoke { anonymous_url: true, ..invoke })), ["invocations-are-bound"]);
}

#[test]
fn merges_and_attachments_are_judged() {
    let merge = Merge {
        by: Author::Bot(BotName::new("paring")),
        name: PullRequestName::new("shop/42"),
        accounts: vec![account(Some(Environment::Development))],
        touches_trust: false,
        adds: 0,
        removes: 3,
        widens: 0,
        new_escalation_paths: 0,
        usage: Usage { window_days: 95, calls: 0, last_used_days_ago: None, observable: true },
        replayed_calls: 1140,
        replay_denied: 0,
        checks_green: true,
        approvals: BTreeSet::new(),
    };
    assert!(ids(&Question::Merge(merge.clone())).is_empty());
    let worse = Merge {
        accounts: vec![account(Some(Environment::Production))],
        adds: 1,
        touches_trust: true,
        checks_green: false,
        new_escalation_paths: 1,
        ..merge
    };
    let expected = [
        "bot-merges-on-evidence",
        "bot-merges-removals-only",
        "no-merge-opens-escalation",
        "production-needs-approval",
        "trust-changes-need-people",
    ];
    assert_eq!(ids(&Question::Merge(worse.clone())), expected);
    let approved = Merge {
        by: Author::Person(PersonName::new("aoi")),
        approvals: BTreeSet::from([PersonName::new("mei")]),
        new_escalation_paths: 0,
        ..worse
    };
    assert!(ids(&Question::Merge(approved)).is_empty());
}

#[test]
fn attachments_are_judged_by_what_was_found_out() {
    let attach = Attach {
        by: Author::Person(PersonName::new("aoi")),
        name: GuardrailName::new("deny-regions"),
        kind: GuardrailKind::ServiceControl,
        characters: 10_240,
        controls: Vec::new(),
        accounts_affected: 12,
        replayed_calls: 98_000,
        replay_denied: Some(0),
        slots_free: Some(1),
        dead_statements: 0,
        test_vectors: Some(3),
        break_glass: Some(true),
    };
    assert!(ids(&Question::Attach(attach.clone())).is_empty());
    let worse = Attach {
        replay_denied: Some(1),
        characters: u64::MAX,
        test_vectors: Some(0),
        break_glass: Some(false),
        ..attach.clone()
    };
    let expected =
        ["guardrail-fits-quota", "guardrail-is-tested", "guardrail-keeps-break-glass", "guardrail-replay-clean"];
    assert_eq!(ids(&Question::Attach(worse.clone())), expected);
    let theirs = Attach { controls: vec![ControlId::new("AWS-GR_REGION_DENY")], ..attach };
    assert_eq!(ids(&Question::Attach(theirs)), ["control-tower-keeps-its-controls"]);
    // What nobody found out is no objection; whoever asked has to say that it was not found out.
    let unknown = Attach { replay_denied: None, slots_free: None, test_vectors: None, break_glass: None, ..worse };
    assert_eq!(ids(&Question::Attach(unknown)), ["guardrail-fits-quota"]);
}

#[test]
fn a_rule_that_fails_is_an_error_even_if_another_objects() {
    let overflowing = "@id(\"adds-up\") @title(\"t\") @severity(\"error\") @hint(\"h\")\n\
        forbid (principal is Paring::Role, action == Paring::Action::\"grant\", resource)\n\
        when { context.usage.calls * 9223372036854775807 > 0 };";
    let rules = with_rule(overflowing).unwrap();
    let (orders, put) = (role("orders"), permission("dynamodb:PutItem"));
    let error = rules.ask(&Question::Grant(grant(&orders, &put, "*")), NOW, &[]).unwrap_err();
    let GuardrailError::Evaluation { rule, place, object, .. } = &error else { panic!("{error}") };
    assert_eq!((rule.as_str(), place.to_string().as_str()), ("adds-up", "mine.cedar:1:1"));
    assert!(object.contains("role/orders grant dynamodb:PutItem on *"), "{object}");
    assert!(error.diagnostics()[0].hint.is_some());
    assert!(rules.ask(&Question::Share(Share { role: &orders, function: &function("orders") }), NOW, &[]).is_ok());
}

#[test]
fn a_schema_that_the_facts_do_not_fit_is_refused_before_anything_is_judged() {
    for (from, to, expected) in [
        ("functionCount: Long,", "functionCount: Long, team: String,", "team"),
        ("shortestHops?: Long", "shortestHops?: String", "shortestHops"),
        ("boundary?: String,", "boundary?: Long,", "boundary"),
        ("entity Team in [Team];", "entity Team in [Team]; entity Owner;", ""),
    ] {
        let mut schema = embedded_schema();
        assert!(schema.text.contains(from), "{from}");
        schema.text = schema.text.replacen(from, to, 1);
        let baseline =
            embedded_rules().into_iter().find(|file| file.name.as_str().ends_with("baseline.cedar")).unwrap();
        match Guardrails::parse(&[baseline], &schema) {
            Err(GuardrailError::Facts { message, .. }) => {
                assert!(!expected.is_empty() && message.contains(expected), "{message}");
            }
            Err(error) => panic!("{error}"),
            Ok(_) => assert!(expected.is_empty(), "{to} was accepted"),
        }
    }
}

#[test]
fn a_rule_on_a_group_of_actions_is_asked() {
    let mut schema = embedded_schema();
    schema.text =
        schema.text.replace("  action share appliesTo", "  action relate;\n  action share in [relate] appliesTo");
    let mut files = embedded_rules();
    let text = "@id(\"no-relations\") @title(\"t\") @severity(\"error\") @hint(\"h\") \
        forbid (principal, action in Paring::Action::\"relate\", resource);";
    files.push(source("mine.cedar", text));
    let rules = Guardrails::parse(&files, &schema).unwrap_or_else(|error| panic!("{error}"));
    let (orders, function) = (role("orders"), function("orders"));
    let violations = rules.ask(&Question::Share(Share { role: &orders, function: &function }), NOW, &[]).unwrap();
    assert_eq!(violations.iter().map(|one| one.rule.as_str()).collect::<Vec<_>>(), ["no-relations"]);
}

#[test]
fn names_with_quotes_and_other_scripts_stay_values() {
    let arn = "arn:aws:iam::111122223333:role/a\"; permit (principal, action, resource); // é";
    let hostile = RoleFacts {
        function_count: 2,
        tags: BTreeMap::from([("\"x\\".to_owned(), "\u{202e}".to_owned())]),
        ..RoleFacts::new(arn.parse().unwrap(), account(None))
    };
    assert_eq!(ids(&Question::Share(Share { role: &hostile, function: &function("f\"") })), ["one-role-one-function"]);
}

#[test]
fn what_stood_before_is_told_from_what_is_new() {
    let rules = &RULES;
    let orders = role("orders");
    let ask = |action: &str, target: &str| {
        rules.ask(&Question::Grant(grant(&orders, &permission(action), target)), NOW, &[]).unwrap()
    };
    let before = ask("dynamodb:*", "*");
    let narrowed = ask("dynamodb:PutItem", "*");
    assert!(narrowed.iter().all(|one| one.refutes() && one.stood_before(&before)), "{narrowed:#?}");
    let other_service = ask("s3:PutObject", "*");
    assert!(!other_service.is_empty() && other_service.iter().all(|one| !one.stood_before(&before)));
    let widened = ask("dynamodb:*", "*");
    assert!(widened.iter().all(|one| !one.stood_before(&narrowed)));
}

#[test]
fn only_errors_and_critical_ones_refute() {
    let refuting: Vec<_> = RuleSeverity::ALL.iter().filter(|severity| severity.refutes()).collect();
    assert_eq!(refuting, [&RuleSeverity::Error, &RuleSeverity::Critical]);
    for severity in RuleSeverity::ALL {
        assert_eq!(RuleSeverity::parse(severity.as_str()), Some(*severity));
    }
    assert_eq!(RuleSeverity::parse("Error"), None);
}

#[test]
fn paths_are_read_from_arns() {
    for (name, path) in [("orders", "/"), ("service-role/orders", "/service-role/"), ("a/b/c", "/a/b/")] {
        assert_eq!(role(name).path(), path, "{name}");
    }
}
