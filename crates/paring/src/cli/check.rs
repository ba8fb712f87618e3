//! Arguments of `paring check`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use iam_verify::no_public::ResourceType;
use iam_verify::policy_check;

use super::{FindingsFormat, Format, Threshold};

/// Checks of policies.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct Check {
    /// Check every case of a JSON Lines file and print a line for each; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) cases: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) check: Option<PolicyCheck>,
}

/// One check.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PolicyCheck {
    /// Whether a new policy allows nothing that the old one did not
    NoNewAccess {
        /// The policy as it was, or a folder of policies
        #[arg(long, value_name = "FILE")]
        old: PathBuf,
        /// The policy as it would be, or a folder: files of one name belong together, one without a partner is new
        #[arg(long, value_name = "FILE")]
        new: PathBuf,
        /// How to print the outcome
        #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
        format: Format,
    },
    /// Whether policies grant none of the listed access
    NotGranted {
        /// The policies, or folders of .json files
        #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
        policy: Vec<PathBuf>,
        /// What must not be granted: {"actions": [...], "resources": [...]}
        #[arg(long, value_name = "FILE")]
        access: PathBuf,
        /// How to print the outcome
        #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
        format: Format,
    },
    /// Whether resource policies let no stranger in
    NoPublic {
        /// The resource policies, or folders of .json files
        #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
        policy: Vec<PathBuf>,
        /// The type of the resource, such as AWS::S3::Bucket [default: ask about every action]
        #[arg(long, value_name = "TYPE", value_parser = resource_type)]
        resource_type: Option<ResourceType>,
        /// How to print the outcome
        #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
        format: Format,
    },
    /// Whether policies are well made: unknown actions and keys, dead statements, wrong resources, sizes
    Policy(CheckPolicy),
}

/// Validation of policy files.
#[derive(Debug, Clone, Args)]
pub(crate) struct CheckPolicy {
    /// Policy files, or folders of .json files; `-` is standard input
    #[arg(value_name = "FILE", required = true, help_heading = "Input")]
    pub(crate) files: Vec<PathBuf>,

    /// What the policies are [default: identity, resource or trust, whichever each looks like]
    #[arg(long, value_name = "KIND", help_heading = "Input")]
    pub(crate) kind: Option<PolicyKind>,

    /// How to print the findings
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: FindingsFormat,

    /// Exit 1 where a finding is at least this severe: a note counts as info, a warning as low, an error as high
    #[arg(long, value_name = "SEVERITY", default_value = "low", help_heading = "Output")]
    pub(crate) fail_on: Threshold,
}

/// What a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PolicyKind {
    /// Of a user, group or role
    Identity,
    /// Of a resource
    Resource,
    /// Who may assume a role
    Trust,
    /// A permissions boundary
    Boundary,
    /// A service control policy
    Scp,
    /// A resource control policy
    Rcp,
    /// Of a VPC endpoint
    Endpoint,
}

impl From<PolicyKind> for policy_check::PolicyKind {
    fn from(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Identity => Self::Identity,
            PolicyKind::Resource => Self::Resource,
            PolicyKind::Trust => Self::Trust,
            PolicyKind::Boundary => Self::Boundary,
            PolicyKind::Scp => Self::ServiceControl,
            PolicyKind::Rcp => Self::ResourceControl,
            PolicyKind::Endpoint => Self::VpcEndpoint,
        }
    }
}

fn resource_type(text: &str) -> Result<ResourceType, String> {
    text.parse().map_err(|error: iam_verify::no_public::ResourceTypeError| format!("{error}\n  hint: {}", error.hint()))
}
