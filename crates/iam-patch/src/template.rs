//! A CloudFormation, SAM or Serverless Framework template: its resources, parameters and conditions, as written.
//!
//! Resolves nothing and knows nothing about policies.

mod cdk;
mod serverless;

use std::collections::BTreeMap;

use iam_model::text::{SourceName, SourceText};

use crate::read::{self, ReadError, Syntax};
use crate::tree::{Node, Path};

/// A parsed template.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) name: SourceName,
    pub(crate) text: String,
    pub(crate) syntax: Syntax,
    pub(crate) root: Node,
    pub(crate) dialect: Dialect,
    slots: Vec<Slot>,
    /// Slots by the hash of their logical id: ids of one project are alike for many letters.
    by_id: Vec<(u64, usize)>,
    /// The slots of resources that `Fn::ForEach` makes.
    made: Vec<usize>,
    /// The slots of nested stacks.
    nested: Vec<usize>,
    /// The lines of an app that made resources, where a CDK assembly says so.
    traces: BTreeMap<String, String>,
}

/// Whose template it is: the same resources, but other words around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// CloudFormation, with or without SAM.
    CloudFormation,
    /// The Serverless Framework, whose `${self:…}` variables are resolved before CloudFormation sees anything.
    Serverless,
}

/// Where the parts of a resource stand.
#[derive(Debug)]
struct Slot {
    id: String,
    kind: String,
    node: Path,
    properties: Option<Path>,
    role: Option<Path>,
}

/// A resource of a template.
#[derive(Debug, Clone)]
pub(crate) struct Resource<'t> {
    pub(crate) id: &'t str,
    pub(crate) kind: &'t str,
    pub(crate) node: &'t Node,
    pub(crate) properties: Option<&'t Node>,
    /// Where the properties stand.
    pub(crate) place: Path,
    /// The `Role` property, the function's own or the one from `Globals`.
    pub(crate) role: Option<&'t Node>,
}

impl<'t> Resource<'t> {
    pub(crate) fn property(&self, name: &str) -> Option<&'t Node> {
        self.properties?.get(name)
    }

    /// A property with its place.
    pub(crate) fn property_at(&self, name: &str) -> Option<(&'t Node, Path)> {
        let (index, node) = self.properties?.find(name)?;
        Some((node, self.place.child(index)))
    }

    /// Functions and state machines, whose `Policies` SAM turns into a role of their own.
    pub(crate) fn has_policy_list(&self) -> bool {
        matches!(self.kind, "AWS::Serverless::Function" | "AWS::Serverless::StateMachine")
    }

    /// A function, whatever the framework.
    pub(crate) fn is_function(&self) -> bool {
        matches!(self.kind, "AWS::Serverless::Function" | "AWS::Lambda::Function" | serverless::FUNCTION)
    }

    /// A role that the Serverless Framework makes.
    pub(crate) fn is_framework_role(&self) -> bool {
        matches!(self.kind, serverless::PROVIDER_ROLE | serverless::FUNCTION_ROLE)
    }

    /// Whether `Fn::ForEach` makes several resources of this text.
    pub(crate) fn is_multiplied(&self) -> bool {
        self.id.contains("${") || self.id.contains("&{")
    }

    /// Whether SAM makes a role named after this resource.
    pub(crate) fn has_implicit_role(&self) -> bool {
        self.has_policy_list() && self.role.is_none()
    }
}

/// What a source file turned out to be.
pub(crate) enum Found {
    Template(Box<Template>),
    /// A template by all signs, but it does not parse.
    Broken(ReadError),
    /// A project of a kind that is not edited, by name.
    Unsupported(&'static str),
    /// Nothing of interest.
    Other,
}

/// Recognises and parses a source file.
pub(crate) fn recognise(source: &SourceText) -> Found {
    let name = source.name.as_str().to_ascii_lowercase();
    match name.rsplit('/').next().unwrap_or_default() {
        "cdk.json" => return Found::Unsupported("CDK"),
        "pulumi.yaml" | "pulumi.yml" => return Found::Unsupported("Pulumi"),
        "serverless.ts" | "serverless.js" | "serverless.cjs" | "serverless.mjs" => {
            return Found::Unsupported("Serverless Framework programs and their");
        }
        _ => {}
    }
    let ending = name.rsplit('.').next().unwrap_or_default();
    let syntax = match ending {
        "yaml" | "yml" => Syntax::Yaml,
        "json" => Syntax::Json,
        "template" | "cfn" if source.text.trim_start_matches('\u{feff}').trim_start().starts_with('{') => Syntax::Json,
        "template" | "cfn" => Syntax::Yaml,
        _ => return Found::Other,
    };
    if is_serverless_framework(&source.text) {
        return match read::read(&source.text, syntax) {
            Ok(root) => Found::Template(Box::new(Template::serverless(source, syntax, root))),
            Err(error) => Found::Broken(error),
        };
    }
    if !looks_like_template(&source.text) {
        return Found::Other;
    }
    match read::read(&source.text, syntax) {
        Ok(root) if is_template(&root) => {
            Found::Template(Box::new(Template::new(source.name.clone(), source.text.clone(), syntax, root)))
        }
        Ok(_) => Found::Other,
        Err(error) => Found::Broken(error),
    }
}

/// Reads a file that a Serverless Framework service takes statements from: it declares nothing by itself.
pub(crate) fn statements_file(source: &SourceText) -> Option<Template> {
    let syntax = if source.name.as_str().ends_with(".json") { Syntax::Json } else { Syntax::Yaml };
    let root = read::read(&source.text, syntax).ok()?;
    Some(Template::with(source.name.clone(), source.text.clone(), syntax, root, Dialect::Serverless, Vec::new()))
}

/// Reads a file that a Serverless Framework service includes for its functions.
pub(crate) fn fragment(source: &SourceText) -> Option<Template> {
    let root = read::read(&source.text, Syntax::Yaml).ok()?;
    let slots = serverless::functions_of(&root, &Path::default(), None);
    let template =
        Template::with(source.name.clone(), source.text.clone(), Syntax::Yaml, root, Dialect::Serverless, slots);
    Some(template)
}

fn looks_like_template(text: &str) -> bool {
    text.contains("Resources") && (text.contains("AWS::") || text.contains("AWSTemplateFormatVersion"))
}

fn is_serverless_framework(text: &str) -> bool {
    let starts = |key: &str| text.lines().any(|line| line.starts_with(key));
    starts("service:") && starts("provider:")
}

fn is_template(root: &Node) -> bool {
    root.get("Resources").is_some_and(|resources| {
        resources.entries().iter().any(|e| e.value.get("Type").and_then(Node::text).is_some_and(|t| t.contains("::")))
    })
}

impl Template {
    /// A CloudFormation or SAM template.
    pub(crate) fn new(name: SourceName, text: String, syntax: Syntax, root: Node) -> Self {
        let globals = root.find("Globals").and_then(|(at, globals)| {
            let (function, node) = globals.find("Function")?;
            let (role, _) = node.find("Role")?;
            Some(Path::default().child(at).child(function).child(role))
        });
        let slots =
            root.find("Resources").map(|(at, node)| resources_of(node, &Path::default().child(at), globals.as_ref()));
        Self::with(name, text, syntax, root, Dialect::CloudFormation, slots.unwrap_or_default())
    }

    fn serverless(source: &SourceText, syntax: Syntax, root: Node) -> Self {
        let slots = serverless::slots(&root);
        Self::with(source.name.clone(), source.text.clone(), syntax, root, Dialect::Serverless, slots)
    }

    fn with(name: SourceName, text: String, syntax: Syntax, root: Node, dialect: Dialect, slots: Vec<Slot>) -> Self {
        let mut by_id: Vec<(u64, usize)> = slots.iter().enumerate().map(|(at, slot)| (hash(&slot.id), at)).collect();
        by_id.sort_unstable();
        let made = slots.iter().enumerate().filter(|(_, slot)| slot.id.contains("{")).map(|(at, _)| at).collect();
        let stacks =
            |slot: &Slot| matches!(slot.kind.as_str(), "AWS::CloudFormation::Stack" | "AWS::Serverless::Application");
        let nested = slots.iter().enumerate().filter(|(_, slot)| stacks(slot)).map(|(at, _)| at).collect();
        Self { name, text, syntax, root, dialect, slots, by_id, made, nested, traces: BTreeMap::new() }
    }

    /// The same kind of template with another text.
    #[cfg(test)]
    pub(crate) fn reread(&self, text: String, root: Node) -> Self {
        let source = SourceText { name: self.name.clone(), text };
        match self.dialect {
            Dialect::CloudFormation => Self::new(source.name, source.text, self.syntax, root),
            Dialect::Serverless => Self::serverless(&source, self.syntax, root),
        }
    }

    /// The resources in the order written.
    pub(crate) fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        self.slots.iter().filter_map(|slot| self.filled(slot))
    }

    /// A resource by logical id.
    pub(crate) fn resource(&self, id: &str) -> Option<Resource<'_>> {
        self.filled(self.slot(id)?)
    }

    /// A function of the Serverless Framework by the name it has in the file.
    pub(crate) fn function_named(&self, name: &str) -> Option<Resource<'_>> {
        (self.dialect == Dialect::Serverless).then(|| self.resource(&serverless::function_id(name)))?
    }

    /// The name that a function of the Serverless Framework has in the file.
    pub(crate) fn function_name(&self, function: &Resource<'_>) -> Option<&str> {
        if function.kind != serverless::FUNCTION {
            return None;
        }
        let place = &self.slot(function.id)?.node;
        let (above, index) = (place.parent()?, place.last()?);
        self.root.at(&above)?.entries().get(index).map(crate::tree::Entry::name)
    }

    /// The name of the one function that a role of the Serverless Framework is made for.
    pub(crate) fn function_of_role(&self, role: &str) -> Option<&str> {
        self.function_name(&self.resource(&serverless::function_of_role(role)?)?)
    }

    /// Whether a resource has this logical id.
    pub(crate) fn declares(&self, id: &str) -> bool {
        self.slot(id).is_some()
    }

    fn slot(&self, id: &str) -> Option<&Slot> {
        let hash = hash(id);
        let from = self.by_id.partition_point(|(own, _)| *own < hash);
        let alike = self.by_id.get(from..)?.iter().take_while(|(own, _)| *own == hash);
        let exact = alike.filter_map(|(_, at)| self.slots.get(*at)).find(|slot| slot.id == id);
        exact.or_else(|| self.made.iter().filter_map(|at| self.slots.get(*at)).find(|slot| made_of(&slot.id, id)))
    }

    fn filled<'t>(&'t self, slot: &'t Slot) -> Option<Resource<'t>> {
        Some(Resource {
            id: &slot.id,
            kind: &slot.kind,
            node: self.root.at(&slot.node)?,
            properties: slot.properties.as_ref().and_then(|place| self.root.at(place)),
            place: slot.properties.clone().unwrap_or_else(|| slot.node.clone()),
            role: slot.role.as_ref().and_then(|place| self.root.at(place)),
        })
    }

    /// Whether the CDK made this template, so that an edit would be lost.
    pub(crate) fn is_generated(&self) -> bool {
        cdk::is_assembly(self.name.as_str())
    }

    /// What a resource was made from, in words: the construct's path, and the line where it is known.
    pub(crate) fn made_from(&self, resource: &Resource<'_>) -> String {
        let construct = cdk::construct(resource).unwrap_or(resource.id);
        let line = self.traces.get(resource.id).map(|line| format!(", made at {line}")).unwrap_or_default();
        format!("the construct `{construct}`{line}")
    }

    /// Takes over what the manifest beside it says.
    pub(crate) fn traced(&mut self, manifest: &SourceText) {
        let folder = |name: &SourceName| name.as_str().rsplit_once('/').map(|(folder, _)| folder.to_owned());
        if folder(&self.name) == folder(&manifest.name)
            && let Ok(root) = read::read(&manifest.text, Syntax::Json)
        {
            self.traces = cdk::traces(&root);
        }
    }

    /// The files this one includes for its functions, below the folder of the project.
    pub(crate) fn includes(&self) -> Vec<String> {
        let folder = self.name.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        let below = |path: String| if folder.is_empty() { path } else { format!("{folder}/{path}") };
        serverless::included_functions(&self.root).into_iter().map(below).collect()
    }

    /// A path of this project that a file of the service names.
    fn beside(&self, path: &str) -> String {
        let folder = self.name.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
    }

    /// The file and the keys in it that a value names instead of being written out.
    pub(crate) fn named_file<'n>(&self, node: &'n Node) -> Option<(String, Vec<&'n str>)> {
        let text = node.text().filter(|_| self.dialect == Dialect::Serverless)?;
        serverless::file_reference(text).map(|(path, keys)| (self.beside(&path), keys))
    }

    /// The files that this one takes lists of statements from, each as often as it is named.
    pub(crate) fn statement_files(&self) -> Vec<String> {
        if self.dialect != Dialect::Serverless {
            return Vec::new();
        }
        let named = serverless::named_statements(&self.root).into_iter().filter_map(serverless::file_reference);
        named.map(|(path, _)| self.beside(&path)).collect()
    }

    /// The nested stacks: the child's template as a path of the project, and the parameters it is given.
    pub(crate) fn nested(&self) -> impl Iterator<Item = (String, &Node)> {
        self.nested.iter().filter_map(|at| {
            let resource = self.filled(self.slots.get(*at)?)?;
            let location = resource.property("TemplateURL").or_else(|| resource.property("Location"))?.text()?;
            let path = location.trim_start_matches("./");
            let inside = !path.contains("..") && !path.contains("://") && !path.starts_with('/');
            Some((self.beside(path), resource.property("Parameters")?)).filter(|_| inside)
        })
    }

    /// Logical ids of the roles that a function runs as, as far as the template says.
    pub(crate) fn roles_of(&self, function: &Resource<'_>) -> Vec<String> {
        match function.role {
            Some(role) => {
                crate::intrinsic::references(role).into_iter().chain(role.text().map(str::to_owned)).collect()
            }
            None if function.kind == serverless::FUNCTION => {
                serverless::role_of(self, function.id).into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    /// An entry of a top-level section such as `Parameters`.
    pub(crate) fn section(&self, section: &str, key: &str) -> Option<&Node> {
        self.root.get(section)?.get(key)
    }

    /// The function or state machine whose implicit role has this logical id.
    pub(crate) fn owner_of_role(&self, role: &str) -> Option<Resource<'_>> {
        let resource = self.resource(role.strip_suffix("Role")?)?;
        resource.has_implicit_role().then_some(resource)
    }
}

/// The resources below a `Resources` mapping; functions without a role of their own have the one from `Globals`. The ids
/// of those that `Fn::ForEach` makes have a `${…}` in them.
fn resources_of(resources: &Node, place: &Path, global_role: Option<&Path>) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (index, entry) in resources.entries().iter().enumerate() {
        let node = place.child(index);
        if entry.name().starts_with("Fn::ForEach::") {
            if let [_, _, body] = entry.value.items() {
                slots.extend(resources_of(body, &node.child(2), global_role));
            }
            continue;
        }
        let Some(kind) = entry.value.get("Type").and_then(Node::text).map(str::to_owned) else { continue };
        let properties = entry.value.find("Properties");
        let own_role = properties.and_then(|(at, properties)| Some(node.child(at).child(properties.find("Role")?.0)));
        let global = global_role.filter(|_| kind == "AWS::Serverless::Function").cloned();
        let properties = properties.map(|(at, _)| node.child(at));
        slots.push(Slot { id: entry.name().to_owned(), kind, node, properties, role: own_role.or(global) });
    }
    slots
}

/// Whether a name can come of the id of a resource that `Fn::ForEach` makes.
fn made_of(id: &str, name: &str) -> bool {
    let Some((before, rest)) = id.split_once("${").or_else(|| id.split_once("&{")) else { return id == name };
    let Some((_, after)) = rest.split_once('}') else { return false };
    let Some(rest) = name.strip_prefix(before) else { return false };
    let mut ends = rest.char_indices().map(|(at, _)| at).skip(1).chain([rest.len()]);
    ends.any(|end| rest.get(end..).is_some_and(|rest| made_of(after, rest)))
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
