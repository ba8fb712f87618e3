//! What the catalogue says about one action: level, resource types, condition keys, and how CloudTrail logs it.
//!
//! Follows the Service Authorization Reference, and the CloudTrail User Guide topic "Logging data events". It does not
//! say whether an account's trails record anything; that takes their selectors.

use super::table::{ListId, StringId};
use super::{AccessLevel, ArnPattern, Catalog, ServiceRow};

use crate::action::{Action, compare_ignoring_case};

/// One action's row.
#[derive(Debug, Clone, Copy)]
pub(super) struct ActionRow {
    pub(super) name: StringId,
    pub(super) flags: u32,
    /// Indexes into the service's resource types.
    pub(super) resource_types: ListId,
    /// Indexes into the service's condition keys.
    pub(super) keys: ListId,
    /// 0 management event, 1 never, n + 2: list n of CloudTrail resource types.
    pub(super) logging: u32,
}

/// One resource type's row.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResourceTypeRow {
    pub(super) name: StringId,
    pub(super) patterns: ListId,
    pub(super) keys: ListId,
}

const WRITE: u32 = 1;
const LIST: u32 = 2;
const TAGGING: u32 = 4;
const PERMISSIONS: u32 = 8;
const POLICY_GENERATION: u32 = 16;
const LAST_ACCESSED: u32 = 32;

/// How CloudTrail logs the calls an action authorises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logging<'a> {
    /// As management events, which trails record by default.
    Management {
        /// Whether AWS classes the action as a change. The event's own `readOnly` may differ (`kms:Decrypt`).
        write: bool,
        /// The `eventSource` the events carry, such as `kms.amazonaws.com`.
        event_source: &'a str,
    },
    /// As data events of these CloudTrail resource types (`AWS::S3::Object`, …); all of them must be recorded for every
    /// call to be seen.
    Data(Vec<&'a str>),
    /// Not at all, or not in a way that names the action.
    Never,
}

/// What is known about one action.
#[derive(Debug, Clone, Copy)]
pub struct ActionFacts<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) service: &'a ServiceRow,
    pub(super) row: &'a ActionRow,
}

impl<'a> ActionFacts<'a> {
    /// The action, spelt as AWS spells it.
    #[must_use]
    pub fn action(&self) -> Action {
        Action::from_parts(self.service(), self.name())
    }

    /// The service prefix.
    #[must_use]
    pub fn service(&self) -> &'a str {
        self.catalog.strings.get(self.service.prefix)
    }

    /// Groups of resource types of which every call is checked on one each; nothing where one resource is enough.
    #[must_use]
    pub fn checked_together(&self) -> Vec<Vec<&'a str>> {
        let (action, catalog) = (self.action(), self.catalog);
        let rows = &catalog.together;
        let found =
            rows.binary_search_by(|(name, _)| compare_ignoring_case(catalog.strings.get(*name), action.as_str()));
        let groups = found.ok().and_then(|at| rows.get(at)).into_iter().flat_map(|(_, groups)| catalog.texts(*groups));
        groups.map(|group| group.split('|').collect()).collect()
    }

    /// The name after the colon.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.catalog.strings.get(self.row.name)
    }

    /// The access level. An action AWS marks in several ways has the gravest.
    #[must_use]
    pub const fn level(&self) -> AccessLevel {
        let flags = self.row.flags;
        if flags & PERMISSIONS != 0 {
            AccessLevel::PermissionsManagement
        } else if flags & TAGGING != 0 {
            AccessLevel::Tagging
        } else if flags & WRITE != 0 {
            AccessLevel::Write
        } else if flags & LIST != 0 {
            AccessLevel::List
        } else {
            AccessLevel::Read
        }
    }

    /// Whether the action can be scoped to a resource. Where it cannot, only `*` grants it.
    #[must_use]
    pub fn takes_resource(&self) -> bool {
        !self.catalog.lists.get(self.row.resource_types).is_empty()
    }

    /// The resource types it can be scoped to.
    pub fn resource_types(&self) -> impl Iterator<Item = ResourceType<'a>> + use<'a> {
        let (catalog, service) = (self.catalog, self.service);
        let rows = catalog.resource_types.get(service.resource_types.clone()).unwrap_or_default();
        let wanted = catalog.lists.get(self.row.resource_types);
        wanted.iter().filter_map(|index| rows.get(*index as usize)).map(move |row| ResourceType {
            catalog,
            service,
            row,
        })
    }

    /// The condition keys of the action itself, as written in the reference (`aws:RequestTag/${TagKey}`).
    pub fn condition_keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        keys(self.catalog, self.service, self.row.keys)
    }

    /// Whether AWS's own policy generation supports the action.
    #[must_use]
    pub const fn in_policy_generation(&self) -> bool {
        self.row.flags & POLICY_GENERATION != 0
    }

    /// Whether AWS reports when the action was last used.
    #[must_use]
    pub const fn in_last_accessed(&self) -> bool {
        self.row.flags & LAST_ACCESSED != 0
    }

    /// How CloudTrail logs the calls it authorises.
    ///
    /// ```
    /// use iam_model::catalog::{Catalog, Logging};
    /// let catalog = Catalog::embedded().unwrap();
    /// let logging = |name: &str| catalog.action(&name.parse().unwrap()).unwrap().logging();
    /// assert_eq!(logging("s3:GetObject"), Logging::Data(vec!["AWS::S3::Object"]));
    /// assert_eq!(logging("logs:PutLogEvents"), Logging::Never);
    /// assert_eq!(logging("mq:ListBrokers"), Logging::Management { write: false, event_source: "amazonmq.amazonaws.com" });
    /// ```
    #[must_use]
    pub fn logging(&self) -> Logging<'a> {
        match self.row.logging {
            0 => Logging::Management {
                write: !matches!(self.level(), AccessLevel::List | AccessLevel::Read),
                event_source: self.catalog.strings.get(self.service.source),
            },
            1 => Logging::Never,
            list => {
                let catalog = self.catalog;
                Logging::Data(catalog.texts(ListId(list.saturating_sub(2))).collect())
            }
        }
    }
}

/// A type of resource an action can be scoped to.
#[derive(Debug, Clone, Copy)]
pub struct ResourceType<'a> {
    catalog: &'a Catalog,
    service: &'a ServiceRow,
    row: &'a ResourceTypeRow,
}

impl<'a> ResourceType<'a> {
    /// Its name within the service, such as `table`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.catalog.strings.get(self.row.name)
    }

    /// The forms of its ARNs.
    pub fn arn_patterns(&self) -> impl Iterator<Item = ArnPattern<'a>> + use<'a> {
        let catalog = self.catalog;
        catalog.lists.get(self.row.patterns).iter().map(|id| ArnPattern::new(catalog.strings.get(StringId(*id))))
    }

    /// The condition keys of the resource type.
    pub fn condition_keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        keys(self.catalog, self.service, self.row.keys)
    }
}

fn keys<'a>(catalog: &'a Catalog, service: &'a ServiceRow, list: ListId) -> impl Iterator<Item = &'a str> + use<'a> {
    let keys = catalog.keys.get(service.keys.clone()).unwrap_or_default();
    catalog.lists.get(list).iter().filter_map(|index| keys.get(*index as usize)).map(|id| catalog.strings.get(*id))
}
