//! Chores of the repository: `cargo xtask catalog` makes the embedded catalogue anew. Not part of the product.

mod catalog;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask catalog --from DIR [--date YYYY-MM-DD] [--out FILE]
  --from DIR  holds sar.json, ops.json, sources.json
  --date      the day the reference was taken; else from DIR/inputs/service_reference_YYYY-MM-DD.*
  --out       else crates/iam-model/data/catalog.bin";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = Options::parse(&arguments).and_then(|options| catalog::make(&options));
    match result {
        Ok(summary) => {
            say(&summary);
            ExitCode::SUCCESS
        }
        Err(message) => {
            say(&format!("error: {message}"));
            ExitCode::from(2)
        }
    }
}

/// What `catalog` was asked for.
pub(crate) struct Options {
    pub(crate) from: PathBuf,
    pub(crate) date: Option<String>,
    pub(crate) out: PathBuf,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let (first, rest) = arguments.split_first().ok_or(USAGE)?;
        if first != "catalog" {
            return Err(format!("no task `{first}`\n{USAGE}"));
        }
        let (mut from, mut date, mut out) = (None, None, PathBuf::from("crates/iam-model/data/catalog.bin"));
        let mut rest = rest.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("`{flag}` needs a value\n{USAGE}"))?;
            match flag.as_str() {
                "--from" => from = Some(PathBuf::from(value)),
                "--date" => date = Some(value.clone()),
                "--out" => out = PathBuf::from(value),
                _ => return Err(format!("no option `{flag}`\n{USAGE}")),
            }
        }
        Ok(Self { from: from.ok_or(USAGE)?, date, out })
    }
}

#[expect(clippy::print_stderr, reason = "a chore run by hand tells its user what it did")]
fn say(text: &str) {
    eprintln!("{text}");
}
