//! What two sets of policies allow differently: gained and lost, action by action, with requests that show it.
//!
//! Asks permission sets for a request in the difference, and takes no answer that evaluation does not confirm. Goes
//! through the actions AWS publishes; whether anything else differs is asked of all texts at once.

use std::collections::{BTreeMap, BTreeSet};

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

/// A comparison costs a search per action; the actions of one service share what they cost.
const LIMITS: Limits = Limits { steps: 20_000, states: 5_000 };

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
    Difference { gained: side(old, new, catalog), lost: side(new, old, catalog) }
}

/// What `more` allows and `less` does not.
fn side(less: &[PolicyDocument], more: &[PolicyDocument], catalog: &Catalog) -> Side {
    let overall = PermissionSet::of_documents(more).included_in(&PermissionSet::of_documents(less), LIMITS);
    let mut found = Side::default();
    if matches!(overall, Inclusion::Included(_)) {
        found.nothing = true;
        return found;
    }
    let mut search = Search { less: Indexed::new(less), more: Indexed::new(more), answers: BTreeMap::new() };
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

/// Documents with their action patterns compiled, statement by statement.
struct Indexed<'d> {
    documents: &'d [PolicyDocument],
    /// For each statement of each document whether it lists actions, and the patterns.
    statements: Vec<(usize, &'d Statement, bool, Vec<Glob>)>,
}

impl<'d> Indexed<'d> {
    fn new(documents: &'d [PolicyDocument]) -> Self {
        let mut statements = Vec::new();
        for (place, document) in documents.iter().enumerate() {
            for statement in &document.statements {
                let patterns = statement.action.patterns().iter();
                let globs = patterns.map(|pattern| Glob::parse(pattern.value.as_str(), Reading::ACTION)).collect();
                let listed = matches!(statement.action, ActionElement::Action(_));
                statements.push((place, statement, listed, globs));
            }
        }
        Self { documents, statements }
    }

    /// The statements about an action, by number.
    fn about(&self, action: &Action) -> Vec<usize> {
        let matches = |(_, _, listed, globs): &(usize, &Statement, bool, Vec<Glob>)| {
            *listed == globs.iter().any(|glob| glob.matches(action.as_str()))
        };
        (0..).zip(&self.statements).filter(|(_, statement)| matches(statement)).map(|(at, _)| at).collect()
    }

    /// The documents with these statements alone, each about every action.
    fn narrowed(&self, wanted: &[usize]) -> Vec<PolicyDocument> {
        let mut documents: Vec<PolicyDocument> =
            self.documents.iter().map(|d| PolicyDocument { statements: Vec::new(), ..d.clone() }).collect();
        for (place, statement, _, _) in wanted.iter().filter_map(|at| self.statements.get(*at)) {
            let every = ActionElement::Action(vec![Spanned::synthetic(ActionPattern::new("*"))]);
            if let Some(document) = documents.get_mut(*place) {
                document.statements.push(Statement { action: every, ..(*statement).clone() });
            }
        }
        documents
    }
}

/// The statements of either side that speak of an action, and the resources it can be about.
type Asked = (Vec<usize>, Vec<usize>, Vec<ResourcePattern>);

/// Actions that the same statements speak of, on the same resources, have the same answer but for the action's name.
struct Search<'d> {
    less: Indexed<'d>,
    more: Indexed<'d>,
    answers: BTreeMap<Asked, Answer>,
}

impl Search<'_> {
    fn differs(&mut self, action: &Action, forms: &[ResourcePattern]) -> Answer {
        let (small, large) = (self.less.about(action), self.more.about(action));
        if large.is_empty() {
            return Answer::Same;
        }
        let key = (small, large, forms.to_vec());
        let answer = match self.answers.get(&key) {
            Some(known) => known.clone(),
            None => {
                let made = self.decide(&key.0, &key.1, action, forms);
                self.answers.insert(key, made.clone());
                made
            }
        };
        let Answer::Differs(mut request, whole) = answer else { return answer };
        // The answer may have been found for another action: what it shows must hold for this one too.
        request.action = action.clone();
        if confirm::allowed_only_after(self.less.documents, self.more.documents, &as_witness(&request)) {
            Answer::Differs(request, whole)
        } else {
            Answer::Unknown
        }
    }

    fn decide(&self, small: &[usize], large: &[usize], action: &Action, forms: &[ResourcePattern]) -> Answer {
        let (small, large) = (self.less.narrowed(small), self.more.narrowed(large));
        let (small, large) = (PermissionSet::of_documents(&small), PermissionSet::of_documents(&large));
        let question = Statement::allow(vec![ActionPattern::from(action)], forms.to_vec());
        let asked = PermissionSet::of_document(&PolicyDocument::new(vec![question]));
        match large.intersection(&asked).included_in(&small, LIMITS) {
            Inclusion::Included(_) => Answer::Same,
            Inclusion::Undecided(_) => Answer::Unknown,
            Inclusion::Excluded(witness) => {
                let rest = small.intersection(&asked).included_in(&PermissionSet::nothing(), LIMITS);
                let whole = matches!(rest, Inclusion::Included(_));
                Answer::Differs(Box::new(confirm::counterexample(&witness)), whole)
            }
        }
    }
}
