//! Real Terraform projects: every policy found and read alike by two parsers, changes to each, none written wrong.
//!
//! The data is not part of the repository; without it the test says so and passes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::json::Value as Json;
use iam_model::policy::{self, ActionElement, PolicyDocument, ResourceElement, Statement};
use iam_model::text::{SourceName, SourceText, Spanned};

use super::evaluate::{Account, Evaluator};
use super::outside;
use super::policies::{self, Site, Writing};
use super::project::{Terraform, is_terraform};
use super::work::{Edited, Work, all_sites};
use super::{find, owner};
use crate::compare;
use crate::resolve::{Resolve, Value};
use crate::site::Form;

#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, usize>,
    wrong: Vec<String>,
    refused: Vec<String>,
    cases: usize,
    /// By project, level and form: policies, statements, changes asked for, patched, refused by code.
    rows: BTreeMap<(String, &'static str, String), Row>,
    /// Where the cases for the judge go.
    folder: PathBuf,
}

#[derive(Default)]
struct Row {
    policies: usize,
    statements: usize,
    changes: usize,
    patched: usize,
    refused: BTreeMap<String, usize>,
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

/// The Terraform files of each project: the first two folders of a path name it.
fn projects(corpus: &FilePath) -> BTreeMap<String, Vec<SourceText>> {
    let manifest = std::fs::read_to_string(corpus.join("MANIFEST.csv")).unwrap();
    let mut projects: BTreeMap<String, Vec<SourceText>> = BTreeMap::new();
    for path in manifest.lines().skip(1).filter_map(|line| line.split(',').next()) {
        let name = SourceName::new(path);
        if [".tf", ".tftpl", ".tpl", ".json"].iter().any(|ending| path.ends_with(ending)) {
            let text = std::fs::read_to_string(corpus.join(path)).unwrap();
            let project = path.split('/').take(2).collect::<Vec<_>>().join("/");
            projects.entry(project).or_default().push(SourceText { name, text });
        }
    }
    projects.retain(|_, files| files.iter().any(is_terraform));
    projects
}

fn terraform(files: &[SourceText]) -> Terraform {
    let mut terraform = Terraform::default();
    for file in files.iter().filter(|file| is_terraform(file)) {
        assert!(terraform.add(file).is_ok(), "{}", file.name);
    }
    terraform.attach(files);
    terraform
}

/// The resolved value as JSON, made-up words in the holes; nothing where it is not known.
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
        Value::AnyOf(values) => concrete(values.first()?)?,
        Value::Absent | Value::Unknown => return None,
    })
}

fn deployed(terraform: &Terraform, site: &Site) -> Option<PolicyDocument> {
    let (account, fuel) = (owner::account(terraform, site.owner, None), Cell::new(0));
    let evaluator = Evaluator::new(terraform, terraform.module_of(site.at), &account, false, &fuel);
    let evaluator = outside::evaluator(evaluator, site);
    let value = if site.writing == Writing::Permission {
        let statement = super::permission::statement(&evaluator, terraform.body(site.at)?)?;
        Value::Map(vec![("Statement".into(), Value::List(vec![statement]))])
    } else {
        evaluator.value(&*policies::read(terraform, site)?)
    };
    let json = concrete(&value)?;
    let json = if site.writing == Writing::Inputs { Json::Object(vec![("Statement".into(), json)]) } else { json };
    let source = SourceText { name: SourceName::new("deployed"), text: json.to_compact() };
    let (document, _) = policy::parse(&source);
    let clean = document.statements.iter().all(|s| s.unknown.is_empty());
    (clean && !document.statements.is_empty()).then_some(document)
}

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:444455556666:table/Orders";

fn changes(before: &PolicyDocument) -> Vec<(&'static str, PolicyDocument)> {
    let mut out = Vec::new();
    for at in 0..before.statements.len() {
        let edit = |change: &dyn Fn(&mut Statement)| {
            let mut after = before.clone();
            change(&mut after.statements[at]);
            after
        };
        let list = |s: &mut Statement, change: &dyn Fn(&mut Vec<Spanned<ActionPattern>>)| match &mut s.action {
            ActionElement::Action(list) | ActionElement::NotAction(list) => change(list),
        };
        if before.statements[at].action.patterns().len() > 1 {
            out.push(("drop", edit(&|s| list(s, &|list| drop(list.pop())))));
            out.push(("drop-first", edit(&|s| list(s, &|list| drop(list.remove(0))))));
        }
        if matches!(before.statements[at].resource, ResourceElement::Resource(_)) {
            out.push((
                "narrow",
                edit(&|s| {
                    s.resource = ResourceElement::Resource(vec![Spanned::synthetic(ResourcePattern::new(TABLE))]);
                }),
            ));
        }
        out.push(("grow", edit(&|s| list(s, &|list| list.push(Spanned::synthetic(ActionPattern::new("odd:Thing")))))));
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
            after.statements.remove(at);
            out.push(("remove-statement", after));
        }
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
        Form::ResourcePolicy | Form::Permission => AttachmentKind::Resource,
        Form::Organization => AttachmentKind::ServiceControl,
        _ => AttachmentKind::Identity,
    }
}

fn attachment(terraform: &Terraform, site: &Site) -> Attachment {
    let (account, fuel) = (Account::default(), Cell::new(0));
    let evaluator = Evaluator::new(terraform, terraform.module_of(site.owner), &account, false, &fuel);
    let name = terraform.body(site.owner).and_then(|body| body.at(&site.named_at)?.get("name"));
    let of_module = terraform.body(site.owner).filter(|_| super::inputs::is_call(terraform, site.owner));
    let of_module = of_module.filter(|_| site.form == Form::PolicyResource);
    let of_module = of_module.map(|body| super::inputs::policy_name(&evaluator.fresh(), body, site).filled("Hole"));
    let policy_name = of_module.or_else(|| {
        name.filter(|_| site.form == Form::Inline).map(|node| match evaluator.value(node) {
            Value::Text(text) => text.filled("Hole"),
            _ => String::new(),
        })
    });
    let module = owner::module_path(terraform, terraform.module_of(site.owner)).filter(|path| !path.is_empty());
    let address = find::named(terraform, site.owner);
    Attachment {
        kind: kind(site.form),
        principal_arn: None,
        resource_arn: None,
        logical_id: None,
        address: Some(module.map_or_else(|| address.clone(), |module| format!("{module}.{address}"))),
        policy_name,
        index: site.index,
    }
}

/// What can be asked of a permission: another action, and a source account.
fn narrowed(before: &PolicyDocument) -> Vec<(&'static str, PolicyDocument)> {
    let edit = |change: &dyn Fn(&mut Statement)| {
        let mut after = before.clone();
        change(&mut after.statements[0]);
        after
    };
    let url = ActionPattern::new("lambda:InvokeFunctionUrl");
    let action = edit(&|s| s.action = ActionElement::Action(vec![Spanned::synthetic(url.clone())]));
    let text = r#"{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEquals":{"AWS:SourceAccount":"444455556666"}}}}"#;
    let source = SourceText { name: SourceName::new("condition"), text: text.into() };
    let condition = policy::parse(&source).0.statements[0].conditions[0].clone();
    let account = edit(&|s| s.conditions.push(condition.clone()));
    vec![("action", action), ("source-account", account)]
}

/// Whether the patched files say `after` at the site.
fn judge(files: &[SourceText], site: &Site, after: &PolicyDocument, edited: &Edited) -> Result<(), String> {
    let patched = terraform(&replaced(files, edited));
    let (account, fuel) = (owner::account(&patched, site.owner, None), Cell::new(0));
    let evaluator = Evaluator::new(&patched, patched.module_of(site.at), &account, false, &fuel);
    let evaluator = outside::evaluator(evaluator, site);
    let said = if site.writing == Writing::Permission {
        let body = patched.body(site.at).ok_or("the block is gone")?;
        let value = super::permission::statement(&evaluator, body).ok_or("the block says no statement")?;
        compare::value_explains(&value, &after.statements[0], true)
    } else {
        let node = policies::read(&patched, site).ok_or("the place is gone")?;
        compare::explains_document(&evaluator, &node, after)
    };
    if said { Ok(()) } else { Err(format!("the patched file does not say what it should\n{}", edited.diff)) }
}

fn replaced(files: &[SourceText], edited: &Edited) -> Vec<SourceText> {
    let text = |file: &SourceText| if file.name == edited.file { edited.after.clone() } else { file.text.clone() };
    files.iter().map(|file| SourceText { name: file.name.clone(), text: text(file) }).collect()
}

fn patch(terraform: &Terraform, change: &Change) -> Result<Vec<Edited>, crate::refusal::Refusal> {
    let mut work = Work::new(terraform);
    work.add(0, change, &[])?;
    Ok(work.finish())
}

impl Tally {
    fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    fn row(&mut self, project: &str, level: &'static str, form: &str) -> &mut Row {
        self.rows.entry((project.to_owned(), level, form.to_owned())).or_default()
    }

    fn table(&self) -> String {
        let mut out = String::from("project,level,form,policies,statements,changes,patched,refused\n");
        for ((project, level, form), row) in &self.rows {
            let refused: Vec<String> = row.refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
            let (policies, statements, changes, patched) = (row.policies, row.statements, row.changes, row.patched);
            out.push_str(&format!(
                "{project},{level},{form},{policies},{statements},{changes},{patched},{}\n",
                refused.join(" ")
            ));
        }
        out
    }

    fn run(&mut self, project: &str, files: &[SourceText], terraform: &Terraform, site: &Site) {
        let form = format!("{} {}", site.form.as_str(), site.writing.as_str());
        self.count(format!("{form} found"));
        let level = level(terraform, site);
        self.row(project, level, &form).policies += 1;
        let label = format!("{} {}", terraform.files[site.at.file].name, find::named(terraform, site.owner));
        self.whole(terraform, site, &format!("{form} removed"), None);
        if site.writing == Writing::Attached {
            let statement =
                Statement::allow(vec![ActionPattern::new("dynamodb:PutItem")], vec![ResourcePattern::new(TABLE)]);
            self.whole(terraform, site, &format!("{form} made inline"), Some(PolicyDocument::new(vec![statement])));
        }
        if !site.writing.is_document() && site.writing != Writing::Permission {
            return;
        }
        let Some(before) = deployed(terraform, site) else {
            self.refused.push(format!("{label}: not resolvable"));
            return self.count(format!("{form} not resolvable"));
        };
        self.row(project, level, &form).statements += before.statements.len();
        let asked = if site.writing == Writing::Permission { narrowed(&before) } else { changes(&before) };
        for (name, after) in asked {
            self.row(project, level, &form).changes += 1;
            let label = format!("{label} {name}");
            let (before, after) = (Some(before.clone()), Some(after));
            let change = Change { attachment: attachment(terraform, site), before, after, reasons: Vec::new() };
            let (before, after) = (change.before.as_ref().unwrap(), change.after.as_ref().unwrap());
            match patch(terraform, &change) {
                Err(refusal) => {
                    self.count(format!("{form} refused {}", refusal.code));
                    *self.row(project, level, &form).refused.entry(refusal.code.to_string()).or_default() += 1;
                    self.refused.push(format!("{label}: {}: {refusal}", refusal.code));
                }
                Ok(edited) if edited.is_empty() => {
                    self.count(format!("{form} unchanged"));
                    if !before.same_text(after) && name != "narrow" {
                        self.wrong.push(format!("{label}: nothing was written"));
                    }
                }
                Ok(edited) => {
                    self.count(format!("{form} patched"));
                    self.row(project, level, &form).patched += 1;
                    let edited = &edited[0];
                    if let Err(why) = judge(files, site, after, edited) {
                        self.wrong.push(format!("{label}: {why}"));
                    }
                    let asked = (site.writing != Writing::Permission).then_some((terraform, site, after));
                    self.export(&label, edited, asked);
                    let again = patch(&self::terraform(&replaced(files, edited)), &change);
                    if again.is_ok_and(|again| !again.is_empty()) {
                        self.wrong.push(format!("{label}: patched twice"));
                    }
                }
            }
        }
    }

    /// A whole policy goes, or gives way to an inline one.
    fn whole(&mut self, terraform: &Terraform, site: &Site, what: &str, after: Option<PolicyDocument>) {
        let change = Change { attachment: attachment(terraform, site), before: None, after, reasons: Vec::new() };
        let label = format!("{} {}", terraform.files[site.at.file].name, find::named(terraform, site.owner));
        match patch(terraform, &change) {
            Err(refusal) => {
                self.count(format!("{what}: refused {}", refusal.code));
                self.refused.push(format!("{label}: {what}: {}: {refusal}", refusal.code));
            }
            Ok(edited) => {
                self.count(what);
                self.export(&format!("{label} {what}"), &edited[0], None);
            }
        }
    }

    /// Writes each case to a folder for the judge in another language, with what was asked.
    fn export(&mut self, label: &str, edited: &Edited, asked: Option<(&Terraform, &Site, &PolicyDocument)>) {
        self.cases += 1;
        let folder = self.folder.join(format!("{:04}", self.cases));
        let path = folder.join("before").join(edited.file.as_str());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &edited.before).unwrap();
        std::fs::write(folder.join("after.txt"), &edited.after).unwrap();
        std::fs::write(folder.join("patch.diff"), &edited.diff).unwrap();
        std::fs::write(folder.join("label.txt"), label).unwrap();
        if let Some((terraform, site, after)) = asked {
            std::fs::write(folder.join("asked.json"), asked_for(terraform, site, after).to_compact()).unwrap();
        }
    }
}

/// How far a policy should be carried: L1 where every list is written out or one reference, L2 where it takes a look
/// besides (inline blocks, files of their own, inputs of modules, lists made by functions), L3 where only its place is told.
fn level(terraform: &Terraform, site: &Site) -> &'static str {
    if site.writing == Writing::Permission {
        return "L2";
    }
    let Some(node) = policies::read(terraform, site) else { return "L3" };
    let made = |node: &crate::tree::Node| {
        let text = node.raw_text().filter(|_| node.tag.as_deref() == Some(super::parse::EXPRESSION));
        node.tag.as_deref() == Some(crate::intrinsic::CONCAT) || text.is_some_and(|text| text.contains(['(', '?', '[']))
    };
    let lists = ["Action", "NotAction", "Resource", "NotResource"];
    let statements = compare::statements(&node, &crate::tree::Path::default());
    let functions = statements.iter().any(|s| lists.iter().filter_map(|list| s.node.get(list)).any(made));
    match (site.writing, site.form) {
        (Writing::Other, _) => "L3",
        (Writing::Document | Writing::File | Writing::Inputs, _) | (_, Form::Inline) => "L2",
        (Writing::Jsonencode | Writing::Heredoc | Writing::DataDocument, _) if functions || statements.is_empty() => {
            "L2"
        }
        _ if terraform.block(site.owner).is_some_and(|block| block.kind() == "module") => "L2",
        _ => "L1",
    }
}

/// The block, the way to the policy in it, and the effects and actions of its statements.
fn asked_for(terraform: &Terraform, site: &Site, after: &PolicyDocument) -> Json {
    let mut path = Vec::new();
    let mut node = terraform.body(site.at).unwrap();
    if site.writing != Writing::DataDocument {
        for step in site.place.steps() {
            let name = node.entries().get(*step).map(|entry| Json::text(entry.name()));
            path.push(name.unwrap_or_else(|| Json::Number(step.to_string())));
            node = node.child(*step).unwrap();
        }
    }
    let statement = |s: &Statement| {
        let effect = if s.effect == policy::Effect::Deny { "Deny" } else { "Allow" };
        let mut actions: Vec<String> =
            s.action.patterns().iter().map(|p| p.value.as_str().to_ascii_lowercase()).collect();
        actions.sort();
        Json::Array(vec![Json::text(effect), Json::Array(actions.into_iter().map(Json::text).collect())])
    };
    Json::Object(vec![
        ("block".into(), Json::text(terraform.block(site.at).unwrap().head.join("."))),
        ("path".into(), Json::Array(path)),
        ("statements".into(), Json::Array(after.statements.iter().map(statement).collect())),
    ])
}

/// Asks the judge that shares no code with this crate: python-hcl2, `json` and `git apply`.
fn judged_elsewhere(folder: &FilePath) {
    let script = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/judge_terraform.py");
    match std::process::Command::new("python3").arg(script).arg(folder).output() {
        Ok(output) if output.status.code() == Some(77) => eprintln!("SKIPPED: no python-hcl2 to judge with"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "the judge in Python: {said}{}", String::from_utf8_lossy(&output.stderr));
            eprintln!("judged elsewhere: {said}");
        }
        Err(error) => eprintln!("SKIPPED: no python3 to judge with: {error}"),
    }
}

#[test]
fn no_change_to_a_real_terraform_project_is_written_wrong() {
    let Some(corpus) = corpus() else { return };
    let folder = std::env::temp_dir().join(format!("paring-judge-terraform-{}", std::process::id()));
    let mut tally = Tally { folder: folder.clone(), ..Tally::default() };
    for (project, files) in &projects(&corpus) {
        let terraform = terraform(files);
        for file in &terraform.files {
            for block in &file.blocks {
                tally.count("block read");
                let first = file.reading.first(&file.text, block).map(|node| node.plain());
                let second = file.reading.second(&file.text, block);
                if first.is_none() || first != second {
                    tally.count("block not confirmed by a second parser");
                    let at = iam_model::text::Position::of(&file.text, block.span.start);
                    tally.refused.push(format!("{}:{at}: second parser\n{first:?}\n{second:?}", file.name));
                }
            }
        }
        for site in all_sites(&terraform) {
            tally.run(project, files, &terraform, &site);
        }
    }
    for (what, count) in &tally.counts {
        eprintln!("{count:6} {what}");
    }
    for line in &tally.refused {
        eprintln!("REFUSED {line}");
    }
    judged_elsewhere(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(tally.wrong.is_empty(), "{} wrong:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    let changes: usize = tally.rows.values().map(|row| row.changes).sum();
    let refused: usize = tally.rows.values().flat_map(|row| row.refused.values()).sum();
    eprintln!("{changes} changes, {refused} refused");
    for wanted in ["L1", "L2", "L3"] {
        let rows: Vec<&Row> = tally.rows.iter().filter(|((_, level, _), _)| *level == wanted).map(|(_, r)| r).collect();
        let sum = |count: fn(&Row) -> usize| rows.iter().map(|row| count(row)).sum::<usize>();
        let (changes, patched) = (sum(|row| row.changes), sum(|row| row.patched));
        let refused = sum(|row| row.refused.values().sum());
        eprintln!(
            "{wanted}: {} policies, {changes} changes, {patched} patched, {refused} refused",
            sum(|r| r.policies)
        );
    }
    let path = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/patches/corpus-terraform.csv");
    if std::env::var_os("UPDATE_PATCHES").is_some() {
        std::fs::write(&path, tally.table()).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(known, tally.table(), "UPDATE_PATCHES=1 writes {} anew", path.display());
}
