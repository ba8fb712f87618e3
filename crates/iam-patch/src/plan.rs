//! A change at a found place as the fewest operations that make the source say what it should.
//!
//! Knows values, not text: how an operation is written is for `write`.

mod attach;
mod checks;
mod embedded;
mod endpoint;
mod generated;
mod list;
mod matching;
mod narrow;
mod permission;
mod remove;
mod split;
mod statement;
mod version;

use iam_model::change::Change;
use iam_model::diagnostic::Place;
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::text::Span;

pub(crate) use self::attach::{plan_new_policies, same_meaning};
use self::checks::{framework_variables, repeated, shared, told_apart};
pub(crate) use self::checks::{repeated_below, twice_refused};
use self::embedded::{Embedded, InText};
pub(crate) use self::endpoint::must_be_default;
pub(crate) use self::generated::{aligned, with_generated};
pub(crate) use self::matching::{Fates, fates, includes, same as same_statement};
pub(crate) use self::narrow::Pattern;
pub(crate) use self::permission::{property as permission_property, sibling};
use self::remove::remove;
pub(crate) use self::split::{SplitSite, plan_split};
pub(crate) use self::version::version;
use crate::compare::{self, SourceStatement};
use crate::depends;
use crate::intrinsic;
use crate::locate::Found;
use crate::op::{New, Op};
use crate::reference::{Referrer, Written};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Resolve, Resolver, Value};
use crate::sam;
use crate::site::{Form, Site};
use crate::template::{Dialect, Template};
use crate::tree::{Node, Path};

/// What to do in the template, and what a person should look at first.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) ops: Vec<Op>,
    pub(crate) reviews: Vec<String>,
}

/// What planning needs of a language: what values mean, how ARNs are written, and where bytes stand.
pub(crate) trait Language: Resolve {
    /// The text to write for a concrete value.
    fn write(&self, concrete: &str) -> Written;

    /// A reference to an attribute of another resource.
    fn attribute(&self, resource: &str, attribute: &str) -> New {
        New::text(format!("{resource}.{attribute}"))
    }

    /// The place of a span.
    fn place(&self, span: Span) -> Place;

    /// What to do where the source does not say what is deployed.
    fn after_drift(&self) -> &'static str {
        "deploy the template, or bring it up to date with the account, and collect again"
    }

    /// An expression as a text with `${…}` in it, where it is one.
    fn pattern(&self, _node: &Node) -> Option<Pattern> {
        None
    }

    /// Such a text as a value to write.
    fn of_pattern(&self, pattern: &Pattern, text: String) -> New {
        match &pattern.tag {
            Some(tag) => New::Tagged(tag.clone(), text),
            None => New::Text(text),
        }
    }

    /// A literal piece of such a text.
    fn escaped(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Turns values of the deployed policy into source, and remembers what needs a look.
pub(crate) struct Author<'t> {
    pub(crate) language: &'t dyn Language,
    pub(crate) reviews: Vec<String>,
}

/// CloudFormation and SAM.
struct CloudFormation<'t> {
    template: &'t Template,
    resolver: Resolver<'t>,
    referrer: &'t Referrer<'t>,
    carrier: String,
}

impl Resolve for CloudFormation<'_> {
    fn value(&self, node: &Node) -> Value {
        self.resolver.value(node)
    }
}

impl Language for CloudFormation<'_> {
    fn write(&self, concrete: &str) -> Written {
        self.referrer.write(concrete, &self.carrier)
    }

    fn attribute(&self, resource: &str, attribute: &str) -> New {
        self.referrer.get_att(resource, attribute)
    }

    fn place(&self, span: Span) -> Place {
        crate::locate::place(self.template, span)
    }

    fn pattern(&self, node: &Node) -> Option<Pattern> {
        if intrinsic::call(node).is_none() {
            let variable = |text: &&str| self.template.dialect == Dialect::Serverless && text.contains("${");
            return Some(Pattern { tag: None, text: node.text().filter(variable)?.to_owned() });
        }
        Some(Pattern { tag: Some("!Sub".into()), text: intrinsic::as_sub(node)? })
    }

    fn of_pattern(&self, pattern: &Pattern, text: String) -> New {
        if pattern.tag.is_some() { self.referrer.sub(text) } else { New::Text(text) }
    }

    fn escaped(&self, text: &str) -> String {
        crate::reference::escaped(text)
    }
}

impl Author<'_> {
    pub(crate) fn resource(&mut self, concrete: &str) -> New {
        let written = self.language.write(concrete);
        if let Some(review) = written.review
            && !self.reviews.contains(&review)
        {
            self.reviews.push(review);
        }
        written.value
    }
}

/// Plans one change.
pub(crate) fn plan<'t>(
    template: &'t Template,
    found: &'t Found<'t>,
    referrer: &'t Referrer<'t>,
    change: &Change,
) -> Result<Plan, Refusal> {
    let site = &found.site;
    if site.form == Form::Permission {
        return permission::plan(template, found, referrer, change);
    }
    shared(template, &site.place)?;
    repeated(template, &site.place)?;
    let language = CloudFormation {
        template,
        resolver: Resolver::open(template, &found.stack),
        referrer,
        carrier: depends::carrier(&site.resource),
    };
    let mut author = Author { language: &language, reviews: found.reviews.clone() };
    let after = change.after.as_ref().filter(|after| !after.statements.is_empty());
    let ops = match (&site.document, after) {
        (_, None) => remove(template, site, &author, change)?,
        (Some((document, place)), Some(after)) if site.form == Form::ServerlessStatements => {
            let (before, after) = generated::left_out(&language, document, place, change.before.as_ref(), after)?;
            edit_document(&mut author, document, place, before.as_ref(), &after)?
        }
        (Some((document, place)), Some(after)) => {
            edit_versioned(&mut author, document, place, change.before.as_ref(), after)?
        }
        (None, Some(after)) if site.text.is_some() => {
            edit_text(&mut author, template, site, change.before.as_ref(), after)?
        }
        (None, Some(after)) if site.form == Form::SamTemplate => {
            replace_template(&mut author, site, change.before.as_ref(), after)?
        }
        (None, Some(after)) if site.lacks_policy() => endpoint::insert(&mut author, site, change, after)?,
        (None, Some(after)) => replace_item(&mut author, site, after)?,
    };
    if let (Dialect::Serverless, Some(after), false) = (template.dialect, after, ops.is_empty()) {
        framework_variables(&author, site, change.before.as_ref(), after)?;
    }
    Ok(Plan { ops, reviews: author.reviews })
}

/// The operations that make a document that names its version say what it should.
fn edit_versioned(
    author: &mut Author<'_>,
    document: &Node,
    place: &Path,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    let mut ops = edit_document(author, document, place, before, after)?;
    ops.extend(version(author, document, place, (before, after), None)?);
    Ok(ops)
}

/// A document written as a text: edited inside the scalar that holds it.
fn edit_text(
    author: &mut Author<'_>,
    template: &Template,
    site: &Site<'_>,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    let unreadable = || {
        Refusal::new(RefusalCode::DocumentIsText, "the policy document is a text that is no JSON")
            .hint("write the document as a mapping, then run again")
            .at(author.language.place(site.node.span))
    };
    let text = site.text.as_ref().ok_or_else(unreadable)?;
    let embedded = Embedded::read(template, text).ok_or_else(unreadable)?;
    if let Some(entry) = repeated_below(embedded.document()) {
        return Err(twice_refused(entry).at(author.language.place(site.node.span)));
    }
    let span = text.node.span;
    let language = InText { around: author.language, sub: text.sub, span };
    let mut inside = Author { language: &language, reviews: std::mem::take(&mut author.reviews) };
    let ops = edit_versioned(&mut inside, embedded.document(), &Path::default(), before, after);
    author.reviews = inside.reviews;
    let ops = ops?;
    if ops.is_empty() {
        return Ok(ops);
    }
    let (new, edits) = embedded.edited(&ops).map_err(|refusal| refusal.at(author.language.place(span)))?;
    Ok(vec![Op::Text { at: text.place.clone(), text: new, edits }])
}

/// The operations that make a document say what it should.
pub(crate) fn edit_document(
    author: &mut Author<'_>,
    document: &Node,
    place: &Path,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    let source = compare::statements(document, place);
    edit_statements(author, document, place, &source, before, after)
}

/// The same, where it is known which statements the document has.
pub(crate) fn edit_statements(
    author: &mut Author<'_>,
    document: &Node,
    place: &Path,
    source: &[SourceStatement<'_>],
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    let Some(before) = before else {
        author.reviews.push("the change does not say what is deployed: all statements are written anew".into());
        return replace_all(author, document, place, after);
    };
    if let Some(statement) = source.iter().find(|s| intrinsic::call(s.node).is_some()) {
        return Err(Refusal::new(RefusalCode::Conditional, "a statement is made by a condition or a macro")
            .at(author.language.place(statement.node.span)));
    }
    let named = |s: &&SourceStatement<'_>| s.node.raw_text().is_some_and(|text| text.starts_with("${"));
    if let Some(statement) = source.iter().find(named) {
        return Err(Refusal::new(RefusalCode::Conditional, "a statement comes from a variable or another file")
            .hint("write it out in the list, or edit it where it stands; the change is printed with this refusal")
            .at(author.language.place(statement.node.span)));
    }
    let Some(pairs) = compare::pair(author.language, source, &before.statements) else {
        return drift(author, source, document, before, after);
    };
    if before.same_text(after) {
        return Ok(Vec::new());
    }
    let fates = fates(&before.statements, &after.statements);
    told_apart(author, source, &pairs, (before, after), &fates)?;
    if source.len() == 1 && after.statements.len() > 1 && document.get("Statement").is_some_and(Node::is_map) {
        return replace_all(author, document, place, after);
    }
    let mut ops = Vec::new();
    for (statement, deployed) in source.iter().zip(&pairs) {
        let Some((deployed, old)) = deployed.and_then(|at| Some((at, before.statements.get(at)?))) else { continue };
        let fate = fates.kept.get(deployed).copied().flatten();
        let edits = match fate.and_then(|index| after.statements.get(index)) {
            // What was written about the old statement is not about the new one. A principal may be a reference to keep.
            Some(new) if fates.replaced == Some(deployed) && old.principal.is_none() => {
                let with = statement::whole(author, new);
                vec![Op::Replace { at: statement.place.clone(), with, whole_line: false }]
            }
            Some(new) => statement::edit(author, statement, old, new)?,
            None => vec![removed(author, statement)?],
        };
        if let (Some(_), false) = (&statement.branch, edits.is_empty()) {
            let review = "a statement stands in a branch of `Fn::If`";
            if !author.reviews.iter().any(|known| known == review) {
                author.reviews.push(review.to_owned());
            }
        }
        ops.extend(edits);
    }
    let anchor = last_kept(source, &ops);
    for index in fates.added {
        let (Some(new), Some(anchor)) = (after.statements.get(index), &anchor) else { continue };
        ops.push(Op::InsertItem { after: anchor.clone(), with: statement::whole(author, new) });
    }
    Ok(ops)
}

/// A statement goes; with it the condition around it, where that has nothing else to say.
fn removed(author: &Author<'_>, statement: &SourceStatement<'_>) -> Result<Op, Refusal> {
    match &statement.branch {
        Some(branch) if !branch.alone => {
            let message = "a statement goes that is one of two branches of a condition";
            Err(Refusal::new(RefusalCode::Conditional, message)
                .hint("put `!Ref AWS::NoValue` in its place by hand")
                .at(author.language.place(statement.node.span)))
        }
        _ => Ok(Op::Remove { at: statement.item().clone() }),
    }
}

/// Whether an element of a statement is not known at all: a list parameter without value, a `Split` of an import.
fn is_undecided(statement: Value) -> bool {
    let Value::Map(elements) = statement else { return false };
    let unknown = |value: &Value| match value {
        Value::Unknown => true,
        Value::List(items) => items.contains(&Value::Unknown),
        _ => false,
    };
    elements.iter().any(|(_, value)| unknown(value))
}

fn last_kept(source: &[SourceStatement<'_>], ops: &[Op]) -> Option<Path> {
    let removed = |place: &Path| ops.iter().any(|op| matches!(op, Op::Remove { at } if at == place));
    source.iter().rev().map(SourceStatement::item).find(|place| !removed(place)).cloned()
}

/// The source does not say what is deployed. If it already says what should be, there is nothing to do.
fn drift(
    author: &Author<'_>,
    source: &[SourceStatement<'_>],
    document: &Node,
    before: &PolicyDocument,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    if let Some(pairs) = compare::pair(author.language, source, &after.statements)
        && !checks::may_say_more(author.language, source, &pairs, before, after)
    {
        return Ok(Vec::new());
    }
    let undecided = |s: &SourceStatement<'_>| is_undecided(author.language.value(s.node));
    if let Some(statement) = source.iter().find(|s| undecided(s) && !author.language.may_be_lists()) {
        let message = "a list is made by a parameter or a function that cannot be resolved here";
        return Err(Refusal::new(RefusalCode::Conditional, message)
            .hint("give the parameter its value with a snapshot of the stack, or edit by hand")
            .at(author.language.place(statement.node.span)));
    }
    let plural = if source.len() == 1 { "" } else { "s" };
    let (here, there) = (source.len(), before.statements.len());
    let mut message =
        format!("the source does not explain the deployed policy: {here} statement{plural} here, {there} deployed");
    if let Some((number, statement)) = compare::unexplained(author.language, source, &before.statements) {
        let action = statement.action.patterns().first().map(|p| p.value.as_str()).unwrap_or_default();
        message.push_str(&format!("; none here is the deployed statement {number} (`{action}`)"));
    }
    Err(Refusal::new(RefusalCode::Drift, message)
        .hint(author.language.after_drift())
        .at(author.language.place(document.span)))
}

/// The whole list of statements anew, where nothing is known of the old one or its form cannot hold the new one.
fn replace_all(
    author: &mut Author<'_>,
    document: &Node,
    place: &Path,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    let with = statement::list(author, &after.statements);
    let at = match document.find("Statement") {
        Some((index, _)) => place.child(index),
        None if document.is_seq() => place.clone(),
        None => return Err(Refusal::new(RefusalCode::Unsupported, "the document holds no `Statement`")),
    };
    Ok(vec![Op::Replace { at, with, whole_line: false }])
}

/// A policy template that explains what is deployed gives way to an inline document, unless it is to stay as it is.
fn replace_template(
    author: &mut Author<'_>,
    site: &Site<'_>,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    match (sam::expanded(site.node), before) {
        (None, _) => author.reviews.push("SAM's policy template is not known: it was not compared".into()),
        (Some(_), None) => author.reviews.push("the change does not say what is deployed: it was not compared".into()),
        (Some(document), Some(before)) => {
            let source = compare::statements(&document, &Path::default());
            if compare::pair(author.language, &source, &before.statements).is_none() {
                return drift(author, &source, site.node, before, after);
            }
            if before.same_text(after) {
                return Ok(Vec::new());
            }
        }
    }
    replace_item(author, site, after)
}

/// A managed policy or a policy template gives way to an inline document.
fn replace_item(author: &mut Author<'_>, site: &Site<'_>, after: &PolicyDocument) -> Result<Vec<Op>, Refusal> {
    let document = document(author, &after.statements);
    match (site.form, &site.list) {
        (Form::SamTemplate | Form::ManagedItem, Some(_)) if site.resource.has_policy_list() => {
            Ok(vec![Op::Replace { at: site.place.clone(), with: document, whole_line: true }])
        }
        (Form::SamTemplate | Form::ManagedItem, None) => {
            Ok(vec![Op::Replace { at: site.place.clone(), with: New::Seq(vec![document]), whole_line: true }])
        }
        (Form::ManagedItem, Some(_)) if site.resource.is_framework_role() => {
            let list = statement::list(author, &after.statements);
            generated::managed_to_statements(author, site, list)
        }
        (Form::ManagedItem, Some(_)) => managed_to_inline(author, site, document),
        _ if site.node.raw_text().is_some_and(|text| text.starts_with("${")) => {
            let message = "the statements come from a variable, or a file that is not among the sources";
            Err(Refusal::new(RefusalCode::Conditional, message)
                .hint("edit them where they stand, or give the folder that holds the file")
                .at(author.language.place(site.node.span)))
        }
        _ => {
            let text = || {
                Refusal::new(RefusalCode::DocumentIsText, "the policy document is written as a text")
                    .hint("write the document as a mapping, then run again")
            };
            let refusal = intrinsic::made_document(site.node).unwrap_or_else(text);
            Err(refusal.at(author.language.place(site.node.span)))
        }
    }
}

/// A policy document written anew.
pub(crate) fn document(author: &mut Author<'_>, statements: &[Statement]) -> New {
    let list = statement::list(author, statements);
    New::Map(vec![("Version".into(), New::text("2012-10-17")), ("Statement".into(), list)])
}

/// `ManagedPolicyArns` takes no documents: the item goes, and `Policies` beside it gets the document.
fn managed_to_inline(author: &Author<'_>, site: &Site<'_>, document: New) -> Result<Vec<Op>, Refusal> {
    let resource = &site.resource;
    let unsupported =
        |what: &str| Err(Refusal::new(RefusalCode::Unsupported, what).at(author.language.place(site.node.span)));
    let inline = New::Map(vec![
        ("PolicyName".into(), New::Text(free_name(resource.id, resource.property("Policies")))),
        ("PolicyDocument".into(), document),
    ]);
    let remove = Op::Remove { at: site.place.clone() };
    if site.conditional {
        return unsupported("a managed policy inside a condition cannot be replaced");
    }
    if let Some((policies, place)) = resource.property_at("Policies") {
        let Some(last) = policies.items().len().checked_sub(1).filter(|_| policies.tag.is_none()) else {
            return unsupported("the list `Policies` is not written out");
        };
        return Ok(vec![remove, Op::InsertItem { after: place.child(last), with: inline }]);
    }
    let beside = resource.property_at("AssumeRolePolicyDocument").or_else(|| {
        let other = resource.properties?.entries().iter().find(|e| e.name() != "ManagedPolicyArns")?;
        resource.property_at(other.name())
    });
    let Some((_, beside)) = beside else { return unsupported("the resource has no property to write beside") };
    Ok(vec![remove, Op::InsertEntry { after: beside, key: "Policies".into(), with: New::Seq(vec![inline]) }])
}

fn free_name(id: &str, policies: Option<&Node>) -> String {
    let taken = |name: &str| {
        policies.is_some_and(|list| list.items().iter().any(|p| p.get("PolicyName").and_then(Node::text) == Some(name)))
    };
    let mut name = format!("{id}Policy");
    let mut number = 2;
    while taken(&name) {
        name = format!("{id}Policy{number}");
        number += 1;
    }
    name
}
