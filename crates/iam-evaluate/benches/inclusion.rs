//! How long it takes to decide whether one policy is inside another, from their texts to the answer:
//! `cargo bench -p iam-evaluate --bench inclusion`.
//!
//! The pairs are made from a seed (`pairs`); those of the conformance data are measured too where it is there. Each
//! pair is decided five times and its fastest time counts; prints microseconds, judges nothing.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and its input is its own")]

mod pairs;

use std::path::PathBuf;
use std::time::Instant;

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::catalog::Catalog;
use iam_model::json::{self, Arena};
use iam_model::policy::{PolicyDocument, parse};
use iam_model::text::{SourceName, SourceText};
use pairs::{Generator, Pair};

// As the command line has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;

fn main() {
    let catalog = Catalog::embedded().unwrap();
    let mut generator = Generator::new(&catalog, 0x9e37_79b9_7f4a_7c15);
    // Under a profiler that counts instructions, a few do.
    let few = std::env::var_os("PARING_BENCH_FEW").is_some();
    let small: Vec<Pair> = (0..if few { 200 } else { 4_732 }).map(|_| generator.pair(8, 24, 6_144)).collect();
    measure("within the quotas", &small);
    if few {
        return;
    }
    let large: Vec<Pair> = std::iter::repeat_with(|| generator.pair(400, 60, 260_000))
        .filter(|(new, old)| new.len().min(old.len()) > 200_000)
        .take(8)
        .collect();
    measure("of 200 to 260 kB", &large);
    let root = std::env::var_os("PARING_CONFORMANCE").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    match std::fs::read_to_string(root.join("vectors/verification/no_new_access.jsonl")) {
        Ok(text) => measure("of the conformance data", &text.lines().map(case).collect::<Vec<_>>()),
        Err(_) => println!("SKIPPED the conformance data: set PARING_CONFORMANCE"),
    }
}

fn case(line: &str) -> Pair {
    let arena = Arena::new();
    let node = json::parse(&arena, line, json::Limits::FILE).unwrap();
    let text = |key: &str| node.get(key).unwrap().to_value().to_compact();
    (text("new_policy"), text("existing_policy"))
}

fn document(text: &str) -> PolicyDocument {
    parse(&SourceText { name: SourceName::new("p.json"), text: text.to_owned() }).0
}

fn decide(pair: &Pair) -> (Inclusion, f64, f64) {
    let start = Instant::now();
    let (new, old) = (document(&pair.0), document(&pair.1));
    let read = start.elapsed().as_secs_f64();
    let answer = PermissionSet::of_document(&new).included_in(&PermissionSet::of_document(&old), Limits::default());
    (answer, read, start.elapsed().as_secs_f64())
}

fn measure(name: &str, pairs: &[Pair]) {
    let (mut all, mut reading) = (Vec::new(), Vec::new());
    let (mut inside, mut outside, mut open) = (0, 0, 0);
    let mut slowest = (0.0, 0);
    for (number, pair) in pairs.iter().enumerate() {
        let rounds: Vec<(Inclusion, f64, f64)> = (0..ROUNDS).map(|_| decide(pair)).collect();
        let least = |time: &dyn Fn(&(Inclusion, f64, f64)) -> f64| rounds.iter().map(time).fold(f64::MAX, f64::min);
        let whole = least(&|r| r.2);
        if whole > slowest.0 {
            slowest = (whole, number);
        }
        all.push(whole);
        reading.push(least(&|r| r.1));
        match rounds.first().map(|r| &r.0) {
            Some(Inclusion::Included(_)) => inside += 1,
            Some(Inclusion::Excluded(_)) => outside += 1,
            _ => open += 1,
        }
    }
    println!("{} pairs {name}: {inside} inside, {outside} not, {open} undecided", pairs.len());
    percentiles("  reading both", reading);
    percentiles("  reading and deciding", all);
    if std::env::var_os("PARING_BENCH_SLOWEST").is_some()
        && let Some((new, old)) = pairs.get(slowest.1)
    {
        println!("new {new}\nold {old}");
    }
}

fn percentiles(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(((times.len() - 1) * part) / 1000).copied().unwrap_or_default() * 1e6;
    println!("{name}: p50 {:.1} µs, p90 {:.1}, p99 {:.1}, most {:.1}", at(500), at(900), at(990), at(1000));
}
