//! The guardrails that cases name: one file, or a folder in which each case's `policy` names the file.
//!
//! Each is read once. A name never leads out of the folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

use iam_evaluate::guardrail::{Guardrail, GuardrailCase, GuardrailKind, Ruling, Standing};
use iam_model::arn::AccountId;
use iam_model::control::{ControlStatement, controls};
use iam_model::diagnostic::{Code, Diagnostic};
use iam_model::policy::parse;

use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// Where the guardrails of cases come from.
pub(super) struct Library {
    source: Source,
    kind: Option<GuardrailKind>,
    /// Cases that name another policy than the one file.
    others: OnceLock<String>,
}

enum Source {
    File { name: String, read: Arc<Read> },
    Folder { root: PathBuf, read: RwLock<BTreeMap<String, Arc<Read>>> },
}

/// A policy as read, ready to be asked as each kind.
struct Read {
    guardrails: Result<[Guardrail; 3], String>,
    /// What AWS Control Tower wrote into it.
    controls: Vec<ControlStatement>,
    diagnostics: Vec<Diagnostic>,
}

const KINDS: [GuardrailKind; 3] =
    [GuardrailKind::ServiceControl, GuardrailKind::ResourceControl, GuardrailKind::VpcEndpoint];

impl Read {
    fn of(path: &Path) -> Self {
        let source = match input::read_text(path) {
            Ok(source) => source,
            Err(error) => {
                return Self { guardrails: Err(error.to_string()), controls: Vec::new(), diagnostics: Vec::new() };
            }
        };
        let (document, diagnostics) = parse(&source);
        let guardrails = match diagnostics.iter().find(|diagnostic| diagnostic.code == Code::JsonInvalid) {
            Some(wrong) => Err(format!("its policy is no JSON: {}: {}", wrong.place, wrong.message)),
            None => Ok(KINDS.map(|kind| Guardrail::new(kind, &document))),
        };
        Self { guardrails, controls: controls(&document), diagnostics }
    }

    fn guardrail(&self, kind: GuardrailKind) -> Result<&Guardrail, String> {
        let [scp, rcp, endpoint] = self.guardrails.as_ref().map_err(Clone::clone)?;
        Ok(match kind {
            GuardrailKind::ServiceControl => scp,
            GuardrailKind::ResourceControl => rcp,
            GuardrailKind::VpcEndpoint => endpoint,
        })
    }
}

impl Library {
    /// Opens a file or a folder. What is wrong with a single file is told at once.
    pub(super) fn open(path: &Path, kind: Option<GuardrailKind>, terminal: &mut Terminal) -> Result<Self, CliError> {
        let source = if path.is_dir() {
            let root = path.canonicalize().map_err(|error| CliError::io("read", path, &error))?;
            Source::Folder { root, read: RwLock::new(BTreeMap::new()) }
        } else {
            let read = Read::of(path);
            terminal.diagnostics(&read.diagnostics);
            if let Err(why) = &read.guardrails {
                let why = if read.diagnostics.is_empty() { why.clone() } else { "the guardrail is no policy".into() };
                return Err(CliError::user(why));
            }
            Source::File { name: stem(path), read: Arc::new(read) }
        };
        Ok(Self { source, kind, others: OnceLock::new() })
    }

    /// What the case's guardrail says to its request, and what of it AWS Control Tower wrote.
    pub(super) fn decide(
        &self,
        case: &GuardrailCase,
        management: Option<&AccountId>,
    ) -> Result<(Ruling, Vec<ControlStatement>), String> {
        let kind = case.kind.or(self.kind).ok_or("neither the case nor --kind says what its policy is")?;
        let read = match &self.source {
            Source::File { name, read } => {
                if let Some(other) = case.policy.as_ref().filter(|policy| stem(Path::new(policy)) != *name) {
                    self.others.get_or_init(|| other.clone());
                }
                Arc::clone(read)
            }
            Source::Folder { root, read } => {
                let policy = case.policy.as_ref().ok_or("the case names no `policy` of the folder")?;
                find(root, read, policy)?
            }
        };
        let manages = |account: Option<AccountId>| management.is_some() && account.as_ref() == management;
        let standing = Standing {
            caller_in_management_account: case.standing.caller_in_management_account
                || manages(case.request.principal.account()),
            resource_in_management_account: case.standing.resource_in_management_account
                || manages(case.request.owner()),
            ..case.standing
        };
        Ok((read.guardrail(kind)?.decide(&case.request, standing), read.controls.clone()))
    }

    /// Says at the end what was noticed about the policies.
    pub(super) fn tell(self, terminal: &mut Terminal) {
        if let Some(other) = self.others.get() {
            terminal.warn(&format!(
                "there are cases for another policy, such as `{other}`; the one given decided them all"
            ));
        }
        if let Source::Folder { read, .. } = self.source {
            let read = read.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            let diagnostics: Vec<Diagnostic> =
                read.values().flat_map(|read| read.diagnostics.iter().cloned()).collect();
            terminal.diagnostics(&diagnostics);
        }
    }
}

fn find(root: &Path, read: &RwLock<BTreeMap<String, Arc<Read>>>, policy: &str) -> Result<Arc<Read>, String> {
    let known = |read: &BTreeMap<String, Arc<Read>>| read.get(policy).map(Arc::clone);
    if let Some(known) = known(&read.read().unwrap_or_else(std::sync::PoisonError::into_inner)) {
        return Ok(known);
    }
    let path = file(root, policy)?;
    let mut all = read.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(Arc::clone(all.entry(policy.to_owned()).or_insert_with(|| Arc::new(Read::of(&path)))))
}

/// The file a name stands for: with its placeholders filled where that form exists.
fn file(root: &Path, policy: &str) -> Result<PathBuf, String> {
    let forms = [format!("{policy}.bound.json"), format!("{policy}.json"), policy.to_owned()];
    for form in forms {
        let Ok(path) = root.join(form).canonicalize() else { continue };
        if !path.starts_with(root) {
            return Err(format!("its policy `{policy}` lies outside of the folder"));
        }
        if path.is_file() {
            return Ok(path);
        }
    }
    Err(format!("the folder has no policy `{policy}`"))
}

/// The name of a policy without folders and endings.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_suffix(".json").unwrap_or(&name);
    name.strip_suffix(".bound").unwrap_or(name).to_owned()
}
