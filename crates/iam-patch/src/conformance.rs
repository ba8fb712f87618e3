//! Real and nasty projects: every policy found, three changes each, none written wrong.
//!
//! The data is not part of the repository; without it the test says so and passes.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::json::Value as Json;
use iam_model::policy::{self, PolicyDocument, Statement};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText, Spanned};

use crate::compare;
use crate::patch::{PatchSet, Project, patch};
use crate::read;
use crate::resolve::{Resolver, Value};
use crate::site::{self, Form, Site};
use crate::stack::Stack;
use crate::template::{self, Found, Template};
use crate::tree::{Node, Path};

/// Counts per outcome, and what went wrong.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, usize>,
    wrong: Vec<String>,
    refused: Vec<String>,
}

fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("PARING_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let corpus = root.join("corpora/iac");
    if !corpus.join("MANIFEST.csv").exists() {
        eprintln!("SKIPPED: no conformance data at {}", corpus.display());
        return None;
    }
    Some(corpus)
}

fn sources(corpus: &FilePath) -> Vec<SourceText> {
    let manifest = std::fs::read_to_string(corpus.join("MANIFEST.csv")).unwrap();
    let paths = manifest.lines().skip(1).filter_map(|line| line.split(',').next());
    let read = |path: &str| {
        let text = std::fs::read_to_string(corpus.join(path)).ok()?;
        Some(SourceText { name: SourceName::new(path), text })
    };
    paths.filter_map(read).collect()
}

/// The resolved value as JSON, made-up words in the holes; nothing where a macro makes it.
fn concrete(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Text(text) => Json::text(text.filled("Hole")),
        Value::List(items) => {
            Json::Array(items.iter().filter(|i| **i != Value::Absent).map(concrete).collect::<Option<_>>()?)
        }
        Value::Map(entries) => {
            let present = entries.iter().filter(|(_, v)| *v != Value::Absent);
            Json::Object(present.map(|(k, v)| Some((k.clone(), concrete(v)?))).collect::<Option<_>>()?)
        }
        Value::AnyOf(_) | Value::Absent | Value::Unknown => return None,
    })
}

/// What could be deployed from a document.
fn deployed(template: &Template, document: &Node) -> Option<PolicyDocument> {
    let stack = Stack::default();
    let json = concrete(&Resolver::open(template, &stack).value(document))?;
    let source = SourceText { name: SourceName::new("deployed"), text: json.to_compact() };
    let (document, _) = policy::parse(&source);
    let clean = document.unknown.is_empty() && document.statements.iter().all(|s| s.unknown.is_empty());
    (clean && !document.statements.is_empty()).then_some(document)
}

fn with_actions(statement: &mut Statement, change: impl Fn(&mut Vec<Spanned<ActionPattern>>)) {
    use iam_model::policy::ActionElement;
    match &mut statement.action {
        ActionElement::Action(list) | ActionElement::NotAction(list) => change(list),
    }
}

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:444455556666:table/Orders";

/// Drop an action, narrow the resource, replace the statement: on the last statement.
fn changes(before: &PolicyDocument) -> Vec<(&'static str, PolicyDocument)> {
    use iam_model::policy::ResourceElement;
    let mut out = Vec::new();
    let edit = |change: &dyn Fn(&mut Statement)| {
        let mut after = before.clone();
        change(after.statements.last_mut().unwrap());
        after
    };
    if before.statements.last().unwrap().action.patterns().len() > 1 {
        out.push(("drop", edit(&|s| with_actions(s, |list| drop(list.pop())))));
    }
    out.push((
        "narrow",
        edit(&|s| {
            if let ResourceElement::Resource(list) = &mut s.resource {
                *list = vec![Spanned::synthetic(ResourcePattern::new(TABLE))];
            }
        }),
    ));
    out.push((
        "grow",
        edit(&|s| with_actions(s, |list| list.push(Spanned::synthetic(ActionPattern::new("odd:Thing"))))),
    ));
    out.push((
        "replace",
        edit(&|s| {
            let principal = s.principal.take();
            *s = Statement::allow(vec![ActionPattern::new("dynamodb:PutItem")], vec![ResourcePattern::new(TABLE)]);
            s.sid = Some("Orders".into());
            s.principal = principal;
        }),
    ));
    if before.statements.len() > 1 {
        let mut after = before.clone();
        after.statements.remove(0);
        out.push(("remove-statement", after));
    }
    let mut after = before.clone();
    after
        .statements
        .push(Statement::allow(vec![ActionPattern::new("sqs:SendMessage")], vec![ResourcePattern::everything()]));
    out.push(("add-statement", after));
    out
}

fn kind(form: Form) -> AttachmentKind {
    match form {
        Form::Trust => AttachmentKind::Trust,
        Form::ResourcePolicy => AttachmentKind::Resource,
        Form::Organization => AttachmentKind::ServiceControl,
        _ => AttachmentKind::Identity,
    }
}

/// A managed policy is known by its name; other policies are found by their index or by what they say.
fn policy_name(template: &Template, site: &Site<'_>) -> Option<String> {
    let name = site.name.filter(|_| site.form == Form::ManagedItem)?;
    match Resolver::open(template, &Stack::default()).value(name) {
        Value::Text(text) => Some(text.filled("Hole")),
        _ => None,
    }
}

fn attachment(template: &Template, site: &Site<'_>) -> Attachment {
    Attachment {
        kind: kind(site.form),
        principal_arn: None,
        resource_arn: None,
        logical_id: Some(site.resource.id.into()),
        address: None,
        policy_name: policy_name(template, site),
        index: site.index,
    }
}

/// Whether the patched file says `after` at the site, and everything else as before.
fn judge(template: &Template, site: &Site<'_>, after: &PolicyDocument, set: &PatchSet) -> Result<(), String> {
    let [file] = set.patches.as_slice() else { return Err("no patch".into()) };
    let root = read::read(&file.after, template.syntax).map_err(|e| e.message)?;
    let node = root.at(&site.place).ok_or("the place is gone")?;
    let patched =
        Template { name: template.name.clone(), text: file.after.clone(), syntax: template.syntax, root: root.clone() };
    let stack = Stack::default();
    let document = match (&site.document, node.items()) {
        (Some((_, place)), _) => root.at(place).ok_or("the document is gone")?,
        (None, [item]) => item,
        (None, _) => node,
    };
    let source = compare::statements(document, &Path::default());
    let pairs = compare::pair(&Resolver::open(&patched, &stack), &source, &after.statements);
    pairs.ok_or_else(|| format!("the patched source does not say what it should\n{}", file.diff))?;
    let (mut old, mut new) = (template.root.plain(), root.plain());
    let blank = |plain: &mut crate::tree::Plain| {
        let op =
            crate::op::Op::Replace { at: site.place.clone(), with: crate::op::New::text("blank"), whole_line: false };
        *plain = crate::op::apply(plain, &[op]);
    };
    blank(&mut old);
    blank(&mut new);
    if old == new { Ok(()) } else { Err("something else changed".into()) }
}

impl Tally {
    fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    fn run(&mut self, source: &SourceText, template: &Template, site: &Site<'_>) {
        let form = site.form.as_str();
        self.count(format!("{form} found"));
        let before = site.document.as_ref().and_then(|(document, _)| deployed(template, document));
        let managed = matches!(site.form, Form::ManagedItem | Form::SamTemplate);
        let cases = match &before {
            Some(before) => changes(before),
            None if managed => {
                let statement =
                    Statement::allow(vec![ActionPattern::new("dynamodb:PutItem")], vec![ResourcePattern::new(TABLE)]);
                vec![("replace-item", PolicyDocument::new(vec![statement]))]
            }
            None => return self.count(format!("{form} not resolvable")),
        };
        for (name, after) in cases {
            let change = Change {
                attachment: attachment(template, site),
                before: before.clone(),
                after: Some(after.clone()),
                reasons: Vec::new(),
            };
            let (project, _) = Project::read(vec![source.clone()]);
            let snapshot = Snapshot::default();
            let (index, _) = SnapshotIndex::new(&snapshot);
            let set = patch(&project, &index, std::slice::from_ref(&change));
            let label = format!("{} {}[{:?}] {name}", source.name, site.resource.id, site.index);
            if let Some(refused) = set.refused.first() {
                self.count(format!("{form} refused {}", refused.refusal.code));
                self.refused.push(format!("{label}: {}: {}", refused.refusal.code, refused.refusal));
            } else if set.patches.is_empty() {
                self.count(format!("{form} unchanged"));
                if before.as_ref().is_some_and(|before| !before.same_text(&after)) && name != "narrow" {
                    self.wrong.push(format!("{label}: nothing was written"));
                }
            } else {
                self.count(format!("{form} patched"));
                // In `ManagedPolicyArns` the item goes and the document comes elsewhere.
                let elsewhere = site.form == Form::ManagedItem && !site.resource.has_policy_list();
                if !elsewhere && let Err(why) = judge(template, site, &after, &set) {
                    self.wrong.push(format!("{label}: {why}"));
                }
                export(&label, &set);
                // Patching the patched file changes nothing.
                if !managed {
                    let again = SourceText { name: source.name.clone(), text: set.patches[0].after.clone() };
                    let (project, _) = Project::read(vec![again]);
                    let second = patch(&project, &index, std::slice::from_ref(&change));
                    if !second.patches.is_empty() {
                        self.wrong.push(format!("{label}: patched twice\n{}", second.patches[0].diff));
                    }
                }
            }
        }
    }
}

/// Writes each case to a folder, where one is named, for a judge in another language.
fn export(label: &str, set: &PatchSet) {
    let Some(folder) = std::env::var_os("PARING_PATCH_CASES").map(PathBuf::from) else { return };
    let name: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let folder = folder.join(name);
    let file = &set.patches[0];
    let path = folder.join("before").join(file.file.as_str());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, &file.before).unwrap();
    std::fs::write(folder.join("after.txt"), &file.after).unwrap();
    std::fs::write(folder.join("patch.diff"), &file.diff).unwrap();
}

#[test]
fn no_change_to_a_real_project_is_written_wrong() {
    let Some(corpus) = corpus() else { return };
    let mut tally = Tally::default();
    for source in sources(&corpus) {
        match template::recognise(&source) {
            Found::Template(template) => {
                tally.count("template read");
                if read::second(&source.text, template.syntax, &template.root.plain()) != read::Opinion::Same {
                    tally.count("template not confirmed by a second parser");
                    tally.refused.push(format!("{}: second parser", source.name));
                }
                for resource in template.resources() {
                    for site in site::sites_of(&resource) {
                        tally.run(&source, &template, &site);
                    }
                }
            }
            Found::Broken(error) => tally.count(format!("template broken: {} {}", source.name, error.message)),
            Found::Unsupported(kind) => tally.count(format!("unsupported {kind}")),
            Found::Other => tally.count("other file"),
        }
    }
    for (what, count) in &tally.counts {
        eprintln!("{count:6} {what}");
    }
    for line in &tally.refused {
        eprintln!("REFUSED {line}");
    }
    assert!(tally.wrong.is_empty(), "{} wrong:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
}

/// Every place, quote, tag and value as `yaml-edit` reads them.
#[test]
fn the_reader_agrees_with_yaml_edit_to_the_byte() {
    let Some(corpus) = corpus() else { return };
    let (mut read, mut declined, mut wrong) = (0, Vec::new(), Vec::new());
    for source in sources(&corpus) {
        if !source.name.as_str().ends_with("yaml") && !source.name.as_str().ends_with("yml") {
            continue;
        }
        let Some(own) = read::yaml::own(&source.text) else {
            declined.push(source.name.to_string());
            continue;
        };
        read += 1;
        let Ok(other) = read::cst::read(&source.text) else { continue };
        compare_nodes(&source, &own, &other, &mut wrong);
    }
    eprintln!("{read} read, declined: {declined:?}");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(declined.len() * 20 < read, "{declined:?}");
}

fn compare_nodes(source: &SourceText, own: &Node, other: &Node, wrong: &mut Vec<String>) {
    let head = |node: &Node| {
        let kind = match &node.kind {
            crate::tree::Kind::Scalar { text, quote } => format!("{quote:?} {text:?}"),
            crate::tree::Kind::Seq { items, dashes, flow } => format!("seq {} {dashes:?} {flow}", items.len()),
            crate::tree::Kind::Map { entries, flow } => format!("map {} {flow}", entries.len()),
            kind => format!("{kind:?}"),
        };
        format!("{:?} {:?} {} {kind}", node.span, node.tag, node.anchored)
    };
    let (a, b) = (head(own), head(other));
    if a != b {
        wrong.push(format!("{} {:?}\n  own   {a}\n  other {b}", source.name, own.span.slice(&source.text).chars().take(60).collect::<String>()));
        return;
    }
    for (x, y) in own.items().iter().zip(other.items()) {
        compare_nodes(source, x, y, wrong);
    }
    for (x, y) in own.entries().iter().zip(other.entries()) {
        compare_nodes(source, &x.key, &y.key, wrong);
        compare_nodes(source, &x.value, &y.value, wrong);
    }
}
