//! `paring guard controls`: which of AWS Control Tower's controls policies carry, and where they stand.
//!
//! Lists; whether a policy may be changed is for the rules.

use std::collections::BTreeMap;

use iam_model::control::{ControlStatement, controls};
use iam_model::json::Value;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::Snapshot;

use crate::cli::{Format, GuardControls};
use crate::commands::Outcome;
use crate::commands::check::policy::{document, policy_files};
use crate::error::CliError;
use crate::input;
use crate::report::counted;
use crate::terminal::{Paint, Terminal};

/// The schema name of the output for programs.
const SCHEMA: &str = "paring-controls/1";

/// Where a control's statements stand, by what the control is.
type Found = BTreeMap<ControlKey, Vec<(String, usize)>>;

/// A statement without its place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ControlKey {
    ids: Vec<String>,
    sid: String,
    guidance: Option<&'static str>,
    title: Option<&'static str>,
}

/// Runs the command.
pub(super) fn run(arguments: &GuardControls, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (mut found, mut policies) = (Found::new(), 0_usize);
    let mut add = |name: &str, policy: &PolicyDocument| {
        policies += 1;
        controls(policy).into_iter().for_each(|one| insert(&mut found, one, name));
    };
    for path in policy_files(&arguments.files)? {
        let (policy, diagnostics) = document(&input::read_text(&path)?);
        terminal.diagnostics(&diagnostics);
        add(&path.display().to_string(), &policy);
    }
    if let Some(path) = &arguments.snapshot {
        let (snapshot, diagnostics) = input::read_snapshot(path)?;
        terminal.diagnostics(&diagnostics);
        of_snapshot(&snapshot, &mut add);
    }
    let text = match arguments.format {
        Format::Text => terminal.paint().clean(&render(&found, terminal.paint())),
        Format::Json => value(&found).to_pretty(),
    };
    terminal.data(&text)?;
    let in_words = counted(found.len(), "control statement", "control statements");
    terminal.note(&format!("{in_words} of AWS Control Tower in {}", counted(policies, "policy", "policies")));
    Ok(Outcome::Clean)
}

fn insert(found: &mut Found, one: ControlStatement, name: &str) {
    let ids = one.ids.iter().map(ToString::to_string).collect();
    let guidance = one.guidance.map(iam_model::control::Guidance::as_str);
    let key = ControlKey { ids, sid: one.sid, guidance, title: one.title };
    found.entry(key).or_default().push((name.to_owned(), one.statement));
}

/// The control policies of an organisation; one that stands above several accounts is named for each.
fn of_snapshot(snapshot: &Snapshot, add: &mut impl FnMut(&str, &PolicyDocument)) {
    let accounts = snapshot.organization.iter().flat_map(|organization| &organization.accounts);
    for (id, guardrails) in accounts {
        for (word, levels) in [("service", &guardrails.scps), ("resource", &guardrails.rcps)] {
            for (depth, level) in levels.iter().enumerate() {
                for (place, policy) in level.iter().enumerate() {
                    add(&format!("account {id}, {word} control policy {place} of level {depth}"), policy);
                }
            }
        }
    }
}

fn render(found: &Found, paint: Paint) -> String {
    let mut out = String::new();
    for (key, places) in found {
        let guidance = key.guidance.map(|word| format!("  {word}")).unwrap_or_default();
        out.push_str(&format!("{}{guidance}\n", paint.bold(&key.ids.join(", "))));
        out.extend(key.title.map(|title| format!("  {title}\n")));
        for (name, statement) in places {
            out.push_str(&format!("  {} is statement {} of {name}\n", key.sid, statement + 1));
        }
    }
    out
}

fn value(found: &Found) -> Value {
    let text = |text: &str| Value::text(text);
    let one = |(key, places): (&ControlKey, &Vec<(String, usize)>)| {
        let place = |(name, statement): &(String, usize)| {
            let members = vec![("policy", text(name)), ("statement", Value::number(*statement as u64))];
            Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        };
        let mut members =
            vec![("controls", Value::Array(key.ids.iter().map(|id| text(id)).collect())), ("sid", text(&key.sid))];
        members.extend(key.guidance.map(|word| ("guidance", text(word))));
        members.extend(key.title.map(|title| ("title", text(title))));
        members.push(("places", Value::Array(places.iter().map(place).collect())));
        Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    Value::Object(vec![
        ("schema".to_owned(), Value::text(SCHEMA)),
        ("found".to_owned(), Value::Array(found.iter().map(one).collect())),
    ])
}
