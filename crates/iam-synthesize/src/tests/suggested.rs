//! Conditions that a person may add: each allows every call that was seen, with the context the logs prove.

use iam_evaluate::{Context, Evaluator, Layer, LayerOutcome, Principal, Request};
use iam_model::condition::{Condition, ConditionKey};
use iam_model::policy::PolicyDocument;

use super::*;

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

fn with(action: &str, resource: &str, context: &[(&str, &str)]) -> Observation {
    let mut call = seen(action, resource);
    let pairs = context.iter().map(|(key, value)| (ConditionKey::new(key), vec![(*value).to_owned()]));
    call.context = pairs.collect();
    call
}

/// Each suggestion of a proposal: the actions of its statement, the key and the values.
fn suggested(proposal: &RoleProposal) -> Vec<String> {
    let document = proposal.changes[0].after.as_ref().unwrap();
    let text = |condition: &Condition| {
        let values: Vec<&str> = condition.values.iter().map(|value| value.value.as_str()).collect();
        format!("{} {}", condition.key, values.join(" "))
    };
    let actions = |statement: usize| {
        let patterns = document.statements[statement].action.patterns().iter();
        patterns.map(|pattern| pattern.value.as_str()).collect::<Vec<_>>().join(",")
    };
    proposal.suggestions.iter().map(|s| format!("{}: {}", actions(s.statement), text(&s.condition))).collect()
}

#[track_caller]
fn check(calls: Vec<Observation>, expected: &[&str]) {
    let wide = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    assert_eq!(suggested(&propose(&snapshot(&[wide], BASIC, FUNCTION), calls)), expected);
}

#[test]
fn what_every_call_carried_is_suggested_and_never_written() {
    let role = "arn:aws:iam::111122223333:role/fn";
    let via = |service: &str| with("kms:Decrypt", KEY, &[("kms:ViaService", service)]);
    let (s3, sqs) = ("s3.us-east-1.amazonaws.com", "sqs.us-east-1.amazonaws.com");
    let pass = with("iam:PassRole", role, &[("iam:PassedToService", "lambda.amazonaws.com")]);
    check(vec![pass], &["iam:PassRole: iam:PassedToService lambda.amazonaws.com"]);
    check(vec![via(s3), via(sqs)], &[&format!("kms:Decrypt: kms:ViaService {s3} {sqs}")]);
    check(vec![via(s3), seen("kms:Decrypt", KEY)], &[]);
    check(vec![via(s3), seen("kms:Encrypt", KEY)], &[]);
    let through = with("dynamodb:PutItem", TABLE, &[("aws:SourceVpce", "vpce-1")]);
    check(vec![through.clone()], &["dynamodb:PutItem: aws:SourceVpce vpce-1"]);
    check((0..9).map(|n| with("dynamodb:PutItem", TABLE, &[("aws:SourceVpce", &format!("vpce-{n}"))])).collect(), &[]);
    let wide = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let written = after(&propose(&snapshot(&[wide], BASIC, FUNCTION), vec![through])).concat();
    assert!(!written.contains("Condition"), "{written}");
}

#[test]
fn what_no_call_shows_is_bound_to_nothing() {
    let policy = r#"[{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*"}]"#;
    let call = with("kms:Decrypt", KEY, &[("kms:ViaService", "s3.us-east-1.amazonaws.com")]);
    let keep = KeepRule { role: None, actions: vec![ActionPattern::new("kms:Decrypt")], reason: "yearly".into() };
    let rules = Rules { min_days: 30, keep: vec![keep], ..Rules::default() };
    let proposal = propose_with(&snapshot(&[policy], BASIC, FUNCTION), vec![call], &rules, 90);
    assert_eq!(suggested(&proposal), [""; 0]);
}

#[test]
fn a_condition_of_the_old_grant_stays_and_is_not_suggested_again() {
    let condition = r#""Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}"#;
    let policy = format!(r#"[{{"Effect": "Allow", "Action": "kms:*", "Resource": "*", {condition}}}]"#);
    let call = with("kms:Decrypt", KEY, &[("kms:ViaService", "s3.us-east-1.amazonaws.com")]);
    let proposal = propose(&snapshot(&[&policy], BASIC, FUNCTION), vec![call]);
    assert!(after(&proposal).concat().contains(r#""kms:ViaService":"s3.*.amazonaws.com""#));
    assert_eq!(suggested(&proposal), [""; 0]);
}

#[test]
fn of_a_shared_role_the_function_that_calls_is_suggested() {
    let other = FUNCTION.replace("function:orders", "function:other").replace(r#""orders""#, r#""other""#);
    let wide = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let snapshot = snapshot(&[wide], BASIC, &format!("{FUNCTION}, {other}"));
    let mut by_other = seen("dynamodb:GetItem", TABLE);
    by_other.function = Some("other".into());
    let mut by_hand = seen("dynamodb:Scan", TABLE);
    by_hand.function = Some("alice".into());
    let mut both = seen("dynamodb:Query", TABLE);
    both.function = Some("other".into());
    let proposal = propose(
        &snapshot,
        vec![seen("s3:PutObject", "arn:aws:s3:::b/k"), by_other, by_hand, both, seen("dynamodb:Query", TABLE)],
    );
    let orders = "arn:aws:lambda:us-east-1:111122223333:function:orders";
    assert_eq!(suggested(&proposal), [format!("s3:PutObject: lambda:SourceFunctionArn {orders}")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// With every suggestion written into its statement, each seen call is allowed with the context it is known to have.
    #[test]
    fn suggestions_deny_no_call_that_was_seen(
        calls in proptest::collection::vec((0..4_usize, 0..3_usize, 0..3_usize, 0..3_usize), 1..10),
    ) {
        let actions = ["kms:Decrypt", "kms:Encrypt", "iam:PassRole", "dynamodb:GetItem"];
        let resources = |action: &str, n: usize| match action.split(':').next().unwrap() {
            "kms" => format!("{KEY}{n}"),
            "iam" => format!("arn:aws:iam::111122223333:role/r{n}"),
            _ => format!("arn:aws:dynamodb:us-east-1:111122223333:table/T{n}"),
        };
        let facts = |via: usize, endpoint: usize| {
            let mut facts = BTreeMap::new();
            if via > 0 {
                facts.insert(ConditionKey::new("kms:ViaService"), vec![format!("s{via}.us-east-1.amazonaws.com")]);
            }
            if endpoint > 0 {
                facts.insert(ConditionKey::new("aws:SourceVpce"), vec![format!("vpce-{endpoint}")]);
            }
            facts
        };
        let observations: Vec<Observation> = calls.iter().map(|(action, on, via, endpoint)| {
            let mut call = seen(actions[*action], &resources(actions[*action], *on));
            call.context = facts(*via, *endpoint);
            call
        }).collect();
        let mut world = snapshot(&[r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#], "", FUNCTION);
        let proposal = propose(&world, observations.clone());
        let mut document: PolicyDocument = proposal.changes[0].after.clone().unwrap();
        for suggestion in &proposal.suggestions {
            prop_assert_eq!(suggestion.policy, 0);
            document.statements[suggestion.statement].conditions.push(suggestion.condition.clone());
        }
        let role = &mut world.accounts.values_mut().next().unwrap().roles[0];
        role.identity.inline_policies[0].document = document;
        let (index, _) = SnapshotIndex::new(&world);
        let role: Arn = ROLE.parse().unwrap();
        for call in &observations {
            let mut context = Context::complete();
            for (key, values) in &call.context {
                context.set(key.clone(), values.clone());
            }
            let request = Request {
                principal: Principal::parse(ROLE).unwrap(),
                action: call.action.clone(),
                resource: call.resources[0].as_str().parse().unwrap(),
                resource_account: None,
                context,
            };
            // What an endpoint's own policy says is not in the snapshot.
            let layers = Evaluator::new(&index).decide(&role, &request).layers;
            prop_assert_eq!(layers.get(Layer::Identity), LayerOutcome::Allow, "{:?} {:?}", call, proposal.suggestions);
        }
    }
}
