//! The Serverless Framework's file: which roles it makes, from which statements, for which functions.
//!
//! Follows the framework's guide, "IAM Permissions For Functions", and the plugin `serverless-iam-roles-per-function`:
//! one role for every function from `provider`, or one for a function that has statements of its own. Logical ids are
//! those the framework gives.

use super::{Slot, Template, resources_of};
use crate::tree::{Node, Path};

/// The kind of a function, and of the role made for all or for one of them.
pub(super) const FUNCTION: &str = "Serverless::Lambda";
pub(super) const PROVIDER_ROLE: &str = "Serverless::ProviderRole";
pub(super) const FUNCTION_ROLE: &str = "Serverless::FunctionRole";

/// The logical id of the role that functions share.
const SHARED_ROLE: &str = "IamRoleLambdaExecution";

/// A node with its place.
type Spot<'t> = (&'t Node, Path);

fn below<'t>((node, place): &Spot<'t>, key: &str) -> Option<Spot<'t>> {
    node.find(key).map(|(index, found)| (found, place.child(index)))
}

fn deep<'t>(spot: &Spot<'t>, keys: &[&str]) -> Option<Spot<'t>> {
    keys.iter().try_fold(spot.clone(), |spot, key| below(&spot, key))
}

/// Everything the file declares.
pub(super) fn slots(root: &Node) -> Vec<Slot> {
    let top = (root, Path::default());
    let mut slots = Vec::new();
    let provider = below(&top, "provider");
    slots.extend(provider.as_ref().and_then(shared_role));
    let external = provider.as_ref().and_then(external_role);
    if let Some((functions, place)) = below(&top, "functions") {
        for (map, place) in parts(functions, &place) {
            slots.extend(functions_of(map, &place, external.as_ref()));
        }
    }
    if let Some((resources, place)) = below(&top, "resources") {
        for part in parts(resources, &place) {
            if let Some((node, place)) = below(&part, "Resources") {
                slots.extend(resources_of(node, &place, None));
            }
        }
    }
    slots
}

/// A mapping, or each mapping of a list of them.
fn parts<'t>(node: &'t Node, place: &Path) -> Vec<Spot<'t>> {
    if node.is_seq() {
        return node.items().iter().enumerate().map(|(index, item)| (item, place.child(index))).collect();
    }
    vec![(node, place.clone())]
}

/// The role for every function: `provider.iam.role`, or the older keys of `provider` itself.
fn shared_role(provider: &Spot<'_>) -> Option<Slot> {
    let holder = deep(provider, &["iam", "role"]).filter(|(node, _)| node.is_map() && is_made(node));
    let holder = holder.or_else(|| Some(provider.clone()).filter(|(node, _)| is_made(node)))?;
    Some(slot(SHARED_ROLE.to_owned(), PROVIDER_ROLE, &holder, None))
}

fn is_made(node: &Node) -> bool {
    ["statements", "managedPolicies", "iamRoleStatements", "iamManagedPolicies"]
        .iter()
        .any(|key| node.get(key).is_some())
}

/// A role that is not made here but named: by ARN, by reference, or by logical id.
fn external_role(provider: &Spot<'_>) -> Option<Path> {
    let named = |(node, _): &Spot<'_>| !node.is_map() || crate::intrinsic::call(node).is_some();
    let modern = deep(provider, &["iam", "role"]).filter(named);
    modern.or_else(|| below(provider, "role")).map(|(_, place)| place)
}

fn slot(id: String, kind: &str, (_, place): &Spot<'_>, role: Option<Path>) -> Slot {
    Slot { id, kind: kind.to_owned(), node: place.clone(), properties: Some(place.clone()), role }
}

/// The functions of a mapping, and the roles of those that have statements of their own.
pub(super) fn functions_of(map: &Node, place: &Path, external: Option<&Path>) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (index, entry) in map.entries().iter().enumerate() {
        let spot = (&entry.value, place.child(index));
        if !entry.value.is_map() {
            continue;
        }
        let normal = normalized(entry.name());
        let own = below(&spot, "role").map(|(_, place)| place);
        let made = deep(&spot, &["iam", "role"]).filter(|(node, _)| is_made(node));
        let made = made.or_else(|| Some(spot.clone()).filter(|(node, _)| is_made(node)));
        let role = own.or_else(|| external.cloned().filter(|_| made.is_none()));
        slots.push(slot(function_id(entry.name()), FUNCTION, &spot, role));
        slots.extend(made.map(|made| slot(format!("{normal}{SHARED_ROLE}"), FUNCTION_ROLE, &made, None)));
    }
    slots
}

/// The logical id of a function by its name in the file.
pub(super) fn function_id(name: &str) -> String {
    format!("{}LambdaFunction", normalized(name))
}

/// The logical id of the function that a role of its own is made for.
pub(super) fn function_of_role(role: &str) -> Option<String> {
    role.strip_suffix(SHARED_ROLE).filter(|name| !name.is_empty()).map(|name| format!("{name}LambdaFunction"))
}

/// A function's name as logical ids have it.
fn normalized(name: &str) -> String {
    let name = name.replace('-', "Dash").replace('_', "Underscore");
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The role the framework makes for a function: its own, or the one for all.
pub(super) fn role_of(template: &Template, function: &str) -> Option<String> {
    let own = format!("{}{SHARED_ROLE}", function.strip_suffix("LambdaFunction")?);
    if template.declares(&own) {
        return Some(own);
    }
    template.declares(SHARED_ROLE).then(|| SHARED_ROLE.to_owned())
}

/// The file, and the keys in it, that `${file(PATH):KEY}` names as a whole; nothing for a path that leads out of the project.
pub(super) fn file_reference(text: &str) -> Option<(String, Vec<&str>)> {
    let (path, rest) = text.trim().strip_prefix("${file(")?.split_once(')')?;
    let path = path.trim().trim_start_matches("./");
    let inside = !path.is_empty() && !path.contains("..") && !path.starts_with(['/', '~']) && !path.contains("${");
    let key = rest.strip_suffix('}').filter(|_| inside)?;
    let keys = match key.strip_prefix(':') {
        Some(key) => key.split('.').collect(),
        None if key.is_empty() => Vec::new(),
        None => return None,
    };
    Some((path.to_owned(), keys))
}

/// Every list of statements that another file holds, as it is named.
pub(super) fn named_statements(root: &Node) -> Vec<&str> {
    let provider = root.get("provider");
    let functions = root.get("functions").into_iter().flat_map(|functions| {
        functions.entries().iter().chain(functions.items().iter().flat_map(Node::entries)).map(|entry| &entry.value)
    });
    let holders = provider.into_iter().chain(functions);
    let lists = holders.flat_map(|holder| {
        let role = holder.get("iam").and_then(|iam| iam.get("role"));
        [role.and_then(|role| role.get("statements")), holder.get("iamRoleStatements"), holder.get("statements")]
    });
    let named = |text: &&str| file_reference(text).is_some();
    lists.flatten().filter_map(Node::text).filter(named).collect()
}

/// The files named in `functions: ${file(…)}`.
pub(super) fn included_functions(root: &Node) -> Vec<String> {
    let Some(functions) = root.get("functions") else { return Vec::new() };
    let texts = std::iter::once(functions).chain(functions.items()).filter_map(Node::text);
    let inside = |text: &str| {
        let path = text.trim().strip_prefix("${file(")?.split_once(')')?.0.trim().trim_start_matches("./");
        (!path.contains("..") && !path.starts_with('/')).then(|| path.to_owned())
    };
    texts.filter_map(inside).collect()
}
