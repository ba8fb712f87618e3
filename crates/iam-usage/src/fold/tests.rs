//! Folding: what a reader of the result sees, and that order and splitting change nothing.

use super::*;
use proptest::prelude::*;

fn stat(id: &str, second: i64) -> Stat {
    Stat::one(false, Timestamp::from_epoch_seconds(second), id.as_bytes())
}

fn folded(names: impl Iterator<Item = String>) -> Vec<(Names, u64)> {
    let mut folder = Folder::default();
    for (index, name) in names.enumerate() {
        folder.add(&[name], &More::Stat(&stat("id", index as i64)));
    }
    folder.into_rows().into_iter().map(|(names, stat, _)| (names, stat.count)).collect()
}

fn check(names: impl Iterator<Item = String>, expected: &[(&str, u64)]) {
    let expected: Vec<(Names, u64)> = expected.iter().map(|(name, count)| (vec![(*name).to_owned()], *count)).collect();
    assert_eq!(folded(names), expected);
}

#[test]
fn few_resources_stay_as_they_are() {
    check(
        ["arn:aws:s3:::b/x/1", "arn:aws:s3:::b/x/2", "arn:aws:s3:::b/x/1"].iter().map(ToString::to_string),
        &[("arn:aws:s3:::b/x/1", 2), ("arn:aws:s3:::b/x/2", 1)],
    );
}

#[test]
fn many_objects_fold_to_the_deepest_prefixes_that_fit() {
    check(
        (0..3000).map(|n| format!("arn:aws:s3:::b/in/{}/{n}", n % 3)),
        &[("arn:aws:s3:::b/in/0/*", 1000), ("arn:aws:s3:::b/in/1/*", 1000), ("arn:aws:s3:::b/in/2/*", 1000)],
    );
    check((0..3000).map(|n| format!("arn:aws:s3:::b/{n}")), &[("arn:aws:s3:::b/*", 3000)]);
    check((0..3000).map(|n| format!("arn:aws:s3:::b/{n}/x/y")), &[("arn:aws:s3:::b/*", 3000)]);
}

#[test]
fn other_services_fold_at_their_own_separators() {
    check(
        (0..300).map(|n| format!("arn:aws:logs:r:1:log-group:g:log-stream:{n}")),
        &[("arn:aws:logs:r:1:log-group:g:log-stream:*", 300)],
    );
    check((0..300).map(|n| format!("arn:aws:sqs:r:1:queue{n}")), &[("arn:aws:sqs:r:1:*", 300)]);
    check((0..300).map(|_| "*".to_owned()), &[("*", 300)]);
}

#[test]
fn too_many_groups_fold_to_the_service() {
    check((0..1000).map(|n| format!("arn:aws:s3:::bucket{n}/key")), &[("arn:aws:s3:*:*:*", 1000)]);
}

#[test]
fn the_smallest_ids_are_kept() {
    let mut folder = Folder::default();
    for id in ["e", "b", "d", "a", "c", "a"] {
        folder.add(&["*".to_owned()], &More::Stat(&stat(id, 1)));
    }
    let rows = folder.into_rows();
    let samples: Vec<String> = rows[0].1.samples.iter().map(ToString::to_string).collect();
    assert_eq!(samples, ["a", "b", "c"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn neither_order_nor_splitting_matter(
        seeds in proptest::collection::vec((0_u32..400, 0_u32..3, 0_u32..9, proptest::bool::ANY), 1..900),
        split in 0_usize..900,
    ) {
        let rows: Vec<(Vec<String>, Stat)> = seeds.iter().enumerate().map(|(index, (a, b, c, two))| {
            let mut names = vec![format!("arn:aws:s3:::b{b}/{c}/{a}/x")];
            if *two { names.push(format!("arn:aws:s3:::b{b}/{a}")); }
            names.sort();
            (names, stat(&format!("{index}"), index as i64))
        }).collect();
        let mut straight = Folder::default();
        rows.iter().for_each(|(names, stat)| straight.add(names, &More::Stat(stat)));
        let mut left = Folder::default();
        let mut right = Folder::default();
        for (index, (names, stat)) in rows.iter().rev().enumerate() {
            if index < split { left.add(names, &More::Stat(stat)) } else { right.add(names, &More::Stat(stat)) }
        }
        right.merge(left);
        prop_assert_eq!(straight.into_rows(), right.into_rows());
    }
}
