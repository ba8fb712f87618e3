//! Reading the catalogue's data. A word nobody knows puts the entry aside, named; it never shortens what an entry asks for.

use iam_model::condition::ConditionKey;
use iam_model::json::{Arena, Limits, Node, parse};
use iam_model::snapshot::ResourceKind;

use super::{
    Carried, Catalogue, Category, ExistingResource, Gain, Place, Prerequisite, Requirement, TargetKind, Technique,
    TrustAsked,
};

const SCHEMA: &str = "paring-techniques/1";

/// Reads the data.
pub(super) fn read(text: &str) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let arena = Arena::for_text(text.len());
    let root = match parse(&arena, text, Limits::FILE) {
        Ok(root) if root.get("schema").and_then(Node::as_str) == Some(SCHEMA) => root,
        Ok(_) => {
            catalogue.not_understood.push("techniques: the catalogue is of an unknown schema".into());
            return catalogue;
        }
        Err(error) => {
            catalogue.not_understood.push(format!("techniques: the catalogue is not JSON: {error}"));
            return catalogue;
        }
    };
    for node in root.get("techniques").map(Node::items).unwrap_or_default() {
        match technique(node) {
            Ok(technique) => {
                catalogue.places.entry(technique.id.clone()).or_insert(catalogue.techniques.len());
                catalogue.techniques.push(technique);
            }
            Err(why) => {
                let id = text_of(node, "id").unwrap_or("without an id");
                catalogue.not_understood.push(format!("technique {id}: {why}"));
            }
        }
    }
    catalogue
}

fn technique(node: &Node<'_>) -> Result<Technique, String> {
    const KEYS: &[&str] = &[
        "id",
        "category",
        "target",
        "requires",
        "trusts",
        "resource",
        "when",
        "assumes",
        "gains",
        "variant_of",
        "note",
        "known_by",
    ];
    if let Some(member) = node.members().iter().find(|m| !KEYS.contains(&m.key)) {
        return Err(format!("unknown member `{}`", member.key));
    }
    let requires: Vec<Requirement> = items(node, "requires").iter().map(requirement).collect::<Result<_, _>>()?;
    if requires.is_empty() {
        return Err("it requires nothing".into());
    }
    Ok(Technique {
        id: text_of(node, "id").ok_or("no id")?.into(),
        category: word(node, "category", category)?,
        target: word(node, "target", target)?,
        requires,
        trusts: texts(node, "trusts")?,
        resource: node.get("resource").map(resource).transpose()?,
        when: texts(node, "when")?.iter().map(|word| prerequisite(word)).collect::<Result<_, _>>()?,
        assumes: texts(node, "assumes")?,
        gains: word(node, "gains", gain)?,
        variant_of: text_of(node, "variant_of").map(Into::into),
        note: text_of(node, "note").map(Into::into),
        known_by: texts(node, "known_by")?,
    })
}

fn requirement(node: &Node<'_>) -> Result<Requirement, String> {
    let action = text_of(node, "action").ok_or("a requirement without an action")?;
    let mut with = Vec::new();
    for member in node.get("with").map(Node::members).unwrap_or_default() {
        let value = member.value.as_str().ok_or("a context value that is no text")?;
        let carried = match value {
            "admin-policy" => Carried::AdminPolicy,
            "deny-policy" => Carried::DenyPolicy,
            "nothing" => Carried::Nothing,
            text => Carried::Text(text.into()),
        };
        with.push((ConditionKey::new(member.key), carried));
    }
    let trust = if node.get("trust").is_some() { word(node, "trust", trust)? } else { TrustAsked::AsItIs };
    let action = action.parse().map_err(|error| format!("{error}"))?;
    Ok(Requirement { action, on: word(node, "on", place)?, with, trust })
}

fn resource(node: &Node<'_>) -> Result<ExistingResource, String> {
    let kind = text_of(node, "kind").ok_or("a resource without a kind")?;
    let runs_as_target = match text_of(node, "runs_as") {
        Some("target") => true,
        Some("anyone") => false,
        other => return Err(format!("unknown `runs_as` {other:?}")),
    };
    Ok(ExistingResource { kind: ResourceKind::parse(kind), runs_as_target })
}

fn category(word: &str) -> Option<Category> {
    use Category::{ExistingPassrole, NewPassrole, PrincipalAccess, SelfEscalation};
    [SelfEscalation, PrincipalAccess, NewPassrole, ExistingPassrole].into_iter().find(|c| c.as_str() == word)
}

fn target(word: &str) -> Option<TargetKind> {
    Some(match word {
        "self" => TargetKind::Start,
        "user" => TargetKind::User,
        "group" => TargetKind::Group,
        "role" => TargetKind::Role,
        _ => return None,
    })
}

fn place(word: &str) -> Option<Place> {
    Some(match word {
        "self" => Place::Start,
        "role" | "user" | "group" => Place::Target,
        "policy" => Place::Policy,
        "boundary" => Place::Boundary,
        "res" => Place::Resource,
        "any" => Place::Any,
        "new" => Place::New,
        "star" => Place::Star,
        _ => return None,
    })
}

fn trust(word: &str) -> Option<TrustAsked> {
    Some(match word {
        "account" => TrustAsked::NamingAccount,
        "start" => TrustAsked::NamingStart,
        _ => return None,
    })
}

fn prerequisite(word: &str) -> Result<Prerequisite, String> {
    Ok(match word {
        "start-is-role" => Prerequisite::StartIsRole,
        "start-is-user" => Prerequisite::StartIsUser,
        "start-in-group" => Prerequisite::StartInGroup,
        "start-not-in-group" => Prerequisite::StartNotInGroup,
        "start-bounded" => Prerequisite::StartBounded,
        "target-bounded" => Prerequisite::TargetBounded,
        "target-trusts-start" => Prerequisite::TargetTrustsStart,
        "trusts-outside-account" => Prerequisite::TrustsOutsideAccount,
        "trusts-everyone" => Prerequisite::TrustsEveryone,
        "target-key-slot" => Prerequisite::TargetKeySlot,
        "target-keys-full" => Prerequisite::TargetKeysFull,
        "target-without-password" => Prerequisite::TargetWithoutPassword,
        "target-with-password" => Prerequisite::TargetWithPassword,
        "version-slot" => Prerequisite::VersionSlot,
        "older-version" => Prerequisite::OlderVersion,
        "managed-deny" => Prerequisite::ManagedDeny,
        "inline-deny" => Prerequisite::InlineDeny,
        "group-managed-deny" => Prerequisite::GroupManagedDeny,
        "group-inline-deny" => Prerequisite::GroupInlineDeny,
        "group-deny" => Prerequisite::GroupDeny,
        "management-account" => Prerequisite::ManagementAccount,
        "instance-profile" => Prerequisite::InstanceProfile,
        other => match other.strip_prefix("api:") {
            Some(member) => Prerequisite::Api(member.into()),
            None => return Err(format!("unknown prerequisite `{other}`")),
        },
    })
}

fn gain(word: &str) -> Option<Gain> {
    Some(match word {
        "rewrite-own-policy" => Gain::RewriteOwnPolicy,
        "join-target-group" => Gain::JoinGroup,
        "act-as-target" => Gain::ActAsTarget,
        "rewrite-then-act-as-target" => Gain::RewriteThenActAsTarget,
        "lift-own-boundary" => Gain::LiftOwnBoundary,
        "lift-boundary-then-act-as-target" => Gain::LiftBoundaryThenActAsTarget,
        "drop-own-deny" => Gain::DropOwnDeny,
        "create-admin-role" => Gain::CreateAdminRole,
        "org-admin-via-identity-center" => Gain::OrganizationAdmin,
        "service-grants" => Gain::ServiceGrants,
        _ => return None,
    })
}

fn text_of<'n>(node: &'n Node<'_>, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::as_str)
}

fn items<'n, 's>(node: &'n Node<'s>, key: &str) -> &'n [Node<'s>] {
    node.get(key).map(Node::items).unwrap_or_default()
}

fn texts(node: &Node<'_>, key: &str) -> Result<Vec<String>, String> {
    let text = |item: &Node<'_>| item.as_str().map(Into::into).ok_or_else(|| format!("an item of `{key}` is no text"));
    items(node, key).iter().map(text).collect()
}

fn word<T>(node: &Node<'_>, key: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    let word = text_of(node, key).ok_or_else(|| format!("no `{key}`"))?;
    read(word).ok_or_else(|| format!("unknown `{key}`: `{word}`"))
}
