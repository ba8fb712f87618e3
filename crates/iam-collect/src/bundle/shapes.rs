//! Resources: which call lists which kind, and where in its answer the ARN and the role stand.
//!
//! One line per call; a kind that AWS describes in this manner is added by adding its line.

use std::collections::BTreeSet;

use iam_model::arn::{AccountId, Arn};
use iam_model::json::{Node, NodeKind, Value};

use super::account::{Answers, Found};
use super::folder::Answer;
use super::named;
use crate::redact;

/// A resource of the snapshot to be.
pub(super) struct Resource {
    pub(super) kind: &'static str,
    pub(super) arn: Arn,
    pub(super) role: Option<String>,
    pub(super) api: Vec<(String, Value)>,
}

impl Resource {
    pub(super) fn into_value(self) -> Value {
        let mut members = vec![("kind".into(), Value::text(self.kind)), ("arn".into(), Value::text(self.arn.as_str()))];
        members.extend(self.role.map(|role| ("role_arn".into(), Value::String(role))));
        members.push(("api".into(), Value::Object(self.api)));
        Value::Object(members)
    }

    /// A text of the service's own description.
    pub(super) fn api_text(&self, key: &str) -> Option<&str> {
        self.api.iter().find(|(k, _)| k == key).and_then(|(_, value)| value.as_str())
    }
}

/// Where the descriptions stand in an answer.
enum Under {
    /// A list of them under this key.
    List(&'static str),
    /// One, under this key.
    Object(&'static str),
    /// The answer is the description; ARN and role stand under this key of it.
    Within(&'static str),
    /// The answer is the description.
    Root,
}

struct Shape {
    call: &'static str,
    under: Under,
    kind: &'static str,
    arn: &'static str,
    role: &'static str,
}

const fn shape(call: &'static str, under: Under, kind: &'static str, arn: &'static str, role: &'static str) -> Shape {
    Shape { call, under, kind, arn, role }
}

/// The bucket's name stands in for its ARN: AWS gives none.
const BUCKET: &str = "Name";

/// The API's id stands in for its ARN as well.
const REST_API: &str = "id";
const API: &str = "ApiId";
/// And a VPC endpoint's, whose region stands in the name of its service.
const ENDPOINT: &str = "VpcEndpointId";

/// Whose the resources are.
pub(super) struct Owner<'n> {
    pub(super) partition: &'n str,
    pub(super) account: Option<AccountId>,
}

const SHAPES: &[Shape] = &[
    shape(FUNCTIONS, Under::List("Functions"), "lambda.function", "FunctionArn", "Role"),
    shape("list-buckets", Under::List("Buckets"), "s3.bucket", BUCKET, ""),
    shape("describe-repositories", Under::List("repositories"), "ecr.repository", "repositoryArn", ""),
    shape("list-event-buses", Under::List("EventBuses"), "events.event_bus", "Arn", ""),
    shape("list-rules", Under::List("Rules"), "events.rule", "Arn", "RoleArn"),
    shape("get-rest-apis", Under::List("items"), "apigateway.rest_api", REST_API, ""),
    shape("get-apis", Under::List("Items"), "apigatewayv2.api", API, ""),
    shape("describe-vpc-endpoints", Under::List("VpcEndpoints"), "ec2.vpc_endpoint", ENDPOINT, ""),
    shape("list-keys", Under::List("Keys"), "kms.key", "KeyArn", ""),
    shape("list-secrets", Under::List("SecretList"), "secretsmanager.secret", "ARN", ""),
    shape("describe-table", Under::Object("Table"), "dynamodb.table", "TableArn", ""),
    shape("get-queue-attributes", Under::Within("Attributes"), "sqs.queue", "QueueArn", ""),
    shape("get-topic-attributes", Under::Within("Attributes"), "sns.topic", "TopicArn", ""),
    shape("describe-stacks", Under::List("Stacks"), STACK, "StackId", "RoleARN"),
    shape("describe-user-pool", Under::Object("UserPool"), "cognito.user_pool", "Arn", ""),
    shape("describe-state-machine", Under::Root, "stepfunctions.state_machine", "stateMachineArn", "roleArn"),
    shape(
        "describe-task-definition",
        Under::Object("taskDefinition"),
        "ecs.task_definition",
        "taskDefinitionArn",
        "taskRoleArn",
    ),
    shape("describe-clusters", Under::List("clusters"), "ecs.cluster", "clusterArn", ""),
    shape("batch-get-projects", Under::List("projects"), "codebuild.project", "arn", "serviceRole"),
    shape("describe-notebook-instance", Under::Root, "sagemaker.notebook_instance", "NotebookInstanceArn", "RoleArn"),
];

const FUNCTIONS: &str = "list-functions";
const STACK: &str = "cloudformation.stack";
const STACK_RESOURCES: &str = "describe-stack-resources";
const ALL_STACK_RESOURCES: &str = "list-stack-resources";
/// The list of a stack's resources, as the snapshot has it.
const OF_STACK: &str = "StackResources";
const PUBLIC_ACCESS: &str = "get-public-access-block";

/// Resources that `describe-stack-resources` prints at most.
const MOST_DESCRIBED: usize = 100;

/// Calls without which a common bundle is poorer; the others are for those who have such resources.
const COMMON: [&str; 6] = ["list-buckets", "list-keys", "list-secrets", "list-tables", "list-queues", "list-topics"];

/// Calls that only name things, and the call that describes one.
const NAMES: [(&str, &str, &str); 3] = [
    ("list-tables", "TableNames", "describe-table"),
    ("list-queues", "QueueUrls", "get-queue-attributes"),
    ("list-topics", "Topics", "get-topic-attributes"),
];

pub(super) fn is_known(call: &str) -> bool {
    call == STACK_RESOURCES
        || call == ALL_STACK_RESOURCES
        || call == PUBLIC_ACCESS
        || SHAPES.iter().any(|s| s.call == call)
        || NAMES.iter().any(|names| names.0 == call)
}

/// Every resource the answers describe, once.
pub(super) fn resources<'b>(answers: &mut Answers<'b>, owner: &Owner<'_>) -> Vec<Resource> {
    let mut resources = Vec::new();
    for shape in SHAPES {
        for answer in answers.of(shape.call) {
            described(answers, shape, answer, owner, &mut resources);
        }
    }
    stack_resources(answers, &mut resources);
    all_stack_resources(answers, &mut resources);
    public_access(answers, &mut resources);
    undescribed(answers);
    if answers.of(FUNCTIONS).next().is_none() {
        answers.missing(FUNCTIONS, "functions are not known", "aws lambda list-functions > list-functions.json");
    }
    let missing: Vec<&str> = COMMON.into_iter().filter(|call| !answers.asked(call)).collect();
    if !missing.is_empty() {
        let what = format!("nothing of {}: these resources and their policies are not known", named(&missing));
        answers.not_read(what, Some("`docs/collect.md` has the commands".into()));
    }
    let mut seen = BTreeSet::new();
    resources.retain(|resource| seen.insert((resource.kind, resource.arn.clone())));
    resources
}

fn described<'b>(
    answers: &mut Answers<'b>,
    shape: &Shape,
    answer: &'b Answer<'b>,
    owner: &Owner<'_>,
    resources: &mut Vec<Resource>,
) {
    let root = std::slice::from_ref(&answer.root);
    let (nodes, inner) = match shape.under {
        Under::List(key) => (answers.list(answer, key), ""),
        Under::Object(key) => (answer.root.get(key).map(std::slice::from_ref).unwrap_or_default(), ""),
        Under::Within(key) => (root, key),
        Under::Root => (root, ""),
    };
    let mut unnamed = usize::from(nodes.is_empty() && matches!(shape.under, Under::Object(_)));
    for node in nodes {
        let place = if inner.is_empty() { Some(node) } else { node.get(inner) };
        let text = |key: &str| place.and_then(|place| place.get(key)).and_then(Node::as_str);
        let arn = match shape.arn {
            ENDPOINT => endpoint(node, answer, owner),
            _ => text(shape.arn).and_then(|found| arn(shape, answer, owner, found)),
        };
        match (arn, &node.kind) {
            (Some(arn), NodeKind::Object(members)) => {
                let api = members.iter().map(|m| (m.key.to_string(), redact::member(m.key, &m.value))).collect();
                let role = text(shape.role).filter(|role| !role.is_empty()).map(Into::into);
                resources.push(Resource { kind: shape.kind, arn, role, api });
            }
            _ => unnamed += 1,
        }
    }
    if unnamed > 0 {
        let what = format!("{}: {unnamed} of its entries have no readable `{}`", answer.source.name, shape.arn);
        answers.not_read(format!("{what} and are left out"), None);
    }
}

/// The ARN, as AWS gives it or made from the name.
fn arn(shape: &Shape, answer: &Answer<'_>, owner: &Owner<'_>, found: &str) -> Option<Arn> {
    let partition = owner.partition;
    match shape.arn {
        BUCKET => format!("arn:{partition}:s3:::{found}").parse().ok(),
        REST_API | API => {
            let (region, account) = (answer.key.region.as_deref()?, owner.account.as_ref()?);
            format!("arn:{partition}:execute-api:{region}:{account}:{found}").parse().ok()
        }
        _ => found.parse().ok(),
    }
}

/// The ARN of a VPC endpoint: `com.amazonaws.<region>.<service>` names its region.
fn endpoint(node: &Node<'_>, answer: &Answer<'_>, owner: &Owner<'_>) -> Option<Arn> {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    let named = text("ServiceName").and_then(|name| name.split('.').find(|part| super::folder::is_region(part)));
    let region = answer.key.region.as_deref().or(named)?;
    let account = text("OwnerId").or_else(|| owner.account.as_ref().map(AccountId::as_str))?;
    format!("arn:{}:ec2:{region}:{account}:vpc-endpoint/{}", owner.partition, text(ENDPOINT)?).parse().ok()
}

/// Things that are named and not described.
fn undescribed(answers: &mut Answers<'_>) {
    for (list, key, describe) in NAMES {
        let mut missing = Vec::new();
        for answer in answers.of(list) {
            for item in answers.list(answer, key) {
                let text = item.as_str().or_else(|| item.get("TopicArn").and_then(Node::as_str)).unwrap_or_default();
                let name = text.rsplit(['/', ':']).next().unwrap_or_default();
                if !answers.knows(describe, name) {
                    missing.push(name);
                }
            }
        }
        if !missing.is_empty() {
            let what = format!("no usable `{describe}/NAME.json` of {} in `{list}.json`", named(&missing));
            answers.not_read(
                format!("{what}: they and their policies are not known"),
                Some("see `docs/collect.md`".into()),
            );
        }
    }
}

/// `describe-stack-resources`: joined to the stack, which it may be the only word about.
fn stack_resources<'b>(answers: &mut Answers<'b>, resources: &mut Vec<Resource>) {
    for answer in answers.of(STACK_RESOURCES) {
        let list = answers.list(answer, OF_STACK);
        if list.len() == MOST_DESCRIBED {
            let what = format!("{} holds {MOST_DESCRIBED} resources, and AWS prints no more there", answer.source.name);
            answers.not_read(what, Some(format!("use `aws cloudformation {ALL_STACK_RESOURCES}` instead")));
        }
        let Some(arn) = list.iter().find_map(|r| r.get("StackId").and_then(Node::as_str)?.parse::<Arn>().ok()) else {
            answers.not_read(format!("{} holds no readable `StackId`: it is left out", answer.source.name), None);
            continue;
        };
        let value = Value::Array(list.iter().map(Node::to_value).collect());
        match resources.iter_mut().find(|resource| resource.kind == STACK && resource.arn == arn) {
            Some(stack) => stack.api.push((OF_STACK.into(), value)),
            None => {
                let name = list.iter().find_map(|r| r.get("StackName").and_then(Node::as_str)).unwrap_or_default();
                let api = vec![("StackName".into(), Value::text(name)), (OF_STACK.into(), value)];
                resources.push(Resource { kind: STACK, arn, role: None, api });
            }
        }
    }
}

/// `list-stack-resources`: joined to the stack that the file is named after, since it does not name it itself. It has all
/// resources, where `describe-stack-resources` has some.
fn all_stack_resources<'b>(answers: &mut Answers<'b>, resources: &mut [Resource]) {
    for answer in answers.of(ALL_STACK_RESOURCES) {
        let list = answers.list(answer, "StackResourceSummaries");
        let name = answer.key.item.as_deref().unwrap_or_default();
        let is_it = |resource: &&mut Resource| {
            let [_, _, _, region, ..] = resource.arn.segments();
            resource.kind == STACK
                && resource.arn.resource().split('/').nth(1) == Some(name)
                && answer.key.region.as_deref().is_none_or(|asked| asked == region)
        };
        let value = Value::Array(list.iter().map(Node::to_value).collect());
        match resources.iter_mut().find(is_it) {
            Some(stack) => {
                stack.api.retain(|(key, _)| key != OF_STACK);
                stack.api.push((OF_STACK.into(), value));
            }
            None => {
                let what =
                    format!("{} is about no stack of `describe-stacks.json`: it is left out", answer.source.name);
                answers.not_read(what, Some("name the file after the stack".into()));
            }
        }
    }
}

/// `get-public-access-block`: joined to the bucket. A bucket that AWS says has none gets one that blocks nothing.
fn public_access(answers: &mut Answers<'_>, resources: &mut [Resource]) {
    const BLOCK: &str = "PublicAccessBlockConfiguration";
    if !answers.asked(PUBLIC_ACCESS) {
        return;
    }
    for bucket in resources.iter_mut().filter(|resource| resource.kind == "s3.bucket") {
        let name = bucket.arn.name().to_owned();
        match answers.about(PUBLIC_ACCESS, &name, "") {
            Found::Answer(answer) => {
                bucket.api.extend(answer.root.get(BLOCK).map(|block| (BLOCK.to_owned(), block.to_value())));
            }
            Found::None => {
                let flags = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
                let off = flags.map(|flag| (flag.to_owned(), Value::Bool(false)));
                bucket.api.push((BLOCK.to_owned(), Value::Object(off.to_vec())));
            }
            // A failed call is named with the others of its kind; the bucket's block stays unknown.
            Found::Missing => {}
        }
    }
}
