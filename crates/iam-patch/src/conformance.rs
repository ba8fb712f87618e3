//! Real and nasty projects: every policy found, three changes each, none written wrong.
//!
//! The data is not part of the repository; without it the test says so and passes.

mod readers;

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

/// What came of the changes of one project, by form.
#[derive(Default, Clone)]
struct Counts {
    policies: usize,
    statements: usize,
    changes: usize,
    patched: usize,
    refused: BTreeMap<String, usize>,
}

/// Counts per project and form, and what went wrong.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<(String, String), Counts>,
    wrong: Vec<String>,
    refused: Vec<String>,
    unsaid: Vec<String>,
    cases: Vec<Json>,
}

/// The folder of projects: the one named by `PARING_PATCH_CORPUS`, or the conformance data's.
fn corpus() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("PARING_PATCH_CORPUS") {
        return Some(PathBuf::from(folder));
    }
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
    let (mut open, mut found) = (vec![corpus.to_path_buf()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else if let Ok(text) = std::fs::read_to_string(&entry) {
                let name = entry.strip_prefix(corpus).unwrap().to_string_lossy().into_owned();
                found.push(SourceText { name: SourceName::new(&name), text });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
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
        Value::AnyOf(values) => concrete(values.iter().find(|value| **value != Value::Absent)?)?,
        Value::Unknown => Json::text("Hole"),
        Value::Absent => return None,
    })
}

/// What could be deployed from a document.
fn deployed(template: &Template, document: &Node) -> Option<PolicyDocument> {
    let stack = Stack::default();
    let json = concrete(&Resolver::open(template, &stack).value(document))?;
    let json = if document.is_seq() { Json::Object(vec![("Statement".into(), json)]) } else { json };
    let source = SourceText { name: SourceName::new("deployed"), text: json.to_compact() };
    let (document, _) = policy::parse(&source);
    let clean = document.unknown.is_empty() && document.statements.iter().all(|s| s.unknown.is_empty());
    (clean && !document.statements.is_empty()).then_some(document)
}

/// The document of a site: a mapping, a list, or the JSON of a text.
fn before(template: &Template, site: &Site<'_>) -> Option<PolicyDocument> {
    if let Some((document, _)) = &site.document {
        return deployed(template, document);
    }
    if site.form == Form::SamTemplate {
        return deployed(template, &crate::sam::expanded(site.node)?);
    }
    if site.form == Form::Permission {
        return permission(template, site);
    }
    deployed(template, &site.text.as_ref()?.read()?)
}

/// The one statement of a permission, as it could be deployed.
fn permission(template: &Template, site: &Site<'_>) -> Option<PolicyDocument> {
    let value = crate::permission::statement(&Resolver::open(template, &Stack::default()), &site.resource)?;
    let json = Json::Object(vec![("Statement".into(), Json::Array(vec![concrete(&value)?]))]);
    let source = SourceText { name: SourceName::new("deployed"), text: json.to_compact() };
    Some(policy::parse(&source).0)
}

/// What takes the place of a managed policy or a policy template.
fn item() -> PolicyDocument {
    let table = vec![ResourcePattern::new(TABLE)];
    PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::new("dynamodb:PutItem")], table)])
}

/// A permission asked for from one place of one account only.
fn narrowed(before: &PolicyDocument) -> Vec<(&'static str, PolicyDocument)> {
    let text = r#"{"Statement": {"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {
        "ArnLike": {"AWS:SourceArn": "arn:aws:sns:eu-west-1:444455556666:t"},
        "StringEquals": {"AWS:SourceAccount": "444455556666"}}}}"#;
    let source = SourceText { name: SourceName::new("narrowed"), text: text.into() };
    let mut after = before.clone();
    let ours = |c: &iam_model::condition::Condition| !c.key.as_str().to_ascii_lowercase().starts_with("aws:source");
    after.statements[0].conditions.retain(ours);
    after.statements[0].conditions.extend(policy::parse(&source).0.statements.remove(0).conditions);
    vec![("narrow", after)]
}

fn with_actions(statement: &mut Statement, change: impl Fn(&mut Vec<Spanned<ActionPattern>>)) {
    use iam_model::policy::ActionElement;
    match &mut statement.action {
        ActionElement::Action(list) | ActionElement::NotAction(list) => change(list),
    }
}

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:444455556666:table/Orders";

/// Drop an action, narrow the resource, replace the statement: for one statement.
fn changes(before: &PolicyDocument, at: usize) -> Vec<(&'static str, PolicyDocument)> {
    use iam_model::policy::ResourceElement;
    let mut out = Vec::new();
    let edit = |change: &dyn Fn(&mut Statement)| {
        let mut after = before.clone();
        change(&mut after.statements[at]);
        after
    };
    if before.statements[at].action.patterns().len() > 1 {
        out.push(("drop", edit(&|s| with_actions(s, |list| drop(list.pop())))));
    }
    if matches!(before.statements[at].resource, ResourceElement::Resource(_)) {
        let narrowed = |s: &mut Statement| {
            s.resource = ResourceElement::Resource(vec![Spanned::synthetic(ResourcePattern::new(TABLE))]);
        };
        out.push(("narrow", edit(&narrowed)));
    }
    if before.statements.len() > 1 {
        let mut after = before.clone();
        after.statements.remove(at);
        out.push(("remove", after));
    }
    out.push((
        "replace",
        edit(&|s| {
            let (principal, trust) = (s.principal.take(), matches!(s.resource, ResourceElement::Absent));
            *s = Statement::allow(vec![ActionPattern::new("dynamodb:PutItem")], vec![ResourcePattern::new(TABLE)]);
            if trust {
                s.resource = ResourceElement::Absent;
            }
            s.sid = Some("Orders".into());
            s.principal = principal;
        }),
    ));
    out
}

fn kind(form: Form) -> AttachmentKind {
    match form {
        Form::Trust => AttachmentKind::Trust,
        Form::ResourcePolicy | Form::Permission => AttachmentKind::Resource,
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
    let patched = template.reread(file.after.clone(), root.clone());
    let stack = Stack::default();
    let at = |text: &site::TextSite<'_>| {
        let node = root.at(&text.place)?;
        site::TextSite { node, place: text.place.clone(), sub: text.sub }.read()
    };
    let text = site.text.as_ref().map(|text| at(text).ok_or("the text is no JSON")).transpose()?;
    let document = match (&site.document, &text, node.items()) {
        (Some((_, place)), ..) => root.at(place).ok_or("the document is gone")?,
        (None, Some(text), _) => text,
        (None, None, [item]) => item,
        (None, None, _) => node,
    };
    if site.form == Form::Permission {
        let resource = patched.resource(site.resource.id).ok_or("the permission is gone")?;
        let value = crate::permission::statement(&Resolver::open(&patched, &stack), &resource).ok_or("unreadable")?;
        let says = compare::value_explains(&value, &after.statements[0], false);
        return if says { Ok(()) } else { Err(format!("the permission does not say what it should\n{}", file.diff)) };
    }
    let source = compare::statements(document, &Path::default());
    let pairs = compare::pair(&Resolver::open(&patched, &stack), &source, &after.statements);
    pairs.ok_or_else(|| format!("the patched source does not say what it should\n{}", file.diff))?;
    let blank = |root: &Node| {
        let with = crate::op::New::text("blank");
        crate::op::apply(root, &[crate::op::Op::Replace { at: site.place.clone(), with, whole_line: false }])
    };
    let (old, new) = (blank(&template.root), blank(&root));
    if old == new { Ok(()) } else { Err("something else changed".into()) }
}

/// The place as another reader can follow it: keys and indices.
fn keys(root: &Node, place: &Path) -> Json {
    let mut node = root;
    let mut out = Vec::new();
    for step in place.steps() {
        out.push(match node.entries().get(*step) {
            Some(entry) => Json::Array(vec![Json::text(entry.name().to_owned()), Json::text(step.to_string())]),
            None => Json::text(step.to_string()),
        });
        node = node.child(*step).unwrap();
    }
    Json::Array(out)
}

impl Tally {
    fn run(&mut self, project: &Project, template: &Template, site: &Site<'_>) {
        let name = template.name.as_str().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let form =
            if site.text.is_some() { format!("{} as text", site.form.as_str()) } else { site.form.as_str().into() };
        let mut counts = self.counts.get(&(name.clone(), form.clone())).cloned().unwrap_or_default();
        counts.policies += 1;
        let before = before(template, site);
        let cases: Vec<(Option<usize>, &str, PolicyDocument)> = match &before {
            Some(before) if site.form == Form::Permission => {
                narrowed(before).into_iter().map(|(name, after)| (Some(0), name, after)).collect()
            }
            Some(before) => {
                let each = |at| changes(before, at).into_iter().map(move |(name, after)| (Some(at), name, after));
                let item = (site.form == Form::SamTemplate).then(|| (None, "item", item()));
                (0..before.statements.len()).flat_map(each).chain(item).collect()
            }
            None if matches!(site.form, Form::ManagedItem | Form::SamTemplate) => {
                vec![(None, "item", item())]
            }
            None => {
                self.unsaid.push(format!("{} {}[{:?}] {form}", template.name, site.resource.id, site.index));
                vec![]
            }
        };
        counts.statements += before.as_ref().map_or(0, |before| before.statements.len());
        for (at, change_name, after) in cases {
            counts.changes += 1;
            let change = Change {
                attachment: attachment(template, site),
                before: before.clone(),
                after: Some(after.clone()),
                reasons: Vec::new(),
            };
            let label = format!("{} {}[{:?}] {form} {change_name} {at:?}", template.name, site.resource.id, site.index);
            match self.change(project, template, site, &change, &label) {
                Ok(set) => {
                    counts.patched += 1;
                    self.case(template, site, (at, change_name), &set, &label);
                }
                Err(code) => *counts.refused.entry(code).or_default() += 1,
            }
        }
        self.counts.insert((name, form), counts);
    }

    /// Patches one change and looks at the outcome; the code where it was refused.
    fn change(
        &mut self,
        project: &Project,
        template: &Template,
        site: &Site<'_>,
        change: &Change,
        label: &str,
    ) -> Result<PatchSet, String> {
        let snapshot = Snapshot::default();
        let (index, _) = SnapshotIndex::new(&snapshot);
        let set = patch(project, &index, std::slice::from_ref(change));
        if let Some(refused) = set.refused.first() {
            self.refused.push(format!("{label}: {}: {}", refused.refusal.code, refused.refusal));
            return Err(refused.refusal.code.to_string());
        }
        let Some(file) = set.patches.first() else {
            self.wrong.push(format!("{label}: nothing was written"));
            return Err("unchanged".into());
        };
        // In `ManagedPolicyArns` the item goes and the document comes elsewhere.
        let elsewhere = site.form == Form::ManagedItem && !site.resource.has_policy_list();
        let after = change.after.as_ref().unwrap();
        if !elsewhere && let Err(why) = judge(template, site, after, &set) {
            self.wrong.push(format!("{label}: {why}"));
        }
        // Patching the patched file changes nothing.
        if change.before.is_some() {
            let again = SourceText { name: template.name.clone(), text: file.after.clone() };
            let (project, _) = Project::read(vec![again]);
            let second = patch(&project, &index, std::slice::from_ref(change));
            if !second.patches.is_empty() {
                self.wrong.push(format!("{label}: patched twice\n{}", second.patches[0].diff));
            }
        }
        Ok(set)
    }

    /// A case for the judge in another language.
    fn case(
        &mut self,
        template: &Template,
        site: &Site<'_>,
        (at, name): (Option<usize>, &str),
        set: &PatchSet,
        label: &str,
    ) {
        let file = &set.patches[0];
        let text = site.text.as_ref().map(|text| &text.place);
        let document = site.document.as_ref().map(|(_, place)| place).or(text).unwrap_or(&site.place);
        let elsewhere = site.form == Form::ManagedItem && !site.resource.has_policy_list();
        // A managed policy that the template holds is edited there, and of a policy template no statement stands in the file.
        if site.form == Form::SamTemplate && at.is_some() {
            return;
        }
        let name = if site.form == Form::Permission { "permission" } else { name };
        if crate::intrinsic::references(site.node)
            .iter()
            .any(|id| template.resource(id).is_some_and(|r| r.kind == "AWS::IAM::ManagedPolicy"))
        {
            return;
        }
        let field = |key: &str, value: Json| (key.to_owned(), value);
        self.cases.push(Json::Object(vec![
            field("label", Json::text(label.to_owned())),
            field("file", Json::text(template.name.to_string())),
            field("before", Json::text(file.before.clone())),
            field("after", Json::text(file.after.clone())),
            field("diff", Json::text(file.diff.clone())),
            field("path", keys(&template.root, document)),
            field("text", Json::text(if text.is_some() { "yes" } else { "" })),
            field("elsewhere", Json::text(if elsewhere { "yes" } else { "" })),
            field("statement", Json::text(at.map_or(String::new(), |at| at.to_string()))),
            field("change", Json::text(name)),
        ]));
    }

    fn table(&self) -> String {
        let mut out = String::from("project,form,policies,statements,changes,patched,refused\n");
        for ((project, form), c) in &self.counts {
            let refused: Vec<String> = c.refused.iter().map(|(code, count)| format!("{code} {count}")).collect();
            let (policies, statements, changes, patched) = (c.policies, c.statements, c.changes, c.patched);
            out.push_str(&format!(
                "{project},{form},{policies},{statements},{changes},{patched},{}\n",
                refused.join("; ")
            ));
        }
        out
    }
}

/// Asks the judge that shares no code with this crate: PyYAML or `json`, and `git apply`.
fn judged_elsewhere(cases: &[Json]) {
    let folder = std::env::temp_dir().join(format!("paring-judge-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let list = folder.join("cases.jsonl");
    std::fs::write(&list, cases.iter().map(|case| case.to_compact() + "\n").collect::<String>()).unwrap();
    let script = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/judge_patches.py");
    let output = std::process::Command::new("python3").arg(script).arg(&list).output();
    if std::env::var_os("PARING_PATCH_CASES").is_none() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    match output {
        Ok(output) => {
            let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            eprintln!("{said}");
            if output.status.code() == Some(77) {
                return eprintln!("SKIPPED: the judge in Python did not run: {error}");
            }
            assert!(output.status.success(), "{said}{error}");
        }
        Err(error) => eprintln!("SKIPPED: no python3 to judge with: {error}"),
    }
}

#[test]
fn no_change_to_a_real_project_is_written_wrong() {
    let Some(corpus) = corpus() else { return };
    let mut tally = Tally::default();
    for source in sources(&corpus) {
        let Found::Template(template) = template::recognise(&source) else { continue };
        let (project, _) = Project::read(vec![source.clone()]);
        for resource in template.resources() {
            for site in site::sites_of(&resource) {
                tally.run(&project, &template, &site);
            }
        }
    }
    for line in tally.refused.iter().map(|line| format!("REFUSED {line}")) {
        eprintln!("{line}");
    }
    for line in &tally.unsaid {
        eprintln!("NOT SAID {line}");
    }
    let sum = |of: &dyn Fn(&Counts) -> usize| tally.counts.values().map(of).sum::<usize>();
    let refused = sum(&|c| c.refused.values().sum());
    let (policies, statements, changes) = (sum(&|c| c.policies), sum(&|c| c.statements), sum(&|c| c.changes));
    eprintln!("{policies} policies, {statements} statements, {changes} changes, {refused} refused");
    assert!(tally.wrong.is_empty(), "{} wrong:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    judged_elsewhere(&tally.cases);
    assert!(refused * 50 <= changes, "{refused} of {changes} refused");
    if std::env::var_os("PARING_PATCH_CORPUS").is_none() {
        let path = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/patches/corpus.csv");
        if std::env::var_os("UPDATE_PATCHES").is_some() {
            std::fs::write(&path, tally.table()).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(known, tally.table(), "UPDATE_PATCHES=1 writes {} anew", path.display());
    }
}
