//! Conformance with real and made logs that lie beside the workspace; each test says so and stops where they do not.

mod hostile;
mod pitfalls;
mod quick;
mod resources;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use iam_model::catalog::Catalog;
use iam_model::usage::{SkipReason, UsageLog};

use crate::calls::{Authorised, Calls, of_event};
use crate::event::Event;
use crate::feed::{Feed, Room};
use crate::identity::{Caller, Identity};
use crate::json::Raw;
use crate::outcome::is_denied;
use crate::plan::resolve;
use crate::recall::Memory;
use crate::records::{Found, Take, each};
use crate::{FileKind, LogSource, Options, kind_of_path, read};

/// The embedded catalogue, decoded once for all tests.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| Catalog::embedded().unwrap())
}

/// The folder of shared data, or nothing.
fn shared(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PARING_CONFORMANCE")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(part);
    if !path.exists() {
        eprintln!("SKIPPED: no conformance data at {}", path.display());
        return None;
    }
    Some(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if kind_of_path(&path.to_string_lossy()) != FileKind::Other {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

fn sources(folder: &Path) -> Vec<LogSource> {
    let source = |path: PathBuf| {
        let name = path.to_string_lossy().into_owned();
        LogSource::new(&name, None, move || Ok(Box::new(std::fs::File::open(&path)?)))
    };
    files(folder).into_iter().map(source).collect()
}

fn usage(folder: &Path, threads: usize) -> (UsageLog, Vec<String>) {
    let options = Options { threads, ..Options::default() };
    let (log, diagnostics) = read(sources(folder), catalog(), &options, &|_| {});
    (log, diagnostics.iter().map(ToString::to_string).collect())
}

/// Every record is in exactly one place.
fn check_sum(log: &UsageLog) {
    let skipped: u64 = log.skipped.iter().filter(|(reason, _)| !reason.counts_files()).map(|(_, count)| count).sum();
    let unresolved: u64 = log.unresolved.iter().map(|event| event.count).sum();
    assert_eq!(log.records, log.observed + skipped + unresolved);
}

#[test]
fn the_workshop_needs_three_actions() {
    let Some(folder) = shared("examples/workshop/trail") else { return };
    let (log, diagnostics) = usage(&folder, 2);
    assert_eq!(diagnostics, Vec::<String>::new());
    check_sum(&log);
    let mut rows = Vec::new();
    for (role, usage) in &log.principals {
        for o in &usage.observations {
            let resources: Vec<&str> = o.resources.iter().map(|r| r.as_str().rsplit(':').next().unwrap()).collect();
            rows.push(format!(
                "{} {} {} {} denied {} {}",
                role.name().split("Role").next().unwrap(),
                o.action,
                resources.join(","),
                o.count,
                o.denied,
                o.resource_known
            ));
        }
    }
    rows.sort();
    let allowed: Vec<&String> = rows.iter().filter(|row| !row.contains(" 0 denied ")).collect();
    assert_eq!(allowed.len(), 3, "{rows:#?}");
    assert!(
        rows.iter().any(|r| r.contains("dynamodb:PutItem table/") && r.contains(" 1140 denied 0 true")),
        "{rows:#?}"
    );
    assert!(
        rows.iter()
            .any(|r| r.contains("cognito-idp:CreateUserPoolClient userpool/") && r.contains(" 11 denied 0 true")),
        "{rows:#?}"
    );
    assert!(rows.iter().any(|r| r.contains("dynamodb:PutItem table/") && r.contains(" 11 denied 0 true")), "{rows:#?}");
    assert!(rows.iter().any(|r| r.contains("secretsmanager:GetSecretValue") && r.contains(" 0 denied 5")), "{rows:#?}");
    assert_eq!(log.skipped.get(&SkipReason::NotALog), Some(&1));
    assert!(log.unresolved.is_empty());
}

fn lines(what: &impl std::fmt::Debug) -> Vec<String> {
    format!("{what:#?}").lines().map(str::to_owned).collect()
}

/// The first lines that differ, with those before.
fn differing(own: &[String], theirs: &[String]) -> Option<[Vec<String>; 2]> {
    let at = (0..own.len().max(theirs.len())).find(|at| own.get(*at) != theirs.get(*at))?;
    Some([own, theirs].map(|lines| lines.iter().take(at + 1).skip(at.saturating_sub(8)).cloned().collect()))
}

#[test]
fn threads_and_order_change_nothing() {
    let Some(folder) = shared("corpora/trails") else { return };
    let run = |threads: usize, reverse: bool| {
        let mut sources = sources(&folder);
        if reverse {
            sources.reverse();
        }
        read(sources, catalog(), &Options { threads, ..Options::default() }, &|_| {})
    };
    let straight = run(1, false);
    check_sum(&straight.0);
    for other in [run(2, true), run(3, false)] {
        assert_eq!(differing(&lines(&straight), &lines(&other)), None);
    }
}

/// What the real logs hold, caller or not: names that resolve, ARNs found, denials that agree.
#[derive(Default)]
struct Measure {
    names: BTreeMap<(String, String), bool>,
    events: u64,
    placed: u64,
    denials: u64,
    disagree: BTreeSet<String>,
    starred: BTreeMap<String, u64>,
    foreign: BTreeSet<String>,
    /// Events whose own `resources` hold one that the action takes, and those of them where the parameters agree.
    named: u64,
    agreeing: u64,
}

impl Measure {
    fn take(&mut self, event: &Event<'_>) {
        let (Some(source), Some(name)) = (Event::text(event.event_source), Event::text(event.event_name)) else {
            return;
        };
        let kind = Event::text(event.event_type).unwrap_or("AwsApiCall".into());
        if catalog().is_no_api_call(&kind) || !source.ends_with(".amazonaws.com") {
            return;
        }
        let mut identity = None;
        Identity::keep(br#"{"type": "Role", "arn": "arn:aws:iam::111122223333:role/r"}"#, 0, &mut identity).unwrap();
        let caller = identity.unwrap().caller().unwrap();
        let key = (source.to_string(), name.to_string());
        match of_event(&resolve(catalog(), &source, &name), event, &caller) {
            Calls::Free => {
                self.names.insert(key, true);
            }
            Calls::Unknown => {
                self.names.insert(key, false);
            }
            Calls::Authorised(calls) => {
                self.names.insert(key, true);
                self.own_resources(event, &calls[0], &caller);
                self.denial(event, &calls.iter().map(|c| c.action.as_str().to_owned()).collect::<Vec<_>>());
                if !is_denied(event) && event.request.is_some_and(|r| !r.is_empty()) {
                    self.events += 1;
                    let primary = &calls[0];
                    if primary.resources.known {
                        self.placed += 1;
                    } else {
                        *self.starred.entry(format!("{source} {name}")).or_default() += 1;
                    }
                }
            }
        }
    }

    /// What the parameters alone say, against the event's own `resources`.
    fn own_resources(&mut self, event: &Event<'_>, told: &Authorised, caller: &Caller) {
        let (Some(source), Some(name)) = (Event::text(event.event_source), Event::text(event.event_name)) else {
            return;
        };
        let listed = event.resources.into_iter().flat_map(Raw::items).filter_map(|item| item.get("ARN")?.text());
        let listed: Vec<String> = listed.map(|arn| arn.into_owned()).collect();
        if !told.resources.known || !told.resources.arns.iter().any(|arn| listed.contains(arn)) {
            return;
        }
        let blind = Event { resources: None, ..*event };
        let Calls::Authorised(calls) = of_event(&resolve(catalog(), &source, &name), &blind, caller) else { return };
        let made = &calls[0].resources;
        // A pattern says less and nothing wrong; a secret's ending is not in the request.
        if !made.known || made.arns.iter().any(|arn| arn.contains(['*', '?'])) {
            return;
        }
        self.named += 1;
        let foreign = made.arns.iter().any(|arn| arn.contains("111122223333"));
        let agrees = made.arns.iter().all(|arn| listed.contains(arn));
        self.agreeing += u64::from(agrees || foreign);
        if !agrees && !foreign {
            self.foreign.insert(format!("{source} {name}: {:?} is not in {listed:?}", made.arns));
        }
    }

    /// `… is not authorized to perform: kms:Decrypt on resource: …`
    fn denial(&mut self, event: &Event<'_>, ours: &[String]) {
        let Some(message) = Event::text(event.error_message) else { return };
        let Some((_, tail)) = message.split_once("not authorized to perform: ") else { return };
        let theirs = tail.split([' ', '\n', ',']).next().unwrap().trim_end_matches('.');
        self.denials += 1;
        if !ours.iter().any(|action| action.eq_ignore_ascii_case(theirs)) {
            self.disagree.insert(format!("{theirs} is not in {ours:?}"));
        }
    }
}

struct Measuring<'m>(&'m mut Measure, Memory);

impl Take for Measuring<'_> {
    fn known(&mut self, _: &[u8]) -> Option<usize> {
        None
    }

    fn memory(&self) -> &Memory {
        &self.1
    }

    fn found(&mut self, found: Found<'_, '_>) {
        if let Found::Record(event) = found {
            self.0.take(event);
        }
    }
}

#[test]
fn real_logs_resolve_and_agree_with_their_own_denials() {
    let Some(folder) = shared("corpora/trails") else { return };
    let mut measure = Measure::default();
    for path in files(&folder) {
        let mut feed = Feed::new(Box::new(std::fs::File::open(&path).unwrap()), Room::default());
        each(&mut feed, &mut Measuring(&mut measure, Memory::default()));
    }
    let resolved = measure.names.values().filter(|resolved| **resolved).count();
    let missing: Vec<&(String, String)> = measure.names.iter().filter(|(_, ok)| !**ok).map(|(name, _)| name).collect();
    let share = resolved as f64 / measure.names.len() as f64;
    eprintln!("names {resolved}/{} ({:.2} %)", measure.names.len(), share * 100.0);
    eprintln!("missing {missing:?}");
    eprintln!(
        "placed {}/{} ({:.2} %)",
        measure.placed,
        measure.events,
        measure.placed as f64 / measure.events as f64 * 100.0
    );
    eprintln!("starred {:?}", measure.starred);
    eprintln!("denials {} disagree {:?} foreign {:?}", measure.denials, measure.disagree, measure.foreign);
    eprintln!("resources agree {}/{}", measure.agreeing, measure.named);
    // The others are no operation of the service they name: slips in samples, and two calls of AWS's own agents.
    assert!(share >= 0.986, "{missing:?}");
    // Five samples contradict themselves: another bucket or region in `resources` than in the parameters.
    assert!(measure.agreeing as f64 >= measure.named as f64 * 0.98 && measure.named > 300, "{:?}", measure.foreign);
    assert!(measure.denials > 200);
    assert_eq!(measure.disagree, BTreeSet::new());
    assert!(measure.placed as f64 >= measure.events as f64 * 0.99);
}
