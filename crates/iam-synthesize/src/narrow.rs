//! Narrowing one statement to the needs it serves, in its own words where they can stay.
//!
//! Everything written here is inside the old statement: its conditions stay, an action is one it allowed, a resource
//! is a name seen, or, where that is not provably inside, the old statement's own pattern.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use iam_evaluate::glob::{Glob, Reading};
use iam_evaluate::permission_set::{PermissionSet, Possibility};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::ResourcePattern;
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, PolicyVersion, ResourceElement, Statement};
use iam_model::text::{Span, Spanned};

use crate::bounds::Bounds;
use crate::fold::{FoldRule, fold};
use crate::naming;
use crate::needs::Bound;

/// An allow statement that may be narrowed, with what it lets through where its conditions hold.
pub(crate) struct Candidate<'a> {
    pub(crate) statement: &'a Statement,
    version: Option<PolicyVersion>,
    actions: Vec<Glob>,
    allowed: PermissionSet,
}

/// How much of a resource pattern a statement lets through, where its conditions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cover {
    /// All of it.
    Whole,
    /// Some of it, or it hangs on a policy variable.
    Part,
    /// Nothing.
    Nothing,
}

/// A need as one statement serves it.
#[derive(Clone)]
pub(crate) struct Served {
    /// The action to write.
    pub(crate) action: Action,
    /// The resources to write; nothing keeps the old ones.
    pub(crate) resources: Option<Vec<ResourcePattern>>,
    /// Which of them stand for more than was seen, and why.
    pub(crate) folds: Vec<(ResourcePattern, FoldRule)>,
    /// A condition to write beside those of the old statement.
    pub(crate) bound: Option<Bound>,
    /// Index of the need.
    pub(crate) need: usize,
}

impl Served {
    /// A need served on all the resources the statement has now.
    pub(crate) const fn as_granted(action: Action, need: usize) -> Self {
        Self { action, resources: None, folds: Vec::new(), bound: None, need }
    }
}

/// An allow statement, and the needs given to it.
pub(crate) struct Slot<'a> {
    /// Index of its policy.
    pub(crate) policy: usize,
    /// Index in the policy.
    pub(crate) statement: usize,
    /// Whether its policy may be changed.
    pub(crate) editable: bool,
    pub(crate) candidate: Candidate<'a>,
    pub(crate) served: Vec<Served>,
    /// Wildcards that stay as they are written, on all the statement's resources, each with why.
    pub(crate) kept: Vec<(ActionPattern, String)>,
}

/// Resources to write, the old ones for nothing, and which of them stand for more than was seen.
pub(crate) type Written = (Option<Vec<ResourcePattern>>, Vec<(ResourcePattern, FoldRule)>);

/// A statement of a proposal and the needs behind it.
pub(crate) struct Narrowed {
    pub(crate) statement: Statement,
    pub(crate) needs: Vec<usize>,
    /// Patterns of the statement that stand for more than was seen, and why.
    pub(crate) folds: BTreeMap<ResourcePattern, FoldRule>,
    /// Wildcards that stay, and why.
    pub(crate) kept: Vec<(ActionPattern, String)>,
}

impl<'a> Candidate<'a> {
    /// The statement, if it is an allow statement that was understood whole.
    pub(crate) fn new(document: &PolicyDocument, statement: &'a Statement) -> Option<Self> {
        if statement.effect != Effect::Allow || !statement.unknown.is_empty() {
            return None;
        }
        let actions =
            statement.action.patterns().iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION)).collect();
        let allowed = unconditional(document.version, statement.clone());
        Some(Self { statement, version: document.version, actions, allowed })
    }

    /// The version of its document.
    pub(crate) const fn version(&self) -> Option<PolicyVersion> {
        self.version
    }

    /// How much of a resource pattern the statement lets through.
    pub(crate) fn cover(&self, action: &Action, resource: &ResourcePattern) -> Cover {
        if !self.allows_action(action) {
            return Cover::Nothing;
        }
        match self.allowed.allows(action, resource) {
            Possibility::Yes => Cover::Whole,
            Possibility::No => Cover::Nothing,
            // An action without a resource is granted by `*` only: a part of every resource is no part of none.
            Possibility::Conditional | Possibility::Unknown if resource.is_everything() => Cover::Nothing,
            Possibility::Conditional | Possibility::Unknown => Cover::Part,
        }
    }

    /// Whether the statement lets an action through on any resource.
    pub(crate) fn allows_action(&self, action: &Action) -> bool {
        let listed = self.actions.iter().any(|glob| glob.matches(action.as_str()));
        listed == matches!(self.statement.action, ActionElement::Action(_))
    }

    /// Whether a bare `*` lets every action through.
    pub(crate) fn allows_every_action(&self) -> bool {
        matches!(&self.statement.action, ActionElement::Action(all) if all.iter().any(|p| p.value.as_str() == "*"))
    }

    /// Whether the statement may let any action of a service through.
    pub(crate) fn may_speak_of(&self, service: &str) -> bool {
        let ActionElement::Action(patterns) = &self.statement.action else { return true };
        patterns.iter().any(|pattern| match pattern.value.as_str().split_once(':') {
            Some((own, _)) => own.contains(['*', '?']) || own.eq_ignore_ascii_case(service),
            None => true,
        })
    }

    /// How narrow the statement is; smaller is narrower. Ties are broken by the order of policies.
    pub(crate) fn breadth(&self, action: &Action) -> (bool, bool, usize) {
        let named = self.names(action);
        let everything = self.statement.resource.patterns().iter().any(|p| p.value.is_everything());
        let wide_resource = everything || matches!(self.statement.resource, ResourceElement::NotResource(_));
        (!named, wide_resource, self.statement.action.patterns().len())
    }

    /// Whether the statement names the action without a wildcard.
    pub(crate) fn names(&self, action: &Action) -> bool {
        self.named().any(|pattern| pattern.as_str().eq_ignore_ascii_case(action.as_str()))
    }

    /// The actions the statement names without a wildcard.
    pub(crate) fn named(&self) -> impl Iterator<Item = &ActionPattern> {
        let patterns = match &self.statement.action {
            ActionElement::Action(patterns) => patterns.as_slice(),
            ActionElement::NotAction(_) => &[],
        };
        patterns.iter().map(|p| &p.value).filter(|p| !p.has_wildcard())
    }

    /// Services that the statement names, and whose actions it gives by a wildcard.
    pub(crate) fn wild_services(&self) -> impl Iterator<Item = &str> {
        let patterns = match &self.statement.action {
            ActionElement::Action(patterns) => patterns.as_slice(),
            ActionElement::NotAction(_) => &[],
        };
        let wild = patterns.iter().filter(|pattern| pattern.value.has_wildcard());
        let service = wild.filter_map(|pattern| Some(pattern.value.as_str().split_once(':')?.0));
        service.filter(|service| !service.contains(['*', '?']))
    }

    /// Whether the statement has a condition of a key.
    pub(crate) fn has_condition(&self, key: &ConditionKey) -> bool {
        self.statement.conditions.iter().any(|condition| condition.key == *key)
    }

    /// The part of the seen resources this statement grants, written as narrowly as its own words allow.
    ///
    /// Nothing where the statement lets none of them through.
    pub(crate) fn resources_for(
        &self,
        action: &Action,
        seen: &[ResourcePattern],
        bounds: &Bounds<'_>,
    ) -> Option<Written> {
        let mine: Vec<_> = seen.iter().filter(|r| self.cover(action, r) != Cover::Nothing).cloned().collect();
        if mine.is_empty() {
            return None;
        }
        let mut written = Vec::new();
        let mut folds = Vec::new();
        for folded in fold(&mine, &|pattern| bounds.forbid(action, pattern, &mine)) {
            let crowded = bounds.is_crowded(action, &folded.pattern);
            let too_wide = crowded && bounds.forbid(action, &folded.pattern, &mine);
            if self.cover(action, &folded.pattern) == Cover::Whole && !too_wide && self.can_say(&folded.pattern) {
                let rule = folded.rule.or(crowded.then_some(FoldRule::TooManyNames));
                folds.extend(rule.map(|rule| (folded.pattern.clone(), rule)));
                written.push(folded.pattern);
            } else {
                let Some(own) = self.own_patterns(action, &within(&folded.pattern, &mine)) else {
                    return Some((None, Vec::new()));
                };
                let rule = if too_wide { FoldRule::TooManyNames } else { FoldRule::GrantedPattern };
                let unseen = own.iter().filter(|pattern| !mine.contains(pattern));
                folds.extend(unseen.map(|pattern| (pattern.clone(), rule)));
                written.extend(own);
            }
        }
        written.sort();
        written.dedup();
        folds.sort();
        folds.dedup();
        Some((Some(written), folds))
    }

    /// Whether a pattern means the same in the statement's document: before 2012 there is no `${…}`, and it is text.
    fn can_say(&self, pattern: &ResourcePattern) -> bool {
        self.version == Some(PolicyVersion::V2012) || !pattern.as_str().contains("${")
    }

    /// Whether one pattern of the statement, whatever else stands there, surely lets a resource through.
    pub(crate) fn surely(&self, action: &Action, pattern: &ResourcePattern, resource: &ResourcePattern) -> bool {
        self.statement.conditions.is_empty() && self.perhaps(action, pattern, resource) == Possibility::Yes
    }

    /// What one pattern of the statement says about a resource where the conditions hold.
    pub(crate) fn perhaps(
        &self,
        action: &Action,
        pattern: &ResourcePattern,
        resource: &ResourcePattern,
    ) -> Possibility {
        if !self.allows_action(action) {
            return Possibility::No;
        }
        // Lists of thousands are not copied for each of their patterns.
        let actions = match self.statement.action.patterns().iter().all(|p| p.value.is_well_formed()) {
            true => ActionElement::Action(vec![Spanned::synthetic(ActionPattern::from(action))]),
            false => self.statement.action.clone(),
        };
        let mut one = Statement::allow(Vec::new(), vec![pattern.clone()]);
        (one.action, one.principal) = (actions, self.statement.principal.clone());
        unconditional(self.version, one).allows(action, resource)
    }

    /// The statement's own patterns that let any of `seen` through; nothing where it says what it does not let through.
    fn own_patterns(&self, action: &Action, seen: &[ResourcePattern]) -> Option<Vec<ResourcePattern>> {
        let ResourceElement::Resource(patterns) = &self.statement.resource else { return None };
        let lets_through = |pattern: &ResourcePattern| {
            seen.iter().any(|resource| self.perhaps(action, pattern, resource) != Possibility::No)
        };
        Some(patterns.iter().map(|p| p.value.clone()).filter(|p| lets_through(p)).collect())
    }
}

/// The resources a pattern stands for.
fn within(pattern: &ResourcePattern, seen: &[ResourcePattern]) -> Vec<ResourcePattern> {
    let glob = |pattern: &ResourcePattern| Glob::parse(pattern.as_str(), Reading::resource(PolicyVersion::V2012));
    let whole = glob(pattern);
    seen.iter().filter(|seen| *seen == pattern || whole.includes(&glob(seen))).cloned().collect()
}

/// What a statement lets through where its conditions hold.
fn unconditional(version: Option<PolicyVersion>, mut statement: Statement) -> PermissionSet {
    statement.conditions.clear();
    let document = PolicyDocument { version, id: None, statements: vec![statement], unknown: Vec::new() };
    PermissionSet::of_document(&document)
}

/// How often an action was called.
pub(crate) type Called<'c> = &'c dyn Fn(&Action) -> u64;

/// Writes the needs a statement serves: one statement per distinct set of resources, the old words where they stay.
///
/// Coarse, all actions keep the old resources. They stand in the order of their actions, and have names by them. The old
/// name stays with what keeps the old resources, or else with what is called most, and that comes first.
pub(crate) fn narrow(
    old: &Statement,
    served: &[Served],
    kept: &[(ActionPattern, String)],
    (coarse, called): (bool, Called<'_>),
) -> Vec<Narrowed> {
    let mut groups = group(old, served, coarse);
    if !kept.is_empty() {
        keep(&mut groups, kept);
    }
    // What has the name stands where the old statement stood.
    if let Some(first) = named(&groups, called).filter(|_| old.sid.is_some())
        && let Some(before) = groups.get_mut(..=first)
    {
        before.rotate_right(1);
    }
    let mut result: Vec<Narrowed> = Vec::new();
    for ((resources, bound), Group { actions, kept, needs, folds }) in groups {
        let mut statement = old.clone();
        if !result.is_empty() {
            statement.sid = naming::further(old, actions.first(), bound.as_ref());
        }
        statement.conditions.extend(bound.map(condition));
        statement.action = ActionElement::Action(in_old_order(old, &actions, &kept));
        if let Some(resources) = resources {
            statement.resource = ResourceElement::Resource(old_words(old, resources));
        }
        result.push(Narrowed { statement, needs, folds, kept });
    }
    result
}

/// Which group has the old statement's name.
fn named(groups: &[(Words, Group)], called: Called<'_>) -> Option<usize> {
    let rank = |((resources, bound), group): &(Words, Group)| {
        let most =
            group.actions.iter().map(|action| (naming::magnitude(called(action)), Reverse(action.clone()))).max();
        (resources.is_none(), bound.is_none(), most)
    };
    groups.iter().enumerate().max_by_key(|(at, one)| (rank(one), Reverse(*at))).map(|(at, _)| at)
}

/// Actions with the same resources.
#[derive(Default)]
struct Group {
    actions: Vec<Action>,
    kept: Vec<(ActionPattern, String)>,
    needs: Vec<usize>,
    folds: BTreeMap<ResourcePattern, FoldRule>,
}

/// Actions and the resources they are given on, all the old ones for nothing.
type OnResources = (Option<Vec<ResourcePattern>>, Group);

/// What sets statements apart: their resources, all the old ones for nothing, and the condition that is added.
type Words = (Option<Vec<ResourcePattern>>, Option<Bound>);

/// Actions by the words of their statement; actions on all the old resources come first.
fn group(old: &Statement, served: &[Served], coarse: bool) -> Vec<(Words, Group)> {
    let mut by_action: BTreeMap<(&Action, Option<&Bound>), OnResources> = BTreeMap::new();
    for part in served {
        let key = (&part.action, part.bound.as_ref());
        let entry = by_action.entry(key).or_insert_with(|| (Some(Vec::new()), Group::default()));
        entry.0 = match (entry.0.take(), &part.resources) {
            (Some(mut all), Some(more)) => {
                all.extend(more.iter().cloned());
                all.sort();
                all.dedup();
                Some(all)
            }
            _ => None,
        };
        entry.1.needs.push(part.need);
        entry.1.folds.extend(part.folds.iter().cloned());
    }
    let mut groups: BTreeMap<Words, Group> = BTreeMap::new();
    for ((action, bound), (resources, one)) in by_action {
        let resources = resources.filter(|r| !coarse && !same_set(old, r));
        let group = groups.entry((resources, bound.cloned())).or_default();
        group.actions.push(action.clone());
        group.needs.extend(one.needs);
        if !coarse {
            group.folds.extend(one.folds);
        }
    }
    let mut ordered: Vec<_> = groups.into_iter().collect();
    // By the first action: a new resource must not reorder statements that did not change.
    ordered.sort_by(|((a, bound_a), left), ((b, bound_b), right)| {
        let first = (a.is_some(), bound_a.is_some(), left.actions.first());
        first.cmp(&(b.is_some(), bound_b.is_some(), right.actions.first()))
    });
    ordered
}

/// Wildcards that rules keep stand with what is given on all the old resources, first, and in place of what they stand for.
fn keep(groups: &mut Vec<(Words, Group)>, kept: &[(ActionPattern, String)]) {
    if groups.first().is_none_or(|(words, _)| *words != (None, None)) {
        groups.insert(0, ((None, None), Group::default()));
    }
    let globs: Vec<Glob> = kept.iter().map(|(one, _)| Glob::parse(one.as_str(), Reading::ACTION)).collect();
    if let Some((_, group)) = groups.first_mut() {
        group.kept = kept.to_vec();
        group.actions.retain(|action| !globs.iter().any(|glob| glob.matches(action.as_str())));
    }
}

/// The condition of a statement that a bound stands for.
fn condition(bound: Bound) -> Condition {
    let wild = bound.values.iter().any(|value| value.contains(['*', '?']));
    let comparison = if wild { Comparison::StringLike } else { Comparison::StringEquals };
    Condition {
        operator: Operator::Known { set: None, comparison, if_exists: false },
        key: bound.key,
        values: bound.values.into_iter().map(Spanned::synthetic).collect(),
        span: Span::default(),
    }
}

fn same_set(old: &Statement, resources: &[ResourcePattern]) -> bool {
    let ResourceElement::Resource(patterns) = &old.resource else { return false };
    let mut before: Vec<_> = patterns.iter().map(|p| p.value.clone()).collect();
    before.sort();
    before.dedup();
    before == resources
}

/// Actions the old statement named, in its order and spelling; the rest after them, sorted.
fn in_old_order(old: &Statement, actions: &[Action], kept: &[(ActionPattern, String)]) -> Vec<Spanned<ActionPattern>> {
    let is_wanted = |pattern: &ActionPattern| {
        actions.iter().any(|a| a.as_str().eq_ignore_ascii_case(pattern.as_str()))
            || kept.iter().any(|(own, _)| own.as_str().eq_ignore_ascii_case(pattern.as_str()))
    };
    let mut written: Vec<Spanned<ActionPattern>> = match &old.action {
        ActionElement::Action(patterns) => patterns.iter().filter(|p| is_wanted(&p.value)).cloned().collect(),
        ActionElement::NotAction(_) => Vec::new(),
    };
    for pattern in kept.iter().map(|(own, _)| own.clone()).chain(actions.iter().map(ActionPattern::from)) {
        if !written.iter().any(|w| w.value == pattern) {
            written.push(Spanned::synthetic(pattern));
        }
    }
    written
}

/// Resources the old statement named, in its order; the rest after them, sorted.
fn old_words(old: &Statement, resources: Vec<ResourcePattern>) -> Vec<Spanned<ResourcePattern>> {
    let patterns = if let ResourceElement::Resource(patterns) = &old.resource { patterns.as_slice() } else { &[] };
    let mut written: Vec<_> = patterns.iter().filter(|p| resources.contains(&p.value)).cloned().collect();
    for resource in resources {
        if !written.iter().any(|w: &Spanned<ResourcePattern>| w.value == resource) {
            written.push(Spanned::synthetic(resource));
        }
    }
    written
}
