//! Measures proposals on logs whose truth is known, and prints the table of `docs/quality.md`.
//!
//! usage: `cargo run --release --example synthesis_quality -- [--world SEED ROLES] [--details] [FOLDER...]`
//!
//! A folder holds CloudTrail logs and a `truth.jsonl`: a line for each role with `role`, `function`, `region`, `need`,
//! `need_kms_via_service` and `invisible`, lists of actions with resource patterns. Without folders, three worlds of
//! `tests/it/quality_world.rs` are made.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that fails should say so at once"
)]

#[path = "../../../tests/it/quality.rs"]
mod quality;
#[path = "../../../tests/it/quality_world.rs"]
mod quality_world;

use std::fs::File;
use std::path::{Path, PathBuf};

use iam_model::catalog::Catalog;
use iam_model::time::Timestamp;
use iam_model::usage::UsageLog;
use iam_usage::{LogSource, Options};
use quality::{Scores, Truth, percent};

// As the command line has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let details = arguments.iter().any(|a| a == "--details");
    let folders: Vec<&String> = arguments.iter().filter(|a| *a != "--details").collect();
    let catalog = Catalog::embedded().unwrap();
    println!(
        "| world | roles (refused) | training replay | denied only, now allowed | held-out allowed (foreseeable) | precision | roles without a denied call (foreseeable) | over quota | characters a role | CPU |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    if folders.is_empty() {
        for seed in [1, 2, 3] {
            let truths = quality_world::truths(seed, 500);
            let made = quality_world::logs(seed, 500);
            let sources = || made.iter().map(|(name, bytes)| LogSource::from_bytes(name, bytes.clone())).collect();
            row(&format!("own, seed {seed}"), &truths, &sources, quality_world::split(), &catalog, details);
        }
    }
    for folder in folders {
        let folder = Path::new(folder);
        let truths = read_truth(&folder.join("truth.jsonl"));
        let files = walk(&folder.join("AWSLogs"));
        let sources = || {
            files
                .iter()
                .cloned()
                .map(|path| {
                    let name = path.to_string_lossy().into_owned();
                    LogSource::new(&name, None, move || Ok(Box::new(File::open(&path)?)))
                })
                .collect()
        };
        // The generator's window ends with May 2026; the last 30 of its 90 days are replayed.
        let split = Timestamp::parse("2026-05-02T00:00:00Z").unwrap();
        row(&folder.file_name().unwrap().to_string_lossy(), &truths, &sources, split, &catalog, details);
    }
}

fn row(
    name: &str,
    truths: &[Truth],
    sources: &dyn Fn() -> Vec<LogSource>,
    split: Timestamp,
    catalog: &Catalog,
    details: bool,
) {
    let read = |since, until| -> UsageLog {
        iam_usage::read(sources(), catalog, &Options { since, until, ..Options::default() }, &|_| {}).0
    };
    let before_split = Timestamp::from_epoch_seconds(split.epoch_seconds() - 1);
    let (train, later) = (read(None, Some(before_split)), read(Some(split), None));
    let snapshot = quality::snapshot(truths);
    let started = cpu();
    let proposals = quality::propose(&snapshot, &train, catalog);
    let spent = cpu() - started;
    let scores = quality::judge(truths, &proposals, &train, &later);
    let Scores { roles, refused, .. } = scores;
    println!(
        "| {name} | {roles} ({refused}) | {:.3} % of {} | {} of {} | {:.2} % of {} ({:.2} %) | {:.2} % of {} | {:.1} % of {} ({:.1} %) | {} | {} | {spent:.2} s |",
        percent(scores.trained_allowed, scores.trained),
        scores.trained,
        scores.denied_only_allowed,
        scores.denied_only,
        percent(scores.held_out_allowed, scores.held_out),
        scores.held_out,
        percent(scores.foreseeable, scores.held_out),
        percent(scores.grants_in_truth, scores.grants),
        scores.grants,
        percent(scores.roles_without_denial as u64, scores.roles_replayed as u64),
        scores.roles_replayed,
        percent(scores.roles_foreseeable as u64, scores.roles_replayed as u64),
        scores.over_quota,
        scores.characters / roles.max(1),
    );
    if details {
        for (what, map) in [("denied later", &scores.denials), ("beyond the truth", &scores.excess)] {
            let mut sorted: Vec<_> = map.iter().collect();
            sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            sorted.iter().take(40).for_each(|(key, count)| println!("  {what}: {count} {key}"));
        }
        if let Some(event) = train.unresolved.first() {
            println!("  unresolved: {} such as {event:?}", train.unresolved.len());
        }
    }
}

/// Seconds of processor time this process has used, all threads together.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn read_truth(path: &Path) -> Vec<Truth> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let mut need = Vec::new();
            for key in ["need", "need_kms_via_service", "invisible"] {
                for pair in value[key].as_array().into_iter().flatten() {
                    need.push((pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned()));
                }
            }
            // AWS asks for it where a function is created with tags, as these are; the generator's truth leaves it out.
            let created = need.iter().filter(|(action, _)| action == "lambda:CreateFunction");
            let tagged: Vec<_> = created.map(|(_, on)| ("lambda:TagResource".to_owned(), on.clone())).collect();
            need.extend(tagged);
            Truth {
                role: value["role"].as_str().unwrap().parse().unwrap(),
                function: value["function"].as_str().unwrap().to_owned(),
                region: value["region"].as_str().unwrap().to_owned(),
                need,
            }
        })
        .collect()
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
