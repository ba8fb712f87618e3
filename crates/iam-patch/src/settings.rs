//! What sources say that Lambda does with the role of a function: where it passes on what failed, what it reads and mounts.
//!
//! Told as AWS describes functions, so that a template and a snapshot are asked alike. A name that is not known until it
//! is deployed becomes a wildcard: better one permission kept than a failure lost. Reads no policy and judges nothing.

use iam_model::arn::Arn;
use iam_model::json::Value;
use iam_model::snapshot::{Resource, ResourceKind};

/// What one source says of one function.
#[derive(Debug, Default)]
pub(crate) struct Setting {
    /// The deployed function, by name, where it is known which it is.
    pub(crate) function: Option<String>,
    /// What the source calls it.
    pub(crate) label: String,
    pub(crate) dead_letters: Vec<String>,
    /// Where asynchronous calls are passed on to, with the word of AWS for the case.
    pub(crate) events: Vec<(&'static str, String)>,
    pub(crate) systems: Vec<String>,
    pub(crate) layers: Vec<String>,
    pub(crate) log_group: Option<String>,
    pub(crate) traced: bool,
    pub(crate) in_vpc: bool,
    pub(crate) durable: bool,
    pub(crate) mappings: Vec<Mapping>,
}

/// An event source that Lambda reads.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    pub(crate) sources: Vec<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) secrets: Vec<String>,
    pub(crate) topics: Vec<String>,
    /// Whether it is a Kafka cluster that AWS does not run.
    pub(crate) self_managed: bool,
}

/// The services that take what failed, and those that functions read from, with the end of an ARN that may be any.
const TARGETS: [&str; 5] = ["sqs", "sns", "lambda", "events", "s3"];
const SOURCES: [&str; 6] = ["sqs", "dynamodb", "kinesis", "kafka", "mq", "rds"];

/// What an ARN may be, of which a source says this much: the text with wildcards for what is not known, and the service.
pub(crate) fn targets(text: Option<&str>, service: Option<&str>, role: &Arn) -> Vec<String> {
    possible(text, service, role, &TARGETS)
}

/// The same of an event source.
pub(crate) fn sources(text: Option<&str>, service: Option<&str>, role: &Arn) -> Vec<String> {
    possible(text, service, role, &SOURCES)
}

fn possible(text: Option<&str>, service: Option<&str>, role: &Arn, services: &[&str]) -> Vec<String> {
    if let Some(text) = text.filter(|text| text.starts_with("kafka://") || text.parse::<Arn>().is_ok()) {
        return vec![text.to_owned()];
    }
    let partition = role.partition();
    let any = |service: &&str| match *service {
        "s3" => format!("arn:{partition}:s3:::*"),
        "kafka" => format!("arn:{partition}:kafka:*:*:cluster/*/*"),
        service => format!("arn:{partition}:{service}:*:*:*"),
    };
    let of_service = service.filter(|service| services.contains(service));
    of_service.map_or_else(|| services.iter().map(any).collect(), |service| vec![any(&service)])
}

impl Setting {
    /// Whether it says nothing that asks for a permission.
    pub(crate) const fn is_empty(&self) -> bool {
        self.dead_letters.is_empty()
            && self.events.is_empty()
            && self.systems.is_empty()
            && self.layers.is_empty()
            && self.log_group.is_none()
            && !(self.traced || self.in_vpc || self.durable)
            && self.mappings.is_empty()
    }

    /// As AWS describes a function. The region is `*` where it is not known which of the deployed functions it is.
    pub(crate) fn described(self, role: &Arn, deployed: &[&Resource]) -> Resource {
        let known = self.function.as_deref().and_then(|name| deployed.iter().find(|f| f.arn.name() == name));
        let made = || {
            let name = self.label.replace(':', "-");
            format!("arn:{}:lambda:*:{}:function:{name}", role.partition(), role.account_text()).parse().ok()
        };
        let arn: Arn = known.map(|function| function.arn.clone()).or_else(made).unwrap_or_else(|| role.clone());
        let name = self.function.as_deref().unwrap_or(&self.label);
        let mut api = vec![("FunctionName".to_owned(), Value::text(name))];
        let mut add = |key: &str, value: Value| api.push((key.to_owned(), value));
        add("DeadLetterConfig", each(&self.dead_letters, |target| object("TargetArn", Value::text(target))));
        add("EventInvokeConfigs", each(&self.events, |(case, target)| destination(case, target)));
        add("FileSystemConfigs", each(&self.systems, |system| object("Arn", Value::text(system))));
        add("Layers", each(&self.layers, |layer| object("Arn", Value::text(layer))));
        if let Some(group) = &self.log_group {
            add("LoggingConfig", object("LogGroup", Value::text(group)));
        }
        if self.traced {
            add("TracingConfig", object("Mode", Value::text("Active")));
        }
        if self.in_vpc {
            add("VpcConfig", object("VpcId", Value::text("*")));
        }
        if self.durable {
            add("DurableConfig", Value::Object(Vec::new()));
        }
        add("EventSourceMappings", Value::Array(self.mappings.iter().flat_map(Mapping::described).collect()));
        Resource { kind: ResourceKind::LambdaFunction, arn, role: Some(role.clone()), api: Value::Object(api) }
    }
}

impl Mapping {
    fn described(&self) -> Vec<Value> {
        let sources = self.sources.iter().map(|source| Some(source.as_str()));
        let sources: Vec<Option<&str>> = if self.sources.is_empty() { vec![None] } else { sources.collect() };
        let one = |source: &Option<&str>| {
            let mut api = Vec::new();
            api.extend(source.map(|source| ("EventSourceArn".to_owned(), Value::text(source))));
            let failed = object("Destination", Value::Array(self.failed.iter().map(Value::text).collect()));
            api.push(("DestinationConfig".into(), object("OnFailure", failed)));
            let secrets = each(&self.secrets, |secret| object("URI", Value::text(secret)));
            api.push(("SourceAccessConfigurations".into(), secrets));
            api.push(("Topics".into(), Value::Array(self.topics.iter().map(Value::text).collect())));
            if self.self_managed {
                api.push(("SelfManagedEventSource".into(), Value::Object(Vec::new())));
            }
            Value::Object(api)
        };
        sources.iter().map(one).collect()
    }
}

fn object(key: &str, value: Value) -> Value {
    Value::Object(vec![(key.to_owned(), value)])
}

fn destination(case: &str, target: &str) -> Value {
    object("DestinationConfig", object(case, object("Destination", Value::text(target))))
}

fn each<T>(items: &[T], one: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(one).collect())
}
