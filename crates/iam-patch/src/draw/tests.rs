//! Accounts and routes drawn from templates.

use iam_model::route::Authorization;
use iam_model::text::{SourceName, SourceText};

use super::Drawn;
use crate::patch::Project;

fn drawn(name: &str, text: &str) -> Drawn {
    let source = SourceText { name: SourceName::new(name), text: text.to_owned() };
    let (project, diagnostics) = Project::read(vec![source]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    project.drawn()
}

/// Each route as `call: what it asks for -> function`, sorted.
fn routes(name: &str, text: &str) -> Vec<String> {
    let line = |route: &iam_model::route::Route| {
        let function = route.function.as_ref().map_or("?", |arn| arn.name());
        let narrowed = if route.narrowed_by.is_empty() { "" } else { " (narrowed)" };
        format!("{}: {}{narrowed} -> {function}", route.call, route.authorization.as_str())
    };
    let mut found: Vec<String> = drawn(name, text).routes.iter().map(line).collect();
    found.sort();
    found
}

fn check(name: &str, text: &str, expected: &[&str]) {
    assert_eq!(routes(name, text), expected, "{text}");
}

/// A SAM template with one function `F`: the events, and what else stands in `Resources` and above it.
fn with_events(above: &str, others: &str, events: &[(&str, &str)]) -> String {
    let mut text = format!(
        "Transform: AWS::Serverless-2016-10-31\n{above}Resources:\n{others}  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: a.b\n      Events:\n"
    );
    for (at, (kind, properties)) in events.iter().enumerate() {
        text.push_str(&format!("        E{at}: {{Type: {kind}, Properties: {{{properties}}}}}\n"));
    }
    text
}

#[test]
fn routes_of_sam_ask_what_the_event_says_before_the_interface_before_globals() {
    const API: &str = "  A:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: p\n      Auth:\n        DefaultAuthorizer: Pool\n        Authorizers:\n          Pool: {UserPoolArn: !GetAtt P.Arn}\n          Fn: {FunctionArn: !GetAtt F.Arn}\n";
    check(
        "t.yaml",
        &with_events(
            "",
            API,
            &[
                ("Api", "Path: /a, Method: get, RestApiId: !Ref A"),
                ("Api", "Path: /b, Method: get, RestApiId: !Ref A, Auth: {Authorizer: NONE}"),
                ("Api", "Path: /c, Method: get, RestApiId: !Ref A, Auth: {Authorizer: Fn}"),
                ("Api", "Path: /d, Method: get, RestApiId: !Ref A, Auth: {Authorizer: AWS_IAM}"),
                ("Api", "Path: /e, Method: get, RestApiId: !Ref A, Auth: {Authorizer: Gone}"),
                ("Api", "Path: /f, Method: any"),
                ("Api", "Path: /g, Method: get, Auth: {ApiKeyRequired: true}"),
                ("Sqs", "Queue: q"),
            ],
        ),
        &[
            "ANY /f: none -> F",
            "GET /a: cognito -> F",
            "GET /b: none -> F",
            "GET /c: lambda -> F",
            "GET /d: iam -> F",
            "GET /e: unknown -> F",
            "GET /g: none (narrowed) -> F",
        ],
    );
    let globals =
        "Globals: {Api: {Auth: {DefaultAuthorizer: AWS_IAM, ResourcePolicy: {IpRangeWhitelist: [192.0.2.0/24]}}}}\n";
    check("t.yaml", &with_events(globals, "", &[("Api", "Path: /, Method: post")]), &["POST /: iam (narrowed) -> F"]);
    let http = "Globals: {HttpApi: {Auth: {DefaultAuthorizer: Tokens, Authorizers: {Tokens: {JwtConfiguration: {issuer: i}}}}}}\n";
    check(
        "t.yaml",
        &with_events(http, "", &[("HttpApi", "Path: /a, Method: get"), ("HttpApi", "Auth: {Authorizer: NONE}")]),
        &["GET /a: jwt -> F", "every call: none -> F"],
    );
}

/// What a template leaves open is never taken for shut, nor for open.
#[test]
fn what_a_template_leaves_open_is_not_known() {
    let parameter = "Parameters: {Who: {Type: String, Default: AWS_IAM}}\nConditions: {Prod: !Equals [!Ref Who, x]}\n";
    check(
        "t.yaml",
        &with_events(
            parameter,
            "  U: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt F.Arn, AuthType: !Ref Who}}\n  D: {Type: AWS::Serverless::Api, Properties: {StageName: p, DefinitionUri: api.yaml}}\n",
            &[
                ("Api", "Path: /a, Method: get, Auth: {Authorizer: !Ref Who}"),
                ("Api", "Path: /b, Method: get, Auth: {Authorizer: !If [Prod, AWS_IAM, NONE]}"),
                ("Api", "Path: /c, Method: get, RestApiId: !Ref D"),
                ("Api", "Path: /d, Method: get, RestApiId: !ImportValue shared"),
                ("Api", "Path: /e, Method: get, Auth: !If [Prod, {Authorizer: AWS_IAM}, !Ref AWS::NoValue]"),
            ],
        ),
        &[
            ": unknown -> F",
            "GET /a: unknown -> F",
            "GET /b: unknown -> F",
            "GET /c: unknown -> F",
            "GET /d: unknown -> F",
            "GET /e: unknown -> F",
        ],
    );
}

#[test]
fn of_a_definition_each_method_asks_for_the_easiest_of_its_requirements() {
    let method = |path: &str, security: &str| {
        format!(
            "          /{path}: {{get: {{{security}x-amazon-apigateway-integration: {{type: aws_proxy, uri: !Sub 'arn:aws:apigateway:x:lambda:path/2015-03-31/functions/${{F.Arn}}/invocations'}}}}}}\n"
        )
    };
    let paths: String = [
        ("none", ""),
        ("sig", "security: [{sig: []}], "),
        ("pool", "security: [{pool: []}], "),
        ("fn", "security: [{fn: [], key: []}], "),
        ("either", "security: [{sig: []}, {}], "),
        ("key", "security: [{key: []}], "),
        ("gone", "security: [{gone: []}], "),
    ]
    .iter()
    .map(|(path, security)| method(path, security))
    .collect();
    let schemes = "        components:\n          securitySchemes:\n            sig: {type: apiKey, x-amazon-apigateway-authtype: awsSigv4}\n            pool: {type: apiKey, x-amazon-apigateway-authtype: cognito_user_pools, x-amazon-apigateway-authorizer: {type: cognito_user_pools}}\n            fn: {type: apiKey, x-amazon-apigateway-authorizer: {type: request}}\n            key: {type: apiKey, name: x-api-key, in: header}\n";
    let template = |kind: &str, property: &str, above: &str| {
        format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {{Type: AWS::Lambda::Function, Properties: {{Handler: a}}}}\n  A:\n    Type: {kind}\n    Properties:\n      {property}:\n{above}        paths:\n          /mock: {{get: {{x-amazon-apigateway-integration: {{type: mock}}}}}}\n{paths}{schemes}"
        )
    };
    let expected = [
        "GET /either: none -> F",
        "GET /fn: lambda (narrowed) -> F",
        "GET /gone: unknown -> F",
        "GET /key: none (narrowed) -> F",
        "GET /none: none -> F",
        "GET /pool: cognito -> F",
        "GET /sig: iam -> F",
    ];
    check("t.yaml", &template("AWS::ApiGateway::RestApi", "Body", ""), &expected);
    check("t.yaml", &template("AWS::Serverless::Api", "DefinitionBody", ""), &expected);
    // API Gateway passes over what stands at the top.
    let mut at_the_top = expected;
    at_the_top[4] = "GET /none: unknown -> F";
    check("t.yaml", &template("AWS::ApiGateway::RestApi", "Body", "        security: [{sig: []}]\n"), &at_the_top);
}

#[test]
fn routes_written_out_name_their_functions_through_integrations_and_aliases() {
    check(
        "t.json",
        r#"{"Resources": {
        "F": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "shop"}},
        "L": {"Type": "AWS::Lambda::Alias", "Properties": {"Name": "live", "FunctionName": {"Ref": "F"}}},
        "A": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "a", "EndpointConfiguration": {"Types": ["PRIVATE"]}}},
        "P": {"Type": "AWS::ApiGateway::Resource", "Properties": {"PathPart": "orders", "ParentId": {"Fn::GetAtt": ["A", "RootResourceId"]}}},
        "Q": {"Type": "AWS::ApiGateway::Resource", "Properties": {"PathPart": "{id}", "ParentId": {"Ref": "P"}}},
        "M": {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "GET", "AuthorizationType": "NONE", "RestApiId": {"Ref": "A"}, "ResourceId": {"Ref": "Q"},
            "Integration": {"Uri": {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${L}/invocations"}}}},
        "N": {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "PUT", "AuthorizationType": "CUSTOM", "ResourceId": {"Ref": "P"},
            "Integration": {"Uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111122223333:function:shop/invocations"}}},
        "O": {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "OPTIONS", "AuthorizationType": "NONE", "Integration": {"Type": "MOCK"}}},
        "H": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}},
        "I": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {"IntegrationUri": {"Fn::GetAtt": "F.Arn"}}},
        "R": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "H"}, "RouteKey": "POST /pay", "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "I"}]]}}},
        "S": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "H"}, "RouteKey": "$default", "AuthorizationType": "JWT", "Target": {"Fn::Sub": "integrations/${I}"}}},
        "T": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP", "Target": {"Fn::GetAtt": "F.Arn"}}}}}"#,
        &[
            "GET /orders/{id}: none (narrowed) -> shop",
            "POST /pay: none -> shop",
            "PUT /orders: lambda -> shop",
            "every call: none -> shop",
            "every other call: jwt -> shop",
        ],
    );
}

#[test]
fn routes_of_the_serverless_framework() {
    check(
        "serverless.yml",
        "service: shop\nprovider:\n  name: aws\n  httpApi:\n    authorizers:\n      tokens: {issuerUrl: u}\n      fn: {type: request}\nfunctions:\n  web-app:\n    handler: a\n    url: true\n    events:\n      - http: GET orders\n      - http: {path: pay, method: post, authorizer: aws_iam}\n      - http: {path: c, method: get, authorizer: {arn: 'arn:aws:cognito-idp:x:111122223333:userpool/p'}}\n      - http: {path: d, method: get, authorizer: check}\n      - http: {path: e, method: get, private: true}\n      - http: {path: f, method: get, authorizer: '${param:who}'}\n      - httpApi: '*'\n      - httpApi: {path: /g, method: get, authorizer: tokens}\n      - httpApi: {path: /h, method: get, authorizer: {name: fn}}\n      - httpApi: {path: /i, method: get, authorizer: {type: aws_iam}}\n      - httpApi: {path: /j, method: get, authorizer: {name: gone}}\n",
        &[
            ": none -> WebDashappLambdaFunction",
            "GET /c: cognito -> WebDashappLambdaFunction",
            "GET /d: lambda -> WebDashappLambdaFunction",
            "GET /e: none (narrowed) -> WebDashappLambdaFunction",
            "GET /f: unknown -> WebDashappLambdaFunction",
            "GET /g: jwt -> WebDashappLambdaFunction",
            "GET /h: lambda -> WebDashappLambdaFunction",
            "GET /i: iam -> WebDashappLambdaFunction",
            "GET /j: unknown -> WebDashappLambdaFunction",
            "GET /orders: none -> WebDashappLambdaFunction",
            "POST /pay: iam -> WebDashappLambdaFunction",
            "every call: none -> WebDashappLambdaFunction",
        ],
    );
}

#[test]
fn a_role_holds_what_the_template_gives_it_and_the_rest_is_told() {
    let found = drawn(
        "t.yaml",
        "Resources:\n  T: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      Path: /app/\n      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}\n      ManagedPolicyArns: [!Ref M, 'arn:aws:iam::aws:policy/AmazonS3FullAccess', 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']\n      PermissionsBoundary: !ImportValue boundary\n  M: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: {Statement: [{Effect: Allow, Action: 'dynamodb:*', Resource: !GetAtt T.Arn}]}}}\n  P: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [!Ref R], PolicyDocument: {Statement: [{Effect: Allow, Action: 'sqs:*', Resource: !ImportValue q}]}}}\n  F: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn, Environment: {Variables: {TABLE: !Ref T, MODE: fast}}}}\n",
    );
    let account = found.snapshot.accounts.values().next().unwrap();
    let [role] = account.roles.as_slice() else { panic!("{:?}", account.roles) };
    assert_eq!(role.identity.arn.as_str(), "arn:aws:iam::123456789012:role/app/R");
    assert_eq!((role.identity.inline_policies.len(), role.identity.attached_policies.len()), (1, 1));
    assert_eq!(account.managed_policies.len(), 1);
    let function = account.resources.iter().find(|r| r.kind.as_str() == "lambda.function").unwrap();
    assert_eq!(function.role.as_ref(), Some(&role.identity.arn));
    assert!(account.resources.iter().any(|r| r.arn.as_str() == "arn:aws:dynamodb:us-east-1:123456789012:table/orders"));
    for what in ["AmazonS3FullAccess", "boundary", "only a deployment knows"] {
        assert!(found.not_checked.iter().any(|line| line.contains(what)), "{what}: {:?}", found.not_checked);
    }
    assert!(!found.not_checked.iter().any(|line| line.contains("AWSLambdaBasic")), "{:?}", found.not_checked);
}

#[test]
fn templates_of_one_folder_are_kept_apart_and_terraform_is_told() {
    let text =
        "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {FunctionUrlConfig: {AuthType: NONE}}}\n";
    let file = |name: &str, text: &str| SourceText { name: SourceName::new(name), text: text.to_owned() };
    let files = vec![
        file("a/t.yaml", text),
        file("b/t.yaml", text),
        file("c/main.tf", "resource \"aws_sqs_queue\" \"q\" {}\n"),
    ];
    let drawn = Project::read(files).0.drawn();
    let names: Vec<&str> = drawn.routes.iter().map(|route| route.function.as_ref().unwrap().name()).collect();
    assert_eq!(names, ["a-t-F", "b-t-F"]);
    assert!(drawn.routes.iter().all(|route| route.authorization == Authorization::Nothing));
    assert!(drawn.not_checked.iter().any(|line| line.contains("c/main.tf")), "{:?}", drawn.not_checked);
}
