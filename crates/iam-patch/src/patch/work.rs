//! The edits of one template, gathered over several changes, and what became of them.
//!
//! Each change is planned, written and guarded together with those before it.

use iam_model::change::{Change, RoleSplit};
use iam_model::diagnostic::Place;

use super::{Disposition, FilePatch};
use crate::guard::{self, Guard, Passed};
use crate::locate;
use crate::op::{self, Op};
use crate::plan::{self, Plan, SplitSite};
use crate::reference::Referrer;
use crate::refusal::{Refusal, RefusalCode};
use crate::stack::Deployed;
use crate::template::Template;
use crate::write::{self, Splice, Style};

/// The work on one file: operations of the changes that passed so far.
#[derive(Clone)]
pub(super) struct FileWork<'p> {
    template: &'p Template,
    style: Style,
    guard: Guard<'p>,
    ops: Vec<Op>,
    reviews: Vec<String>,
    changes: Vec<usize>,
    splits: Vec<usize>,
    parts: Vec<(usize, Vec<Splice>)>,
    passed: Option<(Vec<Splice>, Passed)>,
}

impl<'p> FileWork<'p> {
    pub(super) fn new(template: &'p Template) -> Self {
        Self {
            template,
            style: Style::of(template),
            guard: Guard::new(template),
            ops: Vec::new(),
            reviews: Vec::new(),
            changes: Vec::new(),
            splits: Vec::new(),
            parts: Vec::new(),
            passed: None,
        }
    }

    /// Adds a change; whether there was anything to write.
    pub(super) fn add(
        &mut self,
        number: usize,
        change: &Change,
        found: &locate::Found<'_>,
        deployed: &Deployed,
    ) -> Result<bool, Refusal> {
        let place = locate::place(self.template, found.site.node.span);
        let referrer = Referrer::new(self.template, &found.stack, deployed);
        let plan = plan::plan(self.template, found, &referrer, change).map_err(|refusal| refusal.at(place.clone()))?;
        if plan.ops.is_empty() {
            return Ok(false);
        }
        let alone = write::lift_emptied(&self.template.root, &plan.ops);
        let alone = write::lower(self.template, &self.style, &alone).unwrap_or_default();
        self.take(plan, &place)?;
        self.changes.push(number);
        self.parts.push((number, alone));
        Ok(true)
    }

    /// Adds the new managed policies of one role; whether there was anything to write.
    pub(super) fn add_new_policies(
        &mut self,
        numbers: &[usize],
        changes: &[&Change],
        home: &locate::NewPolicyHome<'_>,
        deployed: &Deployed,
    ) -> Result<bool, Refusal> {
        let place = locate::place(self.template, home.resource.node.span);
        let referrer = Referrer::new(self.template, &home.stack, deployed);
        let plan = plan::plan_new_policies(home, &referrer, changes).map_err(|refusal| refusal.at(place.clone()))?;
        if plan.ops.is_empty() {
            return Ok(false);
        }
        let alone = write::lower(self.template, &self.style, &plan.ops).unwrap_or_default();
        self.take(plan, &place)?;
        self.changes.extend(numbers);
        self.parts.extend(numbers.first().map(|number| (*number, alone)));
        Ok(true)
    }

    /// Adds the new roles of a split; whether there was anything to write.
    pub(super) fn add_split(
        &mut self,
        number: usize,
        split: &RoleSplit,
        found: &locate::FoundSplit<'_>,
        deployed: &Deployed,
    ) -> Result<bool, Refusal> {
        let place = locate::place(self.template, found.role.node.span);
        let referrer = Referrer::new(self.template, &found.stack, deployed);
        let parts = found.functions.iter().cloned().zip(&split.parts).collect();
        let site = SplitSite {
            template: self.template,
            stack: &found.stack,
            arn: &split.role,
            role: found.role.clone(),
            parts,
        };
        let plan = plan::plan_split(&site, &referrer).map_err(|refusal| refusal.at(place.clone()))?;
        if plan.ops.is_empty() {
            return Ok(false);
        }
        self.take(plan, &place)?;
        self.splits.push(number);
        Ok(true)
    }

    /// Takes over what a plan does, if the file with it passes the guard.
    fn take(&mut self, plan: Plan, place: &Place) -> Result<(), Refusal> {
        let mut ops = self.ops.clone();
        let new: Vec<Op> = plan.ops.into_iter().filter(|op| !self.ops.contains(op)).collect();
        if new.iter().any(|op| self.ops.iter().any(|old| op::clash(old, op))) {
            let message = "another change of this run edits the same place";
            return Err(Refusal::new(RefusalCode::Overlap, message).at(place.clone()));
        }
        let fresh = !new.is_empty();
        ops.extend(new);
        let lifted = write::lift_emptied(&self.template.root, &ops);
        let splices = write::lower(self.template, &self.style, &lifted).map_err(|refusal| refusal.at(place.clone()))?;
        let after = write::spliced(&self.template.text, &splices);
        let passed = self.guard.check(&lifted, &splices, after).map_err(|refusal| {
            refusal.hint("make the change by hand; it is printed with this refusal").at(place.clone())
        })?;
        let known = self.passed.as_ref().map_or(self.template.text.as_str(), |(_, passed)| passed.after.as_str());
        if fresh && passed.after == known {
            return Err(guard::unchanged().at(place.clone()));
        }
        self.ops = ops;
        self.passed = Some((splices, passed));
        for review in plan.reviews {
            if !self.reviews.contains(&review) {
                self.reviews.push(review);
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Option<FilePatch> {
        let (splices, passed) = self.passed?;
        let disposition = Disposition::of(self.reviews);
        Some(FilePatch {
            file: self.template.name.clone(),
            before: self.template.text.clone(),
            after: passed.after,
            diff: passed.diff,
            disposition,
            changes: self.changes,
            splits: self.splits,
            parts: self.parts,
            edits: splices.iter().map(|splice| splice.span).collect(),
        })
    }
}
