//! `paring cut`: the cheapest set of permissions whose removal breaks every way to someone, as changes.
//!
//! Says what is known about use; what is cut, and that it is enough, is found and proved in the graph's room.

use std::fmt::Write as _;

use iam_evaluate::glob::{Glob, Reading};
use iam_graph::cut::{Cut as Found, End, Removal, Removed, Use, cut};
use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::change::{self, Attachment};
use iam_model::placing::place_identities;
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::usage::{Observation, UsageLog, Visibility};
use iam_usage::Options;

use super::{Outcome, paths};
use crate::cli::{Cut, Format};
use crate::config::{self, Config};
use crate::error::CliError;
use crate::pipeline::facts;
use crate::terminal::{Paint, Terminal};
use crate::{input, logs};

/// Finds the cut and prints it.
pub(crate) fn run(arguments: &Cut, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let config = config::load(arguments.config.as_deref())?;
    let (snapshot, mut diagnostics) = input::read_snapshot(&arguments.snapshot)?;
    let catalog = crate::catalog::embedded()?;
    let mut usage = match arguments.trail.as_slice() {
        [] => None,
        trail => Some(logs::read(trail, &catalog, &Options::default(), terminal, &mut diagnostics)?),
    };
    if let Some(usage) = &mut usage {
        place_identities(usage, &snapshot);
    }
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    diagnostics.extend(dangling);
    terminal.diagnostics(&diagnostics);
    let from = arguments.from.iter().map(|name| paths::principal(&index, name)).collect::<Result<Vec<Arn>, _>>()?;
    let to = match arguments.to.as_str() {
        "admin" => End::Administrator,
        name => End::Principal(paths::principal(&index, name)?),
    };
    let min_days = arguments.min_days.unwrap_or(config.min_days);
    let found = match &usage {
        None => cut(&index, &from, &to, &|removal| kept(&config, removal).unwrap_or(Use::Unknown)),
        Some(usage) => {
            let evidence = Evidence { usage, snapshot: &snapshot, catalog: &catalog, config: &config, min_days };
            evidence.cut(&index, &from, &to)
        }
    };
    let text = match arguments.format {
        Format::Json => change::write(&found.changes, &[]),
        Format::Text => terminal.paint().clean(&render(&found, usage.is_some(), terminal.paint())),
    };
    terminal.data(&text)?;
    if arguments.format == Format::Json && !found.left.is_empty() {
        terminal.note(&format!("{} ways are left; --format text shows them", found.left.len()));
    }
    Ok(if found.left.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

/// What is known about use.
struct Evidence<'e> {
    usage: &'e UsageLog,
    snapshot: &'e Snapshot,
    catalog: &'e Catalog,
    config: &'e Config,
    min_days: u64,
}

impl Evidence<'_> {
    fn cut(&self, index: &SnapshotIndex<'_>, from: &[Arn], to: &End) -> Found {
        let coverage = facts::coverage(self.snapshot, (self.usage, self.min_days), self.catalog);
        let visibility = facts::visibility(&coverage, self.catalog);
        let long_enough = |arn: &Arn| arn.account().is_some_and(|account| coverage.days_of(&account) >= self.min_days);
        let is_role = |arn: &Arn| index.role(arn).is_some();
        // The logs are read for roles: what users did is not known.
        let shown = |arn: &Arn, action: &Action| {
            long_enough(arn) && is_role(arn) && visibility(arn, action) == Visibility::Visible
        };
        cut(index, from, to, &|removal| kept(self.config, removal).unwrap_or_else(|| self.used(removal, &shown)))
    }

    fn used(&self, removal: &Removal, shown: &dyn Fn(&Arn, &Action) -> bool) -> Use {
        let of =
            |arn: &Arn| self.usage.principals.get(arn).map(|usage| usage.observations.as_slice()).unwrap_or_default();
        match removal {
            Removal::Permission { principal, action, .. } => {
                let calls: Vec<&Observation> =
                    of(principal).iter().filter(|o| o.action == *action && o.count > o.denied).collect();
                if calls.is_empty() {
                    return if shown(principal, action) { Use::Unseen } else { Use::Unknown };
                }
                let on: Vec<_> = calls.iter().flat_map(|call| call.resources.iter().cloned()).collect();
                if on.is_empty() || calls.iter().any(|call| !call.resource_known) { Use::Needed } else { Use::On(on) }
            }
            // Whoever came in by it did something afterwards.
            Removal::Trust { role, .. } if !of(role).is_empty() => Use::Needed,
            Removal::Trust { .. } => Use::Unknown,
        }
    }
}

/// A rule of the settings keeps it.
fn kept(config: &Config, removal: &Removal) -> Option<Use> {
    let Removal::Permission { principal, action, .. } = removal else { return None };
    let applies = |role: &str| role == "*" || role == principal.name() || role == principal.as_str();
    let names = |pattern: &String| Glob::parse(pattern, Reading::ACTION).matches(action.as_str());
    config
        .keep
        .iter()
        .any(|keep| applies(keep.role.get_ref()) && keep.actions.iter().any(|action| names(action.get_ref())))
        .then_some(Use::Needed)
}

fn render(found: &Found, evidence: bool, paint: Paint) -> String {
    let mut out = headline(found);
    let mut place = None;
    for removed in &found.removed {
        if place != Some(removed.what.place()) {
            place = Some(removed.what.place());
            let policies = policies(found, removed.what.place());
            let _ = write!(out, "\n{}  {policies}\n", paint.bold(removed.what.place().as_str()));
        }
        let _ = writeln!(out, "  - {}  {}", removed.what, paint.dim(use_of(removed, evidence)));
    }
    if !found.left.is_empty() {
        let _ = write!(out, "\n{}\n", paint.bold("No cut without breaking what is used"));
        for path in &found.left {
            for hop in &path.hops {
                let _ = writeln!(out, "  {} -[{}]-> {}", hop.from, hop.technique, hop.to);
            }
        }
    }
    if !found.not_checked.is_empty() {
        let _ = write!(out, "\n{}\n", paint.bold("Not checked"));
        found.not_checked.iter().for_each(|line| _ = writeln!(out, "  {line}"));
    }
    out
}

/// The policies of a principal that the cut changes.
fn policies(found: &Found, principal: &Arn) -> String {
    let own =
        found.changes.iter().map(|change| &change.attachment).filter(|a| a.principal_arn.as_ref() == Some(principal));
    let name = |attachment: &Attachment| match &attachment.policy_name {
        Some(name) => format!("policy `{name}`"),
        None => format!("{} policy", attachment.kind.as_str()),
    };
    own.map(name).collect::<Vec<_>>().join(", ")
}

fn headline(found: &Found) -> String {
    if found.cut_off.is_empty() && found.left.is_empty() {
        return "nothing to cut: no way leads there; `paring audit` names who is an administrator already\n".into();
    }
    let noun = |n: usize, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
    let (removed, off) = (found.removed.len(), found.cut_off.len());
    let least = if found.smallest { "no cheaper cut exists" } else { "a cheaper cut may exist" };
    let mut line = match off {
        0 => "nobody can be cut off".to_owned(),
        _ => format!(
            "{} to cut off {} ({least}; the graph was built again with the changes, and no way is left)",
            noun(removed, "removal", "removals"),
            noun(off, "principal", "principals")
        ),
    };
    if !found.left.is_empty() {
        line.push_str(&format!("; {} cannot be", noun(found.left.len(), "principal", "principals")));
    }
    line.push('\n');
    line
}

const fn use_of(removed: &Removed, evidence: bool) -> &'static str {
    match (&removed.used, evidence) {
        (Use::Unseen, _) => "not used, as far as the logs show",
        (Use::Unknown, true) => "the logs cannot show whether it is used",
        (Use::Unknown, false) => "not known whether it is used: give --trail",
        (Use::On(_), _) => "narrowed to the resources it was used on",
        (Use::Needed, _) => "used",
    }
}
