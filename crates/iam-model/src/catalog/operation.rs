//! API operations: which actions a call is authorised against, on which resources, and what services do with it.
//!
//! The reference's list for an operation is an upper bound; [`Trigger`] says when an action beyond the first is really
//! checked. Templates are handed out as text: reading request parameters is the log reader's job.

use super::Catalog;
use super::table::{ListId, StringId};
use crate::action::Action;

/// One operation's row.
#[derive(Debug, Clone)]
pub(super) struct OperationRow {
    pub(super) name: StringId,
    pub(super) pairs: std::ops::Range<usize>,
    pub(super) forwarded: std::ops::Range<usize>,
}

/// One (operation, action) pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairRow {
    pub(super) service: StringId,
    pub(super) name: StringId,
    pub(super) primary: bool,
    pub(super) trigger: u32,
    pub(super) trigger_list: ListId,
    pub(super) templates: usize,
    pub(super) context: usize,
}

/// Templates of a pair: a target, and alternatives in order.
pub(super) type TemplateSetRow = Vec<(StringId, ListId)>;

/// The numbers triggers are written as.
pub(super) const TRIGGER_KINDS: u32 = 6;

/// When an action is checked for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger<'a> {
    /// For every call.
    Always,
    /// When one of these request parameters is there; paths as in templates.
    HasAny(Vec<&'a str>),
    /// When its own template finds something in the request.
    TemplateResolves,
    /// When the request names a role.
    PassesRole {
        /// Whether it may also pass one that stands elsewhere, in a task definition or a launch template: then its record
        /// need not name it.
        unnamed: bool,
    },
    /// When a statement in the request starts with this verb.
    SqlVerb(&'a str),
    /// Never on evidence of this call alone.
    NotShown,
}

/// One API operation of one service.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    catalog: &'a Catalog,
    prefix: StringId,
    row: &'a OperationRow,
}

impl<'a> Operation<'a> {
    /// The IAM prefix of the service.
    #[must_use]
    pub fn service(&self) -> &'a str {
        self.catalog.strings.get(self.prefix)
    }

    /// The operation's name in the API.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.catalog.strings.get(self.row.name)
    }

    /// The actions a call may be authorised against, the primary first.
    pub fn authorized(&self) -> impl Iterator<Item = AuthorizedAction<'a>> + use<'a> {
        let (catalog, own) = (self.catalog, self.prefix);
        let rows = catalog.pairs.get(self.row.pairs.clone()).unwrap_or_default();
        rows.iter().map(move |row| AuthorizedAction { catalog, own, row })
    }

    /// Calls the service makes with the caller's credentials, authorised against the caller.
    pub fn forwarded(&self) -> impl Iterator<Item = ForwardedCall<'a>> + use<'a> {
        let catalog = self.catalog;
        let rows = catalog.forwarded.get(self.row.forwarded.clone()).unwrap_or_default();
        rows.iter().filter_map(move |(action, via)| {
            let action = catalog.strings.get(*action).parse().ok()?;
            Some(ForwardedCall { action, via: catalog.strings.get(*via) })
        })
    }
}

/// An action a call may be authorised against.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizedAction<'a> {
    catalog: &'a Catalog,
    own: StringId,
    row: &'a PairRow,
}

impl<'a> AuthorizedAction<'a> {
    /// The action.
    #[must_use]
    pub fn action(&self) -> Action {
        Action::from_parts(self.service(), self.name())
    }

    /// The action's service prefix.
    #[must_use]
    pub fn service(&self) -> &'a str {
        let text = self.catalog.strings.get(self.row.service);
        if text.is_empty() { self.catalog.strings.get(self.own) } else { text }
    }

    /// The action's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.catalog.strings.get(self.row.name)
    }

    /// Whether it is the action the operation stands for.
    #[must_use]
    pub const fn is_primary(&self) -> bool {
        self.row.primary
    }

    /// When it is checked.
    #[must_use]
    pub fn trigger(&self) -> Trigger<'a> {
        let catalog = self.catalog;
        let texts = move || catalog.texts(self.row.trigger_list);
        match self.row.trigger {
            0 => Trigger::Always,
            1 => Trigger::HasAny(texts().collect()),
            2 => Trigger::TemplateResolves,
            3 => Trigger::PassesRole { unnamed: texts().next().is_some() },
            4 => Trigger::SqlVerb(texts().next().unwrap_or_default()),
            _ => Trigger::NotShown,
        }
    }

    /// Where its resource stands in the request.
    pub fn templates(&self) -> impl Iterator<Item = Template<'a>> + use<'a> {
        let catalog = self.catalog;
        let set = catalog.template_sets.get(self.row.templates).map(Vec::as_slice).unwrap_or_default();
        set.iter().map(move |(target, texts)| Template { catalog, target: *target, texts: *texts })
    }

    /// Condition keys the call is known to carry, with their possible values (`iam:PassedToService`).
    pub fn context(&self) -> impl Iterator<Item = (&'a str, Vec<&'a str>)> + use<'a> {
        let catalog = self.catalog;
        let set = catalog.context_sets.get(self.row.context).map(Vec::as_slice).unwrap_or_default();
        set.iter().map(move |(key, values)| (catalog.strings.get(*key), catalog.texts(*values).collect()))
    }
}

/// What a template gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateTarget<'a> {
    /// A whole ARN of any resource type.
    AnyArn,
    /// A whole ARN of this resource type.
    Arn(&'a str),
    /// The value of this variable in the patterns of the action's resource types.
    Variable(&'a str),
}

/// How a resource is found in the request: a target, and texts to try in order.
///
/// In a text, `${a.b[].c}` stands for a request parameter, `${partition}`, `${region}` and `${account}` for the call's
/// own, `%arn%` for "only if it is an ARN", `%last%` for the last segment of an ARN or URL, `%strip/%` for "without a
/// leading slash", `%noalias%` for "only if it is no alias", `%copysource%` for a copy source's bucket and key.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a> {
    catalog: &'a Catalog,
    target: StringId,
    texts: ListId,
}

impl<'a> Template<'a> {
    /// What the texts give.
    #[must_use]
    pub fn target(&self) -> TemplateTarget<'a> {
        let target = self.catalog.strings.get(self.target);
        let whole = self.catalog.texts(self.texts).any(|text| text.starts_with('='));
        match (target, whole) {
            ("*", _) => TemplateTarget::AnyArn,
            (name, true) => TemplateTarget::Arn(name),
            (name, false) => TemplateTarget::Variable(name),
        }
    }

    /// The texts, in the order to try them; a leading `=` marks a whole ARN.
    pub fn texts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.catalog.texts(self.texts)
    }
}

/// A call a service makes with the caller's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedCall<'a> {
    /// The action.
    pub action: Action,
    /// The calling service as `kms:ViaService` has it, with `${region}`; empty where unknown.
    pub via: &'a str,
}

/// A pair by the action it names: rows of the action, the service of the operation, the operation and the pair.
pub(super) type Authoriser = (u32, u32, u32, u32);

impl Catalog {
    /// The operations whose calls may be authorised against an action, each with how it is: what a call of the action
    /// would be seen by. Nothing for actions that only AWS's consoles, agents and services ask for.
    ///
    /// ```
    /// use iam_model::catalog::{Catalog, Trigger};
    /// let catalog = Catalog::embedded().unwrap();
    /// let found = catalog.operations_authorised_by(&"kms:ReEncryptTo".parse().unwrap());
    /// let (operation, pair) = &found[0];
    /// assert_eq!((operation.name(), pair.trigger()), ("ReEncrypt", Trigger::Always));
    /// ```
    #[must_use]
    pub fn operations_authorised_by(&self, action: &Action) -> Vec<(Operation<'_>, AuthorizedAction<'_>)> {
        let Some(wanted) = self.action_row(action.service(), action.name()) else { return Vec::new() };
        let index = self.authorisers.get_or_init(|| self.index_authorisers());
        let first = index.partition_point(|(action, ..)| *action < wanted);
        let found = index.iter().skip(first).take_while(|(action, ..)| *action == wanted);
        found
            .filter_map(|(_, service, operation, pair)| {
                let prefix = self.services.get(*service as usize)?.prefix;
                let row = self.operations.get(*operation as usize)?;
                let pair = self.pairs.get(*pair as usize)?;
                Some((
                    Operation { catalog: self, prefix, row },
                    AuthorizedAction { catalog: self, own: prefix, row: pair },
                ))
            })
            .collect()
    }

    /// The number of an action's row.
    fn action_row(&self, prefix: &str, name: &str) -> Option<u32> {
        let service = self.service(prefix)?;
        let rows = self.actions.get(service.actions.clone())?;
        let order =
            |row: &super::facts::ActionRow| crate::action::compare_ignoring_case(self.strings.get(row.name), name);
        u32::try_from(service.actions.start + rows.binary_search_by(order).ok()?).ok()
    }

    fn index_authorisers(&self) -> Vec<Authoriser> {
        let mut index = Vec::with_capacity(self.pairs.len());
        for (number, service) in (0_u32..).zip(&self.services) {
            for operation in service.operations.clone() {
                let Some(row) = self.operations.get(operation) else { continue };
                for pair in row.pairs.clone() {
                    let Some(authorised) = self.pairs.get(pair) else { continue };
                    let found = AuthorizedAction { catalog: self, own: service.prefix, row: authorised };
                    let action = self.action_row(found.service(), found.name());
                    let rows = (u32::try_from(operation).ok(), u32::try_from(pair).ok());
                    if let (Some(action), (Some(operation), Some(pair))) = (action, rows) {
                        index.push((action, number, operation, pair));
                    }
                }
            }
        }
        index.sort_unstable();
        index
    }

    /// The operations a CloudTrail event may stand for, most likely first; several only where services share an event
    /// source and an event name.
    ///
    /// ```
    /// use iam_model::catalog::Catalog;
    /// let catalog = Catalog::embedded().unwrap();
    /// let found = catalog.operations("lambda.amazonaws.com", "CreateFunction20150331");
    /// assert_eq!(found[0].authorized().next().unwrap().action().as_str(), "lambda:CreateFunction");
    /// ```
    #[must_use]
    pub fn operations(&self, event_source: &str, event_name: &str) -> Vec<Operation<'_>> {
        let name = self.alias(event_source, event_name).unwrap_or(event_name);
        let exact = self.operations_named(event_source, name);
        if exact.is_empty() && self.texts(self.dated_sources).any(|source| source == event_source) {
            return self.operations_named(event_source, without_date(name));
        }
        exact
    }

    /// The IAM prefixes whose calls carry this event source, most likely first.
    #[must_use]
    pub fn prefixes<'a>(&'a self, event_source: &'a str) -> Vec<&'a str> {
        let exception = self
            .sources
            .binary_search_by(|(source, _)| self.strings.get(*source).cmp(event_source))
            .ok()
            .and_then(|at| self.sources.get(at));
        match exception {
            Some((_, prefixes)) => self.texts(*prefixes).collect(),
            None => event_source.split_once(".amazonaws.com").map(|(label, _)| label).into_iter().collect(),
        }
    }

    /// Whether the operation needs no permission at all (`sts:GetCallerIdentity`).
    #[must_use]
    pub fn needs_no_permission(&self, prefix: &str, operation: &str) -> bool {
        self.texts(self.free_operations)
            .filter_map(|text| text.split_once(':'))
            .any(|(service, name)| service.eq_ignore_ascii_case(prefix) && name.eq_ignore_ascii_case(operation))
    }

    /// Whether records of this `eventType` are no API calls (console sign-ins, insights, service events).
    #[must_use]
    pub fn is_no_api_call(&self, event_type: &str) -> bool {
        self.texts(self.other_event_types).any(|known| known == event_type)
    }

    /// The event name without a version suffix, for the event sources that append one.
    #[must_use]
    pub fn plain_event_name<'a>(&self, event_source: &str, event_name: &'a str) -> &'a str {
        let dated = self.texts(self.dated_sources).any(|source| source == event_source);
        if dated { without_date(event_name) } else { event_name }
    }

    fn alias(&self, event_source: &str, event_name: &str) -> Option<&str> {
        let key = |row: &(StringId, StringId, StringId)| (self.strings.get(row.0), self.strings.get(row.1));
        let at = self.aliases.binary_search_by(|row| key(row).cmp(&(event_source, event_name))).ok()?;
        self.aliases.get(at).map(|row| self.strings.get(row.2))
    }

    fn operations_named(&self, event_source: &str, name: &str) -> Vec<Operation<'_>> {
        self.prefixes(event_source).iter().filter_map(|prefix| self.operation(prefix, name)).collect()
    }

    /// One operation by IAM prefix and name.
    #[must_use]
    pub fn operation(&self, prefix: &str, name: &str) -> Option<Operation<'_>> {
        let service = self.service(prefix)?;
        let rows = self.operations.get(service.operations.clone())?;
        let order = |row: &OperationRow| crate::action::compare_ignoring_case(self.strings.get(row.name), name);
        let row = rows.get(rows.binary_search_by(order).ok()?)?;
        Some(Operation { catalog: self, prefix: service.prefix, row })
    }
}

/// Cuts a version suffix such as `20150331v2` or `2020_05_31`; real names that end in digits keep them.
fn without_date(name: &str) -> &str {
    let unversioned = name
        .rsplit_once('v')
        .filter(|(_, digits)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .map_or(name, |(head, _)| head);
    let dated = |length: usize, underscores: bool| {
        let at = unversioned.len().checked_sub(length)?;
        let (head, tail) = unversioned.split_at_checked(at)?;
        let well_formed = tail.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 if underscores => byte == b'_',
            _ => byte.is_ascii_digit(),
        });
        (well_formed && tail.starts_with("20") && !head.is_empty()).then_some(head)
    };
    let head = dated(10, true).or_else(|| dated(8, false));
    head.map_or(name, |head| head.strip_suffix('_').unwrap_or(head))
}
