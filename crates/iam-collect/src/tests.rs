//! Bundles and files, good and bad, through the public functions.

use std::fs;
use std::path::{Path, PathBuf};

use iam_model::arn::Arn;
use iam_model::diagnostic::Severity;
use iam_model::snapshot::{ResourceKind, SnapshotIndex};

use super::*;

fn testdata(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/accounts").join(part)
}

fn arn(text: &str) -> Arn {
    text.parse().unwrap()
}

/// A folder of its own for one test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("paring-collect-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// What is said about the bundle, a line each, the folder's own name cut out.
    fn said(&self) -> Vec<String> {
        let (_, diagnostics) = from_path(&self.0).unwrap();
        diagnostics.iter().map(|d| d.to_string().replace(self.0.to_str().unwrap(), "")).collect()
    }

    fn assert_said(&self, part: &str) {
        let said = self.said();
        assert!(said.iter().any(|line| line.contains(part)), "no `{part}` in {said:#?}");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const DETAILS: &str = r#"{"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r",
  "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}]}"#;

#[test]
fn a_complete_bundle_is_read_without_a_word() {
    let (snapshot, diagnostics) = from_path(&testdata("bundle")).unwrap();
    assert_eq!(diagnostics, []);
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    assert_eq!(dangling, []);
    let account = &snapshot.accounts[&"111122223333".parse().unwrap()];
    let kinds: Vec<&ResourceKind> = account.resources.iter().map(|r| &r.kind).collect();
    use ResourceKind::{CloudformationStack, DynamodbTable, LambdaFunction, S3Bucket, SqsQueue};
    let expected = [
        LambdaFunction,
        LambdaFunction,
        LambdaFunction,
        S3Bucket,
        S3Bucket,
        DynamodbTable,
        SqsQueue,
        CloudformationStack,
    ];
    assert_eq!(kinds, expected.iter().collect::<Vec<_>>());
    let functions = index.functions_of(&arn("arn:aws:iam::111122223333:role/report"));
    assert_eq!(functions.iter().map(|f| f.arn.name()).collect::<Vec<_>>(), ["report", "report-weekly"]);
    assert!(functions[0].api.get("EventSourceMappings").is_some(), "joined by the ARN without its alias");
    let orders = index.functions_of(&arn("arn:aws:iam::111122223333:role/orders"))[0];
    let url = orders.api.get("FunctionUrlConfig").and_then(|url| url.get("AuthType"));
    assert_eq!(url.and_then(|a| a.as_str()), Some("AWS_IAM"));
    assert_eq!(orders.api.get("Tags").and_then(|t| t.get("team")?.as_str()), Some("rides"));
    for (resource, statements) in
        [("arn:aws:lambda:us-east-1:111122223333:function:orders", 1), ("arn:aws:s3:::rides-photos", 1)]
    {
        assert_eq!(index.resource_policy(&arn(resource)).unwrap().statements.len(), statements);
    }
    assert!(index.resource_policy(&arn("arn:aws:sqs:us-east-1:111122223333:jobs")).is_some());
    assert!(index.resource_policy(&arn("arn:aws:s3:::rides-logs")).is_none());
    let stack = account.resources.last().unwrap();
    assert_eq!(stack.api.get("StackResources").unwrap().items().len(), 3);
    assert_eq!((account.access_keys.get("ada"), account.login_profiles.len()), (Some(&1), 0));
}

#[test]
fn a_stack_has_all_its_resources_where_they_were_listed_and_is_called_cut_off_where_not() {
    let stack =
        r#"{"Stacks": [{"StackName": "big", "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/big/1"}]}"#;
    let many = |count: usize, more: &str| {
        let one = |n: usize| format!(r#"{{"LogicalResourceId": "R{n}", "ResourceType": "AWS::SQS::Queue"{more}}}"#);
        (0..count).map(one).collect::<Vec<_>>().join(", ")
    };
    let folder = Folder::new("stacks");
    folder.write("account-authorization-details.json", DETAILS).write("describe-stacks.json", stack);
    let id = r#", "StackName": "big", "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/big/1""#;
    folder.write("describe-stack-resources/big.json", &format!(r#"{{"StackResources": [{}]}}"#, many(100, id)));
    folder.assert_said("holds 100 resources, and AWS prints no more there");
    folder.write("list-stack-resources/big.json", &format!(r#"{{"StackResourceSummaries": [{}]}}"#, many(130, "")));
    let (snapshot, _) = from_path(&folder.0).unwrap();
    let account = &snapshot.accounts[&"111122223333".parse().unwrap()];
    let stack = account.resources.iter().find(|r| r.kind == ResourceKind::CloudformationStack).unwrap();
    assert_eq!(stack.api.get("StackResources").unwrap().items().len(), 130);
    folder.write("list-stack-resources/other.json", r#"{"StackResourceSummaries": []}"#);
    folder.assert_said("is about no stack of `describe-stacks.json`");
}

#[test]
fn the_file_form_reads_back_to_itself() {
    let (snapshot, _) = from_path(&testdata("bundle")).unwrap();
    let text = file_form(&snapshot).unwrap();
    let (again, diagnostics) = from_reader("-", text.as_bytes()).unwrap();
    assert_eq!(diagnostics, []);
    assert_eq!(file_form(&again).unwrap(), text);
    assert_eq!(format!("{:?}", SnapshotIndex::new(&again).0.roles().count()), "2");
}

#[test]
fn what_is_missing_is_named_with_the_command_that_gets_it() {
    let folder = Folder::new("missing");
    folder.write("get-account-authorization-details.json", DETAILS);
    let said = folder.said();
    let expected = [
        "no `list-functions.json`: functions are not known",
        "no `describe-trails.json`",
        "nothing of `list-buckets`, `list-keys`, `list-secrets`, `list-tables`, `list-queues` and 1 more",
    ];
    for part in expected {
        assert!(said.iter().any(|line| line.contains(part)), "no `{part}` in {said:#?}");
    }
    assert_eq!(said.len(), 3, "{said:#?}");
    let (snapshot, diagnostics) = from_path(&folder.0).unwrap();
    let hint = diagnostics.iter().find(|d| d.message.contains("list-functions")).and_then(|d| d.hint.clone());
    assert_eq!(hint.as_deref(), Some("`aws lambda list-functions > list-functions.json`"));
    let (_, again) = from_reader("-", file_form(&snapshot).unwrap().as_bytes()).unwrap();
    assert_eq!(again.len(), 3, "the file form says it again in every later run");
}

#[test]
fn a_broken_part_is_said_at_its_place_and_the_rest_is_read() {
    let folder = Folder::new("broken");
    folder.write("account-authorization-details.json", &DETAILS.replace("\"Statement\"", "\"Statment\""));
    folder.write("list-functions.json", "{\"Functions\": [\n  {\"FunctionName\": ");
    folder.write("list-buckets.json", r#"{"Buckets": [{"Name": "b"}, {}], "NextToken": "t"}"#);
    folder.write(
        "get-bucket-policy/b.err",
        "An error occurred (AccessDenied) when calling the GetBucketPolicy operation",
    );
    folder.write("get-bucket-policy/c.json", r#"{"Policy": "{}"}"#);
    folder.write(
        "describe-trails.json",
        r#"{"trailList": [{"Name": "t", "TrailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/t"}]}"#,
    );
    folder.write("list-function.json", "{}");
    folder.assert_said("/account-authorization-details.json:2:57 (account 111122223333, role r, trust policy)");
    folder.assert_said("/list-functions.json:2:20: not JSON: the text ends before the value does");
    folder.assert_said("no usable `list-functions.json`: functions are not known");
    folder.assert_said("/list-buckets.json: 1 of its entries have no readable `Name` and are left out");
    folder.assert_said("/list-buckets.json is cut off (`NextToken`): there is more");
    folder.assert_said("/get-bucket-policy/b.err: An error occurred (AccessDenied)");
    folder.assert_said(
        "no usable `get-bucket-policy/NAME.json` of 1 of 1 s3.buckets (`b`): the policies on them are not known",
    );
    folder.assert_said("/get-bucket-policy/c.json: no resource of that name is known; the policy is left out");
    folder.assert_said("no usable `get-event-selectors/t.json`");
    folder.assert_said("not known, and not used: `list-function`");
    let (snapshot, _) = from_path(&folder.0).unwrap();
    assert_eq!(SnapshotIndex::new(&snapshot).0.roles().count(), 1);
}

#[test]
fn accounts_and_regions_have_folders_of_their_own() {
    let folder = Folder::new("accounts");
    let function = |account: &str, region: &str| {
        format!(
            r#"{{"Functions": [{{"FunctionName": "f", "FunctionArn": "arn:aws:lambda:{region}:{account}:function:f",
            "Role": "arn:aws:iam::{account}:role/r"}}]}}"#
        )
    };
    for account in ["111122223333", "444455556666"] {
        let details = DETAILS.replace("111122223333", account);
        folder.write(&format!("{account}/account-authorization-details.json"), &details);
        for region in ["us-east-1", "eu-west-1"] {
            folder.write(&format!("{account}/{region}/list-functions.json"), &function(account, region));
            let policy =
                format!(r#"{{"Policy": "{{\"Version\": \"2012-10-17\", \"Id\": \"{region}\", \"Statement\": []}}"}}"#);
            folder.write(&format!("{account}/{region}/get-policy/f.json"), &policy);
        }
    }
    folder.write("organization.json", r#"{"id": "o-1", "accounts": {"111122223333": {"scps": [[]], "rcps": []}}}"#);
    let (snapshot, _) = from_path(&folder.0).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    assert_eq!(snapshot.accounts.len(), 2);
    assert_eq!(index.functions_of(&arn("arn:aws:iam::444455556666:role/r")).len(), 2);
    let policy = index.resource_policy(&arn("arn:aws:lambda:eu-west-1:444455556666:function:f")).unwrap();
    assert_eq!(policy.id.as_deref(), Some("eu-west-1"), "each region's own");
    assert!(index.guardrails(&"111122223333".parse().unwrap()).is_some());
}

#[test]
fn every_command_of_the_documentation_is_read() {
    let page = include_str!("../../../docs/collect.md");
    let saved = page.lines().filter_map(|line| {
        line.trim().strip_prefix("save ")?.split([' ', '/', '"']).find(|w| !w.is_empty() && *w != "$region")
    });
    let saved: Vec<&str> = saved.collect();
    assert!(saved.len() > 20, "{saved:?}");
    for call in saved {
        assert!(bundle::is_known(call), "`{call}` is not read");
        assert!(page.contains(&format!(" {call}")), "`{call}` is saved under another command's name");
    }
}

#[test]
fn environments_are_left_out() {
    let folder = Folder::new("environments");
    folder.write("account-authorization-details.json", DETAILS);
    folder.write(
        "list-functions.json",
        r#"{"Functions": [{"FunctionName": "f", "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f",
            "Environment": {"Variables": {"PASSWORD": "canary"}}}]}"#,
    );
    folder.write(
        "describe-task-definition/t.json",
        r#"{"taskDefinition": {"taskDefinitionArn": "arn:aws:ecs:us-east-1:111122223333:task-definition/t:1",
            "containerDefinitions": [{"name": "c", "environment": [{"name": "PASSWORD", "value": "canary"}]}]}}"#,
    );
    let text = file_form(&from_path(&folder.0).unwrap().0).unwrap();
    assert!(text.contains("task-definition/t:1") && text.contains("containerDefinitions"));
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn tags_are_kept_by_arn_and_told_from_the_parts_of_an_api() {
    let folder = Folder::new("tags");
    folder.write("account-authorization-details.json", DETAILS);
    let table = "arn:aws:dynamodb:us-east-1:111122223333:table/T";
    let tags = |more: &str| {
        format!(
            r#"{{"ResourceTagMappingList": [{{"ResourceARN": "{table}", "Tags": [{{"Key": "app", "Value": "orders"}}]}}]{more}}}"#
        )
    };
    folder.write("us-east-1/get-resources.json", &tags(""));
    folder.write("us-east-1/get-resources/api1.json", r#"{"items": []}"#);
    let (snapshot, _) = from_path(&folder.0).unwrap();
    let account = snapshot.accounts.values().next().unwrap();
    assert_eq!(account.tags[&arn(table)]["app"], "orders");
    folder.write("us-east-1/get-resources.json", &tags(r#", "PaginationToken": "more""#));
    folder.assert_said("cut off (`PaginationToken`)");
}

#[cfg(unix)]
#[test]
fn nothing_outside_the_bundle_is_opened() {
    let (outside, folder) = (Folder::new("outside"), Folder::new("inside"));
    outside.write("list-functions.json", r#"{"Functions": [{"FunctionName": "outsider"}]}"#);
    outside.write("get-policy/f.json", "{}");
    folder.write("account-authorization-details.json", DETAILS);
    std::os::unix::fs::symlink(outside.0.join("list-functions.json"), folder.0.join("list-functions.json")).unwrap();
    std::os::unix::fs::symlink(outside.0.join("get-policy"), folder.0.join("get-policy")).unwrap();
    folder.write("list-buckets.json", r#"{"Buckets": [{"Name": "../../../etc/passwd"}]}"#);
    folder.assert_said("links are not followed: `/get-policy`, `/list-functions.json`");
    let (snapshot, diagnostics) = from_path(&folder.0).unwrap();
    assert!(!file_form(&snapshot).unwrap().contains("outsider"));
    assert!(diagnostics.iter().all(|d| d.severity != Severity::Error), "{diagnostics:#?}");
}

#[test]
fn what_is_neither_is_refused_with_what_to_do() {
    let check = |path: &Path, message: &str, hint: &str| {
        let error = from_path(path).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{error}: {:?}", error.hint());
    };
    let folder = Folder::new("neither");
    check(&folder.0, "holds no AWS CLI output of a known name", "account-authorization-details.json");
    check(&folder.0.join("none.json"), "none.json` does not exist", "docs/collect.md");
    folder.write("s.json", r#"{"schema": "paring-snapshot/1", "accounts": {}}"#);
    check(&folder.0, "holds no AWS CLI output of a known name", "did you mean the file");
    folder.write("dump.json", DETAILS);
    check(
        &folder.0.join("dump.json"),
        "not a snapshot: an object without `schema`",
        "account-authorization-details.json",
    );
    fs::write(folder.0.join("z.json"), [0x1f, 0x8b, 8, 0]).unwrap();
    check(&folder.0.join("z.json"), "is compressed", "gzip -d");
    fs::write(folder.0.join("l.json"), [b'"', 0xe9, b'"']).unwrap();
    check(&folder.0.join("l.json"), "is not UTF-8 text, from its byte 1 on", "UTF-8");
    let nameless = Folder::new("nameless");
    nameless.write("list-buckets.json", r#"{"Buckets": []}"#);
    check(&nameless.0, "does not say which account it is of", "twelve digits");
}

/// A topic, two rules, two interfaces and a key, each with what it calls; secrets among it.
fn sources(folder: &Folder) {
    folder.write("list-topics.json", r#"{"Topics": [{"TopicArn": "arn:aws:sns:us-east-1:111122223333:news"}]}"#);
    folder.write(
        "get-topic-attributes/news.json",
        r#"{"Attributes": {"TopicArn": "arn:aws:sns:us-east-1:111122223333:news"}}"#,
    );
    folder.write(
        "list-subscriptions.json",
        r#"{"Subscriptions": [
        {"TopicArn": "arn:aws:sns:us-east-1:111122223333:news", "Protocol": "lambda", "Endpoint": "arn:aws:lambda:us-east-1:111122223333:function:f"},
        {"TopicArn": "arn:aws:sns:us-east-1:111122223333:news", "Protocol": "https", "Endpoint": "https://example.com/hook?token=canary-secret"}]}"#,
    );
    folder.write(
        "us-east-1/list-event-buses.json",
        r#"{"EventBuses": [{"Name": "default", "Arn": "arn:aws:events:us-east-1:111122223333:event-bus/default"}]}"#,
    );
    folder.write(
        "us-east-1/list-rules/default.json",
        r#"{"Rules": [{"Name": "nightly", "Arn": "arn:aws:events:us-east-1:111122223333:rule/nightly", "EventBusName": "default"}]}"#,
    );
    folder.write("us-east-1/list-rules/orders.json", r#"{"Rules": [{"Name": "nightly", "Arn": "arn:aws:events:us-east-1:111122223333:rule/orders/nightly", "EventBusName": "orders"}]}"#);
    folder.write(
        "us-east-1/list-targets-by-rule/nightly.json",
        r#"{"Targets": [{"Id": "1", "Arn": "arn:aws:lambda:us-east-1:111122223333:function:f", "Input": "{\"password\": \"canary-secret\"}"}]}"#,
    );
    folder.write("us-east-1/get-rest-apis.json", r#"{"items": [{"id": "a1", "name": "api"}]}"#);
    folder.write(
        "us-east-1/get-resources/a1.json",
        r#"{"items": [{"id": "r", "path": "/", "resourceMethods": {"GET": {"methodIntegration": {"type": "AWS_PROXY",
        "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111122223333:function:f/invocations",
        "requestParameters": {"integration.request.header.key": "'canary-secret'"}}},
        "POST": {"methodIntegration": {"type": "HTTP", "uri": "https://example.com/?key=canary-secret"}}}}]}"#,
    );
    folder.write("us-east-1/get-apis.json", r#"{"Items": [{"ApiId": "h1", "Name": "http"}]}"#);
    folder.write(
        "us-east-1/get-integrations/h1.json",
        r#"{"Items": [{"IntegrationId": "i", "IntegrationUri": "arn:aws:lambda:us-east-1:111122223333:function:f"}]}"#,
    );
    folder.write(
        "us-east-1/get-routes/h1.json",
        r#"{"Items": [{"RouteKey": "GET /", "AuthorizationType": "NONE", "Target": "integrations/i"}]}"#,
    );
    folder
        .write("list-keys.json", r#"{"Keys": [{"KeyId": "k", "KeyArn": "arn:aws:kms:us-east-1:111122223333:key/k"}]}"#);
    folder.write("get-key-policy/k.json", r#"{"Policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}"#);
    folder.write("list-grants/k.json", r#"{"Grants": [{"GrantId": "g", "GranteePrincipal": "arn:aws:iam::111122223333:role/r", "Operations": ["Decrypt"]}]}"#);
}

#[test]
fn what_makes_services_call_something_is_joined_to_it() {
    let folder = Folder::new("sources");
    folder.write("account-authorization-details.json", DETAILS);
    sources(&folder);
    let (snapshot, _) = from_path(&folder.0).unwrap();
    let part = |arn: &str, part: &str| {
        let found = snapshot.accounts.values().flat_map(|account| &account.resources).find(|r| r.arn.as_str() == arn);
        found.and_then(|resource| resource.api.get(part)).map(|value| value.to_compact()).unwrap_or_default()
    };
    let function = "arn:aws:lambda:us-east-1:111122223333:function:f";
    for (arn, name, holds) in [
        ("arn:aws:sns:us-east-1:111122223333:news", "Subscriptions", function),
        ("arn:aws:events:us-east-1:111122223333:rule/nightly", "Targets", function),
        ("arn:aws:execute-api:us-east-1:111122223333:a1", "Resources", function),
        ("arn:aws:execute-api:us-east-1:111122223333:h1", "Integrations", function),
        ("arn:aws:execute-api:us-east-1:111122223333:h1", "Routes", "integrations/i"),
        ("arn:aws:kms:us-east-1:111122223333:key/k", "Grants", "role/r"),
    ] {
        assert!(part(arn, name).contains(holds), "{arn}, {name}: {}", part(arn, name));
    }
    assert!(!file_form(&snapshot).unwrap().contains("canary-secret"), "secrets stay where they are");
    folder.assert_said("no usable `list-targets-by-rule/NAME.json` of 1 of 2 events.rules (`orders/nightly`)");
}

#[test]
fn sources_that_nobody_saved_are_named() {
    let folder = Folder::new("unasked");
    folder.write("account-authorization-details.json", DETAILS);
    folder.write("list-buckets.json", r#"{"Buckets": [{"Name": "b"}]}"#);
    folder.write(
        "list-functions.json",
        r#"{"Functions": [{"FunctionName": "f", "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f"}]}"#,
    );
    folder.assert_said(
        "nothing of `get-bucket-notification-configuration`, `list-aliases`: what makes services call functions",
    );
}

#[test]
fn an_alias_has_its_own_policy_and_address() {
    let (snapshot, _) = from_path(&testdata("bundle")).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let alias = arn("arn:aws:lambda:us-east-1:111122223333:function:orders:live");
    assert_eq!(index.resource_policy(&alias).map(|policy| policy.statements.len()), Some(1));
    let folder = Folder::new("alias");
    folder.write("account-authorization-details.json", DETAILS);
    folder.write(
        "list-functions.json",
        r#"{"Functions": [{"FunctionName": "f", "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f"}]}"#,
    );
    folder.write(
        "list-aliases/f.json",
        r#"{"Aliases": [{"Name": "live", "AliasArn": "arn:aws:lambda:us-east-1:111122223333:function:f:live"}]}"#,
    );
    folder.write(
        "get-function-url-config/f%3Alive.json",
        r#"{"AuthType": "NONE", "FunctionUrl": "https://x.lambda-url.us-east-1.on.aws/"}"#,
    );
    let (snapshot, _) = from_path(&folder.0).unwrap();
    let function = &snapshot.accounts.values().next().unwrap().resources[0];
    let alias = &function.api.get("Aliases").unwrap().items()[0];
    assert_eq!(alias.get("FunctionUrlConfig").and_then(|url| url.get("AuthType")?.as_str()), Some("NONE"));
    folder.assert_said("no usable `get-policy/NAME%3AALIAS.json` of 1 aliases (`f:live`)");
}

/// On-failure destinations were collected from nobody, and what sends to them cut.
#[test]
fn destinations_of_functions_and_their_aliases_are_read_from_either_answer() {
    let function = |name: &str| {
        format!(
            r#"{{"FunctionName": "{name}", "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:{name}"}}"#
        )
    };
    let config = |queue: &str| {
        format!(
            r#"{{"FunctionArn": "x", "DestinationConfig": {{"OnFailure": {{"Destination": "arn:aws:sqs:us-east-1:111122223333:{queue}"}}}}}}"#
        )
    };
    let folder = Folder::new("destinations");
    folder.write("account-authorization-details.json", DETAILS);
    let functions: Vec<String> = ["all", "one", "none", "unasked"].map(function).into();
    folder.write("list-functions.json", &format!(r#"{{"Functions": [{}]}}"#, functions.join(",")));
    let both = format!(r#"{{"FunctionEventInvokeConfigs": [{}, {}]}}"#, config("latest"), config("alias"));
    folder.write("list-function-event-invoke-configs/all.json", &both);
    folder.write("get-function-event-invoke-config/one.json", &config("only"));
    folder.write("list-function-event-invoke-configs/none.json", r#"{"FunctionEventInvokeConfigs": []}"#);
    let (snapshot, _) = from_path(&folder.0).unwrap();
    let resources = &snapshot.accounts.values().next().unwrap().resources;
    let of = |name: &str| &resources.iter().find(|r| r.arn.name() == name).unwrap().api;
    assert_eq!(of("all").get("EventInvokeConfigs").unwrap().items().len(), 2);
    assert!(of("one").get("EventInvokeConfig").unwrap().get("DestinationConfig").is_some());
    folder.assert_said(
        "no `list-function-event-invoke-configs/NAME.json` of 1 of 4 functions (`unasked`): their destinations are not known",
    );
}

#[test]
fn access_analyzers_answers_are_joined_by_finding() {
    let analyzer = "arn:aws:access-analyzer:us-east-1:111122223333:analyzer/outside";
    let folder = Folder::new("analyzer");
    folder.write("account-authorization-details.json", DETAILS);
    folder.write(
        "us-east-1/list-analyzers.json",
        &format!(
            r#"{{"analyzers": [{{"arn": "{analyzer}", "name": "outside", "type": "ACCOUNT", "status": "ACTIVE"}},
        {{"arn": "{analyzer}2", "name": "outside2", "type": "ACCOUNT", "status": "ACTIVE"}}]}}"#
        ),
    );
    folder.write(
        "us-east-1/list-findings-v2/outside.json",
        r#"{"findings": [{"id": "f-1", "findingType": "ExternalAccess", "status": "ACTIVE",
        "resource": "arn:aws:s3:::b", "analyzedAt": "2026-11-01T00:00:00+00:00"}]}"#,
    );
    folder.write("us-east-1/get-finding-v2/f-1.json", r#"{"id": "f-1", "findingDetails": [{"externalAccessDetails": {"isPublic": true, "principal": {"AWS": "*"}, "action": ["s3:GetObject"]}}]}"#);
    let (snapshot, _) = from_path(&folder.0).unwrap();
    let found = snapshot.accounts.values().next().unwrap().access_analyzer.as_ref().unwrap();
    assert_eq!(found.analyzers.iter().map(|a| a.findings_read).collect::<Vec<_>>(), [true, false]);
    let finding = &found.findings[0];
    assert_eq!(finding.analyzer.as_ref().map(Arn::as_str), Some(analyzer));
    assert_eq!(finding.analyzed.map(|time| time.to_string()).as_deref(), Some("2026-11-01T00:00:00Z"));
    assert!(format!("{:?}", finding.about).contains("public: true"), "{finding:?}");
}

#[test]
fn a_region_of_which_nothing_was_answered_is_named_once() {
    let folder = Folder::new("silent");
    folder.write("account-authorization-details.json", DETAILS);
    folder.write("us-east-1/list-functions.json", r#"{"Functions": []}"#);
    folder.write(
        "us-east-1/list-queues.err",
        "An error occurred (AccessDenied) when calling the ListQueues operation: no",
    );
    for call in ["list-functions", "list-queues", "list-topics"] {
        folder.write(
            &format!("ap-south-1/{call}.err"),
            "An error occurred (AccessDeniedException) when calling an operation: denied by a service control policy",
        );
    }
    folder.assert_said("nothing of the region ap-south-1 was read: 3 calls failed, the first: ");
    let said = folder.said();
    assert_eq!(said.iter().filter(|line| line.contains("ap-south-1")).count(), 1, "{said:#?}");
    folder.assert_said("us-east-1/list-queues.err");
}

#[test]
fn endpoints_of_networks_come_with_their_policies() {
    let folder = Folder::new("endpoints");
    folder.write("account-authorization-details.json", DETAILS);
    folder.write(
        "describe-vpc-endpoints.json",
        r#"{"VpcEndpoints": [{"VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "OwnerId": "111122223333", "ServiceName": "com.amazonaws.eu-west-1.s3",
            "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}]}"#,
    );
    let (snapshot, _) = from_path(&folder.0).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let endpoint = index.vpc_endpoint(&arn("arn:aws:ec2:eu-west-1:111122223333:vpc-endpoint/vpce-1")).unwrap();
    assert_eq!(endpoint.policy.as_ref().map(|policy| policy.statements.len()), Some(1));
}
