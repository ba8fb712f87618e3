//! Arguments of `paring collect`.

use std::path::PathBuf;

use clap::Args;
use iam_model::arn::AccountId;

/// An account in, a snapshot file out
///
/// A live account needs a build with the feature `aws`; credentials are found as the AWS CLI finds them. What the
/// credentials may not read is named in the snapshot, and by every later command that uses it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Collect {
    /// A folder of AWS CLI output, instead of a live account; `docs/collect.md` has the commands
    #[arg(long, value_name = "DIR", conflicts_with_all = LIVE, help_heading = "Input")]
    pub(crate) bundle: Option<PathBuf>,

    /// The AWS profile whose account is collected [default: as the AWS CLI chooses]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) profile: Option<String>,

    /// A region whose functions and resources are collected (can be repeated), or `all` that an account has switched on
    /// [default: the profile's]
    #[arg(long = "region", value_name = "REGION|all", help_heading = "Input")]
    pub(crate) regions: Vec<String>,

    /// Accounts to collect by their ids, or `all` of the organisation [default: the profile's]
    #[arg(long, value_name = "ID|all", num_args = 1.., value_delimiter = ',', help_heading = "Input")]
    pub(crate) accounts: Vec<AccountWord>,

    /// The role to assume in each other account, by its name there
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) role_name: Option<String>,

    /// Also fetch AWS's own record of what each role last used, into --record
    #[arg(long, requires = "record", help_heading = "Input")]
    pub(crate) last_accessed: bool,

    /// Also fetch what Access Analyzer found, recommends and generated, into --record
    #[arg(long, requires = "record", help_heading = "Input")]
    pub(crate) access_analyzer: bool,

    /// Have Access Analyzer generate a policy for this role of the own account (can be repeated): one at a time, 50 a day
    #[arg(long = "generate", value_name = "ROLE", requires_all = ["record", "trail_arn", "access_role"], help_heading = "Input")]
    pub(crate) generate: Vec<String>,

    /// With --generate: the trail it reads
    #[arg(long, value_name = "ARN", requires = "generate", help_heading = "Input")]
    pub(crate) trail_arn: Option<String>,

    /// With --generate: the role that lets Access Analyzer read the trail's bucket
    #[arg(long, value_name = "ARN", requires = "generate", help_heading = "Input")]
    pub(crate) access_role: Option<String>,

    /// Keep every answer in this folder, as a bundle; a collection that was interrupted goes on from it
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) record: Option<PathBuf>,

    /// Print the policy that these options need, and collect nothing
    #[arg(long, conflicts_with = "bundle", help_heading = "Output")]
    pub(crate) print_policy: bool,

    /// Where the snapshot goes [default: standard output]
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

/// What only a live account has.
const LIVE: [&str; 8] =
    ["profile", "regions", "accounts", "role_name", "last_accessed", "access_analyzer", "generate", "record"];

/// An account, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AccountWord {
    /// Every account of the organisation.
    All,
    /// One.
    Id(AccountId),
}

impl std::str::FromStr for AccountWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            id => id.parse().map(Self::Id).map_err(|_| "neither an account id (twelve digits) nor `all`".into()),
        }
    }
}
