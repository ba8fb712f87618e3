//! Which blocks say a deployed policy, and what a change would write in them; for comparing deployments of one text.

use std::cell::Cell;

use iam_model::change::{Attachment, Change};

use super::gather;
use super::owner;
use super::project::{At, Terraform};
use super::uses::{self, Holder};
use super::work::Work;
use super::{find, policies, refer};
use crate::compare;
use crate::refusal::Refusal;
use crate::resolve::Text;
use crate::tree::Path;

/// A block by the numbers of its file and in it.
pub(crate) type Block = (usize, usize);

/// Edits with their places, in words that are equal for equal edits.
type Edits = Vec<(Block, Path, String)>;

/// The places of a policy's text, and what the change would write.
pub(crate) struct Reach {
    pub(crate) places: Vec<(Block, Path)>,
    /// Where that was asked.
    pub(crate) edits: Option<Result<Edits, Refusal>>,
}

/// What a change reads, and with `planned`, what it writes.
pub(crate) fn reach(terraform: &Terraform, change: &Change, planned: bool) -> Result<Reach, Refusal> {
    let block = |at: At| (at.file, at.block);
    let found = find::find(terraform, &change.attachment, Some(change))?;
    let own = (block(found.site.at), found.site.place.clone());
    let gathered = gather::gathered(terraform, &found.site).map(|all| all.spots()).unwrap_or_default();
    let places = std::iter::once(own).chain(gathered.into_iter().map(|(at, path)| (block(at), path))).collect();
    let plan = || {
        Work::new(terraform).plan_found(&found, change).map(|(edits, ..)| {
            let ops = edits.ops.iter().map(|(at, op)| (block(*at), op.place().clone(), format!("{op:?}")));
            let blocks = edits.blocks.iter().map(|edit| (block(edit.at()), Path::default(), format!("{edit:?}")));
            ops.chain(blocks).collect()
        })
    };
    let edits = planned.then(plan);
    Ok(Reach { places, edits })
}

/// The blocks that may be the principal of an attachment.
pub(crate) fn owners_of(terraform: &Terraform, attachment: &Attachment) -> Vec<Block> {
    let by_address = attachment.address.as_ref().map(|address| owner::by_address(terraform, address));
    let by_arn = || attachment.principal_arn.as_ref().map(|arn| owner::by_arn(terraform, attachment.kind, arn));
    by_address.or_else(by_arn).unwrap_or_default().into_iter().map(|at| (at.file, at.block)).collect()
}

/// Whom the text of a change is for beside its own holder, where the files name it and make it not.
pub(crate) fn other_holders(terraform: &Terraform, change: &Change) -> Vec<Holder> {
    let found = find::find(terraform, &change.attachment, Some(change));
    found.map(|found| uses::holders(terraform, &found.site)).unwrap_or_default()
}

/// The names that roles, users and groups of these files can have.
pub(crate) fn principal_names(terraform: &Terraform) -> Vec<Text> {
    owner::principal_names(terraform)
}

/// For each statement of a policy's text, the deployed one it stands for; nothing where the text does not say what is
/// deployed.
pub(crate) fn aligned(terraform: &Terraform, change: &Change) -> Option<Vec<Option<usize>>> {
    let found = find::find(terraform, &change.attachment, Some(change)).ok()?;
    let before = &change.before.as_ref()?.statements;
    let fuel = Cell::new(0);
    let dialect = refer::dialect(terraform, &found, &fuel);
    if let Some(all) = gather::gathered(terraform, &found.site) {
        return compare::pair(&dialect.open, &all.statements(), before);
    }
    let node = policies::read(terraform, &found.site)?;
    compare::pair(&dialect.open, &compare::statements(&node, &Path::default()), before)
}
