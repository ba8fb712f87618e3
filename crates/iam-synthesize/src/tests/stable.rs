//! A new observation changes one place: what the called action's statements say. Every other statement is the same to the
//! byte, its name too, in an order that stays.

use std::collections::BTreeSet;

use iam_model::policy::Statement;

use super::*;

const ACTIONS: &[&str] =
    &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem", "dynamodb:DescribeTable"];
/// Too few to be folded.
const TABLES: &[&str] = &["Orders", "ledger", "stock-of-today", "People", "x", "zebra/crossing"];
/// Statements that overlap, of which the narrower is taken; with and without a name, and with names that look alike.
const POLICIES: &[&str] = &[
    r#"[{"Sid": "Own", "Effect": "Allow", "Action": ["dynamodb:*", "sqs:*"], "Resource": "*"}]"#,
    r#"[{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]"#,
    r#"[{"Sid": "Own", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
        {"Sid": "OwnGetItem", "Effect": "Deny", "Action": "dynamodb:CreateTable", "Resource": "*"},
        {"Sid": "OwnPut", "Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:Get*"], "Resource":
            ["arn:aws:dynamodb:*:*:table/Orders", "arn:aws:dynamodb:*:*:table/P*"]}]"#,
    r#"[{"Sid": "Items", "Effect": "Allow", "Action": ["dynamodb:UpdateItem", "dynamodb:GetItem"], "Resource": "*"},
        {"Sid": "All", "Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]"#,
];

fn table(n: usize) -> String {
    format!("arn:aws:dynamodb:us-east-1:111122223333:table/{}", TABLES[n])
}

/// The statements that a policy becomes after calls, each of an action on a table, so many times.
fn statements(policy: &str, calls: &[(usize, usize, u64)]) -> Vec<Statement> {
    let call =
        |(action, n, count): &(usize, usize, u64)| Observation { count: *count, ..seen(ACTIONS[*action], &table(*n)) };
    let proposal = propose(&snapshot(&[policy], "", FUNCTION), calls.iter().map(call).collect());
    proposal.changes.into_iter().filter_map(|change| change.after).flat_map(|after| after.statements).collect()
}

fn speaks_of(statement: &Statement, action: &str) -> bool {
    statement.action.patterns().iter().any(|pattern| pattern.value.as_str() == action)
}

/// Whether a statement is one of others with fewer actions.
fn is_rest(one: &Statement, others: &[&Statement]) -> bool {
    let of = |other: &&&Statement| {
        let same = other.resource == one.resource && other.conditions == one.conditions;
        same && one.action.patterns().iter().all(|action| speaks_of(other, action.value.as_str()))
    };
    others.iter().any(|other| of(&other))
}

/// What each action may do, but for one.
fn others(all: &[Statement], but: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in all {
        let actions = statement.action.patterns().iter().map(|action| action.value.as_str());
        for action in actions.filter(|action| *action != but) {
            let names = statement.resource.patterns().iter().map(|name| name.value.as_str().to_owned());
            found.entry(action.to_owned()).or_default().extend(names);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_call_more_changes_the_statements_of_its_action_and_the_order_of_none(
        policy in 0..POLICIES.len(),
        calls in prop::collection::btree_map((0..ACTIONS.len(), 0..TABLES.len()), 1..4_usize, 1..20),
        more in (0..ACTIONS.len(), 0..TABLES.len()),
    ) {
        let (policy, action) = (POLICIES[policy], ACTIONS[more.0]);
        // Tens of calls, hundreds or thousands: one more does not make the next of these of any.
        let mut calls: Vec<(usize, usize, u64)> =
            calls.into_iter().map(|((action, n), digits)| (action, n, 11 * 10_u64.pow(digits as u32 - 1))).collect();
        let before = statements(policy, &calls);
        calls.push((more.0, more.1, 1));
        let after = statements(policy, &calls);
        calls.reverse();
        prop_assert_eq!(&after, &statements(policy, &calls), "the order of calls tells nothing");

        let gone: Vec<&Statement> = before.iter().filter(|statement| !after.contains(statement)).collect();
        let new: Vec<&Statement> = after.iter().filter(|statement| !before.contains(statement)).collect();
        // It leaves the statement of its old resources, and joins that of its new ones.
        prop_assert!(gone.len() <= 2 && new.len() <= 2, "{gone:#?}\nbecame\n{new:#?}");
        let differs_by_it = |one: &Statement, others: &[&Statement]| speaks_of(one, action) || is_rest(one, others);
        prop_assert!(gone.iter().all(|one| differs_by_it(one, &new)), "{gone:#?}\nhad nothing to do with\n{new:#?}");
        prop_assert!(new.iter().all(|one| differs_by_it(one, &gone)), "{new:#?}\nhave nothing to do with\n{gone:#?}");
        let kept = |all: &[Statement], other: &[Statement]| -> Vec<Statement> {
            all.iter().filter(|statement| other.contains(statement)).cloned().collect()
        };
        prop_assert_eq!(kept(&before, &after), kept(&after, &before), "what stays keeps its order");
        // What other actions may do is what it was, whatever statement says it.
        prop_assert_eq!(others(&before, action), others(&after, action));
        let names: Vec<&String> = after.iter().filter_map(|statement| statement.sid.as_ref()).collect();
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "each name once: {:?}", names);
    }
}

/// What the statements are called, in their order.
fn names(policy: &str, calls: &[(usize, usize, u64)]) -> Vec<String> {
    statements(policy, calls).into_iter().filter_map(|statement| statement.sid).collect()
}

#[test]
fn statements_are_named_by_their_actions_and_the_name_stays_with_what_is_called_most() {
    let wide = r#"[{"Sid": "Own", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]"#;
    assert_eq!(names(wide, &[(1, 0, 50)]), ["Own"]);
    assert_eq!(names(wide, &[(1, 0, 50), (2, 1, 2)]), ["Own", "OwnDeleteItem"]);
    assert_eq!(names(wide, &[(1, 0, 50), (3, 1, 2), (2, 1, 2)]), ["Own", "OwnDeleteItem"]);
    // Ninety calls are about as many as fifty: then it is the first in the alphabet.
    assert_eq!(names(wide, &[(1, 0, 50), (3, 1, 90)]), ["Own", "OwnUpdateItem"]);
    assert_eq!(names(wide, &[(1, 0, 50), (3, 1, 900)]), ["Own", "OwnPutItem"]);
    // What keeps the old resources is the old statement, however little it is called.
    let named = r#"[{"Sid": "Own", "Effect": "Allow", "Action": ["dynamodb:*", "sqs:SendMessage"], "Resource": "*"}]"#;
    assert_eq!(names(named, &[(1, 0, 50)]), ["Own", "OwnDynamodbPutItem"]);
    let taken = r#"[{"Sid": "Own", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
        {"Sid": "OwnDeleteItem", "Effect": "Deny", "Action": "dynamodb:CreateTable", "Resource": "*"}]"#;
    assert_eq!(names(taken, &[(1, 0, 50), (2, 1, 2)]), ["Own", "OwnDeleteItemN2", "OwnDeleteItem"]);
    let long = "Own".repeat(40);
    let long = format!(r#"[{{"Sid": "{long}", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}}]"#);
    let all = names(&long, &[(0, 0, 2), (1, 1, 2), (2, 2, 2)]);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3, "{all:?}");
}
