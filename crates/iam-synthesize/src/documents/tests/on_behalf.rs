//! Services that call for others: what they are bound to, and what says already for whom they call.

use super::*;

const TOPICS: &str = r#", {"kind": "sns.topic", "arn": "arn:aws:sns:eu-west-1:111122223333:archive", "api": {"Subscriptions": [{"Protocol": "lambda",
    "Endpoint": "arn:aws:lambda:eu-west-1:111122223333:function:resize"}]}},
  {"kind": "sns.topic", "arn": "arn:aws:sns:eu-west-1:111122223333:uploads", "api": {"Subscriptions": [{"Protocol": "lambda",
    "Endpoint": "arn:aws:lambda:eu-west-1:111122223333:function:resize"}]}}"#;

fn permission(sid: &str, service: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(r#","Condition":{condition}"#) };
    format!(
        r#"{{"Sid":"{sid}","Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"lambda:InvokeFunction","Resource":"{FUNCTION}"{condition}}}"#
    )
}

fn of_topic(name: &str) -> String {
    format!(r#"{{"ArnLike":{{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:{name}"}}}}"#)
}

fn world(statements: &[String], resources: &'static str) -> World {
    World { permissions: statements.join(",").leak(), resources, ..World::default() }
}

fn after(statements: &[String]) -> String {
    format!(r#"{{"Statement":[{}]}}"#, statements.join(","))
}

#[test]
fn a_functions_permission_names_one_source_so_that_several_take_one_each() {
    let open = || permission("s", "sns.amazonaws.com", "");
    let sns = |sid: &str, topic: &str| permission(sid, "sns.amazonaws.com", &of_topic(topic));
    let bound = after(&[sns("s", "archive"), sns("sUploads", "uploads")]);
    check(world(&[open()], TOPICS), Some(&bound), "");
    // No two statements get one name.
    let api = || {
        permission(
            "sUploads",
            "apigateway.amazonaws.com",
            r#"{"ArnLike":{"AWS:SourceArn":"arn:aws:execute-api:eu-west-1:111122223333:a/*"}}"#,
        )
    };
    let bound = after(&[sns("s", "archive"), sns("sUploadsN2", "uploads"), api()]);
    check(world(&[open(), api()], TOPICS), Some(&bound), "");
    // A queue's policy names them in one list.
    const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:q";
    let open = format!(
        r#"{{"Sid":"s","Effect":"Allow","Principal":{{"Service":"sns.amazonaws.com"}},"Action":"sqs:SendMessage","Resource":"{QUEUE}"}}"#
    );
    let resources = TOPICS.replace(FUNCTION, QUEUE).leak();
    let bound = after(&[open.trim_end_matches('}').to_owned()
        + r#","Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:sns:eu-west-1:111122223333:archive","arn:aws:sns:eu-west-1:111122223333:uploads"]}}}"#]);
    check(World { on: QUEUE, ..world(&[open], resources) }, Some(&bound), "");
}

#[test]
fn a_source_that_has_a_statement_of_its_own_is_not_named_again() {
    let own = |topic: &str| {
        permission("own", "sns.amazonaws.com", &of_topic(topic).replace("aws:", "AWS:").replace("arn:AWS:", "arn:aws:"))
    };
    let open = permission("open", "sns.amazonaws.com", "");
    let bound = after(&[own("uploads"), permission("open", "sns.amazonaws.com", &of_topic("archive"))]);
    check(world(&[own("uploads"), open.clone()], TOPICS), Some(&bound), "");
    const ONE: &str = r#", {"kind": "sns.topic", "arn": "arn:aws:sns:eu-west-1:111122223333:uploads", "api": {"Subscriptions": [{"Protocol": "lambda",
        "Endpoint": "arn:aws:lambda:eu-west-1:111122223333:function:resize"}]}}"#;
    check(world(&[own("uploads"), open], ONE), Some(&after(&[own("uploads")])), "");
}

#[test]
fn what_says_for_whom_in_other_words_is_bound() {
    let cases = [
        ("alexa-appkit.amazon.com", r#"{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask.skill.1"}}"#),
        ("ses.amazonaws.com", r#"{"StringEquals":{"aws:Referer":"111122223333"}}"#),
        (
            "logs.eu-west-1.amazonaws.com",
            r#"{"ArnEquals":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-west-1:111122223333:log-group:g"}}"#,
        ),
    ];
    for (service, condition) in cases {
        check(world(&[permission("s", service, condition)], ""), None, "");
    }
    let alexa = permission("s", "alexa-appkit.amazon.com", "");
    check(world(&[alexa], ""), None, "add lambda:EventSourceToken with the skill's id");
}

#[test]
fn an_interface_that_names_a_function_by_a_stages_variable_may_call_any() {
    const APIS: &str = r#", {"kind": "apigateway.rest_api", "arn": "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3", "api": {"Resources": [{"path": "/", "resourceMethods":
      {"GET": {"methodIntegration": {"uri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:resize/invocations"}}}}]}},
      {"kind": "apigateway.rest_api", "arn": "arn:aws:apigateway:eu-west-1::/restapis/d4e5f6", "api": {"Resources": [{"path": "/", "resourceMethods":
      {"GET": {"methodIntegration": {"uri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:${stageVariables.fn}/invocations"}}}}]}}"#;
    let open = permission("s", "apigateway.amazonaws.com", "");
    check(world(&[open], APIS), None, "names what it calls by a stage's variable");
}
