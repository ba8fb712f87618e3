//! `paring rules`: the organisation's rules, listed, explained, tested, formatted and asked.

use crate::accounts::{OWN, change, write};
use crate::run::Folder;

const MINE: &str = r#"@id("no-deploy-role")
@title("No role is called deploy")
@severity("error")
@fix("give it another name")
forbid (principal is Paring::Role, action == Paring::Action::"keep", resource is Paring::Permission)
when { principal.name == "deploy" }
unless { context.waived.contains("no-deploy-role") };
"#;

const BASELINE: &str =
    "@id(\"baseline\")\n@title(\"t\")\n@severity(\"note\")\n@hint(\"h\")\npermit (principal, action, resource);\n";

#[test]
fn the_rules_are_listed_explained_and_decided_by_their_cases() {
    let folder = Folder::new();
    let list = folder.paring(&["rules", "list"]);
    assert_eq!((list.code, list.stdout.lines().count()), (0, 25), "{}", list.stdout);
    insta::assert_snapshot!("rules_list", list.stdout);
    insta::assert_snapshot!("rules_explain", folder.paring(&["rules", "explain", "no-passing-admin"]).stdout);
    let test = folder.paring(&["rules", "test"]);
    assert_eq!(test.code, 0, "{}", test.stdout);
    assert!(test.stdout.starts_with("25 rules, 25 decided; "), "{}", test.stdout);
    assert_eq!(folder.paring(&["rules", "explain", "no-such-rule"]).code, 2);
}

#[test]
fn every_command_takes_the_rules_that_the_settings_name() {
    let folder = Folder::new();
    folder.write("rules/mine.cedar", MINE);
    folder.write("rules/baseline.cedar", BASELINE);
    let settings = "version = 1\nguardrails = \"rules\"\n";
    folder.write("paring.toml", settings);
    assert_eq!(folder.paring(&["rules", "list"]).stdout.lines().count(), 1);
    assert_eq!(folder.paring(&["rules", "explain", "no-deploy-role"]).code, 0);
    assert!(folder.paring(&["rules", "test"]).stdout.contains("undecided: rules/mine.cedar:1:1"));
    let elsewhere = Folder::new();
    elsewhere.write("no/paring.toml", "version = 1\n");
    assert_eq!(elsewhere.paring(&["rules", "list", "--config", "no/paring.toml"]).stdout.lines().count(), 25);
}

#[test]
fn one_scale_of_severities_and_the_old_words_on_it() {
    let folder = Folder::new();
    folder.write(
        "p.json",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"}]}"#,
    );
    for (threshold, code) in [("info", 1), ("note", 1), ("low", 1), ("warning", 1), ("medium", 0), ("error", 0)] {
        let output = folder.paring(&["check", "policy", "p.json", "--fail-on", threshold]);
        assert_eq!(output.code, code, "{threshold}: {}{}", output.stdout, output.stderr);
    }
    for command in [&["audit"][..], &["rules", "check"]] {
        for (threshold, code) in [("review", 1), ("error", 1), ("fatal", 2)] {
            let snapshot = crate::run::example().join("snapshot.json");
            let more = ["--snapshot", snapshot.to_str().unwrap(), "--fail-on", threshold];
            assert_eq!(folder.paring(&[command, &more].concat()).code, code, "{command:?} {threshold}");
        }
    }
}

#[test]
fn a_rule_that_no_case_decides_is_an_error_and_so_is_a_failing_case() {
    let folder = Folder::new();
    folder.write("rules/mine.cedar", MINE);
    folder.write("rules/baseline.cedar", BASELINE);
    let none = folder.paring(&["rules", "test", "--rules", "rules"]);
    assert_eq!(none.code, 1);
    assert!(none.stdout.contains("undecided: rules/mine.cedar:1:1: `no-deploy-role`"), "{}", none.stdout);
    folder.write("rules/cases/mine.json", r#"[{"name": "odd", "request": {"principal": "Paring::Role::\"r\""}}]"#);
    let failing = folder.paring(&["rules", "test", "--rules", "rules"]);
    assert_eq!(failing.code, 1);
    assert!(failing.stdout.contains("failed: rules/cases/mine.json:1:2 (case `odd`)"), "{}", failing.stdout);
}

#[test]
fn a_broken_file_is_placed_and_nothing_is_judged_by_the_rest() {
    let folder = Folder::new();
    write(&folder);
    folder.write("rules/baseline.cedar", BASELINE);
    folder.write("rules/broken.cedar", "forbid (principal,\n  action resource);\n");
    folder.write("rules/unsafe.cedar", MINE.replace("principal.name == \"deploy\"", "principal.boundary == \"x\""));
    for command in
        [&["rules", "list", "--rules", "rules"][..], &["rules", "check", "--snapshot", "s.json", "--rules", "rules"]]
    {
        let output = folder.paring(command);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""));
        assert!(output.stderr.contains("rules/broken.cedar:2:10"), "{}", output.stderr);
    }
    std::fs::remove_file(folder.path().join("rules/broken.cedar")).unwrap();
    let output = folder.paring(&["rules", "list", "--rules", "rules"]);
    assert!(
        output.stderr.contains("rules/unsafe.cedar:6:8") && output.stderr.contains("test for it first"),
        "{}",
        output.stderr
    );
}

#[test]
fn an_account_is_judged_as_it_stands() {
    let folder = Folder::new();
    write(&folder);
    let output = folder.paring(&["rules", "check", "--snapshot", "s.json", "--usage", "usage.json"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!("rules_check_account", output.stdout);
    let again = folder.paring(&["rules", "check", "--snapshot", "s.json", "--usage", "usage.json"]);
    assert_eq!(output.stdout, again.stdout, "equal input, equal bytes");
}

#[test]
fn waivers_accept_expire_and_go_stale() {
    let folder = Folder::new();
    write(&folder);
    folder.write("rules/mine.cedar", MINE);
    folder.write("rules/baseline.cedar", BASELINE);
    let waiver = |object: &str, expires: &str| {
        format!(
            "version = 1\n[[waiver]]\nrule = \"no-deploy-role\"\nobject = \"{object}\"\nowner = \"a\"\nticket = \"T-1\"\nreason = \"r\"\nexpires = {expires}\n"
        )
    };
    let check = |waivers: &str| {
        folder.write("waivers.toml", waivers);
        let output =
            folder.paring(&["rules", "check", "--snapshot", "s.json", "--rules", "rules", "--now", "2026-11-22"]);
        (output.code, output.stdout)
    };
    let (code, text) = check("version = 1\n");
    assert!(
        code == 1 && text.contains("arn:aws:iam::111122223333:role/deploy keeps iam:PassRole on every resource"),
        "{text}"
    );
    let (code, text) = check(&waiver("arn:aws:iam::*:role/deploy", "2026-12-31"));
    assert!(code == 0 && text.contains("(waived)"), "{text}");
    let (code, text) = check(&waiver("arn:aws:iam::*:role/deploy", "2026-01-31"));
    assert!(code == 1 && text.contains("stale-waiver: waivers.toml:2:1: the waiver has expired"), "{text}");
    let (_, text) = check(&waiver("arn:aws:iam::*:role/other", "2026-12-31"));
    assert!(text.contains("nothing needs this waiver"), "{text}");
}

#[test]
fn changes_are_judged_by_what_they_add() {
    let folder = Folder::new();
    write(&folder);
    let role =
        r#"{"kind": "identity", "principal_arn": "arn:aws:iam::111122223333:role/orders", "policy_name": "own"}"#;
    let check = |after: &str| {
        folder.write("c.json", change(role, OWN, after));
        folder.paring(&["rules", "check", "--snapshot", "s.json", "--usage", "usage.json", "--changes", "c.json"])
    };
    let narrowed = check(&OWN.replace("dynamodb:*", "dynamodb:PutItem"));
    assert_eq!(narrowed.code, 0, "{}", narrowed.stdout);
    assert!(narrowed.stdout.contains("(stood before)"), "{}", narrowed.stdout);
    let worse = check(&OWN.replace("dynamodb:*", "*"));
    assert_eq!(worse.code, 1, "{}", worse.stdout);
    assert!(worse.stdout.contains("no-guardrail-tampering"), "{}", worse.stdout);
}

/// Any line of any file counted as a test of a guardrail, and what was never replayed as replayed without a denial.
#[test]
fn tests_of_a_guardrail_are_asked_of_it_and_what_is_not_known_is_not_clean() {
    let folder = Folder::new();
    let full = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    let deny = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "glue:*", "Resource": "*"}]}"#;
    folder.write(
        "s.json",
        format!(
            r#"{{"schema": "paring-snapshot/1", "organization": {{"id": "o-abc1234567", "management_account_id": "999988887777",
            "accounts": {{"111122223333": {{"scps": [[{full}], [{full}]], "rcps": []}}}}}}, "accounts": {{"111122223333": {{"authorization_details":
            {{"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}}}}}}}}"#
        ),
    );
    let changes = |target: &str| {
        format!(
            r#"{{"schema": "paring-changes/1", "changes": [{{"attachment": {{"kind": "service_control", "policy_name": "NoGlue"{target}}},
            "before": null, "after": {deny}, "reasons": []}}]}}"#
        )
    };
    folder.write("c.json", changes(""));
    let request = |action: &str, expect: &str| {
        format!(
            r#"{{"id": "{action} {expect}", "principal": "arn:aws:iam::111122223333:role/r", "action": "{action}", "resource": "*",
            "context": {{}}, "policy": "NoGlue", "kind": "scp", "expect": "{expect}"}}"#
        )
        .replace('\n', " ")
    };
    let good = [("glue:GetJob", "denied"), ("glue:StartJobRun", "denied"), ("s3:GetObject", "allowed")];
    let lines = |tests: &[(&str, &str)]| {
        tests.iter().map(|(action, expect)| request(action, expect) + "\n").collect::<String>()
    };
    let judge = |tests: &str| {
        folder.write("tests.jsonl", tests);
        folder.paring(&["rules", "check", "--snapshot", "s.json", "--changes", "c.json", "--tests", "tests.jsonl"])
    };
    let refused = judge("# Not\nrequests\nat all\n");
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("tests.jsonl:1"), "{}", refused.stderr);
    let tested = judge(&lines(&good));
    assert!(!tested.stdout.contains("guardrail-is-tested"), "{}", tested.stdout);
    // No logs were given.
    assert_eq!(tested.code, 1);
    assert!(
        tested.stdout.contains("not asked: whether the guardrail would have denied live calls"),
        "{}",
        tested.stdout
    );
    assert!(judge(&lines(&good[..2])).stdout.contains("guardrail-is-tested"));
    let wrong = judge(&lines(&[&good[..], &[("s3:GetObject", "denied")]].concat()));
    assert!(
        wrong.stdout.contains("1 of its test requests come out otherwise, `s3:GetObject denied` first"),
        "{}",
        wrong.stdout
    );
    let unit = r#", "resource_arn": "arn:aws:organizations::999988887777:ou/o-abc1234567/ou-ab12-prod0001""#;
    folder.write("c.json", changes(unit));
    let unplaced = judge(&lines(&good));
    assert!(
        unplaced.stdout.contains("undecided: ") && unplaced.stdout.contains("is not applied"),
        "{}",
        unplaced.stdout
    );
}

#[test]
fn several_files_of_changes_are_asked_about_one_by_one() {
    let folder = Folder::new();
    write(&folder);
    let role =
        r#"{"kind": "identity", "principal_arn": "arn:aws:iam::111122223333:role/orders", "policy_name": "own"}"#;
    folder.write("good.json", change(role, OWN, &OWN.replace("dynamodb:*", "dynamodb:PutItem")));
    folder.write("worse.json", change(role, OWN, &OWN.replace("dynamodb:*", "*")));
    let base = ["rules", "check", "--snapshot", "s.json", "--usage", "usage.json", "--changes", "good.json"];
    assert_eq!(folder.paring(&base).code, 0);
    let both = folder.paring(&[&base[..], &["worse.json"]].concat());
    assert_eq!(both.code, 1, "{}", both.stderr);
    let (good, worse) = both.stdout.split_once("worse.json\n").unwrap();
    assert!(good.starts_with("good.json\n") && !good.contains("no-guardrail-tampering"), "{good}");
    assert!(worse.contains("no-guardrail-tampering"), "{worse}");
    let json = folder.paring(&[&base[..], &["worse.json", "--format", "json"]].concat());
    assert!(json.stdout.contains("\"changes\": \"worse.json\""), "{}", json.stdout);
}

#[test]
fn a_folder_of_rules_that_is_not_read_whole_judges_nothing() {
    let folder = Folder::new();
    folder.write("elsewhere/mine.cedar", MINE);
    folder.write("rules/baseline.cedar", BASELINE);
    let list = || folder.paring(&["rules", "list", "--rules", "rules"]);
    assert_eq!(list().code, 0);
    std::os::unix::fs::symlink("../elsewhere", folder.path().join("rules/more")).unwrap();
    let output = list();
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "a rule behind a link is not passed over");
    assert!(output.stderr.contains("rules/more") && output.stderr.contains("hint: "), "{}", output.stderr);
}

#[test]
fn rule_files_are_formatted_in_place_on_request() {
    let folder = Folder::new();
    folder.write("mine.cedar", MINE);
    let shown = folder.paring(&["rules", "fmt", "mine.cedar"]);
    assert!(shown.code == 0 && shown.stdout.contains("forbid (\n  principal is Paring::Role,"), "{}", shown.stdout);
    assert_eq!(folder.read("mine.cedar"), MINE, "printing writes nothing");
    assert_eq!(folder.paring(&["rules", "fmt", "--check", "mine.cedar"]).code, 1);
    assert_eq!(folder.paring(&["rules", "fmt", "--write", "mine.cedar"]).code, 0);
    assert_eq!(folder.read("mine.cedar"), shown.stdout);
    assert_eq!(folder.paring(&["rules", "fmt", "--check", "mine.cedar"]).code, 0);
    folder.write("broken.cedar", "forbid (");
    let broken = folder.paring(&["rules", "fmt", "broken.cedar"]);
    assert!(broken.code == 2 && broken.stderr.contains("broken.cedar:1:"), "{}", broken.stderr);
}

/// A configuration named from another folder means the rules that lie beside it.
#[test]
fn paths_in_a_configuration_start_where_it_is() {
    let folder = Folder::new();
    folder.write("team/paring.toml", "version = 1\nguardrails = \"rules\"\n");
    folder
        .write("s.json", r#"{"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {}}}"#);
    let check = || folder.paring(&["rules", "check", "--snapshot", "s.json", "--config", "team/paring.toml"]);
    let missing = check();
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("team/rules"), "{}", missing.stderr);
    folder.write(
        "team/rules/all.cedar",
        "@id(\"b\") @title(\"b\") @severity(\"note\") @fix(\"h\")\npermit (principal, action, resource);\n",
    );
    assert_eq!(check().code, 0, "{}", check().stderr);
}

/// A role that reads one bucket and may read another; AWS's policies for functions and for reading S3 are attached to it.
const OWNED: &str = r#"{"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {
  "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [
    {"Path": "/", "RoleName": "reader", "RoleId": "AROAREADER", "Arn": "arn:aws:iam::111122223333:role/reader", "InstanceProfileList": [],
     "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
     "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
       "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::seen/*", "arn:aws:s3:::unseen/*", "arn:aws:s3:::idle/*"]}]}}],
     "AttachedManagedPolicies": [
       {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
       {"PolicyName": "AmazonS3ReadOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]},
    {"Path": "/aws-reserved/sso.amazonaws.com/", "RoleName": "AWSReservedSSO_admin", "RoleId": "AROASSO",
     "Arn": "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_admin", "InstanceProfileList": [],
     "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}, "AttachedManagedPolicies": [],
     "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
       {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}}]}],
   "Policies": [
    {"PolicyName": "AWSLambdaBasicExecutionRole", "Arn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "DefaultVersionId": "v1",
     "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17", "Statement": [
       {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]}}]},
    {"PolicyName": "AmazonS3ReadOnlyAccess", "Arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "DefaultVersionId": "v1",
     "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17", "Statement": [
       {"Effect": "Allow", "Action": "s3:GetBucketPolicy", "Resource": "*"}]}}]}]},
  "resources": [], "resource_policies": {},
  "trails": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "Name": "t", "IsMultiRegionTrail": true,
    "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
      "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::seen/", "arn:aws:s3:::idle/"]}]}]}}]}}}"#;

#[test]
fn rules_say_what_can_be_done_and_call_nothing_unused_that_could_have_gone_unseen() {
    let call = |id: u32, time: &str| {
        serde_json::json!({"eventVersion": "1.11", "eventID": format!("e{id}"), "eventTime": time, "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
            "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventType": "AwsApiCall", "eventCategory": "Data",
            "requestParameters": {"bucketName": "seen", "key": "a.png"},
            "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::seen/a.png"}, {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::seen"}],
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/reader/f", "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/reader", "accountId": "111122223333"}}}})
    };
    let folder = Folder::new();
    folder.write("s.json", OWNED);
    let records = [call(1, "2026-03-01T08:00:00Z"), call(2, "2026-06-10T08:00:00Z")];
    folder.write("trail/one.json", serde_json::json!({"Records": records}).to_string());
    let check = folder.paring(&["rules", "check", "--snapshot", "s.json", "--trail", "trail"]);
    assert_eq!(check.code, 1, "{}{}", check.stdout, check.stderr);
    let said = &check.stdout;
    // What nobody can edit, and what is left alone on purpose, is not asked about.
    assert!(!said.contains("logs:") && !said.contains("AWSReservedSSO"), "{said}");
    let fix =
        "`AmazonS3ReadOnlyAccess` is AWS's own policy and cannot be edited: give the role one of its own in its place";
    assert!(said.contains("reader is granted s3:GetBucketPolicy on every resource") && said.contains(fix), "{said}");
    // Trails record the objects of some buckets alone: what was not seen of the others says nothing.
    assert!(!said.contains("keeps s3:GetObject"), "{said}");
    folder.write("s.json", OWNED.replace(r#"["arn:aws:s3:::seen/", "arn:aws:s3:::idle/"]"#, r#"["arn:aws:s3"]"#));
    let check = folder.paring(&["rules", "check", "--snapshot", "s.json", "--trail", "trail"]);
    assert!(check.stdout.contains("reader keeps s3:GetObject on arn:aws:s3:::idle/*"), "{}", check.stdout);
}
