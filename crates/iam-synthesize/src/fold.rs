//! Folding: names that were seen, written as the pattern a person would write for them.
//!
//! Only resource types whose names are data, not configuration, are folded: objects of a bucket and streams of a log
//! group. Everything else stays as it was seen. Bounded by the old grant where the result is used.

use std::collections::BTreeMap;

use iam_model::arn::ResourcePattern;

/// The patterns that stand for the resources seen.
///
/// Objects of one bucket: one object seen stays that object; several become the folder they share.
/// Streams of a log group become the group's `:*`.
pub(crate) fn fold(resources: &[ResourcePattern]) -> Vec<ResourcePattern> {
    let mut folded = Vec::new();
    let mut objects: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for resource in resources {
        match bucket_and_key(resource.as_str()) {
            Some((bucket, key)) => objects.entry(bucket).or_default().push(key),
            None => folded.push(log_streams(resource)),
        }
    }
    for (bucket, keys) in objects {
        let key = match keys.as_slice() {
            [only] => (*only).to_owned(),
            several => format!("{}*", shared_folder(several)),
        };
        folded.push(ResourcePattern::new(&format!("{bucket}/{key}")));
    }
    folded.sort();
    folded.dedup();
    folded
}

/// `arn:…:s3:::bucket` and the key of an object ARN.
fn bucket_and_key(arn: &str) -> Option<(&str, &str)> {
    let (head, resource) = arn.split_once(":s3:::")?;
    let (bucket, key) = resource.split_once('/')?;
    let bucket_end = head.len() + ":s3:::".len() + bucket.len();
    arn.get(..bucket_end).map(|bucket| (bucket, key))
}

/// The longest run of whole folders that every key starts with; empty, or ending in `/`.
fn shared_folder(keys: &[&str]) -> String {
    let mut shared: Option<&str> = None;
    for key in keys {
        let folder = key.rfind('/').and_then(|at| key.get(..=at)).unwrap_or_default();
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

fn log_streams(resource: &ResourcePattern) -> ResourcePattern {
    match resource.as_str().split_once(":log-stream:") {
        Some((group, _)) if group.contains(":logs:") => ResourcePattern::new(&format!("{group}:*")),
        _ => resource.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seen: &[&str], expected: &[&str]) {
        let seen: Vec<_> = seen.iter().map(|text| ResourcePattern::new(text)).collect();
        let folded: Vec<_> = fold(&seen).iter().map(|p| p.as_str().to_owned()).collect();
        assert_eq!(folded, expected);
    }

    #[test]
    fn objects_become_the_folder_they_share() {
        check(&["arn:aws:s3:::b/config.json"], &["arn:aws:s3:::b/config.json"]);
        check(&["arn:aws:s3:::b/a/1.png", "arn:aws:s3:::b/a/2.png"], &["arn:aws:s3:::b/a/*"]);
        check(&["arn:aws:s3:::b/ab/1", "arn:aws:s3:::b/ac/1"], &["arn:aws:s3:::b/*"]);
        check(
            &["arn:aws:s3:::b/x/y/1", "arn:aws:s3:::b/x/z/1", "arn:aws:s3:::c/q"],
            &["arn:aws:s3:::b/x/*", "arn:aws:s3:::c/q"],
        );
        check(&["arn:aws:s3:::b/é/1", "arn:aws:s3:::b/è/1"], &["arn:aws:s3:::b/*"]);
        check(&["arn:aws:s3:::b/prefix/*", "arn:aws:s3:::b/prefix/a"], &["arn:aws:s3:::b/prefix/*"]);
    }

    #[test]
    fn names_that_are_configuration_stay() {
        check(&["arn:aws:s3:::b", "arn:aws:s3:::c"], &["arn:aws:s3:::b", "arn:aws:s3:::c"]);
        check(
            &["arn:aws:dynamodb:us-east-1:111122223333:table/T1"],
            &["arn:aws:dynamodb:us-east-1:111122223333:table/T1"],
        );
        check(
            &["arn:aws:logs:us-east-1:111122223333:log-group:g:log-stream:s1"],
            &["arn:aws:logs:us-east-1:111122223333:log-group:g:*"],
        );
    }
}
