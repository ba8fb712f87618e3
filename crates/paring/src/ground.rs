//! What findings are about: a snapshot, or where there is none the account that templates would make.
//!
//! Reads and joins; decides nothing.

use std::collections::BTreeMap;
use std::path::Path;

use iam_model::diagnostic::Place;
use iam_model::finding::Finding;
use iam_model::route::Route;
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::SourceName;
use iam_patch::{Drawn, Project};

use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{input, redact, written};

/// An account to be looked at.
pub(crate) struct Ground {
    pub(crate) snapshot: Snapshot,
    /// Routes that the templates have; those of a snapshot's interfaces are read from it.
    routes: Vec<Route>,
    /// Where roles and functions are written, by ARN, if the account was drawn.
    pub(crate) places: BTreeMap<String, Place>,
    /// What of the templates is not judged.
    pub(crate) not_checked: Vec<String>,
    /// The file that stands for the account.
    pub(crate) file: String,
    /// Whether the templates alone speak.
    pub(crate) is_drawn: bool,
}

/// Reads a snapshot, or draws the account of a folder of templates.
pub(crate) fn read(snapshot: Option<&Path>, iac: Option<&Path>, terminal: &mut Terminal) -> Result<Ground, CliError> {
    match (snapshot, iac) {
        (Some(path), _) => {
            let (snapshot, diagnostics) = input::read_snapshot(path)?;
            terminal.diagnostics(&diagnostics);
            let file = written::of_snapshot(path);
            Ok(Ground {
                snapshot,
                routes: Vec::new(),
                places: BTreeMap::new(),
                not_checked: Vec::new(),
                file,
                is_drawn: false,
            })
        }
        (None, Some(folder)) => drawn(folder, terminal),
        (None, None) => Err(CliError::user("neither an account nor templates are given")
            .hint("give --snapshot, or --iac for what templates alone tell")),
    }
}

fn drawn(folder: &Path, terminal: &mut Terminal) -> Result<Ground, CliError> {
    let (sources, mut diagnostics) = input::read_sources(folder)?;
    let (project, broken) = Project::read(sources);
    diagnostics.extend(broken);
    terminal.diagnostics(&diagnostics);
    let Some(first) = project.files().next().map(ToString::to_string) else {
        return Err(CliError::user(format!("`{}` holds no template", folder.display()))
            .hint("CloudFormation, SAM and Serverless Framework files are read; of an account, give --snapshot"));
    };
    terminal.note(
        "from templates alone: one account, one Region and parameters' defaults stand for what a deployment decides",
    );
    let Drawn { snapshot, mut routes, mut places, mut not_checked } = project.drawn();
    redact::learn(&snapshot);
    for place in places.values_mut().chain(routes.iter_mut().filter_map(|route| route.place.as_mut())) {
        place.source = SourceName::new(&written::below(folder, place.source.as_str()));
    }
    not_checked.extend(diagnostics.iter().map(|diagnostic| format!("{}: {}", diagnostic.place, diagnostic.message)));
    Ok(Ground { snapshot, routes, places, not_checked, file: written::below(folder, &first), is_drawn: true })
}

impl Ground {
    /// Where what findings are about is written: by ARN, and of routes by the finding's fingerprint.
    pub(crate) fn places_of(&self, findings: &[Finding], routes: &[Route]) -> BTreeMap<String, Place> {
        let mut places = self.places.clone();
        for finding in findings.iter().filter(|finding| finding.route.is_some()) {
            let is_it =
                |route: &&Route| finding.route.as_ref() == Some(&route.name()) && route.function == finding.resource;
            let place = routes.iter().find(is_it).and_then(|route| route.place.clone());
            places.extend(place.map(|place| (finding.fingerprint(), place)));
        }
        places
    }

    /// The routes that call functions, and what of them is not known.
    pub(crate) fn routes(&self, index: &SnapshotIndex<'_>) -> (Vec<Route>, Vec<String>) {
        let (mut routes, not_checked) = iam_graph::routes_of(index);
        routes.extend(self.routes.iter().cloned());
        (routes, not_checked.into_iter().collect())
    }
}
