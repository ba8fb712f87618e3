//! `paring guard pack`: control policies of one target in the fewest documents that fit.
//!
//! Reads, writes and counts; what may stand together is decided and proved elsewhere.

use std::path::PathBuf;

use iam_model::control::controls;
use iam_model::diagnostic::Severity;
use iam_model::policy::{Effect, PolicyDocument, PrintStyle, print};
use iam_model::text::grouped;
use iam_synthesize::{ControlKind, ControlOrigin, PackError, PackOptions, PackedControl, pack_controls};

use crate::cli::GuardPack;
use crate::commands::Outcome;
use crate::commands::check::policy::{document, policy_files};
use crate::error::CliError;
use crate::report::counted;
use crate::terminal::Terminal;
use crate::{input, write};

/// The policies as they are.
struct Given {
    names: Vec<String>,
    documents: Vec<PolicyDocument>,
    /// Those that AWS Control Tower owns, by name, with their controls.
    kept: Vec<(String, String)>,
    /// Characters of the files, white space included.
    characters: usize,
}

/// Runs the command.
pub(super) fn run(arguments: &GuardPack, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let given = read(&arguments.files, terminal)?;
    let quota = &arguments.quota.profile();
    let kind = ControlKind::from(arguments.kind);
    let documents: Vec<&PolicyDocument> = given.documents.iter().collect();
    for (name, controls) in &given.kept {
        terminal.note(&format!("{name}: AWS Control Tower's own ({controls}); it stays as it is and takes a slot"));
    }
    if documents.is_empty() && !given.kept.is_empty() {
        terminal.note("nothing is left to pack");
        return Ok(Outcome::Clean);
    }
    let options = PackOptions { drop_sids: arguments.drop_sids };
    let packed = match pack_controls(&documents, kind, quota, options) {
        Ok(packed) => packed,
        Err(error) => return Ok(refuse(&error, &given, terminal)),
    };
    let allows = |document: &PolicyDocument| document.statements.iter().any(|s| s.effect == Effect::Allow);
    // Where the policies allow themselves, the one of AWS's that allows everything has no place beside them.
    let slots = kind.slots(quota) + usize::from(kind == ControlKind::Service && given.documents.iter().any(allows));
    let slots = slots.saturating_sub(given.kept.len());
    let count = packed.documents.len();
    let after: usize = packed.documents.iter().map(|document| document.characters).sum();
    let before = counted(given.documents.len(), "document", "documents");
    let summary = format!(
        "{before} of {} characters \u{2192} {} of {}, {}{}; {count} of the {slots} that a target may have; the same by proof, both ways",
        grouped(given.characters as u64),
        counted(count, "document", "documents"),
        grouped(after as u64),
        if packed.fewest { "the fewest" } else { "perhaps not the fewest" },
        match packed.dropped.len() {
            0 => String::new(),
            gone => format!(", {} left out that others cover", counted(gone, "statement", "statements")),
        },
    );
    if count > slots {
        let hint = format!(
            "a target may have {slots} of at most {} characters ({})",
            grouped(kind.most(quota) as u64),
            quota.title
        );
        terminal.refused(
            "refused[quota-exceeded]",
            &format!("{} do not fit", counted(count, "document", "documents")),
            Some(&hint),
        );
        terminal.note(&summary);
        return Ok(Outcome::Findings);
    }
    deliver(&packed.documents, &given, arguments, terminal)?;
    terminal.note(&summary);
    Ok(Outcome::Clean)
}

/// Prints the documents, or writes them and prints a line about each.
fn deliver(
    documents: &[PackedControl],
    given: &Given,
    arguments: &GuardPack,
    terminal: &mut Terminal,
) -> Result<(), CliError> {
    let Some(folder) = &arguments.out else {
        return documents.iter().try_for_each(|document| terminal.data(&format!("{}\n", text(document))));
    };
    let most = ControlKind::from(arguments.kind).most(&arguments.quota.profile());
    let name = |at: usize| format!("{}-{}.json", arguments.kind.as_str(), at + 1);
    let files: Vec<(String, String)> =
        documents.iter().enumerate().map(|(at, document)| (name(at), text(document))).collect();
    write::replace_results(folder, &[], &files)?;
    documents.iter().enumerate().try_for_each(|(at, document)| terminal.data(&told(&name(at), document, given, most)))
}

fn read(named: &[PathBuf], terminal: &mut Terminal) -> Result<Given, CliError> {
    let mut given = Given { names: Vec::new(), documents: Vec::new(), kept: Vec::new(), characters: 0 };
    let mut broken = false;
    for path in policy_files(named)? {
        let source = input::read_text(&path)?;
        let (document, diagnostics) = document(&source);
        broken |= diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        terminal.diagnostics(&diagnostics);
        let ids: Vec<String> = controls(&document).iter().flat_map(|one| &one.ids).map(ToString::to_string).collect();
        if !ids.is_empty() {
            given.kept.push((path.display().to_string(), ids.join(", ")));
            continue;
        }
        given.names.push(path.display().to_string());
        given.characters += source.text.chars().count();
        given.documents.push(document);
    }
    if broken {
        return Err(CliError::user("there is a policy that cannot be read").hint("correct it; nothing was written"));
    }
    Ok(given)
}

fn refuse(error: &PackError, given: &Given, terminal: &mut Terminal) -> Outcome {
    let (at, hint) = match error {
        PackError::NotUnderstood { document, .. } => (*document, "correct it, or leave the policy out"),
        PackError::TooLarge { at, .. } => (at.document, "shorten the statement, or write its conditions in several"),
        PackError::Undecided { at } => (at.document, "leave the policy out; nothing that is not proved is written"),
    };
    let name = given.names.get(at).map_or("", String::as_str);
    terminal.refused("refused", &format!("{name}: {error}"), Some(hint));
    Outcome::Findings
}

fn text(packed: &PackedControl) -> String {
    print(&packed.document, PrintStyle::Compact)
}

fn told(name: &str, packed: &PackedControl, given: &Given, most: usize) -> String {
    let mut from: Vec<&str> = Vec::new();
    for ControlOrigin { document, .. } in packed.origins.iter().flatten() {
        let source = given.names.get(*document).map_or("", String::as_str);
        if !from.contains(&source) {
            from.push(source);
        }
    }
    format!(
        "{name}: {} of {} characters, {} from {}\n",
        grouped(packed.characters as u64),
        grouped(most as u64),
        counted(packed.document.statements.len(), "statement", "statements"),
        from.join(", ")
    )
}
