//! What the snapshot says about deployed stacks: names, parameters, physical ids, and which function runs as which role.
//!
//! IAM roles carry no stack tags, so the way to a role's template leads through its functions' tags, or through stack
//! resources where the snapshot has them. Knows nothing about policies.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::{AccountId, Arn};
use iam_model::json::Value;
use iam_model::snapshot::{Resource, ResourceKind, SnapshotIndex, tags};

use crate::intrinsic;
use crate::template::Template;
use crate::tree::Node;

/// One deployed stack, as far as it is known. Everything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stack {
    pub(crate) name: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) partition: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Physical id by logical id.
    pub(crate) physical: BTreeMap<String, String>,
    /// Deployed functions by logical id.
    functions: BTreeMap<String, Function>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Function {
    role: Option<Arn>,
    environment: BTreeMap<String, String>,
}

/// The deployed side: every stack of the snapshot, and the resources by kind.
#[derive(Debug, Default)]
pub(crate) struct Deployed {
    stacks: BTreeMap<(AccountId, String, String), Stack>,
    /// Functions by the role they run as: the region and the function.
    by_role: BTreeMap<Arn, Vec<(String, Function)>>,
    resources: BTreeMap<(String, String, ResourceKind), BTreeSet<String>>,
    /// The services that VPC endpoints lead to, by their ARNs.
    endpoints: BTreeMap<Arn, String>,
}

impl Deployed {
    /// Reads what the snapshot holds.
    pub(crate) fn read(index: &SnapshotIndex<'_>) -> Self {
        let mut deployed = Self::default();
        for (account, details) in &index.snapshot().accounts {
            for resource in &details.resources {
                deployed.add(account, resource);
            }
        }
        deployed
    }

    fn add(&mut self, account: &AccountId, resource: &Resource) {
        let arn = &resource.arn;
        self.resources
            .entry((account.as_str().into(), arn.region().into(), resource.kind.clone()))
            .or_default()
            .insert(arn.as_str().into());
        match resource.kind {
            ResourceKind::LambdaFunction => self.add_function(account, resource),
            ResourceKind::Ec2VpcEndpoint => self.add_endpoint(account, resource),
            ResourceKind::CloudformationStack => self.add_stack(account, resource),
            _ => {}
        }
    }

    fn stack(&mut self, account: &AccountId, name: &str, like: &Arn) -> &mut Stack {
        let stack = self.stacks.entry((account.clone(), name.into(), like.region().into())).or_default();
        stack.name = Some(name.into());
        stack.account = Some(account.as_str().into());
        stack.region = Some(like.region().into());
        stack.partition = Some(like.partition().into());
        stack
    }

    fn add_function(&mut self, account: &AccountId, resource: &Resource) {
        let variables = resource.api.get("Environment").and_then(|e| e.get("Variables"));
        let environment = match variables {
            Some(Value::Object(members)) => {
                members.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
            }
            _ => BTreeMap::new(),
        };
        let function = Function { role: resource.role.clone(), environment };
        if let Some(role) = &resource.role {
            let known = self.by_role.entry(role.clone()).or_default();
            known.push((resource.arn.region().into(), function.clone()));
        }
        let tag = |key: &str| tag(&resource.api, key);
        if let (Some(name), Some(logical)) =
            (tag("aws:cloudformation:stack-name"), tag("aws:cloudformation:logical-id"))
        {
            let stack = self.stack(account, &name, &resource.arn);
            stack.physical.insert(logical.clone(), resource.arn.name().into());
            stack.functions.insert(logical, function);
        }
    }

    fn add_endpoint(&mut self, account: &AccountId, resource: &Resource) {
        let text = |key: &str| resource.api.get(key).and_then(Value::as_str);
        if let Some(service) = text("ServiceName") {
            self.endpoints.insert(resource.arn.clone(), service.to_owned());
        }
        let tag = |key: &str| tag(&resource.api, key);
        if let (Some(name), Some(logical)) =
            (tag("aws:cloudformation:stack-name"), tag("aws:cloudformation:logical-id"))
        {
            let stack = self.stack(account, &name, &resource.arn);
            stack.physical.insert(logical, resource.arn.name().into());
        }
    }

    /// The service that a VPC endpoint leads to, where no other of the account and region does.
    pub(crate) fn endpoint_service(&self, endpoint: &Arn) -> Option<&str> {
        let service = self.endpoints.get(endpoint)?;
        let beside = |arn: &Arn| (arn.account_text(), arn.region()) == (endpoint.account_text(), endpoint.region());
        let alike = self.endpoints.iter().filter(|(arn, other)| *other == service && beside(arn)).count();
        (alike == 1).then_some(service)
    }

    fn add_stack(&mut self, account: &AccountId, resource: &Resource) {
        let api = &resource.api;
        let Some(name) = api.get("StackName").and_then(Value::as_str) else { return };
        let stack = self.stack(account, name, &resource.arn);
        for parameter in api.get("Parameters").map(Value::items).unwrap_or_default() {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str);
            let value = text("ResolvedValue").or_else(|| text("ParameterValue"));
            if let (Some(key), Some(value)) = (text("ParameterKey"), value) {
                stack.parameters.insert(key.into(), value.into());
            }
        }
        for list in ["StackResources", "StackResourceSummaries", "Resources"] {
            for row in api.get(list).map(Value::items).unwrap_or_default() {
                let text = |key: &str| row.get(key).and_then(Value::as_str);
                if let (Some(logical), Some(physical)) = (text("LogicalResourceId"), text("PhysicalResourceId")) {
                    stack.physical.insert(logical.into(), physical.into());
                }
            }
        }
    }

    /// The stack that a role's generated name speaks of, where no tag does: its name, its account, its functions' region.
    ///
    /// `function` is the logical id of the one function that runs as the role, where SAM made the role for it.
    pub(crate) fn inferred(&self, name: &str, role: &Arn, function: Option<&str>) -> Stack {
        let functions = self.by_role.get(role).map(Vec::as_slice).unwrap_or_default();
        let regions: BTreeSet<&String> = functions.iter().map(|(region, _)| region).collect();
        let mut stack = Stack { name: Some(name.into()), ..Stack::of_arn(role) };
        if let (Some(region), 1) = (regions.first(), regions.len()) {
            stack.region = Some((*region).clone());
        }
        if let (Some(logical), [(_, function)]) = (function, functions) {
            stack.functions.insert(logical.into(), function.clone());
        }
        stack
    }

    /// Every stack, in the order of account, name and Region.
    pub(crate) fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.stacks.values()
    }

    /// Whether the snapshot holds exactly this one resource of its kind in the ARN's account and region.
    pub(crate) fn is_only(&self, kind: &ResourceKind, account: &str, arn: &Arn) -> bool {
        let key = (account.to_owned(), arn.region().to_owned(), kind.clone());
        self.resources.get(&key).is_some_and(|arns| arns.len() == 1 && arns.contains(arn.as_str()))
    }
}

impl Stack {
    /// What a role's ARN alone says.
    pub(crate) fn of_arn(arn: &Arn) -> Self {
        let account = arn.account().map(|account| account.as_str().to_owned());
        let region = Some(arn.region().to_owned()).filter(|region| !region.is_empty());
        Self { account, region, partition: Some(arn.partition().into()), ..Self::default() }
    }

    /// Logical ids of the functions that run as a role.
    pub(crate) fn functions_of<'s>(&'s self, role: &'s Arn) -> impl Iterator<Item = &'s str> {
        self.functions.iter().filter(move |(_, f)| f.role.as_ref() == Some(role)).map(|(id, _)| id.as_str())
    }

    /// The names of the roles that the stack is known to make from a template.
    pub(crate) fn role_names<'s>(&'s self, template: &'s Template) -> impl Iterator<Item = String> + 's {
        let functions = self.functions.iter().filter(|(id, _)| template.declares(id));
        let of_functions = functions.filter_map(|(_, function)| Some(function.role.as_ref()?.name().to_owned()));
        let named = self.physical.iter().filter(|(id, _)| template.declares(id)).map(|(_, name)| name.clone());
        of_functions.chain(named)
    }

    /// The logical id of a physical id.
    pub(crate) fn logical_of(&self, physical: &str) -> Option<&str> {
        self.physical.iter().find(|(_, id)| *id == physical).map(|(logical, _)| logical.as_str())
    }

    /// How many of the stack's known resources a template declares.
    pub(crate) fn fit(&self, template: &Template) -> usize {
        self.physical.keys().filter(|id| template.declares(id)).count()
    }

    /// Adds physical ids that functions' environment variables give away: the template says `!Ref T`, the deployed
    /// function says what came of it.
    pub(crate) fn learn(&mut self, template: &Template) {
        let mut learned = BTreeMap::new();
        for (id, function) in &self.functions {
            let Some(resource) = template.resource(id) else { continue };
            let own = resource.property("Environment");
            let global = template.section("Globals", "Function").and_then(|globals| globals.get("Environment"));
            let variables = [own, global].into_iter().flatten().filter_map(|e| e.get("Variables"));
            for entry in variables.flat_map(Node::entries) {
                let Some(deployed) = function.environment.get(entry.name()) else { continue };
                if let Some(target) = whole_reference(&entry.value)
                    && template.resource(&target).is_some()
                    && !deployed.contains("://")
                {
                    learned.insert(target, deployed.clone());
                }
            }
        }
        for (logical, physical) in learned {
            self.physical.entry(logical).or_insert(physical);
        }
    }
}

/// The resource a node refers to by `Ref`, or by `GetAtt` of its ARN.
pub(crate) fn whole_reference(node: &Node) -> Option<String> {
    let call = intrinsic::call(node)?;
    match call.name {
        "Ref" => call.argument.raw_text().map(str::to_owned),
        "GetAtt" => intrinsic::get_att(call.argument).filter(|(_, a)| a == "Arn").map(|(id, _)| id),
        _ => None,
    }
}

fn tag(api: &Value, key: &str) -> Option<String> {
    tags(api).remove(key)
}
