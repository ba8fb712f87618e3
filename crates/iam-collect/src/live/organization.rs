//! The organisation: its tree, and the service and resource control policies on each level of it.
//!
//! Only the management account and delegated ones may read it; where it is refused, guardrails are not known, which is
//! not the same as none.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use aws_config::SdkConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{AccountStatus, PolicyType, PolicyTypeStatus};
use iam_model::arn::AccountId;
use iam_model::json::Value;

use super::answer::{Failure, Pages};
use super::shape::object;

/// An organisation as it was read.
#[derive(Debug, Default)]
pub(super) struct Organization {
    id: String,
    management: String,
    /// For each account its way down: the root first, the account itself last.
    ways: BTreeMap<AccountId, Vec<String>>,
    /// Accounts that are closed or being closed.
    pub(super) closed: BTreeSet<AccountId>,
    service_control: Controls,
    resource_control: Controls,
}

/// The policies of one type.
#[derive(Debug, Default)]
struct Controls {
    /// The documents, by id.
    documents: BTreeMap<String, String>,
    /// What hangs where.
    on: BTreeMap<String, BTreeSet<String>>,
}

/// Which call failed, and how.
pub(super) type Refusal = (&'static str, Failure);

/// Reads the organisation; nothing where the account is in none.
pub(super) async fn read(config: &SdkConfig) -> Result<Option<Organization>, Refusal> {
    const WHO: &str = "organizations:DescribeOrganization";
    let client = Client::new(config);
    let described = match client.describe_organization().send().await {
        Ok(described) => described,
        Err(error) => {
            let failure = Failure::of(&error);
            let none = failure.code == "AWSOrganizationsNotInUseException";
            return if none { Ok(None) } else { Err((WHO, failure)) };
        }
    };
    let mut organization = Organization::default();
    if let Some(about) = described.organization() {
        organization.id = about.id().unwrap_or_default().to_owned();
        organization.management = about.master_account_id().unwrap_or_default().to_owned();
    }
    let mut marks = Pages::new("");
    let mut roots = Vec::new();
    loop {
        let request = client.list_roots().set_next_token(marks.mark());
        let page = request.send().await.map_err(|e| ("organizations:ListRoots", Failure::of(&e)))?;
        roots.extend(page.roots().to_vec());
        if !marks.goes_on(page.next_token().map(ToOwned::to_owned)).map_err(|e| ("organizations:ListRoots", e))? {
            break;
        }
    }
    for root in &roots {
        let Some(id) = root.id() else { continue };
        below(&client, vec![id.to_owned()], &mut organization).await?;
        for (kind, controls) in [
            (PolicyType::ServiceControlPolicy, &mut organization.service_control),
            (PolicyType::ResourceControlPolicy, &mut organization.resource_control),
        ] {
            // A type that is switched off has no effect, whatever hangs where.
            let on = root
                .policy_types()
                .iter()
                .any(|known| known.r#type() == Some(&kind) && known.status() == Some(&PolicyTypeStatus::Enabled));
            if on {
                controls.read(&client, kind).await?;
            }
        }
    }
    Ok(Some(organization))
}

type Read<'a> = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'a>>;

/// Accounts and units below the last of `way`.
fn below<'a>(client: &'a Client, way: Vec<String>, organization: &'a mut Organization) -> Read<'a> {
    const ACCOUNTS: &str = "organizations:ListAccountsForParent";
    const UNITS: &str = "organizations:ListOrganizationalUnitsForParent";
    Box::pin(async move {
        let parent = way.last().cloned().unwrap_or_default();
        let mut marks = Pages::new("");
        loop {
            let request = client.list_accounts_for_parent().parent_id(&parent).set_next_token(marks.mark());
            let page = request.send().await.map_err(|error| (ACCOUNTS, Failure::of(&error)))?;
            for account in page.accounts() {
                let Some(id) = account.id().and_then(|id| id.parse::<AccountId>().ok()) else { continue };
                let mut way = way.clone();
                way.push(id.to_string());
                let active = account.status().is_none_or(|status| *status == AccountStatus::Active);
                if !active {
                    organization.closed.insert(id.clone());
                }
                organization.ways.insert(id, way);
            }
            if !marks.goes_on(page.next_token().map(ToOwned::to_owned)).map_err(|error| (ACCOUNTS, error))? {
                break;
            }
        }
        let mut marks = Pages::new("");
        let mut units = Vec::new();
        loop {
            let request = client.list_organizational_units_for_parent().parent_id(&parent).set_next_token(marks.mark());
            let page = request.send().await.map_err(|error| (UNITS, Failure::of(&error)))?;
            units.extend(page.organizational_units().iter().filter_map(|unit| unit.id().map(ToOwned::to_owned)));
            if !marks.goes_on(page.next_token().map(ToOwned::to_owned)).map_err(|error| (UNITS, error))? {
                break;
            }
        }
        for unit in units {
            let mut way = way.clone();
            way.push(unit);
            below(client, way, organization).await?;
        }
        Ok(())
    })
}

impl Controls {
    async fn read(&mut self, client: &Client, kind: PolicyType) -> Result<(), Refusal> {
        const POLICIES: &str = "organizations:ListPolicies";
        const TARGETS: &str = "organizations:ListTargetsForPolicy";
        let mut marks = Pages::new("");
        let mut ids = BTreeSet::new();
        loop {
            let request = client.list_policies().filter(kind.clone()).set_next_token(marks.mark());
            let page = request.send().await.map_err(|error| (POLICIES, Failure::of(&error)))?;
            ids.extend(page.policies().iter().filter_map(|policy| policy.id().map(ToOwned::to_owned)));
            if !marks.goes_on(page.next_token().map(ToOwned::to_owned)).map_err(|error| (POLICIES, error))? {
                break;
            }
        }
        for id in ids {
            let mut marks = Pages::new("");
            let mut used = false;
            loop {
                let request = client.list_targets_for_policy().policy_id(&id).set_next_token(marks.mark());
                let page = request.send().await.map_err(|error| (TARGETS, Failure::of(&error)))?;
                for target in page.targets().iter().filter_map(|target| target.target_id()) {
                    used = true;
                    self.on.entry(target.to_owned()).or_default().insert(id.clone());
                }
                if !marks.goes_on(page.next_token().map(ToOwned::to_owned)).map_err(|error| (TARGETS, error))? {
                    break;
                }
            }
            if used {
                let described = client.describe_policy().policy_id(&id).send().await;
                let described = described.map_err(|e| ("organizations:DescribePolicy", Failure::of(&e)))?;
                let content = described.policy().and_then(|policy| policy.content()).unwrap_or_default();
                self.documents.insert(id, content.to_owned());
            }
        }
        Ok(())
    }

    /// One list of documents for each level of a way; none at all where the type is switched off.
    fn along(&self, way: &[String]) -> Value {
        if self.documents.is_empty() {
            return Value::Array(Vec::new());
        }
        let level = |place: &String| {
            let ids = self.on.get(place).into_iter().flatten();
            Value::Array(ids.filter_map(|id| self.documents.get(id)).map(Value::text).collect())
        };
        Value::Array(way.iter().map(level).collect())
    }
}

impl Organization {
    /// Every account of it.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.ways.keys()
    }

    /// As the snapshot has it.
    pub(super) fn to_value(&self) -> Value {
        let accounts = self.ways.iter().map(|(account, way)| {
            let controls =
                object([("scps", self.service_control.along(way)), ("rcps", self.resource_control.along(way))]);
            (account.to_string(), controls)
        });
        object([
            ("id", Value::text(&self.id)),
            ("management_account_id", Value::text(&self.management)),
            ("accounts", Value::Object(accounts.collect())),
        ])
    }
}
