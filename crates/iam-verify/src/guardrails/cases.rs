//! Test cases of rules, in the JSON of `cedar run-tests`, and which rules they decide.
//!
//! Agrees with the Cedar command line: a case passes if the decision is the expected one, the expected reasons are
//! among the real ones, and as many rules failed as expected. What is added is coverage: a rule that no case decides is
//! a rule that nobody knows to work.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, Decision, Entities, EntityUid, Request};
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::json::{self, Node};
use iam_model::text::SourceText;

use super::name::RuleId;
use super::request::describe;
use super::{GuardrailError, Guardrails};

/// The largest file of cases: plenty for thousands.
const LIMITS: json::Limits = json::Limits { bytes: 16 << 20, depth: 32 };

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseOutcome {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What is wrong; nothing if it passed.
    pub failure: Option<String>,
}

/// A rule that the cases do not decide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undecided {
    /// Which rule.
    pub rule: RuleId,
    /// Whether no case makes it object.
    pub lacks_fail: bool,
    /// Whether no case asks a question that it could have objected to, and does not.
    pub lacks_pass: bool,
}

/// What became of all cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// Every case, in the order of the files.
    pub outcomes: Vec<CaseOutcome>,
    /// Rules that lack a case; an error like a failed case.
    pub undecided: Vec<Undecided>,
}

impl CaseReport {
    /// Whether every case passed and every rule is decided.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.undecided.is_empty() && self.failures().next().is_none()
    }

    /// The cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CaseOutcome> {
        self.outcomes.iter().filter(|outcome| outcome.failure.is_some())
    }
}

/// A case that could be read.
struct Case {
    request: Request,
    entities: Entities,
    decision: Decision,
    reasons: BTreeSet<String>,
    errors: u64,
}

/// Which actions a rule was seen to refuse, and to let pass.
#[derive(Default)]
struct Coverage {
    refused: BTreeMap<RuleId, BTreeSet<EntityUid>>,
    passed: BTreeMap<RuleId, BTreeSet<EntityUid>>,
}

/// Runs every case of every file.
pub(super) fn run(rules: &Guardrails, files: &[SourceText]) -> Result<CaseReport, GuardrailError> {
    let mut outcomes = Vec::new();
    let mut problems = Vec::new();
    let mut coverage = Coverage::default();
    for file in files {
        match parse(&json::Arena::for_text(file.text.len()), file) {
            Ok(nodes) => {
                let cases = nodes.items().iter().enumerate();
                outcomes.extend(cases.map(|(index, node)| run_one(rules, file, index, node, &mut coverage)));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(CaseReport { outcomes, undecided: coverage.undecided(rules) })
    } else {
        Err(GuardrailError::Rules(problems))
    }
}

fn parse<'a>(arena: &'a json::Arena, file: &'a SourceText) -> Result<Node<'a>, Diagnostic> {
    let refuse = |place, message: String| {
        Diagnostic::error(Code::GuardrailInvalid, place, message)
            .hint("a file of cases is a JSON array, as `cedar run-tests` reads it")
    };
    let node = json::parse(arena, &file.text, LIMITS)
        .map_err(|error| refuse(Place::at(file.name.clone(), &file.text, error.offset), error.to_string()))?;
    if matches!(node.kind, json::NodeKind::Array(_)) {
        Ok(node)
    } else {
        let place = Place::at(file.name.clone(), &file.text, node.span.start);
        Err(refuse(place, "the file is not an array of cases".to_owned()))
    }
}

/// The names of the cases that a rule objects to, and of those that ask its question and that it lets pass.
///
/// # Errors
///
/// [`GuardrailError::Rules`] where a file of cases cannot be read.
pub fn case_names(
    files: &[SourceText],
    rules: &Guardrails,
    id: &RuleId,
) -> Result<(Vec<String>, Vec<String>), GuardrailError> {
    let (mut refused, mut passed) = (Vec::new(), Vec::new());
    for file in files {
        let arena = json::Arena::for_text(file.text.len());
        let nodes = parse(&arena, file).map_err(|problem| GuardrailError::Rules(vec![problem]))?;
        let own = |node: &&Node<'_>| {
            let reasons = node.get("reason").map(Node::items).unwrap_or_default();
            reasons.iter().any(|reason| reason.as_str() == Some(id.as_str()))
        };
        let objects = nodes.items().iter().any(|node| own(&node));
        for (index, node) in nodes.items().iter().enumerate() {
            let mut coverage = Coverage::default();
            let outcome = run_one(rules, file, index, node, &mut coverage);
            if own(&node) {
                refused.push(outcome.name);
            } else if objects && coverage.passed.contains_key(id) {
                passed.push(outcome.name);
            }
        }
    }
    Ok((refused, passed))
}

fn run_one(
    rules: &Guardrails,
    file: &SourceText,
    index: usize,
    node: &Node<'_>,
    coverage: &mut Coverage,
) -> CaseOutcome {
    let name = node.get("name").and_then(Node::as_str).map_or_else(|| format!("case {index}"), str::to_owned);
    let place = Place::at(file.name.clone(), &file.text, node.span.start).within(format!("case `{name}`"));
    let failure = case(rules, file, node).and_then(|case| judge(rules, &case, coverage)).err();
    CaseOutcome { name, place, failure }
}

fn case(rules: &Guardrails, file: &SourceText, node: &Node<'_>) -> Result<Case, String> {
    let lacks = |key: &str| format!("the case has no `{key}`");
    let request = node.get("request").ok_or_else(|| lacks("request"))?;
    let named = |key: &str| -> Result<EntityUid, String> {
        let written = request.get(key).and_then(Node::as_str).ok_or_else(|| lacks(key))?;
        written.parse().map_err(|error| format!("{key} `{written}`: {error}"))
    };
    let (principal, action, resource) = (named("principal")?, named("action")?, named("resource")?);
    let schema = &rules.schema;
    let context = request.get("context").map_or("{}", |context| context.span.slice(&file.text));
    let context = Context::from_json_str(context, Some((schema, &action))).map_err(describe)?;
    let request = Request::new(principal, action, resource, context, Some(schema)).map_err(describe)?;
    let entities = node.get("entities").ok_or_else(|| lacks("entities"))?.span.slice(&file.text);
    let entities = Entities::from_json_str(entities, Some(schema)).map_err(describe)?;
    let decision = match node.get("decision").and_then(Node::as_str) {
        Some("allow") => Decision::Allow,
        Some("deny") => Decision::Deny,
        _ => return Err("the case has no `decision` of `allow` or `deny`".to_owned()),
    };
    let reasons = node.get("reason").ok_or_else(|| lacks("reason"))?.items().iter().filter_map(Node::as_str);
    let reasons = reasons.map(str::to_owned).collect();
    let errors = node.get("num_errors").and_then(Node::as_u64).ok_or_else(|| lacks("num_errors"))?;
    Ok(Case { request, entities, decision, reasons, errors })
}

fn judge(rules: &Guardrails, case: &Case, coverage: &mut Coverage) -> Result<(), String> {
    let response = rules.authorizer.is_authorized(&case.request, &rules.policies, &case.entities);
    let reasons: BTreeSet<String> = response.diagnostics().reason().map(ToString::to_string).collect();
    if response.decision() != case.decision {
        let because = listed(reasons.iter());
        return Err(format!("expected {:?}, got {:?} because of {because}", case.decision, response.decision()));
    }
    let missing: Vec<_> = case.reasons.difference(&reasons).collect();
    if !missing.is_empty() {
        return Err(format!("expected {} among the reasons, got {}", listed(missing), listed(reasons.iter())));
    }
    let mut failed: Vec<_> = response.diagnostics().errors().map(ToString::to_string).collect();
    failed.sort();
    if u64::try_from(failed.len()).ok() != Some(case.errors) {
        return Err(format!("expected {} failing rules, got {}: {}", case.errors, failed.len(), failed.join("; ")));
    }
    if let Some(action) = case.request.action() {
        coverage.note(rules, action, &reasons, &case.reasons);
    }
    Ok(())
}

fn listed<'a>(ids: impl IntoIterator<Item = &'a String>) -> String {
    let ids: Vec<_> = ids.into_iter().map(|id| format!("`{id}`")).collect();
    if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") }
}

impl Coverage {
    /// A rule is refused where the case says so, not where it happens to object as well; it passes where it is silent.
    fn note(
        &mut self,
        rules: &Guardrails,
        action: &EntityUid,
        reasons: &BTreeSet<String>,
        expected: &BTreeSet<String>,
    ) {
        for rule in rules.rules() {
            let seen = if expected.contains(rule.id.as_str()) {
                &mut self.refused
            } else if reasons.contains(rule.id.as_str()) {
                continue;
            } else {
                &mut self.passed
            };
            seen.entry(rule.id.clone()).or_default().insert(action.clone());
        }
    }

    /// A silent rule was only tested if it could have objected: the same question makes it object in another case.
    fn undecided(&self, rules: &Guardrails) -> Vec<Undecided> {
        let none = BTreeSet::new();
        let judged = rules.rules().map(|rule| {
            let refused = self.refused.get(&rule.id).unwrap_or(&none);
            let passed = self.passed.get(&rule.id).unwrap_or(&none);
            let lacks_pass = if refused.is_empty() { passed.is_empty() } else { refused.is_disjoint(passed) };
            Undecided { rule: rule.id.clone(), lacks_fail: refused.is_empty(), lacks_pass }
        });
        judged.filter(|one| one.lacks_fail || one.lacks_pass).collect()
    }
}
