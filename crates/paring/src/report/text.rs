//! The report for people: the summary first, then what changes, role by role, then what stays and why.

mod documents;
mod splits;

use std::fmt::Write as _;

use iam_model::finding::FindingSeverity;
use iam_model::policy::{PrintStyle, print};
use iam_model::text::grouped;
use iam_model::usage::AccountDays;
use iam_synthesize::NeedRule;

use super::{
    BlindSpotView, ClaimView, ConfiguredView, EvidenceView, GrantedView, JudgementView, NeedView, OutcomeView,
    PatchView, Report, RoleView, diff,
};
use crate::terminal::Paint;

/// Actions of one service shown by name where they were cut unseen.
const NAMED_ACTIONS: usize = 3;
/// Services shown where a wildcard reached into many.
const NAMED_SERVICES: usize = 8;
/// Resources shown of one need; what they fold to stands in the diff.
const NAMED_RESOURCES: usize = 6;

/// Renders the report as text.
pub(crate) fn render(report: &Report, paint: Paint) -> String {
    let mut out = Text { out: String::new(), paint };
    out.summary(report);
    for role in report.roles.iter().filter(|role| role.judgement == JudgementView::Narrowed) {
        out.role(role);
    }
    report.splits.iter().for_each(|split| out.split(split));
    report.documents.iter().for_each(|document| out.document(document));
    out.unchanged(report);
    out.findings(report);
    out.patches(&report.patches);
    out.evidence(report);
    paint.clean(&out.out)
}

struct Text {
    out: String,
    paint: Paint,
}

impl Text {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// A label in the margin, then the text; an empty label continues the one above.
    fn row(&mut self, label: &str, text: &str) {
        let label = if label.is_empty() { " ".repeat(9) } else { self.paint.dim(&format!("{label:<9}")) };
        self.line(&format!("  {label} {text}"));
    }

    fn heading(&mut self, text: &str) {
        let text = self.paint.bold(text);
        self.line("");
        self.line(&text);
    }

    fn summary(&mut self, report: &Report) {
        let summary = &report.summary;
        let open = summary.undecided_calls + summary.unexplained_calls;
        let replayed = summary.observed_calls.saturating_sub(open);
        let (how, more) = match open {
            0 => ("observed", String::new()),
            some => ("replayed", format!(", {} more undecided", grouped(some))),
        };
        let refused = summary.denied_calls.saturating_sub(summary.undecided_calls);
        let denied = format!(
            "{} of {} {how} {} would be denied{more}",
            grouped(refused),
            grouped(replayed),
            plural(replayed, "call", "calls")
        );
        let denied = if summary.denied_calls == 0 { denied } else { self.paint.red(&denied) };
        let new = match summary.new_roles {
            0 => String::new(),
            some => format!(" ({} for shared ones)", counted(some, "new role", "new roles")),
        };
        if summary.roles == 0 && summary.patches == 0 && report.splits.iter().all(|split| split.parts.is_empty()) {
            let line = format!("nothing to cut · {} left as they are", counted(report.roles.len(), "role", "roles"));
            let line = self.paint.bold(&line.replace("1 role left as they are", "1 role left as it is"));
            return self.line(&line);
        }
        let line = format!(
            "{}{new} · {} → {} · {denied} · {}",
            counted(summary.roles, "role", "roles"),
            grouped(summary.granted_actions as u64),
            counted(summary.granted_actions_after, "action", "actions"),
            counted(summary.patches, "patch", "patches"),
        );
        let line = self.paint.bold(&line);
        self.line(&line);
    }

    fn role(&mut self, role: &RoleView) {
        self.heading(&role.name);
        if !role.functions.is_empty() {
            self.row("runs", &role.functions.join(", "));
        }
        let granted = self.granted(&role.granted);
        self.row("granted", &granted);
        if let Some(after) = &role.after {
            let after = self.granted(after);
            self.row("after", &after);
        }
        self.needs(&role.needs);
        self.blind_spots(&role.blind_spots);
        self.configured(&role.configured);
        for note in &role.left_alone {
            self.row("stays", note);
        }
        for claim in &role.claims {
            self.claim(claim);
        }
        for refused in &role.refused {
            let head = self.paint.yellow("no patch");
            let place = refused.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            self.row("", &format!("{head} for {}: {place}{} [{}]", refused.policy, refused.message, refused.code));
            if let Some(hint) = &refused.hint {
                self.row("", &format!("hint: {hint}"));
                if hint.ends_with("is printed with this refusal") {
                    self.by_hand(role, &refused.policy);
                }
            }
        }
        if !role.diff.is_empty() {
            self.line("");
            let painted = diff::paint(&role.diff, "    ", self.paint);
            self.out.push_str(&painted);
        }
    }

    /// The policy as it should be, for a person to write.
    fn by_hand(&mut self, role: &RoleView, policy: &str) {
        let after = role.changes.iter().find(|change| change.policy == policy).and_then(|change| change.after.as_ref());
        for line in after.map(|after| print(after, PrintStyle::Pretty)).unwrap_or_default().lines() {
            self.row("", &format!("  {line}"));
        }
    }

    fn granted(&self, granted: &GrantedView) -> String {
        let on = match granted.on_everything {
            0 => "on named resources".to_owned(),
            all if all == granted.actions => "on every resource".to_owned(),
            some => format!("({} on every resource)", grouped(some as u64)),
        };
        let mut text = format!(
            "{} of {} {on}",
            counted(granted.actions, "action", "actions"),
            counted(granted.services, "service", "services")
        );
        if granted.admin {
            let _ = write!(text, "; {}", self.paint.red("administrator"));
        }
        if granted.paths > 0 {
            let _ = write!(text, "; {}", counted(granted.paths, "escalation path", "escalation paths"));
        }
        text
    }

    fn needs(&mut self, needs: &[NeedView]) {
        let shown: Vec<&NeedView> = needs.iter().filter(|need| need.rule != NeedRule::RunsFunction).collect();
        let width = shown.iter().map(|need| need.action.len()).max().unwrap_or_default();
        for (index, need) in shown.iter().enumerate() {
            let label = if index == 0 { "needed" } else { "" };
            let grade = if need.grade == "observed" { String::new() } else { format!("{}: ", need.grade) };
            self.row(label, &format!("{:<width$}  {grade}{}", need.action, need.because));
            for resource in need.resources.iter().take(NAMED_RESOURCES) {
                let resource = self.paint.dim(&format!("{:width$}  on {resource}", ""));
                self.row("", &resource);
            }
            if let more @ 1.. = need.resources.len().saturating_sub(NAMED_RESOURCES) {
                let more = self.paint.dim(&format!(
                    "{:width$}  and {} more (report.json lists them)",
                    "",
                    grouped(more as u64)
                ));
                self.row("", &more);
            }
        }
        let implied = needs.len() - shown.len();
        if implied > 0 {
            let text =
                format!("and {} that Lambda itself needs to run the function", counted(implied, "action", "actions"));
            self.row(if shown.is_empty() { "needed" } else { "" }, &text);
        }
    }

    pub(super) fn blind_spots(&mut self, spots: &[BlindSpotView]) {
        let actions: usize = spots.iter().map(|spot| spot.actions.len()).sum();
        if actions == 0 {
            return;
        }
        let mut services: Vec<&str> = Vec::new();
        for spot in spots {
            if !services.contains(&spot.service.as_str()) {
                services.push(&spot.service);
            }
        }
        let head = format!(
            "{} of {} that these logs could not have shown are cut with the wildcard",
            counted(actions, "action", "actions"),
            counted(services.len(), "service", "services")
        );
        let head = self.paint.yellow(&head);
        self.row("unseen", &head);
        if services.len() > NAMED_SERVICES {
            let named = services.iter().take(NAMED_SERVICES).copied().collect::<Vec<_>>().join(", ");
            self.row("", &format!("{named} and {} more (report.json lists them)", services.len() - NAMED_SERVICES));
        } else {
            for spot in spots {
                let named = spot.actions.iter().take(NAMED_ACTIONS).cloned().collect::<Vec<_>>().join(", ");
                let more = spot.actions.len().saturating_sub(NAMED_ACTIONS);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                self.row("", &format!("{named}{more}: {}", spot.why));
            }
        }
        self.row("", "if the function uses one of them, name it in a keep rule (paring.toml) and run again");
    }

    /// Of what functions are configured with, only what nobody knows whether it is used.
    fn configured(&mut self, all: &[ConfiguredView]) {
        for one in all.iter().filter(|one| !one.hidden.is_empty()) {
            let name = self.paint.yellow(&format!("{} names {}", one.variable, one.resource));
            self.row("told", &format!("{name}: {}", one.says));
        }
    }

    fn claim(&mut self, claim: &ClaimView) {
        let word = format!("{:<9}", claim.outcome.as_str());
        let word = match claim.outcome {
            OutcomeView::Proved => self.paint.green(&word),
            OutcomeView::Refuted => self.paint.red(&word),
            OutcomeView::Undecided => self.paint.yellow(&word),
        };
        self.line(&format!("  {word} {:<16} {}", claim.claim, claim.detail));
    }

    fn unchanged(&mut self, report: &Report) {
        let unchanged: Vec<&RoleView> =
            report.roles.iter().filter(|r| r.judgement != JudgementView::Narrowed).collect();
        if unchanged.is_empty() {
            return;
        }
        self.heading("Left as they are");
        for role in unchanged {
            let why = match &role.judgement {
                JudgementView::Refused(why) => why.as_str(),
                _ => "everything granted is needed",
            };
            self.line(&format!("  {}: {why}", role.name));
            if role.judgement == JudgementView::Unchanged {
                self.needs(&role.needs);
            }
            for note in &role.left_alone {
                self.row("stays", note);
            }
        }
    }

    fn findings(&mut self, report: &Report) {
        if report.findings.is_empty() {
            return;
        }
        self.heading("Findings");
        for finding in &report.findings {
            let severity = format!("{:<8}", finding.severity.as_str());
            let severity = match finding.severity {
                FindingSeverity::Critical | FindingSeverity::High => self.paint.red(&severity),
                FindingSeverity::Medium => self.paint.yellow(&severity),
                FindingSeverity::Low | FindingSeverity::Info => self.paint.dim(&severity),
            };
            let principal = finding.principal.as_ref().map(|subject| subject.name().to_owned());
            let about =
                principal.or_else(|| finding.resource.as_ref().map(|arn| arn.name().to_owned())).unwrap_or_default();
            self.line(&format!("  {severity} {}  {about}: {}", finding.code, finding.evidence.join("; ")));
        }
    }

    fn patches(&mut self, patches: &[PatchView]) {
        if patches.is_empty() {
            return;
        }
        self.heading("Patches");
        for patch in patches {
            let policies = counted(patch.policies, "policy", "policies");
            let splits = counted(patch.splits, "role taken apart", "roles taken apart");
            let changes = match (patch.policies, patch.splits) {
                (_, 0) => policies,
                (0, _) => splits,
                _ => format!("{policies}, {splits}"),
            };
            self.line(&format!("  {}: {changes}, {}", patch.file, patch.disposition));
            for reason in &patch.reasons {
                self.line(&format!("    {reason}"));
            }
        }
    }

    /// How many days the logs show of each account, where that is not all they span as a whole.
    fn account_days(&mut self, evidence: &EvidenceView) {
        const SHOWN: usize = 6;
        if own_days(evidence).is_some() {
            return;
        }
        let says_more = |days: &Option<AccountDays>| {
            days.is_none_or(|days| days.span != evidence.days || days.without.is_some_and(|n| n > 0))
        };
        let told: Vec<_> = evidence.accounts.iter().filter(|(_, days)| says_more(days)).collect();
        for (account, days) in told.iter().take(SHOWN) {
            match days {
                Some(days) => self.line(&format!("  of account {account}: {days}")),
                None => self.line(&format!("  of account {account}: no log was read")),
            }
        }
        if told.len() > SHOWN {
            let more = counted(told.len() - SHOWN, "account", "accounts");
            self.line(&format!("  of {more} more: --format json lists the days"));
        }
    }

    fn evidence(&mut self, report: &Report) {
        let evidence = &report.evidence;
        self.heading("Evidence");
        let span = match (&evidence.first, &evidence.last) {
            (Some(first), Some(last)) => match own_days(evidence) {
                Some(days) => format!(", {first} to {last} ({days})"),
                None => format!(", {first} to {last} ({} days)", grouped(evidence.days)),
            },
            _ => String::new(),
        };
        let files = format!("{} log {}", grouped(evidence.files), plural(evidence.files, "file", "files"));
        let records = plural(evidence.records, "record", "records");
        self.line(&format!("  {files}, {} {records}{span}", grouped(evidence.records)));
        self.account_days(evidence);
        if !evidence.skipped.is_empty() {
            let skipped: Vec<_> =
                evidence.skipped.iter().map(|(reason, n)| format!("{} {}", grouped(*n), reason.describe())).collect();
            self.line(&format!("  gave nothing: {}", skipped.join(", ")));
        }
        if let Some(unread) = &evidence.unread {
            let text = format!("incomplete: {unread}, so that absence shows nothing: every patch waits for review");
            self.line(&format!("  {}", self.paint.yellow(&text)));
        }
        for (event, count) in &evidence.unresolved {
            let text = self.paint.yellow(&format!("not understood: {event}, {} times", grouped(*count)));
            self.line(&format!("  {text}"));
        }
        self.line(&format!(
            "  action catalogue of {}, {} actions",
            evidence.catalog_date,
            grouped(evidence.catalog_actions as u64)
        ));
        for note in &report.not_checked {
            self.line(&format!("  not checked: {note}"));
        }
    }
}

/// The days of the only account, where they are those of all logs.
fn own_days(evidence: &EvidenceView) -> Option<AccountDays> {
    match evidence.accounts.as_slice() {
        [(_, Some(days))] if days.span == evidence.days => Some(*days),
        _ => None,
    }
}

const fn plural<'a>(count: u64, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count as u64), if count == 1 { one } else { many })
}
