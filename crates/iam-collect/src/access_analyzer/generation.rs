//! The queue of roles that Access Analyzer generates policies for: one at a time, fifty a day.
//!
//! A role whose policy was generated in the last seven days, which is how long AWS keeps it, is not asked for again. Where
//! the day's quota is used up the rest is named, for another day.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_accessanalyzer::Client;
use aws_sdk_accessanalyzer::types::{CloudTrailDetails, JobStatus, PolicyGenerationDetails, Trail};
use aws_sdk_iam::primitives::DateTime;
use iam_model::arn::Arn;
use iam_model::json::Value;

use super::Options;
use crate::connect::{block_on, load};
use crate::error::CollectError;
use crate::live::answer::{Failure, one};

/// How often a job is looked at: two hours, once the pauses have grown.
const LOOKS: u32 = 250;
/// A pause grows to this many first ones.
const GROWS: u32 = 60;

/// What the generator reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    /// The trail, by ARN.
    pub trail: String,
    /// The role that lets Access Analyzer read it, by ARN.
    pub access_role: String,
    /// How many days back; AWS takes at most ninety.
    pub days: u32,
}

/// What became of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generated {
    /// What `aws accessanalyzer get-generated-policy` prints.
    Answer(Value),
    /// The job failed, and why.
    Failed(String),
    /// It was not asked for: the quota of the day is used up.
    Another,
}

/// Generates policies for roles, one after the other; `told` hears of each as it is done.
///
/// # Errors
/// Without credentials or a region, and where not even the list of earlier jobs can be read.
pub fn generate(
    options: &Options,
    roles: &[Arn],
    logs: &Logs,
    now: i64,
    told: &mut dyn FnMut(&Arn, Generated),
) -> Result<(), CollectError> {
    const PAUSE: Duration = Duration::from_millis(500);
    block_on(async { generate_with(&load(options).await?, roles, logs, (now, PAUSE), told).await })?
}

/// As [`generate`], with a configuration made before, and how long is waited between looks.
pub(super) async fn generate_with(
    config: &SdkConfig,
    roles: &[Arn],
    logs: &Logs,
    (now, pause): (i64, Duration),
    told: &mut dyn FnMut(&Arn, Generated),
) -> Result<(), CollectError> {
    Queue { client: Client::new(config), logs, now, pause }.run(roles, told).await
}

struct Queue<'q> {
    client: Client,
    logs: &'q Logs,
    /// Seconds since 1970.
    now: i64,
    pause: Duration,
}

/// Why no job could be started.
enum Refused {
    /// Another job is running.
    Busy,
    /// No more today.
    Quota,
    Other(Failure),
}

impl Queue<'_> {
    async fn run(&self, roles: &[Arn], told: &mut dyn FnMut(&Arn, Generated)) -> Result<(), CollectError> {
        let mut over = false;
        for role in roles {
            if over {
                told(role, Generated::Another);
                continue;
            }
            let earlier = self.earlier(role).await.map_err(|failure| CollectError::Aws {
                call: "access-analyzer:ListPolicyGenerations".into(),
                reason: format!("{}: {}", failure.code, failure.message),
            })?;
            let job = match earlier {
                Some(job) => Ok(job),
                None => self.start(role).await,
            };
            match job {
                Ok(job) => told(role, self.finished(&job).await),
                Err(Refused::Quota) => {
                    over = true;
                    told(role, Generated::Another);
                }
                Err(Refused::Busy) => {
                    told(role, Generated::Failed("another generation is running, and does not end".into()));
                }
                Err(Refused::Other(failure)) => {
                    told(role, Generated::Failed(format!("{}: {}", failure.code, failure.message)));
                }
            }
        }
        Ok(())
    }

    /// A job takes seconds or an hour: pauses double, up to half a minute.
    fn pause_after(&self, look: u32) -> Duration {
        self.pause.saturating_mul((1 << look.min(10)).min(GROWS))
    }

    /// A job for the role that AWS still knows and that has not failed.
    async fn earlier(&self, role: &Arn) -> Result<Option<String>, Failure> {
        let mut mark = None;
        let mut seen = BTreeSet::new();
        loop {
            let request =
                self.client.list_policy_generations().principal_arn(role.as_str()).set_next_token(mark.clone());
            let page = request.send().await.map_err(|error| Failure::of(&error))?;
            let usable = |status: &JobStatus| matches!(status, JobStatus::Succeeded | JobStatus::InProgress);
            let found = page
                .policy_generations()
                .iter()
                .find(|job| usable(job.status()) && job.principal_arn() == role.as_str());
            if let Some(job) = found {
                return Ok(Some(job.job_id().to_owned()));
            }
            mark = page.next_token().map(ToOwned::to_owned);
            if !mark.as_ref().is_some_and(|mark| seen.insert(mark.clone())) {
                return Ok(None);
            }
        }
    }

    /// Starts a job, once the one that may be running has ended.
    async fn start(&self, role: &Arn) -> Result<String, Refused> {
        for look in 0..LOOKS {
            match self.asked(role).await {
                Err(Refused::Busy) => tokio::time::sleep(self.pause_after(look)).await,
                other => return other,
            }
        }
        Err(Refused::Busy)
    }

    async fn asked(&self, role: &Arn) -> Result<String, Refused> {
        let wrong =
            |error: aws_sdk_accessanalyzer::error::BuildError| Refused::Other(Failure::unusable(error.to_string()));
        let trail = Trail::builder().cloud_trail_arn(&self.logs.trail).all_regions(true).build().map_err(wrong)?;
        let start = self.now.saturating_sub(i64::from(self.logs.days).saturating_mul(86_400));
        let details = CloudTrailDetails::builder()
            .trails(trail)
            .access_role(&self.logs.access_role)
            .start_time(DateTime::from_secs(start))
            .end_time(DateTime::from_secs(self.now))
            .build()
            .map_err(wrong)?;
        let of = PolicyGenerationDetails::builder().principal_arn(role.as_str()).build().map_err(wrong)?;
        let request = self.client.start_policy_generation().policy_generation_details(of).cloud_trail_details(details);
        match request.send().await {
            Ok(started) => Ok(started.job_id().to_owned()),
            Err(error) => {
                let failure = Failure::of(&error);
                Err(match failure.code.as_str() {
                    "ConflictException" => Refused::Busy,
                    // Both quotas have one code; the message of the running one speaks of what runs.
                    "ServiceQuotaExceededException" if failure.message.contains("concurrent") => Refused::Busy,
                    "ServiceQuotaExceededException" => Refused::Quota,
                    _ => Refused::Other(failure),
                })
            }
        }
    }

    /// Waits for a job, and takes its result.
    async fn finished(&self, job: &str) -> Generated {
        for look in 0..LOOKS {
            match self.looked(job).await {
                Err(failure) => return Generated::Failed(format!("{}: {}", failure.code, failure.message)),
                Ok(answer) => {
                    let details = answer.get("jobDetails");
                    let of = |key: &str| details.and_then(|details| details.get(key));
                    match of("status").and_then(Value::as_str) {
                        Some("IN_PROGRESS") => tokio::time::sleep(self.pause_after(look)).await,
                        Some("SUCCEEDED") => return Generated::Answer(answer),
                        other => {
                            let error = of("jobError");
                            let word = |key: &str| {
                                error.and_then(|error| error.get(key)?.as_str()).unwrap_or("no reason given")
                            };
                            let status = other.unwrap_or("unknown");
                            return Generated::Failed(format!(
                                "the job is {status}: {}: {}",
                                word("code"),
                                word("message")
                            ));
                        }
                    }
                }
            }
        }
        Generated::Failed("the job does not end".into())
    }

    async fn looked(&self, job: &str) -> Result<Value, Failure> {
        let request = self
            .client
            .get_generated_policy()
            .job_id(job)
            .include_resource_placeholders(true)
            .include_service_level_template(true);
        one!(request)
    }
}
