//! Trust policies: who was seen to assume a role, and who could have been seen and was not.
//!
//! Roles of accounts whose trails were read are judged by their `sts:AssumeRole` calls. Users, identity providers, other
//! accounts and services leave no such record here, so they stay, and the report says so. A whole account is narrowed by a
//! condition on the roles seen, never by naming them: what a role named in a trust policy needs of its own is less.

use std::collections::BTreeSet;

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::change::AttachmentKind;
use iam_model::condition::Comparison;
use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PrincipalElement, PrincipalPattern, ResourceElement, Statement,
};
use iam_model::quota::ResourceQuota;
use iam_model::snapshot::Role;
use iam_model::text::Spanned;
use iam_model::usage::{Observation, Visibility};

use super::roles::lines;
use super::services::{is_run, is_stale};
use super::{DocumentProposal, Draft, Ground, attachment, condition, has_key, understood, whole_account};
use crate::infer::was_seen;

const ASSUME: &str = "sts:AssumeRole";
/// What comes along with assuming a role, and is of no use without it.
const ALONG: &[&str] = &["sts:TagSession", "sts:SetSourceIdentity"];
const PRINCIPAL_ARN: &str = "aws:PrincipalArn";

/// Starts of names that roles have which AWS made for itself or for an emergency, and who uses them.
const RESERVED: &[(&str, &str)] = &[
    ("OrganizationAccountAccessRole", "it is the management account's way in for an emergency"),
    ("AWSControlTower", "Control Tower uses it where it sets up or repairs accounts"),
    ("aws-controltower-", "Control Tower uses it where it sets up or repairs accounts"),
    ("stacksets-exec-", "CloudFormation made it, for stack sets of the organisation"),
    ("AWSCloudFormationStackSet", "stack sets use it where something is to be deployed"),
];

pub(super) fn propose(role: &Role, ground: &Ground<'_, '_>) -> Option<DocumentProposal> {
    if role.is_owned_by_aws() {
        return None;
    }
    let assume: Action = ASSUME.parse().ok()?;
    let trusted = Trusted { described: role, role: &role.identity.arn, ground, assume };
    let most = ResourceQuota::of(ground.quotas.trust);
    let place = attachment(AttachmentKind::Trust, Some(&role.identity.arn), None);
    let mut draft = Draft::new();
    if let Some(why) = trusted.why_not(&role.trust) {
        draft.left_alone.push(why);
        return Some(draft.finish(place, &role.trust, most));
    }
    for statement in &role.trust.statements {
        draft.judge(&trusted.seen(statement), |draft| trusted.statement(statement, draft));
    }
    if !draft.reasons.is_empty() && !draft.statements.iter().any(|s| s.effect == Effect::Allow) {
        let days = ground.evidence.coverage.days;
        draft = Draft::new();
        draft.left_alone.push(format!(
            "nobody it trusts was seen to assume it in {days} days; a role that none may assume is better deleted, by hand"
        ));
    }
    Some(draft.finish(place, &role.trust, most))
}

/// What is known of one entry of a principal element.
enum Known {
    /// It was seen, or speaks of something that is not judged and needs no word.
    Stays,
    /// It could have been seen, and was not.
    Unseen,
    /// A service through which nothing of the snapshot runs as the role.
    Stale,
    /// Nobody can tell, and why.
    Open(String),
}

struct Trusted<'t, 'a> {
    described: &'t Role,
    role: &'t Arn,
    ground: &'t Ground<'t, 'a>,
    assume: Action,
}

impl Trusted<'_, '_> {
    /// Why nothing of a trust policy can be judged; nothing too where no role or account stands in it.
    fn why_not(&self, trust: &PolicyDocument) -> Option<String> {
        if !understood(trust) {
            return Some("its trust policy is not understood whole, so it stays as it is".into());
        }
        if let Some((_, why)) = RESERVED.iter().find(|(start, _)| self.role.name().starts_with(start)) {
            return Some(format!("its trust stays: {why}"));
        }
        let days = self.ground.evidence.coverage.days;
        let names_someone = trust.statements.iter().any(|statement| match &statement.principal {
            Some(PrincipalElement::Principal(all)) => all.iter().any(|p| matches!(p.value, PrincipalPattern::Aws(_))),
            _ => false,
        });
        (names_someone && (days == 0 || days < self.ground.rules.min_days)).then(|| {
            format!("the logs span {days} days, and {} are asked for before trust is cut", self.ground.rules.min_days)
        })
    }

    /// Who was seen to assume it by a statement, a line each.
    fn seen(&self, statement: &Statement) -> Vec<String> {
        let Some(PrincipalElement::Principal(principals)) = &statement.principal else { return Vec::new() };
        let usage = &self.ground.evidence.usage.principals;
        let named = |caller: &Arn| {
            principals.iter().any(|principal| match whole_account(&principal.value) {
                Some(account) => caller.account() == Some(account),
                None => principal.value.text() == caller.as_str(),
            })
        };
        let callers = usage.keys().filter(|caller| statement.effect == Effect::Allow && named(caller));
        lines(callers.flat_map(|caller| {
            self.calls(caller).filter(|call| self.is_about_this(call)).map(move |call| (caller, call))
        }))
    }

    fn statement(&self, statement: &Statement, draft: &mut Draft) {
        let Some(PrincipalElement::Principal(principals)) = &statement.principal else {
            draft.statements.push(statement.clone());
            return;
        };
        if statement.effect != Effect::Allow || !self.is_plain(statement) {
            draft.statements.push(statement.clone());
            return;
        }
        if let [only] = principals.as_slice()
            && let Some(account) = whole_account(&only.value)
        {
            self.account(&account, statement, draft);
            return;
        }
        let mut kept = Vec::new();
        let (mut gone, mut stale) = (Vec::new(), Vec::new());
        for principal in principals {
            match self.principal(&principal.value) {
                Known::Stays => kept.push(principal.clone()),
                Known::Unseen => gone.push(principal.value.text().to_owned()),
                Known::Stale => stale.push(principal.value.text().to_owned()),
                Known::Open(why) => {
                    draft.left_alone.push(why);
                    kept.push(principal.clone());
                }
            }
        }
        self.without(statement, kept, (&gone, &stale), draft);
    }

    /// The statement without the principals that were not seen.
    fn without(
        &self,
        statement: &Statement,
        kept: Vec<Spanned<PrincipalPattern>>,
        (gone, stale): (&[String], &[String]),
        draft: &mut Draft,
    ) {
        if gone.is_empty() && stale.is_empty() {
            draft.statements.push(statement.clone());
            return;
        }
        let days = self.ground.evidence.coverage.days;
        let mut because = Vec::new();
        if !gone.is_empty() {
            because.push(format!("no longer trusted, not seen to assume it in {days} days: {}", gone.join(", ")));
        }
        if !stale.is_empty() {
            let stale = stale.join(", ");
            because.push(format!("no longer trusted, as nothing of the snapshot runs as the role through it: {stale}"));
        }
        let because = because.join("; ");
        if kept.is_empty() {
            draft.dropped(because);
            return;
        }
        let narrowed = Statement { principal: Some(PrincipalElement::Principal(kept)), ..statement.clone() };
        draft.narrowed(narrowed, because, Vec::new());
    }

    /// Whether a statement is about assuming the role and nothing else.
    fn is_plain(&self, statement: &Statement) -> bool {
        let ActionElement::Action(actions) = &statement.action else { return false };
        let known = |text: &str| std::iter::once(&ASSUME).chain(ALONG).any(|name| name.eq_ignore_ascii_case(text));
        matches!(statement.resource, ResourceElement::Absent) && actions.iter().all(|a| known(a.value.as_str()))
    }

    fn principal(&self, principal: &PrincipalPattern) -> Known {
        let PrincipalPattern::Aws(name) = principal else {
            return match principal {
                PrincipalPattern::Service(name)
                    if is_stale(name, self.described, self.ground.index) == Some(true) && self.is_unexplained() =>
                {
                    Known::Open(format!(
                        "{name} stays: calls of the role were seen, and the snapshot shows nothing that runs as it: it is not whole"
                    ))
                }
                PrincipalPattern::Service(name) if is_stale(name, self.described, self.ground.index) == Some(true) => {
                    Known::Stale
                }
                PrincipalPattern::Service(name) if is_stale(name, self.described, self.ground.index).is_some() => {
                    Known::Stays
                }
                PrincipalPattern::Service(name) if !name.starts_with("lambda.") => Known::Open(format!(
                    "{name} stays: what services assume for themselves is not counted by role in the logs"
                )),
                PrincipalPattern::Everyone => Known::Open("everyone stays: name who is meant, by hand".into()),
                _ => Known::Stays,
            };
        };
        if whole_account(principal).is_some() {
            return Known::Open(format!(
                "{name} stays: it stands with others in one statement, where no condition could speak of it alone"
            ));
        }
        let caller =
            name.parse::<Arn>().ok().filter(|arn| arn.service() == "iam" && self.ground.index.role(arn).is_some());
        let Some(caller) = caller else {
            return Known::Open(format!("{name} stays: it is no role of the snapshot, so its calls are not known"));
        };
        if self.calls(&caller).any(|call| self.is_about_this(call)) || self.is_kept(&caller) {
            return Known::Stays;
        }
        if self.ground.index.role(&caller).is_some_and(Role::is_service_linked) {
            return Known::Open(format!("{name} stays: AWS owns it, and knows when its service uses it"));
        }
        if let Some(why) = self.ground.is_silent(&caller) {
            return Known::Open(format!("{name} stays, though it was not seen to assume the role: {why}"));
        }
        match caller.account().ok_or_else(|| "no account".to_owned()).and_then(|id| self.shown(&id, &caller)) {
            Ok(()) => Known::Unseen,
            Err(why) => Known::Open(format!("{name} stays, though it was not seen to assume the role: {why}")),
        }
    }

    /// Whether the role was used, and nothing is known to run as it or to assume it.
    fn is_unexplained(&self) -> bool {
        let usage = self.ground.evidence.usage;
        was_seen(self.role, usage)
            && !is_run(self.described, self.ground.index)
            && !usage.principals.keys().any(|caller| self.calls(caller).any(|call| self.is_about_this(call)))
    }

    /// A statement that trusts a whole account, bound to the roles that were seen.
    fn account(&self, account: &AccountId, statement: &Statement, draft: &mut Draft) {
        match self.roles_of(account) {
            _ if has_key(statement, PRINCIPAL_ARN) => {}
            Err(why) => {
                draft.left_alone.push(format!("the whole account {account} stays trusted: {why}"));
            }
            Ok(roles) if roles.is_empty() => {
                let days = self.ground.evidence.coverage.days;
                let because = format!(
                    "account {account} is no longer trusted: none of its roles was seen to assume it in {days} days"
                );
                draft.dropped(because);
                return;
            }
            Ok(roles) => {
                let mut narrowed = statement.clone();
                let names: Vec<String> = roles.iter().map(ToString::to_string).collect();
                narrowed.conditions.push(condition(Comparison::ArnEquals, PRINCIPAL_ARN, names.clone()));
                let because = format!("of account {account}, only the roles that were seen to assume it");
                draft.narrowed(narrowed, because, names);
                return;
            }
        }
        draft.statements.push(statement.clone());
    }

    /// The roles of an account that assumed this one or must stay able to; an error where someone could go unseen.
    ///
    /// Service-linked roles stay: their services use them when these need it.
    fn roles_of(&self, account: &AccountId) -> Result<BTreeSet<Arn>, String> {
        let described = self.ground.index.snapshot().accounts.get(account).ok_or("it is not in the snapshot")?;
        if !described.users.is_empty() {
            return Err("it has users, whose calls are not counted".into());
        }
        if described.roles.is_empty() {
            return Err("the snapshot shows no role of it".into());
        }
        let mut seen = BTreeSet::new();
        for (caller, _) in
            self.ground.evidence.usage.principals.iter().filter(|(arn, _)| arn.account().as_ref() == Some(account))
        {
            if self.calls(caller).any(|call| self.is_about_this(call)) {
                seen.insert(caller.clone());
            }
        }
        // With a whole account, a role's own policies decide too: one that they do not let assume this cannot have.
        for role in
            described.roles.iter().filter(|role| self.ground.may_do(&role.identity.arn, &self.assume, self.role))
        {
            let arn = &role.identity.arn;
            self.shown(account, arn)?;
            if role.is_service_linked() || self.is_kept(arn) || self.ground.is_silent(arn).is_some() {
                seen.insert(arn.clone());
            }
        }
        Ok(seen)
    }

    /// Whether the logs would have shown a role assuming this one; the error says why not.
    fn shown(&self, account: &AccountId, caller: &Arn) -> Result<(), String> {
        self.ground.is_logged(account)?;
        let known = crate::needs::Known { role: caller, evidence: self.ground.evidence, rules: self.ground.rules };
        let on = ResourcePattern::new(self.role.as_str());
        match (known.visibility(&self.assume), (self.ground.evidence.every_use)(caller, &self.assume, &on)) {
            (Visibility::Visible, Visibility::Visible) => Ok(()),
            (Visibility::Invisible(why), _) | (_, Visibility::Invisible(why)) => Err(why),
        }
    }

    fn calls<'s>(&'s self, caller: &Arn) -> impl Iterator<Item = &'s Observation> {
        let used = self.ground.evidence.usage.principals.get(caller);
        used.into_iter().flat_map(|used| &used.observations).filter(|o| o.count > 0 && o.action == self.assume)
    }

    /// Whether a call may have been about this role.
    fn is_about_this(&self, call: &Observation) -> bool {
        let may = |r: &ResourcePattern| r.as_str().contains(['*', '?']) || r.as_str() == self.role.as_str();
        !call.resource_known || call.resources.iter().any(may)
    }

    /// Whether a rule keeps a role able to assume others, or this role able to be assumed.
    fn is_kept(&self, caller: &Arn) -> bool {
        let concerns = |arn: &Arn| {
            self.ground
                .rules
                .keep
                .iter()
                .filter(|rule| rule.applies_to(arn))
                .flat_map(|rule| &rule.actions)
                .any(|pattern| Glob::parse(pattern.as_str(), Reading::ACTION).matches(ASSUME))
        };
        concerns(caller) || concerns(self.role)
    }
}
