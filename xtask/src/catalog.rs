//! Makes `crates/iam-model/data/catalog.bin` from the facts in `--from` and the curated tables in `xtask/data`.
//!
//! Deterministic: equal inputs give equal bytes. It downloads nothing; docs say where the inputs come from.

mod encode;
mod input;
mod rules;

use std::path::Path;

use crate::Options;
use encode::Encoder;
use input::Facts;
use rules::{Logging, Together, Triggers};

const LOGGING: &str = include_str!("../data/logging.txt");
const TRIGGERS: &str = include_str!("../data/triggers.txt");
const TOGETHER: &str = include_str!("../data/together.txt");
const OVERRIDES: &str = include_str!("../data/overrides.json");
const PROVENANCE: &str = include_str!("../data/provenance.txt");

/// Reads the inputs, writes the catalogue, and says what is in it.
pub(crate) fn make(options: &Options) -> Result<String, String> {
    let date = match &options.date {
        Some(date) => date.clone(),
        None => date_of_inputs(&options.from)?,
    };
    let facts = Facts::read(&options.from, OVERRIDES)?;
    let logging = Logging::parse(LOGGING)?;
    let triggers = Triggers::parse(TRIGGERS)?;
    let together = Together::parse(TOGETHER, &facts)?;
    let provenance: Vec<&str> = PROVENANCE.lines().filter(|line| !line.starts_with('#')).collect();
    let bytes = Encoder::default().catalog(&facts, (&logging, &triggers, &together), &date, &provenance);
    std::fs::write(&options.out, &bytes).map_err(|error| format!("{}: {error}", options.out.display()))?;
    let (unused_logging, unused_triggers) = (logging.unused(), triggers.unused());
    Ok(format!(
        "{}: {} bytes, {} services, {} actions, {} operations, reference of {date}\n\
         logging patterns that fit no action: {unused_logging:?}\ntrigger lines that fit nothing: {unused_triggers:?}\n\
         lines of resources checked together that fit nothing: {:?}",
        options.out.display(),
        bytes.len(),
        facts.services.len(),
        facts.services.values().map(|s| s.actions.len()).sum::<usize>(),
        facts.services.values().map(|s| s.operations.len()).sum::<usize>(),
        together.unused,
    ))
}

/// The day in the name of the service reference snapshot beside the inputs.
fn date_of_inputs(from: &Path) -> Result<String, String> {
    let folder = from.join("inputs");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}; give --date", folder.display()))?;
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_prefix("service_reference_")?.get(..10).map(str::to_owned))
        .max()
        .ok_or_else(|| format!("{}: no service_reference_YYYY-MM-DD file; give --date", folder.display()))
}
