//! A change of a function's or bus's policy, carried out on the resources that stand for its statements.
//!
//! Only the resources whose statements change are touched, and only those must explain what is deployed: SAM and the
//! console add others that no source text stands for. A permission names one source: where a statement becomes several,
//! the others are written beside it.

mod added;

use iam_model::change::Change;
use iam_model::condition::Condition;
use iam_model::policy::{PolicyDocument, Statement};

use super::matching::Fates;
use super::remove::referred_to;
use super::{Author, CloudFormation, Plan, matching, statement};
use crate::compare::{self, SourceStatement};
use crate::depends;
use crate::locate::{self, Found};
use crate::op::{New, Op};
use crate::permission;
use crate::reference::Referrer;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Resolver, Value};
use crate::template::{Resource, Template};

/// A permission of the template, and what it says.
struct Permission<'t> {
    resource: Resource<'t>,
    value: Option<Value>,
}

struct Scene<'t> {
    template: &'t Template,
    found: &'t Found<'t>,
    referrer: &'t Referrer<'t>,
    permissions: Vec<Permission<'t>>,
    /// What is deployed.
    before: &'t [Statement],
    /// The logical id that the change gives.
    meant: Option<&'t str>,
}

/// Plans one change.
pub(super) fn plan<'t>(
    template: &'t Template,
    found: &'t Found<'t>,
    referrer: &'t Referrer<'t>,
    change: &'t Change,
) -> Result<Plan, Refusal> {
    let resolver = Resolver::open(template, &found.stack);
    let arn = change.attachment.resource_arn.as_ref();
    let is_of = |resource: &Resource<'_>| arn.is_none_or(|arn| permission::is_of(template, &resolver, resource, arn));
    let of = permission::of(template, &found.stack, &found.site.resource).into_iter().filter(is_of);
    let permissions = of.map(|resource| {
        let value = permission::statement(&resolver, &resource);
        Permission { resource, value }
    });
    let Some(before) = &change.before else {
        let message = "the change does not say what is deployed, so the permission that is meant cannot be told";
        return Err(Refusal::new(RefusalCode::Unsupported, message).hint("give `before`, the resource's whole policy"));
    };
    let nothing = PolicyDocument::default();
    let after = &change.after.as_ref().unwrap_or(&nothing).statements;
    let before = before.statements.as_slice();
    let meant = change.attachment.logical_id.as_deref().filter(|_| before.len() == 1);
    let scene = Scene { template, found, referrer, permissions: permissions.collect(), before, meant };
    let fates = matching::fates(before, after);
    let mut plan = Plan { reviews: found.reviews.clone(), ..Plan::default() };
    for (at, old) in before.iter().enumerate() {
        let new = fates.kept.get(at).copied().flatten().and_then(|index| after.get(index));
        if new.is_some_and(|new| matching::same(old, new)) {
            continue;
        }
        if let Some(permission) = scene.of_statement(old, new)? {
            plan = scene.edit(plan, permission, old, new)?;
        }
    }
    scene.add(plan, &fates, after)
}

/// The statement that stays of the one that an added statement was a part of: they say the same but for conditions.
pub(crate) fn sibling<'s>(
    before: &'s [Statement],
    after: &'s [Statement],
    fates: &Fates,
    new: &Statement,
) -> Option<(&'s Statement, &'s Statement)> {
    let alike = |kept: &Statement| {
        matching::same(&Statement { sid: new.sid.clone(), conditions: new.conditions.clone(), ..kept.clone() }, new)
    };
    let pairs = before.iter().zip(&fates.kept).filter_map(|(old, kept)| Some((old, after.get((*kept)?)?)));
    let mut alike = pairs.filter(|(_, kept)| alike(kept)).collect::<Vec<_>>();
    let is_named = |old: &Statement| {
        let (Some(own), Some(new)) = (&old.sid, &new.sid) else { return false };
        new.strip_prefix(own.as_str()).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    if alike.len() > 1 {
        alike.retain(|(old, _)| is_named(old));
    }
    match alike.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

impl Permission<'_> {
    fn explains(&self, statement: &Statement) -> bool {
        self.value.as_ref().is_some_and(|value| compare::value_explains(value, statement, false))
    }

    /// Whether the statement's `Sid` is the name that CloudFormation gave this resource.
    fn is_named(&self, statement: &Statement) -> bool {
        let id = self.resource.property("StatementId").and_then(crate::tree::Node::text);
        statement.sid.as_deref().is_some_and(|sid| id == Some(sid) || locate::is_generated(self.resource.id, sid))
    }
}

impl<'t> Scene<'t> {
    /// The permission that a deployed statement comes from; nothing where one says already what it should.
    fn of_statement(&self, old: &Statement, new: Option<&Statement>) -> Result<Option<&Permission<'t>>, Refusal> {
        let named = self.permissions.iter().find(|p| p.is_named(old));
        let done = |p: &Permission<'_>| new.is_some_and(|new| p.explains(new));
        let meant = |p: &&Permission<'_>| self.meant == Some(p.resource.id) && (p.explains(old) || done(p));
        if let Some(meant) = self.permissions.iter().find(meant) {
            return Ok(Some(meant).filter(|p| p.explains(old)));
        }
        let mut explaining = self.permissions.iter().filter(|p| p.explains(old));
        let (first, second) = (explaining.next(), explaining.next());
        match (named, first, second) {
            (Some(named), ..) if named.explains(old) => Ok(Some(named)),
            (Some(named), ..) if done(named) => Ok(None),
            (Some(named), ..) => Err(self.drift(Some(&named.resource))),
            (None, None, _) if self.permissions.iter().any(done) => Ok(None),
            // Named after another resource of this stack: SAM's own, or one that another template holds.
            (None, ..) if self.is_of_stack(old) => Err(self.drift(None)),
            (None, Some(only), None) => {
                let others = self.before.iter().filter(|s| only.explains(s)).count();
                if others > 1 { Err(self.ambiguous(&only.resource)) } else { Ok(Some(only)) }
            }
            (None, Some(first), Some(_)) => Err(self.ambiguous(&first.resource)),
            (None, None, _) => Err(self.drift(None)),
        }
    }

    fn is_of_stack(&self, statement: &Statement) -> bool {
        let Some(sid) = statement.sid.as_deref() else { return false };
        let after = |name: &str| sid.strip_prefix(name)?.strip_prefix('-');
        // `<stack>-<logical id>-<random>`, whatever the stack is called.
        let is_made = || {
            let (head, random) = sid.rsplit_once('-')?;
            let bytes = || random.bytes();
            let digits = bytes().any(|b| b.is_ascii_digit()) && bytes().any(|b| b.is_ascii_alphabetic());
            let is_random = (12..=13).contains(&random.len()) && bytes().all(|b| b.is_ascii_alphanumeric()) && digits;
            head.rsplit_once('-').filter(|_| is_random)
        };
        self.found.stack.name.as_deref().and_then(after).is_some() || is_made().is_some()
    }

    fn edit(
        &self,
        mut plan: Plan,
        permission: &Permission<'t>,
        old: &Statement,
        new: Option<&Statement>,
    ) -> Result<Plan, Refusal> {
        let resource = &permission.resource;
        let place = resource.place.parent().ok_or_else(|| self.unwritable("the resource has no properties"))?;
        super::shared(self.template, &place)?;
        let Some(new) = new else {
            if referred_to(self.template, resource.id) {
                let message = format!("`{}` goes, but other resources refer to it", resource.id);
                return Err(Refusal::new(RefusalCode::Unsupported, message)
                    .hint("take it out of their `DependsOn` and references, remove it, and run again")
                    .at(locate::place(self.template, resource.node.span)));
            }
            plan.ops.push(Op::Remove { at: place });
            return Ok(plan);
        };
        if resource.node.get("Condition").is_some() {
            plan.reviews.push(format!("`{}` is deployed under a condition", resource.id));
        }
        let language = CloudFormation {
            template: self.template,
            resolver: Resolver::open(self.template, &self.found.stack),
            referrer: self.referrer,
            carrier: depends::carrier(resource),
        };
        let mut author = Author { language: &language, reviews: plan.reviews };
        let ops = match resource.property_at("Statement") {
            Some((node, place)) => statement::edit(&mut author, &SourceStatement::new(node, place), old, new)?,
            None => self.properties(&mut author, resource, old, new)?,
        };
        plan.ops.extend(ops);
        plan.reviews = author.reviews;
        Ok(plan)
    }

    /// The properties of a Lambda permission that say the new statement.
    fn properties(
        &self,
        author: &mut Author<'_>,
        resource: &Resource<'_>,
        old: &Statement,
        new: &Statement,
    ) -> Result<Vec<Op>, Refusal> {
        let mut rest = Statement { sid: new.sid.clone(), conditions: new.conditions.clone(), ..old.clone() };
        let actions = old.action.patterns().iter().map(|p| p.value.as_str()).eq(new
            .action
            .patterns()
            .iter()
            .map(|p| p.value.as_str()));
        let mut ops = Vec::new();
        if let ([only], false, Some((_, at))) = (new.action.patterns(), actions, resource.property_at("Action")) {
            rest.action = new.action.clone();
            ops.push(Op::Replace { at, with: New::text(only.value.as_str()), whole_line: false });
        }
        if !matching::same(&rest, new) {
            return Err(self.unwritable("the change touches more than the action and the conditions"));
        }
        let Some((_, beside)) = resource.property_at("Principal") else {
            return Err(self.unwritable("the permission has no `Principal`"));
        };
        let unknown = |c: &&Condition| property(c).is_none();
        let texts = |c: &Condition| (c.operator.to_string(), c.key.as_str().to_ascii_lowercase(), values(c));
        let strange = |s: &Statement| s.conditions.iter().filter(unknown).map(texts).collect::<Vec<_>>();
        if strange(old) != strange(new) {
            return Err(self.unwritable("a condition has no property in `AWS::Lambda::Permission`"));
        }
        if new.conditions.iter().any(|c| property(c).is_some() && c.values.len() != 1) {
            return Err(self.unwritable("a condition has several values"));
        }
        for (name, ..) in permission::CONDITIONS {
            let of = |s: &Statement| s.conditions.iter().find(|c| property(c) == Some(*name)).map(values);
            let (old, new) = (of(old), of(new).and_then(|values| values.into_iter().next()));
            if old.as_ref().and_then(|values| values.first()) == new.as_ref() {
                continue;
            }
            ops.push(match (resource.property_at(name), new) {
                (Some((_, at)), None) => Op::Remove { at },
                (Some((_, at)), Some(new)) => Op::Replace { at, with: self.value(author, &new), whole_line: false },
                (None, Some(new)) => {
                    let with = self.value(author, &new);
                    Op::InsertEntry { after: beside.clone(), key: (*name).to_owned(), with }
                }
                (None, None) => continue,
            });
        }
        Ok(ops)
    }

    fn value(&self, author: &mut Author<'_>, text: &str) -> New {
        match self.found.stack.account.as_deref() == Some(text) {
            true => self.referrer.reference_to("AWS::AccountId"),
            false => author.resource(text),
        }
    }

    fn unwritable(&self, why: &str) -> Refusal {
        Refusal::new(RefusalCode::Unsupported, format!("{why}: a permission cannot say it"))
            .hint("change the `Permission` resource by hand; the policy is printed with this refusal")
            .at(locate::place(self.template, self.found.site.node.span))
    }

    fn ambiguous(&self, resource: &Resource<'_>) -> Refusal {
        let message =
            format!("`{}` is not the only permission that can be meant, or not for one statement", resource.id);
        Refusal::new(RefusalCode::Ambiguous, message)
            .hint("give the deployed policy with its `Sid`s: CloudFormation names them after the resources")
            .at(locate::place(self.template, resource.node.span))
    }

    fn drift(&self, resource: Option<&Resource<'_>>) -> Refusal {
        let (message, node) = match resource {
            Some(resource) => (format!("`{}` does not explain its deployed statement", resource.id), resource.node),
            None => ("no permission here explains the deployed statement".to_owned(), self.found.site.resource.node),
        };
        Refusal::new(RefusalCode::Drift, message)
            .hint(
                "SAM writes it for an event, or somebody added it in the account; otherwise deploy, and collect again",
            )
            .at(locate::place(self.template, node.span))
    }
}

fn values(condition: &Condition) -> Vec<String> {
    condition.values.iter().map(|v| v.value.clone()).collect()
}

/// The property that makes a condition, or one that means the same.
pub(crate) fn property(condition: &Condition) -> Option<&'static str> {
    let (operator, key) = (condition.operator.to_string(), condition.key.as_str());
    let exact = condition.values.iter().all(|v| !v.value.contains(['*', '?']));
    let same = |wanted: &str| match wanted {
        "ArnLike" => {
            matches!(operator.as_str(), "ArnLike" | "ArnEquals") || (exact && operator.as_str() == "StringEquals")
        }
        wanted => operator == wanted,
    };
    let found = permission::CONDITIONS.iter().find(|(_, o, k)| same(o) && k.eq_ignore_ascii_case(key));
    found.map(|(name, ..)| *name)
}
