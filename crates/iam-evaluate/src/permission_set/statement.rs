//! One statement, compiled: three sides (action, resource, principal) and its conditions.

use iam_model::action::ActionPattern;
use iam_model::policy::Statement;
use iam_model::policy::{ActionElement, Effect, PolicyDocument, PolicyVersion, PrincipalElement, ResourceElement};
use iam_model::variable;

use super::atom::{Atom, is_short};
use super::principal;
use crate::glob::{Glob, Reading, Variable};

/// Any of some patterns, or none of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Side {
    pub(crate) globs: Vec<Glob>,
    pub(crate) negated: bool,
    /// A bit for the first letters of each pattern; all bits where one begins with fewer.
    starts: u64,
}

impl Side {
    pub(crate) fn new(globs: Vec<Glob>, negated: bool) -> Self {
        let starts = globs.iter().fold(0, |all, glob| all | glob.head().start().unwrap_or(u64::MAX));
        Self { globs, negated, starts }
    }

    pub(crate) fn everything() -> Self {
        Self::new(vec![Glob::everything()], false)
    }

    /// Whether some pattern may have its first letters in common with this one: where not, none matches what it does.
    pub(crate) fn may_start_like(&self, glob: &Glob) -> bool {
        glob.head().start().is_none_or(|start| self.starts & start != 0)
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.globs.iter().any(|g| g.matches(text)) != self.negated
    }

    /// Units for comparing it with another.
    pub(crate) fn weight(&self) -> usize {
        self.globs.iter().map(|glob| glob.tokens().len() / 4 + 1).sum()
    }

    fn bind<'v>(&self, variable: &dyn Fn(&Variable) -> Option<&'v str>) -> Self {
        Self::new(self.globs.iter().filter_map(|g| g.bind(variable)).collect(), self.negated)
    }
}

/// A compiled statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compiled {
    /// Its place among all statements of its policy.
    pub(crate) index: u32,
    /// Action, resource, principal.
    pub(crate) sides: [Side; 3],
    pub(crate) atoms: Vec<Atom>,
    /// Whether part of it was not understood: it may match what the rest says, or less.
    pub(crate) doubtful: bool,
}

/// A policy: what its allows grant less what its denies forbid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) allows: Vec<Compiled>,
    pub(crate) denies: Vec<Compiled>,
}

impl Policy {
    /// The union of the documents' allows less all their denies.
    pub(crate) fn compile<'d>(documents: impl Iterator<Item = &'d PolicyDocument>) -> Self {
        let mut policy = Self::default();
        let mut index = 0;
        for document in documents {
            let version = document.effective_version();
            if !document.unknown.is_empty() {
                policy.allows.push(Compiled::anything(index));
                policy.denies.push(Compiled::anything(index));
            }
            for statement in &document.statements {
                let mut compiled = Compiled::compile(statement, version, index);
                compiled.doubtful |= !document.unknown.is_empty();
                match statement.effect {
                    Effect::Allow => policy.allows.push(compiled),
                    Effect::Deny => policy.denies.push(compiled),
                    Effect::Unknown => {
                        policy.allows.push(Compiled::anything(index));
                        policy.denies.push(Compiled::anything(index));
                    }
                }
                index += 1;
            }
        }
        policy
    }

    pub(crate) fn bind<'v>(&self, variable: &dyn Fn(&Variable) -> Option<&'v str>) -> Self {
        let all = |list: &[Compiled]| list.iter().map(|s| s.bind(variable)).collect();
        Self { allows: all(&self.allows), denies: all(&self.denies) }
    }

    /// Allows every request.
    pub(crate) fn everything() -> Self {
        let all = Compiled { doubtful: false, ..Compiled::anything(0) };
        Self { allows: vec![all], denies: Vec::new() }
    }
}

impl Compiled {
    /// A statement that may match anything.
    pub(crate) fn anything(index: u32) -> Self {
        let sides = [Side::everything(), Side::everything(), principal::everyone()];
        Self { index, sides, atoms: Vec::new(), doubtful: true }
    }

    fn compile(statement: &Statement, version: PolicyVersion, index: u32) -> Self {
        let well_formed = |p: &ActionPattern| p.is_well_formed();
        let mut doubtful = !statement.unknown.is_empty()
            || statement.resource.patterns().iter().any(|p| has_strange_variable(p.value.as_str(), version));
        let strange_action = !statement.action.patterns().iter().all(|p| well_formed(&p.value));
        let action = |p: &ActionPattern| action_glob(p.as_str());
        let actions = Side::new(
            statement.action.patterns().iter().map(|p| action(&p.value)).collect(),
            matches!(statement.action, ActionElement::NotAction(_)),
        );
        let reading = Reading::resource(version);
        let resources = match &statement.resource {
            ResourceElement::Absent => Side::everything(),
            other => Side::new(
                other.patterns().iter().map(|p| Glob::parse(p.value.as_str(), reading)).collect(),
                matches!(other, ResourceElement::NotResource(_)),
            ),
        };
        let principals = match &statement.principal {
            None => principal::everyone(),
            Some(PrincipalElement::Principal(list) | PrincipalElement::NotPrincipal(list)) => {
                let (globs, understood) = principal::globs(list.iter().map(|p| &p.value));
                doubtful |= !understood;
                Side::new(globs, matches!(statement.principal, Some(PrincipalElement::NotPrincipal(_))))
            }
        };
        if doubtful || strange_action && actions.negated {
            return Self::anything(index);
        }
        doubtful = strange_action;
        let resource = statement.resource.patterns();
        if resource.iter().any(|p| is_short(p.value.as_str())) {
            if resources.negated {
                return Self::anything(index);
            }
            doubtful = true;
        }
        let atoms = statement.conditions.iter().map(|c| Atom::compile(c, version)).collect();
        Self { index, sides: [actions, resources, principals], atoms, doubtful }
    }

    fn bind<'v>(&self, variable: &dyn Fn(&Variable) -> Option<&'v str>) -> Self {
        Self {
            index: self.index,
            sides: self.sides.each_ref().map(|side| side.bind(variable)),
            atoms: self.atoms.iter().map(|a| a.bind(variable)).collect(),
            doubtful: self.doubtful,
        }
    }

    /// The variables it names.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let sides = self.sides.iter().flat_map(|s| &s.globs);
        let atoms = self.atoms.iter().flat_map(|a| match &a.test {
            super::atom::Test::Text(globs) => &**globs,
            _ => &[],
        });
        sides.chain(atoms).flat_map(Glob::variables).map(AsRef::as_ref)
    }
}

/// Whether a resource holds a variable of a form, or in a place, that AWS does not document.
fn has_strange_variable(text: &str, version: PolicyVersion) -> bool {
    let early = || variable::segments(text).take(5).any(|segment| segment.contains("${"));
    version == PolicyVersion::V2012 && text.contains("${") && (!variable::are_well_formed(text) || early())
}

/// Actions are `service:Name`; what matches all of these is the bare `*`.
fn action_glob(text: &str) -> Glob {
    if text == "*:*" { Glob::everything() } else { Glob::parse(text, Reading::ACTION) }
}
