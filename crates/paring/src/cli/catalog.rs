//! Arguments of `paring catalog`, and the option that names another catalogue.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Format;

/// Which catalogue of AWS actions to use.
#[derive(Debug, Clone, Args)]
pub(crate) struct CatalogFile {
    /// Use this catalogue of AWS actions instead of the built-in one
    #[arg(long = "catalog", value_name = "FILE", help_heading = "Input")]
    pub(crate) path: Option<PathBuf>,
}

/// What AWS publishes about its actions, as this program knows it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Catalog {
    #[command(subcommand)]
    pub(crate) question: CatalogQuestion,

    #[command(flatten)]
    pub(crate) file: CatalogFile,

    /// How to print the answer
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true, help_heading = "Output")]
    pub(crate) format: Format,
}

/// What to ask of a catalogue.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum CatalogQuestion {
    /// Show its date, its size, and where its facts come from
    Info,
    /// List the actions that came, went or changed since an older catalogue
    Diff {
        /// The older catalogue
        #[arg(value_name = "OLD")]
        old: PathBuf,
    },
    /// Show what is known of an action, a service or an event: s3:GetObject, s3, s3.amazonaws.com:HeadObject
    Lookup {
        /// The action, the service prefix, or the event source and name
        #[arg(value_name = "NAME")]
        name: String,
    },
}
