//! `organization`: the guardrails above each account, level by level.
//!
//! A level that cannot be read counts as an unknown policy on that level, never as no policy.

use crate::arn::AccountId;
use crate::diagnostic::Code;
use crate::json::{Node, NodeKind};
use crate::policy::PolicyDocument;
use crate::reading::{Reader, present, shown, unknown_document};
use crate::snapshot::{AccountGuardrails, Organization};

const WITHIN: &str = "organization";

/// Reads the organisation; null means there is none.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Organization> {
    match &node.kind {
        NodeKind::Null => return None,
        NodeKind::Object(_) => {}
        _ => {
            let message = format!("`organization` is {}; its guardrails are not known", node.describe());
            reader.error(node.span, WITHIN, message);
            return None;
        }
    }
    reader.note_unknown_keys(node, &["id", "management_account_id", "accounts"], WITHIN);
    let id = reader.text(node, "id", WITHIN).unwrap_or_default();
    let management_account = management_account(reader, node);
    let mut organization = Organization { id, management_account, accounts: std::collections::BTreeMap::new() };
    for member in reader.object(node, "accounts", WITHIN).map(Node::members).unwrap_or_default() {
        match member.key.parse::<AccountId>() {
            Ok(account) => {
                let guardrails = guardrails(reader, &member.value, &account);
                organization.accounts.insert(account, guardrails);
            }
            Err(error) => reader.error(member.key_span, WITHIN, format!("{error}; its guardrails are left out")),
        }
    }
    Some(organization)
}

fn management_account(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<AccountId> {
    let found = present(node, "management_account_id")?;
    let id = found.as_str().and_then(|text| text.parse().ok());
    if id.is_none() {
        let message = format!("`{}` is not an account id (twelve digits)", shown(found.as_str().unwrap_or_default()));
        reader.warn(Code::SnapshotIncomplete, found.span, "organization, management_account_id", message);
    }
    id
}

fn guardrails(reader: &mut Reader<'_>, node: &Node<'_>, account: &AccountId) -> AccountGuardrails {
    let within = format!("organization, account {account}");
    reader.note_unknown_keys(node, &["scps", "rcps"], &within);
    AccountGuardrails { scps: levels(reader, node, "scps", &within), rcps: levels(reader, node, "rcps", &within) }
}

fn levels(reader: &mut Reader<'_>, node: &Node<'_>, key: &str, within: &str) -> Vec<Vec<PolicyDocument>> {
    let Some(levels) = reader.list(node, key, within) else {
        return vec![vec![unknown_document(node.span, key)]];
    };
    let mut out = Vec::with_capacity(levels.len());
    for (level, found) in levels.iter().enumerate() {
        let within = format!("{within}, {key} level {level}");
        if !matches!(found.kind, NodeKind::Array(_)) {
            out.push(vec![reader.unreadable_policy(found.span, &within, "a level is a list of policies")]);
            continue;
        }
        let read = found.items().iter().enumerate();
        out.push(read.map(|(index, item)| reader.policy(item, &format!("{within}, policy {index}"))).collect());
    }
    out
}
