//! Arguments about AWS's own generator and checker, beside ours.

use std::path::PathBuf;

use clap::Args;

/// Where the evidence comes from beside the logs.
#[derive(Debug, Clone, Args)]
pub(crate) struct EngineChoice {
    /// Whose evidence of use counts
    #[arg(long, value_name = "ENGINE", default_value = "local", help_heading = "Judgement")]
    pub(crate) engine: Engine,

    /// Saved answers of `aws accessanalyzer get-generated-policy`, `get-finding-recommendation` or `aws securityhub get-recommended-policy-v2`;
    /// those of a bundle are found without it
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Input")]
    pub(crate) generated: Vec<PathBuf>,
}

/// Whose evidence counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Engine {
    /// The logs, read here
    #[default]
    Local,
    /// What Access Analyzer generated; what it does not tell stays
    AccessAnalyzer,
    /// The logs, and beside them whatever Access Analyzer or Security Hub would keep
    Both,
}

/// AWS's checker beside our proofs.
#[derive(Debug, Clone, Args)]
pub(crate) struct SecondOpinion {
    /// Ask IAM Access Analyzer about each proposal as well: the cost is said first, differences are findings
    #[arg(long, help_heading = "Judgement")]
    pub(crate) second_opinion: bool,

    /// The AWS profile that asks
    #[arg(long, value_name = "NAME", requires = "second_opinion", help_heading = "Judgement")]
    pub(crate) profile: Option<String>,

    /// The region that is asked
    #[arg(long, value_name = "REGION", requires = "second_opinion", help_heading = "Judgement")]
    pub(crate) region: Option<String>,
}
