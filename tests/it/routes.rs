//! `paring routes`, and `paring audit` on templates alone.

use serde_json::Value;

use crate::run::{Folder, conformance, copy};

/// An API with an authorizer that one of its routes does without, and a role that reads a secret of another stack.
const SHOP: &str = r#"Transform: AWS::Serverless-2016-10-31
Parameters:
  Door: {Type: String, Default: AWS_IAM}
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth:
        DefaultAuthorizer: People
        Authorizers: {People: {UserPoolArn: !GetAtt Pool.Arn}}
  Pool: {Type: AWS::Cognito::UserPool}
  Pay:
    Type: AWS::Serverless::Function
    Properties:
      Handler: pay.handler
      Policies:
        - Version: "2012-10-17"
          Statement: [{Effect: Allow, Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:*:*:secret:card-*"}]
      Events:
        Post: {Type: Api, Properties: {Path: /pay, Method: post, RestApiId: !Ref Shop}}
        Hook: {Type: Api, Properties: {Path: /hook, Method: post, RestApiId: !Ref Shop, Auth: {Authorizer: NONE}}}
        Door: {Type: Api, Properties: {Path: /door, Method: get, RestApiId: !Ref Shop, Auth: {Authorizer: !Ref Door}}}
"#;

#[test]
fn of_a_template_every_route_is_listed_the_worst_first() {
    let folder = Folder::new();
    folder.write("app/template.yaml", SHOP);
    let told = folder.paring(&["routes", "--iac", "app"]);
    insta::assert_snapshot!(format!("{}{}= {}\n", told.stderr, told.stdout, told.code));
    let json = folder.paring(&["routes", "--iac", "app", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], "paring-routes/1");
    assert_eq!(json["routes"].as_array().unwrap().len(), 3);
    assert_eq!(
        json["routes"][0]["path"][2],
        "arn:aws:iam::123456789012:role/PayRole -[secretsmanager:GetSecretValue]-> arn:aws:secretsmanager:*:*:secret:card-*"
    );
}

#[test]
fn templates_alone_are_audited_with_their_lines() {
    let folder = Folder::new();
    folder.write("app/template.yaml", SHOP);
    let told = folder.paring(&["audit", "--iac", "app"]);
    assert_eq!(told.code, 1, "{}{}", told.stdout, told.stderr);
    assert!(told.stdout.contains("POST /hook of REST API Shop asks nobody who calls"), "{}", told.stdout);
    assert!(told.stdout.contains("whether GET /door of REST API Shop asks who calls is not known"), "{}", told.stdout);
    assert!(!told.stdout.contains("/pay"), "{}", told.stdout);
    let sarif = folder.paring(&["audit", "--iac", "app", "--format", "sarif", "--exit-zero"]);
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    let hook = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let hook = hook.clone().find(|one| one["message"]["text"].as_str().unwrap().contains("/hook")).unwrap();
    let place = &hook["locations"][0]["physicalLocation"];
    let line = SHOP.lines().position(|line| line.contains("/hook")).unwrap() + 1;
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"app/template.yaml".into(), &line.into())
    );
    let known = folder.paring(&["audit", "--iac", "app", "--format", "json"]);
    folder.write("known.json", known.stdout);
    assert_eq!(folder.paring(&["audit", "--iac", "app", "--baseline", "known.json"]).code, 0);
    folder.write(
        "app/template.yaml",
        SHOP.replace(
            "/pay, Method: post, RestApiId: !Ref Shop}",
            "/pay, Method: post, RestApiId: !Ref Shop, Auth: {Authorizer: NONE}}",
        ),
    );
    let new = folder.paring(&["audit", "--iac", "app", "--baseline", "known.json"]);
    assert!(new.code == 1 && new.stdout.contains("/pay") && !new.stdout.contains("/hook"), "{}", new.stdout);
}

#[test]
fn without_an_account_and_without_templates_there_is_nothing_to_ask() {
    let folder = Folder::new();
    folder.write("empty/readme.txt", "none");
    for arguments in [&["audit"][..], &["routes"], &["routes", "--iac", "empty"], &["audit", "--iac", "empty"]] {
        let told = folder.paring(arguments);
        assert_eq!((told.code, told.stdout.as_str()), (2, ""), "{arguments:?}: {}", told.stderr);
    }
}

/// The workshop's template, before its modules put authorizers in.
#[test]
fn the_workshops_routes_ask_nobody() {
    let Some(shared) = conformance() else { return };
    let folder = Folder::new();
    copy(&shared.join("corpora/iac/aws-samples+aws-serverless-security-workshop/src"), &folder.path().join("src"));
    let told = folder.paring(&["routes", "--iac", "src", "--format", "json"]);
    let json: Value = serde_json::from_str(&told.stdout).unwrap();
    let routes = json["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 9);
    assert!(routes.iter().all(|route| route["authorization"] == "none"), "{routes:?}");
    assert_eq!(
        (&routes[0]["route"], &routes[0]["severity"]),
        (&"POST /partners of REST API UnicornApi".into(), &"high".into())
    );
}
