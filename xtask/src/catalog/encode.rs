//! Writes the bytes `iam_model::catalog` reads; the form is described there, in `catalog/decode.rs`.

use std::collections::BTreeMap;

use super::input::{Action, Facts, Operation, Pair, Service};
use super::rules::{Logged, Logging, Together, Trigger, Triggers};

const SOURCES: &str = include_str!("../../data/sources.txt");
const MAGIC: &[u8] = b"paring-catalog/2\n";
const WRITTEN_AS_TAGGING: u32 = 4;

/// Interned tables, and the body that points into them.
#[derive(Default)]
pub(crate) struct Encoder {
    strings: Table<String>,
    lists: Table<Vec<u32>>,
    templates: Table<Vec<u32>>,
    contexts: Table<Vec<u32>>,
}

/// Distinct values, numbered in the order they were first met.
struct Table<T> {
    ids: BTreeMap<T, u32>,
    values: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { ids: BTreeMap::new(), values: Vec::new() }
    }
}

impl<T: Clone + Ord> Table<T> {
    fn id(&mut self, value: T) -> u32 {
        if let Some(id) = self.ids.get(&value) {
            return *id;
        }
        let id = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value.clone());
        self.ids.insert(value, id);
        id
    }
}

impl Encoder {
    /// The whole file.
    pub(crate) fn catalog(
        mut self,
        facts: &Facts,
        (logging, triggers, together): (&Logging, &Triggers, &Together),
        date: &str,
        provenance: &[&str],
    ) -> Vec<u8> {
        self.string("");
        self.lists.id(Vec::new());
        self.templates.id(Vec::new());
        self.contexts.id(Vec::new());
        mark_shown(facts, triggers);
        let mut head = Bytes::default();
        head.number(self.string(date));
        let provenance: Vec<String> = provenance.iter().map(|line| (*line).to_owned()).collect();
        head.number(self.texts(&provenance));
        let mut body = Bytes::default();
        body.count(facts.services.len());
        for service in facts.services.values() {
            self.service(&mut body, facts, service, logging, triggers);
        }
        self.sources(&mut body, facts);
        body.count(together.rows.len());
        for (action, groups) in &together.rows {
            body.number(self.string(action));
            body.number(self.texts(groups));
        }
        let mut out = Bytes(MAGIC.to_vec());
        self.tables(&mut out);
        out.0.extend(head.0);
        for table in [&self.templates, &self.contexts] {
            out.count(table.values.len());
            for set in &table.values {
                out.count(set.len() / 2);
                set.iter().for_each(|number| out.number(*number));
            }
        }
        out.0.extend(body.0);
        out.0
    }

    fn string(&mut self, text: &str) -> u32 {
        self.strings.id(text.to_owned())
    }

    fn texts(&mut self, texts: &[String]) -> u32 {
        let ids = texts.iter().map(|text| self.string(text)).collect();
        self.lists.id(ids)
    }

    fn set(&mut self, set: &BTreeMap<String, Vec<String>>) -> Vec<u32> {
        set.iter().flat_map(|(key, texts)| [self.string(key), self.texts(texts)]).collect()
    }

    fn tables(&self, out: &mut Bytes) {
        out.count(self.strings.values.len());
        self.strings.values.iter().for_each(|text| out.count(text.len()));
        self.strings.values.iter().for_each(|text| out.0.extend(text.as_bytes()));
        out.count(self.lists.values.len());
        self.lists.values.iter().for_each(|list| out.count(list.len()));
        self.lists.values.iter().flatten().for_each(|item| out.number(*item));
    }

    fn service(&mut self, out: &mut Bytes, facts: &Facts, service: &Service, logging: &Logging, triggers: &Triggers) {
        out.number(self.string(&service.prefix));
        out.number(self.string(&event_source(&service.prefix)));
        out.count(service.keys.len());
        for key in &service.keys {
            out.number(self.string(key));
        }
        out.count(service.resource_types.len());
        for kind in &service.resource_types {
            out.number(self.string(&kind.name));
            out.number(self.texts(&kind.patterns));
            out.number(self.lists.id(kind.keys.clone()));
        }
        out.count(service.actions.len());
        for action in service.actions.values() {
            out.number(self.string(&action.name));
            out.number(action.flags);
            out.number(self.lists.id(action.resource_types.clone()));
            out.number(self.lists.id(action.keys.clone()));
            out.number(self.logging(&service.prefix, action, logging));
        }
        out.count(service.operations.len());
        for operation in service.operations.values() {
            self.operation(out, facts, &service.prefix, operation, triggers);
        }
    }

    fn logging(&mut self, prefix: &str, action: &Action, logging: &Logging) -> u32 {
        match logging.of(&format!("{prefix}:{}", action.name)) {
            Some(Logged::Never) => 1,
            Some(Logged::Data(types)) => self.texts(types) + 2,
            None if action.shown.get() => 0,
            None => 1,
        }
    }

    fn operation(&mut self, out: &mut Bytes, facts: &Facts, prefix: &str, operation: &Operation, triggers: &Triggers) {
        out.number(self.string(&operation.name));
        out.count(operation.pairs.len());
        let qualified = format!("{prefix}:{}", operation.name);
        for pair in &operation.pairs {
            let trigger = triggers.of(&qualified, pair, is_tagging(facts, pair));
            out.number(if pair.service == prefix { 0 } else { self.string(&pair.service) });
            out.number(self.string(&pair.name));
            out.number(trigger.kind() * 2 + u32::from(pair.primary));
            out.number(self.texts(&trigger.texts()));
            let templates = self.set(&pair.templates);
            out.number(self.templates.id(templates));
            let context = self.set(&pair.context);
            out.number(self.contexts.id(context));
        }
        out.count(operation.forwarded.len());
        for (action, via) in &operation.forwarded {
            out.number(self.string(action));
            out.number(self.string(via));
        }
    }

    fn sources(&mut self, out: &mut Bytes, facts: &Facts) {
        out.count(facts.sources.len());
        for (source, prefixes) in &facts.sources {
            out.number(self.string(source));
            out.number(self.texts(prefixes));
        }
        out.count(facts.aliases.len());
        for ((source, event), operation) in &facts.aliases {
            for text in [source, event, operation] {
                out.number(self.string(text));
            }
        }
        for list in [&facts.dated_sources, &facts.free_operations, &facts.other_event_types] {
            out.number(self.texts(list));
        }
    }
}

/// Marks the actions some call would show. `iam:PassRole` is never an event, but every call that passes a role is.
fn mark_shown(facts: &Facts, triggers: &Triggers) {
    for service in facts.services.values() {
        for operation in service.operations.values() {
            let qualified = format!("{}:{}", service.prefix, operation.name);
            for pair in &operation.pairs {
                let shown = match triggers.of(&qualified, pair, is_tagging(facts, pair)) {
                    Trigger::Hidden => false,
                    Trigger::Has(_) => pair.name.eq_ignore_ascii_case(&operation.name),
                    _ => true,
                };
                if let Some(action) = find(facts, pair).filter(|_| shown) {
                    action.shown.set(true);
                }
            }
        }
    }
}

fn find<'a>(facts: &'a Facts, pair: &Pair) -> Option<&'a Action> {
    facts.services.get(&pair.service.to_ascii_lowercase())?.actions.get(&pair.name.to_ascii_lowercase())
}

fn is_tagging(facts: &Facts, pair: &Pair) -> bool {
    find(facts, pair).is_some_and(|action| action.flags & WRITTEN_AS_TAGGING != 0)
}

/// The event source of a prefix's calls.
fn event_source(prefix: &str) -> String {
    let named = SOURCES.lines().filter_map(|line| line.split_once(' ')).find(|(known, _)| *known == prefix);
    named.map_or_else(|| format!("{prefix}.amazonaws.com"), |(_, source)| source.to_owned())
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.0.extend(value.to_le_bytes().first().map(|low| low | 0x80));
            value >>= 7;
        }
        self.0.extend(value.to_le_bytes().first());
    }

    fn count(&mut self, count: usize) {
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }
}
