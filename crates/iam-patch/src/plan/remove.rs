//! A whole policy that goes.

use iam_model::change::Change;
use iam_model::policy::PolicyDocument;

use super::{Author, drift};
use crate::compare;
use crate::intrinsic;
use crate::op::Op;
use crate::refusal::{Refusal, RefusalCode};
use crate::sam;
use crate::site::{Form, Site};
use crate::template::Template;
use crate::tree::{Node, Path};

/// The whole policy goes.
pub(super) fn remove(
    template: &Template,
    site: &Site<'_>,
    author: &Author<'_>,
    change: &Change,
) -> Result<Vec<Op>, Refusal> {
    let expanded = Some(site).filter(|site| site.form == Form::SamTemplate).and_then(|site| sam::expanded(site.node));
    let written = site.document.as_ref().map(|(document, _)| *document).or(expanded.as_ref());
    if let (Some(document), Some(before)) = (written, &change.before) {
        let source = compare::statements(document, &Path::default());
        if compare::pair(author.language, &source, &before.statements).is_none() {
            return drift(author, &source, site.node, before, &PolicyDocument::default());
        }
    }
    let at = |place: &Path| Ok(vec![Op::Remove { at: place.clone() }]);
    match site.form {
        Form::SamDocument | Form::SamTemplate | Form::ManagedItem | Form::Inline if !site.conditional => {
            at(&site.place)
        }
        Form::PolicyResource | Form::ResourcePolicy
            if site.resource.kind.ends_with("Policy") && !referred_to(template, site.resource.id) =>
        {
            let resource = site.resource.place.parent();
            let entry = if site.resource.properties.is_some() { resource } else { None };
            entry.map_or_else(|| unremovable(template, site), |place| at(&place))
        }
        _ => unremovable(template, site),
    }
}

fn unremovable<T>(template: &Template, site: &Site<'_>) -> Result<T, Refusal> {
    Err(Refusal::new(RefusalCode::Unsupported, "this policy cannot be removed without touching other parts")
        .hint("remove it by hand; the change is printed with this refusal")
        .at(crate::locate::place(template, site.node.span)))
}

pub(super) fn referred_to(template: &Template, id: &str) -> bool {
    let depends = template.resources().any(|r| {
        let named = r.node.get("DependsOn").into_iter().flat_map(|n| std::iter::once(n).chain(n.items()));
        named.filter_map(Node::text).any(|name| name == id)
    });
    depends || intrinsic::references(&template.root).iter().any(|name| name == id)
}
