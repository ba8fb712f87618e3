//! Who else a policy's text is for: the roles, users, groups, queues and topics that it names beside the one of a change.
//!
//! What the source itself makes is found as a deployment of the text; here are those it only names, and those that nothing
//! tells. Edits nothing.

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::snapshot::SnapshotIndex;

use super::candidates::principals;
use super::names::Names;
use super::reach::{Sources, Spot};
use crate::hcl;
use crate::intrinsic::{self, references};
use crate::locate::{self, Found};
use crate::resolve::{Resolver, Value};
use crate::template::Template;
use crate::tree::Node;

/// The properties that name whom a policy is for, by the type of the policy's resource.
const LISTS: &[(&str, &[&str])] = &[
    ("AWS::IAM::Policy", &["Roles", "Users", "Groups"]),
    ("AWS::IAM::ManagedPolicy", &["Roles", "Users", "Groups"]),
    ("AWS::SQS::QueuePolicy", &["Queues"]),
    ("AWS::SNS::TopicPolicy", &["Topics"]),
];

/// What the other holders of a text mean for a change of it.
pub(super) enum Verdict {
    /// Deployed for this one too, which is not asked to change.
    Deployed(String),
    /// A person should look, for this reason.
    Review(String),
}

/// Somebody whom a text names.
enum Holder {
    /// By a name or ARN, in this property.
    Named(String),
    /// A resource of the same template.
    Made(String),
    /// Nobody can tell.
    Open,
}

/// What the other holders of a change's text mean for it. `is_followed` says of a holder whether it is among the
/// deployments that are compared anyway.
pub(super) fn of(
    sources: &Sources<'_>,
    index: &SnapshotIndex<'_>,
    change: &Change,
    is_followed: &dyn Fn(&Arn) -> bool,
) -> Vec<Verdict> {
    let attachment = &change.attachment;
    let by_arn = attachment.logical_id.is_none() && attachment.address.is_none();
    let Some(own) = attachment.principal_arn.as_ref().or(attachment.resource_arn.as_ref()).filter(|_| by_arn) else {
        return Vec::new();
    };
    let found = locate::find(sources.templates, sources.deployed, attachment, Some(change));
    if sources.is_for_terraform(attachment, found.as_ref().err()) {
        return in_terraform(sources, index, change, own, is_followed);
    }
    let Ok(found) = found else { return Vec::new() };
    let Some(template) = sources.templates.get(found.template) else { return Vec::new() };
    let search = Search { sources, index, attachment, own, template, found: &found };
    search.verdicts()
}

struct Search<'s, 'p> {
    sources: &'s Sources<'p>,
    index: &'s SnapshotIndex<'s>,
    attachment: &'s Attachment,
    own: &'s Arn,
    template: &'s Template,
    found: &'s Found<'p>,
}

impl Search<'_, '_> {
    fn verdicts(&self) -> Vec<Verdict> {
        let resource = &self.found.site.resource;
        let Some((_, lists)) = LISTS.iter().find(|(kind, _)| *kind == resource.kind) else { return Vec::new() };
        let mut verdicts = Vec::new();
        for property in *lists {
            let items = resource.property(property).map(leaves).unwrap_or_default();
            for holder in items.into_iter().flat_map(|item| self.holders(item)) {
                verdicts.extend(self.verdict(property, holder));
            }
        }
        verdicts
    }

    /// Whom an item names, unless it is the one of the change.
    fn holders(&self, item: &Node) -> Vec<Holder> {
        let named = references(item);
        if let [id] = named.as_slice()
            && (self.template.declares(id) || self.template.owner_of_role(id).is_some())
        {
            return if self.is_own(id) { Vec::new() } else { vec![Holder::Made(id.clone())] };
        }
        let resolver = Resolver::with_defaults(self.template, &self.found.stack);
        let one = |value: &Value| match value {
            Value::Text(text) => text.known().map_or(Holder::Open, Holder::Named),
            _ => Holder::Open,
        };
        let found = match resolver.value(item) {
            Value::Absent => Vec::new(),
            Value::List(items) => items.iter().map(one).collect(),
            value => vec![one(&value)],
        };
        found
            .into_iter()
            .filter(|holder| !matches!(holder, Holder::Named(name) if self.is_named(name, self.own)))
            .collect()
    }

    /// Whether a resource of the template is the one of the change.
    fn is_own(&self, id: &str) -> bool {
        if self.is_of_resource() {
            return self.arn_of(id).is_some_and(|arn| arn == *self.own);
        }
        let role = |owner: &str| owner == id || id.strip_suffix("Role") == Some(owner);
        let owners = locate::owners_of(self.sources.templates, self.sources.deployed, self.attachment);
        owners.iter().any(|(template, owner)| *template == self.found.template && role(owner))
    }

    fn is_of_resource(&self) -> bool {
        self.attachment.kind == AttachmentKind::Resource
    }

    fn arn_of(&self, id: &str) -> Option<Arn> {
        let resolver = Resolver::with_defaults(self.template, &self.found.stack);
        resolver.arn_of(&self.template.resource(id)?)?.parse().ok()
    }

    /// Whether a name, ARN or URL that a template gives is of this one.
    fn is_named(&self, name: &str, arn: &Arn) -> bool {
        if !self.is_of_resource() {
            return name == arn.name();
        }
        match queue_of(name) {
            Some((region, account, queue)) => {
                let region = region.is_none_or(|region| region == arn.region());
                region && account == arn.account_text() && queue == arn.name()
            }
            None => name == arn.as_str(),
        }
    }

    fn verdict(&self, property: &str, holder: Holder) -> Option<Verdict> {
        let resource = self.found.site.resource.id;
        let review = |who: &str| {
            Some(Verdict::Review(format!(
                "`{property}` of `{resource}` also names {who}: the edit reaches that one too"
            )))
        };
        let unseen = |name: &str| review(&format!("`{name}`, which the snapshot does not hold"));
        match holder {
            Holder::Open => review("one that only the deployment knows"),
            Holder::Made(id) if self.is_of_resource() => {
                let seen = self.arn_of(&id).is_some_and(|arn| self.index.resource_policy(&arn).is_some());
                if seen { None } else { unseen(&id) }
            }
            Holder::Made(id) => {
                if self.is_deployed(property, &id) {
                    None
                } else {
                    unseen(&id)
                }
            }
            Holder::Named(name) if self.is_of_resource() => {
                let mut policies = self.index.snapshot().accounts.values().flat_map(|a| a.resource_policies.keys());
                if policies.any(|arn| self.is_named(&name, arn)) {
                    Some(Verdict::Deployed(name))
                } else {
                    unseen(&name)
                }
            }
            Holder::Named(name) => {
                let mut named = self.of_kind(property).filter(|arn| arn.name() == name);
                let Some(arn) = named.next() else { return unseen(&name) };
                // Who holds a managed policy stands in the snapshot, and is judged with it.
                if self.is_managed() { self.attached(arn, &name, &unseen) } else { Some(Verdict::Deployed(name)) }
            }
        }
    }

    fn attached(&self, arn: &Arn, name: &str, unseen: &dyn Fn(&str) -> Option<Verdict>) -> Option<Verdict> {
        let policy: Option<Arn> = self.attachment.policy_name.as_ref().and_then(|name| name.parse().ok());
        let held = self.index.identity(arn).map(|identity| &identity.attached_policies);
        let seen = held.zip(policy).is_some_and(|(held, policy)| held.contains(&policy));
        if seen { None } else { unseen(name) }
    }

    fn is_managed(&self) -> bool {
        self.found.site.resource.kind == "AWS::IAM::ManagedPolicy"
    }

    /// The principals of the change's account that a property can name.
    fn of_kind(&self, property: &str) -> impl Iterator<Item = &Arn> {
        let kind = match property {
            "Users" => "user/",
            "Groups" => "group/",
            _ => "role/",
        };
        let own = self.own.account_text();
        let here = move |arn: &&Arn| arn.account_text() == own && arn.resource().starts_with(kind);
        principals(self.index).filter(here)
    }

    /// Whether the snapshot holds what a resource of the template makes; it is then compared with the change.
    fn is_deployed(&self, property: &str, id: &str) -> bool {
        let names = Names::of(self.sources, &[self.found.template].into(), false);
        let made = |spot: &Spot| match spot {
            Spot::Home(template, owner) => {
                *template == self.found.template && (owner == id || id.strip_suffix("Role") == Some(owner))
            }
            _ => false,
        };
        let is_it = |arn: &&Arn| {
            names.may_be(arn)
                && self.sources.homes(&Attachment::identity((*arn).clone(), String::new())).iter().any(made)
        };
        self.of_kind(property).any(|arn| is_it(&arn))
    }
}

/// The single values of a list, those of every branch of `Fn::If` among them.
fn leaves(node: &Node) -> Vec<&Node> {
    match intrinsic::call(node) {
        Some(call) if call.name == "If" => call.argument.items().iter().skip(1).flat_map(leaves).collect(),
        Some(_) => vec![node],
        None if node.is_seq() => node.items().iter().flat_map(leaves).collect(),
        None => vec![node],
    }
}

/// The Region, account and name of the queue that a URL leads to; the oldest form names no Region.
fn queue_of(url: &str) -> Option<(Option<&str>, &str, &str)> {
    let mut parts = url.strip_prefix("https://")?.split('/');
    let (host, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    let region = host.strip_prefix("sqs.").and_then(|rest| rest.split('.').next());
    parts.next().is_none().then_some((region, account, name))
}

/// The policies of Terraform that say the same text, and whom they are for.
fn in_terraform(
    sources: &Sources<'_>,
    index: &SnapshotIndex<'_>,
    change: &Change,
    own: &Arn,
    is_followed: &dyn Fn(&Arn) -> bool,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for other in hcl::other_holders(sources.terraform, change) {
        let here = |arn: &&Arn| arn.account_text() == own.account_text() && *arn != own && !is_followed(arn);
        let mut found = principals(index).filter(here);
        let holds = |arn: &Arn| match &other {
            hcl::Holder::Principal { kind, name } => arn.resource().starts_with(kind) && arn.name() == name,
            hcl::Holder::Policy(policy) => index
                .identity(arn)
                .is_some_and(|identity| identity.attached_policies.iter().any(|held| held.name() == policy)),
        };
        verdicts.extend(found.find(|arn| holds(arn)).map(|arn| Verdict::Deployed(arn.name().to_owned())));
    }
    verdicts
}
