//! Whether an edit of a block would take effect: override files and `ignore_changes` speak against it.
//!
//! Follows the Terraform topics "Override Files" and "The lifecycle Meta-Argument". Edits nothing.

use super::gather;
use super::mention::mentions;
use super::policies::{self, Site, Writing};
use super::project::{At, Terraform};
use crate::refusal::{Refusal, RefusalCode};
use crate::tree::{Node, Path};

/// What keeps Terraform from applying an edit of a policy: its carrier ignores changes of it.
pub(super) fn ignored(terraform: &Terraform, site: &Site) -> Option<String> {
    let block = terraform.block(site.owner).filter(|block| block.kind() == "resource")?;
    let body = terraform.body(site.owner)?;
    let text = &terraform.files.get(site.owner.file)?.text;
    let list = body.get("lifecycle")?.get("ignore_changes")?.span.slice(text);
    let argument = site.named_at.steps().first().and_then(|step| body.entries().get(*step));
    let argument = argument.map(crate::tree::Entry::name).filter(|_| site.writing != Writing::Permission);
    let argument = argument.map(|name| name.strip_prefix("dynamic ").unwrap_or(name));
    let covers = match argument {
        Some(name) => mentions(list, "all") || mentions(list, name),
        None => list.contains(char::is_alphabetic),
    };
    let what = argument.unwrap_or("what it says");
    let name = policies::address(block);
    covers.then(|| format!("`{name}` has `ignore_changes` for `{what}`: Terraform does not apply the edit"))
}

/// Refuses a policy that an override file says anew.
pub(super) fn said_once(terraform: &Terraform, site: &Site) -> Result<(), Refusal> {
    let gathered = gather::gathered(terraform, site).map(|all| all.spots()).unwrap_or_default();
    let own = [(site.owner, Path::default()), (site.at, site.place.clone())];
    let again = own.into_iter().chain(gathered).find_map(|(at, place)| other(terraform, at, &place));
    again.map_or(Ok(()), |(name, file)| {
        let message =
            format!("`{file}` overrides `{name}`: Terraform merges the two, and deploys neither as it stands");
        Err(Refusal::new(RefusalCode::Ambiguous, message).hint("make one block of the two, or change both by hand"))
    })
}

/// The override file that says a block again, or in which it stands.
fn other<'t>(terraform: &'t Terraform, at: At, place: &Path) -> Option<(String, &'t str)> {
    let block = terraform.block(at)?;
    let local = |at: At, index: usize| terraform.body(at).and_then(|body| body.entries().get(index)).map(|e| e.name());
    let locals = block.kind() == "locals";
    let own = place.steps().first().and_then(|step| local(at, *step)).filter(|_| locals);
    let says = |found: At| {
        let entries = || terraform.body(found).map(Node::entries).unwrap_or_default();
        terraform.block(found).is_some_and(|b| b.head == block.head)
            && (!locals || entries().iter().any(|entry| Some(entry.name()) == own))
    };
    let overriding = terraform.blocks(terraform.module_of(at)).filter(|(found, _)| is_override(terraform, *found));
    let found = overriding.map(|(found, _)| found).find(|found| says(*found))?;
    let name = own.map_or_else(|| policies::address(block), |name| format!("local.{name}"));
    Some((name, terraform.files.get(found.file)?.name.as_str()))
}

/// Whether Terraform merges a file into the others of its folder.
fn is_override(terraform: &Terraform, at: At) -> bool {
    let name = terraform.files.get(at.file).map_or("", |file| file.name.as_str());
    let name = name.rsplit('/').next().unwrap_or(name);
    let ends = [".tf", ".tf.json", ".tofu", ".tofu.json"];
    let stem = ends.iter().find_map(|end| name.strip_suffix(end));
    stem.is_some_and(|stem| stem == "override" || stem.ends_with("_override"))
}
