//! What AWS takes as it is meant and readers stumble over: spellings of actions and operators, and a statement without a list.

use iam_model::catalog::Catalog;
use iam_model::condition::Operator;
use iam_model::diagnostic::Code;
use iam_model::json::{Arena, Limits, Node, NodeKind, parse};
use iam_model::policy::PolicyDocument;
use iam_model::text::SourceText;

use super::super::report::Report;

pub(super) fn check(document: &PolicyDocument, catalog: &Catalog, source: &SourceText, report: &mut Report<'_>) {
    for pattern in document.statements.iter().flat_map(|statement| statement.action.patterns()) {
        let Some((service, name)) = pattern.value.as_str().split_once(':') else { continue };
        let known = catalog.service_actions(service).map(|facts| facts.name()).find(|n| n.eq_ignore_ascii_case(name));
        if let Some(known) = known.filter(|known| *known != name) {
            let message = format!("`{}` is written `{service}:{known}` by AWS; it matches all the same", pattern.value);
            report.note(
                Code::CaseSensitivity,
                pattern.span,
                message,
                "write it as AWS does, so that a search finds it",
            );
        }
    }
    let arena = Arena::for_text(source.text.len());
    let Ok(root) = parse(&arena, &source.text, Limits::POLICY) else { return };
    let Some(statements) = root.get("Statement") else { return };
    if matches!(statements.kind, NodeKind::Object(_)) {
        let message = "`Statement` is one object, not a list; AWS takes it, tools that read lists do not".to_owned();
        report.note(Code::StatementNotArray, statements.span, message, "write `\"Statement\": [ … ]`");
    }
    let operators = statements.one_or_many().iter().filter_map(|s| s.get("Condition")).flat_map(Node::members);
    for operator in operators {
        let known = Operator::parse(operator.key);
        if matches!(known, Operator::Known { .. }) && known.to_string() != operator.key {
            let message = format!("`{}` is written `{known}` by AWS", operator.key);
            report.note(Code::OperatorCase, operator.key_span, message, "write it as AWS does");
        }
    }
}
