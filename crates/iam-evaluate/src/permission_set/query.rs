//! Questions about one action: whether it is allowed, on what, and how far it reaches.

use iam_model::action::{Action, ActionPattern};
use iam_model::arn::ResourcePattern;
use iam_model::policy::{PolicyDocument, Statement};

use super::statement::{Compiled, Side};
use super::{Inclusion, Limits, PermissionSet, Possibility, Term};
use crate::budget::Budget;
use crate::glob::Glob;

/// Resources an action is granted on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// A pattern of a granting statement; `*` for one that names what it does not grant.
    pub resource: ResourcePattern,
    /// Patterns left out: by `NotResource`, or by a deny without conditions.
    pub except: Vec<ResourcePattern>,
    /// Whether a condition must hold.
    pub conditional: bool,
}

impl PermissionSet {
    /// Whether the action is allowed on any resource: always on some resource, only under conditions, or never.
    #[must_use]
    pub fn allows_action(&self, action: &Action) -> Possibility {
        self.allows_action_within(action, Limits::default())
    }

    /// The same within limits.
    #[must_use]
    pub fn allows_action_within(&self, action: &Action, limits: Limits<'_>) -> Possibility {
        let everything = ResourcePattern::everything();
        let asked = Self::of_document(&question(action, &everything));
        match self.intersection(&asked).included_in(&Self::nothing(), limits) {
            Inclusion::Included(_) => Possibility::No,
            Inclusion::Undecided(_) => Possibility::Unknown,
            Inclusion::Excluded(_) if self.strictly(action, limits) => Possibility::Yes,
            Inclusion::Excluded(_) => Possibility::Conditional,
        }
    }

    /// Whether some resource remains when every condition of an allow fails and every condition of a deny holds.
    fn strictly(&self, action: &Action, limits: Limits<'_>) -> bool {
        let asked = Self::of_document(&question(action, &ResourcePattern::everything()));
        let strict = self.without_conditions();
        matches!(strict.intersection(&asked).included_in(&Self::nothing(), limits), Inclusion::Excluded(_))
    }

    fn without_conditions(&self) -> Self {
        let mut strict = self.clone();
        for term in &mut strict.terms {
            for (list, inside) in [(&mut term.all, true), (&mut term.none, false)] {
                for policy in list {
                    let mut own = (**policy).clone();
                    let (kept, widened) =
                        if inside { (&mut own.allows, &mut own.denies) } else { (&mut own.denies, &mut own.allows) };
                    kept.retain(|s| s.atoms.is_empty());
                    widened.iter_mut().for_each(|s| s.atoms.clear());
                    *policy = own.into();
                }
            }
        }
        strict
    }

    /// Whether the action is allowed on all of a pattern, by everyone and under all circumstances (`Yes`), or only in
    /// part or under conditions (`Conditional`).
    #[must_use]
    pub fn allows(&self, action: &Action, resource: &ResourcePattern) -> Possibility {
        self.allows_within(action, resource, Limits::default())
    }

    /// The same within limits.
    #[must_use]
    pub fn allows_within(&self, action: &Action, resource: &ResourcePattern, limits: Limits<'_>) -> Possibility {
        if let Some(told) = limits.spend(|budget| self.told_by_matching(action, resource, budget)) {
            return told;
        }
        let asked = Self::of_document(&question(action, resource));
        match asked.included_in(self, limits) {
            Inclusion::Included(_) => return Possibility::Yes,
            Inclusion::Undecided(_) => return Possibility::Unknown,
            Inclusion::Excluded(_) => {}
        }
        match self.intersection(&asked).included_in(&Self::nothing(), limits) {
            Inclusion::Included(_) => Possibility::No,
            Inclusion::Excluded(_) => Possibility::Conditional,
            Inclusion::Undecided(_) => Possibility::Unknown,
        }
    }

    /// The answer about one resource, where matching its name with every pattern of one policy tells it.
    pub(super) fn told_by_matching(
        &self,
        action: &Action,
        resource: &ResourcePattern,
        budget: &Budget,
    ) -> Option<Possibility> {
        let [Term { all, none }] = self.terms.as_slice() else { return None };
        let (true, [policy]) = (none.is_empty(), all.as_slice()) else { return None };
        let name = resource.as_str();
        if !is_one_name(name) || !action.as_str().split_once(':').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()) {
            return None;
        }
        let says = |statement: &Compiled| says(statement, [action.as_str(), name], budget);
        if policy.denies.iter().any(|deny| says(deny) != Some(false)) {
            return None;
        }
        let mut all_no = true;
        for allow in &policy.allows {
            match says(allow) {
                Some(true) => return Some(Possibility::Yes),
                Some(false) => {}
                None => all_no = false,
            }
        }
        all_no.then_some(Possibility::No)
    }

    /// The resource patterns the action is granted on, as the statements write them.
    ///
    /// Meant for people and for scoping: limits by other policies of an intersection are not worked in.
    #[must_use]
    pub fn resources_for(&self, action: &Action) -> Vec<Reach> {
        let mut found = Vec::new();
        for term in &self.terms {
            for policy in &term.all {
                let denies = |s: &&Compiled| s.atoms.is_empty() && speaks_of(s, action);
                let denied: Vec<Glob> = policy
                    .denies
                    .iter()
                    .filter(denies)
                    .filter_map(|s| s.sides.get(1).filter(|r| !r.negated))
                    .flat_map(|r| r.globs.clone())
                    .collect();
                for allow in policy.allows.iter().filter(|s| speaks_of(s, action)) {
                    reach(allow, &denied, &mut found);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Whether a resource pattern stands for one ARN, and that is one there can be.
fn is_one_name(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn, partition, service, _, _, resource) = (next(), next(), next(), next(), next(), next());
    let named = arn == "arn" && ![partition, service, resource].contains(&"");
    named && !text.contains(['*', '?']) && !text.contains("${")
}

/// Whether a statement matches an action and a resource whoever asks and under all circumstances; nothing where that
/// hangs on more than the two texts.
fn says(statement: &Compiled, texts: [&str; 2], budget: &Budget) -> Option<bool> {
    let [action, resource, principal] = &statement.sides;
    let mut sure = statement.atoms.is_empty() && !statement.doubtful && *principal == Side::everything();
    for (side, text) in [action, resource].into_iter().zip(texts) {
        if !budget.spend(side.globs.len()) {
            return None;
        }
        let mut hit = false;
        for glob in &side.globs {
            if glob.has_variable() {
                sure = false;
            } else if glob.matches_within(text, budget)? {
                hit = true;
                break;
            }
        }
        let open = !hit && side.globs.iter().any(Glob::has_variable);
        if !open && hit == side.negated {
            return Some(false);
        }
    }
    sure.then_some(true)
}

fn speaks_of(statement: &Compiled, action: &Action) -> bool {
    statement.sides.first().is_some_and(|side| side.matches(action.as_str()))
}

fn reach(allow: &Compiled, denied: &[Glob], found: &mut Vec<Reach>) {
    let Some(side) = allow.sides.get(1) else { return };
    let pattern = |glob: &Glob| ResourcePattern::new(&glob.to_string());
    let conditional = !allow.atoms.is_empty() || allow.doubtful;
    if side.negated {
        let except = side.globs.iter().chain(denied).map(pattern).collect();
        found.push(Reach { resource: ResourcePattern::everything(), except, conditional });
        return;
    }
    for glob in side.globs.iter().filter(|g| !denied.iter().any(|d| d.includes(g))) {
        let except = denied.iter().filter(|d| !d.disjoint(glob)).map(pattern).collect();
        found.push(Reach { resource: pattern(glob), except, conditional });
    }
}

fn question(action: &Action, resource: &ResourcePattern) -> PolicyDocument {
    PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::from(action)], vec![resource.clone()])])
}
