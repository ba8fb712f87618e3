//! The checker of certificates: accepts a proof that one set of policies is inside another, or says why not.
//!
//! It searches nothing and shares no code with the prover. It has the documents read again (`reading`), and follows the
//! proof step by step: a dimension is empty (`empty`), claims about a key contradict one another (`contradiction`). What
//! it cannot follow it refuses.

mod contradiction;
mod empty;

use iam_evaluate::budget::{Budget, QUESTION};
use iam_model::certificate::{Certificate, Dimension, Proof, Side as Whose, Step};
use iam_model::policy::PolicyDocument;

use crate::digest::digest;
use crate::reading::claim::Claim;
use crate::reading::pattern::Pattern;
use crate::reading::statement::{Policy, Side, Statement, domain};
use empty::Problem;

/// Why a certificate is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is about other documents.
    #[error("the certificate is about other documents")]
    OtherDocuments,
    /// A document holds what the checker does not understand.
    #[error("a document holds a part that is not understood")]
    NotUnderstood,
    /// The goals are not those the documents ask for.
    #[error("the goals of the certificate are not those of the documents")]
    Goals,
    /// Following it takes too many steps.
    #[error("it takes too many steps to follow; compare smaller policies")]
    Limit,
    /// A step does not follow.
    #[error("a step of the proof about new statement {allow} does not follow: {what}")]
    Step {
        /// The new statement.
        allow: u32,
        /// What does not follow.
        what: String,
    },
}

/// Accepts a certificate that every request the new documents allow together was allowed by the old ones together.
///
/// # Errors
/// [`Refusal`] says which part of the certificate does not fit or does not follow.
///
/// ```
/// use iam_model::policy::PolicyDocument;
/// use iam_verify::{certificate::check, digest::seal};
/// let nothing = [PolicyDocument::new(vec![])];
/// let certificate = seal(&nothing, &nothing, Default::default());
/// assert!(check(&nothing, &nothing, &certificate).is_ok());
/// assert!(check(&[], &nothing, &certificate).is_err());
/// ```
pub fn check(old: &[PolicyDocument], new: &[PolicyDocument], certificate: &Certificate) -> Result<(), Refusal> {
    if digest(old) != certificate.old || digest(new) != certificate.new {
        return Err(Refusal::OtherDocuments);
    }
    check_proof(old, new, &certificate.proof)
}

/// Accepts a proof about these very documents.
pub(crate) fn check_proof(old: &[PolicyDocument], new: &[PolicyDocument], proof: &Proof) -> Result<(), Refusal> {
    let (Some(old), Some(new)) = (Policy::read(old), Policy::read(new)) else { return Err(Refusal::NotUnderstood) };
    let budget = Budget::new(2 * QUESTION);
    let mut goals = proof.goals.iter();
    for allow in &new.allows {
        for deny in std::iter::once(None).chain(old.denies.iter().map(Some)) {
            let asked = (allow.index, deny.map(|deny| deny.index));
            let goal = goals.next().filter(|goal| (goal.allow, goal.deny) == asked).ok_or(Refusal::Goals)?;
            let mut demands = Demands::on(&budget);
            demands.hit(allow);
            deny.into_iter().for_each(|deny| demands.hit(deny));
            // Under an old deny the old allows need not be avoided, so avoiding them proves nothing.
            let old_allows = if deny.is_none() { &*old.allows } else { &[] };
            follow(allow, old_allows, &new.denies, &demands, &goal.step).map_err(|what| match budget.is_spent() {
                true => Refusal::Limit,
                false => Refusal::Step { allow: allow.index, what },
            })?;
        }
    }
    if goals.next().is_some() { Err(Refusal::Goals) } else { Ok(()) }
}

/// What a request must be at a step of the proof; grown on the way down.
#[derive(Clone)]
struct Demands<'a> {
    required: [Vec<Vec<&'a Pattern>>; 3],
    excluded: [Vec<&'a Pattern>; 3],
    claims: Vec<(&'a Claim, bool)>,
    budget: &'a Budget,
}

impl<'a> Demands<'a> {
    fn on(budget: &'a Budget) -> Self {
        Self { required: Default::default(), excluded: Default::default(), claims: Vec::new(), budget }
    }

    /// The text of a dimension is in a side, or it is not.
    fn side(&mut self, number: usize, side: &'a Side, inside: bool) {
        match (self.required.get_mut(number), self.excluded.get_mut(number)) {
            (_, Some(excluded)) if side.negated == inside => excluded.extend(&side.patterns),
            (Some(required), _) => required.push(side.patterns.iter().collect()),
            _ => {}
        }
    }

    fn hit(&mut self, statement: &'a Statement) {
        (0..).zip(&statement.sides).for_each(|(number, side)| self.side(number, side, true));
        self.claims.extend(statement.claims.iter().map(|claim| (claim, true)));
    }

    fn is_empty(&self, dimension: &Dimension) -> bool {
        let number = match dimension {
            Dimension::Action => 0,
            Dimension::Resource => 1,
            Dimension::Principal => 2,
            Dimension::Key(key) => {
                let claims: Vec<_> = self.claims.iter().filter(|(claim, _)| claim.key == *key).copied().collect();
                return contradiction::impossible(&claims, self.budget);
            }
        };
        let (required, excluded) = (self.required.get(number), self.excluded.get(number));
        required.zip(excluded).is_some_and(|(required, excluded)| {
            let (domain, budget) = (|| domain(number), self.budget);
            Problem { required: required.clone(), excluded: excluded.clone(), domain: &domain, budget }.is_empty()
        })
    }
}

/// Follows one step of the proof about a new allow, and with it all below.
fn follow(
    allow: &Statement,
    old_allows: &[Statement],
    new_denies: &[Statement],
    demands: &Demands<'_>,
    step: &Step,
) -> Result<(), String> {
    match step {
        Step::Empty(dimension) if demands.is_empty(dimension) => Ok(()),
        Step::Empty(dimension) => Err(format!("{dimension} is not empty")),
        Step::Split { dimension, parts } => {
            let number = usize::from(*dimension == Dimension::Resource);
            let side = allow.sides.get(number).filter(|side| !side.negated);
            let side = side.filter(|_| matches!(dimension, Dimension::Action | Dimension::Resource));
            let side = side.ok_or_else(|| format!("nothing can be split by {dimension}"))?;
            let part_holds = |at: u32| parts.iter().any(|part| part.patterns.contains(&at));
            if !(0..).zip(&side.patterns).all(|(at, _)| part_holds(at)) {
                return Err(format!("the parts are not every {dimension}"));
            }
            parts.iter().try_for_each(|part| {
                let own = |at: &u32| side.patterns.get(usize::try_from(*at).ok()?);
                let mut demands = demands.clone();
                // The allow was hit first; the part stands for it.
                let required = demands.required.get_mut(number).and_then(|required| required.first_mut());
                *required.ok_or("nothing to split")? = part.patterns.iter().filter_map(own).collect();
                follow(allow, old_allows, new_denies, &demands, &part.step)
            })
        }
        Step::Avoid { statement, ways } => {
            let list = if statement.side == Whose::New { new_denies } else { old_allows };
            let avoided = list.iter().find(|s| s.index == statement.index && !s.doubtful);
            let avoided = avoided.ok_or_else(|| format!("{statement} need not be avoided"))?;
            if ways.len() != 3 + avoided.claims.len() {
                return Err(format!("{statement} can be avoided in {} ways", 3 + avoided.claims.len()));
            }
            let sides = avoided.sides.iter().enumerate().map(Ok);
            sides.chain(avoided.claims.iter().map(Err)).zip(ways).try_for_each(|(way, step)| {
                demands.budget.spend(demands.claims.len() + demands.excluded.iter().map(Vec::len).sum::<usize>());
                let mut demands = demands.clone();
                match way {
                    Ok((number, side)) => demands.side(number, side, false),
                    Err(claim) => demands.claims.push((claim, false)),
                }
                follow(allow, old_allows, new_denies, &demands, step)
            })
        }
    }
}

#[cfg(test)]
mod tests;
