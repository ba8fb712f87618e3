//! A new observation changes one place: the statements of the action that was called, in an order that stays.

use iam_model::policy::Statement;

use super::*;

const ACTIONS: &[&str] =
    &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem", "dynamodb:DescribeTable"];
/// Too few to be folded.
const TABLES: &[&str] = &["Orders", "ledger", "stock-of-today", "People", "x", "zebra/crossing"];

fn table(n: usize) -> String {
    format!("arn:aws:dynamodb:us-east-1:111122223333:table/{}", TABLES[n])
}

fn statements(snapshot: &Snapshot, calls: &[(usize, usize)]) -> Vec<Statement> {
    let observations = calls.iter().map(|(action, n)| seen(ACTIONS[*action], &table(*n))).collect();
    let proposal = propose_with(snapshot, observations, &Rules { min_days: 30, ..Rules::default() }, 90);
    proposal.changes.into_iter().filter_map(|change| change.after).flat_map(|after| after.statements).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_call_more_changes_the_statements_of_its_action_and_the_order_of_none(
        calls in prop::collection::btree_set((0..ACTIONS.len(), 0..TABLES.len()), 1..20),
        more in (0..ACTIONS.len(), 0..TABLES.len()),
    ) {
        let world = snapshot(&[r#"[{"Effect": "Allow", "Action": ["dynamodb:*", "sqs:*"], "Resource": "*"}]"#], "", FUNCTION);
        let mut calls: Vec<(usize, usize)> = calls.into_iter().collect();
        let before = statements(&world, &calls);
        calls.push(more);
        let after = statements(&world, &calls);
        // It leaves the statement of its old resources, and joins that of its new ones.
        let gone: Vec<&Statement> = before.iter().filter(|statement| !after.contains(statement)).collect();
        let new: Vec<&Statement> = after.iter().filter(|statement| !before.contains(statement)).collect();
        prop_assert!(gone.len() <= 2 && new.len() <= 2, "{gone:#?}\nbecame\n{new:#?}");
        let kept_before: Vec<&Statement> = before.iter().filter(|statement| after.contains(statement)).collect();
        let kept_after: Vec<&Statement> = after.iter().filter(|statement| before.contains(statement)).collect();
        prop_assert_eq!(kept_before, kept_after, "what stays keeps its order");
        // What other actions may do is what it was, whatever statement says it.
        let others = |all: &[Statement]| -> BTreeMap<String, Vec<String>> {
            let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for statement in all {
                let actions = statement.action.patterns().iter().map(|action| action.value.as_str());
                for action in actions.filter(|action| *action != ACTIONS[more.0]) {
                    let names = statement.resource.patterns().iter().map(|name| name.value.as_str().to_owned());
                    found.entry(action.to_owned()).or_default().extend(names);
                }
            }
            found
        };
        prop_assert_eq!(others(&before), others(&after));
    }
}
