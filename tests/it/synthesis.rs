//! Proposals on a small world whose truth is known: nothing used is lost, nothing is added, and nothing depends on order.

use iam_model::catalog::Catalog;
use iam_model::policy::{PrintStyle, print};
use iam_model::time::Timestamp;
use iam_model::usage::UsageLog;
use iam_synthesize::RoleProposal;
use iam_usage::{LogSource, Options};

use crate::quality::{self, percent};
use crate::quality_world;
use crate::run::Folder;

const SEED: u64 = 7;
const ROLES: usize = 24;

fn read(reversed: bool, threads: usize, since: Option<Timestamp>, until: Option<Timestamp>) -> UsageLog {
    let mut files = quality_world::logs(SEED, ROLES);
    if reversed {
        files.reverse();
    }
    let sources: Vec<_> = files.into_iter().map(|(name, bytes)| LogSource::from_bytes(&name, bytes)).collect();
    let catalog = Catalog::embedded().unwrap();
    iam_usage::read(sources, &catalog, &Options { since, until, threads, ..Options::default() }, &|_| {}).0
}

#[test]
fn what_was_learned_holds_later_and_nothing_is_added() {
    let split = quality_world::split();
    let before = Timestamp::from_epoch_seconds(split.epoch_seconds() - 1);
    let (train, later) = (read(false, 1, None, Some(before)), read(false, 1, Some(split), None));
    assert!(train.unresolved.is_empty(), "{:?}", train.unresolved);
    let truths = quality_world::truths(SEED, ROLES);
    let catalog = Catalog::embedded().unwrap();
    let proposals = quality::propose(&quality::snapshot(&truths), &train, &catalog);
    let scores = quality::judge(&truths, &proposals, &train, &later);
    assert_eq!(scores.trained_allowed, scores.trained, "{scores:#?}");
    assert!(scores.denied_only > 0 && scores.denied_only_allowed == 0, "{scores:#?}");
    assert_eq!((scores.roles, scores.over_quota), (ROLES, 0));
    assert!(percent(scores.grants_in_truth, scores.grants) >= 99.5, "{scores:#?}");
    assert!(percent(scores.held_out_allowed, scores.foreseeable) >= 99.9, "{scores:#?}");
    assert!(percent(scores.held_out_allowed, scores.held_out) >= 98.9, "{scores:#?}");
}

/// Everything that is proposed, as text: equal text is an equal result.
fn text(proposals: &[RoleProposal]) -> String {
    let mut text = String::new();
    for proposal in proposals {
        text.push_str(proposal.role.as_str());
        text.push('\n');
        for document in proposal.changes.iter().filter_map(|change| change.after.as_ref()) {
            text.push_str(&print(document, PrintStyle::Pretty));
        }
    }
    text
}

#[test]
fn threads_and_order_change_no_byte() {
    let truths = quality_world::truths(SEED, ROLES);
    let snapshot = quality::snapshot(&truths);
    let catalog = Catalog::embedded().unwrap();
    let made = |reversed, threads| text(&quality::propose(&snapshot, &read(reversed, threads, None, None), &catalog));
    let one = made(false, 1);
    assert!(one.contains("events/*"), "{one}");
    assert_eq!(one, made(true, 1), "the order of events");
    assert_eq!(one, made(true, 2), "the number of threads");
}

#[test]
fn the_whole_run_says_the_same_with_any_number_of_threads() {
    let folder = Folder::new();
    let run = |threads: &str| {
        let arguments = ["tighten", "--example", "--split", "--documents", "--format", "json"];
        folder.paring_with(&[("RAYON_NUM_THREADS", threads)], &arguments).stdout
    };
    let one = run("1");
    assert!(one.contains("paring-report/1"), "{one}");
    for threads in ["2", "5"] {
        assert_eq!(one, run(threads), "{threads} threads");
    }
}
