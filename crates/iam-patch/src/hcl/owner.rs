//! Which blocks a change speaks of: by address, through a state, or by the names in the files alone.
//!
//! Knows nothing about what policies say.

use std::cell::Cell;
use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind};

use super::evaluate::{Account, Evaluator};
use super::inputs;
use super::kinds;
use super::policies;
use super::project::{At, Terraform, folder};
use super::provider;
use super::state::{Instance, without_indices};
use crate::resolve::Text;

/// The path of module calls that leads to a module, where exactly one does; empty for a root.
pub(super) fn module_path(terraform: &Terraform, module: usize) -> Option<String> {
    let (mut path, mut at) = (Vec::new(), module);
    for _ in 0..8 {
        let calls = terraform.calls_of(at);
        match calls {
            [] => {
                path.reverse();
                return Some(path.join("."));
            }
            [only] => {
                path.push(format!("module.{}", terraform.block(*only)?.name()));
                at = terraform.module_of(*only);
            }
            _ => return None,
        }
    }
    None
}

/// Blocks with an address: `module.a.aws_iam_role.b`, `data.aws_iam_policy_document.c`, indices left out.
pub(super) fn by_address(terraform: &Terraform, address: &str) -> Vec<At> {
    let address = without_indices(address);
    let mut parts: Vec<&str> = address.split('.').collect();
    let mut modules: Vec<usize> = (0..terraform.modules.len()).collect();
    let mut inside = false;
    while let ["module", call, _, ..] = parts.as_slice() {
        let calls = modules.iter().filter_map(|module| terraform.find(*module, &["module", call]));
        let outside = |at: &At| inputs::is_call(terraform, *at) || terraform.called(*at).is_none();
        let calls: Vec<At> = calls.filter(outside).collect();
        if !calls.is_empty() {
            return calls;
        }
        let called = |module: &usize| terraform.called(terraform.find(*module, &["module", call])?);
        let mut next: Vec<usize> = modules.iter().filter_map(called).collect();
        next.dedup();
        modules = next;
        inside = true;
        parts.drain(..2);
    }
    let head: Vec<&str> = match parts.as_slice() {
        ["data", of, name, ..] => vec!["data", of, name],
        ["module", name] => vec!["module", name],
        [of, name, ..] => vec!["resource", of, name],
        _ => return Vec::new(),
    };
    // Without a module in the address, root modules are meant.
    let roots: Vec<usize> = modules.iter().copied().filter(|m| inside || terraform.calls_of(*m).is_empty()).collect();
    let found = |modules: &[usize]| modules.iter().filter_map(|m| terraform.find(*m, &head)).collect::<Vec<_>>();
    let of_roots = found(&roots);
    if of_roots.is_empty() { found(&modules) } else { of_roots }
}

/// Resources whose ARN a state says it is.
pub(super) fn by_state(terraform: &Terraform, arn: &Arn) -> Vec<At> {
    let states = terraform.states.iter();
    let instances = states.flat_map(|state| state.instances.iter().map(move |instance| (state, instance)));
    instances
        .filter(|(_, instance)| instance.attributes.get("arn").is_some_and(|known| known == arn.as_str()))
        .flat_map(|(state, instance)| of_instance(terraform, &state.folder, instance))
        .collect()
}

/// Resources that are the principal or the resource: by a state, else by name.
pub(super) fn by_arn(terraform: &Terraform, kind: AttachmentKind, arn: &Arn) -> Vec<At> {
    let by_state = by_state(terraform, arn);
    if !by_state.is_empty() {
        return by_state;
    }
    let (mut exact, mut possible) = (Vec::new(), Vec::new());
    let last = arn.resource().rsplit(['/', ':']).next().unwrap_or_default();
    for at in terraform.perhaps_named(arn.service(), last) {
        let Some(rule) = terraform.block(at).and_then(|block| kinds::rule(block.of())) else { continue };
        if matches!(kind, AttachmentKind::Identity | AttachmentKind::Trust)
            && !matches!(rule.of, "aws_iam_role" | "aws_iam_user" | "aws_iam_group")
        {
            continue;
        }
        let Some(body) = terraform.body(at) else { continue };
        let named = |names: &Vec<Text>| names.iter().any(|name| name.explains(last));
        if rule.service == "iam" && !iam_names(terraform).get(&at).is_none_or(named) {
            continue;
        }
        let (account, fuel) = (account(terraform, at, Some(arn)), Cell::new(0));
        let module = terraform.module_of(at);
        let resolve = |defaults: bool, call: Option<At>| {
            Evaluator::new(terraform, module, &account, defaults, &fuel).called_by(call).fresh().arn(rule, body)
        };
        // A module that is called several times has a name for each call.
        let mut calls = contexts(terraform, module);
        calls.retain(|call| provider::of(terraform, module, *call, body).may_have(rule, arn));
        if calls.iter().any(|call| resolve(true, *call).known().as_deref() == Some(arn.as_str())) {
            exact.push(at);
        } else if calls.iter().any(|call| resolve(false, *call).explains(arn.as_str())) {
            possible.push(at);
        }
    }
    let calls = calls_for(terraform, arn, last);
    let made = |at: &At| calls.iter().any(|call| terraform.called(*call) == Some(terraform.module_of(*at)));
    let mut found = if exact.is_empty() { possible } else { exact };
    found.retain(|at| !made(at));
    if found.is_empty() { calls } else { found }
}

/// Roles of this name, in whichever account these files speak of.
pub(super) fn by_role_name(terraform: &Terraform, name: &str) -> Vec<At> {
    let mut accounts = provider::accounts(terraform);
    accounts.insert(0, "000000000000".to_owned());
    let arns = accounts.iter().filter_map(|account| format!("arn:aws:iam::{account}:role/{name}").parse::<Arn>().ok());
    let mut found: Vec<At> = arns.flat_map(|arn| by_arn(terraform, AttachmentKind::Identity, &arn)).collect();
    found.sort();
    found.dedup();
    found
}

/// The calls of modules from outside that make a role of this name.
fn calls_for(terraform: &Terraform, arn: &Arn, role: &str) -> Vec<At> {
    if arn.service() != "iam" || !arn.resource().starts_with("role") {
        return Vec::new();
    }
    let made = |at: &At, defaults: bool| {
        let (account, fuel) = (account(terraform, *at, Some(arn)), Cell::new(0));
        let evaluator = Evaluator::new(terraform, terraform.module_of(*at), &account, defaults, &fuel);
        inputs::by_role(terraform, *at, role, &evaluator)
    };
    let is_there =
        |at: &At| terraform.body(*at).is_some_and(|body| provider::of_call(terraform, *at, body).may_own(arn));
    let calls = terraform.module_calls().filter(|at| inputs::is_call(terraform, *at) && is_there(at));
    let calls: Vec<At> = calls.collect();
    let exact: Vec<At> = calls.iter().filter(|at| made(at, true)).copied().collect();
    if exact.is_empty() { calls.into_iter().filter(|at| made(at, false)).collect() } else { exact }
}

fn of_instance(terraform: &Terraform, state: &str, instance: &Instance) -> Vec<At> {
    let address = [instance.module.as_str(), &instance.of, &instance.name];
    let address = address.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    let mut found = by_address(terraform, &address);
    if found.len() > 1 {
        let beside = |at: &At| terraform.files.get(at.file).is_some_and(|f| folder(f.name.as_str()).starts_with(state));
        found.retain(beside);
    }
    found
}

/// What is known of the account that the default provider of a block's root module works in.
pub(super) fn account(terraform: &Terraform, at: At, arn: Option<&Arn>) -> Account {
    let module = terraform.module_of(at);
    let mut account = Account::default();
    if let (Some(arn), Some(body)) = (arn, terraform.body(at)) {
        account = provider::of(terraform, module, None, body).default_for(arn);
    }
    // What the root says itself comes before what an ARN says of one resource.
    let default = provider::default(terraform, module).account(&Account::default());
    Account {
        partition: default.partition.or(account.partition),
        id: default.id.or(account.id),
        region: default.region.or(account.region),
    }
}

/// Says of a block that would have an attachment's ARN that its provider speaks of another account or Region.
pub(super) fn elsewhere(terraform: &Terraform, attachment: &Attachment) -> Option<String> {
    let arn = attachment.principal_arn.as_ref().or(attachment.resource_arn.as_ref())?;
    let last = arn.resource().rsplit(['/', ':']).next().unwrap_or_default();
    let is_elsewhere = |at: &At| {
        let rule = terraform.block(*at).and_then(|block| kinds::rule(block.of()));
        let (Some(rule), Some(body)) = (rule, terraform.body(*at)) else { return false };
        let (account, fuel, module) = (Account::default(), Cell::new(0), terraform.module_of(*at));
        let name = || Evaluator::new(terraform, module, &account, true, &fuel).fresh().name(rule, body).known();
        !provider::of(terraform, module, None, body).may_have(rule, arn) && name().as_deref() == Some(last)
    };
    let block = terraform.block(terraform.perhaps_named(arn.service(), last).find(is_elsewhere)?)?;
    let address = policies::address(block);
    Some(format!(
        "`{address}` has the name, but its provider works in another account or Region, or does not say in which"
    ))
}

/// The calls in whose contexts a module is looked at: each of several, as each gives its own names.
pub(super) fn contexts(terraform: &Terraform, module: usize) -> Vec<Option<At>> {
    match terraform.calls_of(module) {
        several @ [_, _, ..] => several.iter().copied().map(Some).collect(),
        _ => vec![None],
    }
}

/// The names that IAM's resources can have whatever the account is, one for each call of their module.
fn iam_names(terraform: &Terraform) -> &BTreeMap<At, Vec<Text>> {
    terraform.iam_names.get_or_init(|| {
        let (account, fuel) = (Account::default(), Cell::new(0));
        let mut found = BTreeMap::new();
        for module in 0..terraform.modules.len() {
            for (at, block) in terraform.blocks(module).filter(|(_, block)| block.kind() == "resource") {
                let rule = kinds::rule(block.of()).filter(|rule| rule.service == "iam");
                let (Some(rule), Some(body)) = (rule, terraform.body(at)) else { continue };
                let named = |call| {
                    let evaluator = Evaluator::new(terraform, module, &account, false, &fuel).called_by(call);
                    evaluator.fresh().name(rule, body)
                };
                found.insert(at, contexts(terraform, module).into_iter().map(named).collect());
            }
        }
        found
    })
}

/// The names that roles, users and groups can have: as states say, and as the files do, in every call of a module.
pub(super) fn principal_names(terraform: &Terraform) -> Vec<Text> {
    let principals = |of: &str| matches!(of, "aws_iam_role" | "aws_iam_user" | "aws_iam_group");
    let instances = terraform.states.iter().flat_map(|state| &state.instances);
    let of_state = instances.filter(|instance| principals(&instance.of));
    let of_state = of_state.filter_map(|instance| Some(Text::literal(instance.attributes.get("name")?.clone())));
    let named = |at: &At| terraform.block(*at).is_some_and(|block| principals(block.of()));
    let of_files = iam_names(terraform).iter().filter(|(at, _)| named(at)).flat_map(|(_, names)| names.iter().cloned());
    let (account, fuel) = (Account::default(), Cell::new(0));
    let made = |at: At| {
        let evaluator = Evaluator::new(terraform, terraform.module_of(at), &account, false, &fuel);
        inputs::role_name(terraform, at, &evaluator)
    };
    let of_calls = terraform.module_calls().filter(|at| inputs::is_call(terraform, *at)).filter_map(made);
    of_state.chain(of_files).chain(of_calls).collect()
}
