//! Arguments of `paring graph`.

use std::path::PathBuf;

use clap::Args;

/// Draws who can become whom, with the policy statements behind each way
///
/// html is a page in one file that works offline: search the findings, choose one, and see its path and what it rests
/// on. dot is for Graphviz, graphml for graph editors, json for programs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Graph {
    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    /// Only the ways from this user or role on, by name or ARN (can be repeated)
    #[arg(long, value_name = "PRINCIPAL", help_heading = "Input")]
    pub(crate) from: Vec<String>,

    /// How to print the graph
    #[arg(long, value_name = "FORMAT", default_value = "dot", help_heading = "Output")]
    pub(crate) format: GraphFormat,
}

/// How a graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum GraphFormat {
    /// For Graphviz
    Dot,
    /// For programs
    Json,
    /// For graph editors such as yEd and Gephi
    Graphml,
    /// A page for a browser
    Html,
}
