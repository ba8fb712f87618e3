//! Whether a change has anything to say about a call: a statement about its action and resource that is not the same
//! before and after.
//!
//! Conditions are not looked at. Where no such statement changed, the decision cannot have changed either, whatever
//! the context was.

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::Action;
use iam_model::change::{AttachmentKind, Change};
use iam_model::policy::{ActionElement, PolicyDocument, PrintStyle, ResourceElement, Statement, print};

/// What a set of changes speaks of.
pub(super) struct Touched {
    changes: Vec<OneChange>,
}

struct OneChange {
    /// A boundary or an endpoint's policy that comes or goes limits everything, or lifts every limit.
    everything: bool,
    before: Vec<About>,
    after: Vec<About>,
}

/// What one statement is about.
struct About {
    listed_actions: bool,
    actions: Vec<Glob>,
    listed_resources: bool,
    resources: Vec<Glob>,
    everything: bool,
    text: String,
}

impl Touched {
    pub(super) fn new(changes: &[&Change]) -> Self {
        let one = |change: &&Change| OneChange {
            everything: matches!(change.attachment.kind, AttachmentKind::Boundary | AttachmentKind::VpcEndpoint)
                && change.before.is_none() != change.after.is_none(),
            before: abouts(change.before.as_ref()),
            after: abouts(change.after.as_ref()),
        };
        Self { changes: changes.iter().map(one).collect() }
    }

    /// Whether a statement about the action on the resource, a name or a pattern of names as logs write them, changed.
    pub(super) fn concerns(&self, action: &Action, resource: &str) -> bool {
        let asked = Glob::parse(resource, Reading::resource(iam_model::policy::PolicyVersion::V2012));
        self.changes.iter().any(|change| {
            let texts = |list: &[About]| -> Vec<String> {
                let about = list.iter().filter(|about| about.concerns(action, &asked));
                let mut texts: Vec<String> = about.map(|about| about.text.clone()).collect();
                texts.sort();
                texts
            };
            change.everything || texts(&change.before) != texts(&change.after)
        })
    }
}

fn abouts(document: Option<&PolicyDocument>) -> Vec<About> {
    let Some(document) = document else { return Vec::new() };
    let whole = document.unknown.is_empty();
    document.statements.iter().map(|statement| about(document, statement, whole)).collect()
}

fn about(document: &PolicyDocument, statement: &Statement, whole: bool) -> About {
    let reading = Reading::resource(document.effective_version());
    let glob = |text: &str| Glob::parse(text, reading);
    let alone = PolicyDocument { version: document.version, statements: vec![statement.clone()], ..Default::default() };
    let is_star = |r: &iam_model::text::Spanned<iam_model::arn::ResourcePattern>| r.value.is_everything();
    About {
        listed_actions: matches!(statement.action, ActionElement::Action(_)),
        actions: statement.action.patterns().iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION)).collect(),
        listed_resources: matches!(statement.resource, ResourceElement::Resource(_)),
        resources: statement.resource.patterns().iter().map(|p| glob(p.value.as_str())).collect(),
        everything: !whole
            || !statement.unknown.is_empty()
            || statement.resource.patterns().iter().any(is_star)
            || statement.resource == ResourceElement::Absent,
        text: print(&alone, PrintStyle::Compact),
    }
}

impl About {
    fn concerns(&self, action: &Action, asked: &Glob) -> bool {
        if self.listed_actions != self.actions.iter().any(|glob| glob.matches(action.as_str())) {
            return false;
        }
        if self.everything {
            return true;
        }
        if self.listed_resources {
            self.resources.iter().any(|glob| !glob.widened().disjoint(asked))
        } else {
            !self.resources.iter().any(|glob| glob.includes(asked))
        }
    }
}
