//! From a change to its place: by address, through a state, or by the names in the files alone.
//!
//! Decides nothing about edits.

use std::cell::Cell;

use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::diagnostic::Place;

use super::effect;
use super::evaluate::{Account, Evaluator};
use super::gather;
use super::inputs;
use super::mention::refers_to;
use super::outside;
use super::owner::{account, by_address, by_arn, elsewhere};
use super::permission;
use super::policies::{self, Site, Writing};
use super::project::{At, Terraform};
use super::uses;
use crate::compare;
use crate::locate::boundary_of;
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::Resolve;
use crate::site::Form;
use crate::tree::Node;

/// A found policy with what a person should look at.
pub(super) struct Found {
    pub(super) site: Site,
    pub(super) account: Account,
    pub(super) shared_by: Vec<String>,
    pub(super) reviews: Vec<String>,
}

/// Finds the policy a change speaks of.
pub(super) fn find(terraform: &Terraform, attachment: &Attachment, change: Option<&Change>) -> Result<Found, Refusal> {
    let arn = attachment.principal_arn.as_ref().or(attachment.resource_arn.as_ref());
    let mut owners = match &attachment.address {
        Some(address) => by_address(terraform, address),
        None => arn.map(|arn| by_arn(terraform, attachment.kind, arn)).unwrap_or_default(),
    };
    if let Some(policy) = boundary_of(attachment).filter(|_| attachment.address.is_none()) {
        let own = by_arn(terraform, AttachmentKind::Boundary, &policy).into_iter();
        let own: Vec<At> = own.filter(|at| terraform.block(*at).is_some_and(|b| b.of() == "aws_iam_policy")).collect();
        if !own.is_empty() {
            owners = own;
        }
    }
    owners.dedup();
    if let (None, AttachmentKind::Resource, Some(arn)) = (&attachment.address, attachment.kind, arn)
        && arn.service() == "lambda"
    {
        // The policy of a version or alias is made up beside the function's own.
        let function = crate::permission::unqualified(arn);
        if function != *arn {
            owners = by_arn(terraform, attachment.kind, &function);
        }
        if owners.is_empty() {
            owners = permission::for_name(terraform, function.name());
            owners.truncate(1);
        }
    }
    if owners.is_empty() {
        return Err(not_found(terraform, attachment));
    }
    let finder = Finder { terraform, attachment, change };
    let (mut found, mut refused) = (Vec::new(), None);
    for owner in owners {
        match finder.pick(owner, &account(terraform, owner, arn)) {
            Ok(picked) => found.push(picked),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    let explaining = found.iter().any(|(explained, _)| *explained);
    found.retain(|(explained, _)| *explained || !explaining);
    let mut found = found.into_iter().map(|(_, found)| found);
    let Some(mut first) = found.next() else { return Err(refused.unwrap_or_else(|| not_found(terraform, attachment))) };
    for other in found {
        if (other.site.at, &other.site.place) != (first.site.at, &first.site.place) {
            first.reviews.push(format!("`{}` claims the same policy", named(terraform, other.site.owner)));
        }
    }
    Ok(first)
}

/// The policies of one kind of a block, with the functions that share it and what needs a look.
pub(super) fn of_owner(
    terraform: &Terraform,
    attachment: &Attachment,
    owner: At,
) -> Vec<(Site, Vec<String>, Vec<String>)> {
    let finder = Finder { terraform, attachment, change: None };
    let found = finder.of_kind(owner).into_iter().map(|site| finder.found(site, Account::default()));
    found.map(|found| (found.site, found.shared_by, found.reviews)).collect()
}

fn not_found(terraform: &Terraform, attachment: &Attachment) -> Refusal {
    let what = attachment
        .address
        .clone()
        .or_else(|| attachment.principal_arn.as_ref().map(ToString::to_string))
        .or_else(|| attachment.resource_arn.as_ref().map(ToString::to_string))
        .unwrap_or_else(|| "the policy".into());
    let registry = terraform.files.iter().enumerate().flat_map(|(file, found)| {
        found.blocks.iter().enumerate().filter(|(_, b)| b.kind() == "module").map(move |(block, _)| At { file, block })
    });
    let outside = registry.filter(|at| terraform.called(*at).is_none()).map(|at| named(terraform, at)).next();
    let refusal = Refusal::new(RefusalCode::NotInSource, format!("no Terraform block was found for `{what}`"));
    if let Some(hint) = elsewhere(terraform, attachment) {
        return refusal.hint(hint);
    }
    match outside {
        Some(call) => {
            refusal.hint(format!("`{call}` and other modules from outside may make it: change their inputs there"))
        }
        None => refusal.hint("give the folder of the root module, its state, or a `name` that can be resolved"),
    }
}

/// What a block is called in messages.
pub(super) fn named(terraform: &Terraform, at: At) -> String {
    terraform.block(at).map(policies::address).unwrap_or_default()
}

pub(super) fn place(terraform: &Terraform, at: At, node: &Node) -> Place {
    let file = terraform.files.get(at.file);
    file.map_or_else(
        || Place::whole(iam_model::text::SourceName::new("")),
        |file| Place::at(file.name.clone(), &file.text, node.span.start),
    )
}

struct Finder<'p> {
    terraform: &'p Terraform,
    attachment: &'p Attachment,
    change: Option<&'p Change>,
}

impl Finder<'_> {
    /// Chooses one policy of a block; whether its text explains what is deployed.
    fn pick(&self, owner: At, account: &Account) -> Result<(bool, Found), Refusal> {
        let fuel = Cell::new(0);
        let module = self.terraform.module_of(owner);
        let open = Evaluator::new(self.terraform, module, account, false, &fuel);
        let mut sites = self.of_kind(owner);
        let off = sites.iter().find_map(|site| Some((inputs::switched_off(self.terraform, site)?, site.clone())));
        sites.retain(|site| inputs::switched_off(self.terraform, site).is_none());
        if let (Some((flag, site)), true) = (off, sites.is_empty()) {
            let message = format!("`{flag}` is not set, so `{}` ignores this input", named(self.terraform, owner));
            return Err(self.at(Refusal::new(RefusalCode::NotInSource, message), &site));
        }
        if let Some(name) = self.attachment.policy_name.as_deref()
            && (sites.len() > 1 || self.attachment.address.is_none())
        {
            let named = self.by_name(&sites, account, name);
            if named.is_empty() && self.attachment.index.is_none() {
                return Err(self.unnamed(owner, name));
            }
            if !named.is_empty() {
                sites = named;
            }
        }
        if let Some(index) = self.attachment.index {
            sites.retain(|site| site.index.is_none_or(|own| own == index));
        }
        // A function's permissions make up its policy together; planning looks at them all.
        if sites.first().is_some_and(|site| site.writing == Writing::Permission) {
            sites.truncate(1);
        }
        let explained: Vec<bool> = sites.iter().map(|site| self.explains(&open, site)).collect();
        let any = explained.contains(&true);
        let mut chosen = sites.into_iter().zip(explained).filter(|(_, explained)| *explained || !any);
        match (chosen.next(), chosen.next()) {
            (Some((site, explained)), None) => Ok((explained, self.found(site, account.clone()))),
            (None, _) => {
                let message = format!("`{}` has no such policy", named(self.terraform, owner));
                Err(Refusal::new(RefusalCode::NotInSource, message))
            }
            (Some((site, _)), Some(_)) => {
                let message = format!("several policies of `{}` could be meant", named(self.terraform, owner));
                let refusal = Refusal::new(RefusalCode::Ambiguous, message);
                Err(self.at(refusal.hint("name the policy or its index in the change"), &site))
            }
        }
    }

    fn at(&self, refusal: Refusal, site: &Site) -> Refusal {
        let node = self.terraform.body(site.at).and_then(|body| body.at(&site.place));
        match node {
            Some(node) => refusal.at(place(self.terraform, site.at, node)),
            None => refusal,
        }
    }

    fn unnamed(&self, owner: At, name: &str) -> Refusal {
        let message = format!("`{}` has no policy `{name}` in these files", named(self.terraform, owner));
        let refusal = Refusal::new(RefusalCode::NotInSource, message)
            .hint("somebody attached it outside of Terraform; take it off in the account, or write it into the files");
        match self.terraform.body(owner) {
            Some(body) => refusal.at(place(self.terraform, owner, body)),
            None => refusal,
        }
    }

    /// The policies of a block, and those of blocks that are attached to it.
    fn of_kind(&self, owner: At) -> Vec<Site> {
        let terraform = self.terraform;
        let Some(block) = terraform.block(owner) else { return Vec::new() };
        let mut sites = policies::sites_of(terraform, owner);
        if block.is("data", super::document::TYPE) {
            let (at, place) = (owner, crate::tree::Path::default());
            let named_at = place.clone();
            let (form, writing) = (Form::PolicyResource, Writing::DataDocument);
            return vec![Site { owner, form, writing, at, place, named_at, index: None }];
        }
        if self.attachment.kind == AttachmentKind::Boundary && block.of() != "aws_iam_policy" {
            return self.boundary(owner);
        }
        let addressed = self.attachment.address.is_some() && !sites.is_empty() && block.of() != "aws_iam_role";
        if !addressed && block.kind() == "resource" {
            let module = terraform.module_of(owner);
            let reference = format!("{}.{}", block.of(), block.name());
            for (at, other) in terraform.blocks(module).filter(|(at, _)| *at != owner) {
                if other.kind() != "resource"
                    || !(other.of().contains("_policy")
                        || other.of() == permission::TYPE
                        || other.of().ends_with("_attachment"))
                {
                    continue;
                }
                if self.names(at, &reference) {
                    sites.extend(policies::sites_of(terraform, at));
                }
            }
        }
        let mut all = Vec::new();
        for site in sites {
            all.push(self.managed_in_files(site));
        }
        all.retain(|site| self.is_of_kind(site.form));
        all
    }

    /// The managed policy of these files that is the block's boundary.
    fn boundary(&self, owner: At) -> Vec<Site> {
        let node = self.terraform.body(owner).and_then(|body| body.get("permissions_boundary"));
        let carriers = policies::carriers(self.terraform, self.terraform.module_of(owner));
        let meant = |at: &At| {
            let block = self.terraform.block(*at).filter(|block| block.is("resource", "aws_iam_policy"));
            block.zip(node).is_some_and(|(block, node)| refers_to(node, &policies::address(block)))
        };
        carriers.into_iter().filter(meant).flat_map(|at| policies::sites_of(self.terraform, at)).collect()
    }

    fn is_of_kind(&self, form: Form) -> bool {
        match self.attachment.kind {
            AttachmentKind::Trust => form == Form::Trust,
            AttachmentKind::Resource => matches!(form, Form::ResourcePolicy | Form::Permission),
            AttachmentKind::VpcEndpoint => form == Form::ResourcePolicy,
            AttachmentKind::ServiceControl | AttachmentKind::ResourceControl => form == Form::Organization,
            AttachmentKind::Identity | AttachmentKind::Boundary => {
                !matches!(form, Form::Trust | Form::ResourcePolicy | Form::Permission | Form::Organization)
            }
        }
    }

    /// Whether a policy block names a resource by one of the attributes that attach it.
    fn names(&self, at: At, reference: &str) -> bool {
        const BY: &[&str] = &[
            "role",
            "roles",
            "user",
            "users",
            "group",
            "groups",
            "bucket",
            "queue_url",
            "arn",
            "key_id",
            "secret_arn",
            "role_name",
            "resource_arn",
            "function_name",
            "repository",
            "rest_api_id",
            "vpc_endpoint_id",
            "file_system_id",
        ];
        let Some(body) = self.terraform.body(at) else { return false };
        BY.iter().filter_map(|key| body.get(key)).any(|node| refers_to(node, reference))
    }

    /// A managed policy that these files hold is edited where its document stands.
    fn managed_in_files(&self, site: Site) -> Site {
        if site.writing != Writing::Attached || self.change.is_some_and(|change| change.after.is_none()) {
            return site;
        }
        let node = self.terraform.body(site.at).and_then(|body| body.at(&site.place));
        let name = node.and_then(Node::raw_text).and_then(|text| {
            let name = text.strip_prefix("aws_iam_policy.")?;
            let name = name.strip_suffix(".arn").or_else(|| name.strip_suffix(".id"))?;
            Some(name.strip_suffix("[0]").unwrap_or(name))
        });
        let found =
            name.and_then(|name| self.terraform.resource(self.terraform.module_of(site.at), "aws_iam_policy", name));
        let document = found.and_then(|at| policies::sites_of(self.terraform, at).into_iter().next());
        document.unwrap_or(site)
    }

    /// The policies of that name or ARN.
    fn by_name(&self, sites: &[Site], account: &Account, name: &str) -> Vec<Site> {
        let last = name.rsplit('/').next().unwrap_or(name);
        let fits = |site: &Site, defaults: bool| {
            let fuel = Cell::new(0);
            let evaluator =
                Evaluator::new(self.terraform, self.terraform.module_of(site.owner), account, defaults, &fuel);
            let body = self.terraform.body(site.owner);
            let value = match (site.writing, site.form) {
                (Writing::Attached, _) => body.and_then(|body| body.at(&site.place)).map(|node| evaluator.value(node)),
                (_, Form::Inline) => {
                    body.and_then(|b| b.at(&site.named_at)?.get("name")).map(|node| evaluator.value(node))
                }
                (_, Form::PolicyResource) if inputs::is_call(self.terraform, site.owner) => {
                    body.map(|body| crate::resolve::Value::Text(inputs::policy_name(&evaluator.fresh(), body, site)))
                }
                (_, Form::PolicyResource) => body.map(|body| {
                    let own = body.get("name").or_else(|| body.get("name_prefix"));
                    own.map_or_else(super::evaluate::hole, |node| {
                        let mut text = super::functions::as_text(&evaluator.value(node));
                        if body.get("name").is_none() {
                            text.push(crate::resolve::Text::hole());
                        }
                        crate::resolve::Value::Text(text)
                    })
                }),
                _ => None,
            };
            match value {
                Some(crate::resolve::Value::Text(text)) if defaults => {
                    text.known().is_some_and(|t| t == name || t == last || t.rsplit('/').next() == Some(last))
                }
                Some(crate::resolve::Value::Text(text)) => text.explains(name) || text.explains(last),
                _ => false,
            }
        };
        let exact: Vec<Site> = sites.iter().filter(|site| fits(site, true)).cloned().collect();
        if exact.is_empty() { sites.iter().filter(|site| fits(site, false)).cloned().collect() } else { exact }
    }

    fn explains(&self, resolver: &Evaluator<'_>, site: &Site) -> bool {
        let before = self.change.and_then(|change| change.before.as_ref());
        match (before, policies::read(self.terraform, site)) {
            (Some(before), Some(node)) => {
                let resolver = outside::evaluator(resolver.fresh(), site);
                match gather::gathered(self.terraform, site) {
                    Some(all) => compare::pair(&resolver, &all.statements(), &before.statements).is_some(),
                    None => compare::explains_document(&resolver, &node, before),
                }
            }
            _ => false,
        }
    }

    /// What a person should look at: instances, shared roles, shared documents, modules called more than once.
    fn found(&self, site: Site, account: Account) -> Found {
        let terraform = self.terraform;
        let mut reviews = Vec::new();
        for at in [site.owner, site.at] {
            let counted = terraform.body(at).and_then(policies::multiplied);
            if let Some(how) = counted {
                let review = format!("`{}` has `{how}`: one text stands for several policies", named(terraform, at));
                if !reviews.contains(&review) {
                    reviews.push(review);
                }
            }
        }
        reviews.extend(effect::ignored(terraform, &site));
        reviews.extend(inputs::review(terraform, &site));
        reviews.extend(outside::reviews(terraform, &site));
        if let Some(gathered) = gather::gathered(terraform, &site) {
            reviews.extend(gathered.reviews(terraform, &site));
        }
        if is_made(terraform, &site) {
            reviews.push("a `dynamic` block makes the policy: one text may stand for several".into());
        }
        let module = terraform.module_of(site.owner);
        let calls = terraform.calls_of(module);
        if calls.len() > 1 {
            let calls: Vec<String> = calls.iter().map(|call| named(terraform, *call)).collect();
            reviews.push(format!("the module is called {} times: {}", calls.len(), calls.join(", ")));
        } else if let [call] = calls
            && let Some(how) = terraform.body(*call).and_then(policies::multiplied)
        {
            reviews.push(format!("`{}` has `{how}`: one text stands for several policies", named(terraform, *call)));
        }
        let attachments = self.attachments_of(site.owner);
        if attachments.len() > 1 {
            reviews.push(format!(
                "the managed policy is attached by {}: {}",
                attachments.len(),
                attachments.join(", ")
            ));
        }
        let users = self.users_of_text(&site);
        if users.len() > 1 {
            reviews.push(format!("the document is used by {}: {}", users.len(), users.join(", ")));
        }
        let shared_by = self.functions_of(&site);
        if shared_by.len() > 1 {
            let count = shared_by.len();
            reviews.push(format!("the role is shared by {count} functions: {}", shared_by.join(", ")));
        }
        Found { site, account, shared_by, reviews }
    }

    /// The blocks that attach a managed policy of these files.
    fn attachments_of(&self, policy: At) -> Vec<String> {
        let Some(block) = self.terraform.block(policy).filter(|b| b.is("resource", "aws_iam_policy")) else {
            return Vec::new();
        };
        let reference = policies::address(block);
        let carriers = policies::carriers(self.terraform, self.terraform.module_of(policy));
        let attaches = |at: &At| {
            let body = self.terraform.body(*at);
            let arns = ["policy_arn", "policy_arns", "managed_policy_arns", "permissions_boundary"];
            body.is_some_and(|body| arns.iter().filter_map(|key| body.get(key)).any(|node| refers_to(node, &reference)))
        };
        carriers.into_iter().filter(attaches).map(|at| named(self.terraform, at)).collect()
    }

    /// The resources whose policy is the same text, or into which it goes.
    fn users_of_text(&self, site: &Site) -> Vec<String> {
        let mut users = Vec::new();
        if site.at != site.owner {
            let module = self.terraform.module_of(site.at);
            let crosses = site.writing == Writing::Document || module != self.terraform.module_of(site.owner);
            let modules = if crosses { 0..self.terraform.modules.len() } else { module..module + 1 };
            let all = modules
                .flat_map(|module| self.terraform.blocks(module))
                .flat_map(|(at, _)| policies::sites_of(self.terraform, at));
            let same = all.filter(|other| other.at == site.at && other.place == site.place);
            users.extend(same.map(|other| named(self.terraform, other.owner)));
        } else {
            users.push(named(self.terraform, site.owner));
        }
        for at in uses::beyond(self.terraform, site) {
            let user = named(self.terraform, at);
            if !users.contains(&user) {
                users.push(user);
            }
        }
        users
    }

    /// The functions that run as the role a policy is attached to.
    fn functions_of(&self, site: &Site) -> Vec<String> {
        let Some(block) = self.terraform.block(site.owner) else { return Vec::new() };
        let module = self.terraform.module_of(site.owner);
        let managed = block.of() == "aws_iam_policy";
        let roles: Vec<String> = self
            .terraform
            .blocks(module)
            .filter(|(at, role)| {
                let reference = format!("aws_iam_role.{}", role.name());
                role.is("resource", "aws_iam_role")
                    && (*at == site.owner
                        || self.names(site.owner, &reference)
                        || (managed && self.attaches(module, block.name(), &reference)))
            })
            .map(|(_, role)| format!("aws_iam_role.{}", role.name()))
            .collect();
        let functions = self.terraform.blocks(module).filter(|(at, block)| {
            let role = self.terraform.body(*at).filter(|_| block.is("resource", "aws_lambda_function"));
            let role = role.and_then(|body| body.get("role"));
            role.is_some_and(|node| roles.iter().any(|reference| refers_to(node, reference)))
        });
        functions.map(|(_, block)| policies::address(block)).collect()
    }

    /// Whether an attachment brings the managed policy of that name to a role.
    fn attaches(&self, module: usize, policy: &str, role: &str) -> bool {
        let blocks = self.terraform.blocks(module);
        let mut attachments = blocks.filter(|(_, b)| b.kind() == "resource" && b.of().ends_with("_attachment"));
        attachments.any(|(at, _)| {
            let arn = self.terraform.body(at).and_then(|body| body.get("policy_arn"));
            arn.is_some_and(|node| refers_to(node, &format!("aws_iam_policy.{policy}"))) && self.names(at, role)
        })
    }
}

/// Whether a `dynamic` block makes an inline policy of a role.
pub(super) fn is_made(terraform: &Terraform, site: &Site) -> bool {
    let block = site.named_at.steps().first().and_then(|step| terraform.body(site.owner)?.entries().get(*step));
    site.form == Form::Inline && block.is_some_and(|entry| entry.name() == "dynamic inline_policy")
}
