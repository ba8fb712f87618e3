//! Exposure: whom resource and trust policies let in from outside, credentials in plain text, names of principals that
//! are gone, VPC endpoints that let everything through, and grants that a limit takes away whole.
//!
//! Whether someone is let in is decided by evaluation, for a stranger who brings nothing of ours: no address, network,
//! organisation or resource. Follows the IAM User Guide topics "The confused deputy problem" and "Cross-account resource
//! access in IAM", and the S3 User Guide topic "The meaning of public". Makes findings; it builds no edges.

mod credentials;
mod dead;
mod endpoints;
mod outsider;
mod probe;
mod provider;
mod stale;

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::{AccountId, Arn};
use iam_model::condition::ConditionKey;
use iam_model::finding::{Confidence, Finding, FindingCode, FindingSeverity, Subject};
use iam_model::json::Value;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{Resource, ResourceKind};

use crate::judge::{Answer, Judge};
use crate::survey::Survey;
use outsider::Outsider;
use probe::Probe;
use provider::open_to_all;

/// What is exposed, and what could not be judged.
#[derive(Debug, Default)]
pub(crate) struct Exposure {
    pub(crate) findings: Vec<Finding>,
    pub(crate) not_checked: BTreeSet<String>,
}

/// Looks at every policy that names principals, every description of compute, and every limited grant.
pub(crate) fn exposure(survey: &Survey<'_>, judge: &Judge<'_>) -> Exposure {
    let mut found = Exposure::default();
    for home in &survey.homes {
        let described: BTreeMap<&Arn, &Resource> = home.account.resources.iter().map(|r| (&r.arn, r)).collect();
        for arn in home.account.resource_policies.keys() {
            let Some(document) = survey.resource_policy(arn) else { continue };
            let document = document.for_resource(arn);
            // A version or an alias of a function has a policy of its own, and the function's description.
            let described = described.get(arn).or_else(|| described.get(&function_of(arn)?)).copied();
            let held = Door { arn, owner: home.id, document: &document, described };
            found.door(survey, judge, &held);
        }
        found.findings.extend(endpoints::open(home.account));
        home.account.resources.iter().for_each(|resource| found.findings.extend(credentials::of(resource)));
    }
    for person in &survey.people {
        if let (Some(trust), Some(home)) = (person.trust.filter(|_| !person.is_service_linked()), survey.home(person)) {
            found.door(survey, judge, &Door { arn: person.arn, owner: home.id, document: trust, described: None });
        }
    }
    found.findings.extend(dead::permissions(survey));
    found
}

/// A policy that names who may come in.
struct Door<'d> {
    arn: &'d Arn,
    owner: &'d AccountId,
    document: &'d PolicyDocument,
    described: Option<&'d Resource>,
}

impl Door<'_> {
    fn is_role(&self) -> bool {
        self.arn.service() == "iam"
    }

    fn is_function(&self) -> bool {
        self.arn.service() == "lambda"
    }

    /// Whether the bucket turns away what its policy lets in from everywhere.
    fn is_shut(&self) -> bool {
        let block = self.described.and_then(|resource| resource.api.get("PublicAccessBlockConfiguration"));
        matches!(block.and_then(|block| block.get("RestrictPublicBuckets")), Some(Value::Bool(true)))
    }

    fn place(&self) -> String {
        let kind = if self.is_role() { "trust policy" } else { "resource policy" };
        format!("{kind} of {}", self.arn)
    }
}

/// Someone from outside who is let in, and to what.
#[derive(Default)]
struct LetIn {
    actions: BTreeSet<String>,
    /// Nothing where it holds whatever the keys are.
    keys: Option<BTreeSet<ConditionKey>>,
}

impl Exposure {
    fn door(&mut self, survey: &Survey<'_>, judge: &Judge<'_>, door: &Door<'_>) {
        self.findings.extend(stale::names(survey, door.arn, door.document, door.place()));
        let mut let_in: BTreeMap<Outsider, LetIn> = BTreeMap::new();
        for Probe { who, action, resource } in probe::probes(survey, door.arn, door.document, &mut self.not_checked) {
            let answer = judge.lets_in(&who, &action, &resource, door.owner, door.document);
            let keys = match answer {
                Answer::No => continue,
                Answer::Unknown(why) => {
                    self.not_checked.insert(format!("{}: {why}", door.place()));
                    continue;
                }
                Answer::Yes => None,
                Answer::If(keys) => Some(keys),
            };
            let entry = let_in.entry(who).or_insert_with(|| LetIn { keys: keys.clone(), ..LetIn::default() });
            entry.actions.insert(action.to_string());
            entry.keys = entry.keys.take().and(keys);
        }
        self.tell(door, let_in);
    }

    /// One finding about everyone, one about each outside account, one about all services that act for anyone.
    fn tell(&mut self, door: &Door<'_>, let_in: BTreeMap<Outsider, LetIn>) {
        let mut everyone: Option<LetIn> = None;
        let mut deputies = Vec::new();
        for (who, found) in let_in {
            match who {
                Outsider::Anonymous | Outsider::Stranger => {
                    let known = everyone.get_or_insert_with(|| LetIn { keys: found.keys.clone(), ..LetIn::default() });
                    known.actions.extend(found.actions);
                    known.keys = known.keys.take().and(found.keys);
                }
                Outsider::Service(name) if found.keys.is_none() => deputies.push((name, found.actions)),
                // Some condition narrows what it acts for.
                Outsider::Service(_) => {}
                Outsider::Named { account, text } => self.findings.push(named(door, &account, &text, &found)),
                Outsider::Provider(name) => self.findings.push(provider(door, &name, &found)),
            }
        }
        self.findings.extend(everyone.filter(|_| !door.is_shut()).map(|found| public(door, &found)));
        if !deputies.is_empty() && !door.is_role() {
            self.findings.push(deputy(door, &deputies));
        }
    }
}

fn finding(door: &Door<'_>, code: FindingCode, severity: FindingSeverity, who: impl Into<Subject>) -> Finding {
    let mut finding = Finding::about(code, severity, who);
    finding.resource = Some(door.arn.clone());
    finding.place = Some(door.place());
    finding
}

fn conditions(finding: &mut Finding, found: &LetIn) {
    finding.conditional_on = found.keys.iter().flatten().cloned().collect();
    if found.keys.is_some() {
        finding.confidence = Confidence::Low;
    }
}

fn list(actions: &BTreeSet<String>) -> String {
    actions.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn public(door: &Door<'_>, found: &LetIn) -> Finding {
    let severity = if found.keys.is_none() { FindingSeverity::High } else { FindingSeverity::Medium };
    let code = if door.is_function() { FindingCode::PublicFunction } else { FindingCode::PublicResource };
    let mut finding = finding(door, code, severity, Subject::Anyone);
    finding.evidence = vec![format!("everyone is allowed {}", list(&found.actions))];
    if door.is_function() {
        finding.functions = vec![door.described.map_or(door.arn, |function| &function.arn).clone()];
        if found.actions.iter().all(|action| action == "lambda:InvokeFunctionUrl") && !has_url(door) {
            finding.confidence = Confidence::Medium;
            finding.evidence.push("taken as given: the function has a URL".into());
        }
    }
    if door
        .described
        .is_some_and(|r| r.kind == ResourceKind::S3Bucket && r.api.get("PublicAccessBlockConfiguration").is_none())
    {
        finding.confidence = Confidence::Medium;
        finding.evidence.push("taken as given: public access is not blocked for the bucket or its account".into());
    }
    conditions(&mut finding, found);
    finding
}

fn has_url(door: &Door<'_>) -> bool {
    let Some(function) = door.described else { return false };
    let open = |described: &Value| {
        described.get("FunctionUrlConfig").and_then(|config| config.get("AuthType")).and_then(Value::as_str)
            == Some("NONE")
    };
    if function.arn == *door.arn {
        return open(&function.api);
    }
    let is_own = |alias: &&Value| alias.get("AliasArn").and_then(Value::as_str) == Some(door.arn.as_str());
    function.api.get("Aliases").map(Value::items).unwrap_or_default().iter().filter(is_own).any(open)
}

/// The function that a version or an alias is of.
fn function_of(arn: &Arn) -> Option<Arn> {
    let (function, _) = arn.as_str().rsplit_once(':')?;
    (arn.service() == "lambda").then(|| function.parse().ok())?
}

fn named(door: &Door<'_>, account: &AccountId, text: &str, found: &LetIn) -> Finding {
    // A secret, or another key only we know, is what guards a door for one account.
    let severity = if found.keys.is_none() { FindingSeverity::Medium } else { FindingSeverity::Low };
    let root = format!("arn:{}:iam::{account}:root", door.arn.partition()).parse::<Arn>();
    let who = text.parse::<Arn>().or(root).map_or(Subject::Anyone, Subject::Arn);
    let mut finding = finding(door, FindingCode::CrossAccount, severity, who);
    finding.evidence =
        vec![format!("account {account}, outside the organization, is allowed {}", list(&found.actions))];
    if door.is_role() && found.keys.is_none() {
        finding.evidence.push("no external id is asked for".into());
    }
    conditions(&mut finding, found);
    finding
}

fn provider(door: &Door<'_>, name: &str, found: &LetIn) -> Finding {
    let mut finding = finding(door, FindingCode::CrossAccount, FindingSeverity::High, Subject::Anyone);
    let asks = open_to_all(name).map_or("its subject", |known| known.asks);
    finding.evidence = vec![format!("any customer of {name} can get a token that is let in: nothing asks for {asks}")];
    conditions(&mut finding, found);
    finding
}

fn deputy(door: &Door<'_>, deputies: &[(String, BTreeSet<String>)]) -> Finding {
    let mut finding = finding(door, FindingCode::CrossAccount, FindingSeverity::Low, Subject::Anyone);
    finding.confidence = Confidence::Medium;
    finding.evidence = deputies
        .iter()
        .map(|(name, actions)| {
            format!(
                "{name} is allowed {} for any account: no aws:SourceArn or aws:SourceAccount is asked for",
                list(actions)
            )
        })
        .collect();
    finding
}

#[cfg(test)]
mod tests;
