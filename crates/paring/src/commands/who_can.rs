//! `paring who-can`: which roles and users of a snapshot may do an action on a resource.

use iam_evaluate::{Evaluator, Outcome as Answer, Principal};
use iam_model::snapshot::SnapshotIndex;

use super::{Outcome, request};
use crate::cli::WhoCan;
use crate::error::CliError;
use crate::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(arguments: &WhoCan, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let snapshot = request::snapshot(&arguments.snapshot, terminal)?;
    let (index, diagnostics) = SnapshotIndex::new(&snapshot);
    terminal.diagnostics(&diagnostics);
    let evaluator = Evaluator::new(&index);
    let ask = |principal: Principal| {
        request::request(principal, &arguments.action, &arguments.resource, &arguments.facts)
            .map(|request| (evaluator.decide_request(&request).outcome, request.principal))
    };
    let held = evaluator.principals().filter_map(|arn| Principal::parse(arn.as_str()).ok());
    let (mut allowed, mut unknown) = (0_u64, 0_u64);
    for principal in held.chain([Principal::Anonymous]) {
        match ask(principal)? {
            (Answer::Allow, principal) => {
                allowed += 1;
                terminal.data(&format!("{principal}\n"))?;
            }
            (Answer::Unknown(unknowns), principal) => {
                unknown += 1;
                let keys = unknowns.keys.iter().map(ToString::to_string);
                let needs: Vec<String> = keys.chain(unknowns.elements.iter().cloned()).collect();
                terminal.data(&format!("{principal}\tperhaps, it depends on: {}\n", needs.join(", ")))?;
            }
            (Answer::ExplicitDeny | Answer::ImplicitDeny, _) => {}
        }
    }
    terminal.note(&format!("{allowed} may, {unknown} perhaps"));
    Ok(Outcome::Clean)
}
