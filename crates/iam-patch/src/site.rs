//! Where policies stand in a template: every place that grants or limits, with its form.
//!
//! Follows the SAM property `Policies`, the CloudFormation types `AWS::IAM::*` and those with resource policies, and the
//! statements of the Serverless Framework. Compares nothing with what is deployed.

use crate::intrinsic;
use crate::permission;
use crate::read::{self, Syntax};
use crate::template::Resource;
use crate::tree::{Entry, Kind, Node, Path, Quote};

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
    /// A resource that adds one statement to another's policy: `AWS::Lambda::Permission`, `AWS::Events::EventBusPolicy`.
    Permission,
    /// An Organizations policy.
    Organization,
    /// A list of statements of the Serverless Framework: of `provider`, or of one function.
    ServerlessStatements,
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
            Self::Permission => "permission",
            Self::Organization => "organization-policy",
            Self::ServerlessStatements => "serverless-statements",
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
    /// The scalar that holds the document as JSON, where it is written as a text.
    pub(crate) text: Option<TextSite<'t>>,
    /// The node that names the policy.
    pub(crate) name: Option<&'t Node>,
    /// Its index in the list it stands in.
    pub(crate) index: Option<usize>,
    /// The list's place, where the policy is an item of one.
    pub(crate) list: Option<Path>,
    /// The branches of `Fn::If` are alternatives; only one is deployed.
    pub(crate) conditional: bool,
}

impl Site<'_> {
    /// Whether it stands for a VPC endpoint that the source gives no policy.
    pub(crate) fn lacks_policy(&self) -> bool {
        self.resource.kind == ENDPOINT && self.document.is_none() && self.text.is_none()
    }

    /// Whether what it says can be compared with what is deployed.
    pub(crate) fn is_compared(&self) -> bool {
        self.document.is_some() || self.text.is_some() || matches!(self.form, Form::SamTemplate | Form::Permission)
    }
}

/// A document written as a text.
#[derive(Debug, Clone)]
pub(crate) struct TextSite<'t> {
    pub(crate) node: &'t Node,
    pub(crate) place: Path,
    /// Whether `Sub` fills the text.
    pub(crate) sub: bool,
}

impl TextSite<'_> {
    /// The document, with offsets into the scalar's text; nothing where it is no JSON.
    pub(crate) fn read(&self) -> Option<Node> {
        let root = read::read(self.node.raw_text()?, Syntax::Json).ok()?;
        Some(if self.sub { substituted(root) } else { root })
    }
}

/// Texts with `${…}` in them marked as `Sub`, so that they resolve as such.
fn substituted(mut node: Node) -> Node {
    match &mut node.kind {
        Kind::Scalar { text, quote: Quote::Double } if text.contains("${") => node.tag = Some("!Sub".into()),
        Kind::Seq { items, .. } => *items = std::mem::take(items).into_iter().map(substituted).collect(),
        Kind::Map { entries, .. } => {
            let entry = |e: Entry| Entry { key: e.key, value: substituted(e.value) };
            *entries = std::mem::take(entries).into_iter().map(entry).collect();
        }
        _ => {}
    }
    node
}

/// Types whose only policy is one property: type, property, form.
const SINGLE: &[(&str, &str, Form)] = &[
    ("AWS::IAM::Policy", "PolicyDocument", Form::PolicyResource),
    ("AWS::IAM::ManagedPolicy", "PolicyDocument", Form::PolicyResource),
    ("AWS::IAM::RolePolicy", "PolicyDocument", Form::PolicyResource),
    ("AWS::IAM::UserPolicy", "PolicyDocument", Form::PolicyResource),
    ("AWS::IAM::GroupPolicy", "PolicyDocument", Form::PolicyResource),
    ("AWS::SSO::PermissionSet", "InlinePolicy", Form::PolicyResource),
    ("AWS::Serverless::Function", "AssumeRolePolicyDocument", Form::Trust),
    ("AWS::S3::BucketPolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::S3::AccessPoint", "Policy", Form::ResourcePolicy),
    ("AWS::S3ObjectLambda::AccessPointPolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::S3Express::BucketPolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::SQS::QueueInlinePolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::SNS::TopicInlinePolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::KMS::Key", "KeyPolicy", Form::ResourcePolicy),
    ("AWS::KMS::ReplicaKey", "KeyPolicy", Form::ResourcePolicy),
    ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", Form::ResourcePolicy),
    ("AWS::ECR::Repository", "RepositoryPolicyText", Form::ResourcePolicy),
    ("AWS::ECR::RegistryPolicy", "PolicyText", Form::ResourcePolicy),
    ("AWS::EC2::VPCEndpoint", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::EFS::FileSystem", "FileSystemPolicy", Form::ResourcePolicy),
    ("AWS::ApiGateway::RestApi", "Policy", Form::ResourcePolicy),
    ("AWS::Kinesis::ResourcePolicy", "ResourcePolicy", Form::ResourcePolicy),
    ("AWS::Logs::ResourcePolicy", "PolicyDocument", Form::ResourcePolicy),
    ("AWS::Backup::BackupVault", "AccessPolicy", Form::ResourcePolicy),
    ("AWS::OpenSearchService::Domain", "AccessPolicies", Form::ResourcePolicy),
    ("AWS::Elasticsearch::Domain", "AccessPolicies", Form::ResourcePolicy),
    ("AWS::CodeArtifact::Domain", "PermissionsPolicyDocument", Form::ResourcePolicy),
    ("AWS::CodeArtifact::Repository", "PermissionsPolicyDocument", Form::ResourcePolicy),
    ("AWS::Glacier::Vault", "AccessPolicy", Form::ResourcePolicy),
    ("AWS::Organizations::Policy", "Content", Form::Organization),
];

/// Whether resources of a type carry a policy.
pub(crate) fn holds_policy(kind: &str) -> bool {
    SINGLE.iter().any(|(known, ..)| *known == kind)
}

/// What a VPC endpoint is in a template.
pub(crate) const ENDPOINT: &str = "AWS::EC2::VPCEndpoint";

/// The place where an endpoint's policy would stand; nothing where it has one, or is no endpoint.
pub(crate) fn of_endpoint_without<'t>(resource: &Resource<'t>) -> Option<Site<'t>> {
    let properties = resource.properties.filter(|properties| properties.get("PolicyDocument").is_none())?;
    let place = (properties, resource.place.clone());
    (resource.kind == ENDPOINT).then(|| site(resource, Form::ResourcePolicy, place, None, None))
}

/// The policies of one resource.
pub(crate) fn sites_of<'t>(resource: &Resource<'t>) -> Vec<Site<'t>> {
    let mut found = Vec::new();
    if resource.has_policy_list() {
        sam_list(resource, &mut found);
    }
    if matches!(resource.kind, "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::IAM::Group") {
        identity(resource, &mut found);
    }
    if resource.kind.starts_with("Serverless::") && resource.kind.ends_with("Role") {
        serverless(resource, &mut found);
    }
    if permission::is_permission(resource)
        && let Some(properties) = resource.properties
    {
        found.push(site(resource, Form::Permission, (properties, resource.place.clone()), None, None));
    }
    for (kind, property, form) in SINGLE {
        if resource.kind == *kind
            && let Some((node, place)) = resource.property_at(property)
        {
            let name = resource.property("PolicyName").or_else(|| resource.property("ManagedPolicyName"));
            let (document, text) = written(node, &place);
            found.push(Site { text, ..site(resource, *form, (node, place), document, name) });
        }
    }
    found
}

/// A node with its place, where there is one.
type Spot<'t> = Option<(&'t Node, Path)>;

/// A document as a mapping, or as a text: a scalar of JSON, alone or the argument of `Sub`.
fn written<'t>(node: &'t Node, place: &Path) -> (Spot<'t>, Option<TextSite<'t>>) {
    let is_text = |node: &Node| node.raw_text().is_some_and(|text| text.trim_start().starts_with('{'));
    let Some(call) = intrinsic::call(node) else {
        let text = is_text(node).then(|| TextSite { node, place: place.clone(), sub: false });
        return (node.is_map().then(|| (node, place.clone())), text);
    };
    let long = node.tag.is_none();
    let argument = if long { place.child(0) } else { place.clone() };
    let text = match (call.name, call.argument.items()) {
        ("Sub", [text, _]) => Some(TextSite { node: text, place: argument.child(0), sub: true }),
        ("Sub", []) => Some(TextSite { node: call.argument, place: argument, sub: true }),
        _ => None,
    };
    (None, text.filter(|text| is_text(text.node)))
}

/// The statements and managed policies of a role that the Serverless Framework makes.
fn serverless<'t>(resource: &Resource<'t>, found: &mut Vec<Site<'t>>) {
    for key in ["statements", "iamRoleStatements"] {
        if let Some((node, place)) = resource.property_at(key) {
            let document = node.is_seq().then(|| (node, place.clone()));
            found.push(site(resource, Form::ServerlessStatements, (node, place), document, None));
        }
    }
    for key in ["managedPolicies", "iamManagedPolicies"] {
        let Some((list, place)) = resource.property_at(key) else { continue };
        for (index, item) in list.items().iter().enumerate() {
            let mut site = site(resource, Form::ManagedItem, (item, place.child(index)), None, Some(item));
            (site.index, site.list) = (Some(index), Some(place.clone()));
            found.push(site);
        }
    }
}

fn site<'t>(
    resource: &Resource<'t>,
    form: Form,
    (node, place): (&'t Node, Path),
    document: Option<(&'t Node, Path)>,
    name: Option<&'t Node>,
) -> Site<'t> {
    Site {
        resource: resource.clone(),
        form,
        node,
        place,
        document,
        text: None,
        name,
        index: None,
        list: None,
        conditional: false,
    }
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
        let (document, text) = written(node, &place);
        found.push(Site { text, ..site(resource, Form::Trust, (node, place), document, None) });
    }
    for (property, form) in [("Policies", Form::Inline), ("ManagedPolicyArns", Form::ManagedItem)] {
        let Some((list, place)) = resource.property_at(property) else { continue };
        for (index, item) in list.items().iter().enumerate() {
            for (node, at, conditional) in branches(item, place.child(index)) {
                let (document, text) = node
                    .find("PolicyDocument")
                    .map(|(entry, document)| written(document, &at.child(entry)))
                    .unwrap_or_default();
                let name = if form == Form::Inline { node.get("PolicyName") } else { Some(node) };
                let mut site = site(resource, form, (node, at), document, name);
                site.text = text;
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
    let nothing =
        |node: &Node| intrinsic::call(node).is_some_and(|call| call.argument.raw_text() == Some("AWS::NoValue"));
    let items = call.argument.items().iter().enumerate().skip(1).filter(|(_, item)| !nothing(item));
    items.map(|(i, item)| (item, below.child(i), true)).collect()
}
