//! Pairs of policies that look like successive versions of one managed policy, made from a seed.

use iam_model::catalog::Catalog;

/// A small generator with a fixed seed (xorshift).
#[derive(Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    /// A number below the bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

/// A statement before it is written.
#[derive(Debug, Clone)]
struct Draft {
    effect: &'static str,
    negated_action: bool,
    service: String,
    actions: Vec<String>,
    negated_resource: bool,
    resources: Vec<String>,
    conditions: Vec<String>,
}

const SERVICES: [&str; 24] = [
    "s3",
    "ec2",
    "iam",
    "lambda",
    "dynamodb",
    "sqs",
    "sns",
    "kms",
    "logs",
    "cloudwatch",
    "rds",
    "ecs",
    "ecr",
    "ssm",
    "secretsmanager",
    "glue",
    "athena",
    "sagemaker",
    "elasticloadbalancing",
    "autoscaling",
    "cloudformation",
    "codebuild",
    "events",
    "route53",
];

const CONDITIONS: [&str; 14] = [
    r#""StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}"#,
    r#""StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}"#,
    r#""StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}"#,
    r#""StringLike": {"aws:ResourceTag/team": ["web-*", "data"]}"#,
    r#""StringNotEquals": {"aws:RequestedRegion": "us-east-1"}"#,
    r#""StringEqualsIfExists": {"aws:ResourceTag/aws:cloudformation:stack-name": "app"}"#,
    r#""ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:app-*"}"#,
    r#""Bool": {"aws:SecureTransport": "true"}"#,
    r#""BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}"#,
    r#""Null": {"aws:RequestTag/team": "false"}"#,
    r#""ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}"#,
    r#""ForAnyValue:StringLike": {"aws:TagKeys": "aws:*"}"#,
    r#""IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]}"#,
    r#""NumericLessThanEquals": {"s3:max-keys": "100"}"#,
];

/// A pair: the newer version and the older one, as texts.
pub(crate) type Pair = (String, String);

/// Makes pairs; `statements` and `actions` are the most a policy and a statement have.
#[derive(Debug)]
pub(crate) struct Generator<'c> {
    catalog: &'c Catalog,
    numbers: Numbers,
}

impl<'c> Generator<'c> {
    /// Starts from a seed.
    pub(crate) fn new(catalog: &'c Catalog, seed: u64) -> Self {
        Self { catalog, numbers: Numbers(seed) }
    }

    /// Two versions, either one the newer, of which neither is longer than `most` characters.
    pub(crate) fn pair(&mut self, statements: usize, actions: usize, most: usize) -> Pair {
        loop {
            let count = 1 + self.numbers.below(statements);
            let old: Vec<Draft> = (0..count).map(|_| self.statement(actions)).collect();
            let mut new = old.clone();
            for _ in 0..=self.numbers.below(3) {
                self.edit(&mut new, actions);
            }
            let (old, new) = (write(&old), write(&new));
            if old.len().max(new.len()) <= most {
                return if self.numbers.one_in(2) { (new, old) } else { (old, new) };
            }
        }
    }

    fn statement(&mut self, most: usize) -> Draft {
        let service = (*self.numbers.pick(&SERVICES).unwrap_or(&"s3")).to_owned();
        let count = 1 + self.numbers.below(most);
        let names: Vec<String> = self.catalog.service_actions(&service).map(|a| a.name().to_owned()).collect();
        let actions: Vec<String> = (0..count).map(|_| self.action(&service, &names)).collect();
        let negated_action = self.numbers.one_in(40);
        let resources = self.resources(&service);
        let conditions = self.conditions();
        let effect = if self.numbers.one_in(12) { "Deny" } else { "Allow" };
        let negated_resource = resources.iter().all(|r| r != "*") && self.numbers.one_in(25);
        Draft { effect, negated_action, service, actions, negated_resource, resources, conditions }
    }

    fn action(&mut self, service: &str, names: &[String]) -> String {
        let name = self.numbers.pick(names).map_or("Get", String::as_str);
        let verb = name.char_indices().skip(1).find(|(_, c)| c.is_ascii_uppercase()).map_or(name.len(), |(at, _)| at);
        match self.numbers.below(12) {
            0 | 1 => format!("{service}:{}*", name.get(..verb).unwrap_or(name)),
            2 if self.numbers.one_in(6) => format!("{service}:*"),
            3 if self.numbers.one_in(4) => format!("{service}:*{}", name.get(verb..).unwrap_or(name)),
            _ => format!("{service}:{name}"),
        }
    }

    fn resources(&mut self, service: &str) -> Vec<String> {
        if !self.numbers.one_in(3) {
            return vec!["*".into()];
        }
        let count = 1 + self.numbers.below(5);
        (0..count).map(|_| self.resource(service)).collect()
    }

    fn resource(&mut self, service: &str) -> String {
        let number = self.numbers.below(6);
        let region = *self.numbers.pick(&["*", "eu-west-1", "us-east-1"]).unwrap_or(&"*");
        let account = *self.numbers.pick(&["*", "111122223333", "*"]).unwrap_or(&"*");
        match self.numbers.below(5) {
            0 => format!("arn:aws:{service}:{region}:{account}:*"),
            1 => format!("arn:aws:{service}:::app-{number}/*"),
            2 => format!("arn:aws:{service}:{region}:{account}:thing/app-{number}*"),
            3 => format!("arn:aws:{service}:{region}:{account}:thing/*/part-{number}"),
            _ => format!("arn:aws:{service}:{region}:{account}:thing/${{aws:PrincipalTag/team}}/*"),
        }
    }

    fn conditions(&mut self) -> Vec<String> {
        let count = [0, 0, 0, 0, 1, 1, 2].get(self.numbers.below(7)).copied().unwrap_or_default();
        let mut conditions: Vec<String> =
            (0..count).filter_map(|_| self.numbers.pick(&CONDITIONS)).map(|c| (*c).to_owned()).collect();
        conditions.sort();
        conditions.dedup_by_key(|c| c.split(": {").next().map(str::to_owned));
        conditions
    }

    fn edit(&mut self, drafts: &mut Vec<Draft>, most: usize) {
        let at = self.numbers.below(drafts.len());
        let Some(mut draft) = drafts.get(at).cloned() else { return };
        match self.numbers.below(10) {
            0..=2 => {
                let names: Vec<String> =
                    self.catalog.service_actions(&draft.service).map(|a| a.name().to_owned()).collect();
                for _ in 0..=self.numbers.below(4) {
                    let action = self.action(&draft.service, &names);
                    draft.actions.push(action);
                }
            }
            3 | 4 if draft.actions.len() > 1 => {
                for _ in 0..=self.numbers.below(draft.actions.len() - 1) {
                    let gone = self.numbers.below(draft.actions.len());
                    draft.actions.remove(gone);
                }
            }
            5 => draft.resources = self.resources(&draft.service),
            6 => draft.conditions = self.conditions(),
            7 if drafts.len() > 1 => {
                drafts.remove(at);
                return;
            }
            8 if draft.actions.len() > 2 => {
                // One statement becomes two, the second with a condition.
                let mut second = draft.clone();
                second.actions = draft.actions.split_off(draft.actions.len() / 2);
                second.conditions = self.conditions();
                drafts.push(second);
            }
            _ => {
                let fresh = self.statement(most);
                drafts.push(fresh);
            }
        }
        if let Some(slot) = drafts.get_mut(at) {
            *slot = draft;
        }
    }
}

fn write(drafts: &[Draft]) -> String {
    let list = |texts: &[String]| match texts {
        [one] => format!("{one:?}"),
        many => format!("{many:?}"),
    };
    let statement = |d: &Draft| {
        let not = |negated: bool| if negated { "Not" } else { "" };
        let condition = match &*d.conditions {
            [] => String::new(),
            some => format!(r#", "Condition": {{{}}}"#, some.join(", ")),
        };
        format!(
            r#"{{"Effect": "{}", "{}Action": {}, "{}Resource": {}{condition}}}"#,
            d.effect,
            not(d.negated_action),
            list(&d.actions),
            not(d.negated_resource),
            list(&d.resources)
        )
    };
    let statements: Vec<String> = drafts.iter().map(statement).collect();
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "))
}
