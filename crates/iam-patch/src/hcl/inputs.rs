//! Calls of the module `terraform-aws-modules/lambda`: the policies that its documented inputs stand for.
//!
//! `policy_statements` is read as a policy document whose places are those of the input, so planning needs to know
//! nothing of modules; what was planned is turned back into the input's words here. What such a module makes of its
//! inputs is not in these files, so every edit waits for a person.

use iam_model::policy::{PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::text::Span;

use super::document::{terraform_name, variables, word};
use super::evaluate::Evaluator;
use super::functions;
use super::parse::{EXPRESSION, HEREDOC};
use super::policies::{Site, Writing, resolve};
use super::project::{At, Terraform};
use crate::op::{New, Op};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Text;
use crate::site::Form;
use crate::tree::{Entry, Kind, Node, Path};

/// Inputs with the flag that attaches them.
const INPUTS: &[(&str, Option<&str>, Form)] = &[
    ("policy_statements", Some("attach_policy_statements"), Form::PolicyResource),
    ("policy_json", Some("attach_policy_json"), Form::PolicyResource),
    ("policy_jsons", Some("attach_policy_jsons"), Form::PolicyResource),
    ("policy", Some("attach_policy"), Form::ManagedItem),
    ("policies", Some("attach_policies"), Form::ManagedItem),
    ("assume_role_policy_statements", None, Form::Trust),
];

/// Whether a block calls the module: by its source, or by its flags where the source is a folder with these variables
/// or one that is not among the files.
pub(super) fn is_call(terraform: &Terraform, at: At) -> bool {
    if terraform.block(at).is_none_or(|block| block.kind() != "module") {
        return false;
    }
    let Some(body) = terraform.body(at) else { return false };
    let source = body.get("source").and_then(Node::text).unwrap_or_default();
    if source.starts_with("terraform-aws-modules/lambda/aws") || source.contains("/terraform-aws-modules/lambda/aws") {
        return !source.contains("//");
    }
    if source.contains("terraform-aws-modules/terraform-aws-lambda") {
        return !source.trim_start_matches("git::").replacen("://", "", 1).contains("//");
    }
    let flagged = INPUTS.iter().filter_map(|(_, flag, _)| *flag).any(|flag| body.get(flag).is_some());
    let declares = |module| terraform.find(module, &["variable", "attach_policy_statements"]).is_some();
    source.starts_with('.') && flagged && terraform.called(at).is_none_or(declares)
}

/// The policies of a call, in the order written.
pub(super) fn sites_of(terraform: &Terraform, at: At) -> Vec<Site> {
    let Some(body) = terraform.body(at) else { return Vec::new() };
    if !is_call(terraform, at) {
        return if terraform.called(at).is_none() { documents(terraform, at, body) } else { Vec::new() };
    }
    let mut found = Vec::new();
    for (number, entry) in body.entries().iter().enumerate() {
        let Some((name, _, form)) = INPUTS.iter().find(|(name, ..)| *name == entry.name()) else { continue };
        let place = Path::default().child(number);
        let list = matches!(*name, "policy_jsons" | "policies") && entry.value.is_seq();
        let places = if list { (0..entry.value.items().len()).map(|i| place.child(i)).collect() } else { vec![place] };
        for (index, place) in places.into_iter().enumerate() {
            let Some(node) = body.at(&place) else { continue };
            let (writing, target, document) = match form {
                Form::ManagedItem => (Writing::Attached, at, place.clone()),
                _ if name.ends_with("_statements") => statements(terraform, at, node, &place),
                _ => resolve(terraform, at, node, &place),
            };
            let (named_at, index) = (place, list.then_some(index));
            found.push(Site { owner: at, form: *form, writing, at: target, place: document, named_at, index });
        }
    }
    found
}

/// The policy documents among the inputs of any other module from outside.
fn documents(terraform: &Terraform, at: At, body: &Node) -> Vec<Site> {
    let mut found = Vec::new();
    for (number, entry) in body.entries().iter().enumerate() {
        let place = Path::default().child(number);
        let list = entry.value.is_seq() && entry.value.tag.is_none();
        let places = if list { (0..entry.value.items().len()).map(|i| place.child(i)).collect() } else { vec![place] };
        for (index, named_at) in places.into_iter().enumerate() {
            let Some(node) = body.at(&named_at) else { continue };
            let (writing, target, place) = resolve(terraform, at, node, &named_at);
            let document = terraform.body(target).and_then(|body| body.at(&place));
            let is_policy =
                document.is_some_and(|node| node.get("Statement").is_some() || writing == Writing::DataDocument);
            if !writing.is_document() || !is_policy {
                continue;
            }
            let trust = ["assume", "trust"].iter().any(|word| entry.name().contains(word));
            let form = if trust { Form::Trust } else { Form::PolicyResource };
            let index = list.then_some(index);
            found.push(Site { owner: at, form, writing, at: target, place, named_at, index });
        }
    }
    found
}

/// Where statements are written out: in the input, or in a local value.
fn statements(terraform: &Terraform, at: At, node: &Node, place: &Path) -> (Writing, At, Path) {
    let written = |node: &Node| node.tag.is_none() && (node.is_map() || node.is_seq());
    if written(node) {
        return (Writing::Inputs, at, place.clone());
    }
    let local = node.raw_text().filter(|_| node.tag.as_deref() == Some(EXPRESSION));
    let local = local.and_then(|text| text.strip_prefix("local."));
    let found = local.and_then(|name| terraform.local(terraform.module_of(at), name));
    match found.filter(|(_, _, value)| written(value)) {
        Some((at, entry, _)) => (Writing::Inputs, at, Path::default().child(entry)),
        None => (Writing::Other, at, place.clone()),
    }
}

fn flag<'t>(terraform: &'t Terraform, site: &Site) -> Option<(&'static str, Option<(usize, &'t Node)>)> {
    let body = terraform.body(site.owner)?;
    let input = body.entries().get(*site.named_at.steps().first()?)?.name();
    let (.., flag) = INPUTS.iter().find(|(name, ..)| *name == input).map(|(name, flag, _)| (name, *flag))?;
    flag.map(|flag| (flag, body.find(flag)))
}

/// The flag that keeps the module from attaching a policy: it has none, or says `false`.
pub(super) fn switched_off(terraform: &Terraform, site: &Site) -> Option<&'static str> {
    let (name, found) = flag(terraform, site).filter(|_| is_call(terraform, site.owner))?;
    found.is_none_or(|(_, node)| node.raw_text() == Some("false")).then_some(name)
}

/// What a person should know about a policy that is an input.
pub(super) fn review(terraform: &Terraform, site: &Site) -> Option<String> {
    if terraform.block(site.owner).is_none_or(|block| block.kind() != "module") {
        return None;
    }
    let name = super::find::named(terraform, site.owner);
    Some(match switched_off(terraform, site) {
        Some(flag) => format!("`{flag}` is not set, so `{name}` ignores this input"),
        None => format!("`{name}` makes the policy in a module outside of these files: look at `terraform plan`"),
    })
}

/// The calls that make the role of this name: those that say it, and those that may.
pub(super) fn by_role(terraform: &Terraform, at: At, role: &str, evaluator: &Evaluator<'_>) -> bool {
    role_name(terraform, at, evaluator).is_some_and(|name| name.explains(role))
}

/// The name of the role that a call makes.
pub(super) fn role_name(terraform: &Terraform, at: At, evaluator: &Evaluator<'_>) -> Option<Text> {
    let body = terraform.body(at)?;
    let made = body.get("create_role").is_none_or(|node| node.raw_text() != Some("false"));
    let name = body.get("role_name").or_else(|| body.get("function_name")).filter(|_| made)?;
    Some(functions::as_text(&evaluator.fresh().node(name)))
}

/// The name the module gives a policy of its own.
pub(super) fn policy_name(evaluator: &Evaluator<'_>, body: &Node, site: &Site) -> Text {
    let given = ["policy_name", "role_name", "function_name"].iter().find_map(|key| body.get(key));
    let mut out = given.map_or_else(Text::hole, |node| functions::as_text(&evaluator.node(node)));
    let input = site.named_at.steps().first().and_then(|at| body.entries().get(*at)).map_or("", Entry::name);
    match (input, site.index) {
        ("policy_statements", _) => out.push(Text::literal("-inline")),
        (_, Some(index)) => out.push(Text::literal(format!("-{index}"))),
        _ => {}
    }
    out
}

/// The input as the list of statements it stands for; the place of each node is that of the input's.
pub(super) fn view(input: &Node) -> Node {
    let items: Vec<Node> = match &input.kind {
        Kind::Map { entries, .. } => entries.iter().map(|entry| statement(&entry.value)).collect(),
        Kind::Seq { items, .. } => items.iter().map(statement).collect(),
        _ => return input.clone(),
    };
    Node { kind: Kind::Seq { items, dashes: Vec::new(), flow: true }, ..input.clone() }
}

fn statement(node: &Node) -> Node {
    let Kind::Map { entries, flow } = &node.kind else { return node.clone() };
    let mut out: Vec<Entry> = entries.iter().map(element).collect();
    if node.get("effect").is_none() {
        out.push(Entry { key: word("Effect", node.span.end), value: word("Allow", node.span.end) });
    }
    Node { kind: Kind::Map { entries: out, flow: *flow }, ..node.clone() }
}

fn element(entry: &Entry) -> Entry {
    let at = entry.key.span.start;
    let (key, value) = match entry.name() {
        "principals" => ("Principal", pairs(&entry.value, "type", None, "identifiers")),
        "not_principals" => ("NotPrincipal", pairs(&entry.value, "type", None, "identifiers")),
        "condition" => ("Condition", pairs(&entry.value, "test", Some("variable"), "values")),
        name => match ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource"]
            .into_iter()
            .find(|iam| terraform_name(iam) == Some(name))
        {
            Some(iam) => (iam, Some(variables(entry.value.clone()))),
            None => return entry.clone(),
        },
    };
    match value {
        Some(value) => Entry { key: word(key, at), value },
        None => entry.clone(),
    }
}

/// `{ a = { type = …, identifiers = … } }` as a mapping from the one to the other.
fn pairs(node: &Node, outer: &str, inner: Option<&str>, values: &str) -> Option<Node> {
    let each: Vec<&Node> = match &node.kind {
        Kind::Map { entries, .. } if node.tag.is_none() => entries.iter().map(|entry| &entry.value).collect(),
        Kind::Seq { items, .. } if node.tag.is_none() => items.iter().collect(),
        _ => return None,
    };
    let map = |span: Span, entries: Vec<Entry>| Node {
        span,
        tag: None,
        anchored: false,
        kind: Kind::Map { entries, flow: true },
    };
    let entry = |found: &&Node| {
        let mut value = variables(found.get(values)?.clone());
        if let Some(inner) = inner {
            let key = word(found.get(inner)?.text()?, found.span.start);
            value = map(found.span, vec![Entry { key, value }]);
        }
        Some(Entry { key: word(found.get(outer)?.text()?, found.span.start), value })
    };
    Some(map(node.span, each.iter().map(entry).collect::<Option<_>>()?))
}

/// Operations on the view as operations on the input itself.
pub(super) fn back(input: &Node, place: &Path, ops: Vec<Op>) -> Result<Vec<Op>, Refusal> {
    let depth = place.steps().len();
    ops.into_iter().map(|op| one_back(input, place, depth, op)).collect()
}

fn one_back(input: &Node, place: &Path, depth: usize, op: Op) -> Result<Op, Refusal> {
    let below = op.place().steps().get(depth..).unwrap_or_default().to_vec();
    let found = below.first().and_then(|number| input.child(*number));
    // An effect nobody wrote stands behind the last entry.
    let implied = match (below.as_slice(), found) {
        ([number, entry], Some(found)) if *entry >= found.entries().len() => {
            Some(place.child(*number).child(found.entries().len().saturating_sub(1)))
        }
        _ => None,
    };
    let unsupported = || {
        Refusal::new(RefusalCode::Unsupported, "the input of the module cannot be edited there")
            .hint("make the change by hand; it is printed in the report")
    };
    Ok(match (op, below.as_slice()) {
        (Op::Replace { with: New::Seq(items), whole_line, at }, []) => {
            let with = if input.is_map() {
                let mut taken = Vec::new();
                New::Map(items.iter().map(|item| (free_key(&mut taken, item), named(item))).collect())
            } else {
                New::Seq(items.iter().map(named).collect())
            };
            Op::Replace { at, with, whole_line }
        }
        (Op::Replace { at, with, whole_line }, [_]) => Op::Replace { at, with: named(&with), whole_line },
        (Op::Replace { at, with, whole_line }, [_, entry]) => match implied {
            Some(after) => Op::InsertEntry { after, key: "effect".into(), with },
            None => {
                let key =
                    found.and_then(|found| found.entries().get(*entry)).map(Entry::name).ok_or_else(unsupported)?;
                Op::Replace { at, with: worded(key, &with), whole_line }
            }
        },
        (Op::InsertItem { after, with }, [_]) if input.is_map() => {
            let mut taken = input.entries().iter().map(|entry| entry.name().to_owned()).collect();
            Op::InsertEntry { after, key: free_key(&mut taken, &with), with: named(&with) }
        }
        (Op::InsertItem { after, with }, [_]) => Op::InsertItem { after, with: named(&with) },
        (Op::InsertEntry { after, key, with }, [_, _]) => {
            let key = input_name(&key).ok_or_else(unsupported)?;
            Op::InsertEntry { after: implied.unwrap_or(after), key: key.into(), with: worded(key, &with) }
        }
        (op @ Op::Remove { .. }, [_] | [_, _] | [_, _, _]) if implied.is_none() => op,
        (op @ (Op::Replace { .. } | Op::InsertItem { .. }), [_, entry, _])
            if found
                .and_then(|found| found.entries().get(*entry))
                .is_some_and(|e| e.name().ends_with("actions") || e.name().ends_with("resources")) =>
        {
            op
        }
        _ => return Err(unsupported()),
    })
}

/// The input's name of an element of a statement.
fn input_name(element: &str) -> Option<&'static str> {
    match element {
        "Principal" => Some("principals"),
        "NotPrincipal" => Some("not_principals"),
        "Condition" => Some("condition"),
        element => terraform_name(element),
    }
}

/// A new statement in the input's words.
fn named(statement: &New) -> New {
    let New::Map(entries) = statement else { return statement.clone() };
    let entry = |(key, value): &(String, New)| match input_name(key) {
        Some(key) => (key.to_owned(), worded(key, value)),
        None => (key.clone(), value.clone()),
    };
    New::Map(entries.iter().map(entry).collect())
}

fn worded(key: &str, value: &New) -> New {
    match (key, value) {
        ("principals" | "not_principals", New::Map(kinds)) => {
            let one = |(kind, who): &(String, New)| {
                let entries = vec![("type".into(), New::text(kind.clone())), ("identifiers".into(), many(who))];
                (kind.to_ascii_lowercase(), New::Map(entries))
            };
            New::Map(kinds.iter().map(one).collect())
        }
        ("condition", New::Map(tests)) => {
            let (mut out, mut taken) = (Vec::new(), Vec::new());
            for (test, variables) in tests {
                let New::Map(variables) = variables else { continue };
                for (variable, values) in variables {
                    let entries = vec![
                        ("test".into(), New::text(test.clone())),
                        ("variable".into(), New::text(variable.clone())),
                        ("values".into(), many(values)),
                    ];
                    let key = free(&mut taken, &format!("{}_condition", test.to_ascii_lowercase()));
                    out.push((key, New::Map(entries)));
                }
            }
            New::Map(out)
        }
        ("sid" | "effect", _) => value.clone(),
        _ => many(value),
    }
}

fn many(value: &New) -> New {
    if value.is_scalar() { New::Seq(vec![value.clone()]) } else { value.clone() }
}

/// A key for a new statement: its `Sid`, else the service of its first action. The module makes the `Sid` of the key.
fn free_key(taken: &mut Vec<String>, statement: &New) -> String {
    let get = |wanted: &str| match statement {
        New::Map(entries) => entries.iter().find(|(key, _)| key == wanted).map(|(_, value)| value),
        _ => None,
    };
    let wanted = match (get("Sid"), get("Action")) {
        (Some(New::Text(sid)), _) => sid.clone(),
        (_, Some(New::Seq(actions))) => match actions.first() {
            Some(New::Text(action)) => action.split(':').next().unwrap_or_default().to_owned(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    let key: String = wanted.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let key = if key.starts_with(|c: char| c.is_ascii_alphabetic()) { key } else { format!("statement{key}") };
    free(taken, &key)
}

/// Keys become the `Sid`, without anything but letters and digits: those must differ too.
fn free(taken: &mut Vec<String>, wanted: &str) -> String {
    let plain = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let (mut key, mut number) = (wanted.to_owned(), 2);
    while taken.iter().any(|known| plain(known) == plain(&key)) {
        key = format!("{wanted}_{number}");
        number += 1;
    }
    taken.push(key.clone());
    key
}

/// The role's trust without the statement that the module adds for Lambda itself.
pub(super) fn without_own_trust(
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> (Option<PolicyDocument>, PolicyDocument) {
    let own = |statement: &Statement| match &statement.principal {
        Some(PrincipalElement::Principal(who)) => {
            who.iter().any(|p| matches!(&p.value, PrincipalPattern::Service(name) if name == "lambda.amazonaws.com"))
        }
        _ => false,
    };
    let Some(before) = before else { return (None, after.clone()) };
    let alone = |statement: &Statement| PolicyDocument::new(vec![statement.clone()]);
    let (mut left, mut kept) = (before.clone(), after.clone());
    let first = before.statements.iter().position(own);
    let same = first.and_then(|at| {
        let made = before.statements.get(at)?;
        after.statements.iter().position(|s| alone(s).same_text(&alone(made)))
    });
    if let (Some(first), Some(same)) = (first, same) {
        left.statements.remove(first);
        kept.statements.remove(same);
    }
    (Some(left), kept)
}

/// The input goes, and the flag that attaches it.
pub(super) fn remove(terraform: &Terraform, site: &Site) -> Result<Vec<(At, Op)>, Refusal> {
    let found = flag(terraform, site).and_then(|(_, found)| found).filter(|_| site.index.is_none());
    let (Some((number, node)), Some(input)) = (found, site.named_at.steps().first()) else {
        return Err(attached(terraform, site));
    };
    if node.raw_text() != Some("true") {
        return Err(attached(terraform, site));
    }
    let input_node = terraform.body(site.owner).and_then(|body| body.at(&site.named_at));
    if input_node.is_some_and(|node| node.tag.as_deref() == Some(HEREDOC)) {
        let name = super::find::named(terraform, site.owner);
        let message = format!("the policy of `{name}` stands in a heredoc, which is not taken away");
        return Err(Refusal::new(RefusalCode::Unsupported, message)
            .hint("set the flag that attaches it to `false`, and take the input out"));
    }
    let gone = |number: usize| (site.owner, Op::Remove { at: Path::default().child(number) });
    Ok(vec![gone(number), gone(*input)])
}

/// Why a policy of a list, whose length is another input, is not edited.
pub(super) fn attached(terraform: &Terraform, site: &Site) -> Refusal {
    let name = super::find::named(terraform, site.owner);
    Refusal::new(RefusalCode::Unsupported, format!("`{name}` attaches the policy by inputs that belong together"))
        .hint("take it off the list, lower `number_of_…` beside it, and put the statements into `policy_statements`")
}
