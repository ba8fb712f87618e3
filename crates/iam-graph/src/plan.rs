//! The catalogue, prepared for searching: actions by number, and for each policy the numbers it could allow.
//!
//! A first sieve only: it may let too much through, never too little. Every answer comes from [`crate::judge`].

use std::collections::BTreeMap;

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::{Action, ActionPattern};
use iam_model::condition::ConditionKey;
use iam_model::policy::{ActionElement, Effect, PolicyDocument, Statement};

use crate::technique::{Carried, Catalogue, Place, Prerequisite, Requirement, Technique, TrustAsked};

/// A set of numbered actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Actions([u64; 4]);

impl Actions {
    /// As many as can be numbered.
    pub(crate) const ROOM: usize = 256;
    const ALL: Self = Self([u64::MAX; 4]);

    pub(crate) fn add(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    pub(crate) fn union(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    fn without(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    pub(crate) fn holds_all(self, other: Self) -> bool {
        other.without(self) == Self::default()
    }

    pub(crate) fn holds(self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    fn zip(self, other: Self, op: impl Fn(u64, u64) -> u64) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (self, other);
        Self([op(a, e), op(b, f), op(c, g), op(d, h)])
    }
}

/// A requirement, its parts by number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    pub(crate) requirement: &'static Requirement,
    pub(crate) action: usize,
    /// Which of the distinct contexts requirements carry.
    pub(crate) with: usize,
}

/// A technique, prepared.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) technique: &'static Technique,
    pub(crate) needs: Vec<Need>,
    /// Without every one of these, the technique is out of reach.
    pub(crate) sieve: Actions,
}

impl Step {
    pub(crate) fn has(&self, prerequisite: &Prerequisite) -> bool {
        self.technique.when.contains(prerequisite)
    }
}

/// The catalogue, prepared.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    actions: Vec<Action>,
    contexts: Vec<(&'static [(ConditionKey, Carried)], TrustAsked)>,
    pub(crate) not_understood: Vec<String>,
}

impl Plan {
    /// Prepares a catalogue. What it has no room for is put aside by name.
    pub(crate) fn new(catalogue: &'static Catalogue) -> Self {
        let mut plan = Self {
            steps: Vec::new(),
            actions: Vec::new(),
            contexts: Vec::new(),
            not_understood: catalogue.not_understood().to_vec(),
        };
        for technique in catalogue.techniques() {
            let needs: Vec<Need> = technique.requires.iter().map(|r| plan.need(r)).collect();
            if plan.actions.len() > Actions::ROOM {
                plan.not_understood.push(format!("technique {}: too many actions in the catalogue", technique.id));
                continue;
            }
            let mut sieve = Actions::default();
            for need in needs.iter().filter(|need| !may_lack(technique, need)) {
                sieve.add(need.action);
            }
            plan.steps.push(Step { technique, needs, sieve });
        }
        plan
    }

    /// The number of an action, where any technique needs it.
    pub(crate) fn action(&self, action: &Action) -> Option<usize> {
        self.actions.iter().position(|known| known == action)
    }

    fn need(&mut self, requirement: &'static Requirement) -> Need {
        let action = number(&mut self.actions, requirement.action.clone());
        let with = number(&mut self.contexts, (requirement.with.as_slice(), requirement.trust));
        Need { requirement, action, with }
    }
}

/// A trust policy that names the start is enough to be let in: the start's own policies need not say so.
fn may_lack(technique: &Technique, need: &Need) -> bool {
    let named = match need.requirement.trust {
        TrustAsked::AsItIs => technique.when.contains(&Prerequisite::TargetTrustsStart),
        TrustAsked::NamingAccount => false,
        TrustAsked::NamingStart => true,
    };
    named && need.requirement.on == Place::Target && need.requirement.action.service() == "sts"
}

fn number<T: PartialEq>(known: &mut Vec<T>, item: T) -> usize {
    known.iter().position(|k| *k == item).unwrap_or_else(|| {
        known.push(item);
        known.len() - 1
    })
}

/// Which actions policies could allow, remembered by pattern and by document.
#[derive(Debug, Default)]
pub(crate) struct Sieve<'a> {
    patterns: BTreeMap<&'a ActionPattern, Actions>,
    documents: BTreeMap<*const PolicyDocument, Actions>,
}

impl<'a> Sieve<'a> {
    /// Which of the plan's actions any statement of the document could allow.
    pub(crate) fn document(&mut self, plan: &Plan, document: &'a PolicyDocument) -> Actions {
        let key = std::ptr::from_ref(document);
        if let Some(&known) = self.documents.get(&key) {
            return known;
        }
        let found = if document.unknown.is_empty() {
            let statements = document.statements.iter().filter(|s| s.effect != Effect::Deny);
            statements.fold(Actions::default(), |found, s| found.union(self.statement(plan, s)))
        } else {
            Actions::ALL
        };
        self.documents.insert(key, found);
        found
    }

    fn statement(&mut self, plan: &Plan, statement: &'a Statement) -> Actions {
        if !statement.unknown.is_empty() {
            return Actions::ALL;
        }
        let named = statement.action.patterns().iter();
        let named = named.fold(Actions::default(), |found, p| found.union(self.pattern(plan, &p.value)));
        match statement.action {
            ActionElement::Action(_) => named,
            ActionElement::NotAction(_) => Actions::ALL.without(named),
        }
    }

    fn pattern(&mut self, plan: &Plan, pattern: &'a ActionPattern) -> Actions {
        if let Some(&known) = self.patterns.get(pattern) {
            return known;
        }
        let glob = Glob::parse(pattern.as_str(), Reading::ACTION);
        let mut found = Actions::default();
        for (number, action) in plan.actions.iter().enumerate() {
            if glob.matches(action.as_str()) {
                found.add(number);
            }
        }
        self.patterns.insert(pattern, found);
        found
    }
}
