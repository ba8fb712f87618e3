//! Where policies stand in a template: every place that grants or limits, with its form.
//!
//! Follows the SAM property `Policies` and the CloudFormation types `AWS::IAM::*` and the resource policies. Compares
//! nothing with what is deployed.

use crate::intrinsic;
use crate::template::Resource;
use crate::tree::{Node, Path};

/// The form a policy is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A document in the `Policies` of a SAM function or state machine.
    SamDocument,
    /// A SAM policy template, such as `DynamoDBCrudPolicy`.
    SamTemplate,
    /// A managed policy by name, ARN or reference, in `Policies` or `ManagedPolicyArns`.
    ManagedItem,
    /// An entry of a role's, user's or group's `Policies`, with `PolicyName` and `PolicyDocument`.
    Inline,
    /// A policy resource: `AWS::IAM::Policy`, `ManagedPolicy`, `RolePolicy`, …
    PolicyResource,
    /// A role's trust policy.
    Trust,
    /// A policy on a bucket, queue, topic, key or secret.
    ResourcePolicy,
    /// An Organizations policy.
    Organization,
}

impl Form {
    /// The form in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SamDocument => "sam-document",
            Self::SamTemplate => "sam-policy-template",
            Self::ManagedItem => "managed-policy-item",
            Self::Inline => "inline-policy",
            Self::PolicyResource => "policy-resource",
            Self::Trust => "trust-policy",
            Self::ResourcePolicy => "resource-policy",
            Self::Organization => "organization-policy",
        }
    }
}

/// One policy in a template.
#[derive(Debug, Clone)]
pub(crate) struct Site<'t> {
    pub(crate) resource: Resource<'t>,
    pub(crate) form: Form,
    /// The list item, or the document where there is no list.
    pub(crate) node: &'t Node,
    pub(crate) place: Path,
    /// The policy document and its place; nothing for names and SAM templates.
    pub(crate) document: Option<(&'t Node, Path)>,
    /// The node that names the policy.
    pub(crate) name: Option<&'t Node>,
    /// Its index in the list it stands in.
    pub(crate) index: Option<usize>,
    /// The list's place, where the policy is an item of one.
    pub(crate) list: Option<Path>,
    /// The branches of `Fn::If` are alternatives; only one is deployed.
    pub(crate) conditional: bool,
}

/// Types whose only policy is one property: type, property, form.
const SINGLE: &[(&str, &str, Form)] = &[
    ("AWS::IAM::Policy", "PolicyDocument", Form::PolicyResource),
    ("AWS::IAM::ManagedPolicy", "PolicyDocument", Form::PolicyResource),
    ("AWS::IAM::RolePolicy", "PolicyDocument", Form::PolicyResource),
    ("AWS::IAM::UserPolicy", "PolicyDocument", Form::PolicyResource),
    ("AWS::IAM::GroupPolicy", "PolicyDocument", Form::PolicyResource),
    ("AWS::S3::BucketPolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::KMS::Key", "KeyPolicy", Form::ResourcePolicy),
    ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", Form::ResourcePolicy),
    ("AWS::ECR::Repository", "RepositoryPolicyText", Form::ResourcePolicy),
    ("AWS::EC2::VPCEndpoint", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::Organizations::Policy", "Content", Form::Organization),
];

/// The policies of one resource.
pub(crate) fn sites_of<'t>(resource: &Resource<'t>) -> Vec<Site<'t>> {
    let mut found = Vec::new();
    if resource.has_policy_list() {
        sam_list(resource, &mut found);
    }
    if matches!(resource.kind, "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::IAM::Group") {
        identity(resource, &mut found);
    }
    for (kind, property, form) in SINGLE {
        if resource.kind == *kind
            && let Some((node, place)) = resource.property_at(property)
        {
            let name = resource.property("PolicyName").or_else(|| resource.property("ManagedPolicyName"));
            let document = node.is_map().then(|| (node, place.clone()));
            found.push(site(resource, *form, (node, place), document, name));
        }
    }
    found
}

fn site<'t>(
    resource: &Resource<'t>,
    form: Form,
    (node, place): (&'t Node, Path),
    document: Option<(&'t Node, Path)>,
    name: Option<&'t Node>,
) -> Site<'t> {
    Site { resource: resource.clone(), form, node, place, document, name, index: None, list: None, conditional: false }
}

fn sam_list<'t>(resource: &Resource<'t>, found: &mut Vec<Site<'t>>) {
    let Some((node, place)) = resource.property_at("Policies") else { return };
    if node.is_seq() && intrinsic::call(node).is_none() {
        for (index, item) in node.items().iter().enumerate() {
            for (node, at, conditional) in branches(item, place.child(index)) {
                let mut site = sam_item(resource, node, at);
                site.index = Some(index);
                site.list = Some(place.clone());
                site.conditional = conditional;
                found.push(site);
            }
        }
    } else {
        for (node, at, conditional) in branches(node, place) {
            let mut site = sam_item(resource, node, at);
            site.index = Some(0);
            site.conditional = conditional;
            found.push(site);
        }
    }
}

fn sam_item<'t>(resource: &Resource<'t>, node: &'t Node, place: Path) -> Site<'t> {
    if intrinsic::call(node).is_none() && node.get("Statement").is_some() {
        return site(resource, Form::SamDocument, (node, place.clone()), Some((node, place)), None);
    }
    if intrinsic::call(node).is_none() && node.is_map() {
        return site(resource, Form::SamTemplate, (node, place), None, None);
    }
    site(resource, Form::ManagedItem, (node, place), None, Some(node))
}

fn identity<'t>(resource: &Resource<'t>, found: &mut Vec<Site<'t>>) {
    if let Some((node, place)) = resource.property_at("AssumeRolePolicyDocument") {
        let document = node.is_map().then(|| (node, place.clone()));
        found.push(site(resource, Form::Trust, (node, place), document, None));
    }
    for (property, form) in [("Policies", Form::Inline), ("ManagedPolicyArns", Form::ManagedItem)] {
        let Some((list, place)) = resource.property_at(property) else { continue };
        for (index, item) in list.items().iter().enumerate() {
            for (node, at, conditional) in branches(item, place.child(index)) {
                let document = node.find("PolicyDocument").filter(|(_, d)| d.is_map());
                let document = document.map(|(entry, document)| (document, at.child(entry)));
                let name = if form == Form::Inline { node.get("PolicyName") } else { Some(node) };
                let mut site = site(resource, form, (node, at), document, name);
                site.index = Some(index);
                site.list = Some(place.clone());
                site.conditional = conditional;
                found.push(site);
            }
        }
    }
}

/// A value, or both branches of the `If` it is.
fn branches(node: &Node, place: Path) -> Vec<(&Node, Path, bool)> {
    let Some(call) = intrinsic::call(node).filter(|call| call.name == "If") else {
        return vec![(node, place, false)];
    };
    let below = if node.tag.is_some() { place } else { place.child(0) };
    call.argument.items().iter().enumerate().skip(1).map(|(i, item)| (item, below.child(i), true)).collect()
}
