//! The organisation's rules: Cedar texts that judge facts about a change, and say which rule refuses what.
//!
//! The engine computes facts ([`Question`]), Cedar decides, and the answer names every rule that objects
//! ([`Violation`]). Cedar does not evaluate IAM here: wildcards, conditions and layers are settled before a question is
//! asked. This module reads no file and no clock; texts, the time and the waivers are arguments.
//!
//! A rule set is usable as a whole or not at all: one file that does not parse, or does not validate in strict mode,
//! and nothing is judged by the rest. A rule that fails while it is evaluated is an error, never a pass: Cedar skips
//! such a rule, and a skipped `forbid` looks like consent.

mod cases;
mod embedded;
mod facts;
mod format;
mod groups;
mod name;
mod nesting;
mod object;
mod pattern;
mod read;
mod relevant;
mod request;
mod rule;
mod samples;
mod waiver;

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Authorizer, PolicyId, PolicySet, Response, Schema};
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::text::{SourceName, SourceText};
use iam_model::time::Timestamp;

pub use cases::{CaseOutcome, CaseReport, Undecided, case_names};
pub use embedded::{embedded_cases, embedded_groups, embedded_rules, embedded_schema};
pub use facts::{
    AccountFacts, Assume, Attach, Author, Caller, Environment, Escalation, FunctionFacts, Grant, GuardrailKind, Invoke,
    Merge, Pass, PermissionFacts, Question, QuestionKind, RoleFacts, Share, Target, Usage,
};
pub use format::format_rules;
pub use groups::{Group, GroupsError, PermissionGroups};
pub use name::{
    BotName, GroupName, GuardrailName, PersonName, ProviderName, PullRequestName, RuleId, ServicePrincipal, UnitName,
};
pub use object::{Counterpart, Object, Subject, covers_permission};
pub use rule::{Rule, RuleSeverity};
pub use waiver::{Waiver, WaiverFinding, WaiverProblem, WaiverUse, review_waivers};

/// A rule set that parsed and validated, ready to judge.
#[derive(Debug)]
pub struct Guardrails {
    rules: BTreeMap<RuleId, Rule>,
    policies: PolicySet,
    /// The rules that can have something to say on each question; the others would cost time and say nothing.
    by_question: BTreeMap<QuestionKind, PolicySet>,
    schema: Schema,
    vocabulary: request::Vocabulary,
    authorizer: Authorizer,
}

/// One rule that objects to one thing.
///
/// Ordered by rule, then object, so that a sorted list is stable between runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which rule.
    pub rule: RuleId,
    /// What it objects to.
    pub object: Object,
    /// How bad the rule says this is.
    pub severity: RuleSeverity,
    /// What the rule demands, in one line.
    pub title: String,
    /// What to do.
    pub fix: String,
    /// Whether a waiver covers it.
    pub waiver: WaiverUse,
}

impl Violation {
    /// Whether this refutes the claim that a change obeys the guardrails: severe enough, and not waived.
    #[must_use]
    pub const fn refutes(&self) -> bool {
        self.severity.refutes() && !matches!(self.waiver, WaiverUse::Waived { .. })
    }

    /// Whether the state before the change already had this violation, or a wider one of the same rule about the same
    /// subject. Such a violation is reported, but the change is not to blame for it.
    #[must_use]
    pub fn stood_before(&self, before: &[Self]) -> bool {
        before.iter().any(|earlier| earlier.rule == self.rule && earlier.object.covers(&self.object))
    }
}

/// Why rules could not be read, or a question not be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardrailError {
    /// The rule set is broken, so nothing is judged by any part of it. Never empty; each says file, line and column.
    #[error("the rules cannot be used: {}", first(.0))]
    Rules(Vec<Diagnostic>),
    /// The facts do not fit the schema the rules were checked against.
    #[error("the rules cannot be asked about {object}: {message}")]
    Facts {
        /// What was asked about.
        object: String,
        /// What does not fit.
        message: String,
    },
    /// A rule failed while it was evaluated, so its answer is unknown.
    #[error("rule `{rule}` failed while judging {object}: {message}")]
    Evaluation {
        /// Which rule.
        rule: RuleId,
        /// Where it stands.
        place: Box<Place>,
        /// What it was asked about.
        object: String,
        /// What failed.
        message: String,
    },
}

fn first(diagnostics: &[Diagnostic]) -> String {
    let rest = diagnostics.len().saturating_sub(1);
    let shown = diagnostics.first().map(ToString::to_string).unwrap_or_default();
    if rest == 0 { shown } else { format!("{shown} (and {rest} more)") }
}

impl GuardrailError {
    /// The same trouble, as diagnostics to show.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Rules(diagnostics) => diagnostics.clone(),
            Self::Facts { .. } => {
                let place = Place::whole(SourceName::new("policies/schema.cedarschema"));
                vec![
                    Diagnostic::error(Code::GuardrailInvalid, place, self.to_string())
                        .hint("keep the shipped schema's types and attributes, or use it as it is"),
                ]
            }
            Self::Evaluation { place, .. } => {
                vec![
                    Diagnostic::error(Code::GuardrailInvalid, place.as_ref().clone(), self.to_string())
                        .hint("bound the numbers the rule computes with; an overflow is an error in Cedar"),
                ]
            }
        }
    }
}

impl Guardrails {
    /// The rules that ship with the program.
    ///
    /// # Errors
    ///
    /// Never for a released program; a test holds that.
    ///
    /// ```
    /// use iam_verify::guardrails::Guardrails;
    /// let rules = Guardrails::embedded().unwrap();
    /// assert!(rules.rules().any(|rule| rule.id.as_str() == "no-wildcard-resource"));
    /// ```
    pub fn embedded() -> Result<Self, GuardrailError> {
        Self::parse(&embedded_rules(), &embedded_schema())
    }

    /// Reads rules and checks them against a schema in strict mode.
    ///
    /// To add rules to the shipped ones, pass [`embedded_rules`] and the added files together.
    ///
    /// # Errors
    ///
    /// [`GuardrailError::Rules`] with everything that is wrong: texts that do not parse or validate, a missing or
    /// repeated `@id`, a missing `@title`, `@severity` or `@fix`, a `permit` other than the baseline, a waiver under
    /// another rule's name. Never part of a set.
    ///
    /// ```
    /// use iam_model::text::{SourceName, SourceText};
    /// use iam_verify::guardrails::{Guardrails, embedded_schema};
    /// let file = SourceText { name: SourceName::new("mine.cedar"), text: "forbid (principal".to_owned() };
    /// let error = Guardrails::parse(&[file], &embedded_schema()).unwrap_err();
    /// assert!(error.to_string().contains("mine.cedar:1:18"), "{error}");
    /// ```
    pub fn parse(files: &[SourceText], schema: &SourceText) -> Result<Self, GuardrailError> {
        let read = read::read(files, schema).map_err(GuardrailError::Rules)?;
        let unfit =
            |message: String| GuardrailError::Facts { object: format!("anything with {}", schema.name), message };
        let vocabulary = request::Vocabulary::new(&read.schema).map_err(unfit)?;
        samples::check(&vocabulary, &read.schema).map_err(unfit)?;
        let by_question = relevant::by_question(&read.policies, &read.schema, &vocabulary)
            .map_err(|error| unfit(request::describe(*error)))?;
        Ok(Self {
            rules: read.rules,
            policies: read.policies,
            by_question,
            schema: read.schema,
            vocabulary,
            authorizer: Authorizer::new(),
        })
    }

    /// The rules, by id; the baseline permit is none of them.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// One rule by id.
    #[must_use]
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// The questions a rule can have something to say on.
    #[must_use]
    pub fn asked_by(&self, id: &RuleId) -> Vec<QuestionKind> {
        let policy = PolicyId::new(id.as_str());
        let about = self.by_question.iter().filter(|(_, policies)| policies.policy(&policy).is_some());
        about.map(|(kind, _)| *kind).collect()
    }

    /// Which rules object, in the order of their ids; none if all is well.
    ///
    /// Waived violations are returned as well, and say so.
    ///
    /// # Errors
    ///
    /// [`GuardrailError::Facts`] where the facts do not fit the schema, [`GuardrailError::Evaluation`] where a rule
    /// fails: a question that was not answered is not a question answered with "fine".
    pub fn ask(
        &self,
        question: &Question<'_>,
        now: Timestamp,
        waivers: &[Waiver],
    ) -> Result<Vec<Violation>, GuardrailError> {
        let object = question.object();
        let objecting = self.objecting(question, &object, now, &BTreeSet::new())?;
        if objecting.is_empty() {
            return Ok(Vec::new());
        }
        let applicable = waiver::Applicable::new(waivers, &object, &objecting, now);
        // Each rule decides for itself whether it can be waived, so a waiver is one more question.
        let insisting = if applicable.valid().is_empty() {
            objecting.clone()
        } else {
            self.objecting(question, &object, now, &applicable.valid())?
        };
        let violations = objecting.iter().filter_map(|id| self.rules.get(id)).map(|rule| Violation {
            rule: rule.id.clone(),
            object: object.clone(),
            severity: rule.severity,
            title: rule.title.clone(),
            fix: rule.fix.clone(),
            waiver: applicable.outcome(&rule.id, insisting.contains(&rule.id)),
        });
        Ok(violations.collect())
    }

    /// Runs test cases in the format of `cedar run-tests`, and says which rules no case decides.
    ///
    /// # Errors
    ///
    /// [`GuardrailError::Rules`] where a file of cases cannot be read. A case that fails is part of the report.
    pub fn run_cases(&self, files: &[SourceText]) -> Result<CaseReport, GuardrailError> {
        cases::run(self, files)
    }

    fn objecting(
        &self,
        question: &Question<'_>,
        object: &Object,
        now: Timestamp,
        waived: &BTreeSet<RuleId>,
    ) -> Result<BTreeSet<RuleId>, GuardrailError> {
        let asked = self
            .vocabulary
            .ask(question, now, waived, None)
            .map_err(|message| GuardrailError::Facts { object: object.to_string(), message })?;
        let policies = self.by_question.get(&question.kind()).unwrap_or(&self.policies);
        let response = self.authorizer.is_authorized(&asked.request, policies, &asked.entities);
        self.refusals(&response).map_err(|(rule, message)| GuardrailError::Evaluation {
            place: Box::new(
                self.rules
                    .get(&rule)
                    .map_or_else(|| Place::whole(SourceName::new("the rules")), |rule| rule.place.clone()),
            ),
            rule,
            object: object.to_string(),
            message,
        })
    }

    /// The rules behind a refusal; an evaluation error in any rule is a failure, whatever the others say.
    fn refusals(&self, response: &Response) -> Result<BTreeSet<RuleId>, (RuleId, String)> {
        if let Some(error) = response.diagnostics().errors().min_by_key(ToString::to_string) {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(inner) = error;
            return Err((rule_id(inner.policy_id()), inner.inner().to_string()));
        }
        let reasons = response.diagnostics().reason().map(rule_id);
        Ok(reasons.filter(|id| self.rules.contains_key(id)).collect())
    }
}

fn rule_id(id: &PolicyId) -> RuleId {
    RuleId::new(id.as_ref())
}

#[cfg(test)]
mod tests;
