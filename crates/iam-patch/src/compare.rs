//! Does the source explain what is deployed? Statements as written, resolved, against the deployed document.
//!
//! Order and `Sid` do not matter; action names compare without regard to case. Decides nothing about edits.

use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PrincipalElement, PrincipalPattern, ResourceElement, Statement,
};

use crate::intrinsic;
use crate::resolve::{Resolve, Text, Value};
use crate::tree::{Node, Path};

/// A source statement and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct SourceStatement<'t> {
    pub(crate) node: &'t Node,
    pub(crate) place: Path,
    /// The branch of a condition that it is.
    pub(crate) branch: Option<Branch>,
}

/// A statement that `Fn::If` may leave out.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    /// The list's item, the condition with all its branches.
    pub(crate) item: Path,
    /// Whether the other branch is nothing.
    pub(crate) alone: bool,
}

impl<'t> SourceStatement<'t> {
    /// A statement that is always there.
    pub(crate) const fn new(node: &'t Node, place: Path) -> Self {
        Self { node, place, branch: None }
    }

    /// The place of the list's item.
    pub(crate) fn item(&self) -> &Path {
        self.branch.as_ref().map_or(&self.place, |branch| &branch.item)
    }
}

/// The statements of a source document: the items of `Statement`, or the one mapping it is; of a list, its items. Of a
/// condition, the statements in its branches.
pub(crate) fn statements<'t>(document: &'t Node, place: &Path) -> Vec<SourceStatement<'t>> {
    let (node, below) = match document.find("Statement") {
        _ if document.is_seq() => (document, place.clone()),
        Some((index, node)) => (node, place.child(index)),
        None => return Vec::new(),
    };
    if node.is_map() || intrinsic::call(node).is_some() {
        return vec![SourceStatement::new(node, below)];
    }
    node.items().iter().enumerate().flat_map(|(i, item)| branches(item, &below.child(i))).collect()
}

/// An item of the list: a statement, or the branches of a condition, where those are written out.
fn branches<'t>(item: &'t Node, place: &Path) -> Vec<SourceStatement<'t>> {
    let whole = || vec![SourceStatement::new(item, place.clone())];
    let Some(call) = intrinsic::call(item).filter(|call| call.name == "If") else { return whole() };
    let [_, then, otherwise] = call.argument.items() else { return whole() };
    let nothing =
        |node: &Node| intrinsic::call(node).is_some_and(|call| call.argument.raw_text() == Some("AWS::NoValue"));
    let written = |node: &Node| node.is_map() && node.tag.is_none() && intrinsic::call(node).is_none();
    if ![then, otherwise].into_iter().all(|node| nothing(node) || written(node)) {
        return whole();
    }
    let below = if item.tag.is_some() { place.clone() } else { place.child(0) };
    let alone = nothing(then) || nothing(otherwise);
    let both = [(1, then), (2, otherwise)].into_iter().filter(|(_, node)| written(node));
    both.map(|(at, node)| SourceStatement {
        node,
        place: below.child(at),
        branch: Some(Branch { item: place.clone(), alone }),
    })
    .collect()
}

/// Pairs each source statement with the deployed one that it explains; nothing for one that a condition left out.
///
/// Nothing at all where a statement on either side is left over.
pub(crate) fn pair(
    resolver: &dyn Resolve,
    source: &[SourceStatement<'_>],
    deployed: &[Statement],
) -> Option<Vec<Option<usize>>> {
    let required = source.iter().filter(|statement| statement.branch.is_none()).count();
    if required > deployed.len() || deployed.len() > source.len() {
        return None;
    }
    let mut free: Vec<bool> = vec![true; deployed.len()];
    let mut pairs: Vec<Option<usize>> = vec![None; source.len()];
    for conditional in [false, true] {
        for (position, statement) in source.iter().enumerate().filter(|(_, s)| s.branch.is_some() == conditional) {
            let explained = |at: usize| deployed.get(at).is_some_and(|d| explains(resolver, statement.node, d));
            let is_free = |at: usize| free.get(at).copied().unwrap_or(false);
            let candidates = std::iter::once(position).chain(0..deployed.len());
            let found = candidates.into_iter().find(|at| is_free(*at) && explained(*at));
            if found.is_none() && !conditional {
                return None;
            }
            if let (Some(at), Some(slot)) = (found, pairs.get_mut(position)) {
                *slot = Some(at);
                *free.get_mut(at)? = false;
            }
        }
    }
    (!free.contains(&true)).then_some(pairs)
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
    value_explains(&resolver.value(node), deployed, resolver.may_be_lists())
}

/// The source statement, if any, that changes although another could as well be the one that is deployed.
///
/// `changes` says which deployed statements change. Equal names (`Sid`) tell statements apart; order does not.
pub(crate) fn ambiguous<'s, 't>(
    resolver: &dyn Resolve,
    source: &'s [SourceStatement<'t>],
    pairs: &[Option<usize>],
    deployed: &[Statement],
    changes: &dyn Fn(usize) -> bool,
) -> Option<&'s SourceStatement<'t>> {
    let sids: Vec<Option<String>> = source.iter().map(|s| sid(resolver, s.node)).collect();
    let named = |at: usize, other: &Statement| {
        let own = sids.get(at).and_then(Option::as_ref);
        own.zip(other.sid.as_ref()).map(|(own, sid)| own == sid)
    };
    let mut pairs_of = source.iter().zip(pairs).enumerate();
    let found = pairs_of.find(|(at, (statement, pair))| {
        let Some(first) = pair.filter(|first| changes(*first)) else { return false };
        let Some(own) = deployed.get(first).filter(|own| named(*at, own) != Some(true)) else { return false };
        let (mut seen, mut open) = (vec![first], vec![first]);
        while let Some(wanted) = open.pop().and_then(|wanted| deployed.get(wanted)) {
            for (other, (candidate, pair)) in source.iter().zip(pairs).enumerate() {
                let itself = other == *at;
                let fits = || named(other, wanted) != Some(false) && explains(resolver, candidate.node, wanted);
                if pair.is_some_and(|pair| seen.contains(&pair)) && !itself || !fits() {
                    continue;
                }
                match pair {
                    _ if itself && std::ptr::eq(wanted, own) => {}
                    _ if itself => return true,
                    None => return candidate.node.plain() != statement.node.plain(),
                    Some(next) => {
                        let alike = candidate.node.plain() == statement.node.plain();
                        if !(alike && deployed.get(*next).is_some_and(|next| same(next, own))) {
                            seen.push(*next);
                            open.push(*next);
                        }
                    }
                }
            }
        }
        false
    });
    found.map(|(_, (statement, _))| statement)
}

/// Whether two statements say the same, wherever they stand.
pub(crate) fn same(a: &Statement, b: &Statement) -> bool {
    PolicyDocument::new(vec![a.clone()]).same_text(&PolicyDocument::new(vec![b.clone()]))
}

fn sid(resolver: &dyn Resolve, node: &Node) -> Option<String> {
    match resolver.value(node.get("Sid")?) {
        Value::Text(text) => text.known(),
        _ => None,
    }
}

/// Whether a statement's value explains a deployed one. `lists` says that an unknown value may be a list.
pub(crate) fn value_explains(value: &Value, deployed: &Statement, lists: bool) -> bool {
    let Value::Map(entries) = value else { return false };
    let get = |key: &str| entries.iter().find(|(k, _)| k == key).map(|(_, v)| v);
    let known =
        ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"];
    entries.iter().all(|(key, _)| known.contains(&key.as_str()))
        && effect_explained(get("Effect"), deployed.effect)
        && actions_explained(get("Action"), get("NotAction"), &deployed.action, lists)
        && resources_explained(get("Resource"), get("NotResource"), &deployed.resource, lists)
        && principals_explained(get("Principal"), get("NotPrincipal"), deployed.principal.as_ref(), lists)
        && conditions_explained(get("Condition"), deployed, lists)
}

fn effect_explained(source: Option<&Value>, deployed: Effect) -> bool {
    let word = match deployed {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
        Effect::Unknown => return false,
    };
    matches!(source, Some(Value::Text(text)) if text.explains(word))
}

fn actions_explained(
    action: Option<&Value>,
    not_action: Option<&Value>,
    deployed: &ActionElement,
    lists: bool,
) -> bool {
    let (source, other) = match deployed {
        ActionElement::Action(_) => (action, not_action),
        ActionElement::NotAction(_) => (not_action, action),
    };
    let lower = |text: &str| text.to_ascii_lowercase();
    let wanted: Vec<String> = deployed.patterns().iter().map(|p| lower(p.value.as_str())).collect();
    other.is_none() && source.is_some_and(|value| lists_explained(&texts(value, &lower), &wanted, lists))
}

fn resources_explained(
    resource: Option<&Value>,
    not_resource: Option<&Value>,
    deployed: &ResourceElement,
    lists: bool,
) -> bool {
    let (source, other) = match deployed {
        ResourceElement::Resource(_) => (resource, not_resource),
        ResourceElement::NotResource(_) => (not_resource, resource),
        ResourceElement::Absent => return resource.is_none() && not_resource.is_none(),
    };
    let wanted: Vec<String> = deployed.patterns().iter().map(|p| p.value.as_str().to_owned()).collect();
    other.is_none() && source.is_some_and(|value| lists_explained(&texts(value, &str::to_owned), &wanted, lists))
}

fn principals_explained(
    source: Option<&Value>,
    not: Option<&Value>,
    deployed: Option<&PrincipalElement>,
    lists: bool,
) -> bool {
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
    other.is_none() && lists_explained(&found, &wanted, lists)
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

fn conditions_explained(source: Option<&Value>, deployed: &Statement, lists: bool) -> bool {
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
    lists_explained(&found, &wanted, lists)
}

fn prefixed(prefix: &str, value: &Value) -> Vec<Said> {
    let after = |said: Said| Said {
        texts: said.texts.map(|texts| texts.into_iter().map(|t| t.after(&format!("{prefix}|"))).collect()),
        ..said
    };
    texts(value, &str::to_owned).into_iter().map(after).collect()
}

/// What one item of a list may say.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// One of these; nothing where it cannot be read.
    pub(crate) texts: Option<Vec<Text>>,
    /// Whether it may not be there at all.
    optional: bool,
    /// Whether it stands where a list may stand, and nothing of it is known.
    whole: bool,
}

/// The items of a scalar or list.
pub(crate) fn texts(value: &Value, map: &dyn Fn(&str) -> String) -> Vec<Said> {
    let one = |texts, optional| Said { texts, optional, whole: false };
    match value {
        Value::Text(text) => vec![Said { whole: *text == Text::hole(), ..one(Some(vec![text.map(map)]), false) }],
        Value::List(items) => {
            let items = items.iter().flat_map(|item| texts(item, map));
            items.map(|said| Said { whole: false, ..said }).collect()
        }
        Value::Absent => Vec::new(),
        Value::AnyOf(branches) => {
            let single = branches.iter().all(|branch| matches!(branch, Value::Text(_) | Value::Absent));
            let all: Vec<Said> = branches.iter().flat_map(|branch| texts(branch, map)).collect();
            if single {
                let whole = all.iter().any(|said| said.whole);
                let texts = all.into_iter().map(|said| said.texts).collect::<Option<Vec<_>>>();
                let optional = branches.contains(&Value::Absent);
                vec![Said { whole, ..one(texts.map(|texts| texts.concat()), optional) }]
            } else {
                all.into_iter().map(|said| Said { optional: true, ..said }).collect()
            }
        }
        Value::Map(_) | Value::Unknown => vec![one(None, false)],
    }
}

/// Values that are in no text word for word, of one list: more are not told apart.
const OPEN: usize = 512;

/// Whether two lists say the same, the first with holes: each explains one, each is explained. What is not known stands
/// for one value, except where `lists` says that it may be a list.
fn lists_explained(source: &[Said], deployed: &[String], lists: bool) -> bool {
    let explains = |said: &Said, text: &String| said.texts.iter().flatten().any(|t| t.explains(text));
    let says = |said: &Said, text: &String| said.texts.iter().flatten().any(|t| t.is_known_as(text));
    let all = source.iter().all(|said| said.texts.is_some())
        && deployed.iter().all(|text| source.iter().any(|said| explains(said, text)))
        && source.iter().all(|said| said.optional || deployed.iter().any(|text| explains(said, text)));
    let mut open: Vec<&String> = deployed.iter().filter(|text| !source.iter().any(|said| says(said, text))).collect();
    open.retain(|text| !source.iter().any(|said| lists && said.whole && explains(said, text)));
    open.sort_unstable();
    open.dedup();
    if !all || open.len() < 2 {
        return all;
    }
    let fitting = |text: &&String| {
        let fitting = source.iter().enumerate().filter(|(_, said)| explains(said, text));
        fitting.map(|(at, _)| at).collect::<Vec<_>>()
    };
    open.len() <= OPEN && matched(&open.iter().map(fitting).collect::<Vec<_>>()).is_some()
}

/// One of its candidates for each, no candidate twice; nothing where that cannot be.
pub(crate) fn matched(candidates: &[Vec<usize>]) -> Option<Vec<usize>> {
    let most = candidates.iter().flatten().max().map_or(0, |most| most + 1);
    let mut owner: Vec<Option<usize>> = vec![None; most];
    for start in 0..candidates.len() {
        // Breadth first over paths that take a candidate from its owner.
        let mut from: Vec<Option<usize>> = vec![None; most];
        let mut open = std::collections::VecDeque::from([start]);
        let mut free = None;
        while let (None, Some(at)) = (free, open.pop_front()) {
            for candidate in candidates.get(at)? {
                let slot = from.get_mut(*candidate)?;
                if slot.is_some() {
                    continue;
                }
                *slot = Some(at);
                match owner.get(*candidate)? {
                    Some(other) => open.push_back(*other),
                    None => {
                        free = Some(*candidate);
                        break;
                    }
                }
            }
        }
        let mut candidate = free?;
        loop {
            let at = (*from.get(candidate)?)?;
            let before = owner.iter().position(|other| *other == Some(at));
            *owner.get_mut(candidate)? = Some(at);
            if at == start {
                break;
            }
            candidate = before?;
        }
    }
    let of = |at: usize| owner.iter().position(|other| *other == Some(at));
    (0..candidates.len()).map(of).collect()
}
