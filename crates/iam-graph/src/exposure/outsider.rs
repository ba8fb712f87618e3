//! Someone from outside, as a request shows them: who they are, and what their requests carry.

use iam_evaluate::{Context, IdentityProvider, Policies, Principal, Request, ResourceName, ServiceName, evaluate};
use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn};
use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyDocument;

use super::provider::{host, open_to_all};
use crate::judge::{Answer, EVERYTHING, Judge, answer, set, set_owner};

/// An account that cannot exist: the account of someone nobody knows.
const NOBODYS: &str = "000000000000";
/// An address of nobody's network.
const ADDRESS: &str = "198.51.100.7";

/// Someone from outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outsider {
    /// Nobody: an unsigned request.
    Anonymous,
    /// A user of an account nobody knows.
    Stranger,
    /// Someone a policy names, of an account outside the organisation.
    Named {
        /// Their account.
        account: AccountId,
        /// As the policy names them.
        text: String,
    },
    /// A service that acts for an account nobody knows.
    Service(String),
    /// Someone with a token of an identity provider that everyone can get one from.
    Provider(String),
}

impl Outsider {
    fn principal(&self) -> Option<Principal> {
        let user = |account: &str| format!("arn:aws:iam::{account}:user/anyone").parse().ok().map(Principal::User);
        match self {
            Self::Anonymous => Some(Principal::Anonymous),
            Self::Stranger => user(NOBODYS),
            Self::Named { account, text } => match Principal::parse(text) {
                Ok(Principal::Root(_)) | Err(_) => user(account.as_str()),
                Ok(principal) => Some(principal),
            },
            Self::Service(name) => Some(Principal::Service(ServiceName::new(name))),
            Self::Provider(name) => Some(Principal::Federated(IdentityProvider::new(name))),
        }
    }

    /// What the request of someone with nothing of ours carries. Keys they choose freely stay open.
    fn context(&self) -> Context {
        let mut context = Context::open();
        let absent = |context: &mut Context, keys: &[&str]| {
            keys.iter().for_each(|key| context.set_absent(ConditionKey::new(key)));
        };
        absent(&mut context, &["aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:PrincipalOrgID"]);
        absent(&mut context, &["aws:PrincipalOrgPaths", "aws:username"]);
        set(&mut context, "aws:SourceIp", ADDRESS);
        set(&mut context, "aws:SecureTransport", "true");
        set(&mut context, "aws:ViaAWSService", "false");
        set(&mut context, "s3:x-amz-acl", "bucket-owner-full-control");
        match self {
            Self::Service(name) => {
                let service = name.split('.').next().unwrap_or_default();
                let source = match service {
                    "s3" => "arn:aws:s3:::not-ours".to_owned(),
                    _ => format!("arn:aws:{service}:us-east-1:{NOBODYS}:not-ours"),
                };
                set(&mut context, "aws:SourceArn", &source);
                set(&mut context, "aws:SourceAccount", NOBODYS);
                set(&mut context, "aws:SourceOwner", NOBODYS);
                absent(&mut context, &["aws:SourceOrgID", "aws:SourceOrgPaths"]);
                set(&mut context, "aws:PrincipalServiceName", name);
                set(&mut context, "aws:PrincipalIsAWSService", "true");
            }
            _ => {
                absent(&mut context, &["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"]);
                absent(&mut context, &["aws:PrincipalServiceName"]);
                set(&mut context, "aws:PrincipalIsAWSService", "false");
                self.own_account(&mut context);
            }
        }
        context
    }

    fn own_account(&self, context: &mut Context) {
        let (account, auth, by_url) = match self {
            Self::Anonymous => (None, "NONE", "true"),
            Self::Stranger => (Some(NOBODYS), "AWS_IAM", "false"),
            Self::Named { account, .. } => (Some(account.as_str()), "AWS_IAM", "false"),
            Self::Service(_) => (None, "AWS_IAM", "false"),
            Self::Provider(name) => return token(context, name),
        };
        set(context, "lambda:FunctionUrlAuthType", auth);
        set(context, "lambda:InvokedViaFunctionUrl", by_url);
        match account {
            Some(account) => {
                for key in ["aws:PrincipalAccount", "kms:CallerAccount", "aws:SourceOwner"] {
                    set(context, key, account);
                }
                if let Some(Principal::User(arn)) = self.principal() {
                    set(context, "aws:PrincipalArn", arn.as_str());
                }
            }
            None => {
                let keys = ["aws:PrincipalAccount", "kms:CallerAccount", "aws:SourceOwner", "aws:PrincipalArn"];
                keys.iter().for_each(|key| context.set_absent(ConditionKey::new(key)));
            }
        }
    }
}

/// What a token says that a stranger gets from a provider.
fn token(context: &mut Context, provider: &str) {
    let host = host(provider);
    for (key, value) in open_to_all(provider).map(|known| known.stranger).unwrap_or_default() {
        set(context, &format!("{host}:{key}"), value);
    }
}

impl Judge<'_> {
    /// Whether a policy on a resource, within what limits access to its account's resources, lets an outsider do something.
    pub(crate) fn lets_in(
        &self,
        who: &Outsider,
        action: &Action,
        resource: &Arn,
        owner: &AccountId,
        policy: &PolicyDocument,
    ) -> Answer {
        let Some(principal) = who.principal() else { return Answer::No };
        let mut context = who.context();
        set_owner(&mut context, Some(owner), self.organization());
        let request = Request {
            principal,
            action: action.clone(),
            resource: ResourceName::Arn(resource.clone()),
            resource_account: Some(owner.clone()),
            context,
        };
        let policies = Policies {
            identity: vec![&EVERYTHING],
            resource: Some(policy),
            rcps: self.resource_controls(owner),
            ..Policies::default()
        };
        answer(evaluate(&request, &policies).outcome)
    }
}
