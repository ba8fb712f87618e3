//! What IAM Access Analyzer found, beside our own findings: what both say is said once, the rest is marked as AWS's, and
//! where the two disagree a finding shows both.
//!
//! Compares; it judges no policy. Of whom AWS lets in by conditions, and of what it looks at, this follows the Access
//! Analyzer topics "Findings for external and unused access" and "Resource types for external access".

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::{AccountId, Arn};
use iam_model::finding::{Confidence, Finding, FindingCode, FindingSeverity};
use iam_model::json::Value;
use iam_model::snapshot::Snapshot;
use iam_model::snapshot::analyzer::{
    Access, Analyzer, AnalyzerFinding, AnalyzerStatus, AnalyzerWord, LooksFor, UnusedService,
};
use iam_model::time::Timestamp;

/// Actions and services that one line names.
const NAMED: usize = 8;

/// Puts AWS's findings beside `own`; the lines say what could not be compared.
#[must_use]
pub fn beside_access_analyzer(own: &mut Vec<Finding>, snapshot: &Snapshot) -> Vec<String> {
    let compared = Comparison::new(snapshot);
    let mut matched = BTreeSet::new();
    let mut more = Vec::new();
    for finding in own.iter_mut() {
        more.extend(compared.with_own(finding, &mut matched));
    }
    let mut not_checked = BTreeSet::new();
    for (place, said) in compared.said.iter().enumerate() {
        let settled = matches!(said.finding.status, AnalyzerStatus::Archived | AnalyzerStatus::Resolved);
        if settled || matched.contains(&place) {
            continue;
        }
        if let Some(error) = &said.finding.error {
            let what = said.finding.resource.as_ref().map_or("a resource", Arn::as_str);
            not_checked.insert(format!("Access Analyzer could not analyze {what}: {error}"));
            continue;
        }
        match compared.alone(said) {
            Ok(finding) => more.push(finding),
            Err(kind) => {
                not_checked.insert(format!("Access Analyzer has findings of the kind `{kind}`, which is not known"));
            }
        }
    }
    own.extend(more);
    own.sort();
    own.dedup();
    not_checked.into_iter().collect()
}

/// A finding, and whose it is.
struct Said<'s> {
    finding: &'s AnalyzerFinding,
    access: Option<&'s Access>,
}

struct Comparison<'s> {
    snapshot: &'s Snapshot,
    analyzers: Vec<&'s Analyzer>,
    said: Vec<Said<'s>>,
    /// Findings about access from outside that stand or were accepted, by resource.
    outside: BTreeMap<&'s Arn, Vec<usize>>,
}

impl<'s> Comparison<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        let reports = || snapshot.accounts.values().filter_map(|account| account.access_analyzer.as_ref());
        let mut seen = BTreeSet::new();
        let mut compared = Self {
            snapshot,
            analyzers: reports().flat_map(|report| &report.analyzers).collect(),
            said: Vec::new(),
            outside: BTreeMap::new(),
        };
        for finding in reports().flat_map(|report| &report.findings) {
            if !seen.insert((&finding.analyzer, &finding.id)) {
                continue;
            }
            let access = if let AnalyzerWord::External(access) = &finding.about { Some(access) } else { None };
            if let (Some(_), Some(resource), true) =
                (access, &finding.resource, finding.status != AnalyzerStatus::Resolved)
            {
                compared.outside.entry(resource).or_default().push(compared.said.len());
            }
            compared.said.push(Said { finding, access });
        }
        compared
    }

    /// Adds to our own finding what AWS says of the same; a finding where AWS looks and says nothing.
    fn with_own(&self, own: &mut Finding, matched: &mut BTreeSet<usize>) -> Option<Finding> {
        let outside = [FindingCode::PublicFunction, FindingCode::PublicResource, FindingCode::CrossAccount];
        let resource = own.resource.clone().filter(|_| outside.contains(&own.code))?;
        let fitting: Vec<usize> =
            self.outside.get(&resource).into_iter().flatten().copied().filter(|place| self.fits(own, *place)).collect();
        matched.extend(&fitting);
        let found = fitting.iter().filter_map(|place| Some(self.said.get(*place)?.finding));
        let (stands, accepted): (Vec<_>, Vec<_>) = found.partition(|f| f.status != AnalyzerStatus::Archived);
        if let Some(first) = stands.first() {
            let read = matches!(&first.about, AnalyzerWord::External(access) if access.detailed);
            let word = if read { "says so too" } else { "has a finding about it, whose details were not read" };
            own.evidence.push(format!("Access Analyzer {word} (finding {})", first.id));
            return None;
        }
        if let Some(first) = accepted.first() {
            own.evidence
                .push(format!("Access Analyzer's finding about it was archived by somebody (finding {})", first.id));
            return None;
        }
        // AWS trusts its services, and of a provider it asks nothing.
        let comparable = own.code != FindingCode::CrossAccount || own.principal.as_ref()?.arn().is_some();
        let looker = self.looked_at_by(&resource).filter(|_| comparable)?;
        let silent = format!("Access Analyzer (`{}`) looks at it and has no such finding", looker.arn.name());
        own.evidence.push(silent.clone());
        let mut finding = Finding {
            principal: own.principal.clone(),
            resource: Some(resource),
            place: own.place.clone(),
            confidence: Confidence::Medium,
            ..Finding::new(FindingCode::OpinionDiffers, FindingSeverity::Low)
        };
        finding.evidence = vec![format!("ours: {}: {}", own.code, own.evidence.first()?), silent];
        Some(finding)
    }

    /// Whether AWS's finding is about the ones that ours is about.
    fn fits(&self, own: &Finding, place: usize) -> bool {
        let Some(access) = self.said.get(place).and_then(|said| said.access) else { return false };
        if !access.detailed {
            return true;
        }
        match (own.code, own.principal.as_ref().and_then(|subject| subject.arn())) {
            (FindingCode::CrossAccount, Some(arn)) => {
                let account = arn.account();
                account.is_some() && access.who.iter().any(|who| who.account() == account)
            }
            (FindingCode::CrossAccount, None) => access.who.iter().any(|who| who.kind == "Federated"),
            _ => is_public(access),
        }
    }

    /// An analyzer at work that looks at such a resource, and whose findings were read.
    fn looked_at_by(&self, resource: &Arn) -> Option<&'s Analyzer> {
        const KINDS: [&str; 8] = ["s3", "kms", "lambda", "sqs", "secretsmanager", "sns", "dynamodb", "ecr"];
        let role = resource.service() == "iam" && resource.resource().starts_with("role/");
        if !role && !KINDS.contains(&resource.service()) {
            return None;
        }
        let external = |a: &Analyzer| a.active && a.findings_read && a.looks_for == LooksFor::External;
        let external: Vec<&Analyzer> = self.analyzers.iter().copied().filter(|analyzer| external(analyzer)).collect();
        let (owner, region) = if external.is_empty() { None } else { self.home(resource) }?;
        let of = |analyzer: &Analyzer| {
            let account = analyzer.organization || analyzer.arn.account().as_ref() == Some(owner);
            // Roles are of no region; any analyzer of the account looks at them.
            account && (role || Some(analyzer.arn.region()) == region)
        };
        external.into_iter().find(|analyzer| of(analyzer))
    }

    /// Whose a resource of the snapshot is, and in which region; a bucket's ARN tells neither.
    fn home<'r>(&self, resource: &'r Arn) -> Option<(&'s AccountId, Option<&'r str>)>
    where
        's: 'r,
    {
        for (id, account) in &self.snapshot.accounts {
            let described = account.resources.iter().find(|known| known.arn == *resource);
            let named = described.and_then(|known| known.api.get("BucketRegion")).and_then(Value::as_str);
            let here = described.is_some()
                || account.resource_policies.contains_key(resource)
                || account.roles.iter().any(|role| role.identity.arn == *resource);
            if here {
                return Some((id, named.or_else(|| Some(resource.region()).filter(|region| !region.is_empty()))));
            }
        }
        None
    }

    /// AWS's finding alone; the kind where it is one nobody knows.
    fn alone(&self, said: &Said<'_>) -> Result<Finding, String> {
        let about = |code, severity| {
            let mut finding = match said.finding.resource.clone().filter(|arn| arn.service() == "iam") {
                Some(principal) => Finding::about(code, severity, principal),
                None => Finding::new(code, severity),
            };
            finding.resource.clone_from(&said.finding.resource);
            finding.place = Some(format!("Access Analyzer, finding {}", said.finding.id));
            finding
        };
        let unused = |severity, what: String| Finding {
            evidence: vec![format!("Access Analyzer: {what}")],
            ..about(FindingCode::AwsUnusedAccess, severity)
        };
        Ok(match &said.finding.about {
            AnalyzerWord::External(access) => self.external(said, access, &about),
            AnalyzerWord::Internal(access) => Finding {
                evidence: vec![format!("Access Analyzer: {}", told(access))],
                ..about(FindingCode::AwsInternalAccess, FindingSeverity::Info)
            },
            AnalyzerWord::UnusedRole(last) => {
                unused(FindingSeverity::Medium, format!("nobody uses the role{}", since(*last)))
            }
            AnalyzerWord::UnusedAccessKey(last) => {
                unused(FindingSeverity::Medium, format!("nobody uses an access key of the user{}", since(*last)))
            }
            AnalyzerWord::UnusedPassword(last) => {
                unused(FindingSeverity::Medium, format!("nobody uses the user's password{}", since(*last)))
            }
            AnalyzerWord::UnusedPermissions(services) => {
                let mut finding = unused(FindingSeverity::Low, permissions(services));
                finding.evidence.extend(said.finding.steps.iter().map(|step| {
                    let what = if step.replace { "replace" } else { "detach" };
                    format!("Access Analyzer recommends to {what} {}", step.policy)
                }));
                finding
            }
            AnalyzerWord::Unknown(kind) => return Err(kind.clone()),
        })
    }

    /// Access from outside that we do not report.
    fn external(
        &self,
        said: &Said<'_>,
        access: &Access,
        about: &dyn Fn(FindingCode, FindingSeverity) -> Finding,
    ) -> Finding {
        let public = is_public(access);
        let severity = if public { FindingSeverity::High } else { FindingSeverity::Medium };
        let theirs = format!("Access Analyzer: {}", told(access));
        let marked = |severity, ours: &str| Finding {
            evidence: vec![theirs.clone(), ours.to_owned()],
            ..about(FindingCode::AwsExternalAccess, severity)
        };
        let accounts: Vec<AccountId> = access.who.iter().filter_map(|who| who.account()).collect();
        let within = |account: &AccountId| {
            let organization = self.snapshot.organization.as_ref();
            self.snapshot.accounts.contains_key(account)
                || organization.is_some_and(|organization| organization.accounts.contains_key(account))
        };
        if !public && !accounts.is_empty() && accounts.iter().all(within) {
            return marked(FindingSeverity::Low, "outside the account, and of its organization");
        }
        if access.who.iter().any(|who| who.kind == "Federated") {
            return marked(FindingSeverity::Low, "ours: something in the token is asked for, or it is not known");
        }
        let elsewhere = access.through.iter().any(|through| !through.ends_with("POLICY"));
        let known = said.finding.resource.as_ref().is_some_and(|resource| self.has_policy(resource));
        if !known || elsewhere || !access.detailed {
            let why = match (known, elsewhere) {
                (false, _) => "ours: the snapshot holds no policy of it".to_owned(),
                (_, true) => format!("ours: not judged: it is granted by {}", access.through.join(", ")),
                _ => "ours: nothing; the finding's details were not read".to_owned(),
            };
            return marked(severity, &why);
        }
        let ours = "ours: its policy, as collected, lets in nobody from outside who brings nothing of ours".to_owned();
        Finding { evidence: vec![ours, theirs], ..about(FindingCode::OpinionDiffers, severity) }
    }

    fn has_policy(&self, resource: &Arn) -> bool {
        self.snapshot.accounts.values().any(|account| {
            account.resource_policies.contains_key(resource)
                || account.roles.iter().any(|role| role.identity.arn == *resource)
        })
    }
}

fn is_public(access: &Access) -> bool {
    access.public || access.who.iter().any(|who| who.text == "*")
}

fn since(last: Option<Timestamp>) -> String {
    last.map_or_else(|| " (no use is on record)".to_owned(), |time| format!(" since {time}"))
}

fn first<'t>(items: impl Iterator<Item = &'t str>) -> String {
    let items: Vec<&str> = items.collect();
    let named: Vec<&str> = items.iter().copied().take(NAMED).collect();
    let more = items.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", named.join(", "))
}

/// Who, what and under which conditions.
fn told(access: &Access) -> String {
    if !access.detailed {
        return "someone can use it; the finding's details were not read".to_owned();
    }
    let mut who = first(access.who.iter().map(|who| who.text.as_str()));
    if is_public(access) {
        who = "everyone".to_owned();
    }
    let mut told = format!("{who} can use {}", first(access.actions.iter().map(|action| action.as_str())));
    if !access.conditions.is_empty() {
        told.push_str(&format!(", if {} allows", first(access.conditions.iter().map(|key| key.as_str()))));
    }
    told
}

fn permissions(services: &[UnusedService]) -> String {
    if services.is_empty() {
        return "permissions are not used; the finding's details were not read".to_owned();
    }
    let whole = services.iter().filter(|one| one.unused.is_empty()).map(|one| one.service.as_str());
    let single = services.iter().flat_map(|one| &one.unused).map(|(action, _)| action.as_str());
    let (whole, single) = (first(whole), first(single));
    let parts = [("the services ", whole), ("the actions ", single)];
    let parts: Vec<String> =
        parts.iter().filter(|(_, list)| !list.is_empty()).map(|(what, list)| format!("{what}{list}")).collect();
    format!("not used: {}", parts.join("; "))
}

/// The role or user that a finding about unused access is about.
#[must_use]
pub fn unused_access_of(snapshot: &Snapshot, principal: &Arn) -> Vec<String> {
    let compared = Comparison::new(snapshot);
    let own = |said: &&Said<'_>| said.finding.resource.as_ref() == Some(principal);
    let stands = |said: &&Said<'_>| {
        said.finding.error.is_none()
            && !matches!(said.finding.status, AnalyzerStatus::Archived | AnalyzerStatus::Resolved)
    };
    let findings = compared.said.iter().filter(own).filter(stands).filter_map(|said| compared.alone(said).ok());
    findings
        .filter(|finding| finding.code == FindingCode::AwsUnusedAccess)
        .flat_map(|finding| finding.evidence)
        .collect()
}

#[cfg(test)]
mod tests;
