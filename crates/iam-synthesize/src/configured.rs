//! What functions are configured with, beside what they did: environment variables that name a table, a bucket, a secret.
//!
//! A hint and no evidence: a variable grants nothing and keeps nothing. It says which resource somebody meant the function
//! to work on, and so what to ask about where no call on it was seen. Shows names of variables and never their values.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::permission_set::{PermissionSet, Possibility};
use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::{ActionFacts, Logging};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{EnvironmentVariable, SnapshotIndex};
use iam_model::usage::{Observation, Visibility};

use crate::needs::Known;

/// A resource that a function is configured with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Configured {
    /// The function, by name.
    pub function: String,
    /// The environment variable that names it.
    pub variable: String,
    /// The resource.
    pub resource: Arn,
    /// What is known of its use.
    pub use_of: Use,
}

/// What is known of the use of a resource that a function is configured with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// So many calls on it were let through.
    Seen(u64),
    /// No call on it was seen, and no policy of the role lets it do anything there.
    NotGranted,
    /// No call on it was seen, and the logs would have shown one of all that goes.
    Unseen,
    /// No call on it was seen, and these actions on it go, of which the logs could not have shown a call.
    Hidden {
        /// The actions.
        actions: Vec<Action>,
        /// Why, of the first.
        why: String,
    },
}

impl Configured {
    /// Whether a resource is this one or lies in it: an object of a bucket, an index of a table.
    #[must_use]
    pub fn names(&self, resource: &ResourcePattern) -> bool {
        let rest = resource.as_str().strip_prefix(self.resource.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
    }
}

/// What a role's functions are configured with, in a fixed order; `before` and `after` are its policies.
#[must_use]
pub fn configured(
    known: Known<'_>,
    variables: &[EnvironmentVariable],
    index: &SnapshotIndex<'_>,
    (before, after): (&[&PolicyDocument], &[&PolicyDocument]),
) -> Vec<Configured> {
    if variables.is_empty() {
        return Vec::new();
    }
    let used = known.evidence.usage.principals.get(known.role);
    let calls = used.map(|used| used.observations.as_slice()).unwrap_or_default();
    let names = Names::of(known.role, calls, index);
    let sets =
        || (PermissionSet::of_documents(before.iter().copied()), PermissionSet::of_documents(after.iter().copied()));
    let sets = std::cell::LazyCell::new(sets);
    let mut found = Vec::new();
    for variable in variables {
        for resource in names.meant_by(&variable.value) {
            let (function, name) = (variable.function.clone(), variable.name.clone());
            let mut one = Configured { function, variable: name, resource, use_of: Use::Unseen };
            let seen = calls.iter().filter(|call| is_by(call, &one.function) && on(&one, call)).map(|c| c.count).sum();
            one.use_of = if seen > 0 { Use::Seen(seen) } else { unseen(&one.resource, known, &sets.0, &sets.1) };
            found.push(one);
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether a function may have made a call: sessions that are no function's may be anybody's.
fn is_by(call: &Observation, function: &str) -> bool {
    call.function.as_deref().is_none_or(|by| by == function)
}

fn on(configured: &Configured, call: &Observation) -> bool {
    call.count > 0 && call.resource_known && call.resources.iter().any(|resource| configured.names(resource))
}

/// What becomes of what the role may do on a resource that it was not seen to use.
fn unseen(resource: &Arn, known: Known<'_>, before: &PermissionSet, after: &PermissionSet) -> Use {
    let catalog = known.evidence.catalog;
    let whole = ResourcePattern::from(resource);
    let of_service = catalog.service_actions(resource.service());
    let about: Vec<_> = of_service.filter_map(|facts| Some((facts, places(&facts, &whole)?))).collect();
    // Where uses are data events, what no trail ever shows is AWS's own work on the resource, not a function's.
    let has_data = about.iter().any(|(facts, _)| matches!(facts.logging(), Logging::Data(_)));
    let (mut granted, mut hidden) = (false, Vec::new());
    for (facts, on) in about {
        let action = facts.action();
        let allows = |set: &PermissionSet| set.allows(&action, &on) != Possibility::No;
        if !allows(before) {
            continue;
        }
        granted = true;
        let is_aws_own = has_data && facts.logging() == Logging::Never;
        if !allows(after)
            && !is_aws_own
            && let Visibility::Invisible(why) = known.visibility(&action)
        {
            hidden.push((action, why));
        }
    }
    match hidden.first().map(|(_, why)| why.clone()) {
        Some(why) => Use::Hidden { actions: hidden.into_iter().map(|(action, _)| action).collect(), why },
        None if granted => Use::Unseen,
        None => Use::NotGranted,
    }
}

/// What an action is asked for on a resource: itself, or what lies in it; nothing where the action is about other things.
fn places(facts: &ActionFacts<'_>, resource: &ResourcePattern) -> Option<ResourcePattern> {
    let within = ResourcePattern::new(&format!("{resource}/x"));
    let takes = |on: &ResourcePattern| {
        facts.resource_types().any(|kind| kind.arn_patterns().any(|form| form.matches(on.as_str())))
    };
    if takes(resource) {
        return Some(resource.clone());
    }
    takes(&within).then(|| ResourcePattern::new(&format!("{resource}/*")))
}

/// Resources by the names that people give them.
struct Names {
    by_name: BTreeMap<String, BTreeSet<Arn>>,
}

/// Values shorter than this name nothing: `1`, `on`.
const SHORTEST: usize = 3;

impl Names {
    /// Those of the snapshot's account, and those that the role was seen to work on.
    fn of(role: &Arn, calls: &[Observation], index: &SnapshotIndex<'_>) -> Self {
        let mut names = Self { by_name: BTreeMap::new() };
        let account = role.account().and_then(|account| index.snapshot().accounts.get(&account));
        let resources = account.into_iter().flat_map(|account| &account.resources).map(|resource| &resource.arn);
        let tagged = account.into_iter().flat_map(|account| account.tags.keys());
        resources.chain(tagged).for_each(|arn| names.add(arn));
        let seen = calls.iter().filter(|call| call.count > 0).flat_map(|call| &call.resources);
        let seen: BTreeSet<&ResourcePattern> = seen.filter(|on| !on.as_str().contains(['*', '?'])).collect();
        seen.into_iter().filter_map(|on| whole(on.as_str())).for_each(|arn| names.add(&arn));
        names
    }

    fn add(&mut self, arn: &Arn) {
        for name in names_of(arn) {
            self.by_name.entry(name.to_owned()).or_default().insert(arn.clone());
        }
    }

    /// The resources that a variable's value names: by ARN, by a queue's URL, or by name.
    fn meant_by(&self, value: &str) -> Vec<Arn> {
        let plain = !value.contains(['*', '?', '$']) && !value.contains(char::is_whitespace);
        if value.len() < SHORTEST || !plain {
            return Vec::new();
        }
        if value.starts_with("arn:") {
            return whole(value).into_iter().collect();
        }
        if let Some(queue) = queue(value) {
            return vec![queue];
        }
        self.by_name.get(value).into_iter().flatten().cloned().collect()
    }
}

/// The names that an ARN's resource goes by: all that follows its kind, without the characters AWS puts behind secrets.
fn names_of(arn: &Arn) -> Vec<&str> {
    let resource = arn.resource();
    let name = match arn.service() {
        "s3" | "sns" | "sqs" => resource,
        _ => resource.split_once([':', '/']).map_or(resource, |(_, name)| name),
    };
    let mut names = vec![name];
    if arn.service() == "ssm"
        && let Some(path) = resource.strip_prefix("parameter")
    {
        names.push(path);
    }
    if arn.service() == "secretsmanager" {
        let random = name.rsplit_once('-').filter(|(_, random)| random.len() == 6);
        names.extend(random.map(|(name, _)| name));
    }
    names
}

/// The resource that an ARN lies in: the bucket of an object, the table of an index, the function of a version.
fn whole(arn: &str) -> Option<Arn> {
    let parsed: Arn = arn.parse().ok()?;
    let resource = parsed.resource();
    let own = match parsed.service() {
        "s3" => resource.split('/').next()?,
        "dynamodb" => second(resource, '/')?,
        "lambda" => second(resource, ':')?,
        _ => resource.strip_suffix(":*").unwrap_or(resource),
    };
    let head = arn.strip_suffix(resource)?;
    format!("{head}{own}").parse().ok()
}

/// A text up to its second separator.
fn second(text: &str, separator: char) -> Option<&str> {
    let mut at = text.match_indices(separator).map(|(at, _)| at).skip(1);
    Some(at.next().and_then(|end| text.get(..end)).unwrap_or(text))
}

/// The queue at `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
fn queue(url: &str) -> Option<Arn> {
    let (host, path) = url.strip_prefix("https://sqs.")?.split_once('/')?;
    let (region, domain) = host.split_once('.')?;
    let partition = match domain {
        "amazonaws.com" if region.starts_with("us-gov-") => "aws-us-gov",
        "amazonaws.com" => "aws",
        "amazonaws.com.cn" => "aws-cn",
        _ => return None,
    };
    let (account, name) = path.split_once('/')?;
    format!("arn:{partition}:sqs:{region}:{account}:{name}").parse().ok()
}
