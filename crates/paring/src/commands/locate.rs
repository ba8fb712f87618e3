//! `paring locate`: where each policy of a role is written, and whether it can be patched there.
//!
//! With a snapshot every deployed policy is looked for, so that drift is seen; without one, the sources alone answer.

use iam_model::change::{Attachment, AttachmentKind};
use iam_model::json::Value;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{PolicyOrigin, Role, Snapshot, SnapshotIndex};
use iam_patch::{Location, Project, Refusal};

use super::Outcome;
use crate::cli::{Format, Locate};
use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// The schema name of the places as JSON.
const SCHEMA: &str = "paring-places/1";

/// A policy and where it is, or why it is nowhere.
struct Row {
    policy: String,
    found: Result<Location, Refusal>,
}

/// Finds and prints.
pub(crate) fn run(arguments: &Locate, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (snapshot, mut diagnostics) = match &arguments.snapshot {
        Some(path) => input::read_snapshot(path)?,
        None => (Snapshot::default(), Vec::new()),
    };
    let (sources, found) = input::read_sources(&arguments.iac)?;
    diagnostics.extend(found);
    let (project, found) = Project::read(sources);
    diagnostics.extend(found);
    terminal.diagnostics(&diagnostics);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let role = role(&index, &arguments.role)?;
    let rows = match role {
        Some(role) => deployed(&project, &index, role),
        None => written(&project, &index, &arguments.role),
    };
    if rows.is_empty() {
        let hint = match &arguments.snapshot {
            Some(_) => "neither the snapshot nor a template in the folder has it; give the name or ARN the account has",
            None => {
                "without --snapshot a role is found by its logical id, its function's, its address in Terraform, or a name the files give"
            }
        };
        return Err(CliError::user(format!("nothing was found for `{}`", arguments.role)).hint(hint));
    }
    match arguments.format {
        Format::Text => terminal.data(&text(&rows))?,
        Format::Json => terminal.data(&json(&arguments.role, &rows).to_pretty())?,
    }
    Ok(if rows.iter().all(|row| row.found.is_ok()) { Outcome::Clean } else { Outcome::Findings })
}

/// The role of the snapshot with this name or ARN; two of one name need an ARN.
fn role<'a>(index: &SnapshotIndex<'a>, name: &str) -> Result<Option<&'a Role>, CliError> {
    let mut named = index.roles().filter(|role| role.identity.arn.as_str() == name || role.identity.name == name);
    let first = named.next();
    if let (Some(_), Some(second)) = (first, named.next()) {
        return Err(CliError::user(format!("several roles are called `{name}`"))
            .hint(format!("give an ARN, such as {}", second.identity.arn)));
    }
    Ok(first)
}

fn deployed(project: &Project, index: &SnapshotIndex<'_>, role: &Role) -> Vec<Row> {
    let arn = &role.identity.arn;
    let find = |attachment: Attachment, document: Option<&PolicyDocument>| {
        iam_patch::locate(project, index, &attachment, document)
    };
    let mut rows = Vec::new();
    let trust = Attachment {
        kind: AttachmentKind::Trust,
        policy_name: None,
        ..Attachment::identity(arn.clone(), String::new())
    };
    rows.push(Row { policy: "trust policy".to_owned(), found: find(trust, Some(&role.trust)) });
    for policy in index.identity_policies(arn) {
        let name = match policy.origin {
            PolicyOrigin::Managed(arn) => arn.to_string(),
            PolicyOrigin::Inline(_) | PolicyOrigin::Group(_) => policy.name.to_owned(),
        };
        let attachment = Attachment::identity(arn.clone(), name.clone());
        let document = Some(policy.document).filter(|_| !name.starts_with("arn:aws:iam::aws:"));
        rows.push(Row { policy: name, found: find(attachment, document) });
    }
    rows
}

fn written(project: &Project, index: &SnapshotIndex<'_>, name: &str) -> Vec<Row> {
    let (found, dead) = iam_patch::locate_in_source(project, index, name);
    let place = |location: Location| {
        let item = location.index.map(|index| format!(" item {index}")).unwrap_or_default();
        Row { policy: format!("{}{item}", location.logical_id), found: Ok(location) }
    };
    let dead = dead.into_iter().map(|refusal| Row { policy: name.to_owned(), found: Err(refusal) });
    found.into_iter().map(place).chain(dead).collect()
}

fn text(rows: &[Row]) -> String {
    let mut out = String::new();
    for row in rows {
        out.push_str(&row.policy);
        out.push('\n');
        match &row.found {
            Ok(location) => {
                let disposition = if location.reviews.is_empty() { "safe" } else { "needs review" };
                out.push_str(&format!("  {}  {}  {disposition}\n", location.place, location.form.as_str()));
                for review in &location.reviews {
                    out.push_str(&format!("  review: {review}\n"));
                }
            }
            Err(refusal) => {
                let place = refusal.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
                out.push_str(&format!("  refused[{}]: {place}{refusal}\n", refusal.code));
                if let Some(hint) = &refusal.hint {
                    out.push_str(&format!("  hint: {hint}\n"));
                }
            }
        }
    }
    crate::terminal::without_control(&out, "\n")
}

fn json(role: &str, rows: &[Row]) -> Value {
    let texts = |list: &[String]| Value::Array(list.iter().map(Value::text).collect());
    let one = |row: &Row| match &row.found {
        Ok(location) => object([
            ("policy", Value::text(&row.policy)),
            ("file", Value::text(location.file.as_str())),
            ("line", location.place.position.map_or(Value::Null, |at| Value::number(at.line as u64))),
            ("form", Value::text(location.form.as_str())),
            ("logical_id", Value::text(&location.logical_id)),
            ("index", location.index.map_or(Value::Null, |index| Value::number(index as u64))),
            ("disposition", Value::text(if location.reviews.is_empty() { "safe" } else { "needs-review" })),
            ("reasons", texts(&location.reviews)),
            ("shared_by", texts(&location.shared_by)),
        ]),
        Err(refusal) => object([
            ("policy", Value::text(&row.policy)),
            ("disposition", Value::text("refused")),
            ("code", Value::text(refusal.code.as_str())),
            ("message", Value::text(&refusal.message)),
            ("place", refusal.place.as_ref().map_or(Value::Null, |place| Value::text(place.to_string()))),
            ("hint", refusal.hint.as_ref().map_or(Value::Null, Value::text)),
        ]),
    };
    object([
        ("schema", Value::text(SCHEMA)),
        ("role", Value::text(role)),
        ("policies", Value::Array(rows.iter().map(one).collect())),
    ])
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
