//! Who lifts its own limits: boundaries and denies. Users were found, and roles, groups and the limits' own texts were not.

use super::*;

/// What limits a principal.
enum Limit<'s> {
    /// A boundary that allows this.
    Boundary(&'s str),
    /// A deny of all but this, in a policy of its own.
    Inline(&'s str),
    /// The same, in a managed policy.
    Managed(&'s str),
}

fn managed(name: &str, statement: &str) -> String {
    format!(
        r#"{{"PolicyName": "{name}", "Arn": "arn:aws:iam::111122223333:policy/{name}", "DefaultVersionId": "v1",
            "PolicyVersionList": [{{"VersionId": "v1", "IsDefaultVersion": true, "Document":
            {{"Version": "2012-10-17", "Statement": [{statement}]}}}},
            {{"VersionId": "v0", "IsDefaultVersion": false, "Document": {{"Version": "2012-10-17", "Statement": [{ADMIN}]}}}}]}}"#
    )
}

fn but(action: &str) -> String {
    format!(r#"{{"Effect": "Deny", "NotAction": ["{action}", "s3:*"], "Resource": "*"}}"#)
}

fn attached(name: &str) -> String {
    format!(r#"[{{"PolicyName": "{name}", "PolicyArn": "arn:aws:iam::111122223333:policy/{name}"}}]"#)
}

/// The account of a role that may do everything, limited so.
fn limited(limit: &Limit<'_>) -> String {
    let boundary = r#""PermissionsBoundary": {"PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/limit"}, "#;
    let (own, more, policy) = match limit {
        Limit::Boundary(action) => {
            let allowed = format!(r#"{{"Effect": "Allow", "Action": ["{action}", "s3:*"], "Resource": "*"}}"#);
            (ADMIN.to_owned(), boundary.to_owned(), managed("limit", &allowed))
        }
        Limit::Inline(_) => (ADMIN.to_owned(), String::new(), managed("limit", "")),
        Limit::Managed(action) => {
            let attached = format!(r#""AttachedManagedPolicies": {}, "#, attached("limit"));
            (ADMIN.to_owned(), attached, managed("limit", &but(action)))
        }
    };
    let mut role = lambda_role("x", &own);
    if matches!(limit, Limit::Managed(_)) {
        role = role.replacen(r#""AttachedManagedPolicies": [],"#, "", 1);
    }
    // Denies stand beside what they limit in a policy of their own.
    if let Limit::Inline(action) = limit {
        let apart = format!(
            r#"}}}}, {{"PolicyName": "deny", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [{}]}}}}]"#,
            but(action)
        );
        role = lambda_role("x", ADMIN).replacen("}}]", &apart, 1);
    }
    let role = role.replacen('{', &format!("{{{more}"), 1);
    account(&[], &[role], "").replacen(r#""Policies": []"#, &format!(r#""Policies": [{policy}]"#), 1)
}

#[test]
fn a_role_that_lifts_its_own_limits_is_an_administrator_in_waiting() {
    for (limit, technique) in [
        (Limit::Boundary("iam:DeleteRolePermissionsBoundary"), "x-iam-role-deleteboundary"),
        (Limit::Boundary("iam:PutRolePermissionsBoundary"), "x-iam-role-putboundary"),
        (Limit::Boundary("iam:CreatePolicyVersion"), "x-iam-boundary-newversion"),
        (Limit::Boundary("iam:SetDefaultPolicyVersion"), "x-iam-boundary-oldversion"),
        (Limit::Inline("iam:DeleteRolePolicy"), "x-iam-role-deletedeny"),
        (Limit::Inline("iam:PutRolePolicy"), "iam-005"),
        (Limit::Managed("iam:DetachRolePolicy"), "x-iam-role-detachdeny"),
        (Limit::Managed("iam:CreatePolicyVersion"), "iam-001"),
    ] {
        assert_eq!(edges(&limited(&limit)), [format!("x {technique} x!")]);
    }
    // A managed deny is there still after its inline policies are gone, and the other way round; what asks for a user is
    // nothing to a role.
    for limit in [
        Limit::Managed("iam:DeleteRolePolicy"),
        Limit::Inline("iam:DetachRolePolicy"),
        Limit::Boundary("iam:DeleteUserPermissionsBoundary"),
        Limit::Inline("iam:DeleteUserPolicy"),
        Limit::Boundary("iam:GetRole"),
    ] {
        assert_eq!(edges(&limited(&limit)), Vec::<String>::new());
    }
}

#[test]
fn who_writes_itself_everything_may_lift_its_boundary_next() {
    let of = |allowed: &str| {
        let text = limited(&Limit::Boundary("iam:PutRolePolicy"));
        let put = r#"{"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "*"}"#;
        edges(&text.replacen(ADMIN, put, 1).replacen(r#"["iam:PutRolePolicy", "s3:*"]"#, allowed, 1))
    };
    assert_eq!(of(r#"["iam:PutRolePolicy", "s3:*"]"#), ["x iam-005 x"]);
    assert_eq!(of(r#"["iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"]"#), ["x iam-005 x!"]);
}

#[test]
fn a_user_sheds_the_denies_of_its_groups() {
    let group = |inline: &str, attached: &str| {
        format!(
            r#""GroupDetailList": [{{"GroupName": "g", "Arn": "arn:aws:iam::111122223333:group/g",
                "GroupPolicyList": [{inline}], "AttachedManagedPolicies": {attached}}}]"#
        )
    };
    let text = |group: &str, policy: &str| {
        let user = user("u", ADMIN).replacen(r#""GroupList": []"#, r#""GroupList": ["g"]"#, 1);
        let text = account(&[user], &[], "").replacen(r#""GroupDetailList": []"#, group, 1);
        text.replacen(r#""Policies": []"#, &format!(r#""Policies": [{policy}]"#), 1)
    };
    let inline = |action: &str| {
        let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, but(action));
        text(&group(&format!(r#"{{"PolicyName": "d", "PolicyDocument": {document}}}"#), "[]"), "")
    };
    let managed_by = |action: &str| text(&group("", &attached("limit")), &managed("limit", &but(action)));
    assert_eq!(edges(&inline("iam:DeleteGroupPolicy")), ["u x-iam-group-deletedeny u!"]);
    assert_eq!(edges(&inline("iam:RemoveUserFromGroup")), ["u x-iam-group-leave u!"]);
    assert_eq!(edges(&inline("iam:DetachGroupPolicy")), Vec::<String>::new());
    assert_eq!(edges(&managed_by("iam:DetachGroupPolicy")), ["u x-iam-group-detachdeny u!"]);
    assert_eq!(edges(&managed_by("iam:RemoveUserFromGroup")), ["u x-iam-group-leave u!"]);
    assert_eq!(edges(&managed_by("iam:DeleteGroupPolicy")), Vec::<String>::new());
}

#[test]
fn a_pod_is_given_a_role_that_trusts_pods() {
    let pass =
        r#"{"Effect": "Allow", "Action": ["iam:PassRole", "eks:CreatePodIdentityAssociation"], "Resource": "*"}"#;
    let pods = role("boss", r#"{"Service": "pods.eks.amazonaws.com"}"#, ADMIN);
    let roles = [pods, lambda_role("other", ADMIN)];
    check(&[user("dev", pass)], &roles, "", &["dev x-eks-podidentity boss!"]);
}

/// A tag that opens a role, or a user's policies, was judged as it is, and nothing said who may set it.
#[test]
fn who_may_set_tags_that_policies_ask_for_is_told() {
    let tag = r#"{"Effect": "Allow", "Action": "iam:TagRole", "Resource": "*"}"#;
    let asks = r#"{"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*",
        "Condition": {"StringEquals": {"iam:ResourceTag/team": "red"}}}"#;
    let told = |users: &[String]| {
        with_graph(&account(users, &[lambda_role("boss", ADMIN)], ""), &[], AccessGraph::not_checked)
    };
    let both = user("dev", &format!("{tag}, {asks}"));
    let expected = "account 111122223333: policies ask for the tags `team`, which dev may set on users or roles";
    assert!(told(&[both])[0].starts_with(expected));
    assert!(told(&[user("dev", tag)]).is_empty() && told(&[user("dev", asks)]).is_empty());
    let denied = format!(r#"{tag}, {asks}, {{"Effect": "Deny", "Action": "iam:Tag*", "Resource": "*"}}"#);
    assert!(told(&[user("dev", &denied)]).is_empty());
}
