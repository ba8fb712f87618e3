//! Pulumi: programs are not edited; the place of a resource in the program is told, with what the policy should say.
//!
//! Resources come from a stack export, which gives their names; without one, from the names that Pulumi makes of those
//! in the program. Reads programs as texts and understands no language.

use iam_model::arn::Arn;
use iam_model::change::{Attachment, Change};
use iam_model::diagnostic::Place;
use iam_model::policy::document_value;
use iam_model::text::SourceText;

use crate::read::{self, Syntax};
use crate::refusal::{Refusal, RefusalCode};
use crate::tree::Node;

/// The endings of programs.
const PROGRAMS: &[&str] = &[".ts", ".js", ".py", ".go", ".cs", ".java"];

/// A resource of a stack export.
#[derive(Debug)]
struct Exported {
    urn: String,
    arn: Option<String>,
}

/// The Pulumi projects among the files.
#[derive(Debug, Default)]
pub(crate) struct Pulumi {
    programs: Vec<SourceText>,
    exported: Vec<Exported>,
}

/// Whether a file is the export of a stack.
pub(crate) fn is_export(source: &SourceText) -> bool {
    source.name.as_str().ends_with(".json")
        && source.text.contains("\"urn:pulumi:")
        && source.text.contains("\"deployment\"")
}

impl Pulumi {
    /// Finds the projects: their folders are those of `Pulumi.yaml`.
    pub(crate) fn read(files: &[SourceText]) -> Self {
        let folder = |name: &str| name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let is_project = |name: &str| matches!(name.rsplit('/').next(), Some("Pulumi.yaml" | "Pulumi.yml"));
        let names = files.iter().map(|file| file.name.as_str());
        let folders: Vec<String> = names.filter(|name| is_project(name)).map(folder).collect();
        let inside = |name: &str| folders.iter().any(|f| f.is_empty() || name.starts_with(&format!("{f}/")));
        let program = |file: &&SourceText| {
            let name = file.name.as_str();
            (PROGRAMS.iter().any(|ending| name.ends_with(ending)) || is_project(name)) && inside(name)
        };
        let exported = files.iter().filter(|file| is_export(file)).flat_map(exported).collect();
        Self { programs: files.iter().filter(program).cloned().collect(), exported }
    }

    /// Why a change is not written whose role or resource a program makes; nothing where none does.
    pub(crate) fn refusal(&self, attachment: &Attachment, change: Option<&Change>) -> Option<Refusal> {
        let arn = attachment.principal_arn.as_ref().or(attachment.resource_arn.as_ref())?;
        let exported = self.exported.iter().find(|resource| resource.arn.as_deref() == Some(arn.as_str()));
        let (name, what) = match exported {
            Some(resource) => (resource.urn.rsplit("::").next().unwrap_or_default().to_owned(), resource.urn.clone()),
            None => {
                let name = logical(arn)?;
                self.place(&name)?;
                (name.clone(), name)
            }
        };
        let place = self.place(&name);
        let made = place.as_ref().map(|place| format!(", made at {place}")).unwrap_or_default();
        let refusal = Refusal::new(RefusalCode::Generated, format!("the policy is made by Pulumi: `{what}`{made}"));
        let after = change.and_then(|change| change.after.as_ref());
        let hint = match after {
            Some(after) => format!("in the program, let the policy say: {}", document_value(after).to_compact()),
            None => "change it in the program, and deploy again".to_owned(),
        };
        let refusal = refusal.hint(hint);
        Some(match place {
            Some(place) => refusal.at(place),
            None => refusal,
        })
    }

    /// The line of the program that names a resource.
    fn place(&self, name: &str) -> Option<Place> {
        let quoted = [format!("\"{name}\""), format!("'{name}'"), format!("`{name}`"), format!("\n  {name}:\n")];
        self.programs.iter().find_map(|program| {
            let at = quoted.iter().find_map(|quoted| program.text.find(quoted.as_str()))?;
            Some(Place::at(
                program.name.clone(),
                &program.text,
                at + usize::from(program.text.get(at..)?.starts_with('\n')),
            ))
        })
    }
}

/// The name in the program of which Pulumi made a role's: it adds a dash and seven hexadecimal digits.
fn logical(arn: &Arn) -> Option<String> {
    let (name, random) = arn.name().rsplit_once('-')?;
    (random.len() == 7 && random.bytes().all(|b| b.is_ascii_hexdigit())).then(|| name.to_owned())
}

fn exported(export: &SourceText) -> Vec<Exported> {
    let root = read::read(&export.text, Syntax::Json).ok();
    let resources = root.as_ref().and_then(|root| root.get("deployment")?.get("resources"));
    let one = |resource: &Node| {
        let text = |node: Option<&Node>| node.and_then(Node::text).map(str::to_owned);
        let arn = text(resource.get("outputs").and_then(|outputs| outputs.get("arn")));
        Some(Exported { urn: text(resource.get("urn"))?, arn })
    };
    resources.map(Node::items).unwrap_or_default().iter().filter_map(one).collect()
}
