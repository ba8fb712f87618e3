//! Named groups of actions, `paring-groups/1`: which permissions escalate, expose credentials, disarm guardrails or
//! destroy. Data that ships with the program and that an organisation may replace or extend.
//!
//! Exact actions only, compared as AWS compares them: without regard to case. Which actions a pattern matches is for the
//! catalogue to say.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::diagnostic::Place;
use iam_model::json::{self, Node};
use iam_model::text::SourceText;

use super::name::GroupName;

/// The schema name of the file.
const SCHEMA: &str = "paring-groups/1";

const LIMITS: json::Limits = json::Limits { bytes: 4 << 20, depth: 8 };

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name, as rules write it.
    pub name: GroupName,
    /// What its actions have in common, in one line.
    pub title: String,
    /// Its actions.
    pub actions: BTreeSet<Action>,
}

/// All groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PermissionGroups {
    groups: BTreeMap<GroupName, Group>,
    by_action: BTreeMap<Action, BTreeSet<GroupName>>,
}

/// Why a file of groups cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct GroupsError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

impl PermissionGroups {
    /// The groups that ship with the program.
    ///
    /// # Errors
    ///
    /// Never for a released program; a test holds that.
    ///
    /// ```
    /// use iam_verify::guardrails::PermissionGroups;
    /// let groups = PermissionGroups::embedded().unwrap();
    /// assert!(groups.of(&"IAM:passrole".parse().unwrap()).any(|group| group.as_str() == "escalation"));
    /// ```
    pub fn embedded() -> Result<Self, GroupsError> {
        Self::read(&super::embedded_groups())
    }

    /// Reads a file of groups.
    ///
    /// # Errors
    ///
    /// [`GroupsError`] with the place: not JSON, another version, a group without a title or actions, a text that is no
    /// exact action.
    pub fn read(file: &SourceText) -> Result<Self, GroupsError> {
        let refuse = |offset: usize, message: String, hint: &'static str| GroupsError {
            place: Place::at(file.name.clone(), &file.text, offset),
            message,
            hint,
        };
        let arena = json::Arena::for_text(file.text.len());
        let root = json::parse(&arena, &file.text, LIMITS)
            .map_err(|error| refuse(error.offset, error.to_string(), "the file must be JSON"))?;
        match root.get("schema").and_then(Node::as_str) {
            Some(SCHEMA) => {}
            Some(other) => {
                return Err(refuse(
                    root.span.start,
                    format!("unknown schema `{other}`"),
                    "this version reads `paring-groups/1`",
                ));
            }
            None => {
                return Err(refuse(
                    root.span.start,
                    "the file has no `schema`".to_owned(),
                    "add `\"schema\": \"paring-groups/1\"`",
                ));
            }
        }
        let mut groups = Self::default();
        for member in root.get("groups").map(Node::members).unwrap_or_default() {
            let node = &member.value;
            let title = node.get("title").and_then(Node::as_str).ok_or_else(|| {
                refuse(
                    node.span.start,
                    format!("the group `{}` has no `title`", member.key),
                    "say what its actions have in common",
                )
            })?;
            let mut group =
                Group { name: GroupName::new(member.key), title: title.to_owned(), actions: BTreeSet::new() };
            for item in node.get("actions").map(Node::items).unwrap_or_default() {
                let text = item.as_str().unwrap_or_default();
                let action = text.parse::<Action>().map_err(|error| {
                    refuse(item.span.start, error.to_string(), "name each action; patterns are not expanded here")
                })?;
                group.actions.insert(action);
            }
            if group.actions.is_empty() {
                return Err(refuse(
                    node.span.start,
                    format!("the group `{}` has no `actions`", member.key),
                    "list them, or remove the group",
                ));
            }
            groups.add(group);
        }
        Ok(groups)
    }

    fn add(&mut self, group: Group) {
        for action in &group.actions {
            self.by_action.entry(action.clone()).or_default().insert(group.name.clone());
        }
        self.groups.insert(group.name.clone(), group);
    }

    /// The groups an action is in.
    pub fn of(&self, action: &Action) -> impl Iterator<Item = &GroupName> + use<'_> {
        self.by_action.get(action).into_iter().flatten()
    }

    /// Every group, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }
}
