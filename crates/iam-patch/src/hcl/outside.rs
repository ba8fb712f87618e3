//! Policies in files of their own: `file(…)`, `templatefile(…)` and the older data source `template_file`.
//!
//! Such a file is read as one more file of the project, with one block that is all of it, so that it is found,
//! compared, edited and guarded like any other place. What a template may say is the variables its call gives it.

use hcl_edit::expr::Expression;
use hcl_edit::template::{Element, Template};
use iam_model::text::{SourceText, Span};

use super::evaluate::{Evaluator, known};
use super::heredoc;
use super::parse::{self, Block, JSON, Part};
use super::policies::{self, Site, Writing};
use super::project::{At, File, Terraform, joined};
use super::{document, refer};
use crate::op::New;
use crate::plan::Language;
use crate::read;
use crate::reference::Written;
use crate::resolve::{Resolve, Text, Value};
use crate::tree::{Node, Plain};

/// What a file of a project is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    /// Blocks of Terraform.
    Blocks,
    /// JSON, as `file` gives it.
    Json,
    /// JSON with interpolations, as `templatefile` fills them.
    Template,
    /// Terraform in its JSON syntax: read, never edited.
    TerraformJson,
}

/// The type of the one block that a file outside of Terraform has.
const OUTSIDE: &str = "file";

impl Reading {
    /// The top-level blocks of a text.
    pub(super) fn split(self, text: &str) -> Option<Vec<Block>> {
        match self {
            Self::Blocks => parse::split(text).ok(),
            Self::Json | Self::Template => Some(vec![whole(text)]),
            Self::TerraformJson => json_blocks(text),
        }
    }

    /// Reads a block's body, a policy document in its own names.
    pub(super) fn first(self, text: &str, block: &Block) -> Option<Node> {
        match self {
            Self::Blocks => {
                let node = parse::read(text, block).ok()?;
                Some(if block.is("data", document::TYPE) { document::canonical(node) } else { node })
            }
            Self::Json => {
                let node = read::json::read(text).ok()?;
                Some(Node { tag: Some(JSON.into()), ..node })
            }
            Self::Template => heredoc::read(text, block.body, block.body).ok(),
            Self::TerraformJson => {
                let node = heredoc::read(text, block.body, block.body).ok()?;
                Some(Node { tag: None, ..node })
            }
        }
    }

    /// What another parser reads there.
    pub(super) fn second(self, text: &str, block: &Block) -> Option<Plain> {
        match self {
            Self::Blocks => {
                let node = super::second::block(block.span.slice(text))?;
                Some(if block.is("data", document::TYPE) { document::canonical(node) } else { node }.plain())
            }
            Self::Json => Some(Plain::tagged(Some(JSON), read::json::second(text)?)),
            Self::Template => Some(heredoc::second(template_parts(text)?)?.plain()),
            Self::TerraformJson => self.first(text, block).map(|node| node.plain()),
        }
    }
}

/// The blocks of Terraform's JSON syntax, by kind and labels.
fn json_blocks(text: &str) -> Option<Vec<Block>> {
    let root = read::json::read(text).ok()?;
    let mut blocks = Vec::new();
    for entry in root.entries() {
        let labels = match entry.name() {
            "resource" | "data" => 2,
            "module" | "variable" | "output" | "provider" => 1,
            "locals" => 0,
            _ => continue,
        };
        labelled(&entry.value, labels, &[entry.name().to_owned()], &mut blocks);
    }
    Some(blocks)
}

/// Mappings below labels; a list holds several of them.
fn labelled(node: &Node, labels: usize, head: &[String], blocks: &mut Vec<Block>) {
    node.items().iter().for_each(|item| labelled(item, labels, head, blocks));
    if !node.is_map() {
        return;
    }
    let Some(below) = labels.checked_sub(1) else {
        blocks.push(Block { head: head.to_vec(), span: node.span, body: node.span, attribute: false });
        return;
    };
    for entry in node.entries() {
        let head: Vec<String> = head.iter().cloned().chain([entry.name().to_owned()]).collect();
        labelled(&entry.value, below, &head, blocks);
    }
}

fn whole(text: &str) -> Block {
    let span = Span::new(0, text.len());
    Block { head: vec![OUTSIDE.into()], span, body: span, attribute: false }
}

fn template_parts(text: &str) -> Option<Vec<Part>> {
    let template: Template = hcl_edit::parser::parse_template(text).ok()?;
    Some(super::second::parts(template.iter()))
}

/// A call that names a file.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    file: String,
    template: bool,
    /// The expression that gives a template its variables.
    variables: Option<Expression>,
}

/// A file that policies are read from.
#[derive(Debug)]
pub(super) struct Document {
    file: String,
    at: At,
    template: bool,
    /// The module of each call, with the variables it gives.
    calls: Vec<(usize, Option<Expression>)>,
}

/// Where the policy stands that an expression reads from a file, once [`attach`] has read it.
pub(super) fn find(terraform: &Terraform, at: At, text: &str) -> Option<At> {
    if terraform.documents.is_empty() {
        return None;
    }
    let call = call(terraform, terraform.module_of(at), text)?;
    let same = |document: &&Document| document.file == call.file && document.template == call.template;
    terraform.documents.iter().find(same).map(|document| document.at)
}

/// Whether an expression reads a file.
pub(super) fn reads_a_file(text: &str) -> bool {
    let inner = unwrapped(text);
    ["file(", "templatefile("].iter().any(|name| inner.starts_with(name))
        || (inner.starts_with("data.template_file.") && inner.ends_with(".rendered"))
}

/// The expression without functions around it that change no meaning.
fn unwrapped(text: &str) -> &str {
    let inside = |text: &'_ str, name: &str| -> Option<(usize, usize)> {
        text.strip_prefix(name)?.strip_suffix(')').map(|inner| (name.len(), inner.len()))
    };
    let mut text = text;
    while let Some((from, length)) =
        ["jsonencode(jsondecode(", "trimspace(", "chomp("].iter().find_map(|name| inside(text, name))
    {
        let inner = text.get(from..from + length).unwrap_or_default();
        text = if from > 12 { inner.strip_suffix(')').unwrap_or(inner) } else { inner };
    }
    text
}

fn call(terraform: &Terraform, module: usize, text: &str) -> Option<Call> {
    let text = unwrapped(text);
    if let Some(name) = text.strip_prefix("data.template_file.").and_then(|rest| rest.strip_suffix(".rendered")) {
        let name = name.strip_suffix("[0]").unwrap_or(name);
        let body = terraform.body(terraform.find(module, &["data", "template_file", name])?)?;
        let source = body.get("template")?.raw_text()?;
        let variables = match body.get("vars") {
            Some(vars) => Some(expression_of(vars)?),
            None => None,
        };
        let (file, _) = named_file(terraform, module, source)?;
        return Some(Call { file, template: true, variables });
    }
    let (file, variables) = named_file(terraform, module, text)?;
    Some(Call { file, template: text.starts_with("templatefile("), variables })
}

/// A node as the expression it was read from.
fn expression_of(node: &Node) -> Option<Expression> {
    if let Some(text) = node.raw_text() {
        return hcl_edit::parser::parse_expr(text).ok();
    }
    let entry = |entry: &crate::tree::Entry| {
        let text = entry.value.raw_text()?;
        let value = match entry.value.tag.as_deref() {
            None => format!("{text:?}"),
            Some(parse::TEMPLATE) => format!("\"{text}\""),
            Some(_) => text.to_owned(),
        };
        Some(format!("{:?} = {value}", entry.name()))
    };
    let entries = node.entries().iter().map(entry).collect::<Option<Vec<_>>>()?;
    hcl_edit::parser::parse_expr(&format!("{{ {} }}", entries.join(", "))).ok()
}

/// The file that `file(…)` or `templatefile(…)` names, and what else is given.
fn named_file(terraform: &Terraform, module: usize, text: &str) -> Option<(String, Option<Expression>)> {
    let Ok(Expression::FuncCall(call)) = hcl_edit::parser::parse_expr(text) else { return None };
    if !matches!(call.name.name.as_str(), "file" | "templatefile") {
        return None;
    }
    let mut arguments = call.args.iter();
    let path = path(terraform, module, arguments.next()?)?;
    Some((path, arguments.next().cloned()))
}

/// A path as Terraform takes it: from the module's folder, or from that of the root module.
fn path(terraform: &Terraform, module: usize, argument: &Expression) -> Option<String> {
    let own = terraform.modules.get(module)?.folder.as_str();
    let root = root_folder(terraform, module)?;
    let parts: Vec<&Element> = match argument {
        Expression::StringTemplate(template) => template.iter().collect(),
        other => return joined(root, &literal(terraform, module, other)?),
    };
    let (mut base, mut rest) = (root, String::new());
    for (index, part) in parts.into_iter().enumerate() {
        match part {
            Element::Literal(text) => rest.push_str(text),
            Element::Interpolation(hole) => match hole.expr.to_string().trim() {
                "path.module" if index == 0 => base = own,
                "path.root" | "path.cwd" if index == 0 => {}
                _ => rest.push_str(&literal(terraform, module, &hole.expr)?),
            },
            Element::Directive(_) => return None,
        }
    }
    joined(base, &rest)
}

fn literal(terraform: &Terraform, module: usize, expression: &Expression) -> Option<String> {
    let (account, fuel) = (super::evaluate::Account::default(), std::cell::Cell::new(0));
    known(&Evaluator::new(terraform, module, &account, true, &fuel).fresh().expression(expression))
}

/// The folder of the root module above a module, where there is one alone.
fn root_folder(terraform: &Terraform, module: usize) -> Option<&str> {
    let mut at = module;
    for _ in 0..8 {
        let mut callers: Vec<usize> = terraform.calls_of(at).iter().map(|call| terraform.module_of(*call)).collect();
        callers.dedup();
        match callers.as_slice() {
            [] => return terraform.modules.get(at).map(|module| module.folder.as_str()),
            [only] => at = *only,
            _ => return None,
        }
    }
    None
}

/// Reads the files that policies of the project are in.
pub(super) fn attach(terraform: &mut Terraform, sources: &[SourceText]) {
    let mut calls: Vec<(usize, Call)> = Vec::new();
    for (number, file) in terraform.files.iter().enumerate().filter(|(_, file)| file.text.contains("file")) {
        for block in 0..file.blocks.len() {
            for site in policies::sites_of(terraform, At { file: number, block }) {
                let node = terraform.body(site.at).and_then(|body| body.at(&site.place));
                let text = node.and_then(Node::raw_text).filter(|_| site.writing == Writing::File);
                let module = terraform.module_of(site.at);
                let found = text.and_then(|text| call(terraform, module, text)).map(|call| (module, call));
                calls.extend(found.filter(|found| !calls.contains(found)));
            }
        }
    }
    for (module, call) in calls {
        let same = |document: &&mut Document| document.file == call.file && document.template == call.template;
        if let Some(known) = terraform.documents.iter_mut().find(same) {
            known.calls.push((module, call.variables));
            continue;
        }
        let Some(source) = sources.iter().find(|source| source.name.as_str() == call.file) else { continue };
        let reading = if call.template { Reading::Template } else { Reading::Json };
        let block = whole(&source.text);
        if !reading.first(&source.text, &block).is_some_and(|node| node.is_map()) {
            continue;
        }
        let at = At { file: terraform.files.len(), block: 0 };
        terraform.files.push(File::new(source, vec![block], module, reading));
        let calls = vec![(module, call.variables)];
        terraform.documents.push(Document { file: call.file, at, template: call.template, calls });
    }
}

fn document<'t>(terraform: &'t Terraform, site: &Site) -> Option<&'t Document> {
    terraform.documents.iter().find(|document| document.at == site.at)
}

/// An evaluator that knows the variables of the template a policy stands in.
pub(super) fn evaluator<'p>(open: Evaluator<'p>, site: &Site) -> Evaluator<'p> {
    let Some(document) = document(open.terraform, site).filter(|document| document.template) else { return open };
    let mut bound: Vec<(String, Value)> = Vec::new();
    for (number, (module, variables)) in document.calls.iter().enumerate() {
        let value = variables.as_ref().map(|given| open.fresh().elsewhere(*module).expression(given));
        let Some(Value::Map(entries)) = value else { continue };
        for (name, value) in entries {
            match bound.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) if *known != value => *known = super::evaluate::hole(),
                Some(_) => {}
                // Another call does not give it, so nobody knows.
                None if number > 0 => bound.push((name, super::evaluate::hole())),
                None => bound.push((name, value)),
            }
        }
    }
    open.with(bound)
}

/// What a person should know before the file changes.
pub(super) fn reviews(terraform: &Terraform, site: &Site) -> Vec<String> {
    let Some(document) = document(terraform, site) else { return Vec::new() };
    let mut reviews = Vec::new();
    if document.template {
        reviews.push(format!("`{}` is a template: look at `terraform plan`", document.file));
    }
    let both = terraform.documents.iter().filter(|other| other.file == document.file).count() > 1;
    if both {
        reviews.push(format!("`{}` is read as it stands and as a template", document.file));
    }
    // Other blocks may read the file too, as no policy of their own.
    let name = document.file.rsplit('/').next().unwrap_or_default();
    let mentions: usize = terraform.files.iter().map(|file| mentions_of(file, name)).sum();
    if mentions > 1 && document.calls.len() < 2 && !both {
        reviews.push(format!("`{name}` is named in {mentions} places"));
    }
    reviews
}

fn mentions_of(file: &File, name: &str) -> usize {
    let path = |at: &usize| {
        let before = file.text.get(..*at).and_then(|text| text.chars().next_back());
        matches!(before, Some('/' | '"'))
    };
    let found = file.text.match_indices(name).map(|(at, _)| at).filter(path);
    if file.reading == Reading::Blocks { found.count() } else { 0 }
}

/// The language of a policy in a file of its own: no references but a template's variables.
pub(super) struct InFile<'p> {
    pub(super) around: &'p refer::Dialect<'p>,
    /// The variables of the template, as far as they are known; nothing where it is no template.
    pub(super) variables: Option<Vec<(String, Text)>>,
}

impl<'p> InFile<'p> {
    /// The language of a policy's place, where it is a file of its own.
    pub(super) fn of(dialect: &'p refer::Dialect<'p>, site: &Site) -> Option<Self> {
        let document = document(dialect.open.terraform, site)?;
        let text = |value: &Value| if let Value::Text(text) = value { Some(text.clone()) } else { None };
        let texts = dialect.defaults.given().iter().filter_map(|(name, value)| Some((name.clone(), text(value)?)));
        Some(Self { around: dialect, variables: document.template.then(|| texts.collect()) })
    }
}

/// What follows in an ARN the value of a variable that names its resource; account and region may be unknown.
fn below<'c>(concrete: &'c str, value: &Text) -> Option<&'c str> {
    let head: usize = concrete.splitn(6, ':').take(5).map(|part| part.len() + 1).sum();
    let names = |arn: &str| {
        let other = format!("{}no other resource", arn.get(..head).unwrap_or_default());
        value.explains(arn) && !value.explains(&other) && !value.explains(&format!("{arn}?"))
    };
    let ends = concrete.match_indices(['/', ':']).map(|(at, _)| at).filter(|at| *at > head);
    let mut ends: Vec<usize> = ends.chain([concrete.len()]).collect();
    ends.reverse();
    ends.into_iter().find(|end| concrete.get(..*end).is_some_and(names)).and_then(|end| concrete.get(end..))
}

impl Resolve for InFile<'_> {
    fn value(&self, node: &Node) -> Value {
        self.around.value(node)
    }

    fn may_be_lists(&self) -> bool {
        true
    }
}

impl Language for InFile<'_> {
    fn write(&self, concrete: &str) -> Written {
        let plain = Written { value: New::text(concrete), review: None };
        let Some(variables) = self.variables.as_ref().filter(|_| concrete.starts_with("arn:")) else { return plain };
        let mut best: Option<(&str, &str)> = None;
        for (name, value) in variables {
            let shorter = |rest: &&str| best.is_none_or(|(_, known)| rest.len() < known.len());
            if let Some(rest) = below(concrete, value).filter(shorter) {
                best = Some((name, rest));
            }
        }
        match best {
            Some((name, "")) => Written { value: New::Tagged(parse::EXPRESSION.into(), name.into()), review: None },
            Some((name, rest)) => {
                let text = format!("${{{name}}}{}", parse::escape_holes(rest));
                Written { value: New::Tagged(parse::TEMPLATE.into(), text), review: None }
            }
            None => plain,
        }
    }

    fn after_drift(&self) -> &'static str {
        self.around.after_drift()
    }

    fn place(&self, span: Span) -> iam_model::diagnostic::Place {
        self.around.place(span)
    }

    fn pattern(&self, node: &Node) -> Option<crate::plan::Pattern> {
        self.around.pattern(node)
    }

    fn escaped(&self, text: &str) -> String {
        self.around.escaped(text)
    }
}
