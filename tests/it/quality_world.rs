//! A made-up world of functions and what they do, as CloudTrail would record it, with the truth beside it.
//!
//! Names are partitions where real ones are: days, tenants, UUIDs. Everything follows from a seed.

use iam_model::time::Timestamp;

use super::quality::Truth;

/// Days of logs; the first two thirds are learned from.
pub(crate) const DAYS: i64 = 90;
/// The first day, as days since 1970.
const START: i64 = 20_500;

/// When learning ends and replaying begins.
pub(crate) fn split() -> Timestamp {
    Timestamp::from_epoch_seconds((START + DAYS * 2 / 3) * 86_400)
}

/// A stream of numbers that look random (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

/// One thing a function does: the call as CloudTrail names it, and what it needs.
struct Use {
    source: &'static str,
    name: &'static str,
    data: bool,
    /// Request parameters as JSON, with `{n}` for the name, `{day}`, `{uuid}`, `{tenant}`, `{A}` and `{R}`.
    parameters: &'static str,
    /// Resources as CloudTrail lists them: type and ARN; empty where it lists none.
    resources: &'static [(&'static str, &'static str)],
    need: &'static [(&'static str, &'static str)],
}

const NAMES: &[&str] = &["orders", "billing", "media", "search", "audit", "ledger", "stock", "thumbs"];
const TENANTS: &[&str] =
    &["acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka", "tyrell", "cyberdyne"];

#[rustfmt::skip]
const USES: &[Use] = &[
    Use { source: "s3.amazonaws.com", name: "PutObject", data: true, parameters: r#"{"bucketName": "lake-{n}", "key": "events/dt={day}/part-{uuid}.parquet"}"#,
        resources: &[("AWS::S3::Object", "arn:aws:s3:::lake-{n}/events/dt={day}/part-{uuid}.parquet"), ("AWS::S3::Bucket", "arn:aws:s3:::lake-{n}")],
        need: &[("s3:PutObject", "arn:aws:s3:::lake-{n}/events/*")] },
    Use { source: "s3.amazonaws.com", name: "GetObject", data: true, parameters: r#"{"bucketName": "intake-{n}", "key": "tenants/{tenant}/in/{uuid}.json"}"#,
        resources: &[("AWS::S3::Object", "arn:aws:s3:::intake-{n}/tenants/{tenant}/in/{uuid}.json"), ("AWS::S3::Bucket", "arn:aws:s3:::intake-{n}")],
        need: &[("s3:GetObject", "arn:aws:s3:::intake-{n}/tenants/*")] },
    Use { source: "s3.amazonaws.com", name: "GetObject", data: true, parameters: r#"{"bucketName": "settings-{n}", "key": "config.json"}"#,
        resources: &[("AWS::S3::Object", "arn:aws:s3:::settings-{n}/config.json"), ("AWS::S3::Bucket", "arn:aws:s3:::settings-{n}")],
        need: &[("s3:GetObject", "arn:aws:s3:::settings-{n}/config.json")] },
    Use { source: "codebuild.amazonaws.com", name: "StartBuild", data: false, parameters: r#"{"projectName": "{n}-build"}"#, resources: &[],
        need: &[("codebuild:StartBuild", "arn:aws:codebuild:{R}:{A}:project/{n}-build")] },
    Use { source: "codepipeline.amazonaws.com", name: "StartPipelineExecution", data: false, parameters: r#"{"name": "{n}-release"}"#, resources: &[],
        need: &[("codepipeline:StartPipelineExecution", "arn:aws:codepipeline:{R}:{A}:{n}-release")] },
    Use { source: "ecr.amazonaws.com", name: "GetAuthorizationToken", data: false, parameters: "{}", resources: &[], need: &[("ecr:GetAuthorizationToken", "*")] },
    Use { source: "ecr.amazonaws.com", name: "BatchGetImage", data: false, parameters: r#"{"repositoryName": "{n}/api", "registryId": "{A}"}"#,
        resources: &[("", "arn:aws:ecr:{R}:{A}:repository/{n}/api")], need: &[("ecr:BatchGetImage", "arn:aws:ecr:{R}:{A}:repository/{n}/api")] },
    Use { source: "logs.amazonaws.com", name: "FilterLogEvents", data: false, parameters: r#"{"logGroupName": "/app/{n}"}"#, resources: &[],
        need: &[("logs:FilterLogEvents", "arn:aws:logs:{R}:{A}:log-group:/app/{n}*")] },
    Use { source: "secretsmanager.amazonaws.com", name: "GetSecretValue", data: false, parameters: r#"{"secretId": "arn:aws:secretsmanager:{R}:{A}:secret:{n}/db-a1B2c3"}"#, resources: &[],
        need: &[("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:{R}:{A}:secret:{n}/db-??????")] },
    Use { source: "ssm.amazonaws.com", name: "GetParameters", data: false, parameters: r#"{"names": ["/{n}/url", "/{n}/flag"]}"#, resources: &[],
        need: &[("ssm:GetParameters", "arn:aws:ssm:{R}:{A}:parameter/{n}/*")] },
    Use { source: "kms.amazonaws.com", name: "Sign", data: false, parameters: r#"{"keyId": "arn:aws:kms:{R}:{A}:key/1234abcd-12ab-34cd-56ef-1234567890ab", "signingAlgorithm": "RSASSA_PSS_SHA_256"}"#,
        resources: &[("AWS::KMS::Key", "arn:aws:kms:{R}:{A}:key/1234abcd-12ab-34cd-56ef-1234567890ab")],
        need: &[("kms:Sign", "arn:aws:kms:{R}:{A}:key/1234abcd-12ab-34cd-56ef-1234567890ab")] },
    Use { source: "dynamodb.amazonaws.com", name: "Query", data: true, parameters: r#"{"tableName": "{n}-events", "indexName": "byDay"}"#,
        resources: &[("AWS::DynamoDB::Table", "arn:aws:dynamodb:{R}:{A}:table/{n}-events")],
        need: &[("dynamodb:Query", "arn:aws:dynamodb:{R}:{A}:table/{n}-events/index/*")] },
    Use { source: "route53.amazonaws.com", name: "ChangeResourceRecordSets", data: false, parameters: r#"{"hostedZoneId": "Z1D633PJN98FT9"}"#, resources: &[],
        need: &[("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1D633PJN98FT9")] },
    Use { source: "cloudformation.amazonaws.com", name: "DescribeStacks", data: false, parameters: r#"{"stackName": "arn:aws:cloudformation:{R}:{A}:stack/{n}/6a8f0c2e-1111-2222-3333-444455556666"}"#, resources: &[],
        need: &[("cloudformation:DescribeStacks", "arn:aws:cloudformation:{R}:{A}:stack/{n}/*")] },
    Use { source: "rds.amazonaws.com", name: "DescribeDBInstances", data: false, parameters: r#"{"dBInstanceIdentifier": "{n}-db"}"#, resources: &[],
        need: &[("rds:DescribeDBInstances", "arn:aws:rds:{R}:{A}:db:{n}-db")] },
    Use { source: "cloudfront.amazonaws.com", name: "CreateInvalidation", data: false, parameters: r#"{"distributionId": "E2EXAMPLE{n}"}"#, resources: &[],
        need: &[("cloudfront:CreateInvalidation", "arn:aws:cloudfront::{A}:distribution/E2EXAMPLE{n}")] },
    Use { source: "states.amazonaws.com", name: "StopExecution", data: false, parameters: r#"{"executionArn": "arn:aws:states:{R}:{A}:execution:{n}-flow:{uuid}"}"#, resources: &[],
        need: &[("states:StopExecution", "arn:aws:states:{R}:{A}:execution:{n}-flow:*")] },
    Use { source: "sqs.amazonaws.com", name: "SendMessage", data: true, parameters: r#"{"queueUrl": "https://sqs.{R}.amazonaws.com/{A}/{n}-out.fifo"}"#,
        resources: &[("AWS::SQS::Queue", "arn:aws:sqs:{R}:{A}:{n}-out.fifo")], need: &[("sqs:SendMessage", "arn:aws:sqs:{R}:{A}:{n}-out.fifo")] },
];

/// A function of the world.
struct Actor {
    role: String,
    function: String,
    account: &'static str,
    region: &'static str,
    /// The use, the name in it, calls in the whole window, when it begins (percent of the window), whether it is denied.
    uses: Vec<(usize, &'static str, u64, i64, bool)>,
}

const ACCOUNTS: &[&str] = &["210987654321", "345678901234"];
const REGIONS: &[&str] = &["eu-central-1", "us-west-2"];

fn actors(seed: u64, roles: usize) -> Vec<Actor> {
    let mut dice = Dice::new(seed);
    (0..roles)
        .map(|n| {
            let (account, region) = (dice.pick(ACCOUNTS), dice.pick(REGIONS));
            let function = format!("{}-{n:03}", dice.pick(NAMES));
            let count = 2 + dice.below(5);
            let mut uses: Vec<(usize, &str, u64, i64, bool)> = Vec::new();
            for _ in 0..count {
                let which = usize::try_from(dice.below(USES.len() as u64)).unwrap();
                let name = dice.pick(NAMES);
                // A heavy tail: a few calls in the window, or a few hundred; three in a hundred begin late.
                let calls = 3 + 300 / (1 + dice.below(40));
                let born = if dice.chance(3) { i64::try_from(dice.below(100)).unwrap() } else { 0 };
                if !uses.iter().any(|(w, n, ..)| (*w, *n) == (which, name)) {
                    uses.push((which, name, calls, born, dice.chance(4)));
                }
            }
            let role = format!("arn:aws:iam::{account}:role/fn/{function}-role");
            Actor { role, function, account, region, uses }
        })
        .collect()
}

/// What every function of the world needs.
pub(crate) fn truths(seed: u64, roles: usize) -> Vec<Truth> {
    let of = |actor: Actor| {
        let mut need = Vec::new();
        for (which, name, _, _, denied) in actor.uses.iter().filter(|u| !u.4) {
            let _ = denied;
            for (action, resource) in USES[*which].need {
                let resource = fill(resource, name, &actor, "", "", "");
                need.push(((*action).to_owned(), resource));
            }
        }
        Truth { role: actor.role.parse().unwrap(), function: actor.function, region: actor.region.into(), need }
    };
    actors(seed, roles).into_iter().map(of).collect()
}

fn fill(text: &str, name: &str, actor: &Actor, day: &str, uuid: &str, tenant: &str) -> String {
    text.replace("{n}", name)
        .replace("{A}", actor.account)
        .replace("{R}", actor.region)
        .replace("{day}", day)
        .replace("{uuid}", uuid)
        .replace("{tenant}", tenant)
}

/// The logs, one file for each role.
pub(crate) fn logs(seed: u64, roles: usize) -> Vec<(String, Vec<u8>)> {
    let mut dice = Dice::new(seed ^ 0xA5A5);
    let mut files = Vec::new();
    for actor in actors(seed, roles) {
        let mut records = Vec::new();
        for (which, name, calls, born, denied) in &actor.uses {
            // What begins late is called for a shorter time, not more often.
            let left = u64::try_from(100 - born).unwrap();
            for _ in 0..(*calls * left).div_ceil(100) {
                let begin = DAYS * 86_400 * born / 100;
                let second = begin + i64::try_from(dice.below(u64::try_from(DAYS * 86_400 - begin).unwrap())).unwrap();
                let time = Timestamp::from_epoch_seconds(START * 86_400 + second);
                records.push(record(&USES[*which], name, &actor, time, *denied, &mut dice));
            }
        }
        let name = format!("{}.json", actor.function);
        files.push((name, format!(r#"{{"Records": [{}]}}"#, records.join(",\n")).into_bytes()));
    }
    files
}

fn record(call: &Use, name: &str, actor: &Actor, time: Timestamp, denied: bool, dice: &mut Dice) -> String {
    let time = time.to_string();
    let day = time.get(..10).unwrap().to_owned();
    let (uuid, tenant) = (dice.uuid(), dice.pick(TENANTS));
    let fill = |text: &str| fill(text, name, actor, &day, &uuid, tenant);
    let resources: Vec<String> = call
        .resources
        .iter()
        .map(|(kind, arn)| {
            let kind = if kind.is_empty() { String::new() } else { format!(r#", "type": "{kind}""#) };
            format!(r#"{{"ARN": "{}", "accountId": "{}"{kind}}}"#, fill(arn), actor.account)
        })
        .collect();
    let resources =
        if resources.is_empty() { String::new() } else { format!(r#""resources": [{}], "#, resources.join(", ")) };
    let error = if denied {
        let (action, resource) = call.need[0];
        let resource = fill(resource).replace('*', "x");
        format!(
            r#""errorCode": "AccessDenied", "errorMessage": "User: arn:aws:sts::{0}:assumed-role/{1}-role/{1} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action", "#,
            actor.account, actor.function
        )
    } else {
        String::new()
    };
    format!(
        r#"{{"eventVersion": "1.11", "userIdentity": {{"type": "AssumedRole", "principalId": "AROAEXAMPLE:{function}", "arn": "arn:aws:sts::{account}:assumed-role/{function}-role/{function}", "accountId": "{account}", "sessionContext": {{"sessionIssuer": {{"type": "Role", "arn": "{role}", "accountId": "{account}", "userName": "{function}-role"}}}}}}, "eventTime": "{time}", "eventSource": "{source}", "eventName": "{event}", "awsRegion": "{region}", "sourceIPAddress": "10.0.0.1", "userAgent": "aws-sdk", {error}"requestParameters": {parameters}, "responseElements": null, {resources}"eventID": "{id}", "eventType": "AwsApiCall", "managementEvent": {management}, "recipientAccountId": "{account}", "eventCategory": "{category}"}}"#,
        function = actor.function,
        account = actor.account,
        role = actor.role,
        source = call.source,
        event = call.name,
        region = actor.region,
        parameters = fill(call.parameters),
        id = dice.uuid(),
        management = !call.data,
        category = if call.data { "Data" } else { "Management" },
    )
}
