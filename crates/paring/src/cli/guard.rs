//! Arguments of `paring guard`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use iam_evaluate::guardrail;
use iam_synthesize::ControlKind;
use iam_verify::policy_check;

use super::{FindingsFormat, Format, Judging, Quota, Threshold};

/// Guardrails: service control policies, resource control policies, policies of VPC endpoints.
#[derive(Debug, Clone, Args)]
pub(crate) struct Guard {
    #[command(subcommand)]
    pub(crate) action: GuardAction,
}

/// What to do with them.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum GuardAction {
    /// Decide saved requests by a guardrail, or by a whole organisation, and compare with what is expected
    Replay(GuardReplay),
    /// Find what guardrails leave open, whom they lock out, and what was left to fill in
    Lint(GuardLint),
    /// Name AWS Control Tower's controls that policies carry, by the ids of their statements
    Controls(GuardControls),
    /// Pack control policies of one target into the fewest documents that fit the quotas, proved to say the same
    Pack(GuardPack),
    /// Say what a new or changed control policy would break: the logs are replayed against it
    Impact(Box<GuardImpact>),
}

/// Validates guardrails: all that `paring check policy` finds, and what goes wrong with guardrails alone.
#[derive(Debug, Clone, Args)]
pub(crate) struct GuardLint {
    /// Policy files, or folders of .json files; `-` is standard input
    #[arg(value_name = "FILE", required = true, help_heading = "Input")]
    pub(crate) files: Vec<PathBuf>,

    /// What the policies are [default: whichever each looks like: with principals, an RCP where it only denies]
    #[arg(long, value_name = "KIND", help_heading = "Input")]
    pub(crate) kind: Option<GuardKind>,

    /// How to print the findings
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: FindingsFormat,

    /// Exit 1 where a finding is at least this severe: a note counts as info, a warning as low, an error as high
    #[arg(long, value_name = "SEVERITY", default_value = "low", help_heading = "Output")]
    pub(crate) fail_on: Threshold,
}

/// Names AWS Control Tower's controls in policies, or in all control policies of an organisation.
///
/// Control Tower owns the policies it writes (`aws-guardrails-…`): a changed text is drift. `guard pack` leaves them as they are,
/// and a change to one breaks the rule `control-tower-keeps-its-controls`.
#[derive(Debug, Clone, Args)]
pub(crate) struct GuardControls {
    /// Policy files, or folders of .json files; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "snapshot", help_heading = "Input")]
    pub(crate) files: Vec<PathBuf>,

    /// What the accounts look like, with their organisation: a snapshot file, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: Option<PathBuf>,

    /// How to print the controls
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// Packs policies that are attached to the same root, unit or account.
///
/// Statements move, lists of statements that differ in one list alone become one, and what another statement covers goes;
/// patterns are never made shorter. Each step is proved both ways, and what is not decided is not written. Prints a
/// document a line, compact, as it is to be saved: white space counts. Exits 1 where the quotas cannot be met.
#[derive(Debug, Clone, Args)]
pub(crate) struct GuardPack {
    /// The policies of one target, or folders of .json files
    #[arg(value_name = "FILE", required = true, help_heading = "Input")]
    pub(crate) files: Vec<PathBuf>,

    /// What they are
    #[arg(long, value_name = "KIND", help_heading = "Input")]
    pub(crate) kind: ControlWord,

    /// How long policies may be, and how many a target may have
    #[arg(long, value_name = "PROFILE", default_value = "aws", help_heading = "Judgement")]
    pub(crate) quota: Quota,

    /// Leave out statement ids: they cost characters and decide nothing
    #[arg(long, help_heading = "Judgement")]
    pub(crate) drop_sids: bool,

    /// Write the documents into this folder, a file each, and print a line about each
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

/// Asks `paring verify` about the change that attaching the policy is.
#[derive(Debug, Clone, Args)]
pub(crate) struct GuardImpact {
    /// The policy as it would be
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) policy: PathBuf,

    /// What it is
    #[arg(long, value_name = "KIND", help_heading = "Input")]
    pub(crate) kind: ControlWord,

    /// The policy it replaces, wherever the snapshot has it [default: none, it is new]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) replaces: Option<PathBuf>,

    /// An account below which it stands (can be repeated) [default: every account of the organisation]
    #[arg(long, value_name = "ACCOUNT", help_heading = "Input")]
    pub(crate) target: Vec<String>,

    /// What the accounts look like, with their organisation: a snapshot file, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    #[command(flatten)]
    pub(crate) judging: Judging,

    /// How to print the verdict
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// The kinds of control policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ControlWord {
    /// Service control policies
    Scp,
    /// Resource control policies
    Rcp,
}

impl ControlWord {
    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Scp => "scp",
            Self::Rcp => "rcp",
        }
    }
}

impl From<ControlWord> for ControlKind {
    fn from(word: ControlWord) -> Self {
        match word {
            ControlWord::Scp => Self::Service,
            ControlWord::Rcp => Self::Resource,
        }
    }
}

impl From<GuardKind> for policy_check::PolicyKind {
    fn from(kind: GuardKind) -> Self {
        match kind {
            GuardKind::Scp => Self::ServiceControl,
            GuardKind::Rcp => Self::ResourceControl,
            GuardKind::Endpoint => Self::VpcEndpoint,
        }
    }
}

/// Requests in, a JSON line for each out: whether a guardrail stops it, and which statements do.
///
/// A case is a JSON object a line: `principal`, `action`, `resource`, and as needed `id`, `policy`, `kind`, `context`,
/// `resource_account`, `expect` (denied, allowed, unknown) and `statements` (indexes). Keys that its context does not list are absent, but for
/// aws:PrincipalArn and aws:PrincipalAccount, which follow from the principal. Exits 1 where a case is not as it expects.
#[derive(Debug, Clone, Args)]
pub(crate) struct GuardReplay {
    /// The guardrail; or a folder of them, in which each case's `policy` names the file (NAME.bound.json before NAME.json)
    #[arg(
        long,
        value_name = "PATH",
        required_unless_present = "organization",
        conflicts_with = "organization",
        help_heading = "Input"
    )]
    pub(crate) policy: Option<PathBuf>,

    /// What the guardrails are, for cases that do not say
    #[arg(long, value_name = "KIND", conflicts_with = "organization", help_heading = "Input")]
    pub(crate) kind: Option<GuardKind>,

    /// An organisation instead: units, accounts, policies, and what is attached where unless the cases say (`scp`, `rcp`)
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) organization: Option<PathBuf>,

    /// The account that service control policies do not bind and resource control policies do not reach
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "organization", help_heading = "Input")]
    pub(crate) management_account: Option<String>,

    /// Requests, a JSON object a line; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) cases: PathBuf,
}

/// The kinds of guardrails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum GuardKind {
    /// A service control policy
    Scp,
    /// A resource control policy
    Rcp,
    /// Of a VPC endpoint
    #[value(alias = "vpce")]
    Endpoint,
}

impl From<GuardKind> for guardrail::GuardrailKind {
    fn from(kind: GuardKind) -> Self {
        match kind {
            GuardKind::Scp => Self::ServiceControl,
            GuardKind::Rcp => Self::ResourceControl,
            GuardKind::Endpoint => Self::VpcEndpoint,
        }
    }
}
