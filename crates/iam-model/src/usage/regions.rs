//! Where an account's calls may be made, and what the logs show of these regions.
//!
//! A call is recorded in the region it is made in; logs of one region show nothing of another. Says which regions matter
//! for resources of a pattern and which of these the logs fall short of; what follows is decided where something is cut.

use std::collections::{BTreeMap, BTreeSet};

use super::AccountDays;
use crate::arn::ResourcePattern;

/// Services with one address per partition, by their prefix: their calls are recorded in its home region alone.
///
/// Follows the CloudTrail User Guide topic "Global service events" and the endpoints in the AWS General Reference.
const GLOBAL: &[&str] = &[
    "account",
    "budgets",
    "ce",
    "cloudfront",
    "cur",
    "health",
    "iam",
    "organizations",
    "route53",
    "route53domains",
    "shield",
    "support",
    "waf",
];

/// What is known of the regions of one account.
///
/// ```
/// use iam_model::arn::ResourcePattern;
/// use iam_model::usage::{AccountDays, Regions};
/// let mut regions = Regions { days: [("us-east-1".to_owned(), AccountDays::plain(60))].into(), ..Regions::default() };
/// let queue = ResourcePattern::new("arn:aws:sqs:eu-west-1:111122223333:orders");
/// assert_eq!(regions.gap("sqs", &queue, 30).unwrap(), "no record of eu-west-1 was read");
/// assert_eq!(regions.gap("sqs", &ResourcePattern::everything(), 30), None);
/// regions.holds.entry("sqs".into()).or_default().insert("eu-west-1".into());
/// assert!(regions.gap("sqs", &ResourcePattern::everything(), 30).is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Regions {
    /// What the logs of each region span; of others nothing was read.
    pub days: BTreeMap<String, AccountDays>,
    /// The regions that hold resources of a service, by the service's prefix.
    pub holds: BTreeMap<String, BTreeSet<String>>,
    /// The region of each bucket of which it is known: a bucket's ARN does not tell.
    pub buckets: BTreeMap<String, String>,
    /// Whether calls of services with one address were read, wherever they were recorded.
    pub holds_global: bool,
}

impl Regions {
    /// Why the logs show too little of a region: none of its records was read, or fewer days than are asked for.
    #[must_use]
    pub fn short(&self, region: &str, asked: u64) -> Option<String> {
        match self.days.get(region) {
            None => Some(format!("no record of {region} was read")),
            Some(days) if days.shown() < asked => {
                Some(format!("the logs of {region} span {days}, and {asked} are asked for"))
            }
            Some(_) => None,
        }
    }

    /// Why calls of a service on resources of a pattern may have been made where the logs show too little.
    ///
    /// A pattern that names no region stands for those that hold resources of the service; where none is known to, for all
    /// that hold any.
    #[must_use]
    pub fn gap(&self, service: &str, on: &ResourcePattern, asked: u64) -> Option<String> {
        let service = service.to_ascii_lowercase();
        if GLOBAL.contains(&service.as_str()) {
            return if self.holds_global { None } else { self.short(self.home()?, asked) };
        }
        if let Some(region) = self.named(on) {
            return self.short(region, asked);
        }
        match self.holds.get(&service) {
            Some(regions) => regions.iter().find_map(|region| self.short(region, asked)),
            None => self.holding().find_map(|region| self.short(region, asked)),
        }
    }

    /// Whether the logs show too little of any region that may matter, named ones apart.
    #[must_use]
    pub fn any_short(&self, asked: u64) -> bool {
        let home = self.home().filter(|_| !self.holds_global);
        self.holding().chain(home).any(|region| self.short(region, asked).is_some())
    }

    /// Regions with resources of any service.
    fn holding(&self) -> impl Iterator<Item = &str> {
        self.holds.values().flatten().map(String::as_str)
    }

    /// The one region that a pattern names, by its ARN or by the bucket that it is about.
    fn named<'s>(&'s self, on: &'s ResourcePattern) -> Option<&'s str> {
        let mut parts = on.as_str().splitn(6, ':');
        let (service, region) = (parts.nth(2)?, parts.next()?);
        let is_literal = |text: &str| !text.is_empty() && !text.contains(['*', '?', '$']);
        if service == "s3" && region.is_empty() {
            let bucket = parts.nth(1)?.split('/').next().filter(|name| is_literal(name))?;
            return self.buckets.get(bucket).map(String::as_str);
        }
        Some(region).filter(|region| is_literal(region))
    }

    /// Where calls of services with one address are recorded; nothing where the partition is not known.
    fn home(&self) -> Option<&'static str> {
        let first = self.days.keys().map(String::as_str).chain(self.holding()).next()?;
        match first {
            region if region.starts_with("cn-") => Some("cn-north-1"),
            region if region.starts_with("us-gov-") => Some("us-gov-west-1"),
            region if region.starts_with("us-iso") || region.starts_with("eu-iso") || region.starts_with("eusc-") => {
                None
            }
            _ => Some("us-east-1"),
        }
    }
}

/// Whether a service has one address per partition.
#[must_use]
pub fn is_global(service: &str) -> bool {
    GLOBAL.iter().any(|global| global.eq_ignore_ascii_case(service))
}
