//! A shared role taken apart: a role of its own for each function, beside the old one, in the file's own style.
//!
//! A SAM function gets a `Policies` list where the file's functions have such lists and nothing of the role is lost by
//! it; else a new role is written after the old one and the function's `Role` names it. The old role stays; removing it
//! is for a person.

mod policy_list;
mod role;
mod runs;

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::change::RolePart;

use super::attach::{beside, free_id, managed_policy, same_meaning};
use super::{Author, CloudFormation, Plan};
use crate::op::{New, Op};
use crate::reference::Referrer;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Resolver;
use crate::stack::Stack;
use crate::template::{Dialect, Resource, Template};

/// A role to take apart, where it stands.
pub(crate) struct SplitSite<'t> {
    pub(crate) template: &'t Template,
    pub(crate) stack: &'t Stack,
    /// The shared role's ARN.
    pub(crate) arn: &'t Arn,
    pub(crate) role: Resource<'t>,
    /// The functions, each with the role it gets.
    pub(crate) parts: Vec<(Resource<'t>, &'t RolePart)>,
}

/// What is written for one function.
struct Writing<'w, 't> {
    site: &'w SplitSite<'t>,
    function: &'w Resource<'t>,
    part: &'w RolePart,
    referrer: &'w Referrer<'w>,
}

/// Plans the new roles, and the functions' way to them.
pub(crate) fn plan_split(site: &SplitSite<'_>, referrer: &Referrer<'_>) -> Result<Plan, Refusal> {
    let mut plan = Plan::default();
    let has_list = |r: &Resource<'_>| r.kind == "AWS::Serverless::Function" && r.role.is_none();
    let lists = site.template.resources().any(|r| has_list(&r) && r.property("Policies").is_some());
    let mut taken = BTreeSet::new();
    let mut count = 0;
    for (function, part) in &site.parts {
        // A function that already has another role of this file has been split before.
        if !runs::with_shared(site, function)? {
            continue;
        }
        count += 1;
        let language = CloudFormation {
            template: site.template,
            resolver: Resolver::open(site.template, site.stack),
            referrer,
            carrier: function.id.to_owned(),
        };
        let mut author = Author { language: &language, reviews: Vec::new() };
        for policy in part.policies.iter().chain(&part.new_managed_policies) {
            same_meaning(&policy.document).map_err(|refusal| refusal.at(author.language.place(function.node.span)))?;
        }
        let writing = Writing { site, function, part, referrer };
        plan.ops.extend(writing.ops(lists, &mut author, &mut taken)?);
        for review in author.reviews {
            if !plan.reviews.contains(&review) {
                plan.reviews.push(review);
            }
        }
    }
    if count > 0 {
        plan.reviews.push(format!(
            "`{}` is taken apart: {count} functions get a role of their own; the old role stays",
            site.role.id
        ));
    }
    Ok(plan)
}

impl Writing<'_, '_> {
    /// A role of its own, and the function's way to it.
    fn ops(&self, lists: bool, author: &mut Author<'_>, taken: &mut BTreeSet<String>) -> Result<Vec<Op>, Refusal> {
        let (site, function) = (self.site, self.function);
        let after = beside(site.template, &site.role).ok_or_else(|| {
            Refusal::new(RefusalCode::Unsupported, "the file has no `Resources` to write a role beside")
                .hint("add a resource, or the plugin `serverless-iam-roles-per-function`, then run again")
                .at(author.language.place(site.role.node.span))
        })?;
        let id = free_role(site.template, function.id, taken);
        let (names, new) = self.new_policies(author, &id, &after, taken);
        let own_role = function.property_at("Role").filter(|_| lists && policy_list::holds(self));
        if let Some((_, at)) = own_role {
            let mut ops = policy_list::ops(author, self, names, &at);
            ops.extend(new);
            return Ok(ops);
        }
        let with = role::resource(author, self, names)?;
        let mut ops = vec![Op::InsertEntry { after, key: id.clone(), with }];
        ops.extend(new);
        ops.push(pointed(author, site.template, function, &id)?);
        Ok(ops)
    }

    /// Managed policies for what does not fit into the role itself: how a list names them, and their resources.
    fn new_policies(
        &self,
        author: &mut Author<'_>,
        role: &str,
        after: &crate::tree::Path,
        taken: &mut BTreeSet<String>,
    ) -> (Vec<New>, Vec<Op>) {
        let (site, part) = (self.site, self.part);
        let (mut names, mut ops) = (Vec::new(), Vec::new());
        for policy in &part.new_managed_policies {
            let suffix = policy.name.strip_prefix(part.role.name()).filter(|rest| !rest.is_empty());
            let is_taken = |id: &str| site.template.declares(id) || taken.contains(id);
            let id = free_id(role, suffix.unwrap_or(&policy.name), &is_taken);
            taken.insert(id.clone());
            let name = role::literal_name(site).map(|_| policy.name.as_str());
            let with = role::conditional(self, managed_policy(author, &site.role, name, &policy.document));
            ops.push(Op::InsertEntry { after: after.clone(), key: id.clone(), with });
            author
                .reviews
                .push(format!("`{id}` is a new managed policy: it takes what does not fit into the new role"));
            names.push(self.referrer.reference_to(&id));
        }
        (names, ops)
    }
}

/// The function's `Role` as a reference to the new one.
fn pointed(author: &Author<'_>, template: &Template, function: &Resource<'_>, id: &str) -> Result<Op, Refusal> {
    let serverless = template.dialect == Dialect::Serverless && function.kind != "AWS::Lambda::Function";
    let key = if serverless { "role" } else { "Role" };
    let with = if serverless { New::text(id) } else { author.language.attribute(id, "Arn") };
    if let Some((_, at)) = function.property_at(key) {
        return Ok(Op::Replace { at, with, whole_line: false });
    }
    let first = function.properties.is_some_and(|p| !p.entries().is_empty()).then(|| function.place.child(0));
    let after = first.ok_or_else(|| {
        Refusal::new(RefusalCode::Unsupported, "the function has no property to write beside")
            .at(author.language.place(function.node.span))
    })?;
    Ok(Op::InsertEntry { after, key: key.into(), with })
}

/// A logical id that is free: `<Function>Role`, or the next one like it.
fn free_role(template: &Template, function: &str, taken: &mut BTreeSet<String>) -> String {
    let base = format!("{}Role", function.strip_suffix("LambdaFunction").filter(|f| !f.is_empty()).unwrap_or(function));
    let mut id = base.clone();
    let mut number = 2;
    while template.declares(&id) || taken.contains(&id) {
        id = format!("{base}{number}");
        number += 1;
    }
    taken.insert(id.clone());
    id
}
