//! Intrinsic functions resolved as far as the template and the stack allow; what is not known stays a hole.
//!
//! Follows the AWS CloudFormation topics "Intrinsic function reference" and "Pseudo parameters reference". A hole
//! matches any text, so a resolved value says what a deployed one may be; it never invents a value. Knows nothing about
//! policies.

mod text;
mod variables;

use std::cell::Cell;

use self::text::Part;
pub(crate) use self::text::Text;
use crate::intrinsic::{Call, call, get_att, sub_pieces};
use crate::kinds::{self, ArnForm, TypeRule};
use crate::stack::Stack;
use crate::template::{Dialect, Resource, Template};
use crate::tree::{Kind, Node};

/// Steps one value may cost: hostile templates refer to themselves many times over.
const FUEL: u32 = 20_000;
const DEPTH: usize = 48;

/// A resolved value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(Text),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    /// `AWS::NoValue`: as if it were not written.
    Absent,
    /// One of these; which one is not known.
    AnyOf(Vec<Self>),
    /// Made by a macro or a function nobody knows.
    Unknown,
}

impl Value {
    /// Everything that it may be, with wildcards for what is not known; nothing for a value of which nothing is.
    pub(crate) fn texts(self) -> Vec<Option<String>> {
        match self {
            Self::Text(text) => vec![Some(text.filled("*"))],
            Self::AnyOf(values) | Self::List(values) => values.into_iter().flat_map(Self::texts).collect(),
            Self::Absent => Vec::new(),
            Self::Map(_) | Self::Unknown => vec![None],
        }
    }
}

/// Whoever can say what a node's value is: what comparing with the deployed policy needs of a language.
pub(crate) trait Resolve {
    /// The value of a node.
    fn value(&self, node: &Node) -> Value;

    /// Whether a value of which nothing is known may be a list.
    fn may_be_lists(&self) -> bool {
        false
    }
}

impl Resolve for Resolver<'_> {
    fn value(&self, node: &Node) -> Value {
        Resolver::value(self, node)
    }
}

/// Resolves nodes of one template as deployed in one stack.
pub(crate) struct Resolver<'t> {
    pub(crate) template: &'t Template,
    pub(crate) stack: &'t Stack,
    /// Whether a parameter nobody gave a value has its default; otherwise it is a hole.
    defaults: bool,
    fuel: Cell<u32>,
}

impl<'t> Resolver<'t> {
    /// A resolver that leaves parameters open.
    pub(crate) const fn open(template: &'t Template, stack: &'t Stack) -> Self {
        Self { template, stack, defaults: false, fuel: Cell::new(FUEL) }
    }

    /// A resolver that takes parameters' defaults.
    pub(crate) const fn with_defaults(template: &'t Template, stack: &'t Stack) -> Self {
        Self { template, stack, defaults: true, fuel: Cell::new(FUEL) }
    }

    /// The value of a node.
    pub(crate) fn value(&self, node: &Node) -> Value {
        self.fuel.set(FUEL);
        self.node(node, 0)
    }

    /// The text of a node, where it is one and wholly known.
    pub(crate) fn known(&self, node: &Node) -> Option<String> {
        match self.value(node) {
            Value::Text(text) => text.known(),
            _ => None,
        }
    }

    fn spent(&self, depth: usize) -> bool {
        let left = self.fuel.get();
        self.fuel.set(left.saturating_sub(1));
        left == 0 || depth > DEPTH
    }

    fn node(&self, node: &Node, depth: usize) -> Value {
        if self.spent(depth) {
            return Value::Unknown;
        }
        if let Some(call) = call(node) {
            return self.function(&call, depth);
        }
        self.data(node, depth)
    }

    /// A node whose own tag is not looked at.
    fn data(&self, node: &Node, depth: usize) -> Value {
        match &node.kind {
            Kind::Null => Value::Absent,
            Kind::Scalar { text, .. } if self.template.dialect == Dialect::Serverless => self.variables(text, depth),
            Kind::Scalar { text, .. } => Value::Text(literal_or_dynamic(text)),
            Kind::Seq { items, .. } => Value::List(items.iter().map(|item| self.node(item, depth + 1)).collect()),
            Kind::Map { entries, .. } => {
                Value::Map(entries.iter().map(|e| (e.name().to_owned(), self.node(&e.value, depth + 1))).collect())
            }
            Kind::Alias => Value::Unknown,
        }
    }

    fn function(&self, call: &Call<'_>, depth: usize) -> Value {
        let argument = call.argument;
        match call.name {
            "Ref" => argument.raw_text().map_or(Value::Unknown, |name| self.reference(name, depth)),
            "GetAtt" => get_att(argument).map_or(Value::Text(Text::hole()), |(id, attribute)| {
                Value::Text(self.attribute(&id, &attribute, depth))
            }),
            "Sub" => self.sub(argument, depth),
            "Join" => self.join(argument, depth),
            "Select" => self.select(argument, depth),
            "Split" => self.split(argument, depth),
            "FindInMap" => self.find_in_map(argument, depth),
            "If" => self.condition_choice(argument, depth),
            "ImportValue" | "Base64" | "Cidr" | "GetAZs" | "ToJsonString" | "Length" => Value::Text(Text::hole()),
            _ => Value::Unknown,
        }
    }

    fn reference(&self, name: &str, depth: usize) -> Value {
        if self.spent(depth) {
            return Value::Unknown;
        }
        let known = |text: Option<&str>| Value::Text(text.map_or_else(Text::hole, Text::literal));
        match name {
            "AWS::NoValue" => return Value::Absent,
            "AWS::Region" => return known(self.stack.region.as_deref()),
            "AWS::AccountId" => return known(self.stack.account.as_deref()),
            "AWS::Partition" => return known(self.stack.partition.as_deref()),
            "AWS::StackName" => return known(self.stack.name.as_deref()),
            "AWS::URLSuffix" => return known(self.stack.partition.as_deref().map(url_suffix)),
            _ if name.starts_with("AWS::") => return Value::Text(Text::hole()),
            _ => {}
        }
        if let Some(parameter) = self.template.section("Parameters", name) {
            return self.parameter(name, parameter, depth);
        }
        let Some(resource) = self.template.resource(name) else { return Value::Text(Text::hole()) };
        let text = match kinds::rule(resource.kind) {
            Some(rule) if rule.arn == ArnForm::Ref => self.arn(&resource, rule, depth),
            Some(_) if resource.kind == "AWS::SQS::Queue" => None,
            Some(rule) => self.name(&resource, rule, depth),
            None => self.stack.physical.get(name).cloned(),
        };
        Value::Text(text.map_or_else(Text::hole, Text::literal))
    }

    fn parameter(&self, name: &str, parameter: &Node, depth: usize) -> Value {
        let is_list = parameter.get("Type").and_then(Node::text).is_some_and(|t| t.contains("List"));
        let text = match self.stack.parameters.get(name) {
            Some(given) => Some(given.clone()),
            None if self.defaults => match parameter.get("Default").map(|node| self.node(node, depth + 1)) {
                Some(Value::Text(text)) => text.known(),
                _ => None,
            },
            None => None,
        };
        match text {
            None if is_list => Value::Unknown,
            None => Value::Text(allowed(parameter).map_or_else(Text::hole, Text::one_of)),
            Some(text) if text.starts_with("/") && parameter_is_ssm(parameter) => Value::Text(Text::hole()),
            Some(text) if is_list => {
                Value::List(text.split(',').map(|item| Value::Text(Text::literal(item.trim()))).collect())
            }
            Some(text) => Value::Text(Text::literal(text)),
        }
    }

    fn attribute(&self, id: &str, attribute: &str, depth: usize) -> Text {
        let Some(resource) = self.template.resource(id) else { return Text::hole() };
        let arn = kinds::rule(resource.kind)
            .filter(|rule| rule.arn == ArnForm::Attribute("Arn") && attribute == "Arn")
            .and_then(|rule| self.arn(&resource, rule, depth));
        arn.map_or_else(Text::hole, Text::literal)
    }

    /// A resource's physical name, where the stack or an explicit name gives it.
    fn name(&self, resource: &Resource<'_>, rule: &TypeRule, depth: usize) -> Option<String> {
        if let Some(physical) = self.stack.physical.get(resource.id) {
            return Some(physical.rsplit(['/', ':']).next().unwrap_or(physical).to_owned());
        }
        match self.node(resource.property(rule.name?)?, depth + 1) {
            Value::Text(text) => text.known(),
            _ => None,
        }
    }

    /// A resource's ARN, where its name, the account and the region are known.
    fn arn(&self, resource: &Resource<'_>, rule: &TypeRule, depth: usize) -> Option<String> {
        if let Some(physical) = self.stack.physical.get(resource.id).filter(|p| p.starts_with("arn:")) {
            return Some(physical.clone());
        }
        if rule.service == "secretsmanager" {
            return None; // The ARN ends in six characters nobody can know.
        }
        let name = self.name(resource, rule, depth)?;
        let partition = self.stack.partition.as_deref()?;
        let account = match rule.service {
            "s3" => "",
            _ => self.stack.account.as_deref()?,
        };
        let region = if rule.regional { self.stack.region.as_deref()? } else { "" };
        let (before, after) = rule.around_name();
        Some(format!("arn:{partition}:{}:{region}:{account}:{before}{name}{after}", rule.service))
    }

    /// A resource's ARN for turning ARNs back into references.
    pub(crate) fn arn_of(&self, resource: &Resource<'_>) -> Option<String> {
        self.fuel.set(FUEL);
        self.arn(resource, kinds::rule(resource.kind)?, 0)
    }

    fn sub(&self, argument: &Node, depth: usize) -> Value {
        let (text, variables) = match argument.items() {
            [] => (argument.raw_text(), None),
            [text, variables] => (text.raw_text(), Some(variables)),
            _ => return Value::Unknown,
        };
        let Some(text) = text else { return Value::Unknown };
        if self.template.dialect == Dialect::Serverless {
            let Value::Text(filled) = self.variables(text, depth) else { return Value::Text(Text::hole()) };
            let mut out = Text::default();
            for part in filled.0 {
                match part {
                    Part::Literal(text) => out.push(self.sub_text(&text, variables, depth)),
                    part => out.push(Text(vec![part])),
                }
            }
            return Value::Text(out);
        }
        Value::Text(self.sub_text(text, variables, depth))
    }

    fn sub_text(&self, text: &str, variables: Option<&Node>, depth: usize) -> Text {
        let mut out = Text::default();
        for piece in sub_pieces(text) {
            let name = match piece {
                Ok(literal) => {
                    out.push(literal_or_dynamic(literal));
                    continue;
                }
                Err(name) => name,
            };
            if let Some(literal) = name.strip_prefix('!') {
                out.push(Text::literal(format!("${{{literal}}}")));
                continue;
            }
            let value = match variables.and_then(|v| v.get(name)) {
                Some(node) => self.node(node, depth + 1),
                None => match name.split_once('.') {
                    Some((id, attribute)) => Value::Text(self.attribute(id, attribute, depth + 1)),
                    None => self.reference(name, depth + 1),
                },
            };
            out.push(as_text(value));
        }
        out
    }

    fn join(&self, argument: &Node, depth: usize) -> Value {
        let [separator, list] = argument.items() else { return Value::Unknown };
        let Some(separator) = separator.raw_text() else { return Value::Unknown };
        let Value::List(items) = self.node(list, depth + 1) else { return Value::Text(Text::hole()) };
        let mut out = Text::default();
        for (index, item) in items.into_iter().filter(|item| *item != Value::Absent).enumerate() {
            if index > 0 {
                out.push(Text::literal(separator));
            }
            out.push(as_text(item));
        }
        Value::Text(out)
    }

    fn select(&self, argument: &Node, depth: usize) -> Value {
        let [index, list] = argument.items() else { return Value::Unknown };
        let index = index.raw_text().and_then(|text| text.trim().parse::<usize>().ok());
        match (index, self.node(list, depth + 1)) {
            (Some(index), Value::List(items)) => items.into_iter().nth(index).unwrap_or(Value::Unknown),
            _ => Value::Text(Text::hole()),
        }
    }

    fn split(&self, argument: &Node, depth: usize) -> Value {
        let [separator, text] = argument.items() else { return Value::Unknown };
        let separator = separator.raw_text().filter(|text| !text.is_empty());
        match (separator, self.node(text, depth + 1)) {
            (Some(separator), Value::Text(text)) => match text.known() {
                Some(text) => Value::List(text.split(separator).map(|t| Value::Text(Text::literal(t))).collect()),
                None => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    fn find_in_map(&self, argument: &Node, depth: usize) -> Value {
        let [map, first, second, ..] = argument.items() else { return Value::Text(Text::hole()) };
        let key = |node: &Node| match self.node(node, depth + 1) {
            Value::Text(text) => Some(text),
            _ => None,
        };
        let hole = || Value::Text(Text::hole());
        let Some(map) = key(map).and_then(|map| self.template.section("Mappings", &map.known()?)) else {
            return hole();
        };
        // A key that is not known is any of those that the map has.
        let below = |node: &'t Node, key: Option<Text>| {
            let fits = move |name: &str| key.as_ref().is_none_or(|key| key.explains(name));
            node.entries().iter().filter(move |entry| fits(entry.name())).map(|entry| &entry.value)
        };
        let (first, second) = (key(first), key(second));
        let mut found: Vec<Value> = Vec::new();
        for node in below(map, first).flat_map(|node| below(node, second.clone())) {
            let value = self.node(node, depth + 1);
            if !found.contains(&value) {
                found.push(value);
            }
        }
        if argument.items().len() > 3 {
            return hole(); // A default value of the language extensions.
        }
        let text = |value: &Value| if let Value::Text(text) = value { text.known() } else { None };
        match (found.as_slice(), found.iter().map(text).collect::<Option<Vec<_>>>()) {
            ([], _) => hole(),
            ([only], _) => only.clone(),
            (_, Some(texts)) => Value::Text(Text::one_of(texts)),
            _ => Value::AnyOf(found),
        }
    }

    fn condition_choice(&self, argument: &Node, depth: usize) -> Value {
        let [condition, then, otherwise] = argument.items() else { return Value::Unknown };
        let holds = condition.raw_text().and_then(|name| self.condition(name, depth + 1));
        match holds {
            Some(true) => self.node(then, depth + 1),
            Some(false) => self.node(otherwise, depth + 1),
            None => Value::AnyOf(vec![self.node(then, depth + 1), self.node(otherwise, depth + 1)]),
        }
    }

    fn condition(&self, name: &str, depth: usize) -> Option<bool> {
        let node = self.template.section("Conditions", name)?;
        self.truth(node, depth + 1)
    }

    fn truth(&self, node: &Node, depth: usize) -> Option<bool> {
        if self.spent(depth) {
            return None;
        }
        if node.tag.as_deref() == Some("!Condition") {
            return self.condition(node.raw_text()?, depth + 1);
        }
        if let Some(name) = node.get("Condition").and_then(Node::text) {
            return self.condition(name, depth + 1);
        }
        let call = call(node)?;
        let items = call.argument.items();
        match call.name {
            "Equals" => {
                let [left, right] = items else { return None };
                let text = |node: &Node| match self.node(node, depth + 1) {
                    Value::Text(text) => text.known(),
                    _ => None,
                };
                Some(text(left)? == text(right)?)
            }
            "Not" => self.truth(items.first()?, depth + 1).map(|holds| !holds),
            "And" => every(items.iter().map(|item| self.truth(item, depth + 1)), true),
            "Or" => every(items.iter().map(|item| self.truth(item, depth + 1)), false),
            _ => None,
        }
    }
}

/// `And` for `wanted` true, `Or` for false: decided as soon as one item is the other way.
fn every(items: impl Iterator<Item = Option<bool>>, wanted: bool) -> Option<bool> {
    let mut unknown = false;
    for item in items {
        match item {
            Some(holds) if holds != wanted => return Some(!wanted),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(wanted)
}

fn as_text(value: Value) -> Text {
    if let Value::Text(text) = value { text } else { Text::hole() }
}

/// A literal, or a hole where a dynamic reference (`{{resolve:…}}`) is in it.
fn literal_or_dynamic(text: &str) -> Text {
    // Of a change set, what is known once it has run.
    if text.contains("{{changeSet:") {
        return Text::hole();
    }
    match text.split_once("{{resolve:") {
        None => Text::literal(text),
        Some((before, rest)) => {
            let mut out = Text::literal(before);
            out.push(Text::hole());
            if let Some((_, after)) = rest.split_once("}}") {
                out.push(literal_or_dynamic(after));
            }
            out
        }
    }
}

/// The values that a parameter may have, where the template closes them.
fn allowed(parameter: &Node) -> Option<Vec<String>> {
    let values = parameter.get("AllowedValues")?.items();
    let texts = values.iter().map(|value| value.text().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    (!texts.is_empty() && !parameter_is_ssm(parameter)).then_some(texts)
}

fn parameter_is_ssm(parameter: &Node) -> bool {
    parameter.get("Type").and_then(Node::text).is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter::Value"))
}

fn url_suffix(partition: &str) -> &'static str {
    if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
}
