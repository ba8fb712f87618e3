//! Laws of packing on random policies: it fits, grants the same, says the same twice, and one name more moves nothing else.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PrintStyle, ResourceElement, Statement, compact_len, print,
};
use iam_model::text::Spanned;
use proptest::prelude::*;

use super::{NewDocuments, PIECES, Place, STEP, Spilled, spill};

const MOST: usize = 2_000;

/// A statement: whether it denies, of which service, and its names.
type Shape = (bool, usize, BTreeSet<u16>);

fn statement((denies, service, names): &Shape) -> Statement {
    let (action, name): (&str, fn(u16) -> String) = [
        ("s3:GetObject", (|n| format!("arn:aws:s3:::bucket-{}/folder/{n}", n % 7)) as fn(u16) -> String),
        ("dynamodb:PutItem", |n| format!("arn:aws:dynamodb:eu-west-1:111122223333:table/T{n}")),
        ("sqs:SendMessage", |n| format!("arn:aws:sqs:eu-west-1:111122223333:queue-{n}")),
    ][*service];
    let resources = names.iter().map(|n| ResourcePattern::new(&name(*n))).collect();
    let mut statement = Statement::allow(vec![ActionPattern::new(action)], resources);
    statement.effect = if *denies { Effect::Deny } else { Effect::Allow };
    statement
}

fn document(shapes: &[Shape]) -> PolicyDocument {
    PolicyDocument::new(shapes.iter().map(statement).collect())
}

fn packed(documents: &[PolicyDocument], count: usize) -> Option<Spilled> {
    let by_index: BTreeMap<usize, &PolicyDocument> = documents.iter().enumerate().collect();
    let place = Place { most: MOST, fixed: 100, policies: (0..documents.len()).collect() };
    spill(&by_index, &[place], NewDocuments { count, most: MOST })
}

fn all(spilled: &Spilled) -> Vec<&PolicyDocument> {
    spilled.kept.values().chain(&spilled.new).map(|moved| &moved.document).collect()
}

/// Each single permission with the document it stands in: kept ones by policy, new ones after them.
fn single(documents: &[&PolicyDocument]) -> BTreeMap<String, BTreeSet<usize>> {
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, document) in documents.iter().enumerate() {
        for statement in &document.statements {
            let ResourceElement::Resource(resources) = &statement.resource else { continue };
            for resource in resources {
                let alone =
                    Statement { resource: ResourceElement::Resource(vec![resource.clone()]), ..statement.clone() };
                let text = print(&PolicyDocument::new(vec![alone]), PrintStyle::Compact);
                found.entry(text).or_default().insert(at);
            }
        }
    }
    found
}

fn shapes(most: usize) -> impl Strategy<Value = Vec<Shape>> {
    let names = proptest::collection::btree_set(0..2_000_u16, 1..25);
    proptest::collection::vec((prop::bool::weighted(0.1), 0..3_usize, names), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_packed_fits_grants_the_same_and_takes_few_documents(one in shapes(9), other in shapes(4)) {
        let documents = [document(&one), document(&other)];
        let Some(spilled) = packed(&documents, 10) else { return Err(TestCaseError::reject("too much for ten")) };
        let kept: usize = spilled.kept.values().map(|moved| compact_len(&moved.document)).sum();
        prop_assert!(100 + kept <= MOST);
        prop_assert!(spilled.new.iter().all(|moved| compact_len(&moved.document) <= MOST));
        // No permission is lost, added, or moved into another policy than its own or a new one.
        let (before, after) = (single(&documents.iter().collect::<Vec<_>>()), single(&all(&spilled)));
        prop_assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        let (old, new) = (PermissionSet::of_documents(&documents), PermissionSet::of_documents(all(&spilled)));
        for (smaller, larger) in [(&old, &new), (&new, &old)] {
            prop_assert!(matches!(smaller.included_in(larger, Limits::default()), Inclusion::Included(_)));
        }
        // Pieces are small beside a document, so that each but the last is nearly full.
        let total: usize = documents.iter().map(compact_len).sum();
        let share = MOST - MOST / PIECES;
        prop_assert!(spilled.new.len() <= total.div_ceil(share), "{} for {total}", spilled.new.len());
        let again = packed(&documents, 10).unwrap();
        prop_assert_eq!(all(&spilled), all(&again));
        let fewer = spilled.new.len().checked_sub(1).map(|count| packed(&documents, count).is_none());
        prop_assert!(fewer != Some(false), "it takes no more documents than it is given");
    }

    /// One name more in a statement that is not cut, where its document has room: every other name stays where it is.
    #[test]
    fn one_name_more_moves_nothing_else(shapes in shapes(9), grown in 0..9_usize, name in 2_000..2_100_u16) {
        let before = [document(&shapes)];
        let grown = grown % shapes.len();
        let mut more = shapes;
        more[grown].2.insert(name);
        let after = [document(&more)];
        let size = |documents: &[PolicyDocument; 1]| compact_len(&PolicyDocument::new(vec![documents[0].statements[grown].clone()]));
        let whole = size(&after) <= MOST / PIECES && !more[grown].0;
        prop_assume!(whole && size(&before).div_ceil(STEP) == size(&after).div_ceil(STEP));
        let (Some(old), Some(new)) = (packed(&before, 10), packed(&after, 10)) else {
            return Err(TestCaseError::reject("too much for ten"));
        };
        let holds = |moved: &super::Moved| moved.origins.iter().any(|origin| origin.statement == grown);
        let growth = size(&after) - size(&before);
        let room = |moved: &super::Moved, fixed: usize| fixed + compact_len(&moved.document) + growth <= MOST;
        let has_room = old.kept.values().all(|moved| !holds(moved) || room(moved, 100))
            && old.new.iter().all(|moved| !holds(moved) || room(moved, 0));
        prop_assume!(has_room);
        let (old, new) = (single(&all(&old)), single(&all(&new)));
        for (permission, place) in &old {
            prop_assert_eq!(Some(place), new.get(permission), "{}", permission);
        }
    }
}

#[test]
fn a_long_list_of_actions_is_cut_and_what_cannot_be_cut_is_not() {
    let actions: Vec<ActionPattern> =
        (0..200).map(|n| ActionPattern::new(&format!("service{}:Action{n}", n % 9))).collect();
    let long = Statement::allow(actions.clone(), vec![ResourcePattern::everything()]);
    let spilled = packed(&[PolicyDocument::new(vec![long.clone()])], 3).unwrap();
    let written =
        |document: &PolicyDocument| document.statements.iter().map(|s| s.action.patterns().len()).sum::<usize>();
    assert_eq!(all(&spilled).into_iter().map(written).sum::<usize>(), 200);
    assert!(packed(&[PolicyDocument::new(vec![long.clone()])], 1).is_none(), "three documents, not two");
    let not =
        Statement { action: ActionElement::NotAction(actions.into_iter().map(Spanned::synthetic).collect()), ..long };
    assert!(packed(&[PolicyDocument::new(vec![not])], 9).is_none(), "what one leaves out the others would let through");
}
