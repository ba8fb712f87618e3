//! Actions that are checked on several resources at once, or on another form of a resource's ARN than its name makes.
//!
//! Which kinds go together is told by the catalogue; the forms stand here. What a call does not name of them stands as any of
//! its kind.

/// Kinds of which each is checked: one of every group.
pub(crate) type Groups<'c> = Vec<Vec<&'c str>>;

/// The account whose data catalogue a call means; its own where it is left out.
pub(crate) const CATALOG: &str = "catalogId";

/// What every call of an action must be allowed on beside what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Together<'c> {
    /// One resource, or one of several kinds.
    No,
    /// One of each group of kinds.
    Each(Groups<'c>),
    /// The data catalogue, and the database of a table.
    Catalog,
    /// Everything within a log group: that is how log groups are asked for.
    LogGroup,
    /// A rule on the bus that the call names.
    Bus,
    /// A function with the version or alias that the call asks for.
    Qualified,
    /// The default bus too, for events that name none.
    DefaultBus,
    /// A parameter without the version that the call asks for.
    Parameter,
    /// A web ACL or rule group with its scope as ARNs spell it.
    Scope,
    /// A model, and where the call names an inference profile the models behind it, which the record does not name.
    Model,
}

impl<'c> Together<'c> {
    /// What an action of these resource types asks for, of which the catalogue says that groups go together.
    pub(crate) fn of(action: &str, groups: Groups<'c>, kinds: &[&str]) -> Self {
        let has = |kind: &str| kinds.contains(&kind);
        if !groups.is_empty() {
            return Self::Each(groups);
        }
        match action.split_once(':').unwrap_or_default() {
            ("glue", _) if has("rootcatalog") => Self::Catalog,
            ("logs", name) if has("log-group") && !name.contains("Tag") => Self::LogGroup,
            ("events", _) if has("rule-on-custom-event-bus") => Self::Bus,
            ("events", "PutEvents") => Self::DefaultBus,
            ("lambda", "InvokeFunction") => Self::Qualified,
            ("ssm", _) if has("parameter") => Self::Parameter,
            ("wafv2", _) => Self::Scope,
            ("bedrock", _) if has("foundation-model") && has("inference-profile") => Self::Model,
            _ => Self::No,
        }
    }
}
