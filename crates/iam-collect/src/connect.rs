//! One way to reach AWS: configuration, TLS, retries and time limits, and the wording of what failed.
//!
//! Makes no call itself. TLS is rustls with ring, so that no C library is built.

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::error::CollectError;

/// Which credentials, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The profile in the user's AWS configuration; the default one where absent.
    pub profile: Option<String>,
    /// Regions whose functions and resources are read; the profile's own where empty.
    pub regions: Vec<String>,
}

/// The client itself tries a call this often, each time after a longer, random wait.
const ATTEMPTS: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Before a question is asked again that the client gave up on; doubles each time, and half of it is chance.
    pub(crate) wait: Duration,
    /// Between two looks at a job.
    pub(crate) pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { wait: Duration::from_secs(4), pause: Duration::from_secs(2) }
    }
}

/// Runs one collection to its end on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CollectError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CollectError::Aws { call: "start".into(), reason: error.kind().to_string() })?;
    Ok(runtime.block_on(work))
}

/// The user's configuration as every AWS tool reads it, with our client, retries and limits.
pub(crate) async fn load(options: &Options) -> Result<SdkConfig, CollectError> {
    let client = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let limits = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_secs(60))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_max_backoff(LONGEST_WAIT))
        .timeout_config(limits);
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = options.regions.first() {
        loader = loader.region(Region::new(region.clone()));
    }
    let config = loader.load().await;
    if config.region().is_none() { Err(CollectError::NoRegion) } else { Ok(config) }
}

/// Why a call failed: AWS's code and message, or what went wrong on the way there.
pub(crate) fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    if let Some(code) = error.code() {
        return format!("{code}: {}", error.message().unwrap_or("no message"));
    }
    let mut words = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        words.push(error.to_string());
        source = error.source();
    }
    words.dedup();
    let line = words.join(": ");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
