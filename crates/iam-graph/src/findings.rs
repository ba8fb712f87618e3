//! Findings: what the graph and the accounts hold that someone should know.

use iam_model::arn::Arn;
use iam_model::finding::{Finding, FindingCode, FindingSeverity, Subject};

use crate::graph::{AccessGraph, Edge};
use crate::technique::TrustAsked;

impl AccessGraph {
    /// Every finding, sorted.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.edges().map(|edge| self.escalation(edge)).collect();
        for (role, functions) in &self.facts.functions {
            let functions: Vec<Arn> = functions.iter().cloned().collect();
            findings.extend(shared_role(role, &functions));
            findings.extend(self.admin_function(role, &functions));
        }
        for wildcard in &self.facts.wildcards {
            let mut finding =
                Finding::about(FindingCode::WildcardGrant, FindingSeverity::Low, wildcard.principal.clone());
            let place = format!("policy `{}`, statement {}", wildcard.policy, wildcard.statement);
            finding.evidence = vec![format!("{place}: {}", wildcard.what)];
            findings.push(finding);
        }
        findings.sort();
        findings.dedup();
        findings
    }

    fn escalation(&self, edge: &Edge) -> Finding {
        let path = self.path_by(edge);
        let severity = match (path.reaches_admin, edge.conditional_on.is_empty()) {
            (true, true) => FindingSeverity::Critical,
            (true, false) => FindingSeverity::High,
            (false, _) => FindingSeverity::Medium,
        };
        let mut finding = Finding::about(FindingCode::EscalationPath, severity, edge.from.clone());
        finding.technique = Some(edge.technique.to_owned());
        finding.target = Some(edge.to.clone());
        finding.reaches_admin = Some(path.reaches_admin);
        finding.path = path.hops.iter().map(hop).collect();
        finding.resource.clone_from(&edge.through);
        finding.conditional_on.clone_from(&edge.conditional_on);
        finding.evidence = evidence(edge);
        finding
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

fn shared_role(role: &Arn, functions: &[Arn]) -> Option<Finding> {
    if functions.len() < 2 {
        return None;
    }
    let mut finding = Finding::about(FindingCode::SharedRole, FindingSeverity::Medium, role.clone());
    finding.functions = functions.to_vec();
    finding.evidence = vec![format!("{} functions have each other's permissions", functions.len())];
    Some(finding)
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
