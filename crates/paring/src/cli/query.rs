//! Arguments of `paring usage --engine`: who counts where the logs are, within which limits.

use clap::Args;
use iam_collect::price::Price;
use iam_model::arn::Arn;

/// An engine that counts where the logs are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Query {
    /// Have this engine run the statement of `paring usage sql` and read its rows, instead of reading LOGS. --since and --until
    /// are then whole days: of Athena those of the logs' folders, which is when records were delivered
    #[arg(long, value_name = "ENGINE", conflicts_with_all = ["logs", "shard", "state"], help_heading = "Engine")]
    pub(crate) engine: Option<QueryEngine>,

    /// Of Athena: the database of the table
    #[arg(long, value_name = "NAME", required_if_eq("engine", "athena"), requires = "engine", conflicts_with = "logs", value_parser = name, help_heading = "Engine")]
    pub(crate) database: Option<String>,

    /// Of Athena: the workgroup that runs the query; its limits hold
    #[arg(long, value_name = "NAME", required_if_eq("engine", "athena"), requires = "engine", conflicts_with = "logs", value_parser = name, help_heading = "Engine")]
    pub(crate) workgroup: Option<String>,

    /// Of Athena: the table, as `paring usage sql --dialect athena --ddl` makes it [default: cloudtrail]
    #[arg(long, value_name = "NAME", requires = "engine", conflicts_with = "logs", value_parser = name, help_heading = "Engine")]
    pub(crate) table: Option<String>,

    /// Of Athena: where results go, where the workgroup names no place
    #[arg(long, value_name = "s3://BUCKET/PREFIX", requires = "engine", conflicts_with = "logs", value_parser = place, help_heading = "Engine")]
    pub(crate) output: Option<String>,

    /// Of Athena: where the table's logs lie, for the estimate and --print-policy [default: as the table says]
    #[arg(long, value_name = "s3://BUCKET/PREFIX", requires = "engine", conflicts_with = "logs", value_parser = place, help_heading = "Engine")]
    pub(crate) location: Option<String>,

    /// Of CloudTrail Lake: the event data store
    #[arg(long, value_name = "ARN", required_if_eq("engine", "cloudtrail-lake"), requires = "engine", conflicts_with = "logs", value_parser = store, help_heading = "Engine")]
    pub(crate) event_data_store: Option<Arn>,

    /// The AWS profile that asks [default: as the AWS CLI chooses]
    #[arg(long, value_name = "NAME", requires = "engine", conflicts_with = "logs", help_heading = "Engine")]
    pub(crate) profile: Option<String>,

    /// Of Athena: the region it is in [default: the profile's]
    #[arg(long, value_name = "REGION", requires = "engine", conflicts_with = "logs", help_heading = "Engine")]
    pub(crate) region: Option<String>,

    /// Run nothing: print what the query would scan, what that costs, and the workgroup's own limit
    #[arg(long, requires = "engine", conflicts_with = "logs", help_heading = "Engine")]
    pub(crate) dry_run: bool,

    /// Start nothing that would scan more, such as 50GB, or of which that is not known; and cancel the query once AWS reports
    /// that more was scanned. What was scanned until then is billed
    #[arg(long, value_name = "BYTES", requires = "engine", conflicts_with = "logs", value_parser = bytes, help_heading = "Engine")]
    pub(crate) budget: Option<u64>,

    /// With --budget: start also where it is not known before what the query would scan, as with CloudTrail Lake
    #[arg(long, requires = "budget", conflicts_with = "logs", help_heading = "Engine")]
    pub(crate) unestimated: bool,

    /// Cancel the query where it takes longer than so many minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 60, conflicts_with = "logs", value_parser = clap::value_parser!(u64).range(1..=1440), help_heading = "Engine")]
    pub(crate) timeout: u64,

    /// What a terabyte that is scanned costs, in USD [default: 5, the list price]
    #[arg(long, value_name = "USD", requires = "engine", conflicts_with = "logs", help_heading = "Engine")]
    pub(crate) price_per_tb: Option<Price>,

    /// Print the policy that these options need, and run nothing
    #[arg(long, requires = "engine", conflicts_with_all = ["logs", "dry_run"], help_heading = "Engine")]
    pub(crate) print_policy: bool,
}

/// The engines that are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum QueryEngine {
    /// Amazon Athena, over a table of CloudTrail's logs
    Athena,
    /// CloudTrail Lake, for those who have it
    CloudtrailLake,
}

/// A name of Athena's, which is put into the statement and into ARNs as it is.
fn name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !text.is_empty() && text.len() <= 255 && !text.contains("--") && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("a name of letters, digits, `_`, `.` and `-` is expected".to_owned())
    }
}

fn place(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("s3://").unwrap_or_default();
    let bucket = rest.split('/').next().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let plain = !rest.chars().any(|c| c.is_control() || "*?${}\"".contains(c));
    if !bucket.is_empty() && bucket.chars().all(allowed) && plain {
        Ok(text.to_owned())
    } else {
        Err("a place of S3 is expected, such as s3://BUCKET/PREFIX".to_owned())
    }
}

/// A store's ARN; its id is put into the statement as it is.
fn store(text: &str) -> Result<Arn, String> {
    let wrong = || {
        "the ARN of an event data store is expected, such as arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/ID"
            .to_owned()
    };
    let arn: Arn = text.parse().map_err(|_| wrong())?;
    let id = arn.resource().strip_prefix("eventdatastore/").unwrap_or_default();
    let fits = arn.service() == "cloudtrail" && !arn.region().is_empty() && !id.is_empty() && !id.contains("--");
    if fits && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') { Ok(arn) } else { Err(wrong()) }
}

/// A number of bytes: `50GB`, `1.5 TB`, `1GiB`.
fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 9] = [
        ("KIB", 1 << 10),
        ("MIB", 1 << 20),
        ("GIB", 1 << 30),
        ("TIB", 1 << 40),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
    ];
    let wrong = || "a number of bytes with its unit is expected, such as 50GB or 1.5TB".to_owned();
    let upper = text.trim().to_ascii_uppercase();
    let found = UNITS.iter().find_map(|(unit, size)| Some((upper.strip_suffix(unit)?.trim(), *size)));
    let (number, size) = found.ok_or_else(wrong)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str, most: usize| text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole, 9) || !digits(part, 3) {
        return Err(wrong());
    }
    let parse = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let thousandths = parse(whole)? * 1000 + parse(&format!("{part:0<3}"))?;
    let bytes = u128::from(thousandths) * u128::from(size) / 1000;
    u64::try_from(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_bytes_with_their_unit() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(bytes(text).ok(), expected, "{text}");
        check("50GB", Some(50_000_000_000));
        check("1.5 tb", Some(1_500_000_000_000));
        check("1GiB", Some(1 << 30));
        check("7B", Some(7));
        check("0B", Some(0));
        for wrong in ["", "50", "GB", "-1GB", "1.2345GB", ".5GB", "9999999999GB", "1e3GB", "NaNB", "1..5GB"] {
            check(wrong, None);
        }
    }

    #[test]
    fn what_goes_into_the_statement_is_a_name() {
        for wrong in ["", "a b", "a;b", "a--b", "a\"b", "a\nb", "*"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        assert_eq!(name("audit_2026-x.y").as_deref(), Ok("audit_2026-x.y"));
        let arn = |rest: &str| store(&format!("arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/{rest}"));
        assert!(arn("EXAMPLE-f852-4e8f-8bd1-bcf6cEXAMPLE").is_ok());
        for wrong in ["", "a b", "a--", "a;b", "a/b"] {
            assert!(arn(wrong).is_err(), "{wrong}");
        }
        assert!(store("arn:aws:cloudtrail:us-east-1:111122223333:trail/t").is_err());
        for wrong in ["bucket", "s3://", "s3:///a", "s3://b/*", "s3://b\"/", "https://b/"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
        assert!(place("s3://b/p/").is_ok());
    }
}
