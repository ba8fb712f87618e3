//! Policies that AWS generated or recommends, as evidence for the main job: named by the user, or lying in a bundle.
//!
//! With the logs, what AWS would keep is kept. Without them, what Access Analyzer named was used, and of the rest nothing is
//! known, because it could not have told. A file that cannot be used becomes a diagnostic.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use iam_collect::generated::{GAPS, Generation, Recommendation, generation, recommendations};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::policy::{ActionElement, Effect};
use iam_model::snapshot::Snapshot;
use iam_model::text::SourceText;
use iam_model::usage::{Coverage, UsageLog, Visibility};
use iam_synthesize::KeepRule;

use crate::cli::{Engine, EngineChoice};
use crate::error::CliError;
use crate::input;

/// The folders of a bundle that hold such answers.
const FOLDERS: [&str; 3] = ["get-generated-policy", "get-finding-recommendation", "get-recommended-policy-v2"];

/// What AWS says beside the logs.
#[derive(Default)]
pub(crate) struct Generated {
    /// The latest generation of each role.
    generations: BTreeMap<Arn, Generation>,
    recommendations: Vec<Recommendation>,
}

/// Reads what the choice needs; nothing for the local engine.
pub(crate) fn read(
    choice: &EngineChoice,
    bundle: Option<&Path>,
    snapshot: &Snapshot,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Generated, CliError> {
    let mut found = Generated::default();
    if choice.engine == Engine::Local {
        return match choice.generated.as_slice() {
            [] => Ok(found),
            _ => Err(CliError::user("`--generated` counts only with another engine")
                .hint("add `--engine both`, or `--engine access-analyzer`")),
        };
    }
    for path in choice.generated.iter().cloned().chain(in_bundle(bundle, diagnostics)?) {
        let files = if path.is_dir() { input::files_with_extension(&path, "json")? } else { vec![path] };
        for file in files {
            found.add(&input::read_text(&file)?, snapshot, diagnostics);
        }
    }
    if found.generations.is_empty() && found.recommendations.is_empty() {
        return Err(CliError::user("nothing that AWS generated or recommends was found")
            .hint("fetch it: `paring collect --access-analyzer --record DIR`, then `--snapshot DIR`")
            .hint("or name saved answers: `--generated FILES`"));
    }
    found.say_gaps(diagnostics);
    Ok(found)
}

/// Files of a bundle, below its folders of regions and accounts.
fn in_bundle(bundle: Option<&Path>, diagnostics: &mut Vec<Diagnostic>) -> Result<Vec<PathBuf>, CliError> {
    let Some(bundle) = bundle.filter(|bundle| bundle.is_dir()) else { return Ok(Vec::new()) };
    let (files, unread) = input::walk(bundle, &|name| name == ".git")?;
    diagnostics.extend(unread);
    let holds = |relative: &str| {
        relative.ends_with(".json") && relative.split('/').rev().nth(1).is_some_and(|folder| FOLDERS.contains(&folder))
    };
    Ok(files.into_iter().filter(|file| holds(&file.relative)).map(|file| file.path).collect())
}

impl Generated {
    fn add(&mut self, source: &SourceText, snapshot: &Snapshot, diagnostics: &mut Vec<Diagnostic>) {
        let refused = if source.text.contains("\"jobDetails\"") {
            match generation(source, snapshot) {
                Ok(found) => {
                    let newer = self.generations.get(&found.role).is_none_or(|known| known.window <= found.window);
                    if newer {
                        self.generations.insert(found.role.clone(), found);
                    }
                    return;
                }
                Err(error) => error,
            }
        } else {
            match recommendations(source) {
                Ok(found) => {
                    self.recommendations.extend(found);
                    return;
                }
                Err(error) => error,
            }
        };
        let place = Place::whole(source.name.clone());
        diagnostics.push(Diagnostic::warning(Code::FileUnreadable, place, refused.what));
    }

    /// What each generation could not tell.
    fn say_gaps(&self, diagnostics: &mut Vec<Diagnostic>) {
        for generation in self.generations.values() {
            let place = Place::whole(iam_model::text::SourceName::new(generation.role.as_str()));
            let mut gaps: Vec<String> = GAPS.iter().map(ToString::to_string).collect();
            if !generation.complete {
                gaps.insert(0, "it did not read every event of its window".into());
            }
            if !generation.services.is_empty() {
                let services: Vec<&str> = generation.services.iter().map(String::as_str).collect();
                gaps.push(format!("of {} it tells the use and not the actions", services.join(", ")));
            }
            let open =
                generation.placeholders.iter().filter(|(_, found)| found.iter().any(|arn| arn.contains('*'))).count();
            if open > 0 {
                gaps.push(format!("{open} placeholders match no resource of the snapshot, or too many"));
            }
            let told = generation.placeholders.iter().filter(|(_, found)| found.iter().all(|arn| !arn.contains('*')));
            gaps.extend(told.map(|(written, found)| format!("`{written}` may be {}", found.join(", "))));
            let message = format!("Access Analyzer's policy: {}", gaps.join("; "));
            diagnostics.push(Diagnostic::note(Code::SnapshotIncomplete, place, message));
        }
    }

    /// What stays because AWS would keep it.
    pub(crate) fn keep(&self) -> Vec<KeepRule> {
        let mut rules = Vec::new();
        for generation in self.generations.values() {
            let named = generation.actions.iter().map(|action| ActionPattern::new(action.as_str()));
            let whole = generation.services.iter().map(|service| ActionPattern::new(&format!("{service}:*")));
            rules.push(KeepRule {
                role: Some(generation.role.as_str().to_owned()),
                actions: named.chain(whole).collect(),
                reason: "Access Analyzer generated a policy that has it".into(),
            });
        }
        for recommendation in &self.recommendations {
            let statements = recommendation.recommended.iter().flat_map(|policy| &policy.statements);
            let actions =
                statements.filter(|s| s.effect == Effect::Allow).flat_map(|statement| match &statement.action {
                    ActionElement::Action(patterns) => patterns.iter().map(|p| p.value.clone()).collect(),
                    // All but some: nothing of it may go on this evidence.
                    ActionElement::NotAction(_) => vec![ActionPattern::new("*")],
                });
            rules.push(KeepRule {
                role: Some(recommendation.resource.as_str().to_owned()),
                actions: actions.collect(),
                reason: "AWS recommends a policy that has it".into(),
            });
        }
        rules.retain(|rule| !rule.actions.is_empty());
        rules
    }

    /// What the generations say nothing of, because they could not: all of a service that one names, since it does not tell
    /// every action of it, and of one that has any action which events of management do not show.
    pub(crate) fn untold(&self, catalog: &Catalog, coverage: &Coverage) -> Vec<KeepRule> {
        let mut coverage = coverage.clone();
        for account in coverage.accounts.values_mut() {
            account.data_types.clear();
        }
        let mut rules = Vec::new();
        for generation in self.generations.values() {
            let Some(account) = generation.role.account() else { continue };
            let named = generation.actions.iter().map(Action::service);
            let mut services: BTreeSet<&str> = named.chain(generation.services.iter().map(String::as_str)).collect();
            for facts in catalog.actions() {
                if !services.contains(facts.service()) {
                    let shown = iam_usage::visibility(&coverage, catalog, &account, None, &facts.action());
                    if shown != Visibility::Visible {
                        services.insert(facts.service());
                    }
                }
            }
            rules.push(KeepRule {
                role: Some(generation.role.as_str().to_owned()),
                actions: services.iter().map(|service| ActionPattern::new(&format!("{service}:*"))).collect(),
                reason: "Access Analyzer could not have told that it was used".into(),
            });
        }
        rules
    }

    /// Roles that a generation speaks of as a whole: it read all events, of so many days at least.
    pub(crate) fn told_whole(&self, min_days: u64) -> impl Iterator<Item = Arn> {
        const SECONDS_PER_DAY: i64 = 86_400;
        let reads = move |generation: &&Generation| {
            let days =
                generation.window.map(|(first, last)| (last.epoch_seconds() - first.epoch_seconds()) / SECONDS_PER_DAY);
            generation.complete && days.is_some_and(|days| u64::try_from(days).is_ok_and(|days| days >= min_days))
        };
        self.generations.values().filter(reads).map(|generation| generation.role.clone())
    }

    /// The time that the generations are about. They hold no calls: what one names was used, nobody says how often.
    /// Generations that did not read all events are no evidence.
    pub(crate) fn usage(&self) -> UsageLog {
        let mut usage = UsageLog::default();
        for generation in self.generations.values() {
            let (true, Some((first, last))) = (generation.complete, generation.window) else { continue };
            if let Some(account) = generation.role.account() {
                // It read every event of its time. Ten years are more than any has.
                let days = (first.day()..=last.day()).take(3_660);
                usage.days.entry(account).or_default().extend(days);
            }
            usage.window = Some(match usage.window {
                None => (first, last),
                Some((from, to)) => (from.min(first), to.max(last)),
            });
        }
        usage
    }
}
