//! A concrete ARN turned back into what a person would write: `!GetAtt Orders.Arn`, `!Sub "${Orders.Arn}/index/*"`.
//!
//! Never guesses: a resource is named only where its name, the stack, or being the only one of its kind shows that it
//! is meant. Otherwise the ARN keeps its literal name, with pseudo parameters for what the stack decides.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;

use crate::depends::Dependencies;
use crate::intrinsic;
use crate::kinds::{self, ArnForm, TypeRule};
use crate::op::New;
use crate::read::Syntax;
use crate::resolve::{Resolver, Value};
use crate::stack::{Deployed, Stack};
use crate::template::{Resource, Template};
use crate::tree::Node;

/// Writes references for one template as deployed in one stack.
pub(crate) struct Referrer<'t> {
    template: &'t Template,
    stack: &'t Stack,
    deployed: &'t Deployed,
    // Most changes only take words away, and need neither.
    dependencies: OnceCell<Dependencies>,
    habits: OnceCell<Habits>,
}

/// A written resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) value: New,
    /// Set where the name belongs to the stack but no reference could be written.
    pub(crate) review: Option<String>,
}

/// A resource that an ARN names, and what of the ARN follows the resource's own.
struct Target<'t> {
    resource: Resource<'t>,
    rule: &'static TypeRule,
    suffix: String,
}

impl<'t> Referrer<'t> {
    pub(crate) fn new(template: &'t Template, stack: &'t Stack, deployed: &'t Deployed) -> Self {
        Self { template, stack, deployed, dependencies: OnceCell::new(), habits: OnceCell::new() }
    }

    fn habits(&self) -> &Habits {
        self.habits.get_or_init(|| Habits::of(self.template))
    }

    fn closes(&self, from: &str, to: &str) -> bool {
        self.dependencies.get_or_init(|| Dependencies::of(self.template)).closes(from, to)
    }

    /// The text to write for `concrete` in a policy carried by the resource `from`.
    pub(crate) fn write(&self, concrete: &str, from: &str) -> Written {
        let plain = |review| Written { value: New::text(concrete), review };
        if !concrete.starts_with("arn:") {
            return plain(None);
        }
        let target = self.target(concrete);
        if let Some(target) = &target
            && !self.closes(from, target.resource.id)
        {
            return Written { value: self.reference(target), review: None };
        }
        let known = match &target {
            Some(target) => self.by_own_name(target, concrete, from),
            None => self.parameter(concrete),
        };
        if let Some(value) = known {
            return Written { value, review: None };
        }
        let owned = target.map(|target| {
            format!("`{}` stays a literal name: a reference to it would close a dependency circle", target.resource.id)
        });
        let owned = owned.or_else(|| self.stack_owned(concrete));
        match self.generalised(concrete) {
            Some(text) => Written { value: self.sub(text), review: owned },
            None => plain(owned),
        }
    }

    /// The logical id of the resource that an ARN names, itself and nothing in it.
    pub(crate) fn named(&self, concrete: &str) -> Option<&'t str> {
        self.target(concrete).filter(|target| target.suffix.is_empty()).map(|target| target.resource.id)
    }

    /// The ARN around the words that the resource's own name is made of: what a person writes where a reference to the
    /// resource would close a circle.
    fn by_own_name(&self, target: &Target<'_>, concrete: &str, from: &str) -> Option<New> {
        let node = target.resource.property(target.rule.name?)?;
        let words = intrinsic::as_sub(node)?;
        let (before, after) = target.rule.around_name();
        let resource = concrete.splitn(6, ':').nth(5)?;
        let name = resource.strip_prefix(before)?.strip_suffix(target.suffix.as_str())?.strip_suffix(after)?;
        match Resolver::open(self.template, self.stack).value(node) {
            Value::Text(text) if text.explains(name) => {}
            _ => return None,
        }
        if intrinsic::references(node).iter().any(|named| self.closes(from, named)) {
            return None;
        }
        let whole = concrete.strip_suffix(resource)?;
        let resource = format!("{before}{words}{after}{}", escaped(&target.suffix));
        if words.contains("${") {
            return Some(self.sub(self.around(whole, &resource).unwrap_or_else(|| format!("{whole}{resource}"))));
        }
        Some(match self.generalised(concrete) {
            Some(text) => self.sub(text),
            None => New::text(concrete),
        })
    }

    /// A parameter that the stack was given the ARN by, or the ARN of what it is in.
    fn parameter(&self, concrete: &str) -> Option<New> {
        let declared = |name: &str| self.template.section("Parameters", name).is_some();
        let given = self.stack.parameters.iter().filter(|(name, value)| {
            declared(name) && value.starts_with("arn:") && value.split(':').count() >= 6 && !value.contains(['*', ','])
        });
        let below = given.filter_map(|(name, value)| {
            let rest = concrete.strip_prefix(value.as_str())?;
            (rest.is_empty() || rest.starts_with(['/', ':'])).then_some((name, rest))
        });
        let (name, rest) = below.min_by_key(|(_, rest)| rest.len())?;
        Some(match rest {
            "" => self.reference_to(name),
            rest => self.sub(format!("${{{name}}}{}", escaped(rest))),
        })
    }

    fn stack_owned(&self, concrete: &str) -> Option<String> {
        let name = self.stack.name.as_deref()?;
        let resource = concrete.splitn(6, ':').nth(5)?;
        resource.split(['/', ':']).any(|part| part.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))).then(
            || format!("`{concrete}` looks like a resource of this stack, but none in the template was recognised"),
        )
    }

    fn reference(&self, target: &Target<'_>) -> New {
        let id = target.resource.id;
        match (target.rule.arn, target.suffix.as_str()) {
            (ArnForm::Attribute(attribute), "") => self.get_att(id, attribute),
            (ArnForm::Ref, "") => self.reference_to(id),
            (ArnForm::Attribute(attribute), suffix) => self.sub(format!("${{{id}.{attribute}}}{}", escaped(suffix))),
            (ArnForm::Ref, suffix) => self.sub(format!("${{{id}}}{}", escaped(suffix))),
            (ArnForm::Name, suffix) => {
                let (before, after) = target.rule.around_name();
                let service = target.rule.service;
                let partition = self.partition();
                self.sub(format!(
                    "arn:{partition}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{before}${{{id}}}{after}{}",
                    escaped(suffix)
                ))
            }
        }
    }

    /// `!GetAtt`, as the file writes it.
    pub(crate) fn get_att(&self, id: &str, attribute: &str) -> New {
        if self.habits().short("GetAtt") {
            return New::Tagged("!GetAtt".into(), format!("{id}.{attribute}"));
        }
        New::Map(vec![("Fn::GetAtt".into(), New::Seq(vec![New::text(id), New::text(attribute)]))])
    }

    /// `!Ref`, as the file writes it.
    pub(crate) fn reference_to(&self, id: &str) -> New {
        if self.habits().short("Ref") {
            New::Tagged("!Ref".into(), id.into())
        } else {
            New::Map(vec![("Ref".into(), New::text(id))])
        }
    }

    /// `!Sub`, as the file writes it.
    pub(crate) fn sub(&self, text: String) -> New {
        if self.habits().short("Sub") {
            New::Tagged("!Sub".into(), text)
        } else {
            New::Map(vec![("Fn::Sub".into(), New::Text(text))])
        }
    }

    /// The one resource of the template that the ARN names, the most specific where several could.
    fn target(&self, concrete: &str) -> Option<Target<'t>> {
        let resolver = Resolver::with_defaults(self.template, self.stack);
        let mut found: Vec<(usize, Target<'t>)> = Vec::new();
        for resource in self.template.resources() {
            let Some(rule) = kinds::rule(resource.kind) else { continue };
            if resource.node.get("Condition").is_some() {
                continue;
            }
            let suffix = match resolver.arn_of(&resource) {
                Some(arn) => below(concrete, &arn),
                None => self.recognised(&resolver, &resource, rule, concrete),
            };
            if let Some(suffix) = suffix {
                found.push((concrete.len() - suffix.len(), Target { resource, rule, suffix }));
            }
        }
        let longest = found.iter().map(|(length, _)| *length).max()?;
        let mut best = found.into_iter().filter(|(length, _)| *length == longest);
        let first = best.next()?;
        best.next().is_none().then_some(first.1)
    }

    /// Recognises a resource whose ARN the template does not give: by the name CloudFormation makes, or as the only one.
    fn recognised(
        &self,
        resolver: &Resolver<'_>,
        resource: &Resource<'_>,
        rule: &'static TypeRule,
        concrete: &str,
    ) -> Option<String> {
        let arn: Arn = concrete.parse().ok()?;
        let (before, _) = rule.around_name();
        let here = arn.service() == rule.service
            && self.stack.partition.as_deref() == Some(arn.partition())
            && (!rule.regional || self.stack.region.as_deref() == Some(arn.region()))
            && arn.account().is_none_or(|account| self.stack.account.as_deref() == Some(account.as_str()));
        if !here {
            return None;
        }
        let rest = arn.resource().strip_prefix(before)?;
        if rule.service == "secretsmanager" {
            let name = resolver.known(resource.property(rule.name?)?)?;
            // A pattern may stand for the six characters.
            let any = || rest.strip_prefix(name.as_str()).is_some_and(|random| random == "-*");
            return (secret_suffix(rest, &name).is_some() || any()).then(String::new);
        }
        let name = rest.split(['/', ':']).next()?;
        let suffix = rest.get(name.len()..)?;
        let base = concrete.strip_suffix(suffix)?;
        let has_name = rule.name.is_some_and(|property| resource.property(property).is_some());
        // The account itself tells what it made for the resource.
        let made = self.stack.logical_of(name) == Some(resource.id);
        let generated = made || (!has_name && self.is_generated(resource.id, name));
        (generated || (!has_name && self.is_only_one(resource, rule, base))).then(|| suffix.to_owned())
    }

    /// Whether a name is `<stack>-<logical id>-<random>`, as CloudFormation makes names.
    fn is_generated(&self, id: &str, name: &str) -> bool {
        let Some(stack) = self.stack.name.as_deref() else { return false };
        let (name, prefix) = (name.to_ascii_lowercase(), format!("{stack}-{id}-").to_ascii_lowercase());
        name.strip_prefix(&prefix)
            .is_some_and(|random| (8..=14).contains(&random.len()) && random.bytes().all(|b| b.is_ascii_alphanumeric()))
    }

    /// Whether template and snapshot hold exactly one resource of the kind, so that no other can be meant.
    fn is_only_one(&self, resource: &Resource<'_>, rule: &TypeRule, base: &str) -> bool {
        let (Some(kind), Ok(arn), Some(account)) = (&rule.snapshot, base.parse::<Arn>(), &self.stack.account) else {
            return false;
        };
        let same = |other: &Resource<'_>| kinds::rule(other.kind).is_some_and(|r| r.snapshot.as_ref() == Some(kind));
        let mut of_kind = self.template.resources().filter(same);
        of_kind.next().is_some_and(|first| first.id == resource.id)
            && of_kind.next().is_none()
            && self.deployed.is_only(kind, account, &arn)
    }

    /// The ARN with pseudo parameters where the stack decides partition, region and account.
    fn generalised(&self, concrete: &str) -> Option<String> {
        let resource = concrete.splitn(6, ':').nth(5)?;
        self.around(concrete.strip_suffix(resource)?, &escaped(resource))
    }

    /// What stands before the resource in an ARN, with pseudo parameters; nothing where region and account are no stack's.
    fn around(&self, whole: &str, resource: &str) -> Option<String> {
        let mut parts = whole.splitn(6, ':');
        let (_, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account) = (parts.next()?, parts.next()?);
        let stack = |known: &Option<String>, text: &str, name: String| {
            if !text.is_empty() && known.as_deref() == Some(text) { name } else { text.to_owned() }
        };
        let new_region = stack(&self.stack.region, region, "${AWS::Region}".into());
        let new_account = stack(&self.stack.account, account, "${AWS::AccountId}".into());
        if new_region == region && new_account == account {
            return None;
        }
        let partition = stack(&self.stack.partition, partition, self.partition());
        Some(format!("arn:{partition}:{service}:{new_region}:{new_account}:{resource}"))
    }

    /// The partition as the file writes it: a file that names it everywhere keeps its way.
    fn partition(&self) -> String {
        let literal = self.stack.partition.as_deref().filter(|name| self.habits().names_partition(name));
        literal.unwrap_or("${AWS::Partition}").to_owned()
    }
}

/// What follows `arn` in `concrete`, where the first names the second or something inside it.
fn below(concrete: &str, arn: &str) -> Option<String> {
    let rest = concrete.strip_prefix(arn)?;
    (rest.is_empty() || rest.starts_with(['/', ':'])).then(|| rest.to_owned())
}

/// What stands behind a secret's name in its ARN, as six letters and digits that AWS puts there; nothing may follow them.
pub(crate) fn secret_suffix<'r>(rest: &'r str, name: &str) -> Option<&'r str> {
    let random = rest.strip_prefix(name)?.strip_prefix('-')?;
    (random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(random)
}

/// Policy variables inside a `Sub` text must not be taken for references.
pub(crate) fn escaped(text: &str) -> String {
    text.replace("${", "${!")
}

/// How often a file writes each function as a tag and in the long form.
struct Habits {
    syntax: Syntax,
    counts: BTreeMap<String, (usize, usize)>,
    /// Partitions that ARNs name, but for those of AWS's own policies; nothing where the stack is asked for it.
    partitions: BTreeSet<String>,
}

impl Habits {
    fn of(template: &Template) -> Self {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let (mut partitions, mut asked) = (BTreeSet::new(), false);
        template.root.walk(&mut |node: &Node| {
            let text = node.raw_text().unwrap_or_default();
            asked |= text.contains("AWS::Partition");
            if let Some((partition, rest)) = text.strip_prefix("arn:").and_then(|rest| rest.split_once(':'))
                && !rest.starts_with("iam::aws:")
            {
                partitions.insert(partition.to_owned());
            }
            let Some(call) = intrinsic::call(node) else { return };
            let count = counts.entry(call.name.to_owned()).or_default();
            let slot = if node.tag.is_some() { &mut count.0 } else { &mut count.1 };
            *slot += 1;
        });
        if asked {
            partitions.clear();
        }
        Self { syntax: template.syntax, counts, partitions }
    }

    /// Whether ARNs in the file name this partition, and none asks the stack for its own.
    fn names_partition(&self, name: &str) -> bool {
        self.partitions.contains(name)
    }

    /// Whether to write a function as a tag: as the file mostly writes this function, else functions at all.
    fn short(&self, name: &str) -> bool {
        let all = self.counts.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let (short, long) = self.counts.get(name).copied().unwrap_or(all);
        self.syntax == Syntax::Yaml && short >= long
    }
}
