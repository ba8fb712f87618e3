//! Arguments of the commands that decide single requests.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// Decides requests; prints a JSON line for each, and for cases a count at the end.
#[derive(Debug, Clone, Args)]
pub(crate) struct Simulate {
    /// Cases, a JSON object a line, each with its own policies; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["snapshot", "principal", "action"], help_heading = "Input")]
    pub(crate) cases: Option<PathBuf>,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", required_unless_present = "cases", help_heading = "Input")]
    pub(crate) snapshot: Option<PathBuf>,

    /// Who asks: an ARN, the name of a role or user, a service, or `anonymous`
    #[arg(long, value_name = "PRINCIPAL", required_unless_present = "cases", help_heading = "Request")]
    pub(crate) principal: Option<String>,

    /// What for, such as `s3:GetObject`
    #[arg(long, value_name = "ACTION", required_unless_present = "cases", help_heading = "Request")]
    pub(crate) action: Option<String>,

    /// On what: an ARN, or `*` for actions that take no resource
    #[arg(long, value_name = "ARN", default_value = "*", help_heading = "Request")]
    pub(crate) resource: String,

    #[command(flatten)]
    pub(crate) facts: Facts,
}

/// Explains one decision. Exits 0 where the answer is yes, 1 where it is no or not known.
#[derive(Debug, Clone, Args)]
pub(crate) struct Can {
    /// Who asks: an ARN, the name of a role or user, a service, or `anonymous`
    #[arg(value_name = "PRINCIPAL")]
    pub(crate) principal: String,

    #[command(flatten)]
    pub(crate) question: Question,
}

/// Asks the same of every role and user of a snapshot, and of whomever the resource's policy names.
#[derive(Debug, Clone, Args)]
pub(crate) struct WhoCan {
    #[command(flatten)]
    pub(crate) question: Question,
}

/// What is asked, of which account, and how the answer is printed.
#[derive(Debug, Clone, Args)]
pub(crate) struct Question {
    /// What for, such as `s3:GetObject`
    #[arg(value_name = "ACTION")]
    pub(crate) action: String,

    /// On what: an ARN, or `*` for actions that take no resource
    #[arg(value_name = "RESOURCE", default_value = "*")]
    pub(crate) resource: String,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    #[command(flatten)]
    pub(crate) facts: Facts,

    /// How to print the answer
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// What is known about a request besides who, what and where.
#[derive(Debug, Clone, Args)]
pub(crate) struct Facts {
    /// A context key and its value; again for further values (can be repeated)
    #[arg(long = "context", value_name = "KEY=VALUE", help_heading = "Request")]
    pub(crate) context: Vec<String>,

    /// Take keys that are not given as absent from the request, not as unknown
    #[arg(long, help_heading = "Request")]
    pub(crate) complete: bool,
}
