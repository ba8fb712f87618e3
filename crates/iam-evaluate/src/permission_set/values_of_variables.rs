//! Values worth trying for policy variables when a refutation is looked for: new names, names the policies mention,
//! and none at all. What is tried here proves nothing; it only finds requests.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::condition::ConditionKey;

use super::atom::Test;
use super::statement::Compiled;
use crate::budget::Budget;
use crate::glob::{Glob, Token};

/// A value for each variable's key; nothing where the key is absent.
pub(crate) type Assignment = BTreeMap<ConditionKey, Option<String>>;

/// Assignments tried at most.
const MOST: usize = 48;

/// The assignments to try, the likeliest first; none where there are no variables.
pub(crate) fn assignments(statements: &[&Compiled], budget: &Budget) -> Vec<Assignment> {
    let keys: BTreeSet<ConditionKey> = statements.iter().flat_map(|s| s.variables()).map(|v| v.key.clone()).collect();
    if keys.is_empty() {
        return Vec::new();
    }
    let fresh = |number: usize| Some(format!("some{number}"));
    let distinct: Assignment = keys.iter().enumerate().map(|(n, key)| (key.clone(), fresh(n))).collect();
    let mut found = vec![distinct.clone()];
    found.push(keys.iter().map(|key| (key.clone(), fresh(0))).collect());
    found.push(keys.iter().map(|key| (key.clone(), None)).collect());
    for key in &keys {
        let mut one_absent = distinct.clone();
        one_absent.insert(key.clone(), None);
        found.push(one_absent);
        if found.len() > MOST {
            break;
        }
        for value in mentioned(key, statements, budget) {
            let mut assignment = distinct.clone();
            assignment.insert(key.clone(), Some(value));
            found.push(assignment);
        }
    }
    found.dedup();
    found.truncate(MOST);
    found
}

/// Values the policies themselves suggest: those the key is compared with, and those that make a pattern with the
/// variable equal to one without.
fn mentioned(key: &ConditionKey, statements: &[&Compiled], budget: &Budget) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    let mut texts: BTreeSet<String> = BTreeSet::new();
    let mut patterns: Vec<&Glob> = Vec::new();
    for statement in statements {
        for atom in &statement.atoms {
            let Test::Text(globs) = &atom.test else { continue };
            if atom.key == *key {
                values.extend(globs.iter().filter(|g| !g.has_variable()).map(plain));
            }
            texts.extend(globs.iter().filter(|g| !g.has_variable()).map(plain));
            patterns.extend(globs.iter().filter(|g| g.has_variable()));
        }
        for glob in statement.sides.iter().flat_map(|s| &s.globs) {
            if glob.has_variable() {
                patterns.push(glob);
            } else {
                texts.insert(plain(glob));
            }
        }
    }
    for pattern in patterns {
        if pattern.variables().all(|v| v.key != *key) {
            continue;
        }
        if !budget.spend(pattern.tokens().len() + 8 * texts.len()) {
            break;
        }
        let is_variable = |t: &&Token| matches!(t, Token::Variable { .. });
        let text = |tokens: Vec<Token>| plain(&Glob::from_tokens(tokens));
        let before = text(pattern.tokens().iter().take_while(|t| !is_variable(t)).cloned().collect());
        let mut after: Vec<Token> = pattern.tokens().iter().rev().take_while(|t| !is_variable(t)).cloned().collect();
        after.reverse();
        let after = text(after);
        let middles = texts.iter().filter_map(|t| t.strip_prefix(before.as_str())?.strip_suffix(after.as_str()));
        values.extend(middles.map(str::to_owned));
    }
    values
}

/// One text the pattern matches.
fn plain(glob: &Glob) -> String {
    glob.tokens()
        .iter()
        .filter_map(|t| match t {
            Token::Char(c) | Token::Fold(c) => Some(*c),
            Token::One | Token::OneInSegment => Some('x'),
            _ => None,
        })
        .collect()
}
