//! The graph as a page in one file: data, style and script in one, no reference to anything outside.
//!
//! Data is a JSON block that the script reads; a policy in the page lets nothing run but that script, by its hash, and lets
//! nothing be loaded. The script makes text nodes of data and never markup.

use std::collections::BTreeMap;

use iam_graph::{Asker, technique};
use iam_model::condition::ConditionKey;
use iam_model::finding::Subject;
use iam_model::json::Value;
use sha2::{Digest, Sha256};

use super::json::{number, numbers, place};
use super::selection::{Entry, Selection};
use super::{GraphView, StatementView};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Renders the page; `ways` is how many edges there were before some were chosen.
pub(crate) fn render(view: &GraphView<'_>, selection: &Selection<'_>, ways: usize) -> String {
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    let data = inert(&data(view, selection, ways).to_compact());
    let parts = [("@@POLICY@@", policy.as_str()), ("@@STYLE@@", STYLE), ("@@DATA@@", &data), ("@@SCRIPT@@", SCRIPT)];
    let mut out = String::with_capacity(PAGE.len() + STYLE.len() + SCRIPT.len() + data.len());
    // Each mark once, in order: what is put in is not searched for marks.
    let mut rest = PAGE;
    for (mark, text) in parts {
        let Some((before, after)) = rest.split_once(mark) else { continue };
        out.push_str(before);
        out.push_str(text);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// JSON that HTML has nothing to find in: every character that could end a script block, open a tag or a comment, or break
/// a line of script, is escaped. They occur in strings only.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// The SHA-256 of a text in Base64, as a content security policy names it.
fn hash(text: &str) -> String {
    base64(&Sha256::digest(text.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |place: usize| chunk.get(place).copied().map_or(0, u32::from);
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = ALPHABET.get((word >> (18 - 6 * place) & 63) as usize).copied().map_or('=', char::from);
            out.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

/// Sets of keys and other texts that are named by number.
#[derive(Default)]
struct Numbered<T: Ord>(BTreeMap<T, usize>);

impl<T: Ord> Numbered<T> {
    fn number(&mut self, item: T) -> usize {
        let next = self.0.len();
        *self.0.entry(item).or_insert(next)
    }

    fn in_order(self, value: impl Fn(&T) -> Value) -> Value {
        let mut items: Vec<(T, usize)> = self.0.into_iter().collect();
        items.sort_by_key(|(_, number)| *number);
        Value::Array(items.iter().map(|(item, _)| value(item)).collect())
    }
}

fn data(view: &GraphView<'_>, selection: &Selection<'_>, ways: usize) -> Value {
    let mut lists = Lists::default();
    let edges = view.edges.iter().map(|edge| lists.edge(edge)).collect();
    let grounds = view.grounds.iter().map(|ground| lists.ground(ground)).collect();
    let numbers: BTreeMap<&Subject, usize> = view.nodes.iter().enumerate().map(|(n, node)| (node.subject, n)).collect();
    let findings = selection.entries.iter().map(|found| lists.entry(found, &numbers)).collect();
    let texts = |texts: &[String]| Value::Array(texts.iter().map(Value::text).collect());
    let set = |keys: &Vec<ConditionKey>| Value::Array(keys.iter().map(|key| Value::text(key.as_str())).collect());
    let members = [
        ("source", Value::text(&view.source)),
        ("accounts", texts(&view.accounts)),
        ("ways", number(ways)),
        ("notChecked", texts(&view.not_checked)),
        ("nodes", Value::Array(view.nodes.iter().map(|node| self::node(node, view.accounts.len() > 1)).collect())),
        ("edges", Value::Array(edges)),
        ("grounds", Value::Array(grounds)),
        ("statements", Value::Array(view.statements.iter().map(|s| statement(s, &view.source)).collect())),
        ("findings", Value::Array(findings)),
        ("techniques", lists.techniques.in_order(|id| technique_value(id))),
        ("keys", lists.keys.in_order(set)),
        ("things", lists.things.in_order(|thing| Value::text(*thing))),
    ];
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// What edges, grounds and findings name by number.
#[derive(Default)]
struct Lists<'v> {
    techniques: Numbered<&'v str>,
    keys: Numbered<Vec<ConditionKey>>,
    things: Numbered<&'v str>,
}

impl<'v> Lists<'v> {
    fn keys(&mut self, keys: &[ConditionKey]) -> Value {
        if keys.is_empty() { minus_one() } else { number(self.keys.number(keys.to_vec())) }
    }

    fn edge(&mut self, view: &'v super::EdgeView<'_>) -> Value {
        let edge = view.edge;
        Value::Array(vec![
            number(view.from),
            number(view.to),
            number(self.techniques.number(edge.technique)),
            self.keys(&edge.conditional_on),
            edge.through.as_ref().map_or_else(minus_one, |arn| number(self.things.number(arn.as_str()))),
            flag(edge.gains_admin),
            numbers(&view.grounds),
        ])
    }

    fn ground(&mut self, view: &super::GroundView) -> Value {
        let service = if let Asker::Service(service) = view.asker { service } else { "" };
        let (word, arn) = place(&view.on);
        Value::Array(vec![
            Value::text(service),
            Value::text(view.action.as_str()),
            Value::text(word),
            Value::text(arn.map(|arn| arn.as_str()).unwrap_or_default()),
            self.keys(&view.conditional_on),
            numbers(&view.statements),
        ])
    }

    fn entry(&mut self, entry: &Entry<'v>, nodes: &BTreeMap<&Subject, usize>) -> Value {
        let finding = entry.finding;
        let start = finding.principal.as_ref();
        let technique = finding.technique.as_deref().filter(|_| !entry.edges.is_empty());
        let functions = finding.functions.iter().map(|arn| Value::text(arn.as_str())).collect();
        // Someone no way leads to or from has no node, and still a name.
        let about = start.map(Subject::as_str).or_else(|| finding.resource.as_ref().map(|arn| arn.as_str()));
        let members = [
            ("code", Value::text(finding.code.as_str())),
            ("title", Value::text(finding.code.title())),
            ("severity", Value::text(finding.severity.as_str())),
            ("start", start.and_then(|subject| nodes.get(subject)).map_or_else(minus_one, |&at| number(at))),
            ("resource", Value::text(about.unwrap_or_default())),
            ("technique", technique.map_or_else(minus_one, |id| number(self.techniques.number(id)))),
            ("edges", numbers(&entry.edges)),
            ("total", number(entry.total)),
            ("functions", Value::Array(functions)),
            ("evidence", Value::Array(finding.evidence.iter().map(Value::text).collect())),
            ("fingerprint", Value::text(finding.fingerprint())),
        ];
        Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

fn minus_one() -> Value {
    Value::Number("-1".into())
}

fn flag(yes: bool) -> Value {
    number(usize::from(yes))
}

fn node(node: &super::NodeView<'_>, several_accounts: bool) -> Value {
    let kind = match node.account().filter(|_| several_accounts || node.kind() == "account") {
        Some(account) => format!("{} of {account}", node.kind()),
        None => node.kind().to_owned(),
    };
    Value::Array(vec![
        Value::text(node.subject.as_str()),
        Value::text(node.label()),
        Value::text(kind),
        flag(node.administrator),
        node.next.map_or_else(minus_one, number),
    ])
}

fn statement(view: &StatementView<'_>, source: &str) -> Value {
    let cited = &view.cited;
    let (kind, name) = view.policy();
    let place = view.place.map(|at| format!("{source}:{at}")).unwrap_or_default();
    let effect = if cited.text.effect == iam_model::policy::Effect::Deny { "Deny" } else { "" };
    let members = [
        ("layer", Value::text(kind)),
        ("policy", Value::text(name)),
        ("holder", Value::text(cited.holder.map(|arn| arn.resource()).unwrap_or_default())),
        ("index", number(cited.statement)),
        ("place", Value::text(place)),
        ("effect", Value::text(effect)),
        ("text", Value::text(view.value().to_pretty().trim_end())),
    ];
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn technique_value(id: &str) -> Value {
    let known = technique::catalogue().find(id);
    let texts = |texts: Vec<&str>| Value::Array(texts.into_iter().map(Value::text).collect());
    let requires = known.map(|t| t.requires.iter().map(|r| r.action.as_str()).collect()).unwrap_or_default();
    let assumes = known.map(|t| t.assumes.iter().map(String::as_str).collect()).unwrap_or_default();
    let members = [
        ("id", Value::text(id)),
        ("category", Value::text(known.map(|t| t.category.as_str()).unwrap_or_default())),
        ("requires", texts(requires)),
        ("assumes", texts(assumes)),
    ];
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
