//! Tags as keys: who may set the tags of users and roles where policies ask for them.
//!
//! Conditions are judged by the tags as they are. Whoever may set them may open what they close, and that is not searched:
//! it is said.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::ResourceName;
use iam_model::action::Action;
use iam_model::finding::Subject;
use iam_model::policy::PolicyDocument;

use crate::judge::{Answer, Judge, Question};
use crate::survey::{Being, Home, Person, Survey};

/// Actions that set tags of users and roles, or take them away.
const TAGGING: [&str; 4] = ["iam:TagRole", "iam:TagUser", "iam:UntagRole", "iam:UntagUser"];

/// Condition keys that tell tags of callers, or of users and roles.
const KEYS: [&str; 3] = ["aws:principaltag", "aws:resourcetag", "iam:resourcetag"];

/// Principals that are named; of more, their number is told.
const NAMED: usize = 3;

/// What is not judged because somebody may set the tags that it hangs on, a line for each account.
pub(crate) fn as_keys(survey: &Survey<'_>, judge: &Judge<'_>, admins: &BTreeSet<Subject>) -> BTreeSet<String> {
    let actions: Vec<Action> = TAGGING.iter().filter_map(|name| name.parse().ok()).collect();
    let of_home = |home: &Home<'_>| {
        let asked = asked(survey, home);
        if asked.is_empty() {
            return None;
        }
        let people = home.people.iter().filter_map(|&place| survey.person(place));
        let tags = |person: &&Person<'_>| {
            let idle = matches!(person.being, Being::Group) || person.is_service_linked();
            !idle && !admins.contains(&Subject::Arn(person.arn.clone())) && may_tag(judge, person, &actions)
        };
        let who: Vec<String> = people.filter(tags).map(|person| person.arn.name().to_owned()).collect();
        (!who.is_empty()).then(|| {
            format!(
                "account {}: policies ask for the tags {}, which {} may set on users or roles: conditions are judged by the \
                 tags as they are",
                home.id,
                first(asked.values().map(|key| format!("`{key}`")).collect()),
                first(who)
            )
        })
    };
    survey.homes.iter().filter_map(of_home).collect()
}

fn may_tag<'a>(judge: &Judge<'a>, person: &Person<'a>, actions: &[Action]) -> bool {
    let granted: Vec<&Action> = actions.iter().filter(|action| person.grant(action.as_str()).is_some()).collect();
    if granted.is_empty() {
        return false;
    }
    let powers = judge.powers(person);
    let may = |action: &Action| judge.may_on_any(&powers, &[Question::new(action, ResourceName::None)]) != Answer::No;
    granted.into_iter().any(may)
}

/// The tags that policies of an account ask for.
fn asked(survey: &Survey<'_>, home: &Home<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |document: &PolicyDocument| {
        for condition in document.statements.iter().flat_map(|statement| &statement.conditions) {
            let Some((prefix, name)) = condition.key.as_str().split_once('/') else { continue };
            if KEYS.iter().any(|key| key.eq_ignore_ascii_case(prefix)) {
                found.entry(name.to_ascii_lowercase()).or_insert_with(|| name.to_owned());
            }
        }
    };
    for person in home.people.iter().filter_map(|&place| survey.person(place)) {
        person.policies.iter().for_each(|held| add(held.document));
        person.boundary.into_iter().chain(person.trust).for_each(&mut add);
    }
    found
}

fn first(mut all: Vec<String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", all.join(", "))
}
