//! Which request parameters tell what a call was authorised against: calls that share them are judged once.

use crate::certain::{OWNERS, PATH, QUALIFIER};
use crate::json::Raw;
use crate::plan::{ENCRYPTION_CONTEXT, HOST, Pair, Plan, QUEUE_URL, Resolved, STATEMENTS, TELLING_APART, When};
use crate::template::{Path, Text};
use crate::together::{CATALOG, Together};
use crate::unnamed::{Unnamed, may_be_on_more, write_more, write_named};

/// The request parameters that matter.
#[derive(Debug, Default)]
pub(crate) struct Needed {
    /// Names at the top, spelt either way.
    roots: Vec<Root>,
    /// All of them.
    whole: bool,
    /// Whether the rest may name a resource elsewhere.
    named: bool,
}

/// A parameter that matters.
#[derive(Debug)]
struct Root {
    name: String,
    /// Whether only the names of its members matter, not their values.
    keys_only: bool,
}

impl Needed {
    /// What any of an event's plans looks at.
    pub(crate) fn of(resolved: &Resolved<'_>) -> Self {
        let mut needed = Self::default();
        let Resolved::Operations(plans) = resolved else { return needed };
        needed.add_deciding(plans);
        [QUEUE_URL, HOST, "resourceType", "resourceId"].into_iter().chain(OWNERS).for_each(|root| needed.add(root));
        let pairs = || plans.iter().flat_map(|plan| &plan.pairs);
        pairs().for_each(|pair| needed.add_templates(pair));
        // Ids, and ARNs that no template leads to, may stand anywhere.
        let anywhere = |pair: &Pair<'_>| {
            matches!(pair.when, When::PassesRole)
                || pair.takes_resource && (pair.has_ids || pair.templates.is_empty())
                || may_be_on_more(pair.action.as_str())
        };
        needed.whole = pairs().any(anywhere);
        needed.named = pairs().any(|pair| matches!(pair.unnamed, Unnamed::Any | Unnamed::Star));
        needed
    }

    /// What they look at beside what tells the resources; nothing where the two go together.
    pub(crate) fn beside_resources(resolved: &Resolved<'_>) -> Option<Self> {
        let Resolved::Operations(plans) = resolved else { return None };
        let mut pairs = plans.iter().flat_map(|plan| &plan.pairs);
        if pairs.any(|pair| matches!(pair.when, When::PassesRole)) {
            return None;
        }
        let mut needed = Self::default();
        needed.add_deciding(plans);
        let by_templates = |pair: &&Pair<'_>| matches!(pair.when, When::TemplateResolves);
        let pairs = plans.iter().flat_map(|plan| &plan.pairs);
        pairs.filter(by_templates).for_each(|pair| needed.add_templates(pair));
        Some(needed)
    }

    /// What tells operations apart, which of their actions were checked, and what else the call proves.
    fn add_deciding(&mut self, plans: &[Plan<'_>]) {
        if plans.len() > 1 {
            TELLING_APART.iter().for_each(|root| self.add(root));
        }
        if plans.iter().any(|plan| plan.service == "kms") {
            self.add(ENCRYPTION_CONTEXT);
        }
        for pair in plans.iter().flat_map(|plan| &plan.pairs) {
            match &pair.when {
                When::HasAny(paths) => paths.iter().for_each(|path| self.add(path.root())),
                When::SqlVerb(_) => STATEMENTS.iter().for_each(|path| self.add(Path::compile(path).root())),
                When::Always | When::TemplateResolves | When::PassesRole => {}
            }
        }
    }

    fn add_templates(&mut self, pair: &Pair<'_>) {
        pair.templates.iter().flat_map(|(_, texts)| texts).flat_map(Text::paths).for_each(|path| {
            self.add_root(path.root(), path.ends_in_keys());
        });
        if pair.together == Together::Catalog {
            self.add(CATALOG);
        }
        if pair.action.service() == "lambda" {
            self.add(QUALIFIER);
        }
        if pair.action.service() == "iam" {
            self.add(PATH);
        }
    }

    fn add(&mut self, name: &str) {
        self.add_root(name, false);
    }

    fn add_root(&mut self, name: &str, keys_only: bool) {
        match self.roots.iter_mut().find(|known| known.name == name) {
            Some(known) => known.keys_only &= keys_only,
            None => self.roots.push(Root { name: name.to_owned(), keys_only }),
        }
    }

    /// The names at the top that are needed, where these are all and stand for plain values; else why not.
    #[cfg(test)]
    pub(crate) fn plain(&self, resolved: &Resolved<'_>) -> Result<Vec<&str>, String> {
        let Resolved::Operations(plans) = resolved else { return Err("no operation".into()) };
        if self.whole {
            return Err("what matters may stand anywhere".into());
        }
        for pair in plans.iter().flat_map(|plan| &plan.pairs) {
            let texts = pair.templates.iter().flat_map(|(_, texts)| texts);
            let nested = texts.flat_map(Text::paths).find(|path| !path.is_plain());
            let asked = match &pair.when {
                When::HasAny(paths) => paths.iter().find(|path| !path.is_plain()),
                _ => None,
            };
            if let Some(path) = nested.or(asked) {
                return Err(format!("{path:?} is nested"));
            }
        }
        Ok(self.roots.iter().map(|root| root.name.as_str()).collect())
    }

    /// Writes what is needed of a request behind a key, as a request of its own.
    pub(crate) fn project(&self, request: Raw<'_>, key: &mut Vec<u8>) {
        // Exports of queries hold parameters as text.
        if let Some(text) = request.text().filter(|text| text.starts_with('{')) {
            return self.project(Raw(text.as_bytes()), key);
        }
        if self.whole || !request.is_object() {
            key.extend_from_slice(request.0);
            return;
        }
        key.push(b'{');
        let empty = key.len();
        for (name, value) in request.members() {
            match self.keeps(name) {
                Keeps::Nothing => {}
                Keeps::Keys if value.is_object() => {
                    write_name(name, key);
                    key.push(b'{');
                    for (name, _) in value.members() {
                        write_name(name, key);
                        key.extend_from_slice(b"0,");
                    }
                    key.extend_from_slice(b"},");
                }
                Keeps::Keys | Keeps::Value => {
                    write_name(name, key);
                    key.extend_from_slice(value.0);
                    key.push(b',');
                }
            }
        }
        if self.named && key.len() == empty {
            write_named(request, key);
        } else if self.named {
            write_more(key);
        }
        key.push(b'}');
    }

    /// The values in a request that do not matter, as long as there is one; in order.
    pub(crate) fn not_needed<'a>(&self, request: Raw<'a>) -> Vec<Raw<'a>> {
        // Where nothing needed is there, what the rest names may matter.
        let nothing = || request.members().all(|(name, _)| self.keeps(name) == Keeps::Nothing);
        let mut out = Vec::new();
        if self.whole || self.named && nothing() {
            return out;
        }
        for (name, value) in request.members() {
            match self.keeps(name) {
                Keeps::Nothing => out.push(value),
                Keeps::Keys => out.extend(value.members().map(|(_, value)| value)),
                Keeps::Value => {}
            }
        }
        out
    }

    fn keeps(&self, name: &[u8]) -> Keeps {
        let mut found = self.roots.iter().filter(|root| is_spelt(root.name.as_bytes(), name)).peekable();
        if name.ends_with(b"Request") || found.peek().is_some() && !found.all(|root| root.keys_only) {
            return Keeps::Value;
        }
        let keys = self.roots.iter().any(|root| is_spelt(root.name.as_bytes(), name));
        if keys { Keeps::Keys } else { Keeps::Nothing }
    }
}

/// What of a parameter matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Nothing,
    Keys,
    Value,
}

fn write_name(name: &[u8], key: &mut Vec<u8>) {
    key.push(b'"');
    key.extend_from_slice(name);
    key.extend_from_slice(b"\":");
}

/// Whether a name is the wanted one, its first letter either way.
fn is_spelt(wanted: &[u8], name: &[u8]) -> bool {
    wanted.len() == name.len()
        && match (wanted.split_first(), name.split_first()) {
            (Some((a, rest)), Some((b, other))) => a.eq_ignore_ascii_case(b) && rest == other,
            _ => false,
        }
}
