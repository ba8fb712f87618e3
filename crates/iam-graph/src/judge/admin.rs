//! Who is an administrator: whoever may do what administrators do, on everything, within every limit.
//!
//! Asks for a spread of powerful actions across services rather than for one policy's text, so that
//! `Action: *`, a list of services and `NotAction` count alike, and a deny in a corner does not hide an administrator.

use std::sync::LazyLock;

use iam_evaluate::ResourceName;
use iam_model::action::Action;
use iam_model::policy::{ActionElement, Effect, PolicyDocument};

use super::{Answer, Judge, Powers, Question};

/// What gives everything else by itself.
const IDENTITY: &[&str] =
    &["iam:PutRolePolicy", "iam:AttachUserPolicy", "iam:CreatePolicyVersion", "iam:PassRole", "sts:AssumeRole"];

/// A spread over services.
const SERVICES: &[&str] = &[
    "s3:GetObject",
    "s3:DeleteBucket",
    "ec2:RunInstances",
    "ec2:TerminateInstances",
    "lambda:UpdateFunctionCode",
    "dynamodb:DeleteTable",
    "kms:Decrypt",
    "rds:DeleteDBInstance",
    "sqs:ReceiveMessage",
    "sns:Publish",
    "cloudformation:CreateStack",
    "cloudwatch:DeleteAlarms",
];

/// How many of [`IDENTITY`] are asked for first: techniques of the catalogue need them, so the sieve knows them.
const FIRST: usize = 2;

static PROBES: LazyLock<(Vec<Action>, Vec<Action>)> = LazyLock::new(|| {
    let read = |names: &[&str]| names.iter().filter_map(|name| name.parse().ok()).collect();
    (read(IDENTITY), read(SERVICES))
});

impl Judge<'_> {
    /// Actions of which every administrator may do at least one.
    pub(crate) fn admin_probes(&self) -> impl Iterator<Item = &'static Action> {
        PROBES.0.iter().take(FIRST)
    }

    /// Whether the principal is an administrator: whether it may do all that anybody in its account may.
    ///
    /// Where guardrails take the powers over identities, or most services, from everyone, nobody is.
    pub(crate) fn is_admin(&self, powers: &Powers<'_>) -> bool {
        let Some(account) = powers.account.clone() else { return false };
        let (identity, services) = &*PROBES;
        // The cheap question first: next to nobody may do all of this.
        if !identity.iter().take(FIRST).any(|action| self.may_everywhere(powers, action)) {
            return false;
        }
        let Some(best) = self.new_role(&account, &powers.partition) else { return false };
        let open = |actions: &'static [Action]| -> Vec<&Action> {
            actions.iter().filter(|action| self.may_everywhere(&best, action)).collect()
        };
        let (identity, services) = (open(identity), open(services));
        let enough = identity.len() >= 3 && services.len() >= 6;
        enough && identity.into_iter().chain(services).all(|action| self.may_everywhere(powers, action))
    }

    /// Whether the principal may do it on a resource no policy has a reason to name.
    fn may_everywhere(&self, powers: &Powers<'_>, action: &Action) -> bool {
        let Some(account) = &powers.account else { return false };
        let (service, region) = (action.service(), if action.service() == "iam" { "" } else { "us-east-1" });
        let name = match action.name() {
            "AttachUserPolicy" => "user/9a4f0c2e",
            "CreatePolicyVersion" => "policy/9a4f0c2e",
            _ if matches!(service, "iam" | "sts") => "role/9a4f0c2e",
            _ => "9a4f0c2e/9a4f0c2e",
        };
        let service = if service == "sts" { "iam" } else { service };
        let arn = match service {
            "s3" => "arn:aws:s3:::9a4f0c2e/9a4f0c2e".to_owned(),
            _ => format!("arn:{}:{service}:{region}:{account}:{name}", powers.partition),
        };
        let Ok(arn) = arn.parse() else { return false };
        // A role that trusts the account, and a key that leaves it to identity policies.
        let left = super::letting_in(account.to_string());
        let mut question = Question::new(action, ResourceName::Arn(arn));
        question.policy = matches!(action.service(), "sts" | "kms").then_some(&left);
        matches!(self.may(powers, &question), Answer::Yes | Answer::If(_))
    }

    /// Whether the boundary takes away something the principal's policies grant.
    pub(crate) fn is_bounded(&self, powers: &Powers<'_>) -> bool {
        if !powers.has_boundary() {
            return false;
        }
        let unbounded = powers.unbounded();
        let granted = powers.held.iter().flat_map(|held| granted(held.document));
        let (identity, services) = &*PROBES;
        granted.chain(identity.iter().chain(services).cloned()).any(|action| {
            let asked = [Question::new(&action, ResourceName::None)];
            let may = |powers| matches!(self.may_on_any(powers, &asked), Answer::Yes | Answer::If(_));
            may(&unbounded) && !may(powers)
        })
    }
}

/// Whether a document allows an action, or a resource, that another does not.
pub(crate) fn allows_more(wide: &PolicyDocument, narrow: &PolicyDocument) -> bool {
    let allows = |document: &PolicyDocument| -> Vec<String> {
        let statements = document.statements.iter().filter(|s| s.effect != Effect::Deny);
        statements
            .flat_map(|s| {
                let negated = matches!(s.action, ActionElement::NotAction(_));
                s.action.patterns().iter().flat_map(move |action| {
                    s.resource.patterns().iter().map(move |resource| {
                        format!("{negated} {} {}", action.value.as_str().to_ascii_lowercase(), resource.value)
                    })
                })
            })
            .collect()
    };
    let narrow = allows(narrow);
    allows(wide).iter().any(|grant| !narrow.contains(grant))
}

/// Actions a document's allow statements speak of, wildcards filled with nothing.
fn granted(document: &PolicyDocument) -> Vec<Action> {
    let statements = document.statements.iter().filter(|s| s.effect == Effect::Allow);
    let patterns =
        statements.filter(|s| matches!(s.action, ActionElement::Action(_))).flat_map(|s| s.action.patterns());
    patterns.filter_map(|pattern| pattern.value.as_str().replace(['*', '?'], "x").parse().ok()).collect()
}
