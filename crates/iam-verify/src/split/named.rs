//! Policies that tell two roles apart by their names: what one lets the shared role do, it need not let the new one do.
//!
//! Looks for principals and for values of conditions that are the one role and not the other; what follows from them is
//! for the claims.

use iam_evaluate::glob::{Glob, Reading};
use iam_model::arn::Arn;
use iam_model::condition::{Condition, Operator};
use iam_model::policy::{
    Effect, PolicyDocument, PolicyVersion, PrincipalElement, PrincipalPattern, PrintStyle, Statement, print,
};
use iam_model::snapshot::{Role, SnapshotIndex};

/// A policy, and where it stands, in words.
pub(super) type Place<'a> = (String, &'a PolicyDocument);

/// Every policy that may speak of a role of the account, its own apart.
pub(super) fn places<'a>(shared: &Arn, index: &SnapshotIndex<'a>) -> Vec<Place<'a>> {
    let snapshot = index.snapshot();
    let mut places: Vec<Place<'a>> = Vec::new();
    for account in snapshot.accounts.values() {
        places
            .extend(account.resource_policies.iter().map(|(arn, document)| (format!("the policy of {arn}"), document)));
    }
    let others = index.roles().filter(|role| role.identity.arn != *shared);
    places.extend(others.map(|role| (format!("the trust policy of {}", role.identity.arn), &role.trust)));
    let accounts = snapshot.organization.iter().flat_map(|organization| &organization.accounts);
    for (id, above) in accounts {
        let service = above.scps.iter().flatten();
        places.extend(service.map(|document| (format!("a service control policy above account {id}"), document)));
        let resource = above.rcps.iter().flatten();
        places.extend(resource.map(|document| (format!("a resource control policy above account {id}"), document)));
    }
    places.extend(index.boundary(shared).map(|document| ("the permissions boundary".to_owned(), document)));
    places
}

/// What a policy says of the one role and not of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Difference {
    /// It lets the shared role do something that it does not let the new one do, or may.
    pub(super) takes: bool,
    /// The other way round.
    pub(super) gives: bool,
}

/// The names of the two roles: ARNs, sessions, and what `aws:userid` begins with.
pub(super) struct Names {
    shared: Vec<String>,
    new: Vec<String>,
}

impl Names {
    pub(super) fn new(shared: &Role, new: &Arn, function: &str) -> Self {
        let session = |role: &Arn| {
            let account = role.account().map(|id| id.to_string()).unwrap_or_default();
            format!("arn:{}:sts::{account}:assumed-role/{}/{function}", role.partition(), role.name())
        };
        let names = |role: &Arn, id: &str| {
            [role.to_string(), session(role), format!("{id}:{function}")].map(|name| name.to_ascii_lowercase()).into()
        };
        let id = shared.identity.unique_id.as_deref().unwrap_or("(the shared role's id)");
        Self { shared: names(&shared.identity.arn, id), new: names(new, "(the new role's id)") }
    }

    pub(super) fn told_apart(&self, document: &PolicyDocument) -> Difference {
        let mut difference = Difference::default();
        if !document.unknown.is_empty() {
            let text = print(document, PrintStyle::Compact).to_ascii_lowercase();
            let named = self.shared.iter().chain(&self.new).any(|name| text.contains(name.as_str()));
            difference = Difference { takes: named, gives: named };
        }
        for statement in &document.statements {
            let of = self.of_statement(statement);
            // What a deny takes by matching, it gives by not matching.
            let (takes, gives) =
                if statement.effect == Effect::Allow { (of.takes, of.gives) } else { (of.gives, of.takes) };
            difference.takes |= takes;
            difference.gives |= gives;
        }
        difference
    }

    /// Whether the statement matches the one role and may not match the other.
    fn of_statement(&self, statement: &Statement) -> Difference {
        let mut difference = Difference::default();
        if let Some(principal) = &statement.principal {
            let (listed, negated) = match principal {
                PrincipalElement::Principal(listed) => (listed, false),
                PrincipalElement::NotPrincipal(listed) => (listed, true),
            };
            let names = listed.iter().filter_map(|one| match &one.value {
                PrincipalPattern::Aws(text) | PrincipalPattern::Unknown { value: text, .. } => Some(text.as_str()),
                _ => None,
            });
            self.add(&mut difference, names, negated);
        }
        for Condition { operator, values, .. } in &statement.conditions {
            let texts = || values.iter().map(|value| value.value.as_str());
            match operator {
                Operator::Known { set: None, comparison, .. } => {
                    self.add(&mut difference, texts(), comparison.is_negated());
                }
                _ => {
                    self.add(&mut difference, texts(), true);
                    self.add(&mut difference, texts(), false);
                }
            }
        }
        difference
    }

    fn add<'t>(&self, difference: &mut Difference, texts: impl Iterator<Item = &'t str>, negated: bool) {
        let globs: Vec<Glob> = texts
            .map(|text| Glob::parse(&text.to_ascii_lowercase(), Reading::resource(PolicyVersion::V2012)).widened())
            .collect();
        for (shared, new) in self.shared.iter().zip(&self.new) {
            let is = |name: &String| globs.iter().any(|glob| glob.matches(name));
            let (only_shared, only_new) = (is(shared) && !is(new), is(new) && !is(shared));
            difference.takes |= if negated { only_new } else { only_shared };
            difference.gives |= if negated { only_shared } else { only_new };
        }
    }
}

/// The first policy that asks for a tag of the caller by one of these keys.
pub(super) fn asks_for_tag<'p>(keys: &[&str], places: impl Iterator<Item = Place<'p>>) -> Option<(String, String)> {
    let wanted: Vec<String> = keys.iter().map(|key| format!("aws:principaltag/{key}").to_ascii_lowercase()).collect();
    places.into_iter().find_map(|(place, document)| {
        let text = print(document, PrintStyle::Compact).to_ascii_lowercase();
        let at = wanted.iter().position(|key| text.contains(key.as_str()))?;
        Some((place, keys.get(at)?.to_string()))
    })
}
