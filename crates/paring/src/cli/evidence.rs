//! Arguments of the commands that look at the main job from one side: `paring explain` and `paring synthesize`.

use std::path::PathBuf;

use clap::Args;
use iam_model::action::Action;
use iam_model::quota::QuotaProfile;

use super::usage::LastAccessedFiles;
use super::{CatalogFile, Format};

/// What the main job rests on.
#[derive(Debug, Clone, Args)]
pub(crate) struct Grounds {
    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    /// CloudTrail files or folders, .json or .json.gz, any layout; `-` is standard input
    #[arg(long, value_name = "PATH", num_args = 1.., required = true, help_heading = "Input")]
    pub(crate) trail: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) last_accessed: LastAccessedFiles,

    #[command(flatten)]
    pub(crate) catalog: CatalogFile,

    /// The settings file [default: paring.toml, where there is one]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) config: Option<PathBuf>,

    /// Days the logs must span before anything unseen is cut [default: 30]
    #[arg(long, value_name = "DAYS", help_heading = "Judgement")]
    pub(crate) min_days: Option<u64>,

    /// How long policies may be, and how many a role may have [default: aws]
    #[arg(long, value_name = "PROFILE", help_heading = "Judgement")]
    pub(crate) quota: Option<Quota>,
}

/// Why each permission of a role would stay or go, as `paring tighten` decides it, with the calls behind it.
///
/// Of a resource with a policy of its own, and of a VPC endpoint, each statement: what becomes of it, and what shows that.
#[derive(Debug, Clone, Args)]
#[command(override_usage = "paring explain <ROLE> [ACTION] --snapshot <PATH> --trail <PATH>... [OPTIONS]")]
pub(crate) struct Explain {
    /// The role, by name or ARN, or the ARN of a resource with a policy of its own
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,

    /// Only this action of a role, such as `s3:GetObject`: who grants it, who used it, what becomes of it
    #[arg(value_name = "ACTION")]
    pub(crate) action: Option<Action>,

    #[command(flatten)]
    pub(crate) grounds: Grounds,

    /// The folder of the templates, for what functions are configured with: environment variables that name a resource
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) iac: Option<PathBuf>,

    /// Of a role that several functions share, explain the role that each would get
    #[arg(long, help_heading = "Judgement")]
    pub(crate) split: bool,

    /// How to print the reasons
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// The policies that `paring tighten` would leave, alone.
///
/// One role prints one policy, as AWS takes it; several print one object (JSON, YAML) whose `policies` has a policy for each
/// role's ARN, or a data block for each (HCL). A role of which the logs say nothing gets no policy, and the reason goes to standard error.
#[derive(Debug, Clone, Args)]
pub(crate) struct Synthesize {
    /// Only these roles, by name or ARN (can be repeated)
    #[arg(long = "role", value_name = "ROLE", help_heading = "Judgement")]
    pub(crate) roles: Vec<String>,

    #[command(flatten)]
    pub(crate) grounds: Grounds,

    /// For roles that several functions share, a policy for each function
    #[arg(long, help_heading = "Judgement")]
    pub(crate) split: bool,

    /// How to print the policies
    #[arg(long, value_name = "FORMAT", default_value = "json", help_heading = "Output")]
    pub(crate) format: PolicyFormat,

    /// Write a file for each role into this folder, instead of printing
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

/// A set of AWS's quotas on policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quota {
    /// What every account has from the start: 10 managed policies of a role, trust policies of 2,048 characters
    #[default]
    Aws,
    /// What AWS raises on request: 20 managed policies of a role, trust policies of 4,096 characters
    AwsRaised,
    /// As until May 2026: service control policies of 5,120 characters, five of a target
    #[value(name = "aws-2025")]
    #[serde(rename = "aws-2025")]
    Aws2025,
    /// As `aws`, and nothing moves into new managed policies: what does not fit keeps its old resources
    InPlace,
}

impl Quota {
    /// The numbers.
    pub(crate) const fn profile(self) -> QuotaProfile {
        match self {
            Self::Aws => QuotaProfile::AWS,
            Self::AwsRaised => QuotaProfile::RAISED,
            Self::Aws2025 => QuotaProfile::AWS_2025,
            Self::InPlace => QuotaProfile::IN_PLACE,
        }
    }
}

/// How a policy is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PolicyFormat {
    /// As AWS takes it
    Json,
    /// For `PolicyDocument` in CloudFormation and SAM templates
    Yaml,
    /// Terraform's `aws_iam_policy_document` data blocks
    Hcl,
}
