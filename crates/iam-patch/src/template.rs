//! A CloudFormation or SAM template: its resources, parameters and conditions, as written.
//!
//! Resolves nothing and knows nothing about policies.

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

    /// Whether SAM makes a role named after this resource.
    pub(crate) fn has_implicit_role(&self) -> bool {
        self.has_policy_list() && self.role.is_none()
    }
}

/// What a source file turned out to be.
pub(crate) enum Found {
    Template(Template),
    /// A template by all signs, but it does not parse.
    Broken(ReadError),
    /// IaC of a kind this version does not edit, by name.
    Unsupported(&'static str),
    /// Nothing of interest.
    Other,
}

/// Recognises and parses a source file.
pub(crate) fn recognise(source: &SourceText) -> Found {
    let name = source.name.as_str().to_ascii_lowercase();
    let ending = name.rsplit('.').next().unwrap_or_default();
    let syntax = match ending {
        "yaml" | "yml" => Syntax::Yaml,
        "json" => Syntax::Json,
        "template" | "cfn" if source.text.trim_start_matches('\u{feff}').trim_start().starts_with('{') => Syntax::Json,
        "template" | "cfn" => Syntax::Yaml,
        "tf" | "tftpl" if source.text.contains("aws_iam_") || source.text.contains("\"Statement\"") => {
            return Found::Unsupported("Terraform");
        }
        _ => return Found::Other,
    };
    if is_serverless_framework(&source.text) {
        return Found::Unsupported("Serverless Framework");
    }
    if !looks_like_template(&source.text) {
        return Found::Other;
    }
    match read::read(&source.text, syntax) {
        Ok(root) if is_template(&root) => {
            Found::Template(Template { name: source.name.clone(), text: source.text.clone(), syntax, root })
        }
        Ok(_) => Found::Other,
        Err(error) => Found::Broken(error),
    }
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
    /// The resources in the order written.
    pub(crate) fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        let found = self.root.find("Resources");
        let entries = found.map(|(_, node)| node.entries()).unwrap_or_default();
        let place = Path::default().child(found.map_or(0, |(index, _)| index));
        entries.iter().enumerate().filter_map(move |(index, entry)| {
            let kind = entry.value.get("Type")?.text()?;
            let place = place.child(index);
            let properties = entry.value.find("Properties");
            let own_role = properties.and_then(|(_, node)| node.get("Role"));
            Some(Resource {
                id: entry.name(),
                kind,
                node: &entry.value,
                properties: properties.map(|(_, node)| node),
                place: properties.map_or_else(|| place.clone(), |(at, _)| place.child(at)),
                role: own_role.or_else(|| self.global_role(kind)),
            })
        })
    }

    /// A resource by logical id.
    pub(crate) fn resource(&self, id: &str) -> Option<Resource<'_>> {
        self.resources().find(|resource| resource.id == id)
    }

    fn global_role(&self, kind: &str) -> Option<&Node> {
        let section = (kind == "AWS::Serverless::Function").then_some("Function")?;
        self.section("Globals", section)?.get("Role")
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
