//! A CloudFormation change set as two templates: the resources it changes, before and after.
//!
//! Follows the API reference topic "DescribeChangeSet": with `--include-property-values` each change tells the resource's
//! properties on both sides (`BeforeContext`, `AfterContext`). What it does not tell is named, never taken for the same.

use std::collections::BTreeSet;

use iam_model::json::{self, Limits, Node, Value};
use iam_model::text::{SourceName, SourceText};

/// The two sides of a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// The changed resources as they are.
    pub before: SourceText,
    /// The changed resources as they would be.
    pub after: SourceText,
    /// What the change set does not tell, in words.
    pub not_told: Vec<String>,
}

/// Types without a policy, a role or a way to call a function: what changes of them is no access.
const ACCESS: &[&str] = &["AWS::IAM::", "AWS::Serverless::", "AWS::Organizations::Policy", "AWS::SSO::PermissionSet"];

/// Reads what `aws cloudformation describe-change-set --include-property-values` printed; nothing where the text is no
/// change set.
///
/// ```
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"ChangeSetName": "c", "Changes": [{"Type": "Resource", "ResourceChange": {"Action": "Remove",
///     "LogicalResourceId": "R", "ResourceType": "AWS::IAM::Role", "BeforeContext": "{\"Properties\": {}}"}}]}"#;
/// let found = iam_patch::change_set(&SourceText { name: SourceName::new("c.json"), text: text.into() }).unwrap();
/// assert!(found.before.text.contains("AWS::IAM::Role") && !found.after.text.contains("AWS::IAM::Role"));
/// ```
#[must_use]
pub fn change_set(source: &SourceText) -> Option<ChangeSet> {
    let arena = json::Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE).ok()?;
    let changes =
        root.get("Changes").filter(|_| root.get("ChangeSetName").is_some() || root.get("ChangeSetId").is_some())?;
    let mut sides = Sides::default();
    if root.get("NextToken").and_then(Node::as_str).is_some() {
        sides.not_told.insert("the change set goes on: `NextToken` says that this is a part of it".into());
    }
    for change in changes.items() {
        match change.get("ResourceChange") {
            Some(resource) => sides.add(resource),
            None => _ = sides.not_told.insert("a change that is of no resource".into()),
        }
    }
    let text = |resources: Vec<(String, Value)>| {
        let members =
            [("AWSTemplateFormatVersion", Value::text("2010-09-09")), ("Resources", Value::Object(resources))];
        Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()).to_compact()
    };
    let side =
        |resources| SourceText { name: SourceName::new(&format!("{}.json", source.name)), text: text(resources) };
    let not_told = sides.not_told.into_iter().collect();
    Some(ChangeSet { before: side(sides.before), after: side(sides.after), not_told })
}

#[derive(Default)]
struct Sides {
    before: Vec<(String, Value)>,
    after: Vec<(String, Value)>,
    not_told: BTreeSet<String>,
}

impl Sides {
    fn add(&mut self, change: &Node<'_>) {
        let text = |key: &str| change.get(key).and_then(Node::as_str).unwrap_or_default();
        let (id, kind, action) = (text("LogicalResourceId"), text("ResourceType"), text("Action"));
        let what = format!("{id} ({kind})");
        if change.get("ChangeSetId").and_then(Node::as_str).is_some() || kind == "AWS::CloudFormation::Stack" {
            self.not_told.insert(format!("{what}: a nested stack has a change set of its own"));
        }
        let sides = match action {
            "Add" | "Import" => [false, true],
            "Remove" => [true, false],
            "Modify" => [true, true],
            other => {
                self.not_told.insert(format!("{what}: whether it changes is known when it runs (`{other}`)"));
                return;
            }
        };
        for ((wanted, key), side) in
            sides.into_iter().zip(["BeforeContext", "AfterContext"]).zip([&mut self.before, &mut self.after])
        {
            if !wanted {
                continue;
            }
            match text(key).is_empty() {
                false => match resource(kind, text(key)) {
                    Some(resource) => side.push((id.to_owned(), resource)),
                    None => _ = self.not_told.insert(format!("{what}: its `{key}` is not understood")),
                },
                true if ACCESS.iter().any(|access| kind.starts_with(access)) || may_hold_policy(kind) => {
                    self.not_told.insert(format!(
                        "{what}: its properties are not told; describe the change set with --include-property-values"
                    ));
                }
                true => {}
            }
        }
        let boundary = |detail: &&Node<'_>| {
            let target = detail.get("Target").and_then(|target| target.get("Name"));
            target.and_then(Node::as_str) == Some("PermissionsBoundary")
        };
        if change.get("Details").map(|details| details.items()).unwrap_or_default().iter().any(|one| boundary(&one)) {
            self.not_told.insert(format!("{what}: its permissions boundary changes"));
        }
    }
}

/// Whether a resource of this type may carry a policy of its own.
fn may_hold_policy(kind: &str) -> bool {
    kind.ends_with("Policy") || kind.ends_with("::Permission") || crate::site::holds_policy(kind)
}

/// A resource of a template, of what a context tells.
fn resource(kind: &str, context: &str) -> Option<Value> {
    let arena = json::Arena::for_text(context.len());
    let root = json::parse(&arena, context, Limits::FILE).ok()?;
    let properties = root.get("Properties").map_or_else(|| Value::Object(Vec::new()), Node::to_value);
    let members = [("Type", Value::text(kind)), ("Properties", properties)];
    Some(Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(changes: &str) -> ChangeSet {
        let text = format!(r#"{{"ChangeSetName": "c", "Changes": [{changes}]}}"#);
        change_set(&SourceText { name: SourceName::new("c.json"), text }).unwrap()
    }

    #[test]
    fn what_a_change_set_does_not_tell_is_named() {
        let change = |action: &str, kind: &str, more: &str| {
            format!(
                r#"{{"ResourceChange": {{"Action": "{action}", "LogicalResourceId": "X", "ResourceType": "{kind}"{more}}}}}"#
            )
        };
        for (change, expected) in [
            (change("Modify", "AWS::IAM::Role", ""), "--include-property-values"),
            (change("Dynamic", "AWS::IAM::Role", ""), "known when it runs"),
            (change("Modify", "AWS::CloudFormation::Stack", r#", "ChangeSetId": "arn""#), "nested stack"),
            (
                change("Modify", "AWS::IAM::Role", r#", "BeforeContext": "{", "AfterContext": "{}""#),
                "`BeforeContext` is not understood",
            ),
            (
                change(
                    "Modify",
                    "AWS::IAM::Role",
                    r#", "BeforeContext": "{}", "AfterContext": "{}", "Details": [{"Target": {"Name": "PermissionsBoundary"}}]"#,
                ),
                "boundary changes",
            ),
            (change("Modify", "AWS::KMS::Key", ""), "not told"),
        ] {
            let found = told(&change);
            assert!(found.not_told.iter().any(|line| line.contains(expected)), "{change}: {:?}", found.not_told);
        }
        assert!(told(&change("Modify", "AWS::CloudWatch::Alarm", "")).not_told.is_empty());
        let other = SourceText { name: SourceName::new("p.json"), text: r#"{"Changes": []}"#.into() };
        assert_eq!(change_set(&other), None);
    }
}
