//! What templates say that Lambda does with a role: read from the functions that run as it, and from what is set beside them.
//!
//! CloudFormation, SAM and the Serverless Framework. Where a template does not say whose a setting is, it is that of every
//! function of the template.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::change::Attachment;

use super::environment::running;
use super::owner;
use crate::intrinsic;
use crate::kinds;
use crate::resolve::Resolver;
use crate::settings::{Mapping, Setting, sources, targets};
use crate::stack::{Deployed, Stack};
use crate::template::{Dialect, Resource, Template};
use crate::tree::Node;

/// Settings that stand beside their function.
const INVOKED: &str = "AWS::Lambda::EventInvokeConfig";
const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

/// Words of SAM and the Serverless Framework for services.
const SERVICES: &[(&str, &str)] = &[
    ("SQS", "sqs"),
    ("SNS", "sns"),
    ("LAMBDA", "lambda"),
    ("FUNCTION", "lambda"),
    ("EVENTBRIDGE", "events"),
    ("EVENTBUS", "events"),
    ("S3", "s3"),
    ("S3BUCKET", "s3"),
];

/// Events of SAM that Lambda reads: the type, the property that names the source, and its service.
const SAM_EVENTS: &[(&str, &str, &str)] = &[
    ("SQS", "Queue", "sqs"),
    ("Kinesis", "Stream", "kinesis"),
    ("DynamoDB", "Stream", "dynamodb"),
    ("MSK", "Stream", "kafka"),
    ("MQ", "Broker", "mq"),
    ("DocumentDB", "Cluster", "rds"),
];

/// The same of the Serverless Framework; its `stream` is of either of two services.
const SERVERLESS_EVENTS: &[(&str, &str)] =
    &[("sqs", "sqs"), ("stream", ""), ("msk", "kafka"), ("activemq", "mq"), ("rabbitmq", "mq"), ("documentDb", "rds")];

/// Everything of this kind in the templates, to be asked role by role.
pub(crate) struct TemplateSettings<'t> {
    templates: &'t [Template],
    deployed: &'t Deployed,
    /// The templates that have any, by their number.
    telling: BTreeSet<usize>,
    /// The same by the names of the functions that they speak of.
    by_name: BTreeMap<String, BTreeSet<usize>>,
}

impl<'t> TemplateSettings<'t> {
    pub(crate) fn read(templates: &'t [Template], deployed: &'t Deployed) -> Self {
        let telling = templates.iter().enumerate().filter(|(_, template)| says_any(template)).map(|(index, _)| index);
        let mut all = Self { templates, deployed, telling: telling.collect(), by_name: BTreeMap::new() };
        for index in &all.telling {
            let Some(template) = templates.get(*index) else { continue };
            let mut names = Vec::new();
            for stack in deployed.stacks().filter(|stack| stack.fit(template) > 0) {
                names.extend(
                    stack.physical.iter().filter(|(id, _)| template.declares(id)).map(|(_, name)| name.clone()),
                );
                names.extend(names_in(template, stack));
            }
            names.extend(names_in(template, &Stack::default()));
            for name in names {
                all.by_name.entry(name).or_default().insert(*index);
            }
        }
        all
    }

    /// What the templates say of the functions, by name, that run as a role.
    pub(crate) fn of_role(&self, role: &Arn, functions: &[&str]) -> Vec<Setting> {
        if self.telling.is_empty() {
            return Vec::new();
        }
        let attachment = Attachment::identity(role.clone(), String::new());
        let owners = owner::owners(self.templates, self.deployed, &attachment);
        let mut asked: BTreeSet<usize> = owners.iter().map(|owner| owner.index).collect();
        asked.extend(functions.iter().filter_map(|name| self.by_name.get(*name)).flatten());
        let mut found = Vec::new();
        for index in asked.intersection(&self.telling) {
            let Some(template) = self.templates.get(*index) else { continue };
            let own: Vec<_> = owners.iter().filter(|owner| owner.index == *index).collect();
            let stack = match own.first() {
                Some(owner) => owner.stack.clone(),
                None => owner::stack_for(template, self.deployed, Some(role)),
            };
            let ids: BTreeSet<&str> = own.iter().flat_map(|owner| running(owner)).map(|function| function.id).collect();
            let reader = Reader { template, stack: &stack, role, functions, only: ids.len() == 1 };
            let runs = |function: &Resource<'_>| ids.contains(function.id) || reader.named(function).is_some();
            let here: Vec<Resource<'_>> = template.resources().filter(|r| r.is_function() && runs(r)).collect();
            found.extend(here.iter().map(|function| reader.function(function, ids.contains(function.id))));
            let beside = template.resources().filter(|resource| matches!(resource.kind, INVOKED | MAPPING));
            found.extend(beside.filter_map(|resource| reader.beside(&resource, &here)));
        }
        found.retain(|setting| !setting.is_empty());
        found
    }
}

/// Whether a template says anything of this kind.
fn says_any(template: &Template) -> bool {
    template.resources().any(|resource| resource.is_function() || matches!(resource.kind, INVOKED | MAPPING))
}

/// The names of functions that a template gives or speaks of.
fn names_in(template: &Template, stack: &Stack) -> Vec<String> {
    let resolver = Resolver::with_defaults(template, stack);
    let named = template.resources().filter_map(|resource| {
        let spoken_of = matches!(resource.kind, INVOKED | MAPPING);
        let node = if resource.is_function() || spoken_of { resource.property("FunctionName") } else { None };
        let node = node.or_else(|| resource.property("name").filter(|_| resource.is_function()))?;
        resolver.known(node).map(|text| last_of(&text).to_owned())
    });
    named.collect()
}

/// The name of a function in what may be its ARN, with a version or without.
fn last_of(text: &str) -> &str {
    let name = text.splitn(7, ':').nth(6).unwrap_or(text);
    name.split(':').next().unwrap_or(name)
}

struct Reader<'r> {
    template: &'r Template,
    stack: &'r Stack,
    role: &'r Arn,
    /// The deployed functions that run as the role.
    functions: &'r [&'r str],
    /// Whether one function of the template runs as the role.
    only: bool,
}

impl<'r> Reader<'r> {
    /// Everything that a node may be, with wildcards for what is not known; nothing for a value of which nothing is.
    fn texts(&self, node: &Node) -> Vec<Option<String>> {
        Resolver::with_defaults(self.template, self.stack).value(node).texts()
    }

    fn text(&self, node: &Node) -> Option<String> {
        self.texts(node).into_iter().flatten().next()
    }

    /// The service of the resource that a node speaks of.
    fn service(&self, node: &Node) -> Option<&'static str> {
        let kind = intrinsic::references(node).iter().find_map(|id| Some(self.template.resource(id)?.kind))?;
        match kinds::rule(kind) {
            Some(rule) => Some(rule.service),
            None if kind.starts_with("AWS::MSK::") => Some("kafka"),
            None if kind.starts_with("AWS::AmazonMQ::") => Some("mq"),
            None if kind.starts_with("AWS::DocDB::") => Some("rds"),
            None => None,
        }
    }

    fn targets(&self, node: &Node, service: Option<&str>) -> Vec<String> {
        let service = service.or_else(|| self.service(node));
        self.texts(node).iter().flat_map(|text| targets(text.as_deref(), service, self.role)).collect()
    }

    fn sources(&self, node: &Node, service: Option<&str>) -> Vec<String> {
        let service = service.filter(|service| !service.is_empty()).or_else(|| self.service(node));
        self.texts(node).iter().flat_map(|text| sources(text.as_deref(), service, self.role)).collect()
    }

    /// The deployed function that a resource of the template is, where its name tells.
    fn named(&self, function: &Resource<'_>) -> Option<&'r str> {
        let physical = self.stack.physical.get(function.id);
        let named = function.property("FunctionName").or_else(|| function.property("name"));
        let named = named.and_then(|node| Resolver::with_defaults(self.template, self.stack).known(node));
        let is_it = |name: &&&str| physical.is_some_and(|id| id == *name) || named.as_deref() == Some(**name);
        self.functions.iter().find(is_it).copied()
    }

    fn setting(&self, function: &Resource<'_>, runs: bool) -> Setting {
        let single = || self.functions.first().copied().filter(|_| runs && self.only && self.functions.len() == 1);
        let function_name = self.named(function).or_else(single).map(str::to_owned);
        Setting { function: function_name, label: function.id.to_owned(), ..Setting::default() }
    }

    /// What stands in a function's own description.
    fn function(&self, function: &Resource<'_>, runs: bool) -> Setting {
        let mut setting = self.setting(function, runs);
        if self.template.dialect == Dialect::Serverless && !function.kind.starts_with("AWS::") {
            self.serverless(function, &mut setting);
            return setting;
        }
        let sam = function.kind == "AWS::Serverless::Function";
        let globals = self.template.section("Globals", "Function").filter(|_| sam);
        let property = |name: &str| function.property(name).or_else(|| globals?.get(name));
        let dead_letters = property(if sam { "DeadLetterQueue" } else { "DeadLetterConfig" });
        setting.dead_letters.extend(dead_letters.into_iter().flat_map(|config| self.typed(config, "TargetArn")));
        if let Some(config) = property("EventInvokeConfig") {
            self.destinations(config, &mut setting);
        }
        self.shared(&property, &mut setting);
        let mode = || property("TracingConfig")?.get("Mode");
        let traced = if sam { property("Tracing") } else { mode() };
        setting.traced = traced.is_some_and(|node| self.text(node).is_none_or(|mode| mode != "PassThrough"));
        for event in property("Events").filter(|_| sam).into_iter().flat_map(Node::entries) {
            setting.mappings.extend(self.sam_event(&event.value));
        }
        setting
    }

    /// What functions of CloudFormation and SAM say alike.
    fn shared<'n>(&self, property: &dyn Fn(&str) -> Option<&'n Node>, setting: &mut Setting) {
        for system in property("FileSystemConfigs").map(Node::items).unwrap_or_default() {
            setting.systems.extend(self.system(system.get("Arn")));
        }
        let layers = property("Layers").map(Node::items).unwrap_or_default();
        setting.layers.extend(layers.iter().filter_map(|layer| self.text(layer)));
        setting.log_group = property("LoggingConfig").and_then(|config| self.text(config.get("LogGroup")?));
        setting.in_vpc = property("VpcConfig").is_some_and(Self::names_subnets);
        setting.durable = property("DurableConfig").is_some();
    }

    fn names_subnets(config: &Node) -> bool {
        let subnets = config.get("SubnetIds").or_else(|| config.get("subnetIds"));
        subnets.map_or_else(
            || !config.is_map() || intrinsic::call(config).is_some(),
            |node| !node.is_seq() || !node.items().is_empty(),
        )
    }

    /// The access point that a function mounts; any where its ARN is not known.
    fn system(&self, node: Option<&Node>) -> Option<String> {
        let text = self.text(node?).filter(|text| text.parse::<Arn>().is_ok());
        let (partition, account) = (self.role.partition(), self.role.account_text());
        Some(text.unwrap_or_else(|| format!("arn:{partition}:elasticfilesystem:*:{account}:access-point/*")))
    }

    /// `{Type: SQS, TargetArn: …}`: the target, or any of the service where SAM makes it.
    fn typed(&self, config: &Node, key: &str) -> Vec<String> {
        let word = config.get("Type").or_else(|| config.get("type")).and_then(Node::text);
        let service = word.and_then(service_of);
        match config.get(key) {
            Some(node) => self.targets(node, service),
            None if service.is_some() => targets(None, service, self.role),
            None => Vec::new(),
        }
    }

    fn destinations(&self, config: &Node, setting: &mut Setting) {
        let Some(config) = config.get("DestinationConfig") else { return };
        for case in ["OnFailure", "OnSuccess"] {
            let found = config.get(case).map(|one| self.typed(one, "Destination")).unwrap_or_default();
            setting.events.extend(found.into_iter().map(|target| (case, target)));
        }
    }

    fn sam_event(&self, event: &Node) -> Option<Mapping> {
        let (kind, properties) = (event.get("Type")?.text()?, event.get("Properties")?);
        if kind == "SelfManagedKafka" {
            return Some(Mapping { self_managed: true, ..self.mapping(properties, None) });
        }
        let (_, key, service) = SAM_EVENTS.iter().find(|(known, _, _)| *known == kind)?;
        Some(self.mapping(properties, properties.get(key).map(|node| (node, *service))))
    }

    fn mapping(&self, properties: &Node, source: Option<(&Node, &str)>) -> Mapping {
        let items = |key: &str| properties.get(key).map(Node::items).unwrap_or_default();
        let failed = properties.get("DestinationConfig").and_then(|config| config.get("OnFailure"));
        let secrets = items("SourceAccessConfigurations").iter().filter_map(|access| access.get("URI"));
        Mapping {
            sources: source.map(|(node, service)| self.sources(node, Some(service))).unwrap_or_default(),
            failed: failed.map(|failed| self.typed(failed, "Destination")).unwrap_or_default(),
            secrets: secrets.map(|node| self.secret(node)).collect(),
            topics: items("Topics").iter().map(|topic| self.text(topic).unwrap_or_else(|| "*".into())).collect(),
            self_managed: properties.get("SelfManagedEventSource").is_some(),
        }
    }

    /// The secret that signs in at a source; any where its ARN is not known, as it is not where a template makes it.
    fn secret(&self, node: &Node) -> String {
        let (partition, account) = (self.role.partition(), self.role.account_text());
        let text = self.text(node).unwrap_or_default();
        if text.parse::<Arn>().is_ok() || text.starts_with("subnet:") || text.starts_with("security_group:") {
            return text;
        }
        format!("arn:{partition}:secretsmanager:*:{account}:secret:*")
    }

    /// What is set of functions in a resource of its own.
    fn beside(&self, resource: &Resource<'_>, here: &[Resource<'_>]) -> Option<Setting> {
        let named = resource.property("FunctionName")?;
        let references = intrinsic::references(named);
        let known = Resolver::with_defaults(self.template, self.stack).known(named);
        let name = known.as_deref().map(last_of);
        let of_reference = here.iter().find(|function| references.iter().any(|id| id == function.id));
        let of_name = name.and_then(|name| {
            here.iter()
                .find(|function| self.named(function) == Some(name))
                .map(Some)
                .or_else(|| self.functions.contains(&name).then_some(None))
        });
        let mut setting = match (of_reference, of_name) {
            (Some(function), _) | (None, Some(Some(function))) => self.setting(function, true),
            (None, Some(None)) => {
                Setting { function: name.map(str::to_owned), label: resource.id.to_owned(), ..Setting::default() }
            }
            // Another function's, or nobody knows whose.
            (None, None) => {
                let other = name.is_some() || references.iter().any(|id| self.template.resource(id).is_some());
                if other || here.is_empty() {
                    return None;
                }
                Setting { label: resource.id.to_owned(), ..Setting::default() }
            }
        };
        let properties = resource.properties?;
        if resource.kind == MAPPING {
            let source = properties.get("EventSourceArn").map(|node| (node, ""));
            setting.mappings.push(self.mapping(properties, source));
        } else {
            self.destinations(properties, &mut setting);
        }
        Some(setting)
    }

    /// A function of the Serverless Framework.
    fn serverless(&self, function: &Resource<'_>, setting: &mut Setting) {
        let provider = self.template.root.get("provider");
        let property = |name: &str| function.property(name).or_else(|| provider?.get(name));
        setting.dead_letters.extend(function.property("onError").into_iter().flat_map(|node| self.targets(node, None)));
        for (key, case) in [("onFailure", "OnFailure"), ("onSuccess", "OnSuccess")] {
            let node = function.property("destinations").and_then(|config| config.get(key));
            setting.events.extend(node.into_iter().flat_map(|node| self.passed_on(node)).map(|target| (case, target)));
        }
        setting.systems.extend(function.property("fileSystemConfig").and_then(|config| self.system(config.get("arn"))));
        let layers = property("layers").map(Node::items).unwrap_or_default();
        setting.layers.extend(layers.iter().filter_map(|layer| self.text(layer)));
        let tracing = || provider?.get("tracing")?.get("lambda");
        let traced = function.property("tracing").or_else(tracing).and_then(|node| self.text(node));
        setting.traced = traced.is_some_and(|mode| !matches!(mode.as_str(), "PassThrough" | "false"));
        setting.in_vpc = property("vpc").is_some_and(Self::names_subnets);
        for event in function.property("events").map(Node::items).unwrap_or_default() {
            setting.mappings.extend(event.entries().iter().filter_map(|e| self.serverless_event(e.name(), &e.value)));
        }
    }

    /// A destination of the Serverless Framework: an ARN, the name of a function of the service, or `{type, arn}`.
    fn passed_on(&self, node: &Node) -> Vec<String> {
        if let Some(arn) = node.get("arn").filter(|_| intrinsic::call(node).is_none()) {
            let service = node.get("type").and_then(Node::text).and_then(service_of);
            return self.targets(arn, service);
        }
        let is_name = node.text().is_some_and(|text| self.template.function_named(text).is_some());
        self.targets(node, is_name.then_some("lambda"))
    }

    fn serverless_event(&self, kind: &str, event: &Node) -> Option<Mapping> {
        if kind == "kafka" {
            let secrets = event.get("accessConfigurations").into_iter().flat_map(Node::entries);
            let secrets = secrets.map(|access| self.secret(&access.value)).collect();
            return Some(Mapping { self_managed: true, secrets, ..Mapping::default() });
        }
        let (_, service) = SERVERLESS_EVENTS.iter().find(|(known, _)| *known == kind)?;
        let plain = intrinsic::call(event).is_some() || !event.is_map();
        let arn = if plain { event } else { event.get("arn").or_else(|| event.get("cluster"))? };
        let failed = event.get("destinations").and_then(|config| config.get("onFailure")).filter(|_| !plain);
        let secrets = ["basicAuthArn", "auth"].iter().filter_map(|key| event.get(key)).filter(|_| !plain);
        let topics = ["topic", "topics"].iter().filter_map(|key| event.get(key)).filter(|_| !plain);
        Some(Mapping {
            sources: self.sources(arn, Some(service)),
            failed: failed.map(|node| self.passed_on(node)).unwrap_or_default(),
            secrets: secrets.map(|node| self.secret(node)).collect(),
            topics: topics.flat_map(|node| self.texts(node)).map(|topic| topic.unwrap_or_else(|| "*".into())).collect(),
            self_managed: false,
        })
    }
}

fn service_of(word: &str) -> Option<&'static str> {
    let upper = word.to_ascii_uppercase();
    SERVICES.iter().find(|(known, _)| *known == upper).map(|(_, service)| *service)
}
