//! Making statements one that differ in one list alone, and leaving out what another covers.
//!
//! Shapes are compared, and only as hints: that the result says the same is proved by whoever calls.

use iam_evaluate::budget::{ALL, Budget, QUESTION};
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, PrintStyle, ResourceElement, Statement, print};
use iam_model::text::Spanned;

use super::{ControlOrigin, Part, Version};

/// What is gone, with what covers it.
pub(super) type Dropped = Vec<(ControlOrigin, Vec<ControlOrigin>)>;

/// Beyond as many statements they are not compared pair by pair.
const MOST_COMPARED: usize = 400;

pub(super) fn merged(parts: Vec<Part>) -> (Vec<Part>, Dropped) {
    let (mut parts, mut dropped) = distinct(parts);
    if parts.len() <= MOST_COMPARED {
        merge_all(&mut parts);
    }
    parts.iter_mut().for_each(|part| shorten(&mut part.statement));
    if parts.len() <= MOST_COMPARED {
        covered(&mut parts, &mut dropped);
    }
    (parts, dropped)
}

/// A statement as text, without its id.
fn key(part: &Part) -> String {
    let statement = Statement { sid: None, ..part.statement.clone() };
    let version = match part.version {
        Version::Either => "",
        Version::Of(version) => version.as_str(),
    };
    format!("{version}{}", print(&PolicyDocument::new(vec![statement]), PrintStyle::Compact))
}

/// Statements that say the same stand once.
fn distinct(parts: Vec<Part>) -> (Vec<Part>, Dropped) {
    let mut kept: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    let (mut out, mut dropped): (Vec<Part>, Dropped) = (Vec::new(), Vec::new());
    for part in parts {
        let key = key(&part);
        match kept.get(&key).and_then(|at| out.get(*at)) {
            Some(first) => dropped.extend(part.origins.iter().map(|gone| (*gone, first.origins.clone()))),
            None => {
                kept.insert(key, out.len());
                out.push(part);
            }
        }
    }
    (out, dropped)
}

/// Merges statements that differ in one list alone, until no two do.
fn merge_all(parts: &mut Vec<Part>) {
    let mut shapes: Vec<Shape> = parts.iter().map(Shape::of).collect();
    let mut first = 0;
    while first < parts.len() {
        let second = (first + 1..parts.len()).find(|second| {
            shapes.get(first).zip(shapes.get(*second)).is_some_and(|(left, right)| left.differs_in_one_list(right))
        });
        let merged = second.and_then(|second| {
            let (left, right) = (parts.get(first)?, parts.get(second)?);
            let statement = together(&left.statement, &right.statement, shapes.get(first)?, shapes.get(second)?)?;
            let origins = left.origins.iter().chain(&right.origins).copied().collect();
            Some((second, Part { statement, version: left.version, origins }))
        });
        match merged {
            Some((second, part)) => {
                if let (Some(shape), Some(slot)) = (shapes.get_mut(first), parts.get_mut(first)) {
                    *shape = Shape::of(&part);
                    *slot = part;
                }
                parts.remove(second);
                shapes.remove(second);
                // What is one now may fit to what was passed over.
                first = 0;
            }
            None => first += 1,
        }
    }
}

/// The elements of a statement as texts, lists in order, so that they compare whatever the order they were written in.
struct Shape {
    frame: String,
    action: String,
    resource: String,
    /// `Action`, not `NotAction`; `Resource`, not `NotResource`: lists that add up.
    adds_up: (bool, bool),
}

impl Shape {
    fn of(part: &Part) -> Self {
        let Part { statement, version, .. } = part;
        let frame = only(statement, |from, to| {
            to.effect = from.effect;
            to.principal.clone_from(&from.principal);
            to.conditions.clone_from(&from.conditions);
            to.conditions.sort_by(|x, y| (&x.operator, x.key.as_str()).cmp(&(&y.operator, y.key.as_str())));
            for condition in &mut to.conditions {
                condition.values.sort_by(|x, y| x.value.cmp(&y.value));
            }
        });
        let version = match version {
            Version::Either => "",
            Version::Of(version) => version.as_str(),
        };
        let action = only(statement, |from, to| {
            to.action.clone_from(&from.action);
            let (ActionElement::Action(list) | ActionElement::NotAction(list)) = &mut to.action;
            list.sort_by_key(|pattern| pattern.value.as_str().to_ascii_lowercase());
        });
        let resource = only(statement, |from, to| {
            to.resource.clone_from(&from.resource);
            if let ResourceElement::Resource(list) | ResourceElement::NotResource(list) = &mut to.resource {
                list.sort_by(|x, y| x.value.as_str().cmp(y.value.as_str()));
            }
        });
        let adds_up = (
            matches!(statement.action, ActionElement::Action(_)),
            matches!(statement.resource, ResourceElement::Resource(_)),
        );
        Self { frame: format!("{version}{frame}"), action, resource, adds_up }
    }

    fn differs_in_one_list(&self, other: &Self) -> bool {
        self.frame == other.frame && (self.in_actions(other) || self.in_resources(other))
    }

    fn in_actions(&self, other: &Self) -> bool {
        self.resource == other.resource && self.adds_up.0 && other.adds_up.0
    }

    fn in_resources(&self, other: &Self) -> bool {
        self.action == other.action && self.adds_up.1 && other.adds_up.1
    }
}

fn together(a: &Statement, b: &Statement, left: &Shape, right: &Shape) -> Option<Statement> {
    let mut joined = a.clone();
    match (&a.action, &b.action, &a.resource, &b.resource) {
        (ActionElement::Action(these), ActionElement::Action(those), ..) if left.in_actions(right) => {
            joined.action = ActionElement::Action(union(these, those, |p| p.as_str().to_ascii_lowercase()));
        }
        (_, _, ResourceElement::Resource(these), ResourceElement::Resource(those)) if left.in_resources(right) => {
            joined.resource = ResourceElement::Resource(union(these, those, |p| p.as_str().to_owned()));
        }
        _ => return None,
    }
    Some(joined)
}

/// A statement of which only some elements are left, as text.
fn only(statement: &Statement, keep: impl Fn(&Statement, &mut Statement)) -> String {
    let mut frame = Statement::allow(Vec::new(), Vec::new());
    keep(statement, &mut frame);
    print(&PolicyDocument::new(vec![frame]), PrintStyle::Compact)
}

fn union<T: Clone>(these: &[Spanned<T>], those: &[Spanned<T>], key: impl Fn(&T) -> String) -> Vec<Spanned<T>> {
    let mut all = these.to_vec();
    let mut known: std::collections::BTreeSet<String> = these.iter().map(|item| key(&item.value)).collect();
    all.extend(those.iter().filter(|item| known.insert(key(&item.value))).cloned());
    all
}

/// Leaves out patterns that another of the same list includes; of `Not…` lists too, where they leave nothing else out.
fn shorten(statement: &mut Statement) {
    use iam_evaluate::glob::{Glob, Reading};
    let (ActionElement::Action(actions) | ActionElement::NotAction(actions)) = &mut statement.action;
    let globs: Vec<Glob> = actions.iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION)).collect();
    let budget = Budget::new(QUESTION / 10);
    let includes = |wide: &Glob, narrow: &Glob| wide.includes_within(narrow, &budget);
    let wider = |at: usize| {
        let Some(own) = globs.get(at) else { return false };
        let is_wider = |(other, wide): (usize, &Glob)| {
            other != at && includes(wide, own) && (other < at || !includes(own, wide) && !budget.is_spent())
        };
        budget.spend(globs.len()) && globs.iter().enumerate().any(is_wider)
    };
    let mut index = 0;
    actions.retain(|_| {
        index += 1;
        !wider(index - 1)
    });
}

/// Leaves out statements that one other covers.
fn covered(parts: &mut Vec<Part>, dropped: &mut Dropped) {
    let budget = Budget::new(ALL);
    let mut at = 0;
    while at < parts.len() {
        let found = parts.get(at).and_then(|part| {
            let by = parts.iter().enumerate().find(|(other, wide)| *other != at && covers(wide, part, &budget));
            by.map(|(_, wide)| (part.origins.clone(), wide.origins.clone()))
        });
        match found {
            Some((gone, by)) => {
                // What was covered by a statement that is gone itself is covered by what covers that one.
                for (_, covers) in
                    dropped.iter_mut().filter(|(_, covers)| covers.iter().any(|origin| gone.contains(origin)))
                {
                    covers.extend(&by);
                }
                dropped.extend(gone.into_iter().map(|origin| (origin, by.clone())));
                parts.remove(at);
            }
            None => at += 1,
        }
    }
}

fn covers(wide: &Part, part: &Part, budget: &Budget) -> bool {
    let (a, b) = (&wide.statement, &part.statement);
    let possible = a.effect == b.effect && wide.version == part.version && a.conditions.len() <= b.conditions.len();
    let set = |statement: &Statement| {
        let allowing = Statement { effect: Effect::Allow, ..statement.clone() };
        let mut document = PolicyDocument::new(vec![allowing]);
        if let Version::Of(version) = wide.version {
            document.version = Some(version);
        }
        PermissionSet::of_document(&document)
    };
    possible && matches!(set(b).included_in(&set(a), Limits::small(budget)), Inclusion::Included(_))
}
