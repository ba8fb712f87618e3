//! Live accounts: every call of the table, through AWS's own clients, to the same files that a bundle has.
//!
//! What a collection writes with `record` is read back by [`crate::from_path`], and both give the same snapshot, because
//! both go through the reader of bundles. What was refused, or failed after all retries, is named in the snapshot.

mod account;
mod analyzer;
pub(crate) mod answer;
mod fetch;
mod identities;
mod last_accessed;
mod organization;
mod shape;
mod store;
mod xml;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_sdk_iam::config::SharedCredentialsProvider;
use iam_model::arn::AccountId;
use iam_model::diagnostic::Diagnostic;
use iam_model::json::Value;
use iam_model::snapshot::Snapshot;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::bundle::{self, Folder, Key};
use crate::calls::Part;
use crate::connect::{Pace, block_on, load};
use crate::error::CollectError;
use account::Session;
use answer::Failure;
use organization::Organization;
use shape::{list, object};
use store::{Counts, Store};

pub use crate::connect::Options;

/// Questions under way at a time: enough to hide the way to AWS, few enough to stay below its limits.
const AT_ONCE: usize = 32;
/// Accounts under way at a time.
const ACCOUNTS_AT_ONCE: usize = 8;
/// How a session in another account is named in its logs.
const SESSION: &str = "paring-collect";

/// Which accounts are collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Accounts {
    /// The one the credentials belong to.
    #[default]
    Own,
    /// Every active one of the organisation.
    All,
    /// These.
    These(Vec<AccountId>),
}

/// What is collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// Which credentials, and which regions.
    pub options: Options,
    /// Whether every region that an account has switched on is asked, instead of those of `options`.
    pub all_regions: bool,
    /// Which accounts.
    pub accounts: Accounts,
    /// The name of the role to assume in other accounts than the own.
    pub role_name: Option<String>,
    /// The folder that keeps the answers; a collection that was interrupted goes on from it.
    pub record: Option<PathBuf>,
    /// Whether AWS's record of last uses is fetched for each role. It is kept in `record`.
    pub last_accessed: bool,
    /// Whether what Access Analyzer found, recommends and generated is fetched. It is kept in `record`.
    pub access_analyzer: bool,
}

/// How one account went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The account.
    pub account: AccountId,
    /// Calls that AWS answered.
    pub answered: usize,
    /// Answers that were there already.
    pub kept: usize,
    /// Calls that failed, and are named in the snapshot.
    pub failed: usize,
    /// Why the whole account could not be read.
    pub refused: Option<String>,
}

/// Collects accounts; `told` hears of each as it is done.
///
/// # Errors
/// Without credentials or a region, where the credentials end on the way, where `record` cannot be written, and where
/// accounts are wanted that need a role or an organisation and there is none.
pub fn collect(order: &Order, told: &dyn Fn(&Progress)) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    block_on(async { collect_with(&load(&order.options).await?, order, Pace::default(), told).await })?
}

/// As [`collect`], with a configuration made before.
pub(crate) async fn collect_with(
    config: &SdkConfig,
    order: &Order,
    pace: Pace,
    told: &dyn Fn(&Progress),
) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    let own = caller(config).await.map_err(|failure| CollectError::Aws {
        call: "sts:GetCallerIdentity".into(),
        reason: format!("{}: {}", failure.code, failure.message),
    })?;
    let mut notes = Vec::new();
    let organization = match organization::read(config).await {
        Ok(found) => found,
        Err((call, failure)) if failure.ends_all() => return Err(ended(call, &failure, order)),
        Err((call, failure)) => {
            let what = format!("`{call}` failed: {}: {}: guardrails are not known", failure.code, failure.message);
            let hint = "collect from the management account, or one delegated to read the organisation".to_owned();
            notes.push((what, Some(hint)));
            None
        }
    };
    let accounts = wanted(order, &own, organization.as_ref(), &mut notes)?;
    let regions = regions(config, &order.options);
    if let (Some(organization), Some(record)) = (&organization, &order.record) {
        store::write(&record.join("organization.json"), &organization.to_value().to_pretty())?;
    }
    let run = Run { config, order, pace, own: &own, regions: &regions, told };
    let mut folders = run.accounts(&accounts).await?;
    if let Some((_, folder)) = folders.iter_mut().find(|(id, _)| *id == own.account.to_string()) {
        folder.notes.extend(notes);
    }
    let whole = format!("account {}", own.account);
    let organization = organization.map(|organization| organization.to_value().to_pretty());
    let (snapshot, mut diagnostics) = bundle::from_folders(&whole, folders, organization)?;
    if order.record.is_none() {
        // Lines of a text that nobody has seen tell nothing.
        diagnostics.iter_mut().for_each(|diagnostic| diagnostic.place.position = None);
    }
    Ok((snapshot, diagnostics))
}

/// Whose credentials these are.
struct Caller {
    account: AccountId,
    partition: String,
}

async fn caller(config: &SdkConfig) -> Result<Caller, Failure> {
    let answer = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| Failure::of(&error))?;
    let account = answer.account().and_then(|account| account.parse().ok());
    let account = account.ok_or_else(|| Failure::unusable("it names no account"))?;
    let partition = answer.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_owned();
    Ok(Caller { account, partition })
}

/// The accounts that are collected, in order.
fn wanted(
    order: &Order,
    own: &Caller,
    organization: Option<&Organization>,
    notes: &mut Vec<(String, Option<String>)>,
) -> Result<BTreeSet<AccountId>, CollectError> {
    let accounts: BTreeSet<AccountId> = match &order.accounts {
        Accounts::Own => BTreeSet::from([own.account.clone()]),
        Accounts::These(accounts) => accounts.iter().cloned().collect(),
        Accounts::All => {
            let organization = organization.ok_or(CollectError::NoOrganization)?;
            if !organization.closed.is_empty() {
                let what = format!("{} accounts of the organisation are closed: not read", organization.closed.len());
                notes.push((what, None));
            }
            organization.accounts().filter(|account| !organization.closed.contains(account)).cloned().collect()
        }
    };
    if order.role_name.is_none() && accounts.iter().any(|account| *account != own.account) {
        return Err(CollectError::NoRoleName);
    }
    Ok(accounts)
}

fn regions(config: &SdkConfig, options: &Options) -> Vec<String> {
    if !options.regions.is_empty() {
        return options.regions.clone();
    }
    config.region().map(ToString::to_string).into_iter().collect()
}

/// The credentials are no longer good.
fn ended(call: &str, failure: &Failure, order: &Order) -> CollectError {
    CollectError::CredentialsEnded {
        call: call.into(),
        reason: format!("{}: {}", failure.code, failure.message),
        record: order.record.as_ref().map(|record| record.display().to_string()),
    }
}

/// The regions of an account that were asked.
struct Regions {
    names: Vec<String>,
    /// Whether the account has no other switched on.
    all: bool,
}

/// What every account's collection shares.
struct Run<'r> {
    config: &'r SdkConfig,
    order: &'r Order,
    pace: Pace,
    own: &'r Caller,
    regions: &'r [String],
    told: &'r dyn Fn(&Progress),
}

impl Run<'_> {
    async fn accounts(&self, accounts: &BTreeSet<AccountId>) -> Result<Vec<(String, Folder)>, CollectError> {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        let places = Arc::new(Semaphore::new(ACCOUNTS_AT_ONCE));
        let mut running = JoinSet::new();
        for id in accounts {
            let session = Arc::new(self.session(id, Arc::clone(&slots)).await);
            let (places, regions, id) = (Arc::clone(&places), self.regions.to_vec(), id.clone());
            let all = self.order.all_regions;
            running.spawn(async move {
                let _place = places.acquire().await;
                let refused = match caller(&session.config).await {
                    Ok(found) if found.account == id => None,
                    Ok(found) => Some(Failure::unusable(format!("the role is one of account {}", found.account))),
                    Err(failure) => Some(failure),
                };
                let mut asked = Regions { names: regions, all: false };
                if refused.is_none() {
                    if all && let Some(names) = account::enabled_regions(&session).await {
                        asked = Regions { names, all: true };
                    }
                    account::everything(&session, &asked.names).await;
                }
                (id, session, refused, asked)
            });
        }
        let mut folders = Vec::new();
        while let Some(done) = running.join_next().await {
            let Ok((id, session, refused, regions)) = done else {
                return Err(CollectError::Aws {
                    call: "collect".into(),
                    reason: "an account's answers were lost".into(),
                });
            };
            folders.push((id.to_string(), self.done(id, &session, refused, &regions)?));
        }
        folders.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(folders)
    }

    /// The account's answers, told of and closed.
    fn done(
        &self,
        id: AccountId,
        session: &Session,
        refused: Option<Failure>,
        asked: &Regions,
    ) -> Result<Folder, CollectError> {
        let why = session.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(failure) = why {
            return Err(ended("a call", &failure, self.order));
        }
        if let Some(failure) = &refused {
            let (key, call) = (Key::of("account-authorization-details"), "AssumeRole");
            session.store.keep(key, call, Err(failure.clone()));
        }
        let regions = object([
            ("schema", Value::text(bundle::COLLECTION_SCHEMA)),
            ("regions", list(&asked.names, |region| Value::text(region)).unwrap_or(Value::Null)),
            ("all_enabled", Value::Bool(asked.all)),
        ]);
        session.store.keep(Key::of(bundle::COLLECTION), "collect", Ok(fetch::Answer::Value(regions)));
        let (folder, Counts { answered, kept, failed }) = session.store.close()?;
        let refused = refused.map(|failure| format!("{}: {}", failure.code, failure.message));
        (self.told)(&Progress { account: id, answered: answered.saturating_sub(1), kept, failed, refused });
        Ok(folder)
    }

    async fn session(&self, id: &AccountId, slots: Arc<Semaphore>) -> Session {
        let config = match &self.order.role_name {
            Some(role) if *id != self.own.account => self.assumed(id, role).await,
            _ => self.config.clone(),
        };
        let wanted = [
            (self.order.all_regions, Part::Regions),
            (self.order.last_accessed, Part::LastAccessed),
            (self.order.access_analyzer, Part::AccessAnalyzer),
        ];
        let parts = wanted.into_iter().filter_map(|(wanted, part)| wanted.then_some(part)).collect();
        Session {
            config,
            store: Store::open(&id.to_string(), self.order.record.as_ref().map(|record| record.join(id.to_string()))),
            slots,
            pace: self.pace,
            parts,
            over: Arc::new(AtomicBool::new(false)),
            why: Mutex::new(None),
            asked: Mutex::new(BTreeSet::new()),
        }
    }

    /// The configuration with a role of another account.
    async fn assumed(&self, id: &AccountId, role: &str) -> SdkConfig {
        let arn = format!("arn:{}:iam::{id}:role/{role}", self.own.partition);
        let region = self.config.region().cloned().unwrap_or_else(|| Region::new("us-east-1"));
        let provider =
            AssumeRoleProvider::builder(arn).session_name(SESSION).region(region).configure(self.config).build().await;
        self.config.clone().into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
    }
}

#[cfg(test)]
mod moto;
#[cfg(test)]
#[path = "../../../tests/it/moto_server.rs"]
mod moto_server;
#[cfg(test)]
mod tests;
