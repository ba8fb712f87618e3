//! What Access Analyzer found, recommends and generated.
//!
//! Starts the jobs that make recommendations, which cost nothing; starts no other.

use iam_model::json::Value;

use super::answer::{Failure, Pages, one, pages, sent};
use super::fetch::{Question, client};
use crate::calls::Operation;

/// How often a job is looked at before it is given up.
const LOOKS: u32 = 120;

pub(super) async fn ask(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_accessanalyzer, q);
    match operation {
        Operation::ListAnalyzers => pages!(client.list_analyzers(), "analyzers", set_next_token, next_token),
        Operation::ListPolicyGenerations => {
            pages!(client.list_policy_generations(), "policyGenerations", set_next_token, next_token)
        }
        Operation::GetGeneratedPolicy => {
            let request = client.get_generated_policy().job_id(q.id);
            one!(request.include_resource_placeholders(true).include_service_level_template(true))
        }
        Operation::ListFindings => {
            let found: Result<Value, Failure> =
                pages!(client.list_findings_v2().analyzer_arn(&q.id), "findings", set_next_token, next_token);
            found.map(|findings| with_analyzer(findings, &q.id))
        }
        Operation::GetFinding => finding(&client, q).await,
        _ => recommendation(&client, q).await,
    }
}

/// Each finding says which analyzer it is of: a recommendation is asked for by both.
fn with_analyzer(findings: Value, analyzer: &str) -> Value {
    let Value::Object(members) = findings else { return findings };
    let each = |finding: Value| match finding {
        Value::Object(mut members) => {
            members.push(("analyzerArn".into(), Value::text(analyzer)));
            Value::Object(members)
        }
        other => other,
    };
    let all = |(key, value)| match value {
        Value::Array(findings) => (key, Value::Array(findings.into_iter().map(each).collect())),
        other => (key, other),
    };
    Value::Object(members.into_iter().map(all).collect())
}

/// A finding with all of its details.
async fn finding(client: &aws_sdk_accessanalyzer::Client, q: Question) -> Result<Value, Failure> {
    let (analyzer, id) = q.id.split_once(' ').unwrap_or((&q.id, ""));
    let mut details = Pages::new("findingDetails");
    loop {
        let request = client.get_finding_v2().analyzer_arn(analyzer).id(id).set_next_token(details.mark());
        let (page, body) = sent!(request)?;
        details.add(&body)?;
        if !details.goes_on(page.next_token().map(ToOwned::to_owned))? {
            return with_all(&body, details);
        }
    }
}

/// The last page's other members, and the list of all pages.
fn with_all(last: &[u8], pages: Pages) -> Result<Value, Failure> {
    let Value::Object(members) = super::answer::value(last)? else {
        return Err(Failure::unusable("the answer is no object"));
    };
    let Value::Object(joined) = pages.into_value() else { return Ok(Value::Object(members)) };
    let joins = |key: &str| joined.iter().any(|(list, _)| list == key);
    let others: Vec<_> = members.into_iter().filter(|(key, _)| !joins(key) && key != "nextToken").collect();
    Ok(Value::Object(others.into_iter().chain(joined.iter().cloned()).collect()))
}

/// The recommendation about a finding, made first.
async fn recommendation(client: &aws_sdk_accessanalyzer::Client, q: Question) -> Result<Value, Failure> {
    let (analyzer, id) = q.id.split_once(' ').unwrap_or((&q.id, ""));
    let made = client.generate_finding_recommendation().analyzer_arn(analyzer).id(id).send().await;
    made.map_err(|error| Failure::of(&error))?;
    let mut steps = Pages::new("recommendedSteps");
    let mut looks = 0;
    loop {
        let request = client.get_finding_recommendation().analyzer_arn(analyzer).id(id).set_next_token(steps.mark());
        let (page, body) = sent!(request)?;
        if page.status().as_str() == "IN_PROGRESS" && looks < LOOKS {
            looks += 1;
            tokio::time::sleep(q.pause).await;
            continue;
        }
        steps.add(&body)?;
        if !steps.goes_on(page.next_token().map(ToOwned::to_owned))? {
            return with_all(&body, steps);
        }
    }
}
