//! `paring guard impact`: what a new or changed control policy would break, asked of `paring verify`.
//!
//! Makes the change that attaching the policy is; every judgement is made where claims are proved.

use iam_model::arn::{AccountId, Arn};
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::diagnostic::Severity;
use iam_model::policy::PolicyDocument;

use crate::cli::{ControlWord, GuardImpact};
use crate::commands::check::policy::document;
use crate::commands::{Outcome, verify};
use crate::error::CliError;
use crate::input;
use crate::judging::{ChangeFile, Ground};
use crate::terminal::Terminal;

/// Runs the command.
pub(super) fn run(arguments: &GuardImpact, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let after = policy(&arguments.policy, terminal)?;
    let before = arguments.replaces.as_ref().map(|path| policy(path, terminal)).transpose()?;
    let targets = match arguments.target.as_slice() {
        [] => vec![None],
        named => named.iter().map(|text| target(text).map(Some)).collect::<Result<Vec<_>, _>>()?,
    };
    let name = arguments.policy.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let change = |resource_arn: Option<Arn>| Change {
        attachment: Attachment {
            kind: match arguments.kind {
                ControlWord::Scp => AttachmentKind::ServiceControl,
                ControlWord::Rcp => AttachmentKind::ResourceControl,
            },
            principal_arn: None,
            resource_arn,
            logical_id: None,
            address: None,
            policy_name: name.clone(),
            index: None,
        },
        before: before.clone(),
        after: Some(after.clone()),
        reasons: Vec::new(),
    };
    let ground = Ground::load(&arguments.snapshot, &arguments.judging, terminal)?;
    let organization = ground.snapshot.organization.as_ref();
    let Some(organization) = organization.filter(|organization| !organization.accounts.is_empty()) else {
        return Err(CliError::user("the snapshot holds no organisation with accounts to attach the policy to")
            .hint("`paring collect` writes it from the management account; docs/control-policies.md shows its form"));
    };
    for account in &arguments.target {
        if !organization.accounts.keys().any(|known| known.as_str() == account) {
            return Err(CliError::user(format!("`{account}` is no account of the organisation in the snapshot"))
                .hint("name accounts by their twelve digits; a unit is asked by naming its accounts"));
        }
    }
    let changes = targets.into_iter().map(change).collect();
    let file = ChangeFile { name: arguments.policy.display().to_string(), changes, splits: Vec::new() };
    verify::judge_files(&[file], &ground, arguments.format, false, terminal)
}

fn policy(path: &std::path::Path, terminal: &mut Terminal) -> Result<PolicyDocument, CliError> {
    let source = input::read_text(path)?;
    let (document, diagnostics) = document(&source);
    terminal.diagnostics(&diagnostics);
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(CliError::user(format!("`{}` is no policy that can be judged", path.display())));
    }
    Ok(document)
}

/// An account as the resource of an attachment.
fn target(text: &str) -> Result<Arn, CliError> {
    let wrong = || CliError::user(format!("`{text}` is no account id")).hint("an account id has twelve digits");
    let account: AccountId = text.parse().map_err(|_| wrong())?;
    format!("arn:aws:organizations:::account/{account}").parse().map_err(|_| wrong())
}
