//! Calls of sessions without an issuer, and of ARNs without their paths.

#[test]
fn calls_of_a_session_without_an_issuer_are_those_of_the_role_of_that_name() {
    let role = |arn: &str| {
        format!(
            r#"{{"RoleName": "{}", "Path": "/", "RoleId": "AROA", "Arn": "{arn}",
            "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}}}}"#,
            arn.rsplit('/').next().unwrap()
        )
    };
    let (placed, plain) = ("arn:aws:iam::111122223333:role/app/svc/worker", "arn:aws:iam::111122223333:role/plain");
    let text = format!(
        r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details": {{
        "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{}, {}]}}}}}}}}"#,
        role(placed),
        role(plain)
    );
    let named = |text| crate::text::SourceText { name: crate::text::SourceName::new("x.json"), text };
    let snapshot = crate::snapshot::read(named(text)).unwrap().0;
    let calls = |action: &str, day: u32| {
        format!(
            r#"{{"action": "{action}", "resources": ["*"], "count": 2, "first": "2026-09-0{day}T00:00:00Z",
            "last": "2026-09-0{day}T00:00:00Z", "denied": 1, "sample_event_ids": ["{day}"]}}"#
        )
    };
    let (root, gone) = ("arn:aws:iam::111122223333:role/Worker", "arn:aws:iam::111122223333:role/gone");
    let text = format!(
        r#"{{"schema": "paring-usage/1", "principals": {{"{root}": {{"observations": [{}, {}]}},
        "{placed}": {{"observations": [{}]}}, "{gone}": {{"observations": [{}]}},
        "arn:aws:iam::444455556666:role/worker": {{"observations": [{}]}}}}, "coverage": {{}}, "skipped": {{}},
        "unresolved": [{{"event_source": "x.amazonaws.com", "event_name": "Y", "count": 1, "principals": ["{root}"]}}]}}"#,
        calls("sqs:SendMessage", 1),
        calls("dynamodb:PutItem", 2),
        calls("dynamodb:PutItem", 4),
        calls("sqs:SendMessage", 5),
        calls("sqs:SendMessage", 6)
    );
    let mut log = crate::usage::read(&named(text)).unwrap();
    super::place_identities(&mut log, &snapshot);
    let callers: Vec<&str> = log.principals.keys().map(crate::arn::Arn::as_str).collect();
    assert_eq!(callers, [placed, gone, "arn:aws:iam::444455556666:role/worker"]);
    let seen = &log.principals[&placed.parse().unwrap()];
    let told: Vec<String> = (seen.observations.iter())
        .map(|o| {
            format!(
                "{} {} {} {} {} {:?}",
                o.action,
                o.count,
                o.denied,
                o.first.date(),
                o.last.date(),
                o.sample_event_ids
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"dynamodb:PutItem 4 2 2026-09-02 2026-09-04 ["2", "4"]"#,
            r#"sqs:SendMessage 2 1 2026-09-01 2026-09-01 ["1"]"#
        ]
    );
    assert_eq!(log.unresolved[0].principals.iter().next().unwrap().as_str(), placed);
}

#[test]
fn calls_of_a_session_that_another_account_logged_are_those_of_the_role_of_that_id() {
    const ID: &str = "AROA0123456789ABCDEFG";
    let role = |name: &str, id: &str| {
        format!(
            r#"{{"RoleName": "{name}", "Path": "/app/", {id} "Arn": "arn:aws:iam::111122223333:role/app/{name}",
            "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}}}}"#
        )
    };
    let check = |roles: &[String], caller: &str, expected: &[&str]| {
        let text = format!(
            r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details": {{
            "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{}]}}}}}}}}"#,
            roles.join(", ")
        );
        let named = |text| crate::text::SourceText { name: crate::text::SourceName::new("x.json"), text };
        let snapshot = crate::snapshot::read(named(text)).unwrap().0;
        let text = format!(
            r#"{{"schema": "paring-usage/1", "principals": {{"{caller}": {{"observations": [{{"action": "sqs:SendMessage",
            "resources": ["*"], "count": 2, "first": "2026-09-01T00:00:00Z", "last": "2026-09-01T00:00:00Z", "denied": 0}}]}}}},
            "coverage": {{}}, "skipped": {{}},
            "unresolved": [{{"event_source": "x.amazonaws.com", "event_name": "Y", "count": 1, "principals": ["{caller}"]}}]}}"#
        );
        let mut log = crate::usage::read(&named(text)).unwrap();
        super::place_identities(&mut log, &snapshot);
        let callers: Vec<&str> = log.principals.keys().map(|arn| arn.resource()).collect();
        assert_eq!(callers, expected, "{caller}");
        assert!(log.principals.keys().eq(&log.unresolved[0].principals), "{caller}");
    };
    let told = |name, id| role(name, &format!(r#""RoleId": "{id}","#));
    let roles = [told("one", ID), told("two", "AROA999"), role("old", ""), role("older", "")];
    let of = |account: &str, name: &str| format!("arn:aws:iam::{account}:role/{name}");
    check(&roles, &of("111122223333", ID), &["role/app/one"]);
    check(&roles, &of("444455556666", ID), &[&format!("role/{ID}")]);
    // Whose it is the snapshot does not tell: it may be any whose id it lacks.
    check(&roles, &of("111122223333", "AROA777"), &["role/app/old", "role/app/older"]);
    check(&roles[..2], &of("111122223333", "AROA777"), &["role/AROA777"]);
    check(&roles, &of("111122223333", "gone"), &["role/gone"]);
}

#[test]
fn a_role_that_is_asked_for_by_name_is_the_one_at_its_path() {
    let role = |path: &str, name: &str| {
        format!(
            r#"{{"RoleName": "{name}", "Path": "/{path}", "RoleId": "AROA{name}", "Arn": "arn:aws:iam::111122223333:role/{path}{name}",
            "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}}}}"#
        )
    };
    let text = format!(
        r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details": {{
        "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{}, {}]}}}}}}}}"#,
        role("team/", "x"),
        role("", "y")
    );
    let source = crate::text::SourceText { name: crate::text::SourceName::new("s.json"), text };
    let snapshot = crate::snapshot::read(source).unwrap().0;
    let seen = |resource: &str| {
        let text = format!(
            r#"{{"schema": "paring-usage/1", "principals": {{"arn:aws:iam::111122223333:role/r": {{"observations": [{{"action": "iam:GetRole",
            "resources": ["{resource}"], "count": 1, "first": "2026-09-01T00:00:00Z", "last": "2026-09-01T00:00:00Z", "denied": 0}}]}}}},
            "coverage": {{}}, "unresolved": [], "skipped": {{}}}}"#
        );
        let source = crate::text::SourceText { name: crate::text::SourceName::new("u.json"), text };
        let mut log = crate::usage::read(&source).unwrap();
        super::place_identities(&mut log, &snapshot);
        log.principals.values().flat_map(|u| &u.observations).flat_map(|o| &o.resources).next().unwrap().to_string()
    };
    for (asked, found) in [
        ("arn:aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/team/x"),
        ("arn:aws:iam::111122223333:role/y", "arn:aws:iam::111122223333:role/y"),
        ("arn:aws:iam::111122223333:user/x", "arn:aws:iam::111122223333:user/x"),
        ("arn:aws:iam::444455556666:role/x", "arn:aws:iam::444455556666:role/x"),
        ("arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/*"),
    ] {
        assert_eq!(seen(asked), found);
    }
}
