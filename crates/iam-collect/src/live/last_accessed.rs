//! AWS's own record of what a role last used: a job, and its pages.
//!
//! Reading the record is for the room of usage; this only fetches it.

use aws_sdk_iam::types::{AccessAdvisorUsageGranularityType, JobStatusType, ServiceLastAccessed};
use iam_model::json::Value;

use super::answer::{Failure, Pages};
use super::fetch::{Question, client};
use super::shape::{list, sparse, text, time};

/// How often a job is looked at before it is given up.
const LOOKS: u32 = 120;

/// `get-service-last-accessed-details` of one role, by action.
pub(super) async fn details(q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_iam, q);
    let request = client
        .generate_service_last_accessed_details()
        .arn(&q.id)
        .granularity(AccessAdvisorUsageGranularityType::ActionLevel);
    let job = request.send().await.map_err(|error| Failure::of(&error))?;
    let job = job.job_id().ok_or_else(|| Failure::unusable("AWS names no job"))?.to_owned();
    let mut marks = Pages::new("");
    let mut services = Vec::new();
    let mut looks = 0;
    loop {
        let request = client.get_service_last_accessed_details().job_id(&job).max_items(1000).set_marker(marks.mark());
        let page = request.send().await.map_err(|error| Failure::of(&error))?;
        match page.job_status() {
            JobStatusType::InProgress if looks < LOOKS => {
                looks += 1;
                tokio::time::sleep(q.pause).await;
                continue;
            }
            JobStatusType::Completed => {}
            other => {
                let why = page.error().map_or("no reason given", |error| error.message());
                return Err(Failure::unusable(format!("the job is {}: {why}", other.as_str())));
            }
        }
        services.extend(page.services_last_accessed().iter().map(service));
        let mark = page.marker().filter(|_| page.is_truncated()).map(ToOwned::to_owned);
        if !marks.goes_on(mark)? {
            let jobs = sparse([
                ("JobStatus", Some(Value::text("COMPLETED"))),
                ("JobType", text(page.job_type().map(|kind| kind.as_str()))),
                ("JobCreationDate", time(Some(page.job_creation_date()))),
                ("ServicesLastAccessed", Some(Value::Array(services))),
                ("JobCompletionDate", time(Some(page.job_completion_date()))),
                ("IsTruncated", Some(Value::Bool(false))),
            ]);
            return Ok(jobs);
        }
    }
}

fn service(service: &ServiceLastAccessed) -> Value {
    let action = |action: &aws_sdk_iam::types::TrackedActionLastAccessed| {
        sparse([
            ("ActionName", text(action.action_name())),
            ("LastAccessedEntity", text(action.last_accessed_entity())),
            ("LastAccessedTime", time(action.last_accessed_time())),
            ("LastAccessedRegion", text(action.last_accessed_region())),
        ])
    };
    let actions = service.tracked_actions_last_accessed();
    sparse([
        ("ServiceName", Some(Value::text(service.service_name()))),
        ("LastAuthenticated", time(service.last_authenticated())),
        ("ServiceNamespace", Some(Value::text(service.service_namespace()))),
        ("LastAuthenticatedEntity", text(service.last_authenticated_entity())),
        ("LastAuthenticatedRegion", text(service.last_authenticated_region())),
        ("TotalAuthenticatedEntities", service.total_authenticated_entities().map(|n| Value::Number(n.to_string()))),
        ("TrackedActionsLastAccessed", if actions.is_empty() { None } else { list(actions, action) }),
    ])
}
