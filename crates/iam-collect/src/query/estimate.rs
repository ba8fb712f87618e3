//! What a query would scan, before it runs: the sizes of the logs of the days asked for, as S3 lists them.
//!
//! Asks and lists, and starts nothing. What cannot be told is said to be unknown, and why; it is never nothing.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_s3::Client as S3;
use tokio::task::JoinSet;

use super::error::{QueryError, bounded};
use super::{Engine, Order};
use crate::live::answer::{Failure, Pages};
use crate::trail_logs::{Days, aside, day, location, wanted};

/// Listings under way at a time.
const AT_ONCE: usize = 32;
/// Pages that are listed at most; a page names a thousand objects and costs 0.000005 USD.
const MOST_PAGES: u32 = 20_000;

/// What a query would scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// As S3 lists it.
    Known {
        /// Bytes as they are stored, which is how they are billed.
        bytes: u64,
        /// In so many objects.
        objects: u64,
        /// Where they lie.
        below: String,
    },
    /// Nothing is known.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Scan {
    /// Whether a budget allows the query; where nothing is known, only if that is `accepted`.
    pub(super) fn within(&self, budget: u64, accepted: bool) -> Result<(), QueryError> {
        match self {
            Self::Known { bytes, .. } if *bytes > budget => Err(QueryError::TooMuch { bytes: *bytes, budget }),
            Self::Unknown { why } if !accepted => Err(QueryError::Unestimated { why: why.clone() }),
            _ => Ok(()),
        }
    }
}

/// A workgroup of Athena's, as far as it limits a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkGroup {
    /// Whether it takes queries.
    pub enabled: bool,
    /// Bytes at which AWS cancels a query of it.
    pub cutoff: Option<u64>,
    /// Whether its settings hold against those of the query, such as where the results go.
    pub enforced: bool,
    /// Where it puts the results; AWS keeps them itself where that is `managed`.
    pub output: Option<String>,
    /// Whether AWS keeps the results.
    pub managed: bool,
}

/// What is known before a query runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What it would scan.
    pub scan: Scan,
    /// The workgroup's own limits, or why they are not known; CloudTrail Lake has none.
    pub workgroup: Option<Result<WorkGroup, String>>,
}

impl Preview {
    /// Whether a budget allows the query.
    ///
    /// # Errors
    /// Where it would scan more, or nothing is known and that is not `accepted`.
    pub fn within(&self, budget: u64, accepted: bool) -> Result<(), QueryError> {
        self.scan.within(budget, accepted)
    }
}

pub(super) async fn preview(config: &SdkConfig, order: &Order) -> Preview {
    let workgroup = match &order.engine {
        Engine::Athena { workgroup, .. } => Some(limits(config, workgroup).await),
        Engine::Lake { .. } => None,
    };
    Preview { scan: scan(config, order).await, workgroup }
}

/// What the query would scan.
pub(super) async fn scan(config: &SdkConfig, order: &Order) -> Scan {
    let place = match &order.engine {
        Engine::Lake { .. } => {
            Err("CloudTrail Lake does not tell what a query would scan, and says nothing of its sizes".into())
        }
        Engine::Athena { logs: Some(logs), .. } => Ok(Place { url: logs.clone(), folders: Vec::new() }),
        Engine::Athena { database, table, .. } => place(config, database, table).await,
    };
    let listed = match place {
        Ok(place) => listed(config, place, order.days).await,
        Err(why) => Err(why),
    };
    listed.unwrap_or_else(|why| Scan::Unknown { why })
}

fn said(call: &str, failure: &Failure) -> String {
    bounded(&format!("`{call}` failed: {}: {}", failure.code, failure.message))
}

/// Where a table's logs lie.
struct Place {
    /// Before the first part that differs between partitions.
    url: String,
    /// The names of the folders from the bucket on, until that of the day; nothing where any may be there.
    folders: Vec<Option<String>>,
}

impl Place {
    /// The place of projected partitions: `s3://bucket/AWSLogs/${account}/CloudTrail/${region}/${timestamp}`.
    fn of_template(template: &str) -> Self {
        let path = location(template).map_or("", |(_, path)| path);
        let names = path.split('/').take_while(|name| !name.contains("${timestamp}"));
        let folders = names.map(|name| (!name.contains("${")).then(|| name.to_owned())).collect();
        Self { url: template.split("${").next().unwrap_or(template).to_owned(), folders }
    }

    /// Whether a folder may hold partitions.
    fn may_hold(&self, folder: &str) -> bool {
        let names = folder.trim_end_matches('/').split('/');
        names.zip(&self.folders).all(|(name, wanted)| wanted.as_ref().is_none_or(|wanted| wanted == name))
    }
}

/// Where a table's logs lie, as it says.
async fn place(config: &SdkConfig, database: &str, table: &str) -> Result<Place, String> {
    let request = aws_sdk_athena::Client::new(config)
        .get_table_metadata()
        .catalog_name("AwsDataCatalog")
        .database_name(database)
        .table_name(table);
    let answer = request.send().await.map_err(|error| said("athena:GetTableMetadata", &Failure::of(&error)))?;
    let metadata = answer.table_metadata();
    let parameter = |name: &str| {
        let found = metadata.and_then(|metadata| metadata.parameters()?.get(name));
        found.map(String::as_str).filter(|text| !text.is_empty())
    };
    let projected = parameter("projection.enabled").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let template = parameter("storage.location.template").filter(|_| projected);
    let at = |location: &str| Place { url: location.to_owned(), folders: Vec::new() };
    let place = template.map(Place::of_template).or_else(|| parameter("location").map(at));
    place.ok_or_else(|| format!("the table `{table}` does not say where its logs lie"))
}

/// Sums the sizes of the logs below a place, of the days wanted. Folders of other days are not listed.
async fn listed(config: &SdkConfig, place: Place, days: Days) -> Result<Scan, String> {
    let Some((bucket, prefix)) = location(&place.url) else {
        return Err(bounded(&format!("the logs lie at `{}`, which is no place of S3", place.url)));
    };
    let (client, bucket) = (S3::new(config), Arc::<str>::from(bucket));
    let (mut waiting, mut running) = (vec![prefix.to_owned()], JoinSet::new());
    let (mut bytes, mut objects, mut pages) = (0_u64, 0_u64, 0_u32);
    loop {
        while running.len() < AT_ONCE
            && let Some(prefix) = waiting.pop()
        {
            running.spawn(folder(client.clone(), Arc::clone(&bucket), prefix, days));
        }
        let Some(done) = running.join_next().await else {
            return Ok(Scan::Known { bytes, objects, below: place.url });
        };
        let found = done.map_err(|_| "a listing was lost".to_owned())?;
        let found = found.map_err(|failure| said("s3:ListBucket", &failure))?;
        bytes = bytes.saturating_add(found.bytes);
        objects += found.objects;
        pages += found.pages;
        waiting.extend(found.folders.into_iter().filter(|folder| place.may_hold(folder)));
        if pages > MOST_PAGES {
            return Err(format!("there are more than {} million logs to list: ask for fewer days", MOST_PAGES / 1000));
        }
    }
}

/// What a folder holds.
#[derive(Default)]
struct Found {
    bytes: u64,
    objects: u64,
    pages: u32,
    folders: Vec<String>,
}

async fn folder(client: S3, bucket: Arc<str>, prefix: String, days: Days) -> Result<Found, Failure> {
    let (mut marks, mut found) = (Pages::new(""), Found::default());
    // Below a day there is nothing left to choose.
    let delimiter = day(&prefix).is_none().then_some("/");
    loop {
        let request = client.list_objects_v2().bucket(&*bucket).prefix(&prefix);
        let request = request.set_delimiter(delimiter.map(ToOwned::to_owned)).set_continuation_token(marks.mark());
        let page = request.send().await.map_err(|error| Failure::of(&error))?;
        found.pages += 1;
        let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
        found.folders.extend(folders.filter(|folder| wanted(folder, days, 0)).map(ToOwned::to_owned));
        for object in page.contents().iter().filter(|object| !object.key().is_some_and(aside)) {
            let size = object.size().and_then(|size| u64::try_from(size).ok());
            let size = size.ok_or_else(|| Failure::unusable("an object has no size"))?;
            found.bytes = found.bytes.saturating_add(size);
            found.objects += 1;
        }
        if !marks.goes_on(page.next_continuation_token().map(ToOwned::to_owned))? || found.pages > MOST_PAGES {
            return Ok(found);
        }
    }
}

/// A workgroup's limits.
async fn limits(config: &SdkConfig, name: &str) -> Result<WorkGroup, String> {
    use aws_sdk_athena::types::WorkGroupState;
    let request = aws_sdk_athena::Client::new(config).get_work_group().work_group(name);
    let answer = request.send().await.map_err(|error| said("athena:GetWorkGroup", &Failure::of(&error)))?;
    let group = answer.work_group().ok_or("the answer tells of no workgroup")?;
    let settings = group.configuration();
    let results = settings.and_then(|settings| settings.result_configuration());
    Ok(WorkGroup {
        enabled: group.state() != Some(&WorkGroupState::Disabled),
        cutoff: settings.and_then(|s| s.bytes_scanned_cutoff_per_query()).and_then(|bytes| bytes.try_into().ok()),
        // AWS enforces where a workgroup says nothing.
        enforced: settings.and_then(|s| s.enforce_work_group_configuration()).unwrap_or(true),
        output: results.and_then(|results| results.output_location()).map(ToOwned::to_owned),
        managed: settings
            .and_then(|s| s.managed_query_results_configuration())
            .is_some_and(|managed| managed.enabled()),
    })
}
