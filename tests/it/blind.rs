//! What logs do not hold is no evidence: parts that trails leave out, regions, logs elsewhere, what could not be read, calls
//! that nobody knows, and roles that are younger than the logs.

use serde_json::{Value, json};

use crate::run::Folder;

const ACCOUNT: &str = "111122223333";

/// An account, its roles' calls, and what the trails record.
struct World {
    trails: Value,
    roles: Vec<Value>,
    resources: Vec<Value>,
    policies: Value,
    records: Vec<Value>,
}

fn trail(more: &Value) -> Value {
    let mut trail = json!({"TrailARN": format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/t"), "IsMultiRegionTrail": true,
        "IncludeGlobalServiceEvents": true, "IsLogging": true, "HomeRegion": "us-east-1"});
    trail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    trail
}

/// Selectors for all management events, and data events of a type with these values.
fn selectors(data: &[(&str, &str)]) -> Value {
    let data: Vec<Value> = data.iter().map(|(kind, arn)| json!({"Type": kind, "Values": [arn]})).collect();
    json!({"event_selectors": {"EventSelectors": [
        {"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": data}]}})
}

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn role(name: &str, statements: &Value, more: &Value) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let mut role = json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "Arn": arn(name),
        "CreateDate": "2025-01-01T00:00:00+00:00", "InstanceProfileList": [], "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}], "AttachedManagedPolicies": []});
    role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    role
}

fn allow(actions: &Value, resources: &Value) -> Value {
    json!([{"Effect": "Allow", "Action": actions, "Resource": resources}])
}

/// A call of a role on a day of the window, in us-east-1.
fn call(role: &str, day: i64, source: &str, name: &str, request: &Value) -> Value {
    let time = iam_model::time::Timestamp::from_epoch_seconds((20_700 + day) * 86_400 + 30_000);
    json!({"eventVersion": "1.11", "eventID": format!("{role}-{day}-{name}"), "eventSource": format!("{source}.amazonaws.com"),
        "eventName": name, "eventTime": time.to_string(), "awsRegion": "us-east-1", "recipientAccountId": ACCOUNT,
        "eventType": "AwsApiCall", "requestParameters": request,
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/fn"),
            "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn(role)}}}})
}

/// A template of the role `r`, with these actions on everything.
fn template(actions: &[&str]) -> String {
    format!(
        "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: r\n      \
        AssumeRolePolicyDocument:\n        Version: '2012-10-17'\n        Statement:\n          - Effect: Allow\n            \
        Principal: {{Service: lambda.amazonaws.com}}\n            Action: sts:AssumeRole\n      Policies:\n        - PolicyName: p\n          \
        PolicyDocument:\n            Version: '2012-10-17'\n            Statement:\n              - Effect: Allow\n                \
        Action: ['{}']\n                Resource: '*'\n",
        actions.join("', '")
    )
}

impl World {
    /// One role with a policy, under trails, that another role's calls of every day show to be recorded.
    fn new(trails: Value, statements: &Value) -> Self {
        let records = (0..=90).map(|day| call("win", day, "ec2", "DescribeRegions", &json!({}))).collect();
        let roles = vec![role("r", statements, &json!({}))];
        Self { trails, roles, resources: Vec::new(), policies: json!({}), records }
    }

    fn call(mut self, source: &str, name: &str, request: &Value) -> Self {
        self.records.push(call("r", 4, source, name, request));
        self
    }

    fn folder(&self) -> Folder {
        let folder = Folder::new();
        let account = json!({"authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [],
            "RoleDetailList": self.roles}, "trails": self.trails, "resources": self.resources,
            "resource_policies": self.policies});
        let snapshot = json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {ACCOUNT: account}});
        folder.write("s.json", snapshot.to_string());
        folder.write("logs/a.json", json!({"Records": self.records}).to_string());
        folder
    }

    fn report(&self, more: &[&str]) -> Value {
        report(&self.folder(), more)
    }
}

fn report(folder: &Folder, more: &[&str]) -> Value {
    let command = ["tighten", "--snapshot", "s.json", "--trail", "logs", "--format", "json"];
    let output = folder.paring(&[command.as_slice(), more].concat());
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", output.stderr))
}

/// What of these texts is in the policies that are proposed for the role `r`; nothing where it stays as it is.
fn left(report: &Value, texts: &[&str]) -> Option<Vec<bool>> {
    let role = report["roles"].as_array().unwrap().iter().find(|role| role["arn"] == arn("r").as_str()).unwrap();
    let changes = role["changes"].as_array().unwrap();
    let after = changes.iter().map(|change| change["after"].to_string()).collect::<String>();
    (!changes.is_empty()).then(|| texts.iter().map(|text| after.contains(text)).collect())
}

#[track_caller]
fn stays(world: &World, texts: &[&str]) {
    let report = world.report(&[]);
    let left = left(&report, texts);
    assert!(left.as_ref().is_none_or(|left| left.iter().all(|is| *is)), "{left:?} of {texts:?}: {report:#}");
}

fn get(bucket: &str) -> Value {
    json!({"bucketName": bucket, "key": "a"})
}

#[test]
fn a_bucket_that_the_trail_leaves_out_stays_though_the_action_was_seen_on_another() {
    let trails = json!([trail(&selectors(&[("AWS::S3::Object", "arn:aws:s3:::bkt/")]))]);
    let both = json!(["arn:aws:s3:::bkt/*", "arn:aws:s3:::priv/*"]);
    let world = World::new(trails.clone(), &allow(&json!("s3:GetObject"), &both)).call("s3", "GetObject", &get("bkt"));
    let report = world.report(&[]);
    assert!(left(&report, &["priv/*"]).is_none_or(|left| left == [true]), "{report:#}");
    // A wildcard's part goes with it, and is asked about.
    let world = World::new(trails, &allow(&json!("s3:Get*"), &both)).call("s3", "GetObject", &get("bkt"));
    let report = world.report(&[]);
    assert_eq!(left(&report, &["priv/*"]), Some(vec![false]));
    assert!(report["roles"][0]["blind_spots"].to_string().contains("\"s3:GetObject\""), "{report:#}");
    let said =
        world.folder().paring(&["explain", "r", "s3:GetObject", "--snapshot", "s.json", "--trail", "logs"]).stdout;
    assert!(said.contains("could not have shown every call"), "{said}");
}

#[test]
fn a_queue_in_a_region_without_a_trail_stays_though_the_action_was_seen_in_another() {
    let trails = json!([trail(&json!({"IsMultiRegionTrail": false, "HasCustomEventSelectors": false}))]);
    let queue = |region: &str| format!("arn:aws:sqs:{region}:{ACCOUNT}:q");
    let both = json!([queue("us-east-1"), queue("eu-west-1")]);
    let request = json!({"queueUrl": format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/q")});
    let world = World::new(trails, &allow(&json!("sqs:PurgeQueue"), &both)).call("sqs", "PurgeQueue", &request);
    stays(&world, &["eu-west-1"]);
}

#[test]
fn where_no_trail_is_known_data_events_that_were_seen_are_not_all_there_were() {
    let function = |name: &str| format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}");
    let both = json!([function("a"), function("b")]);
    let world = World::new(Value::Null, &allow(&json!("lambda:InvokeFunction"), &both));
    stays(&world.call("lambda", "Invoke", &json!({"functionName": function("a")})), &["function:b"]);
}

#[test]
fn a_bucket_policy_keeps_a_role_whose_use_of_that_bucket_no_trail_records() {
    let trails = json!([trail(&selectors(&[("AWS::S3::Object", "arn:aws:s3:::bkt/")]))]);
    let own = allow(&json!("s3:GetObject"), &json!("arn:aws:s3:::bkt/*"));
    let mut world = World::new(trails, &own).call("s3", "GetObject", &get("bkt"));
    world.resources.push(json!({"kind": "s3.bucket", "arn": "arn:aws:s3:::priv", "role_arn": null, "api": {}}));
    world.policies = json!({"arn:aws:s3:::priv": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": arn("r")}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::priv/*"}]}});
    let report = world.report(&["--documents"]);
    assert!(!report["documents"].to_string().contains("no longer allowed"), "{:#}", report["documents"]);
}

#[test]
fn data_events_count_only_where_logs_of_theirs_were_read() {
    // A second trail delivers them to another bucket.
    let trails = json!([
        trail(&selectors(&[])),
        trail(&selectors(&[("AWS::S3::Object", "arn:aws:s3"), ("AWS::DynamoDB::Table", "arn:aws:dynamodb")]))
    ]);
    let actions = json!(["s3:GetObject", "dynamodb:PutItem", "s3:ListAllMyBuckets"]);
    let world = World::new(trails, &allow(&actions, &json!("*"))).call("s3", "ListBuckets", &Value::Null);
    stays(&world, &["s3:GetObject", "dynamodb:PutItem"]);
}

#[test]
fn a_region_of_the_role_s_functions_without_a_record_shows_nothing_of_the_role() {
    let actions = json!(["sqs:CreateQueue", "sqs:DeleteQueue", "s3:ListAllMyBuckets"]);
    let trails = json!([trail(&selectors(&[]))]);
    let mut world = World::new(trails, &allow(&actions, &json!("*"))).call("s3", "ListBuckets", &Value::Null);
    let cut = world.report(&[]);
    assert_eq!(left(&cut, &["sqs:DeleteQueue"]), Some(vec![false]));
    let function = format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:fn");
    world.resources.push(json!({"kind": "lambda.function", "arn": function, "role_arn": arn("r"),
        "api": {"FunctionName": "fn", "FunctionArn": function, "Role": arn("r")}}));
    stays(&world, &["sqs:CreateQueue", "sqs:DeleteQueue"]);
    let report = world.report(&[]);
    assert!(report["not_checked"].to_string().contains("eu-west-1, of which no record was read"), "{report:#}");
}

#[test]
fn calls_of_sts_are_recorded_in_their_own_region_and_global_services_where_trails_take_them() {
    let statements =
        allow(&json!(["sts:AssumeRole", "iam:GetRole", "s3:ListAllMyBuckets", "sqs:DeleteQueue"]), &json!("*"));
    let world = |more: Value| {
        let mut more = more;
        more["HasCustomEventSelectors"] = json!(false);
        World::new(json!([trail(&more)]), &statements).call("s3", "ListBuckets", &Value::Null)
    };
    stays(&world(json!({"IsMultiRegionTrail": false})), &["sts:AssumeRole", "sqs:DeleteQueue"]);
    stays(
        &world(json!({"IsMultiRegionTrail": false, "IncludeGlobalServiceEvents": false})),
        &["sts:AssumeRole", "iam:GetRole"],
    );
    stays(&world(json!({"IncludeGlobalServiceEvents": false})), &["sts:AssumeRole", "iam:GetRole"]);
    let whole = world(json!({})).report(&[]);
    let cut = left(&whole, &["sts:AssumeRole", "iam:GetRole", "sqs:DeleteQueue"]);
    assert_eq!(cut, Some(vec![false; 3]));
}

#[test]
fn a_call_that_nobody_knows_keeps_what_is_granted_of_its_service() {
    let trails = json!([trail(&selectors(&[]))]);
    let actions = json!(["acm:List*", "acm:DeleteCertificate", "sqs:DeleteQueue"]);
    let world = World::new(trails, &allow(&actions, &json!("*"))).call("acm", "ListCertificates", &json!({}));
    assert_eq!(left(&world.report(&[]), &["acm:List*"]), Some(vec![false]));
    let world = world.call("acm", "ListBrandNew", &json!({}));
    let report = world.report(&[]);
    let kept = left(&report, &["acm:List*", "acm:DeleteCertificate", "sqs:DeleteQueue"]);
    assert_eq!(kept, Some(vec![true, true, false]), "{report:#}");
    // Somebody else's change that takes it is not proved.
    let folder = world.folder();
    let policy = |statements: &Value| json!({"Version": "2012-10-17", "Statement": statements});
    let change = json!({"schema": "paring-changes/1", "changes": [{"attachment": {"kind": "identity", "principal_arn": arn("r"),
        "policy_name": "p", "index": 0}, "before": policy(&allow(&actions, &json!("*"))),
        "after": policy(&allow(&json!(["acm:ListCertificates"]), &json!("*")))}]});
    folder.write("changes.json", change.to_string());
    let output = folder.paring(&["verify", "--snapshot", "s.json", "--changes", "changes.json", "--trail", "logs"]);
    assert!(output.stdout.contains("ListBrandNew"), "{}{}", output.stdout, output.stderr);
}

#[test]
fn a_call_at_a_source_that_nobody_knows_may_be_of_any_service() {
    let actions = ["ssm:PutParameter", "sqs:DeleteQueue", "newthing:*", "ec2:DescribeRegions"];
    let check = |source: &str, name: &str, expected: [bool; 4]| {
        let trails = json!([trail(&selectors(&[]))]);
        let world = World::new(trails, &allow(&json!(actions), &json!("*"))).call("ec2", "DescribeRegions", &json!({}));
        let folder = world.call(source, name, &json!({})).folder();
        folder.write("iac/template.yaml", template(&actions));
        let report = report(&folder, &["--iac", "iac"]);
        assert_eq!(left(&report, &actions), Some(expected.to_vec()), "{source} {name}: {report:#}");
        // What is likely stays, and that the rest was not used is nothing that these logs prove.
        let patch = &report["patches"][0];
        assert_eq!(patch["disposition"], "needs-review", "{source} {name}: {report:#}");
        assert!(
            report["roles"][0].to_string().contains(&format!("`{name}` at `{source}.amazonaws.com`")),
            "{report:#}"
        );
        folder.paring(&["tighten", "--snapshot", "s.json", "--trail", "logs", "--iac", "iac", "--write"]);
        assert_eq!(folder.read("iac/template.yaml"), template(&actions), "{source} {name}");
    };
    check("brandnew", "PutThing", [false, false, true, true]);
    check("brandnew", "PutParameter", [true, false, true, true]);
    check("ssm.us-east-1", "PutThing", [true, false, true, true]);
}

#[test]
fn a_call_that_the_resource_s_account_logged_with_the_role_s_id_counts() {
    const OTHER: &str = "444455556666";
    let actions = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "ec2:DescribeRegions"];
    let secret = format!("arn:aws:secretsmanager:us-east-1:{OTHER}:secret:s-AbCdEf");
    let left_of = |id: &str| {
        let trails = json!([trail(&selectors(&[]))]);
        let mut world =
            World::new(trails, &allow(&json!(actions), &json!("*"))).call("ec2", "DescribeRegions", &json!({}));
        world.roles[0]["RoleId"] = json!("AROA0123456789ABCDEFG");
        let mut record = call("r", 5, "secretsmanager", "GetSecretValue", &json!({"secretId": secret}));
        record["recipientAccountId"] = json!(OTHER);
        record["userIdentity"] = json!({"type": "AWSAccount", "principalId": format!("{id}:fn"), "accountId": ACCOUNT});
        world.records.push(record);
        let report = world.report(&[]);
        (left(&report, &[&actions[..], &[&secret]].concat()), report["not_checked"].to_string())
    };
    assert_eq!(left_of("AROA0123456789ABCDEFG").0, Some(vec![true, false, true, true]));
    // That of a role which is no more says nothing of the others, and is told.
    let (left, told) = left_of("AROA000");
    assert_eq!(left, Some(vec![false, false, true, false]));
    assert!(told.contains("AROA000"), "{told}");
}

#[test]
fn a_role_younger_than_the_days_asked_for_is_refused_and_stays_named() {
    let trails = json!([trail(&selectors(&[("AWS::S3::Object", "arn:aws:s3")]))]);
    let actions = allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"]), &json!("*"));
    let mut world = World::new(trails, &actions).call("sqs", "CreateQueue", &json!({"queueName": "q"}));
    // Two days before the logs end.
    world.roles[0]["CreateDate"] = json!("2026-12-01T00:00:00+00:00");
    world.records.push(call("r", 90, "s3", "GetObject", &get("other")));
    world.resources.push(json!({"kind": "s3.bucket", "arn": "arn:aws:s3:::priv", "role_arn": null, "api": {}}));
    world.policies = json!({"arn:aws:s3:::priv": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": arn("r")}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::priv/*"}]}});
    let report = world.report(&["--documents"]);
    let judgement = report["roles"][0].to_string();
    assert!(judgement.contains("the role was made on 2026-12-01"), "{judgement}");
    assert!(!report["documents"].to_string().contains("no longer allowed"), "{:#}", report["documents"]);
}

#[test]
fn a_use_that_aws_recorded_and_the_logs_lack_refuses_the_role() {
    let actions = |more: &[&str]| {
        let all: Vec<&str> = ["sqs:CreateQueue", "sqs:DeleteQueue"].iter().chain(more).copied().collect();
        allow(&json!(all), &json!("*"))
    };
    let world = |statements: &Value, used: &str, region: &str| {
        let trails = json!([trail(&selectors(&[]))]);
        let mut world = World::new(trails, statements).call("sqs", "CreateQueue", &json!({"queueName": "q"}));
        world.roles[0]["RoleLastUsed"] = json!({"LastUsedDate": used, "Region": region});
        world.report(&[])
    };
    let cut = |report: &Value| left(report, &["sqs:DeleteQueue"]);
    // The call is of the eighth of September.
    assert_eq!(cut(&world(&actions(&[]), "2026-09-08T12:00:00+00:00", "us-east-1")), Some(vec![false]));
    assert_eq!(cut(&world(&actions(&[]), "2026-11-25T00:00:00+00:00", "us-east-1")), None);
    assert_eq!(cut(&world(&actions(&[]), "2026-09-08T12:00:00+00:00", "eu-west-1")), None);
    // Writing logs is a use that no trail records.
    let logs = actions(&["logs:PutLogEvents"]);
    assert_eq!(cut(&world(&logs, "2026-11-25T00:00:00+00:00", "us-east-1")), Some(vec![false]));
    // The logs end before it.
    assert_eq!(cut(&world(&actions(&[]), "2027-01-25T00:00:00+00:00", "us-east-1")), Some(vec![false]));
}

#[test]
fn logs_that_could_not_be_read_whole_make_every_patch_wait() {
    let template = template(&["sqs:CreateQueue", "sqs:DeleteQueue"]);
    let actions = allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"]), &json!("*"));
    let trails = json!([trail(&selectors(&[]))]);
    let check = |name: &str, bytes: &[u8], expected: Option<&str>| {
        let mut world = World::new(trails.clone(), &actions).call("sqs", "CreateQueue", &json!({"queueName": "q"}));
        world.roles[0]["RoleName"] = json!("r");
        let folder = world.folder();
        folder.write("iac/template.yaml", &template);
        if name == "link.json" {
            std::os::unix::fs::symlink(folder.path().join("logs/a.json"), folder.path().join("logs/link.json"))
                .unwrap();
        } else {
            folder.write(&format!("logs/{name}"), bytes);
        }
        let report = report(&folder, &["--iac", "iac"]);
        let patch = &report["patches"][0];
        match expected {
            None => assert_eq!(patch["disposition"], "safe", "{name}: {report:#}"),
            Some(words) => {
                assert_eq!(patch["disposition"], "needs-review", "{name}: {report:#}");
                assert!(patch["reasons"].to_string().contains(words), "{name}: {patch}");
                let text =
                    folder.paring(&["tighten", "--snapshot", "s.json", "--trail", "logs", "--iac", "iac", "--write"]);
                assert!(text.stdout.contains("incomplete: "), "{}", text.stdout);
                assert_eq!(folder.read("iac/template.yaml"), template, "{name}");
            }
        }
    };
    let nobody = json!({"Records": [{"eventVersion": "1.11", "eventTime": "2026-09-10T00:00:00Z", "eventID": "x",
        "eventSource": "sqs.amazonaws.com", "eventName": "DeleteQueue", "eventType": "AwsApiCall"}]});
    let large = format!("{{\"Records\": [{{\"eventVersion\": \"{}\"}}]}}", "x".repeat(5 << 20));
    check("README.md", b"about these logs", None);
    check("cut.json", b"{\"Records\": [{\"eventVersion\": \"1.1", Some("1 file could not be read"));
    check("damaged.json.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], Some("1 file could not be read"));
    check("empty.json", b"", Some("1 file could not be read"));
    check("nobody.json", nobody.to_string().as_bytes(), Some("1 record could not be read"));
    check("large.json", large.as_bytes(), Some("1 record could not be read"));
    check("more.json.zst", b"\x28\xb5\x2f\xfd", Some("1 file could not be read"));
    check("more.txt", b" {\"Records\": []}", Some("1 file could not be read"));
    check("link.json", b"", Some("1 file could not be read"));
}

/// AWS leaves the issuer out of some records, and the session's ARN has no path: the calls were of no role, and what they
/// used was cut.
#[test]
fn calls_without_an_issuer_are_those_of_the_role_of_that_name_whatever_its_path() {
    let trails = json!([trail(&selectors(&[]))]);
    let actions = allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:PurgeQueue"]), &json!("*"));
    let mut world = World::new(trails, &actions).call("sqs", "CreateQueue", &json!({"queueName": "q"}));
    let with_path = format!("arn:aws:iam::{ACCOUNT}:role/app/svc/r");
    world.roles[0]["Path"] = json!("/app/svc/");
    world.roles[0]["Arn"] = json!(with_path);
    let mut without = call(
        "r",
        5,
        "sqs",
        "DeleteQueue",
        &json!({"queueUrl": format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/q")}),
    );
    without["userIdentity"].as_object_mut().unwrap().remove("sessionContext");
    for record in &mut world.records {
        let issuer = &mut record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"];
        if *issuer == json!(arn("r")) {
            *issuer = json!(with_path);
        }
    }
    world.records.push(without);
    let report = world.report(&[]);
    let after = report["roles"][0]["changes"].to_string();
    let [created, deleted, purged] = ["CreateQueue", "DeleteQueue", "PurgeQueue"].map(|name| {
        report["roles"][0]["changes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|change| change["after"].to_string().contains(name))
    });
    assert!(created && deleted && !purged, "{after}");
    assert!(!report.to_string().contains("does not hold: r"), "{report:#}");
}

/// A snapshot of some of the account shows some of the holders: AWS's count says so.
#[test]
fn a_managed_policy_that_aws_counts_more_holders_of_is_not_one_role_s_to_cut() {
    let arn_of_policy = format!("arn:aws:iam::{ACCOUNT}:policy/shared");
    let check = |attached: u64, bounding: u64, cut: bool| {
        let trails = json!([trail(&selectors(&[]))]);
        let mut world = World::new(trails, &json!([])).call("sqs", "CreateQueue", &json!({"queueName": "q"}));
        world.roles[0]["RolePolicyList"] = json!([]);
        world.roles[0]["AttachedManagedPolicies"] = json!([{"PolicyName": "shared", "PolicyArn": arn_of_policy}]);
        let document = json!({"Version": "2012-10-17", "Statement": allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"]), &json!("*"))});
        let policy = json!({"PolicyName": "shared", "Arn": arn_of_policy, "DefaultVersionId": "v1", "AttachmentCount": attached,
            "PermissionsBoundaryUsageCount": bounding, "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": document}]});
        let folder = world.folder();
        let mut snapshot: Value = serde_json::from_str(&folder.read("s.json")).unwrap();
        snapshot["accounts"][ACCOUNT]["authorization_details"]["Policies"] = json!([policy]);
        folder.write("s.json", snapshot.to_string());
        let report = report(&folder, &[]);
        assert_eq!(left(&report, &["sqs:DeleteQueue"]), cut.then(|| vec![false]), "{attached} {bounding}: {report:#}");
        if !cut {
            let said = format!("{} principals hold it, and the snapshot shows 1", attached + bounding);
            assert!(report["roles"][0].to_string().contains(&said), "{said}: {report:#}");
        }
    };
    check(1, 0, true);
    check(3, 0, false);
    check(1, 2, false);
}

/// What only services use, and what a seen call may ask for without showing it, kept `s3:*` in every bucket's policy.
#[test]
fn a_bucket_policy_with_everything_for_a_function_s_role_is_narrowed() {
    let trails = json!([trail(&selectors(&[("AWS::S3::Object", "arn:aws:s3")]))]);
    let narrowed = |service: &str| {
        let mut world =
            World::new(trails.clone(), &allow(&json!("s3:*"), &json!("*"))).call("s3", "GetObject", &get("bkt"));
        world.roles[0]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] = json!(service);
        world.resources.push(json!({"kind": "s3.bucket", "arn": "arn:aws:s3:::bkt", "role_arn": null, "api": {}}));
        world.policies = json!({"arn:aws:s3:::bkt": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"AWS": arn("r")}, "Action": "s3:*", "Resource": ["arn:aws:s3:::bkt", "arn:aws:s3:::bkt/*"]}]}});
        world.report(&["--documents"])["documents"].to_string()
    };
    let of_function = narrowed("lambda.amazonaws.com");
    assert!(of_function.contains("only what was seen") && of_function.contains("s3:GetObject"), "{of_function}");
    let of_s3 = narrowed("s3.amazonaws.com");
    assert!(of_s3.contains("s3:InitiateReplication could not have been seen"), "{of_s3}");
}
