//! An organisation as a tree: which policies stand above an account, level by level, and what they say.
//!
//! Follows the Organizations User Guide topics "SCP evaluation" and "RCP evaluation": service control policies of the
//! caller's account, resource control policies of the resource's, from the root down. Reads a file of its own form; what
//! a snapshot holds of an organisation is read elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use iam_model::control::{ControlStatement, controls};
use iam_model::diagnostic::Diagnostic;
use iam_model::json::{Arena, Limits, Node, NodeKind, parse};
use iam_model::policy::from_json;
use iam_model::text::SourceText;

use super::case::attached;
use super::{Attached, Guardrail, GuardrailCase, GuardrailKind, Ruling, Standing};
use crate::case::CaseError;
use crate::decision::LayerOutcome;
use crate::statement::CompiledPolicy;

/// Levels below the root that AWS allows are five; a tree that is deeper than this has a cycle or is no organisation.
const DEEPEST: usize = 64;

/// The policies of AWS's that allow everything; a file need not define them.
const OF_AWS: &str = r#"{
    "FullAWSAccess": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    "RCPFullAWSAccess": {"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}}"#;

/// A tree of units and accounts, with the policies that may stand in it.
#[derive(Debug, Clone)]
pub struct Organization {
    root: String,
    management_account: Option<String>,
    /// Units and accounts by what they are in.
    parents: BTreeMap<String, String>,
    accounts: Vec<String>,
    policies: BTreeMap<String, Arc<CompiledPolicy>>,
    /// What AWS Control Tower wrote into them, by their names.
    controls: BTreeMap<String, Vec<ControlStatement>>,
    scps: Option<Attached>,
    rcps: Option<Attached>,
}

/// Targets from the root to an account, each with the names of its policies.
type Above<'o> = Vec<(&'o str, &'o [String])>;

/// What a case needs and the organisation does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// A policy that the file does not define.
    #[error("`{target}` has a policy `{name}`, which the organisation does not define")]
    Policy {
        /// What it is attached to.
        target: String,
        /// Its name.
        name: String,
    },
    /// A unit or account without a way to the root.
    #[error("`{target}` does not lead to the root of the organisation")]
    Path {
        /// The unit or account.
        target: String,
    },
    /// Neither the case nor the file says what is attached where.
    #[error("neither the case nor the organisation says which policies are attached where")]
    Attachments,
    /// A unit or account on the way from the root has no list of service control policies, not even an empty one.
    #[error("it is not said which service control policies `{target}` has")]
    Target {
        /// The unit or account.
        target: String,
    },
}

/// What decides a request in an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What service control policies say.
    pub by_caller: Ruling,
    /// What resource control policies say.
    pub by_resource: Ruling,
    /// The target whose policies decide, `rcp:` before it where they are resource control policies.
    pub decided_by: Option<String>,
    /// The name of the deciding policy, where a statement of one decides.
    pub policy: Option<String>,
}

impl Judgement {
    /// The ruling that decides.
    #[must_use]
    pub fn ruling(&self) -> &Ruling {
        if self.is_by_resource() { &self.by_resource } else { &self.by_caller }
    }

    /// Whether resource control policies decide: where service control policies leave more open.
    fn is_by_resource(&self) -> bool {
        let rank = |ruling: &Ruling| match ruling.outcome {
            LayerOutcome::ExplicitDeny | LayerOutcome::ImplicitDeny => 2,
            LayerOutcome::Unknown => 1,
            LayerOutcome::Allow | LayerOutcome::NotApplicable => 0,
        };
        rank(&self.by_resource) > rank(&self.by_caller)
    }
}

impl Organization {
    /// Reads an organisation. Policies that cannot be read become diagnostics and unknown parts.
    ///
    /// # Errors
    /// Where the text is not JSON or holds no tree.
    pub fn read(source: &SourceText) -> Result<(Self, Vec<Diagnostic>), CaseError> {
        let arena = Arena::for_text(source.text.len());
        let node = parse(&arena, &source.text, Limits::FILE)
            .map_err(|error| CaseError::new(error.offset, error.to_string()))?;
        let tree = node.get("organization").unwrap_or(&node);
        let missing = |key: &str| CaseError::new(tree.span.start, format!("the organisation has no `{key}`"));
        let root = tree.get("root").and_then(Node::as_str).ok_or_else(|| missing("root"))?;
        let mut parents = BTreeMap::new();
        for key in ["ous", "accounts"] {
            let NodeKind::Object(members) = tree.get(key).ok_or_else(|| missing(key))?.kind else {
                return Err(missing(key));
            };
            for member in members {
                let parent = member.value.get("parent").and_then(Node::as_str);
                let parent =
                    parent.ok_or_else(|| CaseError::new(member.value.span.start, "it has no `parent`".into()))?;
                parents.insert(member.key.to_owned(), parent.to_owned());
            }
        }
        let accounts = tree.get("accounts").map_or(&[][..], Node::members);
        let (policies, controls, diagnostics) = policies(node.get("policies"), source);
        let organization = Self {
            root: root.into(),
            management_account: tree.get("management_account").and_then(Node::as_str).map(Into::into),
            parents,
            accounts: accounts.iter().map(|member| member.key.into()).collect(),
            policies,
            controls,
            scps: attached(&node, "scp")?,
            rcps: attached(&node, "rcp")?,
        };
        Ok((organization, diagnostics))
    }

    /// What AWS Control Tower wrote into a policy of this name.
    #[must_use]
    pub fn controls(&self, policy: &str) -> &[ControlStatement] {
        self.controls.get(policy).map_or(&[], Vec::as_slice)
    }

    /// Decides a case: by the policies that it attaches itself, else by those of the file.
    ///
    /// # Errors
    /// Where something that decides is not defined.
    pub fn decide(&self, case: &GuardrailCase) -> Result<Judgement, OrganizationError> {
        let (scps, rcps) = (case.scps.as_ref().or(self.scps.as_ref()), case.rcps.as_ref().or(self.rcps.as_ref()));
        if scps.is_none() && rcps.is_none() {
            return Err(OrganizationError::Attachments);
        }
        let request = &case.request;
        let caller = request.principal.account_digits().to_owned();
        let owner = crate::request::Parts::of(request, None).owner.to_owned();
        let manages = |account: &str| self.management_account.as_deref() == Some(account);
        let standing = Standing {
            caller_in_management_account: case.standing.caller_in_management_account || manages(&caller),
            resource_in_management_account: case.standing.resource_in_management_account || manages(&owner),
            ..case.standing
        };
        let (by_caller, above_caller) = self.ask(GuardrailKind::ServiceControl, &caller, scps, case, standing)?;
        let (by_resource, above_resource) = self.ask(GuardrailKind::ResourceControl, &owner, rcps, case, standing)?;
        let mut judgement = Judgement { by_caller, by_resource, decided_by: None, policy: None };
        let (above, prefix) = if judgement.is_by_resource() { (above_resource, "rcp:") } else { (above_caller, "") };
        if let Some((target, names)) = judgement.ruling().level.and_then(|level| above.get(level)) {
            let first = judgement.ruling().because.first();
            let policy = first.and_then(|at| names.get(at.policy)).cloned();
            (judgement.decided_by, judgement.policy) = (Some(format!("{prefix}{target}")), policy);
        }
        Ok(judgement)
    }

    fn ask<'o>(
        &'o self,
        kind: GuardrailKind,
        account: &str,
        attached: Option<&'o Attached>,
        case: &GuardrailCase,
        standing: Standing,
    ) -> Result<(Ruling, Above<'o>), OrganizationError> {
        if let Some(why) = Guardrail::of_levels(kind, Vec::new()).exemption(&case.request, standing) {
            return Ok((Ruling::exempt(why), Vec::new()));
        }
        let attached = attached.filter(|attached| !attached.is_empty());
        let above = match attached {
            Some(attached) if self.accounts.iter().any(|known| known == account) => {
                self.above(kind, account, attached)?
            }
            _ => Vec::new(),
        };
        let level = |(target, names): &(&str, &[String])| {
            names.iter().map(|name| self.policy(target, name)).collect::<Result<Vec<_>, _>>()
        };
        let levels = above.iter().map(level).collect::<Result<Vec<_>, _>>()?;
        Ok((Guardrail::of_levels(kind, levels).decide(&case.request, standing), above))
    }

    /// What stands above an account, root first, and the account's own.
    fn above<'o>(
        &'o self,
        kind: GuardrailKind,
        account: &str,
        attached: &'o Attached,
    ) -> Result<Above<'o>, OrganizationError> {
        let lost = || OrganizationError::Path { target: account.into() };
        let mut path = Vec::new();
        let mut at: &str = self.parents.get_key_value(account).ok_or_else(lost)?.0;
        while at != self.root {
            path.push(at);
            at = self.parents.get(at).ok_or_else(lost)?;
            if path.len() > DEEPEST {
                return Err(lost());
            }
        }
        path.push(&self.root);
        let mut above = Vec::new();
        for target in path.into_iter().rev() {
            match attached.get(target) {
                Some(names) => above.push((target, names.as_slice())),
                // AWS's own resource control policy stands everywhere and only others deny.
                None if kind == GuardrailKind::ResourceControl => above.push((target, &[][..])),
                None => return Err(OrganizationError::Target { target: target.into() }),
            }
        }
        Ok(above)
    }

    fn policy(&self, target: &str, name: &str) -> Result<Arc<CompiledPolicy>, OrganizationError> {
        let missing = || OrganizationError::Policy { target: target.into(), name: name.into() };
        self.policies.get(name).map(Arc::clone).ok_or_else(missing)
    }
}

/// Policies by their names, what Control Tower wrote into them, and what is wrong with them.
type Defined = (BTreeMap<String, Arc<CompiledPolicy>>, BTreeMap<String, Vec<ControlStatement>>, Vec<Diagnostic>);

fn policies(node: Option<&Node<'_>>, source: &SourceText) -> Defined {
    let arena = Arena::new();
    let of_aws = parse(&arena, OF_AWS, Limits::POLICY).ok();
    let (mut policies, mut told, mut diagnostics) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for member in of_aws.iter().chain(node).flat_map(|node| node.members()) {
        let (document, found) = from_json(&member.value, source, &format!("policies.{}", member.key));
        diagnostics.extend(found);
        told.insert(member.key.to_owned(), controls(&document));
        policies.insert(member.key.to_owned(), Arc::new(CompiledPolicy::new(&document)));
    }
    (policies, told, diagnostics)
}
