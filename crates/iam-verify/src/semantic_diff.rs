//! What two sets of policies allow differently: gained and lost, action by action, with requests that show it.
//!
//! Asks permission sets for a request in the difference, and takes no answer that evaluation does not confirm. Goes
//! through the actions AWS publishes; whether anything else differs is asked of all texts at once.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::budget::{ALL, Budget};
use iam_evaluate::glob::{Glob, Reading};
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::ResourcePattern;
use iam_model::catalog::{AccessLevel, ActionFacts, Catalog};
use iam_model::policy::{ActionElement, PolicyDocument, Statement};
use iam_model::text::Spanned;

use crate::confirm;
use crate::outcome::Counterexample;
use crate::plausible::{self, as_witness};

/// Units of work for holding one statement against an action's name, and against a request.
const NAMED: usize = 20;
const CONFIRMED: usize = 150;

/// A service and an access level: actions are shown together that have both in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The service prefix.
    pub prefix: Box<str>,
    /// The access level.
    pub level: AccessLevel,
}

/// What one side allows and the other does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Side {
    /// Actions by service and access level, in the catalogue's spelling.
    pub actions: BTreeMap<Group, Vec<Action>>,
    /// For each service and access level one confirmed request.
    pub examples: BTreeMap<Group, Counterexample>,
    /// Actions of which the other side allows nothing at all.
    pub whole: BTreeSet<Action>,
    /// Actions for which nobody could decide.
    pub undecided: Vec<Action>,
    /// A confirmed request beyond the actions and resources AWS publishes, where only such requests differ.
    pub unpublished: Option<Counterexample>,
    /// Whether it is proved that this side allows nothing more.
    pub nothing: bool,
}

impl Side {
    /// How many actions are concerned.
    #[must_use]
    pub fn count(&self) -> usize {
        self.actions.values().map(Vec::len).sum()
    }
}

/// The difference between two sets of policies of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// What the new policies allow and the old ones do not.
    pub gained: Side,
    /// What the old policies allow and the new ones do not.
    pub lost: Side,
}

impl Difference {
    /// Whether both sides are proved to allow the same requests.
    #[must_use]
    pub const fn is_equal(&self) -> bool {
        self.gained.nothing && self.lost.nothing
    }
}

/// Compares old with new policies.
///
/// ```
/// use iam_model::action::ActionPattern;
/// use iam_model::arn::ResourcePattern;
/// use iam_model::catalog::Catalog;
/// use iam_model::policy::{PolicyDocument, Statement};
/// let policy = |action: &str| {
///     PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::new("*")])])
/// };
/// let catalog = Catalog::embedded().unwrap();
/// let found = iam_verify::semantic_diff::compare(&[policy("sqs:*")], &[policy("sqs:SendMessage")], &catalog);
/// assert!(found.gained.nothing && found.lost.count() > 10);
/// ```
#[must_use]
pub fn compare(old: &[PolicyDocument], new: &[PolicyDocument], catalog: &Catalog) -> Difference {
    compare_within(old, new, catalog, ALL)
}

/// The same for at most so many units of work; what they leave open is undecided.
#[must_use]
pub fn compare_within(old: &[PolicyDocument], new: &[PolicyDocument], catalog: &Catalog, work: u64) -> Difference {
    let (gained, lost) = (Budget::new(work / 2), Budget::new(work / 2));
    Difference { gained: side(old, new, catalog, &gained), lost: side(new, old, catalog, &lost) }
}

/// What `more` allows and `less` does not.
fn side(less: &[PolicyDocument], more: &[PolicyDocument], catalog: &Catalog, budget: &Budget) -> Side {
    // A search is needed for each action besides; the actions of one service share what they cost.
    let (large, small) = (PermissionSet::of_documents(more), PermissionSet::of_documents(less));
    let overall = large.included_in(&small, Limits { work: budget.left() / 4, ..Limits::small(budget) });
    let mut found = Side::default();
    if matches!(overall, Inclusion::Included(_)) {
        found.nothing = true;
        return found;
    }
    let mut search = Search::new(less, more, budget);
    for facts in catalog.actions() {
        let action = facts.action();
        let key = Group { prefix: facts.service().into(), level: facts.level() };
        match search.differs(&action, &forms(&facts)) {
            Answer::Same => {}
            Answer::Unknown => found.undecided.push(action),
            Answer::Differs(request, whole) => {
                if whole {
                    found.whole.insert(action.clone());
                }
                found.examples.entry(key.clone()).or_insert_with(|| plausible::request(&request, less, more, catalog));
                found.actions.entry(key).or_default().push(action);
            }
        }
    }
    if found.actions.is_empty()
        && let Inclusion::Excluded(witness) = overall
        && confirm::allowed_only_after(less, more, &witness)
    {
        found.unpublished = Some(confirm::counterexample(&witness));
    }
    found
}

/// The resources an action can be about, as patterns: the forms AWS publishes, or `*` where it takes none.
fn forms(facts: &ActionFacts<'_>) -> Vec<ResourcePattern> {
    let mut forms = BTreeSet::new();
    for resource in facts.resource_types() {
        for form in resource.arn_patterns() {
            forms.insert(filled(form.as_str()));
        }
    }
    if forms.is_empty() {
        return vec![ResourcePattern::everything()];
    }
    forms.iter().map(|form| ResourcePattern::new(form)).collect()
}

/// A form with its variables replaced: the partition by the usual one, all others by `*`.
fn filled(form: &str) -> String {
    let mut out = String::with_capacity(form.len());
    let mut rest = form;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(if name == "Partition" { "aws" } else { "*" });
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[derive(Clone)]
enum Answer {
    Same,
    Unknown,
    /// A request, and whether the other side allows nothing of the action.
    Differs(Box<Counterexample>, bool),
}

/// Documents with their action patterns compiled: once for statements that are about the same actions.
struct Indexed<'d> {
    documents: &'d [PolicyDocument],
    /// Each statement with the place of its document.
    statements: Vec<(usize, &'d Statement)>,
    /// For each element about actions whether it lists them, the patterns, and the numbers of the statements that have it.
    elements: Vec<(bool, Vec<Glob>, Vec<usize>)>,
}

impl<'d> Indexed<'d> {
    fn new(documents: &'d [PolicyDocument]) -> Self {
        let of = |(place, document): (usize, &'d PolicyDocument)| document.statements.iter().map(move |s| (place, s));
        let statements: Vec<(usize, &Statement)> = documents.iter().enumerate().flat_map(of).collect();
        let mut elements: BTreeMap<(bool, Vec<&str>), Vec<usize>> = BTreeMap::new();
        for (at, (_, statement)) in statements.iter().enumerate() {
            let patterns = statement.action.patterns().iter().map(|pattern| pattern.value.as_str()).collect();
            let listed = matches!(statement.action, ActionElement::Action(_));
            elements.entry((listed, patterns)).or_default().push(at);
        }
        let compiled = |patterns: Vec<&str>| patterns.iter().map(|text| Glob::parse(text, Reading::ACTION)).collect();
        let elements = elements.into_iter().map(|((listed, texts), of)| (listed, compiled(texts), of)).collect();
        Self { documents, statements, elements }
    }

    /// The statements about an action, by number; nothing where the budget is used up.
    fn about(&self, action: &Action, budget: &Budget) -> Option<Vec<usize>> {
        let mut about = Vec::new();
        for (listed, globs, statements) in &self.elements {
            if !budget.spend(NAMED + globs.len()) {
                return None;
            }
            let mut named = false;
            for glob in globs {
                named = named || glob.matches_within(action.as_str(), budget)?;
            }
            if *listed == named {
                about.extend(statements);
            }
        }
        about.sort_unstable();
        Some(about)
    }

    /// The documents with these statements alone, each about every action.
    fn narrowed(&self, wanted: &[usize]) -> Vec<PolicyDocument> {
        let mut documents: Vec<PolicyDocument> = self.documents.iter().map(bare).collect();
        for (place, statement) in wanted.iter().filter_map(|at| self.statements.get(*at)) {
            let every = ActionElement::Action(vec![Spanned::synthetic(ActionPattern::new("*"))]);
            if let Some(document) = documents.get_mut(*place) {
                document.statements.push(Statement { action: every, ..(*statement).clone() });
            }
        }
        documents
    }
}

/// A document without its statements.
fn bare(document: &PolicyDocument) -> PolicyDocument {
    PolicyDocument {
        version: document.version,
        id: document.id.clone(),
        statements: Vec::new(),
        unknown: document.unknown.clone(),
    }
}

/// Statements by number, of the one side and of the other.
type Statements = (Vec<usize>, Vec<usize>);

/// Actions that the same statements speak of, on the same resources, have the same answer but for the action's name.
struct Search<'d> {
    less: Indexed<'d>,
    more: Indexed<'d>,
    budget: &'d Budget,
    /// The statements that speak of some action, each with a number.
    asked: BTreeMap<Statements, usize>,
    answers: BTreeMap<(usize, Vec<ResourcePattern>), Answer>,
}

impl<'d> Search<'d> {
    fn new(less: &'d [PolicyDocument], more: &'d [PolicyDocument], budget: &'d Budget) -> Self {
        let (less, more) = (Indexed::new(less), Indexed::new(more));
        Self { less, more, budget, asked: BTreeMap::new(), answers: BTreeMap::new() }
    }

    fn differs(&mut self, action: &Action, forms: &[ResourcePattern]) -> Answer {
        let about = |side: &Indexed<'_>| side.about(action, self.budget);
        let (Some(small), Some(large)) = (about(&self.less), about(&self.more)) else { return Answer::Unknown };
        if large.is_empty() {
            return Answer::Same;
        }
        let relevant = small.len() + large.len();
        let statements = (small, large);
        let known = self.asked.len();
        let number = match self.asked.get(&statements) {
            Some(number) => *number,
            None => {
                self.asked.insert(statements.clone(), known);
                known
            }
        };
        let key = (number, forms.to_vec());
        let answer = match self.answers.get(&key) {
            Some(answer) => answer.clone(),
            None => {
                let made = self.decide(&statements, action, forms);
                self.answers.insert(key, made.clone());
                made
            }
        };
        let Answer::Differs(mut request, whole) = answer else { return answer };
        // The answer may have been found for another action: what it shows must hold for this one too.
        request.action = action.clone();
        let all = self.less.statements.len() + self.more.statements.len();
        if self.budget.spend(NAMED * all + CONFIRMED * relevant)
            && confirm::allowed_only_after(self.less.documents, self.more.documents, &as_witness(&request))
        {
            Answer::Differs(request, whole)
        } else {
            Answer::Unknown
        }
    }

    fn decide(&self, (small, large): &Statements, action: &Action, forms: &[ResourcePattern]) -> Answer {
        if !self.budget.spend(CONFIRMED * (small.len() + large.len() + forms.len())) {
            return Answer::Unknown;
        }
        let (small, large) = (self.less.narrowed(small), self.more.narrowed(large));
        let (small, large) = (PermissionSet::of_documents(&small), PermissionSet::of_documents(&large));
        let question = Statement::allow(vec![ActionPattern::from(action)], forms.to_vec());
        let asked = PermissionSet::of_document(&PolicyDocument::new(vec![question]));
        let limits = Limits::small(self.budget);
        match large.intersection(&asked).included_in(&small, limits) {
            Inclusion::Included(_) => Answer::Same,
            Inclusion::Undecided(_) => Answer::Unknown,
            Inclusion::Excluded(witness) => {
                let rest = small.intersection(&asked).included_in(&PermissionSet::nothing(), limits);
                let whole = matches!(rest, Inclusion::Included(_));
                Answer::Differs(Box::new(confirm::counterexample(&witness)), whole)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies(statement: impl Fn(usize) -> (String, String), numbers: std::ops::Range<usize>) -> [PolicyDocument; 1] {
        let statements = numbers.map(statement).map(|(action, resource)| {
            Statement::allow(vec![ActionPattern::new(&action)], vec![ResourcePattern::new(&resource)])
        });
        [PolicyDocument::new(statements.collect())]
    }

    /// What a used-up budget leaves open is told as undecided, action by action, and never as "the same".
    #[test]
    fn what_is_left_open_is_told() {
        let catalog = Catalog::embedded().unwrap();
        let globs = |n: usize| ("sqs:*".to_owned(), format!("arn:aws:sqs:*:*:*{n}*x*{}*", n % 7));
        let (old, new) = (policies(globs, 0..30), policies(globs, 3..33));
        let sqs = catalog.service_actions("sqs").count();
        for work in [0, 100, 1_000_000] {
            let found = compare_within(&old, &new, &catalog, work);
            let told = found.gained.undecided.iter().filter(|action| action.service() == "sqs").count();
            assert!(!found.gained.nothing, "{work}");
            assert_eq!(told + found.gained.count(), sqs, "{work}");
            assert_eq!(compare_within(&old, &new, &catalog, work), found);
        }
    }

    /// Statements about the same actions are asked once for all of them.
    #[test]
    fn thousands_of_statements_about_one_action_are_compared() {
        let catalog = Catalog::embedded().unwrap();
        let one = |n: usize| ("s3:GetObject".to_owned(), format!("arn:aws:s3:::bucket{n}/*"));
        let found = compare(&policies(one, 0..3_000), &policies(one, 1..3_001), &catalog);
        assert_eq!((found.gained.count(), found.lost.count()), (1, 1));
        assert!(found.gained.undecided.is_empty() && found.lost.undecided.is_empty());
    }
}
