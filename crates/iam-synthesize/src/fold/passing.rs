//! Kinds of things that are made for one use: what was seen is gone by the time the policy is written, and the next one
//! has another name.

use super::generated;

/// Service; the kind as it stands behind the account, `?` for a part that stays, `*` for what each one has of its own;
/// and how many must have been seen: of what may also be kept for years, as a copy to restore from, one says nothing, unless its name holds the day.
const MADE_FOR_ONE_USE: &[(&str, &str, usize)] = &[
    ("backup", "recovery-point:*", 2),
    ("batch", "job/*", 1),
    ("bedrock", "async-invoke/*", 1),
    ("bedrock", "model-invocation-job/*", 1),
    ("cloudformation", "changeSet/?/*", 1),
    ("codebuild", "build-batch/?:*", 1),
    ("codebuild", "build/?:*", 1),
    ("codebuild", "report/?:*", 1),
    ("datasync", "task/?/execution/*", 1),
    ("dynamodb", "table/?/backup/*", 1),
    ("dynamodb", "table/?/export/*", 1),
    ("dynamodb", "table/?/import/*", 1),
    ("ec2", "snapshot/*", 2),
    ("ec2", "spot-instances-request/*", 1),
    ("ecs", "task/?/*", 1),
    ("emr-containers", "/virtualclusters/?/jobruns/*", 1),
    ("emr-serverless", "/applications/?/jobruns/*", 1),
    ("glue", "session/*", 1),
    ("iot", "job/*", 1),
    ("rds", "cluster-snapshot:*", 2),
    ("rds", "snapshot:*", 2),
    ("s3", "job/*", 1),
    ("sagemaker", "processing-job/*", 1),
    ("sagemaker", "training-job/*", 1),
    ("sagemaker", "transform-job/*", 1),
    ("ssm", "automation-execution/*", 1),
    ("states", "execution:?:*", 1),
    ("states", "express:?:*", 1),
    ("states", "mapRun:?:*", 1),
    ("transcribe", "transcription-job/*", 1),
];

/// Letters and digits of the ids that AWS gives, behind their `-`.
const IDS: [usize; 2] = [8, 17];

/// An ARN with the name of its own as `*`, where the kind is made for one use and so many of it are enough.
pub(super) fn without_name(arn: &str, seen: usize) -> Option<String> {
    let (head, service, resource) = parts(arn)?;
    MADE_FOR_ONE_USE
        .iter()
        .filter(|(of, _, _)| *of == service)
        .find_map(|(_, kind, enough)| kept(resource, kind).map(|kept| (kept, *enough)))
        .map(|(kept, enough)| if enough <= seen { format!("{head}{kept}*") } else { generated::masked(arn) })
        .filter(|written| written != arn)
}

/// An ARN whose last part is an id that AWS gave (`i-0123456789abcdef0`), with it as `*`.
pub(super) fn without_id(arn: &str) -> Option<String> {
    let (head, _, resource) = parts(arn)?;
    let (kind, id) = resource.rsplit_once('/')?;
    let (prefix, digits) = id.rsplit_once('-')?;
    let is_id = IDS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let is_prefix = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_lowercase());
    (is_id && is_prefix && !kind.contains('*')).then(|| format!("{head}{kind}/*"))
}

/// What stands before the resource, the service, and the resource; nothing for an ARN with wildcards.
fn parts(arn: &str) -> Option<(&str, &str, &str)> {
    let at = arn.match_indices(':').nth(4).map(|(at, _)| at + 1)?;
    let (head, resource) = arn.split_at_checked(at)?;
    let service = head.split(':').nth(2)?;
    (!resource.contains(['*', '?'])).then_some((head, service, resource))
}

/// The start of a resource that stays, up to the `*` of its kind.
fn kept<'a>(resource: &'a str, kind: &str) -> Option<&'a str> {
    let mut rest = resource;
    for (number, literal) in kind.strip_suffix('*')?.split('?').enumerate() {
        if number > 0 {
            let end = rest.find([':', '/']).filter(|end| *end > 0)?;
            (_, rest) = rest.split_at_checked(end)?;
        }
        rest = rest.strip_prefix(literal)?;
    }
    (!rest.is_empty()).then(|| resource.get(..resource.len() - rest.len()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_made_for_one_use_lose_their_own_name_and_keep_what_they_belong_to() {
        let check = |resource: &str, expected: Option<&str>| {
            let arn = |resource: &str| format!("arn:aws:{resource}");
            assert_eq!(without_name(&arn(resource), 2), expected.map(arn), "{resource}");
        };
        check("states:r:1:execution:flow:0f8fad5b", Some("states:r:1:execution:flow:*"));
        check("states:r:1:stateMachine:flow", None);
        check("states:r:1:execution:flow", None);
        check("states:r:1:execution::x", None);
        check("ecs:r:1:task/c1/0123456789abcdef", Some("ecs:r:1:task/c1/*"));
        check("ecs:r:1:task-definition/td:3", None);
        check("rds:r:1:snapshot:db1-2026-11-01", Some("rds:r:1:snapshot:*"));
        check("rds:r:1:db:db1", None);
        check("dynamodb:r:1:table/T/backup/0159", Some("dynamodb:r:1:table/T/backup/*"));
        check("dynamodb:r:1:table/T", None);
        check("emr-serverless:r:1:/applications/a/jobruns/j", Some("emr-serverless:r:1:/applications/a/jobruns/*"));
        check("ecs:r:1:task/*/*", None);
        check("é", None);
        assert_eq!(without_name("arn:aws:rds:r:1:snapshot:golden", 1), None, "one may be kept for years");
        let dated = without_name("arn:aws:rds:r:1:snapshot:db1-2026-11-01", 1);
        assert_eq!(dated.as_deref(), Some("arn:aws:rds:r:1:snapshot:db1-*"));
    }

    #[test]
    fn ids_that_aws_gives_are_told_from_names() {
        let check = |arn: &str, expected: Option<&str>| assert_eq!(without_id(arn).as_deref(), expected, "{arn}");
        check("arn:aws:ec2:r:1:instance/i-0a1b2c3d4e5f6a7b8", Some("arn:aws:ec2:r:1:instance/*"));
        check("arn:aws:ec2:r:1:volume/vol-0a1b2c3d", Some("arn:aws:ec2:r:1:volume/*"));
        check("arn:aws:dynamodb:r:1:table/orders-prod", None);
        check("arn:aws:kms:r:1:key/0f8fad5b-d9cb-469f-a165-70867728950e", None);
    }
}
