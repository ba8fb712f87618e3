//! Policies that AWS generated or recommends, read from saved answers: Access Analyzer's and Security Hub's.
//!
//! They are a second source, with known gaps that each reading marks. What `${BucketName}` stands for is looked up among the
//! account's own resources; that is a proposal for a reader, and no evidence of which resource was used.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::json::{self, Arena, Limits, Node, Value};
use iam_model::policy::{PolicyDocument, parse};
use iam_model::snapshot::Snapshot;
use iam_model::text::{SourceName, SourceText};
use iam_model::time::Timestamp;

/// What Access Analyzer's generator never tells, in words for a report.
pub const GAPS: [&str; 3] = [
    "calls that only data events record are not told by action",
    "`iam:PassRole` is never among the actions",
    "calls that were denied count as used",
];

/// Most ARNs that a placeholder is written out to; beyond them it stays a wildcard.
const MOST_ARNS: usize = 10;

/// What Access Analyzer generated for one role.
#[derive(Debug, Clone)]
pub struct Generation {
    /// The role.
    pub role: Arn,
    /// Whether it read every event of the window.
    pub complete: bool,
    /// The window of the log it read.
    pub window: Option<(Timestamp, Timestamp)>,
    /// The actions it names.
    pub actions: BTreeSet<Action>,
    /// Services it saw in use without telling the actions.
    pub services: BTreeSet<String>,
    /// The policies with placeholders looked up.
    pub policies: Vec<PolicyDocument>,
    /// Each resource with a placeholder, and what it was taken for.
    pub placeholders: BTreeMap<String, Vec<String>>,
}

/// A policy that AWS recommends in place of another.
#[derive(Debug, Clone)]
pub struct Recommendation {
    /// The role or user.
    pub resource: Arn,
    /// The policy it would replace or detach, by ARN or name.
    pub existing: Option<String>,
    /// What should stand in its place; nothing where it should only be detached.
    pub recommended: Option<PolicyDocument>,
}

/// Why a saved answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`: {what}")]
pub struct GeneratedError {
    /// The file.
    pub name: String,
    /// What is wrong.
    pub what: String,
}

fn fail(source: &SourceText, what: impl Into<String>) -> GeneratedError {
    GeneratedError { name: source.name.as_str().into(), what: what.into() }
}

fn text<'n>(node: &'n Node<'_>, keys: &[&str]) -> Option<&'n str> {
    keys.iter().find_map(|key| node.get(key)).and_then(Node::as_str)
}

/// Reads what `aws accessanalyzer get-generated-policy` printed.
///
/// # Errors
/// Where it is no such answer, or the job did not succeed.
pub fn generation(source: &SourceText, snapshot: &Snapshot) -> Result<Generation, GeneratedError> {
    let arena = Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE).map_err(|e| fail(source, format!("not JSON: {e}")))?;
    let status = root.get("jobDetails").and_then(|job| text(job, &["status"])).unwrap_or("unknown");
    if status != "SUCCEEDED" {
        return Err(fail(source, format!("the job has not succeeded: its status is `{status}`")));
    }
    let result =
        root.get("generatedPolicyResult").ok_or_else(|| fail(source, "it holds no `generatedPolicyResult`"))?;
    let properties = result.get("properties").ok_or_else(|| fail(source, "it holds no `properties`"))?;
    let role = text(properties, &["principalArn"]).and_then(|arn| arn.parse::<Arn>().ok());
    let role = role.ok_or_else(|| fail(source, "it names no `principalArn`"))?;
    let window = properties.get("cloudTrailProperties").and_then(|trail| {
        let time = |key| text(trail, &[key]).and_then(Timestamp::parse_printed);
        Some((time("startTime")?, time("endTime")?))
    });
    let mut generation = Generation {
        complete: properties.get("isComplete").and_then(Node::as_bool).unwrap_or(false),
        role,
        window,
        actions: BTreeSet::new(),
        services: BTreeSet::new(),
        policies: Vec::new(),
        placeholders: BTreeMap::new(),
    };
    for policy in result.get("generatedPolicies").map(Node::items).unwrap_or_default() {
        let policy = text(policy, &["policy"]).ok_or_else(|| fail(source, "a policy of it has no text"))?;
        generation.add(source, policy, snapshot)?;
    }
    Ok(generation)
}

impl Generation {
    /// Adds one policy's actions, and the policy with its placeholders looked up.
    fn add(&mut self, source: &SourceText, policy: &str, snapshot: &Snapshot) -> Result<(), GeneratedError> {
        let arena = Arena::for_text(policy.len());
        let root = json::parse(&arena, policy, Limits::POLICY)
            .map_err(|error| fail(source, format!("a policy of it is not JSON: {error}")))?;
        let mut statements = Vec::new();
        for statement in root.get("Statement").map(Node::one_or_many).unwrap_or_default() {
            let mut kept = Vec::new();
            for word in statement.get("Action").map(Node::one_or_many).unwrap_or_default() {
                let word = word.as_str().unwrap_or_default();
                match word.parse::<Action>() {
                    Ok(action) if !word.contains(['*', '$', '?']) => {
                        kept.push(Value::text(word));
                        self.actions.insert(action);
                    }
                    // A template for a service: it was used, and nobody says how.
                    _ => {
                        self.services.extend(word.split_once(':').map(|(service, _)| service.to_owned()));
                    }
                }
            }
            if kept.is_empty() {
                continue;
            }
            let mut resources = Vec::new();
            for pattern in statement.get("Resource").map(Node::one_or_many).unwrap_or_default() {
                resources.extend(self.resolved(pattern.as_str().unwrap_or("*"), snapshot));
            }
            statements.push(Value::Object(vec![
                ("Effect".into(), Value::text("Allow")),
                ("Action".into(), Value::Array(kept)),
                ("Resource".into(), Value::Array(resources.into_iter().map(Value::String).collect())),
            ]));
        }
        let members =
            vec![("Version".into(), Value::text("2012-10-17")), ("Statement".into(), Value::Array(statements))];
        let name = SourceName::new(source.name.as_str());
        self.policies.push(parse(&SourceText { name, text: Value::Object(members).to_compact() }).0);
        Ok(())
    }

    /// What a resource with placeholders is taken for: the account's resources of that form, or a wildcard for each
    /// placeholder where there is none, or where there are many.
    fn resolved(&mut self, pattern: &str, snapshot: &Snapshot) -> Vec<String> {
        if !pattern.contains("${") {
            return vec![pattern.to_owned()];
        }
        let wide = wildcarded(pattern);
        let account = self.role.account().and_then(|account| snapshot.accounts.get(&account));
        let resources = account.map(|account| account.resources.as_slice()).unwrap_or_default();
        let mut found: Vec<String> = resources
            .iter()
            .filter(|resource| fits(&wide, resource.arn.as_str()))
            .map(|resource| resource.arn.as_str().to_owned())
            .collect();
        found.sort();
        found.dedup();
        if found.is_empty() || found.len() > MOST_ARNS {
            found = vec![wide];
        }
        self.placeholders.insert(pattern.to_owned(), found.clone());
        found
    }
}

/// A wildcard for each placeholder.
fn wildcarded(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// Whether an ARN has the form: every part is the same, or a wildcard that takes no `/` or `:` in.
fn fits(pattern: &str, arn: &str) -> bool {
    let (pattern, arn): (Vec<&str>, Vec<&str>) = (pattern.split([':', '/']).collect(), arn.split([':', '/']).collect());
    pattern.len() == arn.len() && pattern.iter().zip(&arn).all(|(part, of)| *part == "*" || part == of)
}

/// Reads what `aws accessanalyzer get-finding-recommendation` or `aws securityhub get-recommended-policy-v2` printed.
///
/// # Errors
/// Where it is no such answer, or there is no recommendation yet.
pub fn recommendations(source: &SourceText) -> Result<Vec<Recommendation>, GeneratedError> {
    let arena = Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE).map_err(|e| fail(source, format!("not JSON: {e}")))?;
    let status = text(&root, &["status", "Status"]).unwrap_or("unknown");
    if status != "SUCCEEDED" {
        return Err(fail(source, format!("there is no recommendation: its status is `{status}`")));
    }
    let resource = text(&root, &["resourceArn", "ResourceArn"]).and_then(|arn| arn.parse::<Arn>().ok());
    let resource = resource.ok_or_else(|| fail(source, "it names no `resourceArn`"))?;
    let steps = ["recommendedSteps", "RecommendationSteps"].iter().find_map(|key| root.get(key));
    let mut found = Vec::new();
    for step in steps.map(Node::items).unwrap_or_default() {
        let inner = ["unusedPermissionsRecommendedStep", "UnusedPermissions"].iter().find_map(|key| step.get(key));
        let Some(inner) = inner else {
            return Err(fail(source, "it holds a step of a kind that is not known"));
        };
        let recommended = text(inner, &["recommendedPolicy", "RecommendedPolicy"]).map(|policy| {
            parse(&SourceText { name: SourceName::new(source.name.as_str()), text: policy.to_owned() }).0
        });
        found.push(Recommendation {
            resource: resource.clone(),
            existing: text(inner, &["existingPolicyId", "ExistingPolicyId"]).map(ToOwned::to_owned),
            recommended,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
