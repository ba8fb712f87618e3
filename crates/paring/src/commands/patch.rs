//! `paring patch`: changes written into source files, printed as one diff; with `--write`, into the files themselves.
//!
//! Judges nothing: that is for `verify` and `tighten`. A change that no file takes is printed for a person.

use iam_model::change::{self, Change, ChangeSet, NewPolicy, RolePart};
use iam_model::json::Value;
use iam_model::policy::{PrintStyle, print};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_patch::{Disposition, FilePatch, PatchSet, Project, Refused};

use super::Outcome;
use crate::applying::{self, State};
use crate::cli::{Format, Patch};
use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// The schema name of the outcome as JSON.
const SCHEMA: &str = "paring-patches/1";

/// Reads changes and sources, prints or writes the patches, and says what was refused.
pub(crate) fn run(arguments: &Patch, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    if arguments.write {
        crate::redact::allow_files()?;
    }
    let source = input::read_text(&arguments.changes)?;
    let (asked, mut diagnostics) = change::read(&source).map_err(|error| CliError::changes(&error))?;
    let unread = !diagnostics.is_empty();
    let snapshot = match &arguments.snapshot {
        Some(path) => {
            let (snapshot, found) = input::read_snapshot(path)?;
            diagnostics.extend(found);
            snapshot
        }
        None => Snapshot::default(),
    };
    let (sources, found) = input::read_sources(&arguments.iac)?;
    diagnostics.extend(found);
    let (project, found) = Project::read(sources);
    diagnostics.extend(found);
    terminal.diagnostics(&diagnostics);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let set = iam_patch::patch_all(&project, &index, &asked.changes, &asked.splits);
    let states: Vec<State> = set.patches.iter().map(|patch| state(arguments, patch)).collect();
    if arguments.write {
        applying::write(&arguments.iac, &set.patches, &states)?;
    }
    match arguments.format {
        Format::Text => show(&set, &asked, &states, terminal)?,
        Format::Json => terminal.data(&json(&set, &asked, &states).to_pretty())?,
    }
    for (patch, state) in set.patches.iter().zip(&states) {
        applying::tell(&arguments.iac, patch, state, " (--all writes it)", terminal);
    }
    let left = states.iter().any(State::is_left);
    let refused = !set.refused.is_empty() || !set.refused_splits.is_empty() || left;
    Ok(if refused || unread { Outcome::Findings } else { Outcome::Clean })
}

fn state(arguments: &Patch, patch: &FilePatch) -> State {
    if !arguments.write {
        return State::Printed;
    }
    let fit = arguments.all || patch.disposition == Disposition::Safe;
    State::of(&arguments.iac, patch, fit, arguments.force)
}

fn reasons(patch: &FilePatch) -> &[String] {
    match &patch.disposition {
        Disposition::Safe => &[],
        Disposition::NeedsReview(reasons) => reasons,
    }
}

fn show(set: &PatchSet, asked: &ChangeSet, states: &[State], terminal: &mut Terminal) -> Result<(), CliError> {
    for (patch, state) in set.patches.iter().zip(states) {
        if !state.is_written() {
            terminal.data(&patch.diff)?;
        }
        for reason in reasons(patch) {
            terminal.note(&format!("review `{}`: {reason}", patch.file));
        }
    }
    for number in &set.unchanged {
        terminal.note(&format!("change {number}: the source already says so"));
    }
    for number in &set.unchanged_splits {
        terminal.note(&format!("split {number}: the functions have roles of their own already"));
    }
    for refused in &set.refused {
        let snippet = refused.snippet.as_deref();
        let text = asked.changes.get(refused.change).map(|change| by_hand(change, snippet)).unwrap_or_default();
        say(refused, "change", &text, terminal);
    }
    for refused in &set.refused_splits {
        let parts = asked.splits.get(refused.change).map(|split| split.parts.as_slice()).unwrap_or_default();
        say(refused, "split", &parts.iter().map(role_by_hand).collect::<String>(), terminal);
    }
    Ok(())
}

/// The line of a refusal, what to do, and the change itself, for a person to make.
fn say(refused: &Refused, what: &str, by_hand: &str, terminal: &mut Terminal) {
    let place = refused.refusal.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let head = format!("refused[{}]", refused.refusal.code);
    let text = format!("{what} {}: {place}{}", refused.change, refused.refusal);
    terminal.refused(&head, &text, refused.refusal.hint.as_deref());
    if !by_hand.is_empty() {
        terminal.note(by_hand.trim_end());
    }
}

/// The policy as it should be: in the words of the source where there is such a text, else as JSON.
fn by_hand(change: &Change, snippet: Option<&str>) -> String {
    let whose = change.attachment.principal_arn.as_ref().or(change.attachment.resource_arn.as_ref());
    let named = || change.attachment.logical_id.clone().or_else(|| change.attachment.address.clone());
    let whose = whose.map(ToString::to_string).or_else(named).unwrap_or_default();
    let policy = change.attachment.policy_name.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default();
    match &change.after {
        Some(after) => {
            let text = snippet.map_or_else(|| print(after, PrintStyle::Pretty), str::to_owned);
            format!("  the policy{policy} of `{whose}` should say:\n{}", indented(&text))
        }
        None => format!("  the policy{policy} of `{whose}` should go"),
    }
}

fn role_by_hand(part: &RolePart) -> String {
    let text = |what: &str, policy: &NewPolicy| {
        let document = print(&policy.document, PrintStyle::Pretty);
        format!("  {what} `{}`:\n{}\n", policy.name, indented(&document))
    };
    let inline = part.policies.iter().map(|policy| text("policy", policy));
    let policies = inline.chain(part.new_managed_policies.iter().map(|policy| text("new managed policy", policy)));
    let managed = part.managed_policies.iter().map(|arn| format!("  managed policy `{arn}`\n"));
    format!(
        "  `{}` should run as `{}`:\n{}{}",
        part.function,
        part.role,
        managed.collect::<String>(),
        policies.collect::<String>()
    )
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

fn json(set: &PatchSet, asked: &ChangeSet, states: &[State]) -> Value {
    let numbers = |list: &[usize]| Value::Array(list.iter().map(|n| Value::number(*n as u64)).collect());
    let patches = set.patches.iter().zip(states).map(|(patch, state)| {
        object([
            ("file", Value::text(patch.file.as_str())),
            ("disposition", Value::text(if reasons(patch).is_empty() { "safe" } else { "needs-review" })),
            ("reasons", Value::Array(reasons(patch).iter().map(Value::text).collect())),
            ("state", Value::text(state.as_str())),
            ("why", why(state)),
            ("changes", numbers(&patch.changes)),
            ("splits", numbers(&patch.splits)),
            ("diff", Value::text(&patch.diff)),
        ])
    });
    let refused = |what: &'static str, list: &[Refused]| -> Vec<Value> {
        let one = |refused: &Refused| {
            let refusal = &refused.refusal;
            let after = asked.changes.get(refused.change).filter(|_| what == "change").and_then(|c| c.after.as_ref());
            object([
                (what, Value::number(refused.change as u64)),
                ("code", Value::text(refusal.code.as_str())),
                ("message", Value::text(&refusal.message)),
                ("place", refusal.place.as_ref().map_or(Value::Null, |place| Value::text(place.to_string()))),
                ("hint", refusal.hint.as_ref().map_or(Value::Null, Value::text)),
                ("after", after.map_or(Value::Null, iam_model::policy::document_value)),
                ("snippet", refused.snippet.as_deref().map_or(Value::Null, Value::text)),
            ])
        };
        list.iter().map(one).collect()
    };
    let mut all = refused("change", &set.refused);
    all.extend(refused("split", &set.refused_splits));
    object([
        ("schema", Value::text(SCHEMA)),
        ("patches", Value::Array(patches.collect())),
        ("unchanged", numbers(&set.unchanged)),
        ("refused", Value::Array(all)),
    ])
}

/// Git's side of why a file was not written.
fn why(state: &State) -> Value {
    if let State::NotCommitted(why) = state { Value::text(why) } else { Value::Null }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
