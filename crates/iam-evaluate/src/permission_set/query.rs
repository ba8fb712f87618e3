//! Questions about one action: whether it is allowed, on what, and how far it reaches.

use iam_model::action::{Action, ActionPattern};
use iam_model::arn::ResourcePattern;
use iam_model::policy::{PolicyDocument, Statement};

use super::statement::Compiled;
use super::{Inclusion, Limits, PermissionSet, Possibility};
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
        let everything = ResourcePattern::everything();
        let asked = Self::of_document(&question(action, &everything));
        match self.intersection(&asked).included_in(&Self::nothing(), Limits::default()) {
            Inclusion::Included(_) => Possibility::No,
            Inclusion::Undecided(_) => Possibility::Unknown,
            Inclusion::Excluded(_) if self.strictly(action) => Possibility::Yes,
            Inclusion::Excluded(_) => Possibility::Conditional,
        }
    }

    /// Whether some resource remains when every condition of an allow fails and every condition of a deny holds.
    fn strictly(&self, action: &Action) -> bool {
        let asked = Self::of_document(&question(action, &ResourcePattern::everything()));
        let strict = self.without_conditions();
        matches!(strict.intersection(&asked).included_in(&Self::nothing(), Limits::default()), Inclusion::Excluded(_))
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
        let asked = Self::of_document(&question(action, resource));
        match asked.included_in(self, Limits::default()) {
            Inclusion::Included(_) => return Possibility::Yes,
            Inclusion::Undecided(_) => return Possibility::Unknown,
            Inclusion::Excluded(_) => {}
        }
        match self.intersection(&asked).included_in(&Self::nothing(), Limits::default()) {
            Inclusion::Included(_) => Possibility::No,
            Inclusion::Excluded(_) => Possibility::Conditional,
            Inclusion::Undecided(_) => Possibility::Unknown,
        }
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
