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

/// The account with tables that carry tags, as `table NAME key=value …`, and whatever the role carries.
fn tagged(policy: &str, tables: &[&str], own: Option<(&str, &str)>) -> Snapshot {
    let mut world = snapshot(&[policy], BASIC, FUNCTION);
    let account = world.accounts.values_mut().next().unwrap();
    for table in tables {
        let mut words = table.split(' ');
        let arn: Arn = words.next().unwrap().parse().unwrap();
        let tags = words.map(|word| word.split_once('=').unwrap()).map(|(k, v)| (k.to_owned(), v.to_owned()));
        account.tags.insert(arn, tags.collect());
    }
    account.roles[0].identity.tags.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
    world
}

#[test]
fn a_tag_that_all_touched_resources_share_is_suggested() {
    let table = |name: &str, tags: &str| format!("arn:aws:dynamodb:us-east-1:111122223333:table/{name} {tags}");
    let on = |name: &str| format!("arn:aws:dynamodb:us-east-1:111122223333:table/{name}");
    let policy = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let check = |tables: &[&str], calls: Vec<Observation>, expected: &[&str]| {
        let proposal = propose(&tagged(policy, tables, None), calls);
        assert_eq!(suggested(&proposal), expected, "{tables:?}");
        assert!(!after(&proposal).concat().contains("Condition"), "never written");
    };
    let get = |name: &str| seen("dynamodb:GetItem", &on(name));
    let (a, b) = (table("A", "app=orders env=prod"), table("B", "app=orders env=prod owner=x"));
    let other = table("C", "app=bills env=prod");
    let found = "dynamodb:GetItem: aws:ResourceTag/app orders";
    check(&[&a, &b, &other], vec![get("A"), get("B")], &[found]);
    check(&[&a, &b, &other], vec![get("A"), seen("dynamodb:GetItem", &format!("{}/index/i", on("B")))], &[found]);
    // Tags of one resource say no more than its name; one whose tags are not known may lack them; tags that differ say nothing.
    check(&[&a], vec![get("A")], &[]);
    check(&[&a], vec![get("A"), get("B")], &[]);
    check(&[&table("A", "app=orders"), &table("B", "app=bills")], vec![get("A"), get("B")], &[]);
    // What AWS sets says how a thing was made.
    let made = "aws:cloudformation:stack-name=s";
    check(&[&table("A", made), &table("B", made)], vec![get("A"), get("B")], &[]);
    // Tags of buckets are asked for only where somebody turned that on; of other things, where the reference says so.
    let buckets = ["arn:aws:s3:::a app=orders", "arn:aws:s3:::b app=orders"];
    let list = |bucket: &str| seen("s3:ListBucket", &format!("arn:aws:s3:::{bucket}"));
    check(&buckets, vec![list("a"), list("b")], &[]);
    // Which table it was, nobody knows.
    let mut unknown = get("A");
    (unknown.resource_known, unknown.resources) = (false, vec![ResourcePattern::everything()]);
    check(&[&a, &b], vec![get("A"), get("B"), unknown], &[]);
}

#[test]
fn a_suggested_tag_says_whom_else_it_lets_in() {
    let table = |name: &str| format!("arn:aws:dynamodb:us-east-1:111122223333:table/{name} app=orders");
    let tables = [table("A"), table("B"), table("C")];
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    let policy = r#"[{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]"#;
    let calls = || {
        ["A", "B"]
            .map(|name| seen("dynamodb:GetItem", &format!("arn:aws:dynamodb:us-east-1:111122223333:table/{name}")))
            .to_vec()
    };
    let because = |own| propose(&tagged(policy, &tables, own), calls()).suggestions.remove(0).because;
    assert_eq!(because(None), "all 6 calls were on 2 resources tagged app=orders; it would let in 1 other");
    assert_eq!(
        because(Some(("app", "orders"))),
        "all 6 calls were on 2 resources tagged app=orders, as the role itself is (`${aws:PrincipalTag/app}` says the same); it would let in 1 other"
    );
}
