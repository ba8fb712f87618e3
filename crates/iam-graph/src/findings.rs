//! Findings: what the graph and the accounts hold that someone should know.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::finding::{Confidence, Finding, FindingCode, FindingSeverity, Subject};

use crate::graph::{AccessGraph, Edge};
use crate::technique::TrustAsked;

impl AccessGraph {
    /// Every finding, sorted.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.edges().map(|edge| self.escalation(edge)).collect();
        for (role, functions) in &self.facts.functions {
            let functions: Vec<Arn> = functions.iter().cloned().collect();
            findings.extend(self.shared_role(role, &functions));
            findings.extend(self.admin_function(role, &functions));
        }
        for wildcard in &self.facts.wildcards {
            let mut finding =
                Finding::about(FindingCode::WildcardGrant, FindingSeverity::Low, wildcard.principal.clone());
            let place = format!("policy `{}`, statement {}", wildcard.policy, wildcard.statement);
            finding.evidence = vec![format!("{place}: {}", wildcard.what)];
            finding.place = Some(format!(
                "policy `{}` of {}, statement {}",
                wildcard.policy, wildcard.principal, wildcard.statement
            ));
            findings.push(finding);
        }
        findings.extend(self.facts.exposed.iter().map(|finding| self.exposed(finding)));
        findings.sort();
        findings.dedup();
        findings
    }

    fn escalation(&self, edge: &Edge) -> Finding {
        let (hops, reaches_admin) = self.hops_by(edge);
        let severity = match (reaches_admin, edge.conditional_on.is_empty()) {
            (true, true) => FindingSeverity::Critical,
            (true, false) => FindingSeverity::High,
            (false, _) => FindingSeverity::Medium,
        };
        let mut finding = Finding::about(FindingCode::EscalationPath, severity, edge.from.clone());
        finding.technique = Some(edge.technique.to_owned());
        finding.target = Some(edge.to.clone());
        finding.reaches_admin = Some(reaches_admin);
        finding.path = hops.into_iter().map(hop).collect();
        finding.resource.clone_from(&edge.through);
        finding.conditional_on.clone_from(&edge.conditional_on);
        finding.evidence = evidence(edge);
        finding.place = self.facts.places.get(&(edge.from.clone(), edge.technique)).cloned();
        let assumes = edge.technique().is_some_and(|technique| !technique.assumes.is_empty());
        finding.confidence = match (edge.conditional_on.is_empty(), assumes) {
            (false, _) => Confidence::Low,
            (true, true) => Confidence::Medium,
            (true, false) => Confidence::High,
        };
        finding
    }

    /// What lets someone from outside at an administrator is worse.
    fn exposed(&self, finding: &Finding) -> Finding {
        let mut finding = finding.clone();
        let outside = [FindingCode::PublicFunction, FindingCode::PublicResource, FindingCode::CrossAccount];
        let runs = finding.functions.iter().find_map(|function| self.role_of(function));
        let is_admin = runs.or(finding.resource.as_ref()).is_some_and(|arn| self.is_admin(arn));
        if is_admin && outside.contains(&finding.code) && finding.severity >= FindingSeverity::Medium {
            finding.severity = FindingSeverity::Critical;
            finding.evidence.push("it is an administrator".into());
        }
        finding
    }

    fn shared_role(&self, role: &Arn, functions: &[Arn]) -> Option<Finding> {
        if functions.len() < 2 {
            return None;
        }
        let mut finding = Finding::about(FindingCode::SharedRole, FindingSeverity::Medium, role.clone());
        finding.functions = functions.to_vec();
        finding.evidence = vec![format!("{} functions have each other's permissions", functions.len())];
        let stacks: BTreeSet<&String> =
            functions.iter().filter_map(|function| self.facts.stacks.get(function)).collect();
        if stacks.len() > 1 {
            let names: Vec<&str> = stacks.into_iter().map(String::as_str).collect();
            finding.evidence.push(format!("they belong to {} stacks: {}", names.len(), names.join(", ")));
        }
        Some(finding)
    }

    fn role_of(&self, function: &Arn) -> Option<&Arn> {
        self.facts.functions.iter().find(|(_, functions)| functions.contains(function)).map(|(role, _)| role)
    }

    fn admin_function(&self, role: &Arn, functions: &[Arn]) -> Option<Finding> {
        if !self.is_admin(role) {
            return None;
        }
        let mut finding = Finding::about(FindingCode::AdminFunction, FindingSeverity::Critical, role.clone());
        finding.functions = functions.to_vec();
        let count = functions.len();
        let run = if count == 1 { "1 function runs".to_owned() } else { format!("{count} functions run") };
        finding.evidence = vec![format!("{run} as an administrator")];
        Some(finding)
    }
}

fn hop(edge: &Edge) -> String {
    let short = |subject: &Subject| subject.to_string();
    format!("{} -[{}]-> {}", short(&edge.from), edge.technique, short(&edge.to))
}

/// What an edge rests on, for people.
fn evidence(edge: &Edge) -> Vec<String> {
    let Some(technique) = edge.technique() else { return Vec::new() };
    let actions: Vec<&str> =
        technique.requires.iter().filter(|r| r.trust != TrustAsked::NamingStart).map(|r| r.action.as_str()).collect();
    let mut evidence = vec![format!("allowed: {}", actions.join(", "))];
    evidence.extend(technique.trusts.first().map(|service| format!("the target trusts {service}")));
    if !technique.assumes.is_empty() {
        evidence.push(format!("taken as given: {}", technique.assumes.join("; ")));
    }
    evidence
}
