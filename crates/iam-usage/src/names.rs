//! Which files of a folder are logs, by their names alone.
//!
//! Follows the CloudTrail User Guide topic "Finding your CloudTrail log files", and what engines name their results. Opens nothing.

/// What a file seems to be, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A log, or a file that may be one.
    Log,
    /// CloudTrail's own digest or Insight file, which lies beside the logs and holds no calls.
    NotALog,
    /// Nothing a log could be stored in.
    Other,
}

/// Tells what the file at `path` seems to be. Folders are written with `/` or `\`.
///
/// A person who names a file outright means it: the caller asks this only for files found by walking a folder.
///
/// ```
/// use iam_usage::{FileKind, kind_of_path};
/// let log = "AWSLogs/o-abc/111122223333/CloudTrail/us-east-1/2026/11/20/111122223333_CloudTrail_us-east-1_x.json.gz";
/// assert_eq!(kind_of_path(log), FileKind::Log);
/// assert_eq!(kind_of_path("AWSLogs/1/CloudTrail-Digest/us-east-1/x.json.gz"), FileKind::NotALog);
/// assert_eq!(kind_of_path("README.md"), FileKind::Other);
/// ```
#[must_use]
pub fn kind_of_path(path: &str) -> FileKind {
    let mut parts = path.rsplit(['/', '\\']);
    let name = parts.next().unwrap_or_default();
    let aside = ["CloudTrail-Digest", "CloudTrail-Insight", "CloudTrail-Aggregated"];
    if aside.iter().any(|kind| name.contains(&format!("_{kind}_"))) || parts.any(|part| aside.contains(&part)) {
        return FileKind::NotALog;
    }
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".gz").unwrap_or(&lower);
    let endings = [".json", ".jsonl", ".ndjson", ".cloudtrail", ".log", ".csv", ".parquet"];
    let hidden = name.starts_with('.');
    let is_log = endings.iter().any(|ending| stem.ends_with(ending)) || is_unloaded(stem);
    if !hidden && is_log { FileKind::Log } else { FileKind::Other }
}

/// Whether Athena's UNLOAD named a file: `20261128_081530_00012_a1b2c_…`, with no ending that would tell the format.
fn is_unloaded(stem: &str) -> bool {
    let mut parts = stem.splitn(5, '_');
    let digits = [8, 6, 5].map(|length| {
        parts.next().is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let query =
        parts.next().is_some_and(|part| part.len() == 5 && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    digits == [true; 3] && query && parts.next().is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
}

/// The day a file of CloudTrail's own was delivered, counted from the epoch, by its name
/// `111122223333_CloudTrail_us-east-1_20261120T0815Z_x.json.gz`.
pub(crate) fn day_of_path(path: &str) -> Option<i64> {
    let name = path.rsplit(['/', '\\']).next()?;
    let (_, rest) = name.split_once("_CloudTrail_")?;
    let (date, time) = rest.split('_').nth(1)?.split_once('T')?;
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, 8) || !digits(time.strip_suffix('Z')?, 4) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| date.get(range)?.parse().ok();
    iam_model::time::days_from_civil(number(0..4)?, number(4..6)?, number(6..8)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_in_the_name_of_cloudtrail_s_own_files() {
        for (path, expected) in [
            ("a/b/1_CloudTrail_us-east-1_19700103T0815Z_x.json.gz", Some(2)),
            ("1_CloudTrail_us-east-1_19701303T0815Z_x.json.gz", None),
            ("1_CloudTrail_us-east-1_x.json.gz", None),
            ("events.json", None),
        ] {
            assert_eq!(day_of_path(path), expected, "{path}");
        }
    }

    #[test]
    fn logs_are_told_from_their_neighbours() {
        for (path, expected) in [
            ("AWSLogs/1/CloudTrail/r/2026/11/20/1_CloudTrail_r_20261120T0000Z_x.json.gz", FileKind::Log),
            ("AWSLogs/1/CloudTrail-Insight/r/2026/11/20/1_CloudTrail-Insight_r_x.json.gz", FileKind::NotALog),
            ("1_CloudTrail-Digest_r_x.json.gz", FileKind::NotALog),
            ("logs\\CloudTrail-Digest\\x.json", FileKind::NotALog),
            ("events.jsonl", FileKind::Log),
            ("EVENTS.JSON", FileKind::Log),
            ("export.csv.gz", FileKind::Log),
            ("out/part-00000-1-c000.snappy.parquet", FileKind::Log),
            ("out/.part-00000-1-c000.snappy.parquet.crc", FileKind::Other),
            ("out/_SUCCESS", FileKind::Other),
            ("out/20261128_081530_00012_a1b2c_0f0e0d0c-1111-2222-3333-444455556666", FileKind::Log),
            ("out/20261128_081530_00012_a1b2c_bucket-00000.gz", FileKind::Log),
            ("out/20261128_081530_00012_a1b2c", FileKind::Other),
            ("out/20261128_081530_00012_notes.txt", FileKind::Other),
            (".manifest.json", FileKind::Other),
            ("archive.tar.gz", FileKind::Other),
            ("", FileKind::Other),
        ] {
            assert_eq!(kind_of_path(path), expected, "{path}");
        }
    }
}
