//! CloudTrail's logs where they lie: objects of a trail's bucket, listed by day and read in parallel, and the history of
//! the last days that AWS keeps by itself.
//!
//! Gives names and bytes; what the logs say is for the room of usage. One thread talks to AWS; any thread may ask it.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_s3::Client;
use iam_model::json::{self, Arena, Limits, Value};
use tokio::task::JoinSet;

use crate::connect::{Connection, Options, block_on, load};
use crate::error::CollectError;
use crate::live::answer::{Failure, Pages};

/// Objects are read in parts of this size, side by side.
const PART: u64 = 8 << 20;
/// Names of a trail's bucket that hold no calls.
const ASIDE: [&str; 3] = ["/CloudTrail-Digest/", "/CloudTrail-Insight/", "/CloudTrail-Aggregated/"];

/// Which days are wanted, as days since 1970; both ends count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Days {
    /// The first.
    pub first: Option<i64>,
    /// The last.
    pub last: Option<i64>,
}

/// An object of a trail's bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A trail's bucket, open.
#[derive(Clone)]
pub struct Bucket {
    name: Arc<str>,
    client: Client,
    connection: Connection,
}

/// The bucket and prefix of `s3://bucket/prefix`.
#[must_use]
pub fn location(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("s3://")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, prefix))
}

fn failed(call: &str, failure: &Failure) -> CollectError {
    CollectError::Aws { call: call.into(), reason: format!("{}: {}", failure.code, failure.message) }
}

impl Bucket {
    /// Opens a bucket. The connection lives on a thread of its own, for as long as the program.
    ///
    /// # Errors
    /// Without credentials or a region.
    pub fn open(options: &Options, name: &str) -> Result<Self, CollectError> {
        let config = block_on(load(options))??;
        Self::with(&config, name)
    }

    pub(crate) fn with(config: &SdkConfig, name: &str) -> Result<Self, CollectError> {
        Ok(Self { name: name.into(), client: Client::new(config), connection: Connection::open("trail-logs")? })
    }

    /// The logs below a prefix, of the days wanted. Where days are wanted, folders of other days are not even listed.
    ///
    /// # Errors
    /// Where a listing fails after all retries: a list that is not whole is none.
    pub fn logs(&self, prefix: &str, days: Days) -> Result<Vec<Object>, CollectError> {
        let (client, name, prefix) = (self.client.clone(), Arc::clone(&self.name), prefix.to_owned());
        let listed = self.connection.wait(async move { list(&client, &name, prefix, days).await });
        let lost = |error: io::Error| CollectError::Aws { call: "s3:ListObjectsV2".into(), reason: error.to_string() };
        listed.map_err(lost)?.map_err(|failure| failed("s3:ListObjectsV2", &failure))
    }

    /// An object's bytes; large ones by parts, side by side.
    ///
    /// # Errors
    /// Where it cannot be read, or changed while it was.
    pub fn read(&self, object: &Object) -> io::Result<Vec<u8>> {
        let (client, name, object) = (self.client.clone(), Arc::clone(&self.name), object.clone());
        let wrong = |failure: Failure| io::Error::other(format!("{}: {}", failure.code, failure.message));
        self.connection.wait(async move { parts(&client, &name, &object).await })?.map_err(wrong)
    }
}

async fn list(client: &Client, bucket: &str, prefix: String, days: Days) -> Result<Vec<Object>, Failure> {
    let pruned = days != Days::default();
    let (mut waiting, mut found) = (vec![prefix], Vec::new());
    while let Some(prefix) = waiting.pop() {
        let mut marks = Pages::new("");
        // Below a day there is nothing left to choose.
        let delimiter = (pruned && day(&prefix).is_none()).then(|| "/".to_owned());
        loop {
            let request = client.list_objects_v2().bucket(bucket).prefix(&prefix);
            let request = request.set_delimiter(delimiter.clone()).set_continuation_token(marks.mark());
            let page = request.send().await.map_err(|error| Failure::of(&error))?;
            let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
            waiting.extend(folders.filter(|folder| wanted(folder, days, 1)).map(ToOwned::to_owned));
            let objects = page.contents().iter().filter_map(|object| {
                Some(Object { key: object.key()?.to_owned(), size: u64::try_from(object.size()?).ok()? })
            });
            found.extend(objects.filter(|object| object.size > 0 && !aside(&object.key)));
            if !marks.goes_on(page.next_continuation_token().map(ToOwned::to_owned))? {
                break;
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

pub(crate) fn aside(key: &str) -> bool {
    let name = format!("/{key}");
    ASIDE.iter().any(|word| name.contains(word))
}

/// The numbers at the end of a folder's name: a year, a year and a month, or all three.
fn date(folder: &str) -> Vec<i64> {
    let parts = folder.trim_end_matches('/').rsplit('/');
    let mut numbers: Vec<i64> = parts.map_while(|part| part.parse().ok()).take(3).collect();
    numbers.reverse();
    // Account ids are numbers too: the year is the one with four digits.
    let year = numbers.iter().position(|number| (1000..=9999).contains(number));
    year.and_then(|year| numbers.get(year..)).map(<[i64]>::to_vec).unwrap_or_default()
}

pub(crate) fn day(folder: &str) -> Option<i64> {
    match date(folder).as_slice() {
        [year, month, day] => iam_model::time::days_from_civil(*year, *month, *day),
        _ => None,
    }
}

/// Whether something below a folder may be of the days wanted. CloudTrail files a record by the day it delivers it, which
/// may be so many days `late`.
pub(crate) fn wanted(folder: &str, days: Days, late: i64) -> bool {
    if aside(folder) {
        return false;
    }
    let civil = iam_model::time::days_from_civil;
    let span = match date(folder).as_slice() {
        [year] => civil(*year, 1, 1).zip(civil(*year, 12, 31)),
        [year, month] => civil(*year, *month, 1).map(|first| (first, first + 30)),
        [year, month, day] => civil(*year, *month, *day).map(|day| (day, day)),
        _ => None,
    };
    span.is_none_or(|(first, last)| {
        days.first.is_none_or(|wanted| last >= wanted) && days.last.is_none_or(|wanted| first <= wanted + late)
    })
}

async fn parts(client: &Client, bucket: &str, object: &Object) -> Result<Vec<u8>, Failure> {
    let mut running = JoinSet::new();
    let count = object.size.div_ceil(PART).max(1);
    for part in 0..count {
        let request = client.get_object().bucket(bucket).key(&object.key);
        let (from, to) = (part * PART, ((part + 1) * PART).min(object.size) - 1);
        let request = if count == 1 { request } else { request.range(format!("bytes={from}-{to}")) };
        running.spawn(async move {
            let answer = request.send().await.map_err(|error| Failure::of(&error))?;
            let body = answer.body.collect().await.map_err(|error| Failure::unusable(error.to_string()))?;
            Ok::<_, Failure>((part, body.into_bytes()))
        });
    }
    let mut parts = Vec::new();
    while let Some(done) = running.join_next().await {
        parts.push(done.map_err(|_| Failure::unusable("a part was lost"))??);
    }
    parts.sort_by_key(|(part, _)| *part);
    let bytes: Vec<u8> = parts.into_iter().flat_map(|(_, bytes)| bytes).collect();
    if u64::try_from(bytes.len()) == Ok(object.size) {
        Ok(bytes)
    } else {
        Err(Failure::unusable(format!("{} bytes were listed and {} read", object.size, bytes.len())))
    }
}

/// The management events of the last days that AWS keeps without a trail, as the text of a log file.
///
/// AWS answers two of these calls a second, of fifty events each: this is for small windows.
///
/// # Errors
/// Without credentials or a region, and where a page fails after all retries: a history that is not whole is none.
pub fn history(options: &Options, region: Option<&str>, from: i64, to: i64) -> Result<Vec<u8>, CollectError> {
    block_on(async { history_with(&load(options).await?, region, from, to).await })?
}

pub(crate) async fn history_with(
    config: &SdkConfig,
    region: Option<&str>,
    from: i64,
    to: i64,
) -> Result<Vec<u8>, CollectError> {
    const CALL: &str = "cloudtrail:LookupEvents";
    let mut builder = aws_sdk_cloudtrail::config::Builder::from(config);
    if let Some(region) = region {
        builder.set_region(Some(Region::new(region.to_owned())));
    }
    let client = aws_sdk_cloudtrail::Client::from_conf(builder.build());
    let mut marks = Pages::new("");
    let (mut records, mut seen) = (Vec::new(), BTreeSet::new());
    loop {
        let request = client.lookup_events().max_results(50).set_next_token(marks.mark());
        let request = request.start_time(DateTime::from_secs(from)).end_time(DateTime::from_secs(to));
        let page = request.send().await.map_err(|error| failed(CALL, &Failure::of(&error)))?;
        for event in page.events() {
            let id = event.event_id().unwrap_or_default().to_owned();
            if !id.is_empty() && !seen.insert(id.clone()) {
                continue;
            }
            let record = event.cloud_trail_event().and_then(record);
            records
                .push(record.ok_or_else(|| failed(CALL, &Failure::unusable(format!("event {id} holds no record"))))?);
        }
        if !marks.goes_on(page.next_token().map(ToOwned::to_owned)).map_err(|failure| failed(CALL, &failure))? {
            let log = Value::Object(vec![("Records".into(), Value::Array(records))]);
            return Ok(log.to_compact().into_bytes());
        }
    }
}

fn record(text: &str) -> Option<Value> {
    let arena = Arena::for_text(text.len());
    json::parse(&arena, text, Limits::FILE).ok().map(|root| root.to_value())
}

#[cfg(test)]
mod tests;
