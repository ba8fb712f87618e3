//! Does the source explain what is deployed? Statements as written, resolved, against the deployed document.
//!
//! Order and `Sid` do not matter; action names compare without regard to case. Decides nothing about edits.

use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PrincipalElement, PrincipalPattern, ResourceElement, Statement,
};

use crate::resolve::{Resolve, Text, Value};
use crate::tree::{Node, Path};

/// A source statement and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct SourceStatement<'t> {
    pub(crate) node: &'t Node,
    pub(crate) place: Path,
}

/// The statements of a source document: the items of `Statement`, or the one mapping it is; of a list, its items.
pub(crate) fn statements<'t>(document: &'t Node, place: &Path) -> Vec<SourceStatement<'t>> {
    if document.is_seq() {
        let items = document.items().iter().enumerate();
        return items.map(|(i, node)| SourceStatement { node, place: place.child(i) }).collect();
    }
    let Some((index, node)) = document.find("Statement") else { return Vec::new() };
    let below = place.child(index);
    if node.is_map() {
        return vec![SourceStatement { node, place: below }];
    }
    let items = node.items().iter().enumerate();
    items.map(|(i, node)| SourceStatement { node, place: below.child(i) }).collect()
}

/// Pairs each deployed statement with the source statement that explains it, in the order of the source.
///
/// Nothing where a statement on either side is left over.
pub(crate) fn pair(
    resolver: &dyn Resolve,
    source: &[SourceStatement<'_>],
    deployed: &[Statement],
) -> Option<Vec<usize>> {
    if source.len() != deployed.len() {
        return None;
    }
    let mut free: Vec<bool> = vec![true; deployed.len()];
    let mut pairs = Vec::new();
    for (position, statement) in source.iter().enumerate() {
        let explained = |at: usize| deployed.get(at).is_some_and(|d| explains(resolver, statement.node, d));
        let is_free = |at: usize| free.get(at).copied().unwrap_or(false);
        let candidates = std::iter::once(position).chain(0..deployed.len());
        let found = candidates.into_iter().find(|at| is_free(*at) && explained(*at))?;
        *free.get_mut(found)? = false;
        pairs.push(found);
    }
    Some(pairs)
}

/// The first deployed statement, counted from 1, that no source statement explains.
pub(crate) fn unexplained<'d>(
    resolver: &dyn Resolve,
    source: &[SourceStatement<'_>],
    deployed: &'d [Statement],
) -> Option<(usize, &'d Statement)> {
    let explained = |statement: &Statement| source.iter().any(|s| explains(resolver, s.node, statement));
    let found = deployed.iter().position(|statement| !explained(statement))?;
    Some((found + 1, deployed.get(found)?))
}

/// Whether the source explains a whole deployed document.
pub(crate) fn explains_document(resolver: &dyn Resolve, document: &Node, deployed: &PolicyDocument) -> bool {
    let source = statements(document, &Path::default());
    pair(resolver, &source, &deployed.statements).is_some()
}

fn explains(resolver: &dyn Resolve, node: &Node, deployed: &Statement) -> bool {
    value_explains(&resolver.value(node), deployed)
}

/// Whether a statement's value explains a deployed one.
pub(crate) fn value_explains(value: &Value, deployed: &Statement) -> bool {
    let Value::Map(entries) = value else { return false };
    let get = |key: &str| entries.iter().find(|(k, _)| k == key).map(|(_, v)| v);
    let known =
        ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"];
    entries.iter().all(|(key, _)| known.contains(&key.as_str()))
        && effect_explained(get("Effect"), deployed.effect)
        && actions_explained(get("Action"), get("NotAction"), &deployed.action)
        && resources_explained(get("Resource"), get("NotResource"), &deployed.resource)
        && principals_explained(get("Principal"), get("NotPrincipal"), deployed.principal.as_ref())
        && conditions_explained(get("Condition"), deployed)
}

fn effect_explained(source: Option<&Value>, deployed: Effect) -> bool {
    let word = match deployed {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
        Effect::Unknown => return false,
    };
    matches!(source, Some(Value::Text(text)) if text.explains(word))
}

fn actions_explained(action: Option<&Value>, not_action: Option<&Value>, deployed: &ActionElement) -> bool {
    let (source, other) = match deployed {
        ActionElement::Action(_) => (action, not_action),
        ActionElement::NotAction(_) => (not_action, action),
    };
    let lower = |text: &str| text.to_ascii_lowercase();
    let wanted: Vec<String> = deployed.patterns().iter().map(|p| lower(p.value.as_str())).collect();
    other.is_none() && source.is_some_and(|value| lists_explained(&texts(value, &lower), &wanted))
}

fn resources_explained(resource: Option<&Value>, not_resource: Option<&Value>, deployed: &ResourceElement) -> bool {
    let (source, other) = match deployed {
        ResourceElement::Resource(_) => (resource, not_resource),
        ResourceElement::NotResource(_) => (not_resource, resource),
        ResourceElement::Absent => return resource.is_none() && not_resource.is_none(),
    };
    let wanted: Vec<String> = deployed.patterns().iter().map(|p| p.value.as_str().to_owned()).collect();
    other.is_none() && source.is_some_and(|value| lists_explained(&texts(value, &str::to_owned), &wanted))
}

fn principals_explained(source: Option<&Value>, not: Option<&Value>, deployed: Option<&PrincipalElement>) -> bool {
    let (source, other, patterns) = match deployed {
        None => return source.is_none() && not.is_none(),
        Some(PrincipalElement::Principal(patterns)) => (source, not, patterns),
        Some(PrincipalElement::NotPrincipal(patterns)) => (not, source, patterns),
    };
    let Some(value) = source else { return false };
    let found = match value {
        Value::Map(kinds) => kinds.iter().flat_map(|(kind, value)| prefixed(kind, value)).collect(),
        other => prefixed("AWS", other),
    };
    let wanted: Vec<String> = patterns.iter().map(|p| principal_text(&p.value)).collect();
    other.is_none() && lists_explained(&found, &wanted)
}

fn principal_text(pattern: &PrincipalPattern) -> String {
    match pattern {
        PrincipalPattern::Everyone => "AWS|*".into(),
        PrincipalPattern::Aws(text) => format!("AWS|{text}"),
        PrincipalPattern::Service(text) => format!("Service|{text}"),
        PrincipalPattern::Federated(text) => format!("Federated|{text}"),
        PrincipalPattern::CanonicalUser(text) => format!("CanonicalUser|{text}"),
        PrincipalPattern::Unknown { kind, value } => format!("{kind}|{value}"),
    }
}

fn conditions_explained(source: Option<&Value>, deployed: &Statement) -> bool {
    let mut found = Vec::new();
    match source {
        None | Some(Value::Absent) => {}
        Some(Value::Map(operators)) => {
            for (operator, keys) in operators {
                let Value::Map(keys) = keys else { return false };
                for (key, values) in keys {
                    found.extend(prefixed(&format!("{operator}|{key}").to_ascii_lowercase(), values));
                }
            }
        }
        Some(_) => return false,
    }
    let wanted: Vec<String> = deployed
        .conditions
        .iter()
        .flat_map(|c| {
            let head = format!("{}|{}", c.operator, c.key).to_ascii_lowercase();
            c.values.iter().map(move |v| format!("{head}|{}", v.value))
        })
        .collect();
    lists_explained(&found, &wanted)
}

fn prefixed(prefix: &str, value: &Value) -> Vec<Option<Text>> {
    texts(value, &str::to_owned).into_iter().map(|text| text.map(|t| t.after(&format!("{prefix}|")))).collect()
}

/// The texts of a scalar or list; nothing stands for one that cannot be read.
fn texts(value: &Value, map: &dyn Fn(&str) -> String) -> Vec<Option<Text>> {
    match value {
        Value::Text(text) => vec![Some(text.map(map))],
        Value::List(items) => items.iter().flat_map(|item| texts(item, map)).collect(),
        Value::Absent => Vec::new(),
        Value::Map(_) | Value::AnyOf(_) | Value::Unknown => vec![None],
    }
}

/// Whether two lists say the same, the first with holes: each explains one, each is explained.
fn lists_explained(source: &[Option<Text>], deployed: &[String]) -> bool {
    let Some(source) = source.iter().cloned().collect::<Option<Vec<Text>>>() else { return false };
    deployed.iter().all(|text| source.iter().any(|s| s.explains(text)))
        && source.iter().all(|s| deployed.iter().any(|text| s.explains(text)))
}
