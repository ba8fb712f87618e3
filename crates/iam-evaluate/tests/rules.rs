//! AWS's rules of evaluation, layer by layer and service by service, each with the cases that are easily got wrong.
//!
//! Names its rules as `docs/semantics.md` does. What a single operator or pattern does is tested beside the code.

use iam_evaluate::{Context, Decision, Layer, LayerOutcome, Policies, Principal, Request, evaluate};
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, parse};
use iam_model::text::{SourceName, SourceText};

const HERE: &str = "111122223333";
const THERE: &str = "444455556666";
const USER: &str = "arn:aws:iam::111122223333:user/team/u";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/R/s";
const ROLE: &str = "arn:aws:iam::111122223333:role/R";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/u";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const OBJECT: &str = "arn:aws:s3:::b/k";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k";
const ALL: &str = r#""Effect": "Allow", "Action": "*", "Resource": "*""#;
const NONE: &str = r#""Effect": "Deny", "Action": "*", "Resource": "*""#;
const OTHER: &str = r#""Effect": "Allow", "Action": "sns:*", "Resource": "*""#;

/// A request and its policies, each a statement without braces.
#[derive(Clone, Copy)]
struct Asked<'a> {
    principal: &'a str,
    action: &'a str,
    resource: &'a str,
    owner: &'a str,
    context: &'a [(&'a str, &'a str)],
    identity: &'a [&'a str],
    on_resource: &'a [&'a str],
    boundary: &'a [&'a str],
    session: &'a [&'a str],
    scps: &'a [&'a [&'a str]],
    rcps: &'a [&'a [&'a str]],
    endpoint: &'a [&'a str],
    management: bool,
    service_linked: bool,
}

const ASKED: Asked<'static> = Asked {
    principal: USER,
    action: "s3:GetObject",
    resource: OBJECT,
    owner: HERE,
    context: &[],
    identity: &[],
    on_resource: &[],
    boundary: &[],
    session: &[],
    scps: &[],
    rcps: &[],
    endpoint: &[],
    management: false,
    service_linked: false,
};

#[cfg(test)]
fn document(statement: &str) -> PolicyDocument {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{{{statement}}}]}}"#);
    let (document, diagnostics) = parse(&SourceText { name: SourceName::new("policy"), text });
    assert!(diagnostics.is_empty(), "{diagnostics:?} in {statement}");
    document
}

#[cfg(test)]
impl Asked<'_> {
    fn decision(&self) -> Decision {
        let list = |statements: &[&str]| statements.iter().map(|s| document(s)).collect::<Vec<_>>();
        let levels = |levels: &[&[&str]]| levels.iter().map(|level| list(level)).collect::<Vec<_>>();
        let (identity, boundary, session) = (list(self.identity), list(self.boundary), list(self.session));
        let (scps, rcps, endpoint) = (levels(self.scps), levels(self.rcps), list(self.endpoint));
        let mut on_resource = list(self.on_resource);
        let whole = on_resource.pop().map(|mut last| {
            last.statements.extend(on_resource.into_iter().flat_map(|document| document.statements));
            last
        });
        let mut context = Context::complete();
        for (key, value) in self.context {
            context.set(ConditionKey::new(key), vec![(*value).into()]);
        }
        let request = Request {
            principal: Principal::parse(self.principal).unwrap(),
            action: self.action.parse().unwrap(),
            resource: self.resource.parse().unwrap(),
            resource_account: Some(self.owner.parse().unwrap()),
            context,
        };
        let policies = Policies {
            identity: identity.iter().collect(),
            resource: whole.as_ref(),
            boundary: boundary.iter().collect(),
            session: session.iter().collect(),
            scps: scps.iter().map(|level| level.iter().collect()).collect(),
            rcps: rcps.iter().map(|level| level.iter().collect()).collect(),
            vpc_endpoint: endpoint.iter().collect(),
            principal_is_management_account: self.management,
            principal_is_service_linked_role: self.service_linked,
        };
        evaluate(&request, &policies)
    }

    #[track_caller]
    fn check(&self, expected: &str) -> Decision {
        let decision = self.decision();
        assert_eq!(decision.outcome.as_str(), expected, "{decision:?}");
        decision
    }
}

/// A statement of a resource policy that allows everything to a principal.
fn to(principal: &str) -> String {
    format!(r#"{ALL}, "Principal": {principal}"#)
}

const EVERYONE: &str = r#""Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*""#;
const NOBODY: &str = r#""Effect": "Deny", "Action": "*", "Resource": "*", "Principal": "*""#;

#[test]
fn a_deny_in_any_layer_is_an_explicit_deny_by_that_layer() {
    let open = Asked {
        principal: SESSION,
        identity: &[ALL],
        on_resource: &[EVERYONE],
        boundary: &[ALL],
        session: &[ALL],
        scps: &[&[ALL], &[ALL]],
        rcps: &[],
        endpoint: &[EVERYONE],
        ..ASKED
    };
    open.check("allow");
    for (layer, asked) in [
        (Layer::Identity, Asked { identity: &[ALL, NONE], ..open }),
        (Layer::Resource, Asked { on_resource: &[EVERYONE, NOBODY], ..open }),
        (Layer::Boundary, Asked { boundary: &[ALL, NONE], ..open }),
        (Layer::Session, Asked { session: &[ALL, NONE], ..open }),
        (Layer::ServiceControl, Asked { scps: &[&[ALL, NONE], &[ALL]], ..open }),
        (Layer::ServiceControl, Asked { scps: &[&[ALL], &[ALL, NONE]], ..open }),
        (Layer::ResourceControl, Asked { rcps: &[&[], &[NOBODY]], ..open }),
        (Layer::VpcEndpoint, Asked { endpoint: &[EVERYONE, NOBODY], ..open }),
    ] {
        let decision = asked.check("explicit_deny");
        assert_eq!(decision.layers.get(layer), LayerOutcome::ExplicitDeny, "{layer}");
        assert!(decision.because.iter().all(|at| at.layer == layer), "{layer}: {:?}", decision.because);
    }
}

#[test]
fn a_layer_that_limits_and_is_silent_is_an_implicit_deny() {
    let open = Asked { principal: SESSION, identity: &[ALL], ..ASKED };
    for (layer, asked) in [
        (Layer::Boundary, Asked { boundary: &[OTHER], ..open }),
        (Layer::Session, Asked { session: &[OTHER], ..open }),
        (Layer::ServiceControl, Asked { scps: &[&[ALL], &[]], ..open }),
        (Layer::ServiceControl, Asked { scps: &[&[], &[ALL]], ..open }),
        (Layer::ServiceControl, Asked { scps: &[&[ALL], &[OTHER], &[ALL]], ..open }),
        (
            Layer::VpcEndpoint,
            Asked { endpoint: &[r#""Effect": "Allow", "Action": "sns:*", "Resource": "*", "Principal": "*""#], ..open },
        ),
    ] {
        let decision = asked.check("implicit_deny");
        assert_eq!(decision.layers.get(layer), LayerOutcome::ImplicitDeny, "{layer}");
    }
}

#[test]
fn layers_that_limit_never_grant() {
    let limits = Asked {
        principal: SESSION,
        boundary: &[ALL],
        session: &[ALL],
        scps: &[&[ALL]],
        rcps: &[&[]],
        endpoint: &[EVERYONE],
        ..ASKED
    };
    limits.check("implicit_deny");
    Asked { identity: &[ALL], ..limits }.check("allow");
}

#[test]
fn one_side_suffices_in_one_account_and_both_are_needed_across() {
    let named = to(&format!(r#"{{"AWS": "{USER}"}}"#));
    let named = [named.as_str()];
    for (identity, on_resource, same, across) in [
        (&[][..], &[][..], "implicit_deny", "implicit_deny"),
        (&[ALL], &[], "allow", "implicit_deny"),
        (&[], &named, "allow", "implicit_deny"),
        (&[ALL], &named, "allow", "allow"),
    ] {
        let asked = Asked { identity, on_resource, ..ASKED };
        asked.check(same);
        // The owner comes from the request: the ARN of an object names no account.
        Asked { owner: THERE, ..asked }.check(across);
    }
}

/// "Evaluating resource-based policies": whom the statement names decides what else limits the grant.
#[test]
fn whom_a_resource_policy_names_decides_what_limits_the_grant() {
    let aws = |arn: &str| to(&format!(r#"{{"AWS": "{arn}"}}"#));
    // (principal of the statement, caller, by itself, within a boundary that is silent, within a silent session policy)
    for (statement, caller, alone, boundary, session) in [
        (aws(USER), USER, true, true, true),
        (aws(ROLE), SESSION, true, false, false),
        (aws(ROLE), ROLE, true, false, false),
        (aws(SESSION), SESSION, true, true, true),
        (aws(FEDERATED), FEDERATED, true, true, true),
        (aws(HERE), USER, false, false, false),
        (aws(ROOT), SESSION, false, false, false),
        (EVERYONE.to_owned(), USER, true, true, true),
        (to(r#"{"AWS": "*"}"#), SESSION, true, true, true),
        (to(r#"{"AWS": "*"}"#), FEDERATED, true, true, true),
        (aws(THERE), USER, false, false, false),
        (aws("arn:aws:iam::444455556666:role/R"), SESSION, false, false, false),
        (aws("arn:aws:sts::111122223333:assumed-role/R/other"), SESSION, false, false, false),
        (aws("arn:aws:iam::111122223333:role/path/of/R"), SESSION, true, false, false),
    ] {
        let on_resource = [statement.as_str()];
        let asked = Asked { principal: caller, on_resource: &on_resource, ..ASKED };
        let word = |allowed: bool| if allowed { "allow" } else { "implicit_deny" };
        asked.check(word(alone));
        Asked { boundary: &[OTHER], ..asked }.check(word(boundary));
        Asked { session: &[OTHER], ..asked }.check(word(session));
        // Across accounts the boundary counts whomever the statement names.
        let across = Asked { owner: THERE, identity: &[ALL], boundary: &[OTHER], ..asked };
        across.check("implicit_deny");
    }
    // The account delegates: with the identity's allow it is allowed.
    let on_resource = [aws(HERE)];
    Asked { on_resource: &[&on_resource[0]], identity: &[ALL], ..ASKED }.check("allow");
}

#[test]
fn a_federated_user_of_a_named_user_is_limited_by_boundary_and_session() {
    let named = to(&format!(r#"{{"AWS": "{USER}"}}"#));
    let asked = Asked { principal: FEDERATED, on_resource: &[&named], session: &[ALL], ..ASKED };
    asked.check("allow");
    Asked { session: &[OTHER], ..asked }.check("implicit_deny");
    Asked { boundary: &[OTHER], ..asked }.check("implicit_deny");
}

#[test]
fn a_federated_user_without_session_policies_has_only_what_names_it() {
    Asked { principal: FEDERATED, identity: &[ALL], ..ASKED }.check("implicit_deny");
    Asked { principal: FEDERATED, identity: &[ALL], session: &[ALL], ..ASKED }.check("allow");
    for action in ["iam:GetUser", "sts:AssumeRole"] {
        let asked = Asked { principal: FEDERATED, action, resource: ROLE, identity: &[ALL], session: &[ALL], ..ASKED };
        let trust = to(&format!(r#"{{"AWS": "{FEDERATED}"}}"#));
        asked.check("implicit_deny");
        Asked { on_resource: &[&trust], ..asked }.check("implicit_deny");
    }
    Asked { principal: FEDERATED, action: "sts:GetCallerIdentity", resource: "*", ..ASKED }.check("allow");
}

#[test]
fn session_policies_add_up_and_then_limit() {
    let get = r#""Effect": "Allow", "Action": "s3:Get*", "Resource": "*""#;
    let asked = Asked { principal: SESSION, identity: &[ALL], session: &[OTHER, get], ..ASKED };
    asked.check("allow");
    Asked { action: "s3:PutObject", ..asked }.check("implicit_deny");
    Asked { action: "sns:Publish", resource: "arn:aws:sns:eu-west-1:111122223333:t", ..asked }.check("allow");
    Asked { identity: &[], ..asked }.check("implicit_deny");
}

#[test]
fn the_root_user_needs_no_policy_but_is_bound_by_guardrails_and_the_resource() {
    let asked = Asked { principal: ROOT, ..ASKED };
    asked.check("allow");
    Asked { scps: &[&[ALL, NONE]], ..asked }.check("explicit_deny");
    Asked { scps: &[&[]], ..asked }.check("implicit_deny");
    Asked { scps: &[&[NONE]], management: true, ..asked }.check("allow");
    Asked { on_resource: &[NOBODY], ..asked }.check("explicit_deny");
    Asked { rcps: &[&[NOBODY]], ..asked }.check("explicit_deny");
    Asked { endpoint: &[NOBODY], ..asked }.check("explicit_deny");
    Asked { owner: THERE, ..asked }.check("implicit_deny");
    let there = to(&format!(r#"{{"AWS": "{HERE}"}}"#));
    Asked { owner: THERE, on_resource: &[&there], ..asked }.check("allow");
    Asked { action: "kms:Decrypt", resource: KEY, ..asked }.check("implicit_deny");
    let key = to(&format!(r#"{{"AWS": "{ROOT}"}}"#));
    Asked { action: "kms:Decrypt", resource: KEY, on_resource: &[&key], ..asked }.check("allow");
}

#[test]
fn get_caller_identity_succeeds_under_every_deny() {
    let asked = Asked { action: "STS:getcalleridentity", resource: "*", identity: &[NONE], ..ASKED };
    for principal in [USER, SESSION, FEDERATED, ROOT] {
        Asked { principal, scps: &[&[NONE]], boundary: &[NONE], ..asked }.check("allow");
    }
}

#[test]
fn a_key_policy_must_allow_whatever_identities_say() {
    let asked = Asked { principal: SESSION, action: "kms:Decrypt", resource: KEY, identity: &[ALL], ..ASKED };
    let (account, role) = (to(&format!(r#"{{"AWS": "{HERE}"}}"#)), to(&format!(r#"{{"AWS": "{ROLE}"}}"#)));
    asked.check("implicit_deny");
    Asked { on_resource: &[&account], ..asked }.check("allow");
    Asked { on_resource: &[&account], identity: &[], ..asked }.check("implicit_deny");
    Asked { on_resource: &[&role], identity: &[], ..asked }.check("allow");
    Asked { on_resource: &[&account], boundary: &[OTHER], ..asked }.check("implicit_deny");
    // Across accounts the identity must allow too, however the key policy names it.
    Asked { on_resource: &[&role], owner: THERE, ..asked }.check("allow");
    Asked { on_resource: &[&role], owner: THERE, identity: &[], ..asked }.check("implicit_deny");
    // What is no key follows the ordinary rules.
    Asked { action: "kms:ListKeys", resource: "*", ..asked }.check("allow");
    Asked { action: "kms:CreateAlias", resource: "arn:aws:kms:eu-west-1:111122223333:alias/a", ..asked }.check("allow");
    Asked { action: "kms:CreateAlias", resource: "arn:aws:kms:eu-west-1:111122223333:alias/aws/s3", ..asked }
        .check("implicit_deny");
}

#[test]
fn a_trust_policy_must_allow_whoever_assumes_the_role() {
    let trust = |principal: &str| format!(r#""Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {principal}"#);
    let (user, account) = (trust(&format!(r#"{{"AWS": "{USER}"}}"#)), trust(&format!(r#"{{"AWS": "{HERE}"}}"#)));
    let asked = Asked { action: "sts:AssumeRole", resource: ROLE, ..ASKED };
    Asked { identity: &[ALL], ..asked }.check("implicit_deny");
    Asked { on_resource: &[&user], ..asked }.check("allow");
    Asked { on_resource: &[&account], ..asked }.check("implicit_deny");
    Asked { on_resource: &[&account], identity: &[ALL], ..asked }.check("allow");
    Asked { on_resource: &[&account], identity: &[ALL, NONE], ..asked }.check("explicit_deny");
    // Tags of a session are an action of their own.
    Asked { action: "sts:TagSession", on_resource: &[&user], identity: &[ALL], ..asked }.check("implicit_deny");
    // Another account.
    let there = Asked { resource: "arn:aws:iam::444455556666:role/R", owner: THERE, ..asked };
    Asked { on_resource: &[&user], ..there }.check("implicit_deny");
    Asked { on_resource: &[&user], identity: &[ALL], ..there }.check("allow");
    // Reading or passing a role asks its identity's policies alone.
    for action in ["iam:GetRole", "iam:PassRole"] {
        Asked { action, identity: &[ALL], ..asked }.check("allow");
    }
}

#[test]
fn providers_and_services_assume_roles_by_the_trust_policy_alone() {
    let saml = "arn:aws:iam::111122223333:saml-provider/Corp";
    let oidc = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    for (principal, action, element, expected) in [
        ("lambda.amazonaws.com", "sts:AssumeRole", r#"{"Service": "lambda.amazonaws.com"}"#, "allow"),
        (
            "lambda.amazonaws.com",
            "sts:AssumeRole",
            r#"{"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}"#,
            "allow",
        ),
        ("ec2.amazonaws.com", "sts:AssumeRole", r#"{"Service": "lambda.amazonaws.com"}"#, "implicit_deny"),
        ("alexa-appkit.amazon.com", "sts:AssumeRole", r#"{"Service": "alexa-appkit.amazon.com"}"#, "allow"),
        (saml, "sts:AssumeRoleWithSAML", &format!(r#"{{"Federated": "{saml}"}}"#), "allow"),
        (oidc, "sts:AssumeRoleWithWebIdentity", &format!(r#"{{"Federated": "{oidc}"}}"#), "allow"),
        (oidc, "sts:AssumeRoleWithWebIdentity", &format!(r#"{{"Federated": "{saml}"}}"#), "implicit_deny"),
        ("accounts.google.com", "sts:AssumeRoleWithWebIdentity", r#"{"Federated": "accounts.google.com"}"#, "allow"),
        (
            "cognito-identity.amazonaws.com",
            "sts:AssumeRoleWithWebIdentity",
            r#"{"Federated": "cognito-identity.amazonaws.com"}"#,
            "allow",
        ),
        (oidc, "sts:AssumeRoleWithWebIdentity", r#"{"Federated": "*"}"#, "allow"),
    ] {
        let trust = format!(r#""Effect": "Allow", "Action": "{action}", "Principal": {element}"#);
        Asked { principal, action, resource: ROLE, on_resource: &[&trust], scps: &[&[NONE]], ..ASKED }.check(expected);
    }
}

#[test]
fn services_are_bound_by_resource_policies_and_resource_control_policies_only() {
    let to_service = to(r#"{"Service": "cloudtrail.amazonaws.com"}"#);
    let asked = Asked { principal: "cloudtrail.amazonaws.com", on_resource: &[&to_service], ..ASKED };
    asked.check("allow");
    Asked { scps: &[&[NONE]], boundary: &[NONE], session: &[NONE], ..asked }.check("allow");
    Asked { rcps: &[&[NOBODY]], ..asked }.check("explicit_deny");
    let unless_service =
        format!(r#"{NOBODY}, "Condition": {{"BoolIfExists": {{"aws:PrincipalIsAWSService": "false"}}}}"#);
    Asked { rcps: &[&[&unless_service]], context: &[("aws:PrincipalIsAWSService", "true")], ..asked }.check("allow");
    // The confused deputy: whose behalf the service acts on.
    let deputy = format!(r#"{to_service}, "Condition": {{"StringEquals": {{"aws:SourceAccount": "{HERE}"}}}}"#);
    let asked = Asked { on_resource: &[&deputy], ..asked };
    asked.check("implicit_deny");
    Asked { context: &[("aws:SourceAccount", THERE)], ..asked }.check("implicit_deny");
    Asked { context: &[("AWS:sourceaccount", HERE)], ..asked }.check("allow");
}

#[test]
fn function_versions_and_aliases_are_resources_of_their_own() {
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    let on =
        |resource: &str| format!(r#""Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "{resource}""#);
    for (pattern, qualifier, expected) in [
        ("", "", "allow"),
        ("", ":PROD", "implicit_deny"),
        (":PROD", ":PROD", "allow"),
        (":PROD", "", "implicit_deny"),
        (":*", ":7", "allow"),
        (":*", "", "implicit_deny"),
        ("*", "", "allow"),
        ("*", ":PROD", "allow"),
        ("*", "oo:PROD", "allow"),
    ] {
        let identity = on(&format!("{function}{pattern}"));
        let resource = format!("{function}{qualifier}");
        Asked { action: "lambda:InvokeFunction", resource: &resource, identity: &[&identity], ..ASKED }.check(expected);
    }
}

#[test]
fn an_action_without_a_resource_wants_the_star() {
    for (pattern, expected) in [
        ("*", "allow"),
        ("**", "allow"),
        ("arn:*", "implicit_deny"),
        ("arn:aws:s3:::*", "implicit_deny"),
        ("arn:*:*:*:*:*", "implicit_deny"),
    ] {
        let identity = format!(r#""Effect": "Allow", "Action": "s3:List*", "Resource": "{pattern}""#);
        Asked { action: "s3:ListAllMyBuckets", resource: "*", identity: &[&identity], ..ASKED }.check(expected);
        let not = format!(r#""Effect": "Allow", "Action": "s3:List*", "NotResource": "{pattern}""#);
        let opposite = if expected == "allow" { "implicit_deny" } else { "allow" };
        Asked { action: "s3:ListAllMyBuckets", resource: "*", identity: &[&not], ..ASKED }.check(opposite);
    }
}

#[test]
fn guardrails_do_not_bind_whom_aws_exempts() {
    let asked = Asked { principal: SESSION, identity: &[ALL], scps: &[&[ALL], &[NONE]], ..ASKED };
    asked.check("explicit_deny");
    let decision = Asked { management: true, ..asked }.check("allow");
    assert_eq!(decision.layers.get(Layer::ServiceControl), LayerOutcome::NotApplicable);
    Asked { service_linked: true, ..asked }.check("allow");
    let asked = Asked { scps: &[], rcps: &[&[NOBODY]], ..asked };
    asked.check("explicit_deny");
    Asked { service_linked: true, ..asked }.check("allow");
    // Resources of the management account are exempt; its principals are not, elsewhere.
    Asked { management: true, ..asked }.check("allow");
    let there = to(&format!(r#"{{"AWS": "{HERE}"}}"#));
    Asked { management: true, owner: THERE, on_resource: &[&there], ..asked }.check("explicit_deny");
}

#[test]
fn resource_control_policies_bind_strangers_and_the_unsigned() {
    let org = format!(r#"{NOBODY}, "Condition": {{"StringNotEqualsIfExists": {{"aws:PrincipalOrgID": "o-1"}}}}"#);
    let asked = Asked { on_resource: &[EVERYONE], rcps: &[&[], &[&org]], ..ASKED };
    // A deny holds of a key that is missing, `IfExists` or not.
    Asked { principal: "anonymous", ..asked }.check("explicit_deny");
    let stranger = Asked { owner: THERE, identity: &[ALL], ..asked };
    Asked { context: &[("aws:PrincipalOrgID", "o-2")], ..stranger }.check("explicit_deny");
    Asked { context: &[("aws:PrincipalOrgID", "o-1")], ..stranger }.check("allow");
}

#[test]
fn a_service_control_policy_takes_the_whole_language() {
    for (statement, region, expected) in [
        (r#""Effect": "Allow", "NotAction": "iam:*", "Resource": "*""#, "eu", "allow"),
        (r#""Effect": "Allow", "NotAction": "s3:*", "Resource": "*""#, "eu", "implicit_deny"),
        (r#""Effect": "Allow", "Action": "s3:*Object", "Resource": "arn:aws:s3:::b/*""#, "eu", "allow"),
        (r#""Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*""#, "eu", "implicit_deny"),
        (
            r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "eu"}}"#,
            "us",
            "implicit_deny",
        ),
        (
            r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "eu"}}"#,
            "eu",
            "allow",
        ),
    ] {
        let context = [("aws:RequestedRegion", region)];
        Asked { identity: &[ALL], scps: &[&[ALL], &[statement]], context: &context, ..ASKED }.check(expected);
    }
}

#[test]
fn an_endpoint_policy_limits_every_caller_by_name() {
    let named = to(&format!(r#"{{"AWS": "{ROLE}"}}"#));
    Asked { principal: SESSION, identity: &[ALL], endpoint: &[&named], ..ASKED }.check("allow");
    Asked { principal: USER, identity: &[ALL], endpoint: &[&named], ..ASKED }.check("implicit_deny");
    Asked { principal: "anonymous", on_resource: &[EVERYONE], endpoint: &[&named], ..ASKED }.check("implicit_deny");
    Asked { principal: "anonymous", on_resource: &[EVERYONE], endpoint: &[EVERYONE], ..ASKED }.check("allow");
}

/// A condition on one statement; the context holds one key.
#[test]
fn conditions_of_the_user_guide() {
    let mfa = "aws:MultiFactorAuthPresent";
    for (condition, context, holds) in [
        // Long-term keys carry no such key at all.
        (r#"{"Bool": {"aws:MultiFactorAuthPresent": "false"}}"#, &[][..], false),
        (r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#, &[], true),
        (r#"{"Null": {"aws:MultiFactorAuthPresent": true}}"#, &[], true),
        (r#"{"Null": {"aws:MultiFactorAuthPresent": "false"}}"#, &[(mfa, "false")], true),
        (r#"{"Bool": {"aws:MultiFactorAuthPresent": true}}"#, &[(mfa, "TRUE")], true),
        (r#"{"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}}"#, &[("aws:MultiFactorAuthAge", "59.5")], true),
        (r#"{"NumericLessThan": {"aws:MultiFactorAuthAge": "9"}}"#, &[("aws:MultiFactorAuthAge", "10")], false),
        // Dates: any documented form against any other.
        (r#"{"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}"#, &[("aws:CurrentTime", "1767225599")], true),
        (
            r#"{"DateLessThanEquals": {"aws:EpochTime": "1767225600"}}"#,
            &[("aws:EpochTime", "2026-01-01T01:00:00+01:00")],
            true,
        ),
        (
            r#"{"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}"#,
            &[("aws:CurrentTime", "2026-01-01T00:00:00.5Z")],
            true,
        ),
        // Addresses.
        (
            r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}"#,
            &[("aws:SourceIp", "2001:DB8:0::1")],
            true,
        ),
        (r#"{"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}"#, &[("aws:SourceIp", "2001:db8::1")], true),
        (r#"{"NotIpAddress": {"aws:SourceIp": "::/0"}}"#, &[("aws:SourceIp", "2001:db8::1")], false),
        (r#"{"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, &[], true),
        (r#"{"IpAddress": {"aws:SourceIp": "10.1.2.3/8"}}"#, &[("aws:SourceIp", "10.255.255.255")], true),
        (r#"{"BinaryEquals": {"k:b": "QmluYXJ5"}}"#, &[("k:b", "QmluYXJ5")], true),
        (r#"{"BinaryEquals": {"k:b": "QmluYXJ5"}}"#, &[("k:b", "qmluyxj5")], false),
        // Keys and tag keys without regard to case, values with it.
        (r#"{"StringEquals": {"aws:principaltag/TEAM": "a"}}"#, &[("aws:PrincipalTag/team", "a")], true),
        (r#"{"StringEquals": {"aws:PrincipalTag/team": "A"}}"#, &[("aws:PrincipalTag/team", "a")], false),
        (r#"{"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "A"}}"#, &[("aws:PrincipalTag/team", "a")], true),
        // Variables, defaults, escapes.
        (
            r#"{"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}}"#,
            &[("aws:PrincipalTag/team", "a")],
            false,
        ),
        (
            r#"{"StringNotEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}}"#,
            &[("aws:PrincipalTag/team", "a")],
            true,
        ),
        (
            r#"{"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team, 'a'}"}}"#,
            &[("aws:PrincipalTag/team", "a")],
            true,
        ),
        (r#"{"StringLike": {"k:t": "${*}*"}}"#, &[("k:t", "*x")], true),
        (r#"{"StringLike": {"k:t": "${*}*"}}"#, &[("k:t", "x*")], false),
        (r#"{"StringEquals": {"k:t": "${$}{aws:username}"}}"#, &[("k:t", "${aws:username}")], true),
        (r#"{"StringLike": {"k:t": "${k:u}"}}"#, &[("k:t", "ab"), ("k:u", "a*")], false),
        (r#"{"NumericEquals": {"k:n": "${k:m}"}}"#, &[("k:n", "1"), ("k:m", "1")], false),
        // ARNs segment by segment; text across colons.
        (r#"{"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}"#, &[("aws:SourceArn", "arn:aws:s3:::b")], true),
        (r#"{"ArnEquals": {"aws:SourceArn": "arn:aws:*:b"}}"#, &[("aws:SourceArn", "arn:aws:s3:::b")], false),
        (r#"{"StringLike": {"aws:SourceArn": "arn:aws:*:b"}}"#, &[("aws:SourceArn", "arn:aws:s3:::b")], true),
        (r#"{"ArnNotLike": {"aws:SourceArn": "arn:aws:iam::*:role/a"}}"#, &[], true),
        (
            r#"{"ArnLike": {"k:a": "arn:aws:iam::${aws:PrincipalAccount}:role/*"}}"#,
            &[("k:a", "arn:aws:iam::1:role/x"), ("aws:PrincipalAccount", "1")],
            true,
        ),
        // Several operators and several keys must all hold; several values are alternatives.
        (r#"{"StringEquals": {"k:a": ["x", "y"], "k:b": "z"}}"#, &[("k:a", "y"), ("k:b", "z")], true),
        (r#"{"StringEquals": {"k:a": "y"}, "StringLike": {"k:a": "x*"}}"#, &[("k:a", "y")], false),
        (r#"{"StringNotEquals": {"k:a": ["x", "y"]}}"#, &[("k:a", "y")], false),
        (r#"{"StringNotEquals": {"k:a": ["x", "y"]}}"#, &[("k:a", "z")], true),
        (r#"{"StringEquals": {"k:a": []}}"#, &[("k:a", "")], false),
        // Calls of a service on behalf of the caller keep who it is and lose where it is.
        (
            r#"{"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool": {"aws:ViaAWSService": "false"}}"#,
            &[("aws:ViaAWSService", "true")],
            false,
        ),
        (
            r#"{"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}"#,
            &[("aws:CalledVia", "athena.amazonaws.com")],
            true,
        ),
    ] {
        let identity = format!(r#"{ALL}, "Condition": {condition}"#);
        let asked = Asked { identity: &[&identity], context, ..ASKED };
        asked.check(if holds { "allow" } else { "implicit_deny" });
        // The same in a deny.
        let deny = format!(r#"{NONE}, "Condition": {condition}"#);
        Asked { identity: &[ALL, &deny], ..asked }.check(if holds { "explicit_deny" } else { "allow" });
    }
}

#[test]
fn variables_in_resources() {
    for (pattern, context, resource, holds) in [
        ("arn:aws:s3:::b/${aws:username}/*", &[("aws:username", "u")][..], "arn:aws:s3:::b/u/k", true),
        ("arn:aws:s3:::b/${aws:username}/*", &[("aws:username", "*")], "arn:aws:s3:::b/u/k", false),
        ("arn:aws:s3:::b/${aws:username}/*", &[], "arn:aws:s3:::b/u/k", false),
        ("arn:aws:s3:::b/${aws:username, 'all'}/*", &[], "arn:aws:s3:::b/all/k", true),
        ("arn:aws:s3:::b/${aws:PrincipalTag/a:b}/*", &[("aws:PrincipalTag/a:b", "t")], "arn:aws:s3:::b/t/k", true),
        ("arn:aws:s3:::b/${*}/k", &[], "arn:aws:s3:::b/*/k", true),
        ("arn:aws:s3:::b/${*}/k", &[], "arn:aws:s3:::b/x/k", false),
        (
            "arn:aws:sqs:eu-west-1:111122223333:${aws:username}-queue",
            &[("aws:username", "u")],
            "arn:aws:sqs:eu-west-1:111122223333:u-queue",
            true,
        ),
        (
            "arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:q",
            &[("aws:PrincipalAccount", HERE)],
            "arn:aws:sqs:eu-west-1:111122223333:q",
            false,
        ),
    ] {
        let identity = format!(r#""Effect": "Allow", "Action": "*", "Resource": "{pattern}""#);
        Asked { identity: &[&identity], context, resource, ..ASKED }.check(if holds {
            "allow"
        } else {
            "implicit_deny"
        });
    }
}
