//! What Lambda does with a function's role by itself, as the very template says that is patched: a failure that nobody has
//! seen yet needs its destination all the same.

use serde_json::{Value, json};

use crate::run::Folder;

const ACCOUNT: &str = "111122223333";

fn template(more: &str) -> String {
    format!(
        "AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: f
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: sqs:CreateQueue
                Resource: '*'
              - Effect: Allow
                Action: sqs:SendMessage
                Resource: arn:aws:sqs:us-east-1:{ACCOUNT}:failed
  Function:
    Type: AWS::Lambda::Function
    Properties: {{FunctionName: f, Role: !GetAtt Role.Arn, Handler: a.b, Runtime: python3.12, Code: {{ZipFile: x}}}}
{more}"
    )
}

fn world(more: &str) -> Folder {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/f");
    let statement = |action: &str, on: &str| json!({"Effect": "Allow", "Action": action, "Resource": on});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement("sqs:CreateQueue", "*"),
        statement("sqs:SendMessage", &format!("arn:aws:sqs:us-east-1:{ACCOUNT}:failed"))]});
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = json!({"Path": "/", "RoleName": "f", "RoleId": "AROAf", "Arn": arn, "CreateDate": "2025-01-01T00:00:00+00:00",
        "InstanceProfileList": [], "AssumeRolePolicyDocument": trust, "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}]});
    let selectors = json!({"AdvancedEventSelectors": [
        {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
        {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::SQS::Queue"]}]}]});
    let trails = json!([{"TrailARN": format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/t"), "IsMultiRegionTrail": true,
        "IncludeGlobalServiceEvents": true, "IsLogging": true, "HomeRegion": "us-east-1", "event_selectors": selectors}]);
    let function = json!({"kind": "lambda.function", "arn": format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"), "role_arn": arn,
        "api": {"FunctionName": "f"}});
    let account = json!({"authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [role]}, "trails": trails, "resources": [function]});
    let call = |role: &str, day: i64, name: &str| {
        let time = iam_model::time::Timestamp::from_epoch_seconds((20_700 + day) * 86_400 + 30_000).to_string();
        json!({"eventVersion": "1.11", "eventID": format!("{role}-{day}"), "eventSource": "sqs.amazonaws.com", "eventName": name,
            "eventTime": time, "awsRegion": "us-east-1", "recipientAccountId": ACCOUNT, "eventType": "AwsApiCall",
            "requestParameters": {"queueName": "q"}, "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT,
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/f"), "sessionContext": {"sessionIssuer":
            {"type": "Role", "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}")}}}})
    };
    let mut records: Vec<Value> = (0..=90).map(|day| call("other", day, "ListQueues")).collect();
    records.push(call("f", 4, "CreateQueue"));
    let folder = Folder::new();
    let snapshot = json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {ACCOUNT: account}});
    folder.write("s.json", snapshot.to_string());
    folder.write("logs/a.json", json!({"Records": records}).to_string());
    folder.write("iac/t.yaml", template(more));
    folder
}

/// Whether the patched template still lets the function send.
fn sends(folder: &Folder) -> bool {
    let inputs = ["tighten", "--snapshot", "s.json", "--trail", "logs", "--iac", "iac", "--write"];
    let output = folder.paring(&inputs);
    let text = folder.read("iac/t.yaml");
    assert!(text.contains(":q'"), "{}{}", output.stdout, output.stderr);
    text.contains("Action: sqs:SendMessage")
}

#[test]
fn a_destination_in_the_template_that_is_patched_stays() {
    let sends = |more: &str| sends(&world(more));
    assert!(!sends(""), "without a destination the logs show that nothing is sent");
    let passes = format!(
        "  Invoked:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {{FunctionName: f, Qualifier: $LATEST, DestinationConfig: {{OnFailure: {{Destination: 'arn:aws:sqs:us-east-1:{ACCOUNT}:failed'}}}}}}
"
    );
    assert!(sends(&passes));
    let made = passes.replace(&format!("'arn:aws:sqs:us-east-1:{ACCOUNT}:failed'"), "!GetAtt Failed.Arn");
    assert!(sends(&format!("{made}  Failed: {{Type: AWS::SQS::Queue}}\n")), "a queue without a name yet");
    let reads = made
        .replace("EventInvokeConfig", "EventSourceMapping")
        .replace("FunctionName: f", "FunctionName: !Ref Function");
    assert!(sends(&reads));
    let others = passes.replace("FunctionName: f", "FunctionName: g");
    assert!(!sends(&others), "another function's");
}
