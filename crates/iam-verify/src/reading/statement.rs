//! Statements: action, resource and principal as patterns, and claims about the context.

use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PolicyVersion, PrincipalElement, PrincipalPattern, ResourceElement,
};

use iam_model::variable::{are_well_formed, segments};

use super::claim::Claim;
use super::pattern::{Pattern, Reading};

/// Any of some patterns, or none of them.
pub(crate) struct Side {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) negated: bool,
}

/// A statement: action, resource, principal, and what it claims of the context. A doubtful one may match less.
pub(crate) struct Statement {
    pub(crate) index: u32,
    pub(crate) sides: [Side; 3],
    pub(crate) claims: Vec<Claim>,
    pub(crate) doubtful: bool,
}

/// The statements of some documents, counted through.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) allows: Vec<Statement>,
    pub(crate) denies: Vec<Statement>,
}

const WILD: Reading = Reading { fold: false, wild: true, segments: false, variables: false };
const LITERAL: Reading = Reading { fold: false, wild: false, segments: false, variables: false };

impl Policy {
    /// Reads documents; nothing where it is not known which statements allow and which deny.
    pub(crate) fn read(documents: &[PolicyDocument]) -> Option<Self> {
        let mut policy = Self::default();
        let statements = documents.iter().flat_map(|d| d.statements.iter().map(move |s| (d, s)));
        for (index, (document, statement)) in (0..).zip(statements) {
            let list = match statement.effect {
                Effect::Allow => &mut policy.allows,
                Effect::Deny => &mut policy.denies,
                Effect::Unknown => return None,
            };
            list.push(Statement::read(document, statement, index));
        }
        documents.iter().all(|d| d.unknown.is_empty()).then_some(policy)
    }
}

impl Statement {
    fn read(document: &PolicyDocument, statement: &iam_model::policy::Statement, index: u32) -> Self {
        let variables = document.effective_version() == PolicyVersion::V2012;
        let everything = || Side { patterns: vec![Pattern::read("*", WILD)], negated: false };
        let action = |text: &str| Pattern::read(if text == "*:*" { "*" } else { text }, Reading { fold: true, ..WILD });
        let resource = |text: &str| Pattern::read(text, Reading { segments: true, variables, ..WILD });
        let actions = Side {
            patterns: statement.action.patterns().iter().map(|p| action(p.value.as_str())).collect(),
            negated: matches!(statement.action, ActionElement::NotAction(_)),
        };
        let resources = match &statement.resource {
            ResourceElement::Absent => everything(),
            other => Side {
                patterns: other.patterns().iter().map(|p| resource(p.value.as_str())).collect(),
                negated: matches!(other, ResourceElement::NotResource(_)),
            },
        };
        let principals = match &statement.principal {
            None => Some(everything()),
            Some(element @ (PrincipalElement::Principal(list) | PrincipalElement::NotPrincipal(list))) => {
                let patterns: Option<Vec<Vec<Pattern>>> = list.iter().map(|p| principal(&p.value)).collect();
                let negated = matches!(element, PrincipalElement::NotPrincipal(_));
                patterns.map(|p| Side { patterns: p.into_iter().flatten().collect(), negated })
            }
        };
        let short = statement.resource.patterns().iter().any(|p| is_short(p.value.as_str()));
        let no_action = statement.action.patterns().iter().any(|p| !p.value.is_well_formed());
        let strange = |text: &str| !are_well_formed(text) || segments(text).take(5).any(|s| s.contains("${"));
        let unread = !statement.unknown.is_empty()
            || variables && statement.resource.patterns().iter().any(|p| strange(p.value.as_str()));
        match principals {
            Some(principals) if !(unread || short && resources.negated || no_action && actions.negated) => {
                let claims = statement.conditions.iter().map(|c| Claim::read(c, variables)).collect();
                Self { index, sides: [actions, resources, principals], claims, doubtful: short || no_action }
            }
            _ => Self { index, sides: [(); 3].map(|()| everything()), claims: Vec::new(), doubtful: true },
        }
    }
}

/// Whether AWS's text is silent on what an ARN pattern matches: fewer than six segments, and no `*` at its end that
/// plainly stands for the others.
pub(crate) fn is_short(text: &str) -> bool {
    let stars = !text.is_empty() && text.trim_matches('*').is_empty();
    let unclear = !text.ends_with('*') || text.contains("${") || text.trim_matches(['*', '?']).is_empty();
    segments(text).count() < 6 && !stars && unclear
}

/// A principal as texts `kind:name`; nothing where whom it means is not known.
fn principal(pattern: &PrincipalPattern) -> Option<Vec<Pattern>> {
    let literal = |text: String| Pattern::read(&text, LITERAL);
    let text = match pattern {
        PrincipalPattern::Everyone => return Some(vec![Pattern::read("*", WILD)]),
        PrincipalPattern::Service(name) => return Some(vec![literal(format!("service:{name}"))]),
        PrincipalPattern::Federated(name) => return Some(vec![Pattern::read(&format!("federated:{name}"), WILD)]),
        PrincipalPattern::Aws(text) if text == "*" => return Some(vec![Pattern::read("*", WILD)]),
        PrincipalPattern::Aws(text) => text,
        PrincipalPattern::CanonicalUser(_) | PrincipalPattern::Unknown { .. } => return None,
    };
    let root = text.strip_prefix("arn:").and_then(|t| t.strip_suffix(":root")).and_then(|t| t.split_once(":iam::"));
    let account = root.map_or(text.as_str(), |(_, account)| account);
    if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        return Some(vec![Pattern::read(&format!("aws:arn:*:*::{account}:*"), Reading { segments: true, ..WILD })]);
    }
    if text.contains(['*', '?']) || !text.starts_with("arn:") {
        return None;
    }
    let mut patterns = vec![literal(format!("aws:{text}"))];
    if let Some((account, path)) = text.split_once(":iam::").and_then(|(_, rest)| rest.split_once(":role/")) {
        let name = path.rsplit('/').next().unwrap_or(path);
        // A role means its sessions too.
        patterns.push(Pattern::read(&format!("aws:arn:aws:sts::{account}:assumed-role/{name}/*"), WILD));
    }
    Some(patterns)
}

/// What actions, resources and principals there are.
pub(crate) fn domain(number: usize) -> Vec<Pattern> {
    let arn = Reading { segments: true, ..WILD };
    match number {
        0 => vec![Pattern::read("?*:?*", Reading { fold: true, ..WILD })],
        1 => vec![Pattern::read("*", LITERAL), Pattern::read("arn:?*:?*:*:*:?*", arn)],
        _ => ["aws:arn:aws:iam::?*:?*", "aws:arn:aws:sts::?*:?*", "service:?*", "federated:?*"]
            .map(|text| Pattern::read(text, WILD))
            .into(),
    }
}
