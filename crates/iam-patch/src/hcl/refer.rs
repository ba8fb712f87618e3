//! A concrete ARN turned back into what a person would write: `aws_dynamodb_table.orders.arn`,
//! `"${aws_s3_bucket.data.arn}/*"`.
//!
//! Never guesses: a block is named only where a state, or a name that can be resolved, shows that it is meant, and only
//! where the reference closes no circle. Otherwise the ARN keeps its literal name, with the account, region and
//! partition from data sources that the module already has.

use std::collections::BTreeSet;

use iam_model::diagnostic::Place;
use iam_model::text::Span;

use super::evaluate::{Account, Evaluator};
use super::find;
use super::kinds::{self, TypeRule};
use super::outside;
use super::parse::{EXPRESSION, HEREDOC_TEXT, TEMPLATE, escape_holes};
use super::policies;
use super::project::At;
use super::provider;
use crate::op::New;
use crate::plan::Language;
use crate::reference::Written;
use crate::resolve::{Resolve, Value};
use crate::tree::Node;

/// Terraform as planning sees it, for one policy.
pub(super) struct Dialect<'p> {
    /// Values as they may be.
    pub(super) open: Evaluator<'p>,
    /// Values with variables' defaults.
    pub(super) defaults: Evaluator<'p>,
    /// The block the policy's text stands in.
    pub(super) at: At,
}

impl Resolve for Dialect<'_> {
    fn value(&self, node: &Node) -> Value {
        self.open.value(node)
    }

    fn may_be_lists(&self) -> bool {
        true
    }
}

impl Language for Dialect<'_> {
    fn write(&self, concrete: &str) -> Written {
        if !concrete.starts_with("arn:") {
            return Written { value: New::text(concrete), review: None };
        }
        let Some((reference, suffix, name)) = self.target(concrete) else {
            return Written { value: self.generalised(concrete), review: None };
        };
        if self.closes(&name) {
            let review = format!("`{name}` stays a literal name: a reference to it would close a dependency circle");
            return Written { value: self.generalised(concrete), review: Some(review) };
        }
        let value = match suffix.as_str() {
            "" => New::Tagged(EXPRESSION.into(), reference),
            suffix => New::Tagged(TEMPLATE.into(), format!("${{{reference}}}{}", escape_holes(suffix))),
        };
        Written { value, review: None }
    }

    fn after_drift(&self) -> &'static str {
        "apply the configuration, or bring it up to date with the account, and collect again"
    }

    fn place(&self, span: Span) -> Place {
        let files = &self.open.terraform.files;
        files.get(self.at.file).map_or_else(
            || Place::whole(iam_model::text::SourceName::new("")),
            |file| Place::at(file.name.clone(), &file.text, span.start),
        )
    }

    fn pattern(&self, node: &Node) -> Option<crate::plan::Pattern> {
        let text = node.raw_text()?;
        let text = match node.tag.as_deref() {
            Some(EXPRESSION) => format!("${{{text}}}"),
            Some(TEMPLATE | HEREDOC_TEXT) if text.contains("${") && !text.contains("%{") => text.to_owned(),
            _ => return None,
        };
        Some(crate::plan::Pattern { tag: Some(TEMPLATE.into()), text })
    }

    fn escaped(&self, text: &str) -> String {
        escape_holes(text)
    }
}

impl Dialect<'_> {
    /// The one reference that means the ARN, what follows it, and the block it names.
    fn target(&self, concrete: &str) -> Option<(String, String, String)> {
        let terraform = self.open.terraform;
        let service = concrete.split(':').nth(2)?;
        let mut found: Vec<(String, String, String)> = Vec::new();
        for (at, block) in terraform.blocks(self.open.module) {
            let address = policies::address(block);
            match block.kind() {
                "resource" | "data" => {
                    let Some(rule) = kinds::rule(block.of()).filter(|rule| rule.service == service) else { continue };
                    let Some(body) = terraform.body(at).filter(|b| policies::multiplied(b).is_none()) else { continue };
                    if let Some(suffix) = self.suffix(rule, body, block.kind() == "resource", block.name(), concrete) {
                        found.push((format!("{address}.arn"), suffix, address));
                    }
                }
                "variable" => {
                    let name = block.name();
                    if let Some(suffix) = self.by_value(&format!("var.{name}"), concrete) {
                        found.push((format!("var.{name}"), suffix, format!("var.{name}")));
                    }
                }
                "module" => found.extend(self.output(at, block.name(), concrete)),
                _ => {}
            }
        }
        let shortest = found.iter().map(|(_, suffix, _)| suffix.len()).min()?;
        found.retain(|(_, suffix, _)| suffix.len() == shortest);
        let managed = found.iter().any(|(reference, ..)| reference.starts_with("aws_"));
        found.retain(|(reference, ..)| !managed || reference.starts_with("aws_"));
        let first = found.first().cloned()?;
        (found.len() == 1).then_some(first)
    }

    /// An output of a called module that is the ARN.
    fn output(&self, call: At, name: &str, concrete: &str) -> Option<(String, String, String)> {
        let terraform = self.open.terraform;
        let body = terraform.body(call).filter(|body| policies::multiplied(body).is_none())?;
        body.get("source")?;
        let module = terraform.called(call)?;
        let outputs = terraform.blocks(module).filter(|(_, block)| block.kind() == "output");
        let mut found = outputs.filter_map(|(_, output)| {
            let reference = format!("module.{name}.{}", output.name());
            let suffix = self.by_value(&reference, concrete)?;
            Some((reference, suffix, format!("module.{name}")))
        });
        found.next()
    }

    /// What follows the known value of a reference in the ARN.
    fn by_value(&self, reference: &str, concrete: &str) -> Option<String> {
        let expression = hcl_edit::parser::parse_expr(reference).ok()?;
        let value = super::evaluate::known(&self.defaults.fresh().expression(&expression))?;
        let plain = value.starts_with("arn:") && value.split(':').count() >= 6 && !value.contains('*');
        below(concrete, &value).filter(|_| plain).map(str::to_owned)
    }

    fn suffix(&self, rule: &TypeRule, body: &Node, managed: bool, label: &str, concrete: &str) -> Option<String> {
        let evaluator = self.defaults.fresh();
        if managed && let Some(arn) = evaluator.attribute(rule.of, label, "arn").known() {
            return below(concrete, &arn).map(str::to_owned);
        }
        let name = evaluator.name(rule, body).known().filter(|name| !name.is_empty())?;
        let parts: Vec<&str> = concrete.splitn(6, ':').collect();
        let [_, partition, _, region, account, resource] = parts.as_slice() else { return None };
        let here = evaluator.provider(body).may_be(rule, (partition, region, account), self.defaults.account);
        let (before, after) = rule.resource.split_once("{}").unwrap_or((rule.resource, ""));
        let name = if rule.service == "ssm" { name.trim_start_matches('/') } else { &name };
        let rest = resource.strip_prefix(before)?.strip_prefix(name)?;
        if rule.random {
            let random = rest.strip_prefix('-')?;
            return (here && rule.service == "secretsmanager" && random.len() == 6).then(String::new);
        }
        let rest = rest.strip_prefix(after)?;
        (here && (rest.is_empty() || rest.starts_with(['/', ':']))).then(|| rest.to_owned())
    }

    /// The account of the caller, where the module asks for it.
    pub(super) fn account_reference(&self) -> Option<String> {
        Some(format!("data.aws_caller_identity.{}.account_id", self.data_source("aws_caller_identity")?))
    }

    /// The ARN with the data sources of the module where the account decides partition, region and account.
    fn generalised(&self, concrete: &str) -> New {
        let account = self.default_here();
        let parts: Vec<&str> = concrete.splitn(6, ':').collect();
        let [_, partition, service, region, id, resource] = parts.as_slice() else { return New::text(concrete) };
        let source = |of: &str, attribute: &str, known: &Option<String>, text: &str| {
            let named = || Some(format!("${{data.{of}.{}.{attribute}}}", self.data_source(of)?));
            let same = !text.is_empty() && known.as_deref() == Some(text);
            same.then(named).flatten()
        };
        let new_id = source("aws_caller_identity", "account_id", &account.id, id);
        let new_region = source("aws_region", self.region_attribute(), &account.region, region);
        if new_id.is_none() && new_region.is_none() {
            return New::text(concrete);
        }
        let partition = source("aws_partition", "partition", &account.partition, partition)
            .unwrap_or_else(|| escape_holes(partition));
        let region = new_region.unwrap_or_else(|| escape_holes(region));
        let id = new_id.unwrap_or_else(|| escape_holes(id));
        let text = format!("arn:{partition}:{service}:{region}:{id}:{}", escape_holes(resource));
        New::Tagged(TEMPLATE.into(), text)
    }

    /// What data sources of the module that name no provider speak of.
    fn default_here(&self) -> Account {
        let terraform = self.open.terraform;
        provider::inherited(terraform, self.open.module).account(self.open.account)
    }

    fn data_source(&self, of: &str) -> Option<String> {
        let mut blocks = self.open.terraform.blocks(self.open.module);
        let (at, block) = blocks.find(|(_, block)| block.is("data", of))?;
        let body = self.open.terraform.body(at)?;
        let own = ["provider", "region"].iter().any(|key| body.get(key).is_some());
        (policies::multiplied(body).is_none() && !own).then(|| block.name().to_owned())
    }

    /// `region` or, before version 6 of the provider, `name`: what the files use.
    fn region_attribute(&self) -> &'static str {
        let Some(name) = self.data_source("aws_region") else { return "name" };
        let used = format!("data.aws_region.{name}.region");
        let mut files = self.open.terraform.files.iter().filter(|file| file.module == self.open.module);
        if files.any(|file| file.text.contains(&used)) { "region" } else { "name" }
    }

    /// Whether a reference from the policy's block to another would close a circle.
    fn closes(&self, to: &str) -> bool {
        let terraform = self.open.terraform;
        let Some(block) = terraform.block(self.at) else { return false };
        let locals = block.kind() == "locals";
        let from = if locals { "local.".to_owned() } else { policies::address(block) };
        let (mut seen, mut open) = (BTreeSet::new(), vec![to.to_owned()]);
        while let Some(next) = open.pop() {
            if next == from || (locals && next.starts_with("local.")) {
                return true;
            }
            if !seen.insert(next.clone()) {
                continue;
            }
            let parts: Vec<&str> = next.split('.').collect();
            let node = match parts.as_slice() {
                ["local", name] => terraform.local(self.open.module, name).map(|(_, _, node)| node),
                ["data", of, name] => self.body(&["data", of, name]),
                ["module", name] => self.body(&["module", name]),
                [of, name] => self.body(&["resource", of, name]),
                _ => None,
            };
            node.into_iter().for_each(|node| open.extend(references(node)));
        }
        false
    }

    fn body(&self, head: &[&str]) -> Option<&Node> {
        self.open.terraform.find(self.open.module, head).and_then(|at| self.open.terraform.body(at))
    }
}

/// Blocks and local values that a node speaks of, by address.
fn references(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    node.walk(&mut |node| {
        let Some(text) = node.raw_text().filter(|_| node.tag.is_some()) else { return };
        for word in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))) {
            let parts: Vec<&str> = word.split('.').collect();
            match parts.as_slice() {
                ["data", of, name, ..] => found.push(format!("data.{of}.{name}")),
                ["var" | "each" | "count" | "path" | "self" | "terraform", ..] => {}
                [first, second, ..] if policies::is_name(first) && policies::is_name(second) => {
                    found.push(format!("{first}.{second}"));
                }
                _ => {}
            }
        }
    });
    found
}

/// What follows `arn` in `concrete`, where the first names the second or something inside it.
fn below<'c>(concrete: &'c str, arn: &str) -> Option<&'c str> {
    let rest = concrete.strip_prefix(arn)?;
    (rest.is_empty() || rest.starts_with(['/', ':'])).then_some(rest)
}

/// The account's part of a dialect: kept beside it, so that both evaluators can borrow it.
pub(super) fn dialect<'p>(
    terraform: &'p super::Terraform,
    found: &'p find::Found,
    fuel: &'p std::cell::Cell<u32>,
) -> Dialect<'p> {
    let Dialect { open, defaults, at } = dialect_at(terraform, found.site.at, &found.account, fuel);
    let bound = |evaluator| outside::evaluator(evaluator, &found.site);
    Dialect { open: bound(open), defaults: bound(defaults), at }
}

/// A dialect for a policy that stands, or will stand, at a block.
pub(super) fn dialect_at<'p>(
    terraform: &'p super::Terraform,
    at: At,
    account: &'p Account,
    fuel: &'p std::cell::Cell<u32>,
) -> Dialect<'p> {
    let module = terraform.module_of(at);
    let evaluator = |defaults| Evaluator::new(terraform, module, account, defaults, fuel);
    Dialect { open: evaluator(false), defaults: evaluator(true), at }
}
