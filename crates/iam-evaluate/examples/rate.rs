//! Decides the cases of a file again and again, each time from their text, and prints how many decisions that were.
//!
//! The other half of `scripts/compare_rate.sh`; measures nothing itself.

use std::io::Write;
use std::process::ExitCode;

use iam_evaluate::case::Case;
use iam_model::json::Arena;
use iam_model::text::{SourceName, SourceText};

// As the command line has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), rounds) = (arguments.next(), arguments.next()) else { return ExitCode::from(2) };
    let rounds: u64 = rounds.and_then(|text| text.parse().ok()).unwrap_or(1);
    let Ok(text) = std::fs::read_to_string(path) else { return ExitCode::from(2) };
    let name = SourceName::new("cases");
    let lines: Vec<SourceText> =
        text.lines().map(|line| SourceText { name: name.clone(), text: line.into() }).collect();
    let (mut decisions, mut allowed) = (0_u64, 0_u64);
    let mut arena = Arena::new();
    for _ in 0..rounds {
        for line in &lines {
            if let Ok((case, _)) = Case::read_in(&mut arena, line) {
                decisions += 1;
                allowed += u64::from(case.evaluate().outcome.is_allow());
            }
        }
    }
    let told =
        writeln!(std::io::stdout(), "{decisions}").and_then(|()| writeln!(std::io::stderr(), "{allowed} allowed"));
    if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
