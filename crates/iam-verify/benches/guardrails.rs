//! How long one decision of the shipped rules takes, facts to objections: `cargo bench -p iam-verify --bench guardrails`.
//!
//! Prints microseconds; judges nothing. The bar is 100 µs per decision on one core.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and its input is its own")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Catalog;
use iam_model::time::Timestamp;
use iam_verify::guardrails::{
    AccountFacts, Environment, Escalation, FunctionFacts, Grant, Guardrails, PermissionFacts, PermissionGroups,
    Question, RoleFacts, Share, Target, UnitName, Usage,
};

const ROUNDS: u32 = 20_000;

fn main() {
    let start = Instant::now();
    let rules = Guardrails::embedded().unwrap();
    println!("{} rules read and validated in {} µs", rules.rules().count(), start.elapsed().as_micros());

    let (catalog, groups) = (Catalog::embedded().unwrap(), PermissionGroups::embedded().unwrap());
    let account = AccountFacts {
        environment: Some(Environment::Production),
        units: vec![UnitName::new("ou-workloads")],
        ..AccountFacts::new("111122223333".parse().unwrap())
    };
    let role = RoleFacts {
        function_count: 1,
        tags: BTreeMap::from([("team".to_owned(), "orders".to_owned())]),
        ..RoleFacts::new("arn:aws:iam::111122223333:role/orders".parse().unwrap(), account.clone())
    };
    let function = FunctionFacts {
        arn: "arn:aws:lambda:eu-west-1:111122223333:function:orders".parse().unwrap(),
        account,
        tags: BTreeMap::new(),
    };
    for (action, target) in [
        ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"),
        ("dynamodb:*", "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"),
        ("*", "*"),
    ] {
        let permission = PermissionFacts::of(ActionPattern::new(action), &catalog, &groups);
        let grant = Question::Grant(Grant {
            role: &role,
            permission: &permission,
            target: Target { pattern: ResourcePattern::new(target), external: false },
            condition_keys: BTreeSet::new(),
            usage: Usage { window_days: 90, calls: 12, last_used_days_ago: Some(1), observable: true },
            escalation: Escalation::default(),
        });
        measure(&rules, &format!("grant {action} on {target}"), &grant);
    }
    measure(&rules, "share", &Question::Share(Share { role: &role, function: &function }));
}

fn measure(rules: &Guardrails, name: &str, question: &Question<'_>) {
    let now = Timestamp::from_epoch_seconds(1_795_000_000);
    let mut times: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let objections = rules.ask(question, now, &[]).unwrap();
            assert!(objections.len() < 10);
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default() / 1000;
    let mean = times.iter().sum::<u128>() / u128::from(ROUNDS) / 1000;
    println!("{name}: mean {mean} µs, p50 {} µs, p99 {} µs", at(50), at(99));
}
