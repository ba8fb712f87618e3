//! What each judged role is left with, as documents that AWS takes and that mean what the policies they come from mean.
//!
//! Policies of one role stand in one document where that is possible, each in its own where it is not.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::policy::{PolicyDocument, Statement, compact_len};
use iam_model::snapshot::PolicyOrigin;
use iam_synthesize::{Judgement, RoleProposal};
use iam_verify::before_after::replaced;
use iam_verify::outcome::{Claim, Outcome};
use iam_verify::verify::Verdict;

use super::Stage;

impl Stage<'_> {
    /// The documents of every judged role, but for roles whose proposal is refuted by more than a rule.
    pub(super) fn policies(
        &self,
        proposals: &[RoleProposal],
        verdicts: &[Option<Verdict>],
    ) -> Vec<(Arn, PolicyDocument)> {
        let judged = proposals.iter().zip(verdicts).filter(|(proposal, verdict)| {
            !matches!(proposal.judgement, Judgement::Refused(_)) && !verdict.as_ref().is_some_and(is_wrong)
        });
        judged.flat_map(|(proposal, _)| self.of_role(proposal).into_iter().chain(new(proposal))).collect()
    }

    fn of_role(&self, proposal: &RoleProposal) -> Vec<(Arn, PolicyDocument)> {
        let changes: Vec<_> = proposal.changes.iter().collect();
        let own = replaced(&proposal.role, &changes, self.index).into_iter().filter(|replaced| {
            match replaced.policy.origin {
                PolicyOrigin::Managed(arn) => replaced.changed || !arn.is_owned_by_aws(),
                PolicyOrigin::Inline(_) | PolicyOrigin::Group(_) => true,
            }
        });
        let own: Vec<_> = own.filter_map(|replaced| Some((replaced.policy.name, replaced.after?))).collect();
        documents(&proposal.role, &own, self.inputs.quotas.managed)
    }
}

/// Whether a proposal breaks, widens or opens something. What a rule objects to in what stays is told, not held back.
fn is_wrong(verdict: &Verdict) -> bool {
    let refuted = |outcome: &Outcome| matches!(outcome, Outcome::Refuted { .. });
    verdict.claims.iter().any(|(claim, outcome)| *claim != Claim::ObeysGuardrails && refuted(outcome))
}

/// The policies of a role by name, as one document where they have one version and fit together, else one for each, under
/// the role's ARN with the policy's name behind `#`.
pub(crate) fn documents(role: &Arn, own: &[(&str, &PolicyDocument)], most: usize) -> Vec<(Arn, PolicyDocument)> {
    let own: Vec<_> = own.iter().filter(|(_, document)| !document.statements.is_empty()).collect();
    let [(_, first), rest @ ..] = own.as_slice() else {
        return vec![(role.clone(), PolicyDocument::new(Vec::new()))];
    };
    if rest.is_empty() {
        return vec![(role.clone(), (*first).clone())];
    }
    let statements = own.iter().flat_map(|(_, document)| document.statements.iter().cloned()).collect();
    let joined = PolicyDocument { version: first.version, ..PolicyDocument::new(named_apart(statements)) };
    let same_version = rest.iter().all(|(_, other)| other.effective_version() == first.effective_version());
    let understood = own.iter().all(|(_, document)| document.unknown.is_empty());
    if same_version && understood && compact_len(&joined) <= most {
        return vec![(role.clone(), joined)];
    }
    let place = |name: &str| format!("{role}#{name}").parse::<Arn>().unwrap_or_else(|_| role.clone());
    own.iter().map(|(name, document)| (place(name), (*document).clone())).collect()
}

/// Statements without a `Sid` that another before them has: AWS takes each once.
fn named_apart(mut statements: Vec<Statement>) -> Vec<Statement> {
    let mut taken = BTreeSet::new();
    for statement in &mut statements {
        statement.sid = statement.sid.take().filter(|sid| taken.insert(sid.clone()));
    }
    statements
}

/// The managed policies that a proposal would make anew.
fn new(proposal: &RoleProposal) -> impl Iterator<Item = (Arn, PolicyDocument)> {
    proposal.changes.iter().filter(|change| change.before.is_none()).filter_map(|change| {
        let policy = change.attachment.policy_name.as_ref()?.parse().ok()?;
        Some((policy, change.after.clone()?))
    })
}

#[cfg(test)]
mod tests {
    use iam_model::action::ActionPattern;
    use iam_model::arn::ResourcePattern;
    use iam_model::policy::PolicyVersion;

    use super::*;

    fn policy(sid: &str, version: Option<PolicyVersion>, resources: usize) -> PolicyDocument {
        let resources = (0..resources).map(|n| ResourcePattern::new(&format!("arn:aws:s3:::bucket-{n}/*"))).collect();
        let mut statement = Statement::allow(vec![ActionPattern::new("s3:GetObject")], resources);
        statement.sid = Some(sid.into());
        PolicyDocument { version, ..PolicyDocument::new(vec![statement]) }
    }

    #[test]
    fn documents_that_aws_refuses_or_that_mean_something_else_are_not_joined() {
        let role: Arn = "arn:aws:iam::111122223333:role/a".parse().unwrap();
        let new = Some(PolicyVersion::V2012);
        let keys = |one: &PolicyDocument, two: &PolicyDocument| -> Vec<String> {
            let all = documents(&role, &[("one", one), ("two", two)], 6_144);
            all.iter().map(|(key, _)| key.to_string()).collect()
        };
        let apart = ["arn:aws:iam::111122223333:role/a#one", "arn:aws:iam::111122223333:role/a#two"];
        assert_eq!(keys(&policy("X", None, 1), &policy("X", new, 1)), apart, "variables are text in an old document");
        assert_eq!(keys(&policy("X", new, 150), &policy("Y", new, 150)), apart, "no policy may be that long");
        let joined = documents(&role, &[("one", &policy("X", new, 1)), ("two", &policy("X", new, 2))], 6_144);
        let [(key, document)] = joined.as_slice() else { panic!("{joined:?}") };
        let sids: Vec<_> = document.statements.iter().map(|s| s.sid.as_deref()).collect();
        assert_eq!((key, sids), (&role, vec![Some("X"), None]), "AWS takes a Sid once");
        let old = documents(&role, &[("one", &policy("X", None, 1))], 6_144);
        assert_eq!(old, [(role, policy("X", None, 1))], "it stays of its version");
    }
}
