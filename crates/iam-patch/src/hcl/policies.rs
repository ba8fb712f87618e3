//! Where policies stand in Terraform: every attribute and block that holds one, with its form and how it is written.
//!
//! Follows the AWS provider's documentation of each resource. Compares nothing with what is deployed.

use std::borrow::Cow;

use super::document;
use super::inputs;
use super::outside;
use super::parse::{Block, EXPRESSION, HEREDOC, HEREDOC_TEXT, JSONENCODE};
use super::permission;
use super::project::{At, Terraform};
use crate::site::Form;
use crate::tree::{Node, Path};

/// How a policy is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Writing {
    /// `jsonencode({…})`.
    Jsonencode,
    /// JSON in a heredoc.
    Heredoc,
    /// `data "aws_iam_policy_document"`.
    DataDocument,
    /// An ARN: a managed policy that is attached.
    Attached,
    /// JSON in a file of its own, which `file(…)` or `templatefile(…)` names.
    Document,
    /// `file(…)` or `templatefile(…)` of a file that is not among the sources, or holds no JSON.
    File,
    /// Statements in the input of a module.
    Inputs,
    /// The attributes of a block that stands for one statement.
    Permission,
    /// Anything else: a text, a variable, a module's output.
    Other,
}

impl Writing {
    /// Whether a document stands there, whose statements can be compared.
    pub(super) const fn is_document(self) -> bool {
        matches!(self, Self::Jsonencode | Self::Heredoc | Self::DataDocument | Self::Document | Self::Inputs)
    }

    #[cfg(test)]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonencode => "jsonencode",
            Self::Heredoc => "heredoc",
            Self::DataDocument => "data-document",
            Self::Attached => "attached",
            Self::Document | Self::File => "file",
            Self::Inputs => "module-input",
            Self::Permission => "attributes",
            Self::Other => "other",
        }
    }
}

/// One policy.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The resource that carries the policy.
    pub(super) owner: At,
    pub(super) form: Form,
    pub(super) writing: Writing,
    /// Where the policy's text stands: the block, and the value in it.
    pub(super) at: At,
    pub(super) place: Path,
    /// Where the carrier names it: the value of `policy`, the item of a list, the block `inline_policy`.
    pub(super) named_at: Path,
    pub(super) index: Option<usize>,
}

/// Types whose policy is one attribute.
const SINGLE: &[(&str, &str, Form)] = &[
    ("aws_iam_policy", "policy", Form::PolicyResource),
    ("aws_iam_role_policy", "policy", Form::PolicyResource),
    ("aws_iam_user_policy", "policy", Form::PolicyResource),
    ("aws_iam_group_policy", "policy", Form::PolicyResource),
    ("aws_iam_role", "assume_role_policy", Form::Trust),
    ("aws_s3_bucket_policy", "policy", Form::ResourcePolicy),
    ("aws_s3_bucket", "policy", Form::ResourcePolicy),
    ("aws_sqs_queue_policy", "policy", Form::ResourcePolicy),
    ("aws_sqs_queue", "policy", Form::ResourcePolicy),
    ("aws_sns_topic_policy", "policy", Form::ResourcePolicy),
    ("aws_sns_topic", "policy", Form::ResourcePolicy),
    ("aws_kms_key", "policy", Form::ResourcePolicy),
    ("aws_kms_key_policy", "policy", Form::ResourcePolicy),
    ("aws_secretsmanager_secret", "policy", Form::ResourcePolicy),
    ("aws_secretsmanager_secret_policy", "policy", Form::ResourcePolicy),
    ("aws_ecr_repository_policy", "policy", Form::ResourcePolicy),
    ("aws_vpc_endpoint", "policy", Form::ResourcePolicy),
    ("aws_vpc_endpoint_policy", "policy", Form::ResourcePolicy),
    ("aws_api_gateway_rest_api", "policy", Form::ResourcePolicy),
    ("aws_api_gateway_rest_api_policy", "policy", Form::ResourcePolicy),
    ("aws_efs_file_system_policy", "policy", Form::ResourcePolicy),
    ("aws_cloudwatch_event_bus_policy", "policy", Form::ResourcePolicy),
    ("aws_cloudwatch_log_resource_policy", "policy_document", Form::ResourcePolicy),
    ("aws_opensearch_domain", "access_policies", Form::ResourcePolicy),
    ("aws_opensearch_domain_policy", "access_policies", Form::ResourcePolicy),
    ("aws_dynamodb_resource_policy", "policy", Form::ResourcePolicy),
    ("aws_kinesis_resource_policy", "policy", Form::ResourcePolicy),
    ("aws_backup_vault_policy", "policy", Form::ResourcePolicy),
    ("aws_vpclattice_auth_policy", "policy", Form::ResourcePolicy),
    ("aws_ssoadmin_permission_set_inline_policy", "inline_policy", Form::PolicyResource),
    ("aws_organizations_policy", "content", Form::Organization),
];

/// Types that attach managed policies: type, attribute with an ARN or a list of them.
const ATTACHED: &[(&str, &str)] = &[
    ("aws_iam_role", "managed_policy_arns"),
    ("aws_iam_role_policy_attachment", "policy_arn"),
    ("aws_iam_user_policy_attachment", "policy_arn"),
    ("aws_iam_group_policy_attachment", "policy_arn"),
    ("aws_iam_policy_attachment", "policy_arn"),
    ("aws_iam_role_policy_attachments_exclusive", "policy_arns"),
];

/// The policies of one block, in the order written.
pub(super) fn sites_of(terraform: &Terraform, at: At) -> Vec<Site> {
    if terraform.block(at).is_some_and(|block| block.kind() == "module") {
        return inputs::sites_of(terraform, at);
    }
    let (Some(block), true) = (terraform.block(at), interesting(terraform, at)) else { return Vec::new() };
    let Some(body) = terraform.body(at) else { return Vec::new() };
    if block.of() == permission::TYPE {
        let (form, writing, place) = (Form::Permission, Writing::Permission, Path::default());
        return vec![Site { owner: at, form, writing, at, named_at: place.clone(), place, index: None }];
    }
    let mut found = Vec::new();
    for (index, entry) in body.entries().iter().enumerate() {
        let place = Path::default().child(index);
        let made = entry.value.find("content").filter(|_| entry.name() == "dynamic inline_policy");
        if block.of() == "aws_iam_role" && (entry.name() == "inline_policy" || made.is_some()) {
            let (inline, place) = made.map_or((&entry.value, place.clone()), |(at, node)| (node, place.child(at)));
            let inner = inline.find("policy").map(|(at, node)| (node, place.child(at)));
            if let Some((node, policy)) = inner {
                let (writing, target, document) = resolve(terraform, at, node, &policy);
                let (form, named_at) = (Form::Inline, place.clone());
                found.push(Site { owner: at, form, writing, at: target, place: document, named_at, index: None });
            }
        }
        if let Some((_, _, form)) = SINGLE.iter().find(|(of, name, _)| *of == block.of() && *name == entry.name()) {
            let (writing, target, document) = resolve(terraform, at, &entry.value, &place);
            let (form, named_at) = (*form, place.clone());
            found.push(Site { owner: at, form, writing, at: target, place: document, named_at, index: None });
        }
        if ATTACHED.iter().any(|(of, name)| *of == block.of() && *name == entry.name()) {
            let writing = Writing::Attached;
            let site = |place: Path, index: Option<usize>| Site {
                owner: at,
                form: Form::ManagedItem,
                writing,
                at,
                named_at: place.clone(),
                place,
                index,
            };
            if entry.value.is_seq() {
                found.extend((0..entry.value.items().len()).map(|i| site(place.child(i), Some(i))));
            } else {
                found.push(site(place, None));
            }
        }
    }
    found
}

/// The document of a policy as planning reads it.
pub(super) fn read<'t>(terraform: &'t Terraform, site: &Site) -> Option<Cow<'t, Node>> {
    let node = terraform.body(site.at)?.at(&site.place).filter(|_| site.writing != Writing::Permission)?;
    Some(if site.writing == Writing::Inputs { Cow::Owned(inputs::view(node)) } else { Cow::Borrowed(node) })
}

/// The blocks of a module that may hold a policy.
pub(super) fn carriers(terraform: &Terraform, module: usize) -> Vec<At> {
    terraform.blocks(module).map(|(at, _)| at).filter(|at| interesting(terraform, *at)).collect()
}

/// Blocks that may hold a policy, told before their bodies are read.
fn interesting(terraform: &Terraform, at: At) -> bool {
    terraform.block(at).is_some_and(|block| {
        block.kind() == "resource"
            && (block.of() == permission::TYPE
                || SINGLE.iter().any(|(of, ..)| *of == block.of())
                || ATTACHED.iter().any(|(of, _)| *of == block.of()))
    })
}

/// From the value of an attribute to where the document stands.
pub(super) fn resolve(terraform: &Terraform, at: At, node: &Node, place: &Path) -> (Writing, At, Path) {
    let (mut at, mut place, mut node) = (at, place.clone(), node);
    for _ in 0..8 {
        let here = |writing| (writing, at, place.clone());
        match (node.tag.as_deref(), node.raw_text()) {
            (Some(JSONENCODE), _) => return here(Writing::Jsonencode),
            (Some(HEREDOC), _) => return here(Writing::Heredoc),
            (Some(EXPRESSION), Some(text)) => {
                if outside::reads_a_file(text) {
                    let found = outside::find(terraform, at, text);
                    return found.map_or_else(|| here(Writing::File), |at| (Writing::Document, at, Path::default()));
                }
                let module = terraform.module_of(at);
                if let Some(name) = data_document(text) {
                    let found = terraform.find(module, &["data", document::TYPE, name]);
                    return found
                        .map_or_else(|| here(Writing::Other), |at| (Writing::DataDocument, at, Path::default()));
                }
                let encoded = text.strip_prefix("jsonencode(").and_then(|t| t.strip_suffix(')'));
                let next = walked(terraform, module, encoded.unwrap_or(text));
                let next = next.or_else(|| passed(terraform, module, text));
                let Some((found, next, value)) = next else { return here(Writing::Other) };
                if encoded.is_some() {
                    let map = value.is_map() && value.tag.is_none();
                    return if map { (Writing::Jsonencode, found, next) } else { here(Writing::Other) };
                }
                (at, place, node) = (found, next, value);
            }
            (Some(HEREDOC_TEXT), _) => return here(Writing::Other),
            _ => return here(Writing::Other),
        }
    }
    (Writing::Other, at, place)
}

/// Where a local value, or something in one, is written out: `local.a`, `local.a.b`, `local.a["b"]`.
pub(super) fn walked<'t>(terraform: &'t Terraform, module: usize, text: &str) -> Option<(At, Path, &'t Node)> {
    let text = text.strip_prefix("local.")?.replace("[\"", ".").replace("\"]", "");
    let mut steps = text.split('.');
    let (at, entry, mut node) = terraform.local(module, steps.next().filter(|name| is_name(name))?)?;
    let mut place = Path::default().child(entry);
    for step in steps {
        let (index, found) = node.find(step).filter(|_| node.tag.is_none() && is_name(step))?;
        (place, node) = (place.child(index), found);
    }
    Some((at, place, node))
}

/// Where the value stands that a module is given by its one call, or gives to its caller.
fn passed<'t>(terraform: &'t Terraform, module: usize, text: &str) -> Option<(At, Path, &'t Node)> {
    if let Some(variable) = text.strip_prefix("var.").filter(|name| is_name(name)) {
        let [call] = terraform.calls_of(module) else { return None };
        let (index, node) = terraform.body(*call)?.find(variable)?;
        return Some((*call, Path::default().child(index), node));
    }
    let (call, output) = text.strip_prefix("module.")?.split_once('.').filter(|(_, output)| is_name(output))?;
    let called = terraform.called(terraform.find(module, &["module", call])?)?;
    let at = terraform.find(called, &["output", output])?;
    let (index, node) = terraform.body(at)?.find("value")?;
    Some((at, Path::default().child(index), node))
}

/// The name in `data.aws_iam_policy_document.NAME.json`, one of several instances or not.
fn data_document(text: &str) -> Option<&str> {
    let one = text.strip_prefix("one(").and_then(|inner| inner.strip_suffix(')'));
    let rest = one.unwrap_or(text).strip_prefix("data.")?.strip_prefix(document::TYPE)?.strip_prefix('.')?;
    let rest = rest.strip_suffix(".json").or_else(|| rest.strip_suffix(".minified_json"))?;
    let (name, index) = rest.find('[').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    let whole = index.is_empty() || (index.ends_with(']') && index.matches('[').count() == 1);
    (is_name(name) && whole).then_some(name)
}

pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// Whether several instances are made of a block.
pub(super) fn multiplied(body: &Node) -> Option<&'static str> {
    ["count", "for_each"].into_iter().find(|key| body.get(key).is_some())
}

/// The address of a resource or data source as Terraform writes it, without its module.
pub(super) fn address(block: &Block) -> String {
    match block.kind() {
        "resource" => format!("{}.{}", block.of(), block.name()),
        kind => format!("{kind}.{}", block.head.get(1..).unwrap_or_default().join(".")),
    }
}
