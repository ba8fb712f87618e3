//! Actions that are checked on several resources at once, or on another form of a resource's ARN than its name makes.
//!
//! AWS's published reference lists the types of an action's resources and not which of them every call must be allowed
//! on; the Service Authorization Reference and the services' own topics do ("Granular permissions" of Glue, "Required
//! permissions" of Systems Manager). What a call does not name of them stands as any of its kind.

use std::collections::BTreeSet;

use crate::identified::any_of_pattern;
use crate::plan::Pair;
use crate::template::Call;

/// Kinds of which each is checked: one of every group.
type Groups = &'static [&'static [&'static str]];

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

    /// Adds what a call is checked on beside `found`; `false` where that cannot be told.
    pub(crate) fn complete(self, pair: &Pair<'_>, call: &Call<'_>, found: &mut BTreeSet<String>) -> bool {
        match self {
            Self::No => {}
            Self::Each(groups) => groups.iter().for_each(|group| add_any(pair, call, group, found)),
            Self::Catalog => return add_catalog(call, found),
            Self::LogGroup => {
                *found = std::mem::take(found).into_iter().map(within_group).collect();
            }
            Self::Bus => choose_bus(found),
            Self::Model => return !found.iter().any(|arn| is_profile(arn)),
        }
        true
    }
}

/// Any of the kinds of a group of which nothing was found.
fn add_any(pair: &Pair<'_>, call: &Call<'_>, group: &[&str], found: &mut BTreeSet<String>) {
    let of_group = || pair.patterns.iter().filter(|pattern| group.contains(&pattern.kind));
    if !of_group().any(|pattern| found.iter().any(|arn| pattern.matcher.matches(arn))) {
        found.extend(of_group().filter_map(|pattern| any_of_pattern(pattern, call)));
    }
}

/// The catalogue of a database, and the database of a table. Of another account's catalogue nothing is made up.
fn add_catalog(call: &Call<'_>, found: &mut BTreeSet<String>) -> bool {
    let named = call.request.get(CATALOG).and_then(crate::json::Raw::text);
    if named.is_some_and(|id| id != call.account) {
        return false;
    }
    let root = format!("arn:{}:glue:{}:{}:", call.partition, call.region, call.account);
    let in_database = ["table/", "tableVersion/", "userDefinedFunction/"];
    let database = |arn: &String| {
        let tail = arn.strip_prefix(&root)?;
        let rest = in_database.iter().find_map(|kind| tail.strip_prefix(kind))?;
        rest.split('/').next().map(|name| format!("{root}database/{name}"))
    };
    let databases: Vec<String> = found.iter().filter_map(database).collect();
    found.extend(databases);
    found.insert(format!("{root}catalog"));
    true
}

/// `…:log-group:NAME` as policies have to name it: `…:log-group:NAME:*`.
fn within_group(arn: String) -> String {
    let name = arn.splitn(7, ':').nth(6);
    let whole = arn.contains(":log-group:") && name.is_some_and(|name| !name.contains(':') && name != "*");
    if whole { format!("{arn}:*") } else { arn }
}

/// A rule stands on the bus that the call names, else on the default one.
fn choose_bus(found: &mut BTreeSet<String>) {
    let bus = |arn: &str| Some(arn.split_once(":rule/")?.1.split_once('/')?.0.to_owned());
    let buses: BTreeSet<String> = found.iter().filter_map(|arn| bus(arn)).collect();
    let own = buses.iter().any(|bus| bus != "default");
    found.retain(|arn| match bus(arn) {
        Some(bus) => bus != "default",
        None => !own || !arn.contains(":rule/"),
    });
}

/// Places that profiles of several regions are named after.
const GEOGRAPHIES: &[&str] = &["us", "us-gov", "eu", "apac", "jp", "au", "ca", "sa", "me", "af", "global"];

/// Whether a model's ARN stands for an inference profile, whose models are checked too.
fn is_profile(arn: &str) -> bool {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let first = name.split('.').next().unwrap_or_default();
    arn.contains("inference-profile/") || GEOGRAPHIES.contains(&first)
}
