//! Policies that AWS generated or recommends, as evidence for the main job: named by the user, or lying in a bundle.
//!
//! With the logs, what AWS would keep is kept. Without them, what Access Analyzer named was used, and of the rest nothing is
//! known, because it could not have told. A file that cannot be used becomes a diagnostic.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use iam_collect::generated::{GAPS, Generation, Recommendation, generation, recommendations};
use iam_model::action::ActionPattern;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::policy::{ActionElement, Effect};
use iam_model::snapshot::Snapshot;
use iam_model::text::SourceText;
use iam_model::usage::{Observation, PrincipalUsage, UsageLog};
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

    /// What the generations name, as if it was seen; on which resources is not known. Generations that did not read all
    /// events are no evidence.
    pub(crate) fn usage(&self) -> UsageLog {
        let mut usage = UsageLog::default();
        for generation in self.generations.values() {
            let (true, Some((first, last))) = (generation.complete, generation.window) else { continue };
            if let Some(account) = generation.role.account() {
                // It read every event of its time. Ten years are more than any has.
                let days = (first.day()..=last.day()).take(3_660);
                usage.days.entry(account).or_default().extend(days);
            }
            let observed = generation.actions.iter().map(|action| Observation {
                action: action.clone(),
                resources: vec![ResourcePattern::everything()],
                resource_known: false,
                context: BTreeMap::new(),
                function: None,
                count: 1,
                denied: 0,
                first,
                last,
                sample_event_ids: Vec::new(),
            });
            let observations: Vec<Observation> = observed.collect();
            let count = u64::try_from(observations.len()).unwrap_or(u64::MAX);
            (usage.records, usage.observed) = (usage.records + count, usage.observed + count);
            usage.principals.insert(generation.role.clone(), PrincipalUsage { observations });
            usage.window = Some(match usage.window {
                None => (first, last),
                Some((from, to)) => (from.min(first), to.max(last)),
            });
        }
        usage
    }
}
