//! Small accounts and what is cut in them; the cheapest cut against every subset.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::ResourcePattern;
use iam_model::policy::{PrintStyle, print};
use iam_model::snapshot::{self, Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

use super::*;
use crate::tests::{ADMIN, PASS, account, arn, function, lambda_role, role, user};

fn read(text: &str) -> Snapshot {
    snapshot::read(SourceText { name: SourceName::new("snapshot.json"), text: text.into() }).unwrap().0
}

fn find(text: &str, from: &[Arn], to: &End, used: impl Fn(&str) -> Use) -> Cut {
    let snapshot = read(text);
    let (index, _) = SnapshotIndex::new(&snapshot);
    cut(&index, from, to, &|removal| used(&removal.to_string()))
}

/// What goes, and the policies after it.
fn shown(cut: &Cut) -> Vec<String> {
    let removed = cut.removed.iter().map(|r| format!("{}: {}", r.what.place().name(), r.what));
    let after = cut.changes.iter().map(|change| {
        let policy = change.attachment.policy_name.as_deref().unwrap_or("trust");
        let text = change.after.as_ref().map_or_else(|| "gone".into(), |after| print(after, PrintStyle::Compact));
        format!("{policy} -> {}", text.trim().replace(r#""Version":"2012-10-17","#, ""))
    });
    removed.chain(after).collect()
}

fn boss(users: &[String]) -> String {
    account(users, &[lambda_role("boss", ADMIN)], "")
}

#[test]
fn what_every_way_needs_is_the_one_thing_that_goes() {
    let text = boss(&[user("dev", PASS)]);
    let cut = find(&text, &[], &End::Administrator, |_| Use::Unknown);
    let rest = r#"p -> {"Statement":[{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}]}"#;
    assert_eq!(shown(&cut), ["dev: iam:PassRole", rest]);
    assert_eq!((cut.left.len(), cut.cut_off.len(), cut.smallest), (0, 1, true));
}

#[test]
fn what_is_unused_goes_before_what_nobody_knows_about_and_what_is_needed_stays() {
    let text = boss(&[user("dev", PASS)]);
    let unused = |name: &'static str| move |what: &str| if what == name { Use::Unseen } else { Use::Unknown };
    let cut = find(&text, &[], &End::Administrator, unused("lambda:InvokeFunction"));
    assert_eq!(shown(&cut).first().unwrap(), "dev: lambda:InvokeFunction");
    let needed = |what: &str| if what == "iam:PassRole" { Use::Needed } else { Use::Unknown };
    let cut = find(&text, &[], &End::Administrator, needed);
    assert_eq!(shown(&cut).first().unwrap(), "dev: lambda:CreateFunction");
}

#[test]
fn where_all_of_a_way_is_needed_there_is_no_cut_and_nothing_is_changed() {
    let other = user("ops", r#"{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}"#);
    let text = account(&[user("dev", PASS), other], &[lambda_role("boss", ADMIN)], "");
    let needed = |what: &str| if what == "iam:PutUserPolicy" { Use::Unseen } else { Use::Needed };
    let cut = find(&text, &[], &End::Administrator, needed);
    assert_eq!(shown(&cut), ["ops: iam:PutUserPolicy", "p -> gone"]);
    let left: Vec<&str> = cut.left.iter().map(|path| path.hops[0].from.name()).collect();
    assert_eq!((left, cut.cut_off.len()), (vec!["dev"], 1));
}

#[test]
fn a_wildcard_is_answered_with_a_deny_and_a_used_permission_narrowed_to_its_use() {
    let put = user("dev", r#"{"Effect": "Allow", "Action": "iam:Put*", "Resource": "*"}"#);
    let cut = find(&account(&[put], &[], ""), &[], &End::Administrator, |_| Use::Unknown);
    assert_eq!(cut.left, []);
    let deny = r#"{"Effect":"Deny","Action":"iam:PutUserPolicy","Resource":"*"}"#;
    assert!(shown(&cut)[1].contains(deny), "{:?}", shown(&cut));

    let clerk = lambda_role("clerk", "");
    let text = account(&[user("dev", PASS)], &[lambda_role("boss", ADMIN), clerk], "");
    let used = |what: &str| match what {
        "iam:PassRole" => Use::On(vec![ResourcePattern::from(&arn("role/clerk"))]),
        _ => Use::Needed,
    };
    let cut = find(&text, &[], &End::Administrator, used);
    assert_eq!(cut.left, []);
    let narrowed = r#""Action":"iam:PassRole","NotResource":"arn:aws:iam::111122223333:role/clerk""#;
    assert!(shown(&cut)[1].contains(narrowed), "{:?}", shown(&cut));
}

#[test]
fn narrowing_to_a_use_that_is_itself_the_way_is_no_cut() {
    let used = |what: &str| match what {
        "iam:PassRole" => Use::On(vec![ResourcePattern::from(&arn("role/boss"))]),
        _ => Use::Needed,
    };
    let cut = find(&boss(&[user("dev", PASS)]), &[], &End::Administrator, used);
    assert_eq!((cut.left.len(), cut.cut_off.len()), (1, 0));
}

#[test]
fn trust_goes_where_the_start_is_outside_or_many_come_in_by_it() {
    let open = role("open", r#""*""#, ADMIN);
    let cut = find(&account(&[], &[open], ""), &[], &End::Administrator, |_| Use::Unknown);
    assert_eq!(shown(&cut)[0], "open: trust in users, roles and accounts");
    assert_eq!((cut.left.len(), cut.cut_off.len()), (0, 1));

    let assume = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}"#;
    let people: Vec<String> = (0..9).map(|n| user(&format!("u{n}"), assume)).collect();
    let root = role("root", r#"{"AWS": "arn:aws:iam::111122223333:root"}"#, ADMIN);
    let text = account(&people, &[root], "");
    let cut = find(&text, &[], &End::Administrator, |_| Use::Unknown);
    assert_eq!((cut.removed.len(), cut.cut_off.len(), cut.left.len()), (1, 9, 0));
    let one = find(&text, &[arn("user/u3")], &End::Administrator, |_| Use::Unknown);
    assert_eq!(shown(&one)[0], "u3: sts:AssumeRole on arn:aws:iam::111122223333:role/root");
}

#[test]
fn ways_to_someone_go_over_administrators_too() {
    let text = account(&[user("dev", PASS)], &[lambda_role("boss", ADMIN), lambda_role("clerk", "")], "");
    let cut = find(&text, &[], &End::Principal(arn("role/clerk")), |_| Use::Unknown);
    assert_eq!((shown(&cut)[0].as_str(), cut.left.len()), ("dev: iam:PassRole", 0));
}

/// Small accounts of every shape: what each of three principals may do is one bit each.
fn random_account(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut chance = |of: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % 100 < of
    };
    let all = ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction", "lambda:UpdateFunctionCode"];
    let mut statements = |trusting: bool| {
        let mut actions: Vec<&str> = all.iter().filter(|_| chance(60)).copied().collect();
        if trusting && chance(40) {
            actions.push("sts:AssumeRole");
        }
        if chance(20) {
            actions.push("iam:PutRolePolicy");
        }
        let actions: Vec<String> = actions.iter().map(|action| format!("{action:?}")).collect();
        match actions.is_empty() {
            true => String::new(),
            false => format!(r#"{{"Effect": "Allow", "Action": [{}], "Resource": "*"}}"#, actions.join(",")),
        }
    };
    let users = [user("a", &statements(true)), user("b", &statements(true))];
    let root = r#"{"AWS": "arn:aws:iam::111122223333:root", "Service": "lambda.amazonaws.com"}"#;
    let middle = role("middle", root, &statements(false));
    let more = format!(r#", "resources": [{}, {}]"#, function("f", "boss"), function("g", "middle"));
    account(&users, &[lambda_role("boss", ADMIN), middle], &more)
}

/// The cheapest of all subsets that, applied, leave no way; nothing where there are too many to try.
fn by_force(text: &str) -> Option<u64> {
    let snapshot = read(text);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let survey = Survey::new(&index, &[]);
    let graph = build(&index, &[]);
    let unknown = |removal: &Removal| removal.in_use(&survey, &|_| Use::Unknown);
    let all: BTreeSet<Removal> = graph.edges().flat_map(|edge| levers(&survey, edge)).collect();
    let costs: Vec<(Removal, u64)> =
        all.into_iter().filter_map(|r| Some((r.clone(), unknown(&r).cost()? * r.weight()))).collect();
    if costs.len() > 9 {
        return None;
    }
    let mut best = u64::MAX;
    for subset in 0_u32..1 << costs.len() {
        let chosen: Vec<&(Removal, u64)> =
            costs.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1).map(|(_, lever)| lever).collect();
        let cost: u64 = chosen.iter().map(|(_, cost)| cost).sum();
        if cost >= best {
            continue;
        }
        let chosen: BTreeSet<Removal> = chosen.into_iter().map(|(removal, _)| removal.clone()).collect();
        let changes = changes::of(&survey, &chosen, &BTreeMap::new());
        let after = build(&index, &changes);
        if !after.edges().any(|edge| after.leads_to_admin(edge)) {
            best = cost;
        }
    }
    Some(best)
}

#[test]
fn no_subset_is_cheaper() {
    let mut tried = 0;
    for seed in 1..60 {
        let text = random_account(seed);
        let Some(best) = by_force(&text) else { continue };
        tried += 1;
        let cut = find(&text, &[], &End::Administrator, |_| Use::Unknown);
        let cost: u64 = cut.removed.iter().map(|r| r.used.cost().unwrap() * r.what.weight()).sum();
        assert_eq!((cut.left.len(), cut.smallest, cost), (0, true, best), "seed {seed}: {:?}", shown(&cut));
    }
    assert!(tried > 15, "only {tried} accounts were small enough");
}

#[test]
fn the_search_for_covers_is_exact_and_bounded() {
    let cover = |clauses: &[&[usize]], costs: &[u64]| {
        cover::cheapest(&clauses.iter().map(|clause| clause.to_vec()).collect(), costs)
    };
    let cheapest = cover(&[&[0, 1], &[1, 2], &[2, 0]], &[1, 1, 1]);
    assert_eq!((cheapest.chosen.len(), cheapest.cheapest), (2, true));
    assert_eq!(cover(&[&[0, 1], &[0, 2], &[0, 3]], &[5, 1, 1, 1]).chosen, BTreeSet::from([1, 2, 3]));
    assert_eq!(cover(&[&[0, 1], &[0, 2], &[0, 3]], &[2, 1, 1, 1]).chosen, BTreeSet::from([0]));
    // A dense instance: an answer within the budget, whether or not it is proved the cheapest.
    let clause =
        |seed: u64| (1..6).map(|k| (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (k * 9)) as usize % 150).collect();
    let many: BTreeSet<Vec<usize>> = (0..800)
        .map(|seed| {
            let set: BTreeSet<usize> = clause(seed);
            set.into_iter().collect()
        })
        .collect();
    let found = cover::cheapest(&many, &[1; 150]);
    assert!(!found.cheapest && many.iter().all(|clause| clause.iter().any(|e| found.chosen.contains(e))));
}
