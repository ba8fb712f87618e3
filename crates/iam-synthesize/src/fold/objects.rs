//! Objects of one bucket as the folders they lie in.
//!
//! What a person chose stays as it was seen: single objects at the top, without a generated part in their names.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::ResourcePattern;

use super::{FoldRule, Folded, generated};

/// Objects from which on the folder they share is taken for the folder they are meant for.
const ENOUGH: usize = 8;
/// Folders at the top of a bucket from which on they are data, not configuration.
const MANY_FOLDERS: usize = 3;

/// `arn:…:s3:::bucket` and the key of an object ARN.
pub(super) fn bucket_and_key(arn: &str) -> Option<(&str, &str)> {
    let (head, resource) = arn.split_once(":s3:::")?;
    let (bucket, key) = resource.split_once('/')?;
    let bucket_end = head.len() + ":s3:::".len() + bucket.len();
    arn.get(..bucket_end).map(|bucket| (bucket, key))
}

/// Whether a folded object stands for a key of the bucket.
pub(super) fn covers(object: &Folded, bucket: &str, key: &str) -> bool {
    let text = object.pattern.as_str();
    let own = text.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    own.strip_suffix('*').map_or(own == key, |folder| key.starts_with(folder))
}

/// The patterns for some keys of one bucket.
pub(super) fn fold(bucket: &str, keys: &[&str]) -> Vec<Folded> {
    let mut folded = Vec::new();
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for key in keys {
        folders.entry(top(key)).or_default().insert(key);
    }
    let tops = folders.keys().filter(|folder| !folder.is_empty()).count();
    // Where the folder at the top changes as often as not from one generated name to the next, it is data as well.
    let changes = tops > 1 && keys.len() < 2 * tops && keys.iter().all(|key| generated::has_generated(key));
    if tops >= MANY_FOLDERS || changes {
        return vec![Folded::by(FoldRule::WholeBucket, &format!("{bucket}/*"))];
    }
    for (folder, keys) in folders {
        folded.extend(in_folder(bucket, folder, &keys));
    }
    folded
}

/// The folder at the top of a key, with its `/`; empty for an object at the top.
fn top(key: &str) -> &str {
    key.find('/').and_then(|at| key.get(..=at)).unwrap_or_default()
}

fn in_folder(bucket: &str, folder: &str, keys: &BTreeSet<&str>) -> Vec<Folded> {
    let generated = keys.iter().any(|key| generated::has_generated(key));
    let exact = || keys.iter().map(|key| Folded::seen(&ResourcePattern::new(&format!("{bucket}/{key}")))).collect();
    if keys.iter().any(|key| generated::dated_folder(key) == Some(0)) {
        return vec![Folded::by(FoldRule::WholeBucket, &format!("{bucket}/*"))];
    }
    if folder.is_empty() {
        // Objects at the top of a bucket: generated names are data, a few others are configuration.
        let many = keys.len() >= ENOUGH || generated && keys.len() > 1 || keys.iter().any(|key| key.ends_with('*'));
        return if many { vec![Folded::by(FoldRule::WholeBucket, &format!("{bucket}/*"))] } else { exact() };
    }
    match keys.len() {
        1 if !generated => exact(),
        n if n < ENOUGH && generated => vec![Folded::by(FoldRule::GeneratedObjects, &format!("{bucket}/{folder}*"))],
        _ => vec![Folded::by(FoldRule::SharedFolder, &format!("{bucket}/{}*", shared_folder(keys)))],
    }
}

/// The longest run of whole folders that every key starts with, above those that time makes anew; empty, or ending in `/`.
fn shared_folder(keys: &BTreeSet<&str>) -> String {
    let mut shared: Option<&str> = None;
    for key in keys {
        let whole = || key.rfind('/').map_or(0, |at| at + 1);
        let folder = key.get(..generated::dated_folder(key).unwrap_or_else(whole)).unwrap_or_default();
        shared = Some(match shared {
            None => folder,
            Some(so_far) => common_folders(so_far, folder),
        });
    }
    shared.unwrap_or_default().to_owned()
}

fn common_folders<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let end = a.as_bytes().iter().take(same).rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    a.get(..end).unwrap_or_default()
}
