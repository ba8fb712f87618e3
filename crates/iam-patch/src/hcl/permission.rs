//! `aws_lambda_permission`: blocks that stand for one statement each of a function's policy.
//!
//! Only the blocks whose statements change are touched, and only those must explain what is deployed. A block names one
//! source: where a statement becomes several, the others are written beside it.

mod added;

use std::cell::Cell;

use iam_model::arn::AccountId;
use iam_model::change::Change;
use iam_model::condition::Condition;
use iam_model::policy::{PolicyDocument, Statement};

use super::attach::{self, Edits};
use super::evaluate::{Evaluator, known};
use super::find::{self, Found};
use super::parse::EXPRESSION;
use super::policies;
use super::project::{At, Terraform};
use super::refer::Dialect;
use crate::compare;
use crate::op::{New, Op};
use crate::plan::{self, Author};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Text, Value};
use crate::tree::{Node, Path};

/// The type.
pub(super) const TYPE: &str = "aws_lambda_permission";

/// Every attribute of the type.
const ATTRIBUTES: &[&str] = &[
    "action",
    "event_source_token",
    "function_name",
    "function_url_auth_type",
    "invoked_via_function_url",
    "principal",
    "principal_org_id",
    "qualifier",
    "region",
    "source_account",
    "source_arn",
    "statement_id",
    "statement_id_prefix",
];

/// Conditions that Lambda writes for attributes: attribute, the property of CloudFormation, operator, key.
const CONDITIONS: &[(&str, &str, &str, &str)] = &[
    ("source_arn", "SourceArn", "ArnLike", "AWS:SourceArn"),
    ("source_account", "SourceAccount", "StringEquals", "AWS:SourceAccount"),
    ("principal_org_id", "PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("event_source_token", "EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ("function_url_auth_type", "FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ("invoked_via_function_url", "InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
];

/// The statement that a block stands for, as far as the files say.
pub(super) fn statement(evaluator: &Evaluator<'_>, body: &Node) -> Option<Value> {
    let value = |name: &str| body.get(name).map(|node| evaluator.fresh().node(node));
    let mut conditions: Vec<(String, Value)> = Vec::new();
    for (name, _, operator, key) in CONDITIONS {
        let Some(value) = value(name).filter(|value| *value != Value::Absent) else { continue };
        let entry = ((*key).to_owned(), value);
        match conditions.iter_mut().find(|(known, _)| known == operator) {
            Some((_, Value::Map(keys))) => keys.push(entry),
            _ => conditions.push(((*operator).to_owned(), Value::Map(vec![entry]))),
        }
    }
    let mut entries = vec![
        ("Effect".to_owned(), Value::Text(Text::literal("Allow"))),
        ("Principal".to_owned(), principal(evaluator, body.get("principal")?)),
        ("Action".to_owned(), value("action")?),
        ("Resource".to_owned(), Value::Text(Text::hole())),
    ];
    if !conditions.is_empty() {
        entries.push(("Condition".to_owned(), Value::Map(conditions)));
    }
    Some(Value::Map(entries))
}

/// A service, an account, an ARN or everyone, as Lambda writes it into the policy.
fn principal(evaluator: &Evaluator<'_>, node: &Node) -> Value {
    let value = evaluator.fresh().node(node);
    let (kind, text) = match known(&value).as_deref() {
        Some("*") => return value,
        Some(account) if AccountId::is_number(account) => {
            let partition = evaluator.account.partition.as_deref().unwrap_or("aws");
            ("AWS", Value::Text(Text::literal(format!("arn:{partition}:iam::{account}:root"))))
        }
        Some(arn) if arn.starts_with("arn:") => ("AWS", value),
        Some(_) => ("Service", value),
        // An account or an ARN that only the deployment knows.
        None => ("AWS", Value::Text(Text::hole())),
    };
    Value::Map(vec![(kind.to_owned(), text)])
}

/// The blocks of permissions for a function of this name that no resource of the project stands for.
pub(super) fn for_name(terraform: &Terraform, function: &str) -> Vec<At> {
    let (account, fuel) = (super::evaluate::Account::default(), Cell::new(0));
    let named = |at: &At| {
        let evaluator = Evaluator::new(terraform, terraform.module_of(*at), &account, true, &fuel);
        let name = terraform.body(*at).and_then(|body| body.get("function_name")).and_then(|n| evaluator.known(n));
        name.is_some_and(|name| name.rsplit(':').next() == Some(function))
    };
    let all = (0..terraform.modules.len()).flat_map(|module| terraform.blocks(module));
    all.filter(|(_, block)| block.is("resource", TYPE)).map(|(at, _)| at).filter(named).collect()
}

/// A permission of the files, and what it says.
struct Permission {
    at: At,
    value: Option<Value>,
}

struct Scene<'t> {
    terraform: &'t Terraform,
    found: &'t Found,
    dialect: &'t Dialect<'t>,
    permissions: Vec<Permission>,
    before: &'t [Statement],
}

/// Plans one change of a function's policy; what a person should look at is added to the author.
pub(super) fn plan<'t>(
    terraform: &'t Terraform,
    found: &'t Found,
    dialect: &'t Dialect<'t>,
    author: &mut Author<'_>,
    change: &'t Change,
) -> Result<Edits, Refusal> {
    let Some(before) = &change.before else {
        let message = "the change does not say what is deployed, so the permission that is meant cannot be told";
        return Err(Refusal::new(RefusalCode::Unsupported, message).hint("give `before`, the function's whole policy"));
    };
    let nothing = PolicyDocument::default();
    let after = &change.after.as_ref().unwrap_or(&nothing).statements;
    let arn = change.attachment.resource_arn.as_ref();
    let qualifier = arn.and_then(|arn| crate::permission::qualifier_of(arn.as_str()));
    let own = beside(terraform, found.site.owner).into_iter().filter(|at| is_for(terraform, *at, dialect, qualifier));
    let permissions = own.map(|at| {
        let body = terraform.body(at);
        Permission { at, value: body.and_then(|body| statement(&dialect.open, body)) }
    });
    let permissions = permissions.collect();
    let scene = Scene { terraform, found, dialect, permissions, before: &before.statements };
    let fates = plan::fates(&before.statements, after);
    let mut edits = Edits::default();
    for (number, old) in before.statements.iter().enumerate() {
        let new = fates.kept.get(number).copied().flatten().and_then(|index| after.get(index));
        if new.is_some_and(|new| plan::same_statement(old, new)) {
            continue;
        }
        if let Some(permission) = scene.of_statement(old, new)? {
            scene.edit(&mut edits, author, permission, old, new)?;
        }
    }
    scene.add(edits, author, &fates, after)
}

/// The permissions of the function that a permission is for.
fn beside(terraform: &Terraform, at: At) -> Vec<At> {
    let target = |at: At| terraform.body(at)?.get("function_name")?.raw_text().map(function_of);
    let (module, own) = (terraform.module_of(at), target(at));
    let all = terraform.blocks(module).filter(|(_, block)| block.is("resource", TYPE)).map(|(at, _)| at);
    all.filter(|other| *other == at || (own.is_some() && target(*other) == own)).collect()
}

/// Whether a permission may be for the alias or version of a function that is meant, or for the function as such.
fn is_for(terraform: &Terraform, at: At, dialect: &Dialect<'_>, qualifier: Option<&str>) -> bool {
    let Some(body) = terraform.body(at) else { return false };
    let known = |node: &Node| dialect.defaults.known(node);
    if let Some(node) = body.get("qualifier") {
        return qualifier.is_some_and(|wanted| known(node).is_none_or(|own| own == wanted));
    }
    let name = body.get("function_name");
    let text = name.and_then(known);
    let own = text.as_deref().and_then(crate::permission::qualifier_of);
    let is_alias = name.and_then(Node::raw_text).is_some_and(|text| text.contains("aws_lambda_alias."));
    match (qualifier, own) {
        (None, own) => own.is_none() && !is_alias,
        (Some(wanted), Some(own)) => own == wanted,
        (Some(_), None) => is_alias,
    }
}

/// `aws_lambda_function.a.arn` and `aws_lambda_function.a.function_name` are the same function.
fn function_of(text: &str) -> &str {
    let attribute = [".function_name", ".arn", ".id", ".qualified_arn", ".invoke_arn"];
    attribute.iter().find_map(|ending| text.strip_suffix(ending)).unwrap_or(text)
}

impl Permission {
    fn explains(&self, statement: &Statement) -> bool {
        self.value.as_ref().is_some_and(|value| compare::value_explains(value, statement, true))
    }
}

impl Scene<'_> {
    /// The permission that a deployed statement comes from; nothing where one says already what it should.
    fn of_statement(&self, old: &Statement, new: Option<&Statement>) -> Result<Option<&Permission>, Refusal> {
        let done = |p: &Permission| new.is_some_and(|new| p.explains(new));
        if let Some(named) = self.permissions.iter().find(|p| self.is_named(p, old)) {
            return match (named.explains(old), done(named)) {
                (true, _) => Ok(Some(named)),
                (false, true) => Ok(None),
                (false, false) => Err(self.drift(named)),
            };
        }
        let mut explaining = self.permissions.iter().filter(|p| p.explains(old));
        match (explaining.next(), explaining.next()) {
            (None, _) if self.permissions.iter().any(done) => Ok(None),
            (Some(only), None) if self.before.iter().filter(|s| only.explains(s)).count() < 2 => Ok(Some(only)),
            (Some(first), _) => {
                let name = find::named(self.terraform, first.at);
                let message =
                    format!("`{name}` is not the only permission that can be meant, or not for one statement");
                let refusal = Refusal::new(RefusalCode::Ambiguous, message);
                Err(self.at(
                    refusal.hint("give the deployed policy with its `Sid`s, and each block its `statement_id`"),
                    first.at,
                ))
            }
            (None, _) => Err(match self.permissions.first() {
                Some(first) => self.drift(first),
                None => self.unwritable("no permission is for this function"),
            }),
        }
    }

    /// Whether the block gives the statement its `Sid`.
    fn is_named(&self, permission: &Permission, statement: &Statement) -> bool {
        let id = self.terraform.body(permission.at).and_then(|body| body.get("statement_id"));
        let id = id.and_then(|node| self.dialect.defaults.known(node));
        id.is_some() && id == statement.sid
    }

    fn edit(
        &self,
        edits: &mut Edits,
        author: &mut Author<'_>,
        permission: &Permission,
        old: &Statement,
        new: Option<&Statement>,
    ) -> Result<(), Refusal> {
        let at = permission.at;
        let Some(body) = self.terraform.body(at) else { return Ok(()) };
        let several = policies::multiplied(body);
        let Some(new) = new else {
            if let Some(how) = several {
                let message = format!("one block with `{how}` stands for several permissions");
                return Err(self.at(Refusal::new(RefusalCode::Conditional, message), at));
            }
            let gone = attach::gone(self.terraform, at)?;
            edits.ops.extend(gone.ops);
            edits.blocks.extend(gone.blocks);
            return Ok(());
        };
        if let Some(how) = several {
            let name = find::named(self.terraform, at);
            let review = format!("`{name}` has `{how}`: one text stands for several permissions");
            if !author.reviews.contains(&review) {
                author.reviews.push(review);
            }
        }
        let ops = self.attributes(author, body, old, new)?;
        author.reviews.push(format!(
            "Terraform replaces `{}`: between the old and the new one, nobody is let in by it",
            find::named(self.terraform, at)
        ));
        edits.ops.extend(ops.into_iter().map(|op| (at, op)));
        Ok(())
    }

    /// The attributes that say the new statement.
    fn attributes(
        &self,
        author: &mut Author<'_>,
        body: &Node,
        old: &Statement,
        new: &Statement,
    ) -> Result<Vec<Op>, Refusal> {
        let mut rest = Statement { sid: new.sid.clone(), conditions: new.conditions.clone(), ..old.clone() };
        let place = |name: &str| body.find(name).map(|(index, _)| Path::default().child(index));
        let mut ops = Vec::new();
        let names = |s: &Statement| s.action.patterns().iter().map(|p| p.value.as_str().to_owned()).collect::<Vec<_>>();
        if let ([only], Some(at)) = (names(new).as_slice(), place("action").filter(|_| names(old) != names(new))) {
            rest.action = new.action.clone();
            ops.push(Op::Replace { at, with: New::text(only), whole_line: false });
        }
        if !plan::same_statement(&rest, new) {
            return Err(self.unwritable("the change touches more than the action and the conditions"));
        }
        if place("principal").is_none() {
            return Err(self.unwritable("the block has no `principal`"));
        }
        // Behind the last attribute: a long name in between would leave those after it out of line.
        let last = ATTRIBUTES.iter().filter_map(|name| body.find(name)).map(|(index, _)| index).max();
        let beside = Path::default().child(last.unwrap_or_default());
        self.sayable(new)?;
        for (name, property, ..) in CONDITIONS {
            let (before, after) = (value_of(old, property), value_of(new, property));
            if before == after {
                continue;
            }
            ops.push(match (place(name), after) {
                (Some(at), None) => Op::Remove { at },
                (Some(at), Some(text)) => Op::Replace { at, with: self.value(author, &text), whole_line: false },
                (None, Some(text)) => {
                    let with = self.value(author, &text);
                    Op::InsertEntry { after: beside.clone(), key: (*name).to_owned(), with }
                }
                (None, None) => continue,
            });
        }
        Ok(ops)
    }

    /// Whether each condition of a statement has an attribute, and one value.
    fn sayable(&self, statement: &Statement) -> Result<(), Refusal> {
        let strange = |c: &Condition| plan::permission_property(c).is_none() || c.values.len() != 1;
        match statement.conditions.iter().find(|c| strange(c)) {
            Some(condition) => Err(self.unwritable(&format!("the condition on `{}`", condition.key.as_str()))),
            None => Ok(()),
        }
    }

    fn value(&self, author: &mut Author<'_>, text: &str) -> New {
        match self.dialect.account_reference().filter(|_| self.dialect.open.account.id.as_deref() == Some(text)) {
            Some(reference) => New::Tagged(EXPRESSION.into(), reference),
            None => author.resource(text),
        }
    }

    fn at(&self, refusal: Refusal, at: At) -> Refusal {
        match self.terraform.body(at) {
            Some(body) => refusal.at(find::place(self.terraform, at, body)),
            None => refusal,
        }
    }

    fn unwritable(&self, why: &str) -> Refusal {
        let refusal = Refusal::new(RefusalCode::Unsupported, format!("{why}: an `{TYPE}` cannot say it"));
        self.at(
            refusal.hint("change the block by hand; the policy is printed with this refusal"),
            self.found.site.owner,
        )
    }

    fn drift(&self, permission: &Permission) -> Refusal {
        let name = find::named(self.terraform, permission.at);
        let refusal = Refusal::new(RefusalCode::Drift, format!("`{name}` does not explain its deployed statement"));
        self.at(
            refusal.hint("apply the configuration, or bring it up to date with the account, and collect again"),
            permission.at,
        )
    }
}

/// What a statement says of a property of CloudFormation.
fn value_of(statement: &Statement, property: &str) -> Option<String> {
    let is = |c: &&Condition| plan::permission_property(c) == Some(property);
    statement.conditions.iter().find(is).and_then(|c| c.values.first()).map(|v| v.value.clone())
}
