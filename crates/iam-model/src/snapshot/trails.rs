//! What an account's trails record, from their event selectors.
//!
//! Follows the CloudTrail API reference topics "EventSelector" and "AdvancedFieldSelector". Where a selector filters in
//! a way that leaves some calls out, the type counts as recorded in part: absence must never read as "not used" when it
//! could read as "not recorded". Whether a given call would have been seen is for the room of usage to say.

use std::collections::{BTreeMap, BTreeSet};

use crate::json::Node;
use crate::usage::AccountCoverage;

/// Reads `trails`: descriptions as `aws cloudtrail describe-trails` prints them, each with its `event_selectors` as
/// `aws cloudtrail get-event-selectors` prints them. A trail that does not log, or whose selectors are not given,
/// records nothing we may rely on.
///
/// ```
/// use iam_model::json::{Arena, Limits, parse};
/// use iam_model::snapshot::trails;
/// let text = r#"[{"IsMultiRegionTrail": true, "event_selectors": {"EventSelectors": [
///     {"ReadWriteType": "All", "IncludeManagementEvents": true,
///      "DataResources": [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]}]}}]"#;
/// let arena = Arena::new();
/// let node = parse(&arena, text, Limits::FILE).unwrap();
/// let coverage = trails::read(node.items());
/// assert!(coverage.management_read && coverage.management_write);
/// assert!(coverage.data_types.contains("AWS::Lambda::Function"));
/// ```
#[must_use]
pub fn read(trails: &[Node<'_>]) -> AccountCoverage {
    let logging: Vec<&Node<'_>> = trails.iter().filter(|trail| flag(trail, "IsLogging") != Some(false)).collect();
    let one_place = deliver_to_one_place(&logging);
    let (everywhere, somewhere): (Vec<&Node<'_>>, Vec<&Node<'_>>) =
        logging.into_iter().partition(|trail| flag(trail, "IsMultiRegionTrail") == Some(true));
    let wide = everywhere.iter().map(|trail| Recorded::of(trail)).reduce(Recorded::together);
    let mut narrow: BTreeMap<String, Recorded> = BTreeMap::new();
    for trail in somewhere {
        let recorded = Recorded::of(trail);
        let slot = narrow.entry(home_region(trail)).or_default();
        *slot = std::mem::take(slot).together(recorded);
    }
    let coverage = match wide {
        Some(wide) => narrow.values().fold(wide.coverage(None), partly),
        None => narrow_coverage(&narrow),
    };
    AccountCoverage { one_place, ..coverage }
}

/// Whether there is one trail, or all write below one prefix of one bucket.
fn deliver_to_one_place(trails: &[&Node<'_>]) -> bool {
    let place = |trail: &&Node<'_>| {
        let text = |key: &str| trail.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
        (text("S3BucketName"), text("S3KeyPrefix"))
    };
    let places: BTreeSet<(String, String)> = trails.iter().map(place).collect();
    trails.len() == 1 || (places.len() == 1 && places.iter().all(|(bucket, _)| !bucket.is_empty()))
}

/// Trails of single regions only: what every one of the regions has, in those regions.
fn narrow_coverage(narrow: &BTreeMap<String, Recorded>) -> AccountCoverage {
    let regions: BTreeSet<String> = narrow.keys().filter(|region| !region.is_empty()).cloned().collect();
    let common = narrow.values().cloned().reduce(Recorded::in_common).unwrap_or_default();
    // A part is recorded where its trail is, which need not be where the resource is.
    let common = Recorded { parts: BTreeMap::new(), ..common };
    narrow.values().fold(common.coverage(Some(regions)), partly)
}

/// Adds what is recorded in a part of the account as recorded in part.
fn partly(mut coverage: AccountCoverage, part: &Recorded) -> AccountCoverage {
    let types = part.data.keys().chain(&part.partial).filter(|kind| !coverage.data_types.contains(*kind));
    coverage.partial_data_types.extend(types.cloned().collect::<Vec<_>>());
    coverage
}

/// What of a call's two kinds, reads and writes, is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sides {
    read: bool,
    write: bool,
}

impl Sides {
    const BOTH: Self = Self { read: true, write: true };

    const fn or(self, other: Self) -> Self {
        Self { read: self.read || other.read, write: self.write || other.write }
    }

    const fn and(self, other: Self) -> Self {
        Self { read: self.read && other.read, write: self.write && other.write }
    }

    const fn any(self) -> bool {
        self.read || self.write
    }
}

/// What one trail, or several together, record.
#[derive(Debug, Clone, Default)]
struct Recorded {
    management: Sides,
    /// Event sources left out of management events.
    excluded: BTreeSet<String>,
    /// Data event types recorded for every resource.
    data: BTreeMap<String, Sides>,
    /// Data event types recorded for some resources, names or callers.
    partial: BTreeSet<String>,
    /// Of these, the resources of which every data event is recorded.
    parts: BTreeMap<String, BTreeSet<String>>,
    /// What of the management events of global services.
    global: Sides,
}

impl Recorded {
    fn of(trail: &Node<'_>) -> Self {
        let mut recorded = Self::of_selectors(trail);
        if flag(trail, "IncludeGlobalServiceEvents") != Some(false) {
            recorded.global = recorded.management;
        }
        recorded
    }

    fn of_selectors(trail: &Node<'_>) -> Self {
        let Some(selectors) = trail.get("event_selectors") else {
            let default = flag(trail, "HasCustomEventSelectors") == Some(false);
            return if default { Self { management: Sides::BOTH, ..Self::default() } } else { Self::default() };
        };
        let items = |key: &str| selectors.get(key).map(Node::items).unwrap_or_default();
        let basic = items("EventSelectors").iter().map(basic_selector);
        let advanced = items("AdvancedEventSelectors").iter().map(advanced_selector);
        basic.chain(advanced).reduce(Self::together).unwrap_or_default()
    }

    /// What two trails, or two selectors of a trail, record together.
    fn together(mut self, other: Self) -> Self {
        self.excluded = match (self.management.any(), other.management.any()) {
            (true, true) => self.excluded.intersection(&other.excluded).cloned().collect(),
            (true, false) => self.excluded,
            _ => other.excluded,
        };
        self.management = self.management.or(other.management);
        for (kind, sides) in other.data {
            let slot = self.data.entry(kind).or_default();
            *slot = slot.or(sides);
        }
        self.partial.extend(other.partial);
        for (kind, parts) in other.parts {
            self.parts.entry(kind).or_default().extend(parts);
        }
        self.global = self.global.or(other.global);
        self
    }

    /// What both record.
    fn in_common(mut self, other: Self) -> Self {
        self.management = self.management.and(other.management);
        self.global = self.global.and(other.global);
        self.excluded.extend(other.excluded);
        self.data.retain(|kind, sides| {
            *sides = sides.and(other.data.get(kind).copied().unwrap_or_default());
            sides.any()
        });
        self.partial.extend(other.partial);
        self
    }

    /// Notes that every data event of some resources is recorded.
    fn part(&mut self, kind: &str, sides: Sides, arns: impl Iterator<Item = String>) {
        if sides == Sides::BOTH {
            self.parts.entry(kind.to_owned()).or_default().extend(arns);
        }
    }

    fn coverage(&self, regions: Option<BTreeSet<String>>) -> AccountCoverage {
        let whole = |sides: &Sides| *sides == Sides::BOTH;
        let (data_types, one_sided): (Vec<_>, Vec<_>) = self.data.iter().partition(|(_, sides)| whole(sides));
        let data_types: BTreeSet<String> = data_types.into_iter().map(|(kind, _)| kind.clone()).collect();
        let partial = self.partial.iter().chain(one_sided.into_iter().map(|(kind, _)| kind));
        AccountCoverage {
            management_read: self.management.read,
            management_write: self.management.write,
            excluded_sources: self.excluded.clone(),
            partial_data_types: partial.filter(|kind| !data_types.contains(*kind)).cloned().collect(),
            recorded_parts: self.parts.clone(),
            no_global_services: self.global != self.management,
            data_types,
            regions,
            ..AccountCoverage::default()
        }
    }
}

fn basic_selector(selector: &Node<'_>) -> Recorded {
    let sides = match selector.get("ReadWriteType").and_then(Node::as_str) {
        Some("ReadOnly") => Sides { read: true, write: false },
        Some("WriteOnly") => Sides { read: false, write: true },
        Some("All") | None => Sides::BOTH,
        Some(_) => Sides::default(),
    };
    let mut recorded = Recorded::default();
    if flag(selector, "IncludeManagementEvents") != Some(false) {
        recorded.management = sides;
        recorded.excluded = texts(selector.get("ExcludeManagementEventSources"));
    }
    for resource in selector.get("DataResources").map(Node::items).unwrap_or_default() {
        let Some(kind) = resource.get("Type").and_then(Node::as_str) else { continue };
        let values = texts(resource.get("Values"));
        if values.iter().any(|arn| is_whole_service(arn)) {
            recorded.data.insert(kind.to_owned(), sides);
        } else {
            recorded.partial.insert(kind.to_owned());
            // Of objects a value is the start of their names, of anything else a whole name.
            let end = if kind == "AWS::S3::Object" { "*" } else { "" };
            recorded.part(kind, sides, values.iter().map(|arn| format!("{arn}{end}")));
        }
    }
    recorded
}

/// `arn:aws:lambda`, `arn:aws:dynamodb`, `arn:aws:s3`, `arn:aws:s3:::`: every resource of the service.
fn is_whole_service(arn: &str) -> bool {
    let mut parts = arn.trim_end_matches(':').split(':');
    parts.next() == Some("arn") && parts.nth(1).is_some_and(|service| !service.is_empty()) && parts.next().is_none()
}

fn advanced_selector(selector: &Node<'_>) -> Recorded {
    let fields = selector.get("FieldSelectors").map(Node::items).unwrap_or_default();
    let mut found = Fields { sides: Sides::BOTH, ..Fields::default() };
    for field in fields {
        found.take(field);
    }
    let mut recorded = Recorded::default();
    match found.category.as_deref() {
        Some("Management") if !found.filtered && found.arns.is_none() => {
            recorded.management = found.sides;
            recorded.excluded = found.excluded;
        }
        Some("Data") if found.filtered || !found.excluded.is_empty() => recorded.partial = found.types,
        Some("Data") if found.arns.is_some() => {
            for kind in &found.types {
                recorded.part(kind, found.sides, found.arns.iter().flatten().cloned());
            }
            recorded.partial = found.types;
        }
        Some("Data") => recorded.data = found.types.into_iter().map(|kind| (kind, found.sides)).collect(),
        _ => {}
    }
    recorded
}

/// The fields of an advanced selector.
#[derive(Default)]
struct Fields {
    category: Option<String>,
    types: BTreeSet<String>,
    sides: Sides,
    excluded: BTreeSet<String>,
    /// The only resources meant: ARNs, or starts of ARNs and `*`.
    arns: Option<BTreeSet<String>>,
    /// Whether some field leaves calls out that no other member tells of.
    filtered: bool,
}

impl Fields {
    fn take(&mut self, field: &Node<'_>) {
        let equals = texts(field.get("Equals"));
        let others =
            field.members().iter().any(|m| m.key != "Field" && m.key != "Equals" && !m.value.items().is_empty());
        match field.get("Field").and_then(Node::as_str) {
            Some("eventCategory") if !others => self.category = equals.into_iter().next(),
            Some("resources.type") if !others => self.types = equals,
            Some("readOnly") if !others => {
                let has = |value: &str| equals.iter().any(|text| text.eq_ignore_ascii_case(value));
                self.sides = Sides { read: has("true"), write: has("false") };
            }
            // Two such fields would both have to be met.
            Some("resources.ARN") if self.arns.is_none() && only(field, &["Equals", "StartsWith"]) => {
                let starts = texts(field.get("StartsWith")).into_iter().map(|start| format!("{start}*"));
                self.arns = Some(equals.into_iter().chain(starts).collect());
            }
            Some("eventSource") if equals.is_empty() && only_not_equals(field) => {
                self.excluded = texts(field.get("NotEquals"));
            }
            _ => self.filtered = true,
        }
    }
}

fn only_not_equals(field: &Node<'_>) -> bool {
    only(field, &["Equals", "NotEquals"])
}

/// Whether a field compares by no other operators than these.
fn only(field: &Node<'_>, operators: &[&str]) -> bool {
    field.members().iter().all(|m| m.key == "Field" || operators.contains(&m.key) || m.value.items().is_empty())
}

/// The region a trail of one region is for; empty where the snapshot does not say.
fn home_region(trail: &Node<'_>) -> String {
    let named = trail.get("HomeRegion").and_then(Node::as_str);
    let of_arn = trail.get("TrailARN").and_then(Node::as_str).and_then(|arn| arn.split(':').nth(3));
    named.or(of_arn).unwrap_or_default().to_owned()
}

fn flag(node: &Node<'_>, key: &str) -> Option<bool> {
    node.get(key).and_then(Node::as_bool)
}

fn texts(node: Option<&Node<'_>>) -> BTreeSet<String> {
    node.map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
