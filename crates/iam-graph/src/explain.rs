//! Why edges are there: takes each once more, and says which statements of which policies made it work.
//!
//! Decides nothing anew: the search runs the same attempt again while the judge notes down its decisions.

use iam_model::change::Change;
use iam_model::snapshot::SnapshotIndex;

use crate::graph::Edge;
use crate::grounds::Ground;
use crate::judge::Judge;
use crate::search::Search;
use crate::survey::Survey;

/// For each edge of the graph of the same snapshot and changes, what it rests on.
///
/// ```
/// use iam_model::snapshot::{self, SnapshotIndex};
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"schema": "paring-snapshot/1", "accounts": {"111122223333": {"authorization_details": {
///     "UserDetailList": [{"UserName": "dev", "Arn": "arn:aws:iam::111122223333:user/dev", "GroupList": [],
///         "AttachedManagedPolicies": [], "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {
///             "Version": "2012-10-17",
///             "Statement": [{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}]}}]}]}}}}"#;
/// let source = SourceText { name: SourceName::new("snapshot.json"), text: text.into() };
/// let (snapshot, _) = snapshot::read(source).unwrap();
/// let (index, _) = SnapshotIndex::new(&snapshot);
/// let graph = iam_graph::build(&index, &[]);
/// iam_graph::explain(&index, &[], graph.edges(), |edge, grounds| {
///     assert_eq!(edge.technique, "iam-007");
///     let cited = &grounds[0].statements[0];
///     assert_eq!((grounds[0].action.as_str(), &*cited.policy, cited.statement), ("iam:PutUserPolicy", "p", 0));
/// });
/// ```
pub fn explain<'a, 'e>(
    index: &'a SnapshotIndex<'a>,
    changes: &'a [Change],
    edges: impl IntoIterator<Item = &'e Edge>,
    mut each: impl FnMut(&'e Edge, Vec<Ground<'a>>),
) {
    let survey = Survey::new(index, changes);
    let judge = Judge::new(&survey);
    let mut search = Search::new(&survey, &judge);
    for edge in edges {
        each(edge, search.grounds(edge));
    }
}

#[cfg(test)]
mod tests;
