//! What Terraform says that Lambda does with a role: read from the functions that run as it, and from what is set beside them.
//!
//! Modules from outside are asked by the inputs of `terraform-aws-modules/lambda`. Follows a role through references
//! within its module, and functions by name.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::change::AttachmentKind;

use super::evaluate::{Account, Evaluator};
use super::kinds;
use super::mention::refers_to;
use super::owner;
use super::policies;
use super::project::{At, Terraform};
use crate::settings::{Mapping, Setting, sources, targets};
use crate::tree::Node;

const FUNCTION: &str = "aws_lambda_function";
const INVOKED: &str = "aws_lambda_function_event_invoke_config";
const MAPPING: &str = "aws_lambda_event_source_mapping";

/// Types that have no rule of their own, and the service of their ARNs.
const SERVICES: &[(&str, &str)] =
    &[("aws_msk_cluster", "kafka"), ("aws_msk_serverless_cluster", "kafka"), ("aws_docdb_cluster", "rds")];

/// Everything of this kind in the files, to be asked role by role.
pub(crate) struct TerraformSettings<'p> {
    terraform: &'p Terraform,
    /// Functions by the module and address of a role they speak of, and what is set of functions by those of the function.
    by_reference: BTreeMap<(usize, String), BTreeSet<At>>,
    /// Both by the function's name.
    by_name: BTreeMap<String, BTreeSet<At>>,
}

impl<'p> TerraformSettings<'p> {
    pub(crate) fn read(terraform: &'p Terraform) -> Self {
        let mut all = Self { terraform, by_reference: BTreeMap::new(), by_name: BTreeMap::new() };
        let (account, fuel) = (Account::default(), Cell::new(0));
        for module in 0..terraform.modules.len() {
            for (at, block) in terraform.blocks(module).filter(|(_, block)| block.kind() == "resource") {
                let key = match block.of() {
                    FUNCTION => "role",
                    INVOKED | MAPPING => "function_name",
                    _ => continue,
                };
                let Some(body) = terraform.body(at) else { continue };
                for address in body.get(key).map(addresses).unwrap_or_default() {
                    all.by_reference.entry((module, address)).or_default().insert(at);
                }
                let texts = body.get("function_name").map(|node| texts((terraform, module), &account, &fuel, node));
                for name in texts.unwrap_or_default().into_iter().flatten() {
                    all.by_name.entry(last_of(&name).to_owned()).or_default().insert(at);
                }
            }
        }
        all
    }

    /// What the files say of the functions, by name, that run as a role.
    pub(crate) fn of_role(&self, role: &Arn, functions: &[&str]) -> Vec<Setting> {
        let terraform = self.terraform;
        if terraform.is_empty() {
            return Vec::new();
        }
        let roles = owner::by_arn(terraform, AttachmentKind::Identity, role);
        let address = |at: &At| Some((terraform.module_of(*at), policies::address(terraform.block(*at)?)));
        let mut asked: BTreeSet<At> =
            roles.iter().filter_map(|at| self.by_reference.get(&address(at)?)).flatten().copied().collect();
        asked.extend(functions.iter().filter_map(|name| self.by_name.get(*name)).flatten());
        let of_functions: Vec<At> =
            asked.iter().filter_map(|at| self.by_reference.get(&address(at)?)).flatten().copied().collect();
        asked.extend(of_functions);
        let is_function = |at: &At| terraform.block(*at).is_some_and(|block| block.of() == FUNCTION);
        let here: Vec<At> = asked.iter().copied().filter(is_function).collect();
        let mut found = Vec::new();
        for at in &asked {
            let (account, fuel) = (owner::account(terraform, *at, Some(role)), Cell::new(0));
            let module = terraform.module_of(*at);
            let reader = Reader { terraform, module, account: &account, fuel: &fuel, role, functions };
            let only = here.len() == 1;
            found.extend(if is_function(at) { reader.function(*at, only) } else { reader.beside(*at, &here) });
        }
        found.extend(roles.iter().filter_map(|at| of_call(terraform, *at, role, functions)));
        found.retain(|setting| !setting.is_empty());
        found
    }
}

/// The roles and functions that an expression speaks of, by address.
fn addresses(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    node.walk(&mut |node| {
        let Some(text) = node.raw_text() else { return };
        for word in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))) {
            let mut parts = word.split('.');
            if let (Some(of @ ("aws_iam_role" | FUNCTION)), Some(name)) = (parts.next(), parts.next()) {
                found.push(format!("{of}.{name}"));
            }
        }
    });
    found
}

/// Everything that a node may be, with wildcards for what is not known; nothing for a value of which nothing is.
fn texts(
    (terraform, module): (&Terraform, usize),
    account: &Account,
    fuel: &Cell<u32>,
    node: &Node,
) -> Vec<Option<String>> {
    let mut found = Vec::new();
    for call in owner::contexts(terraform, module) {
        let evaluator = Evaluator::new(terraform, module, account, true, fuel).called_by(call);
        found.extend(evaluator.fresh().node(node).texts());
    }
    found
}

/// The name of a function in what may be its ARN, with a version or without.
fn last_of(text: &str) -> &str {
    let name = text.splitn(7, ':').nth(6).unwrap_or(text);
    name.split(':').next().unwrap_or(name)
}

/// What a call of a module from outside says of the function that it makes.
fn of_call(terraform: &Terraform, call: At, role: &Arn, functions: &[&str]) -> Option<Setting> {
    let block = terraform.block(call).filter(|block| block.kind() == "module")?;
    let (body, fuel) = (terraform.body(call)?, Cell::new(0));
    let account = owner::account(terraform, call, Some(role));
    let module = terraform.module_of(call);
    let reader = Reader { terraform, module, account: &account, fuel: &fuel, role, functions };
    let targets = |key: &str| body.get(key).map(|node| reader.targets(node)).unwrap_or_default();
    let case = |key: &str, case: &'static str| targets(key).into_iter().map(move |target| (case, target));
    Some(Setting {
        function: functions.first().filter(|_| functions.len() == 1).map(|name| (*name).to_owned()),
        label: block.name().to_owned(),
        dead_letters: targets("dead_letter_target_arn"),
        events: case("destination_on_failure", "OnFailure")
            .chain(case("destination_on_success", "OnSuccess"))
            .collect(),
        systems: body.get("file_system_arn").map(|node| reader.system(node)).into_iter().collect(),
        traced: body.get("tracing_mode").is_some_and(|node| reader.text(node).is_none_or(|mode| mode == "Active")),
        in_vpc: body.get("vpc_subnet_ids").is_some_and(|node| node.raw_text() != Some("null")),
        ..Setting::default()
    })
}

struct Reader<'p> {
    terraform: &'p Terraform,
    module: usize,
    account: &'p Account,
    fuel: &'p Cell<u32>,
    role: &'p Arn,
    /// The deployed functions that run as the role.
    functions: &'p [&'p str],
}

impl<'p> Reader<'p> {
    fn texts(&self, node: &Node) -> Vec<Option<String>> {
        texts((self.terraform, self.module), self.account, self.fuel, node)
    }

    fn text(&self, node: &Node) -> Option<String> {
        self.texts(node).into_iter().flatten().next()
    }

    /// The service of the resource that a node speaks of.
    fn service(node: &Node) -> Option<&'static str> {
        let mut found = None;
        node.walk(&mut |node| {
            let Some(text) = node.raw_text() else { return };
            let spoken_of = |of: &str| text.contains(&format!("{of}."));
            let rule = kinds::RULES.iter().find(|rule| spoken_of(rule.of)).map(|rule| rule.service);
            let other = || SERVICES.iter().find(|(of, _)| spoken_of(of)).map(|(_, service)| *service);
            found = found.or(rule).or_else(other);
        });
        found
    }

    fn targets(&self, node: &Node) -> Vec<String> {
        let service = Self::service(node);
        self.texts(node).iter().flat_map(|text| targets(text.as_deref(), service, self.role)).collect()
    }

    fn system(&self, node: &Node) -> String {
        let text = self.text(node).filter(|text| text.parse::<Arn>().is_ok());
        let (partition, account) = (self.role.partition(), self.role.account_text());
        text.unwrap_or_else(|| format!("arn:{partition}:elasticfilesystem:*:{account}:access-point/*"))
    }

    fn named(&self, body: &Node) -> Option<&'p str> {
        let names = self.texts(body.get("function_name")?);
        self.functions.iter().copied().find(|name| names.iter().flatten().any(|known| known == name))
    }

    fn setting(&self, at: At, only: bool) -> Option<Setting> {
        let (block, body) = (self.terraform.block(at)?, self.terraform.body(at)?);
        let single = || self.functions.first().copied().filter(|_| only && self.functions.len() == 1);
        let function = self.named(body).or_else(single).map(str::to_owned);
        Some(Setting { function, label: block.name().to_owned(), ..Setting::default() })
    }

    /// What stands in a function's own block.
    fn function(&self, at: At, only: bool) -> Option<Setting> {
        let body = self.terraform.body(at)?;
        let mut setting = self.setting(at, only)?;
        for target in inner(body, "dead_letter_config").filter_map(|config| config.get("target_arn")) {
            setting.dead_letters.extend(self.targets(target));
        }
        setting.systems.extend(
            inner(body, "file_system_config").filter_map(|config| config.get("arn")).map(|arn| self.system(arn)),
        );
        let layers = body.get("layers").map(|node| self.texts(node)).unwrap_or_default();
        setting.layers.extend(layers.into_iter().flatten());
        setting.log_group = inner(body, "logging_config").find_map(|config| self.text(config.get("log_group")?));
        let mode = inner(body, "tracing_config").find_map(|config| config.get("mode"));
        setting.traced = mode.is_some_and(|node| self.text(node).is_none_or(|mode| mode != "PassThrough"));
        setting.in_vpc = inner(body, "vpc_config").next().is_some();
        setting.durable = inner(body, "durable_config").next().is_some();
        Some(setting)
    }

    /// What is set of functions in a block of its own.
    fn beside(&self, at: At, here: &[At]) -> Option<Setting> {
        let (block, body) = (self.terraform.block(at)?, self.terraform.body(at)?);
        let named = body.get("function_name")?;
        let is_it = |function: &&At| {
            let block = self.terraform.block(**function);
            block.is_some_and(|function| refers_to(named, &policies::address(function)))
        };
        let by_name = || {
            let texts = self.texts(named);
            let names: Vec<&str> = texts.iter().flatten().map(|text| last_of(text)).collect();
            self.functions.iter().copied().find(|name| names.contains(name))
        };
        let mut setting = match (here.iter().find(is_it), by_name()) {
            (Some(function), _) => self.setting(*function, here.len() == 1)?,
            (None, Some(name)) => {
                Setting { function: Some(name.into()), label: block.name().to_owned(), ..Setting::default() }
            }
            (None, None) => return None,
        };
        let failed = |body: &Node, key: &str| -> Vec<String> {
            let cases = inner(body, "destination_config").flat_map(|config| inner(config, key));
            let target = |case: &Node| case.get("destination").or_else(|| case.get("destination_arn")).cloned();
            cases.filter_map(target).flat_map(|node| self.targets(&node)).collect()
        };
        if block.of() == MAPPING {
            setting.mappings.push(self.mapping(body, failed(body, "on_failure")));
        } else {
            setting.events.extend(failed(body, "on_failure").into_iter().map(|target| ("OnFailure", target)));
            setting.events.extend(failed(body, "on_success").into_iter().map(|target| ("OnSuccess", target)));
        }
        Some(setting)
    }

    fn mapping(&self, body: &Node, failed: Vec<String>) -> Mapping {
        let source = |node: &Node| -> Vec<String> {
            let service = Self::service(node);
            self.texts(node).iter().flat_map(|text| sources(text.as_deref(), service, self.role)).collect()
        };
        let (partition, account) = (self.role.partition(), self.role.account_text());
        let secret = |node: &Node| {
            let text = self.text(node).unwrap_or_default();
            let known =
                text.parse::<Arn>().is_ok() || text.starts_with("subnet:") || text.starts_with("security_group:");
            if known { text } else { format!("arn:{partition}:secretsmanager:*:{account}:secret:*") }
        };
        let accesses = inner(body, "source_access_configuration").filter_map(|access| access.get("uri"));
        let topics = body.get("topics").map(|node| self.texts(node)).unwrap_or_default();
        Mapping {
            sources: body.get("event_source_arn").map(source).unwrap_or_default(),
            failed,
            secrets: accesses.map(secret).collect(),
            topics: topics.into_iter().map(|topic| topic.unwrap_or_else(|| "*".into())).collect(),
            self_managed: inner(body, "self_managed_event_source").next().is_some(),
        }
    }
}

/// The blocks of a name within a body, those that `dynamic` makes too.
fn inner<'n>(body: &'n Node, name: &'n str) -> impl Iterator<Item = &'n Node> {
    let own = move |entry: &'n crate::tree::Entry| {
        let is_dynamic = entry.name().strip_prefix("dynamic ").is_some_and(|made| made == name);
        let value = if is_dynamic { entry.value.get("content") } else { Some(&entry.value) };
        value.filter(|_| is_dynamic || entry.name() == name)
    };
    body.entries().iter().filter_map(own)
}
