//! Random pairs of policies, judged by the search and by asking about every request of a small world.

use std::collections::BTreeMap;

use iam_model::arn::ResourcePattern;
use iam_model::condition::ConditionKey;
use iam_model::policy::PrincipalPattern;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::*;
use super::document;
use crate::{Context, Layer, LayerOutcome, Policies, Principal, Request, evaluate};

const ACTIONS: &[&str] = &["s3:a", "s3:ab", "s3:b", "x:a"];
const ACTION_PATTERNS: &[&str] = &["s3:a", "S3:A*", "s3:*", "*", "s3:?b", "s3:b", "s3:*b", "x:*"];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/a",
    "arn:aws:s3:::b/ab",
    "arn:aws:s3:::c/bob",
    "arn:aws:s3:::c/some0",
    "arn:aws:x:eu:111122223333:t:y/a",
];
const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::c/${aws:username}",
    "arn:aws:s3:::c/*",
    "arn:aws:s3:::c/bob",
    "arn:aws:s3:::?/a*",
    "arn:aws:*:*:*:*/a",
    "arn:aws:x:*:111122223333:t:*",
];
const PRINCIPALS: &[&str] = &[
    "arn:aws:iam::111122223333:role/r1",
    "arn:aws:iam::111122223333:user/u",
    "arn:aws:iam::444455556666:role/r1",
    "lambda.amazonaws.com",
];
const PRINCIPAL_ELEMENTS: &[&str] = &[
    r#""Principal": "*""#,
    r#""Principal": {"AWS": "111122223333"}"#,
    r#""Principal": {"AWS": "arn:aws:iam::111122223333:role/r1"}"#,
    r#""Principal": {"AWS": ["arn:aws:iam::111122223333:user/u", "arn:aws:iam::444455556666:root"]}"#,
    r#""Principal": {"Service": "lambda.amazonaws.com"}"#,
    r#""NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/r1"}"#,
];
type Key = (&'static str, &'static [&'static str], &'static [&'static [&'static str]]);

/// Conditions by key, and the values a key has in this world; an empty list is an absent key.
const KEYS: &[Key] = &[
    (
        "k:text",
        &[
            r#""StringEquals": {"k:text": "a"}"#,
            r#""StringEquals": {"k:text": ["a", "b"]}"#,
            r#""StringEquals": {"K:Text": "${aws:username}"}"#,
            r#""StringNotEquals": {"k:text": ["a", "bob"]}"#,
            r#""StringNotEquals": {"k:text": "${aws:username}"}"#,
            r#""StringLike": {"k:text": "a*"}"#,
            r#""StringNotLike": {"k:text": ["*b", "?"]}"#,
            r#""StringEqualsIgnoreCase": {"k:text": "A"}"#,
            r#""StringNotEqualsIgnoreCase": {"k:text": ["A", "b"]}"#,
            r#""StringEqualsIfExists": {"k:text": "a"}"#,
            r#""Null": {"k:text": "true"}"#,
            r#""Null": {"k:text": "false"}"#,
        ],
        &[&[], &["a"], &["b"], &["A"], &["ab"], &["bob"], &["some0"]],
    ),
    (
        "k:set",
        &[
            r#""ForAllValues:StringEquals": {"k:set": ["a", "b"]}"#,
            r#""ForAllValues:StringEquals": {"k:set": "a"}"#,
            r#""ForAllValues:StringNotLike": {"k:set": "a*"}"#,
            r#""ForAnyValue:StringEquals": {"k:set": ["a", "c"]}"#,
            r#""ForAnyValue:StringLike": {"k:set": "b*"}"#,
            r#""ForAnyValue:StringNotEquals": {"k:set": "a"}"#,
            r#""ForAllValues:StringEqualsIfExists": {"k:set": ["b", "c"]}"#,
            r#""ForAllValues:StringNotEqualsIgnoreCase": {"k:set": "A"}"#,
            r#""Null": {"k:set": "false"}"#,
            r#""Null": {"k:set": ["true", "false"]}"#,
        ],
        &[&[], &["a"], &["b"], &["c"], &["a", "b"], &["a", "c"], &["b", "ab"], &["a", "b", "z"]],
    ),
    (
        "k:number",
        &[
            r#""NumericLessThan": {"k:number": "10"}"#,
            r#""NumericLessThanEquals": {"k:number": "7.50"}"#,
            r#""NumericEquals": {"k:number": ["5", "10.0"]}"#,
            r#""NumericNotEquals": {"k:number": "5"}"#,
            r#""NumericGreaterThanEqualsIfExists": {"k:number": "5"}"#,
            r#""NumericGreaterThan": {"k:number": "-1"}"#,
        ],
        &[&[], &["4"], &["5"], &["7.5"], &["8"], &["10"], &["-1"]],
    ),
    (
        "k:address",
        &[
            r#""IpAddress": {"k:address": "10.0.0.0/8"}"#,
            r#""IpAddress": {"k:address": ["10.1.0.0/16", "2001:db8::/32"]}"#,
            r#""NotIpAddress": {"k:address": "10.1.0.0/16"}"#,
            r#""NotIpAddressIfExists": {"k:address": ["0.0.0.0/0"]}"#,
        ],
        &[&[], &["10.1.2.3"], &["10.2.0.1"], &["192.0.2.1"], &["2001:db8::1"], &["2002::"]],
    ),
    (
        "aws:username",
        &[
            r#""StringEquals": {"aws:username": "bob"}"#,
            r#""StringLike": {"aws:username": "*o*"}"#,
            r#""Null": {"aws:username": "false"}"#,
        ],
        &[&[], &["bob"], &["some0"], &["a"]],
    ),
    (
        "k:flag",
        &[r#""Bool": {"k:flag": "true"}"#, r#""Bool": {"k:flag": "False"}"#, r#""BoolIfExists": {"k:flag": "false"}"#],
        &[&[], &["true"], &["false"]],
    ),
    (
        "k:when",
        &[
            r#""DateLessThan": {"k:when": "2024-01-01T00:00:00Z"}"#,
            r#""DateGreaterThan": {"k:when": "2023-12-31T23:00:00-01:00"}"#,
            r#""DateEquals": {"k:when": "1704067200"}"#,
        ],
        &[&[], &["2023-06-01T00:00:00Z"], &["2024-01-01T00:00:00Z"], &["2024-01-01T00:00:01Z"]],
    ),
    (
        "k:arn",
        &[
            r#""ArnLike": {"k:arn": "arn:aws:sns:*:1:t*"}"#,
            r#""ArnNotEquals": {"k:arn": "arn:aws:sns:eu:1:*"}"#,
            r#""StringLike": {"k:arn": "arn:aws:sns:*:t"}"#,
            r#""ArnEqualsIfExists": {"k:arn": "arn:aws:sns:*:1:t"}"#,
            r#""ForAnyValue:ArnLike": {"k:arn": "arn:aws:sns:eu:*:*"}"#,
        ],
        &[&[], &["arn:aws:sns:eu:1:t"], &["arn:aws:sns:us:1:t"], &["arn:aws:sns:eu:2:t"], &["arn:aws:sns:a:b:1:t"]],
    ),
];

fn condition() -> impl Strategy<Value = String> {
    (any::<Index>(), any::<Index>()).prop_map(|(key, which)| {
        let (_, conditions, _) = key.get(KEYS);
        which.get(conditions).to_string()
    })
}

fn list(patterns: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(select(patterns), 1..3).prop_map(|p| format!("{p:?}"))
}

fn statement(principals: bool) -> impl Strategy<Value = String> {
    let negated = || select(vec!["", "", "", "Not"]);
    let conditions = prop::collection::vec(condition(), 0..3);
    let head = (select(vec!["Allow", "Allow", "Deny"]), negated(), list(ACTION_PATTERNS), negated());
    (head, list(RESOURCE_PATTERNS), conditions, select(PRINCIPAL_ELEMENTS)).prop_map(
        move |((effect, na, actions, nr), resources, mut conditions, principal)| {
            // One operator may stand in a block only once.
            conditions.sort();
            conditions.dedup_by_key(|c| c.split(':').next().map(str::to_owned));
            let principal = if principals { format!("{principal}, ") } else { String::new() };
            format!(
                r#"{{"Effect": "{effect}", {principal}"{na}Action": {actions}, "{nr}Resource": {resources}, "Condition": {{{}}}}}"#,
                conditions.join(", ")
            )
        },
    )
}

fn policy(principals: bool) -> impl Strategy<Value = String> {
    let version = select(vec![r#""Version": "2012-10-17", "#, r#""Version": "2012-10-17", "#, ""]);
    (version, prop::collection::vec(statement(principals), 1..4))
        .prop_map(|(version, statements)| format!(r#"{{{version}"Statement": [{}]}}"#, statements.join(", ")))
}

/// Two versions of one policy: each has some of the same statements, so that most of what one allows the other does too.
fn versions(principals: bool) -> impl Strategy<Value = (String, String)> {
    let pool = prop::collection::vec((statement(principals), 0..5_u8), 2..6);
    let version = || select(vec![r#""Version": "2012-10-17", "#, r#""Version": "2012-10-17", "#, ""]);
    (pool, version(), version()).prop_map(|(pool, first, second)| {
        let text = |version: &str, own: u8| {
            let kept: Vec<&str> =
                pool.iter().filter(|(_, whose)| *whose > 1 || *whose == own).map(|(s, _)| &**s).collect();
            format!(r#"{{{version}"Statement": [{}]}}"#, kept.join(", "))
        };
        (text(first, 0), text(second, 1))
    })
}

/// Every request of the world, with the keys the texts mention.
fn requests(texts: &[&str], principals: bool) -> Vec<Witness> {
    let mut contexts: Vec<BTreeMap<ConditionKey, Vec<String>>> = vec![BTreeMap::new()];
    for (key, _, values) in KEYS {
        if texts.iter().any(|t| t.to_ascii_lowercase().contains(key)) {
            let with = |context: &BTreeMap<ConditionKey, Vec<String>>, values: &&[&str]| {
                let mut context = context.clone();
                if !values.is_empty() {
                    context.insert(ConditionKey::new(key), values.iter().map(|v| (*v).to_owned()).collect());
                }
                context
            };
            contexts = contexts.iter().flat_map(|c| values.iter().map(move |v| with(c, v))).collect();
        }
    }
    let stride = contexts.len().div_ceil(120);
    let contexts: Vec<_> = contexts.into_iter().step_by(stride).collect();
    let who: Vec<Option<PrincipalPattern>> = if principals {
        let of = |p: &&str| {
            let text = (*p).to_owned();
            Some(if text.contains(':') { PrincipalPattern::Aws(text) } else { PrincipalPattern::Service(text) })
        };
        PRINCIPALS.iter().map(of).collect()
    } else {
        vec![None]
    };
    let mut all = Vec::new();
    for context in &contexts {
        for action in ACTIONS {
            for resource in RESOURCES {
                all.extend(who.iter().map(|principal| Witness {
                    action: action.parse().unwrap(),
                    resource: ResourcePattern::new(resource),
                    principal: principal.clone(),
                    context: context.clone(),
                }));
            }
        }
    }
    all
}

fn judge(new_text: &str, old_text: &str, principals: bool) -> Result<(), TestCaseError> {
    let (new, old) = (document(new_text), document(old_text));
    let (new, old) = (PermissionSet::of_document(&new), PermissionSet::of_document(&old));
    let differs = |w: &Witness| new.allows_request(w) == Possibility::Yes && old.allows_request(w) == Possibility::No;
    match new.included_in(&old, Limits::default()) {
        Inclusion::Included(_) => {
            let found = requests(&[new_text, old_text], principals).into_iter().find(differs);
            prop_assert!(found.is_none(), "passed, but {}\nnew {new_text}\nold {old_text}", found.unwrap());
        }
        Inclusion::Excluded(witness) => {
            prop_assert!(differs(&witness), "{witness}\nnew {new_text}\nold {old_text}");
        }
        Inclusion::Undecided(_) => {}
    }
    Ok(())
}

/// What one layer says of a request, by the evaluation of requests, which shares no code with permission sets.
fn layer(text: &str, witness: &Witness) -> Option<LayerOutcome> {
    let document = document(text);
    let principal = match &witness.principal {
        None => "arn:aws:iam::111122223333:role/r1",
        Some(PrincipalPattern::Aws(text) | PrincipalPattern::Service(text)) => text,
        Some(_) => return None,
    };
    let mut context = Context::complete();
    for (key, values) in &witness.context {
        context.set(key.clone(), values.clone());
    }
    let request = Request {
        principal: Principal::parse(principal).ok()?,
        action: witness.action.clone(),
        resource: witness.resource.as_str().parse().ok()?,
        resource_account: None,
        context,
    };
    let mut policies = Policies::default();
    let layer = if witness.principal.is_some() {
        policies.resource = Some(&document);
        Layer::Resource
    } else {
        policies.identity.push(&document);
        Layer::Identity
    };
    Some(evaluate(&request, &policies).layers.get(layer))
}

fn agrees_with_evaluation(text: &str, witness: &Witness) -> Result<(), TestCaseError> {
    let document = document(text);
    let answer = match PermissionSet::of_document(&document).allows_request(witness) {
        Possibility::Yes => vec![LayerOutcome::Allow],
        Possibility::No => vec![LayerOutcome::ExplicitDeny, LayerOutcome::ImplicitDeny],
        _ => return Ok(()),
    };
    let said = layer(text, witness).unwrap();
    // Evaluation knows less where AWS's text is silent, as on `NotPrincipal` beside Allow.
    if said == LayerOutcome::Unknown {
        return Ok(());
    }
    prop_assert!(answer.contains(&said), "{said:?} {witness}\n{text}");
    Ok(())
}

proptest! {
    // `PROPTEST_CASES` sets how many pairs are tried; continuous integration tries ten thousand.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn identity_policies_agree_with_brute_force(new in policy(false), old in policy(false)) {
        judge(&new, &old, false)?;
    }

    #[test]
    fn resource_policies_agree_with_brute_force(new in policy(true), old in policy(true)) {
        judge(&new, &old, true)?;
    }

    #[test]
    fn versions_of_an_identity_policy_agree_with_brute_force((new, old) in versions(false)) {
        judge(&new, &old, false)?;
    }

    #[test]
    fn versions_of_a_resource_policy_agree_with_brute_force((new, old) in versions(true)) {
        judge(&new, &old, true)?;
    }

    #[test]
    fn a_policy_is_inside_itself(policy in policy(false)) {
        let document = document(&policy);
        let set = PermissionSet::of_document(&document);
        prop_assert!(matches!(set.included_in(&set, Limits::default()), Inclusion::Included(_)), "{policy}");
    }

    #[test]
    fn identity_sets_agree_with_the_evaluation_of_requests(text in policy(false), which in any::<Index>()) {
        agrees_with_evaluation(&text, which.get(&requests(&[&text], false)))?;
    }

    #[test]
    fn resource_sets_agree_with_the_evaluation_of_requests(text in policy(true), which in any::<Index>()) {
        agrees_with_evaluation(&text, which.get(&requests(&[&text], true)))?;
    }

    #[test]
    fn unions_intersections_and_differences_are_what_they_say(a in policy(false), b in policy(false), which in any::<Index>()) {
        let witness = which.get(&requests(&[&a, &b], false)).clone();
        let (a, b) = (document(&a), document(&b));
        let (a, b) = (PermissionSet::of_document(&a), PermissionSet::of_document(&b));
        let yes = |set: &PermissionSet| set.allows_request(&witness) == Possibility::Yes;
        prop_assert_eq!(yes(&a.union(&b)), yes(&a) || yes(&b));
        prop_assert_eq!(yes(&a.intersection(&b)), yes(&a) && yes(&b));
        prop_assert_eq!(yes(&a.difference(&b)), yes(&a) && !yes(&b));
        for (new, old) in [(a.intersection(&b), &a), (a.difference(&b), &a), (a.clone(), &a.union(&b))] {
            prop_assert!(!matches!(new.included_in(old, Limits::default()), Inclusion::Excluded(_)));
        }
    }
}
