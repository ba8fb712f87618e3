//! What keeps a policy from being edited, whatever the change: shared text, keys that stand twice, variables of a framework.

use iam_model::policy::{PolicyDocument, PrintStyle, Statement};

use super::Author;
use super::matching::{Fates, fates, same};
use crate::compare::{self, Said, SourceStatement};
use crate::intrinsic;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Resolve, Value};
use crate::site::Site;
use crate::template::Template;
use crate::tree::{self, Node, Path};

/// An anchor above or in the place means other places change with it.
pub(super) fn shared(template: &Template, place: &Path) -> Result<(), Refusal> {
    let refused = || {
        Err(Refusal::new(RefusalCode::Shared, "the policy is shared through a YAML anchor or alias")
            .hint("write it out where it is used, then run again"))
    };
    if template.root.trail(place).iter().any(|node| node.anchored) {
        return refused();
    }
    let mut inside = false;
    if let Some(node) = template.root.at(place) {
        node.walk(&mut |node| {
            inside |= node.anchored
                || matches!(node.kind, tree::Kind::Alias)
                || node.entries().iter().any(|entry| entry.name() == "<<");
        });
    }
    if inside { refused() } else { Ok(()) }
}

/// A key that stands twice on the way to the policy or in it: which of both counts is up to whoever reads the file.
pub(super) fn repeated(template: &Template, place: &Path) -> Result<(), Refusal> {
    let root = &template.root;
    let twice = |node: &Node, name: &str| node.entries().iter().filter(|entry| entry.name() == name).count() > 1;
    let steps = root.trail(place).into_iter().zip(place.steps());
    let above = steps.filter_map(|(node, step)| Some((node, node.entries().get(*step)?)));
    let above = above.filter(|(node, entry)| twice(node, entry.name())).map(|(_, entry)| entry).next();
    let Some(entry) = above.or_else(|| root.at(place).and_then(repeated_below)) else { return Ok(()) };
    Err(twice_refused(entry).at(crate::locate::place(template, entry.key.span)))
}

/// The first key in a value that its mapping has before.
pub(crate) fn repeated_below(node: &Node) -> Option<&tree::Entry> {
    let mut found = None;
    node.walk(&mut |node| {
        let mut seen = std::collections::BTreeSet::new();
        let repeated = node.entries().iter().find(|entry| !seen.insert(entry.name()));
        found = found.or(repeated);
    });
    found
}

pub(crate) fn twice_refused(entry: &tree::Entry) -> Refusal {
    Refusal::new(RefusalCode::Ambiguous, format!("the key `{}` stands twice", entry.name()))
        .hint("delete the one that does not count, then run again")
}

/// A policy variable that is new: the Serverless Framework takes every `${…}` for one of its own.
pub(super) fn framework_variables(
    author: &Author<'_>,
    site: &Site<'_>,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<(), Refusal> {
    let print = |document: &PolicyDocument| iam_model::policy::print(document, PrintStyle::Compact);
    let old = before.map(print).unwrap_or_default();
    let new = print(after);
    let mut names = intrinsic::sub_pieces(&new).into_iter().filter_map(Result::err);
    let Some(name) = names.find(|name| !old.contains(&format!("${{{name}}}"))) else { return Ok(()) };
    let message = format!("the Serverless Framework would take the policy variable `${{{name}}}` for one of its own");
    Err(Refusal::new(RefusalCode::Unsupported, message)
        .hint("write the statement into `resources` of the file, where `Fn::Sub` with `${!…}` keeps it from the framework")
        .at(author.language.place(site.node.span)))
}

/// A statement that changes is certainly the deployed one.
pub(super) fn told_apart(
    author: &Author<'_>,
    source: &[SourceStatement<'_>],
    pairs: &[Option<usize>],
    (before, after): (&PolicyDocument, &PolicyDocument),
    fates: &Fates,
) -> Result<(), Refusal> {
    let changes = |at: usize| {
        let fate = fates.kept.get(at).copied().flatten().and_then(|index| after.statements.get(index));
        !fate.zip(before.statements.get(at)).is_some_and(|(new, old)| same(old, new))
    };
    let found = compare::ambiguous(author.language, source, pairs, &before.statements, &changes);
    let Some(statement) = found else { return Ok(()) };
    let message = "which of several statements stands for the deployed one that changes cannot be told";
    Err(Refusal::new(RefusalCode::Ambiguous, message)
        .hint("give the statements a `Sid` each and deploy, or edit by hand; the change is printed with this refusal")
        .at(author.language.place(statement.node.span)))
}

/// Whether a source that explains `after` could as well mean what the change takes away.
pub(super) fn may_say_more(
    resolver: &dyn Resolve,
    source: &[SourceStatement<'_>],
    pairs: &[Option<usize>],
    before: &PolicyDocument,
    after: &PolicyDocument,
) -> bool {
    let kept = fates(&before.statements, &after.statements).kept;
    let lower = |text: &str| text.to_ascii_lowercase();
    let lists = |statement: &Statement| {
        let actions = statement.action.patterns().iter().map(|p| lower(p.value.as_str())).collect::<Vec<_>>();
        let resources = statement.resource.patterns().iter().map(|p| p.value.as_str().to_owned()).collect::<Vec<_>>();
        (actions, resources)
    };
    source.iter().zip(pairs).any(|(statement, pair)| {
        let old = kept.iter().position(|new| pair.is_some() && new == pair).and_then(|at| before.statements.get(at));
        let new = pair.and_then(|at| after.statements.get(at));
        let (Some(old), Some(new), Value::Map(entries)) = (old, new, resolver.value(statement.node)) else {
            return false;
        };
        let ((old_actions, old_resources), (actions, resources)) = (lists(old), lists(new));
        let means = |keys: [&str; 2], old: &[String], new: &[String], map: &dyn Fn(&str) -> String| {
            let said = entries.iter().filter(|(key, _)| keys.contains(&key.as_str()));
            let said: Vec<Said> = said.flat_map(|(_, value)| compare::texts(value, map)).collect();
            let gone = |text: &&String| !new.contains(text);
            old.iter()
                .filter(gone)
                .any(|gone| said.iter().flat_map(|s| s.texts.iter().flatten()).any(|t| t.explains(gone)))
        };
        means(["Action", "NotAction"], &old_actions, &actions, &lower)
            || means(["Resource", "NotResource"], &old_resources, &resources, &str::to_owned)
    })
}
