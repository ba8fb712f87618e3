//! A live account: users, groups, roles, policies, and Lambda functions with their policies and tags.
//!
//! Each part is a call and a pure conversion to what the AWS CLI prints; the text is then read like any snapshot. What
//! was not allowed, or failed after all retries, is named in the snapshot and never taken for "nothing there".

mod convert;

use std::collections::BTreeMap;

use aws_config::{Region, SdkConfig};
use aws_sdk_iam::types::{GroupDetail, ManagedPolicyDetail, RoleDetail, UserDetail};
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::types::FunctionConfiguration;
use iam_model::arn::{AccountId, Arn};
use iam_model::diagnostic::Diagnostic;
use iam_model::json::Value;
use iam_model::snapshot::{self, SCHEMA, Snapshot};
use iam_model::text::{SourceName, SourceText};
use tokio::task::JoinSet;

pub use crate::connect::Options;
use crate::connect::{block_on, load, reason};
use crate::error::CollectError;
use convert::object;

/// Functions asked about at a time: enough to hide the way to AWS, few enough to stay below its limits.
const AT_ONCE: usize = 16;

/// Collects the account the credentials belong to.
///
/// # Errors
/// Without credentials or a region, and where not even the account's name can be read.
pub fn collect(options: &Options) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    block_on(async { collect_with(&load(options).await?, &options.regions).await })?
}

/// As [`collect`], with a configuration made before.
async fn collect_with(config: &SdkConfig, regions: &[String]) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    let mut gathered = Gathered::default();
    gathered.identities(config).await;
    let own: Vec<String> = config.region().map(ToString::to_string).into_iter().collect();
    for region in if regions.is_empty() { &own } else { regions } {
        gathered.functions_of(config, region).await;
    }
    gathered.not_read.push(Missing {
        what: "trails, stacks and the policies of buckets, queues, topics, keys, tables and secrets are not collected \
               from a live account yet: they are not known"
            .into(),
        hint: Some("make a bundle with the AWS CLI; `docs/collect.md` has the commands".into()),
    });
    gathered.into_snapshot()
}

/// What was read so far, and what could not be.
#[derive(Default)]
struct Gathered {
    users: Vec<UserDetail>,
    groups: Vec<GroupDetail>,
    roles: Vec<RoleDetail>,
    policies: Vec<ManagedPolicyDetail>,
    functions: Vec<Function>,
    not_read: Vec<Missing>,
    /// Why identities could not be read, where nothing of them was.
    fatal: Option<String>,
}

struct Missing {
    what: String,
    hint: Option<String>,
}

/// A function, and what AWS says when asked about it.
struct Function {
    description: FunctionConfiguration,
    policy: Option<String>,
    tags: Option<Vec<(String, String)>>,
}

/// An answer, that there is none, or why the call failed.
type Answer<T> = Result<Option<T>, String>;

const DETAILS: &str = "iam:GetAccountAuthorizationDetails";

impl Gathered {
    fn failed(&mut self, call: &str, why: &str, lost: &str) {
        let hint = format!("allow `{call}` to whoever collects, and collect again");
        self.not_read.push(Missing { what: format!("`{call}` failed: {why}: {lost}"), hint: Some(hint) });
    }

    async fn identities(&mut self, config: &SdkConfig) {
        let mut pages = aws_sdk_iam::Client::new(config).get_account_authorization_details().into_paginator().send();
        let mut read = 0_usize;
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    read += 1;
                    self.users.extend(page.user_detail_list.unwrap_or_default());
                    self.groups.extend(page.group_detail_list.unwrap_or_default());
                    self.roles.extend(page.role_detail_list.unwrap_or_default());
                    self.policies.extend(page.policies.unwrap_or_default());
                }
                Err(error) if read == 0 => {
                    self.fatal = Some(reason(&error));
                    return;
                }
                Err(error) => {
                    let lost = format!("only the first {read} pages of users, groups, roles and policies are known");
                    self.failed(DETAILS, &reason(&error), &lost);
                    return;
                }
            }
        }
    }

    async fn functions_of(&mut self, config: &SdkConfig, region: &str) {
        let config = aws_sdk_lambda::config::Builder::from(config).region(Region::new(region.to_owned())).build();
        let lambda = aws_sdk_lambda::Client::from_conf(config);
        let mut found = Vec::new();
        let mut pages = lambda.list_functions().into_paginator().send();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => found.extend(page.functions.unwrap_or_default()),
                Err(error) => {
                    let lost = format!("functions in {region} are not known beyond the {} read", found.len());
                    self.failed("lambda:ListFunctions", &reason(&error), &lost);
                    break;
                }
            }
        }
        let mut failures = Failures::default();
        for some in found.chunks(AT_ONCE) {
            self.functions.extend(described(&lambda, some, &mut failures).await);
        }
        failures.report(self, region, found.len());
    }

    fn into_snapshot(self) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
        let Some(id) = self.account() else {
            let reason = self.fatal.unwrap_or_else(|| "it names no user, group, role or policy of the account".into());
            return Err(CollectError::Aws { call: DETAILS.into(), reason });
        };
        let details = object([
            ("UserDetailList", Value::Array(self.users.iter().map(convert::user).collect())),
            ("GroupDetailList", Value::Array(self.groups.iter().map(convert::group).collect())),
            ("RoleDetailList", Value::Array(self.roles.iter().map(convert::role).collect())),
            ("Policies", Value::Array(self.policies.iter().map(convert::policy).collect())),
        ]);
        let policies = self.functions.iter().filter_map(|function| {
            let arn = function.description.function_arn()?;
            Some((arn.to_owned(), Value::text(function.policy.as_ref()?)))
        });
        let mut policies: Vec<(String, Value)> = policies.collect();
        policies.sort_by(|a, b| a.0.cmp(&b.0));
        policies.dedup_by(|a, b| a.0 == b.0);
        let resources = self.functions.iter().map(|f| convert::function(&f.description, f.tags.as_deref())).collect();
        let mut not_read = self.not_read;
        if let Some(why) = self.fatal {
            let what = format!("`{DETAILS}` failed: {why}: users, groups, roles and policies are not known");
            not_read.push(Missing { what, hint: None });
        }
        let account = object([
            ("authorization_details", details),
            ("resources", Value::Array(resources)),
            ("resource_policies", Value::Object(policies)),
            ("not_read", Value::Array(not_read.into_iter().map(convert::missing).collect())),
        ]);
        let root = object([
            ("schema", Value::text(SCHEMA)),
            ("organization", Value::Null),
            ("accounts", Value::Object(vec![(id.to_string(), account)])),
        ]);
        let source = SourceText { name: SourceName::new(&format!("account {id}")), text: root.to_pretty() };
        let (snapshot, mut diagnostics) = snapshot::read(source)?;
        // Lines of a text that nobody has seen yet tell nothing.
        diagnostics.iter_mut().for_each(|diagnostic| diagnostic.place.position = None);
        Ok((snapshot, diagnostics))
    }

    fn account(&self) -> Option<AccountId> {
        let roles = self.roles.iter().filter_map(RoleDetail::arn);
        let users = self.users.iter().filter_map(UserDetail::arn);
        let groups = self.groups.iter().filter_map(GroupDetail::arn);
        let policies = self.policies.iter().filter_map(ManagedPolicyDetail::arn);
        let functions = self.functions.iter().filter_map(|function| function.description.function_arn());
        let mut arns = roles.chain(users).chain(groups).chain(policies).chain(functions);
        arns.find_map(|arn| arn.parse::<Arn>().ok()?.account())
    }
}

/// Asks for the policies and tags of some functions at once; the answers come in the functions' order.
async fn described(
    lambda: &aws_sdk_lambda::Client,
    functions: &[FunctionConfiguration],
    failures: &mut Failures,
) -> Vec<Function> {
    let mut questions = JoinSet::new();
    for (place, function) in functions.iter().enumerate() {
        let (lambda, arn) = (lambda.clone(), function.function_arn().unwrap_or_default().to_owned());
        questions.spawn(async move { (place, (policy(&lambda, &arn).await, tags(&lambda, &arn).await)) });
    }
    let mut answers = BTreeMap::new();
    while let Some(answer) = questions.join_next().await {
        answers.extend(answer.ok());
    }
    let mut described = Vec::with_capacity(functions.len());
    for (place, description) in functions.iter().enumerate() {
        let lost = || (Err("the answer was lost".to_owned()), Err("the answer was lost".to_owned()));
        let (policy, tags) = answers.remove(&place).unwrap_or_else(lost);
        let name = description.function_name().unwrap_or_default();
        let policy = failures.keep(Call::Policy, name, policy);
        let tags = failures.keep(Call::Tags, name, tags);
        described.push(Function { description: description.clone(), policy, tags });
    }
    described
}

async fn policy(lambda: &aws_sdk_lambda::Client, arn: &str) -> Answer<String> {
    match lambda.get_policy().function_name(arn).send().await {
        Ok(answer) => Ok(answer.policy),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(reason(&error)),
    }
}

async fn tags(lambda: &aws_sdk_lambda::Client, arn: &str) -> Answer<Vec<(String, String)>> {
    match lambda.list_tags().resource(arn).send().await {
        Ok(answer) => {
            let mut tags: Vec<(String, String)> = answer.tags.unwrap_or_default().into_iter().collect();
            tags.sort();
            Ok(Some(tags))
        }
        Err(error) => Err(reason(&error)),
    }
}

/// Failed calls about functions: the first of each kind in full, and how many more.
#[derive(Default)]
struct Failures {
    policy: Vec<(String, String)>,
    tags: Vec<(String, String)>,
}

#[derive(Clone, Copy)]
enum Call {
    Policy,
    Tags,
}

impl Failures {
    fn keep<T>(&mut self, call: Call, function: &str, answer: Answer<T>) -> Option<T> {
        let failed = match call {
            Call::Policy => &mut self.policy,
            Call::Tags => &mut self.tags,
        };
        answer.unwrap_or_else(|why| {
            failed.push((function.to_owned(), why));
            None
        })
    }

    fn report(self, gathered: &mut Gathered, region: &str, of: usize) {
        let calls = [("lambda:GetPolicy", self.policy, "who may call"), ("lambda:ListTags", self.tags, "the tags of")];
        for (call, failed, lost) in calls {
            if let Some((function, why)) = failed.first() {
                let count = failed.len();
                let lost = format!("{lost} {count} of {of} functions in {region} is not known (`{function}` first)");
                gathered.failed(call, why, &lost);
            }
        }
    }
}

#[cfg(test)]
mod tests;
