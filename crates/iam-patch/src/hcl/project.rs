//! Terraform files as modules: one folder is one module, its blocks are found by address and read when asked for.
//!
//! Resolves no values and knows nothing about policies.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use iam_model::text::{SourceName, SourceText};

use super::lex::Stopped;
use super::outside::{self, Document, Reading};
use super::parse::{self, Block};
use super::provider::Provider;
use super::{kinds, state::State};
use crate::resolve::Text;
use crate::tree::Node;

/// A file with its top-level blocks; bodies are read when first asked for.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: SourceName,
    pub(super) text: String,
    pub(super) blocks: Vec<Block>,
    bodies: Vec<OnceLock<Option<Node>>>,
    pub(super) module: usize,
    pub(super) reading: Reading,
}

impl File {
    pub(super) fn new(source: &SourceText, blocks: Vec<Block>, module: usize, reading: Reading) -> Self {
        let bodies = blocks.iter().map(|_| OnceLock::new()).collect();
        Self { name: source.name.clone(), text: source.text.clone(), blocks, bodies, module, reading }
    }
}

/// A block by its file and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) block: usize,
}

/// A folder of files.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) folder: String,
    files: Vec<usize>,
    /// Blocks by their head, such as `resource aws_iam_role lambda`.
    by_head: BTreeMap<Vec<String>, At>,
    locals: OnceLock<BTreeMap<String, (At, usize)>>,
    /// How its resources that name no provider are deployed.
    pub(super) provider: OnceLock<Provider>,
    /// Its blocks that configure providers.
    providers: OnceLock<Vec<At>>,
}

/// Blocks by service and name.
type Names = BTreeMap<(&'static str, Option<String>), Vec<At>>;

/// Every Terraform file of a project.
#[derive(Debug, Default)]
pub(crate) struct Terraform {
    pub(super) files: Vec<File>,
    pub(super) modules: Vec<Module>,
    pub(super) states: Vec<State>,
    /// The files of their own that policies stand in.
    pub(super) documents: Vec<Document>,
    /// The calls of each module, once all files are there.
    calls: OnceLock<BTreeMap<usize, Vec<At>>>,
    /// Resources whose ARNs have a rule: by service and the name that is written out, or none.
    by_name: OnceLock<Names>,
    /// The names that IAM's resources can have, one for each call of their module.
    pub(super) iam_names: OnceLock<BTreeMap<At, Vec<Text>>>,
}

/// Why a file could not be read, and where.
pub(crate) struct Unreadable {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

/// Whether a file belongs to Terraform: by its name, or as what `terraform show -json` prints.
pub(crate) fn is_terraform(source: &SourceText) -> bool {
    is_source(&source.name) || is_state(source)
}

fn is_source(name: &SourceName) -> bool {
    let name = name.as_str().to_ascii_lowercase();
    [".tf", ".tofu", ".tfvars", ".tf.json"].iter().any(|ending| name.ends_with(ending))
}

fn is_state(source: &SourceText) -> bool {
    let name = source.name.as_str().to_ascii_lowercase();
    let shown = || {
        let head: String = source.text.chars().take(64).filter(|c| !c.is_whitespace()).collect();
        head.starts_with("{\"format_version\":")
    };
    name.ends_with(".tfstate") || (name.ends_with(".json") && shown())
}

impl Terraform {
    /// Adds a file.
    pub(crate) fn add(&mut self, source: &SourceText) -> Result<(), Unreadable> {
        let name = source.name.as_str();
        if !is_source(&source.name) {
            return match State::read(&source.text, folder(name)) {
                Some(state) => {
                    self.states.push(state);
                    Ok(())
                }
                None => Err(Unreadable { offset: 0, message: "not a state of version 4".into() }),
            };
        }
        let json = name.to_ascii_lowercase().ends_with(".tf.json");
        let reading = if json { Reading::TerraformJson } else { Reading::Blocks };
        let unreadable = |stopped: Stopped| Unreadable { offset: stopped.offset, message: stopped.message.into() };
        let blocks = match reading.split(&source.text) {
            Some(blocks) => blocks,
            None if json => return Err(Unreadable { offset: 0, message: "not JSON".into() }),
            None => parse::split(&source.text).map_err(unreadable)?,
        };
        let module = self.module(folder(name));
        let file = self.files.len();
        if let Some(module) = self.modules.get_mut(module) {
            module.files.push(file);
            for (block, found) in blocks.iter().enumerate().filter(|(_, b)| b.kind() != "locals") {
                module.by_head.entry(found.head.clone()).or_insert(At { file, block });
            }
        }
        self.files.push(File::new(source, blocks, module, reading));
        Ok(())
    }

    /// Reads the files that policies stand in, among the sources of the project.
    pub(crate) fn attach(&mut self, sources: &[SourceText]) {
        outside::attach(self, sources);
    }

    fn module(&mut self, folder: &str) -> usize {
        if let Some(found) = self.modules.iter().position(|module| module.folder == folder) {
            return found;
        }
        self.modules.push(Module { folder: folder.to_owned(), ..Module::default() });
        self.modules.len() - 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files that hold Terraform.
    pub(crate) fn names(&self) -> impl Iterator<Item = &SourceName> {
        self.files.iter().map(|file| &file.name)
    }

    pub(super) fn block(&self, at: At) -> Option<&Block> {
        self.files.get(at.file)?.blocks.get(at.block)
    }

    /// The body of a block; nothing where it cannot be read.
    pub(super) fn body(&self, at: At) -> Option<&Node> {
        let file = self.files.get(at.file)?;
        let block = file.blocks.get(at.block)?;
        file.bodies.get(at.block)?.get_or_init(|| file.reading.first(&file.text, block)).as_ref()
    }

    pub(super) fn module_of(&self, at: At) -> usize {
        self.files.get(at.file).map_or(0, |file| file.module)
    }

    /// A block of a module by its head.
    pub(super) fn find(&self, module: usize, head: &[&str]) -> Option<At> {
        let head: Vec<String> = head.iter().map(|part| (*part).to_owned()).collect();
        self.modules.get(module)?.by_head.get(&head).copied()
    }

    /// A resource of a module.
    pub(super) fn resource(&self, module: usize, of: &str, name: &str) -> Option<At> {
        self.find(module, &["resource", of, name])
    }

    /// The blocks of a module in the order of files and lines.
    pub(super) fn blocks(&self, module: usize) -> impl Iterator<Item = (At, &Block)> {
        let files = self.modules.get(module).map(|module| module.files.as_slice()).unwrap_or_default();
        files
            .iter()
            .filter_map(|file| Some((*file, self.files.get(*file)?)))
            .flat_map(|(file, found)| found.blocks.iter().enumerate().map(move |(block, b)| (At { file, block }, b)))
    }

    /// The blocks of a module that configure providers.
    pub(super) fn providers(&self, module: usize) -> &[At] {
        let Some(found) = self.modules.get(module) else { return &[] };
        found.providers.get_or_init(|| {
            self.blocks(module).filter(|(_, block)| block.kind() == "provider").map(|(at, _)| at).collect()
        })
    }

    /// Where a local value stands, and its value.
    pub(super) fn local(&self, module: usize, name: &str) -> Option<(At, usize, &Node)> {
        let locals = self.modules.get(module)?.locals.get_or_init(|| self.read_locals(module));
        let (at, entry) = locals.get(name).copied()?;
        Some((at, entry, self.body(at)?.child(entry)?))
    }

    fn read_locals(&self, module: usize) -> BTreeMap<String, (At, usize)> {
        let mut found = BTreeMap::new();
        for (at, _) in self.blocks(module).filter(|(_, block)| block.kind() == "locals") {
            for (index, entry) in self.body(at).map(Node::entries).unwrap_or_default().iter().enumerate() {
                found.entry(entry.name().to_owned()).or_insert((at, index));
            }
        }
        found
    }

    /// A variable's value in `terraform.tfvars` or `*.auto.tfvars` beside the module.
    pub(super) fn given(&self, module: usize, variable: &str) -> Option<&Node> {
        let at = self.blocks(module).find(|(at, block)| {
            let name = self.files.get(at.file).map_or("", |file| file.name.as_str());
            let automatic = name.ends_with("terraform.tfvars") || name.ends_with(".auto.tfvars");
            block.attribute && automatic && block.kind() == variable
        });
        self.body(at?.0)
    }

    /// The module a call's `source` leads to, where it is a folder of this project.
    pub(super) fn called(&self, call: At) -> Option<usize> {
        let source = self.body(call)?.get("source")?.text()?;
        let from = self.modules.get(self.module_of(call))?;
        let target =
            joined(&from.folder, source.strip_prefix("./").or_else(|| source.strip_prefix("..").map(|_| source))?)?;
        self.modules.iter().position(|module| module.folder == target)
    }

    /// The calls of a module from folders of this project.
    pub(super) fn calls_of(&self, module: usize) -> &[At] {
        let calls = self.calls.get_or_init(|| {
            let mut found: BTreeMap<usize, Vec<At>> = BTreeMap::new();
            for at in self.all_blocks().filter(|(_, block)| block.kind() == "module").map(|(at, _)| at) {
                if let Some(module) = self.called(at) {
                    found.entry(module).or_default().push(at);
                }
            }
            found
        });
        calls.get(&module).map(Vec::as_slice).unwrap_or_default()
    }

    /// The resources of a service that may have a name: those it is written out for, and those whose names it takes
    /// more to tell.
    pub(super) fn perhaps_named(&self, service: &str, name: &str) -> impl Iterator<Item = At> {
        let found = self.by_name.get_or_init(|| {
            let mut found = Names::new();
            for (at, block) in self.all_blocks().filter(|(_, block)| block.kind() == "resource") {
                let Some(rule) = kinds::rule(block.of()) else { continue };
                let name = self.body(at).and_then(|body| body.get(rule.name)?.text());
                let plain = name.filter(|name| !name.contains(['/', ':']) && !rule.random);
                found.entry((rule.service, plain.map(str::to_owned))).or_default().push(at);
            }
            found
        });
        let service = kinds::RULES.iter().map(|rule| rule.service).find(|known| *known == service);
        let of = move |name: Option<&str>| found.get(&(service?, name.map(str::to_owned)));
        of(Some(name)).into_iter().chain(of(None)).flatten().copied()
    }

    /// Every call of a module.
    pub(super) fn module_calls(&self) -> impl Iterator<Item = At> {
        self.all_blocks().filter(|(_, block)| block.kind() == "module").map(|(at, _)| at)
    }

    fn all_blocks(&self) -> impl Iterator<Item = (At, &Block)> {
        (0..self.modules.len()).flat_map(|module| self.blocks(module))
    }
}

/// The folder a file stands in.
pub(super) fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A relative folder seen from another; nothing where it leads out of the project.
pub(super) fn joined(from: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
