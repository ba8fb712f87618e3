//! The explanation for people: the policies as they would be, statement by statement, each with the calls behind it.

use iam_model::policy::{ActionElement, ResourceElement, Statement};
use iam_synthesize::{Grade, Need};

use super::{
    ActionView, DroppedView, Explained, Explanation, Fate, GrantView, NamedView, PolicyState, PolicyView,
    StatementView, conditions_value,
};
use crate::report::{ConfiguredView, OutcomeView, counted};
use crate::terminal::Paint;

/// Names of one group that are shown.
const SHOWN: usize = 4;
/// Reasons that are shown.
const REASONS: usize = 8;
/// Services of one reason that are shown.
const SERVICES: usize = 8;

/// Renders what is said about a role.
pub(crate) fn render(explained: &Explained, paint: Paint) -> String {
    let text = match explained {
        Explained::Whole(explanation) => one(explanation, paint),
        Explained::Split(split) => {
            let roles = counted(split.parts.len(), "role", "roles");
            let mut out = format!("{}\n  taken apart: {roles}, one for each function\n", paint.bold(&split.role));
            split.notes.iter().for_each(|note| out.push_str(&format!("  {note}\n")));
            for part in &split.parts {
                out.push_str(&format!("\n{}", one(part, paint)));
            }
            out
        }
    };
    paint.clean(&text)
}

fn one(explanation: &Explanation, paint: Paint) -> String {
    let refused = explanation.refused.is_some();
    let (needs, named) = (explanation.needs.as_slice(), explanation.named.as_slice());
    let mut text = Text { out: String::new(), paint, needs, named, refused };
    text.head(explanation);
    match &explanation.action {
        Some(action) => text.action(action),
        None => {
            explanation.policies.iter().for_each(|policy| text.policy(policy));
            text.elsewhere(&explanation.policies);
            text.configured(&explanation.configured);
            text.dropped(&explanation.dropped, true, "Dropped: the logs would have shown a call");
            text.dropped(
                &explanation.dropped,
                false,
                "Dropped, and the logs could not have shown a call: ask before you sign",
            );
            text.claims(explanation);
        }
    }
    text.out
}

struct Text<'a> {
    out: String,
    paint: Paint,
    needs: &'a [Need],
    named: &'a [NamedView],
    /// Whether nothing may be said of what is needed.
    refused: bool,
}

impl Text<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        let text = self.paint.bold(text);
        self.line(&format!("\n{text}"));
    }

    fn head(&mut self, explanation: &Explanation) {
        let head = self.paint.bold(&explanation.role);
        self.line(&head);
        if !explanation.functions.is_empty() {
            self.line(&format!("  runs {}", explanation.functions.join(", ")));
        }
        if let Some(shared) = &explanation.instead_of {
            self.line(&format!("  instead of the shared role {shared}"));
        }
        let window = explanation.window.as_ref().map(|(first, last)| format!(", {first} to {last}"));
        let window = window.unwrap_or_default();
        match explanation.days {
            Some(days) => self.line(&format!("  logs of {days}{window}")),
            None => self.line("  no log of the role's account was read"),
        }
        if let Some(note) = &explanation.note {
            self.line(&format!("  {note}"));
        }
        if let Some(why) = &explanation.refused {
            let why = self.paint.yellow(&format!("nothing is proposed: {why}"));
            self.line(&format!("  {why}"));
        }
    }

    fn policy(&mut self, policy: &PolicyView) {
        let note = policy.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let what = match policy.state {
            PolicyState::Narrowed => "narrowed to",
            PolicyState::Unchanged => "stays as it is",
            PolicyState::Removed => "removed: nothing it grants is needed",
            PolicyState::New => "new",
            PolicyState::Left => "not given to the new role",
        };
        self.heading(&format!("{}  {what}{note}", policy.name));
        policy.statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, view: &StatementView) {
        let Some(statement) = view.document.statements.first() else { return };
        let verb = if view.denies { "deny" } else { "allow" };
        self.line(&format!("  {}. {verb} {}", view.number, actions(statement)));
        for resource in resources(statement) {
            let resource = self.paint.dim(&format!("on {resource}"));
            self.line(&format!("     {resource}"));
        }
        if !statement.conditions.is_empty() {
            let text = self.paint.dim(&format!("if {}", conditions_value(&statement.conditions).to_compact()));
            self.line(&format!("     {text}"));
        }
        let all = self.needs;
        let grounds: Vec<(usize, &Need)> = view.needs.iter().filter_map(|at| Some((*at, all.get(*at)?))).collect();
        let (observed, others): (Vec<_>, Vec<_>) = grounds.iter().partition(|(_, need)| need.seen.is_some());
        observed.iter().for_each(|(at, need)| self.observed(*at, need));
        self.unseen(&others.iter().map(|(_, need)| *need).collect::<Vec<&Need>>());
        for fold in &view.folds {
            self.line(&format!("     rule      {}: {}", fold.rule.as_str(), fold.describe()));
        }
        if view.denies {
            self.line("     stays     a deny is never taken away");
        } else if !view.understood {
            self.line("     stays     a part of it was not understood");
        } else if grounds.is_empty() && !self.refused {
            self.line("     unneeded  no call in these logs needs it");
        }
        for suggestion in &view.suggestions {
            self.line(&format!(
                "     could add {}",
                conditions_value(std::slice::from_ref(&suggestion.condition)).to_compact()
            ));
            self.line(&format!(
                "               {}; calls that the logs do not hold would have to be, too",
                suggestion.because
            ));
        }
    }

    fn observed(&mut self, at: usize, need: &Need) {
        let by = if need.functions.is_empty() { String::new() } else { format!(", by {}", need.functions.join(", ")) };
        self.line(&format!("     {:<9} {}  {}{by}", need.grade().as_str(), need.action, need.because));
        if let Some(seen) = need.seen.as_ref().filter(|seen| !seen.event_ids.is_empty()) {
            let events = self.paint.dim(&format!("events {}", seen.event_ids.join(", ")));
            self.line(&format!("               {events}"));
        }
        match self.named.get(at) {
            Some(NamedView { by, .. }) if !by.is_empty() => {
                self.line(&format!("               named by {}", by.join(", ")));
            }
            Some(NamedView { by_none: true, .. }) => {
                self.line("               named by no environment variable whose value is known");
            }
            _ => {}
        }
    }

    /// What functions are configured with and were not seen to use.
    fn configured(&mut self, all: &[ConfiguredView]) {
        let unused: Vec<&ConfiguredView> = all.iter().filter(|one| one.calls == 0).collect();
        if !unused.is_empty() {
            self.heading("Named by environment variables, and not seen in use");
        }
        for one in unused {
            self.line(&format!("  {} of {}: {}", one.variable, one.function, one.resource));
            let says = if one.hidden.is_empty() { one.says.clone() } else { self.paint.yellow(&one.says) };
            self.line(&format!("    {says}"));
        }
    }

    /// Needs that no call showed; those with one reason in one line.
    fn unseen(&mut self, needs: &[&Need]) {
        let mut told: Vec<&str> = Vec::new();
        for need in needs {
            if told.contains(&need.because.as_str()) {
                continue;
            }
            told.push(&need.because);
            let alike = needs.iter().filter(|other| other.because == need.because && other.grade() == need.grade());
            let actions = alike.map(|need| need.action.as_str()).collect::<Vec<_>>().join(", ");
            let grade = if need.grade() == Grade::Kept { "kept" } else { need.grade().as_str() };
            self.line(&format!("     {grade:<9} {actions}"));
            self.line(&format!("               {}: {}", need.rule.as_str(), need.because));
        }
    }

    /// Calls that were made and that none of these statements lets through.
    fn elsewhere(&mut self, policies: &[PolicyView]) {
        let served: Vec<usize> = policies.iter().flat_map(|p| &p.statements).flat_map(|s| s.needs.clone()).collect();
        let all = self.needs;
        let others = all.iter().enumerate().filter(|(at, need)| need.seen.is_some() && !served.contains(at));
        let others: Vec<(usize, &Need)> = others.collect();
        if !others.is_empty() {
            self.heading("Seen, and granted by none of these statements (a resource's own policy may grant it)");
            others.into_iter().for_each(|(at, need)| self.observed(at, need));
        }
    }

    /// Groups by reason: of an administrator's permissions hundreds of services go for one reason.
    fn dropped(&mut self, all: &[DroppedView], could_be_seen: bool, title: &str) {
        let groups: Vec<&DroppedView> = all.iter().filter(|group| group.could_be_seen == could_be_seen).collect();
        if groups.is_empty() {
            return;
        }
        let count = groups.iter().map(|group| group.actions.len()).sum();
        let title = format!("{title} ({})", counted(count, "action", "actions"));
        self.heading(&title);
        let mut reasons: Vec<&str> = groups.iter().map(|group| group.why.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        // What the role calls is what a person can judge: those services first.
        let called: Vec<&str> = self.needs.iter().map(|need| need.action.service()).collect();
        let used = |why: &str| groups.iter().any(|g| g.why == why && called.contains(&g.service.as_str()));
        reasons.sort_by_key(|why| !used(why));
        let hidden = reasons.len().saturating_sub(REASONS);
        for why in reasons.into_iter().take(REASONS) {
            self.line(&format!("  {why}"));
            let mut of: Vec<&&DroppedView> = groups.iter().filter(|group| group.why == why).collect();
            of.sort_by_key(|group| !called.contains(&group.service.as_str()));
            for group in of.iter().take(SERVICES) {
                self.line(&format!("    {}", some(&group.actions)));
            }
            if of.len() > SERVICES {
                let rest: usize = of.iter().skip(SERVICES).map(|group| group.actions.len()).sum();
                let (rest, services) =
                    (counted(rest, "action", "actions"), counted(of.len() - SERVICES, "service", "services"));
                self.line(&format!("    and {rest} of {services} more (--format json lists them)"));
            }
        }
        if hidden > 0 {
            let reasons = counted(hidden, "reason", "reasons");
            self.line(&format!("  and for {reasons} more (--format json lists them)"));
        }
    }

    fn claims(&mut self, explanation: &Explanation) {
        if explanation.claims.is_empty() {
            return;
        }
        self.heading("Claims about the change");
        for claim in &explanation.claims {
            let word = format!("{:<9}", claim.outcome.as_str());
            let word = match claim.outcome {
                OutcomeView::Proved => self.paint.green(&word),
                OutcomeView::Refuted => self.paint.red(&word),
                OutcomeView::Undecided => self.paint.yellow(&word),
            };
            self.line(&format!("  {word} {:<16} {}", claim.claim, claim.detail));
        }
    }

    fn action(&mut self, action: &ActionView) {
        let fate = match action.fate {
            Fate::Kept => self.paint.green("kept"),
            Fate::Narrowed => self.paint.green("kept, by less than now"),
            Fate::Dropped => self.paint.yellow("dropped"),
            Fate::NotGranted => "not granted".into(),
            Fate::Denied => "granted, and denied".into(),
        };
        let name = self.paint.bold(&action.action);
        self.line(&format!("\n{name}: {fate}"));
        self.line(&format!("  why       {}", action.why));
        if !action.in_catalog {
            let near = action.near.as_ref().map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
            let text = format!("AWS publishes no action of this name that this catalogue knows{near}");
            self.line(&format!("  note      {}", self.paint.yellow(&text)));
        }
        self.grants("now", &action.now);
        self.grants("after", &action.after);
        let seen: Vec<&Need> = action.needs.iter().filter_map(|at| self.needs.get(*at)).collect();
        for need in seen.iter().filter_map(|need| need.seen.as_ref().map(|seen| (need, seen))) {
            let (need, seen) = need;
            let by =
                if need.functions.is_empty() { String::new() } else { format!(" by {}", need.functions.join(", ")) };
            let calls = counted(usize::try_from(seen.count).unwrap_or(usize::MAX), "call", "calls");
            self.line(&format!("  seen      {calls}{by}, {} to {}", seen.first, seen.last));
            for resource in need.resources.iter().flatten().take(SHOWN) {
                self.line(&format!("            on {resource}"));
            }
            let more = need.resources.as_ref().map_or(0, Vec::len).saturating_sub(SHOWN);
            if more > 0 {
                self.line(&format!("            and {more} more (--format json lists them)"));
            }
            if !seen.event_ids.is_empty() {
                self.line(&format!("            events {}", seen.event_ids.join(", ")));
            }
        }
        if !seen.iter().any(|need| need.seen.is_some()) {
            self.line("  seen      never");
        }
        if action.denied_calls > 0 {
            let were = if action.denied_calls == 1 { "was" } else { "were" };
            let calls = iam_model::text::counted(action.denied_calls, "call");
            self.line(&format!("  denied    {calls} {were} made and denied"));
        }
        match &action.unseen {
            Some(why) => self.line(&format!("  logs      could not have shown every call: {why}")),
            None => self.line("  logs      would have shown a call"),
        }
        for limit in &action.limits {
            self.line(&format!("  limit     {} {}", limit.name, limit.says));
        }
        if action.limits.is_empty() {
            self.line("  limit     no boundary or service control policy stands above this role in the snapshot");
        }
    }

    fn grants(&mut self, label: &str, grants: &[GrantView]) {
        if grants.is_empty() {
            self.line(&format!("  {label:<9} no statement allows it"));
        }
        for grant in grants {
            let conditional = if grant.conditional { ", under conditions" } else { "" };
            let resources = some(&grant.resources);
            self.line(&format!(
                "  {label:<9} {}, statement {}{conditional}: on {resources}",
                grant.policy, grant.statement
            ));
        }
    }
}

/// The first few, and how many more.
fn some(names: &[String]) -> String {
    let named = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(SHOWN);
    if more > 0 { format!("{named} and {more} more") } else { named }
}

pub(super) fn actions(statement: &Statement) -> String {
    let names: Vec<&str> = statement.action.patterns().iter().map(|pattern| pattern.value.as_str()).collect();
    match &statement.action {
        ActionElement::Action(_) => names.join(", "),
        ActionElement::NotAction(_) => format!("everything but {}", names.join(", ")),
    }
}

pub(super) fn resources(statement: &Statement) -> Vec<String> {
    let patterns = statement.resource.patterns().iter().map(|pattern| pattern.value.to_string());
    match &statement.resource {
        ResourceElement::NotResource(_) => vec![format!("everything but {}", patterns.collect::<Vec<_>>().join(", "))],
        ResourceElement::Resource(_) | ResourceElement::Absent => patterns.collect(),
    }
}
