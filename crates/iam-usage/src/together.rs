//! Actions that are checked on several resources at once, or on another form of a resource's ARN than its name makes.
//!
//! AWS's published reference lists the types of an action's resources and not which of them every call must be allowed
//! on; the Service Authorization Reference and the services' own topics do ("Granular permissions" of Glue, "Required
//! permissions" of Systems Manager). What a call does not name of them stands as any of its kind.

/// Kinds of which each is checked: one of every group.
pub(crate) type Groups = &'static [&'static [&'static str]];

const TOGETHER: &[(&str, Groups)] = &[
    ("batch:SubmitJob", &[&["job-definition", "job-definition-revision"], &["job-queue"]]),
    ("dynamodb:RestoreTableFromBackup", &[&["backup"], &["table"]]),
    (
        "ec2:RunInstances",
        &[&["image"], &["instance"], &["network-interface"], &["security-group"], &["subnet"], &["volume"]],
    ),
    ("kms:CreateAlias", &[&["alias"], &["key"]]),
    ("kms:DeleteAlias", &[&["alias"], &["key"]]),
    ("kms:UpdateAlias", &[&["alias"], &["key"]]),
    ("sagemaker:CreateEndpoint", &[&["endpoint"], &["endpoint-config"]]),
    ("ssm:CreateAssociation", &[&["document"], &["instance", "managed-instance"]]),
    ("ssm:SendCommand", &[&["document"], &["instance", "managed-instance"]]),
    ("ssm:StartSession", &[&["document"], &["instance", "managed-instance", "task"]]),
];

/// The account whose data catalogue a call means; its own where it is left out.
pub(crate) const CATALOG: &str = "catalogId";

/// What every call of an action must be allowed on beside what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Together {
    /// One resource, or one of several kinds.
    No,
    /// One of each group of kinds.
    Each(Groups),
    /// The data catalogue, and the database of a table.
    Catalog,
    /// Everything within a log group: that is how log groups are asked for.
    LogGroup,
    /// A rule on the bus that the call names.
    Bus,
    /// A model, and where the call names an inference profile the models behind it, which the record does not name.
    Model,
}

impl Together {
    /// What an action of these resource types asks for.
    pub(crate) fn of(action: &str, kinds: &[&str]) -> Self {
        let has = |kind: &str| kinds.contains(&kind);
        if let Some((_, groups)) = TOGETHER.iter().find(|(name, _)| name.eq_ignore_ascii_case(action)) {
            return Self::Each(groups);
        }
        match action.split_once(':').unwrap_or_default() {
            ("glue", _) if has("rootcatalog") => Self::Catalog,
            ("logs", name) if has("log-group") && !name.contains("Tag") => Self::LogGroup,
            ("events", _) if has("rule-on-custom-event-bus") => Self::Bus,
            ("bedrock", _) if has("foundation-model") && has("inference-profile") => Self::Model,
            _ => Self::No,
        }
    }
}
