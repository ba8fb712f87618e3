//! Which accounts a changed control policy is for. Reads what the change says; whether there are such accounts is for
//! others.

use super::{Attachment, Change};
use crate::arn::{AccountId, Arn};

/// The accounts that a changed service or resource control policy is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardTarget {
    /// Every account of the organization: it, its root, or nothing is named.
    All,
    /// One account.
    Account(AccountId),
    /// Accounts that a snapshot cannot tell: those of an organizational unit, or of what is named by no known form.
    Unknown(Arn),
}

impl GuardTarget {
    /// Whether the change is for an account, as far as that is known.
    #[must_use]
    pub fn may_concern(&self, account: &AccountId) -> bool {
        match self {
            Self::Account(only) => only == account,
            Self::All | Self::Unknown(_) => true,
        }
    }

    /// The level a new policy goes to, of so many, the root's first and the account's last.
    #[must_use]
    pub const fn new_level(&self, levels: usize) -> Option<usize> {
        match self {
            Self::Account(_) => levels.checked_sub(1),
            Self::All | Self::Unknown(_) if levels > 0 => Some(0),
            Self::All | Self::Unknown(_) => None,
        }
    }
}

impl Change {
    /// Which accounts a changed control policy is for, as its `resource_arn` or `principal_arn` names them.
    ///
    /// ```
    /// use iam_model::change::{Attachment, AttachmentKind, Change, GuardTarget};
    /// let unit: iam_model::arn::Arn = "arn:aws:organizations::999988887777:ou/o-abc1234567/ou-ab12-prod0001".parse().unwrap();
    /// let attachment = Attachment { kind: AttachmentKind::ServiceControl, ..Attachment::identity(unit.clone(), "p".into()) };
    /// let change = Change { attachment, before: None, after: None, reasons: Vec::new() };
    /// assert_eq!(change.guard_target(), GuardTarget::Unknown(unit));
    /// ```
    #[must_use]
    pub fn guard_target(&self) -> GuardTarget {
        let Attachment { resource_arn, principal_arn, .. } = &self.attachment;
        let one = |arn: &Arn| of_arn(arn, self.before.is_some());
        match (resource_arn, principal_arn) {
            (None, None) => GuardTarget::All,
            (Some(arn), None) | (None, Some(arn)) => one(arn),
            (Some(resource), Some(principal)) => {
                let (one, other) = (one(resource), one(principal));
                if one == other { one } else { GuardTarget::Unknown(resource.clone()) }
            }
        }
    }
}

/// The target an ARN names. A policy's own ARN says where it is attached only for one that stands there already.
fn of_arn(arn: &Arn, stands: bool) -> GuardTarget {
    let (kind, rest) = arn.resource().split_once('/').unwrap_or((arn.resource(), ""));
    let account = |text: &str| text.parse::<AccountId>().ok().map(GuardTarget::Account);
    let found = match (arn.service(), kind) {
        ("organizations", "organization" | "root") => Some(GuardTarget::All),
        ("organizations", "policy") if stands => Some(GuardTarget::All),
        ("organizations", "account") => rest.rsplit('/').next().and_then(account),
        // The account itself, as policies name it as a principal.
        ("iam", "root") => account(arn.account_text()),
        _ => None,
    };
    found.unwrap_or_else(|| GuardTarget::Unknown(arn.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::AttachmentKind;
    use super::*;

    #[test]
    fn targets_are_told_by_either_arn() {
        let account = "222233334444";
        for (arn, stands, expected) in [
            ("arn:aws:organizations::999988887777:account/o-abc1234567/222233334444", false, account),
            ("arn:aws:iam::222233334444:root", false, account),
            ("arn:aws:organizations::999988887777:organization/o-abc1234567", false, "all"),
            ("arn:aws:organizations::999988887777:root/o-abc1234567/r-ab12", false, "all"),
            ("arn:aws:organizations::999988887777:ou/o-abc1234567/ou-ab12-prod0001", false, "unknown"),
            ("arn:aws:organizations::999988887777:account/o-abc1234567/me", false, "unknown"),
            ("arn:aws:organizations::999988887777:policy/o-abc1234567/service_control_policy/p-1", true, "all"),
            ("arn:aws:organizations::999988887777:policy/o-abc1234567/service_control_policy/p-1", false, "unknown"),
            ("arn:aws:iam::222233334444:role/app", false, "unknown"),
        ] {
            let arn: Arn = arn.parse().unwrap();
            let attachment = |principal: bool| Attachment {
                kind: AttachmentKind::ServiceControl,
                principal_arn: principal.then(|| arn.clone()),
                resource_arn: (!principal).then(|| arn.clone()),
                ..Attachment::identity(arn.clone(), "p".into())
            };
            for principal in [true, false] {
                let before = stands.then(Default::default);
                let change = Change { attachment: attachment(principal), before, after: None, reasons: Vec::new() };
                let said = match change.guard_target() {
                    GuardTarget::All => "all".to_owned(),
                    GuardTarget::Account(id) => id.to_string(),
                    GuardTarget::Unknown(_) => "unknown".to_owned(),
                };
                assert_eq!(said, expected, "{arn}");
            }
        }
    }
}
