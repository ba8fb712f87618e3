//! Expressions resolved as far as the files, a state and an ARN allow; what is not known stays a hole.
//!
//! Follows the Terraform language: variables, locals, resources, data sources, modules of the same project, templates,
//! conditionals. A hole matches any text, so a value says what a deployed one may be; nothing is ever invented.

use std::cell::Cell;

use hcl_edit::expr::{BinaryOperator, Expression, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Element, Template};

use super::functions;
use super::kinds::{self, Id, TypeRule};
use super::parse::{EXPRESSION, HEREDOC_TEXT, RAW, TEMPLATE};
use super::project::{At, Terraform};
use super::provider::{self, Provider};
use crate::intrinsic::CONCAT;
use crate::resolve::{Resolve, Text, Value};
use crate::tree::{Kind, Node};

/// Steps one value may cost: hostile files refer to themselves many times over.
const FUEL: u32 = 20_000;
const DEPTH: usize = 40;

/// The account that a change speaks of, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) partition: Option<String>,
    pub(super) id: Option<String>,
    pub(super) region: Option<String>,
}

/// Resolves the nodes of one module.
pub(super) struct Evaluator<'p> {
    pub(super) terraform: &'p Terraform,
    pub(super) module: usize,
    pub(super) account: &'p Account,
    /// Whether a variable nobody gave a value has its default; otherwise a text is a hole.
    defaults: bool,
    fuel: &'p Cell<u32>,
    bound: Vec<(String, Value)>,
    depth: usize,
    /// The call in whose context a module with several is looked at.
    call: Option<At>,
}

pub(super) fn known(value: &Value) -> Option<String> {
    if let Value::Text(text) = value { text.known() } else { None }
}

pub(super) fn text(text: impl Into<String>) -> Value {
    Value::Text(Text::literal(text))
}

pub(super) fn hole() -> Value {
    Value::Text(Text::hole())
}

impl Resolve for Evaluator<'_> {
    fn value(&self, node: &Node) -> Value {
        self.fuel.set(FUEL);
        self.node(node)
    }

    fn may_be_lists(&self) -> bool {
        true
    }
}

impl<'p> Evaluator<'p> {
    pub(super) const fn new(
        terraform: &'p Terraform,
        module: usize,
        account: &'p Account,
        defaults: bool,
        fuel: &'p Cell<u32>,
    ) -> Self {
        Self { terraform, module, account, defaults, fuel, bound: Vec::new(), depth: 0, call: None }
    }

    /// The text of a node, where it is wholly known.
    pub(super) fn known(&self, node: &Node) -> Option<String> {
        known(&self.value(node))
    }

    /// The same with all its steps to go.
    pub(super) fn fresh(&self) -> Self {
        self.fuel.set(FUEL);
        self.in_module(self.module)
    }

    /// The same, one level deeper, perhaps in another module.
    fn in_module(&self, module: usize) -> Self {
        let bound = if module == self.module { self.bound.clone() } else { Vec::new() };
        Self { module, bound, depth: self.depth + 1, ..*self }
    }

    /// The same in another module.
    pub(super) fn elsewhere(&self, module: usize) -> Self {
        self.in_module(module)
    }

    /// The same in the context of one of the module's calls.
    pub(super) fn called_by(self, call: Option<At>) -> Self {
        Self { call, ..self }
    }

    /// The same with names that have values, as in a template.
    pub(super) fn with(self, bound: Vec<(String, Value)>) -> Self {
        Self { bound, ..self }
    }

    /// The names that have values.
    pub(super) fn given(&self) -> &[(String, Value)] {
        &self.bound
    }

    fn spent(&self) -> bool {
        let left = self.fuel.get();
        self.fuel.set(left.saturating_sub(1));
        left == 0 || self.depth > DEPTH
    }

    pub(super) fn node(&self, node: &Node) -> Value {
        if self.spent() {
            return Value::Unknown;
        }
        match &node.kind {
            Kind::Null => Value::Absent,
            Kind::Scalar { text: source, .. } => match node.tag.as_deref() {
                Some(EXPRESSION) => {
                    hcl_edit::parser::parse_expr(source).map_or(Value::Unknown, |e| self.expression(&e))
                }
                Some(TEMPLATE | HEREDOC_TEXT) => self.template_text(source),
                Some(RAW) => Value::Unknown,
                _ => text(source),
            },
            Kind::Seq { items, .. } => {
                let values: Vec<Value> = items.iter().map(|item| self.node(item)).collect();
                match node.tag.as_deref() {
                    Some(CONCAT) => functions::call(CONCAT, &values, false),
                    _ => Value::List(values),
                }
            }
            Kind::Map { entries, .. } => Value::Map(
                entries.iter().map(|e| (principal_kind(&self.key(&e.key)).to_owned(), self.node(&e.value))).collect(),
            ),
            Kind::Alias => Value::Unknown,
        }
    }

    fn key(&self, key: &Node) -> String {
        match &key.tag {
            None => key.text().unwrap_or_default().to_owned(),
            Some(_) => known(&self.node(key)).unwrap_or_default(),
        }
    }

    fn template_text(&self, source: &str) -> Value {
        hcl_edit::parser::parse_template(source).map_or_else(|_| hole(), |template| self.template(&template))
    }

    fn template(&self, template: &Template) -> Value {
        Value::Text(self.elements(template.iter()))
    }

    fn elements<'e>(&self, elements: impl Iterator<Item = &'e Element>) -> Text {
        let mut out = Text::default();
        for element in elements {
            if out.len() > 1 << 16 {
                return Text::hole();
            }
            out.push(match element {
                Element::Literal(literal) => Text::literal(literal.to_string()),
                Element::Interpolation(hole) => functions::as_text(&self.expression(&hole.expr)),
                Element::Directive(_) => Text::hole(),
            });
        }
        out
    }

    /// The value of an expression.
    pub(super) fn expression(&self, expression: &Expression) -> Value {
        if self.spent() {
            return Value::Unknown;
        }
        match expression {
            Expression::Null(_) => Value::Absent,
            Expression::Bool(value) => text(value.to_string()),
            Expression::Number(value) => text(value.to_string().trim()),
            Expression::String(value) => text(value.to_string()),
            Expression::Array(items) => Value::List(items.iter().map(|item| self.expression(item)).collect()),
            Expression::Object(object) => Value::Map(
                object.iter().map(|(key, value)| (self.object_key(key), self.expression(value.expr()))).collect(),
            ),
            Expression::StringTemplate(template) => Value::Text(self.elements(template.iter())),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            Expression::Variable(name) => self.bound(name.as_str()).unwrap_or(Value::Unknown),
            Expression::Conditional(conditional) => match known(&self.expression(&conditional.cond_expr)).as_deref() {
                Some("true") => self.expression(&conditional.true_expr),
                Some("false") => self.expression(&conditional.false_expr),
                _ => Value::AnyOf(vec![
                    self.expression(&conditional.true_expr),
                    self.expression(&conditional.false_expr),
                ]),
            },
            Expression::FuncCall(call) if call.name.namespace.is_empty() => {
                let arguments: Vec<Value> = call.args.iter().map(|argument| self.expression(argument)).collect();
                functions::call(call.name.name.as_str(), &arguments, call.args.expand_final())
            }
            Expression::BinaryOp(operation) => self.compare(operation),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::ForExpr(each) => self.for_each(each),
            Expression::FuncCall(_) | Expression::UnaryOp(_) => Value::Unknown,
        }
    }

    fn object_key(&self, key: &ObjectKey) -> String {
        match key {
            ObjectKey::Ident(ident) => ident.as_str().to_owned(),
            ObjectKey::Expression(key) => known(&self.expression(key)).unwrap_or_default(),
        }
    }

    fn compare(&self, operation: &hcl_edit::expr::BinaryOp) -> Value {
        let sides = (known(&self.expression(&operation.lhs_expr)), known(&self.expression(&operation.rhs_expr)));
        let (Some(left), Some(right)) = sides else { return Value::Unknown };
        let truth = |holds: bool| text(holds.to_string());
        match operation.operator.value() {
            BinaryOperator::Eq => truth(left == right),
            BinaryOperator::NotEq => truth(left != right),
            BinaryOperator::And => truth(left == "true" && right == "true"),
            BinaryOperator::Or => truth(left == "true" || right == "true"),
            _ => Value::Unknown,
        }
    }

    fn for_each(&self, each: &hcl_edit::expr::ForExpr) -> Value {
        let collection = self.expression(&each.intro.collection_expr);
        let pairs: Vec<(Value, Value)> = match collection {
            Value::List(items) => items.into_iter().enumerate().map(|(i, v)| (text(i.to_string()), v)).collect(),
            Value::Map(entries) => entries.into_iter().map(|(key, value)| (text(key), value)).collect(),
            _ => return Value::Unknown,
        };
        if each.cond.is_some() || each.key_expr.is_some() {
            return Value::Unknown;
        }
        let mut items = Vec::new();
        for (key, value) in pairs {
            let mut inner = self.in_module(self.module);
            if let Some(name) = &each.intro.key_var {
                inner.bound.push((name.as_str().to_owned(), key));
            }
            inner.bound.push((each.intro.value_var.as_str().to_owned(), value));
            items.push(inner.expression(&each.value_expr));
        }
        Value::List(items)
    }

    fn bound(&self, name: &str) -> Option<Value> {
        self.bound.iter().rev().find(|(bound, _)| bound == name).map(|(_, value)| value.clone())
    }

    fn traversal(&self, traversal: &Traversal) -> Value {
        let Expression::Variable(root) = &traversal.expr else {
            let steps: Vec<Step> = traversal.operators.iter().map(|o| self.step(o.value())).collect();
            return walk(self.expression(&traversal.expr), &steps);
        };
        let steps: Vec<Step> = traversal.operators.iter().map(|o| self.step(o.value())).collect();
        if let Some(value) = self.bound(root.as_str()) {
            return walk(value, &steps);
        }
        let name = |at: usize| steps.get(at).and_then(Step::name);
        let rest = |from: usize| steps.get(from..).unwrap_or_default();
        match (root.as_str(), name(0)) {
            ("var", Some(variable)) => walk(self.variable(variable), rest(1)),
            ("local", Some(local)) => {
                let found = self.terraform.local(self.module, local);
                walk(found.map_or(Value::Unknown, |(_, _, node)| self.in_module(self.module).node(node)), rest(1))
            }
            ("path" | "terraform" | "each" | "count" | "self", _) => hole(),
            ("module", Some(call)) => {
                let skip = usize::from(matches!(steps.get(1), Some(Step::Index(_)))) + 1;
                name(skip).map_or(Value::Unknown, |output| walk(self.output(call, output), rest(skip + 1)))
            }
            ("data", Some(of)) => match (name(1), name(2).or_else(|| name(3))) {
                (Some(source), Some(attribute)) => self.data(of, source, attribute),
                _ => Value::Unknown,
            },
            (of, Some(resource)) => {
                let indexed = matches!(steps.get(1), Some(Step::Index(_)));
                match name(usize::from(indexed) + 1) {
                    Some(attribute) => Value::Text(self.attribute(of, resource, attribute)),
                    None => hole(),
                }
            }
            _ => hole(),
        }
    }

    fn step(&self, operator: &TraversalOperator) -> Step {
        match operator {
            TraversalOperator::GetAttr(name) => Step::Name(name.as_str().to_owned()),
            TraversalOperator::Index(index) => Step::Index(known(&self.expression(index))),
            TraversalOperator::LegacyIndex(index) => Step::Index(Some(index.value().to_string())),
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => Step::Splat,
        }
    }

    fn variable(&self, name: &str) -> Value {
        let calls = self.terraform.calls_of(self.module);
        let own = self.call.as_ref().filter(|call| calls.contains(call)).map(std::slice::from_ref);
        if let [call] = own.unwrap_or(calls)
            && let Some(node) = self.terraform.body(*call).and_then(|body| body.get(name))
        {
            return self.in_module(self.terraform.module_of(*call)).node(node);
        }
        if let Some(node) = self.terraform.given(self.module, name).filter(|_| calls.is_empty()) {
            return self.in_module(self.module).node(node);
        }
        let declared = self.terraform.find(self.module, &["variable", name]).and_then(|at| self.terraform.body(at));
        let Some(default) = declared.and_then(|body| body.get("default")) else {
            let list = declared.and_then(|body| body.get("type")).is_some_and(|t| {
                t.raw_text().is_some_and(|t| t.starts_with("list") || t.starts_with("set") || t.starts_with("map"))
            });
            return if list { Value::Unknown } else { hole() };
        };
        match self.in_module(self.module).node(default) {
            Value::Text(_) if !self.defaults || (calls.len() > 1 && own.is_none()) => hole(),
            value => value,
        }
    }

    fn output(&self, call: &str, output: &str) -> Value {
        let at = self.terraform.find(self.module, &["module", call]);
        let Some(module) = at.and_then(|at| self.terraform.called(at)) else { return hole() };
        let body = self.terraform.find(module, &["output", output]).and_then(|at| self.terraform.body(at));
        body.and_then(|body| body.get("value")).map_or_else(hole, |node| self.in_module(module).node(node))
    }

    fn data(&self, of: &str, source: &str, attribute: &str) -> Value {
        let given = |known: Option<String>| known.map_or_else(hole, text);
        let body = self.terraform.find(self.module, &["data", of, source]).and_then(|at| self.terraform.body(at));
        let account = || body.map_or_else(|| self.account.clone(), |body| self.provider(body).account(self.account));
        match (of, attribute) {
            ("aws_caller_identity", "account_id" | "id") => given(account().id),
            ("aws_region", "name" | "id" | "region") => given(account().region),
            ("aws_partition", "partition" | "id") => given(account().partition),
            ("aws_partition", "dns_suffix") => text("amazonaws.com"),
            (super::document::TYPE, _) => Value::Unknown,
            ("aws_iam_policy", "arn") => {
                let get = |key: &str| body.and_then(|body| body.get(key)).map(|node| self.node(node));
                match (get("arn"), get("name")) {
                    (Some(arn), _) => arn,
                    (None, Some(name)) => {
                        let mut out = Text::literal("arn:");
                        out.push(Text::hole());
                        out.push(Text::literal("/"));
                        out.push(functions::as_text(&name));
                        Value::Text(out)
                    }
                    _ => hole(),
                }
            }
            _ => match (kinds::rule(of), body) {
                (Some(rule), Some(body)) if attribute == "arn" => Value::Text(self.arn(rule, body)),
                (_, Some(body)) => body.get(attribute).map_or_else(hole, |node| self.node(node)),
                _ => hole(),
            },
        }
    }

    /// An attribute of a resource: from the state, from the type's rule, or as written.
    pub(super) fn attribute(&self, of: &str, name: &str, attribute: &str) -> Text {
        if let Some(known) = self.deployed(of, name, attribute) {
            return Text::literal(known);
        }
        let Some(at) = self.terraform.resource(self.module, of, name) else { return Text::hole() };
        let Some(body) = self.terraform.body(at) else { return Text::hole() };
        let inner = self.in_module(self.module);
        let rule = kinds::rule(of);
        match (rule, attribute) {
            (Some(rule), "arn") => inner.arn(rule, body),
            (Some(rule), "id") if rule.id == Id::Arn => inner.arn(rule, body),
            (Some(rule), "id") if rule.id == Id::Name => inner.name(rule, body),
            (_, attribute) => match body.get(attribute) {
                Some(node) => functions::as_text(&inner.node(node)),
                None => Text::hole(),
            },
        }
    }

    /// What a state of this module's project says.
    fn deployed(&self, of: &str, name: &str, attribute: &str) -> Option<String> {
        let path = super::owner::module_path(self.terraform, self.module)?;
        let mut found = self.terraform.states.iter().flat_map(|state| &state.instances).filter(|instance| {
            instance.of == of && instance.name == name && instance.module == path && !instance.indexed
        });
        let only = found.next()?.attributes.get(attribute)?.clone();
        found.next().is_none().then_some(only)
    }

    /// The name of a resource, as its attribute says.
    pub(super) fn name(&self, rule: &TypeRule, body: &Node) -> Text {
        match body.get(rule.name) {
            Some(node) => functions::as_text(&self.node(node)),
            None => {
                let mut out = body
                    .get(&format!("{}_prefix", rule.name))
                    .map_or_else(Text::default, |node| functions::as_text(&self.node(node)));
                out.push(Text::hole());
                out
            }
        }
    }

    /// How a resource or data source of the module is deployed.
    pub(super) fn provider(&self, body: &Node) -> Provider {
        provider::of(self.terraform, self.module, self.call, body)
    }

    /// The ARN of a resource with this body.
    pub(super) fn arn(&self, rule: &TypeRule, body: &Node) -> Text {
        let part = |known: &Option<String>| known.clone().map_or_else(Text::hole, Text::literal);
        let account = self.provider(body).account(self.account);
        let mut out = Text::literal("arn:");
        out.push(part(&account.partition));
        out.push(Text::literal(format!(":{}:", rule.service)));
        if rule.regional() {
            out.push(part(&account.region));
        }
        out.push(Text::literal(":"));
        if rule.has_account() {
            out.push(part(&account.id));
        }
        out.push(Text::literal(":"));
        let (before, after) = rule.resource.split_once("{}").unwrap_or((rule.resource, ""));
        out.push(Text::literal(before));
        if rule.service == "iam"
            && let Some(path) = body.get("path")
        {
            out.push(functions::as_text(&self.node(path)).map(&|path: &str| path.trim_start_matches('/').to_owned()));
        }
        out.push(self.name(rule, body).map(&|name: &str| match rule.service {
            "ssm" => name.trim_start_matches('/').to_owned(),
            _ => name.to_owned(),
        }));
        out.push(Text::literal(after));
        if rule.random {
            out.push(Text::hole());
        }
        out
    }
}

/// A key of `Principal` as IAM writes it: the type `*` of Terraform means anyone.
fn principal_kind(key: &str) -> &str {
    if key == "*" { "AWS" } else { key }
}

/// One step of a traversal.
enum Step {
    Name(String),
    Index(Option<String>),
    Splat,
}

impl Step {
    fn name(&self) -> Option<&str> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }
}

fn walk(value: Value, steps: &[Step]) -> Value {
    steps.iter().fold(value, |value, step| match (value, step) {
        (Value::Map(entries), Step::Name(name) | Step::Index(Some(name))) => {
            entries.into_iter().find(|(key, _)| key == name).map_or(Value::Unknown, |(_, value)| value)
        }
        (Value::List(items), Step::Index(Some(index))) => {
            let index = index.parse::<usize>().ok();
            index.and_then(|index| items.into_iter().nth(index)).unwrap_or(Value::Unknown)
        }
        (Value::List(items), Step::Splat) => Value::List(items),
        (Value::Text(_), _) => hole(),
        _ => Value::Unknown,
    })
}
