//! The checker of certificates: accepts a proof that one set of policies is inside another, or says why not.
//!
//! It searches nothing and shares no code with the prover. It reads the documents again ([`reading`]), has its own
//! patterns ([`pattern`]) and values ([`value`]), and follows the proof step by step; what it cannot follow it refuses.

mod pattern;
mod reading;
mod value;

use iam_model::certificate::{Cell, Certificate, Dimension, Goal, Selection, Side as Whose, Step};
use iam_model::policy::PolicyDocument;

use crate::digest::digest;
use pattern::{Pattern, Problem};
use reading::{Policy, Side, Statement};
use value::Claim;

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
    let (Some(old), Some(new)) = (Policy::read(old), Policy::read(new)) else { return Err(Refusal::NotUnderstood) };
    let mut goals = certificate.proof.goals.iter();
    for allow in &new.allows {
        for deny in std::iter::once(None).chain(old.denies.iter().map(Some)) {
            let fits = |g: &&Goal| g.allow == allow.index && g.deny == deny.map(|d| d.index) && covers(g, allow);
            let goal = goals.next().filter(fits).ok_or(Refusal::Goals)?;
            for cell in &goal.cells {
                let mut demands = Demands::default();
                demands.hit(allow, [Some(cell), Some(cell), None]);
                deny.into_iter().for_each(|deny| demands.hit(deny, [None; 3]));
                // Under an old deny the old allows need not be avoided, so avoiding them proves nothing.
                let old_allows = if deny.is_none() { &*old.allows } else { &[] };
                follow(old_allows, &new.denies, &demands, &cell.step)
                    .map_err(|what| Refusal::Step { allow: allow.index, what })?;
            }
        }
    }
    if goals.next().is_some() { Err(Refusal::Goals) } else { Ok(()) }
}

fn holds(selection: &Selection, number: usize) -> bool {
    match selection {
        Selection::All => true,
        Selection::Some(some) => u32::try_from(number).is_ok_and(|n| some.binary_search(&n).is_ok()),
    }
}

/// Whether the cells of a goal together are the whole statement. A negated element cannot be split.
fn covers(goal: &Goal, allow: &Statement) -> bool {
    let [actions, resources, _] = &allow.sides;
    let splits = |side: &Side, selection: &Selection| side.negated && *selection != Selection::All;
    if goal.cells.iter().any(|c| splits(actions, &c.actions) || splits(resources, &c.resources)) {
        return false;
    }
    let whole = |c: &&Cell| c.resources == Selection::All;
    goal.cells.iter().any(|c| c.actions == Selection::All && whole(&c))
        || (0..actions.patterns.len()).all(|action| {
            let cells: Vec<&Cell> = goal.cells.iter().filter(|c| holds(&c.actions, action)).collect();
            let covered = |resource| cells.iter().any(|c| holds(&c.resources, resource));
            cells.iter().any(whole) || !resources.patterns.is_empty() && (0..resources.patterns.len()).all(covered)
        })
}

/// What a request must be at a step of the proof; grown on the way down.
#[derive(Clone, Default)]
struct Demands<'a> {
    required: [Vec<Vec<&'a Pattern>>; 3],
    excluded: [Vec<&'a Pattern>; 3],
    claims: Vec<(&'a Claim, bool)>,
}

impl<'a> Demands<'a> {
    /// The text of a dimension is in (or is not in) a side, or is in the part of it that a cell selects.
    fn side(&mut self, number: usize, side: &'a Side, part: Option<&Cell>, inside: bool) {
        let selection = part.map_or(&Selection::All, |c| if number == 0 { &c.actions } else { &c.resources });
        let patterns = side.patterns.iter().enumerate().filter(|(n, _)| holds(selection, *n)).map(|(_, p)| p);
        match (self.required.get_mut(number), self.excluded.get_mut(number)) {
            (_, Some(excluded)) if side.negated == inside => excluded.extend(patterns),
            (Some(required), _) => required.push(patterns.collect()),
            _ => {}
        }
    }

    fn hit(&mut self, statement: &'a Statement, parts: [Option<&Cell>; 3]) {
        for ((number, side), part) in statement.sides.iter().enumerate().zip(parts) {
            self.side(number, side, part, true);
        }
        self.claims.extend(statement.claims.iter().map(|claim| (claim, true)));
    }

    fn is_empty(&self, dimension: &Dimension) -> bool {
        let number = match dimension {
            Dimension::Action => 0,
            Dimension::Resource => 1,
            Dimension::Principal => 2,
            Dimension::Key(key) => {
                let claims: Vec<_> = self.claims.iter().filter(|(claim, _)| claim.key == *key).copied().collect();
                return value::impossible(&claims);
            }
        };
        let (required, excluded) = (self.required.get(number), self.excluded.get(number));
        required.zip(excluded).is_some_and(|(required, excluded)| {
            let domain = reading::domain(number);
            Problem { required: required.clone(), excluded: excluded.clone(), domain: &domain }.is_empty()
        })
    }
}

/// Follows one step of the proof, and with it all below.
fn follow(
    old_allows: &[Statement],
    new_denies: &[Statement],
    demands: &Demands<'_>,
    step: &Step,
) -> Result<(), String> {
    let (statement, ways) = match step {
        Step::Empty(dimension) if demands.is_empty(dimension) => return Ok(()),
        Step::Empty(dimension) => return Err(format!("{dimension} is not empty")),
        Step::Avoid { statement, ways } => (statement, ways),
    };
    let list = if statement.side == Whose::New { new_denies } else { old_allows };
    let avoided = list.iter().find(|s| s.index == statement.index && !s.doubtful);
    let avoided = avoided.ok_or_else(|| format!("{statement} need not be avoided"))?;
    if ways.len() != 3 + avoided.claims.len() {
        return Err(format!("{statement} can be avoided in {} ways", 3 + avoided.claims.len()));
    }
    let sides = avoided.sides.iter().enumerate().map(Ok);
    for (way, step) in sides.chain(avoided.claims.iter().map(Err)).zip(ways) {
        let mut demands = demands.clone();
        match way {
            Ok((number, side)) => demands.side(number, side, None, false),
            Err(claim) => demands.claims.push((claim, false)),
        }
        follow(old_allows, new_denies, &demands, step)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
