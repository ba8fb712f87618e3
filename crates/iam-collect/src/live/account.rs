//! One account: every call of the table about it, each answer kept, with what follows from an answer asked at once.
//!
//! Many questions are under way together, never more than the session allows. What failed for a passing reason is
//! asked again, each time after a longer, random wait.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use iam_model::json::{Node, NodeKind};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::answer::Failure;
use super::fetch::{Answer, Question, ask};
use super::store::Store;
use crate::bundle::Key;
use crate::calls::{About, CALLS, Call, Home, Named, Operation, Part, Scope};
use crate::connect::{Pace, jittered};

/// How often a question is asked again after the client itself gave up.
const ROUNDS: u32 = 4;

/// What the questions about one account share.
pub(super) struct Session {
    pub(super) config: SdkConfig,
    pub(super) store: Store,
    /// Questions under way, over all accounts.
    pub(super) slots: Arc<Semaphore>,
    pub(super) pace: Pace,
    /// What is asked for beside what is always asked.
    pub(super) parts: Vec<Part>,
    /// Set where the credentials are no longer good: nothing more is asked.
    pub(super) over: Arc<AtomicBool>,
    /// Why, in AWS's words.
    pub(super) why: Mutex<Option<Failure>>,
    pub(super) asked: Mutex<BTreeSet<(Operation, Key)>>,
}

impl Session {
    fn wants(&self, call: &Call) -> bool {
        call.part.is_none_or(|part| self.parts.contains(&part))
    }
}

/// A thing to ask about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Item {
    id: String,
    name: Option<String>,
    /// Where it is asked, where that is not where it was listed.
    home: Option<String>,
}

/// The regions that the account has switched on; nothing where that is refused.
pub(super) async fn enabled_regions(session: &Arc<Session>) -> Option<Vec<String>> {
    let call = CALLS.iter().find(|call| call.operation == Operation::ListRegions)?;
    one(Arc::clone(session), call, None, Item::default()).await;
    let names = |root: &Node<'_>| {
        let listed = root.get("Regions").map(Node::items).unwrap_or_default().iter();
        let mut names: Vec<String> =
            listed.filter_map(|region| region.get("RegionName")?.as_str()).map(ToOwned::to_owned).collect();
        names.sort();
        names
    };
    session.store.read(&Key::of(call.file), names).filter(|names| !names.is_empty())
}

/// Asks everything about an account and the regions.
pub(super) async fn everything(session: &Arc<Session>, regions: &[String]) {
    let mut questions = JoinSet::new();
    for call in CALLS.iter().filter(|call| call.about.is_none() && session.wants(call)) {
        match call.scope {
            Scope::Account => {
                questions.spawn(one(Arc::clone(session), call, None, Item::default()));
            }
            Scope::Region => {
                for region in regions {
                    questions.spawn(one(Arc::clone(session), call, Some(region.clone()), Item::default()));
                }
            }
        }
    }
    while questions.join_next().await.is_some() {}
}

type Done = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Asks one question, keeps the answer, and asks what follows from it.
fn one(session: Arc<Session>, call: &'static Call, region: Option<String>, item: Item) -> Done {
    Box::pin(async move {
        let home = call.about.map_or(Home::Same, |about| about.home);
        let (folder, asked_in) = match (home, &item.home) {
            (Home::OfArn, Some(home)) => (Some(home.clone()), Some(home.clone())),
            (Home::By(_), home) => (None, home.clone()),
            _ => (region.clone(), region.clone()),
        };
        let key = Key { call: call.file.into(), item: item.name.clone(), region: folder };
        let new = session.asked.lock().unwrap_or_else(PoisonError::into_inner).insert((call.operation, key.clone()));
        if !new {
            return;
        }
        if !session.store.has(&key) {
            let answer = answered(&session, call, asked_in, item.id).await;
            match answer {
                Some(answer) => session.store.keep(key.clone(), call.name(), answer),
                None => return,
            }
        }
        following(&session, call, region, &key).await;
    })
}

/// The questions that follow from an answer.
async fn following(session: &Arc<Session>, call: &'static Call, region: Option<String>, key: &Key) {
    let mut questions = JoinSet::new();
    for next in CALLS {
        let Some(about) = next.about.filter(|about| about.of == call.operation) else { continue };
        if !session.wants(next) {
            continue;
        }
        let items = session.store.read(key, |root| items(root, &about)).unwrap_or_default();
        for item in items.into_values() {
            questions.spawn(one(Arc::clone(session), next, region.clone(), item));
        }
    }
    while questions.join_next().await.is_some() {}
}

/// An answer or a failure that stays one; nothing where the credentials are no longer good.
async fn answered(
    session: &Session,
    call: &Call,
    region: Option<String>,
    id: String,
) -> Option<Result<Answer, Failure>> {
    let question = Question { config: session.config.clone(), region, id, pause: session.pace.pause };
    let mut round = 0;
    loop {
        let permit = session.slots.acquire().await.ok()?;
        if session.over.load(Ordering::Relaxed) {
            return None;
        }
        let answer = ask(call.operation, question.clone()).await;
        drop(permit);
        match answer {
            Err(failure) if failure.ends_all() => {
                session.over.store(true, Ordering::Relaxed);
                session.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                return None;
            }
            Err(failure) if failure.passing && round < ROUNDS => {
                tokio::time::sleep(jittered(session.pace.wait, round)).await;
                round += 1;
            }
            other => return Some(other),
        }
    }
}

/// What a call is to ask about, once each, by the names of their files.
fn items(root: &Node<'_>, about: &About) -> BTreeMap<String, Item> {
    let found = root.get(about.list);
    let nodes = match found.map(|found| &found.kind) {
        Some(NodeKind::Array(items)) => *items,
        Some(_) => found.map(std::slice::from_ref).unwrap_or_default(),
        None => &[],
    };
    let item = |node: &Node<'_>| {
        let text = |key: &str| node.get(key).and_then(Node::as_str);
        if about.only.is_some_and(|(member, says)| text(member) != Some(says)) {
            return None;
        }
        let id = match about.id {
            "" => node.as_str()?.to_owned(),
            members => members.split(' ').map(text).collect::<Option<Vec<_>>>()?.join(" "),
        };
        let id = id.as_str();
        let name = match about.named {
            Named::Whole => id,
            Named::Behind(mark) => id.rsplit(mark).next()?,
            Named::By(key) => text(key)?,
            Named::After(member, mark) => text(member)?.split_once(mark)?.1,
            Named::Secret => id.splitn(7, ':').nth(6)?,
        };
        let name = if about.named == Named::Secret { format!("secret-{name}") } else { name.to_owned() };
        let home = match about.home {
            Home::Same => None,
            Home::OfArn => id.split(':').nth(3).map(ToOwned::to_owned),
            Home::By(key) => text(key).map(ToOwned::to_owned),
        };
        Some((name.clone(), Item { id: id.to_owned(), name: Some(name), home }))
    };
    nodes.iter().filter_map(item).collect()
}
