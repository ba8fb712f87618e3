//! Arguments: types only, turned into a [`Command`] before anything else sees them.

mod catalog;
mod check;
mod collect;
mod cut;
mod diff;
mod evidence;
mod graph;
mod guard;
mod judging;
mod opinion;
mod patch;
mod query;
mod reach;
mod request;
mod routes;
mod rules;
mod usage;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use iam_model::diagnostic::Severity;
use iam_model::finding::FindingSeverity;
use iam_verify::guardrails::RuleSeverity;

use crate::terminal::Color;

pub(crate) use catalog::{Catalog, CatalogFile, CatalogQuestion};
pub(crate) use check::{Check, CheckPolicy, PolicyCheck};
#[cfg(feature = "aws")]
pub(crate) use collect::AccountWord;
pub(crate) use collect::Collect;
pub(crate) use cut::Cut;
pub(crate) use diff::Diff;
pub(crate) use evidence::{Explain, Grounds, PolicyFormat, Quota, Synthesize};
pub(crate) use graph::{Graph, GraphFormat};
pub(crate) use guard::{
    ControlWord, Guard, GuardAction, GuardControls, GuardImpact, GuardLint, GuardPack, GuardReplay,
};
pub(crate) use judging::Judging;
pub(crate) use opinion::{Engine, EngineChoice, SecondOpinion};
pub(crate) use patch::{Locate, Patch};
pub(crate) use query::{Query, QueryEngine};
pub(crate) use reach::Reach;
pub(crate) use request::{Can, Facts, Question, Simulate, WhoCan};
pub(crate) use routes::Routes;
pub(crate) use rules::{RuleFolder, Rules, RulesAction, RulesCheck, RulesExplain, RulesFmt, RulesList, RulesTest};
pub(crate) use usage::{LastAccessedFiles, SqlDialect, Usage, UsageBy, UsageMerge, UsageOther, UsageSql, Window};
pub(crate) use verify::Verify;

/// Cut AWS permissions down to what is used, prove it, and write the cut as a patch
///
/// Every command reads files and prints to standard output; nothing of yours is written without --out or --write.
/// Exit codes: 0 clean, 1 findings or unmet expectations, 2 wrong usage or unreadable input.
#[derive(Debug, Parser)]
#[command(name = "paring", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    action: Action,

    /// When to colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    color: Color,

    /// Say only what went wrong
    #[arg(long, short, global = true, help_heading = "Output")]
    quiet: bool,

    /// Exit 0 even where there are findings
    #[arg(long, global = true, help_heading = "Output")]
    exit_zero: bool,

    /// Print stand-ins for account ids, names, sessions, addresses and the like: the same for the same, in every format
    #[arg(long, global = true, help_heading = "Output")]
    redact: bool,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Propose the smallest policies that keep every role working, proved, as a patch
    Tighten(Tighten),
    /// Print the policies alone that the roles would be left with: JSON, YAML or HCL
    Synthesize(Synthesize),
    /// Say why each permission of a role stays or goes, with the calls behind it
    Explain(Explain),
    /// Write given changes into the source files, as one diff on standard output
    Patch(Patch),
    /// Show where each policy of a role is written: file, line, form, and whether it can be patched
    Locate(Locate),
    /// Find who can become administrator and how, shared roles, and other exposure
    Audit(Audit),
    /// Show the ways from one principal to others, with the policy statements behind each step
    Paths(Paths),
    /// Find the cheapest set of permissions whose removal breaks every way to administrator
    Cut(Cut),
    /// Draw who can become whom, with the policy statements behind each way
    Graph(Graph),
    /// Show the blast radius of a function: what it reaches, and who reaches it
    Reach(Reach),
    /// List the routes that call functions: what each asks for, and what lies behind it
    Routes(Routes),
    /// List the escalation techniques that are searched for
    Techniques(Techniques),

    /// Check policies as IAM Access Analyzer does, offline, with a counterexample or a proof
    Check(Check),
    /// Show what two policies or two snapshots allow differently, with requests that show it
    Diff(Diff),
    /// Prove or refute four claims about given changes, of whatever kind of policy
    Verify(Verify),
    /// List, explain, test and format the organisation's rules, and ask them
    Rules(Rules),
    /// Replay, lint, pack and try guardrails: SCPs, RCPs, policies of endpoints
    Guard(Guard),
    /// Decide requests: one from flags, or a file of cases
    Simulate(Simulate),
    /// Say whether a principal may do an action, and why
    Can(Can),
    /// List the principals that may do an action on a resource
    WhoCan(WhoCan),
    /// Show what each role did, from CloudTrail logs alone
    Usage(Box<Usage>),
    /// Write a snapshot of an account: from saved AWS CLI output, or live
    Collect(Collect),
    /// Look up AWS's actions as this program knows them, and what changed since an older catalogue
    Catalog(Catalog),
}

/// Findings about a snapshot.
#[derive(Debug, Clone, Args)]
pub(crate) struct Audit {
    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input", required_unless_present = "iac")]
    pub(crate) snapshot: Option<PathBuf>,

    /// CloudTrail files or folders; of a shared role they then say what each function did
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Input")]
    pub(crate) trail: Vec<PathBuf>,

    /// The folder of the templates: SARIF then shows findings about a role where the role is written; without --snapshot,
    /// what the templates alone tell, before anything is deployed
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) iac: Option<PathBuf>,

    /// How to print the findings
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: FindingsFormat,

    #[command(flatten)]
    pub(crate) baseline: Baseline,

    /// Exit 1 where a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", default_value = "medium", help_heading = "Output")]
    pub(crate) fail_on: Threshold,
}

/// Findings that are known already.
#[derive(Debug, Clone, Args)]
pub(crate) struct Baseline {
    /// Leave out findings that this file holds, what `--format json` printed of an earlier run
    #[arg(long = "baseline", value_name = "FILE", help_heading = "Input")]
    pub(crate) file: Option<PathBuf>,
}

/// Paths from a principal.
#[derive(Debug, Clone, Args)]
pub(crate) struct Paths {
    /// Where the paths start: a user or role, by name or ARN
    #[arg(value_name = "FROM")]
    pub(crate) from: String,

    /// Only paths that end here, by name or ARN; without it, the shortest path by each technique
    #[arg(value_name = "TO")]
    pub(crate) to: Option<String>,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    /// How to print the paths
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// The catalogue.
#[derive(Debug, Clone, Args)]
pub(crate) struct Techniques {
    /// How to print the catalogue
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// The main job: snapshot, logs and sources in; proposals, proofs and patches out.
#[derive(Debug, Clone, Args)]
pub(crate) struct Tighten {
    /// Run on the built-in example instead of your files
    #[arg(long, conflicts_with_all = ["snapshot", "trail", "iac"], help_heading = "Input")]
    pub(crate) example: bool,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", required_unless_present = "example", help_heading = "Input")]
    pub(crate) snapshot: Option<PathBuf>,

    /// CloudTrail files or folders, .json or .json.gz, any layout; `-` is standard input
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present_any = ["example", "engine"], help_heading = "Input")]
    pub(crate) trail: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) engine: EngineChoice,

    #[command(flatten)]
    pub(crate) last_accessed: LastAccessedFiles,

    /// The folder of the templates the roles come from; without it there are no patches
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) iac: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) catalog: CatalogFile,

    /// The settings file [default: paring.toml, where there is one]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) config: Option<PathBuf>,

    /// Only these roles, by name or ARN (can be repeated)
    #[arg(long = "role", value_name = "ROLE", help_heading = "Judgement")]
    pub(crate) roles: Vec<String>,

    /// Days the logs must span before anything unseen is cut [default: 30]
    #[arg(long, value_name = "DAYS", help_heading = "Judgement")]
    pub(crate) min_days: Option<u64>,

    /// How long policies may be, and how many a role may have [default: aws]
    #[arg(long, value_name = "PROFILE", help_heading = "Judgement")]
    pub(crate) quota: Option<Quota>,

    /// Take apart roles that several functions share: a role for each function, proved inside the old one
    #[arg(long, help_heading = "Judgement")]
    pub(crate) split: bool,

    /// Narrow the other policies as well: trust, resources' own, permissions boundaries, endpoints of VPCs
    #[arg(long, help_heading = "Judgement")]
    pub(crate) documents: bool,

    #[command(flatten)]
    pub(crate) opinion: SecondOpinion,

    /// Write report.json, changes.json, policies/ and patches/ into this folder
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,

    /// Apply the patches that are safe and proved to the files in --iac
    #[arg(long, requires = "iac", conflicts_with = "example", help_heading = "Output")]
    pub(crate) write: bool,

    /// With --write: also files with changes that are not committed
    #[arg(long, requires = "write", help_heading = "Output")]
    pub(crate) force: bool,

    /// How to print the report; SARIF holds its findings alone
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: FindingsFormat,

    #[command(flatten)]
    pub(crate) baseline: Baseline,

    /// Exit 1 where a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", help_heading = "Output")]
    pub(crate) fail_on: Option<Threshold>,

    // Last, so that what is said of the others keeps its order.
    #[command(flatten)]
    pub(crate) window: Window,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FindingsFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For code hosts: SARIF 2.1.0
    Sarif,
}

/// A severity from which findings count. Every command has this one scale; the words of rules (`note` to `critical`) and
/// of checks (`note`, `warning`, `error`) are taken for their place on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Threshold {
    #[value(alias = "note")]
    Info,
    #[value(alias = "warning")]
    Low,
    #[value(alias = "review")]
    Medium,
    #[value(alias = "error")]
    High,
    Critical,
}

impl Threshold {
    /// The severity of rules that stands at the same place.
    pub(crate) const fn of_rules(self) -> RuleSeverity {
        match self {
            Self::Info => RuleSeverity::Note,
            Self::Low => RuleSeverity::Warning,
            Self::Medium => RuleSeverity::Review,
            Self::High => RuleSeverity::Error,
            Self::Critical => RuleSeverity::Critical,
        }
    }

    /// Whether a finding about a text is at least as severe: a note stands at `info`, a warning at `low`, an error at `high`.
    pub(crate) const fn is_met_by(self, severity: Severity) -> bool {
        match self {
            Self::Info => true,
            Self::Low => matches!(severity, Severity::Warning | Severity::Error),
            Self::Medium | Self::High => matches!(severity, Severity::Error),
            Self::Critical => false,
        }
    }

    /// The severity of findings it stands for.
    pub(crate) const fn severity(self) -> FindingSeverity {
        match self {
            Self::Info => FindingSeverity::Info,
            Self::Low => FindingSeverity::Low,
            Self::Medium => FindingSeverity::Medium,
            Self::High => FindingSeverity::High,
            Self::Critical => FindingSeverity::Critical,
        }
    }
}

/// A parsed command line.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) action: Action,
    pub(crate) color: Color,
    pub(crate) quiet: bool,
    pub(crate) exit_zero: bool,
    pub(crate) redact: bool,
}

/// Parses the arguments, the program's name first.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let Arguments { action, color, quiet, exit_zero, redact } = Arguments::try_parse_from(arguments)?;
    Ok(Command { action, color, quiet, exit_zero, redact })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Arguments::command().debug_assert();
    }
}
