//! The policy of a VPC endpoint whose template gives it none, so that AWS's default stands: it gets one.

use iam_model::change::Change;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::VpcEndpoint;

use super::{Author, document};
use crate::op::Op;
use crate::refusal::{Refusal, RefusalCode};
use crate::site::Site;

/// Refuses where something else is deployed than the default that the source stands for.
pub(crate) fn must_be_default(before: Option<&PolicyDocument>) -> Result<(), Refusal> {
    if before.is_none_or(VpcEndpoint::is_default) {
        return Ok(());
    }
    let message = "the source gives the endpoint no policy, and another than AWS's default is deployed";
    Err(Refusal::new(RefusalCode::Drift, message)
        .hint("write the deployed policy into the source, or take it off, and collect again"))
}

/// The property that the endpoint gets, after its last one.
pub(super) fn insert(
    author: &mut Author<'_>,
    site: &Site<'_>,
    change: &Change,
    after: &PolicyDocument,
) -> Result<Vec<Op>, Refusal> {
    must_be_default(change.before.as_ref())?;
    let last = site
        .node
        .entries()
        .len()
        .checked_sub(1)
        .ok_or_else(|| Refusal::new(RefusalCode::Unsupported, "the endpoint has no property to write beside"))?;
    let with = document(author, &after.statements);
    author.reviews.push(format!("`{}` had no policy of its own, and gets one", site.resource.id));
    Ok(vec![Op::InsertEntry { after: site.place.child(last), key: "PolicyDocument".into(), with }])
}
