//! VPC endpoints of a small account: whose calls are cut, who keeps what there is, and what is left as it is.

use iam_model::condition::ConditionKey;
use iam_model::usage::{UnresolvedEvent, UnresolvedKind};

use super::*;

const VPCE: &str = "arn:aws:ec2:eu-west-1:111122223333:vpc-endpoint/vpce-1";
const OTHERS: &str = r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}"#;
const DEFAULT: &str = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;

/// A call: by whom, what, on what, and the endpoint that the log names.
type Call = (&'static str, &'static str, &'static str, Option<&'static str>);

struct Gate {
    statements: String,
    service: &'static str,
    calls: Vec<Call>,
    /// Actions that no log would show.
    hidden: &'static [&'static str],
    functions: &'static str,
    keep: Vec<KeepRule>,
    days: u64,
    unresolved: bool,
    /// Whether the logs hold nothing of roles but what they call here.
    idle: bool,
    /// When the role `old` was made, in days before the logs end.
    young: Option<u64>,
    may: &'static str,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            statements: DEFAULT.to_owned(),
            service: "com.amazonaws.eu-west-1.dynamodb",
            calls: vec![("ops", "dynamodb:GetItem", TABLE, Some("vpce-1"))],
            hidden: &[],
            functions: "",
            keep: Vec::new(),
            days: 90,
            unresolved: false,
            idle: false,
            young: None,
            may: World::default().may,
        }
    }
}

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/T";
const OTHER: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/U";

impl Gate {
    /// The world around the endpoint, and its snapshot.
    fn world(&self) -> (World, Snapshot) {
        let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, self.statements);
        let policy = policy.replace('\\', r"\\").replace('"', r#"\""#);
        let endpoint = format!(
            r#", {{"kind": "ec2.vpc_endpoint", "arn": "{VPCE}", "api": {{"VpcEndpointId": "vpce-1", "VpcId": "vpc-1",
            "ServiceName": "{}", "PolicyDocument": "{policy}"}}}}{}"#,
            self.service, self.functions
        );
        let world = World {
            resources: Box::leak(endpoint.into_boxed_str()),
            assumed: &[],
            idle: self.idle,
            may: self.may,
            ..World::default()
        };
        let mut snapshot = world.snapshot();
        if let Some(days) = self.young {
            let roles = snapshot.accounts.values_mut().flat_map(|account| &mut account.roles);
            let created = Timestamp::from_epoch_seconds(i64::try_from(self.days - days).unwrap() * 86_400);
            roles.filter(|role| role.identity.name == "old").for_each(|role| role.life.created = Some(created));
        }
        (world, snapshot)
    }

    fn usage(&self, world: &World) -> UsageLog {
        let mut usage = world.usage();
        let last = Timestamp::from_epoch_seconds(i64::try_from(self.days).unwrap() * 86_400);
        usage.window = Some((Timestamp::from_epoch_seconds(0), last));
        for (who, action, resource, endpoint) in &self.calls {
            let one = World {
                called: Box::leak(Box::new([(*who, *action, *resource)])),
                assumed: &[],
                idle: self.idle,
                ..World::default()
            };
            for (role, mut used) in one.usage().principals {
                for call in &mut used.observations {
                    let named = endpoint.map(|id| (ConditionKey::new("aws:SourceVpce"), vec![id.to_owned()]));
                    call.context.extend(named);
                    call.function = Some("f".into());
                }
                usage.principals.entry(role).or_default().observations.extend(used.observations);
            }
        }
        if self.unresolved {
            usage.unresolved.push(UnresolvedEvent {
                event_source: "dynamodb.amazonaws.com".into(),
                event_name: "NewThing".into(),
                count: 1,
                principals: ["arn:aws:iam::111122223333:role/old".parse().unwrap()].into(),
                kind: UnresolvedKind::Unknown,
            });
        }
        usage
    }

    fn propose(&self) -> Vec<DocumentProposal> {
        let (world, snapshot) = self.world();
        let (index, _) = SnapshotIndex::new(&snapshot);
        let usage = self.usage(&world);
        let trail = AccountCoverage { management_read: true, management_write: true, ..AccountCoverage::default() };
        let account: iam_model::arn::AccountId = "111122223333".parse().unwrap();
        let by_account = [(account.clone(), AccountDays::plain(self.days))].into();
        let coverage =
            Coverage { accounts: [(account, trail)].into(), days: self.days, by_account, ..Coverage::default() };
        let visibility = |_: &iam_model::arn::Arn, action: &Action| match self.hidden.contains(&action.as_str()) {
            true => Visibility::Invisible("not recorded".into()),
            false => Visibility::Visible,
        };
        let catalog = Catalog::embedded().unwrap();
        let evidence = Evidence {
            usage: &usage,
            coverage: &coverage,
            catalog: &catalog,
            visibility: &visibility,
            every_use: &|_, _, _| Visibility::Visible,
            has_own_record: &|_| false,
        };
        let rules = Rules { min_days: 30, keep: self.keep.clone(), ..Rules::default() };
        let all = documents(&[], &index, &evidence, (&rules, &QuotaProfile::AWS));
        all.into_iter().filter(|one| one.attachment.kind == AttachmentKind::VpcEndpoint).collect()
    }
}

/// The statements after the change, one a line, and something that is said of what is left.
#[track_caller]
fn check(gate: &Gate, after: &[String], says: &str) {
    let proposals = gate.propose();
    let document = proposals.iter().find_map(|p| p.changes.first()?.after.as_ref());
    let one = |statement: &iam_model::policy::Statement| {
        let alone = print(&iam_model::policy::PolicyDocument::new(vec![statement.clone()]), PrintStyle::Compact);
        let text = alone.replace(r#"{"Version":"2012-10-17","Statement":["#, "");
        text.trim_end_matches("]}").to_owned()
    };
    let found: Vec<String> = document.into_iter().flat_map(|document| document.statements.iter().map(one)).collect();
    assert_eq!(found, after, "{proposals:#?}");
    let left: Vec<&String> = proposals.iter().flat_map(|p| &p.left_alone).collect();
    assert!(if says.is_empty() { left.is_empty() } else { left.iter().any(|line| line.contains(says)) }, "{left:#?}");
}

fn others() -> String {
    format!(r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{{{OTHERS}}}}}"#)
}

fn part(action: &str, resource: &str, roles: &[&str]) -> String {
    let arns: Vec<String> = roles.iter().map(|role| format!(r#""arn:aws:iam::111122223333:role/{role}""#)).collect();
    let roles = if arns.len() == 1 { arns.concat() } else { format!("[{}]", arns.join(",")) };
    format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":{action},"Resource":"{resource}","Condition":{{"ArnEquals":{{"aws:PrincipalArn":{roles}}}}}}}"#
    )
}

#[test]
fn an_open_endpoint_lets_roles_through_for_what_they_were_seen_to_do_and_others_as_before() {
    let seen = part(r#""dynamodb:GetItem""#, TABLE, &["ops"]);
    check(
        &Gate::default(),
        &[others(), seen.clone()],
        "callers that are no roles of account 111122223333 keep all of it",
    );
    // What several do alike stands once.
    let get = |who| (who, "dynamodb:GetItem", TABLE, Some("vpce-1"));
    let calls = vec![get("ops"), get("old"), ("old", "dynamodb:PutItem", OTHER, Some("vpce-1"))];
    let after = [
        others(),
        part(r#""dynamodb:GetItem""#, TABLE, &["old", "ops"]),
        part(r#""dynamodb:PutItem""#, OTHER, &["old"]),
    ];
    check(&Gate { calls, ..Gate::default() }, &after, "keep all of it");
    // Another endpoint's calls, and other services', are none of this one's.
    let calls = vec![
        get("ops"),
        ("old", "dynamodb:PutItem", OTHER, Some("vpce-2")),
        ("old", "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q", Some("vpce-1")),
    ];
    check(&Gate { calls, ..Gate::default() }, &[others(), seen], "keep all of it");
}

#[test]
fn calls_that_name_no_endpoint_may_have_come_through_it_but_for_functions_outside_of_vpcs() {
    let calls = || vec![("ops", "dynamodb:GetItem", TABLE, Some("vpce-1")), ("old", "dynamodb:PutItem", OTHER, None)];
    let get = part(r#""dynamodb:GetItem""#, TABLE, &["ops"]);
    let after = [others(), part(r#""dynamodb:PutItem""#, OTHER, &["old"]), get.clone()];
    check(&Gate { calls: calls(), ..Gate::default() }, &after, "2 calls do not say by which way they came");
    let outside = r#", {"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
        "role_arn": "arn:aws:iam::111122223333:role/old", "api": {"FunctionName": "f"}}"#;
    check(&Gate { calls: calls(), functions: outside, ..Gate::default() }, &[others(), get], "keep all of it");
}

#[test]
fn what_the_logs_could_not_have_shown_stays_for_every_role() {
    let hidden: &[&str] = &["dynamodb:Query", "dynamodb:Scan"];
    let kept = r#"{"Effect":"Allow","Principal":"*","Action":["dynamodb:Query","dynamodb:Scan"],"Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}}"#;
    let after = [others(), kept.to_owned(), part(r#""dynamodb:GetItem""#, TABLE, &["ops"])];
    check(&Gate { hidden, ..Gate::default() }, &after, "2 actions stay for every role");
    let keep = KeepRule {
        role: Some("old".into()),
        actions: vec![iam_model::action::ActionPattern::new("dynamodb:DeleteItem")],
        reason: "yearly".into(),
    };
    let after =
        [others(), part(r#""dynamodb:DeleteItem""#, "*", &["old"]), part(r#""dynamodb:GetItem""#, TABLE, &["ops"])];
    check(&Gate { keep: vec![keep], ..Gate::default() }, &after, "keep all of it");
}

#[test]
fn an_endpoint_stays_as_it_is_where_nothing_can_be_told() {
    check(&Gate { days: 3, ..Gate::default() }, &[], "3 days, and 30 are asked for");
    check(&Gate { calls: Vec::new(), ..Gate::default() }, &[], "better deleted, by hand");
    check(&Gate { service: "com.amazonaws.vpce.eu-west-1.vpce-svc-1", ..Gate::default() }, &[], "is not known here");
    check(&Gate { unresolved: true, ..Gate::default() }, &[], "calls of `NewThing` were seen");
    let statements =
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"*","Resource":"*"}"#;
    check(&Gate { statements: statements.into(), ..Gate::default() }, &[], "it names who may come through");
    let tight = format!(r#"{{"Effect":"Allow","Principal":"*","Action":"dynamodb:GetItem","Resource":"{TABLE}"}}"#);
    check(&Gate { statements: tight, ..Gate::default() }, &[], "");
}

#[test]
fn what_was_narrowed_before_is_narrowed_further_and_never_twice() {
    let seen = part(r#""dynamodb:GetItem""#, TABLE, &["ops"]);
    check(&Gate { statements: [others(), seen.clone()].join(","), ..Gate::default() }, &[], "");
    let wider = part(r#"["dynamodb:GetItem","dynamodb:PutItem"]"#, TABLE, &["old", "ops"]);
    check(&Gate { statements: [others(), wider].join(","), ..Gate::default() }, &[others(), seen], "");
}

#[test]
fn a_role_that_the_logs_do_not_know_long_enough_keeps_all_of_it() {
    let seen = part(r#""dynamodb:GetItem""#, TABLE, &["ops"]);
    let whole = |roles: &[&str]| part(r#""*""#, "*", roles);
    let young = || Gate { young: Some(10), ..Gate::default() };
    let after = [others(), whole(&["old"]), seen.clone()];
    check(&young(), &after, "old keeps all of it: of old, the role was made on");
    // Once more, and nothing changes.
    check(&Gate { statements: after.join(","), ..young() }, &[], "old keeps all of it");
    // When it is old enough, it is judged.
    let again = Gate { statements: after.join(","), ..Gate::default() };
    check(&again, &[others(), seen.clone()], "");
    // Nor is one cut that did nothing at all, but for one that may call nothing of it.
    let after = [others(), whole(&["old", "target"]), seen.clone()];
    check(&Gate { idle: true, ..Gate::default() }, &after, "old and 1 more keep all of it");
    let may = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
    check(&Gate { idle: true, may, ..Gate::default() }, &[others(), seen], "keep all of it");
}

#[test]
fn an_endpoint_is_never_left_without_a_policy() {
    let only = part(r#""dynamodb:GetItem""#, TABLE, &["old"]);
    check(&Gate { statements: only, ..Gate::default() }, &[], "without a policy it lets through all");
}
