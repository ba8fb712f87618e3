//! Patterns: `Action` and `Resource` match what the definition of the wildcards says, and both engines agree on it.
//!
//! The input is four lines: an action pattern, a resource pattern, the resource part of an S3 ARN, a user name.

use iam_evaluate::permission_set::{PermissionSet, Possibility, Witness};
use iam_evaluate::{Context, Policies, ResourceName, evaluate};
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, Statement};

use super::decision;
use super::reference::{Step, matches, segments, steps};

const ACTION: &str = "s3:GetObject";

/// The law.
pub fn check(text: &str) {
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (action, resource, name, user) = (next(), next(), next(), next());
    if text.len() > 2_048 {
        return;
    }
    let arn = format!("arn:aws:s3:::{name}");
    let said = decide(action, "*", &arn, user);
    assert_eq!(said, Some(Some(covers_action(action))).filter(|_| arn_is(&arn)), "action {action:?}");
    let said = decide("*", resource, &arn, user);
    if let Some(expected) = covers_resource(resource, &arn, user) {
        assert_eq!(said, Some(expected).filter(|_| arn_is(&arn)), "resource {resource:?} on {arn:?} for {user:?}");
    }
}

fn arn_is(arn: &str) -> bool {
    arn.parse::<ResourceName>().is_ok()
}

/// Whether a statement with these patterns allows the request: nothing where there is no request; then nothing where
/// that is unknown. A permission set must not say otherwise.
fn decide(action: &str, resource: &str, arn: &str, user: &str) -> Option<Option<bool>> {
    let statement = Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::new(resource)]);
    let policy = PolicyDocument::new(vec![statement]);
    let mut context = Context::complete();
    let key = ConditionKey::new("aws:username");
    context.set(key.clone(), vec![user.into()]);
    let request = decision::request(ACTION, arn, context)?;
    let decision = evaluate(&request, &Policies { identity: vec![&policy], ..Policies::default() });
    decision::check(&decision);
    let said = decision::said(&decision);
    let witness = Witness {
        action: request.action,
        resource: ResourcePattern::new(arn),
        principal: None,
        context: [(key, vec![user.to_owned()])].into(),
    };
    match (PermissionSet::of_document(&policy).allows_request(&witness), said) {
        (Possibility::Yes, Some(false)) | (Possibility::No, Some(true)) => {
            panic!("the set and the evaluation differ on {action:?} {resource:?} {arn:?} {user:?}: {said:?}")
        }
        _ => {}
    }
    Some(said)
}

fn covers_action(pattern: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let Some((service, name)) = pattern.split_once(':') else { return false };
    let fold = |text: &str| text.to_ascii_lowercase();
    let named = matches(&steps(&fold(name)), "getobject");
    named && (service == "*" || fold(service) == "s3")
}

/// Whether a resource pattern covers an ARN; nothing where this reference does not say, then nothing where it is unknown.
fn covers_resource(pattern: &str, arn: &str, user: &str) -> Option<Option<bool>> {
    if pattern == "*" {
        return Some(Some(true));
    }
    let (before, variable, after) = match pattern.split_once("${aws:username}") {
        Some((before, after)) => (before, true, after),
        None => (pattern, false, ""),
    };
    if before.contains('$') || after.contains('$') {
        return None;
    }
    let parts = match segments(before) {
        Some(parts) => parts,
        // A variable before the sixth segment is text that no ARN of S3 holds; where it ends is not asked here.
        None if variable => return None,
        None if pattern.ends_with('*') => {
            let mut parts: Vec<&str> = pattern.split(':').collect();
            parts.resize(6, "*");
            parts
        }
        None => return Some(None),
    };
    let names = segments(arn)?;
    let (rest, last) = (parts.get(..5)?, parts.get(5)?);
    let mut tail = steps(last);
    if variable {
        tail.extend(user.chars().map(Step::Char));
        tail.extend(steps(after));
    }
    let first = rest.iter().zip(&names).all(|(pattern, text)| matches(&steps(pattern), text));
    Some(Some(first && matches(&tail, names.get(5)?)))
}
