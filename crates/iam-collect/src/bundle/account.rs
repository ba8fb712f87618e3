//! One account out of the answers in its folder.
//!
//! Decides which account it is, and gathers what is missing; the parts are built by the modules beside this one.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::{AccountId, Arn};
use iam_model::json::{Node, NodeKind, Value};

use super::folder::{Answer, EMPTY, Key};
use super::{analyzer, functions, policies, shapes, sources, tags, trails};
use crate::assemble::Piece;
use crate::error::CollectError;

/// Both names people save it under.
const DETAILS: [&str; 2] = ["account-authorization-details", "get-account-authorization-details"];

/// AWS's record of last uses, one answer for each role; read with the logs, not with the account.
const LAST_ACCESSED: &str = "get-service-last-accessed-details";

/// Whether files of this name are used at all.
pub(crate) fn is_known(call: &str) -> bool {
    DETAILS.contains(&call)
        || call == LOGIN
        || call == KEYS
        || call == LAST_ACCESSED
        || call == super::COLLECTION
        || crate::calls::BESIDE.contains(&call)
        || shapes::is_known(call)
        || policies::is_known(call)
        || functions::is_known(call)
        || trails::is_known(call)
        || analyzer::is_known(call)
        || sources::is_known(call)
}

/// The answers of one account, looked up, and what turned out to be missing.
pub(super) struct Answers<'b> {
    all: &'b [Answer<'b>],
    by_key: BTreeMap<&'b Key, &'b Answer<'b>>,
    items: BTreeSet<(&'b str, &'b str)>,
    failures: BTreeMap<&'b Key, &'b str>,
    not_read: Vec<(String, Option<String>)>,
}

/// What became of a question about one thing.
pub(super) enum Found<'b> {
    Answer(&'b Answer<'b>),
    /// AWS said that there is none.
    None,
    /// Nobody asked, or the call failed.
    Missing,
}

impl<'b> Answers<'b> {
    /// The answers to a call, about whatever.
    pub(super) fn of(&self, call: &'b str) -> impl Iterator<Item = &'b Answer<'b>> + use<'b> {
        self.all.iter().filter(move |answer| answer.key.call == call)
    }

    /// Whether anything is there for the call, be it a failure.
    pub(super) fn asked(&self, call: &str) -> bool {
        self.by_key.keys().chain(self.failures.keys()).any(|key| key.call == call)
    }

    /// The answer to a call about one thing of a region.
    pub(super) fn about(&self, call: &str, item: &str, region: &str) -> Found<'b> {
        let key =
            |region: Option<&str>| Key { call: call.into(), item: Some(item.into()), region: region.map(Into::into) };
        let keys = [key(Some(region)), key(None)];
        if let Some(answer) = keys.iter().find_map(|key| self.by_key.get(key)) {
            return Found::Answer(answer);
        }
        match keys.iter().find_map(|key| self.failures.get(key)) {
            Some(why) if says_none(why) => Found::None,
            _ => Found::Missing,
        }
    }

    /// Whether the call was answered with nothing at all.
    pub(super) fn is_empty_answer(&self, call: &str, item: &str, region: &str) -> bool {
        let key =
            |region: Option<&str>| Key { call: call.into(), item: Some(item.into()), region: region.map(Into::into) };
        let keys = [key(Some(region)), key(None)];
        keys.iter().filter_map(|key| self.failures.get(key)).any(|why| why.ends_with(EMPTY))
    }

    /// Records something that is not known, with the command that would tell.
    pub(super) fn not_read(&mut self, what: String, hint: Option<String>) {
        self.not_read.push((what, hint));
    }

    /// Records that no usable answer to a call is there.
    pub(super) fn missing(&mut self, call: &str, lost: &str, command: &str) {
        let what = if self.asked(call) { "no usable" } else { "no" };
        self.not_read(format!("{what} `{call}.json`: {lost}"), Some(format!("`{command}`")));
    }

    /// Whether a call about this thing was answered, in any region.
    pub(super) fn knows(&self, call: &str, item: &str) -> bool {
        self.items.contains(&(call, item))
    }

    /// Regions of which no call at all was answered, with how many failed and why the first did.
    fn silent_regions(&self) -> BTreeMap<&'b str, (usize, &'b str)> {
        let answered: BTreeSet<&str> = self.by_key.keys().filter_map(|key| key.region.as_deref()).collect();
        let mut silent: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for (key, why) in &self.failures {
            let region = key.region.as_deref().filter(|region| !answered.contains(region));
            if let (Some(region), false) = (region, says_none(why)) {
                silent.entry(region).or_insert((0, *why)).0 += 1;
            }
        }
        silent.retain(|_, (count, _)| *count > 1);
        silent
    }

    /// Records calls that failed and files that are no JSON: the first of each call, and how many more.
    fn report_failures(&mut self) {
        let silent = self.silent_regions();
        for (region, (count, why)) in &silent {
            let calls = if *count == 1 { "call" } else { "calls" };
            let what = format!("nothing of the region {region} was read: {count} {calls} failed, the first: {why}");
            let hint = "allow the region to whoever collects, or leave it out where nothing is in it";
            self.not_read(what, Some(hint.into()));
        }
        let mut by_call: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, why) in &self.failures {
            if key.region.as_deref().is_some_and(|region| silent.contains_key(region)) {
                continue;
            }
            let lists = key.item.is_none() && key.call == "list-queues" || key.call == sources::NOTIFICATIONS;
            let empty_list = lists && why.ends_with(EMPTY);
            if !says_none(why) && !empty_list {
                by_call.entry(&key.call).or_default().push(why);
            }
        }
        for (call, whys) in by_call {
            let (first, more) = (whys.first().copied().unwrap_or_default(), whys.len() - 1);
            let more = if more == 0 { String::new() } else { format!("; {more} more of this call failed") };
            self.not_read(format!("{first}{more}"), allowing(call, first));
        }
    }

    /// The list in an answer; a wrong shape, and a list that was cut off, are recorded.
    pub(super) fn list(&mut self, answer: &'b Answer<'b>, key: &str) -> &'b [Node<'b>] {
        if let Some(mark) = cut_off(answer) {
            let what = format!("{} is cut off (`{mark}`): there is more", answer.source.name);
            self.not_read(what, Some("call again without `--max-items` and `--no-paginate`".into()));
        }
        if answer.root.get("IsTruncated").and_then(Node::as_bool) == Some(true) && answer.root.get("Marker").is_none() {
            let what = format!("{} is cut off (`IsTruncated`): there is more", answer.source.name);
            self.not_read(what, Some("call again without `--max-items` and `--no-paginate`".into()));
        }
        match answer.root.get(key) {
            Some(list) if matches!(list.kind, NodeKind::Array(_)) => list.items(),
            _ => {
                self.not_read(format!("{} holds no list `{key}`: it is left out", answer.source.name), None);
                &[]
            }
        }
    }
}

/// The mark of an answer that there is more.
pub(super) fn cut_off(answer: &Answer<'_>) -> Option<&'static str> {
    let marks = ["NextToken", "nextToken", "NextMarker", "Marker"];
    marks.into_iter().find(|mark| answer.root.get(mark).is_some_and(|mark| mark.as_str().is_some()))
}

/// What would allow a call that was refused.
fn allowing(call: &str, why: &str) -> Option<String> {
    const REFUSED: [&str; 4] = ["(AccessDenied", "(UnauthorizedOperation)", "(AuthorizationError)", "(Forbidden"];
    let actions = crate::calls::actions_of(call, why);
    let refused = REFUSED.iter().any(|word| why.contains(word)) && !actions.is_empty();
    let actions: Vec<String> = actions.into_iter().map(|action| format!("`{action}`")).collect();
    refused.then(|| format!("allow {} to whoever collects, and collect again", actions.join(" and ")))
}

/// Whether a message of the CLI says that the thing asked for does not exist, rather than that it could not be read.
pub(crate) fn says_none(why: &str) -> bool {
    const NONE: &[&str] = &[
        "(ResourceNotFoundException)",
        "(NoSuchBucketPolicy)",
        "(NoSuchEntity)",
        "(NoSuchTagSet)",
        "(NoSuchPublicAccessBlockConfiguration)",
        "(RepositoryPolicyNotFoundException)",
        "(PolicyNotFoundException)",
        "(NotFoundException)",
        "(StackNotFoundException)",
    ];
    NONE.iter().any(|word| why.contains(word))
}

/// The account's id, and its part of the snapshot.
pub(super) fn build<'b>(
    folder: &str,
    all: &'b [Answer<'b>],
    failures: &'b [(&'b Key, String)],
    notes: &[(String, Option<String>)],
) -> Result<(AccountId, Piece<'b>), CollectError> {
    let mut answers = Answers {
        all,
        by_key: all.iter().map(|answer| (answer.key, answer)).collect(),
        items: all.iter().filter_map(|a| Some((a.key.call.as_str(), a.key.item.as_deref()?))).collect(),
        failures: failures.iter().map(|(key, why)| (*key, why.as_str())).collect(),
        not_read: notes.to_vec(),
    };
    answers.report_failures();
    regions(&mut answers);
    let details = DETAILS.iter().find_map(|call| answers.of(call).next());
    let owned = details.iter().flat_map(|d| arns(&d.root)).find_map(|arn| arn.account());
    let owner = shapes::Owner {
        partition: details.map_or("aws", |d| partition(&d.root)),
        account: owned.or_else(|| folder.parse().ok()),
    };
    let mut resources = shapes::resources(&mut answers, &owner);
    functions::extend(&mut answers, &mut resources);
    sources::extend(&mut answers, &mut resources);
    let policies = policies::policies(&mut answers, &resources);
    let tags = tags::tags(&mut answers);
    let trails = trails::trails(&mut answers);
    let arns = details.iter().flat_map(|d| arns(&d.root)).chain(resources.iter().map(|r| r.arn.clone()));
    let id = arns.filter_map(|arn| arn.account()).next().or_else(|| folder.parse().ok());
    let id = id.ok_or_else(|| CollectError::NoAccount { name: folder.into() })?;

    let empty = || Piece::Made(Value::Object(Vec::new()));
    let mut members =
        vec![("authorization_details", details.map_or_else(empty, |d| Piece::Copy(d.source, d.root.span)))];
    members.push(("resources", Piece::List(resources.into_iter().map(|r| Piece::Made(r.into_value())).collect())));
    members.push(("resource_policies", policies));
    members.extend(tags.map(|tags| ("resource_tags", tags)));
    members.extend(trails.map(|trails| ("trails", trails)));
    members.push(("iam_extra", Piece::Made(extra(&mut answers, details))));
    members.extend(analyzer::access_analyzer(&mut answers).map(|found| ("access_analyzer", found)));
    members.push(("not_read", Piece::List(answers.not_read.into_iter().map(not_read).collect())));
    Ok((id, Piece::Object(members.into_iter().map(|(key, piece)| (key.to_owned(), piece)).collect())))
}

/// Says which regions were asked, where a collector wrote it down.
fn regions(answers: &mut Answers<'_>) {
    let Some(written) = answers.of(super::COLLECTION).next() else { return };
    let version = written.root.get("schema").and_then(Node::as_str).unwrap_or("none");
    if version != super::COLLECTION_SCHEMA {
        let what =
            format!("{} is of the version `{version}`: which regions were asked is not known", written.source.name);
        answers.not_read(what, Some(format!("this program knows `{}`: use a newer one", super::COLLECTION_SCHEMA)));
        return;
    }
    if written.root.get("all_enabled").and_then(Node::as_bool) == Some(true) {
        return;
    }
    let regions = written.root.get("regions");
    let regions: Vec<&str> = regions.map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str).collect();
    if !regions.is_empty() {
        let what = format!("only {} was asked: nothing of other regions is known", regions.join(", "));
        answers.not_read(
            what,
            Some("name the regions in use, `--region NAME` once for each, or ask all: `--region all`".into()),
        );
    }
}

fn not_read<'b>((what, hint): (String, Option<String>)) -> Piece<'b> {
    let mut members = vec![("what".to_owned(), Value::text(what))];
    members.extend(hint.map(|hint| ("hint".to_owned(), Value::text(hint))));
    Piece::Made(Value::Object(members))
}

/// ARNs of what the account itself owns: AWS's own policies tell nothing.
fn arns<'n>(details: &'n Node<'_>) -> impl Iterator<Item = Arn> + 'n {
    ["RoleDetailList", "UserDetailList", "GroupDetailList", "Policies"].into_iter().flat_map(|list| {
        let items = details.get(list).map(Node::items).unwrap_or_default();
        items.iter().filter_map(|item| item.get("Arn").and_then(Node::as_str)?.parse().ok())
    })
}

fn partition<'n>(details: &'n Node<'_>) -> &'n str {
    let roles = details.get("RoleDetailList").map(Node::items).unwrap_or_default();
    let arn = roles.iter().find_map(|role| role.get("Arn").and_then(Node::as_str));
    arn.and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws")
}

const KEYS: &str = "list-access-keys";
const LOGIN: &str = "get-login-profile";

/// `iam_extra`: keys and passwords, by user.
fn extra(answers: &mut Answers<'_>, details: Option<&Answer<'_>>) -> Value {
    let users = details.and_then(|d| d.root.get("UserDetailList")).map(Node::items).unwrap_or_default();
    let names: BTreeSet<&str> = users.iter().filter_map(|user| user.get("UserName").and_then(Node::as_str)).collect();
    let (mut keys, mut logins) = (Vec::new(), Vec::new());
    let mut unknown: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        match answers.about(KEYS, name, "") {
            Found::Answer(answer) => {
                let count = answer.root.get("AccessKeyMetadata").map(Node::items).unwrap_or_default().len();
                keys.push((name.to_owned(), Value::Number(count.to_string())));
            }
            Found::None => {}
            Found::Missing => unknown.entry(KEYS).or_default().push(name),
        }
        match answers.about(LOGIN, name, "") {
            Found::Answer(_) => logins.push(Value::text(name)),
            Found::None => {}
            Found::Missing => unknown.entry(LOGIN).or_default().push(name),
        }
    }
    for (call, users) in unknown {
        let what = format!("no `{call}/NAME.json` of {} users ({})", users.len(), super::named(&users));
        let command = format!("`aws iam {call} --user-name NAME > {call}/NAME.json 2> {call}/NAME.err`");
        answers.not_read(format!("{what}: their keys and passwords are not known whole"), Some(command));
    }
    Value::Object(vec![("access_keys".into(), Value::Object(keys)), ("login_profiles".into(), Value::Array(logins))])
}
