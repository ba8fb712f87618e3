//! Arguments of `paring rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, Judging, Threshold};

/// The organisation's rules.
#[derive(Debug, Clone, Args)]
pub(crate) struct Rules {
    #[command(subcommand)]
    pub(crate) action: RulesAction,
}

/// What to do with them.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RulesAction {
    /// Ask every rule about an account, or about changes to it
    Check(Box<RulesCheck>),
    /// Decide every rule by its cases; a rule that no case decides is an error
    Test(RulesTest),
    /// List the rules: id, severity, what they are asked about, title
    List(RulesList),
    /// Show one rule: its text, what to do when it objects, and its cases
    Explain(RulesExplain),
    /// Print rule files in Cedar's one way of writing them, or write them with --write
    Fmt(RulesFmt),
}

/// Asks the rules.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesCheck {
    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    /// Changes to judge instead of the account as it stands, a `paring-changes/1` file; each of several is judged on
    /// its own
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "Input")]
    pub(crate) changes: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) judging: Judging,

    /// How to print the objections
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,

    /// Exit 1 where a rule of at least this severity objects: a note counts as info, a warning as low, a review as medium,
    /// an error as high
    #[arg(long, value_name = "SEVERITY", default_value = "high", help_heading = "Output")]
    pub(crate) fail_on: Threshold,
}

/// Where the rules are.
#[derive(Debug, Clone, Args)]
pub(crate) struct RuleFolder {
    /// A folder of rules in Cedar instead of the built-in ones
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) rules: Option<PathBuf>,

    /// The settings file, which may name that folder [default: paring.toml, where there is one]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) config: Option<PathBuf>,
}

/// Runs the cases.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesTest {
    #[command(flatten)]
    pub(crate) rules: RuleFolder,

    /// Files or folders of cases in the JSON of `cedar run-tests` [default: the folder `cases` beside the rules]
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) cases: Vec<PathBuf>,
}

/// Lists the rules.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesList {
    #[command(flatten)]
    pub(crate) rules: RuleFolder,

    /// Print the schema instead: all that a rule may talk about
    #[arg(long, help_heading = "Output")]
    pub(crate) schema: bool,

    /// How to print the list
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// Shows one rule.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesExplain {
    /// The rule's id
    #[arg(value_name = "ID")]
    pub(crate) id: String,

    #[command(flatten)]
    pub(crate) rules: RuleFolder,
}

/// Formats rule files.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesFmt {
    /// Rule files, or folders of .cedar files
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Write the files instead of printing them
    #[arg(long, conflicts_with = "check")]
    pub(crate) write: bool,

    /// Print nothing but the names of files that would change, and exit 1 if there are any
    #[arg(long)]
    pub(crate) check: bool,
}
