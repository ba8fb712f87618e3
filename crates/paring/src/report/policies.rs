//! Policies alone, as JSON, YAML or HCL: the same document in each, in the same order.
//!
//! Renders; decides nothing.

mod hcl;
mod yaml;

use iam_model::arn::Arn;
use iam_model::json::Value;
use iam_model::policy::{PolicyDocument, document_value};

use crate::cli::PolicyFormat;

/// The schema name of several policies as JSON or YAML.
const SCHEMA: &str = "paring-policies/1";

/// One policy as AWS takes it; several as one object with the roles' ARNs as keys, or one block for each.
pub(crate) fn render(policies: &[(Arn, PolicyDocument)], format: PolicyFormat) -> String {
    let value = match policies {
        [(_, document)] => document_value(document),
        many => {
            let policies = many.iter().map(|(role, one)| (role.to_string(), document_value(one))).collect();
            let members =
                [("schema".to_owned(), Value::text(SCHEMA)), ("policies".to_owned(), Value::Object(policies))];
            Value::Object(members.into())
        }
    };
    match format {
        PolicyFormat::Json => value.to_pretty(),
        PolicyFormat::Yaml => yaml::render(&value),
        PolicyFormat::Hcl => hcl::render(policies),
    }
}
