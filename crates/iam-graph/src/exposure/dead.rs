//! Dead permissions: actions that a policy grants and a boundary or service control policy takes away whole.
//!
//! Follows the IAM User Guide topic "Permissions boundaries" and the Organizations User Guide topic "SCP evaluation".
//! Compares patterns, so that an action is called dead only where no request could be allowed: either nothing of a limit
//! meets the grant, or a deny without conditions covers all of it.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::glob::{Glob, Reading};
use iam_model::arn::{AccountId, Arn};
use iam_model::finding::{Finding, FindingCode, FindingSeverity};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, PolicyVersion, ResourceElement, Statement};

use crate::survey::Survey;

/// Needs no permission, and nothing can take it away.
const ALWAYS_ALLOWED: &str = "sts:GetCallerIdentity";
/// Actions listed in one finding.
const SHOWN: usize = 20;

/// For each principal with some, one finding.
pub(super) fn permissions(survey: &Survey<'_>) -> Vec<Finding> {
    let mut memory = Memory::default();
    let mut findings = Vec::new();
    for person in &survey.people {
        let Some(home) = survey.home(person).filter(|_| !person.is_service_linked()) else { continue };
        let boundary = person.boundary.map(|document| ("the boundary", vec![document]));
        let mut limits: Vec<(&str, Vec<&PolicyDocument>)> = boundary.into_iter().collect();
        if !survey.index.is_management_account(home.id) {
            limits.extend(levels(survey, home.id));
        }
        if limits.is_empty() {
            continue;
        }
        let mut dead: Vec<(String, String)> = Vec::new();
        for held in person.policies.iter().filter(|held| held.group.is_none()) {
            for (what, limit) in &limits {
                dead.extend(memory.dead(held.document, limit).iter().map(|(at, action)| {
                    let place = format!("policy `{}` of {}, statement {at}", held.name, person.arn);
                    (place, format!("`{action}` is taken away by {what}"))
                }));
            }
        }
        findings.extend(finding(person.arn, &dead));
    }
    findings
}

fn levels<'a>(survey: &Survey<'a>, account: &AccountId) -> Vec<(&'static str, Vec<&'a PolicyDocument>)> {
    let guards = survey.guards(account);
    guards
        .map(|guards| guards.scps.iter().map(|level| ("the service control policies", level.clone())).collect())
        .unwrap_or_default()
}

fn finding(arn: &Arn, dead: &[(String, String)]) -> Option<Finding> {
    let (place, _) = dead.first()?;
    let mut finding = Finding::about(FindingCode::DeadPermission, FindingSeverity::Info, arn.clone());
    finding.place = Some(place.clone());
    let lines: BTreeSet<&String> = dead.iter().map(|(_, line)| line).collect();
    let more = lines.len().saturating_sub(SHOWN);
    finding.evidence = lines.into_iter().take(SHOWN).cloned().collect();
    if more > 0 {
        finding.evidence.push(format!("and {more} more"));
    }
    Some(finding)
}

/// A statement of a limit, compiled.
struct Limit {
    deny: bool,
    /// Nothing where the statement names what it does not speak of.
    actions: Option<Vec<Glob>>,
    except: Vec<Glob>,
    resources: Option<Vec<Glob>>,
    /// Whether it speaks of every resource, whatever the conditions.
    whole: bool,
    conditional: bool,
}

/// The documents of a limit, by where they lie.
type Key = Vec<*const PolicyDocument>;

/// What is remembered: limits by their documents, and the dead actions of a document under a limit.
#[derive(Default)]
struct Memory {
    limits: BTreeMap<Key, Vec<Limit>>,
    dead: BTreeMap<(*const PolicyDocument, Key), Vec<(usize, String)>>,
}

impl Memory {
    fn dead(&mut self, document: &PolicyDocument, limit: &[&PolicyDocument]) -> &[(usize, String)] {
        let key: Key = limit.iter().map(|document| std::ptr::from_ref(*document)).collect();
        let limits = self.limits.entry(key.clone()).or_insert_with(|| compile(limit));
        self.dead.entry((std::ptr::from_ref(document), key)).or_insert_with(|| dead(document, limits))
    }
}

/// Every statement of a limit; nothing where part of it is not understood, for then nothing is sure.
fn compile(documents: &[&PolicyDocument]) -> Vec<Limit> {
    let unknown = |d: &&PolicyDocument| {
        !d.unknown.is_empty() || d.statements.iter().any(|s| !s.unknown.is_empty() || s.effect == Effect::Unknown)
    };
    if documents.iter().any(unknown) {
        return vec![Limit {
            deny: false,
            actions: None,
            except: Vec::new(),
            resources: None,
            whole: true,
            conditional: false,
        }];
    }
    let statements = documents.iter().flat_map(|d| d.statements.iter().map(move |s| (d.effective_version(), s)));
    statements.map(|(version, statement)| limit(version, statement)).collect()
}

fn limit(version: PolicyVersion, statement: &Statement) -> Limit {
    let globs = action_globs(statement);
    let named = matches!(statement.action, ActionElement::Action(_));
    let resources = match &statement.resource {
        ResourceElement::Resource(patterns) => {
            Some(patterns.iter().map(|p| Glob::parse(p.value.as_str(), Reading::resource(version))).collect())
        }
        ResourceElement::NotResource(_) | ResourceElement::Absent => None,
    };
    let whole = statement.resource.patterns().iter().any(|p| p.value.is_everything())
        && !matches!(statement.resource, ResourceElement::NotResource(_));
    Limit {
        deny: statement.effect == Effect::Deny,
        actions: named.then(|| globs.clone()),
        except: if named { Vec::new() } else { globs },
        resources,
        whole,
        conditional: !statement.conditions.is_empty(),
    }
}

fn action_globs(statement: &Statement) -> Vec<Glob> {
    statement.action.patterns().iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION)).collect()
}

fn dead(document: &PolicyDocument, limits: &[Limit]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let allows = |s: &&Statement| s.effect == Effect::Allow && matches!(s.action, ActionElement::Action(_));
    for (at, statement) in document.statements.iter().enumerate().filter(|(_, s)| allows(s)) {
        let resources: Vec<Glob> = match &statement.resource {
            ResourceElement::Resource(patterns) => {
                let reading = Reading::resource(document.effective_version());
                patterns.iter().map(|p| Glob::parse(p.value.as_str(), reading)).collect()
            }
            ResourceElement::NotResource(_) | ResourceElement::Absent => vec![Glob::everything()],
        };
        for (pattern, action) in statement.action.patterns().iter().zip(action_globs(statement)) {
            if pattern.value.as_str().eq_ignore_ascii_case(ALWAYS_ALLOWED) {
                continue;
            }
            let denied = limits.iter().any(|limit| limit.denies(&action, &resources));
            if denied || !limits.iter().any(|limit| limit.lets_pass(&action, &resources)) {
                found.push((at, pattern.value.to_string()));
            }
        }
    }
    found
}

impl Limit {
    /// Whether a deny covers all of the grant, whatever the request carries.
    fn denies(&self, action: &Glob, resources: &[Glob]) -> bool {
        if !self.deny || self.conditional {
            return false;
        }
        let on_all = self.whole
            || self.resources.as_ref().is_some_and(|own| resources.iter().all(|r| own.iter().any(|o| o.includes(r))));
        on_all
            && match &self.actions {
                Some(own) => own.iter().any(|glob| glob.includes(action)),
                None => self.except.iter().all(|glob| glob.disjoint(action)),
            }
    }

    /// Whether an allow could let any of the grant pass.
    fn lets_pass(&self, action: &Glob, resources: &[Glob]) -> bool {
        let meets = match &self.actions {
            Some(own) => own.iter().any(|glob| !glob.disjoint(action)),
            None => !self.except.iter().any(|glob| glob.includes(action)),
        };
        let touches = self.whole
            || self
                .resources
                .as_ref()
                .is_none_or(|own| resources.iter().any(|resource| own.iter().any(|glob| !glob.disjoint(resource))));
        !self.deny && meets && touches
    }
}
