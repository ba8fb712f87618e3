//! The three classes, from logs, from AWS's own record, and from both where they differ.

use std::collections::BTreeMap;

use iam_model::usage::{AccountCoverage, AccountDays, PrincipalUsage, RoleReport};

use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/worker";

fn time(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}T00:00:00Z")).unwrap()
}

fn seen(action: &str) -> Observation {
    Observation {
        action: action.parse().unwrap(),
        resources: Vec::new(),
        resource_known: false,
        context: BTreeMap::new(),
        function: None,
        count: 1,
        denied: 0,
        first: time("2026-11-01"),
        last: time("2026-11-02"),
        sample_event_ids: Vec::new(),
    }
}

/// What is known of [`ROLE`]: calls in November, and a report.
struct Known {
    usage: UsageLog,
    coverage: Coverage,
    last_accessed: LastAccessed,
    min_days: u64,
}

impl Known {
    fn of(calls: &[&str]) -> Self {
        let mut usage = UsageLog { window: Some((time("2026-11-01"), time("2026-11-20"))), ..UsageLog::default() };
        let observations = calls.iter().map(|action| seen(action)).collect();
        usage.principals.insert(ROLE.parse().unwrap(), PrincipalUsage { observations });
        let trail = AccountCoverage { management_read: true, management_write: true, ..AccountCoverage::default() };
        let account: AccountId = "111122223333".parse().unwrap();
        let by_account = [(account.clone(), AccountDays::plain(19))].into();
        let coverage = Coverage { accounts: [(account, trail)].into(), days: 19, by_account, ..Coverage::default() };
        Self { usage, coverage, last_accessed: LastAccessed::default(), min_days: 0 }
    }

    /// A report made on this day: a service, its last use, and its actions with theirs; `-` for none.
    fn report(mut self, made: &str, service: &str, last: &str, actions: &[(&str, &str)]) -> Self {
        let used = |text: &str| (text != "-").then(|| time(text));
        let actions = actions.iter().map(|(name, last)| (name.parse().unwrap(), used(last))).collect();
        let report = ServiceReport { made: time(made), last: used(last), actions };
        let services = BTreeMap::from([(service.to_owned(), report)]);
        self.last_accessed.add(ROLE.parse().unwrap(), RoleReport { services, ..RoleReport::default() });
        self
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            usage: &self.usage,
            coverage: &self.coverage,
            last_accessed: &self.last_accessed,
            catalog: crate::tests::catalog(),
            min_days: self.min_days,
        }
    }

    /// `expected`: the class, then who says so or a part of the reason.
    fn check(&self, action: &str, expected: &str) {
        let found = match self.evidence().standing(&ROLE.parse().unwrap(), &action.parse().unwrap()) {
            Standing::Seen { last, by } => format!("seen {} {last}", by.as_str()),
            Standing::NotSeen { by } => format!("not seen {}", by.as_str()),
            Standing::CouldNotBeSeen { why } => format!("could not be seen {why}"),
        };
        let (class, part) = expected.split_once(": ").unwrap_or((expected, ""));
        assert!(found.starts_with(class) && found.contains(part), "{action}: {found}");
    }
}

#[test]
fn logs_alone_tell_three_classes() {
    let known = Known::of(&["sqs:CreateQueue"]);
    known.check("sqs:CreateQueue", "seen logs");
    known.check("sqs:DeleteQueue", "not seen logs");
    known.check("sqs:SendMessage", "could not be seen: no data events of AWS::SQS::Queue");
    known.check("logs:PutLogEvents", "could not be seen: does not log its calls");
    known.check("nosuch:Thing", "could not be seen: does not know");
    known.check("s3:InitiateReplication", "could not be seen: no other call is known");
}

#[test]
fn a_report_that_was_cut_off_may_have_more_to_say() {
    let mut known = Known::of(&["sqs:CreateQueue"]).report("2026-11-20", "sns", "-", &[]);
    known.check("sqs:DeleteQueue", "not seen logs");
    known.last_accessed.add(ROLE.parse().unwrap(), RoleReport { cut_off: true, ..RoleReport::default() });
    known.check("sqs:DeleteQueue", "could not be seen: cut off and may have more to say of sqs");
    known.check("sns:DeleteTopic", "not seen");
}

#[test]
fn a_window_that_is_too_short_and_an_account_that_is_missing_show_nothing() {
    let mut known = Known::of(&[]);
    known.min_days = 30;
    let too_short = "could not be seen: the logs of account 111122223333 span 19 days";
    known.check("sqs:DeleteQueue", too_short);
    // Days in between without any record show nothing.
    known.min_days = 19;
    known.check("sqs:DeleteQueue", "not seen logs");
    known.coverage.by_account.values_mut().for_each(|days| days.missing = 1);
    known.check("sqs:DeleteQueue", &format!("{too_short}, 1 of them missing, and 19 are asked for"));
    known.min_days = 0;
    known.usage.seen_in.insert(("444455556666".parse().unwrap(), "eu-west-1".into()));
    known.check("sqs:DeleteQueue", "could not be seen: no log of account 111122223333 was read");
    known.usage.seen_in.insert(("111122223333".parse().unwrap(), "eu-west-1".into()));
    known.check("sqs:DeleteQueue", "not seen logs");
}

#[test]
fn permission_only_actions_are_judged_by_the_operations_that_ask_for_them() {
    // Asked for by every call of kms:ReEncrypt*, which is a management event.
    Known::of(&[]).check("kms:ReEncryptTo", "not seen logs");
    // The request says whether it is asked for.
    Known::of(&["lambda:CreateFunction"]).check("lambda:PassCapacityProvider", "not seen logs");
    // The request does not say: without such a call it was not used, with one nobody knows.
    Known::of(&[]).check("apigateway:UpdateRestApiPolicy", "not seen logs");
    let calls = crate::tests::catalog().operations_authorised_by(&"apigateway:UpdateRestApiPolicy".parse().unwrap());
    let main = calls[0].0.authorized().next().unwrap().action();
    Known::of(&[main.as_str()]).check("apigateway:UpdateRestApiPolicy", "could not be seen: may need it");
    // Calls that ask for it are data events, which are off.
    Known::of(&[]).check("dynamodb:ReadDataForReplication", "could not be seen: no data events");
}

#[test]
fn a_use_that_only_aws_recorded_is_kept() {
    let known = Known::of(&[]).report("2026-11-20", "sqs", "2026-11-10", &[("sqs:DeleteQueue", "2026-11-10")]);
    known.check("sqs:DeleteQueue", "seen action-last-accessed 2026-11-10T00:00:00Z");
    let unshown = known.evidence().unshown(&ROLE.parse().unwrap());
    assert_eq!(unshown, [Unshown { action: "sqs:DeleteQueue".parse().unwrap(), last: time("2026-11-10") }]);
    assert!(matches!(
        known.evidence().visibility(&ROLE.parse().unwrap(), &"sqs:DeleteQueue".parse().unwrap()),
        Visibility::Invisible(why) if why.contains("2026-11-10")
    ));
    let shown = Known::of(&["sqs:DeleteQueue"]).report("2026-11-20", "sqs", "-", &[("sqs:DeleteQueue", "2026-11-10")]);
    shown.check("sqs:DeleteQueue", "seen logs");
    assert_eq!(shown.evidence().unshown(&ROLE.parse().unwrap()), []);
}

#[test]
fn absence_there_counts_only_where_aws_would_have_recorded_a_use() {
    let unused = |made: &str| Known::of(&[]).report(made, "sqs", "-", &[]);
    // The logs could not have shown it, and AWS records every use of the service.
    unused("2026-11-20").check("sqs:SendMessage", "not seen service-last-accessed");
    // A report that is older than the logs says nothing about their time.
    unused("2026-10-01").check("sqs:SendMessage", "could not be seen");
    // A service the report does not list.
    unused("2026-11-20").check("sns:Publish", "could not be seen");
    // The service was used; by what, the report does not say.
    let used = Known::of(&["sqs:CreateQueue"]).report("2026-11-20", "sqs", "2026-11-02", &[]);
    used.check("sqs:SendMessage", "could not be seen: last recorded a use of sqs on 2026-11-02");
    // AWS tracks the action, and the logs leave its source out.
    let mut excluded = Known::of(&[]).report("2026-11-20", "kms", "2026-11-02", &[("kms:CreateKey", "-")]);
    for trail in excluded.coverage.accounts.values_mut() {
        trail.excluded_sources.insert("kms.amazonaws.com".into());
    }
    excluded.check("kms:CreateKey", "not seen action-last-accessed");
    // AWS does not track iam:PassRole; and what other services' calls ask for is recorded there.
    let iam = Known::of(&[]).report("2026-11-20", "iam", "-", &[]);
    let mut blind = iam;
    blind.coverage.accounts.clear();
    blind.check("iam:PassRole", "could not be seen");
}

#[test]
fn a_use_within_the_logs_time_that_they_lack_says_they_are_not_complete() {
    let known = Known::of(&[]).report("2026-11-20", "sqs", "2026-11-10", &[]);
    known.check("sqs:DeleteQueue", "could not be seen: not complete");
    Known::of(&["sqs:CreateQueue"])
        .report("2026-11-20", "sqs", "2026-11-10", &[])
        .check("sqs:DeleteQueue", "not seen logs");
    Known::of(&[]).report("2026-11-20", "sqs", "2026-01-10", &[]).check("sqs:DeleteQueue", "not seen logs");
}

#[test]
fn a_role_without_records_is_not_spoken_of() {
    let known = Known::of(&[]);
    assert!(!known.evidence().has_records(&ROLE.parse().unwrap()));
    assert!(Known::of(&["sqs:CreateQueue"]).evidence().has_records(&ROLE.parse().unwrap()));
    let report = known.report("2026-11-20", "sqs", "-", &[]);
    assert!(report.evidence().has_records(&ROLE.parse().unwrap()));
}

/// Found by review: the roles of a task definition are passed by `RunTask`, whose record does not name them, and
/// `iam:PassRole` was cut as unused.
#[test]
fn a_role_may_be_passed_that_stands_elsewhere() {
    let standing = |calls: &[&str]| {
        let known = Known::of(calls);
        known.evidence().standing(&ROLE.parse().unwrap(), &"iam:PassRole".parse().unwrap())
    };
    assert!(matches!(standing(&["ecs:RunTask"]), Standing::CouldNotBeSeen { why } if why.contains("ecs:RunTask")));
    assert!(matches!(standing(&["ec2:RunInstances"]), Standing::CouldNotBeSeen { .. }));
    assert_eq!(standing(&["lambda:CreateFunction"]), Standing::NotSeen { by: Witness::Logs });
}

/// What was seen on the recorded buckets was cut on the others, and a role that a task runs with no longer passed.
#[test]
fn what_was_seen_may_have_been_used_where_nothing_is_recorded() {
    let told = |known: &Known, action: &str| match known
        .evidence()
        .visibility(&ROLE.parse().unwrap(), &action.parse().unwrap())
    {
        Visibility::Visible => "visible".to_owned(),
        Visibility::Invisible(why) => why,
    };
    let mut known = Known::of(&["s3:GetObject", "s3:CreateBucket"]);
    // What trails nobody described record is told by the calls.
    assert_eq!(told(&known, "s3:GetObject"), "visible");
    let trail = known.coverage.accounts.values_mut().next().unwrap();
    trail.partial_data_types.insert("AWS::S3::Object".into());
    assert_eq!(told(&known, "s3:GetObject"), "the trails record data events of AWS::S3::Object only in part");
    assert_eq!(told(&known, "s3:CreateBucket"), "visible");
    let passed = Known::of(&["iam:PassRole", "lambda:CreateFunction"]);
    assert_eq!(told(&passed, "iam:PassRole"), "visible");
    let unnamed = Known::of(&["iam:PassRole", "lambda:CreateFunction", "ecs:RunTask"]);
    assert!(told(&unnamed, "iam:PassRole").contains("calls of ecs:RunTask may need it"));
}

/// Found by review: a session with a source identity assumes a further role without naming it, and the permission that
/// AWS asks for was cut as unused.
#[test]
fn what_goes_on_from_a_session_is_not_seen_in_the_call_that_assumes_the_next() {
    let standing = |calls: &[&str], action: &str| {
        Known::of(calls).evidence().standing(&ROLE.parse().unwrap(), &action.parse().unwrap())
    };
    for action in ["sts:SetSourceIdentity", "sts:TagSession"] {
        let chained = standing(&["sts:AssumeRole"], action);
        assert!(
            matches!(&chained, Standing::CouldNotBeSeen { why } if why.contains("calls of sts:AssumeRole")),
            "{chained:?}"
        );
        assert_eq!(standing(&["sqs:CreateQueue"], action), Standing::NotSeen { by: Witness::Logs });
    }
}
