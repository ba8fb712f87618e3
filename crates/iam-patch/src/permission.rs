//! Resources that add one statement each to another resource's policy, and the statement they stand for.
//!
//! Follows the Lambda topic on `AddPermission` and the CloudFormation types `AWS::Lambda::Permission` and
//! `AWS::Events::EventBusPolicy`. Edits nothing.

use iam_model::arn::{AccountId, Arn};

use crate::intrinsic;
use crate::resolve::{Resolver, Text, Value};
use crate::stack::Stack;
use crate::template::{Resource, Template};
use crate::tree::Node;

const LAMBDA: &str = "AWS::Lambda::Permission";
const BUS: &str = "AWS::Events::EventBusPolicy";

/// Conditions that Lambda writes for properties: property, operator, key.
pub(crate) const CONDITIONS: &[(&str, &str, &str)] = &[
    ("SourceArn", "ArnLike", "AWS:SourceArn"),
    ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
    ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ("InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
];

/// Whether the resource stands for one statement of another's policy.
pub(crate) fn is_permission(resource: &Resource<'_>) -> bool {
    matches!(resource.kind, LAMBDA | BUS)
}

/// Whether the resource stands for a statement of a function's policy.
pub(crate) fn is_of_function(resource: &Resource<'_>) -> bool {
    resource.kind == LAMBDA
}

/// Whether the resource is one whose policy is made up of such resources.
pub(crate) fn is_target(resource: &Resource<'_>) -> bool {
    resource.is_function() || resource.kind == "AWS::Events::EventBus"
}

/// The type that makes up the policy of such a resource.
pub(crate) fn kind_for(target: &Resource<'_>) -> &'static str {
    if target.is_function() { LAMBDA } else { BUS }
}

/// What a permission is for, as far as the template says.
#[derive(Debug, Clone)]
struct Target {
    /// The resource of the template, or the parameter.
    id: Option<String>,
    name: Option<String>,
    of: Qualifier,
}

/// Which of a function's policies: its own, or that of one of its versions and aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Qualifier {
    Own,
    Named(String),
    /// One whose name the template does not say.
    Some,
}

impl Qualifier {
    fn named(name: Option<String>) -> Self {
        name.map_or(Self::Some, Self::Named)
    }

    fn may_be(&self, wanted: Option<&str>) -> bool {
        match self {
            Self::Own => wanted.is_none(),
            Self::Named(name) => wanted == Some(name),
            Self::Some => wanted.is_some(),
        }
    }
}

impl Target {
    /// Whether both are of one function or bus.
    fn is(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        same(&self.id, &other.id) || same(&self.name, &other.name)
    }
}

fn target(resolver: &Resolver<'_>, template: &Template, permission: &Resource<'_>) -> Option<Target> {
    let property = if permission.kind == LAMBDA { "FunctionName" } else { "EventBusName" };
    let Some(node) = permission.property(property) else {
        let name = Some("default".into());
        return (permission.kind == BUS).then_some(Target { id: None, name, of: Qualifier::Own });
    };
    let id = intrinsic::references(node).into_iter().find(|id| !id.starts_with("AWS::"));
    let alias = id.as_deref().and_then(|id| of_alias(resolver, template, id));
    if alias.is_some() {
        return alias;
    }
    let known = resolver.known(node);
    // `${Fn}:live`, where only the deployment knows the name.
    let written = intrinsic::as_sub(node).and_then(|text| text.rsplit_once("}:").map(|(_, rest)| rest.to_owned()));
    let of = match (&known, written) {
        (Some(text), _) => qualifier_of(text).map_or(Qualifier::Own, |name| Qualifier::Named(name.to_owned())),
        (None, Some(name)) => Qualifier::named(Some(name).filter(|name| !name.contains(['$', ':']))),
        (None, None) => Qualifier::Own,
    };
    let own = || name_in(resolver, &template.resource(id.as_deref()?)?);
    let name = known.map(|text| name_of(&text).to_owned()).or_else(own);
    Some(Target { id, name, of })
}

/// The name that a template gives a function or bus.
fn name_in(resolver: &Resolver<'_>, resource: &Resource<'_>) -> Option<String> {
    let property = match resource.kind {
        "AWS::Events::EventBus" => "Name",
        kind if kind.starts_with("AWS::") => "FunctionName",
        _ => "name",
    };
    resolver.known(resource.property(property)?)
}

/// The function that an alias or a version of the template is of: `Live`, or SAM's `Fn.Alias`.
fn of_alias(resolver: &Resolver<'_>, template: &Template, id: &str) -> Option<Target> {
    let (base, of) = match id.split_once('.') {
        Some((base, made)) => {
            let named = template.resource(base)?.property("AutoPublishAlias").filter(|_| made == "Alias");
            (base.to_owned(), Qualifier::named(named.and_then(|node| resolver.known(node))))
        }
        None => {
            let alias =
                template.resource(id).filter(|r| ["AWS::Lambda::Alias", "AWS::Lambda::Version"].contains(&r.kind))?;
            let named = alias.property("Name").filter(|_| alias.kind == "AWS::Lambda::Alias");
            let base = intrinsic::references(alias.property("FunctionName")?).into_iter().next();
            (base.unwrap_or_default(), Qualifier::named(named.and_then(|node| resolver.known(node))))
        }
    };
    let name = template.resource(&base).and_then(|function| name_in(resolver, &function));
    Some(Target { id: Some(base), name, of })
}

/// The name in an ARN or a name of a function or bus.
fn name_of(text: &str) -> &str {
    let last = text.splitn(6, ':').nth(5).filter(|_| text.starts_with("arn:"));
    let name = last.and_then(|resource| resource.split([':', '/']).nth(1));
    name.unwrap_or_else(|| text.split(':').next().unwrap_or(text))
}

/// The version or alias in an ARN or a name of a function.
pub(crate) fn qualifier_of(text: &str) -> Option<&str> {
    match text.starts_with("arn:") {
        true => text.splitn(8, ':').nth(7).filter(|_| text.contains(":function:")),
        false => text.split_once(':').map(|(_, rest)| rest),
    }
}

/// The function that an ARN of a version or alias is of; any other ARN as it is.
pub(crate) fn unqualified(arn: &Arn) -> Arn {
    let qualified = qualifier_of(arn.as_str()).and_then(|name| arn.as_str().strip_suffix(name)?.strip_suffix(':'));
    qualified.and_then(|text| text.parse().ok()).unwrap_or_else(|| arn.clone())
}

/// The permissions of a function or bus, or those that stand beside a permission: of the same target.
pub(crate) fn of<'t>(template: &'t Template, stack: &Stack, resource: &Resource<'t>) -> Vec<Resource<'t>> {
    let resolver = Resolver::open(template, stack);
    let wanted = if is_permission(resource) {
        target(&resolver, template, resource)
    } else {
        let name = name_in(&resolver, resource);
        is_target(resource).then(|| Target { id: Some(resource.id.to_owned()), name, of: Qualifier::Own })
    };
    let Some(wanted) = wanted else { return Vec::new() };
    let same = |r: &Resource<'_>| target(&resolver, template, r).is_some_and(|target| target.is(&wanted));
    template.resources().filter(|r| is_permission(r) && same(r)).collect()
}

/// Whether a permission may be part of the policy of this function, version or alias; of a bus it is.
pub(crate) fn is_of(template: &Template, resolver: &Resolver<'_>, permission: &Resource<'_>, arn: &Arn) -> bool {
    permission.kind == BUS
        || target(resolver, template, permission).is_none_or(|target| target.of.may_be(qualifier_of(arn.as_str())))
}

/// The first permission that a function or bus with this ARN has in a template; `ids` are resources that have the ARN.
pub(crate) fn for_arn<'t>(
    template: &'t Template,
    resolver: &Resolver<'_>,
    ids: &[&str],
    arn: &Arn,
) -> Option<Resource<'t>> {
    let kind = match arn.service() {
        "lambda" => LAMBDA,
        "events" => BUS,
        _ => return None,
    };
    let meant = |target: Target| {
        (kind == BUS || target.of.may_be(qualifier_of(arn.as_str())))
            && (target.id.is_some_and(|id| ids.contains(&id.as_str()))
                || target.name.is_some_and(|name| name == name_of(arn.as_str())))
    };
    template.resources().find(|r| r.kind == kind && target(resolver, template, r).is_some_and(meant))
}

/// The statement a permission stands for, as far as the template says; nothing for a form that is not read.
pub(crate) fn statement(resolver: &Resolver<'_>, permission: &Resource<'_>) -> Option<Value> {
    if permission.kind == BUS {
        return Some(resolver.value(permission.property("Statement")?));
    }
    let text = |text: &str| Value::Text(Text::literal(text));
    let value = |name: &str| permission.property(name).map(|node| resolver.value(node));
    let mut conditions: Vec<(String, Value)> = Vec::new();
    for (property, operator, key) in CONDITIONS {
        let Some(value) = value(property).filter(|value| *value != Value::Absent) else { continue };
        let entry = ((*key).to_owned(), value);
        match conditions.iter_mut().find(|(name, _)| name == operator) {
            Some((_, Value::Map(keys))) => keys.push(entry),
            _ => conditions.push(((*operator).to_owned(), Value::Map(vec![entry]))),
        }
    }
    let mut entries = vec![
        ("Effect".to_owned(), text("Allow")),
        ("Principal".to_owned(), principal(resolver, permission.property("Principal")?)?),
        ("Action".to_owned(), value("Action")?),
        ("Resource".to_owned(), Value::Text(Text::hole())),
    ];
    if !conditions.is_empty() {
        entries.push(("Condition".to_owned(), Value::Map(conditions)));
    }
    Some(Value::Map(entries))
}

/// A service, an account, an ARN or everyone, as Lambda writes it into the policy.
fn principal(resolver: &Resolver<'_>, node: &Node) -> Option<Value> {
    let Value::Text(written) = resolver.value(node) else { return None };
    let known = written.known();
    let (kind, text) = match known.as_deref() {
        Some("*") => return Some(Value::Text(written)),
        Some(account) if AccountId::is_number(account) => {
            let partition = resolver.stack.partition.as_deref().unwrap_or("aws");
            ("AWS", Text::literal(format!("arn:{partition}:iam::{account}:root")))
        }
        Some(arn) if arn.starts_with("arn:") => ("AWS", written),
        Some(_) => ("Service", written),
        // An account or an ARN that only the deployment knows.
        None => ("AWS", Text::hole()),
    };
    Some(Value::Map(vec![(kind.to_owned(), Value::Text(text))]))
}
