//! Which blocks a change speaks of: by address, through a state, or by the names in the files alone.
//!
//! Knows nothing about what policies say.

use std::cell::Cell;

use iam_model::arn::Arn;
use iam_model::change::AttachmentKind;

use super::evaluate::{Account, Evaluator};
use super::inputs;
use super::kinds;
use super::project::{At, Terraform, folder};
use super::state::{Instance, without_indices};

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
        let (account, fuel) = (account(terraform, at, Some(arn)), Cell::new(0));
        let module = terraform.module_of(at);
        let resolve = |defaults: bool, call: Option<At>| {
            Evaluator::new(terraform, module, &account, defaults, &fuel).called_by(call).fresh().arn(rule, body)
        };
        // A module that is called several times has a name for each call.
        let calls: Vec<Option<At>> = match terraform.calls_of(module) {
            several @ [_, _, ..] => several.iter().copied().map(Some).collect(),
            _ => vec![None],
        };
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
    let calls: Vec<At> = terraform.module_calls().filter(|at| inputs::is_call(terraform, *at)).collect();
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

/// What is known of the account a block is deployed to.
pub(super) fn account(terraform: &Terraform, at: At, arn: Option<&Arn>) -> Account {
    let mut account = Account::default();
    if let Some(arn) = arn {
        account.partition = Some(arn.partition().to_owned());
        account.id = arn.account().map(|id| id.as_str().to_owned());
        account.region = Some(arn.region().to_owned()).filter(|region| !region.is_empty());
    }
    let mut module = terraform.module_of(at);
    for _ in 0..8 {
        let mut providers = terraform.blocks(module).filter(|(_, b)| b.kind() == "provider" && b.of() == "aws");
        if let Some((provider, _)) = providers.next() {
            let region = terraform.body(provider).and_then(|body| body.get("region"));
            if let (Some(region), None, None) = (region, providers.next(), &account.region) {
                let fuel = Cell::new(0);
                account.region = Evaluator::new(terraform, module, &Account::default(), false, &fuel).known(region);
            }
            break;
        }
        let calls = terraform.calls_of(module);
        let [call] = calls else { break };
        module = terraform.module_of(*call);
    }
    account
}
