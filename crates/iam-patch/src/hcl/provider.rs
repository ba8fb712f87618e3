//! Where a block is deployed: the account, Region and partition that its provider means.
//!
//! A `provider` or `region` argument, or `providers` in a module's call, leads away from the default provider of the root
//! module; what cannot be told from the files is unknown, and then the block is taken for nothing.

use std::cell::Cell;

use iam_model::arn::Arn;

use super::evaluate::{Account, Evaluator};
use super::kinds::TypeRule;
use super::project::{At, Terraform};
use crate::tree::{Node, Plain};

/// The provider that resources of AWS have where they name none.
const AWS: &str = "aws";
/// Levels of modules, and steps of one search through their calls.
const DEPTH: usize = 8;
const STEPS: u32 = 2_000;

/// Arguments of a provider, to compare.
type Arguments = Vec<(String, Plain)>;

/// Arguments of a provider that do not say whose account it is.
const NOT_CREDENTIALS: &[&str] = &[
    "alias",
    "region",
    "version",
    "default_tags",
    "ignore_tags",
    "max_retries",
    "retry_mode",
    "allowed_account_ids",
    "skip_metadata_api_check",
    "skip_region_validation",
];

/// One thing that a provider decides.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// What the default provider of the root module decides.
    Default,
    Known(String),
    Unknown,
}

impl Said {
    fn over(&self, default: Option<&String>) -> Option<String> {
        match self {
            Self::Default => default.cloned(),
            Self::Known(known) => Some(known.clone()),
            Self::Unknown => None,
        }
    }

    /// Whether it can be this; what the default provider decides can be anything that is not known otherwise.
    fn may_be(&self, text: &str, default: Option<&String>) -> bool {
        match self {
            Self::Default => default.is_none_or(|default| default == text),
            Self::Known(known) => known == text,
            Self::Unknown => false,
        }
    }
}

/// What a provider says about the blocks it deploys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provider {
    id: Said,
    region: Said,
    partition: Said,
}

impl Provider {
    /// The account, where `default` is that of the root's default provider.
    pub(super) fn account(&self, default: &Account) -> Account {
        Account {
            partition: self.partition.over(default.partition.as_ref()),
            id: self.id.over(default.id.as_ref()),
            region: self.region.over(default.region.as_ref()),
        }
    }

    /// Whether a resource of this type, deployed so, can have the partition, Region and account of an ARN.
    pub(super) fn may_be(&self, rule: &TypeRule, (partition, region, id): (&str, &str, &str), known: &Account) -> bool {
        self.partition.may_be(partition, known.partition.as_ref())
            && (!rule.regional() || self.region.may_be(region, known.region.as_ref()))
            && (!rule.has_account() || self.id.may_be(id, known.id.as_ref()))
    }

    /// Whether a resource of this type, deployed so, can have the ARN.
    pub(super) fn may_have(&self, rule: &TypeRule, arn: &Arn) -> bool {
        self.may_be(rule, (arn.partition(), arn.region(), arn.account_text()), &Account::default())
    }

    /// Whether an IAM resource, deployed so, can be of the ARN's account.
    pub(super) fn may_own(&self, arn: &Arn) -> bool {
        self.id.may_be(arn.account_text(), None)
    }

    /// What the ARN of a block that is deployed so tells of the root's default provider.
    pub(super) fn default_for(&self, arn: &Arn) -> Account {
        let told = |said: &Said, text: &str| (*said == Said::Default && !text.is_empty()).then(|| text.to_owned());
        Account {
            partition: told(&self.partition, arn.partition()),
            id: told(&self.id, arn.account_text()),
            region: told(&self.region, arn.region()),
        }
    }
}

/// A configuration of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Configuration {
    /// The default one of the root module, whichever root that is.
    Default,
    Block(At),
    Unknown,
}

/// How a block of a module is deployed; `call` is the call in whose context the module is looked at.
pub(super) fn of(terraform: &Terraform, module: usize, call: Option<At>, body: &Node) -> Provider {
    let named = body.get("provider");
    let mut provider = match named {
        Some(node) => {
            let search = Search { terraform, steps: &Cell::new(STEPS) };
            let configuration = node.raw_text().map(|named| search.named(module, call, named, 0));
            search.said(module, call, configuration.unwrap_or(Configuration::Unknown))
        }
        None => unnamed(terraform, module, call),
    };
    if let Some(node) = body.get("region") {
        provider.region = region_of(terraform, module, node).map_or(Said::Unknown, Said::Known);
        provider.partition = partition_of(&provider.region, &provider.id);
    }
    provider
}

/// How blocks of a module that name no provider are deployed.
fn unnamed(terraform: &Terraform, module: usize, call: Option<At>) -> Provider {
    let search = Search { terraform, steps: &Cell::new(STEPS) };
    let find = || search.said(module, call, search.find(module, call, AWS, None, 0));
    match terraform.modules.get(module).filter(|_| call.is_none()) {
        Some(known) => known.provider.get_or_init(find).clone(),
        None => find(),
    }
}

/// How blocks of a module that name no provider are deployed.
pub(super) fn inherited(terraform: &Terraform, module: usize) -> Provider {
    unnamed(terraform, module, None)
}

/// The default provider of the root module that leads to a module.
pub(super) fn default(terraform: &Terraform, module: usize) -> Provider {
    Search { terraform, steps: &Cell::new(STEPS) }.said(module, None, Configuration::Default)
}

/// How a module from outside is deployed by its call.
pub(super) fn of_call(terraform: &Terraform, call: At, body: &Node) -> Provider {
    let module = terraform.module_of(call);
    let Some(named) = passed(body, AWS) else { return unnamed(terraform, module, None) };
    let search = Search { terraform, steps: &Cell::new(STEPS) };
    search.said(module, None, search.named(module, None, named, 0))
}

struct Search<'p> {
    terraform: &'p Terraform,
    steps: &'p Cell<u32>,
}

impl Search<'_> {
    /// What `aws` or `aws.alias` means in a module.
    fn named(&self, module: usize, call: Option<At>, named: &str, depth: usize) -> Configuration {
        let mut parts = named.trim().split('.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(name), alias, None) if !name.is_empty() => self.find(module, call, name, alias, depth),
            _ => Configuration::Unknown,
        }
    }

    fn find(&self, module: usize, call: Option<At>, name: &str, alias: Option<&str>, depth: usize) -> Configuration {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        if left == 0 || depth > DEPTH {
            return Configuration::Unknown;
        }
        let terraform = self.terraform;
        let calls = calls(terraform, module, &call);
        match (configured(terraform, module, name, alias).as_slice(), calls, alias) {
            ([_, _, ..], ..) => return Configuration::Unknown,
            ([_] | [], [], None) if name == AWS => return Configuration::Default,
            ([own], ..) => return Configuration::Block(*own),
            ([], [], _) => return Configuration::Unknown,
            ([], ..) => {}
        }
        let key = alias.map_or_else(|| name.to_owned(), |alias| format!("{name}.{alias}"));
        let given = |call: &At| {
            let (above, body) = (terraform.module_of(*call), terraform.body(*call));
            match (body.and_then(|body| passed(body, &key)), alias) {
                (Some(named), _) => self.named(above, None, named, depth + 1),
                (None, None) => self.find(above, None, name, None, depth + 1),
                (None, Some(_)) => Configuration::Unknown,
            }
        };
        let mut all = calls.iter().map(given);
        let first = all.next().unwrap_or(Configuration::Unknown);
        if all.all(|other| other == first) { first } else { Configuration::Unknown }
    }

    fn said(&self, module: usize, call: Option<At>, configuration: Configuration) -> Provider {
        let terraform = self.terraform;
        let default = default_block(terraform, module, call);
        let at = match configuration {
            Configuration::Default => default,
            Configuration::Block(at) => Some(at),
            Configuration::Unknown => {
                return Provider { id: Said::Unknown, region: Said::Unknown, partition: Said::Unknown };
            }
        };
        let body = at.and_then(|at| terraform.body(at));
        let of_default = default.and_then(|at| terraform.body(at));
        let same = |part: &dyn Fn(Option<&Node>) -> Arguments| {
            configuration == Configuration::Default || part(body) == part(of_default)
        };
        let otherwise = |same: bool| if same { Said::Default } else { Said::Unknown };
        let id = at.zip(body).and_then(|(at, body)| account_of(terraform, at, body));
        let id = id.map_or_else(|| otherwise(same(&credentials)), Said::Known);
        let region =
            at.zip(body).and_then(|(at, body)| region_of(terraform, terraform.module_of(at), body.get("region")?));
        let region = region.map_or_else(|| otherwise(same(&region_as_written)), Said::Known);
        let partition = partition_of(&region, &id);
        Provider { id, region, partition }
    }
}

/// The calls of a module, or the one in whose context it is looked at.
fn calls<'c>(terraform: &'c Terraform, module: usize, call: &'c Option<At>) -> &'c [At] {
    let all = terraform.calls_of(module);
    call.as_ref().filter(|call| all.contains(call)).map_or(all, std::slice::from_ref)
}

/// The blocks that configure a provider under an alias, or without one.
fn configured(terraform: &Terraform, module: usize, name: &str, alias: Option<&str>) -> Vec<At> {
    let named = |at: &&At| terraform.block(**at).is_some_and(|block| block.of() == name);
    let blocks = terraform.providers(module).iter().filter(named);
    let fits = |at: &At| {
        let body = terraform.body(*at);
        body.is_some_and(|body| match body.get("alias") {
            Some(node) => alias.is_some() && node.text() == alias,
            None => alias.is_none(),
        })
    };
    blocks.copied().filter(fits).collect()
}

/// The block that configures the default provider of the root module, where one root leads here.
fn default_block(terraform: &Terraform, module: usize, call: Option<At>) -> Option<At> {
    let (mut module, mut call) = (module, call);
    for _ in 0..DEPTH {
        match calls(terraform, module, &call) {
            [] => break,
            [only] => module = terraform.module_of(*only),
            _ => return None,
        }
        call = None;
    }
    match configured(terraform, module, AWS, None).as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// What a call passes for a provider of the module it calls.
fn passed<'t>(body: &'t Node, key: &str) -> Option<&'t str> {
    let providers = body.get("providers")?.entries().iter();
    providers.into_iter().find(|entry| entry.key.raw_text() == Some(key))?.value.raw_text()
}

/// The account that a provider works in: of the role it assumes, or the only one it allows.
fn account_of(terraform: &Terraform, at: At, body: &Node) -> Option<String> {
    let (account, fuel) = (Account::default(), Cell::new(0));
    let evaluator = Evaluator::new(terraform, terraform.module_of(at), &account, false, &fuel);
    let first = |node: &Node| if node.is_seq() { node.items().last().cloned() } else { Some(node.clone()) };
    let assumed = ["assume_role", "assume_role_with_web_identity"].iter().find_map(|key| body.get(key)).and_then(first);
    let role = assumed.as_ref().and_then(|node| node.get("role_arn")).and_then(|node| evaluator.known(node));
    let role = role.and_then(|role| Some(role.parse::<Arn>().ok()?.account()?.as_str().to_owned()));
    role.or_else(|| match body.get("allowed_account_ids")?.items() {
        [only] => evaluator.known(only),
        _ => None,
    })
}

/// The accounts that providers of these files name.
pub(super) fn accounts(terraform: &Terraform) -> Vec<String> {
    let blocks = (0..terraform.modules.len()).flat_map(|module| terraform.providers(module));
    let mut found: Vec<String> = blocks.filter_map(|at| account_of(terraform, *at, terraform.body(*at)?)).collect();
    found.sort();
    found.dedup();
    found
}

fn region_of(terraform: &Terraform, module: usize, node: &Node) -> Option<String> {
    let (account, fuel) = (Account::default(), Cell::new(0));
    Evaluator::new(terraform, module, &account, false, &fuel).known(node).filter(|region| !region.is_empty())
}

fn partition_of(region: &Said, id: &Said) -> Said {
    match region {
        // An account is of one partition.
        Said::Unknown => {
            if *id == Said::Default {
                Said::Default
            } else {
                Said::Unknown
            }
        }
        Said::Known(region) if region.starts_with("cn-") => Said::Known("aws-cn".into()),
        Said::Known(region) if region.starts_with("us-gov-") => Said::Known("aws-us-gov".into()),
        // Of the isolated partitions and those to come, the names of Regions do not say which.
        Said::Known(region) if region.contains("iso") || region.starts_with("eusc-") => Said::Default,
        Said::Known(_) => Said::Known("aws".into()),
        Said::Default => Said::Default,
    }
}

/// What says whose account it is.
fn credentials(body: Option<&Node>) -> Arguments {
    let entries = body.map(Node::entries).unwrap_or_default().iter();
    let mut found: Arguments = entries
        .filter(|entry| !NOT_CREDENTIALS.contains(&entry.name()))
        .map(|entry| (entry.name().to_owned(), entry.value.plain()))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn region_as_written(body: Option<&Node>) -> Arguments {
    body.and_then(|body| body.get("region")).map(|node| vec![("region".to_owned(), node.plain())]).unwrap_or_default()
}

#[cfg(test)]
mod tests;
