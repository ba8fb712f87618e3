//! Tags of whatever carries some: `aws resourcegroupstaggingapi get-resources`, by ARN.
//!
//! Optional, and asked for by nobody but a person: tags decide nothing, they only let a condition on them be suggested.

use std::collections::BTreeMap;

use iam_model::json::{Node, Value};

use super::account::Answers;
use crate::assemble::Piece;

/// Of an account or a region; what is asked about one API has its id in the file's name.
const TAGS: &str = "get-resources";

/// `resource_tags`; nothing where nobody asked.
pub(super) fn tags<'b>(answers: &mut Answers<'b>) -> Option<Piece<'b>> {
    let found: Vec<_> = answers.of(TAGS).filter(|answer| answer.key.item.is_none()).collect();
    if found.is_empty() {
        return None;
    }
    let mut tags: BTreeMap<String, Value> = BTreeMap::new();
    for answer in found {
        let token = answer.root.get("PaginationToken").and_then(Node::as_str);
        if token.is_some_and(|token| !token.is_empty()) {
            let what = format!("{} is cut off (`PaginationToken`): more resources may have tags", answer.source.name);
            answers.not_read(what, Some("call again without `--max-items` and `--no-paginate`".into()));
        }
        for resource in answers.list(answer, "ResourceTagMappingList") {
            let arn = resource.get("ResourceARN").and_then(Node::as_str);
            if let (Some(arn), Some(list)) = (arn, resource.get("Tags")) {
                tags.insert(arn.to_owned(), list.to_value());
            }
        }
    }
    Some(Piece::Made(Value::Object(tags.into_iter().collect())))
}
