//! Statements that are added to a function's policy: each a further permission, written as the one it was a part of.
//!
//! Nothing else of that permission is said anew: what it is for, its conditions of deployment and what it waits for are
//! copied as they are written.

use iam_model::policy::Statement;

use super::{Author, Fates, Permission, Plan, Scene, property, sibling, values};
use crate::depends;
use crate::op::{New, Op};
use crate::permission::{self, CONDITIONS};
use crate::plan::{CloudFormation, statement};
use crate::refusal::Refusal;
use crate::resolve::Resolver;
use crate::template::Template;

impl<'t> Scene<'t> {
    /// The plan, with a permission for each statement that none says yet.
    pub(super) fn add(&self, mut plan: Plan, fates: &Fates, after: &[Statement]) -> Result<Plan, Refusal> {
        for new in fates.added.iter().filter_map(|index| after.get(*index)) {
            if self.permissions.iter().any(|p| p.explains(new)) {
                continue;
            }
            let (old, kept) = sibling(self.before, after, fates, new).ok_or_else(|| {
                self.unwritable("a statement is added that no permission here says for another source")
            })?;
            let beside = self.of_statement(old, Some(kept))?;
            let beside = beside.or_else(|| self.permissions.iter().find(|p| p.explains(kept)));
            let beside = beside.ok_or_else(|| self.unwritable("a statement is added"))?;
            plan = self.written(plan, beside, new)?;
        }
        Ok(plan)
    }

    /// A further permission after one that says the same for another source.
    fn written(&self, mut plan: Plan, beside: &Permission<'t>, new: &Statement) -> Result<Plan, Refusal> {
        let resource = &beside.resource;
        if resource.is_multiplied() || !permission::is_of_function(resource) {
            return Err(self.unwritable("a statement is added, and the text beside it stands for several or for a bus"));
        }
        let place = resource.place.parent().ok_or_else(|| self.unwritable("the resource has no properties"))?;
        crate::plan::shared(self.template, &place)?;
        let language = CloudFormation {
            template: self.template,
            resolver: Resolver::open(self.template, &self.found.stack),
            referrer: self.referrer,
            carrier: depends::carrier(resource),
        };
        let mut author = Author { language: &language, reviews: plan.reviews };
        let properties = self.said(&mut author, beside, new)?;
        let mut entries: Vec<(String, New)> = Vec::new();
        for entry in resource.node.entries() {
            let with = match entry.name() {
                "Properties" => Some(New::Map(properties.clone())),
                _ => statement::copied(&entry.value),
            };
            let with = with.ok_or_else(|| self.uncopied(entry.name()))?;
            entries.push((entry.name().to_owned(), with));
        }
        let key = free_id(self.template, resource.id, &plan.ops);
        author.reviews.push(format!("`{key}` is a new permission beside `{}`: each names one source", resource.id));
        plan.reviews = author.reviews;
        plan.ops.push(Op::InsertEntry { after: place, key, with: New::Map(entries) });
        Ok(plan)
    }

    /// The properties of a permission with the conditions of another statement.
    fn said(
        &self,
        author: &mut Author<'_>,
        beside: &Permission<'t>,
        new: &Statement,
    ) -> Result<Vec<(String, New)>, Refusal> {
        if new.conditions.iter().any(|c| property(c).is_none() || c.values.len() != 1) {
            return Err(self.unwritable("a condition of the statement that is added"));
        }
        let mut properties = Vec::new();
        for entry in beside.resource.properties.into_iter().flat_map(|p| p.entries()) {
            let name = entry.name();
            if CONDITIONS.iter().any(|(property, ..)| *property == name) {
                continue;
            }
            let with = statement::copied(&entry.value).ok_or_else(|| self.uncopied(name))?;
            properties.push((name.to_owned(), with));
            if name != "Principal" {
                continue;
            }
            for (name, ..) in CONDITIONS {
                let of = new.conditions.iter().find(|c| property(c) == Some(*name)).map(values);
                if let Some(value) = of.and_then(|values| values.into_iter().next()) {
                    properties.push(((*name).to_owned(), self.value(author, &value)));
                }
            }
        }
        Ok(properties)
    }

    fn uncopied(&self, name: &str) -> Refusal {
        self.unwritable(&format!("a statement is added, and `{name}` beside it is written in a way that is not copied"))
    }
}

/// A logical id that neither the template nor the plan has: `FromTopic2`, or the next one like it.
fn free_id(template: &Template, of: &str, ops: &[Op]) -> String {
    let is_planned = |id: &str| ops.iter().any(|op| matches!(op, Op::InsertEntry { key, .. } if key == id));
    let mut ids = (2..).map(|n: usize| format!("{of}{n}"));
    ids.find(|id| !template.declares(id) && !is_planned(id)).unwrap_or_default()
}
