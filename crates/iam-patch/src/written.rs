//! The policies a template writes, as documents: references resolved as far as the template alone says what they are.
//!
//! For comparing two versions of a template. What only a deployment knows (account, region, names CloudFormation makes,
//! parameters) becomes a word in angle brackets, the same in both versions; where a value is not even that, or a
//! condition chooses between policies, the policy is told apart as unknown. Compares and edits nothing.

use std::collections::BTreeMap;

use iam_model::diagnostic::Place;
use iam_model::json::Value as Json;
use iam_model::policy::{PolicyDocument, parse};
use iam_model::text::{SourceName, SourceText};

use crate::intrinsic;
use crate::locate;
use crate::patch::Project;
use crate::resolve::{Resolver, Text, Value};
use crate::sam;
use crate::site::{Form, Site, sites_of};
use crate::stack::Stack;
use crate::template::{Resource, Template};
use crate::tree::Node;

/// One policy as a template writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The logical id of what it is for: the function, role, user, group or resource.
    pub owner: String,
    /// The form it is written in.
    pub form: Form,
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub body: Body,
}

/// What a written policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// This document.
    Document(PolicyDocument),
    /// What the managed policy or SAM policy template of this name, with these parameters, says.
    Named(String),
    /// Not known, and why.
    Unknown(String),
}

impl Project {
    /// Every policy of the templates, resolved without a deployment, in the order of the files.
    #[must_use]
    pub fn written(&self) -> Vec<Written> {
        self.templates().iter().flat_map(written).collect()
    }

    /// The permissions boundaries that templates give roles and users, as written: logical id, and what it is.
    #[must_use]
    pub fn boundaries(&self) -> Vec<(String, String)> {
        self.templates().iter().flat_map(boundaries).collect()
    }
}

fn boundaries(template: &Template) -> Vec<(String, String)> {
    let stack = assumed(template);
    let resolver = Resolver::open(template, &stack);
    let global = template.section("Globals", "Function").and_then(|all| all.get("PermissionsBoundary"));
    let one = |resource: Resource<'_>| {
        let all = global.filter(|_| resource.kind == "AWS::Serverless::Function");
        let node =
            resource.property("PermissionsBoundary").or_else(|| resource.property("permissionsBoundary")).or(all)?;
        let written = || intrinsic::as_sub(node).unwrap_or_else(|| format!("{:?}", node.plain()));
        Some((resource.id.to_owned(), resolver.known(node).unwrap_or_else(written)))
    };
    template.resources().filter_map(one).collect()
}

fn written(template: &Template) -> Vec<Written> {
    let stack = assumed(template);
    let resolver = Resolver::open(template, &stack);
    let sites = template.resources().flat_map(|resource| sites_of(&resource)).collect::<Vec<_>>();
    let one = |site: &Site<'_>| Written {
        owner: owner(site, &resolver),
        form: site.form,
        place: locate::place(template, site.node.span),
        body: body(site, &resolver),
    };
    sites.iter().map(one).collect()
}

/// A stack in which everything that only a deployment knows has a word for its value.
fn assumed(template: &Template) -> Stack {
    let word = |name: &str| format!("<{name}>");
    let named = |section: &str| -> Vec<String> {
        let entries = template.root.get(section).map(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| entry.name().to_owned()).collect()
    };
    let words = |names: Vec<String>| names.into_iter().map(|name| (word(&name), name)).map(|(w, n)| (n, w));
    let mut stack = Stack::default();
    stack.name = Some(word("StackName"));
    stack.account = Some(word("AccountId"));
    stack.region = Some(word("Region"));
    stack.partition = Some("aws".into());
    stack.parameters = words(named("Parameters")).collect();
    stack.physical = words(named("Resources")).collect::<BTreeMap<_, _>>();
    stack
}

/// Whom a policy is for: a policy resource speaks of the one role, user or group it names.
fn owner(site: &Site<'_>, resolver: &Resolver<'_>) -> String {
    let own = || site.resource.id.to_owned();
    if site.form != Form::PolicyResource {
        return own();
    }
    let named = ["Roles", "RoleName", "Users", "UserName", "Groups", "GroupName"]
        .into_iter()
        .filter_map(|property| site.resource.property(property))
        .flat_map(|node| if node.is_seq() { node.items().iter().collect() } else { vec![node] })
        .collect::<Vec<_>>();
    match named.as_slice() {
        [one] => {
            let name = resolver.known(one).unwrap_or_else(own);
            name.strip_prefix('<').and_then(|name| name.strip_suffix('>')).map_or(name.clone(), str::to_owned)
        }
        _ => own(),
    }
}

fn body(site: &Site<'_>, resolver: &Resolver<'_>) -> Body {
    resolved(site, resolver, None).0
}

/// What a policy says, with a word for what only a deployment knows, if one is given; and whether the word is in it.
pub(crate) fn resolved(site: &Site<'_>, resolver: &Resolver<'_>, word: Option<&str>) -> (Body, bool) {
    let mut filled = false;
    let body = body_with(site, resolver, &mut |text| {
        filled |= word.is_some();
        word.map(|word| text.filled(word))
    });
    (body, filled)
}

fn body_with(site: &Site<'_>, resolver: &Resolver<'_>, fill: &mut dyn FnMut(&Text) -> Option<String>) -> Body {
    if site.conditional {
        return Body::Unknown("`Fn::If` says whether it is deployed".into());
    }
    let expanded = (site.form == Form::SamTemplate).then(|| sam::expanded(site.node)).flatten();
    let node = site.document.as_ref().map(|(document, _)| *document).or(expanded.as_ref()).unwrap_or(site.node);
    let mut open = None;
    let json = match resolver.value(node) {
        Value::Absent => return Body::Unknown("it has no value".into()),
        value => to_json(&value, &mut open, fill),
    };
    if let Some(why) = open {
        return Body::Unknown(why);
    }
    let text = match json.as_str() {
        // A document written as a text.
        Some(text) if text.trim_start().starts_with('{') => text.to_owned(),
        Some(name) => return Body::Named(name.to_owned()),
        None if site.form == Form::ServerlessStatements || expanded.is_some() => {
            format!(r#"{{"Version": "2012-10-17", "Statement": {}}}"#, json.to_compact())
        }
        None if site.document.is_none() => return Body::Named(json.to_compact()),
        None => json.to_compact(),
    };
    let (document, diagnostics) = parse(&SourceText { name: SourceName::new(site.resource.id), text });
    match diagnostics.into_iter().next() {
        Some(first) if !document.unknown.is_empty() => Body::Unknown(first.message),
        _ => Body::Document(document),
    }
}

/// A statement of a permission as JSON, on one resource; what only a deployment knows has a word. Nothing where a part of it
/// is chosen by a condition.
pub(crate) fn statement(value: &Value, word: &str, resource: &str) -> Option<Json> {
    let mut open = None;
    let json = to_json(value, &mut open, &mut |text| Some(text.filled(word)));
    let Json::Object(mut members) = json else { return None };
    for (name, value) in &mut members {
        if name == "Resource" {
            *value = Json::text(resource);
        }
    }
    open.is_none().then_some(Json::Object(members))
}

/// A resolved value as JSON; notes the first part that is not known.
fn to_json(value: &Value, open: &mut Option<String>, fill: &mut dyn FnMut(&Text) -> Option<String>) -> Json {
    let mut unknown = |why: &str| {
        open.get_or_insert_with(|| why.to_owned());
        Json::Null
    };
    match value {
        Value::Text(text) => match text.known().or_else(|| fill(text)) {
            Some(text) => Json::text(text),
            None => unknown("a value that only the deployment knows is part of it"),
        },
        Value::Absent => Json::Null,
        Value::AnyOf(_) => unknown("`Fn::If` chooses between values of it"),
        Value::Unknown => unknown("a macro, a transform or an alias makes a part of it"),
        Value::List(items) => {
            let kept = items.iter().filter(|item| **item != Value::Absent);
            Json::Array(kept.map(|item| to_json(item, open, fill)).collect())
        }
        Value::Map(members) => {
            let kept = members.iter().filter(|(_, value)| *value != Value::Absent);
            Json::Object(kept.map(|(name, value)| (name.clone(), to_json(value, open, fill))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Written> {
        let source = SourceText { name: SourceName::new("t.yaml"), text: text.to_owned() };
        Project::read(vec![source]).0.written()
    }

    #[test]
    fn references_become_words_that_both_versions_share() {
        let found = of(
            "Parameters:\n  Stage: {Type: String}\nResources:\n  T: {Type: AWS::DynamoDB::Table}\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Policies:\n        - Version: '2012-10-17'\n          Statement:\n            - {Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt T.Arn}\n            - {Effect: Allow, Action: 's3:GetObject', Resource: !Sub 'arn:aws:s3:::b-${Stage}/*'}\n        - AWSLambdaBasicExecutionRole\n",
        );
        let [Written { owner, body: Body::Document(document), .. }, Written { body: Body::Named(name), .. }] = &*found
        else {
            panic!("{found:?}")
        };
        assert_eq!((owner.as_str(), name.as_str()), ("F", "AWSLambdaBasicExecutionRole"));
        let resources: Vec<&str> =
            document.statements.iter().flat_map(|s| s.resource.patterns()).map(|p| p.value.as_str()).collect();
        assert_eq!(resources, ["arn:aws:dynamodb:<Region>:<AccountId>:table/<T>", "arn:aws:s3:::b-<Stage>/*"]);
    }

    #[test]
    fn what_is_not_known_is_told() {
        let found = of(
            "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {Statement: []}\n      Policies:\n        - PolicyName: p\n          PolicyDocument:\n            Statement:\n              - {Effect: Allow, Action: '*', Resource: !ImportValue x}\n  P:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: q\n      Roles: [!Ref R]\n      PolicyDocument: {Statement: [{Effect: Allow, Action: 'sqs:*', Resource: '*'}]}\n",
        );
        let told: Vec<(&str, bool)> =
            found.iter().map(|w| (w.owner.as_str(), matches!(w.body, Body::Unknown(_)))).collect();
        assert_eq!(told, [("R", false), ("R", true), ("R", false)]);
    }
}
