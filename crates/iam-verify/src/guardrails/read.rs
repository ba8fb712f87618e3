//! Rule texts and a schema in, a validated rule set or everything that is wrong with it out.
//!
//! Nothing is judged here, and no half of a set ever leaves: one broken file breaks them all.

use std::collections::BTreeMap;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    ActionConstraint, Effect, Policy, PolicyId, PolicySet, PrincipalConstraint, ResourceConstraint, Schema,
    ValidationError, ValidationMode, ValidationWarning, Validator,
};
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::text::SourceText;

use super::name::RuleId;
use super::nesting;
use super::rule::{Rule, RuleSeverity};

/// A rule set that passed every check.
pub(super) struct ReadRules {
    pub(super) rules: BTreeMap<RuleId, Rule>,
    pub(super) policies: PolicySet,
    pub(super) schema: Schema,
}

/// One policy and where its text begins.
struct Found<'a> {
    file: &'a SourceText,
    offset: usize,
    policy: Policy,
    text: String,
}

impl Found<'_> {
    fn place(&self) -> Place {
        Place::at(self.file.name.clone(), &self.file.text, self.offset)
    }

    fn refuse(&self, message: impl Into<String>, hint: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::GuardrailInvalid, self.place(), message).hint(hint)
    }

    /// The text of an annotation; an empty one counts as none.
    fn annotation(&self, key: &str) -> Option<&str> {
        self.policy.annotation(key).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// Reads and checks a rule set.
pub(super) fn read(files: &[SourceText], schema: &SourceText) -> Result<ReadRules, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let parsed_schema = read_schema(schema).map_err(|problem| problems.push(problem)).ok();
    let mut found = Vec::new();
    for file in files {
        match read_file(file) {
            Ok(policies) => found.extend(policies),
            Err(more) => problems.extend(more),
        }
    }
    let (rules, policies) = collect(&found, schema, &mut problems);
    // A set with a hole is not validated: the errors would speak of rules that are not the user's.
    let Some(validated) = parsed_schema.filter(|_| problems.is_empty()) else {
        problems.sort();
        return Err(problems);
    };
    let validator = Validator::new(validated);
    problems.extend(validate(&validator, &policies, &found));
    if problems.is_empty() {
        Ok(ReadRules { rules, policies, schema: validator.schema().clone() })
    } else {
        problems.sort();
        Err(problems)
    }
}

/// Whether one file parses, whatever its rules demand.
pub(super) fn parses(file: &SourceText) -> Result<(), Vec<Diagnostic>> {
    read_file(file).map(|_| ())
}

fn read_schema(schema: &SourceText) -> Result<Schema, Diagnostic> {
    let hint = "start from the schema that `paring rules list --schema` prints";
    if let Some(problem) = bounded(schema) {
        return Err(problem);
    }
    match Schema::from_cedarschema_str(&schema.text) {
        Ok((parsed, _)) => Ok(parsed),
        Err(error) => Err(problem(schema, &DetailedError::from(&error), Some(hint))),
    }
}

fn read_file(file: &SourceText) -> Result<Vec<Found<'_>>, Vec<Diagnostic>> {
    if let Some(problem) = bounded(file) {
        return Err(vec![problem]);
    }
    let set: PolicySet = file.text.parse().map_err(|errors: cedar_policy::ParseErrors| {
        errors.iter().map(|error| problem(file, &DetailedError::from(error), None)).collect::<Vec<_>>()
    })?;
    if set.num_of_templates() > 0 {
        let place = Place::whole(file.name.clone());
        let message = "a rule holds a slot such as `?principal`";
        let hint = "write a rule for all principals; a template decides nothing until it is linked";
        return Err(vec![Diagnostic::error(Code::GuardrailInvalid, place, message).hint(hint)]);
    }
    if set.is_empty() {
        let place = Place::whole(file.name.clone());
        return Err(vec![
            Diagnostic::error(Code::GuardrailInvalid, place, "the file holds no rule").hint("write one, or remove it"),
        ]);
    }
    let mut found: Vec<_> = set
        .policies()
        .map(|policy| {
            let text = policy.to_cedar().unwrap_or_default();
            Found { file, offset: file.text.find(&text).unwrap_or_default(), policy: policy.clone(), text }
        })
        .collect();
    found.sort_by_key(|found| found.offset);
    Ok(found)
}

fn bounded(file: &SourceText) -> Option<Diagnostic> {
    let (offset, message) = nesting::excess(&file.text)?;
    let place = Place::at(file.name.clone(), &file.text, offset);
    Some(Diagnostic::error(Code::GuardrailInvalid, place, message).hint("split it into several rules"))
}

/// Turns policies into rules by their annotations; what is wrong goes to `problems`.
fn collect(
    found: &[Found<'_>],
    schema: &SourceText,
    problems: &mut Vec<Diagnostic>,
) -> (BTreeMap<RuleId, Rule>, PolicySet) {
    let mut rules = BTreeMap::new();
    let mut places: BTreeMap<RuleId, Place> = BTreeMap::new();
    let mut policies = PolicySet::new();
    let mut baselines = 0_usize;
    for one in found {
        let Some(id) = one.annotation("id").map(RuleId::new) else {
            problems.push(one.refuse("a rule has no `@id`", "name it in kebab case: `@id(\"no-such-thing\")`"));
            continue;
        };
        if let Some(first) = places.insert(id.clone(), one.place()) {
            problems.push(one.refuse(format!("the id `{id}` is taken by {first}"), "give each rule an id of its own"));
            continue;
        }
        if one.policy.effect() == Effect::Permit {
            baselines += 1;
            if !is_baseline(&one.policy) {
                let hint = "everything is permitted that no rule forbids: write what is wrong as a `forbid`";
                problems.push(one.refuse(format!("the rule `{id}` is a `permit` and decides nothing"), hint));
            }
        } else {
            match rule(one, &id) {
                Ok(rule) => drop(rules.insert(id.clone(), rule)),
                Err(more) => problems.extend(more),
            }
        }
        if let Err(error) = policies.add(one.policy.new_id(PolicyId::new(id.as_str()))) {
            problems.push(one.refuse(error.to_string(), "give each rule an id of its own"));
        }
    }
    if baselines == 0 && problems.is_empty() {
        let place = found.first().map_or_else(|| Place::whole(schema.name.clone()), Found::place);
        problems.push(
            Diagnostic::error(Code::GuardrailInvalid, place, "no rule permits what the others do not forbid")
                .hint("add the shipped policies/baseline.cedar to the set"),
        );
    }
    (rules, policies)
}

/// Whether a permit permits everything.
fn is_baseline(policy: &Policy) -> bool {
    policy.principal_constraint() == PrincipalConstraint::Any
        && policy.action_constraint() == ActionConstraint::Any
        && policy.resource_constraint() == ResourceConstraint::Any
        && !policy.has_non_scope_constraint()
}

fn rule(found: &Found<'_>, id: &RuleId) -> Result<Rule, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut required = |key: &str, other: Option<&str>, hint: &str| {
        let text = found.annotation(key).or_else(|| found.annotation(other?)).map(str::to_owned);
        if text.is_none() {
            problems.push(found.refuse(format!("the rule `{id}` has no `@{key}`"), hint));
        }
        text.unwrap_or_default()
    };
    let title = required("title", None, "say in one line what it demands");
    let severity = required("severity", None, "one of note, warning, review, error, critical");
    let fix = required("fix", Some("hint"), "say in one line what to do when it objects");
    let weight = RuleSeverity::parse(&severity);
    if weight.is_none() && !severity.is_empty() {
        let message = format!("the rule `{id}` has the unknown severity `{severity}`");
        problems.push(found.refuse(message, "one of note, warning, review, error, critical"));
    }
    let waived = waived_names(&found.policy);
    if let Some(other) = waived.iter().find(|name| *name != id.as_str()) {
        let message = format!("the rule `{id}` is waived under the name `{other}`");
        problems.push(found.refuse(message, format!("write `context.waived.contains(\"{id}\")`")));
    }
    match weight {
        Some(severity) if problems.is_empty() => Ok(Rule {
            id: id.clone(),
            title,
            severity,
            fix,
            standard: found.annotation("standard").map(str::to_owned),
            waivable: !waived.is_empty(),
            place: found.place(),
            text: found.text.clone(),
        }),
        _ => Err(problems),
    }
}

/// The names that a rule looks for in `context.waived`.
fn waived_names(policy: &Policy) -> Vec<String> {
    let Ok(json) = policy.to_json() else { return Vec::new() };
    let mut names = Vec::new();
    let mut rest = vec![&json];
    while let Some(value) = rest.pop() {
        match value {
            serde_json::Value::Array(items) => rest.extend(items),
            serde_json::Value::Object(members) => {
                rest.extend(members.values());
                let of_waived = value.pointer("/contains/left/./attr").is_some_and(|attribute| attribute == "waived");
                if of_waived && let Some(name) = value.pointer("/contains/right/Value").and_then(|v| v.as_str()) {
                    names.push(name.to_owned());
                }
            }
            _ => {}
        }
    }
    names
}

/// Strict validation. Warnings count: a rule that can never object is a rule that somebody relies on in vain.
fn validate(validator: &Validator, policies: &PolicySet, found: &[Found<'_>]) -> Vec<Diagnostic> {
    let result = validator.validate(policies, ValidationMode::Strict);
    let errors =
        result.validation_errors().map(|error| (error.policy_id(), DetailedError::from(error), validation_hint(error)));
    let warnings = result
        .validation_warnings()
        .map(|warning| (warning.policy_id(), DetailedError::from(warning), warning_hint(warning)));
    let located = errors.chain(warnings).map(|(id, error, hint)| {
        let id: &str = id.as_ref();
        match found.iter().find(|one| one.annotation("id") == Some(id)) {
            Some(one) => {
                let mut diagnostic = problem(one.file, &error, hint);
                if error.source_locations.is_empty() {
                    diagnostic.place = one.place();
                }
                diagnostic
            }
            None => Diagnostic::error(
                Code::GuardrailInvalid,
                Place::whole(iam_model::text::SourceName::new(id)),
                error.message,
            ),
        }
    });
    located.collect()
}

/// What to do about the mistake that everybody makes once.
const fn validation_hint(error: &ValidationError) -> Option<&'static str> {
    match error {
        ValidationError::UnsafeOptionalAttributeAccess(_) => Some(
            "the attribute may be absent, and a rule that fails is skipped: test for it first, in the same expression \
             and inside the same `!`: `!(principal has boundary && principal.boundary like \"…\")`",
        ),
        ValidationError::UnsafeTagAccess(_) => {
            Some("the tag may be absent: test for it first with `.hasTag(…)`, in the same expression")
        }
        _ => None,
    }
}

const fn warning_hint(warning: &ValidationWarning) -> Option<&'static str> {
    match warning {
        ValidationWarning::ImpossiblePolicy(_) | ValidationWarning::InvalidActionApplication(_) => {
            Some("a rule that can never object is relied on in vain: correct its scope or its condition")
        }
        _ => None,
    }
}

/// One of Cedar's errors, at its place in a file. Our hint wins over Cedar's help.
fn problem(file: &SourceText, error: &DetailedError, hint: Option<&str>) -> Diagnostic {
    let place = error
        .source_locations
        .first()
        .map_or_else(|| Place::whole(file.name.clone()), |at| Place::at(file.name.clone(), &file.text, at.loc.start));
    let mut message = error.message.clone();
    for label in error.source_locations.iter().filter_map(|at| at.label.as_deref()) {
        message.push_str(": ");
        message.push_str(label);
    }
    let diagnostic = Diagnostic::error(Code::GuardrailInvalid, place, message);
    match hint.or(error.help.as_deref()) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
