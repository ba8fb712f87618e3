//! One way to reach AWS: configuration, TLS, retries and time limits, and the wording of what failed.
//!
//! Makes no call itself. TLS is rustls with ring, so that no C library is built.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::sync::mpsc::channel;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::runtime::Handle;

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

/// A wait that doubles each round, and between half and all of which is chance.
pub(crate) fn jittered(wait: Duration, round: u32) -> Duration {
    let whole = wait.saturating_mul(1 << round.min(8));
    let chance = chance() % 1000;
    whole / 2 + whole.mul_f64(f64::from(u32::try_from(chance).unwrap_or(0)) / 2000.0)
}

/// A number that is another one each time.
pub(crate) fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A thread that talks to AWS, for as long as the program; any other may ask it.
#[derive(Clone)]
pub(crate) struct Connection {
    handle: Handle,
}

impl Connection {
    /// Starts the thread, under a name.
    pub(crate) fn open(name: &str) -> Result<Self, CollectError> {
        let wrong = |error: io::Error| CollectError::Aws { call: "start".into(), reason: error.kind().to_string() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(wrong)?;
        let handle = runtime.handle().clone();
        let serve = move || runtime.block_on(std::future::pending::<()>());
        std::thread::Builder::new().name(name.into()).spawn(serve).map_err(wrong)?;
        Ok(Self { handle })
    }

    /// Starts work on the thread, for which nobody waits.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(work);
    }

    /// Runs work on the thread and waits for it.
    pub(crate) fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        let (answer, waiting) = channel();
        self.handle.spawn(async move {
            let done = work.await;
            // Nobody waits any more where the asking thread is gone.
            let _ = answer.send(done);
        });
        waiting.recv().map_err(|_| io::Error::other("the connection to AWS ended"))
    }
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
