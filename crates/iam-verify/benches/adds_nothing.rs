//! How long the whole claim takes that a change adds nothing, from two texts to a proof that its checker accepted or a
//! counterexample that evaluation confirmed: `cargo bench -p iam-verify --bench adds_nothing`.
//!
//! The pairs are those of `cargo bench -p iam-evaluate --bench inclusion`, which measures the decision alone. Each pair
//! is judged three times and its fastest time counts; prints microseconds, judges nothing.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and its input is its own")]

#[path = "../../iam-evaluate/benches/pairs/mod.rs"]
mod pairs;

use std::time::Instant;

use iam_evaluate::permission_set::Limits;
use iam_model::catalog::Catalog;
use iam_model::policy::{PolicyDocument, parse};
use iam_model::text::{SourceName, SourceText};
use iam_verify::adds_nothing::check_documents;
use pairs::{Generator, Pair};

const ROUNDS: usize = 3;

fn main() {
    let catalog = Catalog::embedded().unwrap();
    let mut generator = Generator::new(&catalog, 0x9e37_79b9_7f4a_7c15);
    let small: Vec<Pair> = (0..4_732).map(|_| generator.pair(8, 24, 6_144)).collect();
    measure("within the quotas", &small);
    let large: Vec<Pair> = std::iter::repeat_with(|| generator.pair(400, 60, 260_000))
        .filter(|(new, old)| new.len().min(old.len()) > 200_000)
        .take(8)
        .collect();
    measure("of 200 to 260 kB", &large);
}

fn document(text: &str) -> PolicyDocument {
    parse(&SourceText { name: SourceName::new("p.json"), text: text.to_owned() }).0
}

fn measure(name: &str, pairs: &[Pair]) {
    let (mut times, mut outcomes) = (Vec::new(), std::collections::BTreeMap::new());
    for (new, old) in pairs {
        let mut fastest = f64::MAX;
        for round in 0..ROUNDS {
            let start = Instant::now();
            let verdict = check_documents(&[document(old)], &[document(new)], Limits::default());
            fastest = fastest.min(start.elapsed().as_secs_f64());
            if round == 0 {
                *outcomes.entry(verdict.outcome.as_str()).or_insert(0_usize) += 1;
            }
        }
        times.push(fastest);
    }
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(((times.len() - 1) * part) / 1000).copied().unwrap_or_default() * 1e6;
    println!("{} pairs {name}: {outcomes:?}", pairs.len());
    println!("  p50 {:.1} µs, p90 {:.1}, p99 {:.1}, most {:.1}", at(500), at(900), at(990), at(1000));
}
