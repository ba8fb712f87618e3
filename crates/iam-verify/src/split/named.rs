//! Policies that tell two roles apart by their names: what one lets the shared role do, it need not let the new one do.
//!
//! Looks for principals and for values of conditions that are the one role and not the other; what follows from them is
//! for the claims.

use std::collections::BTreeSet;

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::condition::{Condition, Operator};
use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PolicyVersion, PrincipalElement, PrincipalPattern, PrintStyle,
    ResourceElement, Statement, print,
};
use iam_model::snapshot::{Account, Role, Snapshot, SnapshotIndex};

/// A policy, and where it stands.
pub(super) struct Place<'a> {
    /// Where, in words.
    pub(super) words: String,
    pub(super) document: &'a PolicyDocument,
    pub(super) of: Of<'a>,
}

/// What kind of policy it is.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    /// On a resource: it can allow by itself.
    Resource(&'a Arn),
    /// On a role.
    Trust(&'a Arn),
    /// Above or beside the role, or its own: what it lets through is granted elsewhere, too.
    Limit,
}

impl Place<'_> {
    /// What a statement of it is about. A bucket's objects stand for a bucket.
    pub(super) fn resources(&self, statement: &Statement) -> Vec<ResourcePattern> {
        let all = match self.of {
            Of::Resource(arn) if arn.service() == "s3" => ResourcePattern::new(&format!("{arn}/*")),
            Of::Resource(arn) | Of::Trust(arn) => ResourcePattern::new(arn.as_str()),
            Of::Limit => ResourcePattern::everything(),
        };
        match &statement.resource {
            ResourceElement::Resource(patterns) if !patterns.is_empty() => {
                let of =
                    |pattern: &ResourcePattern| if pattern.is_everything() { all.clone() } else { pattern.clone() };
                patterns.iter().map(|pattern| of(&pattern.value)).collect()
            }
            _ => vec![all],
        }
    }

    /// Actions that a statement of it is about, in the order of the catalogue; those it names and nobody knows come last.
    pub(super) fn actions<'c>(
        &self,
        statement: &'c Statement,
        catalog: &'c Catalog,
    ) -> impl Iterator<Item = Action> + use<'c> {
        let asked = Actions::of(&statement.action);
        // Whatever is asked for with the assuming is asked for at that.
        let assumes = matches!(self.of, Of::Trust(_));
        let home = if let Of::Resource(arn) = self.of { Some(arn.service().to_owned()) } else { None };
        let named: Vec<&str> = statement.action.patterns().iter().map(|p| p.value.as_str()).collect();
        let services = match statement.action {
            ActionElement::Action(_) => named.iter().map(|text| text.split(':').next().unwrap_or_default()).collect(),
            ActionElement::NotAction(_) => vec!["*"],
        };
        let is_wild = |text: &str| text.contains(['*', '?']);
        let wild = services.iter().any(|service| is_wild(service));
        let speaks = move |service: &str| {
            services.iter().any(|named| named.eq_ignore_ascii_case(service))
                || wild && home.as_deref().is_none_or(|home| home == service)
        };
        let unknown = |text: &&str| !is_wild(text) && matches!(statement.action, ActionElement::Action(_));
        let unknown: Vec<Action> = named.iter().copied().filter(unknown).filter_map(|text| text.parse().ok()).collect();
        let unknown = unknown.into_iter().filter(move |action| !assumes && catalog.action(action).is_none());
        let known = catalog.services().filter(move |service| !assumes && speaks(service));
        let known = known.flat_map(|service| catalog.service_actions(service)).map(|facts| facts.action());
        let assume: Option<Action> = "sts:AssumeRole".parse().ok().filter(|_| assumes);
        let is_asked = move |action: &Action| asked.holds(action);
        known.chain(assume).filter(is_asked).chain(unknown)
    }
}

/// Actions by the patterns that policies give.
#[derive(Default)]
pub(super) struct Actions {
    globs: Vec<Glob>,
    /// Whether they are all but these.
    but: bool,
}

impl Actions {
    fn of(element: &ActionElement) -> Self {
        let globs = element.patterns().iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION)).collect();
        Self { globs, but: matches!(element, ActionElement::NotAction(_)) }
    }

    /// What some statement of these documents may allow.
    pub(super) fn allowed_by<'d>(documents: impl Iterator<Item = &'d PolicyDocument>) -> Self {
        let mut patterns: BTreeSet<&str> = BTreeSet::new();
        for document in documents {
            for statement in document.statements.iter().filter(|statement| statement.effect != Effect::Deny) {
                match &statement.action {
                    ActionElement::Action(named) => patterns.extend(named.iter().map(|p| p.value.as_str())),
                    ActionElement::NotAction(_) => return Self { globs: Vec::new(), but: true },
                }
            }
        }
        let globs = patterns.into_iter().map(|pattern| Glob::parse(pattern, Reading::ACTION)).collect();
        Self { globs, but: false }
    }

    pub(super) fn holds(&self, action: &Action) -> bool {
        self.globs.iter().any(|glob| glob.matches(action.as_str())) != self.but
    }
}

/// The names of the buckets that the snapshot holds anything of.
pub(super) fn buckets(snapshot: &Snapshot) -> BTreeSet<&str> {
    fn of(account: &Account) -> impl Iterator<Item = &str> {
        let all = account.resources.iter().map(|resource| &resource.arn).chain(account.resource_policies.keys());
        all.filter(|arn| arn.service() == "s3").map(Arn::resource)
    }
    snapshot.accounts.values().flat_map(of).collect()
}

/// Every policy that may speak of a role of the account, its own apart.
pub(super) fn places<'a>(shared: &Arn, index: &SnapshotIndex<'a>) -> Vec<Place<'a>> {
    let snapshot = index.snapshot();
    let mut places: Vec<Place<'a>> = Vec::new();
    let place = |words: String, document, of| Place { words, document, of };
    for account in snapshot.accounts.values() {
        let policies = account.resource_policies.iter();
        places.extend(policies.map(|(arn, d)| place(format!("the policy of {arn}"), d, Of::Resource(arn))));
        let endpoints =
            account.vpc_endpoints.iter().filter_map(|(arn, endpoint)| Some((arn, endpoint.policy.as_ref()?)));
        places.extend(endpoints.map(|(arn, d)| place(format!("the policy of {arn}"), d, Of::Limit)));
    }
    let others =
        index.roles().filter(|role| role.identity.arn != *shared).map(|role| (&role.identity.arn, &role.trust));
    places.extend(others.map(|(arn, d)| place(format!("the trust policy of {arn}"), d, Of::Trust(arn))));
    let accounts = snapshot.organization.iter().flat_map(|organization| &organization.accounts);
    for (id, above) in accounts {
        let all = above.scps.iter().flatten().map(|document| ("service", document));
        let all = all.chain(above.rcps.iter().flatten().map(|document| ("resource", document)));
        places.extend(all.map(|(kind, d)| place(format!("a {kind} control policy above account {id}"), d, Of::Limit)));
    }
    places.extend(index.boundary(shared).map(|d| place("the permissions boundary".to_owned(), d, Of::Limit)));
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
            let of = self.effect_of(statement);
            difference.takes |= of.takes;
            difference.gives |= of.gives;
        }
        difference
    }

    /// Whether a statement lets the shared role do something that it does not let the new one do, or may.
    pub(super) fn takes(&self, statement: &Statement) -> bool {
        self.effect_of(statement).takes
    }

    fn effect_of(&self, statement: &Statement) -> Difference {
        let Difference { takes, gives } = self.of_statement(statement);
        // What a deny takes by matching, it gives by not matching.
        if statement.effect == Effect::Allow {
            Difference { takes, gives }
        } else {
            Difference { takes: gives, gives: takes }
        }
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
    places.into_iter().find_map(|place| {
        let text = print(place.document, PrintStyle::Compact).to_ascii_lowercase();
        let at = wanted.iter().position(|key| text.contains(key.as_str()))?;
        Some((place.words, keys.get(at)?.to_string()))
    })
}
