//! Documents whose statements stand in several places: local values, `concat`, `source_policy_documents`.
//!
//! The statements are brought together under one node, each with its place, so that planning sees one document; what
//! was planned is given back to the blocks it belongs to. Resolves no conditions and no loops.

use super::find::named;
use super::mention::mentions;
use super::parse::EXPRESSION;
use super::policies::{self, Site, Writing, walked};
use super::project::{At, Terraform};
use crate::intrinsic::CONCAT;
use crate::op::Op;
use crate::tree::{Kind, Node, Path};
use iam_model::text::Span;

/// Levels of documents that name documents.
const DEPTH: usize = 8;

/// A statement with its place.
#[derive(Clone)]
struct Source<'t> {
    at: At,
    place: Path,
    node: &'t Node,
}

/// A document made of statements from several places.
pub(super) struct Gathered {
    /// The blocks, in the order of their numbers in `root`.
    blocks: Vec<At>,
    /// The bodies of all blocks as one list.
    pub(super) root: Node,
    /// Where each statement stands below `root`.
    pub(super) places: Vec<Path>,
}

/// The statements of a policy, where they do not all stand in its own document; nothing where they do, or where some
/// of them cannot be told.
pub(super) fn gathered(terraform: &Terraform, site: &Site) -> Option<Gathered> {
    if !matches!(site.writing, Writing::Jsonencode | Writing::DataDocument) {
        return None;
    }
    let node = terraform.body(site.at)?.at(&site.place)?;
    if !is_spread(node) {
        return None;
    }
    let sources = document(terraform, site.at, &site.place, node, 0)?;
    let mut blocks: Vec<At> = Vec::new();
    for source in &sources {
        if !blocks.contains(&source.at) {
            blocks.push(source.at);
        }
    }
    let items = blocks.iter().map(|at| terraform.body(*at).cloned()).collect::<Option<Vec<_>>>()?;
    let place = |source: &Source<'_>| {
        let number = blocks.iter().position(|at| *at == source.at)?;
        Some(source.place.steps().iter().fold(Path::default().child(number), |path, step| path.child(*step)))
    };
    let places = sources.iter().map(place).collect::<Option<Vec<_>>>()?;
    let kind = Kind::Seq { items, dashes: Vec::new(), flow: true };
    Some(Gathered { blocks, root: Node { span: Span::default(), tag: None, anchored: false, kind }, places })
}

impl Gathered {
    /// The statements with their places below `root`.
    pub(super) fn statements(&self) -> Vec<crate::compare::SourceStatement<'_>> {
        let statement = |place: &Path| {
            let node = self.root.at(place)?;
            Some(crate::compare::SourceStatement::new(node, place.clone()))
        };
        self.places.iter().filter_map(statement).collect()
    }

    /// Operations below `root` as operations on the blocks.
    pub(super) fn back(&self, ops: Vec<Op>) -> Option<Vec<(At, Op)>> {
        let one = |op: Op| {
            let (number, rest) = op.place().steps().split_first()?;
            let at = *self.blocks.get(*number)?;
            let below = rest.iter().fold(Path::default(), |path, step| path.child(*step));
            Some((at, op.moved(below)))
        };
        ops.into_iter().map(one).collect()
    }

    /// Where each statement stands.
    pub(super) fn spots(&self) -> Vec<(At, Path)> {
        let one = |place: &Path| {
            let (number, rest) = place.steps().split_first()?;
            let below = rest.iter().fold(Path::default(), |path, step| path.child(*step));
            Some((*self.blocks.get(*number)?, below))
        };
        self.places.iter().filter_map(one).collect()
    }

    /// What a person should know: other policies that say what these places say.
    pub(super) fn reviews(&self, terraform: &Terraform, site: &Site) -> Vec<String> {
        let mut reviews = Vec::new();
        let module = terraform.module_of(site.at);
        for (at, place) in self.blocks.iter().zip(self.first_steps()) {
            let Some(block) = terraform.block(*at).filter(|_| *at != site.at) else { continue };
            let names = match block.kind() {
                "locals" => place
                    .iter()
                    .filter_map(|step| terraform.body(*at)?.entries().get(*step))
                    .map(|entry| format!("local.{}", entry.name()))
                    .collect(),
                _ => vec![policies::address(block)],
            };
            for name in names {
                let users: Vec<String> = users_of(terraform, module, &name);
                if users.len() > 1 {
                    reviews.push(format!("`{name}` is used by {}: {}", users.len(), users.join(", ")));
                }
            }
        }
        reviews
    }

    /// For each block, the entries of it that hold statements.
    fn first_steps(&self) -> Vec<Vec<usize>> {
        let of = |number: usize| {
            let own = self.places.iter().filter(|place| place.steps().first() == Some(&number));
            let mut steps: Vec<usize> = own.filter_map(|place| place.steps().get(1).copied()).collect();
            steps.dedup();
            steps
        };
        (0..self.blocks.len()).map(of).collect()
    }
}

/// The blocks that speak of a name; of `locals`, each local value.
fn users_of(terraform: &Terraform, module: usize, name: &str) -> Vec<String> {
    let mut users = Vec::new();
    for (at, block) in terraform.blocks(module) {
        let text = terraform.files.get(at.file).map_or("", |file| file.text.as_str());
        if !mentions(block.span.slice(text), name) {
            continue;
        }
        if block.kind() != "locals" {
            if policies::address(block) != name {
                users.push(named(terraform, at));
            }
            continue;
        }
        for entry in terraform.body(at).map(Node::entries).unwrap_or_default() {
            if mentions(entry.value.span.slice(text), name) {
                users.push(format!("local.{}", entry.name()));
            }
        }
    }
    users
}

/// Whether a document takes statements from elsewhere.
fn is_spread(document: &Node) -> bool {
    let elsewhere = |node: &Node| node.tag.as_deref() == Some(CONCAT) || node.tag.as_deref() == Some(EXPRESSION);
    let documents = |name: &str| matches!(name, "source_policy_documents" | "override_policy_documents");
    document.entries().iter().any(|entry| documents(entry.name()))
        || document.get("Statement").is_some_and(|node| elsewhere(node) || node.items().iter().any(elsewhere))
}

fn document<'t>(
    terraform: &'t Terraform,
    at: At,
    place: &Path,
    node: &'t Node,
    depth: usize,
) -> Option<Vec<Source<'t>>> {
    if depth > DEPTH {
        return None;
    }
    let mut found = Vec::new();
    let others = |name: &str| -> Option<Vec<Vec<Source<'t>>>> {
        let Some((index, list)) = node.find(name) else { return Some(Vec::new()) };
        if !list.is_seq() || list.tag.is_some() {
            return None;
        }
        let place = place.child(index);
        let item = |(number, item): (usize, &'t Node)| named_document(terraform, at, &place.child(number), item, depth);
        list.items().iter().enumerate().map(item).collect()
    };
    found.extend(others("source_policy_documents")?.into_iter().flatten());
    if let Some((index, list)) = node.find("Statement") {
        found.extend(statements(terraform, at, &place.child(index), list, depth)?);
    }
    for overriding in others("override_policy_documents")?.into_iter().flatten() {
        let sid = overriding.node.get("Sid").map(|node| node.text());
        match sid {
            Some(Some(sid)) => found.retain(|source| source.node.get("Sid").and_then(Node::text) != Some(sid)),
            Some(None) => return None,
            None => {}
        }
        found.push(overriding);
    }
    let made = |name: &str| name.starts_with("dynamic ") || matches!(name, "source_json" | "override_json");
    (!node.entries().iter().any(|entry| made(entry.name()))).then_some(found)
}

/// The statements of a document that another names.
fn named_document<'t>(
    terraform: &'t Terraform,
    at: At,
    place: &Path,
    node: &'t Node,
    depth: usize,
) -> Option<Vec<Source<'t>>> {
    let (writing, target, place) = policies::resolve(terraform, at, node, place);
    let same = terraform.module_of(target) == terraform.module_of(at);
    if !same || !matches!(writing, Writing::Jsonencode | Writing::DataDocument) {
        return None;
    }
    let body = terraform.body(target)?;
    policies::multiplied(body).is_none().then_some(())?;
    document(terraform, target, &place, body.at(&place)?, depth + 1)
}

fn statements<'t>(
    terraform: &'t Terraform,
    at: At,
    place: &Path,
    node: &'t Node,
    depth: usize,
) -> Option<Vec<Source<'t>>> {
    if depth > DEPTH {
        return None;
    }
    match (node.tag.as_deref(), &node.kind) {
        (None, Kind::Map { .. }) => Some(vec![Source { at, place: place.clone(), node }]),
        (None | Some(CONCAT), Kind::Seq { items, .. }) => {
            let item =
                |(number, item): (usize, &'t Node)| statements(terraform, at, &place.child(number), item, depth + 1);
            items.iter().enumerate().map(item).collect::<Option<Vec<_>>>().map(|found| found.concat())
        }
        (Some(EXPRESSION), Kind::Scalar { text, .. }) => {
            let (at, place, node) = walked(terraform, terraform.module_of(at), text)?;
            statements(terraform, at, &place, node, depth + 1)
        }
        _ => None,
    }
}
