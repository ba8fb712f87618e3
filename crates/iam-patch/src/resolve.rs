//! Intrinsic functions resolved as far as the template and the stack allow; what is not known stays a hole.
//!
//! Follows the AWS CloudFormation topics "Intrinsic function reference" and "Pseudo parameters reference". A hole
//! matches any text, so a resolved value says what a deployed one may be; it never invents a value. Knows nothing about
//! policies.

mod variables;

use std::cell::Cell;

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

/// A text with holes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Hole,
}

impl Text {
    pub(crate) fn literal(text: impl Into<String>) -> Self {
        Self(vec![Part::Literal(text.into())])
    }

    pub(crate) fn hole() -> Self {
        Self(vec![Part::Hole])
    }

    pub(crate) fn push(&mut self, other: Self) {
        for part in other.0 {
            match (self.0.last_mut(), part) {
                (Some(Part::Literal(last)), Part::Literal(text)) => last.push_str(&text),
                (Some(Part::Hole), Part::Hole) => {}
                (_, part) => self.0.push(part),
            }
        }
    }

    /// How many bytes of it are known.
    pub(crate) fn len(&self) -> usize {
        let length = |part: &Part| if let Part::Literal(text) = part { text.len() } else { 0 };
        self.0.iter().map(length).sum()
    }

    /// The text with another before it.
    pub(crate) fn after(self, prefix: &str) -> Self {
        let mut out = Self::literal(prefix);
        out.push(self);
        out
    }

    /// The text with its known pieces changed.
    pub(crate) fn map(&self, change: &dyn Fn(&str) -> String) -> Self {
        let part = |part: &Part| match part {
            Part::Literal(text) => Part::Literal(change(text)),
            Part::Hole => Part::Hole,
        };
        Self(self.0.iter().map(part).collect())
    }

    /// The text with a word in each hole.
    #[cfg(test)]
    pub(crate) fn filled(&self, with: &str) -> String {
        let part = |part: &Part| if let Part::Literal(text) = part { text.clone() } else { with.to_owned() };
        self.0.iter().map(part).collect()
    }

    /// The text, where nothing in it is unknown.
    pub(crate) fn known(&self) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Hole => return None,
            }
        }
        Some(out)
    }

    /// Whether `concrete` can be this text.
    pub(crate) fn explains(&self, concrete: &str) -> bool {
        let mut parts = self.0.as_slice();
        let mut rest = concrete;
        if let [Part::Literal(first), tail @ ..] = parts {
            let Some(after) = rest.strip_prefix(first.as_str()) else { return false };
            (rest, parts) = (after, tail);
            if parts.is_empty() {
                return rest.is_empty();
            }
        }
        if let [head @ .., Part::Literal(last)] = parts {
            let Some(before) = rest.strip_suffix(last.as_str()) else { return false };
            (rest, parts) = (before, head);
        }
        for part in parts {
            if let Part::Literal(text) = part {
                let Some((_, after)) = rest.split_once(text.as_str()) else { return false };
                rest = after;
            }
        }
        !parts.is_empty() || rest.is_empty()
    }
}

/// Whoever can say what a node's value is: what comparing with the deployed policy needs of a language.
pub(crate) trait Resolve {
    /// The value of a node.
    fn value(&self, node: &Node) -> Value;
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
            None => Value::Text(Text::hole()),
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
                    Part::Hole => out.push(Text::hole()),
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
        let [map, first, second] = argument.items() else { return Value::Text(Text::hole()) };
        let key = |node: &Node| match self.node(node, depth + 1) {
            Value::Text(text) => text.known(),
            _ => None,
        };
        let found = key(map)
            .zip(key(first))
            .zip(key(second))
            .and_then(|((map, first), second)| self.template.section("Mappings", &map)?.get(&first)?.get(&second));
        found.map_or_else(|| Value::Text(Text::hole()), |node| self.node(node, depth + 1))
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

fn parameter_is_ssm(parameter: &Node) -> bool {
    parameter.get("Type").and_then(Node::text).is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter::Value"))
}

fn url_suffix(partition: &str) -> &'static str {
    if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
}
