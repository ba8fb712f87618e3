//! What AWS publishes about its actions: names, access levels, resource types, operations and how they are logged.
//!
//! Facts only, decoded from one embedded file made by `cargo xtask catalog`. Which calls a role needs is not decided
//! here, and no CloudTrail event is read here. Names compare without regard to case, as AWS compares them.

mod decode;
mod facts;
mod operation;
mod pattern;
mod table;
#[cfg(test)]
mod tests;

pub use facts::{ActionFacts, Logging, ResourceType};
pub use operation::{AuthorizedAction, ForwardedCall, Operation, Template, TemplateTarget, Trigger};
pub use pattern::{ArnMatcher, ArnPart, ArnPattern};

use crate::action::{Action, compare_ignoring_case};
use table::{ListId, Lists, StringId, Strings};

/// The embedded catalogue, made by `cargo xtask catalog`.
const EMBEDDED: &[u8] = include_bytes!("../data/catalog.bin");

/// The first bytes of a catalogue file; the digit is its version.
const MAGIC: &[u8] = b"paring-catalog/2\n";

/// How AWS classes an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Lists names.
    List,
    /// Reads contents.
    Read,
    /// Changes something.
    Write,
    /// Changes tags only.
    Tagging,
    /// Changes who may do what.
    PermissionsManagement,
}

impl AccessLevel {
    /// The words AWS uses for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Tagging => "Tagging",
            Self::PermissionsManagement => "Permissions management",
        }
    }
}

/// Why a catalogue cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The bytes do not start as a catalogue does.
    #[error("this is not a catalogue of AWS actions")]
    NotACatalog,
    /// A catalogue of another version.
    #[error("the catalogue has version `{found}`, and this program reads version 1")]
    Version {
        /// The version found.
        found: String,
    },
    /// The bytes are cut off or damaged.
    #[error("the catalogue is damaged at byte {offset}: {what}")]
    Damaged {
        /// Where.
        offset: usize,
        /// What was expected.
        what: &'static str,
    },
}

/// Facts about every action AWS has published, and about the API operations they authorise.
#[derive(Debug, Clone)]
pub struct Catalog {
    strings: Strings,
    lists: Lists,
    date: StringId,
    provenance: ListId,
    template_sets: Vec<operation::TemplateSetRow>,
    context_sets: Vec<Vec<(StringId, ListId)>>,
    services: Vec<ServiceRow>,
    actions: Vec<facts::ActionRow>,
    resource_types: Vec<facts::ResourceTypeRow>,
    keys: Vec<StringId>,
    operations: Vec<operation::OperationRow>,
    pairs: Vec<operation::PairRow>,
    forwarded: Vec<(StringId, StringId)>,
    sources: Vec<(StringId, ListId)>,
    aliases: Vec<(StringId, StringId, StringId)>,
    dated_sources: ListId,
    free_operations: ListId,
    other_event_types: ListId,
    together: Vec<(StringId, ListId)>,
    /// Pairs by action, made when first asked for.
    authorisers: std::sync::OnceLock<Vec<operation::Authoriser>>,
}

/// One service: where its rows lie in the catalogue's tables.
#[derive(Debug, Clone)]
struct ServiceRow {
    prefix: StringId,
    source: StringId,
    actions: std::ops::Range<usize>,
    resource_types: std::ops::Range<usize>,
    keys: std::ops::Range<usize>,
    operations: std::ops::Range<usize>,
}

impl Catalog {
    /// The catalogue that comes with this program.
    ///
    /// # Errors
    /// [`CatalogError`] where the embedded file is damaged; a released program was tested not to be.
    ///
    /// ```
    /// use iam_model::catalog::{AccessLevel, Catalog};
    /// let catalog = Catalog::embedded().unwrap();
    /// let put = catalog.action(&"dynamodb:putitem".parse().unwrap()).unwrap();
    /// assert_eq!(put.action().as_str(), "dynamodb:PutItem");
    /// assert_eq!(put.level(), AccessLevel::Write);
    /// assert!(put.takes_resource());
    /// ```
    pub fn embedded() -> Result<Self, CatalogError> {
        Self::from_bytes(EMBEDDED)
    }

    /// Reads a catalogue file.
    ///
    /// # Errors
    /// [`CatalogError`] with the place where the bytes stop being a catalogue.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CatalogError> {
        decode::decode(bytes)
    }

    /// The day AWS's reference was taken, `YYYY-MM-DD`.
    #[must_use]
    pub fn date(&self) -> &str {
        self.strings.get(self.date)
    }

    /// Where the facts come from, one line per source, with its licence.
    pub fn provenance(&self) -> impl Iterator<Item = &str> {
        self.texts(self.provenance)
    }

    /// How many actions are known.
    #[must_use]
    pub fn action_count(&self) -> usize {
        self.actions.len()
    }

    /// How many API operations are known.
    #[must_use]
    pub const fn operation_count(&self) -> usize {
        self.operations.len()
    }

    /// Every action, by service and name.
    pub fn actions(&self) -> impl Iterator<Item = ActionFacts<'_>> {
        self.services.iter().flat_map(|service| self.facts_of(service))
    }

    /// Every service prefix, in order.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|service| self.strings.get(service.prefix))
    }

    /// Whether there is a service of this prefix, as far as the catalogue knows.
    #[must_use]
    pub fn knows_service(&self, prefix: &str) -> bool {
        self.service(prefix).is_some()
    }

    /// The actions of one service prefix; nothing for a service nobody knows.
    pub fn service_actions(&self, prefix: &str) -> impl Iterator<Item = ActionFacts<'_>> {
        self.service(prefix).into_iter().flat_map(|service| self.facts_of(service))
    }

    /// What is known about one action.
    #[must_use]
    pub fn action(&self, action: &Action) -> Option<ActionFacts<'_>> {
        self.action_named(action.service(), action.name())
    }

    /// What is known about one action, by its service prefix and name.
    #[must_use]
    pub fn action_named(&self, prefix: &str, name: &str) -> Option<ActionFacts<'_>> {
        let service = self.service(prefix)?;
        let rows = self.actions.get(service.actions.clone())?;
        let at = rows.binary_search_by(|row| compare_ignoring_case(self.strings.get(row.name), name)).ok()?;
        rows.get(at).map(|row| ActionFacts { catalog: self, service, row })
    }

    fn service(&self, prefix: &str) -> Option<&ServiceRow> {
        let at = self
            .services
            .binary_search_by(|service| compare_ignoring_case(self.strings.get(service.prefix), prefix))
            .ok()?;
        self.services.get(at)
    }

    fn facts_of<'a>(&'a self, service: &'a ServiceRow) -> impl Iterator<Item = ActionFacts<'a>> {
        let rows = self.actions.get(service.actions.clone()).unwrap_or_default();
        rows.iter().map(move |row| ActionFacts { catalog: self, service, row })
    }

    fn texts(&self, list: ListId) -> impl Iterator<Item = &str> {
        self.lists.get(list).iter().map(|id| self.strings.get(StringId(*id)))
    }
}
