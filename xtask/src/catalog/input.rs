//! The inputs as typed rows, in the order they are written: names compare without regard to case.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

const FREE: &str = include_str!("../../data/free.txt");

/// Everything the catalogue is made from.
pub(crate) struct Facts {
    /// By prefix in lower case.
    pub(crate) services: BTreeMap<String, Service>,
    /// Event sources with exceptional prefixes.
    pub(crate) sources: BTreeMap<String, Vec<String>>,
    /// (event source, event name) -> operation.
    pub(crate) aliases: BTreeMap<(String, String), String>,
    pub(crate) dated_sources: Vec<String>,
    pub(crate) free_operations: Vec<String>,
    pub(crate) other_event_types: Vec<String>,
}

impl Facts {
    /// The names of an action's resource types.
    pub(crate) fn resource_types(&self, prefix: &str, name: &str) -> Vec<&str> {
        let service = self.services.get(&prefix.to_ascii_lowercase());
        let action = service.and_then(|service| service.actions.get(&name.to_ascii_lowercase()));
        let numbers = action.into_iter().flat_map(|action| &action.resource_types);
        let kind = |number: &u32| Some(service?.resource_types.get(*number as usize)?.name.as_str());
        numbers.filter_map(kind).collect()
    }
}

#[derive(Default)]
pub(crate) struct Service {
    pub(crate) prefix: String,
    pub(crate) keys: Vec<String>,
    pub(crate) resource_types: Vec<ResourceType>,
    /// By name in lower case.
    pub(crate) actions: BTreeMap<String, Action>,
    /// By name in lower case.
    pub(crate) operations: BTreeMap<String, Operation>,
}

pub(crate) struct ResourceType {
    pub(crate) name: String,
    pub(crate) patterns: Vec<String>,
    pub(crate) keys: Vec<u32>,
}

pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) flags: u32,
    pub(crate) resource_types: Vec<u32>,
    pub(crate) keys: Vec<u32>,
    /// Whether some operation's call shows that the action was used.
    pub(crate) shown: Cell<bool>,
}

pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) forwarded: Vec<(String, String)>,
}

pub(crate) struct Pair {
    /// Prefix of the action; the operation's own where the input gives none.
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) primary: bool,
    pub(crate) templates: BTreeMap<String, Vec<String>>,
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

impl Facts {
    /// Reads the three files of `from`, and lays the overrides over the operations.
    pub(crate) fn read(from: &Path, overrides: &str) -> Result<Self, String> {
        let mut services = BTreeMap::new();
        for (prefix, value) in entries(&file(from, "sar.json")?) {
            services.insert(prefix.to_ascii_lowercase(), service(&prefix, &value));
        }
        let overrides: Value = serde_json::from_str(overrides).map_err(|error| format!("overrides.json: {error}"))?;
        for table in [file(from, "ops.json")?, overrides] {
            for (prefix, operations) in entries(&table) {
                let service = services
                    .entry(prefix.to_ascii_lowercase())
                    .or_insert_with(|| Service { prefix: prefix.clone(), ..Service::default() });
                for (name, value) in entries(&operations) {
                    service.operations.insert(name.to_ascii_lowercase(), operation(&prefix, &name, &value));
                }
            }
        }
        let sources = file(from, "sources.json")?;
        Ok(Self {
            services,
            sources: entries(member(&sources, "exceptions")).into_iter().map(|(k, v)| (k, texts(&v))).collect(),
            aliases: aliases(member(&sources, "event_name_rules")),
            dated_sources: dated_sources(member(&sources, "event_name_rules")),
            free_operations: free_operations(&sources),
            other_event_types: texts(member(&sources, "not_api_calls_eventType")),
        })
    }
}

fn file(from: &Path, name: &str) -> Result<Value, String> {
    let path = from.join(name);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn entries(value: &Value) -> Vec<(String, Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn member<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A list of texts, or one text.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        other => items(Some(other)).iter().map(|item| text(Some(item))).collect(),
    }
}

fn number(value: Option<&Value>) -> u32 {
    value.and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or_default()
}

fn numbers(value: Option<&Value>) -> Vec<u32> {
    items(value).iter().map(|item| number(Some(item))).collect()
}

fn service(prefix: &str, value: &Value) -> Service {
    let actions = entries(member(value, "a")).into_iter().map(|(name, facts)| {
        let facts = if facts.is_array() { facts } else { Value::Array(vec![facts]) };
        let action = Action {
            flags: number(facts.get(0)),
            resource_types: numbers(facts.get(1)),
            keys: numbers(facts.get(2)),
            shown: Cell::new(false),
            name: name.clone(),
        };
        (name.to_ascii_lowercase(), action)
    });
    let resource_types = items(value.get("r")).iter().map(|row| ResourceType {
        name: text(row.get(0)),
        patterns: row.get(1).map(texts).unwrap_or_default(),
        keys: numbers(row.get(2)),
    });
    Service {
        prefix: prefix.to_owned(),
        keys: items(value.get("c")).iter().map(|row| text(row.get(0))).collect(),
        resource_types: resource_types.collect(),
        actions: actions.collect(),
        operations: BTreeMap::new(),
    }
}

fn operation(prefix: &str, name: &str, value: &Value) -> Operation {
    let mut pairs: Vec<Pair> = items(value.get("x")).iter().map(|row| pair(prefix, row)).collect();
    pairs.sort_by_key(|pair| !pair.primary);
    Operation {
        name: name.to_owned(),
        pairs,
        forwarded: items(value.get("f")).iter().map(|row| (text(row.get(0)), text(row.get(1)))).collect(),
    }
}

fn pair(prefix: &str, row: &Value) -> Pair {
    let action = text(row.get(0));
    let (service, name) = action.split_once(':').unwrap_or((prefix, &action));
    let table = |index: usize| -> BTreeMap<String, Vec<String>> {
        row.get(index).map(entries).unwrap_or_default().into_iter().map(|(k, v)| (k, texts(&v))).collect()
    };
    Pair {
        service: service.to_owned(),
        name: name.to_owned(),
        primary: text(row.get(1)).starts_with('p'),
        templates: table(2),
        context: table(3),
    }
}

/// Event names that differ from the operation's. A name with a prefix of another API stands for itself.
fn aliases(rules: &Value) -> BTreeMap<(String, String), String> {
    let mut out = BTreeMap::new();
    for rule in items(Some(rules)) {
        for source in texts(member(rule, "sources")) {
            for (event, operation) in entries(member(rule, "alias")) {
                let operation = text(Some(&operation));
                if operation != event && !operation.contains(':') {
                    out.insert((source.clone(), event), operation);
                }
            }
        }
    }
    out
}

/// Calls that need no permission: those of the input, and those no action stands for.
fn free_operations(sources: &Value) -> Vec<String> {
    let mut out = texts(member(sources, "no_permission_needed"));
    out.extend(FREE.lines().filter(|line| !line.starts_with('#')).map(str::to_owned));
    out
}

fn dated_sources(rules: &Value) -> Vec<String> {
    items(Some(rules))
        .iter()
        .filter(|rule| rule.get("strip_regex").is_some())
        .flat_map(|r| texts(&r["sources"]))
        .collect()
}
