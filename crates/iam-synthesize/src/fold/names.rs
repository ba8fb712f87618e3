//! Names of one kind that differ in one part: several indexes of a table, a secret made anew, revisions, things made
//! for one use, names of many tenants.
//!
//! Reads names alone; whether a pattern may be written is decided where it is used.

use std::collections::{BTreeMap, BTreeSet};

use super::{FoldRule, Folded, passing};

/// Indexes of one table from which on the table's indexes are used, not one of them.
const SEVERAL: usize = 2;
/// Values of one part of a name from which on the part is data: tenants, customers, regions of a rollout.
const MANY: usize = 8;
/// Characters that Secrets Manager puts behind a secret's name.
const SUFFIX: usize = 6;

/// Takes from `names` those that fold here, and gives the patterns that stand for them, each with its names.
pub(super) fn fold<'a>(names: &mut BTreeSet<&'a str>) -> Vec<(Folded, Vec<&'a str>)> {
    let mut folded = alike(names, SEVERAL, FoldRule::TableIndexes, &index);
    folded.extend(alike(names, SEVERAL, FoldRule::SecretSuffix, &secret));
    for (pattern, mut revisions) in alike(names, SEVERAL, FoldRule::Revisions, &revision) {
        // Beside its numbers, a function's aliases.
        let head = pattern.pattern.as_str().trim_end_matches('*').to_owned();
        let aliases: Vec<&str> = names.iter().copied().filter(|name| name.starts_with(&head)).collect();
        names.retain(|name| !aliases.contains(name));
        revisions.extend(aliases);
        folded.push((pattern, revisions));
    }
    for seen in [1, SEVERAL] {
        folded.extend(alike(names, seen, FoldRule::MadeForOneUse, &|name| passing::without_name(name, seen)));
    }
    folded.extend(alike(names, MANY, FoldRule::ManyNames, &passing::without_id));
    for part in 1..PARTS {
        if names.len() < MANY {
            break;
        }
        folded.extend(alike(names, MANY, FoldRule::ManyNames, &|name| without_part(name, part)));
    }
    folded
}

/// Parts of a name that are looked at.
const PARTS: usize = 12;

/// Folds the names that one pattern stands for, where they are enough.
fn alike<'a>(
    names: &mut BTreeSet<&'a str>,
    enough: usize,
    rule: FoldRule,
    pattern: &dyn Fn(&str) -> Option<String>,
) -> Vec<(Folded, Vec<&'a str>)> {
    let mut groups: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
    for name in names.iter() {
        if let Some(pattern) = pattern(name) {
            groups.entry(pattern).or_default().push(name);
        }
    }
    groups.retain(|_, members| members.len() >= enough);
    let mut folded = Vec::new();
    for (pattern, members) in groups {
        for name in &members {
            names.remove(name);
        }
        folded.push((Folded::by(rule, &pattern), members));
    }
    folded
}

/// `…:table/T/index/*` for an index of a table.
fn index(name: &str) -> Option<String> {
    let (table, index) = name.split_once("/index/")?;
    (table.contains(":dynamodb:") && !index.contains('/')).then(|| format!("{table}/index/*"))
}

/// `…:secret:NAME-??????` for a secret with its suffix, or without one that is known.
fn secret(name: &str) -> Option<String> {
    let (_, secret) = name.split_once(":secret:")?;
    let at = secret.len().checked_sub(SUFFIX + 1)?;
    let (_, suffix) = secret.split_at_checked(at)?;
    let is_suffix = |c: char| c.is_ascii_alphanumeric() || c == '?';
    let generated = suffix.strip_prefix('-').is_some_and(|suffix| suffix.chars().all(is_suffix));
    let head = name.get(..name.len() - SUFFIX)?;
    (generated && name.contains(":secretsmanager:")).then(|| format!("{head}??????"))
}

/// `…:task-definition/F:*`, `…:job-definition/J:*`, `…:function:F:*` or `…:layer:L:*` for one with a number behind it.
fn revision(name: &str) -> Option<String> {
    let (head, number) = name.rsplit_once(':')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let (mut fields, kind) = (name.splitn(6, ':').skip(2), name.splitn(6, ':').nth(5)?);
    let has_revisions = match fields.next()? {
        "ecs" => kind.starts_with("task-definition/"),
        "batch" => kind.starts_with("job-definition/"),
        "lambda" => kind.split(':').count() == 3 && (kind.starts_with("function:") || kind.starts_with("layer:")),
        _ => false,
    };
    (is_number && has_revisions).then(|| format!("{head}:*"))
}

/// A name with one of its parts as `*`, where two more are left that say what it is.
///
/// Parts lie between `/` and `:` of what follows the account, and the first is the kind of thing.
fn without_part(name: &str, part: usize) -> Option<String> {
    let at = name.match_indices(':').nth(4).map(|(at, _)| at + 1)?;
    let (head, resource) = name.split_at_checked(at)?;
    // Roles are chosen one by one, however many; objects have folders of their own.
    if resource.contains(['*', '?']) || name.contains(":s3:::") || name.contains(":iam::") {
        return None;
    }
    let mut written = head.to_owned();
    let (mut number, mut named) = (0, 0);
    for piece in resource.split_inclusive(['/', ':']) {
        let text = piece.trim_end_matches(['/', ':']);
        if text.is_empty() {
            written.push_str(piece);
            continue;
        }
        if number == part {
            written.push('*');
            written.push_str(piece.get(text.len()..).unwrap_or_default());
        } else {
            written.push_str(piece);
            named += usize::from(number > 0);
        }
        number += 1;
    }
    (part < number && named > 0).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &[(&str, FoldRule)], left: &[&str]) {
        let mut names: BTreeSet<&str> = names.iter().copied().collect();
        let folded = fold(&mut names);
        let found: Vec<(&str, FoldRule)> =
            folded.iter().map(|(folded, _)| (folded.pattern.as_str(), folded.rule.unwrap())).collect();
        assert_eq!(found, expected);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), left);
    }

    const D: &str = "arn:aws:dynamodb:r:1:table/T";
    const S: &str = "arn:aws:secretsmanager:r:1:secret:app/db";

    #[test]
    fn several_indexes_are_the_tables_indexes_and_one_is_itself() {
        let [one, two, table] = [format!("{D}/index/a"), format!("{D}/index/b"), D.to_owned()];
        check(&[&one, &two, &table], &[(&format!("{D}/index/*"), FoldRule::TableIndexes)], &[&table]);
        check(&[&one, &table], &[], &[&table, &one]);
    }

    #[test]
    fn a_secret_made_anew_is_the_same_secret() {
        let [old, new, named] = [format!("{S}-a1B2c3"), format!("{S}-Zz9yX8"), format!("{S}-??????")];
        check(&[&old, &new], &[(&named, FoldRule::SecretSuffix)], &[]);
        check(&[&old, &named], &[(&named, FoldRule::SecretSuffix)], &[]);
        let other = format!("{S}2-a1B2c3");
        check(&[&old, &other], &[], &[&old, &other]);
    }

    #[test]
    fn two_revisions_stand_for_the_next_one_and_one_is_itself() {
        let task = |n: &str| format!("arn:aws:ecs:r:1:task-definition/td:{n}");
        let [three, four, all] = ["3", "4", "*"].map(task);
        check(&[&three, &four], &[(&all, FoldRule::Revisions)], &[]);
        check(&[&three], &[], &[&three]);
        let function = |n: &str| format!("arn:aws:lambda:r:1:function:g{n}");
        let [plain, three, four, live, all] = ["", ":3", ":4", ":live", ":*"].map(function);
        check(&[&plain, &three, &four, &live], &[(&all, FoldRule::Revisions)], &[&plain]);
        check(&[&plain, &three, &live], &[], &[&plain, &three, &live]);
        let [a, b] = ["arn:aws:sns:r:1:t:1", "arn:aws:sns:r:1:t:2"];
        check(&[a, b], &[], &[a, b]);
    }

    #[test]
    fn a_part_with_many_values_is_data_where_others_say_what_it_is() {
        let check = |count: usize, name: &dyn Fn(usize) -> String, expected: &[(&str, FoldRule)]| {
            let names: Vec<String> = (0..count).map(name).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            check(&names, expected, if expected.is_empty() { &names } else { &[] });
        };
        let parameter = |n: usize| format!("arn:aws:ssm:r:1:parameter/tenants/t{n}/url");
        check(8, &parameter, &[("arn:aws:ssm:r:1:parameter/tenants/*/url", FoldRule::ManyNames)]);
        check(7, &parameter, &[]);
        check(9, &|n| format!("arn:aws:sqs:r:1:q{n}"), &[]);
        check(9, &|n| format!("arn:aws:dynamodb:r:1:table/t{n}"), &[]);
        check(9, &|n| format!("arn:aws:iam::1:role/team/r{n}"), &[]);
        check(
            9,
            &|n| format!("arn:aws:glue:r:1:table/sales/t{n}"),
            &[("arn:aws:glue:r:1:table/sales/*", FoldRule::ManyNames)],
        );
    }
}
