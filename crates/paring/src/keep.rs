//! Keep rules that keep nothing: a misspelt role or action, or one that nobody is granted.
//!
//! A team that wrote such a rule believes something safe that is not. Says so; what a rule keeps is decided elsewhere.

use iam_evaluate::glob::{Glob, Reading};
use iam_evaluate::permission_set::{PermissionSet, Possibility};
use iam_model::action::Action;
use iam_model::catalog::Catalog;
use iam_model::diagnostic::{Code, Diagnostic};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{Role, Snapshot, SnapshotIndex};
use iam_verify::policy_check::nearest;
use toml::Spanned;

use crate::config::{Config, Keep};

/// A warning for each role or action of a keep rule that matches nothing.
pub(crate) fn idle(config: &Config, snapshot: &Snapshot, catalog: &Catalog) -> Vec<Diagnostic> {
    if config.keep.is_empty() {
        return Vec::new();
    }
    let (index, _) = SnapshotIndex::new(snapshot);
    let ground = Ground { config, index: &index, catalog };
    config.keep.iter().flat_map(|keep| ground.rule(keep)).collect()
}

struct Ground<'g> {
    config: &'g Config,
    index: &'g SnapshotIndex<'g>,
    catalog: &'g Catalog,
}

impl Ground<'_> {
    fn rule(&self, keep: &Keep) -> Vec<Diagnostic> {
        let name = keep.role.get_ref();
        let is_meant = |role: &&Role| name == "*" || name == role.identity.arn.as_str() || *name == role.identity.name;
        let roles: Vec<&Role> = self.index.roles().filter(is_meant).collect();
        if roles.is_empty() {
            let names = self.index.roles().flat_map(|role| [role.identity.name.as_str(), role.identity.arn.as_str()]);
            let hint = match nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "give a role's name or ARN as the account has it, or `*` for every role; or remove the rule".into()
                }
            };
            let message = format!("this keep rule keeps nothing: the snapshot holds no role `{name}`");
            return vec![self.warning(&keep.role, message, hint)];
        }
        if keep.actions.is_empty() {
            let message = "this keep rule keeps nothing: it names no action".to_owned();
            return vec![self.warning(&keep.role, message, "name actions, or remove the rule".into())];
        }
        let granted: Vec<(&Role, Vec<&PolicyDocument>)> =
            roles.iter().map(|role| (*role, self.policies(role))).collect();
        keep.actions.iter().filter_map(|action| self.action(keep, action, &granted)).collect()
    }

    fn policies(&self, role: &Role) -> Vec<&PolicyDocument> {
        self.index.identity_policies(&role.identity.arn).iter().map(|policy| policy.document).collect()
    }

    /// What is wrong with one entry of a rule, if it keeps nothing.
    fn action(
        &self,
        keep: &Keep,
        written: &Spanned<String>,
        granted: &[(&Role, Vec<&PolicyDocument>)],
    ) -> Option<Diagnostic> {
        let text = written.get_ref();
        let glob = Glob::parse(text, Reading::ACTION);
        let known: Vec<Action> =
            self.catalog.actions().map(|facts| facts.action()).filter(|action| glob.matches(action.as_str())).collect();
        // An action or a service that is newer than the catalogue is named by whoever grants it.
        let is_named = || {
            let patterns = granted.iter().flat_map(|(_, documents)| documents).flat_map(|d| &d.statements);
            let mut patterns = patterns.flat_map(|statement| statement.action.patterns());
            patterns.any(|own| own.value.as_str().eq_ignore_ascii_case(text) || glob.matches(own.value.as_str()))
        };
        if known.is_empty() {
            if text != "*" && is_named() {
                return None;
            }
            let what = if text.contains(['*', '?']) { "matches no action" } else { "is no action" };
            let message = format!(
                "`{text}` {what} that AWS publishes (as of {}); where a wildcard grants that name, it stays as written",
                self.catalog.date()
            );
            return Some(self.warning(written, message, self.hint(text)));
        }
        let allows = |documents: &Vec<&PolicyDocument>| {
            let set = PermissionSet::of_documents(documents.iter().copied());
            known.iter().any(|action| set.allows_action(action) != Possibility::No)
        };
        if granted.iter().any(|(_, documents)| allows(documents)) {
            return None;
        }
        let who = match keep.role.get_ref().as_str() {
            "*" => "no role of the snapshot".to_owned(),
            name => format!("no policy of `{name}`"),
        };
        let message = format!("this keep rule keeps nothing of `{text}`: {who} grants it");
        let hint = "a keep rule never adds a permission; correct the rule, or remove it".to_owned();
        Some(self.warning(written, message, hint))
    }

    /// The action that may be meant.
    fn hint(&self, text: &str) -> String {
        let names: Vec<Action> = self.catalog.actions().map(|facts| facts.action()).collect();
        let whole = nearest(text, names.iter().map(Action::as_str));
        let service = || {
            let (service, name) = text.split_once(':')?;
            let known = self.catalog.services().any(|known| known.eq_ignore_ascii_case(service));
            let near = nearest(service, self.catalog.services()).filter(|_| !known)?;
            Some(format!("{near}:{name}"))
        };
        match whole.map(str::to_owned).or_else(service) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write it as policies do, `service:Action`; or remove it".to_owned(),
        }
    }

    fn warning<T>(&self, at: &Spanned<T>, message: String, hint: String) -> Diagnostic {
        Diagnostic::warning(Code::KeepRuleUnmatched, self.config.place(at), message).hint(hint)
    }
}
